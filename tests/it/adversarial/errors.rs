//! Each shape in which the server says no, and each way in which an answer can be broken.

use super::support::*;
use crate::support::call;
use incident_gateway::{
    domain::*,
    source::*,
    upstream::{HttpResponse, header::*},
};
use std::{sync::Arc, time::Duration};

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

fn source(status: u16, content_type: &'static str, body: impl Into<String>) -> Arc<dyn Source> {
    let body = body.into();
    over(move |_| {
        let answer = HttpResponse::new(status, body.clone());
        match content_type {
            "" => answer,
            kind => answer.header(CONTENT_TYPE, HeaderValue::from_static(kind)),
        }
    })
}

async fn errors(source: &Arc<dyn Source>) -> Vec<SourceError> {
    let ids = ["INC-00001", "INC-00002"].map(NativeId::new);
    let terms = CatalogRequest { kind: RecordKind::Term, offset: 0, limit: 9, want: PLAIN, search: Search::parse("") };
    vec![
        source.list(&call("errors"), &page(0, 10)).await.unwrap_err(),
        source.catalog(&call("errors"), &terms).await.unwrap_err(),
        source.account(&call("errors")).await.unwrap_err(),
        source.probe(&call("errors")).await.error.unwrap(),
        source.fetch(&call("errors"), &ids, PLAIN).await.err().unwrap_or_else(|| {
            // What is not there is missing, not wrong.
            SourceError::from_status(&name(), "x", 404, None)
        }),
    ]
}

#[tokio::test]
async fn each_shape_of_a_refusal_has_its_kind_and_none_of_its_words() {
    use SourceErrorKind as K;
    let fixture = |name: &str| fixture(name);
    for (status, content_type, body, kind) in [
        (400, JSON, fixture("error_400_empty_payload"), K::Rejected),
        (400, JSON, fixture("error_400_validation"), K::Rejected),
        (400, JSON, fixture("error_400_validation_framework_form"), K::Rejected),
        (400, JSON, r#"{"error":"Bad Request"}"#.into(), K::Rejected),
        (415, JSON, r#"{"error":"xyzzy"}"#.into(), K::Rejected),
        (422, "", "xyzzy".into(), K::Rejected),
        (401, JSON, fixture("error_401"), K::Unauthenticated),
        (403, JSON, fixture("error_403"), K::Forbidden),
        (404, JSON, fixture("error_404"), K::NotFound),
        (404, HTML, "<h1>xyzzy</h1>".into(), K::Malformed),
        (409, JSON, r#"{"error":"conflict","description":"xyzzy"}"#.into(), K::Conflict),
        (429, JSON, "{}".into(), K::RateLimited),
        (500, JSON, r#"{"error":"internal_server_error"}"#.into(), K::Unavailable),
        (502, HTML, "xyzzy".into(), K::Unavailable),
        (504, HTML, "xyzzy".into(), K::Timeout),
        (302, HTML, "xyzzy".into(), K::Malformed),
        (204, "", String::new(), K::Malformed),
        (200, JSON, String::new(), K::Malformed),
        (200, HTML, "{}".into(), K::Malformed),
        (200, JSON, "7".into(), K::Malformed),
        (200, JSON, r#"{"xyzzy":1}"#.into(), K::Malformed),
        (200, JSON, r#"{"incidents":{},"sources":7,"results":null}"#.into(), K::Malformed),
        (200, JSON, "{".into(), K::Malformed),
    ] {
        for error in errors(&source(status, content_type, body.clone())).await {
            assert_eq!(error.kind(), kind, "{status} {body}: {error}");
            let shown = format!("{error} {error:?}");
            for word in ["xyzzy", "Empty payload", "inactive", "permission to access", "Insufficient"] {
                assert!(!shown.contains(word), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn a_delay_that_the_server_asks_for_is_passed_on() {
    let source = over(|_| json_reply(429, "{}").header(RETRY_AFTER, HeaderValue::from_static("17")));
    let error = source.list(&call("limited"), &page(0, 10)).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(17)));
}

#[tokio::test]
async fn each_fault_is_typed_and_over_when_it_is_healed() {
    use SourceErrorKind as K;
    let bench = Bench::new(30).await;
    for (fault, kind) in [
        ("400", K::Rejected),
        ("403", K::Forbidden),
        ("404", K::NotFound),
        ("409", K::Conflict),
        ("429:2", K::RateLimited),
        ("500", K::Unavailable),
        ("html:502", K::Unavailable),
        ("cut", K::Malformed),
        ("garbage", K::Malformed),
        ("empty", K::Malformed),
        ("content-type", K::Malformed),
        ("redirect", K::Malformed),
    ] {
        bench.sandbox.set_faults(vec![format!("{fault}@/api/v1/incidents").parse().unwrap()]);
        let error = bench.source.list(&call("fault"), &page(0, 10)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault}");
        bench.sandbox.set_faults(Vec::new());
        assert_eq!(bench.source.list(&call("fault"), &page(0, 10)).await.unwrap().items.len(), 10, "{fault}");
    }
}

#[tokio::test]
async fn a_broken_part_of_a_row_costs_that_part() {
    let bench = Bench::new(30).await;
    let whole = bench.source.list(&call("whole"), &page(0, 10)).await.unwrap();
    bench.sandbox.set_faults(vec!["malformed@/api/v1/incidents".parse().unwrap()]);
    let rows = bench.source.list(&call("broken"), &page(0, 10)).await.unwrap();
    assert_eq!((rows.items.len(), rows.malformed, rows.consumed, rows.total), (10, 1, 10, whole.total));
    for (place, (incident, sound)) in rows.items.iter().zip(&whole.items).enumerate() {
        assert_eq!(incident.key, sound.key);
        if place == 5 {
            assert_eq!((&incident.title, &incident.owners), (&sound.title, &sound.owners));
            assert!(incident.tags.is_empty() && incident.threats.is_empty() && incident.related_records.is_empty());
        } else {
            assert_eq!(incident, sound);
        }
    }
}

#[tokio::test]
async fn a_server_that_is_silent_is_told_in_time() {
    let bench = Bench::new(10).await;
    bench.source.list(&call("warm"), &page(0, 1)).await.unwrap();
    bench.sandbox.set_faults(vec!["hang@/api/v1/incidents".parse().unwrap()]);
    let mut call = call("silent");
    call.context.deadline = tokio::time::Instant::now() + Duration::from_millis(80);
    assert_eq!(bench.source.list(&call, &page(0, 10)).await.unwrap_err().kind(), SourceErrorKind::Timeout);
}

#[tokio::test]
async fn odd_rows_lose_only_what_is_odd() {
    let source = over(|_| json_reply(200, &fixture("odd_rows")));
    let rows = source.list(&call("odd"), &page(0, 100)).await.unwrap();
    let references: Vec<&str> = rows.items.iter().map(|incident| &**incident.reference.as_ref().unwrap()).collect();
    assert_eq!(references, ["INC-00007", "INC-00009", "INC-100000"]);
    assert_eq!((rows.consumed, rows.total, rows.more, rows.malformed), (5, Some(5), false, 3));
    let odd = &rows.items[0];
    assert_eq!(odd.title.as_deref(), Some("Odd in many members"));
    assert_eq!((odd.description.as_ref(), odd.contained_at, odd.detected_at, odd.updated_at), (None, None, None, None));
    assert!(odd.created_at.is_some());
    assert_eq!((odd.severity, odd.source_severity.as_deref()), (Severity::Informational, Some("SEV5")));
    assert_eq!((odd.status, odd.source_status.as_deref()), (IncidentStatus::Other, Some("Frozen")));
    assert!(odd.origins.is_empty());
    assert_eq!(odd.owners, [Link::bare(key("c2a6a0ce-8c53-4a0a-8a55-2d7e0f6f9b42"))]);
    let creator = odd.created_by.as_ref().unwrap();
    assert_eq!((&creator.key, creator.name.as_deref()), (&key("9"), Some("ADA@Example.org")));
    assert_eq!(odd.tags.iter().map(|tag| tag.name.as_deref()).collect::<Vec<_>>(), [Some("kept")]);
    let [threat] = &odd.threats[..] else { panic!("{:?}", odd.threats) };
    assert_eq!(
        (threat.threat.name.as_deref(), threat.relevance.as_deref()),
        (Some("World Domination"), Some("Primary"))
    );
    assert_eq!(threat.linked_at.unwrap().to_rfc3339(), "2026-02-04T02:00:00+00:00");
    assert_eq!(odd.related_records.len(), 2, "a number can be a reference");
    let flat = &rows.items[1];
    assert_eq!((flat.title.as_deref(), flat.status), (Some("A flat one"), IncidentStatus::Closed));
    assert_eq!((flat.severity, flat.source_severity.as_deref()), (Severity::Unknown, Some("SEV-0")));
    let bare = &rows.items[2];
    assert_eq!((bare.severity, &bare.source_severity, bare.status), (Severity::Unknown, &None, IncidentStatus::Other));
}

#[tokio::test]
async fn every_request_is_below_the_api_and_wants_json_with_the_token() {
    let source = over(|request| {
        assert!(request.url.path().starts_with("/api/v1/"), "{}", request.url);
        assert_eq!(request.headers[ACCEPT], JSON);
        assert_eq!(request.headers[AUTHORIZATION], "Bearer example.access.jwt");
        json_reply(200, r#"{"incidents":[],"comments":[],"entries":[],"sources":[],"id":"1"}"#)
    });
    let call = call("paths");
    source.list(&call, &page(0, 10)).await.unwrap();
    let _ = source.fetch(&call, &["INC-00001", "INC-00002"].map(NativeId::new), RAW).await;
    let parts = DetailParts { comments: true, activity: true, ..DetailParts::default() };
    let details = DetailRequest { parts, incidents: vec![NativeId::new("INC-00001")], want: RAW };
    assert_eq!(source.details(&call, &details).await.unwrap().items.len(), 1);
    source.related(&call, RecordKind::Term, &[NativeId::new("SIEM")], PLAIN).await.unwrap();
    source.account(&call).await.unwrap();
    assert_eq!(source.probe(&call).await.status, SourceStatus::Ok);
}
