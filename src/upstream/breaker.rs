//! Leaves a source in peace that fails time after time: a state machine over a clock.
//!
//! Closed until so many calls in a row failed; then open: nothing is sent. When that time is over, one call is let through as a
//! probe: if it is answered the circuit closes, if not it is open again. Counted is only what says something about the source:
//! no answer, a cut one, one too late, a failure of its own (5xx). A refusal is an answer.

use super::error::{UpstreamError, UpstreamErrorKind};
use super::policy::Breaker as Policy;
use super::request::UpstreamResponse;
use crate::telemetry::events;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Whether calls go through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Circuit {
    /// They do.
    Closed,
    /// One tries whether the source is back, or the next one will.
    HalfOpen,
    /// They do not.
    Open,
}

impl Circuit {
    /// One word for logs and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Circuit::Closed => "closed",
            Circuit::HalfOpen => "half_open",
            Circuit::Open => "open",
        }
    }
}

/// What a call says about its source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Well,
    Ill,
    /// Nothing: abandoned, or ended by what is ours.
    Nothing,
}

impl Verdict {
    pub(super) fn of_status(status: u16) -> Self {
        if status >= 500 { Verdict::Ill } else { Verdict::Well }
    }

    pub(super) fn of_error(error: &UpstreamError) -> Self {
        match error.kind() {
            // The call that failed has told it; a hundred who waited for it say nothing more.
            _ if error.is_echo() => Verdict::Nothing,
            UpstreamErrorKind::LoginFailed(status) => Self::of_status(status),
            UpstreamErrorKind::Connect
            | UpstreamErrorKind::Tls
            | UpstreamErrorKind::Timeout
            | UpstreamErrorKind::Lost
            | UpstreamErrorKind::Cut => Verdict::Ill,
            UpstreamErrorKind::TooLarge
            | UpstreamErrorKind::Protocol
            | UpstreamErrorKind::CredentialRefused
            | UpstreamErrorKind::SecondFactorPending => Verdict::Well,
            UpstreamErrorKind::Deadline
            | UpstreamErrorKind::RateLimited
            | UpstreamErrorKind::CircuitOpen
            | UpstreamErrorKind::Internal => Verdict::Nothing,
        }
    }

    pub(super) fn of(outcome: &Result<UpstreamResponse, UpstreamError>) -> Self {
        outcome.as_ref().map_or_else(Self::of_error, |answer| Self::of_status(answer.status))
    }
}

/// The states and the ways between them. Pure.
#[derive(Debug)]
struct Machine {
    policy: Policy,
    phase: Phase,
    /// Goes up with every change of phase, so that a call that began before says nothing about what is now.
    era: u64,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Closed { failures: u32 },
    Open { until: Instant },
    Probing,
}

impl Machine {
    fn new(policy: Policy) -> Self {
        Machine { policy, phase: Phase::Closed { failures: 0 }, era: 0 }
    }

    fn circuit(&self, now: Instant) -> Circuit {
        match self.phase {
            Phase::Closed { .. } => Circuit::Closed,
            Phase::Open { until } if now < until => Circuit::Open,
            Phase::Open { .. } | Phase::Probing => Circuit::HalfOpen,
        }
    }

    /// The era that a call belongs to, or how long nothing will be let through; none where a probe is under way.
    fn enter(&mut self, now: Instant) -> Result<u64, Option<Duration>> {
        match self.phase {
            Phase::Closed { .. } => Ok(self.era),
            Phase::Open { until } if now < until => Err(Some(until - now)),
            Phase::Open { .. } => {
                self.change(Phase::Probing);
                Ok(self.era)
            }
            Phase::Probing => Err(None),
        }
    }

    fn settle(&mut self, era: u64, verdict: Verdict, now: Instant) {
        if era != self.era || self.policy.failures == 0 {
            return;
        }
        let open = Phase::Open { until: now.checked_add(self.policy.open_for).unwrap_or(now) };
        match (self.phase, verdict) {
            (Phase::Closed { failures }, Verdict::Ill) if failures + 1 >= self.policy.failures => self.change(open),
            (Phase::Closed { failures }, Verdict::Ill) => self.phase = Phase::Closed { failures: failures + 1 },
            (Phase::Closed { .. }, Verdict::Well) => self.phase = Phase::Closed { failures: 0 },
            (Phase::Probing, Verdict::Well) => self.change(Phase::Closed { failures: 0 }),
            (Phase::Probing, Verdict::Ill) => self.change(open),
            // The probe told nothing: the next call is one.
            (Phase::Probing, Verdict::Nothing) => self.change(Phase::Open { until: now }),
            (Phase::Closed { .. }, Verdict::Nothing) | (Phase::Open { .. }, _) => {}
        }
    }

    fn change(&mut self, phase: Phase) {
        self.phase = phase;
        self.era += 1;
    }
}

/// The breaker of one source.
pub(super) struct Breaker {
    source: Arc<str>,
    machine: Mutex<Machine>,
}

impl Breaker {
    pub(super) fn new(source: Arc<str>, policy: Policy) -> Self {
        Breaker { source, machine: Mutex::new(Machine::new(policy)) }
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        // Nothing under this lock can leave it half changed.
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn circuit(&self) -> Circuit {
        self.machine().circuit(Instant::now())
    }

    /// Lets a call through, or says why not.
    pub(super) fn enter(&self, operation: &'static str) -> Result<Entry<'_>, UpstreamError> {
        let (entered, probes) = {
            let mut machine = self.machine();
            let entered = machine.enter(Instant::now());
            (entered, matches!(machine.phase, Phase::Probing))
        };
        match entered {
            Ok(era) => {
                if probes {
                    events::circuit_changed(&self.source, Circuit::HalfOpen.as_str());
                }
                Ok(Entry { breaker: self, era, verdict: Verdict::Nothing })
            }
            Err(wait) => {
                events::circuit_refused(&self.source, operation);
                let error = UpstreamError::new(UpstreamErrorKind::CircuitOpen, operation);
                Err(wait.map_or(error.clone(), |wait| error.with_retry_after(wait)))
            }
        }
    }

    fn settle(&self, era: u64, verdict: Verdict) {
        let now = Instant::now();
        let (before, after) = {
            let mut machine = self.machine();
            let before = machine.circuit(now);
            machine.settle(era, verdict, now);
            (before, machine.circuit(now))
        };
        if before != after {
            events::circuit_changed(&self.source, after.as_str());
        }
    }
}

/// A call that was let through. One that is dropped without a verdict was abandoned, and says nothing.
pub(super) struct Entry<'a> {
    breaker: &'a Breaker,
    era: u64,
    verdict: Verdict,
}

impl Entry<'_> {
    pub(super) fn leave(mut self, verdict: Verdict) {
        self.verdict = verdict;
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.breaker.settle(self.era, self.verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn machine() -> (Machine, Instant) {
        (Machine::new(Policy { failures: 3, open_for: 10 * SECOND }), Instant::now())
    }

    fn call(machine: &mut Machine, verdict: Verdict, now: Instant) {
        let era = machine.enter(now).unwrap();
        machine.settle(era, verdict, now);
    }

    #[test]
    fn opens_after_failures_in_a_row_only() {
        let (mut machine, now) = machine();
        for verdict in [Verdict::Ill, Verdict::Ill, Verdict::Well, Verdict::Ill, Verdict::Nothing, Verdict::Ill] {
            call(&mut machine, verdict, now);
        }
        assert_eq!(machine.circuit(now), Circuit::Closed);
        call(&mut machine, Verdict::Ill, now);
        assert_eq!(machine.circuit(now), Circuit::Open);
        assert_eq!(machine.enter(now + 3 * SECOND), Err(Some(7 * SECOND)));
    }

    #[test]
    fn one_probe_decides() {
        for (verdict, after) in [(Verdict::Well, Circuit::Closed), (Verdict::Ill, Circuit::Open)] {
            let (mut machine, now) = machine();
            (0..3).for_each(|_| call(&mut machine, Verdict::Ill, now));
            let later = now + 10 * SECOND;
            assert_eq!(machine.circuit(later), Circuit::HalfOpen);
            let probe = machine.enter(later).unwrap();
            assert_eq!(machine.enter(later), Err(None), "one probe at a time");
            machine.settle(probe, verdict, later);
            assert_eq!(machine.circuit(later), after);
        }
    }

    #[test]
    fn an_abandoned_probe_leaves_its_place_to_the_next_call() {
        let (mut machine, now) = machine();
        (0..3).for_each(|_| call(&mut machine, Verdict::Ill, now));
        let later = now + 10 * SECOND;
        call(&mut machine, Verdict::Nothing, later);
        assert_eq!(machine.circuit(later), Circuit::HalfOpen);
        call(&mut machine, Verdict::Well, later);
        assert_eq!(machine.circuit(later), Circuit::Closed);
    }

    #[test]
    fn what_began_before_a_change_does_not_count_after_it() {
        let (mut machine, now) = machine();
        let old = machine.enter(now).unwrap();
        (0..3).for_each(|_| call(&mut machine, Verdict::Ill, now));
        machine.settle(old, Verdict::Well, now);
        assert_eq!(machine.circuit(now), Circuit::Open, "an old answer does not close it");
        let later = now + 10 * SECOND;
        let probe = machine.enter(later).unwrap();
        machine.settle(old, Verdict::Ill, later);
        machine.settle(probe, Verdict::Well, later);
        assert_eq!(machine.circuit(later), Circuit::Closed);
    }

    #[test]
    fn zero_failures_switch_it_off() {
        let mut machine = Machine::new(Policy { failures: 0, open_for: 10 * SECOND });
        let now = Instant::now();
        (0..100).for_each(|_| call(&mut machine, Verdict::Ill, now));
        assert_eq!(machine.circuit(now), Circuit::Closed);
    }

    #[test]
    fn refusals_and_deadlines_are_no_failures() {
        use UpstreamErrorKind as K;
        assert_eq!([401, 403, 404, 429, 499].map(Verdict::of_status), [Verdict::Well; 5]);
        assert_eq!([500, 502, 503, 504].map(Verdict::of_status), [Verdict::Ill; 4]);
        let of = |kind| Verdict::of_error(&UpstreamError::new(kind, "list"));
        assert_eq!([K::Connect, K::Tls, K::Timeout, K::Lost, K::Cut].map(of), [Verdict::Ill; 5]);
        assert_eq!([K::Deadline, K::RateLimited, K::CircuitOpen].map(of), [Verdict::Nothing; 3]);
        assert_eq!(of(K::CredentialRefused), Verdict::Well);
        assert_eq!([429, 500, 503].map(K::LoginFailed).map(of), [Verdict::Well, Verdict::Ill, Verdict::Ill]);
        assert_eq!(Verdict::of_error(&UpstreamError::new(K::Connect, "login").echo()), Verdict::Nothing);
    }
}
