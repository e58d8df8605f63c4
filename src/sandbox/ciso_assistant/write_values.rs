//! Values of request bodies, read and refused as the real server does.

use crate::sandbox::ciso_assistant::query::{Query, uuid};
use crate::sandbox::ciso_assistant::state::{Index, Kind, State};
use crate::sandbox::ciso_assistant::words;
use crate::sandbox::clock::Micros;
use crate::sandbox::wire::{Reply, Request};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::{Map, Value};

/// A time as the real server accepts it: RFC 3339, local time without zone (taken as UTC), or a plain date (midnight
/// UTC). More than six digits of fraction are cut.
pub(super) fn parse_time(text: &str) -> Option<Micros> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Some(time.and_utc().timestamp_micros());
        }
    }
    let zoned = text.replace('Z', "+00:00");
    for format in ["%Y-%m-%dT%H:%M%:z", "%Y-%m-%d %H:%M%:z", "%Y-%m-%d %H:%M:%S%.f%:z"] {
        if let Ok(time) = DateTime::parse_from_str(&zoned, format) {
            return Some(time.timestamp_micros());
        }
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.and_time(NaiveTime::MIN).and_utc().timestamp_micros())
}

/// The members of a request body, or the answer to a body that cannot be read.
pub(super) fn body(request: &Request) -> Result<Map<String, Value>, Reply> {
    if request.body.is_empty() {
        return Ok(Map::new());
    }
    let content_type = request.header("content-type").unwrap_or_default();
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/json" => match serde_json::from_slice(&request.body) {
            Ok(Value::Object(body)) => Ok(body),
            // Anything else than an object breaks the real server.
            Ok(_) => Err(Reply::html_error(500)),
            Err(error) => {
                Err(Reply::detail(400, &format!("JSON parse error - {}", python_words(&error, &request.body))))
            }
        },
        "application/x-www-form-urlencoded" => Ok(form(&String::from_utf8_lossy(&request.body))),
        _ => Err(Reply::detail(415, &format!("Unsupported media type \"{content_type}\" in request."))),
    }
}

/// The words of the real server's parser for a syntax error, and where it is.
fn python_words(error: &serde_json::Error, body: &[u8]) -> String {
    let text = error.to_string();
    let problem = match () {
        () if text.starts_with("key must be a string") => "Expecting property name enclosed in double quotes",
        () if text.starts_with("expected `:`") => "Expecting ':' delimiter",
        () if text.starts_with("expected `,`") => "Expecting ',' delimiter",
        () if text.starts_with("trailing characters") => "Extra data",
        () => "Expecting value",
    };
    let (line, column) = (error.line().max(1), error.column().max(1));
    let before: usize = body.split(|&byte| byte == b'\n').take(line - 1).map(|line| line.len() + 1).sum();
    format!("{problem}: line {line} column {column} (char {})", before + column - 1)
}

/// A form has text only; repeated names make a list; an absent switch is off.
fn form(text: &str) -> Map<String, Value> {
    let query = Query::new("", text);
    let mut body = Map::new();
    for name in query.names() {
        let values: Vec<Value> = query.all(name).into_iter().map(Value::from).collect();
        let value = if values.len() == 1 { values[0].clone() } else { Value::from(values) };
        body.insert(name.to_owned(), value);
    }
    body.entry("is_published").or_insert(Value::Bool(false));
    body
}

/// A value as the messages of the real server print it.
pub(super) fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Null => "None".to_owned(),
        other => other.to_string(),
    }
}

/// What a text member may be.
#[derive(Clone, Copy)]
pub(super) struct TextRule {
    pub(super) max: usize,
    pub(super) null: bool,
    pub(super) blank: bool,
}

/// Trimmed text. `Err`: the message for the field.
pub(super) fn text(value: &Value, rule: TextRule) -> Result<Option<String>, String> {
    let text = match value {
        Value::Null if rule.null => return Ok(None),
        Value::Null => return Err(words::NULL.to_owned()),
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err("Not a valid string.".to_owned()),
    };
    if text.contains('\0') {
        return Err("Null characters are not allowed.".to_owned());
    }
    if text.is_empty() && !rule.blank {
        return Err(words::BLANK.to_owned());
    }
    if text.chars().count() > rule.max {
        return Err(format!("Ensure this field has no more than {} characters.", rule.max));
    }
    Ok(Some(text))
}

pub(super) fn truth(value: &Value) -> Result<bool, String> {
    match value {
        Value::Null => Err(words::NULL.to_owned()),
        Value::Bool(truth) => Ok(*truth),
        other => match printed(other).to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
            "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
            _ => Err("Must be a valid boolean.".to_owned()),
        },
    }
}

pub(super) fn time(value: &Value) -> Result<Option<Micros>, String> {
    const WRONG: &str =
        "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
    match value {
        Value::Null => Ok(None),
        Value::String(text) => parse_time(text).map(Some).ok_or_else(|| WRONG.to_owned()),
        _ => Err(WRONG.to_owned()),
    }
}

/// One of some codes, by position.
pub(super) fn choice(value: &Value, codes: impl Iterator<Item = &'static str>) -> Result<u8, String> {
    let text = match value {
        Value::Null => return Err(words::NULL.to_owned()),
        other => printed(other),
    };
    let position = codes.enumerate().find(|(_, code)| *code == text).map(|(position, _)| position as u8);
    position.ok_or_else(|| words::bad_choice(&text))
}

/// The object that a uuid means.
pub(super) fn key(state: &State, kind: Kind, value: &Value) -> Result<Index, String> {
    if value.is_null() {
        return Err(words::NULL.to_owned());
    }
    let text = printed(value);
    let id = uuid(&text).ok_or_else(|| words::bad_uuid(&text))?;
    let hidden = |index: &Index| kind == Kind::Term && !is_qualification(state, *index);
    state.find(kind, id).filter(|index| !hidden(index)).ok_or_else(|| words::bad_key(&text))
}

/// Only visible terminologies of this kind may be linked to an incident.
fn is_qualification(state: &State, term: Index) -> bool {
    let term = state.terms.at(term);
    term.field_path == "qualifications" && term.is_visible
}

/// The texts of a list; a single text with commas is a list too, as the real server has it.
pub(super) fn items(value: &Value) -> Result<Vec<Value>, String> {
    let items = match value {
        Value::Null => return Err(words::NULL.to_owned()),
        Value::Array(items) => items,
        Value::String(_) => return Err("Expected a list of items but got type \"str\".".to_owned()),
        Value::Bool(_) => return Err("Expected a list of items but got type \"bool\".".to_owned()),
        Value::Number(_) => return Err("Expected a list of items but got type \"int\".".to_owned()),
        Value::Object(_) => return Err("Expected a list of items but got type \"dict\".".to_owned()),
    };
    match &items[..] {
        [Value::String(joined)] if joined.contains(',') => {
            Ok(joined.split(',').map(|item| Value::from(item.trim())).collect())
        }
        _ => Ok(items.clone()),
    }
}

/// The objects of a list. The first bad element is reported, the others are not looked at.
pub(super) fn keys(state: &State, kind: Kind, value: &Value) -> Result<Vec<Index>, String> {
    items(value)?.iter().map(|item| key(state, kind, item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_all_accepted_forms() {
        let midnight = 1_790_812_800_000_000;
        for text in [
            "2026-10-01",
            "2026-10-01T00:00:00Z",
            "2026-10-01T02:00:00+02:00",
            "2026-10-01T00:00:00",
            "2026-10-01T00:00",
            "2026-10-01T00:00Z",
        ] {
            assert_eq!(parse_time(text), Some(midnight), "{text}");
        }
        assert_eq!(parse_time("2026-10-01T00:00:00.1234567Z"), Some(midnight + 123_456));
        assert_eq!(parse_time("yesterday"), None);
    }

    #[test]
    fn texts_are_trimmed_and_measured_in_characters() {
        let rule = TextRule { max: 3, null: false, blank: false };
        assert_eq!(text(&Value::from(" äöü "), rule), Ok(Some("äöü".to_owned())));
        assert_eq!(
            text(&Value::from("äöüß"), rule),
            Err("Ensure this field has no more than 3 characters.".to_owned())
        );
        assert_eq!(text(&Value::Null, rule), Err(words::NULL.to_owned()));
        assert_eq!(text(&Value::from("  "), rule), Err(words::BLANK.to_owned()));
    }

    #[test]
    fn a_joined_list_is_split() {
        assert_eq!(items(&serde_json::json!(["a, b"])), Ok(vec![Value::from("a"), Value::from("b")]));
        assert!(items(&Value::from("a,b")).is_err());
    }
}
