//! Why a command ends early, and the exit code that says so.

use super::output;
use std::process::ExitCode;

/// Something went well, but not everything: for `doctor` and `health`.
pub(super) const UNWELL: u8 = 1;
/// Stopped before all requests were answered.
pub(super) const UNFINISHED: u8 = 4;

/// A message for the one at the terminal, and an exit code.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// Something failed.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Failure { code: 1, message: message.into() }
    }

    /// A mistake on the command line or in the configuration.
    pub(super) fn mistake(message: impl Into<String>) -> Self {
        Failure { code: 2, message: message.into() }
    }

    /// The address to listen on is in use.
    pub(super) fn in_use(message: impl Into<String>) -> Self {
        Failure { code: 3, message: message.into() }
    }

    pub(super) fn report(self) -> ExitCode {
        output::complain(&self.message);
        ExitCode::from(self.code)
    }
}
