//! Whether a failed attempt is repeated, and when: pure, with the random number and the time as arguments.
//!
//! Only what another attempt may mend and what costs a hard-pressed source little is repeated: no connection, one that
//! broke, and the statuses by which a server says that it is busy. A timeout is not: it has used up the time of the one who
//! waits, and the source is slow already.

use super::error::{UpstreamError, UpstreamErrorKind};
use super::policy::Retry;
use super::request::UpstreamResponse;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;

/// What an attempt ended with, if another may do better; the time that the source asks for, if it does.
pub(super) fn worth_repeating(outcome: &Result<UpstreamResponse, UpstreamError>) -> Option<Option<Duration>> {
    match outcome {
        Ok(answer) => is_passing(answer.status).then(|| answer.retry_after()),
        Err(error) => match error.kind() {
            UpstreamErrorKind::Connect | UpstreamErrorKind::Lost | UpstreamErrorKind::Cut => Some(None),
            UpstreamErrorKind::LoginFailed(status) => is_passing(status).then(|| error.retry_after()),
            UpstreamErrorKind::Tls
            | UpstreamErrorKind::Timeout
            | UpstreamErrorKind::Deadline
            | UpstreamErrorKind::TooLarge
            | UpstreamErrorKind::Protocol
            | UpstreamErrorKind::CredentialRefused
            | UpstreamErrorKind::SecondFactorPending
            | UpstreamErrorKind::RateLimited
            | UpstreamErrorKind::CircuitOpen
            | UpstreamErrorKind::Internal => None,
        },
    }
}

/// Statuses by which a server says that it is busy.
fn is_passing(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// How long to wait before repetition number `repeat` (from 0); none where it is not worth the wait.
///
/// Exponential with full jitter: anything between nothing and the exponential step, so that callers who failed together do
/// not come back together. What the source asks for is kept in full, with that jitter on top. `random` is in `0.0..1.0`.
pub(super) fn pause(
    policy: &Retry,
    repeat: u32,
    asked: Option<Duration>,
    random: f64,
    now: Instant,
    deadline: Instant,
) -> Option<Duration> {
    if repeat >= policy.repeats || asked.is_some_and(|asked| asked > policy.longest_wait) {
        return None;
    }
    let step = policy.first_wait.saturating_mul(1_u32.checked_shl(repeat).unwrap_or(u32::MAX));
    let jitter = step.min(policy.longest_wait).mul_f64(random.clamp(0.0, 1.0));
    let wait = asked.unwrap_or_default() + jitter;
    now.checked_add(wait).is_some_and(|then| then < deadline).then_some(wait)
}

/// How many repetitions a source may still cost: a share of its calls and a few more, so that one that fails always is not
/// asked three times as often as one that is well.
pub(super) struct Budget {
    /// In hundredths of a repetition.
    left: AtomicU64,
    percent: u64,
}

impl Budget {
    /// As many repetitions are there at the start, and at most.
    const FULL: u64 = 10 * Self::ONE;
    const ONE: u64 = 100;

    pub(super) fn new(policy: &Retry) -> Self {
        Budget { left: AtomicU64::new(Self::FULL), percent: u64::from(policy.budget_percent) }
    }

    /// A first attempt was made.
    pub(super) fn earn(&self) {
        let more = |left: u64| Some((left + self.percent).min(Self::FULL));
        let _ = self.left.fetch_update(Relaxed, Relaxed, more);
    }

    /// Whether one more repetition may be made; it is then paid.
    pub(super) fn spend(&self) -> bool {
        self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(Self::ONE)).is_ok()
    }
}

/// Random numbers in `0.0..1.0`. An argument, so that tests are not a matter of luck.
pub(super) type Jitter = Box<dyn Fn() -> f64 + Send + Sync>;

/// Numbers that differ from process to process; nobody gains anything by guessing them.
pub(super) fn system_jitter() -> Jitter {
    let (state, drawn) = (RandomState::new(), AtomicU64::new(0));
    Box::new(move || {
        let bits = state.hash_one(drawn.fetch_add(1, Relaxed));
        // 53 bits are what a double holds.
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Retry = Retry {
        repeats: 2,
        first_wait: Duration::from_millis(100),
        longest_wait: Duration::from_secs(2),
        budget_percent: 10,
    };
    const MS: Duration = Duration::from_millis(1);

    fn wait(repeat: u32, asked: Option<Duration>, random: f64) -> Option<Duration> {
        let now = Instant::now();
        pause(&POLICY, repeat, asked, random, now, now + Duration::from_secs(10))
    }

    #[test]
    fn the_wait_doubles_and_is_spread_from_nothing_to_all_of_it() {
        assert_eq!([0.0, 0.5, 1.0].map(|random| wait(0, None, random)), [0, 50, 100].map(|ms| Some(ms * MS)));
        assert_eq!([0.0, 0.5, 1.0].map(|random| wait(1, None, random)), [0, 100, 200].map(|ms| Some(ms * MS)));
        assert_eq!(wait(2, None, 0.0), None, "two repetitions at most");
    }

    #[test]
    fn no_wait_is_longer_than_the_longest() {
        let patient = Retry { repeats: u32::MAX, ..POLICY };
        let now = Instant::now();
        for repeat in [5, 31, 32, 1_000] {
            let wait = pause(&patient, repeat, None, 1.0, now, now + Duration::from_secs(10));
            assert_eq!(wait, Some(Duration::from_secs(2)), "{repeat}");
        }
    }

    #[test]
    fn what_the_source_asks_for_is_kept_or_not_waited_for_at_all() {
        assert_eq!(wait(0, Some(2_000 * MS), 0.5), Some(2_050 * MS));
        assert_eq!(wait(0, Some(2_001 * MS), 0.5), None);
    }

    #[test]
    fn nothing_is_waited_for_that_ends_after_the_deadline() {
        let now = Instant::now();
        let wait = |left: u32| pause(&POLICY, 0, Some(1_000 * MS), 0.5, now, now + left * MS);
        assert_eq!((wait(1_051), wait(1_050)), (Some(1_050 * MS), None));
    }

    #[test]
    fn a_budget_is_a_few_and_then_a_share_of_the_calls() {
        let budget = Budget::new(&POLICY);
        assert_eq!((0..20).filter(|_| budget.spend()).count(), 10);
        (0..9).for_each(|_| budget.earn());
        assert!(!budget.spend(), "nine calls earn nine tenths");
        budget.earn();
        assert!(budget.spend() && !budget.spend());
        (0..1_000_000).for_each(|_| budget.earn());
        assert_eq!((0..20).filter(|_| budget.spend()).count(), 10, "what is not used is not heaped up");
    }

    #[test]
    fn only_what_may_pass_is_repeated() {
        let answered = |status| {
            let headers = reqwest::header::HeaderMap::new();
            worth_repeating(&Ok(UpstreamResponse { status, headers, body: bytes::Bytes::new(), received: None }))
                .is_some()
        };
        let repeated: Vec<u16> = (200..600).filter(|status| answered(*status)).collect();
        assert_eq!(repeated, [429, 502, 503, 504]);
        use UpstreamErrorKind as K;
        for (kind, repeated) in [
            (K::Connect, true),
            (K::Lost, true),
            (K::Cut, true),
            (K::Tls, false),
            (K::Timeout, false),
            (K::Deadline, false),
            (K::TooLarge, false),
            (K::Protocol, false),
            (K::CredentialRefused, false),
            (K::CircuitOpen, false),
            (K::RateLimited, false),
            (K::LoginFailed(429), true),
            (K::LoginFailed(500), false),
            (K::LoginFailed(503), true),
        ] {
            assert_eq!(worth_repeating(&Err(UpstreamError::new(kind, "list"))).is_some(), repeated, "{kind:?}");
        }
    }

    #[test]
    fn jitter_is_spread_over_its_range() {
        let jitter = system_jitter();
        let drawn: Vec<f64> = (0..1_000).map(|_| jitter()).collect();
        assert!(drawn.iter().all(|number| (0.0..1.0).contains(number)));
        for tenth in 0..10 {
            assert!(drawn.iter().any(|number| (number * 10.0) as usize == tenth), "{tenth}");
        }
    }
}
