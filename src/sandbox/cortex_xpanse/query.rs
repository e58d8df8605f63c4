//! Lists: filters that must all hold, a window, one field to sort by.

use super::{Object, unprocessable};
use crate::sandbox::random::Random;
use crate::sandbox::wire::Reply;
use serde_json::{Value, json};
use std::cmp::Reverse;

const MOST_ROWS: u64 = 100;
/// No list counts further.
const MOST_COUNTED: usize = 9_999;

/// Every so many incidents one is withheld from the key; lists name it, and nothing more.
pub(super) fn is_restricted(place: usize) -> bool {
    place % 83 == 82
}

/// A stretch of a list.
pub(super) struct Window {
    from: u64,
    to: u64,
}

impl Window {
    /// 100 rows from the first on where nothing is said.
    pub(super) fn of(data: &Object) -> Result<Window, Reply> {
        let number = |name: &str, default: u64| match data.get(name) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => value.as_u64().ok_or_else(|| unprocessable(name, "Not a valid integer.")),
        };
        let from = number("search_from", 0)?;
        let to = number("search_to", from + MOST_ROWS)?;
        match to {
            to if to <= from => Err(unprocessable("search_to", "search_to must be greater than search_from")),
            to if to - from > MOST_ROWS => {
                Err(unprocessable("search_to", "search_to - search_from must be at most 100"))
            }
            to => Ok(Window { from, to }),
        }
    }

    pub(super) fn cut<T>(&self, rows: Vec<T>) -> Vec<T> {
        rows.into_iter().skip(self.from as usize).take((self.to - self.from) as usize).collect()
    }
}

/// `get_incidents`
pub(super) fn incidents(all: &[Object], data: &Object) -> Result<Value, Reply> {
    let window = Window::of(data)?;
    let sorting = Sorting::of(data)?;
    let filters = match data.get("filters") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(all)) => all.iter().map(Filter::of).collect::<Result<_, _>>()?,
        Some(_) => return Err(unprocessable("filters", "Not a valid list.")),
    };
    let matching = all.iter().enumerate().filter(|(_, row)| filters.iter().all(|filter| filter.holds(row)));
    let (restricted, mut rows): (Vec<_>, Vec<_>) = matching.partition(|(place, _)| is_restricted(*place));
    sorting.sort(&mut rows, window.from);
    let total = rows.len().min(MOST_COUNTED);
    let page: Vec<&Object> = window.cut(rows).into_iter().map(|(_, row)| row).collect();
    let restricted: Vec<String> = restricted.iter().map(|(place, _)| (place + 1).to_string()).collect();
    Ok(json!({
        "total_count": total,
        "result_count": page.len(),
        "incidents": page,
        "restricted_incident_ids": restricted,
    }))
}

/// A condition on a row.
enum Filter {
    /// One of the row's texts is one of these.
    OneOf(&'static str, Vec<String>),
    Contains(String),
    /// Not before, or not after.
    Since(&'static str, i64),
    Until(&'static str, i64),
    Status(String, bool),
    Starred(bool),
}

impl Filter {
    fn of(filter: &Value) -> Result<Filter, Reply> {
        let wrong = |problem: &str| unprocessable("filters", problem);
        let text = |name: &str| filter.get(name).and_then(Value::as_str).unwrap_or_default();
        let value = filter.get("value").unwrap_or(&Value::Null);
        let one_of = |member, allowed: &[&str]| {
            let values = texts(value)?;
            match allowed.is_empty() || values.iter().all(|value| allowed.contains(&value.as_str())) {
                true => Ok(Filter::OneOf(member, values)),
                false => Err(wrong("Must be one of the allowed values.")),
            }
        };
        let time = || value.as_i64().ok_or_else(|| wrong("Not a valid integer."));
        let a_text = || value.as_str().map(str::to_lowercase).ok_or_else(|| wrong("Not a valid string."));
        match (text("field"), text("operator")) {
            ("incident_id_list", "in") => one_of("incident_id", &[]),
            ("incident_id", "eq" | "in") => one_of("incident_id", &[]),
            ("alert_sources", "in") => one_of("incident_sources", &[]),
            ("cloud_management_status", "in") => {
                one_of("cloud_management_status", &["Managed Cloud", "Unmanaged Cloud", "Not Applicable"])
            }
            ("integration_source", "in") => one_of("integration_source", &["AWS", "AZURE", "GOOGLE", "PRISMA_CLOUD"]),
            ("description", "in") => {
                let values = texts(value)?.iter().map(|text| text.to_lowercase()).collect();
                Ok(Filter::OneOf("description", values))
            }
            ("description", "contains") => a_text().map(Filter::Contains),
            ("creation_time", "gte") => time().map(|at| Filter::Since("creation_time", at)),
            ("creation_time", "lte") => time().map(|at| Filter::Until("creation_time", at)),
            ("modification_time", "gte") => time().map(|at| Filter::Since("modification_time", at)),
            ("modification_time", "lte") => time().map(|at| Filter::Until("modification_time", at)),
            ("status", operator @ ("eq" | "neq")) => match a_text()? {
                word if ["new", "under_investigation", "resolved"].contains(&word.as_str()) => {
                    Ok(Filter::Status(word, operator == "eq"))
                }
                _ => Err(wrong("Must be one of: new, under_investigation, resolved.")),
            },
            ("starred", "eq") => value.as_bool().map(Filter::Starred).ok_or_else(|| wrong("Not a valid boolean.")),
            _ => Err(wrong("Not a valid field or operator.")),
        }
    }

    fn holds(&self, row: &Object) -> bool {
        let member = |name: &str| row.get(name).unwrap_or(&Value::Null);
        match self {
            Filter::OneOf("description", values) => {
                member("description").as_str().is_some_and(|text| values.contains(&text.to_lowercase()))
            }
            Filter::OneOf(name, values) => {
                texts(member(name)).is_ok_and(|own| own.iter().any(|text| values.contains(text)))
            }
            Filter::Contains(part) => {
                member("description").as_str().is_some_and(|text| text.to_lowercase().contains(part))
            }
            Filter::Since(name, at) => member(name).as_i64().is_some_and(|time| time >= *at),
            Filter::Until(name, at) => member(name).as_i64().is_some_and(|time| time <= *at),
            Filter::Status(word, wanted) => {
                let own = member("status").as_str().map(str::to_lowercase).unwrap_or_default();
                let is_it = if word == "resolved" { own.starts_with("resolved") } else { own == *word };
                is_it == *wanted
            }
            Filter::Starred(wanted) => member("starred").as_bool() == Some(*wanted),
        }
    }
}

/// The texts of a value: itself, or its members; none for null. Fails for anything else.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, Reply> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(unprocessable("filters", "Not a valid list of strings.")),
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(all) => all.iter().map(text).collect(),
        value => Ok(vec![text(value)?]),
    }
}

/// What a list is sorted by.
struct Sorting {
    field: &'static str,
    descending: bool,
}

impl Sorting {
    fn of(data: &Object) -> Result<Sorting, Reply> {
        let sort = match data.get("sort") {
            None | Some(Value::Null) => return Ok(Sorting { field: "creation_time", descending: true }),
            Some(sort) => sort,
        };
        let text = |name: &str| sort.get(name).and_then(Value::as_str).unwrap_or_default();
        let field = match text("field") {
            "creation_time" => "creation_time",
            "modification_time" => "modification_time",
            "incident_id" => "incident_id",
            _ => return Err(unprocessable("sort", "Must be one of: creation_time, modification_time, incident_id.")),
        };
        let descending = match text("keyword") {
            "ASC" | "asc" => false,
            "DESC" | "desc" => true,
            _ => return Err(unprocessable("sort", "Must be one of: ASC, asc, DESC, desc.")),
        };
        Ok(Sorting { field, descending })
    }

    /// Rows that are equal in the field come in an order that depends on the window: none is promised.
    fn sort(&self, rows: &mut [(usize, &Object)], from: u64) {
        let value = |row: &Object| match row.get(self.field) {
            Some(Value::String(text)) => text.parse().unwrap_or_default(),
            Some(value) => value.as_i64().unwrap_or_default(),
            None => 0,
        };
        let chance = |place: usize| Random::of(from, "tie", place as u64).next();
        match self.descending {
            true => rows.sort_by_cached_key(|(place, row)| (Reverse(value(row)), chance(*place))),
            false => rows.sort_by_cached_key(|(place, row)| (value(row), Reverse(chance(*place)))),
        }
    }
}
