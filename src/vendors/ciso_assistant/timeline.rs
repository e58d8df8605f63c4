//! What hangs on an incident's timeline: entries written by people are comments, all entries are activity, and evidence
//! is tied to incidents through entries only (observed on v3.15.1). One call answers for many incidents.

use super::client::{Client, ENTRIES, ROWS_OF_ALL};
use super::map::{Mapper, Notes, time};
use super::wire::{EntryRow, Page, Reference};
use super::words::{self, SEVERITIES, SEVERITY_CHANGED, STATUS_CHANGED, STATUSES};
use crate::{
    domain::{
        Activity, ActivityKind, Comment, CommentKind, DetailParts, Details, EvidenceKind, EvidenceLink, FieldChange,
        IncidentField, IncidentStatus, Key, Link, NativeId, RawJson, Severity, Text, Time, Vocabulary,
    },
    source::{Call, Found, SourceError, SourceErrorKind, Want},
    upstream::{UpstreamErrorKind, uri::IdList},
};
use futures_util::future::join_all;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const OPERATION: &str = ENTRIES.operation;
/// The filter that names incidents; it repeats, and takes no commas.
const INCIDENT: &str = "incident";

/// An entry of which the links are made, with its text where that was asked for.
struct Entry {
    key: Key,
    title: Option<Text>,
    source_type: Option<Text>,
    at: Option<Time>,
    created_at: Option<Time>,
    updated_at: Option<Time>,
    body: Option<Text>,
    author: Option<Link>,
    evidence: Vec<Link>,
    masked: u32,
    raw: Option<RawJson>,
}

/// What became of one call.
enum Asked {
    Pages(Page<EntryRow>),
    /// Refused because of one of the incidents, or too long an answer for all of them.
    Halve(SourceError),
}

/// Comments, activity and evidence of many incidents. Incidents that do not exist are missing; those without a timeline
/// have empty lists.
pub(super) async fn details(
    client: &Client,
    mapper: &Mapper,
    call: &Call,
    parts: DetailParts,
    incidents: &[NativeId],
    want: Want,
) -> Found<Details> {
    let mut ids: Vec<NativeId> = incidents.iter().filter(|id| id.is_uuid()).cloned().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = Found::default();
    for (ids, answer) in read(client, call, ids, want.raw).await {
        match answer {
            Ok(page) => found.absorb(sort_out(client, mapper, call, parts, &ids, page)),
            Err(error) => found.failed.extend(ids.into_iter().map(|id| (id, error.clone()))),
        }
    }
    found
}

/// Reads the entries of all incidents, in chunks that fit into a request line. A chunk that is refused because one of
/// its incidents is gone is halved until that one stands alone, and is then left out.
async fn read(
    client: &Client,
    call: &Call,
    ids: Vec<NativeId>,
    raw: bool,
) -> Vec<(Vec<NativeId>, Result<Page<EntryRow>, SourceError>)> {
    let texts: Vec<String> = ids.iter().map(NativeId::to_string).collect();
    let head = format!("limit={ROWS_OF_ALL}&");
    let chunks = client.chunks(ENTRIES, &head, &texts, IdList::Repeated(INCIDENT));
    let mut open: Vec<Vec<NativeId>> = chunks.into_iter().map(|chunk| ids[chunk].to_vec()).collect();
    let mut done = Vec::new();
    while !open.is_empty() {
        let asked = join_all(open.drain(..).map(async |ids| {
            let asked = ask(client, call, &ids, raw).await;
            (ids, asked)
        }));
        for (mut ids, asked) in asked.await {
            match asked {
                Ok(Asked::Pages(page)) => done.push((ids, Ok(page))),
                Ok(Asked::Halve(_)) if ids.len() > 1 => {
                    let second = ids.split_off(ids.len() / 2);
                    open.extend([ids, second]);
                }
                // The incident itself is what was refused: it does not exist.
                Ok(Asked::Halve(error)) if error.kind() == SourceErrorKind::Rejected => {}
                Ok(Asked::Halve(error)) | Err(error) => done.push((ids, Err(error))),
            }
        }
    }
    done
}

async fn ask(client: &Client, call: &Call, ids: &[NativeId], raw: bool) -> Result<Asked, SourceError> {
    let texts: Vec<String> = ids.iter().map(NativeId::to_string).collect();
    let filter = format!("{}&", IdList::Repeated(INCIDENT).write(&texts));
    let path = format!("{}?{filter}limit={ROWS_OF_ALL}", ENTRIES.path);
    let answer = match client.ask(call, OPERATION, path).await {
        Ok(answer) => answer,
        Err(error) if error.cause().is_some_and(|cause| cause.kind() == UpstreamErrorKind::TooLarge) => {
            return Ok(Asked::Halve(error));
        }
        Err(error) => return Err(error),
    };
    if answer.status == 400 {
        let told: Map<String, Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
        if told.contains_key(INCIDENT) {
            return Ok(Asked::Halve(client.refusal(OPERATION, &answer)));
        }
    }
    client.check(OPERATION, &answer)?;
    let mut page: Page<EntryRow> = client.open_page(call, ENTRIES, &answer, raw)?;
    while page.sent > 0 && (page.sent as u64) < page.count {
        let next: Page<EntryRow> = {
            let query = format!("{filter}limit={ROWS_OF_ALL}&offset={}", page.sent);
            client.page(call, ENTRIES, &query, raw).await?
        };
        if next.sent == 0 {
            break;
        }
        page.sent += next.sent;
        page.rows.extend(next.rows);
        page.broken.extend(next.broken);
    }
    Ok(Asked::Pages(page))
}

/// Gives each incident its entries.
fn sort_out(
    client: &Client,
    mapper: &Mapper,
    call: &Call,
    parts: DetailParts,
    ids: &[NativeId],
    page: Page<EntryRow>,
) -> Found<Details> {
    let mut found = Found { malformed: u32::try_from(page.broken.len()).unwrap_or(u32::MAX), ..Found::default() };
    let mut entries: BTreeMap<NativeId, Vec<Entry>> = ids.iter().map(|id| (id.clone(), Vec::new())).collect();
    // Pages of a list that grows meanwhile may overlap.
    let mut seen = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    for (row, raw) in page.rows {
        let incident = match &row.incident {
            Some(Reference::To(id, _)) => Some(id.clone()),
            // Asked for one, the server answers for that one.
            _ if ids.len() == 1 => ids.first().cloned(),
            _ => None,
        };
        match incident.as_ref().and_then(|id| entries.get_mut(id)) {
            Some(all) => {
                if seen.insert(row.id.0.clone()) {
                    let entry = Entry::new(mapper, row, raw);
                    unknown.extend(entry.unknown_word());
                    all.push(entry);
                }
            }
            None => found.malformed += 1,
        }
    }
    for word in unknown {
        client.tell_unknown(call, ENTRIES, "entry_type", &word);
    }
    for (id, entries) in entries {
        let details = details_of(parts, entries);
        found.masked += details.masked;
        found.items.push((id, details));
    }
    found
}

fn details_of(parts: DetailParts, mut entries: Vec<Entry>) -> Details {
    let masked = entries.iter().map(|entry| entry.masked).sum();
    // Newest first; what has the same moment by the time of writing, then by id.
    entries.sort_by(|a, b| (b.at, b.created_at).cmp(&(a.at, a.created_at)).then_with(|| a.key.cmp(&b.key)));
    let comments = entries.iter().filter_map(Entry::comment);
    Details {
        comments: parts.comments.then(|| Arc::new(comments.collect())),
        activity: parts.activity.then(|| Arc::new(entries.iter().map(Entry::activity).collect())),
        evidence: parts.evidence.then(|| Arc::new(evidence(&entries))),
        masked,
        ..Details::default()
    }
}

/// From the oldest entry on; a piece that hangs on several belongs to the first.
fn evidence(newest_first: &[Entry]) -> Vec<EvidenceLink> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for entry in newest_first.iter().rev() {
        for evidence in &entry.evidence {
            if seen.insert(evidence.key.clone()) {
                all.push(EvidenceLink {
                    evidence: evidence.clone(),
                    kind: Some(EvidenceKind::Document),
                    added_at: entry.at,
                    added_by: entry.author.clone(),
                    obtained_from: None,
                });
            }
        }
    }
    all
}

impl Entry {
    fn new(mapper: &Mapper, row: EntryRow, raw: Option<Box<str>>) -> Self {
        let mut notes = Notes::default();
        let author = mapper.one(row.author, &mut notes);
        let evidence = mapper.links(row.evidences, &mut notes);
        Entry {
            key: mapper.key(row.id.0),
            title: row.entry.or(row.display),
            source_type: row.entry_type,
            at: time(row.timestamp),
            created_at: time(row.created_at),
            updated_at: time(row.updated_at),
            body: row.observation,
            author,
            evidence,
            masked: notes.masked,
            raw: raw.map(RawJson::new),
        }
    }

    /// The kind, if it was written by a person. The two kinds that the server writes by itself are none; a kind that is
    /// in no release seen may be.
    fn comment_kind(&self) -> Option<CommentKind> {
        match self.source_type.as_deref() {
            Some("observation") => Some(CommentKind::Observation),
            Some("detection") => Some(CommentKind::Detection),
            Some("mitigation") => Some(CommentKind::Mitigation),
            _ => None,
        }
    }

    fn activity_kind(&self) -> ActivityKind {
        match self.source_type.as_deref() {
            Some(STATUS_CHANGED) => ActivityKind::StatusChanged,
            Some(SEVERITY_CHANGED) => ActivityKind::SeverityChanged,
            _ if self.comment_kind().is_some() => ActivityKind::Commented,
            _ => ActivityKind::Other,
        }
    }

    fn unknown_word(&self) -> Option<Text> {
        if self.activity_kind() == ActivityKind::Other { self.source_type.clone() } else { None }
    }

    fn comment(&self) -> Option<Comment> {
        Some(Comment {
            key: self.key.clone(),
            kind: self.comment_kind()?,
            source_type: self.source_type.clone(),
            title: self.title.clone(),
            body: self.body.clone(),
            author: self.author.clone(),
            at: self.at,
            created_at: self.created_at,
            updated_at: self.updated_at,
            evidence: self.evidence.clone(),
            raw: self.raw.clone(),
        })
    }

    fn activity(&self) -> Activity {
        Activity {
            key: self.key.clone(),
            kind: self.activity_kind(),
            source_type: self.source_type.clone(),
            at: self.at,
            actor: self.author.clone(),
            title: self.title.clone(),
            description: self.body.clone(),
            changes: self.change().into_iter().collect(),
            evidence: self.evidence.clone(),
            subject_type: None,
            subject_id: None,
            details: None,
            raw: self.raw.clone(),
        }
    }

    /// `"<Old>-><New>"`, in labels, becomes our words.
    fn change(&self) -> Option<FieldChange> {
        let (before, after) = self.title.as_deref()?.split_once("->")?;
        let (field, source_field, word): (_, _, fn(&str) -> &'static str) = match self.activity_kind() {
            ActivityKind::StatusChanged => (IncidentField::Status, "status", status),
            ActivityKind::SeverityChanged => (IncidentField::Severity, "severity", severity),
            _ => return None,
        };
        let json = |label: &str| Some(RawJson::new(Value::from(word(label.trim())).to_string()));
        Some(FieldChange {
            field,
            source_field: Some(source_field.into()),
            before: json(before),
            after: json(after),
            added: None,
            removed: None,
        })
    }
}

fn status(label: &str) -> &'static str {
    words::meaning(&STATUSES, label).unwrap_or(IncidentStatus::Other).name()
}

fn severity(label: &str) -> &'static str {
    words::meaning(&SEVERITIES, label).unwrap_or(Severity::Unknown).name()
}
