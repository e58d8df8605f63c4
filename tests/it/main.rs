//! The one integration binary: `support` first, then one file for each promise.

// Clippy knows tests by their attribute, and what tests share has none.
#![allow(clippy::unwrap_used)]

mod support;

mod answers;
mod architecture;
mod ciso_assistant;
mod cli;
mod config;
mod differential;
mod engine;
mod federation;
mod fuzz;
mod generated;
mod http;
mod recordings;
mod relay;
mod sandbox;
mod server;
