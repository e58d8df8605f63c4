//! Parts of rows that nobody looks at: kept while there is room, and never missing where somebody does.

use super::{
    edges::rows,
    memory::{Memory, call, run, unable},
    snapshots::{MINUTE, federation, kept, newest, plain, report, walk, within},
};
use incident_gateway::{domain::*, federation::*, source::*};
use std::{sync::Arc, time::Duration};

/// Rows of about 5 kB, of which 1 kB are kept in any case.
fn large(count: i64) -> Arc<Memory> {
    let source = plain(0);
    let rows = rows("a", count).into_iter().map(|mut row| {
        let id = row.key.native.to_string();
        row.description = Some(format!("{id}: {}", "long ".repeat(300)).into());
        let evidence = (0..2).map(|number| {
            let mut evidence =
                Evidence::new(Key::new(&row.key.source, &*format!("{id}/{number}")), EvidenceKind::Observable);
            evidence.description = Some("seen ".repeat(100).into());
            Record::Evidence(Arc::new(evidence))
        });
        row.embedded.extend(evidence);
        row
    });
    source.change(|state| state.rows.extend(rows));
    source
}

#[test]
fn parts_that_nobody_looks_at_are_kept_only_while_there_is_room() {
    let source = large(450);
    let of_parts = |rows: RowParts| IncidentQuery { want: Want { rows, ..Want::default() }, ..newest() };
    let texts = of_parts(RowParts::TEXTS);
    let evidence = of_parts(RowParts::records(RecordKind::Evidence));
    let described = |page: &IncidentPage| page.items.iter().all(|row| row.incident.description.is_some());

    let roomy = kept(&source);
    run(roomy.incidents(&call(), &newest())).unwrap();
    let whole = roomy.snapshot_bytes();
    source.lists();
    let page = run(roomy.incidents(&call(), &texts)).unwrap();
    assert!(described(&page) && source.lists().is_empty(), "all that rows told is there");

    let max_bytes = whole * 9 / 10;
    let tight = federation(&source, SnapshotLimits { max_bytes, ..SnapshotLimits::default() });
    assert_eq!(walk(&tight).len(), 450, "fits without them");
    assert_eq!(source.lists().len(), 5, "read once");
    assert!(tight.snapshot_bytes() < max_bytes, "{} of {max_bytes}", tight.snapshot_bytes());
    let page = run(tight.incidents(&call(), &newest())).unwrap();
    assert!(!report(&page).truncated && source.lists().is_empty());
    // Who looks at them gets them: of fewer rows, and says so.
    let page = run(tight.incidents(&call(), &texts)).unwrap();
    assert!(described(&page) && !source.lists().is_empty());
    assert_eq!((report(&page).truncated, tight.snapshot_bytes() <= max_bytes), (false, true), "evidence went");
    let page = run(tight.incidents(&call(), &evidence)).unwrap();
    assert!(page.items.iter().all(|row| row.incident.embedded.len() >= 2) && !source.lists().is_empty());
    let both =
        IncidentQuery { want: Want { rows: texts.want.rows.or(evidence.want.rows), ..Want::default() }, ..newest() };
    let page = run(tight.incidents(&call(), &both)).unwrap();
    assert!(described(&page) && page.items.iter().all(|row| row.incident.embedded.len() >= 2));
    assert!(report(&page).truncated && page.total.is_some_and(|total| total >= 100));
}

/// What all that rows tell takes in a copy.
fn whole(source: &Arc<Memory>) -> usize {
    let roomy = kept(source);
    run(roomy.incidents(&call(), &newest())).unwrap();
    source.lists();
    roomy.snapshot_bytes()
}

#[test]
fn what_somebody_looked_at_later_is_kept_too() {
    let source = large(450);
    let max_bytes = whole(&source) * 9 / 5;
    let tight = federation(&source, SnapshotLimits { max_bytes, ..SnapshotLimits::default() });
    let texts = IncidentQuery { want: Want { rows: RowParts::TEXTS, ..Want::default() }, ..newest() };
    let mut other = call();
    other.caller = Arc::new(Caller::local().with_scope(CredentialScope::new("other")));
    let asked = [(call(), newest(), 5), (call(), texts.clone(), 0), (other, newest(), 5), (call(), texts, 0)];
    for (call, query, calls) in asked {
        let page = run(tight.incidents(&call, &query)).unwrap();
        assert_eq!((report(&page).truncated, source.lists().len()), (false, calls), "{:?}", query.want);
        assert!(tight.snapshot_bytes() <= max_bytes);
    }
}

#[test]
fn rows_larger_than_expected_are_kept_without_what_nobody_looks_at() {
    let source = plain(100);
    source.change(|state| state.rows.iter_mut().for_each(|row| row.description = Some("long ".repeat(4_000).into())));
    let tight = federation(&source, SnapshotLimits { max_bytes: 1 << 20, ..SnapshotLimits::default() });
    let page = run(tight.incidents(&call(), &newest())).unwrap();
    assert_eq!((report(&page).truncated, page.total, source.lists().len()), (false, Some(100), 1));
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_room_goes_on_once_parts_that_somebody_saw_can_be_left_out() {
    // A request sees the whole copy of the first while it reads the second.
    let (first, second) = (large(450), large(900));
    second.change(|state| {
        for row in &mut state.rows {
            row.key = Key { source: SourceName::new("b"), native: row.key.native.clone() };
        }
    });
    let mut capabilities = unable();
    capabilities.list.max_page_size = 100;
    let renamed = Memory::new("b", capabilities, second.change(|state| std::mem::take(&mut state.rows)));
    renamed.change(|state| state.slow = Some(Duration::from_secs(1)));
    let max_bytes = whole(&first) * 3 / 2;
    let federation = Federation::new(FederationOptions {
        sources: vec![first.clone(), renamed],
        cursor_key: CursorKey([7; 32]),
        scan_limit: 10_000,
        snapshots: SnapshotLimits { max_bytes, ..SnapshotLimits::default() },
    });
    let truncated = |page: &IncidentPage| page.reports.iter().map(|report| report.truncated).collect::<Vec<_>>();
    let page = federation.incidents(&within(MINUTE), &newest()).await.unwrap();
    assert_eq!(truncated(&page), [false, true]);
    let next = IncidentQuery { after: page.cursor(9), ..newest() };
    let page = federation.incidents(&within(MINUTE), &next).await.unwrap();
    assert_eq!((truncated(&page), page.total), (vec![false, false], Some(1_350)));
    assert!(federation.snapshot_bytes() <= max_bytes);
}

#[test]
fn what_a_filter_looks_at_is_kept() {
    let source = large(450);
    let max_bytes = whole(&source) * 6 / 7;
    for (test, found) in [
        (Test::Search(Search::parse("\"0007: long\"")), 1),
        (Test::Description(TextTest::new(Some("0007: long"), None, None)), 1),
        (Test::Title(TextTest::new(Some("0007: long"), None, None)), 0),
    ] {
        let tight = federation(&source, SnapshotLimits { max_bytes, ..SnapshotLimits::default() });
        let query = IncidentQuery { filter: Filter::Test(test), ..newest() };
        let page = run(tight.incidents(&call(), &query)).unwrap();
        assert_eq!((page.total, report(&page).truncated), (Some(found), false), "{query:?}");
    }
}
