//! What a source itself says of its quota: 429 with `Retry-After` holds back every call of that operation, not only the one
//! that was answered so. A gateway that goes on asking makes vendors angrier.

use super::context::Context;
use super::error::{UpstreamError, UpstreamErrorKind};
use super::policy::Policy;
use crate::telemetry::events;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Operations that are held back. The set of operations is closed, so that this cannot grow.
pub(super) struct Holds {
    by_operation: Mutex<HashMap<&'static str, Hold>>,
    /// Never held longer than this, whatever the source asks: one call then looks whether it still means it.
    longest: Duration,
    /// A shorter rest is waited for.
    patience: Duration,
}

#[derive(Clone, Copy)]
struct Hold {
    /// Nothing is sent before.
    until: Instant,
    /// The time that the source asked for ends.
    asked: Instant,
}

impl Holds {
    /// Holds nothing back where the policy has no breaker: both leave a source in peace, for as long at most.
    pub(super) fn new(policy: &Policy) -> Self {
        let longest = if policy.breaker.failures == 0 { Duration::ZERO } else { policy.breaker.open_for };
        Holds { by_operation: Mutex::default(), longest, patience: policy.retry.longest_wait }
    }

    /// The source wants to be left alone for so long.
    pub(super) fn note(&self, operation: &'static str, wait: Duration) {
        let now = Instant::now();
        let after = |wait| now.checked_add(wait).unwrap_or(now);
        let hold = Hold { until: after(wait.min(self.longest)), asked: after(wait) };
        self.by_operation.lock().unwrap_or_else(PoisonError::into_inner).insert(operation, hold);
    }

    /// Waits for the end of a short hold. Fails at once where it is longer, or ends after the deadline.
    pub(super) async fn pass(&self, cx: &Context, source: &str, operation: &'static str) -> Result<(), UpstreamError> {
        let hold = self.by_operation.lock().unwrap_or_else(PoisonError::into_inner).get(operation).copied();
        let now = Instant::now();
        let Some(hold) = hold.filter(|hold| now < hold.until) else { return Ok(()) };
        if hold.until >= cx.deadline || hold.until - now > self.patience {
            events::quota_refused(source, operation);
            let error = UpstreamError::new(UpstreamErrorKind::RateLimited, operation);
            return Err(error.with_retry_after(hold.asked - now));
        }
        sleep_until(hold.until).await;
        events::quota_waited(source, operation, now.elapsed());
        Ok(())
    }
}
