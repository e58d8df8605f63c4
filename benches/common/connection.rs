//! A connection that asks one thing after the other. Speaks just enough HTTP to cost little itself.

use std::error::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The bytes of a request with a JSON body. `address` is host and port.
pub(crate) fn post(address: &str, path: &str, body: &str) -> Vec<u8> {
    let (head, length) = ("Accept: application/json\r\nContent-Type: application/json", body.len());
    format!("POST {path} HTTP/1.1\r\nHost: {address}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, received: Vec::new() })
    }

    /// Sends a request and reads its answer; gives the body.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<&[u8]> {
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
                return Ok(&self.received[body..end]);
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
