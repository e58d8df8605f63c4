//! Counting, and adding up what was counted. Pure.

use super::{MonthCount, Months, StatParts, Stats, StatsQuery};
use crate::{
    domain::{
        CountPrecision, Detection, Incident, IncidentPhase, IncidentStatus, IncidentTimeField, Key, Link, Record,
        Severity, SourceName, Time,
    },
    federation::outcome::SourceReport,
};
use chrono::Datelike;
use rustc_hash::FxHashMap;
use std::{cmp::Reverse, collections::BTreeMap};

/// Counts of one source, or of all.
#[derive(Clone, Default, Debug)]
pub(super) struct Counts {
    pub(super) total: u64,
    pub(super) severity: BTreeMap<Severity, u64>,
    pub(super) status: BTreeMap<IncidentStatus, u64>,
    pub(super) detection: BTreeMap<Detection, u64>,
    pub(super) owners: FxHashMap<Option<Key>, (Option<Link>, u64)>,
    /// Owners that came with the rows in full.
    pub(super) embedded: FxHashMap<Key, Record>,
    pub(super) qualifications: FxHashMap<Key, (Link, u64)>,
    /// By [`month_index`].
    pub(super) months: BTreeMap<IncidentTimeField, BTreeMap<i32, u64>>,
    /// Hours from creation to resolution, summed, and of how many incidents.
    resolved: (f64, u64),
}

/// Months counted from the year 0.
pub(super) fn month_index(year: i32, month: u32) -> i32 {
    year * 12 + i32::try_from(month).unwrap_or(1) - 1
}

impl Counts {
    /// Counts an incident in the parts that are wanted.
    pub(super) fn count(&mut self, incident: &Incident, parts: &StatParts) {
        self.total += 1;
        if parts.by_severity {
            *self.severity.entry(incident.severity).or_default() += 1;
        }
        if parts.by_status || parts.open {
            *self.status.entry(incident.status).or_default() += 1;
        }
        if let Some(detection) = incident.detection.filter(|_| parts.by_detection) {
            *self.detection.entry(detection).or_default() += 1;
        }
        if parts.by_owner {
            for owner in &incident.owners {
                self.owners.entry(Some(owner.key.clone())).or_insert_with(|| (Some(owner.clone()), 0)).1 += 1;
            }
            for record in &incident.embedded {
                if matches!(record, Record::Owner(owner) if self.owners.contains_key(&Some(owner.key.clone()))) {
                    self.embedded.entry(record.key().clone()).or_insert_with(|| record.clone());
                }
            }
            if incident.unassigned() {
                self.owners.entry(None).or_insert((None, 0)).1 += 1;
            }
        }
        if parts.by_qualification {
            for term in &incident.qualifications {
                self.qualifications.entry(term.key.clone()).or_insert_with(|| (term.clone(), 0)).1 += 1;
            }
        }
        for field in &parts.by_month {
            if let Some(time) = time_of(*field, incident) {
                *self.months.entry(*field).or_default().entry(month_index(time.year(), time.month())).or_default() += 1;
            }
        }
        if let (true, Some(from), Some(to)) = (parts.mean_time_to_resolve, incident.created_at, incident.resolved_at)
            && from <= to
        {
            self.resolved.0 += (to - from).as_seconds_f64() / 3_600.0;
            self.resolved.1 += 1;
        }
    }

    /// Takes over what was counted exactly.
    pub(super) fn correct(&mut self, exact: Counts) {
        self.total = exact.total;
        if !exact.severity.is_empty() {
            self.severity = exact.severity;
        }
        if !exact.status.is_empty() {
            self.status = exact.status;
        }
        if !exact.detection.is_empty() {
            self.detection = exact.detection;
        }
    }

    pub(super) fn add(&mut self, other: Counts) {
        self.total += other.total;
        add_all(&mut self.severity, other.severity);
        add_all(&mut self.status, other.status);
        add_all(&mut self.detection, other.detection);
        for (key, (link, count)) in other.owners {
            self.owners.entry(key).or_insert((link, 0)).1 += count;
        }
        self.embedded.extend(other.embedded);
        for (key, (link, count)) in other.qualifications {
            self.qualifications.entry(key).or_insert((link, 0)).1 += count;
        }
        for (field, months) in other.months {
            add_all(self.months.entry(field).or_default(), months);
        }
        self.resolved.0 += other.resolved.0;
        self.resolved.1 += other.resolved.1;
    }

    /// The answer, in order and without zeros.
    pub(super) fn told(
        self,
        query: &StatsQuery,
        now: Time,
        precision: CountPrecision,
        by_source: Vec<(SourceName, u64)>,
        reports: Vec<SourceReport>,
    ) -> Stats {
        let open = self.status.iter().filter(|(status, _)| status.phase() == IncidentPhase::Open);
        let open = open.map(|(_, count)| count).sum();
        // Equal counts stand in the order of their keys, so that an answer does not change by itself.
        let mut owners: Vec<_> = self.owners.into_iter().collect();
        owners.sort_unstable_by(|(a, (_, m)), (b, (_, n))| Reverse(m).cmp(&Reverse(n)).then_with(|| a.cmp(b)));
        let mut terms: Vec<_> = self.qualifications.into_iter().filter(|(_, (_, count))| *count > 0).collect();
        terms.sort_unstable_by(|(a, (_, m)), (b, (_, n))| Reverse(m).cmp(&Reverse(n)).then_with(|| a.cmp(b)));
        let months = |field: &IncidentTimeField| Months {
            field: *field,
            months: last_months(self.months.get(field), now, query.months),
        };
        Stats {
            total: self.total,
            open,
            precision,
            by_severity: some(self.severity),
            by_status: if query.parts.by_status { some(self.status) } else { Vec::new() },
            by_detection: some(self.detection),
            by_source,
            embedded: self.embedded.into_values().collect(),
            by_owner: owners.into_iter().map(|(_, counted)| counted).collect(),
            by_qualification: terms.into_iter().map(|(_, counted)| counted).collect(),
            by_month: query.parts.by_month.iter().map(months).collect(),
            mean_time_to_resolve_hours: (self.resolved.1 > 0).then(|| self.resolved.0 / self.resolved.1 as f64),
            reports,
        }
    }
}

fn add_all<K: Ord>(to: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
    for (key, count) in from {
        *to.entry(key).or_default() += count;
    }
}

fn some<K>(counts: BTreeMap<K, u64>) -> Vec<(K, u64)> {
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

fn last_months(counts: Option<&BTreeMap<i32, u64>>, now: Time, months: u32) -> Vec<MonthCount> {
    let last = month_index(now.year(), now.month());
    let first = last.saturating_sub(i32::try_from(months).unwrap_or(i32::MAX)).saturating_add(1);
    let mut cumulative = counts.map_or(0, |counts| counts.range(..first).map(|(_, count)| count).sum());
    let month = |index: i32| {
        let count = counts.and_then(|counts| counts.get(&index)).copied().unwrap_or(0);
        cumulative += count;
        let month = u32::try_from(index.rem_euclid(12)).unwrap_or(0) + 1;
        MonthCount { year: index.div_euclid(12), month, count, cumulative }
    };
    (first..=last).map(month).collect()
}

fn time_of(field: IncidentTimeField, incident: &Incident) -> Option<Time> {
    match field {
        IncidentTimeField::CreatedAt => incident.created_at,
        IncidentTimeField::OccurredAt => incident.occurred_at,
        IncidentTimeField::DetectedAt => incident.detected_at,
        IncidentTimeField::ReportedAt => incident.reported_at,
        IncidentTimeField::ResolvedAt => incident.resolved_at,
    }
}
