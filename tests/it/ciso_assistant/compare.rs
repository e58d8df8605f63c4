//! The server's own words for what a record holds, told by the server's answer and by the record, to be compared.

use super::support::*;
use incident_gateway::domain::*;
use serde_json::{Value, json};

/// A time as its microseconds, so that spelling does not matter.
pub(crate) fn micros(value: &Value) -> Option<i64> {
    let text = value.as_str()?;
    Some(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros())
}

pub(crate) fn at(time: Option<Time>) -> Option<i64> {
    time.map(|time| time.timestamp_micros())
}

pub(crate) fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

/// Absent there is an empty text.
pub(crate) fn filled(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// The shown members of a list of references, and how many are hidden.
pub(crate) fn references(value: &Value) -> (Vec<(String, Option<String>)>, i32) {
    let all: Vec<&Value> = value.as_array().into_iter().flatten().collect();
    let hidden = all.iter().filter(|member| member.as_object().is_some_and(|member| member.is_empty())).count();
    let shown = all.iter().filter_map(|member| reference(member)).collect();
    (shown, i32::try_from(hidden).unwrap())
}

pub(crate) fn reference(value: &Value) -> Option<(String, Option<String>)> {
    Some((value["id"].as_str()?.to_owned(), value["str"].as_str().map(str::to_owned)))
}

pub(crate) fn link(link: &Link) -> (String, Option<String>) {
    assert_eq!(link.key.source, name());
    (link.key.native.to_string(), link.name.as_deref().map(str::to_owned))
}

pub(crate) fn links<'a>(all: impl IntoIterator<Item = &'a Link>) -> Vec<(String, Option<String>)> {
    all.into_iter().map(link).collect()
}

fn within(collection: &str, all: Vec<(String, Option<String>)>) -> Vec<(String, Option<String>)> {
    all.into_iter().map(|(id, name)| (format!("{collection}/{id}"), name)).collect()
}

/// How many `{}` stand anywhere in the members that become links.
pub(crate) fn hidden(row: &Value, members: &[&str]) -> u32 {
    let one = |value: &Value| u32::from(value.as_object().is_some_and(|value| value.is_empty()));
    let of = |member: &&str| match &row[*member] {
        Value::Array(all) => all.iter().map(one).sum(),
        value => one(value),
    };
    members.iter().map(of).sum()
}

pub(crate) const INCIDENT_LINKS: [&str; 10] = [
    "threats",
    "owners",
    "assets",
    "qualifications",
    "entities",
    "filtering_labels",
    "folder",
    "applied_controls",
    "task_templates",
    "risk_scenarios",
];

pub(crate) fn severity(label: &str) -> Severity {
    match label {
        "Critical" => Severity::Critical,
        "Major" => Severity::High,
        "Moderate" => Severity::Medium,
        "Minor" => Severity::Minor,
        "Low" => Severity::Low,
        "unknown" => Severity::Unknown,
        other => panic!("{other}"),
    }
}

pub(crate) fn status(label: &str) -> IncidentStatus {
    match label {
        "New" => IncidentStatus::New,
        "Ongoing" => IncidentStatus::InProgress,
        "Resolved" => IncidentStatus::Resolved,
        "Closed" => IncidentStatus::Closed,
        "Dismissed" => IncidentStatus::Dismissed,
        other => panic!("{other}"),
    }
}

pub(crate) fn incident(row: &Value, incident: &Incident, base: &str) {
    let id = row["id"].as_str().unwrap();
    assert_eq!((incident.key.clone(), incident.source_kind), (key(id), SourceKind::CisoAssistant));
    assert_eq!(incident.url.as_deref(), Some(&*format!("{base}incidents/{id}")));
    for (member, value) in [
        ("name", &incident.title),
        ("description", &incident.description),
        ("link", &incident.link),
        ("severity", &incident.source_severity),
        ("status", &incident.source_status),
        ("resolution", &incident.resolution_comment),
    ] {
        assert_eq!(value.as_deref(), text(&row[member]), "{member} of {row}");
    }
    assert_eq!(incident.reference.as_deref(), filled(&row["ref_id"]));
    assert_eq!(incident.source_detection.as_deref(), filled(&row["detection"]));
    assert_eq!(incident.severity, severity(row["severity"].as_str().unwrap()));
    assert_eq!(incident.status, status(row["status"].as_str().unwrap()));
    let detection = filled(&row["detection"]).map(|label| match label {
        "Internal" => Detection::Internal,
        "External" => Detection::External,
        other => panic!("{other}"),
    });
    assert_eq!(incident.detection, detection);
    assert_eq!(incident.published, row["is_published"].as_bool());
    assert_eq!(incident.continuity_plan_activated, row["is_bcp_activated"].as_bool());
    for (member, value) in [
        ("created_at", incident.created_at),
        ("updated_at", incident.updated_at),
        ("reported_at", incident.reported_at),
        ("occurred_at", incident.occurred_at),
        ("resolved_at", incident.resolved_at),
    ] {
        assert_eq!(at(value), micros(&row[member]), "{member} of {row}");
    }
    incident_links(row, incident);
}

fn incident_links(row: &Value, incident: &Incident) {
    let mut expected_hidden = Vec::new();
    let mut shown = |member: &str, field| {
        let (shown, hidden) = references(&row[member]);
        if hidden > 0 {
            expected_hidden.push((field, hidden));
        }
        shown
    };
    use IncidentField as F;
    assert_eq!(links(&incident.owners), shown("owners", F::Owners));
    assert_eq!(links(incident.assets.iter().map(|link| &link.asset)), shown("assets", F::Assets));
    assert!(incident.assets.iter().all(|link| link.roles == [AssetRole::Affected] && link.kind.is_none()));
    assert_eq!(links(incident.threats.iter().map(|link| &link.threat)), shown("threats", F::Threats));
    assert!(incident.threats.iter().all(|link| link.kind == Some(ThreatKind::Catalogued)));
    assert_eq!(links(&incident.tags), shown("filtering_labels", F::Tags));
    assert_eq!(links(&incident.qualifications), shown("qualifications", F::Qualifications));
    assert_eq!(links(&incident.entities), within("entities", shown("entities", F::Entities)));
    let mut related = within("applied-controls", shown("applied_controls", F::RelatedRecords));
    related.extend(within("task-templates", shown("task_templates", F::RelatedRecords)));
    related.extend(within("risk-scenarios", shown("risk_scenarios", F::RelatedRecords)));
    assert_eq!(links(incident.related_records.iter().map(|link| &link.record)), related);
    for link in &incident.related_records {
        let kind = match link.record.native().to_string().split('/').next() {
            Some("applied-controls") => RelatedRecordKind::Control,
            Some("task-templates") => RelatedRecordKind::Task,
            _ => RelatedRecordKind::Risk,
        };
        assert_eq!(link.kind, kind);
    }
    assert_eq!(incident.scope.as_ref().map(link), reference(&row["folder"]));
    if row["folder"] == json!({}) {
        expected_hidden.push((F::Scope, 1));
    }
    let mut told: Vec<_> = incident.hidden_links.iter().map(|links| (links.field, links.count)).collect();
    let mut sums: Vec<(IncidentField, i32)> = Vec::new();
    for (field, count) in expected_hidden {
        match sums.iter_mut().find(|(other, _)| *other == field) {
            Some((_, sum)) => *sum += count,
            None => sums.push((field, count)),
        }
    }
    told.sort();
    sums.sort();
    assert_eq!(told, sums);
}
