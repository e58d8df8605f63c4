//! Comments and history: a call each per incident, the history page by page.

use super::{compare, support::*};
use crate::support::call;
use incident_gateway::{domain::*, source::*};
use serde_json::{Value, json};

const BOTH: DetailParts =
    DetailParts { comments: true, activity: true, evidence: false, assets: false, delete_preview: false };

fn request(ids: &[&str], parts: DetailParts) -> DetailRequest {
    DetailRequest { parts, incidents: ids.iter().map(|id| NativeId::new(id)).collect(), want: RAW }
}

async fn entries(bench: &Bench, id: &str) -> Vec<Value> {
    let (mut all, mut page) = (Vec::new(), 1);
    loop {
        let body = bench.rest(&format!("/api/v1/incidents/{id}/history?page={page}&page_size=50")).await;
        all.extend(body["entries"].as_array().unwrap().clone());
        if page >= body["num_pages"].as_u64().unwrap() {
            return all;
        }
        page += 1;
    }
}

fn raw(json: &Option<RawJson>) -> Value {
    json.as_ref().map_or(Value::Null, |json| serde_json::from_str(json.as_str()).unwrap())
}

#[tokio::test]
async fn comments_and_history_are_the_servers_own() {
    let bench = Bench::new(80).await;
    let ids: Vec<String> = (1..=80).map(|number| format!("INC-{number:05}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let found = bench.source.details(&call("details"), &request(&ids, BOTH)).await.unwrap();
    assert_eq!((found.items.len(), found.failed.len(), found.malformed), (80, 0, 0));
    let (mut comments, mut paged) = (0, 0);
    for (id, details) in &found.items {
        let id = id.to_string();
        let theirs = bench.rest(&format!("/api/v1/incidents/{id}/comments")).await;
        let theirs = theirs["comments"].as_array().unwrap();
        let ours = details.comments.as_ref().unwrap();
        assert_eq!(ours.len(), theirs.len());
        comments += ours.len();
        // Newest first here, oldest first there.
        for (comment, row) in ours.iter().zip(theirs.iter().rev()) {
            compare_comment(&id, comment, row, details);
        }
        let theirs = entries(&bench, &id).await;
        let ours = details.activity.as_ref().unwrap();
        assert_eq!((ours.len(), details.activity_total), (theirs.len(), None), "{id}");
        paged += usize::from(ours.len() > 50);
        for (activity, row) in ours.iter().zip(&theirs) {
            compare_activity(activity, row, details);
        }
        let keys: std::collections::BTreeSet<&Key> = ours.iter().map(|activity| &activity.key).collect();
        assert_eq!(keys.len(), ours.len(), "each entry has a key of its own");
    }
    assert!(comments > 80 && paged > 0, "{comments} {paged}");
}

fn told_owner(details: &Details, link: &Link, user: &Value) {
    let of_link = |record: &&Record| record.kind() == RecordKind::Owner && *record.key() == link.key;
    let Some(Record::Owner(owner)) = details.embedded.iter().find(of_link) else { panic!("{link:?}") };
    assert_eq!(link.name, owner.name);
    compare::same_owner(owner, user);
}

fn compare_comment(id: &str, comment: &Comment, row: &Value, details: &Details) {
    assert_eq!(comment.key, key(&*format!("{id}/comments/{}", row["id"].as_str().unwrap())));
    assert_eq!((comment.kind, comment.body.as_deref()), (CommentKind::Note, row["value"].as_str()));
    let at = compare::time(&row["created_date"]);
    assert_eq!((comment.at, comment.created_at, comment.updated_at), (at, at, None));
    told_owner(details, comment.author.as_ref().unwrap(), &row["user"]);
    assert_eq!(raw(&comment.raw), *row);
}

fn compare_activity(activity: &Activity, row: &Value, details: &Details) {
    let changes = row["changes"].as_array().unwrap();
    let of = |field: &str| changes.iter().any(|change| change["field"] == field);
    let kind = match row["is_creation"] == true {
        true => ActivityKind::Created,
        false if changes.is_empty() => ActivityKind::Commented,
        false if of("status") => ActivityKind::StatusChanged,
        false if of("severity") => ActivityKind::SeverityChanged,
        false if of("assigned_to") => ActivityKind::Assigned,
        false => ActivityKind::Updated,
    };
    assert_eq!((activity.kind, activity.at), (kind, compare::time(&row["timestamp"])));
    told_owner(details, activity.actor.as_ref().unwrap(), &row["user"]);
    assert_eq!((activity.details.as_ref(), raw(&activity.raw)), (None, row.clone()));
    assert_eq!(activity.changes.len(), changes.len());
    for (change, theirs) in activity.changes.iter().zip(changes) {
        let name = theirs["field"].as_str().unwrap_or("threat_objectives");
        assert_eq!(change.source_field.as_deref(), Some(name));
        let (field, word): (_, fn(&Value) -> Value) = match name {
            "status" => (IncidentField::Status, |word| json!(compare::status(word).name())),
            "severity" => (IncidentField::Severity, |word| json!(compare::severity(word).name())),
            "title" => (IncidentField::Title, Value::clone),
            "contained_date" => (IncidentField::ContainedAt, Value::clone),
            "assigned_to" => (IncidentField::Owners, Value::clone),
            "threat_objectives" => (IncidentField::Threats, Value::clone),
            other => panic!("{other}"),
        };
        assert_eq!(change.field, field);
        let word = |value: &Value| if value.is_null() { Value::Null } else { word(value) };
        assert_eq!((raw(&change.before), raw(&change.after)), (word(&theirs["old"]), word(&theirs["new"])));
        let set = |name: &str| {
            theirs[name].as_array().map(|all| all.iter().map(|one| one["threat_objective"].clone()).collect::<Vec<_>>())
        };
        let ours =
            |all: &Option<Vec<Text>>| all.as_ref().map(|all| all.iter().map(|word| json!(&**word)).collect::<Vec<_>>());
        assert_eq!((ours(&change.added), ours(&change.removed)), (set("added"), set("removed")));
    }
}

#[tokio::test]
async fn unknown_incidents_are_missing_and_only_what_is_asked_is_read() {
    let bench = Bench::new(20).await;
    let comments = DetailParts { activity: false, ..BOTH };
    let found =
        bench.source.details(&call("details"), &request(&["INC-00003", "INC-00099", "../x"], comments)).await.unwrap();
    assert_eq!((found.items.len(), found.failed.len()), (1, 0));
    assert!(found.items[0].1.activity.is_none() && found.items[0].1.comments.is_some());
    let mut calls = bench.calls();
    calls.sort();
    assert_eq!(calls, ["/api/v1/incidents/3/comments?", "/api/v1/incidents/99/comments?"]);
    let found = bench.source.details(&call("details"), &request(&["INC-00099"], BOTH)).await.unwrap();
    assert_eq!((found.items.len(), found.failed.len()), (0, 0));
}

#[tokio::test]
async fn a_part_that_fails_does_not_cost_the_other() {
    let bench = Bench::new(20).await;
    bench.sandbox.set_faults(vec!["503@/api/v1/incidents/3/comments".parse().unwrap()]);
    let found = bench.source.details(&call("details"), &request(&["INC-00003", "INC-00004"], BOTH)).await.unwrap();
    assert_eq!(found.items.len(), 2);
    assert!(found.items[0].1.comments.is_none() && found.items[0].1.activity.is_some());
    assert_eq!(
        found.failed.iter().map(|(id, error)| (id.to_string(), error.kind())).collect::<Vec<_>>(),
        [("INC-00003".to_owned(), SourceErrorKind::Unavailable)]
    );
    let query = r#"{ incident(by: {native: {source: "adv", id: "3"}}) { comments { nodes { body } } activity { totalCount } } }"#;
    let answer = bench.ask(query).await;
    assert_eq!(answer["data"]["incident"]["comments"], Value::Null);
    assert_eq!(answer["errors"][0]["path"], json!(["incident", "comments"]));
    assert!(answer["data"]["incident"]["activity"]["totalCount"].as_u64().unwrap() > 0);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "SOURCE_UNAVAILABLE");
}

/// The row tells how many there are; only who wants to see some has to ask, and not for those that have none.
#[tokio::test]
async fn comments_are_counted_without_asking() {
    let bench = Bench::new(80).await;
    let rows = bench.rest_rows().await;
    let some = rows.iter().filter(|row| row["comment_count"] != 0).count();
    assert!(some > 20 && some < 80);
    for (more, calls) in [("", 1), ("nodes { body }", 1 + some), ("pageInfo { hasNextPage }", 1 + some)] {
        bench.calls();
        let query = format!("{{ incidents(first: 100) {{ nodes {{ reference comments {{ totalCount {more} }} }} }} }}");
        let nodes = bench.data(&query).await["incidents"]["nodes"].take();
        assert_eq!(nodes.as_array().unwrap().len(), 80);
        for node in nodes.as_array().unwrap() {
            let row = rows.iter().find(|row| row["incident"]["id"] == node["reference"]).unwrap();
            assert_eq!(node["comments"]["totalCount"], row["comment_count"]);
            if let Some(shown) = node["comments"]["nodes"].as_array() {
                assert_eq!(shown.len() as u64, row["comment_count"].as_u64().unwrap().min(25));
            }
        }
        assert_eq!(bench.calls().len(), calls, "{more}");
    }
}

/// A server that pages wrongly: with so many pages of entries, of which it tells that.
fn miscounting(pages: u64, counters: Value, ignores_page: bool) -> std::sync::Arc<dyn Source> {
    over(move |request| {
        let page: u64 = request.url.query_pairs().find(|(name, _)| name == "page").unwrap().1.parse().unwrap();
        let page = if ignores_page { 1 } else { page };
        let entry = |index: u64| {
            let at = chrono::DateTime::from_timestamp(1_770_000_000 - (page * 100 + index) as i64, 0).unwrap();
            json!({ "changes": [], "is_creation": false, "timestamp": at.to_rfc3339(), "user": null })
        };
        let count = if page <= pages { 100 } else { 0 };
        let mut body = counters.clone();
        body["entries"] = (0..count).map(entry).collect();
        json_reply(200, &body.to_string())
    })
}

#[tokio::test]
async fn wrong_counters_of_a_history_neither_cut_nor_repeat_it() {
    let parts = DetailParts { comments: false, ..BOTH };
    for counters in [
        json!({}),
        json!({ "page": 1, "num_pages": 1, "total": 1, "page_size": 100 }),
        json!({ "page": 1, "num_pages": 99, "total": 5, "page_size": 100 }),
        json!({ "pagination": { "has_next": true } }),
        json!({ "pagination": { "has_next": false } }),
        json!({ "page": "x", "num_pages": null, "total": -1, "page_size": 0 }),
    ] {
        for (pages, ignores_page, expected) in [(3, false, 300), (3, true, 100), (0, false, 0)] {
            let source = miscounting(pages, counters.clone(), ignores_page);
            let found = source.details(&call("details"), &request(&["INC-00003"], parts)).await.unwrap();
            let details = &found.items[0].1;
            assert_eq!(details.activity.as_ref().unwrap().len(), expected, "{counters} {pages} {ignores_page}");
            assert_eq!(details.activity_total, None, "{counters}");
        }
    }
}

/// A history without an end, 100 entries a page.
fn endless(total: Value) -> std::sync::Arc<dyn Source> {
    over(move |request| {
        let query = request.url.query_pairs().find(|(name, _)| name == "page").unwrap().1;
        let page: u64 = query.parse().unwrap();
        let time = |index: u64| format!("2026-01-01T00:{:02}:{:02}Z", 59 - page % 60, index % 60);
        let entry = |index| json!({ "changes": [], "is_creation": false, "timestamp": time(index), "user": null });
        let entries: Vec<Value> = (0..100).map(entry).collect();
        let counters = json!({ "entries": entries, "num_pages": 90, "page": page, "page_size": 100, "total": total });
        json_reply(200, &counters.to_string())
    })
}

#[tokio::test]
async fn a_history_without_end_is_read_to_a_bound_and_says_so() {
    for (total, told) in [(json!(8_951), 8_951), (json!(null), 1_001)] {
        let source = endless(total);
        let parts = DetailParts { comments: false, ..BOTH };
        let found = source.details(&call("details"), &request(&["INC-00003"], parts)).await.unwrap();
        let details = &found.items[0].1;
        let activity = details.activity.as_ref().unwrap();
        assert_eq!((activity.len(), details.activity_total), (1_000, Some(told)));
        assert!(activity.is_sorted_by(|a, b| a.at >= b.at), "newest first");
    }
}

#[tokio::test]
async fn details_come_through_the_gateway() {
    let bench = Bench::new(60).await;
    let query = r#"{ incident(by: {native: {source: "adv", id: "INC-00058"}}) {
        comments(first: 100) { totalCount nodes { kind body createdAt author { name email avatarUrl kind } } }
        activity(first: 100) { totalCount nodes { kind at actor { sourceId } changes { field sourceField before after added removed } } }
    } }"#;
    let answer = bench.data(query).await;
    let comments = bench.rest("/api/v1/incidents/58/comments").await;
    let comments = comments["comments"].as_array().unwrap();
    let ours = &answer["incident"]["comments"];
    assert_eq!(ours["totalCount"], comments.len());
    for (node, row) in ours["nodes"].as_array().unwrap().iter().zip(comments.iter().rev()) {
        assert_eq!((&node["body"], &node["kind"]), (&row["value"], &json!("NOTE")));
        assert_eq!(node["author"]["email"], row["user"]["email"]);
        assert_eq!(node["author"]["name"].as_str(), compare::person(&row["user"]).as_deref());
    }
    let entries = entries(&bench, "58").await;
    let ours = &answer["incident"]["activity"];
    assert_eq!(ours["totalCount"], entries.len());
    assert!(entries.len() > 60, "{}", entries.len());
    for (node, row) in ours["nodes"].as_array().unwrap().iter().zip(&entries) {
        assert_eq!(node["actor"]["sourceId"], row["user"]["id"]);
        assert_eq!(compare::time(&node["at"]), compare::time(&row["timestamp"]));
    }
    let kinds: Vec<&Value> = ours["nodes"].as_array().unwrap().iter().map(|node| &node["kind"]).collect();
    for kind in ["CREATED", "COMMENTED"] {
        assert!(kinds.contains(&&json!(kind)), "{kind}: {kinds:?}");
    }
}
