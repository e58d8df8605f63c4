//! Nothing is lost and nothing comes twice, whatever a server makes of ties, of rows without a time, and of its counts.

use super::{
    shelf::{Nulls, Shelf, Total, rows},
    support::*,
};
use crate::support::api;
use incident_gateway::{domain::*, source::*, vendors::cortex_xpanse::Undocumented};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};
use std::sync::Arc;

const BOTH: [OrderDirection; 2] = [OrderDirection::Asc, OrderDirection::Desc];

fn created(direction: OrderDirection) -> Order {
    Order { field: IncidentOrderField::CreatedAt, direction }
}

fn source(shelf: &Shelf) -> (Arc<dyn Source>, Sent) {
    let shelf = shelf.clone();
    over(&config(), move |_, body| shelf.answer(body))
}

/// A walk by offsets.
async fn walk(source: &Arc<dyn Source>, order: Option<Order>, limit: usize) -> Result<Vec<String>, SourceError> {
    let mut request = ListRequest { tests: vec![], order, offset: 0, limit, want: PLAIN };
    let mut ids = Vec::new();
    loop {
        let rows = source.list(&call(), &request).await?;
        assert!(rows.consumed > 0 || !rows.more);
        request.offset += rows.consumed as u64;
        ids.extend(rows.items.iter().map(|incident| incident.key.native.to_string()));
        if !rows.more {
            return Ok(ids);
        }
    }
}

/// A walk as clients do it.
async fn pages(source: &Arc<dyn Source>, order: Order, first: usize) -> Vec<String> {
    let (api, mut ids, mut after) = (api(vec![source.clone()]), Vec::new(), "null".to_owned());
    loop {
        let query = format!(
            "{{ incidents(first: {first}, after: {after}, orderBy: {{ field: {}, direction: {} }}) {{
            nodes {{ sourceId }} pageInfo {{ hasNextPage endCursor }} sources {{ error {{ message }} }} }} }}",
            order.field.name(),
            order.direction.name()
        );
        let list = data(&api, &query).await["incidents"].take();
        assert_eq!(list["sources"][0]["error"], Value::Null);
        ids.extend(list["nodes"].as_array().unwrap().iter().map(|node| node["sourceId"].as_str().unwrap().to_owned()));
        if list["pageInfo"]["hasNextPage"] != true {
            return ids;
        }
        after = list["pageInfo"]["endCursor"].to_string();
    }
}

/// Our order: by time, what has none last, equal ones by id as text.
fn expected(all: &[Value], direction: OrderDirection) -> Vec<String> {
    let place = |row: &Value| {
        let time =
            row["creation_time"].as_i64().map(|time| if direction == OrderDirection::Asc { time } else { -time });
        (time.is_none(), time, row["incident_id"].as_str().unwrap().to_owned())
    };
    let mut places: Vec<_> = all.iter().map(place).collect();
    places.sort();
    places.dedup();
    places.into_iter().map(|(.., id)| id).collect()
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

fn ids(all: &[Value]) -> Vec<String> {
    sorted(all.iter().map(|row| row["incident_id"].as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn lists_without_an_order_need_none_however_many_are_of_one_moment() {
    let shelf = Shelf::new(rows((1..=350).map(|id| (id, if id % 50 == 0 { None } else { Some(5) }))));
    let (source, sent) = source(&shelf);
    for limit in [100, 33] {
        sent.lock().unwrap().clear();
        let walked = walk(&source, None, limit).await.unwrap();
        assert_eq!(sorted(walked), ids(&shelf.rows));
        assert_eq!(sent.lock().unwrap().len(), 350_usize.div_ceil(limit), "one call a page");
    }
    // Through the gateway, where another order is made of it.
    let severity = Order { field: IncidentOrderField::Severity, direction: OrderDirection::Asc };
    assert_eq!(sorted(pages(&source, severity, 100).await), ids(&shelf.rows));
}

#[tokio::test]
async fn a_server_that_does_not_sort_by_id_is_read_by_creation() {
    let shelf = Shelf::new(rows((1..=250).map(|id| (id, Some(id as i64)))));
    let mut config = config();
    config.undocumented = Undocumented { sorts_by_id: false, ..Undocumented::default() };
    let answering = shelf.clone();
    let (source, sent) = over(&config, move |_, body| answering.answer(body));
    assert_eq!(walk(&source, None, 100).await.unwrap(), expected(&shelf.rows, OrderDirection::Asc));
    assert!(sent.lock().unwrap().iter().all(|(.., body)| body["request_data"]["sort"]["field"] == "creation_time"));
}

#[tokio::test]
async fn a_tie_of_any_length_is_put_in_order() {
    let tie = (1..=260).map(|id| (id * 7 % 1_000, Some(5)));
    let shelf = Shelf::new(rows(tie.chain([(1_001, Some(4)), (1_002, Some(6)), (1_003, Some(3))])));
    for direction in BOTH {
        let (source, _) = source(&shelf);
        for limit in [100, 64, 9, 2] {
            let walked = walk(&source, Some(created(direction)), limit).await.unwrap();
            assert_eq!(walked, expected(&shelf.rows, direction), "{limit}");
        }
        assert_eq!(pages(&source, created(direction), 50).await, expected(&shelf.rows, direction));
    }
}

#[tokio::test]
async fn a_tie_that_lies_beyond_what_the_server_counts_is_put_in_order_too() {
    let shelf = Shelf::new(rows((1..=10_300).map(|id| (id, Some(if id > 10_100 { 10_101 } else { id as i64 })))));
    let (source, _) = source(&shelf);
    let order = expected(&shelf.rows, OrderDirection::Asc);
    for (offset, limit) in [(10_095, 40), (10_110, 40), (10_205, 40), (10_290, 40)] {
        let order_by = Some(created(OrderDirection::Asc));
        let request = ListRequest { tests: vec![], order: order_by, offset, limit, want: PLAIN };
        let page = source.list(&call(), &request).await.unwrap();
        let given: Vec<String> = page.items.iter().map(|incident| incident.key.native.to_string()).collect();
        assert!(!given.is_empty());
        assert_eq!(given, order[offset as usize..offset as usize + given.len()], "{offset}");
    }
}

#[tokio::test]
async fn more_of_one_moment_than_the_server_counts_is_refused_and_said_so() {
    let shelf = Shelf::new(rows((1..=9_999).map(|id| (id, Some(5)))));
    let (source, sent) = source(&shelf);
    let error = walk(&source, Some(created(OrderDirection::Desc)), 50).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unsupported);
    assert!(error.public().contains("undocumented.sorts_by_time"), "{error}");
    assert_eq!(sent.lock().unwrap().len(), 2, "known at once");
    let few = Shelf::new(shelf.rows[..9_998].to_vec());
    let (source, _) = self::source(&few);
    let request = ListRequest {
        tests: vec![],
        order: Some(created(OrderDirection::Desc)),
        offset: 9_990,
        limit: 50,
        want: PLAIN,
    };
    let page = source.list(&call(), &request).await.unwrap();
    let given: Vec<String> = page.items.iter().map(|incident| incident.key.native.to_string()).collect();
    assert_eq!(given, expected(&few.rows, OrderDirection::Desc)[9_990..]);
}

#[tokio::test]
async fn what_tells_no_time_comes_last_wherever_the_server_puts_it() {
    let times = (1..=240).map(|id| (id, if id % 60 < 2 { None } else { Some(id as i64 / 3) }));
    for nulls in [Nulls::First, Nulls::Last, Nulls::Smallest, Nulls::Largest] {
        let shelf = Shelf { nulls, ..Shelf::new(rows(times.clone())) };
        for direction in BOTH {
            for limit in [100, 50, 7, 1] {
                let (source, _) = source(&shelf);
                let order = expected(&shelf.rows, direction);
                assert_eq!(pages(&source, created(direction), limit).await, order, "{nulls:?} {direction:?} {limit}");
                // Now that it is known that there are such rows, offsets count them last.
                let walked = walk(&source, Some(created(direction)), limit).await.unwrap();
                assert_eq!(walked, order, "{nulls:?} {direction:?} {limit}");
            }
        }
    }
}

#[tokio::test]
async fn a_walk_that_begins_in_the_middle_finds_what_tells_no_time() {
    // As after a restart: this source has never seen the beginning of the list.
    let shelf =
        Shelf { nulls: Nulls::First, ..Shelf::new(rows((1..=90).map(|id| (id, (id > 5).then_some(id as i64))))) };
    let order = created(OrderDirection::Asc);
    let query = |after: &str| {
        format!(
            "{{ incidents(first: 60, after: {after}, orderBy: {{ field: CREATED_AT, direction: ASC }}) {{
            nodes {{ sourceId }} pageInfo {{ endCursor }} }} }}"
        )
    };
    let first = data(&api(vec![source(&shelf).0]), &query("null")).await;
    let cursor = first["incidents"]["pageInfo"]["endCursor"].to_string();
    let second = data(&api(vec![source(&shelf).0]), &query(&cursor)).await;
    let ids = [first, second].map(|answer| answer["incidents"]["nodes"].as_array().unwrap().clone()).concat();
    let ids: Vec<&str> = ids.iter().map(|node| node["sourceId"].as_str().unwrap()).collect();
    assert_eq!(ids, expected(&shelf.rows, order.direction));
}

#[tokio::test]
async fn where_all_tell_their_time_a_page_costs_one_call_and_the_last_of_several_two() {
    let shelf = Shelf::new(rows((1..=120).map(|id| (id, Some(id as i64 * 10)))));
    let (source, sent) = source(&shelf);
    let calls = async |offset, limit| {
        sent.lock().unwrap().clear();
        let order = Some(created(OrderDirection::Desc));
        let request = ListRequest { tests: vec![], order, offset, limit, want: PLAIN };
        let rows = source.list(&call(), &request).await.unwrap();
        assert_eq!((rows.total, rows.capped), (Some(120), false));
        sent.lock().unwrap().len()
    };
    assert_eq!((calls(0, 50).await, calls(50, 50).await, calls(100, 50).await), (1, 1, 2));
}

#[tokio::test]
async fn totals_of_lists_with_rows_without_a_time_are_bounds_until_the_end() {
    let shelf = Shelf::new(rows((1..=60).map(|id| (id, (id > 2).then_some(id as i64)))));
    let (source, _) = source(&shelf);
    walk(&source, Some(created(OrderDirection::Asc)), 100).await.unwrap();
    let totals = async |offset, limit| {
        let order = Some(created(OrderDirection::Asc));
        let request = ListRequest { tests: vec![], order, offset, limit, want: PLAIN };
        let rows = source.list(&call(), &request).await.unwrap();
        (rows.total, rows.capped, rows.more)
    };
    assert_eq!(totals(0, 20).await, (Some(58), true, true));
    assert_eq!(totals(50, 20).await, (Some(60), false, false));
    assert_eq!(totals(58, 1).await, (Some(60), false, true));
    assert_eq!(totals(60, 5).await, (Some(60), false, false));
}

#[tokio::test]
async fn short_answers_and_wrong_counts_lose_no_row() {
    let times = (1..=230).map(|id| (id, Some(id as i64 / 2)));
    for (most, total) in [
        (100, Total::Off(-200)),
        (100, Total::Off(-230)),
        (100, Total::Off(-300)),
        (100, Total::Off(5)),
        (100, Total::Off(9_769)),
        (100, Total::Off(1 << 40)),
        (100, Total::Absent),
        (40, Total::Right),
        (40, Total::Off(1_000)),
    ] {
        let shelf = Shelf { most, total, ..Shelf::new(rows(times.clone())) };
        let (source, sent) = source(&shelf);
        assert_eq!(sorted(walk(&source, None, 100).await.unwrap()), ids(&shelf.rows), "{most} {total:?}");
        assert!(sent.lock().unwrap().len() < 16, "{most} {total:?}");
        if most == 100 {
            let walked = walk(&source, Some(created(OrderDirection::Desc)), 30).await.unwrap();
            assert_eq!(walked, expected(&shelf.rows, OrderDirection::Desc), "{total:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_always_answers_the_same_is_not_asked_for_ever() {
    let body =
        json!({ "reply": { "total_count": 5_000, "incidents": [{ "incident_id": "1", "creation_time": 5 }, 7] } });
    for order in [None, Some(created(OrderDirection::Asc))] {
        let body = body.to_string();
        let (source, sent) = over(&config(), move |_, _| json_body(body.clone()));
        assert_eq!(walk(&source, order, 100).await.unwrap(), ["1"]);
        assert_eq!(sent.lock().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_row_that_comes_twice_is_shown_once() {
    let mut all = rows((1..=30).map(|id| (id, Some(id as i64 / 4))));
    all.extend(all.clone());
    let (source, _) = source(&Shelf::new(all.clone()));
    for direction in BOTH {
        assert_eq!(pages(&source, created(direction), 20).await, expected(&all, direction));
    }
    let severity = Order { field: IncidentOrderField::Severity, direction: OrderDirection::Asc };
    assert_eq!(pages(&source, severity, 100).await.len(), 30);
    let found = source.fetch(&call(), &natives(&["3", "4"]), PLAIN).await.unwrap();
    assert_eq!(found.items.len(), 2);
}

fn shelves() -> impl Strategy<Value = Shelf> {
    let times = vec(option::weighted(0.9, 0..40_i64), 0..160);
    let nulls = select(vec![Nulls::First, Nulls::Last, Nulls::Smallest, Nulls::Largest]);
    let total =
        select(vec![Total::Right, Total::Right, Total::Absent, Total::Off(-3), Total::Off(3), Total::Off(-200)]);
    (times, nulls, total, any::<bool>()).prop_map(|(times, nulls, total, ids_as_text)| {
        let rows = rows(times.into_iter().enumerate().map(|(id, time)| (id as u64 * 13 % 1_000, time)));
        Shelf { rows, nulls, total, most: 100, ids_as_text }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, max_shrink_time: 10_000, ..ProptestConfig::default() })]

    /// Pages of a client, in both directions, over any such server.
    #[test]
    fn every_walk_gives_every_row_once_in_our_order(shelf in shelves(), first in select(vec![1usize, 3, 20, 100])) {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
            let (source, _) = source(&shelf);
            for direction in BOTH {
                let walked = pages(&source, created(direction), first).await;
                assert_eq!(walked, expected(&shelf.rows, direction), "{direction:?}");
            }
            assert_eq!(sorted(walk(&source, None, first).await.unwrap()), ids(&shelf.rows));
        });
    }
}
