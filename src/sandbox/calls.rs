//! The list of calls that a sandbox received. Tests count them; so the count is cheap and the memory is bounded.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// More calls than this are not remembered one by one, only counted. Arbitrary; some 20 MB at most.
const REMEMBERED_MAX: usize = 100_000;

/// One received call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: String,
    /// As received, without the query.
    pub path: String,
    /// As received, without the `?`; empty when there was none.
    pub query: String,
    /// Status of the answer; 0 while (or when) none was given.
    pub status: u16,
}

#[derive(Debug, Default)]
pub(super) struct Calls {
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    kept: VecDeque<Call>,
    /// Number (since the start of the sandbox) of the first kept call.
    first: u64,
    /// Number of the first call since the last reset.
    since: u64,
}

impl Calls {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call and gives its number, to be handed back to [`Calls::answered`].
    pub(super) fn arrived(&self, method: &str, path: &str, query: &str) -> u64 {
        let mut log = self.log();
        if log.kept.len() == REMEMBERED_MAX {
            log.kept.pop_front();
            log.first += 1;
        }
        let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
        log.kept.push_back(Call { method, path, query, status: 0 });
        log.first + log.kept.len() as u64 - 1
    }

    /// Completes the call of that number, unless it was forgotten meanwhile.
    pub(super) fn answered(&self, number: u64, status: u16) {
        let mut log = self.log();
        let position = number.checked_sub(log.first).map(|position| position as usize);
        if let Some(call) = position.and_then(|position| log.kept.get_mut(position)) {
            call.status = status;
        }
    }

    /// The remembered calls, in order of arrival.
    pub(super) fn list(&self) -> Vec<Call> {
        self.log().kept.iter().cloned().collect()
    }

    /// How many arrived since the last reset, forgotten ones included.
    pub(super) fn count(&self) -> u64 {
        let log = self.log();
        log.first + log.kept.len() as u64 - log.since
    }

    /// Forgets all calls. Calls still under way stay forgotten.
    pub(super) fn reset(&self) {
        let mut log = self.log();
        log.first += log.kept.len() as u64;
        log.since = log.first;
        log.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_calls_are_forgotten_but_counted() {
        let calls = Calls::default();
        for index in 0..REMEMBERED_MAX + 5 {
            let number = calls.arrived("GET", "/a", &index.to_string());
            calls.answered(number, 200);
        }
        assert_eq!(calls.count(), REMEMBERED_MAX as u64 + 5);
        let list = calls.list();
        assert_eq!((list.len(), list[0].query.as_str(), list[0].status), (REMEMBERED_MAX, "5", 200));
    }

    #[test]
    fn an_answer_after_a_reset_is_not_given_to_another_call() {
        let calls = Calls::default();
        let old = calls.arrived("GET", "/old", "");
        calls.reset();
        calls.arrived("GET", "/new", "");
        calls.answered(old, 500);
        assert_eq!((calls.count(), calls.list()[0].status), (1, 0));
    }
}
