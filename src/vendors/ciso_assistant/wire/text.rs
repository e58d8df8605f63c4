//! The small values that rows are made of. Each is read straight into what the domain keeps, with one copy at most.

use crate::domain::{NativeId, Text, Time};
use chrono::{DateTime, NaiveDate};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// An id as the server writes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::vendors::ciso_assistant) struct Id(pub(in crate::vendors::ciso_assistant) NativeId);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct IdVisitor;
        impl Visitor<'_> for IdVisitor {
            type Value = Id;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an id")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Id, E> {
                if text.is_empty() { Err(E::custom("an empty id")) } else { Ok(Id(NativeId::new(text))) }
            }
        }
        from.deserialize_str(IdVisitor)
    }
}

/// A moment in RFC 3339, with or without a fraction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vendors::ciso_assistant) struct Moment(pub(in crate::vendors::ciso_assistant) Time);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct MomentVisitor;
        impl Visitor<'_> for MomentVisitor {
            type Value = Moment;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a moment in RFC 3339")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Moment, E> {
                let time = utc(text.as_bytes()).or_else(|| Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc()));
                time.map(Moment).ok_or_else(|| E::custom("not a moment in RFC 3339"))
            }
        }
        from.deserialize_str(MomentVisitor)
    }
}

/// `2026-11-20T07:38:00.295712Z`, the one form that the server was seen to write: read several times as fast as by a
/// parser for all forms. None for any other form.
fn utc(text: &[u8]) -> Option<Time> {
    let (head, tail) = text.split_at_checked(19)?;
    let number = |from: usize, to: usize| digits(&head[from..to]);
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if !marks.iter().all(|(place, mark)| head[*place] == *mark) {
        return None;
    }
    let fraction = match tail {
        b"Z" => 0,
        [b'.', micros @ .., b'Z'] if micros.len() == 6 => digits(micros)?,
        _ => return None,
    };
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)?;
    let time = date.and_hms_micro_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?, fraction)?;
    Some(time.and_utc())
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0u32, |sum, byte| Some(sum * 10 + u32::from(byte.is_ascii_digit().then(|| byte - b'0')?)))
}

/// A number, a truth value or a text, kept as text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::vendors::ciso_assistant) struct Scalar(pub(in crate::vendors::ciso_assistant) Text);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl Visitor<'_> for ScalarVisitor {
            type Value = Scalar;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a text or a number")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.into()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string().into()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string().into()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string().into()))
            }
        }
        from.deserialize_any(ScalarVisitor)
    }
}

/// One `{"id", "str"}`; `{}` where the record is hidden from the caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::vendors::ciso_assistant) enum Reference {
    To(NativeId, Option<Text>),
    Hidden,
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct ReferenceVisitor;
        impl<'de> Visitor<'de> for ReferenceVisitor {
            type Value = Reference;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object with id and str, or an id")
            }

            // Some members hold bare ids (`assets[].incidents`).
            fn visit_str<E: Error>(self, text: &str) -> Result<Reference, E> {
                if text.is_empty() {
                    Err(E::custom("an empty id"))
                } else {
                    Ok(Reference::To(NativeId::new(text), None))
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reference, A::Error> {
                let (mut id, mut name) = (None, None);
                let mut empty = true;
                while let Some(key) = map.next_key::<Member>()? {
                    empty = false;
                    match key {
                        Member::Id => id = Some(map.next_value::<Id>()?),
                        Member::Name => name = map.next_value::<Option<Text>>()?,
                        Member::Other => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                match id {
                    Some(Id(id)) => Ok(Reference::To(id, name)),
                    None if empty => Ok(Reference::Hidden),
                    None => Err(A::Error::missing_field("id")),
                }
            }
        }
        from.deserialize_any(ReferenceVisitor)
    }
}

/// Members of a [`Reference`]; an identifier of its own, since serde's derived one would allow no bare id.
enum Member {
    Id,
    Name,
    Other,
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct MemberVisitor;
        impl Visitor<'_> for MemberVisitor {
            type Value = Member;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a member's name")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Member, E> {
                Ok(match text {
                    "id" => Member::Id,
                    "str" => Member::Name,
                    _ => Member::Other,
                })
            }
        }
        from.deserialize_identifier(MemberVisitor)
    }
}

/// A list of references: those that are shown, in the server's order, and how many are hidden. Null is an empty list.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(in crate::vendors::ciso_assistant) struct References {
    pub(in crate::vendors::ciso_assistant) shown: Vec<(NativeId, Option<Text>)>,
    pub(in crate::vendors::ciso_assistant) hidden: u32,
}

impl<'de> Deserialize<'de> for References {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct ReferencesVisitor;
        impl<'de> Visitor<'de> for ReferencesVisitor {
            type Value = References;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list of references")
            }

            fn visit_unit<E: Error>(self) -> Result<References, E> {
                Ok(References::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<References, A::Error> {
                let mut references = References::default();
                while let Some(reference) = all.next_element()? {
                    match reference {
                        Reference::To(id, name) => references.shown.push((id, name)),
                        Reference::Hidden => references.hidden += 1,
                    }
                }
                Ok(references)
            }
        }
        from.deserialize_any(ReferencesVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn moments_are_read_with_and_without_fraction_and_offset() {
        for (text, expected) in [
            ("2026-11-20T07:38:00.295712Z", "2026-11-20T07:38:00.295712+00:00"),
            ("2026-04-02T08:15:00Z", "2026-04-02T08:15:00+00:00"),
            ("2026-04-02T08:15:00.5Z", "2026-04-02T08:15:00.500+00:00"),
            ("2026-04-02T10:15:00+02:00", "2026-04-02T08:15:00+00:00"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00"),
        ] {
            assert_eq!(read::<Moment>(&format!("\"{text}\"")).unwrap().0.to_rfc3339(), expected, "{text}");
        }
    }

    #[test]
    fn the_quick_form_reads_what_the_general_one_reads() {
        for text in ["2024-02-29T23:59:59.000001Z", "1969-12-31T00:00:00Z", "2026-06-30T12:00:00.100000Z"] {
            assert_eq!(utc(text.as_bytes()), Some(DateTime::parse_from_rfc3339(text).unwrap().to_utc()), "{text}");
        }
        for text in
            ["2023-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z", "", "Z"]
        {
            assert_eq!(utc(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for json in ["\"\"", "\"yesterday\"", "\"2026-04-02\"", "7", "null", "\"2026-04-02T08:15:00\""] {
            assert!(read::<Moment>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn references_keep_order_and_count_the_hidden() {
        let all: References = read(r#"[{"str":"B","id":"2"},{},{"id":"1","x":[1]},{},"3"]"#).unwrap();
        let shown: Vec<_> = all.shown.iter().map(|(id, name)| (id.to_string(), name.as_deref())).collect();
        assert_eq!(shown, [("2".into(), Some("B")), ("1".into(), None), ("3".into(), None)]);
        assert_eq!(all.hidden, 2);
        assert_eq!(read::<References>("null").unwrap(), References::default());
        for json in ["7", "[null]", r#"[{"str":"nameless"}]"#, r#"[{"id":""}]"#, "[[]]"] {
            assert!(read::<References>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn scalars_keep_their_text() {
        assert_eq!(read::<Scalar>("\"12 KB\"").unwrap().0.as_ref(), "12 KB");
        assert_eq!(read::<Scalar>("12").unwrap().0.as_ref(), "12");
        assert!(read::<Scalar>("[]").is_err());
    }
}
