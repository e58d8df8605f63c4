//! How time and memory grow with the number of sources and of their incidents, without vendors, HTTP or GraphQL.

use crate::invented::Invented;
use crate::list::at;
use crate::memory::{Peak, mib};
use crate::{ALLOCATOR, Effort, Result};
use incident_gateway::domain::{Caller, Order, PageSize};
use incident_gateway::federation::{CursorKey, Federation, FederationOptions, IncidentQuery, SnapshotLimits};
use incident_gateway::sandbox::SandboxOptions;
use incident_gateway::source::{Call, Source};
use incident_gateway::upstream::Context;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many pages around the middle are looked at.
const AROUND: usize = 11;
/// Of how many first pages the quickest is told.
const AGAIN: usize = 5;

/// What one size costs.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    /// Whether the sources sort; else they are copied.
    pub(crate) sorts: bool,
    pub(crate) sources: usize,
    pub(crate) incidents: u64,
    /// Milliseconds of the first page, before anything was read.
    pub(crate) first: f64,
    /// And again.
    pub(crate) warm: f64,
    /// Of a page in the middle.
    pub(crate) middle: f64,
    /// Of a page, over the whole walk.
    pub(crate) page: f64,
    pages: usize,
    /// Most that was allocated meanwhile, above what was before, in MiB.
    pub(crate) memory: f64,
    copies: f64,
}

fn call() -> Call {
    let caller = Arc::new(Caller::local());
    let scope = caller.scope.as_str().to_owned();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(600);
    Call { caller, context: Context::new(deadline, "growth", &scope), now: SandboxOptions::default().now }
}

async fn point(sorts: bool, sources: usize, incidents: u64, peak: &Peak) -> Result<Point> {
    let newest = SandboxOptions::default().now;
    let source =
        |number| Arc::new(Invented::new(&format!("s{number:02}"), incidents, sorts, newest)) as Arc<dyn Source>;
    let federation = Federation::new(FederationOptions {
        sources: (0..sources).map(source).collect(),
        cursor_key: CursorKey([7; 32]),
        scan_limit: usize::MAX >> 1,
        snapshots: SnapshotLimits { keep: Duration::from_secs(3_600), max_bytes: usize::MAX },
    });
    let mut query = IncidentQuery {
        order: Order::default(),
        ..crate::rows::copied(PageSize::new(PageSize::MAX).ok_or("the largest is a size of pages")?)
    };
    peak.take();
    let idle = ALLOCATOR.allocated();
    let mut times = Vec::new();
    let mut rows = 0;
    loop {
        let began = Instant::now();
        let page = federation.incidents(&call(), &query).await?;
        times.push(began.elapsed());
        rows += page.items.len() as u64;
        if !page.has_next {
            break;
        }
        query.after = page.cursor(page.items.len() - 1);
    }
    if rows != incidents * sources as u64 {
        return Err(format!("{rows} of {incidents} incidents of each of {sources} sources").into());
    }
    let (memory, copies) = (mib(peak.take().saturating_sub(idle)), mib(federation.snapshot_bytes()));
    query.after = None;
    let mut warm = Vec::new();
    for _ in 0..AGAIN {
        let began = Instant::now();
        drop(federation.incidents(&call(), &query).await?);
        warm.push(began.elapsed());
    }
    let start = (times.len() / 2).saturating_sub(AROUND / 2);
    let around = &times[start..(start + AROUND).min(times.len())];
    let (first, middle, page) = (at(&times[..1], 0.0), at(around, 0.5), at(&times, 0.5));
    Ok(Point {
        sorts,
        sources,
        incidents,
        first,
        warm: at(&warm, 0.0),
        middle,
        page,
        pages: times.len(),
        memory,
        copies,
    })
}

/// All sizes.
pub(crate) async fn measure(effort: &Effort) -> Result<Vec<Point>> {
    let peak = Peak::watch();
    let mut points = Vec::new();
    for sorts in [true, false] {
        for sources in [1, 2, 5, 10, 20] {
            for incidents in [100, 1_000, 10_000, 100_000] {
                if incidents <= effort.largest {
                    points.push(point(sorts, sources, incidents, &peak).await?);
                }
            }
        }
    }
    Ok(points)
}

/// The table: not of all sizes, the plot has them.
pub(crate) fn table(points: &[Point]) -> String {
    let mut out = String::from(
        "| Sources | incidents of each | first page, ms | again | page in the middle | any page, p50 | pages | MiB | of them copies |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for point in points.iter().filter(|point| [1, 5, 20].contains(&point.sources)) {
        let Point { sources, incidents, first, warm, middle, page, pages, memory, copies, .. } = point;
        let kind = if point.sorts { "sort" } else { "copied" };
        let _ = writeln!(
            out,
            "| {sources}, {kind} | {incidents} | {first:.2} | {warm:.2} | {middle:.2} | {page:.2} | {pages} | {memory:.1} | {copies:.1} |"
        );
    }
    out
}
