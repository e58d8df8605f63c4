//! From rows to incidents. Pure; never fails: what is not understood is left absent or kept as text, and noted.
//!
//! Nothing that an incident is tied to can be asked for by id, so each link comes with its record ([`Incident::embedded`]).

use super::wire::{Got, IncidentRow, Real, Whole, Word, Words};
use super::words::{self, CLOUD_MANAGEMENTS, SEVERITIES};
use crate::domain::{
    AlertCounts, CloudManagement, Exposure, Incident, Key, Link, NativeId, Owner, OwnerKind, OwnerProfile, RawJson,
    Record, Score, ScoreKind, Severity, SourceKind, SourceName, Tag, Text, Time,
};
use crate::vendors::common::is_usual;
use chrono::DateTime;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What was noticed while mapping.
#[derive(Default, Debug)]
pub(super) struct Notes {
    /// Members of the record at hand that could not be read.
    pub(super) broken: Vec<&'static str>,
    /// Words of closed sets that we do not know: the member and the word.
    pub(super) unknown: BTreeSet<(&'static str, Text)>,
}

impl Notes {
    pub(super) fn take<T>(&mut self, member: &'static str, got: Got<T>) -> Option<T> {
        match got {
            Got::Nothing => None,
            Got::Value(value) => Some(value),
            Got::Broken => {
                self.broken.push(member);
                None
            }
        }
    }

    /// A text; an empty one is none.
    pub(super) fn text(&mut self, member: &'static str, got: Got<Word>) -> Option<Text> {
        self.take(member, got).map(|Word(text)| text).filter(|text| !text.trim().is_empty())
    }

    /// Several texts, each once, in their order.
    pub(super) fn texts(&mut self, member: &'static str, got: Got<Words>) -> Vec<Text> {
        let words = self.take(member, got).unwrap_or_default();
        if words.broken {
            self.broken.push(member);
        }
        let mut seen = BTreeSet::new();
        words.all.into_iter().filter(|text| seen.insert(text.clone())).collect()
    }

    /// A moment out of milliseconds since 1970.
    pub(super) fn time(&mut self, member: &'static str, got: Got<Whole>) -> Option<Time> {
        let Whole(millis) = self.take(member, got)?;
        let time = DateTime::from_timestamp_millis(millis).filter(|time| is_usual(*time));
        if time.is_none() {
            self.broken.push(member);
        }
        time
    }

    pub(super) fn count(&mut self, member: &'static str, got: Got<Whole>) -> Option<i32> {
        let Whole(number) = self.take(member, got)?;
        let count = i32::try_from(number).ok();
        if count.is_none() {
            self.broken.push(member);
        }
        count
    }

    /// What a word of a closed set means; one that we do not know is noted.
    pub(super) fn meaning<T: Copy>(&mut self, member: &'static str, table: &[(T, &str)], word: &Text) -> Option<T> {
        let meaning = words::meaning(table, word);
        if meaning.is_none() {
            self.unknown.insert((member, word.clone()));
        }
        meaning
    }

    /// A severity. `unknown` is a word for not graded.
    pub(super) fn severity(&mut self, member: &'static str, word: &Text) -> Severity {
        if word.trim().eq_ignore_ascii_case("unknown") {
            return Severity::Unknown;
        }
        self.meaning(member, &SEVERITIES, word).unwrap_or(Severity::Unknown)
    }
}

/// Makes records of one source.
pub(super) struct Mapper {
    pub(super) source: SourceName,
}

impl Mapper {
    pub(super) fn key(&self, id: impl Into<NativeId>) -> Key {
        Key::new(&self.source, id)
    }

    /// None for a row without an id. `notes` should be fresh of broken members, which are told of one record.
    pub(super) fn incident(&self, row: IncidentRow<'_>, raw: Option<RawJson>, notes: &mut Notes) -> Option<Incident> {
        let mut row = row;
        let id = notes.text("incident_id", std::mem::take(&mut row.incident_id))?;
        let mut incident = Incident::new(self.key(&*id), SourceKind::CortexXpanse);
        incident.reference = Some(id);
        incident.raw = raw;
        texts(&mut incident, &mut row, notes);
        grades(&mut incident, &mut row, notes);
        standing(&mut incident, &mut row, notes);
        times(&mut incident, &mut row, notes);
        flags(&mut incident, &mut row, notes);
        counts(&mut incident, &mut row, notes);
        incident.exposure = exposure(&mut row, notes);
        self.people(&mut incident, &mut row, notes);
        self.assets(&mut incident, &mut row, notes);
        self.threats(&mut incident, &mut row, notes);
        Some(incident)
    }

    /// The owner, and the tags. People are known by their mail, tags by their text.
    fn people(&self, incident: &mut Incident, row: &mut IncidentRow<'_>, notes: &mut Notes) {
        let email = notes.text("assigned_user_mail", std::mem::take(&mut row.assigned_user_mail));
        let name = notes.text("assigned_user_pretty_name", std::mem::take(&mut row.assigned_user_pretty_name));
        if let Some(id) = email.as_ref().or(name.as_ref()) {
            let key = self.key(&**id);
            incident.owners.push(Link { key: key.clone(), name: name.clone().or(email.clone()) });
            let profile = OwnerProfile { email, ..OwnerProfile::default() };
            let owner = Owner { key, kind: OwnerKind::User, source_type: None, name, profile };
            incident.embedded.push(Record::Owner(Arc::new(owner)));
        }
        incident.tags = self.tags(notes.texts("tags", std::mem::take(&mut row.tags)), &mut incident.embedded);
        let original = notes.texts("original_tags", std::mem::take(&mut row.original_tags));
        incident.original_tags = self.tags(original, &mut incident.embedded);
    }

    pub(super) fn tags(&self, texts: Vec<Text>, embedded: &mut Vec<Record>) -> Vec<Link> {
        let mut links: Vec<Link> = Vec::with_capacity(texts.len());
        for text in texts {
            let key = self.key(&*text);
            if links.iter().any(|link| link.key == key) {
                continue;
            }
            let tag = Tag { key: key.clone(), name: text.clone(), created_by: None, scope: None };
            embedded.push(Record::Tag(Arc::new(tag)));
            links.push(Link { key, name: Some(text) });
        }
        links
    }
}

fn texts(incident: &mut Incident, row: &mut IncidentRow<'_>, notes: &mut Notes) {
    let mut text = |member, got: &mut Got<Word>| notes.text(member, std::mem::take(got));
    let computed = text("description", &mut row.description);
    // Only few incidents have a name; the generated description says what it is about.
    incident.title = text("incident_name", &mut row.incident_name).or_else(|| computed.clone());
    incident.description = text("manual_description", &mut row.manual_description).or_else(|| computed.clone());
    incident.computed_description = computed;
    incident.notes = text("notes", &mut row.notes);
    incident.resolution_comment = text("resolve_comment", &mut row.resolve_comment);
    incident.url = text("xdr_url", &mut row.xdr_url);
    incident.origins = notes.texts("incident_sources", std::mem::take(&mut row.incident_sources));
    incident.categories = notes.texts("alert_categories", std::mem::take(&mut row.alert_categories));
}

/// Severities and scores. What a person set counts before what the server computed.
fn grades(incident: &mut Incident, row: &mut IncidentRow<'_>, notes: &mut Notes) {
    let computed = notes.text("severity", std::mem::take(&mut row.severity));
    let manual = notes.text("manual_severity", std::mem::take(&mut row.manual_severity));
    incident.computed_severity = computed.as_ref().map(|word| notes.severity("severity", word));
    incident.manual_severity = manual.as_ref().map(|word| notes.severity("manual_severity", word));
    incident.severity = incident.manual_severity.or(incident.computed_severity).unwrap_or(Severity::Unknown);
    incident.source_severity = manual.or(computed);
    let version_matched = match &mut row.xpanse_risk_explainer {
        Got::Value(explainer) => notes.take("versionMatched", std::mem::take(&mut explainer.version_matched)),
        Got::Nothing | Got::Broken => None,
    };
    for (member, kind, name, got) in [
        ("xpanse_risk_score", ScoreKind::Risk, "Xpanse risk score", &mut row.xpanse_risk_score),
        ("rule_based_score", ScoreKind::RuleBased, "Rule-based score", &mut row.rule_based_score),
        ("manual_score", ScoreKind::Manual, "Manual score", &mut row.manual_score),
        ("aggregated_score", ScoreKind::Aggregated, "Aggregated score", &mut row.aggregated_score),
    ] {
        if let Some(Real(value)) = notes.take(member, std::mem::take(got)) {
            let version_matched = version_matched.filter(|_| kind == ScoreKind::Risk);
            incident.scores.push(Score { kind, name: name.into(), value, version_matched });
        }
    }
}

fn standing(incident: &mut Incident, row: &mut IncidentRow<'_>, notes: &mut Notes) {
    let Some(word) = notes.text("status", std::mem::take(&mut row.status)) else { return };
    let told = words::standing(&word);
    if !told.known {
        notes.unknown.insert(("status", word.clone()));
    }
    incident.status = told.status;
    incident.resolution = told.resolution;
    incident.source_resolution = told.source_resolution;
    incident.source_status = Some(word);
}

fn times(incident: &mut Incident, row: &mut IncidentRow<'_>, notes: &mut Notes) {
    incident.created_at = notes.time("creation_time", std::mem::take(&mut row.creation_time));
    incident.updated_at = notes.time("modification_time", std::mem::take(&mut row.modification_time));
    incident.detected_at = notes.time("detection_time", std::mem::take(&mut row.detection_time));
    incident.resolved_at = notes.time("resolved_timestamp", std::mem::take(&mut row.resolved_timestamp));
    incident.last_event_at = notes.time("last_observed", std::mem::take(&mut row.last_observed));
}

fn flags(incident: &mut Incident, row: &mut IncidentRow<'_>, notes: &mut Notes) {
    incident.blocked = notes.take("is_blocked", std::mem::take(&mut row.is_blocked));
    incident.starred = notes.take("starred", std::mem::take(&mut row.starred));
    incident.starred_manually = notes.take("starred_manually", std::mem::take(&mut row.starred_manually));
    let grouping = notes.text("alerts_grouping_status", std::mem::take(&mut row.alerts_grouping_status));
    const GROUPING: [(bool, &str); 2] = [(true, "Enabled"), (false, "Disabled")];
    incident.alert_grouping_enabled =
        grouping.and_then(|word| notes.meaning("alerts_grouping_status", &GROUPING, &word));
}

fn counts(incident: &mut Incident, row: &mut IncidentRow<'_>, notes: &mut Notes) {
    let mut count = |member, got: &mut Got<Whole>| notes.count(member, std::mem::take(got));
    let counts = AlertCounts {
        total: count("alert_count", &mut row.alert_count),
        critical: count("critical_severity_alert_count", &mut row.critical_severity_alert_count),
        high: count("high_severity_alert_count", &mut row.high_severity_alert_count),
        medium: count("med_severity_alert_count", &mut row.med_severity_alert_count),
        low: count("low_severity_alert_count", &mut row.low_severity_alert_count),
    };
    incident.alert_counts = (counts != AlertCounts::default()).then_some(counts);
    incident.user_count = count("user_count", &mut row.user_count);
    incident.host_count = count("host_count", &mut row.host_count);
}

/// None where nothing of it is told.
fn exposure(row: &mut IncidentRow<'_>, notes: &mut Notes) -> Option<Box<Exposure>> {
    let management = notes.text("cloud_management_status", std::mem::take(&mut row.cloud_management_status));
    let meant = management.as_ref().map(|word| {
        notes.meaning("cloud_management_status", &CLOUD_MANAGEMENTS, word).unwrap_or(CloudManagement::Other)
    });
    let exposure = Exposure {
        port: notes.count("port_number", std::mem::take(&mut row.port_number)),
        cloud_providers: notes.texts("cloud_providers", std::mem::take(&mut row.cloud_providers)),
        cloud_management: meant,
        source_cloud_management: management,
        cloud_integration: notes.text("integration_source", std::mem::take(&mut row.integration_source)),
        country_codes: notes.texts("country_codes", std::mem::take(&mut row.country_codes)),
        certificate_issuers: notes.texts("certificate_issuers", std::mem::take(&mut row.certificate_issuers)),
    };
    (exposure != Exposure::default()).then(|| Box::new(exposure))
}
