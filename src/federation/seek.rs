//! Reading one source by offset so that a page goes on where the last one ended, by position.
//!
//! Between two pages rows come and go, and every offset behind them moves. So a page is read from one row earlier: if
//! that row is still at or before the mark and the next one after it, nothing moved. If not, the right place is looked
//! for, forward or backward in steps that double, then by halving. An untouched row is never given twice, never left out.

use super::{
    cursor::Mark,
    merge::{Entry, OutOfOrder, in_order},
};
use crate::{
    domain::{Incident, NativeId, Order, Rows, Test},
    source::{Call, ListRequest, Source, SourceError, SourceErrorKind, Want},
};
use std::sync::Arc;

/// What every list is called in errors.
pub(super) const LIST: &str = "list incidents";
/// How often the place is looked for in one page. A list of 2^30 rows takes about 60 steps.
const MAX_PROBES: usize = 80;

/// One source's sorted list.
pub(super) struct Reader<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) call: &'a Call,
    pub(super) tests: Vec<Test>,
    pub(super) order: Order,
    pub(super) want: Want,
    pub(super) max_page_size: usize,
    /// Counted over all pages read.
    pub(super) malformed: u32,
    /// As the last page told it.
    pub(super) total: Option<u64>,
    /// The source counts no further than to `total`.
    pub(super) capped: bool,
    /// Ids that the source named as existing but withheld.
    pub(super) restricted: Vec<NativeId>,
}

/// Consecutive rows of a source.
pub(super) struct Slice {
    pub(super) rows: Vec<Entry>,
    /// Offset behind the last row that was read.
    pub(super) end: u64,
    /// Whether rows come after these.
    pub(super) more: bool,
}

/// What is known of where the mark lies: rows below `low` are at or before it, rows from `high` on are after it.
struct Bracket {
    low: u64,
    high: Option<u64>,
    stride: u64,
}

impl Bracket {
    /// Where to look next, in pages of `wanted` rows and `overlap` more.
    fn next(&mut self, wanted: u64, overlap: u64, first_try: bool) -> u64 {
        let stride = self.stride;
        match self.high {
            // Rows have moved meanwhile: nothing known before holds any more.
            Some(high) if high < self.low => {
                (self.low, self.high) = (0, None);
                high.saturating_sub(1)
            }
            Some(high) if high - self.low <= wanted => self.low.saturating_sub(overlap),
            Some(high) => {
                self.stride = stride.saturating_mul(2);
                (self.low + (high - self.low) / 2).max(high.saturating_sub(stride))
            }
            None if first_try => self.low.saturating_sub(overlap),
            None => {
                self.stride = stride.saturating_mul(2);
                self.low.saturating_sub(overlap).saturating_add(stride)
            }
        }
    }
}

impl Reader<'_> {
    /// The rows right after the mark: at most `wanted`, perhaps fewer though there are more, but at least one if there is
    /// any. `hint` is the offset at which they are thought to begin.
    pub(super) async fn after(&mut self, mark: Option<&Mark>, hint: u64, wanted: usize) -> Result<Slice, SourceError> {
        let Some(mark) = mark else { return self.page(0, wanted).await };
        let overlap = usize::from(self.max_page_size > 1);
        let wanted = wanted.min(self.max_page_size - overlap);
        let mut bracket = Bracket { low: 0, high: None, stride: wanted as u64 };
        let mut at = hint.saturating_sub(overlap as u64);
        let mut doubted = Vec::new();
        for probe in 0..MAX_PROBES {
            // Where nothing was before, there is no row to begin one earlier with.
            let limit = if probe == 0 && hint == 0 { wanted } else { wanted + overlap };
            let mut page = self.page(at, limit).await?;
            let before = page.rows.partition_point(|row| !mark.precedes(self.order, row, hint));
            // A page that begins below `low`, yet after the mark: rows have moved up, or the one to begin with came broken. If
            // they had moved, looking again would not end at the same place.
            let doubtful = before == 0 && at < bracket.low;
            let broken = doubtful && doubted.contains(&at);
            if before == 0 && at > 0 && !broken && at != bracket.low {
                doubted.extend(doubtful.then_some(at));
                let end = self.total.filter(|_| !self.capped);
                bracket.high = Some(end.map_or(at, |total| at.min(total)));
            } else if before == page.rows.len() && page.more {
                bracket.low = bracket.low.max(page.end);
                // Pages by number end where they end, perhaps right behind the row to begin one earlier with: the same
                // page would come again and again.
                if page.end <= at.saturating_add(overlap as u64) {
                    at = page.end;
                    continue;
                }
            } else {
                page.rows.drain(..before);
                return Ok(page);
            }
            at = bracket.next(wanted as u64, overlap as u64, probe == 0);
        }
        let name = &self.source.info().name;
        let text = format!("The list of the source “{name}” changes faster than it can be read.");
        Err(SourceError::new(SourceErrorKind::Unavailable, name, LIST, text))
    }

    /// A page from an offset on; with a row at least, if there is any, however many broken ones come first.
    async fn page(&mut self, offset: u64, limit: usize) -> Result<Slice, SourceError> {
        let mut end = offset;
        for _ in 0..MAX_PROBES {
            let request = ListRequest {
                tests: self.tests.clone(),
                order: Some(self.order),
                offset: end,
                limit: limit.min(self.max_page_size).max(1),
                want: self.want,
            };
            let page = self.source.list(self.call, &request).await?;
            is_usable(self.source, &page)?;
            self.malformed = self.malformed.saturating_add(page.malformed);
            (self.total, self.capped) = (page.total, page.capped);
            self.restricted.extend(page.restricted);
            let numbered = page.items.into_iter().zip(end + 1..);
            let mut rows: Vec<Entry> = numbered
                .map(|(incident, end)| Entry { position: self.order.position(&incident), incident, end })
                .collect();
            in_order(self.order, &mut rows).map_err(|OutOfOrder| out_of_order(self.source))?;
            end += page.consumed as u64;
            if !rows.is_empty() || !page.more {
                return Ok(Slice { rows, end, more: page.more });
            }
        }
        Err(SourceError::malformed(&self.source.info().name, LIST, "with nothing but broken rows"))
    }
}

/// # Errors
/// A page that no list goes on after, or with rows that are not this source's.
pub(super) fn is_usable(source: &dyn Source, page: &Rows<Arc<Incident>>) -> Result<(), SourceError> {
    let name = &source.info().name;
    if page.more && page.consumed == 0 {
        return Err(SourceError::malformed(name, LIST, "without the rows that it had promised"));
    }
    if page.items.iter().any(|incident| incident.key.source != *name) {
        return Err(SourceError::malformed(name, LIST, "with rows of another source"));
    }
    Ok(())
}

fn out_of_order(source: &dyn Source) -> SourceError {
    SourceError::malformed(&source.info().name, LIST, "with rows out of the order that was asked for")
}
