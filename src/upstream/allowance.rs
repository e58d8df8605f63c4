//! When the next attempt may begin: everything that was said of how often a source may be asked, by itself (`hold`) and in its
//! documents (`rate`).
//!
//! A login is a request like any other to a vendor that counts, so it is counted too. It takes the place of the call on whose
//! behalf it is made: that one has waited for its place already, holds a permit, and is not sent before the login has ended. It
//! then takes another one. So a login queues behind nobody, calls and logins together never are more than the quota, and even
//! a quota of one call a minute leads to a token first and to an answer a minute later.
//!
//! Nobody waits here for anything but time, so that waiting with a permit in hand cannot end in a circle. That is why a place
//! which is not used within a minute is given to another, at the risk of one call too many: whoever has it may be waiting for a
//! permit, and whoever has that for a place. No request lives so long unless it is configured to.

use super::context::Context;
use super::error::UpstreamError;
use super::hold::Holds;
use super::policy::Policy;
use super::rate::Quota;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The allowance of one source.
pub(super) struct Allowance {
    source: Arc<str>,
    holds: Holds,
    quotas: Vec<Quota>,
}

/// In which quotas a request was counted, by their place in the list, and when.
#[derive(Default)]
pub(super) struct Counted(Vec<(usize, Instant)>);

impl Allowance {
    pub(super) fn new(source: Arc<str>, policy: &Policy) -> Self {
        let quotas = policy.rates.iter().cloned().map(Quota::new).collect();
        Allowance { source, holds: Holds::new(policy), quotas }
    }

    /// Waits until a request may begin, and counts it. Fails at once when that will not be before the deadline.
    pub(super) async fn pass(
        &self,
        cx: &Context,
        operation: &'static str,
        counted: Counted,
    ) -> Result<Counted, UpstreamError> {
        let queued = Instant::now();
        let passed = match self.holds.pass(cx, &self.source, operation).await {
            Ok(()) => self.count(cx, operation, counted).await,
            Err(error) => Err(error),
        };
        cx.tally.add_waited(queued.elapsed());
        passed
    }

    /// Every quota of the operation that has not counted it yet.
    async fn count(
        &self,
        cx: &Context,
        operation: &'static str,
        mut counted: Counted,
    ) -> Result<Counted, UpstreamError> {
        for (place, quota) in self.quotas.iter().enumerate().filter(|(_, quota)| quota.counts(operation)) {
            if counted.0.iter().all(|(done, _)| *done != place) {
                counted.0.push((place, quota.pass(cx, &self.source, operation).await?));
            }
        }
        Ok(counted)
    }

    /// Takes what a login needs out of what its call was counted in.
    pub(super) fn lend(&self, call: &mut Counted, login: &str) -> Counted {
        Counted(call.0.extract_if(.., |(place, _)| self.quotas[*place].counts(login)).collect())
    }

    /// The request goes out now: from now on it counts, not from when it had its place and began to wait for a permit or a
    /// token.
    pub(super) fn sent(&self, counted: &Counted) {
        let now = Instant::now();
        counted.0.iter().for_each(|(place, then)| self.quotas[*place].sent(*then, now));
    }

    /// The source wants to be left alone for so long.
    pub(super) fn note(&self, operation: &'static str, wait: Duration) {
        self.holds.note(operation, wait);
    }
}
