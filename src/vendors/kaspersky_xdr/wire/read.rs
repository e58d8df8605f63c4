//! Reading JSON that may be otherwise than documented: a broken value costs itself, and is counted.
//!
//! Members are found in any letter case, since one answer of this server mixes `InternalID`, `tenantID` and `status`.

use crate::domain::{RawJson, Text, Time};
use crate::vendors::common::text as text_of;
use chrono::DateTime;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// The reading of one record: what it keeps, and what was broken.
#[derive(Default, Debug)]
pub(in crate::vendors::kaspersky_xdr) struct Reading {
    /// Whether the text of records is kept.
    raw: bool,
    /// Where in the record we are.
    path: Vec<&'static str>,
    /// The first problem, as `Assets.HostInfo.CreatedAt: a moment`.
    pub(in crate::vendors::kaspersky_xdr) first: Option<String>,
    pub(in crate::vendors::kaspersky_xdr) count: u32,
}

impl Reading {
    pub(in crate::vendors::kaspersky_xdr) fn new(raw: bool) -> Self {
        Reading { raw, ..Reading::default() }
    }

    /// Notes that something other than `expected` was found here.
    pub(super) fn note<T>(&mut self, expected: &str) -> Option<T> {
        self.count = self.count.saturating_add(1);
        self.first.get_or_insert_with(|| format!("{}: not {expected}", self.path.join(".")));
        None
    }

    /// Reads a member; null is none, whatever is expected.
    pub(super) fn member<T: Read>(&mut self, name: &'static str, json: &RawValue) -> Option<T> {
        if json.get() == "null" {
            return None;
        }
        self.path.push(name);
        let value = T::read(json, self);
        self.path.pop();
        value
    }
}

/// A value that can be read out of JSON text.
pub(in crate::vendors::kaspersky_xdr) trait Read: Sized {
    /// None if it is something else, which is then noted.
    fn read(json: &RawValue, reading: &mut Reading) -> Option<Self>;
}

/// Numbers and truth values are taken as their text: ids are numbers in one place and texts in another.
impl Read for Text {
    fn read(json: &RawValue, reading: &mut Reading) -> Option<Self> {
        let text = json.get();
        match text.as_bytes().first() {
            // Without escapes it stands there as it is.
            Some(b'"') if !text.contains('\\') => Some(bare(text).into()),
            // A half of a pair costs itself, not the text that it stands in.
            Some(b'"') => serde_json::from_str(text)
                .or_else(|_| serde_json::from_str(text).map(|Name(text)| text.into()))
                .ok()
                .or_else(|| reading.note("a text")),
            Some(b'{' | b'[') => reading.note("a text"),
            _ => Some(text.into()),
        }
    }
}

/// Truth values, also written as texts or numbers.
impl Read for bool {
    fn read(json: &RawValue, reading: &mut Reading) -> Option<Self> {
        match json.get().trim_matches('"') {
            "1" => Some(true),
            "0" => Some(false),
            text if text.eq_ignore_ascii_case("true") => Some(true),
            text if text.eq_ignore_ascii_case("false") => Some(false),
            _ => reading.note("a truth value"),
        }
    }
}

/// Whole numbers, also written as texts or with a fraction of zero.
impl Read for i64 {
    fn read(json: &RawValue, reading: &mut Reading) -> Option<Self> {
        let text = json.get().trim_matches('"');
        let whole = text.parse().ok().or_else(|| {
            let number: f64 = text.parse().ok()?;
            // Beyond 2^53 a fraction could not be seen any more.
            (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
        });
        whole.or_else(|| reading.note("a whole number"))
    }
}

impl Read for i32 {
    fn read(json: &RawValue, reading: &mut Reading) -> Option<Self> {
        let number = i64::read(json, reading)?;
        i32::try_from(number).ok().or_else(|| reading.note("a number of 32 bits"))
    }
}

impl Read for f64 {
    fn read(json: &RawValue, reading: &mut Reading) -> Option<Self> {
        let number: Option<f64> = json.get().trim_matches('"').parse().ok();
        number.filter(|number| number.is_finite()).or_else(|| reading.note("a number"))
    }
}

/// A moment in RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vendors::kaspersky_xdr) struct Moment(pub(in crate::vendors::kaspersky_xdr) Time);

impl Read for Moment {
    fn read(json: &RawValue, reading: &mut Reading) -> Option<Self> {
        if json.get() == "\"\"" {
            return None;
        }
        // What needs an escape is no moment.
        match DateTime::parse_from_rfc3339(bare(json.get())) {
            Ok(time) => Some(Moment(time.to_utc())),
            Err(_) => reading.note("a moment"),
        }
    }
}

/// A JSON text without its quotes; anything else as it is.
fn bare(json: &str) -> &str {
    json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(json)
}

/// Any JSON, kept as it came.
impl Read for RawJson {
    fn read(json: &RawValue, _reading: &mut Reading) -> Option<Self> {
        Some(RawJson::new(json.get()))
    }
}

/// A list without those of its members that are broken or null.
impl<T: Read> Read for Vec<T> {
    fn read(json: &RawValue, reading: &mut Reading) -> Option<Self> {
        // Numbers and truth values are seen to be no lists without a reader's error, which would be written out.
        if !json.get().starts_with('[') {
            return reading.note("a list");
        }
        let mut all = Vec::new();
        let each = each_item(json.get(), |json| {
            if json.get() != "null" {
                all.extend(T::read(json, reading));
            }
        });
        match each {
            Ok(()) => Some(all),
            Err(_) => reading.note("a list"),
        }
    }
}

/// A record and its text, where that is kept.
impl<T: Read> Read for (T, Option<RawJson>) {
    fn read(json: &RawValue, reading: &mut Reading) -> Option<Self> {
        Some((T::read(json, reading)?, reading.raw.then(|| RawJson::new(json.get()))))
    }
}

/// Hands over each member of an object, in their order. Fails when the text is no object.
pub(super) fn each_member<'a>(
    json: &'a str,
    take: impl FnMut(Cow<'a, str>, &'a RawValue),
) -> Result<(), serde_json::Error> {
    struct Each<F>(F);
    impl<'de, F: FnMut(Cow<'de, str>, &'de RawValue)> Visitor<'de> for Each<F> {
        type Value = ();

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
            while let Some((Name(name), value)) = map.next_entry()? {
                self.0(name, value);
            }
            Ok(())
        }
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_map(Each(take))?;
    reader.end()
}

/// Hands over each value of a list, in their order. Fails when the text is no list.
pub(super) fn each_item<'a>(json: &'a str, take: impl FnMut(&'a RawValue)) -> Result<(), serde_json::Error> {
    struct Each<F>(F);
    impl<'de, F: FnMut(&'de RawValue)> Visitor<'de> for Each<F> {
        type Value = ();

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut all: A) -> Result<(), A::Error> {
            while let Some(value) = all.next_element()? {
                self.0(value);
            }
            Ok(())
        }
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_seq(Each(take))?;
    reader.end()
}

/// A member's name, or another text; borrowed unless it holds an escape. A half of a pair, which is no character, becomes
/// U+FFFD.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a text")
            }

            fn visit_borrowed_bytes<E: Error>(self, text: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Name(text_of(text)))
            }

            fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text_of(text).into_owned())))
            }
        }
        // As bytes, since only then the reader lets halves of pairs pass.
        from.deserialize_bytes(NameVisitor)
    }
}

/// Declares what an object is read into: each field with the names of its member, in any letter case. What is absent or
/// null stays none; what is broken too, and is noted; what is not listed is skipped. Two tellings of it can be united.
macro_rules! rows {
    ($(
        $(#[$doc:meta])*
        struct $row:ident { $($field:ident: $ty:ty = $name:literal $(| $other:literal)*,)+ }
    )+) => { $(
        $(#[$doc])*
        #[derive(Default, PartialEq, Debug)]
        pub(super) struct $row { $(pub(super) $field: Option<$ty>,)+ }

        impl Read for $row {
            fn read(json: &RawValue, reading: &mut Reading) -> Option<Self> {
                if !json.get().starts_with('{') {
                    return reading.note("an object");
                }
                let mut row = $row::default();
                let each = read::each_member(json.get(), |name, value| {
                    $(if name.eq_ignore_ascii_case($name) $(|| name.eq_ignore_ascii_case($other))* {
                        // Of two names for one member, one that tells nothing does not take back what the other told.
                        row.$field = reading.member($name, value).or(row.$field.take());
                        return;
                    })+
                });
                each.map_or_else(|_| reading.note("an object"), |()| Some(row))
            }
        }

        impl Unite for $row {
            fn unite(self, other: Self) -> Self {
                $row { $($field: self.$field.unite(other.$field),)+ }
            }
        }
    )+ };
}
pub(super) use rows;

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Read>(json: &str) -> (Option<T>, u32) {
        let json: Box<RawValue> = serde_json::from_str(json).unwrap();
        let mut reading = Reading::default();
        let value = reading.member("x", &json);
        (value, reading.count)
    }

    fn text(text: &str) -> Text {
        text.into()
    }

    #[test]
    fn values_are_taken_in_each_form_that_keeps_their_meaning() {
        assert_eq!(read::<Text>("\"a\\nb\""), (Some(text("a\nb")), 0));
        assert_eq!(read::<Text>("104"), (Some(text("104")), 0));
        assert_eq!(read::<i64>("\"12\""), (Some(12), 0));
        assert_eq!(read::<i64>("1705399200000.0"), (Some(1_705_399_200_000), 0));
        assert_eq!(read::<f64>("9.8"), (Some(9.8), 0));
        assert_eq!(read::<Moment>("\"\""), (None, 0));
        assert_eq!(read::<Text>("\"a\\ud800b\""), (Some(text("a\u{fffd}\u{fffd}\u{fffd}b")), 0));
        assert_eq!((read::<bool>("\"True\""), read::<bool>("0")), ((Some(true), 0), (Some(false), 0)));
        assert_eq!(read::<bool>("null"), (None, 0));
        assert_eq!(read::<Vec<Text>>("[\"a\",null,7]"), (Some(vec![text("a"), text("7")]), 0));
        assert_eq!(read::<Vec<Text>>("null"), (None, 0));
    }

    #[test]
    fn a_reading_value_costs_itself_and_is_counted() {
        assert_eq!(read::<Text>("{}"), (None, 1));
        assert_eq!(read::<i64>("1.5"), (None, 1));
        assert_eq!(read::<i32>("5000000000"), (None, 1));
        assert_eq!(read::<f64>("\"NaN\""), (None, 1));
        assert_eq!(read::<bool>("\"yes\""), (None, 1));
        assert_eq!(read::<Moment>("\"soon\""), (None, 1));
        assert_eq!(read::<Vec<Text>>("\"a\""), (None, 1));
        assert_eq!(read::<Vec<bool>>("[true,7,[],false]"), (Some(vec![true, false]), 2));
    }
}
