//! Why a conversation with a vendor brought no answer. A status like 404 or 500 *is* an answer and stands in the response;
//! here is only what kept us from getting one. Translated for users in `source/error.rs`.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What went wrong, to branch on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UpstreamErrorKind {
    /// No connection: refused, unknown name, unreachable, or not made within the connect timeout. Nothing was sent.
    Connect,
    /// No trust: a certificate that does not fit, or something that does not speak TLS. Nothing was sent.
    Tls,
    /// Too slow for the policy of the source: no complete answer within the total timeout, silence for longer than the
    /// idle timeout, or none by a deadline that left it at least that long.
    Timeout,
    /// The deadline of the request that asked passed first, wherever it was then: in the queue for a permit, waiting
    /// for a token or for the answer. Says nothing about the vendor.
    Deadline,
    /// The connection ended, or made no sense, before the head of an answer. The request may have been received.
    Lost,
    /// The connection ended within the body of the answer.
    Cut,
    /// The answer is longer than the policy allows.
    TooLarge,
    /// The answer, or the token it gave, cannot be used at all.
    Protocol,
    /// The vendor does not accept our credential, also after it was renewed.
    CredentialRefused,
    /// The account wants a second factor, which a gateway cannot give.
    SecondFactorPending,
    /// The login was answered with this status, 429 or 5xx: it means what it would mean for any other call.
    LoginFailed(u16),
    /// Our own limits leave no room for the call before its deadline. Nothing was sent.
    RateLimited,
    /// The source failed so often that it is left in peace. Nothing was sent.
    CircuitOpen,
    /// The request could not be written: its path would have been changed on the way. A mistake of ours.
    Internal,
}

impl UpstreamErrorKind {
    /// One word for logs and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            UpstreamErrorKind::Connect => "connect",
            UpstreamErrorKind::Tls => "tls",
            UpstreamErrorKind::Timeout => "timeout",
            UpstreamErrorKind::Deadline => "deadline",
            UpstreamErrorKind::Lost => "lost",
            UpstreamErrorKind::Cut => "cut",
            UpstreamErrorKind::TooLarge => "too_large",
            UpstreamErrorKind::Protocol => "protocol",
            UpstreamErrorKind::CredentialRefused => "credential_refused",
            UpstreamErrorKind::SecondFactorPending => "second_factor_pending",
            UpstreamErrorKind::LoginFailed(_) => "login_failed",
            UpstreamErrorKind::RateLimited => "rate_limited",
            UpstreamErrorKind::CircuitOpen => "circuit_open",
            UpstreamErrorKind::Internal => "internal",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            UpstreamErrorKind::Connect => "no connection",
            UpstreamErrorKind::Tls => "no trusted connection",
            UpstreamErrorKind::Timeout => "no complete answer in time",
            UpstreamErrorKind::Deadline => "the deadline of the request passed",
            UpstreamErrorKind::Lost => "the connection ended before an answer",
            UpstreamErrorKind::Cut => "the connection ended before the answer was complete",
            UpstreamErrorKind::TooLarge => "the answer is too large",
            UpstreamErrorKind::Protocol => "the answer cannot be used",
            UpstreamErrorKind::CredentialRefused => "the credential is not accepted",
            UpstreamErrorKind::SecondFactorPending => "the account wants a second factor",
            UpstreamErrorKind::LoginFailed(_) => "the server cannot serve the login for now",
            UpstreamErrorKind::RateLimited => "no room in the quota before the deadline",
            UpstreamErrorKind::CircuitOpen => "the source is left in peace for a while",
            UpstreamErrorKind::Internal => "the request cannot be written",
        }
    }
}

/// A call that brought no answer. Cheap to clone, so that many waiters can share one failure. `Display` holds nothing of
/// the vendor's, no address and no secret; the causes (`source()`) are for the log.
#[derive(Clone, Debug)]
pub struct UpstreamError {
    kind: UpstreamErrorKind,
    operation: &'static str,
    detail: Option<&'static str>,
    retry_after: Option<Duration>,
    cause: Option<Arc<dyn Error + Send + Sync>>,
    echo: bool,
}

impl UpstreamError {
    /// `operation` is what was asked, in our words; for a failed login, the name of the login.
    pub fn new(kind: UpstreamErrorKind, operation: &'static str) -> Self {
        UpstreamError { kind, operation, detail: None, retry_after: None, cause: None, echo: false }
    }

    /// Adds what precisely was wrong. Ours, fixed text: it may be shown to anybody.
    pub fn with_detail(self, detail: &'static str) -> Self {
        UpstreamError { detail: Some(detail), ..self }
    }

    /// Adds what is behind it. Must not hold a secret: it is logged.
    pub fn with_cause(self, cause: impl Error + Send + Sync + 'static) -> Self {
        UpstreamError { cause: Some(Arc::new(cause)), ..self }
    }

    /// Adds when asking again may help.
    pub fn with_retry_after(self, wait: Duration) -> Self {
        UpstreamError { retry_after: Some(wait), ..self }
    }

    /// The same for one who only waited for what another call did, and for which nothing was sent.
    pub(super) fn echo(&self) -> Self {
        UpstreamError { echo: true, ..self.clone() }
    }

    pub(super) fn is_echo(&self) -> bool {
        self.echo
    }

    /// When asking again may help, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What went wrong.
    pub fn kind(&self) -> UpstreamErrorKind {
        self.kind
    }

    /// What was asked; tells a failed login from a failed call.
    pub fn operation(&self) -> &'static str {
        self.operation
    }
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.operation, self.kind.sentence())?;
        match self.detail {
            Some(detail) => write!(out, " ({detail})"),
            None => Ok(()),
        }
    }
}

impl Error for UpstreamError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}
