//! How many records an operation's lists can have, by page sizes; known for certain only with the variables.
//!
//! A list counts its page size, and multiplies what is below it: `incidents(first: 100) { nodes { assets(first: 10) … } }`
//! counts 100 and 100 × 10. A list without a page size (the owners of an incident) counts as one: how long it is, no
//! document tells.

use super::order::innermost_first;
use crate::domain::PageSize;
use apollo_compiler::{
    Node, Schema,
    ast::Value,
    collections::IndexMap,
    executable::{ExecutableDocument, Field, Fragment, Selection, SelectionSet},
    schema::ExtendedType,
};
use async_graphql::{Value as Const, Variables};
use std::collections::HashMap;

/// What of a document decides how many records it can ask for.
#[derive(Default)]
pub(super) struct Sizes {
    /// Each after those that it spreads.
    fragments: Vec<Set>,
    operations: HashMap<Option<String>, Set>,
}

/// A selection set, without what has no size.
#[derive(Default)]
struct Set {
    lists: Vec<List>,
    /// Indexes of fragments that are spread.
    spreads: Vec<usize>,
}

struct List {
    size: Size,
    below: Set,
}

enum Size {
    /// No list of records, or one of which nobody knows how long it is.
    One,
    Fixed(u64),
    /// A variable's number, or else what the argument is when it is not given.
    Number(String, u64),
    /// As many as a variable has items.
    Items(String),
}

impl Sizes {
    /// `schema` tells how long the lists of introspection are.
    pub(super) fn new(schema: &SchemaSizes, document: &ExecutableDocument) -> Self {
        let fragments: Vec<&Node<Fragment>> = document.fragments.values().collect();
        let mut reading = Reading { schema, document, index: HashMap::new() };
        let mut sets: Vec<Option<Set>> = vec![];
        let given: HashMap<&str, usize> =
            fragments.iter().enumerate().map(|(index, fragment)| (fragment.name.as_str(), index)).collect();
        reading.index = given;
        let mut next = vec![];
        for fragment in &fragments {
            let mut spreads = vec![];
            let set = reading.set(&fragment.selection_set);
            set.tell_spreads(&mut spreads);
            next.push(spreads);
            sets.push(Some(set));
        }
        let order = innermost_first(&next);
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(at, fragment)| place[*fragment] = at);
        let fragments =
            order.iter().filter_map(|fragment| sets[*fragment].take()).map(|set| set.placed(&place)).collect();
        let operations = document.operations.iter().map(|operation| {
            let name = operation.name.as_ref().map(ToString::to_string);
            (name, reading.set(&operation.selection_set).placed(&place))
        });
        Sizes { operations: operations.collect(), fragments }
    }

    /// How many records the operation can ask for.
    pub(super) fn nodes(&self, operation: Option<&str>, variables: &Variables) -> u64 {
        let mut known: Vec<u64> = Vec::with_capacity(self.fragments.len());
        for fragment in &self.fragments {
            known.push(fragment.nodes(variables, &known));
        }
        let set = self.operations.get(&operation.map(str::to_owned));
        set.map_or(0, |set| set.nodes(variables, &known))
    }
}

impl Set {
    fn nodes(&self, variables: &Variables, fragments: &[u64]) -> u64 {
        let spread = self.spreads.iter().filter_map(|index| fragments.get(*index));
        let lists = self.lists.iter().map(|list| {
            let below = list.below.nodes(variables, fragments);
            match list.size.number(variables) {
                None => below,
                Some(size) => size.saturating_mul(below.saturating_add(1)),
            }
        });
        lists.chain(spread.copied()).fold(0, u64::saturating_add)
    }

    fn tell_spreads(&self, spreads: &mut Vec<usize>) {
        spreads.extend(&self.spreads);
        self.lists.iter().for_each(|list| list.below.tell_spreads(spreads));
    }

    fn placed(mut self, place: &[usize]) -> Self {
        self.spreads.iter_mut().for_each(|spread| *spread = place[*spread]);
        let place_list = |list: List| List { below: list.below.placed(place), ..list };
        Set { lists: self.lists.into_iter().map(place_list).collect(), ..self }
    }

    fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.spreads.is_empty()
    }
}

impl Size {
    fn number(&self, variables: &Variables) -> Option<u64> {
        match self {
            Size::One => None,
            Size::Fixed(number) => Some(*number),
            Size::Number(name, otherwise) => Some(match variables.get(name.as_str()) {
                Some(Const::Number(number)) => page(number.as_u64().unwrap_or(0)),
                _ => *otherwise,
            }),
            Size::Items(name) => Some(match variables.get(name.as_str()) {
                Some(Const::List(items)) => items.len() as u64,
                _ => 1,
            }),
        }
    }
}

struct Reading<'a> {
    schema: &'a SchemaSizes,
    document: &'a ExecutableDocument,
    index: HashMap<&'a str, usize>,
}

impl Reading<'_> {
    fn set(&self, selections: &SelectionSet) -> Set {
        let mut set = Set::default();
        self.add(selections, &mut set);
        set
    }

    fn add(&self, selections: &SelectionSet, set: &mut Set) {
        for selection in &selections.selections {
            match selection {
                Selection::Field(field) => {
                    let list = List { size: self.size(&selections.ty, field), below: self.set(&field.selection_set) };
                    if !matches!(list.size, Size::One) || !list.below.is_empty() {
                        set.lists.push(list);
                    }
                }
                Selection::InlineFragment(inline) => self.add(&inline.selection_set, set),
                Selection::FragmentSpread(spread) => {
                    if self.document.fragments.contains_key(&spread.fragment_name) {
                        set.spreads.extend(self.index.get(spread.fragment_name.as_str()));
                    }
                }
            }
        }
    }

    fn size(&self, parent: &str, field: &Field) -> Size {
        if let Some(known) = self.schema.0.get(&(parent.to_owned(), field.name.to_string())) {
            return Size::Fixed(*known);
        }
        let argument = |name: &str| field.definition.argument_by_name(name);
        if argument("ids").is_some_and(|ids| ids.ty.is_list()) {
            return match field.specified_argument_by_name("ids").map(|ids| &**ids) {
                Some(Value::List(items)) => Size::Fixed(items.len() as u64),
                Some(Value::Variable(name)) => Size::Items(name.to_string()),
                _ => Size::Fixed(1),
            };
        }
        let Some((name, definition)) = PAGE_SIZES.iter().find_map(|name| Some((name, argument(name)?))) else {
            return Size::One;
        };
        let otherwise = definition.default_value.as_deref().and_then(whole).unwrap_or(1);
        match field.specified_argument_by_name(name).map(|value| &**value) {
            Some(Value::Variable(name)) => Size::Number(name.to_string(), otherwise),
            Some(Value::Null) | None => Size::Fixed(otherwise),
            Some(value) => Size::Fixed(page(whole(value).unwrap_or(0))),
        }
    }
}

/// Arguments that say how long a list may be.
const PAGE_SIZES: [&str; 2] = ["first", "top"];

/// No page is larger than the largest: a number above it is refused at its field, before anything is loaded.
fn page(number: u64) -> u64 {
    number.min(PageSize::MAX.unsigned_abs().into())
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

/// How long the lists of introspection are on average, by type and field.
pub(super) struct SchemaSizes(IndexMap<(String, String), u64>);

impl SchemaSizes {
    pub(super) fn new(schema: &Schema) -> Self {
        let fields = |ty: &ExtendedType| match ty {
            ExtendedType::Object(object) => Some(object.fields.len()),
            ExtendedType::Interface(interface) => Some(interface.fields.len()),
            _ => None,
        };
        let arguments = |ty: &ExtendedType| match ty {
            ExtendedType::Object(object) => {
                Some(object.fields.values().map(|field| field.arguments.len()).max().unwrap_or(0))
            }
            _ => None,
        };
        let values = |ty: &ExtendedType| match ty {
            ExtendedType::Enum(own) => Some(own.values.len()),
            _ => None,
        };
        let members = |ty: &ExtendedType| match ty {
            ExtendedType::InputObject(input) => Some(input.fields.len()),
            _ => None,
        };
        let mean = |of: &dyn Fn(&ExtendedType) -> Option<usize>| {
            let sizes: Vec<usize> = schema.types.values().filter_map(of).collect();
            sizes.iter().sum::<usize>().div_ceil(sizes.len().max(1)) as u64
        };
        let sizes = [
            ("__Schema", "types", schema.types.len() as u64),
            ("__Schema", "directives", schema.directive_definitions.len() as u64),
            ("__Type", "fields", mean(&fields)),
            ("__Type", "inputFields", mean(&members)),
            ("__Type", "enumValues", mean(&values)),
            ("__Type", "interfaces", 1),
            ("__Type", "possibleTypes", 1),
            ("__Field", "args", mean(&arguments)),
            ("__Directive", "args", 1),
        ];
        SchemaSizes(sizes.into_iter().map(|(ty, field, size)| ((ty.to_owned(), field.to_owned()), size)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(text: &str, variables: serde_json::Value) -> u64 {
        let schema = Schema::parse_and_validate(crate::graphql::sdl(), "schema").unwrap();
        let document = ExecutableDocument::parse_and_validate(&schema, text, "test").unwrap();
        let sizes = Sizes::new(&SchemaSizes::new(&schema), &document);
        sizes.nodes(None, &Variables::from_json(variables))
    }

    #[test]
    fn pages_multiply_what_is_below_them() {
        let none = || serde_json::json!({});
        for (text, expected) in [
            ("{ viewer { name } sources { id } }", 0),
            ("{ incidents { totalCount } }", 25),
            ("{ incidents(first: null) { totalCount } }", 25),
            ("{ incidents(first: 10) { nodes { assets(first: 4) { nodes { id } } owners { id } } } }", 50),
            (
                "{ incidents(first: 10) { nodes { ...F } edges { node { ...F } } } } fragment F on Incident { assets { nodes { id } } }",
                510,
            ),
            ("{ nodes(ids: [\"a\", \"b\"]) { ... on Asset { incidents(first: 3) { nodes { id } } } } }", 8),
            ("{ incidentStats { byOwner(top: 7) { owner { incidents(first: 2) { totalCount } } } } }", 21),
        ] {
            assert_eq!(nodes(text, none()), expected, "{text}");
        }
    }

    #[test]
    fn variables_say_how_long_a_page_is() {
        let text = "query($n: Int, $ids: [ID!]!) { nodes(ids: $ids) { ... on Asset { incidents(first: $n) { totalCount } } } }";
        assert_eq!(nodes(text, serde_json::json!({ "n": 9, "ids": ["a", "b"] })), 20);
        assert_eq!(nodes(text, serde_json::json!({ "ids": ["a"] })), 26);
        assert_eq!(nodes(text, serde_json::json!({ "n": -1, "ids": ["a"] })), 1);
    }

    #[test]
    fn the_largest_number_is_the_end() {
        let open = "incidents(first: 100) { nodes { assets(first: 2147483647) { nodes { ";
        let text = format!("{{ {} id {} }}", open.repeat(6), "} } } }".repeat(6));
        assert_eq!(nodes(&text, serde_json::json!({})), u64::MAX);
    }
}
