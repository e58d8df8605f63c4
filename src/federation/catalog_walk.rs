//! One source's part of a catalog page.

use super::{
    catalog::{CatalogQuery, Place},
    outcome::SourceReport,
    scan::Scanner,
};
use crate::{
    domain::{CountPrecision, Record, Rows},
    source::{Call, Capabilities, CatalogRequest, Source, SourceError},
};

const LIST_RECORDS: &str = "list records";
/// How far around its old place the last row of a page is looked for, in rows. Arbitrary: a catalog moves little.
const NEARBY: u64 = 100;

/// What one source adds to a page.
pub(super) struct Part {
    pub(super) report: SourceReport,
    /// Each with the offset behind it.
    pub(super) rows: Vec<(Record, u64)>,
    pub(super) more: bool,
    pub(super) precision: CountPrecision,
}

/// One source's catalog being read.
struct Walk<'a> {
    source: &'a dyn Source,
    call: &'a Call,
    query: &'a CatalogQuery,
    scan_limit: usize,
    max_page_size: usize,
    rows: Vec<(Record, u64)>,
    /// Of the rows read, those that match.
    matched: u64,
    /// As the last page told it.
    total: Option<u64>,
    read: usize,
    malformed: u32,
}

/// Asks one source. `call` counts for it alone.
pub(super) async fn part(
    source: &dyn Source,
    call: &Call,
    query: &CatalogQuery,
    scanner: Scanner<'_>,
    place: Option<&Place>,
) -> Part {
    let capabilities = source.capabilities(call).await;
    let (listed, told) = (&capabilities.catalog, &capabilities.embedded);
    if !listed.contains(&query.kind) && told.contains(&query.kind) {
        return told_part(source, call, &capabilities, query, scanner, place).await;
    }
    let scan_limit = scanner.limit;
    let mut report = SourceReport::new(&source.info().name);
    let mut walk = Walk {
        source,
        call,
        query,
        scan_limit,
        max_page_size: capabilities.list.max_page_size.max(1),
        rows: Vec::new(),
        matched: 0,
        total: None,
        read: 0,
        malformed: 0,
    };
    let (mut more, mut precision) = (false, CountPrecision::Exact);
    if capabilities.catalog.contains(&query.kind) {
        match walk.walk(place).await {
            Ok(rest) => {
                more = rest;
                report.truncated = rest && query.filters() && walk.read >= scan_limit;
                (report.total, precision) = walk.counted(place.is_none(), rest);
            }
            Err(error) => {
                walk.rows.clear();
                precision = CountPrecision::LowerBound;
                report.fail(error);
            }
        }
    } else {
        report.skip("This source has no list of such records.".into());
    }
    report.malformed = walk.malformed;
    report.measure(call);
    Part { report, rows: walk.rows, more, precision }
}

/// The part of a source that tells such records in its incidents only: those of the incidents that may be read, by id.
async fn told_part(
    source: &dyn Source,
    call: &Call,
    capabilities: &Capabilities,
    query: &CatalogQuery,
    scanner: Scanner<'_>,
    place: Option<&Place>,
) -> Part {
    let name = &source.info().name;
    let mut report = SourceReport::new(name);
    let (mut rows, mut more, mut precision, mut read_at) = (Vec::new(), false, CountPrecision::Exact, None);
    match scanner.records(source, call, capabilities, query.kind, query.want).await {
        Ok(view) => {
            let all = view.copy.records(query.kind);
            let start = match place {
                // All of it came before.
                Some(place) if *name < place.source => all.len(),
                Some(place) if *name == place.source => all.partition_point(|row| row.key().native <= place.last),
                _ => 0,
            };
            let matches = |record: &&Record| query.matches(record);
            let mut rest = all.iter().zip(1..).skip(start).filter(|(record, _)| matches(record));
            let first = rest.by_ref().take(query.first.rows());
            rows = first.map(|(record, end)| (record.clone(), end)).collect();
            more = rest.next().is_some();
            report.total = Some(all.iter().filter(matches).count() as u64);
            (report.truncated, report.malformed, read_at) = (view.truncated, view.malformed, Some(view.begun));
        }
        Err(error) => report.fail(error),
    }
    if report.truncated || report.error.is_some() {
        precision = CountPrecision::LowerBound;
    }
    report.measure(call);
    report.read_at(read_at);
    Part { report, rows, more, precision }
}

impl Walk<'_> {
    /// Reads what the page needs of this source; whether there are rows after that.
    async fn walk(&mut self, place: Option<&Place>) -> Result<bool, SourceError> {
        let name = &self.source.info().name;
        let count_all = self.query.filters() && self.query.want_total;
        let (start, mut ahead) = match place {
            // All of it came before.
            Some(place) if *name < place.source => {
                if !self.query.want_total {
                    return Ok(false);
                }
                if !count_all {
                    self.page(0, 1).await?;
                    return Ok(false);
                }
                (u64::MAX, None)
            }
            Some(place) if *name == place.source => self.locate(place).await?,
            _ => (0, None),
        };
        let first = self.query.first.rows();
        let mut offset = start;
        let mut window = if self.query.filters() { first * 2 } else { first };
        if count_all {
            (offset, ahead, window) = (0, None, self.max_page_size);
        }
        loop {
            let (base, page) = match ahead.take() {
                Some(ahead) => ahead,
                None => (offset, self.page(offset, window).await?),
            };
            offset = base + page.consumed as u64;
            self.read += page.consumed;
            for (record, end) in page.items.into_iter().zip(base + 1..) {
                if self.query.matches(&record) {
                    self.matched += 1;
                    if end > start {
                        self.rows.push((record, end));
                    }
                }
            }
            let enough = self.rows.len() >= first && !count_all;
            if !page.more || enough || (self.query.filters() && self.read >= self.scan_limit) {
                return Ok(page.more);
            }
            window = if self.query.filters() { window.saturating_mul(4) } else { first - self.rows.len() };
        }
    }

    /// Where the rows after the last page begin, with rows read on the way. The page is read from its last row on: if
    /// that is another one now, rows have come or gone, and it is looked for nearby. A last row that is gone itself
    /// leaves its offset.
    async fn locate(&mut self, place: &Place) -> Result<(u64, Option<(u64, Rows<Record>)>), SourceError> {
        let last = |page: &Rows<Record>| page.items.iter().position(|record| record.key().native == place.last);
        let at = place.end.saturating_sub(1);
        let page = self.page(at, self.query.first.rows() + 1).await?;
        if let Some(index) = last(&page) {
            return Ok((at + index as u64 + 1, Some((at, page))));
        }
        let near = at.saturating_sub(NEARBY);
        let around = self.page(near, 2 * NEARBY as usize + 1).await?;
        Ok((last(&around).map_or(place.end, |index| near + index as u64 + 1), None))
    }

    async fn page(&mut self, offset: u64, limit: usize) -> Result<Rows<Record>, SourceError> {
        let request = CatalogRequest {
            kind: self.query.kind,
            offset,
            limit: limit.min(self.max_page_size),
            want: self.query.want,
            search: self.query.search.clone(),
        };
        let page = self.source.catalog(self.call, &request).await?;
        if page.more && page.consumed == 0 {
            let what = "without the rows that it had promised";
            return Err(SourceError::malformed(&self.source.info().name, LIST_RECORDS, what));
        }
        self.malformed = self.malformed.saturating_add(page.malformed);
        self.total = page.total;
        Ok(page)
    }

    /// How many rows match on all pages.
    fn counted(&self, from_start: bool, rest: bool) -> (Option<u64>, CountPrecision) {
        let whole = self.query.filters() && (self.query.want_total || (from_start && !rest));
        match (self.query.filters(), self.total) {
            (false, Some(total)) => (Some(total), CountPrecision::Exact),
            _ if whole && rest => (Some(self.matched), CountPrecision::LowerBound),
            _ if whole => (Some(self.matched), CountPrecision::Exact),
            (false, None) if from_start && !rest => (Some(self.read as u64), CountPrecision::Exact),
            _ => (None, CountPrecision::Unknown),
        }
    }
}
