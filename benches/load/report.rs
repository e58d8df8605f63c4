//! The result: medians over the rounds, as a table for people and as JSON for programs.

use crate::client::Sample;
use crate::work::WORK;
use crate::{MANY, ONE, ONE_SLOW, Result, Setting};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/PERFORMANCE.md");
const BEGIN: &str = "<!-- load benchmark: begin -->\n";
const END: &str = "<!-- load benchmark: end -->";

/// Subject, name of the work, setting.
type Key = (&'static str, &'static str, Setting);

/// One measurement, or the medians of several.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    requests_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// CPU seconds for 1,000 requests.
    cpu_s: f64,
    calls: f64,
}

impl Cell {
    /// `cpu`: seconds; `calls`: at the upstream.
    pub(crate) fn new(sample: &Sample, cpu: f64, calls: u64) -> Self {
        let requests = sample.latencies.len().max(1) as f64;
        let at = |share: f64| {
            let index = (requests * share) as usize;
            sample.latencies.get(index).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
        };
        Cell {
            requests_per_s: requests / sample.elapsed.as_secs_f64(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            cpu_s: cpu / requests * 1e3,
            calls: calls as f64 / requests,
        }
    }

    fn median(cells: &[Cell]) -> Cell {
        let median = |value: fn(&Cell) -> f64| {
            let mut values: Vec<f64> = cells.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or_default()
        };
        Cell {
            requests_per_s: median(|cell| cell.requests_per_s),
            p50_ms: median(|cell| cell.p50_ms),
            p99_ms: median(|cell| cell.p99_ms),
            cpu_s: median(|cell| cell.cpu_s),
            calls: median(|cell| cell.calls),
        }
    }

    fn json(&self) -> Value {
        json!({
            "requests_per_s": self.requests_per_s,
            "p50_ms": self.p50_ms,
            "p99_ms": self.p99_ms,
            "cpu_s_per_1000": self.cpu_s,
            "upstream_calls": self.calls,
        })
    }
}

/// Everything that was measured.
pub(crate) struct Report {
    rounds: usize,
    cells: Vec<(Key, Vec<Cell>)>,
    peak_mb: BTreeMap<&'static str, f64>,
}

impl Report {
    pub(crate) fn new(rounds: usize) -> Self {
        Report { rounds, cells: Vec::new(), peak_mb: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, key: Key, cell: Cell) {
        match self.cells.iter_mut().find(|(other, _)| *other == key) {
            Some((_, cells)) => cells.push(cell),
            None => self.cells.push((key, vec![cell])),
        }
    }

    pub(crate) fn set_peak(&mut self, subject: &'static str, peak_kb: u64) {
        self.peak_mb.insert(subject, peak_kb as f64 / 1024.0);
    }

    fn median(&self, subject: &str, work: &str, setting: Setting) -> Cell {
        let cells = self.cells.iter().find(|((s, w, t), _)| (*s, *w, *t) == (subject, work, setting));
        Cell::median(cells.map(|(_, cells)| cells.as_slice()).unwrap_or_default())
    }

    /// One table for each setting, one line for each kind of request.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        for (title, setting) in [("32 connections", MANY), ("One connection", ONE)] {
            let _ = writeln!(text, "### {title}\n");
            text.push_str(
                "| | requests/s | p50 ms | p99 ms | CPU s per 1,000 | floor's CPU | ratio of CPU | upstream calls |\n",
            );
            text.push_str("|---|---|---|---|---|---|---|---|\n");
            for work in &WORK {
                let (gateway, floor) = self.pair(work.name, setting);
                let Cell { requests_per_s, p50_ms, p99_ms, cpu_s, calls } = gateway;
                let (floor_cpu, ratio) = (floor.cpu_s, cpu_s / floor.cpu_s);
                let name = work.name;
                let _ = writeln!(
                    text,
                    "| {name} | {requests_per_s:.0} | {p50_ms:.2} | {p99_ms:.2} | {cpu_s:.3} | {floor_cpu:.3} | **{ratio:.1}×** | {calls:.2} |"
                );
            }
            text.push('\n');
        }
        text.push_str("### One connection, each upstream answer after 5 ms\n\n");
        text.push_str("| | p50 ms | floor's p50 ms | ratio |\n|---|---|---|---|\n");
        for work in &WORK {
            let (gateway, floor) = self.pair(work.name, ONE_SLOW);
            let (p50, least, ratio) = (gateway.p50_ms, floor.p50_ms, gateway.p50_ms / floor.p50_ms);
            let _ = writeln!(text, "| {} | {p50:.2} | {least:.2} | **{ratio:.2}×** |", work.name);
        }
        let peak = |subject| self.peak_mb.get(subject).copied().unwrap_or_default();
        let (gateway, floor) = (peak("gateway"), peak("floor"));
        let _ = write!(text, "\nMost memory at one time: gateway {gateway:.0} MB, floor {floor:.0} MB. ");
        let _ = writeln!(text, "Medians of {} rounds.", self.rounds);
        text
    }

    fn pair(&self, work: &str, setting: Setting) -> (Cell, Cell) {
        (self.median("gateway", work, setting), self.median("floor", work, setting))
    }

    /// The same for programs, on one line.
    pub(crate) fn json(&self) -> Value {
        let settings = [("c32", MANY), ("c1", ONE), ("c1_upstream_5ms", ONE_SLOW)];
        let mut all = serde_json::Map::new();
        for work in &WORK {
            let mut of_work = serde_json::Map::new();
            of_work.insert("about".to_owned(), json!(work.about));
            for (name, setting) in settings {
                let (gateway, floor) = self.pair(work.name, setting);
                let ratios = json!({
                    "cpu": gateway.cpu_s / floor.cpu_s,
                    "p50": gateway.p50_ms / floor.p50_ms,
                    "requests_per_s": gateway.requests_per_s / floor.requests_per_s,
                });
                of_work.insert(
                    name.to_owned(),
                    json!({ "gateway": gateway.json(), "floor": floor.json(), "ratio": ratios }),
                );
            }
            all.insert(work.name.to_owned(), of_work.into());
        }
        json!({ "rounds": self.rounds, "peak_mb": self.peak_mb, "work": all })
    }

    /// Puts the tables into the document, between the marks.
    pub(crate) fn write(&self) -> Result<()> {
        let document = fs::read_to_string(DOCUMENT)?;
        let (head, rest) = document.split_once(BEGIN).ok_or("docs/PERFORMANCE.md has no mark for the beginning")?;
        let (_, tail) = rest.split_once(END).ok_or("docs/PERFORMANCE.md has no mark for the end")?;
        fs::write(DOCUMENT, format!("{head}{BEGIN}{}{END}{tail}", self.markdown()))?;
        Ok(())
    }
}
