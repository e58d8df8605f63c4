//! `sandbox`: only the simulated incident system.

use super::failure::Failure;
use super::output::say;
use super::{AccessArguments, LogArguments, listen, start_log, stop};
use crate::app::reachable;
use crate::sandbox::{Fault, Release, Sandbox, SandboxOptions, Vendor};
use crate::telemetry::{LogFormat, LogLevel, life};
use chrono::{DateTime, Utc};
use clap::Args;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

/// Most incidents that sandboxes are asked to hold; a million take about 3 GB of one vendor, 6.5 GB spread over all five.
pub(super) const MAX_INCIDENTS: usize = 1_000_000;
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);

#[derive(Args)]
pub(super) struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = listen::parse, default_value_t = DEFAULT_LISTEN)]
    listen: SocketAddr,
    #[command(flatten)]
    access: AccessArguments,
    /// Whose API is simulated: ciso-assistant, eventlog-analyzer, adversarial, kaspersky-xdr or cortex-xpanse
    #[arg(long, default_value_t = Vendor::default())]
    vendor: Vendor,
    /// Keep the vendor's own limits of requests per minute; otherwise they are a hundredfold
    #[arg(long)]
    strict_limits: bool,
    /// Another number makes other incidents
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many incidents there are at the start
    #[arg(long, default_value_t = 500, value_parser = incidents)]
    incidents: usize,
    /// What the simulated clock shows at the start, as in 2026-11-16T09:00:00Z; always the same unless given
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<DateTime<Utc>>,
    /// Milliseconds added to every answer
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=600_000))]
    latency: u64,
    /// Something that goes wrong, as in 503, slow:200 or 503@/api/threats/*3; may be repeated
    ///
    /// PATH is the beginning of the paths that it happens at, TIMES how often. Kinds: a status of 400 to 599, 429:SECONDS,
    /// html:STATUS, cut, garbage, empty, content-type, slow:MS, hang, expired, redirect, malformed, drip.
    #[arg(long, value_name = "KIND[@PATH][*TIMES]")]
    fault: Vec<Fault>,
    /// Simulated release of CISO Assistant: 3.15.1 or 3.20.8
    #[arg(long, default_value_t = Release::default())]
    release: Release,
}

/// `--incidents`.
pub(super) fn incidents(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| *count <= MAX_INCIDENTS);
    count.ok_or_else(|| format!("a whole number up to {MAX_INCIDENTS} is needed"))
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    text.parse().map_err(|_| "a time with its zone is needed, as in 2026-11-16T09:00:00Z".to_owned())
}

pub(super) async fn run(log: LogArguments, options: Options) -> Result<ExitCode, Failure> {
    start_log(log, LogLevel::Warn, LogFormat::Text);
    listen::guard(options.listen, options.access.allow_unauthenticated_access)?;
    let stop = stop::asked()?;
    let (listener, address) = listen::bind(options.listen).await?;
    let defaults = SandboxOptions::default();
    let sandbox = Sandbox::new(SandboxOptions {
        vendor: options.vendor,
        strict_limits: options.strict_limits,
        seed: options.seed,
        incidents: options.incidents,
        now: options.now.unwrap_or(defaults.now),
        release: options.release,
        latency: Duration::from_millis(options.latency),
        faults: options.fault,
        ..defaults
    });
    let open = listen::notice(address).map(|notice| format!("\nCareful: {notice}.\n")).unwrap_or_default();
    let url = reachable(address);
    let welcome = match options.vendor {
        Vendor::CisoAssistant => welcome(&sandbox, &url, options.incidents, options.release),
        vendor => introduction(&sandbox, &url, options.incidents, vendor),
    };
    say(&format!("{welcome}{open}"))?;
    let served = sandbox.serve(listener, stop).await;
    served.map_err(|error| Failure::failed(format!("Serving on {address} failed ({error}).")))?;
    life::stopped(true);
    Ok(ExitCode::SUCCESS)
}

/// What a gateway has to be configured with.
fn introduction(sandbox: &Sandbox, url: &str, incidents: usize, vendor: Vendor) -> String {
    let settings = sandbox.secrets().into_iter().map(|(name, value)| format!("  {name} = \"{value}\"\n"));
    let settings: String = settings.collect();
    format!(
        "Sandbox: {vendor}, simulated, {incidents} incidents.\n\n  URL       {url}/\n\nA source of a gateway that reads it:\n\n  \
         [sources.sandbox]\n  vendor = \"{vendor}\"\n  url = \"{url}/\"\n{settings}\nStop with Ctrl-C.\n"
    )
}

fn welcome(sandbox: &Sandbox, url: &str, incidents: usize, release: Release) -> String {
    let token = sandbox.token();
    let mut text = format!(
        "Sandbox: CISO Assistant {release}, simulated, {incidents} incidents.\n\n  URL       {url}/\n  Token     {token}\n"
    );
    for (index, account) in sandbox.accounts().iter().enumerate() {
        let label = if index == 0 { "Accounts" } else { "" };
        text.push_str(&format!("  {label:<9} {:<28} {:<24} {}\n", account.email, account.password, account.token));
    }
    let curl = format!("curl '{url}/api/incidents/?limit=1' -H 'Authorization: Token {token}'");
    text.push_str(&format!(
        "\nAn account is its e-mail, password and token. A first call:\n\n  {curl}\n\nStop with Ctrl-C.\n"
    ));
    text
}
