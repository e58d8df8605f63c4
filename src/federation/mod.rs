//! Many sources as one: one list in one order, one cursor, and an account of who answered what.
//!
//! It never names a vendor: what differs between sources is a capability. A request goes `prepare` → `plan` (what each
//! source is asked) → `read` (all sources at once; `seek` where the source sorts, `scan` and `snapshot` where it does not) →
//! `merge` → `cursor`.

mod catalog;
mod catalog_walk;
mod cursor;
mod error;
mod list;
mod load;
mod merge;
mod outcome;
mod plan;
mod prepare;
mod read;
mod scan;
mod seek;
mod single;
mod snapshot;
mod stats;

pub use catalog::{CatalogPage, CatalogQuery, KindTest};
pub use cursor::{CursorFault, CursorKey};
pub use error::FederationError;
pub use list::{IncidentPage, IncidentQuery, Row};
pub use outcome::{Batch, Cost, SourceReport};
pub use snapshot::SnapshotLimits;
pub use stats::{MonthCount, Months, StatParts, Stats, StatsQuery};

use crate::{
    domain::SourceName,
    source::{Checked, Source},
};
use cursor::Signer;
use scan::Scanner;
use snapshot::{Snapshots, Visit};
use std::sync::Arc;

/// What a federation is made of.
pub struct FederationOptions {
    /// In the order of the configuration; names are distinct.
    pub sources: Vec<Arc<dyn Source>>,
    pub cursor_key: CursorKey,
    /// How many rows of one source may be read for one request where the source cannot sort or filter itself.
    pub scan_limit: usize,
    pub snapshots: SnapshotLimits,
}

/// All sources together.
pub struct Federation {
    sources: Vec<Arc<dyn Source>>,
    signer: Signer,
    scan_limit: usize,
    snapshots: Snapshots,
}

impl Federation {
    /// Wraps every source in [`Checked`].
    pub fn new(options: FederationOptions) -> Self {
        Federation {
            snapshots: Snapshots::new(options.snapshots, options.sources.len()),
            sources: options.sources.into_iter().map(Checked::wrap).collect(),
            signer: Signer::new(&options.cursor_key),
            scan_limit: options.scan_limit.max(1),
        }
    }

    /// For one request, which ends before it makes another one or waits for what another one reads.
    fn visit(&self) -> Visit<'_> {
        Visit::new(&self.snapshots)
    }

    fn scanner<'a>(&self, visit: &'a Visit<'a>) -> Scanner<'a> {
        Scanner { visit, limit: self.scan_limit }
    }

    /// Memory that copies of sources take now, in bytes: what [`SnapshotLimits::max_bytes`] bounds.
    pub fn snapshot_bytes(&self) -> usize {
        self.snapshots.held()
    }

    /// All sources, in the order of the configuration.
    pub fn sources(&self) -> &[Arc<dyn Source>] {
        &self.sources
    }

    /// The source of this name.
    pub fn source(&self, name: &SourceName) -> Option<&Arc<dyn Source>> {
        self.sources.iter().find(|source| source.info().name == *name)
    }
}

/// See [`crate::fuzz::cursors`].
pub(crate) fn fuzz_cursor(body: &[u8]) {
    cursor::fuzz(body);
}
