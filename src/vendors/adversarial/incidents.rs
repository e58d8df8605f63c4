//! Incidents: a page of the list, or by id.

use super::client::{Client, Endpoint, INCIDENT, INCIDENTS};
use super::config::{Arrays, BatchIds, OrderBy};
use super::map::{Mapper, Notes};
use super::query::{NothingMatches, Query, Window, fixed, order_by, window};
use super::wire::{IncidentRow, Page, display_id, number, read_incident};
use crate::{
    domain::{Incident, NativeId, RawJson, Rows},
    source::{Call, Found, ListRequest, Reference, SourceError, SourceErrorKind, Want},
    upstream::uri,
    vendors::common::text,
};
use futures_util::future::join_all;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// What is set of the list's parameters, and what was learned of its pages.
pub(super) struct Manner {
    pub(super) arrays: Arrays,
    pub(super) order_by: OrderBy,
    pub(super) batch_ids: BatchIds,
    /// Rows of a page at most: as configured, or fewer once the server was seen to give fewer.
    pub(super) page_size: AtomicUsize,
    /// Rows of every page, once the server was seen to give more than it was asked for: it has a size of its own. Zero before.
    pub(super) own_size: AtomicUsize,
    /// Whether the list was seen to give those incidents whose ids it is asked for, and no others.
    pub(super) takes_ids: OnceLock<bool>,
}

/// So many incidents that a batch did not bring are asked for one by one before it is tried whether batches can be believed,
/// which costs two calls once.
const ALONE: usize = 2;
/// A list that ignores ids shows its first rows: of so many, the last two are not those.
const TELLING: usize = 4;

/// What reading incidents needs.
pub(super) struct Incidents<'a> {
    pub(super) client: &'a Client,
    pub(super) mapper: &'a Mapper,
    pub(super) manner: &'a Manner,
    pub(super) call: &'a Call,
}

impl Incidents<'_> {
    /// A page of the list.
    pub(super) async fn list(&self, request: &ListRequest) -> Result<Rows<Arc<Incident>>, SourceError> {
        let query = match Query::new(&request.tests, &self.client.source) {
            Ok(query) => query.write(self.manner.arrays),
            Err(NothingMatches) => return Ok(Rows { total: Some(0), ..Rows::default() }),
        };
        let order = match request.order.map(|order| order_by(order, self.manner.order_by)) {
            Some(None) => return Err(self.not_possible()),
            order => order.flatten(),
        };
        let filter = [query, order.map(|order| uri::query([("order_by", order)])).unwrap_or_default()];
        let most = self.manner.page_size.load(Relaxed);
        let mut taken = match self.manner.own_size.load(Relaxed) {
            0 => window(request.offset, request.limit, most),
            size => fixed(request.offset, size),
        };
        let mut page = self.page(&filter, taken, request.want).await?;
        // A server that gives other pages than it was asked for has put other rows on this one.
        let right = if page.sent > taken.size {
            let size = page.sent.max(page.page_size.and_then(|size| usize::try_from(size).ok()).unwrap_or_default());
            self.manner.own_size.fetch_max(size, Relaxed);
            Some(fixed(request.offset, size))
        } else {
            self.shorter(&page, taken).map(|size| window(request.offset, request.limit, size))
        };
        if let Some(right) = right {
            if right.page != taken.page || right.page > 1 {
                page = self.page(&filter, right, request.want).await?;
            }
            taken = right;
        }
        let more = self.more(&page, taken, &filter).await;
        Ok(self.rows(page, taken, request.limit, more))
    }

    /// Whether pages come after one. Where it is as long as pages get, the counters alone do not say that it is the last, and
    /// without counters its length does not say that it is not: the next one is looked at.
    async fn more(&self, page: &Page<IncidentRow>, taken: Window, filter: &[String; 2]) -> bool {
        let told = page.more == Some(true) || page.total.is_some_and(|total| total > taken.end(page.sent));
        match page.sent {
            0 => false,
            _ if told => true,
            sent if sent < taken.size => false,
            _ => {
                let next = Window { page: taken.page + 1, skip: 0, ..taken };
                // What the counters say stands if it cannot be seen.
                let Ok(next) = self.page(filter, next, Want::default()).await else { return false };
                let here: BTreeSet<&NativeId> = page.rows.iter().map(|(_, row, _)| &row.incident.id.0).collect();
                next.rows.iter().any(|(_, row, _)| !here.contains(&row.incident.id.0))
            }
        }
    }

    async fn page(&self, filter: &[String; 2], taken: Window, want: Want) -> Result<Page<IncidentRow>, SourceError> {
        let Window { page, size, .. } = taken;
        let mut path = format!("/incidents?page={page}&page_size={size}");
        for part in filter.iter().filter(|part| !part.is_empty()) {
            path.push('&');
            path.push_str(part);
        }
        self.client.page(self.call, INCIDENTS, &path, want.raw, read_incident).await
    }

    /// The size of page that the server tells, where it is less than what it was asked for. Kept for later where it must be
    /// the most that the server gives, not the length of a last page.
    fn shorter(&self, page: &Page<IncidentRow>, taken: Window) -> Option<usize> {
        let told = usize::try_from(page.page_size?).ok().filter(|told| (1..taken.size).contains(told))?;
        if page.sent == told && page.more == Some(true) {
            self.manner.page_size.fetch_min(told, Relaxed);
        }
        Some(told)
    }

    fn rows(&self, page: Page<IncidentRow>, taken: Window, limit: usize, after: bool) -> Rows<Arc<Incident>> {
        let end = page.sent.min(taken.skip.saturating_add(limit));
        let (more, consumed) = (end < page.sent || after, end.saturating_sub(taken.skip));
        let here = |place: &usize| (taken.skip..end).contains(place);
        let malformed = count(page.broken.iter().filter(|(place, _)| here(place)).count());
        // A total that this page alone shows to be too low is none.
        let total = page.total.filter(|total| *total >= taken.end(page.sent));
        let wanted = page.rows.into_iter().filter(|(place, ..)| here(place));
        let items = self.map(INCIDENTS, wanted.map(|(_, row, raw)| (row, raw)));
        Rows { items, total, more: more && consumed > 0, consumed, malformed, ..Rows::default() }
    }

    /// Rows to incidents. Words that no document has are told to the log.
    fn map(&self, of: Endpoint, rows: impl Iterator<Item = (IncidentRow, Option<Box<str>>)>) -> Vec<Arc<Incident>> {
        let mut notes = Notes::default();
        let incidents = rows.map(|(row, raw)| Arc::new(self.mapper.incident(row, raw.map(RawJson::new), &mut notes)));
        let incidents: Vec<Arc<Incident>> = incidents.collect();
        // A comment need not modify its incident: without their number, no state can be named.
        for incident in &incidents {
            match incident.comment_count {
                Some(_) => self.client.revisions.saw(self.call, incident),
                None => self.client.revisions.forget(&incident.key.native),
            }
        }
        for (member, word) in &notes.unknown {
            self.client.tell_unknown(self.call, of, member, word);
        }
        incidents
    }

    /// Incidents by id. Several are asked for in one call; those that it does not bring, one by one, unless the list is known
    /// to take ids as it is asked: how it does is not documented.
    pub(super) async fn fetch(&self, ids: &[NativeId], want: Want) -> Result<Found<Arc<Incident>>, SourceError> {
        // What cannot be an id of this server is not there.
        let ids: BTreeSet<&NativeId> = ids.iter().filter(|id| path_of(id).is_some()).collect();
        let (mut found, mut left, mut absent) = (Found::default(), ids.clone(), BTreeSet::<&NativeId>::new());
        if ids.len() > 1 && self.manner.batch_ids != BatchIds::Off {
            let all: Vec<&NativeId> = ids.iter().copied().collect();
            let chunks = all.chunks(self.manner.page_size.load(Relaxed).max(1));
            for (chunk, answer) in join_all(chunks.map(async |chunk| (chunk, self.batch(chunk, want).await))).await {
                match answer {
                    Ok((batch, whole)) => {
                        let brought: BTreeSet<&NativeId> = batch.items.iter().map(|(id, _)| id).collect();
                        left.retain(|id| !brought.contains(id));
                        absent.extend(chunk.iter().copied().filter(|id| whole && !brought.contains(id)));
                        found.absorb(batch);
                    }
                    // The list may not take ids so; the incidents may be there all the same.
                    Err(error) if about_the_question(&error) => {}
                    Err(error) => {
                        left.retain(|id| !chunk.contains(id));
                        found.failed.extend(chunk.iter().map(|id| ((*id).clone(), error.clone())));
                    }
                }
            }
            if self.believes_batches(absent.len()).await {
                left.retain(|id| !absent.contains(id));
            }
        }
        for (id, answer) in join_all(left.into_iter().map(async |id| (id, self.one(id, want).await))).await {
            match answer {
                Ok(incident) => found.items.extend(incident.map(|incident| (id.clone(), incident))),
                Err(error) => found.failed.push((id.clone(), error)),
            }
        }
        match found.failed.first() {
            // Only if all have failed, all has.
            Some((_, error)) if found.failed.len() == ids.len() => Err(error.clone()),
            _ => Ok(found),
        }
    }

    /// Whether so many incidents that no batch brought can be taken for absent. Tried with two that are there; where that
    /// cannot be seen, as with fewer than four incidents, batches are not believed.
    async fn believes_batches(&self, missing: usize) -> bool {
        if let Some(known) = self.manner.takes_ids.get() {
            return *known;
        }
        if missing <= ALONE {
            return false;
        }
        let most = self.manner.page_size.load(Relaxed);
        let Ok(page) = self.page(&Default::default(), window(0, most, most), Want::default()).await else {
            return false;
        };
        let ids: Vec<NativeId> = page.rows.into_iter().map(|(_, row, _)| row.incident.id.0).collect();
        let [.., one, other] = &ids[..] else { return false };
        if ids.len() < TELLING {
            return false;
        }
        let filter = self.ids(&[one, other]);
        match self.page(&[filter, String::new()], window(0, 2, 2), Want::default()).await {
            Ok(page) => {
                let given: BTreeSet<&NativeId> = page.rows.iter().map(|(_, row, _)| &row.incident.id.0).collect();
                *self.manner.takes_ids.get_or_init(|| given == BTreeSet::from([one, other]))
            }
            Err(_) => false,
        }
    }

    /// The list's parameter for some ids.
    fn ids(&self, ids: &[&NativeId]) -> String {
        let name = |id: &&NativeId| match (self.manner.batch_ids, number(&id.to_string())) {
            (BatchIds::Integer, Some(number)) => number.to_owned(),
            _ => id.to_string(),
        };
        Query::of("id", ids.iter().map(name).collect()).write(self.manner.arrays)
    }

    /// A chunk by the list's parameter, and whether the server says that this is all, in rows that can be read. What else
    /// comes was not asked for.
    async fn batch(&self, chunk: &[&NativeId], want: Want) -> Result<(Found<Arc<Incident>>, bool), SourceError> {
        let filter = self.ids(chunk);
        let taken = window(0, chunk.len(), chunk.len());
        let page = self.page(&[filter, String::new()], taken, want).await?;
        let malformed = count(page.broken.len());
        let whole = match (page.total, page.more) {
            (Some(total), _) => total <= page.sent as u64,
            (None, Some(more)) => !more,
            (None, None) => page.sent == 0,
        };
        let whole = whole && malformed == 0;
        let asked = page.rows.into_iter().filter(|(_, row, _)| chunk.contains(&&row.incident.id.0));
        let items = self.map(INCIDENTS, asked.map(|(_, row, raw)| (row, raw)));
        let mut seen = BTreeSet::new();
        let items = items.into_iter().filter(|incident| seen.insert(incident.key.native.clone()));
        let items = items.map(|incident| (incident.key.native.clone(), incident)).collect();
        Ok((Found { items, malformed, ..Found::default() }, whole))
    }

    /// One incident; none where there is no such one.
    pub(super) async fn one(&self, id: &NativeId, want: Want) -> Result<Option<Arc<Incident>>, SourceError> {
        let Some(path) = path_of(id) else { return Ok(None) };
        let answer = match self.client.json(self.call, INCIDENT, &path).await {
            Err(error) if error.kind() == SourceErrorKind::NotFound => return Ok(None),
            answer => answer?,
        };
        let body = text(&answer.body);
        let (row, broken) = read_incident(&body).map_err(|broken| {
            self.client.tell_broken(self.call, INCIDENT, &broken);
            SourceError::malformed(&self.client.source, INCIDENT.operation, "with a record that cannot be read")
        })?;
        broken.iter().for_each(|broken| self.client.tell_broken(self.call, INCIDENT, broken));
        let raw = want.raw.then(|| body.into());
        let incident = self.map(INCIDENT, std::iter::once((row, raw))).pop();
        Ok(incident.filter(|incident| incident.key.native == *id))
    }

    /// For each reference, in order, all that it names.
    pub(super) async fn resolve(&self, references: &[Reference]) -> Result<Vec<Vec<NativeId>>, SourceError> {
        let each = references.iter().map(async |reference| match reference {
            Reference::Incident(text) => self.incident_by(text).await,
            Reference::OwnerSourceId(id) => Ok(vec![NativeId::new(id)]),
            Reference::OwnerEmail(_) | Reference::TagName(_) => {
                Err(SourceError::unsupported(&self.client.source, "look up people and tags"))
            }
        });
        join_all(each).await.into_iter().collect()
    }

    /// By the display id, in any case and with any number of zeros, or by the number in it.
    async fn incident_by(&self, text: &str) -> Result<Vec<NativeId>, SourceError> {
        let found = self.one(&display_id(text.trim()), Want::default()).await?;
        Ok(found.map(|incident| incident.key.native.clone()).into_iter().collect())
    }

    fn not_possible(&self) -> SourceError {
        let text = "The gateway planned a request that the source cannot answer.";
        SourceError::new(SourceErrorKind::Internal, &self.client.source, INCIDENTS.operation, text)
    }
}

/// The path of an incident below `/api/v1`: its number, or the id as it is; none for what can be no id.
pub(super) fn path_of(id: &NativeId) -> Option<String> {
    let id = id.to_string();
    if let Some(number) = number(&id) {
        return Some(format!("/incidents/{number}"));
    }
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    // A word alone could be another path of the API, as `sources` is.
    (plain && id.contains('-')).then(|| format!("/incidents/{}", uri::segment(&id)))
}

/// Whether an error speaks of how something was asked, not of the server's state.
fn about_the_question(error: &SourceError) -> bool {
    matches!(error.kind(), SourceErrorKind::Rejected | SourceErrorKind::NotFound | SourceErrorKind::Malformed)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
