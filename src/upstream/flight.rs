//! One call for all who ask exactly the same at the same time with the same rights.
//!
//! All of them hold the call together: whichever is polled drives it, so that one who leaves costs the others nothing, and
//! the last one who leaves ends it. Nothing runs that nobody waits for.

use super::cache::Key;
use super::context::{Context, Priority};
use super::error::{UpstreamError, UpstreamErrorKind};
use super::request::UpstreamResponse;
use futures_util::future::{BoxFuture, FutureExt, Shared, WeakShared};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::{Instant, timeout_at};

/// What became of a call.
pub(super) type Outcome = Result<UpstreamResponse, UpstreamError>;

/// What else two calls must have in common beside their request: who goes first, and the last write before them.
pub(super) type FlightKey = (Key, Priority, u64);

type Flight = Shared<BoxFuture<'static, Outcome>>;

/// With a number each, so that one that ends late does not take a newer one off.
type Going = HashMap<FlightKey, (u64, WeakShared<BoxFuture<'static, Outcome>>)>;

/// Calls of one source that are under way. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Flights(Arc<Table>);

#[derive(Default)]
struct Table {
    going: Mutex<Going>,
    numbers: AtomicU64,
}

/// How an answer was got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// By a call made for this request.
    Own,
    /// By one that was made for another.
    Shared,
}

impl Flights {
    /// The answer of the call that is under way for this key, else of a new one that `take_off` makes. Never after the
    /// deadline of `cx`; the deadline of another who asked is not the end for this one.
    pub(super) async fn share<F>(
        &self,
        cx: &Context,
        operation: &'static str,
        key: FlightKey,
        mut take_off: impl FnMut() -> F,
    ) -> (Part, Outcome)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        loop {
            let (part, flight) = self.join(&key, &mut take_off);
            let Ok(outcome) = timeout_at(cx.deadline, flight).await else {
                return (part, Err(UpstreamError::new(UpstreamErrorKind::Deadline, operation)));
            };
            // These two come from the time that the other had left.
            let of_other = |error: &UpstreamError| {
                matches!(error.kind(), UpstreamErrorKind::Deadline | UpstreamErrorKind::RateLimited)
            };
            if part == Part::Shared && outcome.as_ref().is_err_and(of_other) && Instant::now() < cx.deadline {
                continue;
            }
            return (part, outcome);
        }
    }

    fn join<F>(&self, key: &FlightKey, take_off: &mut impl FnMut() -> F) -> (Part, Flight)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut going = self.going();
        // One that has landed is not joined: its answer belongs to those who asked before it came.
        let under_way =
            going.get(key).and_then(|(_, flight)| flight.upgrade()).filter(|flight| flight.peek().is_none());
        if let Some(flight) = under_way {
            return (Part::Shared, flight);
        }
        let number = self.0.numbers.fetch_add(1, Relaxed);
        let landing = Landing { flights: self.clone(), key: key.clone(), number };
        let call = take_off();
        let flight = async move {
            let _landing = landing;
            call.await
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            going.insert(key.clone(), (number, weak));
        }
        (Part::Own, flight)
    }

    fn going(&self) -> MutexGuard<'_, Going> {
        // Nothing under this lock can leave it half changed.
        self.0.going.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.going().len()
    }
}

/// Takes a flight off the table when it ends, however it does.
struct Landing {
    flights: Flights,
    key: FlightKey,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        if let Entry::Occupied(entry) = self.flights.going().entry(self.key.clone())
            && entry.get().0 == self.number
        {
            entry.remove();
        }
    }
}
