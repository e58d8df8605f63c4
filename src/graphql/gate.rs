//! Before anything runs: measure, parse, count, validate, coerce variables, put the root selection in order.
//!
//! Read in this order: `scan` (how long and how deep the text is), `read` (from text to an accepted document), `count` and
//! `sizes` (what it asks for), `literals` and `variables` (what values may be), `root` (what async-graphql needs).
//!
//! async-graphql 7.0.17 needs the last two: it resolves equal root fields one by one (and runs a mutation twice), drops all
//! but the first of two raw values, ignores variable defaults in `@skip`, and reads an argument whose variable is absent as
//! null instead of as its default. `tests/it/engine.rs` shows each of these.

mod accepted;
mod convert;
mod count;
mod inputs;
mod limits;
mod literals;
mod order;
mod overlap;
mod places;
mod read;
mod root;
mod scan;
mod sizes;
mod variables;

pub use limits::QueryLimits;
pub(crate) use scan::check as check_scan;

use super::error::Fault;
use accepted::{Accepted, AcceptedDocuments, Ready};
use async_graphql::{
    Name, Positioned, Request, ServerError, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, OperationType, Selection},
};
use limits::at_most;
use read::{Reader, one};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Decides which documents may run.
pub(crate) struct Gate {
    reader: Reader,
    limits: QueryLimits,
    accepted: AcceptedDocuments,
}

/// A request that may run.
pub(crate) struct Admitted {
    pub request: Request,
    pub operation: OperationType,
    /// The response keys of the root fields, in their order.
    pub keys: Vec<Name>,
}

impl Gate {
    /// `sdl`: the schema as the engine writes it.
    pub(crate) fn new(sdl: &str, limits: QueryLimits) -> Self {
        Gate { reader: Reader::new(sdl, limits), limits, accepted: AcceptedDocuments::default() }
    }

    /// A request that may run, or why not.
    pub(crate) fn admit(
        &self,
        query: &str,
        operation: Option<&str>,
        variables: Map<String, Value>,
    ) -> Result<Admitted, Vec<ServerError>> {
        let refused = |fault: Fault| vec![fault.refused()];
        self.bounded(&variables).map_err(refused)?;
        let accepted = self.accept(query, operation)?;
        let chosen = chosen(&accepted.operations, operation).map_err(one)?;
        // A document may be accepted for the sake of another of its operations.
        chosen.counts.check(&self.limits).map_err(refused)?;
        let variables = variables::coerce(&self.reader.schema, &chosen.variables, &chosen.never_null, variables)
            .map_err(|wrong| one(&wrong.message))?;
        let nodes = accepted.sizes.nodes(chosen.name.as_deref(), &variables);
        at_most(self.limits.nodes, nodes, "The operation can ask for {} records, by the sizes of its pages")
            .map_err(refused)?;
        Ok(admitted(chosen, &accepted, variables))
    }

    fn accept(&self, query: &str, operation: Option<&str>) -> Result<Arc<Accepted>, Vec<ServerError>> {
        if let Some(known) = self.accepted.get(query) {
            return Ok(known);
        }
        let accepted = Arc::new(self.reader.read(query, operation)?);
        self.accepted.put(query, accepted.clone());
        Ok(accepted)
    }

    /// Refuses variables that nest so deep that reading them would need more stack than there is, or that are so many
    /// that a filter of them would take long for each record.
    fn bounded(&self, variables: &Map<String, Value>) -> Result<(), Fault> {
        let measure = scan::variables(variables);
        at_most(self.limits.tokens, measure.tokens, "The variables have {} values")?;
        if measure.nesting <= self.limits.nesting {
            return Ok(());
        }
        let sentence = format!("The variables nest {{}} levels deep, at `{}`", scan::deepest(variables));
        at_most(self.limits.nesting, measure.nesting, &sentence)
    }
}

fn chosen<'a>(operations: &'a [Ready], name: Option<&str>) -> Result<&'a Ready, &'static str> {
    match (operations, name) {
        ([only], None) => Ok(only),
        (_, Some(name)) => operations
            .iter()
            .find(|operation| operation.name.as_deref() == Some(name))
            .ok_or("The document has no operation of the name in `operationName`."),
        ([], None) => Err("The document has no operation."),
        (_, None) => Err("The document has several operations; name one in `operationName`."),
    }
}

fn admitted(chosen: &Ready, accepted: &Accepted, variables: Variables) -> Admitted {
    let mut operation = chosen.parsed.clone();
    let set = &mut operation.node.selection_set.node;
    let fields = root::fields(set, &accepted.fragments, &variables);
    let keys = fields.iter().map(|field| field.node.response_key().node.clone()).collect();
    set.items = fields.into_iter().map(|field| Positioned::new(Selection::Field(field.clone()), field.pos)).collect();
    let kind = operation.node.ty;
    let document =
        ExecutableDocument { operations: DocumentOperations::Single(operation), fragments: accepted.fragments.clone() };
    // The engine never looks at the text of a document that comes parsed.
    let mut request = Request::new(String::new()).variables(variables);
    request.set_parsed_query(document);
    Admitted { request, operation: kind, keys }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn gate() -> Gate {
        Gate::new(&crate::graphql::sdl(), QueryLimits::default())
    }

    fn known(gate: &Gate, query: &str) -> bool {
        gate.accepted.get(query).is_some()
    }

    #[test]
    fn only_what_may_run_is_remembered() {
        let gate = gate();
        for refused in ["{ viewer { x } }", "{ viewer", &format!("{{ viewer {{ {} }} }}", "name ".repeat(600))] {
            assert!(gate.admit(refused, None, Map::new()).is_err());
            assert!(!known(&gate, refused));
        }
        let query = "query($n: Int) { incidents(first: $n) { nodes { assets(first: $n) { nodes { incidents(first: $n) { totalCount } } } } } }";
        let variables = |n: u64| Map::from_iter([("n".to_owned(), json!(n))]);
        assert!(gate.admit(query, None, variables(100)).is_err(), "1,010,100 records");
        assert!(known(&gate, query), "the document may run with other variables");
        assert!(gate.admit(query, None, variables(10)).is_ok());
        assert!(gate.admit(query, None, variables(101)).is_err());
    }

    #[test]
    fn a_long_document_runs_without_being_remembered() {
        let gate = gate();
        let long = format!("{{ viewer {{ name }} }} # {}", "x".repeat(100_000));
        assert!(gate.admit(&long, None, Map::new()).is_ok());
        assert!(!known(&gate, &long));
    }

    #[test]
    fn what_the_engine_gets_is_one_operation_with_its_values() {
        let query = "query A { __typename } query B($no: Boolean = true) { ...F viewer { kind } viewer @skip(if: $no) { roles } }
                     fragment F on Query { viewer { name } }";
        let mut admitted = gate().admit(query, Some("B"), Map::new()).unwrap();
        assert_eq!(admitted.keys, ["viewer"]);
        // There is no text that the engine could parse.
        let document = admitted.request.parsed_query().unwrap();
        let DocumentOperations::Single(operation) = &document.operations else { panic!("one operation") };
        let [Positioned { node: Selection::Field(viewer), pos }] = &operation.node.selection_set.node.items[..] else {
            panic!("one field")
        };
        assert_eq!((pos.line, pos.column), (2, 44));
        assert_eq!(viewer.node.selection_set.node.items.len(), 2);
    }
}
