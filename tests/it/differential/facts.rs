//! A world as JSON facts: what the reference evaluates, written without the gateway's own way of showing records.
//!
//! `$link` is a link (kind, source, native id, the name beside it), `$source` the name of a source. All else is what
//! the schema shows.

use super::memory::{Memory, told};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use incident_gateway::{
    domain::*,
    source::{Source, SourceErrorKind},
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Why a record or a list is not there: code and message.
pub(super) type Failure = (&'static str, String);

/// All that there is, by name: `Asset/soc/3`, `comments/soc/3`.
pub(super) struct Facts {
    pub(super) records: Map<String, Value>,
    pub(super) failing: HashMap<String, Failure>,
    /// Where a failing kind of record makes every record of it fail: `Asset/soc`.
    pub(super) failing_kinds: HashMap<String, Failure>,
    /// `list/soc`, `list Asset/soc`.
    pub(super) failing_lists: HashMap<String, Failure>,
    /// In the order of the configuration.
    pub(super) sources: Vec<String>,
}

/// The global id as its documentation says: letter, length of the source's name, name, native id.
pub(super) fn global_id(kind: &str, source: &str, native: &str) -> String {
    let letter = LETTERS.iter().find(|(name, _)| *name == kind).unwrap().1;
    let mut bytes = vec![letter, u8::try_from(source.len()).unwrap()];
    bytes.extend(source.bytes().chain(native.bytes()));
    URL_SAFE_NO_PAD.encode(bytes)
}

const LETTERS: [(&str, u8); 12] = [
    ("Source", b'S'),
    ("Incident", b'I'),
    ("Asset", b'A'),
    ("Threat", b'T'),
    ("Owner", b'O'),
    ("Evidence", b'E'),
    ("Scope", b'F'),
    ("Tag", b'L'),
    ("Term", b'Q'),
    ("RelatedRecord", b'R'),
    ("Comment", b'C'),
    ("Activity", b'H'),
];

/// Kind, source and native id of a global id.
pub(super) fn names(id: &str) -> Option<(&'static str, String, String)> {
    let bytes = URL_SAFE_NO_PAD.decode(id).ok()?;
    let kind = LETTERS.iter().find(|(_, letter)| Some(letter) == bytes.first())?.0;
    let length = usize::from(*bytes.get(1)?);
    let name = String::from_utf8(bytes.get(2..2 + length)?.to_vec()).ok()?;
    Some((kind, name, String::from_utf8(bytes[2 + length..].to_vec()).ok()?))
}

pub(super) fn facts(world: &[Memory]) -> Facts {
    let mut facts = Facts {
        records: Map::new(),
        failing: HashMap::new(),
        failing_kinds: HashMap::new(),
        failing_lists: HashMap::new(),
        sources: vec![],
    };
    for memory in world {
        let name = memory.info().name.to_string();
        for record in &memory.records {
            facts.records.insert(format!("{:?}/{name}/{}", record.kind(), record.key().native), fact(record));
        }
        for (id, details) in &memory.details {
            details_of(&mut facts, &name, &id.to_string(), details);
        }
        facts.records.insert(format!("Source/{name}/"), source(memory));
        failures(&mut facts, &name, memory);
        facts.sources.push(name);
    }
    facts
}

fn failures(facts: &mut Facts, name: &str, memory: &Memory) {
    let how = |kind: SourceErrorKind| {
        let code = match kind {
            SourceErrorKind::Timeout => "SOURCE_TIMEOUT",
            SourceErrorKind::Malformed => "SOURCE_MALFORMED",
            other => panic!("no world fails so: {other:?}"),
        };
        (code, told(name, kind))
    };
    let failing = &memory.failing;
    for ((kind, id), error) in &failing.records {
        facts.failing.insert(format!("{kind:?}/{name}/{id}"), how(*error));
    }
    for part in ["comments", "activity", "evidence"] {
        for (id, error) in &failing.details {
            facts.failing.insert(format!("{part}/{name}/{id}"), how(*error));
        }
        facts.failing_kinds.extend(failing.all_details.map(|error| (format!("{part}/{name}"), how(error))));
    }
    for (kind, error) in &failing.batches {
        facts.failing_kinds.insert(format!("{kind:?}/{name}"), how(*error));
    }
    for (kind, error) in &failing.catalogs {
        facts.failing_lists.insert(format!("list {kind:?}/{name}"), how(*error));
    }
    facts.failing_lists.extend(failing.list.map(|error| (format!("list Incident/{name}"), how(error))));
}

fn source(memory: &Memory) -> Value {
    let info = memory.info();
    let name = info.name.as_str();
    json!({
        "$type": "Source", "id": global_id("Source", name, ""), "name": name, "kind": "CISO_ASSISTANT",
        "url": info.url,
        "health": {"$type": "SourceHealth", "status": "OK", "latencyMs": 2.5, "version": "1.0", "message": null},
        "capabilities": {"$type": "SourceCapabilities", "readComments": true, "detections": [], "maxPageSize": 100},
    })
}

fn link(kind: &str, link: &Link) -> Value {
    json!({
        "$link": kind, "source": link.key.source.as_str(), "native": link.key.native.to_string(), "name": link.name,
    })
}

fn links(kind: &str, all: &[Link]) -> Value {
    all.iter().map(|one| link(kind, one)).collect()
}

fn maybe(kind: &str, one: Option<&Link>) -> Value {
    one.map_or(Value::Null, |one| link(kind, one))
}

fn maybe_all(kind: &str, all: Option<&Vec<Link>>) -> Value {
    all.map_or(Value::Null, |all| links(kind, all))
}

fn raw(json: Option<&RawJson>) -> Value {
    json.map_or(Value::Null, |json| serde_json::from_str(json.as_str()).unwrap())
}

fn time(time: Option<Time>) -> Value {
    json!(time.map(|time| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()))
}

/// Type, id, source and the source's own id.
pub(super) fn identity(kind: &str, source: &str, native: &str) -> Value {
    let own = if kind == "RelatedRecord" { native.split_once('/').unwrap().1 } else { native };
    json!({
        "$type": kind, "id": global_id(kind, source, native), "source": {"$source": source}, "sourceId": own,
        "$native": native, "$source_name": source,
    })
}

fn fact(record: &Record) -> Value {
    let key = record.key();
    let kind = format!("{:?}", record.kind());
    let mut fact = identity(&kind, key.source.as_str(), &key.native.to_string());
    let more = match record {
        Record::Incident(i) => incident(i),
        Record::Asset(a) => json!({
            "name": a.name, "description": a.description, "kind": a.kind.name(), "raw": raw(a.raw.as_ref()),
            "owners": maybe_all("Owner", a.owners.as_ref()), "parents": maybe_all("Asset", a.parents.as_ref()),
            "children": maybe_all("Asset", a.children.as_ref()), "scope": maybe("Scope", a.scope.as_ref()),
            "tags": links("Tag", &a.tags),
        }),
        Record::Threat(t) => json!({
            "name": t.name, "kind": t.kind.name(), "cvss": t.cvss, "raw": raw(t.raw.as_ref()),
            "lastExploitedOn": t.last_exploited_on.map(|day| day.format("%Y-%m-%d").to_string()),
            "scope": maybe("Scope", t.scope.as_ref()), "tags": links("Tag", &t.tags),
        }),
        Record::Owner(o) => json!({
            "name": o.name, "kind": o.kind.name(), "email": o.profile.email, "active": o.profile.active,
            "leader": maybe("Owner", o.profile.leader.as_ref()), "raw": raw(o.profile.raw.as_ref()),
            "deputies": maybe_all("Owner", o.profile.deputies.as_ref()),
            "members": maybe_all("Owner", o.profile.members.as_ref()),
            "scope": maybe("Scope", o.profile.scope.as_ref()),
        }),
        Record::Evidence(e) => json!({
            "title": e.title, "kind": e.kind.name(), "description": e.description, "raw": raw(e.raw.as_ref()),
            "observable": e.observable.as_ref().map(|o| {
                json!({"$type": "Observable", "type": o.observable_type, "value": o.value})
            }),
            "owners": maybe_all("Owner", e.owners.as_ref()), "scope": maybe("Scope", e.scope.as_ref()),
            "tags": links("Tag", &e.tags),
        }),
        Record::Scope(s) => json!({
            "name": s.name, "kind": s.kind.name(), "description": s.description, "root": s.root,
            "parent": maybe("Scope", s.parent.as_ref()), "path": links("Scope", &s.path), "raw": raw(s.raw.as_ref()),
        }),
        Record::Tag(t) => json!({
            "name": t.name, "createdBy": maybe("Owner", t.created_by.as_ref()),
            "scope": maybe("Scope", t.scope.as_ref()),
        }),
        Record::Term(t) => json!({
            "name": t.name, "kind": t.kind.name(), "label": t.label, "description": t.description,
            "selectable": t.selectable,
        }),
        Record::RelatedRecord(r) => json!({
            "name": r.name, "kind": r.kind.name(), "reference": r.reference, "raw": raw(r.raw.as_ref()),
        }),
    };
    extend(&mut fact, more);
    fact
}

fn extend(fact: &mut Value, more: Value) {
    let Value::Object(more) = more else { panic!("facts are objects") };
    fact.as_object_mut().unwrap().extend(more);
}

fn incident(i: &Incident) -> Value {
    let done = matches!(i.status, IncidentStatus::Resolved | IncidentStatus::Closed | IncidentStatus::Dismissed);
    let edge = |ty: &str, kind: &str, to: &Link, told: Option<&str>| {
        let node = link(kind, to);
        json!({"$type": ty, "node": node, "$kind": told})
    };
    let assets = i.assets.iter().map(|tie| {
        let mut fact = edge("IncidentAssetEdge", "Asset", &tie.asset, tie.kind.map(Vocabulary::name));
        let roles: Vec<&str> = tie.roles.iter().map(|role| role.name()).collect();
        extend(&mut fact, json!({"roles": roles, "sourceRoles": tie.source_roles}));
        fact
    });
    let threats = i.threats.iter().map(|tie| {
        let mut fact = edge("IncidentThreatEdge", "Threat", &tie.threat, tie.kind.map(Vocabulary::name));
        extend(&mut fact, json!({"relevance": tie.relevance, "issueTypes": links("Term", &tie.issue_types)}));
        fact
    });
    let scores = i.scores.iter().map(|s| {
        let kind = s.kind.name();
        json!({"$type": "Score", "kind": kind, "name": s.name, "value": s.value, "versionMatched": s.version_matched})
    });
    let mut related = Vec::new();
    for tie in &i.related_records {
        let mut fact = link("RelatedRecord", &tie.record);
        extend(&mut fact, json!({"$kind": tie.kind.name()}));
        related.push(fact);
    }
    json!({
        "title": i.title, "reference": i.reference, "severity": i.severity.name(), "status": i.status.name(),
        "phase": if done { "DONE" } else { "OPEN" }, "published": i.published, "hostCount": i.host_count,
        "origins": i.origins, "createdAt": time(i.created_at), "scores": scores.collect::<Value>(),
        "alertCounts": i.alert_counts.as_ref().map(|c| {
            json!({"$type": "AlertCounts", "total": c.total, "high": c.high})
        }),
        "exposure": i.exposure.as_ref().map(|e| {
            json!({"$type": "Exposure", "port": e.port, "countryCodes": e.country_codes})
        }),
        "owners": links("Owner", &i.owners), "createdBy": maybe("Owner", i.created_by.as_ref()),
        "assets": assets.collect::<Value>(), "threats": threats.collect::<Value>(), "tags": links("Tag", &i.tags),
        "qualifications": links("Term", &i.qualifications), "entities": links("RelatedRecord", &i.entities),
        "relatedRecords": related, "scope": maybe("Scope", i.scope.as_ref()), "raw": raw(i.raw.as_ref()),
    })
}

fn details_of(facts: &mut Facts, source: &str, incident: &str, details: &Details) {
    let entry = |ty: &str, key: &Key, kind: &str, evidence: &[Link], received: Option<&RawJson>| {
        let native = key.native.to_string();
        json!({
            "$type": ty, "id": global_id(ty, source, &native), "$native": native, "kind": kind,
            "evidence": links("Evidence", evidence), "raw": raw(received),
        })
    };
    let comments = details.comments.iter().flat_map(|all| all.iter()).map(|c| {
        let mut fact = entry("Comment", &c.key, c.kind.name(), &c.evidence, c.raw.as_ref());
        let author = maybe("Owner", c.author.as_ref());
        extend(&mut fact, json!({"body": c.body, "author": author, "createdAt": time(c.created_at)}));
        fact
    });
    let activity = details.activity.iter().flat_map(|all| all.iter()).map(|a| {
        let mut fact = entry("Activity", &a.key, a.kind.name(), &a.evidence, a.raw.as_ref());
        extend(&mut fact, json!({"title": a.title, "actor": maybe("Owner", a.actor.as_ref()), "at": time(a.at)}));
        fact
    });
    let evidence = details.evidence.iter().flat_map(|all| all.iter()).map(|e| {
        json!({
            "$type": "IncidentEvidenceEdge", "node": link("Evidence", &e.evidence),
            "$kind": e.kind.map(Vocabulary::name), "addedAt": time(e.added_at),
            "addedBy": maybe("Owner", e.added_by.as_ref()), "obtainedFrom": e.obtained_from.map(Vocabulary::name),
        })
    });
    let lists: [(&str, Value); 3] =
        [("comments", comments.collect()), ("activity", activity.collect()), ("evidence", evidence.collect())];
    for (part, list) in lists {
        facts.records.insert(format!("{part}/{source}/{incident}"), list);
    }
}
