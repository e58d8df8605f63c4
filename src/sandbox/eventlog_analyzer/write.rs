//! Creating, changing and deleting. Each answers with a message, never with the object.
//!
//! Not documented and chosen here: absent fields of an update stay as they are; notes and evidence are added, since
//! nothing can remove them; each change is one entry of the history; a deletion with an unknown id deletes nothing.

use super::build::{Incident, LogRecord, Note, State};
use super::change::{self, Change};
use super::show::status_word;
use serde_json::{Map, Value, json};

const MOST_DELETED: usize = 100;

/// Makes an incident. `now` in seconds, as everywhere here.
pub(super) fn create(state: &mut State, body: &Map<String, Value>, now: i64) -> Option<Value> {
    if body.contains_key("incident_id") {
        return None;
    }
    let change = change::read(state, body)?;
    if state.is_taken(&change.name, None) {
        return None;
    }
    let by = state.token_owner();
    let mut incident = Incident {
        id: state.next_id(),
        name: change.name.clone(),
        description: change.description.clone().unwrap_or_default(),
        severity: change.severity.unwrap_or(2),
        status: change.status.unwrap_or(0),
        assignee: change.assignee.unwrap_or(-1),
        created_at: now,
        due_at: change.due_at,
        created_by: by.clone(),
        ..Incident::default()
    };
    let text = format!("{} incident has been created successfully by {by}.", incident.name);
    incident.note_activity("Incident Created", text, now);
    add(&mut incident, &change, &by, now);
    let id = incident.id;
    state.insert(incident);
    Some(json!({ "data": { "incident_id": id, "message": "Incident has been created successfully." } }))
}

/// Changes the incident that the body names.
pub(super) fn update(state: &mut State, body: &Map<String, Value>, now: i64) -> Option<Value> {
    let id = body.get("incident_id")?.as_i64()?;
    let change = change::read(state, body)?;
    let by = state.token_owner();
    if state.is_taken(&change.name, Some(id)) {
        return None;
    }
    let incident = state.incident_mut(id)?;
    let mut changed = |what: String| {
        let text = format!("{what} of {} by {by}.", change.name);
        incident.note_activity("Incident Updated", text, now);
    };
    if let Some(status) = change.status {
        changed(format!("Status changed to {}", status_word(status)));
    }
    if change.severity.is_some() {
        changed("Severity changed".to_owned());
    }
    if change.assignee.is_some() {
        changed("Assignee changed".to_owned());
    }
    incident.name.clone_from(&change.name);
    incident.severity = change.severity.unwrap_or(incident.severity);
    incident.status = change.status.unwrap_or(incident.status);
    incident.assignee = change.assignee.unwrap_or(incident.assignee);
    incident.due_at = change.due_at.or(incident.due_at);
    if let Some(description) = &change.description {
        incident.description.clone_from(description);
    }
    add(incident, &change, &by, now);
    Some(json!({ "data": { "message": "Incident has been updated successfully." } }))
}

/// Deletes up to a hundred incidents at once.
pub(super) fn delete(state: &mut State, body: &Map<String, Value>) -> Option<Value> {
    let ids: Option<Vec<i64>> = body.get("incident_ids")?.as_array()?.iter().map(Value::as_i64).collect();
    let ids = ids.filter(|ids| (1..=MOST_DELETED).contains(&ids.len()) && body.len() == 1)?;
    if !ids.iter().all(|id| state.incident(*id).is_some()) {
        return None;
    }
    state.remove(&ids);
    Some(json!({ "data": { "message": "Incident has been deleted successfully." } }))
}

/// Notes and evidence of a body.
fn add(incident: &mut Incident, change: &Change, by: &str, now: i64) {
    for uuid in &change.evidence {
        if !incident.evidence.iter().any(|record| record.uuid == *uuid) {
            incident.evidence.push(LogRecord::of_uuid(uuid, change.origin, by, now));
        }
    }
    if !change.evidence.is_empty() {
        let text = format!("New evidence added to {} by {by}.", incident.name);
        incident.note_activity("Incident Updated", text, now);
    }
    for note in &change.notes {
        incident.notes.push(Note { text: note.clone(), by: by.to_owned(), at: now });
        let text = format!("Notes added to {} by {by}.", incident.name);
        incident.note_activity("Incident Notes Added", text, now);
    }
}
