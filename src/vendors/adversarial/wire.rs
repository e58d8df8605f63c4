//! What the server sends, as documented: one struct for each kind of row, and how a list of rows is taken apart.
//!
//! Texts stay as received, enum words too; what they mean is `map`'s business. Any member may be missing, null or of a
//! wrong type: it then costs itself, and only a record without an id is lost. Private to this folder.

use crate::{
    domain::{NativeId, Text},
    vendors::common::{self, Broken, Moment, Row, Scalar, read_record},
};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, fmt};

/// `INC-` before a number of at least five digits.
const PREFIX: &str = "INC-";

/// Nothing longer is a number here; arbitrary, it bounds paths.
const MOST_DIGITS: usize = 64;

/// The form in which an incident is named here: that of the documents for whatever has a number, else as received.
pub(super) fn display_id(text: &str) -> NativeId {
    match number(text) {
        Some(digits) => NativeId::new(&format!("{PREFIX}{digits:0>5}")),
        None => NativeId::new(text),
    }
}

/// The number in a display id, or a number itself, without zeros before it; paths want it. None for anything else. It is not
/// counted with, so that it may have any length.
pub(super) fn number(id: &str) -> Option<&str> {
    let digits = match id.split_at_checked(PREFIX.len()) {
        Some((prefix, digits)) if prefix.eq_ignore_ascii_case(PREFIX) => digits,
        _ => id,
    };
    let is_number = (1..=MOST_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits.trim_start_matches('0');
    is_number.then_some(if plain.is_empty() { "0" } else { plain })
}

/// An incident's id: the display id; a bare number, as paths have it, becomes one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Id(pub(super) NativeId);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let common::Id(text) = common::Id::deserialize(from)?;
        Ok(Id(display_id(text.trim())))
    }
}

/// A user as told beside what they did. Only the id, where a bare id stands instead of an object.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct UserRow {
    pub(super) id: Option<Scalar>,
    pub(super) email: Option<Text>,
    pub(super) first_name: Option<Text>,
    pub(super) last_name: Option<Text>,
    /// Path below `/api/v1/`.
    pub(super) icon: Option<Text>,
}

impl<'de> Deserialize<'de> for UserRow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            id: Option<Scalar>,
            email: Option<Text>,
            first_name: Option<Text>,
            last_name: Option<Text>,
            icon: Option<Text>,
        }
        struct UserVisitor;
        impl<'de> Visitor<'de> for UserVisitor {
            type Value = UserRow;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a user or the id of one")
            }

            fn visit_str<E: Error>(self, id: &str) -> Result<UserRow, E> {
                Ok(UserRow { id: Some(Scalar(id.into())), ..UserRow::default() })
            }

            fn visit_u64<E: Error>(self, id: u64) -> Result<UserRow, E> {
                self.visit_str(&id.to_string())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<UserRow, A::Error> {
                let Fields { id, email, first_name, last_name, icon } =
                    Fields::deserialize(MapAccessDeserializer::new(map))?;
                Ok(UserRow { id, email, first_name, last_name, icon })
            }
        }
        from.deserialize_any(UserVisitor)
    }
}

/// The core of an incident.
#[derive(Deserialize, Debug)]
pub(super) struct Core {
    pub(super) id: Id,
    pub(super) title: Option<Text>,
    pub(super) description: Option<Text>,
    pub(super) status: Option<Text>,
    pub(super) severity: Option<Text>,
    pub(super) severity_reasoning: Option<Text>,
    pub(super) source: Option<Text>,
    pub(super) created_date: Option<Moment>,
    pub(super) updated_date: Option<Moment>,
    pub(super) detected_date: Option<Moment>,
    pub(super) occurred_date: Option<Moment>,
    pub(super) responded_date: Option<Moment>,
    pub(super) contained_date: Option<Moment>,
    pub(super) assigned_to: Option<UserRow>,
    pub(super) opened_by: Option<UserRow>,
}

/// A row of the register: in lists, and alone.
#[derive(Deserialize, Debug)]
pub(super) struct IncidentRow {
    pub(super) incident: Core,
    pub(super) comment_count: Option<Scalar>,
    pub(super) risk_associations: Option<Vec<Text>>,
    pub(super) tags: Option<Vec<TagRow>>,
    pub(super) threat_objectives: Option<Vec<ObjectiveRow>>,
}

/// The same with its parts not yet looked into.
#[derive(Deserialize)]
struct Unopened {
    incident: Option<Box<RawValue>>,
    comment_count: Option<Scalar>,
    risk_associations: Option<Vec<Box<RawValue>>>,
    tags: Option<Vec<Box<RawValue>>>,
    threat_objectives: Option<Vec<Box<RawValue>>>,
}

/// A tag.
#[derive(Deserialize, Debug)]
pub(super) struct TagRow {
    pub(super) id: common::Id,
    pub(super) content: Text,
    pub(super) creator_id: Option<Scalar>,
    pub(super) org_id: Option<Scalar>,
}

/// What an attacker was after.
#[derive(Deserialize, Debug)]
pub(super) struct ObjectiveRow {
    pub(super) threat_objective: Text,
    pub(super) relevance: Option<Text>,
    pub(super) created_date: Option<Moment>,
}

/// A comment. The name of its time is in no document: the likely ones are read.
#[derive(Deserialize, Debug)]
pub(super) struct CommentRow {
    pub(super) id: Option<Scalar>,
    pub(super) user: Option<UserRow>,
    pub(super) value: Option<Text>,
    #[serde(alias = "created_at", alias = "timestamp")]
    pub(super) created_date: Option<Moment>,
    #[serde(alias = "updated_at")]
    pub(super) updated_date: Option<Moment>,
}

/// A line of a history. Its changes are taken apart by `history`, since their kinds are not all documented.
#[derive(Deserialize, Debug)]
pub(super) struct EntryRow {
    pub(super) changes: Option<Vec<Box<RawValue>>>,
    pub(super) is_creation: Option<bool>,
    pub(super) timestamp: Option<Moment>,
    pub(super) user: Option<UserRow>,
}

/// A source that incidents come from: an object with a name, or the name.
#[derive(Debug)]
pub(super) struct SourceRow(pub(super) Text);

impl<'de> Deserialize<'de> for SourceRow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Name(Text),
            Object { name: Text },
        }
        let (Either::Name(name) | Either::Object { name }) = Either::deserialize(from)?;
        Ok(SourceRow(name))
    }
}

impl Row for Core {}

impl Row for UserRow {
    const ESSENTIAL: &'static [&'static str] = &[];
}

impl Row for Unopened {
    const ESSENTIAL: &'static [&'static str] = &["incident"];
}

impl Row for TagRow {
    const ESSENTIAL: &'static [&'static str] = &["id", "content"];
}

impl Row for ObjectiveRow {
    const ESSENTIAL: &'static [&'static str] = &["threat_objective"];
    const ID: &'static str = "threat_objective";
}

impl Row for CommentRow {
    const ESSENTIAL: &'static [&'static str] = &[];
}

impl Row for EntryRow {
    const ESSENTIAL: &'static [&'static str] = &[];
    const ID: &'static str = "timestamp";
}

impl Row for SourceRow {
    const ESSENTIAL: &'static [&'static str] = &["name"];
    const ID: &'static str = "name";
}

/// Reads a row of the register; where a part is broken, without that part, which is then told. Fails where there is no
/// incident with an id.
pub(super) fn read_incident(json: &str) -> Result<(IncidentRow, Option<Broken>), Broken> {
    let first = match serde_json::from_str(json) {
        Ok(row) => return Ok((row, None)),
        Err(error) => error.to_string(),
    };
    let (row, problem) = read_record::<Unopened>(json)?;
    let mut problems: Vec<String> = problem.into_iter().map(|broken| broken.problem).collect();
    // Creation answers the core alone; so may others.
    let core = row.incident.as_deref().map_or(json, RawValue::get);
    let (mut incident, broken) = read_record::<Core>(core)?;
    incident.assigned_to = incident.assigned_to.or_else(|| salvaged(core, "assigned_to"));
    incident.opened_by = incident.opened_by.or_else(|| salvaged(core, "opened_by"));
    problems.extend(broken.map(|broken| broken.problem));
    let row = IncidentRow {
        comment_count: row.comment_count,
        risk_associations: row.risk_associations.map(|all| each(&all, read_text, &mut problems)),
        tags: row.tags.map(|all| each(&all, read_record, &mut problems)),
        threat_objectives: row.threat_objectives.map(|all| each(&all, read_record, &mut problems)),
        incident,
    };
    let flat = row.incident_is_all(json);
    let broken = (!flat || !problems.is_empty())
        .then(|| Broken { id: Some(row.incident.id.0.to_string()), problem: problems.pop().unwrap_or(first) });
    Ok((row, broken))
}

impl IncidentRow {
    /// Whether the text was the core alone, which is nothing broken.
    fn incident_is_all(&self, json: &str) -> bool {
        let members = serde_json::from_str::<BTreeMap<String, &RawValue>>(json).unwrap_or_default();
        members.contains_key("id") && !members.contains_key("incident")
    }
}

/// A comment; of an author who is broken in part, the rest.
pub(super) fn read_comment(json: &str) -> Result<(CommentRow, Option<Broken>), Broken> {
    let (mut row, broken) = read_record::<CommentRow>(json)?;
    if broken.is_some() && row.user.is_none() {
        row.user = salvaged(json, "user");
    }
    Ok((row, broken))
}

/// A line of a history; of a person who is broken in part, the rest.
pub(super) fn read_entry(json: &str) -> Result<(EntryRow, Option<Broken>), Broken> {
    let (mut row, broken) = read_record::<EntryRow>(json)?;
    if broken.is_some() && row.user.is_none() {
        row.user = salvaged(json, "user");
    }
    Ok((row, broken))
}

/// What can be read of a person that a broken member costs as a whole otherwise.
fn salvaged(record: &str, member: &str) -> Option<UserRow> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(record).ok()?;
    Some(read_record::<UserRow>(members.get(member)?.get()).ok()?.0).filter(|user| *user != UserRow::default())
}

fn read_text(json: &str) -> Result<(Text, Option<Broken>), Broken> {
    let text = serde_json::from_str(json).map(|Scalar(text)| (text, None));
    text.map_err(|error| Broken { id: None, problem: error.to_string() })
}

/// Those that can be read.
fn each<T>(
    all: &[Box<RawValue>],
    read: impl Fn(&str) -> Result<(T, Option<Broken>), Broken>,
    problems: &mut Vec<String>,
) -> Vec<T> {
    let mut kept = Vec::with_capacity(all.len());
    for one in all {
        match read(one.get()) {
            Ok((one, broken)) => {
                kept.push(one);
                problems.extend(broken.map(|broken| broken.problem));
            }
            Err(broken) => problems.push(broken.problem),
        }
    }
    kept
}

/// A list whose rows are not yet looked into.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    rows: Vec<&'a RawValue>,
    /// How many rows a page has, as the server tells.
    pub(super) page_size: Option<u64>,
    /// How many rows there are in all under the same filter.
    pub(super) total: Option<u64>,
    /// Whether there are rows after these, where that is told.
    pub(super) more: Option<bool>,
}

/// Rows as far as they could be read.
#[derive(Debug)]
pub(super) struct Page<T> {
    /// In the server's order, each with its place among those that were sent, and its text where that was asked for.
    pub(super) rows: Vec<(usize, T, Option<Box<str>>)>,
    /// How many rows the server sent, unreadable ones included.
    pub(super) sent: usize,
    /// Rows that could not be read, or not wholly, each with its place.
    pub(super) broken: Vec<(usize, Broken)>,
    pub(super) page_size: Option<u64>,
    pub(super) total: Option<u64>,
    pub(super) more: Option<bool>,
}

/// Takes a list apart: an object with rows under one of these names, or bare rows. The counters stand beside the rows or in
/// `pagination`. Fails when there are no rows; says why, for the log.
pub(super) fn open<'a>(body: &'a str, names: &[&str]) -> Result<Opened<'a>, String> {
    if body.trim_start().starts_with('[') {
        let rows = serde_json::from_str(body).map_err(|error| error.to_string())?;
        return Ok(Opened { rows, page_size: None, total: None, more: None });
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(body).map_err(|error| error.to_string())?;
    // Null is no row; the other name may hold some.
    let mut named = names.iter().filter_map(|name| members.get(*name)).map(|rows| rows.get());
    let rows = named.clone().find(|rows| *rows != "null").or_else(|| named.next());
    let rows = rows.ok_or_else(|| format!("none of {names:?} among the members"))?;
    let rows: Option<Vec<&RawValue>> = serde_json::from_str(rows).map_err(|error| error.to_string())?;
    let rows = rows.unwrap_or_default();
    let nested = members.get("pagination").and_then(|nested| serde_json::from_str(nested.get()).ok());
    let nested: BTreeMap<String, &RawValue> = nested.unwrap_or_default();
    let counter = |name: &str| {
        let given = nested.get(name).or_else(|| members.get(name))?;
        serde_json::from_str::<Scalar>(given.get()).ok()?.0.parse::<u64>().ok()
    };
    let has_next = nested.get("has_next").or_else(|| members.get("has_next"));
    let has_next = has_next.and_then(|next| serde_json::from_str(next.get()).ok());
    let by_number = counter("page").zip(counter("num_pages")).map(|(page, pages)| page < pages);
    Ok(Opened { rows, page_size: counter("page_size"), total: counter("total"), more: has_next.or(by_number) })
}

impl Opened<'_> {
    /// Reads the rows. `raw`: keep the text of each.
    pub(super) fn read<T>(self, raw: bool, read: impl Fn(&str) -> Result<(T, Option<Broken>), Broken>) -> Page<T> {
        let (sent, mut rows, mut broken) = (self.rows.len(), Vec::with_capacity(self.rows.len()), Vec::new());
        for (place, row) in self.rows.into_iter().enumerate() {
            match read(row.get()) {
                Ok((record, problem)) => {
                    rows.push((place, record, raw.then(|| row.get().into())));
                    broken.extend(problem.map(|problem| (place, problem)));
                }
                Err(problem) => broken.push((place, problem)),
            }
        }
        Page { rows, sent, broken, page_size: self.page_size, total: self.total, more: self.more }
    }
}
