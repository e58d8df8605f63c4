//! Many clients that walk different lists at once: memory stays within its bound, and every answer is whole.

use super::{Five, Setting};
use crate::paging::ORDERS;
use incident_gateway::federation::SnapshotLimits;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

const CLIENTS: usize = 200;
const FILTERS: [&str; 10] = [
    "{}",
    "{ severity: [HIGH, CRITICAL] }",
    "{ severity: [LOW] }",
    "{ status: [NEW] }",
    "{ phase: DONE }",
    "{ unassigned: true }",
    "{ not: { status: [CLOSED] } }",
    "{ search: \"vpn\" }",
    "{ created: { since: \"2026-03-01T00:00:00Z\" } }",
    "{ updated: { until: \"2026-09-01T00:00:00Z\" } }",
];

/// Less than what the copies of all these questions take, and than a short page for each of them.
const BOUND: usize = 4 << 20;
/// Of each source: several pages.
const ROWS: usize = 230;
const PAGES: usize = 3;
/// For one page. Half of it is for waiting: beside other work on the machine too, that should do for all.
const PATIENCE: Duration = Duration::from_secs(240);

async fn client(five: Arc<Five>, number: usize) -> (usize, BTreeSet<String>) {
    let (field, filter) = (ORDERS[number % ORDERS.len()], FILTERS[number % FILTERS.len()]);
    let direction = if number.is_multiple_of(2) { "ASC" } else { "DESC" };
    let raw = if number.is_multiple_of(4) { "raw" } else { "title" };
    let query = format!(
        "query($after: String) {{ incidents(first: 100, after: $after, filter: {filter},
           orderBy: {{ field: {field}, direction: {direction} }}) {{ totalCount totalCountPrecision
         pageInfo {{ hasNextPage endCursor }} nodes {{ id {raw} }}
         sources {{ source {{ name }} status truncated error {{ code }} }} }} }}"
    );
    let (mut after, mut truncated, mut ids) = (Value::Null, 0, BTreeSet::new());
    for _ in 0..PAGES {
        let answer = five.answer(&query, json!({ "after": after }), PATIENCE).await;
        assert_eq!(answer.get("errors"), None, "{query}: {answer}");
        let page = &answer["data"]["incidents"];
        let nodes = page["nodes"].as_array().unwrap();
        assert!(nodes.len() <= 100);
        for node in nodes {
            assert!(ids.insert(node["id"].as_str().unwrap().to_owned()), "{filter} {field}: given twice");
        }
        let reports = page["sources"].as_array().unwrap();
        assert_eq!(reports.len(), 5);
        for report in reports {
            assert!(["OK", "SKIPPED"].contains(&report["status"].as_str().unwrap()), "{report}");
            truncated += usize::from(report["truncated"] == true);
            assert!(report["truncated"] == false || page["totalCountPrecision"] != "EXACT", "{page}");
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    (truncated, ids)
}

/// What copies of one question to each source take, of so many rows each.
async fn weight(incidents: usize) -> usize {
    let five = Five::with(Setting::of(incidents)).await;
    five.ask("{ incidents(orderBy: { field: TITLE }) { nodes { id raw } } }", json!({})).await;
    five.federation.snapshot_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_clients_at_once_stay_within_the_memory_for_copies() {
    let snapshots = SnapshotLimits { max_bytes: BOUND, ..SnapshotLimits::default() };
    let five = Arc::new(Five::with(Setting { snapshots, ..Setting::of(ROWS) }).await);
    let (most, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let watch = {
        let (five, most, done) = (five.clone(), most.clone(), done.clone());
        std::thread::spawn(move || {
            while !done.load(Relaxed) {
                most.fetch_max(five.federation.snapshot_bytes(), Relaxed);
                std::thread::sleep(Duration::from_millis(1));
            }
        })
    };
    let clients: Vec<_> = (0..CLIENTS).map(|number| tokio::spawn(client(five.clone(), number))).collect();
    let (mut truncated, mut met) = (0, 0);
    for client in clients {
        let (cut, ids) = client.await.unwrap();
        truncated += cut;
        met += ids.len();
    }
    done.store(true, Relaxed);
    watch.join().unwrap();
    let (most, whole) = (most.load(Relaxed), weight(ROWS).await);
    eprintln!("at most {most} bytes; all of each {whole}; {truncated} parts cut, {met} rows");
    assert!(met > CLIENTS && truncated > 0, "the bound was met: {truncated} parts were cut");
    assert!(most > BOUND / 2 && most <= BOUND, "{most}");
    // Once nobody reads them, they make room for the next.
    let query = "{ incidents(first: 1, filter: { not: { starred: true } }, orderBy: { field: TITLE }) {
        sources { status truncated } } }";
    let alone = five.ask(query, json!({})).await;
    assert!(!alone.to_string().contains("ERROR"), "{alone}");
    assert!(five.federation.snapshot_bytes() <= BOUND, "{}", five.federation.snapshot_bytes());
}
