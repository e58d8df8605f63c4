//! What a source is not read to the end for: its quota, and what a page says then.

use super::{Five, Setting, UNKEPT, walks::Page};
use incident_gateway::sandbox::Vendor;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

const ELA: Vendor = Vendor::EventlogAnalyzer;
/// Less than it takes until a minute's calls are there again.
const SHORT: Duration = Duration::from_secs(3);

fn of_source<'p>(pages: &'p [Page], name: &str) -> Vec<&'p (String, String)> {
    pages.iter().flat_map(|page| &page.keys).filter(|(source, _)| source == name).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_list_under_a_quota_is_read_on_by_the_next_request() {
    let five = Five::with(Setting { strict: true, eventlog: Some(2_130), ..Setting::of(5) }).await;
    let arguments = "first: 50, orderBy: { field: TITLE, direction: ASC }";
    let first = five.page(arguments, &Value::Null, SHORT).await;
    assert_eq!(five.sandbox(ELA).call_count(), 20, "a third of what a minute allows");
    assert_eq!((&first.report(ELA)["truncated"], &first.report(ELA)["status"]), (&json!(true), &json!("OK")));
    assert_eq!(first.told["totalCountPrecision"], "LOWER_BOUND");
    assert!(first.has_next() && first.keys.len() == 50);
    let second = five.page(arguments, &first.told["pageInfo"]["endCursor"], SHORT).await;
    assert_eq!((&second.report(ELA)["truncated"], five.sandbox(ELA).call_count()), (&json!(false), 22));
    assert_eq!(second.told["totalCountPrecision"], "EXACT");
    let third = five.page(arguments, &second.told["pageInfo"]["endCursor"], SHORT).await;
    assert_eq!((&third.report(ELA)["fromCache"], five.sandbox(ELA).call_count()), (&json!(true), 22));
    // Other questions to the source, until its minute is used up: what was read is shown, and what was not is told.
    let mut codes = BTreeSet::new();
    let words = [
        "severity: [CRITICAL]",
        "severity: [HIGH]",
        "severity: [LOW]",
        "status: [NEW]",
        "status: [IN_PROGRESS]",
        "status: [CLOSED]",
        "severity: [LOW], status: [CLOSED]",
    ];
    for word in words {
        let page = five.page(&format!("first: 5, filter: {{ {word} }}"), &Value::Null, SHORT).await;
        let report = page.report(ELA);
        assert!(report["error"].is_null() || report["error"]["retryable"] == true, "{report}");
        codes.insert((report["status"].as_str().unwrap().to_owned(), report["truncated"] == true));
        assert!(Vendor::ALL[2..].iter().all(|vendor| page.report(*vendor)["error"].is_null()));
    }
    assert!(codes.contains(&("OK".into(), false)) && codes.contains(&("RATE_LIMITED".into(), false)), "{codes:?}");
    assert_eq!(five.sandbox(ELA).call_count(), 60, "no call beyond the quota");
    // The copy from before is still good.
    let fourth = five.page(arguments, &third.told["pageInfo"]["endCursor"], SHORT).await;
    assert_eq!((&fourth.report(ELA)["status"], fourth.keys.len()), (&json!("OK"), 50));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_walk_goes_on_without_a_source_whose_quota_is_met() {
    let five = Five::with(Setting { strict: true, snapshots: UNKEPT, ..Setting::of(24) }).await;
    let all = five.own().await;
    let within = Duration::from_secs(2);
    let pages = five.walk("first: 1, orderBy: { field: SEVERITY, direction: DESC }", within).await;
    let limited: Vec<&Page> = pages.iter().filter(|page| !page.report(ELA)["error"].is_null()).collect();
    assert!(limited.len() > 10, "{} of {}", limited.len(), pages.len());
    for page in &limited {
        let report = page.report(ELA);
        assert_eq!(
            (&report["error"]["code"], &report["status"]),
            (&json!("SOURCE_RATE_LIMITED"), &json!("RATE_LIMITED"))
        );
        assert_ne!(page.told["totalCountPrecision"], "EXACT");
    }
    for vendor in Vendor::ALL.into_iter().filter(|vendor| *vendor != ELA) {
        let met = of_source(&pages, vendor.word());
        let there = all.iter().filter(|own| own.vendor == vendor).count();
        assert_eq!((met.iter().collect::<BTreeSet<_>>().len(), met.len()), (there, there), "{vendor}");
    }
    let met = of_source(&pages, ELA.word());
    assert_eq!(met.iter().collect::<BTreeSet<_>>().len(), met.len(), "nothing twice");
}
