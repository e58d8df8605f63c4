//! Whether the process lives, and whether it takes requests. The sources do not count: a gateway with one of them down is
//! worth asking; `incident-gateway doctor` and `source { health }` tell how they are.

use super::ServerState;
use super::answer::{Media, json_response};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the gateway takes requests. Clones are the same.
#[derive(Clone, Default, Debug)]
pub struct Readiness {
    draining: Arc<AtomicBool>,
}

impl Readiness {
    /// From now on it takes no more.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}

pub(super) async fn live() -> Response {
    json_response(StatusCode::OK, Media::Json, r#"{"status":"live"}"#)
}

pub(super) async fn ready(State(state): State<ServerState>) -> Response {
    if state.readiness.draining.load(Ordering::Relaxed) {
        return json_response(StatusCode::SERVICE_UNAVAILABLE, Media::Json, r#"{"status":"draining"}"#);
    }
    json_response(StatusCode::OK, Media::Json, r#"{"status":"ready"}"#)
}
