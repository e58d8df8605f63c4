//! How much an operation asks for, counted on the syntax tree before anything is looked up in the schema.
//!
//! Every fragment is counted once, and its count added wherever it is spread; sums stop at the largest number. So six
//! fragments that each spread the next one twelve times cost as much as they are long.

use super::{
    limits::{QueryLimits, at_most},
    order::innermost_first,
};
use crate::graphql::error::Fault;
use apollo_compiler::{
    Node,
    ast::{Argument, Definition, DirectiveList, Document, OperationDefinition, Selection, Value},
};
use std::collections::HashMap;

/// What a selection asks for, fragments opened. Conditions (`@skip`, `@include`) do not count: they may turn out either way.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Counts {
    /// How deep fields nest, without those below `__schema` and `__type`.
    pub depth: u64,
    /// How deep fields nest below `__schema` and `__type`.
    pub schema_depth: u64,
    /// How many of `fields`, `interfaces`, `possibleTypes` and `inputFields` stand in each other: the way of circular
    /// introspection. Told of whatever selection; it matters below `__schema` and `__type`.
    pub circles: u64,
    /// The same, below `__schema` and `__type` only.
    pub schema_circles: u64,
    pub fields: u64,
    pub aliases: u64,
    pub spreads: u64,
    /// Fields of the selection itself, without what is below them.
    pub own_fields: u64,
    /// How many fields, spreads and values (lists, objects and variables among them) have to be looked at.
    pub weight: u64,
    /// How many fragments are spread in each other.
    pub chain: u64,
    /// Whether `__schema` or `__type` is asked for.
    pub asks_schema: bool,
}

/// How many lists of a type's parts may stand in each other: graphql-js refuses the third, too
/// (`MaxIntrospectionDepthRule`).
const MAX_CIRCLES: u64 = 2;

impl Counts {
    fn add(&mut self, other: Counts) {
        self.depth = self.depth.max(other.depth);
        self.schema_depth = self.schema_depth.max(other.schema_depth);
        self.circles = self.circles.max(other.circles);
        self.schema_circles = self.schema_circles.max(other.schema_circles);
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.spreads = self.spreads.saturating_add(other.spreads);
        self.own_fields = self.own_fields.saturating_add(other.own_fields);
        self.weight = self.weight.saturating_add(other.weight);
        self.chain = self.chain.max(other.chain);
        self.asks_schema |= other.asks_schema;
    }

    /// # Errors
    /// `COST_LIMIT` for the first of these counts that is above its limit; `FORBIDDEN` for introspection that is off.
    pub(super) fn check(&self, limits: &QueryLimits) -> Result<(), Fault> {
        at_most(limits.root_fields, self.own_fields, "The operation has {} root fields")?;
        at_most(limits.fields, self.fields, "The operation asks for {} fields, fragments included")?;
        at_most(limits.aliases, self.aliases, "The operation has {} aliases, fragments included")?;
        at_most(
            limits.spreads,
            self.spreads,
            "The operation spreads fragments {} times, fragments in fragments included",
        )?;
        at_most(limits.depth, self.depth, "The operation nests fields {} levels deep")?;
        let below = "The operation nests fields {} levels deep below `__schema` or `__type`";
        at_most(QueryLimits::SCHEMA_DEPTH, self.schema_depth, below)?;
        let circles =
            "The operation nests `fields`, `interfaces`, `possibleTypes` or `inputFields` of types {} levels deep";
        at_most(MAX_CIRCLES, self.schema_circles, circles)?;
        if self.asks_schema && !limits.introspection {
            let message = "Introspection is switched off: `__schema` and `__type` are not answered here.";
            return Err(Fault::new(crate::graphql::error::ErrorCode::Forbidden, message));
        }
        Ok(())
    }
}

/// Refuses a document of which not the text is long but what its fragments make of it, over all its operations: all of
/// them are validated, whichever is to run. A document without fragments never is: each of these has a token of its own.
///
/// # Errors
/// `COST_LIMIT`.
pub(super) fn check_document(counted: &[(&OperationDefinition, Counts)], limits: &QueryLimits) -> Result<(), Fault> {
    let weight = counted.iter().fold(0, |sum: u64, (_, counts)| sum.saturating_add(counts.weight));
    let sentence = "The document has {} fields, spreads and values in all its operations, fragments included";
    at_most(limits.tokens, weight, sentence)?;
    let chain = counted.iter().map(|(_, counts)| counts.chain).max().unwrap_or(0);
    at_most(limits.nesting, chain, "The document spreads fragments in fragments {} levels deep")
}

/// The operations of a document, in their order, each with its counts.
pub(super) fn operations(document: &Document) -> Vec<(&OperationDefinition, Counts)> {
    let fragments: Vec<_> = document
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            Definition::FragmentDefinition(fragment) => Some(fragment),
            _ => None,
        })
        .collect();
    let index: HashMap<&str, usize> =
        fragments.iter().enumerate().map(|(index, fragment)| (fragment.name.as_str(), index)).collect();
    let mut next = vec![vec![]; fragments.len()];
    for (fragment, next) in fragments.iter().zip(&mut next) {
        spread(&fragment.selection_set, &mut |name| next.extend(index.get(name)));
    }
    let mut known = Known { index, counts: vec![Counts::default(); fragments.len()] };
    for fragment in innermost_first(&next) {
        known.counts[fragment] = known.count(&fragments[fragment].selection_set);
    }
    let operations = document.definitions.iter().filter_map(|definition| match definition {
        Definition::OperationDefinition(operation) => Some(&**operation),
        _ => None,
    });
    operations.map(|operation| (operation, known.count(&operation.selection_set))).collect()
}

/// Tells every fragment that is spread in a selection.
fn spread<'a>(selections: &'a [Selection], tell: &mut impl FnMut(&'a str)) {
    for selection in selections {
        match selection {
            Selection::Field(field) => spread(&field.selection_set, tell),
            Selection::InlineFragment(inline) => spread(&inline.selection_set, tell),
            Selection::FragmentSpread(used) => tell(&used.fragment_name),
        }
    }
}

struct Known<'a> {
    index: HashMap<&'a str, usize>,
    counts: Vec<Counts>,
}

impl Known<'_> {
    fn count(&self, selections: &[Selection]) -> Counts {
        let mut sum = Counts::default();
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    let below = self.count(&field.selection_set);
                    let mut counts = of_field(&field.name, field.alias.is_some(), below);
                    let values = arguments(&field.arguments).saturating_add(directives(&field.directives));
                    counts.weight = counts.weight.saturating_add(values).saturating_add(1);
                    sum.add(counts);
                }
                Selection::InlineFragment(inline) => {
                    sum.weight = sum.weight.saturating_add(directives(&inline.directives));
                    sum.add(self.count(&inline.selection_set));
                }
                Selection::FragmentSpread(used) => {
                    if let Some(index) = self.index.get(used.fragment_name.as_str()) {
                        let counts = self.counts[*index];
                        sum.add(Counts { chain: counts.chain + 1, ..counts });
                    }
                    sum.spreads = sum.spreads.saturating_add(1);
                    sum.weight = sum.weight.saturating_add(1).saturating_add(directives(&used.directives));
                }
            }
        }
        sum
    }
}

/// How many values there are, those inside lists and objects included.
fn values(value: &Value) -> u64 {
    let inside: u64 = match value {
        Value::List(all) => all.iter().map(|value| values(value)).sum(),
        Value::Object(all) => all.iter().map(|(_, value)| values(value)).sum(),
        _ => 0,
    };
    inside + 1
}

fn arguments(all: &[Node<Argument>]) -> u64 {
    all.iter().map(|argument| values(&argument.value)).sum()
}

fn directives(all: &DirectiveList) -> u64 {
    all.iter().map(|directive| arguments(&directive.arguments)).sum()
}

fn of_field(name: &str, aliased: bool, below: Counts) -> Counts {
    let asks_schema = matches!(name, "__schema" | "__type");
    let circle = matches!(name, "fields" | "interfaces" | "possibleTypes" | "inputFields");
    let mut counts = Counts {
        own_fields: 1,
        fields: below.fields.saturating_add(1),
        aliases: below.aliases.saturating_add(u64::from(aliased)),
        circles: below.circles + u64::from(circle),
        asks_schema: below.asks_schema || asks_schema,
        ..below
    };
    if asks_schema {
        counts.depth = 1;
        counts.schema_depth = below.schema_depth.max(below.depth);
        counts.schema_circles = below.schema_circles.max(below.circles);
    } else {
        counts.depth = below.depth + 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use apollo_compiler::parser::Parser;

    fn counts(text: &str) -> Counts {
        let document = Parser::new().parse_ast(text, "test").unwrap();
        operations(&document)[0].1
    }

    #[test]
    fn fields_count_where_fragments_are_spread() {
        let found = counts("{ a: x { y ...F } ...F ... { z } } fragment F on T { b: x { __typename } }");
        let expected = Counts {
            depth: 3,
            fields: 7,
            aliases: 3,
            spreads: 2,
            own_fields: 3,
            weight: 9,
            chain: 1,
            ..Counts::default()
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn multiplying_fragments_are_counted_without_being_opened() {
        let fragments: Vec<String> =
            (0..40).map(|n| format!("fragment F{n} on T {{ {} }}", format!("...F{} ", n + 1).repeat(12))).collect();
        let found = counts(&format!("{{ ...F0 }} {} fragment F40 on T {{ a }}", fragments.join(" ")));
        assert_eq!((found.fields, found.own_fields, found.depth), (u64::MAX, u64::MAX, 1));
        let circle = counts("{ ...A } fragment A on T { x { ...B } } fragment B on T { y { ...A } }");
        assert!(circle.fields < 10);
    }

    #[test]
    fn values_count_with_their_fragments_and_over_all_operations() {
        let text = "query A { ...F } query B { ...F } fragment F on T { x(a: [1, {b: $c}]) @include(if: $d) { y } }";
        let document = Parser::new().parse_ast(text, "test").unwrap();
        let counted = operations(&document);
        // A spread, two fields, a list of a number and an object with a variable, and the condition.
        assert_eq!(counted.iter().map(|(_, counts)| counts.weight).collect::<Vec<_>>(), [8, 8]);
        let limits = |tokens| QueryLimits { tokens, ..QueryLimits::default() };
        assert!(check_document(&counted, &limits(16)).is_ok());
        assert_eq!(check_document(&counted, &limits(15)).unwrap_err().limit, Some((16, 15)));
    }

    #[test]
    fn chains_of_fragments_are_as_long_as_their_longest_way() {
        let found = counts("{ ...A ...C } fragment A on T { ...B } fragment B on T { ...C } fragment C on T { x }");
        assert_eq!(found.chain, 3);
    }

    #[test]
    fn introspection_has_a_depth_of_its_own() {
        let found = counts("{ __schema { types { ...T } } x { y } } fragment T on __Type { fields { type { name } } }");
        assert_eq!((found.depth, found.schema_depth, found.schema_circles), (2, 4, 1));
        assert!(found.asks_schema);
        let circular = "{ __type(name: \"T\") { fields { type { fields { type { interfaces { name } } } } } } }";
        assert_eq!(counts(circular).schema_circles, 3);
        assert!(!counts("{ x { fields { fields { fields } } } }").asks_schema);
    }
}
