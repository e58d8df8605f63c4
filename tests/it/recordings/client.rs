//! The smallest HTTP client that shows all of an answer: status, headers, bytes, and whether the connection broke.

use incident_gateway::sandbox::Sandbox;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A sandbox served on a port of its own, for as long as the test's runtime lives.
pub(crate) struct Client {
    address: SocketAddr,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// What arrived, which is less than announced when the connection broke.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }
}

impl Client {
    pub(crate) async fn new(sandbox: &Sandbox) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sandbox = sandbox.clone();
        tokio::spawn(async move { sandbox.serve(listener, std::future::pending()).await });
        Client { address }
    }

    /// Sends one request on a connection of its own and reads until the server closes it.
    pub(crate) async fn send(&self, method: &str, target: &str, headers: &[(String, String)], body: &str) -> Answer {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        request.push_str(body);
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        // A broken connection leaves what was read before.
        let _ = stream.read_to_end(&mut bytes).await;
        parse(&bytes)
    }

    /// `GET` with a token.
    pub(crate) async fn get(&self, target: &str, token: &str) -> Answer {
        self.send("GET", target, &[("Authorization".to_owned(), format!("Token {token}"))], "").await
    }

    /// Any method with a token and a JSON body.
    pub(crate) async fn send_json(&self, method: &str, target: &str, token: &str, body: &serde_json::Value) -> Answer {
        let headers = [
            ("Authorization".to_owned(), format!("Token {token}")),
            ("Content-Type".to_owned(), "application/json".to_owned()),
        ];
        self.send(method, target, &headers, &body.to_string()).await
    }
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no answer, only {} bytes", bytes.len()));
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let headers: Vec<(String, String)> = lines.map(header).collect();
    let body = &bytes[end + 4..];
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    assert!(!chunked, "the sandbox announces lengths");
    Answer { status, headers, body: body.to_vec() }
}
