//! From rows to incidents and owners. Pure; never fails: what is not understood is left absent or kept as text, and noted.

use super::config::{Config, Grades};
use super::time::{self, Certainty};
use super::wire::{IncidentRow, UserRow};
use super::words;
use crate::{
    domain::{
        Incident, IncidentStatus, Key, Link, NativeId, Owner, OwnerKind, OwnerProfile, RawJson, Record, Severity,
        SourceKind, SourceName, Text, Time,
    },
    vendors::common::Scalar,
};
use chrono_tz::Tz;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the native id of an owner begins with of whom the server told the name only. All others are numbers.
pub(super) const CREATOR: &str = "name/";
/// The assignee of what nobody is assigned to (published document, by its examples).
const NOBODY: &str = "-1";

/// What was noticed while mapping.
#[derive(Default, Debug)]
pub(super) struct Notes {
    /// Words of closed sets that are not documented: the member and the word.
    pub(super) unknown: BTreeSet<(&'static str, Text)>,
    /// Values that could not be read: of which record, and what.
    pub(super) broken: Vec<(Option<String>, String)>,
    /// Times in an hour that occurs twice.
    pub(super) twice: u32,
    /// Times in an hour that does not occur.
    pub(super) never: u32,
}

/// Makes records of one source.
pub(super) struct Mapper {
    pub(super) source: SourceName,
    zone: Tz,
    grades: Grades,
    /// Whether owners are given by id. Where not, each stands beside the links to it.
    owners_by_id: bool,
    pub(super) incident_time_is_added: bool,
}

impl Mapper {
    pub(super) fn new(source: &SourceName, config: &Config) -> Self {
        Mapper {
            source: source.clone(),
            zone: config.time_zone,
            grades: config.grades,
            owners_by_id: config.read_users,
            incident_time_is_added: config.incident_time_is_added,
        }
    }

    pub(super) fn key(&self, id: impl Into<NativeId>) -> Key {
        Key::new(&self.source, id)
    }

    /// The moment of a printed time. `of` names the record in the log.
    pub(super) fn time(&self, of: &str, member: &'static str, text: Option<&str>, notes: &mut Notes) -> Option<Time> {
        let text = text.filter(|text| !text.trim().is_empty())?;
        let Some((time, certainty)) = time::read(text, self.zone) else {
            notes.broken.push((Some(of.to_owned()), format!("{member} is no time")));
            return None;
        };
        match certainty {
            Certainty::Certain => {}
            Certainty::Twice => notes.twice += 1,
            Certainty::Never => notes.never += 1,
        }
        Some(time)
    }

    pub(super) fn incident(&self, row: IncidentRow, raw: Option<RawJson>, notes: &mut Notes) -> Incident {
        let id = row.incident_id.0;
        let mut incident = Incident::new(self.key(&*id), SourceKind::EventlogAnalyzer);
        incident.created_at = self.time(&id, "created_time", row.created_time.as_deref(), notes);
        incident.due_at = self.time(&id, "due_date", row.due_date.as_deref(), notes);
        incident.reference = Some(id);
        incident.title = row.incident_name;
        incident.description = row.incident_description;
        if let Some(word) = row.severity.filter(|word| !word.is_empty()) {
            let known = words::severity(&word, self.grades);
            meant(notes, "severity", &word, known.is_some());
            incident.severity = known.unwrap_or(Severity::Unknown);
            incident.source_severity = Some(word);
        }
        if let Some(word) = row.status.filter(|word| !word.is_empty()) {
            let known = words::status(&word);
            meant(notes, "status", &word, known.is_some());
            incident.status = known.unwrap_or(IncidentStatus::Other);
            incident.source_status = Some(word);
        }
        incident.owners = self.assignee(row.assign_to, &mut incident.embedded).into_iter().collect();
        incident.created_by = self.named(row.created_by, &mut incident.embedded);
        // The row tells none; the detail does.
        incident.assets_apart = true;
        incident.raw = raw;
        incident
    }

    fn assignee(&self, id: Option<Scalar>, embedded: &mut Vec<Record>) -> Option<Link> {
        let id = id.map(|Scalar(id)| id).filter(|id| !id.trim().is_empty() && **id != *NOBODY)?;
        let key = self.key(&*id);
        // What is no number of 64 bits is no id of the documented kind: such owners are not looked up.
        let odd = !super::query::is_number(&id);
        if odd || !self.owners_by_id {
            let name = id.bytes().any(|byte| !byte.is_ascii_digit()).then(|| id.clone());
            embedded.push(Record::Owner(Arc::new(owner(key.clone(), name.filter(|_| odd)))));
        }
        Some(Link::bare(key))
    }

    /// A link to somebody of whom only the name was told.
    pub(super) fn named(&self, name: Option<Text>, embedded: &mut Vec<Record>) -> Option<Link> {
        let name = name.filter(|name| !name.trim().is_empty())?;
        let key = self.key(&*format!("{CREATOR}{name}"));
        if !self.owners_by_id {
            embedded.push(Record::Owner(Arc::new(owner(key.clone(), Some(name.clone())))));
        }
        Some(Link::new(key, name))
    }

    /// A user, under the id by which the user was asked for.
    pub(super) fn user(&self, id: &NativeId, row: &UserRow, raw: Option<RawJson>) -> Owner {
        let mut owner = owner(self.key(id.clone()), row.user_name.clone());
        owner.profile.email = row.email.clone().filter(|email| !email.is_empty());
        owner.profile.raw = raw;
        owner
    }

    /// Somebody whom the list of users lacks, as it does once an account is removed: what an incident's row told of them.
    /// None for what is no id of an owner.
    pub(super) fn unlisted(&self, id: &NativeId) -> Option<Owner> {
        let text = id.to_string();
        match text.strip_prefix(CREATOR) {
            Some("") => None,
            Some(name) => Some(owner(self.key(id.clone()), Some(name.into()))),
            None => super::query::is_number(&text).then(|| owner(self.key(id.clone()), None)),
        }
    }
}

/// The native id of an owner whom people name by the server's own id: a number, or else a name.
pub(super) fn owner_id(text: &str) -> Option<NativeId> {
    match text {
        "" | CREATOR => None,
        text if text.starts_with(CREATOR) || super::query::is_number(text) => Some(NativeId::new(text)),
        text => Some(NativeId::new(&format!("{CREATOR}{text}"))),
    }
}

fn owner(key: Key, name: Option<Text>) -> Owner {
    Owner { key, kind: OwnerKind::User, source_type: None, name, profile: OwnerProfile::default() }
}

/// Notes a word that is not documented.
pub(super) fn meant(notes: &mut Notes, member: &'static str, word: &Text, known: bool) {
    if !known {
        notes.unknown.insert((member, word.clone()));
    }
}
