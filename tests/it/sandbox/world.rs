//! The made-up world: the same for the same arguments, and every oddity among its first 200 incidents.

use super::{Bench, ids};
use incident_gateway::sandbox::{Release, SandboxOptions};
use serde_json::Value;
use std::collections::BTreeSet;

const RESOURCES: [&str; 12] = [
    "incidents",
    "timeline-entries",
    "assets",
    "threats",
    "evidences",
    "users",
    "actors",
    "teams",
    "entities",
    "folders",
    "filtering-labels",
    "terminologies",
];

async fn everything(options: SandboxOptions) -> Vec<Vec<u8>> {
    let bench = Bench::new(options).await;
    let mut bodies = Vec::new();
    for resource in RESOURCES {
        bodies.push(bench.get(&format!("/api/{resource}/")).await.body);
    }
    bodies.push(bench.get("/api/incidents/export_xlsx/").await.body);
    bodies.push(bench.token.into_bytes());
    bodies
}

#[tokio::test]
async fn equal_arguments_give_equal_bytes_and_other_arguments_other_ones() {
    let options = || SandboxOptions { seed: 7, incidents: 120, ..SandboxOptions::default() };
    let first = everything(options()).await;
    assert!(first == everything(options()).await);
    let later = options().now + chrono::Duration::days(1);
    for other in [
        SandboxOptions { seed: 8, ..options() },
        SandboxOptions { incidents: 121, ..options() },
        SandboxOptions { now: later, ..options() },
        SandboxOptions { release: Release::V3_20_8, ..options() },
    ] {
        assert!(first[0] != everything(other).await[0]);
    }
}

#[tokio::test]
async fn the_asked_number_of_incidents_is_visible_to_the_gateway() {
    for incidents in [0, 1, 3, 500] {
        let bench = Bench::new(SandboxOptions { incidents, ..SandboxOptions::default() }).await;
        assert_eq!(bench.json("/api/incidents/?limit=1").await["count"], incidents);
    }
}

fn masked(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

#[tokio::test]
async fn every_field_is_present_in_some_incidents_and_absent_in_others() {
    let bench = Bench::new(SandboxOptions { release: Release::V3_20_8, ..SandboxOptions::default() }).await;
    let rows = bench.rows("/api/incidents/?limit=200").await;
    let some = |key: &str, is: &dyn Fn(&Value) -> bool| {
        assert!(rows.iter().any(|row| is(&row[key])), "no incident has such a {key}");
    };
    for key in [
        "description",
        "detection",
        "link",
        "reported_at",
        "occurred_at",
        "resolved_at",
        "resolution",
        "is_bcp_activated",
    ] {
        some(key, &Value::is_null);
        some(key, &|value| !value.is_null());
    }
    for key in ["description", "detection", "ref_id"] {
        some(key, &|value| value == "");
    }
    for key in [
        "threats",
        "owners",
        "assets",
        "qualifications",
        "entities",
        "filtering_labels",
        "applied_controls",
        "task_templates",
        "risk_scenarios",
    ] {
        some(key, &|value| value.as_array().unwrap().is_empty());
        some(key, &|value| !value.as_array().unwrap().is_empty());
    }
    for key in ["threats", "owners", "assets", "entities"] {
        some(key, &|value| value.as_array().unwrap().iter().any(masked));
    }
    some("qualifications", &|value| value.as_array().unwrap().len() > 2);
    some("folder", &masked);
    some("path", &|value| value.as_array().unwrap().is_empty());
    some("path", &|value| value.as_array().unwrap().len() == 3);
    some("is_published", &|value| value == false);
}

#[tokio::test]
async fn every_enum_word_and_every_kind_of_text_occurs() {
    let bench = Bench::standard().await;
    let rows = bench.rows("/api/incidents/?limit=200").await;
    let words = |key: &str| -> BTreeSet<String> { rows.iter().map(|row| row[key].to_string()).collect() };
    assert_eq!(words("severity").len(), 6);
    assert_eq!(words("status").len(), 5);
    assert_eq!(words("detection").len(), 4, "internal, external, null and blank");
    let text = serde_json::to_string(&rows).unwrap();
    for piece in ["é", "東京", "هجوم", "זליגת", "🔥", "\\\"pay now\\\"", "<b>", "\\n", "\\t"] {
        assert!(text.contains(piece), "{piece} does not occur");
    }
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    let folded: BTreeSet<String> = names.iter().map(|name| name.to_uppercase()).collect();
    let exact: BTreeSet<&str> = names.iter().copied().collect();
    assert!(folded.len() < exact.len(), "no two names differ in letter case only");
    let references: Vec<&str> = rows.iter().map(|row| row["ref_id"].as_str().unwrap()).collect();
    assert!(references.contains(&"INC-2") && references.contains(&"INC-10") && references.contains(&""));
    let created: BTreeSet<&str> = rows.iter().map(|row| row["created_at"].as_str().unwrap()).collect();
    assert!(created.len() < rows.len(), "no two incidents were created at the same time");
    assert!(rows.iter().any(|row| row["reported_at"].as_str().is_some_and(|time| time.ends_with("T00:00:00Z"))));
}

#[tokio::test]
async fn timelines_are_empty_long_and_of_every_kind() {
    let bench = Bench::standard().await;
    let rows = bench.rows("/api/incidents/?limit=200").await;
    let entries = bench.rows("/api/timeline-entries/").await;
    let count = |id: &str| entries.iter().filter(|entry| entry["incident"]["id"] == id).count();
    let counts: Vec<usize> = ids(&rows).into_iter().map(count).collect();
    assert!(counts.contains(&0) && counts.contains(&60));
    assert_eq!(counts.iter().sum::<usize>(), entries.len());
    let kinds: BTreeSet<&str> = entries.iter().map(|entry| entry["entry_type"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 5);
    let authors: BTreeSet<String> = entries.iter().map(|entry| entry["author"].to_string()).collect();
    assert!(authors.len() > 5 && authors.contains("null"));
    assert!(entries.iter().any(|entry| entry["evidences"].as_array().unwrap().len() == 2));
    for entry in entries.iter().filter(|entry| entry["entry_type"] == "status_changed") {
        assert!(entry["entry"].as_str().unwrap().contains("->"), "{entry}");
    }
}

#[tokio::test]
async fn the_last_noted_status_is_the_incidents_own() {
    let bench = Bench::standard().await;
    let entries = bench.rows("/api/timeline-entries/").await;
    for row in bench.rows("/api/incidents/").await {
        // Entries come newest first.
        let changed = |entry: &&Value| entry["incident"]["id"] == row["id"] && entry["entry_type"] == "status_changed";
        if let Some(entry) = entries.iter().find(changed) {
            let text = entry["entry"].as_str().unwrap();
            assert!(text.ends_with(&format!("->{}", row["status"].as_str().unwrap())), "{text}: {row}");
        }
    }
}

#[tokio::test]
async fn the_objects_around_incidents_vary_too() {
    let bench = Bench::standard().await;
    let evidences = bench.rows("/api/evidences/").await;
    assert!(
        evidences.iter().any(|row| row["attachment"].is_null())
            && evidences.iter().any(|row| row["attachment"].is_string())
    );
    let teams = bench.rows("/api/teams/").await;
    assert!(teams.iter().any(|row| row["leader"].is_null()) && teams.iter().any(|row| row["leader"].is_object()));
    assert!(teams.iter().any(|row| row["members"].as_array().unwrap().is_empty()));
    assert!(teams.iter().any(|row| !row["deputies"].as_array().unwrap().is_empty()));
    let threats = bench.rows("/api/threats/").await;
    assert!(threats.iter().any(|row| row["library"].is_null()) && threats.iter().any(|row| row["ref_id"] == "T1566"));
    let actors = bench.rows("/api/actors/").await;
    for kind in ["user", "team", "entity"] {
        assert!(actors.iter().any(|row| row["type"] == kind));
    }
    assert!(bench.rows("/api/users/").await.iter().any(|row| row["is_active"] == false));
}
