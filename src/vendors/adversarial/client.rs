//! The conversation: paths, answers, and what one that is no success means.

use super::wire::{Page, open};
use crate::{
    domain::{NativeId, SourceName},
    source::{Call, SourceError},
    telemetry::events,
    upstream::{
        Remember, Upstream, UpstreamRequest, UpstreamResponse,
        header::{ACCEPT, HeaderValue},
    },
    vendors::common::{Broken, Revisions, text, told},
};

/// The vendor's pages leave out `/api`.
pub(super) const API: &str = "/api/v1";
pub(super) const JSON: &str = "application/json";

/// Something that can be asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint {
    /// What reading it is called in logs and errors.
    pub(super) operation: &'static str,
    /// What one row is called in logs.
    pub(super) item: &'static str,
    /// Under which of these names the rows stand.
    pub(super) rows: &'static [&'static str],
}

const fn endpoint(operation: &'static str, item: &'static str, rows: &'static [&'static str]) -> Endpoint {
    Endpoint { operation, item, rows }
}

/// The older pages say `incidents`, the vendor's newer client reads `results`.
pub(super) const INCIDENTS: Endpoint = endpoint("list_incidents", "incident", &["incidents", "results"]);
pub(super) const INCIDENT: Endpoint = endpoint("read_incident", "incident", &[]);
pub(super) const COMMENTS: Endpoint = endpoint("list_comments", "comment", &["comments", "results"]);
pub(super) const HISTORY: Endpoint = endpoint("list_history", "history entry", &["entries", "results"]);
pub(super) const SOURCES: Endpoint = endpoint("list_sources", "source", &["sources", "results"]);
pub(super) const PICTURE: Endpoint = endpoint("read_picture", "picture", &[]);
pub(super) const ME: Endpoint = endpoint("read_account", "user", &[]);

/// One server.
pub(super) struct Client {
    pub(super) source: SourceName,
    pub(super) upstream: Upstream,
    /// Of the incidents that were read.
    pub(super) revisions: Revisions,
}

impl Endpoint {
    /// What may be remembered; never who the gateway is, which tells whether its credential is taken.
    fn remember(self) -> Remember {
        match self.operation {
            operation if operation == INCIDENTS.operation => Remember::List,
            operation if operation == SOURCES.operation => Remember::Catalogue,
            operation if operation == ME.operation => Remember::Never,
            _ => Remember::Detail,
        }
    }
}

/// `path` begins below `/api/v1` and is already encoded.
fn request(of: Endpoint, path: &str) -> UpstreamRequest {
    UpstreamRequest::get(of.operation, format!("{API}{path}"))
        .remember(of.remember())
        .header(ACCEPT, HeaderValue::from_static(JSON))
}

impl Client {
    /// Asks for JSON; any status is an answer here. `path` begins below `/api/v1` and is already encoded.
    pub(super) async fn ask(&self, call: &Call, of: Endpoint, path: &str) -> Result<UpstreamResponse, SourceError> {
        self.send(call, of, request(of, path)).await
    }

    async fn send(&self, call: &Call, of: Endpoint, request: UpstreamRequest) -> Result<UpstreamResponse, SourceError> {
        let answer = self.upstream.send(&call.context, request).await;
        answer.map_err(|error| SourceError::from_upstream(&self.source, of.operation, error))
    }

    /// Asks for JSON and takes nothing else.
    pub(super) async fn json(&self, call: &Call, of: Endpoint, path: &str) -> Result<UpstreamResponse, SourceError> {
        let answer = self.ask(call, of, path).await?;
        self.check(of, &answer)?;
        Ok(answer)
    }

    /// Whether an answer is a success and JSON.
    pub(super) fn check(&self, of: Endpoint, answer: &UpstreamResponse) -> Result<(), SourceError> {
        match answer {
            answer if !answer.is_success() => Err(self.refusal(of, answer)),
            answer if answer.body.is_empty() => Err(SourceError::malformed(&self.source, of.operation, "nothing")),
            answer if !answer.is_json() => {
                Err(SourceError::malformed(&self.source, of.operation, "with something that is not JSON"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn refusal(&self, of: Endpoint, answer: &UpstreamResponse) -> SourceError {
        // What is not there is told in JSON; a page means that the address itself is unknown.
        if answer.status == 404 && !answer.is_json() {
            let what = "that it has no such address (check the source's url)";
            return SourceError::malformed(&self.source, of.operation, what);
        }
        SourceError::from_status(&self.source, of.operation, answer.status, answer.retry_after())
    }

    /// A list, taken apart into rows that `read` reads; what is broken in them is told to the log.
    pub(super) async fn page<T>(
        &self,
        call: &Call,
        of: Endpoint,
        path: &str,
        raw: bool,
        read: impl Fn(&str) -> Result<(T, Option<Broken>), Broken>,
    ) -> Result<Page<T>, SourceError> {
        let answer = self.json(call, of, path).await?;
        self.rows(call, of, &answer, raw, read)
    }

    /// The same, of what belongs to one incident: as long as that is in the state that it was last seen in, it is asked for
    /// once.
    pub(super) async fn page_of<T>(
        &self,
        call: &Call,
        of: Endpoint,
        incident: &NativeId,
        path: &str,
        raw: bool,
        read: impl Fn(&str) -> Result<(T, Option<Broken>), Broken>,
    ) -> Result<Page<T>, SourceError> {
        let answer = self.send(call, of, self.revisions.of(incident, request(of, path))).await?;
        self.check(of, &answer)?;
        self.rows(call, of, &answer, raw, read)
    }

    fn rows<T>(
        &self,
        call: &Call,
        of: Endpoint,
        answer: &UpstreamResponse,
        raw: bool,
        read: impl Fn(&str) -> Result<(T, Option<Broken>), Broken>,
    ) -> Result<Page<T>, SourceError> {
        let body = text(&answer.body);
        let opened = open(&body, of.rows).map_err(|problem| self.unreadable(call, of, &problem))?;
        let page = opened.read(raw, read);
        for (_, broken) in &page.broken {
            self.tell_broken(call, of, broken);
        }
        Ok(page)
    }

    /// A word of a closed set that no document has.
    pub(super) fn tell_unknown(&self, call: &Call, of: Endpoint, member: &str, word: &str) {
        events::unknown_word(told(&self.source, of.operation, call), of.item, &format!("{member}: {word:?}"));
    }

    pub(super) fn tell_broken(&self, call: &Call, of: Endpoint, broken: &Broken) {
        let told = told(&self.source, of.operation, call);
        events::malformed_item(told, of.item, broken.id.as_deref(), &broken.problem);
    }

    pub(super) fn unreadable(&self, call: &Call, of: Endpoint, problem: &str) -> SourceError {
        events::malformed_item(told(&self.source, of.operation, call), "answer", None, problem);
        SourceError::malformed(&self.source, of.operation, "with JSON of another shape than documented")
    }
}
