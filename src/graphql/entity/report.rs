//! `SourceReport`: how one source answered.

use crate::{
    domain::{NativeId, SourceName, SourceStatus, Text, Time},
    federation::{Cost, SourceReport},
    graphql::{
        cost::Costs,
        error::{ErrorCode, Fault},
        leaf::{Count, Milliseconds},
        object::{Object, declare},
    },
};
use std::sync::Arc;

declare!(
    Report as "SourceReport" => report,
    Failure as "SourceError" => failure,
);

/// A report, with what the rest of the answer cost the source.
pub(crate) struct Report {
    report: SourceReport,
    below: Option<Arc<Costs>>,
    failure: Option<Failure>,
}

/// Why a source failed.
struct Failure(Fault);

impl Report {
    /// `below`: what is loaded for the rest of the answer, once it is loaded.
    pub(crate) fn new(report: SourceReport, below: Option<Arc<Costs>>) -> Self {
        let failure = report.error.as_ref().map(|error| Failure(Fault::from(error)));
        Report { report, below, failure }
    }

    /// What the list itself cost.
    pub(crate) fn own_cost(&self) -> (SourceName, Cost) {
        let SourceReport { source, upstream_calls: calls, waited, malformed, masked, stale_since, .. } = &self.report;
        let (calls, waited, malformed, masked, stale_since) = (*calls, *waited, *malformed, *masked, *stale_since);
        (source.clone(), Cost { calls, waited, malformed, masked, stale_since })
    }

    fn cost_below(&self) -> Cost {
        self.below.as_ref().map(|costs| costs.of(&self.report.source)).unwrap_or_default()
    }

    /// An answer is as old as its oldest part; what went wrong with the list itself says more than that.
    fn status(&self) -> SourceStatus {
        match self.report.status {
            SourceStatus::Ok if self.cost_below().stale_since.is_some() => SourceStatus::Stale,
            status => status,
        }
    }

    fn fetched_at(&self) -> Option<Time> {
        let own = self.report.fetched_at?;
        Some(self.cost_below().stale_since.map_or(own, |since| since.min(own)))
    }
}

fn report() -> Object {
    Object::of::<Report>("How one source answered: who, how complete, how fresh, at what cost.")
        .source(|r| &r.report.source)
        .computed(
            "status",
            "How it answered, here and for everything selected below: `STALE` if any of that is older than it may be.",
            Report::status,
        )
        .computed("itemCount", "Rows of this page.", |r| Count(r.report.items as u64))
        .computed("totalCount", "Rows under the same filter on all pages, where it is known.", |r| {
            r.report.total.map(Count)
        })
        .computed(
            "fetchedAt",
            "When it answered: the rows, or the oldest stale answer below them if that is older. Null if it was not asked.",
            Report::fetched_at,
        )
        .computed("latencyMs", "Time of its calls for this list, in milliseconds.", |r| {
            r.report.latency.map(Milliseconds)
        })
        .computed("waitedMs", "Time spent waiting for the source's rate limit, in milliseconds.", |r| {
            Milliseconds(r.report.waited + r.cost_below().waited)
        })
        .computed(
            "fromCache",
            "Whether the rows were remembered from before, or anything selected below them that is stale.",
            |r| r.report.from_cache || r.cost_below().stale_since.is_some(),
        )
        .computed("upstreamCalls", "All calls to the source for this field and everything selected below it.", |r| {
            Count(r.report.upstream_calls + r.cost_below().calls)
        })
        .field("filteredBySource", "What the source filtered by itself.", |r| &r.report.filtered_by_source)
        .field("filteredByGateway", "What the gateway filtered by.", |r| &r.report.filtered_by_gateway)
        .field("truncated", "More matched than the gateway may read; the rest is missing.", |r| &r.report.truncated)
        .computed("malformedCount", "Records that were broken: left out, or shown without their broken members.", |r| {
            Count(u64::from(r.report.malformed) + u64::from(r.cost_below().malformed))
        })
        .computed(
            "maskedCount",
            "Links in these rows, and in what was loaded below them, that the source hides.",
            |r| Count(u64::from(r.report.masked) + u64::from(r.cost_below().masked)),
        )
        .computed("restrictedIds", "Native ids that the source named as existing but withheld.", |r| {
            r.report.restricted_ids.iter().map(NativeId::to_string).collect::<Vec<String>>()
        })
        .computed("skippedReason", "Why it was not asked.", |r| r.report.skipped_reason.clone())
        .maybe_object("error", "Why it did not answer, or not in full.", |r| r.failure.as_ref())
        .end()
}

fn failure() -> Object {
    Object::of::<Failure>("Why a source did not answer, or not in full.")
        .computed("code", "The stable code.", |f| -> ErrorCode { f.0.code })
        .computed("message", "What happened, written by the gateway.", |f| Text::from(&*f.0.message))
        .computed("retryable", "Whether asking again may help.", |f| f.0.retryable)
        .computed("retryAfterMs", "How long to wait before, in milliseconds, where the source said it.", |f| {
            f.0.retry_after.map(|after| Count(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)))
        })
        .end()
}
