//! The objects of the simulated server, and how each is written as JSON.

use crate::sandbox::clock::Micros;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

pub(super) const STATUSES: [&str; 4] = ["New", "In Progress", "Review", "Closed"];
pub(super) const SEVERITIES: [&str; 5] = ["SEV-1", "SEV-2", "SEV-3", "SEV-4", "SEV-5"];
pub(super) const OBJECTIVES: [&str; 6] =
    ["Sabotage", "Data Disclosure", "Extortion", "Customer Targeting", "Resource Hijacking", "Fraud"];
/// The organisation's own list of where incidents come from.
pub(super) const SOURCES: [&str; 4] = ["SIEM", "EDR", "Employee report", "Bug bounty"];

pub(super) struct User {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    /// Path below `/v1/`.
    pub(super) icon: Option<String>,
    pub(super) active: bool,
}

pub(super) struct Tag {
    pub(super) id: String,
    pub(super) content: String,
    pub(super) creator: usize,
    pub(super) org: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Objective {
    pub(super) word: &'static str,
    pub(super) relevance: Option<String>,
    pub(super) linked_at: Option<Micros>,
}

pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) user: usize,
    pub(super) value: String,
    pub(super) at: Micros,
}

/// One line of a history. A comment leaves one without changes.
pub(super) struct Entry {
    pub(super) changes: Vec<Value>,
    pub(super) creation: bool,
    pub(super) at: Micros,
    pub(super) user: usize,
}

pub(super) struct Incident {
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) status: &'static str,
    pub(super) severity: Option<&'static str>,
    pub(super) severity_reasoning: Option<String>,
    pub(super) source: Option<String>,
    pub(super) created: Micros,
    pub(super) updated: Micros,
    pub(super) detected: Micros,
    pub(super) occurred: Option<Micros>,
    pub(super) responded: Option<Micros>,
    pub(super) contained: Option<Micros>,
    pub(super) assigned_to: Option<usize>,
    pub(super) opened_by: usize,
    pub(super) risks: Vec<u32>,
    pub(super) tags: Vec<usize>,
    pub(super) objectives: Vec<Objective>,
    /// Oldest first.
    pub(super) comments: Vec<Comment>,
    /// Oldest first; answered newest first.
    pub(super) history: Vec<Entry>,
}

/// Everything that is kept. An incident's place is its number less one: nothing is ever deleted here.
pub(super) struct State {
    pub(super) users: Vec<User>,
    pub(super) tags: Vec<Tag>,
    pub(super) incidents: Vec<Incident>,
    pub(super) comments: u64,
}

impl User {
    pub(super) fn json(&self) -> Value {
        json!({
            "email": self.email, "first_name": self.first_name, "icon": self.icon, "id": self.id,
            "last_name": self.last_name,
        })
    }
}

impl Incident {
    pub(super) fn display_id(&self) -> String {
        format!("INC-{:05}", self.number)
    }

    /// Notes that it was touched, and what changed.
    pub(super) fn touch(&mut self, user: usize, at: Micros, changes: Vec<Value>) {
        self.updated = self.updated.max(at);
        self.history.push(Entry { changes, creation: false, at, user });
    }
}

impl State {
    /// The incident of a path's or a body's id, in either form: `41`, `INC-41`, `INC-00041`.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        let number: usize = id.strip_prefix("INC-").unwrap_or(id).parse().ok()?;
        number.checked_sub(1).filter(|place| *place < self.incidents.len())
    }

    pub(super) fn user(&self, id: &str) -> Option<usize> {
        self.users.iter().position(|user| user.id == id)
    }

    /// The core of an incident, as a creation answers it.
    pub(super) fn flat(&self, incident: &Incident) -> Value {
        json!({
            "assigned_to": incident.assigned_to.map(|user| self.users[user].json()),
            "contained_date": incident.contained.map(rfc3339),
            "created_date": rfc3339(incident.created),
            "description": incident.description,
            "detected_date": rfc3339(incident.detected),
            "id": incident.display_id(),
            "occurred_date": incident.occurred.map(rfc3339),
            "opened_by": self.users[incident.opened_by].json(),
            "responded_date": incident.responded.map(rfc3339),
            "severity": incident.severity,
            "severity_reasoning": incident.severity_reasoning,
            "source": incident.source,
            "status": incident.status,
            "title": incident.title,
            "updated_date": rfc3339(incident.updated),
        })
    }

    /// A row of the register.
    pub(super) fn row(&self, incident: &Incident) -> Value {
        let tag = |tag: &usize| {
            let Tag { id, content, creator, org } = &self.tags[*tag];
            json!({ "content": content, "creator_id": self.users[*creator].id, "id": id, "org_id": org })
        };
        let objective = |objective: &Objective| {
            json!({
                "created_date": objective.linked_at.map(rfc3339), "relevance": objective.relevance,
                "threat_objective": objective.word,
            })
        };
        json!({
            "comment_count": incident.comments.len(),
            "incident": self.flat(incident),
            "risk_associations": incident.risks.iter().map(|risk| format!("RSK-{risk:05}")).collect::<Vec<_>>(),
            "tags": incident.tags.iter().map(tag).collect::<Vec<_>>(),
            "threat_objectives": incident.objectives.iter().map(objective).collect::<Vec<_>>(),
        })
    }

    pub(super) fn comment(&self, comment: &Comment) -> Value {
        json!({
            "id": comment.id.to_string(), "user": self.users[comment.user].json(), "value": comment.value,
            "created_date": rfc3339(comment.at),
        })
    }

    pub(super) fn entry(&self, entry: &Entry) -> Value {
        json!({
            "changes": entry.changes, "is_creation": entry.creation, "timestamp": rfc3339(entry.at),
            "user": self.users[entry.user].json(),
        })
    }
}

/// `{"kind":"text", …}`, one of the changes that a history tells (documented; the other kinds' names are inferred).
pub(super) fn text_change(field: &str, old: Option<&str>, new: Option<&str>) -> Value {
    json!({ "kind": "text", "field": field, "old": old, "new": new })
}

pub(super) fn date_change(field: &str, old: Option<Micros>, new: Option<Micros>) -> Value {
    json!({ "kind": "date", "field": field, "old": old.map(rfc3339), "new": new.map(rfc3339) })
}

pub(super) fn user_change(old: Option<&User>, new: Option<&User>) -> Value {
    json!({ "kind": "user", "field": "assigned_to", "old": old.map(User::json), "new": new.map(User::json) })
}

pub(super) fn objectives_change(old: &[Objective], new: &[Objective]) -> Value {
    let only = |all: &[Objective], but: &[Objective]| {
        let left = all.iter().filter(|one| !but.iter().any(|other| other.word == one.word));
        left.map(|one| json!({ "threat_objective": one.word, "relevance": one.relevance })).collect::<Vec<_>>()
    };
    json!({ "kind": "threat_objectives", "added": only(new, old), "removed": only(old, new) })
}

pub(super) fn rfc3339(at: Micros) -> String {
    DateTime::from_timestamp_micros(at).unwrap_or_default().to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The time that a text names; `None` when it is no RFC 3339 date-time.
pub(super) fn micros(text: &str) -> Option<Micros> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros())
}
