//! `schema`: what can be asked, in GraphQL's own language.

use super::failure::Failure;
use super::output::say;
use crate::graphql;
use std::process::ExitCode;

pub(super) fn run() -> Result<ExitCode, Failure> {
    say(&graphql::sdl())?;
    Ok(ExitCode::SUCCESS)
}
