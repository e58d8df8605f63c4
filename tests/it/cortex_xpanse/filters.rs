//! Every filter that the source is said to apply means what ours means; the others reach no server.

use super::support::*;
use incident_gateway::{domain::*, source::*, vendors::cortex_xpanse::Undocumented};
use std::collections::BTreeSet;
use std::sync::Arc;

const ALL: Undocumented = Undocumented {
    sorts_by_time: true,
    sorts_by_id: true,
    sorts_ids_as_numbers: true,
    filters_starred: true,
    filters_description: true,
};

fn statuses() -> Vec<Test> {
    use IncidentStatus as S;
    let known = [S::New, S::InProgress, S::Resolved, S::Other];
    let mut tests = Vec::new();
    for set in 1..16u32 {
        let values = known.iter().enumerate().filter(|(place, _)| set & (1 << place) != 0).map(|(_, status)| *status);
        tests.push(Test::Status(values.collect()));
    }
    tests
}

/// Tests of every field that is filtered by, and of some that are not.
fn samples(all: &[Arc<Incident>]) -> Vec<Test> {
    let mut tests = statuses();
    for origins in [&["ASM"][..], &["XDR Agent"], &["ASM", "XDR Agent"], &["asm"], &["Mars"]] {
        tests.push(Test::Origins(origins.iter().map(|text| (*text).to_owned()).collect()));
    }
    use CloudManagement as C;
    for managements in [&[C::Managed][..], &[C::Unmanaged, C::NotApplicable], &[C::Other]] {
        tests.push(Test::CloudManagement(managements.to_vec()));
    }
    for clouds in [&["AWS"][..], &["AZURE", "PRISMA_CLOUD"], &["aws"], &["MARS", "GOOGLE"]] {
        tests.push(Test::CloudIntegrations(clouds.iter().map(|text| (*text).to_owned()).collect()));
    }
    tests.extend([Test::Starred(true), Test::Starred(false)]);
    let text = |contains: Option<&str>, equals: Option<&[String]>| {
        Test::ComputedDescription(TextTest::new(contains, equals, None))
    };
    let whole = all[3].computed_description.as_ref().unwrap().to_uppercase();
    tests.extend([
        text(Some("TELNET"), None),
        text(None, Some(&[whole])),
        text(Some("certificate"), Some(&["x".into()])),
    ]);
    let micros = chrono::TimeDelta::microseconds(1);
    for (field, of) in [
        (TimeField::Created, (|i: &Incident| i.created_at) as fn(&Incident) -> Option<Time>),
        (TimeField::Updated, |i| i.updated_at),
    ] {
        let (a, b) = (of(&all[50]).unwrap(), of(&all[120]).unwrap());
        for (since, until) in [
            (Some(a), None),
            (Some(a + micros), None),
            (Some(a - micros), None),
            (None, Some(a)),
            (None, Some(a + micros)),
            (Some(a), Some(b)),
            (Some(a), Some(a + micros)),
            (Some(a + micros), Some(a + micros * 2)),
        ] {
            tests.push(Test::Time(field, TimeRange { since, until }));
        }
    }
    tests
}

#[tokio::test]
async fn each_filter_selects_what_a_full_walk_selects() {
    let bench = Bench::with(options(250), |config| config.undocumented = ALL).await;
    let all = bench.walk(vec![], None, 100).await;
    let capabilities = bench.source.capabilities(&call()).await;
    let (mut tried, mut selective) = (BTreeSet::new(), 0);
    for test in samples(&all) {
        let fit = capabilities.fit(&test);
        assert!(matches!(fit, Fit::Source | Fit::Both), "{test:?}");
        let filter = Filter::Test(test.clone());
        let expected: Vec<&Key> = all.iter().filter(|i| filter.matches(i)).map(|i| &i.key).collect();
        let found = bench.walk(vec![test.clone()], None, 60).await;
        let kept: Vec<&Key> = found.iter().filter(|i| filter.matches(i)).map(|i| &i.key).collect();
        assert_eq!(kept, expected, "{test:?}");
        if fit == Fit::Source {
            assert_eq!(found.len(), expected.len(), "{test:?} is not exact");
        }
        tried.insert(test.field());
        selective += usize::from(!expected.is_empty() && found.len() < all.len());
    }
    let declared: BTreeSet<IncidentField> = capabilities.list.filters.iter().map(|filter| filter.field).collect();
    assert_eq!(tried, declared);
    assert!(selective > 30, "{selective}");
}

#[tokio::test]
async fn filters_hold_together() {
    let bench = Bench::new(250).await;
    let all = bench.walk(vec![], None, 100).await;
    let range = TimeRange { since: all[30].created_at, until: all[200].created_at };
    let tests = vec![
        Test::Status(vec![IncidentStatus::New, IncidentStatus::InProgress]),
        Test::Origins(vec!["ASM".into()]),
        Test::CloudManagement(vec![CloudManagement::Managed, CloudManagement::Unmanaged]),
        Test::Time(TimeField::Created, range),
        Test::Time(TimeField::Updated, TimeRange { since: range.since, until: None }),
    ];
    let filter = Filter::All(tests.iter().cloned().map(Filter::Test).collect());
    let found = bench.walk(tests, None, 100).await;
    let expected: Vec<&Key> = all.iter().filter(|i| filter.matches(i)).map(|i| &i.key).collect();
    let kept: Vec<&Key> = found.iter().filter(|i| filter.matches(i)).map(|i| &i.key).collect();
    assert_eq!(kept, expected);
    assert!(!expected.is_empty());
}

#[tokio::test]
async fn what_the_documents_leave_open_is_filtered_by_the_gateway_unless_switched_on() {
    let tests = [
        Test::Starred(true),
        Test::ComputedDescription(TextTest::new(Some("telnet"), None, None)),
        Test::Severity(vec![Severity::High]),
        Test::Title(TextTest::new(Some("x"), None, None)),
    ];
    let fits = |undocumented| {
        let tests = tests.clone();
        async move {
            let mut config = config();
            config.undocumented = undocumented;
            let (source, _) = over(&config, |_, _| json_body("{}"));
            let capabilities = source.capabilities(&call()).await;
            tests.map(|test| capabilities.fit(&test))
        }
    };
    assert_eq!(fits(Undocumented::default()).await, [Fit::Gateway; 4]);
    assert_eq!(fits(ALL).await, [Fit::Source, Fit::Both, Fit::Gateway, Fit::Gateway]);
}

/// Through GraphQL, where the gateway does the rest.
#[tokio::test]
async fn filters_through_graphql_find_what_they_say() {
    let bench = Bench::new(250).await;
    let all = bench.walk(vec![], None, 100).await;
    let api = bench.api();
    let open = all.iter().filter(|i| i.phase() == IncidentPhase::Open).count();
    let severe = all.iter().filter(|i| i.severity == Severity::Critical && i.starred == Some(true)).count();
    let not_new = all.iter().filter(|i| i.status != IncidentStatus::New).count();
    let telnet = |i: &&Arc<Incident>| i.computed_description.as_ref().is_some_and(|text| text.contains("Telnet"));
    let without = all.iter().filter(|i| i.status == IncidentStatus::Other).count();
    assert!(without > 0 && severe > 0);
    for (filter, count) in [
        ("{ phase: OPEN }", open),
        ("{ severity: CRITICAL, starred: true }", severe),
        ("{ not: { status: NEW } }", not_new),
        ("{ computedDescription: { contains: \"telnet\" } }", all.iter().filter(telnet).count()),
        ("{ status: OTHER }", without),
        ("{ resolution: NO_RISK }", all.iter().filter(|i| i.resolution == Some(Resolution::NoRisk)).count()),
        ("{ sourceIds: [\"7\", \"9\", \"100000\"] }", 2),
        ("{ references: [\"7\"] }", 1),
    ] {
        let list = data(
            &api,
            &format!("{{ incidents(first: 1, filter: {filter}) {{ totalCount sources {{ error {{ code }} }} }} }}"),
        )
        .await;
        assert_eq!(list["incidents"]["totalCount"], count, "{filter}: {list}");
    }
}
