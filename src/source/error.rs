//! What can go wrong with a source: one kind to branch on, one text that anybody may read.
//!
//! The only place where HTTP becomes a kind. A vendor refines from the body it got; its words go to the log.

use crate::{
    domain::{SourceName, SourceStatus},
    upstream::{UpstreamError, UpstreamErrorKind},
};
use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

/// What to do about an error, by its kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SourceErrorKind {
    /// The source has no way to do this.
    Unsupported,
    /// The source refused what it was asked.
    Rejected,
    /// The source refused the gateway's credential.
    Unauthenticated,
    /// The gateway's account may not do this.
    Forbidden,
    NotFound,
    Conflict,
    RateLimited,
    Timeout,
    /// The source cannot be reached, or fails itself.
    Unavailable,
    /// The answer breaks the documented shape.
    Malformed,
    /// The gateway's own fault.
    Internal,
}

/// Whether asking again may help.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    Never,
    After(Duration),
    Backoff,
}

/// An error of one source in one operation. A clone is a reference count.
#[derive(Clone)]
pub struct SourceError(Arc<Inner>);

struct Inner {
    kind: SourceErrorKind,
    source: SourceName,
    operation: &'static str,
    retry: Retry,
    public: Cow<'static, str>,
    cause: Option<UpstreamError>,
}

impl SourceError {
    /// `public` is written by us, for clients to read: no word of the vendor, no secret.
    pub fn new(
        kind: SourceErrorKind,
        source: &SourceName,
        operation: &'static str,
        public: impl Into<Cow<'static, str>>,
    ) -> Self {
        let retry = match kind {
            SourceErrorKind::Timeout | SourceErrorKind::Unavailable | SourceErrorKind::RateLimited => Retry::Backoff,
            SourceErrorKind::Unsupported
            | SourceErrorKind::Rejected
            | SourceErrorKind::Unauthenticated
            | SourceErrorKind::Forbidden
            | SourceErrorKind::NotFound
            | SourceErrorKind::Conflict
            | SourceErrorKind::Malformed
            | SourceErrorKind::Internal => Retry::Never,
        };
        SourceError(Arc::new(Inner {
            kind,
            source: source.clone(),
            operation,
            retry,
            public: public.into(),
            cause: None,
        }))
    }

    pub fn unsupported(source: &SourceName, operation: &'static str) -> Self {
        let public = format!("The source “{source}” has no way to {operation}.");
        SourceError::new(SourceErrorKind::Unsupported, source, operation, public)
    }

    /// The answer breaks the documented shape. `what` completes “The source “x” answered …”.
    pub fn malformed(source: &SourceName, operation: &'static str, what: &str) -> Self {
        let public = format!("The source “{source}” answered {what}.");
        SourceError::new(SourceErrorKind::Malformed, source, operation, public)
    }

    /// Nothing came back, or nothing usable.
    pub fn from_upstream(source: &SourceName, operation: &'static str, error: UpstreamError) -> Self {
        use SourceErrorKind as K;
        let (kind, what) = match error.kind() {
            UpstreamErrorKind::LoginFailed(status) => {
                return SourceError::from_status(source, operation, status, error.retry_after());
            }
            UpstreamErrorKind::Connect => (K::Unavailable, "cannot be reached"),
            UpstreamErrorKind::Tls => (K::Unavailable, "offers no connection that the gateway can trust"),
            UpstreamErrorKind::Timeout => (K::Timeout, "did not answer in time"),
            UpstreamErrorKind::Deadline => (K::Timeout, "did not answer before this request's deadline"),
            UpstreamErrorKind::Lost => (K::Unavailable, "closed the connection without an answer"),
            UpstreamErrorKind::Cut => (K::Malformed, "cut its answer short"),
            UpstreamErrorKind::TooLarge => (K::Malformed, "answered more than the gateway reads"),
            UpstreamErrorKind::Protocol => {
                (K::Malformed, "answered in a way that the gateway does not know (check the source's url)")
            }
            UpstreamErrorKind::CredentialRefused => (K::Unauthenticated, "refused the gateway's credential"),
            UpstreamErrorKind::SecondFactorPending => {
                (K::Unauthenticated, "asks for a second factor; give the gateway a token instead of a password")
            }
            UpstreamErrorKind::RateLimited => {
                (K::RateLimited, "has no room left in its quota before this request's deadline")
            }
            UpstreamErrorKind::CircuitOpen => (K::Unavailable, "failed so often that it is left in peace for a while"),
            UpstreamErrorKind::Internal => (K::Internal, "could not be asked because of a fault in the gateway"),
        };
        let mut made = SourceError::new(kind, source, operation, format!("The source “{source}” {what}."));
        if let Some(inner) = Arc::get_mut(&mut made.0) {
            inner.retry = error.retry_after().map_or(inner.retry, Retry::After);
            inner.cause = Some(error);
        }
        made
    }

    /// The table from HTTP status to kind, for answers that are no success. `retry_after` as the vendor gave it.
    pub fn from_status(
        source: &SourceName,
        operation: &'static str,
        status: u16,
        retry_after: Option<Duration>,
    ) -> Self {
        use SourceErrorKind as K;
        let (kind, what) = match status {
            300..=399 => (K::Malformed, "answered with a redirect, which the gateway never follows".into()),
            401 => (K::Unauthenticated, "refused the gateway's credential".into()),
            403 => (K::Forbidden, "does not allow the gateway's account to read this".into()),
            404 | 410 => (K::NotFound, "does not have this".into()),
            408 | 504 => (K::Timeout, "did not answer in time".into()),
            409 | 412 => (K::Conflict, "has changed meanwhile".into()),
            429 => (K::RateLimited, "takes no more requests for now".into()),
            400..=499 => (K::Rejected, format!("refused what it was asked (HTTP {status})")),
            _ => (K::Unavailable, format!("failed (HTTP {status})")),
        };
        let mut made = SourceError::new(kind, source, operation, format!("The source “{source}” {what}."));
        if let (Some(after), Some(inner)) = (retry_after, Arc::get_mut(&mut made.0)) {
            inner.retry = Retry::After(after);
        }
        made
    }

    pub fn kind(&self) -> SourceErrorKind {
        self.0.kind
    }

    pub fn source_name(&self) -> &SourceName {
        &self.0.source
    }

    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// For clients.
    pub fn public(&self) -> &str {
        &self.0.public
    }

    /// What lies below it; for the log.
    pub fn cause(&self) -> Option<&UpstreamError> {
        self.0.cause.as_ref()
    }

    /// Whether the source was not asked because it failed too often.
    pub fn is_circuit_open(&self) -> bool {
        self.cause().is_some_and(|cause| cause.kind() == UpstreamErrorKind::CircuitOpen)
    }

    /// How a report calls the state of the source.
    pub fn status(&self) -> SourceStatus {
        match self.0.kind {
            SourceErrorKind::Unauthenticated => SourceStatus::Unauthenticated,
            SourceErrorKind::Forbidden => SourceStatus::Forbidden,
            SourceErrorKind::RateLimited => SourceStatus::RateLimited,
            SourceErrorKind::Timeout => SourceStatus::Timeout,
            SourceErrorKind::Malformed
            | SourceErrorKind::Rejected
            | SourceErrorKind::Conflict
            | SourceErrorKind::NotFound => SourceStatus::Malformed,
            SourceErrorKind::Unavailable | SourceErrorKind::Internal => SourceStatus::Unavailable,
            SourceErrorKind::Unsupported => SourceStatus::Skipped,
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.public)
    }
}

impl fmt::Debug for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceError")
            .field("kind", &self.0.kind)
            .field("source", &self.0.source)
            .field("operation", &self.0.operation)
            .field("cause", &self.0.cause)
            .finish()
    }
}

impl std::error::Error for SourceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_one_kind() {
        use SourceErrorKind as K;
        let name = SourceName::new("a");
        for (status, kind) in [
            (301, K::Malformed),
            (400, K::Rejected),
            (401, K::Unauthenticated),
            (403, K::Forbidden),
            (404, K::NotFound),
            (408, K::Timeout),
            (409, K::Conflict),
            (418, K::Rejected),
            (429, K::RateLimited),
            (500, K::Unavailable),
            (503, K::Unavailable),
            (504, K::Timeout),
        ] {
            assert_eq!(SourceError::from_status(&name, "list", status, None).kind(), kind, "{status}");
        }
        let limited = SourceError::from_status(&name, "list", 429, Some(Duration::from_secs(3)));
        assert_eq!(limited.retry(), Retry::After(Duration::from_secs(3)));
    }
}
