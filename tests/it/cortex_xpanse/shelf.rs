//! A server of given rows that does all that the documents leave open in the most awkward way: ties come in another order in
//! each window, rows without a time stand where it likes, it counts as it likes.

use super::support::*;
use incident_gateway::upstream::HttpResponse;
use serde_json::{Value, json};
use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

/// Where rows stand that tell no time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Nulls {
    First,
    Last,
    /// As if theirs were the smallest.
    Smallest,
    Largest,
}

/// What `total_count` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Total {
    Right,
    Absent,
    /// This much beside the truth.
    Off(i64),
}

#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    pub(crate) rows: Vec<Value>,
    pub(crate) nulls: Nulls,
    pub(crate) total: Total,
    /// Most rows in an answer.
    pub(crate) most: usize,
    pub(crate) ids_as_text: bool,
}

impl Shelf {
    pub(crate) fn new(rows: Vec<Value>) -> Shelf {
        Shelf { rows, nulls: Nulls::Last, total: Total::Right, most: 100, ids_as_text: false }
    }

    pub(crate) fn answer(&self, body: &Value) -> HttpResponse {
        let data = &body["request_data"];
        let number = |name: &str| data[name].as_u64().unwrap() as usize;
        let (from, to) = (number("search_from"), number("search_to"));
        assert!(from < to && to - from <= 100, "a window is of a hundred rows at most");
        let filters = data["filters"].as_array().unwrap();
        let mut rows: Vec<&Value> =
            self.rows.iter().filter(|row| filters.iter().all(|filter| holds(filter, row))).collect();
        let (field, down) = (data["sort"]["field"].as_str().unwrap(), data["sort"]["keyword"] == "desc");
        // Chance first: the sort that follows keeps it among equals.
        rows.sort_by_cached_key(|row| chance(from, row));
        self.sort(field, down, &mut rows);
        let total = match self.total {
            Total::Right => json!(rows.len().min(9_999)),
            Total::Absent => Value::Null,
            Total::Off(by) => json!(rows.len() as i64 + by),
        };
        let page: Vec<&Value> = rows.into_iter().skip(from).take((to - from).min(self.most)).collect();
        json_body(json!({ "reply": { "total_count": total, "result_count": 7, "incidents": page } }).to_string())
    }

    fn sort(&self, field: &str, down: bool, rows: &mut [&Value]) {
        if field == "incident_id" {
            let number = |text: &str| if self.ids_as_text { 0 } else { text.parse().unwrap_or(-1_i64) };
            rows.sort_by_cached_key(|row| (number(&id(row)), id(row)));
            if down {
                rows.reverse();
            }
            return;
        }
        let nulls_first = match self.nulls {
            Nulls::First => true,
            Nulls::Last => false,
            Nulls::Smallest => !down,
            Nulls::Largest => down,
        };
        let of = |time: i64| if down { -time } else { time };
        rows.sort_by_cached_key(|row| (moment(row, field).is_some() == nulls_first, moment(row, field).map(of)));
    }
}

/// The id of a row, be it a text or a number.
fn id(row: &Value) -> String {
    let id = &row["incident_id"];
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

/// A time, however it is written.
fn moment(row: &Value, field: &str) -> Option<i64> {
    let text = row[field].as_str().map_or_else(|| row[field].to_string(), str::to_owned);
    text.parse::<f64>().ok().map(|time| time as i64)
}

fn holds(filter: &Value, row: &Value) -> bool {
    let (field, value) = (filter["field"].as_str().unwrap(), &filter["value"]);
    match (field, filter["operator"].as_str().unwrap()) {
        ("incident_id_list", "in") => value.as_array().unwrap().contains(&json!(id(row))),
        (field, "gte") => moment(row, field).is_some_and(|own| own >= value.as_i64().unwrap()),
        (field, "lte") => moment(row, field).is_some_and(|own| own <= value.as_i64().unwrap()),
        other => panic!("{other:?}"),
    }
}

fn chance(from: usize, row: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    (from, id(row)).hash(&mut hasher);
    hasher.finish()
}

/// Rows with these ids and times; none for a row that tells none.
pub(crate) fn rows(times: impl IntoIterator<Item = (u64, Option<i64>)>) -> Vec<Value> {
    let row = |(id, time): (u64, Option<i64>)| json!({ "incident_id": id.to_string(), "creation_time": time });
    times.into_iter().map(row).collect()
}
