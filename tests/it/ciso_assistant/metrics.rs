//! The server's own counts against a count over a full walk.

use super::support::*;
use chrono::Datelike;
use incident_gateway::{domain::*, sandbox::Release, source::SourceErrorKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const ALL: MetricParts = MetricParts {
    total: true,
    by_severity: true,
    by_status: false,
    by_detection: true,
    by_qualification: true,
    by_month_reported: true,
};

#[tokio::test]
async fn counts_equal_a_count_over_a_full_walk() {
    for release in RELEASES {
        let bench = Bench::new(release, 300).await;
        let all = bench.walk(Vec::new(), None, 500).await;
        let scopes: BTreeSet<NativeId> = all.iter().filter_map(|i| Some(i.scope.as_ref()?.native().clone())).collect();
        assert!(scopes.len() > 2);
        let visible = bench.rest_all("folders/").await;
        for scope in scopes.iter().map(Some).chain([None]) {
            let within: Vec<Arc<Incident>> = all
                .iter()
                .filter(|i| scope.is_none_or(|scope| i.scope.as_ref().is_some_and(|link| link.native() == scope)))
                .cloned()
                .collect();
            assert!(scope.is_none_or(|scope| visible.iter().any(|row| native(&row["id"]) == *scope)));
            let metrics = bench.source.metrics(&call(), ALL, scope).await.unwrap();
            compare(&bench, &within, metrics).await;
        }
    }
}

async fn compare(bench: &Bench, all: &[Arc<Incident>], metrics: Metrics) {
    assert_eq!(metrics.total, Some(all.len() as u64));
    let count = |holds: &dyn Fn(&Incident) -> bool| all.iter().filter(|incident| holds(incident)).count() as u64;
    let severities = metrics.by_severity.unwrap();
    assert_eq!(severities.len(), 6);
    for (severity, value) in severities {
        assert_eq!(value, count(&|incident| incident.severity == severity), "{severity:?}");
    }
    let detections = metrics.by_detection.unwrap();
    assert_eq!(detections.len(), 2);
    for (detection, value) in detections {
        assert_eq!(value, count(&|incident| incident.detection == Some(detection)), "{detection:?}");
    }
    assert_eq!(metrics.by_status, None, "the server calls resolved incidents open");
    let terms = bench.rest_all("terminologies/?field_path=qualifications").await;
    let names: BTreeMap<NativeId, String> =
        terms.iter().map(|row| (native(&row["id"]), row["name"].as_str().unwrap().to_owned())).collect();
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for link in all.iter().flat_map(|incident| &incident.qualifications) {
        *expected.entry(names[link.native()].clone()).or_default() += 1;
    }
    let told: BTreeMap<String, u64> =
        metrics.by_qualification.unwrap().into_iter().map(|(name, value)| (name.into(), value)).collect();
    assert_eq!(told, expected);
    let mut months: BTreeMap<(i32, u32), u64> = BTreeMap::new();
    for time in all.iter().filter_map(|incident| incident.reported_at) {
        *months.entry((time.year(), time.month())).or_default() += 1;
    }
    let expected: Vec<_> = months.into_iter().map(|((year, month), value)| (year, month, value)).collect();
    assert_eq!(metrics.by_month_reported.unwrap(), expected);
}

#[tokio::test]
async fn only_what_is_wanted_is_asked_for() {
    let bench = Bench::new(Release::V3_15_1, 30).await;
    bench.warm().await;
    let total = MetricParts { total: true, ..MetricParts::default() };
    let metrics = bench.source.metrics(&call(), total, None).await.unwrap();
    assert_eq!(Metrics { total: None, ..metrics }, Metrics::default());
    assert_eq!(bench.calls(), ["/api/incidents/summary_stats/"]);
    bench.source.metrics(&call(), ALL, None).await.unwrap();
    assert_eq!(bench.calls().len(), 5);
}

#[tokio::test]
async fn an_unknown_folder_holds_nothing() {
    for release in RELEASES {
        let bench = Bench::new(release, 30).await;
        for scope in [nobody(1), NativeId::new("x"), NativeId::new("")] {
            let metrics = bench.source.metrics(&call(), ALL, Some(&scope)).await.unwrap();
            assert_eq!((metrics.total, metrics.by_qualification.unwrap().len()), (Some(0), 0));
            assert!(metrics.by_severity.unwrap().iter().all(|(_, count)| *count == 0));
            assert!(metrics.by_month_reported.unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn counts_that_mean_something_else_are_never_taken_for_ours() {
    let bench = Bench::new(Release::V3_15_1, 30).await;
    bench.warm().await;
    let parts = MetricParts { by_status: true, ..MetricParts::default() };
    let error = bench.source.metrics(&call(), parts, None).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Internal);
    assert!(bench.calls().is_empty());
}

#[tokio::test]
async fn a_metric_of_another_shape_is_malformed() {
    let bench = Bench::new(Release::V3_15_1, 30).await;
    for fault in ["garbage", "empty", "content-type"] {
        bench.sandbox.set_faults(vec![format!("{fault}@/api/incidents/monthly_metrics/").parse().unwrap()]);
        let error = bench.source.metrics(&call(), ALL, None).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Malformed, "{fault}");
    }
}
