//! Who sees what: hidden objects are missing from lists, 404 alone, `{}` where another object refers to them.

use super::{Bench, ids};
use serde_json::{Value, json};

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().filter_map(|row| row["name"].as_str()).collect()
}

#[tokio::test]
async fn the_gateways_account_misses_one_unit_and_the_name_of_another() {
    let bench = Bench::standard().await;
    let folders = bench.json("/api/folders/").await["results"].clone();
    assert!(!texts(&folders).contains(&"Legal Hold") && !texts(&folders).contains(&"Incident Intake"));
    let admin = bench.client.get("/api/folders/", &bench.token_of("admin")).await.json()["results"].clone();
    assert!(texts(&admin).contains(&"Legal Hold") && texts(&admin).contains(&"Incident Intake"));
}

#[tokio::test]
async fn masked_members_keep_their_place_and_lead_nowhere() {
    let bench = Bench::standard().await;
    let admin = bench.token_of("admin");
    let mut hidden = Vec::new();
    for row in bench.rows("/api/incidents/").await {
        let target = format!("/api/incidents/{}/", row["id"].as_str().unwrap());
        let whole = bench.client.get(&target, &admin).await.json();
        assert_eq!(bench.json(&target).await["assets"], row["assets"], "alone as in the list");
        for key in ["threats", "owners", "assets", "entities", "qualifications", "filtering_labels"] {
            let (own, all) = (row[key].as_array().unwrap(), whole[key].as_array().unwrap());
            assert_eq!(own.len(), all.len());
            for (own, all) in own.iter().zip(all) {
                assert!(own == all || *own == json!({}));
                if own != all && key == "assets" {
                    hidden.push(all["id"].as_str().unwrap().to_owned());
                }
            }
        }
        if row["folder"] == json!({}) {
            let path = row["path"].as_array().unwrap();
            assert_eq!(path.last().unwrap()["str"], "Incident Intake", "the path is not masked");
        }
        if hidden.len() > 5 {
            break;
        }
    }
    assert!(!hidden.is_empty());
    assert_eq!(bench.rows(&format!("/api/assets/?id={}", hidden.join(","))).await, Vec::<Value>::new());
    assert_eq!(bench.get(&format!("/api/assets/{}/", hidden[0])).await.status, 404);
    let object = bench.rows("/api/incidents/?limit=60").await;
    let some = object.iter().find(|row| row["assets"].as_array().unwrap().contains(&json!({}))).unwrap();
    let written = bench.json(&format!("/api/incidents/{}/object/", some["id"].as_str().unwrap())).await;
    assert!(written["assets"].as_array().unwrap().iter().all(Value::is_string), "the write shape is not masked");
}

#[tokio::test]
async fn an_analyst_sees_one_unit_with_those_below_it() {
    let bench = Bench::standard().await.called_by("analyst");
    let rows = bench.rows("/api/incidents/").await;
    assert!(!rows.is_empty() && rows.len() < 200);
    for row in &rows {
        assert_eq!(row["path"][0]["str"], "Retail");
    }
    let stats = bench.json("/api/incidents/summary_stats/").await;
    assert_eq!(stats["results"]["total_incidents"], rows.len());
    let other = bench.client.get("/api/incidents/", &bench.token_of("admin")).await.json();
    let other =
        other["results"].as_array().unwrap().iter().find(|row| row["path"][0]["str"] != "Retail").unwrap().clone();
    let (id, folder) = (other["id"].as_str().unwrap(), other["folder"]["id"].as_str().unwrap());
    assert_eq!(bench.get(&format!("/api/incidents/{id}/")).await.status, 404);
    assert_eq!(bench.json(&format!("/api/incidents/?id={id}")).await["count"], 0);
    // The folder exists, so the filter is good; nothing in it is visible.
    assert_eq!(bench.json(&format!("/api/incidents/?folder={folder}")).await["count"], 0);
    let moved = bench.send("PATCH", &format!("/api/incidents/{}/", ids(&rows)[0]), json!({ "folder": folder })).await;
    let text = "You do not have permission to add objects in this folder";
    assert_eq!((moved.status, moved.json()), (403, json!({ "folder": text })));
}

#[tokio::test]
async fn a_reader_changes_nothing_and_nobody_sees_nothing() {
    let reader = Bench::standard().await.called_by("reader");
    let rows = reader.rows("/api/incidents/?limit=1").await;
    let target = format!("/api/incidents/{}/", ids(&rows)[0]);
    for (method, body) in [("PATCH", json!({ "name": "x" })), ("PUT", json!({ "name": "x" })), ("DELETE", json!({}))] {
        assert_eq!(reader.send(method, &target, body).await.status, 403, "{method}");
    }
    assert_eq!(reader.send("POST", "/api/incidents/", json!({ "name": "x" })).await.status, 403);
    assert_eq!(reader.json(&target).await, rows[0]);
    let nobody = reader.called_by("nobody");
    for resource in ["incidents", "assets", "users", "actors", "terminologies", "folders", "timeline-entries"] {
        assert_eq!(nobody.json(&format!("/api/{resource}/")).await["count"], 0, "{resource}");
    }
    assert_eq!(nobody.get(&target).await.status, 404);
}

#[tokio::test]
async fn hidden_members_may_stay_in_a_set_that_is_written_back() {
    let bench = Bench::standard().await;
    let rows = bench.rows("/api/incidents/").await;
    let some = rows.iter().find(|row| row["assets"].as_array().unwrap().contains(&json!({}))).unwrap();
    let target = format!("/api/incidents/{}/", some["id"].as_str().unwrap());
    let assets = bench.json(&format!("{target}object/")).await["assets"].clone();
    let written = bench.send("PATCH", &target, json!({ "assets": assets })).await;
    assert_eq!((written.status, written.json()["assets"].clone()), (200, assets));
}
