//! Inbound HTTP: every route on one screen. Knows HTTP and one caller, nothing of what is asked; answers come from
//! [`crate::graphql::Api`].
//!
//! Around all routes lies one layer, `identify`: it gives the request its id, runs it in a task of its own so that a panic
//! ends nothing else, and writes the log line.

mod accept;
mod answer;
mod download;
mod graphql;
mod health;
mod identify;
mod query;
mod root;

pub use health::Readiness;

use crate::{domain::Time, graphql::Api};
use answer::Problem;
use axum::Router;
use axum::extract::Extension;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use identify::RequestId;
use std::future::{Future, IntoFuture};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;
/// Fills bytes with random ones that nobody can guess.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What the routes need.
#[derive(Clone)]
pub struct ServerState {
    /// Answers GraphQL requests and downloads.
    pub api: Arc<Api>,
    /// Asked once for each request.
    pub clock: Clock,
    /// Makes request ids.
    pub random: Random,
    /// Longest time for one request, body included; downloads have longer.
    pub request_timeout: Duration,
    /// What `/health/ready` answers.
    pub readiness: Readiness,
}

/// Every route. Methods that a route does not have are answered with 405 and `Allow`; HEAD is answered like GET.
pub fn router(state: ServerState) -> Router {
    Router::new()
        .route("/", get(root::page))
        .route("/graphql", get(graphql::by_get).post(graphql::by_post))
        .route("/schema.graphql", get(graphql::schema))
        .route("/download/{token}", get(download::by_token))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(state.clone(), identify::identify))
        .with_state(state)
}

async fn not_found(Extension(id): Extension<RequestId>) -> Response {
    Problem::new(StatusCode::NOT_FOUND, "There is nothing at this path. See / for what there is.").response(&id)
}

async fn wrong_method(Extension(id): Extension<RequestId>) -> Response {
    let message = "This path does not take this method; the header Allow names those it takes.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, message).response(&id)
}

/// How serving ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// Every request was answered.
    Finished,
    /// Some requests were not answered within the grace.
    Overrun,
}

/// Serves until `stop` is ready; then takes no more connections, tells so at `/health/ready`, and gives requests in flight
/// `grace` to finish.
///
/// Fails when the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    readiness: Readiness,
    stop: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> std::io::Result<Stopped> {
    let (stopping, stopped) = oneshot::channel();
    let draining = async move {
        stop.await;
        readiness.drain();
        // Nobody listens any more if serving failed before; then there is nothing to tell.
        let _ = stopping.send(());
    };
    // The end of an answer must not wait until the client has acknowledged what came before.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    let serving = axum::serve(listener, router).with_graceful_shutdown(draining).into_future();
    let overrun = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(grace).await,
            // Serving ended by itself, and the other branch tells how.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        served = serving => served.map(|()| Stopped::Finished),
        () = overrun => Ok(Stopped::Overrun),
    }
}

#[cfg(test)]
mod tests;
