//! Filters: what a source is said to filter means the same there as here; what it is not reaches no server.

use super::{bench::*, samples::samples};
use incident_gateway::{domain::*, source::*};
use std::collections::BTreeSet;

fn all_of(tests: &[Test]) -> Filter {
    Filter::All(tests.iter().cloned().map(Filter::Test).collect())
}

/// Without an order a source may give what a filter leaves in any other.
fn set(ids: Vec<String>) -> BTreeSet<String> {
    ids.into_iter().collect()
}

fn taken(capabilities: &Capabilities, test: &Test) -> bool {
    matches!(capabilities.fit(test), Fit::Source | Fit::Both)
}

pub(super) async fn each_filter_gives_what_the_gateway_would_keep(subject: &Subject) {
    let bench = Bench::start(subject, 110).await;
    bench.disturb().await;
    let all = bench.all().await;
    let capabilities = bench.capabilities().await;
    let declared: BTreeSet<IncidentField> = capabilities.list.filters.iter().map(|filter| filter.field).collect();
    let (mut tried, mut narrowed) = (BTreeSet::new(), BTreeSet::new());
    for test in samples(&all).into_iter().filter(|test| taken(&capabilities, test)) {
        let filter = Filter::Test(test.clone());
        let expected = kept(&all, &filter);
        let given = bench.walk(std::slice::from_ref(&test), None, usize::MAX, PLAIN).await;
        match capabilities.fit(&test) {
            Fit::Source => assert_eq!(set(ids(&given)), set(expected.clone()), "{test:?}"),
            _ => assert_eq!(set(kept(&given, &filter)), set(expected.clone()), "{test:?}"),
        }
        tried.insert(test.field());
        if given.len() < all.len() && !expected.is_empty() {
            narrowed.insert(test.field());
        }
    }
    assert_eq!(tried, declared, "each has samples");
    assert_eq!(narrowed, declared, "each leaves something out, and not everything");
}

pub(super) async fn filters_hold_together(subject: &Subject) {
    let bench = Bench::start(subject, 110).await;
    let all = bench.all().await;
    let capabilities = bench.capabilities().await;
    let useful = |test: &Test| {
        let kept = kept(&all, &Filter::Test(test.clone())).len();
        taken(&capabilities, test) && kept > all.len() / 12 && kept < all.len()
    };
    let tests: Vec<Test> = samples(&all).into_iter().filter(useful).collect();
    let mut tried = 0;
    for (place, one) in tests.iter().enumerate() {
        // Not with every other: a few, spread over all.
        for other in tests.iter().skip(place + 1).step_by(tests.len() / 5 + 1) {
            if one.field() == other.field() || (capabilities.is_alone(one) && capabilities.is_alone(other)) {
                continue;
            }
            let both = [one.clone(), other.clone()];
            let given = bench.walk(&both, None, usize::MAX, PLAIN).await;
            assert_eq!(set(kept(&given, &all_of(&both))), set(kept(&all, &all_of(&both))), "{both:?}");
            tried += 1;
        }
    }
    let fields: BTreeSet<IncidentField> = tests.iter().map(Test::field).collect();
    assert!(tried >= 5 || fields.len() < 2, "{tried} pairs over {fields:?}");
}

pub(super) async fn filters_hold_within_orders(subject: &Subject) {
    let bench = Bench::start(subject, 90).await;
    let all = bench.all().await;
    let capabilities = bench.capabilities().await;
    let mut tests: Vec<Test> = Vec::new();
    for test in samples(&all).into_iter().filter(|test| taken(&capabilities, test)) {
        let kept = kept(&all, &Filter::Test(test.clone())).len();
        if kept > 5 && kept < all.len() && tests.iter().all(|other| other.field() != test.field()) {
            tests.push(test);
        }
    }
    for (field, directions) in &capabilities.list.orders {
        for order in directions.iter().map(|direction| Order { field: *field, direction: *direction }) {
            for test in &tests {
                let filter = Filter::Test(test.clone());
                let given = bench.walk(std::slice::from_ref(test), Some(order), 9, PLAIN).await;
                let matching: Vec<_> = all.iter().filter(|one| filter.matches(one)).cloned().collect();
                assert_eq!(kept(&given, &filter), sorted(&matching, order), "{test:?} {order:?}");
            }
        }
    }
}

pub(super) async fn other_filters_reach_no_server(subject: &Subject) {
    let bench = Bench::start(subject, 60).await;
    let all = bench.all().await;
    let capabilities = bench.capabilities().await;
    bench.sandbox.reset_calls();
    let refused: Vec<Test> = samples(&all).into_iter().filter(|test| !taken(&capabilities, test)).collect();
    for test in &refused {
        let request = ListRequest { tests: vec![test.clone()], order: None, offset: 0, limit: 5, want: PLAIN };
        let error = bench.source.list(&call(), &request).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Internal, "{test:?}");
        // A test that is said to match nothing here matches nothing here.
        if capabilities.fit(test) == Fit::Nothing {
            assert_eq!(kept(&all, &Filter::Test(test.clone())), [""; 0], "{test:?}");
        }
    }
    assert!(refused.len() > 30);
    assert_eq!(bench.sandbox.call_count(), 0);
}
