//! `incidents`: a page of one list over all sources.

use super::{
    Federation, FederationError,
    cursor::{CursorFault, Fingerprint, Place, Signer, encode_place},
    merge::{Entry, merge},
    outcome::SourceReport,
    read::{Part, Reading},
};
use crate::{
    domain::{CountPrecision, Filter, Incident, Order, PageSize, Position, SourceName, SourceStatus, Test, Time},
    source::{Call, Want},
};
use futures_util::future::join_all;
use std::sync::Arc;

/// Which page of which list.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IncidentQuery {
    pub filter: Filter,
    pub order: Order,
    pub first: PageSize,
    /// A cursor of a page of the same list.
    pub after: Option<String>,
    /// Sources without whose rows there is no answer.
    pub require_sources: Vec<SourceName>,
    pub want: Want,
    /// Count all that match, where that costs more than the page.
    pub want_total: bool,
}

/// A page, and how every source answered. If all failed, it is empty, and the reports tell why.
#[derive(Clone)]
pub struct IncidentPage {
    pub items: Vec<Row>,
    pub has_next: bool,
    pub has_previous: bool,
    /// Incidents on all pages; none where not even a bound is known.
    pub total: Option<u64>,
    pub precision: CountPrecision,
    /// One for each source, in the order of the configuration.
    pub reports: Vec<SourceReport>,
    cursors: Cursors,
}

/// One incident of a page.
#[derive(Clone, Debug)]
pub struct Row {
    pub incident: Arc<Incident>,
    position: Position,
    /// Index of the source, and how many of its rows lie at or before this one.
    source: usize,
    end: u64,
}

/// What the cursors of a page have in common.
#[derive(Clone)]
struct Cursors {
    signer: Signer,
    issued: Time,
    query: Fingerprint,
    /// For each source, how many of its rows lie before the page.
    starts: Vec<(SourceName, u64)>,
}

impl IncidentPage {
    /// The cursor of the row at `index`; none beyond the last row. Made when asked for, since most are never shown.
    pub fn cursor(&self, index: usize) -> Option<String> {
        let row = self.items.get(index)?;
        let mut offsets: Vec<u64> = self.cursors.starts.iter().map(|(_, start)| *start).collect();
        for row in &self.items[..=index] {
            offsets[row.source] = row.end;
        }
        let named = self.cursors.starts.iter().map(|(name, _)| name).zip(offsets);
        Some(self.cursors.signer.seal(self.cursors.issued, self.cursors.query, &encode_place(&row.position, named)))
    }
}

impl Federation {
    /// A page of the incidents of all sources that match, in one order.
    ///
    /// # Errors
    /// A cursor that cannot be used, a name that no source has, or a required source that failed. Any other failure
    /// costs the source's rows and is in its report.
    pub async fn incidents(&self, call: &Call, query: &IncidentQuery) -> Result<IncidentPage, FederationError> {
        self.known("requireSources", query.require_sources.iter())?;
        self.known("filter.sources", named_sources(&query.filter).into_iter())?;
        let fingerprint = Fingerprint::of(&("incidents", &query.filter, query.order, &call.caller.scope));
        let calls: Vec<Call> = self.sources.iter().map(|_| call.fork()).collect();
        let place = match &query.after {
            Some(after) => Some(self.place(&calls, call.now, after, fingerprint, query.order).await?),
            None => None,
        };
        let first = query.first.rows();
        let enough = if self.sources.len() > 1 { first - first / 4 } else { first };
        let visit = self.visit();
        let reading = Reading { query, place: place.as_ref(), scanner: self.scanner(&visit), enough };
        let asked = self.sources.iter().zip(&calls).map(|(source, call)| reading.part(&**source, call));
        let mut parts = join_all(asked).await;
        self.fill(&calls, Reading { enough: first, ..reading }, &mut parts).await;
        for part in &parts {
            match &part.report.error {
                Some(error) if query.require_sources.contains(&part.report.source) => {
                    return Err(FederationError::Source(error.clone()));
                }
                _ => {}
            }
        }
        Ok(self.page(call, query, fingerprint, parts))
    }

    /// Asks again those sources that gave too little at once, if their rows run out before the page is full.
    async fn fill(&self, calls: &[Call], reading: Reading<'_>, parts: &mut [Part]) {
        let (order, first) = (reading.query.order, reading.query.first.rows());
        while parts.iter().any(|part| part.short) {
            let merged = merge(order, parts.iter().map(|part| part.run.clone()).collect(), first).rows;
            let taken = |index: usize| merged.iter().filter(|(source, _)| *source == index).count();
            let dry = |(index, part): &(usize, &mut Part)| part.short && taken(*index) == part.run.rows.len();
            if merged.len() == first {
                return;
            }
            let asked = parts.iter_mut().enumerate().filter(dry).map(async |(index, part)| {
                *part = reading.part(&*self.sources[index], &calls[index]).await;
            });
            if join_all(asked).await.is_empty() {
                return;
            }
        }
    }

    fn page(&self, call: &Call, query: &IncidentQuery, fingerprint: Fingerprint, parts: Vec<Part>) -> IncidentPage {
        let (total, precision) = count(&parts);
        let mut runs = Vec::with_capacity(parts.len());
        let mut reports = Vec::with_capacity(parts.len());
        let mut starts = Vec::with_capacity(parts.len());
        for part in parts {
            starts.push((part.report.source.clone(), part.start));
            reports.push(part.report);
            runs.push(part.run);
        }
        let merged = merge(query.order, runs, query.first.rows());
        let mut items = Vec::with_capacity(merged.rows.len());
        for (source, Entry { position, incident, end }) in merged.rows {
            reports[source].items += 1;
            let hidden = incident.hidden_links.iter().map(|hidden| u32::try_from(hidden.count).unwrap_or(0)).sum();
            reports[source].masked = reports[source].masked.saturating_add(hidden);
            items.push(Row { incident, position, source, end });
        }
        let cursors = Cursors { signer: self.signer.clone(), issued: call.now, query: fingerprint, starts };
        let has_previous = query.after.is_some();
        IncidentPage { items, has_next: merged.more, has_previous, total, precision, reports, cursors }
    }

    /// Where the cursor says that the walk stands. `calls` are those of the sources.
    async fn place(
        &self,
        calls: &[Call],
        now: Time,
        after: &str,
        fingerprint: Fingerprint,
        order: Order,
    ) -> Result<Place, CursorFault> {
        let mut place = Place::decode(&self.signer.open(after, now, fingerprint)?)?;
        if place.mark.is_cut() {
            // With the whole sort key again, if the incident is still there and still has it.
            let key = place.mark.position.key.clone();
            let asked = self.sources.iter().zip(calls).find(|(source, _)| source.info().name == key.source);
            let Some((source, call)) = asked else { return Ok(place) };
            let found = self.incidents_of(&**source, call, &[key.native], Want::default()).await;
            if let Some((_, incident)) = found.ok().and_then(|found| found.items.into_iter().next()) {
                place.mark = place.mark.completed(order.position(&incident));
            }
        }
        Ok(place)
    }

    /// Whether there is a source for each name. `argument` is where they stand.
    pub(super) fn known<'a>(
        &self,
        argument: &'static str,
        mut names: impl Iterator<Item = &'a SourceName>,
    ) -> Result<(), FederationError> {
        match names.find(|name| self.source(name).is_none()) {
            Some(name) => Err(self.unknown(argument, name)),
            None => Ok(()),
        }
    }
}

/// Every source that the filter names.
pub(super) fn named_sources(filter: &Filter) -> Vec<&SourceName> {
    let mut names = Vec::new();
    filter.visit(&mut |test| {
        if let Test::Sources(sources) = test {
            names.extend(sources);
        }
    });
    names
}

/// The sum of what all sources count. A source that failed makes it a lower bound; if all failed, nothing is known.
fn count(parts: &[Part]) -> (Option<u64>, CountPrecision) {
    let asked = parts.iter().filter(|part| part.report.status != SourceStatus::Skipped);
    let worst = asked.clone().map(|part| part.precision).max().unwrap_or(CountPrecision::Exact);
    let totals: Vec<u64> = asked.clone().filter_map(|part| part.report.total).collect();
    if worst == CountPrecision::Unknown || (totals.is_empty() && asked.count() > 0) {
        return (None, CountPrecision::Unknown);
    }
    (Some(totals.iter().sum()), worst)
}
