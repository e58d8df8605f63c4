//! Cortex Xpanse, reading: through the source, and through GraphQL, from the sandbox and from documented bodies.

#![allow(clippy::unwrap_used)]

mod coverage;
mod credentials;
mod errors;
mod evidence;
mod filters;
mod incidents;
mod oddities;
mod orders;
mod payloads;
mod server;
mod settings;
mod shelf;
mod support;
mod walks;

pub(crate) use settings::VARIABLES;
