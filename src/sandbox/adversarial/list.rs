//! `GET /v1/incidents`: which rows a query asks for, in which order, which page of them. Names of the parameters are
//! documented; repeated keys, ranges of two dates, `order_by` and the largest page are inferred.

use super::state::{Incident, OBJECTIVES, SEVERITIES, STATUSES, State, micros};
use crate::sandbox::clock::Micros;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

const DEFAULT_PAGE_SIZE: usize = 25;
const MAX_PAGE_SIZE: usize = 100;

/// Decoded parameters in the order they were sent.
pub(super) struct Query(Vec<(String, String)>);

/// A page, 1-based.
#[derive(Clone, Copy)]
pub(super) struct Page {
    number: usize,
    size: usize,
}

impl Query {
    pub(super) fn read(query: &str) -> Query {
        Query(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }

    fn last(&self, name: &str) -> Option<&str> {
        self.all(name).last().copied()
    }

    /// The first name that is none of these.
    pub(super) fn other_than(&self, names: &[&str]) -> Option<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).find(|name| !names.contains(name))
    }

    /// The page asked for, no larger than `max`; the name of the parameter that is no number of at least 1.
    pub(super) fn page(&self, max: usize) -> Result<Page, &'static str> {
        let number = |name: &'static str, default: usize| match self.last(name) {
            None => Ok(default),
            Some(text) => text.parse().ok().filter(|number| *number > 0).ok_or(name),
        };
        Ok(Page { number: number("page", 1)?, size: number("page_size", DEFAULT_PAGE_SIZE)?.min(max) })
    }
}

impl Page {
    /// The page of some items under a name, with the four counters.
    pub(super) fn envelope<T>(self, name: &str, items: &[T], json: impl Fn(&T) -> Value) -> Value {
        let rows = items.iter().skip((self.number - 1).saturating_mul(self.size)).take(self.size).map(json);
        let mut body = Map::new();
        body.insert(name.to_owned(), rows.collect());
        body.insert("num_pages".to_owned(), json!(items.len().div_ceil(self.size)));
        body.insert("page".to_owned(), json!(self.number));
        body.insert("page_size".to_owned(), json!(self.size));
        body.insert("total".to_owned(), json!(items.len()));
        Value::Object(body)
    }
}

const PARAMETERS: [&str; 22] = [
    "id",
    "title_contains",
    "description_contains",
    "free_text",
    "severity",
    "status",
    "source",
    "assigned_to",
    "threat_objectives",
    "created_date",
    "updated_date",
    "detected_date",
    "occurred_date",
    "responded_date",
    "contained_date",
    "due_date",
    "expected_date",
    "opened_by",
    "tags",
    "page",
    "page_size",
    "order_by",
];

/// The page of the register that a query asks for; what is wrong with it otherwise, by parameter.
pub(super) fn list(state: &State, query: &Query) -> Result<Value, (String, &'static str)> {
    if let Some(name) = query.other_than(&PARAMETERS) {
        return Err((name.to_owned(), "unknown parameter"));
    }
    let page = query.page(MAX_PAGE_SIZE).map_err(|name| (name.to_owned(), "not a number of at least 1"))?;
    for (name, words) in
        [("severity", &SEVERITIES[..]), ("status", &STATUSES[..]), ("threat_objectives", &OBJECTIVES[..])]
    {
        if query.all(name).iter().any(|word| !words.contains(word)) {
            return Err((name.to_owned(), "unknown variant"));
        }
    }
    let ranges = ranges(query)?;
    let mut rows: Vec<&Incident> =
        state.incidents.iter().filter(|incident| matches(state, query, &ranges, incident)).collect();
    sort(&mut rows, query.last("order_by"))?;
    Ok(page.envelope("incidents", &rows, |incident| state.row(incident)))
}

type Range = (&'static str, Micros, Micros);

const DATES: [&str; 6] =
    ["created_date", "updated_date", "detected_date", "occurred_date", "responded_date", "contained_date"];

fn ranges(query: &Query) -> Result<Vec<Range>, (String, &'static str)> {
    let mut ranges = Vec::new();
    for name in DATES {
        match query.all(name)[..] {
            [] => {}
            [from, to] => match (micros(from), micros(to)) {
                (Some(from), Some(to)) => ranges.push((name, from, to)),
                _ => return Err((name.to_owned(), "not a date-time")),
            },
            _ => return Err((name.to_owned(), "not a range of two")),
        }
    }
    Ok(ranges)
}

fn matches(state: &State, query: &Query, ranges: &[Range], incident: &Incident) -> bool {
    let user = |place: usize| state.users[place].id.clone();
    let any = |name: &str, values: &[String]| {
        let wanted = query.all(name);
        wanted.is_empty() || wanted.iter().any(|one| values.iter().any(|value| value == one))
    };
    let contains = |name: &str, texts: &[&str]| {
        let wanted = query.last(name).map(str::to_lowercase);
        wanted.is_none_or(|wanted| texts.iter().any(|text| text.to_lowercase().contains(&wanted)))
    };
    let tags = incident.tags.iter().flat_map(|tag| [state.tags[*tag].id.clone(), state.tags[*tag].content.clone()]);
    let text = |value: &str| [value.to_owned()];
    any("id", &[incident.display_id(), incident.number.to_string()])
        && any("severity", incident.severity.map(text).as_ref().map_or(&[], <[String; 1]>::as_slice))
        && any("status", &text(incident.status))
        && any("source", incident.source.as_slice())
        && any("assigned_to", incident.assigned_to.map(user).as_slice())
        && any("opened_by", &[user(incident.opened_by)])
        && any("threat_objectives", &incident.objectives.iter().map(|one| one.word.to_owned()).collect::<Vec<_>>())
        && any("tags", &tags.collect::<Vec<_>>())
        && contains("title_contains", &[&incident.title])
        && contains("description_contains", &[&incident.description])
        && contains("free_text", &[&incident.title, &incident.description, &incident.display_id()])
        && ranges.iter().all(|(name, from, to)| date(incident, name).is_some_and(|at| *from <= at && at <= *to))
}

fn date(incident: &Incident, name: &str) -> Option<Micros> {
    match name {
        "created_date" => Some(incident.created),
        "updated_date" => Some(incident.updated),
        "detected_date" => Some(incident.detected),
        "occurred_date" => incident.occurred,
        "responded_date" => incident.responded,
        "contained_date" => incident.contained,
        _ => None,
    }
}

/// Newest first, unless asked otherwise by `field`, `field desc` or `-field`. Ties by id.
fn sort(rows: &mut [&Incident], order: Option<&str>) -> Result<(), (String, &'static str)> {
    let Some(order) = order else {
        rows.sort_by_key(|incident| std::cmp::Reverse(incident.number));
        return Ok(());
    };
    let (field, descending) = match (order.strip_prefix('-'), order.split_once(' ')) {
        (Some(field), _) => (field, true),
        (None, Some((field, "desc"))) => (field, true),
        (None, Some((field, "asc"))) => (field, false),
        _ => (order, false),
    };
    let compare: fn(&Incident, &Incident) -> Ordering = match field {
        "created_date" => |a, b| a.created.cmp(&b.created),
        "updated_date" => |a, b| a.updated.cmp(&b.updated),
        "detected_date" => |a, b| a.detected.cmp(&b.detected),
        "severity" => |a, b| a.severity.cmp(&b.severity),
        "status" => |a, b| a.status.cmp(b.status),
        "title" => |a, b| a.title.cmp(&b.title),
        "id" => |a, b| a.number.cmp(&b.number),
        _ => return Err(("order_by".to_owned(), "unknown field")),
    };
    rows.sort_by(|a, b| {
        let order = if descending { compare(b, a) } else { compare(a, b) };
        order.then(a.number.cmp(&b.number))
    });
    Ok(())
}
