//! What it costs to make one list of five sources. `docs/PERFORMANCE.md` tells what is measured and what came out.
//!
//! `cargo bench --bench federation`, with `-- --quick` for a short run, `-- --write` to put the result into the document, and
//! with names of parts to measure those alone.
//!
//! This process makes the load. Its children: the simulated systems of all vendors, the gateway, and the floor, all on
//! loopback. The parts `rows` and `growth` run in this process.

#![forbid(unsafe_code)]

#[path = "../common/child.rs"]
mod child;
mod clients;
#[path = "../common/connection.rs"]
mod connection;

mod document;
mod floor;
mod gateway;
mod growth;
mod invented;
mod list;
mod memory;
mod nested;
mod pages;
mod plot;
mod record;
mod rows;
mod sandboxes;
mod slow;
#[path = "../common/waves.rs"]
mod waves;

use cap::Cap;
use mimalloc::MiMalloc;
use sandboxes::Sandboxes;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

/// The gateway's own, which counts. Counting costs two additions for each allocation, here and in the floor.
#[global_allocator]
static ALLOCATOR: Cap<MiMalloc> = Cap::new(MiMalloc, usize::MAX);

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What this program is told to be; see `main`.
const SANDBOXES: &str = "sandboxes";
const GATEWAY: &str = "gateway";
const FLOOR: &str = "floor";

/// What is measured, in this order.
const PARTS: [&str; 6] = ["pages", "slow", "nested", "clients", "rows", "growth"];

/// How long everything takes.
struct Effort {
    /// Of each source.
    incidents: usize,
    /// How often a first page is read without copies.
    cold: usize,
    /// And with them.
    warm: usize,
    rounds: usize,
    /// Of each subject in a round.
    load: Duration,
    clients: usize,
    /// How long they walk.
    crowd: Duration,
    /// Most incidents of a source where growth is measured.
    largest: u64,
}

const FULL: Effort = Effort {
    incidents: 10_000,
    cold: 3,
    warm: 21,
    rounds: 7,
    load: Duration::from_millis(1_500),
    clients: 200,
    crowd: Duration::from_secs(40),
    largest: 100_000,
};
const QUICK: Effort = Effort {
    incidents: 500,
    cold: 1,
    warm: 3,
    rounds: 1,
    load: Duration::from_millis(300),
    clients: 40,
    crowd: Duration::from_secs(3),
    largest: 1_000,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [SANDBOXES, incidents] => incidents.parse().map_err(Into::into).and_then(sandboxes::run),
        [GATEWAY] => gateway::run(),
        [FLOOR] => floor::run(),
        options => run(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The benchmark of the federation failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &[&str]) -> Result<()> {
    let (mut effort, mut write, mut parts) = (FULL, false, Vec::new());
    for option in options {
        match *option {
            "--quick" => effort = QUICK,
            "--write" => write = true,
            // Cargo adds it.
            "--bench" => {}
            part if PARTS.contains(&part) => parts.push(part),
            other => {
                let parts = PARTS.join(", ");
                return Err(format!("unknown option {other}; there are --quick, --write, {parts}").into());
            }
        }
    }
    if parts.is_empty() {
        parts.extend(PARTS);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(&parts, &effort, write))
}

async fn measure(parts: &[&str], effort: &Effort, write: bool) -> Result<()> {
    let mut sandboxes = Sandboxes::start(effort.incidents).await?;
    for part in parts {
        let tables = match *part {
            "pages" => pages::measure(&mut sandboxes, effort).await?,
            "slow" => slow::measure(&mut sandboxes, effort).await?,
            "nested" => nested::measure(&sandboxes, effort).await?,
            "clients" => clients::measure(&sandboxes, effort).await?,
            "rows" => rows::measure(&sandboxes).await?,
            _ => {
                let points = growth::measure(effort).await?;
                if write {
                    document::draw(&plot::svg(&points))?;
                }
                growth::table(&points)
            }
        };
        println!("### {part}\n\n{tables}");
        if write {
            document::write(part, &tables)?;
        }
    }
    Ok(())
}
