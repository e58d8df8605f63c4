//! How tokens are obtained and how they end.

use super::Bench;
use incident_gateway::sandbox::{Release, SandboxOptions};
use serde_json::{Value, json};
use std::time::Duration;

const LOGIN_A: &str = "/api/_allauth/app/v1/auth/login";
const LOGIN_B: &str = "/api/iam/login/";

fn credentials(name: &str) -> Value {
    json!({ "email": format!("{name}@example.test"), "password": format!("{name}-password") })
}

async fn login(bench: &Bench) -> String {
    let answer = bench.send("POST", LOGIN_A, credentials("admin")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["meta"]["access_token"].as_str().unwrap().to_owned()
}

async fn works(bench: &Bench, token: &str) -> bool {
    bench.client.get("/api/incidents/?limit=1", token).await.status == 200
}

#[tokio::test]
async fn a_token_lives_an_hour_after_its_last_use_and_ten_in_all() {
    let bench = Bench::standard().await;
    let (idle, used) = (login(&bench).await, login(&bench).await);
    assert_ne!(idle, used);
    for _ in 0..19 {
        bench.sandbox.advance(Duration::from_secs(1_800));
        assert!(works(&bench, &used).await);
    }
    assert!(!works(&bench, &idle).await, "not used for an hour");
    bench.sandbox.advance(Duration::from_secs(1_801));
    let refused = bench.client.get("/api/incidents/", &used).await;
    assert_eq!((refused.status, refused.json()), (401, json!({ "detail": "Invalid token." })));
    assert_eq!(refused.header("www-authenticate"), Some("Token"));
    let endless = bench.sandbox.token().to_owned();
    assert!(works(&bench, &endless).await);
}

#[tokio::test]
async fn a_use_within_a_minute_of_the_last_renewal_does_not_renew() {
    let options =
        SandboxOptions { token_lifetime: Duration::from_secs(100), incidents: 1, ..SandboxOptions::default() };
    let bench = Bench::new(options).await;
    let token = login(&bench).await;
    bench.sandbox.advance(Duration::from_secs(50));
    assert!(works(&bench, &token).await);
    bench.sandbox.advance(Duration::from_secs(51));
    assert!(!works(&bench, &token).await);
}

#[tokio::test]
async fn the_older_login_exists_on_the_older_release_only() {
    let bench = Bench::standard().await;
    let body = json!({ "username": "reader@example.test", "password": "reader-password" });
    let answer = bench
        .client
        .send("POST", LOGIN_B, &[("Content-Type".into(), "application/json".into())], &body.to_string())
        .await;
    assert!(answer.headers.iter().any(|(name, value)| name == "set-cookie" && value.starts_with("sessionid=")));
    assert!(works(&bench, answer.json()["token"].as_str().unwrap()).await);
    let missing = bench.send("POST", LOGIN_B, json!({})).await;
    assert_eq!(
        missing.json(),
        json!({ "username": ["This field is required."], "password": ["This field is required."] })
    );
    bench.sandbox.set_release(Release::V3_20_8);
    let gone = bench.send("POST", LOGIN_B, body).await;
    assert_eq!((gone.status, gone.header("content-type")), (404, Some("text/html; charset=utf-8")));
    login(&bench).await;
}

#[tokio::test]
async fn a_second_factor_leaves_the_login_pending() {
    let bench = Bench::standard().await;
    let answer = bench.send("POST", LOGIN_A, credentials("second-factor")).await;
    let body = answer.json();
    assert_eq!(
        (answer.status, body["status"].as_u64(), body["meta"]["is_authenticated"].as_bool()),
        (401, Some(401), Some(false))
    );
    let flows = body["data"]["flows"].as_array().unwrap();
    assert!(flows.iter().any(|flow| flow["id"] == "mfa_authenticate" && flow["is_pending"] == true));
    let missing = bench.send("POST", LOGIN_A, json!({ "email": "x" })).await;
    assert_eq!((missing.status, missing.json()["errors"][0]["code"].clone()), (400, json!("required")));
}

#[tokio::test]
async fn long_lived_tokens_are_five_at_most() {
    let bench = Bench::standard().await;
    let mut tokens = Vec::new();
    for index in 0..5 {
        let answer =
            bench.send("POST", "/api/iam/auth-tokens/", json!({ "name": format!("t{index}"), "expiry": 30 })).await;
        assert_eq!(answer.status, 200);
        tokens.push(answer.json()["token"].as_str().unwrap().to_owned());
    }
    assert_eq!(bench.send("POST", "/api/iam/auth-tokens/", json!({ "name": "t5", "expiry": 30 })).await.status, 400);
    assert_eq!(bench.json("/api/iam/auth-tokens/").await.as_array().unwrap().len(), 5);
    bench.sandbox.advance(Duration::from_secs(29 * 86_400));
    assert!(works(&bench, &tokens[0]).await);
    bench.sandbox.advance(Duration::from_secs(86_400));
    assert!(!works(&bench, &tokens[0]).await);
}

#[tokio::test]
async fn headers_that_are_no_token_are_told_apart() {
    let bench = Bench::standard().await;
    let token = bench.sandbox.token();
    for (header, status, detail) in [
        (format!("Bearer {token}"), 401, "Authentication credentials were not provided."),
        ("Token".to_owned(), 401, "Invalid token header. No credentials provided."),
        (format!("Token {token} x"), 401, "Invalid token header. Token string should not contain spaces."),
        (format!("tOkEn {token}"), 200, ""),
    ] {
        let answer =
            bench.client.send("GET", "/api/incidents/?limit=1", &[("Authorization".into(), header.clone())], "").await;
        assert_eq!(answer.status, status, "{header}");
        assert!(status == 200 || answer.json() == json!({ "detail": detail }), "{header}");
    }
    assert_eq!(bench.client.send("GET", "/api/health/", &[], "").await.status, 200);
    assert_eq!(bench.client.send("GET", "/api/schema/", &[], "").await.status, 200);
    assert_eq!(bench.client.send("GET", "/api/build/", &[], "").await.status, 401);
}

#[tokio::test]
async fn the_current_user_knows_its_actor() {
    let bench = Bench::standard().await;
    let user = bench.json("/api/iam/current-user/").await;
    assert_eq!(user["email"], "gateway@example.test");
    let actors = bench.rows("/api/actors/").await;
    let actor = actors.iter().find(|actor| actor["id"] == user["actor_id"]).unwrap();
    assert_eq!(actor["specific"]["id"], user["id"]);
}
