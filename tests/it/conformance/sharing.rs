//! Many at once, and two side by side: nobody gets what is another's.

use super::bench::*;
use futures_util::future::join_all;
use incident_gateway::{domain::*, graphql::Api, sandbox::SandboxOptions, source::*, upstream::Policy};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn many_calls_at_once_answer_as_one(subject: &Subject) {
    let bench = Bench::start(subject, 60).await;
    let source = bench.fresh();
    let pages = join_all((0..50u64).map(async |place| {
        let request = ListRequest { tests: vec![], order: None, offset: place % 40, limit: 9, want: PLAIN };
        source.list(&call(), &request).await.unwrap()
    }))
    .await;
    for (place, rows) in pages.iter().enumerate() {
        let alone = bench.page(place as u64 % 40, 9).await;
        assert_eq!(rows.items, alone.items, "{place}");
        assert_eq!((rows.total, rows.more, rows.consumed), (alone.total, alone.more, alone.consumed));
    }
    let ids: Vec<NativeId> = bench.all().await.iter().map(|incident| incident.key.native.clone()).collect();
    if !bench.capabilities().await.by_id.contains(&RecordKind::Incident) {
        return;
    }
    let source = bench.fresh();
    let found = join_all(ids.iter().map(async |id| {
        let mut found = source.fetch(&call(), std::slice::from_ref(id), PLAIN).await.unwrap();
        (id, found.items.pop().unwrap())
    }));
    assert!(found.await.iter().all(|(id, (given, incident))| *id == given && incident.key.native == **id));
}

const LIST: &str = "query($source: String!) { incidents(first: 40, filter: { sources: [$source] }) { totalCount nodes {
    id sourceId title severity status createdAt updatedAt owners { id name email } tags { id name } scope { id name }
    assets(first: 20) { nodes { id name } } threats(first: 20) { nodes { id name } } } } }";
const NODES: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Incident { title createdAt updatedAt
    evidence(first: 20) { nodes { id title } } comments(first: 20) { nodes { id body } }
    activity(first: 20) { nodes { id at } } } } }";

/// What an API tells of one source: its list, and its incidents by id with their details.
async fn told(api: &Api, source: &str) -> (Value, Value) {
    let list = data(api, LIST, json!({ "source": source })).await;
    let nodes = list["incidents"]["nodes"].as_array().unwrap();
    let ids: Vec<&Value> = nodes.iter().take(8).map(|node| &node["id"]).collect();
    let details = data(api, NODES, json!({ "ids": ids })).await;
    (list, details)
}

/// Of two servers with the same ids and other times, and of two accounts of one server where there are several: what a
/// gateway tells that remembers, shares and coalesces is what one tells that knows only the one, and remembers nothing.
pub(super) async fn two_sources_of_one_vendor_never_mix(subject: &Subject) {
    let options = SandboxOptions { incidents: 30, ..SandboxOptions::default() };
    let left = Bench::over(subject, options.clone()).await;
    let later = options.now + chrono::TimeDelta::seconds(3_607);
    let right = Bench::over(subject, SandboxOptions { now: later, ..options }).await;
    let names = ["left", "right", "guest"].map(SourceName::new);
    let secrets = left.sandbox.secrets();
    let mut benches = vec![(&names[0], &left, secrets.clone()), (&names[1], &right, secrets.clone())];
    // Whoever may see other rows than the first.
    let token = |login: &incident_gateway::sandbox::Login| {
        let mut secrets = secrets.clone();
        secrets[0].1.clone_from(&login.token);
        secrets
    };
    let all = ids(&left.all().await);
    for login in left.sandbox.accounts().iter().skip(1) {
        let guest = left.source_with(&name(), &token(login), Policy::default());
        let request = ListRequest { tests: vec![], order: None, offset: 0, limit: 100, want: PLAIN };
        let seen = guest.list(&call(), &request).await.map_or(vec![], |rows| ids(&rows.items));
        if benches.len() == 2 && seen.len() > 7 && seen != all {
            benches.push((&names[2], &left, token(login)));
        }
    }
    assert_eq!(benches.len() > 2, !left.sandbox.accounts().is_empty(), "somebody sees other rows");
    let made = |remembers: bool| {
        let policy = || if remembers { Policy::standard() } else { Policy::default() };
        let one = |(name, bench, secrets): &(&SourceName, &Bench, Vec<_>)| bench.source_with(name, secrets, policy());
        benches.iter().map(one).collect::<Vec<Arc<dyn Source>>>()
    };
    let mut expected = Vec::new();
    for (source, (name, ..)) in made(false).into_iter().zip(&benches) {
        expected.push(told(&crate::support::api(vec![source]), name.as_str()).await);
    }
    let natives = |place: usize| -> Vec<&Value> {
        let (list, _): &(Value, Value) = &expected[place];
        list["incidents"]["nodes"].as_array().unwrap().iter().map(|node| &node["sourceId"]).collect()
    };
    assert_eq!(natives(0), natives(1), "the same ids");
    let shown = |place: usize| expected[place].0["incidents"]["nodes"][0]["createdAt"].clone();
    assert_ne!(shown(0), shown(1), "other incidents");
    assert!(benches.len() < 3 || natives(2) != natives(0), "the guest sees other rows");
    let both = crate::support::api(made(true));
    for round in 0..3 {
        let answers = join_all(benches.iter().map(|(name, ..)| told(&both, name.as_str()))).await;
        for (place, (answer, expected)) in answers.iter().zip(&expected).enumerate() {
            assert_eq!(answer, expected, "{} in round {round}", benches[place].0);
        }
    }
}
