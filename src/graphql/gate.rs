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
        let variables = variables::coerce(&self.reader.schema, &chosen.variables, variables)
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
        at_most(self.limits.nesting, measure.nesting, "The variables nest {} levels deep")
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
