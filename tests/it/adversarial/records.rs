//! What incidents are tied to, through the gateway: told by the rows, so that it costs no call.

use super::{compare, support::*};
use crate::support::{call, now};
use futures_util::TryStreamExt;
use incident_gateway::{
    domain::*,
    source::*,
    upstream::header::{DATE, HeaderValue},
};
use serde_json::{Value, json};
use std::sync::Arc;

const EVERYTHING: &str = r#"{ incidents(first: 100, orderBy: {field: REFERENCE, direction: DESC}) { totalCount nodes {
    reference sourceId title description severity sourceSeverity severityReasoning status sourceStatus phase origins
    createdAt updatedAt detectedAt occurredAt respondedAt containedAt resolvedAt
    owners { sourceId kind name firstName lastName email avatarUrl }
    createdBy { sourceId kind email }
    tags { sourceId name createdBy { sourceId } scope { sourceId kind } }
    threats { edges { relevance linkedAt node { sourceId name kind } } }
    relatedRecords { kind reference sourceId }
} } }"#;

#[tokio::test]
async fn every_member_of_a_row_comes_through_in_one_call() {
    let bench = Bench::new(90).await;
    let rows = bench.rest_rows().await;
    bench.calls();
    let answer = bench.data(EVERYTHING).await;
    assert_eq!(bench.calls(), ["/api/v1/incidents?page=1&page_size=100"], "one call for everything");
    assert_eq!(answer["incidents"]["totalCount"], 90);
    let nodes = answer["incidents"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), rows.len());
    for (node, row) in nodes.iter().zip(&rows) {
        let core = &row["incident"];
        for (ours, theirs) in [
            ("reference", "id"),
            ("sourceId", "id"),
            ("title", "title"),
            ("description", "description"),
            ("sourceSeverity", "severity"),
            ("severityReasoning", "severity_reasoning"),
            ("sourceStatus", "status"),
        ] {
            assert_eq!(node[ours], core[theirs], "{ours}");
        }
        assert_eq!(node["severity"], compare::severity(&core["severity"]).name());
        assert_eq!(node["status"], compare::status(&core["status"]).name());
        assert_eq!(node["phase"], if core["status"] == "Closed" { "DONE" } else { "OPEN" });
        assert_eq!(node["origins"], core["source"].as_str().map_or(json!([]), |source| json!([source])));
        for name in ["created", "updated", "detected", "occurred", "responded", "contained"] {
            let (ours, theirs) = (&node[format!("{name}At")], &core[format!("{name}_date")]);
            assert_eq!(compare::time(ours), compare::time(theirs), "{name}");
        }
        assert_eq!(node["resolvedAt"], Value::Null);
        people(&bench, node, core).await;
        links(node, row);
    }
}

async fn people(bench: &Bench, node: &Value, core: &Value) {
    let owner = &core["assigned_to"];
    let expected = match owner.is_null() {
        true => json!([]),
        false => json!([{
            "sourceId": owner["id"], "kind": "USER", "name": compare::person(owner), "email": owner["email"],
            "firstName": compare::text(&owner["first_name"]), "lastName": compare::text(&owner["last_name"]),
            "avatarUrl": node["owners"][0]["avatarUrl"],
        }]),
    };
    assert_eq!(node["owners"], expected);
    picture(bench, &node["owners"][0]["avatarUrl"], &owner["icon"]).await;
    let creator = &core["opened_by"];
    let service = creator["email"].as_str().unwrap().ends_with("@svc.adversarial.com");
    let kind = if service { "SERVICE_ACCOUNT" } else { "USER" };
    assert_eq!(node["createdBy"], json!({ "sourceId": creator["id"], "kind": kind, "email": creator["email"] }));
}

/// The address is the gateway's own, and serves what the server gives to those who are let in.
async fn picture(bench: &Bench, url: &Value, icon: &Value) {
    let Some(icon) = icon.as_str() else { return assert_eq!(*url, Value::Null) };
    let token = url.as_str().unwrap().strip_prefix("http://gateway.test/download/").unwrap();
    let path = icon.split('?').next().unwrap();
    bench.calls();
    let picture = bench.api.download(token, &call("picture")).await.unwrap_or_else(|error| panic!("{}", error.message));
    assert_eq!((picture.media_type.as_str(), picture.length), ("image/png", Some(67)));
    let body: Vec<bytes::Bytes> = picture.body.try_collect().await.unwrap();
    assert!(body.concat().starts_with(b"\x89PNG"));
    assert!(bench.calls().iter().all(|called| called.starts_with(&format!("/api/v1/{path}"))));
    let other = call("picture");
    let other = Call { caller: Arc::new(Caller::local().with_scope(CredentialScope::new("other"))), ..other };
    assert!(bench.api.download(token, &other).await.is_err(), "nobody else's");
}

#[tokio::test]
async fn what_is_no_picture_is_not_handed_out() {
    let bench = Bench::new(3).await;
    for name in ["incidents", "users/me", "users/../incidents", "users/nobody/avatar"] {
        let request = DownloadRequest::Picture { name: name.into() };
        let error = bench.source.download(&call("picture"), &request).await.err().expect(name);
        assert_eq!(error.kind(), SourceErrorKind::NotFound, "{name}");
    }
    assert_eq!(bench.calls(), ["/api/v1/users/nobody/avatar?"], "of the others the server hears nothing");
}

fn links(node: &Value, row: &Value) {
    let tag = |tag: &Value| {
        let scope = tag["org_id"].as_str().map(|id| json!({ "sourceId": id, "kind": "ORGANIZATION" }));
        json!({ "sourceId": tag["id"], "name": tag["content"], "createdBy": { "sourceId": tag["creator_id"] }, "scope": scope })
    };
    let all = |name: &str| row[name].as_array().unwrap();
    assert_eq!(node["tags"], all("tags").iter().map(tag).collect::<Value>());
    let edges = node["threats"]["edges"].as_array().unwrap();
    assert_eq!(edges.len(), all("threat_objectives").len());
    for (edge, theirs) in edges.iter().zip(all("threat_objectives")) {
        let word = &theirs["threat_objective"];
        assert_eq!(edge["node"], json!({ "sourceId": word, "name": word, "kind": "OBJECTIVE" }));
        assert_eq!(edge["relevance"], theirs["relevance"]);
        assert_eq!(compare::time(&edge["linkedAt"]), compare::time(&theirs["created_date"]));
    }
    let risk = |risk: &Value| json!({ "kind": "RISK", "reference": risk, "sourceId": risk });
    assert_eq!(node["relatedRecords"], all("risk_associations").iter().map(risk).collect::<Value>());
}

#[tokio::test]
async fn the_sources_of_incidents_are_terms() {
    let bench = Bench::new(10).await;
    let theirs = bench.rest("/api/v1/incidents/sources").await;
    let names: Vec<&Value> = theirs["sources"].as_array().unwrap().iter().map(|source| &source["name"]).collect();
    let answer = bench.data("{ terms { totalCount nodes { id name kind } } }").await;
    let nodes = answer["terms"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.iter().map(|node| &node["name"]).collect::<Vec<_>>(), names);
    assert!(nodes.iter().all(|node| node["kind"] == "ORIGIN") && names.len() == 4);
    let node = bench.data(&format!("{{ node(id: {}) {{ ... on Term {{ name kind }} }} }}", nodes[2]["id"])).await;
    assert_eq!(node["node"]["name"], *names[2]);
}

#[tokio::test]
async fn the_objectives_are_threats_known_without_a_call() {
    let bench = Bench::new(10).await;
    let answer =
        bench.data("{ threats(first: 4) { totalCount pageInfo { hasNextPage } nodes { id name kind } } }").await;
    assert_eq!(
        (&answer["threats"]["totalCount"], &answer["threats"]["pageInfo"]["hasNextPage"]),
        (&json!(6), &json!(true))
    );
    let node = &answer["threats"]["nodes"][1];
    assert_eq!((&node["kind"], node["name"].as_str().is_some()), (&json!("OBJECTIVE"), true));
    let again = bench.data(&format!("{{ node(id: {}) {{ ... on Threat {{ name }} }} }}", node["id"])).await;
    assert_eq!(again["node"]["name"], node["name"]);
    let request =
        CatalogRequest { kind: RecordKind::Threat, offset: 5, limit: 9, want: PLAIN, search: Search::parse("") };
    let rows = bench.source.catalog(&call("threats"), &request).await.unwrap();
    assert_eq!((rows.items.len(), rows.total, rows.more, rows.consumed), (1, Some(6), false, 1));
    assert!(bench.calls().is_empty());
}

#[tokio::test]
async fn what_it_cannot_do_is_refused_by_capability() {
    let bench = Bench::new(10).await;
    for kind in [RecordKind::Owner, RecordKind::Tag, RecordKind::Asset, RecordKind::Scope, RecordKind::RelatedRecord] {
        let request = CatalogRequest { kind, offset: 0, limit: 9, want: PLAIN, search: Search::parse("") };
        let error = bench.source.catalog(&call("catalog"), &request).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unsupported, "{kind:?}");
    }
    let report = DownloadRequest::Report { format: ExportFormat::Pdf, incident: NativeId::new("INC-00001") };
    let refused = bench.source.download(&call("report"), &report).await.err().unwrap();
    assert_eq!(refused.kind(), SourceErrorKind::Unsupported);
    let delete = WriteRequest::Delete { incidents: vec![NativeId::new("INC-00001")] };
    assert_eq!(bench.source.write(&call("write"), delete).await.unwrap_err().kind(), SourceErrorKind::Unsupported);
    assert!(bench.calls().is_empty());
}

#[tokio::test]
async fn the_account_is_the_service_account() {
    let bench = Bench::new(10).await;
    let me = bench.rest("/api/v1/users/me").await;
    let account = bench.source.account(&call("account")).await.unwrap();
    compare::same_owner(&account, &me);
    assert_eq!(account.kind, OwnerKind::ServiceAccount);
    assert_eq!(serde_json::from_str::<Value>(account.profile.raw.unwrap().as_str()).unwrap(), me);
    let probe = bench.source.probe(&call("probe")).await;
    assert_eq!((probe.status, probe.version, probe.error.is_none()), (SourceStatus::Ok, None, true));
    let date = (now() + chrono::TimeDelta::seconds(9)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let ahead =
        over(move |_| json_reply(200, &fixture("users_me")).header(DATE, HeaderValue::from_str(&date).unwrap()));
    let skew = ahead.probe(&call("skew")).await.clock_skew_ms.unwrap();
    assert!((8_000.0..=9_000.0).contains(&skew), "{skew}");
}
