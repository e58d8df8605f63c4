//! The simulated systems of all five vendors, in a process of their own: connections are kept open, quotas are not strict,
//! and the parent may ask how many calls came and set how long the answers of one take.

use crate::child::Child;
use crate::{Result, SANDBOXES};
use incident_gateway::sandbox::{Sandbox, SandboxOptions, Vendor};
use std::io::{BufRead, stdin};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::process::Command;

/// Serves until standard input ends. The first line out is the gateway's configuration of the sources, as a JSON text; then
/// one line out for each line in: `calls` is answered by their numbers, `latency <index> <microseconds>` by `0`.
pub(crate) fn run(incidents: usize) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    // One vendor's signatures hold for a while only.
    let now = chrono::Utc::now();
    let (mut sandboxes, mut config) = (Vec::new(), String::new());
    for vendor in Vendor::ALL {
        let sandbox =
            Sandbox::new(SandboxOptions { vendor, incidents, now, keep_alive: true, ..SandboxOptions::default() });
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        config.push_str(&format!("[sources.{vendor}]\nvendor = \"{vendor}\"\nurl = \"http://{address}/\"\n"));
        for (name, value) in settings(vendor, &sandbox) {
            config.push_str(&format!("{name} = \"{value}\"\n"));
        }
        let served = sandbox.clone();
        runtime.spawn(async move { served.serve(listener, std::future::pending()).await });
        sandboxes.push(sandbox);
    }
    println!("{}", serde_json::to_string(&config)?);
    for line in stdin().lock().lines() {
        let line = line?;
        let mut words = line.split(' ').skip(1).map(str::parse::<usize>);
        match (words.next(), words.next()) {
            (Some(index), Some(micros)) => {
                let sandbox = sandboxes.get(index?).ok_or("there is no such sandbox")?;
                sandbox.set_latency(Duration::from_micros(micros? as u64));
                println!("0");
            }
            _ => println!("{}", serde_json::to_string(&sandboxes.iter().map(Sandbox::call_count).collect::<Vec<_>>())?),
        }
    }
    Ok(())
}

/// What the source is configured with. A key that signs may sign a request only once, but the floor repeats requests: so the
/// key of Cortex Xpanse is the plain one.
fn settings(vendor: Vendor, sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    match vendor {
        Vendor::CortexXpanse => {
            let seed = SandboxOptions::default().seed;
            vec![("api_key", format!("sandbox-standard-key-{seed}")), ("api_key_id", "1".to_owned())]
        }
        _ => sandbox.secrets(),
    }
}

/// The process, from outside.
pub(crate) struct Sandboxes {
    child: Child,
    /// The table `sources` of the gateway's configuration.
    pub(crate) config: String,
}

impl Sandboxes {
    pub(crate) async fn start(incidents: usize) -> Result<Self> {
        let mut child = Child::start(Command::new(std::env::current_exe()?).arg(SANDBOXES).arg(incidents.to_string()))?;
        let config = serde_json::from_str(&child.hear().await?)?;
        Ok(Sandboxes { child, config })
    }

    /// How many calls came at each since the start.
    pub(crate) async fn calls(&mut self) -> Result<Vec<u64>> {
        self.child.say("calls").await?;
        Ok(serde_json::from_str(&self.child.hear().await?)?)
    }

    /// How long each answer of one vendor takes from now on.
    pub(crate) async fn set_latency(&mut self, vendor: Vendor, latency: Duration) -> Result<()> {
        self.child.say(&format!("latency {} {}", vendor as usize, latency.as_micros())).await?;
        self.child.hear().await?;
        Ok(())
    }
}
