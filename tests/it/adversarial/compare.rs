//! Whether an incident says what its row says.

use super::support::*;
use chrono::{DateTime, Utc};
use incident_gateway::domain::*;
use serde_json::Value;

pub(crate) fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

pub(crate) fn time(value: &Value) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(value.as_str()?).unwrap().to_utc())
}

pub(crate) fn severity(word: &Value) -> Severity {
    match word.as_str() {
        Some("SEV-1") => Severity::Critical,
        Some("SEV-2") => Severity::High,
        Some("SEV-3") => Severity::Medium,
        Some("SEV-4") => Severity::Low,
        Some("SEV-5") => Severity::Informational,
        _ => Severity::Unknown,
    }
}

pub(crate) fn status(word: &Value) -> IncidentStatus {
    match word.as_str() {
        Some("New") => IncidentStatus::New,
        Some("In Progress") => IncidentStatus::InProgress,
        Some("Review") => IncidentStatus::Review,
        Some("Closed") => IncidentStatus::Closed,
        _ => IncidentStatus::Other,
    }
}

/// What a person is called.
pub(crate) fn person(user: &Value) -> Option<String> {
    let names: Vec<&str> = ["first_name", "last_name"].iter().filter_map(|name| text(&user[*name])).collect();
    if names.is_empty() { text(&user["email"]).map(str::to_owned) } else { Some(names.join(" ")) }
}

fn record(incident: &Incident, kind: RecordKind, link: &Link) -> Record {
    let of_link = |record: &&Record| record.kind() == kind && *record.key() == link.key;
    let mut found = incident.embedded.iter().filter(of_link);
    let record = found.next().unwrap_or_else(|| panic!("{kind:?} {:?} is not embedded", link.key)).clone();
    assert!(found.next().is_none(), "{kind:?} {:?} is embedded once", link.key);
    record
}

/// Every member of a row of the register.
pub(crate) fn incident(row: &Value, incident: &Incident) {
    let core = &row["incident"];
    let id = core["id"].as_str().unwrap();
    assert_eq!((&incident.key, incident.source_kind), (&key(id), SourceKind::Adversarial));
    assert_eq!(incident.reference.as_deref(), Some(id));
    assert_eq!(incident.title.as_deref(), core["title"].as_str());
    assert_eq!(incident.description.as_deref(), core["description"].as_str());
    assert_eq!(
        (incident.severity, incident.source_severity.as_deref()),
        (severity(&core["severity"]), text(&core["severity"]))
    );
    assert_eq!((incident.status, incident.source_status.as_deref()), (status(&core["status"]), text(&core["status"])));
    assert_eq!(incident.severity_reasoning.as_deref(), core["severity_reasoning"].as_str());
    assert_eq!(
        incident.origins.iter().map(|text| &**text).collect::<Vec<_>>(),
        text(&core["source"]).into_iter().collect::<Vec<_>>()
    );
    for (ours, theirs) in [
        (incident.created_at, "created_date"),
        (incident.updated_at, "updated_date"),
        (incident.detected_at, "detected_date"),
        (incident.occurred_at, "occurred_date"),
        (incident.responded_at, "responded_date"),
        (incident.contained_at, "contained_date"),
    ] {
        assert_eq!(ours, time(&core[theirs]), "{theirs} of {id}");
    }
    assert_eq!((incident.resolved_at, incident.due_at, incident.url.as_ref()), (None, None, None));
    assert_eq!(incident.owners.len(), usize::from(core["assigned_to"].is_object()));
    incident.owners.iter().for_each(|link| owner(incident, link, &core["assigned_to"]));
    assert_eq!(incident.created_by.is_some(), core["opened_by"].is_object());
    incident.created_by.iter().for_each(|link| owner(incident, link, &core["opened_by"]));
    let told = incident.told.as_ref().and_then(|told| told.comments.as_ref());
    assert_eq!(told.map(|comments| comments.len()), (row["comment_count"] == 0).then_some(0), "{id}");
    links(row, incident);
}

fn owner(incident: &Incident, link: &Link, user: &Value) {
    assert_eq!(link.name.as_deref(), person(user).as_deref());
    let Record::Owner(owner) = record(incident, RecordKind::Owner, link) else { panic!() };
    same_owner(&owner, user);
}

pub(crate) fn same_owner(owner: &Owner, user: &Value) {
    assert_eq!(owner.key, key(user["id"].as_str().unwrap()));
    assert_eq!(owner.name.as_deref(), person(user).as_deref());
    let service = user["email"].as_str().unwrap().ends_with("@svc.adversarial.com");
    assert_eq!(owner.kind, if service { OwnerKind::ServiceAccount } else { OwnerKind::User });
    let profile = &owner.profile;
    assert_eq!(profile.email.as_deref(), text(&user["email"]));
    assert_eq!(
        (profile.first_name.as_deref(), profile.last_name.as_deref()),
        (text(&user["first_name"]), text(&user["last_name"]))
    );
    let avatar = user["icon"].as_str().map(|icon| Picture::Kept(icon.into()));
    assert_eq!(profile.avatar, avatar);
}

fn links(row: &Value, incident: &Incident) {
    let all = |name: &str| row[name].as_array().unwrap().clone();
    assert_eq!(incident.tags.len(), all("tags").len());
    for (link, theirs) in incident.tags.iter().zip(all("tags")) {
        let Record::Tag(tag) = record(incident, RecordKind::Tag, link) else { panic!() };
        assert_eq!((&tag.key, Some(&*tag.name)), (&key(theirs["id"].as_str().unwrap()), theirs["content"].as_str()));
        assert_eq!(link.name.as_deref(), Some(&*tag.name));
        let creator = tag.created_by.as_ref().map(|link| link.key.clone());
        assert_eq!(creator, theirs["creator_id"].as_str().map(key));
        tag.created_by.iter().for_each(|link| drop(record(incident, RecordKind::Owner, link)));
        assert_eq!(tag.scope.as_ref().map(|link| link.key.clone()), theirs["org_id"].as_str().map(key));
        if let Some(link) = &tag.scope {
            let Record::Scope(scope) = record(incident, RecordKind::Scope, link) else { panic!() };
            assert_eq!(scope.kind, ScopeKind::Organization);
        }
    }
    assert_eq!(incident.threats.len(), all("threat_objectives").len());
    for (link, theirs) in incident.threats.iter().zip(all("threat_objectives")) {
        let word = theirs["threat_objective"].as_str().unwrap();
        let Record::Threat(threat) = record(incident, RecordKind::Threat, &link.threat) else { panic!() };
        assert_eq!((&threat.key, threat.kind, threat.name.as_deref()), (&key(word), ThreatKind::Objective, Some(word)));
        assert_eq!(link.relevance.as_deref(), theirs["relevance"].as_str());
        assert_eq!(link.linked_at, time(&theirs["created_date"]));
    }
    assert_eq!(incident.related_records.len(), all("risk_associations").len());
    for (link, theirs) in incident.related_records.iter().zip(all("risk_associations")) {
        let Record::RelatedRecord(risk) = record(incident, RecordKind::RelatedRecord, &link.record) else { panic!() };
        assert_eq!((risk.kind, risk.reference.as_deref()), (RelatedRecordKind::Risk, theirs.as_str()));
        assert_eq!(risk.key, key(&*format!("risks/{}", theirs.as_str().unwrap())));
    }
}
