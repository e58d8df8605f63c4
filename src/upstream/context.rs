//! On whose behalf a call is made, until when, and who counts it. Handed down explicitly with every call.

use super::breaker::Circuit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
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
    /// Who goes first where the source's limits make calls wait.
    pub priority: Priority,
    /// Where the calls are counted.
    pub tally: Arc<Tally>,
}

/// Who goes first in a queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Priority {
    /// Somebody waits for just this.
    #[default]
    Interactive,
    /// A part of a long read, or one that nobody waits for.
    Background,
}

impl Context {
    /// With a new tally.
    pub fn new(deadline: Instant, request_id: &str, scope: &str) -> Self {
        let tally = Arc::new(Tally::default());
        let priority = Priority::Interactive;
        Context { deadline, request_id: request_id.into(), scope: scope.into(), priority, tally }
    }

    /// The same request with a tally of its own.
    pub fn fork(&self) -> Self {
        Context { tally: Arc::default(), ..self.clone() }
    }

    /// The same request, with no more time than until then.
    pub fn until(&self, deadline: Instant) -> Self {
        Context { deadline: self.deadline.min(deadline), ..self.clone() }
    }

    /// When half of the time that is left will be over.
    pub fn halfway(&self) -> Instant {
        let now = Instant::now();
        now + self.deadline.saturating_duration_since(now) / 2
    }

    /// Whether a moment is over.
    pub fn is_past(&self, moment: Instant) -> bool {
        Instant::now() >= moment
    }

    /// The same request, for what may wait while others ask.
    pub fn background(&self) -> Self {
        Context { priority: Priority::Background, ..self.clone() }
    }
}

/// Counts what one request cost at one source, and how fresh its answers were. A call is counted where it is made, and only
/// there: an answer out of the cache, or one that another request waited for as well, costs nothing.
#[derive(Debug, Default)]
pub struct Tally {
    calls: AtomicU64,
    remembered: AtomicU64,
    oldest_us: AtomicU64,
    /// Of those that are stale; one more than the microseconds, so that zero means none.
    oldest_stale_us: AtomicU64,
    circuit: AtomicU8,
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

    /// Time spent in the queues for a quota and for a permit, summed over the calls.
    pub fn waited(&self) -> Duration {
        Duration::from_micros(self.waited_us.load(Relaxed))
    }

    /// Time from sending to the last byte (to the head, for a download), summed over the calls: more than the clock on
    /// the wall when calls ran side by side.
    pub fn latency(&self) -> Duration {
        Duration::from_micros(self.latency_us.load(Relaxed))
    }

    /// Answers that were remembered from before.
    pub fn remembered(&self) -> u64 {
        self.remembered.load(Relaxed)
    }

    /// How old the oldest remembered answer was; zero without any.
    pub fn oldest(&self) -> Duration {
        Duration::from_micros(self.oldest_us.load(Relaxed))
    }

    /// Whether an answer was given that is older than it may be, because the source is not there.
    pub fn is_stale(&self) -> bool {
        self.oldest_stale().is_some()
    }

    /// How old the oldest of those answers was; none where there was no such answer.
    pub fn oldest_stale(&self) -> Option<Duration> {
        self.oldest_stale_us.load(Relaxed).checked_sub(1).map(Duration::from_micros)
    }

    /// In which state the last call left the source's circuit.
    pub fn circuit(&self) -> Circuit {
        match self.circuit.load(Relaxed) {
            0 => Circuit::Closed,
            1 => Circuit::HalfOpen,
            _ => Circuit::Open,
        }
    }

    pub(super) fn add_remembered(&self, age: Duration, stale: bool) {
        self.remembered.fetch_add(1, Relaxed);
        self.oldest_us.fetch_max(microseconds(age), Relaxed);
        if stale {
            self.oldest_stale_us.fetch_max(microseconds(age).saturating_add(1), Relaxed);
        }
    }

    pub(super) fn note_circuit(&self, circuit: Circuit) {
        self.circuit.store(circuit as u8, Relaxed);
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
