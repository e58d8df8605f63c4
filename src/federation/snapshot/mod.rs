//! Bounded copies of what a source gave, for what it cannot do itself: an order, a filter, a count, a record by its id.
//!
//! A copy belongs to the rights it was read with and to what was asked of the source, not to our filter or order: all pages,
//! orders and filters of the gateway share it. It is read once, by one reader for all who wait. Who finds it unfinished when
//! his time or the source's quota ends takes what is there, and the next request goes on. All copies together stay within a
//! bound (`room`); who finds no room waits, and then has a short page to himself (`visit`).

mod copy;
mod progress;
mod reader;
mod room;
mod shelf;
mod visit;

pub(super) use copy::Copy;
pub(super) use reader::{Asking, View};
pub(super) use shelf::Snapshots;
pub(super) use visit::Visit;

use std::time::Duration;

/// How much is remembered of what sources gave, and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnapshotLimits {
    /// How long a copy is used after something was read into it. Zero: every request reads for itself.
    pub keep: Duration,
    /// Memory of all copies together, as [`crate::domain::Incident::weight`] estimates it. Where it does not do for one row,
    /// a source that cannot sort or filter fails whenever that is needed.
    pub max_bytes: usize,
}

impl Default for SnapshotLimits {
    /// 60 s, 64 MiB.
    fn default() -> Self {
        SnapshotLimits { keep: Duration::from_secs(60), max_bytes: 64 << 20 }
    }
}
