//! What answers mean at every vendor, and how what is odd in them is told to the log.

use crate::{
    domain::SourceName,
    source::{Call, Download, SourceError},
    telemetry::events,
    upstream::{
        UpstreamStream,
        header::{CONTENT_LENGTH, HeaderValue},
    },
};
use futures_util::stream::StreamExt;

/// What the log needs to know of a call.
pub(in crate::vendors) fn told<'a>(
    source: &'a SourceName,
    operation: &'static str,
    call: &'a Call,
) -> events::Call<'a> {
    events::Call { source: source.as_str(), operation, request_id: &call.context.request_id }
}

/// A file on its way, as the source sends it.
pub(in crate::vendors) fn handed_on(
    source: &SourceName,
    operation: &'static str,
    stream: UpstreamStream,
    media_type: String,
    file_name: Option<String>,
) -> Download {
    let length = stream.headers.get(CONTENT_LENGTH).and_then(|value: &HeaderValue| value.to_str().ok()?.parse().ok());
    let source = source.clone();
    let piece = move |piece: Result<_, _>| piece.map_err(|error| SourceError::from_upstream(&source, operation, error));
    Download { media_type, file_name, length, body: stream.into_body().map(piece).boxed() }
}
