//! What one connection is doing, and until when it may go on with it. Written by whoever sees its bytes and requests, read
//! by its own task and by the accept loop.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The state of one connection.
pub(crate) struct Place {
    head_timeout: Duration,
    idle_timeout: Duration,
    state: Mutex<State>,
    leave: Notify,
}

struct State {
    phase: Phase,
    /// When the phase began, or went on: a client that takes its answer slowly is not idle.
    since: Instant,
    /// Since when the client takes nothing of what is there for it.
    blocked: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Nothing was received yet.
    New,
    /// A part of a head was received.
    Head,
    /// A request is being answered; it has time limits of its own.
    Busy,
    /// Everything that was asked is answered.
    Idle,
}

impl Place {
    /// Of a connection that was taken now.
    pub(crate) fn new(head_timeout: Duration, idle_timeout: Duration) -> Self {
        let state = State { phase: Phase::New, since: Instant::now(), blocked: None };
        Place { head_timeout, idle_timeout, state: Mutex::new(state), leave: Notify::new() }
    }

    /// Bytes came.
    pub(super) fn received(&self) {
        let mut state = self.state();
        match state.phase {
            // Its time counts from the connection's beginning.
            Phase::New => state.phase = Phase::Head,
            Phase::Idle => state.enter(Phase::Head),
            Phase::Head | Phase::Busy => {}
        }
    }

    /// A request's head is complete.
    pub(super) fn asked(&self) {
        self.state().enter(Phase::Busy);
    }

    /// All of an answer is on its way.
    pub(super) fn answered(&self) {
        self.state().enter(Phase::Idle);
    }

    /// The client took bytes.
    pub(super) fn wrote(&self) {
        let mut state = self.state();
        state.blocked = None;
        if state.phase == Phase::Idle {
            state.since = Instant::now();
        }
    }

    /// There are bytes, and the client takes none.
    pub(super) fn blocked(&self) {
        self.state().blocked.get_or_insert_with(Instant::now);
    }

    /// When the connection has to end unless something happens before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let state = self.state();
        let phase = match state.phase {
            Phase::New | Phase::Head => Some(state.since + self.head_timeout),
            Phase::Idle => Some(state.since + self.idle_timeout),
            Phase::Busy => None,
        };
        let blocked = state.blocked.map(|since| since + self.idle_timeout);
        phase.into_iter().chain(blocked).min()
    }

    /// Whether a part of a head was received and the rest was not.
    pub(super) fn has_partial_head(&self) -> bool {
        self.state().phase == Phase::Head
    }

    /// Since when the client has the gateway wait; None while a request is being answered.
    pub(crate) fn waiting_since(&self) -> Option<Instant> {
        let state = self.state();
        state.blocked.or((state.phase != Phase::Busy).then_some(state.since))
    }

    /// Ends the connection, as others need its place.
    pub(crate) fn clear(&self) {
        self.leave.notify_one();
    }

    /// Ready when the connection has to end.
    pub(super) async fn cleared(&self) {
        self.leave.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is done under the lock that could leave it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }
}
