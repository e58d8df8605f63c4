//! The choices and the five statistics under `/api/incidents/`.

use crate::sandbox::ciso_assistant::json::civil;
use crate::sandbox::ciso_assistant::query::{Query, uuid};
use crate::sandbox::ciso_assistant::render::View;
use crate::sandbox::ciso_assistant::routes::Extra;
use crate::sandbox::ciso_assistant::state::*;
use crate::sandbox::ciso_assistant::words;
use crate::sandbox::clock::Micros;
use crate::sandbox::wire::Reply;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: Micros = 86_400_000_000;

/// A constant list of codes and labels.
pub(super) fn choices(extra: Extra) -> Reply {
    let pairs: Vec<(String, &str)> = match extra {
        Extra::StatusChoices => words::STATUS.iter().map(|(code, label)| ((*code).to_owned(), *label)).collect(),
        Extra::DetectionChoices => {
            [words::INTERNAL, words::EXTERNAL].map(|(code, label)| (code.to_owned(), label)).to_vec()
        }
        _ => (1..=6).map(|severity: u8| (severity.to_string(), words::severity_label(severity))).collect(),
    };
    let body: Map<String, Value> = pairs.into_iter().map(|(code, label)| (code, json!(label))).collect();
    Reply::json(200, &Value::Object(body)).with("cache-control", "max-age=3600")
}

impl View<'_> {
    /// One of the five statistics, of all visible incidents or of exactly one folder.
    pub(super) fn metric(&self, extra: Extra, query: &Query, now: Micros) -> Reply {
        let folder = match query.last("folder").filter(|folder| !folder.is_empty()) {
            None => None,
            Some(text) => match uuid(text).map(|id| self.state.folders.find(id)) {
                Some(Some(folder)) => Some(folder),
                None if self.release.is_later() => {
                    return Reply::json(400, &json!({ "non_field_errors": [words::bad_uuid(text)] }));
                }
                Some(None) | None => return Reply::html_error(500),
            },
        };
        let counted = |(index, incident): &(Index, &Incident)| {
            folder.is_none_or(|folder| incident.folder == folder) && self.sees(Kind::Incident, *index)
        };
        let incidents = || self.state.incidents.iter().filter(counted).map(|(_, incident)| incident);
        let results = match extra {
            Extra::SeverityBreakdown => {
                let count = |severity: u8| incidents().filter(|incident| incident.severity == severity).count();
                (1..=6).map(|severity| bar(words::SEVERITY[usize::from(severity) - 1], count(severity))).collect()
            }
            Extra::DetectionBreakdown => {
                let count = |detection| incidents().filter(|incident| incident.detection == detection).count();
                let (internal, external) = (count(Detection::Internal), count(Detection::External));
                json!([bar((words::INTERNAL.1, "#3B82F6"), internal), bar((words::EXTERNAL.1, "#EF4444"), external)])
            }
            Extra::QualificationsBreakdown => self.qualifications(incidents()),
            Extra::MonthlyMetrics => months(incidents()),
            _ => summary(incidents(), now),
        };
        Reply::json(200, &json!({ "results": results }))
    }

    fn qualifications<'a>(&self, incidents: impl Iterator<Item = &'a Incident>) -> Value {
        let mut counts: BTreeMap<Index, usize> = BTreeMap::new();
        for term in incidents.flat_map(|incident| incident.links.qualifications.iter()) {
            *counts.entry(*term).or_default() += 1;
        }
        let mut counts: Vec<(Index, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        let max = counts.first().map_or(0, |&(_, count)| count);
        let labels: Vec<Value> =
            counts.iter().map(|&(term, _)| json!({ "name": self.state.terms.at(term).name, "max": max })).collect();
        let values: Vec<usize> = counts.iter().map(|&(_, count)| count).collect();
        json!({ "labels": labels, "values": values })
    }
}

fn bar((name, colour): (&str, &str), value: usize) -> Value {
    json!({ "name": name, "value": value, "itemStyle": { "color": colour } })
}

fn month(time: Micros) -> (i64, i64) {
    let (year, month, _) = civil(time.div_euclid(DAY));
    (year, month)
}

/// Months in which nothing was reported are left out.
fn months<'a>(incidents: impl Iterator<Item = &'a Incident>) -> Value {
    let mut counts: BTreeMap<(i64, i64), usize> = BTreeMap::new();
    for reported_at in incidents.filter_map(|incident| incident.reported_at) {
        *counts.entry(month(reported_at)).or_default() += 1;
    }
    let names: Vec<String> =
        counts.keys().map(|&(year, month)| format!("{} {year}", MONTHS[month as usize - 1])).collect();
    let monthly: Vec<usize> = counts.values().copied().collect();
    let cumulative: Vec<usize> = monthly
        .iter()
        .scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        })
        .collect();
    json!({ "months": names, "monthly_counts": monthly, "cumulative_counts": cumulative })
}

/// Resolved incidents count as open.
fn summary<'a>(incidents: impl Iterator<Item = &'a Incident>, now: Micros) -> Value {
    let (mut total, mut recent, mut open) = (0, 0, 0);
    for incident in incidents {
        total += 1;
        recent += usize::from(incident.reported_at.is_some_and(|at| month(at) == month(now)));
        open += usize::from(incident.status < 3);
    }
    json!({ "total_incidents": total, "incidents_this_month": recent, "open_incidents": open })
}
