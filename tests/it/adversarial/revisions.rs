//! What belongs to one state of an incident is asked for once, and again as soon as the incident has changed.

use super::support::*;
use crate::support::call;
use incident_gateway::{
    domain::*,
    source::*,
    upstream::{Cache, Policy},
    vendors::adversarial::Config,
};
use serde_json::{Value, json};
use std::time::Duration;

const BOTH: DetailParts =
    DetailParts { comments: true, activity: true, evidence: false, assets: false, delete_preview: false };

/// Nothing is remembered but what belongs to a state of an incident.
fn by_revision_only(config: &mut Config) {
    let cache = Policy::standard().cache;
    config.policy.cache = Cache { lists: Duration::ZERO, details: Duration::ZERO, ..cache };
}

/// How many calls details cost after the incidents were read.
async fn cost(bench: &Bench, ids: &[NativeId]) -> usize {
    bench.source.fetch(&call("rows"), ids, PLAIN).await.unwrap();
    bench.calls();
    let request = DetailRequest { parts: BOTH, incidents: ids.to_vec(), want: PLAIN };
    let found = bench.source.details(&call("details"), &request).await.unwrap();
    assert!(found.failed.is_empty() && found.items.len() == ids.len());
    bench.calls().len()
}

#[tokio::test]
async fn details_of_an_unchanged_incident_are_read_once() {
    let bench = Bench::with(40, Quirk::None, by_revision_only).await;
    let ids = ["INC-00003", "INC-00005"].map(NativeId::new);
    let first = cost(&bench, &ids).await;
    assert!(first >= 4);
    assert_eq!(cost(&bench, &ids).await, 0);
    let comment = json!({ "value": "another one" });
    assert!(bench.send("POST", "/api/v1/incidents/3/comments", Some(comment)).await.0 < 300);
    assert!((2..first).contains(&cost(&bench, &ids).await), "of the one that changed");
    bench.send("PATCH", "/api/v1/incidents/5", Some(json!({ "title": "changed" }))).await;
    assert!(cost(&bench, &ids).await >= 2);
}

/// A server whose comments do not touch the time of change.
#[tokio::test]
async fn another_number_of_comments_is_another_state() {
    let count = std::sync::Arc::new(std::sync::Mutex::new((json!(1), 0)));
    let told = count.clone();
    let row = move |count: &Value| {
        let incident = json!({ "id": "INC-00007", "updated_date": "2020-01-01T00:00:00Z" });
        json!({ "comment_count": count, "incident": incident })
    };
    let answer = move |path: &str| {
        let mut told = told.lock().unwrap();
        match path.ends_with("/comments") {
            true => {
                told.1 += 1;
                json!({ "comments": [] })
            }
            false => row(&told.0),
        }
    };
    let source = with(by_revision_only, move |request| json_reply(200, &answer(request.url.path()).to_string()));
    let (ids, parts) = ([NativeId::new("INC-00007")], DetailParts { comments: true, ..DetailParts::default() });
    let mut calls = Vec::new();
    for told in [json!(1), json!(1), json!(2), json!(2), json!(null), json!(null)] {
        count.lock().unwrap().0 = told;
        source.fetch(&call("rows"), &ids, PLAIN).await.unwrap();
        let request = DetailRequest { parts, incidents: ids.to_vec(), want: PLAIN };
        source.details(&call("details"), &request).await.unwrap();
        calls.push(count.lock().unwrap().1);
    }
    assert_eq!(calls, [1, 1, 2, 2, 3, 4], "without a number no state can be named");
}
