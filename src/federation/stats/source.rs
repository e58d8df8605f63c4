//! Counts of one source: by its own metrics and totals where they are exact and mean the same, else by reading.

use super::{
    StatParts, StatsQuery,
    counts::{Counts, month_index},
};
use crate::{
    domain::{
        CountPrecision, Detection, IncidentField, IncidentStatus, IncidentTimeField, Link, MetricParts, Metrics,
        NativeId, Record, RecordKind, RowParts, Search, Severity, TermKind, Test, Text, Time,
    },
    federation::{
        outcome::SourceReport,
        plan::{Route, SourcePlan},
        prepare::{Prepared, prepare},
        scan::{Scanner, by_ids},
        seek::LIST,
    },
    source::{Call, Capabilities, CatalogRequest, Fit, ListRequest, Source, SourceError, Want},
};
use futures_util::{
    FutureExt,
    future::{join, join3, try_join_all},
};
use rustc_hash::FxHashMap;

/// Counts what matches at one source. No counts: it failed or was skipped, as the report says.
pub(super) async fn count(
    source: &dyn Source,
    call: &Call,
    query: &StatsQuery,
    scanner: Scanner<'_>,
) -> (SourceReport, Option<Counts>) {
    let mut report = SourceReport::new(&source.info().name);
    let mut read_at = None;
    let counts = match counted(source, call, query, scanner, &mut report, &mut read_at).await {
        Ok(counts) => counts,
        Err(error) => {
            report.fail(error);
            None
        }
    };
    report.measure(call);
    report.read_at(read_at);
    (report, counts)
}

async fn counted(
    source: &dyn Source,
    call: &Call,
    query: &StatsQuery,
    scanner: Scanner<'_>,
    report: &mut SourceReport,
    read_at: &mut Option<Time>,
) -> Result<Option<Counts>, SourceError> {
    let (plan, capabilities) = match prepare(source, call, &query.filter, None).await? {
        Prepared::Skip(reason) => {
            report.skip(reason);
            return Ok(None);
        }
        Prepared::Plan(plan, capabilities) => (plan, capabilities),
    };
    report.filtered_by_source.clone_from(&plan.by_source);
    report.filtered_by_gateway.clone_from(&plan.by_gateway);
    let scan = match &plan.route {
        Route::ByIds(ids) => by_ids(source, call, ids, &plan.residual, Want::default()).await?,
        Route::Ask | Route::Scan => {
            let ours = Told { source, call, plan: &plan, capabilities: &capabilities, parts: &query.parts };
            if let Some(counts) = ours.counts(scanner.limit).await? {
                return Ok(Some(counts));
            }
            // Names of owners stand in their records.
            let rows = if query.parts.by_owner { RowParts::records(RecordKind::Owner) } else { RowParts::NONE };
            let asking = scanner.planned(source, call, &plan, &capabilities, Want { rows, ..Want::default() });
            scanner.scan(asking, &plan.residual).await?
        }
    };
    *read_at = scan.read_at;
    report.truncated = scan.truncated;
    report.malformed = scan.malformed;
    if let Some(error) = scan.error {
        report.fail(error);
    }
    let mut counts = Counts::default();
    scan.incidents.iter().for_each(|incident| counts.count(incident, &query.parts));
    // They are not counted as memory of copies any more.
    drop(scan.incidents);
    if scan.truncated {
        // What was read is a part; what the source itself counts need not be.
        let parts = query.parts.countable();
        let ours = Told { source, call, plan: &plan, capabilities: &capabilities, parts: &parts };
        if let Some(told) = ours.counts(scanner.limit).await? {
            counts.correct(told);
        }
    }
    Ok(Some(counts))
}

/// What a source can tell without its incidents being read.
struct Told<'a> {
    source: &'a dyn Source,
    call: &'a Call,
    plan: &'a SourcePlan,
    capabilities: &'a Capabilities,
    parts: &'a StatParts,
}

/// The scope that a plan is limited to, if that is all it asks for.
enum Over<'a> {
    Everything,
    Scope(&'a NativeId),
}

impl Told<'_> {
    /// None: the incidents have to be read.
    async fn counts(&self, scan_limit: usize) -> Result<Option<Counts>, SourceError> {
        let parts = self.parts;
        let months = parts.by_month.iter().any(|field| *field != IncidentTimeField::ReportedAt);
        if self.plan.filters_here() || parts.by_owner || parts.mean_time_to_resolve || months {
            return Ok(None);
        }
        let metrics = self.metric_parts();
        let missing = (parts.by_qualification && !metrics.by_qualification)
            || (!parts.by_month.is_empty() && !metrics.by_month_reported)
            || (self.status() && !metrics.by_status && !self.counts_by(IncidentField::Status))
            || (parts.by_severity && !metrics.by_severity && !self.counts_by(IncidentField::Severity))
            || (parts.by_detection && !metrics.by_detection && !self.counts_by(IncidentField::Detection))
            || (!metrics.total && self.capabilities.list.total != CountPrecision::Exact);
        if missing {
            return Ok(None);
        }
        let by_list = self.by_list(metrics);
        let (told, listed) = join(self.metrics(metrics), by_list).await;
        let (told, Some(mut counts)) = (told?, listed?) else { return Ok(None) };
        let terms = match &told.by_qualification {
            Some(names) if names.iter().any(|(_, count)| *count > 0) => self.terms(scan_limit).await?,
            _ => FxHashMap::default(),
        };
        Ok(enter(told, &terms, &mut counts).then_some(counts))
    }

    fn status(&self) -> bool {
        self.parts.by_status || self.parts.open
    }

    /// What the plan is limited to, where metrics can be limited to it.
    fn over(&self) -> Option<Over<'_>> {
        match self.plan.tests.as_slice() {
            [] => Some(Over::Everything),
            [Test::Scopes(scopes)] => match scopes.as_slice() {
                [scope] => Some(Over::Scope(&scope.native)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Metrics that are wanted and that the source has.
    fn metric_parts(&self) -> MetricParts {
        let (has, parts) = (self.capabilities.metrics, self.parts);
        if self.over().is_none() {
            return MetricParts::default();
        }
        MetricParts {
            total: has.total,
            by_severity: has.by_severity && parts.by_severity,
            by_status: has.by_status && self.status(),
            by_detection: has.by_detection && parts.by_detection,
            by_qualification: has.by_qualification && parts.by_qualification,
            by_month_reported: has.by_month_reported && !parts.by_month.is_empty(),
        }
    }

    async fn metrics(&self, parts: MetricParts) -> Result<Metrics, SourceError> {
        match self.over() {
            Some(over) if !parts.is_empty() => {
                let scope = match over {
                    Over::Everything => None,
                    Over::Scope(scope) => Some(scope),
                };
                self.source.metrics(self.call, parts, scope).await
            }
            _ => Ok(Metrics::default()),
        }
    }

    /// Whether the source's lists can be counted for each value of a field.
    fn counts_by(&self, field: IncidentField) -> bool {
        let filters = self.capabilities.list.filters.iter().any(|filter| filter.exact && filter.field == field);
        filters && self.capabilities.list.total == CountPrecision::Exact
    }

    /// Counts that the metrics do not tell, by the totals of lists of which one row is read. None where a total is not
    /// exact.
    async fn by_list(&self, told: MetricParts) -> Result<Option<Counts>, SourceError> {
        let (parts, mut counts) = (self.parts, Counts::default());
        let total = async { if told.total { Ok(Some(0)) } else { self.total(self.plan.tests.clone()).await } };
        let statuses: Vec<IncidentStatus> = self.capabilities.statuses.iter().map(|known| known.status).collect();
        let severities: Vec<Severity> = self.capabilities.severities.iter().map(|known| known.severity).collect();
        let detections: Vec<Detection> = self.capabilities.detections.clone();
        let wanted = |wanted: bool, told: bool| wanted && !told;
        let by_value = join3(
            self.each(wanted(self.status(), told.by_status), statuses, |value| Test::Status(vec![value])),
            self.each(wanted(parts.by_severity, told.by_severity), severities, |value| Test::Severity(vec![value])),
            self.each(wanted(parts.by_detection, told.by_detection), detections, |value| Test::Detection(vec![value])),
        );
        // Boxed: the state of nine lists at once would make every future above as large.
        let (total, (status, severity, detection)) = join(total, by_value).boxed().await;
        let (Some(total), Some(status), Some(severity), Some(detection)) = (total?, status?, severity?, detection?)
        else {
            return Ok(None);
        };
        counts.total = total;
        counts.status.extend(status);
        counts.severity.extend(severity);
        counts.detection.extend(detection);
        Ok(Some(counts))
    }

    /// The total for each value of a field, within the values that the plan asks for.
    async fn each<T: Copy>(
        &self,
        wanted: bool,
        values: Vec<T>,
        test: impl Fn(T) -> Test,
    ) -> Result<Option<Vec<(T, u64)>>, SourceError> {
        let asked = values.into_iter().filter(|_| wanted).filter_map(|value| {
            let test = test(value);
            let mut tests = self.plan.tests.clone();
            match tests.iter_mut().find(|other| other.field() == test.field()) {
                Some(other) if !allows(other, &test) => return None,
                Some(other) => *other = test,
                None => tests.push(test),
            }
            Some(async move { self.total(tests).await.map(|count| count.map(|count| (value, count))) })
        });
        Ok(try_join_all(asked).await?.into_iter().collect())
    }

    /// How many incidents pass the tests; none where the source cannot count them exactly.
    async fn total(&self, tests: Vec<Test>) -> Result<Option<u64>, SourceError> {
        let fits: Vec<Fit> = tests.iter().map(|test| self.capabilities.fit(test)).collect();
        if fits.contains(&Fit::Nothing) {
            return Ok(Some(0));
        }
        if fits.iter().any(|fit| *fit != Fit::Source) {
            return Ok(None);
        }
        let request = ListRequest { tests, order: None, offset: 0, limit: 1, want: Want::default() };
        let page = self.source.list(self.call, &request).await?;
        let name = &self.source.info().name;
        let total =
            page.total.ok_or_else(|| SourceError::malformed(name, LIST, "without the total that it promises"))?;
        Ok((!page.capped).then_some(total))
    }

    /// Qualifications by their raw name. Read once for the request.
    async fn terms(&self, limit: usize) -> Result<FxHashMap<Text, Link>, SourceError> {
        let mut terms = FxHashMap::default();
        if !self.capabilities.catalog.contains(&RecordKind::Term) {
            return Ok(terms);
        }
        let mut request = CatalogRequest {
            kind: RecordKind::Term,
            offset: 0,
            limit: self.capabilities.list.max_page_size.max(1),
            want: Want::default(),
            search: Search::parse(""),
        };
        loop {
            let page = self.source.catalog(self.call, &request).await?;
            for record in page.items {
                if let Record::Term(term) = record
                    && term.kind == TermKind::Qualification
                {
                    let name = term.label.clone().unwrap_or_else(|| term.name.clone());
                    terms.insert(term.name.clone(), Link::new(term.key.clone(), name));
                }
            }
            request.offset += page.consumed as u64;
            if !page.more || page.consumed == 0 || request.offset >= limit as u64 {
                return Ok(terms);
            }
        }
    }
}

/// Whether the one value of `value` is among those that `test` allows.
fn allows(test: &Test, value: &Test) -> bool {
    match (test, value) {
        (Test::Status(all), Test::Status(one)) => one.iter().all(|value| all.contains(value)),
        (Test::Severity(all), Test::Severity(one)) => one.iter().all(|value| all.contains(value)),
        (Test::Detection(all), Test::Detection(one)) => one.iter().all(|value| all.contains(value)),
        _ => false,
    }
}

/// Adds what the metrics told. False if a qualification is none that the source lists: then its incidents tell.
fn enter(told: Metrics, terms: &FxHashMap<Text, Link>, counts: &mut Counts) -> bool {
    counts.total += told.total.unwrap_or(0);
    counts.severity.extend(told.by_severity.into_iter().flatten());
    counts.status.extend(told.by_status.into_iter().flatten());
    counts.detection.extend(told.by_detection.into_iter().flatten());
    for (year, month, count) in told.by_month_reported.into_iter().flatten() {
        let months = counts.months.entry(IncidentTimeField::ReportedAt).or_default();
        *months.entry(month_index(year, month)).or_default() += count;
    }
    for (name, count) in told.by_qualification.into_iter().flatten().filter(|(_, count)| *count > 0) {
        let Some(term) = terms.get(&name) else { return false };
        counts.qualifications.entry(term.key.clone()).or_insert_with(|| (term.clone(), 0)).1 += count;
    }
    true
}
