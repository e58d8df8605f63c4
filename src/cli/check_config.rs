//! `check-config`: all mistakes at once, or what is in effect.

use super::failure::Failure;
use super::output::{complain, say};
use super::{ConfigArguments, listen};
use clap::Args;
use std::process::ExitCode;

#[derive(Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigArguments,
    /// Print the settings in effect, without secrets
    #[arg(long)]
    print: bool,
}

pub(super) fn run(options: Options) -> Result<ExitCode, Failure> {
    let configuration = options.config.load()?;
    for warning in &configuration.loaded.warnings {
        complain(&format!("warning: {warning}"));
    }
    let config = &configuration.loaded.value;
    if listen::guard(config.listen, false).is_err() {
        let listen = config.listen;
        complain(&format!(
            "warning: listen: {listen} is beyond this machine; serve needs --allow-unauthenticated-access."
        ));
    }
    let names: Vec<&str> = config.sources.iter().map(|(name, _)| name.as_str()).collect();
    let (name, count) = (&configuration.name, names.len());
    let sources = if count == 1 { "1 source".to_owned() } else { format!("{count} sources") };
    let summary = format!("{name} is correct: {sources} ({}).", names.join(", "));
    if options.print {
        complain(&summary);
        say(&configuration.loaded.settings.print())?;
    } else {
        say(&format!("{summary}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}
