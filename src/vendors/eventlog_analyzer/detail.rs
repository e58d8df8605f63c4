//! From the detail of an incident to comments, activity, evidence and assets. Pure.
//!
//! Notes and activity have no ids. Each is numbered from the oldest on, within its incident, so that a number stays when
//! more are added.

use super::map::{Mapper, Notes, meant};
use super::wire::{ActivityRow, Detail, EvidenceRow, NoteRow, Rows};
use super::words;
use crate::domain::{
    Activity, ActivityKind, Asset, AssetKind, AssetLink, AssetRole, Comment, CommentKind, DetailParts, Details,
    Evidence, EvidenceKind, EvidenceLink, EvidenceOrigin, Link, LogEvent, NativeId, RawJson, Record, Severity, Text,
    Time,
};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// A row that has a time, and its number from the oldest on.
struct Dated<T> {
    number: usize,
    at: Option<Time>,
    row: T,
    raw: Option<RawJson>,
}

/// The parts that were asked for, of one incident.
pub(super) fn details(
    mapper: &Mapper,
    incident: &NativeId,
    detail: Detail,
    parts: DetailParts,
    notes: &mut Notes,
) -> Details {
    let id = incident.to_string();
    let mut details = Details::default();
    let broken = [
        (parts.comments, &detail.notes.broken),
        (parts.activity, &detail.activity.broken),
        (parts.evidence, &detail.evidence.broken),
        (parts.assets, &detail.broken_actors),
    ];
    for (_, broken) in broken.into_iter().filter(|(asked, _)| *asked) {
        let told = broken.iter().map(|broken| (Some(id.clone()), broken.problem.clone()));
        notes.broken.extend(told);
    }
    if parts.comments {
        let rows = dated(mapper, &id, detail.notes, |row| row.time.as_deref(), notes);
        let all = rows.into_iter().map(|dated| comment(mapper, &id, dated, &mut details.embedded));
        details.comments = Some(Arc::new(all.collect()));
    }
    if parts.activity {
        let rows = dated(mapper, &id, detail.activity, |row| row.time.as_deref(), notes);
        let all = rows.into_iter().map(|dated| activity(mapper, &id, dated, notes));
        details.activity = Some(Arc::new(all.collect()));
    }
    if parts.evidence {
        details.evidence = Some(Arc::new(evidence(mapper, &id, detail.evidence, &mut details.embedded, notes)));
    }
    if parts.assets {
        details.assets = Some(Arc::new(assets(mapper, detail.actors, &mut details.embedded, notes)));
    }
    details
}

/// Rows newest first, numbered. The server was seen to send them so; where the first is older than the last, it is the
/// other way round.
fn dated<T>(
    mapper: &Mapper,
    id: &str,
    rows: Rows<T>,
    time: impl Fn(&T) -> Option<&str>,
    notes: &mut Notes,
) -> Vec<Dated<T>> {
    let sent = rows.sent;
    let mut all: Vec<Dated<T>> = rows
        .rows
        .into_iter()
        .map(|(place, row, raw)| {
            let at = mapper.time(id, "time", time(&row), notes);
            Dated { number: sent - place, at, row, raw }
        })
        .collect();
    let ends = all.first().and_then(|row| row.at).zip(all.last().and_then(|row| row.at));
    if ends.is_some_and(|(first, last)| first < last) {
        all.iter_mut().for_each(|row| row.number = sent + 1 - row.number);
        all.reverse();
    }
    // What has no time comes last.
    all.sort_by_key(|row| std::cmp::Reverse(row.at));
    all
}

fn comment(mapper: &Mapper, incident: &str, dated: Dated<NoteRow>, embedded: &mut Vec<Record>) -> Comment {
    let Dated { number, at, row, raw } = dated;
    Comment {
        key: mapper.key(&*format!("{incident}/notes/{number}")),
        kind: CommentKind::Note,
        source_type: None,
        title: None,
        body: row.note,
        author: mapper.named(row.added_by, embedded),
        at: None,
        created_at: at,
        updated_at: None,
        evidence: Vec::new(),
        raw,
    }
}

/// Who did it stands in the free text only.
fn activity(mapper: &Mapper, incident: &str, dated: Dated<ActivityRow>, notes: &mut Notes) -> Activity {
    let Dated { number, at, row, raw } = dated;
    let kind = row.activity.as_ref().and_then(|word| {
        let known = words::activity(word);
        meant(notes, "activity", word, known.is_some());
        known
    });
    Activity {
        key: mapper.key(&*format!("{incident}/activity/{number}")),
        kind: kind.unwrap_or(ActivityKind::Other),
        source_type: row.activity.clone(),
        at,
        actor: None,
        title: row.activity,
        description: row.description,
        changes: Vec::new(),
        evidence: Vec::new(),
        subject_type: None,
        subject_id: None,
        details: None,
        raw,
    }
}

/// In the order in which it was added, as far as that is told; each piece once.
fn evidence(
    mapper: &Mapper,
    incident: &str,
    rows: Rows<EvidenceRow>,
    embedded: &mut Vec<Record>,
    notes: &mut Notes,
) -> Vec<EvidenceLink> {
    let (mut links, mut seen) = (Vec::with_capacity(rows.rows.len()), BTreeSet::new());
    for (place, row, raw) in rows.rows {
        let uuid = row.incident_uuid.as_ref().filter(|uuid| !uuid.0.is_empty());
        let key = match uuid {
            Some(uuid) => mapper.key(&*uuid.0),
            None => mapper.key(&*format!("{incident}/evidence/{}", place + 1)),
        };
        if !seen.insert(key.clone()) {
            continue;
        }
        let kind = match &row.type_of_evidence {
            None => EvidenceKind::LogEvent,
            Some(word) => {
                let known = words::evidence(word);
                meant(notes, "type_of_evidence", word, known.is_some());
                known.unwrap_or(EvidenceKind::Other)
            }
        };
        let added = row.incident_time.as_deref().filter(|_| mapper.incident_time_is_added);
        links.push(EvidenceLink {
            evidence: Link::bare(key.clone()),
            kind: Some(kind),
            added_at: mapper.time(incident, "incident_time", added, notes),
            added_by: mapper.named(row.incident_added_by.clone(), embedded),
            obtained_from: row.log_obtained_from.as_ref().filter(|word| !word.is_empty()).map(|word| {
                let known = words::origin(word);
                meant(notes, "log_obtained_from", word, known.is_some());
                known.unwrap_or(EvidenceOrigin::Other)
            }),
        });
        let record = log_record(mapper, incident, Evidence::new(key, kind), row, notes);
        embedded.push(Record::Evidence(Arc::new(Evidence { raw, ..record })));
    }
    links.sort_by_key(|link| (link.added_at.is_none(), link.added_at));
    links
}

/// Fills a piece of evidence from its flat record.
fn log_record(
    mapper: &Mapper,
    incident: &str,
    mut evidence: Evidence,
    row: EvidenceRow,
    notes: &mut Notes,
) -> Evidence {
    evidence.source_type = row.type_of_evidence;
    evidence.description = row.formatted_message;
    evidence.category = row.category;
    if let Some(word) = row.severity.filter(|word| !word.is_empty()) {
        let known = words::level(&word);
        meant(notes, "evidence severity", &word, known.is_some());
        evidence.severity = Some(known.unwrap_or(Severity::Unknown));
        evidence.source_severity = Some(word);
    }
    evidence.observed_at = mapper.time(incident, "log_org_time", row.log_org_time.as_deref(), notes);
    evidence.event = Some(Box::new(LogEvent {
        event_code: row.eventid.map(|code| code.0),
        message: row.message,
        log_name: row.log,
        log_provider: row.source,
        logged_at: mapper.time(incident, "_zl_timestamp", row.stored_at.as_deref(), notes),
        host_name: row.hostname,
        host_type: row.hosttype,
        source_ip_address: row.source_ip,
        user_name: row.username.filter(|name| !name.eq_ignore_ascii_case(words::NO_USER)),
        threshold: row.is_threshold_incident,
    }));
    evidence
}

/// Each actor once, with all roles that it has. Its name is its id: nothing else is told of it, and the same name is the
/// same actor in every incident.
fn assets(
    mapper: &Mapper,
    actors: Vec<(Text, Vec<Text>)>,
    embedded: &mut Vec<Record>,
    notes: &mut Notes,
) -> Vec<AssetLink> {
    let mut links: Vec<AssetLink> = Vec::new();
    for (word, names) in actors {
        let known = words::role(&word);
        meant(notes, "actors", &word, known.is_some());
        let role = known.unwrap_or(AssetRole::Other);
        for name in names.into_iter().filter(|name| !name.trim().is_empty()) {
            let key = mapper.key(&*name);
            let link = match links.iter_mut().find(|link| link.asset.key == key) {
                Some(link) => link,
                None => {
                    let kind = kind(&name);
                    let asset = Asset { name: Some(name.clone()), ..Asset::new(key.clone(), kind) };
                    embedded.push(Record::Asset(Arc::new(asset)));
                    let asset = Link::new(key, name);
                    links.push(AssetLink { asset, kind: Some(kind), roles: Vec::new(), source_roles: Vec::new() });
                    let last = links.len() - 1;
                    &mut links[last]
                }
            };
            if !link.roles.contains(&role) {
                link.roles.push(role);
            }
            if !link.source_roles.contains(&word) {
                link.source_roles.push(word.clone());
            }
        }
    }
    links
}

/// What an actor is, the server does not tell; an address speaks for itself.
fn kind(name: &str) -> AssetKind {
    if name.trim().parse::<IpAddr>().is_ok() { AssetKind::IpAddress } else { AssetKind::Other }
}
