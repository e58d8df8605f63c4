//! Incidents: a page of the list, or by id. Lists sorted by a time are `sorted`'s.

use super::client::{Client, INCIDENTS, WINDOW};
use super::ids::by_ids;
use super::map::Notes;
use super::query::{NoQuery, Sort, SortKey, filter, filters};
use super::window::Placed;
use super::wire::{self, Got, IncidentRow, Spare, Whole};
use crate::{
    domain::{Incident, NativeId, RawJson, Rows},
    source::{Call, Found, ListRequest, SourceError, SourceErrorKind, Want},
};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

pub(super) const OPERATION: &str = INCIDENTS.operation;
/// The server counts no further.
pub(super) const MOST_COUNTED: u64 = 9_999;

/// What reading incidents needs.
pub(super) struct Incidents<'a> {
    pub(super) client: &'a Client,
    pub(super) call: &'a Call,
}

/// An answer of the list.
pub(super) struct Page {
    pub(super) rows: Vec<Placed>,
    pub(super) total: Option<u64>,
    pub(super) restricted: Vec<NativeId>,
    pub(super) rest: Rest,
}

/// Whether there are rows after a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rest {
    None,
    Some,
    /// Only the total says so, or denies it: it may count rows that are not shown, or not all that are.
    Unsure,
}

impl Rest {
    fn of(window: &Range<u64>, sent: u64, total: Option<u64>) -> Rest {
        let (end, full) = (window.start + sent, sent >= window.end - window.start);
        match total {
            _ if sent == 0 => Rest::None,
            total if full && total != Some(end) => Rest::Some,
            Some(total) if full || end < total => Rest::Unsure,
            _ => Rest::None,
        }
    }
}

impl Page {
    pub(super) fn capped(&self) -> bool {
        self.total.is_some_and(|total| total >= MOST_COUNTED)
    }

    /// A part of the list, as the contract has it.
    pub(super) fn given(&self, rows: Vec<Placed>, more: bool) -> Rows<Arc<Incident>> {
        let mut given = Rows {
            total: self.total,
            capped: self.capped(),
            more,
            consumed: rows.len(),
            restricted: self.restricted.clone(),
            ..Rows::default()
        };
        for row in rows {
            given.malformed += u32::from(row.malformed || row.incident.is_none());
            given.items.extend(row.incident);
        }
        given
    }
}

impl Incidents<'_> {
    /// A page.
    pub(super) async fn list(&self, request: &ListRequest) -> Result<Rows<Arc<Incident>>, SourceError> {
        let filters = match filters(&request.tests) {
            Ok(filters) => filters,
            Err(NoQuery::NothingMatches) => return Ok(Rows { total: Some(0), ..Rows::default() }),
            Err(NoQuery::NotPossible) => return Err(self.not_possible()),
        };
        let sort = match request.order {
            None => self.client.unsorted,
            Some(order) => Sort::of(order).ok_or_else(|| self.not_possible())?,
        };
        if request.order.is_some() && sort.key != SortKey::Id {
            return self.sorted(&filters, sort, request).await;
        }
        let window = request.offset..request.offset + request.limit.min(WINDOW) as u64;
        let mut page = self.window(&filters, sort, window, request.want).await?;
        let (rows, more) = (std::mem::take(&mut page.rows), page.rest == Rest::Some);
        Ok(page.given(rows, more))
    }

    /// A window of a list, and for certain whether there is more.
    pub(super) async fn window(
        &self,
        filters: &[Value],
        sort: Sort,
        window: Range<u64>,
        want: Want,
    ) -> Result<Page, SourceError> {
        let mut page = self.page(filters, sort, window.clone(), want).await?;
        if page.rest == Rest::Unsure {
            let end = window.start + page.rows.len() as u64;
            let next = self.page(filters, sort, end..end + (window.end - window.start), Want::default()).await?;
            let known: HashSet<&NativeId> = page.rows.iter().filter_map(Placed::id).collect();
            let more = next.rows.iter().filter_map(Placed::id).any(|id| !known.contains(id));
            page.rest = if more { Rest::Some } else { Rest::None };
        }
        Ok(page)
    }

    /// Incidents by id, as many calls as there are windows of ids, all at the same time.
    pub(super) async fn fetch(&self, ids: &[NativeId], want: Want) -> Result<Found<Arc<Incident>>, SourceError> {
        let texts: Vec<String> = ids.iter().map(NativeId::to_string).collect();
        let answers = by_ids(&texts, async |ids: Vec<&str>| {
            let filters = [filter("incident_id_list", "in", json!(ids))];
            self.page(&filters, Sort::BY_CREATION, 0..WINDOW as u64, want).await
        });
        let (mut found, mut answered, mut last) = (Found::default(), false, None);
        let mut seen = HashSet::new();
        for (asked, page) in answers.await {
            match page {
                Ok(page) => {
                    answered = true;
                    for row in page.into_iter().flat_map(|page| page.rows) {
                        found.malformed += u32::from(row.malformed);
                        // A server that ignores the filter answers with everything.
                        let Some(incident) = row.incident else { continue };
                        let id = incident.key.native.clone();
                        if asked.contains(&id.to_string().as_str()) && seen.insert(id.clone()) {
                            found.items.push((id, incident));
                        }
                    }
                }
                Err(error) => {
                    found.failed.extend(asked.iter().map(|id| (NativeId::new(id), error.clone())));
                    last = Some(error);
                }
            }
        }
        match last {
            Some(error) if !answered => Err(error),
            _ => Ok(found),
        }
    }

    pub(super) async fn page(
        &self,
        filters: &[Value],
        sort: Sort,
        window: Range<u64>,
        want: Want,
    ) -> Result<Page, SourceError> {
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
        let rows = match (list.incidents, &list.total_count, list.result_count) {
            (Got::Value(rows), ..) => rows,
            // No list is an empty one, if anything shows that this is the reply of a list.
            (Got::Nothing, Got::Value(_), _) | (Got::Nothing, _, Got::Value(_)) => Vec::new(),
            _ => return Err(self.client.unreadable(self.call, INCIDENTS, "no incidents in the reply")),
        };
        let mut notes = Notes::default();
        let total = match notes.take("total_count", list.total_count) {
            Some(Whole(total)) => u64::try_from(total).ok(),
            None => None,
        };
        let restricted = notes.texts("restricted_incident_ids", list.restricted_incident_ids);
        self.client.tell(self.call, INCIDENTS, None, &mut notes);
        Ok(Page {
            rest: Rest::of(&window, rows.len() as u64, total),
            total,
            restricted: restricted.iter().map(|id| NativeId::new(id)).collect(),
            rows: rows.into_iter().map(|row| self.placed(row, sort, want.raw)).collect(),
        })
    }

    fn placed(&self, json: &RawValue, sort: Sort, raw: bool) -> Placed {
        let mut notes = Notes::default();
        let spare = Spare::default();
        let row: Option<IncidentRow<'_>> = wire::record(json, &spare);
        let raw = raw.then(|| RawJson::new(json.get()));
        let incident = row.and_then(|row| self.client.mapper.incident(row, raw, &mut notes)).map(Arc::new);
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
}
