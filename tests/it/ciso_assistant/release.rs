//! Which release is asked what, and how the source says that it is well.

use super::support::*;
use incident_gateway::{domain::*, sandbox::Release, source::*};
use std::time::Duration;

#[tokio::test]
async fn the_release_is_found_once() {
    let bench = Bench::new(Release::V3_15_1, 20).await;
    for _ in 0..3 {
        bench.source.capabilities(&call()).await;
    }
    assert_eq!(bench.calls(), ["/api/build/"]);
}

#[tokio::test]
async fn a_release_that_cannot_be_found_is_asked_what_all_can_and_looked_for_again() {
    let bench = Bench::new(Release::V3_20_8, 20).await;
    bench.sandbox.set_faults(vec!["503@/api/build/*1".parse().unwrap()]);
    assert!(!bench.source.capabilities(&call()).await.list.filters.iter().any(|f| f.field == IncidentField::CreatedAt));
    assert!(bench.source.capabilities(&call()).await.list.filters.iter().any(|f| f.field == IncidentField::CreatedAt));
}

#[tokio::test]
async fn a_server_that_does_not_tell_its_release_is_not_asked_all_the_time() {
    let bench = Bench::new(Release::V3_20_8, 20).await;
    bench.sandbox.set_faults(vec!["403@/api/build/".parse().unwrap()]);
    for _ in 0..5 {
        assert!(bench.source.capabilities(&call()).await.export_filters.is_empty());
    }
    assert_eq!(bench.calls().len(), 1);
}

/// The clock of tokio is moved, not waited for; nothing is on its way meanwhile.
#[tokio::test]
async fn a_refusal_makes_the_release_doubtful() {
    let bench = Bench::new(Release::V3_20_8, 20).await;
    assert!(!bench.source.capabilities(&call()).await.export_filters.is_empty());
    bench.sandbox.set_release(Release::V3_15_1);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(15)).await;
    tokio::time::resume();
    assert!(!bench.source.capabilities(&call()).await.export_filters.is_empty(), "nothing has failed yet");
    bench.sandbox.set_faults(vec!["400@/api/incidents/*1".parse().unwrap()]);
    let request = ListRequest { tests: Vec::new(), order: None, offset: 0, limit: 5, want: PLAIN };
    assert_eq!(bench.source.list(&call(), &request).await.unwrap_err().kind(), SourceErrorKind::Rejected);
    assert!(bench.source.capabilities(&call()).await.export_filters.is_empty());
    assert!(bench.source.list(&call(), &request).await.is_ok());
}

#[tokio::test]
async fn the_probe_tells_release_latency_and_clock() {
    for release in RELEASES {
        let bench = Bench::new(release, 20).await;
        let own = bench.rest("/api/build/").await;
        bench.sandbox.set_latency(Duration::from_millis(15));
        bench.sandbox.reset_calls();
        let probe = bench.source.probe(&call()).await;
        assert_eq!((probe.status, probe.error.is_none()), (SourceStatus::Ok, true));
        assert_eq!(probe.version.as_deref(), own["version"].as_str());
        assert!(probe.latency >= Duration::from_millis(15));
        assert_eq!(probe.checked_at, call().now);
        // The simulated server's head tells the time of the machine.
        let expected = (chrono::Utc::now() - call().now).num_milliseconds() as f64;
        assert!((probe.clock_skew_ms.unwrap() - expected).abs() < 5_000.0);
        assert_eq!(bench.calls().len(), 1);
    }
}

#[tokio::test]
async fn the_probe_tells_what_is_wrong() {
    let bench = Bench::new(Release::V3_15_1, 20).await;
    for (fault, status) in [
        ("503", SourceStatus::Unavailable),
        ("403", SourceStatus::Forbidden),
        ("429:3", SourceStatus::RateLimited),
        ("garbage", SourceStatus::Malformed),
        ("html:404", SourceStatus::Malformed),
        ("expired", SourceStatus::Unauthenticated),
    ] {
        bench.sandbox.set_faults(vec![format!("{fault}@/api/build/").parse().unwrap()]);
        let probe = bench.source.probe(&call()).await;
        assert_eq!((probe.status, probe.error.is_none()), (status, false), "{fault}");
    }
    bench.sandbox.set_faults(vec!["hang@/api/build/".parse().unwrap()]);
    let probe = bench.source.probe(&call_for("gateway", Duration::from_millis(80))).await;
    assert_eq!(probe.status, SourceStatus::Timeout);
}
