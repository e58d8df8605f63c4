//! Learns which calls a gateway makes for a request, and which of them at the same time: a proxy before each source writes
//! them down.

use crate::Result;
use crate::waves::{Passed, waves};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::stream::TryStreamExt;
use incident_gateway::upstream::header::{self, HeaderMap, HeaderName, HeaderValue};
use incident_gateway::upstream::{HttpRequest, Method, Policy, ReqwestTransport, Transport};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::net::TcpListener;
use url::Url;

/// Longest request body of a source that is looked at.
const BODY_MAX: usize = 1 << 20;

/// One call, to be made again.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Recorded {
    /// Whether it is a POST; else it is a GET.
    post: bool,
    pub(crate) url: String,
    headers: Vec<(String, String)>,
    body: String,
    /// What the source answered: that something is not there is an answer, too.
    pub(crate) status: u16,
}

impl Recorded {
    pub(crate) fn request(&self) -> Result<HttpRequest> {
        let method = if self.post { Method::Post } else { Method::Get };
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
        }
        Ok(HttpRequest { method, url: Url::parse(&self.url)?, headers, body: self.body.clone().into() })
    }
}

/// Proxies before all sources of a configuration.
pub(crate) struct Recorder {
    /// The configuration of a gateway that reads through them.
    pub(crate) config: String,
    passed: Arc<Mutex<Vec<Passed<Recorded>>>>,
}

#[derive(Clone)]
struct Proxy {
    base: Url,
    transport: Arc<ReqwestTransport>,
    passed: Arc<Mutex<Vec<Passed<Recorded>>>>,
}

impl Recorder {
    pub(crate) async fn start(config: &str) -> Result<Self> {
        let (transport, passed) = (Arc::new(ReqwestTransport::new(&Policy::default())?), Arc::default());
        let mut through = String::new();
        for line in config.lines() {
            let base = line.strip_prefix("url = \"").and_then(|rest| rest.strip_suffix('"'));
            let Some(base) = base else {
                through.push_str(&format!("{line}\n"));
                continue;
            };
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            through.push_str(&format!("url = \"http://{}/\"\n", listener.local_addr()?));
            let proxy = Proxy { base: Url::parse(base)?, transport: transport.clone(), passed: Arc::clone(&passed) };
            let router = Router::new().fallback(pass).with_state(proxy);
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
        Ok(Recorder { config: through, passed })
    }

    /// What passed since the last time, wave by wave.
    pub(crate) fn take(&self) -> Vec<Vec<Recorded>> {
        waves(std::mem::take(&mut *self.passed.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Proxy {
    async fn pass(&self, request: Request) -> Result<Response> {
        let began = Instant::now();
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default();
        let body = axum::body::to_bytes(body, BODY_MAX).await?;
        let skip = [header::HOST, header::CONTENT_LENGTH, header::CONNECTION];
        let kept = parts.headers.iter().filter(|(name, _)| !skip.contains(name));
        let headers =
            kept.map(|(name, value)| Ok((name.to_string(), value.to_str()?.to_owned()))).collect::<Result<_>>()?;
        let (post, body) = (parts.method == "POST", String::from_utf8(body.to_vec())?);
        let mut call = Recorded { post, url: self.base.join(&path)?.into(), headers, body, status: 0 };
        let answer = self.transport.send(call.request()?).await?;
        call.status = answer.status;
        let (status, headers) = (answer.status, answer.headers.clone());
        let body: Vec<bytes::Bytes> = answer.body.try_collect().await?;
        let passed = Passed { call, began, ended: Instant::now() };
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).push(passed);
        let mut response = (StatusCode::from_u16(status)?, body.concat()).into_response();
        for (name, value) in
            headers.iter().filter(|(name, _)| !skip.contains(name) && **name != header::TRANSFER_ENCODING)
        {
            response.headers_mut().insert(name, value.clone());
        }
        Ok(response)
    }
}

async fn pass(State(proxy): State<Proxy>, request: Request) -> Response {
    let answer = proxy.pass(request).await;
    answer.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
}
