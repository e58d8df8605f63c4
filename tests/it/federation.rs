//! Many sources as one list: every page together is the sorted, filtered union, whatever the sources can do, whatever
//! comes and goes between two pages, whoever fails.

mod counting;
mod edges;
mod memory;
mod records;
mod seams;
mod snapshots;
mod told;
mod world;

use incident_gateway::{domain::*, federation::*};
use memory::{Memory, call, federation, keeping, run};
use proptest::{collection::vec, prelude::*, sample::Index};
use std::{collections::HashSet, sync::Arc};
use world::{build, expected, filter, incident, order, query, seed, world};

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 500, ..ProptestConfig::default() }
}

/// All pages, one after the other; `between` is called after each with its number.
pub(crate) fn walk(sources: &[Arc<Memory>], query: IncidentQuery, between: impl FnMut(usize)) -> Vec<Key> {
    walk_of(&federation(sources), sources, query, between)
}

/// The same, in a federation that may remember.
pub(crate) fn walk_of(
    federation: &Federation,
    sources: &[Arc<Memory>],
    mut query: IncidentQuery,
    mut between: impl FnMut(usize),
) -> Vec<Key> {
    let mut keys = Vec::new();
    for number in 0.. {
        let page = run(federation.incidents(&call(), &query)).unwrap();
        for (source, report) in sources.iter().zip(&page.reports) {
            assert!(report.error.is_none() || source.change(|state| state.down), "{:?}", report.error);
        }
        let first = query.first.rows();
        assert!(page.items.len() <= first);
        assert!(page.items.len() == first || !page.has_next, "a page that is not the last is full");
        assert_eq!(page.has_previous, number > 0);
        assert_eq!(page.items.len(), page.reports.iter().map(|report| report.items).sum::<usize>());
        keys.extend(page.items.iter().map(|row| row.incident.key.clone()));
        assert!(number < 1_000, "a walk ends");
        if !page.has_next {
            break;
        }
        query.after = page.cursor(page.items.len() - 1);
        between(number);
    }
    keys
}

fn distinct(keys: &[Key]) -> bool {
    keys.iter().collect::<HashSet<_>>().len() == keys.len()
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn pages_together_are_the_sorted_filtered_union(
        world in world(), filter in filter(), order in order(), first in 1..9i32, want_total in any::<bool>(),
    ) {
        let sources = build(&world);
        let mut query = query(filter, order, first);
        query.want_total = want_total;
        let wanted = expected(&sources, &query.filter, order);
        let page = run(federation(&sources).incidents(&call(), &query)).unwrap();
        match page.precision {
            CountPrecision::Exact => prop_assert_eq!(page.total, Some(wanted.len() as u64)),
            CountPrecision::LowerBound => prop_assert!(page.total.unwrap() <= wanted.len() as u64),
            CountPrecision::Unknown => prop_assert_eq!(page.total, None),
        }
        prop_assert_eq!(walk(&sources, query.clone(), |_| {}), wanted.clone());
        prop_assert_eq!(walk_of(&keeping(&sources), &sources, query, |_| {}), wanted);
    }

    #[test]
    fn every_cursor_of_a_page_goes_on_after_its_row(
        world in world(), filter in filter(), order in order(), first in 1..9i32, at in any::<Index>(),
    ) {
        let sources = build(&world);
        let mut query = query(filter, order, first);
        let wanted = expected(&sources, &query.filter, order);
        let page = run(federation(&sources).incidents(&call(), &query)).unwrap();
        prop_assume!(!page.items.is_empty());
        let at = at.index(page.items.len());
        query.after = page.cursor(at);
        let next = run(federation(&sources).incidents(&call(), &query)).unwrap();
        let keys: Vec<Key> = next.items.iter().map(|row| row.incident.key.clone()).collect();
        let end = wanted.len().min(at + 1 + query.first.rows());
        prop_assert_eq!(&keys[..], &wanted[at + 1..end]);
        prop_assert_eq!(next.has_next, end < wanted.len());
    }

    #[test]
    fn rows_that_stay_are_met_once_while_others_come_and_go(
        world in world(), order in order(), filter in filter(), first in 1..9i32,
        changes in vec((any::<bool>(), any::<Index>(), any::<Index>(), vec(seed(), 1..40)), 1..8),
    ) {
        let sources = build(&world);
        // Titles that a cursor keeps whole: of longer ones the order is lost with the row itself.
        for source in &sources {
            source.change(|state| state.rows.iter_mut().for_each(shorten));
        }
        let before: HashSet<Key> = expected(&sources, &filter, order).into_iter().collect();
        let mut fresh = 1_000;
        let met = walk(&sources, query(filter.clone(), order, first), |number| {
            let Some((remove, which, place, seeds)) = changes.get(number) else { return };
            sources[which.index(sources.len())].change(|state| {
                if *remove {
                    let keep = state.rows.len() / 2;
                    let start = place.index(keep + 1);
                    state.rows.drain(start..state.rows.len() - (keep - start));
                    return;
                }
                for seed in seeds {
                    fresh += 1;
                    let name = state.rows.first().map_or("beta".into(), |row| row.key.source.to_string());
                    let mut row = incident(&name, &fresh.to_string(), seed);
                    shorten(&mut row);
                    if !state.rows.is_empty() {
                        let at = place.index(state.rows.len() + 1);
                        state.rows.insert(at, row);
                    }
                }
            });
        });
        prop_assert!(distinct(&met), "a row was given twice");
        let met: HashSet<Key> = met.into_iter().collect();
        let after: HashSet<Key> = expected(&sources, &filter, order).into_iter().collect();
        for stayed in before.intersection(&after) {
            prop_assert!(met.contains(stayed), "{stayed:?} was left out");
        }
    }

    #[test]
    fn a_source_that_fails_costs_its_rows_and_nothing_else(
        world in world(), order in order(), filter in filter(), first in 1..9i32,
        failures in vec(any::<Index>(), 0..9),
    ) {
        let sources = build(&world);
        // As above: the row that a longer title was cut from may be at the source that is down.
        for source in &sources {
            source.change(|state| state.rows.iter_mut().for_each(shorten));
        }
        let wanted = expected(&sources, &filter, order);
        let mut failed = HashSet::new();
        let met = walk(&sources, query(filter, order, first), |number| {
            sources.iter().for_each(|source| source.change(|state| state.down = false));
            if let Some(which) = failures.get(number) {
                let index = which.index(sources.len());
                sources[index].change(|state| state.down = true);
                failed.insert(name_of(&sources[index]));
            }
        });
        prop_assert!(distinct(&met));
        let of_others = |keys: Vec<Key>| keys.into_iter().filter(|key| !failed.contains(&key.source)).collect::<Vec<_>>();
        // A page without any row ends the walk, so that later rows of others are not met then either.
        let met = of_others(met);
        let wanted = of_others(wanted);
        prop_assert_eq!(&met[..], &wanted[..met.len()]);
        prop_assert!(met.len() == wanted.len() || !failed.is_empty());
    }

    #[test]
    fn a_page_out_of_order_makes_its_source_malformed(world in world(), first in 2..9i32) {
        let mut world = world;
        world.iter_mut().for_each(|(abilities, _)| abilities.make_sorting());
        let sources = build(&world);
        let order = Order { field: IncidentOrderField::Reference, direction: OrderDirection::Asc };
        sources[0].change(|state| state.backwards = true);
        let page = run(federation(&sources).incidents(&call(), &query(Filter::default(), order, first))).unwrap();
        let rows = sources[0].change(|state| state.rows.len());
        let report = page.reports.iter().find(|report| report.source == name_of(&sources[0])).unwrap();
        let malformed = report.status == SourceStatus::Malformed;
        prop_assert_eq!(malformed, rows > 1);
        prop_assert!(!malformed || page.items.iter().all(|row| row.incident.key.source != report.source));
        let others = expected(&sources[1..], &Filter::default(), order);
        prop_assert!(!malformed || page.items.len() == others.len().min(query(Filter::default(), order, first).first.rows()));
    }
}

fn name_of(source: &Arc<Memory>) -> SourceName {
    incident_gateway::source::Source::info(&**source).name.clone()
}

fn shorten(row: &mut Incident) {
    if row.title.as_ref().is_some_and(|title| title.len() > 256) {
        row.title = Some("short".into());
    }
}

#[test]
fn futures_can_move_between_threads() {
    fn sendable<T: Send>(_: T) {}
    let federation = federation(&[]);
    let (call, query) = (call(), query(Filter::default(), Order::default(), 1));
    sendable(federation.incidents(&call, &query));
    sendable(federation.fetch(&call, &[], Default::default()));
    sendable(federation.details(&call, DetailParts::default(), &[], Default::default()));
    let stats = StatsQuery { filter: Filter::default(), parts: StatParts::default(), months: 1 };
    sendable(federation.stats(&call, &stats));
}
