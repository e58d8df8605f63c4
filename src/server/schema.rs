//! `/schema.graphql`: the schema as text, sent again only to those who have another one.

use super::etag;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The schema and its mark.
pub(super) struct SchemaText {
    text: Bytes,
    mark: HeaderValue,
}

impl SchemaText {
    pub(super) fn new(text: &str) -> Self {
        let mark = etag::mark(&etag::digest(text.as_bytes()));
        SchemaText { text: Bytes::copy_from_slice(text.as_bytes()), mark }
    }

    pub(super) fn answer(&self, headers: &HeaderMap) -> Response {
        let common = [
            (header::ETAG, self.mark.clone()),
            // May be kept, and has to be asked for again before use.
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ];
        if etag::is_known(headers, &self.mark) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        (common, [(header::CONTENT_TYPE, kind)], self.text.clone()).into_response()
    }
}
