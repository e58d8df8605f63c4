//! Every documented member goes through GraphQL: a body with all of them, and what is shown of it.

use super::support::*;
use crate::support::api;
use serde_json::{Value, json};

const ROW: &str = "{ incidents { totalCount totalCountPrecision
    sources { itemCount totalCount restrictedIds malformedCount upstreamCalls error { code } }
    nodes {
      sourceId reference title description computedDescription notes url origins categories
      severity sourceSeverity computedSeverity manualSeverity
      status sourceStatus phase resolution sourceResolution resolutionComment
      starred starredManually blocked alertGroupingEnabled
      createdAt updatedAt detectedAt resolvedAt lastEventAt
      hostCount userCount alertCounts { total critical high medium low }
      scores { kind value versionMatched }
      owners { sourceId name email kind }
      tags { sourceId name } originalTags { name }
      exposure { port cloudProviders cloudManagement sourceCloudManagement cloudIntegration countryCodes certificateIssuers }
      assets(first: 50) { totalCount edges { roles node { sourceId kind name sourceType reference ipAddresses domainNames } } }
      threats(first: 50) { edges { matchType confidence issueTypes { sourceId name kind }
        node { sourceId kind name reference cvss epss exploitMaturity exploitedInTheWild lastExploitedOn } } }
    } } }";

/// What is shown of the row, apart from assets and threats.
fn expected() -> serde_json::Map<String, Value> {
    let texts = json!({
                "sourceId": "5471", "reference": "5471",
                "title": "'Insecure OpenSSH' detected at acme.example:22",
                "description": "Old SSH on the jump host",
                "computedDescription": "'Insecure OpenSSH' detected at acme.example:22",
                "notes": "Seen by the night shift",
                "url": "https://acme.example/incidents?action:openIncidentDetails=5471",
                "origins": ["ASM"], "categories": ["Attack Surface Reduction"],
                "severity": "CRITICAL", "sourceSeverity": "critical", "computedSeverity": "HIGH", "manualSeverity": "CRITICAL",
                "status": "RESOLVED", "sourceStatus": "resolved_-_no_risk", "phase": "DONE", "resolution": "NO_RISK",
                "sourceResolution": "no_risk", "resolutionComment": "Patched",
                "starred": true, "starredManually": false, "blocked": false, "alertGroupingEnabled": true,
                "createdAt": "2023-06-29T00:53:20.123Z", "updatedAt": "2023-06-30T04:40:00.456Z",
                "detectedAt": "2023-06-28T22:06:40.000Z", "resolvedAt": "2023-07-01T08:26:40.789Z",
                "lastEventAt": "2023-06-30T18:33:20.000Z",
    });
    let others = json!({            "hostCount": 2, "userCount": 4,
        "alertCounts": { "total": 7, "critical": 1, "high": 3, "medium": 2, "low": 1 },
        "scores": [
            { "kind": "RISK", "value": 874.0, "versionMatched": true },
            { "kind": "RULE_BASED", "value": 61.0, "versionMatched": null },
            { "kind": "MANUAL", "value": 12.5, "versionMatched": null },
            { "kind": "AGGREGATED", "value": 840.0, "versionMatched": null },
        ],
        "owners": [{ "sourceId": "cs@acme.example", "name": "Cleo Sands", "email": "cs@acme.example", "kind": "USER" }],
        "tags": [
            { "sourceId": "AR:Insecure OpenSSH", "name": "AR:Insecure OpenSSH" },
            { "sourceId": "BU:Acme, Inc", "name": "BU:Acme, Inc" },
        ],
        "originalTags": [{ "name": "BU:Acme" }],
        "exposure": {
            "port": 22, "cloudProviders": ["Amazon Web Services"], "cloudManagement": "UNMANAGED",
            "sourceCloudManagement": "Unmanaged Cloud", "cloudIntegration": "AWS", "countryCodes": ["US", "DE"],
            "certificateIssuers": ["Let's Encrypt"],
        },
    });
    let members = |value: Value| value.as_object().unwrap().clone();
    members(texts).into_iter().chain(members(others)).collect()
}

/// As it is read from a text, which is not always the nearest number.
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// An asset whose native id is a prefix and its text.
fn asset(prefix: &str, text: &str, kind: &str, member: &str) -> Value {
    let mut asset = json!({ "sourceId": format!("{prefix}{text}"), "kind": kind, "name": text, "sourceType": member,
        "reference": null, "ipAddresses": [], "domainNames": [] });
    match kind {
        "IP_ADDRESS" => asset["ipAddresses"] = json!([text]),
        "DOMAIN" => asset["domainNames"] = json!([text]),
        "CERTIFICATE" => {}
        _ => asset["reference"] = json!(text),
    }
    asset
}

#[tokio::test]
async fn every_member_of_a_row_is_shown_and_costs_no_call() {
    let (source, _) = fixed("get_incidents_full.json");
    let api = api(vec![source]);
    let mut list = data(&api, ROW).await["incidents"].take();
    assert_eq!(list["totalCount"], 1);
    let report = json!({ "itemCount": 1, "totalCount": 1, "restrictedIds": ["100", "99"], "malformedCount": 0,
        "upstreamCalls": 1, "error": null });
    assert_eq!(list["sources"][0], report);
    let mut row = list["nodes"][0].take();
    let (mut assets, threats) = (row["assets"].take(), row["threats"].take());
    row.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    for (name, value) in expected() {
        assert_eq!(row[&name], value, "{name}");
        row.as_object_mut().unwrap().remove(&name);
    }
    assert_eq!(row, json!({}), "nothing else is there");
    assert_eq!(assets["totalCount"], 10);
    let edges = assets["edges"].as_array_mut().unwrap();
    assert!(edges.iter().all(|edge| edge["roles"] == json!(["AFFECTED"])));
    let nodes: Vec<Value> = edges.iter_mut().map(|edge| edge["node"].take()).collect();
    let host = |id, name, reference, addresses| {
        json!({ "sourceId": id, "kind": "HOST", "name": name,
        "sourceType": "hosts", "reference": reference, "ipAddresses": addresses, "domainNames": [] })
    };
    assert_eq!(
        nodes,
        [
            host("hosts/1.1.1.1:null", "1.1.1.1", Value::Null, json!(["1.1.1.1"])),
            host("hosts/jump.acme.example:4f2a9c", "jump.acme.example", "4f2a9c".into(), json!([])),
            asset("addresses/", "192.0.2.7", "IP_ADDRESS", "ipv4_addresses"),
            asset("addresses/", "2001:db8::7", "IP_ADDRESS", "ipv6_addresses"),
            asset("domains/", "acme.example", "DOMAIN", "domain_names"),
            asset("certificates/", "acme.example", "CERTIFICATE", "certificate_common_names"),
            asset("services/", "dddd1111-0000-4000-8000-000000000004", "SERVICE", "service_ids"),
            asset("websites/", "cccc1111-0000-4000-8000-000000000003", "WEBSITE", "website_ids"),
            asset("ip-ranges/", "bbbb1111-0000-4000-8000-000000000002", "IP_RANGE", "ip_range_ids"),
            asset("", "aaaa1111-0000-4000-8000-000000000001", "OTHER", "asset_ids"),
        ]
    );
    assert_eq!(
        threats["edges"],
        json!([
            { "matchType": "ExactVersionMatch", "confidence": "High", "issueTypes": [], "node": {
                "sourceId": "CVE-2020-15778", "kind": "VULNERABILITY", "name": "CVE-2020-15778", "reference": "CVE-2020-15778",
                "cvss": number("9.800000190734863"), "epss": number("0.9734200239181519"), "exploitMaturity": "Weaponized",
                "exploitedInTheWild": true, "lastExploitedOn": "2023-05-17" } },
            { "matchType": null, "confidence": null,
              "issueTypes": [{ "sourceId": "InsecureOpenSSH", "name": "Insecure OpenSSH", "kind": "ISSUE_TYPE" }], "node": {
                "sourceId": "attr-1", "kind": "RISK", "name": "Remote access", "reference": "attr-1",
                "cvss": null, "epss": null, "exploitMaturity": null, "exploitedInTheWild": null, "lastExploitedOn": null } },
        ])
    );
}

#[tokio::test]
async fn members_that_nobody_documented_are_kept_in_raw_at_every_level() {
    let (source, _) = fixed("get_incidents_full.json");
    let api = api(vec![source]);
    let list = data(&api, "{ incidents { nodes { raw threats { nodes { raw } } evidence { nodes { raw } } } } }").await;
    let node = &list["incidents"]["nodes"][0];
    let received: Value = serde_json::from_str(&fixture("get_incidents_full.json")).unwrap();
    let row = &received["reply"]["incidents"][0];
    assert_eq!(&node["raw"], row);
    let explainer = &row["xpanse_risk_explainer"];
    assert_eq!(node["threats"]["nodes"][0]["raw"], explainer["cves"][0]);
    assert_eq!(node["threats"]["nodes"][1]["raw"], explainer["riskFactors"][0]);
    let extra: Value = serde_json::from_str(&fixture("extra_data.json")).unwrap();
    let kept: Vec<&Value> = node["evidence"]["nodes"].as_array().unwrap().iter().map(|node| &node["raw"]).collect();
    let group = |name: &str| extra["reply"][name]["data"].as_array().unwrap().clone();
    let sent: Vec<Value> =
        ["alerts", "network_artifacts", "file_artifacts"].iter().flat_map(|name| group(name)).collect();
    let records: Vec<&Value> = sent.iter().filter(|record| record.is_object()).collect();
    assert_eq!(kept, records);
}

#[tokio::test]
async fn the_documents_own_example_is_read() {
    let (source, _) = fixed("get_incidents_example.json");
    let api = api(vec![source]);
    let mut list = data(&api, ROW).await["incidents"].take();
    assert_eq!(list["sources"][0]["restrictedIds"], json!(["restricted_incident_ids_example"]));
    let row = list["nodes"][0].take();
    assert_eq!(
        (&row["sourceId"], &row["status"], &row["severity"]),
        (&json!("incident_id_example"), &json!("OTHER"), &json!("UNKNOWN"))
    );
    assert_eq!(
        (&row["sourceStatus"], &row["sourceSeverity"]),
        (&json!("status_example"), &json!("manual_severity_example"))
    );
    assert_eq!(row["exposure"]["cloudManagement"], "OTHER");
    assert_eq!(row["createdAt"], "1970-01-01T00:00:00.000Z");
    assert_eq!(row["threats"]["edges"][0]["node"]["cvss"], 0.0);
    assert_eq!(row["assets"]["totalCount"], 9);
}

#[tokio::test]
async fn what_the_source_can_do_is_told_as_it_is() {
    let (source, sent) = fixed("get_incidents_full.json");
    let api = api(vec![source]);
    let query = "{ sources { name kind url health { status clockSkewMs } account { id } capabilities {
        filter orderBy maxPageSize readComments history exports statuses { status sourceStatus } severities { severity sourceSeverity } } } }";
    let mut answer = ask(&api, query).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNSUPPORTED_BY_SOURCE");
    let source = answer["data"]["sources"][0].take();
    assert_eq!(
        (&source["kind"], &source["url"], &source["account"]),
        (&json!("CORTEX_XPANSE"), &json!("https://api-acme.example/"), &Value::Null)
    );
    assert_eq!(source["health"]["status"], "OK");
    let capabilities = &source["capabilities"];
    assert_eq!(
        capabilities["filter"],
        json!(["STATUS", "ORIGINS", "CLOUD_MANAGEMENT", "CLOUD_INTEGRATION", "CREATED_AT", "UPDATED_AT"])
    );
    assert_eq!(capabilities["orderBy"], json!(["CREATED_AT", "UPDATED_AT"]));
    assert_eq!((&capabilities["maxPageSize"], &capabilities["readComments"]), (&json!(100), &json!(false)));
    assert_eq!(capabilities["severities"].as_array().unwrap().len(), 6);
    assert_eq!(
        sent.lock().unwrap().iter().map(|(path, ..)| path.as_str()).collect::<Vec<_>>(),
        ["/api_keys/validate/"]
    );
}
