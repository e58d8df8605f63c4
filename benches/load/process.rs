//! The other processes: how they are started, told things, and what they use.

use crate::Result;
use crate::child::{Child, Usage};
use crate::record::Plan;
use crate::work::Work;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tokio::process::Command;

/// What this program is told to be; see `main`.
pub(crate) const UPSTREAM: &str = "upstream";
pub(crate) const FLOOR: &str = "floor";

/// The simulated incident system.
pub(crate) struct Upstream {
    process: Child,
    pub(crate) url: String,
    pub(crate) token: String,
}

impl Upstream {
    pub(crate) async fn start() -> Result<Self> {
        let mut process = Child::start(Command::new(std::env::current_exe()?).arg(UPSTREAM))?;
        let line = process.hear().await?;
        let (url, token) = line.split_once(' ').ok_or("the upstream told no token")?;
        Ok(Upstream { url: url.to_owned(), token: token.to_owned(), process })
    }

    pub(crate) async fn set_latency(&mut self, latency: Duration) -> Result<()> {
        self.process.say(&format!("latency {}", latency.as_micros())).await?;
        self.process.hear().await?;
        Ok(())
    }

    /// How many calls came since the start.
    pub(crate) async fn calls(&mut self) -> Result<u64> {
        self.process.say("calls").await?;
        Ok(self.process.hear().await?.parse()?)
    }
}

/// What is measured.
pub(crate) struct Subject {
    process: Child,
    /// Host and port.
    pub(crate) address: String,
    is_floor: bool,
}

impl Subject {
    /// What it used until now.
    pub(crate) fn usage(&self) -> Result<Usage> {
        self.process.usage()
    }

    /// Where it takes a kind of request.
    pub(crate) fn path(&self, work: &Work) -> String {
        if self.is_floor { format!("/{}", work.name) } else { "/graphql".to_owned() }
    }
}

/// The gateway as it is released, in front of one source.
pub(crate) struct Gateway(pub(crate) Subject);

impl Gateway {
    pub(crate) async fn start(source: &str, token: &str) -> Result<Self> {
        let config = TemporaryFile::new(&format!(
            "[sources.bench]\nvendor = \"ciso-assistant\"\nurl = \"{source}/\"\ntoken = {{ env = \"LOAD_BENCHMARK_TOKEN\" }}\n\
             [sources.bench.policy]\nconcurrency = 128\nshare_calls = false\n\
             [sources.bench.policy.cache]\nlists_ms = 0\ndetails_ms = 0\ncatalogues_ms = 0\n"
        ))?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_incident-gateway"));
        command.args(["--log-level", "error", "serve", "--listen", "127.0.0.1:0", "--config"]).arg(&config.0);
        let mut process = Child::start(command.env("LOAD_BENCHMARK_TOKEN", token))?;
        let line = process.hear().await?;
        let address = line.split_once("http://").and_then(|(_, rest)| rest.split_once("/graphql"));
        let address = address.ok_or("the gateway told no address")?.0.to_owned();
        Ok(Gateway(Subject { process, address, is_floor: false }))
    }
}

/// A program that makes the upstream calls of a plan and hands on the bytes.
pub(crate) struct Floor(pub(crate) Subject);

impl Floor {
    pub(crate) async fn start(upstream: &Upstream, plan: &Plan) -> Result<Self> {
        let mut process = Child::start(Command::new(std::env::current_exe()?).arg(FLOOR))?;
        for line in [&upstream.url, &upstream.token, &serde_json::to_string(plan)?] {
            process.say(line).await?;
        }
        let line = process.hear().await?;
        let address = line.strip_prefix("http://").ok_or("the floor told no address")?.to_owned();
        Ok(Floor(Subject { process, address, is_floor: true }))
    }
}

/// Ends with the value.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(text: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("incident-gateway-load-{}.toml", std::process::id()));
        fs::write(&path, text)?;
        Ok(TemporaryFile(path))
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // Nothing depends on it any more.
        let _ = fs::remove_file(&self.0);
    }
}
