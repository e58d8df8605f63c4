//! Each shape in which the server says no, and each way in which an answer can be broken.

use super::support::*;
use incident_gateway::{
    domain::*,
    sandbox::Release,
    source::*,
    upstream::{HttpRequest, HttpResponse, TransportError, header::*, memory::MemoryTransport},
    vendors::{VendorConfig, build, ciso_assistant::*},
};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

/// A source that gets one answer to everything.
pub(super) fn source(status: u16, content_type: &'static str, body: impl Into<bytes::Bytes>) -> Arc<dyn Source> {
    let body: bytes::Bytes = body.into();
    over(move |_| {
        let answer = HttpResponse::new(status, body.clone());
        match content_type {
            "" => answer,
            kind => answer.header(CONTENT_TYPE, HeaderValue::from_static(kind)),
        }
    })
}

pub(super) fn over(answer: impl Fn(HttpRequest) -> HttpResponse + Send + Sync + 'static) -> Arc<dyn Source> {
    let answer = Arc::new(answer);
    let transport = MemoryTransport::new(move |request| {
        let answer = answer.clone();
        async move { Ok::<_, TransportError>(answer(request)) }
    });
    let config = Config::new("http://localhost/".parse().unwrap(), Credential::Token("0123".to_owned().into()));
    build(&name(), &VendorConfig::CisoAssistant(config), Arc::new(transport))
}

fn page() -> ListRequest {
    ListRequest { tests: Vec::new(), order: None, offset: 0, limit: 10, want: PLAIN }
}

#[tokio::test]
async fn each_shape_of_a_refusal_has_its_kind_and_none_of_its_words() {
    use SourceErrorKind as K;
    for (status, content_type, body, kind) in [
        (401, JSON, r#"{"detail":"xyzzy Invalid token."}"#, K::Unauthenticated),
        (403, JSON, r#"{"detail":"xyzzy You do not have permission."}"#, K::Forbidden),
        (404, JSON, r#"{"detail":"xyzzy Not found."}"#, K::NotFound),
        (406, JSON, r#"{"detail":"xyzzy Could not satisfy."}"#, K::Rejected),
        (400, JSON, r#"{"folder":["xyzzy is not a valid value."],"status":["xyzzy"]}"#, K::Rejected),
        (400, JSON, r#"{"name":"xyzzy is already used in this scope."}"#, K::Rejected),
        (403, JSON, r#"{"assets":"xyzzy You do not have permission to link"}"#, K::Forbidden),
        (400, JSON, r#"{"non_field_errors":["xyzzy"]}"#, K::Rejected),
        (400, JSON, r#"{"error":"xyzzy"}"#, K::Rejected),
        (403, JSON, r#"{"error":"xyzzy Permission denied"}"#, K::Forbidden),
        (400, JSON, r#"{"error":["xyzzy"]}"#, K::Rejected),
        (400, JSON, r#"["xyzzy"]"#, K::Rejected),
        (400, JSON, r#"{"status":400,"errors":[{"message":"xyzzy"}]}"#, K::Rejected),
        (404, HTML, "<h1>xyzzy</h1>", K::Malformed),
        (500, HTML, "<h1>xyzzy</h1>", K::Unavailable),
        (400, "text/html", "<p>xyzzy Request Line is too large", K::Rejected),
        (403, "", "", K::Forbidden),
        (301, "", "", K::Malformed),
        (302, HTML, "xyzzy", K::Malformed),
        (204, "", "", K::Malformed),
        (200, JSON, "", K::Malformed),
        (200, HTML, r#"{"count":0,"results":[]}"#, K::Malformed),
        (200, JSON, "[]", K::Malformed),
        (200, JSON, r#"{"count":0}"#, K::Malformed),
        (429, JSON, r#"{"detail":"xyzzy throttled"}"#, K::RateLimited),
        (502, HTML, "xyzzy", K::Unavailable),
        (504, HTML, "xyzzy", K::Timeout),
    ] {
        let source = source(status, content_type, body);
        let errors = [
            source.list(&call(), &page()).await.unwrap_err(),
            source.fetch(&call(), &[nobody(1)], PLAIN).await.unwrap_err(),
            source.related(&call(), RecordKind::Asset, &[nobody(1)], PLAIN).await.unwrap_err(),
            source.related(&call(), RecordKind::Owner, &[nobody(1)], PLAIN).await.unwrap_err(),
            source.account(&call()).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), kind, "{status} {body}: {error}");
            assert!(!format!("{error} {error:?}").contains("xyzzy"));
            assert_eq!(*error.source_name(), name());
        }
    }
}

#[tokio::test]
async fn a_delay_that_the_server_asks_for_is_passed_on() {
    let source = over(|_| HttpResponse::new(429, "{}").header(RETRY_AFTER, HeaderValue::from_static("17")));
    let error = source.list(&call(), &page()).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(17)));
}

#[tokio::test]
async fn every_request_wants_json_in_english_with_the_credential() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let source = over(move |request| {
        let header = |name: HeaderName| request.headers[name].to_str().unwrap().to_owned();
        log.lock().unwrap().push((
            request.url.path().to_owned(),
            header(ACCEPT),
            header(ACCEPT_LANGUAGE),
            header(AUTHORIZATION),
        ));
        HttpResponse::new(200, r#"{"count":0,"results":[]}"#).header(CONTENT_TYPE, HeaderValue::from_static(JSON))
    });
    let call = call();
    source.list(&call, &page()).await.unwrap();
    for kind in RecordKind::ALL.into_iter().filter(|kind| *kind != RecordKind::Incident) {
        let _ = source.related(&call, kind, &[nobody(1)], Want { raw: true, profile: true, ..Want::PLAIN }).await;
    }
    let parts = DetailParts { comments: true, activity: true, evidence: true, assets: false, delete_preview: true };
    let _ = source.details(&call, &DetailRequest { parts, incidents: vec![nobody(1)], want: PLAIN }).await;
    let all = MetricParts { total: true, by_severity: true, by_month_reported: true, ..MetricParts::default() };
    let _ = source.metrics(&call, all, None).await;
    let _ = source.account(&call).await;
    let _ = source.probe(&call).await;
    for format in [ExportFormat::Csv, ExportFormat::Xlsx] {
        let _ = source.download(&call, &DownloadRequest::Table { format, tests: Vec::new() }).await;
    }
    for format in [ExportFormat::Markdown, ExportFormat::Pdf] {
        let _ = source.download(&call, &DownloadRequest::Report { format, incident: nobody(1) }).await;
    }
    let seen = seen.lock().unwrap();
    assert!(seen.len() >= 17, "{}", seen.len());
    for (path, accept, language, credential) in seen.iter() {
        assert!(path.starts_with("/api/") && path.ends_with('/'), "{path}");
        let file = path.contains("export_") || path.ends_with("/md/") || path.ends_with("/pdf/");
        assert_eq!(accept, if file { "*/*" } else { JSON }, "{path}");
        assert_eq!((language.as_str(), credential.as_str()), ("en", "Token 0123"), "{path}");
    }
}

#[tokio::test]
async fn a_broken_row_does_not_cost_the_page() {
    let bench = Bench::new(Release::V3_15_1, 30).await;
    let whole = bench.source.list(&call(), &page()).await.unwrap();
    bench.sandbox.set_faults(vec!["malformed@/api/incidents/".parse().unwrap()]);
    let rows = bench.source.list(&call(), &page()).await.unwrap();
    assert_eq!((rows.items.len(), rows.malformed, rows.consumed, rows.total), (9, 1, 10, whole.total));
    let kept: Vec<_> =
        whole.items.iter().enumerate().filter(|(place, _)| *place != 5).map(|(_, item)| item.clone()).collect();
    assert_eq!(rows.items, kept);
    let ids: Vec<NativeId> = whole.items.iter().map(|incident| incident.key.native.clone()).collect();
    let found = bench.source.fetch(&call(), &ids, PLAIN).await.unwrap();
    assert_eq!((found.items.len(), found.malformed, found.failed.len()), (9, 1, 0));
}

#[tokio::test]
async fn unknown_words_keep_their_text() {
    let row = r#"{"count":1,"results":[
        {"id":"00000000-0000-4000-8000-000000000001","severity":"Apocalyptic","status":"Frozen",
        "detection":"Oracle","name":"\u202bعطل\u202c","link":7,"later":{"x":1}}]}"#;
    let source = source(200, JSON, row);
    let rows = source.list(&call(), &page()).await.unwrap();
    let incident = &rows.items[0];
    assert_eq!((incident.severity, incident.source_severity.as_deref()), (Severity::Unknown, Some("Apocalyptic")));
    assert_eq!((incident.status, incident.source_status.as_deref()), (IncidentStatus::Other, Some("Frozen")));
    assert_eq!((incident.detection, incident.source_detection.as_deref()), (Some(Detection::Other), Some("Oracle")));
    assert_eq!((incident.title.as_deref(), incident.link.as_deref()), (Some("\u{202b}عطل\u{202c}"), None));
    assert_eq!(rows.malformed, 1, "a broken member is told, and costs only itself");
}

#[tokio::test]
async fn a_server_that_ignores_ids_gives_no_records_that_nobody_asked_for() {
    let row = r#"{"count":2,"results":[
        {"id":"00000000-0000-4000-8000-000000000001"},{"id":"00000000-0000-4000-8000-000000000002"}]}"#;
    let source = source(200, JSON, row);
    let found = source.fetch(&call(), &[nobody(2)], PLAIN).await.unwrap();
    assert_eq!(found.items.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), [nobody(2)]);
    let found = source.related(&call(), RecordKind::Threat, &[nobody(1)], PLAIN).await.unwrap();
    assert_eq!(found.items.len(), 1);
}

#[tokio::test]
async fn a_server_that_is_slow_or_gone_is_told_in_time() {
    let bench = Bench::new(Release::V3_15_1, 20).await;
    bench.warm().await;
    bench.sandbox.set_faults(vec!["hang@/api/incidents/".parse().unwrap()]);
    let error = bench.source.list(&call_for("gateway", Duration::from_millis(60)), &page()).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Timeout);
    let error = bench.source.list(&call_for("gateway", Duration::ZERO), &page()).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Timeout);
    bench.sandbox.set_faults(vec!["cut@/api/incidents/".parse().unwrap()]);
    assert_eq!(bench.source.list(&call(), &page()).await.unwrap_err().kind(), SourceErrorKind::Malformed);
}
