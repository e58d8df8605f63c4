//! The HTTP conversation with a vendor. Knows URLs, bytes and tokens, nothing of incidents; any status is an answer.
//!
//! A call goes down these steps, each at its height for a reason ([`Upstream`], file `send`):
//! 1. *permit*: at most so many calls in flight; outside of the credential, so that a queue forms before a token is
//!    fetched that could be old by the time it is used.
//! 2. *credential*: just before sending, so that it is fresh. Its own calls take no permit ([`Wire`]): all permits may be
//!    held by calls that wait for that very token.
//! 3. *timeout*: around what the vendor does, not around our own queues; those are bounded by the deadline.
//! 4. *http*: the [`Transport`], an argument, so that tests run without a socket and on a paused clock.
//!
//! Redirects are never followed, proxies never used, bodies never decompressed.
//! Next: `send` (the steps), `session` (tokens that expire), `network` (the only HTTP client).

mod body;
mod context;
mod credential;
mod error;
pub mod memory;
mod network;
mod policy;
mod request;
mod send;
mod session;
mod transport;
pub mod uri;
mod wire;

#[cfg(test)]
mod tests;

pub use context::{Context, Tally};
pub use credential::{AfterRejection, Credential, Login, SessionToken, Static};
pub use error::{UpstreamError, UpstreamErrorKind};
pub use network::ReqwestTransport;
pub use policy::Policy;
pub use request::{Method, UpstreamRequest, UpstreamResponse, UpstreamStream};
pub use reqwest::header;
pub use send::{Upstream, UpstreamOptions};
pub use session::Session;
pub use transport::{BodyStream, FailureKind, HttpRequest, HttpResponse, Transport, TransportError};
pub use wire::Wire;
