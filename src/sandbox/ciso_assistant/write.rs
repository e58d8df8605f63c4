//! Creating, changing and deleting incidents.

use crate::sandbox::Release;
use crate::sandbox::ciso_assistant::accounts::{Account, WRITE};
use crate::sandbox::ciso_assistant::changes::{Changes, Rules};
use crate::sandbox::ciso_assistant::json::Json;
use crate::sandbox::ciso_assistant::ranks::Ranks;
use crate::sandbox::ciso_assistant::render::View;
use crate::sandbox::ciso_assistant::state::*;
use crate::sandbox::ciso_assistant::words;
use crate::sandbox::clock::Micros;
use crate::sandbox::wire::{JSON, Reply};
use serde_json::{Map, Value, json};

/// Somebody who changes something.
pub(super) struct Writer<'a> {
    pub(super) state: &'a mut State,
    pub(super) caller: &'a Account,
    pub(super) release: Release,
    /// What new times are set to.
    pub(super) now: Micros,
    /// Messages are wanted in French.
    pub(super) french: bool,
}

pub(super) fn forbidden() -> Reply {
    Reply::detail(403, "You do not have permission to perform this action.")
}

impl Writer<'_> {
    pub(super) fn view(&self) -> View<'_> {
        View { state: self.state, caller: self.caller, release: self.release }
    }

    fn rules(&self, whole: bool) -> Rules {
        Rules { whole, release: self.release, french: self.french }
    }

    fn written(&self, status: u16, index: Index) -> Reply {
        let mut json = Json::new();
        self.view().written_incident(&mut json, index);
        Reply::new(status, JSON, json.finish())
    }

    /// `POST /api/incidents/`
    pub(super) fn create(&mut self, body: &Map<String, Value>) -> Reply {
        let changes = match Changes::read(self.state, body, self.rules(true)) {
            Ok(changes) => changes,
            Err(errors) => return Reply::json(400, &errors),
        };
        let folder = changes.folder.unwrap_or(ROOT);
        let new = Incident {
            id: self.state.random.uuid(),
            name: Box::default(),
            ref_id: Box::default(),
            description: None,
            link: None,
            status: 0,
            severity: 3,
            detection: Detection::Internal,
            is_published: true,
            folder,
            created_at: self.now + 2_100,
            updated_at: self.now + 2_143,
            reported_at: Some(self.now),
            links: Links::default(),
            entries: Vec::new(),
            later: None,
        };
        if let Err(reply) = self.check(&changes, None, &new) {
            return reply;
        }
        let index = self.state.incidents.add(new);
        self.state.ranks = Ranks::default();
        self.apply(index, changes);
        self.written(201, index)
    }

    /// `PUT` (`whole`) and `PATCH` of one incident: fields that are not given keep their values in both.
    pub(super) fn update(&mut self, index: Index, body: &Map<String, Value>, whole: bool) -> Reply {
        if !self.caller.may(WRITE, self.state.incidents.at(index).folder) {
            return forbidden();
        }
        match self.validated(index, body, whole) {
            Ok(changes) => {
                self.change(index, changes);
                self.written(200, index)
            }
            Err(reply) => reply,
        }
    }

    /// The changes of a body, if nothing speaks against them.
    pub(super) fn validated(&self, index: Index, body: &Map<String, Value>, whole: bool) -> Result<Changes, Reply> {
        let changes = Changes::read(self.state, body, self.rules(whole)).map_err(|errors| Reply::json(400, &errors))?;
        self.check(&changes, Some(index), self.state.incidents.at(index))?;
        Ok(changes)
    }

    /// Changes an incident and notes what the timeline is to know.
    pub(super) fn change(&mut self, index: Index, changes: Changes) {
        let before = self.state.incidents.at(index);
        let (status, severity) = (before.status, before.severity);
        self.apply(index, changes);
        let after = self.state.incidents.at_mut(index);
        // Two changes never carry the same time.
        after.updated_at = self.now.max(after.updated_at + 1);
        let (new_status, new_severity) = (after.status, after.severity);
        if status != new_status {
            let label = |status: u8| words::STATUS[usize::from(status)].1;
            self.note(index, words::STATUS_CHANGED, format!("{}->{}", label(status), label(new_status)));
        }
        if severity != new_severity {
            let text = format!("{}->{}", words::severity_label(severity), words::severity_label(new_severity));
            self.note(index, words::SEVERITY_CHANGED, text);
        }
    }

    fn note(&mut self, incident: Index, entry_type: u8, text: String) {
        // Status before severity where both change at once.
        let at = self.now + Micros::from(entry_type);
        let entry = Entry {
            id: self.state.random.uuid(),
            incident,
            author: Some(self.caller.actor),
            entry: text.into(),
            entry_type,
            timestamp: at,
            observation: None,
            evidences: Box::default(),
            created_at: at + 911,
            updated_at: at + 928,
            is_published: true,
        };
        let entry = self.state.entries.add(entry);
        self.state.incidents.at_mut(incident).entries.push(entry);
    }

    /// Rights, uniqueness and the order of dates. `old`: the incident as it stands; for a new one, its defaults.
    fn check(&self, changes: &Changes, index: Option<Index>, old: &Incident) -> Result<(), Reply> {
        let folder = changes.folder.unwrap_or(old.folder);
        if (index.is_none() || folder != old.folder) && !self.caller.may(WRITE, folder) {
            let text = "You do not have permission to add objects in this folder";
            return Err(Reply::json(403, &json!({ "folder": text })));
        }
        let held = [
            &old.links.threats,
            &old.links.owners,
            &old.links.assets,
            &old.links.qualifications,
            &old.links.entities,
            &old.links.labels,
        ];
        for ((field, kind, noun, wanted), held) in changes.linked().into_iter().zip(held) {
            let hidden = |index: &&Index| !held.contains(index) && !self.caller.sees(self.state, kind, **index);
            if wanted.unwrap_or_default().iter().find(hidden).is_some() {
                let text = format!("You do not have permission to link to this {noun}");
                return Err(Reply::json(403, &json!({ field: text })));
            }
        }
        self.check_unique(changes, index, old, folder)?;
        self.check_dates(changes, old)
    }

    fn check_unique(
        &self,
        changes: &Changes,
        index: Option<Index>,
        old: &Incident,
        folder: Index,
    ) -> Result<(), Reply> {
        let name = changes.name.as_deref().unwrap_or(&old.name);
        let ref_id = changes.ref_id.as_deref().unwrap_or(&old.ref_id);
        let same_ref = |other: &Incident| other.ref_id.eq_ignore_ascii_case(ref_id);
        let clash = |other: &Incident| match self.release {
            Release::V3_15_1 => same_ref(other) && other.name.eq_ignore_ascii_case(name),
            Release::V3_20_8 => !ref_id.is_empty() && same_ref(other),
        };
        let mut others = self.state.incidents.iter().filter(|(other, _)| Some(*other) != index);
        if !others.any(|(_, other)| other.folder == folder && clash(other)) {
            return Ok(());
        }
        let mut errors = Map::new();
        if self.release == Release::V3_15_1 {
            errors.insert("name".to_owned(), json!(words::used(name)));
        }
        errors.insert("ref_id".to_owned(), json!(words::used(ref_id)));
        Err(Reply::json(400, &Value::Object(errors)))
    }

    /// Later releases: an incident occurs, is reported, is resolved, in this order.
    fn check_dates(&self, changes: &Changes, old: &Incident) -> Result<(), Reply> {
        let later = old.later.as_deref();
        let occurred = changes.occurred_at.unwrap_or_else(|| later.and_then(|later| later.occurred_at));
        let resolved = changes.resolved_at.unwrap_or_else(|| later.and_then(|later| later.resolved_at));
        let reported = changes.reported_at.unwrap_or(old.reported_at);
        let given = changes.occurred_at.is_some() || changes.resolved_at.is_some() || changes.reported_at.is_some();
        let after = |a: Option<Micros>, b: Option<Micros>| a.zip(b).is_some_and(|(a, b)| a > b);
        match () {
            () if !given || !self.release.is_later() => Ok(()),
            () if after(occurred, reported) => {
                Err(Reply::json(400, &json!({ "occurred_at": ["Must not be after reported_at."] })))
            }
            () if after(reported, resolved) || after(occurred, resolved) => {
                Err(Reply::json(400, &json!({ "resolved_at": ["Must not be before the other dates."] })))
            }
            () => Ok(()),
        }
    }

    fn apply(&mut self, index: Index, changes: Changes) {
        let mut labels = changes.labels.clone();
        for text in &changes.new_labels {
            let id = self.state.random.uuid();
            let label =
                Label { id, label: text.clone(), folder: ROOT, created_at: self.now, updated_at: self.now + 21 };
            let label = self.state.labels.add(label);
            labels.get_or_insert_default().push(label);
        }
        let state = &*self.state;
        let set = |kind, wanted: Option<Vec<Index>>, held: &[Index]| match wanted {
            Some(wanted) => state.set(kind, wanted),
            None => held.into(),
        };
        let held = &state.incidents.at(index).links;
        let links = Links {
            threats: set(Kind::Threat, changes.threats.clone(), &held.threats),
            owners: set(Kind::Actor, changes.owners.clone(), &held.owners),
            assets: set(Kind::Asset, changes.assets.clone(), &held.assets),
            qualifications: set(Kind::Term, changes.qualifications.clone(), &held.qualifications),
            entities: set(Kind::Entity, changes.entities.clone(), &held.entities),
            labels: set(Kind::Label, labels, &held.labels),
        };
        if changes.changes_text() {
            self.state.ranks = Ranks::default();
        }
        let incident = self.state.incidents.at_mut(index);
        incident.links = links;
        apply_scalars(incident, changes);
    }

    /// `DELETE` of one incident.
    pub(super) fn delete(&mut self, index: Index) -> Reply {
        if !self.caller.may(WRITE, self.state.incidents.at(index).folder) {
            return forbidden();
        }
        self.state.remove_incident(index);
        Reply::new(204, "", "")
    }
}

fn apply_scalars(incident: &mut Incident, changes: Changes) {
    fn put<T>(slot: &mut T, new: Option<T>) {
        if let Some(new) = new {
            *slot = new;
        }
    }
    let boxed = |text: Option<String>| text.map(String::into_boxed_str);
    put(&mut incident.name, changes.name.map(String::into_boxed_str));
    put(&mut incident.ref_id, changes.ref_id.map(String::into_boxed_str));
    put(&mut incident.description, changes.description.map(boxed));
    put(&mut incident.link, changes.link.map(boxed));
    put(&mut incident.status, changes.status);
    put(&mut incident.severity, changes.severity);
    put(&mut incident.detection, changes.detection);
    put(&mut incident.reported_at, changes.reported_at);
    put(&mut incident.is_published, changes.is_published);
    put(&mut incident.folder, changes.folder);
    let mut later = incident.later.take().unwrap_or_default();
    put(&mut later.occurred_at, changes.occurred_at);
    put(&mut later.resolved_at, changes.resolved_at);
    put(&mut later.resolution, changes.resolution.map(boxed));
    put(&mut later.is_bcp_activated, changes.is_bcp_activated);
    if changes.cleared.contains(&"applied_controls") {
        later.applied_controls.clear();
    }
    if changes.cleared.contains(&"task_templates") {
        later.task_templates.clear();
    }
    incident.later = Some(later);
}
