//! Sources that answer oddly: broken rows, rows twice, pages that end by number, promises that are not kept.

use super::{
    cases,
    edges::rows,
    memory::{Memory, able, bounded, call, federation, keeping, run, unable},
    walk, walk_of,
    world::{build, expected, filter, order, query, time, world},
};
use incident_gateway::{domain::*, federation::*, source::*};
use proptest::{collection::vec, prelude::*};
use std::sync::Arc;

fn newest(first: i32) -> IncidentQuery {
    query(Filter::default(), Order::default(), first)
}

/// A source of nine rows on pages of three.
fn by_threes(mut capabilities: Capabilities) -> Arc<Memory> {
    capabilities.list.max_page_size = 3;
    Memory::new("a", capabilities, rows("a", 9))
}

fn natives(ids: &[&str]) -> Vec<NativeId> {
    ids.iter().map(|id| NativeId::new(id)).collect()
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn broken_rows_and_pages_by_number_cost_no_other_row(
        world in world(), filter in filter(), order in order(), first in 1..9i32, broken in vec(any::<bool>(), 30),
        numbered in any::<bool>(),
    ) {
        let sources = build(&world);
        let is_broken = |id: &NativeId| broken[id.to_string().parse::<usize>().unwrap()];
        for source in &sources {
            let size = source.capabilities.list.max_page_size;
            source.change(|state| {
                state.broken = state.rows.iter().map(|row| row.key.native.clone()).filter(is_broken).collect();
                state.numbered = numbered.then_some(size);
            });
        }
        let query = query(filter, order, first);
        let mut wanted = expected(&sources, &query.filter, order);
        wanted.retain(|key| !is_broken(&key.native));
        prop_assert_eq!(walk(&sources, query.clone(), |_| {}), wanted.clone());
        prop_assert_eq!(walk_of(&keeping(&sources), &sources, query, |_| {}), wanted);
    }
}

#[test]
fn a_broken_row_right_after_the_cursor_costs_few_lists_and_no_row() {
    let source = Memory::new("a", able(), rows("a", 20));
    source.change(|state| state.broken = natives(&["0017", "0009", "0008"]));
    let federation = federation(std::slice::from_ref(&source));
    for first in [1, 2, 3] {
        let (mut query, mut met) = (newest(first), 0);
        loop {
            let page = run(federation.incidents(&call(), &query)).unwrap();
            let (lists, report) = (source.lists().len(), &page.reports[0]);
            assert!(lists <= 20 && report.error.is_none(), "{lists} lists, {:?}", report.error);
            met += page.items.len();
            if !page.has_next {
                break;
            }
            query.after = page.cursor(page.items.len() - 1);
        }
        assert_eq!(met, 17, "pages of {first}");
    }
}

#[test]
fn rows_that_come_twice_count_once() {
    for capabilities in [able(), unable()] {
        for first in [3, 4, 100] {
            let mut twice = rows("a", 10);
            twice.extend(rows("a", 10));
            let sources = [Memory::new("a", capabilities.clone(), twice)];
            let mut wanted = expected(&sources, &Filter::default(), Order::default());
            wanted.dedup();
            assert_eq!(walk(&sources, newest(first), |_| {}), wanted, "pages of {first}");
        }
    }
}

#[test]
fn a_promise_that_is_not_kept_costs_one_call_and_makes_the_source_malformed() {
    for capabilities in [able(), unable()] {
        let source = Memory::new("a", capabilities, rows("a", 9));
        source.change(|state| state.promises = true);
        let federation = federation(std::slice::from_ref(&source));
        let page = run(federation.incidents(&call(), &newest(5))).unwrap();
        assert_eq!((page.reports[0].status, source.lists().len()), (SourceStatus::Malformed, 1));
        let tags = CatalogQuery {
            kind: RecordKind::Tag,
            kinds: KindTest::Any,
            search: Search::parse(""),
            sources: None,
            first: PageSize::new(5).unwrap(),
            after: None,
            want: Want::default(),
            want_total: false,
        };
        let page = run(federation.catalog(&call(), &tags)).unwrap();
        assert_eq!(page.reports[0].status, SourceStatus::Malformed);
        assert_eq!(source.change(|state| state.other_calls), 1);
    }
}

#[test]
fn rows_of_another_source_make_the_source_malformed() {
    let mut mixed = rows("a", 5);
    mixed.extend(rows("b", 1));
    let page = run(federation(&[Memory::new("a", able(), mixed)]).incidents(&call(), &newest(9))).unwrap();
    assert_eq!((page.reports[0].status, page.items.len()), (SourceStatus::Malformed, 0));
}

#[test]
fn what_is_broken_or_withheld_is_told_of_all_pages_together() {
    let not_odd = Filter::Not(Box::new(Filter::Test(Test::Starred(true))));
    for capabilities in [able(), unable()] {
        for filter in [Filter::default(), not_odd.clone()] {
            let source = by_threes(capabilities.clone());
            source.change(|state| {
                (state.broken, state.restricted) = (natives(&["0001", "0003", "0007"]), natives(&["x", "y", "x"]));
            });
            let query = query(filter, Order::default(), 100);
            let page = run(federation(std::slice::from_ref(&source)).incidents(&call(), &query)).unwrap();
            let report = &page.reports[0];
            assert_eq!((page.items.len(), report.malformed), (6, 3));
            assert_eq!(report.restricted_ids, natives(&["x", "y"]));
        }
    }
}

#[test]
fn what_is_broken_or_fails_is_told_of_incidents_by_id() {
    let source = Memory::new("a", able(), rows("a", 9));
    source.change(|state| (state.broken, state.failing) = (natives(&["0001"]), natives(&["0002"])));
    let filter = Filter::Test(Test::SourceIds(natives(&["0001", "0002", "0003"])));
    let sources = std::slice::from_ref(&source);
    let page = run(federation(sources).incidents(&call(), &query(filter.clone(), Order::default(), 9))).unwrap();
    let report = &page.reports[0];
    assert_eq!((page.items.len(), report.malformed, report.status), (1, 1, SourceStatus::Unavailable));
    assert_eq!((page.total, page.precision), (Some(1), CountPrecision::LowerBound));
    let parts = StatParts { total: true, ..StatParts::default() };
    let stats = run(federation(sources).stats(&call(), &StatsQuery { filter, parts, months: 1 })).unwrap();
    assert_eq!((stats.total, stats.precision), (1, CountPrecision::LowerBound));
    assert_eq!((stats.reports[0].malformed, stats.reports[0].status), (1, SourceStatus::Unavailable));
}

#[test]
fn what_is_broken_is_told_of_what_was_read_through() {
    let mut capabilities = able();
    capabilities.by_id.clear();
    let source = by_threes(capabilities);
    source.change(|state| state.broken = natives(&["0001", "0006"]));
    let sources = std::slice::from_ref(&source);
    let key = Key::new(&SourceName::new("a"), "0006");
    let batch = run(federation(sources).fetch(&call(), &[key], Want::default()));
    assert_eq!((batch.found.len(), batch.failed.len(), batch.costs[0].1.malformed), (0, 0, 2));
    let parts = StatParts { total: true, by_owner: true, ..StatParts::default() };
    let stats = StatsQuery { filter: Filter::default(), parts, months: 1 };
    let stats = run(bounded(sources, 100).stats(&call(), &stats)).unwrap();
    assert_eq!((stats.total, stats.reports[0].malformed, stats.reports[0].total), (7, 2, Some(7)));
}

#[test]
fn a_copy_is_walked_though_rows_are_made_while_it_is_read() {
    let mut capabilities = unable();
    (capabilities.list.max_page_size, capabilities.list.calls_per_minute) = (10, Some(3));
    let source = Memory::new("a", capabilities, rows("a", 45));
    let federation = keeping(std::slice::from_ref(&source));
    let wanted = expected(std::slice::from_ref(&source), &Filter::default(), Order::default());
    // One page for each request; what is made moves rows that were read onto the next one.
    for made in 0.. {
        let page = run(federation.incidents(&call(), &newest(100))).unwrap();
        let keys: Vec<&Key> = page.items.iter().map(|row| &row.incident.key).collect();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{keys:?}");
        assert_eq!(page.total, Some(keys.len() as u64));
        if !page.reports[0].truncated {
            assert!(wanted.iter().all(|key| keys.contains(&key)) && made > 3);
            return;
        }
        let mut row = source.change(|state| state.rows[0].clone());
        (row.key, row.created_at) = (Key::new(&row.key.source, format!("new-{made}").as_str()), Some(time(made)));
        source.change(|state| state.rows.insert(0, row));
    }
}
