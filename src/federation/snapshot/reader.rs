//! Reading a source into a copy: one reader at a time, the next one goes on where the last one stopped.

use super::{
    copy::Copy,
    progress::{Progress, bound, next_pages},
    room::{Charge, Part, Place, Room, SHORT_PAGE, TYPICAL_ROW},
    shelf::{Held, Snapshots},
};
use crate::{
    domain::{Incident, NativeId, RowParts, Rows, Test, Time},
    federation::seek::{LIST, is_usable},
    source::{Call, Capabilities, ListRequest, Source, SourceError, SourceErrorKind, Want},
    telemetry::events,
};
use futures_util::future::join_all;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::{Instant, timeout_at};

/// After so many pages in a row with nothing new the source is taken to give the same ones for ever. One such page may come
/// where rows moved down while they were read.
const IDLE_PAGES: u32 = 2;

/// What a native id takes that a source names as withheld. Arbitrary: longer than those of all vendors.
const WITHHELD: usize = size_of::<NativeId>() + 64;

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
    _held: Held,
    /// Of a copy in the spare part. Given back after the copy.
    _place: Option<Arc<Place>>,
}

/// A copy and how far it is read.
pub(super) struct Snapshot {
    /// Held by whoever reads.
    turn: tokio::sync::Mutex<Progress>,
    state: Mutex<State>,
}

struct State {
    copy: Arc<Copy>,
    /// For the rows and records of the copy, and what is withheld.
    charge: Charge,
    end: End,
    malformed: u32,
    restricted: Vec<NativeId>,
    begun: Time,
    touched: Time,
    /// The parts of rows that are kept, and those that somebody looked at.
    parts: RowParts,
    looked_at: RowParts,
    /// Bytes that a row took with all its parts, where not all are kept: so much comes for each row asked for.
    whole_row: Option<usize>,
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
    /// Reads on until `enough` is there, all is, or the bound is met: of rows, of the source's quota, of the time until
    /// `patience` is over. `charge` is room for the next pages. None: nothing is there, and there is no room for any of it.
    ///
    /// # Errors
    /// The source failed. Late or out of quota is no failure where something was read before.
    pub(super) async fn read(
        &self,
        asking: Asking<'_>,
        patience: Instant,
        enough: impl Fn(&Copy) -> bool + Send,
        charge: &mut Charge,
    ) -> Result<Option<View>, SourceError> {
        let snapshot = self.find(&asking);
        let begun = snapshot.bytes();
        let view = self.read_on(&snapshot, asking, patience, enough, charge).await?;
        if let Some(view) = &view {
            let outcome = match snapshot.bytes() == begun {
                true => "kept",
                false if view.truncated => "partial",
                false => "read",
            };
            events::snapshot_used(asking.source.info().name.as_str(), outcome);
        }
        Ok(view)
    }

    async fn read_on(
        &self,
        snapshot: &Held,
        asking: Asking<'_>,
        patience: Instant,
        enough: impl Fn(&Copy) -> bool + Send,
        charge: &mut Charge,
    ) -> Result<Option<View>, SourceError> {
        // Who needs nothing more does not wait for those who read.
        if snapshot.look(&enough).0 {
            return Ok(Some(View::of(snapshot.clone(), None)));
        }
        let context = &asking.call.context;
        let failures = snapshot.state().failures;
        let Some(mut progress) = snapshot.turn(&asking, patience).await? else {
            return Ok(Some(View::of(snapshot.clone(), None)));
        };
        if let Some(error) = snapshot.failed_since(failures) {
            return give_up(snapshot, error).map(Some);
        }
        let most = asking.capabilities.list.calls_per_minute.map(|calls| u64::from((calls / PART_OF_QUOTA).max(1)));
        let mut calls = 0;
        loop {
            let (over, empty) = snapshot.look(&enough);
            let left = most.map_or(u64::MAX, |most| most - calls.min(most));
            if over || left == 0 || (!empty && context.is_past(patience)) {
                return Ok(Some(View::of(snapshot.clone(), None)));
            }
            let until = if empty { context.deadline } else { patience };
            let call = asking.call.background().until(until);
            let made = snapshot.go_on(self, Asking { call: &call, ..asking }, &mut progress, left, charge).await;
            // What came is charged for itself; what did not come needs no room.
            charge.clear();
            match made {
                Ok(Some(0)) => return Ok(Some(View::of(snapshot.clone(), None))),
                Ok(Some(made)) => calls += made,
                Ok(None) => return Ok(None),
                Err(error) => {
                    snapshot.fail(&error);
                    return give_up(snapshot, error).map(Some);
                }
            }
        }
    }
}

impl View {
    pub(super) fn of(snapshot: Held, place: Option<Arc<Place>>) -> View {
        let state = snapshot.state();
        let (copy, truncated, malformed, restricted, begun) =
            (state.copy.clone(), state.end != End::Whole, state.malformed, state.restricted.clone(), state.begun);
        drop(state);
        View { copy, truncated, malformed, restricted, begun, _held: snapshot, _place: place }
    }
}

/// What is to be done about a failure: something was read before, and the failure is none, or it is one.
fn give_up(snapshot: &Held, error: SourceError) -> Result<View, SourceError> {
    let late = matches!(error.kind(), SourceErrorKind::RateLimited | SourceErrorKind::Timeout);
    match late && !snapshot.look(&|_| false).1 {
        true => Ok(View::of(snapshot.clone(), None)),
        false => Err(error),
    }
}

impl Snapshot {
    pub(super) fn new(room: &Arc<Room>, part: Part, parts: RowParts, now: Time) -> Self {
        let state = State {
            copy: Arc::new(Copy::new(room, part)),
            charge: Charge::none(room, part),
            end: End::More,
            malformed: 0,
            restricted: Vec::new(),
            begun: now,
            touched: now,
            parts,
            looked_at: RowParts::NONE,
            whole_row: None,
            failures: 0,
            error: None,
        };
        Snapshot { turn: tokio::sync::Mutex::default(), state: Mutex::new(state) }
    }

    /// Remembers that somebody looks at these parts of rows.
    pub(super) fn look_at(&self, parts: RowParts) {
        let mut state = self.state();
        state.looked_at = state.looked_at.or(parts);
    }

    /// Leaves out the parts of rows that nobody looked at; those that are kept. None where that is done already, and while somebody
    /// sees the copy: he keeps it as large as it is.
    pub(super) fn slim(&self) -> Option<RowParts> {
        let mut state = self.state();
        let state = &mut *state;
        let parts = state.looked_at;
        if state.parts == parts {
            return None;
        }
        let copy = Arc::get_mut(&mut state.copy)?;
        let before = state.charge.bytes() + copy.beside();
        state.whole_row = state.whole_row.or_else(|| before.checked_div(copy.rows().len()));
        let mut kept = copy.keep(parts, &mut state.charge);
        kept.absorb(state.charge.split(state.restricted.len() * WITHHELD));
        (state.charge, state.parts) = (kept, parts);
        Some(parts)
    }

    /// Whether there are parts that nobody looked at.
    pub(super) fn has_more_than_needed(&self) -> bool {
        let state = self.state();
        state.parts != state.looked_at
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
        self.bytes() == 0
    }

    /// What it takes, without earlier states of it that somebody looks at.
    pub(super) fn bytes(&self) -> usize {
        let state = self.state();
        state.charge.bytes() + state.copy.beside()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Reads the next pages, with at most `most` calls; how many it made. None where nothing is there and nothing has room.
    async fn go_on(
        &self,
        shelf: &Snapshots,
        asking: Asking<'_>,
        progress: &mut Progress,
        most: u64,
        charge: &mut Charge,
    ) -> Result<Option<u64>, SourceError> {
        match self.fitting(shelf, &asking, progress, most, charge) {
            Some(requests) => self.take(shelf, asking, progress, &requests, charge).await,
            None if self.state().copy.rows().is_empty() => Ok(None),
            // Not for good: the next one who comes may find room.
            None if shelf.will_slim() => Ok(Some(0)),
            None => {
                // For good: else the next page would throw out the whole copy of another source to go on with this one.
                self.state().end = End::Bound;
                Ok(Some(0))
            }
        }
    }

    /// Reads a page of at most so many rows, as far as they have room. Whether there are any, or none at the source.
    pub(super) async fn begin(
        &self,
        shelf: &Snapshots,
        asking: Asking<'_>,
        rows: usize,
        charge: &mut Charge,
    ) -> Result<bool, SourceError> {
        let mut progress = self.turn.lock().await;
        let requests = next_pages(&progress, &asking, 1, rows as u64);
        Ok(self.take(shelf, asking, &mut progress, &requests, charge).await?.is_some())
    }

    async fn take(
        &self,
        shelf: &Snapshots,
        asking: Asking<'_>,
        progress: &mut Progress,
        requests: &[ListRequest],
        charge: &mut Charge,
    ) -> Result<Option<u64>, SourceError> {
        let pages = join_all(requests.iter().map(|request| asking.source.list(asking.call, request))).await;
        let made = Ok(Some(requests.len() as u64));
        for (request, page) in requests.iter().zip(pages) {
            let page = page?;
            is_usable(asking.source, &page)?;
            let (consumed, total) = (page.consumed, page.total.filter(|_| !page.capped));
            let end = match progress.enter(request.offset, consumed as u64, total, page.more) {
                true => End::Whole,
                false if progress.offset >= bound(progress.total, &asking) => End::Bound,
                false => End::More,
            };
            let (next, rows) = (request.offset + request.limit as u64, page.items.len());
            let Some((end, fresh)) = self.put(shelf, page, end, asking.call.now, charge) else {
                *progress = Progress::default();
                return Ok(None);
            };
            let again = rows > 0 && fresh == 0 && progress.until.is_none();
            progress.idle = if again { progress.idle + 1 } else { 0 };
            if end == End::More && progress.idle >= IDLE_PAGES {
                self.state().end = End::Bound;
                return made;
            }
            // After a page that came shorter than asked for, and after the last one, the next begins elsewhere.
            if end != End::More || progress.offset != next {
                return made;
            }
        }
        made
    }

    /// Requests for the next pages, as many as there is room for. None where there is room for none, of a first page not even
    /// for a short one.
    fn fitting(
        &self,
        shelf: &Snapshots,
        asking: &Asking<'_>,
        progress: &Progress,
        most: u64,
        charge: &mut Charge,
    ) -> Option<Vec<ListRequest>> {
        let (rows, beside, whole_row) = {
            let state = self.state();
            (state.copy.rows().len(), state.copy.beside(), state.whole_row)
        };
        let weight = whole_row.or_else(|| self.bytes().checked_div(rows)).unwrap_or(TYPICAL_ROW);
        let bytes = |requests: &[ListRequest]| requests.iter().map(|request| request.limit * weight).sum::<usize>();
        let mut requests = next_pages(progress, asking, most, u64::MAX);
        while !requests.is_empty() {
            if shelf.fill(charge, beside + bytes(&requests)) {
                return Some(requests);
            }
            requests.pop();
        }
        let shorter = [SHORT_PAGE, SHORT_PAGE / 2, SHORT_PAGE / 4].into_iter().filter(|_| rows == 0);
        let mut shorter = shorter.map(|rows| next_pages(progress, asking, 1, rows as u64));
        shorter.find(|requests| shelf.fill(charge, bytes(requests)))
    }

    /// The parts of rows that are kept, what the copy takes beside them if it grows as another one because somebody looks at it,
    /// and what each of these will take at most. Nobody sees the copy while room is made.
    fn costs(&self, rows: &mut [Arc<Incident>]) -> (RowParts, usize, Vec<usize>) {
        let (copy, parts) = {
            let state = self.state();
            (state.copy.clone(), state.parts)
        };
        (parts, copy.beside(), rows.iter_mut().map(|row| copy.cost(row, parts)).collect())
    }

    /// Puts a page into the copy, as far as there is room; where that leaves it, and how many rows are new. None where the copy
    /// stays empty for lack of room.
    fn put(
        &self,
        shelf: &Snapshots,
        mut page: Rows<Arc<Incident>>,
        mut end: End,
        now: Time,
        charge: &mut Charge,
    ) -> Option<(End, usize)> {
        let (before, known) = {
            let state = self.state();
            (state.copy.rows().len(), state.restricted.clone())
        };
        page.restricted.retain(|id| known.binary_search(id).is_err());
        let withheld = page.restricted.len() * WITHHELD;
        // Until the parts that are kept are still those that these rows have: room is made by leaving parts out, and what was
        // left out is not to be kept of these rows, either.
        let ((fitting, all), mut state) = loop {
            let (parts, mut need, costs) = self.costs(&mut page.items);
            need += withheld;
            let mut fits = |cost: &usize| {
                need += cost;
                shelf.fill(charge, need)
            };
            let fitting = costs.iter().position(|cost| !fits(cost)).unwrap_or(costs.len());
            let all = fitting == costs.len() && shelf.fill(charge, withheld);
            let state = self.state();
            if state.parts == parts {
                break ((fitting, all), state);
            }
        };
        if !all {
            if before + fitting == 0 {
                return None;
            }
            page.items.truncate(fitting);
            page.restricted.clear();
            end = End::Bound;
        }
        let fresh = state.add(page.items, charge);
        state.charge.absorb(charge.split(page.restricted.len() * WITHHELD));
        state.malformed = state.malformed.saturating_add(page.malformed);
        state.restricted.extend(page.restricted);
        state.restricted.sort_unstable();
        state.restricted.dedup();
        state.touched = state.touched.max(now);
        state.end = end;
        Some((end, fresh))
    }
}

impl State {
    /// Adds rows for which enough is charged; how many are new.
    fn add(&mut self, rows: Vec<Arc<Incident>>, charge: &mut Charge) -> usize {
        if rows.is_empty() {
            return 0;
        }
        if Arc::get_mut(&mut self.copy).is_none() {
            self.copy = Arc::new(self.copy.again(charge.split(self.copy.beside())));
        }
        let copy = Arc::get_mut(&mut self.copy).expect("made just now, and nobody comes by the lock");
        let before = copy.rows().len();
        self.charge.absorb(copy.add(rows, charge));
        copy.rows().len() - before
    }
}
