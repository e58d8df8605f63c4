//! `IncidentStats`: counts by dimension.

use super::report::Report;
use crate::{
    domain::{
        Detection, IncidentStatus, IncidentTimeField, Link, Owner, Record, RecordKind, Severity, SourceName, Term,
    },
    federation::{self, StatParts, Stats, StatsQuery},
    graphql::{
        cost::Costs,
        error::Fault,
        leaf::Count,
        object::{Child, Hold, Object, cast, declare},
        plan::Plan,
        store::Lookup,
    },
};
use async_graphql::InputObject;
use std::sync::Arc;

declare!(
    StatsView as "IncidentStats" => stats,
    SeverityCount as "SeverityCount" => severity_count,
    StatusCount as "StatusCount" => status_count,
    SourceCount as "SourceCount" => source_count,
    DetectionCount as "DetectionCount" => detection_count,
    OwnerCount as "OwnerCount" => owner_count,
    TermCount as "TermCount" => term_count,
    MonthCount as "MonthCount" => month_count,
);

/// The counts, as the schema groups them.
pub(crate) struct StatsView {
    stats: Stats,
    by_severity: Vec<SeverityCount>,
    by_status: Vec<StatusCount>,
    by_source: Vec<SourceCount>,
    by_detection: Vec<DetectionCount>,
    by_qualification: Vec<TermCount>,
    reports: Vec<Report>,
}

struct SeverityCount(Severity, u64);
struct StatusCount(IncidentStatus, u64);
struct SourceCount(SourceName, u64);
struct DetectionCount(Detection, u64);
struct OwnerCount(Option<Link>, u64);
struct TermCount(Link, u64);
struct MonthCount(federation::MonthCount);

/// Arguments of `byOwner`.
#[derive(InputObject)]
pub(crate) struct TopArguments {
    /// At most so many owners, those with most incidents: 1 to 100.
    #[graphql(default = 10)]
    top: i32,
}

/// Arguments of `byMonth`.
#[derive(InputObject)]
pub(crate) struct MonthArguments {
    /// How many calendar months back, this one included: 1 to 120.
    #[graphql(default = 12)]
    months: i32,
    /// By which time.
    #[graphql(default_with = "IncidentTimeField::CreatedAt")]
    field: IncidentTimeField,
}

const MAX_TOP: i32 = 100;
const MAX_MONTHS: i32 = 120;

impl StatsView {
    pub(crate) fn new(mut stats: Stats, costs: &Arc<Costs>) -> Self {
        let reports = std::mem::take(&mut stats.reports);
        StatsView {
            by_severity: stats.by_severity.iter().map(|(word, count)| SeverityCount(*word, *count)).collect(),
            by_status: stats.by_status.iter().map(|(word, count)| StatusCount(*word, *count)).collect(),
            by_source: stats.by_source.iter().map(|(name, count)| SourceCount(name.clone(), *count)).collect(),
            by_detection: stats.by_detection.iter().map(|(word, count)| DetectionCount(*word, *count)).collect(),
            by_qualification: stats.by_qualification.iter().map(|(term, n)| TermCount(term.clone(), *n)).collect(),
            reports: reports.into_iter().map(|report| Report::new(report, Some(costs.clone()))).collect(),
            stats,
        }
    }

    /// Records that came with what was counted.
    pub(crate) fn embedded(&self) -> &[Record] {
        &self.stats.embedded
    }

    /// What a selection wants counted, so that nothing else is.
    pub(crate) fn wanted(plan: &Plan) -> (StatParts, u32) {
        let months = plan.branches("byMonth").filter_map(|(arguments, _)| arguments.map(cast::<MonthArguments>));
        let mut longest = 1;
        let mut fields = vec![];
        for MonthArguments { months, field } in months {
            longest = longest.max((*months).clamp(1, MAX_MONTHS).unsigned_abs());
            if !fields.contains(field) {
                fields.push(*field);
            }
        }
        let parts = StatParts {
            total: plan.selects("total") || plan.selects("bySource"),
            open: plan.selects("open"),
            by_severity: plan.selects("bySeverity"),
            by_status: plan.selects("byStatus"),
            by_source: plan.selects("bySource"),
            by_detection: plan.selects("byDetection"),
            by_owner: plan.selects("byOwner"),
            by_qualification: plan.selects("byQualification"),
            mean_time_to_resolve: plan.selects("meanTimeToResolveHours"),
            by_month: fields,
        };
        (parts, longest)
    }

    /// The query for a selection.
    pub(crate) fn query(filter: crate::domain::Filter, (parts, months): (StatParts, u32)) -> StatsQuery {
        StatsQuery { filter, parts, months }
    }
}

fn by_owner<'a>(view: &'a StatsView, arguments: &TopArguments, _: &Lookup<'a>) -> Result<Option<Child<'a>>, Hold> {
    if !(1..=MAX_TOP).contains(&arguments.top) {
        return Err(Fault::input("top", format!("must be from 1 to {MAX_TOP}, not {}.", arguments.top)).into());
    }
    let top = view.stats.by_owner.iter().take(arguments.top.unsigned_abs() as usize);
    let made = top.map(|(owner, count)| Child::Made(Box::new(OwnerCount(owner.clone(), *count))));
    Ok(Some(Child::Items(made.collect())))
}

fn by_month<'a>(view: &'a StatsView, arguments: &MonthArguments, _: &Lookup<'a>) -> Result<Option<Child<'a>>, Hold> {
    if !(1..=MAX_MONTHS).contains(&arguments.months) {
        let what = format!("must be from 1 to {MAX_MONTHS}, not {}.", arguments.months);
        return Err(Fault::input("months", what).into());
    }
    let counted = view.stats.by_month.iter().find(|months| months.field == arguments.field);
    let months = counted.map(|counted| counted.months.as_slice()).unwrap_or_default();
    let skipped = months.len().saturating_sub(arguments.months.unsigned_abs() as usize);
    let made = months[skipped..].iter().map(|month| Child::Made(Box::new(MonthCount(*month))));
    Ok(Some(Child::Items(made.collect())))
}

fn stats() -> Object {
    Object::of::<StatsView>("Counts of incidents by dimension, over all sources.")
        .computed("total", "How many there are.", |s| Count(s.stats.total))
        .computed("open", "Phase OPEN: neither resolved, closed nor dismissed.", |s| Count(s.stats.open))
        .field("precision", "How exact the counts are.", |s| &s.stats.precision)
        .objects::<SeverityCount, _>("bySeverity", "By severity, worst first.", |s| &s.by_severity)
        .objects::<StatusCount, _>("byStatus", "By status, in the order of a life.", |s| &s.by_status)
        .objects::<SourceCount, _>("bySource", "By source; one that did not answer is missing.", |s| &s.by_source)
        .objects::<DetectionCount, _>("byDetection", "Incidents that tell no detection are not counted.", |s| {
            &s.by_detection
        })
        .views::<TopArguments, OwnerCount>(
            "byOwner",
            "By owner, most incidents first; each owner of one counts.",
            by_owner,
        )
        .objects::<TermCount, _>(
            "byQualification",
            "By qualification, most incidents first; each of one counts.",
            |s| &s.by_qualification,
        )
        .views::<MonthArguments, MonthCount>(
            "byMonth",
            "The last `months` calendar months in UTC, oldest first, empty ones included.",
            by_month,
        )
        .field(
            "meanTimeToResolveHours",
            "From `createdAt` to `resolvedAt`, over incidents that have both; null if there are none.",
            |s| &s.stats.mean_time_to_resolve_hours,
        )
        .objects::<Report, _>("sources", "Who answered, and how.", |s| &s.reports)
        .end()
}

fn severity_count() -> Object {
    Object::of::<SeverityCount>("How many incidents have a severity.")
        .field("severity", "The severity.", |c| &c.0)
        .computed("count", "How many.", |c| Count(c.1))
        .end()
}

fn status_count() -> Object {
    Object::of::<StatusCount>("How many incidents have a status.")
        .field("status", "The status.", |c| &c.0)
        .computed("count", "How many.", |c| Count(c.1))
        .end()
}

fn source_count() -> Object {
    Object::of::<SourceCount>("How many incidents a source has.")
        .source(|c| &c.0)
        .computed("count", "How many.", |c| Count(c.1))
        .end()
}

fn detection_count() -> Object {
    Object::of::<DetectionCount>("How many incidents were noticed so.")
        .field("detection", "Who noticed.", |c| &c.0)
        .computed("count", "How many.", |c| Count(c.1))
        .end()
}

fn owner_count() -> Object {
    Object::of::<OwnerCount>("How many incidents an owner has.")
        .one::<Owner>("owner", "Whose; null: nobody's.", RecordKind::Owner, |c| c.0.as_ref())
        .computed("count", "How many.", |c| Count(c.1))
        .end()
}

fn term_count() -> Object {
    Object::of::<TermCount>("How many incidents have a qualification.")
        .one::<Term>("term", "The qualification.", RecordKind::Term, |c| Some(&c.0))
        .computed("count", "How many.", |c| Count(c.1))
        .end()
}

fn month_count() -> Object {
    Object::of::<MonthCount>("How many incidents fall into a month.")
        .computed("month", "As 2026-04.", |c| format!("{:04}-{:02}", c.0.year, c.0.month))
        .computed("count", "How many.", |c| Count(c.0.count))
        .computed("cumulative", "Everything up to its end.", |c| Count(c.0.cumulative))
        .end()
}
