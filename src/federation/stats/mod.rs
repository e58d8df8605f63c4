//! `stats`: counts of incidents by dimension, over all sources.

mod counts;
mod source;

use super::{Federation, FederationError, list::named_sources, outcome::SourceReport};
use crate::{
    domain::{
        CountPrecision, Detection, Filter, IncidentStatus, IncidentTimeField, Link, Record, Severity, SourceName,
        SourceStatus,
    },
    source::Call,
};
use counts::Counts;
use futures_util::future::join_all;
use source::count;

/// What is to be counted.
#[derive(Clone, Debug)]
pub struct StatsQuery {
    pub filter: Filter,
    pub parts: StatParts,
    /// How many calendar months `by_month` goes back, the present one included.
    pub months: u32,
}

/// Which counts are wanted: what is not asked for is left empty and costs nothing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct StatParts {
    pub total: bool,
    pub open: bool,
    pub by_severity: bool,
    pub by_status: bool,
    pub by_source: bool,
    pub by_detection: bool,
    pub by_owner: bool,
    pub by_qualification: bool,
    pub mean_time_to_resolve: bool,
    /// By which times months are counted.
    pub by_month: Vec<IncidentTimeField>,
}

impl StatParts {
    /// The parts that a source may count without its incidents being read.
    fn countable(&self) -> StatParts {
        StatParts {
            by_owner: false,
            by_qualification: false,
            mean_time_to_resolve: false,
            by_month: Vec::new(),
            ..self.clone()
        }
    }
}

/// The counts, summed over the sources that answered.
#[derive(Clone, Debug)]
pub struct Stats {
    pub total: u64,
    /// In phase OPEN.
    pub open: u64,
    /// Exact unless a source failed or had more than may be read.
    pub precision: CountPrecision,
    /// What occurs, in the order of the vocabulary; likewise the next two.
    pub by_severity: Vec<(Severity, u64)>,
    pub by_status: Vec<(IncidentStatus, u64)>,
    /// Incidents that tell no detection are not counted.
    pub by_detection: Vec<(Detection, u64)>,
    /// Every source that answered, in the order of the configuration.
    pub by_source: Vec<(SourceName, u64)>,
    /// Most incidents first; `None` for those without an owner. An incident counts for each of its owners.
    pub by_owner: Vec<(Option<Link>, u64)>,
    /// Owners among them that came with the rows in full, in no order.
    pub embedded: Vec<Record>,
    /// Most incidents first. An incident counts for each of its qualifications.
    pub by_qualification: Vec<(Link, u64)>,
    pub by_month: Vec<Months>,
    /// From `created_at` to `resolved_at`, in hours, over incidents that have both in this order. None without any.
    pub mean_time_to_resolve_hours: Option<f64>,
    /// One for each source, in the order of the configuration.
    pub reports: Vec<SourceReport>,
}

/// Counts by one time. Incidents that do not have it are not counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Months {
    pub field: IncidentTimeField,
    /// Oldest first, the present month last, empty ones included.
    pub months: Vec<MonthCount>,
}

/// One calendar month in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MonthCount {
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
    pub count: u64,
    /// Everything up to the month's end.
    pub cumulative: u64,
}

impl Federation {
    /// Counts the incidents that match: by the sources' own counts where these are exact and mean the same, else by
    /// reading them.
    ///
    /// # Errors
    /// A name that no source has. A source that fails is missing in the counts, as its report says.
    pub async fn stats(&self, call: &Call, query: &StatsQuery) -> Result<Stats, FederationError> {
        self.known("filter.sources", named_sources(&query.filter).into_iter())?;
        let visit = self.visit();
        let scanner = self.scanner(&visit);
        let parts = join_all(self.sources.iter().map(|source| {
            let call = call.fork();
            async move { count(&**source, &call, query, scanner).await }
        }))
        .await;
        let mut counts = Counts::default();
        let mut precision = CountPrecision::Exact;
        let (mut by_source, mut reports) = (Vec::new(), Vec::with_capacity(parts.len()));
        for (mut report, part) in parts {
            if report.truncated || report.error.is_some() {
                precision = CountPrecision::LowerBound;
            }
            if let Some(part) = part {
                if report.status != SourceStatus::Skipped && query.parts.by_source {
                    by_source.push((report.source.clone(), part.total));
                }
                report.total = Some(part.total);
                counts.add(part);
            }
            reports.push(report);
        }
        Ok(counts.told(query, call.now, precision, by_source, reports))
    }
}
