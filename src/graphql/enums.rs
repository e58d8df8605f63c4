//! Vocabularies that clients may send: the same words as in answers, read from the same declarations.

use super::leaf::register_vocabulary;
use crate::domain::{
    AssetKind, AssetRole, CloudManagement, Detection, EvidenceKind, ExportFormat, IncidentOrderField, IncidentPhase,
    IncidentStatus, IncidentTimeField, Level, OrderDirection, OwnerKind, RelatedRecordKind, Resolution, Severity,
    SourceKind, TermKind, ThreatKind, Vocabulary,
};
use async_graphql::{InputType, InputValueError, InputValueResult, Name, Value, registry::Registry};
use std::borrow::Cow;

fn parse<V: Vocabulary + InputType>(value: Option<Value>) -> InputValueResult<V> {
    let named = match &value {
        Some(Value::Enum(name)) => V::named(name),
        Some(Value::String(name)) => V::named(name),
        _ => None,
    };
    named.ok_or_else(|| {
        let words: Vec<&str> = V::WORDS.iter().map(|word| word.name).collect();
        InputValueError::custom(format!("a {} is one of {}", V::NAME, words.join(", ")))
    })
}

macro_rules! input {
    ($($vocabulary:ty),+ $(,)?) => { $(
        impl InputType for $vocabulary {
            type RawValueType = Self;

            fn type_name() -> Cow<'static, str> {
                Self::NAME.into()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                register_vocabulary::<Self>(registry);
                Self::qualified_type_name()
            }

            fn parse(value: Option<Value>) -> InputValueResult<Self> {
                parse(value)
            }

            fn to_value(&self) -> Value {
                Value::Enum(Name::new(self.name()))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }
        }
    )+ };
}
input!(
    AssetKind,
    AssetRole,
    CloudManagement,
    Detection,
    EvidenceKind,
    ExportFormat,
    IncidentOrderField,
    IncidentPhase,
    IncidentStatus,
    IncidentTimeField,
    Level,
    OrderDirection,
    OwnerKind,
    RelatedRecordKind,
    Resolution,
    Severity,
    SourceKind,
    TermKind,
    ThreatKind,
);
