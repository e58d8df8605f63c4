//! The table that a part reads its settings from, and thereby declares them.

use super::declared::{Described, Node, Presence, Setting};
use super::environment::{PREFIX, variable};
use super::kind::{Given, Kind, Raw, Refusal, one_of};
use super::mistake::{Place, Position};
use super::run::{Mode, Run};
use super::secret;
use super::suggest::nearest;
use crate::secret::Secret;
use regex::Regex;
use std::collections::BTreeSet;
use toml_edit::{Item, TableLike, Value};

/// One table of the document with the environment laid over it. Ask for every setting before looking at any value.
pub struct Table<'d, 'r> {
    run: &'r mut Run<'d>,
    path: Vec<String>,
    items: Option<&'d dyn TableLike>,
    header: Option<Position>,
    nodes: Vec<Node>,
    /// Names that may stand here.
    known: BTreeSet<&'static str>,
    /// Whether other names are mistakes; not so where it is unknown what may stand here.
    closed: bool,
}

/// What may follow a tag: its word, a sentence about it, and how its settings are read.
pub struct Variant<T> {
    /// As written in the document.
    pub word: &'static str,
    /// For the documentation.
    pub doc: &'static str,
    /// Reads the settings that stand beside the tag.
    pub read: fn(&mut Table<'_, '_>) -> Option<T>,
}

/// Something that stands where a setting was looked for.
enum Found<'d> {
    Value(Raw<'d>),
    Item(&'d Item),
    /// A variable that is not UTF-8.
    NotText,
    Absent,
}

const NOT_TEXT: &str = "must be UTF-8 text.";

impl<'d, 'r> Table<'d, 'r> {
    pub(super) fn new(
        run: &'r mut Run<'d>,
        path: Vec<String>,
        items: Option<&'d dyn TableLike>,
        header: Option<Position>,
    ) -> Self {
        Table { run, path, items, header, nodes: Vec::new(), known: BTreeSet::new(), closed: true }
    }

    /// A setting that must be given. None after a mistake, which has then been noted.
    pub fn required<K: Kind>(&mut self, name: &'static str, doc: &'static str, kind: K) -> Option<K::Value> {
        let value = self.setting(name, doc, &kind, Presence::Required);
        if value.is_none() && !self.given(name) {
            self.mistake(name, format!("is missing. It must be {}.", kind.shape().phrase));
        }
        value
    }

    /// A setting that may be left out; `doc` says what holds then. None also after a mistake.
    pub fn optional<K: Kind>(&mut self, name: &'static str, doc: &'static str, kind: K) -> Option<K::Value> {
        self.setting(name, doc, &kind, Presence::Optional)
    }

    /// A setting with a default, which also stands in after a mistake.
    pub fn or<K: Kind>(&mut self, name: &'static str, doc: &'static str, kind: K, default: K::Value) -> K::Value {
        let presence = Presence::Default(kind.show(&default));
        self.setting(name, doc, &kind, presence).unwrap_or(default)
    }

    /// A secret that may be left out: text in the environment; in the document a table that says where it is, or, with a
    /// warning, the text itself. It is looked up here and now. None also after a mistake.
    pub fn secret(&mut self, name: &'static str, doc: &'static str) -> Option<Secret> {
        let place = self.place(name);
        let (result, effective, from_environment) = match self.find(name) {
            Found::Absent => (Ok(None), None, false),
            Found::Value(Raw(Given::Environment(text))) => {
                (secret::check(text.to_owned()).map(Some), Some(Value::from(secret::HIDDEN)), true)
            }
            Found::Value(Raw(Given::Document(Value::String(text)))) => {
                let advice = "holds the secret itself. Keep it elsewhere and write { env = \"…\" }, { file = \"…\" } or \
                              { command = […] } here.";
                self.run.warn(place.clone(), advice);
                (secret::check(text.value().clone()).map(Some), Some(Value::from(secret::HIDDEN)), false)
            }
            Found::Value(Raw(Given::Document(Value::InlineTable(table)))) => {
                let (looked_up, shown) = self.look_up(name, &place, table);
                (looked_up.map(Some), shown, false)
            }
            Found::Item(Item::Table(table)) => {
                let (looked_up, shown) = self.look_up(name, &place, table);
                (looked_up.map(Some), shown, false)
            }
            Found::NotText => (Err(NOT_TEXT.to_owned()), None, true),
            Found::Value(_) | Found::Item(_) => (Err(format!("must be {}.", secret::PHRASE)), None, false),
        };
        let (presence, variable) = (Presence::Optional, self.variable(name));
        let shape = secret::shape();
        self.declare(Setting { name, doc, shape, presence, variable, effective, from_environment });
        result.unwrap_or_else(|what| {
            self.run.mistake(place, what);
            None
        })
    }

    fn look_up(&mut self, name: &str, place: &Place, table: &dyn TableLike) -> (Result<Secret, String>, Option<Value>) {
        let origin = match secret::Origin::read(table) {
            Ok(origin) => origin,
            Err(what) => return (Err(what), None),
        };
        if let secret::Origin::Variable(variable) = &origin {
            self.run.know(variable, &self.below(name).join("."));
        }
        let found = origin.look_up(self.run.environment);
        if let Some(warning) = origin.warning() {
            self.run.warn(place.clone(), warning);
        }
        (found, Some(origin.show()))
    }

    /// A table of its own below this one; the same as an empty one when it is absent.
    pub fn section<T>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        declare: impl FnOnce(&mut Table<'d, '_>) -> T,
    ) -> T {
        self.known.insert(name);
        let (items, header) = self.child(name).unwrap_or((None, self.header));
        let mut table = Table::new(self.run, self.below(name), items, header);
        let value = declare(&mut table);
        let nodes = table.close();
        self.nodes.push(Node::Section { name, doc, nodes });
        value
    }

    /// Tables with names that users choose, which must match `pattern` (told as `phrase`), in the order of the document;
    /// those that only the environment names come last. What `declare` answers none for has a mistake and is left out.
    pub fn named<T>(
        &mut self,
        (name, doc): (&'static str, &'static str),
        (phrase, pattern): (&'static str, &'static str),
        declare: impl Fn(&mut Table<'d, '_>) -> Option<T>,
    ) -> Vec<(String, T)> {
        self.known.insert(name);
        let (items, header) = self.child(name).unwrap_or((None, self.header));
        let mut outer = Table::new(self.run, self.below(name), items, header);
        let allowed = Regex::new(pattern).expect("patterns are part of the program, and tests read every setting");
        let (mut values, mut tables) = (Vec::new(), Vec::new());
        for key in outer.names() {
            if !allowed.is_match(&key) && outer.run.mode == Mode::Read {
                outer.refuse_name(&key, phrase);
                continue;
            }
            let Some((items, header)) = outer.child(&key) else { continue };
            let mut table = Table::new(outer.run, outer.below(&key), items, header);
            values.extend(declare(&mut table).map(|value| (key.clone(), value)));
            tables.push((key, table.close()));
        }
        self.nodes.push(Node::Named { name, doc, pattern, tables });
        values
    }

    /// A word that decides which settings stand beside it. None if it is missing, unknown, or after any other mistake.
    pub fn variant<T>(&mut self, tag: &'static str, doc: &'static str, variants: &[Variant<T>]) -> Option<T> {
        let words: Vec<&str> = variants.iter().map(|variant| variant.word).collect();
        let variable = self.variable(tag);
        self.known.insert(tag);
        self.run.claim(&variable, &self.below(tag).join("."));
        if self.run.mode == Mode::Describe {
            let described = variants.iter().map(|variant| self.beside(variant).1).collect();
            self.nodes.push(Node::Variants { tag, doc, variable, variants: described });
            return None;
        }
        let given = match self.find(tag) {
            Found::Value(Raw(Given::Environment(text))) => Some(text),
            Found::Value(Raw(Given::Document(value))) => value.as_str(),
            Found::Item(_) | Found::NotText | Found::Absent => None,
        };
        let Some(variant) = variants.iter().find(|variant| given == Some(variant.word)) else {
            self.closed = false;
            self.run.leave_unjudged(format!("{}__", variable_of(&self.path)));
            let what = match self.shown(tag) {
                Some(shown) => format!("must be {}; it is {shown}.", one_of(&words)),
                None => format!("is missing. It must be {}.", one_of(&words)),
            };
            self.mistake(tag, what);
            return None;
        };
        let (value, described) = self.beside(variant);
        self.nodes.push(Node::Variants { tag, doc, variable, variants: vec![described] });
        value
    }

    /// Reads what stands beside a tag, keeping its nodes apart.
    fn beside<T>(&mut self, variant: &Variant<T>) -> (Option<T>, Described) {
        let before = std::mem::take(&mut self.nodes);
        let value = (variant.read)(self);
        let nodes = std::mem::replace(&mut self.nodes, before);
        (value, Described { word: variant.word, doc: variant.doc, nodes })
    }

    /// Whether a setting is given at all, rightly or wrongly.
    pub fn given(&self, name: &str) -> bool {
        !matches!(self.find(name), Found::Absent)
    }

    /// Whether a table of that name has anything in it, rightly or wrongly.
    pub fn given_below(&self, name: &str) -> bool {
        let items = self.items.and_then(|items| items.get(name)).filter(|item| !item.is_none());
        let beginning = format!("{}__", self.variable(name));
        items.is_some_and(|item| item.as_table_like().is_none_or(|table| !table.is_empty()))
            || self.run.environment.ours().any(|name| name.starts_with(&beginning))
    }

    /// Notes a mistake of a setting, for what one value alone cannot tell. `what` goes on from the place: “needs …”.
    pub fn mistake(&mut self, name: &str, what: impl Into<String>) {
        let place = self.place(name);
        self.run.mistake(place, what);
    }

    /// Notes what works but should not stay so. `what` goes on from the place.
    pub fn warn(&mut self, name: &str, what: impl Into<String>) {
        let place = self.place(name);
        self.run.warn(place, what);
    }

    fn setting<K: Kind>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        kind: &K,
        presence: Presence,
    ) -> Option<K::Value> {
        let shape = kind.shape();
        let found = self.find(name);
        let read = match &found {
            Found::Value(raw) => Some(kind.read(*raw)),
            Found::Item(_) => Some(Err(Refusal::NotThis)),
            Found::NotText => Some(Err(Refusal::Because(NOT_TEXT.to_owned()))),
            Found::Absent => None,
        };
        let value = match read {
            Some(Ok(value)) => Some(value),
            Some(Err(Refusal::Because(what))) => {
                self.mistake(name, what);
                None
            }
            Some(Err(Refusal::NotThis)) => {
                let shown = self.shown(name).unwrap_or_default();
                self.mistake(name, format!("must be {}; it is {shown}.", shape.phrase));
                None
            }
            None => None,
        };
        let effective = match (&value, &presence) {
            (Some(value), _) => Some(kind.show(value)),
            (None, Presence::Default(default)) => Some(default.clone()),
            (None, Presence::Required | Presence::Optional) => None,
        };
        let from_environment = matches!(found, Found::Value(Raw(Given::Environment(_))));
        let variable = self.variable(name);
        self.declare(Setting { name, doc, shape, presence, variable, effective, from_environment });
        value
    }

    fn declare(&mut self, setting: Setting) {
        self.known.insert(setting.name);
        self.run.claim(&setting.variable, &self.below(setting.name).join("."));
        self.nodes.push(Node::Setting(Box::new(setting)));
    }

    /// The environment goes before the document.
    fn find(&self, name: &str) -> Found<'d> {
        let environment = self.run.environment;
        match environment.optional(&self.variable(name)) {
            Ok(Some(text)) => return Found::Value(Raw(Given::Environment(text))),
            Err(_) => return Found::NotText,
            Ok(None) => {}
        }
        match self.items.and_then(|items| items.get(name)) {
            Some(Item::Value(value)) => Found::Value(Raw(Given::Document(value))),
            Some(Item::None) | None => Found::Absent,
            Some(item) => Found::Item(item),
        }
    }

    fn shown(&self, name: &str) -> Option<String> {
        match self.find(name) {
            Found::Value(raw) => Some(raw.shown()),
            Found::Item(_) => Some("a table".to_owned()),
            Found::NotText => Some("not UTF-8 text".to_owned()),
            Found::Absent => None,
        }
    }

    fn place(&self, name: &str) -> Place {
        let variable = self.variable(name);
        if matches!(self.run.environment.optional(&variable), Ok(Some(_)) | Err(_)) {
            return Place::Variable(variable);
        }
        Place::Document { path: display(&self.below(name)), at: self.position(name).or(self.header) }
    }

    fn position(&self, name: &str) -> Option<Position> {
        let (key, item) = self.items?.get_key_value(name)?;
        self.run.position(key.span().or_else(|| item.span()))
    }

    fn variable(&self, name: &str) -> String {
        variable_of(&self.below(name))
    }

    fn below(&self, name: &str) -> Vec<String> {
        self.path.iter().cloned().chain([name.to_owned()]).collect()
    }

    /// The table of that name, and where it begins; none in it when it is absent. None at all when something else stands
    /// there, which is then noted as a mistake.
    fn child(&mut self, name: &str) -> Option<(Option<&'d dyn TableLike>, Option<Position>)> {
        let item = self.items.and_then(|items| items.get(name)).filter(|item| !item.is_none());
        let table = item.and_then(Item::as_table_like);
        let at = self.position(name).or(self.header);
        if item.is_some() && table.is_none() {
            self.run.leave_unjudged(format!("{}__", self.variable(name)));
            self.run.mistake(Place::Document { path: display(&self.below(name)), at }, "must be a table.");
            return None;
        }
        Some((table, at))
    }

    /// Names of the tables below this one, whoever chose them.
    fn names(&mut self) -> Vec<String> {
        if self.run.mode == Mode::Describe {
            return vec!["<name>".to_owned()];
        }
        let mut names: Vec<String> =
            self.items.map_or_else(Vec::new, |items| items.iter().map(|(name, _)| name.to_owned()).collect());
        let beginning = format!("{}__", variable_of(&self.path));
        for name in self.run.environment.ours() {
            let of_known = |known: &String| name.starts_with(&format!("{}__", variable_of(&self.below(known))));
            let Some(rest) = name.strip_prefix(&beginning).filter(|_| !names.iter().any(of_known)) else { continue };
            if let Some((part, _)) = rest.split_once("__") {
                names.push(part.to_ascii_lowercase().replace('_', "-"));
            }
        }
        names
    }

    fn refuse_name(&mut self, name: &str, phrase: &str) {
        let path = self.below(name);
        self.run.leave_unjudged(format!("{}__", variable_of(&path)));
        let place = Place::Document { path: display(&path), at: self.position(name).or(self.header) };
        self.run.mistake(place, format!("is not a name that can be used here: it must be {phrase}."));
    }

    /// Notes names that do not belong here.
    pub(super) fn close(self) -> Vec<Node> {
        let Some(items) = self.items.filter(|_| self.closed) else { return self.nodes };
        for (name, _) in items.iter().filter(|(name, _)| !self.known.contains(name)) {
            let place = Place::Document { path: display(&self.below(name)), at: self.position(name) };
            let known: Vec<&str> = self.known.iter().copied().collect();
            let what = match nearest(name, known.iter().copied()) {
                Some(meant) => format!("is not a setting. Did you mean \"{meant}\"?"),
                None => format!("is not a setting. Allowed here: {}.", known.join(", ")),
            };
            self.run.mistake(place, what);
        }
        self.nodes
    }
}

fn variable_of(path: &[String]) -> String {
    if path.is_empty() { PREFIX.trim_end_matches('_').to_owned() } else { variable(path) }
}

/// A path as TOML would write it.
fn display(path: &[String]) -> String {
    let bare = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    let parts: Vec<String> =
        path.iter().map(|part| if bare(part) { part.clone() } else { format!("{part:?}") }).collect();
    parts.join(".")
}
