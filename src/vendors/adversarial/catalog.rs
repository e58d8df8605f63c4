//! The small lists that are read as a whole: the objectives, which are documented words, and the organisation's sources.

use super::client::{Client, SOURCES};
use super::map::Mapper;
use super::wire::SourceRow;
use super::words::OBJECTIVES;
use crate::{
    domain::{NativeId, Record, RecordKind, Rows},
    source::{Call, CatalogRequest, Found, SourceError},
    vendors::common::read_record,
};
use std::sync::Arc;

/// A page of all records of one kind.
pub(super) async fn page(
    client: &Client,
    mapper: &Mapper,
    call: &Call,
    request: &CatalogRequest,
) -> Result<Rows<Record>, SourceError> {
    let (all, malformed) = match request.kind {
        RecordKind::Threat => (objectives(mapper), 0),
        RecordKind::Term => sources(client, mapper, call).await?,
        _ => return Err(SourceError::unsupported(&client.source, "list records of this kind")),
    };
    let offset = usize::try_from(request.offset).unwrap_or(usize::MAX);
    let total = all.len();
    let items: Vec<Record> = all.into_iter().skip(offset).take(request.limit).collect();
    let (consumed, end) = (items.len(), offset.saturating_add(items.len()));
    Ok(Rows { items, total: Some(total as u64), more: end < total, consumed, malformed, ..Rows::default() })
}

/// Records of one kind by id.
pub(super) async fn by_ids(
    client: &Client,
    mapper: &Mapper,
    call: &Call,
    kind: RecordKind,
    ids: &[NativeId],
) -> Result<Found<Record>, SourceError> {
    let (all, malformed) = match kind {
        RecordKind::Threat => (objectives(mapper), 0),
        RecordKind::Term => sources(client, mapper, call).await?,
        _ => return Ok(Found::default()),
    };
    let asked = all.into_iter().filter(|record| ids.contains(&record.key().native));
    Ok(Found {
        items: asked.map(|record| (record.key().native.clone(), record)).collect(),
        malformed,
        ..Found::default()
    })
}

fn objectives(mapper: &Mapper) -> Vec<Record> {
    OBJECTIVES.iter().map(|word| Record::Threat(Arc::new(mapper.threat(word)))).collect()
}

/// Sources by name, each once, and how many could not be read.
async fn sources(client: &Client, mapper: &Mapper, call: &Call) -> Result<(Vec<Record>, u32), SourceError> {
    let page = client.page(call, SOURCES, "/incidents/sources", false, read_record::<SourceRow>).await?;
    let mut all: Vec<Record> = Vec::with_capacity(page.rows.len());
    for (_, SourceRow(name), _) in page.rows {
        let term = Record::Term(Arc::new(mapper.term(name)));
        if !all.iter().any(|other| other.key() == term.key()) {
            all.push(term);
        }
    }
    Ok((all, u32::try_from(page.broken.len()).unwrap_or(u32::MAX)))
}
