//! A sandbox on loopback, with or without something odd in front of it, a source and a gateway over it, and the sandbox's own
//! answers.

use crate::support::{api, call};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Response, StatusCode, Uri},
    middleware::{Next, from_fn_with_state},
};
use futures_util::TryStreamExt;
use incident_gateway::{
    domain::*,
    graphql::{self, Api},
    sandbox::{Sandbox, SandboxOptions, Vendor},
    source::*,
    upstream::{
        HttpRequest, HttpResponse, Method, ReqwestTransport, Transport, TransportError, header::*,
        memory::MemoryTransport,
    },
    vendors::{VendorConfig, adversarial::*, build},
};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) const PLAIN: Want = Want::PLAIN;
pub(crate) const RAW: Want = Want { raw: true, ..Want::PLAIN };
pub(crate) const TOKEN: &str = "/api/v1/oauth/token";
const INCIDENTS: &str = "/api/v1/incidents";

/// What may differ at a real server, put between the sandbox and the gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Quirk {
    None,
    /// `{"results", "pagination"}`
    NewerEnvelope,
    /// Pages of so many rows at most.
    ShortPages(usize),
    /// `41` for `INC-00041` in rows.
    IntegerIds,
    /// The list takes no notice of `id`.
    IgnoresIds,
    /// The list refuses `id`.
    RefusesIds,
    /// Neither totals nor numbers of pages.
    TellsNothing,
    /// The size that a page tells is that of its rows.
    CountsRows,
    /// Wants `status[]` for `status`.
    Brackets,
    /// Wants `New,Review` for `New` and `Review`.
    Commas,
}

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) api: Api,
    /// The grants that were asked for, in order.
    pub(crate) grants: Arc<Mutex<Vec<String>>>,
    /// The sandbox without anything before it.
    direct: String,
    transport: Arc<dyn Transport>,
    servers: [JoinHandle<()>; 2],
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

pub(crate) fn name() -> SourceName {
    SourceName::new("adv")
}

pub(crate) fn key(id: impl Into<NativeId>) -> Key {
    Key::new(&name(), id)
}

pub(crate) fn options(incidents: usize) -> SandboxOptions {
    SandboxOptions { vendor: Vendor::Adversarial, incidents, ..SandboxOptions::default() }
}

async fn serve(router: Router) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    (base, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

fn config_of(sandbox: &Sandbox, base: &str) -> Config {
    let secrets = sandbox.secrets();
    let secret = |name: &str| secrets.iter().find(|(other, _)| *other == name).unwrap().1.clone();
    Config::new(base.parse().unwrap(), secret("client_id"), secret("client_secret").into())
}

impl Bench {
    pub(crate) async fn new(incidents: usize) -> Bench {
        Bench::with(incidents, Quirk::None, |_| {}).await
    }

    pub(crate) async fn with(incidents: usize, quirk: Quirk, change: impl FnOnce(&mut Config)) -> Bench {
        let sandbox = Sandbox::new(options(incidents));
        let grants = Arc::new(Mutex::new(Vec::new()));
        let router: Router = sandbox.router().layer(from_fn_with_state((quirk, grants.clone()), relay));
        let (base, relayed) = serve(router).await;
        let (direct, plain) = serve(sandbox.router()).await;
        let mut config = config_of(&sandbox, &base);
        change(&mut config);
        let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new(&config.policy).unwrap());
        let source = build(&name(), &VendorConfig::Adversarial(config), transport.clone());
        let (api, source) = (api(vec![source.clone()]), Checked::wrap(source));
        Bench { sandbox, source, api, grants, direct, transport, servers: [relayed, plain] }
    }

    /// The server's own answer.
    pub(crate) async fn rest(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The server's own answer to anything, with a token of its own.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let secrets = self.sandbox.secrets();
        let form =
            [("grant_type", "client_credentials"), ("client_id", &secrets[0].1), ("client_secret", &secrets[1].1)];
        let form = incident_gateway::upstream::uri::query(form);
        let (_, token) = self.raw("POST", TOKEN, None, "application/x-www-form-urlencoded", form).await;
        let token = token["access_token"].as_str().unwrap().to_owned();
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.raw(method, path, Some(&token), "application/json", body).await
    }

    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        kind: &str,
        body: String,
    ) -> (u16, Value) {
        let method = match method {
            "GET" => Method::Get,
            "POST" => Method::Post,
            "PATCH" => Method::Patch,
            other => panic!("{other}"),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        }
        let url = format!("{}{path}", self.direct).parse().unwrap();
        let answer = self.transport.send(HttpRequest { method, url, headers, body: body.into() }).await.unwrap();
        let body: Vec<bytes::Bytes> = answer.body.try_collect().await.unwrap();
        (answer.status, serde_json::from_slice(&body.concat()).unwrap_or_default())
    }

    /// All rows of the register, newest first.
    pub(crate) async fn rest_rows(&self) -> Vec<Value> {
        let (mut rows, mut page) = (Vec::new(), 1);
        loop {
            let body = self.rest(&format!("{INCIDENTS}?page={page}&page_size=100")).await;
            rows.extend(body["incidents"].as_array().unwrap().clone());
            if page >= body["num_pages"].as_u64().unwrap() {
                return rows;
            }
            page += 1;
        }
    }

    /// What the source gives for a list request, page by page.
    pub(crate) async fn walk(&self, tests: Vec<Test>, order: Option<Order>, limit: usize) -> Vec<Arc<Incident>> {
        let (call, mut all) = (call("walk"), Vec::new());
        let mut request = ListRequest { tests, order, offset: 0, limit, want: PLAIN };
        loop {
            let rows = self.source.list(&call, &request).await.unwrap();
            assert!(rows.items.len() <= limit && rows.consumed >= rows.items.len());
            request.offset += rows.consumed as u64;
            all.extend(rows.items);
            if !rows.more {
                assert!(rows.total.is_none_or(|total| total == all.len() as u64));
                return all;
            }
            assert!(rows.consumed > 0);
        }
    }

    /// The answer to a query.
    pub(crate) async fn ask(&self, query: &str) -> Value {
        let request = graphql::Request { query: query.into(), variables: Map::new(), ..graphql::Request::default() };
        let response = self.api.execute(request, &call("ask")).await;
        serde_json::from_str(&response.body).unwrap()
    }

    /// The data of an answer without errors.
    pub(crate) async fn data(&self, query: &str) -> Value {
        let mut answer = self.ask(query).await;
        assert_eq!(answer.get("errors"), None, "{query}");
        answer["data"].take()
    }

    /// Calls since the last look, as `/path?query`, logins left out.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = self.sandbox.calls().into_iter().filter(|call| call.path != TOKEN);
        let shown = calls.map(|call| format!("{}?{}", call.path, call.query)).collect();
        self.sandbox.reset_calls();
        shown
    }

    /// The grants since the last look.
    pub(crate) fn grants(&self) -> Vec<String> {
        std::mem::take(&mut self.grants.lock().unwrap())
    }
}

type Relay = (Quirk, Arc<Mutex<Vec<String>>>);

/// Stands before the sandbox: notes the grants, and makes the answers as odd as is wanted.
async fn relay(State((quirk, grants)): State<Relay>, request: Request, next: Next) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    if parts.uri.path() == TOKEN {
        let form = url::form_urlencoded::parse(&body);
        grants.lock().unwrap().extend(form.filter(|(name, _)| name == "grant_type").map(|(_, word)| word.into_owned()));
    }
    let is_list = parts.uri.path() == INCIDENTS;
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    if is_list && quirk == Quirk::RefusesIds && pairs.iter().any(|(name, _)| name == "id") {
        let refusal = Response::builder().status(StatusCode::BAD_REQUEST).header("content-type", "application/json");
        return refusal.body(Body::from(r#"{"error":"Bad Request"}"#)).unwrap();
    }
    if is_list {
        let pairs = pairs.into_iter().filter(|(name, _)| quirk != Quirk::IgnoresIds || name != "id");
        let pairs = pairs.flat_map(|pair| plainly(pair, quirk)).map(|(name, value)| {
            match (quirk, name.as_str(), value.parse::<usize>()) {
                (Quirk::ShortPages(most), "page_size", Ok(size)) => (name, size.min(most).to_string()),
                _ => (name, value),
            }
        });
        let query = incident_gateway::upstream::uri::query(pairs);
        parts.uri = format!("{INCIDENTS}?{query}").parse::<Uri>().unwrap();
    }
    let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
    // Without a quirk even a broken answer is passed on as it is.
    if !is_list || quirk == Quirk::None || answer.status() != StatusCode::OK {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut page: Value = serde_json::from_slice(&body).unwrap();
    make_odd(&mut page, quirk);
    parts.headers.remove("content-length");
    Response::from_parts(parts, Body::from(page.to_string()))
}

/// Parameters as the sandbox wants them, made from those that an odd server wants.
fn plainly((name, value): (String, String), quirk: Quirk) -> Vec<(String, String)> {
    const SINGLE: [&str; 6] = ["page", "page_size", "order_by", "free_text", "title_contains", "description_contains"];
    match quirk {
        _ if SINGLE.contains(&&*name) => vec![(name, value)],
        Quirk::Brackets => vec![(name.strip_suffix("[]").unwrap_or("no-brackets").to_owned(), value)],
        Quirk::Commas => value.split(',').map(|value| (name.clone(), value.to_owned())).collect(),
        _ => vec![(name, value)],
    }
}

fn make_odd(page: &mut Value, quirk: Quirk) {
    match quirk {
        Quirk::NewerEnvelope => {
            let has_next = page["page"].as_u64() < page["num_pages"].as_u64();
            *page =
                json!({ "results": page["incidents"], "pagination": { "has_next": has_next, "total": page["total"] } });
        }
        Quirk::IntegerIds => {
            for row in page["incidents"].as_array_mut().unwrap() {
                let number: u64 = row["incident"]["id"].as_str().unwrap().trim_start_matches("INC-").parse().unwrap();
                row["incident"]["id"] = number.into();
            }
        }
        Quirk::CountsRows => page["page_size"] = page["incidents"].as_array().unwrap().len().into(),
        Quirk::TellsNothing => *page = json!({ "incidents": page["incidents"] }),
        _ => {}
    }
}

/// A source over a function; a token is given to whoever asks.
pub(crate) fn over(answer: impl Fn(&HttpRequest) -> HttpResponse + Send + Sync + 'static) -> Arc<dyn Source> {
    at("http://localhost/", answer)
}

/// The same, configured with another address.
pub(crate) fn at(url: &str, answer: impl Fn(&HttpRequest) -> HttpResponse + Send + Sync + 'static) -> Arc<dyn Source> {
    let url = url.parse().unwrap();
    with(|config| config.url = url, answer)
}

/// The same, configured otherwise.
pub(crate) fn with(
    change: impl FnOnce(&mut Config),
    answer: impl Fn(&HttpRequest) -> HttpResponse + Send + Sync + 'static,
) -> Arc<dyn Source> {
    let transport = MemoryTransport::new(move |request: HttpRequest| {
        let reply = match request.url.path() {
            path if path.ends_with(TOKEN) => json_reply(200, &fixture("token_response")),
            _ => answer(&request),
        };
        async move { Ok::<_, TransportError>(reply) }
    });
    let url = "http://localhost/".parse().unwrap();
    let mut config = Config::new(url, "arm_sa_1".into(), "arm_sk_1".to_owned().into());
    change(&mut config);
    build(&name(), &VendorConfig::Adversarial(config), Arc::new(transport))
}

pub(crate) fn json_reply(status: u16, body: &str) -> HttpResponse {
    HttpResponse::new(status, body.to_owned()).header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
}

/// A documented body.
pub(crate) fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/adversarial/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn page(offset: u64, limit: usize) -> ListRequest {
    ListRequest { tests: Vec::new(), order: None, offset, limit, want: PLAIN }
}
