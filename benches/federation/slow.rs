//! What slow sources cost: with copies that are there, and with copies that must be read first.

use crate::gateway::{Setup, plain};
use crate::list::{Client, List, at};
use crate::pages::ready;
use crate::sandboxes::Sandboxes;
use crate::{Effort, Result};
use incident_gateway::sandbox::Vendor;
use std::fmt::Write;
use std::time::Duration;

/// What an answer of the slow source takes, once copies are there.
const WARM: Duration = Duration::from_millis(100);
/// And where they must be read.
const COLD: Duration = Duration::from_millis(20);

/// The median of some first pages, in milliseconds, and the calls of the last one.
async fn first(client: &mut Client, list: &List, times: usize) -> Result<(f64, Vec<u64>)> {
    let (mut took, mut calls) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let page = client.page(list, None).await?;
        // Not all copies may have room; those of one source alone have.
        if page.rows < 100 {
            return Err(format!("a first page has {} rows", page.rows).into());
        }
        took.push(page.took);
        calls = page.calls;
    }
    Ok((at(&took, 0.5), calls))
}

/// The tables.
pub(crate) async fn measure(sandboxes: &mut Sandboxes, effort: &Effort) -> Result<String> {
    let mut out = warm(sandboxes, effort).await?;
    out.push_str(&cold(sandboxes, effort).await?);
    Ok(out)
}

async fn warm(sandboxes: &mut Sandboxes, effort: &Effort) -> Result<String> {
    let (_gateway, mut client) = ready(&plain(&sandboxes.config)).await?;
    let mut out = format!(
        "| {} ms for each answer of | first page of all, ms | of it alone, ms | difference | more than its answer |\n|---|---|---|---|---|\n",
        WARM.as_millis()
    );
    client.page(&List::default(), None).await?;
    for vendor in Vendor::ALL {
        sandboxes.set_latency(vendor, WARM).await?;
        let (all, calls) = first(&mut client, &List::default(), effort.warm).await?;
        let (alone, _) = first(&mut client, &List::of(vendor.word()), effort.warm).await?;
        sandboxes.set_latency(vendor, Duration::ZERO).await?;
        let answers = WARM.as_secs_f64() * 1e3 * calls[vendor as usize].min(1) as f64;
        let (difference, more) = (all - alone, all - answers);
        let _ = writeln!(out, "| {vendor} | {all:.1} | {alone:.1} | {difference:.1} | {more:.1} |");
    }
    Ok(out)
}

/// Every request reads for itself here.
async fn cold(sandboxes: &mut Sandboxes, effort: &Effort) -> Result<String> {
    let (_gateway, mut client) = ready(&Setup { keep_ms: 0, ..plain(&sandboxes.config) }).await?;
    let mut out = format!(
        "\n| Cold, first page of | calls | ms | ms, {} ms for each answer |\n|---|---|---|---|\n",
        COLD.as_millis()
    );
    let mut lists: Vec<(String, List)> =
        Vendor::ALL.iter().map(|vendor| (vendor.to_string(), List::of(vendor.word()))).collect();
    lists.push(("all five".to_owned(), List::default()));
    let mut quick = Vec::new();
    for (_, list) in &lists {
        quick.push(first(&mut client, list, effort.cold).await?);
    }
    for vendor in Vendor::ALL {
        sandboxes.set_latency(vendor, COLD).await?;
    }
    for ((name, list), (quick, calls)) in lists.iter().zip(quick) {
        let (slow, _) = first(&mut client, list, effort.cold).await?;
        let _ = writeln!(out, "| {name} | {} | {quick:.0} | {slow:.0} |", calls.iter().sum::<u64>());
    }
    for vendor in Vendor::ALL {
        sandboxes.set_latency(vendor, Duration::ZERO).await?;
    }
    Ok(out)
}
