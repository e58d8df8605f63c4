//! Walks while the servers change and fail: rows that stay are met once, from sources that sort and from those that do not.

use super::{
    Five, Setting, UNKEPT,
    direct::{Deed, Own, sorted},
};
use incident_gateway::sandbox::Vendor;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

type Keys = BTreeSet<(String, String)>;

/// Changes one incident of each vendor, in turn one that was met and one that was not; those that were there before and did not stay.
async fn alter(five: &Five, all: &[Own], met: &[(String, String)], turn: usize, touched: &mut Keys) {
    for vendor in Vendor::ALL {
        let deed = [Deed::Create, Deed::Change, Deed::Delete][turn % 3];
        let free = |own: &&Own| own.vendor == vendor && !touched.contains(&own.key);
        let mut candidates = all.iter().filter(free).filter(|own| met.contains(&own.key) == (turn.is_multiple_of(2)));
        let Some(at) = candidates.nth(1) else { continue };
        let key = at.key.clone();
        let number = turn * 10 + vendor as usize;
        if five.act(deed, at, number).await && deed != Deed::Create {
            touched.insert(key);
        }
    }
}

/// Walks, changes something after each page, and lets one source after the other fail for a page. The keys as they were met, and
/// the sources that failed.
async fn walk(
    five: &Five,
    arguments: &str,
    all: &[Own],
    failing: bool,
) -> (Vec<(String, String)>, Keys, BTreeSet<String>) {
    let (mut met, mut touched, mut failed) = (Vec::new(), Keys::new(), BTreeSet::new());
    let mut after = Value::Null;
    for turn in 0..200 {
        let victim = Vendor::ALL[turn % 5];
        // Garbage is not asked for again, and opens no circuit.
        let faults = if failing && turn % 3 == 1 { vec!["garbage".parse().unwrap()] } else { vec![] };
        five.sandbox(victim).set_faults(faults);
        let page = five.page(arguments, &after, Duration::from_secs(20)).await;
        five.sandbox(victim).set_faults(vec![]);
        for report in page.told["sources"].as_array().unwrap() {
            if !report["error"].is_null() {
                assert_eq!((report["error"]["code"].as_str(), failing), (Some("SOURCE_MALFORMED"), true), "{report}");
                failed.insert(report["source"]["name"].as_str().unwrap().to_owned());
            }
        }
        let distinct: BTreeSet<_> = page.keys.iter().collect();
        assert_eq!(distinct.len(), page.keys.len(), "nothing twice in a page");
        met.extend(page.keys.iter().cloned());
        if !page.has_next() {
            return (met, touched, failed);
        }
        after = page.told["pageInfo"]["endCursor"].clone();
        alter(five, all, &met, turn, &mut touched).await;
    }
    panic!("the walk does not end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_stay_are_met_once_while_the_servers_change() {
    let orders = [
        ("CREATED_AT", "DESC", UNKEPT),
        ("CREATED_AT", "ASC", Default::default()),
        ("UPDATED_AT", "ASC", UNKEPT),
        ("TITLE", "ASC", UNKEPT),
        ("SEVERITY", "DESC", Default::default()),
    ];
    for (number, (field, direction, snapshots)) in orders.into_iter().enumerate() {
        for failing in [false, true] {
            let five = Five::with(Setting { snapshots, ..Setting::of(24) }).await;
            let all = five.own().await;
            let arguments = format!("first: {}, orderBy: {{ field: {field}, direction: {direction} }}", 7 + number);
            let (met, touched, failed) = walk(&five, &arguments, &all, failing).await;
            let what = format!("{field} {direction} failing: {failing}");
            assert!(touched.len() > 8 && failed.is_empty() != failing, "{what}: {} changed, {failed:?}", touched.len());
            let mut times: BTreeMap<&(String, String), usize> = BTreeMap::new();
            met.iter().for_each(|key| *times.entry(key).or_default() += 1);
            let mut lost = 0;
            for own in all.iter().filter(|own| !touched.contains(&own.key)) {
                match times.get(&own.key) {
                    Some(1) => {}
                    None if failed.contains(&own.key.0) => lost += 1,
                    other => panic!("{what}: {:?} was met {other:?} times", own.key),
                }
            }
            assert!(lost < all.len() / 3, "{what}: {lost}");
            assert!(times.values().all(|times| *times <= 2), "{what}: changed ones may come again, once for a change");
            stays_in_order(&all, &met, &touched, field, direction == "DESC");
        }
    }
}

/// Those that stayed come in their order.
fn stays_in_order(all: &[Own], met: &[(String, String)], touched: &Keys, field: &str, descending: bool) {
    let order: BTreeMap<&(String, String), usize> =
        sorted(all, field, descending).into_iter().enumerate().map(|(place, own)| (&own.key, place)).collect();
    let places = met.iter().filter(|key| !touched.contains(*key)).filter_map(|key| order.get(key));
    assert!(places.is_sorted(), "{field}");
}
