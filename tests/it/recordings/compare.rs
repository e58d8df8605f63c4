//! When an answer equals a recorded one: same status, content type and headers, same JSON to the last leaf.
//!
//! Ids of objects that the case itself created differ; they are matched up at first sight and must stay matched. All
//! other differences that are allowed stand in [`EXEMPTIONS`], each with its reason, or are named in the comparison of
//! the two kinds of body that are no JSON.

use crate::recordings::Recording;
use crate::recordings::client::Answer;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What may differ where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Another time in the same form.
    Time,
    /// Another number.
    Number,
    /// Redacted in the recording: 64 hexadecimal digits.
    Token,
    /// Redacted in the recording: any text.
    Text,
    /// The parallel lists of labels and values may have equal values in another order.
    Ties,
}

pub(crate) struct Exemption {
    pub(crate) case: &'static str,
    /// The member's name, at any depth.
    member: &'static str,
    allowed: Allowed,
    /// Why it cannot be equal.
    reason: &'static str,
}

const fn exempt(case: &'static str, member: &'static str, allowed: Allowed, reason: &'static str) -> Exemption {
    Exemption { case, member, allowed, reason }
}

const NOW: &str = "the time of the request";

/// All values that may differ.
pub(crate) const EXEMPTIONS: &[Exemption] = &[
    exempt("auth_allauth_login_ok", "access_token", Allowed::Token, "random, and redacted in the recording"),
    exempt("auth_allauth_login_ok", "session_token", Allowed::Text, "random, and redacted in the recording"),
    exempt("auth_allauth_login_ok", "at", Allowed::Number, NOW),
    exempt("auth_login_ok", "token", Allowed::Token, "random, and redacted in the recording"),
    exempt("auth_login_ok", "expiry", Allowed::Time, "an hour after the request"),
    exempt("incidents_create_minimal", "reported_at", Allowed::Time, NOW),
    exempt("incidents_create_case_dup", "reported_at", Allowed::Time, NOW),
    exempt("incidents_retrieve_minimal", "reported_at", Allowed::Time, NOW),
    exempt("incidents_retrieve_minimal", "created_at", Allowed::Time, NOW),
    exempt("incidents_retrieve_minimal", "updated_at", Allowed::Time, NOW),
    exempt("timeline_after_updates", "created_at", Allowed::Time, NOW),
    exempt("timeline_after_updates", "updated_at", Allowed::Time, NOW),
    exempt("timeline_after_updates", "timestamp", Allowed::Time, NOW),
    exempt("incidents_qualifications_breakdown", "results", Allowed::Ties, "the server orders equal counts by chance"),
];

/// Headers that are compared when they were recorded. The others are lengths and times of the moment.
const HEADERS: [&str; 5] = ["allow", "www-authenticate", "location", "content-disposition", "cache-control"];

/// Which id of the recording is which of the sandbox.
pub(crate) struct Ids {
    /// Ids of the mirrored objects, which are the same on both sides.
    shared: BTreeSet<String>,
    created: BTreeMap<String, String>,
}

impl Ids {
    pub(crate) fn of(world: &Value) -> Ids {
        let mut shared = BTreeSet::new();
        for value in world.as_object().unwrap().values().flat_map(|list| list.as_array().unwrap()) {
            shared.extend(value.get("id").and_then(Value::as_str).map(str::to_owned));
        }
        Ids { shared, created: BTreeMap::new() }
    }

    /// A recorded text with the sandbox's ids in place of the recorded ones.
    pub(crate) fn translate(&self, text: &str) -> String {
        self.created.iter().fold(text.to_owned(), |text, (recorded, own)| text.replace(recorded, own))
    }

    /// Whether two ids mean the same object; an id that was never seen is matched up with its counterpart.
    fn same(&mut self, recorded: &str, own: &str) -> bool {
        if recorded == own {
            return true;
        }
        if self.shared.contains(recorded) || self.shared.contains(own) {
            return false;
        }
        self.created.entry(recorded.to_owned()).or_insert_with(|| own.to_owned()) == own
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// One answer against one recording.
pub(crate) struct Comparison<'a> {
    case: &'a str,
    recording: &'a Recording,
    ids: &'a mut Ids,
    found: Vec<String>,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(case: &'a str, recording: &'a Recording, ids: &'a mut Ids) -> Comparison<'a> {
        Comparison { case, recording, ids, found: Vec::new() }
    }

    fn differ(&mut self, place: &str, recorded: impl std::fmt::Display, own: impl std::fmt::Display) {
        self.found.push(format!("{place}: recorded {recorded}, got {own}"));
    }

    /// All differences, in words.
    pub(crate) fn differences(mut self, answer: &Answer) -> Vec<String> {
        let recorded = &self.recording.response;
        if recorded.status != answer.status {
            self.differ("status", recorded.status, format!("{} {}", answer.status, answer.text()));
        }
        let content_type = answer.header("content-type").unwrap_or_default();
        if recorded.content_type != content_type {
            self.differ("content type", &recorded.content_type, content_type);
        }
        for name in HEADERS {
            let own = answer.header(name);
            if let Some(recorded) = recorded.headers.get(name).filter(|recorded| Some(recorded.as_str()) != own) {
                self.differ(name, recorded, own.unwrap_or("nothing"));
            }
        }
        match &recorded.body {
            Value::String(text) => self.text(text, &answer.text()),
            Value::Object(body) if body.contains_key("first_bytes_hex") => self.bytes(body, &answer.body),
            body => match serde_json::from_slice(&answer.body) {
                Ok(own) => self.value("", "", body, &own),
                Err(error) => self.differ("body", "JSON", format!("{error}: {}", answer.text())),
            },
        }
        self.found
    }

    /// Documents of which only the first bytes were recorded: what follows is another program's layout.
    fn bytes(&mut self, recorded: &Map<String, Value>, own: &[u8]) {
        let first: String = own.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let recorded = recorded["first_bytes_hex"].as_str().unwrap();
        // Of a zip archive, the bytes after its mark and version say how it was packed.
        let counted = if recorded.starts_with("504b") { 12 } else { 16 };
        if recorded[..counted] != first[..counted] {
            self.differ("first bytes", recorded, first);
        }
    }

    /// Text is equal; of a text that was cut, what there is.
    fn text(&mut self, recorded: &str, own: &str) {
        let recorded = self.ids.translate(recorded);
        let cut = self.recording.note.contains("text cut");
        let equal = if cut { own.starts_with(recorded.as_str()) } else { own == recorded };
        if equal {
            return;
        }
        // The order of names inside a table's cell is that of the objects' ids, of which not all were recorded.
        if cut && sorted_cells(own).starts_with(&sorted_cells(&recorded)) {
            return;
        }
        for (recorded, own) in recorded.lines().zip(own.lines()).filter(|(a, b)| a != b) {
            self.differ("text", recorded, own);
        }
        if recorded.lines().count() > own.lines().count() {
            self.differ("text", recorded.lines().count(), own.lines().count());
        }
    }

    fn value(&mut self, place: &str, member: &str, recorded: &Value, own: &Value) {
        let case = self.case;
        let exemption = EXEMPTIONS.iter().find(|exemption| exemption.case == case && exemption.member == member);
        if let Some(exemption) = exemption.filter(|_| recorded != own) {
            if !fits(exemption.allowed, recorded, own) {
                self.differ(
                    place,
                    recorded,
                    format!("{own}, allowed is {:?}: {}", exemption.allowed, exemption.reason),
                );
            }
            return;
        }
        match (recorded, own) {
            (Value::Object(recorded), Value::Object(own)) => self.object(place, recorded, own),
            (Value::Array(recorded), Value::Array(own)) => self.array(place, member, recorded, own),
            (Value::String(recorded), Value::String(own)) if is_id(recorded) && is_id(own) => {
                if !self.ids.same(recorded, own) {
                    self.differ(place, recorded, own);
                }
            }
            (Value::String(recorded), Value::String(own)) if self.ids.translate(recorded) == *own => {}
            (Value::Number(recorded), Value::Number(own)) if recorded.is_f64() == own.is_f64() && recorded == own => {}
            (recorded, own) if recorded == own && !recorded.is_number() => {}
            _ => self.differ(place, recorded, own),
        }
    }

    fn object(&mut self, place: &str, recorded: &Map<String, Value>, own: &Map<String, Value>) {
        let (recorded_keys, own_keys): (BTreeSet<&String>, BTreeSet<&String>) =
            (recorded.keys().collect(), own.keys().collect());
        if recorded_keys != own_keys {
            self.differ(place, format!("{recorded_keys:?}"), format!("{own_keys:?}"));
        }
        for (key, value) in recorded {
            if let Some(own) = own.get(key) {
                self.value(&format!("{place}/{key}"), key, value, own);
            }
        }
    }

    fn array(&mut self, place: &str, member: &str, recorded: &[Value], own: &[Value]) {
        if recorded.len() != own.len() && !self.was_cut(place, recorded.len(), own.len()) {
            return self.differ(place, format!("{} items", recorded.len()), format!("{} items", own.len()));
        }
        let bare = |values: &[Value]| values.iter().all(|value| value.as_str().is_some_and(is_id));
        if recorded.len() == own.len() && bare(recorded) && bare(own) {
            return self.set(place, recorded, own);
        }
        for (recorded, own) in recorded.iter().zip(own) {
            // Indices are left out of places, as in the notes.
            self.value(place, member, recorded, own);
        }
    }

    /// Bare ids come in their own order, so those of created objects may stand elsewhere.
    fn set(&mut self, place: &str, recorded: &[Value], own: &[Value]) {
        let known = |values: &[Value], ids: &Ids| -> Vec<String> {
            let texts = values.iter().filter_map(Value::as_str);
            texts.filter(|id| ids.shared.contains(*id)).map(str::to_owned).collect()
        };
        let (recorded_known, own_known) = (known(recorded, self.ids), known(own, self.ids));
        if recorded_known != own_known {
            self.differ(place, format!("{recorded_known:?}"), format!("{own_known:?}"));
        }
        let unknown = |values: &[Value], known: &[String]| -> Vec<String> {
            let texts = values.iter().filter_map(Value::as_str).map(str::to_owned);
            texts.filter(|id| !known.contains(id)).collect()
        };
        let pairs: Vec<_> = unknown(recorded, &recorded_known).into_iter().zip(unknown(own, &own_known)).collect();
        for (recorded, own) in pairs {
            if !self.ids.same(&recorded, &own) {
                self.differ(place, recorded, own);
            }
        }
    }

    /// Whether the note says that the list at a place had so many items before it was cut to what was recorded.
    fn was_cut(&self, place: &str, recorded: usize, own: usize) -> bool {
        let Some((cut, lengths)) = self.recording.note.split_once(" items; real lengths: ") else { return false };
        let cut = cut.rsplit(' ').next().and_then(|cut| cut.parse::<usize>().ok());
        cut == Some(recorded) && lengths.split(", ").any(|length| length == format!("{place}={own}"))
    }
}

fn fits(allowed: Allowed, recorded: &Value, own: &Value) -> bool {
    match allowed {
        Allowed::Time => {
            own.as_str().is_some_and(|time| time.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(time).is_ok())
        }
        Allowed::Number => own.is_number() && recorded.is_f64() == own.is_f64(),
        Allowed::Token => {
            own.as_str().is_some_and(|token| token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit()))
        }
        Allowed::Text => own.as_str().is_some_and(|text| !text.is_empty()),
        Allowed::Ties => paired(recorded) == paired(own),
    }
}

/// The values with the labels they belong to, in an order of their own, and the values in the given one.
fn paired(results: &Value) -> (Vec<(String, String)>, &Value) {
    let labels = results["labels"].as_array().unwrap().iter().map(ToString::to_string);
    let mut pairs: Vec<_> = labels.zip(results["values"].as_array().unwrap().iter().map(ToString::to_string)).collect();
    pairs.sort();
    (pairs, &results["values"])
}

/// The lines of a table with the names inside each cell sorted; the last line, which may be cut, is left out.
fn sorted_cells(table: &str) -> Vec<Vec<Vec<&str>>> {
    let cell = |cell| {
        let mut names: Vec<&str> = str::split(cell, ',').collect();
        names.sort_unstable();
        names
    };
    let mut lines: Vec<_> = table.lines().map(|line| line.split(';').map(cell).collect()).collect();
    lines.pop();
    lines
}
