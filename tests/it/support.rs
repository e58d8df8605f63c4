//! A gateway over a sandbox, in this process: what most tests begin with.

use chrono::{DateTime, Utc};
use incident_gateway::{
    config::{Config, SandboxSource},
    domain::{Caller, SourceName},
    federation::{CursorKey, Federation, FederationOptions, SnapshotLimits},
    graphql::{Api, ApiOptions, QueryLimits, Request},
    sandbox::{Sandbox, SandboxOptions, Vendor},
    secret::Secret,
    source::{Call, Source},
    upstream::{Context, Policy, ReqwestTransport},
    vendors::{self, VendorConfig, ciso_assistant},
};
use serde_json::{Map, Value};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle, time::Instant};
use url::Url;

/// One gateway with one source, `grc`, which is a sandbox on a loopback port.
pub(crate) struct Gateway {
    pub sandbox: Sandbox,
    pub base: String,
    pub api: Arc<Api>,
    serving: JoinHandle<()>,
    requests: AtomicU64,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What time it is in tests, unless a test says otherwise.
pub(crate) fn now() -> DateTime<Utc> {
    SandboxOptions::default().now
}

/// Who asks in tests: may do everything; a minute is enough for anything.
pub(crate) fn call(id: &str) -> Call {
    let caller = Arc::new(Caller::local());
    let scope = caller.scope.as_str().to_owned();
    Call { caller, context: Context::new(Instant::now() + Duration::from_secs(60), id, &scope), now: now() }
}

/// A source that speaks to a CISO Assistant at `base`.
pub(crate) fn source(base: &str, token: &str) -> Arc<dyn Source> {
    let url = base.parse().unwrap();
    let credential = ciso_assistant::Credential::Token(Secret::from(token.to_owned()));
    let config = VendorConfig::CisoAssistant(ciso_assistant::Config::new(url, credential));
    let transport = Arc::new(ReqwestTransport::new(&Policy::default()).unwrap());
    vendors::build(&SourceName::new("grc"), &config, transport)
}

/// The configuration of a gateway over sandboxes, each with its address; the sources are called like their vendors.
pub(crate) fn config_over<'a>(sandboxes: impl IntoIterator<Item = (Vendor, &'a Url, &'a Sandbox)>) -> Config {
    let source = |(vendor, url, sandbox): (Vendor, &'a Url, &Sandbox)| SandboxSource {
        name: vendor.word(),
        vendor: vendor.word(),
        url,
        settings: sandbox.secrets(),
    };
    let sources: Vec<_> = sandboxes.into_iter().map(source).collect();
    Config::of_sandboxes(&sources, 100).unwrap()
}

/// The API over these sources, with fixed keys.
pub(crate) fn api(sources: Vec<Arc<dyn Source>>) -> Api {
    api_within(sources, QueryLimits::default())
}

/// The same, with limits of its own for documents.
pub(crate) fn api_within(sources: Vec<Arc<dyn Source>>, limits: QueryLimits) -> Api {
    let options = FederationOptions {
        sources,
        cursor_key: CursorKey([7; 32]),
        scan_limit: 10_000,
        snapshots: SnapshotLimits { keep: Duration::ZERO, ..SnapshotLimits::default() },
    };
    let download = ApiOptions { download_key: [8; 32], base_url: "http://gateway.test".into(), limits };
    Api::new(Arc::new(Federation::new(options)), download)
}

/// Limits that no document meets that a test makes for something else.
pub(crate) fn wide() -> QueryLimits {
    let count = 1_000_000;
    QueryLimits {
        depth: count,
        fields: count,
        aliases: count,
        root_fields: count,
        spreads: count,
        nodes: u64::MAX,
        ..QueryLimits::default()
    }
}

impl Gateway {
    /// The default world: 500 incidents.
    pub(crate) async fn start() -> Self {
        Self::over(SandboxOptions::default()).await
    }

    /// The default world behind limits of its own.
    pub(crate) async fn within(limits: QueryLimits) -> Self {
        Self::with(SandboxOptions::default(), limits).await
    }

    /// A world of its own.
    pub(crate) async fn over(options: SandboxOptions) -> Self {
        Self::with(options, QueryLimits::default()).await
    }

    async fn with(options: SandboxOptions, limits: QueryLimits) -> Self {
        let sandbox = Sandbox::new(options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let served = sandbox.clone();
        let serving = tokio::spawn(async move {
            served.serve(listener, std::future::pending()).await.unwrap();
        });
        let api = Arc::new(api_within(vec![source(&base, sandbox.token())], limits));
        Gateway { sandbox, base, api, serving, requests: AtomicU64::new(0) }
    }

    /// The answer to a query.
    pub(crate) async fn ask(&self, query: &str) -> Value {
        self.ask_with(query, Value::Object(Map::new())).await
    }

    /// The answer to a query with variables.
    pub(crate) async fn ask_with(&self, query: &str, variables: Value) -> Value {
        let Value::Object(variables) = variables else { panic!("variables are an object") };
        let id = format!("request-{}", self.requests.fetch_add(1, Ordering::Relaxed));
        let request = Request { query: query.into(), variables, ..Request::default() };
        let response = self.api.execute(request, &call(&id)).await;
        serde_json::from_str(&response.body).unwrap_or_else(|error| panic!("{error}: {}", response.body))
    }

    /// The data of an answer without errors.
    pub(crate) async fn data(&self, query: &str) -> Value {
        let mut answer = self.ask(query).await;
        assert_eq!(answer.get("errors"), None, "{query}");
        answer["data"].take()
    }

    /// The codes of an answer's errors.
    pub(crate) async fn codes(&self, query: &str) -> Vec<String> {
        let answer = self.ask(query).await;
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap().to_owned()).collect()
    }

    /// What the sandbox itself answers.
    pub(crate) async fn rest(&self, path: &str) -> Value {
        rest(&self.base, self.sandbox.token(), path).await
    }

    /// Calls that the sandbox received since the last look, as `GET /path/` without query.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = self.sandbox.calls().iter().map(|call| format!("{} {}", call.method, call.path)).collect();
        self.sandbox.reset_calls();
        calls
    }
}

/// An answer of the REST API at `base`, as JSON.
pub(crate) async fn rest(base: &str, token: &str, path: &str) -> Value {
    use incident_gateway::upstream::{self, Upstream, UpstreamOptions, UpstreamRequest, header};
    let transport = Arc::new(ReqwestTransport::new(&Policy::default()).unwrap());
    let mut header = header::HeaderValue::from_str(&format!("Token {token}")).unwrap();
    header.set_sensitive(true);
    let upstream = Upstream::new(UpstreamOptions {
        name: "rest".into(),
        base: base.parse().unwrap(),
        policy: Policy::default(),
        transport,
        credential: Arc::new(upstream::Static::new(header::AUTHORIZATION, header)),
    });
    let response = upstream.send(&call("rest").context, UpstreamRequest::get("rest", path)).await.unwrap();
    serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The source's ids of all incidents, page after page of 100, as often as they are given; there must be fewer than `most`.
pub(crate) async fn all_ids(api: &Api, most: usize) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), String::from("null"));
    loop {
        let query = format!(
            "{{ incidents(first: 100, after: {after}) {{ nodes {{ sourceId }} pageInfo {{ hasNextPage endCursor }} \
             }} }}"
        );
        let answer = api.execute(Request { query, ..Request::default() }, &call("walk")).await;
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        let page = &answer["data"]["incidents"];
        seen.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["sourceId"].as_str().unwrap().to_owned()));
        if page["pageInfo"]["hasNextPage"] == false {
            return seen;
        }
        after = page["pageInfo"]["endCursor"].to_string();
        assert!(seen.len() < most, "a walk ends");
    }
}
