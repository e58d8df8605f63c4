//! Sixty requests a minute, and questions that need more.

use super::support::*;
use incident_gateway::{
    domain::*,
    sandbox::SandboxOptions,
    source::Call,
    upstream::{Cache, Context, Policy, Rate},
    vendors::eventlog_analyzer::Config,
};
use serde_json::Value;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;

const MILLISECOND: Duration = Duration::from_millis(1);
const QUERY: &str = "{ incidents(first: 100) { nodes { sourceId comments { totalCount } activity { totalCount } } \
                     sources { status } } }";

/// Details are soon old, and given all the same while the quota is used up.
async fn bench() -> Bench {
    let strict = SandboxOptions { strict_limits: true, ..options(100) };
    Bench::with(strict, |config| {
        let cache = Policy::standard().cache;
        config.policy.cache = Cache { lists: Duration::ZERO, details: MILLISECOND, ..cache };
    })
    .await
}

/// How many incidents have details, and how many errors there are.
fn told(answer: &Value) -> (usize, usize) {
    let nodes = answer["data"]["incidents"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 100);
    let codes = answer["errors"].as_array().cloned().unwrap_or_default();
    assert!(codes.iter().all(|error| error["extensions"]["code"] == "SOURCE_RATE_LIMITED"), "{codes:?}");
    (nodes.iter().filter(|node| !node["comments"].is_null()).count(), codes.len())
}

#[tokio::test]
async fn the_same_question_gets_further_each_minute() {
    let bench = bench().await;
    let mut got = Vec::new();
    for _ in 0..3 {
        got.push(told(&bench.gql(QUERY).await));
        bench.sandbox.advance(Duration::from_secs(61));
        tokio::time::sleep(3 * MILLISECOND).await;
    }
    // The list costs two calls, as its last page is full.
    assert!(got[0].0 == 58 && got[0].1 > 0, "{got:?}");
    assert_eq!(got[1..], [(100, 0), (100, 0)], "what was read before is shown as it was");
}

/// Those that are shown from memory are not the same ones each time.
#[tokio::test(start_paused = true)]
async fn each_incident_is_read_anew_in_its_turn() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let standard = |config: &mut Config| {
        config.policy = Policy { rates: vec![Rate::of_all(Config::CALLS_PER_MINUTE)], ..Policy::standard() };
    };
    let source = over(standard, move |url| {
        log.lock().unwrap().push(url.to_owned());
        json(200, r#"{"data":{}}"#)
    });
    let ids: Vec<NativeId> = (1_000..1_100).map(|id| NativeId::new(&id.to_string())).collect();
    let mut told = Vec::new();
    for _ in 0..10 {
        let found = source.details(&call_for(Duration::from_secs(10)), &of(&ids, ALL_PARTS, PLAIN)).await.unwrap();
        told.push((found.items.len(), found.failed.len()));
        tokio::time::advance(Duration::from_secs(61)).await;
    }
    assert_eq!(told[0], (60, 40));
    assert_eq!(told[1..], [(100, 0); 9]);
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 600);
    for id in &ids {
        let times = asked.iter().filter(|url| url.contains(&id.to_string())).count();
        assert_eq!(times, 6, "{id}");
    }
}

fn call_for(time: Duration) -> Call {
    let context = Context::new(Instant::now() + time, "r-1", "gateway");
    Call { context, ..call() }
}
