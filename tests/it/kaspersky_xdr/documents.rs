//! The documented bodies, and oddities that a real server may show.

use super::support::*;
use incident_gateway::{domain::*, source::*};
use serde_json::{Value, json};
use std::sync::Arc;

async fn list(body: impl Into<String>) -> Rows<Arc<Incident>> {
    answering(body).list(&call(), &page()).await.unwrap()
}

#[tokio::test]
async fn the_documented_list_is_read_in_full() {
    let rows = list(fixture("list_incidents.json")).await;
    assert_eq!((rows.items.len(), rows.total, rows.malformed, rows.more), (4, Some(4), 0, false));
    let body: Value = serde_json::from_str(&fixture("list_incidents.json")).unwrap();
    for (row, incident) in body["Incidents"].as_array().unwrap().iter().zip(&rows.items) {
        super::compare::incident(row, incident);
    }
    let statuses: Vec<IncidentStatus> = rows.items.iter().map(|incident| incident.status).collect();
    use IncidentStatus as S;
    assert_eq!(statuses, [S::Closed, S::OnHold, S::InProgress, S::New]);
    let empty = list(fixture("list_incidents_unknown_id.json")).await;
    assert_eq!((empty.items.len(), empty.total, empty.more), (0, Some(0), false));
}

#[tokio::test]
async fn documented_details_are_read_in_full() {
    let source = answering(fixture("list_incidents_with_affected_and_history.json"));
    let parts = DetailParts { assets: true, activity: true, evidence: true, ..DetailParts::default() };
    let id = NativeId::new("881dee1f-380d-4366-a2d8-094e0af4c3f6");
    let request = DetailRequest { parts, incidents: vec![id.clone(), nobody(1)], want: PLAIN };
    let mut found = source.details(&call(), &request).await.unwrap();
    assert_eq!((found.items.len(), found.failed.len(), found.malformed), (1, 0, 0));
    let (found_id, details) = found.items.remove(0);
    assert_eq!(found_id, id);
    let roles: Vec<_> = details.assets.as_ref().unwrap().iter().map(|link| (link.kind, link.roles.clone())).collect();
    let expected = [(AssetKind::Host, AssetRole::Victim), (AssetKind::UserAccount, AssetRole::Attacker)]
        .map(|(k, r)| (Some(k), vec![r]));
    assert_eq!(roles, expected);
    let activity = details.activity.unwrap();
    assert_eq!((activity[0].kind, activity[1].kind), (ActivityKind::Assigned, ActivityKind::Created));
    assert_eq!(activity[0].details.as_ref().unwrap().as_str().replace([' ', '\n'], ""), r#"{"assignee":"m.keller"}"#);
    assert_eq!(details.evidence.unwrap().len(), 2 + 2 + 1);
}

#[tokio::test]
async fn null_absent_and_broken_members_do_not_cost_the_record() {
    let id = nobody(1).to_string();
    let nulls = json!({ "InternalID": id, "ID": null, "TenantID": null, "Name": null, "Assets": null, "AlertIDs": null,
        "Assignee": null, "CreatedAt": null, "DetectionTechnologies": null, "MITRETactics": null, "MITRETechniques": null,
        "Observables": null, "Rules": null, "Severity": null, "Status": null, "HistoryRecords": null });
    let broken = json!({ "InternalID": nobody(2).to_string(), "ID": {}, "Name": ["x"], "Assets": "none", "AlertIDs": 7,
        "Assignee": "m.keller", "CreatedAt": "yesterday", "UpdatedAt": 5, "MITRETactics": [{}, null, {"ID": 7}, 3],
        "Rules": [{"Name": "n", "Custom": "yes"}], "Observables": [null, 5, {"Type": "ip"}], "Status": "closed",
        "StatusChangedAt": "2024-01-19T08:00:00.000Z", "Unheard": {"of": [1]} });
    let rows = list(json!({ "Total": 2, "Incidents": [nulls, broken, null, "x", {}] }).to_string()).await;
    assert_eq!((rows.items.len(), rows.consumed, rows.malformed), (2, 5, 4));
    let (nulls, broken) = (&rows.items[0], &rows.items[1]);
    assert!(nulls.title.is_none() && nulls.owners.is_empty() && nulls.scope.is_none() && nulls.embedded.is_empty());
    assert_eq!((nulls.status, nulls.severity), (IncidentStatus::Other, Severity::Unknown));
    assert_eq!((broken.status, broken.resolved_at.is_some()), (IncidentStatus::Closed, true));
    assert_eq!(broken.threats.len(), 1, "an id that is a number is still one");
    let evidence = broken.told.as_ref().unwrap().evidence.as_ref().unwrap();
    assert_eq!(evidence.iter().map(|link| link.evidence.name.as_deref()).collect::<Vec<_>>(), [None, Some("n")]);
}

#[tokio::test]
async fn unknown_words_keep_their_text() {
    let row = json!({ "InternalID": nobody(1).to_string(), "Severity": "apocalyptic", "Priority": "P0", "Status": "Escalated",
        "StatusResolution": "handedOver", "SignOfCreation": "imported", "Rules": [{"ID": "r", "Severity": "odd"}],
        "Assets": [{"ID": "a", "Type": "container", "HostInfo": {"Weight": "huge"}}] });
    let source = answering(json!({ "Total": 1, "Incidents": [row] }).to_string());
    let request = ListRequest { want: Want { assets: true, ..PLAIN }, ..page() };
    let rows = source.list(&call(), &request).await.unwrap();
    let incident = &rows.items[0];
    assert_eq!((incident.severity, incident.source_severity.as_deref()), (Severity::Unknown, Some("apocalyptic")));
    assert_eq!((incident.priority, incident.source_priority.as_deref()), (Some(Level::Other), Some("P0")));
    assert_eq!((incident.status, incident.source_status.as_deref()), (IncidentStatus::Other, Some("Escalated")));
    assert_eq!(
        (incident.resolution, incident.source_resolution.as_deref()),
        (Some(Resolution::Other), Some("handedOver"))
    );
    assert_eq!(incident.created_manually, None);
    let asset = incident.embedded.iter().find_map(|record| match record {
        Record::Asset(asset) => Some(asset),
        _ => None,
    });
    let asset = asset.unwrap();
    // What kind it is, is still seen by what is told of it.
    assert_eq!((asset.kind, asset.source_type.as_deref()), (AssetKind::Host, Some("container")));
    assert_eq!((asset.criticality, asset.source_criticality.as_deref()), (Some(Level::Other), Some("huge")));
    assert_eq!(rows.malformed, 0, "a word is not broken");
}

#[tokio::test]
async fn letter_case_and_other_names_of_members_do_not_matter() {
    let row = json!({ "id": 7, "internalId": nobody(1).to_string(), "tenantId": TENANT, "name": "n", "status": "NEW",
        "creationType": "MANUAL", "alerts": [{ "InternalID": nobody(2).to_string() }], "Assignee": { "id": "x", "name": "y" },
        "mitreTactics": [{ "id": "TA0002" }], "observables": [{ "type": "ip", "value": "192.0.2.1" }] });
    let incident = list(json!({ "total": 1, "incidents": [row] }).to_string()).await.items.remove(0);
    assert_eq!((incident.status, incident.created_manually), (IncidentStatus::New, Some(true)));
    assert_eq!(incident.alert_counts.as_ref().unwrap().total, Some(1));
    assert_eq!(incident.owners[0].name.as_deref(), Some("y"));
    assert_eq!(incident.threats[0].threat.name.as_deref(), Some("Execution"));
    assert_eq!(incident.told.as_ref().unwrap().evidence.as_ref().unwrap().len(), 2);
}

#[tokio::test]
async fn who_has_no_id_is_known_by_name_and_who_has_neither_is_nobody() {
    let row = |number: u8, assignee: Value| json!({ "InternalID": nobody(number).to_string(), "Assignee": assignee });
    let rows = [
        row(1, json!({ "ID": "", "Name": "m.keller" })),
        row(2, json!({ "ID": "7", "Name": "" })),
        row(3, json!({ "ID": "", "Name": "" })),
        row(4, json!({})),
    ];
    let rows = list(json!({ "Total": 4, "Incidents": rows }).to_string()).await;
    let owners: Vec<Option<String>> =
        rows.items.iter().map(|i| i.owners.first().map(|link| link.key.native.to_string())).collect();
    assert_eq!(owners, [Some("name/m.keller".into()), Some("7".into()), None, None]);
    assert_eq!(rows.items.iter().map(|i| i.unassigned()).collect::<Vec<_>>(), [false, false, true, true]);
}

/// The year 1 is how the server's language writes no time at all.
#[tokio::test]
async fn the_time_that_is_none_is_none() {
    let row = json!({ "InternalID": nobody(1).to_string(), "CreatedAt": "2024-01-16T09:56:29.939Z",
        "UpdatedAt": "0001-01-01T00:00:00Z", "FirstEventTime": "", "LastEventTime": "2024-01-16T11:56:29.939+02:00" });
    let incident = list(json!({ "Total": 1, "Incidents": [row] }).to_string()).await.items.remove(0);
    assert_eq!((incident.updated_at, incident.first_event_at), (None, None));
    assert_eq!(incident.created_at, incident.last_event_at);
}

#[tokio::test]
async fn a_server_that_ignores_ids_or_repeats_rows_gives_no_records_that_nobody_asked_for() {
    let source = answering(fixture("list_incidents.json"));
    let id = NativeId::new("5c9e9c51-1f5a-4c0f-b7a1-0de0d5a1f303");
    let found = source.fetch(&call(), std::slice::from_ref(&id), PLAIN).await.unwrap();
    assert_eq!(found.items.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&id]);
    let row = json!({ "InternalID": id.to_string(), "Name": "n" });
    let twice = answering(json!({ "Total": 2, "Incidents": [row, row] }).to_string());
    assert_eq!(twice.fetch(&call(), &[id], PLAIN).await.unwrap().items.len(), 1);
}

/// The host that was attacked and then attacked others, told once for each.
#[tokio::test]
async fn an_asset_that_is_told_twice_keeps_what_both_tell() {
    let first = json!({ "ID": "h", "Name": "", "Type": "host", "IsVictim": true, "IsAttacker": false,
        "HostInfo": { "IpAddress": ["192.0.2.1"], "OS": "Windows", "CreatedAt": 0, "IsDeleted": false,
            "KICS": { "risks": [{ "ID": 1, "Name": "old" }] } } });
    let second = json!({ "ID": "", "Name": "ws-1", "Type": "host", "IsVictim": false, "IsAttacker": true, "KSCServer": "ksc",
        "HostInfo": { "ID": "h", "IpAddress": ["192.0.2.2", "192.0.2.1"], "OSVersion": "11", "CreatedAt": 1_704_967_200,
            "KSC": { "GroupID": 7 }, "KICS": { "status": "ok", "risks": [{ "ID": 1, "Cvss": 9.8 }, { "ID": 2 }] } },
        "UserInfo": { "mail": "a@example.test" } });
    for rows in [[first.clone(), second.clone()], [second, first]] {
        let row = json!({ "InternalID": nobody(1).to_string(), "Assets": rows });
        let source = answering(json!({ "Total": 1, "Incidents": [row] }).to_string());
        let request = ListRequest { want: Want { assets: true, ..PLAIN }, ..page() };
        let incident = source.list(&call(), &request).await.unwrap().items.remove(0);
        assert_eq!(incident.assets.len(), 1);
        assert_eq!(incident.assets[0].roles, [AssetRole::Victim, AssetRole::Attacker]);
        assert_eq!(incident.assets[0].asset.name.as_deref(), Some("ws-1"));
        let assets = incident.embedded.iter().filter_map(|record| match record {
            Record::Asset(asset) => Some(asset),
            _ => None,
        });
        let [asset] = assets.collect::<Vec<_>>()[..] else { panic!("{:?}", incident.embedded) };
        let technical = asset.technical.as_ref().unwrap();
        let mut addresses = technical.ip_addresses.clone();
        addresses.sort();
        assert_eq!(addresses.iter().map(|one| &**one).collect::<Vec<_>>(), ["192.0.2.1", "192.0.2.2"]);
        let system = technical.operating_system.as_ref().unwrap();
        assert_eq!((system.name.as_deref(), system.version.as_deref()), (Some("Windows"), Some("11")));
        assert_eq!(asset.created_at.unwrap().timestamp(), 1_704_967_200);
        assert_eq!((asset.deleted, technical.management_server.as_deref()), (Some(false), Some("ksc")));
        assert_eq!(technical.protection.as_ref().unwrap().group_id, Some(7));
        assert_eq!(technical.account.as_ref().unwrap().email.as_deref(), Some("a@example.test"));
        assert_eq!(technical.industrial.as_ref().unwrap().status.as_deref(), Some("ok"));
        let risks: Vec<String> = technical.risks.iter().map(|link| link.key.native.to_string()).collect();
        assert_eq!(risks, ["h/risks/1", "h/risks/2"]);
        let risk = incident.embedded.iter().find_map(|record| match record {
            Record::Threat(threat) if threat.key == key("h/risks/1") => Some(threat),
            _ => None,
        });
        assert_eq!((risk.unwrap().name.as_deref(), risk.unwrap().cvss), (Some("old"), Some(9.8)));
        assert!(asset.raw.as_ref().unwrap().as_str().contains("UserInfo"), "the text that tells more");
    }
}

#[tokio::test]
async fn assets_and_rules_without_an_id_are_not_lost_among_each_other() {
    let row = json!({ "InternalID": nobody(1).to_string(),
        "Assets": [{ "Type": "host", "Name": "a" }, { "Type": "host", "Name": "b" }, { "Type": "host", "Name": "a", "IsVictim": true },
            { "Type": "host", "HostInfo": { "IpAddress": ["192.0.2.1"] } }, { "Type": "host", "HostInfo": { "IpAddress": ["192.0.2.2"] } }],
        "Rules": [{ "Name": "n", "Confidence": "high" }, { "Name": "n", "Severity": "low" }, { "Type": "t" }, { "Type": "u" }] });
    let source = answering(json!({ "Total": 1, "Incidents": [row] }).to_string());
    let request = ListRequest { want: Want { assets: true, ..PLAIN }, ..page() };
    let incident = source.list(&call(), &request).await.unwrap().items.remove(0);
    let roles: Vec<_> = incident.assets.iter().map(|link| link.roles[0]).collect();
    use AssetRole::{Affected, Victim};
    assert_eq!(roles, [Victim, Affected, Affected, Affected]);
    assert_eq!(incident.told.as_ref().unwrap().evidence.as_ref().unwrap().len(), 3);
    let rule = incident.embedded.iter().find_map(|record| match record {
        Record::Evidence(evidence) if evidence.title.as_deref() == Some("n") => Some(evidence),
        _ => None,
    });
    let rule = rule.unwrap();
    assert_eq!(rule.rule.as_ref().unwrap().confidence.as_deref(), Some("high"));
    assert_eq!(rule.severity, Some(Severity::Low));
}

/// A command line or an address may be longer than an id can be.
#[tokio::test]
async fn long_observables_have_ids_that_clients_can_use() {
    let long = |end: &str| format!("https://example.test/{}{end}", "ä/".repeat(5_000));
    let observable = |value: String| json!({ "Type": "url", "Value": value });
    let row =
        json!({ "InternalID": nobody(1).to_string(), "Observables": [observable(long("a")), observable(long("b"))] });
    let incident = list(json!({ "Total": 1, "Incidents": [row] }).to_string()).await.items.remove(0);
    let evidence = incident.told.as_ref().unwrap().evidence.as_ref().unwrap();
    let ids: Vec<String> =
        evidence.iter().map(|link| GlobalId::new(IdKind::Evidence, link.evidence.key.clone()).to_string()).collect();
    assert!(ids.len() == 2 && ids[0] != ids[1]);
    assert!(ids.iter().all(|id| id.parse::<GlobalId>().is_ok()));
}

/// A directory writes “never” as no time, as the last that it can write, or as a year far away.
#[tokio::test]
async fn accounts_that_never_expire_have_no_such_time() {
    for (written, shown) in [
        (json!(1_900_000_000), Some(1_900_000_000)),
        (json!(1_900_000_000_000_i64), Some(1_900_000_000)),
        (json!("1900000000"), Some(1_900_000_000)),
        (json!(0), None),
        (json!(-1), None),
        (json!(253_402_300_799_i64), None),
        (json!(253_402_300_799_000_i64), None),
        (json!(i64::MAX), None),
        (json!(null), None),
    ] {
        let asset = json!({ "ID": "u", "Type": "user", "UserInfo": { "accountExpires": written, "whenCreated": 7 } });
        let row = json!({ "InternalID": nobody(1).to_string(), "Assets": [asset] });
        let source = answering(json!({ "Total": 1, "Incidents": [row] }).to_string());
        let request = ListRequest { want: Want { assets: true, ..PLAIN }, ..page() };
        let incident = source.list(&call(), &request).await.unwrap().items.remove(0);
        let Some(Record::Asset(asset)) = incident.embedded.last() else { panic!("{:?}", incident.embedded) };
        let account = asset.technical.as_ref().unwrap().account.as_ref().unwrap();
        assert_eq!(account.expires_at.map(|at| at.timestamp()), shown, "{written}");
    }
}
