//! The floor: what a gateway costs that does nothing but to make the upstream calls and to hand on their bytes. Server,
//! client, allocator and threads are the gateway's own.

use crate::Result;
use crate::record::Plan;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use futures_util::future::try_join_all;
use futures_util::stream::TryStreamExt;
use incident_gateway::upstream::{HttpRequest, Method, Policy, ReqwestTransport, Transport, header::HeaderMap};
use std::collections::BTreeMap;
use std::io::{BufRead, stdin};
use std::sync::Arc;
use tokio::net::TcpListener;
use url::Url;

struct Floor {
    transport: ReqwestTransport,
    headers: HeaderMap,
    /// For each kind of request the URLs, wave by wave.
    waves: BTreeMap<String, Vec<Vec<Url>>>,
}

/// Serves until standard input ends. Lines in: address of the upstream, its token, the plan as JSON. Line out: own address.
pub(crate) fn run() -> Result<()> {
    let mut lines = stdin().lock().lines();
    let mut line = || lines.next().unwrap_or_else(|| Ok(String::new()));
    let (base, token) = (Url::parse(&line()?)?, line()?);
    let plan: Plan = serde_json::from_str(&line()?)?;
    let floor = Floor::new(&base, &token, &plan)?;

    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    println!("http://{}", listener.local_addr()?);
    let router = Router::new().route("/{work}", post(forward)).with_state(Arc::new(floor));
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    runtime.spawn(async move { axum::serve(listener, router).await });
    // Returns when the parent is gone.
    line()?;
    Ok(())
}

impl Floor {
    fn new(base: &Url, token: &str, plan: &Plan) -> Result<Self> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Token {token}"))?);
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
        let mut waves = BTreeMap::new();
        for (work, paths) in plan {
            let urls = |wave: &Vec<String>| wave.iter().map(|path| Ok(base.join(path)?)).collect::<Result<Vec<Url>>>();
            waves.insert(work.clone(), paths.iter().map(urls).collect::<Result<_>>()?);
        }
        Ok(Floor { transport: ReqwestTransport::new(&Policy::default())?, headers, waves })
    }

    async fn call(&self, url: &Url) -> Result<Vec<Bytes>> {
        let (url, headers) = (url.clone(), self.headers.clone());
        let request = HttpRequest { method: Method::Get, url, headers, body: Bytes::new() };
        let answer = self.transport.send(request).await?;
        Ok(answer.body.try_collect().await?)
    }

    async fn answer(&self, work: &str) -> Result<Vec<u8>> {
        let mut pieces = Vec::new();
        for wave in self.waves.get(work).ok_or("no such work")? {
            pieces.extend(try_join_all(wave.iter().map(|url| self.call(url))).await?);
        }
        Ok(pieces.concat().concat())
    }
}

async fn forward(State(floor): State<Arc<Floor>>, Path(work): Path<String>, _request: Bytes) -> Response {
    match floor.answer(&work).await {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}
