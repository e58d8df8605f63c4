//! The conversation: paths, pages, batches by id, and what an answer that is no success means.

use super::wire::{Page, read_page};
use crate::{
    domain::{NativeId, SourceName},
    source::{Call, SourceError},
    telemetry::events,
    upstream::{
        Remember, Upstream, UpstreamRequest, UpstreamResponse,
        header::{ACCEPT, ACCEPT_LANGUAGE, HeaderValue},
        uri::{self, IdList},
    },
    vendors::common::{Broken, Row, read_record, told},
};
use futures_util::future::join_all;

/// The stock start script answers longer request lines with 400 (observed on v3.15.1).
pub(super) const MAX_REQUEST_LINE_BYTES: usize = 5_120;

/// Rows of one answer to a question that names its rows: more than any such question can name, and fewer than the
/// server's own default.
const ROWS_BY_ID: usize = 500;

/// Rows of one answer where a whole list is read: the server's own default.
pub(super) const ROWS_OF_ALL: usize = 5_000;

/// A whole list is read up to so many rows; arbitrary, ten times the largest tenant that one would call large.
const MOST_ROWS: usize = 100_000;

/// A list of the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint {
    pub(super) path: &'static str,
    /// What reading it is called in logs and errors.
    pub(super) operation: &'static str,
    /// What one row is called in logs.
    pub(super) item: &'static str,
}

const fn endpoint(path: &'static str, operation: &'static str, item: &'static str) -> Endpoint {
    Endpoint { path, operation, item }
}

pub(super) const INCIDENTS: Endpoint = endpoint("/api/incidents/", "list_incidents", "incident");
pub(super) const ENTRIES: Endpoint = endpoint("/api/timeline-entries/", "list_timeline_entries", "timeline entry");
pub(super) const ASSETS: Endpoint = endpoint("/api/assets/", "list_assets", "asset");
pub(super) const THREATS: Endpoint = endpoint("/api/threats/", "list_threats", "threat");
pub(super) const EVIDENCES: Endpoint = endpoint("/api/evidences/", "list_evidences", "evidence");
pub(super) const ACTORS: Endpoint = endpoint("/api/actors/", "list_actors", "actor");
pub(super) const USERS: Endpoint = endpoint("/api/users/", "list_users", "user");
pub(super) const TEAMS: Endpoint = endpoint("/api/teams/", "list_teams", "team");
pub(super) const ENTITIES: Endpoint = endpoint("/api/entities/", "list_entities", "entity");
pub(super) const FOLDERS: Endpoint = endpoint("/api/folders/", "list_folders", "folder");
pub(super) const LABELS: Endpoint = endpoint("/api/filtering-labels/", "list_labels", "label");
pub(super) const TERMS: Endpoint = endpoint("/api/terminologies/", "list_terms", "term");

/// What may be remembered of a path with its query. Lists of people are remembered elsewhere, where it is known when they
/// must be read anew; whatever is not a list (the release, previews) is asked for now or not at all.
fn remember(path: &str) -> Remember {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let is_one_of = |lists: &[Endpoint]| lists.iter().any(|list| list.path == path);
    let by_id = query.split('&').any(|parameter| parameter.starts_with("id="));
    match (by_id, path) {
        (false, _) if is_one_of(&[ACTORS, USERS, TEAMS]) => Remember::Never,
        (false, _) if is_one_of(&[FOLDERS, LABELS, TERMS, ENTITIES]) => Remember::Catalogue,
        (false, _) if is_one_of(&[INCIDENTS, ENTRIES, ASSETS, THREATS, EVIDENCES]) => Remember::List,
        (true, _) if path.starts_with("/api/") => Remember::Detail,
        _ => Remember::Never,
    }
}

/// What became of one call for many ids.
pub(super) struct Chunk<T> {
    pub(super) ids: Vec<NativeId>,
    pub(super) answer: Result<Page<T>, SourceError>,
}

/// One server.
pub(super) struct Client {
    pub(super) source: SourceName,
    pub(super) upstream: Upstream,
}

impl Client {
    /// A GET that wants JSON. Messages are asked for in one language, so that the log can be read.
    pub(super) fn request(operation: &'static str, path: String) -> UpstreamRequest {
        let remember = remember(&path);
        UpstreamRequest::get(operation, path)
            .remember(remember)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(ACCEPT_LANGUAGE, HeaderValue::from_static("en"))
    }

    /// Asks for JSON; any status is an answer here.
    pub(super) async fn ask(
        &self,
        call: &Call,
        operation: &'static str,
        path: String,
    ) -> Result<UpstreamResponse, SourceError> {
        let answer = self.upstream.send(&call.context, Self::request(operation, path)).await;
        answer.map_err(|error| SourceError::from_upstream(&self.source, operation, error))
    }

    /// Asks for JSON and takes nothing else.
    pub(super) async fn json(
        &self,
        call: &Call,
        operation: &'static str,
        path: String,
    ) -> Result<UpstreamResponse, SourceError> {
        let answer = self.ask(call, operation, path).await?;
        self.check(operation, &answer)?;
        Ok(answer)
    }

    /// Whether an answer is a success and JSON.
    pub(super) fn check(&self, operation: &'static str, answer: &UpstreamResponse) -> Result<(), SourceError> {
        match answer {
            answer if !answer.is_success() => Err(self.refusal(operation, answer)),
            answer if answer.body.is_empty() => Err(SourceError::malformed(&self.source, operation, "nothing")),
            answer if !answer.is_json() => {
                Err(SourceError::malformed(&self.source, operation, "with something that is not JSON"))
            }
            _ => Ok(()),
        }
    }

    /// What an answer that is no success means. Its words are in the log by now.
    pub(super) fn refusal(&self, operation: &'static str, answer: &UpstreamResponse) -> SourceError {
        // An object that is not there is told in JSON; a page means that the address itself is unknown.
        if answer.status == 404 && !answer.is_json() {
            let what = "that it has no such address (check the source's url)";
            return SourceError::malformed(&self.source, operation, what);
        }
        SourceError::from_status(&self.source, operation, answer.status, answer.retry_after())
    }

    /// One page. `query` is already encoded.
    pub(super) async fn page<T: Row>(
        &self,
        call: &Call,
        list: Endpoint,
        query: &str,
        raw: bool,
    ) -> Result<Page<T>, SourceError> {
        let answer = self.json(call, list.operation, format!("{}?{query}", list.path)).await?;
        self.open_page(call, list, &answer, raw)
    }

    /// Reads a page out of an answer; what is broken in it is told to the log.
    pub(super) fn open_page<T: Row>(
        &self,
        call: &Call,
        list: Endpoint,
        answer: &UpstreamResponse,
        raw: bool,
    ) -> Result<Page<T>, SourceError> {
        let page = read_page(&answer.body, raw).map_err(|problem| self.unreadable(call, list, &problem))?;
        for broken in &page.broken {
            self.tell_broken(call, list, broken);
        }
        Ok(page)
    }

    /// A single record.
    pub(super) async fn record<T: Row>(&self, call: &Call, of: Endpoint, path: String) -> Result<T, SourceError> {
        let answer = self.json(call, of.operation, path).await?;
        match read_record(&String::from_utf8_lossy(&answer.body)) {
            Ok((record, problem)) => {
                problem.iter().for_each(|broken| self.tell_broken(call, of, broken));
                Ok(record)
            }
            Err(broken) => {
                self.tell_broken(call, of, &broken);
                Err(SourceError::malformed(&self.source, of.operation, "with a record that cannot be read"))
            }
        }
    }

    /// Rows by id: one call for as many ids as a request line holds, all at the same time. Ids that are no UUIDs are
    /// left out, since a single one would fail all others.
    pub(super) async fn by_ids<T: Row>(
        &self,
        call: &Call,
        list: Endpoint,
        ids: &[NativeId],
        raw: bool,
    ) -> Vec<Chunk<T>> {
        let mut ids: Vec<NativeId> = ids.iter().filter(|id| id.is_uuid()).cloned().collect();
        ids.sort_unstable();
        ids.dedup();
        let texts: Vec<String> = ids.iter().map(NativeId::to_string).collect();
        // Without a limit the server's default would cut the answer where an operator has lowered it.
        let head = format!("limit={ROWS_BY_ID}&");
        let chunks = self.chunks(list, &head, &texts, IdList::Commas("id"));
        join_all(chunks.into_iter().map(|chunk| {
            let query = format!("{head}{}", IdList::Commas("id").write(&texts[chunk.clone()]));
            let ids = ids[chunk].to_vec();
            async move { Chunk { ids, answer: self.page(call, list, &query, raw).await } }
        }))
        .await
    }

    /// Ranges of ids such that each fits into a request line after `head`.
    pub(super) fn chunks(
        &self,
        list: Endpoint,
        head: &str,
        ids: &[String],
        how: IdList<'_>,
    ) -> Vec<std::ops::Range<usize>> {
        let line = self.upstream.request_line_bytes(&format!("{}?{head}", list.path));
        uri::chunk_by_bytes(line, ids, how, MAX_REQUEST_LINE_BYTES)
    }

    /// A whole list, page after page, for the lists that the server gives only so.
    pub(super) async fn all<T: Row>(
        &self,
        call: &Call,
        list: Endpoint,
        filter: &str,
        raw: bool,
    ) -> Result<Page<T>, SourceError> {
        let mut all: Page<T> = self.page(call, list, &format!("{filter}limit={ROWS_OF_ALL}"), raw).await?;
        while all.sent < MOST_ROWS && (all.sent as u64) < all.count {
            let query = format!("{filter}limit={ROWS_OF_ALL}&offset={}", all.sent);
            let next: Page<T> = self.page(call, list, &query, raw).await?;
            if next.sent == 0 {
                break;
            }
            all.sent += next.sent;
            all.rows.extend(next.rows);
            all.broken.extend(next.broken);
        }
        Ok(all)
    }

    /// A word of a closed set that is in no release seen.
    pub(super) fn tell_unknown(&self, call: &Call, list: Endpoint, member: &str, word: &str) {
        events::unknown_word(told(&self.source, list.operation, call), list.item, &format!("{member}: {word:?}"));
    }

    fn tell_broken(&self, call: &Call, list: Endpoint, broken: &Broken) {
        events::malformed_item(
            told(&self.source, list.operation, call),
            list.item,
            broken.id.as_deref(),
            &broken.problem,
        );
    }

    pub(super) fn unreadable(&self, call: &Call, list: Endpoint, problem: &str) -> SourceError {
        events::malformed_item(told(&self.source, list.operation, call), "answer", None, problem);
        SourceError::malformed(&self.source, list.operation, "with JSON of another shape than documented")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_decided_by_list_and_id() {
        for (path, expected) in [
            ("/api/incidents/?limit=10&ordering=-updated_at", Remember::List),
            ("/api/incidents/?limit=500&id=a,b", Remember::Detail),
            ("/api/incidents/?folder_id=a", Remember::List),
            ("/api/folders/?limit=5000", Remember::Catalogue),
            ("/api/folders/?limit=500&id=a", Remember::Detail),
            ("/api/actors/?limit=5000", Remember::Never),
            ("/api/build/", Remember::Never),
            ("/api/incidents/a/cascade-info/", Remember::Never),
        ] {
            assert_eq!(remember(path), expected, "{path}");
        }
    }
}
