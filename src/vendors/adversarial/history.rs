//! What a line of a history says in our words. Pure.
//!
//! Of the kinds of change only `text` is documented by name. `date`, `user` and `threat_objectives` are read as their
//! descriptions suggest; what cannot be read so is kept as received.

use super::words;
use crate::domain::{ActivityKind, FieldChange, IncidentField, RawJson, Text, Vocabulary};
use serde_json::Value;

/// What a line says.
#[derive(Default, Debug)]
pub(super) struct Said {
    pub(super) changes: Vec<FieldChange>,
    /// Changes that cannot be read, as received.
    pub(super) unread: Vec<Value>,
    /// Kinds that no document has.
    pub(super) unknown: Vec<Text>,
}

/// Reads the changes of a line.
pub(super) fn read(changes: Vec<Value>) -> Said {
    let mut said = Said::default();
    for change in changes {
        match field_change(&change) {
            Some(read) => said.changes.push(read),
            None => {
                said.unknown.extend(change["kind"].as_str().map(Text::from));
                said.unread.push(change);
            }
        }
    }
    said
}

/// What a line is about: its first change that has a kind of its own. Without any change it is the trace of a comment.
pub(super) fn kind(is_creation: bool, said: &Said) -> ActivityKind {
    let about = |field: IncidentField| said.changes.iter().any(|change| change.field == field);
    match said {
        _ if is_creation => ActivityKind::Created,
        Said { changes, unread, .. } if changes.is_empty() && unread.is_empty() => ActivityKind::Commented,
        _ if about(IncidentField::Status) => ActivityKind::StatusChanged,
        _ if about(IncidentField::Severity) => ActivityKind::SeverityChanged,
        _ if about(IncidentField::Owners) => ActivityKind::Assigned,
        Said { changes, .. } if changes.is_empty() => ActivityKind::Other,
        _ => ActivityKind::Updated,
    }
}

fn field_change(change: &Value) -> Option<FieldChange> {
    let kind = change["kind"].as_str();
    let source_field = change["field"].as_str().or(match kind {
        Some("user") => Some("assigned_to"),
        Some("threat_objectives") => Some("threat_objectives"),
        _ => None,
    });
    let (added, removed) = (texts(&change["added"]), texts(&change["removed"]));
    let is_set = added.is_some() || removed.is_some();
    let is_value = change.get("old").is_some() || change.get("new").is_some();
    if !is_set && !is_value {
        return None;
    }
    let field = source_field.map_or(IncidentField::Other, field);
    Some(FieldChange {
        field,
        source_field: source_field.map(Text::from),
        before: value(field, &change["old"]),
        after: value(field, &change["new"]),
        added,
        removed,
    })
}

/// A value of a field; the words of closed sets become ours.
fn value(field: IncidentField, value: &Value) -> Option<RawJson> {
    let ours = match (field, value.as_str()) {
        (IncidentField::Status, Some(word)) => words::status(word).map(Vocabulary::name),
        (IncidentField::Severity, Some(word)) => words::severity(word).map(Vocabulary::name),
        _ => None,
    };
    let json = ours.map_or_else(|| value.to_string(), |word| Value::from(word).to_string());
    (!value.is_null()).then(|| RawJson::new(json))
}

/// Members of a set: texts, or objects that name an objective, a tag or a person.
fn texts(value: &Value) -> Option<Vec<Text>> {
    let text = |member: &Value| {
        let named =
            ["threat_objective", "content", "name", "email", "id"].iter().find_map(|name| member[*name].as_str());
        member.as_str().or(named).map_or_else(|| member.to_string().into(), Text::from)
    };
    Some(value.as_array()?.iter().map(text).collect())
}

fn field(name: &str) -> IncidentField {
    match name {
        "title" => IncidentField::Title,
        "description" => IncidentField::Description,
        "status" => IncidentField::Status,
        "severity" => IncidentField::Severity,
        "severity_reasoning" => IncidentField::SeverityReasoning,
        "source" => IncidentField::Origins,
        "assigned_to" => IncidentField::Owners,
        "opened_by" => IncidentField::CreatedBy,
        "detected_date" => IncidentField::DetectedAt,
        "occurred_date" => IncidentField::OccurredAt,
        "responded_date" => IncidentField::RespondedAt,
        "contained_date" => IncidentField::ContainedAt,
        "tags" => IncidentField::Tags,
        "threat_objectives" => IncidentField::Threats,
        "risk_associations" => IncidentField::RelatedRecords,
        _ => IncidentField::Other,
    }
}
