//! The server's own counts, as far as they mean what ours mean. Its number of open incidents does not: it counts
//! resolved ones (observed on v3.15.1).

use super::client::{Client, Endpoint, FOLDERS};
use super::wire::{FolderRow, Metric, Months, Qualifications, Slice, Summary};
use super::words::{self, DETECTIONS, Entry, SEVERITIES};
use crate::{
    domain::{Detection, MetricParts, Metrics, NativeId, Severity, Text},
    source::{Call, SourceError},
};
use futures_util::{future::OptionFuture, try_join};
use serde::de::DeserializeOwned;

const METRICS: Endpoint = Endpoint { path: "/api/incidents/", operation: "read_metrics", item: "metric" };

/// The server's names of months, which no language setting changes.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Counts over everything that the account may see, or over one folder (without those below it).
pub(super) async fn metrics(
    client: &Client,
    call: &Call,
    parts: MetricParts,
    scope: Option<&NativeId>,
) -> Result<Metrics, SourceError> {
    // An unknown folder is answered with 500 and a page.
    if let Some(scope) = scope
        && !exists(client, call, scope).await?
    {
        return Ok(nothing(parts));
    }
    let reader = Reader { client, call, filter: scope.map(|scope| format!("?folder={scope}")).unwrap_or_default() };
    let wanted = |wanted: bool, name: &'static str| wanted.then_some(name);
    let (total, severities, detections, qualifications, months) = try_join!(
        reader.read::<Summary>(wanted(parts.total, "summary_stats")),
        reader.read::<Vec<Slice>>(wanted(parts.by_severity, "severity_breakdown")),
        reader.read::<Vec<Slice>>(wanted(parts.by_detection, "detection_breakdown")),
        reader.read::<Qualifications>(wanted(parts.by_qualification, "qualifications_breakdown")),
        reader.read::<Months>(wanted(parts.by_month_reported, "monthly_metrics")),
    )?;
    Ok(Metrics {
        total: total.map(|summary| summary.total_incidents),
        by_severity: severities.map(|slices| sums(&SEVERITIES, slices, Severity::Unknown)),
        by_status: None,
        by_detection: detections.map(|slices| sums(&DETECTIONS, slices, Detection::Other)),
        by_qualification: qualifications.map(|all| reader.qualifications(all)).transpose()?,
        by_month_reported: months.map(|all| reader.months(&all)).transpose()?,
    })
}

async fn exists(client: &Client, call: &Call, scope: &NativeId) -> Result<bool, SourceError> {
    let mut found = false;
    for chunk in client.by_ids::<FolderRow>(call, FOLDERS, std::slice::from_ref(scope), false).await {
        found |= chunk.answer?.rows.iter().any(|(row, _)| row.id.0 == *scope);
    }
    Ok(found)
}

struct Reader<'a> {
    client: &'a Client,
    call: &'a Call,
    filter: String,
}

impl Reader<'_> {
    async fn read<T: DeserializeOwned>(&self, name: Option<&str>) -> Result<Option<T>, SourceError> {
        let metric: OptionFuture<_> = name
            .map(|name| format!("{}{name}/{}", METRICS.path, self.filter))
            .map(|path| self.client.record::<Metric<T>>(self.call, METRICS, path))
            .into();
        Ok(metric.await.transpose()?.map(|metric| metric.results))
    }

    /// Two arrays side by side.
    fn qualifications(&self, all: Qualifications) -> Result<Vec<(Text, u64)>, SourceError> {
        if all.labels.len() != all.values.len() {
            return Err(self.client.unreadable(self.call, METRICS, "labels and values differ in number"));
        }
        Ok(all.labels.into_iter().map(|label| label.name).zip(all.values).collect())
    }

    /// Two arrays side by side; months as `Apr 2026`.
    fn months(&self, all: &Months) -> Result<Vec<(i32, u32, u64)>, SourceError> {
        let unreadable = |problem| self.client.unreadable(self.call, METRICS, problem);
        if all.months.len() != all.monthly_counts.len() {
            return Err(unreadable("months and counts differ in number"));
        }
        let months = all.months.iter().map(|text| month(text).ok_or_else(|| unreadable("a month cannot be read")));
        let mut months = months
            .zip(&all.monthly_counts)
            .map(|(month, count)| month.map(|(year, month)| (year, month, *count)))
            .collect::<Result<Vec<_>, _>>()?;
        months.sort_unstable();
        Ok(months)
    }
}

fn month(text: &str) -> Option<(i32, u32)> {
    let (name, year) = text.split_once(' ')?;
    let place = MONTHS.iter().position(|month| *month == name)?;
    Some((year.parse().ok()?, u32::try_from(place).ok()? + 1))
}

/// Counts by our words, in the order of the table; labels that are in no release seen are counted together.
fn sums<T: Copy + PartialEq>(table: &[Entry<T>], slices: Vec<Slice>, other: T) -> Vec<(T, u64)> {
    let mut sums: Vec<(T, u64)> = table.iter().map(|entry| (entry.value, 0)).collect();
    for slice in slices {
        let value = words::meaning(table, &slice.name).unwrap_or(other);
        match sums.iter_mut().find(|(known, _)| *known == value) {
            Some((_, sum)) => *sum += slice.value,
            None => sums.push((value, slice.value)),
        }
    }
    sums
}

fn nothing(parts: MetricParts) -> Metrics {
    Metrics {
        total: parts.total.then_some(0),
        by_severity: parts.by_severity.then(|| sums(&SEVERITIES, Vec::new(), Severity::Unknown)),
        by_status: None,
        by_detection: parts.by_detection.then(|| sums(&DETECTIONS, Vec::new(), Detection::Other)),
        by_qualification: parts.by_qualification.then(Vec::new),
        by_month_reported: parts.by_month_reported.then(Vec::new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_and_nothing_else_is() {
        assert_eq!(month("Apr 2026"), Some((2026, 4)));
        for text in ["", "Apr", "April 2026", "avr. 2026", "2026 Apr", "Apr 20x6"] {
            assert_eq!(month(text), None, "{text}");
        }
    }

    #[test]
    fn counts_of_unknown_labels_are_not_lost() {
        let slice = |name: &str, value| Slice { name: name.into(), value };
        let sums =
            sums(&SEVERITIES, vec![slice("Major", 2), slice("unknown", 3), slice("Apocalyptic", 4)], Severity::Unknown);
        assert_eq!(sums.iter().map(|(_, count)| count).sum::<u64>(), 9);
        assert_eq!((sums[1], sums[5]), ((Severity::High, 2), (Severity::Unknown, 7)));
    }
}
