//! What a line of a history says in our words. Pure.
//!
//! Of the kinds of change only `text` is documented by name. `date`, `user` and `threat_objectives` are read as their
//! descriptions suggest; what cannot be read so is kept as received.

use super::words;
use crate::domain::{ActivityKind, FieldChange, IncidentField, RawJson, Text, Vocabulary};
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;

/// What a line says.
#[derive(Default, Debug)]
pub(super) struct Said {
    pub(super) changes: Vec<FieldChange>,
    /// Changes that cannot be read, as received.
    pub(super) unread: Vec<Box<RawValue>>,
    /// Kinds that no document has.
    pub(super) unknown: Vec<Text>,
}

/// The members of a change, each as received.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Reads the changes of a line.
pub(super) fn read(changes: Vec<Box<RawValue>>) -> Said {
    let mut said = Said::default();
    for change in changes {
        let members: Members<'_> = serde_json::from_str(change.get()).unwrap_or_default();
        match field_change(&members) {
            Some(read) => said.changes.push(read),
            None => {
                said.unknown.extend(word(&members, "kind").map(Text::from));
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

fn field_change(change: &Members<'_>) -> Option<FieldChange> {
    let kind = word(change, "kind");
    let source_field = word(change, "field").or(match kind.as_deref() {
        Some("user") => Some("assigned_to".to_owned()),
        Some("threat_objectives") => Some("threat_objectives".to_owned()),
        _ => None,
    });
    let (added, removed) = (texts(change, "added"), texts(change, "removed"));
    let is_set = added.is_some() || removed.is_some();
    if !is_set && !change.contains_key("old") && !change.contains_key("new") {
        return None;
    }
    let field = source_field.as_deref().map_or(IncidentField::Other, field);
    Some(FieldChange {
        field,
        source_field: source_field.map(Text::from),
        before: value(field, change.get("old")),
        after: value(field, change.get("new")),
        added,
        removed,
    })
}

fn word(change: &Members<'_>, name: &str) -> Option<String> {
    serde_json::from_str(change.get(name)?.get()).ok()
}

/// A value of a field as received, so that no digit is lost; the words of closed sets become ours.
fn value(field: IncidentField, value: Option<&&RawValue>) -> Option<RawJson> {
    let json = value?.get();
    let word: Option<Text> = serde_json::from_str(json).ok();
    let ours = match (field, word.as_deref()) {
        (IncidentField::Status, Some(word)) => words::status(word).map(Vocabulary::name),
        (IncidentField::Severity, Some(word)) => words::severity(word).map(Vocabulary::name),
        _ => None,
    };
    (json != "null").then(|| RawJson::new(ours.map_or_else(|| json.into(), |word| format!("\"{word}\""))))
}

/// Members of a set: texts, or objects that name an objective, a tag or a person.
fn texts(change: &Members<'_>, name: &str) -> Option<Vec<Text>> {
    let value: Value = serde_json::from_str(change.get(name)?.get()).ok()?;
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
