//! Many sources as one list: every page together is the sorted, filtered union, whatever the sources can do, whatever
//! comes and goes between two pages, whoever fails.

mod costs;
mod counting;
mod crowded;
mod cut;
mod edges;
mod memory;
mod odd;
mod parts;
mod random;
mod records;
mod seams;
mod short;
mod snapshots;
mod told;
mod world;

use incident_gateway::{domain::*, federation::*};
use memory::{Memory, call, federation, keeping, run};
use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{RngSeed, TestRunner},
};
use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};
use world::{build, expected, filter, order, query, world};

/// So many cases, from a seed that is told where one fails: with `PROPTEST_RNG_SEED` the same ones are made again.
fn cases(cases: u32) -> ProptestConfig {
    let given = ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 500, ..ProptestConfig::default() };
    let rng_seed = match given.rng_seed {
        RngSeed::Random => RngSeed::Fixed(RandomState::new().hash_one(0)),
        fixed => fixed,
    };
    eprintln!("To make these cases again: PROPTEST_RNG_SEED={rng_seed}");
    ProptestConfig { rng_seed, ..given }
}

/// Fails with the seed, and with the smallest values for which the test does.
fn property<S: Strategy>(name: &str, number: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = cases(number);
    let seed = config.rng_seed;
    if let Err(error) = TestRunner::new(config).run(&strategy, test) {
        panic!("{name}, with PROPTEST_RNG_SEED={seed}: {error}");
    }
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
fn a_property_that_fails_tells_its_values_and_the_seed_that_makes_them_again() {
    let fails = || {
        let failing = |number: u32| {
            prop_assert!(number < 500, "{number} is too much");
            Ok(())
        };
        let panic = std::panic::catch_unwind(|| property("numbers", 500, 0..1_000_000u32, failing)).unwrap_err();
        panic.downcast_ref::<String>().unwrap().clone()
    };
    let told = fails();
    for part in ["numbers, with PROPTEST_RNG_SEED=", "minimal failing input: 500", "500 is too much"] {
        assert!(told.contains(part), "{told}");
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
