//! A sandbox on loopback or a made-up server in memory, a source in front of it, a gateway over that.

use crate::support;
use incident_gateway::{
    domain::*,
    graphql::{Api, Request},
    sandbox::{Sandbox, SandboxOptions, Vendor},
    secret::Secret,
    source::*,
    upstream::{
        HttpRequest, HttpResponse, ReqwestTransport, Transport, TransportError, header::*, memory::MemoryTransport,
    },
    vendors::{VendorConfig, build, kaspersky_xdr::Config},
};
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::{net::TcpListener, task::JoinHandle};

pub(super) const JSON: &str = "application/json";
pub(super) const PLAIN: Want = Want::PLAIN;
pub(super) const TENANT: &str = "a1d2c3b4-1111-4222-8333-444455556666";
pub(super) const BRANCH: &str = "a1d2c3b4-1111-4222-8333-444455557777";

pub(super) fn name() -> SourceName {
    SourceName::new("xdr")
}

pub(super) fn key(id: &str) -> Key {
    Key::new(&name(), id)
}

pub(super) fn call() -> Call {
    support::call("r-1")
}

/// Well-formed, and nobody's.
pub(super) fn nobody(number: u8) -> NativeId {
    NativeId::new(&format!("00000000-0000-4000-8000-0000000000{number:02x}"))
}

/// A document's body.
pub(super) fn fixture(file: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/fixtures/kaspersky-xdr/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A source over a sandbox.
pub(super) struct Bench {
    pub(super) sandbox: Sandbox,
    pub(super) source: Arc<dyn Source>,
    pub(super) api: Api,
    base: String,
    server: JoinHandle<()>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Bench {
    pub(super) async fn new(incidents: usize) -> Bench {
        Bench::with(incidents, |_, _| {}).await
    }

    pub(super) async fn with(incidents: usize, change: impl FnOnce(&mut Config, &Sandbox)) -> Bench {
        let options = SandboxOptions { vendor: Vendor::KasperskyXdr, incidents, ..SandboxOptions::default() };
        let sandbox = Sandbox::new(options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let serving = sandbox.clone();
        let server = tokio::spawn(async move { serving.serve(listener, std::future::pending()).await.unwrap() });
        let mut config = Config::new(base.parse().unwrap(), Secret::from(sandbox.token().to_owned()));
        change(&mut config, &sandbox);
        let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new(&config.policy).unwrap());
        let made = || build(&name(), &VendorConfig::KasperskyXdr(config.clone()), transport.clone());
        let (source, api) = (Checked::wrap(made()), support::api(vec![made()]));
        Bench { sandbox, source, api, base, server }
    }

    /// The token of an account by its name.
    pub(super) fn token(sandbox: &Sandbox, account: &str) -> String {
        let logins = sandbox.accounts();
        logins.into_iter().find(|login| login.email.starts_with(account)).unwrap().token
    }

    /// The server's own answer to somebody.
    pub(super) async fn rest_as(&self, token: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
        use incident_gateway::upstream::Method;
        let transport = ReqwestTransport::new(&Default::default()).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(token).unwrap());
        let url = format!("{}/xdr/api/v1/{path}", self.base).parse().unwrap();
        let method = if method == "POST" { Method::Post } else { Method::Get };
        let request = HttpRequest { method, url, headers, body: bytes::Bytes::from(body.to_owned()) };
        let answer = transport.send(request).await.unwrap();
        let body: Vec<bytes::Bytes> = futures_util::TryStreamExt::try_collect(answer.body).await.unwrap();
        (answer.status, serde_json::from_slice(&body.concat()).unwrap_or_default())
    }

    /// The server's own answer to the gateway.
    pub(super) async fn rest(&self, path: &str) -> Value {
        let (status, body) = self.rest_as(&format!("Bearer {}", self.sandbox.token()), "GET", path, "").await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Ids of the tenants that the gateway may read, as parameters.
    pub(super) async fn tenants(&self) -> String {
        let tenants = self.rest("tenants").await;
        let ids = tenants.as_array().unwrap().iter().map(|row| format!("&tenantID={}", row["ID"].as_str().unwrap()));
        ids.collect()
    }

    /// All rows of the server.
    pub(super) async fn rest_all(&self, extras: &str) -> Vec<Value> {
        let (tenants, mut all) = (self.tenants().await, Vec::new());
        for page in 1.. {
            let mut answer = self.rest(&format!("incidents?page={page}{tenants}{extras}")).await;
            let rows = answer["Incidents"].as_array_mut().map(std::mem::take).unwrap_or_default();
            if rows.is_empty() {
                break;
            }
            all.extend(rows);
        }
        self.sandbox.reset_calls();
        all
    }

    /// What the source gives for a list request, page by page.
    pub(super) async fn walk(&self, tests: Vec<Test>, limit: usize) -> Vec<Arc<Incident>> {
        walk(&*self.source, tests, limit).await
    }

    /// Path and query of the calls since the last look, `/xdr/api/v1/` left out.
    pub(super) fn calls(&self) -> Vec<String> {
        let calls = self.sandbox.calls();
        self.sandbox.reset_calls();
        calls.into_iter().map(|call| format!("{}?{}", call.path.replace("/xdr/api/v1/", ""), call.query)).collect()
    }

    /// The data of an answer without errors.
    pub(super) async fn data(&self, query: &str) -> Value {
        data(&self.api, query).await
    }
}

/// What a source gives for a list request, page by page.
pub(super) async fn walk(source: &dyn Source, tests: Vec<Test>, limit: usize) -> Vec<Arc<Incident>> {
    let (call, mut all) = (call(), Vec::new());
    let mut request = ListRequest { tests, order: None, offset: 0, limit, want: PLAIN };
    loop {
        let rows = source.list(&call, &request).await.unwrap();
        assert!(rows.items.len() <= rows.consumed && rows.consumed <= limit);
        request.offset += rows.consumed as u64;
        all.extend(rows.items);
        if !rows.more {
            return all;
        }
        assert!(rows.consumed > 0, "more is promised, and nothing came");
    }
}

pub(super) async fn ask(api: &Api, query: &str) -> Value {
    let request = Request { query: query.into(), variables: Map::new(), ..Request::default() };
    serde_json::from_str(&api.execute(request, &call()).await.body).unwrap()
}

/// The data of an answer without errors.
pub(super) async fn data(api: &Api, query: &str) -> Value {
    let mut answer = ask(api, query).await;
    assert_eq!(answer.get("errors"), None, "{query}");
    answer["data"].take()
}

/// A source whose server is a function, with these tenants configured.
pub(super) fn over(
    tenants: &[&str],
    answer: impl Fn(HttpRequest) -> HttpResponse + Send + Sync + 'static,
) -> Arc<dyn Source> {
    let answer = Arc::new(answer);
    let transport = MemoryTransport::new(move |request| {
        let answer = answer.clone();
        async move { Ok::<_, TransportError>(answer(request)) }
    });
    let mut config = Config::new("http://localhost/".parse().unwrap(), Secret::from("0123".to_owned()));
    config.tenants = tenants.iter().map(|id| (*id).to_owned()).collect();
    build(&name(), &VendorConfig::KasperskyXdr(config), Arc::new(transport))
}

/// An answer in JSON.
pub(super) fn json(status: u16, body: impl Into<bytes::Bytes>) -> HttpResponse {
    HttpResponse::new(status, body).header(CONTENT_TYPE, HeaderValue::from_static(JSON))
}

/// A source that gets one answer to every list of incidents, and no tenants or alerts.
pub(super) fn answering(body: impl Into<String>) -> Arc<dyn Source> {
    let body = body.into();
    over(&[TENANT], move |request| match request.url.path() {
        "/xdr/api/v1/incidents" => json(200, body.clone()),
        "/xdr/api/v1/alerts" => json(200, fixture("list_alerts.json")),
        _ => json(200, fixture("list_tenants.json")),
    })
}

pub(super) fn page() -> ListRequest {
    ListRequest { tests: Vec::new(), order: None, offset: 0, limit: 100, want: PLAIN }
}
