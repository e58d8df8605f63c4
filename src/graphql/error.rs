//! The only place that makes GraphQL errors: the codes, what they mean, and how a failure becomes one.

use crate::{
    domain::{SourceName, Vocabulary, vocabulary},
    federation::{CursorFault, FederationError},
    source::{Retry, SourceError, SourceErrorKind},
};
use async_graphql::{ErrorExtensionValues, PathSegment, Pos, ServerError};
use std::{borrow::Cow, time::Duration};

vocabulary! {
    /// What went wrong, in one stable word: in `errors[].extensions.code` and in `SourceReport.error`.
    pub enum ErrorCode {
        /// Nobody said who is asking.
        Unauthenticated = "UNAUTHENTICATED",
        /// The caller may not do this.
        Forbidden = "FORBIDDEN",
        /// The request itself is wrong; the message names the argument.
        BadUserInput = "BAD_USER_INPUT",
        /// There is no such record, or the gateway's account may not see it.
        NotFound = "NOT_FOUND",
        /// It was changed meanwhile, or is there already.
        Conflict = "CONFLICT",
        /// The gateway takes no more requests for now.
        RateLimited = "RATE_LIMITED",
        /// The source has no way to do this.
        UnsupportedBySource = "UNSUPPORTED_BY_SOURCE",
        /// The cursor cannot be used: forged, outdated, or of another query.
        CursorInvalid = "CURSOR_INVALID",
        /// The request asks for more than one request may.
        CostLimit = "COST_LIMIT",
        /// A fault of the gateway.
        Internal = "INTERNAL",
        /// The source cannot be reached, or fails itself.
        SourceUnavailable = "SOURCE_UNAVAILABLE",
        /// The source did not answer in time.
        SourceTimeout = "SOURCE_TIMEOUT",
        /// The source refused the gateway's credential.
        SourceAuthFailed = "SOURCE_AUTH_FAILED",
        /// The gateway's account may not do this at the source.
        SourceForbidden = "SOURCE_FORBIDDEN",
        /// The source's quota is used up.
        SourceRateLimited = "SOURCE_RATE_LIMITED",
        /// The source refused what it was asked.
        SourceRejected = "SOURCE_REJECTED",
        /// The source's answer breaks its documented shape.
        SourceMalformed = "SOURCE_MALFORMED",
        /// The source failed so often that it is left in peace for a while.
        CircuitOpen = "CIRCUIT_OPEN",
    }
}

/// Why a field has no value, or a request no answer: a stable code and a text that clients may read.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Fault {
    pub code: ErrorCode,
    pub message: Cow<'static, str>,
    pub source: Option<SourceName>,
    pub retryable: bool,
    pub retry_after: Option<Duration>,
    /// What a request asks for, and the limit that it exceeds.
    pub limit: Option<(u64, u64)>,
}

impl Fault {
    pub(crate) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Fault { code, message: message.into(), source: None, retryable: false, retry_after: None, limit: None }
    }

    /// Bad input, naming the argument first: “`first` must be …”.
    pub(crate) fn input(argument: &str, what: impl std::fmt::Display) -> Self {
        Fault::new(ErrorCode::BadUserInput, format!("`{argument}` {what}"))
    }

    /// As an error of a request that is refused as a whole.
    pub(crate) fn refused(&self) -> ServerError {
        ServerError { locations: vec![], ..self.at(vec![], Pos::default(), 1) }
    }

    /// As an error of the answer. `times`: at how many places that differ only in list indexes.
    pub(crate) fn at(&self, path: Vec<PathSegment>, pos: Pos, times: usize) -> ServerError {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", self.code.name());
        if let Some(source) = &self.source {
            extensions.set("source", source.as_str());
            extensions.set("retryable", self.retryable);
        }
        if let Some(after) = self.retry_after {
            extensions.set("retryAfterMs", u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        }
        if let Some((cost, limit)) = self.limit {
            // Numbers of JSON are exact up to here.
            extensions.set("cost", cost.min((1 << 53) - 1));
            extensions.set("limit", limit);
        }
        if times > 1 {
            extensions.set("count", times);
        }
        ServerError { extensions: Some(extensions), path, ..ServerError::new(self.message.clone(), Some(pos)) }
    }
}

impl From<&SourceError> for Fault {
    fn from(error: &SourceError) -> Self {
        let (retryable, retry_after) = match error.retry() {
            Retry::Never => (false, None),
            Retry::Backoff => (true, None),
            Retry::After(after) => (true, Some(after)),
        };
        Fault {
            code: if error.is_circuit_open() { ErrorCode::CircuitOpen } else { ErrorCode::of(error.kind()) },
            message: error.public().to_owned().into(),
            source: Some(error.source_name().clone()),
            retryable,
            retry_after,
            limit: None,
        }
    }
}

impl From<SourceError> for Fault {
    fn from(error: SourceError) -> Self {
        Fault::from(&error)
    }
}

impl From<FederationError> for Fault {
    fn from(error: FederationError) -> Self {
        match error {
            FederationError::Source(error) => Fault::from(error),
            FederationError::Cursor(fault @ CursorFault::Blank) => {
                Fault::new(ErrorCode::BadUserInput, fault.to_string())
            }
            FederationError::Cursor(fault) => Fault::new(ErrorCode::CursorInvalid, fault.to_string()),
            unknown @ FederationError::UnknownSource { .. } => Fault::new(ErrorCode::BadUserInput, unknown.to_string()),
        }
    }
}

impl ErrorCode {
    /// The code of a source's failure.
    pub(crate) fn of(kind: SourceErrorKind) -> ErrorCode {
        match kind {
            SourceErrorKind::Unsupported => ErrorCode::UnsupportedBySource,
            SourceErrorKind::Rejected => ErrorCode::SourceRejected,
            SourceErrorKind::Unauthenticated => ErrorCode::SourceAuthFailed,
            SourceErrorKind::Forbidden => ErrorCode::SourceForbidden,
            SourceErrorKind::NotFound => ErrorCode::NotFound,
            SourceErrorKind::Conflict => ErrorCode::Conflict,
            SourceErrorKind::RateLimited => ErrorCode::SourceRateLimited,
            SourceErrorKind::Timeout => ErrorCode::SourceTimeout,
            SourceErrorKind::Unavailable => ErrorCode::SourceUnavailable,
            SourceErrorKind::Malformed => ErrorCode::SourceMalformed,
            SourceErrorKind::Internal => ErrorCode::Internal,
        }
    }

    /// What causes it, and what to do: for `docs/ERRORS.md`.
    #[expect(clippy::too_many_lines, reason = "one entry for each code")]
    pub fn remedy(self) -> Remedy {
        let (example, remedy) = match self {
            ErrorCode::Unauthenticated => ("A request without a key, where keys are demanded.", "Send credentials."),
            ErrorCode::Forbidden => {
                ("`raw` without the permission RAW.", "Ask the operator for the permission that the message names.")
            }
            ErrorCode::BadUserInput => (
                "`incidents(first: 0)`",
                "Correct the argument that the message names. Sending the same again gives the same.",
            ),
            ErrorCode::NotFound => (
                "`node(id: …)` of a record that was deleted.",
                "Drop the id. A source does not tell a deleted record from a hidden one.",
            ),
            ErrorCode::Conflict => {
                ("A write on an incident that somebody else has just changed.", "Read it again, then decide.")
            }
            ErrorCode::RateLimited => {
                ("More requests than the gateway takes.", "Wait for `retryAfterMs`, then ask again.")
            }
            ErrorCode::UnsupportedBySource => {
                ("`export(format: XLSX)` of a source that makes none.", "Look at `source { capabilities }` first.")
            }
            ErrorCode::CursorInvalid => (
                "A cursor of another filter, or one from yesterday.",
                "Start again without `after`. Keep filter and order the same on all pages.",
            ),
            ErrorCode::CostLimit => (
                "A query that asks for more fields, levels or records than the limit in the message.",
                "Ask for less in one request: fewer levels, smaller pages. The operator can raise the limits in \
                 `[limits.query]`.",
            ),
            ErrorCode::Internal => {
                ("A fault of the gateway.", "Report it with the `requestId`; the log has the details.")
            }
            ErrorCode::SourceUnavailable => (
                "The source's host is down, or it answers HTTP 500.",
                "Ask again later; see `source { health }`. The rows of other sources are not touched.",
            ),
            ErrorCode::SourceTimeout => (
                "The source takes longer than the time limit, or other requests had all the memory for its rows for so long.",
                "Ask for less, or again later. The operator can raise `total_timeout_ms`, for memory `snapshot_bytes`.",
            ),
            ErrorCode::SourceAuthFailed => (
                "The token in the configuration has expired.",
                "The operator renews the credential; `incident-gateway doctor` checks it.",
            ),
            ErrorCode::SourceForbidden => (
                "The gateway's account lacks a right at the source.",
                "The operator gives the account the right, or the field is left out.",
            ),
            ErrorCode::SourceRateLimited => (
                "The source answered HTTP 429, or its configured quota has no room before the deadline.",
                "Wait for `retryAfterMs` where it is given, then ask again.",
            ),
            ErrorCode::SourceRejected => {
                ("The source answered HTTP 400.", "Look into the log by `requestId` for the source's own words.")
            }
            ErrorCode::SourceMalformed => (
                "An HTML page where JSON is documented.",
                "Check the source's URL and release; the log has the beginning of the answer.",
            ),
            ErrorCode::CircuitOpen => (
                "A source that failed many times in a row.",
                "Wait; one request tries from time to time whether it is back.",
            ),
        };
        Remedy { example, remedy }
    }
}

/// An example of an error and what to do about it.
#[derive(Clone, Copy, Debug)]
pub struct Remedy {
    pub example: &'static str,
    pub remedy: &'static str,
}

/// `docs/ERRORS.md`, from the table above.
pub fn errors_document() -> String {
    let mut out = String::from(concat!(
        "# Errors\n\n",
        "Generated from the code (`src/graphql/error.rs`); `tests/it/generated.rs` compares.\n\n",
        "Every error has a stable code in `extensions.code` and the request's id in `extensions.requestId`, which every ",
        "log line of the request has too. Errors of a source also have `source`, `retryable` and, where the source said ",
        "it, `retryAfterMs`; `COST_LIMIT` has `cost` and `limit`. Errors that differ only in list indexes are one error with the first path and `count`. ",
        "Messages are written by the gateway; a source's own words are only in the log.\n\n",
        "| code | cause | example | remedy |\n|---|---|---|---|\n",
    ));
    for word in ErrorCode::WORDS {
        let Remedy { example, remedy } = word.value.remedy();
        let cause = word.description.trim().replace('\n', " ");
        out.push_str(&format!("| `{}` | {cause} | {example} | {remedy} |\n", word.name));
    }
    out
}
