//! `/metrics`: what was counted, for Prometheus.

use crate::telemetry::metrics;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

pub(super) async fn text() -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(metrics::MEDIA_TYPE))], metrics::text()).into_response()
}
