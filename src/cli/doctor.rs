//! `doctor`: each source asked how it is.

use super::failure::{Failure, UNWELL};
use super::load::Configuration;
use super::output::{complain, say};
use super::{ConfigArguments, LogArguments, start_log};
use crate::app::{App, Surroundings};
use crate::domain::{SourceName, SourceStatus, Vocabulary};
use crate::source::{Probe, SourceInfo};
use crate::telemetry::LogLevel;
use clap::Args;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Clocks further apart than this are worth a remark, in milliseconds: times of incidents then look wrong.
const CLOCK_REMARK_MS: f64 = 60_000.0;
/// Sources tell their time to the second, and the answer took a while: less than this is no difference, in milliseconds.
const CLOCK_RESOLUTION_MS: f64 = 1_500.0;

#[derive(Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigArguments,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// One source and what was found.
struct Finding {
    info: SourceInfo,
    probe: Probe,
}

pub(super) async fn run(log: LogArguments, options: Options) -> Result<ExitCode, Failure> {
    let Configuration { loaded, name } = options.config.load()?;
    // What goes wrong is told below; the log has the sources' own words for who wants them.
    start_log(log, LogLevel::Error, loaded.value.log.format);
    for warning in &loaded.warnings {
        complain(&format!("warning: {name}: {warning}"));
    }
    let config = loaded.value;
    let names: Vec<SourceName> = config.sources.iter().map(|(name, _)| name.clone()).collect();
    // Nothing is signed here: a doctor only looks, and makes no file.
    let surroundings = Surroundings::of_process(None, config.listen);
    let app = App::new(config, surroundings).map_err(|error| Failure::failed(error.to_string()))?;
    let call = app.call("doctor");
    let findings = join_all(names.iter().map(|name| async {
        let source = app.federation().source(name)?;
        let (probe, _) = app.federation().probe(&call, name).await.0.ok()?;
        Some(Finding { info: source.info().clone(), probe })
    }));
    let findings: Vec<Finding> = findings.await.into_iter().flatten().collect();
    let well = findings.iter().all(Finding::is_well) && findings.len() == names.len();
    say(&if options.json { in_json(&findings, well) } else { in_text(&findings) })?;
    if !well && log.log_level.is_none() {
        complain("The log has the causes and the sources' own words: add --log-level warn.");
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(UNWELL) })
}

impl Finding {
    fn is_well(&self) -> bool {
        self.probe.status == SourceStatus::Ok
    }

    /// Whether anything answered.
    fn is_reachable(&self) -> bool {
        !matches!(self.probe.status, SourceStatus::Unavailable | SourceStatus::Timeout | SourceStatus::Skipped)
    }

    /// None where nothing answered that could tell.
    fn takes_credential(&self) -> Option<bool> {
        match self.probe.status {
            SourceStatus::Ok | SourceStatus::Stale | SourceStatus::Forbidden => Some(true),
            SourceStatus::Unauthenticated => Some(false),
            SourceStatus::RateLimited
            | SourceStatus::Malformed
            | SourceStatus::Unavailable
            | SourceStatus::Timeout
            | SourceStatus::Skipped => None,
        }
    }
}

fn in_json(findings: &[Finding], well: bool) -> String {
    let sources: Vec<Value> = findings.iter().map(one_in_json).collect();
    format!("{:#}\n", json!({ "ok": well, "sources": sources }))
}

fn one_in_json(finding: &Finding) -> Value {
    let Finding { info, probe } = finding;
    let notes: serde_json::Map<String, Value> = probe
        .notes
        .iter()
        .map(|(name, value)| (name.clone(), serde_json::from_str(value.as_str()).unwrap_or_default()))
        .collect();
    json!({
        "name": info.name.as_str(),
        "kind": info.kind.name(),
        "url": info.url,
        "ok": finding.is_well(),
        "status": probe.status.name(),
        "reachable": finding.is_reachable(),
        "credentialAccepted": finding.takes_credential(),
        "release": probe.version,
        "clockDifferenceMs": probe.clock_skew_ms,
        "latencyMs": probe.latency.as_micros() as f64 / 1_000.0,
        "error": probe.error.as_ref().map(|error| error.public().to_owned()),
        "notes": notes,
    })
}

fn in_text(findings: &[Finding]) -> String {
    findings.iter().map(one_in_text).collect::<Vec<_>>().join("\n")
}

fn one_in_text(finding: &Finding) -> String {
    let Finding { info, probe } = finding;
    let known = |value: Option<bool>| match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not known",
    };
    let clock = match probe.clock_skew_ms {
        None => "not known".to_owned(),
        Some(ms) if ms.abs() < CLOCK_RESOLUTION_MS => "none, to the second".to_owned(),
        Some(ms) if ms.abs() > CLOCK_REMARK_MS => format!("{:+.0} s (set one of the two clocks)", ms / 1_000.0),
        Some(ms) => format!("{:+.0} s", ms / 1_000.0),
    };
    let lines = [
        ("reachable", known(Some(finding.is_reachable())).to_owned()),
        ("credential accepted", known(finding.takes_credential()).to_owned()),
        ("release", probe.version.clone().unwrap_or_else(|| "not known".to_owned())),
        ("clock difference", clock),
        ("latency", format!("{:.0} ms", probe.latency.as_secs_f64() * 1_000.0)),
    ];
    let verdict = if finding.is_well() { "well" } else { "not well" };
    let mut text = format!("{} ({}): {verdict}\n", info.name, info.url);
    for (name, value) in lines {
        text.push_str(&format!("  {name:<20} {value}\n"));
    }
    for (name, value) in &probe.notes {
        text.push_str(&format!("  {name:<20} {}\n", value.as_str()));
    }
    if let Some(error) = &probe.error {
        text.push_str(&format!("  {}\n", error.public()));
    }
    text
}
