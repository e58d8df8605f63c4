//! The command line: arguments in, exit code out. Each command has a file; what they share is here, in `listen`, `load`,
//! `output` and `stop`.

mod check_config;
mod demo;
mod doctor;
mod failure;
mod health;
mod listen;
mod load;
mod output;
mod sandbox;
mod schema;
mod serve;
mod stop;

use crate::telemetry::{self, LogFormat, LogLevel, LogOptions};
use clap::{Args, Parser, Subcommand};
use failure::Failure;
use std::ffi::OsString;
use std::future::Future;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

/// What `--help` says below the options.
const EXIT_CODES: &str = "\
Exit codes:
  0  done, or stopped as asked
  1  failed; for doctor and health: something is not well
  2  a mistake on the command line or in the configuration
  3  the address to listen on is in use
  4  stopped before all requests were answered (after a second signal, or after server.stop_timeout_ms)

The configuration is described in docs/CONFIG.md.";

/// One GraphQL API over the incident systems that a security team already has.
#[derive(Parser)]
#[command(name = "incident-gateway", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Clone, Copy)]
struct LogArguments {
    /// The least important event that is logged: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL", display_order = 900)]
    log_level: Option<LogLevel>,
    /// How events are logged: text or json
    #[arg(long, global = true, value_name = "FORMAT", display_order = 901)]
    log_format: Option<LogFormat>,
}

#[derive(Subcommand)]
enum Command {
    /// Start a gateway over simulated incident systems, to try it out; needs nothing else
    Demo(demo::Options),
    /// Start the gateway
    Serve(serve::Options),
    /// Look for mistakes in the configuration and tell all of them
    CheckConfig(check_config::Options),
    /// Ask each configured source how it is
    Doctor(doctor::Options),
    /// Print the GraphQL schema
    Schema,
    /// Start only one simulated incident system
    Sandbox(sandbox::Options),
    /// Ask a running gateway whether it takes requests
    Health(health::Options),
}

/// Where the configuration is.
#[derive(Args)]
struct ConfigArguments {
    /// The configuration; without it, only the environment is read (INCIDENT_GATEWAY_…)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Who may reach a gateway.
#[derive(Args, Clone, Copy)]
struct AccessArguments {
    /// Listen beyond this machine although the gateway does not ask callers who they are
    #[arg(long)]
    allow_unauthenticated_access: bool,
}

/// Reads the arguments of this process and does what they say.
pub fn run() -> ExitCode {
    let Arguments { log, command } = Arguments::parse();
    let result = match command {
        Command::Demo(options) => blocking(demo::run(log, options)),
        Command::Serve(options) => blocking(serve::run(log, options)),
        Command::CheckConfig(options) => check_config::run(options),
        Command::Doctor(options) => blocking(doctor::run(log, options)),
        Command::Schema => schema::run(),
        Command::Sandbox(options) => blocking(sandbox::run(log, options)),
        Command::Health(options) => blocking(health::run(options)),
    };
    match result {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn blocking(work: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Runtime::new();
    let runtime = runtime.map_err(|error| Failure::failed(format!("No threads could be started ({error}).")))?;
    let result = runtime.block_on(work);
    // Whatever still runs was given its time; waiting for it could take for ever.
    runtime.shutdown_background();
    result
}

/// Starts logging; arguments go before what is given.
fn start_log(arguments: LogArguments, level: LogLevel, format: LogFormat) {
    let options = LogOptions {
        format: arguments.log_format.unwrap_or(format),
        level: arguments.log_level.unwrap_or(level),
        color: std::io::stderr().is_terminal() && takes_color(std::env::var_os),
    };
    // Fails only if logging was started before, and then it logs.
    let _ = telemetry::start(options);
}

/// Whether a terminal with these variables should be shown colours (no-color.org: any text in `NO_COLOR` says no).
fn takes_color(variable: impl Fn(&'static str) -> Option<OsString>) -> bool {
    let refused = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = variable("TERM").is_some_and(|term| term == "dumb");
    !refused && !dumb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_left_out_where_nobody_wants_them() {
        let with = |name: &'static str, value: &'static str| {
            takes_color(move |asked| (asked == name).then(|| OsString::from(value)))
        };
        assert!(with("TERM", "xterm") && with("NO_COLOR", ""));
        assert!(!with("NO_COLOR", "1") && !with("NO_COLOR", "0") && !with("TERM", "dumb"));
    }
}
