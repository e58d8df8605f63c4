//! Incidents: a page of the list, by id, and what is asked for beside the plain row. Alerts by id come the same way.

use super::client::{
    ALERTS, Client, DETAILS, Endpoint, INCIDENTS, MAX_REQUEST_LINE_BYTES, PAGE_ROWS, Question, is_uuid,
};
use super::map::{Mapper, Notes, With};
use super::query::{NoQuery, Query, flags};
use super::tenants::{Asked, Tenants};
use super::wire::{AlertRow, IncidentRow, Page, Row};
use crate::{
    domain::{DetailParts, Details, Incident, NativeId, Record, Rows, Test},
    source::{Call, DetailRequest, Found, ListRequest, SourceError, SourceErrorKind, Want},
    upstream::uri::{self, IdList},
};
use futures_util::future::{join, join_all};
use std::sync::atomic::Ordering::Relaxed;
use std::{collections::BTreeSet, ops::Range, sync::Arc};

/// Beginning of every query for rows by id.
const FIRST_PAGE: &str = "page=1&";
/// A short id is looked for in so many rows, newest first; arbitrary, as many as the gateway reads of a list by default.
const MOST_SCANNED: usize = 10_000;

/// What reading rows needs.
pub(super) struct Incidents<'a> {
    pub(super) client: &'a Client,
    pub(super) mapper: &'a Mapper,
    pub(super) tenants: &'a Tenants,
    pub(super) custom_statuses: bool,
    pub(super) call: &'a Call,
}

/// What became of one call for many ids.
struct Chunk<T> {
    ids: Vec<NativeId>,
    answer: Result<Page<T>, SourceError>,
}

impl Incidents<'_> {
    /// A page. The server has pages of one size only: rows before the offset are left out, and the answer ends where the
    /// server's page does.
    pub(super) async fn list(&self, request: &ListRequest) -> Result<Rows<Arc<Incident>>, SourceError> {
        let Some((query, tenants)) = self.query(&request.tests).await? else { return Ok(none()) };
        if request.order.is_some() {
            return Err(self.client.not_possible(INCIDENTS));
        }
        let missing = self.tenants.missing(self.client, self.call, query.tenants.as_deref());
        if tenants.is_empty() {
            return Ok(Rows { restricted: missing.await.tenants, ..none() });
        }
        let of_page = self.client.page_rows.load(Relaxed);
        let number = request.offset / of_page as u64 + 1;
        let with = With { affected: request.want.assets, history: false };
        let ask = |tenants: &[NativeId]| query.text(tenants, number, with);
        let asked = self.tenants.ask(self.client, self.call, INCIDENTS.into(), &tenants, ask);
        let (asked, missing) = join(asked, missing).await;
        let Asked { answer, withheld } = asked?;
        let page: Page<IncidentRow> = self.client.open(self.call, INCIDENTS, &answer, keeps(request.want, with))?;
        let restricted = restricted(&page, withheld, missing.tenants);
        let skipped = usize::try_from(request.offset % of_page as u64).unwrap_or(0);
        let sent = page.sent;
        // A server with larger pages than documented: the next offset will be found in them.
        self.client.page_rows.fetch_max(sent, Relaxed);
        let wanted = skipped..skipped.saturating_add(request.limit.max(1)).min(sent.max(skipped));
        let before = (number - 1).saturating_mul(of_page as u64);
        let seen = before.saturating_add(sent as u64);
        // Whether `Total` counts all that match or this page's rows is not documented: what cannot be the first is none.
        let total = page.total.filter(|total| *total >= seen);
        let next = sent >= of_page || total.is_some_and(|total| total > seen);
        let broken = page.problems.iter().filter(|problem| wanted.contains(&problem.place));
        // Told once, with the first page.
        let nameless = if request.offset == 0 { missing.nameless } else { 0 };
        let malformed = self.client.tell_broken(self.call, INCIDENTS, broken).saturating_add(nameless);
        let items = self.map(page, &wanted, with, request.want);
        // Details will be asked for in the states that are shown here.
        items.iter().for_each(|incident| self.client.revisions.saw(self.call, incident));
        Ok(Rows {
            malformed,
            total,
            more: !wanted.is_empty() && (wanted.end < sent || next),
            consumed: wanted.len(),
            items,
            restricted,
            ..Rows::default()
        })
    }

    /// Incidents by id.
    pub(super) async fn fetch(&self, ids: &[NativeId], want: Want) -> Result<Found<Arc<Incident>>, SourceError> {
        let with = With { affected: want.assets, history: false };
        let found = self.by_id(INCIDENTS, ids, want, with).await?;
        found.items.iter().for_each(|(_, incident)| self.client.revisions.saw(self.call, incident));
        Ok(found)
    }

    /// Details of incidents: one call for a hundred of them, for everything that is wanted.
    pub(super) async fn details(&self, request: &DetailRequest) -> Result<Found<Details>, SourceError> {
        let with = With { affected: request.parts.assets, history: request.parts.activity };
        let found = self.by_id(DETAILS, &request.incidents, request.want, with).await?;
        let details = |(id, incident): (NativeId, Arc<Incident>)| (id, details(&incident, request.parts));
        let items = found.items.into_iter().map(details).collect();
        Ok(Found { items, failed: found.failed, malformed: found.malformed, masked: found.masked, ..Found::default() })
    }

    /// Alerts by id.
    pub(super) async fn alerts(&self, ids: &[NativeId], want: Want) -> Result<Found<Record>, SourceError> {
        let chunks = self.by_ids::<AlertRow>(ALERTS, ids, "", want.raw).await?;
        let mut embedded = Vec::new();
        let found = self.collect(ALERTS, chunks, |page| {
            let mut notes = Notes::default();
            let rows = page.rows.into_iter();
            let alerts =
                rows.filter_map(|(_, row, raw)| self.mapper.alert(row, raw, &mut notes)).map(|(alert, owner)| {
                    embedded.extend(owner.map(|owner| Record::Owner(Arc::new(owner))));
                    (alert.key.native.clone(), Record::Evidence(Arc::new(alert)))
                });
            let alerts = alerts.collect();
            self.client.tell_unknown(self.call, ALERTS, &notes);
            alerts
        });
        let found = found?;
        Ok(Found { embedded, ..found })
    }

    /// Incidents with this id, or with this short id. Short ids cannot be asked for; they are looked for in the list.
    pub(super) async fn named(&self, text: &str) -> Result<Vec<NativeId>, SourceError> {
        let ids: Vec<NativeId> = NativeId::typed(text).filter(is_uuid).collect();
        if !ids.is_empty() {
            let found = self.fetch(&ids, Want::default()).await?;
            if let Some((_, error)) = found.failed.first() {
                return Err(error.clone());
            }
            return Ok(found.items.into_iter().map(|(id, _)| id).collect());
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Vec::new());
        }
        let mut request =
            ListRequest { tests: Vec::new(), order: None, offset: 0, limit: PAGE_ROWS, want: Want::default() };
        while request.offset < MOST_SCANNED as u64 {
            let rows = self.list(&request).await?;
            request.offset += rows.consumed as u64;
            let named = rows.items.into_iter().filter(|incident| incident.reference.as_deref() == Some(text));
            let found: Vec<NativeId> = named.map(|incident| incident.key.native.clone()).collect();
            if !found.is_empty() || !rows.more {
                return Ok(found);
            }
        }
        // Whether it is further back cannot be told.
        let name = &self.client.source;
        let text = format!(
            "The source “{name}” cannot search for this reference, and it is not among its first {MOST_SCANNED} incidents."
        );
        Err(SourceError::new(SourceErrorKind::Unavailable, name, INCIDENTS.operation, text))
    }

    /// The query of some tests and the tenants that it is for, of which there may be none; none if nothing can match.
    async fn query(&self, tests: &[Test]) -> Result<Option<(Query, Vec<NativeId>)>, SourceError> {
        let query = match Query::new(tests, &self.client.source, self.custom_statuses) {
            Ok(query) => query,
            Err(NoQuery::NothingMatches) => return Ok(None),
            Err(NoQuery::NotPossible) => return Err(self.client.not_possible(INCIDENTS)),
        };
        let mut tenants = self.tenants.ids(self.client, self.call).await?;
        if let Some(wanted) = &query.tenants {
            tenants.retain(|id| wanted.contains(id));
        }
        Ok(Some((query, tenants)))
    }

    async fn by_id(
        &self,
        list: Endpoint,
        ids: &[NativeId],
        want: Want,
        with: With,
    ) -> Result<Found<Arc<Incident>>, SourceError> {
        let chunks = self.by_ids::<IncidentRow>(list, ids, flags(with), keeps(want, with)).await?;
        self.collect(list, chunks, |page| {
            let all = 0..page.sent;
            let incidents = self.map(page, &all, with, want).into_iter();
            incidents.map(|incident| (incident.key.native.clone(), incident)).collect()
        })
    }

    /// Rows by id, of all tenants: as many in one call as a page holds. Ids that are no UUIDs are left out, since a single
    /// one would fail all others.
    async fn by_ids<T: Row>(
        &self,
        list: Endpoint,
        ids: &[NativeId],
        flags: &str,
        raw: bool,
    ) -> Result<Vec<Chunk<T>>, SourceError> {
        let mut ids: Vec<NativeId> = ids.iter().filter(|id| is_uuid(id)).cloned().collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let tenants = self.tenants.ids(self.client, self.call).await?;
        if tenants.is_empty() {
            return Ok(Vec::new());
        }
        let texts: Vec<String> = ids.iter().map(NativeId::to_string).collect();
        let head = |tenants: &[NativeId]| {
            let tenants: Vec<String> = tenants.iter().map(NativeId::to_string).collect();
            format!("{FIRST_PAGE}{}&", IdList::Repeated("tenantID").write(&tenants))
        };
        let line = format!("{}?{}{flags}", list.path, head(&tenants));
        let line = self.client.upstream.request_line_bytes(&line);
        let chunks = uri::chunk_by_bytes(line, &texts, IdList::Repeated("id"), MAX_REQUEST_LINE_BYTES);
        let chunks = chunks.into_iter().flat_map(pages);
        let asked = chunks.map(|chunk| {
            let (ids, named) = (ids[chunk.clone()].to_vec(), IdList::Repeated("id").write(&texts[chunk]));
            let (tenants, head) = (&tenants, &head);
            async move {
                let query = |tenants: &[NativeId]| format!("{}{named}{flags}", head(tenants));
                let details_of = if list.operation == DETAILS.operation { &*ids } else { &[] };
                let question = Question { list, details_of };
                let asked = self.tenants.ask(self.client, self.call, question, tenants, query).await;
                let answer = asked.and_then(|asked| self.client.open(self.call, list, &asked.answer, raw));
                Chunk { ids, answer }
            }
        });
        Ok(join_all(asked).await)
    }

    /// Puts the answers for several chunks of ids together. Chunks that failed leave the others their answer; only if all
    /// have failed, all has.
    fn collect<R, T>(
        &self,
        list: Endpoint,
        chunks: Vec<Chunk<R>>,
        mut map: impl FnMut(Page<R>) -> Vec<(NativeId, T)>,
    ) -> Result<Found<T>, SourceError> {
        let (mut found, mut answered) = (Found::default(), chunks.is_empty());
        let mut last = None;
        for chunk in chunks {
            match chunk.answer {
                Ok(page) => {
                    answered = true;
                    found.malformed += self.client.tell_broken(self.call, list, page.problems.iter());
                    let mut items = map(page);
                    // A server that ignores `id` answers with everything, and one that is changed meanwhile with the same
                    // row twice.
                    let mut seen = BTreeSet::new();
                    items.retain(|(id, _)| chunk.ids.binary_search(id).is_ok() && seen.insert(id.clone()));
                    found.items.extend(items);
                }
                Err(error) => {
                    found.failed.extend(chunk.ids.into_iter().map(|id| (id, error.clone())));
                    last = Some(error);
                }
            }
        }
        match last {
            Some(error) if !answered => Err(error),
            _ => Ok(found),
        }
    }

    /// Rows at these places of a page to incidents; words that are in no document are told to the log.
    fn map(&self, page: Page<IncidentRow>, places: &Range<usize>, with: With, want: Want) -> Vec<Arc<Incident>> {
        let mut notes = Notes::default();
        let rows = page.rows.into_iter().filter(|(place, ..)| places.contains(place));
        let incidents =
            rows.filter_map(|(_, row, raw)| self.mapper.incident(row, raw.filter(|_| want.raw), with, &mut notes));
        let incidents = incidents.map(Arc::new).collect();
        self.client.tell_unknown(self.call, INCIDENTS, &notes);
        incidents
    }
}

/// Tenants whose rows are missing. One that the server does not name, and of which there are rows all the same, is none.
fn restricted(page: &Page<IncidentRow>, mut withheld: Vec<NativeId>, missing: Vec<NativeId>) -> Vec<NativeId> {
    let seen = |id: &NativeId| {
        let id = id.to_string();
        page.rows.iter().any(|(_, row, _)| row.tenant_id.as_deref() == Some(&*id))
    };
    withheld.extend(missing.into_iter().filter(|id| !seen(id)));
    withheld.sort_unstable();
    withheld.dedup();
    withheld
}

/// What an incident's row told of the wanted parts, and the records that go with it.
fn details(incident: &Incident, parts: DetailParts) -> Details {
    let told = incident.told.as_deref().cloned().unwrap_or_default();
    Details {
        evidence: told.evidence.filter(|_| parts.evidence),
        activity: told.activity.filter(|_| parts.activity),
        assets: told.assets.filter(|_| parts.assets),
        embedded: incident.embedded.clone(),
        ..Details::default()
    }
}

/// Whether texts are kept while rows are read. Assets can be asked for nowhere else, so that theirs always is.
fn keeps(want: Want, with: With) -> bool {
    want.raw || with.affected
}

/// A range in pieces of at most a page.
fn pages(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(PAGE_ROWS).map(move |start| start..(start + PAGE_ROWS).min(end))
}

fn none() -> Rows<Arc<Incident>> {
    Rows { total: Some(0), ..Rows::default() }
}
