//! Tokens: one grant for however many wait, renewed by a refresh token that rotates, by the account itself where that fails.

use super::support::*;
use crate::support::call;
use futures_util::future::join_all;
use incident_gateway::{
    domain::*,
    source::*,
    upstream::{HttpRequest, HttpResponse, TransportError, header::AUTHORIZATION, memory::MemoryTransport},
    vendors::{VendorConfig, adversarial::*, build},
};
use serde_json::json;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

const CLIENT: &str = "client_credentials";
const REFRESH: &str = "refresh_token";

async fn list(source: &Arc<dyn Source>) -> Result<usize, SourceError> {
    Ok(source.list(&call("login"), &page(0, 5)).await?.items.len())
}

async fn many(bench: &Bench) {
    let all = (0..24).map(|_| {
        let source = bench.source.clone();
        tokio::spawn(async move { list(&source).await })
    });
    for outcome in join_all(all).await {
        assert_eq!(outcome.unwrap().unwrap(), 5);
    }
}

#[tokio::test]
async fn one_grant_is_enough_for_all_who_wait() {
    let bench = Bench::new(20).await;
    bench.sandbox.set_latency(Duration::from_millis(20));
    many(&bench).await;
    assert_eq!(bench.grants(), [CLIENT]);
    // The access token ends after 15 minutes.
    bench.sandbox.advance(Duration::from_secs(16 * 60));
    many(&bench).await;
    many(&bench).await;
    assert_eq!(bench.grants(), [REFRESH]);
}

#[tokio::test]
async fn a_refresh_token_that_ended_gives_way_to_the_account() {
    let bench = Bench::new(20).await;
    assert_eq!(list(&bench.source).await.unwrap(), 5);
    bench.sandbox.advance(Duration::from_secs(8 * 24 * 60 * 60));
    assert_eq!(list(&bench.source).await.unwrap(), 5);
    assert_eq!(bench.grants(), [CLIENT, REFRESH, CLIENT]);
}

#[tokio::test]
async fn a_token_that_is_refused_in_flight_is_replaced() {
    let bench = Bench::new(20).await;
    assert_eq!(list(&bench.source).await.unwrap(), 5);
    bench.sandbox.set_faults(vec!["expired@/api/v1/incidents*1".parse().unwrap()]);
    assert_eq!(list(&bench.source).await.unwrap(), 5);
    assert_eq!(bench.grants(), [CLIENT, REFRESH]);
}

#[tokio::test]
async fn a_wrong_secret_is_told_and_not_shown() {
    let bench = Bench::with(20, Quirk::None, |config| config.client_secret = "arm_sk_xyzzy".to_owned().into()).await;
    let error = list(&bench.source).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unauthenticated);
    assert!(!format!("{error} {error:?}").contains("xyzzy"));
    assert_eq!(bench.source.probe(&call("probe")).await.status, SourceStatus::Unauthenticated);
    assert_eq!(bench.grants().len(), 1, "a wrong secret is not tried for every request");
}

#[tokio::test]
async fn a_server_that_fails_at_the_login_is_as_unwell_as_one_that_fails_elsewhere() {
    for (fault, kind) in [
        ("503", SourceErrorKind::Unavailable),
        ("429:1", SourceErrorKind::RateLimited),
        ("403", SourceErrorKind::Unauthenticated),
        ("404", SourceErrorKind::Malformed),
        ("garbage", SourceErrorKind::Malformed),
        ("cut", SourceErrorKind::Malformed),
        ("empty", SourceErrorKind::Malformed),
    ] {
        let bench = Bench::new(20).await;
        bench.sandbox.set_faults(vec![format!("{fault}@{TOKEN}").parse().unwrap()]);
        assert_eq!(list(&bench.source).await.unwrap_err().kind(), kind, "{fault}");
    }
}

#[tokio::test]
async fn a_server_in_trouble_at_the_refresh_costs_no_second_try() {
    let bench = Bench::new(20).await;
    assert_eq!(list(&bench.source).await.unwrap(), 5);
    bench.sandbox.advance(Duration::from_secs(16 * 60));
    bench.sandbox.set_faults(vec![format!("503@{TOKEN}").parse().unwrap()]);
    assert_eq!(list(&bench.source).await.unwrap_err().kind(), SourceErrorKind::Unavailable);
    assert_eq!(bench.grants(), [CLIENT, REFRESH]);
}

/// What a token endpoint was sent.
type Forms = Arc<Mutex<Vec<String>>>;

/// A server in memory: gives tokens `a-1`, `a-2`, … and takes those that `takes` takes.
fn memory(life: serde_json::Value, takes: fn(u32) -> bool) -> (Arc<dyn Source>, Forms) {
    let (forms, given) = (Forms::default(), Arc::new(AtomicU32::new(0)));
    let seen = forms.clone();
    let transport = MemoryTransport::new(move |request: HttpRequest| {
        let reply = if request.url.path() == TOKEN {
            seen.lock().unwrap().push(String::from_utf8(request.body.to_vec()).unwrap());
            let number = given.fetch_add(1, Relaxed) + 1;
            let pair = json!({
                "access_token": format!("a-{number}"), "refresh_token": format!("r-{number}"), "expires_in": life,
            });
            json_reply(200, &pair.to_string())
        } else {
            let token = request.headers[AUTHORIZATION].to_str().unwrap().to_owned();
            let number: u32 = token.strip_prefix("Bearer a-").unwrap().parse().unwrap();
            match takes(number) {
                true => json_reply(200, r#"{"incidents":[]}"#),
                false => json_reply(401, &fixture("error_401")),
            }
        };
        async move { Ok::<HttpResponse, TransportError>(reply) }
    });
    let config = Config::new("http://localhost".parse().unwrap(), "arm_sa_ü &".into(), "arm_sk_=+".to_owned().into());
    (build(&name(), &VendorConfig::Adversarial(config), Arc::new(transport)), forms)
}

fn sent(forms: &Forms) -> Vec<String> {
    std::mem::take(&mut forms.lock().unwrap())
}

const ACCOUNT: &str = "client_id=arm_sa_%C3%BC%20%26&client_secret=arm_sk_%3D%2B";

#[tokio::test(start_paused = true)]
async fn tokens_are_renewed_before_they_end_with_the_newest_refresh_token() {
    let (source, forms) = memory(json!(900), |_| true);
    assert_eq!(list(&source).await.unwrap(), 0);
    assert_eq!(sent(&forms), [format!("grant_type=client_credentials&{ACCOUNT}")]);
    tokio::time::advance(Duration::from_secs(800)).await;
    list(&source).await.unwrap();
    assert_eq!(sent(&forms), [""; 0], "100 s before the end it is good");
    for used in 1..4 {
        tokio::time::advance(Duration::from_secs(815)).await;
        list(&source).await.unwrap();
        list(&source).await.unwrap();
        assert_eq!(sent(&forms), [format!("grant_type=refresh_token&refresh_token=r-{used}&{ACCOUNT}")]);
    }
    // Longer than refresh tokens live: not even tried.
    tokio::time::advance(Duration::from_secs(7 * 24 * 60 * 60)).await;
    list(&source).await.unwrap();
    assert_eq!(sent(&forms), [format!("grant_type=client_credentials&{ACCOUNT}")]);
}

#[tokio::test(start_paused = true)]
async fn a_refreshed_token_that_is_refused_makes_the_account_prove_itself() {
    // The second token came by a refresh, and is as useless as the first.
    let (source, forms) = memory(json!(900), |number| number == 3);
    let error = list(&source).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unauthenticated);
    assert_eq!(sent(&forms).len(), 2);
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(list(&source).await.unwrap(), 0);
    assert_eq!(sent(&forms), [format!("grant_type=client_credentials&{ACCOUNT}")]);
}

#[tokio::test(start_paused = true)]
async fn the_life_of_a_token_is_the_told_one_or_the_documented_one() {
    for (life, seconds) in
        [(json!("120"), 120), (json!(null), 900), (json!(0), 900), (json!(-5), 900), (json!(60.5), 60)]
    {
        let (source, forms) = memory(life.clone(), |_| true);
        list(&source).await.unwrap();
        // Renewed in the last quarter of a short life, else 90 s before the end.
        let good = seconds - (seconds / 4).min(90) - 2;
        tokio::time::advance(Duration::from_secs(good)).await;
        list(&source).await.unwrap();
        assert_eq!(sent(&forms).len(), 1, "{life}: good after {good} s");
        tokio::time::advance(Duration::from_secs(4)).await;
        list(&source).await.unwrap();
        assert_eq!(sent(&forms).len(), 1, "{life}: renewed after {good} s and 4");
    }
}

#[tokio::test]
async fn an_answer_without_a_usable_token_is_malformed() {
    for answer in [
        "{}",
        r#"{"access_token":""}"#,
        r#"{"access_token":7}"#,
        r#"{"access_token":"a b"}"#,
        r#"{"access_token":"ü"}"#,
        "[]",
    ] {
        let transport = MemoryTransport::new(move |_| async move { Ok::<_, TransportError>(json_reply(200, answer)) });
        let config = Config::new("http://localhost".parse().unwrap(), "a".into(), "b".to_owned().into());
        let source = build(&name(), &VendorConfig::Adversarial(config), Arc::new(transport));
        assert_eq!(list(&source).await.unwrap_err().kind(), SourceErrorKind::Malformed, "{answer}");
    }
}
