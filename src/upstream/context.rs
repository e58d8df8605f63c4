//! On whose behalf a call is made, until when, and who counts it. Handed down explicitly with every call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;

/// What a call needs to know about the request that caused it. Cheap to clone; clones share the tally.
#[derive(Clone, Debug)]
pub struct Context {
    /// When the answer is of no use any more. Bounds everything: queue, login, call.
    pub deadline: Instant,
    /// For the log.
    pub request_id: Arc<str>,
    /// With whose rights is asked. Whatever will be remembered or shared between callers has this first in its key.
    pub scope: Arc<str>,
    /// Where the calls are counted.
    pub tally: Arc<Tally>,
}

impl Context {
    /// With a new tally.
    pub fn new(deadline: Instant, request_id: &str, scope: &str) -> Self {
        let tally = Arc::new(Tally::default());
        Context { deadline, request_id: request_id.into(), scope: scope.into(), tally }
    }

    /// The same request with a tally of its own.
    pub fn fork(&self) -> Self {
        Context { tally: Arc::default(), ..self.clone() }
    }
}

/// Counts what one request cost at one source. Counted where the call is made, and only there: an answer that will come
/// out of a cache counts nothing.
#[derive(Debug, Default)]
pub struct Tally {
    calls: AtomicU64,
    credential_calls: AtomicU64,
    waited_us: AtomicU64,
    latency_us: AtomicU64,
}

impl Tally {
    /// HTTP requests sent, each attempt counted; logins not included.
    pub fn upstream_calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    /// HTTP requests sent to get a token. A login made for many waiters counts for the one that made it.
    pub fn credential_calls(&self) -> u64 {
        self.credential_calls.load(Relaxed)
    }

    /// Time spent in the queue for a permit, summed over the calls.
    pub fn waited(&self) -> Duration {
        Duration::from_micros(self.waited_us.load(Relaxed))
    }

    /// Time from sending to the last byte (to the head, for a download), summed over the calls: more than the clock on
    /// the wall when calls ran side by side.
    pub fn latency(&self) -> Duration {
        Duration::from_micros(self.latency_us.load(Relaxed))
    }

    pub(super) fn count(&self, purpose: Purpose) {
        match purpose {
            Purpose::Call => self.calls.fetch_add(1, Relaxed),
            Purpose::Credential => self.credential_calls.fetch_add(1, Relaxed),
        };
    }

    pub(super) fn add_waited(&self, time: Duration) {
        self.waited_us.fetch_add(microseconds(time), Relaxed);
    }

    pub(super) fn add_latency(&self, time: Duration) {
        self.latency_us.fetch_add(microseconds(time), Relaxed);
    }
}

/// Why something is sent; decides where it is counted and whether an answer may be quoted in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    Call,
    Credential,
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
