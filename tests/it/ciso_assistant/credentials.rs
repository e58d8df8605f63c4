//! Tokens: given, or got by e-mail and password.

use super::support::*;
use incident_gateway::{
    domain::*,
    sandbox::{Release, Sandbox, SandboxOptions},
    secret::Secret,
    source::*,
    vendors::ciso_assistant::{Config, Credential},
};
use std::time::Duration;

const FORM_A: &str = "/api/_allauth/app/v1/auth/login";
const FORM_B: &str = "/api/iam/login/";

fn password(account: &str, password: &str) -> impl FnOnce(&mut Config) {
    let (email, password) = (format!("{account}@example.test"), Secret::from(password.to_owned()));
    move |config| config.credential = Credential::Password { email, password }
}

async fn list(bench: &Bench) -> Result<usize, SourceError> {
    let request = ListRequest { tests: Vec::new(), order: None, offset: 0, limit: 5, want: PLAIN };
    Ok(bench.source.list(&call(), &request).await?.items.len())
}

#[tokio::test]
async fn an_account_logs_in_once_and_lists() {
    for release in RELEASES {
        let bench = Bench::with(options(release, 20), password("gateway", "gateway-password")).await;
        for _ in 0..3 {
            assert_eq!(list(&bench).await.unwrap(), 5);
        }
        let calls = bench.calls();
        assert_eq!(calls.iter().filter(|path| *path == FORM_A).count(), 1);
        assert_eq!(calls.len(), 1 + 1 + 3, "{calls:?}");
    }
}

#[tokio::test]
async fn the_older_form_is_used_where_the_newer_one_is_not_there() {
    let bench = Bench::with(options(Release::V3_15_1, 20), password("gateway", "gateway-password")).await;
    bench.sandbox.set_faults(vec![format!("html:404@{FORM_A}").parse().unwrap()]);
    assert_eq!(list(&bench).await.unwrap(), 5);
    assert_eq!(bench.calls()[..2], [FORM_A, FORM_B]);
}

#[tokio::test]
async fn a_login_that_no_release_has_is_told() {
    let bench = Bench::with(options(Release::V3_20_8, 20), password("gateway", "gateway-password")).await;
    bench.sandbox.set_faults(vec![format!("html:404@{FORM_A}").parse().unwrap()]);
    assert_eq!(list(&bench).await.unwrap_err().kind(), SourceErrorKind::Malformed);
}

#[tokio::test]
async fn refused_credentials_and_a_second_factor_are_told_apart() {
    for release in RELEASES {
        for (account, word, said) in [
            ("gateway", "wrong", "refused"),
            ("nobody-at-all", "x", "refused"),
            ("second-factor", "second-factor-password", "second factor"),
        ] {
            let bench = Bench::with(options(release, 20), password(account, word)).await;
            let error = list(&bench).await.unwrap_err();
            assert_eq!(error.kind(), SourceErrorKind::Unauthenticated);
            assert!(error.public().contains(said), "{}", error.public());
            assert!(!format!("{error:?} {error}").contains(word) || word == "x");
            assert_eq!(bench.source.probe(&call()).await.status, SourceStatus::Unauthenticated);
        }
    }
}

#[tokio::test]
async fn tokens_that_are_none_are_refused_without_a_word_of_theirs() {
    let sandbox = Sandbox::new(options(Release::V3_15_1, 20));
    for (token, calls) in [("0123", 1), ("", 0), ("a\nb", 0), ("\u{fc}", 0)] {
        let set = |config: &mut Config| config.credential = Credential::Token(Secret::from(token.to_owned()));
        let bench = Bench::over(sandbox.clone(), set).await;
        let request = [nobody(1)];
        let error = bench.source.fetch(&call(), &request, PLAIN).await.unwrap_err();
        assert_eq!((error.kind(), bench.calls().len()), (SourceErrorKind::Unauthenticated, calls), "{token:?}");
    }
    // Files end in line breaks.
    let token = format!("{}\n", sandbox.token());
    let bench = Bench::over(sandbox, |config| config.credential = Credential::Token(Secret::from(token))).await;
    assert!(bench.source.fetch(&call(), &[nobody(1)], PLAIN).await.is_ok());
}

#[tokio::test]
async fn an_expired_token_is_replaced_once_for_all_who_wait() {
    let bench = Bench::with(options(Release::V3_15_1, 20), password("gateway", "gateway-password")).await;
    assert_eq!(list(&bench).await.unwrap(), 5);
    bench.sandbox.set_latency(Duration::from_millis(20));
    // Longer than a token lives without being used.
    bench.sandbox.advance(Duration::from_secs(3_700));
    bench.sandbox.reset_calls();
    let all = (0..24).map(|_| {
        let source = bench.source.clone();
        tokio::spawn(async move { source.fetch(&call(), &[nobody(1)], PLAIN).await.map(|_| ()) })
    });
    for outcome in futures_util::future::join_all(all).await {
        outcome.unwrap().unwrap();
    }
    let calls = bench.calls();
    assert_eq!(calls.iter().filter(|path| *path == FORM_A).count(), 1, "{calls:?}");
}

#[tokio::test]
async fn a_server_that_closes_each_connection_is_lived_with() {
    let bench = Bench::with(SandboxOptions { keep_alive: false, ..options(Release::V3_15_1, 20) }, |_| {}).await;
    for _ in 0..5 {
        assert_eq!(list(&bench).await.unwrap(), 5);
    }
}

#[tokio::test]
async fn a_server_that_fails_at_the_login_is_as_unwell_as_one_that_fails_elsewhere() {
    for (fault, kind) in [
        ("503", SourceErrorKind::Unavailable),
        ("429:1", SourceErrorKind::RateLimited),
        ("garbage", SourceErrorKind::Malformed),
        ("cut", SourceErrorKind::Malformed),
    ] {
        let bench = Bench::with(options(Release::V3_20_8, 20), password("gateway", "gateway-password")).await;
        bench.sandbox.set_faults(vec![format!("{fault}@{FORM_A}").parse().unwrap()]);
        assert_eq!(list(&bench).await.unwrap_err().kind(), kind, "{fault}");
    }
}
