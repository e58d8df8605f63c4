//! The HTTP conversation with a vendor. Knows URLs, bytes and tokens, nothing of incidents; any status is an answer.
//!
//! A call goes down these steps, each at its height for a reason ([`Upstream`], file `send`):
//! 1. *cache*: an answer that is known costs nothing, so nothing comes before it.
//! 2. *coalesce*: before retry, so that all who wait for one call share its repetitions as well.
//! 3. *retry*: around single attempts, for safe requests only, within a budget and the deadline.
//! 4. *breaker*: an attempt that it refuses must neither use up the quota nor queue.
//! 5. *quota*: before the permit, which others could use while this one waits.
//! 6. *permit*: at most so many calls in flight; outside of the credential, so that a queue forms before a token is
//!    fetched that could be old by the time it is used.
//! 7. *credential*: just before sending, so that it is fresh. Its own calls take no permit ([`Wire`]), since all may be held by
//!    calls that wait for that very token, and the place in the quotas of the call that needs it (`allowance`).
//! 8. *timeout*: around what the vendor does, not around our own queues; those are bounded by the deadline.
//! 9. *http*: the [`Transport`], an argument, so that tests run without a socket and on a paused clock.
//!
//! Redirects are never followed, proxies of the environment never used, bodies never decompressed.
//! Next: `send` (the steps), `session` (tokens that expire), `network` (the only HTTP client).

mod allowance;
mod body;
mod breaker;
mod cache;
mod context;
mod credential;
mod error;
mod flight;
mod hold;
mod limit;
pub mod memory;
mod network;
mod policy;
mod rate;
mod request;
mod retry;
mod send;
mod session;
mod settings;
mod transport;
pub mod uri;
mod wire;

#[cfg(test)]
mod tests;

pub use breaker::Circuit;
pub use context::{Context, Priority, Tally};
pub use credential::{AfterRejection, Credential, Login, SessionToken, Static};
pub use error::{UpstreamError, UpstreamErrorKind};
pub use network::ReqwestTransport;
pub use policy::{Breaker, Cache, Network, Policy, Rate, Retry};
pub use request::{Method, Remember, UpstreamRequest, UpstreamResponse, UpstreamStream};
pub use reqwest::header;
pub use send::{Upstream, UpstreamOptions};
pub use session::Session;
pub use transport::{BodyStream, FailureKind, HttpRequest, HttpResponse, Transport, TransportError};
pub use wire::Wire;
