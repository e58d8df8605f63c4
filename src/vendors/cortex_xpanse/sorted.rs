//! Lists sorted by a time: the server's own, with ties put in our order and with what tells no time at the end.
//!
//! It is not documented how the server sorts ties, nor rows without a time, which any row may be. As long as none such has been
//! seen, the server's list is taken as it is: one call a page, and one more at the end of a longer list. From then on rows with a
//! time are asked for by a filter, which the others cannot pass; these are found by reading everything, once the page
//! comes to them. Offsets then count the rows with a time first.

use super::client::WINDOW;
use super::incidents::{Incidents, MOST_COUNTED, OPERATION, Page, Rest};
use super::query::{Sort, SortKey};
use super::window::{Placed, Settled, Tie, View, sort_ties};
use crate::{
    domain::{Incident, Rows},
    source::{ListRequest, SourceError, SourceErrorKind, Want},
};
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Rows that are read beyond those asked for, on either side, to see where a tie begins and ends; arbitrary. A longer tie
/// costs two calls more, and two for each further hundred rows.
const MARGIN: u64 = 8;

/// By what the source was seen to sort incidents that do not tell it. Nobody is shown this, so all callers share it.
#[derive(Default)]
pub(super) struct Undated(Mutex<BTreeSet<SortKey>>);

impl Undated {
    fn seen(&self, key: SortKey) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    fn saw(&self, key: SortKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }
}

/// Whom a list is read for.
struct Listing<'a> {
    filters: &'a [Value],
    sort: Sort,
    request: &'a ListRequest,
}

impl Listing<'_> {
    /// Rows that a page needs: whoever walks the list goes on from the last row, which comes again; so there must be one
    /// behind it.
    fn enough(&self) -> usize {
        self.request.limit.min(2)
    }

    /// The page, and a little more on either side.
    fn window(&self) -> Range<u64> {
        let before = self.request.offset.min(MARGIN);
        let from = self.request.offset - before;
        from..from + (before + self.request.limit as u64 + MARGIN).min(WINDOW as u64)
    }
}

impl Incidents<'_> {
    /// A page of a list that is sorted by a time.
    pub(super) async fn sorted(
        &self,
        filters: &[Value],
        sort: Sort,
        request: &ListRequest,
    ) -> Result<Rows<Arc<Incident>>, SourceError> {
        let listing = Listing { filters, sort, request };
        if !self.client.undated.seen(sort.key) {
            if let Some(rows) = self.all_dated(&listing).await? {
                return Ok(rows);
            }
            self.client.undated.saw(sort.key);
        }
        self.dated_first(&listing).await
    }

    /// The page as the server's list has it; none if some row tells no time.
    async fn all_dated(&self, listing: &Listing<'_>) -> Result<Option<Rows<Arc<Incident>>>, SourceError> {
        let Listing { filters, sort, request } = *listing;
        let window = listing.window();
        let mut page = self.window(filters, sort, window.clone(), request.want).await?;
        let mut undated = page.rows.iter().any(Placed::is_undated);
        if page.rest == Rest::None && window.start > 0 {
            // The end of the list is in view; its beginning may not have been looked at.
            let first = self.page(filters, sort, 0..1, Want::default()).await?;
            undated |= first.rows.iter().any(Placed::is_undated);
        }
        if undated {
            return Ok(None);
        }
        let settled = self.settled(listing, window.start, &mut page).await?;
        Ok(Some(page.given(settled.rows, settled.more)))
    }

    /// The page where the rows without a time are put last, by id.
    async fn dated_first(&self, listing: &Listing<'_>) -> Result<Rows<Arc<Incident>>, SourceError> {
        let Listing { filters, sort, request } = *listing;
        let dated: Vec<Value> = filters.iter().cloned().chain([sort.dated()]).collect();
        let with_time = Listing { filters: &dated, sort, request };
        let window = with_time.window();
        let mut page = self.window(&dated, sort, window.clone(), request.want).await?;
        let Settled { mut rows, more, .. } = self.settled(&with_time, window.start, &mut page).await?;
        let (mut consumed, mut more) = (rows.len(), more);
        // A time that only the server understands lets its row pass the filter; it comes with the others that have none.
        rows.retain(|row| row.incident.as_ref().is_none_or(|incident| sort.moment(incident).is_some()));
        if more || consumed >= request.limit {
            // How many come behind these is known only at their end.
            let mut given = page.given(rows, true);
            (given.consumed, given.capped) = (consumed, true);
            return Ok(given);
        }
        let (mut undated, others): (Vec<Placed>, Vec<Placed>) =
            self.whole(filters, sort, request.want).await?.into_iter().partition(Placed::is_undated);
        sort_ties(&mut undated);
        let at = request.offset + consumed as u64;
        let begin = match (consumed, others.len() as u64) {
            (0, counted) if page.total == Some(counted) => counted,
            (0, _) => self.end(&with_time, at).await?,
            _ => at,
        };
        let skipped = usize::try_from(at.saturating_sub(begin)).unwrap_or(usize::MAX).min(undated.len());
        let taken = (request.limit - consumed).min(undated.len() - skipped);
        more = skipped + taken < undated.len();
        page.total = Some((undated.len() + others.len()) as u64);
        rows.extend(undated.drain(skipped..skipped + taken));
        consumed += taken;
        let mut given = page.given(rows, more);
        given.consumed = consumed;
        Ok(given)
    }

    /// How many rows the list has, where there is none at `high`; for a server that counts otherwise.
    async fn end(&self, listing: &Listing<'_>, mut high: u64) -> Result<u64, SourceError> {
        let mut low = 0;
        while low < high {
            let middle = low + (high - low) / 2;
            let page = self.page(listing.filters, listing.sort, middle..middle + 1, Want::default()).await?;
            if page.rows.is_empty() { high = middle } else { low = middle + 1 }
        }
        Ok(low)
    }

    /// The rows of a window that begins at `from`, from the page's first on, as far as the page goes.
    async fn settled(&self, listing: &Listing<'_>, from: u64, page: &mut Page) -> Result<Settled, SourceError> {
        let request = listing.request;
        let view = View { rows: std::mem::take(&mut page.rows), from, more: page.rest == Rest::Some };
        let mut settled = view.clone().settle(request.offset, request.limit);
        while let Some(tie) = settled.tie.filter(|_| settled.rows.len() < listing.enough()) {
            let left = request.limit - settled.rows.len();
            let at = request.offset + settled.rows.len() as u64;
            let tied = self.tied(listing, tie, at).await?;
            settled.rows.extend(tied.into_iter().take(left));
            let at = request.offset + settled.rows.len() as u64;
            let behind = view.clone().settle(at, request.limit - settled.rows.len());
            settled.rows.extend(behind.rows);
            (settled.tie, settled.more) = (behind.tie, behind.more);
        }
        Ok(settled)
    }

    /// Rows from `at` on, at least one, of a tie of which not all is in view: all of it is read.
    async fn tied(&self, listing: &Listing<'_>, tie: Tie, at: u64) -> Result<Vec<Placed>, SourceError> {
        let Listing { filters, sort, request } = *listing;
        let of_moment: Vec<Value> = filters.iter().cloned().chain(sort.at(tie.moment)).collect();
        let mut tied = self.whole(&of_moment, sort, request.want).await?;
        tied.retain(|row| row.incident.is_none() || row.moment == Some(tie.moment));
        if tied.is_empty() {
            return Err(self.moved());
        }
        sort_ties(&mut tied);
        let start = match tie.start {
            Some(start) => start,
            None => self.start(listing, tie.moment, at, tied.len()).await?,
        };
        // The list may have moved between the calls; with a row too many, the reader sees that.
        let skipped = usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
        Ok(tied.split_off(skipped.min(tied.len() - 1)))
    }

    /// How many rows stand before a tie of so many, one of which stands at `at`.
    async fn start(&self, listing: &Listing<'_>, moment: i64, at: u64, length: usize) -> Result<u64, SourceError> {
        let from = at.saturating_sub(length as u64 - 1);
        let windows = (from..at).step_by(WINDOW).map(async |start| {
            let window = start..(start + WINDOW as u64).min(at);
            let page = self.page(listing.filters, listing.sort, window, Want::default()).await?;
            let first = page.rows.iter().position(|row| row.moment == Some(moment));
            Ok(first.map(|place| start + place as u64))
        });
        let found: Vec<Option<u64>> = join_all(windows).await.into_iter().collect::<Result<_, SourceError>>()?;
        Ok(found.into_iter().flatten().next().unwrap_or(at))
    }

    /// All rows that pass the filters, each once, in the order that lists without one have; with the moments that `sort`
    /// sorts by. As many calls as there are windows, at the same time as far as the total tells.
    async fn whole(&self, filters: &[Value], sort: Sort, want: Want) -> Result<Vec<Placed>, SourceError> {
        let (mut rows, mut seen, mut at, mut total) = (Vec::new(), HashSet::new(), 0, 0);
        loop {
            let starts = (at..total.max(at + 1)).step_by(WINDOW);
            let windows = starts.map(|from| self.page(filters, self.client.unsorted, from..from + WINDOW as u64, want));
            let (mut rest, known) = (Rest::None, rows.len());
            for page in join_all(windows).await {
                let page = page?;
                total = total.max(page.total.unwrap_or_default());
                at += WINDOW as u64;
                rest = page.rest;
                rows.extend(page.rows.into_iter().filter(|row| row.id().is_none_or(|id| seen.insert(id.clone()))));
            }
            let more = rest != Rest::None && rows.len() > known;
            if total >= MOST_COUNTED || (more && at >= MOST_COUNTED) {
                return Err(self.too_many());
            }
            if !more {
                break;
            }
        }
        if self.client.unsorted.key != SortKey::Id && rows.len() > WINDOW && (rows.len() as u64) < total {
            // Rows of one moment changed places between the windows.
            return Err(self.too_many());
        }
        for row in &mut rows {
            row.moment = row.incident.as_ref().and_then(|incident| sort.moment(incident));
        }
        Ok(rows)
    }

    fn moved(&self) -> SourceError {
        let name = &self.client.source;
        let text = format!("The list of the source “{name}” changes faster than it can be read.");
        SourceError::new(SourceErrorKind::Unavailable, name, OPERATION, text)
    }

    fn too_many(&self) -> SourceError {
        let name = &self.client.source;
        let text = format!(
            "The source “{name}” has more incidents of one moment, or without a time, than it can put in order. Narrow              the filter, sort by something else, or set undocumented.sorts_by_time to false."
        );
        SourceError::new(SourceErrorKind::Unsupported, name, OPERATION, text)
    }
}
