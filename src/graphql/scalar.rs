//! The scalars that GraphQL itself does not have, and how those are read that clients may send.

use crate::domain::Time;
use async_graphql::{
    InputType, InputValueError, InputValueResult, Value,
    registry::{MetaType, Registry},
};
use std::borrow::Cow;

/// A scalar type as the schema tells it.
pub(crate) struct Scalar {
    pub name: &'static str,
    description: &'static str,
    specified_by: Option<&'static str>,
}

const RFC_3339: &str = "https://www.rfc-editor.org/rfc/rfc3339";

pub(crate) const DATE_TIME: Scalar = Scalar {
    name: "DateTime",
    description: "RFC 3339, always UTC, as `2026-04-21T11:15:00.000Z`; more digits where the source has them.",
    specified_by: Some(RFC_3339),
};
pub(crate) const DATE: Scalar =
    Scalar { name: "Date", description: "A calendar day, as `2026-04-21`.", specified_by: Some(RFC_3339) };
pub(crate) const JSON: Scalar =
    Scalar { name: "JSON", description: "Any JSON value, as received from the source.", specified_by: None };
pub(crate) const URL: Scalar =
    Scalar { name: "Url", description: "An absolute http or https URL.", specified_by: None };

impl Scalar {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let meta = MetaType::Scalar {
            name: self.name.to_owned(),
            description: Some(self.description.to_owned()),
            is_valid: None,
            visible: None,
            inaccessible: false,
            tags: vec![],
            specified_by_url: self.specified_by.map(str::to_owned),
            directive_invocations: vec![],
            requires_scopes: vec![],
        };
        registry.types.entry(self.name.to_owned()).or_insert(meta);
    }
}

/// A moment that a client sends: RFC 3339 with any offset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DateTime(pub Time);

impl InputType for DateTime {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        DATE_TIME.name.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        DATE_TIME.register(registry);
        Self::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let time = match &value {
            Some(Value::String(text)) => chrono::DateTime::parse_from_rfc3339(text).ok(),
            _ => None,
        };
        time.map(|time| DateTime(time.to_utc())).ok_or_else(|| {
            InputValueError::custom("a DateTime is a text as \"2026-04-21T11:15:00Z\" or \"2026-04-21T13:15:00+02:00\"")
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339())
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}
