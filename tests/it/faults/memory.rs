//! What stands in for a source that is gone, and how that is told.

use super::pair::{BACK, MS, Pair, ask, short};
use crate::rude::Manner;
use crate::support;
use incident_gateway::{
    sandbox::Vendor,
    upstream::{Cache, Policy},
};
use serde_json::{Value, json};
use std::time::Instant;
use tokio::time::sleep;

/// When an answer of now says that it was given.
fn fetched(report: &Value) -> chrono::DateTime<chrono::Utc> {
    report["fetchedAt"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn rows_of_a_source_that_is_gone_come_from_memory_and_say_so() {
    let cache = Cache { lists: 50 * MS, ..Policy::standard().cache };
    let pair = Pair::start(Vendor::CisoAssistant, Policy { cache, ..short() }).await;
    let before = pair.list().await;
    sleep(200 * MS).await;
    pair.rude.be(Manner::Absent).await;
    let list = pair.list().await;
    assert_eq!(list["nodes"], before["nodes"]);
    let report = &list["sources"][0];
    assert_eq!(
        (&report["status"], &report["fromCache"], &report["error"]),
        (&json!("STALE"), &json!(true), &Value::Null)
    );
    let asked = support::now();
    let fetched = fetched(report);
    assert!(fetched < asked && fetched > asked - chrono::TimeDelta::seconds(20), "{fetched}");
    pair.rude.be(Manner::Polite).await;
    let healed = Instant::now();
    while pair.list().await["sources"][0]["status"] != "OK" {
        assert!(healed.elapsed() < BACK);
        sleep(50 * MS).await;
    }
}

/// A gateway that forgets lists at once and everything else after 50 ms, and has asked `query` before; and its first report now,
/// with all calls below `path` failing.
async fn with_stale_parts(query: &str, path: &str) -> (Value, Value) {
    let cache = Cache { details: 50 * MS, lists: 50 * MS, ..short().cache };
    let pair = Pair::start(Vendor::CisoAssistant, Policy { cache, ..short() }).await;
    let before = ask(&pair.api, query).await;
    assert_eq!(before.get("errors"), None, "{before}");
    sleep(200 * MS).await;
    pair.bad.set_faults(vec![format!("503@{path}").parse().unwrap()]);
    let now = ask(&pair.api, query).await;
    assert_eq!(now.get("errors"), None, "{now}");
    let field = |mut answer: Value| answer["data"].as_object_mut().unwrap().values_mut().next().unwrap().take();
    (field(before), field(now))
}

const REPORT: &str = "sources { status fromCache fetchedAt error { code } }";

#[tokio::test]
async fn a_detail_that_is_stale_makes_the_whole_answer_stale() {
    // Two batches at one source: one of them is stale, whichever comes first.
    let links = "assets(first: 5) { nodes { description } } threats(first: 5) { nodes { description } }";
    let query = format!("{{ incidents(first: 100) {{ nodes {{ id {links} }} {REPORT} }} }}");
    for path in ["/api/assets/", "/api/threats/"] {
        let (before, now) = with_stale_parts(&query, path).await;
        assert_eq!(now["nodes"], before["nodes"]);
        let (report, asked) = (&now["sources"][0], support::now());
        assert_eq!((&report["status"], &report["fromCache"]), (&json!("STALE"), &json!(true)), "{path}: {report}");
        let oldest = asked - chrono::TimeDelta::milliseconds(200);
        assert!(fetched(report) <= oldest, "as old as its oldest part: {report}");
        let other = &now["sources"][1];
        assert_eq!((&other["status"], &other["fromCache"]), (&json!("OK"), &json!(false)), "{other}");
        assert_eq!(fetched(other), asked);
        assert_eq!(before["sources"][0]["status"], "OK");
    }
}

#[tokio::test]
async fn so_does_a_list_below_a_record() {
    let query =
        format!("{{ assets(first: 3) {{ nodes {{ name incidents(first: 3) {{ nodes {{ title }} }} }} {REPORT} }} }}");
    let (before, now) = with_stale_parts(&query, "/api/incidents/").await;
    assert_eq!(now["nodes"], before["nodes"]);
    let report = &now["sources"][0];
    assert_eq!((&report["status"], &report["fromCache"]), (&json!("STALE"), &json!(true)), "{report}");
    assert!(fetched(report) <= support::now() - chrono::TimeDelta::milliseconds(200), "{report}");
}
