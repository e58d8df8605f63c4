//! An answer while it comes in: reads it whole within limits, or hands it on piece by piece.

use super::context::{Purpose, Tally};
use super::error::{UpstreamError, UpstreamErrorKind};
use super::limit::Permit;
use super::policy::Policy;
use super::request::UpstreamResponse;
use super::transport::{BodyStream, HttpResponse, TransportError};
use super::wire::failed_transport;
use crate::telemetry::events;
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt};
use reqwest::header::{CONTENT_LENGTH, HeaderMap};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// Who asked what and when; tells the log and the tally how it ended.
pub(super) struct Origin {
    pub(super) source: Arc<str>,
    pub(super) operation: &'static str,
    pub(super) request_id: Arc<str>,
    pub(super) purpose: Purpose,
    pub(super) tally: Arc<Tally>,
    pub(super) sent: Instant,
}

impl Origin {
    fn call(&self) -> events::Call<'_> {
        events::Call { source: &self.source, operation: self.operation, request_id: &self.request_id }
    }

    pub(super) fn finished(&self, status: u16) {
        self.count_latency();
        events::call_finished(self.call(), status, self.sent.elapsed());
    }

    pub(super) fn failed(&self, error: UpstreamError) -> UpstreamError {
        self.count_latency();
        self.broke_off(error)
    }

    /// Failed after it was counted as finished.
    fn broke_off(&self, error: UpstreamError) -> UpstreamError {
        events::call_failed(self.call(), error.kind().as_str(), error.source(), self.sent.elapsed());
        error
    }

    /// The time of a login is that of no call.
    fn count_latency(&self) {
        if self.purpose == Purpose::Call {
            self.tally.add_latency(self.sent.elapsed());
        }
    }

    fn refused(&self, status: u16, body: &[u8]) {
        // A login that failed may be answered with what was sent, password included.
        if status >= 400 && self.purpose == Purpose::Call {
            events::vendor_refused(self.call(), status, body);
        }
    }
}

/// Until when, and what it means when it is over.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub(super) at: Instant,
    pub(super) kind: UpstreamErrorKind,
}

impl Limit {
    /// The total timeout from now, or the deadline if that is earlier. A deadline that leaves the source as long as it may
    /// be silent tells the same of it as a timeout does: with ten seconds for a call and for its request alike, one that
    /// hangs would otherwise never be told from an impatient client.
    pub(super) fn new(policy: &Policy, deadline: Instant) -> Self {
        let now = Instant::now();
        match now.checked_add(policy.total_timeout) {
            Some(total) if total < deadline => Limit { at: total, kind: UpstreamErrorKind::Timeout },
            _ if deadline - now >= policy.idle_timeout => Limit { at: deadline, kind: UpstreamErrorKind::Timeout },
            _ => Limit { at: deadline, kind: UpstreamErrorKind::Deadline },
        }
    }
}

/// An answer whose head is here. Keeps the permit, if any, until its body is read or dropped.
pub(super) struct Exchange {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) origin: Origin,
    pub(super) permit: Option<Permit>,
    limit: Limit,
    max_bytes: usize,
    body: Body,
    received: Option<DateTime<Utc>>,
}

struct Body {
    pieces: BodyStream,
    idle_timeout: Duration,
    operation: &'static str,
    /// Bytes still to come according to `Content-Length`; none when it did not say or no body belongs to the answer.
    missing: Option<u64>,
}

impl Exchange {
    pub(super) fn new(origin: Origin, answer: HttpResponse, limit: Limit, policy: &Policy, bodiless: bool) -> Self {
        let bodiless = bodiless || matches!(answer.status, 100..=199 | 204 | 304);
        let body = Body {
            pieces: answer.body,
            idle_timeout: policy.idle_timeout,
            operation: origin.operation,
            missing: content_length(&answer.headers).filter(|_| !bodiless),
        };
        let (status, headers, received) = (answer.status, answer.headers, answer.received);
        Exchange { status, headers, origin, permit: None, limit, max_bytes: policy.max_body_bytes, body, received }
    }

    /// The whole answer, within the limits of time and size.
    pub(super) async fn read(mut self) -> Result<UpstreamResponse, UpstreamError> {
        let reading = timeout_at(self.limit.at, self.body.collect(self.max_bytes)).await;
        let read = reading.unwrap_or_else(|_| Err(UpstreamError::new(self.limit.kind, self.origin.operation)));
        let body = read.map_err(|error| self.origin.failed(error))?;
        self.origin.finished(self.status);
        self.origin.refused(self.status, &body);
        Ok(UpstreamResponse { status: self.status, headers: self.headers, body, received: self.received })
    }

    /// The body piece by piece, without limits of total time and size.
    pub(super) fn into_stream(self) -> BoxStream<'static, Result<Bytes, UpstreamError>> {
        self.origin.finished(self.status);
        stream::unfold(Some(self), |going| async move {
            let mut exchange = going?;
            match exchange.body.next().await? {
                Ok(piece) => Some((Ok(piece), Some(exchange))),
                Err(error) => Some((Err(exchange.origin.broke_off(error)), None)),
            }
        })
        .boxed()
    }
}

impl Body {
    async fn collect(&mut self, max_bytes: usize) -> Result<Bytes, UpstreamError> {
        let too_large = UpstreamError::new(UpstreamErrorKind::TooLarge, self.operation);
        if self.missing.is_some_and(|bytes| bytes > max_bytes as u64) {
            return Err(too_large);
        }
        let announced = self.missing.map_or(0, |bytes| bytes as usize);
        let mut whole = BytesMut::new();
        while let Some(piece) = self.next().await {
            let piece = piece?;
            if whole.len() + piece.len() > max_bytes {
                return Err(too_large);
            }
            if whole.is_empty() {
                // All in one piece, as short answers are: nothing has to be copied.
                if self.missing == Some(0) {
                    return Ok(piece);
                }
                whole.reserve(announced);
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    async fn next(&mut self) -> Option<Result<Bytes, UpstreamError>> {
        let Ok(piece) = timeout(self.idle_timeout, self.pieces.next()).await else {
            let silence = UpstreamError::new(UpstreamErrorKind::Timeout, self.operation);
            return Some(Err(silence.with_detail("silence within the answer")));
        };
        match piece {
            Some(Ok(piece)) => {
                self.missing = self.missing.map(|missing| missing.saturating_sub(piece.len() as u64));
                Some(Ok(piece))
            }
            Some(Err(error)) => Some(Err(self.broken(error))),
            None if self.missing.is_some_and(|missing| missing > 0) => {
                Some(Err(UpstreamError::new(UpstreamErrorKind::Cut, self.operation)))
            }
            None => None,
        }
    }

    fn broken(&self, error: TransportError) -> UpstreamError {
        failed_transport(error, self.operation)
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
