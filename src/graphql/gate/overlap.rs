//! Equal response keys with lists of different lengths as arguments, which apollo-compiler takes for equal.
//!
//! It compares lists only as far as both go, but objects member by member. So where the same key stands with lists of
//! different lengths, the document is validated once more with every list written as an object.

use super::inputs::Wrong;
use apollo_compiler::{
    Name, Node, Schema,
    ast::{Argument, Definition, Document, Selection, Value},
    diagnostic::ToCliReport,
    validation::Valid,
};
use std::collections::HashMap;

/// The conflicts in arguments of a document that is valid otherwise.
pub(super) fn conflicts(schema: &Valid<Schema>, document: &Document) -> Vec<Wrong> {
    let mut lengths = HashMap::new();
    if !document.definitions.iter().any(|definition| differ(selections(definition), &mut lengths)) {
        return vec![];
    }
    let mut rewritten = document.clone();
    for definition in &mut rewritten.definitions {
        match definition {
            Definition::OperationDefinition(operation) => rewrite(&mut operation.make_mut().selection_set),
            Definition::FragmentDefinition(fragment) => rewrite(&mut fragment.make_mut().selection_set),
            _ => {}
        }
    }
    let Ok(built) = rewritten.to_executable(schema) else { return vec![] };
    let Err(refused) = built.validate(schema) else { return vec![] };
    // Values are of the wrong kind now; only conflicts mean something.
    let conflicts =
        refused.errors.iter().filter(|found| found.error.unstable_error_name() == Some("ConflictingFieldArgument"));
    let wrong = conflicts.map(|found| Wrong {
        message: super::read::sentence(&found.error.to_string()),
        offset: found.error.location().map(|location| location.offset()),
    });
    wrong.collect()
}

fn selections(definition: &Definition) -> &[Selection] {
    match definition {
        Definition::OperationDefinition(operation) => &operation.selection_set,
        Definition::FragmentDefinition(fragment) => &fragment.selection_set,
        _ => &[],
    }
}

/// Whether any response key stands with lists of different lengths, wherever.
fn differ<'a>(selections: &'a [Selection], lengths: &mut HashMap<&'a str, Vec<usize>>) -> bool {
    selections.iter().any(|selection| match selection {
        Selection::Field(field) => {
            let mut own = vec![];
            field.arguments.iter().for_each(|argument| lists(&argument.value, &mut own));
            let key = field.alias.as_ref().unwrap_or(&field.name).as_str();
            lengths.entry(key).or_insert_with(|| own.clone()) != &own || differ(&field.selection_set, lengths)
        }
        Selection::InlineFragment(inline) => differ(&inline.selection_set, lengths),
        Selection::FragmentSpread(_) => false,
    })
}

/// The lengths of all lists in a value.
fn lists(value: &Value, lengths: &mut Vec<usize>) {
    match value {
        Value::List(items) => {
            lengths.push(items.len());
            items.iter().for_each(|item| lists(item, lengths));
        }
        Value::Object(members) => members.iter().for_each(|(_, member)| lists(member, lengths)),
        _ => {}
    }
}

fn rewrite(selections: &mut [Selection]) {
    for selection in selections {
        match selection {
            Selection::Field(field) => {
                let field = field.make_mut();
                field
                    .arguments
                    .iter_mut()
                    .for_each(|argument: &mut Node<Argument>| objects(&mut argument.make_mut().value));
                rewrite(&mut field.selection_set);
            }
            Selection::InlineFragment(inline) => rewrite(&mut inline.make_mut().selection_set),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Every list as an object whose members are numbered.
fn objects(value: &mut Node<Value>) {
    let value = value.make_mut();
    if let Value::List(items) = value {
        let numbered = std::mem::take(items).into_iter().enumerate();
        let name = |index| Name::new(&format!("i{index}")).expect("a letter and digits are a name");
        *value = Value::Object(numbered.map(|(index, item)| (name(index), item)).collect());
    }
    if let Value::Object(members) = value {
        members.iter_mut().for_each(|(_, member)| objects(member));
    }
}
