//! What answers mean at every vendor, and how what is odd in them is told to the log.

use crate::{
    domain::SourceName,
    source::{Call, SourceError},
    telemetry::events,
    upstream::UpstreamError,
};

/// What it means that nothing came back.
pub(in crate::vendors) fn no_answer(source: &SourceName, operation: &'static str, error: UpstreamError) -> SourceError {
    SourceError::from_upstream(source, operation, error)
}

/// What the log needs to know of a call.
pub(in crate::vendors) fn told<'a>(
    source: &'a SourceName,
    operation: &'static str,
    call: &'a Call,
) -> events::Call<'a> {
    events::Call { source: source.as_str(), operation, request_id: &call.context.request_id }
}
