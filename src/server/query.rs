//! From a body or a query string to a GraphQL request, with a clear word for everything that does not fit.

use super::answer::Problem;
use crate::graphql::Request;
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

/// One request in JSON.
pub(super) fn from_body(headers: &HeaderMap, body: &[u8]) -> Result<Request, Problem> {
    check_media_type(headers)?;
    let body: Value = serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Problem::bad_request(format!("The body is not JSON that the gateway can read (line {line}, column {column})."))
    })?;
    match body {
        Value::Object(members) => from_members(members),
        Value::Array(_) => Err(Problem::bad_request(
            "The body is a list. Send one request, as a JSON object; the gateway takes no batches.",
        )),
        other => Err(Problem::bad_request(format!("The body must be a JSON object; it is {}.", kind_of(&other)))),
    }
}

/// Only JSON: a page of another site can send other types without being asked for its rights.
fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = || {
        let message = "The header Content-Type must be application/json, with charset utf-8 or without one.";
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    };
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    let mut parts = given.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if json && utf8 { Ok(()) } else { Err(refused()) }
}

/// The parameters of a GET; `variables` and `extensions` are JSON in text.
pub(super) fn from_parameters(query: &str) -> Result<Request, Problem> {
    let mut members = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let value = match &*name {
            "query" | "operationName" => Value::String(value.into_owned()),
            "variables" | "extensions" if value.is_empty() => Value::Null,
            "variables" | "extensions" => serde_json::from_str(&value)
                .map_err(|_| Problem::bad_request(format!("The parameter {name} is not a JSON object.")))?,
            _ => continue,
        };
        if members.insert(name.clone().into_owned(), value).is_some() {
            return Err(Problem::bad_request(format!("The parameter {name} is given twice.")));
        }
    }
    from_members(members)
}

fn from_members(mut members: Map<String, Value>) -> Result<Request, Problem> {
    let query = match members.remove("query") {
        Some(Value::String(query)) if !query.trim().is_empty() => query,
        Some(Value::String(_)) => return Err(Problem::bad_request("`query` is empty.")),
        Some(other) => return Err(wrong("query", "a text", &other)),
        None => return Err(Problem::bad_request("`query` is missing: the GraphQL document, as a text.")),
    };
    let operation_name = match members.remove("operationName") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name),
        Some(other) => return Err(wrong("operationName", "a text or null", &other)),
    };
    let variables = match members.remove("variables") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(variables)) => variables,
        Some(other) => return Err(wrong("variables", "an object or null", &other)),
    };
    match members.remove("extensions") {
        None | Some(Value::Null | Value::Object(_)) => {
            Ok(Request { query, operation_name, variables, queries_only: false })
        }
        Some(other) => Err(wrong("extensions", "an object or null", &other)),
    }
}

fn wrong(member: &str, allowed: &str, given: &Value) -> Problem {
    Problem::bad_request(format!("`{member}` must be {allowed}; it is {}.", kind_of(given)))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
