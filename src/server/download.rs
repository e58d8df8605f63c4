//! `/download/{token}`: a file that a source makes, passed on as it comes.

use super::ServerState;
use super::answer::Problem;
use super::graphql::call;
use super::identify::RequestId;
use crate::graphql::ErrorCode;
use crate::source::Download;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use tokio::time::Instant;

/// Longest time for a download. Long, since the source works and the client reads meanwhile; a silent source ends it
/// sooner, by its own limits.
const TIMEOUT: Duration = Duration::from_secs(600);

pub(super) async fn by_token(
    State(state): State<ServerState>,
    Extension(id): Extension<RequestId>,
    Path(token): Path<String>,
) -> Response {
    let call = call(&state, &id, Instant::now() + TIMEOUT);
    match state.api.download(&token, &call).await {
        Ok(download) => respond(download),
        Err(refused) => Problem::new(status(refused.code), refused.message).with_code(refused.code).response(&id),
    }
}

fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::SourceForbidden => StatusCode::FORBIDDEN,
        ErrorCode::BadUserInput | ErrorCode::CursorInvalid | ErrorCode::CostLimit => StatusCode::BAD_REQUEST,
        ErrorCode::Conflict => StatusCode::CONFLICT,
        ErrorCode::RateLimited | ErrorCode::SourceRateLimited | ErrorCode::CircuitOpen => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ErrorCode::UnsupportedBySource => StatusCode::NOT_IMPLEMENTED,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::SourceTimeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::SourceUnavailable
        | ErrorCode::SourceAuthFailed
        | ErrorCode::SourceRejected
        | ErrorCode::SourceMalformed => StatusCode::BAD_GATEWAY,
    }
}

fn respond(download: Download) -> Response {
    let fallback = HeaderValue::from_static("application/octet-stream");
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(&download.media_type).unwrap_or(fallback));
    headers.insert(header::CONTENT_DISPOSITION, disposition(download.file_name.as_deref()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A page or a drawing in it must not act in the gateway's name, however it is opened.
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    if let Some(length) = download.length {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    (headers, Body::from_stream(download.body)).into_response()
}

/// Longest file name, in characters.
const MAX_NAME: usize = 150;

/// `attachment` with the name in two forms (RFC 6266): a plain one, and one with all its letters.
fn disposition(name: Option<&str>) -> HeaderValue {
    let name = safe_name(name.unwrap_or_default());
    let plain: String = name.chars().map(|c| if c.is_ascii() && c != '%' { c } else { '_' }).collect();
    let mut value = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        value.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => value.push(char::from(byte)),
                _ => value.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// Without folders, without what has a meaning in a header or a file system, not hidden.
fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    // Marks of direction make "exe.pdf" of "fdp.exe".
    let bad = |c: char| {
        c.is_control()
            || "\"*:<>?|;".contains(c)
            || ('\u{200e}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
    };
    let clean: String = last.chars().map(|c| if bad(c) { '_' } else { c }).take(MAX_NAME).collect();
    let clean = clean.trim().trim_start_matches('.').trim_end_matches('.').to_owned();
    if clean.is_empty() { "download".to_owned() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_safe_and_keeps_its_letters() {
        for (name, value) in [
            (Some("incidents.csv"), "attachment; filename=\"incidents.csv\""),
            (Some("../../etc/passwd"), "attachment; filename=\"passwd\""),
            (Some("C:\\x\\report 1.pdf"), "attachment; filename=\"report 1.pdf\""),
            (Some("a\"; filename=\"evil.exe"), "attachment; filename=\"a__ filename=_evil.exe\""),
            (Some("a\r\nSet-Cookie: x"), "attachment; filename=\"a__Set-Cookie_ x\""),
            (Some("B\u{e4}r.pdf"), "attachment; filename=\"B_r.pdf\"; filename*=UTF-8''B%C3%A4r.pdf"),
            (Some("a\u{202e}fdp.exe"), "attachment; filename=\"a_fdp.exe\""),
            (Some(".."), "attachment; filename=\"download\""),
            (Some(".htaccess"), "attachment; filename=\"htaccess\""),
            (None, "attachment; filename=\"download\""),
        ] {
            assert_eq!(disposition(name), value, "{name:?}");
        }
    }
}
