//! Incidents: a page of the list, and details one call at a time.

use super::client::{Client, DETAIL, LIST, count};
use super::config::{Config, FirstIndex};
use super::detail;
use super::map::{Mapper, Notes};
use super::query::{NoQuery, Parameters, is_number, query};
use super::turns::Turns;
use super::wire::{IncidentRow, Page};
use crate::{
    domain::{Details, Incident, NativeId, Rows},
    source::{Call, DetailRequest, Found, ListRequest, SourceError, SourceErrorKind},
};
use futures_util::future::join_all;
use std::sync::Arc;

/// The longest page (published document).
pub(super) const MAX_PAGE_SIZE: usize = 100;

/// A page, in the server's own order.
pub(super) async fn list(
    client: &Client,
    mapper: &Mapper,
    config: &Config,
    call: &Call,
    request: &ListRequest,
) -> Result<Rows<Arc<Incident>>, SourceError> {
    let mut parameters = match query(&request.tests, &client.source, config) {
        Ok(parameters) => parameters,
        Err(NoQuery::NothingMatches) => return Ok(Rows { total: Some(0), ..Rows::default() }),
        Err(NoQuery::NotPossible) => return Err(not_possible(client)),
    };
    // No order is documented at all.
    if request.order.is_some() {
        return Err(not_possible(client));
    }
    let limit = request.limit.clamp(1, MAX_PAGE_SIZE);
    let filter = parameters.clone();
    parameters.extend(range(config.first_index, request.offset, limit));
    let page = client.page(call, parameters, request.want.raw).await?;
    let read = Read { client, call, first: config.first_index, offset: request.offset, limit };
    let more = read.more(&page, filter).await;
    let (sent, total) = (page.rows.sent, read.total(&page));
    let mut notes = Notes::default();
    let rows = page.rows.rows.into_iter();
    let items: Vec<Arc<Incident>> = rows.map(|(_, row, raw)| Arc::new(mapper.incident(row, raw, &mut notes))).collect();
    let malformed = client.tell(call, LIST, "incident", &notes).saturating_add(count(page.rows.broken.len()));
    Ok(Rows { items, total, more, consumed: sent, malformed, ..Rows::default() })
}

/// A page that was read, and what its counters are worth: a server may count wrongly, or not at all.
struct Read<'a> {
    client: &'a Client,
    call: &'a Call,
    first: FirstIndex,
    offset: u64,
    limit: usize,
}

impl Read<'_> {
    /// Rows up to the end of this page. If the list counts from 1, one row may have come twice.
    fn end(&self, sent: usize) -> (u64, u64) {
        let end = self.offset.saturating_add(sent as u64);
        (end, end - u64::from(self.first == FirstIndex::Unknown && self.offset > 0 && sent > 0))
    }

    /// How many rows there are, unless this page alone shows that it is more.
    fn total(&self, page: &Page<IncidentRow>) -> Option<u64> {
        page.total.filter(|total| *total >= self.end(page.rows.sent).1)
    }

    /// Whether rows come after a page. Where it is as long as pages get, the counters alone do not say that it is the last:
    /// the rows behind it are asked for.
    async fn more(&self, page: &Page<IncidentRow>, filter: Parameters) -> bool {
        let (sent, limit) = (page.rows.sent, self.limit as u64);
        let full = sent as u64 >= page.per_page.map_or(limit, |longest| longest.min(limit));
        let pages = page.total_pages.zip(page.per_page).filter(|(pages, _)| *pages > 1);
        let at_least = pages.map(|(pages, longest)| (pages - 1).saturating_mul(longest).saturating_add(1));
        match promise(self.end(sent), sent, page.total.max(at_least), full) {
            Promise::More => true,
            Promise::End => false,
            Promise::Doubtful => self.follows(page, filter).await,
        }
    }

    /// Whether the two rows behind a page are others than those of the page. What the counters say stands if that cannot be
    /// told.
    async fn follows(&self, page: &Page<IncidentRow>, mut filter: Parameters) -> bool {
        let offset = self.offset.saturating_add(page.rows.sent as u64);
        filter.extend(range(self.first, offset, 2));
        let Ok(next) = self.client.page(self.call, filter, false).await else { return false };
        let here = |row: &IncidentRow| page.rows.rows.iter().any(|(_, other, _)| other.incident_id == row.incident_id);
        next.rows.rows.iter().any(|(_, row, _)| !here(row))
    }
}

/// What a page says of rows behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Promise {
    More,
    End,
    /// The counters say that it is the last, its length that it need not be.
    Doubtful,
}

/// `end`: rows up to the end of the page if none was repeated, and if one was. `full`: it is as long as it may be.
fn promise((end, fewest): (u64, u64), sent: usize, total: Option<u64>, full: bool) -> Promise {
    match total {
        _ if sent == 0 => Promise::End,
        None if full => Promise::More,
        // A short page that ends where the list ends if it counts from 0: it does, and this is its end.
        Some(total) if fewest < total && (full || end != total) => Promise::More,
        Some(_) if full => Promise::Doubtful,
        None | Some(_) => Promise::End,
    }
}

/// The parameters for rows behind `offset` others.
fn range(first: FirstIndex, offset: u64, limit: usize) -> Parameters {
    let from = from(first, offset).map(|from| ("from", from.to_string()));
    from.into_iter().chain([("limit", limit.to_string())]).collect()
}

/// The index of the row after `offset` others; none for the first, which is what the server begins with by itself.
///
/// While it is not known whether the first row has index 0 or 1, `offset` itself is asked for: from 0 on that is the next
/// row, from 1 on the one before, which comes again and is known by its id. From then on the offset is one more than
/// rows were seen, and fits without another repetition. Either way no row is left out.
fn from(first: FirstIndex, offset: u64) -> Option<u64> {
    match (first, offset) {
        (_, 0) => None,
        (FirstIndex::Zero | FirstIndex::Unknown, offset) => Some(offset),
        (FirstIndex::One, offset) => Some(offset.saturating_add(1)),
    }
}

/// Details of many incidents: one call each, all at the same time; what is in flight at once is bounded below. Where the
/// quota does not reach for all, those come first that were not read yet.
pub(super) async fn details(
    client: &Client,
    mapper: &Mapper,
    turns: &Turns,
    call: &Call,
    request: &DetailRequest,
) -> Result<Found<Details>, SourceError> {
    let DetailRequest { parts, incidents, want } = request;
    let ids = turns.order(incidents.iter().filter(|id| has_path(id)));
    let made = call.context.tally.upstream_calls();
    let asked = join_all(ids.into_iter().map(async |id| (id, client.detail(call, id, want.raw).await))).await;
    let made = call.context.tally.upstream_calls() - made;
    let sent = asked.iter().take(usize::try_from(made).unwrap_or(usize::MAX));
    turns.note(sent.filter(|(_, answer)| answer.is_ok()).map(|(id, _)| *id));
    let mut found = Found::default();
    for (id, answer) in asked {
        match answer {
            Ok(Some(told)) => {
                let mut notes = Notes::default();
                let mut details = detail::details(mapper, id, told, *parts, &mut notes);
                details.malformed = client.tell(call, DETAIL, "incident detail", &notes);
                found.malformed = found.malformed.saturating_add(details.malformed);
                found.items.push((id.clone(), details));
            }
            Ok(None) => {}
            Err(error) => found.failed.push((id.clone(), error)),
        }
    }
    Ok(found)
}

/// Whether a detail is asked for: ids are numbers, but what a row tells is followed where it cannot lead elsewhere.
fn has_path(id: &NativeId) -> bool {
    let id = id.to_string();
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether this text can be the id of an incident, which is also what people call it.
pub(super) fn named(text: &str) -> Option<NativeId> {
    (!text.is_empty() && is_number(text)).then(|| NativeId::new(text))
}

fn not_possible(client: &Client) -> SourceError {
    let text = "The gateway planned a request that the source cannot answer.";
    SourceError::new(SourceErrorKind::Internal, &client.source, LIST, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks a list of `total` rows whose first row has the index `base`, of which the server tells `told`; rows that come
    /// again count once. Returns the rows that were seen and how many calls it took.
    fn walk(
        first: FirstIndex,
        base: u64,
        total: u64,
        told: Option<u64>,
        (limit, longest): (u64, u64),
    ) -> (Vec<u64>, usize) {
        let (mut seen, mut offset, mut calls) = (Vec::new(), 0, 0);
        let rows = |offset, count| {
            let start = from(first, offset).unwrap_or(base).saturating_sub(base);
            (start..total).take(count as usize).collect::<Vec<u64>>()
        };
        loop {
            let page = rows(offset, limit.min(longest));
            let (sent, full) = (page.len(), page.len() as u64 >= limit.min(longest));
            seen.extend(page.iter().filter(|row| !seen.contains(*row)).copied().collect::<Vec<_>>());
            calls += 1;
            let end = offset + sent as u64;
            let fewest = end - u64::from(first == FirstIndex::Unknown && offset > 0 && sent > 0);
            let more = match promise((end, fewest), sent, told, full) {
                Promise::More => true,
                Promise::End => false,
                Promise::Doubtful => {
                    calls += 1;
                    rows(end, 2).iter().any(|row| !page.contains(row))
                }
            };
            if !more {
                return (seen, calls);
            }
            offset = end;
            assert!(calls < 100, "{first:?} {base} {total} {limit}");
        }
    }

    const BASES: [(FirstIndex, u64); 4] =
        [(FirstIndex::Unknown, 0), (FirstIndex::Unknown, 1), (FirstIndex::Zero, 0), (FirstIndex::One, 1)];

    #[test]
    fn no_base_of_the_index_loses_a_row() {
        for (total, limit, longest) in (0..40).flat_map(|t| (1..12).flat_map(move |l| [(t, l, 3), (t, l, 50)])) {
            for (first, base) in BASES {
                let (seen, calls) = walk(first, base, total, Some(total), (limit, longest));
                assert_eq!(seen, (0..total).collect::<Vec<_>>(), "{first:?} {base} {total} {limit}");
                let fewest = total.div_ceil(limit.min(longest)).max(1) as usize;
                // One for an index that is not known, one to see that a full page is the last.
                assert!(calls <= fewest + 1 + usize::from(first == FirstIndex::Unknown), "{calls} {fewest}");
            }
        }
    }

    #[test]
    fn a_wrong_total_neither_ends_a_list_nor_keeps_it_going() {
        for (first, base) in BASES {
            for total in 0..30 {
                for told in (0..35).map(Some).chain([None]) {
                    let (seen, _) = walk(first, base, total, told, (5, 5));
                    assert_eq!(seen, (0..total).collect::<Vec<_>>(), "{first:?} {base} {total} {told:?}");
                }
            }
        }
    }
}
