//! Events of the gateway itself: its life, and the requests at its door.

use super::names::{DURATION_MS, ERROR_CAUSE, ERROR_KIND, HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS, REQUEST_ID};
use super::names::{ERRORS, REQUEST_TIME, REQUESTS};
use std::fmt::Display;
use std::time::Duration;

/// The gateway takes requests at an address.
pub fn listening(address: &str) {
    tracing::info!("listening on {address}");
}

/// A connection could not be taken, as for lack of file handles; the gateway goes on. Told seldom, as it happens often.
pub fn accept_failed(cause: &std::io::Error) {
    tracing::warn!(
        { ERROR_CAUSE } = cause.to_string().as_str(),
        "connections cannot be taken at present: {cause}; those that rest are ended to make room"
    );
}

/// The gateway was told to stop.
pub fn stopping() {
    tracing::info!("stopping: no new connections; requests in flight are answered first");
}

/// The gateway stopped; `complete`: every request was answered.
pub fn stopped(complete: bool) {
    if complete {
        tracing::info!("stopped");
    } else {
        tracing::warn!("stopped before all requests were answered");
    }
}

/// Something about the configuration or the way of starting works, but should not stay so.
pub fn warned(what: impl Display) {
    tracing::warn!("{what}");
}

/// A request to the gateway has its answer's head. `route` is the route and not the path.
pub fn request_answered(request_id: &str, method: &str, route: &str, status: u16, duration: Duration) {
    REQUESTS.add(&[route, &status.to_string()]);
    REQUEST_TIME.observe(&[route], duration);
    tracing::debug!(
        { REQUEST_ID } = request_id,
        { HTTP_METHOD } = method,
        { HTTP_ROUTE } = route,
        { HTTP_STATUS } = status,
        { DURATION_MS } = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        "answered {method} {route} with {status}"
    );
}

/// A request ended by a panic, whose text and place stand on standard error.
pub fn request_panicked(request_id: &str) {
    tracing::error!(
        { REQUEST_ID } = request_id,
        { ERROR_KIND } = "panic",
        "a request ended by a panic: a fault in the gateway"
    );
}

/// A client was told an error with this code. In the log is what caused it.
pub fn error_told(code: &str) {
    ERRORS.add(&[code]);
}
