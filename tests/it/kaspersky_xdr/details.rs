//! Assets, changes and alerts: asked for only where they are selected, together where both are.

use super::support::*;
use incident_gateway::{
    domain::*,
    source::*,
    upstream::{Cache, Policy},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

/// The calls of a query, without their parameters but flags, once tenants are known.
async fn asked(bench: &Bench, query: &str) -> (Value, Vec<(String, Vec<String>)>) {
    bench.data("{ scopes { nodes { id } } }").await;
    bench.sandbox.reset_calls();
    let data = bench.data(query).await;
    let calls = bench.calls().into_iter().map(|call| {
        let (path, query) = call.split_once('?').unwrap();
        let flags = query.split('&').filter(|pair| pair.starts_with("with")).map(str::to_owned).collect();
        (path.to_owned(), flags)
    });
    (data, calls.collect())
}

fn call_of(path: &str, flags: &[&str]) -> (String, Vec<String>) {
    (path.to_owned(), flags.iter().map(|flag| (*flag).to_owned()).collect())
}

#[tokio::test]
async fn flags_are_sent_only_where_their_rows_are_selected() {
    let bench = Bench::new(60).await;
    let list = call_of("incidents", &[]);
    for (selected, calls) in [
        ("title owners { name kind } threats { nodes { name kind } } scope { id }", vec![list.clone()]),
        ("evidence(kinds: [OBSERVABLE, RULE]) { nodes { title observable { value } } }", vec![list.clone()]),
        ("assets { nodes { name } }", vec![list.clone(), call_of("incidents", &["withAffected"])]),
        ("activity { nodes { kind } }", vec![list.clone(), call_of("incidents", &["withHistory"])]),
        (
            "activity { nodes { kind } } assets { nodes { name risks { name } } }",
            vec![list.clone(), call_of("incidents", &["withAffected", "withHistory"])],
        ),
        ("evidence(kinds: [ALERT]) { nodes { title } }", vec![list.clone(), call_of("alerts", &[])]),
        ("comments { nodes { body } }", vec![list.clone()]),
    ] {
        let (_, sent) = asked(&bench, &format!("{{ incidents(first: 50) {{ nodes {{ {selected} }} }} }}")).await;
        assert_eq!(sent, calls, "{selected}");
    }
}

#[tokio::test]
async fn assets_equal_the_servers_own_with_their_roles_and_risks() {
    let bench = Bench::new(150).await;
    let rows = bench.rest_all("&withAffected").await;
    let ids: Vec<NativeId> = rows.iter().map(|row| NativeId::new(row["InternalID"].as_str().unwrap())).collect();
    let parts = DetailParts { assets: true, ..DetailParts::default() };
    let found = bench.source.details(&call(), &DetailRequest { parts, incidents: ids, want: PLAIN }).await.unwrap();
    assert_eq!((found.items.len(), found.malformed), (rows.len(), 0));
    let (mut victims, mut attackers, mut both, mut neither, mut risks) = (0, 0, 0, 0, 0);
    for (id, details) in found.items {
        let row = rows.iter().find(|row| row["InternalID"].as_str() == Some(&id.to_string())).unwrap();
        let expected = row["Assets"].as_array().cloned().unwrap_or_default();
        let links = details.assets.unwrap();
        assert_eq!(links.len(), expected.len());
        assert!(details.activity.is_none() && details.evidence.is_none(), "not asked for");
        for (link, asset) in links.iter().zip(&expected) {
            assert_eq!(link.asset.key, key(asset["ID"].as_str().unwrap()));
            let roles: Vec<AssetRole> = match (asset["IsVictim"].as_bool(), asset["IsAttacker"].as_bool()) {
                (Some(true), Some(true)) => vec![AssetRole::Victim, AssetRole::Attacker],
                (Some(true), _) => vec![AssetRole::Victim],
                (_, Some(true)) => vec![AssetRole::Attacker],
                _ => vec![AssetRole::Affected],
            };
            victims += usize::from(roles == [AssetRole::Victim]);
            attackers += usize::from(roles == [AssetRole::Attacker]);
            both += usize::from(roles.len() == 2);
            neither += usize::from(roles == [AssetRole::Affected]);
            assert_eq!(link.roles, roles);
            let record = details.embedded.iter().find_map(|record| match record {
                Record::Asset(record) if record.key == link.asset.key => Some(record.clone()),
                _ => None,
            });
            risks += check_asset(&record.unwrap(), asset, &details.embedded);
        }
    }
    assert!(victims > 0 && attackers > 0 && both > 0 && neither > 0 && risks > 0);
}

/// Compares some members of each part; `coverage` compares all. Answers how many risks it bears.
fn check_asset(record: &Asset, asset: &Value, embedded: &[Record]) -> usize {
    let technical = record.technical.as_ref().unwrap();
    assert_eq!(record.name.as_deref(), asset["Name"].as_str());
    let host = &asset["HostInfo"];
    if host.is_object() {
        assert_eq!(record.kind, AssetKind::Host);
        assert_eq!(technical.ip_addresses[0].as_ref(), host["IpAddress"][0].as_str().unwrap());
        assert_eq!(record.created_at.map(|at| at.timestamp_millis()), host["CreatedAt"].as_i64());
        assert_eq!(technical.protection.is_some(), host["KSC"].is_object());
        assert_eq!(technical.industrial.is_some(), host["KICS"].is_object());
    } else {
        assert_eq!(record.kind, AssetKind::UserAccount);
        let account = technical.account.as_ref().unwrap();
        assert_eq!(account.email.as_deref(), asset["UserInfo"]["mail"].as_str());
        let ends = asset["UserInfo"]["accountExpires"].as_i64().filter(|at| *at == 1_900_000_000_000);
        assert_eq!(account.expires_at.map(|at| at.timestamp_millis()), ends, "never is no time");
    }
    for risk in &technical.risks {
        let threat = embedded.iter().find_map(|record| match record {
            Record::Threat(threat) if threat.key == risk.key => Some(threat.clone()),
            _ => None,
        });
        let threat = threat.unwrap();
        assert_eq!((threat.kind, threat.severity), (ThreatKind::Risk, Some(Severity::Unknown)));
        assert!(threat.cvss.is_some() && threat.source_severity.as_deref() == Some("3"));
    }
    technical.risks.len()
}

#[tokio::test]
async fn changes_come_newest_first_each_with_an_id_of_its_own() {
    let bench = Bench::new(60).await;
    let rows = bench.rest_all("&withHistory").await;
    let ids: Vec<NativeId> = rows.iter().map(|row| NativeId::new(row["InternalID"].as_str().unwrap())).collect();
    let parts = DetailParts { activity: true, ..DetailParts::default() };
    let found = bench.source.details(&call(), &DetailRequest { parts, incidents: ids, want: PLAIN }).await.unwrap();
    for (id, details) in found.items {
        let row = rows.iter().find(|row| row["InternalID"].as_str() == Some(&id.to_string())).unwrap();
        let entries = details.activity.unwrap();
        assert_eq!(entries.len(), row["HistoryRecords"].as_array().unwrap().len());
        assert!(entries.windows(2).all(|pair| pair[0].at >= pair[1].at && pair[0].key != pair[1].key));
        let created = entries.iter().find(|entry| entry.kind == ActivityKind::Created).unwrap();
        assert_eq!((created.subject_id.as_deref(), created.source_type.as_deref()), (None, Some("incidentCreated")));
        let alerts = entries.iter().filter(|entry| entry.kind == ActivityKind::Assigned);
        assert!(
            alerts.clone().all(|entry| entry.subject_type.as_deref() == Some("Alert") && entry.subject_id.is_some())
        );
    }
}

/// What an incident has to tell is asked for once in each of its states.
#[tokio::test]
async fn details_are_remembered_by_the_time_of_modification() {
    let cache = Cache { lists: Duration::ZERO, details: Duration::ZERO, ..Policy::standard().cache };
    let bench = Bench::with(60, |config, _| config.policy.cache = cache).await;
    let rows = bench.source.list(&call(), &page()).await.unwrap();
    let settled = rows.items.iter().filter(|incident| incident.status != IncidentStatus::Closed).take(4);
    let ids: Vec<NativeId> = settled.map(|incident| incident.key.native.clone()).collect();
    let parts = DetailParts { assets: true, activity: true, ..DetailParts::default() };
    let ask = async |incidents: &[NativeId]| {
        bench.sandbox.reset_calls();
        let request = DetailRequest { parts, incidents: incidents.to_vec(), want: PLAIN };
        let found = bench.source.details(&call(), &request).await.unwrap();
        let changes: usize = found.items.iter().map(|(_, details)| details.activity.as_ref().unwrap().len()).sum();
        (found.items.len(), bench.calls().len(), changes)
    };
    let (all, calls, changes) = ask(&ids).await;
    assert_eq!((all, calls), (4, 1));
    assert_eq!(ask(&ids).await, (4, 0, changes));
    assert_eq!(ask(&ids[..2]).await.1, 1, "another question");
    let close = json!([{ "ID": ids[1].to_string(), "TenantID": tenant(&rows, &ids[1]), "Reason": "truePositive" }]);
    let token = format!("Bearer {}", bench.sandbox.token());
    assert_eq!(bench.rest_as(&token, "POST", "incidents/close", &close.to_string()).await.0, 204);
    assert_eq!(ask(&ids).await, (4, 0, changes), "nobody has told of it yet");
    bench.source.fetch(&call(), &ids, PLAIN).await.unwrap();
    let (all, calls, more) = ask(&ids).await;
    assert_eq!((all, calls, more > changes), (4, 1, true));
    assert_eq!(ask(&ids).await, (4, 1, more), "modified just now: once more may go unnoticed");
    assert_eq!(ask(&ids[2..]).await.1, 1);
    assert_eq!(ask(&ids[2..]).await.1, 0, "the others are as they were");
}

fn tenant(rows: &Rows<std::sync::Arc<Incident>>, id: &NativeId) -> String {
    let incident = rows.items.iter().find(|incident| incident.key.native == *id).unwrap();
    incident.scope.as_ref().unwrap().key.native.to_string()
}

#[tokio::test]
async fn alerts_equal_the_servers_own() {
    let bench = Bench::new(90).await;
    let tenants = bench.tenants().await;
    let rows = bench.rest(&format!("alerts?page=1{tenants}")).await["Alerts"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 100);
    let mut ids: Vec<NativeId> = rows.iter().map(|row| NativeId::new(row["InternalID"].as_str().unwrap())).collect();
    ids.extend([nobody(1), NativeId::new("r-204")]);
    let found = bench.source.related(&call(), RecordKind::Evidence, &ids, PLAIN).await.unwrap();
    assert_eq!((found.items.len(), found.failed.len(), found.malformed), (100, 0, 0));
    for (id, record) in &found.items {
        let Record::Evidence(evidence) = record else { panic!("{record:?}") };
        let row = rows.iter().find(|row| row["InternalID"].as_str() == Some(&id.to_string())).unwrap();
        let alert = evidence.alert.as_ref().unwrap();
        assert_eq!(evidence.kind, EvidenceKind::Alert);
        assert_eq!(alert.reference.as_deref(), Some(&*row["ID"].to_string()));
        assert_eq!(evidence.source_status.as_deref(), row["Status"].as_str());
        let closed = row["Status"] == "closed";
        let status = if closed { IncidentStatus::Closed } else { IncidentStatus::Other };
        assert_eq!((alert.status, alert.resolution.is_some()), (Some(status), closed));
        assert_eq!(evidence.scope.as_ref().unwrap().key, key(row["TenantID"].as_str().unwrap()));
    }
}

/// Owner, threats, observables, rules, assets and risks have no call of their own: they come with what names them.
#[tokio::test]
async fn records_without_a_call_of_their_own_show_all_their_fields() {
    let bench = Bench::new(60).await;
    let (data, sent) = asked(
        &bench,
        "{ incidents(first: 60) { nodes { owners { kind name sourceId } threats { nodes { kind name reference provider } }
            evidence(kinds: [RULE, OBSERVABLE]) { nodes { kind title rule { confidence } observable { type } } }
            assets { edges { roles node { kind name risks { kind name cvss url } account { email } scope { name } } } } } } }",
    )
    .await;
    let nodes = data["incidents"]["nodes"].as_array().unwrap();
    let all = |path: &str| -> Vec<Value> {
        nodes
            .iter()
            .flat_map(|node| node.pointer(path).and_then(Value::as_array).cloned().unwrap_or_default())
            .collect()
    };
    assert!(
        all("/owners").iter().all(|owner| owner["kind"] == "USER" && owner["name"].as_str().unwrap().starts_with('p'))
    );
    let threats = all("/threats/nodes");
    let technique = threats.iter().find(|threat| threat["kind"] == "TECHNIQUE").unwrap();
    assert!(technique["name"] != technique["reference"] && technique["provider"] == "MITRE ATT&CK v17.0 (built in)");
    assert!(threats.iter().any(|threat| threat["kind"] == "TACTIC" && threat["name"] == "Initial Access"));
    let evidence = all("/evidence/nodes");
    assert!(evidence.iter().any(|one| one["rule"]["confidence"] == "high" && one["observable"].is_null()));
    assert!(evidence.iter().any(|one| one["observable"]["type"] == "sha256" && one["rule"].is_null()));
    let assets = all("/assets/edges");
    assert!(assets.iter().any(|edge| edge["node"]["risks"][0]["name"].is_string() && edge["roles"][0] == "VICTIM"));
    assert!(assets.iter().any(|edge| edge["node"]["account"]["email"].is_string()));
    // Hosts of a tenant that the gateway may not read are in incidents of others, too.
    let (named, nameless): (Vec<_>, Vec<_>) = assets.iter().partition(|edge| edge["node"]["scope"]["name"].is_string());
    assert!(named.len() > nameless.len() && nameless.iter().all(|edge| edge["node"]["scope"].is_null()));
    // List, assets; names of hosts' tenants are remembered.
    assert_eq!(sent.len(), 2, "{sent:?}");
}

/// The same address with another remark in another incident is another piece of evidence.
#[tokio::test]
async fn remarks_of_observables_stay_with_their_incident() {
    let observable = |details: &str| json!({ "Details": details, "Type": "ip", "Value": "203.0.113.77" });
    let row = |number: u8, all: Vec<Value>| json!({ "InternalID": nobody(number).to_string(), "Observables": all });
    let rows =
        [row(1, vec![observable("C2"), observable("C2"), observable("scanner")]), row(2, vec![observable("NAT")])];
    let source = answering(json!({ "Total": 2, "Incidents": rows }).to_string());
    let api = crate::support::api(vec![source]);
    let data = data(&api, "{ incidents { nodes { sourceId evidence { totalCount nodes { description } } } } }").await;
    let mut shown = data["incidents"]["nodes"].as_array().unwrap().clone();
    shown.sort_by_key(|node| node["sourceId"].as_str().unwrap().to_owned());
    let remarks: Vec<Value> = shown.iter().map(|node| node["evidence"]["nodes"].clone()).collect();
    assert_eq!(remarks[0], json!([{ "description": "C2" }, { "description": "scanner" }]));
    assert_eq!(remarks[1], json!([{ "description": "NAT" }]));
}

/// Risks stand in hosts, which rows tell on demand: a list that shows them has to demand that whatever was read before, and
/// what it shows has to be there by its id.
#[tokio::test]
async fn risks_of_hosts_are_listed_and_found_by_id_whatever_was_read_before() {
    let bench = Bench::new(120).await;
    let mut expected = BTreeSet::new();
    for row in bench.rest_all("&withAffected").await {
        for asset in row["Assets"].as_array().into_iter().flatten() {
            let risks = asset["HostInfo"]["KICS"]["risks"].as_array().into_iter().flatten();
            expected.extend(risks.map(|risk| format!("{}/risks/{}", asset["ID"].as_str().unwrap(), risk["ID"])));
        }
    }
    assert!(expected.len() > 3, "{expected:?}");
    // A copy of rows without assets is there.
    bench.data("{ incidents(first: 1, orderBy: { field: TITLE }) { nodes { id } } }").await;
    let data = bench.data("{ threats(first: 100, kinds: [RISK]) { totalCount nodes { id sourceId name } } }").await;
    let nodes = data["threats"]["nodes"].as_array().unwrap();
    let shown: BTreeSet<String> = nodes.iter().map(|node| node["sourceId"].as_str().unwrap().to_owned()).collect();
    assert_eq!((shown, &data["threats"]["totalCount"]), (expected.clone(), &json!(expected.len())));
    for node in nodes {
        let query = format!("{{ node(id: {}) {{ ... on Threat {{ id sourceId name }} }} }}", node["id"]);
        assert_eq!(bench.data(&query).await["node"], *node);
    }
}
