//! Writes: create, patch one, patch many, comment. Null and absent are the same, so nothing can be cleared (inferred from
//! a server that documents every field as nullable and tells no difference).

use super::Server;
use super::build::SERVICE_ACCOUNT;
use super::state::{
    Comment, Entry, Incident, OBJECTIVES, Objective, SEVERITIES, SOURCES, STATUSES, State, date_change, micros,
    objectives_change, text_change, user_change,
};
use crate::sandbox::clock::Micros;
use crate::sandbox::wire::Reply;
use serde_json::{Map, Value, json};

/// What a body wants changed; absent and null leave a field as it is.
#[derive(Default)]
struct Patch {
    title: Option<String>,
    description: Option<String>,
    severity_reasoning: Option<String>,
    source: Option<String>,
    status: Option<&'static str>,
    severity: Option<&'static str>,
    assigned_to: Option<usize>,
    dates: [Option<Micros>; 4],
    tags: Option<Vec<usize>>,
    objectives: Option<Vec<Objective>>,
}

const DATES: [&str; 4] = ["detected_date", "occurred_date", "responded_date", "contained_date"];

fn invalid(field: &str, what: &str) -> Reply {
    Reply::json(400, &json!({ "errors": { field: [what] } }))
}

fn empty() -> Reply {
    Reply::json(400, &json!({ "error": "Bad Request", "description": "Empty payload" }))
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Reply> {
    serde_json::from_slice(body).map_err(|_| Server::refused(400))
}

impl Patch {
    /// Reads a body. An unknown member is refused, though the real server may ignore it: a mistake shall be seen.
    fn read(state: &State, body: &Map<String, Value>) -> Result<Patch, Reply> {
        let mut patch = Patch::default();
        for (name, value) in body.iter().filter(|(_, value)| !value.is_null()) {
            let text = || value.as_str().map(str::to_owned).ok_or_else(|| invalid(name, "not a text"));
            let word = |words: &[&'static str]| {
                words.iter().copied().find(|word| Some(*word) == value.as_str()).ok_or_else(|| invalid(name, "unknown"))
            };
            match name.as_str() {
                "title" => patch.title = Some(text()?),
                "description" => patch.description = Some(text()?),
                "severity_reasoning" => patch.severity_reasoning = Some(text()?),
                "source" => patch.source = Some(word(&SOURCES)?.to_owned()),
                "status" => patch.status = Some(word(&STATUSES)?),
                "severity" => patch.severity = Some(word(&SEVERITIES)?),
                "assigned_to" => patch.assigned_to = Some(assignee(state, &text()?)?),
                "tags" => patch.tags = Some(tags(state, value)?),
                "threat_objectives" => patch.objectives = Some(objectives(value)?),
                "ids" | "tag_operation" => {}
                date => match DATES.iter().position(|other| *other == date) {
                    Some(place) => {
                        let at = micros(&text()?).ok_or_else(|| invalid(name, "not a date-time"))?;
                        patch.dates[place] = Some(at);
                    }
                    None => return Err(invalid(name, "unknown field")),
                },
            }
        }
        Ok(patch)
    }

    fn is_empty(&self) -> bool {
        let texts = [&self.title, &self.description, &self.severity_reasoning, &self.source];
        texts.iter().all(|text| text.is_none())
            && self.status.is_none()
            && self.severity.is_none()
            && self.assigned_to.is_none()
            && self.dates.iter().all(Option::is_none)
            && self.tags.is_none()
            && self.objectives.is_none()
    }

    /// Changes an incident and notes what changed. `tag_operation`: its words are in no page, so that these are guesses.
    fn apply(&self, state: &mut State, place: usize, tag_operation: Option<&str>, now: Micros) {
        let State { users, incidents, .. } = state;
        let incident = &mut incidents[place];
        let mut changes = Vec::new();
        let mut text = |name: &str, old: &mut Option<String>, new: &Option<String>| {
            if new.is_some() && old != new {
                changes.push(text_change(name, old.as_deref(), new.as_deref()));
                old.clone_from(new);
            }
        };
        let (mut title, mut description) = (Some(incident.title.clone()), Some(incident.description.clone()));
        text("title", &mut title, &self.title);
        text("description", &mut description, &self.description);
        text("severity_reasoning", &mut incident.severity_reasoning, &self.severity_reasoning);
        text("source", &mut incident.source, &self.source);
        (incident.title, incident.description) = (title.unwrap_or_default(), description.unwrap_or_default());
        if let Some(new) = self.status.filter(|new| *new != incident.status) {
            changes.push(text_change("status", Some(incident.status), Some(new)));
            incident.status = new;
        }
        if self.severity.is_some() && self.severity != incident.severity {
            changes.push(text_change("severity", incident.severity, self.severity));
            incident.severity = self.severity;
        }
        if self.assigned_to.is_some() && self.assigned_to != incident.assigned_to {
            let user = |place: Option<usize>| place.map(|place| &users[place]);
            changes.push(user_change(user(incident.assigned_to), user(self.assigned_to)));
            incident.assigned_to = self.assigned_to;
        }
        changes.extend(self.apply_dates(incident));
        if let Some(new) = &self.objectives {
            changes.push(objectives_change(&incident.objectives, new));
            incident.objectives.clone_from(new);
        }
        if let Some(new) = &self.tags {
            match tag_operation {
                Some("Add") => incident.tags.extend(new),
                Some("Remove") => incident.tags.retain(|tag| !new.contains(tag)),
                _ => incident.tags.clone_from(new),
            }
            incident.tags.sort_unstable();
            incident.tags.dedup();
        }
        incident.touch(SERVICE_ACCOUNT, now, changes);
    }

    fn apply_dates(&self, incident: &mut Incident) -> Vec<Value> {
        let mut changes = Vec::new();
        let mut detected = Some(incident.detected);
        let fields = [&mut detected, &mut incident.occurred, &mut incident.responded, &mut incident.contained];
        for ((name, field), new) in DATES.iter().zip(fields).zip(self.dates) {
            if new.is_some() && *field != new {
                changes.push(date_change(name, *field, new));
                *field = new;
            }
        }
        incident.detected = detected.unwrap_or(incident.detected);
        changes
    }
}

fn assignee(state: &State, id: &str) -> Result<usize, Reply> {
    match state.user(id) {
        Some(user) if state.users[user].active => Ok(user),
        Some(_) => {
            let error = json!({ "code": "inactive", "message": "assignee is inactive", "params": {} });
            Err(Reply::json(400, &json!({ "errors": { "assigned_to": [error] } })))
        }
        None => Err(invalid("assigned_to", "unknown")),
    }
}

/// By id or by content; which of them is meant is in no page.
fn tags(state: &State, value: &Value) -> Result<Vec<usize>, Reply> {
    let wanted = value.as_array().ok_or_else(|| invalid("tags", "not a list"))?;
    let place = |one: &Value| {
        let text = one.as_str()?;
        state.tags.iter().position(|tag| tag.content == text || tag.id == text)
    };
    wanted.iter().map(|one| place(one).ok_or_else(|| invalid("tags", "unknown"))).collect()
}

fn objectives(value: &Value) -> Result<Vec<Objective>, Reply> {
    let wanted = value.as_array().ok_or_else(|| invalid("threat_objectives", "not a list"))?;
    let read = |one: &Value| {
        let word = OBJECTIVES.iter().copied().find(|word| Some(*word) == one["threat_objective"].as_str())?;
        let linked_at = one["created_date"].as_str().and_then(micros);
        Some(Objective { word, relevance: one["relevance"].as_str().map(str::to_owned), linked_at })
    };
    wanted.iter().map(|one| read(one).ok_or_else(|| invalid("threat_objectives", "unknown"))).collect()
}

/// `POST /v1/incidents`: answers the flat incident, not a row.
pub(super) fn create(state: &mut State, body: &[u8], now: Micros) -> Reply {
    let patch = match object(body).and_then(|body| Patch::read(state, &body)) {
        Ok(patch) => patch,
        Err(reply) => return reply,
    };
    let Some(title) = patch.title.clone() else { return invalid("title", "missing") };
    let place = state.incidents.len();
    state.incidents.push(Incident {
        number: place as u64 + 1,
        title: title.clone(),
        description: String::new(),
        status: STATUSES[0],
        severity: None,
        severity_reasoning: None,
        source: None,
        created: now,
        updated: now,
        detected: now,
        occurred: None,
        responded: None,
        contained: None,
        assigned_to: None,
        opened_by: SERVICE_ACCOUNT,
        risks: Vec::new(),
        tags: Vec::new(),
        objectives: Vec::new(),
        comments: Vec::new(),
        history: Vec::new(),
    });
    patch.apply(state, place, None, now);
    let incident = &mut state.incidents[place];
    let changes = vec![text_change("title", None, Some(&title)), text_change("status", None, Some(incident.status))];
    incident.history = vec![Entry { changes, creation: true, at: now, user: SERVICE_ACCOUNT }];
    Reply::json(201, &state.flat(&state.incidents[place]))
}

/// `PATCH /v1/incidents/{id}`: answers the row.
pub(super) fn patch_one(state: &mut State, place: usize, body: &[u8], now: Micros) -> Reply {
    match object(body).and_then(|body| Patch::read(state, &body)) {
        Err(reply) => reply,
        Ok(patch) if patch.is_empty() => empty(),
        Ok(patch) => {
            patch.apply(state, place, None, now);
            Reply::json(200, &state.row(&state.incidents[place]))
        }
    }
}

/// `PATCH /v1/incidents`: the same values for all `ids`; one unknown id and nothing is changed.
pub(super) fn patch_many(state: &mut State, body: &[u8], now: Micros) -> Reply {
    let body = match object(body) {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let patch = match Patch::read(state, &body) {
        Ok(patch) => patch,
        Err(reply) => return reply,
    };
    let ids: Vec<&str> =
        body.get("ids").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if ids.is_empty() || patch.is_empty() {
        return empty();
    }
    // The body wants the display form.
    let places: Option<Vec<usize>> = ids.iter().map(|id| state.place(id).filter(|_| id.starts_with("INC-"))).collect();
    let Some(places) = places else { return Server::refused(404) };
    let operation = body.get("tag_operation").and_then(Value::as_str);
    for place in &places {
        patch.apply(state, *place, operation, now);
    }
    let rows: Vec<Value> = places.iter().map(|place| state.row(&state.incidents[*place])).collect();
    Reply::json(200, &json!({ "incidents": rows }))
}

/// `POST /v1/incidents/{id}/comments`
pub(super) fn comment(state: &mut State, place: usize, body: &[u8], now: Micros) -> Reply {
    let body = match object(body) {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let Some(value) = body.get("value").and_then(Value::as_str).filter(|value| !value.is_empty()) else {
        return invalid("value", "missing");
    };
    state.comments += 1;
    let comment = Comment { id: state.comments, user: SERVICE_ACCOUNT, value: value.to_owned(), at: now };
    let json = state.comment(&comment);
    let incident = &mut state.incidents[place];
    incident.comments.push(comment);
    incident.touch(SERVICE_ACCOUNT, now, Vec::new());
    Reply::json(200, &json)
}
