//! Refusals and failures: each shape has its kind, and none of its words reaches a client.

use super::support::*;
use incident_gateway::{
    domain::{DetailParts, NativeId, RecordKind, SourceStatus},
    source::*,
    upstream::{HttpResponse, header::*},
};
use std::time::Duration;

fn page() -> ListRequest {
    ListRequest { tests: vec![], order: None, offset: 0, limit: 5, want: PLAIN }
}

#[tokio::test]
async fn each_shape_of_a_refusal_has_its_kind_and_none_of_its_words() {
    use SourceErrorKind as K;
    const JSON: &str = "application/json";
    let (unprocessable, failed) = (fixture("error_422.json"), fixture("error_500.json"));
    let reply = r#"{"reply":{"err_code":400,"err_msg":"xyzzy","err_extra":[{"type":"t","loc":["xyzzy"],"msg":"m"}]}}"#;
    for (status, content_type, body, kind) in [
        (400, JSON, reply, K::Rejected),
        (400, JSON, r#"{"reply":{}}"#, K::Rejected),
        (401, JSON, r#"{"reply":{"err_code":401,"err_msg":"xyzzy","err_extra":null}}"#, K::Unauthenticated),
        (401, "", "", K::Unauthenticated),
        (402, JSON, r#"{"reply":{"err_code":402,"err_msg":"xyzzy","err_extra":"xyzzy"}}"#, K::Forbidden),
        (403, JSON, r#"{"reply":{"err_code":403,"err_msg":"xyzzy","err_extra":{}}}"#, K::Forbidden),
        (404, "text/html", "<p>xyzzy", K::Malformed),
        (404, JSON, r#"{"reply":{}}"#, K::NotFound),
        (422, JSON, &unprocessable, K::Rejected),
        (429, JSON, r#"{"reply":{"err_code":429,"err_msg":"xyzzy"}}"#, K::RateLimited),
        (500, JSON, &failed, K::Unavailable),
        (503, "text/html", "xyzzy", K::Unavailable),
        (504, "", "", K::Timeout),
        (302, "", "", K::Malformed),
        (200, JSON, r#"{"reply":{"err_code":403,"err_msg":"xyzzy","err_extra":null}}"#, K::Forbidden),
        (200, JSON, r#"{"reply":{"err_code":500,"err_msg":"xyzzy","err_extra":null}}"#, K::Unavailable),
        (200, JSON, "", K::Malformed),
        (200, "text/html", "<p>xyzzy", K::Malformed),
        (200, JSON, r#"{"reply":false}"#, K::Malformed),
        (200, JSON, "xyzzy", K::Malformed),
    ] {
        let body = body.to_owned();
        let (source, _) = over(&config(), move |_, _| {
            HttpResponse::new(status, body.clone()).header(CONTENT_TYPE, HeaderValue::from_static(content_type))
        });
        let parts = DetailParts { evidence: true, ..DetailParts::default() };
        let request = DetailRequest { parts, incidents: natives(&["1"]), want: PLAIN };
        let mut details = source.details(&call(), &request).await.unwrap();
        let errors = [
            source.list(&call(), &page()).await.unwrap_err(),
            source.fetch(&call(), &natives(&["1"]), PLAIN).await.unwrap_err(),
            source.related(&call(), RecordKind::Evidence, &natives(&["1"]), PLAIN).await.unwrap_err(),
            source.related(&call(), RecordKind::Evidence, &natives(&["1/alerts/0"]), PLAIN).await.unwrap_err(),
            details.failed.remove(0).1,
        ];
        for error in errors {
            assert_eq!(error.kind(), kind, "{status}: {error}");
            assert!(!format!("{error} {error:?}").contains("xyzzy"));
        }
        let probe = source.probe(&call()).await;
        assert_ne!(probe.status, SourceStatus::Ok, "{status}");
    }
}

#[tokio::test]
async fn a_delay_that_the_server_asks_for_is_passed_on() {
    let (source, _) =
        over(&config(), |_, _| HttpResponse::new(429, "{}").header(RETRY_AFTER, HeaderValue::from_static("17")));
    let error = source.list(&call(), &page()).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(17)));
}

#[tokio::test]
async fn each_fault_of_the_sandbox_is_typed() {
    use SourceErrorKind as K;
    let bench = Bench::new(20).await;
    for (fault, kind) in [
        ("400", K::Rejected),
        ("402", K::Forbidden),
        ("403", K::Forbidden),
        ("422", K::Rejected),
        ("429:3", K::RateLimited),
        ("500", K::Unavailable),
        ("503", K::Unavailable),
        ("html:502", K::Unavailable),
        ("cut", K::Malformed),
        ("garbage", K::Malformed),
        ("empty", K::Malformed),
        ("content-type", K::Malformed),
        ("expired", K::Unauthenticated),
        ("redirect", K::Malformed),
    ] {
        bench.sandbox.set_faults(vec![fault.parse().unwrap()]);
        let error = bench.source.list(&call(), &page()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault}");
        bench.sandbox.set_faults(vec![]);
        assert!(bench.source.list(&call(), &page()).await.is_ok(), "after {fault}");
    }
}

#[tokio::test]
async fn a_broken_row_costs_its_members_only() {
    let bench = Bench::new(20).await;
    let whole = bench.source.list(&call(), &page()).await.unwrap();
    bench.sandbox.set_faults(vec!["malformed".parse().unwrap()]);
    let rows = bench.source.list(&call(), &page()).await.unwrap();
    let ids = |rows: &[std::sync::Arc<incident_gateway::domain::Incident>]| -> Vec<NativeId> {
        rows.iter().map(|incident| incident.key.native.clone()).collect()
    };
    assert_eq!((rows.consumed, whole.malformed), (5, 0));
    assert_eq!(ids(&rows.items), ids(&whole.items));
    let wide = ListRequest { limit: 100, ..page() };
    assert_eq!(bench.source.list(&call(), &wide).await.unwrap().malformed, 1);
}

#[tokio::test]
async fn what_the_source_has_no_way_to_do_is_refused_without_a_call() {
    let bench = Bench::new(20).await;
    let (source, call) = (&bench.source, call());
    assert_eq!(source.account(&call).await.unwrap_err().kind(), SourceErrorKind::Unsupported);
    let parts = DetailParts { comments: true, ..DetailParts::default() };
    let request = DetailRequest { parts, incidents: natives(&["1"]), want: PLAIN };
    assert_eq!(source.details(&call, &request).await.unwrap_err().kind(), SourceErrorKind::Unsupported);
    let search = incident_gateway::domain::Search::parse("");
    let request = CatalogRequest { kind: RecordKind::Tag, offset: 0, limit: 5, want: PLAIN, search };
    assert_eq!(source.catalog(&call, &request).await.unwrap_err().kind(), SourceErrorKind::Unsupported);
    assert!(source.related(&call, RecordKind::Asset, &natives(&["1"]), PLAIN).await.unwrap().items.is_empty());
    assert_eq!(bench.sandbox.call_count(), 0);
}
