//! The transport over real sockets, and the only HTTP client of the gateway.

use super::policy::Policy;
use super::request::Method;
use super::transport::{FailureKind, HttpRequest, HttpResponse, Transport, TransportError};
use chrono::Utc;
use futures_util::future::BoxFuture;
use futures_util::stream::{StreamExt, TryStreamExt};
use reqwest::{Certificate, Client, ClientBuilder, Identity, Proxy, redirect, retry};
use std::error::Error;
use std::path::Path;
use std::{fs, io};

/// HTTP/1.1 over TCP or TLS (rustls with ring), the system's certificates trusted. Connections are kept when the vendor
/// allows it and made anew when it says `Connection: close`.
pub struct ReqwestTransport {
    client: Client,
}

impl ReqwestTransport {
    /// Uses the connect timeout of the policy and its network; the other limits are held above. Reads the files that it
    /// names, now. Without any certificate authority on the machine (a bare container) it still serves `http` addresses,
    /// while every `https` call fails as `Tls`.
    /// Fails when a file cannot be read or used, or TLS cannot be set up at all; the text names the file.
    pub fn new(policy: &Policy) -> Result<Self, TransportError> {
        // The provider can be set once per process; whoever was first, it is there afterwards.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let network = &policy.network;
        let client = match &network.ca_file {
            Some(file) => builder(policy)?.tls_certs_only(authorities(file)?).build(),
            None => match builder(policy)?.build() {
                Ok(client) => Ok(client),
                Err(_) => builder(policy)?.tls_certs_only([]).build(),
            },
        };
        Ok(ReqwestTransport { client: client.map_err(|error| failure(error, FailureKind::Protocol))? })
    }
}

/// The authorities in a file of PEM certificates.
fn authorities(file: &Path) -> Result<Vec<Certificate>, TransportError> {
    let found =
        Certificate::from_pem_bundle(&contents(file)?).map_err(|_| unusable(file, "holds no PEM certificates"))?;
    // An empty list would trust nobody, and every call would fail for a reason that is hard to find.
    if found.is_empty() { Err(unusable(file, "holds no PEM certificates")) } else { Ok(found) }
}

fn contents(file: &Path) -> Result<Vec<u8>, TransportError> {
    fs::read(file).map_err(|error| unusable(file, &format!("cannot be read: {error}")))
}

fn unusable(file: &Path, what: &str) -> TransportError {
    TransportError::new(FailureKind::Tls, format!("the file {} {what}", file.display()))
}

fn builder(policy: &Policy) -> Result<ClientBuilder, TransportError> {
    let mut builder = Client::builder()
        .connect_timeout(policy.connect_timeout)
        // A redirect turns POST into GET and may carry the token to another host.
        .redirect(redirect::Policy::none())
        .referer(false)
        // `HTTP_PROXY` of whoever started us must not see tokens.
        .no_proxy()
        // One place decides about repetition, and it is `send`.
        .retry(retry::never())
        .http1_only();
    if let Some(file) = &policy.network.client_certificate {
        let identity = Identity::from_pem(&contents(file)?);
        let identity = identity.map_err(|_| unusable(file, "holds no PEM certificate with its private key"))?;
        builder = builder.identity(identity);
    }
    if let Some(proxy) = &policy.network.proxy {
        let proxy = Proxy::all(proxy.as_str()).map_err(|error| failure(error, FailureKind::Protocol))?;
        builder = builder.proxy(proxy);
    }
    Ok(builder)
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
            let received = Some(Utc::now());
            let headers = std::mem::take(answer.headers_mut());
            let status = answer.status().as_u16();
            let body = answer.bytes_stream().map_err(|error| failure(error, FailureKind::Cut)).boxed();
            Ok(HttpResponse { status, headers, body, received })
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
