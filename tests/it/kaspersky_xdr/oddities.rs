//! What no document shows but a real server may send: every member broken in every way, and answers that contradict
//! themselves. No record is lost to it, and what is sound stays as it is.

use super::coverage::{HOST, INCIDENT, filled};
use super::support::*;
use incident_gateway::{
    domain::*,
    graphql::{Api, Request},
    source::*,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// Stands where an odd text will.
const HERE: &str = "\"@here@\"";

/// Values that are no value of any member, or of few; the last is longer than an id can be.
fn odd_values() -> Vec<String> {
    let plain = ["null", "true", "7", "-1.5e300", "18446744073709551616", "\"\"", "\"  \"", "\"x\"", "\"\\ud800\""];
    let nested = ["[]", "[null]", "[[]]", "{}", "{\"x\":{\"\\udc00\":1}}", "\"0001-01-01T00:00:00Z\""];
    let deep = format!("{}7{}", "[".repeat(90), "]".repeat(90));
    let long = Value::from("ä💀\u{202e}'\u{0}".repeat(700)).to_string();
    plain.into_iter().chain(nested).map(str::to_owned).chain([deep, long]).collect()
}

/// A gateway over a server whose list of incidents can be changed.
fn gateway() -> (Api, Arc<Mutex<String>>) {
    let body = Arc::new(Mutex::new(String::new()));
    let answer = body.clone();
    let source = over(&[TENANT], move |request| match request.url.path() {
        "/xdr/api/v1/incidents" => json(200, answer.lock().unwrap().clone()),
        "/xdr/api/v1/alerts" => json(200, fixture("list_alerts.json")),
        _ => json(200, fixture("list_tenants.json")),
    });
    (crate::support::api(vec![source]), body)
}

/// The filled example as the incident of this number: nothing of it is anything of another one's.
fn row(number: usize) -> Value {
    fn mark(value: &mut Value, number: usize) {
        match value {
            Value::Object(members) => members.values_mut().for_each(|value| mark(value, number)),
            Value::Array(all) => all.iter_mut().for_each(|value| mark(value, number)),
            Value::String(text) if text.contains('.') && !text.ends_with('Z') => text.push_str(&format!("#{number}")),
            _ => {}
        }
    }
    let mut row = filled()["Incidents"][0].take();
    mark(&mut row, number);
    row["InternalID"] = format!("00000000-0000-4000-8000-{number:012}").into();
    row
}

/// Places of all values below the row.
fn places(value: &Value, place: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                all.push(format!("{place}/{name}"));
                places(value, &format!("{place}/{name}"), all);
            }
        }
        Value::Array(members) => {
            for (index, value) in members.iter().enumerate() {
                all.push(format!("{place}/{index}"));
                places(value, &format!("{place}/{index}"), all);
            }
        }
        _ => {}
    }
}

/// What two queries show of each incident, by its title of this test: the id.
async fn shown(api: &Api, count: usize, about: &str) -> Vec<(Value, Value)> {
    let mut answers = Vec::new();
    for query in [INCIDENT, HOST] {
        let query = query.replacen("{ incidents {", "{ incidents(first: 100) {", 1).replacen(
            "nodes {",
            "nodes { key: sourceId ",
            1,
        );
        let request = Request { query: query.as_str().into(), ..Request::default() };
        let answer = api.execute(request, &call()).await.body;
        // Raw records are shown as they came; halves of a pair are more than the reader here takes.
        let answer = answer.replace("\\ud800", "?").replace("\\udc00", "?");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer.get("errors"), None, "{about}");
        let mut nodes = answer["data"]["incidents"]["nodes"].as_array().unwrap().clone();
        assert_eq!(nodes.len(), count, "{about}");
        nodes.sort_by_key(|node| node["key"].as_str().unwrap().to_owned());
        answers.push(nodes);
    }
    let hosts = answers.pop().unwrap();
    answers.pop().unwrap().into_iter().zip(hosts).collect()
}

#[tokio::test]
async fn every_member_may_be_broken_in_every_way_and_costs_only_itself() {
    let (api, body) = gateway();
    let (odd, mut all) = (odd_values(), Vec::new());
    places(&row(0), "", &mut all);
    assert!(all.len() > 130, "{}", all.len());
    let answer = |rows: &[String]| format!("{{\"Total\":{},\"Incidents\":[{}]}}", rows.len(), rows.join(","));
    *body.lock().unwrap() = answer(&[row(odd.len()).to_string()]);
    let plain = shown(&api, 1, "plain").await.remove(0);
    assert_eq!(plain.1["assets"]["edges"].as_array().unwrap().len(), 1);
    // A record without its name is another promise.
    for place in all.into_iter().filter(|place| place != "/InternalID") {
        let mut rows: Vec<String> = Vec::new();
        for (number, odd) in odd.iter().enumerate() {
            let mut row = row(number);
            *row.pointer_mut(&place).unwrap() = "@here@".into();
            rows.push(row.to_string().replacen(HERE, odd, 1));
        }
        rows.push(row(odd.len()).to_string());
        *body.lock().unwrap() = answer(&rows);
        let shown = shown(&api, rows.len(), &place).await;
        assert!(shown.contains(&plain), "{place}: what is sound stays");
    }
}

/// A list of incidents and what a client sees of it.
async fn seen(body: impl Into<String>) -> Value {
    let api = crate::support::api(vec![answering(body)]);
    let query = "{ incidents(first: 10) { totalCount pageInfo { hasNextPage } nodes { sourceId reference title owners { name }
        threats { nodes { reference } } alertCounts { total } assets { nodes { name } edges { roles } } activity { nodes { at } } }
        sources { status malformedCount truncated } } }";
    let mut answer = ask(&api, query).await;
    assert_eq!(answer.get("errors"), None);
    answer["data"]["incidents"].take()
}

#[tokio::test]
async fn an_incident_without_its_uuid_is_shown_by_its_short_id() {
    let rows = [
        json!({ "ID": 101, "Name": "a", "MITRETactics": ["TA0001", { "ID": "TA0002" }], "AlertIDs": ["x", "x", "", "y"] }),
        json!({ "ID": 102, "InternalID": "", "Name": "b" }),
        json!({ "ID": 103, "InternalID": null, "Name": "c" }),
        json!({ "ID": 104, "InternalID": ["x"], "Name": "d" }),
        json!({ "ID": 105, "InternalID": nobody(1).to_string(), "Name": "e" }),
        json!({ "Name": "f" }),
    ];
    let seen = seen(json!({ "Total": 6, "Incidents": rows }).to_string()).await;
    let mut ids: Vec<&str> =
        seen["nodes"].as_array().unwrap().iter().map(|node| node["sourceId"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let nobody = nobody(1).to_string();
    assert_eq!(ids, [&*nobody, "101", "102", "103", "104"]);
    assert_eq!(seen["sources"][0]["malformedCount"], 2 * 5, "in the list, and once more with the details");
    let first = seen["nodes"].as_array().unwrap().iter().find(|node| node["title"] == "a").unwrap();
    assert_eq!(first["threats"]["nodes"], json!([{ "reference": "TA0001" }, { "reference": "TA0002" }]));
    assert_eq!(first["alertCounts"]["total"], 2, "each once");
}

#[tokio::test]
async fn text_that_is_no_text_costs_its_characters() {
    let id = nobody(1).to_string();
    let mut body = b"\xef\xbb\xbf".to_vec();
    body.extend(
        format!(
            r#"{{"Total":1,"Incidents":[{{"InternalID":"{id}","Name":"a\ud83d b","\udfff":1,"Title\u0000":2,"ID":"#
        )
        .bytes(),
    );
    body.extend(b"\"1\xff2\"}]}");
    let source = over(&[TENANT], move |_| json(200, body.clone()));
    let rows = source.list(&call(), &page()).await.unwrap();
    assert_eq!((rows.items.len(), rows.malformed), (1, 0));
    assert_eq!(rows.items[0].title.as_deref().map(|title| title.replace('\u{fffd}', "")), Some("a b".into()));
    assert_eq!(rows.items[0].reference.as_deref(), Some("1\u{fffd}2"));
}

#[tokio::test]
async fn marks_are_understood_as_texts_and_numbers() {
    let asset = |id: &str, victim: Value| json!({ "ID": id, "Name": id, "IsVictim": victim });
    let marks = [json!("true"), json!(1), json!("TRUE"), json!(false), json!("0"), json!(null), json!("yes")];
    let assets: Vec<Value> =
        marks.iter().enumerate().map(|(at, mark)| asset(&format!("a{at}"), mark.clone())).collect();
    let row = json!({ "InternalID": nobody(1).to_string(), "Assets": assets });
    let seen = seen(json!({ "Total": 1, "Incidents": [row] }).to_string()).await;
    let edges = seen.pointer("/nodes/0/assets/edges").unwrap().as_array().unwrap();
    let roles: Vec<&str> = edges.iter().map(|edge| edge["roles"][0].as_str().unwrap()).collect();
    let (victim, affected) = ("VICTIM", "AFFECTED");
    assert_eq!(roles, [victim, victim, victim, affected, affected, affected, affected]);
    assert_eq!(seen["sources"][0]["malformedCount"], 2, "only what can be neither; in the list and with the details");
}

/// Whatever the count says, each incident is there, and once.
#[tokio::test]
async fn totals_that_do_not_fit_and_rows_told_twice_cost_no_row() {
    let row = |number: u8| json!({ "InternalID": nobody(number).to_string(), "ID": number });
    let rows = [row(1), row(2), row(1), row(3)];
    for total in [json!(0), json!(3), json!(4), json!(-7), json!(1.5), json!("4"), json!(null), json!({}), json!(1_000)]
    {
        let seen = seen(json!({ "Total": total, "Incidents": rows }).to_string()).await;
        assert_eq!(seen["nodes"].as_array().unwrap().len(), 3, "{total}: {seen}");
        assert_eq!(seen["pageInfo"]["hasNextPage"], false, "{total}");
        assert_eq!(seen["sources"][0]["status"], "OK", "{total}");
        assert_eq!(seen["totalCount"], 3, "{total}");
    }
}

/// A page of any size is read to its end; how many rows a page has is documented, not told.
#[tokio::test]
async fn larger_pages_than_documented_are_read_to_their_end() {
    for size in [100, 101, 250, 1_000] {
        let source = over(&[TENANT], move |request| {
            if request.url.path().ends_with("/tenants") {
                return json(403, fixture("error_403.json"));
            }
            let page: usize = request.url.query_pairs().find(|(name, _)| name == "page").unwrap().1.parse().unwrap();
            let rows: Vec<_> = (0..620)
                .skip((page - 1) * size)
                .take(size)
                .map(|number| json!({ "InternalID": format!("00000000-0000-4000-8000-{number:012}") }))
                .collect();
            json(200, json!({ "Total": 620, "Incidents": rows }).to_string())
        });
        for limit in [100, 7] {
            let all = walk(&*source, vec![], limit).await;
            let ids: BTreeSet<&Key> = all.iter().map(|incident| &incident.key).collect();
            assert_eq!((all.len(), ids.len()), (620, 620), "{size} {limit}");
        }
    }
}

/// What is nested deeper than any stack is still only text.
#[tokio::test]
async fn depth_does_not_matter() {
    let deep = |depth: usize| format!("{}7{}", "[".repeat(depth), "]".repeat(depth));
    let member = deep(200_000);
    for member in ["Name", "Assets", "Assignee", "MITRETactics", "InternalID", "unheard"].map(|name| (name, &member)) {
        let (name, value) = member;
        let id = nobody(1);
        let body = format!(r#"{{"Total":2,"Incidents":[{{"InternalID":"{id}"}},{{"ID":7,"{name}":{value}}}]}}"#);
        let rows = answering(body).list(&call(), &page()).await.unwrap();
        assert_eq!(rows.items.len(), 2, "{name}");
    }
    let body = format!(r#"{{"Total":{},"Incidents":[]}}"#, deep(200_000));
    assert!(answering(body).list(&call(), &page()).await.is_ok());
}

#[tokio::test]
async fn a_refusal_is_understood_wherever_its_message_stands() {
    use SourceErrorKind as K;
    for (status, body, kind) in [
        (400, r#"{"error":{"message":"Invalid authorization header"}}"#, K::Unauthenticated),
        (400, r#"{"ERROR":"invalid authorization header"}"#, K::Unauthenticated),
        (400, r#""invalid authorization header""#, K::Unauthenticated),
        (400, " invalid authorization header\n", K::Unauthenticated),
        (400, r#"{"message":{"message":"cannot parse from"}}"#, K::Internal),
        (400, r#"{"message":null,"details":null}"#, K::Rejected),
        (400, "", K::Rejected),
        (400, r#""""#, K::Rejected),
        (400, "[[", K::Rejected),
        (400, "{}", K::Rejected),
        (403, "access denied", K::Forbidden),
        (403, r#"{"Message":"access denied","Details":{"x":[1]}}"#, K::Forbidden),
        (200, r#"{"message":"access denied","details":""}"#, K::Malformed),
        (200, r#"{"error":{"message":"access denied"}}"#, K::Malformed),
        (200, r#"{"Incidents":"none"}"#, K::Malformed),
        (500, "", K::Unavailable),
        (418, "{", K::Rejected),
    ] {
        let source = over(&[TENANT], move |_| json(status, body));
        let error = source.list(&call(), &page()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {body}: {error}");
    }
}
