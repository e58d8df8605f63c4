//! Owners: actors, and the users, teams and entities behind them.

use super::{compare::*, errors, support::*};
use incident_gateway::{
    domain::*,
    sandbox::Release,
    source::*,
    upstream::{HttpResponse, header::*},
};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc, time::Duration};

const PROFILE: Want = Want { profile: true, ..Want::PLAIN };

struct World {
    actors: Vec<Value>,
    users: HashMap<String, Value>,
    teams: HashMap<String, Value>,
    /// Actor by user.
    by_user: HashMap<String, String>,
}

async fn world(bench: &Bench) -> World {
    let by_id = |rows: Vec<Value>| rows.into_iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row)).collect();
    let actors = bench.rest_all("actors/").await;
    let is_user = |row: &&Value| row["type"] == "user";
    let pair =
        |row: &Value| (row["specific"]["id"].as_str().unwrap().to_owned(), row["id"].as_str().unwrap().to_owned());
    World {
        by_user: actors.iter().filter(is_user).map(pair).collect(),
        users: by_id(bench.rest_all("users/").await),
        teams: by_id(bench.rest_all("teams/").await),
        actors,
    }
}

fn owner(record: &Record) -> &Owner {
    match record {
        Record::Owner(owner) => owner,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn owners_are_actors_with_what_lies_behind_them() {
    for release in RELEASES {
        let bench = Bench::new(release, 100).await;
        let world = world(&bench).await;
        let ids: Vec<NativeId> = world.actors.iter().map(|row| native(&row["id"])).collect();
        let want = Want { raw: true, profile: true, ..Want::PLAIN };
        let found = bench.source.related(&call(), RecordKind::Owner, &ids, want).await.unwrap();
        assert_eq!((found.items.len(), found.failed.len()), (ids.len(), 0));
        let (mut users, mut teams, mut masked) = (0, 0, 0);
        for (id, record) in &found.items {
            let (row, owner) = (world.actors.iter().find(|row| native(&row["id"]) == *id).unwrap(), owner(record));
            assert_eq!(owner.key, key(id.clone()));
            assert_eq!(owner.name.as_deref(), text(&row["str"]));
            assert_eq!(owner.source_type.as_deref(), text(&row["type"]));
            let behind = row["specific"]["id"].as_str().unwrap();
            let raw: Value = serde_json::from_str(owner.profile.raw.as_ref().unwrap().as_str()).unwrap();
            match row["type"].as_str().unwrap() {
                "user" => {
                    users += 1;
                    assert_eq!(raw, world.users[behind]);
                    user(&world.users[behind], owner);
                }
                "team" => {
                    teams += 1;
                    assert_eq!(raw, world.teams[behind]);
                    masked += team(&world, &world.teams[behind], owner);
                }
                "entity" => assert_eq!((owner.kind, &raw), (OwnerKind::Organization, row)),
                other => panic!("{other}"),
            }
        }
        assert!(users > 5 && teams > 1);
        assert_eq!(found.masked, masked);
    }
}

fn user(row: &Value, owner: &Owner) {
    let profile = &owner.profile;
    assert_eq!(owner.kind, OwnerKind::User);
    assert_eq!(profile.email.as_deref(), text(&row["email"]));
    assert_eq!(profile.first_name.as_deref(), text(&row["first_name"]));
    assert_eq!(profile.last_name.as_deref(), text(&row["last_name"]));
    assert_eq!(profile.active, row["is_active"].as_bool());
    assert_eq!(profile.scope.as_ref().map(link), reference(&row["folder"]));
    assert_eq!((&profile.members, &profile.leader), (&None, &None));
}

/// How many links are hidden, or have no actor that is shown.
fn team(world: &World, row: &Value, owner: &Owner) -> u32 {
    let profile = &owner.profile;
    let all = |value: &Value| {
        let (shown, hidden) = references(value);
        let known = |(user, name): &(String, Option<String>)| Some((world.by_user.get(user)?.clone(), name.clone()));
        let joined: Vec<_> = shown.iter().filter_map(known).collect();
        let lost = shown.len() - joined.len();
        (joined, u32::try_from(lost).unwrap() + u32::try_from(hidden).unwrap())
    };
    let (leader, no_leader) = all(&Value::Array(vec![row["leader"].clone()]));
    let (deputies, no_deputies) = all(&row["deputies"]);
    let (members, no_members) = all(&row["members"]);
    assert_eq!(owner.kind, OwnerKind::Team);
    assert_eq!(profile.leader.as_ref().map(link), leader.into_iter().next());
    assert_eq!(links(profile.deputies.as_ref().unwrap()), deputies);
    assert_eq!(links(profile.members.as_ref().unwrap()), members);
    assert_eq!(profile.description.as_deref(), text(&row["description"]));
    assert_eq!(profile.email.as_deref(), text(&row["team_email"]));
    assert_eq!(profile.scope.as_ref().map(link), reference(&row["folder"]));
    no_leader + no_deputies + no_members + hidden(row, &["folder"])
}

#[tokio::test]
async fn names_cost_one_call_and_profiles_two_more_and_what_is_remembered_none() {
    let bench = Bench::new(Release::V3_15_1, 50).await;
    bench.warm().await;
    let actors = bench.rest_all("actors/").await;
    let ids: Vec<NativeId> = actors.iter().map(|row| native(&row["id"])).collect();
    bench.sandbox.reset_calls();
    let owners = async |want| {
        let call = call();
        let found = bench.source.related(&call, RecordKind::Owner, &ids, want).await.unwrap();
        assert_eq!(found.items.len(), ids.len());
        call.context.tally.upstream_calls()
    };
    assert_eq!(owners(PLAIN).await, 1);
    assert_eq!(bench.calls(), ["/api/actors/"]);
    assert_eq!(owners(PLAIN).await, 0);
    assert_eq!(owners(PROFILE).await, 2);
    let mut asked = bench.calls();
    asked.sort();
    assert_eq!(asked, ["/api/teams/", "/api/users/"]);
    assert_eq!(owners(PROFILE).await, 1);
    assert_eq!(bench.calls(), ["/api/users/"]);
}

#[tokio::test]
async fn a_hundred_who_wait_share_one_reading() {
    let bench = Bench::new(Release::V3_15_1, 50).await;
    let actors = bench.rest_all("actors/").await;
    let ids: Arc<Vec<NativeId>> = Arc::new(actors.iter().map(|row| native(&row["id"])).collect());
    bench.sandbox.set_latency(Duration::from_millis(20));
    bench.sandbox.reset_calls();
    let all = (0..128).map(|_| {
        let (source, ids) = (bench.source.clone(), ids.clone());
        tokio::spawn(async move {
            let call = call();
            let capabilities = source.capabilities(&call).await;
            assert!(!capabilities.list.filters.is_empty());
            source.related(&call, RecordKind::Owner, &ids, PLAIN).await.unwrap().items.len()
        })
    });
    for found in futures_util::future::join_all(all).await {
        assert_eq!(found.unwrap(), ids.len());
    }
    assert_eq!(bench.calls(), ["/api/build/", "/api/actors/"]);
}

#[tokio::test]
async fn one_callers_lists_are_never_anothers() {
    let bench = Bench::new(Release::V3_15_1, 20).await;
    let ids = [nobody(1)];
    for scope in ["a", "b", "a", "b"] {
        let call = call_for(scope, Duration::from_secs(10));
        let found = bench.source.related(&call, RecordKind::Owner, &ids, PLAIN).await.unwrap();
        assert!(found.items.is_empty() && found.failed.is_empty());
    }
    assert_eq!(bench.calls(), ["/api/actors/", "/api/actors/"]);
}

#[tokio::test]
async fn a_failed_reading_is_shared_by_those_who_waited_and_not_remembered() {
    let bench = Bench::new(Release::V3_15_1, 20).await;
    bench.sandbox.set_latency(Duration::from_millis(30));
    bench.sandbox.set_faults(vec!["503@/api/actors/".parse().unwrap()]);
    let ask = || {
        let source = bench.source.clone();
        tokio::spawn(async move { source.related(&call(), RecordKind::Owner, &[nobody(1)], PLAIN).await })
    };
    for found in futures_util::future::join_all((0..20).map(|_| ask())).await {
        assert_eq!(found.unwrap().unwrap_err().kind(), SourceErrorKind::Unavailable);
    }
    assert!(bench.calls().len() <= 2, "one reading, or one for those who came before it began");
    bench.sandbox.set_faults(Vec::new());
    assert!(ask().await.unwrap().is_ok());
}

#[tokio::test]
async fn nothing_is_remembered_where_the_operator_wants_none() {
    let bench = Bench::with(options(Release::V3_15_1, 20), |config| config.remember_people = Duration::ZERO).await;
    for _ in 0..3 {
        bench.source.related(&call(), RecordKind::Owner, &[nobody(1)], PLAIN).await.unwrap();
    }
    assert_eq!(bench.calls().len(), 3);
}

#[tokio::test]
async fn all_owners_page_by_page() {
    let bench = Bench::new(Release::V3_20_8, 50).await;
    let world = world(&bench).await;
    let mut told = Vec::new();
    loop {
        let offset = told.len() as u64;
        let request =
            CatalogRequest { kind: RecordKind::Owner, offset, limit: 7, want: PROFILE, search: Search::parse("") };
        let rows = bench.source.catalog(&call(), &request).await.unwrap();
        assert_eq!(rows.total, Some(world.actors.len() as u64));
        for record in &rows.items {
            let owner = owner(record);
            if owner.kind == OwnerKind::User {
                assert!(owner.profile.email.is_some());
            }
            told.push(owner.key.native.clone());
        }
        if !rows.more {
            break;
        }
    }
    assert_eq!(told, world.actors.iter().map(|row| native(&row["id"])).collect::<Vec<_>>());
    let past =
        CatalogRequest { kind: RecordKind::Owner, offset: 9_999, limit: 7, want: PLAIN, search: Search::parse("") };
    assert!(bench.source.catalog(&call(), &past).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn people_are_found_by_what_others_call_them() {
    let bench = Bench::new(Release::V3_15_1, 50).await;
    let world = world(&bench).await;
    let resolve = async |reference| bench.source.resolve(&call(), &[reference]).await.unwrap().remove(0);
    let (user, actor) = world.by_user.iter().next().unwrap();
    let email = world.users[user]["email"].as_str().unwrap().to_uppercase();
    let actor = NativeId::new(actor);
    assert_eq!(resolve(Reference::OwnerEmail(email)).await, std::slice::from_ref(&actor));
    assert_eq!(resolve(Reference::OwnerSourceId(user.clone())).await, std::slice::from_ref(&actor));
    assert_eq!(resolve(Reference::OwnerSourceId(actor.to_string())).await, [actor]);
    let team = world.actors.iter().find(|row| row["type"] == "team").unwrap();
    let row = &world.teams[team["specific"]["id"].as_str().unwrap()];
    assert_eq!(resolve(Reference::OwnerSourceId(row["id"].as_str().unwrap().into())).await, [native(&team["id"])]);
    for team in world.teams.values().filter(|team| team["team_email"].is_string()) {
        let found = resolve(Reference::OwnerEmail(team["team_email"].as_str().unwrap().into())).await;
        let is_it = |row: &&Value| row["specific"]["id"] == team["id"];
        assert!(found.contains(&native(&world.actors.iter().find(is_it).unwrap()["id"])));
    }
    for unknown in ["", "x@y.z", "00000000-0000-4000-8000-000000000001"] {
        assert!(resolve(Reference::OwnerEmail(unknown.into())).await.is_empty());
        assert!(resolve(Reference::OwnerSourceId(unknown.into())).await.is_empty());
    }
}

#[tokio::test]
async fn the_account_is_the_actor_that_the_server_takes_us_for() {
    for release in RELEASES {
        let bench = Bench::new(release, 20).await;
        let row = bench.rest("/api/iam/current-user/").await;
        let account = bench.source.account(&call()).await.unwrap();
        assert_eq!(account.key.native, native(&row["actor_id"]));
        assert_eq!(account.profile.email.as_deref(), text(&row["email"]));
        assert_eq!((account.kind, account.source_type.as_deref()), (OwnerKind::User, Some("user")));
        let found = bench
            .source
            .related(&call(), RecordKind::Owner, std::slice::from_ref(&account.key.native), PROFILE)
            .await
            .unwrap();
        assert_eq!(owner(&found.items[0].1).name, account.name);
        assert_eq!(owner(&found.items[0].1).profile.first_name, account.profile.first_name);
    }
}

/// A small server of its own, since the simulated one lists the actor of every user.
#[tokio::test]
async fn members_without_a_listed_actor_are_left_out_and_counted() {
    let id = |number: u8| nobody(number).to_string();
    let page = |rows: Value| json!({ "count": rows.as_array().unwrap().len(), "results": rows }).to_string();
    let actors = page(json!([
        { "id": id(1), "str": "SOC", "type": "team", "specific": { "id": id(11), "str": "SOC" } },
        { "id": id(2), "str": "Ann", "type": "user", "specific": { "id": id(12), "str": "Ann" } },
        { "id": id(3), "str": "A new kind", "type": "robot", "specific": { "id": id(13), "str": "R" } },
        { "id": id(4), "str": "Hidden", "type": "user", "specific": {} },
    ]));
    let (ann, gone) = (json!({ "id": id(12), "str": "Ann" }), json!({ "id": id(99), "str": "Gone" }));
    let teams = page(json!([{
        "id": id(11), "name": "SOC", "leader": gone, "deputies": [gone, ann], "members": [ann, {}, gone], "folder": {},
    }]));
    let users = page(json!([{ "id": id(12), "email": "ann@example.test" }]));
    let source = errors::over(move |request| {
        let body = match request.url.path() {
            "/api/actors/" => actors.clone(),
            "/api/teams/" => teams.clone(),
            _ => users.clone(),
        };
        HttpResponse::new(200, body).header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
    });
    let ids: Vec<NativeId> = (1..=4).map(nobody).collect();
    let found = source.related(&call(), RecordKind::Owner, &ids, PROFILE).await.unwrap();
    let owners: Vec<&Owner> = found.items.iter().map(|(_, record)| owner(record)).collect();
    let soc = &owners[0].profile;
    assert_eq!((soc.leader.as_ref(), soc.scope.as_ref()), (None, None));
    let only_ann = [(id(2), Some("Ann".to_owned()))];
    assert_eq!(links(soc.deputies.as_ref().unwrap()), only_ann);
    assert_eq!(links(soc.members.as_ref().unwrap()), only_ann);
    assert_eq!(found.masked, 1 + 1 + 2 + 1);
    assert_eq!(owners[1].profile.email.as_deref(), Some("ann@example.test"));
    assert_eq!((owners[2].kind, owners[2].source_type.as_deref()), (OwnerKind::Unknown, Some("robot")));
    assert_eq!((owners[3].kind, owners[3].profile.email.as_deref()), (OwnerKind::User, None));
}

/// Somebody new is looked for once more, unless the list was read just now.
#[tokio::test]
async fn an_id_that_is_not_in_an_older_list_is_looked_for_once_more() {
    let bench = Bench::new(Release::V3_15_1, 20).await;
    let ask = async || bench.source.related(&call(), RecordKind::Owner, &[nobody(1)], PLAIN).await.unwrap();
    ask().await;
    ask().await;
    assert_eq!(bench.calls().len(), 1);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(5)).await;
    tokio::time::resume();
    ask().await;
    ask().await;
    assert_eq!(bench.calls().len(), 1);
}
