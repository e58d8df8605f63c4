//! Connections: how long a client may have the gateway wait, how many there may be, and how they end.

use super::{QUERY, Running};
use crate::http::{Answer, LIMIT, exchange, get, query, send};
use incident_gateway::server::Stopped;
use serde_json::json;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

const LIVE: &[u8] = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
const LIVE_BODY: &str = r#"{"status":"live"}"#;

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Sends a request for `/health/live` and reads its whole answer; the connection goes on.
async fn ask_live(stream: &mut TcpStream) -> bool {
    if stream.write_all(LIVE).await.is_err() {
        return false;
    }
    let mut received = Vec::new();
    while !received.ends_with(LIVE_BODY.as_bytes()) {
        match timeout(LIMIT, stream.read_buf(&mut received)).await.unwrap() {
            Ok(0) | Err(_) => return false,
            Ok(_) => {}
        }
    }
    true
}

/// What still comes until the gateway ends the connection, and how long that took.
async fn until_end(stream: &mut TcpStream) -> (String, Duration) {
    let began = Instant::now();
    let mut received = Vec::new();
    let _ = timeout(LIMIT, stream.read_to_end(&mut received)).await.unwrap();
    (String::from_utf8(received).unwrap(), began.elapsed())
}

fn between(took: Duration, least_ms: u64, most_ms: u64) {
    assert!((least_ms..=most_ms).contains(&(took.as_millis() as u64)), "{took:?}");
}

#[tokio::test]
async fn a_head_that_does_not_end_costs_its_time_and_no_more() {
    let gateway = Running::with(|config| config.server.head_timeout = Duration::from_millis(300)).await;
    let mut silent = connect(gateway.address).await;
    let (said, took) = until_end(&mut silent).await;
    assert_eq!(said, "", "who said nothing is told nothing");
    between(took, 200, 5_000);
    let mut slow = connect(gateway.address).await;
    slow.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n").await.unwrap();
    let began = Instant::now();
    let (mut reading, mut writing) = slow.into_split();
    // Every byte comes in time, but the head does not.
    let dripping = tokio::spawn(async move {
        while writing.write_all(b"X-Slow: 1\r\n").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    let mut received = Vec::new();
    let _ = timeout(LIMIT, reading.read_to_end(&mut received)).await.unwrap();
    between(began.elapsed(), 250, 5_000);
    let answer = Answer::read(&received);
    assert_eq!((answer.status, answer.header("connection")), (408, "close"));
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    assert_eq!(answer.error(), "The request did not arrive in time.");
    dripping.abort();
}

#[tokio::test]
async fn a_head_on_a_kept_connection_has_no_longer() {
    let gateway = Running::with(|config| config.server.head_timeout = Duration::from_millis(300)).await;
    let mut stream = connect(gateway.address).await;
    sleep(Duration::from_millis(100)).await;
    assert!(ask_live(&mut stream).await);
    sleep(Duration::from_millis(500)).await;
    assert!(ask_live(&mut stream).await, "the time for a head does not run between requests");
    stream.write_all(b"GET /hea").await.unwrap();
    let (said, took) = until_end(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    between(took, 200, 5_000);
}

#[tokio::test]
async fn a_body_that_does_not_come_costs_its_time_and_no_more() {
    let gateway = Running::with(|config| config.server.body_timeout = Duration::from_millis(300)).await;
    let began = Instant::now();
    let head = "POST /graphql\nContent-Type: application/json\nContent-Length: 100";
    let answer = send(gateway.address, head, b"{\"query\"").await;
    assert_eq!((answer.status, answer.error()), (408, "The body did not arrive in time.".to_owned()));
    assert_eq!(answer.header("connection"), "close");
    between(began.elapsed(), 250, 5_000);
    assert_eq!(query(gateway.address, QUERY).await.status, 200);
}

#[tokio::test]
async fn a_client_that_is_refused_may_finish_what_it_says() {
    let gateway = Running::start().await;
    let mut stream = connect(gateway.address).await;
    let head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // A connection closed in its face would be reset, and the answer lost on many systems.
    timeout(LIMIT, stream.write_all(&vec![b'x'; 20_000_000])).await.unwrap().unwrap();
    let (said, _) = until_end(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
}

#[tokio::test]
async fn a_connection_rests_for_so_long_and_no_longer() {
    let gateway = Running::with(|config| config.server.idle_timeout = Duration::from_millis(400)).await;
    let mut stream = connect(gateway.address).await;
    for _ in 0..3 {
        assert!(ask_live(&mut stream).await);
        sleep(Duration::from_millis(200)).await;
    }
    assert!(ask_live(&mut stream).await, "each request begins the rest anew");
    let (said, took) = until_end(&mut stream).await;
    assert_eq!(said, "");
    between(took, 300, 5_000);
}

#[tokio::test]
async fn a_request_in_flight_is_not_a_rest() {
    let gateway = Running::with(|config| {
        config.server.idle_timeout = Duration::from_millis(100);
        config.server.head_timeout = Duration::from_millis(100);
    })
    .await;
    gateway.sandbox.set_latency(Duration::from_millis(600));
    assert_eq!(query(gateway.address, QUERY).await.json().get("errors"), None);
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_left() {
    let gateway = Running::with(|config| config.server.idle_timeout = Duration::from_millis(500)).await;
    let mut stream = connect(gateway.address).await;
    // Far more than the system's buffers hold, all asked for at once, and nothing of it read.
    let ask = b"GET /schema.graphql HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(400);
    let writing = async { while stream.write_all(&ask).await.is_ok() {} };
    let left = timeout(LIMIT, writing).await;
    assert!(left.is_ok(), "the gateway ends the connection");
    assert_eq!(get(gateway.address, "/health/live").await.status, 200);
}

#[tokio::test]
async fn a_newcomer_gets_the_place_of_whoever_rests_longest() {
    let gateway = Running::with(|config| config.server.max_connections = 2).await;
    let (mut first, mut second) = (connect(gateway.address).await, connect(gateway.address).await);
    assert!(ask_live(&mut second).await);
    assert!(ask_live(&mut first).await);
    sleep(Duration::from_millis(300)).await;
    assert!(ask_live(&mut first).await);
    sleep(Duration::from_millis(200)).await;
    assert_eq!(get(gateway.address, "/health/live").await.status, 200, "it needs a place of its own");
    assert!(!ask_live(&mut second).await, "the second rested longest");
    assert!(ask_live(&mut first).await);
}

#[tokio::test]
async fn a_newcomer_waits_while_all_are_at_work() {
    let gateway = Running::with(|config| config.server.max_connections = 1).await;
    gateway.sandbox.set_latency(Duration::from_millis(500));
    let address = gateway.address;
    let asked = tokio::spawn(async move { query(address, QUERY).await });
    until_called(&gateway).await;
    let began = Instant::now();
    assert_eq!(get(address, "/health/live").await.status, 200);
    between(began.elapsed(), 100, 5_000);
    assert_eq!(asked.await.unwrap().json().get("errors"), None, "who is at work is left to it");
}

#[tokio::test]
async fn silent_connections_do_not_shut_others_out() {
    let gateway = Running::with(|config| config.server.max_connections = 20).await;
    let mut silent = Vec::new();
    for _ in 0..60 {
        silent.push(connect(gateway.address).await);
    }
    let began = Instant::now();
    assert_eq!(get(gateway.address, "/health/live").await.status, 200);
    assert!(began.elapsed() < Duration::from_secs(8), "sooner than their time ends: {:?}", began.elapsed());
}

#[tokio::test]
async fn requests_in_one_piece_are_answered_one_after_the_other() {
    let gateway = Running::start().await;
    let last = "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let received = exchange(gateway.address, &[&LIVE.repeat(20), last.as_bytes()].concat()).await;
    let received = String::from_utf8(received).unwrap();
    assert_eq!(received.matches("HTTP/1.1 200 ").count(), 20);
    assert_eq!(received.matches("HTTP/1.1 404 ").count(), 1);
}

#[tokio::test]
async fn a_client_that_goes_ends_its_request() {
    let gateway = Running::start().await;
    gateway.sandbox.set_faults(vec!["hang".parse().unwrap()]);
    let mut stream = connect(gateway.address).await;
    let body = json!({ "query": QUERY }).to_string();
    let head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ";
    stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
    until_called(&gateway).await;
    drop(stream);
    sleep(Duration::from_millis(200)).await;
    let mut gateway = gateway;
    gateway.stop();
    let began = Instant::now();
    assert_eq!(gateway.served.await.unwrap(), Stopped::Finished);
    assert!(began.elapsed() < Duration::from_secs(2), "nothing was in flight any more: {:?}", began.elapsed());
}

#[tokio::test]
async fn stopping_ends_connections_that_rest_at_once() {
    let mut gateway = Running::start().await;
    let mut resting = connect(gateway.address).await;
    assert!(ask_live(&mut resting).await);
    let _silent = connect(gateway.address).await;
    sleep(Duration::from_millis(50)).await;
    gateway.stop();
    let began = Instant::now();
    assert_eq!(gateway.served.await.unwrap(), Stopped::Finished);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(until_end(&mut resting).await.0, "");
}

#[tokio::test]
async fn stopping_lets_requests_in_flight_finish() {
    let mut gateway = Running::start().await;
    gateway.sandbox.set_latency(Duration::from_millis(400));
    let address = gateway.address;
    let asked = tokio::spawn(async move { query(address, QUERY).await });
    until_called(&gateway).await;
    gateway.stop();
    assert_eq!(asked.await.unwrap().json().get("errors"), None);
    assert_eq!(gateway.served.await.unwrap(), Stopped::Finished);
    assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let mut gateway = Running::with(|config| config.server.stop_timeout = Duration::from_millis(200)).await;
    gateway.sandbox.set_faults(vec!["hang".parse().unwrap()]);
    let address = gateway.address;
    let asked = tokio::spawn(async move {
        let stream = TcpStream::connect(address).await.unwrap();
        let body = json!({ "query": QUERY }).to_string();
        let head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ";
        stream.writable().await.unwrap();
        stream.try_write(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
        stream
    });
    until_called(&gateway).await;
    let _stream = asked.await.unwrap();
    gateway.stop();
    let began = Instant::now();
    assert_eq!(gateway.served.await.unwrap(), Stopped::Overrun);
    assert!(began.elapsed() < Duration::from_secs(5));
}

/// Until the gateway has asked the sandbox something.
async fn until_called(gateway: &Running) {
    let called = async {
        while gateway.sandbox.call_count() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, called).await.unwrap();
}
