//! The fault matrix, over real sockets: a source that misbehaves costs its own rows, within a bounded time and under the right
//! code; the other source is not touched; after it has healed everything is as before.

use super::rude::{self, Manner, Rude};
use super::{http, support};
use incident_gateway::{
    domain::SourceName,
    graphql::{Api, Request},
    sandbox::{Sandbox, SandboxOptions},
    secret::Secret,
    source::Source,
    telemetry::metrics,
    upstream::{Breaker, Cache, Network, Policy, ReqwestTransport, Retry},
    vendors::{
        self, VendorConfig,
        ciso_assistant::{Config, Credential},
    },
};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::time::sleep;

const MS: Duration = Duration::from_millis(1);

/// As the standard one, but so short that a test need not wait.
fn short() -> Policy {
    let standard = Policy::standard();
    let none = Duration::ZERO;
    Policy {
        connect_timeout: 300 * MS,
        total_timeout: 1_000 * MS,
        idle_timeout: 500 * MS,
        max_body_bytes: 4 << 20,
        retry: Retry { repeats: 1, first_wait: 20 * MS, longest_wait: 500 * MS, ..standard.retry.clone() },
        breaker: Breaker { failures: 4, open_for: 300 * MS },
        cache: Cache { lists: none, details: none, catalogues: none, ..standard.cache.clone() },
        ..standard
    }
}

async fn serve(sandbox: &Sandbox) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = sandbox.clone();
    tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
    address
}

fn sandbox(incidents: usize, seed: u64) -> Sandbox {
    Sandbox::new(SandboxOptions { incidents, seed, ..SandboxOptions::default() })
}

fn source(name: &str, base: &str, credential: Credential, policy: Policy) -> Arc<dyn Source> {
    let mut config = Config::new(base.parse().unwrap(), credential);
    config.policy = policy;
    let transport = Arc::new(ReqwestTransport::new(&config.policy).unwrap());
    vendors::build(&SourceName::new(name), &VendorConfig::CisoAssistant(config), transport)
}

fn token(sandbox: &Sandbox) -> Credential {
    Credential::Token(Secret::from(sandbox.token().to_owned()))
}

async fn ask(api: &Api, query: &str) -> Value {
    let request = Request { query: query.into(), ..Request::default() };
    serde_json::from_str(&api.execute(request, &support::call("faults")).await.body).unwrap()
}

const LIST: &str = "{ incidents(first: 100) { nodes { id source { name } } \
    sources { source { name } status itemCount fromCache fetchedAt upstreamCalls error { code retryAfterMs } } } }";

/// Two sources: `bad`, which can be made to misbehave, and `good`.
struct Pair {
    bad: Sandbox,
    rude: Rude,
    api: Api,
}

impl Pair {
    async fn start(policy: Policy) -> Self {
        let (bad, good) = (sandbox(20, 1), sandbox(25, 7));
        let rude = Rude::before(serve(&bad).await).await;
        let bases = [format!("http://{}/", rude.address), format!("http://{}/", serve(&good).await)];
        let api = support::api(vec![
            source("bad", &bases[0], token(&bad), policy.clone()),
            source("good", &bases[1], token(&good), Policy { total_timeout: 10_000 * MS, ..policy }),
        ]);
        let pair = Pair { bad, rude, api };
        let warm = pair.list().await;
        assert_eq!((pair.code(&warm), &warm["sources"][0]["status"]), (Value::Null, &json!("OK")));
        pair
    }

    /// The list; the good source has told everything.
    async fn list(&self) -> Value {
        let mut answer = ask(&self.api, LIST).await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        let list = answer["data"]["incidents"].take();
        let good = list["nodes"].as_array().unwrap().iter().filter(|node| node["source"]["name"] == "good").count();
        assert_eq!((&list["sources"][1]["status"], good), (&json!("OK"), 25));
        list
    }

    fn code(&self, list: &Value) -> Value {
        list["sources"][0]["error"]["code"].clone()
    }

    async fn circuits(&self) -> [String; 2] {
        let answer = ask(&self.api, "{ sources { health { circuit } } }").await;
        [0, 1].map(|at| answer["data"]["sources"][at]["health"]["circuit"].as_str().unwrap().to_owned())
    }

    /// Misbehaves, is watched, heals.
    async fn row(&self, name: &str, manner: Manner, faults: &[&str], code: &str, opens: bool) -> Value {
        let tasks = alive_tasks();
        self.rude.be(manner).await;
        self.bad.set_faults(faults.iter().map(|fault| fault.parse().unwrap()).collect());
        let begun = Instant::now();
        let first = self.list().await;
        assert_eq!(self.code(&first), code, "{name}: {first}");
        // What it may cost at most: the release, the list, and for each a repetition.
        assert!(begun.elapsed() < Duration::from_secs(5), "{name}: {:?}", begun.elapsed());
        let mut opened = false;
        for _ in 0..4 {
            let code_then = self.code(&self.list().await);
            assert!(code_then == code || (opens && code_then == "CIRCUIT_OPEN"), "{name}: {code_then}");
            opened |= code_then == "CIRCUIT_OPEN" || self.circuits().await[0] != "CLOSED";
        }
        assert_eq!(opened, opens, "{name}: whether the circuit opened");

        self.rude.be(Manner::Polite).await;
        self.bad.set_faults(vec![]);
        let healed = Instant::now();
        while self.code(&self.list().await) != Value::Null {
            assert!(healed.elapsed() < Duration::from_secs(30), "{name}: not back after 30 s");
            sleep(20 * MS).await;
        }
        assert_eq!(self.circuits().await, ["CLOSED", "CLOSED"], "{name}");
        let settled = Instant::now();
        while self.rude.open() > 0 || alive_tasks() > tasks + IDLE {
            assert!(
                settled.elapsed() < Duration::from_secs(10),
                "{name}: {} connections, {} tasks instead of {tasks}",
                self.rude.open(),
                alive_tasks()
            );
            sleep(20 * MS).await;
        }
        first
    }
}

/// Connections kept for later use have a task at either end.
const IDLE: usize = 12;

fn alive_tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

fn says(status: &str, headers: &str, body: &str) -> Manner {
    Manner::Says(format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ))
}

const JSON: &str = "Content-Type: application/json\r\n";

#[tokio::test]
async fn what_breaks_on_the_connection() {
    let pair = Pair::start(short()).await;
    let (down, slow, broken) = ("SOURCE_UNAVAILABLE", "SOURCE_TIMEOUT", "SOURCE_MALFORMED");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{";
    let drip =
        Manner::Drips(format!("HTTP/1.1 200 OK\r\n{JSON}Content-Length: 5000\r\n\r\n{}", " ".repeat(5_000)), 10 * MS);
    for (name, manner, code, opens) in [
        ("refused", Manner::Absent, down, true),
        ("black hole", Manner::Silent, slow, true),
        ("reset before the request", Manner::ResetBefore, down, true),
        ("reset after the request", Manner::ResetAfter, down, true),
        ("slow head", Manner::Drips(head.into(), 50 * MS), slow, true),
        ("drip", drip, slow, true),
        ("cut body", Manner::Says(head.into()), broken, true),
        ("no HTTP", Manner::Says("garbage\r\n\r\n".into()), down, true),
        ("garbage", says("200 OK", JSON, "}{ not JSON"), broken, false),
        ("huge body, announced", says("200 OK", JSON, &" ".repeat(5 << 20)), broken, false),
        ("huge body without end", Manner::Endless, broken, false),
        ("wrong content type", says("200 OK", "Content-Type: text/html\r\n", "<html>"), broken, false),
        ("redirect to itself", says("302 Found", "Location: /api/incidents/\r\n", ""), broken, false),
    ] {
        pair.row(name, manner, &[], code, opens).await;
    }
}

#[tokio::test]
async fn what_the_source_answers() {
    let pair = Pair::start(short()).await;
    let date = "Retry-After: Sun, 06 Nov 1994 08:51:07 GMT\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let limited = "SOURCE_RATE_LIMITED";
    for (name, manner, faults, code, opens, wait) in [
        ("401", Manner::Polite, vec!["401"], "SOURCE_AUTH_FAILED", false, Value::Null),
        ("403", Manner::Polite, vec!["403"], "SOURCE_FORBIDDEN", false, Value::Null),
        ("429 in seconds", Manner::Polite, vec!["429:7"], limited, false, json!(7_000)),
        ("429 by date", says("429 Too Many Requests", date, ""), vec![], limited, false, json!(90_000)),
        ("500", Manner::Polite, vec!["html:500"], "SOURCE_UNAVAILABLE", true, Value::Null),
        ("502", Manner::Polite, vec!["html:502"], "SOURCE_UNAVAILABLE", true, Value::Null),
        ("503", Manner::Polite, vec!["503"], "SOURCE_UNAVAILABLE", true, Value::Null),
        ("504", Manner::Polite, vec!["504"], "SOURCE_TIMEOUT", true, Value::Null),
    ] {
        let first = pair.row(name, manner, &faults, code, opens).await;
        assert_eq!(first["sources"][0]["error"]["retryAfterMs"], wait, "{name}");
    }
}

#[tokio::test]
async fn a_short_burst_is_not_noticed() {
    let pair = Pair::start(short()).await;
    for fault in
        ["503@/api/incidents/*1", "html:502@/api/incidents/*1", "cut@/api/incidents/*1", "429:0@/api/incidents/*1"]
    {
        pair.bad.set_faults(vec![fault.parse().unwrap()]);
        let list = pair.list().await;
        assert_eq!((pair.code(&list), &list["sources"][0]["upstreamCalls"]), (Value::Null, &json!(2)), "{fault}");
    }
}

#[tokio::test]
async fn a_token_that_expires_in_flight_is_renewed_and_a_burst_of_401_ends_with_it() {
    let sandbox = sandbox(20, 1);
    let base = format!("http://{}/", serve(&sandbox).await);
    let (email, password) = ("gateway@example.test".to_owned(), Secret::from("gateway-password".to_owned()));
    let api = support::api(vec![source("bad", &base, Credential::Password { email, password }, short())]);
    let code = async |fault: &str| {
        sandbox.set_faults(vec![fault.parse().unwrap()]);
        ask(&api, LIST).await["data"]["incidents"]["sources"][0]["error"]["code"].clone()
    };
    assert_eq!(code("slow:1").await, Value::Null);
    assert_eq!(code("expired@/api/incidents/*1").await, Value::Null);
    assert_eq!(code("401@/api/incidents/").await, "SOURCE_AUTH_FAILED");
    sandbox.set_faults(vec![]);
    let healed = Instant::now();
    while ask(&api, LIST).await["data"]["incidents"]["sources"][0]["error"] != Value::Null {
        assert!(healed.elapsed() < Duration::from_secs(30));
        sleep(100 * MS).await;
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_is_a_source_that_cannot_be_reached() {
    let good = sandbox(25, 7);
    let behind = serve(&good).await;
    let shown = Arc::new(Mutex::new("server"));
    let front = rude::over_tls(shown.clone(), behind).await;
    let network = Network { ca_file: Some(rude::certificate("ca.pem")), ..Network::default() };
    let api = support::api(vec![
        source("bad", &format!("https://{front}/"), token(&good), Policy { network, ..short() }),
        source("good", &format!("http://{behind}/"), token(&good), short()),
    ]);
    let codes = async || {
        let answer = ask(&api, LIST).await;
        [0, 1].map(|at| answer["data"]["incidents"]["sources"][at]["error"]["code"].clone())
    };
    assert_eq!(codes().await, [Value::Null, Value::Null]);
    *shown.lock().unwrap() = "elsewhere";
    assert_eq!(codes().await, [json!("SOURCE_UNAVAILABLE"), Value::Null]);
    *shown.lock().unwrap() = "server";
    let healed = Instant::now();
    while codes().await[0] != Value::Null {
        assert!(healed.elapsed() < Duration::from_secs(30));
        sleep(20 * MS).await;
    }
}

#[tokio::test]
async fn rows_of_a_source_that_is_gone_come_from_memory_and_say_so() {
    let cache = Cache { lists: 50 * MS, ..Policy::standard().cache };
    let pair = Pair::start(Policy { cache, ..short() }).await;
    let before = pair.list().await;
    sleep(200 * MS).await;
    pair.rude.be(Manner::Absent).await;
    let list = pair.list().await;
    assert_eq!(list["nodes"], before["nodes"]);
    let report = &list["sources"][0];
    assert_eq!(
        (&report["status"], &report["fromCache"], &report["error"]),
        (&json!("STALE"), &json!(true), &Value::Null)
    );
    let asked = support::now();
    let fetched = report["fetchedAt"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert!(fetched < asked && fetched > asked - chrono::TimeDelta::seconds(20), "{fetched}");
    pair.rude.be(Manner::Polite).await;
    let healed = Instant::now();
    while pair.list().await["sources"][0]["status"] != "OK" {
        assert!(healed.elapsed() < Duration::from_secs(30));
        sleep(50 * MS).await;
    }
}

#[tokio::test]
async fn two_sources_of_one_vendor_with_the_same_ids_never_mix() {
    // The same world twice, so that all native ids are the same, with one title that differs; and an account that may see
    // nothing of the first.
    let (one, two) = (sandbox(20, 1), sandbox(20, 1));
    let addresses = [serve(&one).await, serve(&two).await];
    let bases = addresses.map(|address| format!("http://{address}/"));
    let rows = support::rest(&bases[0], one.token(), "/api/incidents/?limit=1").await;
    let (native, title) = (rows["results"][0]["id"].as_str().unwrap(), rows["results"][0]["name"].as_str().unwrap());
    let renamed = json!({ "name": "Renamed" }).to_string();
    let head = format!(
        "PATCH /api/incidents/{native}/\nAuthorization: Token {}\nContent-Type: application/json\nContent-Length: {}",
        two.token(),
        renamed.len()
    );
    assert_eq!(http::send(addresses[1], &head, renamed.as_bytes()).await.status, 200);
    let nobody = one.accounts().into_iter().find(|login| login.email.starts_with("nobody")).unwrap().token;
    let api = support::api(vec![
        source("one", &bases[0], token(&one), Policy::standard()),
        source("two", &bases[1], token(&two), Policy::standard()),
        source("blind", &bases[0], Credential::Token(Secret::from(nobody)), Policy::standard()),
    ]);
    let by_id = |name: &str| {
        format!(
            "{{ incident(by: {{ native: {{ source: {name:?}, id: {native:?} }} }}) {{ title source {{ name }} }} }}"
        )
    };
    let list = "{ incidents(first: 100) { nodes { title } sources { itemCount } } }";
    for _ in 0..3 {
        for (name, title) in [("one", title), ("two", "Renamed")] {
            let answer = ask(&api, &by_id(name)).await;
            assert_eq!(answer["data"]["incident"], json!({ "title": title, "source": { "name": name } }), "{answer}");
        }
        assert_eq!(ask(&api, &by_id("blind")).await["data"]["incident"], Value::Null);
        let list = &ask(&api, list).await["data"]["incidents"];
        assert_eq!(list["sources"], json!([{ "itemCount": 20 }, { "itemCount": 20 }, { "itemCount": 0 }]));
        for (of_one, count) in [(title, 1), ("Renamed", 1)] {
            let found = list["nodes"].as_array().unwrap().iter().filter(|node| node["title"] == of_one).count();
            assert_eq!(found, count, "{of_one}");
        }
    }
}

#[tokio::test]
async fn what_happens_is_counted() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let credential = Credential::Token(Secret::from("t".to_owned()));
    let api = support::api(vec![source("counted", &format!("http://{gone}/"), credential, short())]);
    for _ in 0..4 {
        ask(&api, LIST).await;
    }
    let text = metrics::text();
    let value = |start: &str| {
        let lines = text.lines().filter(|line| line.starts_with(start) && line.contains("source=\"counted\""));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum::<f64>()
    };
    assert!(value("incident_gateway_source_calls_total") >= 4.0, "{text}");
    assert!(value("incident_gateway_source_repeats_total") >= 1.0, "{text}");
    assert!(value("incident_gateway_source_circuit_refusals_total") >= 1.0, "{text}");
    assert_eq!(value("incident_gateway_source_circuit{"), 2.0, "{text}");
    let calls = value("incident_gateway_source_calls_total");
    assert_eq!(value("incident_gateway_source_call_duration_seconds_count"), calls, "each event once");
}
