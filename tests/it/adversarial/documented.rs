//! The documented bodies, read by the source: every member comes through.

use super::{compare, support::*};
use crate::support::call;
use incident_gateway::{domain::*, source::*};
use serde_json::Value;
use std::sync::Arc;

fn server(list: &'static str) -> Arc<dyn Source> {
    over(move |request| match request.url.path() {
        "/api/v1/incidents" => json_reply(200, &fixture(list)),
        "/api/v1/incidents/41" => json_reply(200, &fixture("get_incident_41")),
        "/api/v1/incidents/41/comments" => json_reply(200, &fixture("comments_41_partly_invented")),
        "/api/v1/incidents/41/history" => json_reply(200, &fixture("history_41")),
        "/api/v1/incidents/sources" => json_reply(200, &fixture("sources")),
        "/api/v1/users/me" => json_reply(200, &fixture("users_me")),
        _ => json_reply(404, &fixture("error_404")),
    })
}

fn parsed(name: &str) -> Value {
    serde_json::from_str(&fixture(name)).unwrap()
}

#[tokio::test]
async fn both_envelopes_hold_the_same_rows() {
    for (list, member, total, more, size) in
        [("list_incidents", "incidents", 4, false, 100), ("list_incidents_newer_envelope", "results", 4, true, 2)]
    {
        let rows = parsed(list)[member].as_array().unwrap().clone();
        let told = server(list).list(&call("list"), &page(0, size)).await.unwrap();
        assert_eq!(
            (told.items.len(), told.malformed, told.total, told.more),
            (rows.len(), 0, Some(total), more),
            "{list}"
        );
        for (row, incident) in rows.iter().zip(&told.items) {
            compare::incident(row, incident);
        }
    }
}

#[tokio::test]
async fn the_reply_to_a_change_and_to_a_creation_are_rows_too() {
    let rows = parsed("bulk_patch_response")["incidents"].as_array().unwrap().clone();
    let told = server("bulk_patch_response").list(&call("patch"), &page(0, 100)).await.unwrap();
    assert_eq!((told.items.len(), told.total, told.more), (2, None, false));
    for (row, incident) in rows.iter().zip(&told.items) {
        compare::incident(row, incident);
    }
    let flat = over(|_| json_reply(200, &fixture("create_response")));
    let found = flat.fetch(&call("flat"), &[NativeId::new("INC-00042")], RAW).await.unwrap();
    assert_eq!((found.items.len(), found.malformed), (1, 0));
    let incident = &found.items[0].1;
    assert_eq!((incident.severity, incident.created_by.is_some()), (Severity::Unknown, true));
    assert_eq!(
        serde_json::from_str::<Value>(incident.raw.as_ref().unwrap().as_str()).unwrap(),
        parsed("create_response")
    );
}

#[tokio::test]
async fn one_incident_and_its_details() {
    let source = server("list_incidents");
    let id = NativeId::new("INC-00041");
    let found = source.fetch(&call("one"), std::slice::from_ref(&id), PLAIN).await.unwrap();
    compare::incident(&parsed("get_incident_41"), &found.items[0].1);
    let parts = DetailParts { comments: true, activity: true, ..DetailParts::default() };
    let request = DetailRequest { parts, incidents: vec![id], want: PLAIN };
    let details = source.details(&call("details"), &request).await.unwrap().items.remove(0).1;
    let comments = details.comments.unwrap();
    let shown: Vec<_> =
        comments.iter().map(|c| (c.key.native.to_string(), c.author.as_ref().unwrap().name.clone())).collect();
    let (sync, ana) = (Some("siem-sync".into()), Some("Ana Ruiz".into()));
    let expected = [("118", sync.clone()), ("117", ana.clone()), ("116", sync.clone())];
    assert_eq!(shown, expected.map(|(id, name)| (format!("INC-00041/comments/{id}"), name)));
    assert_eq!(comments[1].body.as_deref(), Some("Two users clicked."));
    assert_eq!(comments[1].created_at, compare::time(&"2026-02-03T09:35:00Z".into()));
    let activity = details.activity.unwrap();
    let kinds: Vec<ActivityKind> = activity.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [ActivityKind::StatusChanged, ActivityKind::Commented, ActivityKind::Created]);
    assert_eq!(activity[0].key, key("INC-00041/history/2026-02-03T09:31:00Z"));
    let [status, severity] = &activity[0].changes[..] else { panic!("{:?}", activity[0].changes) };
    let json = |raw: &Option<RawJson>| raw.as_ref().map(|raw| raw.as_str().to_owned());
    assert_eq!(
        (status.field, json(&status.before), json(&status.after)),
        (IncidentField::Status, Some("\"NEW\"".into()), Some("\"IN_PROGRESS\"".into()))
    );
    assert_eq!(
        (severity.field, json(&severity.before), json(&severity.after)),
        (IncidentField::Severity, None, Some("\"HIGH\"".into()))
    );
    assert_eq!(details.activity_total, None);
}

#[tokio::test]
async fn the_sources_and_the_account() {
    for body in [fixture("sources"), r#"["SIEM", {"name": "EDR"}, "Employee report", "SIEM", 7]"#.to_owned()] {
        let source = over(move |_| json_reply(200, &body));
        let request =
            CatalogRequest { kind: RecordKind::Term, offset: 0, limit: 9, want: PLAIN, search: Search::parse("") };
        let rows = source.catalog(&call("sources"), &request).await.unwrap();
        let names = rows.items.iter().map(|record| match record {
            Record::Term(term) => (term.kind, &*term.name),
            other => panic!("{other:?}"),
        });
        let names: Vec<_> = names.collect();
        assert_eq!(names, ["SIEM", "EDR", "Employee report"].map(|name| (TermKind::Origin, name)));
    }
    let account = server("list_incidents").account(&call("me")).await.unwrap();
    compare::same_owner(&account, &parsed("users_me"));
}

#[tokio::test]
async fn changes_of_unknown_kinds_are_kept_as_received() {
    let entry = r#"{"entries":[
        {"changes":[{"kind":"mystery","payload":[1]},{"kind":"set","field":"tags","added":["a",{"content":"b"}],"removed":[]}],
         "is_creation":"yes","timestamp":"2026-02-03T09:31:00Z","user":"5b0f3c52-6d0c-4a94-9d3e-0a6f3f0a1c11"},
        {"changes":[{"kind":"mystery"}],"timestamp":"2026-02-03T09:31:00Z"},
        {"changes":[{"kind":"text","field":"mood","old":"a","new":1}],"timestamp":null},
        {"changes":null}
    ],"pagination":{"has_next":false}}"#;
    let source = over(move |_| json_reply(200, entry));
    let parts = DetailParts { activity: true, ..DetailParts::default() };
    let request = DetailRequest { parts, incidents: vec![NativeId::new("INC-00041")], want: PLAIN };
    let details = source.details(&call("odd"), &request).await.unwrap().items.remove(0).1;
    let activity = details.activity.unwrap();
    let kinds: Vec<ActivityKind> = activity.iter().map(|entry| entry.kind).collect();
    use ActivityKind as K;
    assert_eq!(kinds, [K::Updated, K::Other, K::Updated, K::Commented]);
    assert_eq!(activity[0].details.as_ref().unwrap().as_str(), r#"[{"kind":"mystery","payload":[1]}]"#);
    let set = &activity[0].changes[0];
    assert_eq!(
        (set.field, set.added.as_ref().map(Vec::len), set.removed.as_ref().map(Vec::len)),
        (IncidentField::Tags, Some(2), Some(0))
    );
    assert_eq!((activity[2].changes[0].field, activity[2].at), (IncidentField::Other, None));
    assert_eq!(activity[0].actor.as_ref().unwrap().key, key("5b0f3c52-6d0c-4a94-9d3e-0a6f3f0a1c11"));
    let keys: std::collections::BTreeSet<&Key> = activity.iter().map(|entry| &entry.key).collect();
    assert_eq!((keys.len(), details.malformed), (4, 1));
}
