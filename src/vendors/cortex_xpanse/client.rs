//! The conversation: every call is a POST with `request_data`, every success has a `reply`.

use super::map::{Mapper, Notes};
use super::query::Sort;
use super::sorted::Undated;
use super::wire::{self, NoReply};
use crate::{
    domain::{NativeId, SourceName},
    source::{Call, SourceError, SourceErrorKind},
    telemetry::events,
    upstream::{
        Method, Remember, Upstream, UpstreamRequest, UpstreamResponse,
        header::{ACCEPT, HeaderValue},
    },
    vendors::common::{Revisions, text, told},
};
use serde_json::{Value, json};
use std::{borrow::Cow, time::Duration};

/// The longest window of a list (published document, “The maximum result set size”; the vendor's clients refuse more).
pub(super) const WINDOW: usize = 100;

/// A call of the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint {
    path: &'static str,
    /// What it is called in logs and errors.
    pub(super) operation: &'static str,
    /// What one of its records is called in logs.
    item: &'static str,
}

const fn endpoint(path: &'static str, operation: &'static str, item: &'static str) -> Endpoint {
    Endpoint { path, operation, item }
}

/// Older documents write a slash at the end, newer ones none; with it, the server takes both.
pub(super) const INCIDENTS: Endpoint =
    endpoint("/public_api/v1/incidents/get_incidents/", "list_incidents", "incident");
pub(super) const EXTRA_DATA: Endpoint =
    endpoint("/public_api/v1/incidents/get_incident_extra_data/", "read_extra_data", "extra data");
pub(super) const ALERTS: Endpoint = endpoint("/public_api/v2/alerts/get_alerts_multi_events/", "list_alerts", "alert");
pub(super) const VALIDATE: Endpoint = endpoint("/api_keys/validate/", "probe", "validation");

/// One server.
pub(super) struct Client {
    pub(super) source: SourceName,
    pub(super) upstream: Upstream,
    pub(super) mapper: Mapper,
    /// Of the incidents that the lists gave.
    pub(super) revisions: Revisions,
    /// How lists are sorted for which any order will do.
    pub(super) unsorted: Sort,
    pub(super) undated: Undated,
}

/// The body of an answer, as text.
pub(super) struct Body(UpstreamResponse);

impl Body {
    pub(super) fn text(&self) -> Cow<'_, str> {
        text(&self.0.body)
    }
}

/// All that is asked here reads, so it may be repeated.
fn request(of: Endpoint, data: Value) -> UpstreamRequest {
    let remember = if of.operation == INCIDENTS.operation { Remember::List } else { Remember::Detail };
    UpstreamRequest::post_json(of.operation, of.path, &json!({ "request_data": data }))
        .safe()
        .remember(remember)
        .usable_if(usable)
}

/// A refusal may come with 200.
fn usable(answer: &UpstreamResponse) -> bool {
    answer.is_success() && wire::reply(&text(&answer.body)).is_ok()
}

/// The status of a refusal. 500 is documented as one for all failures; the body may know better.
fn refused_with(answer: &UpstreamResponse) -> u16 {
    match wire::reply(&text(&answer.body)) {
        Err(NoReply::Failed(code)) if answer.status == 500 => code,
        _ => answer.status,
    }
}

impl Client {
    /// Asks; takes only JSON.
    pub(super) async fn ask(&self, call: &Call, of: Endpoint, data: Value) -> Result<Body, SourceError> {
        self.read(call, of, request(of, data)).await
    }

    /// Asks for what belongs to one incident. While it is not modified, that is asked for once.
    pub(super) async fn ask_of(
        &self,
        call: &Call,
        of: Endpoint,
        incident: &NativeId,
        data: Value,
    ) -> Result<Body, SourceError> {
        self.read(call, of, self.revisions.of(incident, request(of, data))).await
    }

    async fn read(&self, call: &Call, of: Endpoint, request: UpstreamRequest) -> Result<Body, SourceError> {
        let answer = self.send(call, of, request).await?;
        self.check(of, &answer)?;
        Ok(Body(answer))
    }

    /// Asks without a body whether the key is taken. Any status is an answer here.
    pub(super) async fn validate(&self, call: &Call) -> Result<UpstreamResponse, SourceError> {
        let mut request = UpstreamRequest::get(VALIDATE.operation, VALIDATE.path);
        request.method = Method::Post;
        self.send(call, VALIDATE, request).await
    }

    async fn send(&self, call: &Call, of: Endpoint, request: UpstreamRequest) -> Result<UpstreamResponse, SourceError> {
        let request = request.header(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = self.upstream.send(&call.context, request).await;
        answer.map_err(|error| SourceError::from_upstream(&self.source, of.operation, error))
    }

    /// Whether an answer is a success and JSON.
    pub(super) fn check(&self, of: Endpoint, answer: &UpstreamResponse) -> Result<(), SourceError> {
        let malformed = |what| Err(SourceError::malformed(&self.source, of.operation, what));
        match answer {
            answer if answer.status == 404 && !answer.is_json() => {
                malformed("that it has no such address (check the source's url)")
            }
            answer if !answer.is_success() => Err(self.refusal(of, refused_with(answer), answer.retry_after())),
            answer if answer.body.is_empty() => malformed("nothing"),
            answer if !answer.is_json() => malformed("with something that is not JSON"),
            _ => Ok(()),
        }
    }

    fn refusal(&self, of: Endpoint, status: u16, retry_after: Option<Duration>) -> SourceError {
        match status {
            402 => {
                let text = format!("The source “{}” has no licence for this call.", self.source);
                SourceError::new(SourceErrorKind::Forbidden, &self.source, of.operation, text)
            }
            status => SourceError::from_status(&self.source, of.operation, status, retry_after),
        }
    }

    /// What stands in the `reply` of a body.
    pub(super) fn reply<'b>(&self, call: &Call, of: Endpoint, body: &'b str) -> Result<&'b str, SourceError> {
        wire::reply(body).map_err(|problem| match problem {
            NoReply::Failed(status) => {
                events::vendor_refused(self.told(call, of), status, body.as_bytes());
                self.refusal(of, status, None)
            }
            NoReply::Unreadable(problem) => self.unreadable(call, of, &problem),
        })
    }

    /// Tells the log what was noticed in one record, and whether it was broken anywhere.
    pub(super) fn tell(&self, call: &Call, of: Endpoint, id: Option<&str>, notes: &mut Notes) -> bool {
        for (member, word) in std::mem::take(&mut notes.unknown) {
            events::unknown_word(self.told(call, of), of.item, &format!("{member}: {word:?}"));
        }
        let broken = std::mem::take(&mut notes.broken);
        if broken.is_empty() {
            return false;
        }
        let problem = format!("of another type than documented: {}", broken.join(", "));
        events::malformed_item(self.told(call, of), of.item, id, &problem);
        true
    }

    pub(super) fn unreadable(&self, call: &Call, of: Endpoint, problem: &str) -> SourceError {
        events::malformed_item(self.told(call, of), "answer", None, problem);
        SourceError::malformed(&self.source, of.operation, "with JSON of another shape than documented")
    }

    fn told<'a>(&'a self, call: &'a Call, of: Endpoint) -> events::Call<'a> {
        told(&self.source, of.operation, call)
    }
}
