//! `demo`: sandboxes and gateway in one process, for a first look. The gateway reaches the sandboxes over sockets, like any
//! other source.

use super::failure::Failure;
use super::output::say;
use super::sandbox::MAX_INCIDENTS;
use super::{AccessArguments, LogArguments, listen, serve, start_log, stop};
use crate::app::{App, Surroundings, reachable};
use crate::config::{Config, SandboxSource};
use crate::sandbox::{Sandbox, SandboxOptions, Vendor};
use crate::telemetry::{LogFormat, LogLevel};
use clap::Args;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use tokio::net::TcpListener;
use url::Url;

#[derive(Args)]
pub(super) struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = listen::parse, default_value_t = Config::LISTEN)]
    listen: SocketAddr,
    #[command(flatten)]
    access: AccessArguments,
    /// A name under which others reach it, as gateway.example or 192.0.2.7, beside localhost; may be repeated
    #[arg(long, value_name = "HOST", value_parser = listen::parse_host)]
    public_host: Vec<String>,
    /// Simulate only this vendor's system, and not all: ciso-assistant, eventlog-analyzer, adversarial, kaspersky-xdr or
    /// cortex-xpanse; may be repeated
    #[arg(long)]
    vendor: Vec<Vendor>,
    /// Keep the vendors' own limits of requests per minute; otherwise they are a hundredfold
    #[arg(long)]
    strict_limits: bool,
    /// How many incidents there are in each system
    #[arg(long, default_value_t = 500, value_parser = super::sandbox::incidents)]
    incidents: usize,
    /// Another number makes other incidents
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also print the sources as a configuration, with the credentials that the systems take: to call these directly
    #[arg(long)]
    print_config: bool,
}

/// How many times the documented calls per minute the systems allow, so that nobody who tries them has to wait.
const LENIENCY: u32 = 100;

/// What a newcomer would ask first.
const FIRST_QUERY: &str =
    "{ incidents(first: 5) { nodes { title status source { name } } sources { source { name } status totalCount } } }";

pub(super) async fn run(log: LogArguments, options: Options) -> Result<ExitCode, Failure> {
    // Quiet by default: what a newcomer should read is on standard output.
    start_log(log, LogLevel::Warn, LogFormat::Text);
    listen::guard(options.listen, options.access.allow_unauthenticated_access)?;
    let stop = stop::asked()?;
    let (listener, address) = listen::bind(options.listen).await?;
    let systems = simulate(&options).await?;
    let sources: Vec<_> = systems.iter().map(System::source).collect();
    let config = Config::of_sandboxes(&sources, if options.strict_limits { 1 } else { LENIENCY });
    let mut config = config.map_err(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        Failure::failed(format!("The demonstration cannot be configured: {}", mistakes.join(" ")))
    })?;
    config.server.public_hosts.clone_from(&options.public_host);
    let app = App::new(config, Surroundings::of_process(None, address));
    let app = app.map_err(|error| Failure::failed(error.to_string()))?;
    say(&welcome(address, &systems, &options))?;
    // Ends with the process: requests in flight at the gateway still need them after being told to stop.
    for System { sandbox, listener, .. } in systems {
        tokio::spawn(async move { sandbox.serve(listener, std::future::pending()).await });
    }
    serve::finish(app, listener, stop).await
}

/// One simulated system, and where it is about to be served. The source is called like its vendor.
struct System {
    vendor: Vendor,
    url: Url,
    sandbox: Sandbox,
    listener: TcpListener,
}

impl System {
    fn source(&self) -> SandboxSource<'_> {
        let (word, settings) = (self.vendor.word(), self.sandbox.secrets());
        SandboxSource { name: word, vendor: word, url: &self.url, settings }
    }
}

async fn simulate(options: &Options) -> Result<Vec<System>, Failure> {
    let vendors = wanted(&options.vendor);
    let (each, count) = (options.incidents, vendors.len());
    if each.saturating_mul(count) > MAX_INCIDENTS {
        return Err(Failure::mistake(format!(
            "--incidents {each} for each of {count} systems is more than {MAX_INCIDENTS} together. Give fewer, or name fewer \
             systems with --vendor."
        )));
    }
    let now = chrono::Utc::now();
    let mut systems = Vec::with_capacity(count);
    for vendor in vendors {
        let (listener, address) = listen::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let Options { incidents, seed, strict_limits, .. } = *options;
        let sandbox =
            Sandbox::new(SandboxOptions { vendor, seed, incidents, now, strict_limits, ..SandboxOptions::default() });
        let url = Url::parse(&format!("http://{address}/")).expect("an address and a slash are a URL");
        systems.push(System { vendor, url, sandbox, listener });
    }
    Ok(systems)
}

/// Those that were named, each once, in the order in which they are listed everywhere; all if none was.
fn wanted(named: &[Vendor]) -> Vec<Vendor> {
    Vendor::ALL.into_iter().filter(|vendor| named.is_empty() || named.contains(vendor)).collect()
}

fn welcome(address: SocketAddr, systems: &[System], options: &Options) -> String {
    let gateway = reachable(address);
    let open = listen::notice(address).map(|notice| format!("\nCareful: {notice}.\n")).unwrap_or_default();
    let (count, incidents) = (systems.len(), options.incidents);
    let what = match systems {
        [System { vendor, .. }] => format!("a simulated {vendor} with {incidents} made-up incidents"),
        _ => format!("{count} simulated systems with {incidents} made-up incidents each"),
    };
    let width = systems.iter().map(|system| system.vendor.word().len()).max().unwrap_or_default();
    let listed = systems.iter().map(|System { vendor, url, .. }| format!("{:<width$}  {url}", vendor.word()));
    let sources = listed.collect::<Vec<_>>().join("\n            ");
    let config = if options.print_config { configuration(systems) } else { String::new() };
    let limits = match options.strict_limits {
        true => "the vendors' own requests per minute, so that some answers take their time",
        false => "a hundredfold of the vendors' requests per minute; --strict-limits keeps theirs",
    };
    format!(
        r#"Incident Gateway, demonstration: {what}.

  GraphiQL  {gateway}/
  GraphQL   {gateway}/graphql
  Schema    {gateway}/schema.graphql
  Sources   {sources}
  Limits    {limits}

A first query:

  curl {gateway}/graphql -H 'Content-Type: application/json' -d '{{"query":"{FIRST_QUERY}"}}'
{config}{open}
Stop with Ctrl-C.
"#
    )
}

/// The sources as a gateway of its own would have them.
fn configuration(systems: &[System]) -> String {
    let tables = systems.iter().map(|System { vendor, url, sandbox, .. }| {
        let table = format!("[sources.{vendor}]\nvendor = \"{vendor}\"\nurl = \"{url}\"\n");
        let settings = sandbox.secrets().into_iter().map(|(name, value)| format!("{name} = \"{value}\"\n"));
        format!("{table}{}\n", settings.collect::<String>())
    });
    format!("\nThe sources, as a configuration:\n\n{}", tables.collect::<String>())
}
