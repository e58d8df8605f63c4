//! `/graphql` and `/schema.graphql`.

use super::accept::choose;
use super::answer::{Media, Problem, json_response};
use super::identify::RequestId;
use super::{ServerState, query};
use crate::domain::Caller;
use crate::graphql::Request;
use crate::source::Call;
use crate::upstream::Context;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Longest body, in bytes.
const MAX_BODY: usize = 1024 * 1024;
/// The sources stop at the deadline; this long after it their reports have become an answer.
const GRACE: Duration = Duration::from_secs(1);

/// Who asks, and until when; made at the door.
pub(super) fn call(state: &ServerState, id: &RequestId, deadline: Instant) -> Call {
    let caller = Caller::local();
    let context = Context::new(deadline, id.as_str(), caller.scope.as_str());
    Call { caller: Arc::new(caller), context, now: (state.clock)() }
}

/// A query in the parameters.
pub(super) async fn by_get(
    State(state): State<ServerState>,
    Extension(id): Extension<RequestId>,
    RawQuery(parameters): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(media) = choose(&headers) else { return not_acceptable(&id) };
    let deadline = Instant::now() + state.request_timeout;
    match query::from_parameters(parameters.as_deref().unwrap_or_default()) {
        Ok(request) => execute(&state, &id, media, deadline, Request { queries_only: true, ..request }).await,
        Err(problem) => problem.response_as(media, &id),
    }
}

/// A request in the body.
pub(super) async fn by_post(
    State(state): State<ServerState>,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some(media) = choose(&headers) else { return not_acceptable(&id) };
    let deadline = Instant::now() + state.request_timeout;
    let request = match read(&headers, body, deadline).await {
        Ok(body) => query::from_body(&headers, &body),
        Err(problem) => Err(problem),
    };
    match request {
        Ok(request) => execute(&state, &id, media, deadline, request).await,
        Err(problem) => problem.response_as(media, &id),
    }
}

async fn read(headers: &HeaderMap, body: Body, deadline: Instant) -> Result<Bytes, Problem> {
    let too_large = || {
        let message = format!("The body is longer than {MAX_BODY} bytes.");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_BODY) {
        return Err(too_large());
    }
    match timeout_at(deadline, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if error.source().is_some_and(|cause| cause.is::<LengthLimitError>()) => Err(too_large()),
        Ok(Err(_)) => Err(Problem::bad_request("The body ended before it was complete.")),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.")),
    }
}

async fn execute(state: &ServerState, id: &RequestId, media: Media, deadline: Instant, request: Request) -> Response {
    let call = call(state, id, deadline);
    let Ok(answer) = timeout_at(deadline + GRACE, state.api.execute(request, &call)).await else {
        let limit = state.request_timeout.as_millis();
        let message = format!("The request took longer than {limit} ms, the most that this gateway allows.");
        return Problem::new(StatusCode::GATEWAY_TIMEOUT, message).response_as(media, id);
    };
    if answer.not_a_query {
        let mut response = json_response(StatusCode::METHOD_NOT_ALLOWED, media, answer.body);
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let status = match media {
        Media::GraphQl if !answer.executed => StatusCode::BAD_REQUEST,
        Media::GraphQl | Media::Json => StatusCode::OK,
    };
    json_response(status, media, answer.body)
}

fn not_acceptable(id: &RequestId) -> Response {
    let message = "The header Accept allows neither application/json nor application/graphql-response+json.";
    Problem::new(StatusCode::NOT_ACCEPTABLE, message).response(id)
}

/// The schema as text.
pub(super) async fn schema(State(state): State<ServerState>) -> Response {
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], state.api.sdl().to_owned()).into_response()
}
