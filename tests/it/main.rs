//! The one integration binary: `support` first, then one file for each promise.

// Clippy knows tests by their attribute, and what tests share has none.
#![allow(clippy::unwrap_used)]

mod support;

mod adversarial;
mod answers;
mod architecture;
mod calls;
mod ciso_assistant;
mod cli;
mod config;
mod conformance;
mod cortex_xpanse;
mod coverage;
mod differential;
mod downloads;
mod engine;
mod eventlog_analyzer;
mod examples;
mod failures;
mod faults;
mod federation;
mod filters;
mod five;
mod fuzz;
mod gate;
mod generated;
mod http;
mod kaspersky_xdr;
mod paging;
mod recordings;
mod relay;
mod rude;
mod sandbox;
mod server;
mod stats;
mod truth;
