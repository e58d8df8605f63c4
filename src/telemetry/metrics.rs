//! Counters and histograms in the text form that Prometheus reads. Own code: a dozen families need no crate, and labels stay
//! what `names` declares. One set for the process, as with log lines: events need no handle.

use super::names::FAMILIES;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The media type of [`text`].
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper ends of a histogram's buckets, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Series of one family; more of them are counted together as `other`. Far above what sources times operations give, and a
/// bound all the same.
const MOST_SERIES: usize = 2_000;

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Everything counted under one name.
pub(crate) struct Family {
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    kind: Kind,
    series: Mutex<BTreeMap<String, Series>>,
}

#[derive(Clone, Copy, Default)]
struct Series {
    /// Of a histogram the sum in seconds, else the value.
    value: f64,
    buckets: [u64; BUCKETS.len()],
    count: u64,
}

impl Family {
    pub(super) const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Family { name, help, labels, kind: Kind::Counter, series: Mutex::new(BTreeMap::new()) }
    }

    pub(super) const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Family { name, help, labels, kind: Kind::Gauge, series: Mutex::new(BTreeMap::new()) }
    }

    pub(super) const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Family { name, help, labels, kind: Kind::Histogram, series: Mutex::new(BTreeMap::new()) }
    }

    /// One more. Values in the order of the labels.
    pub(super) fn add(&self, values: &[&str]) {
        self.change(values, |series| series.value += 1.0);
    }

    /// The value now.
    pub(super) fn set(&self, values: &[&str], value: f64) {
        self.change(values, |series| series.value = value);
    }

    /// One more that took so long.
    pub(super) fn observe(&self, values: &[&str], time: Duration) {
        let seconds = time.as_secs_f64();
        self.change(values, |series| {
            series.value += seconds;
            series.count += 1;
            for (count, end) in series.buckets.iter_mut().zip(BUCKETS) {
                *count += u64::from(seconds <= end);
            }
        });
    }

    fn change(&self, values: &[&str], change: impl FnOnce(&mut Series)) {
        debug_assert_eq!(values.len(), self.labels.len(), "{}", self.name);
        let key = labelled(self.labels, values);
        // Numbers only: nothing can be left half changed.
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let key = match series.len() < MOST_SERIES || series.contains_key(&key) {
            true => key,
            false => labelled(self.labels, &vec!["other"; self.labels.len()]),
        };
        change(series.entry(key).or_default());
    }

    fn write(&self, out: &mut String) {
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let name = self.name;
        let _ = write!(out, "# HELP {name} {}\n# TYPE {name} {kind}\n", self.help);
        for (labels, series) in &*self.series.lock().unwrap_or_else(PoisonError::into_inner) {
            if self.kind != Kind::Histogram {
                let _ = writeln!(out, "{name}{} {}", braced(labels, None), series.value);
                continue;
            }
            for (count, end) in series.buckets.iter().zip(BUCKETS) {
                let _ = writeln!(out, "{name}_bucket{} {count}", braced(labels, Some(&end.to_string())));
            }
            let _ = writeln!(out, "{name}_bucket{} {}", braced(labels, Some("+Inf")), series.count);
            let _ = writeln!(out, "{name}_sum{} {}", braced(labels, None), series.value);
            let _ = writeln!(out, "{name}_count{} {}", braced(labels, None), series.count);
        }
    }
}

fn labelled(names: &[&str], values: &[&str]) -> String {
    let mut text = String::with_capacity(64);
    for (name, value) in names.iter().zip(values) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(name);
        text.push_str("=\"");
        for c in value.chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                c => text.push(c),
            }
        }
        text.push('"');
    }
    text
}

fn braced(labels: &str, end: Option<&str>) -> String {
    match (labels.is_empty(), end) {
        (true, None) => String::new(),
        (false, None) => format!("{{{labels}}}"),
        (true, Some(end)) => format!("{{le=\"{end}\"}}"),
        (false, Some(end)) => format!("{{{labels},le=\"{end}\"}}"),
    }
}

/// Everything counted since the process began, for Prometheus.
pub fn text() -> String {
    let mut out = String::with_capacity(4_096);
    FAMILIES.iter().for_each(|family| family.write(&mut out));
    out
}

/// `docs/METRICS.md`, from the declarations.
pub fn document() -> String {
    let mut out = String::from(concat!(
        "# Metrics\n\n",
        "Generated from the code (`src/telemetry/names.rs`); `UPDATE=1 cargo test generated` writes it anew.\n\n",
        "`GET /metrics` gives them in the text form of Prometheus, counted since the process began. Each event is counted ",
        "once, where it happens. Labels come from closed sets: names of sources from the configuration, operations and ",
        "words from the code. Histograms are in seconds.\n\n",
        "| Name | Type | Labels | Meaning |\n|---|---|---|---|\n",
    ));
    for family in FAMILIES {
        let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        let kind = format!("{:?}", family.kind).to_lowercase();
        let _ = writeln!(out, "| `{}` | {kind} | {} | {} |", family.name, labels.join(", "), family.help);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn counters_and_histograms_are_written_as_prometheus_reads_them() {
        static CALLS: Family = Family::counter("calls_total", &["source", "operation"], "Calls.");
        static TIME: Family = Family::histogram("time_seconds", &[], "Time.");
        CALLS.add(&["a", "list"]);
        CALLS.add(&["a", "list"]);
        CALLS.add(&["b\"\\\n", "list"]);
        TIME.observe(&[], Duration::from_millis(25));
        TIME.observe(&[], Duration::from_secs(60));
        let mut out = String::new();
        CALLS.write(&mut out);
        assert_eq!(
            out,
            "# HELP calls_total Calls.\n# TYPE calls_total counter\ncalls_total{source=\"a\",operation=\"list\"} 2\n\
             calls_total{source=\"b\\\"\\\\\\n\",operation=\"list\"} 1\n"
        );
        out.clear();
        TIME.write(&mut out);
        let lines: Vec<&str> = out.lines().skip(2).collect();
        assert_eq!(
            lines[1..4],
            ["0.01\"} 0", "0.025\"} 1", "0.05\"} 1"].map(|end| format!("time_seconds_bucket{{le=\"{end}"))
        );
        assert_eq!(
            lines[11..],
            ["time_seconds_bucket{le=\"+Inf\"} 2", "time_seconds_sum 60.025", "time_seconds_count 2"]
        );
    }

    #[test]
    fn series_are_bounded() {
        static MANY: Family = Family::counter("many_total", &["a"], "Many.");
        (0..MOST_SERIES + 50).for_each(|number| MANY.add(&[&number.to_string()]));
        let mut out = String::new();
        MANY.write(&mut out);
        assert_eq!(out.lines().count(), 2 + MOST_SERIES + 1);
        assert!(out.contains("many_total{a=\"other\"} 50\n"));
    }

    #[test]
    fn names_are_distinct_and_of_one_form() {
        let names: BTreeSet<&str> = FAMILIES.iter().map(|family| family.name).collect();
        assert_eq!(names.len(), FAMILIES.len());
        for family in FAMILIES {
            let end = match family.kind {
                Kind::Counter => "_total",
                Kind::Histogram => "_seconds",
                Kind::Gauge => "",
            };
            assert!(family.name.starts_with("incident_gateway_") && family.name.ends_with(end), "{}", family.name);
        }
    }
}
