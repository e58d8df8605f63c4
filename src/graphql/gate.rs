//! Before anything runs: parse, validate, coerce variables, put the root selection in order.
//!
//! async-graphql 7.0.17 needs the last two: it resolves equal root fields one by one (and runs a mutation twice), drops all
//! but the first of two raw values, ignores variable defaults in `@skip`, and reads an argument whose variable is absent as
//! null instead of as its default. `tests/it/engine.rs` shows each of these.

mod accepted;
mod depth;
mod inputs;
mod root;

use super::error::{ErrorCode, Fault};
use accepted::{Accepted, AcceptedDocuments};
use apollo_compiler::{ExecutableDocument as Checked, Schema, request::coerce_variable_values, validation::Valid};
use async_graphql::{
    Pos, Positioned, Request, ServerError, Variables,
    parser::types::{DocumentOperations, OperationDefinition, OperationType, Selection},
};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Decides which documents may run.
pub(crate) struct Gate {
    schema: Valid<Schema>,
    accepted: AcceptedDocuments,
}

/// A request that may run.
pub(crate) struct Admitted {
    pub request: Request,
    pub operation: OperationType,
}

impl Gate {
    /// How many mistakes of a document are told, and how long each may be.
    const MAX_ERRORS: usize = 10;
    const MAX_MESSAGE: usize = 300;

    /// `sdl`: the schema as the engine writes it.
    pub(crate) fn new(sdl: &str) -> Self {
        let schema =
            Schema::parse_and_validate(sdl, "schema.graphql").expect("the SDL that async-graphql writes is valid");
        Gate { schema, accepted: AcceptedDocuments::default() }
    }

    /// A request that may run, or why not.
    pub(crate) fn admit(
        &self,
        query: &str,
        operation: Option<&str>,
        variables: Map<String, Value>,
    ) -> Result<Admitted, Vec<ServerError>> {
        bounded(query, &variables)?;
        let accepted = self.accept(query)?;
        let Some(checked) = &accepted.checked else { return introspection(&accepted, query, operation, variables) };
        let chosen = checked.operations.get(operation).map_err(|_| one(no_operation(operation)))?;
        inputs::check_variables(&self.schema, chosen, &variables).map_err(one)?;
        let given = serde_json::from_value(Value::Object(variables)).map_err(|error| one(error.to_string()))?;
        let coerced = coerce_variable_values(&self.schema, chosen, &given)
            .map_err(|error| one(shorten(&error.message().to_string())))?;
        let coerced = serde_json::to_value(&*coerced).map_err(|error| one(error.to_string()))?;
        let variables = Variables::from_json(coerced);
        let mut document = accepted.parsed.clone();
        let target = operation_mut(&mut document.operations, operation).ok_or_else(|| one(no_operation(operation)))?;
        let fields = root::fields(&target.selection_set.node, &document.fragments, &variables);
        target.selection_set.node.items =
            fields.into_iter().map(|field| Positioned::new(Selection::Field(field.clone()), field.pos)).collect();
        let kind = target.ty;
        let mut request = Request::new(query).variables(variables);
        request.operation_name = operation.map(str::to_owned);
        request.set_parsed_query(document);
        Ok(Admitted { request, operation: kind })
    }

    fn accept(&self, query: &str) -> Result<Arc<Accepted>, Vec<ServerError>> {
        if let Some(known) = self.accepted.get(query) {
            return Ok(known);
        }
        let parsed = async_graphql::parser::parse_query(query).map_err(|error| {
            let pos = error.positions().next();
            vec![ServerError::new(shorten(&syntax_error(&error.to_string())), pos)]
        })?;
        // apollo-compiler does not know `__Type.isOneOf`, so documents that only ask for the schema go past it.
        let checked = if root::only_introspection(&parsed) {
            None
        } else {
            let checked = Checked::parse_and_validate(&self.schema, query, "request")
                .map_err(|invalid| invalid.errors.iter().take(Self::MAX_ERRORS).map(told).collect::<Vec<_>>())?;
            inputs::check_literals(&self.schema, &checked).map_err(one)?;
            Some(checked)
        };
        let accepted = Arc::new(Accepted { checked, parsed });
        self.accepted.put(query, accepted.clone());
        Ok(accepted)
    }
}

/// Refuses what nests so deep that reading it would need more stack than there is.
fn bounded(query: &str, variables: &Map<String, Value>) -> Result<(), Vec<ServerError>> {
    let parts = [("document", depth::of_document(query)), ("variables", depth::of_variables(variables))];
    match parts.into_iter().find(|(_, depth)| *depth > depth::MAX_DEPTH) {
        None => Ok(()),
        Some((part, depth)) => {
            let limit = depth::MAX_DEPTH;
            let message = format!("The {part} nests {depth} levels deep; at most {limit} are allowed.");
            Err(vec![Fault::new(ErrorCode::CostLimit, message).refused()])
        }
    }
}

/// A mistake as apollo-compiler tells it, with its place.
fn told(
    diagnostic: apollo_compiler::diagnostic::Diagnostic<'_, apollo_compiler::validation::DiagnosticData>,
) -> ServerError {
    let place = diagnostic.line_column_range();
    let pos = place.map(|range| Pos { line: range.start.line, column: range.start.column });
    ServerError::new(shorten(&diagnostic.error.to_string()), pos)
}

fn introspection(
    accepted: &Accepted,
    query: &str,
    operation: Option<&str>,
    variables: Map<String, Value>,
) -> Result<Admitted, Vec<ServerError>> {
    let mut document = accepted.parsed.clone();
    let kind = operation_mut(&mut document.operations, operation).ok_or_else(|| one(no_operation(operation)))?.ty;
    let mut request = Request::new(query).variables(Variables::from_json(Value::Object(variables)));
    request.operation_name = operation.map(str::to_owned);
    request.set_parsed_query(document);
    Ok(Admitted { request, operation: kind })
}

fn operation_mut<'a>(
    operations: &'a mut DocumentOperations,
    name: Option<&str>,
) -> Option<&'a mut OperationDefinition> {
    match (operations, name) {
        (DocumentOperations::Single(single), None) => Some(&mut single.node),
        (DocumentOperations::Multiple(map), Some(name)) => map.get_mut(name).map(|found| &mut found.node),
        (DocumentOperations::Multiple(map), None) if map.len() == 1 => {
            map.values_mut().next().map(|found| &mut found.node)
        }
        _ => None,
    }
}

fn no_operation(name: Option<&str>) -> String {
    match name {
        Some(_) => "The document has no operation of the name in `operationName`.".into(),
        None => "The document has several operations; name one in `operationName`.".into(),
    }
}

/// The parser draws the document's lines, too; only what it says last is a message.
fn syntax_error(drawn: &str) -> String {
    let said = drawn.rsplit("= ").next().unwrap_or(drawn).trim();
    format!("Syntax error: {}.", said.trim_end_matches('.'))
}

fn shorten(message: &str) -> String {
    match message.char_indices().nth(Gate::MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

fn one(message: String) -> Vec<ServerError> {
    vec![ServerError::new(message, None)]
}
