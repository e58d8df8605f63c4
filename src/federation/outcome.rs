//! What a request over many sources gives beside its data: how each source answered, and what it cost.

use crate::{
    domain::{IncidentField, Key, NativeId, Record, SourceName, SourceStatus, Time},
    source::{Call, SourceError, SourceErrorKind},
};
use chrono::TimeDelta;
use rustc_hash::FxHashMap;
use std::time::Duration;

/// How one source answered one root field.
#[derive(Clone, Debug)]
pub struct SourceReport {
    pub source: SourceName,
    pub status: SourceStatus,
    /// Rows of this page.
    pub items: usize,
    /// Rows under the same filter on all pages, where known.
    pub total: Option<u64>,
    /// None where the source was not asked.
    pub fetched_at: Option<Time>,
    /// Time of the upstream calls, summed; none without any.
    pub latency: Option<Duration>,
    /// Time spent waiting for the source's limits.
    pub waited: Duration,
    pub from_cache: bool,
    /// When the oldest answer was given that stands in for a source that is not there; none where there is no such answer.
    pub stale_since: Option<Time>,
    /// Calls of the root field itself; those of the rest of the selection are in [`Batch::costs`].
    pub upstream_calls: u64,
    pub filtered_by_source: Vec<IncidentField>,
    pub filtered_by_gateway: Vec<IncidentField>,
    /// More matched, or may have, than the gateway may read.
    pub truncated: bool,
    /// Records that were broken and left out.
    pub malformed: u32,
    /// Links inside the rows of this page that the source hides.
    pub masked: u32,
    /// Native ids that the source named as existing but withheld.
    pub restricted_ids: Vec<NativeId>,
    /// Why the source was not asked; a sentence.
    pub skipped_reason: Option<String>,
    pub error: Option<SourceError>,
}

impl SourceReport {
    /// Of a source that answered without having anything.
    pub(super) fn new(source: &SourceName) -> Self {
        SourceReport {
            source: source.clone(),
            status: SourceStatus::Ok,
            items: 0,
            total: None,
            fetched_at: None,
            latency: None,
            waited: Duration::ZERO,
            from_cache: false,
            stale_since: None,
            upstream_calls: 0,
            filtered_by_source: Vec::new(),
            filtered_by_gateway: Vec::new(),
            truncated: false,
            malformed: 0,
            masked: 0,
            restricted_ids: Vec::new(),
            skipped_reason: None,
            error: None,
        }
    }

    /// The source is not asked.
    pub(super) fn skip(&mut self, reason: String) {
        self.status = SourceStatus::Skipped;
        self.total = Some(0);
        self.skipped_reason = Some(reason);
    }

    /// The source failed, at least in part.
    pub(super) fn fail(&mut self, error: SourceError) {
        // Of a list that means the address, whatever the answer looks like.
        let error = match error.kind() {
            SourceErrorKind::NotFound => {
                let what = "that it has no such address (check the source's url)";
                SourceError::malformed(error.source_name(), error.operation(), what)
            }
            _ => error,
        };
        self.status = error.status();
        self.error = Some(error);
    }

    /// Enters when the rows were read, if that was for a copy which others share.
    pub(super) fn read_at(&mut self, begun: Option<Time>) {
        if let (Some(begun), Some(fetched)) = (begun, self.fetched_at) {
            self.from_cache |= self.upstream_calls == 0;
            self.fetched_at = Some(fetched.min(begun));
        }
    }

    /// Enters what the calls cost that were made with this call.
    pub(super) fn measure(&mut self, call: &Call) {
        let tally = &call.context.tally;
        self.upstream_calls = tally.upstream_calls();
        self.waited = tally.waited();
        self.latency = (self.upstream_calls > 0).then(|| tally.latency());
        self.stale_since = stale_since(call);
        self.from_cache = tally.remembered() > 0 && (self.upstream_calls == 0 || tally.is_stale());
        let age = if self.from_cache { tally.oldest() } else { Duration::ZERO };
        let answered = call.now - TimeDelta::from_std(age).unwrap_or_default();
        self.fetched_at = (self.skipped_reason.is_none() && self.error.is_none()).then_some(answered);
        if tally.is_stale() && self.status == SourceStatus::Ok {
            self.status = SourceStatus::Stale;
        }
    }
}

/// Records by key, from many sources at once. A key in neither map names nothing, or nothing that may be seen.
#[derive(Clone, Debug)]
pub struct Batch<T> {
    pub found: FxHashMap<Key, T>,
    pub failed: FxHashMap<Key, SourceError>,
    /// Records that came along with these.
    pub embedded: Vec<Record>,
    /// For each source that was asked, sorted by name.
    pub costs: Vec<(SourceName, Cost)>,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Batch { found: FxHashMap::default(), failed: FxHashMap::default(), embedded: Vec::new(), costs: Vec::new() }
    }
}

/// What a batch cost at one source.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Cost {
    /// Upstream calls.
    pub calls: u64,
    /// Time spent waiting for the source's limits.
    pub waited: Duration,
    /// Records that were broken and left out.
    pub malformed: u32,
    /// Links that the source hides.
    pub masked: u32,
    /// When the oldest answer was given that stands in for a source that is not there; none where there is no such answer.
    pub stale_since: Option<Time>,
}

impl Cost {
    /// Adds what another batch cost.
    pub fn add(&mut self, other: Cost) {
        self.calls += other.calls;
        self.waited += other.waited;
        self.malformed += other.malformed;
        self.masked += other.masked;
        self.stale_since = self.stale_since.into_iter().chain(other.stale_since).min();
    }

    pub(super) fn of(call: &Call, malformed: u32, masked: u32) -> Self {
        let tally = &call.context.tally;
        let (calls, waited) = (tally.upstream_calls(), tally.waited());
        Cost { calls, waited, malformed, masked, stale_since: stale_since(call) }
    }
}

/// When the oldest stale answer was given that this call got.
fn stale_since(call: &Call) -> Option<Time> {
    let age = call.context.tally.oldest_stale()?;
    Some(call.now - TimeDelta::from_std(age).unwrap_or_default())
}
