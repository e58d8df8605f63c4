//! The fields of a create or update body, checked: all or nothing.

use super::build::{LogRecord, State};
use super::show::{Representation, zone};
use chrono::{DateTime, NaiveDateTime, TimeZone};
use serde_json::{Map, Value};

/// What a body asks for. Absent fields are `None`.
pub(super) struct Change {
    pub(super) name: String,
    pub(super) description: Option<String>,
    /// 0 critical, 1 trouble, 2 attention.
    pub(super) severity: Option<u8>,
    /// 0 open, 1 in progress, 2 closed.
    pub(super) status: Option<u8>,
    pub(super) assignee: Option<i64>,
    pub(super) due_at: Option<i64>,
    pub(super) notes: Vec<String>,
    /// Uuids of log records, and in capitals where they were found.
    pub(super) evidence: Vec<String>,
    pub(super) origin: &'static str,
}

pub(super) const SEVERITIES: [&str; 3] = ["critical", "trouble", "attention"];
pub(super) const STATUSES: [&str; 3] = ["open", "in_progress", "closed"];
const ORIGINS: [(&str, &str); 3] = [("search", "SEARCH"), ("report", "REPORT"), ("alert", "ALERT")];
const FIELDS: [&str; 10] =
    ["incident_id", "name", "description", "severity", "status", "assignee", "due_date", "notes", "evidence", "source"];

/// None if anything is wrong: a field that is not documented, a word of no list, nobody's id, evidence without a source.
pub(super) fn read(state: &State, body: &Map<String, Value>) -> Option<Change> {
    if body.keys().any(|key| !FIELDS.contains(&key.as_str())) {
        return None;
    }
    let name = body.get("name")?.as_str().filter(|name| !name.trim().is_empty())?;
    let assignee = given(body, "assignee", |value| {
        value.as_i64().filter(|id| *id == -1 || state.users.iter().any(|user| user.id == *id))
    })?;
    let evidence = given(body, "evidence", texts)?.unwrap_or_default();
    let source = given(body, "source", |value| value.as_str())?.unwrap_or_default();
    let origin = ORIGINS.iter().find(|(word, _)| *word == source).map(|(_, capitals)| *capitals);
    let known = origin.is_some() || (source.is_empty() && evidence.is_empty());
    if !known || !evidence.iter().all(|uuid| LogRecord::is_uuid(uuid)) {
        return None;
    }
    Some(Change {
        name: name.to_owned(),
        description: given(body, "description", |value| value.as_str().map(str::to_owned))?,
        severity: given(body, "severity", |value| place(&SEVERITIES, value))?,
        status: given(body, "status", |value| place(&STATUSES, value))?,
        assignee,
        due_at: given(body, "due_date", due)?,
        notes: given(body, "notes", texts)?.unwrap_or_default(),
        evidence,
        origin: origin.unwrap_or_default(),
    })
}

/// `Some(None)` where the field is absent; `None` where it is wrong, null included.
fn given<'a, T>(
    body: &'a Map<String, Value>,
    name: &str,
    read: impl FnOnce(&'a Value) -> Option<T>,
) -> Option<Option<T>> {
    match body.get(name) {
        None => Some(None),
        Some(value) => read(value).map(Some),
    }
}

/// Which of the words a value is.
pub(super) fn place(words: &[&str], value: &Value) -> Option<u8> {
    let text = value.as_str()?;
    words.iter().position(|word| *word == text).and_then(|place| u8::try_from(place).ok())
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

/// ISO 8601 with a zone as documented, or as in the document's own example: `2027-10-03 10:30:00`, in the server's zone.
fn due(value: &Value) -> Option<i64> {
    let text = value.as_str()?;
    let seconds = match DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.timestamp(),
        Err(_) => {
            let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()?;
            zone(Representation::Server).from_local_datetime(&local).earliest()?.timestamp()
        }
    };
    (seconds >= 0).then_some(seconds)
}
