//! The load: connections that each send the next request as soon as the last is answered. Speaks just enough HTTP to cost
//! little itself.

use crate::Result;
use crate::process::Subject;
use crate::work::Work;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Most requests of one measurement, so that memory is bounded.
const MOST: usize = 200_000;

/// Whom to ask what.
pub(crate) struct Target {
    address: String,
    request: Vec<u8>,
}

impl Target {
    pub(crate) fn new(subject: &Subject, work: &Work) -> Self {
        let body = serde_json::json!({ "query": work.query }).to_string();
        let (path, length) = (subject.path(work), body.len());
        let address = subject.address.clone();
        let head = "Accept: application/json\r\nContent-Type: application/json";
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: {address}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}");
        Target { address, request: request.into_bytes() }
    }
}

/// What one measurement gave.
pub(crate) struct Sample {
    /// Of each request, ascending.
    pub(crate) latencies: Vec<Duration>,
    pub(crate) elapsed: Duration,
}

/// Sends over so many connections for so long; what was begun is finished.
pub(crate) async fn load(target: &Target, connections: usize, time: Duration) -> Result<Sample> {
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let mut connection = Connection::open(&target.address).await?;
        let request = target.request.clone();
        clients.spawn(async move {
            let (end, mut latencies) = (Instant::now() + time, Vec::new());
            while Instant::now() < end && latencies.len() < MOST / connections {
                let began = Instant::now();
                connection.ask(&request).await?;
                latencies.push(began.elapsed());
            }
            Result::Ok(latencies)
        });
    }
    let (began, mut latencies) = (Instant::now(), Vec::new());
    while let Some(client) = clients.join_next().await {
        latencies.extend(client??);
    }
    let elapsed = began.elapsed();
    latencies.sort_unstable();
    Ok(Sample { latencies, elapsed })
}

/// One request and the body of its answer.
pub(crate) async fn once(target: &Target) -> Result<String> {
    let mut connection = Connection::open(&target.address).await?;
    let head = connection.ask(&target.request).await?;
    Ok(String::from_utf8_lossy(&connection.received[head..]).into_owned())
}

struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, received: Vec::new() })
    }

    /// Sends a request and reads its answer; tells where the body begins in `received`.
    async fn ask(&mut self, request: &[u8]) -> Result<usize> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let mut ends = None;
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("a subject closed its connection".into());
            }
            if ends.is_none() {
                ends = head(&self.received)?;
            }
            if let Some((body, end)) = ends
                && self.received.len() >= end
            {
                return Ok(body);
            }
            self.received.reserve(64 * 1024);
        }
    }
}

/// Where the body begins and where it ends, once the head is complete.
fn head(received: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&received[..end])?;
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(format!("a subject answered {}", head.lines().next().unwrap_or_default()).into());
    }
    let length = head.lines().filter_map(|line| line.split_once(": ")).find_map(|(name, value)| {
        if name.eq_ignore_ascii_case("content-length") { value.parse::<usize>().ok() } else { None }
    });
    Ok(Some((end + 4, end + 4 + length.ok_or("a subject gave no Content-Length")?)))
}
