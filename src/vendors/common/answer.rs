//! What answers mean at every vendor, and how what is odd in them is told to the log.

use crate::{
    domain::SourceName,
    source::{Call, SourceError},
    telemetry::events,
    upstream::UpstreamError,
};
use std::{error::Error, fmt};

/// The status of a login that failed for a reason of the server's: it means what it would mean for any other call.
#[derive(Debug)]
pub(in crate::vendors) struct AnsweredWith(pub(in crate::vendors) u16);

impl fmt::Display for AnsweredWith {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the login was answered with {}", self.0)
    }
}

impl Error for AnsweredWith {}

/// What it means that nothing came back.
pub(in crate::vendors) fn no_answer(source: &SourceName, operation: &'static str, error: UpstreamError) -> SourceError {
    match error.source().and_then(|cause| cause.downcast_ref()) {
        Some(AnsweredWith(status)) => SourceError::from_status(source, operation, *status, None),
        None => SourceError::from_upstream(source, operation, error),
    }
}

/// What the log needs to know of a call.
pub(in crate::vendors) fn told<'a>(
    source: &'a SourceName,
    operation: &'static str,
    call: &'a Call,
) -> events::Call<'a> {
    events::Call { source: source.as_str(), operation, request_id: &call.context.request_id }
}
