//! Incidents: a page of the list, or by id.

use super::client::{Client, INCIDENTS, WINDOW};
use super::map::Notes;
use super::query::{self, NoQuery, Sort, SortKey, filter, filters};
use super::window::{Placed, Settled, View, sort_ties};
use super::wire::{self, Got, IncidentRow, Whole};
use crate::{
    domain::{Incident, NativeId, RawJson, Rows},
    source::{Call, Found, ListRequest, SourceError, SourceErrorKind, Want},
};
use futures_util::future::{join, join_all};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::ops::Range;
use std::sync::Arc;

const OPERATION: &str = INCIDENTS.operation;
/// The server counts no further.
const MOST_COUNTED: u64 = 9_999;
/// Rows that are read beyond those asked for, on either side, to see where a tie begins and ends; arbitrary. A longer tie
/// costs two calls more.
const MARGIN: u64 = 8;

/// What reading incidents needs.
pub(super) struct Incidents<'a> {
    pub(super) client: &'a Client,
    pub(super) call: &'a Call,
}

/// An answer of the list.
struct Page {
    rows: Vec<Placed>,
    total: Option<u64>,
    restricted: Vec<NativeId>,
    /// Whether there are rows after these.
    more: bool,
}

impl Page {
    fn capped(&self) -> bool {
        self.total.is_some_and(|total| total >= MOST_COUNTED)
    }
}

impl Incidents<'_> {
    /// A page. Without an order it comes by creation, the oldest first.
    pub(super) async fn list(&self, request: &ListRequest) -> Result<Rows<Arc<Incident>>, SourceError> {
        let filters = match filters(&request.tests) {
            Ok(filters) => filters,
            Err(NoQuery::NothingMatches) => return Ok(Rows { total: Some(0), ..Rows::default() }),
            Err(NoQuery::NotPossible) => return Err(self.not_possible()),
        };
        let sort = match request.order {
            None => Sort::STABLE,
            Some(order) => Sort::of(order).ok_or_else(|| self.not_possible())?,
        };
        // No two share an id, so there are no ties to look for.
        let margin = if sort.key == SortKey::Id { 0 } else { MARGIN };
        let before = request.offset.min(margin);
        let from = request.offset - before;
        let window = from..from + (before + request.limit as u64 + margin).min(WINDOW as u64);
        let mut page = self.page(&filters, sort, window, request.want).await?;
        let placed = request.order.is_some() && sort.key != SortKey::Id;
        let settled = self.settled(&filters, sort, from, request, &mut page).await?;
        let consumed = settled.rows.len();
        let end = request.offset + consumed as u64;
        let counted = page.total.filter(|_| !page.capped());
        let mut rows = Rows {
            total: page.total,
            capped: page.capped(),
            more: counted.map_or(settled.more, |total| consumed > 0 && end < total),
            consumed,
            restricted: page.restricted,
            ..Rows::default()
        };
        for row in settled.rows {
            // Without the time that it is sorted by, a row has no place among the others.
            let incident = row.incident.filter(|incident| !placed || sort.moment(incident).is_some());
            rows.malformed += u32::from(row.malformed || incident.is_none());
            rows.items.extend(incident);
        }
        Ok(rows)
    }

    async fn settled(
        &self,
        filters: &[Value],
        sort: Sort,
        from: u64,
        request: &ListRequest,
        page: &mut Page,
    ) -> Result<Settled, SourceError> {
        let rows = std::mem::take(&mut page.rows);
        if sort.key == SortKey::Id {
            return Ok(Settled { rows, more: page.more, tie: None });
        }
        let view = View { rows, from, more: page.more };
        let mut settled = view.clone().settle(request.offset, request.limit);
        // Whoever walks the list goes on from the last row, which comes again; so there must be one behind it.
        let enough = request.limit.min(2);
        while let Some(moment) = settled.tie.filter(|_| settled.rows.len() < enough) {
            let left = request.limit - settled.rows.len();
            let at = request.offset + settled.rows.len() as u64;
            let tied = self.tie(filters, sort, moment, at, request.want).await?;
            settled.rows.extend(tied.into_iter().take(left));
            let at = request.offset + settled.rows.len() as u64;
            let behind = view.clone().settle(at, request.limit - settled.rows.len());
            settled.rows.extend(behind.rows);
            (settled.tie, settled.more) = (behind.tie, behind.more);
        }
        Ok(settled)
    }

    /// Rows from `at` on, at least one, of a tie that is longer than a window shows: all rows of the millisecond are read,
    /// and counted how many stand before them.
    async fn tie(
        &self,
        filters: &[Value],
        sort: Sort,
        moment: i64,
        at: u64,
        want: Want,
    ) -> Result<Vec<Placed>, SourceError> {
        let with = |more: &[Value]| filters.iter().chain(more).cloned().collect::<Vec<Value>>();
        let (tied, before) = (with(&sort.at(moment)), with(&[sort.before(moment)]));
        let tied = self.page(&tied, sort, 0..WINDOW as u64, want);
        let before = self.page(&before, sort, 0..1, Want::default());
        let (tied, before) = join(tied, before).await;
        let (mut tied, before) = (tied?, before?);
        let start = match before.total {
            Some(start) if !tied.more && !before.capped() && !tied.rows.is_empty() => start,
            _ => return Err(self.too_long_a_tie()),
        };
        sort_ties(&mut tied.rows);
        // The list may have moved between the calls; with a row too many, the reader sees that.
        let skipped = usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
        Ok(tied.rows.split_off(skipped.min(tied.rows.len() - 1)))
    }

    /// Incidents by id, as many calls as there are windows of ids, all at the same time.
    pub(super) async fn fetch(&self, ids: &[NativeId], want: Want) -> Result<Found<Arc<Incident>>, SourceError> {
        let texts: Vec<String> = ids.iter().map(NativeId::to_string).collect();
        let known: Vec<&str> = texts.iter().filter_map(|text| query::id(text)).collect();
        let chunks = known.chunks(WINDOW).map(async |chunk| {
            let filters = [filter("incident_id_list", "in", json!(chunk))];
            (chunk, self.page(&filters, Sort::STABLE, 0..WINDOW as u64, want).await)
        });
        let (mut found, mut answered, mut last) = (Found::default(), known.is_empty(), None);
        for (chunk, page) in join_all(chunks).await {
            match page {
                Ok(page) => {
                    answered = true;
                    for row in page.rows {
                        found.malformed += u32::from(row.malformed);
                        // A server that ignores the filter answers with everything.
                        let asked =
                            |incident: &Arc<Incident>| chunk.contains(&incident.key.native.to_string().as_str());
                        let incident = row.incident.filter(asked);
                        found.items.extend(incident.map(|incident| (incident.key.native.clone(), incident)));
                    }
                }
                Err(error) => {
                    found.failed.extend(chunk.iter().map(|id| (NativeId::new(id), error.clone())));
                    last = Some(error);
                }
            }
        }
        match last {
            Some(error) if !answered => Err(error),
            _ => Ok(found),
        }
    }

    async fn page(&self, filters: &[Value], sort: Sort, window: Range<u64>, want: Want) -> Result<Page, SourceError> {
        let data = json!({
            "filters": filters,
            "search_from": window.start,
            "search_to": window.end,
            "sort": sort.json(),
        });
        let body = self.client.ask(self.call, INCIDENTS, data).await?;
        let text = body.text();
        let reply = self.client.reply(self.call, INCIDENTS, &text)?;
        let list: wire::Incidents<'_> = serde_json::from_str(reply)
            .map_err(|error| self.client.unreadable(self.call, INCIDENTS, &error.to_string()))?;
        let rows = match (list.incidents, &list.total_count) {
            (Got::Value(rows), _) => rows,
            // No list is an empty one, if anything shows that this is the reply of a list.
            (Got::Nothing, Got::Value(_)) => Vec::new(),
            _ => return Err(self.client.unreadable(self.call, INCIDENTS, "no incidents in the reply")),
        };
        let mut notes = Notes::default();
        let total = match notes.take("total_count", list.total_count) {
            Some(Whole(total)) => u64::try_from(total).ok(),
            None => None,
        };
        let restricted = notes.texts("restricted_incident_ids", list.restricted_incident_ids);
        self.client.tell(self.call, INCIDENTS, None, &mut notes);
        let sent = rows.len() as u64;
        let full = sent >= window.end - window.start;
        // A short window is the end, even if the total says otherwise: it may count what was taken away meanwhile. Where rows
        // are withheld, it is not documented whether they leave gaps.
        let may_go_on = full || !restricted.is_empty();
        let counted = total.filter(|total| *total < MOST_COUNTED);
        Ok(Page {
            more: sent > 0 && counted.map_or(full, |total| may_go_on && window.start + sent < total),
            total,
            restricted: restricted.iter().map(|id| NativeId::new(id)).collect(),
            rows: rows.into_iter().map(|row| self.placed(row, sort, want.raw)).collect(),
        })
    }

    fn placed(&self, json: &RawValue, sort: Sort, raw: bool) -> Placed {
        let mut notes = Notes::default();
        let row: Result<IncidentRow<'_>, _> = serde_json::from_str(json.get());
        let raw = raw.then(|| RawJson::new(json.get()));
        let incident = match row {
            Ok(row) => self.client.mapper.incident(row, raw, &mut notes).map(Arc::new),
            Err(_) => None,
        };
        if let Some(incident) = &incident {
            self.client.revisions.saw(self.call, incident);
        } else {
            notes.broken.push("a row that is no incident with an id");
        }
        let id = incident.as_ref().map(|incident| incident.key.native.to_string());
        let malformed = self.client.tell(self.call, INCIDENTS, id.as_deref(), &mut notes);
        Placed { moment: incident.as_ref().and_then(|incident| sort.moment(incident)), incident, malformed }
    }

    fn not_possible(&self) -> SourceError {
        let text = "The gateway planned a request that the source cannot answer.";
        SourceError::new(SourceErrorKind::Internal, &self.client.source, OPERATION, text)
    }

    fn too_long_a_tie(&self) -> SourceError {
        let what = "with more incidents of one millisecond than can be put in order (set undocumented.sorts_by_time to \
                    false)";
        SourceError::malformed(&self.client.source, OPERATION, what)
    }
}
