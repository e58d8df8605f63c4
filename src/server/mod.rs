//! Inbound HTTP: every route on one screen. Knows HTTP and one caller, nothing of what is asked; answers come from
//! [`crate::graphql::Api`]. docs/HTTP.md says the same from outside.
//!
//! A connection is taken by `serve` and watched by `connection`. Around all routes lie three layers: `identify` gives the
//! request its id, runs it in a task of its own so that a panic ends nothing else, and writes the log line; `host` refuses
//! foreign names; `compress` makes long answers short.

mod accept;
mod answer;
mod body;
mod compress;
mod connection;
mod download;
mod etag;
mod graphiql;
mod graphql;
mod health;
mod host;
mod identify;
mod metrics;
mod options;
mod query;
mod root;
mod schema;
mod serve;

pub use body::BodyRoom;
pub use health::Readiness;
pub use options::ServerOptions;
pub use serve::{Stopped, serve};

use crate::{domain::Time, graphql::Api};
use answer::Problem;
use axum::Router;
use axum::extract::Extension;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use identify::RequestId;
use schema::SchemaText;
use std::sync::Arc;
use std::time::Duration;

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
    /// Limits of bodies, and the hosts that requests may name.
    pub options: Arc<ServerOptions>,
    /// What long bodies may take together.
    pub bodies: BodyRoom,
    /// Whether others than this machine can reach the gateway, which asks nobody who they are; to be shown to whoever opens
    /// it.
    pub unauthenticated_beyond_loopback: bool,
}

/// Every route. Methods that a route does not have are answered with 405 and `Allow`; HEAD is answered like GET.
pub fn router(state: ServerState) -> Router {
    let schema = Arc::new(SchemaText::new(state.api.sdl()));
    let schema = move |headers: HeaderMap| async move { schema.answer(&headers) };
    Router::new()
        .route("/", get(root::page))
        .route("/graphiql", get(graphiql::page))
        .route("/graphiql/assets/{name}", get(graphiql::asset))
        .route("/graphql", get(graphql::by_get).post(graphql::by_post))
        .route("/schema.graphql", get(schema))
        .route("/download/{token}", get(download::by_token))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::text))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        // The last is the outermost.
        .layer(from_fn(compress::compress))
        .layer(from_fn_with_state(state.clone(), host::check))
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

#[cfg(test)]
mod tests;
