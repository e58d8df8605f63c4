//! Bodies that no document shows: no record is lost that can be named, nothing panics, every error is typed.

use super::support::*;
use crate::support::api;
use incident_gateway::{domain::*, graphql::Request, source::*};
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// What may stand in the place of any value.
const ODD: [&str; 22] = [
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "1e400",
    "18446744073709551616",
    "-99999999999999999999999",
    "\"\"",
    "\" \"",
    "\"\\u0000\"",
    "\"\\u202e\\ud83d\\ude00 \u{fc}\"",
    "\"Zz\"",
    "\"2025-13-45 99:99:99\"",
    "\"0000-00-00 00:00:00\"",
    "\"2025-10-26 02:30:00\"",
    "\"\\\"},{\\\"\"",
    "[]",
    "[null]",
    "[[[{}]]]",
    "{}",
    "{\"a\":{\"b\":[1]}}",
];

const MEMBERS: [(&str, &str); 8] = [
    ("incident_name", "\"Name\""),
    ("incident_description", "\"Text\""),
    ("severity", "\"Trouble\""),
    ("status", "\"In Progress\""),
    ("created_time", "\"2025-03-31 16:12:10\""),
    ("due_date", "\"2025-04-02 00:00:00\""),
    ("assign_to", "302"),
    ("created_by", "\"admin\""),
];

/// A row with the value of one member exchanged, or without the member.
fn row(id: &str, member: &str, value: Option<&str>) -> String {
    let mut text = format!("{{\"incident_id\":{id}");
    for (name, sound) in MEMBERS {
        let value = if name == member { value } else { Some(sound) };
        text.extend(value.map(|value| format!(",\"{name}\":{value}")));
    }
    text + "}"
}

fn list(rows: &[String]) -> String {
    format!(
        "{{\"data\":[{}],\"meta\":{{\"per_page\":100,\"total_pages\":1,\"total_items\":{}}}}}",
        rows.join(","),
        rows.len()
    )
}

async fn read(body: String) -> Rows<Arc<Incident>> {
    told(body).list(&call(), &ListRequest { want: RAW, ..page(0, 100) }).await.unwrap()
}

/// The members that a row tells, each as text.
fn shown(incident: &Incident) -> Vec<(&'static str, String)> {
    let text = |text: &Option<Text>| format!("{text:?}");
    vec![
        ("incident_name", text(&incident.title)),
        ("incident_description", text(&incident.description)),
        ("severity", format!("{:?} {:?}", incident.severity, incident.source_severity)),
        ("status", format!("{:?} {:?}", incident.status, incident.source_status)),
        ("created_time", format!("{:?}", incident.created_at)),
        ("due_date", format!("{:?}", incident.due_at)),
        ("assign_to", format!("{:?}", incident.owners)),
        ("created_by", format!("{:?}", incident.created_by)),
    ]
}

#[tokio::test]
async fn an_odd_member_costs_itself_at_most() {
    let sound = read(list(&[row("7", "", None)])).await;
    let expected = shown(&sound.items[0]);
    assert!(expected.iter().all(|(_, value)| value != "None" && value != "[]"), "{expected:?}");
    for (member, _) in MEMBERS {
        for value in ODD.map(Some).into_iter().chain([None]) {
            let rows = read(list(&[row("6", "", None), row("7", member, value), row("8", "", None)])).await;
            assert_eq!(ids(&rows.items), ["6", "7", "8"], "{member} {value:?}");
            assert!(rows.malformed <= 1, "{member} {value:?}");
            let odd = shown(&rows.items[1]);
            for (odd, sound) in odd.iter().zip(&expected).filter(|(odd, _)| odd.0 != member) {
                assert_eq!(odd, sound, "{member} {value:?}");
            }
            // As received, whatever it was.
            let raw = rows.items[1].raw.as_ref().unwrap().as_str();
            assert_eq!(raw, row("7", member, value));
        }
    }
}

#[tokio::test]
async fn new_words_are_kept_beside_what_they_mean_here() {
    let rows = read(list(&[
        row("1", "severity", Some("\"Apocalyptic \u{2623}\"")),
        row("2", "status", Some("\"IN-PROGRESS\"")),
        row("3", "status", Some("\"Awaiting vendor\"")),
    ]))
    .await;
    let [severe, progress, waiting] = &rows.items[..] else { panic!() };
    assert_eq!((severe.severity, severe.source_severity.as_deref()), (Severity::Unknown, Some("Apocalyptic \u{2623}")));
    assert_eq!((progress.status, progress.source_status.as_deref()), (IncidentStatus::InProgress, Some("IN-PROGRESS")));
    assert_eq!((waiting.status, waiting.source_status.as_deref()), (IncidentStatus::Other, Some("Awaiting vendor")));
    assert_eq!(rows.malformed, 0, "a new word is nothing broken");
}

/// The digits of an id are the incident: none may be lost, and what names nothing is no incident.
#[tokio::test]
async fn ids_keep_their_digits_and_a_blank_names_nothing() {
    let sent = [
        "3000000438278",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551617",
        "300000000000000000000000000000000001",
        "3.000000438279E12",
        "\"3000000438280\"",
        "\"INC-12\"",
        "0",
    ];
    let broken = ["\"\"", "\"  \"", "null", "true", "[7]", "{\"id\":7}"];
    let rows: Vec<String> = sent.iter().chain(&broken).map(|id| row(id, "", None)).collect();
    let expected = sent.map(|id| id.trim_matches('"').replace("3.000000438279E12", "3000000438279"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, body) = (asked.clone(), list(&rows));
    let source = over(
        |config| config.read_users = false,
        move |url| match url.strip_prefix("/api/v2/incident/") {
            Some(rest) => {
                log.lock().unwrap().push(rest.split('?').next().unwrap().to_owned());
                json(200, r#"{"data":{"notes":[{"note":"n"}]}}"#)
            }
            None => json(200, body.clone()),
        },
    );
    let rows = source.list(&call(), &page(0, 100)).await.unwrap();
    assert_eq!(ids(&rows.items), expected);
    assert_eq!((rows.malformed as usize, rows.consumed), (broken.len(), sent.len() + broken.len()));
    // Up to the client, and back down to the path of the detail.
    let query = "{ incidents(first: 100) { nodes { sourceId reference comments { nodes { body } } } } }";
    let request = Request { query: query.into(), ..Request::default() };
    let answer = api(vec![source]).execute(request, &crate::support::call("r")).await;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(answer.get("errors"), None, "{answer}");
    let nodes = answer["data"]["incidents"]["nodes"].as_array().unwrap();
    let mut shown: Vec<String> = nodes.iter().map(|node| node["sourceId"].as_str().unwrap().to_owned()).collect();
    assert!(
        nodes.iter().all(|node| node["comments"]["nodes"][0]["body"] == "n" && node["reference"] == node["sourceId"])
    );
    let mut asked = asked.lock().unwrap().clone();
    let mut expected = expected.to_vec();
    [&mut shown, &mut asked, &mut expected].into_iter().for_each(|all| all.sort());
    assert_eq!(shown, expected);
    assert_eq!(asked, expected);
}

/// Whoever is assigned is shown, however odd the id.
#[tokio::test]
async fn an_assignee_is_never_lost() {
    for (value, native, name) in [
        ("302", "302", Some("kiran.p")),
        ("\"302\"", "302", Some("kiran.p")),
        ("3.02e2", "302", Some("kiran.p")),
        ("77777777777777777777777", "77777777777777777777777", None),
        ("9001", "9001", None),
        ("\"some.body\"", "some.body", Some("some.body")),
    ] {
        let body = list(&[row("7", "assign_to", Some(value))]);
        let users = r#"{"data":[{"user_id":302,"user_name":"kiran.p"},{"user_id":""},{"user_name":"none"}]}"#;
        let source =
            over(|_| {}, move |url| json(200, if url.contains("users") { users.to_owned() } else { body.clone() }));
        let request =
            Request { query: "{ incidents { nodes { owners { sourceId name } } } }".into(), ..Request::default() };
        let answer = api(vec![source]).execute(request, &crate::support::call("r")).await;
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        let expected = serde_json::json!([{ "sourceId": native, "name": name }]);
        assert_eq!(answer["data"]["incidents"]["nodes"][0]["owners"], expected, "{value}: {answer}");
    }
    for nobody in ["-1", "\"-1\"", "-1.0", "null", "\"\"", "\" \""] {
        let rows = read(list(&[row("7", "assign_to", Some(nobody))])).await;
        assert!(rows.items[0].unassigned(), "{nobody}");
    }
}

#[tokio::test]
async fn a_list_of_another_shape_is_rows_or_a_typed_error() {
    let one = row("7", "", None);
    for body in [
        format!("{{\"data\":[{one}]}}"),
        format!("{{\"data\":[{one}],\"meta\":null}}"),
        format!("{{\"data\":[{one}],\"meta\":[]}}"),
        format!("{{\"data\":[{one}],\"meta\":{{\"total_items\":\"1\",\"per_page\":1e2,\"total_pages\":{{}}}}}}"),
        format!(" \n{{\"new\":[1],\"data\":[{one}],\"meta\":{{\"total_items\":1.0}}}}\n"),
        format!("{{\"data\":[],\"data\":[{one}]}}"),
        format!("{{\"data\":[{one}],\"error\":null}}"),
    ] {
        let rows = read(body.clone()).await;
        assert_eq!((ids(&rows.items), rows.more, rows.malformed), (vec!["7".to_owned()], false, 0), "{body}");
    }
    for body in ["{\"data\":null}", "{\"data\":[]}", "{\"data\":[],\"meta\":{\"total_items\":9,\"total_pages\":3}}"] {
        let rows = read(body.to_owned()).await;
        assert_eq!((rows.items.len(), rows.more, rows.consumed), (0, false, 0), "{body}");
    }
    for body in [
        "null",
        "[]",
        "{}",
        "7",
        "\"x\"",
        "{\"data\":{}}",
        "{\"data\":7}",
        "{\"meta\":{}}",
        "{\"data\":[{]}",
        "\u{feff}{}",
    ] {
        let error = told(body).list(&call(), &page(0, 10)).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Malformed, "{body}");
    }
}

/// Both shapes of a refusal, with whatever status, and what only looks like one.
#[tokio::test]
async fn refusals_are_told_by_their_code_in_either_shape() {
    use SourceErrorKind::{Malformed, RateLimited, Rejected, Unauthenticated, Unavailable};
    for (code, kind) in [("07001113", Unauthenticated), ("07001110", Rejected), ("09999999", Rejected)] {
        let bare = format!(r#"{{"code":"{code}","title":"t","detail":"SECRET"}}"#);
        let wrapped = format!(r#"{{"error":{bare}}}"#);
        for (status, body) in [(200, &bare), (200, &wrapped), (400, &bare), (400, &wrapped)] {
            let body = body.clone();
            let source = over(|_| {}, move |_| json(status, body.clone()));
            let error = source.list(&call(), &page(0, 10)).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{status} {code}");
            assert!(!error.public().contains("SECRET"));
        }
        for (status, kind) in [(429, RateLimited), (500, Unavailable), (503, Unavailable)] {
            let body = wrapped.clone();
            let source = over(|_| {}, move |_| json(status, body.clone()));
            assert_eq!(source.list(&call(), &page(0, 10)).await.unwrap_err().kind(), kind, "{status} {code}");
        }
    }
    for body in
        [r#"{"error":null}"#, r#"{"error":"x"}"#, r#"{"error":{}}"#, r#"{"error":{"code":{}}}"#, r#"{"code":null}"#]
    {
        assert_eq!(told(body).list(&call(), &page(0, 10)).await.unwrap_err().kind(), Malformed, "{body}");
        let source = over(|_| {}, move |_| json(400, body));
        assert_eq!(source.list(&call(), &page(0, 10)).await.unwrap_err().kind(), Rejected, "{body}");
    }
}

#[tokio::test]
async fn an_odd_part_of_a_detail_costs_no_other_part() {
    let sound = [
        ("actors", r#"[{"entity":["a"]},{"suspect":["b"]}]"#),
        ("notes", r#"[{"note":"n","added_by":"u","time":"2025-03-31 16:12:17"}]"#),
        ("evidence", r#"[{"incident_uuid":"u_1","type_of_evidence":"LOG","eventid":1}]"#),
        ("activity", r#"[{"activity":"Incident Created","description":"d","time":"2025-03-31 16:12:10"}]"#),
    ];
    let read = async |member: &str, value: Option<&str>| {
        let parts = sound.iter().filter_map(|(name, sound)| {
            let value = if *name == member { value? } else { sound };
            Some(format!("\"{name}\":{value}"))
        });
        let body = format!("{{\"data\":{{{}}}}}", parts.collect::<Vec<_>>().join(","));
        let mut found = told(body).details(&call(), &of(&[NativeId::new("7")], ALL_PARTS, RAW)).await.unwrap();
        found.items.remove(0).1
    };
    let counts = |details: &Details| {
        [
            ("actors", details.assets.as_ref().unwrap().len()),
            ("notes", details.comments.as_ref().unwrap().len()),
            ("evidence", details.evidence.as_ref().unwrap().len()),
            ("activity", details.activity.as_ref().unwrap().len()),
        ]
    };
    assert_eq!(counts(&read("", None).await).map(|(_, count)| count), [2, 1, 1, 1]);
    for (member, _) in sound {
        for value in ODD.map(Some).into_iter().chain([None]) {
            let details = read(member, value).await;
            let others = counts(&details).into_iter().filter(|(name, _)| *name != member);
            assert!(
                others.into_iter().all(|(name, count)| count == if name == "actors" { 2 } else { 1 }),
                "{member} {value:?}"
            );
            let empty = matches!(value, None | Some("null" | "[]"));
            assert_eq!(details.malformed == 0, empty, "{member} {value:?}");
        }
    }
    for body in ["{\"data\":null}", "{\"data\":{}}"] {
        let found = told(body).details(&call(), &of(&[NativeId::new("7")], ALL_PARTS, RAW)).await.unwrap();
        assert_eq!(counts(&found.items[0].1).map(|(_, count)| count), [0; 4], "{body}");
    }
}

/// Rows that come again, in a page and on the next one.
#[tokio::test]
async fn an_incident_that_comes_twice_is_shown_once() {
    let body = list(&[row("7", "", None), row("8", "", None), row("7", "", None), row("7.0", "", None)]);
    let request = Request { query: "{ incidents { totalCount nodes { sourceId } } }".into(), ..Request::default() };
    let answer = api(vec![told(body)]).execute(request, &crate::support::call("r")).await;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(answer["data"]["incidents"]["totalCount"], 2, "{answer}");
    assert_eq!(answer["data"]["incidents"]["nodes"].as_array().unwrap().len(), 2);
}
