//! Marks of content, by which a client that has it already is told so (RFC 9110, sections 8.8.3 and 13.1.2).

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

/// The mark of content with this digest, as [`digest`] makes one. A weak one, since the same content may be sent compressed
/// or not.
pub(super) fn mark(digest: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("W/\"{digest}\"")).expect("hexadecimal digits are a header's value")
}

/// 32 hexadecimal digits.
pub(super) fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether `If-None-Match` names the mark, weakly compared: 304 then.
pub(super) fn is_known(asked: &HeaderMap, mark: &HeaderValue) -> bool {
    let opaque = |mark: &[u8]| mark.strip_prefix(b"W/").unwrap_or(mark).to_vec();
    let marks = asked.get_all(header::IF_NONE_MATCH).iter();
    let mut marks = marks.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    marks.any(|known| known == b"*" || opaque(known) == opaque(mark.as_bytes()))
}
