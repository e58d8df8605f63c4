//! `health`: a running gateway asked whether it takes requests. Speaks HTTP by hand: one request without a body needs no
//! client, and what is not there cannot obey `HTTP_PROXY`.

use super::failure::{Failure, UNWELL};
use super::output::{complain, say};
use clap::Args;
use std::io;
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

const PATH: &str = "health/ready";
const TIMEOUT: Duration = Duration::from_secs(5);
/// A status line is far shorter.
const MAX_HEAD: u64 = 1024;

#[derive(Args)]
pub(super) struct Options {
    /// Where the gateway is
    #[arg(long, default_value = "http://127.0.0.1:8080", value_parser = address)]
    url: Url,
}

fn address(text: &str) -> Result<Url, String> {
    let allowed = "an address that begins with http:// is needed, as in http://127.0.0.1:8080";
    let mut url = Url::parse(text).map_err(|_| allowed.to_owned())?;
    if url.scheme() != "http" || url.host_str().is_none() {
        return Err(format!("{allowed}; the gateway itself does not speak https"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url.join(PATH).map_err(|_| allowed.to_owned())
}

pub(super) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let url = options.url;
    let problem = match timeout(TIMEOUT, ask(&url)).await {
        Ok(Ok(200)) => {
            say("ready\n")?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Ok(503)) => "it is stopping and takes no more requests".to_owned(),
        Ok(Ok(status)) => format!("it answered with HTTP {status}; is it an Incident Gateway?"),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} seconds", TIMEOUT.as_secs()),
    };
    complain(&format!("The gateway at {url} is not ready: {problem}."));
    Ok(ExitCode::from(UNWELL))
}

/// The status of the answer.
async fn ask(url: &Url) -> io::Result<u16> {
    let host = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80));
    let mut stream = TcpStream::connect(&host).await?;
    let request = format!("GET {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", url.path());
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    stream.take(MAX_HEAD).read_to_end(&mut head).await?;
    let no_http = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP");
    let line = head.split(|&byte| byte == b'\r').next().and_then(|line| std::str::from_utf8(line).ok());
    let status = line.and_then(|line| line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok());
    status.ok_or_else(no_http)
}
