//! Reading a source into a copy: one reader at a time, the next one goes on where the last one stopped.

use super::{
    copy::Copy,
    shelf::{Reserved, Snapshots},
};
use crate::{
    domain::{Incident, NativeId, Rows, Test, Time},
    federation::seek::LIST,
    source::{Call, Capabilities, ListRequest, Source, SourceError, SourceErrorKind, Want},
    telemetry::events,
};
use futures_util::future::join_all;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};
use tokio::time::{Instant, timeout_at};

/// How many pages are asked for at the same time, once it is known how many there are.
const PAGES_AT_ONCE: u64 = 4;

/// After so many pages in a row with nothing new the source is taken to give the same ones for ever. One such page may come
/// where rows moved down while they were read.
const IDLE_PAGES: u32 = 2;

/// Rows of a page that is read though no memory is left for it.
const SHORT_PAGE: u64 = 100;

/// Bytes that a row is taken to need before any was read.
const TYPICAL_ROW: usize = 3_000;

/// One request reads with at most this part of what the source's quota allows in a minute.
const PART_OF_QUOTA: u32 = 3;

/// What is asked of a source, and for whom.
#[derive(Clone, Copy)]
pub(in crate::federation) struct Asking<'a> {
    pub(in crate::federation) source: &'a dyn Source,
    pub(in crate::federation) call: &'a Call,
    pub(in crate::federation) capabilities: &'a Capabilities,
    pub(in crate::federation) tests: &'a [Test],
    pub(in crate::federation) want: Want,
    /// How many rows may be read, however long it takes.
    pub(in crate::federation) limit: usize,
}

/// What somebody sees of a copy. As long as he holds it, it is not thrown out.
pub(in crate::federation) struct View {
    pub(in crate::federation) copy: Arc<Copy>,
    /// There is more, or may be.
    pub(in crate::federation) truncated: bool,
    pub(in crate::federation) malformed: u32,
    /// Named by the source as existing but withheld, each once.
    pub(in crate::federation) restricted: Vec<NativeId>,
    /// When its reading began.
    pub(in crate::federation) begun: Time,
    _held: Arc<Snapshot>,
}

/// A copy and how far it is read.
pub(super) struct Snapshot {
    /// Held by whoever reads.
    turn: tokio::sync::Mutex<Progress>,
    state: Mutex<State>,
    /// What this copy takes, also counted in `held` while it lives.
    bytes: AtomicUsize,
    held: Arc<AtomicUsize>,
}

/// Where the reader stands.
#[derive(Default)]
struct Progress {
    offset: u64,
    /// As the last page told it.
    total: Option<u64>,
    /// Offsets past which rows may have moved up unread, when others before them went. They are read again at the end.
    missed: Option<(u64, u64)>,
    /// Where reading again ends.
    until: Option<u64>,
    /// Pages in a row that brought nothing new.
    idle: u32,
}

impl Progress {
    /// Enters a page that began at an offset; whether there is nothing left to read.
    fn enter(&mut self, begin: u64, consumed: u64, total: Option<u64>, more: bool) -> bool {
        let gone = self.total.zip(total).map_or(0, |(before, now)| before.saturating_sub(now));
        if gone > 0 {
            let (start, end) = self.missed.unwrap_or((begin, begin));
            self.missed = Some((start.min(begin).saturating_sub(gone), end.max(begin)));
        }
        self.total = total;
        self.offset = begin + consumed;
        if more && self.until.is_none_or(|until| self.offset < until) {
            return false;
        }
        let Some((start, end)) = self.missed.take() else { return true };
        (self.offset, self.until) = (start, Some(end));
        false
    }
}

struct State {
    copy: Arc<Copy>,
    end: End,
    malformed: u32,
    restricted: Vec<NativeId>,
    begun: Time,
    touched: Time,
    /// How often reading failed, and how it did last.
    failures: u64,
    error: Option<SourceError>,
}

/// Whether there is more to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// There is, or may be.
    More,
    /// All was read.
    Whole,
    /// There is more, and it may not be read.
    Bound,
}

impl Snapshots {
    /// Reads on until `enough` is there, all is, or the bound is met: of rows, of the source's quota, of half the time that
    /// is left. The other half is for what comes after.
    ///
    /// # Errors
    /// The source failed. Late or out of quota is no failure where something was read before.
    pub(in crate::federation) async fn read(
        &self,
        asking: Asking<'_>,
        enough: impl Fn(&Copy) -> bool + Send,
    ) -> Result<View, SourceError> {
        let snapshot = self.find(&asking);
        let begun = snapshot.bytes.load(Relaxed);
        let view = self.read_on(&snapshot, asking, enough).await?;
        let outcome = match snapshot.bytes.load(Relaxed) == begun {
            true => "kept",
            false if view.truncated => "partial",
            false => "read",
        };
        events::snapshot_used(asking.source.info().name.as_str(), outcome);
        Ok(view)
    }

    async fn read_on(
        &self,
        snapshot: &Arc<Snapshot>,
        asking: Asking<'_>,
        enough: impl Fn(&Copy) -> bool + Send,
    ) -> Result<View, SourceError> {
        // Who needs nothing more does not wait for those who read.
        if snapshot.look(&enough).0 {
            return Ok(snapshot.view());
        }
        let context = &asking.call.context;
        let patience = context.halfway();
        let failures = snapshot.state().failures;
        let Some(mut progress) = snapshot.turn(&asking, patience).await? else { return Ok(snapshot.view()) };
        if let Some(error) = snapshot.failed_since(failures) {
            return snapshot.give_up(error);
        }
        let most = asking.capabilities.list.calls_per_minute.map(|calls| u64::from((calls / PART_OF_QUOTA).max(1)));
        let mut calls = 0;
        loop {
            let (over, empty) = snapshot.look(&enough);
            let left = most.map_or(u64::MAX, |most| most - calls.min(most));
            if over || left == 0 || (!empty && context.is_past(patience)) {
                return Ok(snapshot.view());
            }
            let until = if empty { context.deadline } else { patience };
            let call = asking.call.background().until(until);
            match snapshot.go_on(self, Asking { call: &call, ..asking }, &mut progress, left).await {
                Ok(made) => calls += made,
                Err(error) => {
                    snapshot.fail(&error);
                    return snapshot.give_up(error);
                }
            }
        }
    }
}

impl Snapshot {
    pub(super) fn new(held: Arc<AtomicUsize>, now: Time) -> Self {
        let state = State {
            copy: Arc::default(),
            end: End::More,
            malformed: 0,
            restricted: Vec::new(),
            begun: now,
            touched: now,
            failures: 0,
            error: None,
        };
        let (turn, state, bytes) = (tokio::sync::Mutex::default(), Mutex::new(state), AtomicUsize::new(0));
        Snapshot { turn, state, bytes, held }
    }

    /// When something was read into it last.
    pub(super) fn touched(&self) -> Time {
        self.state().touched
    }

    /// Whether the source was read to its end.
    pub(super) fn is_whole(&self) -> bool {
        self.state().end == End::Whole
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.load(Relaxed) == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(self: &Arc<Self>) -> View {
        let state = self.state();
        View {
            copy: state.copy.clone(),
            truncated: state.end != End::Whole,
            malformed: state.malformed,
            restricted: state.restricted.clone(),
            begun: state.begun,
            _held: self.clone(),
        }
    }

    /// Whether reading is over, and whether there is nothing yet.
    fn look(&self, enough: &impl Fn(&Copy) -> bool) -> (bool, bool) {
        let (copy, end) = {
            let state = self.state();
            (state.copy.clone(), state.end)
        };
        (end != End::More || enough(&copy), copy.rows().is_empty())
    }

    /// The right to read on. None: others read, and what is there has to do.
    async fn turn(
        &self,
        asking: &Asking<'_>,
        patience: Instant,
    ) -> Result<Option<tokio::sync::MutexGuard<'_, Progress>>, SourceError> {
        if let Ok(turn) = self.turn.try_lock() {
            return Ok(Some(turn));
        }
        if let Ok(turn) = timeout_at(patience, self.turn.lock()).await {
            return Ok(Some(turn));
        }
        if !self.state().copy.rows().is_empty() {
            return Ok(None);
        }
        timeout_at(asking.call.context.deadline, self.turn.lock()).await.map(Some).map_err(|_| {
            let name = &asking.source.info().name;
            let text = format!("The source “{name}” did not answer before this request's deadline.");
            SourceError::new(SourceErrorKind::Timeout, name, LIST, text)
        })
    }

    fn fail(&self, error: &SourceError) {
        let mut state = self.state();
        state.failures += 1;
        state.error = Some(error.clone());
    }

    /// How the one failed for whom we waited: his failure is ours, or all who wait would ask a sick source in turn.
    fn failed_since(&self, failures: u64) -> Option<SourceError> {
        let state = self.state();
        state.error.clone().filter(|_| state.failures != failures)
    }

    fn give_up(self: &Arc<Self>, error: SourceError) -> Result<View, SourceError> {
        let late = matches!(error.kind(), SourceErrorKind::RateLimited | SourceErrorKind::Timeout);
        match late && !self.state().copy.rows().is_empty() {
            true => Ok(self.view()),
            false => Err(error),
        }
    }

    /// Reads the next pages, with at most `most` calls; how many it made. None where there is no room.
    async fn go_on(
        &self,
        shelf: &Snapshots,
        asking: Asking<'_>,
        progress: &mut Progress,
        most: u64,
    ) -> Result<u64, SourceError> {
        let Some((requests, _reserved)) = self.fitting(shelf, &asking, progress, most) else { return Ok(0) };
        let pages = join_all(requests.iter().map(|request| asking.source.list(asking.call, request))).await;
        let made = requests.len() as u64;
        for (request, page) in requests.iter().zip(pages) {
            let page = page?;
            if page.more && page.consumed == 0 {
                let what = "without the rows that it had promised";
                return Err(SourceError::malformed(&asking.source.info().name, LIST, what));
            }
            let (consumed, total) = (page.consumed, page.total.filter(|_| !page.capped));
            let end = match progress.enter(request.offset, consumed as u64, total, page.more) {
                true => End::Whole,
                false if progress.offset >= bound(progress.total, &asking) => End::Bound,
                false => End::More,
            };
            let (next, rows) = (request.offset + request.limit as u64, page.items.len());
            let (end, fresh) = self.add(page, end, asking.call.now);
            let again = rows > 0 && fresh == 0 && progress.until.is_none();
            progress.idle = if again { progress.idle + 1 } else { 0 };
            if end == End::More && progress.idle >= IDLE_PAGES {
                self.state().end = End::Bound;
                return Ok(made);
            }
            // After a page that came shorter than asked for, and after the last one, the next begins elsewhere.
            if end != End::More || progress.offset != next {
                return Ok(made);
            }
        }
        Ok(made)
    }

    /// Requests for the next pages, as many as there is room for. None where there is room for none. The first page is read
    /// in any case, if only a short one: where many read at once, each goes away with less, but nobody with nothing.
    fn fitting(
        &self,
        shelf: &Snapshots,
        asking: &Asking<'_>,
        progress: &Progress,
        most: u64,
    ) -> Option<(Vec<ListRequest>, Reserved)> {
        let rows = self.state().copy.rows().len();
        let weight = self.bytes.load(Relaxed).checked_div(rows).unwrap_or(TYPICAL_ROW);
        let bytes = |requests: &[ListRequest]| requests.iter().map(|request| request.limit * weight).sum();
        let mut requests = next_pages(progress, asking, most, u64::MAX);
        while !requests.is_empty() {
            if let Some(reserved) = shelf.reserve(bytes(&requests)) {
                return Some((requests, reserved));
            }
            requests.pop();
        }
        if rows > 0 {
            // For good: else the next page would throw out the whole copy of another source to go on with this one.
            self.state().end = End::Bound;
            return None;
        }
        let short = next_pages(progress, asking, 1, SHORT_PAGE);
        let reserved = shelf.reserve_anyway(bytes(&short));
        Some((short, reserved))
    }

    /// Puts a page into the copy; where that leaves it.
    fn add(&self, page: Rows<Arc<Incident>>, end: End, now: Time) -> (End, usize) {
        let mut state = self.state();
        let before = state.copy.rows().len();
        let mut copy = std::mem::take(&mut state.copy);
        let bytes = Arc::make_mut(&mut copy).add(page.items);
        state.copy = copy;
        self.bytes.fetch_add(bytes, Relaxed);
        events::snapshots_resized(self.held.fetch_add(bytes, Relaxed) + bytes);
        state.malformed = state.malformed.saturating_add(page.malformed);
        state.restricted.extend(page.restricted);
        state.restricted.sort_unstable();
        state.restricted.dedup();
        state.touched = state.touched.max(now);
        state.end = end;
        (end, state.copy.rows().len() - before)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let bytes = self.bytes.load(Relaxed);
        events::snapshots_resized(self.held.fetch_sub(bytes, Relaxed) - bytes);
    }
}

/// How far may be read. Whoever has no more rows than allowed is read to the end, which some tell only a few rows later.
fn bound(total: Option<u64>, asking: &Asking<'_>) -> u64 {
    let (limit, page) = (asking.limit as u64, asking.capabilities.list.max_page_size as u64);
    if total.is_some_and(|total| total <= limit) { limit.saturating_add(page) } else { limit }
}

/// The requests for the next pages: several at once where the total says that there are so many.
fn next_pages(progress: &Progress, asking: &Asking<'_>, most: u64, longest: u64) -> Vec<ListRequest> {
    let size = (asking.capabilities.list.max_page_size as u64).clamp(1, longest);
    let limit = asking.limit as u64;
    let end = progress.until.or(progress.total);
    let left = end.map_or(1, |end| end.saturating_sub(progress.offset).div_ceil(size));
    let offsets = (0..left.clamp(1, PAGES_AT_ONCE).min(most)).map(|page| progress.offset + page * size);
    // The first is asked for in any case: whoever reads on finds out that way whether there is more.
    let within = offsets.filter(|offset| *offset == progress.offset || *offset < limit);
    let request = |offset: u64| ListRequest {
        tests: asking.tests.to_vec(),
        order: None,
        offset,
        limit: usize::try_from(size.min(limit.saturating_sub(offset)).max(1)).unwrap_or(1),
        want: asking.want,
    };
    within.map(request).collect()
}
