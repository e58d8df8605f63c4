//! Incidents: a page of the list, and details one call at a time.

use super::client::{Client, DETAIL, LIST, count};
use super::config::{Config, FirstIndex};
use super::detail;
use super::map::{Mapper, Notes};
use super::query::{NoQuery, is_number, query};
use crate::{
    domain::{DetailPart, DetailParts, Details, Incident, NativeId, Rows},
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
    if let Some(from) = from(config.first_index, request.offset) {
        parameters.push(("from", from.to_string()));
    }
    parameters.push(("limit", limit.to_string()));
    let page = client.page(call, parameters, request.want.raw).await?;
    let (sent, total) = (page.rows.sent, page.total);
    let mut notes = Notes::default();
    let rows = page.rows.rows.into_iter();
    let mut items: Vec<Incident> = rows.map(|(_, row, raw)| mapper.incident(row, raw, &mut notes)).collect();
    let malformed = client.tell(call, LIST, "incident", &notes).saturating_add(count(page.rows.broken.len()));
    if request.want.assets {
        add_assets(client, mapper, call, &mut items).await?;
    }
    let items = items.into_iter().map(Arc::new).collect();
    let asked = page.per_page.map_or(limit as u64, |longest| longest.min(limit as u64));
    let more = more(config.first_index, request.offset, sent, total, sent as u64 >= asked);
    Ok(Rows { items, total, more, consumed: sent, malformed, ..Rows::default() })
}

/// Puts assets into rows, for a filter that looks at them. Only the detail tells them, so this costs a call for each row;
/// one that fails fails all, since a row without its assets would be left out in silence.
async fn add_assets(
    client: &Client,
    mapper: &Mapper,
    call: &Call,
    incidents: &mut [Incident],
) -> Result<(), SourceError> {
    let parts = DetailParts::default().with(DetailPart::Assets);
    let asked = incidents.iter_mut().filter(|incident| is_number(&incident.key.native.to_string()));
    let told = join_all(asked.map(async |incident| {
        let Some(told) = client.detail(call, &incident.key.native, false).await? else { return Ok(()) };
        let mut notes = Notes::default();
        let details = detail::details(mapper, &incident.key.native, told, parts, &mut notes);
        client.tell(call, DETAIL, "incident detail", &notes);
        incident.assets = details.assets.as_deref().cloned().unwrap_or_default();
        incident.embedded.extend(details.embedded.iter().cloned());
        incident.told = Some(Arc::new(details));
        Ok(())
    }));
    told.await.into_iter().collect()
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

/// Whether rows come after a page. `full`: it is as long as it may be.
fn more(first: FirstIndex, offset: u64, sent: usize, total: Option<u64>, full: bool) -> bool {
    let end = offset.saturating_add(sent as u64);
    let Some(total) = total else { return full && sent > 0 };
    // If the list counts from 1, one row came twice.
    let repeated = u64::from(first == FirstIndex::Unknown && offset > 0);
    // A short page that ends where the list ends if it counts from 0: it does, and this is its end.
    let ended = !full && end == total;
    sent > 0 && !ended && end - repeated < total
}

/// Details of many incidents: one call each, all at the same time; what is in flight at once is bounded below.
pub(super) async fn details(
    client: &Client,
    mapper: &Mapper,
    call: &Call,
    request: &DetailRequest,
) -> Result<Found<Details>, SourceError> {
    let DetailRequest { parts, incidents, want } = request;
    // Other texts are no ids of this server.
    let ids = incidents.iter().filter(|id| is_number(&id.to_string()));
    let asked = join_all(ids.map(async |id| (id, client.detail(call, id, want.raw).await))).await;
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

    /// Walks a list of `total` rows whose first row has the index `base`; rows that come again count once. Returns the
    /// rows that were seen and how many calls it took.
    fn walk(first: FirstIndex, base: u64, total: u64, limit: u64, longest: u64) -> (Vec<u64>, usize) {
        let (mut seen, mut offset, mut calls) = (Vec::new(), 0, 0);
        loop {
            let start = from(first, offset).unwrap_or(base).saturating_sub(base);
            let rows: Vec<u64> = (start..total).take(limit.min(longest) as usize).collect();
            let sent = rows.len();
            seen.extend(rows.iter().filter(|row| !seen.contains(*row)).copied().collect::<Vec<_>>());
            let full = sent as u64 >= limit.min(longest);
            calls += 1;
            if !more(first, offset, sent, Some(total), full) {
                return (seen, calls);
            }
            offset += sent as u64;
            assert!(calls < 100, "{first:?} {base} {total} {limit}");
        }
    }

    #[test]
    fn no_base_of_the_index_loses_a_row() {
        for total in 0..40 {
            for limit in 1..12 {
                for (first, base) in
                    [(FirstIndex::Unknown, 0), (FirstIndex::Unknown, 1), (FirstIndex::Zero, 0), (FirstIndex::One, 1)]
                {
                    for longest in [3, 50] {
                        let (seen, calls) = walk(first, base, total, limit, longest);
                        assert_eq!(seen, (0..total).collect::<Vec<_>>(), "{first:?} {base} {total} {limit}");
                        let fewest = total.div_ceil(limit.min(longest)).max(1) as usize;
                        assert!(calls <= fewest + usize::from(first == FirstIndex::Unknown), "{calls} {fewest}");
                    }
                }
            }
        }
    }

    #[test]
    fn without_a_total_a_full_page_may_have_a_next_one() {
        assert!(more(FirstIndex::Unknown, 0, 100, None, true));
        assert!(!more(FirstIndex::Unknown, 100, 20, None, false));
        assert!(!more(FirstIndex::Unknown, 100, 0, None, true));
    }
}
