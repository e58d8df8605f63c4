//! What a source may lack or do in its own way: ids, exact filters, names, totals. One promise each.

use super::{
    edges::rows,
    memory::{Memory, able, bounded, call, federation, run, unable},
    world::{query, time},
};
use incident_gateway::{domain::*, federation::*, source::*};
use std::sync::Arc;

fn narrowed(rules: Vec<FilterCapability>) -> Capabilities {
    let mut capabilities = able();
    capabilities.list.filters = rules;
    capabilities
}

fn ids(page: &IncidentPage) -> Vec<String> {
    page.items.iter().map(|row| row.incident.key.native.to_string()).collect()
}

fn ask(source: &Arc<Memory>, filter: Filter) -> IncidentPage {
    let sources = std::slice::from_ref(source);
    run(federation(sources).incidents(&call(), &query(filter, Order::default(), 100))).unwrap()
}

fn all(tests: Vec<Test>) -> Filter {
    Filter::All(tests.into_iter().map(Filter::Test).collect())
}

fn natives(keys: &[&str]) -> Vec<Key> {
    keys.iter().map(|key| Key::new(&SourceName::new("a"), *key)).collect()
}

#[test]
fn incidents_that_are_not_given_by_id_are_looked_for_in_the_list() {
    let mut capabilities = able();
    capabilities.by_id.clear();
    capabilities.list.max_page_size = 10;
    let source = Memory::new("a", capabilities, rows("a", 50));
    let keys = natives(&["0003", "0027", "nobody"]);
    let federation = bounded(std::slice::from_ref(&source), 100);
    let batch = run(federation.fetch(&call(), &keys, Want::default()));
    assert_eq!((batch.found.len(), batch.failed.len()), (2, 0));
    assert!(batch.found.contains_key(&keys[1]) && source.change(|state| state.other_calls) == 0);
    assert_eq!(source.lists().len(), 5, "to the end, since one is not there");
    assert_eq!(run(federation.fetch(&call(), &keys[..1], Want::default())).found.len(), 1);
    assert_eq!(source.lists().len(), 1, "no further than to the one that is sought");
    // Beyond the bound nothing is said about an id.
    let batch = run(bounded(std::slice::from_ref(&source), 20).fetch(&call(), &keys, Want::default()));
    assert_eq!((batch.found.len(), batch.failed.len()), (1, 2));
    assert_eq!(batch.failed[&keys[1]].kind(), SourceErrorKind::Unavailable);
    // As a filter, too.
    source.lists();
    let page = ask(&source, Filter::Test(Test::SourceIds(vec![keys[0].native.clone(), keys[1].native.clone()])));
    assert_eq!(ids(&page), ["0027", "0003"]);
    assert_eq!(page.reports[0].filtered_by_gateway, [IncidentField::Id]);
}

#[test]
fn records_that_are_not_given_by_id_are_not_asked_for() {
    let mut capabilities = able();
    capabilities.by_id.retain(|kind| *kind != RecordKind::Tag);
    let source = Memory::new("a", capabilities, vec![]);
    let batch = run(federation(std::slice::from_ref(&source)).related(
        &call(),
        RecordKind::Tag,
        &natives(&["t"]),
        Want::default(),
    ));
    assert!(batch.found.is_empty() && batch.failed.is_empty());
    assert_eq!(source.change(|state| state.other_calls), 0);
}

#[test]
fn a_filter_that_only_narrows_is_applied_again() {
    let rule = FilterCapability::narrowing(IncidentField::Severity, FilterRule::AnyOf);
    let source = Memory::new("a", narrowed(vec![rule]), rows("a", 30));
    source.change(|state| state.lazy = true);
    let page = ask(&source, Filter::Test(Test::Severity(vec![Severity::WORDS[0].value])));
    assert_eq!(ids(&page).len(), 10);
    assert!(source.lists().iter().all(|list| list.tests.len() == 1), "it was asked of the source all the same");
    let report = &page.reports[0];
    assert_eq!(report.filtered_by_source, [IncidentField::Severity]);
    assert_eq!(report.filtered_by_gateway, [IncidentField::Severity]);
    assert_eq!(page.total, Some(10));
    let parts = StatParts { by_severity: true, ..StatParts::default() };
    let stats = StatsQuery { filter: Filter::default(), parts, months: 1 };
    let stats = run(federation(&[source]).stats(&call(), &stats)).unwrap();
    assert!(stats.by_severity.iter().all(|(_, count)| *count == 10), "{:?}", stats.by_severity);
}

#[test]
fn one_value_one_range_one_flag_and_plain_text_are_as_much_as_a_source_is_asked() {
    let field = |field, rule| FilterCapability::new(field, rule);
    let source = Memory::new(
        "a",
        narrowed(vec![
            field(IncidentField::Severity, FilterRule::OneOf),
            field(IncidentField::CreatedAt, FilterRule::OneRange),
            field(IncidentField::UpdatedAt, FilterRule::OneRange),
            field(IncidentField::Owners, FilterRule::Flag(true)),
            field(IncidentField::Title, FilterRule::Text),
        ]),
        rows("a", 30),
    );
    let range = |field| Test::Time(field, TimeRange { since: Some(time(3)), until: None });
    let title = |text: &str| Test::Title(TextTest::new(Some(text), None, None));
    let pattern = Test::Title(TextTest::new(Some("x"), None, Some(Pattern::parse("x").unwrap())));
    let severities = |count: usize| Test::Severity(Severity::WORDS[..count].iter().map(|word| word.value).collect());
    for (tests, asked) in [
        (vec![severities(1)], 1),
        (vec![severities(2)], 0),
        (vec![range(TimeField::Created)], 1),
        (vec![range(TimeField::Created), range(TimeField::Updated)], 1),
        (vec![Test::Unassigned(true)], 1),
        (vec![Test::Unassigned(false)], 0),
        (vec![title("Abc")], 1),
        (vec![title("Ünder")], 0),
        (vec![pattern], 0),
    ] {
        source.lists();
        let page = ask(&source, all(tests.clone()));
        assert!(source.lists().iter().all(|list| list.tests.len() == asked), "{tests:?}");
        let report = &page.reports[0];
        assert_eq!(report.filtered_by_source.len() + report.filtered_by_gateway.len(), tests.len(), "{tests:?}");
    }
}

#[test]
fn a_total_that_is_counted_no_further_is_a_lower_bound() {
    let source = Memory::new("a", able(), rows("a", 300));
    source.change(|state| state.cap = Some(200));
    source.change(|state| state.restricted = ["9", "8", "9"].map(NativeId::new).into());
    let page = ask(&source, Filter::default());
    assert_eq!((page.total, page.precision), (Some(200), CountPrecision::LowerBound));
    let restricted: Vec<String> = page.reports[0].restricted_ids.iter().map(NativeId::to_string).collect();
    assert_eq!(restricted, ["8", "9"]);
    // A walk goes beyond it all the same.
    let mut query = query(Filter::default(), Order::default(), 100);
    let (mut met, federation) = (0, federation(std::slice::from_ref(&source)));
    loop {
        let page = run(federation.incidents(&call(), &query)).unwrap();
        met += page.items.len();
        if !page.has_next {
            break;
        }
        query.after = page.cursor(page.items.len() - 1);
    }
    assert_eq!(met, 300);
    let stats =
        StatsQuery { filter: Filter::default(), parts: StatParts { total: true, ..StatParts::default() }, months: 1 };
    assert_eq!(run(federation.stats(&call(), &stats)).unwrap().total, 300, "counted by reading");
}

#[test]
fn a_total_is_the_same_on_every_page_or_not_told() {
    let mut silent = able();
    silent.list.total = CountPrecision::Unknown;
    let odd = Filter::Not(Box::new(Filter::Test(Test::Starred(true))));
    for capabilities in [able(), silent, unable()] {
        for (filter, want_total) in [(Filter::default(), false), (odd.clone(), false), (odd.clone(), true)] {
            let federation = federation(&[Memory::new("a", capabilities.clone(), rows("a", 25))]);
            let mut query = IncidentQuery { want_total, ..query(filter, Order::default(), 10) };
            for number in 0..3 {
                let page = run(federation.incidents(&call(), &query)).unwrap();
                match page.precision {
                    CountPrecision::Exact => assert_eq!(page.total, Some(25), "page {number}"),
                    CountPrecision::LowerBound => assert!(number == 0 && page.total <= Some(25)),
                    CountPrecision::Unknown => assert!(page.total.is_none() && !want_total),
                }
                query.after = page.cursor(page.items.len() - 1);
            }
        }
    }
}

#[test]
fn names_are_compared_with_rows_where_a_source_looks_up_none() {
    let mut capabilities = able();
    capabilities.resolves_names = false;
    let key = |native: &str| natives(&[native]).remove(0);
    let mut list = rows("a", 3);
    for row in &mut list {
        (row.owners, row.tags) = (vec![], vec![]);
    }
    let mut owner = Owner {
        key: key("u-1"),
        kind: OwnerKind::User,
        source_type: None,
        name: Some("Ann".into()),
        profile: OwnerProfile::default(),
    };
    owner.profile.email = Some("Ann@Example.test".into());
    list[1].owners = vec![Link::bare(key("u-1"))];
    list[1].embedded = vec![Record::Owner(Arc::new(owner))];
    list[2].tags = vec![Link::new(key("t"), "Urgent")];
    let source = Memory::new("a", capabilities, list);
    for (test, expected) in [
        (Test::Owners(vec![OwnerRef::Email("ann@example.TEST".into())]), "0001"),
        (Test::Owners(vec![OwnerRef::SourceId("u-1".into())]), "0001"),
        (Test::Tags(vec![TagRef::Name("URGENT".into())]), "0002"),
    ] {
        assert_eq!(ids(&ask(&source, Filter::Test(test.clone()))), [expected], "{test:?}");
        assert!(source.lists().iter().all(|list| list.tests.is_empty()), "a name means nothing to the source");
    }
    assert_eq!(source.change(|state| state.other_calls), 0);
}

#[test]
fn as_many_bytes_of_a_filter_as_fit_are_asked_for() {
    let test = Test::Severity(vec![Severity::High, Severity::Low]);
    let bytes = Capabilities::length(&test);
    for (room, asked) in [(bytes, 1), (bytes - 1, 0)] {
        let mut capabilities = able();
        capabilities.list.max_filter_bytes = room;
        let source = Memory::new("a", capabilities, rows("a", 9));
        let page = ask(&source, Filter::Test(test.clone()));
        assert!(page.items.iter().all(|row| [Severity::High, Severity::Low].contains(&row.incident.severity)));
        assert!(source.lists().iter().all(|list| list.tests.len() == asked), "{room} bytes");
    }
}

#[test]
fn what_a_name_or_a_range_decides_costs_no_call() {
    let range = TimeRange { since: Some(time(3)), until: Some(time(3)) };
    let here = Test::Sources(vec![SourceName::new("a")]);
    let elsewhere = Key::new(&SourceName::new("b"), "t");
    for filter in [
        Filter::Test(Test::Time(TimeField::Created, range)),
        Filter::Not(Box::new(Filter::Test(here.clone()))),
        Filter::Test(Test::Tags(vec![TagRef::Key(elsewhere.clone())])),
        Filter::Test(Test::Owners(vec![OwnerRef::Key(elsewhere)])),
        all(vec![Test::SourceIds(vec!["0001".into()]), Test::SourceIds(vec!["0002".into()])]),
    ] {
        let source = Memory::new("a", able(), rows("a", 9));
        let page = ask(&source, filter.clone());
        assert_eq!((page.reports[0].status, page.total), (SourceStatus::Skipped, Some(0)), "{filter:?}");
        assert!(source.lists().is_empty() && source.change(|state| state.other_calls) == 0, "{filter:?}");
    }
    // What it decides the other way is asked of nobody.
    let source = Memory::new("a", able(), rows("a", 9));
    assert_eq!(ids(&ask(&source, all(vec![here, Test::Search(Search::parse(" "))]))).len(), 9);
    assert!(source.lists().iter().all(|list| list.tests.is_empty()));
}

#[test]
fn of_a_phase_only_statuses_that_the_source_has_are_asked_for() {
    let mut capabilities = able();
    capabilities.statuses.retain(|known| [IncidentStatus::New, IncidentStatus::Closed].contains(&known.status));
    let source = Memory::new("a", capabilities, rows("a", 9));
    ask(&source, Filter::Test(Test::Phase(IncidentPhase::Done)));
    assert_eq!(source.lists()[0].tests, [Test::Status(vec![IncidentStatus::Closed])]);
}

#[test]
fn rows_that_are_counted_or_copied_come_with_assets_where_a_filter_looks_at_them() {
    let filter = Filter::Test(Test::Assets(natives(&["x"])));
    let source = Memory::new("a", narrowed(vec![]), rows("a", 3));
    let parts = StatParts { total: true, ..StatParts::default() };
    let stats = StatsQuery { filter: filter.clone(), parts, months: 1 };
    assert_eq!(run(federation(std::slice::from_ref(&source)).stats(&call(), &stats)).unwrap().total, 0);
    let mut counted = query(filter, Order::default(), 5);
    counted.want_total = true;
    run(federation(std::slice::from_ref(&source)).incidents(&call(), &counted)).unwrap();
    let lists = source.lists();
    assert!(lists.len() == 2 && lists.iter().all(|list| list.want.assets && list.order.is_none()));
}

#[test]
fn rows_come_with_assets_where_a_filter_looks_at_them() {
    let source = Memory::new("a", narrowed(vec![]), rows("a", 3));
    let nested = Filter::Not(Box::new(Filter::Test(Test::Assets(natives(&["x"])))));
    ask(&source, nested);
    assert!(source.lists().iter().all(|list| list.want.assets));
    ask(&source, Filter::default());
    assert!(source.lists().iter().all(|list| !list.want.assets));
}
