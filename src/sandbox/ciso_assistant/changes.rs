//! What a body asks to change of an incident, after validation.

use crate::sandbox::Release;
use crate::sandbox::ciso_assistant::query::uuid;
use crate::sandbox::ciso_assistant::state::*;
use crate::sandbox::ciso_assistant::words;
use crate::sandbox::ciso_assistant::write_values::{self as values, TextRule};
use crate::sandbox::clock::Micros;
use serde_json::{Map, Value, json};

const NAME: TextRule = TextRule { max: 200, null: false, blank: false };
const REF_ID: TextRule = TextRule { max: 100, null: false, blank: true };
const LINK: TextRule = TextRule { max: 2_048, null: true, blank: true };
const PROSE: TextRule = TextRule { max: usize::MAX, null: true, blank: true };
/// Longer label texts, or such with other letters than those of words and dashes, are refused.
const LABEL_MAX: usize = 36;

/// `None`: the field keeps its value.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) name: Option<String>,
    pub(super) ref_id: Option<String>,
    pub(super) description: Option<Option<String>>,
    pub(super) link: Option<Option<String>>,
    pub(super) status: Option<u8>,
    pub(super) severity: Option<u8>,
    pub(super) detection: Option<Detection>,
    pub(super) reported_at: Option<Option<Micros>>,
    pub(super) is_published: Option<bool>,
    pub(super) folder: Option<Index>,
    pub(super) threats: Option<Vec<Index>>,
    pub(super) owners: Option<Vec<Index>>,
    pub(super) assets: Option<Vec<Index>>,
    pub(super) qualifications: Option<Vec<Index>>,
    pub(super) entities: Option<Vec<Index>>,
    pub(super) labels: Option<Vec<Index>>,
    /// Texts of labels that do not exist yet.
    pub(super) new_labels: Vec<String>,
    pub(super) occurred_at: Option<Option<Micros>>,
    pub(super) resolved_at: Option<Option<Micros>>,
    pub(super) resolution: Option<Option<String>>,
    pub(super) is_bcp_activated: Option<Option<bool>>,
    /// Related sets of later releases that were given as empty.
    pub(super) cleared: Vec<&'static str>,
}

/// How a body is read.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// The name must be there.
    pub(super) whole: bool,
    pub(super) release: Release,
    /// Messages are wanted in French.
    pub(super) french: bool,
}

/// Collects the messages of a body's fields.
struct Fields<'a> {
    body: &'a Map<String, Value>,
    errors: Map<String, Value>,
    french: bool,
}

impl Fields<'_> {
    /// The value of a field that is given and good.
    fn take<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        match read(self.body.get(name)?) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.errors.insert(name.to_owned(), json!([words::translated(problem, self.french)]));
                None
            }
        }
    }
}

impl Changes {
    /// Reads a body. All bad fields are reported at once, as the body of a 400.
    pub(super) fn read(state: &State, body: &Map<String, Value>, rules: Rules) -> Result<Changes, Value> {
        let mut fields = Fields { body, errors: Map::new(), french: rules.french };
        if rules.whole && !body.contains_key("name") {
            let problem = words::translated(words::REQUIRED.to_owned(), rules.french);
            fields.errors.insert("name".to_owned(), json!([problem]));
        }
        let mut changes = Changes::default();
        changes.scalars(&mut fields, state);
        changes.sets(&mut fields, state);
        if rules.release.is_later() {
            changes.later(&mut fields);
        }
        if fields.errors.is_empty() { Ok(changes) } else { Err(Value::Object(fields.errors)) }
    }

    fn scalars(&mut self, fields: &mut Fields<'_>, state: &State) {
        self.name = fields.take("name", |value| values::text(value, NAME)).flatten();
        self.ref_id = fields.take("ref_id", |value| values::text(value, REF_ID)).flatten();
        self.description = fields.take("description", |value| values::text(value, PROSE));
        self.link = fields.take("link", |value| values::text(value, LINK));
        self.status = fields.take("status", |value| values::choice(value, words::STATUS.iter().map(|(code, _)| *code)));
        let severities = ["1", "2", "3", "4", "5", "6"];
        self.severity =
            fields.take("severity", |value| values::choice(value, severities.into_iter()).map(|position| position + 1));
        self.detection = fields.take("detection", detection);
        self.reported_at = fields.take("reported_at", values::time);
        self.is_published = fields.take("is_published", values::truth);
        self.folder = fields.take("folder", |value| values::key(state, Kind::Folder, value));
    }

    fn sets(&mut self, fields: &mut Fields<'_>, state: &State) {
        let mut set = |name: &str, kind| fields.take(name, |value| values::keys(state, kind, value));
        self.threats = set("threats", Kind::Threat);
        self.owners = set("owners", Kind::Actor);
        self.assets = set("assets", Kind::Asset);
        self.qualifications = set("qualifications", Kind::Term);
        self.entities = set("entities", Kind::Entity);
        let Some(items) = fields.take("filtering_labels", values::items) else { return };
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for item in items {
            let text = values::printed(&item);
            if uuid(&text).is_none() {
                new.push(text);
                continue;
            }
            match values::key(state, Kind::Label, &item) {
                Ok(label) => known.push(label),
                Err(problem) => {
                    fields.errors.insert("filtering_labels".to_owned(), json!([problem]));
                    return;
                }
            }
        }
        for text in &new {
            if let Some(problem) = refused_label(state, text) {
                // The key is the label's, not the incident's.
                fields.errors.insert("label".to_owned(), json!([problem]));
                return;
            }
        }
        self.labels = Some(known);
        self.new_labels = new;
    }

    fn later(&mut self, fields: &mut Fields<'_>) {
        self.occurred_at = fields.take("occurred_at", values::time);
        self.resolved_at = fields.take("resolved_at", values::time);
        self.resolution = fields.take("resolution", |value| values::text(value, PROSE));
        let truth = |value: &Value| if value.is_null() { Ok(None) } else { values::truth(value).map(Some) };
        self.is_bcp_activated = fields.take("is_bcp_activated", truth);
        // The sandbox stores none of these two, so every id is unknown.
        for name in ["applied_controls", "task_templates"] {
            let given = fields.take(name, |value| match values::items(value)?.first() {
                Some(item) if uuid(&values::printed(item)).is_some() => Err(words::bad_key(&values::printed(item))),
                Some(item) => Err(words::bad_uuid(&values::printed(item))),
                None => Ok(()),
            });
            if given.is_some() {
                self.cleared.push(name);
            }
        }
    }

    /// Whether any text that incidents are sorted or searched by changes.
    pub(super) fn changes_text(&self) -> bool {
        self.name.is_some() || self.ref_id.is_some() || self.description.is_some() || self.link.is_some()
    }

    /// The related sets with their field name, kind, and what the kind is called in messages.
    pub(super) fn linked(&self) -> [(&'static str, Kind, &'static str, Option<&[Index]>); 6] {
        [
            ("threats", Kind::Threat, "threat", self.threats.as_deref()),
            ("owners", Kind::Actor, "actor", self.owners.as_deref()),
            ("assets", Kind::Asset, "asset", self.assets.as_deref()),
            ("qualifications", Kind::Term, "terminology", self.qualifications.as_deref()),
            ("entities", Kind::Entity, "entity", self.entities.as_deref()),
            ("filtering_labels", Kind::Label, "filtering label", self.labels.as_deref()),
        ]
    }
}

fn detection(value: &Value) -> Result<Detection, String> {
    match value.as_str() {
        None if value.is_null() => Ok(Detection::Null),
        Some("") => Ok(Detection::Blank),
        Some(code) if code == words::INTERNAL.0 => Ok(Detection::Internal),
        Some(code) if code == words::EXTERNAL.0 => Ok(Detection::External),
        _ => Err(words::bad_choice(&values::printed(value))),
    }
}

fn refused_label(state: &State, text: &str) -> Option<String> {
    let wordly = text.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-');
    if !wordly || text.is_empty() || text.chars().count() > LABEL_MAX {
        return Some("invalidLabel".to_owned());
    }
    let used = state.labels.iter().any(|(_, label)| label.label.eq_ignore_ascii_case(text));
    used.then(|| words::used(text))
}
