//! Alerts and artifacts: one call an incident, every member shown, by id again, and the quota.

use super::support::*;
use crate::support::api;
use incident_gateway::{
    domain::*,
    sandbox::SandboxOptions,
    source::*,
    upstream::{Cache, Policy},
    vendors::cortex_xpanse::Config,
};
use serde_json::{Value, json};
use std::time::Duration;

const EVIDENCE: &str = "{ incidents(first: 1) { nodes { evidence(first: 50) { totalCount edges { addedAt node {
    sourceId kind sourceType title description category severity sourceSeverity sourceStatus observedAt createdAt updatedAt
    tags { name } observable { type value }
    alert { reference status sourceStatus resolution resolutionComment hostName action firstEventAt lastEventAt
      threats { sourceId kind name reference } } } } } } sources { upstreamCalls malformedCount } } }";

fn shown(mut node: Value) -> Value {
    node.as_object_mut().unwrap().retain(|_, value| !value.is_null() && *value != json!([]));
    node
}

#[tokio::test]
async fn every_member_of_alerts_and_artifacts_is_shown() {
    let (source, _) = fixed("get_incidents_full.json");
    let list = data(&api(vec![source]), EVIDENCE).await["incidents"].take();
    assert_eq!(list["sources"][0], json!({ "upstreamCalls": 2, "malformedCount": 1 }));
    let evidence = &list["nodes"][0]["evidence"];
    assert_eq!(evidence["totalCount"], 1208, "more alerts exist than are sent");
    let nodes: Vec<Value> =
        evidence["edges"].as_array().unwrap().iter().map(|edge| shown(edge["node"].clone())).collect();
    assert_eq!(evidence["edges"][0]["addedAt"], "2023-06-29T00:53:21.000Z");
    assert_eq!(nodes.len(), 6);
    assert_eq!(
        nodes[0],
        json!({
            "sourceId": "602", "kind": "ALERT", "sourceType": "ASM", "title": "Insecure OpenSSH at acme.example",
            "description": "An old server", "category": "Insecure OpenSSH", "severity": "MEDIUM", "sourceSeverity": "medium",
            "sourceStatus": "STATUS_070_RESOLVED_OTHER",
            "observedAt": "2023-06-29T00:53:20.000Z", "createdAt": "2023-06-29T00:53:21.000Z", "updatedAt": "2023-06-29T00:53:22.000Z",
            "tags": [{ "name": "AR:Insecure OpenSSH" }, { "name": "BU:Acme" }],
            "alert": { "reference": "ext-602", "status": "RESOLVED", "sourceStatus": "STATUS_070_RESOLVED_OTHER",
                "resolution": "OTHER", "resolutionComment": "Seen before", "hostName": "jump", "action": "NOT_AVAILABLE",
                "firstEventAt": "2023-06-29T00:53:19.000Z", "lastEventAt": null, "threats": [] },
        })
    );
    let other = &nodes[1];
    assert_eq!(other["tags"], json!([{ "name": "BU:Acme, Inc" }]), "an array keeps commas");
    assert_eq!(other["alert"]["hostName"], "a, b");
    assert_eq!(
        (&other["alert"]["firstEventAt"], &other["alert"]["lastEventAt"]),
        (&json!("2023-06-29T00:53:10.000Z"), &json!("2023-06-29T00:53:20.500Z"))
    );
    assert_eq!(
        other["alert"]["threats"],
        json!([
            { "sourceId": "TA0001", "kind": "TACTIC", "name": "Initial Access", "reference": "TA0001" },
            { "sourceId": "T1190", "kind": "TECHNIQUE", "name": "Exploit Public-Facing Application", "reference": "T1190" },
        ])
    );
    assert_eq!((&nodes[2]["sourceId"], &nodes[2]["title"]), (&json!("5471/alerts/2"), &json!("no id")));
    assert_eq!(
        nodes[3..],
        [
            json!({ "sourceId": "5471/network-artifacts/0", "kind": "NETWORK_ARTIFACT", "sourceType": "IP",
            "title": "192.0.2.9", "observable": { "type": "IP", "value": "192.0.2.9" } }),
            json!({ "sourceId": "5471/network-artifacts/1", "kind": "NETWORK_ARTIFACT", "sourceType": "DOMAIN",
            "title": "evil.example", "observable": { "type": "DOMAIN", "value": "evil.example" } }),
            json!({ "sourceId": "5471/file-artifacts/0", "kind": "FILE_ARTIFACT", "sourceType": "HASH", "title": "a.exe",
            "observable": { "type": "HASH", "value": "ab".repeat(32) } }),
        ]
    );
}

#[tokio::test]
async fn evidence_of_the_sandbox_is_shown_again_by_its_ids() {
    let bench = Bench::new(60).await;
    let ids = natives(&["7", "20", "33", "83000", "no id"]);
    let request =
        DetailRequest { parts: DetailParts { evidence: true, ..Default::default() }, incidents: ids, want: PLAIN };
    let found = bench.source.details(&call(), &request).await.unwrap();
    assert_eq!(
        (found.items.len(), found.failed.len(), found.malformed),
        (3, 2, 0),
        "the server fails for unknown ones"
    );
    assert_eq!(bench.sandbox.call_count(), 5);
    let mut evidence = Vec::new();
    for (_, details) in &found.items {
        assert_eq!(details.evidence_total, None);
        let told = details.embedded.iter().filter(|record| matches!(record, Record::Evidence(_)));
        let keys: Vec<&Key> = details.evidence.as_ref().unwrap().iter().map(|link| &link.evidence.key).collect();
        evidence.extend(told.cloned());
        assert_eq!(keys.len(), details.embedded.iter().filter(|r| r.kind() == RecordKind::Evidence).count());
    }
    let kinds: Vec<EvidenceKind> = evidence
        .iter()
        .map(|record| match record {
            Record::Evidence(evidence) => evidence.kind,
            other => panic!("{other:?}"),
        })
        .collect();
    for kind in [EvidenceKind::Alert, EvidenceKind::NetworkArtifact, EvidenceKind::FileArtifact] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
    let mut ids: Vec<NativeId> = evidence.iter().map(|record| record.key().native.clone()).collect();
    ids.extend(natives(&["1", "7/alerts/99", "7/secrets/0", "a b/alerts/0"]));
    bench.sandbox.reset_calls();
    let again = bench.source.related(&call(), RecordKind::Evidence, &ids, PLAIN).await.unwrap();
    let failed: Vec<String> = again.failed.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!((again.items.len(), failed), (evidence.len(), vec!["a b/alerts/0".to_owned()]));
    for record in &evidence {
        let (_, shown) = again.items.iter().find(|(id, _)| *id == record.key().native).unwrap();
        assert_eq!(shown, record);
    }
    let lists = bench.sandbox.calls().iter().filter(|call| call.path == ALERTS).count();
    assert_eq!(
        (lists, bench.sandbox.call_count()),
        (2, 6),
        "one list of alerts and one of what is no number, and one call for each incident with parts"
    );
}

#[tokio::test]
async fn evidence_is_a_node_of_its_own() {
    let bench = Bench::new(60).await;
    let api = bench.api();
    let query = "{ incidents(first: 1, filter: { sourceIds: [\"20\"] }) { nodes { evidence(first: 100) { nodes { id sourceId } } } } }";
    let list = data(&api, query).await;
    for node in list["incidents"]["nodes"][0]["evidence"]["nodes"].as_array().unwrap() {
        let query = format!("{{ node(id: {}) {{ ... on Evidence {{ sourceId }} }} }}", node["id"]);
        assert_eq!(data(&api, &query).await["node"]["sourceId"], node["sourceId"]);
    }
}

#[tokio::test]
async fn each_incident_fails_alone_when_the_quota_is_used_up() {
    let bench = Bench::with(SandboxOptions { strict_limits: true, ..options(60) }, |_| {}).await;
    let ids: Vec<NativeId> = (1..=12).map(|id| NativeId::new(&id.to_string())).collect();
    let request =
        DetailRequest { parts: DetailParts { evidence: true, ..Default::default() }, incidents: ids, want: PLAIN };
    let found = bench.source.details(&call(), &request).await.unwrap();
    assert_eq!((found.items.len(), found.failed.len()), (10, 2));
    assert!(found.failed.iter().all(|(_, error)| error.kind() == SourceErrorKind::RateLimited));
    bench.sandbox.advance(std::time::Duration::from_secs(61));
    let request = DetailRequest { incidents: natives(&["11", "12"]), ..request };
    assert_eq!(bench.source.details(&call(), &request).await.unwrap().items.len(), 2);
}

/// Nothing is remembered but what belongs to a state of an incident.
fn by_revision_only(config: &mut Config) {
    let cache = Policy::standard().cache;
    config.policy.cache = Cache { lists: Duration::ZERO, details: Duration::ZERO, ..cache };
}

#[tokio::test]
async fn under_the_quota_the_same_question_gets_further_each_time() {
    let strict = SandboxOptions { strict_limits: true, ..options(60) };
    let bench = Bench::with(strict, by_revision_only).await;
    let ids: Vec<NativeId> = (1..=25).map(|id| NativeId::new(&id.to_string())).collect();
    assert_eq!(bench.source.fetch(&call(), &ids, PLAIN).await.unwrap().items.len(), 25);
    let request =
        DetailRequest { parts: DetailParts { evidence: true, ..Default::default() }, incidents: ids, want: PLAIN };
    let mut told = Vec::new();
    for _ in 0..4 {
        bench.sandbox.reset_calls();
        let found = bench.source.details(&call(), &request).await.unwrap();
        told.push((found.items.len(), found.failed.len(), bench.sandbox.call_count()));
        bench.sandbox.advance(Duration::from_secs(61));
    }
    assert_eq!(told, [(10, 15, 25), (20, 5, 15), (25, 0, 5), (25, 0, 0)]);
    // Its parts are out of the same answer.
    let parts = natives(&["7/network-artifacts/0", "20/network-artifacts/0", "20/file-artifacts/0"]);
    bench.source.related(&call(), RecordKind::Evidence, &parts, PLAIN).await.unwrap();
    assert_eq!(bench.sandbox.call_count(), 0);
}

#[tokio::test]
async fn an_incident_that_was_modified_is_asked_about_again() {
    let bench = Bench::with(options(60), by_revision_only).await;
    let ids = natives(&["7", "8"]);
    let parts = DetailParts { evidence: true, ..Default::default() };
    let request = DetailRequest { parts, incidents: ids.clone(), want: PLAIN };
    let calls = || {
        let (bench, ids, request) = (&bench, &ids, &request);
        async move {
            bench.source.fetch(&call(), ids, PLAIN).await.unwrap();
            bench.sandbox.reset_calls();
            bench.source.details(&call(), request).await.unwrap();
            bench.sandbox.call_count()
        }
    };
    assert_eq!((calls().await, calls().await), (2, 0));
    let update = json!({ "incident_id": "7", "update_data": { "manual_severity": "critical" } });
    bench.reply("/public_api/v1/incidents/update_incident/", update).await;
    assert_eq!((calls().await, calls().await), (1, 1), "modified just now: once more may go unnoticed");
}

#[tokio::test]
async fn without_evidence_nothing_is_asked() {
    let bench = Bench::new(120).await;
    data(&bench.api(), "{ incidents(first: 10) { nodes { title assets { nodes { name } } threats { nodes { cvss } } owners { email } tags { name } } } }").await;
    assert_eq!(bench.sandbox.call_count(), 1);
}
