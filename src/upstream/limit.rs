//! How many calls may be in flight at once: places, and the queue before them. Who waits for an answer on a screen goes
//! before a scan.

use super::context::Priority;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The places of one source. Clones are the same.
#[derive(Clone)]
pub(super) struct Places(Arc<Mutex<State>>);

struct State {
    free: usize,
    /// By priority, the highest first.
    queues: [VecDeque<oneshot::Sender<Permit>>; 2],
}

/// A place taken; given on to the next in the queue when dropped.
pub(super) struct Permit(Option<Places>);

impl Places {
    /// At least one.
    pub(super) fn new(count: usize) -> Self {
        Places(Arc::new(Mutex::new(State { free: count.max(1), queues: Default::default() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, as soon as there is one. Dropping the future leaves the queue.
    pub(super) async fn take(&self, priority: Priority) -> Permit {
        let turn = {
            let mut state = self.state();
            if state.free > 0 {
                // A place is free only where nobody waits.
                state.free -= 1;
                return Permit(Some(self.clone()));
            }
            let (sender, turn) = oneshot::channel();
            state.queues[priority as usize].push_back(sender);
            turn
        };
        turn.await.expect("a place in the queue is given a permit or dropped by its own waiter")
    }

    fn give_back(&self) {
        loop {
            let next = {
                let mut state = self.state();
                match state.queues.iter_mut().find_map(VecDeque::pop_front) {
                    Some(next) => next,
                    None => {
                        state.free += 1;
                        return;
                    }
                }
            };
            match next.send(Permit(Some(self.clone()))) {
                Ok(()) => return,
                // Nobody waits there any more. Disarmed, or it would come back through here.
                Err(mut permit) => permit.0 = None,
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(places) = self.0.take() {
            places.give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn who_is_waited_for_goes_before_a_scan_and_else_first_come_first_served() {
        let places = Places::new(1);
        let first = places.take(Priority::Background).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let wait = |name, priority| {
            let (places, order) = (places.clone(), order.clone());
            tokio::spawn(async move {
                let _permit = places.take(priority).await;
                order.lock().unwrap().push(name);
            })
        };
        let mut waiting = Vec::new();
        for (name, priority) in [
            ("scan 1", Priority::Background),
            ("scan 2", Priority::Background),
            ("read 1", Priority::Interactive),
            ("read 2", Priority::Interactive),
        ] {
            waiting.push(wait(name, priority));
            tokio::task::yield_now().await;
        }
        drop(first);
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["read 1", "read 2", "scan 1", "scan 2"]);
    }

    #[tokio::test]
    async fn a_waiter_that_left_costs_no_place() {
        let places = Places::new(1);
        let first = places.take(Priority::Interactive).await;
        let mut left = Box::pin(places.take(Priority::Interactive));
        assert!((&mut left).now_or_never().is_none());
        let mut second = Box::pin(places.take(Priority::Interactive));
        assert!((&mut second).now_or_never().is_none());
        drop(left);
        drop(first);
        let second = second.now_or_never().unwrap();
        drop(second);
        // One who leaves between being given the place and looking gives it on as well.
        let first = places.take(Priority::Interactive).await;
        let mut late = Box::pin(places.take(Priority::Interactive));
        assert!((&mut late).now_or_never().is_none());
        drop(first);
        drop(late);
        assert!(places.take(Priority::Background).now_or_never().is_some());
    }
}
