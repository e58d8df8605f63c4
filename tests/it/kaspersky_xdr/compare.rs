//! An incident against the row that it is made of, member by member, with a reading of its own.

use super::support::key;
use incident_gateway::domain::*;
use serde_json::Value;

fn said(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn moment(value: &Value) -> Option<Time> {
    Some(chrono::DateTime::parse_from_rfc3339(value.as_str()?).unwrap().to_utc())
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn owned(text: &Option<Text>) -> Option<String> {
    text.as_deref().map(str::to_owned)
}

/// Every member that the row shows, without the two that are asked for apart.
pub(super) fn incident(row: &Value, incident: &Incident) {
    assert_eq!(incident.key, key(row["InternalID"].as_str().unwrap()));
    assert_eq!(incident.source_kind, SourceKind::KasperskyXdr);
    for (member, shown) in [
        ("ID", &incident.reference),
        ("Name", &incident.title),
        ("Description", &incident.description),
        ("ExternalRef", &incident.external_reference),
        ("Status", &incident.source_status),
        ("StatusResolution", &incident.source_resolution),
        ("Severity", &incident.source_severity),
        ("Priority", &incident.source_priority),
    ] {
        assert_eq!(owned(shown), said(&row[member]), "{member}");
    }
    for (member, shown) in [
        ("CreatedAt", incident.created_at),
        ("UpdatedAt", incident.updated_at),
        ("StatusChangedAt", incident.status_changed_at),
        ("FirstEventTime", incident.first_event_at),
        ("LastEventTime", incident.last_event_at),
    ] {
        assert_eq!(shown, moment(&row[member]), "{member}");
    }
    words(row, incident);
    let tenant = incident.scope.as_ref().map(|link| link.key.clone());
    assert_eq!(tenant, Some(key(row["TenantID"].as_str().unwrap())));
    let owner = said(&row["Assignee"]["ID"]).map(|id| Link { key: key(&id), name: None });
    let owners: Vec<Key> = incident.owners.iter().map(|link| link.key.clone()).collect();
    assert_eq!(owners, owner.into_iter().map(|link| link.key).collect::<Vec<_>>());
    assert_eq!(incident.unassigned(), said(&row["Assignee"]["ID"]).is_none());
    let origins: Vec<String> = list(&row["DetectionTechnologies"]).iter().filter_map(said).collect();
    assert_eq!(incident.origins.iter().map(|text| text.to_string()).collect::<Vec<_>>(), origins);
    let threats = [list(&row["MITRETactics"]), list(&row["MITRETechniques"])].concat();
    let threats: Vec<Key> = threats.iter().map(|threat| key(threat["ID"].as_str().unwrap())).collect();
    assert_eq!(incident.threats.iter().map(|link| link.threat.key.clone()).collect::<Vec<_>>(), threats);
    evidence(row, incident);
}

fn words(row: &Value, incident: &Incident) {
    let status = match row["Status"].as_str() {
        Some("open" | "new") => IncidentStatus::New,
        Some("inProgress") => IncidentStatus::InProgress,
        Some("hold") => IncidentStatus::OnHold,
        Some("closed") => IncidentStatus::Closed,
        _ => IncidentStatus::Other,
    };
    assert_eq!(incident.status, status);
    let closed = moment(&row["StatusChangedAt"]).filter(|_| status == IncidentStatus::Closed);
    assert_eq!(incident.resolved_at, closed);
    let severity = match row["Severity"].as_str() {
        Some("critical") => Severity::Critical,
        Some("high") => Severity::High,
        Some("medium") => Severity::Medium,
        Some("low") => Severity::Low,
        _ => Severity::Unknown,
    };
    assert_eq!(incident.severity, severity);
    assert_eq!(incident.created_manually, row["SignOfCreation"].as_str().map(|word| word == "manual"));
    let resolution = match row["StatusResolution"].as_str() {
        Some("truePositive") => Some(Resolution::TruePositive),
        Some("falsePositive") => Some(Resolution::FalsePositive),
        Some("lowPriority") => Some(Resolution::LowPriority),
        Some("merged") => Some(Resolution::Merged),
        _ => None,
    };
    assert_eq!(incident.resolution, resolution);
}

fn evidence(row: &Value, incident: &Incident) {
    let told = incident.told.as_ref().unwrap().evidence.as_ref().unwrap();
    let (alerts, observables, rules) = (list(&row["AlertIDs"]), list(&row["Observables"]), list(&row["Rules"]));
    let expected = [
        (EvidenceKind::Alert, alerts.len()),
        (EvidenceKind::Observable, observables.len()),
        (EvidenceKind::Rule, rules.len()),
    ];
    for (kind, count) in expected {
        assert_eq!(told.iter().filter(|link| link.kind == Some(kind)).count(), count, "{kind:?}");
    }
    let ids: Vec<Key> = alerts.iter().map(|id| key(id.as_str().unwrap())).collect();
    assert_eq!(told.iter().take(ids.len()).map(|link| link.evidence.key.clone()).collect::<Vec<_>>(), ids);
    // What is not had by id has to come along.
    for link in told.iter().skip(ids.len()) {
        let here = incident.embedded.iter().any(|record| *record.key() == link.evidence.key);
        assert!(here, "{}", link.evidence.key.native);
    }
    let total = incident.alert_counts.as_ref().and_then(|counts| counts.total);
    let nulls = row["AlertIDs"].is_null();
    assert_eq!(total, if nulls { None } else { Some(i32::try_from(ids.len()).unwrap()) });
}
