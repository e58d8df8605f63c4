//! Scalars and enums: the GraphQL type of a Rust type, and how its values are written. The only list.

pub(crate) use super::json::Json;
use super::scalar;
use crate::domain::{GlobalId, IdKind, Key, RawJson, Text, Time, Vocabulary};
use async_graphql::{
    ID, OutputType,
    indexmap::IndexMap,
    registry::{MetaEnumValue, MetaType, Registry},
};
use chrono::{Datelike, NaiveDate, Timelike};
use std::time::Duration;

/// A value without a selection set.
pub(crate) trait Leaf {
    /// GraphQL type with its mark of nullability, such as `String!`; known without a registry.
    fn ty() -> String;
    /// Makes the type known to the schema.
    fn register(registry: &mut Registry);
    /// Writes the value; only `Option` may write `null`.
    fn write(&self, json: &mut Json);
}

/// The global id of a record, written without being made.
pub(crate) struct Id<'a>(pub IdKind, pub &'a Key);

/// The text of a global id, where it was made already.
pub(crate) struct IdText(pub String);

/// An absolute http or https URL.
#[derive(Clone)]
pub(crate) struct Url(pub Text);

/// A count that may be beyond GraphQL's `Int`, which holds 32 bits: then it is the largest.
#[derive(Clone, Copy)]
pub(crate) struct Count(pub u64);

/// A span of time, shown in milliseconds: to the microsecond, which is as exact as a clock in user space is.
#[derive(Clone, Copy)]
pub(crate) struct Milliseconds(pub Duration);

macro_rules! leaf {
    ($rust:ty as $graphql:ty: |$value:ident, $json:ident| $write:expr) => {
        impl Leaf for $rust {
            fn ty() -> String {
                <$graphql as OutputType>::qualified_type_name()
            }
            fn register(registry: &mut Registry) {
                <$graphql as OutputType>::create_type_info(registry);
            }
            fn write(&self, $json: &mut Json) {
                let $value = self;
                $write
            }
        }
    };
}
leaf!(String as String: |value, json| json.text(value));
leaf!(Text as String: |value, json| json.text(value));
leaf!(&'static str as String: |value, json| json.text(value));
leaf!(bool as bool: |value, json| json.raw(if *value { "true" } else { "false" }));
leaf!(i32 as i32: |value, json| json.integer(i64::from(*value)));
leaf!(Count as i32: |value, json| json.integer(i64::from(i32::try_from(value.0).unwrap_or(i32::MAX))));
leaf!(f64 as f64: |value, json| json.float(*value));
leaf!(Milliseconds as f64: |value, json| json.float((value.0.as_secs_f64() * 1_000_000.0).round() / 1_000.0));
leaf!(Id<'_> as ID: |value, json| json.plain(|out| GlobalId::write(value.0, value.1, out)));
leaf!(IdText as ID: |value, json| json.text(&value.0));

macro_rules! scalar_leaf {
    ($rust:ty as $graphql:expr, |$value:ident, $json:ident| $write:expr) => {
        impl Leaf for $rust {
            fn ty() -> String {
                format!("{}!", $graphql.name)
            }
            fn register(registry: &mut Registry) {
                $graphql.register(registry);
            }
            fn write(&self, $json: &mut Json) {
                let $value = self;
                $write
            }
        }
    };
}
scalar_leaf!(Time as scalar::DATE_TIME, |value, json| json.plain(|out| write_time(*value, out)));
scalar_leaf!(NaiveDate as scalar::DATE, |value, json| json.plain(|out| write_date(*value, out)));
scalar_leaf!(RawJson as scalar::JSON, |value, json| json.raw(value.as_str()));
scalar_leaf!(Url as scalar::URL, |value, json| json.text(&value.0));

impl<V: Leaf> Leaf for Option<V> {
    fn ty() -> String {
        V::ty().trim_end_matches('!').to_owned()
    }
    fn register(registry: &mut Registry) {
        V::register(registry);
    }
    fn write(&self, json: &mut Json) {
        match self {
            Some(value) => value.write(json),
            None => json.raw("null"),
        }
    }
}

impl<V: Leaf> Leaf for Vec<V> {
    fn ty() -> String {
        format!("[{}]!", V::ty())
    }
    fn register(registry: &mut Registry) {
        V::register(registry);
    }
    fn write(&self, json: &mut Json) {
        json.raw("[");
        for (index, item) in self.iter().enumerate() {
            if index > 0 {
                json.raw(",");
            }
            item.write(json);
        }
        json.raw("]");
    }
}

impl<V: Vocabulary> Leaf for V {
    fn ty() -> String {
        format!("{}!", V::NAME)
    }
    fn register(registry: &mut Registry) {
        register_vocabulary::<V>(registry);
    }
    fn write(&self, json: &mut Json) {
        json.plain(|out| out.push_str(self.name()));
    }
}

/// Tells the schema of an enum, in words and order of its vocabulary.
pub(crate) fn register_vocabulary<V: Vocabulary>(registry: &mut Registry) {
    let values = V::WORDS.iter().map(|word| {
        let value = MetaEnumValue {
            name: word.name.to_owned(),
            description: Some(said(word.description)),
            deprecation: Default::default(),
            visible: None,
            inaccessible: false,
            tags: vec![],
            directive_invocations: vec![],
        };
        (word.name.to_owned(), value)
    });
    let meta = MetaType::Enum {
        name: V::NAME.to_owned(),
        description: Some(said(V::DESCRIPTION)),
        enum_values: values.collect::<IndexMap<_, _>>(),
        visible: None,
        inaccessible: false,
        tags: vec![],
        rust_typename: None,
        directive_invocations: vec![],
        requires_scopes: vec![],
    };
    registry.types.entry(V::NAME.to_owned()).or_insert(meta);
}

/// A doc comment as a description: each line without the space after the slashes.
fn said(comment: &str) -> String {
    comment.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// `2026-04-21T11:15:00.000Z`: at least milliseconds, more digits only where they say something.
fn write_time(time: Time, out: &mut String) {
    write_date(time.date_naive(), out);
    out.push('T');
    digits(out, time.hour(), 2);
    out.push(':');
    digits(out, time.minute(), 2);
    out.push(':');
    digits(out, time.second(), 2);
    out.push('.');
    // A leap second is kept by chrono as more than 999,999,999 nanoseconds.
    let nanoseconds = time.nanosecond().min(999_999_999);
    match nanoseconds {
        n if n % 1_000_000 == 0 => digits(out, n / 1_000_000, 3),
        n if n % 1_000 == 0 => digits(out, n / 1_000, 6),
        n => digits(out, n, 9),
    }
    out.push('Z');
}

fn write_date(date: NaiveDate, out: &mut String) {
    digits(out, u32::try_from(date.year()).unwrap_or(0), 4);
    out.push('-');
    digits(out, date.month(), 2);
    out.push('-');
    digits(out, date.day(), 2);
}

/// `value` with leading zeros, in `width` digits.
fn digits(out: &mut String, value: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10u32.pow(place) % 10;
        out.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Severity;

    fn written(leaf: &impl Leaf) -> String {
        let mut json = Json::default();
        leaf.write(&mut json);
        json.into_text()
    }

    #[test]
    fn times_have_as_many_digits_as_they_need() {
        for (given, expected) in [
            ("2026-04-21T11:15:00Z", "2026-04-21T11:15:00.000Z"),
            ("2026-04-21T13:15:00.25+02:00", "2026-04-21T11:15:00.250Z"),
            ("2026-11-20T07:38:00.334297Z", "2026-11-20T07:38:00.334297Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
        ] {
            let time: Time = given.parse().unwrap();
            assert_eq!(written(&time), format!("{expected:?}"), "{given}");
            assert_eq!(expected.parse::<Time>().unwrap(), time);
        }
    }

    #[test]
    fn types_and_values_go_together() {
        assert_eq!((Option::<Text>::ty(), written(&None::<Text>)), ("String".into(), "null".into()));
        assert_eq!(
            (Vec::<Severity>::ty(), written(&vec![Severity::High])),
            ("[Severity!]!".into(), "[\"HIGH\"]".into())
        );
        assert_eq!(written(&Count(u64::MAX)), "2147483647");
    }
}
