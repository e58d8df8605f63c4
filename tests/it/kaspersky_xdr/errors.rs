//! Each shape in which the server says no, and each way in which an answer can be broken.

use super::support::*;
use incident_gateway::{
    domain::*,
    source::*,
    upstream::{HttpResponse, header::*},
};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const HTML: &str = "text/html; charset=utf-8";

fn source(status: u16, content_type: &'static str, body: impl Into<bytes::Bytes>) -> Arc<dyn Source> {
    let body: bytes::Bytes = body.into();
    over(&[TENANT], move |_| {
        let answer = HttpResponse::new(status, body.clone());
        match content_type {
            "" => answer,
            kind => answer.header(CONTENT_TYPE, HeaderValue::from_static(kind)),
        }
    })
}

#[tokio::test]
async fn each_shape_of_a_refusal_has_its_kind_and_none_of_its_words() {
    use SourceErrorKind as K;
    for (status, content_type, body, kind) in [
        (400, JSON, fixture("error_400_auth_header.json"), K::Unauthenticated),
        (400, JSON, r#"{"Message":"Invalid Authorization Header"}"#.into(), K::Unauthenticated),
        (400, JSON, fixture("error_400_timestamp.json"), K::Internal),
        (400, JSON, fixture("error_400_from.json"), K::Internal),
        (400, JSON, r#"{"message":"cannot parse to","details":"xyzzy"}"#.into(), K::Internal),
        (400, JSON, r#"{"message":"","details":""}"#.into(), K::Internal),
        (400, JSON, r#"{"message":"xyzzy tenantID required"}"#.into(), K::Rejected),
        (400, "text/plain", "xyzzy".into(), K::Rejected),
        (400, JSON, "[]".into(), K::Rejected),
        (401, JSON, r#"{"message":"xyzzy"}"#.into(), K::Unauthenticated),
        (403, JSON, fixture("error_403.json"), K::Forbidden),
        (404, "text/plain", "xyzzy 404 page not found".into(), K::Malformed),
        (404, JSON, fixture("error_404_close.json"), K::NotFound),
        (414, HTML, "xyzzy".into(), K::Rejected),
        (429, JSON, "{}".into(), K::RateLimited),
        (500, JSON, r#"{"message":"xyzzy","details":"xyzzy"}"#.into(), K::Unavailable),
        (502, HTML, "xyzzy".into(), K::Unavailable),
        (504, HTML, "xyzzy".into(), K::Timeout),
        (302, HTML, "xyzzy".into(), K::Malformed),
        (204, "", String::new(), K::Malformed),
        (200, JSON, String::new(), K::Malformed),
        (200, HTML, r#"{"Total":0,"Incidents":[]}"#.into(), K::Malformed),
        (200, JSON, "7".into(), K::Malformed),
        (200, JSON, r#"{"xyzzy":0}"#.into(), K::Malformed),
        (200, JSON, r#"{"Total":1,"Incidents":[{"#.into(), K::Malformed),
    ] {
        let source = source(status, content_type, body.clone());
        let parts = DetailParts { assets: true, ..DetailParts::default() };
        let details = DetailRequest { parts, incidents: vec![nobody(1)], want: PLAIN };
        let errors = [
            source.list(&call(), &page()).await.unwrap_err(),
            source.fetch(&call(), &[nobody(1)], PLAIN).await.unwrap_err(),
            source.related(&call(), RecordKind::Evidence, &[nobody(1)], PLAIN).await.unwrap_err(),
            source.related(&call(), RecordKind::Scope, &[nobody(1)], PLAIN).await.unwrap_err(),
            source.details(&call(), &details).await.unwrap_err(),
            source.probe(&call()).await.error.unwrap(),
        ];
        for error in errors {
            assert_eq!(error.kind(), kind, "{status} {body}: {error}");
            assert!(!format!("{error} {error:?}").contains("xyzzy"));
            assert_eq!(*error.source_name(), name());
        }
    }
}

#[tokio::test]
async fn every_request_wants_json_with_the_token_and_follows_the_document() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let source = over(&[TENANT, BRANCH], move |request| {
        let header = |name: HeaderName| request.headers[name].to_str().unwrap().to_owned();
        log.lock().unwrap().push((request.url.to_string(), header(ACCEPT), header(AUTHORIZATION)));
        match request.url.path() {
            "/xdr/api/v1/tenants" => json(200, "null"),
            _ => json(200, r#"{"Total":0}"#),
        }
    });
    source.list(&call(), &ListRequest { offset: 200, ..page() }).await.unwrap();
    let parts = DetailParts { assets: true, activity: true, ..DetailParts::default() };
    let request = DetailRequest { parts, incidents: vec![nobody(1), nobody(2)], want: PLAIN };
    source.details(&call(), &request).await.unwrap();
    source.related(&call(), RecordKind::Evidence, &[nobody(3)], PLAIN).await.unwrap();
    source.related(&call(), RecordKind::Scope, &[nobody(3)], PLAIN).await.unwrap();
    source.probe(&call()).await;
    let seen = seen.lock().unwrap();
    let both = format!("tenantID={TENANT}&tenantID={BRANCH}");
    let expected = [
        format!("incidents?page=3&{both}"),
        "tenants".into(),
        format!("incidents?page=1&{both}&id={}&id={}&withAffected&withHistory", nobody(1), nobody(2)),
        format!("alerts?page=1&{both}&id={}", nobody(3)),
        "tenants".into(),
        "tenants".into(),
    ];
    let sent: Vec<String> = seen.iter().map(|(url, ..)| url.replace("http://localhost/xdr/api/v1/", "")).collect();
    assert_eq!(sent, expected);
    assert!(seen.iter().all(|(_, accept, token)| accept == JSON && token == "Bearer 0123"));
}

#[tokio::test]
async fn details_that_fail_fail_for_their_incidents_alone() {
    let source = over(&[TENANT], |request| match request.url.query().unwrap().contains(&nobody(9).to_string()) {
        true => json(500, "{}"),
        false => json(200, r#"{"Total":0,"Incidents":null}"#),
    });
    let mut ids: Vec<NativeId> = (0..100).map(nobody).collect();
    ids.extend((0..100u8).map(|number| NativeId::new(&format!("10000000-0000-4000-8000-0000000000{number:02x}"))));
    let found = source.fetch(&call(), &ids, PLAIN).await.unwrap();
    assert_eq!((found.items.len(), found.failed.len()), (0, 100));
    assert!(found.failed.iter().all(|(_, error)| error.kind() == SourceErrorKind::Unavailable));
}

#[tokio::test]
async fn a_broken_row_does_not_cost_the_page() {
    let bench = Bench::new(30).await;
    let whole = bench.source.list(&call(), &page()).await.unwrap();
    bench.sandbox.set_faults(vec!["malformed@/xdr/api/v1/incidents".parse().unwrap()]);
    let rows = bench.source.list(&call(), &page()).await.unwrap();
    assert_eq!(
        (rows.items.len(), rows.malformed, rows.consumed, rows.total),
        (whole.items.len(), 1, whole.consumed, whole.total)
    );
    let middle = whole.items.len() / 2;
    for (place, (one, other)) in whole.items.iter().zip(&rows.items).enumerate() {
        assert_eq!(one == other, place != middle, "{place}");
        assert_eq!((&one.key, &one.scope), (&other.key, &other.scope));
    }
}

#[tokio::test]
async fn a_server_that_fails_is_told_in_its_kind_and_heals() {
    use SourceErrorKind as K;
    let bench = Bench::new(20).await;
    for (fault, kind) in [
        ("503", K::Unavailable),
        ("429:7", K::RateLimited),
        ("html:500", K::Unavailable),
        ("cut", K::Malformed),
        ("garbage", K::Malformed),
        ("empty", K::Malformed),
        ("content-type", K::Malformed),
        ("redirect", K::Malformed),
        ("400", K::Unauthenticated),
        ("403", K::Forbidden),
    ] {
        bench.sandbox.set_faults(vec![format!("{fault}@/xdr/api/v1/incidents").parse().unwrap()]);
        let error = bench.source.list(&call(), &page()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault}");
        if fault == "429:7" {
            assert_eq!(error.retry(), Retry::After(Duration::from_secs(7)));
        }
        bench.sandbox.set_faults(Vec::new());
        assert!(!bench.source.list(&call(), &page()).await.unwrap().items.is_empty(), "{fault}");
    }
}

#[tokio::test]
async fn a_token_that_ends_is_told() {
    let bench = Bench::new(20).await;
    bench.sandbox.set_faults(vec!["expired*1".parse().unwrap()]);
    let first = bench.source.list(&call(), &page()).await.unwrap_err();
    assert_eq!(first.kind(), SourceErrorKind::Unauthenticated);
    let second = bench.source.list(&call(), &page()).await.unwrap_err();
    assert_eq!(second.kind(), SourceErrorKind::Forbidden, "this server tells it so");
    let probe = bench.source.probe(&call()).await;
    assert_eq!(probe.status, SourceStatus::Forbidden);
}

#[tokio::test]
async fn a_probe_tells_whether_the_token_is_taken() {
    let bench = Bench::new(10).await;
    let probe = bench.source.probe(&call()).await;
    assert_eq!((probe.status, probe.version, probe.error.is_none()), (SourceStatus::Ok, None, true));
    assert_eq!(bench.calls(), ["tenants?"]);
    // A token that may not list tenants is well if those that are configured can be read.
    let configured = over(&[TENANT], |request| match request.url.path() {
        "/xdr/api/v1/tenants" => json(403, fixture("error_403.json")),
        _ => json(200, fixture("list_incidents_unknown_id.json")),
    });
    assert_eq!(configured.probe(&call()).await.status, SourceStatus::Ok);
    let date = HeaderValue::from_static("Fri, 16 Jan 2026 00:00:00 GMT");
    let skewed = over(&[], move |_| json(200, fixture("list_tenants.json")).header(DATE, date.clone()));
    let skew = skewed.probe(&call()).await.clock_skew_ms.unwrap();
    let at = chrono::DateTime::parse_from_rfc3339("2026-01-16T00:00:00Z").unwrap().to_utc();
    assert!((skew - (at - call().now).num_milliseconds() as f64).abs() < 5_000.0, "{skew}");
}

#[tokio::test]
async fn what_the_server_cannot_do_is_refused_without_asking() {
    let bench = Bench::new(10).await;
    let source = &bench.source;
    let capabilities = source.capabilities(&call()).await;
    let parts = DetailParts { comments: true, ..DetailParts::default() };
    let comments = DetailRequest { parts, incidents: vec![nobody(1)], want: PLAIN };
    let errors = [
        source.account(&call()).await.unwrap_err(),
        source.details(&call(), &comments).await.unwrap_err(),
        source.related(&call(), RecordKind::Owner, &[nobody(1)], PLAIN).await.unwrap_err(),
        source
            .catalog(&call(), &CatalogRequest { kind: RecordKind::Owner, ..super::incidents::scopes() })
            .await
            .unwrap_err(),
    ];
    assert!(errors.iter().all(|error| error.kind() == SourceErrorKind::Unsupported), "{errors:?}");
    assert!(capabilities.list.orders.is_empty() && !capabilities.read_comments && capabilities.history);
    assert_eq!(capabilities.catalog, [RecordKind::Scope]);
    let closed = capabilities.statuses.iter().find(|status| status.status == IncidentStatus::Closed).unwrap();
    assert!(closed.needs_resolution && closed.irreversible && !closed.writable);
    assert!(bench.calls().is_empty());
}

#[tokio::test]
async fn mitre_ids_are_named_without_asking() {
    let bench = Bench::new(10).await;
    let ids = ["T1059.001", "T9999", "TA0002", "x/risks/1"].map(NativeId::new);
    let found = bench.source.related(&call(), RecordKind::Threat, &ids, PLAIN).await.unwrap();
    let shown: Vec<_> = found
        .items
        .iter()
        .map(|(id, record)| match record {
            Record::Threat(threat) => {
                (id.to_string(), threat.name.as_deref().unwrap().to_owned(), threat.provider.is_some())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [("T1059.001", "PowerShell", true), ("T9999", "T9999", false), ("TA0002", "Execution", true)];
    assert_eq!(shown, expected.map(|(id, name, listed)| (id.to_owned(), name.to_owned(), listed)));
    assert!(bench.calls().is_empty());
}
