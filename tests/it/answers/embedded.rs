//! Records and details that come with rows, and assets that come only with details.

use super::{One, asset, id, incident, key, owner};
use incident_gateway::domain::*;
use serde_json::json;
use std::sync::Arc;

fn vulnerability(native: &str) -> Record {
    let mut threat = Threat::new(key(native), ThreatKind::Vulnerability);
    threat.cvss = Some(9.8);
    Record::Threat(Arc::new(threat))
}

/// An incident that tells its owner, a host with its risk, and its comments; assets by a call of their own.
fn telling() -> Incident {
    let mut host = asset("h");
    host.technical = Some(Box::new(TechnicalAsset { risks: vec![Link::bare(key("r"))], ..TechnicalAsset::default() }));
    let tie =
        AssetLink { asset: Link::bare(key("h")), kind: None, roles: vec![AssetRole::Victim], source_roles: vec![] };
    let comment = Comment {
        key: key("c"),
        kind: CommentKind::Note,
        source_type: None,
        title: None,
        body: Some("Seen.".into()),
        author: Some(Link::bare(key("ann"))),
        at: None,
        created_at: None,
        updated_at: None,
        evidence: vec![],
        raw: None,
    };
    Incident {
        owners: vec![Link::bare(key("ann"))],
        assets: vec![tie],
        threats: vec![ThreatLink::new(Link::bare(key("CVE-1")))],
        told: Some(Arc::new(Details { comments: Some(Arc::new(vec![comment])), ..Details::default() })),
        embedded: vec![
            Record::Owner(Arc::new(owner("ann"))),
            Record::Asset(Arc::new(host)),
            vulnerability("CVE-1"),
            vulnerability("r"),
        ],
        ..incident("1")
    }
}

const EVERYTHING: &str =
    "sourceId owners { email } threats { nodes { cvss } } comments { nodes { body author { email } } }
    assets { nodes { sourceId risks { cvss } } edges { roles } }";

fn shown() -> serde_json::Value {
    json!({
        "sourceId": "1",
        "owners": [{"email": "ann@example.org"}],
        "threats": {"nodes": [{"cvss": 9.8}]},
        "comments": {"nodes": [{"body": "Seen.", "author": {"email": "ann@example.org"}}]},
        "assets": {"nodes": [{"sourceId": "h", "risks": [{"cvss": 9.8}]}], "edges": [{"roles": ["VICTIM"]}]},
    })
}

#[tokio::test]
async fn what_a_row_tells_costs_no_other_call() {
    let one = One::new(vec![Record::Incident(Arc::new(telling()))], |_| {});
    let answer = one.ask(&format!("{{ incidents {{ nodes {{ {EVERYTHING} }} }} }}")).await;
    assert_eq!(answer, json!({"data": {"incidents": {"nodes": [shown()]}}}));
    assert_eq!(one.asked().len(), 1, "the list alone");
    // The same where the incident is looked up, and below another record.
    let node = id(RecordKind::Incident, "1");
    let answer = one.ask(&format!("{{ node(id: {node:?}) {{ ... on Incident {{ {EVERYTHING} }} }} }}")).await;
    assert_eq!(answer, json!({"data": {"node": shown()}}));
    assert_eq!(one.asked().len(), 1, "the incident alone");
}

#[tokio::test]
async fn what_only_another_row_tells_is_known_in_the_whole_answer() {
    let knowing = telling();
    let unknowing = Incident { owners: vec![Link::bare(key("ann"))], ..incident("2") };
    let rows = [knowing, unknowing].map(|row| Record::Incident(Arc::new(row))).into();
    let one = One::new(rows, |_| {});
    let answer = one.ask("{ incidents { nodes { owners { email } } } }").await;
    let owners = json!({"owners": [{"email": "ann@example.org"}]});
    assert_eq!(answer, json!({"data": {"incidents": {"nodes": [owners, owners]}}}));
    assert_eq!(one.asked().len(), 1);
}

#[tokio::test]
async fn assets_that_stand_apart_are_asked_for_per_incident_and_what_comes_with_them_is_known() {
    let row = Incident { assets_apart: true, ..telling() };
    let tie = |native: &str| AssetLink {
        asset: Link::bare(key(native)),
        kind: None,
        roles: vec![AssetRole::Suspect],
        source_roles: vec![],
    };
    let details = Details {
        assets: Some(Arc::new(vec![tie("x"), tie("y")])),
        embedded: vec![Record::Asset(Arc::new(asset("x"))), Record::Asset(Arc::new(asset("y")))],
        ..Details::default()
    };
    let one = One::new(vec![Record::Incident(Arc::new(row))], |memory| {
        memory.details.insert(NativeId::new("1"), details);
    });
    let answer =
        one.ask("{ incidents { nodes { assets(first: 1) { totalCount nodes { name } edges { roles } } } } }").await;
    let assets =
        json!({"totalCount": 2, "nodes": [{"name": asset("x").name.as_deref()}], "edges": [{"roles": ["SUSPECT"]}]});
    assert_eq!(answer, json!({"data": {"incidents": {"nodes": [{"assets": assets}]}}}));
    assert_eq!(one.asked().len(), 2, "the list, and the details of its rows");
}

#[tokio::test]
async fn a_total_that_a_source_tells_is_shown_where_it_sent_a_part() {
    let told = Details {
        activity: Some(Arc::new(vec![])),
        activity_total: Some(1_200),
        evidence: Some(Arc::new(vec![])),
        evidence_total: Some(3_000),
        ..Details::default()
    };
    let row = Incident { told: Some(Arc::new(told)), ..incident("1") };
    let one = One::new(vec![Record::Incident(Arc::new(row))], |_| {});
    let query = "{ incidents { nodes { activity { totalCount } evidence { totalCount }
        documents: evidence(kinds: DOCUMENT) { totalCount } } } }";
    let node = json!({
        "activity": {"totalCount": 1_200}, "evidence": {"totalCount": 3_000}, "documents": {"totalCount": 0}
    });
    assert_eq!(one.ask(query).await, json!({"data": {"incidents": {"nodes": [node]}}}));
}

#[tokio::test]
async fn what_comes_with_a_row_is_as_received_where_that_is_asked_of_it() {
    let one = One::new(vec![Record::Incident(Arc::new(telling()))], |_| {});
    let node = id(RecordKind::Incident, "1");
    for (field, raw) in [("raw", true), ("email", false)] {
        one.ask(&format!("{{ node(id: {node:?}) {{ ... on Incident {{ owners {{ {field} }} }} }} }}")).await;
        let asked = one.asked();
        assert!(asked[0].what.contains(&format!("raw: {raw}")), "the row is where the owner stands: {asked:?}");
    }
}

#[tokio::test]
async fn what_comes_along_with_other_records_costs_no_other_call() {
    let mut host = asset("h");
    host.owners = Some(vec![Link::bare(key("ann"))]);
    let tie = AssetLink { asset: Link::bare(key("h")), kind: None, roles: vec![], source_roles: vec![] };
    let row = Incident { assets: vec![tie], ..incident("1") };
    let one = One::new(vec![Record::Incident(Arc::new(row)), Record::Asset(Arc::new(host))], |memory| {
        memory.along = vec![Record::Owner(Arc::new(owner("ann")))];
    });
    let answer = one.ask("{ incidents { nodes { assets { nodes { owners { email } } } } } }").await;
    let assets = json!({"nodes": [{"owners": [{"email": "ann@example.org"}]}]});
    assert_eq!(answer, json!({"data": {"incidents": {"nodes": [{"assets": assets}]}}}));
    assert_eq!(one.asked().len(), 2, "the list, and the assets of its rows");
}
