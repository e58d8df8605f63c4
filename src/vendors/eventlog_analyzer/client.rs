//! The conversation: paths, pages, and what an answer that is no success means.

use super::config::{Config, ResponseType};
use super::map::Notes;
use super::wire::{self, Detail, IncidentRow, Page, UserRow};
use crate::{
    domain::{NativeId, SourceName},
    source::{Call, SourceError},
    telemetry::events,
    upstream::{
        Remember, Upstream, UpstreamRequest, UpstreamResponse,
        header::{ACCEPT, HeaderValue},
        uri,
    },
    vendors::common::{Broken, told},
};

pub(super) const LIST: &str = "list_incidents";
pub(super) const DETAIL: &str = "read_incident";
pub(super) const USERS: &str = "list_users";

/// What may be remembered: not the users, which are remembered elsewhere, and no probe.
fn remember(operation: &str) -> Remember {
    match operation {
        LIST => Remember::List,
        DETAIL => Remember::Detail,
        _ => Remember::Never,
    }
}

const INCIDENTS: &str = "/api/v2/incident";

/// The two documented codes of refusals (published document). Texts beside them may change and are not looked at.
const BAD_TOKEN: &str = "07001113";
const BAD_REQUEST: &str = "07001110";

/// One server.
pub(super) struct Client {
    pub(super) source: SourceName,
    pub(super) upstream: Upstream,
    pub(super) response_type: ResponseType,
    pub(super) users_path: String,
}

impl Client {
    pub(super) fn new(source: &SourceName, upstream: Upstream, config: &Config) -> Self {
        Client {
            source: source.clone(),
            upstream,
            response_type: config.response_type,
            users_path: config.users_path.clone(),
        }
    }

    /// A page of the list.
    pub(super) async fn page(
        &self,
        call: &Call,
        mut parameters: Vec<(&'static str, String)>,
        raw: bool,
    ) -> Result<Page<IncidentRow>, SourceError> {
        parameters.push(self.representation());
        let answer = self.ask(call, LIST, format!("{INCIDENTS}?{}", uri::query(parameters))).await?;
        let page = self.read_page(call, LIST, &answer, raw)?;
        self.tell_broken(call, LIST, "incident", &page.rows.broken);
        Ok(page)
    }

    /// A page, if the answer is one.
    pub(super) fn read_page(
        &self,
        call: &Call,
        operation: &'static str,
        answer: &UpstreamResponse,
        raw: bool,
    ) -> Result<Page<IncidentRow>, SourceError> {
        self.check(call, operation, answer)?;
        wire::read_list(&answer.body, raw).map_err(|problem| self.unreadable(call, operation, &problem))
    }

    /// Path and query of the shortest list: a question that costs next to nothing.
    pub(super) fn shortest_list(&self) -> String {
        format!("{INCIDENTS}?{}", uri::query([("limit", "1".to_owned()), self.representation()]))
    }

    /// What the list does not tell of an incident. None if there is no such incident, where the server says so: that an
    /// unknown id is a 404 is not documented.
    pub(super) async fn detail(&self, call: &Call, id: &NativeId, raw: bool) -> Result<Option<Detail>, SourceError> {
        let query = uri::query([self.representation()]);
        let answer = self.ask(call, DETAIL, format!("{INCIDENTS}/{id}?{query}")).await?;
        if answer.status == 404 && answer.is_json() {
            return Ok(None);
        }
        self.check(call, DETAIL, &answer)?;
        let detail = wire::read_detail(&answer.body, raw);
        detail.map(Some).map_err(|problem| self.unreadable(call, DETAIL, &problem))
    }

    /// All users.
    pub(super) async fn users(&self, call: &Call) -> Result<Page<UserRow>, SourceError> {
        let answer = self.json(call, USERS, self.users_path.clone()).await?;
        let page: Page<UserRow> =
            wire::read_list(&answer.body, true).map_err(|problem| self.unreadable(call, USERS, &problem))?;
        self.tell_broken(call, USERS, "user", &page.rows.broken);
        Ok(page)
    }

    /// Always said, although one of both is the default: what the times mean hangs on it.
    fn representation(&self) -> (&'static str, String) {
        let word = match self.response_type {
            ResponseType::Server => "server",
            ResponseType::Client => "client",
        };
        ("response_type", word.to_owned())
    }

    /// Any status is an answer here.
    pub(super) async fn ask(
        &self,
        call: &Call,
        operation: &'static str,
        path: String,
    ) -> Result<UpstreamResponse, SourceError> {
        let request = UpstreamRequest::get(operation, path)
            .remember(remember(operation))
            .usable_if(|answer| wire::refusal_code(&answer.body).is_none())
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = self.upstream.send(&call.context, request).await;
        answer.map_err(|error| SourceError::from_upstream(&self.source, operation, error))
    }

    async fn json(&self, call: &Call, operation: &'static str, path: String) -> Result<UpstreamResponse, SourceError> {
        let answer = self.ask(call, operation, path).await?;
        self.check(call, operation, &answer)?;
        Ok(answer)
    }

    /// Whether an answer is a success and JSON.
    pub(super) fn check(
        &self,
        call: &Call,
        operation: &'static str,
        answer: &UpstreamResponse,
    ) -> Result<(), SourceError> {
        let malformed = |what| Err(SourceError::malformed(&self.source, operation, what));
        let code = wire::refusal_code(&answer.body);
        match answer {
            answer if !answer.is_success() => Err(self.refusal(operation, answer, code.as_deref())),
            answer if answer.body.is_empty() => malformed("nothing"),
            answer if !answer.is_json() => malformed("with something that is not JSON"),
            // Which status a refusal has is not documented: it may be that of a success.
            answer if code.is_some() => {
                events::vendor_refused(told(&self.source, operation, call), answer.status, &answer.body);
                Err(self.refusal(operation, answer, code.as_deref()))
            }
            _ => Ok(()),
        }
    }

    /// What a refusal means: by its code where that is documented, else by the status.
    fn refusal(&self, operation: &'static str, answer: &UpstreamResponse, code: Option<&str>) -> SourceError {
        if answer.status == 404 && code.is_none() {
            let what = "that it has no such address (check the source's url)";
            return SourceError::malformed(&self.source, operation, what);
        }
        let status = match (answer.status, code) {
            // Whatever the words beside it: the server asks for time, or is not well.
            (429 | 500.., _) => answer.status,
            (_, Some(BAD_TOKEN)) => 401,
            // The code says less than the status.
            (403, Some(BAD_REQUEST)) => 403,
            (_, Some(BAD_REQUEST)) | (200..=299, _) => 400,
            (status, _) => status,
        };
        SourceError::from_status(&self.source, operation, status, answer.retry_after())
    }

    /// Tells the log what was noticed while mapping. Returns how many values were broken.
    pub(super) fn tell(&self, call: &Call, operation: &'static str, item: &'static str, notes: &Notes) -> u32 {
        let told = told(&self.source, operation, call);
        for (member, word) in &notes.unknown {
            events::unknown_word(told, item, &format!("{member}: {word:?}"));
        }
        for (id, problem) in &notes.broken {
            events::malformed_item(told, item, id.as_deref(), problem);
        }
        if notes.twice > 0 || notes.never > 0 {
            events::uncertain_times(told, notes.twice, notes.never);
        }
        count(notes.broken.len())
    }

    fn tell_broken(&self, call: &Call, operation: &'static str, item: &'static str, all: &[Broken]) {
        for broken in all {
            events::malformed_item(told(&self.source, operation, call), item, broken.id.as_deref(), &broken.problem);
        }
    }

    fn unreadable(&self, call: &Call, operation: &'static str, problem: &str) -> SourceError {
        events::malformed_item(told(&self.source, operation, call), "answer", None, problem);
        SourceError::malformed(&self.source, operation, "with JSON of another shape than documented")
    }
}

/// A number of things for a report.
pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
