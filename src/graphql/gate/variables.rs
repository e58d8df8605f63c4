//! The values that a request gives for an operation's variables, coerced to their types.
//!
//! As the specification says, and graphql-js does: one value stands for a list of it, `1.0` is a whole number, an ID may be
//! a whole number. A mistake is one of the request, told with its place: `$filter.created.since`.

use super::{
    convert::constant,
    inputs::{self, Wrong},
};
use apollo_compiler::{
    Node, Schema,
    ast::{Type, VariableDefinition},
    schema::{ExtendedType, InputObjectType},
};
use async_graphql::{Name, Value as Const, Variables, indexmap::IndexMap};
use serde_json::{Map, Number, Value};
use std::collections::HashSet;

/// Coerces what is given. A variable that is neither given nor has a default is absent from the result; what is given
/// beside the variables is left out.
///
/// # Errors
/// The first value that cannot be taken.
pub(super) fn coerce(
    schema: &Schema,
    definitions: &[Node<VariableDefinition>],
    never_null: &HashSet<apollo_compiler::Name>,
    mut given: Map<String, Value>,
) -> Result<Variables, Wrong> {
    let mut coerced = Variables::default();
    let reader = Reader { schema };
    for definition in definitions {
        let at = format!("${}", definition.name);
        let value = match (given.swap_remove(definition.name.as_str()), &definition.default_value) {
            (Some(Value::Null), _) if never_null.contains(&definition.name) => {
                return wrong(format!("`{at}` must not be null: it stands where there must be a value."));
            }
            (Some(value), _) => reader.value(&definition.ty, value, &at)?,
            (None, Some(default)) => as_text(constant(default).unwrap_or_default()),
            (None, None) if definition.ty.is_non_null() => {
                return wrong(format!("`{at}` is missing: a variable of type {} must be given.", definition.ty));
            }
            (None, None) => continue,
        };
        coerced.insert(Name::new(definition.name.as_str()), value);
    }
    Ok(coerced)
}

/// Words of enums as texts, as they come in variables.
fn as_text(value: Const) -> Const {
    match value {
        Const::Enum(word) => Const::String(word.to_string()),
        Const::List(items) => Const::List(items.into_iter().map(as_text).collect()),
        Const::Object(members) => {
            Const::Object(members.into_iter().map(|(name, value)| (name, as_text(value))).collect())
        }
        other => other,
    }
}

fn wrong<T>(message: String) -> Result<T, Wrong> {
    Err(Wrong { message, offset: None })
}

struct Reader<'a> {
    schema: &'a Schema,
}

impl Reader<'_> {
    fn value(&self, ty: &Type, value: Value, at: &str) -> Result<Const, Wrong> {
        match (inputs::item(ty), value) {
            (_, Value::Null) if ty.is_non_null() => wrong(format!("`{at}` must not be null: it takes {ty}.")),
            (_, Value::Null) => Ok(Const::Null),
            (Some(item), Value::Array(items)) => {
                let mut each = items.into_iter().enumerate();
                let items: Result<Vec<Const>, Wrong> =
                    each.by_ref().map(|(index, value)| self.value(item, value, &format!("{at}[{index}]"))).collect();
                items.map(Const::List)
            }
            (Some(item), value) => Ok(Const::List(vec![self.value(item, value, at)?])),
            (None, value) => self.named(ty.inner_named_type(), value, at),
        }
    }

    fn named(&self, ty: &str, value: Value, at: &str) -> Result<Const, Wrong> {
        match self.schema.types.get(ty) {
            Some(ExtendedType::Enum(own)) => match value {
                Value::String(word) if own.values.contains_key(word.as_str()) => Ok(Const::String(word)),
                _ => wrong(format!("`{at}` must be {}.", inputs::of_enum(own))),
            },
            Some(ExtendedType::InputObject(input)) => match value {
                Value::Object(members) => self.members(input, members, at),
                _ => wrong(format!("`{at}` must be {}.", inputs::of_input(input))),
            },
            _ => match scalar(ty, value) {
                Some(value) => Ok(value),
                None => wrong(format!("`{at}` must be {}.", inputs::scalar(ty))),
            },
        }
    }

    fn members(&self, input: &InputObjectType, mut members: Map<String, Value>, at: &str) -> Result<Const, Wrong> {
        if let Some(unknown) = members.keys().find(|name| !input.fields.contains_key(name.as_str())) {
            return wrong(format!("`{at}.{unknown}` does not exist: {} has no such field.", input.name));
        }
        let one_of = input.directives.get("oneOf").is_some();
        if one_of && (members.len() != 1 || members.values().any(Value::is_null)) {
            return wrong(inputs::one_of(at, input));
        }
        let mut coerced = IndexMap::new();
        for (name, field) in &input.fields {
            let value = match (members.swap_remove(name.as_str()), &field.default_value) {
                (Some(value), _) => self.value(&field.ty, value, &format!("{at}.{name}"))?,
                (None, Some(default)) => as_text(constant(default).unwrap_or_default()),
                (None, None) if field.ty.is_non_null() => return wrong(format!("`{at}.{name}` is missing.")),
                (None, None) => continue,
            };
            coerced.insert(Name::new(name.as_str()), value);
        }
        Ok(Const::Object(coerced))
    }
}

fn scalar(ty: &str, value: Value) -> Option<Const> {
    Some(match (ty, value) {
        ("Int", Value::Number(number)) => {
            Const::Number(whole(&number).filter(|number| i32::try_from(*number).is_ok())?.into())
        }
        ("Float", Value::Number(number)) => Const::Number(number),
        ("ID", Value::Number(number)) => match whole(&number) {
            Some(whole) => Const::String(whole.to_string()),
            None => Const::String(format!("{:.0}", number.as_f64().filter(|number| number.fract() == 0.0)?)),
        },
        ("String" | "ID", Value::String(text)) => Const::String(text),
        ("Boolean", Value::Bool(truth)) => Const::Boolean(truth),
        ("Int" | "Float" | "ID" | "String" | "Boolean", _) => return None,
        (_, value) => {
            if !inputs::own_scalar(ty, value.as_str()) {
                return None;
            }
            Const::from_json(value).ok()?
        }
    })
}

/// A number without a fractional part, however it is written.
fn whole(number: &Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= EXACT)?;
        Some(float as i64)
    })
}
