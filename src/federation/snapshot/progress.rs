//! Where the reader of a copy stands, and which pages come next.

use super::reader::Asking;
use crate::source::ListRequest;

/// How many pages are asked for at the same time, once it is known how many there are.
const PAGES_AT_ONCE: u64 = 4;

/// Where the reader stands.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) offset: u64,
    /// As the last page told it.
    pub(super) total: Option<u64>,
    /// Offsets past which rows may have moved up unread, when others before them went. They are read again at the end.
    missed: Option<(u64, u64)>,
    /// Where reading again ends.
    pub(super) until: Option<u64>,
    /// Pages in a row that brought nothing new.
    pub(super) idle: u32,
}

impl Progress {
    /// Enters a page that began at an offset; whether there is nothing left to read.
    pub(super) fn enter(&mut self, begin: u64, consumed: u64, total: Option<u64>, more: bool) -> bool {
        let gone = self.total.zip(total).map_or(0, |(before, now)| before.saturating_sub(now));
        if gone > 0 {
            let (start, end) = self.missed.unwrap_or((begin, begin));
            self.missed = Some((start.min(begin).saturating_sub(gone), end.max(begin)));
        }
        self.total = total;
        self.offset = begin + consumed;
        if more && self.until.is_none_or(|until| self.offset < until) {
            return false;
        }
        let Some((start, end)) = self.missed.take() else { return true };
        (self.offset, self.until) = (start, Some(end));
        false
    }
}

/// How far may be read. Whoever has no more rows than allowed is read to the end, which some tell only a few rows later.
pub(super) fn bound(total: Option<u64>, asking: &Asking<'_>) -> u64 {
    let (limit, page) = (asking.limit as u64, asking.capabilities.list.max_page_size as u64);
    if total.is_some_and(|total| total <= limit) { limit.saturating_add(page) } else { limit }
}

/// The requests for the next pages: several at once where the total says that there are so many.
pub(super) fn next_pages(progress: &Progress, asking: &Asking<'_>, most: u64, longest: u64) -> Vec<ListRequest> {
    let size = (asking.capabilities.list.max_page_size as u64).clamp(1, longest);
    let limit = asking.limit as u64;
    let end = progress.until.or(progress.total);
    let left = end.map_or(1, |end| end.saturating_sub(progress.offset).div_ceil(size));
    let offsets = (0..left.clamp(1, PAGES_AT_ONCE).min(most)).map(|page| progress.offset + page * size);
    // The first is asked for in any case: whoever reads on finds out that way whether there is more.
    let within = offsets.filter(|offset| *offset == progress.offset || *offset < limit);
    let request = |offset: u64| ListRequest {
        tests: asking.tests.to_vec(),
        order: None,
        offset,
        limit: usize::try_from(size.min(limit.saturating_sub(offset)).max(1)).unwrap_or(1),
        want: asking.want,
    };
    within.map(request).collect()
}
