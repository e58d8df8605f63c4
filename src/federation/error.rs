//! What fails a federated request as a whole.

use super::cursor::CursorFault;
use crate::{domain::SourceName, source::SourceError};
use std::fmt;

/// Why there is no answer at all. The first two are mistakes in arguments.
#[derive(Clone, Debug)]
pub enum FederationError {
    /// The cursor cannot be used.
    Cursor(CursorFault),
    /// No source is called so. `argument` is where the client named it.
    UnknownSource { argument: &'static str, name: SourceName, configured: Vec<SourceName> },
    /// The one source that was asked failed, or one that the client requires.
    Source(SourceError),
}

impl fmt::Display for FederationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FederationError::Cursor(fault) => fault.fmt(f),
            FederationError::UnknownSource { argument, name, configured } => {
                let configured: Vec<&str> = configured.iter().map(SourceName::as_str).collect();
                write!(f, "`{argument}` names “{name}”, which is no source. There are: {}.", configured.join(", "))
            }
            FederationError::Source(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FederationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            FederationError::Source(error) => Some(error),
            FederationError::Cursor(_) | FederationError::UnknownSource { .. } => None,
        }
    }
}

impl From<CursorFault> for FederationError {
    fn from(fault: CursorFault) -> Self {
        FederationError::Cursor(fault)
    }
}
