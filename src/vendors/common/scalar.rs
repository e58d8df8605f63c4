//! Small values that vendors write alike.

use crate::domain::{Text, Time};
use chrono::{DateTime, Datelike, NaiveDate};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::fmt;

/// Whether a moment can be written with a year of four digits, as clients read it.
pub(in crate::vendors) fn is_usual(time: Time) -> bool {
    (0..=9_999).contains(&time.year())
}

/// A moment in RFC 3339, with or without a fraction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vendors) struct Moment(pub(in crate::vendors) Time);

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
                time.filter(|time| is_usual(*time)).map(Moment).ok_or_else(|| E::custom("not a moment in RFC 3339"))
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
pub(in crate::vendors) struct Scalar(pub(in crate::vendors) Text);

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
    fn scalars_keep_their_text() {
        assert_eq!(read::<Scalar>("\"12 KB\"").unwrap().0.as_ref(), "12 KB");
        assert_eq!(read::<Scalar>("12").unwrap().0.as_ref(), "12");
        assert!(read::<Scalar>("[]").is_err());
    }
}
