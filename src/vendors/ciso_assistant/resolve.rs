//! Ids of what people name otherwise.

use super::client::{INCIDENTS, LABELS};
use super::incidents::Incidents;
use super::query::ordering;
use super::release::MAX_PAGE_SIZE;
use super::wire::{IncidentRow, LabelRow, Page};
use crate::{
    domain::{NativeId, Search},
    source::{Reference, SourceError, SourceErrorKind, Want},
    upstream::uri,
};
use futures_util::future::join_all;

/// A reference that cannot be searched for is looked for in so many incidents.
const MOST_SCANNED: usize = 10_000;
/// The longest reference that the server keeps, in characters (published document, `ref_id`).
const MAX_REFERENCE_CHARS: usize = 100;

/// For each reference, in order, all that it names.
pub(super) async fn resolve(
    incidents: &Incidents<'_>,
    references: &[Reference],
) -> Result<Vec<Vec<NativeId>>, SourceError> {
    let all = join_all(references.iter().map(async |reference| {
        let (people, client, call) = (incidents.people, incidents.client, incidents.call);
        match reference {
            Reference::Incident(text) => incident(incidents, text).await,
            Reference::OwnerEmail(email) => people.by_email(client, call, &email.to_lowercase()).await,
            Reference::OwnerSourceId(id) => people.by_source_id(client, call, id).await,
            Reference::TagName(name) => tags(incidents, name).await,
        }
    }));
    all.await.into_iter().collect()
}

/// By id, or by the reference that people use, exactly as written.
async fn incident(incidents: &Incidents<'_>, text: &str) -> Result<Vec<NativeId>, SourceError> {
    if let Some(id) = NativeId::typed(text).find(NativeId::is_uuid) {
        let found = incidents.fetch(std::slice::from_ref(&id), Want::default()).await?;
        if let Some((_, error)) = found.failed.first() {
            return Err(error.clone());
        }
        if !found.items.is_empty() {
            return Ok(vec![id]);
        }
    }
    // An absent reference is an empty text there, and names nothing here; a longer one than the server keeps, nothing there.
    if text.is_empty() || text.chars().count() > MAX_REFERENCE_CHARS {
        return Ok(Vec::new());
    }
    let search = searchable(text).map(|phrase| format!("{}&", uri::query([("search", phrase)]))).unwrap_or_default();
    let ordering = ordering(None).unwrap_or_default();
    let (mut found, mut offset) = (Vec::new(), 0);
    while offset < MOST_SCANNED {
        let query = format!("{search}limit={MAX_PAGE_SIZE}&offset={offset}&ordering={ordering}");
        let page: Page<IncidentRow> = incidents.client.page(incidents.call, INCIDENTS, &query, false).await?;
        offset += page.sent;
        let is_it = |row: &IncidentRow| row.ref_id.as_deref() == Some(text);
        found.extend(page.rows.into_iter().filter(|(row, _)| is_it(row)).map(|(row, _)| row.id.0));
        if page.sent == 0 || offset as u64 >= page.count {
            return Ok(found);
        }
    }
    if found.is_empty() { Err(too_many(incidents)) } else { Ok(found) }
}

/// Whether the reference is further back cannot be told.
fn too_many(incidents: &Incidents<'_>) -> SourceError {
    let name = &incidents.client.source;
    let text = format!(
        "The source “{name}” cannot search for this reference, and it is not among its first {MOST_SCANNED} incidents."
    );
    SourceError::new(SourceErrorKind::Unavailable, name, INCIDENTS.operation, text)
}

/// Labels whose text is this one, any case. There are few of them, and each name is unique.
async fn tags(incidents: &Incidents<'_>, name: &str) -> Result<Vec<NativeId>, SourceError> {
    let page: Page<LabelRow> = incidents.client.all(incidents.call, LABELS, "", false).await?;
    let name = name.to_lowercase();
    Ok(page.rows.into_iter().filter(|(row, _)| row.label.to_lowercase() == name).map(|(row, _)| row.id.0).collect())
}

/// The text as a phrase to search for; none where the server would read it otherwise.
fn searchable(text: &str) -> Option<String> {
    let plain = text.is_ascii() && !text.contains(['"', '\\', '\0']);
    // What is only blanks is no term at all.
    (plain && !Search::parse(text).terms().is_empty()).then(|| format!("\"{text}\""))
}
