//! Answers in gzip, for clients that ask for it. Bodies are compressed in one piece, so that their length stays known and HEAD
//! tells it as well; streams pass as they are.

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write};

/// Shorter bodies fit into a packet anyway.
const MIN_LENGTH: u64 = 1024;
/// Longer bodies are compressed where they hold up nobody else.
const LONG: usize = 128 * 1024;
/// Measured in docs/PERFORMANCE.md: the next ones cost more time than they save bytes.
const LEVEL: u32 = 4;

/// Compresses an answer that is worth it.
pub(super) async fn compress(request: Request, next: Next) -> Response {
    let wanted = wants_gzip(request.headers());
    let mut response = next.run(request).await;
    if !is_worth_it(&response) {
        return response;
    }
    let known = response.headers().get_all(header::VARY).iter().any(|vary| vary == "accept-encoding");
    if !known {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if wanted { compressed(response).await } else { response }
}

fn is_worth_it(response: &Response) -> bool {
    let headers = response.headers();
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_text = kind.starts_with("text/") || kind.ends_with("json") || kind.ends_with("javascript");
    // Streams have no exact length; what is compressed already has its header.
    let long = response.body().size_hint().exact().is_some_and(|length| length >= MIN_LENGTH);
    is_text && long && !headers.contains_key(header::CONTENT_ENCODING)
}

async fn compressed(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(plain) = to_bytes(body, usize::MAX).await else {
        // Not of bodies with a known length.
        return Response::from_parts(head, Body::empty());
    };
    let gzipped = match plain.len() {
        0..LONG => gzip(&plain).ok(),
        _ => {
            let plain = plain.clone();
            tokio::task::spawn_blocking(move || gzip(&plain).ok()).await.ok().flatten()
        }
    };
    let Some(gzipped) = gzipped else { return Response::from_parts(head, Body::from(plain)) };
    head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(gzipped))
}

/// Fails never: it writes into memory.
fn gzip(plain: &Bytes) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::new(LEVEL));
    encoder.write_all(plain)?;
    encoder.finish()
}

/// Whether the client takes gzip, and would not rather have the body as it is (RFC 9110, section 12.5.3).
pub(super) fn wants_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut any, mut identity) = (None, None, None);
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for member in values.flat_map(|value| value.split(',')) {
        let mut parts = member.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default();
        let weight = parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().unwrap_or(0.0))
        });
        let weight = Some(weight.unwrap_or(1.0));
        match coding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = weight,
            "identity" => identity = weight,
            "*" => any = weight,
            _ => {}
        }
    }
    let gzip = gzip.or(any).unwrap_or(0.0);
    gzip > 0.0 && gzip >= identity.unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_those_who_ask_for_it() {
        assert!(!wants_gzip(&HeaderMap::new()));
        for (given, wanted) in [
            ("gzip", true),
            ("GZip", true),
            ("x-gzip", true),
            ("gzip, deflate, br, zstd", true),
            ("br;q=1, gzip;q=0.5", true),
            ("*", true),
            ("gzip;q=0.001", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0, *", false),
            ("*;q=0", false),
            ("br", false),
            ("identity", false),
            ("identity, gzip;q=0.5", false),
            ("identity;q=0.5, gzip", true),
            ("", false),
            ("gzip;q=x", false),
            ("gzip;q=NaN", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(given))]);
            assert_eq!(wants_gzip(&headers), wanted, "{given}");
        }
    }
}
