//! The simulated server is as strict as the document, and keeps what is done to it.

use super::support::*;
use serde_json::{Value, json};

#[tokio::test]
async fn what_the_document_refuses_is_refused() {
    let bench = Bench::new(20).await;
    let (token, tenants) = (format!("Bearer {}", bench.sandbox.token()), bench.tenants().await);
    let admin = format!("Bearer {}", Bench::token(&bench.sandbox, "admin"));
    let (_, all) = bench.rest_as(&admin, "GET", "tenants", "").await;
    let closed = all.as_array().unwrap().last().unwrap()["ID"].as_str().unwrap().to_owned();
    for (token, path, status, message) in [
        ("Token x", "incidents".to_owned(), 400, "invalid authorization header"),
        ("Bearer ", "tenants".into(), 400, "invalid authorization header"),
        ("Bearer x", "tenants".into(), 403, "access denied"),
        (&token, "incidents".into(), 400, "tenantID required"),
        (&token, "incidents?tenantID=5".into(), 400, ""),
        (&token, format!("incidents?tenantID={}", nobody(1)), 403, "access denied"),
        (&token, format!("incidents?tenantID={closed}{tenants}"), 403, "access denied"),
        (&token, format!("incidents?id=104{tenants}"), 400, ""),
        (&token, format!("incidents?timestampField=dueAt{tenants}"), 400, "invalid timestamp field"),
        (&token, format!("incidents?from=yesterday{tenants}"), 400, "cannot parse from"),
        (&token, format!("incidents?to=2021-09-06{tenants}"), 400, "cannot parse to"),
        (&token, format!("incidents?name=(%3F{tenants}"), 400, ""),
    ] {
        let (found, body) = bench.rest_as(token, "GET", &path, "").await;
        assert_eq!((found, body["message"].as_str()), (status, Some(message)), "{path}");
        assert!(body["details"].is_string());
    }
    assert_eq!(bench.rest_as(&token, "GET", "elsewhere", "").await.0, 404);
    assert_eq!(bench.rest_as(&token, "POST", "incidents", "{}").await.0, 404);
}

#[tokio::test]
async fn parameters_mean_what_the_document_says() {
    let bench = Bench::new(120).await;
    let tenants = bench.tenants().await;
    let rows = async |query: &str| bench.rest(&format!("incidents?{query}{tenants}")).await;
    let all = rows("page=0").await;
    assert_eq!(all["Incidents"].as_array().unwrap().len(), 100);
    assert_eq!(rows("page=-2").await, all);
    assert!(all["Incidents"][0].get("HistoryRecords").is_none() && all["Incidents"][0]["Assets"][0].is_null());
    for flag in ["withHistory", "withHistory=123", "withHistory=false"] {
        assert!(rows(flag).await["Incidents"][0]["HistoryRecords"].is_array(), "{flag}: set by being there");
    }
    let with_assets = rows("withAffected").await;
    assert!(with_assets["Incidents"].as_array().unwrap().iter().any(|row| row["Assets"][0]["HostInfo"].is_object()));
    let created = all["Incidents"][40]["CreatedAt"].as_str().unwrap();
    let exactly = rows(&format!("timestampField=createdAt&from={created}&to={created}")).await;
    assert!(exactly["Total"].as_u64().unwrap() > 0, "both bounds are part of the range");
    assert_eq!(rows(&format!("from={created}%2B00:00&to={created}")).await, exactly, "two zones, as printed");
    let named = rows("name=%5EVPN%20brute").await;
    let names = named["Incidents"].as_array().unwrap();
    assert!(names.iter().all(|row| row["Name"].as_str().unwrap().starts_with("VPN brute")) && !names.is_empty());
    let fresh = rows("status=new").await;
    assert!(fresh["Incidents"].as_array().unwrap().iter().all(|row| row["Status"] == "open") && fresh["Total"] != 0);
    assert_eq!(rows("status=open").await["Total"], 0);
    let changed = rows("timestampField=statusChangedAt").await;
    let times: Vec<&str> =
        changed["Incidents"].as_array().unwrap().iter().map(|row| row["StatusChangedAt"].as_str().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]));
}

#[tokio::test]
async fn closing_is_kept_and_has_its_consequences() {
    let bench = Bench::new(80).await;
    let token = format!("Bearer {}", bench.sandbox.token());
    let open = bench
        .rest_all("")
        .await
        .into_iter()
        .find(|row| row["Status"] == "open" && row["Assignee"]["ID"] == "" && row["AlertIDs"][0].is_string());
    let open = open.unwrap();
    let closing = |reason: Value| {
        json!([{ "ID": open["InternalID"], "TenantID": open["TenantID"], "Reason": reason }]).to_string()
    };
    let close = async |body: String| {
        let (status, body) = bench.rest_as(&token, "POST", "incidents/close", &body).await;
        (status, body["message"].as_str().map(str::to_owned))
    };
    let refused = |status: u16, message: &str| (status, Some(message.to_owned()));
    assert_eq!(close(closing(Value::Null)).await, refused(400, "reason required"));
    assert_eq!(close(closing("merged".into())).await, refused(400, "invalid reason"));
    let unknown = json!([{ "ID": nobody(1).to_string(), "TenantID": open["TenantID"], "Reason": "truePositive" }]);
    assert_eq!(close(unknown.to_string()).await, refused(404, "incident not found"));
    assert_eq!(close(json!([{ "TenantID": open["TenantID"] }]).to_string()).await, refused(400, "id required"));
    let elsewhere = json!([{ "ID": open["InternalID"], "TenantID": nobody(1).to_string(), "Reason": "truePositive" }]);
    assert_eq!(close(elsewhere.to_string()).await, refused(403, "access denied"));
    assert_eq!(close(closing("truePositive".into())).await, (204, None));
    assert_eq!(close(closing("truePositive".into())).await, (204, None));
    assert_eq!(close(closing("lowPriority".into())).await, refused(400, "invalid reason"));
    let rows = bench.rest_all("&withHistory").await;
    let row = rows.iter().find(|row| row["InternalID"] == open["InternalID"]).unwrap();
    assert_eq!((&row["Status"], &row["StatusResolution"]), (&json!("closed"), &json!("truePositive")));
    assert!(row["Assignee"]["ID"].as_str().is_some_and(|id| !id.is_empty()));
    assert_eq!(row["HistoryRecords"][0]["params"]["reason"], "truePositive");
    let (tenants, alert) = (bench.tenants().await, open["AlertIDs"][0].as_str().unwrap());
    let alerts = bench.rest(&format!("alerts?id={alert}{tenants}")).await;
    assert_eq!((&alerts["Total"], &alerts["Alerts"][0]["Status"]), (&json!(1), &json!("closed")));
    let body = json!([{ "ID": alert, "TenantID": open["TenantID"], "Reason": "falsePositive" }]).to_string();
    assert_eq!(bench.rest_as(&token, "POST", "alerts/close", &body).await.0, 204);
    assert_eq!(bench.rest(&format!("alerts?id={alert}{tenants}")).await["Alerts"], Value::Null);
}

#[tokio::test]
async fn equal_seeds_give_equal_worlds() {
    let (one, other) = (Bench::new(40).await, Bench::new(40).await);
    assert_eq!(one.rest_all("&withAffected&withHistory").await, other.rest_all("&withAffected&withHistory").await);
}
