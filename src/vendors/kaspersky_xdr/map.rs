//! From rows to incidents. Pure; never fails: what is not understood is left absent or kept as text, and noted.

use super::attack;
use super::wire::{AssigneeRow, IncidentRow, Mitre, Moment, Row};
use super::words::{self, CREATIONS, LEVELS, RESOLUTIONS, SEVERITIES, STATUSES};
use crate::domain::{
    AlertCounts, Details, Incident, IncidentStatus, Key, Level, Link, NativeId, Owner, OwnerKind, OwnerProfile,
    RawJson, Record, Resolution, Severity, SourceKind, SourceName, Text, Threat, ThreatKind, ThreatLink, Time,
};
use crate::vendors::common::is_usual;
use chrono::{DateTime, Datelike};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, sync::Arc};

/// What was noticed while mapping.
#[derive(Default, Debug)]
pub(super) struct Notes {
    /// Words of closed sets that no document has: the member and the word.
    pub(super) unknown: BTreeSet<(&'static str, Text)>,
}

/// What was asked for beside the plain row.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct With {
    /// `withAffected`: assets in full.
    pub(super) affected: bool,
    /// `withHistory`: changes.
    pub(super) history: bool,
}

/// Makes records of one source.
pub(super) struct Mapper {
    pub(super) source: SourceName,
}

impl Mapper {
    pub(super) fn key(&self, id: &str) -> Key {
        Key::new(&self.source, id)
    }

    /// An incident with what its row tells of others: owner, threats, observables and rules always, assets and changes
    /// where they were asked for. None without an id.
    pub(super) fn incident(
        &self,
        mut row: IncidentRow,
        raw: Option<RawJson>,
        with: With,
        notes: &mut Notes,
    ) -> Option<Incident> {
        let mut incident = Incident::new(self.key(row.native()?), SourceKind::KasperskyXdr);
        self.words(&mut incident, &mut row, notes);
        incident.reference = text(row.id.take());
        incident.external_reference = text(row.external_ref.take());
        incident.title = text(row.name.take());
        incident.description = text(row.description.take());
        incident.origins = texts(row.detection_technologies.take());
        incident.created_at = time(row.created_at);
        incident.updated_at = time(row.updated_at);
        incident.status_changed_at = time(row.status_changed_at);
        incident.resolved_at = incident.status_changed_at.filter(|_| incident.status == IncidentStatus::Closed);
        incident.first_event_at = time(row.first_event_time);
        incident.last_event_at = time(row.last_event_time);
        incident.scope = text(row.tenant_id.take()).map(|id| Link::bare(self.key(&id)));
        if let Some(owner) = row.assignee.take().and_then(|row| self.owner(row)) {
            incident.owners.push(owner.1);
            incident.embedded.push(Record::Owner(Arc::new(owner.0)));
        }
        for (rows, kind) in [(row.tactics.take(), ThreatKind::Tactic), (row.techniques.take(), ThreatKind::Technique)] {
            for threat in self.threats(rows, kind) {
                let link = link_of(&threat);
                incident.threats.push(ThreatLink { kind: Some(kind), ..ThreatLink::new(link) });
                incident.embedded.push(Record::Threat(Arc::new(threat)));
            }
        }
        incident.alert_counts = row.alerts.as_ref().map(|ids| {
            let distinct: BTreeSet<&str> = ids.iter().map(|id| &*id.0).filter(|id| !id.is_empty()).collect();
            AlertCounts { total: Some(i32::try_from(distinct.len()).unwrap_or(i32::MAX)), ..AlertCounts::default() }
        });
        incident.raw = raw;
        self.tell(&mut incident, row, with, notes);
        Some(incident)
    }

    /// What the row tells of the incident's details.
    fn tell(&self, incident: &mut Incident, mut row: IncidentRow, with: With, notes: &mut Notes) {
        let mut told = Details::default();
        let (evidence, records) = self.evidence(&incident.key.native, &mut row, notes);
        told.evidence = Some(Arc::new(evidence));
        incident.embedded.extend(records);
        let (mut links, mut records) = (Vec::new(), Vec::new());
        for asset in self.assets(&incident.key.native, row.assets.take().unwrap_or_default(), notes) {
            links.push(asset.link);
            records.extend(asset.records);
        }
        incident.assets_apart = true;
        if with.affected {
            told.assets = Some(Arc::new(links.clone()));
            incident.embedded.extend(records);
        }
        incident.assets = links;
        if with.history {
            // Texts are kept for assets that are asked for beside it.
            let keeps = incident.raw.is_some();
            let changes = row.history.take().unwrap_or_default().into_iter();
            let changes = changes.map(|(row, raw)| (row, raw.filter(|_| keeps))).collect();
            told.activity = Some(Arc::new(self.activity(&incident.key.native, changes)));
        }
        incident.told = Some(Arc::new(told));
    }

    /// The closed sets. Their words stay beside what they mean.
    fn words(&self, incident: &mut Incident, row: &mut IncidentRow, notes: &mut Notes) {
        incident.source_severity = text(row.severity.take());
        incident.severity = notes.of("Severity", &SEVERITIES, &incident.source_severity).unwrap_or(Severity::Unknown);
        incident.source_priority = text(row.priority.take());
        incident.priority = notes.or("Priority", &LEVELS, &incident.source_priority, Level::Other);
        incident.source_status = text(row.status.take());
        incident.status = notes.of("Status", &STATUSES, &incident.source_status).unwrap_or(IncidentStatus::Other);
        incident.source_resolution = text(row.status_resolution.take());
        incident.resolution =
            notes.or("StatusResolution", &RESOLUTIONS, &incident.source_resolution, Resolution::Other);
        incident.created_manually = notes.of("SignOfCreation", &CREATIONS, &text(row.sign_of_creation.take()));
    }

    /// Who works on something; none where nobody does, which is told by empty members.
    pub(super) fn owner(&self, row: AssigneeRow) -> Option<(Owner, Link)> {
        let (id, name) = (text(row.id), text(row.name));
        let key = match (&id, &name) {
            (Some(id), _) => self.key(id),
            (None, Some(name)) => self.key(&format!("name/{}", short(name))),
            (None, None) => return None,
        };
        let link = Link { key: key.clone(), name: name.clone().or(id) };
        let profile = OwnerProfile::default();
        Some((Owner { key, kind: OwnerKind::User, source_type: None, name, profile }, link))
    }

    /// Tactics or techniques, each once.
    pub(super) fn threats(&self, rows: Option<Vec<Mitre>>, kind: ThreatKind) -> Vec<Threat> {
        let mut ids: Vec<Text> = rows.unwrap_or_default().into_iter().filter_map(|Mitre(id)| text(id)).collect();
        let mut seen = BTreeSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        ids.into_iter().map(|id| self.threat(&id, kind)).collect()
    }

    /// A tactic or technique by its id.
    pub(super) fn threat(&self, id: &str, kind: ThreatKind) -> Threat {
        let name = attack::name(id);
        let mut threat = Threat::new(self.key(id), kind);
        threat.reference = Some(id.into());
        threat.name = Some(name.unwrap_or(id).into());
        threat.provider = name.map(|_| attack::PROVIDER.into());
        threat
    }
}

/// What a MITRE id names, by its form; none for what is no such id.
pub(super) fn mitre_kind(id: &NativeId) -> Option<ThreatKind> {
    let id = id.to_string();
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if id.strip_prefix("TA").is_some_and(|number| digits(number, 4)) {
        return Some(ThreatKind::Tactic);
    }
    let (whole, part) = id.strip_prefix('T')?.split_once('.').unwrap_or((&id[1..], "000"));
    (digits(whole, 4) && digits(part, 3)).then_some(ThreatKind::Technique)
}

/// A link that shows the threat's name.
pub(super) fn link_of(threat: &Threat) -> Link {
    Link { key: threat.key.clone(), name: threat.name.clone() }
}

impl Notes {
    /// What a word means; none, and a note, for a word that no document has.
    pub(super) fn of<T: Copy>(&mut self, member: &'static str, table: &[(&str, T)], word: &Option<Text>) -> Option<T> {
        let word = word.as_ref()?;
        let known = words::meaning(table, word);
        if known.is_none() {
            self.unknown.insert((member, word.clone()));
        }
        known
    }

    /// The same with a meaning for other words; none only where there is no word.
    pub(super) fn or<T: Copy>(
        &mut self,
        member: &'static str,
        table: &[(&str, T)],
        word: &Option<Text>,
        other: T,
    ) -> Option<T> {
        word.is_some().then(|| self.of(member, table, word).unwrap_or(other))
    }
}

/// The longest text that stands in an id of ours as it is, in bytes: longer ids would be none for clients.
const LONGEST_IN_ID: usize = 256;

/// A text as a part of an id: of a long one, as addresses and command lines may be, the beginning and a digest.
pub(super) fn short(value: &str) -> String {
    if value.len() <= LONGEST_IN_ID {
        return value.to_owned();
    }
    let digest = Sha256::digest(value);
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}~{digest}", &value[..value.floor_char_boundary(LONGEST_IN_ID)])
}

/// A text that says something: an absent one is sent as an empty one, too.
pub(super) fn text(text: Option<Text>) -> Option<Text> {
    text.filter(|text| !text.is_empty())
}

/// Texts that say something.
pub(super) fn texts(all: Option<Vec<Text>>) -> Vec<Text> {
    all.unwrap_or_default().into_iter().filter(|text| !text.is_empty()).collect()
}

/// A moment. The year 1 is how the server's language writes that there is none.
pub(super) fn time(moment: Option<Moment>) -> Option<Time> {
    moment.map(|Moment(time)| time).filter(|time| time.year() > 1)
}

/// Numbers up to this are seconds, larger ones milliseconds since 1970: which of both is not documented. As seconds it
/// is the year 11476, as milliseconds 1979; no time of this server lies before or after.
const MOST_SECONDS: i64 = 300_000_000_000;

/// A moment as a whole number; none for zero, for what is negative and for what no calendar has.
pub(super) fn epoch(number: Option<i64>) -> Option<Time> {
    match number? {
        ..=0 => None,
        seconds if seconds <= MOST_SECONDS => DateTime::from_timestamp(seconds, 0),
        milliseconds => DateTime::from_timestamp_millis(milliseconds),
    }
    .filter(|time| is_usual(*time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_seconds_or_milliseconds_by_magnitude() {
        let shown = |number| epoch(Some(number)).map(|time| time.to_rfc3339());
        assert_eq!(shown(1_704_967_200).as_deref(), Some("2024-01-11T10:00:00+00:00"));
        assert_eq!(shown(1_704_967_200_000).as_deref(), Some("2024-01-11T10:00:00+00:00"));
        assert_eq!(shown(1_704_967_200_123).as_deref(), Some("2024-01-11T10:00:00.123+00:00"));
        assert_eq!(shown(253_402_300_799).as_deref(), Some("9999-12-31T23:59:59+00:00"));
        assert_eq!((shown(0), shown(-1), shown(i64::MAX), epoch(None)), (None, None, None, None));
    }

    #[test]
    fn mitre_ids_are_known_by_their_form() {
        for (id, kind) in [
            ("TA0002", Some(ThreatKind::Tactic)),
            ("T1059", Some(ThreatKind::Technique)),
            ("T1059.001", Some(ThreatKind::Technique)),
            ("T0800", Some(ThreatKind::Technique)),
            ("T1059.1", None),
            ("TA002", None),
            ("h1/risks/7", None),
            ("T", None),
            ("", None),
        ] {
            assert_eq!(mitre_kind(&NativeId::new(id)), kind, "{id}");
        }
    }
}
