//! The layer around all routes: an id for each request, a task of its own, one log line.

use super::answer::Problem;
use super::{Random, ServerState};
use crate::telemetry::life;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of one request: 24 hexadecimal digits, made here. One from outside is not taken, as it stands in log lines.
#[derive(Clone, Debug)]
pub(super) struct RequestId(Arc<str>);

impl RequestId {
    fn new(random: &Random) -> Self {
        let mut bytes = [0; 12];
        random(&mut bytes);
        RequestId(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) async fn identify(State(state): State<ServerState>, mut request: Request, next: Next) -> Response {
    let id = RequestId::new(&state.random);
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let route = route(request.uri().path());
    let began = Instant::now();
    // Ends with the connection: nobody would read the answer.
    let answered = AbortOnDropHandle::new(tokio::spawn(next.run(request))).await;
    let mut response = answered.unwrap_or_else(|_| {
        life::request_panicked(id.as_str());
        let message = "The gateway failed. Its log has the details under this request's id.";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, message).response(&id)
    });
    let headers = response.headers_mut();
    headers.insert(HEADER, HeaderValue::from_str(id.as_str()).expect("hexadecimal digits are a header's value"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    life::request_answered(id.as_str(), method.as_str(), route, response.status().as_u16(), began.elapsed());
    response
}

/// What is logged instead of the path, which may hold a download's token or anything else.
fn route(path: &str) -> &'static str {
    let routes = ["/", "/graphql", "/schema.graphql", "/health/live", "/health/ready"];
    match routes.into_iter().find(|route| *route == path) {
        Some(route) => route,
        None if path.starts_with("/download/") => "/download/{token}",
        None => "none",
    }
}
