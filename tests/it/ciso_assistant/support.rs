//! A sandbox on loopback, a source in front of it, and the sandbox's own answers without one.

use futures_util::TryStreamExt;
use incident_gateway::{
    domain::*,
    sandbox::{Release, Sandbox, SandboxOptions},
    secret::Secret,
    source::*,
    upstream::{Context, HttpRequest, Method, ReqwestTransport, Transport, header::*},
    vendors::{VendorConfig, build, ciso_assistant::*},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) const RELEASES: [Release; 2] = [Release::V3_15_1, Release::V3_20_8];

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) source: Arc<dyn Source>,
    /// Address of the server, with a slash at the end.
    pub(crate) base: String,
    transport: Arc<dyn Transport>,
    token: String,
    server: JoinHandle<()>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub(crate) fn options(release: Release, incidents: usize) -> SandboxOptions {
    SandboxOptions { release, incidents, keep_alive: true, ..SandboxOptions::default() }
}

pub(crate) fn name() -> SourceName {
    SourceName::new("ciso")
}

pub(crate) fn call() -> Call {
    call_for("gateway", Duration::from_secs(60))
}

pub(crate) fn call_for(scope: &str, time: Duration) -> Call {
    let now = chrono::DateTime::from_timestamp(1_794_819_600, 0).unwrap();
    let context = Context::new(tokio::time::Instant::now() + time, "r-1", scope);
    Call { caller: Arc::new(Caller::local()), context, now }
}

pub(crate) const PLAIN: Want = Want::PLAIN;

impl Bench {
    /// With the gateway's own account, from which some things are hidden.
    pub(crate) async fn new(release: Release, incidents: usize) -> Bench {
        Bench::with(options(release, incidents), |_| {}).await
    }

    pub(crate) async fn with(options: SandboxOptions, change: impl FnOnce(&mut Config)) -> Bench {
        Bench::over(Sandbox::new(options), change).await
    }

    pub(crate) async fn over(sandbox: Sandbox, change: impl FnOnce(&mut Config)) -> Bench {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let serving = sandbox.clone();
        let server = tokio::spawn(async move { serving.serve(listener, std::future::pending()).await.unwrap() });
        let token = sandbox.token().to_owned();
        let mut config = Config::new(base.parse().unwrap(), Credential::Token(Secret::from(token)));
        change(&mut config);
        let token = match &config.credential {
            Credential::Token(token) => token.expose().to_owned(),
            Credential::Password { .. } => sandbox.token().to_owned(),
        };
        let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new(&config.policy).unwrap());
        let source = Checked::wrap(build(&name(), &VendorConfig::CisoAssistant(config), transport.clone()));
        Bench { sandbox, source, base, transport, token, server }
    }

    /// With another account of the sandbox, by the first part of its address.
    pub(crate) async fn as_account(options: SandboxOptions, account: &str) -> Bench {
        let sandbox = Sandbox::new(options);
        let login = sandbox.accounts().into_iter().find(|login| login.email.starts_with(account)).unwrap();
        Bench::over(sandbox, |config| config.credential = Credential::Token(Secret::from(login.token))).await
    }

    /// The server's own answer.
    pub(crate) async fn bytes(&self, path: &str) -> (u16, HeaderMap, Vec<u8>) {
        let url = format!("{}{}", self.base, path.trim_start_matches('/')).parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Token {}", self.token)).unwrap());
        let request = HttpRequest { method: Method::Get, url, headers, body: Default::default() };
        let answer = self.transport.send(request).await.unwrap();
        let body: Vec<bytes::Bytes> = answer.body.try_collect().await.unwrap();
        (answer.status, answer.headers, body.concat())
    }

    pub(crate) async fn rest(&self, path: &str) -> Value {
        let (status, _, body) = self.bytes(path).await;
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    /// All rows of a list.
    pub(crate) async fn rest_all(&self, list: &str) -> Vec<Value> {
        let mark = if list.contains('?') { '&' } else { '?' };
        let mut page = self.rest(&format!("/api/{list}{mark}limit=1000000")).await;
        page["results"].as_array_mut().map(std::mem::take).unwrap()
    }

    /// What the source gives for a list request, page by page.
    pub(crate) async fn walk(&self, tests: Vec<Test>, order: Option<Order>, limit: usize) -> Vec<Arc<Incident>> {
        let (call, mut all) = (call(), Vec::new());
        let mut request = ListRequest { tests, order, offset: 0, limit, want: PLAIN };
        loop {
            let rows = self.source.list(&call, &request).await.unwrap();
            assert_eq!(rows.consumed, rows.items.len());
            assert!(rows.items.len() <= limit);
            request.offset += rows.consumed as u64;
            all.extend(rows.items);
            assert_eq!(rows.more, request.offset < rows.total.unwrap());
            if !rows.more {
                assert_eq!(rows.total, Some(all.len() as u64));
                return all;
            }
        }
    }

    /// Paths of the calls since the last reset; the log starts anew.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = self.sandbox.calls();
        self.sandbox.reset_calls();
        calls.into_iter().map(|call| call.path).collect()
    }

    /// Has the release found, so that it is not counted.
    pub(crate) async fn warm(&self) {
        self.source.capabilities(&call()).await;
        self.sandbox.reset_calls();
    }
}

pub(crate) fn native(value: &Value) -> NativeId {
    NativeId::new(value.as_str().unwrap())
}

pub(crate) fn key(id: impl Into<NativeId>) -> Key {
    Key::new(&name(), id)
}

/// Well-formed, and nobody's.
pub(crate) fn nobody(number: u8) -> NativeId {
    NativeId::new(&format!("00000000-0000-4000-8000-0000000000{number:02x}"))
}
