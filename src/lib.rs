//! Incident Gateway: one GraphQL API over the incident systems that a security team already has.
//!
//! `domain` ← `source` ← `vendors`, `upstream` ← `vendors`; `domain`, `source` ← `federation` ← `graphql` ← `server` ←
//! `app` ← `cli`. Read `←` as “is used by”. `sandbox` stands alone; `telemetry`, `secret` and `settings` are open to all but
//! `domain`. `tests/it/architecture.rs` holds these arrows; `docs/ARCHITECTURE.md` tells why they are so.

#![forbid(unsafe_code)]

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod federation;
#[doc(hidden)]
pub mod fuzz;
pub mod graphql;
pub mod sandbox;
pub mod secret;
pub mod server;
pub mod settings;
pub mod source;
pub mod telemetry;
pub mod upstream;
pub mod vendors;
