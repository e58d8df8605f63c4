//! Records by id, and all records of a kind page by page.

use super::client::{ASSETS, Client, ENTITIES, EVIDENCES, Endpoint, FOLDERS, LABELS, TERMS, THREATS};
use super::incidents::collect;
use super::map::{self, Mapper, Notes};
use super::query::in_collection;
use super::release::MAX_PAGE_SIZE;
use super::wire::{AssetRow, EntityRow, EvidenceRow, FolderRow, LabelRow, Page, Row, TermRow, ThreatRow};
use crate::{
    domain::{NativeId, RawJson, Record, RecordKind, Rows},
    source::{Call, CatalogRequest, Found, SourceError, Want},
    upstream::uri,
};
use futures_util::future::join_all;
use std::sync::Arc;

/// A kind of row and the record that it becomes.
struct Kind<T> {
    list: Endpoint,
    /// Narrows the list to the records of this kind.
    filter: &'static str,
    map: fn(&Mapper, T, Option<RawJson>, &mut Notes) -> Record,
}

const ASSET: Kind<AssetRow> = Kind {
    list: ASSETS,
    filter: "",
    map: |mapper, row, raw, notes| Record::Asset(Arc::new(mapper.asset(row, raw, notes))),
};
const THREAT: Kind<ThreatRow> = Kind {
    list: THREATS,
    filter: "",
    map: |mapper, row, raw, notes| Record::Threat(Arc::new(mapper.threat(row, raw, notes))),
};
const EVIDENCE: Kind<EvidenceRow> = Kind {
    list: EVIDENCES,
    filter: "",
    map: |mapper, row, raw, notes| Record::Evidence(Arc::new(mapper.evidence(row, raw, notes))),
};
const SCOPE: Kind<FolderRow> = Kind {
    list: FOLDERS,
    filter: "",
    map: |mapper, row, raw, notes| Record::Scope(Arc::new(mapper.scope(row, raw, notes))),
};
const TAG: Kind<LabelRow> =
    Kind { list: LABELS, filter: "", map: |mapper, row, _, notes| Record::Tag(Arc::new(mapper.tag(row, notes))) };
const TERM: Kind<TermRow> = Kind {
    list: TERMS,
    filter: "field_path=qualifications&",
    map: |mapper, row, _, _| Record::Term(Arc::new(mapper.term(row))),
};
const ENTITY: Kind<EntityRow> = Kind {
    list: ENTITIES,
    filter: "",
    map: |mapper, row, raw, _| Record::RelatedRecord(Arc::new(mapper.entity(row, raw))),
};

/// Records of one client and call.
pub(super) struct Records<'a> {
    pub(super) client: &'a Client,
    pub(super) mapper: &'a Mapper,
    pub(super) call: &'a Call,
}

impl Records<'_> {
    /// Records by id. Owners and incidents are read elsewhere.
    pub(super) async fn by_ids(
        &self,
        kind: RecordKind,
        ids: &[NativeId],
        want: Want,
    ) -> Result<Found<Record>, SourceError> {
        match kind {
            RecordKind::Asset if want.profile => self.whole_assets(ids, want).await,
            RecordKind::Asset => self.of(ASSET, ids, want).await,
            RecordKind::Threat => self.of(THREAT, ids, want).await,
            RecordKind::Evidence => self.of(EVIDENCE, ids, want).await,
            RecordKind::Scope => self.of(SCOPE, ids, want).await,
            RecordKind::Tag => self.of(TAG, ids, want).await,
            RecordKind::Term => self.of(TERM, ids, want).await,
            RecordKind::RelatedRecord => self.related_records(ids, want).await,
            RecordKind::Incident | RecordKind::Owner => Err(self.unsupported()),
        }
    }

    /// A page of all records of a kind.
    pub(super) async fn page(&self, request: &CatalogRequest) -> Result<Rows<Record>, SourceError> {
        match request.kind {
            RecordKind::Asset if request.want.profile => {
                let mut rows = self.page_of(ASSET, request).await?;
                let items = self.completed(rows.items).await.into_iter();
                rows.items = items.map(|(_, asset)| asset).collect::<Result<_, _>>()?;
                Ok(rows)
            }
            RecordKind::Asset => self.page_of(ASSET, request).await,
            RecordKind::Threat => self.page_of(THREAT, request).await,
            RecordKind::Scope => self.page_of(SCOPE, request).await,
            RecordKind::Tag => self.page_of(TAG, request).await,
            RecordKind::Term => self.page_of(TERM, request).await,
            RecordKind::RelatedRecord => self.page_of(ENTITY, request).await,
            RecordKind::Evidence | RecordKind::Incident | RecordKind::Owner => Err(self.unsupported()),
        }
    }

    async fn of<T: Row>(&self, kind: Kind<T>, ids: &[NativeId], want: Want) -> Result<Found<Record>, SourceError> {
        let chunks = self.client.by_ids(self.call, kind.list, ids, want.raw).await;
        collect(chunks, |page| {
            let (records, masked) = self.map(&kind, page);
            (records.into_iter().map(|record| (record.key().native.clone(), record)).collect(), masked)
        })
    }

    /// Assets with all that is told of them.
    async fn whole_assets(&self, ids: &[NativeId], want: Want) -> Result<Found<Record>, SourceError> {
        let mut found = self.of(ASSET, ids, want).await?;
        let records = std::mem::take(&mut found.items).into_iter().map(|(_, record)| record).collect();
        for (id, asset) in self.completed(records).await {
            match asset {
                Ok(asset) => found.items.push((id, asset)),
                Err(error) => found.failed.push((id, error)),
            }
        }
        Ok(found)
    }

    /// Lists of later releases leave out what lies below an asset; there, each asset is read by itself.
    async fn completed(&self, assets: Vec<Record>) -> Vec<(NativeId, Result<Record, SourceError>)> {
        let whole = assets.into_iter().map(|record| async move {
            let id = record.key().native.clone();
            let Record::Asset(asset) = &record else { return (id, Ok(record)) };
            if asset.children.is_some() {
                return (id, Ok(record));
            }
            let read = self.client.record::<AssetRow>(self.call, ASSETS, format!("{}{id}/", ASSETS.path)).await;
            let whole = read.map(|row| {
                let raw = asset.raw.clone();
                Record::Asset(Arc::new(self.mapper.asset(row, raw, &mut Notes::default())))
            });
            (id, whole)
        });
        join_all(whole).await
    }

    /// Entities. The other collections are known from incidents alone, by id and name: no list of theirs is documented.
    async fn related_records(&self, ids: &[NativeId], want: Want) -> Result<Found<Record>, SourceError> {
        let entities: Vec<NativeId> = ids.iter().filter_map(|id| in_collection(id, map::ENTITIES)).collect();
        let chunks = self.client.by_ids(self.call, ENTITIES, &entities, want.raw).await;
        let bare = |record: &Record| in_collection(&record.key().native, map::ENTITIES);
        let found = collect(chunks, |page| {
            let (records, masked) = self.map(&ENTITY, page);
            (records.into_iter().filter_map(|record| Some((bare(&record)?, record))).collect(), masked)
        })?;
        let others = ids.iter().filter(|id| {
            map::COLLECTIONS.iter().any(|(name, _)| *name != map::ENTITIES && in_collection(id, name).is_some())
        });
        let mut failed: Vec<(NativeId, SourceError)> = others.map(|id| (id.clone(), self.unsupported())).collect();
        failed.extend(found.failed.into_iter().map(|(id, error)| (map::in_collection(map::ENTITIES, &id), error)));
        let items = found.items.into_iter().map(|(_, record)| (record.key().native.clone(), record)).collect();
        Ok(Found { items, failed, ..found })
    }

    async fn page_of<T: Row>(&self, kind: Kind<T>, request: &CatalogRequest) -> Result<Rows<Record>, SourceError> {
        let search = self.search(&kind, request);
        let limit = request.limit.clamp(1, MAX_PAGE_SIZE);
        // The lists have orders of their own; that they take another was not seen.
        let query = format!("{}{search}limit={limit}&offset={}", kind.filter, request.offset);
        let page: Page<T> = self.client.page(self.call, kind.list, &query, request.want.raw).await?;
        let (count, sent) = (page.count, page.sent);
        let malformed = u32::try_from(page.broken.len()).unwrap_or(u32::MAX);
        let (items, masked) = self.map(&kind, page);
        let after = request.offset.saturating_add(sent as u64);
        let more = sent > 0 && after < count;
        Ok(Rows { items, total: Some(count), more, consumed: sent, malformed, masked, ..Rows::default() })
    }

    /// Only labels are known to be searched in what we search in: their text.
    fn search<T>(&self, kind: &Kind<T>, request: &CatalogRequest) -> String {
        let terms = request.search.terms();
        let plain = |term: &String| term.is_ascii() && !term.contains(['"', '\\', '\0']);
        if kind.list.path != LABELS.path || terms.is_empty() || !terms.iter().all(plain) {
            return String::new();
        }
        let phrases: Vec<String> = terms.iter().map(|term| format!("\"{term}\"")).collect();
        format!("{}&", uri::query([("search", phrases.join(" "))]))
    }

    fn map<T>(&self, kind: &Kind<T>, page: Page<T>) -> (Vec<Record>, u32) {
        let mut notes = Notes::default();
        let rows = page.rows.into_iter();
        let records = rows.map(|(row, raw)| (kind.map)(self.mapper, row, raw.map(RawJson::new), &mut notes)).collect();
        for (member, word) in &notes.unknown {
            self.client.tell_unknown(self.call, kind.list, member, word);
        }
        (records, notes.masked)
    }

    fn unsupported(&self) -> SourceError {
        SourceError::unsupported(&self.client.source, "read records of this kind by themselves")
    }
}
