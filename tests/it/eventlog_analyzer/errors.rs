//! Each shape in which the server says no, and each way in which an answer can be broken.

use super::support::*;
use incident_gateway::{
    domain::*,
    sandbox::SandboxOptions,
    source::*,
    upstream::{HttpResponse, header::*},
    vendors::eventlog_analyzer::Config,
};
use std::{sync::Arc, time::Duration};

const HTML: &str = "text/html; charset=utf-8";

fn answering(status: u16, content_type: &'static str, body: &str) -> Arc<dyn Source> {
    let body = bytes::Bytes::from(body.to_owned());
    over(
        |_| {},
        move |_| {
            let answer = HttpResponse::new(status, body.clone());
            match content_type {
                "" => answer,
                kind => answer.header(CONTENT_TYPE, HeaderValue::from_static(kind)),
            }
        },
    )
}

/// What became of each kind of question.
async fn outcomes(source: &dyn Source) -> Vec<SourceError> {
    let one = [NativeId::new("3000000438278")];
    let parts = DetailParts::default().with(DetailPart::Comments);
    let details = source.details(&call(), &of(&one, parts, PLAIN)).await.unwrap();
    let email = [Reference::OwnerEmail("a@example.test".into())];
    vec![
        source.list(&call(), &page(0, 10)).await.unwrap_err(),
        details.failed.into_iter().next().expect("a failure").1,
        source.related(&call(), RecordKind::Owner, &one, PLAIN).await.unwrap_err(),
        source.resolve(&call(), &email).await.unwrap_err(),
        source.probe(&call()).await.error.expect("an error"),
    ]
}

#[tokio::test]
async fn each_shape_of_a_refusal_has_its_kind_and_none_of_its_words() {
    use SourceErrorKind as K;
    let (bad, unauthorized) = (fixture("error_400.json"), fixture("error_401.json"));
    let wrapped = format!("{{\"error\":{unauthorized}}}");
    let bare = r#"{"code":"07001110","title":"xyzzy","detail":"xyzzy"}"#;
    let number = r#"{"error":{"code":7001110,"detail":"xyzzy"}}"#;
    for (status, content_type, body, kind) in [
        (401, JSON, unauthorized.as_str(), K::Unauthenticated),
        (400, JSON, bad.as_str(), K::Rejected),
        // Which status these have is not documented.
        (200, JSON, unauthorized.as_str(), K::Unauthenticated),
        (403, JSON, unauthorized.as_str(), K::Unauthenticated),
        (400, JSON, wrapped.as_str(), K::Unauthenticated),
        (200, JSON, bad.as_str(), K::Rejected),
        (422, JSON, bare, K::Rejected),
        (200, JSON, number, K::Rejected),
        (401, HTML, "<h1>xyzzy</h1>", K::Unauthenticated),
        (403, JSON, r#"{"error":{"code":"07009999","detail":"xyzzy"}}"#, K::Forbidden),
        (429, JSON, bad.as_str(), K::RateLimited),
        (500, JSON, bad.as_str(), K::Unavailable),
        (503, HTML, "<h1>xyzzy</h1>", K::Unavailable),
        (504, "", "", K::Timeout),
        (404, HTML, "<h1>xyzzy</h1>", K::Malformed),
        (302, "", "", K::Malformed),
        (204, "", "", K::Malformed),
        (200, JSON, "", K::Malformed),
        (200, HTML, r#"{"data":[]}"#, K::Malformed),
        (200, JSON, "[]", K::Malformed),
        (200, JSON, "{}", K::Malformed),
        (200, JSON, r#"{"data":"xyzzy"}"#, K::Malformed),
        (200, JSON, r#"{"data":[{]}"#, K::Malformed),
    ] {
        let source = answering(status, content_type, body);
        let errors = match kind {
            // The probe asks whether it is answered, not what.
            K::Malformed if status == 200 => outcomes_without_probe(&*source).await,
            _ => outcomes(&*source).await,
        };
        for error in errors {
            assert_eq!(error.kind(), kind, "{status} {body}: {error}");
            assert!(!format!("{error} {error:?}").contains("xyzzy"));
            assert_eq!(*error.source_name(), name());
        }
    }
}

async fn outcomes_without_probe(source: &dyn Source) -> Vec<SourceError> {
    let one = [NativeId::new("1")];
    vec![
        source.list(&call(), &page(0, 10)).await.unwrap_err(),
        source.related(&call(), RecordKind::Owner, &one, PLAIN).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn an_incident_that_the_server_says_it_lacks_is_just_missing() {
    let source = answering(404, JSON, &fixture("error_400.json"));
    let one = [NativeId::new("3000000438278")];
    let found = source.details(&call(), &of(&one, ALL_PARTS, PLAIN)).await.unwrap();
    assert!(found.items.is_empty() && found.failed.is_empty());
}

#[tokio::test]
async fn each_fault_has_its_kind_and_the_next_call_is_well_again() {
    use SourceErrorKind as K;
    let bench = Bench::with(options(20), |config| {
        config.policy.total_timeout = Duration::from_millis(400);
        config.policy.idle_timeout = Duration::from_millis(50);
    })
    .await;
    for (fault, kind) in [
        ("400", K::Rejected),
        ("401", K::Unauthenticated),
        ("expired", K::Unauthenticated),
        ("403", K::Forbidden),
        ("429", K::RateLimited),
        ("429:7", K::RateLimited),
        ("500", K::Unavailable),
        ("503", K::Unavailable),
        ("html:502", K::Unavailable),
        ("cut", K::Malformed),
        ("garbage", K::Malformed),
        ("empty", K::Malformed),
        ("content-type", K::Malformed),
        ("redirect", K::Malformed),
        ("hang", K::Timeout),
        ("drip", K::Timeout),
        ("slow:2000", K::Timeout),
    ] {
        bench.sandbox.set_faults(vec![format!("{fault}*1").parse().unwrap()]);
        let error = bench.source.list(&call(), &page(0, 10)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault}: {error}");
        let after = if fault == "429:7" { Retry::After(Duration::from_secs(7)) } else { error.retry() };
        assert_eq!(error.retry(), after);
        assert_eq!(bench.source.list(&call(), &page(0, 10)).await.unwrap().items.len(), 10, "{fault}");
    }
}

#[tokio::test]
async fn a_row_that_is_partly_broken_is_kept_and_counted() {
    let bench = Bench::new(21).await;
    let own = bench.rows("").await;
    bench.sandbox.set_faults(vec!["malformed*1".parse().unwrap()]);
    let rows = bench.source.list(&call(), &page(0, 100)).await.unwrap();
    assert_eq!((rows.items.len(), rows.consumed, rows.malformed), (21, 21, 1));
    let broken = &rows.items[10];
    assert_eq!(broken.key, key(&*own[10]["incident_id"].to_string()));
    assert!(broken.title.is_none() && broken.created_at.is_none() && broken.severity == Severity::Unknown);
}

#[tokio::test]
async fn a_wrong_token_is_told_as_such() {
    for token in ["", "wrong", "with\nline", "ünicode"] {
        let change = |config: &mut Config| config.token = token.to_owned().into();
        let bench = Bench::with(options(10), change).await;
        let error = bench.source.list(&call(), &page(0, 10)).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unauthenticated, "{token:?}");
        let probe = bench.source.probe(&call()).await;
        assert_eq!((probe.status, probe.error.is_some()), (SourceStatus::Unauthenticated, true));
    }
}

#[tokio::test]
async fn the_probe_tells_what_the_token_may_not_do() {
    for (scopes, status, users) in [
        ("", SourceStatus::Ok, false),
        (":incident.READ,users.READ", SourceStatus::Ok, false),
        (":incident.READ", SourceStatus::Ok, true),
        (":users.READ", SourceStatus::Unauthenticated, false),
    ] {
        let change = |config: &mut Config| config.token = format!("{}{scopes}", config.token.expose()).into();
        let bench = Bench::with(options(10), change).await;
        let probe = bench.source.probe(&call()).await;
        assert_eq!(probe.status, status, "{scopes}");
        let notes: Vec<&str> = probe.notes.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(notes, if users { vec!["timeZone", "users"] } else { vec!["timeZone"] }, "{scopes}");
        assert_eq!(probe.notes[0].1.as_str(), "\"Europe/Berlin\"");
        assert!(probe.version.is_none() && probe.checked_at == call().now);
        assert_eq!(probe.clock_skew_ms.is_some(), status == SourceStatus::Ok);
        assert_eq!(bench.calls().len(), 2);
    }
    let down = answering(503, "", "");
    let probe = down.probe(&call()).await;
    assert_eq!((probe.status, probe.clock_skew_ms), (SourceStatus::Unavailable, None));
    assert_eq!(down.account(&call()).await.unwrap_err().kind(), SourceErrorKind::Unsupported);
}

/// The sandbox keeps the vendor's quota where it is told to; who is refused is told when nothing more is known.
#[tokio::test]
async fn sixty_calls_a_minute_are_taken_and_the_next_is_refused() {
    let strict = SandboxOptions { strict_limits: true, ..options(10) };
    let bench = Bench::with(strict, |_| {}).await;
    for number in 1..=61 {
        let listed = bench.source.list(&call(), &page(0, 1)).await.map(|rows| rows.items.len());
        match number {
            61 => assert_eq!(listed.unwrap_err().kind(), SourceErrorKind::RateLimited),
            _ => assert_eq!(listed.unwrap(), 1),
        }
    }
    bench.sandbox.advance(Duration::from_secs(60));
    assert_eq!(bench.source.list(&call(), &page(0, 1)).await.unwrap().items.len(), 1);
    let lax = Bench::new(10).await;
    for _ in 0..61 {
        assert_eq!(lax.source.list(&call(), &page(0, 1)).await.unwrap().items.len(), 1);
    }
}
