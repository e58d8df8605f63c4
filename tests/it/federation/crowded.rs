//! More requests than there is memory for copies: the bound holds, everybody's turn comes, nobody waits for somebody who waits for
//! him, and everything is given back.

use super::{
    edges::rows,
    memory::{Memory, able, call, run, unable},
    world::query,
};
use futures_util::future::join_all;
use incident_gateway::{domain::*, federation::*, source::*};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// As much as gives six sources two places, with pages of some 20 rows.
const BOUND: usize = 8 << 20;
const ROWS: i64 = 100;
const SECOND: Duration = Duration::from_secs(1);

/// Sources that cannot sort: `big`, whose rows have no room; `slow`, which lets those wait that ask it too; `a`, `b` and `c` with
/// `ROWS` rows each. And `sorts`, which needs no copy.
struct Crowd {
    sources: Vec<Arc<Memory>>,
    federation: Federation,
}

impl Crowd {
    fn new() -> Self {
        Crowd::within(BOUND)
    }

    fn within(max_bytes: usize) -> Self {
        let plain = [("a", ROWS), ("b", ROWS), ("c", ROWS)].map(|(name, count)| listing(100, name, rows(name, count)));
        let mut sources = Vec::from(plain);
        sources.push(listing(1, "slow", rows("slow", 1)));
        // On pages so small that less is left in the end than a short page may take.
        sources.push(listing(1, "big", heavy("big", 120, 80_000)));
        sources.push(Memory::new("sorts", able(), rows("sorts", ROWS)));
        for source in &sources[..3] {
            source.change(|state| state.slow = Some(SECOND / 10));
        }
        sources[3].change(|state| state.slow = Some(300 * SECOND));
        let federation = federation_of(&sources, max_bytes);
        Crowd { sources, federation }
    }

    async fn asks(&self, number: usize, seconds: u32, sources: &[&str]) -> IncidentPage {
        let page = self.federation.incidents(&of(number, seconds), &only(sources)).await.unwrap();
        assert!(self.federation.snapshot_bytes() <= BOUND);
        let at: Vec<_> = page.items.iter().map(|row| row.incident.created_at).collect();
        assert!(at.is_sorted_by(|a, b| a >= b), "in order");
        page
    }

    /// Runs `others` while somebody holds all the common room.
    async fn while_full<T>(&self, others: impl Future<Output = T>) -> T {
        let holds = self.asks(usize::MAX, 600, &["big", "slow"]);
        let late = async {
            sleep(SECOND).await;
            others.await
        };
        tokio::pin!(holds, late);
        tokio::select! {
            biased;
            _ = &mut holds => panic!("the room was held for too short"),
            answer = &mut late => answer,
        }
    }
}

/// A source that can only list.
fn listing(max_page_size: usize, name: &str, rows: Vec<Incident>) -> Arc<Memory> {
    let mut capabilities = unable();
    capabilities.list.max_page_size = max_page_size;
    Memory::new(name, capabilities, rows)
}

fn heavy(name: &str, count: i64, bytes: usize) -> Vec<Incident> {
    let mut rows = rows(name, count);
    rows.iter_mut().for_each(|row| row.link = Some("x".repeat(bytes).into()));
    rows
}

fn federation_of(sources: &[Arc<Memory>], max_bytes: usize) -> Federation {
    Federation::new(FederationOptions {
        sources: sources.iter().map(|source| source.clone() as Arc<dyn Source>).collect(),
        cursor_key: CursorKey([7; 32]),
        scan_limit: 10_000,
        snapshots: SnapshotLimits { max_bytes, ..SnapshotLimits::default() },
    })
}

/// Somebody with rights of his own, who so shares no copy.
fn of(number: usize, seconds: u32) -> Call {
    let scope = CredentialScope::new(&format!("{number}"));
    Call { caller: Arc::new(Caller::local().with_scope(scope)), ..call().until(Instant::now() + seconds * SECOND) }
}

fn only(sources: &[&str]) -> IncidentQuery {
    let names = sources.iter().map(|name| SourceName::new(name)).collect();
    query(Filter::Test(Test::Sources(names)), Order::default(), 10)
}

fn report<'a>(page: &'a IncidentPage, source: &str) -> &'a SourceReport {
    page.reports.iter().find(|report| report.source.as_str() == source).unwrap()
}

fn status(page: &IncidentPage, source: &str) -> (SourceStatus, bool) {
    (report(page, source).status, report(page, source).truncated)
}

/// Who has an even number learns late what `a` can do, the others what `c` can.
fn in_opposite_orders(crowd: &Crowd) {
    fn even(call: &Call) -> bool {
        call.caller.scope.as_str().bytes().last().is_some_and(|digit| digit % 2 == 0)
    }
    crowd.sources[0]
        .change(|state| state.hesitates = Some(|call| if even(call) { SECOND / 50 } else { Duration::ZERO }));
    crowd.sources[2]
        .change(|state| state.hesitates = Some(|call| if even(call) { Duration::ZERO } else { SECOND / 50 }));
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_room_has_a_short_page_of_each_source_in_turn() {
    let crowd = Crowd::new();
    in_opposite_orders(&crowd);
    let took = crowd
        .while_full(async {
            let begun = Instant::now();
            let pages = join_all((0..60).map(|number| crowd.asks(number, 60, &["a", "b", "c"]))).await;
            for page in pages {
                for source in ["a", "b", "c"] {
                    assert_eq!(status(&page, source), (SourceStatus::Ok, true), "{:?}", report(&page, source).error);
                    assert!(report(&page, source).total.unwrap() >= 10);
                }
                assert_eq!((page.items.len(), page.has_next, page.precision), (10, true, CountPrecision::LowerBound));
            }
            begun.elapsed()
        })
        .await;
    // Two at a time, each for a tenth of a second and what `a` and `c` keep them waiting, which they do for each call.
    assert!((3 * SECOND..9 * SECOND).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_short_page_goes_on_from_a_cursor_and_is_nobody_elses() {
    let crowd = Crowd::new();
    crowd
        .while_full(async {
            let first = crowd.asks(1, 60, &["a"]).await;
            let total = report(&first, "a").total.unwrap();
            assert_eq!(crowd.sources[0].lists().len(), 1);
            let next = IncidentQuery { after: first.cursor(9), ..only(&["a"]) };
            let next = crowd.federation.incidents(&of(1, 60), &next).await.unwrap();
            let (begun, lists) = (first.items[9].incident.created_at, crowd.sources[0].lists());
            assert!(next.items.iter().all(|row| row.incident.created_at < begun), "after the first page");
            assert_eq!((lists.len(), report(&next, "a").total), (1, Some(total)), "read again");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn who_leaves_gives_back_what_he_had() {
    let crowd = Crowd::new();
    in_opposite_orders(&crowd);
    crowd
        .while_full(async {
            // Some wait for a place when they leave, some have one and wait for a page, some for another source.
            for left in [0, 5, 15, 50, 105, 110, 150, 250] {
                let all = join_all((0..7).map(|number| crowd.asks(number, 60, &["a", "b", "c"])));
                assert!(timeout(Duration::from_millis(left), all).await.is_err());
                let held = join_all((0..2).map(|number| crowd.asks(number, 60, &["a", "slow"])));
                assert!(timeout(Duration::from_millis(left), held).await.is_err());
            }
            let begun = Instant::now();
            let pages = join_all((0..2).map(|number| crowd.asks(number, 60, &["a", "b", "c"]))).await;
            assert!(begun.elapsed() <= 3 * SECOND / 10, "there are two places: {:?}", begun.elapsed());
            assert!(pages.iter().all(|page| status(page, "b") == (SourceStatus::Ok, true)));
        })
        .await;
    // Nobody reads any more: there is as much room as at first.
    let fresh = Crowd::new();
    let (again, first) = (crowd.asks(1, 600, &["big"]).await, fresh.asks(1, 600, &["big"]).await);
    assert_eq!(report(&again, "big").total, report(&first, "big").total);
    assert_eq!(crowd.federation.snapshot_bytes(), fresh.federation.snapshot_bytes());
}

#[tokio::test(start_paused = true)]
async fn who_gets_no_place_in_time_does_without_the_source_and_is_told() {
    let crowd = Crowd::new();
    crowd
        .while_full(async {
            let holders = join_all((0..2).map(|number| crowd.asks(number, 600, &["a", "slow"])));
            let waits = async {
                sleep(SECOND).await;
                let begun = Instant::now();
                let page = crowd.asks(3, 10, &["b", "sorts"]).await;
                assert_eq!(begun.elapsed(), 5 * SECOND, "half of his time");
                let error = report(&page, "b").error.clone().unwrap();
                assert_eq!(
                    (status(&page, "b"), error.kind()),
                    ((SourceStatus::Timeout, false), SourceErrorKind::Timeout)
                );
                assert!(error.retry() == Retry::Backoff && error.public().contains("memory"), "{error}");
                assert_eq!((status(&page, "sorts"), page.items.len()), ((SourceStatus::Ok, false), 10));
                assert_eq!(crowd.sources[1].lists().len(), 0, "it was not asked for what has no room");
                let strict = IncidentQuery { require_sources: vec![SourceName::new("b")], ..only(&["b"]) };
                assert!(crowd.federation.incidents(&of(3, 10), &strict).await.is_err());
            };
            let waited = tokio::select! {
                biased;
                _ = holders => panic!("the places were held for too short"),
                () = waits => true,
            };
            assert!(waited);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn room_that_others_give_back_helps_before_a_place() {
    let crowd = Crowd::new();
    // Who holds the room waits for no row: when he leaves, he gives back nothing but the sight of it.
    crowd.sources[5].change(|state| state.hesitates = Some(|_| 300 * SECOND));
    let begun = Instant::now();
    let holds = timeout(5 * SECOND, crowd.asks(9, 600, &["big", "sorts"]));
    let holders = timeout(60 * SECOND, async {
        sleep(SECOND).await;
        join_all((0..2).map(|number| crowd.asks(number, 600, &["a", "slow"]))).await
    });
    let waits = async {
        sleep(2 * SECOND).await;
        let page = crowd.asks(3, 60, &["b"]).await;
        (status(&page, "b"), report(&page, "b").total, begun.elapsed())
    };
    let (holds, holders, waited) = tokio::join!(holds, holders, waits);
    assert!(holds.is_err() && holders.is_err());
    assert_eq!(waited, ((SourceStatus::Ok, false), Some(ROWS as u64), 5 * SECOND + SECOND / 10));
}

#[tokio::test(start_paused = true)]
async fn an_earlier_state_of_a_copy_counts_as_long_as_somebody_looks_at_it() {
    let mut capabilities = unable();
    (capabilities.list.max_page_size, capabilities.list.calls_per_minute) = (100, Some(6));
    let grows = Memory::new("a", capabilities, rows("a", 1_000));
    let slow = listing(1, "slow", rows("slow", 1));
    slow.change(|state| state.slow = Some(300 * SECOND));
    let federation = federation_of(&[grows.clone(), slow.clone()], BOUND);
    let (call, both, one) = (of(1, 600), only(&["a", "slow"]), only(&["a"]));
    let mut looks = Box::pin(federation.incidents(&call, &both));
    assert!(timeout(SECOND, &mut looks).await.is_err());
    let page = federation.incidents(&call, &one).await.unwrap();
    assert_eq!(report(&page, "a").total, Some(400), "it grew");
    let held = federation.snapshot_bytes();
    drop(looks);
    // Beside that, a row of `slow` was on its way.
    let given_back = held - federation.snapshot_bytes();
    assert!((200 * 100..200 * 300).contains(&given_back), "the index of 200 rows: {given_back}");
    let unseen = federation_of(&[grows, slow], BOUND);
    for _ in 0..2 {
        unseen.incidents(&of(1, 600), &one).await.unwrap();
    }
    assert_eq!(federation.snapshot_bytes(), unseen.snapshot_bytes(), "as if nobody had looked");
}

#[test]
fn where_not_even_one_row_has_room_the_source_fails_and_others_answer() {
    for most in [0, 1, 10_000, 30_000] {
        let crowd = Crowd::within(most);
        let page = run(crowd.federation.incidents(&of(1, 60), &only(&["big", "sorts"]))).unwrap();
        let error = report(&page, "big").error.clone().unwrap();
        assert_eq!((status(&page, "big").0, error.kind()), (SourceStatus::Unavailable, SourceErrorKind::Unavailable));
        assert!(error.public().contains("memory"), "{error}");
        assert_eq!((status(&page, "sorts"), page.items.len()), ((SourceStatus::Ok, false), 10), "{most}");
        assert_eq!(crowd.federation.snapshot_bytes(), 0);
    }
}

#[test]
fn a_page_larger_than_all_room_is_cut_where_the_room_ends() {
    let federation = federation_of(&[listing(100, "big", heavy("big", 400, 40_000))], 1 << 20);
    let page = run(federation.incidents(&of(1, 60), &only(&["big"]))).unwrap();
    let total = report(&page, "big").total.unwrap();
    assert_eq!((status(&page, "big"), page.precision), ((SourceStatus::Ok, true), CountPrecision::LowerBound));
    assert!((15..25).contains(&total) && federation.snapshot_bytes() <= 1 << 20, "{total}");
}
