//! Changes that no recording covers, and their traces.

use super::{Bench, ids};
use incident_gateway::sandbox::{Release, SandboxOptions};
use serde_json::{Value, json};

async fn created(bench: &Bench, body: Value) -> Value {
    let answer = bench.send("POST", "/api/incidents/", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn target(incident: &Value) -> String {
    format!("/api/incidents/{}/", incident["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_new_incident_is_in_every_list_at_once() {
    let bench = Bench::admin().await;
    let incident = created(&bench, json!({ "name": "  Zebra <b> \"é\" ", "severity": "1", "detection": "" })).await;
    assert_eq!((incident["name"].as_str(), incident["severity"].as_u64()), (Some("Zebra <b> \"é\""), Some(1)));
    assert_eq!(bench.json("/api/incidents/?limit=1").await["count"], 201);
    assert_eq!(ids(&bench.rows("/api/incidents/?search=zebra").await), [incident["id"].as_str().unwrap()]);
    let last = bench.rows("/api/incidents/?ordering=-created_at&limit=1").await;
    assert_eq!(ids(&last), [incident["id"].as_str().unwrap()]);
    assert_eq!(last[0]["detection"], "");
    let renamed = bench.send("PATCH", &target(&incident), json!({ "name": "Aaa" })).await;
    assert_eq!(renamed.status, 200);
    let first = bench.rows("/api/incidents/?ordering=name&search=aaa").await;
    assert_eq!(first[0]["name"], "Aaa");
}

#[tokio::test]
async fn capital_letters_beyond_ascii_are_found_as_they_are_written_only() {
    let bench = Bench::admin().await;
    created(&bench, json!({ "name": "ÄRGER IM BÜRO" })).await;
    for (term, count) in
        [("%C3%84rger", 1), ("%C3%84RGER,im", 1), ("%C3%A4rger", 0), ("b%C3%BCro", 0), ("b%C3%9Cro", 1)]
    {
        assert_eq!(bench.json(&format!("/api/incidents/?search={term}")).await["count"], count, "{term}");
    }
}

#[tokio::test]
async fn every_change_moves_the_time_of_the_last_one() {
    let bench = Bench::admin().await;
    let incident = created(&bench, json!({ "name": "x" })).await;
    let mut last = String::new();
    for _ in 0..3 {
        assert_eq!(bench.send("PATCH", &target(&incident), json!({})).await.status, 200);
        let now = bench.json(&target(&incident)).await["updated_at"].as_str().unwrap().to_owned();
        assert!(now > last, "{now} after {last}");
        last = now;
    }
}

#[tokio::test]
async fn new_label_texts_become_labels_once() {
    let bench = Bench::admin().await;
    let incident = created(&bench, json!({ "name": "x", "filtering_labels": ["brand-new"] })).await;
    let labels = bench.rows("/api/filtering-labels/?search=brand-new").await;
    assert_eq!(incident["filtering_labels"], json!([labels[0]["id"]]));
    let again = bench.send("POST", "/api/incidents/", json!({ "name": "y", "filtering_labels": ["Brand-New"] })).await;
    let text = "Brand-New is already used in this scope. Please choose another value.";
    assert_eq!((again.status, again.json()), (400, json!({ "label": [text] })));
}

#[tokio::test]
async fn moving_an_incident_moves_its_timeline() {
    let bench = Bench::admin().await;
    let folders = bench.rows("/api/folders/?name=Payments").await;
    let incident = created(&bench, json!({ "name": "x" })).await;
    bench.send("PATCH", &target(&incident), json!({ "status": "closed", "folder": folders[0]["id"] })).await;
    let entries = bench.rows(&format!("/api/timeline-entries/?incident={}", incident["id"].as_str().unwrap())).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0]["entry"].as_str(), entries[0]["folder"]["str"].as_str()),
        (Some("New->Closed"), Some("Payments"))
    );
}

#[tokio::test]
async fn a_deleted_incident_takes_its_timeline_along() {
    let bench = Bench::admin().await;
    let entries = bench.rows("/api/timeline-entries/").await;
    let incident = entries[0]["incident"]["id"].as_str().unwrap();
    let kept: Vec<Value> = entries.iter().filter(|entry| entry["incident"]["id"] != incident).cloned().collect();
    let preview = bench.json(&format!("/api/incidents/{incident}/cascade-info/")).await;
    assert_eq!(preview["deleted"]["count"], entries.len() - kept.len());
    assert_eq!(bench.send("DELETE", &format!("/api/incidents/{incident}/"), json!({})).await.status, 204);
    assert_eq!(bench.rows("/api/timeline-entries/").await, kept);
    assert_eq!(bench.json("/api/incidents/?ordering=name&search=e").await["next"], Value::Null);
    assert_eq!(bench.get(&format!("/api/timeline-entries/?incident={incident}")).await.status, 400);
}

#[tokio::test]
async fn entries_are_written_changed_and_deleted() {
    let bench = Bench::admin().await;
    let incident = created(&bench, json!({ "name": "x" })).await;
    let answer =
        bench.send("POST", "/api/timeline-entries/", json!({ "incident": incident["id"], "entry": "note" })).await;
    let entry = answer.json();
    assert_eq!((answer.status, entry["entry_type"].as_str()), (201, Some("observation")));
    let target = format!("/api/timeline-entries/{}/", entry["id"].as_str().unwrap());
    assert_eq!(bench.json(&format!("{target}object/")).await, entry);
    let changed = bench.send("PATCH", &target, json!({ "entry": "other", "entry_type": "mitigation" })).await;
    assert_eq!((changed.status, changed.json()["entry"].as_str()), (200, Some("other")));
    assert_eq!(bench.json(&target).await["author"]["str"], "Ada Admin");
    assert_eq!(bench.send("DELETE", &target, json!({})).await.status, 204);
    assert_eq!(bench.get(&target).await.status, 404);
    let own = format!("/api/timeline-entries/?incident={}", incident["id"].as_str().unwrap());
    assert_eq!(bench.rows(&own).await.len(), 0);
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_told_apart() {
    let bench = Bench::admin().await;
    let send = |kind: &'static str, body: &'static str| {
        let headers = [
            ("Authorization".to_owned(), format!("Token {}", bench.token)),
            ("Content-Type".to_owned(), kind.to_owned()),
        ];
        let client = &bench.client;
        async move { client.send("POST", "/api/incidents/", &headers, body).await }
    };
    for (body, detail) in [
        ("{bad", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("{\"a\":1,\n \"b\" 2}", "Expecting ':' delimiter: line 2 column 6 (char 13)"),
        ("nonsense", "Expecting value: line 1 column 2 (char 1)"),
    ] {
        let answer = send("application/json", body).await;
        assert_eq!(answer.status, 400);
        if body.starts_with('{') {
            assert_eq!(answer.json(), json!({ "detail": format!("JSON parse error - {detail}") }));
        }
    }
    let form = send("application/x-www-form-urlencoded", "name=From+a+form&severity=2").await;
    assert_eq!((form.status, form.json()["is_published"].as_bool()), (201, Some(false)));
    assert_eq!(send("text/plain", "x").await.status, 415);
}

#[tokio::test]
async fn batches_change_incidents_once_the_defect_is_off() {
    let options =
        SandboxOptions { incidents: 20, batch_defect: false, release: Release::V3_20_8, ..SandboxOptions::default() };
    let bench = Bench::new(options).await.called_by("admin");
    let rows = bench.rows("/api/incidents/?limit=2").await;
    let threats = bench.rows("/api/threats/?limit=2").await;
    let (a, b) = (threats[0]["id"].clone(), threats[1]["id"].clone());
    let batch = |body: Value| async { bench.send("POST", "/api/incidents/batch-action/", body).await.json() };
    let all = json!([rows[0]["id"], rows[1]["id"]]);
    let set = batch(json!({ "action": "change_m2m", "ids": all, "field": "threats", "value": a })).await;
    assert_eq!(set["succeeded"].as_array().unwrap().len(), 2, "{set}");
    batch(json!({ "action": "add_m2m", "ids": all, "field": "threats", "value": [b] })).await;
    batch(json!({ "action": "remove_m2m", "ids": all, "field": "threats", "value": [a] })).await;
    let wrong = batch(json!({ "action": "change_field", "ids": all, "field": "severity", "value": 9 })).await;
    assert_eq!(wrong["failed"][0]["error"], json!({ "severity": ["\"9\" is not a valid choice."] }));
    batch(json!({ "action": "change_field", "ids": all, "field": "severity", "value": 5 })).await;
    for row in bench.rows("/api/incidents/?limit=2").await {
        assert_eq!((row["threats"].as_array().unwrap().len(), row["severity"].as_str()), (1, Some("Low")));
        assert_eq!(row["threats"][0]["id"], b);
    }
    let upper = json!([rows[0]["id"].as_str().unwrap().to_uppercase()]);
    let missed = batch(json!({ "action": "delete", "ids": upper })).await;
    assert_eq!(missed["failed"][0]["error"], "Object not found or access denied");
}

#[tokio::test]
async fn the_later_release_keeps_its_dates_in_order() {
    let bench = Bench::admin().await;
    bench.sandbox.set_release(Release::V3_20_8);
    let body = json!({
        "name": "x", "occurred_at": "2026-01-01", "reported_at": "2026-01-02T00:00:00", "resolved_at": "2026-01-03T00:00:00+02:00",
        "resolution": "done", "is_bcp_activated": true,
    });
    let incident = created(&bench, body).await;
    assert_eq!(incident["resolved_at"], "2026-01-02T22:00:00Z");
    assert_eq!(incident["is_bcp_activated"], true);
    let wrong = bench.send("PATCH", &target(&incident), json!({ "resolved_at": "2025-12-31" })).await;
    assert_eq!(wrong.status, 400);
    let report = bench.get(&format!("{}md/", target(&incident))).await.text();
    assert!(report.contains("- **BCP Activated**: Yes\n") && report.contains("## Resolution\n\ndone\n"));
}

#[tokio::test]
async fn objects_around_incidents_cannot_be_changed() {
    let bench = Bench::admin().await;
    assert_eq!(bench.send("POST", "/api/assets/", json!({ "name": "x" })).await.status, 403);
    assert_eq!(bench.send("PUT", "/api/actors/", json!({})).await.status, 405);
}
