//! Incidents: a page of the list, or by id.

use super::client::{
    ASSETS, Chunk, Client, ENTITIES, Endpoint, FOLDERS, INCIDENTS, LABELS, MAX_REQUEST_LINE_BYTES, TERMS,
};
use super::map::{Mapper, Notes};
use super::people::People;
use super::query::{Linked, NoQuery, Query, ordering};
use super::release::MAX_PAGE_SIZE;
use super::wire::{IncidentRow, Page, Row};
use crate::{
    domain::{Incident, NativeId, RawJson, Rows, Test},
    source::{Call, Found, ListRequest, SourceError, SourceErrorKind, Want},
    upstream::UpstreamResponse,
};
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;

const OPERATION: &str = INCIDENTS.operation;

/// What reading incidents needs.
pub(super) struct Incidents<'a> {
    pub(super) client: &'a Client,
    pub(super) mapper: &'a Mapper,
    pub(super) people: &'a People,
    pub(super) call: &'a Call,
}

/// A row of which nothing but the id matters.
#[derive(Deserialize)]
struct AnyRow {
    id: super::wire::Id,
}

impl Row for AnyRow {}

/// What became of a list.
enum Listed {
    Page(UpstreamResponse),
    /// Parameters in which an id stands that the server does not know.
    Unknown(Vec<String>),
}

impl Incidents<'_> {
    /// A page. Ids in the filter that the server does not know match nothing.
    pub(super) async fn list(&self, request: &ListRequest) -> Result<Rows<Arc<Incident>>, SourceError> {
        let Some(query) = self.query(&request.tests)? else { return Ok(none()) };
        let Some(ordering) = ordering(request.order) else { return Err(self.not_possible()) };
        let limit = request.limit.clamp(1, MAX_PAGE_SIZE);
        let page = format!("limit={limit}&offset={}&ordering={ordering}", request.offset);
        let Some(answer) = self.ask(query, &page).await? else { return Ok(none()) };
        let page: Page<IncidentRow> = self.client.open_page(self.call, INCIDENTS, &answer, request.want.raw)?;
        let (count, sent) = (page.count, page.sent);
        let malformed = u32::try_from(page.broken.len()).unwrap_or(u32::MAX);
        let (items, notes) = self.map(page);
        let after = request.offset.saturating_add(sent as u64);
        Ok(Rows {
            items,
            total: Some(count),
            more: sent > 0 && after < count,
            consumed: sent,
            malformed,
            masked: notes.masked,
            ..Rows::default()
        })
    }

    /// Incidents by id.
    pub(super) async fn fetch(&self, ids: &[NativeId], want: Want) -> Result<Found<Arc<Incident>>, SourceError> {
        let chunks = self.client.by_ids(self.call, INCIDENTS, ids, want.raw).await;
        collect(chunks, |page| {
            let (items, notes) = self.map(page);
            (items.into_iter().map(|incident| (incident.key.native.clone(), incident)).collect(), notes.masked)
        })
    }

    /// Rows to incidents; words that are in no release seen are told to the log.
    pub(super) fn map(&self, page: Page<IncidentRow>) -> (Vec<Arc<Incident>>, Notes) {
        let mut notes = Notes::default();
        let rows = page.rows.into_iter();
        let items =
            rows.map(|(row, raw)| Arc::new(self.mapper.incident(row, raw.map(RawJson::new), &mut notes))).collect();
        for (member, word) in &notes.unknown {
            self.client.tell_unknown(self.call, INCIDENTS, member, word);
        }
        (items, notes)
    }

    /// The query of some tests; none if nothing can match.
    pub(super) fn query(&self, tests: &[Test]) -> Result<Option<Query>, SourceError> {
        match Query::new(tests, &self.client.source) {
            Ok(query) => Ok(Some(query)),
            Err(NoQuery::NothingMatches) => Ok(None),
            Err(NoQuery::NotPossible) => Err(self.not_possible()),
        }
    }

    /// The same query with only those ids that the server knows; none if nothing can match then. Costs a small list
    /// call.
    pub(super) async fn known(&self, query: Query) -> Result<Option<Query>, SourceError> {
        if query.linked.is_empty() {
            return Ok(Some(query));
        }
        match self.try_list(&query, "limit=1").await? {
            Listed::Page(_) => Ok(Some(query)),
            Listed::Unknown(parameters) => self.reduce(query, &parameters).await,
        }
    }

    /// Asks; if ids are unknown to the server, once more without them. None if nothing can match.
    async fn ask(&self, query: Query, page: &str) -> Result<Option<UpstreamResponse>, SourceError> {
        let parameters = match self.try_list(&query, page).await? {
            Listed::Page(answer) => return Ok(Some(answer)),
            Listed::Unknown(parameters) => parameters,
        };
        let Some(query) = self.reduce(query, &parameters).await? else { return Ok(None) };
        match self.try_list(&query, page).await? {
            Listed::Page(answer) => Ok(Some(answer)),
            Listed::Unknown(_) => Err(SourceError::from_status(&self.client.source, OPERATION, 400, None)),
        }
    }

    async fn try_list(&self, query: &Query, page: &str) -> Result<Listed, SourceError> {
        let filter = query.text();
        let path = format!("{}?{page}{}{filter}", INCIDENTS.path, if filter.is_empty() { "" } else { "&" });
        if self.client.upstream.request_line_bytes(&path) > MAX_REQUEST_LINE_BYTES {
            let text = format!("The filter is longer than the source “{}” takes in one request.", self.client.source);
            return Err(SourceError::new(SourceErrorKind::Rejected, &self.client.source, OPERATION, text));
        }
        let answer = self.client.ask(self.call, OPERATION, path).await?;
        if answer.status == 400 {
            let told: Map<String, Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
            let is_linked = |name: &&String| query.linked.iter().any(|linked| linked.parameter == name.as_str());
            let unknown: Vec<String> = told.keys().filter(is_linked).cloned().collect();
            // Anything else that is refused would be refused again.
            if !unknown.is_empty() && unknown.len() == told.len() {
                return Ok(Listed::Unknown(unknown));
            }
        }
        self.client.check(OPERATION, &answer)?;
        Ok(Listed::Page(answer))
    }

    /// Leaves out of these parameters the ids that do not exist.
    async fn reduce(&self, mut query: Query, parameters: &[String]) -> Result<Option<Query>, SourceError> {
        let checked = query.linked.iter_mut().filter(|linked| parameters.iter().any(|name| name == linked.parameter));
        let left = join_all(checked.map(async |linked| {
            linked.ids = self.existing(linked).await?;
            Ok(!linked.ids.is_empty())
        }));
        let left: Result<Vec<bool>, SourceError> = left.await.into_iter().collect();
        Ok(left?.into_iter().all(|any| any).then_some(query))
    }

    async fn existing(&self, linked: &Linked) -> Result<Vec<NativeId>, SourceError> {
        let list: Endpoint = match linked.parameter {
            "owners" => return self.people.existing(self.client, self.call, &linked.ids).await,
            "folder" => FOLDERS,
            "assets" => ASSETS,
            "qualifications" => TERMS,
            "entities" => ENTITIES,
            "filtering_labels" => LABELS,
            // Lists of which nothing is documented: the filter itself tells.
            _ => return self.accepted(linked).await,
        };
        let mut existing = Vec::new();
        for chunk in self.client.by_ids::<AnyRow>(self.call, list, &linked.ids, false).await {
            existing.extend(chunk.answer?.rows.into_iter().map(|(row, _)| row.id.0));
        }
        existing.retain(|id| linked.ids.contains(id));
        Ok(existing)
    }

    /// The ids that the filter takes, each tried alone.
    async fn accepted(&self, linked: &Linked) -> Result<Vec<NativeId>, SourceError> {
        let tried = linked.ids.iter().map(async |id| {
            let alone = Linked { parameter: linked.parameter, ids: vec![id.clone()] };
            let query = Query { fixed: Vec::new(), linked: vec![alone] };
            let listed = self.try_list(&query, "limit=1").await?;
            Ok(matches!(listed, Listed::Page(_)).then(|| id.clone()))
        });
        let tried: Result<Vec<Option<NativeId>>, SourceError> = join_all(tried).await.into_iter().collect();
        Ok(tried?.into_iter().flatten().collect())
    }

    fn not_possible(&self) -> SourceError {
        let text = "The gateway planned a request that the source cannot answer.";
        SourceError::new(SourceErrorKind::Internal, &self.client.source, OPERATION, text)
    }
}

fn none() -> Rows<Arc<Incident>> {
    Rows { total: Some(0), ..Rows::default() }
}

/// Puts the answers for several chunks of ids together. Chunks that failed leave the others their answer; only if all
/// have failed, all has.
pub(super) fn collect<R, T>(
    chunks: Vec<Chunk<R>>,
    mut map: impl FnMut(Page<R>) -> (Vec<(NativeId, T)>, u32),
) -> Result<Found<T>, SourceError> {
    let (mut found, mut answered) = (Found::default(), chunks.is_empty());
    let mut last = None;
    for chunk in chunks {
        match chunk.answer {
            Ok(page) => {
                answered = true;
                found.malformed += u32::try_from(page.broken.len()).unwrap_or(u32::MAX);
                let (mut items, masked) = map(page);
                // A server that ignores `id` answers with everything.
                items.retain(|(id, _)| chunk.ids.binary_search(id).is_ok());
                found.items.extend(items);
                found.masked += masked;
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
