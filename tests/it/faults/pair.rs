//! Two sources: `bad`, of any vendor, which can be made to misbehave, and `good`, which must not notice. What every row of the
//! matrix asserts stands in [`Pair::row`].

use crate::rude::{Manner, Rude};
use crate::support;
use incident_gateway::{
    config::{Config, SandboxSource},
    domain::SourceName,
    graphql::{Api, Request},
    sandbox::{Sandbox, SandboxOptions, Vendor},
    secret::Secret,
    source::Source,
    upstream::{Breaker, Cache, Policy, ReqwestTransport, Retry},
    vendors::{self, VendorConfig, ciso_assistant},
};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::time::sleep;

pub(super) const MS: Duration = Duration::from_millis(1);

/// How soon a source that has healed must be back.
pub(super) const BACK: Duration = Duration::from_secs(30);

/// As the standard one, but so short that a test need not wait.
pub(super) fn short() -> Policy {
    let standard = Policy::standard();
    let none = Duration::ZERO;
    Policy {
        connect_timeout: 300 * MS,
        total_timeout: 1_000 * MS,
        idle_timeout: 500 * MS,
        max_body_bytes: 4 << 20,
        retry: Retry { repeats: 1, first_wait: 20 * MS, longest_wait: 500 * MS, ..standard.retry.clone() },
        breaker: Breaker { failures: 4, open_for: 300 * MS },
        cache: Cache { lists: none, details: none, revisions: none, catalogues: none, ..standard.cache.clone() },
        ..standard
    }
}

pub(super) async fn serve(sandbox: &Sandbox) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = sandbox.clone();
    tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
    address
}

pub(super) fn sandbox(vendor: Vendor, incidents: usize, seed: u64) -> Sandbox {
    Sandbox::new(SandboxOptions { vendor, incidents, seed, ..SandboxOptions::default() })
}

/// A source over a sandbox that is reached at `base`.
pub(super) fn over(sandbox: &Sandbox, vendor: Vendor, name: &str, base: &str, policy: Policy) -> Arc<dyn Source> {
    let url = base.parse().unwrap();
    let settings = sandbox.secrets();
    let config = Config::of_sandboxes(&[SandboxSource { name, vendor: vendor.word(), url: &url, settings }], 100);
    let (name, mut config) = config.unwrap().sources.remove(0);
    *config.policy_mut() = policy;
    let transport = Arc::new(ReqwestTransport::new(config.policy_mut()).unwrap());
    vendors::build(&name, &config, transport)
}

/// A CISO Assistant with a credential of one's own.
pub(super) fn ciso(name: &str, base: &str, credential: ciso_assistant::Credential, policy: Policy) -> Arc<dyn Source> {
    let mut config = ciso_assistant::Config::new(base.parse().unwrap(), credential);
    config.policy = policy;
    let transport = Arc::new(ReqwestTransport::new(&config.policy).unwrap());
    vendors::build(&SourceName::new(name), &VendorConfig::CisoAssistant(config), transport)
}

pub(super) fn token(sandbox: &Sandbox) -> ciso_assistant::Credential {
    ciso_assistant::Credential::Token(Secret::from(sandbox.token().to_owned()))
}

pub(super) async fn ask(api: &Api, query: &str) -> Value {
    let request = Request { query: query.into(), ..Request::default() };
    serde_json::from_str(&api.execute(request, &support::call("faults")).await.body).unwrap()
}

pub(super) const LIST: &str = "{ incidents(first: 100) { nodes { id source { name } } \
    sources { source { name } status itemCount fromCache fetchedAt upstreamCalls error { code retryAfterMs } } } }";

/// One row of the matrix.
pub(super) struct Row {
    pub(super) name: &'static str,
    /// On the connection.
    pub(super) manner: Manner,
    /// Behind it.
    pub(super) faults: Vec<&'static str>,
    /// What the report says.
    pub(super) code: &'static str,
    /// Whether it says enough about the source to leave it in peace.
    pub(super) opens: bool,
}

/// A row whose trouble is on the connection.
pub(super) fn row(name: &'static str, manner: Manner, code: &'static str, opens: bool) -> Row {
    Row { name, manner, faults: vec![], code, opens }
}

pub(super) struct Pair {
    pub(super) bad: Sandbox,
    pub(super) rude: Rude,
    pub(super) api: Api,
    /// Rows of the bad source while it is well.
    rows: Value,
}

const GOOD_INCIDENTS: usize = 25;

impl Pair {
    pub(super) async fn start(vendor: Vendor, policy: Policy) -> Self {
        let bad = sandbox(vendor, 20, 1);
        let rude = Rude::before(serve(&bad).await).await;
        let source = over(&bad, vendor, "bad", &format!("http://{}/", rude.address), policy.clone());
        Self::with(bad, rude, source, policy).await
    }

    pub(super) async fn with(bad: Sandbox, rude: Rude, source: Arc<dyn Source>, policy: Policy) -> Self {
        let good = sandbox(Vendor::CisoAssistant, GOOD_INCIDENTS, 7);
        let base = format!("http://{}/", serve(&good).await);
        let good = ciso("good", &base, token(&good), Policy { total_timeout: 10_000 * MS, ..policy });
        let api = support::api(vec![source, good]);
        // A first answer also costs what each source is asked once.
        let first = ask(&api, LIST).await;
        let rows = first["data"]["incidents"]["sources"][0]["itemCount"].clone();
        assert!(rows.as_u64() > Some(15), "{first}");
        let pair = Pair { bad, rude, api, rows };
        pair.healed("at the start").await;
        pair
    }

    /// The list, in a bounded time; the good source has told everything, with one call, and its circuit is closed.
    pub(super) async fn list(&self) -> Value {
        let begun = Instant::now();
        let mut answer = ask(&self.api, LIST).await;
        // What it may take at most: a login and a list, and for each a repetition.
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(answer.get("errors"), None, "{answer}");
        let list = answer["data"]["incidents"].take();
        let rows = list["nodes"].as_array().unwrap().iter().filter(|node| node["source"]["name"] == "good").count();
        let good = &list["sources"][1];
        assert_eq!((rows, &good["status"], &good["error"]), (GOOD_INCIDENTS, &json!("OK"), &Value::Null));
        assert!(good["upstreamCalls"].as_u64().is_some_and(|calls| calls <= 1), "{good}");
        assert_eq!(self.circuits().await[1], "CLOSED");
        list
    }

    pub(super) fn code(&self, list: &Value) -> Value {
        list["sources"][0]["error"]["code"].clone()
    }

    async fn circuits(&self) -> [String; 2] {
        let answer = ask(&self.api, "{ sources { health { circuit } } }").await;
        [0, 1].map(|at| answer["data"]["sources"][at]["health"]["circuit"].as_str().unwrap().to_owned())
    }

    /// Waits until the bad source is well again.
    pub(super) async fn healed(&self, name: &str) {
        let begun = Instant::now();
        loop {
            let list = self.list().await;
            if list["sources"][0]["status"] == "OK" {
                assert_eq!(list["sources"][0]["itemCount"], self.rows, "{name}");
                return assert_eq!(self.circuits().await, ["CLOSED", "CLOSED"], "{name}");
            }
            assert!(begun.elapsed() < BACK, "{name}: not back: {list}");
            sleep(20 * MS).await;
        }
    }

    /// Misbehaves, is watched, heals: the code, the time, the other source, the way back, and what is left behind.
    pub(super) async fn row(&self, Row { name, manner, faults, code, opens }: Row) -> Value {
        let (tasks, sockets) = (alive_tasks(), self.sockets());
        self.rude.be(manner).await;
        self.bad.set_faults(faults.iter().map(|fault| fault.parse().unwrap()).collect());
        let first = self.list().await;
        assert_eq!(self.code(&first), code, "{name}: {first}");
        let mut opened = false;
        for _ in 0..4 {
            let code_then = self.code(&self.list().await);
            assert!(code_then == code || (opens && code_then == "CIRCUIT_OPEN"), "{name}: {code_then}");
            opened |= code_then == "CIRCUIT_OPEN" || self.circuits().await[0] != "CLOSED";
        }
        assert_eq!(opened, opens, "{name}: whether the circuit opened");

        self.rude.be(Manner::Polite).await;
        self.bad.set_faults(vec![]);
        self.healed(name).await;
        let settled = Instant::now();
        while self.rude.open() > 0 || self.sockets() > sockets || alive_tasks() > tasks + IDLE {
            let left = (self.rude.open(), self.sockets(), alive_tasks());
            assert!(
                settled.elapsed() < Duration::from_secs(10),
                "{name}: connections, descriptors and tasks left: {left:?} instead of 0, {sockets}, {tasks}"
            );
            sleep(20 * MS).await;
        }
        first
    }

    /// Descriptors that are open for connections to the bad source, at either end.
    fn sockets(&self) -> usize {
        sockets(self.rude.address.port()).unwrap_or_else(|| self.rude.open())
    }
}

/// Connections kept for later use have a task at either end.
const IDLE: usize = 12;

fn alive_tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Descriptors of connections from and to a port of this machine, where the system tells (Linux). Tests run side by side in one
/// process, so that the number of all its descriptors would say nothing.
pub(super) fn sockets(port: u16) -> Option<usize> {
    let table = std::fs::read_to_string("/proc/self/net/tcp").ok()?;
    let port = format!(":{port:04X}");
    let open = table.lines().skip(1).filter(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [_, local, remote, state, .., inode] = columns.get(..10).unwrap_or_default() else { return false };
        // 0A listens; what only waits to be forgotten has no descriptor any more.
        (local.ends_with(&port) || remote.ends_with(&port)) && *state != "0A" && *inode != "0"
    });
    Some(open.count())
}

pub(super) fn says(status: &str, headers: &str, body: &str) -> Manner {
    Manner::Says(format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ))
}
