//! Every line of the coverage list that reads CISO Assistant: the value in the answer is the value at the source.
//!
//! The incident itself is compared here; what hangs on it, and the catalogues, in the files below.

mod catalog;
mod details;
mod rest;

use super::{
    support::Gateway,
    truth::{self, by_id, filled, micros, native, rows, walk},
};
use incident_gateway::{
    domain::IdKind,
    sandbox::{Release, SandboxOptions},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) const RELEASES: [Release; 2] = [Release::V3_15_1, Release::V3_20_8];

pub(super) async fn gateway(release: Release, incidents: usize) -> Gateway {
    Gateway::over(SandboxOptions { release, incidents, ..SandboxOptions::default() }).await
}

/// A reference as `{id, name}` of ours; null for none and for a masked one.
pub(super) fn link(kind: IdKind, reference: &Value) -> Value {
    match reference["id"].as_str() {
        Some(id) => json!({ "id": truth::id(kind, id), "name": reference["str"] }),
        None => Value::Null,
    }
}

/// References as `{id, name}`, the masked ones left out.
pub(super) fn links(kind: IdKind, references: &Value) -> Value {
    let all = references.as_array().unwrap_or_else(|| panic!("{references} is no list"));
    all.iter().map(|reference| link(kind, reference)).filter(|link| !link.is_null()).collect()
}

/// How many references are masked.
fn hidden(references: &Value) -> u64 {
    references.as_array().map_or(0, |all| all.iter().filter(|one| **one == json!({})).count() as u64)
}

/// Null for an empty text, as for null.
pub(super) fn text(value: &Value) -> Value {
    filled(value).map_or(Value::Null, Value::from)
}

/// Compares times to the microsecond.
pub(super) fn assert_times(ours: &Value, theirs: &Value, pairs: &[(&str, &str)]) {
    for (our, their) in pairs {
        assert_eq!(micros(&ours[our]), micros(&theirs[their]), "{our} of {theirs}");
        assert!(ours[our].as_str().is_none_or(|text| text.ends_with('Z')), "{our} is in UTC: {ours}");
    }
}

/// Compares members that go through unchanged.
pub(super) fn assert_same(ours: &Value, theirs: &Value, pairs: &[(&str, &str)]) {
    for (our, their) in pairs {
        assert_eq!(ours[our], theirs[their], "{our} of {theirs}");
    }
}

const INCIDENT: &str = "id sourceId source { name kind } reference title description severity sourceSeverity status \
    sourceStatus phase detection sourceDetection published url link createdAt updatedAt occurredAt reportedAt \
    resolvedAt resolutionComment continuityPlanActivated detectedAt respondedAt containedAt dueAt statusChangedAt \
    externalReference notes owners { id name } \
    assets(first: 100) { totalCount edges { roles node { id name } } } \
    threats(first: 100) { totalCount edges { node { id name kind } } } \
    tags { id name } qualifications { id label } entities { id name kind } relatedRecords { id name kind reference } \
    controls: relatedRecords(kinds: [CONTROL]) { id name } tasks: relatedRecords(kinds: [TASK]) { id name } \
    risks: relatedRecords(kinds: [RISK]) { id name } none: relatedRecords(kinds: []) { id } \
    scope { id name } hiddenLinks { field count } raw";

#[tokio::test]
async fn every_field_of_every_incident_is_as_at_the_source() {
    for release in RELEASES {
        let gateway = gateway(release, 500).await;
        let incidents = walk(&gateway, "incidents", "", 100, INCIDENT).await;
        let mut truth = by_id(rows(&gateway, "/api/incidents/").await);
        assert_eq!((incidents.len(), truth.len() > 400), (truth.len(), true));
        let mut seen = BTreeMap::new();
        for incident in &incidents {
            let row = truth.remove(incident["sourceId"].as_str().unwrap()).expect("each once");
            assert_scalars(&gateway, incident, &row);
            assert_links(incident, &row, release);
            assert_eq!(incident["raw"], row, "as received");
            for (field, value) in incident.as_object().unwrap() {
                let empty = value.is_null() || *value == json!([]);
                *seen.entry(field.clone()).or_insert(0) += usize::from(!empty);
            }
        }
        // A field that never has a value would prove nothing.
        let later = [
            "occurredAt",
            "resolvedAt",
            "continuityPlanActivated",
            "relatedRecords",
            "resolutionComment",
            "controls",
            "tasks",
            "risks",
        ];
        let never = [
            "none",
            "detectedAt",
            "respondedAt",
            "containedAt",
            "dueAt",
            "statusChangedAt",
            "externalReference",
            "notes",
        ];
        for (field, times) in seen {
            if never.contains(&field.as_str()) || (release == Release::V3_15_1 && later.contains(&field.as_str())) {
                assert_eq!(times, 0, "{field} is not of this source");
            } else if field != "resolutionComment" {
                assert!(times > 0, "{field} of {release}");
            }
        }
    }
}

fn assert_scalars(gateway: &Gateway, ours: &Value, row: &Value) {
    assert_eq!(ours["id"], truth::id(IdKind::Incident, native(row)));
    assert_eq!(ours["source"], json!({ "name": "grc", "kind": "CISO_ASSISTANT" }));
    assert_eq!(ours["url"], format!("{}/incidents/{}", gateway.base, native(row)));
    assert_same(
        ours,
        row,
        &[
            ("title", "name"),
            ("description", "description"),
            ("sourceSeverity", "severity"),
            ("sourceStatus", "status"),
            ("published", "is_published"),
            ("link", "link"),
            ("resolutionComment", "resolution"),
            ("continuityPlanActivated", "is_bcp_activated"),
        ],
    );
    assert_eq!(ours["reference"], text(&row["ref_id"]));
    assert_eq!(ours["sourceDetection"], text(&row["detection"]));
    assert_times(
        ours,
        row,
        &[
            ("createdAt", "created_at"),
            ("updatedAt", "updated_at"),
            ("reportedAt", "reported_at"),
            ("occurredAt", "occurred_at"),
            ("resolvedAt", "resolved_at"),
        ],
    );
    assert_eq!(ours["severity"], severity(&row["severity"]));
    assert_eq!(ours["status"], status(&row["status"]));
    let done = ["Resolved", "Closed", "Dismissed"].map(Value::from).contains(&row["status"]);
    assert_eq!(ours["phase"], if done { "DONE" } else { "OPEN" });
    let detection = filled(&row["detection"]).map(|label| match label {
        "Internal" => "INTERNAL",
        "External" => "EXTERNAL",
        other => panic!("{other}"),
    });
    assert_eq!(ours["detection"], json!(detection));
}

/// Our word for a label; written down here once more, so that no table of the gateway checks itself.
pub(super) fn severity(label: &Value) -> &'static str {
    match label.as_str().unwrap() {
        "Critical" => "CRITICAL",
        "Major" => "HIGH",
        "Moderate" => "MEDIUM",
        "Minor" => "MINOR",
        "Low" => "LOW",
        "unknown" => "UNKNOWN",
        other => panic!("{other}"),
    }
}

pub(super) fn status(label: &Value) -> &'static str {
    match label.as_str().unwrap() {
        "New" => "NEW",
        "Ongoing" => "IN_PROGRESS",
        "Resolved" => "RESOLVED",
        "Closed" => "CLOSED",
        "Dismissed" => "DISMISSED",
        other => panic!("{other}"),
    }
}

fn assert_links(ours: &Value, row: &Value, release: Release) {
    assert_eq!(ours["owners"], links(IdKind::Owner, &row["owners"]));
    let edges = |connection: &Value| connection["edges"].as_array().unwrap().clone();
    let nodes = |connection: &Value| -> Value { edges(connection).iter().map(|edge| edge["node"].clone()).collect() };
    let assets = links(IdKind::Asset, &row["assets"]);
    assert_eq!(nodes(&ours["assets"]), assets);
    assert_eq!(ours["assets"]["totalCount"], assets.as_array().unwrap().len());
    assert!(edges(&ours["assets"]).iter().all(|edge| edge["roles"] == json!(["AFFECTED"])));
    assert_eq!(nodes(&ours["threats"]), with(links(IdKind::Threat, &row["threats"]), "kind", "CATALOGUED"));
    assert_eq!(ours["tags"], links(IdKind::Tag, &row["filtering_labels"]));
    let mut terms = links(IdKind::Term, &row["qualifications"]);
    for term in terms.as_array_mut().unwrap() {
        let label = term["name"].take();
        *term = json!({ "id": term["id"], "label": label });
    }
    assert_eq!(ours["qualifications"], terms, "the display text is the label");
    assert_eq!(ours["entities"], with(records("entities", &row["entities"]), "kind", "ENTITY"));
    let mut related = Vec::new();
    if release == Release::V3_20_8 {
        for (member, collection, chosen, kind) in [
            ("applied_controls", "applied-controls", "controls", "CONTROL"),
            ("task_templates", "task-templates", "tasks", "TASK"),
            ("risk_scenarios", "risk-scenarios", "risks", "RISK"),
        ] {
            let expected = records(collection, &row[member]);
            assert_eq!(ours[chosen], expected);
            // The link is all that the source gives of them, and that is enough for an answer.
            let whole = with(with(expected, "kind", kind), "reference", Value::Null);
            related.extend(whole.as_array().unwrap().clone());
        }
    }
    assert_eq!(ours["relatedRecords"], Value::Array(related));
    assert_eq!(ours["scope"], link(IdKind::Scope, &row["folder"]));
    assert_hidden(ours, row);
}

fn with(mut nodes: Value, field: &str, value: impl Into<Value> + Clone) -> Value {
    nodes.as_array_mut().unwrap().iter_mut().for_each(|node| node[field] = value.clone().into());
    nodes
}

fn records(collection: &str, references: &Value) -> Value {
    let mut all = references.as_array().unwrap().clone();
    all.retain(|one| *one != json!({}));
    let record = |one: Value| {
        let id = truth::id(IdKind::RelatedRecord, &format!("{collection}/{}", native(&one)));
        json!({ "id": id, "name": one["str"] })
    };
    all.into_iter().map(record).collect()
}

fn assert_hidden(ours: &Value, row: &Value) {
    let related = hidden(&row["applied_controls"]) + hidden(&row["task_templates"]) + hidden(&row["risk_scenarios"]);
    let mut expected = vec![
        ("ASSETS", hidden(&row["assets"])),
        ("ENTITIES", hidden(&row["entities"])),
        ("OWNERS", hidden(&row["owners"])),
        ("QUALIFICATIONS", hidden(&row["qualifications"])),
        ("RELATED_RECORDS", related),
        ("SCOPE", u64::from(row["folder"] == json!({}))),
        ("TAGS", hidden(&row["filtering_labels"])),
        ("THREATS", hidden(&row["threats"])),
    ];
    expected.retain(|(_, count)| *count > 0);
    let told = ours["hiddenLinks"].as_array().unwrap();
    let mut told: Vec<(&str, u64)> =
        told.iter().map(|links| (links["field"].as_str().unwrap(), links["count"].as_u64().unwrap())).collect();
    told.sort_unstable();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn one_incident_by_any_of_its_names_is_the_one_of_the_list() {
    for release in RELEASES {
        let gateway = gateway(release, 120).await;
        let truth = rows(&gateway, "/api/incidents/").await;
        let row = truth.iter().find(|row| filled(&row["ref_id"]).is_some()).unwrap();
        let same = |row: &Value| truth.iter().filter(|other| other["ref_id"] == row["ref_id"]).count();
        assert_eq!(same(row), 1, "one that has its reference alone");
        let id = truth::id(IdKind::Incident, native(row));
        let by = [
            format!("by: {{ id: {id:?} }}"),
            format!("by: {{ native: {{ source: \"grc\", id: {} }} }}", row["id"]),
            format!("by: {{ native: {{ source: \"grc\", id: {} }} }}", row["ref_id"]),
        ];
        for by in by {
            let data = gateway.data(&format!("{{ incident({by}) {{ {INCIDENT} }} }}")).await;
            assert_scalars(&gateway, &data["incident"], row);
            assert_links(&data["incident"], row, release);
        }
        let data =
            gateway.data(&format!("{{ node(id: {id:?}) {{ __typename id ... on Incident {{ {INCIDENT} }} }} }}")).await;
        assert_eq!(data["node"]["__typename"], "Incident");
        assert_scalars(&gateway, &data["node"], row);
        let codes = gateway.codes("{ incident(by: { native: { source: \"grc\", id: \"no such\" } }) { id } }").await;
        assert_eq!(codes, ["NOT_FOUND"]);
    }
}
