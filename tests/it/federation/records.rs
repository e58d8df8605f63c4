//! Records by key, catalogs, and questions to one source.

use super::{
    edges::rows,
    memory::{Memory, able, bounded, call, federation, run, unable},
};
use incident_gateway::{domain::*, federation::*, source::*};
use std::sync::Arc;

fn tag(source: &str, id: usize) -> Tag {
    let key = Key::new(&SourceName::new(source), format!("{id:03}").as_str());
    Tag { key, name: format!("Tag {id}").into(), created_by: None, scope: None }
}

fn tagged(source: &str, count: usize) -> Arc<Memory> {
    let memory = Memory::new(source, able(), rows(source, 5));
    memory.change(|state| state.tags = (0..count).map(|id| tag(source, id)).collect());
    memory
}

fn tags(first: i32, search: &str) -> CatalogQuery {
    CatalogQuery {
        kind: RecordKind::Tag,
        kinds: KindTest::Any,
        search: Search::parse(search),
        sources: None,
        first: PageSize::new(first).unwrap(),
        after: None,
        want: Want::default(),
        want_total: false,
    }
}

fn key(source: &str, id: &str) -> Key {
    Key::new(&SourceName::new(source), id)
}

/// All pages, with what happens after each.
fn walk(sources: &[Arc<Memory>], mut query: CatalogQuery, mut between: impl FnMut()) -> Vec<String> {
    let federation = federation(sources);
    let mut met = Vec::new();
    loop {
        let page = run(federation.catalog(&call(), &query)).unwrap();
        assert!(page.items.len() <= query.first.rows());
        met.extend(page.items.iter().map(|item| format!("{}/{}", item.key().source, item.key().native)));
        if !page.has_next {
            return met;
        }
        query.after = page.cursor(page.items.len() - 1);
        between();
    }
}

#[test]
fn records_are_asked_for_once_at_each_source() {
    let sources = [tagged("b", 9), tagged("a", 9)];
    let keys = [key("a", "001"), key("b", "002"), key("a", "001"), key("a", "000"), key("gone", "1"), key("b", "999")];
    let batch = run(federation(&sources).related(&call(), RecordKind::Tag, &keys, Want::default()));
    let mut found: Vec<_> = batch.found.keys().cloned().collect();
    found.sort();
    assert_eq!(found, [key("a", "000"), key("a", "001"), key("b", "002")]);
    assert!(batch.failed.is_empty());
    assert_eq!(batch.costs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(sources.iter().all(|source| source.change(|state| state.other_calls) == 1));

    let incidents =
        run(federation(&sources).related(&call(), RecordKind::Incident, &[key("a", "0003")], Want::default()));
    assert!(matches!(&incidents.found[&key("a", "0003")], Record::Incident(row) if row.key == key("a", "0003")));
    sources[0].change(|state| state.down = true);
    let batch = run(federation(&sources).fetch(&call(), &[key("a", "0000"), key("b", "0000")], Want::default()));
    assert!(batch.found.contains_key(&key("a", "0000")) && batch.failed.contains_key(&key("b", "0000")));
}

#[test]
fn details_are_asked_for_as_far_as_a_source_has_them() {
    let sources = [tagged("a", 0)];
    let all = DetailPart::ALL.into_iter().fold(DetailParts::default(), DetailParts::with);
    let batch = run(federation(&sources).details(&call(), all, &[key("a", "0001")], Want::default()));
    let details = &batch.found[&key("a", "0001")];
    assert!(details.comments.is_some() && details.activity.is_none());
    let history = DetailParts { activity: true, ..DetailParts::default() };
    let batch = run(federation(&sources).details(&call(), history, &[key("a", "0001")], Want::default()));
    assert!(batch.found.is_empty() && batch.failed.is_empty());
}

#[test]
fn a_catalog_is_one_source_after_the_other() {
    let sources = [tagged("b", 7), tagged("a", 5)];
    let wanted: Vec<String> =
        (0..5).map(|id| format!("a/{id:03}")).chain((0..7).map(|id| format!("b/{id:03}"))).collect();
    for first in [1, 2, 5, 6, 12, 100] {
        assert_eq!(walk(&sources, tags(first, ""), || {}), wanted, "first {first}");
    }
    let found: Vec<String> = walk(&sources, tags(1, "tag 3"), || {});
    assert_eq!(found, ["a/003", "b/003"]);
    let mut one = tags(10, "");
    one.sources = Some(vec![SourceName::new("b")]);
    assert_eq!(walk(&sources, one.clone(), || {}).len(), 7);
    one.sources = Some(vec![SourceName::new("c")]);
    assert!(matches!(run(federation(&sources).catalog(&call(), &one)), Err(FederationError::UnknownSource { .. })));
}

#[test]
fn a_catalog_counts_when_asked_to() {
    let sources = [tagged("b", 700), tagged("a", 500)];
    for (search, total) in [("", 1_200), ("\"tag 30\"", 1 + 10 + 1 + 10)] {
        let mut query = tags(5, search);
        query.want_total = true;
        for _ in 0..4 {
            let page = run(federation(&sources).catalog(&call(), &query)).unwrap();
            assert_eq!((page.total, page.precision), (Some(total), CountPrecision::Exact));
            query.after = page.cursor(4);
        }
    }
}

#[test]
fn a_cursor_of_a_catalog_is_for_its_query_and_viewer() {
    let sources = [tagged("b", 9), tagged("a", 9)];
    let federation = federation(&sources);
    let page = run(federation.catalog(&call(), &tags(5, ""))).unwrap();
    let after = page.cursor(4);
    assert_eq!((page.has_previous, page.reports.iter().map(|report| report.items).sum::<usize>()), (false, 5));
    let same = CatalogQuery { after: after.clone(), want_total: true, ..tags(7, "") };
    let next = run(federation.catalog(&call(), &same)).unwrap();
    assert_eq!((next.has_previous, next.items[0].key()), (true, &key("a", "005")));
    let mut stranger = Caller::local();
    stranger.scope = CredentialScope::new("stranger");
    let stranger = Call { caller: Arc::new(stranger), ..call() };
    for (call, other) in [
        (stranger, tags(5, "")),
        (call(), tags(5, "tag")),
        (call(), CatalogQuery { kind: RecordKind::Term, ..tags(5, "") }),
        (call(), CatalogQuery { kinds: KindTest::Assets(vec![AssetKind::Host]), ..tags(5, "") }),
        (call(), CatalogQuery { sources: Some(vec![SourceName::new("a")]), ..tags(5, "") }),
    ] {
        let answer = run(federation.catalog(&call, &CatalogQuery { after: after.clone(), ..other }));
        assert!(matches!(answer, Err(FederationError::Cursor(CursorFault::OtherQuery))));
    }
}

#[test]
fn a_catalog_that_is_read_in_part_says_so() {
    let mut short = able();
    (short.list.max_page_size, short.list.total) = (10, CountPrecision::Unknown);
    let source = Memory::new("a", short, vec![]);
    source.change(|state| state.tags = (0..95).map(|id| tag("a", id)).collect());
    source.change(|state| state.broken = [3, 17, 40].map(|id| NativeId::new(&format!("{id:03}"))).into());
    let ask = |limit, query: &CatalogQuery| {
        run(bounded(std::slice::from_ref(&source), limit).catalog(&call(), query)).unwrap()
    };
    // All of it, in the source's pages.
    let page = ask(1_000, &tags(100, ""));
    let told = (page.items.len(), page.reports[0].malformed, page.total, page.precision, page.has_next);
    // Who counts nothing is counted by reading, broken ones included.
    assert_eq!(told, (92, 3, Some(95), CountPrecision::Exact, false));
    let rest = ask(1_000, &CatalogQuery { after: page.cursor(80), ..tags(100, "") });
    assert_eq!((rest.items.len(), rest.total, rest.precision), (11, None, CountPrecision::Unknown));
    // A search that the gateway makes is bounded.
    let all = CatalogQuery { want_total: true, ..tags(100, "tag") };
    let page = ask(50, &all);
    assert!(page.reports[0].truncated && page.has_next);
    assert_eq!((page.items.len(), page.total, page.precision), (47, Some(47), CountPrecision::LowerBound));
    let page = ask(1_000, &all);
    assert!(!page.reports[0].truncated && !page.has_next);
    assert_eq!((page.items.len(), page.total, page.precision), (92, Some(92), CountPrecision::Exact));
    // All are counted, however few are shown; of a later page only where that is asked for.
    let few = CatalogQuery { first: PageSize::new(10).unwrap(), ..all.clone() };
    let page = ask(1_000, &few);
    assert_eq!((page.items.len(), page.total, page.precision), (10, Some(92), CountPrecision::Exact));
    let last = CatalogQuery { after: ask(1_000, &all).cursor(88), want_total: false, ..all.clone() };
    let page = ask(1_000, &last);
    assert_eq!((page.items.len(), page.total, page.precision), (3, None, CountPrecision::Unknown));
    // A source that fails on the way gives none of its rows.
    source.change(|state| state.ends = Some(20));
    let page = ask(1_000, &tags(100, ""));
    assert_eq!((page.items.len(), page.reports[0].status), (0, SourceStatus::Unavailable));
    source.change(|state| state.down = true);
    let page = ask(1_000, &all);
    assert_eq!((page.total, page.precision, page.has_next), (None, CountPrecision::Unknown, false));
}

#[test]
fn kinds_are_told_apart_by_the_gateway() {
    let source = tagged("a", 0);
    let term = |id: usize| Term {
        key: key("a", &format!("{id:03}")),
        kind: if id.is_multiple_of(2) { TermKind::Qualification } else { TermKind::WORDS.last().unwrap().value },
        name: format!("Term {id}").into(),
        label: None,
        description: None,
        selectable: None,
    };
    source.change(|state| state.terms = (0..20).map(term).collect());
    let kinds = KindTest::Terms(vec![TermKind::Qualification]);
    let met = walk(&[source], CatalogQuery { kind: RecordKind::Term, kinds, ..tags(3, "") }, || {});
    assert_eq!(met, (0..10).map(|id| format!("a/{:03}", 2 * id)).collect::<Vec<_>>());
}

#[test]
fn scopes_are_read_page_by_page_to_their_end() {
    let mut capabilities = able();
    capabilities.catalog.push(RecordKind::Scope);
    capabilities.list.max_page_size = 10;
    let source = Memory::new("a", capabilities, vec![]);
    let scope = |id: usize| Scope {
        key: key("a", &format!("{id:03}")),
        kind: ScopeKind::WORDS[0].value,
        name: None,
        description: None,
        root: None,
        parent: None,
        path: Vec::new(),
        raw: None,
    };
    source.change(|state| state.scopes = (0..35).map(scope).collect());
    let all = |limit| {
        let (scopes, _) = run(bounded(std::slice::from_ref(&source), limit).scopes(&call(), &SourceName::new("a")));
        scopes.unwrap().len()
    };
    assert_eq!((all(1_000), all(20), all(5)), (35, 20, 5));
    // Where only incidents tell them, from these.
    let mut capabilities = able();
    capabilities.embedded = vec![RecordKind::Scope];
    let mut rows = rows("a", 3);
    rows[1].embedded = vec![Record::Scope(Arc::new(scope(7)))];
    let source = Memory::new("a", capabilities, rows);
    let (scopes, _) = run(federation(&[source]).scopes(&call(), &SourceName::new("a")));
    assert_eq!(scopes.unwrap().iter().map(|scope| scope.key.clone()).collect::<Vec<_>>(), [key("a", "007")]);
}

#[test]
fn a_catalog_goes_on_after_its_last_row_while_rows_come_and_go() {
    let source = tagged("a", 40);
    let mut fresh = 900;
    let met = walk(std::slice::from_ref(&source), tags(5, ""), || {
        fresh += 1;
        source.change(|state| state.tags.insert(0, tag("a", fresh)));
    });
    assert_eq!(met, (0..40).map(|id| format!("a/{id:03}")).collect::<Vec<_>>());
    let source = tagged("a", 40);
    let met = walk(std::slice::from_ref(&source), tags(5, ""), || {
        source.change(|state| state.tags.remove(0));
    });
    assert_eq!(met, (0..40).map(|id| format!("a/{id:03}")).collect::<Vec<_>>());
}

#[test]
fn a_catalog_that_a_source_does_not_have_is_skipped_and_a_failure_costs_its_rows() {
    let sources = [tagged("b", 7), tagged("a", 5)];
    let mut query = tags(100, "");
    query.kind = RecordKind::Asset;
    let page = run(federation(&sources).catalog(&call(), &query)).unwrap();
    assert!(page.items.is_empty() && page.reports.iter().all(|report| report.status == SourceStatus::Skipped));
    sources[1].change(|state| state.down = true);
    let page = run(federation(&sources).catalog(&call(), &tags(100, ""))).unwrap();
    assert_eq!((page.items.len(), page.precision), (7, CountPrecision::LowerBound));
    assert_eq!(page.reports[0].status, SourceStatus::Unavailable);
    let mut kinds = tags(100, "");
    kinds.kinds = KindTest::Assets(vec![AssetKind::Host]);
    assert!(run(federation(&sources).catalog(&call(), &kinds)).unwrap().items.is_empty());
}

#[test]
fn an_incident_is_found_by_what_people_call_it() {
    let source = tagged("a", 0);
    source.change(|state| state.names.push((Reference::Incident("INC-7".into()), "0003".into())));
    let name = SourceName::new("a");
    let federation = federation(std::slice::from_ref(&source));
    assert_eq!(run(federation.incident_by(&call(), &name, "INC-7")).unwrap(), Some(key("a", "0003")));
    assert_eq!(run(federation.incident_by(&call(), &name, "INC-8")).unwrap(), None);
    let unknown = run(federation.incident_by(&call(), &SourceName::new("b"), "INC-7"));
    assert!(matches!(unknown, Err(FederationError::UnknownSource { .. })));
    source.change(|state| state.down = true);
    let failed = run(federation.incident_by(&call(), &name, "INC-7"));
    assert!(matches!(failed, Err(FederationError::Source(_))));
}

#[test]
fn a_table_is_refused_where_it_would_ignore_the_filter() {
    let source = tagged("a", 0);
    let name = SourceName::new("a");
    let federation = federation(&[source, Memory::new("b", unable(), Vec::new())]);
    let table = |format, filter| run(federation.table(&call(), &name, format, &filter)).0;
    let severe = Test::Severity(vec![Severity::High]);
    let request = DownloadRequest::Table { format: ExportFormat::Csv, tests: vec![severe.clone()] };
    assert_eq!(table(ExportFormat::Csv, Filter::Test(severe.clone())).unwrap(), request);
    assert!(run(federation.download(&call(), &name, &request)).is_ok());
    for filter in [
        Filter::Test(Test::Status(vec![IncidentStatus::New])),
        Filter::Test(Test::Ids(vec![key("a", "0001")])),
        Filter::Not(Box::new(Filter::Test(severe.clone()))),
        Filter::Test(Test::Severity(Vec::new())),
    ] {
        let refused = table(ExportFormat::Csv, filter.clone());
        assert!(
            matches!(&refused, Err(FederationError::Source(e)) if e.kind() == SourceErrorKind::Unsupported),
            "{filter:?}"
        );
    }
    assert!(table(ExportFormat::Pdf, Filter::default()).is_err());
}
