//! Tenants: found, configured, remembered, told apart where one of them may not be read.

use super::{incidents::scopes, support::*};
use incident_gateway::{domain::*, secret::Secret, source::*};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn tenants_are_asked_for_once_by_however_many_requests() {
    let bench = Bench::new(40).await;
    let (call, page) = (call(), page());
    let lists = (0..8).map(|_| bench.source.list(&call, &page));
    for rows in futures_util::future::join_all(lists).await {
        assert!(!rows.unwrap().items.is_empty());
    }
    let calls = bench.calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("tenants")).count(), 1);
    assert_eq!(calls.len(), 9);
}

#[tokio::test]
async fn what_shall_not_be_remembered_is_asked_for_each_time() {
    let bench = Bench::with(10, |config, _| config.remember_tenants = Duration::ZERO).await;
    for _ in 0..2 {
        bench.source.list(&call(), &page()).await.unwrap();
    }
    assert_eq!(bench.calls().iter().filter(|call| call.starts_with("tenants")).count(), 2);
}

/// All ids of the server's tenants, and those that the gateway's token may not read.
async fn all_and_closed(bench: &Bench) -> (Vec<String>, Vec<String>) {
    let ids = |rows: Value| -> Vec<String> {
        rows.as_array().unwrap().iter().map(|row| row["ID"].as_str().unwrap().to_owned()).collect()
    };
    let admin = format!("Bearer {}", Bench::token(&bench.sandbox, "admin"));
    let all = ids(bench.rest_as(&admin, "GET", "tenants", "").await.1);
    let open = ids(bench.rest("tenants").await);
    let closed: Vec<String> = all.iter().filter(|id| !open.contains(id)).cloned().collect();
    assert!(!closed.is_empty() && !open.is_empty());
    bench.sandbox.reset_calls();
    (all, closed)
}

#[tokio::test]
async fn a_tenant_that_may_not_be_read_costs_its_rows_and_is_told() {
    let first = Bench::new(150).await;
    let (all, closed) = all_and_closed(&first).await;
    let expected = first.walk(Vec::new(), 100).await;
    let bench = Bench::with(150, |config, _| config.tenants = all.clone()).await;
    let rows = bench.source.list(&call(), &page()).await.unwrap();
    assert_eq!(rows.restricted.iter().map(NativeId::to_string).collect::<Vec<_>>(), closed);
    assert_eq!(rows.total, Some(expected.len() as u64));
    // One refusal, one try for each tenant, and the rows; beside them, who is named.
    assert_eq!(bench.calls().len(), 1 + all.len() + 1 + 1);
    assert_eq!(bench.walk(Vec::new(), 100).await.len(), expected.len());
    let calls = bench.calls();
    assert_eq!(calls.len(), expected.len().div_ceil(100), "it is remembered");
    assert!(calls.iter().all(|call| !call.contains(&closed[0])));
    let ids: Vec<NativeId> = expected.iter().map(|incident| incident.key.native.clone()).collect();
    assert_eq!(bench.source.fetch(&call(), &ids, PLAIN).await.unwrap().items.len(), ids.len());
    // Asked for alone, it is a refusal like any other.
    let alone = ListRequest { tests: vec![Test::Scopes(vec![key(&closed[0])])], ..page() };
    let error = bench.source.list(&call(), &alone).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Forbidden);
}

#[tokio::test]
async fn clients_see_which_tenants_are_missing() {
    let first = Bench::new(60).await;
    let (all, closed) = all_and_closed(&first).await;
    let bench = Bench::with(60, |config, _| config.tenants = all).await;
    let data = bench.data("{ incidents { sources { status restrictedIds } } }").await;
    assert_eq!(data["incidents"]["sources"], json!([{ "status": "OK", "restrictedIds": closed }]));
}

#[tokio::test]
async fn only_configured_tenants_are_read() {
    let first = Bench::new(150).await;
    let all = first.walk(Vec::new(), 100).await;
    let tenants: Vec<Key> = all.iter().take(20).filter_map(|i| Some(i.scope.as_ref()?.key.clone())).collect();
    let (one, other) = (tenants[0].clone(), tenants.iter().find(|key| **key != tenants[0]).unwrap().clone());
    let bench = Bench::with(150, |config, _| config.tenants = vec![one.native.to_string()]).await;
    let of_one = all.iter().filter(|i| i.scope.as_ref().unwrap().key == one).count();
    assert_eq!(bench.walk(Vec::new(), 100).await.len(), of_one);
    assert!(bench.walk(vec![Test::Scopes(vec![other.clone()])], 100).await.is_empty());
    assert_eq!(bench.walk(vec![Test::Scopes(vec![other, one])], 100).await.len(), of_one);
    let named = bench.calls().iter().filter(|call| call.starts_with("tenants")).count();
    assert_eq!(named, 1, "only to tell which of the configured ones are missing");
}

/// It would look like a server without incidents.
#[tokio::test]
async fn a_token_without_any_tenant_is_told() {
    let token = |config: &mut incident_gateway::vendors::kaspersky_xdr::Config, sandbox: &_| {
        config.token = Secret::from(Bench::token(sandbox, "nobody"));
    };
    let bench = Bench::with(20, token).await;
    let errors = [
        bench.source.list(&call(), &page()).await.unwrap_err(),
        bench.source.fetch(&call(), &[nobody(1)], PLAIN).await.unwrap_err(),
        bench.source.probe(&call()).await.error.unwrap(),
    ];
    for error in errors {
        assert_eq!(error.kind(), SourceErrorKind::Forbidden);
        assert!(error.public().contains("names no tenant") && error.public().contains("configure tenants"), "{error}");
    }
    assert_eq!(bench.source.catalog(&call(), &scopes()).await.unwrap().items.len(), 0, "that is the whole list");
    let answer = ask(&bench.api, "{ incidents { totalCount sources { status error { code } } } }").await;
    let sources = &answer["data"]["incidents"]["sources"];
    assert_eq!(sources, &json!([{ "status": "FORBIDDEN", "error": { "code": "SOURCE_FORBIDDEN" } }]));
    assert!(bench.calls().iter().all(|call| call == "tenants?"));
}

/// No list can be asked for them.
#[tokio::test]
async fn tenants_without_a_uuid_or_any_id_are_told() {
    let server = |tenants: Value| {
        over(&[], move |request| match request.url.path() {
            "/xdr/api/v1/tenants" => json(200, tenants.to_string()),
            _ => {
                assert!(!request.url.query().unwrap().contains("branch"), "it would fail the request");
                json(200, json!({ "Total": 1, "Incidents": [{ "InternalID": nobody(1).to_string() }] }).to_string())
            }
        })
    };
    let some = server(json!([{ "ID": TENANT, "Name": "Main" }, { "ID": "branch", "Name": "B" }, { "Name": "C" }, 7]));
    let rows = some.list(&call(), &page()).await.unwrap();
    assert_eq!((rows.items.len(), rows.restricted, rows.malformed), (1, vec![NativeId::new("branch")], 2));
    let next = some.list(&call(), &ListRequest { offset: 100, ..page() }).await.unwrap();
    assert_eq!(next.malformed, 0, "told once");
    let alone = ListRequest { tests: vec![Test::Scopes(vec![key("branch")])], ..page() };
    assert_eq!(some.list(&call(), &alone).await.unwrap().restricted, [NativeId::new("branch")]);
    let other = ListRequest { tests: vec![Test::Scopes(vec![key(TENANT)])], ..page() };
    assert_eq!(some.list(&call(), &other).await.unwrap().restricted, []);
    for none in [json!([{ "ID": "branch" }]), json!([{ "Name": "C" }]), json!([null])] {
        let error = server(none.clone()).list(&call(), &page()).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Malformed, "{none}");
    }
}

/// A server may answer 403 for such (which is told apart), or leave it out.
#[tokio::test]
async fn configured_tenants_that_the_server_does_not_name_are_told_if_it_names_any() {
    let row = |number: u8, tenant: &str| json!({ "InternalID": nobody(number).to_string(), "TenantID": tenant });
    let server = |status: u16, tenants: &'static str, row: Value| {
        over(&[TENANT, BRANCH], move |request| match request.url.path() {
            "/xdr/api/v1/tenants" => json(status, tenants),
            _ => json(200, json!({ "Total": 1, "Incidents": [row] }).to_string()),
        })
    };
    let one = r#"[{"ID":"A1D2C3B4-1111-4222-8333-444455556666","Name":"Main"}]"#;
    let both = r#"[{"ID":"a1d2c3b4-1111-4222-8333-444455556666"},{"ID":"a1d2c3b4-1111-4222-8333-444455557777"}]"#;
    let branch = NativeId::new(BRANCH);
    for (status, tenants, of, restricted) in [
        (200, one, TENANT, vec![branch.clone()]),
        (200, both, TENANT, vec![]),
        (200, "[]", TENANT, vec![branch.clone()]),
        (200, one, BRANCH, vec![]),
        (403, one, TENANT, vec![]),
        (500, one, TENANT, vec![]),
        (200, "{", TENANT, vec![]),
    ] {
        let source = server(status, tenants, row(1, of));
        for _ in 0..2 {
            let rows = source.list(&call(), &page()).await.unwrap();
            assert_eq!((rows.items.len(), &rows.restricted), (1, &restricted), "{status} {tenants} {of}");
        }
    }
    let source = server(200, one, row(1, TENANT));
    let alone = ListRequest { tests: vec![Test::Scopes(vec![key(TENANT)])], ..page() };
    assert_eq!(source.list(&call(), &alone).await.unwrap().restricted, []);
    let api = crate::support::api(vec![source]);
    let shown = data(&api, "{ incidents { sources { status restrictedIds } } }").await;
    assert_eq!(shown["incidents"]["sources"], json!([{ "status": "OK", "restrictedIds": [BRANCH] }]));
}

#[tokio::test]
async fn a_token_that_is_not_taken_costs_no_call_for_each_tenant() {
    let first = Bench::new(20).await;
    let (all, _) = all_and_closed(&first).await;
    let bench = Bench::with(20, |config, _| {
        config.tenants = all.clone();
        config.token = Secret::from("nobody's".to_owned());
    })
    .await;
    // Once also whether it may list tenants.
    for calls in [1 + all.len() + 1, 1] {
        let error = bench.source.list(&call(), &page()).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Forbidden);
        assert_eq!(bench.calls().len(), calls);
    }
}

#[tokio::test]
async fn tenants_are_scopes_with_parents_children_and_paths() {
    let bench = Bench::new(30).await;
    let data = bench
        .data("{ scopes(first: 100) { nodes { sourceId name description kind root parent { name } children { name } path { name } raw } } }")
        .await;
    let nodes = data["scopes"]["nodes"].as_array().unwrap();
    let rows = bench.rest("tenants").await;
    assert_eq!(nodes.len(), rows.as_array().unwrap().len());
    for row in rows.as_array().unwrap() {
        let node = nodes.iter().find(|node| node["sourceId"] == row["ID"]).unwrap();
        assert_eq!((&node["name"], &node["kind"], &node["root"]), (&row["Name"], &json!("TENANT"), &row["IsRoot"]));
        assert_eq!(node["raw"]["Removable"], row["Removable"]);
        let below: Vec<&Value> = row["Subtenants"].as_array().unwrap().iter().collect();
        let mut children: Vec<&str> =
            node["children"].as_array().unwrap().iter().map(|child| child["name"].as_str().unwrap()).collect();
        let mut expected: Vec<&str> = nodes
            .iter()
            .filter(|node| below.contains(&&node["sourceId"]))
            .map(|node| node["name"].as_str().unwrap())
            .collect();
        children.sort_unstable();
        expected.sort_unstable();
        assert_eq!(children, expected);
        let path = node["path"].as_array().unwrap();
        assert_eq!((&path[0]["name"], path.last().unwrap()["name"] == node["name"]), (&json!("Main"), true));
        let parent = path.len().checked_sub(2).map_or(&Value::Null, |above| &path[above]["name"]);
        assert_eq!(node.pointer("/parent/name").unwrap_or(&Value::Null), parent);
    }
    assert!(nodes.iter().any(|node| node["path"].as_array().unwrap().len() > 2));
    let main = nodes.iter().find(|node| node["root"] == true).unwrap();
    assert_eq!(main["description"], "Root tenant");
}

/// Whether `Subtenants` names one level or all below is not documented; a ring would be a mistake of the server's.
#[tokio::test]
async fn parents_are_found_whether_one_level_is_named_or_all_and_rings_end() {
    let tenant = |id: u8, below: &[u8]| {
        let below: Vec<String> = below.iter().map(|id| nobody(*id).to_string()).collect();
        json!({ "ID": nobody(id).to_string(), "Name": format!("t{id}"), "Subtenants": below })
    };
    for (list, expected) in [
        (json!([tenant(1, &[2, 3]), tenant(2, &[3]), tenant(3, &[])]), "t1/t2/t3"),
        (json!([tenant(1, &[2]), tenant(2, &[3]), tenant(3, &[])]), "t1/t2/t3"),
        (json!([tenant(3, &[2]), tenant(2, &[3])]), "t2/t3"),
        (json!([tenant(3, &[3])]), "t3"),
        (json!([{ "ID": nobody(3).to_string(), "Name": "t3", "Subtenants": null }]), "t3"),
    ] {
        let source = over(&[], move |_| json(200, list.to_string()));
        let found = source.related(&call(), RecordKind::Scope, &[nobody(3)], PLAIN).await.unwrap();
        let Record::Scope(scope) = &found.items[0].1 else { panic!("a scope") };
        let path: Vec<&str> = scope.path.iter().map(|link| link.name.as_deref().unwrap()).collect();
        assert_eq!(path.join("/"), expected);
    }
}

#[tokio::test]
async fn the_documented_list_is_read_and_unknown_tenants_are_missing() {
    let source = over(&[], |_| json(200, fixture("list_tenants.json")));
    let rows = source.catalog(&call(), &scopes()).await.unwrap();
    assert_eq!((rows.items.len(), rows.total, rows.more), (2, Some(2), false));
    let found = source.related(&call(), RecordKind::Scope, &[NativeId::new(BRANCH), nobody(1)], PLAIN).await.unwrap();
    assert_eq!(found.items.len(), 1);
    let Record::Scope(scope) = &found.items[0].1 else { panic!("a scope") };
    assert_eq!((scope.name.as_deref(), scope.description.as_deref()), (Some("Branch North"), None));
    assert_eq!(scope.parent.as_ref().unwrap().key, key(TENANT));
}

/// An unknown token and one that may not list tenants are refused alike: the operator is told what to look at.
#[tokio::test]
async fn a_refused_list_of_tenants_says_what_can_be_done() {
    let source = over(&[], |_| json(403, fixture("error_403.json")));
    let error = source.list(&call(), &page()).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Forbidden);
    assert!(error.public().contains("configure tenants") && !error.public().contains("access denied"), "{error}");
}
