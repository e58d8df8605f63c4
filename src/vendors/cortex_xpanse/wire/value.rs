//! The values that rows are made of. Reading one never fails the row that it stands in: what cannot be read is
//! [`Got::Broken`], and whoever takes it notes that.

use crate::domain::Text;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// A member of a record: absent or null, a value, or something else than documented.
#[derive(Clone, PartialEq, Default, Debug)]
pub(in crate::vendors::cortex_xpanse) enum Got<T> {
    #[default]
    Nothing,
    Value(T),
    Broken,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Got<T> {
    /// Only out of JSON text that outlives the value, as `serde_json::from_str` reads it.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = <&'de RawValue>::deserialize(from)?;
        Ok(match serde_json::from_str::<Option<T>>(json.get()) {
            Ok(Some(value)) => Got::Value(value),
            Ok(None) => Got::Nothing,
            Err(_) => Got::Broken,
        })
    }
}

/// The JSON text of a value.
fn json<'de, D: Deserializer<'de>>(from: D) -> Result<&'de str, D::Error> {
    Ok(<&'de RawValue>::deserialize(from)?.get())
}

/// The digits of a number, be it written as one or as a text.
fn digits(json: &str) -> &str {
    json.strip_prefix('"').and_then(|inside| inside.strip_suffix('"')).unwrap_or(json).trim()
}

/// A text; a number is its digits, since ids are written both ways.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::vendors::cortex_xpanse) struct Word(pub(in crate::vendors::cortex_xpanse) Text);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = json(from)?;
        match (json.as_bytes(), json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))) {
            (_, Some(plain)) if !plain.contains('\\') => Ok(Word(plain.into())),
            (_, Some(_)) => unescaped(json).map(|text| Word(text.into())).map_err(D::Error::custom),
            ([b'-' | b'0'..=b'9', ..], None) => Ok(Word(json.into())),
            _ => Err(D::Error::custom("not a text")),
        }
    }
}

/// The text of a JSON string. Half a character, as is left where a server cut a text, costs itself only.
fn unescaped(json: &str) -> serde_json::Result<String> {
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = String;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a text")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<String, E> {
            Ok(String::from_utf8_lossy(bytes).into_owned())
        }
    }
    serde_json::from_str(json).or_else(|_| serde_json::Deserializer::from_str(json).deserialize_bytes(Bytes))
}

/// A whole number, as digits in a text too; of a fraction the whole part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vendors::cortex_xpanse) struct Whole(pub(in crate::vendors::cortex_xpanse) i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let digits = digits(json(from)?);
        // 2^53: beyond it a float names no single whole number.
        let part = || digits.parse().ok().filter(|real: &f64| real.abs() <= 9_007_199_254_740_992.0);
        let number = digits.parse().ok().or_else(|| part().map(|real| real as i64));
        number.map(Whole).ok_or_else(|| D::Error::custom("not a whole number"))
    }
}

/// Any number; also as text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::vendors::cortex_xpanse) struct Real(pub(in crate::vendors::cortex_xpanse) f64);

impl<'de> Deserialize<'de> for Real {
    /// From the digits themselves: the usual way is off by the last bit now and then, and scores are shown as they came.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = digits(json(from)?).parse().ok().filter(|number: &f64| number.is_finite());
        number.map(Real).ok_or_else(|| D::Error::custom("not a number"))
    }
}

/// Several texts: an array, or one text with commas between them, as alerts write the same members.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(in crate::vendors::cortex_xpanse) struct Words {
    /// In the order given; blank ones and nulls left out.
    pub(in crate::vendors::cortex_xpanse) all: Vec<Text>,
    /// Something among them was no text.
    pub(in crate::vendors::cortex_xpanse) broken: bool,
}

impl Words {
    fn add(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.all.push(text.into());
        }
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = json(from)?;
        let mut words = Words::default();
        if json.starts_with('"') {
            let Word(text) = serde_json::from_str(json).map_err(D::Error::custom)?;
            text.split(',').for_each(|text| words.add(text));
        } else {
            let items: Vec<Got<Word>> = serde_json::from_str(json).map_err(D::Error::custom)?;
            for item in items {
                match item {
                    Got::Value(Word(text)) => words.add(&text),
                    Got::Nothing => {}
                    Got::Broken => words.broken = true,
                }
            }
        }
        Ok(words)
    }
}

/// One moment, or those of several events.
#[derive(Clone, PartialEq, Default, Debug)]
pub(in crate::vendors::cortex_xpanse) struct Moments(pub(in crate::vendors::cortex_xpanse) Vec<Got<Whole>>);

impl<'de> Deserialize<'de> for Moments {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = json(from)?;
        let several = json.starts_with('[');
        let read = if several { serde_json::from_str(json) } else { serde_json::from_str(json).map(|one| vec![one]) };
        read.map(Moments).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn got<T: for<'de> Deserialize<'de>>(json: &str) -> Got<T> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn scalars_take_the_forms_that_occur_and_nothing_else() {
        assert_eq!(got::<Word>("71"), Got::Value(Word("71".into())));
        assert_eq!(got::<Word>("\"71\""), Got::Value(Word("71".into())));
        for id in ["18446744073709551616", "-3", "7.50", "1e400"] {
            assert_eq!(got::<Word>(id), Got::Value(Word(id.into())), "digits stay as they came");
        }
        assert_eq!(got::<Word>(r#""a\"\u00e9\ud83d\ude00\n""#), Got::Value(Word("a\"é😀\n".into())));
        let Got::Value(Word(cut)) = got::<Word>(r#""cut \ud83d""#) else { panic!() };
        assert!(cut.starts_with("cut \u{fffd}"), "{cut}");
        for json in ["true", "{}", "[]", "[\"7\"]"] {
            assert_eq!(got::<Word>(json), Got::Broken, "{json}");
        }
        assert_eq!(got::<Whole>("1688000000000"), Got::Value(Whole(1_688_000_000_000)));
        assert_eq!(got::<Whole>("1.688e12"), Got::Value(Whole(1_688_000_000_000)));
        assert_eq!(got::<Whole>("\" 7 \""), Got::Value(Whole(7)));
        assert_eq!(got::<Real>("9.800000190734863"), Got::Value(Real(9.800000190734863)));
        assert_eq!(got::<Real>("9"), Got::Value(Real(9.0)));
        assert_eq!(got::<Real>("null"), Got::Nothing);
        for json in ["{}", "[1]", "true", "\"soon\"", "18446744073709551615", "1e300"] {
            assert_eq!(got::<Whole>(json), Got::Broken, "{json}");
        }
        for json in ["\"NaN\"", "\"inf\"", "[]", "1e999"] {
            assert_eq!(got::<Real>(json), Got::Broken, "{json}");
        }
    }

    #[test]
    fn moments_come_alone_or_in_arrays_and_a_broken_one_costs_itself() {
        let moments = |json| match got::<Moments>(json) {
            Got::Value(Moments(all)) => all,
            other => panic!("{json}: {other:?}"),
        };
        let of = |millis| Got::Value(Whole(millis));
        assert_eq!(moments("7"), [of(7)]);
        assert_eq!(moments("[7, null, \"8\", {}]"), [of(7), Got::Nothing, of(8), Got::Broken]);
        assert_eq!(moments("\"soon\""), [Got::Broken]);
        assert_eq!(got::<Moments>("null"), Got::Nothing);
    }

    #[test]
    fn texts_come_as_arrays_or_joined_by_commas() {
        let words = |json| match got::<Words>(json) {
            Got::Value(words) => (words.all.iter().map(|text| text.to_string()).collect::<Vec<_>>(), words.broken),
            other => panic!("{json}: {other:?}"),
        };
        let two = || vec!["AR:Rule".to_owned(), "BU:Acme, Inc".to_owned()];
        assert_eq!(words(r#"["AR:Rule", "BU:Acme, Inc"]"#), (two(), false));
        assert_eq!(words(r#""AR:Rule, BU:Acme""#), (vec!["AR:Rule".into(), "BU:Acme".into()], false));
        assert_eq!(words(r#"["AR:Rule", null, "", {"x":1}, [2], "BU:Acme, Inc"]"#), (two(), true));
        assert_eq!(words(r#""""#), (vec![], false));
        assert_eq!(words("[7]"), (vec!["7".into()], false));
        assert_eq!(words(r#"["a\u002cb", "\ud800"]"#), (vec!["a,b".into(), "\u{fffd}\u{fffd}\u{fffd}".into()], false));
        for json in ["7", "{}", "true"] {
            assert_eq!(got::<Words>(json), Got::Broken, "{json}");
        }
    }
}
