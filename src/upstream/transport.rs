//! The lowest step: one HTTP request out, the head of one answer and its body in. A trait, so that everything above runs
//! on a paused clock in tests.

use super::request::Method;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::error::Error;
use std::fmt;
use url::Url;

/// A body, piece by piece. An error is the last piece.
pub type BodyStream = BoxStream<'static, Result<Bytes, TransportError>>;

/// Sends requests. Has no limits of its own but the time to connect; never follows a redirect, repeats a request or
/// changes a body.
pub trait Transport: Send + Sync {
    /// Sends and waits for the head of the answer. Dropping the future, or the body, ends the conversation.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>>;
}

/// A request as it goes out. Holds the credential: no `Debug`.
pub struct HttpRequest {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    /// Empty for none.
    pub body: Bytes,
}

/// The head of an answer and its body.
pub struct HttpResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: BodyStream,
    /// What time it was here when the head came: a transport over real sockets knows it, one in memory need not.
    pub received: Option<DateTime<Utc>>,
}

impl HttpResponse {
    /// An answer in one piece, without headers.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        let body: Bytes = body.into();
        Self::streamed(status, stream::iter((!body.is_empty()).then_some(Ok(body))).boxed())
    }

    /// An answer in pieces, without headers.
    pub fn streamed(status: u16, body: BodyStream) -> Self {
        HttpResponse { status, headers: HeaderMap::new(), body, received: None }
    }

    /// With one more header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }
}

/// What a transport can tell of a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailureKind {
    /// No connection was made, in time or at all; nothing was sent.
    Connect,
    /// A connection was made but not trusted; nothing was sent.
    Tls,
    /// The operating system gave up waiting for the other side.
    Timeout,
    /// Closed or unreadable before the head of an answer.
    Lost,
    /// Closed or unreadable within the body.
    Cut,
    /// The request could not be written, or something else that is not the connection's fault.
    Protocol,
}

/// Why no answer came, or not the whole.
#[derive(Debug)]
pub struct TransportError {
    /// To branch on.
    pub kind: FailureKind,
    cause: Box<dyn Error + Send + Sync>,
}

impl TransportError {
    /// `cause` is logged: no URL, no header in it.
    pub fn new(kind: FailureKind, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        TransportError { kind, cause: cause.into() }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(out)
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}
