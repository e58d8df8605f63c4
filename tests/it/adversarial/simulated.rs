//! The sandbox itself: it answers as documented, refuses what is wrong, and keeps what it is told.

use super::support::*;
use serde_json::{Value, json};

const INCIDENTS: &str = "/api/v1/incidents";

fn parsed(name: &str) -> Value {
    serde_json::from_str(&fixture(name)).unwrap()
}

/// The names of the members, however deep, without lists' lengths.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(all) => json!([all.first().map(shape)]),
        _ => Value::Null,
    }
}

#[tokio::test]
async fn answers_have_the_documented_shapes() {
    let bench = Bench::new(40).await;
    let list = bench.rest(&format!("{INCIDENTS}?page_size=100")).await;
    let documented = parsed("list_incidents");
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&list), names(&documented));
    let rich = |rows: &Value| {
        let is_rich = |row: &&Value| {
            !row["incident"]["assigned_to"].is_null()
                && ["tags", "threat_objectives"].iter().all(|name| row[name][0].is_object())
        };
        let mut row = rows.as_array().unwrap().iter().find(is_rich).unwrap().clone();
        row["risk_associations"] = json!([null]);
        shape(&row)
    };
    assert_eq!(rich(&list["incidents"]), rich(&documented["incidents"]));
    assert_eq!(shape(&bench.rest("/api/v1/users/me").await), shape(&parsed("users_me")));
    assert_eq!(shape(&bench.rest(&format!("{INCIDENTS}/sources")).await), shape(&parsed("sources")));
    let comments = bench.rest(&format!("{INCIDENTS}/INC-00003/comments")).await;
    assert_eq!(shape(&comments), shape(&parsed("comments_41_partly_invented")));
    let history = bench.rest(&format!("{INCIDENTS}/3/history")).await;
    assert_eq!(names(&history), names(&parsed("history_41")));
    assert_eq!(names(&history["entries"][0]), names(&parsed("history_41")["entries"][0]));
}

#[tokio::test]
async fn what_is_wrong_is_refused_in_the_documented_words() {
    let bench = Bench::new(20).await;
    let (status, body) = bench.raw("GET", INCIDENTS, None, "", String::new()).await;
    assert_eq!((status, body), (401, parsed("error_401")));
    let (status, body) = bench.raw("GET", INCIDENTS, Some("sandbox.nobody.jwt"), "", String::new()).await;
    assert_eq!((status, body), (401, parsed("error_401")));
    let form = "application/x-www-form-urlencoded";
    let wrong = "grant_type=client_credentials&client_id=a&client_secret=b";
    assert_eq!(bench.raw("POST", TOKEN, None, form, wrong.into()).await, (401, parsed("error_401_oauth")));
    assert_eq!(bench.raw("POST", TOKEN, None, "application/json", "{}".into()).await.0, 415);
    let unknown = json!({ "title": "x", "source": "nowhere" });
    let mut expected = parsed("error_400_validation");
    assert_eq!(bench.send("POST", INCIDENTS, Some(unknown)).await, (400, expected.take()));
    let empty = json!({ "ids": ["INC-00001"], "status": null });
    assert_eq!(bench.send("PATCH", INCIDENTS, Some(empty)).await, (400, parsed("error_400_empty_payload")));
    assert_eq!(bench.send("GET", &format!("{INCIDENTS}/21"), None).await, (404, parsed("error_404")));
    for query in [
        "page=0",
        "page=x",
        "severity=HIGH",
        "status=new",
        "created_date=2026-01-01T00:00:00Z",
        "order_by=x",
        "mood=1",
        "status%5B%5D=New",
    ] {
        assert_eq!(bench.send("GET", &format!("{INCIDENTS}?{query}"), None).await.0, 400, "{query}");
    }
    for query in ["due_date=1", "expected_date=1", "page_size=5000"] {
        assert_eq!(bench.send("GET", &format!("{INCIDENTS}?{query}"), None).await.0, 200, "{query}");
    }
}

#[tokio::test]
async fn a_refresh_token_is_good_for_one_use() {
    let bench = Bench::new(5).await;
    let secrets = bench.sandbox.secrets();
    let account = format!("client_id={}&client_secret={}", secrets[0].1, secrets[1].1);
    let form = |grant: &str| format!("grant_type={grant}&{account}");
    let ask = async |body: String| bench.raw("POST", TOKEN, None, "application/x-www-form-urlencoded", body).await;
    let (status, pair) = ask(form("client_credentials")).await;
    assert_eq!((status, shape(&pair)), (200, shape(&parsed("token_response"))));
    let refresh = form(&format!("refresh_token&refresh_token={}", pair["refresh_token"].as_str().unwrap()));
    assert_eq!(ask(refresh.clone()).await.0, 200);
    assert_eq!(ask(refresh).await, (400, json!({ "error": "invalid_grant" })));
    assert_eq!(ask(form("password")).await.0, 400);
}

#[tokio::test]
async fn what_is_written_is_kept() {
    let bench = Bench::new(20).await;
    let (status, created) = bench.send("POST", INCIDENTS, Some(parsed("create_request"))).await;
    assert_eq!((status, shape(&created)), (201, shape(&parsed("create_response"))));
    assert_eq!((&created["id"], &created["severity"]), (&json!("INC-00021"), &Value::Null));
    let rows = bench.rest_rows().await;
    let user = rows.iter().find_map(|row| row["incident"]["assigned_to"]["id"].as_str()).unwrap();
    let mut patch = parsed("bulk_patch_request");
    patch["ids"] = json!(["INC-00021", "INC-00002"]);
    patch["assigned_to"] = json!(user);
    let (status, patched) = bench.send("PATCH", INCIDENTS, Some(patch.clone())).await;
    assert_eq!(status, 200, "{patched}");
    for row in patched["incidents"].as_array().unwrap() {
        assert_eq!(
            (&row["incident"]["status"], &row["incident"]["assigned_to"]["id"]),
            (&json!("Review"), &json!(user))
        );
    }
    patch["ids"] = json!(["INC-00003", "INC-99999"]);
    patch["title"] = json!("never");
    assert_eq!(bench.send("PATCH", INCIDENTS, Some(patch)).await.0, 404);
    assert_ne!(bench.rest(&format!("{INCIDENTS}/3")).await["incident"]["title"], "never", "all or nothing");
    let one = json!({ "severity": "SEV-2", "threat_objectives": [{ "threat_objective": "Fraud" }], "tags": [] });
    let (status, row) = bench.send("PATCH", &format!("{INCIDENTS}/21"), Some(one)).await;
    assert_eq!((status, &row["incident"]["severity"], &row["tags"]), (200, &json!("SEV-2"), &json!([])));
    assert_eq!(row["threat_objectives"][0]["threat_objective"], "Fraud");
    let path = format!("{INCIDENTS}/INC-00021/comments");
    let (status, comment) = bench.send("POST", &path, Some(parsed("comment_request"))).await;
    assert_eq!((status, shape(&comment)), (200, shape(&parsed("comment_response_partly_invented"))));
    assert_eq!(bench.rest(&format!("{INCIDENTS}/21")).await["comment_count"], 1);
    let history = bench.rest(&format!("{INCIDENTS}/21/history")).await;
    assert_eq!(history["total"], 4, "creation, two patches, a comment");
    assert_eq!(history["entries"][0]["changes"], json!([]));
    assert_eq!(history["entries"][3]["is_creation"], true);
}
