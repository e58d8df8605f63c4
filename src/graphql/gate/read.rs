//! From text to a document that may run: measured, parsed, counted, validated, in the order of what each costs.

use super::{
    accepted::{Accepted, Ready},
    convert::Convert,
    count,
    inputs::Wrong,
    limits::{QueryLimits, at_most},
    literals::{self, NeverNull},
    overlap,
    places::Places,
    scan,
    sizes::{SchemaSizes, Sizes},
};
use crate::graphql::error::Fault;
use apollo_compiler::{
    ExecutableDocument, Name, Node, Schema,
    ast::{Definition, Document, FieldDefinition, Type},
    diagnostic::ToCliReport,
    parser::Parser,
    schema::{Component, ExtendedType},
    validation::{DiagnosticData, DiagnosticList, Valid, WithErrors},
};
use async_graphql::ServerError;

/// How many mistakes of a document are told.
const MAX_ERRORS: usize = 10;
/// How many characters of a mistake are told.
const MAX_MESSAGE: usize = 300;

/// Reads documents for one schema.
pub(super) struct Reader {
    pub schema: Valid<Schema>,
    sizes: SchemaSizes,
    limits: QueryLimits,
}

impl Reader {
    /// `sdl`: the schema as the engine writes it.
    pub(super) fn new(sdl: &str, limits: QueryLimits) -> Self {
        let schema =
            Schema::parse_and_validate(sdl, "schema.graphql").expect("the SDL that async-graphql writes is valid");
        let sizes = SchemaSizes::new(&schema);
        Reader { schema: knowing_one_of(schema), sizes, limits }
    }

    /// Reads a document of which `operation` is to run.
    ///
    /// # Errors
    /// What is wrong with it, at most ten mistakes; or the one limit that it exceeds.
    pub(super) fn read(&self, query: &str, operation: Option<&str>) -> Result<Accepted, Vec<ServerError>> {
        self.measure(query).map_err(|fault| vec![fault.refused()])?;
        let places = Places::new(query);
        let document = self.parse(query, &places)?;
        let counted = count::operations(&document);
        count::check_document(&counted, &self.limits).map_err(|fault| vec![fault.refused()])?;
        // Where it is not clear which one is to run, a limit holds for each.
        let chosen = |name: Option<&Name>| operation.is_none() || name.map(Name::as_str) == operation;
        for (definition, counts) in &counted {
            if chosen(definition.name.as_ref()) {
                counts.check(&self.limits).map_err(|fault| vec![fault.refused()])?;
            }
        }
        let (checked, mut never_null) = self.validate(&document, &places)?;
        let sizes = Sizes::new(&self.sizes, &checked);
        let convert = Convert(places);
        let operations = document.definitions.iter().filter_map(|definition| match definition {
            Definition::OperationDefinition(operation) => Some(operation),
            _ => None,
        });
        let ready = operations.zip(&counted).map(|(operation, (_, counts))| Ready {
            name: operation.name.as_ref().map(ToString::to_string),
            counts: *counts,
            variables: operation.variables.clone(),
            never_null: never_null.remove(&operation.name).unwrap_or_default(),
            parsed: convert.operation(operation),
        });
        Ok(Accepted { operations: ready.collect(), fragments: convert.fragments(&document), sizes })
    }

    fn measure(&self, query: &str) -> Result<(), Fault> {
        at_most(self.limits.bytes, query.len() as u64, "The document has {} bytes")?;
        let measure = scan::document(query);
        at_most(self.limits.tokens, measure.tokens, "The document has {} tokens")?;
        at_most(self.limits.nesting, measure.nesting, "The document nests {} levels deep in its brackets")
    }

    fn parse(&self, query: &str, places: &Places<'_>) -> Result<Document, Vec<ServerError>> {
        // The parser's own limits stand behind ours: its tokens are spaces, commas and comments as well.
        let tokens = usize::try_from(self.limits.tokens).unwrap_or(usize::MAX).saturating_mul(8).saturating_add(64);
        let mut parser = Parser::new().token_limit(tokens).recursion_limit(500);
        parser.parse_ast(query, "request").map_err(|refused| told(&refused.errors, places, vec![]))
    }

    fn validate(
        &self,
        document: &Document,
        places: &Places<'_>,
    ) -> Result<(Valid<ExecutableDocument>, NeverNull), Vec<ServerError>> {
        let refuse = |refused: WithErrors<ExecutableDocument>| {
            told(&refused.errors, places, literals::check(&self.schema, &refused.partial, MAX_ERRORS).wrong)
        };
        let built = document.to_executable(&self.schema).map_err(refuse)?;
        let checked = built.validate(&self.schema).map_err(refuse)?;
        let literals::Values { mut wrong, never_null } = literals::check(&self.schema, &checked, MAX_ERRORS);
        if wrong.is_empty() {
            wrong = overlap::conflicts(&self.schema, document);
        }
        if wrong.is_empty() {
            return Ok((checked, never_null));
        }
        Err(told(&DiagnosticList::new(Default::default()), places, wrong))
    }
}

/// The schema with `__Type.isOneOf`, which apollo-compiler does not know and the engine answers.
fn knowing_one_of(schema: Valid<Schema>) -> Valid<Schema> {
    let mut schema = schema.into_inner();
    if let Some(ExtendedType::Object(ty)) = schema.types.get_mut("__Type") {
        let field = FieldDefinition {
            description: None,
            name: Name::new("isOneOf").expect("a name"),
            arguments: vec![],
            ty: Type::Named(Name::new("Boolean").expect("a name")),
            directives: Default::default(),
        };
        let fields = &mut Node::make_mut(ty).fields;
        fields.entry(field.name.clone()).or_insert_with(|| Component::new(field));
    }
    Valid::assume_valid(schema)
}

/// Mistakes in values, which [`literals`] tells with their place.
const OF_VALUES: [&str; 7] = [
    "UnsupportedValueType",
    "IntCoercionError",
    "FloatCoercionError",
    "UndefinedEnumValue",
    "UndefinedInputValue",
    "RequiredField",
    "DisallowedVariableUsage",
];

/// The first mistakes in the order of the document.
fn told(errors: &DiagnosticList, places: &Places<'_>, wrong: Vec<Wrong>) -> Vec<ServerError> {
    let mut all: Vec<(usize, String)> = vec![];
    let of_values = |name: Option<&str>| name.is_some_and(|name| OF_VALUES.contains(&name));
    for found in errors.iter() {
        if all.len() >= MAX_ERRORS {
            break;
        }
        if wrong.is_empty() || !of_values(found.error.unstable_error_name()) {
            let offset = found.error.location().map_or(usize::MAX, |location| location.offset());
            all.push((offset, said(found.error)));
        }
    }
    all.extend(wrong.into_iter().map(|wrong| (wrong.offset.unwrap_or(usize::MAX), shorten(&wrong.message))));
    all.sort_by_key(|(offset, _)| *offset);
    all.truncate(MAX_ERRORS);
    let error = |(offset, message)| ServerError::new(message, (offset != usize::MAX).then(|| places.of(offset)));
    all.into_iter().map(error).collect()
}

/// What apollo-compiler says, in words that a client understands.
fn said(error: &DiagnosticData) -> String {
    let own = error.to_string();
    match error.unstable_error_name() {
        // Syntax errors have no name, and speak in the names of tokens.
        None => {
            let own = TOKENS.iter().fold(own, |said, (name, written)| said.replace(name, written));
            sentence(without_text(&own))
        }
        Some("UndefinedDirective" | "UndefinedDefinition") => {
            sentence(&own.replace("in this document", "in the schema"))
        }
        Some("UndefinedRootOperation") => {
            sentence(&own.replace("root operation type is not defined", "is not possible here"))
        }
        // Its own words leave the field or the directive out, or write it without its sign.
        Some("MissingSubselection" | "UnsupportedLocation") => {
            let told = error.unstable_compat_message().unwrap_or(own);
            sentence(&told.split(" Did you mean").next().unwrap_or_default().replace('"', "`"))
        }
        Some(_) => sentence(&own),
    }
}

/// The same without the text of the document that the parser found instead.
fn without_text(said: &str) -> &str {
    match said.split_once(", got ") {
        Some((expected, found)) if !found.starts_with("the end of the document") => expected,
        _ => said,
    }
}

/// How the parser calls tokens, and how they are written.
const TOKENS: [(&str, &str); 8] = [
    ("expected R_CURLY", "expected `}`"),
    ("expected L_CURLY", "expected `{`"),
    ("expected R_PAREN", "expected `)`"),
    ("expected L_PAREN", "expected `(`"),
    ("expected R_BRACK", "expected `]`"),
    ("expected COLON", "expected `:`"),
    ("got EOF", "got the end of the document"),
    ("Unexpected <EOF>", "unexpected end of the document"),
];

/// The first line, from a capital letter to a full stop.
pub(super) fn sentence(said: &str) -> String {
    let said = shorten(said.lines().next().unwrap_or_default().trim_end_matches('.'));
    let mut characters = said.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    format!("{}{}.", first.map_or(String::new(), String::from), characters.as_str())
}

pub(super) fn shorten(message: &str) -> String {
    match message.char_indices().nth(MAX_MESSAGE - 2) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

/// One mistake of the request, at no place of the document.
pub(super) fn one(message: &str) -> Vec<ServerError> {
    vec![ServerError::new(shorten(message), None)]
}
