//! The layer around all routes: an id for each request, a task of its own, one log line.

use super::answer::Problem;
use super::{Random, ServerState};
use crate::telemetry::life;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken from a client, in characters.
const MAX_LENGTH: usize = 64;

/// The id of one request, in its answer and in all log lines about it.
#[derive(Clone, Debug)]
pub(super) struct RequestId(Arc<str>);

impl RequestId {
    /// The client's own, if it can do no harm in a log line and there is one; otherwise 24 random hexadecimal digits.
    fn of(headers: &HeaderMap, random: &Random) -> Self {
        let mut given = headers.get_all(HEADER).iter();
        if let (Some(given), None) = (given.next(), given.next())
            && let Some(given) = given.to_str().ok().filter(|given| is_harmless(given))
        {
            return RequestId(given.into());
        }
        let mut bytes = [0; 12];
        random(&mut bytes);
        RequestId(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_harmless(id: &str) -> bool {
    (1..=MAX_LENGTH).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

pub(super) async fn identify(State(state): State<ServerState>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers(), &state.random);
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
    headers.insert(HEADER, HeaderValue::from_str(id.as_str()).expect("letters, digits and -_. are a header's value"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    life::request_answered(id.as_str(), method.as_str(), route, response.status().as_u16(), began.elapsed());
    response
}

/// What is logged instead of the path, which may hold a download's token or anything else.
fn route(path: &str) -> &'static str {
    let routes = ["/", "/graphiql", "/graphql", "/schema.graphql", "/health/live", "/health/ready", "/metrics"];
    match routes.into_iter().find(|route| *route == path) {
        Some(route) => route,
        None if path.starts_with("/graphiql/assets/") => "/graphiql/assets/{name}",
        None if path.starts_with("/download/") => "/download/{token}",
        None => "none",
    }
}
