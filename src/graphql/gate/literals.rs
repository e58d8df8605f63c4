//! Every value that is written in a document, checked against the type of its place, and every variable's place.
//!
//! apollo-compiler looks at values too, but tells no place, knows neither `@oneOf` nor our own scalars, and lets variables
//! inside lists and objects pass. The engine would refuse these only when the field runs, with all of `data` null.

use super::inputs::{self, Wrong};
use apollo_compiler::{
    ExecutableDocument, Name, Node, Schema,
    ast::{Argument, DirectiveList, InputValueDefinition, Type, Value, VariableDefinition},
    executable::{Operation, Selection, SelectionSet},
    schema::{ExtendedType, InputObjectType},
};
use std::collections::{HashMap, HashSet};

/// What the values of a document are found to be.
pub(super) struct Values {
    /// Mistakes in values and in places of variables.
    pub wrong: Vec<Wrong>,
    /// For each operation, by its name, the variables that may be null by their type and not by their places: a default, of
    /// the variable or of the place, lets them stand there.
    pub never_null: NeverNull,
}

/// Variables by the operation that defines them.
pub(super) type NeverNull = HashMap<Option<Name>, HashSet<Name>>;

/// At most `limit` mistakes.
pub(super) fn check(schema: &Schema, document: &ExecutableDocument, limit: usize) -> Values {
    let mut check = Check { schema, limit, wrong: vec![], uses: vec![], spreads: vec![], never_null: HashMap::new() };
    let mut fragments = HashMap::new();
    for (name, fragment) in &document.fragments {
        check.directives(&fragment.directives);
        check.selections(&fragment.selection_set);
        fragments.insert(name, check.taken());
    }
    for operation in document.operations.iter() {
        for variable in &operation.variables {
            if let Some(default) = &variable.default_value {
                check.value(&variable.ty, default, false, &format!("${}", variable.name));
            }
        }
        check.directives(&operation.directives);
        check.selections(&operation.selection_set);
        let own = check.taken();
        check.places(operation, &own, &fragments);
    }
    Values { wrong: check.wrong, never_null: check.never_null }
}

/// What was met in one definition.
struct Met<'a> {
    uses: Vec<Use<'a>>,
    spreads: Vec<&'a Name>,
}

/// A variable at a place.
struct Use<'a> {
    name: &'a Name,
    ty: &'a Type,
    place_has_default: bool,
    /// The place is the one member of a `@oneOf` object: it must not be null.
    chosen: bool,
    at: String,
    offset: Option<usize>,
}

struct Check<'a> {
    schema: &'a Schema,
    limit: usize,
    wrong: Vec<Wrong>,
    uses: Vec<Use<'a>>,
    spreads: Vec<&'a Name>,
    never_null: NeverNull,
}

impl<'a> Check<'a> {
    fn taken(&mut self) -> Met<'a> {
        Met { uses: std::mem::take(&mut self.uses), spreads: std::mem::take(&mut self.spreads) }
    }

    fn tell(&mut self, offset: Option<usize>, message: impl FnOnce() -> String) {
        if self.wrong.len() < self.limit {
            self.wrong.push(Wrong { message: message(), offset });
        }
    }

    fn selections(&mut self, set: &'a SelectionSet) {
        for selection in &set.selections {
            self.directives(selection.directives());
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.arguments, &field.definition.arguments);
                    self.selections(&field.selection_set);
                }
                Selection::InlineFragment(inline) => self.selections(&inline.selection_set),
                // Fragments are checked where they are defined.
                Selection::FragmentSpread(spread) => self.spreads.push(&spread.fragment_name),
            }
        }
    }

    fn directives(&mut self, directives: &'a DirectiveList) {
        for directive in directives.iter() {
            if let Some(definition) = self.schema.directive_definitions.get(&directive.name) {
                self.arguments(&directive.arguments, &definition.arguments);
            }
        }
    }

    fn arguments(&mut self, arguments: &'a [Node<Argument>], definitions: &'a [Node<InputValueDefinition>]) {
        for argument in arguments {
            if let Some(definition) = definitions.iter().find(|definition| definition.name == argument.name) {
                self.value(&definition.ty, &argument.value, definition.default_value.is_some(), &argument.name);
            }
        }
    }

    fn value(&mut self, ty: &'a Type, value: &'a Node<Value>, place_has_default: bool, at: &str) {
        let offset = value.location().map(|location| location.offset());
        match &**value {
            Value::Variable(name) => {
                self.uses.push(Use { name, ty, place_has_default, chosen: false, at: at.to_owned(), offset });
            }
            Value::Null if ty.is_non_null() => self.tell(offset, || format!("`{at}` must not be null.")),
            Value::Null => {}
            own => match (inputs::item(ty), own) {
                (Some(item), Value::List(items)) => {
                    for (index, value) in items.iter().enumerate() {
                        self.value(item, value, false, &format!("{at}[{index}]"));
                    }
                }
                // One value stands for a list of it.
                (Some(item), _) => self.value(item, value, false, at),
                (None, _) => self.named(ty, value, at, offset),
            },
        }
    }

    fn named(&mut self, ty: &'a Type, value: &'a Node<Value>, at: &str, offset: Option<usize>) {
        let name = ty.inner_named_type();
        match self.schema.types.get(name) {
            Some(ExtendedType::Scalar(_)) => {
                let fits = match (name.as_str(), &**value) {
                    ("Int", Value::Int(number)) => number.try_to_i32().is_ok(),
                    ("Float", Value::Int(number)) => number.try_to_f64().is_ok(),
                    ("Float", Value::Float(number)) => number.try_to_f64().is_ok(),
                    ("String" | "ID", Value::String(_)) | ("ID", Value::Int(_)) | ("Boolean", Value::Boolean(_)) => {
                        true
                    }
                    ("Int" | "Float" | "String" | "ID" | "Boolean", _) => false,
                    (_, Value::String(text)) => inputs::own_scalar(name, Some(text)),
                    _ => inputs::own_scalar(name, None),
                };
                if !fits {
                    self.tell(offset, || format!("`{at}` must be {}.", inputs::scalar(name)));
                }
            }
            Some(ExtendedType::Enum(own)) => match &**value {
                Value::Enum(word) if own.values.contains_key(word) => {}
                _ => self.tell(offset, || format!("`{at}` must be {}.", inputs::of_enum(own))),
            },
            Some(ExtendedType::InputObject(input)) => match &**value {
                Value::Object(members) => self.members(input, members, at, offset),
                _ => self.tell(offset, || format!("`{at}` must be {}.", inputs::of_input(input))),
            },
            // An unknown type is told with the document.
            _ => {}
        }
    }

    fn members(
        &mut self,
        input: &'a Node<InputObjectType>,
        members: &'a [(Name, Node<Value>)],
        at: &str,
        offset: Option<usize>,
    ) {
        let chosen = input.directives.get("oneOf").is_some();
        if chosen && (members.len() != 1 || members[0].1.is_null()) {
            self.tell(offset, || inputs::one_of(at, input));
        }
        let mut given = HashSet::new();
        for (name, value) in members {
            let offset = value.location().map(|location| location.offset());
            if !given.insert(name) {
                self.tell(offset, || format!("`{at}.{name}` is given twice."));
            }
            let Some(field) = input.fields.get(name) else {
                self.tell(offset, || format!("`{at}.{name}` does not exist: {} has no such field.", input.name));
                continue;
            };
            let at = format!("{at}.{name}");
            match &**value {
                Value::Variable(name) => {
                    let place_has_default = field.default_value.is_some();
                    self.uses.push(Use { name, ty: &field.ty, place_has_default, chosen, at, offset });
                }
                _ => self.value(&field.ty, value, field.default_value.is_some(), &at),
            }
        }
        let required = input.fields.values().filter(|field| field.ty.is_non_null() && field.default_value.is_none());
        for missing in required.filter(|field| !given.contains(&field.name)) {
            self.tell(offset, || format!("`{at}.{}` is missing.", missing.name));
        }
    }

    /// The variables of an operation at all their places, in all fragments that it uses.
    fn places(&mut self, operation: &'a Operation, own: &Met<'a>, fragments: &HashMap<&'a Name, Met<'a>>) {
        let defined: HashMap<&Name, &Node<VariableDefinition>> =
            operation.variables.iter().map(|variable| (&variable.name, variable)).collect();
        let (mut opened, mut left) = (HashSet::new(), vec![own]);
        while let Some(met) = left.pop() {
            for place in &met.uses {
                match defined.get(place.name) {
                    Some(variable) if !fits(variable, place) => self.tell(place.offset, || {
                        let (name, given, ty) = (place.name, &variable.ty, place.ty);
                        let not_null = if place.chosen { " and not null" } else { "" };
                        format!("`${name}` of type {given} cannot stand at `{}`, which takes {ty}{not_null}.", place.at)
                    }),
                    Some(variable) if place.ty.is_non_null() && !variable.ty.is_non_null() => {
                        let of_operation = self.never_null.entry(operation.name.clone()).or_default();
                        of_operation.insert(place.name.clone());
                    }
                    // One that is not defined is told with the document.
                    _ => {}
                }
            }
            left.extend(
                met.spreads.iter().filter(|name| opened.insert(**name)).filter_map(|name| fragments.get(*name)),
            );
        }
    }
}

/// Whether a variable may stand at a place (IsVariableUsageAllowed of the specification).
fn fits(variable: &VariableDefinition, place: &Use<'_>) -> bool {
    let not_null = place.ty.is_non_null() || place.chosen;
    if not_null && !variable.ty.is_non_null() {
        let has_default = variable.default_value.as_ref().is_some_and(|value| !value.is_null());
        let filled = !place.chosen && (has_default || place.place_has_default);
        return filled && variable.ty.is_assignable_to(&place.ty.clone().nullable());
    }
    variable.ty.is_assignable_to(place.ty)
}
