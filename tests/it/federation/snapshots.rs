//! Rows that are read once for all: who shares them, how far they are read, when they are read again.

use super::{
    edges::rows,
    memory::{Memory, able, call, run, unable},
    world::query,
};
use incident_gateway::{domain::*, federation::*, source::*};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// A source that neither sorts nor filters, with so many rows on pages of 100.
pub(super) fn plain(count: i64) -> Arc<Memory> {
    let mut capabilities = unable();
    capabilities.list.max_page_size = 100;
    Memory::new("a", capabilities, rows("a", count))
}

fn with_quota(count: i64, calls_per_minute: u32) -> Arc<Memory> {
    let mut capabilities = unable();
    capabilities.list.max_page_size = 100;
    capabilities.list.calls_per_minute = Some(calls_per_minute);
    Memory::new("a", capabilities, rows("a", count))
}

pub(super) fn federation(source: &Arc<Memory>, limits: SnapshotLimits) -> Federation {
    Federation::new(FederationOptions {
        sources: vec![source.clone() as Arc<dyn Source>],
        cursor_key: CursorKey([7; 32]),
        scan_limit: 10_000,
        snapshots: limits,
    })
}

pub(super) fn kept(source: &Arc<Memory>) -> Federation {
    federation(source, SnapshotLimits::default())
}

fn later(by: Duration) -> Call {
    Call { now: call().now + chrono::TimeDelta::from_std(by).unwrap(), ..call() }
}

pub(super) fn within(time: Duration) -> Call {
    call().until(Instant::now() + time)
}

pub(super) fn newest() -> IncidentQuery {
    IncidentQuery { want_total: true, ..query(Filter::default(), Order::default(), 10) }
}

fn by(field: IncidentOrderField) -> IncidentQuery {
    query(Filter::default(), Order { field, direction: OrderDirection::Asc }, 10)
}

fn severe() -> IncidentQuery {
    query(Filter::Test(Test::Severity(vec![Severity::WORDS[0].value])), Order::default(), 10)
}

pub(super) fn report(page: &IncidentPage) -> &SourceReport {
    &page.reports[0]
}

#[test]
fn every_page_order_and_filter_shares_one_reading() {
    let source = plain(450);
    let federation = kept(&source);
    let first = run(federation.incidents(&call(), &newest())).unwrap();
    assert_eq!(source.lists().len(), 5);
    assert_eq!((first.total, first.precision), (Some(450), CountPrecision::Exact));
    let mut next = newest();
    next.after = first.cursor(9);
    for query in [next, by(IncidentOrderField::Title), by(IncidentOrderField::Severity), severe()] {
        let page = run(federation.incidents(&later(Duration::from_secs(5)), &query)).unwrap();
        assert_eq!((page.items.len(), source.lists().len()), (10, 0), "{query:?}");
        assert!(report(&page).from_cache && report(&page).fetched_at == Some(call().now), "{:?}", report(&page));
    }
    let stats = StatsQuery {
        filter: Filter::default(),
        parts: StatParts { by_owner: true, ..StatParts::default() },
        months: 1,
    };
    let stats = run(federation.stats(&call(), &stats)).unwrap();
    assert_eq!((stats.total, source.lists().len()), (450, 0));
}

#[test]
fn other_rights_and_other_questions_to_the_source_read_for_themselves() {
    let mut capabilities = unable();
    capabilities.list.filters = vec![FilterCapability::new(IncidentField::Severity, FilterRule::AnyOf)];
    let source = Memory::new("a", capabilities, rows("a", 30));
    let federation = kept(&source);
    run(federation.incidents(&call(), &newest())).unwrap();
    let mut other = call();
    other.caller = Arc::new(Caller::local().with_scope(CredentialScope::new("other")));
    run(federation.incidents(&other, &newest())).unwrap();
    run(federation.incidents(&call(), &severe())).unwrap();
    assert_eq!(source.lists().len(), 3);
    // Rows with more in them do for who wants less, not the other way round.
    let mut raw = newest();
    raw.want.raw = true;
    run(federation.incidents(&call(), &raw)).unwrap();
    assert_eq!(source.lists().len(), 1);
    run(federation.incidents(&call(), &newest())).unwrap();
    assert_eq!(source.lists().len(), 0);
}

#[test]
fn of_two_copies_that_answer_the_later_one_does() {
    let source = plain(30);
    let federation = kept(&source);
    run(federation.incidents(&call(), &newest())).unwrap();
    source.change(|state| state.rows[0].title = Some("changed".into()));
    let second = later(Duration::from_secs(5));
    let raw = IncidentQuery { want: Want { raw: true, ..Want::default() }, ..newest() };
    run(federation.incidents(&second, &raw)).unwrap();
    for after in 6..12 {
        let page = run(federation.incidents(&later(Duration::from_secs(after)), &newest())).unwrap();
        assert_eq!(report(&page).fetched_at, Some(second.now), "never an older one again");
    }
}

#[test]
fn rows_of_another_source_are_no_rows_of_a_copy() {
    let source = plain(30);
    source.change(|state| state.rows[7].key = Key::new(&SourceName::new("b"), "0007"));
    let page = run(kept(&source).incidents(&call(), &newest())).unwrap();
    let error = report(&page).error.as_ref().map(SourceError::kind);
    assert_eq!((error, page.items.len()), (Some(SourceErrorKind::Malformed), 0));
}

#[test]
fn a_copy_is_read_again_after_its_time_and_a_walk_goes_on_after_its_key() {
    let source = plain(30);
    let federation = kept(&source);
    let mut query = by(IncidentOrderField::Title);
    let before = run(federation.incidents(&call(), &query)).unwrap();
    let all: Vec<Key> = source.change(|state| state.rows.iter().map(|row| row.key.clone()).collect());
    run(federation.incidents(&later(MINUTE - Duration::from_millis(1)), &query)).unwrap();
    assert_eq!(source.lists().len(), 1, "young enough");
    // A row of the first page goes; those after it move up.
    let gone = before.items[3].incident.key.clone();
    source.change(|state| state.rows.retain(|row| row.key != gone));
    let mut met: Vec<Key> = before.items.iter().map(|row| row.incident.key.clone()).collect();
    query.after = before.cursor(9);
    for page in 1.. {
        let next = run(federation.incidents(&later(MINUTE * page), &query)).unwrap();
        assert_eq!(report(&next).fetched_at, Some(later(MINUTE * page).now));
        met.extend(next.items.iter().map(|row| row.incident.key.clone()));
        if !next.has_next {
            break;
        }
        query.after = next.cursor(next.items.len() - 1);
    }
    met.sort();
    let mut all = all;
    all.sort();
    assert_eq!(met, all, "each once");
}

#[test]
fn without_a_time_every_request_reads_for_itself() {
    let source = plain(30);
    let federation = federation(&source, SnapshotLimits { keep: Duration::ZERO, ..SnapshotLimits::default() });
    for _ in 0..3 {
        run(federation.incidents(&call(), &newest())).unwrap();
    }
    assert_eq!(source.lists().len(), 3);
}

#[test]
fn a_request_takes_a_third_of_the_quota_and_the_next_one_goes_on() {
    let source = with_quota(4_510, 60);
    let federation = kept(&source);
    for (calls, rows, truncated) in [(20, 2_000, true), (20, 4_000, true), (6, 4_510, false), (0, 4_510, false)] {
        let page = run(federation.incidents(&call(), &newest())).unwrap();
        assert_eq!(source.lists().len(), calls);
        assert_eq!((page.total, report(&page).truncated), (Some(rows), truncated));
        let precision = if truncated { CountPrecision::LowerBound } else { CountPrecision::Exact };
        assert_eq!((page.precision, report(&page).status), (precision, SourceStatus::Ok));
    }
    // The smallest quota still lets a reader go on.
    let source = with_quota(300, 1);
    let slow = kept(&source);
    for rows in [100, 200, 300] {
        assert_eq!(run(slow.incidents(&call(), &newest())).unwrap().total, Some(rows));
    }
}

#[test]
fn rows_that_go_while_the_source_is_read_hide_no_other() {
    // Two calls for each request, and one of the rows that were read goes after each: all others move up by one.
    let source = with_quota(1_000, 6);
    let federation = kept(&source);
    let stay: Vec<Key> = source.change(|state| state.rows[20..].iter().map(|row| row.key.clone()).collect());
    for number in 0.. {
        let page = run(federation.incidents(&call(), &newest())).unwrap();
        if !report(&page).truncated {
            break;
        }
        assert!(number < 30, "reading ends");
        if number < 15 {
            source.change(|state| drop(state.rows.remove(1)));
        }
    }
    let met = walk(&federation);
    assert!(stay.iter().all(|key| met.contains(key)), "{} of {}", met.len(), stay.len());
    assert_eq!(met.iter().collect::<HashSet<_>>().len(), met.len());
}

pub(super) fn walk(federation: &Federation) -> Vec<Key> {
    let mut query = IncidentQuery { first: PageSize::new(100).unwrap(), ..newest() };
    let mut keys = Vec::new();
    loop {
        let page = run(federation.incidents(&call(), &query)).unwrap();
        keys.extend(page.items.iter().map(|row| row.incident.key.clone()));
        if !page.has_next {
            return keys;
        }
        query.after = page.cursor(page.items.len() - 1);
    }
}

#[test]
fn memory_is_bounded_and_the_report_says_what_that_cost() {
    let source = plain(1_000);
    let limits = SnapshotLimits { max_bytes: 300_000, ..SnapshotLimits::default() };
    let federation = federation(&source, limits);
    let page = run(federation.incidents(&call(), &newest())).unwrap();
    let read = page.total.unwrap();
    assert!(report(&page).truncated && (100..1_000).contains(&read), "{read}");
    assert_eq!(page.precision, CountPrecision::LowerBound);
    source.lists();
    assert_eq!(run(federation.incidents(&call(), &newest())).unwrap().total, Some(read), "no further");
    assert_eq!(source.lists().len(), 0);
    // Another copy throws out this one, which nobody reads.
    let mut raw = newest();
    raw.want.raw = true;
    assert_eq!(run(federation.incidents(&call(), &raw)).unwrap().total, Some(read));
    source.lists();
    let mut profile = newest();
    profile.want.profile = true;
    assert_eq!(run(federation.incidents(&call(), &profile)).unwrap().total, Some(read));
    assert!(!source.lists().is_empty());
}

#[test]
fn copies_that_do_not_all_fit_do_not_push_each_other_out() {
    let mut capabilities = unable();
    capabilities.list.max_page_size = 100;
    let sources = ["a", "b"].map(|name| Memory::new(name, capabilities.clone(), rows(name, 1_000)));
    let federation = Federation::new(FederationOptions {
        sources: sources.iter().map(|source| source.clone() as Arc<dyn Source>).collect(),
        cursor_key: CursorKey([7; 32]),
        scan_limit: 10_000,
        snapshots: SnapshotLimits { max_bytes: 1_800_000, ..SnapshotLimits::default() },
    });
    let first = run(federation.incidents(&call(), &newest())).unwrap();
    let short: Vec<bool> = first.reports.iter().map(|report| report.truncated).collect();
    assert_eq!(short, [false, true], "the second had not room for all");
    assert!(federation.snapshot_bytes() < 2_000_000, "{}", federation.snapshot_bytes());
    sources.iter().for_each(|source| drop(source.lists()));
    let next = IncidentQuery { after: first.cursor(9), ..newest() };
    let page = run(federation.incidents(&call(), &next)).unwrap();
    assert_eq!((page.items.len(), page.total), (10, first.total));
    assert_eq!(sources.map(|source| source.lists().len()), [0, 0], "nothing is read again");
}

#[tokio::test(start_paused = true)]
async fn one_reads_for_all_who_wait() {
    let source = plain(950);
    source.change(|state| state.slow = Some(Duration::from_millis(100)));
    let federation = kept(&source);
    let call = within(Duration::from_secs(10));
    let (by_title, newest, severe) = (by(IncidentOrderField::Title), newest(), severe());
    let pages = tokio::join!(
        federation.incidents(&call, &newest),
        federation.incidents(&call, &by_title),
        federation.incidents(&call, &severe),
        federation.incidents(&call, &newest),
    );
    assert_eq!(source.lists().len(), 10);
    for page in [pages.0, pages.1, pages.2, pages.3] {
        assert_eq!((page.as_ref().unwrap().items.len(), report(&page.unwrap()).truncated), (10, false));
    }
}

#[tokio::test(start_paused = true)]
async fn pages_are_read_side_by_side_once_their_number_is_known() {
    let source = plain(950);
    source.change(|state| state.slow = Some(Duration::from_millis(100)));
    let begun = Instant::now();
    kept(&source).incidents(&within(Duration::from_secs(10)), &newest()).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::from_millis(400), "1, 4, 4 and 1");
}

#[tokio::test(start_paused = true)]
async fn who_runs_out_of_time_takes_what_is_there_and_the_next_goes_on() {
    let source = plain(950);
    source.change(|state| {
        state.slow = Some(Duration::from_millis(1_000));
    });
    let federation = kept(&source);
    let begun = Instant::now();
    let page = federation.incidents(&within(Duration::from_secs(4)), &newest()).await.unwrap();
    assert!(begun.elapsed() <= Duration::from_secs(3), "half of the time, and the page that was begun");
    assert_eq!((page.total, report(&page).truncated), (Some(500), true));
    let page = federation.incidents(&within(Duration::from_secs(10)), &newest()).await.unwrap();
    assert_eq!((page.total, report(&page).truncated), (Some(950), false));
    assert_eq!(source.lists().len(), 10, "nothing was read twice");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_reader_waits_no_longer_than_his_own_time() {
    let source = plain(950);
    source.change(|state| state.slow = Some(Duration::from_millis(1_000)));
    let federation = kept(&source);
    let (call, newest) = (within(Duration::from_secs(60)), newest());
    let patient = federation.incidents(&call, &newest);
    let hasty = async {
        sleep(Duration::from_millis(1_500)).await;
        let begun = Instant::now();
        let page = federation.incidents(&within(Duration::from_secs(2)), &newest).await.unwrap();
        (page.total, report(&page).truncated, begun.elapsed())
    };
    let ((patient, hasty), lists) = (tokio::join!(patient, hasty), source.lists().len());
    let (total, truncated, time) = hasty;
    assert!(truncated && total.unwrap() < 950 && time <= Duration::from_secs(2), "{total:?} {time:?}");
    assert_eq!((patient.unwrap().total, lists), (Some(950), 10));
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_leaves_is_followed_by_another() {
    let source = plain(950);
    source.change(|state| state.slow = Some(Duration::from_millis(100)));
    let federation = kept(&source);
    let call = within(Duration::from_secs(10));
    let newest = newest();
    let leaves = tokio::time::timeout(Duration::from_millis(150), federation.incidents(&call, &newest));
    let (left, stayed) = tokio::join!(leaves, federation.incidents(&call, &newest));
    assert!(left.is_err());
    assert_eq!(stayed.unwrap().total, Some(950));
    assert_eq!(source.lists().len(), 14, "four of them began twice");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_by_those_who_waited_and_not_remembered() {
    let source = plain(950);
    source.change(|state| (state.slow, state.down) = (Some(Duration::from_millis(100)), true));
    let federation = kept(&source);
    let call = within(Duration::from_secs(10));
    let newest = newest();
    let begun = Instant::now();
    let pages = tokio::join!(federation.incidents(&call, &newest), federation.incidents(&call, &newest));
    assert_eq!(begun.elapsed(), Duration::from_millis(100), "asked once");
    for page in [pages.0.unwrap(), pages.1.unwrap()] {
        assert_eq!(report(&page).status, SourceStatus::Unavailable);
    }
    source.change(|state| state.down = false);
    assert_eq!(federation.incidents(&call, &newest).await.unwrap().total, Some(950));
}

#[test]
fn a_source_that_gives_the_same_page_for_ever_is_left_after_two() {
    let source = with_quota(450, 6_000);
    source.change(|state| state.repeats = true);
    let page = run(kept(&source).incidents(&call(), &newest())).unwrap();
    assert_eq!((page.total, report(&page).truncated), (Some(100), true));
    assert!(source.lists().len() <= 5, "the first, and four side by side");
}

/// Sorts, filters nothing, and has one row in a hundred of this severity.
fn sorter(count: i64) -> (Arc<Memory>, IncidentQuery) {
    let mut capabilities = able();
    capabilities.list.filters.clear();
    capabilities.list.max_page_size = 100;
    let mut rows = rows("a", count);
    for (index, row) in rows.iter_mut().enumerate() {
        row.severity = if index % 100 == 0 { Severity::Critical } else { Severity::Low };
    }
    let critical = query(Filter::Test(Test::Severity(vec![Severity::Critical])), Order::default(), 10);
    (Memory::new("a", capabilities, rows), critical)
}

#[test]
fn where_few_rows_pass_a_filter_all_are_read_once() {
    let (source, mut critical) = sorter(3_000);
    let federation = kept(&source);
    let mut met = 0;
    for calls in [50, 0, 0] {
        let page = run(federation.incidents(&call(), &critical)).unwrap();
        met += page.items.len();
        assert!(source.lists().len() <= calls);
        critical.after = page.cursor(9);
    }
    assert_eq!(met, 30);
    // Where many pass, a page is a page.
    let (source, _) = sorter(3_000);
    let low = query(Filter::Test(Test::Severity(vec![Severity::Low])), Order::default(), 10);
    assert_eq!(run(kept(&source).incidents(&call(), &low)).unwrap().items.len(), 10);
    assert_eq!(source.lists().len(), 1);
}

#[test]
fn a_source_with_more_rows_than_a_copy_may_have_is_walked_beyond_them() {
    let (source, mut critical) = sorter(3_000);
    let federation = Federation::new(FederationOptions {
        sources: vec![source.clone() as Arc<dyn Source>],
        cursor_key: CursorKey([7; 32]),
        scan_limit: 1_500,
        snapshots: SnapshotLimits::default(),
    });
    let mut met = Vec::new();
    loop {
        let page = run(federation.incidents(&call(), &critical)).unwrap();
        met.extend(page.items.iter().map(|row| row.incident.key.clone()));
        if !page.has_next {
            break;
        }
        critical.after = page.cursor(page.items.len() - 1);
    }
    assert_eq!(met.len(), 30);
}

#[tokio::test(start_paused = true)]
async fn who_needs_only_what_is_there_does_not_wait_for_the_reader() {
    let mut capabilities = unable();
    capabilities.list.max_page_size = 100;
    capabilities.by_id.clear();
    let source = Memory::new("a", capabilities, rows("a", 950));
    source.change(|state| state.slow = Some(Duration::from_millis(1_000)));
    let federation = kept(&source);
    let (call, newest) = (within(Duration::from_secs(60)), newest());
    let reads = federation.incidents(&call, &newest);
    let finds = async {
        sleep(Duration::from_millis(1_500)).await;
        let begun = Instant::now();
        let key = Key::new(&SourceName::new("a"), "0003");
        let batch = federation.fetch(&call, std::slice::from_ref(&key), Want::default()).await;
        (batch.found.contains_key(&key), begun.elapsed())
    };
    let (page, found) = tokio::join!(reads, finds);
    assert_eq!(found, (true, Duration::ZERO));
    assert_eq!((page.unwrap().total, source.lists().len()), (Some(950), 10));
}
