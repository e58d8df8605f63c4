//! What deleting an incident would take along, asked for each incident by itself: there is no call for many.

use super::client::{Client, Endpoint};
use super::wire::{Cascade, CascadePart};
use crate::{
    domain::{CascadeGroup, CascadePreview, CascadeRecord, Details, NativeId},
    source::{Call, Found, SourceError, SourceErrorKind},
};
use futures_util::future::join_all;
use std::{collections::BTreeMap, sync::Arc};

const CASCADE: Endpoint = Endpoint { path: "/api/incidents/", operation: "preview_deletion", item: "deletion preview" };

/// A preview for each incident that exists, or why there is none.
pub(super) async fn previews(
    client: &Client,
    call: &Call,
    incidents: &[NativeId],
) -> Vec<(NativeId, Result<CascadePreview, SourceError>)> {
    let ids = incidents.iter().filter(|id| id.is_uuid());
    let asked = join_all(ids.map(async |id| {
        let path = format!("{}{id}/cascade-info/", CASCADE.path);
        let preview: Result<Cascade, SourceError> = client.record(call, CASCADE, path).await;
        (id.clone(), preview)
    }));
    let is_missing = |error: &SourceError| error.kind() == SourceErrorKind::NotFound;
    let answers = asked.await.into_iter().filter(|(_, answer)| !answer.as_ref().is_err_and(is_missing));
    answers.map(|(id, answer)| (id, answer.map(preview))).collect()
}

/// Puts previews beside the other details, which are none where nobody asked for them.
pub(super) fn add(
    others: Option<Found<Details>>,
    previews: Vec<(NativeId, Result<CascadePreview, SourceError>)>,
) -> Found<Details> {
    let alone = others.is_none();
    let mut found = others.unwrap_or_default();
    let mut places: BTreeMap<NativeId, usize> =
        found.items.iter().enumerate().map(|(place, (id, _))| (id.clone(), place)).collect();
    for (id, preview) in previews {
        match (preview, places.get(&id)) {
            (Ok(preview), Some(place)) => found.items[*place].1.delete_preview = Some(Arc::new(preview)),
            (Ok(preview), None) if alone => {
                places.insert(id.clone(), found.items.len());
                found.items.push((id, Details { delete_preview: Some(Arc::new(preview)), ..Details::default() }));
            }
            // The other details of this incident failed, which is told by now.
            (Ok(_), None) => {}
            (Err(error), _) => found.failed.push((id, error)),
        }
    }
    found
}

fn preview(cascade: Cascade) -> CascadePreview {
    CascadePreview { deleted: group(cascade.deleted), affected: group(cascade.affected) }
}

/// The server's groups are sorted by what people call them; ours by type, then name.
fn group(part: CascadePart) -> CascadeGroup {
    let mut records: Vec<CascadeRecord> = Vec::new();
    for group in part.grouped_objects {
        records.extend(group.objects.into_iter().map(|object| CascadeRecord {
            source_id: object.id,
            record_type: group.model.clone(),
            type_label: group.verbose_name.clone(),
            name: object.name,
        }));
    }
    records.sort_by(|a, b| (&a.record_type, &a.name, &a.source_id).cmp(&(&b.record_type, &b.name, &b.source_id)));
    CascadeGroup { count: part.count, message: part.message, level: part.level, records }
}
