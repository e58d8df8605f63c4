//! The accept loop: takes connections, never more than there are places for, and ends them when the gateway stops.

use super::connection::{self, Place};
use super::{Readiness, ServerOptions};
use crate::telemetry::life;
use axum::Router;
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// A connection that rests for less than this is not cleared away: its next request may be on the way.
const MIN_REST: Duration = Duration::from_millis(100);
/// How many connections are cleared away at one time at most.
const MOST_CLEARED: usize = 32;
/// How often a newcomer looks for a place while every connection is at work.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// After an accept that failed, as for lack of file handles: trying again at once would only heat the machine.
const PAUSE: Duration = Duration::from_millis(250);
/// How often such a failure is logged.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// How serving ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// Every request was answered.
    Finished,
    /// Some requests were not answered within the time for stopping.
    Overrun,
}

/// Serves until `stop` is ready; then takes no more connections, tells so at `/health/ready`, ends connections that rest, and
/// gives requests in flight [`ServerOptions::stop_timeout`] to finish. Those that are left then are dropped.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    readiness: Readiness,
    stop: impl Future<Output = ()>,
    options: &ServerOptions,
) -> Stopped {
    let stopping = CancellationToken::new();
    let mut crowd =
        Crowd { router, options, stopping: stopping.clone(), tasks: JoinSet::new(), places: HashMap::new() };
    tokio::select! {
        () = stop => {}
        never = crowd.take_in(&listener) => match never {},
    }
    readiness.drain();
    drop(listener);
    stopping.cancel();
    let ended = async { while crowd.tasks.join_next().await.is_some() {} };
    match timeout(options.stop_timeout, ended).await {
        Ok(()) => Stopped::Finished,
        Err(_) => Stopped::Overrun,
    }
}

/// All connections there are.
struct Crowd<'a> {
    router: Router,
    options: &'a ServerOptions,
    stopping: CancellationToken,
    /// Ends them all when it is dropped.
    tasks: JoinSet<()>,
    places: HashMap<Id, Arc<Place>>,
}

impl Crowd<'_> {
    async fn take_in(&mut self, listener: &TcpListener) -> Infallible {
        let mut told: Option<Instant> = None;
        loop {
            match self.next(listener).await {
                Ok(stream) => {
                    self.make_room().await;
                    self.serve(stream);
                }
                Err(error) if of_one_connection(&error) => {}
                Err(error) => {
                    if told.is_none_or(|told| told.elapsed() >= TELL_AGAIN) {
                        life::accept_failed(&error);
                        told = Some(Instant::now());
                    }
                    self.clear_some();
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// The next connection; meanwhile forgets those that ended.
    async fn next(&mut self, listener: &TcpListener) -> io::Result<TcpStream> {
        loop {
            tokio::select! {
                taken = listener.accept() => return taken.map(|(stream, _)| stream),
                Some(ended) = self.tasks.join_next_with_id() => self.forget(ended),
            }
        }
    }

    /// Waits until there is a place. Those that rest are cleared for it, longest first; where all are at work, the newcomer,
    /// and behind it those in the system's queue, wait.
    async fn make_room(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.forget(ended);
        }
        while self.tasks.len() >= self.options.max_connections {
            self.clear_some();
            if let Ok(Some(ended)) = timeout(LOOK_AGAIN, self.tasks.join_next_with_id()).await {
                self.forget(ended);
            }
        }
    }

    fn serve(&mut self, stream: TcpStream) {
        // The end of an answer must not wait until the client has acknowledged what came before. Fails only for a
        // connection that is gone already, which then shows at its first byte.
        let _ = stream.set_nodelay(true);
        let place = Arc::new(Place::new(self.options.head_timeout, self.options.idle_timeout));
        let work = connection::serve(stream, self.router.clone(), place.clone(), self.stopping.clone());
        let task = self.tasks.spawn(work);
        self.places.insert(task.id(), place);
    }

    /// Ends the connections that have had the gateway wait for longest: several, where there are many, since each newcomer
    /// would otherwise wait for the end of one.
    fn clear_some(&self) {
        let rests_since = |place: &Arc<Place>| place.waiting_since().filter(|since| since.elapsed() >= MIN_REST);
        let mut resting: Vec<_> = self.places.values().filter_map(|place| Some((rests_since(place)?, place))).collect();
        resting.sort_unstable_by_key(|&(since, _)| since);
        for (_, place) in resting.iter().take((resting.len() / 8).clamp(1, MOST_CLEARED)) {
            place.clear();
        }
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            // A panic outside a request; the hook has told it.
            Err(error) => error.id(),
        };
        self.places.remove(&id);
    }
}

/// Whether a failed accept says something of that one connection only.
fn of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
