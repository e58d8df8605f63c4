//! Evidence: alerts (by id, of a list of their own), observables and rules (in the incident's row).

use super::map::{Mapper, Notes, link_of, short, text, time};
use super::wire::{AlertRow, IncidentRow, ObservableRow, Row, RuleRow, united};
use super::words::{RESOLUTIONS, SEVERITIES, STATUSES};
use crate::domain::{
    AlertDetails, DetectionRule, Evidence, EvidenceKind, EvidenceLink, IncidentStatus, Link, NativeId, Observable,
    Owner, RawJson, Record, Resolution, Severity, Text, ThreatKind,
};
use std::{collections::BTreeSet, sync::Arc};

impl Mapper {
    /// Links to an incident's evidence, each once: alerts, which are had by id, then observables and rules with their
    /// records.
    pub(super) fn evidence(
        &self,
        incident: &NativeId,
        row: &mut IncidentRow,
        notes: &mut Notes,
    ) -> (Vec<EvidenceLink>, Vec<Record>) {
        let mut told = Told::default();
        for id in row.alerts.take().unwrap_or_default().into_iter().filter(|id| !id.0.is_empty()) {
            told.link(Link::bare(self.key(&id.0)), EvidenceKind::Alert);
        }
        for (row, raw) in row.observables.take().unwrap_or_default() {
            // Its remark is this incident's own, so that its id has to be, too.
            let id = format!(
                "{incident}/observables/{}/{}",
                short(row.kind.as_deref().unwrap_or_default()),
                short(row.value.as_deref().unwrap_or_default())
            );
            let id = told.free(id, &row.details);
            told.record(self.observable(&id, row, raw));
        }
        let rules = united(row.rules.take().unwrap_or_default(), |place, row| rule_id(incident, place, row));
        for (id, row, raw) in rules {
            told.record(self.rule(&id, row, raw, notes));
        }
        (told.links, told.records)
    }

    fn observable(&self, id: &str, row: ObservableRow, raw: Option<RawJson>) -> Evidence {
        let mut evidence = Evidence::new(self.key(id), EvidenceKind::Observable);
        evidence.source_type = text(row.kind.clone());
        evidence.title = text(row.value.clone());
        evidence.description = text(row.details);
        evidence.observable = Some(Observable { observable_type: text(row.kind), value: text(row.value) });
        evidence.raw = raw;
        evidence
    }

    fn rule(&self, id: &str, row: RuleRow, raw: Option<RawJson>, notes: &mut Notes) -> Evidence {
        let mut evidence = Evidence::new(self.key(id), EvidenceKind::Rule);
        evidence.source_type = text(row.kind.clone());
        evidence.title = text(row.name);
        evidence.source_severity = text(row.severity);
        evidence.severity = notes.or("Rules.Severity", &SEVERITIES, &evidence.source_severity, Severity::Unknown);
        evidence.rule =
            Some(DetectionRule { rule_type: text(row.kind), confidence: text(row.confidence), custom: row.custom });
        evidence.raw = raw;
        evidence
    }

    /// An alert and who is assigned to it; none without an id. A status that incidents do not have, as `inIncident`, is
    /// OTHER.
    pub(super) fn alert(
        &self,
        row: AlertRow,
        raw: Option<RawJson>,
        notes: &mut Notes,
    ) -> Option<(Evidence, Option<Owner>)> {
        let mut evidence = Evidence::new(self.key(row.native()?), EvidenceKind::Alert);
        let threats = [(row.tactics, ThreatKind::Tactic), (row.techniques, ThreatKind::Technique)];
        let threats = threats.into_iter().flat_map(|(rows, kind)| self.threats(rows, kind));
        evidence.title = text(row.name);
        evidence.source_type = text(row.detect_source);
        evidence.source_severity = text(row.severity);
        evidence.severity = notes.or("Severity", &SEVERITIES, &evidence.source_severity, Severity::Unknown);
        evidence.source_status = text(row.status);
        evidence.observed_at = time(row.source_created_at);
        evidence.created_at = time(row.created_at);
        evidence.updated_at = time(row.updated_at);
        let (owner, link) = row.assignee.and_then(|row| self.owner(row)).unzip();
        evidence.owners = Some(link.into_iter().collect());
        evidence.scope = text(row.tenant_id).map(|id| Link::bare(self.key(&id)));
        let status = evidence.source_status.as_deref();
        let meant = status.map(|word| super::words::meaning(&STATUSES, word).unwrap_or(IncidentStatus::Other));
        evidence.alert = Some(Box::new(AlertDetails {
            reference: text(row.id),
            status: meant,
            source_status: evidence.source_status.clone(),
            resolution: notes.or("StatusResolution", &RESOLUTIONS, &text(row.status_resolution), Resolution::Other),
            first_event_at: time(row.first_event_time),
            last_event_at: time(row.last_event_time),
            threats: threats.map(|threat| link_of(&threat)).collect(),
            ..AlertDetails::default()
        }));
        evidence.raw = raw;
        Some((evidence, owner))
    }
}

/// What a rule is known by: its id, else its name, else its place in this incident.
fn rule_id(incident: &NativeId, place: usize, row: &RuleRow) -> Text {
    let told = |text: &Option<Text>| text.clone().filter(|text| !text.is_empty());
    let name = || Some(format!("rules/{}", short(&told(&row.name)?)).into());
    let id = told(&row.id).or_else(|| told(&row.internal_id)).or_else(name);
    id.unwrap_or_else(|| format!("{incident}/rules/at/{place}").into())
}

/// What an incident's row told so far.
#[derive(Default)]
struct Told {
    links: Vec<EvidenceLink>,
    records: Vec<Record>,
    seen: BTreeSet<NativeId>,
    /// Ids of observables and the remark that stands beside each.
    remarks: Vec<(String, Option<Box<str>>)>,
}

impl Told {
    fn link(&mut self, evidence: Link, kind: EvidenceKind) -> bool {
        let fresh = self.seen.insert(evidence.key.native.clone());
        if fresh {
            let kind = Some(kind);
            self.links.push(EvidenceLink { evidence, kind, added_at: None, added_by: None, obtained_from: None });
        }
        fresh
    }

    fn record(&mut self, evidence: Evidence) {
        let link = Link { key: evidence.key.clone(), name: evidence.title.clone() };
        if self.link(link, evidence.kind) {
            self.records.push(Record::Evidence(Arc::new(evidence)));
        }
    }

    /// The id, with a number behind it where the same thing was told before with another remark.
    fn free(&mut self, id: String, remark: &Option<Box<str>>) -> String {
        let same: Vec<_> = self.remarks.iter().filter(|(other, _)| *other == id).collect();
        let place = same.iter().position(|(_, other)| other == remark).unwrap_or(same.len());
        if place == same.len() {
            self.remarks.push((id.clone(), remark.clone()));
        }
        if place == 0 { id } else { format!("{id}/{}", place + 1) }
    }
}
