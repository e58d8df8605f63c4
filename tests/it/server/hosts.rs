//! Which hosts requests may name.

use super::Running;
use crate::http::{Answer, exchange};

/// The status of a request with these lines.
async fn status(gateway: &Running, lines: &[&str]) -> u16 {
    let text = format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
    Answer::read(&exchange(gateway.address, text.as_bytes()).await).status
}

#[tokio::test]
async fn a_request_names_loopback_or_a_public_host() {
    let gateway = Running::with(|config| {
        config.server.public_hosts = vec!["gateway.example".into(), "2001:db8::7".into()];
        config.public_url = Some("https://proxy.example/gateway/".parse().unwrap());
    })
    .await;
    for (host, expected) in [
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("127.0.0.1:8080", 200),
        ("127.255.0.9", 200),
        ("[::1]:8080", 200),
        ("gateway.example", 200),
        ("Gateway.Example:8443", 200),
        ("[2001:db8:0::7]", 200),
        ("proxy.example", 200),
        ("evil.example", 421),
        ("gateway.example.evil.example", 421),
        ("localhost.evil.example:8080", 421),
        ("192.0.2.1", 421),
        ("[::2]", 421),
        ("user@localhost", 421),
        ("", 421),
    ] {
        for path in ["/health/live", "/schema.graphql", "/nothing"] {
            let expected = if path == "/nothing" && expected == 200 { 404 } else { expected };
            let line = format!("GET {path} HTTP/1.1");
            assert_eq!(status(&gateway, &[&line, &format!("Host: {host}")]).await, expected, "{host} {path}");
        }
    }
}

#[tokio::test]
async fn a_foreign_host_is_told_why_and_nothing_is_asked() {
    let gateway = Running::start().await;
    let body = r#"{"query":"{ incidents(first: 1) { nodes { title } } }"}"#;
    let head =
        "POST /graphql HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let text = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let answer = Answer::read(&exchange(gateway.address, text.as_bytes()).await);
    assert_eq!(answer.status, 421);
    assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert!(answer.error().contains("public_hosts") && !answer.error().contains("evil"), "{answer:?}");
    assert_eq!(answer.header("x-request-id").len(), 24);
    assert_eq!(gateway.sandbox.call_count(), 0);
}

#[tokio::test]
async fn the_host_is_named_exactly_once() {
    let gateway = Running::start().await;
    let live = "GET /health/live HTTP/1.1";
    assert_eq!(status(&gateway, &[live]).await, 400);
    assert_eq!(status(&gateway, &[live, "Host: localhost", "Host: localhost"]).await, 400);
    assert_eq!(status(&gateway, &[live, "Host: localhost", "Host: evil.example"]).await, 400);
    assert_eq!(status(&gateway, &["GET /health/live HTTP/1.0"]).await, 400);
    assert_eq!(status(&gateway, &["GET /health/live HTTP/1.0", "Host: localhost"]).await, 200);
}

#[tokio::test]
async fn a_target_in_absolute_form_must_be_ours_as_well() {
    let gateway = Running::start().await;
    for (target, host, expected) in [
        ("http://localhost/health/live", "localhost", 200),
        ("http://127.0.0.1:8080/health/live", "[::1]", 200),
        ("http://evil.example/health/live", "localhost", 421),
        ("http://localhost/health/live", "evil.example", 421),
        ("http://localhost@evil.example/health/live", "localhost", 421),
        ("http://evil.example@localhost/health/live", "localhost", 421),
    ] {
        let line = format!("GET {target} HTTP/1.1");
        assert_eq!(status(&gateway, &[&line, &format!("Host: {host}")]).await, expected, "{target} {host}");
    }
    // Neither is a target of ours, and neither does harm.
    for line in ["OPTIONS * HTTP/1.1", "CONNECT localhost:80 HTTP/1.1", "CONNECT evil.example:80 HTTP/1.1"] {
        let answered = status(&gateway, &[line, "Host: localhost"]).await;
        assert!((400..500).contains(&answered), "{line}: {answered}");
    }
}
