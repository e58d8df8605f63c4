//! Answers in JSON, and problems that are told before GraphQL sees a request.

use super::identify::RequestId;
use crate::{domain::Vocabulary, graphql::ErrorCode};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::borrow::Cow;

/// A media type of GraphQL answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Media {
    /// `application/json`: 200 for every well-formed request.
    Json,
    /// `application/graphql-response+json`: the status tells whether the request was refused.
    GraphQl,
}

impl Media {
    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Media::Json => "application/json; charset=utf-8",
            Media::GraphQl => "application/graphql-response+json; charset=utf-8",
        })
    }
}

/// A JSON text as an answer. Incidents are not for caches on the way.
pub(super) fn json_response(status: StatusCode, media: Media, body: impl Into<Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media.header()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // The same request is answered differently.
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    (status, headers, body.into()).into_response()
}

/// Why a request is not answered; told as a GraphQL error, whatever was asked.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) message: Cow<'static, str>,
    code: ErrorCode,
    closes: bool,
}

impl Problem {
    /// The code follows from the status.
    pub(super) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => ErrorCode::NotFound,
            StatusCode::GATEWAY_TIMEOUT => ErrorCode::CostLimit,
            status if status.is_client_error() => ErrorCode::BadUserInput,
            _ => ErrorCode::Internal,
        };
        Problem { status, message: message.into(), code, closes: false }
    }

    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn with_code(self, code: ErrorCode) -> Self {
        Problem { code, ..self }
    }

    /// The connection ends with the answer, since the rest of the request is not read.
    pub(super) fn closing(self) -> Self {
        Problem { closes: true, ..self }
    }

    pub(super) fn response(&self, id: &RequestId) -> Response {
        self.response_as(Media::Json, id)
    }

    pub(super) fn response_as(&self, media: Media, id: &RequestId) -> Response {
        let extensions = json!({ "code": self.code.name(), "requestId": id.as_str() });
        let body = json!({ "errors": [{ "message": self.message, "extensions": extensions }] });
        let mut response = json_response(self.status, media, body.to_string());
        if self.closes {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
