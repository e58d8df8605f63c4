//! Records by key: each source is asked once for all of its own, all sources at the same time.

use super::{Batch, Cost, Federation};
use crate::{
    domain::{
        DetailPart, DetailParts, Details, Incident, IncidentField, Key, NativeId, Record, RecordKind, SourceName,
    },
    source::{Call, Capabilities, DetailRequest, Found, Source, SourceError, Want},
};
use futures_util::future::join_all;
use rustc_hash::FxHashSet;
use std::{collections::BTreeMap, sync::Arc};

/// What one source answered for its ids.
struct Answered<T> {
    source: SourceName,
    ids: Vec<NativeId>,
    found: Result<Found<T>, SourceError>,
    call: Call,
}

impl Federation {
    /// Incidents by key.
    pub async fn fetch(&self, call: &Call, keys: &[Key], want: Want) -> Batch<Record> {
        let asked = self.owners_of(keys).map(|(source, ids)| {
            let call = call.fork();
            async move {
                let found = self.incidents_of(&**source, &call, &ids, want).await;
                let found = found.map(|found| each(found, Record::Incident));
                Answered { source: source.info().name.clone(), ids, found, call }
            }
        });
        gather(join_all(asked).await)
    }

    /// Incidents of one source by id; where it gives none by id, from its list.
    pub(super) async fn incidents_of(
        &self,
        source: &dyn Source,
        call: &Call,
        ids: &[NativeId],
        want: Want,
    ) -> Result<Found<Arc<Incident>>, SourceError> {
        let capabilities = source.capabilities(call).await;
        match capabilities.by_id.contains(&RecordKind::Incident) {
            true => source.fetch(call, ids, want).await,
            false => self.scanner(&self.visit()).find(source, call, &capabilities, ids, want).await,
        }
    }

    /// Records of one kind by key.
    pub async fn related(&self, call: &Call, kind: RecordKind, keys: &[Key], want: Want) -> Batch<Record> {
        if kind == RecordKind::Incident {
            return self.fetch(call, keys, want).await;
        }
        let asked = self.owners_of(keys).map(|(source, ids)| {
            let call = call.fork();
            async move {
                let found = self.records_of(&**source, &call, kind, &ids, want).await;
                Answered { source: source.info().name.clone(), ids, found, call }
            }
        });
        gather(join_all(asked).await)
    }

    /// Records of one source by id; those that it does not give so, from its rows. What it neither gives by id nor tells in
    /// its rows is known only from where it stands.
    async fn records_of(
        &self,
        source: &dyn Source,
        call: &Call,
        kind: RecordKind,
        ids: &[NativeId],
        want: Want,
    ) -> Result<Found<Record>, SourceError> {
        let capabilities = source.capabilities(call).await;
        let mut found = match capabilities.by_id.contains(&kind) {
            true => source.related(call, kind, ids, want).await?,
            false => Found::default(),
        };
        let answered = found.items.iter().map(|(id, _)| id).chain(found.failed.iter().map(|(id, _)| id));
        let answered: FxHashSet<&NativeId> = answered.collect();
        let left: Vec<NativeId> = ids.iter().filter(|id| !answered.contains(id)).cloned().collect();
        if !left.is_empty() && capabilities.embedded.contains(&kind) {
            let visit = self.visit();
            match self.scanner(&visit).find_records(source, call, &capabilities, kind, &left, want).await {
                Ok(told) => found.absorb(told),
                // What was given by id is there all the same.
                Err(error) => found.failed.extend(left.into_iter().map(|id| (id, error.clone()))),
            }
        }
        Ok(found)
    }

    /// What sources give only per incident. A part that a source cannot give is missing, and is no failure: what a source
    /// can give is told by its capabilities, and must not depend on what else was asked for.
    pub async fn details(&self, call: &Call, parts: DetailParts, keys: &[Key], want: Want) -> Batch<Arc<Details>> {
        let asked = self.owners_of(keys).map(|(source, ids)| {
            let call = call.fork();
            async move {
                let name = source.info().name.clone();
                let parts = possible(parts, &*source.capabilities(&call).await);
                if parts == DetailParts::default() {
                    return Answered { source: name, ids, found: Ok(Found::default()), call };
                }
                let request = DetailRequest { parts, incidents: ids, want };
                let found = source.details(&call, &request).await.map(|found| each(found, Arc::new));
                Answered { source: name, ids: request.incidents, found, call }
            }
        });
        gather(join_all(asked).await)
    }

    /// Ids by source, sorted and distinct. Keys of sources that are not there are left out: they name nothing.
    fn owners_of(&self, keys: &[Key]) -> impl Iterator<Item = (&Arc<dyn Source>, Vec<NativeId>)> {
        let mut by_source: BTreeMap<&SourceName, Vec<NativeId>> = BTreeMap::new();
        for key in keys {
            by_source.entry(&key.source).or_default().push(key.native.clone());
        }
        let owned: Vec<_> = by_source
            .into_iter()
            .filter_map(|(name, mut ids)| {
                ids.sort_unstable();
                ids.dedup();
                self.source(name).map(|source| (source, ids))
            })
            .collect();
        owned.into_iter()
    }
}

/// The parts that a source can give.
fn possible(parts: DetailParts, capabilities: &Capabilities) -> DetailParts {
    let can = |part| match part {
        DetailPart::Comments => capabilities.read_comments,
        DetailPart::Activity => capabilities.history,
        DetailPart::DeletePreview => capabilities.delete_preview,
        DetailPart::Evidence => capabilities.read.contains(&IncidentField::Evidence),
        DetailPart::Assets => capabilities.read.contains(&IncidentField::Assets),
    };
    let asked = DetailPart::ALL.into_iter().filter(|part| parts.contains(*part) && can(*part));
    asked.fold(DetailParts::default(), DetailParts::with)
}

fn each<T, U>(found: Found<T>, make: impl Fn(T) -> U) -> Found<U> {
    Found {
        items: found.items.into_iter().map(|(id, item)| (id, make(item))).collect(),
        failed: found.failed,
        malformed: found.malformed,
        masked: found.masked,
        embedded: found.embedded,
    }
}

fn gather<T>(answers: Vec<Answered<T>>) -> Batch<T> {
    let mut batch = Batch::default();
    for Answered { source, ids, found, call } in answers {
        let key = |native| Key { source: source.clone(), native };
        let (mut malformed, mut masked) = (0, 0);
        match found {
            Ok(found) => {
                (malformed, masked) = (found.malformed, found.masked);
                batch.embedded.extend(found.embedded);
                batch.found.extend(found.items.into_iter().map(|(id, item)| (key(id), item)));
                batch.failed.extend(found.failed.into_iter().map(|(id, error)| (key(id), error)));
            }
            Err(error) => batch.failed.extend(ids.into_iter().map(|id| (key(id), error.clone()))),
        }
        let cost = Cost::of(&call, malformed, masked);
        batch.costs.push((source, cost));
    }
    batch
}
