//! The tables of fields in `docs/VENDORS.md` are true: take a vendor's member away, and our field changes.
//!
//! A line of `tests/it/five/fields/<vendor>.tsv` is a call of the vendor, members of its answer that say the same, our fields,
//! a remark, and, where the sandbox has no telling value, one to put in instead of taking the member away.

use super::{bench::*, truth};
use futures_util::{TryStreamExt, future::BoxFuture};
use incident_gateway::{
    domain::{IncidentField, Vocabulary},
    graphql::{Api, Request, sdl},
    sandbox::Release,
    upstream::{HttpRequest, HttpResponse, Policy, Transport, TransportError},
    vendors,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// One line of a table.
pub(crate) struct Line {
    pub(crate) call: String,
    pub(crate) members: Vec<String>,
    /// `Type.field`
    pub(crate) ours: Vec<String>,
    pub(crate) remark: String,
    sample: Option<Value>,
}

/// The table of a vendor, by its word in the configuration.
pub(crate) fn table(vendor: &str) -> Vec<Line> {
    let path = format!("{}/tests/it/five/fields/{vendor}.tsv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let line = |line: &str| {
        let [call, members, ours, remark, sample] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let [members, ours] = [members, ours].map(|list| list.split(", ").map(str::to_owned).collect());
        let sample = (!sample.is_empty()).then(|| serde_json::from_str(sample).unwrap());
        Line { call: call.to_owned(), members, ours, remark: remark.to_owned(), sample }
    };
    text.lines().map(line).collect()
}

/// Types of the schema with their fields: whether it takes `first`, whether it needs an argument, and its type.
type Schema = BTreeMap<String, BTreeMap<String, (bool, bool, String)>>;

fn schema() -> Schema {
    let (mut all, mut current, mut field): (Schema, _, _) = (Schema::new(), None, None::<(String, bool, bool)>);
    for line in sdl().lines() {
        if let Some(head) = line.strip_prefix("type ") {
            current = head.split_whitespace().next().map(str::to_owned);
        } else if line == "}" {
            current = None;
        }
        let Some(name) = &current else { continue };
        let Some(text) = line.strip_prefix('\t').filter(|text| !text.starts_with('"')) else { continue };
        if let Some((open, first, needed)) = &mut field {
            if let Some(kind) = text.strip_prefix("): ") {
                let kind = kind.chars().filter(char::is_ascii_alphabetic).collect();
                all.entry(name.clone()).or_default().insert(open.clone(), (*first, *needed, kind));
                field = None;
            } else if let Some(argument) = text.strip_prefix('\t').filter(|text| !text.starts_with('"')) {
                *first |= argument.starts_with("first:");
                *needed |= argument.trim_end().trim_end_matches(',').ends_with('!');
            }
        } else if let Some(open) = text.strip_suffix('(') {
            field = Some((open.to_owned(), false, false));
        } else if let Some((name_of_field, kind)) = text.split_once(": ") {
            let kind = kind.chars().filter(char::is_ascii_alphabetic).collect();
            all.entry(name.clone()).or_default().insert(name_of_field.to_owned(), (false, false, kind));
        }
    }
    all
}

/// A selection that shows these fields (`Type.field`) wherever they can be met, each type once on the way down. Of their types
/// all plain fields are selected: a name alone may come from the link and not from the record.
fn selection(schema: &Schema, kind: &str, wanted: &[String], above: &mut Vec<String>) -> Option<String> {
    let is_wanted = |kind: &str, name: &str| wanted.iter().any(|path| *path == format!("{kind}.{name}"));
    let whole = wanted.iter().any(|path| path.split('.').next() == Some(kind));
    let mut all = String::new();
    for (name, (first, needed, of)) in &schema[kind] {
        // What leads back, away, or to files; `nodes` is short for what `edges` tell.
        let elsewhere = ["source", "raw", "cursor", "pageInfo", "nodes", "incidents", "deletePreview", "report"];
        if *needed || elsewhere.contains(&&**name) || (kind == "Scope" && name == "children") {
            continue;
        }
        let argument = if *first { "(first: 100)" } else { "" };
        let below = match schema.get(of) {
            None if whole => String::new(),
            None => continue,
            Some(fields) => {
                let plain = || match fields.contains_key("id") {
                    true => "id ".to_owned(),
                    false => fields
                        .iter()
                        .filter(|(_, of)| !schema.contains_key(&of.2))
                        .map(|of| of.0.clone() + " ")
                        .collect(),
                };
                above.push(of.clone());
                let again = above[..above.len() - 1].contains(of) || above.len() > 8;
                let below = if again { None } else { selection(schema, of, wanted, above) };
                above.pop();
                match below {
                    Some(below) => below,
                    None if is_wanted(kind, name) => format!("{{ __typename {} }}", plain()),
                    None => continue,
                }
            }
        };
        all.push_str(&format!("{name}{argument} {below} "));
    }
    (!all.is_empty()).then(|| format!("{{ __typename {all} }}"))
}

/// Members that answers to a call lose or get, and how often that was done.
struct Spoiled {
    call: String,
    members: Vec<String>,
    sample: Option<Value>,
    met: u32,
}

struct Spoiling {
    inner: Arc<dyn Transport>,
    what: Arc<Mutex<Spoiled>>,
}

impl Transport for Spoiling {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let path = request.url.path().to_owned();
        Box::pin(async move {
            let answer = self.inner.send(request).await?;
            if !is_call(&self.what.lock().unwrap().call, &path) {
                return Ok(answer);
            }
            let body: Vec<bytes::Bytes> = answer.body.try_collect().await?;
            let mut body: Value = serde_json::from_slice(&body.concat()).unwrap_or_default();
            let mut what = self.what.lock().unwrap();
            let met: u32 = what.members.iter().map(|member| spoil(&mut body, member, what.sample.as_ref())).sum();
            what.met += met;
            let mut spoiled = HttpResponse::new(answer.status, body.to_string());
            spoiled.headers = answer.headers;
            spoiled.headers.remove("content-length");
            Ok(spoiled)
        })
    }
}

/// Whether a path is that of a call, in which `{id}` is any one part.
fn is_call(call: &str, path: &str) -> bool {
    let (call, path): (Vec<&str>, Vec<&str>) = (call.split('/').collect(), path.split('/').collect());
    call.len() == path.len() && call.iter().zip(&path).all(|(one, other)| *one == "{id}" || one == other)
}

/// Takes a member away, or puts another in, wherever it is; how often there was one, and not null.
fn spoil(value: &mut Value, member: &str, sample: Option<&Value>) -> u32 {
    let (first, rest) = member.split_once('.').map_or((member, None), |(first, rest)| (first, Some(rest)));
    let name = first.trim_end_matches("[]");
    if let (Some(rest), true) = (rest, first.ends_with("[]")) {
        let list = if name.is_empty() { Some(value) } else { value.get_mut(name) };
        let list = list.and_then(Value::as_array_mut).into_iter().flatten();
        return list.map(|one| spoil(one, rest, sample)).sum();
    }
    match (rest, value.as_object_mut(), sample) {
        (None, Some(object), None) => object.remove(name).map_or(0, |taken| u32::from(!taken.is_null())),
        (None, Some(object), Some(sample)) => {
            object.insert(name.to_owned(), sample.clone());
            1
        }
        (Some(rest), Some(object), _) => object.get_mut(name).map_or(0, |below| spoil(below, rest, sample)),
        (_, None, _) => 0,
    }
}

/// All values of each `Type.field` in an answer.
fn values(answer: &Value, all: &mut BTreeMap<String, Vec<String>>) {
    match answer {
        Value::Array(list) => list.iter().for_each(|one| values(one, all)),
        Value::Object(members) => {
            if let Some(kind) = members.get("__typename").and_then(Value::as_str) {
                for (name, value) in members {
                    all.entry(format!("{kind}.{name}")).or_default().push(value.to_string());
                }
            }
            members.values().for_each(|one| values(one, all));
        }
        _ => {}
    }
}

async fn read(api: &Api, query: &str) -> BTreeMap<String, Vec<String>> {
    let request = Request { query: query.to_owned(), ..Request::default() };
    let answer: Value = serde_json::from_str(&api.execute(request, &call()).await.body).unwrap();
    let mut all = BTreeMap::new();
    values(&answer["data"], &mut all);
    all
}

/// A remark that begins so is about a release that the older one of the sandboxes is not.
pub(crate) const LATER: &str = "later releases";

pub(super) async fn fields_are_where_the_table_says(subject: &Subject) {
    let bench = Bench::start(subject, 12).await;
    let schema = schema();
    let nothing = || Spoiled { call: String::new(), members: vec![], sample: None, met: 0 };
    let what = Arc::new(Mutex::new(nothing()));
    let spoiling = Arc::new(Spoiling { inner: bench.transport.clone(), what: what.clone() });
    let config = subject.config(&name(), &bench.base, &bench.sandbox.secrets(), Policy::default());
    let api = || {
        let source = vendors::build(&name(), &config, spoiling.clone());
        crate::support::api_within(vec![source], crate::support::wide())
    };
    let (mut whole, mut wrong) = (BTreeMap::new(), Vec::new());
    for line in table(subject.vendor.word()) {
        // The older release says what is not marked, the later one the rest.
        if line.remark.starts_with(LATER) != (subject.release != Release::V3_15_1) {
            continue;
        }
        let below = selection(&schema, "Incident", &line.ours, &mut vec!["Incident".to_owned()]).unwrap_or_default();
        let query = format!("{{ incidents(first: 100) {{ __typename totalCount edges {{ node {below} }} }} }}");
        if !whole.contains_key(&query) {
            *what.lock().unwrap() = nothing();
            whole.insert(query.clone(), read(&api(), &query).await);
        }
        *what.lock().unwrap() =
            Spoiled { call: line.call.clone(), members: line.members.clone(), sample: line.sample, met: 0 };
        let without = read(&api(), &query).await;
        let met = what.lock().unwrap().met;
        for ours in &line.ours {
            let (before, after) = (whole[&query].get(ours), without.get(ours));
            if met == 0 || before.is_none() || before == after {
                wrong.push(format!("{} {:?} ({met}) → {ours}", line.call, line.members));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of the table:\n{}", wrong.len(), wrong.join("\n"));
}

/// Our field of an incident, as the vocabulary and as the schema call it.
fn names(field: IncidentField) -> Vec<String> {
    use IncidentField as F;
    let camel = |text: &str| {
        let mut words = text.split('_').map(str::to_lowercase);
        let first = words.next().unwrap_or_default();
        words.fold(first, |all, word| format!("{all}{}{}", word[..1].to_uppercase(), &word[1..]))
    };
    let of = match field {
        F::Id => "sourceId".to_owned(),
        F::AlertGrouping => "alertGroupingEnabled".to_owned(),
        F::ContinuityPlan => "continuityPlanActivated".to_owned(),
        // What is searched, and what follows from the status.
        F::Text => "title".to_owned(),
        F::Phase => "status".to_owned(),
        other => camel(other.name()),
    };
    let below = match field {
        F::Owners => &["Owner."][..],
        F::Assets => &["Asset.", "IncidentAssetEdge."],
        F::Threats => &["Threat.", "IncidentThreatEdge."],
        F::Evidence => &["Evidence.", "IncidentEvidenceEdge."],
        F::Comments => &["Comment."],
        F::Activity => &["Activity."],
        F::Tags => &["Tag."],
        F::Scores => &["Score."],
        F::AlertCounts => &["AlertCounts."],
        F::Exposure | F::CloudManagement | F::CloudIntegration => &["Exposure."],
        _ => &[],
    };
    let below = below.iter().map(|name| (*name).to_owned());
    std::iter::once(format!("Incident.{of}")).chain(below).collect()
}

pub(super) async fn the_table_has_every_field_that_is_declared(subject: &Subject) {
    let bench = Bench::start(subject, 3).await;
    let schema = schema();
    let declared: BTreeSet<IncidentField> = bench.capabilities().await.read.iter().copied().collect();
    let is_older = subject.release == Release::V3_15_1;
    let lines = table(subject.vendor.word()).into_iter();
    let lines: Vec<Line> = lines.filter(|line| !(is_older && line.remark.starts_with(LATER))).collect();
    let ours: BTreeSet<&String> = lines.iter().flat_map(|line| &line.ours).collect();
    for path in &ours {
        let (kind, field) = path.split_once('.').unwrap();
        assert!(schema.get(kind).is_some_and(|fields| fields.contains_key(field)), "{path} is not in the schema");
        let of = IncidentField::WORDS.iter().find(|word| names(word.value)[0] == **path);
        assert!(of.is_none_or(|word| declared.contains(&word.value)), "{path} is not declared");
    }
    for field in truth::told_by_rows(&declared) {
        let names = names(field);
        let has = |path: &&&String| names.iter().any(|name| path.starts_with(&**name));
        assert!(ours.iter().any(|path| has(&path)), "{field:?} has no line");
    }
}
