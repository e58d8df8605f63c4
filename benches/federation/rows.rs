//! What a row of a copy takes: as estimated, and as allocated.

use crate::gateway::plain;
use crate::sandboxes::Sandboxes;
use crate::{ALLOCATOR, Result};
use incident_gateway::app::App;
use incident_gateway::app::Surroundings;
use incident_gateway::domain::{Filter, IncidentOrderField, Order, OrderDirection, PageSize};
use incident_gateway::federation::IncidentQuery;
use incident_gateway::sandbox::Vendor;
use incident_gateway::source::{ListRequest, Want};
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Longest that reading one source may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// An order that no vendor has, so that all rows are copied.
pub(crate) fn copied(first: PageSize) -> IncidentQuery {
    IncidentQuery {
        filter: Filter::default(),
        order: Order { field: IncidentOrderField::DueAt, direction: OrderDirection::Asc },
        first,
        after: None,
        require_sources: Vec::new(),
        want: Want::default(),
        want_total: false,
    }
}

/// The table. In this process: each source is read into a copy, and nothing else is kept.
pub(crate) async fn measure(sandboxes: &Sandboxes) -> Result<String> {
    let mut out = String::from(
        "| A copied row of | rows | estimated bytes | allocated bytes | allocated / estimated |\n|---|---|---|---|---|\n",
    );
    let (mut all, mut rows) = ((0, 0), 0);
    for vendor in Vendor::ALL {
        let mut config = plain(&sandboxes.config).config()?;
        config.sources.retain(|(name, _)| name.as_str() == vendor.word());
        config.limits.snapshots.max_bytes = usize::MAX;
        config.limits.scan_rows = 1_000_000;
        config.limits.request_timeout = PATIENCE;
        let app = App::new(config, Surroundings::of_process(None, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))?;
        let call = app.call("rows");
        let source = app.federation().sources().first().ok_or("the source is gone")?;
        source.capabilities(&call).await;
        // What a conversation takes is there before.
        let request = ListRequest { tests: vec![], order: None, offset: 0, limit: 100, want: Want::default() };
        drop(source.list(&call, &request).await?);
        let before = ALLOCATOR.allocated();
        let page = app.federation().incidents(&call, &copied(PageSize::new(1).ok_or("1 is a size of pages")?)).await?;
        let report = page.reports.first().ok_or("the source did not report")?.clone();
        drop(page);
        let (real, told) = (ALLOCATOR.allocated() - before, app.federation().snapshot_bytes());
        let count = usize::try_from(report.total.unwrap_or_default())?.max(1);
        if report.truncated || report.error.is_some() {
            return Err(format!("{vendor} was not read to its end: {:?}", report.error).into());
        }
        line(&mut out, vendor.word(), count, told, real);
        (all, rows) = ((all.0 + told, all.1 + real), rows + count);
    }
    line(&mut out, "all five", rows, all.0, all.1);
    Ok(out)
}

fn line(out: &mut String, name: &str, rows: usize, told: usize, real: usize) {
    let ratio = real as f64 / told.max(1) as f64;
    let _ = writeln!(out, "| {name} | {rows} | {} | {} | {ratio:.2} |", told / rows, real / rows);
}
