//! What only some vendors can do: done by those that say so, refused by the others before anything is sent.

use super::bench::*;
use chrono::Datelike;
use futures_util::TryStreamExt;
use incident_gateway::{domain::*, source::*};
use std::collections::BTreeMap;

pub(super) async fn metrics_equal_a_count_of_the_rows(subject: &Subject) {
    let bench = Bench::start(subject, 120).await;
    let all = bench.all().await;
    let can = bench.capabilities().await.metrics;
    let mut parts: Vec<MetricParts> = Vec::new();
    let one = |set: fn(&mut MetricParts)| {
        let mut parts = MetricParts::default();
        set(&mut parts);
        parts
    };
    parts.push(one(|parts| parts.total = true));
    parts.push(one(|parts| parts.by_severity = true));
    parts.push(one(|parts| parts.by_status = true));
    parts.push(one(|parts| parts.by_detection = true));
    parts.push(one(|parts| parts.by_qualification = true));
    parts.push(one(|parts| parts.by_month_reported = true));
    for part in parts {
        bench.sandbox.reset_calls();
        let told = bench.source.metrics(&call(), part, None).await;
        if !part.within(can) {
            assert_eq!(told.unwrap_err().kind(), SourceErrorKind::Internal, "{part:?}");
            assert_eq!(bench.sandbox.call_count(), 0, "{part:?}");
            continue;
        }
        let told = told.unwrap();
        let count = |is_it: &dyn Fn(&Incident) -> bool| all.iter().filter(|one| is_it(one)).count() as u64;
        assert_eq!(told.total, part.total.then_some(all.len() as u64));
        for (severity, told) in told.by_severity.into_iter().flatten() {
            assert_eq!(told, count(&|one| one.severity == severity), "{severity:?}");
        }
        for (status, told) in told.by_status.into_iter().flatten() {
            assert_eq!(told, count(&|one| one.status == status), "{status:?}");
        }
        for (detection, told) in told.by_detection.into_iter().flatten() {
            assert_eq!(told, count(&|one| one.detection == Some(detection)), "{detection:?}");
        }
        if let Some(qualifications) = told.by_qualification {
            let links: u64 = all.iter().map(|one| one.qualifications.len() as u64).sum();
            assert_eq!(qualifications.iter().map(|(_, count)| count).sum::<u64>(), links);
        }
        if let Some(months) = told.by_month_reported {
            let mut expected: BTreeMap<(i32, u32), u64> = BTreeMap::new();
            for time in all.iter().filter_map(|one| one.reported_at) {
                *expected.entry((time.year(), time.month())).or_default() += 1;
            }
            let expected: Vec<_> = expected.into_iter().map(|((year, month), count)| (year, month, count)).collect();
            assert_eq!(months, expected);
        }
    }
}

pub(super) async fn files_are_made_or_refused(subject: &Subject) {
    let bench = Bench::start(subject, 25).await;
    let capabilities = bench.capabilities().await;
    let incident = bench.all().await[0].key.native.clone();
    let formats = ExportFormat::WORDS.iter().map(|word| word.value);
    let tables = formats
        .clone()
        .map(|format| (capabilities.exports.contains(&format), DownloadRequest::Table { format, tests: vec![] }));
    let reports = formats.map(|format| {
        let request = DownloadRequest::Report { format, incident: incident.clone() };
        (capabilities.reports.contains(&format), request)
    });
    let attachment = DownloadRequest::Attachment { evidence: NativeId::new("1") };
    // Where pictures are handed out, the vendor's own tests look at them.
    let picture = DownloadRequest::Picture { name: "users/1/avatar".into() };
    let picture = (!capabilities.pictures).then_some((false, picture));
    for (declared, request) in tables.chain(reports).chain([(false, attachment)]).chain(picture) {
        bench.sandbox.reset_calls();
        let answer = bench.source.download(&call(), &request).await;
        if !declared {
            assert!(!capabilities.attachments, "a declared attachment needs a test of its own");
            assert_eq!(answer.err().map(|error| error.kind()), Some(SourceErrorKind::Unsupported), "{request:?}");
            assert_eq!(bench.sandbox.call_count(), 0, "{request:?}");
            continue;
        }
        let file = answer.unwrap_or_else(|error| panic!("{request:?}: {error:?}"));
        let body: Vec<bytes::Bytes> = file.body.try_collect().await.unwrap();
        assert!(body.concat().len() > 100, "{request:?}");
        assert!(file.media_type.contains('/') && file.length.is_none_or(|length| length == body.concat().len() as u64));
        if matches!(request, DownloadRequest::Table { format: ExportFormat::Csv, .. }) {
            let text = String::from_utf8(body.concat()).unwrap();
            assert!(text.lines().count() > 25, "{text}");
        }
    }
    // A filter that the file would not honour makes no file of everything.
    for format in capabilities.exports.iter().copied() {
        let test = Test::Threats(vec![key("x")]);
        assert!(!capabilities.export_filters.iter().any(|filter| filter.takes(&test)));
        let refused = bench.source.download(&call(), &DownloadRequest::Table { format, tests: vec![test] }).await;
        assert_eq!(refused.err().map(|error| error.kind()), Some(SourceErrorKind::Unsupported));
    }
}

pub(super) async fn changes_are_refused_by_capability(subject: &Subject) {
    let bench = Bench::start(subject, 5).await;
    let incidents = vec![bench.all().await[0].key.native.clone()];
    bench.sandbox.reset_calls();
    assert!(!bench.capabilities().await.write.delete, "what is declared needs a test of its own");
    let refused = bench.source.write(&call(), WriteRequest::Delete { incidents }).await;
    assert_eq!(refused.unwrap_err().kind(), SourceErrorKind::Unsupported);
    assert_eq!(bench.sandbox.call_count(), 0);
}

pub(super) async fn health_and_account_are_told(subject: &Subject) {
    let bench = Bench::start(subject, 5).await;
    let probe = bench.source.probe(&call()).await;
    assert_eq!((probe.status, probe.error.is_none()), (SourceStatus::Ok, true), "{:?}", probe.error);
    assert_eq!(probe.checked_at, call().now);
    assert!(bench.sandbox.call_count() > 0, "it looks");
    bench.sandbox.reset_calls();
    match bench.source.account(&call()).await {
        Ok(owner) => {
            assert_eq!(owner.key.source, name());
            assert!(owner.name.is_some());
        }
        Err(error) => {
            assert_eq!(error.kind(), SourceErrorKind::Unsupported);
            assert_eq!(bench.sandbox.call_count(), 0);
        }
    }
    let info = bench.source.info();
    assert_eq!((&info.name, info.url.trim_end_matches('/')), (&name(), &*bench.base));
}
