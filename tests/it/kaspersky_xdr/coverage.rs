//! Every documented member of an incident, an asset and an alert, each with a value of its own, through GraphQL.

use super::support::*;
use incident_gateway::graphql::Api;
use serde_json::{Value, json};

/// The printed example of the document with every `"string"` replaced by its path and every zero by a number of its own:
/// times in milliseconds, in the order in which they stand.
pub(super) fn filled() -> Value {
    let mut body: Value = serde_json::from_str(&fixture("documented_example.json")).unwrap();
    let mut number = 0;
    fill(&mut body["Incidents"][0], "", &mut number);
    body["Total"] = 1.into();
    body
}

fn fill(value: &mut Value, path: &str, number: &mut i64) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                fill(value, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, number);
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|value| fill(value, path, number)),
        Value::String(text) if text == "string" => *text = path.to_owned(),
        Value::Number(_) => {
            *number += 1;
            let is_time = ["CreatedAt", "LastVisible", "Last", "when", "accountExpires", "badPasswordTime"];
            let last = path.rsplit('.').next().unwrap();
            let time = is_time.iter().any(|start| last.starts_with(start));
            *value = if time { json!(1_700_000_000_000_i64 + *number * 1_000) } else { json!(*number) };
        }
        _ => {}
    }
}

fn number(path: &str) -> i64 {
    let pointer = format!("/{}", path.replace('.', "/"));
    filled()["Incidents"][0].pointer(&pointer).unwrap().as_i64().unwrap()
}

fn time(path: &str) -> Value {
    let at = chrono::DateTime::from_timestamp_millis(number(path)).unwrap();
    json!(at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

fn gateway() -> Api {
    let tenants = json!([
        { "ID": "TenantID", "Name": "Main", "Description": "d", "IsRoot": true, "Removable": false, "Subtenants": null },
        { "ID": "Assets.HostInfo.TenantID", "Name": "Branch" },
    ]);
    let source = over(&[TENANT], move |request| match request.url.path() {
        "/xdr/api/v1/incidents" => json(200, filled().to_string()),
        "/xdr/api/v1/alerts" => json(200, fixture("list_alerts.json")),
        _ => json(200, tenants.to_string()),
    });
    crate::support::api(vec![source])
}

/// Compares what stands at each place.
fn check(shown: &Value, expected: &[(&str, Value)]) {
    for (place, value) in expected {
        let pointer = format!("/{}", place.replace('.', "/"));
        let found = shown.pointer(&pointer).unwrap_or_else(|| panic!("nothing at {place}: {shown}"));
        assert_eq!(found, value, "{place}");
    }
}

/// All that an incident shows.
pub(super) const INCIDENT: &str = "{ incidents { totalCount nodes { reference sourceId scope { sourceId name kind root } title
        evidence { nodes { kind sourceId title description severity sourceSeverity sourceType observable { type value }
            rule { type confidence custom } } }
        alertCounts { total } owners { sourceId name kind } createdAt origins firstEventAt lastEventAt
        threats { nodes { kind reference sourceId name provider } } severity sourceSeverity externalReference status
        sourceStatus phase statusChangedAt resolvedAt resolution sourceResolution updatedAt description createdManually priority
        sourcePriority raw activity { nodes { subjectId subjectType kind sourceType at details raw } } } } }";

#[tokio::test]
async fn every_member_of_an_incident_is_shown() {
    let mut data = data(&gateway(), INCIDENT).await;
    assert_eq!(data["incidents"]["totalCount"], 1);
    let node = data["incidents"]["nodes"][0].take();
    check(
        &node,
        &[
            ("reference", json!(number("ID").to_string())),
            ("sourceId", json!("881dee1f-380d-4366-a2d8-094e0af4c3f6")),
            ("scope", json!({ "sourceId": "TenantID", "name": "Main", "kind": "TENANT", "root": true })),
            ("title", json!("Name")),
            ("alertCounts.total", json!(1)),
            ("owners", json!([{ "sourceId": "Assignee.ID", "name": "Assignee.Name", "kind": "USER" }])),
            ("createdAt", json!("2024-01-16T09:56:29.939Z")),
            ("updatedAt", json!("2024-01-16T09:56:29.939Z")),
            ("firstEventAt", json!("2024-01-16T09:56:29.939Z")),
            ("lastEventAt", json!("2024-01-16T09:56:29.939Z")),
            ("statusChangedAt", json!("2024-01-16T09:56:29.939Z")),
            ("resolvedAt", Value::Null),
            ("origins", json!(["DetectionTechnologies"])),
            ("severity", json!("CRITICAL")),
            ("sourceSeverity", json!("critical")),
            ("externalReference", json!("ExternalRef")),
            ("status", json!("NEW")),
            ("sourceStatus", json!("open")),
            ("phase", json!("OPEN")),
            ("resolution", json!("TRUE_POSITIVE")),
            ("sourceResolution", json!("truePositive")),
            ("description", json!("Description")),
            ("createdManually", json!(false)),
            ("priority", json!("LOW")),
            ("sourcePriority", json!("low")),
            ("threats.nodes.0.kind", json!("TACTIC")),
            ("threats.nodes.0.reference", json!("MITRETactics.ID")),
            ("threats.nodes.1.kind", json!("TECHNIQUE")),
            ("threats.nodes.1.reference", json!("MITRETechniques.ID")),
            ("threats.nodes.1.name", json!("MITRETechniques.ID")),
            ("threats.nodes.1.provider", Value::Null),
            ("evidence.nodes.0.kind", json!("OBSERVABLE")),
            ("evidence.nodes.0.description", json!("Observables.Details")),
            ("evidence.nodes.0.observable", json!({ "type": "ip", "value": "Observables.Value" })),
            ("evidence.nodes.1.kind", json!("RULE")),
            ("evidence.nodes.1.sourceId", json!("Rules.ID")),
            ("evidence.nodes.1.title", json!("Rules.Name")),
            ("evidence.nodes.1.severity", json!("CRITICAL")),
            ("evidence.nodes.1.sourceSeverity", json!("critical")),
            ("evidence.nodes.1.rule", json!({ "type": "Rules.Type", "confidence": "high", "custom": true })),
            ("activity.nodes.0.subjectId", json!("HistoryRecords.entityID")),
            ("activity.nodes.0.subjectType", json!("Alert")),
            ("activity.nodes.0.kind", json!("ASSIGNED")),
            ("activity.nodes.0.sourceType", json!("alertAssigned")),
            ("activity.nodes.0.at", json!("2024-03-12T11:11:58.864Z")),
            ("activity.nodes.0.details", json!({})),
            ("activity.nodes.0.raw.tenantID", json!("HistoryRecords.tenantID")),
            ("raw", filled()["Incidents"][0].clone()),
        ],
    );
    let observable = node.pointer("/evidence/nodes/0/sourceId").unwrap().as_str().unwrap();
    assert!(observable.ends_with("/ip/Observables.Value"), "{observable}");
}

/// All that a host shows.
pub(super) const HOST: &str = "{ incidents { nodes { assets { edges { roles node { sourceId kind sourceType name displayName managementServer raw
        scope { sourceId name } origins createdAt deleted ipAddresses domainNames macAddresses categories criticality
        sourceCriticality criticalInfrastructure operatingSystem { name version } lastSeenAt software { name vendor version }
        hardware { name vendor version } protection { groupId groupName statusMask statusCode realTimeProtectionCode encryptionCode
            antiSpamCode emailAntivirusCode dataLossPreventionCode detectionAndResponseCode definitionsUpdatedAt infoUpdatedAt
            updatedAt systemStartedAt virtualServerId }
        industrial { status serverIpAddress connectorId deviceId }
        risks { kind sourceId name category description url severity sourceSeverity cvss } } } } } } }";

/// A text of the host in the example: its own path.
fn host(member: &str) -> Value {
    json!(format!("Assets.HostInfo.{member}"))
}

/// A time of the host in the example.
fn at(member: &str) -> Value {
    time(&format!("Assets.0.HostInfo.{member}"))
}

#[tokio::test]
async fn every_member_of_a_host_is_shown() {
    let data = data(&gateway(), HOST).await;
    let edge = &data["incidents"]["nodes"][0]["assets"]["edges"][0];
    assert_eq!(edge["roles"], json!(["VICTIM", "ATTACKER"]));
    let model = |part: &str| {
        let member = |name: &str| host(&format!("KICS.{part}.{name}"));
        json!({ "name": member("Model"), "vendor": member("Vendor"), "version": member("Version") })
    };
    let program =
        json!({ "name": host("Products.ProductName"), "vendor": null, "version": host("Products.ProductVersion") });
    let expected = [
        ("sourceId", json!("Assets.ID")),
        ("kind", json!("HOST")),
        ("sourceType", json!("host")),
        ("name", json!("Assets.Name")),
        ("displayName", host("DisplayName")),
        ("managementServer", json!("Assets.KSCServer")),
        ("scope", json!({ "sourceId": "Assets.HostInfo.TenantID", "name": "Branch" })),
        ("origins", json!(["Assets.HostInfo.AssetSource", "ksc"])),
        ("createdAt", at("CreatedAt")),
        ("lastSeenAt", at("LastVisible")),
        ("deleted", json!(true)),
        ("ipAddresses", json!([host("IpAddress")])),
        ("domainNames", json!([host("Fqdn")])),
        ("macAddresses", json!([host("MacAddress")])),
        ("categories", json!([host("DirectCategories")])),
        ("criticality", json!("LOW")),
        ("sourceCriticality", json!("low")),
        ("criticalInfrastructure", json!("notCII")),
        ("operatingSystem", json!({ "name": host("OS"), "version": host("OSVersion") })),
        ("raw.Data", json!({})),
        ("hardware", model("hardware")),
        ("software", json!([model("software"), program])),
    ];
    check(&edge["node"], &expected);
}

#[tokio::test]
async fn every_member_of_a_hosts_protection_and_risks_is_shown() {
    let data = data(&gateway(), HOST).await;
    let code = |member: &str| json!(number(&format!("Assets.0.HostInfo.KSC.{member}")));
    let mut expected = Vec::new();
    for (place, member) in [
        ("protection.groupId", "GroupID"),
        ("protection.statusCode", "StatusID"),
        ("protection.statusMask.0", "StatusMask.0"),
        ("protection.realTimeProtectionCode", "RtProtectionState"),
        ("protection.encryptionCode", "EncryptionState"),
        ("protection.antiSpamCode", "AntiSpamStatus"),
        ("protection.emailAntivirusCode", "EmailAvStatus"),
        ("protection.dataLossPreventionCode", "DlpStatus"),
        ("protection.detectionAndResponseCode", "EdrStatus"),
        ("protection.virtualServerId", "VirtualServerID"),
    ] {
        expected.push((place, code(member)));
    }
    expected.extend([
        ("protection.groupName", host("KSC.GroupName")),
        ("protection.definitionsUpdatedAt", at("KSC.LastAvBasesUpdate")),
        ("protection.infoUpdatedAt", at("KSC.LastInfoUpdate")),
        ("protection.updatedAt", at("KSC.LastUpdate")),
        ("protection.systemStartedAt", at("KSC.LastSystemStart")),
        ("industrial.status", host("KICS.status")),
        ("industrial.serverIpAddress", host("KICS.serverIP")),
        ("industrial.connectorId", json!(number("Assets.0.HostInfo.KICS.connectorID"))),
        ("industrial.deviceId", json!(number("Assets.0.HostInfo.KICS.deviceID"))),
        ("risks.0.kind", json!("RISK")),
        ("risks.0.sourceId", json!(format!("Assets.ID/risks/{}", number("Assets.0.HostInfo.KICS.risks.0.ID")))),
        ("risks.0.name", host("KICS.risks.Name")),
        ("risks.0.category", host("KICS.risks.Category")),
        ("risks.0.description", host("KICS.risks.Description")),
        ("risks.0.severity", json!("UNKNOWN")),
        ("risks.0.sourceSeverity", json!(number("Assets.0.HostInfo.KICS.risks.0.Severity").to_string())),
        ("risks.0.cvss", json!(number("Assets.0.HostInfo.KICS.risks.0.Cvss") as f64)),
    ]);
    check(&data["incidents"]["nodes"][0]["assets"]["edges"][0]["node"], &expected);
}

/// A client may not be sent what is no address, so that the member has to be one here.
#[tokio::test]
async fn addresses_of_risks_are_shown() {
    let mut body: Value = filled();
    let url = "https://risks.example.test/7";
    *body.pointer_mut("/Incidents/0/Assets/0/HostInfo/KICS/risks/0/DescriptionURL").unwrap() = url.into();
    let api = crate::support::api(vec![answering(body.to_string())]);
    let data = data(&api, "{ incidents { nodes { assets { nodes { risks { url } } } } } }").await;
    assert_eq!(data.pointer("/incidents/nodes/0/assets/nodes/0/risks/0/url"), Some(&json!(url)));
}

#[tokio::test]
async fn every_member_of_an_account_is_shown() {
    // The example has both in one asset; here the account stands alone.
    let mut body = filled();
    let asset = body.pointer_mut("/Incidents/0/Assets/0").unwrap();
    asset.as_object_mut().unwrap().remove("HostInfo");
    asset["Type"] = "user".into();
    let api = crate::support::api(vec![answering(body.to_string())]);
    let query = "{ incidents { nodes { assets { nodes { kind sourceId displayName scope { sourceId name } deleted createdAt updatedAt
        account { domain commonName distinguishedName accountName accountType principalName securityId accountControl email
            mailNickname mobile phone jobTitle division department company manager location streetAddress office memberOf
            managedObjects expiresAt lastBadPasswordAt } } } } } }";
    let data = data(&api, query).await;
    let user = |member: &str| json!(format!("Assets.UserInfo.{member}"));
    let at = |member: &str| time(&format!("Assets.0.UserInfo.{member}"));
    let mut expected = vec![
        ("kind", json!("USER_ACCOUNT")),
        ("sourceId", json!("Assets.ID")),
        ("displayName", user("displayName")),
        ("scope", json!({ "sourceId": user("tenantID"), "name": user("tenantName") })),
        ("deleted", json!(true)),
        ("createdAt", at("whenCreated")),
        ("updatedAt", at("whenChanged")),
        ("account.expiresAt", at("accountExpires")),
        ("account.lastBadPasswordAt", at("badPasswordTime")),
        ("account.memberOf", json!([user("memberOf")])),
        ("account.managedObjects", json!([user("managedObjects")])),
    ];
    for (place, member) in [
        ("account.domain", "domain"),
        ("account.commonName", "cn"),
        ("account.distinguishedName", "distinguishedName"),
        ("account.email", "mail"),
        ("account.mailNickname", "mailNickname"),
        ("account.mobile", "mobile"),
        ("account.securityId", "objectSID"),
        ("account.accountName", "samAccountName"),
        ("account.accountType", "samAccountType"),
        ("account.phone", "telephoneNumber"),
        ("account.principalName", "userPrincipalName"),
        ("account.jobTitle", "title"),
        ("account.division", "division"),
        ("account.department", "department"),
        ("account.manager", "manager"),
        ("account.location", "location"),
        ("account.company", "company"),
        ("account.streetAddress", "streetAddress"),
        ("account.office", "physicalDeliveryOfficeName"),
        ("account.accountControl", "userAccountControl"),
    ] {
        expected.push((place, user(member)));
    }
    check(&data["incidents"]["nodes"][0]["assets"]["nodes"][0], &expected);
}

#[tokio::test]
async fn every_member_of_an_alert_is_shown() {
    let mut alerts: Value = serde_json::from_str(&fixture("list_alerts.json")).unwrap();
    alerts["Alerts"][0]["Assignee"] = json!({ "ID": "a-7", "Name": "m.keller", "Type": "user" });
    alerts["Alerts"][0]["StatusResolution"] = "lowPriority".into();
    let alerts = alerts.to_string();
    let source = over(&[TENANT], move |request| match request.url.path() {
        "/xdr/api/v1/incidents" => json(200, fixture("list_incidents.json")),
        "/xdr/api/v1/alerts" => json(200, alerts.clone()),
        _ => json(200, fixture("list_tenants.json")),
    });
    let api = crate::support::api(vec![source]);
    let query = "{ incidents(filter: { references: [\"101\"] }) { nodes { evidence(kinds: [ALERT]) { nodes { sourceId title severity
        sourceSeverity sourceType sourceStatus observedAt createdAt updatedAt owners { name sourceId kind } scope { name } raw
        alert { reference status sourceStatus resolution firstEventAt lastEventAt threats { reference name kind } } } } } } }";
    let data = data(&api, query).await;
    let nodes = &data["incidents"]["nodes"][0]["evidence"]["nodes"];
    assert_eq!(nodes.as_array().unwrap().len(), 1, "an alert that the server does not have is left out");
    check(
        &nodes[0],
        &[
            ("sourceId", json!("c445d5bb-d426-46d2-8c91-9ff4a8cb044c")),
            ("title", json!("R204_Encoded PowerShell")),
            ("severity", json!("CRITICAL")),
            ("sourceSeverity", json!("critical")),
            ("sourceType", json!("KUMA")),
            ("sourceStatus", json!("inIncident")),
            ("observedAt", json!("2024-01-16T09:44:58.000Z")),
            ("createdAt", json!("2024-01-16T09:45:00.000Z")),
            ("updatedAt", json!("2024-01-16T09:56:29.939Z")),
            ("owners", json!([{ "name": "m.keller", "sourceId": "a-7", "kind": "USER" }])),
            ("scope", json!({ "name": "Main" })),
            ("raw.IntegrationID", json!("KUMA")),
            ("alert.reference", json!("5501")),
            ("alert.status", json!("OTHER")),
            ("alert.sourceStatus", json!("inIncident")),
            ("alert.resolution", json!("LOW_PRIORITY")),
            ("alert.firstEventAt", json!("2024-01-16T09:41:03.000Z")),
            ("alert.lastEventAt", json!("2024-01-16T09:45:00.000Z")),
            ("alert.threats.0", json!({ "reference": "TA0002", "name": "Execution", "kind": "TACTIC" })),
            ("alert.threats.1", json!({ "reference": "T1059.001", "name": "PowerShell", "kind": "TECHNIQUE" })),
        ],
    );
}

#[tokio::test]
async fn an_incident_is_found_by_its_global_id_its_own_and_its_short_one() {
    let bench = Bench::new(30).await;
    let data = bench.data("{ incidents(first: 1) { nodes { id sourceId reference } } }").await;
    let node = &data["incidents"]["nodes"][0];
    for by in [
        format!("id: {}", node["id"]),
        format!("native: {{ source: \"xdr\", id: {} }}", node["sourceId"]),
        format!("native: {{ source: \"xdr\", id: {} }}", node["reference"]),
    ] {
        let found = ask(&bench.api, &format!("{{ incident(by: {{ {by} }}) {{ sourceId }} }}")).await;
        assert_eq!(found["data"]["incident"]["sourceId"], node["sourceId"], "{by}: {found}");
    }
}

#[tokio::test]
async fn errors_have_the_codes_of_the_schema() {
    for (status, body, code) in [
        (400, "error_400_auth_header.json", "SOURCE_AUTH_FAILED"),
        (403, "error_403.json", "SOURCE_FORBIDDEN"),
        (500, "error_403.json", "SOURCE_UNAVAILABLE"),
        (400, "error_400_timestamp.json", "INTERNAL"),
    ] {
        let source = over(&[TENANT], move |_| json(status, fixture(body)));
        let api = crate::support::api(vec![source]);
        let answer = ask(&api, "{ incidents { nodes { id } sources { error { code message } } } }").await;
        let error = &answer["data"]["incidents"]["sources"][0]["error"];
        assert!(error["code"].as_str().unwrap().contains(code), "{code}: {error}");
        assert!(!answer.to_string().contains("invalid"), "none of the server's words");
    }
}
