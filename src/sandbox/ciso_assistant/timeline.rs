//! Creating, changing and deleting timeline entries.

use crate::sandbox::ciso_assistant::accounts::WRITE;
use crate::sandbox::ciso_assistant::json::Json;
use crate::sandbox::ciso_assistant::state::*;
use crate::sandbox::ciso_assistant::words;
use crate::sandbox::ciso_assistant::write::{Writer, forbidden};
use crate::sandbox::ciso_assistant::write_values::{self as values, TextRule};
use crate::sandbox::clock::Micros;
use crate::sandbox::wire::{JSON, Reply};
use serde_json::{Map, Value, json};

const ENTRY: TextRule = TextRule { max: 200, null: false, blank: false };
const PROSE: TextRule = TextRule { max: usize::MAX, null: true, blank: true };

#[derive(Default)]
struct Given {
    incident: Option<Index>,
    entry: Option<String>,
    entry_type: Option<u8>,
    timestamp: Option<Micros>,
    observation: Option<Option<String>>,
    evidences: Option<Vec<Index>>,
    is_published: Option<bool>,
}

/// The good value of a field that is given; a bad one is noted.
fn take<T>(
    body: &Map<String, Value>,
    errors: &mut Map<String, Value>,
    name: &str,
    read: impl FnOnce(&Value) -> Result<T, String>,
) -> Option<T> {
    match read(body.get(name)?) {
        Ok(value) => Some(value),
        Err(problem) => {
            errors.insert(name.to_owned(), json!([problem]));
            None
        }
    }
}

impl Writer<'_> {
    fn given(&self, body: &Map<String, Value>, required: &[&str], latest: Micros) -> Result<Given, Reply> {
        let mut errors = Map::new();
        for &name in required.iter().filter(|name| !body.contains_key(**name)) {
            errors.insert(name.to_owned(), json!([words::REQUIRED]));
        }
        let state = &*self.state;
        let codes = || words::ENTRY_TYPE.iter().map(|(code, _)| *code);
        let given = Given {
            entry: take(body, &mut errors, "entry", |value| values::text(value, ENTRY)).flatten(),
            entry_type: take(body, &mut errors, "entry_type", |value| values::choice(value, codes())),
            timestamp: take(body, &mut errors, "timestamp", values::time).flatten(),
            observation: take(body, &mut errors, "observation", |value| values::text(value, PROSE)),
            evidences: take(body, &mut errors, "evidences", |value| values::keys(state, Kind::Evidence, value)),
            is_published: take(body, &mut errors, "is_published", values::truth),
            incident: take(body, &mut errors, "incident", |value| values::key(state, Kind::Incident, value)),
        };
        if !errors.is_empty() {
            return Err(Reply::json(400, &Value::Object(errors)));
        }
        if given.timestamp.is_some_and(|timestamp| timestamp > latest) {
            return Err(Reply::json(400, &json!(["Timestamp cannot be in the future."])));
        }
        let hidden = |index: &&Index| !self.caller.sees(state, Kind::Evidence, **index);
        if given.evidences.iter().flatten().find(hidden).is_some() {
            let text = "You do not have permission to link to this evidence";
            return Err(Reply::json(403, &json!({ "evidences": text })));
        }
        Ok(given)
    }

    fn written_entry(&self, status: u16, index: Index) -> Reply {
        let mut json = Json::new();
        self.view().written_entry(&mut json, index);
        Reply::new(status, JSON, json.finish())
    }

    /// `POST /api/timeline-entries/`. `latest`: times after it are in the future.
    pub(super) fn create_entry(&mut self, body: &Map<String, Value>, latest: Micros) -> Reply {
        let given = match self.given(body, &["entry", "incident"], latest) {
            Ok(given) => given,
            Err(reply) => return reply,
        };
        let Some(incident) = given.incident else { return Reply::html_error(500) };
        if !self.caller.may(WRITE, self.state.incidents.at(incident).folder) {
            let text = "You do not have permission to add objects in this folder";
            return Reply::json(403, &json!({ "folder": text }));
        }
        let entry = Entry {
            id: self.state.random.uuid(),
            incident,
            author: Some(self.caller.actor),
            entry: given.entry.unwrap_or_default().into(),
            entry_type: given.entry_type.unwrap_or(words::OBSERVATION),
            timestamp: given.timestamp.unwrap_or(self.now),
            observation: given.observation.flatten().map(Into::into),
            evidences: self.state.set(Kind::Evidence, given.evidences.unwrap_or_default()),
            created_at: self.now + 900,
            updated_at: self.now + 917,
            is_published: given.is_published.unwrap_or(true),
        };
        let index = self.state.entries.add(entry);
        self.state.incidents.at_mut(incident).entries.push(index);
        self.written_entry(201, index)
    }

    /// `PUT` (`whole`) and `PATCH` of one entry. It stays with its incident.
    pub(super) fn update_entry(
        &mut self,
        index: Index,
        body: &Map<String, Value>,
        whole: bool,
        latest: Micros,
    ) -> Reply {
        if !self.caller.may(WRITE, self.state.folder_of(Kind::Entry, index)) {
            return forbidden();
        }
        let given = match self.given(body, if whole { &["entry", "incident"] } else { &[] }, latest) {
            Ok(given) => given,
            Err(reply) => return reply,
        };
        let evidences = given.evidences.map(|evidences| self.state.set(Kind::Evidence, evidences));
        let now = self.now;
        let entry = self.state.entries.at_mut(index);
        entry.entry = given.entry.map_or_else(|| entry.entry.clone(), Into::into);
        entry.entry_type = given.entry_type.unwrap_or(entry.entry_type);
        entry.timestamp = given.timestamp.unwrap_or(entry.timestamp);
        entry.is_published = given.is_published.unwrap_or(entry.is_published);
        if let Some(observation) = given.observation {
            entry.observation = observation.map(Into::into);
        }
        if let Some(evidences) = evidences {
            entry.evidences = evidences;
        }
        entry.updated_at = now.max(entry.updated_at + 1);
        self.written_entry(200, index)
    }

    /// `DELETE` of one entry; those that the server wrote itself stay.
    pub(super) fn delete_entry(&mut self, index: Index) -> Reply {
        let (incident, entry_type) = (self.state.entries.at(index).incident, self.state.entries.at(index).entry_type);
        if !self.caller.may(WRITE, self.state.folder_of(Kind::Entry, index)) {
            return forbidden();
        }
        if entry_type >= words::STATUS_CHANGED {
            return Reply::json(400, &json!({ "error": ["cannotDeleteAutoTimelineEntry"] }));
        }
        self.state.incidents.at_mut(incident).entries.retain(|&entry| entry != index);
        self.state.entries.remove(index);
        Reply::new(204, "", "")
    }
}
