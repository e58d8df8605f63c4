//! Paths and queries as text: percent-encoding, and lists of ids cut so that a request line stays within a server's limit.
//! Pure.

use std::fmt::Write;
use std::ops::Range;

/// `a=1&b=x%20y`, in the order given; keys repeat when they repeat. Empty for no pairs.
pub fn query<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        encode(&mut text, key.as_ref(), in_query);
        text.push('=');
        encode(&mut text, value.as_ref(), in_query);
    }
    text
}

/// One segment of a path: slashes are encoded too. A segment of only dots cannot be encoded; such a path is refused when
/// sent.
pub fn segment(text: &str) -> String {
    let mut encoded = String::new();
    encode(&mut encoded, text, is_unreserved);
    encoded
}

/// How a vendor wants several ids in a query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdList<'p> {
    /// `id=a,b,c`
    Commas(&'p str),
    /// `id=a&id=b&id=c`
    Repeated(&'p str),
}

impl IdList<'_> {
    /// The ids as a piece of a query, without `&` or `?` before it. Empty for no ids.
    pub fn write<S: AsRef<str>>(self, ids: &[S]) -> String {
        match self {
            IdList::Repeated(parameter) => query(ids.iter().map(|id| (parameter, id))),
            IdList::Commas(_) if ids.is_empty() => String::new(),
            IdList::Commas(parameter) => {
                let mut text = query([(parameter, "")]);
                for (position, id) in ids.iter().enumerate() {
                    if position > 0 {
                        text.push(',');
                    }
                    encode(&mut text, id.as_ref(), is_unreserved);
                }
                text
            }
        }
    }

    /// Bytes that an id adds when it is the first of its list, or a further one.
    fn bytes(self, id: &str, first: bool) -> usize {
        match self {
            IdList::Commas(parameter) if first => {
                encoded_bytes(parameter, in_query) + 1 + encoded_bytes(id, is_unreserved)
            }
            IdList::Commas(_) => 1 + encoded_bytes(id, is_unreserved),
            IdList::Repeated(parameter) => {
                let pair = encoded_bytes(parameter, in_query) + 1 + encoded_bytes(id, in_query);
                if first { pair } else { pair + 1 }
            }
        }
    }
}

/// Cuts `ids` into as few neighbouring ranges as fit: each, written as `list` after a request line that already has
/// `line_bytes` ([`super::Upstream::request_line_bytes`] of everything before it), makes a line of at most `limit_bytes`.
/// Together the ranges are all ids, in order. An id that fits in no line gets one of its own. No ids, no ranges.
pub fn chunk_by_bytes<S: AsRef<str>>(
    line_bytes: usize,
    ids: &[S],
    list: IdList<'_>,
    limit_bytes: usize,
) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let (mut start, mut bytes) = (0, line_bytes);
    for (position, id) in ids.iter().enumerate() {
        let further = list.bytes(id.as_ref(), position == start);
        if position > start && bytes + further > limit_bytes {
            chunks.push(start..position);
            (start, bytes) = (position, line_bytes + list.bytes(id.as_ref(), true));
        } else {
            bytes += further;
        }
    }
    if start < ids.len() {
        chunks.push(start..ids.len());
    }
    chunks
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Comma and colon may stand in a query as they are; encoded, a list or a time is three times as long for nothing.
fn in_query(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b',' | b':')
}

fn encode(out: &mut String, text: &str, stays: impl Fn(u8) -> bool) {
    // Ids, which are nearly all that is encoded.
    if text.bytes().all(&stays) {
        return out.push_str(text);
    }
    for byte in text.bytes() {
        if stays(byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a String takes all text");
        }
    }
}

fn encoded_bytes(text: &str, stays: impl Fn(u8) -> bool) -> usize {
    text.bytes().map(|byte| if stays(byte) { 1 } else { 3 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn uuids(count: u128) -> Vec<String> {
        (0..count).map(|number| Uuid::from_u128(number).to_string()).collect()
    }

    fn line(path: &str) -> usize {
        format!("GET {path} HTTP/1.1").len()
    }

    #[test]
    fn query_encodes_what_would_be_read_otherwise() {
        let pairs = [("search", "a b&c=ü+\"#"), ("ordering", "-created_at,id"), ("from", "2024-01-01T00:00:00Z")];
        let expected = "search=a%20b%26c%3D%C3%BC%2B%22%23&ordering=-created_at,id&from=2024-01-01T00:00:00Z";
        assert_eq!(query(pairs), expected);
        assert_eq!(query([("", ""); 0]), "");
        assert_eq!(segment("a/b?c,d"), "a%2Fb%3Fc%2Cd");
    }

    #[test]
    fn query_is_read_back_by_a_form_decoder() {
        let value = "100% \u{1F600} 'x' \\ \t é;:@/";
        let text = query([("search", value)]);
        let back: Vec<_> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        assert_eq!(back, [("search".to_owned(), value.to_owned())]);
    }

    /// As a server was seen to count: with `?limit=1&id=`, 137 ids pass a limit of 5,120 bytes and 138 do not.
    #[test]
    fn ids_with_commas_fill_a_line_as_observed() {
        let chunks = chunk_by_bytes(line("/api/incidents/?limit=1&"), &uuids(300), IdList::Commas("id"), 5_120);
        assert_eq!(chunks, [0..137, 137..274, 274..300]);
    }

    #[test]
    fn repeated_ids_need_more_room() {
        let before = line("/api/timeline-entries/?limit=5000&ordering=timestamp,id&");
        let chunks = chunk_by_bytes(before, &uuids(200), IdList::Repeated("incident"), 5_120);
        assert_eq!(chunks, [0..109, 109..200]);
    }

    #[test]
    fn nothing_makes_no_chunk_and_a_giant_one_of_its_own() {
        assert!(chunk_by_bytes(10, &uuids(0), IdList::Commas("id"), 100).is_empty());
        let ids = ["a", &"x".repeat(500), "b"];
        assert_eq!(chunk_by_bytes(10, &ids, IdList::Commas("id"), 100), [0..1, 1..2, 2..3]);
    }

    proptest! {
        #[test]
        fn chunks_keep_all_in_order_fit_and_are_as_few_as_possible(
            ids in proptest::collection::vec("[a-zü, /]{0,20}", 0..60),
            repeated in any::<bool>(),
            before in 0usize..80,
            limit in 60usize..300,
        ) {
            let list = if repeated { IdList::Repeated("incident") } else { IdList::Commas("id") };
            let chunks = chunk_by_bytes(before, &ids, list, limit);
            let covered: Vec<usize> = chunks.iter().cloned().flatten().collect();
            prop_assert_eq!(covered, (0..ids.len()).collect::<Vec<_>>());
            for chunk in &chunks {
                let bytes = before + list.write(&ids[chunk.clone()]).len();
                prop_assert!(chunk.len() == 1 || bytes <= limit);
                if chunk.end < ids.len() {
                    prop_assert!(before + list.write(&ids[chunk.start..=chunk.end]).len() > limit);
                }
            }
        }
    }
}
