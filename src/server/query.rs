//! From a body or a query string to a GraphQL request, with a clear word for everything that does not fit.

use super::answer::Problem;
use crate::graphql::Request;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Refuses what is not plain JSON before it is read: a page of another site can send other types without being asked for its
/// rights.
pub(super) fn check_headers(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |message| Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).closing());
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    let is_json = match (given.next(), given.next()) {
        (Some(given), None) => given.to_str().is_ok_and(is_json),
        _ => false,
    };
    if !is_json {
        return refused("The header Content-Type must be application/json, with charset utf-8 or without one.");
    }
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    if !codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return refused("The body must be sent as it is, without Content-Encoding.");
    }
    Ok(())
}

fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let mut parameters = parts.filter_map(|parameter| parameter.split_once('='));
    json && parameters.all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    })
}

/// One request in JSON.
pub(super) fn from_body(body: &[u8]) -> Result<Request, Problem> {
    // The reader does not look into texts that it skips.
    let body = std::str::from_utf8(body).map_err(|error| {
        Problem::bad_request(format!("The body is not UTF-8 (after {} bytes).", error.valid_up_to()))
    })?;
    let unreadable = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        // The reader's own bound; a fault of its kind has no other mark.
        if error.to_string().starts_with("recursion limit exceeded") {
            return Problem::bad_request(format!(
                "The body nests lists and objects too deep (line {line}, column {column})."
            ));
        }
        Problem::bad_request(format!("The body is not JSON that the gateway can read (line {line}, column {column})."))
    };
    match body.trim_start_matches([' ', '\t', '\r', '\n']).bytes().next() {
        Some(b'{') => from_members(serde_json::from_str(body).map_err(unreadable)?),
        first => {
            serde_json::from_str::<IgnoredAny>(body).map_err(unreadable)?;
            Err(Problem::bad_request(match first {
                Some(b'[') => {
                    "The body is a list. Send one request, as a JSON object; the gateway takes no batches.".to_owned()
                }
                first => format!("The body must be a JSON object; it is {}.", kind_by(first)),
            }))
        }
    }
}

/// What a JSON text is that begins with this byte and is neither object nor list.
fn kind_by(first: Option<u8>) -> &'static str {
    match first {
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// The members that a request may have; others are ignored, as the specification of GraphQL over HTTP wants it.
#[derive(Default)]
struct Members {
    query: Option<Value>,
    operation_name: Option<Value>,
    variables: Option<Value>,
    extensions: Option<Value>,
    /// One that was given more than once. Two readers would take different ones.
    twice: Option<&'static str>,
}

impl Members {
    /// The place of a member, and its name.
    fn place(&mut self, name: &str) -> Option<(&mut Option<Value>, &'static str)> {
        match name {
            "query" => Some((&mut self.query, "query")),
            "operationName" => Some((&mut self.operation_name, "operationName")),
            "variables" => Some((&mut self.variables, "variables")),
            "extensions" => Some((&mut self.extensions, "extensions")),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut object: M) -> Result<Members, M::Error> {
                let mut members = Members::default();
                while let Some(name) = object.next_key::<String>()? {
                    let Some((place, name)) = members.place(&name) else {
                        object.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    if place.replace(object.next_value()?).is_some() {
                        members.twice = Some(name);
                    }
                }
                Ok(members)
            }
        }
        reader.deserialize_map(Object)
    }
}

/// The parameters of a GET; `variables` and `extensions` are JSON in text.
pub(super) fn from_parameters(query: &str) -> Result<Request, Problem> {
    let mut members = Members::default();
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let Some((place, name)) = decoded(name).and_then(|name| members.place(&name)) else { continue };
        let value = decoded(value).ok_or_else(|| {
            Problem::bad_request(format!("The parameter {name} is not UTF-8 behind its percent signs."))
        })?;
        let value = match name {
            "query" | "operationName" => Value::String(value),
            _ if value.is_empty() => Value::Null,
            _ => serde_json::from_str(&value)
                .map_err(|_| Problem::bad_request(format!("The parameter {name} is not a JSON object.")))?,
        };
        if place.replace(value).is_some() {
            return Err(Problem::bad_request(format!("The parameter {name} is given twice.")));
        }
    }
    from_members(members)
}

/// A name or a value of a query string, with its percent signs and plus signs read. None if it is not UTF-8, which the crate
/// `url` would mend in silence.
fn decoded(text: &str) -> Option<String> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match (first, digit(after.first()), digit(after.get(1))) {
            (b'%', Some(high), Some(low)) => {
                rest = &after[2..];
                (high * 16 + low) as u8
            }
            (b'+', ..) => b' ',
            _ => first,
        });
    }
    String::from_utf8(bytes).ok()
}

fn from_members(members: Members) -> Result<Request, Problem> {
    if let Some(name) = members.twice {
        return Err(Problem::bad_request(format!("`{name}` is given twice.")));
    }
    let query = match members.query {
        Some(Value::String(query)) if !query.trim().is_empty() => query,
        Some(Value::String(_)) => return Err(Problem::bad_request("`query` is empty.")),
        Some(other) => return Err(wrong("query", "a text", &other)),
        None => return Err(Problem::bad_request("`query` is missing: the GraphQL document, as a text.")),
    };
    let operation_name = match members.operation_name {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name),
        Some(other) => return Err(wrong("operationName", "a text or null", &other)),
    };
    let variables = match members.variables {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(variables)) => variables,
        Some(other) => return Err(wrong("variables", "an object or null", &other)),
    };
    match members.extensions {
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
