//! Reading through a source, up to a bound: for orders and filters that it has not, for counting, and for what it does not
//! give by id.

use super::{
    plan::SourcePlan,
    seek::LIST,
    snapshot::{Asking, Copy, View, Visit},
};
use crate::{
    domain::{Filter, Incident, NativeId, Record, RecordKind, RowParts, Test, Time},
    source::{Call, Capabilities, Found, Source, SourceError, SourceErrorKind, Want},
};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// How sources are read through.
#[derive(Clone, Copy)]
pub(super) struct Scanner<'a> {
    /// The request's: all its sources read through the same.
    pub(super) visit: &'a Visit<'a>,
    /// How many rows of one source may be read.
    pub(super) limit: usize,
}

/// Incidents that match, in no order, each once.
pub(super) struct Scan {
    pub(super) incidents: Vec<Arc<Incident>>,
    /// The bound was met before the end.
    pub(super) truncated: bool,
    pub(super) malformed: u32,
    /// Named by the source as existing but withheld.
    pub(super) restricted: Vec<NativeId>,
    /// Why single incidents are missing.
    pub(super) error: Option<SourceError>,
    /// When reading began, if that was for a copy.
    pub(super) read_at: Option<Time>,
}

impl<'a> Scanner<'a> {
    /// A question for all rows under a plan's tests, with what the gateway's own filter looks at.
    pub(super) fn planned(
        self,
        source: &'a dyn Source,
        call: &'a Call,
        plan: &'a SourcePlan,
        capabilities: &'a Capabilities,
        want: Want,
    ) -> Asking<'a> {
        let want = looked_at(&plan.residual, want);
        Asking { source, call, capabilities, tests: &plan.tests, want, limit: self.limit }
    }

    /// A question for all rows there are.
    fn whole(self, source: &'a dyn Source, call: &'a Call, capabilities: &'a Capabilities, want: Want) -> Asking<'a> {
        Asking { source, call, capabilities, tests: &[], want, limit: self.limit }
    }

    /// All rows that the source gives, before the gateway filters.
    pub(super) async fn rows(self, asking: Asking<'a>) -> Result<View, SourceError> {
        self.visit.read(asking, |_| false).await
    }

    /// Whether all these rows are there, for somebody else's question or an earlier page.
    pub(super) fn keeps(self, asking: &Asking<'a>) -> bool {
        self.visit.keeps(asking)
    }

    /// All rows that the gateway's own filter lets pass.
    pub(super) async fn scan(self, asking: Asking<'a>, residual: &Filter) -> Result<Scan, SourceError> {
        let view = self.rows(asking).await?;
        Ok(Scan {
            incidents: view.copy.rows().iter().filter(|row| residual.matches(row)).cloned().collect(),
            truncated: view.truncated,
            malformed: view.malformed,
            restricted: view.restricted,
            error: None,
            read_at: Some(view.begun),
        })
    }

    /// Looks for incidents in the list of a source that gives none by id. Ids that were not met before the bound failed;
    /// those not met at all do not exist.
    pub(super) async fn find(
        self,
        source: &'a dyn Source,
        call: &'a Call,
        capabilities: &'a Capabilities,
        ids: &[NativeId],
        want: Want,
    ) -> Result<Found<Arc<Incident>>, SourceError> {
        self.seek(self.whole(source, call, capabilities, want), ids, |copy, id| copy.row(id)).await
    }

    /// Looks for records that only rows tell, as [`Scanner::find`] does.
    pub(super) async fn find_records(
        self,
        source: &'a dyn Source,
        call: &'a Call,
        capabilities: &'a Capabilities,
        kind: RecordKind,
        ids: &[NativeId],
        want: Want,
    ) -> Result<Found<Record>, SourceError> {
        let asking = self.whole(source, call, capabilities, of_records(kind, want));
        self.seek(asking, ids, |copy, id| copy.record(kind, id)).await
    }

    /// Rows for all records of a kind that only they tell.
    pub(super) async fn records(
        self,
        source: &'a dyn Source,
        call: &'a Call,
        capabilities: &'a Capabilities,
        kind: RecordKind,
        want: Want,
    ) -> Result<View, SourceError> {
        self.rows(self.whole(source, call, capabilities, of_records(kind, want))).await
    }

    /// Reads until all ids are met.
    async fn seek<T: Clone>(
        self,
        asking: Asking<'a>,
        ids: &[NativeId],
        get: impl for<'c> Fn(&'c Copy, &NativeId) -> Option<&'c T> + Send + Sync,
    ) -> Result<Found<T>, SourceError> {
        let view = self.visit.read(asking, |copy| ids.iter().all(|id| get(copy, id).is_some())).await?;
        let mut found = Found { malformed: view.malformed, ..Found::default() };
        for id in ids {
            match get(&view.copy, id) {
                Some(item) => found.items.push((id.clone(), item.clone())),
                None if view.truncated => found.failed.push((id.clone(), not_met(asking.source, &view))),
                None => {}
            }
        }
        Ok(found)
    }
}

/// What is wanted of rows, so that they tell records of a kind. Assets tell their own risks, which are threats.
fn of_records(kind: RecordKind, want: Want) -> Want {
    let assets = want.assets || matches!(kind, RecordKind::Asset | RecordKind::Threat);
    Want { assets, rows: want.rows.or(RowParts::records(kind)), ..want }
}

/// Of an id that is not among the rows that were read, where there are more.
fn not_met(source: &dyn Source, view: &View) -> SourceError {
    let (name, read) = (&source.info().name, view.copy.rows().len());
    let text =
        format!("The source “{name}” does not give this by id, and it is not among the first {read} of its incidents.");
    SourceError::new(SourceErrorKind::Unavailable, name, LIST, text)
}

/// Fetches incidents by id and filters them.
pub(super) async fn by_ids(
    source: &dyn Source,
    call: &Call,
    ids: &[NativeId],
    residual: &Filter,
    want: Want,
) -> Result<Scan, SourceError> {
    let found = source.fetch(call, ids, looked_at(residual, want)).await?;
    let mut seen = FxHashSet::default();
    let fresh = found.items.into_iter().filter(|(id, _)| seen.insert(id.clone())).map(|(_, incident)| incident);
    Ok(Scan {
        incidents: fresh.filter(|incident| residual.matches(incident)).collect(),
        truncated: false,
        malformed: found.malformed,
        restricted: Vec::new(),
        error: found.failed.into_iter().next().map(|(_, error)| error),
        read_at: None,
    })
}

/// What is wanted of rows, with what a filter looks at.
pub(super) fn looked_at(filter: &Filter, mut want: Want) -> Want {
    filter.visit(&mut |test| match test {
        Test::Assets(_) => want.assets = true,
        Test::Search(_) | Test::Description(_) | Test::ComputedDescription(_) => {
            want.rows = want.rows.or(RowParts::TEXTS)
        }
        // Their mail stands in their own records.
        Test::Owners(_) | Test::CreatedBy(_) => want.rows = want.rows.or(RowParts::records(RecordKind::Owner)),
        _ => {}
    });
    want
}
