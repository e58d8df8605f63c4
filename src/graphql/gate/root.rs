//! The root selection as the engine can run it: fragments opened, directives applied, equal response keys merged.

use super::convert::Fragments;
use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{Directive, Field, Selection, SelectionSet},
};
use async_graphql_value::Value as Written;
use std::collections::HashSet;

/// The fields of a root selection, in order, each response key once. Root types are concrete, so every fragment applies.
pub(super) fn fields(set: &SelectionSet, fragments: &Fragments, variables: &Variables) -> Vec<Positioned<Field>> {
    let mut root = Root { variables, fragments, spread: HashSet::new(), fields: vec![] };
    root.flatten(set);
    root.fields
}

struct Root<'a> {
    variables: &'a Variables,
    fragments: &'a Fragments,
    spread: HashSet<&'a Name>,
    fields: Vec<Positioned<Field>>,
}

impl<'a> Root<'a> {
    fn flatten(&mut self, set: &SelectionSet) {
        for selection in &set.items {
            if !included(selection.node.directives(), self.variables) {
                continue;
            }
            match &selection.node {
                Selection::Field(field) => self.add(field),
                Selection::InlineFragment(fragment) => self.flatten(&fragment.node.selection_set.node),
                Selection::FragmentSpread(used) => {
                    let found = self.fragments.get_key_value(&used.node.fragment_name.node);
                    if let Some((name, fragment)) = found
                        && self.spread.insert(name)
                    {
                        self.flatten(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }

    fn add(&mut self, field: &Positioned<Field>) {
        let key = &field.node.response_key().node;
        if let Some(same) = self.fields.iter_mut().find(|other| other.node.response_key().node == *key) {
            same.node.selection_set.node.items.extend(field.node.selection_set.node.items.iter().cloned());
            return;
        }
        let mut field = field.clone();
        field.node.directives.clear();
        // With the variables' values in their places, the engine has nothing left to get wrong.
        put_constants(&mut field.node, self.variables);
        if matches!(field.node.name.node.as_str(), "__schema" | "__type") {
            put_constants_below(&mut field.node.selection_set.node, self.variables);
        }
        self.fields.push(field);
    }
}

fn put_constants(field: &mut Field, variables: &Variables) {
    field.arguments.retain_mut(|(_, value)| match constant(&value.node, variables) {
        Some(constant) => {
            value.node = constant.into_value();
            true
        }
        None => false,
    });
}

/// The engine itself answers what is below `__schema` and `__type`, and takes a variable that is absent or null there for a
/// mistake instead of the argument's default. Fragments are left as they are: they are shared by all requests.
fn put_constants_below(set: &mut SelectionSet, variables: &Variables) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                put_constants(&mut field.node, variables);
                field.node.arguments.retain(|(_, value)| value.node != Written::Null);
                put_constants_below(&mut field.node.selection_set.node, variables);
            }
            Selection::InlineFragment(fragment) => {
                put_constants_below(&mut fragment.node.selection_set.node, variables);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// A value with the variables' values in it. One that is not given takes its argument or member along, and is null in a
/// list.
fn constant(value: &Written, variables: &Variables) -> Option<Value> {
    Some(match value {
        Written::Variable(name) => variables.get(name)?.clone(),
        Written::List(items) => {
            Value::List(items.iter().map(|item| constant(item, variables).unwrap_or(Value::Null)).collect())
        }
        Written::Object(members) => {
            let given = members.iter().filter_map(|(name, value)| Some((name.clone(), constant(value, variables)?)));
            Value::Object(given.collect())
        }
        other => other.clone().into_const()?,
    })
}

fn included(directives: &[Positioned<Directive>], variables: &Variables) -> bool {
    directives.iter().all(|directive| {
        let condition = directive.node.get_argument("if");
        let value = condition
            .and_then(|value| value.node.clone().into_const_with(|name| variables.get(&name).cloned().ok_or(())).ok());
        match directive.node.name.node.as_str() {
            "skip" => value != Some(Value::Boolean(true)),
            "include" => value == Some(Value::Boolean(true)),
            _ => true,
        }
    })
}
