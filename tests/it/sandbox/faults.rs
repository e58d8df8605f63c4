//! Faults, latency and the count of calls.

use super::Bench;
use incident_gateway::sandbox::{Call, Fault};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn with(fault: &str) -> Bench {
    let bench = Bench::standard().await;
    bench.sandbox.set_faults(vec![fault.parse().unwrap()]);
    bench
}

const LIST: &str = "/api/incidents/?limit=3";

#[tokio::test]
async fn errors_look_as_they_are_told_to() {
    for (fault, status, content_type) in [
        ("503", 503, "application/json"),
        ("429:7", 429, "application/json"),
        ("html:502", 502, "text/html; charset=utf-8"),
        ("garbage", 200, "application/json"),
        ("empty", 200, "application/json"),
        ("content-type", 200, "text/html; charset=utf-8"),
        ("redirect", 302, "text/html; charset=utf-8"),
        ("expired", 401, "application/json"),
    ] {
        let bench = with(fault).await;
        let answer = bench.get(LIST).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, Some(content_type)), "{fault}");
        match fault {
            "429:7" => assert_eq!(answer.header("retry-after"), Some("7")),
            "redirect" => assert_eq!(answer.header("location"), Some("/elsewhere/")),
            "empty" => assert!(answer.body.is_empty()),
            "garbage" => assert!(serde_json::from_slice::<Value>(&answer.body).is_err()),
            "content-type" => assert_eq!(answer.json()["count"], 200),
            _ => {}
        }
        bench.sandbox.set_faults(vec![]);
        assert_eq!(bench.get(LIST).await.status, 200, "after {fault}");
    }
}

#[tokio::test]
async fn a_fault_hits_its_path_as_often_as_it_says() {
    let bench = with("500@/api/threats/*2").await;
    let mut statuses = Vec::new();
    for path in ["/api/threats/", "/api/assets/", "/api/threats/", "/api/threats/"] {
        statuses.push(bench.get(path).await.status);
    }
    assert_eq!(statuses, [500, 200, 500, 200]);
}

#[tokio::test]
async fn a_cut_body_is_shorter_than_announced() {
    let bench = with("cut").await;
    let answer = bench.get(LIST).await;
    let announced: usize = answer.header("content-length").unwrap().parse().unwrap();
    assert!(answer.status == 200 && answer.body.len() < announced && !answer.body.is_empty());
}

#[tokio::test]
async fn one_item_of_a_page_is_malformed() {
    let whole = Bench::standard().await.rows(LIST).await;
    let broken = with("malformed").await.rows(LIST).await;
    assert_eq!((&broken[0], &broken[2]), (&whole[0], &whole[2]));
    assert_eq!(broken[1]["id"], whole[1]["id"]);
    assert_eq!(broken[1]["name"], json!({ "unexpected": true }));
    assert!(broken[1]["created_at"].is_number() && broken[1]["threats"].is_string());
}

#[tokio::test]
async fn an_expired_token_needs_a_new_login() {
    let bench = Bench::standard().await;
    let body = json!({ "email": "admin@example.test", "password": "admin-password" });
    let login = || async {
        let answer = bench.send("POST", "/api/_allauth/app/v1/auth/login", body.clone()).await;
        answer.json()["meta"]["access_token"].as_str().unwrap().to_owned()
    };
    let token = login().await;
    bench.sandbox.set_faults(vec!["expired@/api/incidents/*1".parse().unwrap()]);
    assert_eq!(bench.client.get(LIST, &token).await.status, 401);
    assert_eq!(bench.client.get(LIST, &token).await.status, 401, "the token stays dead after the fault");
    assert_eq!(bench.client.get(LIST, &login().await).await.status, 200);
}

#[tokio::test]
async fn slow_answers_are_right_and_late() {
    let bench = with("slow:60").await;
    let started = Instant::now();
    assert_eq!(bench.rows(LIST).await.len(), 3);
    assert!(started.elapsed() >= Duration::from_millis(60));
    bench.sandbox.set_faults(vec!["drip".parse().unwrap()]);
    let started = Instant::now();
    assert_eq!(bench.json("/api/incidents/summary_stats/").await["results"]["total_incidents"], 200);
    assert!(started.elapsed() >= Duration::from_millis(100));
    bench.sandbox.set_faults(vec![]);
    bench.sandbox.set_latency(Duration::from_millis(50));
    let started = Instant::now();
    bench.rows(LIST).await;
    assert!(started.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_hanging_call_is_counted_and_never_answered() {
    let bench = with("hang@/api/incidents/").await;
    let waited = tokio::time::timeout(Duration::from_millis(50), bench.get(LIST)).await;
    assert!(waited.is_err());
    let calls = bench.sandbox.calls();
    assert_eq!((calls.len(), calls[0].status), (1, 0));
}

#[tokio::test]
async fn calls_are_listed_in_order_of_arrival() {
    let bench = Bench::standard().await;
    bench.get(LIST).await;
    bench.get("/api/nothing/").await;
    bench.send("DELETE", "/api/incidents/00000000-0000-4000-8000-000000000000/", json!({})).await;
    let call = |method: &str, path: &str, query: &str, status| Call {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        status,
    };
    let expected = [
        call("GET", "/api/incidents/", "limit=3", 200),
        call("GET", "/api/nothing/", "", 404),
        call("DELETE", "/api/incidents/00000000-0000-4000-8000-000000000000/", "", 404),
    ];
    assert_eq!(bench.sandbox.calls(), expected);
    assert_eq!(bench.sandbox.call_count(), 3);
    bench.sandbox.reset_calls();
    assert_eq!((bench.sandbox.call_count(), bench.sandbox.calls()), (0, vec![]));
    let clone = bench.sandbox.clone();
    bench.get(LIST).await;
    assert_eq!(clone.call_count(), 1, "clones are the same sandbox");
}

#[tokio::test]
async fn faults_may_be_there_from_the_start() {
    let fault: Fault = "500@/api/incidents/".parse().unwrap();
    let options = incident_gateway::sandbox::SandboxOptions { faults: vec![fault], incidents: 1, ..Default::default() };
    assert_eq!(Bench::new(options).await.get(LIST).await.status, 500);
}
