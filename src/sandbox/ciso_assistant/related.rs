//! Reading the objects around an incident: assets, threats, evidence, users, actors, teams, entities, folders, labels,
//! terminologies, timeline entries. Their tables are small, so lists are sorted whole. JSON shapes in `related_shapes.rs`.

use crate::sandbox::ciso_assistant::incidents::not_available;
use crate::sandbox::ciso_assistant::query::{Query, search_terms, uuid};
use crate::sandbox::ciso_assistant::related_shapes::IncidentsOfAssets;
use crate::sandbox::ciso_assistant::render::{Shown, View};
use crate::sandbox::ciso_assistant::state::*;
use crate::sandbox::wire::{JSON, Reply};
use serde_json::{Map, Value, json};

/// How a related-object parameter of a list is read.
struct Parameter {
    name: &'static str,
    of: Kind,
    /// Whether the object has one of the wanted ones.
    holds: fn(&State, Index, &[Index]) -> bool,
}

fn parameters(kind: Kind) -> Vec<Parameter> {
    let mut list = Vec::new();
    let mut add = |name, of, holds| list.push(Parameter { name, of, holds });
    match kind {
        Kind::Entry => add("incident", Kind::Incident, |s, i, wanted| wanted.contains(&s.entries.at(i).incident)),
        Kind::Evidence => {
            add("timeline_entries", Kind::Entry, |s, i, wanted| {
                wanted.iter().any(|&entry| s.entries.at(entry).evidences.contains(&i))
            });
            add("owner", Kind::Actor, |s, i, wanted| meets(&s.evidences.at(i).owner, wanted));
        }
        Kind::Asset => {
            add("filtering_labels", Kind::Label, |s, i, wanted| meets(&s.assets.at(i).labels, wanted));
            add("parent_assets", Kind::Asset, |s, i, wanted| meets(&s.assets.at(i).parents, wanted));
        }
        Kind::Threat => add("filtering_labels", Kind::Label, |s, i, wanted| meets(&s.threats.at(i).labels, wanted)),
        Kind::Entity => {
            add("relationship", Kind::Term, |s, i, wanted| meets(&s.entities.at(i).relationship, wanted));
            add("parent_entity", Kind::Entity, |s, i, wanted| {
                s.entities.at(i).parent.is_some_and(|p| wanted.contains(&p))
            });
        }
        Kind::Folder => {
            add("parent_folder", Kind::Folder, |s, i, wanted| {
                s.folders.at(i).parent.is_some_and(|p| wanted.contains(&p))
            });
        }
        Kind::Incident | Kind::User | Kind::Actor | Kind::Team | Kind::Label | Kind::Term => {}
    }
    if matches!(kind, Kind::Asset | Kind::Threat | Kind::Evidence | Kind::Entity | Kind::Label) {
        match kind {
            Kind::Asset => add("folder", Kind::Folder, |s, i, wanted| wanted.contains(&s.assets.at(i).folder)),
            Kind::Threat => add("folder", Kind::Folder, |s, i, wanted| wanted.contains(&s.threats.at(i).folder)),
            Kind::Evidence => add("folder", Kind::Folder, |s, i, wanted| wanted.contains(&s.evidences.at(i).folder)),
            Kind::Entity => add("folder", Kind::Folder, |s, i, wanted| wanted.contains(&s.entities.at(i).folder)),
            _ => add("folder", Kind::Folder, |s, i, wanted| wanted.contains(&s.labels.at(i).folder)),
        }
    }
    list
}

fn meets(held: &[Index], wanted: &[Index]) -> bool {
    wanted.iter().any(|index| held.contains(index))
}

/// Text and choice parameters: name, and the object's value.
fn plain_parameters(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Asset => &["type", "name"],
        Kind::Threat => &["provider"],
        Kind::Evidence => &["status"],
        Kind::User => &["email", "first_name", "last_name", "is_active"],
        Kind::Entity => &["name", "ref_id"],
        Kind::Folder => &["content_type", "name"],
        Kind::Term => &["field_path", "is_visible", "builtin"],
        Kind::Incident | Kind::Entry | Kind::Actor | Kind::Team | Kind::Label => &[],
    }
}

fn plain_value<'a>(state: &'a State, kind: Kind, index: Index, name: &str) -> &'a str {
    let truth = |value| if value { "true" } else { "false" };
    match (kind, name) {
        (Kind::Asset, "type") => {
            if state.assets.at(index).primary {
                "PR"
            } else {
                "SP"
            }
        }
        (Kind::Threat, _) => state.threats.at(index).provider.as_deref().unwrap_or_default(),
        (Kind::Evidence, _) => state.evidences.at(index).status,
        (Kind::User, "email") => &state.users.at(index).email,
        (Kind::User, "first_name") => &state.users.at(index).first_name,
        (Kind::User, "last_name") => &state.users.at(index).last_name,
        (Kind::User, _) => truth(state.users.at(index).is_active),
        (Kind::Entity, "ref_id") => &state.entities.at(index).ref_id,
        (Kind::Folder, "content_type") => {
            if index == ROOT {
                "GL"
            } else {
                "DO"
            }
        }
        (Kind::Term, "field_path") => &state.terms.at(index).field_path,
        (Kind::Term, "builtin") => truth(state.terms.at(index).builtin),
        (Kind::Term, _) => truth(state.terms.at(index).is_visible),
        _ => state.text(kind, index),
    }
}

impl View<'_> {
    fn all(&self, kind: Kind) -> Vec<Index> {
        fn keys<T: Record>(table: &Table<T>) -> Vec<Index> {
            table.iter().map(|(index, _)| index).collect()
        }
        let state = self.state;
        match kind {
            Kind::Incident => keys(&state.incidents),
            Kind::Entry => keys(&state.entries),
            Kind::Asset => keys(&state.assets),
            Kind::Threat => keys(&state.threats),
            Kind::Evidence => keys(&state.evidences),
            Kind::User => keys(&state.users),
            Kind::Actor => keys(&state.actors),
            Kind::Team => keys(&state.teams),
            Kind::Entity => keys(&state.entities),
            Kind::Folder => keys(&state.folders),
            Kind::Label => keys(&state.labels),
            Kind::Term => keys(&state.terms),
        }
    }

    /// A list of one of the related resources.
    pub(super) fn related_list(&self, kind: Kind, query: &Query) -> Reply {
        let mut errors = Map::new();
        let mut rows = self.by_parameters(kind, query, &mut errors);
        // Actors and teams have no filter by id: the parameter is ignored and everything comes back.
        if !matches!(kind, Kind::Actor | Kind::Team) {
            match query.ids() {
                Ok(Some(ids)) => {
                    let ids: Vec<Index> = ids.into_iter().filter_map(|id| self.state.find(kind, id)).collect();
                    rows.retain(|index| ids.contains(index));
                }
                Ok(None) => {}
                Err(()) => {
                    errors.insert("id".to_owned(), json!(["Enter a valid UUID."]));
                }
            }
        }
        if !errors.is_empty() {
            return Reply::json(400, &Value::Object(errors));
        }
        for &name in plain_parameters(kind) {
            let wanted: Vec<&str> = query.all(name).into_iter().filter(|value| !value.is_empty()).collect();
            if !wanted.is_empty() {
                rows.retain(|&index| wanted.contains(&plain_value(self.state, kind, index, name)));
            }
        }
        if kind != Kind::Actor {
            let terms = query.last("search").map(search_terms).unwrap_or_default();
            let text = |index| self.state.text(kind, index).to_ascii_lowercase();
            rows.retain(|&index| terms.iter().all(|term| text(index).contains(&term.to_ascii_lowercase())));
        }
        rows.retain(|&index| self.sees(kind, index));
        self.sort(kind, query, &mut rows);
        let (count, page) = (rows.len(), query.page());
        let rows: Vec<Index> = rows.into_iter().skip(page.offset).take(page.limit).collect();
        let incidents = IncidentsOfAssets::of(self, kind, &rows);
        let body =
            self.envelope(query, count, &rows, |json, row| self.related(json, kind, row, Shown::InList, &incidents));
        Reply::new(200, JSON, body)
    }

    fn by_parameters(&self, kind: Kind, query: &Query, errors: &mut Map<String, Value>) -> Vec<Index> {
        let mut rows = None;
        for parameter in parameters(kind) {
            let mut wanted = Vec::new();
            for value in query.all(parameter.name) {
                let problem = match uuid(value).map(|id| self.state.find(parameter.of, id)) {
                    Some(Some(index)) => {
                        wanted.push(index);
                        continue;
                    }
                    Some(None) => not_available(value),
                    None => format!("“{value}” is not a valid value."),
                };
                errors.insert(parameter.name.to_owned(), json!([problem]));
                break;
            }
            if wanted.is_empty() {
                continue;
            }
            wanted.sort_unstable();
            wanted.dedup();
            if kind == Kind::Entry {
                // The timeline is large; an incident knows its own part of it.
                rows = Some(wanted.iter().flat_map(|&i| self.state.incidents.at(i).entries.iter().copied()).collect());
                continue;
            }
            let all: Vec<Index> = rows.take().unwrap_or_else(|| self.all(kind));
            rows = Some(all.into_iter().filter(|&index| (parameter.holds)(self.state, index, &wanted)).collect());
        }
        rows.unwrap_or_else(|| self.all(kind))
    }

    fn sort(&self, kind: Kind, query: &Query, rows: &mut [Index]) {
        let s = self.state;
        match kind {
            Kind::Asset => rows.sort_by_key(|&i| (s.text(Kind::Folder, s.assets.at(i).folder), &s.assets.at(i).name)),
            Kind::User => rows.sort_by_key(|&i| {
                let user = s.users.at(i);
                (!user.is_active, !user.is_superuser, &user.email)
            }),
            Kind::Actor => rows.sort_by_key(|&i| match s.subject(i) {
                (Kind::User, user) => (0, &s.users.at(user).email),
                (Kind::Team, team) => (1, &s.teams.at(team).name),
                (_, entity) => (2, &s.entities.at(entity).name),
            }),
            Kind::Label => rows.sort_by_key(|&i| &s.labels.at(i).label),
            Kind::Term => rows.sort_by_key(|&i| (&s.terms.at(i).field_path, &s.terms.at(i).name)),
            Kind::Entry => rows.sort_by_key(|&i| std::cmp::Reverse(s.entries.at(i).timestamp)),
            // Records are stored in order of creation.
            Kind::Incident | Kind::Threat | Kind::Evidence | Kind::Team | Kind::Entity | Kind::Folder => {
                rows.sort_unstable()
            }
        }
        // `sort_by` is stable: the last named column is applied first.
        for name in query.last("ordering").unwrap_or_default().split(',').rev() {
            let (name, descends) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
            let mut by = |compare: &dyn Fn(Index, Index) -> std::cmp::Ordering| {
                rows.sort_by(|&a, &b| if descends { compare(b, a) } else { compare(a, b) });
            };
            match name.trim() {
                "id" => by(&|a, b| s.id(kind, a).cmp(&s.id(kind, b))),
                "name" | "label" | "entry" | "email" => by(&|a, b| s.text(kind, a).cmp(s.text(kind, b))),
                "created_at" | "date_joined" => by(&|a, b| a.cmp(&b)),
                "timestamp" if kind == Kind::Entry => {
                    by(&|a, b| s.entries.at(a).timestamp.cmp(&s.entries.at(b).timestamp))
                }
                _ => {}
            }
        }
    }

    /// One object by its id.
    pub(super) fn related_one(&self, kind: Kind, index: Index) -> Reply {
        let incidents = IncidentsOfAssets::of(self, kind, &[index]);
        let mut json = crate::sandbox::ciso_assistant::json::Json::new();
        self.related(&mut json, kind, index, Shown::Alone, &incidents);
        Reply::new(200, JSON, json.finish())
    }
}
