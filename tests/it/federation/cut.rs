//! Titles longer than a cursor keeps: what goes on after one of them, whoever sorts, and what that costs.

use super::{
    cases,
    edges::rows,
    memory::{Memory, able, call, federation, keeping, run, unable},
    walk, walk_of,
    world::{build, entitled, expected, query, word, world},
};
use incident_gateway::{domain::*, federation::*, source::Capabilities};
use proptest::{collection::vec, option, prelude::*};
use std::sync::Arc;

/// Alike in far more bytes than a cursor keeps.
fn long(number: usize) -> String {
    format!("{}{number:02}", "é".repeat(200))
}

fn by_title(direction: OrderDirection, first: i32) -> IncidentQuery {
    query(Filter::default(), Order { field: IncidentOrderField::Title, direction }, first)
}

/// A source of 23 such titles, each once.
fn entitled_source(name: &str, capabilities: Capabilities) -> Arc<Memory> {
    let mut rows = rows(name, 23);
    rows.iter_mut().enumerate().for_each(|(index, row)| row.title = Some(long((index * 7) % 23).into()));
    Memory::new(name, capabilities, rows)
}

/// Titles that differ only where a cursor does not keep them, from sources that sort and from those that do not.
#[test]
fn titles_that_a_cursor_cuts_are_walked_once_in_their_order() {
    for capabilities in [able(), unable()] {
        for kept in [true, false] {
            let sources = ["b", "a"].map(|name| entitled_source(name, capabilities.clone()));
            for direction in [OrderDirection::Asc, OrderDirection::Desc] {
                let query = by_title(direction, 3);
                let federation = if kept { keeping(&sources) } else { federation(&sources) };
                let met = walk_of(&federation, &sources, query.clone(), |_| {});
                assert_eq!(met, expected(&sources, &Filter::default(), query.order));
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(200))]

    /// `hidden`: nobody finds the incident of the cursor, so that its title stays cut and rows are told apart by number.
    #[test]
    fn long_titles_are_walked_once_whether_or_not_the_whole_one_is_found(
        world in world(), direction in word(), first in 1..9i32, severities in option::of(vec(word(), 1..6)),
        hidden in any::<bool>(),
    ) {
        let mut world = world;
        entitled(&mut world);
        let sources = build(&world);
        sources.iter().for_each(|source| source.change(|state| state.hidden = hidden));
        let filter = severities.map_or_else(Filter::default, |some| Filter::Test(Test::Severity(some)));
        let query = IncidentQuery { filter, ..by_title(direction, first) };
        let wanted = expected(&sources, &query.filter, query.order);
        prop_assert_eq!(walk(&sources, query.clone(), |_| {}), wanted.clone());
        prop_assert_eq!(walk_of(&keeping(&sources), &sources, query, |_| {}), wanted);
    }
}

#[test]
fn where_the_whole_title_is_found_rows_that_come_and_go_before_it_change_nothing() {
    for capabilities in [able(), unable()] {
        for direction in [OrderDirection::Asc, OrderDirection::Desc] {
            let source = entitled_source("a", capabilities.clone());
            let query = by_title(direction, 4);
            let wanted = expected(std::slice::from_ref(&source), &Filter::default(), query.order);
            let before = if direction == OrderDirection::Asc { format!("{}!", "é".repeat(200)) } else { long(99) };
            let met = walk(std::slice::from_ref(&source), query, |page| {
                let mut row = source.change(|state| state.rows[0].clone());
                row.key = Key::new(&row.key.source, format!("new-{page}").as_str());
                row.title = Some(before.as_str().into());
                source.change(|state| state.rows.insert(0, row));
            });
            assert_eq!(met, wanted);
        }
    }
}

#[test]
fn a_title_that_was_changed_meanwhile_is_not_taken_for_the_one_that_was_cut() {
    for capabilities in [able(), unable()] {
        let source = entitled_source("a", capabilities);
        let sources = std::slice::from_ref(&source);
        let query = by_title(OrderDirection::Asc, 4);
        let wanted = expected(sources, &Filter::default(), query.order);
        // To the beginning of the list: as many rows as before stand at or before the place.
        let met = walk(sources, query, |page| {
            let last = &wanted[page * 4 + 3];
            source.change(|state| {
                let row = state.rows.iter_mut().find(|row| row.key == *last).unwrap();
                row.title = Some("A new title".into());
            });
        });
        assert_eq!(met, wanted);
    }
}

#[test]
fn only_a_title_that_is_cut_costs_a_call() {
    for (bytes, calls) in [(256, 0), (257, 1)] {
        let mut rows = rows("a", 9);
        rows.iter_mut().for_each(|row| row.title = Some("x".repeat(bytes).into()));
        let source = Memory::new("a", able(), rows);
        let federation = federation(std::slice::from_ref(&source));
        let mut query = by_title(OrderDirection::Asc, 4);
        query.after = run(federation.incidents(&call(), &query)).unwrap().cursor(3);
        assert_eq!(source.change(|state| state.other_calls), 0);
        assert_eq!(run(federation.incidents(&call(), &query)).unwrap().items.len(), 4);
        assert_eq!(source.change(|state| state.other_calls), calls, "{bytes} bytes");
    }
}
