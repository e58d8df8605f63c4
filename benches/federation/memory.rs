//! What this process has allocated, at its height.

use crate::ALLOCATOR;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

/// The most of something, in bytes, since somebody looked last. A thread looks a thousand times a second; what comes and
/// goes in between is not seen.
pub(crate) struct Peak {
    most: Arc<AtomicUsize>,
    now: Arc<dyn Fn() -> usize + Send + Sync>,
}

impl Peak {
    /// Of what is allocated. Watches as long as the process lives.
    pub(crate) fn watch() -> Self {
        Self::of(|| ALLOCATOR.allocated())
    }

    /// Of anything.
    pub(crate) fn of(now: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        let peak = Peak { most: Arc::default(), now: Arc::new(now) };
        let (most, now) = (peak.most.clone(), peak.now.clone());
        thread::spawn(move || {
            loop {
                most.fetch_max(now(), Relaxed);
                thread::sleep(Duration::from_millis(1));
            }
        });
        peak
    }

    /// Bytes; begins anew with what there is now.
    pub(crate) fn take(&self) -> usize {
        let now = (self.now)();
        self.most.swap(now, Relaxed).max(now)
    }
}

/// For people.
pub(crate) fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
