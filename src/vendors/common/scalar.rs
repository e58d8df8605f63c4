//! Small values that vendors write alike.

use crate::domain::{Text, Time};
use chrono::{DateTime, Datelike, NaiveDate};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::value::RawValue;
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

/// A number or a text, kept as text: a number digit for digit, however long. One in another form (`3.0000004382780E12`)
/// that is a whole number is written out, since it is the same id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::vendors) struct Scalar(pub(in crate::vendors) Text);

impl<'de> Deserialize<'de> for Scalar {
    /// Only from JSON text: any other reader has made a number of 64 bits of what it met.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(from)?.get();
        match json.as_bytes() {
            [b'"', ..] => serde_json::from_str(json).map(Scalar).map_err(D::Error::custom),
            [b'-' | b'0'..=b'9', ..] => Ok(Scalar(whole(json).unwrap_or_else(|| json.into()))),
            _ => Err(D::Error::custom("neither a text nor a number")),
        }
    }
}

/// A text or a number that names something: no blank one does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::vendors) struct Id(pub(in crate::vendors) Text);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Scalar(text) = Scalar::deserialize(from)?;
        if text.trim().is_empty() { Err(D::Error::custom("a blank id")) } else { Ok(Id(text)) }
    }
}

/// No id has more digits; arbitrary, it keeps `1e999999999` short.
const MOST_DIGITS: usize = 64;

/// A whole number in its one plain form. None for one with a fraction, and for what would be absurdly long.
fn whole(json: &str) -> Option<Text> {
    let (sign, number) = json.strip_prefix('-').map_or(("", json), |number| ("-", number));
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{before}{behind}");
    let significant = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).ok()? - i64::try_from(behind.len()).ok()?;
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some("0".into());
    }
    let zeros = usize::try_from(exponent.parse::<i64>().ok()?.checked_add(zeros)?).ok()?;
    let length = significant.len().checked_add(zeros).filter(|length| *length <= MOST_DIGITS)?;
    Some(format!("{sign}{significant:0<length$}").into())
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
        assert_eq!(read::<Scalar>(r#""\u00fc\n""#).unwrap().0.as_ref(), "ü\n");
        for json in ["[]", "{}", "true", "null"] {
            assert!(read::<Scalar>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn numbers_keep_every_digit_and_have_one_form() {
        for (json, text) in [
            ("3000000438278", "3000000438278"),
            ("-1", "-1"),
            ("-1.0", "-1"),
            ("-0", "0"),
            ("0.000", "0"),
            ("0e5", "0"),
            // Beyond 64 bits, and beyond what a float tells apart.
            ("18446744073709551616", "18446744073709551616"),
            ("9007199254740993.0", "9007199254740993"),
            ("30000000000000000000000000000001", "30000000000000000000000000000001"),
            ("3.000000438278E12", "3000000438278"),
            ("3000000438278e+0", "3000000438278"),
            ("12300E-2", "123"),
            ("1e2", "100"),
            // No whole numbers, or too long to be written out: as received.
            ("1.50", "1.50"),
            ("1e-2", "1e-2"),
            ("1E999", "1E999"),
            ("1e99999999999999999999", "1e99999999999999999999"),
            ("1e9223372036854775807", "1e9223372036854775807"),
            ("10e9223372036854775807", "10e9223372036854775807"),
        ] {
            assert_eq!(read::<Scalar>(json).unwrap().0.as_ref(), text, "{json}");
        }
        let long = "7".repeat(1_000);
        assert_eq!(read::<Scalar>(&long).unwrap().0.as_ref(), long);
    }

    #[test]
    fn a_blank_names_nothing() {
        assert_eq!(read::<Id>("12").unwrap().0.as_ref(), "12");
        assert_eq!(read::<Id>("\" a \"").unwrap().0.as_ref(), " a ");
        for json in [r#""""#, r#"" \t""#, r#""\u00a0""#, "null", "false", "[1]"] {
            assert!(read::<Id>(json).is_err(), "{json}");
        }
    }
}
