//! What is asked of a vendor and what comes back, in terms of URLs and bytes. Which words are JSON, and what they mean, is
//! the vendor's folder's business.

use super::body::Exchange;
use super::error::UpstreamError;
use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use futures_util::stream::BoxStream;
use reqwest::header::{self, AsHeaderName, HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// HTTP methods that vendors use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// As written in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// Whether and for how long an answer may be remembered; [`super::Policy`] says how long each is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Remember {
    /// Not at all.
    #[default]
    Never,
    /// A page of a list, or counts over one.
    List,
    /// Records by their ids.
    Detail,
    /// What hardly ever changes: vocabularies, people, the release of the product.
    Catalogue,
}

/// One call to a vendor.
#[derive(Clone)]
pub struct UpstreamRequest {
    /// What is asked, in our words (`list_incidents`); from a closed set, for logs and errors.
    pub operation: &'static str,
    pub method: Method,
    /// Path and query, beginning with `/`, already percent-encoded (see [`super::uri`]); appended to the path of the
    /// base URL.
    pub path: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Option<Bytes>,
    /// Whether asking twice does no harm. Nothing unsafe will ever be repeated after it may have been received.
    pub safe: bool,
    /// Whether the credential of the source is added.
    pub authenticated: bool,
    /// Whether the answer may be remembered, if the request is safe.
    pub remember: Remember,
    /// The state of the record that is asked for, as its time of modification, where it is known beforehand: an answer to
    /// [`Remember::Detail`] belongs to it and does not age. Not sent.
    pub revision: Option<Arc<str>>,
    /// Whether an answer is what was asked for; one that is not is never remembered. Some vendors tell an error with
    /// status 200.
    pub usable: fn(&UpstreamResponse) -> bool,
}

impl UpstreamRequest {
    /// A safe, authenticated request without a body.
    pub fn get(operation: &'static str, path: impl Into<String>) -> Self {
        UpstreamRequest {
            operation,
            method: Method::Get,
            path: path.into(),
            headers: Vec::new(),
            body: None,
            safe: true,
            authenticated: true,
            remember: Remember::Never,
            revision: None,
            usable: |_| true,
        }
    }

    /// An authenticated request with a JSON body; not safe, unless the vendor reads by POST (then add [`Self::safe`]).
    pub fn post_json(operation: &'static str, path: impl Into<String>, body: &serde_json::Value) -> Self {
        Self::get(operation, path).with_json(Method::Post, body)
    }

    /// The same with another method and a JSON body. No longer safe.
    pub fn with_json(mut self, method: Method, body: &serde_json::Value) -> Self {
        self.method = method;
        self.body = Some(body.to_string().into());
        self.safe = false;
        self.header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
    }

    /// With one more header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Declared as harmless to repeat.
    pub fn safe(self) -> Self {
        UpstreamRequest { safe: true, ..self }
    }

    /// Its answer may be remembered. Errors never are, nor is what is neither whole JSON nor declared as JSON.
    pub fn remember(self, remember: Remember) -> Self {
        UpstreamRequest { remember, ..self }
    }

    /// Its answer belongs to one state of one record; see [`Self::revision`].
    pub fn of_revision(self, revision: impl Into<Arc<str>>) -> Self {
        UpstreamRequest { revision: Some(revision.into()), ..self }
    }

    /// With the vendor's own test of an answer; see [`Self::usable`].
    pub fn usable_if(self, usable: fn(&UpstreamResponse) -> bool) -> Self {
        UpstreamRequest { usable, ..self }
    }

    /// Sent without the credential.
    pub fn unauthenticated(self) -> Self {
        UpstreamRequest { authenticated: false, ..self }
    }
}

impl fmt::Debug for UpstreamRequest {
    /// Without headers, query and body: a login stands there.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split('?').next().unwrap_or_default();
        write!(out, "UpstreamRequest({} {} {path})", self.operation, self.method.as_str())
    }
}

/// A whole answer, whatever its status: redirects and refusals are answers too.
#[derive(Clone, Debug)]
pub struct UpstreamResponse {
    pub status: u16,
    pub headers: HeaderMap,
    /// Complete, as sent (never decompressed).
    pub body: Bytes,
    /// What time it was here when the head came; none where the transport has no clock.
    pub received: Option<DateTime<Utc>>,
}

/// No `Retry-After` counts for more: who asks for longer has a clock that is wrong, or means “not now”.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

impl UpstreamResponse {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header as text; none when absent or not visible ASCII.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The media type without parameters, as written (`application/json`).
    pub fn content_type(&self) -> Option<&str> {
        media_type(&self.headers)
    }

    /// Whether the vendor calls it JSON.
    pub fn is_json(&self) -> bool {
        self.content_type().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
    }

    /// The vendor's clock (header `Date`), to the second.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        http_date(self.header(header::DATE)?)
    }

    /// How long the vendor wants to be left alone (header `Retry-After`, RFC 9110, section 10.2.3), a day at most: a number of
    /// seconds, or a date. A date is measured by the vendor's own clock (header `Date`), without that by ours. None where it
    /// does not say, or not legibly.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header(header::RETRY_AFTER)?.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            // Digits that are no number are too many of them.
            return Some(text.parse().map_or(LONGEST_RETRY_AFTER, Duration::from_secs).min(LONGEST_RETRY_AFTER));
        }
        let wait = http_date(text)? - self.date().or(self.received)?;
        // A date that has passed means now.
        Some(wait.to_std().unwrap_or_default().min(LONGEST_RETRY_AFTER))
    }
}

/// A date in one of the three forms that a reader must know (RFC 9110, section 5.6.7): the one that is sent today, and those of
/// RFC 850 and of C's `asctime`.
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let today = DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc());
    let older = || {
        let read = |form| NaiveDateTime::parse_from_str(text, form).ok().map(|date| date.and_utc());
        read("%A, %d-%b-%y %H:%M:%S GMT").or_else(|| read("%a %b %e %H:%M:%S %Y"))
    };
    today.or_else(older)
}

/// The head of an answer with the rest still coming. Holds its permit until dropped.
pub struct UpstreamStream {
    pub status: u16,
    pub headers: HeaderMap,
    exchange: Exchange,
}

impl UpstreamStream {
    pub(super) fn new(exchange: Exchange) -> Self {
        UpstreamStream { status: exchange.status, headers: exchange.headers.clone(), exchange }
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The media type without parameters, as written.
    pub fn content_type(&self) -> Option<&str> {
        media_type(&self.headers)
    }

    /// The body, piece by piece, of any length. Ends with an error (`Timeout`, `Cut`) when the vendor is silent for
    /// longer than the idle timeout or stops early: what came before is then not the whole.
    pub fn into_body(self) -> BoxStream<'static, Result<Bytes, UpstreamError>> {
        self.exchange.into_stream()
    }

    /// The rest read into memory, within the total timeout and the body limit: for an answer that turned out to be a
    /// refusal.
    pub async fn into_response(self) -> Result<UpstreamResponse, UpstreamError> {
        self.exchange.read().await
    }
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    Some(headers.get(header::CONTENT_TYPE)?.to_str().ok()?.split(';').next().unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(name: HeaderName, value: &'static str) -> UpstreamResponse {
        let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
        UpstreamResponse { status: 200, headers, body: Bytes::new(), received: None }
    }

    #[test]
    fn reads_media_type_without_parameters() {
        let answer = response(header::CONTENT_TYPE, "Application/JSON; charset=utf-8");
        assert_eq!(answer.content_type(), Some("Application/JSON"));
        assert!(answer.is_json());
        assert!(!response(header::CONTENT_TYPE, "text/html").is_json());
        assert_eq!(response(header::ALLOW, "GET").content_type(), None);
    }

    #[test]
    fn reads_the_vendors_clock() {
        let answer = response(header::DATE, "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(answer.date().unwrap().to_rfc3339(), "1994-11-06T08:49:37+00:00");
        assert_eq!(response(header::DATE, "yesterday").date(), None);
    }

    const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const THEN: &str = "Sun, 06 Nov 1994 08:51:07 GMT";

    /// What an answer asks for that came at a time by our clock, with a `Date` of its own or none.
    fn wait(retry_after: &'static str, date: Option<&'static str>, received: Option<&str>) -> Option<u64> {
        let mut answer = response(header::RETRY_AFTER, retry_after);
        answer.headers.extend(date.map(|date| (header::DATE, HeaderValue::from_static(date))));
        answer.received = received.map(|date| http_date(date).unwrap());
        answer.retry_after().map(|wait| wait.as_secs())
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        assert_eq!(wait(" 7 ", None, None), Some(7));
        assert_eq!(wait(THEN, Some(NOW), None), Some(90));
        for unknown in ["", "soon", "-1", "+1", "1.5", "0x10", "Sun, 06 Nov 1994", "1994-11-06T08:51:07Z"] {
            assert_eq!(wait(unknown, Some(NOW), Some(NOW)), None, "{unknown}");
        }
        assert_eq!(response(header::ALLOW, "GET").retry_after(), None);
    }

    #[test]
    fn a_date_is_measured_by_the_vendors_clock_and_without_that_by_ours() {
        assert_eq!(wait(THEN, None, Some(NOW)), Some(90));
        assert_eq!(wait(THEN, Some(NOW), Some(THEN)), Some(90), "the vendor's own clock comes first");
        assert_eq!(wait(THEN, Some("yesterday"), Some(NOW)), Some(90), "a clock that cannot be read is none");
        assert_eq!(wait(THEN, None, None), None, "without any clock it says nothing");
    }

    #[test]
    fn a_date_that_has_passed_means_now() {
        for past in [NOW, "Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"] {
            assert_eq!((wait(past, Some(THEN), None), wait(past, None, Some(THEN))), (Some(0), Some(0)), "{past}");
        }
    }

    #[test]
    fn what_is_absurd_is_a_day() {
        const DAY: u64 = 86_400;
        for long in ["86401", "18446744073709551615", "18446744073709551616", "99999999999999999999999999"] {
            assert_eq!(wait(long, None, None), Some(DAY), "{long}");
        }
        for late in ["Mon, 07 Nov 1994 08:49:38 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!((wait(late, Some(NOW), None), wait(late, None, Some(NOW))), (Some(DAY), Some(DAY)), "{late}");
        }
        assert_eq!(wait("86399", None, None), Some(DAY - 1));
    }

    #[test]
    fn dates_in_the_two_older_forms_are_read_as_well() {
        for then in ["Sunday, 06-Nov-94 08:51:07 GMT", "Sun Nov  6 08:51:07 1994"] {
            assert_eq!(wait(then, Some(NOW), None), Some(90), "{then}");
        }
    }

    #[test]
    fn debug_shows_neither_query_nor_body_nor_headers() {
        let request = UpstreamRequest::post_json("login", "/l/?key=s3cret", &serde_json::json!({"password": "s3cret"}))
            .header(header::AUTHORIZATION, HeaderValue::from_static("Token s3cret"));
        assert_eq!(format!("{request:?}"), "UpstreamRequest(login POST /l/)");
    }

    #[test]
    fn a_body_makes_a_request_unsafe_until_declared_otherwise() {
        let request = UpstreamRequest::post_json("search", "/s/", &serde_json::Value::Null);
        assert!(!request.safe && request.clone().safe().safe);
    }
}
