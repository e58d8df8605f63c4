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
        field.node.arguments.retain_mut(|(_, value)| match constant(&value.node, self.variables) {
            Some(constant) => {
                value.node = constant.into_value();
                true
            }
            None => false,
        });
        self.fields.push(field);
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
