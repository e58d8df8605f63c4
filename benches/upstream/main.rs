//! What the steps of an upstream call cost, over a transport in memory and over loopback beside plain reqwest:
//! `cargo bench --bench upstream`. Medians of five rounds.

#![allow(clippy::unwrap_used)]

use incident_gateway::upstream::{
    Context, Credential, HttpResponse, Policy, Rate, Remember, ReqwestTransport, Static, Upstream, UpstreamOptions,
    UpstreamRequest, header, header::HeaderValue, memory::MemoryTransport,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::Instant,
};

const BODY: &str = r#"{"count":0,"results":[]}"#;

fn transport() -> MemoryTransport {
    MemoryTransport::new(|_| async {
        let json = HeaderValue::from_static("application/json");
        Ok(HttpResponse::new(200, BODY).header(header::CONTENT_TYPE, json))
    })
}

/// Microseconds of one of many.
async fn each(what: &str, times: u32, mut call: impl AsyncFnMut()) {
    let mut rounds = Vec::new();
    for _ in 0..5 {
        let start = std::time::Instant::now();
        for _ in 0..times {
            call().await;
        }
        rounds.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(times));
    }
    rounds.sort_by(f64::total_cmp);
    println!("{what}: {:.1} µs", rounds[2]);
}

/// Answers on connections that stay open, as fast as it can.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4_096];
                while socket.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {
                    if socket.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    base
}

fn context() -> Context {
    Context::new(Instant::now() + Duration::from_secs(3_600), "r-1", "gateway")
}

fn token() -> Arc<dyn Credential> {
    Arc::new(Static::new(header::AUTHORIZATION, HeaderValue::from_static("Token t-0")))
}

fn list() -> UpstreamRequest {
    UpstreamRequest::get("list_incidents", "/api/incidents/")
}

/// A source in memory.
fn upstream(policy: Policy) -> Upstream {
    Upstream::new(UpstreamOptions {
        name: "a".into(),
        base: "https://vendor.example/".parse().unwrap(),
        policy,
        transport: Arc::new(transport()),
        credential: token(),
    })
}

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(the_steps_of_a_call());
}

async fn the_steps_of_a_call() {
    let cx = context();
    let plain = upstream(Policy::default());
    each("in memory, plain policy", 20_000, async || drop(plain.send(&cx, list()).await.unwrap())).await;
    let all = upstream(Policy::standard());
    each("in memory, all steps, not remembered", 20_000, async || drop(all.send(&cx, list()).await.unwrap())).await;
    let limited = upstream(Policy { rates: vec![Rate::of_all(1_000_000)], ..Policy::standard() });
    each("in memory, all steps and a quota", 20_000, async || drop(limited.send(&cx, list()).await.unwrap())).await;
    let remembered = || list().remember(Remember::Detail);
    each("in memory, remembered", 20_000, async || drop(all.send(&cx, remembered()).await.unwrap())).await;

    let base = server().await;
    let policy = Policy::standard();
    // Also chooses the TLS library that the plain client needs.
    let network = Arc::new(ReqwestTransport::new(&policy).unwrap());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{base}api/incidents/");
    each("loopback, plain reqwest", 4_000, async || {
        let token = HeaderValue::from_static("Token t-0");
        let answer = client.get(&url).header(header::AUTHORIZATION, token).send().await.unwrap();
        drop(answer.bytes().await.unwrap());
    })
    .await;
    let options = UpstreamOptions {
        name: "a".into(),
        base: base.parse().unwrap(),
        policy,
        transport: network,
        credential: token(),
    };
    let upstream = Upstream::new(options);
    each("loopback, all steps", 4_000, async || drop(upstream.send(&cx, list()).await.unwrap())).await;
}
