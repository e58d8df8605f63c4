//! How many calls may begin within a minute, where a vendor says so: a window that slides, and the queue before it.
//!
//! Counts what was sent in the last minute and not tokens that fill up: a full bucket and its refill together would be twice
//! the quota in the first minute, and a vendor that counts would refuse the second half.

use super::context::{Context, Priority};
use super::error::{UpstreamError, UpstreamErrorKind};
use super::policy::Rate;
use crate::telemetry::events;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// A minute, and what two calls may differ in their time on the way.
const WINDOW: Duration = Duration::from_millis(60_500);

/// How long a scan that finds somebody more urgent waiting lets him go first.
const AFTER_YOU: Duration = Duration::from_millis(5);

/// When calls began, and when the next ones may. Pure.
#[derive(Debug)]
struct Window {
    most: usize,
    begun: VecDeque<Instant>,
}

impl Window {
    fn new(per_minute: u32) -> Self {
        Window { most: per_minute.max(1) as usize, begun: VecDeque::new() }
    }

    /// When a call may begin before which `ahead` others will.
    fn free_at(&self, ahead: usize, now: Instant) -> Instant {
        let spare = self.most - self.begun.len().min(self.most);
        match ahead.checked_sub(spare) {
            None => now,
            // Each that is full again makes room for one; beyond all of them, the first of those ahead does.
            Some(nth) => {
                let rounds = u32::try_from(nth / self.most).unwrap_or(u32::MAX);
                let freed = self.begun.get(nth % self.most).copied().unwrap_or(now) + WINDOW;
                freed.max(now) + WINDOW.saturating_mul(rounds)
            }
        }
    }

    fn begin(&mut self, now: Instant) -> Instant {
        while self.begun.len() >= self.most {
            self.begun.pop_front();
        }
        self.begun.push_back(now);
        now
    }

    /// What was counted then is sent only now.
    fn sent(&mut self, then: Instant, now: Instant) {
        if then < now
            && let Some(place) = self.begun.iter().position(|begun| *begun == then)
        {
            self.begun.remove(place);
            self.begun.push_back(now);
        }
    }
}

/// One quota of one source.
pub(super) struct Quota {
    rate: Rate,
    state: Mutex<State>,
    /// Held by the first in each queue.
    turns: [tokio::sync::Mutex<()>; 2],
}

struct State {
    window: Window,
    /// By priority.
    waiting: [usize; 2],
}

impl Quota {
    pub(super) fn new(rate: Rate) -> Self {
        let state = Mutex::new(State { window: Window::new(rate.per_minute), waiting: [0; 2] });
        Quota { rate, state, turns: Default::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an operation belongs to it.
    pub(super) fn counts(&self, operation: &str) -> bool {
        self.rate.operations.is_none_or(|operations| operations.contains(&operation))
    }

    /// A call that was counted then is sent only now.
    pub(super) fn sent(&self, then: Instant, now: Instant) {
        self.state().window.sent(then, now);
    }

    /// Waits until a call may begin and counts it; gives when. Fails at once when that will not be before the deadline.
    pub(super) async fn pass(
        &self,
        cx: &Context,
        source: &str,
        operation: &'static str,
    ) -> Result<Instant, UpstreamError> {
        let refused = |at: Instant| {
            events::quota_refused(source, operation);
            let wait = at.saturating_duration_since(Instant::now());
            UpstreamError::new(UpstreamErrorKind::RateLimited, operation).with_retry_after(wait)
        };
        let _waiting = {
            let (mut state, now) = (self.state(), Instant::now());
            let ahead: usize = state.waiting[..=cx.priority as usize].iter().sum();
            let at = state.window.free_at(ahead, now);
            if ahead == 0 && at <= now {
                return Ok(state.window.begin(now));
            }
            if at >= cx.deadline {
                return Err(refused(at));
            }
            state.waiting[cx.priority as usize] += 1;
            Waiting { quota: self, priority: cx.priority }
        };
        let begun = Instant::now();
        let passed = timeout_at(cx.deadline, self.turn(cx.priority)).await;
        events::quota_waited(source, operation, begun.elapsed());
        passed.map_err(|_| {
            let at = self.state().window.free_at(0, Instant::now());
            refused(at)
        })
    }

    async fn turn(&self, priority: Priority) -> Instant {
        let _first = self.turns[priority as usize].lock().await;
        loop {
            let at = {
                let (mut state, now) = (self.state(), Instant::now());
                let at = state.window.free_at(0, now);
                let yields = priority == Priority::Background && state.waiting[Priority::Interactive as usize] > 0;
                match (at <= now, yields) {
                    (true, false) => return state.window.begin(now),
                    (true, true) => now + AFTER_YOU,
                    (false, _) => at,
                }
            };
            sleep_until(at).await;
        }
    }
}

/// A place in the queue; left when dropped.
struct Waiting<'a> {
    quota: &'a Quota,
    priority: Priority,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.quota.state().waiting[self.priority as usize] -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_the_quota_begin_within_any_minute() {
        let (mut window, start) = (Window::new(3), Instant::now());
        let mut begun = Vec::new();
        let mut now = start;
        for _ in 0..12 {
            now = window.free_at(0, now);
            window.begin(now);
            begun.push(now);
        }
        for calls in begun.windows(4) {
            assert!(calls[3] - calls[0] > Duration::from_secs(60), "{calls:?}");
        }
        assert_eq!(begun[11] - start, 3 * WINDOW, "and not fewer either");
    }

    #[test]
    fn what_is_sent_later_than_it_was_counted_counts_from_then() {
        let (mut window, start) = (Window::new(2), Instant::now());
        let second = Duration::from_secs(1);
        let waiting = window.begin(start);
        window.begin(start + second);
        window.sent(waiting, start + 20 * second);
        assert_eq!(window.free_at(0, start + 30 * second), start + second + WINDOW);
        window.begin(start + second + WINDOW);
        assert_eq!(window.free_at(0, start + 62 * second), start + 20 * second + WINDOW);
        window.sent(start, start + 70 * second);
        assert_eq!(window.begun.len(), 2, "what is not there any more is not counted again");
    }

    #[test]
    fn who_has_others_ahead_knows_how_long_it_takes() {
        let (mut window, now) = (Window::new(2), Instant::now());
        assert_eq!([0, 1].map(|ahead| window.free_at(ahead, now)), [now; 2]);
        window.begin(now);
        let later = now + Duration::from_secs(20);
        window.begin(later);
        let at = |ahead| window.free_at(ahead, later);
        assert_eq!([at(0), at(1)], [now + WINDOW, later + WINDOW]);
        assert_eq!([at(2), at(3)], [now + 2 * WINDOW, later + 2 * WINDOW]);
    }
}
