//! `stats`: the same numbers whether a source tells them or its incidents are counted here.

use super::{
    memory::{Memory, able, bounded, call, federation, keeping, now, run},
    world::{build, expected, filter, world},
};
use incident_gateway::{domain::*, federation::*, source::Call};
use proptest::prelude::*;
use std::sync::Arc;

fn everything() -> StatParts {
    use IncidentTimeField::{CreatedAt, ReportedAt};
    StatParts {
        total: true,
        open: true,
        by_severity: true,
        by_status: true,
        by_source: true,
        by_detection: true,
        by_owner: true,
        by_qualification: true,
        mean_time_to_resolve: true,
        by_month: vec![CreatedAt, ReportedAt],
    }
}

fn ask(sources: &[Arc<Memory>], filter: Filter, parts: StatParts) -> Stats {
    run(federation(sources).stats(&call(), &StatsQuery { filter, parts, months: 3 })).unwrap()
}

/// What the incidents themselves say.
fn matching(sources: &[Arc<Memory>], filter: &Filter) -> Vec<Incident> {
    let keys = expected(sources, filter, Order::default());
    let all = sources.iter().flat_map(|source| source.change(|state| state.rows.clone()));
    all.filter(|row| keys.contains(&row.key)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn counts_equal_a_walk(world in world(), filter in filter(), read in any::<bool>()) {
        let sources = build(&world);
        let rows = matching(&sources, &filter);
        let mut parts = everything();
        if !read {
            // Only what totals of lists can tell.
            parts = StatParts { by_owner: false, by_qualification: false, mean_time_to_resolve: false, by_month: vec![], ..parts };
        }
        let stats = ask(&sources, filter, parts);
        prop_assert_eq!(stats.precision, CountPrecision::Exact);
        prop_assert_eq!(stats.total, rows.len() as u64);
        prop_assert_eq!(stats.open, rows.iter().filter(|row| row.phase() == IncidentPhase::Open).count() as u64);
        for (severity, count) in &stats.by_severity {
            prop_assert_eq!(*count, rows.iter().filter(|row| row.severity == *severity).count() as u64);
        }
        prop_assert_eq!(stats.by_severity.iter().map(|(_, count)| count).sum::<u64>(), stats.total);
        prop_assert!(stats.by_severity.is_sorted_by_key(|(severity, _)| *severity));
        prop_assert_eq!(stats.by_status.iter().map(|(_, count)| count).sum::<u64>(), stats.total);
        for (source, count) in &stats.by_source {
            prop_assert_eq!(*count, rows.iter().filter(|row| row.key.source == *source).count() as u64);
        }
        if read {
            let unowned = rows.iter().filter(|row| row.owners.is_empty()).count() as u64;
            let told = stats.by_owner.iter().find(|(owner, _)| owner.is_none()).map_or(0, |(_, count)| *count);
            prop_assert_eq!(told, unowned);
            prop_assert!(stats.by_owner.is_sorted_by(|a, b| a.1 >= b.1));
        }
    }
}

fn at(text: &str) -> Option<Time> {
    Some(text.parse().unwrap())
}

fn row(id: &str, change: impl FnOnce(&mut Incident)) -> Incident {
    let mut row = Incident::new(Key::new(&SourceName::new("a"), id), SourceKind::CisoAssistant);
    change(&mut row);
    row
}

#[test]
fn months_go_back_from_now_and_empty_ones_are_told() {
    // Now is 2027-01-15.
    assert_eq!(now().to_rfc3339(), "2027-01-15T08:00:00+00:00");
    let created = |id, text| row(id, |row| row.created_at = at(text));
    let rows = vec![
        created("1", "2020-02-01T00:00:00Z"),
        created("2", "2026-11-30T23:59:59.999Z"),
        created("3", "2027-01-01T00:00:00Z"),
        created("4", "2027-01-01T00:30:00+01:00"),
        created("5", "2031-01-01T00:00:00Z"),
        row("6", |_| ()),
    ];
    let parts = StatParts { by_month: vec![IncidentTimeField::CreatedAt], ..StatParts::default() };
    let stats = ask(&[Memory::new("a", able(), rows)], Filter::default(), parts);
    let months: Vec<_> = stats.by_month[0].months.iter().map(|m| (m.year, m.month, m.count, m.cumulative)).collect();
    assert_eq!(months, [(2026, 11, 1, 2), (2026, 12, 1, 3), (2027, 1, 1, 4)]);
}

#[test]
fn time_to_resolve_is_from_creation_and_leaves_out_what_was_resolved_before() {
    let pair = |id, from, to| {
        row(id, |row| {
            row.created_at = at(from);
            row.resolved_at = at(to);
        })
    };
    let rows = vec![
        pair("1", "2026-01-01T00:00:00Z", "2026-01-01T03:00:00Z"),
        pair("2", "2026-01-01T00:00:00Z", "2026-01-01T00:30:00Z"),
        pair("3", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
        row("4", |_| ()),
    ];
    let parts = StatParts { mean_time_to_resolve: true, ..StatParts::default() };
    let stats = ask(&[Memory::new("a", able(), rows)], Filter::default(), parts.clone());
    assert_eq!(stats.mean_time_to_resolve_hours, Some(1.75));
    assert_eq!(ask(&[], Filter::default(), parts).mean_time_to_resolve_hours, None);
}

/// A source whose metrics say something that its incidents do not, so that one sees which were asked.
fn measured() -> Arc<Memory> {
    let mut capabilities = able();
    capabilities.metrics = MetricParts {
        total: true,
        by_severity: true,
        by_detection: true,
        by_qualification: true,
        by_month_reported: true,
        by_status: false,
    };
    let rows = (0..4).map(|id| row(&id.to_string(), |row| row.status = IncidentStatus::Closed)).collect();
    let source = Memory::new("a", capabilities, rows);
    source.change(|state| {
        let key = Key::new(&SourceName::new("a"), "t1");
        state.terms = vec![Term {
            key,
            kind: TermKind::Qualification,
            name: "raw".into(),
            label: Some("Label".into()),
            description: None,
            selectable: None,
        }];
        state.metrics = Metrics {
            total: Some(40),
            by_severity: Some(vec![(Severity::Low, 0), (Severity::High, 40)]),
            by_status: None,
            by_detection: Some(vec![(Detection::Internal, 11)]),
            by_qualification: Some(vec![("raw".into(), 7), ("unused".into(), 0)]),
            by_month_reported: Some(vec![(2020, 1, 5), (2027, 1, 2)]),
        };
    });
    source
}

#[test]
fn metrics_are_used_where_they_mean_the_same() {
    let source = measured();
    let parts = StatParts {
        by_owner: false,
        mean_time_to_resolve: false,
        by_month: vec![IncidentTimeField::ReportedAt],
        ..everything()
    };
    let stats = ask(std::slice::from_ref(&source), Filter::default(), parts.clone());
    assert_eq!((stats.total, stats.by_severity.clone()), (40, vec![(Severity::High, 40)]));
    assert_eq!(stats.by_detection, [(Detection::Internal, 11)]);
    assert_eq!(stats.by_qualification, [(Link::new(Key::new(&SourceName::new("a"), "t1"), "Label"), 7)]);
    assert_eq!(stats.by_month[0].months.last().unwrap().cumulative, 7);
    // Open is never theirs: each status is counted by a list of one row.
    assert_eq!((stats.open, stats.by_status.clone()), (0, vec![(IncidentStatus::Closed, 4)]));
    let lists = source.lists();
    assert_eq!(lists.len(), IncidentStatus::WORDS.len());
    assert!(lists.iter().all(|list| list.limit == 1 && list.tests.len() == 1));

    let scope = Filter::Test(Test::Scopes(vec![Key::new(&SourceName::new("a"), "root")]));
    assert_eq!(ask(std::slice::from_ref(&source), scope, parts.clone()).total, 40);
    for filter in [
        Filter::Test(Test::Scopes(vec![Key::new(&SourceName::new("a"), "x"), Key::new(&SourceName::new("a"), "y")])),
        Filter::Test(Test::Status(vec![IncidentStatus::Closed])),
        Filter::Not(Box::new(Filter::Test(Test::Starred(true)))),
    ] {
        assert_ne!(ask(std::slice::from_ref(&source), filter.clone(), parts.clone()).total, 40, "{filter:?}");
    }
}

#[test]
fn a_qualification_that_no_term_names_is_counted_from_the_incidents() {
    let source = measured();
    source.change(|state| state.terms.clear());
    let parts = StatParts { by_qualification: true, ..StatParts::default() };
    let stats = ask(&[source], Filter::default(), parts);
    assert_eq!((stats.total, stats.by_qualification), (4, vec![]));
}

#[test]
fn what_is_not_asked_for_is_not_called_for() {
    let source = measured();
    let parts = StatParts { total: true, ..StatParts::default() };
    let stats = ask(std::slice::from_ref(&source), Filter::default(), parts);
    assert_eq!((stats.total, stats.by_status.len()), (40, 0));
    assert!(source.lists().is_empty());
    assert_eq!(source.change(|state| state.other_calls), 1);
}

#[test]
fn values_outside_the_filter_are_not_counted() {
    let source = measured();
    let filter = Filter::Test(Test::Status(vec![IncidentStatus::New, IncidentStatus::Closed]));
    let parts = StatParts { by_status: true, ..StatParts::default() };
    let stats = ask(std::slice::from_ref(&source), filter, parts);
    assert_eq!(stats.by_status, [(IncidentStatus::Closed, 4)]);
    assert_eq!(source.lists().len(), 3);
}

#[test]
fn counts_of_all_sources_are_added() {
    let of = |name: &str| {
        let key = |id: &str| Key::new(&SourceName::new(name), id);
        let owner = Record::Owner(Arc::new(Owner {
            key: key("ann"),
            kind: OwnerKind::User,
            source_type: None,
            name: Some("Ann".into()),
            profile: OwnerProfile::default(),
        }));
        let rows = (0..3).map(|id: usize| {
            let mut row = Incident::new(key(&id.to_string()), SourceKind::CisoAssistant);
            row.created_at = at("2027-01-01T00:00:00Z");
            row.resolved_at = at("2027-01-01T02:00:00Z").filter(|_| id > 0);
            row.severity = Severity::High;
            row.status = IncidentStatus::Closed;
            row.detection = Some(Detection::Internal);
            if id > 0 {
                (row.owners, row.embedded) = (vec![Link::bare(key("ann"))], vec![owner.clone()]);
                row.qualifications = vec![Link::new(key("q"), "Label")];
            }
            row
        });
        Memory::new(name, able(), rows.collect())
    };
    let sources = [of("a"), of("b")];
    let stats = ask(&sources, Filter::default(), everything());
    assert_eq!((stats.total, stats.open, stats.precision), (6, 0, CountPrecision::Exact));
    assert_eq!(stats.by_severity, [(Severity::High, 6)]);
    assert_eq!(stats.by_status, [(IncidentStatus::Closed, 6)]);
    assert_eq!(stats.by_detection, [(Detection::Internal, 6)]);
    let owners: Vec<_> = stats.by_owner.iter().map(|(owner, count)| (owner.is_some(), *count)).collect();
    assert_eq!(owners, [(false, 2), (true, 2), (true, 2)]);
    assert_eq!(stats.embedded.len(), 2);
    assert_eq!(stats.by_qualification.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(stats.by_month[0].months.last().map(|month| (month.count, month.cumulative)), Some((6, 6)));
    assert_eq!(stats.mean_time_to_resolve_hours, Some(2.0));
    assert_eq!(stats.reports.iter().map(|report| report.total).collect::<Vec<_>>(), [Some(3), Some(3)]);
    // By the lists of the sources, too.
    let parts = StatParts { by_detection: true, by_status: true, ..StatParts::default() };
    let stats = ask(&sources, Filter::default(), parts);
    assert_eq!(
        (stats.by_detection, stats.by_status),
        (vec![(Detection::Internal, 6)], vec![(IncidentStatus::Closed, 6)])
    );
    let nowhere = Filter::Test(Test::Sources(vec![SourceName::new("nowhere")]));
    let refused =
        run(federation(&sources).stats(&call(), &StatsQuery { filter: nowhere, parts: everything(), months: 1 }));
    assert!(matches!(refused, Err(FederationError::UnknownSource { .. })));
}

#[test]
fn metrics_are_asked_for_one_scope_and_terms_are_read_to_their_end() {
    let mut source = measured();
    Arc::get_mut(&mut source).unwrap().capabilities.list.max_page_size = 2;
    source.change(|state| {
        let term = state.terms[0].clone();
        let other = |id: usize| Term {
            key: Key::new(&term.key.source, format!("other-{id}").as_str()),
            kind: TermKind::Origin,
            ..term.clone()
        };
        // Words of other kinds may be the same; the one that counts comes on the last page.
        state.terms = (0..4).map(other).chain([term.clone()]).chain((4..5).map(other)).collect();
    });
    let key = |id: &str| Key::new(&SourceName::new("a"), id);
    let scope = Filter::Test(Test::Scopes(vec![key("root")]));
    let parts = StatParts { by_qualification: true, ..StatParts::default() };
    for filter in [Filter::default(), scope] {
        let stats = ask(std::slice::from_ref(&source), filter, parts.clone());
        assert_eq!(stats.by_qualification, [(Link::new(key("t1"), "Label"), 7)]);
    }
    assert_eq!(source.change(|state| state.measured.clone()), [None, Some(NativeId::new("root"))]);
}

#[test]
fn what_metrics_do_not_tell_is_read_or_counted_by_lists() {
    let mut source = measured();
    Arc::get_mut(&mut source).unwrap().capabilities.metrics =
        MetricParts { total: true, by_status: true, ..MetricParts::default() };
    source.change(|state| {
        state.metrics.by_status = Some(vec![(IncidentStatus::New, 30), (IncidentStatus::Closed, 10)]);
        state.rows[0].reported_at = at("2027-01-02T00:00:00Z");
        state.rows[1].qualifications = vec![Link::bare(Key::new(&SourceName::new("a"), "t2"))];
    });
    let sources = std::slice::from_ref(&source);
    let open = ask(sources, Filter::default(), StatParts { open: true, ..StatParts::default() });
    assert_eq!((open.total, open.open, open.by_status.len()), (40, 30, 0));
    let months = StatParts { by_month: vec![IncidentTimeField::ReportedAt], ..StatParts::default() };
    let months = ask(sources, Filter::default(), months);
    assert_eq!((months.total, months.by_month[0].months[2].count), (4, 1));
    let terms = StatParts { by_qualification: true, ..StatParts::default() };
    let terms = ask(sources, Filter::default(), terms);
    assert_eq!((terms.total, terms.by_qualification.len()), (4, 1));
    // Months of another time than the metrics tell.
    let created = StatParts { by_month: vec![IncidentTimeField::CreatedAt], ..StatParts::default() };
    assert_eq!(ask(&[measured()], Filter::default(), created).total, 4);
    // Lists that tell no total are read.
    let mut capabilities = able();
    capabilities.list.total = CountPrecision::Unknown;
    let silent = Memory::new("a", capabilities, vec![row("1", |_| ()), row("2", |_| ())]);
    let stats = ask(&[silent], Filter::default(), StatParts { total: true, ..StatParts::default() });
    assert_eq!((stats.total, stats.precision), (2, CountPrecision::Exact));
}

#[test]
fn counts_from_a_copy_tell_when_it_was_read() {
    let source = Memory::new("a", able(), vec![row("1", |_| ())]);
    let federation = keeping(std::slice::from_ref(&source));
    let query = StatsQuery { filter: Filter::default(), parts: everything(), months: 1 };
    run(federation.stats(&call(), &query)).unwrap();
    let later = Call { now: now() + chrono::TimeDelta::seconds(20), ..call() };
    let stats = run(federation.stats(&later, &query)).unwrap();
    assert_eq!((stats.reports[0].fetched_at, stats.reports[0].from_cache), (Some(now()), true));
    assert_eq!(source.lists().len(), 1);
}

#[test]
fn a_bounded_or_failed_count_is_a_lower_bound() {
    let source = measured();
    let query = StatsQuery { filter: Filter::default(), parts: everything(), months: 1 };
    let stats = run(bounded(std::slice::from_ref(&source), 3).stats(&call(), &query)).unwrap();
    // Three rows were read; the source itself counts forty, and by severity.
    assert_eq!((stats.total, stats.precision), (40, CountPrecision::LowerBound));
    assert_eq!(stats.by_severity, [(Severity::High, 40)]);
    assert_eq!(stats.by_status, [(IncidentStatus::Closed, 4)]);
    assert_eq!(stats.by_detection, [(Detection::Internal, 11)]);
    assert!(stats.by_owner.len() <= 4);
    assert!(stats.reports[0].truncated);
    let other = Memory::new("b", able(), Vec::new());
    other.change(|state| state.down = true);
    let stats = run(federation(&[source, other]).stats(&call(), &query)).unwrap();
    assert_eq!((stats.total, stats.precision), (4, CountPrecision::LowerBound));
    assert_eq!(stats.by_source.len(), 1);
    assert_eq!(stats.reports[1].status, SourceStatus::Unavailable);
}
