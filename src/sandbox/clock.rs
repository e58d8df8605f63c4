//! Two clocks of a sandbox. The world's clock starts at the base time it was built with; the wall clock is the
//! machine's, for what a client compares with its own time (token expiry). Both move with real time and can be
//! pushed forward, so that a test need not wait for a token to expire.

use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Microseconds since 1970-01-01T00:00:00Z: the resolution of every stored time.
pub(super) type Micros = i64;

#[derive(Debug)]
pub(super) struct Clock {
    started: Instant,
    world_start: Micros,
    wall_start: Micros,
    skipped_micros: AtomicU64,
}

impl Clock {
    /// A world clock that shows `world_start` now.
    pub(super) fn new(world_start: DateTime<Utc>) -> Clock {
        Clock {
            started: Instant::now(),
            world_start: world_start.timestamp_micros(),
            wall_start: Utc::now().timestamp_micros(),
            skipped_micros: AtomicU64::new(0),
        }
    }

    /// Time since the start, pushes included.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed() + Duration::from_micros(self.skipped_micros.load(Ordering::Relaxed))
    }

    /// The world's time: what new objects are stamped with.
    pub(super) fn world(&self) -> Micros {
        self.world_start.saturating_add(self.elapsed().as_micros() as i64)
    }

    /// The machine's time (plus pushes).
    pub(super) fn wall(&self) -> Micros {
        self.wall_start.saturating_add(self.elapsed().as_micros() as i64)
    }

    /// Pushes both clocks forward.
    pub(super) fn advance(&self, by: Duration) {
        self.skipped_micros.fetch_add(by.as_micros() as u64, Ordering::Relaxed);
    }
}
