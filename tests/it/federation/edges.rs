//! Edges of paging, plans and cursors, one promise each.

use super::{
    memory::{Memory, able, bounded, call, federation, now, run, unable},
    walk,
    world::{expected, incident, query, seed, time},
};
use incident_gateway::{domain::*, federation::*, source::*};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use std::sync::Arc;

/// `count` incidents, the newest last; ids are four digits.
pub(crate) fn rows(source: &str, count: i64) -> Vec<Incident> {
    let seed = seed().new_tree(&mut TestRunner::deterministic()).unwrap().current();
    (0..count)
        .map(|index| {
            let mut row = incident(source, &format!("{index:04}"), &seed);
            row.created_at = Some(time(index));
            row.severity = Severity::WORDS[usize::try_from(index).unwrap() % 3].value;
            row
        })
        .collect()
}

fn plain(first: i32) -> IncidentQuery {
    query(Filter::default(), Order::default(), first)
}

fn ids(page: &IncidentPage) -> Vec<String> {
    page.items.iter().map(|row| row.incident.key.native.to_string()).collect()
}

fn fault(sources: &[Arc<Memory>], query: &IncidentQuery) -> CursorFault {
    match run(federation(sources).incidents(&call(), query)) {
        Err(FederationError::Cursor(fault)) => fault,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the cursor was taken"),
    }
}

#[test]
fn a_plain_page_costs_one_list_of_just_its_rows() {
    let source = Memory::new("a", able(), rows("a", 250));
    let sources = [source.clone()];
    let mut query = plain(100);
    for (number, (offset, limit)) in [(0, 100), (99, 101), (199, 101)].into_iter().enumerate() {
        let page = run(federation(&sources).incidents(&call(), &query)).unwrap();
        let lists = source.lists();
        assert_eq!(lists.len(), 1, "page {number}");
        assert_eq!((lists[0].offset, lists[0].limit), (offset, limit), "page {number}");
        assert_eq!(page.total, Some(250));
        assert_eq!(page.has_next, number < 2);
        query.after = page.cursor(page.items.len() - 1);
    }
}

#[test]
fn a_page_after_many_new_rows_costs_few_lists() {
    let source = Memory::new("a", able(), rows("a", 1_000));
    let sources = [source.clone()];
    let mut query = plain(10);
    let page = run(federation(&sources).incidents(&call(), &query)).unwrap();
    query.after = page.cursor(9);
    source.change(|state| {
        let mut more = rows("a", 9_000);
        more.drain(..1_000);
        state.rows.extend(more);
    });
    source.lists();
    let page = run(federation(&sources).incidents(&call(), &query)).unwrap();
    assert_eq!(ids(&page)[0], "0989");
    assert!(source.lists().len() <= 24);
    source.change(|state| state.rows.truncate(400));
    query.after = page.cursor(9);
    let page = run(federation(&sources).incidents(&call(), &query)).unwrap();
    assert_eq!(ids(&page)[0], "0399");
    assert!(source.lists().len() <= 24);
}

#[test]
fn an_exactly_full_last_page_is_the_last() {
    for capabilities in [able(), unable()] {
        let sources = [Memory::new("a", capabilities, rows("a", 20))];
        let mut query = plain(10);
        let page = run(federation(&sources).incidents(&call(), &query)).unwrap();
        assert!(page.has_next && page.items.len() == 10);
        query.after = page.cursor(9);
        let page = run(federation(&sources).incidents(&call(), &query)).unwrap();
        assert!(!page.has_next && page.items.len() == 10);
        query.after = page.cursor(9);
        let page = run(federation(&sources).incidents(&call(), &query)).unwrap();
        assert!(!page.has_next && page.items.is_empty() && page.has_previous);
        assert_eq!(page.total, Some(20));
        assert!(page.cursor(0).is_none());
    }
}

#[test]
fn an_empty_list_is_an_empty_page() {
    for capabilities in [able(), unable()] {
        let sources = [Memory::new("a", capabilities, Vec::new())];
        let page = run(federation(&sources).incidents(&call(), &plain(5))).unwrap();
        assert!(page.items.is_empty() && !page.has_next && !page.has_previous);
        assert_eq!((page.total, page.precision), (Some(0), CountPrecision::Exact));
    }
    let page = run(federation(&[]).incidents(&call(), &plain(5))).unwrap();
    assert!(page.items.is_empty() && page.reports.is_empty());
}

#[test]
fn a_list_emptied_between_pages_ends() {
    for capabilities in [able(), unable()] {
        let source = Memory::new("a", capabilities, rows("a", 20));
        let emptied = source.clone();
        let met = walk(&[source], plain(5), |_| emptied.change(|state| state.rows.clear()));
        assert_eq!(met.len(), 5);
    }
}

#[test]
fn equal_keys_throughout_are_walked_once() {
    for capabilities in [able(), unable()] {
        let same = |name: &str| {
            let mut rows = rows(name, 17);
            rows.iter_mut().for_each(|row| row.created_at = Some(time(0)));
            Memory::new(name, capabilities.clone(), rows)
        };
        let sources = [same("b"), same("a")];
        let wanted = expected(&sources, &Filter::default(), Order::default());
        assert_eq!(walk(&sources, plain(4), |_| {}), wanted);
        assert!(wanted[..17].iter().all(|key| key.source.as_str() == "a"));
    }
}

#[test]
fn a_changed_cursor_is_refused_whatever_byte_it_is() {
    let sources = [Memory::new("a", able(), rows("a", 9))];
    let mut query = plain(3);
    let cursor = run(federation(&sources).incidents(&call(), &query)).unwrap().cursor(2).unwrap();
    for at in 0..cursor.len() {
        for letter in ["A", "w", "_", "!", "é"] {
            let mut forged = cursor.clone();
            forged.replace_range(at..=at, letter);
            query.after = Some(forged.clone());
            if forged != cursor {
                let fault = fault(&sources, &query);
                assert!(matches!(fault, CursorFault::Forged | CursorFault::UnknownVersion), "{at} {fault:?}");
            }
        }
        query.after = Some(cursor[..at].to_owned());
        assert!(matches!(fault(&sources, &query), CursorFault::Forged | CursorFault::Blank));
    }
    for (text, wanted) in [
        ("", CursorFault::Blank),
        (" \t", CursorFault::Blank),
        ("garbage", CursorFault::Forged),
        (&"A".repeat(100_000), CursorFault::Forged),
        (&"A".repeat(200), CursorFault::UnknownVersion),
    ] {
        query.after = Some(text.to_owned());
        assert_eq!(fault(&sources, &query), wanted);
    }
}

#[test]
fn a_cursor_is_for_its_query_its_viewer_its_key_and_a_day() {
    let sources = [Memory::new("a", able(), rows("a", 9))];
    let query = plain(3);
    let cursor = run(federation(&sources).incidents(&call(), &query)).unwrap().cursor(2);
    let mut other = IncidentQuery { after: cursor.clone(), ..query.clone() };
    other.filter = Filter::Test(Test::Severity(vec![Severity::High]));
    assert_eq!(fault(&sources, &other), CursorFault::OtherQuery);
    let mut other = IncidentQuery { after: cursor.clone(), ..query.clone() };
    other.order.direction = OrderDirection::Asc;
    assert_eq!(fault(&sources, &other), CursorFault::OtherQuery);

    let mut resumed = IncidentQuery { after: cursor.clone(), ..query.clone() };
    resumed.first = PageSize::new(5).unwrap();
    let at = |seconds: i64| Call { now: now() + chrono::TimeDelta::seconds(seconds), ..call() };
    let ask = |call: Call| run(federation(&sources).incidents(&call, &resumed)).map(|page| ids(&page));
    assert_eq!(ask(at(86_400)).unwrap(), ["0005", "0004", "0003", "0002", "0001"]);
    assert!(matches!(ask(at(86_401)), Err(FederationError::Cursor(CursorFault::Outdated))));
    let mut stranger = Caller::local();
    stranger.scope = CredentialScope::new("stranger");
    let stranger = Call { caller: Arc::new(stranger), ..call() };
    assert!(matches!(ask(stranger), Err(FederationError::Cursor(CursorFault::OtherQuery))));

    let key = CursorKey([8; 32]);
    let options = FederationOptions {
        sources: vec![sources[0].clone()],
        cursor_key: key,
        scan_limit: 10,
        snapshots: SnapshotLimits::default(),
    };
    let answer = run(Federation::new(options).incidents(&call(), &resumed));
    assert!(matches!(answer, Err(FederationError::Cursor(CursorFault::Forged))));

    let tags = CatalogQuery {
        kind: RecordKind::Tag,
        kinds: KindTest::Any,
        search: Search::parse(""),
        sources: None,
        first: query.first,
        after: cursor,
        want: Want::default(),
        want_total: false,
    };
    let answer = run(federation(&sources).catalog(&call(), &tags));
    assert!(matches!(answer, Err(FederationError::Cursor(CursorFault::OtherQuery))));
}

/// The longest names that a configuration allows, ids as long as `docs/PAGING.md` says, and texts that are cut.
#[test]
fn cursors_stay_short() {
    for (count, longest) in [(5, 1_024), (20, 2_048)] {
        let sources: Vec<Arc<Memory>> = (0..count)
            .map(|index| {
                let name = format!("{index:02}-{}", "long-name".repeat(5)).split_at(40).0.to_owned();
                let mut rows = rows(&name, 150);
                for row in &mut rows {
                    row.title = Some("題".repeat(100).into());
                    let native = format!("{}{:0>252}", row.key.native, "");
                    row.key = Key::new(&row.key.source, &*native);
                }
                Memory::new(&name, able(), rows)
            })
            .collect();
        for field in [IncidentOrderField::Title, IncidentOrderField::CreatedAt] {
            let order = Order { field, direction: OrderDirection::Asc };
            let mut query = query(Filter::default(), order, 100);
            let federation = federation(&sources);
            let mut most = 0;
            for _ in 0..=count {
                let page = run(federation.incidents(&call(), &query)).unwrap();
                query.after = page.cursor(99);
                most = most.max(query.after.as_ref().map_or(0, String::len));
            }
            assert!(most <= longest && most > longest / 4, "{count} sources by {}: {most}", field.name());
            eprintln!("{count} sources by {}: {most}", field.name());
        }
    }
}

#[test]
fn a_long_filter_by_the_gateway_stops_at_the_limit_and_says_so() {
    let source = Memory::new("a", able(), rows("a", 500));
    let sources = [source.clone()];
    // Only the two oldest, which a walk from the newest meets last.
    let rare = Filter::Not(Box::new(Filter::Test(Test::Time(
        TimeField::Created,
        TimeRange { since: Some(time(2)), until: None },
    ))));
    let page = run(bounded(&sources, 100).incidents(&call(), &query(rare.clone(), Order::default(), 5))).unwrap();
    assert!(page.items.is_empty() && !page.has_next && page.reports[0].truncated);
    assert_eq!((page.total, page.precision), (Some(0), CountPrecision::LowerBound));
    assert_eq!(page.reports[0].filtered_by_gateway, [IncidentField::CreatedAt]);
    assert_eq!(source.lists().iter().map(|list| list.limit).sum::<usize>() / 100, 1);
    let page = run(bounded(&sources, 1_000).incidents(&call(), &query(rare, Order::default(), 5))).unwrap();
    assert_eq!(ids(&page), ["0001", "0000"]);
    assert!(!page.reports[0].truncated);

    let unsorted = [Memory::new("a", unable(), rows("a", 500))];
    let page = run(bounded(&unsorted, 100).incidents(&call(), &plain(5))).unwrap();
    assert!(page.reports[0].truncated && page.has_next);
    assert_eq!((page.total, page.precision), (Some(100), CountPrecision::LowerBound));
}

#[test]
fn a_source_that_was_not_read_to_its_end_loses_nothing_to_others() {
    // `a` has one match, far down; `b` many, all older than what could be read of `a`.
    let mut far = rows("a", 400);
    far.iter_mut().for_each(|row| row.title = None);
    far[390].title = Some("match".into());
    far[150].title = Some("match".into());
    let mut many = rows("b", 100);
    many.iter_mut().for_each(|row| row.title = Some("match".into()));
    let sources = [Memory::new("a", able(), far), Memory::new("b", able(), many)];
    let filter = Filter::Test(Test::Title(TextTest::new(Some("match"), None, None)));
    let federation = bounded(&sources, 100);
    let mut query = query(filter.clone(), Order::default(), 5);
    let mut met = Vec::new();
    for _ in 0..100 {
        let page = run(federation.incidents(&call(), &query)).unwrap();
        met.extend(page.items.iter().map(|row| row.incident.key.clone()));
        query.after = page.cursor(page.items.len().saturating_sub(1));
        if !page.has_next {
            break;
        }
    }
    assert_eq!(met[0].native.to_string(), "0390");
    assert!(expected(&sources[1..], &filter, Order::default()).iter().all(|key| met.contains(key)));
}

/// As long as each stretch that may be read holds a row to go on from.
#[test]
fn a_filter_read_in_stretches_loses_nothing_to_others() {
    let matching = |name: &str, count: i64, every: usize| {
        let mut rows = rows(name, count);
        rows.iter_mut().for_each(|row| row.title = None);
        rows.iter_mut().step_by(every).for_each(|row| row.title = Some("match".into()));
        Memory::new(name, able(), rows)
    };
    let sources = [matching("a", 400, 70), matching("b", 100, 1)];
    let filter = Filter::Test(Test::Title(TextTest::new(Some("match"), None, None)));
    let (federation, mut query) = (bounded(&sources, 100), query(filter.clone(), Order::default(), 5));
    let mut met = Vec::new();
    loop {
        let page = run(federation.incidents(&call(), &query)).unwrap();
        met.extend(page.items.iter().map(|row| row.incident.key.clone()));
        query.after = page.cursor(page.items.len().saturating_sub(1));
        if !page.has_next {
            break;
        }
    }
    assert_eq!(met, expected(&sources, &filter, Order::default()));
}

#[test]
fn what_a_source_cannot_hold_is_skipped_with_the_field() {
    let mut narrow = able();
    narrow.severities.retain(|known| known.severity == Severity::High);
    narrow.read.retain(|field| *field != IncidentField::Starred);
    let source = Memory::new("a", narrow, rows("a", 9));
    for (filter, word) in [
        (Filter::Test(Test::Severity(vec![Severity::Low])), "SEVERITY"),
        (Filter::Test(Test::Starred(true)), "STARRED"),
        (Filter::Test(Test::Assets(vec![Key::new(&SourceName::new("b"), "1")])), "ASSETS"),
        (Filter::Test(Test::SourceKinds(vec![SourceKind::KasperskyXdr])), "other sources"),
    ] {
        let page =
            run(federation(std::slice::from_ref(&source)).incidents(&call(), &query(filter, Order::default(), 5)))
                .unwrap();
        assert!(page.items.is_empty());
        assert_eq!(page.reports[0].status, SourceStatus::Skipped);
        assert!(page.reports[0].skipped_reason.as_ref().unwrap().contains(word));
        assert_eq!((page.total, page.precision), (Some(0), CountPrecision::Exact));
    }
    assert!(source.lists().is_empty());
}

#[test]
fn two_tests_of_one_field_are_never_both_left_to_a_source() {
    let source = Memory::new("a", able(), rows("a", 9));
    let test = |values: &[Severity]| Filter::Test(Test::Severity(values.to_vec()));
    let both = Filter::All(vec![
        test(&[Severity::Critical, Severity::High]),
        Filter::All(vec![test(&[Severity::High, Severity::Medium])]),
    ]);
    let page =
        run(federation(std::slice::from_ref(&source)).incidents(&call(), &query(both, Order::default(), 9))).unwrap();
    assert!(page.items.iter().all(|row| row.incident.severity == Severity::High));
    assert_eq!(page.items.len(), 3);
    assert!(source.lists().iter().all(|list| list.tests.len() == 1));
}

#[test]
fn a_phase_is_left_to_the_source_as_its_statuses() {
    let source = Memory::new("a", able(), rows("a", 9));
    let filter = Filter::Test(Test::Phase(IncidentPhase::Done));
    let page =
        run(federation(std::slice::from_ref(&source)).incidents(&call(), &query(filter, Order::default(), 9))).unwrap();
    let done = vec![IncidentStatus::Resolved, IncidentStatus::Closed, IncidentStatus::Dismissed];
    assert_eq!(source.lists()[0].tests, [Test::Status(done)]);
    assert_eq!(page.reports[0].filtered_by_source, [IncidentField::Phase]);
}

#[test]
fn names_are_looked_up_once_and_then_left_to_the_source() {
    let source = Memory::new("a", able(), rows("a", 9));
    let mail = "Ann@example.org".to_owned();
    let name = SourceName::new("a");
    source.change(|state| {
        state.names.push((Reference::OwnerEmail(mail.clone()), "7".into()));
        state.rows.iter_mut().for_each(|row| row.owners.clear());
        state.rows[3].owners.push(Link::bare(Key::new(&name, "7")));
    });
    let owners = Test::Owners(vec![OwnerRef::Email(mail), OwnerRef::SourceId("nobody".into())]);
    let ask =
        |filter| run(federation(std::slice::from_ref(&source)).incidents(&call(), &query(filter, Order::default(), 9)));
    let page = ask(Filter::Test(owners.clone())).unwrap();
    assert_eq!(ids(&page), ["0003"]);
    assert_eq!(source.lists()[0].tests, [Test::Owners(vec![OwnerRef::Key(Key::new(&name, "7"))])]);
    assert_eq!(source.change(|state| state.other_calls), 1);
    assert_eq!(ids(&ask(Filter::Not(Box::new(Filter::Test(owners)))).unwrap()).len(), 8);
    let nobody = Filter::Test(Test::Owners(vec![OwnerRef::SourceId("nobody".into())]));
    source.lists();
    assert_eq!(ask(nobody).unwrap().reports[0].status, SourceStatus::Skipped);
    assert!(source.lists().is_empty());
}

#[test]
fn ids_are_fetched_and_not_listed() {
    let sources = [Memory::new("a", able(), rows("a", 50)), Memory::new("b", able(), rows("b", 50))];
    let (a, b) = (SourceName::new("a"), SourceName::new("b"));
    let keys = vec![Key::new(&a, "0001"), Key::new(&b, "0002"), Key::new(&a, "9999"), Key::new(&a, "0004")];
    let severe = Filter::Test(Test::Severity(vec![Severity::High]));
    let filter = Filter::All(vec![Filter::Test(Test::Ids(keys)), severe]);
    let page = run(federation(&sources).incidents(&call(), &query(filter, Order::default(), 1))).unwrap();
    assert_eq!(ids(&page), ["0004"]);
    assert_eq!((page.total, page.precision, page.has_next), (Some(2), CountPrecision::Exact, true));
    assert_eq!(page.reports[0].filtered_by_source, [IncidentField::Id]);
    assert_eq!(page.reports[0].filtered_by_gateway, [IncidentField::Severity]);
    assert!(sources.iter().all(|source| source.lists().is_empty()));
}

#[test]
fn sources_must_be_known_and_required_ones_must_answer() {
    let sources = [Memory::new("a", able(), rows("a", 5)), Memory::new("b", able(), rows("b", 5))];
    let nobody = SourceName::new("nobody");
    let filter = Filter::Not(Box::new(Filter::Test(Test::Sources(vec![nobody.clone()]))));
    let unknown = run(federation(&sources).incidents(&call(), &query(filter, Order::default(), 5)));
    assert!(matches!(unknown, Err(FederationError::UnknownSource { name, .. }) if name == nobody));
    let mut strict = plain(5);
    strict.require_sources = vec![nobody];
    let unknown = run(federation(&sources).incidents(&call(), &strict));
    assert!(matches!(unknown, Err(FederationError::UnknownSource { .. })));

    sources[1].change(|state| state.down = true);
    strict.require_sources = vec![SourceName::new("a")];
    let page = run(federation(&sources).incidents(&call(), &strict)).unwrap();
    assert_eq!((page.items.len(), page.total, page.precision), (5, Some(5), CountPrecision::LowerBound));
    assert_eq!(page.reports[1].status, SourceStatus::Unavailable);
    assert!(page.reports[1].error.is_some() && page.reports[1].fetched_at.is_none());
    strict.require_sources.push(SourceName::new("b"));
    let failed = run(federation(&sources).incidents(&call(), &strict));
    assert!(matches!(failed, Err(FederationError::Source(error)) if error.kind() == SourceErrorKind::Unavailable));
    sources[0].change(|state| state.down = true);
    let page = run(federation(&sources).incidents(&call(), &plain(5))).unwrap();
    assert!(page.items.is_empty() && !page.has_next && page.reports.iter().all(|report| report.error.is_some()));
    assert_eq!((page.total, page.precision), (None, CountPrecision::Unknown));
}

#[test]
fn hidden_links_are_counted_for_the_rows_of_the_page() {
    let source = Memory::new("a", able(), rows("a", 9));
    source.change(|state| {
        for row in &mut state.rows {
            row.hidden_links.push(HiddenLinks { field: IncidentField::Assets, count: 2 });
        }
    });
    let page = run(federation(&[source]).incidents(&call(), &plain(4))).unwrap();
    assert_eq!(page.reports[0].masked, 8);
}

#[test]
fn an_exactly_full_last_page_is_the_last_where_the_gateway_filters() {
    let sources = [Memory::new("a", able(), rows("a", 20))];
    let old = Test::Time(TimeField::Created, TimeRange { since: None, until: Some(time(10)) });
    let mut query = query(Filter::Not(Box::new(Filter::Test(old))), Order::default(), 5);
    let page = run(federation(&sources).incidents(&call(), &query)).unwrap();
    assert!(page.has_next && page.items.len() == 5);
    query.after = page.cursor(4);
    let page = run(federation(&sources).incidents(&call(), &query)).unwrap();
    assert!(!page.has_next && page.items.len() == 5);
}
