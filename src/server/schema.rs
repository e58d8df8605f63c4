//! `/schema.graphql`: the schema as text, sent again only to those who have another one.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// The schema and its mark.
pub(super) struct SchemaText {
    text: Bytes,
    mark: HeaderValue,
}

impl SchemaText {
    pub(super) fn new(text: &str) -> Self {
        let digest = Sha256::digest(text);
        let digits: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        // Weak, as it is the same for the compressed text.
        let mark = HeaderValue::from_str(&format!("W/\"{digits}\"")).expect("hexadecimal digits are a header's value");
        SchemaText { text: Bytes::copy_from_slice(text.as_bytes()), mark }
    }

    pub(super) fn answer(&self, headers: &HeaderMap) -> Response {
        let common = [
            (header::ETAG, self.mark.clone()),
            // May be kept, and has to be asked for again before use.
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        if self.is_known(headers) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        (common, [(header::CONTENT_TYPE, kind)], self.text.clone()).into_response()
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        let own = self.mark.to_str().unwrap_or_default().trim_start_matches("W/");
        let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        known
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .any(|mark| mark == "*" || mark.trim_start_matches("W/") == own)
    }
}
