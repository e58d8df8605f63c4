//! Adversarial, reading: what the source tells is compared with the simulated server's own answers and with documented
//! bodies.

#![allow(clippy::unwrap_used)]

mod compare;
mod credentials;
mod details;
mod documented;
mod errors;
mod filters;
mod incidents;
mod odd;
mod records;
mod revisions;
mod settings;
mod simulated;
mod support;
mod totals;

pub(crate) use settings::VARIABLES;
