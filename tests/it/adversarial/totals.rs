//! Counters that are wrong, pages of another size, and lists that change while they are read: a list has the rows that
//! the server gives, each once, and an end.

use super::support::*;
use crate::support::{all_ids, api, call};
use incident_gateway::{graphql::Request, source::*};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

fn row(number: usize) -> Value {
    let at = chrono::DateTime::from_timestamp(1_770_000_000 + number as i64 * 60, 0).unwrap();
    json!({ "incident": { "id": format!("INC-{number:05}"), "created_date": at.to_rfc3339() } })
}

/// How a server answers, as far as no document tells.
#[derive(Clone)]
struct Odd {
    rows: usize,
    /// Beside the rows.
    counters: Value,
    newer: bool,
    /// Its own size of pages, whatever it is asked for.
    size: Option<usize>,
}

/// Returns the source and how often the server was asked.
fn serving(odd: Odd) -> (Arc<dyn Source>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let log = asked.clone();
    let source = over(move |request| {
        log.fetch_add(1, Relaxed);
        let number = |name: &str| -> usize {
            request.url.query_pairs().find(|(other, _)| other == name).unwrap().1.parse().unwrap()
        };
        let size = odd.size.unwrap_or_else(|| number("page_size"));
        let from = ((number("page") - 1) * size).min(odd.rows);
        let rows: Vec<Value> = (from..(from + size).min(odd.rows)).map(|place| row(odd.rows - place)).collect();
        let body = match odd.newer {
            true => json!({ "results": rows, "pagination": odd.counters }),
            false => {
                let mut body = odd.counters.clone();
                body["incidents"] = rows.into();
                body
            }
        };
        json_reply(200, &body.to_string())
    });
    (source, asked)
}

async fn walked(source: &dyn Source, limit: usize) -> BTreeSet<String> {
    let (mut all, mut request) = (BTreeSet::new(), page(0, limit));
    for _ in 0..100 {
        let rows = source.list(&call("walk"), &request).await.unwrap();
        assert!(rows.items.len() <= limit && (rows.consumed > 0 || !rows.more));
        request.offset += rows.consumed as u64;
        all.extend(rows.items.iter().map(|incident| incident.key.native.to_string()));
        if !rows.more {
            return all;
        }
    }
    panic!("no end")
}

fn numbered(rows: usize) -> BTreeSet<String> {
    (1..=rows).map(|number| format!("INC-{number:05}")).collect()
}

#[tokio::test]
async fn counters_that_are_wrong_neither_cut_a_list_nor_keep_it_going() {
    for rows in [0, 1, 99, 100, 101, 200, 230] {
        let mut counters =
            vec![json!({}), json!({ "has_next": true }), json!({ "has_next": false }), json!({ "total": -1 })];
        for total in [0_usize, 1, 50, 99, 100, 101, 150, 200, rows, rows + 1, rows * 10 + 5] {
            counters.push(json!({ "total": total }));
            counters.push(json!({ "total": total, "page": 1, "num_pages": total.div_ceil(100), "page_size": 100 }));
        }
        counters.push(json!({ "total": u64::MAX, "num_pages": u64::MAX, "page": 1, "page_size": 100 }));
        counters.push(json!({ "total": "many", "num_pages": null, "page": [], "page_size": {} }));
        for (counters, newer) in counters.iter().flat_map(|counters| [(counters, false), (counters, true)]) {
            let odd = Odd { rows, counters: counters.clone(), newer, size: None };
            let (source, asked) = serving(odd);
            assert_eq!(walked(&*source, 100).await, numbered(rows), "{rows} {counters} {newer}");
            let asked = asked.load(Relaxed);
            assert!(asked <= 2 * rows.div_ceil(100) + 2, "{rows} {counters} {newer}: {asked} calls");
        }
    }
}

/// A server that takes no notice of `page_size`, whether it says so or not.
#[tokio::test]
async fn pages_of_the_servers_own_size_lose_no_row() {
    for size in [10, 25, 99, 101, 150, 500] {
        for rows in [0_usize, 1, size - 1, size, size + 1, 230, 600] {
            let honest = json!({ "total": rows, "page_size": size });
            let told = json!({ "total": rows, "num_pages": rows.div_ceil(size), "page_size": size });
            for (counters, tells) in [(honest, true), (told, true), (json!({ "has_next": true }), false)] {
                // A short page of a size that nobody tells cannot be told from a shorter size.
                if !tells && size < 100 {
                    continue;
                }
                for limit in [100, 30] {
                    let odd = Odd { rows, counters: counters.clone(), newer: false, size: Some(size) };
                    let (source, _) = serving(odd);
                    assert_eq!(walked(&*source, limit).await, numbered(rows), "{size} {rows} {limit} {counters}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_gives_everything_at_once_is_read_once() {
    for rows in [3, 100, 150, 450] {
        let body = json!((1..=rows).map(row).collect::<Vec<_>>()).to_string();
        let source = over(move |_| json_reply(200, &body));
        assert_eq!(walked(&*source, 100).await, numbered(rows));
    }
}

#[tokio::test]
async fn a_total_that_a_page_refutes_is_not_shown() {
    let odd = Odd { rows: 230, counters: json!({ "total": 120, "page_size": 100 }), newer: false, size: None };
    let (source, _) = serving(odd);
    let first = source.list(&call("total"), &page(0, 100)).await.unwrap();
    assert_eq!((first.total, first.more), (Some(120), true));
    let second = source.list(&call("total"), &page(100, 100)).await.unwrap();
    assert_eq!((second.total, second.more), (None, true));
    let request = Request { query: "{ incidents(first: 1) { totalCount } }".into(), ..Request::default() };
    let answer = api(vec![source]).execute(request, &call("total")).await;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(answer["data"]["incidents"]["totalCount"], 230);
}

/// A new row before all others with every call: those that were there come once each, on pages of the gateway as well.
#[tokio::test]
async fn a_long_list_that_grows_meanwhile_gives_each_row_once() {
    const ROWS: usize = 2_150;
    let asked = Arc::new(AtomicUsize::new(0));
    let log = asked.clone();
    let source = over(move |request| {
        let newest = ROWS + log.fetch_add(1, Relaxed);
        let number = |name: &str| -> usize {
            request.url.query_pairs().find(|(other, _)| other == name).unwrap().1.parse().unwrap()
        };
        let (page, size) = (number("page"), number("page_size"));
        let from = ((page - 1) * size).min(newest);
        let rows: Vec<Value> = (from..(from + size).min(newest)).map(|place| row(newest - place)).collect();
        let pages = newest.div_ceil(size);
        let body = json!({ "incidents": rows, "num_pages": pages, "page": page, "page_size": size, "total": newest });
        json_reply(200, &body.to_string())
    });
    assert!(walked(&*source, 100).await.is_superset(&numbered(ROWS)));
    assert!(asked.load(Relaxed) <= ROWS / 100 + 3);
    let seen = all_ids(&api(vec![source]), 2 * ROWS).await;
    let distinct: BTreeSet<String> = seen.iter().cloned().collect();
    assert_eq!(distinct.len(), seen.len(), "none twice");
    assert!(distinct.is_superset(&numbered(ROWS)), "none lost");
}
