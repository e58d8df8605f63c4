//! A document as apollo-compiler read it, in the engine's own types: parsed once for both.
//!
//! The engine's parser is not asked at all. It recurses without end in nested values, and refuses the escapes `\u{1F600}`
//! and `\uD83D\uDE00`.

use super::places::Places;
use apollo_compiler::{
    Name as WrittenName, Node,
    ast::{
        Argument, Definition, DirectiveList, Document, OperationDefinition as WrittenOperation, OperationType as Kind,
        Selection as WrittenSelection, Type as WrittenType, Value as Written, VariableDefinition as WrittenVariable,
    },
};
use async_graphql::{
    Name, Pos, Positioned, Value as Const,
    parser::types::{
        Directive, Field, FragmentDefinition, FragmentSpread, InlineFragment, OperationDefinition, OperationType,
        Selection, SelectionSet, Type, TypeCondition, VariableDefinition,
    },
};
use async_graphql_value::Value;
use std::collections::HashMap;

/// Fragments by their names.
pub(super) type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// Converts one document.
pub(super) struct Convert<'a>(pub Places<'a>);

impl Convert<'_> {
    pub(super) fn fragments(&self, document: &Document) -> Fragments {
        let fragments = document.definitions.iter().filter_map(|definition| match definition {
            Definition::FragmentDefinition(fragment) => Some(fragment),
            _ => None,
        });
        let convert = |fragment: &Node<apollo_compiler::ast::FragmentDefinition>| {
            let pos = self.pos(fragment);
            let condition = TypeCondition { on: Positioned::new(name(&fragment.type_condition), pos) };
            let converted = FragmentDefinition {
                type_condition: Positioned::new(condition, pos),
                directives: self.directives(&fragment.directives),
                selection_set: self.selections(&fragment.selection_set, pos),
            };
            (name(&fragment.name), Positioned::new(converted, pos))
        };
        fragments.map(convert).collect()
    }

    pub(super) fn operation(&self, operation: &Node<WrittenOperation>) -> Positioned<OperationDefinition> {
        let pos = self.pos(operation);
        let converted = OperationDefinition {
            ty: match operation.operation_type {
                Kind::Query => OperationType::Query,
                Kind::Mutation => OperationType::Mutation,
                Kind::Subscription => OperationType::Subscription,
            },
            variable_definitions: operation.variables.iter().map(|variable| self.variable(variable)).collect(),
            directives: self.directives(&operation.directives),
            selection_set: self.selections(&operation.selection_set, pos),
        };
        Positioned::new(converted, pos)
    }

    fn variable(&self, variable: &Node<WrittenVariable>) -> Positioned<VariableDefinition> {
        let pos = self.pos(variable);
        let default = variable.default_value.as_ref().and_then(|value| constant(value));
        let converted = VariableDefinition {
            name: Positioned::new(name(&variable.name), pos),
            var_type: Positioned::new(ty(&variable.ty), pos),
            directives: self.directives(&variable.directives),
            default_value: default.map(|value| Positioned::new(value, pos)),
        };
        Positioned::new(converted, pos)
    }

    fn selections(&self, selections: &[WrittenSelection], pos: Pos) -> Positioned<SelectionSet> {
        let items = selections.iter().map(|selection| match selection {
            WrittenSelection::Field(field) => {
                let pos = self.pos(field);
                let converted = Field {
                    alias: field.alias.as_ref().map(|alias| Positioned::new(name(alias), pos)),
                    name: Positioned::new(name(&field.name), pos),
                    arguments: self.arguments(&field.arguments),
                    directives: self.directives(&field.directives),
                    selection_set: self.selections(&field.selection_set, pos),
                };
                Positioned::new(Selection::Field(Positioned::new(converted, pos)), pos)
            }
            WrittenSelection::FragmentSpread(spread) => {
                let pos = self.pos(spread);
                let converted = FragmentSpread {
                    fragment_name: Positioned::new(name(&spread.fragment_name), pos),
                    directives: self.directives(&spread.directives),
                };
                Positioned::new(Selection::FragmentSpread(Positioned::new(converted, pos)), pos)
            }
            WrittenSelection::InlineFragment(inline) => {
                let pos = self.pos(inline);
                let condition = inline.type_condition.as_ref().map(|on| {
                    let on = Positioned::new(name(on), pos);
                    Positioned::new(TypeCondition { on }, pos)
                });
                let converted = InlineFragment {
                    type_condition: condition,
                    directives: self.directives(&inline.directives),
                    selection_set: self.selections(&inline.selection_set, pos),
                };
                Positioned::new(Selection::InlineFragment(Positioned::new(converted, pos)), pos)
            }
        });
        Positioned::new(SelectionSet { items: items.collect() }, pos)
    }

    fn arguments(&self, arguments: &[Node<Argument>]) -> Vec<(Positioned<Name>, Positioned<Value>)> {
        let convert = |argument: &Node<Argument>| {
            let pos = self.pos(argument);
            (Positioned::new(name(&argument.name), pos), Positioned::new(value(&argument.value), pos))
        };
        arguments.iter().map(convert).collect()
    }

    fn directives(&self, directives: &DirectiveList) -> Vec<Positioned<Directive>> {
        let convert = |directive: &Node<apollo_compiler::ast::Directive>| {
            let pos = self.pos(directive);
            let converted = Directive {
                name: Positioned::new(name(&directive.name), pos),
                arguments: self.arguments(&directive.arguments),
            };
            Positioned::new(converted, pos)
        };
        directives.iter().map(convert).collect()
    }

    fn pos<T: ?Sized>(&self, node: &Node<T>) -> Pos {
        node.location().map_or_else(Pos::default, |location| self.0.of(location.offset()))
    }
}

fn name(written: &WrittenName) -> Name {
    Name::new(written.as_str())
}

fn ty(written: &WrittenType) -> Type {
    Type::new(&written.to_string()).expect("a type that was parsed is written as a type")
}

fn value(written: &Written) -> Value {
    match written {
        Written::Variable(variable) => Value::Variable(name(variable)),
        Written::List(items) => Value::List(items.iter().map(|item| value(item)).collect()),
        Written::Object(members) => {
            Value::Object(members.iter().map(|(key, member)| (name(key), value(member))).collect())
        }
        Written::Null => Value::Null,
        Written::Enum(word) => Value::Enum(name(word)),
        Written::String(text) => Value::String(text.clone()),
        Written::Boolean(truth) => Value::Boolean(*truth),
        // An ID of any length may be written without quotes.
        Written::Int(number) => match number.as_str().parse::<i64>() {
            Ok(number) => Value::Number(number.into()),
            Err(_) => Value::String(number.as_str().to_owned()),
        },
        Written::Float(number) => number.as_str().parse().map_or(Value::Null, Value::Number),
    }
}

/// A value without variables.
pub(super) fn constant(written: &Written) -> Option<Const> {
    value(written).into_const()
}
