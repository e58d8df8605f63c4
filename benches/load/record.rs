//! Learns which upstream calls the gateway makes for each kind of request, and which of them at the same time: a proxy
//! between gateway and upstream writes them down.

use crate::client::{self, Target};
use crate::process::{Gateway, Upstream};
use crate::waves::{Passed, waves};
use crate::work::WORK;
use crate::{Result, SLOW};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::TryStreamExt;
use incident_gateway::upstream::{HttpRequest, Method, Policy, ReqwestTransport, Transport};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::net::TcpListener;
use url::Url;

/// For each kind of request the paths that are called, wave by wave.
pub(crate) type Plan = BTreeMap<String, Vec<Vec<String>>>;

struct Recorder {
    upstream: Url,
    transport: ReqwestTransport,
    passed: Mutex<Vec<Passed<String>>>,
}

/// Asks a gateway of its own once for each kind of request. Checks the answers.
pub(crate) async fn calls(upstream: &mut Upstream) -> Result<Plan> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let transport = ReqwestTransport::new(&Policy::default())?;
    let recorder = Arc::new(Recorder { upstream: Url::parse(&upstream.url)?, transport, passed: Mutex::default() });
    let router = Router::new().fallback(pass).with_state(recorder.clone());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let gateway = Gateway::start(&address, &upstream.token).await?;

    // Slow, so that calls at the same time are seen to be so.
    upstream.set_latency(SLOW).await?;
    let mut plan = Plan::new();
    for work in &WORK {
        let target = Target::new(&gateway.0, work);
        // What is asked only once is asked by the first request: the release, the people.
        let answer = client::once(&target).await?;
        let (text, times) = work.holds;
        if answer.matches(text).count() != times || answer.contains("\"errors\":") {
            return Err(format!("the gateway's answer to {} is wrong: {answer:.2000}", work.name).into());
        }
        recorder.take();
        client::once(&target).await?;
        plan.insert(work.name.to_owned(), waves(recorder.take()));
    }
    serving.abort();
    Ok(plan)
}

impl Recorder {
    fn take(&self) -> Vec<Passed<String>> {
        std::mem::take(&mut self.passed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn pass(&self, request: Request) -> Result<Response> {
        let path = request.uri().path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default();
        let began = Instant::now();
        let (url, mut headers) = (self.upstream.join(&path)?, request.headers().clone());
        headers.remove(header::HOST);
        let request = HttpRequest { method: Method::Get, url, headers, body: bytes::Bytes::new() };
        let answer = self.transport.send(request).await?;
        let (status, kind) = (answer.status, answer.headers.get(header::CONTENT_TYPE).cloned());
        let body: Vec<bytes::Bytes> = answer.body.try_collect().await?;
        let passed = Passed { call: path, began, ended: Instant::now() };
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).push(passed);
        let mut response = (StatusCode::from_u16(status)?, body.concat()).into_response();
        if let Some(kind) = kind {
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        Ok(response)
    }
}

async fn pass(State(recorder): State<Arc<Recorder>>, request: Request) -> Response {
    let answer = recorder.pass(request).await;
    answer.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
}
