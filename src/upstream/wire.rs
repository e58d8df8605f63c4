//! One HTTP exchange with a vendor: address, send, wait for the head within the limit. No permit and no credential; those
//! are put around it.

use super::allowance::{Allowance, Counted};
use super::body::{Exchange, Limit, Origin};
use super::context::{Context, Priority, Purpose};
use super::error::{UpstreamError, UpstreamErrorKind};
use super::policy::Policy;
use super::request::{Method, UpstreamRequest, UpstreamResponse};
use super::transport::{FailureKind, HttpRequest, Transport, TransportError};
use reqwest::header::HeaderMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::{Instant, timeout_at};
use url::Url;

/// Where a source is and how to reach it.
pub(super) struct Endpoint {
    pub(super) source: Arc<str>,
    /// Without the trailing slash.
    base: String,
    pub(super) policy: Policy,
    transport: Arc<dyn Transport>,
}

impl Endpoint {
    pub(super) fn new(source: Arc<str>, mut base: Url, policy: Policy, transport: Arc<dyn Transport>) -> Self {
        base.set_query(None);
        base.set_fragment(None);
        // Both fail only for addresses that have no host, and those have no user either.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        let base = base.as_str().trim_end_matches('/').to_owned();
        Endpoint { source, base, policy, transport }
    }

    /// Bytes of the path of the base URL, without the trailing slash.
    pub(super) fn base_path_bytes(&self) -> usize {
        let after_scheme = self.base.find("://").map_or(0, |at| at + 3);
        self.base[after_scheme..].find('/').map_or(0, |at| self.base.len() - after_scheme - at)
    }

    fn url(&self, request: &UpstreamRequest) -> Result<Url, UpstreamError> {
        let refused = |detail| UpstreamError::new(UpstreamErrorKind::Internal, request.operation).with_detail(detail);
        if !request.path.starts_with('/') {
            return Err(refused("a path begins with a slash"));
        }
        let text = format!("{}{}", self.base, request.path);
        let url = Url::parse(&text).map_err(|error| refused("not a URL").with_cause(error))?;
        // What was written is what is sent: no `..` climbs to another endpoint, nothing is encoded or dropped on the way.
        if url.as_str() == text && url.fragment().is_none() {
            Ok(url)
        } else {
            Err(refused("a path that is not fully encoded"))
        }
    }

    /// Sends and waits for the head. `credential` is added to the request's own headers.
    pub(super) async fn open(
        &self,
        cx: &Context,
        request: &UpstreamRequest,
        credential: &HeaderMap,
        purpose: Purpose,
    ) -> Result<Exchange, UpstreamError> {
        let url = self.url(request)?;
        // A `timeout_at` looks at its future before its clock: without this, a deadline that passed in the queue would
        // still send.
        if Instant::now() >= cx.deadline {
            return Err(UpstreamError::new(UpstreamErrorKind::Deadline, request.operation));
        }
        let mut headers = credential.clone();
        for (name, value) in &request.headers {
            headers.append(name, value.clone());
        }
        let body = request.body.clone().unwrap_or_default();
        let limit = Limit::new(&self.policy, cx.deadline);
        let origin = Origin {
            source: self.source.clone(),
            operation: request.operation,
            request_id: cx.request_id.clone(),
            purpose,
            tally: cx.tally.clone(),
            sent: Instant::now(),
        };
        cx.tally.count(purpose);
        let sending = self.transport.send(HttpRequest { method: request.method, url, headers, body });
        let answer = match timeout_at(limit.at, sending).await {
            Ok(answer) => answer.map_err(|error| failed_transport(error, request.operation)),
            Err(_) => Err(UpstreamError::new(limit.kind, request.operation)),
        };
        let answer = answer.map_err(|error| origin.failed(error))?;
        Ok(Exchange::new(origin, answer, limit, &self.policy, request.method == Method::Head))
    }
}

pub(super) fn failed_transport(error: TransportError, operation: &'static str) -> UpstreamError {
    let kind = match error.kind {
        FailureKind::Connect => UpstreamErrorKind::Connect,
        FailureKind::Tls => UpstreamErrorKind::Tls,
        FailureKind::Timeout => UpstreamErrorKind::Timeout,
        FailureKind::Lost => UpstreamErrorKind::Lost,
        FailureKind::Cut => UpstreamErrorKind::Cut,
        FailureKind::Protocol => UpstreamErrorKind::Protocol,
    };
    UpstreamError::new(kind, operation).with_cause(error)
}

/// What a credential may use to fetch a token: the same source, the same limits and quotas, but no permit and no credential,
/// so that a login cannot wait for itself. Its calls are counted apart, and their answers never quoted in the log.
pub struct Wire {
    endpoint: Arc<Endpoint>,
    allowance: Arc<Allowance>,
    cx: Context,
    /// What the call was counted in on whose behalf this is; a login takes of it what it needs.
    counted: Mutex<Counted>,
}

impl Wire {
    pub(super) fn new(endpoint: Arc<Endpoint>, allowance: Arc<Allowance>, cx: &Context, counted: Counted) -> Self {
        // Many may wait for the token that a scan happens to fetch.
        let cx = Context { priority: Priority::Interactive, ..cx.clone() };
        Wire { endpoint, allowance, cx, counted: Mutex::new(counted) }
    }

    /// What is left to the call.
    pub(super) fn left(self) -> Counted {
        self.counted.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends without a credential, whatever the request says. An answer that says that the server cannot serve for now (429,
    /// 5xx) is the failure [`UpstreamErrorKind::LoginFailed`], so that it means the same as for any other call, at every
    /// vendor; any other status is an answer. Fails as [`super::Upstream::send`] does.
    pub async fn send(&self, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamError> {
        let login = request.operation;
        let lent = self.allowance.lend(&mut self.counted.lock().unwrap_or_else(PoisonError::into_inner), login);
        let counted = self.allowance.pass(&self.cx, login, lent).await?;
        self.allowance.sent(&counted);
        let exchange = self.endpoint.open(&self.cx, &request, &HeaderMap::new(), Purpose::Credential).await?;
        let answer = exchange.read().await?;
        if answer.status != 429 && answer.status < 500 {
            return Ok(answer);
        }
        let error = UpstreamError::new(UpstreamErrorKind::LoginFailed(answer.status), login);
        let Some(wait) = answer.retry_after() else { return Err(error) };
        if answer.status == 429 {
            self.allowance.note(login, wait);
        }
        Err(error.with_retry_after(wait))
    }

    /// Name of the source.
    pub fn source(&self) -> &str {
        &self.endpoint.source
    }

    /// Id of the request on whose behalf a token is fetched.
    pub fn request_id(&self) -> &str {
        &self.cx.request_id
    }
}
