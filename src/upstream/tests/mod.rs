//! The steps of a call: on a paused clock with a transport in memory, and over loopback where the real one matters.

mod credentials;
mod limits;
mod logins;
mod network;
mod repeats;
mod session_life;
mod sharing;
mod tls;

use super::memory::MemoryTransport;
use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::time::Instant;

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// Runs a test with plenty of time for each call.
pub(super) fn context() -> Context {
    context_for(3_600 * SECOND)
}

pub(super) fn context_for(time: Duration) -> Context {
    Context::new(Instant::now() + time, "r-1", "gateway")
}

pub(super) fn static_token() -> Arc<dyn Credential> {
    Arc::new(Static::new(header::AUTHORIZATION, header::HeaderValue::from_static("Token t-0")))
}

pub(super) fn options(transport: MemoryTransport) -> UpstreamOptions {
    UpstreamOptions {
        name: "ciso".into(),
        base: "https://vendor.example/".parse().unwrap(),
        policy: Policy::default(),
        transport: Arc::new(transport),
        credential: static_token(),
    }
}

pub(super) fn upstream(transport: MemoryTransport) -> Upstream {
    Upstream::new(options(transport))
}

pub(super) fn list() -> UpstreamRequest {
    UpstreamRequest::get("list_incidents", "/api/incidents/")
}

pub(super) fn token_of(request: &HttpRequest) -> String {
    let value = request.headers.get(header::AUTHORIZATION);
    value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
}

/// Counts from several places.
#[derive(Clone, Default)]
pub(super) struct Counter(Arc<AtomicUsize>);

impl Counter {
    pub(super) fn add(&self) -> usize {
        self.0.fetch_add(1, SeqCst) + 1
    }

    pub(super) fn subtract(&self) {
        self.0.fetch_sub(1, SeqCst);
    }

    pub(super) fn count(&self) -> usize {
        self.0.load(SeqCst)
    }

    pub(super) fn raise_to(&self, count: usize) {
        self.0.fetch_max(count, SeqCst);
    }
}
