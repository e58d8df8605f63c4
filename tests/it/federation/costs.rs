//! What a page costs at sources that sort: one list each, of no more rows than it takes.

use super::{
    edges::rows,
    memory::{Memory, able, call, federation, run},
    walk,
    world::{expected, query, time},
};
use incident_gateway::{domain::*, federation::*};
use std::sync::Arc;

fn newest(first: i32) -> IncidentQuery {
    query(Filter::default(), Order::default(), first)
}

/// Rows made at these seconds.
fn made(name: &str, seconds: impl Iterator<Item = i64>) -> Arc<Memory> {
    let seconds: Vec<i64> = seconds.collect();
    let mut rows = rows(name, i64::try_from(seconds.len()).unwrap());
    rows.iter_mut().zip(seconds).for_each(|(row, second)| row.created_at = Some(time(second)));
    Memory::new(name, able(), rows)
}

/// The lists of each source for each page of a walk: offset and limit.
fn lists(sources: &[Arc<Memory>], mut query: IncidentQuery) -> Vec<Vec<Vec<(u64, usize)>>> {
    let federation = federation(sources);
    let mut pages = Vec::new();
    loop {
        let page = run(federation.incidents(&call(), &query)).unwrap();
        let of = |source: &Arc<Memory>| source.lists().iter().map(|list| (list.offset, list.limit)).collect();
        pages.push(sources.iter().map(of).collect());
        if !page.has_next {
            return pages;
        }
        query.after = page.cursor(page.items.len() - 1);
    }
}

#[test]
fn every_source_is_asked_once_for_a_page_wherever_it_stands() {
    // The first pages are of one source, the next ones of the other, the last of both.
    let a = made("a", (100..120).chain(0..10));
    let b = made("b", (50..70).chain(0..10));
    for first in [1, 2, 5, 7] {
        let pages = lists(&[a.clone(), b.clone()], newest(first));
        assert!(pages.iter().flatten().all(|lists| lists.len() == 1), "pages of {first}: {pages:?}");
    }
    let pages = lists(&[a, b], newest(5));
    assert_eq!(pages[0], [[(0, 5)], [(0, 5)]]);
    assert_eq!(pages[1], [[(4, 6)], [(0, 5)]], "of one with nothing before there is no row to begin one earlier with");
}

#[test]
fn offsets_of_every_size_are_kept() {
    let sources = [made("a", 0..300)];
    for first in [1, 16, 64] {
        let pages = lists(&sources, newest(first));
        assert!(pages.iter().flatten().all(|lists| lists.len() == 1), "pages of {first}");
        let starts: Vec<u64> = pages.iter().map(|page| page[0][0].0).collect();
        let expected = (0..300).step_by(usize::try_from(first).unwrap()).map(|start: u64| start.saturating_sub(1));
        assert_eq!(starts, expected.collect::<Vec<_>>());
    }
}

#[test]
fn who_gave_just_enough_is_not_asked_for_more() {
    // Of a page of 100, `a` gives 83 at once, the last of which is the last of the page.
    let a = made("a", (0..200).map(|index| 10_000 - 10 * index));
    let b = made("b", (0..17).map(|index| 9_995 - 10 * index).chain(0..100));
    let mut able = able();
    able.list.max_page_size = 83;
    let short = Memory::new("a", able, a.change(|state| state.rows.clone()));
    let pages = lists(&[short, b], newest(100));
    assert_eq!(pages[0], [vec![(0, 83)], vec![(0, 100)]]);
}

#[test]
fn a_place_beyond_what_a_source_counts_is_found_again_soon() {
    let source = made("a", 0..2_000);
    source.change(|state| state.cap = Some(100));
    let mut query = newest(50);
    let federation = federation(std::slice::from_ref(&source));
    let mut met = 0;
    for _ in 0..20 {
        let page = run(federation.incidents(&call(), &query)).unwrap();
        met += page.items.len();
        assert!(source.lists().len() <= 3);
        query.after = page.cursor(49);
        // Some of the newest go, so that the place is not where it was.
        source.change(|state| state.rows.truncate(state.rows.len() - 2));
    }
    assert_eq!(met, 1_000);
    let wanted = expected(std::slice::from_ref(&source), &Filter::default(), Order::default());
    assert_eq!(walk(&[source], newest(100), |_| {}), wanted);
}
