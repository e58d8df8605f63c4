//! A simulated server on loopback, a source in front of it, the server's own answers without one; and servers of one body.

use crate::support::api;
use futures_util::TryStreamExt;
use incident_gateway::{
    domain::*,
    graphql::{Api, Request},
    sandbox::{Sandbox, SandboxOptions, Vendor},
    secret::Secret,
    source::*,
    upstream::{HttpRequest, HttpResponse, Method, ReqwestTransport, Transport, header::*, memory::MemoryTransport},
    vendors::{VendorConfig, build, cortex_xpanse::*},
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) use crate::support::call as call_of;

pub(crate) const LIST: &str = "/public_api/v1/incidents/get_incidents/";
pub(crate) const EXTRA: &str = "/public_api/v1/incidents/get_incident_extra_data/";
pub(crate) const ALERTS: &str = "/public_api/v2/alerts/get_alerts_multi_events/";
pub(crate) const PLAIN: Want = Want::PLAIN;

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) base: String,
    serving: JoinHandle<()>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub(crate) fn name() -> SourceName {
    SourceName::new("asm")
}

pub(crate) fn call() -> Call {
    call_of("request-1")
}

pub(crate) fn options(incidents: usize) -> SandboxOptions {
    SandboxOptions { vendor: Vendor::CortexXpanse, incidents, ..SandboxOptions::default() }
}

pub(crate) fn key(native: &str) -> Key {
    Key::new(&name(), native)
}

pub(crate) fn natives(ids: &[&str]) -> Vec<NativeId> {
    ids.iter().map(|id| NativeId::new(id)).collect()
}

impl Bench {
    pub(crate) async fn new(incidents: usize) -> Bench {
        Bench::with(options(incidents), |_| {}).await
    }

    /// With an advanced key, unless `change` says otherwise.
    pub(crate) async fn with(options: SandboxOptions, change: impl FnOnce(&mut Config)) -> Bench {
        let sandbox = Sandbox::new(options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let served = sandbox.clone();
        let serving = tokio::spawn(async move { served.serve(listener, std::future::pending()).await.unwrap() });
        let secrets: HashMap<&str, String> = sandbox.secrets().into_iter().collect();
        assert_eq!(secrets["api_key_type"], "advanced");
        let key = Secret::from(secrets["api_key"].clone());
        let mut config = Config::new(base.parse().unwrap(), &secrets["api_key_id"], key, KeyKind::Advanced);
        change(&mut config);
        let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new(&config.policy).unwrap());
        let source = Checked::wrap(build(&name(), &VendorConfig::CortexXpanse(config), transport));
        Bench { sandbox, source, base, serving }
    }

    /// What the server itself answers to the standard key: status, headers, body.
    pub(crate) async fn post(&self, path: &str, body: &str) -> (u16, HeaderMap, Vec<u8>) {
        self.post_with(path, body, &[("authorization", "sandbox-standard-key-1"), ("x-xdr-auth-id", "1")]).await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        body: &str,
        headers: &[(&'static str, &str)],
    ) -> (u16, HeaderMap, Vec<u8>) {
        let transport = ReqwestTransport::new(&Default::default()).unwrap();
        let url = format!("{}{path}", self.base).parse().unwrap();
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        let request =
            HttpRequest { method: Method::Post, url, headers: headers.collect(), body: body.to_owned().into() };
        let answer = transport.send(request).await.unwrap();
        let body: Vec<bytes::Bytes> = answer.body.try_collect().await.unwrap();
        (answer.status, answer.headers, body.concat())
    }

    /// The `reply` of a success.
    pub(crate) async fn reply(&self, path: &str, data: Value) -> Value {
        let (status, _, body) = self.post(path, &json!({ "request_data": data }).to_string()).await;
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice::<Value>(&body).unwrap()["reply"].take()
    }

    /// All rows that the server gives, the oldest first.
    pub(crate) async fn rows(&self) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let sort = json!({ "field": "incident_id", "keyword": "asc" });
            let data = json!({ "search_from": all.len(), "search_to": all.len() + 100, "sort": sort });
            let mut reply = self.reply(LIST, data).await;
            let rows = reply["incidents"].as_array_mut().map(std::mem::take).unwrap();
            if rows.is_empty() {
                return all;
            }
            all.extend(rows);
        }
    }

    /// What the source gives for a list request, page by page.
    pub(crate) async fn walk(&self, tests: Vec<Test>, order: Option<Order>, limit: usize) -> Vec<Arc<Incident>> {
        let (call, mut all) = (call(), Vec::new());
        let mut request = ListRequest { tests, order, offset: 0, limit, want: PLAIN };
        loop {
            let rows = self.source.list(&call, &request).await.unwrap();
            assert_eq!((rows.consumed, rows.malformed), (rows.items.len(), 0));
            assert!(rows.items.len() <= limit && (rows.consumed > 0 || !rows.more));
            request.offset += rows.consumed as u64;
            all.extend(rows.items);
            if !rows.more {
                assert_eq!(rows.total, Some(all.len() as u64));
                return all;
            }
        }
    }

    pub(crate) fn api(&self) -> Api {
        api(vec![self.source.clone()])
    }
}

/// The answer to a GraphQL query.
pub(crate) async fn ask(api: &Api, query: &str) -> Value {
    let response = api.execute(Request { query: query.into(), ..Request::default() }, &call()).await;
    serde_json::from_str(&response.body).unwrap()
}

/// The data of an answer without errors.
pub(crate) async fn data(api: &Api, query: &str) -> Value {
    let mut answer = ask(api, query).await;
    assert_eq!(answer.get("errors"), None, "{query}");
    answer["data"].take()
}

/// A request as it went out: path, headers, body.
pub(crate) type Sent = Arc<Mutex<Vec<(String, HeaderMap, Value)>>>;

pub(crate) fn config() -> Config {
    let url = "https://api-acme.example/".parse().unwrap();
    Config::new(url, "7", Secret::from("top-secret".to_owned()), KeyKind::Standard)
}

/// A source that speaks to a function.
pub(crate) fn over(
    config: &Config,
    answer: impl Fn(&str, &Value) -> HttpResponse + Send + Sync + 'static,
) -> (Arc<dyn Source>, Sent) {
    let sent = Sent::default();
    let log = sent.clone();
    let transport = Arc::new(MemoryTransport::new(move |request: HttpRequest| {
        let path = request.url.path().to_owned();
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let reply = answer(&path, &body);
        log.lock().unwrap().push((path, request.headers, body));
        async move { Ok(reply) }
    }));
    (Checked::wrap(Arc::new(CortexXpanse::new(&name(), config, transport, Surroundings::default()))), sent)
}

/// A success with this body.
pub(crate) fn json_body(body: impl Into<bytes::Bytes>) -> HttpResponse {
    HttpResponse::new(200, body).header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
}

/// A file of the fixtures.
pub(crate) fn fixture(file: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/fixtures/cortex-xpanse/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A source whose list, extra data and alerts are files of the fixtures.
pub(crate) fn fixed(list: &'static str) -> (Arc<dyn Source>, Sent) {
    over(&config(), move |path, _| match path {
        LIST => json_body(fixture(list)),
        EXTRA => json_body(fixture("extra_data.json")),
        ALERTS => json_body(fixture("alerts.json")),
        _ => json_body("true"),
    })
}
