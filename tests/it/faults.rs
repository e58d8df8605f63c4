//! The fault matrix, over real sockets: a source that misbehaves costs its own rows, within a bounded time and under the right
//! code; the other source is not touched; after it has healed everything is as before, tasks and descriptors included.

mod logins;
mod memory;
mod pair;
mod proxy;
mod storm;
mod tls;

use super::rude::Manner;
use super::{http, support};
use incident_gateway::{
    sandbox::Vendor, secret::Secret, telemetry::metrics, upstream::Policy, vendors::ciso_assistant::Credential,
};
use pair::{LIST, MS, Pair, Row, ask, ciso, row, sandbox, says, serve, short, token};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const JSON: &str = "Content-Type: application/json\r\n";
const DOWN: &str = "SOURCE_UNAVAILABLE";
const SLOW: &str = "SOURCE_TIMEOUT";
const BROKEN: &str = "SOURCE_MALFORMED";
const LIMITED: &str = "SOURCE_RATE_LIMITED";

/// Every way in which a connection goes wrong.
fn connections() -> Vec<Row> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{";
    let drip = format!("HTTP/1.1 200 OK\r\n{JSON}Content-Length: 5000\r\n\r\n{}", " ".repeat(5_000));
    vec![
        row("refused", Manner::Absent, DOWN, true),
        row("black hole before the connection", Manner::Unconnected, DOWN, true),
        row("black hole behind the connection", Manner::Silent, SLOW, true),
        row("reset before the request", Manner::ResetBefore, DOWN, true),
        row("reset after the request", Manner::ResetAfter, DOWN, true),
        row("reset after the request was done", Manner::Loses, DOWN, true),
        row("slow head", Manner::Drips(head.into(), 50 * MS), SLOW, true),
        row("drip", Manner::Drips(drip, 10 * MS), SLOW, true),
        row("cut body", Manner::Says(head.into()), BROKEN, true),
        row("no HTTP", Manner::Says("garbage\r\n\r\n".into()), DOWN, true),
        row("garbage", says("200 OK", JSON, "}{ not JSON"), BROKEN, false),
        row("huge body, announced", says("200 OK", JSON, &" ".repeat(5 << 20)), BROKEN, false),
        row("huge body without end", Manner::Endless, BROKEN, false),
        row("wrong content type", says("200 OK", "Content-Type: text/html\r\n", "<html>"), BROKEN, false),
        row("redirect to itself", says("302 Found", "Location: /api/incidents/\r\n", ""), BROKEN, false),
    ]
}

async fn what_breaks_on_the_connection_of(vendor: Vendor) {
    let pair = Pair::start(vendor, short()).await;
    for row in connections() {
        pair.row(row).await;
    }
}

#[tokio::test]
async fn what_breaks_on_the_connection_of_a_ciso_assistant() {
    what_breaks_on_the_connection_of(Vendor::CisoAssistant).await;
}

#[tokio::test]
async fn what_breaks_on_the_connection_of_an_eventlog_analyzer() {
    what_breaks_on_the_connection_of(Vendor::EventlogAnalyzer).await;
}

#[tokio::test]
async fn what_breaks_on_the_connection_of_an_adversarial() {
    what_breaks_on_the_connection_of(Vendor::Adversarial).await;
}

#[tokio::test]
async fn what_breaks_on_the_connection_of_a_kaspersky_xdr() {
    what_breaks_on_the_connection_of(Vendor::KasperskyXdr).await;
}

#[tokio::test]
async fn what_breaks_on_the_connection_of_a_cortex_xpanse() {
    what_breaks_on_the_connection_of(Vendor::CortexXpanse).await;
}

/// Statuses, each with its code and whether it opens the circuit.
const STATUSES: [(&str, &str, bool); 7] = [
    ("401", "SOURCE_AUTH_FAILED", false),
    ("403", "SOURCE_FORBIDDEN", false),
    ("429:7", LIMITED, false),
    ("html:500", DOWN, true),
    ("html:502", DOWN, true),
    ("503", DOWN, true),
    ("504", SLOW, true),
];

#[tokio::test]
async fn what_the_source_answers() {
    let pair = Pair::start(Vendor::CisoAssistant, short()).await;
    for (fault, code, opens) in STATUSES {
        let row = Row { name: fault, manner: Manner::Polite, faults: vec![fault], code, opens };
        let first = pair.row(row).await;
        let wait = if code == LIMITED { json!(7_000) } else { Value::Null };
        assert_eq!(first["sources"][0]["error"]["retryAfterMs"], wait, "{fault}");
    }
}

#[tokio::test]
async fn a_retry_after_by_date_is_measured_by_the_sources_clock_or_by_ours() {
    let pair = Pair::start(Vendor::CisoAssistant, short()).await;
    let dated = "Retry-After: Sun, 06 Nov 1994 08:51:07 GMT\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let undated =
        (chrono::Utc::now() + chrono::TimeDelta::minutes(10)).format("Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n");
    for (name, headers, least, most) in
        [("by its clock", dated.to_owned(), 90_000, 90_000), ("by ours", undated.to_string(), 570_000, 600_000)]
    {
        let manner = says("429 Too Many Requests", &headers, "");
        let first = pair.row(row(name, manner, LIMITED, false)).await;
        let wait = first["sources"][0]["error"]["retryAfterMs"].as_u64().unwrap();
        assert!((least..=most).contains(&wait), "{name}: {wait}");
    }
}

#[tokio::test]
async fn a_short_burst_is_not_noticed() {
    let pair = Pair::start(Vendor::CisoAssistant, short()).await;
    for fault in
        ["503@/api/incidents/*1", "html:502@/api/incidents/*1", "cut@/api/incidents/*1", "429:0@/api/incidents/*1"]
    {
        pair.bad.set_faults(vec![fault.parse().unwrap()]);
        let list = pair.list().await;
        assert_eq!((pair.code(&list), &list["sources"][0]["upstreamCalls"]), (Value::Null, &json!(2)), "{fault}");
    }
}

#[tokio::test]
async fn two_sources_of_one_vendor_with_the_same_ids_never_mix() {
    // The same world twice, so that all native ids are the same, with one title that differs; and an account that may see
    // nothing of the first.
    let (one, two) = (sandbox(Vendor::CisoAssistant, 20, 1), sandbox(Vendor::CisoAssistant, 20, 1));
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
        ciso("one", &bases[0], token(&one), Policy::standard()),
        ciso("two", &bases[1], token(&two), Policy::standard()),
        ciso("blind", &bases[0], Credential::Token(Secret::from(nobody)), Policy::standard()),
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
    let api = support::api(vec![ciso("counted", &format!("http://{gone}/"), credential, short())]);
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
