//! `/graphql`.

use super::accept::choose;
use super::answer::{Media, Problem, json_response};
use super::identify::RequestId;
use super::{ServerState, body, query};
use crate::domain::Caller;
use crate::graphql::Request;
use crate::source::Call;
use crate::upstream::Context;
use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

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
    match read(&state, &headers, body, deadline).await {
        Ok(request) => execute(&state, &id, media, deadline, request).await,
        Err(problem) => problem.response_as(media, &id),
    }
}

async fn read(state: &ServerState, headers: &HeaderMap, body: Body, deadline: Instant) -> Result<Request, Problem> {
    query::check_headers(headers)?;
    let received = body::read(headers, body, deadline, &state.options, &state.bodies).await?;
    query::from_body(&received.bytes)
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
