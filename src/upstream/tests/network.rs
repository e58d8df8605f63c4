//! The real transport, over loopback.

use super::*;
use std::net::SocketAddr;
use std::process::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Reads one request and writes `answer`, for each connection anew. Gives its address and the count of connections.
async fn serve(answer: &'static str) -> (SocketAddr, Counter) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Counter::default();
    let counter = connections.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            counter.add();
            tokio::spawn(async move {
                read_head(&mut socket).await;
                let _ = socket.write_all(answer.as_bytes()).await;
            });
        }
    });
    (address, connections)
}

async fn read_head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && socket.read_buf(&mut head).await.unwrap() > 0 {}
    String::from_utf8(head).unwrap()
}

fn reach(base: &str) -> Upstream {
    let policy = Policy { connect_timeout: SECOND / 5, ..Policy::default() };
    let transport = Arc::new(ReqwestTransport::new(&policy).unwrap());
    let base = base.parse().unwrap();
    Upstream::new(UpstreamOptions { name: "ciso".into(), base, policy, transport, credential: static_token() })
}

async fn failure(base: &str) -> UpstreamErrorKind {
    reach(base).send(&context(), list()).await.unwrap_err().kind()
}

#[tokio::test]
async fn a_vendor_that_closes_every_connection_is_lived_with() {
    let (address, connections) =
        serve("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}")
            .await;
    let upstream = reach(&format!("http://{address}/"));
    for _ in 0..5 {
        let answer = upstream.send(&context(), list()).await.unwrap();
        assert!(answer.is_json() && answer.body == "{}");
    }
    assert_eq!(connections.count(), 5);
}

#[tokio::test]
async fn the_request_goes_out_as_written() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let head = read_head(&mut socket).await;
        socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        head
    });
    let request = UpstreamRequest::get("list", "/api/x/?id=a,b&search=%20")
        .header(header::ACCEPT_LANGUAGE, header::HeaderValue::from_static("en"));
    assert_eq!(reach(&format!("http://{address}/grc/")).send(&context(), request).await.unwrap().status, 204);
    let head = server.await.unwrap().to_lowercase();
    assert!(head.starts_with("get /grc/api/x/?id=a,b&search=%20 http/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: token t-0\r\n") && head.contains("accept-language: en\r\n"), "{head}");
    assert!(!head.contains("accept-encoding"), "{head}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (address, connections) =
        serve("HTTP/1.1 301 Moved\r\nLocation: /api/incidents/x/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .await;
    assert_eq!(reach(&format!("http://{address}/")).send(&context(), list()).await.unwrap().status, 301);
    assert_eq!(connections.count(), 1);
}

#[tokio::test]
async fn each_way_to_break_a_conversation_has_its_kind() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(failure(&format!("http://{free}/")).await, UpstreamErrorKind::Connect);
    for (answer, kind) in [
        ("", UpstreamErrorKind::Lost),
        ("HTTP/1.1 200 OK\r\nConte", UpstreamErrorKind::Lost),
        ("garbage\r\n\r\n", UpstreamErrorKind::Lost),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", UpstreamErrorKind::Cut),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", UpstreamErrorKind::Cut),
    ] {
        let (address, connections) = serve(answer).await;
        assert_eq!(failure(&format!("http://{address}/")).await, kind, "{answer:?}");
        assert_eq!(connections.count(), 1, "never repeated by the client: {answer:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_not_trusted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = socket.read_to_end(&mut Vec::new()).await;
    });
    assert_eq!(failure(&format!("https://{address}/")).await, UpstreamErrorKind::Tls);
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_is_no_connection() {
    // Accepts at the system's level and then says nothing, so that TLS is never made.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let start = std::time::Instant::now();
    assert_eq!(failure(&format!("https://{}/", silent.local_addr().unwrap())).await, UpstreamErrorKind::Connect);
    assert!(start.elapsed() < 5 * SECOND, "the connect timeout is 200 ms");
}

#[tokio::test]
async fn the_causes_name_no_url() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let request = UpstreamRequest::get("list", "/api/x/?search=somebody");
    let error = reach(&format!("http://{free}/")).send(&context(), request).await.unwrap_err();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        assert!(!format!("{error} {error:?}").contains("somebody"), "{error:?}");
        cause = error.source();
    }
}

/// Runs one test of this file again in a process with another environment; true when this already is that process.
fn with_environment(test: &str, variables: &[(&str, &str)]) -> bool {
    const MARK: &str = "INCIDENT_GATEWAY_TEST_ENVIRONMENT";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let path = module_path!().split_once("::").unwrap().1;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("{path}::{test}"), "--nocapture"]).env(MARK, "1").envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    false
}

#[test]
fn proxies_of_the_environment_are_ignored() {
    // Nothing listens at the discard port of loopback: a request through that proxy would fail.
    let proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, "http://127.0.0.1:9"));
    if with_environment("proxies_of_the_environment_are_ignored", &proxies) {
        answers_over_http();
    }
}

#[test]
fn a_machine_without_certificate_authorities_still_speaks_http() {
    let none = [("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")];
    if with_environment("a_machine_without_certificate_authorities_still_speaks_http", &none) {
        answers_over_http();
    }
}

fn answers_over_http() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (address, _) = serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}").await;
        assert_eq!(reach(&format!("http://{address}/")).send(&context(), list()).await.unwrap().status, 200);
    });
}
