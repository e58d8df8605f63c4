//! The simulated server itself: shapes, strictness, keys, changes, as its public reference has them.

use super::support::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

async fn refused(bench: &Bench, path: &str, body: &str) -> (u16, Value) {
    let (status, _, body) = bench.post(path, body).await;
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn wrong_requests_are_refused_in_the_documented_shape() {
    let bench = Bench::new(120).await;
    assert_eq!(refused(&bench, LIST, "{").await.0, 400);
    let documented: Value = serde_json::from_str(&fixture("error_422.json")).unwrap();
    let (status, body) = refused(&bench, LIST, r#"{"request_data":{"search_from":0,"search_to":101}}"#).await;
    assert_eq!((status, body), (422, documented));
    for data in [
        json!({ "search_from": 5, "search_to": 5 }),
        json!({ "search_from": -1 }),
        json!({ "sort": { "field": "severity", "keyword": "asc" } }),
        json!({ "sort": { "field": "creation_time", "keyword": "up" } }),
        json!({ "filters": [{ "field": "severity", "operator": "in", "value": ["high"] }] }),
        json!({ "filters": [{ "field": "status", "operator": "in", "value": ["new"] }] }),
        json!({ "filters": [{ "field": "status", "operator": "eq", "value": "resolved_-_no_risk" }] }),
        json!({ "filters": [{ "field": "creation_time", "operator": "gte", "value": "2023" }] }),
        json!({ "filters": [{ "field": "integration_source", "operator": "in", "value": ["MARS"] }] }),
        json!({ "filters": {} }),
    ] {
        let (status, body) = refused(&bench, LIST, &json!({ "request_data": data }).to_string()).await;
        assert_eq!(status, 422, "{data}");
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["code", "status", "message", "errors"]);
    }
    assert_eq!(refused(&bench, LIST, "{}").await.0, 422);
    assert_eq!(refused(&bench, "/public_api/v1/elsewhere/", "{}").await.0, 404);
    let (status, body) = refused(&bench, EXTRA, r#"{"request_data":{"incident_id":"83"}}"#).await;
    assert_eq!((status, &body["reply"]["err_code"]), (403, &json!(403)));
}

#[tokio::test]
async fn the_defaults_are_the_documented_ones() {
    let bench = Bench::new(120).await;
    let reply = bench.reply(LIST, json!({})).await;
    assert_eq!((&reply["total_count"], &reply["result_count"]), (&json!(119), &json!(100)));
    let times: Vec<i64> =
        reply["incidents"].as_array().unwrap().iter().map(|row| row["creation_time"].as_i64().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b));
    let without_slash = bench.reply(LIST.trim_end_matches('/'), json!({})).await;
    assert_eq!(without_slash, reply);
    let documented: Value = serde_json::from_str(&fixture("get_incidents_example.json")).unwrap();
    let members = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(
        members(&reply["incidents"][0]),
        members(&documented["reply"]["incidents"][0]),
        "every documented member"
    );
}

#[tokio::test]
async fn a_signature_needs_its_key_its_time_and_a_fresh_nonce() {
    let bench = Bench::new(10).await;
    let key = bench.sandbox.token().to_owned();
    let sent = |nonce: &str, time: i64, key: &str| {
        let digest = Sha256::digest(format!("{key}{nonce}{time}"));
        let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let (nonce, time) = (nonce.to_owned(), time.to_string());
        let bench = &bench;
        async move {
            let headers = [
                ("authorization", hash.as_str()),
                ("x-xdr-auth-id", "2"),
                ("x-xdr-nonce", nonce.as_str()),
                ("x-xdr-timestamp", time.as_str()),
            ];
            bench.post_with("/api_keys/validate/", "", &headers).await
        }
    };
    let now = chrono::Utc::now().timestamp_millis();
    let (first, second) = ("a".repeat(64), "b".repeat(64));
    let (status, _, body) = sent(&first, now, &key).await;
    assert_eq!((status, body.as_slice()), (200, &b"true"[..]));
    let (status, headers, body) = sent(&first, now, &key).await;
    assert_eq!((status, headers["x-public-api-body"].to_str().unwrap()), (401, "1"), "used before");
    let expected =
        json!({ "reply": { "err_code": 401, "err_msg": "Public API request unauthorized", "err_extra": null } });
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
    assert_eq!(sent(&second, now - 301_000, &key).await.0, 401, "too old");
    assert_eq!(sent(&second, now + 310_000, &key).await.0, 401, "not yet");
    assert_eq!(sent("short", now, &key).await.0, 401);
    assert_eq!(sent(&second, now, "another key").await.0, 401);
    assert_eq!(sent(&second, now, &key).await.0, 200);
    let (status, _, body) = bench.post_with(LIST, "{}", &[("authorization", "x"), ("x-xdr-auth-id", "1")]).await;
    assert_eq!((status, body.len()), (401, 0), "a wrong standard key gets no body");
}

#[tokio::test]
async fn changes_stay_and_wrong_ones_are_refused() {
    const UPDATE: &str = "/public_api/v1/incidents/update_incident/";
    let bench = Bench::new(20).await;
    let update = json!({
        "assigned_user_mail": "cs@acme.example", "assigned_user_pretty_name": "Cleo Sands", "manual_severity": "critical",
        "status": "resolved_-_no_risk", "resolve_comment": "Patched",
        "comment": { "comment_action": "add", "value": "verified by rescan" },
    });
    assert_eq!(bench.reply(UPDATE, json!({ "incident_id": "7", "update_data": update })).await, true);
    let by_id = json!({ "filters": [{ "field": "incident_id_list", "operator": "in", "value": ["7"] }] });
    let row = bench.reply(LIST, by_id.clone()).await["incidents"][0].take();
    for name in ["assigned_user_mail", "assigned_user_pretty_name", "manual_severity", "status", "resolve_comment"] {
        assert_eq!(row[name], update[name], "{name}");
    }
    assert!(row["resolved_timestamp"].is_i64());
    let back = json!({ "assigned_user_mail": "", "manual_severity": "none", "status": "new" });
    assert_eq!(bench.reply(UPDATE, json!({ "incident_id": "7", "update_data": back })).await, true);
    let row = bench.reply(LIST, by_id).await["incidents"][0].take();
    assert_eq!(
        (&row["assigned_user_mail"], &row["manual_severity"], &row["status"]),
        (&Value::Null, &Value::Null, &json!("new"))
    );
    for update in
        [json!({ "status": "closed" }), json!({ "assigned_user_mail": "nobody" }), json!({ "resolve_comment": "x" })]
    {
        let body = json!({ "request_data": { "incident_id": "7", "update_data": update } }).to_string();
        assert_eq!(refused(&bench, UPDATE, &body).await.0, 400, "{update}");
    }
    let data = json!({ "alert_id_list": [112, 1], "update_data": { "severity": "low", "comment": "seen" } });
    assert_eq!(bench.reply("/public_api/v1/alerts/update_alerts", data).await, json!({ "alerts_ids": [112] }));
    let alerts = json!({ "filters": [{ "field": "alert_id_list", "operator": "in", "value": [112] }] });
    let alert = bench.reply(ALERTS, alerts).await["alerts"][0].take();
    assert_eq!((&alert["severity"], &alert["resolution_comment"]), (&json!("low"), &json!("seen")));
}
