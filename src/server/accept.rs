//! Which media type an answer has: RFC 9110, section 12.5.1, between two types.

use super::answer::Media;
use axum::http::{HeaderMap, header};

/// What the client would rather have; JSON where it does not care. None if it takes neither.
pub(super) fn choose(headers: &HeaderMap) -> Option<Media> {
    let given = || headers.get_all(header::ACCEPT).iter();
    // An empty one says as little as none.
    if given().all(|value| value.is_empty()) {
        return Some(Media::Json);
    }
    let members = given().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let ranges: Vec<Range<'_>> = members.filter_map(Range::read).collect();
    let (json, graphql) = (quality(&ranges, "json"), quality(&ranges, "graphql-response+json"));
    match (json > 0, graphql > 0) {
        (false, false) => None,
        (true, _) if json > graphql => Some(Media::Json),
        // Named by the client, it is what it would rather have; a wildcard names nothing.
        (true, true) if json == graphql && !named(&ranges, "graphql-response+json") => Some(Media::Json),
        (true, true) if json == graphql && first(&ranges) == Some("json") => Some(Media::Json),
        (true, false) => Some(Media::Json),
        (_, true) => Some(Media::GraphQl),
    }
}

/// One member of `Accept`.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// In thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    /// None for what is not a media range.
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let mut quality = 1_000;
        for parameter in parts {
            match parameter.split_once('=') {
                Some((name, value)) if name.trim().eq_ignore_ascii_case("q") => {
                    let value: f32 = value.trim().parse().ok()?;
                    quality = (value.clamp(0.0, 1.0) * 1_000.0) as u16;
                }
                // Another character set than UTF-8 cannot be given.
                Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                    let value = value.trim().trim_matches('"');
                    if !value.eq_ignore_ascii_case("utf-8") && value != "*" {
                        return None;
                    }
                }
                _ => {}
            }
        }
        Some(Range { kind, subtype, quality })
    }

    /// How exactly it names the type: 3 by name, 2 by its first half, 1 as anything.
    fn precision(&self, subtype: &str) -> Option<u8> {
        match (self.kind, self.subtype) {
            ("*", "*") => Some(1),
            (kind, "*") if kind.eq_ignore_ascii_case("application") => Some(2),
            (kind, own) if kind.eq_ignore_ascii_case("application") && own.eq_ignore_ascii_case(subtype) => Some(3),
            _ => None,
        }
    }
}

/// Of the most precise range.
fn quality(ranges: &[Range<'_>], subtype: &str) -> u16 {
    let precise = ranges.iter().filter_map(|range| Some((range.precision(subtype)?, range.quality)));
    precise.max_by_key(|&(precision, _)| precision).map_or(0, |(_, quality)| quality)
}

fn named(ranges: &[Range<'_>], subtype: &str) -> bool {
    ranges.iter().any(|range| range.precision(subtype) == Some(3))
}

/// Which of the two types comes first by name.
fn first<'a>(ranges: &[Range<'a>]) -> Option<&'a str> {
    let ours = |subtype: &str| ["json", "graphql-response+json"].iter().any(|own| own.eq_ignore_ascii_case(subtype));
    ranges.iter().map(|range| range.subtype).find(|subtype| ours(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn chosen(accept: &'static str) -> Option<Media> {
        choose(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
    }

    #[test]
    fn who_does_not_care_gets_json() {
        assert_eq!(choose(&HeaderMap::new()), Some(Media::Json));
        assert_eq!(chosen(""), Some(Media::Json));
    }

    #[test]
    fn chooses_what_the_client_would_rather_have() {
        let (json, graphql) = (Some(Media::Json), Some(Media::GraphQl));
        for (accept, media) in [
            ("*/*", json),
            ("application/*", json),
            ("application/json", json),
            ("application/graphql-response+json", graphql),
            ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", graphql),
            ("application/graphql-response+json, application/json;q=0.9", graphql),
            ("application/json, application/graphql-response+json;q=0.9", json),
            ("application/json, application/graphql-response+json", json),
            ("application/graphql-response+json, */*", graphql),
            ("application/json;q=0, */*", graphql),
            ("text/html, */*;q=0.1", json),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/json; charset=iso-8859-1", None),
            ("nonsense", None),
        ] {
            assert_eq!(chosen(accept), media, "{accept}");
        }
    }
}
