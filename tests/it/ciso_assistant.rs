//! CISO Assistant, reading: what the source tells is compared with the simulated server's own answers, on both releases.

#![allow(clippy::unwrap_used)]

mod compare;
mod credentials;
mod details;
mod downloads;
mod errors;
mod filters;
mod incidents;
mod metrics;
mod people;
mod recorded;
mod records;
mod release;
mod support;
