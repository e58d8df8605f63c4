//! The conversation: paths, rows by id, and what an answer that is no success means.

use super::wire::{Page, Row, read_list, read_page};
use crate::vendors::common::{Revisions, text, told};
use crate::{
    domain::{NativeId, SourceName},
    source::{Call, SourceError, SourceErrorKind},
    telemetry::events,
    upstream::{
        Remember, Upstream, UpstreamRequest, UpstreamResponse,
        header::{ACCEPT, HeaderValue},
    },
};
use serde_json::Value;
use std::sync::atomic::AtomicUsize;

/// Rows of a page; the document knows no other size.
pub(super) const PAGE_ROWS: usize = 100;

/// No limit of the request line is documented; common front servers take 8 KiB.
pub(super) const MAX_REQUEST_LINE_BYTES: usize = 8_000;

/// A list of the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint {
    pub(super) path: &'static str,
    /// What reading it is called in logs and errors.
    pub(super) operation: &'static str,
    /// What one row is called in logs.
    pub(super) item: &'static str,
    /// The member that holds the rows; empty where the answer is the list itself.
    rows: &'static str,
}

const fn endpoint(path: &'static str, operation: &'static str, item: &'static str, rows: &'static str) -> Endpoint {
    Endpoint { path, operation, item, rows }
}

pub(super) const INCIDENTS: Endpoint = endpoint("/xdr/api/v1/incidents", "list_incidents", "incident", "Incidents");
/// The same list, asked for more of incidents that are known by id.
pub(super) const DETAILS: Endpoint = endpoint(INCIDENTS.path, "read_incident_details", INCIDENTS.item, INCIDENTS.rows);
pub(super) const ALERTS: Endpoint = endpoint("/xdr/api/v1/alerts", "list_alerts", "alert", "Alerts");
pub(super) const TENANTS: Endpoint = endpoint("/xdr/api/v1/tenants", "list_tenants", "tenant", "");

/// One server.
pub(super) struct Client {
    pub(super) source: SourceName,
    pub(super) upstream: Upstream,
    /// Of the incidents that the list gave.
    pub(super) revisions: Revisions,
    /// The most rows that a page of incidents had, and [`PAGE_ROWS`] at least: by it pages are found.
    pub(super) page_rows: AtomicUsize,
}

/// What is asked.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) list: Endpoint,
    /// The incidents whose details these are; empty for rows as they are now.
    pub(super) details_of: &'a [NativeId],
}

impl From<Endpoint> for Question<'_> {
    fn from(list: Endpoint) -> Self {
        Question { list, details_of: &[] }
    }
}

impl Client {
    /// Asks; any status is an answer here. `query` is already encoded.
    pub(super) async fn ask<'q>(
        &self,
        call: &Call,
        question: impl Into<Question<'q>>,
        query: &str,
    ) -> Result<UpstreamResponse, SourceError> {
        let Question { list, details_of } = question.into();
        let path = if query.is_empty() { list.path.to_owned() } else { format!("{}?{query}", list.path) };
        // Tenants are remembered elsewhere, and asking for them is the probe.
        let remember = match list.operation {
            operation if operation == TENANTS.operation => Remember::Never,
            operation if operation == INCIDENTS.operation => Remember::List,
            _ => Remember::Detail,
        };
        let request = UpstreamRequest::get(list.operation, path)
            .remember(remember)
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        let request = if details_of.is_empty() { request } else { self.revisions.of_all(details_of, request) };
        let answer = self.upstream.send(&call.context, request).await;
        answer.map_err(|error| SourceError::from_upstream(&self.source, list.operation, error))
    }

    /// Whether an answer is a success and JSON.
    pub(super) fn check(&self, list: Endpoint, answer: &UpstreamResponse) -> Result<(), SourceError> {
        let malformed = |what| Err(SourceError::malformed(&self.source, list.operation, what));
        match answer {
            answer if !answer.is_success() => Err(self.refusal(list, answer)),
            answer if answer.body.is_empty() => malformed("nothing"),
            answer if !answer.is_json() => malformed("with something that is not JSON"),
            _ => Ok(()),
        }
    }

    /// What an answer that is no success means. Its words are in the log by now.
    fn refusal(&self, list: Endpoint, answer: &UpstreamResponse) -> SourceError {
        let made = |kind, what: &str| {
            let text = format!("The source “{}” {what}.", self.source);
            SourceError::new(kind, &self.source, list.operation, text)
        };
        if answer.status == 404 && !answer.is_json() {
            let what = "that it has no such address (check the source's url)";
            return SourceError::malformed(&self.source, list.operation, what);
        }
        if answer.status == 403 && list.path == TENANTS.path {
            let what = "took the gateway's token for nobody's, or does not let it list tenants: renew it, allow that, or \
                        configure tenants";
            return made(SourceErrorKind::Forbidden, what);
        }
        if answer.status == 400 {
            // The server has no 401: a header that it cannot read is the only way to tell that there is no token.
            match message(&answer.body).as_deref() {
                Some("invalid authorization header") => {
                    return made(SourceErrorKind::Unauthenticated, "refused the gateway's credential");
                }
                // What these complain of is written by the gateway; ids that are no UUIDs get no words at all.
                Some("" | "invalid timestamp field" | "cannot parse from" | "cannot parse to") => {
                    return made(SourceErrorKind::Internal, "could not read what the gateway asked");
                }
                _ => {}
            }
        }
        SourceError::from_status(&self.source, list.operation, answer.status, answer.retry_after())
    }

    /// Reads the rows out of an answer. `raw`: keep the text of each.
    pub(super) fn open<T: Row>(
        &self,
        call: &Call,
        list: Endpoint,
        answer: &UpstreamResponse,
        raw: bool,
    ) -> Result<Page<T>, SourceError> {
        self.check(list, answer)?;
        let page = match list.rows {
            "" => read_list(&answer.body, raw),
            rows => read_page(&answer.body, rows, raw),
        };
        page.map_err(|problem| {
            events::malformed_item(told(&self.source, list.operation, call), "answer", None, &problem);
            SourceError::malformed(&self.source, list.operation, "with JSON of another shape than documented")
        })
    }

    /// Tells the log what could not be read.
    pub(super) fn tell_broken<'p>(
        &self,
        call: &Call,
        list: Endpoint,
        problems: impl Iterator<Item = &'p super::wire::Problem>,
    ) -> u32 {
        let mut count = 0;
        for problem in problems {
            count += 1;
            events::malformed_item(
                told(&self.source, list.operation, call),
                list.item,
                problem.id.as_deref(),
                &problem.what,
            );
        }
        count
    }

    /// Tells the log words of closed sets that no document has.
    pub(super) fn tell_unknown(&self, call: &Call, list: Endpoint, notes: &super::map::Notes) {
        for (member, word) in &notes.unknown {
            events::unknown_word(told(&self.source, list.operation, call), list.item, &format!("{member}: {word:?}"));
        }
    }

    /// A fault of the gateway: it planned what the capabilities do not allow.
    pub(super) fn not_possible(&self, list: Endpoint) -> SourceError {
        let text = "The gateway planned a request that the source cannot answer.";
        SourceError::new(SourceErrorKind::Internal, &self.source, list.operation, text)
    }
}

/// What a refusal says, in small letters: its member `message`, wherever that stands, or all of it where it is a text.
fn message(body: &[u8]) -> Option<String> {
    fn within(told: &Value) -> Option<&str> {
        match told {
            Value::String(text) => Some(text),
            Value::Object(members) => {
                let named = |name| members.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
                within(["message", "error"].into_iter().find_map(named)?.1)
            }
            _ => None,
        }
    }
    let told = serde_json::from_slice(body).unwrap_or_else(|_| Value::String(text(body).into_owned()));
    // That nothing is said has a meaning only where there is a place for it.
    let message = within(&told).filter(|message| told.is_object() || !message.trim().is_empty());
    message.map(|message| message.trim().to_lowercase())
}

/// Whether the server takes this as an id: one that is not fails a whole request.
pub(super) fn is_uuid(id: &NativeId) -> bool {
    id.is_uuid() || {
        let text = id.to_string();
        text.len() == uuid::fmt::Hyphenated::LENGTH && uuid::Uuid::try_parse(&text).is_ok()
    }
}
