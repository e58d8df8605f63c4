//! 100 incidents of five sources with what belongs to them, against the floor of the same calls.

use crate::connection::{Connection, post};
use crate::floor::Floor;
use crate::gateway::{Setup, plain};
use crate::pages::ready;
use crate::record::Recorder;
use crate::sandboxes::Sandboxes;
use crate::{Effort, Result};
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// As A in the benchmark of the load.
const QUERY: &str =
    "{ incidents(first: 100) { sources { status upstreamCalls } nodes { id title severity status createdAt
    owners { id name kind }
    assets(first: 100) { nodes { id name description } }
    threats(first: 100) { nodes { id name description } } } } }";

/// An hour: copies are there as long as is measured.
const KEEP_MS: u64 = 3_600_000;

/// Requests in one turn. Each asks EventLog Analyzer for some 20 incidents, one by one, and its simulation, however lenient, takes
/// 6,000 calls a minute from all turns together.
const MOST_REQUESTS: u32 = 12;

/// Requests, one after the other, for so long or so many: how many, and how long they took together.
async fn load(address: &str, request: &[u8], time: Duration) -> Result<(f64, f64)> {
    let mut connection = Connection::open(address).await?;
    let (began, mut done) = (Instant::now(), 0_u32);
    while began.elapsed() < time && done < MOST_REQUESTS {
        connection.ask(request).await?;
        done += 1;
    }
    Ok((f64::from(done), began.elapsed().as_secs_f64()))
}

/// The table: gateway and floor take turns; of the rounds the mean is told for processor time, else the median.
pub(crate) async fn measure(sandboxes: &Sandboxes, effort: &Effort) -> Result<String> {
    let recorder = Recorder::start(&sandboxes.config).await?;
    let through = Setup { keep_ms: KEEP_MS, ..plain(&recorder.config) };
    let (_recorded, mut client) = ready(&through).await?;
    client.ask(QUERY, json!({})).await?;
    recorder.take();
    let (answer, bytes, _) = client.ask(QUERY, json!({})).await?;
    let waves = recorder.take();
    let nodes = answer["incidents"]["nodes"].as_array().map_or(0, Vec::len);
    if nodes != 100 || waves.is_empty() {
        return Err(format!("{nodes} incidents by {} waves of calls", waves.len()).into());
    }

    let floor = Floor::start(&waves).await?;
    let (gateway, mut client) = ready(&Setup { keep_ms: KEEP_MS, ..plain(&sandboxes.config) }).await?;
    client.ask(QUERY, Value::Null).await?;
    let body = json!({ "query": QUERY }).to_string();
    let mut figures: [Vec<(f64, f64)>; 2] = Default::default();
    // The first round warms up and is not counted.
    for round in 0..=effort.rounds {
        let mut turns = [0, 1];
        turns.rotate_left(round % 2);
        for subject in turns {
            let address = [&gateway.address, &floor.address][subject];
            let used = || if subject == 0 { gateway.usage() } else { floor.usage() };
            let before = used()?.cpu;
            let (done, took) = load(address, &post(address, "/graphql", &body), effort.load).await?;
            if round > 0 {
                figures[subject].push(((used()?.cpu - before) / done * 1e3, took / done * 1e3));
            }
        }
    }
    let calls: usize = waves.iter().map(Vec::len).sum();
    let [(cpu, ms), (floor_cpu, floor_ms)] = figures.map(|all| (mean(&all), median(&all, |one| one.1)));
    let mut out = String::from(
        "| calls | waves | KB | CPU ms | floor's CPU ms | ratio | ms | floor's ms |\n|---|---|---|---|---|---|---|---|\n",
    );
    let (ratio, kb, waves) = (cpu / floor_cpu, bytes / 1_000, waves.len());
    let _ = writeln!(
        out,
        "| {calls} | {waves} | {kb} | {cpu:.2} | {floor_cpu:.2} | **{ratio:.1}×** | {ms:.1} | {floor_ms:.1} |"
    );
    Ok(out)
}

/// Of processor time: the system counts it in steps that are long for so few requests, and their sum has few of them.
fn mean(all: &[(f64, f64)]) -> f64 {
    all.iter().map(|one| one.0).sum::<f64>() / all.len().max(1) as f64
}

fn median(all: &[(f64, f64)], value: impl Fn(&(f64, f64)) -> f64) -> f64 {
    let mut values: Vec<f64> = all.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
