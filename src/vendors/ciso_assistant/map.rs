//! From rows to incidents. Pure; never fails: what is not understood is left absent or kept as text, and noted.

use super::wire::{IncidentRow, Moment, Reference, References};
use super::words::{self, DETECTIONS, SEVERITIES, STATUSES};
use crate::domain::{
    AssetLink, AssetRole, Detection, HiddenLinks, Incident, IncidentField, IncidentStatus, Key, Link, NativeId,
    RawJson, RelatedLink, RelatedRecordKind, Severity, SourceKind, SourceName, Text, ThreatKind, ThreatLink, Time,
};
use std::collections::BTreeSet;

/// The collections of related records: the path of each, which is the first part of a record's native id, and what its
/// records are.
pub(super) const COLLECTIONS: [(&str, RelatedRecordKind); 4] = [
    (ENTITIES, RelatedRecordKind::Entity),
    (APPLIED_CONTROLS, RelatedRecordKind::Control),
    (TASK_TEMPLATES, RelatedRecordKind::Task),
    (RISK_SCENARIOS, RelatedRecordKind::Risk),
];
pub(super) const ENTITIES: &str = "entities";
pub(super) const APPLIED_CONTROLS: &str = "applied-controls";
pub(super) const TASK_TEMPLATES: &str = "task-templates";
pub(super) const RISK_SCENARIOS: &str = "risk-scenarios";

/// What was noticed while mapping.
#[derive(Default, Debug)]
pub(super) struct Notes {
    /// Links that the server hides.
    pub(super) masked: u32,
    /// Words of closed sets that no release seen has: the member and the word.
    pub(super) unknown: BTreeSet<(&'static str, Text)>,
}

/// Makes records of one source.
pub(super) struct Mapper {
    pub(super) source: SourceName,
    /// Address of the product's pages, without a slash at the end.
    pub(super) pages: String,
}

impl Mapper {
    pub(super) fn key(&self, id: impl Into<NativeId>) -> Key {
        Key::new(&self.source, id)
    }

    pub(super) fn link(&self, (id, name): (NativeId, Option<Text>)) -> Link {
        Link { key: self.key(id), name }
    }

    /// The links that are shown; the hidden ones are noted.
    pub(super) fn links(&self, all: References, notes: &mut Notes) -> Vec<Link> {
        notes.masked += all.hidden;
        all.shown.into_iter().map(|reference| self.link(reference)).collect()
    }

    /// A single link, if it is there and shown.
    pub(super) fn one(&self, reference: Option<Reference>, notes: &mut Notes) -> Option<Link> {
        match reference? {
            Reference::To(id, name) => Some(self.link((id, name))),
            Reference::Hidden => {
                notes.masked += 1;
                None
            }
        }
    }

    pub(super) fn incident(&self, row: IncidentRow, raw: Option<RawJson>, notes: &mut Notes) -> Incident {
        let mut incident = Incident::new(self.key(row.id.0), SourceKind::CisoAssistant);
        let mut hidden = Vec::new();
        let mut links = |field, all: References| {
            hide(&mut hidden, field, all.hidden);
            self.links(all, notes)
        };
        incident.owners = links(IncidentField::Owners, row.owners);
        incident.assets = links(IncidentField::Assets, row.assets).into_iter().map(affected).collect();
        incident.threats = links(IncidentField::Threats, row.threats).into_iter().map(catalogued).collect();
        incident.tags = links(IncidentField::Tags, row.filtering_labels);
        incident.qualifications = links(IncidentField::Qualifications, row.qualifications);
        hide(&mut hidden, IncidentField::Scope, u32::from(row.folder == Some(Reference::Hidden)));
        incident.scope = self.one(row.folder, notes);
        incident.entities = self.records(ENTITIES, row.entities, IncidentField::Entities, &mut hidden, notes);
        for (collection, kind, rows) in [
            (APPLIED_CONTROLS, RelatedRecordKind::Control, row.applied_controls),
            (TASK_TEMPLATES, RelatedRecordKind::Task, row.task_templates),
            (RISK_SCENARIOS, RelatedRecordKind::Risk, row.risk_scenarios),
        ] {
            let links = self.records(collection, rows, IncidentField::RelatedRecords, &mut hidden, notes);
            // No list of these is among the documented ones.
            let link = |record| RelatedLink { record, kind, by_id: false };
            incident.related_records.extend(links.into_iter().map(link));
        }
        incident.hidden_links = hidden;

        incident.url = Some(format!("{}/incidents/{}", self.pages, incident.key.native).into());
        incident.reference = row.ref_id.filter(|text| !text.is_empty());
        incident.title = row.name;
        incident.description = row.description;
        incident.link = row.link;
        incident.published = row.is_published;
        incident.continuity_plan_activated = row.is_bcp_activated;
        incident.resolution_comment = row.resolution;
        incident.created_at = time(row.created_at);
        incident.updated_at = time(row.updated_at);
        incident.reported_at = time(row.reported_at);
        incident.occurred_at = time(row.occurred_at);
        incident.resolved_at = time(row.resolved_at);
        incident.raw = raw;
        self.words(&mut incident, row.severity, row.status, row.detection, notes);
        incident
    }

    /// The three closed sets. Their words stay beside what they mean.
    fn words(
        &self,
        incident: &mut Incident,
        severity: Option<Text>,
        status: Option<Text>,
        detection: Option<Text>,
        notes: &mut Notes,
    ) {
        let label = |text: Option<Text>| text.filter(|text| !text.is_empty());
        let (severity, status, detection) = (label(severity), label(status), label(detection));
        let mut meant = |member, word: &Text, known: bool| {
            if !known {
                notes.unknown.insert((member, word.clone()));
            }
        };
        if let Some(word) = &severity {
            let known = words::meaning(&SEVERITIES, word);
            meant("severity", word, known.is_some());
            incident.severity = known.unwrap_or(Severity::Unknown);
        }
        if let Some(word) = &status {
            let known = words::meaning(&STATUSES, word);
            meant("status", word, known.is_some());
            incident.status = known.unwrap_or(IncidentStatus::Other);
        }
        if let Some(word) = &detection {
            let known = words::meaning(&DETECTIONS, word);
            meant("detection", word, known.is_some());
            incident.detection = Some(known.unwrap_or(Detection::Other));
        }
        incident.source_severity = severity;
        incident.source_status = status;
        incident.source_detection = detection;
    }

    /// Links to records of one of the [`COLLECTIONS`].
    fn records(
        &self,
        collection: &str,
        all: References,
        field: IncidentField,
        hidden: &mut Vec<HiddenLinks>,
        notes: &mut Notes,
    ) -> Vec<Link> {
        hide(hidden, field, all.hidden);
        notes.masked += all.hidden;
        let link = |(id, name)| self.link((in_collection(collection, &id), name));
        all.shown.into_iter().map(link).collect()
    }
}

/// The native id of a related record.
pub(super) fn in_collection(collection: &str, id: &NativeId) -> NativeId {
    NativeId::new(&format!("{collection}/{id}"))
}

/// Time of a moment.
pub(super) fn time(moment: Option<Moment>) -> Option<Time> {
    moment.map(|Moment(time)| time)
}

fn hide(hidden: &mut Vec<HiddenLinks>, field: IncidentField, count: u32) {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    match hidden.iter_mut().find(|other| other.field == field) {
        Some(other) => other.count = other.count.saturating_add(count),
        None if count > 0 => hidden.push(HiddenLinks { field, count }),
        None => {}
    }
}

fn affected(asset: Link) -> AssetLink {
    AssetLink { asset, kind: None, roles: vec![AssetRole::Affected], source_roles: Vec::new() }
}

fn catalogued(threat: Link) -> ThreatLink {
    ThreatLink { kind: Some(ThreatKind::Catalogued), ..ThreatLink::new(threat) }
}
