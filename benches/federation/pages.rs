//! The list of all five: its first page, page 100, the whole walk; calls, and memory meanwhile.

use crate::gateway::{Gateway, Memory, Setup, plain};
use crate::list::{Client, List, Page, at};
use crate::memory::mib;
use crate::sandboxes::Sandboxes;
use crate::{Effort, Result};
use incident_gateway::sandbox::Vendor;
use serde_json::json;
use std::fmt::Write;
use std::time::Duration;

/// What a source is asked about before anything is measured, so that it is known and logged in to.
const HELLO: &str = "{ sources { name capabilities { orderBy } health { status } } }";

/// A gateway that has spoken to its sources.
pub(crate) async fn ready(setup: &Setup) -> Result<(Gateway, Client)> {
    let gateway = Gateway::start(setup).await?;
    let mut client = Client::open(&gateway.address).await?;
    client.ask(HELLO, json!({})).await?;
    Ok((gateway, client))
}

fn row(out: &mut String, what: &str, pages: &[Page]) {
    let times: Vec<Duration> = pages.iter().map(|page| page.took).collect();
    let calls = |index: usize| {
        let each = pages.iter().map(|page| page.calls[index]);
        let (sum, most) = (each.clone().sum::<u64>(), each.max().unwrap_or_default());
        format!("{:.2} (≤ {most})", sum as f64 / pages.len().max(1) as f64)
    };
    let calls: Vec<String> = (0..Vendor::ALL.len()).map(calls).collect();
    let (middle, high) = (at(&times, 0.5), at(&times, 0.95));
    let _ = writeln!(out, "| {what} | {middle:.1} | {high:.1} | {} |", calls.join(" | "));
}

/// The tables.
pub(crate) async fn measure(sandboxes: &mut Sandboxes, effort: &Effort) -> Result<String> {
    let mut out = String::from("| | p50 ms | p95 ms |");
    for vendor in Vendor::ALL {
        let _ = write!(out, " calls: {vendor} |");
    }
    out.push_str("\n|---|---|---|---|---|---|---|---|\n");
    let list = List::default();
    let cold = Setup { keep_ms: 0, ..plain(&sandboxes.config) };
    let (_gateway, mut client) = ready(&cold).await?;
    let mut pages = Vec::new();
    for _ in 0..effort.cold {
        pages.push(client.page(&list, None).await?);
    }
    row(&mut out, "first page, cold", &pages);

    let (_gateway, mut client) = ready(&plain(&sandboxes.config)).await?;
    let walk = client.walk(&list, 100).await?;
    let (mut first, mut hundredth) = (Vec::new(), Vec::new());
    // The page before it tells where it begins.
    let after = walk.get(98).and_then(|page| page.next.clone());
    for _ in 0..effort.warm {
        first.push(client.page(&list, None).await?);
        hundredth.push(client.page(&list, after.as_deref()).await?);
    }
    row(&mut out, "first page, warm", &first);
    if after.is_some() {
        row(&mut out, "page 100", &hundredth);
    }
    let (text, memory) = walks(sandboxes, &list).await?;
    out.push_str(&text);
    out.push_str(&memory);
    Ok(out)
}

/// Whole walks, with everything as it is by default, in an order that two sources have and in one that none has.
async fn walks(sandboxes: &mut Sandboxes, list: &List) -> Result<(String, String)> {
    let mut rows = String::new();
    let mut out = String::from(
        "\n| Walk | pages | rows | s | idle MiB | most above idle | copies, estimated | the rest |\n|---|---|---|---|---|---|---|---|\n",
    );
    let due = List { order: json!({ "field": "DUE_AT", "direction": "ASC" }), ..List::default() };
    for (name, list) in [("newest first", list), ("by due time", &due)] {
        let setup = Setup { remembers: true, ..plain(&sandboxes.config) };
        let (mut gateway, mut client) = ready(&setup).await?;
        let idle = gateway.memory().await?;
        let before = sandboxes.calls().await?;
        let pages = client.walk(list, usize::MAX).await?;
        let made = sandboxes.calls().await?.iter().sum::<u64>() - before.iter().sum::<u64>();
        let told: u64 = pages.iter().flat_map(|page| &page.calls).sum();
        if made != told {
            return Err(format!("the sources were called {made} times, the reports say {told}").into());
        }
        let Memory { peak, copies, .. } = gateway.memory().await?;
        row(&mut rows, &format!("whole walk, {name}"), pages.get(1..).unwrap_or_default());
        let (read, took) =
            (pages.iter().map(|page| page.rows).sum::<usize>(), pages.iter().map(|page| page.took).sum::<Duration>());
        let above = peak.saturating_sub(idle.now);
        let (pages, whole) = (pages.len(), pages.iter().all(|page| page.whole));
        let short = if whole { "" } else { " (truncated)" };
        let _ = writeln!(
            out,
            "| {name} | {pages} | {read}{short} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} |",
            took.as_secs_f64(),
            mib(idle.now),
            mib(above),
            mib(copies),
            mib(above.saturating_sub(copies)),
        );
    }
    Ok((rows, out))
}
