//! The steps of a call, in order, on one screen. See the module's page for the reason of each height.

use super::body::Exchange;
use super::context::{Context, Purpose};
use super::credential::{AfterRejection, Credential};
use super::error::{UpstreamError, UpstreamErrorKind};
use super::policy::Policy;
use super::request::{UpstreamRequest, UpstreamResponse, UpstreamStream};
use super::transport::Transport;
use super::wire::{Endpoint, Wire};
use reqwest::header::HeaderMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use url::Url;

/// What an [`Upstream`] is made of.
pub struct UpstreamOptions {
    /// Name of the source, for the log.
    pub name: String,
    /// Address of the source, with or without a path and a trailing slash. User, query and fragment are dropped: what
    /// proves who we are stands in `credential`.
    pub base: Url,
    pub policy: Policy,
    pub transport: Arc<dyn Transport>,
    pub credential: Arc<dyn Credential>,
}

/// The conversation with one source. Share it: its limits hold for everything that goes through one value.
pub struct Upstream {
    endpoint: Arc<Endpoint>,
    credential: Arc<dyn Credential>,
    permits: Arc<Semaphore>,
}

impl Upstream {
    pub fn new(options: UpstreamOptions) -> Self {
        let concurrency = options.policy.concurrency.clamp(1, Semaphore::MAX_PERMITS);
        let endpoint = Endpoint::new(options.name.into(), options.base, options.policy, options.transport);
        Upstream {
            endpoint: Arc::new(endpoint),
            credential: options.credential,
            permits: Arc::new(Semaphore::new(concurrency)),
        }
    }

    /// Name of the source.
    pub fn name(&self) -> &str {
        &self.endpoint.source
    }

    /// Limits of the source.
    pub fn policy(&self) -> &Policy {
        &self.endpoint.policy
    }

    /// Bytes of the request line `GET <base path><path> HTTP/1.1`, for servers that limit it.
    pub fn request_line_bytes(&self, path: &str) -> usize {
        "GET ".len() + self.endpoint.base_path_bytes() + path.len() + " HTTP/1.1".len()
    }

    /// Asks and reads the whole answer. Any status but a 401 to an authenticated request is an answer.
    /// Fails as [`UpstreamErrorKind`] lists; never after the deadline of `cx`.
    pub async fn send(&self, cx: &Context, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamError> {
        // Here will stand, outermost first:
        // - cache: an answer that is known costs nothing, so nothing may come before it; keyed by `cx.scope`.
        // - coalesce: before retry, so that all who wait for one flight share its repetitions as well.
        self.attempt(cx, &request).await?.read().await
    }

    /// Asks and hands over the body as it comes: for downloads. Total timeout and deadline count until the head is here,
    /// then only the idle timeout does; the permit is held until the stream is read or dropped.
    pub async fn stream(&self, cx: &Context, request: UpstreamRequest) -> Result<UpstreamStream, UpstreamError> {
        // Neither cached nor shared: a download is long and has one reader.
        Ok(UpstreamStream::new(self.attempt(cx, &request).await?))
    }

    /// One attempt, to the head of the answer. Retry will stand around it, breaker at its top: both count attempts, as the
    /// vendor does, and a call that the breaker refuses must not queue for a permit first.
    async fn attempt(&self, cx: &Context, request: &UpstreamRequest) -> Result<Exchange, UpstreamError> {
        let queued = Instant::now();
        let permit = timeout_at(cx.deadline, self.permits.clone().acquire_owned()).await;
        cx.tally.add_waited(queued.elapsed());
        let permit = permit.map_err(|_| deadline_passed(request))?.expect("the semaphore is never closed");

        let mut exchange = if request.authenticated {
            self.authenticated(cx, request).await?
        } else {
            self.endpoint.open(cx, request, &HeaderMap::new(), Purpose::Call).await?
        };
        exchange.permit = Some(permit);
        Ok(exchange)
    }

    /// With the credential, and with a renewed one if the first is refused. A 401 means that nothing was done, so that any
    /// request may be sent again, a write as well.
    async fn authenticated(&self, cx: &Context, request: &UpstreamRequest) -> Result<Exchange, UpstreamError> {
        let refused = || UpstreamError::new(UpstreamErrorKind::CredentialRefused, request.operation);
        let wire = Wire::new(self.endpoint.clone(), cx.clone());
        for _ in 0..2 {
            let headers = timeout_at(cx.deadline, self.credential.headers(&wire)).await;
            let headers = headers.map_err(|_| deadline_passed(request))??;
            let exchange = self.endpoint.open(cx, request, &headers, Purpose::Call).await?;
            if exchange.status != 401 {
                return Ok(exchange);
            }
            // Read for the log; what became of it does not matter.
            let _ = exchange.read().await;
            if self.credential.rejected(&headers) == AfterRejection::GiveUp {
                return Err(refused());
            }
        }
        Err(refused())
    }
}

fn deadline_passed(request: &UpstreamRequest) -> UpstreamError {
    UpstreamError::new(UpstreamErrorKind::Deadline, request.operation)
}
