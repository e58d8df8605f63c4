//! Something that is read rarely and used often: remembered for a while, and read by one for all who wait.

use crate::{
    domain::SourceName,
    source::{Call, SourceError},
    upstream::{UpstreamError, UpstreamErrorKind},
};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::{Instant, timeout_at};

/// More scopes than this and all is forgotten; arbitrary, it only keeps a gateway with very many callers from growing.
const MOST_SCOPES: usize = 1_024;

/// A value for each credential scope: what one caller was shown is never shown to another.
pub(in crate::vendors) struct Remembered<T> {
    source: SourceName,
    operation: &'static str,
    scopes: Mutex<HashMap<Arc<str>, Arc<Slot<T>>>>,
}

struct Slot<T> {
    known: Mutex<Known<T>>,
    /// Held by the one who reads; the others queue here and find its result.
    turn: tokio::sync::Mutex<()>,
}

struct Known<T> {
    /// The value and when its reading began: nothing that happened before is missing in it.
    value: Option<(Arc<T>, Instant)>,
    /// Why the last reading failed and when it ended.
    failure: Option<(SourceError, Instant)>,
}

impl<T> Remembered<T> {
    /// `operation` names the reading, for errors.
    pub(in crate::vendors) fn new(source: &SourceName, operation: &'static str) -> Self {
        Remembered { source: source.clone(), operation, scopes: Mutex::default() }
    }

    /// The value if its reading began at `since` or later (none: whenever), else a newly read one. Those who wait for a
    /// reading that began before they came take its failure, too: a hundred of them must not ask a hard-pressed server
    /// one after the other.
    pub(in crate::vendors) async fn value<R, F>(
        &self,
        call: &Call,
        since: Option<Instant>,
        read: R,
    ) -> Result<Arc<T>, SourceError>
    where
        R: FnOnce() -> F,
        F: Future<Output = Result<T, SourceError>>,
    {
        let slot = self.slot(call);
        if let Some(value) = slot.known().fresh(since) {
            return Ok(value);
        }
        let came = Instant::now();
        let turn = timeout_at(call.context.deadline, slot.turn.lock()).await;
        let _turn = turn.map_err(|_| {
            let error = UpstreamError::new(UpstreamErrorKind::Deadline, self.operation);
            SourceError::from_upstream(&self.source, self.operation, error)
        })?;
        if let Some(value) = slot.known().fresh(since) {
            return Ok(value);
        }
        if let Some((error, _)) = slot.known().failure.as_ref().filter(|(_, ended)| *ended >= came) {
            return Err(error.clone());
        }
        // If this future is dropped here, its turn goes to the next one, who reads itself.
        let begun = Instant::now();
        let outcome = read().await.map(Arc::new);
        let mut known = slot.known();
        match &outcome {
            Ok(value) => *known = Known { value: Some((value.clone(), begun)), failure: None },
            // A deadline is the failure of the one who asked, not of the reading.
            Err(error) if error.cause().is_some_and(|cause| cause.kind() == UpstreamErrorKind::Deadline) => {}
            Err(error) => known.failure = Some((error.clone(), Instant::now())),
        }
        outcome
    }

    /// The value if its reading began at `since` or later, without reading.
    pub(in crate::vendors) fn known(&self, call: &Call, since: Option<Instant>) -> Option<Arc<T>> {
        self.slot(call).known().fresh(since)
    }

    /// When the value of this scope began to be read, if there is one.
    pub(in crate::vendors) fn begun(&self, call: &Call) -> Option<Instant> {
        self.slot(call).known().value.as_ref().map(|(_, begun)| *begun)
    }

    fn slot(&self, call: &Call) -> Arc<Slot<T>> {
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        if scopes.len() > MOST_SCOPES {
            scopes.clear();
        }
        if let Some(slot) = scopes.get(&call.context.scope) {
            return slot.clone();
        }
        let known = Mutex::new(Known { value: None, failure: None });
        let slot = Arc::new(Slot { known, turn: tokio::sync::Mutex::default() });
        scopes.insert(call.context.scope.clone(), slot.clone());
        slot
    }
}

impl<T> Slot<T> {
    fn known(&self) -> MutexGuard<'_, Known<T>> {
        // Nothing under this lock can leave it half changed.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Known<T> {
    fn fresh(&self, since: Option<Instant>) -> Option<Arc<T>> {
        self.value
            .as_ref()
            .filter(|(_, begun)| since.is_none_or(|since| *begun >= since))
            .map(|(value, _)| value.clone())
    }
}
