//! The JSON shapes of incidents and timeline entries: the read shape with labels and masked names, the write shape with
//! codes and bare ids.

use crate::sandbox::Release;
use crate::sandbox::ciso_assistant::accounts::Account;
use crate::sandbox::ciso_assistant::json::Json;
use crate::sandbox::ciso_assistant::query::Query;
use crate::sandbox::ciso_assistant::state::*;
use crate::sandbox::ciso_assistant::words;
use uuid::Uuid;

/// Whose eyes look at which release of what.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) state: &'a State,
    pub(super) caller: &'a Account,
    pub(super) release: Release,
}

/// Whether an object is one of a list or the only one: an incident right under the root shows another `path` in each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    InList,
    Alone,
}

impl View<'_> {
    pub(super) fn sees(&self, kind: Kind, index: Index) -> bool {
        self.caller.sees(self.state, kind, index)
    }

    /// `{"str","id"}`, or `{}` when the caller may not see the object.
    pub(super) fn name(&self, json: &mut Json, kind: Kind, index: Index) {
        json.open(b'{');
        if self.sees(kind, index) {
            json.key("str").string(self.state.text(kind, index));
            json.key("id").uuid(self.state.id(kind, index));
        }
        json.close(b'}');
    }

    pub(super) fn named(&self, json: &mut Json, key: &str, kind: Kind, index: Option<Index>) {
        json.key(key);
        match index {
            Some(index) => self.name(json, kind, index),
            None => {
                json.null();
            }
        }
    }

    pub(super) fn names(&self, json: &mut Json, key: &str, kind: Kind, indices: &[Index]) {
        json.key(key).open(b'[');
        for &index in indices {
            self.name(json, kind, index);
        }
        json.close(b']');
    }

    pub(super) fn ids(&self, json: &mut Json, key: &str, kind: Kind, indices: &[Index]) {
        json.key(key).open(b'[');
        for &index in indices {
            json.uuid(self.state.id(kind, index));
        }
        json.close(b']');
    }

    /// The ancestors of a folder and itself. Never masked.
    pub(super) fn path(&self, json: &mut Json, folder: Index, shown: Shown) {
        let mut path = self.state.path(folder);
        if path.is_empty() && shown == Shown::Alone {
            path.push(ROOT);
        }
        json.key("path").open(b'[');
        for folder in path {
            let folder = self.state.folders.at(folder);
            json.open(b'{').key("id").uuid(folder.id).key("str").string(&folder.name).close(b'}');
        }
        json.close(b']');
    }

    pub(super) fn incident(&self, json: &mut Json, index: Index, shown: Shown) {
        let incident = self.state.incidents.at(index);
        let links = &incident.links;
        json.open(b'{').key("id").uuid(incident.id);
        self.path(json, incident.folder, shown);
        self.names(json, "threats", Kind::Threat, &links.threats);
        self.names(json, "owners", Kind::Actor, &links.owners);
        self.names(json, "assets", Kind::Asset, &links.assets);
        self.names(json, "qualifications", Kind::Term, &links.qualifications);
        self.names(json, "entities", Kind::Entity, &links.entities);
        if self.release.is_later() {
            let later = incident.later.as_deref();
            named_later(json, "applied_controls", later.map(|later| later.applied_controls.as_slice()));
            named_later(json, "task_templates", later.map(|later| later.task_templates.as_slice()));
            named_later(json, "risk_scenarios", later.map(|later| later.risk_scenarios.as_slice()));
        }
        json.key("severity").string(words::severity_label(incident.severity));
        json.key("status").string(words::STATUS[usize::from(incident.status)].1);
        json.key("detection").text(detection_label(incident.detection));
        self.named(json, "folder", Kind::Folder, Some(incident.folder));
        self.names(json, "filtering_labels", Kind::Label, &links.labels);
        json.key("created_at").time(incident.created_at).key("updated_at").time(incident.updated_at);
        json.key("name").string(&incident.name).key("description").text(incident.description.as_deref());
        json.key("ref_id").string(&incident.ref_id).key("reported_at").maybe_time(incident.reported_at);
        json.key("link").text(incident.link.as_deref()).key("is_published").bool(incident.is_published);
        self.later_scalars(json, incident);
        json.close(b'}');
    }

    fn later_scalars(&self, json: &mut Json, incident: &Incident) {
        if !self.release.is_later() {
            return;
        }
        let later = incident.later.as_deref();
        json.key("occurred_at").maybe_time(later.and_then(|later| later.occurred_at));
        json.key("resolved_at").maybe_time(later.and_then(|later| later.resolved_at));
        json.key("resolution").text(later.and_then(|later| later.resolution.as_deref()));
        match later.and_then(|later| later.is_bcp_activated) {
            Some(activated) => json.key("is_bcp_activated").bool(activated),
            None => json.key("is_bcp_activated").null(),
        };
    }

    /// The write shape: what POST, PUT, PATCH and `object/` answer. Nothing is masked.
    pub(super) fn written_incident(&self, json: &mut Json, index: Index) {
        let incident = self.state.incidents.at(index);
        let links = &incident.links;
        json.open(b'{').key("id").uuid(incident.id).key("name").string(&incident.name);
        json.key("description").text(incident.description.as_deref()).key("ref_id").string(&incident.ref_id);
        json.key("status").string(words::STATUS[usize::from(incident.status)].0);
        json.key("severity").int(i64::from(incident.severity));
        json.key("reported_at").maybe_time(incident.reported_at);
        json.key("detection").text(detection_code(incident.detection));
        json.key("link").text(incident.link.as_deref()).key("is_published").bool(incident.is_published);
        self.later_scalars(json, incident);
        json.key("folder").uuid(self.state.folders.at(incident.folder).id);
        self.ids(json, "filtering_labels", Kind::Label, &links.labels);
        self.ids(json, "threats", Kind::Threat, &links.threats);
        self.ids(json, "owners", Kind::Actor, &links.owners);
        self.ids(json, "assets", Kind::Asset, &links.assets);
        self.ids(json, "qualifications", Kind::Term, &links.qualifications);
        self.ids(json, "entities", Kind::Entity, &links.entities);
        if self.release.is_later() {
            let later = incident.later.as_deref();
            ids_later(json, "applied_controls", later.map(|later| later.applied_controls.as_slice()));
            ids_later(json, "task_templates", later.map(|later| later.task_templates.as_slice()));
        }
        json.close(b'}');
    }

    pub(super) fn entry(&self, json: &mut Json, index: Index, shown: Shown) {
        let entry = self.state.entries.at(index);
        let folder = self.state.incidents.at(entry.incident).folder;
        json.open(b'{').key("id").uuid(entry.id);
        self.path(json, folder, shown);
        json.key("str").string(&entry.entry);
        self.named(json, "author", Kind::Actor, entry.author);
        self.named(json, "folder", Kind::Folder, Some(folder));
        self.named(json, "incident", Kind::Incident, Some(entry.incident));
        self.names(json, "evidences", Kind::Evidence, &entry.evidences);
        json.key("created_at").time(entry.created_at).key("updated_at").time(entry.updated_at);
        json.key("entry")
            .string(&entry.entry)
            .key("entry_type")
            .string(words::ENTRY_TYPE[usize::from(entry.entry_type)].0);
        json.key("timestamp").time(entry.timestamp).key("observation").text(entry.observation.as_deref());
        json.key("is_published").bool(entry.is_published).close(b'}');
    }

    pub(super) fn written_entry(&self, json: &mut Json, index: Index) {
        let entry = self.state.entries.at(index);
        let incident = self.state.incidents.at(entry.incident);
        json.open(b'{').key("id").uuid(entry.id).key("entry").string(&entry.entry);
        json.key("entry_type").string(words::ENTRY_TYPE[usize::from(entry.entry_type)].0);
        json.key("timestamp").time(entry.timestamp).key("observation").text(entry.observation.as_deref());
        json.key("is_published").bool(entry.is_published);
        json.key("folder")
            .uuid(self.state.folders.at(incident.folder).id)
            .key("incident")
            .uuid(incident.id)
            .key("author");
        match entry.author {
            Some(author) => json.uuid(self.state.actors.at(author).id),
            None => json.null(),
        };
        self.ids(json, "evidences", Kind::Evidence, &entry.evidences);
        json.close(b'}');
    }

    /// `{"count","next","previous","results"}` of a page that was cut out of `count` rows already.
    pub(super) fn envelope(
        &self,
        query: &Query,
        count: usize,
        rows: &[Index],
        item: impl Fn(&mut Json, Index),
    ) -> Vec<u8> {
        let (next, previous) = query.neighbours(query.page(), count);
        let mut json = Json::new();
        json.open(b'{').key("count").int(count as i64);
        json.key("next").text(next.as_deref()).key("previous").text(previous.as_deref());
        json.key("results").open(b'[');
        for &row in rows {
            item(&mut json, row);
        }
        json.close(b']').close(b'}');
        json.finish()
    }
}

pub(super) fn detection_label(detection: Detection) -> Option<&'static str> {
    match detection {
        Detection::Null => None,
        Detection::Blank => Some(""),
        Detection::Internal => Some(words::INTERNAL.1),
        Detection::External => Some(words::EXTERNAL.1),
    }
}

fn detection_code(detection: Detection) -> Option<&'static str> {
    match detection {
        Detection::Null => None,
        Detection::Blank => Some(""),
        Detection::Internal => Some(words::INTERNAL.0),
        Detection::External => Some(words::EXTERNAL.0),
    }
}

fn named_later(json: &mut Json, key: &str, members: Option<&[(Uuid, &'static str)]>) {
    json.key(key).open(b'[');
    for (id, text) in members.unwrap_or_default() {
        json.open(b'{').key("str").string(text).key("id").uuid(*id).close(b'}');
    }
    json.close(b']');
}

fn ids_later(json: &mut Json, key: &str, members: Option<&[(Uuid, &'static str)]>) {
    json.key(key).open(b'[');
    for (id, _) in members.unwrap_or_default() {
        json.uuid(*id);
    }
    json.close(b']');
}
