//! `serve`: the gateway over the configured sources.

use super::failure::{Failure, UNFINISHED};
use super::load::Configuration;
use super::output::say;
use super::{AccessArguments, ConfigArguments, LogArguments, listen, start_log, stop};
use crate::app::{App, Surroundings, reachable};
use crate::server::{self, Stopped};
use crate::telemetry::life;
use clap::Args;
use std::future::Future;
use std::net::SocketAddr;
use std::process::ExitCode;
use tokio::net::TcpListener;

#[derive(Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigArguments,
    /// Where to listen, as in 127.0.0.1:8080; port 0 takes a free one [default: as configured]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = listen::parse)]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    access: AccessArguments,
}

pub(super) async fn run(log: LogArguments, options: Options) -> Result<ExitCode, Failure> {
    let Configuration { loaded, name } = options.config.load()?;
    let config = loaded.value;
    start_log(log, config.log.level, config.log.format);
    for warning in &loaded.warnings {
        life::warned(format_args!("{name}: {warning}"));
    }
    let wanted = options.listen.unwrap_or(config.listen);
    listen::guard(wanted, options.access.allow_unauthenticated_access)?;
    let stop = stop::asked()?;
    let (listener, address) = listen::bind(wanted).await?;
    let names: Vec<String> = config.sources.iter().map(|(name, _)| name.to_string()).collect();
    let surroundings = Surroundings::of_process(config.data_dir.clone(), address);
    let app = App::new(config, surroundings).map_err(|error| Failure::failed(error.to_string()))?;
    if app.forgets_cursors() {
        life::warned(
            "cursors and download links end with this process, as neither data_dir nor cursor_key is set; see docs/CONFIG.md",
        );
    }
    let open = listen::notice(address).map(|notice| format!("{notice}\n")).unwrap_or_default();
    say(&format!("Incident Gateway at {}/graphql, sources: {}\n{open}", reachable(address), names.join(", ")))?;
    finish(app, listener, stop).await
}

/// Serves until told to stop.
pub(super) async fn finish(
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<ExitCode, Failure> {
    let address = listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
    life::listening(&address);
    app.look_at_sources();
    let stopped = server::serve(listener, app.router(), app.readiness(), stop, app.server_options()).await;
    life::stopped(stopped == Stopped::Finished);
    Ok(match stopped {
        Stopped::Finished => ExitCode::SUCCESS,
        Stopped::Overrun => ExitCode::from(UNFINISHED),
    })
}
