//! Each documented member, through GraphQL: what the simulated server prints in a member stands where the table says.

use super::support::*;
use incident_gateway::domain::*;
use serde_json::{Map, Value, json};

/// A documented member, where its value stands in the answer, and what becomes of the value there.
type Line = (&'static str, &'static str, fn(&Value) -> Value);

fn same(value: &Value) -> Value {
    value.clone()
}

fn as_text(value: &Value) -> Value {
    value.to_string().into()
}

fn instant(value: &Value) -> Value {
    moment(value, BERLIN).map_or(Value::Null, |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true).into())
}

fn word(value: &Value, words: &[(&str, &str)]) -> Value {
    words.iter().find(|(theirs, _)| value == theirs).unwrap_or_else(|| panic!("{value}")).1.into()
}

const ROW: [Line; 11] = [
    ("/incident_id", "/sourceId", as_text),
    ("/incident_id", "/reference", as_text),
    ("/incident_name", "/title", same),
    ("/incident_description", "/description", same),
    ("/severity", "/sourceSeverity", same),
    ("/severity", "/severity", |v| word(v, &[("Critical", "CRITICAL"), ("Trouble", "HIGH"), ("Attention", "LOW")])),
    ("/status", "/sourceStatus", same),
    ("/status", "/status", |v| word(v, &[("Open", "NEW"), ("In Progress", "IN_PROGRESS"), ("Closed", "CLOSED")])),
    ("/created_time", "/createdAt", instant),
    ("/due_date", "/dueAt", instant),
    ("/created_by", "/createdBy/name", same),
];

const NOTE: [Line; 3] =
    [("/note", "/body", same), ("/added_by", "/author/name", same), ("/time", "/createdAt", instant)];

const ACTIVITY: [Line; 5] = [
    ("/activity", "/title", same),
    ("/activity", "/sourceType", same),
    ("/activity", "/kind", |v| {
        word(
            v,
            &[("Incident Created", "CREATED"), ("Incident Updated", "UPDATED"), ("Incident Notes Added", "COMMENTED")],
        )
    }),
    ("/description", "/description", same),
    ("/time", "/at", instant),
];

const EVIDENCE: [Line; 21] = [
    ("/severity", "/node/sourceSeverity", same),
    ("/eventid", "/node/event/eventCode", as_text),
    ("/incident_tab", "/node/raw/incident_tab", same),
    ("/formatted_message", "/node/description", same),
    ("/type_of_evidence", "/node/sourceType", same),
    ("/type_of_evidence", "/node/kind", |v| word(v, &[("LOG", "LOG_EVENT")])),
    ("/_zl_timestamp", "/node/event/loggedAt", instant),
    ("/hosttype", "/node/event/hostType", same),
    ("/incident_added_by", "/addedBy/name", same),
    ("/img_class", "/node/raw/img_class", same),
    ("/log_org_time", "/node/observedAt", instant),
    ("/source", "/node/event/logProvider", same),
    ("/message", "/node/event/message", same),
    ("/type", "/node/event/logName", same),
    ("/incident_uuid", "/node/sourceId", same),
    ("/source_ip", "/node/event/sourceIpAddress", same),
    ("/hostname", "/node/event/hostName", same),
    ("/is_threshold_incident", "/node/event/threshold", same),
    ("/log_obtained_from", "/obtainedFrom", same),
    ("/category", "/node/category", same),
    ("/incident_time", "/addedAt", instant),
];

/// Checks all lines for a pair; tells which members had a value.
fn hold(lines: &[Line], own: &Value, shown: &Value, met: &mut Map<String, Value>) {
    for (theirs, ours, becomes) in lines {
        let value = own.pointer(theirs).unwrap_or(&Value::Null);
        let expected = if value.is_null() { Value::Null } else { becomes(value) };
        assert_eq!(shown.pointer(ours).unwrap_or(&Value::Null), &expected, "{theirs} → {ours}");
        if !expected.is_null() {
            met.insert(format!("{theirs} → {ours}"), Value::Null);
        }
    }
}

const QUERY: &str = "{ incidents(first: 60, orderBy: { field: CREATED_AT, direction: DESC }) { totalCount \
    pageInfo { hasNextPage } sources { status malformedCount upstreamCalls } nodes { sourceId reference title description \
    severity sourceSeverity status sourceStatus createdAt dueAt updatedAt createdBy { sourceId name } \
    owners { sourceId name email } source { kind } \
    comments(first: 100) { nodes { body author { name } createdAt at } } \
    activity(first: 100) { nodes { kind sourceType title description at } } \
    evidence(first: 100) { edges { addedAt addedBy { name } obtainedFrom node { sourceId kind sourceType description \
        category severity sourceSeverity observedAt raw event { eventCode message logName logProvider loggedAt hostName \
        hostType sourceIpAddress userName threshold } } } } \
    assets(first: 100) { edges { roles sourceRoles node { sourceId name kind } } } } } }";

#[tokio::test]
async fn every_documented_member_has_its_place() {
    let bench = Bench::new(60).await;
    let mut rows = bench.rows("").await;
    // Ties in time by id, as the gateway breaks them.
    rows.sort_by_key(|row| (std::cmp::Reverse(row["created_time"].to_string()), row["incident_id"].to_string()));
    let users = bench.rest("/api/v2/meta/users").await;
    let data = bench.data(QUERY).await;
    let page = &data["incidents"];
    assert_eq!((&page["totalCount"], &page["pageInfo"]["hasNextPage"]), (&60.into(), &false.into()));
    assert_eq!((&page["sources"][0]["status"], &page["sources"][0]["malformedCount"]), (&"OK".into(), &0.into()));
    let mut met = Map::new();
    for (row, node) in rows.iter().zip(page["nodes"].as_array().unwrap()) {
        hold(&ROW, row, node, &mut met);
        assert_eq!((&node["source"]["kind"], &node["updatedAt"]), (&"EVENTLOG_ANALYZER".into(), &Value::Null));
        owner(row, &users["data"], node, &mut met);
        let own = bench.rest(&format!("/api/v2/incident/{}", row["incident_id"])).await;
        let own = &own["data"];
        for (lines, theirs, ours) in [
            (&NOTE[..], "notes", "/comments/nodes"),
            (&ACTIVITY[..], "activity", "/activity/nodes"),
            (&EVIDENCE[..], "evidence", "/evidence/edges"),
        ] {
            let (own, shown) = (own[theirs].as_array().unwrap(), node.pointer(ours).unwrap().as_array().unwrap());
            assert_eq!(own.len(), shown.len());
            own.iter().zip(shown).for_each(|(own, shown)| hold(lines, own, shown, &mut met));
        }
        for (own, edge) in own["evidence"].as_array().unwrap().iter().zip(node["evidence"]["edges"].as_array().unwrap())
        {
            let expected = if own["username"] == "n/a" { Value::Null } else { own["username"].clone() };
            assert_eq!(edge["node"]["event"]["userName"], expected);
        }
        actors(&own["actors"], &node["assets"]["edges"], &mut met);
    }
    let lines = ROW.len() + NOTE.len() + ACTIVITY.len() + EVIDENCE.len();
    assert_eq!(met.len(), lines + 4, "each line was met with a value: {met:?}");
}

/// The assignee, with what the users tell.
fn owner(row: &Value, users: &Value, node: &Value, met: &mut Map<String, Value>) {
    let id = &row["assign_to"];
    if *id == -1 {
        assert_eq!(node["owners"], json!([]));
        met.insert("unassigned".into(), Value::Null);
        return;
    }
    let user = users.as_array().unwrap().iter().find(|user| user["user_id"] == *id);
    let expected = json!([{
        "sourceId": id.to_string(),
        "name": user.map(|user| user["user_name"].clone()),
        "email": user.map(|user| user["email"].clone()),
    }]);
    assert_eq!(node["owners"], expected);
    met.insert("assigned".into(), Value::Null);
}

fn actors(own: &Value, edges: &Value, met: &mut Map<String, Value>) {
    let edges = edges.as_array().unwrap();
    for object in own.as_array().unwrap() {
        for (word, names) in object.as_object().unwrap() {
            let role = if word == "entity" { "AFFECTED" } else { "SUSPECT" };
            for name in names.as_array().unwrap() {
                let edge = edges.iter().find(|edge| edge["node"]["name"] == *name).expect("an edge");
                assert_eq!(edge["node"]["sourceId"], *name);
                assert!(edge["roles"].as_array().unwrap().contains(&role.into()));
                assert!(edge["sourceRoles"].as_array().unwrap().contains(&word.as_str().into()));
                met.insert(word.clone(), Value::Null);
            }
        }
    }
}

/// What is embedded in a detail has a global id; asked for by that alone it is not there, and is not made up.
#[tokio::test]
async fn what_is_given_by_no_call_is_not_found_by_its_id() {
    let bench = Bench::new(20).await;
    let query =
        "{ incidents(first: 20) { nodes { assets { edges { node { id } } } evidence { edges { node { id } } } } } }";
    let data = bench.data(query).await;
    let nodes = data["incidents"]["nodes"].as_array().unwrap();
    for part in ["assets", "evidence"] {
        let ids = nodes.iter().flat_map(|node| node[part]["edges"].as_array().unwrap());
        let id = ids.map(|edge| edge["node"]["id"].as_str().unwrap()).next().unwrap();
        let answer = bench.gql(&format!("{{ node(id: \"{id}\") {{ id }} }}")).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND", "{part}");
    }
}

#[tokio::test]
async fn the_source_says_what_it_can() {
    let bench = Bench::new(20).await;
    let query = "{ sources { kind health { status version message } capabilities { assumedTimeZone readComments history \
                 severities { severity sourceSeverity } statuses { status sourceStatus } } } }";
    let data = bench.data(query).await;
    let source = &data["sources"][0];
    assert_eq!((&source["kind"], &source["health"]["status"]), (&"EVENTLOG_ANALYZER".into(), &"OK".into()));
    let capabilities = &source["capabilities"];
    assert_eq!(capabilities["assumedTimeZone"], "Europe/Berlin");
    let severities = json!([
        { "severity": "CRITICAL", "sourceSeverity": "Critical" },
        { "severity": "HIGH", "sourceSeverity": "Trouble" },
        { "severity": "LOW", "sourceSeverity": "Attention" },
        { "severity": "UNKNOWN", "sourceSeverity": "" },
    ]);
    assert_eq!(capabilities["severities"], severities);
    let statuses = json!([
        { "status": "NEW", "sourceStatus": "Open" },
        { "status": "IN_PROGRESS", "sourceStatus": "In Progress" },
        { "status": "CLOSED", "sourceStatus": "Closed" },
        { "status": "OTHER", "sourceStatus": "" },
    ]);
    assert_eq!(capabilities["statuses"], statuses);
    let name = IncidentField::CreatedBy.name();
    let query = "{ incidents(filter: { severity: HIGH, createdBy: { sourceId: \"admin\" } }) \
                 { sources { filteredBySource filteredByGateway } nodes { severity createdBy { name } } } }";
    let data = bench.data(query).await;
    let report = &data["incidents"]["sources"][0];
    assert_eq!(
        (&report["filteredBySource"], &report["filteredByGateway"]),
        (&json!(["SEVERITY", name]), &json!([name]))
    );
}
