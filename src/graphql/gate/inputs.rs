//! What apollo-compiler does not know of inputs: `@oneOf` objects and our own scalars.
//!
//! The engine would refuse both only when the field runs: after an earlier mutation may have run, and with all of `data`
//! null. Here they are mistakes of the request, told with their place: `filter.created.since`.

use crate::graphql::scalar::DateTime;
use apollo_compiler::{
    ExecutableDocument, Node, Schema,
    ast::{Type, Value as Written, VariableDefinition},
    executable::{Field, Operation, Selection, SelectionSet},
    schema::{ExtendedType, InputObjectType},
};
use async_graphql::{InputType, Value as Const};
use serde_json::{Map, Value};

/// Checks every literal of a document. Once for each document that is accepted.
///
/// # Errors
/// A sentence that says where and what is wrong.
pub(super) fn check_literals(schema: &Schema, document: &ExecutableDocument) -> Result<(), String> {
    let variables = document.operations.iter().flat_map(|operation| &operation.variables).collect();
    let check = Check { schema, variables };
    for operation in document.operations.iter() {
        for variable in &operation.variables {
            if let Some(default) = &variable.default_value {
                check.literal(&variable.ty, default, &format!("${}", variable.name))?;
            }
        }
        check.selections(&operation.selection_set)?;
    }
    document.fragments.values().try_for_each(|fragment| check.selections(&fragment.selection_set))
}

/// Checks every variable that is given for an operation.
///
/// # Errors
/// A sentence that says where and what is wrong.
pub(super) fn check_variables(
    schema: &Schema,
    operation: &Operation,
    variables: &Map<String, Value>,
) -> Result<(), String> {
    let check = Check { schema, variables: vec![] };
    operation.variables.iter().try_for_each(|variable| match variables.get(variable.name.as_str()) {
        Some(value) => check.json(&variable.ty, value, &format!("${}", variable.name)),
        None => Ok(()),
    })
}

struct Check<'a> {
    schema: &'a Schema,
    /// Those of all operations: a fragment may be used by several.
    variables: Vec<&'a Node<VariableDefinition>>,
}

impl Check<'_> {
    fn selections(&self, set: &SelectionSet) -> Result<(), String> {
        set.selections.iter().try_for_each(|selection| match selection {
            Selection::Field(field) => self.field(field),
            Selection::InlineFragment(fragment) => self.selections(&fragment.selection_set),
            // Fragments are checked where they are defined.
            Selection::FragmentSpread(_) => Ok(()),
        })
    }

    fn field(&self, field: &Field) -> Result<(), String> {
        for argument in &field.arguments {
            if let Some(definition) = field.definition.argument_by_name(&argument.name) {
                self.literal(&definition.ty, &argument.value, &argument.name)?;
            }
        }
        self.selections(&field.selection_set)
    }

    fn input(&self, ty: &Type) -> Option<&Node<InputObjectType>> {
        match self.schema.types.get(ty.inner_named_type())? {
            ExtendedType::InputObject(input) => Some(input),
            _ => None,
        }
    }

    fn literal(&self, ty: &Type, value: &Written, at: &str) -> Result<(), String> {
        match value {
            Written::List(items) => {
                let item_type = if ty.is_list() { ty.item_type() } else { ty };
                let mut each = items.iter().enumerate();
                each.try_for_each(|(index, item)| {
                    let at = format!("{at}[{index}]");
                    match &**item {
                        Written::Variable(name) => self.fits(name, item_type, false, &at),
                        item => self.literal(item_type, item, &at),
                    }
                })
            }
            Written::Object(members) => {
                let Some(input) = self.input(ty) else { return Ok(()) };
                let nulls = members.iter().filter(|(_, value)| value.is_null()).count();
                one_member(input, members.len(), nulls, at)?;
                let chosen = input.directives.get("oneOf").is_some();
                members.iter().try_for_each(|(name, value)| {
                    let Some(field) = input.fields.get(name) else { return Ok(()) };
                    let at = format!("{at}.{name}");
                    match &**value {
                        // The one member that is chosen must not be null.
                        Written::Variable(name) if chosen => {
                            self.fits(name, &field.ty.as_ref().clone().non_null(), false, &at)
                        }
                        Written::Variable(name) => self.fits(name, &field.ty, field.default_value.is_some(), &at),
                        value => self.literal(&field.ty, value, &at),
                    }
                })
            }
            Written::String(text) => scalar(ty, Const::String(text.clone()), at),
            // A whole argument is checked with the document.
            Written::Null | Written::Variable(_) => Ok(()),
            _ => scalar(ty, Const::Null, at),
        }
    }

    /// Whether a variable may stand at a place of this type (IsVariableUsageAllowed of the specification).
    fn fits(&self, name: &str, ty: &Type, place_has_default: bool, at: &str) -> Result<(), String> {
        let mut defined = self.variables.iter().filter(|variable| variable.name == name);
        let unfit = defined.find(|variable| {
            let filled = place_has_default || variable.default_value.as_ref().is_some_and(|value| !value.is_null());
            let given = if filled { variable.ty.as_ref().clone().non_null() } else { variable.ty.as_ref().clone() };
            !given.is_assignable_to(ty)
        });
        match unfit {
            None => Ok(()),
            Some(variable) => {
                Err(format!("`${name}` of type {} cannot stand at `{at}`, which takes {ty}.", variable.ty))
            }
        }
    }

    fn json(&self, ty: &Type, value: &Value, at: &str) -> Result<(), String> {
        match value {
            Value::Array(items) => {
                let mut each = items.iter().enumerate();
                each.try_for_each(|(index, item)| self.json(ty, item, &format!("{at}[{index}]")))
            }
            Value::Object(members) => {
                let Some(input) = self.input(ty) else { return scalar(ty, Const::Null, at) };
                let nulls = members.values().filter(|value| value.is_null()).count();
                one_member(input, members.len(), nulls, at)?;
                members.iter().try_for_each(|(name, value)| match input.fields.get(name.as_str()) {
                    Some(field) => self.json(&field.ty, value, &format!("{at}.{name}")),
                    None => Ok(()),
                })
            }
            Value::String(text) => scalar(ty, Const::String(text.clone()), at),
            Value::Null => Ok(()),
            Value::Bool(_) | Value::Number(_) => scalar(ty, Const::Null, at),
        }
    }
}

/// A value of a scalar of ours; anything but a text comes as null, which none of them takes.
fn scalar(ty: &Type, value: Const, at: &str) -> Result<(), String> {
    if ty.inner_named_type().as_str() != DateTime::type_name() || DateTime::parse(Some(value)).is_ok() {
        return Ok(());
    }
    Err(format!("`{at}` must be a DateTime, as \"2026-04-21T11:15:00Z\" or \"2026-04-21T13:15:00+02:00\"."))
}

fn one_member(input: &InputObjectType, members: usize, nulls: usize, at: &str) -> Result<(), String> {
    if input.directives.get("oneOf").is_none() || (members == 1 && nulls == 0) {
        return Ok(());
    }
    let names: Vec<String> = input.fields.keys().map(|name| format!("`{name}`")).collect();
    Err(format!("`{at}` must have exactly one of {}, and that not null.", names.join(", ")))
}
