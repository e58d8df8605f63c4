//! The values that rows are made of. Reading one never fails the row that it stands in: what cannot be read is
//! [`Got::Broken`], and whoever takes it notes that.

use crate::domain::Text;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

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

/// What a scalar may be written as.
trait Scalar: Sized {
    const EXPECTED: &'static str;

    fn of_text(text: &str) -> Option<Self>;

    fn of_whole(number: i64) -> Self;

    fn of_real(number: f64) -> Option<Self>;
}

struct ScalarVisitor<T>(PhantomData<T>);

impl<T: Scalar> Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::of_text(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        Ok(T::of_whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        i64::try_from(number).map(T::of_whole).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::of_real(number).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

macro_rules! scalars {
    ($($scalar:ty),+) => { $(
        impl<'de> Deserialize<'de> for $scalar {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_any(ScalarVisitor::<$scalar>(PhantomData))
            }
        }
    )+ };
}
scalars!(Word, Whole);

/// A text; a number is its digits, since ids are written both ways.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::vendors::cortex_xpanse) struct Word(pub(in crate::vendors::cortex_xpanse) Text);

impl Scalar for Word {
    const EXPECTED: &'static str = "a text";

    fn of_text(text: &str) -> Option<Self> {
        Some(Word(text.into()))
    }

    fn of_whole(number: i64) -> Self {
        Word(number.to_string().into())
    }

    fn of_real(number: f64) -> Option<Self> {
        Some(Word(number.to_string().into()))
    }
}

/// A whole number, as digits in a text too; of a fraction the whole part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vendors::cortex_xpanse) struct Whole(pub(in crate::vendors::cortex_xpanse) i64);

impl Scalar for Whole {
    const EXPECTED: &'static str = "a whole number";

    fn of_text(text: &str) -> Option<Self> {
        text.trim().parse().ok().map(Whole)
    }

    fn of_whole(number: i64) -> Self {
        Whole(number)
    }

    fn of_real(number: f64) -> Option<Self> {
        // 2^53: beyond it a float names no single whole number.
        (number.abs() <= 9_007_199_254_740_992.0).then_some(Whole(number as i64))
    }
}

/// Any number; also as text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::vendors::cortex_xpanse) struct Real(pub(in crate::vendors::cortex_xpanse) f64);

impl<'de> Deserialize<'de> for Real {
    /// From the digits themselves: the usual way is off by the last bit now and then, and scores are shown as they came.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = <&'de RawValue>::deserialize(from)?.get();
        let digits = json.strip_prefix('"').and_then(|inside| inside.strip_suffix('"')).unwrap_or(json);
        let number = digits.trim().parse().ok().filter(|number: &f64| number.is_finite());
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

/// A member of an array of texts.
enum Item {
    Text(Text),
    Nothing,
    Broken,
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Item, E> {
        Ok(Item::Text(text.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Item, E> {
        Ok(Item::Text(number.to_string().into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Item, E> {
        Ok(Item::Text(number.to_string().into()))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Item, E> {
        Ok(Item::Broken)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Item, E> {
        Ok(Item::Broken)
    }

    fn visit_unit<E: Error>(self) -> Result<Item, E> {
        Ok(Item::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Item, A::Error> {
        while all.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Item::Broken)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Item, A::Error> {
        while all.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Item::Broken)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ItemVisitor)
    }
}

struct WordsVisitor;

impl<'de> Visitor<'de> for WordsVisitor {
    type Value = Words;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("texts")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Words, E> {
        let mut words = Words::default();
        text.split(',').for_each(|text| words.add(text));
        Ok(words)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Words, A::Error> {
        let mut words = Words::default();
        while let Some(item) = all.next_element::<Item>()? {
            match item {
                Item::Text(text) => words.add(&text),
                Item::Nothing => {}
                Item::Broken => words.broken = true,
            }
        }
        Ok(words)
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(WordsVisitor)
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
        assert_eq!(got::<Words>("7"), Got::Broken);
    }
}
