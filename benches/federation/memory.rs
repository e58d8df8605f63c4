//! What this process has allocated, at its height.

use crate::ALLOCATOR;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

/// The most that was allocated since somebody looked last. A thread looks a thousand times a second; what comes and goes in
/// between is not seen.
pub(crate) struct Peak(Arc<AtomicUsize>);

impl Peak {
    /// Watches as long as the process lives.
    pub(crate) fn watch() -> Self {
        let peak = Arc::new(AtomicUsize::new(ALLOCATOR.allocated()));
        let seen = peak.clone();
        thread::spawn(move || {
            loop {
                seen.fetch_max(ALLOCATOR.allocated(), Relaxed);
                thread::sleep(Duration::from_millis(1));
            }
        });
        Peak(peak)
    }

    /// Bytes; begins anew with what is allocated now.
    pub(crate) fn take(&self) -> usize {
        let now = ALLOCATOR.allocated();
        self.0.swap(now, Relaxed).max(now)
    }
}

/// For people.
pub(crate) fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
