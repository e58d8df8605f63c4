//! Reading all that a plan lets through, up to a bound: for orders that a source cannot sort by, and for counting.

use super::{plan::SourcePlan, seek::LIST};
use crate::{
    domain::{Filter, Incident, NativeId, Test},
    source::{Call, Capabilities, Found, ListRequest, Source, SourceError, SourceErrorKind, Want},
};
use rustc_hash::FxHashSet;
use std::sync::Arc;

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
}

/// Reads at most `limit` rows of the source.
pub(super) async fn scan(
    source: &dyn Source,
    call: &Call,
    plan: &SourcePlan,
    capabilities: &Capabilities,
    want: Want,
    limit: usize,
) -> Result<Scan, SourceError> {
    let call = &call.background();
    let want = looked_at(&plan.residual, want);
    let mut scan = Scan { incidents: Vec::new(), truncated: false, malformed: 0, restricted: Vec::new(), error: None };
    let mut seen = FxHashSet::default();
    let mut read = 0;
    loop {
        let rows = (limit - read).min(capabilities.list.max_page_size).max(1);
        let tests = plan.tests.clone();
        let request = ListRequest { tests, order: None, offset: read as u64, limit: rows, want };
        let page = source.list(call, &request).await?;
        if page.more && page.consumed == 0 {
            let what = "without the rows that it had promised";
            return Err(SourceError::malformed(&source.info().name, LIST, what));
        }
        read += page.consumed;
        scan.malformed = scan.malformed.saturating_add(page.malformed);
        scan.restricted.extend(page.restricted);
        // Rows that move down while the list is read come twice.
        let fresh = page.items.into_iter().filter(|incident| seen.insert(incident.key.clone()));
        scan.incidents.extend(fresh.filter(|incident| plan.residual.matches(incident)));
        if !page.more {
            return Ok(scan);
        }
        if read >= limit {
            scan.truncated = true;
            return Ok(scan);
        }
    }
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
    })
}

/// Looks for incidents in the list of a source that gives none by id, in at most `limit` rows. Ids that were not met
/// before the bound failed; those not met at all do not exist.
pub(super) async fn find(
    source: &dyn Source,
    call: &Call,
    ids: &[NativeId],
    want: Want,
    limit: usize,
) -> Result<Found<Arc<Incident>>, SourceError> {
    let mut wanted: FxHashSet<&NativeId> = ids.iter().collect();
    let (mut found, mut read) = (Found::default(), 0);
    let rows = source.capabilities(call).await.list.max_page_size.max(1);
    while !wanted.is_empty() {
        let limit_here = (limit - read).min(rows);
        if limit_here == 0 {
            let name = &source.info().name;
            let text = format!(
                "The source “{name}” gives no incident by id, and this one is not among the first {limit} of its list."
            );
            let error = SourceError::new(SourceErrorKind::Unavailable, name, LIST, text);
            let mut lost: Vec<NativeId> = wanted.into_iter().cloned().collect();
            lost.sort_unstable();
            found.failed.extend(lost.into_iter().map(|id| (id, error.clone())));
            break;
        }
        let request = ListRequest { tests: vec![], order: None, offset: read as u64, limit: limit_here, want };
        let page = source.list(call, &request).await?;
        if page.more && page.consumed == 0 {
            return Err(SourceError::malformed(&source.info().name, LIST, "without the rows that it had promised"));
        }
        read += page.consumed;
        found.malformed = found.malformed.saturating_add(page.malformed);
        let hits = page.items.into_iter().filter(|incident| wanted.remove(&incident.key.native));
        found.items.extend(hits.map(|incident| (incident.key.native.clone(), incident)));
        if !page.more {
            break;
        }
    }
    Ok(found)
}

/// What is wanted of rows, with what a filter looks at.
pub(super) fn looked_at(filter: &Filter, mut want: Want) -> Want {
    filter.visit(&mut |test| want.assets |= matches!(test, Test::Assets(_)));
    want
}
