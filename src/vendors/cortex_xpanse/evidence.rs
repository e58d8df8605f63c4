//! From alerts and artifacts to evidence. Pure, as `map`.
//!
//! An alert is known by its id; an artifact has none, so it is known as a part of its incident, by its place.

use super::map::{Mapper, Notes};
use super::wire::{self, AlertRow, ArtifactRow, Got, Moments, Spare};
use super::words;
use crate::domain::{
    AlertDetails, Details, Evidence, EvidenceKind, EvidenceLink, Key, Link, NativeId, Observable, RawJson, Record,
    Text, Threat, ThreatKind, Time,
};
use serde_json::value::RawValue;
use std::sync::Arc;

/// Where a piece of evidence of an incident stands: the middle part of its native id, where it has no id of its own.
pub(super) const ALERTS: &str = "alerts";
pub(super) const NETWORK_ARTIFACTS: &str = "network-artifacts";
pub(super) const FILE_ARTIFACTS: &str = "file-artifacts";

/// A piece of evidence and the records that its row told beside it.
pub(super) struct Piece {
    pub(super) evidence: Evidence,
    pub(super) embedded: Vec<Record>,
}

impl Mapper {
    /// An alert of `incident`, the `place`-th. None where the row is no record, or names no id and no incident is given
    /// that it could be known by.
    pub(super) fn alert(
        &self,
        json: &RawValue,
        of: Option<(&NativeId, usize)>,
        raw: bool,
        notes: &mut Notes,
    ) -> Option<Piece> {
        let row: AlertRow = wire::record(json, &Spare::default())?;
        let mut embedded = Vec::new();
        let key = match (notes.text("alert_id", row.alert_id), of) {
            (Some(id), _) => self.key(&*id),
            (None, Some((incident, place))) => self.part(incident, ALERTS, place),
            (None, None) => return None,
        };
        let mut evidence = Evidence::new(key, EvidenceKind::Alert);
        evidence.title = notes.text("name", row.name);
        evidence.description = notes.text("description", row.description);
        evidence.source_type = notes.text("source", row.source);
        evidence.source_severity = notes.text("severity", row.severity);
        evidence.severity = evidence.source_severity.as_ref().map(|word| notes.severity("alert severity", word));
        evidence.category = notes.text("attack_surface_rule_name", row.attack_surface_rule_name);
        evidence.observed_at = notes.time("detection_timestamp", row.detection_timestamp);
        evidence.created_at = notes.time("local_insert_ts", row.local_insert_ts);
        evidence.updated_at = notes.time("last_modified_ts", row.last_modified_ts);
        let tags = notes.texts("tags", row.tags);
        evidence.tags = self.tags(tags, &mut embedded);
        let status = notes.text("resolution_status", row.resolution_status);
        let standing = status.as_ref().map(|word| words::standing(word));
        if let (Some(word), Some(standing)) = (&status, &standing)
            && !standing.known
        {
            notes.unknown.insert(("resolution_status", word.clone()));
        }
        evidence.source_status.clone_from(&status);
        let (first_event_at, last_event_at) = events(notes, row.event_timestamp);
        let mut threats = Vec::new();
        for (kind, member, got) in [
            (ThreatKind::Tactic, "mitre_tactic_id_and_name", row.mitre_tactic_id_and_name),
            (ThreatKind::Technique, "mitre_technique_id_and_name", row.mitre_technique_id_and_name),
        ] {
            let texts = notes.texts(member, got);
            threats.extend(texts.iter().map(|text| self.mitre(kind, text, &mut embedded)));
        }
        let host_name = notes.texts("host_name", row.host_name).join(", ");
        evidence.alert = Some(Box::new(AlertDetails {
            reference: notes.text("external_id", row.external_id),
            status: standing.as_ref().map(|standing| standing.status),
            source_status: status,
            resolution: standing.and_then(|standing| standing.resolution),
            resolution_comment: notes.text("resolution_comment", row.resolution_comment),
            host_name: Some(host_name.into()).filter(|name: &Text| !name.is_empty()),
            action: notes.text("action", row.action),
            first_event_at,
            last_event_at,
            threats,
        }));
        evidence.raw = raw.then(|| RawJson::new(json.get()));
        Some(Piece { evidence, embedded })
    }

    /// A network or file artifact. None where the row is no record.
    pub(super) fn artifact(
        &self,
        json: &RawValue,
        kind: EvidenceKind,
        (incident, place): (&NativeId, usize),
        raw: bool,
        notes: &mut Notes,
    ) -> Option<Piece> {
        let row: ArtifactRow = wire::record(json, &Spare::default())?;
        let set = if kind == EvidenceKind::FileArtifact { FILE_ARTIFACTS } else { NETWORK_ARTIFACTS };
        let mut evidence = Evidence::new(self.part(incident, set, place), kind);
        let observable_type = notes.text("type", row.kind);
        let file_name = notes.text("file_name", row.file_name);
        let hash = notes.text("file_sha256", row.file_sha256);
        let domain = notes.text("network_domain", row.network_domain);
        let address = notes.text("network_remote_ip", row.network_remote_ip);
        let value = hash.clone().or_else(|| domain.clone()).or_else(|| address.clone()).or_else(|| file_name.clone());
        evidence.title = file_name.or(domain).or(address).or(hash);
        evidence.source_type.clone_from(&observable_type);
        evidence.observable = Some(Observable { observable_type, value });
        evidence.raw = raw.then(|| RawJson::new(json.get()));
        Some(Piece { evidence, embedded: Vec::new() })
    }

    fn part(&self, incident: &NativeId, set: &str, place: usize) -> Key {
        self.key(&*format!("{incident}/{set}/{place}"))
    }

    /// `T1595 - Active Scanning`: the id, then the name.
    fn mitre(&self, kind: ThreatKind, text: &Text, embedded: &mut Vec<Record>) -> Link {
        let halves = text.split_once(" - ").filter(|(id, name)| !id.trim().is_empty() && !name.trim().is_empty());
        let (id, name) = halves.unwrap_or((text, text));
        let mut threat = Threat::new(self.key(id.trim()), kind);
        threat.reference = Some(id.trim().into());
        threat.name = Some(name.trim().into());
        let link = Link { key: threat.key.clone(), name: threat.name.clone() };
        embedded.push(Record::Threat(Arc::new(threat)));
        link
    }
}

/// Adds evidence to an incident's details.
pub(super) fn put(details: &mut Details, links: &mut Vec<EvidenceLink>, piece: Piece) {
    let Piece { evidence, embedded } = piece;
    if links.iter().any(|link| link.evidence.key == evidence.key) {
        return;
    }
    links.push(EvidenceLink {
        evidence: Link { key: evidence.key.clone(), name: evidence.title.clone() },
        kind: Some(evidence.kind),
        added_at: evidence.created_at,
        added_by: None,
        obtained_from: None,
    });
    details.embedded.extend(embedded);
    details.embedded.push(Record::Evidence(Arc::new(evidence)));
}

/// The first and the last of an alert's events; where there is one moment only, it is the first.
fn events(notes: &mut Notes, got: Got<Moments>) -> (Option<Time>, Option<Time>) {
    let moments = notes.take("event_timestamp", got).unwrap_or_default().0;
    let mut moments: Vec<Time> =
        moments.into_iter().filter_map(|moment| notes.time("event_timestamp", moment)).collect();
    moments.sort_unstable();
    moments.dedup();
    let last = moments.last().copied().filter(|_| moments.len() > 1);
    (moments.first().copied(), last)
}
