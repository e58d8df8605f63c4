//! The gateway over five sources, in a process of its own that tells what it has allocated.

use crate::child::{Child, Usage};
use crate::memory::Peak;
use crate::{ALLOCATOR, GATEWAY, Result};
use incident_gateway::app::{App, Surroundings};
use incident_gateway::config::Config;
use incident_gateway::federation::SnapshotLimits;
use incident_gateway::server;
use incident_gateway::settings::Environment;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, stdin};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::process::Command;

/// How many times the vendors' quotas the gateway may use, as the sandboxes are as lenient.
const LENIENCY: u32 = 1_000;

/// How a gateway differs from one with the default configuration, apart from quotas and the time for a request.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// The table `sources`.
    pub(crate) sources: String,
    /// How long copies are kept, in milliseconds.
    pub(crate) keep_ms: u64,
    /// Whether answers of the sources are remembered and shared, as they are by default.
    pub(crate) remembers: bool,
}

impl Setup {
    pub(crate) fn config(&self) -> Result<Config> {
        let loaded = Config::load(&self.sources, &Environment::default());
        let mut config = loaded.map_err(|mistakes| format!("the configuration is wrong: {mistakes:?}"))?.value;
        config.limits.request_timeout = Duration::from_secs(60);
        config.limits.snapshots.keep = Duration::from_millis(self.keep_ms);
        for policy in config.sources.iter_mut().map(|(_, source)| source.policy_mut()) {
            for rate in &mut policy.rates {
                rate.per_minute = rate.per_minute.saturating_mul(LENIENCY);
            }
            if !self.remembers {
                (policy.share, policy.cache.lists, policy.cache.details) = (false, Duration::ZERO, Duration::ZERO);
                policy.cache.revisions = Duration::ZERO;
            }
        }
        Ok(config)
    }
}

/// Serves until standard input ends. Line in: the setup as JSON. Line out: host and port. Then for each line in what is
/// allocated, as [`Memory`].
pub(crate) fn run() -> Result<()> {
    let mut lines = stdin().lock().lines();
    let setup: Setup = serde_json::from_str(&lines.next().ok_or("no setup was told")??)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let app = Arc::new(App::new(setup.config()?, Surroundings::of_process(None, address))?);
    println!("{address}");
    let served = app.clone();
    runtime.spawn(async move {
        let (router, readiness) = (served.router(), served.readiness());
        server::serve(listener, router, readiness, std::future::pending(), served.server_options()).await
    });
    let (peak, watched) = (Peak::watch(), app.clone());
    let copies = Peak::of(move || watched.federation().snapshot_bytes());
    for line in lines {
        line?;
        let memory = Memory { now: ALLOCATOR.allocated(), peak: peak.take(), copies: copies.take() };
        println!("{}", serde_json::to_string(&memory)?);
    }
    Ok(())
}

/// What a gateway has allocated, in bytes.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Memory {
    pub(crate) now: usize,
    /// At most since the last look.
    pub(crate) peak: usize,
    /// Of the copies of sources, at most since the last look, as the gateway estimates it.
    pub(crate) copies: usize,
}

/// The process, from outside.
pub(crate) struct Gateway {
    child: Child,
    /// Host and port.
    pub(crate) address: String,
}

impl Gateway {
    pub(crate) async fn start(setup: &Setup) -> Result<Self> {
        let mut child = Child::start(Command::new(std::env::current_exe()?).arg(GATEWAY))?;
        child.say(&serde_json::to_string(setup)?).await?;
        let address = child.hear().await?;
        Ok(Gateway { child, address })
    }

    pub(crate) async fn memory(&mut self) -> Result<Memory> {
        self.child.say("memory").await?;
        Ok(serde_json::from_str(&self.child.hear().await?)?)
    }

    /// What it used until now.
    pub(crate) fn usage(&self) -> Result<Usage> {
        self.child.usage()
    }
}

/// With the default limits of copies, and nothing else remembered.
pub(crate) fn plain(sources: &str) -> Setup {
    let keep_ms = SnapshotLimits::default().keep.as_millis() as u64;
    Setup { sources: sources.to_owned(), keep_ms, remembers: false }
}
