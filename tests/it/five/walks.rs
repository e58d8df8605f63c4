//! Full walks over all five, in every order and both directions, against the rows that the vendors' own APIs give.

use super::{
    Five, MINUTE, Setting, UNKEPT,
    direct::{Own, sorted},
};
use crate::paging::ORDERS;
use incident_gateway::sandbox::Vendor;
use serde_json::{Value, json};
use std::time::Duration;

/// A page: source and native id of each row, and the page itself.
pub(super) struct Page {
    pub(super) keys: Vec<(String, String)>,
    pub(super) told: Value,
}

impl Page {
    /// The report of a source.
    pub(super) fn report(&self, vendor: Vendor) -> &Value {
        let reports = self.told["sources"].as_array().unwrap();
        reports.iter().find(|report| report["source"]["name"] == vendor.word()).unwrap()
    }

    pub(super) fn has_next(&self) -> bool {
        self.told["pageInfo"]["hasNextPage"] == true
    }
}

impl Five {
    /// A page of the list. `arguments` as in a document.
    pub(super) async fn page(&self, arguments: &str, after: &Value, within: Duration) -> Page {
        let query = format!(
            "query($after: String) {{ incidents(after: $after {arguments}) {{ pageInfo {{ hasNextPage endCursor }}
             sources {{ source {{ name }} status truncated fromCache upstreamCalls error {{ code message retryable }} }}
             totalCountPrecision nodes {{ sourceId source {{ name }} }} }} }}"
        );
        let mut answer = self.answer(&query, json!({ "after": after }), within).await;
        assert_eq!(answer.get("errors"), None, "{arguments}: {answer}");
        let told = answer["data"]["incidents"].take();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let nodes = told["nodes"].as_array().unwrap();
        let keys = nodes.iter().map(|node| (text(&node["source"]["name"]), text(&node["sourceId"]))).collect();
        Page { keys, told }
    }

    /// Every page of the list.
    pub(super) async fn walk(&self, arguments: &str, within: Duration) -> Vec<Page> {
        let (mut pages, mut after): (Vec<Page>, _) = (vec![], Value::Null);
        loop {
            assert!(pages.len() < 500, "a walk ends");
            let page = self.page(arguments, &after, within).await;
            after = page.told["pageInfo"]["endCursor"].clone();
            let more = page.has_next();
            pages.push(page);
            if !more {
                return pages;
            }
        }
    }
}

fn whole(pages: &[Page]) -> Vec<&(String, String)> {
    for report in pages.iter().flat_map(|page| page.told["sources"].as_array().unwrap()) {
        assert_eq!((&report["status"], &report["truncated"]), (&json!("OK"), &json!(false)), "{report}");
    }
    pages.iter().flat_map(|page| &page.keys).collect()
}

async fn all_orders(five: &Five, all: &[Own]) {
    for field in ORDERS {
        for (direction, first) in [("ASC", 37), ("DESC", 100)] {
            let arguments = format!("first: {first}, orderBy: {{ field: {field}, direction: {direction} }}");
            let pages = five.walk(&arguments, MINUTE).await;
            let expected: Vec<&(String, String)> =
                sorted(all, field, direction == "DESC").into_iter().map(|own| &own.key).collect();
            let met = whole(&pages);
            let differ = met.iter().zip(&expected).position(|(met, expected)| met != expected);
            let at = differ.map(|at| (met[at], expected[at]));
            assert_eq!((met.len(), differ), (expected.len(), None), "{field} {direction}: {at:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_is_the_sorted_union_of_what_the_vendors_give() {
    for (strict, snapshots) in [(false, UNKEPT), (true, Default::default())] {
        let five = Five::with(Setting { strict, snapshots, ..Setting::of(36) }).await;
        let all = five.own().await;
        assert!(Vendor::ALL.iter().all(|vendor| all.iter().filter(|own| own.vendor == *vendor).count() > 30));
        five.sandboxes.iter().for_each(|sandbox| sandbox.reset_calls());
        all_orders(&five, &all).await;
        let calls = five.sandbox(Vendor::EventlogAnalyzer).call_count();
        // What cannot sort is read once for all these walks, which so stay below the vendor's quota.
        assert_eq!(calls < 5, strict, "{calls}");
    }
}

/// Equal keys and nulls are what makes an order hard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_world_that_is_walked_holds_what_is_hard_in_it() {
    let five = Five::start(36).await;
    let all = five.own().await;
    for (field, nulls) in
        [("REPORTED_AT", true), ("DUE_AT", true), ("RESOLVED_AT", true), ("REFERENCE", true), ("SEVERITY", false)]
    {
        assert!(all.iter().filter(|own| own.is_null(field)).count() >= usize::from(nulls), "{field}");
    }
    for field in ["SEVERITY", "STATUS", "TITLE"] {
        assert!(sorted(&all, field, false).windows(2).any(|pair| pair[0].equals(pair[1], field)), "{field}");
    }
    let mixed = |case: fn(char) -> bool| all.iter().any(|own| own.row.to_string().contains(case));
    assert!(mixed(char::is_uppercase) && mixed(|letter| !letter.is_ascii()));
}

/// The same key signs for every process: a walk goes on in another one, over the same sources.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_walk_goes_on_after_a_restart_and_with_another_key_it_does_not() {
    let mut five = Five::with(Setting::of(20)).await;
    let arguments = "first: 30, orderBy: { field: TITLE, direction: ASC }";
    let first = five.page(arguments, &Value::Null, MINUTE).await;
    let after = first.told["pageInfo"]["endCursor"].clone();
    let expected = five.page(arguments, &after, MINUTE).await.keys;
    five.restart([7; 32]);
    assert_eq!(five.page(arguments, &after, MINUTE).await.keys, expected);
    five.restart([9; 32]);
    let query = format!("{{ incidents(after: {after}, {arguments}) {{ nodes {{ id }} }} }}");
    let answer = five.answer(&query, json!({}), MINUTE).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "CURSOR_INVALID", "{answer}");
}
