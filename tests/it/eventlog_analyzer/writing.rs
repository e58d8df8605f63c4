//! The sandbox's writes, as far as they are documented: the gateway does not write yet, but what it reads must be what a
//! real server would hold afterwards.

use super::support::*;
use incident_gateway::{domain::*, upstream::Method};
use serde_json::{Value, json};

async fn send(bench: &Bench, method: Method, body: Value) -> (u16, Value) {
    bench.ask(method, "/api/v2/incident", bench.sandbox.token(), body).await
}

#[tokio::test]
async fn what_was_written_is_read_and_what_was_deleted_is_gone() {
    let bench = Bench::new(10).await;
    let uuid = "dd34449f-47ae-433b-94b9-7bfddba1ab0c_objectidcustom_logs";
    let body = json!({ "name": "test", "description": "test description", "severity": "trouble", "status": "open",
        "assignee": -1, "due_date": "2027-10-03 10:30:00", "notes": ["adding a test note"], "evidence": [uuid],
        "source": "report" });
    let (status, answer) = send(&bench, Method::Post, body.clone()).await;
    assert_eq!((status, &answer["data"]["message"]), (200, &"Incident has been created successfully.".into()));
    let id = answer["data"]["incident_id"].as_i64().unwrap();
    let (status, answer) = send(&bench, Method::Post, body).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &"07001110".into()), "names are unique");

    let all = bench.walk(Vec::new(), 100).await;
    let made = &all[0];
    assert_eq!((made.key.clone(), made.title.as_deref()), (key(&*id.to_string()), Some("test")));
    assert_eq!(made.due_at.unwrap().to_rfc3339(), "2027-10-03T08:30:00+00:00");
    let body = json!({ "incident_id": id, "name": "test", "status": "in_progress", "assignee": 302,
        "due_date": "2027-10-03T10:30:00+05:30", "notes": ["taking this"], "evidence": [], "source": "" });
    let (status, answer) = send(&bench, Method::Put, body).await;
    assert_eq!((status, &answer["data"]["message"]), (200, &"Incident has been updated successfully.".into()));

    let changed = &bench.walk(Vec::new(), 100).await[0];
    assert_eq!((changed.status, changed.owners[0].key.clone()), (IncidentStatus::InProgress, key("302")));
    assert_eq!(changed.due_at.unwrap().to_rfc3339(), "2027-10-03T05:00:00+00:00");
    assert_eq!((changed.severity, changed.description.as_deref()), (Severity::High, Some("test description")));
    let found =
        bench.source.details(&call(), &of(std::slice::from_ref(&changed.key.native), ALL_PARTS, PLAIN)).await.unwrap();
    let details = &found.items[0].1;
    let bodies: Vec<_> = details.comments.as_ref().unwrap().iter().map(|note| note.body.as_deref().unwrap()).collect();
    assert_eq!(bodies, ["taking this", "adding a test note"]);
    let link = &details.evidence.as_ref().unwrap()[0];
    assert_eq!((link.evidence.key.clone(), link.obtained_from), (key(uuid), Some(EvidenceOrigin::Report)));
    assert_eq!(details.activity.as_ref().unwrap().last().unwrap().kind, ActivityKind::Created);

    let (status, answer) = send(&bench, Method::Delete, json!({ "incident_ids": [id] })).await;
    assert_eq!((status, &answer["data"]["message"]), (200, &"Incident has been deleted successfully.".into()));
    assert_eq!(bench.walk(Vec::new(), 100).await.len(), 10);
}

#[tokio::test]
async fn what_is_not_documented_is_refused_and_changes_nothing() {
    let bench = Bench::new(10).await;
    let before = bench.rows("").await;
    let id = before[0]["incident_id"].as_i64().unwrap();
    let wrong = [
        (Method::Post, json!({})),
        (Method::Post, json!({ "name": " " })),
        (Method::Post, json!({ "name": "x", "severity": "Critical" })),
        (Method::Post, json!({ "name": "x", "severity": "high" })),
        (Method::Post, json!({ "name": "x", "status": "resolved" })),
        (Method::Post, json!({ "name": "x", "assignee": 77 })),
        (Method::Post, json!({ "name": "x", "assignee": "302" })),
        (Method::Post, json!({ "name": "x", "due_date": "tomorrow" })),
        (Method::Post, json!({ "name": "x", "due_date": "1969-12-31T00:00:00Z" })),
        (Method::Post, json!({ "name": "x", "evidence": ["no uuid"], "source": "report" })),
        (
            Method::Post,
            json!({ "name": "x", "evidence": ["dd34449f-47ae-433b-94b9-7bfddba1ab0c_objectidcustom_logs"] }),
        ),
        (Method::Post, json!({ "name": "x", "source": "mail" })),
        (Method::Post, json!({ "name": "x", "tags": [] })),
        (Method::Post, json!({ "name": "x", "incident_id": 1 })),
        (Method::Post, json!({ "name": before[0]["incident_name"] })),
        (Method::Put, json!({ "incident_id": id })),
        (Method::Put, json!({ "name": "x" })),
        (Method::Put, json!({ "incident_id": 77, "name": "x" })),
        (Method::Put, json!({ "incident_id": id, "name": before[1]["incident_name"] })),
        (Method::Delete, json!({ "incident_ids": [] })),
        (Method::Delete, json!({ "incident_ids": [id, 77] })),
        (Method::Delete, json!({ "incident_ids": (0..101).collect::<Vec<_>>() })),
    ];
    for (method, body) in wrong {
        let (status, answer) = send(&bench, method, body.clone()).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &"07001110".into()), "{body}");
    }
    for query in [
        "limit=101",
        "limit=0",
        "from=x",
        "severity=Critical",
        "order=name",
        "status=open&status=closed",
        "response_type=utc",
    ] {
        let path = format!("/api/v2/incident?{query}");
        assert_eq!(bench.ask(Method::Get, &path, bench.sandbox.token(), Value::Null).await.0, 400, "{query}");
    }
    assert_eq!(bench.rows("").await, before);
}

#[tokio::test]
async fn each_call_needs_its_scope_and_a_token() {
    let bench = Bench::new(10).await;
    let id = bench.rows("").await[0]["incident_id"].clone();
    let calls = [
        (Method::Get, "/api/v2/incident".to_owned(), "incident.READ", Value::Null),
        (Method::Get, format!("/api/v2/incident/{id}"), "incident.READ", Value::Null),
        (Method::Get, "/api/v2/meta/users".to_owned(), "users.READ", Value::Null),
        (Method::Post, "/api/v2/incident".to_owned(), "incident.CREATE", json!({ "name": "scoped" })),
        (Method::Put, "/api/v2/incident".to_owned(), "incidents.update", json!({ "incident_id": id, "name": "other" })),
        (Method::Delete, "/api/v2/incident".to_owned(), "incident.DELETE", json!({ "incident_ids": [id] })),
    ];
    let token = bench.sandbox.token();
    for (method, path, scope, body) in calls {
        for wrong in [String::new(), "x".to_owned(), format!("{token}:incidents.READ"), format!("x:{scope}")] {
            let (status, answer) = bench.ask(method, &path, &wrong, body.clone()).await;
            assert_eq!((status, &answer["code"]), (401, &"07001113".into()), "{scope}");
        }
        let (status, answer) = bench.ask(method, &path, &format!("{token}:{scope}"), body).await;
        assert_eq!(status, 200, "{scope}: {answer}");
    }
}
