//! The settings as a JSON Schema, for editors that complete and check while one types.

use super::declared::{Node, Presence, Setting};
use serde_json::{Map, Value, json};

pub(super) fn schema(nodes: &[Node], title: &str, id: &str) -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("$id".into(), id.into());
    schema.insert("title".into(), title.into());
    schema.extend(object(nodes));
    Value::Object(schema)
}

/// A table. Where a word decides, there is one alternative for each.
fn object(nodes: &[Node]) -> Map<String, Value> {
    let variants = nodes.iter().find_map(|node| match node {
        Node::Variants { tag, doc, variants, .. } => Some((tag, doc, variants)),
        _ => None,
    });
    let mut schema = Map::new();
    let Some((tag, doc, variants)) = variants else {
        let (properties, required) = members(nodes);
        schema.insert("type".into(), "object".into());
        schema.insert("properties".into(), Value::Object(properties));
        if !required.is_empty() {
            schema.insert("required".into(), required.into());
        }
        schema.insert("additionalProperties".into(), false.into());
        return schema;
    };
    let alternatives = variants.iter().map(|variant| {
        let (mut properties, mut required) = members(nodes);
        properties.insert((*tag).into(), json!({ "const": variant.word, "description": doc }));
        required.push((*tag).into());
        let (own, own_required) = members(&variant.nodes);
        properties.extend(own);
        required.extend(own_required);
        json!({
            "type": "object",
            "description": variant.doc,
            "properties": properties,
            "required": required,
            "additionalProperties": false
        })
    });
    schema.insert("oneOf".into(), alternatives.collect());
    schema
}

fn members(nodes: &[Node]) -> (Map<String, Value>, Vec<String>) {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for node in nodes {
        match node {
            Node::Setting(setting) => {
                properties.insert(setting.name.into(), value(setting));
                if matches!(setting.presence, Presence::Required) {
                    required.push(setting.name.into());
                }
            }
            Node::Section { name, doc, nodes } => {
                let mut section = object(nodes);
                section.insert("description".into(), (*doc).into());
                properties.insert((*name).into(), Value::Object(section));
            }
            Node::Named { name, doc, pattern, tables } => {
                let each = tables.first().map(|(_, nodes)| object(nodes)).unwrap_or_default();
                let named = json!({
                    "type": "object",
                    "description": doc,
                    "propertyNames": { "pattern": pattern },
                    "additionalProperties": each
                });
                properties.insert((*name).into(), named);
            }
            Node::Variants { .. } => {}
        }
    }
    (properties, required)
}

fn value(setting: &Setting) -> Value {
    let mut schema = setting.shape.schema.as_object().cloned().unwrap_or_default();
    let description = format!("{} Environment: {}.", setting.doc, setting.variable);
    schema.insert("description".into(), description.into());
    if let Presence::Default(default) = &setting.presence {
        schema.insert("default".into(), json_of(default));
    }
    Value::Object(schema)
}

fn json_of(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => text.value().as_str().into(),
        toml_edit::Value::Integer(number) => (*number.value()).into(),
        toml_edit::Value::Boolean(boolean) => (*boolean.value()).into(),
        toml_edit::Value::Array(members) => members.iter().map(json_of).collect(),
        // No kind of value shows itself as one of these.
        toml_edit::Value::Float(_) | toml_edit::Value::Datetime(_) | toml_edit::Value::InlineTable(_) => Value::Null,
    }
}
