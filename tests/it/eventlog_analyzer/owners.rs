//! Who is behind ids and names, as far as the server tells.

use super::support::*;
use incident_gateway::{domain::*, source::*, vendors::eventlog_analyzer::Config};
use serde_json::Value;

async fn owners(bench: &Bench, ids: &[&str], want: Want) -> Vec<Owner> {
    let ids: Vec<NativeId> = ids.iter().map(|id| NativeId::new(id)).collect();
    let found = bench.source.related(&call(), RecordKind::Owner, &ids, want).await.unwrap();
    let owner = |(id, record): (NativeId, Record)| match record {
        Record::Owner(owner) if owner.key.native == id => (*owner).clone(),
        other => panic!("{other:?}"),
    };
    found.items.into_iter().map(owner).collect()
}

#[tokio::test]
async fn users_are_known_by_number_and_by_name() {
    let bench = Bench::new(40).await;
    let users = bench.rest("/api/v2/meta/users").await;
    for user in users["data"].as_array().unwrap().iter().take(8) {
        let (id, name) = (user["user_id"].to_string(), user["user_name"].as_str().unwrap());
        for owner in owners(&bench, &[&id, &format!("name/{name}")], RAW).await {
            assert_eq!((owner.kind, owner.name.as_deref()), (OwnerKind::User, Some(name)));
            assert_eq!(owner.profile.email.as_deref(), user["email"].as_str());
            let raw: Value = serde_json::from_str(owner.profile.raw.unwrap().as_str()).unwrap();
            assert_eq!(raw, *user);
        }
    }
    assert!(owners(&bench, &["1"], PLAIN).await[0].profile.raw.is_none());
}

#[tokio::test]
async fn whoever_is_no_user_any_more_is_shown_as_far_as_told() {
    let bench = Bench::new(60).await;
    let found = owners(&bench, &["9001", "name/gone", "name/", "nobody", "-1", ""], PLAIN).await;
    let told: Vec<(String, Option<&str>)> =
        found.iter().map(|owner| (owner.key.native.to_string(), owner.name.as_deref())).collect();
    assert_eq!(told, [("9001".to_owned(), None), ("name/gone".to_owned(), Some("gone"))]);
    let query =
        "{ incidents(first: 100, filter: { owners: { sourceId: \"9001\" } }) { nodes { owners { sourceId name } } } }";
    let data = bench.data(query).await;
    let nodes = data["incidents"]["nodes"].as_array().unwrap();
    assert!(!nodes.is_empty());
    assert!(nodes.iter().all(|node| node["owners"][0]["sourceId"] == "9001" && node["owners"][0]["name"].is_null()));
}

#[tokio::test]
async fn the_list_of_users_is_read_once() {
    let bench = Bench::new(60).await;
    let query = "{ incidents(first: 50) { nodes { owners { name email } createdBy { email } } } }";
    let first = bench.data(query).await;
    assert_eq!(first, bench.data(query).await);
    let calls = bench.calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("/api/v2/meta/users")).count(), 1, "{calls:?}");
}

#[tokio::test]
async fn all_users_come_page_by_page() {
    let bench = Bench::new(60).await;
    let users = bench.rest("/api/v2/meta/users").await;
    let own: Vec<String> = users["data"].as_array().unwrap().iter().map(|user| user["user_id"].to_string()).collect();
    let mut seen = Vec::new();
    loop {
        let request = CatalogRequest {
            kind: RecordKind::Owner,
            offset: seen.len() as u64,
            limit: 7,
            want: PLAIN,
            search: Search::parse(""),
        };
        let rows = bench.source.catalog(&call(), &request).await.unwrap();
        assert_eq!((rows.total, rows.consumed), (Some(own.len() as u64), rows.items.len()));
        seen.extend(rows.items.iter().map(|record| record.key().native.to_string()));
        if !rows.more {
            break;
        }
    }
    assert_eq!(seen, own);
    let data = bench.data("{ owners(first: 3) { totalCount nodes { sourceId name email kind } } }").await;
    assert_eq!(data["owners"]["totalCount"], own.len());
    let first = &data["owners"]["nodes"][0];
    assert_eq!((&first["sourceId"], &first["kind"]), (&"1".into(), &"USER".into()));
}

/// Without the call for users there are ids, and names where the rows told them; nothing is asked that may not exist.
#[tokio::test]
async fn without_users_nothing_but_the_rows_is_asked() {
    let change = |config: &mut Config| config.read_users = false;
    let bench = Bench::with(options(60), change).await;
    let capabilities = bench.source.capabilities(&call()).await;
    assert!(capabilities.by_id.is_empty() && capabilities.catalog.is_empty());
    let query = "{ incidents(first: 60) { nodes { owners { sourceId name email } createdBy { sourceId name email } \
                 comments { nodes { author { sourceId name email } } } \
                 evidence { edges { addedBy { sourceId name } } } } } }";
    let data = bench.data(query).await;
    let nodes = data["incidents"]["nodes"].as_array().unwrap();
    let mut seen = [0; 3];
    for node in nodes {
        for owner in node["owners"].as_array().unwrap() {
            assert!(owner["sourceId"].as_str().unwrap().parse::<i64>().is_ok() && owner["name"].is_null());
            seen[0] += 1;
        }
        let authors = node["comments"]["nodes"].as_array().unwrap().iter().map(|comment| &comment["author"]);
        let adders = node["evidence"]["edges"].as_array().unwrap().iter().map(|edge| &edge["addedBy"]);
        for person in authors.chain(adders).chain([&node["createdBy"]]) {
            assert_eq!(person["sourceId"], format!("name/{}", person["name"].as_str().unwrap()));
            seen[1] += 1;
        }
        seen[2] += usize::from(node["createdBy"]["email"].is_null());
    }
    assert!(seen[0] > 10 && seen[1] > 100 && seen[2] == 60, "{seen:?}");
    let calls = bench.calls();
    assert!(calls.iter().all(|call| !call.contains("users")), "{calls:?}");
    let by_email = [Reference::OwnerEmail("admin@example.test".into())];
    assert_eq!(bench.source.resolve(&call(), &by_email).await.unwrap(), [Vec::new()]);
    for kind in RecordKind::ALL {
        let error = bench.source.related(&call(), kind, &[NativeId::new("1")], PLAIN).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unsupported, "{kind:?}");
    }
}

#[tokio::test]
async fn a_server_without_that_call_costs_the_names_alone() {
    let bench = Bench::with(options(20), |config| config.users_path = "/api/v2/users".to_owned()).await;
    let answer = bench.gql("{ incidents(first: 20) { nodes { title createdBy { name } owners { name } } } }").await;
    let nodes = answer["data"]["incidents"]["nodes"].as_array().unwrap();
    assert!(
        nodes.len() == 20
            && nodes.iter().all(|node| node["title"].is_string() && node["createdBy"]["name"].is_string())
    );
    let errors = answer["errors"].as_array().unwrap();
    assert!(!errors.is_empty());
    for error in errors {
        assert_eq!((&error["extensions"]["code"], &error["path"][3]), (&"SOURCE_MALFORMED".into(), &"owners".into()));
    }
}

#[tokio::test]
async fn references_are_ids_of_what_they_name() {
    let bench = Bench::new(20).await;
    let references = [
        Reference::Incident("3000000438278".into()),
        Reference::Incident("INC-1".into()),
        Reference::Incident("".into()),
        Reference::OwnerEmail("ADMIN@example.test".into()),
        Reference::OwnerEmail("nobody@example.test".into()),
        Reference::OwnerSourceId("302".into()),
        Reference::OwnerSourceId("gokul.sn+test".into()),
        Reference::OwnerSourceId("name/gokul.sn+test".into()),
        Reference::TagName("urgent".into()),
    ];
    let found = bench.source.resolve(&call(), &references).await.unwrap();
    let expected: [&[&str]; 9] = [
        &["3000000438278"],
        &[],
        &[],
        &["1", "name/admin"],
        &[],
        &["302"],
        &["name/gokul.sn+test"],
        &["name/gokul.sn+test"],
        &[],
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.iter().map(NativeId::to_string).collect::<Vec<_>>(), expected);
    }
}
