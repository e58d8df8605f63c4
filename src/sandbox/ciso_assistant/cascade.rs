//! `GET /api/incidents/{id}/cascade-info/`: what a deletion takes along and what it only unlinks.

use crate::sandbox::ciso_assistant::render::View;
use crate::sandbox::ciso_assistant::state::*;
use crate::sandbox::wire::Reply;
use serde_json::{Value, json};

/// Objects of one model: its class name, the name it is shown by, and (name, id) of each.
struct Group {
    model: &'static str,
    verbose_name: &'static str,
    objects: Vec<(String, String)>,
}

impl View<'_> {
    fn group(&self, model: &'static str, verbose_name: &'static str, kind: Kind, indices: &[Index]) -> Group {
        // Terminologies go by their raw name here.
        let name = |index| match kind {
            Kind::Term => self.state.terms.at(index).name.clone(),
            _ => self.state.text(kind, index).to_owned(),
        };
        let mut objects: Vec<_> = indices.iter().map(|&i| (name(i), self.state.id(kind, i).to_string())).collect();
        objects.sort_by_key(|(name, _)| name.to_lowercase());
        Group { model, verbose_name, objects }
    }

    pub(super) fn cascade(&self, index: Index) -> Reply {
        let incident = self.state.incidents.at(index);
        let links = &incident.links;
        let evidences =
            incident.entries.iter().flat_map(|&entry| self.state.entries.at(entry).evidences.iter().copied());
        let evidences = self.state.set(Kind::Evidence, evidences.collect());
        let deleted = vec![self.group("TimelineEntry", "timeline entry", Kind::Entry, &incident.entries)];
        let affected = vec![
            self.group("Actor", "actor", Kind::Actor, &links.owners),
            self.group("Asset", "Asset", Kind::Asset, &links.assets),
            self.group("Entity", "Entity", Kind::Entity, &links.entities),
            self.group("Evidence", "Evidence", Kind::Evidence, &evidences),
            self.group("FilteringLabel", "filtering label", Kind::Label, &links.labels),
            self.group("Terminology", "terminology", Kind::Term, &links.qualifications),
            self.group("Threat", "Threat", Kind::Threat, &links.threats),
        ];
        let body = json!({
            "deleted": part(deleted, "The following objects will be permanently deleted.", "warning"),
            "affected": part(affected, "These objects will NOT be deleted but will lose one or more relationships.", "info"),
        });
        Reply::json(200, &body)
    }
}

/// The groups come in order of their verbose names.
fn part(groups: Vec<Group>, message: &str, level: &str) -> Value {
    let groups: Vec<Group> = groups.into_iter().filter(|group| !group.objects.is_empty()).collect();
    let mut related = Vec::new();
    let mut grouped = Vec::new();
    for group in &groups {
        let objects: Vec<Value> = group.objects.iter().map(|(name, id)| json!({ "id": id, "name": name })).collect();
        grouped.push(json!({ "model": group.model, "verbose_name": group.verbose_name, "objects": objects }));
        let entries =
            group.objects.iter().map(|(name, id)| json!({ "model": group.verbose_name, "name": name, "id": id }));
        related.extend(entries);
    }
    json!({
        "count": related.len(), "grouped_objects": grouped, "related_objects": related, "message": message, "level": level,
    })
}
