//! The API over one source with a handful of records.

use crate::{
    differential::memory::{Asked, Memory, capabilities},
    support::{api_within, call, now, wide},
};
use incident_gateway::{
    domain::*,
    graphql::{Api, Request},
    source::{Call, Source},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The API over one source, `soc`.
pub(crate) struct One {
    api: Api,
    source: Arc<Memory>,
}

pub(crate) fn key(native: &str) -> Key {
    Key::new(&SourceName::new("soc"), native)
}

/// The global id of a record of `soc`.
pub(crate) fn id(kind: RecordKind, native: &str) -> String {
    let mut text = String::new();
    GlobalId::write(kind.id_kind(), &key(native), &mut text);
    text
}

impl One {
    /// Records as a test needs them; `change` makes some fail.
    pub(crate) fn new(records: Vec<Record>, change: impl FnOnce(&mut Memory)) -> Self {
        let mut memory = Memory::new("soc", capabilities(&[IncidentField::Owners]), records);
        change(&mut memory);
        let source = Arc::new(memory);
        One { api: api_within(vec![source.clone() as Arc<dyn Source>], wide()), source }
    }

    /// The answer as text.
    pub(crate) async fn text(&self, query: &str, variables: Value, call: &Call) -> String {
        let Value::Object(variables) = variables else { panic!("variables are an object") };
        let request = Request { query: query.into(), variables, ..Request::default() };
        self.api.execute(request, call).await.body
    }

    pub(crate) async fn ask_with(&self, query: &str, variables: Value) -> Value {
        serde_json::from_str(&self.text(query, variables, &call("r-1")).await).unwrap()
    }

    pub(crate) async fn ask(&self, query: &str) -> Value {
        self.ask_with(query, json!({})).await
    }

    /// `data` as text, of an answer without errors.
    pub(crate) async fn data(&self, query: &str, variables: Value) -> String {
        let text = self.text(query, variables, &call("r-1")).await;
        let data = text.strip_prefix("{\"data\":").and_then(|rest| rest.strip_suffix('}'));
        assert!(data.is_some() && !text.contains("\"errors\""), "{text}");
        data.unwrap().to_owned()
    }

    /// What the source was asked since the last look.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let mut asked = self.source.asked();
        asked.sort();
        asked
    }
}

/// Path, code and count of every error.
pub(crate) fn errors(answer: &Value) -> Vec<Value> {
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .map(|error| json!([error["path"], error["extensions"]["code"], error["extensions"]["count"]]))
        .collect()
}

pub(crate) fn asset(native: &str) -> Asset {
    let name = Some(format!("asset {native}").into());
    Asset { name, description: Some("described".into()), ..Asset::new(key(native), AssetKind::Host) }
}

pub(crate) fn owner(native: &str) -> Owner {
    let profile = OwnerProfile {
        email: Some(format!("{native}@example.org").into()),
        raw: Some(RawJson::new(r#"{"pk":1}"#)),
        ..OwnerProfile::default()
    };
    Owner { key: key(native), kind: OwnerKind::User, source_type: None, name: Some(native.into()), profile }
}

pub(crate) fn incident(native: &str) -> Incident {
    Incident {
        title: Some(format!("Incident {native}").into()),
        created_at: Some(now()),
        raw: Some(RawJson::new(r#"{"b":1,"a":[]}"#)),
        ..Incident::new(key(native), SourceKind::CisoAssistant)
    }
}
