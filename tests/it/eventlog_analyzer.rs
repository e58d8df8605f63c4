//! EventLog Analyzer, reading: what the source tells is compared with the simulated server's own answers and with the
//! documented bodies.

#![allow(clippy::unwrap_used)]

mod config;
mod coverage;
mod details;
mod errors;
mod filters;
mod fixtures;
mod incidents;
mod odd;
mod owners;
mod quota;
mod support;
mod totals;
mod writing;

pub(crate) use config::VARIABLES;
pub(crate) use support::moment;
