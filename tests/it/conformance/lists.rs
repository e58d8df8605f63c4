//! Lists: each row once, wherever a page begins and however long it is, in the orders that are declared.

use super::bench::*;
use incident_gateway::{domain::*, source::*};
use std::collections::{BTreeMap, BTreeSet};

pub(super) async fn every_row_comes_once_and_says_what_the_server_says(subject: &Subject) {
    let bench = Bench::start(subject, 130).await;
    bench.disturb().await;
    let all = bench.all().await;
    let rows = bench.rows().await;
    let ours: BTreeMap<String, _> = all.iter().map(|incident| (incident.key.native.to_string(), incident)).collect();
    let theirs: BTreeSet<&str> = rows.iter().map(|row| &*row.id).collect();
    assert_eq!(ours.keys().map(String::as_str).collect::<BTreeSet<_>>(), theirs);
    assert!(rows.len() > 100, "more than a page");
    for row in &rows {
        let incident = ours[&row.id];
        assert_eq!(incident.title.as_deref(), row.title.as_deref(), "{}", row.whole);
        assert_eq!(incident.source_severity.as_deref(), row.severity.as_deref(), "{}", row.whole);
        assert_eq!(incident.source_status.as_deref(), row.status.as_deref(), "{}", row.whole);
        assert_eq!(incident.created_at, row.created, "{}", row.whole);
        assert_eq!(incident.key.source, name());
        assert_eq!(incident.source_kind, bench.source.info().kind);
        assert_eq!(incident.raw, None);
    }
    // Titles that people of other countries write, and times that occur twice.
    assert!(rows.iter().any(|row| row.title.as_ref().is_some_and(|title| !title.is_ascii())));
    let times: BTreeSet<_> = rows.iter().map(|row| row.created).collect();
    assert!(times.len() < rows.len(), "the world has ties");
}

pub(super) async fn every_page_size_gives_the_same_rows(subject: &Subject) {
    let bench = Bench::start(subject, 19).await;
    let all = ids(&bench.all().await);
    for limit in (1..=20).chain([50, usize::MAX]) {
        assert_eq!(ids(&bench.walk(&[], None, limit, PLAIN).await), all, "{limit}");
    }
}

pub(super) async fn a_page_may_begin_anywhere(subject: &Subject) {
    let bench = Bench::start(subject, 112).await;
    let all = ids(&bench.all().await);
    let near_the_end = all.len() as u64 - 3..all.len() as u64 + 3;
    for offset in [0, 1, 2, 9, 10, 11, 50, 95, 99, 100, 101].into_iter().chain(near_the_end) {
        let rows = bench.page(offset, 10).await;
        let mut begins = usize::try_from(offset).unwrap().min(all.len());
        let mut given = ids(&rows.items);
        if subject.pages_overlap && begins > 0 && given.first() == all.get(begins - 1) {
            given.remove(0);
        }
        begins = begins.min(all.len());
        let expected: Vec<&String> = all[begins..].iter().take(given.len()).collect();
        assert_eq!(given.iter().collect::<Vec<_>>(), expected, "{offset}");
        let ended = begins + given.len() == all.len();
        assert!(ended || (rows.more && !given.is_empty()), "{offset}: the page ends before the list");
        assert!(!ended || !rows.more || subject.pages_overlap, "{offset}: more is promised than there is");
    }
    assert!(bench.page(1_000_000, 10).await.items.is_empty());
}

pub(super) async fn rows_without_an_order_stay_where_they_are(subject: &Subject) {
    let bench = Bench::start(subject, 120).await;
    let first = ids(&bench.all().await);
    let (second, third) = (bench.walk(&[], None, 17, PLAIN).await, bench.walk(&[], None, 64, RAW).await);
    assert_eq!(ids(&second), first);
    assert_eq!(ids(&third), first);
}

pub(super) async fn declared_orders_are_ours(subject: &Subject) {
    let bench = Bench::start(subject, 105).await;
    bench.disturb().await;
    let all = bench.all().await;
    let capabilities = bench.capabilities().await;
    for (field, directions) in &capabilities.list.orders {
        assert!(!directions.is_empty());
        for order in directions.iter().map(|direction| Order { field: *field, direction: *direction }) {
            for limit in [usize::MAX, 17] {
                let given = bench.walk(&[], Some(order), limit, PLAIN).await;
                assert_eq!(ids(&given), sorted(&all, order), "{order:?} by {limit}");
            }
        }
    }
}

pub(super) async fn other_orders_reach_no_server(subject: &Subject) {
    let bench = Bench::start(subject, 5).await;
    let capabilities = bench.capabilities().await;
    bench.sandbox.reset_calls();
    let mut refused = 0;
    for order in orders().filter(|order| !capabilities.sorts(order.field, order.direction)) {
        let request = ListRequest { tests: vec![], order: Some(order), offset: 0, limit: 5, want: PLAIN };
        let error = bench.source.list(&call(), &request).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Internal, "{order:?}");
        refused += 1;
    }
    let request = ListRequest { tests: vec![], order: None, offset: 0, limit: 0, want: PLAIN };
    assert_eq!(bench.source.list(&call(), &request).await.unwrap_err().kind(), SourceErrorKind::Internal);
    assert!(refused >= 10, "nobody sorts by all");
    assert_eq!(bench.sandbox.call_count(), 0);
}

pub(super) async fn totals_are_what_capabilities_say(subject: &Subject) {
    for incidents in [0, 1, 107] {
        let bench = Bench::start(subject, incidents).await;
        let capabilities = bench.capabilities().await;
        let rows = bench.rows().await.len() as u64;
        for (offset, limit) in
            [(0, 1), (0, 100), (100, 50), (106, 10)].into_iter().filter(|(at, _)| *at == 0 || *at < rows)
        {
            let page = bench.page(offset, limit).await;
            match capabilities.list.total {
                CountPrecision::Exact => assert_eq!((page.total, page.capped), (Some(rows), false), "{offset}"),
                _ => assert!(page.total.is_none_or(|total| total <= rows), "{offset}"),
            }
        }
    }
}
