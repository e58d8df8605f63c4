//! Bodies that no document shows: no record is lost that can be named, nothing panics, every error is typed.

use super::support::*;
use crate::support::{api, call};
use incident_gateway::{domain::*, graphql::Request, source::*};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// What may stand in the place of any value.
const ODD: [&str; 21] = [
    "null",
    "false",
    "0",
    "-1",
    "1.5",
    "1e400",
    "18446744073709551616",
    "\"\"",
    "\" \"",
    "\"\\u0000\"",
    "\"\\u202e\\ud83d\\ude00 \u{fc}\"",
    "\"Zz\"",
    "\"2026-13-45T00:00:00Z\"",
    "\"2026-02-04T23:59:60Z\"",
    "\"\\\"},{\\\"\"",
    "[]",
    "[null]",
    "[\"x\"]",
    "[[[{}]]]",
    "{}",
    "{\"a\":{\"b\":[1]}}",
];

const USER: &str = r#"{"id":"c2a6a0ce-8c53-4a0a-8a55-2d7e0f6f9b42","email":"ada@example.org","first_name":"Ada",
    "last_name":"L","icon":null}"#;

const CORE: [(&str, &str); 14] = [
    ("title", "\"Title\""),
    ("description", "\"Text\""),
    ("status", "\"In Progress\""),
    ("severity", "\"SEV-2\""),
    ("severity_reasoning", "\"Because\""),
    ("source", "\"SIEM\""),
    ("created_date", "\"2026-02-01T00:00:00Z\""),
    ("updated_date", "\"2026-02-02T00:00:00.123Z\""),
    ("detected_date", "\"2026-02-03T00:00:00+01:00\""),
    ("occurred_date", "\"2026-02-04T00:00:00Z\""),
    ("responded_date", "\"2026-02-05T00:00:00Z\""),
    ("contained_date", "\"2026-02-06T00:00:00Z\""),
    ("assigned_to", USER),
    ("opened_by", USER),
];

const ROW: [(&str, &str); 4] = [
    ("comment_count", "3"),
    ("risk_associations", "[\"RSK-00001\"]"),
    ("tags", "[{\"id\":\"t-1\",\"content\":\"tag\",\"creator_id\":\"u-1\",\"org_id\":\"o-1\"}]"),
    ("threat_objectives", "[{\"threat_objective\":\"Fraud\",\"relevance\":\"Primary\",\"created_date\":null}]"),
];

fn members(all: &[(&str, &str)], member: &str, value: Option<&str>) -> String {
    let mut text = String::new();
    for (name, sound) in all {
        let value = if *name == member { value } else { Some(*sound) };
        text.extend(value.map(|value| format!(",\"{name}\":{value}")));
    }
    text
}

/// A row with the value of one member exchanged, or without the member.
fn row(id: &str, member: &str, value: Option<&str>) -> String {
    let (core, outer) = (members(&CORE, member, value), members(&ROW, member, value));
    format!("{{\"incident\":{{\"id\":{id}{core}}}{outer}}}")
}

fn list(rows: &[String]) -> String {
    let counters = format!("\"num_pages\":1,\"page\":1,\"page_size\":100,\"total\":{}", rows.len());
    format!("{{\"incidents\":[{}],{counters}}}", rows.join(","))
}

async fn read(body: String) -> Rows<Arc<Incident>> {
    let source = over(move |_| json_reply(200, &body));
    source.list(&call("odd"), &ListRequest { want: RAW, ..page(0, 100) }).await.unwrap()
}

fn ids(rows: &Rows<Arc<Incident>>) -> Vec<String> {
    rows.items.iter().map(|incident| incident.key.native.to_string()).collect()
}

/// The members that a row tells, each as text.
fn shown(incident: &Incident) -> Vec<(&'static str, String)> {
    vec![
        ("title", format!("{:?}", incident.title)),
        ("description", format!("{:?}", incident.description)),
        ("status", format!("{:?} {:?}", incident.status, incident.source_status)),
        ("severity", format!("{:?} {:?}", incident.severity, incident.source_severity)),
        ("severity_reasoning", format!("{:?}", incident.severity_reasoning)),
        ("source", format!("{:?}", incident.origins)),
        ("created_date", format!("{:?}", incident.created_at)),
        ("updated_date", format!("{:?}", incident.updated_at)),
        ("detected_date", format!("{:?}", incident.detected_at)),
        ("occurred_date", format!("{:?}", incident.occurred_at)),
        ("responded_date", format!("{:?}", incident.responded_at)),
        ("contained_date", format!("{:?}", incident.contained_at)),
        ("assigned_to", format!("{:?}", incident.owners)),
        ("opened_by", format!("{:?}", incident.created_by)),
        ("comment_count", format!("{:?}", incident.comment_count)),
        ("risk_associations", format!("{:?}", incident.related_records)),
        ("tags", format!("{:?}", incident.tags)),
        ("threat_objectives", format!("{:?}", incident.threats)),
    ]
}

#[tokio::test]
async fn an_odd_member_costs_itself_at_most() {
    let sound = read(list(&[row("7", "", None)])).await;
    let expected = shown(&sound.items[0]);
    assert!(expected.iter().all(|(_, value)| value != "None" && value != "[]"), "{expected:?}");
    for (member, _) in CORE.iter().chain(&ROW) {
        for value in ODD.map(Some).into_iter().chain([None]) {
            let body = list(&[row("6", "", None), row("7", member, value), row("\"INC-00008\"", "", None)]);
            let rows = read(body).await;
            assert_eq!(ids(&rows), ["INC-00006", "INC-00007", "INC-00008"], "{member} {value:?}");
            assert!(rows.malformed <= 1, "{member} {value:?}");
            let odd = shown(&rows.items[1]);
            for (odd, sound) in odd.iter().zip(&expected).filter(|(odd, _)| odd.0 != *member) {
                assert_eq!(odd, sound, "{member} {value:?}");
            }
            assert_eq!(rows.items[1].raw.as_ref().unwrap().as_str(), row("7", member, value));
        }
    }
}

/// Whoever did something is shown as far as they can be read.
#[tokio::test]
async fn a_person_who_is_broken_in_part_is_shown_as_far_as_told() {
    for (user, id, name, email) in [
        (USER, "c2a6a0ce-8c53-4a0a-8a55-2d7e0f6f9b42", Some("Ada L"), Some("ada@example.org")),
        (r#"{"id":"u-1","email":5,"first_name":"Ada","last_name":["x"],"icon":{}}"#, "u-1", Some("Ada"), None),
        (
            r#"{"id":{"x":1},"email":"ada@example.org"}"#,
            "ada@example.org",
            Some("ada@example.org"),
            Some("ada@example.org"),
        ),
        (r#"{"id":"","first_name":"Ada","last_name":" "}"#, "Ada", Some("Ada"), None),
        (r#"{"id":18446744073709551616}"#, "18446744073709551616", None, None),
        ("\"u-2\"", "u-2", None, None),
        ("41", "41", None, None),
    ] {
        let rows = read(list(&[row("7", "assigned_to", Some(user))])).await;
        let incident = &rows.items[0];
        let link = incident.owners.first().unwrap_or_else(|| panic!("{user}"));
        assert_eq!((link.key.native.to_string(), link.name.as_deref()), (id.to_owned(), name), "{user}");
        let told = incident.embedded.iter().find_map(|record| match record {
            Record::Owner(owner) if owner.key == link.key => Some(owner),
            _ => None,
        });
        // The one who opened it has the same id where that is told in full; it is embedded once.
        assert_eq!(told.unwrap().profile.email.as_deref(), email, "{user}");
    }
    for nobody in ["null", "{}", "\"\"", "{\"id\":null,\"email\":\" \"}"] {
        assert!(read(list(&[row("7", "assigned_to", Some(nobody))])).await.items[0].unassigned(), "{nobody}");
    }
    let body = r#"{"comments":[{"id":1,"user":{"id":"u-1","email":[]},"value":"a"}]}"#;
    let source = over(move |_| json_reply(200, body));
    let parts = DetailParts { comments: true, ..DetailParts::default() };
    let request = DetailRequest { parts, incidents: vec![NativeId::new("INC-00007")], want: PLAIN };
    let found = source.details(&call("odd"), &request).await.unwrap();
    let comments = found.items[0].1.comments.clone().unwrap();
    assert_eq!(comments[0].author.as_ref().unwrap().key, key("u-1"));
    assert_eq!(found.malformed, 1);
}

/// Whichever way an id is written, it is the same incident; its digits are kept, and lead back to it.
#[tokio::test]
async fn ids_are_one_in_every_form_and_keep_their_digits() {
    for (id, native, path) in [
        ("41", "INC-00041", "/api/v1/incidents/41"),
        ("\"41\"", "INC-00041", "/api/v1/incidents/41"),
        ("41.0", "INC-00041", "/api/v1/incidents/41"),
        ("\"INC-41\"", "INC-00041", "/api/v1/incidents/41"),
        ("\"inc-00041\"", "INC-00041", "/api/v1/incidents/41"),
        ("\" INC-00041 \"", "INC-00041", "/api/v1/incidents/41"),
        ("\"INC-100000\"", "INC-100000", "/api/v1/incidents/100000"),
        ("18446744073709551616", "INC-18446744073709551616", "/api/v1/incidents/18446744073709551616"),
        ("\"INC-18446744073709551617\"", "INC-18446744073709551617", "/api/v1/incidents/18446744073709551617"),
        ("\"SOC-7\"", "SOC-7", "/api/v1/incidents/SOC-7"),
    ] {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, body, one) = (asked.clone(), list(&[row(id, "", None)]), row(id, "", None));
        let source = over(move |request| {
            let path = request.url.path().to_owned();
            let body = match path.as_str() {
                "/api/v1/incidents" => body.clone(),
                path if path.ends_with("/comments") => r#"{"comments":[{"id":1,"value":"c"}]}"#.to_owned(),
                _ => one.clone(),
            };
            log.lock().unwrap().push(path);
            json_reply(200, &body)
        });
        let query = "{ incidents { nodes { id sourceId reference comments { nodes { body } } } } }";
        let request = Request { query: query.into(), ..Request::default() };
        let answer = api(vec![source.clone()]).execute(request, &call("odd")).await;
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        let node = &answer["data"]["incidents"]["nodes"][0];
        assert_eq!((&node["sourceId"], &node["reference"]), (&json!(native), &json!(native)), "{id}");
        assert_eq!(node["comments"]["nodes"][0]["body"], "c", "{id}");
        assert_eq!(asked.lock().unwrap().last().unwrap(), &format!("{path}/comments"), "{id}");
        let found = source.fetch(&call("odd"), &[NativeId::new(native)], PLAIN).await.unwrap();
        assert_eq!(found.items.len(), 1, "{id}");
        assert_eq!(asked.lock().unwrap().last().unwrap(), path, "{id}");
    }
    for id in ["null", "\"\"", "\" \"", "true", "[41]", "{}"] {
        let rows = read(list(&[row(id, "", None), row("7", "", None)])).await;
        assert_eq!((ids(&rows), rows.malformed, rows.consumed), (vec!["INC-00007".to_owned()], 1, 2), "{id}");
    }
}

#[tokio::test]
async fn what_stands_twice_in_a_row_or_a_list_is_there_once() {
    let tag = |id: &str, content: &str| format!(r#"{{"id":{id},"content":"{content}","creator_id":" ","org_id":""}}"#);
    let tags = format!("[{},{},{},{}]", tag("5", "a"), tag("\"5\"", "a"), tag("6", "b"), tag("\"\"", "c"));
    let rows = read(list(&[row("7", "tags", Some(&tags))])).await;
    let names: Vec<&str> = rows.items[0].tags.iter().map(|link| link.name.as_deref().unwrap()).collect();
    assert_eq!((names, rows.malformed), (vec!["a", "b"], 1));
    for record in &rows.items[0].embedded {
        if let Record::Tag(tag) = record {
            assert!(tag.created_by.is_none() && tag.scope.is_none(), "a blank names nobody");
        }
    }
    let fraud = |relevance: &str| format!(r#"{{"threat_objective":"Fraud","relevance":{relevance}}}"#);
    let objectives = format!("[{},{},{}]", fraud("\"Primary\""), fraud("\"Primary\""), fraud("null"));
    let rows = read(list(&[row("7", "threat_objectives", Some(&objectives))])).await;
    assert_eq!(rows.items[0].threats.len(), 2);
    let rows = read(list(&[row("7", "risk_associations", Some(r#"["RSK-00001","RSK-00001",""," ",2]"#))])).await;
    assert_eq!(rows.items[0].related_records.len(), 2);
    let body = list(&[row("7", "", None), row("\"INC-7\"", "", None), row("8", "", None)]);
    let request = Request { query: "{ incidents { totalCount nodes { sourceId } } }".into(), ..Request::default() };
    let answer = api(vec![over(move |_| json_reply(200, &body))]).execute(request, &call("odd")).await;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(answer["data"]["incidents"]["nodes"].as_array().unwrap().len(), 2, "{answer}");
}

#[tokio::test]
async fn a_list_of_another_shape_is_rows_or_a_typed_error() {
    let one = row("7", "", None);
    for body in [
        format!("[{one}]"),
        format!("{{\"incidents\":[{one}]}}"),
        format!("{{\"results\":[{one}]}}"),
        format!("{{\"results\":[{one}],\"pagination\":null}}"),
        format!("{{\"results\":[{one}],\"pagination\":{{\"has_next\":null,\"total\":\"1\"}}}}"),
        format!("{{\"incidents\":null,\"results\":[{one}],\"pagination\":{{\"has_next\":false}}}}"),
        format!("{{\"incidents\":[{one}],\"num_pages\":\"1\",\"page\":1.0,\"page_size\":\"x\",\"total\":{{}}}}"),
    ] {
        let rows = read(body.clone()).await;
        assert_eq!((ids(&rows), rows.more, rows.malformed), (vec!["INC-00007".to_owned()], false, 0), "{body}");
    }
    for body in ["[]", "{\"incidents\":null}", "{\"results\":[],\"pagination\":{\"has_next\":true}}"] {
        let rows = read(body.to_owned()).await;
        assert_eq!((rows.items.len(), rows.more, rows.consumed), (0, false, 0), "{body}");
    }
    for body in
        ["null", "{}", "7", "\"x\"", "{\"incidents\":{}}", "{\"incidents\":7}", "{\"incidents\":[{]}", "{\"rows\":[]}"]
    {
        let source = over(move |_| json_reply(200, body));
        let error = source.list(&call("odd"), &page(0, 10)).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Malformed, "{body}");
    }
}

/// Numbers beyond 64 bits and texts of any kind pass through a history as they are.
#[tokio::test]
async fn odd_changes_are_kept_as_received() {
    let entry = |changes: &str| {
        format!(r#"{{"changes":{changes},"is_creation":false,"timestamp":"2026-02-01T00:00:00Z","user":null}}"#)
    };
    let read = async |changes: &str| {
        let body = format!(r#"{{"entries":[{}],"num_pages":1,"page":1}}"#, entry(changes));
        let source = over(move |_| json_reply(200, &body));
        let parts = DetailParts { activity: true, ..DetailParts::default() };
        let request = DetailRequest { parts, incidents: vec![NativeId::new("INC-00007")], want: PLAIN };
        let found = source.details(&call("odd"), &request).await.unwrap();
        found.items[0].1.activity.as_ref().unwrap()[0].clone()
    };
    let huge = read(r#"[{"kind":"number","field":"budget","old":18446744073709551617,"new":1e400}]"#).await;
    let change = &huge.changes[0];
    assert_eq!(change.before.as_ref().unwrap().as_str(), "18446744073709551617");
    assert_eq!(change.after.as_ref().unwrap().as_str(), "1e400");
    assert_eq!((change.field, change.source_field.as_deref()), (IncidentField::Other, Some("budget")));
    let unread = read(r#"[{"kind":"moved","big":18446744073709551617},7,null,["x"]]"#).await;
    assert_eq!(
        unread.details.as_ref().unwrap().as_str(),
        r#"[{"kind":"moved","big":18446744073709551617},7,null,["x"]]"#
    );
    assert_eq!((unread.kind, unread.changes.len()), (ActivityKind::Other, 0));
    let status = read(r#"[{"kind":"text","field":"status","old":"New","new":"Parked"}]"#).await;
    assert_eq!(status.kind, ActivityKind::StatusChanged);
    assert_eq!(status.changes[0].before.as_ref().unwrap().as_str(), "\"NEW\"");
    assert_eq!(status.changes[0].after.as_ref().unwrap().as_str(), "\"Parked\"");
    for changes in ODD {
        read(changes).await;
        read(&format!("[{{\"kind\":{changes},\"field\":{changes},\"old\":{changes},\"added\":{changes}}}]")).await;
    }
}

#[tokio::test]
async fn a_comment_that_comes_twice_is_shown_once() {
    let body =
        r#"{"comments":[{"id":1,"value":"a"},{"id":"1","value":"a"},{"id":"","value":"b"},{"id":null,"value":"c"}]}"#;
    let source = over(move |_| json_reply(200, body));
    let parts = DetailParts { comments: true, ..DetailParts::default() };
    let request = DetailRequest { parts, incidents: vec![NativeId::new("INC-00007")], want: PLAIN };
    let found = source.details(&call("odd"), &request).await.unwrap();
    let bodies: Vec<_> = found.items[0].1.comments.as_ref().unwrap().iter().map(|c| c.body.clone().unwrap()).collect();
    assert_eq!(bodies.concat(), "abc");
}
