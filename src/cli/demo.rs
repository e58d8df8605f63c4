//! `demo`: sandbox and gateway in one process, for a first look. The gateway reaches the sandbox over a socket, like any
//! other source.

use super::failure::Failure;
use super::output::say;
use super::{AccessArguments, LogArguments, listen, serve, start_log, stop};
use crate::app::{App, Surroundings, reachable};
use crate::config::Config;
use crate::sandbox::{Sandbox, SandboxOptions};
use crate::secret::Secret;
use crate::telemetry::{LogFormat, LogLevel};
use clap::Args;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use url::Url;

#[derive(Args)]
pub(super) struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = listen::parse, default_value_t = Config::LISTEN)]
    listen: SocketAddr,
    #[command(flatten)]
    access: AccessArguments,
    /// A name under which others reach it, as gateway.example or 192.0.2.7, beside localhost; may be repeated
    #[arg(long, value_name = "HOST")]
    public_host: Vec<String>,
    /// How many incidents there are
    #[arg(long, default_value_t = 500, value_parser = super::sandbox::incidents)]
    incidents: usize,
    /// Another number makes other incidents
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What a newcomer would ask first.
const FIRST_QUERY: &str = "{ incidents(first: 3) { nodes { title severity status assets { nodes { name } } } } }";

pub(super) async fn run(log: LogArguments, options: Options) -> Result<ExitCode, Failure> {
    // Quiet by default: what a newcomer should read is on standard output.
    start_log(log, LogLevel::Warn, LogFormat::Text);
    listen::guard(options.listen, options.access.allow_unauthenticated_access)?;
    let stop = stop::asked()?;
    let (listener, address) = listen::bind(options.listen).await?;
    let (sandbox_listener, sandbox_address) = listen::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let Options { incidents, seed, public_host, .. } = options;
    let now = chrono::Utc::now();
    let sandbox = Sandbox::new(SandboxOptions { seed, incidents, now, ..SandboxOptions::default() });
    let token = Secret::from(sandbox.token().to_owned());
    let sandbox_url = format!("http://{sandbox_address}/");
    let mut config = Config::of_sandbox(Url::parse(&sandbox_url).expect("an address and a slash are a URL"), token);
    config.server.public_hosts = public_host;
    let app = App::new(config, Surroundings::of_process(None, address));
    let app = app.map_err(|error| Failure::failed(error.to_string()))?;
    // Ends with the process: requests in flight at the gateway still need it after being told to stop.
    tokio::spawn(async move { sandbox.serve(sandbox_listener, std::future::pending()).await });
    say(&welcome(address, &sandbox_url, incidents))?;
    serve::finish(app, listener, stop).await
}

fn welcome(address: SocketAddr, sandbox: &str, incidents: usize) -> String {
    let gateway = reachable(address);
    let open = listen::notice(address).map(|notice| format!("\nCareful: {notice}.\n")).unwrap_or_default();
    format!(
        r#"Incident Gateway, demonstration: {incidents} made-up incidents in a simulated CISO Assistant.

  GraphQL   {gateway}/graphql
  Schema    {gateway}/schema.graphql
  Sources   demo (simulated CISO Assistant at {sandbox})

A first query:

  curl {gateway}/graphql -H 'Content-Type: application/json' -d '{{"query":"{FIRST_QUERY}"}}'
{open}
Stop with Ctrl-C.
"#
    )
}
