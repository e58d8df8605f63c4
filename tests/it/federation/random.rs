//! Walks through random worlds in which sources fail, are slow, have quotas, and change, while copies grow old and memory is short:
//! what is met is what `docs/PAGING.md` promises.

use super::{
    memory::{Memory, call},
    property,
    world::{Seed, World, build, filter, incident, order, query, seed, world},
};
use incident_gateway::{domain::*, federation::*, source::*};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
};
use std::{
    cell::Cell,
    cmp::Ordering,
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is wrong with a source while a page is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    Down,
    /// Its pages are in the opposite order.
    Backwards,
    /// A call takes so many milliseconds; more than there are is as good as down.
    Slow(u64),
}

/// What happens to a source's rows between two pages.
#[derive(Clone, Debug)]
enum Change {
    Insert(Index, Vec<Seed>),
    Update(Index, Seed),
    Delete(Index, Index),
}

/// What happens before a page.
#[derive(Clone, Debug)]
struct Step {
    trouble: Option<(Index, Trouble)>,
    changes: Vec<(Index, Change)>,
    seconds: i64,
}

/// How a walk goes.
#[derive(Clone, Debug)]
struct Journey {
    filter: Filter,
    order: Order,
    first: i32,
    want_total: bool,
    limits: Limits,
    steps: Vec<Step>,
}

/// What copies may take.
#[derive(Clone, Copy, Debug)]
struct Limits {
    keep_ms: u64,
    max_bytes: usize,
    scan_rows: usize,
    /// Of the first source.
    calls_per_minute: Option<u32>,
}

/// `cutting`: a source may be so slow that a copy of it is read in several requests.
fn trouble(cutting: bool) -> impl Strategy<Value = Trouble> {
    let slow = if cutting { vec![50, 400, 5_000] } else { vec![2, 5_000] };
    prop_oneof![Just(Trouble::Down), Just(Trouble::Backwards), select(slow).prop_map(Trouble::Slow)]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), vec(seed(), 1..12)).prop_map(|(at, seeds)| Change::Insert(at, seeds)),
        (any::<Index>(), seed()).prop_map(|(which, seed)| Change::Update(which, seed)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Delete(from, to)),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    let calls = option::weighted(0.3, select(vec![1, 6, 12]));
    (select(vec![0, 60_000]), select(vec![64 << 20, 64 << 20, 20_000]), select(vec![10_000, 10_000, 7]), calls)
        .prop_map(|(keep_ms, max_bytes, scan_rows, calls_per_minute)| Limits {
            keep_ms,
            max_bytes,
            scan_rows,
            calls_per_minute,
        })
}

/// `troubled`: sources fail on the way; `changing`: their rows change. What changes while a copy is read in several requests may
/// hide rows from that copy, so that not both are promised.
fn journey(troubled: bool, changing: bool) -> impl Strategy<Value = Journey> {
    let trouble = option::of((any::<Index>(), trouble(!changing)));
    let changes = vec((any::<Index>(), change()), 0..4);
    let step = (trouble, changes, select(vec![0, 1, 25, 70])).prop_map(move |(trouble, changes, seconds)| Step {
        trouble: trouble.filter(|_| troubled),
        changes: if changing { changes } else { Vec::new() },
        seconds,
    });
    (filter(), order(), 1..9i32, any::<bool>(), limits(), vec(step, 0..12)).prop_map(
        move |(filter, order, first, want_total, limits, steps)| {
            let calls_per_minute = limits.calls_per_minute.filter(|_| !changing);
            let limits = Limits { calls_per_minute, ..limits };
            Journey { filter, order, first, want_total, limits, steps }
        },
    )
}

/// A page as a client sees it.
struct Page {
    keys: Vec<Key>,
    /// Sources that gave no row, or not all: down, refused, late, or not read to the end.
    short: HashSet<SourceName>,
    /// What lies between these belongs to this page. None: an end of the list.
    after: Option<Position>,
    until: Option<Position>,
}

impl Page {
    /// Whether a row was left out here because its source was.
    fn excuses(&self, order: Order, row: &Position) -> bool {
        self.short.contains(&row.key.source)
            && self.after.as_ref().is_none_or(|after| order.compare(after, row) == Ordering::Less)
            && self.until.as_ref().is_none_or(|until| order.compare(row, until) != Ordering::Greater)
    }
}

fn federation(sources: &[Arc<Memory>], limits: Limits) -> Federation {
    Federation::new(FederationOptions {
        sources: sources.iter().map(|source| source.clone() as Arc<dyn Source>).collect(),
        cursor_key: CursorKey([7; 32]),
        scan_limit: limits.scan_rows,
        snapshots: SnapshotLimits { keep: Duration::from_millis(limits.keep_ms), max_bytes: limits.max_bytes },
    })
}

/// Sources of a world; the first with its quota. Titles are short enough for a cursor to keep them whole: of longer ones the
/// order is lost with the row itself.
fn sources(world: &World, limits: Limits) -> Vec<Arc<Memory>> {
    let mut sources = build(world);
    let first = Arc::get_mut(&mut sources[0]).unwrap();
    first.capabilities.list.calls_per_minute = limits.calls_per_minute;
    for source in &sources {
        source.change(|state| state.rows.iter_mut().for_each(super::shorten));
    }
    sources
}

fn set(sources: &[Arc<Memory>], trouble: Option<&(Index, Trouble)>) {
    for (number, source) in sources.iter().enumerate() {
        let here = trouble.filter(|(which, _)| which.index(sources.len()) == number).map(|(_, trouble)| *trouble);
        source.change(|state| {
            state.down = here == Some(Trouble::Down);
            state.backwards = here == Some(Trouble::Backwards);
            state.slow = match here {
                Some(Trouble::Slow(ms)) => Some(Duration::from_millis(ms)),
                _ => None,
            };
        });
    }
}

fn backwards(sources: &[Arc<Memory>]) -> impl Iterator<Item = SourceName> {
    let those = sources.iter().filter(|source| source.change(|state| state.backwards));
    those.map(|source| Source::info(&**source).name.clone())
}

/// Makes changes. `touched` are the keys of rows that were there and did not stay as they were, with how often.
fn alter(sources: &[Arc<Memory>], changes: &[(Index, Change)], fresh: &mut usize, touched: &mut HashMap<Key, usize>) {
    for (which, change) in changes {
        let source = &sources[which.index(sources.len())];
        let name = Source::info(&**source).name.clone();
        source.change(|state| match change {
            Change::Insert(at, seeds) => {
                for seed in seeds {
                    *fresh += 1;
                    let mut row = incident(name.as_str(), &fresh.to_string(), seed);
                    super::shorten(&mut row);
                    state.rows.insert(at.index(state.rows.len() + 1), row);
                }
            }
            Change::Update(which, seed) if !state.rows.is_empty() => {
                let which = which.index(state.rows.len());
                let old = &mut state.rows[which];
                let mut new = incident(name.as_str(), &old.key.native.to_string(), seed);
                super::shorten(&mut new);
                *touched.entry(new.key.clone()).or_default() += 1;
                *old = new;
            }
            Change::Update(..) => {}
            Change::Delete(from, to) => {
                let (from, to) = (from.index(state.rows.len() + 1), to.index(state.rows.len() + 1));
                for gone in state.rows.drain(from.min(to)..from.max(to)) {
                    *touched.entry(gone.key).or_default() += 1;
                }
            }
        });
    }
}

/// All pages of a walk, and what was touched on the way.
async fn walk(sources: &[Arc<Memory>], journey: &Journey) -> (Vec<Page>, HashMap<Key, usize>) {
    let federation = federation(sources, journey.limits);
    let mut query = query(journey.filter.clone(), journey.order, journey.first);
    query.want_total = journey.want_total;
    let (mut pages, mut touched, mut now, mut fresh): (Vec<Page>, _, _, _) =
        (vec![], HashMap::new(), call().now, 1_000);
    for number in 0.. {
        assert!(number < 1_000, "a walk ends");
        let step = journey.steps.get(number);
        set(sources, step.and_then(|step| step.trouble.as_ref()));
        if let Some(step) = step.filter(|_| number > 0) {
            alter(sources, &step.changes, &mut fresh, &mut touched);
        }
        now += chrono::TimeDelta::seconds(step.map_or(0, |step| step.seconds));
        let call = Call { now, ..call().until(Instant::now() + PATIENCE) };
        let page = federation.incidents(&call, &query).await.unwrap();
        let is_short = |report: &&SourceReport| report.error.is_some() || report.truncated;
        let mut short: HashSet<_> = page.reports.iter().filter(is_short).map(|report| report.source.clone()).collect();
        // A page of one row shows no order.
        short.extend(backwards(sources));
        let last = page.items.last().map(|row| journey.order.position(&row.incident));
        let keys = page.items.iter().map(|row| row.incident.key.clone()).collect();
        let after = pages.last().and_then(|page: &Page| page.until.clone());
        query.after = page.items.len().checked_sub(1).and_then(|last| page.cursor(last));
        let until = last.filter(|_| page.has_next);
        let ends = until.is_none();
        check(&page, journey.order, after.as_ref());
        pages.push(Page { keys, short, after, until });
        if ends {
            break;
        }
    }
    (pages, touched)
}

/// What holds for every page, whatever happens.
fn check(page: &IncidentPage, order: Order, after: Option<&Position>) {
    let positions: Vec<Position> = page.items.iter().map(|row| order.position(&row.incident)).collect();
    let mut all = after.into_iter().chain(&positions);
    let mut last = all.next();
    for next in all {
        assert!(last.is_none_or(|last| order.compare(last, next) == Ordering::Less), "{last:?} before {next:?}");
        last = Some(next);
    }
    for report in &page.reports {
        let of_source = page.items.iter().filter(|row| row.incident.key.source == report.source).count();
        assert_eq!(report.items, of_source);
        assert!(report.error.is_none() || of_source == 0, "{report:?}");
        assert_eq!(report.error.is_none(), [SourceStatus::Ok, SourceStatus::Skipped].contains(&report.status));
    }
    match page.precision {
        CountPrecision::Exact => assert!(page.reports.iter().all(|report| report.error.is_none() && !report.truncated)),
        CountPrecision::LowerBound => assert!(page.total.is_some()),
        CountPrecision::Unknown => assert_eq!(page.total, None),
    }
}

fn clockwork() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// Every row that stayed as it was is met once, unless its source was short where the row lies.
fn kept_its_promise(
    before: &[Incident],
    journey: &Journey,
    (pages, touched): &(Vec<Page>, HashMap<Key, usize>),
) -> Result<usize, TestCaseError> {
    let mut met: HashMap<&Key, usize> = HashMap::new();
    for key in pages.iter().flat_map(|page| &page.keys) {
        *met.entry(key).or_default() += 1;
    }
    let mut excused = 0;
    for row in before.iter().filter(|row| !touched.contains_key(&row.key)) {
        let times = met.get(&row.key).copied().unwrap_or_default();
        let position = journey.order.position(row);
        let excuse = pages.iter().any(|page| page.excuses(journey.order, &position));
        match (journey.filter.matches(row), times) {
            (false, 0) | (true, 1) => {}
            (true, 0) if excuse => excused += 1,
            (matches, _) => prop_assert!(false, "{:?} matches: {matches}, was met {times} times", row.key),
        }
    }
    for (key, times) in met {
        let most = 1 + touched.get(key).copied().unwrap_or_default();
        prop_assert!(times <= most, "{key:?} was met {times} times");
    }
    Ok(excused)
}

fn all_rows(sources: &[Arc<Memory>]) -> Vec<Incident> {
    sources.iter().flat_map(|source| source.change(|state| state.rows.clone())).collect()
}

/// Counts what happened, so that a property which never meets what it is about fails too.
#[derive(Default)]
struct Seen {
    pages: Cell<usize>,
    short: Cell<usize>,
    excused: Cell<usize>,
    touched: Cell<usize>,
}

fn add(cell: &Cell<usize>, number: usize) {
    cell.set(cell.get() + number);
}

fn run(name: &str, troubled: bool, changing: bool) -> Seen {
    let (seen, clockwork) = (Seen::default(), clockwork());
    property(name, 600, (world(), journey(troubled, changing)), |(world, journey)| {
        let sources = sources(&world, journey.limits);
        let before = all_rows(&sources);
        let walked = clockwork.block_on(walk(&sources, &journey));
        add(&seen.pages, walked.0.len());
        add(&seen.short, walked.0.iter().filter(|page| !page.short.is_empty()).count());
        add(&seen.touched, walked.1.len());
        add(&seen.excused, kept_its_promise(&before, &journey, &walked)?);
        Ok(())
    });
    seen
}

#[test]
fn quotas_bounds_and_old_copies_cost_only_what_the_reports_name() {
    let seen = run("quotas", false, false);
    assert!(seen.pages.get() > 2_000 && seen.short.get() > 200 && seen.excused.get() > 100);
}

#[test]
fn a_source_in_trouble_costs_its_rows_of_those_pages_and_nothing_else() {
    let seen = run("troubles", true, false);
    assert!(seen.pages.get() > 2_000 && seen.short.get() > 400 && seen.excused.get() > 300);
}

#[test]
fn rows_that_stay_are_met_once_while_others_come_go_and_change() {
    let seen = run("changes", false, true);
    assert!(seen.pages.get() > 2_000 && seen.touched.get() > 1_000);
}

#[test]
fn rows_that_stay_are_met_once_while_sources_change_and_fail() {
    let seen = run("changes and troubles", true, true);
    assert!(seen.short.get() > 400 && seen.touched.get() > 1_000);
}
