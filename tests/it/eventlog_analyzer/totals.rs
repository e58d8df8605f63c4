//! Counters that are wrong, and lists that change while they are read: a list has the rows that the server gives, each
//! once, and an end.

use super::support::*;
use crate::support::{all_ids, api};
use incident_gateway::{graphql::Request, source::*, vendors::eventlog_analyzer::FirstIndex};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

fn number(url: &str, name: &str) -> Option<usize> {
    let query = url.split_once('?')?.1;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(other, _)| other == name).map(|(_, value)| value.parse().unwrap())
}

fn row(id: usize) -> Value {
    let time = format!("2025-03-{:02} 10:{:02}:00", 1 + id / 60 % 28, id % 60);
    json!({ "incident_id": 1_000 + id, "created_time": time })
}

/// A server with so many rows that counts them as it likes. Returns it and how often it was asked.
fn counting(rows: usize, base: usize, first: FirstIndex, meta: Value) -> (Arc<dyn Source>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let log = asked.clone();
    let source = over(
        |config| config.first_index = first,
        move |url| {
            log.fetch_add(1, Relaxed);
            let from = number(url, "from").unwrap_or(base).saturating_sub(base).min(rows);
            let to = (from + number(url, "limit").unwrap()).min(rows);
            json(200, json!({ "data": (from..to).map(row).collect::<Vec<_>>(), "meta": meta }).to_string())
        },
    );
    (source, asked)
}

/// The ids that a walk through the list meets, each once, and how many calls it took at most.
async fn walked(source: &dyn Source, limit: usize) -> BTreeSet<String> {
    let (mut all, mut request) = (BTreeSet::new(), page(0, limit));
    for _ in 0..100 {
        let rows = source.list(&call(), &request).await.unwrap();
        assert!(rows.consumed > 0 || !rows.more);
        request.offset += rows.consumed as u64;
        all.extend(ids(&rows.items));
        if !rows.more {
            return all;
        }
    }
    panic!("no end")
}

#[tokio::test]
async fn a_total_that_is_wrong_neither_cuts_a_list_nor_keeps_it_going() {
    let wrong = |rows: usize| {
        let totals = [0, 1, 99, 100, 101, 150, 199, 200, rows.saturating_sub(1), rows, rows + 1, rows * 10 + 5];
        let mut all: Vec<Value> = totals.into_iter().map(|total| json!({ "total_items": total })).collect();
        all.extend(
            totals.map(|total| json!({ "total_items": total, "per_page": 100, "total_pages": total.div_ceil(100) })),
        );
        all.push(json!({ "total_items": u64::MAX, "per_page": u64::MAX, "total_pages": u64::MAX }));
        all.extend(
            [json!(-5), json!("many"), json!(null), json!(1.5), json!([])].map(|total| json!({ "total_items": total })),
        );
        all.extend([json!({ "per_page": 0 }), json!({ "per_page": 1 }), json!(null), json!({})]);
        all
    };
    for rows in [0, 1, 99, 100, 101, 200, 230, 300] {
        for (base, first) in
            [(0, FirstIndex::Unknown), (1, FirstIndex::Unknown), (0, FirstIndex::Zero), (1, FirstIndex::One)]
        {
            let expected: BTreeSet<String> = (0..rows).map(|id| (1_000 + id).to_string()).collect();
            for meta in wrong(rows) {
                let (source, asked) = counting(rows, base, first, meta.clone());
                assert_eq!(walked(&*source, 100).await, expected, "{rows} {base} {first:?} {meta}");
                let asked = asked.load(Relaxed);
                assert!(asked <= 2 * rows.div_ceil(100) + 2, "{rows} {base} {first:?} {meta}: {asked} calls");
            }
        }
    }
}

/// The look behind a full page costs one call where that is the last one, and none elsewhere.
#[tokio::test]
async fn right_counters_cost_a_call_more_only_behind_a_full_last_page() {
    for (rows, first, calls) in
        [(230, FirstIndex::One, 3), (200, FirstIndex::One, 3), (99, FirstIndex::One, 1), (230, FirstIndex::Unknown, 3)]
    {
        let (source, asked) = counting(rows, 1, first, json!({ "total_items": rows, "per_page": 100 }));
        walked(&*source, 100).await;
        assert_eq!(asked.load(Relaxed), calls, "{rows} {first:?}");
    }
}

#[tokio::test]
async fn a_server_that_gives_everything_at_once_is_read_once() {
    for rows in [3, 100, 150] {
        let body =
            json!({ "data": (0..rows).map(row).collect::<Vec<_>>(), "meta": { "total_items": rows, "per_page": 100 } });
        let source = told(body.to_string());
        assert_eq!(walked(&*source, 100).await.len(), rows);
    }
}

#[tokio::test]
async fn a_total_that_a_page_refutes_is_not_shown() {
    let (source, _) = counting(230, 1, FirstIndex::Unknown, json!({ "total_items": 120 }));
    let first = source.list(&call(), &page(0, 100)).await.unwrap();
    assert_eq!((first.total, first.more), (Some(120), true));
    let second = source.list(&call(), &page(100, 100)).await.unwrap();
    assert_eq!((second.total, second.more), (None, true));
    let request = Request { query: "{ incidents(first: 1) { totalCount } }".into(), ..Request::default() };
    let answer = api(vec![source]).execute(request, &crate::support::call("r")).await;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(answer["data"]["incidents"]["totalCount"], 230);
}

/// A new row before all others with every call: those that were there come once each, on pages of the gateway as well.
#[tokio::test]
async fn a_long_list_that_grows_meanwhile_gives_each_row_once() {
    const ROWS: usize = 2_150;
    let asked = Arc::new(AtomicUsize::new(0));
    let log = asked.clone();
    let source = over(
        |_| {},
        move |url| {
            let newest = ROWS + log.fetch_add(1, Relaxed);
            let from = number(url, "from").unwrap_or(1).saturating_sub(1).min(newest);
            let to = (from + number(url, "limit").unwrap()).min(newest);
            let rows: Vec<Value> = (from..to)
                .map(|place| {
                    let id = newest - 1 - place;
                    let at = chrono::DateTime::from_timestamp(1_700_000_000 + id as i64 * 60, 0).unwrap();
                    json!({ "incident_id": 1_000 + id, "created_time": at.format("%Y-%m-%d %H:%M:%S").to_string() })
                })
                .collect();
            json(200, json!({ "data": rows, "meta": { "total_items": newest, "per_page": 100 } }).to_string())
        },
    );
    let all = walked(&*source, 100).await;
    let first: BTreeSet<String> = (0..ROWS).map(|id| (1_000 + id).to_string()).collect();
    assert!(all.is_superset(&first), "{} of {ROWS}", all.len());
    assert!(asked.load(Relaxed) <= ROWS / 100 + 3);
    let seen = all_ids(&api(vec![source]), 2 * ROWS).await;
    let distinct: BTreeSet<String> = seen.iter().cloned().collect();
    assert_eq!(distinct.len(), seen.len(), "none twice");
    assert!(distinct.is_superset(&first), "none lost");
}
