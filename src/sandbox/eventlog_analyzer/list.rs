//! `GET /incident`: filters that must all hold, a range of rows, how many there are.

use super::build::{Incident, State};
use super::change::{SEVERITIES, STATUSES, place};
use super::show::{self, Representation};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PER_PAGE: usize = 100;

/// What a query asks for.
#[derive(Default)]
struct Query {
    severity: Option<u8>,
    status: Option<u8>,
    created_by: Option<String>,
    assignee: Option<i64>,
    /// Counted from 0 here.
    from: usize,
    limit: usize,
}

/// A page; none if a parameter is wrong.
pub(super) fn list(state: &State, query: &str) -> Option<Value> {
    let representation = representation(query)?;
    let query = read(query)?;
    let found: Vec<&Incident> = state.newest_first().filter(|incident| matches(&query, incident)).collect();
    let page = found.iter().skip(query.from).take(query.limit);
    let rows: Vec<Value> = page.map(|incident| show::row(incident, representation)).collect();
    let meta = json!({
        "per_page": query.limit,
        "total_pages": found.len().div_ceil(query.limit),
        "total_items": found.len(),
    });
    Some(json!({ "data": rows, "meta": meta }))
}

/// Whose representation is asked for; the default is the server's.
pub(super) fn representation(query: &str) -> Option<Representation> {
    match parameters(query)?.get("response_type").map(String::as_str) {
        None | Some("server") => Some(Representation::Server),
        Some("client") => Some(Representation::Client),
        Some(_) => None,
    }
}

/// Each parameter once; the document knows no lists.
fn parameters(query: &str) -> Option<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if all.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    Some(all)
}

fn read(query: &str) -> Option<Query> {
    let mut read = Query { limit: PER_PAGE, ..Query::default() };
    for (name, value) in parameters(query)? {
        let word = |words| place(words, &Value::from(value.as_str()));
        match name.as_str() {
            "severity" => read.severity = Some(word(&SEVERITIES)?),
            "status" => read.status = Some(word(&STATUSES)?),
            "created_by" => read.created_by = Some(value),
            "assignee" => read.assignee = Some(value.parse().ok()?),
            // Counted from 1, as in the neighbouring APIs; 0 is taken for 1.
            "from" => read.from = value.parse::<usize>().ok()?.saturating_sub(1),
            "limit" => read.limit = value.parse().ok().filter(|limit| (1..=PER_PAGE).contains(limit))?,
            "response_type" => {}
            _ => return None,
        }
    }
    Some(read)
}

fn matches(query: &Query, incident: &Incident) -> bool {
    query.severity.is_none_or(|severity| severity == incident.severity)
        && query.status.is_none_or(|status| status == incident.status)
        && query.assignee.is_none_or(|assignee| assignee == incident.assignee)
        && query.created_by.as_ref().is_none_or(|name| *name == incident.created_by)
}
