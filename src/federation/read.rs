//! One source's part of a page: plan, read, report. A failure stays inside its report.

use super::{
    cursor::{Mark, Place},
    list::IncidentQuery,
    merge::{Entry, Run},
    outcome::SourceReport,
    plan::{Route, SourcePlan},
    prepare::{Prepared, prepare},
    scan::{Scan, Scanner, by_ids},
    seek::Reader,
    snapshot::{Asking, View},
};
use crate::{
    domain::{CountPrecision, Key, NativeId, SourceName, Time},
    source::{Call, Source, SourceError},
};
use rustc_hash::FxHashSet;

/// After so many rows that did not fill a page all are read, where that is allowed. Arbitrary: ten pages of most sources.
const FEW_PASS: usize = 1_000;

/// What one source adds to a page.
pub(super) struct Part {
    pub(super) report: SourceReport,
    pub(super) run: Run,
    /// How many rows of the source lie before the page: what the cursor says if the page takes none of its rows.
    pub(super) start: u64,
    /// How exact the report's total is.
    pub(super) precision: CountPrecision,
    /// The copy that the rows are from. Held until every source has answered: where not all copies have room, the last one
    /// is cut short. Else they would push each other out and all be read again for every page.
    _held: Option<View>,
    /// The source gave fewer rows at once than the page may take, and was not asked for the rest.
    pub(super) short: bool,
}

/// Who knows how many rows there are.
#[derive(Clone, Copy)]
enum Known {
    /// The source, as exactly as it promises.
    Source(CountPrecision),
    /// Nobody but who reads them all: the gateway leaves some out.
    Rows,
}

/// What one request asks every source.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) query: &'a IncidentQuery,
    pub(super) place: Option<&'a Place>,
    pub(super) scanner: Scanner<'a>,
    /// How many rows of a source that sorts are enough at first: of many sources none gives the whole page.
    pub(super) enough: usize,
}

/// Rows of one source, before the report is complete.
struct Rows {
    run: Run,
    start: u64,
    total: Option<u64>,
    precision: CountPrecision,
    truncated: bool,
    malformed: u32,
    restricted: Vec<NativeId>,
    error: Option<SourceError>,
    /// When reading began, of rows that were read for others too.
    read_at: Option<Time>,
    held: Option<View>,
    short: bool,
}

impl Reading<'_> {
    /// Asks one source. `call` counts for it alone.
    pub(super) async fn part(self, source: &dyn Source, call: &Call) -> Part {
        let mut report = SourceReport::new(&source.info().name);
        let start = self.place.map_or(0, |place| place.offset(&source.info().name));
        let (run, precision) = (Run::default(), CountPrecision::Exact);
        let mut part = Part { report: report.clone(), run, start, precision, _held: None, short: false };
        let mut read_at = None;
        match self.rows(source, call, &mut report).await {
            Ok(Some(rows)) => {
                (read_at, part._held, part.short) = (rows.read_at, rows.held, rows.short);
                (part.run, part.start, part.precision) = (rows.run, rows.start, rows.precision);
                report.total = rows.total;
                report.truncated = rows.truncated;
                report.malformed = rows.malformed;
                report.restricted_ids = distinct(rows.restricted);
                if let Some(error) = rows.error {
                    report.fail(error);
                    part.precision = CountPrecision::LowerBound;
                }
            }
            Ok(None) => {}
            Err(error) => {
                report.fail(error);
                part.precision = CountPrecision::LowerBound;
            }
        }
        report.measure(call);
        report.read_at(read_at);
        part.report = report;
        part
    }

    /// None: the source is skipped, as the report says.
    async fn rows(
        self,
        source: &dyn Source,
        call: &Call,
        report: &mut SourceReport,
    ) -> Result<Option<Rows>, SourceError> {
        let (plan, capabilities) = match prepare(source, call, &self.query.filter, Some(self.query.order)).await? {
            Prepared::Skip(reason) => {
                report.skip(reason);
                return Ok(None);
            }
            Prepared::Plan(plan, capabilities) => (plan, capabilities),
        };
        report.filtered_by_source.clone_from(&plan.by_source);
        report.filtered_by_gateway.clone_from(&plan.by_gateway);
        let name = &source.info().name;
        let asking = self.scanner.planned(source, call, &plan, &capabilities, self.query.want);
        let rows = match &plan.route {
            Route::ByIds(ids) => self.sorted(name, by_ids(source, call, ids, &plan.residual, self.query.want).await?),
            Route::Ask => match self.ask(asking, &plan).await? {
                Some(rows) => rows,
                None => self.copied(asking, &plan).await?,
            },
            Route::Scan => self.copied(asking, &plan).await?,
        };
        Ok(Some(rows))
    }

    /// Rows of which all are read, once for everybody.
    async fn copied(self, asking: Asking<'_>, plan: &SourcePlan) -> Result<Rows, SourceError> {
        let view = self.scanner.rows(asking).await?;
        Ok(self.of_copy(&asking.source.info().name, view, plan))
    }

    /// Rows that the source sorts itself, from the place on. None where it is better to have all of them: for a count over
    /// all pages, which the source cannot make where the gateway filters; where they are there already; and where so few
    /// pass the filter that every page would read most of them.
    async fn ask(self, asking: Asking<'_>, plan: &SourcePlan) -> Result<Option<Rows>, SourceError> {
        let Asking { source, call, capabilities, .. } = asking;
        let (first, filters) = (self.query.first.rows(), plan.filters_here());
        if filters && (self.query.want_total || self.scanner.keeps(&asking)) {
            return Ok(None);
        }
        let mut reader = Reader {
            source,
            call,
            tests: asking.tests.to_vec(),
            order: self.query.order,
            want: asking.want,
            max_page_size: capabilities.list.max_page_size.max(1),
            malformed: 0,
            total: None,
            capped: false,
            restricted: Vec::new(),
        };
        let mut mark: Option<Mark> = self.place.map(|place| place.mark.clone());
        let mut hint = self.place.map_or(0, |place| place.offset(&source.info().name));
        let (mut run, mut start, mut seen) = (Run::default(), None, FxHashSet::<Key>::default());
        let (mut scanned, mut window, mut truncated, mut short) = (0, first.saturating_mul(2), false, false);
        loop {
            let left = self.scanner.limit.saturating_sub(scanned).max(1);
            let wanted = if filters { window.min(left) } else { first - run.rows.len() };
            let slice = reader.after(mark.as_ref(), hint, wanted).await?;
            scanned += slice.rows.len();
            let begin = slice.rows.first().map_or(slice.end, |row| row.end - 1);
            start.get_or_insert(begin);
            let last = slice.rows.last().map(|row| row.position.clone());
            // An incident that moved between two windows is met twice.
            let fresh = slice.rows.into_iter().filter(|row| seen.insert(row.position.key.clone()));
            run.rows.extend(fresh.filter(|row| !filters || plan.residual.matches(&row.incident)));
            hint = slice.end;
            run.rest = last.filter(|_| slice.more);
            let Some(last) = run.rest.clone() else { break };
            // Where the gateway filters, only a row too many tells that there is a next page.
            let bounded = filters && scanned >= self.scanner.limit;
            if bounded || run.rows.len() >= first + usize::from(filters) {
                truncated = bounded && run.rows.len() < first;
                break;
            }
            if !filters && run.rows.len() >= self.enough {
                short = true;
                break;
            }
            let all = reader.total.filter(|_| !reader.capped);
            if filters && scanned >= FEW_PASS && all.is_some_and(|all| all <= self.scanner.limit as u64) {
                return Ok(None);
            }
            mark = Some(Mark::new(last));
            window = window.saturating_mul(4);
        }
        let known = if filters { Known::Rows } else { Known::Source(capabilities.list.total) };
        let (total, precision) = self.total(&reader, &run, hint, known);
        let start = start.unwrap_or_default();
        let Reader { malformed, restricted, .. } = reader;
        let (error, read_at, held) = (None, None, None);
        Ok(Some(Rows { run, start, total, precision, truncated, malformed, restricted, error, read_at, held, short }))
    }

    /// How many rows there are on all pages, as far as is known. `end` lies behind the last one read.
    fn total(self, reader: &Reader<'_>, run: &Run, end: u64, known: Known) -> (Option<u64>, CountPrecision) {
        let (from_start, read) = (self.place.is_none(), run.rows.len() as u64);
        match (known, reader.total) {
            (Known::Source(_), Some(total)) if reader.capped => (Some(total), CountPrecision::LowerBound),
            (Known::Source(precision), Some(total)) => (Some(total), precision),
            (Known::Source(_), None) if run.rest.is_none() => (Some(end), CountPrecision::Exact),
            _ if run.rest.is_none() && from_start => (Some(read), CountPrecision::Exact),
            _ if from_start => (Some(read), CountPrecision::LowerBound),
            _ => (None, CountPrecision::Unknown),
        }
    }

    /// Rows that were read whole: sorted here, from the place on.
    fn sorted(self, name: &SourceName, scan: Scan) -> Rows {
        let order = self.query.order;
        let total = scan.incidents.len() as u64;
        let mut rows: Vec<Entry> = scan
            .incidents
            .into_iter()
            .map(|incident| Entry { position: order.position(&incident), incident, end: 0 })
            .collect();
        rows.sort_unstable_by(|a, b| order.compare(&a.position, &b.position));
        rows.iter_mut().zip(1..).for_each(|(row, number)| row.end = number);
        let mut start = 0;
        if let Some(place) = self.place {
            let offset = place.offset(name);
            start = rows.partition_point(|row| !place.mark.precedes(order, row, offset));
            rows.drain(..start);
        }
        // One more than fits tells that there is a next page.
        rows.truncate(self.query.first.rows() + 1);
        let precision = if scan.truncated { CountPrecision::LowerBound } else { CountPrecision::Exact };
        Rows {
            run: Run { rows: rows.into(), rest: None },
            start: start as u64,
            total: Some(total),
            precision,
            truncated: scan.truncated,
            malformed: scan.malformed,
            restricted: scan.restricted,
            error: scan.error,
            read_at: scan.read_at,
            held: None,
            short: false,
        }
    }

    /// Rows of a copy, from the place on. Numbers count all its rows, so that they hold whatever the gateway filters.
    fn of_copy(self, name: &SourceName, view: View, plan: &SourcePlan) -> Rows {
        let (order, rows) = (self.query.order, view.copy.rows());
        let sorted = view.copy.sorted(order);
        let entry = |number: usize| {
            let incident = rows[sorted[number] as usize].clone();
            Entry { position: order.position(&incident), incident, end: number as u64 + 1 }
        };
        let start = self.place.map_or(0, |place| {
            let offset = place.offset(name);
            first_not(sorted.len(), |number| !place.mark.precedes(order, &entry(number), offset))
        });
        let matches = |number: &usize| plan.residual.matches(&rows[sorted[*number] as usize]);
        // One more than fits tells that there is a next page.
        let run = (start..sorted.len()).filter(matches).take(self.query.first.rows() + 1).map(entry).collect();
        let counted = match plan.filters_here() {
            false => Some(rows.len()),
            true if self.query.want_total => Some((0..sorted.len()).filter(matches).count()),
            true => None,
        };
        let precision = match (counted, view.truncated) {
            (None, _) => CountPrecision::Unknown,
            (_, true) => CountPrecision::LowerBound,
            (_, false) => CountPrecision::Exact,
        };
        Rows {
            run: Run { rows: run, rest: None },
            start: start as u64,
            total: counted.map(|counted| counted as u64),
            precision,
            truncated: view.truncated,
            malformed: view.malformed,
            restricted: view.restricted.clone(),
            error: None,
            read_at: Some(view.begun),
            held: Some(view),
            short: false,
        }
    }
}

/// The first number below `end` for which `before` does not hold; it holds for all that come before one for which it does.
fn first_not(end: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low.midpoint(high);
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// Pages that overlap name the same ids.
fn distinct(mut ids: Vec<NativeId>) -> Vec<NativeId> {
    ids.sort_unstable();
    ids.dedup();
    ids
}
