//! Many who walk different lists at once: the memory that they make the gateway take.

use crate::gateway::{Setup, plain};
use crate::list::{Client, List, at};
use crate::memory::mib;
use crate::pages::ready;
use crate::sandboxes::Sandboxes;
use crate::{Effort, Result};
use incident_gateway::domain::{IncidentOrderField, Vocabulary};
use incident_gateway::federation::SnapshotLimits;
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const WORDS: [&str; 10] =
    ["phishing", "server", "malware", "login", "data", "account", "exposed", "certificate", "suspicious", "vpn"];

/// A list of one's own: 200 in a row are all different.
fn list(number: usize) -> List {
    let orders = IncidentOrderField::WORDS;
    let direction = if (number / orders.len()).is_multiple_of(2) { "ASC" } else { "DESC" };
    let (word, kind) = (WORDS[number % WORDS.len()], number % 5);
    let day = format!("2026-0{}-{:02}T00:00:00Z", 1 + number % 9, 1 + number % 28);
    let (severity, status) = (["LOW", "MEDIUM", "HIGH", "CRITICAL"][number % 4], ["NEW", "CLOSED"][number % 2]);
    let filter: Value = match kind {
        0 => json!({ "search": word }),
        1 => json!({ "severity": [severity], "created": { "since": day } }),
        2 => json!({ "created": { "since": day } }),
        3 => json!({ "title": { "contains": word }, "updated": { "since": day } }),
        _ => json!({ "not": { "status": [status] }, "occurred": { "since": day } }),
    };
    List { filter, order: json!({ "field": orders[number % orders.len()].name, "direction": direction }) }
}

/// What one of them saw.
#[derive(Default)]
struct Seen {
    times: Vec<Duration>,
    rows: usize,
    short: usize,
    failed: usize,
    why: Option<String>,
}

/// Walks his list, again and again, until the time is over.
async fn walk(address: String, list: List, end: Instant) -> Result<Seen> {
    let mut client = Client::open(&address).await?;
    let (mut seen, mut after) = (Seen::default(), None::<String>);
    while Instant::now() < end {
        match client.page(&list, after.as_deref()).await {
            Ok(page) => {
                seen.times.push(page.took);
                seen.rows += page.rows;
                seen.short += usize::from(!page.whole);
                after = page.next;
            }
            Err(error) => {
                seen.failed += 1;
                seen.why = Some(error.to_string());
                (client, after) = (Client::open(&address).await?, None);
            }
        }
    }
    Ok(seen)
}

/// The table.
pub(crate) async fn measure(sandboxes: &Sandboxes, effort: &Effort) -> Result<String> {
    let setup = Setup { remembers: true, ..plain(&sandboxes.config) };
    let (mut gateway, _client) = ready(&setup).await?;
    let idle = gateway.memory().await?;
    let resident = gateway.usage()?.peak_kb;
    let (end, mut clients) = (Instant::now() + effort.crowd, JoinSet::new());
    for number in 0..effort.clients {
        clients.spawn(walk(gateway.address.clone(), list(number), end));
    }
    let mut all = Seen::default();
    while let Some(done) = clients.join_next().await {
        let seen = done??;
        all.times.extend(seen.times);
        all.rows += seen.rows;
        all.short += seen.short;
        all.failed += seen.failed;
        all.why = all.why.or(seen.why);
    }
    let memory = gateway.memory().await?;
    if let Some(why) = &all.why {
        eprintln!("Of the clients' requests {} failed, one of them so: {why}", all.failed);
    }
    let mut out = String::from(
        "| clients | pages | rows | truncated | failed | p50 ms | p95 ms | idle MiB | most above idle MiB | most copies | bound of copies | resident more |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let _ = writeln!(
        out,
        "| {} | {} | {} | {} | {} | {:.0} | {:.0} | {:.1} | **{:.1}** | {:.1} | {:.0} | {:.0} |",
        effort.clients,
        all.times.len(),
        all.rows,
        all.short,
        all.failed,
        at(&all.times, 0.5),
        at(&all.times, 0.95),
        mib(idle.now),
        mib(memory.peak.saturating_sub(idle.now)),
        mib(memory.copies),
        mib(SnapshotLimits::default().max_bytes),
        (gateway.usage()?.peak_kb.saturating_sub(resident)) as f64 / 1024.0,
    );
    Ok(out)
}
