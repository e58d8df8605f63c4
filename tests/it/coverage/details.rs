//! What hangs on an incident's timeline, and what deleting it would take along.

use super::{super::truth, *};
use std::collections::BTreeSet;

const ENTRY_MEMBERS: [(&str, &str); 2] = [("title", "entry"), ("sourceType", "entry_type")];

fn comments() -> &'static str {
    "sourceId comments(first: 100) { totalCount nodes { id kind sourceType title body at createdAt updatedAt \
     author { id name } evidence { id title } raw } } \
     activity(first: 100) { totalCount nodes { id kind sourceType title description at actor { id name } \
     changes { field sourceField before after added removed } evidence { id title } raw } } \
     evidence(first: 100) { totalCount edges { addedAt addedBy { id name } obtainedFrom node { id title kind } } }"
}

#[tokio::test]
async fn comments_activity_and_evidence_are_the_timeline_of_the_source() {
    for release in RELEASES {
        let gateway = gateway(release, 300).await;
        let incidents = walk(&gateway, "incidents", "", 100, comments()).await;
        let mut entries: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for entry in rows(&gateway, "/api/timeline-entries/").await {
            let incident = native(&entry["incident"]).to_owned();
            entries.entry(incident).or_default().push(entry);
        }
        let mut kinds = BTreeSet::new();
        let (mut longest, mut with_evidence) = (0, 0);
        for incident in &incidents {
            let own = entries.remove(incident["sourceId"].as_str().unwrap()).unwrap_or_default();
            longest = longest.max(own.len());
            kinds.extend(assert_timeline(incident, &own));
            with_evidence += incident["evidence"]["edges"].as_array().unwrap().len();
        }
        assert_eq!(kinds.len(), 5, "every kind of entry occurs: {kinds:?}");
        assert!(longest >= 60 && with_evidence > 20, "{longest} {with_evidence}");
        assert!(incidents.iter().any(|incident| incident["activity"]["totalCount"] == 0), "one without a timeline");
        assert!(entries.is_empty(), "each entry belongs to an incident that is listed");
    }
}

/// Compares one incident's timeline; tells the kinds of its entries.
fn assert_timeline(incident: &Value, entries: &[Value]) -> Vec<String> {
    let by_id: BTreeMap<&str, &Value> = entries.iter().map(|entry| (native(entry), entry)).collect();
    let by_people: Vec<&Value> = entries.iter().filter(|entry| comment_kind(entry).is_some()).collect();
    assert_eq!(incident["activity"]["totalCount"], entries.len());
    assert_eq!(incident["comments"]["totalCount"], by_people.len());
    let mut order: Vec<(i64, String)> = Vec::new();
    for (part, kind, id) in [("comments", IdKind::Comment, "author"), ("activity", IdKind::Activity, "actor")] {
        let mut last = i64::MAX;
        for node in incident[part]["nodes"].as_array().unwrap() {
            let (_, entry) = by_id.iter().find(|(native, _)| truth::id(kind, native) == node["id"]).expect("an entry");
            assert_same(node, entry, &ENTRY_MEMBERS);
            assert_times(node, entry, &[("at", "timestamp")]);
            assert_eq!(node[id], link(IdKind::Owner, &entry["author"]));
            assert_eq!(node["raw"], **entry);
            assert_eq!(renamed(&node["evidence"]), links(IdKind::Evidence, &entry["evidences"]));
            let at = micros(&node["at"]).unwrap();
            assert!(at <= last, "newest first");
            last = at;
            order.push((at, native(entry).to_owned()));
            if part == "comments" {
                assert_eq!(node["kind"], comment_kind(entry).unwrap());
                assert_eq!(node["body"], entry["observation"]);
                assert_times(node, entry, &[("createdAt", "created_at"), ("updatedAt", "updated_at")]);
            } else {
                assert_eq!(node["description"], entry["observation"]);
                assert_change(node, entry);
            }
        }
    }
    assert_evidence(incident, entries);
    entries.iter().map(|entry| entry["entry_type"].as_str().unwrap().to_owned()).collect()
}

/// `{id, title}` as `{id, name}`.
fn renamed(nodes: &Value) -> Value {
    nodes.as_array().unwrap().iter().map(|node| json!({ "id": node["id"], "name": node["title"] })).collect()
}

/// Those that people write; the two others are written by the server.
fn comment_kind(entry: &Value) -> Option<&'static str> {
    match entry["entry_type"].as_str().unwrap() {
        "observation" => Some("OBSERVATION"),
        "detection" => Some("DETECTION"),
        "mitigation" => Some("MITIGATION"),
        "status_changed" | "severity_changed" => None,
        other => panic!("{other}"),
    }
}

fn assert_change(node: &Value, entry: &Value) {
    let (kind, word): (&str, fn(&Value) -> &'static str) = match entry["entry_type"].as_str().unwrap() {
        "status_changed" => ("STATUS_CHANGED", status),
        "severity_changed" => ("SEVERITY_CHANGED", severity),
        _ => {
            assert_eq!((&node["kind"], &node["changes"]), (&json!("COMMENTED"), &json!([])));
            return;
        }
    };
    let (before, after) = entry["entry"].as_str().unwrap().split_once("->").unwrap();
    let field = kind.trim_end_matches("_CHANGED");
    let change = json!({
        "field": field, "sourceField": field.to_lowercase(), "before": word(&json!(before)), "after": word(&json!(after)),
        "added": null, "removed": null,
    });
    assert_eq!((&node["kind"], &node["changes"]), (&json!(kind), &json!([change])));
}

/// Each piece once, with moment and author of the oldest entry that carries it.
fn assert_evidence(incident: &Value, entries: &[Value]) {
    let mut oldest_first: Vec<&Value> = entries.iter().collect();
    oldest_first.sort_by_key(|entry| (micros(&entry["timestamp"]), micros(&entry["created_at"])));
    let mut expected = BTreeMap::new();
    for entry in oldest_first {
        for evidence in entry["evidences"].as_array().unwrap().iter().filter(|one| **one != json!({})) {
            expected.entry(truth::id(IdKind::Evidence, native(evidence))).or_insert((entry, evidence));
        }
    }
    let edges = incident["evidence"]["edges"].as_array().unwrap();
    assert_eq!((edges.len(), &incident["evidence"]["totalCount"]), (expected.len(), &json!(expected.len())));
    for edge in edges {
        let (entry, evidence) = expected.remove(edge["node"]["id"].as_str().unwrap()).expect("each once");
        assert_times(edge, entry, &[("addedAt", "timestamp")]);
        assert_eq!(edge["addedBy"], link(IdKind::Owner, &entry["author"]));
        assert_eq!((&edge["node"]["title"], &edge["node"]["kind"]), (&evidence["str"], &json!("DOCUMENT")));
        assert_eq!(edge["obtainedFrom"], Value::Null);
    }
}

const EVIDENCE: &str = "id sourceId kind title description sourceStatus link createdAt updatedAt expiresOn raw \
    attachment { fileName size url } owners { id name } scope { id name } tags { id name }";

#[tokio::test]
async fn every_field_of_evidence_is_as_at_the_source() {
    for release in RELEASES {
        let gateway = gateway(release, 300).await;
        let nodes = format!("evidence(first: 100) {{ nodes {{ {EVIDENCE} }} }}");
        let truth = by_id(rows(&gateway, "/api/evidences/").await);
        let (mut seen, mut attached) = (BTreeSet::new(), 0);
        for incident in walk(&gateway, "incidents", "", 100, &nodes).await {
            for ours in incident["evidence"]["nodes"].as_array().unwrap() {
                let row = &truth[ours["sourceId"].as_str().unwrap()];
                seen.insert(native(row).to_owned());
                attached += usize::from(!ours["attachment"].is_null());
                assert_evidence_record(ours, row);
            }
        }
        assert!(seen.len() > 10 && attached > 0, "{} {attached}", seen.len());
    }
}

fn assert_evidence_record(ours: &Value, row: &Value) {
    assert_eq!((&ours["kind"], &ours["raw"]), (&json!("DOCUMENT"), row));
    assert_same(
        ours,
        row,
        &[
            ("title", "name"),
            ("description", "description"),
            ("sourceStatus", "status"),
            ("link", "link"),
            ("expiresOn", "expiry_date"),
        ],
    );
    assert_times(ours, row, &[("createdAt", "created_at"), ("updatedAt", "updated_at")]);
    assert_eq!(ours["owners"], links(IdKind::Owner, &row["owner"]));
    assert_eq!(ours["scope"], link(IdKind::Scope, &row["folder"]));
    assert_eq!(ours["tags"], links(IdKind::Tag, &row["filtering_labels"]));
    match filled(&row["attachment"]) {
        None => assert_eq!(ours["attachment"], Value::Null),
        Some(file) => {
            assert_eq!((&ours["attachment"]["fileName"], &ours["attachment"]["size"]), (&json!(file), &row["size"]));
            // Where the server keeps the file is in none of its documents, so there is nothing to serve.
            assert_eq!(ours["attachment"]["url"], Value::Null);
        }
    }
}

#[tokio::test]
async fn the_deletion_preview_is_what_the_source_tells() {
    for release in RELEASES {
        let gateway = gateway(release, 60).await;
        let group = "{ count message level records { sourceId recordType typeLabel name } }";
        let nodes = format!("sourceId deletePreview {{ deleted {group} affected {group} }}");
        let mut records = 0;
        for incident in walk(&gateway, "incidents", "", 30, &nodes).await {
            let path = format!("/api/incidents/{}/cascade-info/", incident["sourceId"].as_str().unwrap());
            let truth = gateway.rest(&path).await;
            for part in ["deleted", "affected"] {
                let (ours, theirs) = (&incident["deletePreview"][part], &truth[part]);
                assert_same(ours, theirs, &[("count", "count"), ("message", "message"), ("level", "level")]);
                let mut expected = Vec::new();
                for group in theirs["grouped_objects"].as_array().unwrap() {
                    expected.extend(group["objects"].as_array().unwrap().iter().map(|object| {
                        json!({
                            "sourceId": object["id"], "recordType": group["model"], "typeLabel": group["verbose_name"],
                            "name": object["name"],
                        })
                    }));
                }
                records += expected.len();
                let key = |record: &Value| ["recordType", "name", "sourceId"].map(|name| record[name].to_string());
                let sorted = |mut all: Vec<Value>| {
                    all.sort_by_key(key);
                    all
                };
                let ours = ours["records"].as_array().unwrap();
                assert!(ours.windows(2).all(|two| two[0]["recordType"].as_str() <= two[1]["recordType"].as_str()));
                assert_eq!(sorted(ours.clone()), sorted(expected));
            }
        }
        assert!(records > 50, "{records}");
    }
}
