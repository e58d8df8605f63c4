//! Bodies that are in no document and in no fixture: whatever stands in a member, no record is lost, nothing panics, and what
//! is no answer is typed.

use super::{shelf::Shelf, support::*};
use crate::support::api;
use incident_gateway::{domain::*, source::*, upstream::HttpResponse, upstream::header::*};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

fn everything() -> ListRequest {
    ListRequest { tests: vec![], order: None, offset: 0, limit: 100, want: Want { raw: true, ..PLAIN } }
}

/// A source whose list is this text.
fn listing(incidents: String) -> Arc<dyn Source> {
    over(&config(), move |_, _| json_body(format!("{{\"reply\":{{\"total_count\":7,\"incidents\":{incidents}}}}}"))).0
}

#[tokio::test]
async fn equal_texts_of_several_kinds_are_an_asset_of_each() {
    let lists = [
        ("hosts", "HOST"),
        ("ipv4_addresses", "IP_ADDRESS"),
        ("domain_names", "DOMAIN"),
        ("certificate_common_names", "CERTIFICATE"),
        ("service_ids", "SERVICE"),
        ("website_ids", "WEBSITE"),
        ("ip_range_ids", "IP_RANGE"),
        ("asset_ids", "OTHER"),
    ];
    let mut row = json!({ "incident_id": "1", "ipv6_addresses": ["acme.example"] });
    for (member, _) in lists {
        row[member] = json!(["acme.example", "acme.example", null]);
    }
    let source = listing(json!([row]).to_string());
    let query = "{ incidents { nodes { assets(first: 50) { totalCount nodes { sourceId kind name sourceType } } } } }";
    let assets = data(&api(vec![source]), query).await["incidents"]["nodes"][0]["assets"].take();
    assert_eq!(assets["totalCount"], 8);
    let nodes = assets["nodes"].as_array().unwrap();
    for (node, (member, kind)) in nodes.iter().zip(lists) {
        assert_eq!((&node["kind"], &node["name"]), (&json!(kind), &json!("acme.example")));
        assert_eq!(node["sourceType"], member);
    }
    assert_eq!(nodes.iter().map(|node| node["sourceId"].to_string()).collect::<BTreeSet<_>>().len(), 8);
}

#[tokio::test]
async fn a_risk_with_the_id_of_a_vulnerability_is_a_threat_of_its_own() {
    let explainer = json!({ "cves": [{ "cveId": "X-1" }, { "cveId": "X-1" }],
        "riskFactors": [{ "attributeId": "X-1", "attributeName": "Open" }, { "attributeId": "X-2" }] });
    let source = listing(json!([{ "incident_id": "1", "xpanse_risk_explainer": explainer }]).to_string());
    let rows = source.list(&call(), &everything()).await.unwrap();
    let threats: Vec<(String, Option<ThreatKind>)> =
        rows.items[0].threats.iter().map(|link| (link.threat.key.native.to_string(), link.kind)).collect();
    let (flaw, risk) = (Some(ThreatKind::Vulnerability), Some(ThreatKind::Risk));
    assert_eq!(threats, [("X-1".into(), flaw), ("1/risk-factors/0".into(), risk), ("X-2".into(), risk)]);
}

const IDS: [&str; 14] = [
    "\"7\"",
    "8",
    "18446744073709551616",
    "\"CASE-12\"",
    "\"a b\"",
    "\" c\"",
    "\"é/ö\"",
    "\"5/alerts/0\"",
    "\"0123456789012345678901234567890123456789\"",
    "\"5F0EEA2B-4D2F-4FB0-B81C-129E4D7AD043\"",
    "\"5f0eea2b-4d2f-4fb0-b81c-129e4d7ad044\"",
    "\"\\\"quoted\\\"\"",
    "\"😀\"",
    "\"' OR 1=1 --\"",
];

/// A server of incidents with these ids. A strict one refuses a request that has an odd id among others, or one that is not
/// known.
fn library(strict: bool) -> Arc<dyn Source> {
    let rows: Vec<String> = IDS.iter().map(|id| format!("{{\"incident_id\":{id}}}")).collect();
    let texts: Vec<String> =
        IDS.iter().map(|id| serde_json::from_str(id).unwrap_or_else(|_| (*id).to_owned())).collect();
    let answer = move |_: &str, body: &Value| {
        let filters = body["request_data"]["filters"].as_array().unwrap();
        let asked: Option<Vec<String>> = filters.first().map(|filter| match filter["field"].as_str().unwrap() {
            "incident_id_list" => serde_json::from_value(filter["value"].clone()).unwrap(),
            // No row tells a time.
            _ => Vec::new(),
        });
        if let (true, Some(asked)) = (strict, &asked) {
            let odd = |id: &&String| !id.bytes().all(|byte| byte.is_ascii_digit());
            if asked.iter().any(|id| odd(&id) && (asked.len() > 1 || !texts.contains(id))) {
                return HttpResponse::new(422, fixture("error_422.json"));
            }
        }
        let wanted = |place: &usize| asked.as_ref().is_none_or(|asked| asked.contains(&texts[*place]));
        let kept: Vec<&str> = (0..texts.len()).filter(wanted).map(|place| rows[place].as_str()).collect();
        json_body(format!("{{\"reply\":{{\"total_count\":{},\"incidents\":[{}]}}}}", kept.len(), kept.join(",")))
    };
    over(&config(), answer).0
}

#[tokio::test]
async fn whatever_the_list_gives_is_found_again_by_its_id() {
    for strict in [false, true] {
        let api = api(vec![library(strict)]);
        let list = data(&api, "{ incidents(first: 100) { nodes { id sourceId } } }").await["incidents"].take();
        let nodes = list["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), IDS.len());
        for node in nodes {
            let query = format!("{{ node(id: {}) {{ ... on Incident {{ id sourceId }} }} }}", node["id"]);
            assert_eq!(data(&api, &query).await["node"], *node, "{strict}");
        }
        let ids: Vec<String> = nodes.iter().map(|node| node["id"].to_string()).collect();
        let query = format!("{{ nodes(ids: [{}]) {{ ... on Incident {{ id sourceId }} }} }}", ids.join(","));
        assert_eq!(data(&api, &query).await["nodes"], list["nodes"], "{strict}");
    }
}

#[tokio::test]
async fn ids_that_a_server_refuses_are_those_of_nothing() {
    let source = library(true);
    let found = source.fetch(&call(), &natives(&["7", "no;such", "CASE-12", "../x", "9"]), PLAIN).await.unwrap();
    let ids: Vec<String> = found.items.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!((ids, found.failed.len()), (vec!["7".to_owned(), "CASE-12".into()], 0));
}

#[tokio::test]
async fn alerts_and_parts_with_odd_ids_are_found_again_too() {
    let alerts =
        ["\"a-1\"", "\"007\"", "602", "\"5/x/y\"", "null"].map(|id| format!("{{\"alert_id\":{id}}}")).join(",");
    let answer = move |path: &str, body: &Value| match path {
        LIST => json_body(r#"{"reply":{"total_count":1,"incidents":[{"incident_id":"x/y z"}]}}"#),
        EXTRA => json_body(format!("{{\"reply\":{{\"alerts\":{{\"data\":[{alerts}]}}}}}}")),
        _ => {
            let asked = body["request_data"]["filters"][0]["value"].as_array().unwrap();
            let known = asked.iter().map(|id| json!({ "alert_id": id.as_str().map_or(id.to_string(), str::to_owned) }));
            json_body(json!({ "reply": { "alerts": known.collect::<Vec<_>>() } }).to_string())
        }
    };
    let api = api(vec![over(&config(), answer).0]);
    let list = data(&api, "{ incidents { nodes { evidence { nodes { id sourceId } } } } }").await;
    let nodes = list["incidents"]["nodes"][0]["evidence"]["nodes"].as_array().unwrap();
    let ids: Vec<&str> = nodes.iter().map(|node| node["sourceId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["a-1", "007", "602", "5/x/y", "x/y z/alerts/4"]);
    for node in nodes {
        let query = format!("{{ node(id: {}) {{ ... on Evidence {{ id sourceId }} }} }}", node["id"]);
        assert_eq!(data(&api, &query).await["node"], *node);
    }
}

#[tokio::test]
async fn failures_in_any_dress_are_typed() {
    use SourceErrorKind as K;
    for (status, body, kind) in [
        (200, r#"{"reply":{"err_code":"401","err_msg":"xyzzy"}}"#, K::Unauthenticated),
        (200, r#"{"reply":{"err_code":403.0,"err_msg":{"a":1}}}"#, K::Forbidden),
        (200, r#"{"reply":{"err_code":null,"err_msg":"xyzzy","err_extra":[]}}"#, K::Unavailable),
        (200, r#"{"reply":{"err_code":70000}}"#, K::Unavailable),
        (200, r#"{"reply":{"err_code":429,"err_msg":"xyzzy"}}"#, K::RateLimited),
        (200, r#"{"code":422,"status":"Unprocessable Entity","message":"xyzzy","errors":{}}"#, K::Rejected),
        (200, r#"{"reply":"xyzzy"}"#, K::Malformed),
        (200, r#"{"reply":{}}"#, K::Malformed),
        (200, r#"{"reply":{"incidents":{"0":{"incident_id":"1"}},"alerts":7}}"#, K::Malformed),
        (200, r#"{"Reply":{"incidents":[]}}"#, K::Malformed),
        (200, r#"{"reply":{"incidents":[{"incident_id":"1"}"#, K::Malformed),
        (200, r#"[{"reply":{"incidents":[]}}]"#, K::Malformed),
        (500, r#"{"reply":{"err_code":402,"err_msg":"xyzzy"}}"#, K::Forbidden),
        (500, r#"{"reply":{"err_code":500,"err_msg":"xyzzy"}}"#, K::Unavailable),
        (500, r#"{"reply":{"incidents":[{"incident_id":"1"}]}}"#, K::Unavailable),
        (500, "", K::Unavailable),
        (400, r#"{"reply":{"err_code":500,"err_msg":"xyzzy"}}"#, K::Rejected),
    ] {
        let (source, _) = over(&config(), move |_, _| {
            HttpResponse::new(status, body).header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        });
        let error = source.list(&call(), &everything()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {body}: {error}");
        assert!(!format!("{error} {error:?}").contains("xyzzy"));
        if body.contains("incident_id") {
            continue;
        }
        let parts = DetailParts { evidence: true, ..DetailParts::default() };
        let request = DetailRequest { parts, incidents: natives(&["1"]), want: PLAIN };
        let failed = source.details(&call(), &request).await.unwrap().failed;
        assert_eq!(failed[0].1.kind(), kind, "{status} {body}");
    }
}

/// Deeper than most readers go.
const DEEP: &str = concat!(
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
);

/// What may stand where something else is documented, as JSON text.
const ODD: [&str; 32] = [
    DEEP,
    "null",
    "true",
    "false",
    "0",
    "-1",
    "7.5",
    "1e400",
    "-1e400",
    "18446744073709551616",
    "9223372036854775807",
    "253402300800000",
    "-62167219200001",
    "\"\"",
    "\" \"",
    "\"\\u0000\"",
    "\"\\ud83d\"",
    "\"\\udc00\\ud800x\"",
    "\"😀 résolu\"",
    "\"null\"",
    "\"STATUS_999_\"",
    "\"resolved_-_\"",
    "\"2023-13-45\"",
    "\":null\"",
    "\"a,,b, ,\"",
    "[]",
    "{}",
    "[null]",
    "[[\"a\"]]",
    "[\"a\", 7, null, {\"b\": []}]",
    "{\"cves\": 7, \"riskFactors\": [7, {}], \"versionMatched\": \"yes\"}",
    "{\"cves\": [{\"cveId\": {}}, {\"cvssScore\": []}], \"riskFactors\": {\"a\": 1}}",
];

/// The members of a record in a fixture.
fn members(file: &str, at: &str) -> Vec<String> {
    let body: Value = serde_json::from_str(&fixture(file)).unwrap();
    body.pointer(at).unwrap().as_object().unwrap().keys().cloned().collect()
}

/// Text of an object with these members, some of them perhaps twice.
fn object(members: &[(String, &str)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

const SHOWN: &str = "{ incidents(first: 100, orderBy: { field: CREATED_AT, direction: DESC }) {
    sources { malformedCount error { code } }
    nodes { sourceId title description status severity sourceStatus createdAt updatedAt
      exposure { port cloudManagement } alertCounts { total } scores { kind value } owners { name email }
      tags { name } originalTags { name } assets(first: 50) { nodes { kind name reference } }
      threats(first: 50) { nodes { kind name cvss epss lastExploitedOn } } } } }";

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, max_shrink_time: 10_000, ..ProptestConfig::default() })]

    /// Every row that is an object with an id is there, as received in `raw`, and can be shown.
    #[test]
    fn no_member_of_a_row_costs_the_row(changes in vec(vec((any::<prop::sample::Index>(), select(&ODD[..])), 0..12), 1..6)) {
        let names = members("get_incidents_full.json", "/reply/incidents/0");
        let rows: Vec<String> = changes.iter().enumerate().map(|(id, changes)| {
            let changes = changes.iter().map(|(name, value)| (name.get(&names).clone(), *value));
            let id_text = format!("\"{}\"", id + 1);
            // The server sorts by the time; one that gave two in the wrong order would be refused for that.
            let kept = |name: &str| name != "incident_id" && (name != "creation_time" || id == 0);
            let mut all: Vec<(String, &str)> = changes.filter(|(name, _)| kept(name)).collect();
            all.push(("incident_id".to_owned(), &id_text));
            object(&all)
        }).collect();
        let expected: BTreeSet<String> = (1..=rows.len()).map(|id| id.to_string()).collect();
        run(async {
            let source = listing(format!("[{}]", rows.join(",")));
            let answer = source.list(&call(), &everything()).await.unwrap();
            let ids: BTreeSet<String> = answer.items.iter().map(|incident| incident.key.native.to_string()).collect();
            assert_eq!(ids, expected, "{rows:?}");
            for (incident, row) in answer.items.iter().zip(&rows) {
                assert_eq!(incident.raw.as_ref().unwrap().as_str(), row);
            }
            let shown = data(&api(vec![source]), SHOWN).await["incidents"].take();
            let ids: BTreeSet<String> =
                shown["nodes"].as_array().unwrap().iter().map(|node| node["sourceId"].as_str().unwrap().into()).collect();
            assert_eq!(ids, expected);
        });
    }

    /// Alerts and artifacts that are objects are all there.
    #[test]
    fn no_member_of_an_alert_costs_the_alert(changes in vec(vec((any::<prop::sample::Index>(), select(&ODD[..])), 0..8), 1..5),
        odd in select(&ODD[..]), group in 0..4_usize) {
        let names = members("extra_data.json", "/reply/alerts/data/0");
        let alerts: Vec<String> = changes.iter().map(|changes| {
            let changes = changes.iter().map(|(name, value)| (name.get(&names).clone(), *value));
            object(&changes.filter(|(name, _)| name != "alert_id").collect::<Vec<_>>())
        }).collect();
        let alerts_text = format!("[{}, {odd}]", alerts.join(","));
        let groups = [
            format!("\"alerts\":{{\"total_count\":{odd},\"data\":{alerts_text}}}"),
            format!("\"alerts\":{{\"data\":{alerts_text}}},\"network_artifacts\":{odd}"),
            format!("\"alerts\":{{\"data\":{alerts_text}}},\"file_artifacts\":{{\"data\":{odd}}}"),
            format!("\"incident\":{odd},\"alerts\":{{\"data\":{alerts_text}}},\"network_artifacts\":{{\"data\":[{odd}]}}"),
        ];
        run(async {
            let body = format!("{{\"reply\":{{{}}}}}", groups[group]);
            let (source, _) = over(&config(), move |_, _| json_body(body.clone()));
            let parts = DetailParts { evidence: true, ..DetailParts::default() };
            let request = DetailRequest { parts, incidents: natives(&["1"]), want: PLAIN };
            let mut found = source.details(&call(), &request).await.unwrap();
            assert_eq!(found.failed.len(), 0);
            let (_, details) = found.items.remove(0);
            let links = details.evidence.unwrap();
            let read = links.iter().filter(|link| link.kind == Some(EvidenceKind::Alert)).count();
            assert_eq!(read, alerts.len() + usize::from(odd.starts_with('{')), "{alerts:?}");
        });
    }
}

#[tokio::test]
async fn a_list_of_odd_rows_in_time_order_is_whole() {
    // Times in every form; those that are none, or beyond the calendar, come last.
    let times =
        ["5", "\"7\"", "6.9", "1e1", "null", "\"soon\"", "253402300800000", "{}", "true", "1e400", "\"\\ud800\""];
    let rows: Vec<Value> = times
        .iter()
        .enumerate()
        .map(|(id, time)| {
            let time = serde_json::from_str(time).unwrap_or(Value::Null);
            json!({ "incident_id": (id + 1).to_string(), "creation_time": time })
        })
        .collect();
    let shelf = Shelf::new(rows);
    let answering = shelf.clone();
    let (source, _) = over(&config(), move |_, body| answering.answer(body));
    let query = "{ incidents(orderBy: { field: CREATED_AT, direction: DESC }) { totalCount
        nodes { sourceId } sources { error { message } } } }";
    let list = data(&api(vec![source]), query).await["incidents"].take();
    assert_eq!(list["sources"][0]["error"], Value::Null);
    assert_eq!(list["nodes"].as_array().unwrap().len(), 11);
}
