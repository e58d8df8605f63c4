//! A small HTTP client that hides nothing: what is sent is written out, what comes back is kept as it came.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longer than anything here takes.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
    /// The body as it came, where it may be no text.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// Reads a whole answer, as it came on a connection that it ends.
    pub(crate) fn read(received: &[u8]) -> Self {
        let end = received.windows(4).position(|end| end == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(received)));
        let head = std::str::from_utf8(&received[..end]).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let bytes = received[end + 4..].to_vec();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        let mut answer = Answer { status, head: head.to_owned(), body, bytes };
        if answer.header("transfer-encoding") == "chunked" {
            answer.body = joined(&answer.body);
        }
        answer
    }

    /// A header's value; empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.head.lines().filter_map(|line| line.split_once(": "));
        found.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or_default()
    }

    /// All values of a header that may be repeated.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let found = self.head.lines().filter_map(|line| line.split_once(": "));
        found.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The first error's message.
    pub(crate) fn error(&self) -> String {
        self.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends a request (head without `Host`, and body) on a connection of its own.
pub(crate) async fn send(address: SocketAddr, head: &str, body: &[u8]) -> Answer {
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let headers: String = headers.lines().map(|header| format!("{}\r\n", header.trim())).collect();
    let head = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    Answer::read(&exchange(address, &[head.as_bytes(), body].concat()).await)
}

/// Sends bytes and nothing else; all that comes back until the gateway closes the connection.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let work = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The gateway may answer, and close, before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received).await;
        received
    };
    timeout(LIMIT, work).await.unwrap()
}

/// The pieces of a body without their lengths.
fn joined(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        whole.push_str(&rest[..length]);
        body = rest[length..].trim_start_matches("\r\n");
        if length == 0 {
            break;
        }
    }
    whole
}

/// Asks by GET.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, &format!("GET {path}"), b"").await
}

/// Sends a body to `/graphql` as JSON.
pub(crate) async fn post(address: SocketAddr, body: &str) -> Answer {
    let head = format!("POST /graphql\nContent-Type: application/json\nContent-Length: {}", body.len());
    send(address, &head, body.as_bytes()).await
}

/// Sends a query to `/graphql`.
pub(crate) async fn query(address: SocketAddr, query: &str) -> Answer {
    post(address, &serde_json::json!({ "query": query }).to_string()).await
}
