//! Reading through a source, up to a bound: for orders and filters that it has not, for counting, and for what it does not
//! give by id.

use super::{
    plan::SourcePlan,
    seek::LIST,
    snapshot::{Asking, Snapshots, View},
};
use crate::{
    domain::{Filter, Incident, NativeId, Record, RecordKind, Test, Time},
    source::{Call, Capabilities, Found, Source, SourceError, SourceErrorKind, Want},
};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// How sources are read through.
#[derive(Clone, Copy)]
pub(super) struct Scanner<'a> {
    pub(super) snapshots: &'a Snapshots,
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

impl Scanner<'_> {
    /// All rows that the source gives under a plan's tests, before the gateway filters.
    pub(super) async fn rows(
        self,
        source: &dyn Source,
        call: &Call,
        plan: &SourcePlan,
        capabilities: &Capabilities,
        want: Want,
    ) -> Result<View, SourceError> {
        let want = looked_at(&plan.residual, want);
        let asking = Asking { source, call, capabilities, tests: &plan.tests, want, limit: self.limit };
        self.snapshots.read(asking, |_| false).await
    }

    /// Whether all these rows are there, for somebody else's question or an earlier page.
    pub(super) fn keeps(
        self,
        source: &dyn Source,
        call: &Call,
        plan: &SourcePlan,
        capabilities: &Capabilities,
        want: Want,
    ) -> bool {
        let want = looked_at(&plan.residual, want);
        self.snapshots.keeps(&Asking { source, call, capabilities, tests: &plan.tests, want, limit: self.limit })
    }

    /// All rows that pass a plan.
    pub(super) async fn scan(
        self,
        source: &dyn Source,
        call: &Call,
        plan: &SourcePlan,
        capabilities: &Capabilities,
        want: Want,
    ) -> Result<Scan, SourceError> {
        let view = self.rows(source, call, plan, capabilities, want).await?;
        Ok(Scan {
            incidents: view.copy.rows().iter().filter(|row| plan.residual.matches(row)).cloned().collect(),
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
        source: &dyn Source,
        call: &Call,
        ids: &[NativeId],
        want: Want,
    ) -> Result<Found<Arc<Incident>>, SourceError> {
        let capabilities = source.capabilities(call).await;
        let asking = Asking { source, call, capabilities: &capabilities, tests: &[], want, limit: self.limit };
        let view = self.snapshots.read(asking, |copy| ids.iter().all(|id| copy.row(id).is_some())).await?;
        Ok(sought(source, &view, ids, |id| view.copy.row(id).cloned()))
    }

    /// Looks for records that only rows tell, as [`Scanner::find`] does.
    pub(super) async fn find_records(
        self,
        source: &dyn Source,
        call: &Call,
        kind: RecordKind,
        ids: &[NativeId],
        want: Want,
    ) -> Result<Found<Record>, SourceError> {
        let capabilities = source.capabilities(call).await;
        let want = of_records(kind, want);
        let asking = Asking { source, call, capabilities: &capabilities, tests: &[], want, limit: self.limit };
        let view = self.snapshots.read(asking, |copy| ids.iter().all(|id| copy.record(kind, id).is_some())).await?;
        Ok(sought(source, &view, ids, |id| view.copy.record(kind, id).cloned()))
    }

    /// Rows for all records of a kind that only they tell.
    pub(super) async fn records(
        self,
        source: &dyn Source,
        call: &Call,
        capabilities: &Capabilities,
        kind: RecordKind,
        want: Want,
    ) -> Result<View, SourceError> {
        let want = of_records(kind, want);
        self.snapshots.read(Asking { source, call, capabilities, tests: &[], want, limit: self.limit }, |_| false).await
    }
}

/// What is wanted of rows, so that they tell records of a kind.
fn of_records(kind: RecordKind, want: Want) -> Want {
    Want { assets: want.assets || kind == RecordKind::Asset, ..want }
}

fn sought<T>(source: &dyn Source, view: &View, ids: &[NativeId], get: impl Fn(&NativeId) -> Option<T>) -> Found<T> {
    let mut found = Found { malformed: view.malformed, ..Found::default() };
    for id in ids {
        match get(id) {
            Some(item) => found.items.push((id.clone(), item)),
            None if view.truncated => {
                let (name, read) = (&source.info().name, view.copy.rows().len());
                let text = format!(
                    "The source “{name}” does not give this by id, and it is not among the first {read} of its incidents."
                );
                found.failed.push((id.clone(), SourceError::new(SourceErrorKind::Unavailable, name, LIST, text)));
            }
            None => {}
        }
    }
    found
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
    filter.visit(&mut |test| want.assets |= matches!(test, Test::Assets(_)));
    want
}
