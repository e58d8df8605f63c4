//! The load benchmark: the gateway against the least that any gateway has to do. `docs/PERFORMANCE.md` tells what is
//! measured and what came out.
//!
//! `cargo bench --bench load`, with `-- --quick` for a short run and `-- --write` to put the result into the document.
//!
//! This process makes the load. The others are its children: the simulated incident system, the gateway as it is
//! released, and the floor. All on loopback.

#![forbid(unsafe_code)]

#[path = "../common/child.rs"]
mod child;
mod client;
#[path = "../common/connection.rs"]
mod connection;

mod floor;
mod process;
mod record;
mod report;
mod upstream;
#[path = "../common/waves.rs"]
mod waves;
mod work;

use client::{Sample, Target};
use process::{Floor, Gateway, Upstream};
use report::{Cell, Report};
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;
use work::WORK;

/// The gateway's own, so that the floor allocates as fast.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Time that the upstream takes for each answer where latency is measured.
const SLOW: Duration = Duration::from_millis(5);

/// How long everything takes.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    /// With 32 connections.
    many: Duration,
    /// With one connection.
    one: Duration,
}

const FULL: Effort = Effort { rounds: 5, many: Duration::from_millis(1_200), one: Duration::from_millis(500) };
const QUICK: Effort = Effort { rounds: 1, many: Duration::from_millis(400), one: Duration::from_millis(200) };

/// One way to measure.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Setting {
    connections: usize,
    latency: Duration,
}

const MANY: Setting = Setting { connections: 32, latency: Duration::ZERO };
const ONE: Setting = Setting { connections: 1, latency: Duration::ZERO };
const ONE_SLOW: Setting = Setting { connections: 1, latency: SLOW };

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [process::UPSTREAM] => upstream::run(),
        [process::FLOOR] => floor::run(),
        options => run(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The load benchmark failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &[&str]) -> Result<()> {
    let (mut effort, mut write) = (FULL, false);
    for option in options {
        match *option {
            "--quick" => effort = QUICK,
            "--write" => write = true,
            // Cargo adds it.
            "--bench" => {}
            other => return Err(format!("unknown option {other}; there are --quick and --write").into()),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(measure(effort))?;
    println!("{}\n{}", report.markdown(), report.json());
    if write { report.write() } else { Ok(()) }
}

/// Both subjects take turns in everything, so that what else the machine does falls on both.
async fn measure(effort: Effort) -> Result<Report> {
    let mut upstream = Upstream::start().await?;
    let plan = record::calls(&mut upstream).await?;
    let gateway = Gateway::start(&upstream.url, &upstream.token).await?;
    let floor = Floor::start(&upstream, &plan).await?;
    let subjects = [("gateway", &gateway.0), ("floor", &floor.0)];

    let mut report = Report::new(effort.rounds);
    // The first round warms up and is not counted.
    for round in 0..=effort.rounds {
        for setting in [MANY, ONE, ONE_SLOW] {
            upstream.set_latency(setting.latency).await?;
            for work in &WORK {
                let mut turns = subjects;
                if round % 2 == 1 {
                    turns.reverse();
                }
                for (name, subject) in turns {
                    let target = Target::new(subject, work);
                    let time = if setting == MANY { effort.many } else { effort.one };
                    let (before, calls) = (subject.usage()?, upstream.calls().await?);
                    let sample: Sample = client::load(&target, setting.connections, time).await?;
                    let cpu = subject.usage()?.cpu - before.cpu;
                    let calls = upstream.calls().await? - calls;
                    if round > 0 {
                        report.add((name, work.name, setting), Cell::new(&sample, cpu, calls));
                    }
                }
            }
        }
    }
    for (name, subject) in subjects {
        report.set_peak(name, subject.usage()?.peak_kb);
    }
    Ok(report)
}
