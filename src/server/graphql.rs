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

/// What a client gives its request at most, in milliseconds; only less than the gateway's own limit counts.
const TIMEOUT_HEADER: &str = "x-request-timeout-ms";
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
    let limit = match time_limit(&state, &headers) {
        Ok(limit) => limit,
        Err(problem) => return problem.response_as(media, &id),
    };
    match query::from_parameters(parameters.as_deref().unwrap_or_default()) {
        Ok(request) => execute(&state, &id, media, limit, Request { queries_only: true, ..request }).await,
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
    let limit = match time_limit(&state, &headers) {
        Ok(limit) => limit,
        Err(problem) => return problem.response_as(media, &id),
    };
    match read(&state, &headers, body, limit.deadline).await {
        Ok(request) => execute(&state, &id, media, limit, request).await,
        Err(problem) => problem.response_as(media, &id),
    }
}

async fn read(state: &ServerState, headers: &HeaderMap, body: Body, deadline: Instant) -> Result<Request, Problem> {
    query::check_headers(headers)?;
    let received = body::read(headers, body, deadline, &state.options, &state.bodies).await?;
    query::from_body(&received.bytes)
}

/// How long a request may take.
#[derive(Clone, Copy)]
struct TimeLimit {
    length: Duration,
    deadline: Instant,
}

/// The gateway's limit, or what the client asks for where that is shorter.
fn time_limit(state: &ServerState, headers: &HeaderMap) -> Result<TimeLimit, Problem> {
    let asked = match headers.get(TIMEOUT_HEADER) {
        None => state.request_timeout,
        Some(text) => match text.to_str().ok().and_then(|text| text.trim().parse().ok()) {
            Some(ms @ 1..) => Duration::from_millis(ms),
            _ => {
                let message = "The header X-Request-Timeout-Ms must be a whole number of milliseconds, at least 1.";
                return Err(Problem::bad_request(message));
            }
        },
    };
    let length = asked.min(state.request_timeout);
    Ok(TimeLimit { length, deadline: Instant::now() + length })
}

async fn execute(state: &ServerState, id: &RequestId, media: Media, limit: TimeLimit, request: Request) -> Response {
    let call = call(state, id, limit.deadline);
    let Ok(answer) = timeout_at(limit.deadline + GRACE, state.api.execute(request, &call)).await else {
        let message = format!("The request took longer than {} ms, the most that it may.", limit.length.as_millis());
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
