//! Kaspersky XDR, reading: what the source tells is compared with the simulated server's own answers and with the documented
//! bodies, and what clients see of it through GraphQL.

#![allow(clippy::unwrap_used)]

mod compare;
mod config;
mod coverage;
mod details;
mod documents;
mod errors;
mod filters;
mod incidents;
mod oddities;
mod sandbox;
mod support;
mod tenants;
