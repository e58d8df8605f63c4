//! Records that only incident rows tell: as lists, by id, and how honest both are.

use super::{
    edges::rows,
    memory::{Memory, able, call, keeping, run},
};
use incident_gateway::{domain::*, federation::*, source::*};
use std::sync::Arc;

const TAGS: [&str; 5] = ["delta", "alpha", "echo", "bravo", "charlie"];

fn tag(name: &str) -> Record {
    let key = Key::new(&SourceName::new("b"), name);
    Record::Tag(Arc::new(Tag { key, name: format!("Tag {name}").into(), created_by: None, scope: None }))
}

/// Rows tell five tags in turn; nothing else does.
fn source(count: i64) -> Arc<Memory> {
    let mut capabilities = able();
    capabilities.by_id.retain(|kind| *kind != RecordKind::Tag);
    capabilities.catalog.retain(|kind| *kind != RecordKind::Tag);
    capabilities.embedded = vec![RecordKind::Tag];
    capabilities.list.max_page_size = 100;
    let mut rows = rows("b", count);
    for (row, name) in rows.iter_mut().zip(TAGS.iter().cycle()) {
        row.embedded = vec![tag(name)];
    }
    Memory::new("b", capabilities, rows)
}

/// Has a list of tags of its own.
fn lister() -> Arc<Memory> {
    let source = Memory::new("a", able(), vec![]);
    source.change(|state| {
        let key = Key::new(&SourceName::new("a"), "own");
        state.tags = vec![Tag { key, name: "Own".into(), created_by: None, scope: None }];
    });
    source
}

fn query(first: i32) -> CatalogQuery {
    CatalogQuery {
        kind: RecordKind::Tag,
        kinds: KindTest::Any,
        search: Search::parse(""),
        sources: None,
        first: PageSize::new(first).unwrap(),
        after: None,
        want: Want::default(),
        want_total: true,
    }
}

fn ids(page: &CatalogPage) -> Vec<String> {
    page.items.iter().map(|record| record.key().native.to_string()).collect()
}

#[test]
fn a_list_is_made_from_the_rows_and_walked_by_id() {
    let (a, b) = (lister(), source(450));
    let federation = keeping(&[b.clone(), a]);
    let (mut query, mut met) = (query(2), Vec::new());
    loop {
        let page = run(federation.catalog(&call(), &query)).unwrap();
        assert_eq!((page.total, page.precision), (Some(6), CountPrecision::Exact));
        assert!(page.items.len() == 2 || !page.has_next);
        met.extend(ids(&page));
        if !page.has_next {
            break;
        }
        query.after = page.cursor(page.items.len() - 1);
    }
    assert_eq!(met, ["own", "alpha", "bravo", "charlie", "delta", "echo"]);
    assert_eq!(b.lists().len(), 5, "read once for all pages");
}

#[test]
fn a_list_made_from_rows_is_searched_and_says_how_far_it_was_read() {
    let b = source(450);
    let federation = keeping(std::slice::from_ref(&b));
    let page =
        run(federation.catalog(&call(), &CatalogQuery { search: Search::parse("tag alp"), ..query(10) })).unwrap();
    assert_eq!((ids(&page), page.total, page.has_next), (vec!["alpha".to_owned()], Some(1), false));
    assert!(!page.reports[0].truncated && page.reports[0].skipped_reason.is_none());
    // A bound that cuts the list off.
    let options = FederationOptions {
        sources: vec![b.clone() as Arc<dyn Source>],
        cursor_key: CursorKey([7; 32]),
        scan_limit: 3,
        snapshots: SnapshotLimits::default(),
    };
    let page = run(Federation::new(options).catalog(&call(), &query(10))).unwrap();
    assert_eq!((ids(&page).len(), page.total, page.precision), (3, Some(3), CountPrecision::LowerBound));
    assert!(page.reports[0].truncated);
    b.change(|state| state.broken = vec![NativeId::new("0001")]);
    assert_eq!(run(keeping(std::slice::from_ref(&b)).catalog(&call(), &query(10))).unwrap().reports[0].malformed, 1);
    // A source that fails costs its rows.
    b.change(|state| state.down = true);
    let page = run(keeping(&[b, lister()]).catalog(&call(), &query(10))).unwrap();
    assert_eq!((ids(&page), page.precision), (vec!["own".to_owned()], CountPrecision::LowerBound));
    assert_eq!(page.reports.iter().filter(|report| report.error.is_some()).count(), 1);
}

#[test]
fn records_that_are_given_by_id_are_there_though_the_rows_that_tell_others_fail() {
    let mut capabilities = able();
    capabilities.embedded = vec![RecordKind::Tag];
    let b = Memory::new("b", capabilities, rows("b", 5));
    b.change(|state| {
        let key = Key::new(&SourceName::new("b"), "own");
        state.tags = vec![Tag { key, name: "Own".into(), created_by: None, scope: None }];
        state.rows[3].embedded = vec![tag("alpha")];
    });
    let federation = keeping(std::slice::from_ref(&b));
    let keys: Vec<Key> = ["own", "alpha"].map(|id| Key::new(&SourceName::new("b"), id)).into();
    b.change(|state| state.promises = true);
    let batch = run(federation.related(&call(), RecordKind::Tag, &keys, Want::default()));
    assert!(batch.found.contains_key(&keys[0]) && batch.failed[&keys[1]].kind() == SourceErrorKind::Malformed);
    b.change(|state| state.promises = false);
    let batch = run(federation.related(&call(), RecordKind::Tag, &keys, Want::default()));
    assert_eq!((batch.found.len(), batch.failed.len()), (2, 0));
}

#[test]
fn a_record_that_rows_tell_is_found_by_its_id() {
    let b = source(450);
    let federation = keeping(std::slice::from_ref(&b));
    let keys: Vec<Key> = ["bravo", "nobody"].map(|id| Key::new(&SourceName::new("b"), id)).into();
    let batch = run(federation.related(&call(), RecordKind::Tag, &keys[..1], Want::default()));
    assert_eq!(batch.found[&keys[0]], tag("bravo"));
    assert_eq!(b.lists().len(), 1, "no further than to the one that is sought");
    let batch = run(federation.related(&call(), RecordKind::Tag, &keys, Want::default()));
    assert_eq!((batch.found.len(), batch.failed.len()), (1, 0), "all was read, so it does not exist");
    // Where not all may be read, nothing is said about an id that was not met.
    let options = FederationOptions {
        sources: vec![b as Arc<dyn Source>],
        cursor_key: CursorKey([7; 32]),
        scan_limit: 2,
        snapshots: SnapshotLimits::default(),
    };
    let batch = run(Federation::new(options).related(&call(), RecordKind::Tag, &keys, Want::default()));
    assert_eq!((batch.found.len(), batch.failed.len()), (0, 2));
    assert_eq!(
        batch.failed[&keys[0]].public(),
        "The source “b” does not give this by id, and it is not among the first 2 of its incidents."
    );
}
