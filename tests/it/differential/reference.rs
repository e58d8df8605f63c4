//! A slow evaluator that goes through the GraphQL specification line by line (October 2021, section 6) over JSON facts.
//!
//! It shares the parser of queries with the gateway and nothing else: types come from the SDL, values from `facts`.
//! Beyond the specification it knows what our schema promises: see `resolve` and `shown_by_link`.

use super::facts::{Facts, Failure, identity, names};
use apollo_compiler::{
    Schema,
    ast::{FieldDefinition, Type, Value as Default},
    schema::ExtendedType,
};
use async_graphql::{Name, Positioned, parser::types::*};
use async_graphql_value::Value as Written;
use serde_json::{Map, Value, json};
use std::{collections::HashSet, rc::Rc};

/// An error before errors of one shape are told as one.
#[derive(Debug)]
pub(super) struct Met {
    pub(super) path: Vec<Value>,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// Null where null is not allowed.
pub(super) struct Bubble;

pub(super) struct Reference<'a> {
    pub(super) document: &'a ExecutableDocument,
    /// As given by the client.
    pub(super) given: &'a Map<String, Value>,
    pub(super) facts: &'a Facts,
    pub(super) schema: &'a Schema,
    /// Whether the caller may read records as received.
    pub(super) may_read_raw: bool,
    pub(super) errors: Vec<Met>,
}

type Group<'a> = Vec<&'a Field>;
type Path = Vec<Value>;

fn bad_input() -> Failure {
    ("BAD_USER_INPUT", String::new())
}

fn not_found() -> Failure {
    ("NOT_FOUND", String::new())
}

impl<'a> Reference<'a> {
    /// ExecuteQuery: `data`.
    pub(super) fn run(&mut self) -> Value {
        let (_, operation) = self.document.operations.iter().next().unwrap();
        let root = json!({"$type": "Query"});
        self.object(&root, &[&operation.node.selection_set.node], &[]).unwrap_or(Value::Null)
    }

    /// ExecuteSelectionSet on an object, of which `$type` tells the type.
    fn object(&mut self, object: &Value, sets: &[&'a SelectionSet], path: &[Value]) -> Result<Value, Bubble> {
        let ty = object["$type"].as_str().unwrap();
        let mut out = Map::new();
        for (key, group) in self.collect_all(ty, sets) {
            let path = [path, &[json!(key)]].concat();
            let name = group[0].name.node.as_str();
            let value = if name == "__typename" {
                json!(ty)
            } else {
                let definition = self.schema.type_field(ty, name).unwrap();
                match self.resolve(ty, object, group[0], definition) {
                    Ok(value) => self.complete(&definition.ty, &value, &group, &path)?,
                    Err(failure) => self.fail(&definition.ty, failure, path)?,
                }
            };
            out.insert(key.to_owned(), value);
        }
        Ok(Value::Object(out))
    }

    /// A field error: null, or the parent's null.
    fn fail(&mut self, ty: &Type, (code, message): Failure, path: Path) -> Result<Value, Bubble> {
        self.errors.push(Met { path, code, message });
        if ty.is_non_null() { Err(Bubble) } else { Ok(Value::Null) }
    }

    fn collect_all(&self, ty: &str, sets: &[&'a SelectionSet]) -> Vec<(&'a str, Group<'a>)> {
        let mut groups = Vec::new();
        let mut visited = HashSet::new();
        sets.iter().for_each(|set| self.collect(ty, set, &mut visited, &mut groups));
        groups
    }

    /// CollectFields.
    fn collect(
        &self,
        ty: &str,
        set: &'a SelectionSet,
        visited: &mut HashSet<&'a Name>,
        groups: &mut Vec<(&'a str, Group<'a>)>,
    ) {
        for selection in &set.items {
            if self.directive(&selection.node, "skip") == Some(true)
                || self.directive(&selection.node, "include") == Some(false)
            {
                continue;
            }
            match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    match groups.iter_mut().find(|(other, _)| *other == key) {
                        Some((_, group)) => group.push(&field.node),
                        None => groups.push((key, vec![&field.node])),
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let fragment = &self.document.fragments[name].node;
                    if visited.insert(name) && self.applies(&fragment.type_condition, ty) {
                        self.collect(ty, &fragment.selection_set.node, visited, groups);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    if fragment.node.type_condition.as_ref().is_none_or(|on| self.applies(on, ty)) {
                        self.collect(ty, &fragment.node.selection_set.node, visited, groups);
                    }
                }
            }
        }
    }

    fn directive(&self, selection: &Selection, name: &str) -> Option<bool> {
        let found = selection.directives().iter().find(|directive| directive.node.name.node == name)?;
        self.value(&found.node.get_argument("if").unwrap().node)?.as_bool()
    }

    /// DoesFragmentTypeApply.
    fn applies(&self, condition: &Positioned<TypeCondition>, ty: &str) -> bool {
        let on = condition.node.on.node.as_str();
        on == ty || matches!(&self.schema.types[ty], ExtendedType::Object(o) if o.implements_interfaces.contains(on))
    }

    /// CompleteValue.
    fn complete(&mut self, ty: &Type, value: &Value, group: &Group<'a>, path: &Path) -> Result<Value, Bubble> {
        let completed = self.nullable(ty, value, group, path);
        match completed {
            Ok(Value::Null) if ty.is_non_null() => self.fail(ty, not_found(), path.clone()),
            Err(Bubble) if !ty.is_non_null() => Ok(Value::Null),
            other => other,
        }
    }

    fn nullable(&mut self, ty: &Type, value: &Value, group: &Group<'a>, path: &Path) -> Result<Value, Bubble> {
        let sets: Vec<&SelectionSet> = group.iter().map(|field| &field.selection_set.node).collect();
        match value {
            Value::Array(items) if ty.is_list() => {
                let mut out = Vec::new();
                for item in items {
                    if self.left_out(item, &sets) {
                        continue;
                    }
                    let path = [&path[..], &[json!(out.len())]].concat();
                    out.push(self.complete(ty.item_type(), item, group, &path)?);
                }
                Ok(Value::Array(out))
            }
            Value::Object(found) if found.contains_key("$link") => match self.follow(value, &sets) {
                Some(record) => self.object(&record, &sets, path),
                None => Ok(Value::Null),
            },
            Value::Object(found) if found.contains_key("$sought") => {
                match self.load(found["$sought"].as_str().unwrap()) {
                    Ok(Some(record)) => self.object(&record, &sets, path),
                    Ok(None) => self.fail(ty, not_found(), path.clone()).and(Err(Bubble)),
                    Err(failure) => self.fail(ty, failure, path.clone()).and(Err(Bubble)),
                }
            }
            Value::Object(found) if found.contains_key("$wrong") => {
                let message = found["$wrong"][1].as_str().unwrap().to_owned();
                self.fail(ty, ("BAD_USER_INPUT", message), path.clone()).and(Err(Bubble))
            }
            Value::Object(found) if found.contains_key("$source") => {
                let source = self.facts.records[&format!("Source/{}/", found["$source"].as_str().unwrap())].clone();
                self.object(&source, &sets, path)
            }
            Value::Object(found) if found.contains_key("$type") => self.object(value, &sets, path),
            // A scalar, which may be JSON of any shape.
            scalar => Ok(scalar.clone()),
        }
    }

    /// What lies under a name, unless it fails.
    fn load(&self, name: &str) -> Result<Option<Rc<Value>>, Failure> {
        let mut parts = name.split('/');
        let kind = format!("{}/{}", parts.next().unwrap(), parts.next().unwrap());
        match self.facts.failing_kinds.get(&kind).or(self.facts.failing.get(name)) {
            Some(failure) => Err(failure.clone()),
            None => Ok(self.facts.records.get(name).map(|record| Rc::new(record.clone()))),
        }
    }

    /// The object at the end of a link: the link itself where it shows all that is asked for. Where the record fails, what
    /// the link shows stays, and each other field is the failure.
    fn follow(&self, link: &Value, sets: &[&'a SelectionSet]) -> Option<Rc<Value>> {
        let [kind, source, native] = ["$link", "source", "native"].map(|name| link[name].as_str().unwrap());
        let mut shown = identity(kind, source, native);
        if !link["name"].is_null() {
            shown[text_of(kind)] = link["name"].clone();
        }
        if self.shown_by_link(link, sets) {
            return Some(Rc::new(shown));
        }
        match self.load(&format!("{kind}/{source}/{native}")) {
            Ok(record) => record,
            Err((code, message)) => {
                shown["$failed"] = json!([code, message]);
                Some(Rc::new(shown))
            }
        }
    }

    /// “Ids and names that the list embeds cost no call”: they are shown as the link tells them, whether or not the
    /// record is there.
    fn shown_by_link(&self, link: &Value, sets: &[&'a SelectionSet]) -> bool {
        let kind = link["$link"].as_str().unwrap();
        self.collect_all(kind, sets).iter().all(|(_, group)| match group[0].name.node.as_str() {
            "__typename" | "id" | "source" | "sourceId" => true,
            name => name == text_of(kind) && !link["name"].is_null(),
        })
    }

    /// “Dangling ids in a relation are left out of the list”: a link to nothing, and an edge that stands for one.
    fn left_out(&self, item: &Value, sets: &[&'a SelectionSet]) -> bool {
        if item.get("$link").is_some() {
            return self.follow(item, sets).is_none();
        }
        let (Some(ty), Some(node)) = (item.get("$type"), item.get("node")) else { return false };
        let groups = self.collect_all(ty.as_str().unwrap(), sets);
        let mut nodes = groups.iter().filter(|(_, group)| group[0].name.node == "node");
        node.get("$link").is_some()
            && nodes.any(|(_, group)| {
                let below: Vec<&SelectionSet> = group.iter().map(|field| &field.selection_set.node).collect();
                self.left_out(node, &below)
            })
    }

    /// An argument's value: as written, from its variable, or its default; none where none of these gives one.
    pub(super) fn argument(&self, field: &'a Field, definition: &FieldDefinition, name: &str) -> Option<Value> {
        let declared = definition.argument_by_name(name).unwrap();
        let given = field.get_argument(name).and_then(|value| self.value(&value.node));
        let value = given.or_else(|| declared.default_value.as_ref().map(|value| constant(value)))?;
        Some(match (declared.ty.is_list(), value) {
            (true, one) if !one.is_array() && !one.is_null() => json!([one]),
            (_, value) => value,
        })
    }

    /// A literal or a variable; none for a variable without value.
    fn value(&self, value: &Written) -> Option<Value> {
        Some(match value {
            Written::Variable(name) => {
                let (_, operation) = self.document.operations.iter().next().unwrap();
                let mut definitions = operation.node.variable_definitions.iter();
                let definition = definitions.find(|definition| definition.node.name.node == *name).unwrap();
                let default = || definition.node.default_value.as_ref().map(|value| &value.node);
                let given = self.given.get(name.as_str()).cloned();
                given.or_else(|| default().map(|value| value.clone().into_json().unwrap()))?
            }
            Written::List(items) => items.iter().map(|item| self.value(item).unwrap_or(Value::Null)).collect(),
            Written::Object(members) => {
                let given = members.iter().filter_map(|(name, value)| Some((name.to_string(), self.value(value)?)));
                Value::Object(given.collect())
            }
            other => other.clone().into_const()?.into_json().unwrap(),
        })
    }

    /// What a client's id names.
    pub(super) fn sought(&self, id: &Value) -> Result<Value, Failure> {
        let (kind, source, native) = names(id.as_str().unwrap()).ok_or_else(bad_input)?;
        if kind == "Comment" || kind == "Activity" {
            return Err(bad_input());
        }
        Ok(json!({"$sought": format!("{kind}/{source}/{native}")}))
    }

    pub(super) fn load_of(&self, name: &str) -> Result<Option<Rc<Value>>, Failure> {
        self.load(name)
    }
}

/// The field that the text beside a link's id tells.
fn text_of(kind: &str) -> &'static str {
    match kind {
        "Evidence" => "title",
        "Term" => "label",
        _ => "name",
    }
}

fn constant(value: &Default) -> Value {
    match value {
        Default::Int(number) => json!(number.try_to_i32().unwrap()),
        Default::Null => Value::Null,
        other => panic!("no argument has such a default: {other}"),
    }
}
