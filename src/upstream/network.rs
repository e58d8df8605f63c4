//! The transport over real sockets, and the only HTTP client of the gateway.

use super::policy::Policy;
use super::request::Method;
use super::transport::{FailureKind, HttpRequest, HttpResponse, Transport, TransportError};
use futures_util::future::BoxFuture;
use futures_util::stream::{StreamExt, TryStreamExt};
use reqwest::{Client, ClientBuilder, redirect, retry};
use std::error::Error;
use std::io;

/// HTTP/1.1 over TCP or TLS (rustls with ring), the system's certificates trusted. Connections are kept when the vendor
/// allows it and made anew when it says `Connection: close`.
pub struct ReqwestTransport {
    client: Client,
}

impl ReqwestTransport {
    /// Uses the connect timeout of the policy; the other limits are held above. Without any certificate authority on the
    /// machine (a bare container) it still serves `http` addresses, while every `https` call fails as `Tls`.
    /// Fails when TLS cannot be set up at all.
    pub fn new(policy: &Policy) -> Result<Self, TransportError> {
        // The provider can be set once per process; whoever was first, it is there afterwards.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = builder(policy).build().or_else(|_| builder(policy).tls_certs_only([]).build());
        Ok(ReqwestTransport { client: client.map_err(|error| failure(error, FailureKind::Protocol))? })
    }
}

fn builder(policy: &Policy) -> ClientBuilder {
    Client::builder()
        .connect_timeout(policy.connect_timeout)
        // A redirect turns POST into GET and may carry the token to another host.
        .redirect(redirect::Policy::none())
        .referer(false)
        // `HTTP_PROXY` of whoever started us must not see tokens.
        .no_proxy()
        // One place decides about repetition, and it is `send`.
        .retry(retry::never())
        .http1_only()
}

impl Transport for ReqwestTransport {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Head => reqwest::Method::HEAD,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut outgoing = self.client.request(method, request.url).headers(request.headers);
        if !request.body.is_empty() {
            outgoing = outgoing.body(request.body);
        }
        Box::pin(async move {
            let mut answer = outgoing.send().await.map_err(|error| failure(error, FailureKind::Lost))?;
            let headers = std::mem::take(answer.headers_mut());
            let status = answer.status().as_u16();
            let body = answer.bytes_stream().map_err(|error| failure(error, FailureKind::Cut)).boxed();
            Ok(HttpResponse { status, headers, body })
        })
    }
}

/// `otherwise` is the kind of what has no sign of its own: the client does not tell a connection that was closed before
/// the head from a head that is no HTTP.
fn failure(error: reqwest::Error, otherwise: FailureKind) -> TransportError {
    let kind = if causes(&error).any(is_tls) {
        FailureKind::Tls
    } else if error.is_connect() {
        FailureKind::Connect
    } else if error.is_timeout() {
        FailureKind::Timeout
    } else if error.is_builder() {
        FailureKind::Protocol
    } else {
        otherwise
    };
    // The URL may hold what a user searched for, and this is logged.
    TransportError::new(kind, error.without_url())
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (**error).source())
}

fn is_tls(error: &(dyn Error + 'static)) -> bool {
    // `io::Error::source` skips the error it wraps, and one may wrap another: look inside.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inside) => is_tls(inside),
        None => error.is::<rustls::Error>(),
    }
}
