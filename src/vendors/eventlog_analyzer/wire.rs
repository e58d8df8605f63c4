//! What the server sends: one struct for each kind of row, and how the envelopes around them are opened.
//!
//! Every member is optional but the id of an incident: null, absent or of another type costs that member, never the row.
//! Texts stay as received, times and enum words too; what they mean is `map`'s business. Private to this folder.

use crate::domain::{RawJson, Text};
use crate::vendors::common::{Broken, Id, Row, Scalar, read_record, text};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A row of the list: the core fields of an incident, which no other answer tells.
#[derive(Deserialize, Debug)]
pub(super) struct IncidentRow {
    pub(super) incident_id: Id,
    pub(super) incident_name: Option<Text>,
    pub(super) incident_description: Option<Text>,
    pub(super) severity: Option<Text>,
    pub(super) status: Option<Text>,
    pub(super) created_time: Option<Text>,
    pub(super) due_date: Option<Text>,
    /// Id of a user; -1 for none.
    pub(super) assign_to: Option<Scalar>,
    /// Name of a user.
    pub(super) created_by: Option<Text>,
}

impl Row for IncidentRow {
    const ID: &'static str = "incident_id";
}

/// A member of `notes`. It has no id.
#[derive(Deserialize, Debug)]
pub(super) struct NoteRow {
    pub(super) note: Option<Text>,
    pub(super) added_by: Option<Text>,
    pub(super) time: Option<Text>,
}

/// A member of `activity`. It has no id.
#[derive(Deserialize, Debug)]
pub(super) struct ActivityRow {
    pub(super) activity: Option<Text>,
    pub(super) description: Option<Text>,
    pub(super) time: Option<Text>,
}

/// A member of `evidence`: a flat log record. `incident_tab` and `img_class` are for the product's own pages and not read.
#[derive(Deserialize, Debug)]
pub(super) struct EvidenceRow {
    pub(super) incident_uuid: Option<Scalar>,
    pub(super) type_of_evidence: Option<Text>,
    pub(super) severity: Option<Text>,
    pub(super) eventid: Option<Scalar>,
    pub(super) formatted_message: Option<Text>,
    pub(super) message: Option<Text>,
    #[serde(rename = "_zl_timestamp")]
    pub(super) stored_at: Option<Text>,
    pub(super) log_org_time: Option<Text>,
    pub(super) incident_time: Option<Text>,
    pub(super) hosttype: Option<Text>,
    pub(super) hostname: Option<Text>,
    pub(super) source_ip: Option<Text>,
    pub(super) username: Option<Text>,
    pub(super) incident_added_by: Option<Text>,
    /// The program that logged; not the `source` of a write.
    pub(super) source: Option<Text>,
    #[serde(rename = "type")]
    pub(super) log: Option<Text>,
    pub(super) category: Option<Text>,
    pub(super) is_threshold_incident: Option<bool>,
    pub(super) log_obtained_from: Option<Text>,
}

/// A row of the users. No document shows the shape; this one is inferred.
#[derive(Deserialize, Clone, Debug)]
pub(super) struct UserRow {
    pub(super) user_id: Id,
    pub(super) user_name: Option<Text>,
    pub(super) email: Option<Text>,
}

impl Row for NoteRow {
    const ESSENTIAL: &'static [&'static str] = &[];
}

impl Row for ActivityRow {
    const ESSENTIAL: &'static [&'static str] = &[];
}

impl Row for EvidenceRow {
    const ESSENTIAL: &'static [&'static str] = &[];
    const ID: &'static str = "incident_uuid";
}

impl Row for UserRow {
    const ID: &'static str = "user_id";
}

/// Rows as far as they could be read.
#[derive(Debug)]
pub(super) struct Rows<T> {
    /// In the server's order: how many came before it, the row, and its text where that was asked for.
    pub(super) rows: Vec<(usize, T, Option<RawJson>)>,
    /// How many rows the server sent, unreadable ones included.
    pub(super) sent: usize,
    pub(super) broken: Vec<Broken>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Rows { rows: Vec::new(), sent: 0, broken: Vec::new() }
    }
}

/// A page of the list.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) rows: Rows<T>,
    /// Rows under the same filter, on all pages.
    pub(super) total: Option<u64>,
    /// The longest page, as the server says.
    pub(super) per_page: Option<u64>,
    /// Pages of that length.
    pub(super) total_pages: Option<u64>,
}

/// What the detail of an incident tells. Parts that are absent are empty.
#[derive(Default, Debug)]
pub(super) struct Detail {
    /// Key, and the names that stand below it; keys in the order of their first mention.
    pub(super) actors: Vec<(Text, Vec<Text>)>,
    pub(super) notes: Rows<NoteRow>,
    pub(super) evidence: Rows<EvidenceRow>,
    pub(super) activity: Rows<ActivityRow>,
    /// Actors that could not be read.
    pub(super) broken_actors: Vec<Broken>,
}

/// Members of an object, the last of equal names.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Reads a list. `raw`: keep the text of each row.
/// Fails when the body is no list at all; says why, for the log.
pub(super) fn read_list<T: Row>(body: &[u8], raw: bool) -> Result<Page<T>, String> {
    let body = text(body);
    let envelope: Members<'_> = parse(&body)?;
    let data = envelope.get("data").ok_or("no member data")?;
    let rows = read_rows(data.get(), raw)?;
    // A broken `meta` only costs the number of rows.
    let meta: Members<'_> = envelope.get("meta").and_then(|meta| parse(meta.get()).ok()).unwrap_or_default();
    let number = |name: &str| parse::<Scalar>(meta.get(name)?.get()).ok()?.0.parse().ok();
    let (total, per_page, total_pages) = (number("total_items"), number("per_page"), number("total_pages"));
    Ok(Page { rows, total, per_page, total_pages })
}

/// Reads the detail of an incident. `raw`: keep the text of notes, evidence and activity.
/// Fails when the body is no detail at all; says why, for the log.
pub(super) fn read_detail(body: &[u8], raw: bool) -> Result<Detail, String> {
    let body = text(body);
    let envelope: Members<'_> = parse(&body)?;
    let data: Option<Members<'_>> = parse(envelope.get("data").ok_or("no member data")?.get())?;
    let data = data.unwrap_or_default();
    let mut detail = Detail {
        notes: part(&data, "notes", raw),
        evidence: part(&data, "evidence", raw),
        activity: part(&data, "activity", raw),
        ..Detail::default()
    };
    if let Some(actors) = data.get("actors") {
        read_actors(actors.get(), &mut detail);
    }
    Ok(detail)
}

/// A list of rows; null and absence are an empty one, anything else a broken row.
fn part<T: Row>(data: &Members<'_>, name: &str, raw: bool) -> Rows<T> {
    let Some(part) = data.get(name) else { return Rows::default() };
    read_rows(part.get(), raw)
        .unwrap_or_else(|problem| Rows { broken: vec![Broken { id: None, problem }], ..Rows::default() })
}

fn read_rows<T: Row>(json: &str, raw: bool) -> Result<Rows<T>, String> {
    let all: Vec<&RawValue> = parse::<Option<Vec<&RawValue>>>(json)?.unwrap_or_default();
    let mut rows = Rows { rows: Vec::with_capacity(all.len()), sent: all.len(), broken: Vec::new() };
    for (place, row) in all.into_iter().enumerate() {
        if !row.get().starts_with('{') {
            rows.broken.push(Broken { id: None, problem: "a row that is no object".to_owned() });
            continue;
        }
        match read_record(row.get()) {
            Ok((record, problem)) => {
                rows.rows.push((place, record, raw.then(|| RawJson::new(row.get()))));
                rows.broken.extend(problem);
            }
            Err(problem) => rows.broken.push(problem),
        }
    }
    Ok(rows)
}

/// `[{"entity": ["a", "b"]}, {"suspect": ["c"]}]`. Objects with several keys, keys that come again and names without a
/// list around them are taken as well.
fn read_actors(json: &str, detail: &mut Detail) {
    let mut broken = |problem: String| detail.broken_actors.push(Broken { id: None, problem });
    let objects: Vec<&RawValue> = match parse::<Option<Vec<&RawValue>>>(json) {
        Ok(objects) => objects.unwrap_or_default(),
        Err(problem) => return broken(problem),
    };
    for object in objects {
        let members: serde_json::Map<String, serde_json::Value> = match parse(object.get()) {
            Ok(members) => members,
            Err(problem) => {
                broken(problem);
                continue;
            }
        };
        for (key, value) in members {
            let place = match detail.actors.iter().position(|(other, _)| **other == *key) {
                Some(place) => place,
                None => {
                    detail.actors.push((key.into(), Vec::new()));
                    detail.actors.len() - 1
                }
            };
            let values = match value {
                serde_json::Value::Array(values) => values,
                serde_json::Value::Null => Vec::new(),
                other => vec![other],
            };
            for value in values {
                match value {
                    serde_json::Value::String(name) => detail.actors[place].1.push(name.into()),
                    _ => broken("an actor that is no text".to_owned()),
                }
            }
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

/// The code of a refusal, in either of its two shapes: within `error`, or bare. None where there is none.
pub(super) fn refusal_code(body: &[u8]) -> Option<Text> {
    #[derive(Deserialize)]
    struct Refusal {
        code: Scalar,
    }
    let body = text(body);
    let envelope: Members<'_> = parse(&body).ok()?;
    if envelope.contains_key("data") {
        return None;
    }
    let inner = envelope.get("error").map_or(&*body, |error| error.get());
    parse::<Refusal>(inner).ok().map(|refusal| refusal.code.0)
}
