//! A sandbox on loopback, a source in front of it, a gateway over that, and the sandbox's own answers without either.

use crate::support as shared;
use futures_util::TryStreamExt;
use incident_gateway::{
    domain::*,
    graphql::{Api, Request},
    sandbox::{Sandbox, SandboxOptions, Vendor},
    secret::Secret,
    source::*,
    upstream::{
        Context, HttpRequest, HttpResponse, Method, ReqwestTransport, Transport, TransportError, header::*,
        memory::MemoryTransport,
    },
    vendors::{VendorConfig, build, eventlog_analyzer::*},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) const PLAIN: Want = Want::PLAIN;
pub(crate) const RAW: Want = Want { raw: true, ..Want::PLAIN };
pub(crate) const BERLIN: chrono_tz::Tz = chrono_tz::Europe::Berlin;
pub(crate) const JSON: &str = "application/json";

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) api: Api,
    base: String,
    transport: Arc<dyn Transport>,
    server: JoinHandle<()>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub(crate) fn name() -> SourceName {
    SourceName::new("ela")
}

pub(crate) fn key(id: impl Into<NativeId>) -> Key {
    Key::new(&name(), id)
}

pub(crate) fn options(incidents: usize) -> SandboxOptions {
    SandboxOptions { vendor: Vendor::EventlogAnalyzer, incidents, ..SandboxOptions::default() }
}

pub(crate) fn call() -> Call {
    let context = Context::new(tokio::time::Instant::now() + Duration::from_secs(60), "r-1", "gateway");
    Call { caller: Arc::new(Caller::local()), context, now: options(0).now }
}

/// All rows, whatever they are.
pub(crate) fn page(offset: u64, limit: usize) -> ListRequest {
    ListRequest { tests: Vec::new(), order: None, offset, limit, want: PLAIN }
}

pub(crate) fn of(incidents: &[NativeId], parts: DetailParts, want: Want) -> DetailRequest {
    DetailRequest { parts, incidents: incidents.to_vec(), want }
}

pub(crate) const ALL_PARTS: DetailParts =
    DetailParts { comments: true, activity: true, evidence: true, assets: true, delete_preview: false };

/// A source that gets its answers from a function of path and query.
pub(crate) fn over(
    change: impl FnOnce(&mut Config),
    answer: impl Fn(&str) -> HttpResponse + Send + Sync + 'static,
) -> Arc<dyn Source> {
    let answer = Arc::new(answer);
    let transport = MemoryTransport::new(move |request: HttpRequest| {
        let answer = answer.clone();
        async move {
            let url = &request.url[url::Position::BeforePath..];
            Ok::<_, TransportError>(answer(url))
        }
    });
    let mut config = Config::new("http://localhost:8400/".parse().unwrap(), Secret::from("0123".to_owned()), BERLIN);
    change(&mut config);
    Checked::wrap(build(&name(), &VendorConfig::EventlogAnalyzer(config), Arc::new(transport)))
}

/// A source that gets one body to everything.
pub(crate) fn told(body: impl Into<bytes::Bytes>) -> Arc<dyn Source> {
    let body: bytes::Bytes = body.into();
    over(|_| {}, move |_| json(200, body.clone()))
}

pub(crate) fn json(status: u16, body: impl Into<bytes::Bytes>) -> HttpResponse {
    HttpResponse::new(status, body).header(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"))
}

pub(crate) fn fixture(file: &str) -> String {
    let path = format!("{}/tests/fixtures/eventlog-analyzer/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

impl Bench {
    pub(crate) async fn new(incidents: usize) -> Bench {
        Bench::with(options(incidents), |_| {}).await
    }

    pub(crate) async fn with(options: SandboxOptions, change: impl FnOnce(&mut Config)) -> Bench {
        let sandbox = Sandbox::new(options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let serving = sandbox.clone();
        let server = tokio::spawn(async move { serving.serve(listener, std::future::pending()).await.unwrap() });
        let secret = |name| sandbox.secrets().into_iter().find(|(other, _)| *other == name).unwrap().1;
        let zone = secret("time_zone").parse().unwrap();
        let mut config = Config::new(base.parse().unwrap(), Secret::from(secret("token")), zone);
        change(&mut config);
        let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new(&config.policy).unwrap());
        let source = Checked::wrap(build(&name(), &VendorConfig::EventlogAnalyzer(config), transport.clone()));
        let api = shared::api(vec![source.clone()]);
        Bench { sandbox, source, api, base, transport, server }
    }

    /// The server's own answer.
    pub(crate) async fn ask(&self, method: Method, path: &str, token: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.base).parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        let body = if body.is_null() { Default::default() } else { body.to_string().into() };
        let answer = self.transport.send(HttpRequest { method, url, headers, body }).await.unwrap();
        let body: Vec<bytes::Bytes> = answer.body.try_collect().await.unwrap();
        (answer.status, serde_json::from_slice(&body.concat()).unwrap_or_default())
    }

    pub(crate) async fn rest(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::Get, path, self.sandbox.token(), Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// All rows under a filter, as the server orders them.
    pub(crate) async fn rows(&self, filter: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let page = self.rest(&format!("/api/v2/incident?{filter}limit=100&from={}", all.len() + 1)).await;
            let rows = page["data"].as_array().unwrap();
            all.extend(rows.iter().cloned());
            if rows.is_empty() || all.len() as u64 >= page["meta"]["total_items"].as_u64().unwrap() {
                return all;
            }
        }
    }

    /// What the source gives for a list request, page by page, each incident once.
    pub(crate) async fn walk(&self, tests: Vec<Test>, limit: usize) -> Vec<Arc<Incident>> {
        walk(&*self.source, tests, limit).await
    }

    /// What the gateway answers.
    pub(crate) async fn gql(&self, query: &str) -> Value {
        let request = Request { query: query.into(), ..Request::default() };
        let response = self.api.execute(request, &shared::call("r-1")).await;
        serde_json::from_str(&response.body).unwrap()
    }

    /// The data of an answer without errors.
    pub(crate) async fn data(&self, query: &str) -> Value {
        let mut answer = self.gql(query).await;
        assert_eq!(answer.get("errors"), None, "{query}");
        answer["data"].take()
    }

    /// Paths and queries of the calls since the last look.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = self.sandbox.calls();
        self.sandbox.reset_calls();
        calls.into_iter().map(|call| format!("{}?{}", call.path, call.query)).collect()
    }
}

/// Each incident once, in the order of the first time that it came.
pub(crate) async fn walk(source: &dyn Source, tests: Vec<Test>, limit: usize) -> Vec<Arc<Incident>> {
    let (call, mut all): (_, Vec<Arc<Incident>>) = (call(), Vec::new());
    let mut request = ListRequest { tests, ..page(0, limit) };
    loop {
        let rows = source.list(&call, &request).await.unwrap();
        assert!(rows.items.len() <= limit && rows.consumed == rows.items.len());
        request.offset += rows.consumed as u64;
        for incident in rows.items {
            if !all.iter().any(|other| other.key == incident.key) {
                all.push(incident);
            }
        }
        if !rows.more {
            assert_eq!(rows.total, Some(all.len() as u64));
            return all;
        }
        assert!(rows.consumed > 0);
    }
}

pub(crate) fn ids(incidents: &[Arc<Incident>]) -> Vec<String> {
    incidents.iter().map(|incident| incident.key.native.to_string()).collect()
}

/// The moment that the server means by a printed time, told in another way than the source does: the first one that is
/// printed so.
pub(crate) fn moment(printed: &Value, zone: chrono_tz::Tz) -> Option<Time> {
    let local = chrono::NaiveDateTime::parse_from_str(printed.as_str()?, "%Y-%m-%d %H:%M:%S").unwrap();
    let candidates = (-14 * 4..=14 * 4).map(|quarter| local - chrono::TimeDelta::minutes(15 * quarter));
    candidates.map(|utc| utc.and_utc()).filter(|utc| utc.with_timezone(&zone).naive_local() == local).min()
}
