//! What is refused before anything runs, and what is put right for the engine.

use crate::support::Gateway;
use serde_json::{Value, json};

async fn message(gateway: &Gateway, query: &str, variables: Value) -> (bool, String, String) {
    let answer = gateway.ask_with(query, variables).await;
    let error = &answer["errors"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (answer.get("data").is_some(), text(&error["extensions"]["code"]), text(&error["message"]))
}

#[tokio::test]
async fn what_nests_too_deep_is_refused_and_the_gateway_goes_on() {
    let gateway = Gateway::start().await;
    let nested = |depth: usize| format!("{}sources: [\"grc\"]{}", "not: {".repeat(depth), "}".repeat(depth));
    for query in [
        format!("{{ incidents(filter: {{ {} }}) {{ totalCount }} }}", nested(5_000)),
        format!("{{ nodes(ids: {}\"x\"{}) {{ id }} }}", "[".repeat(5_000), "]".repeat(5_000)),
        format!("{{ node(id: {}1{}) {{ id }} }}", "{a: ".repeat(5_000), "}".repeat(5_000)),
        format!("# \\\n{{ node(id: {}", "[".repeat(100_000)),
    ] {
        let (executed, code, told) = message(&gateway, &query, json!({})).await;
        assert_eq!((executed, code.as_str()), (false, "COST_LIMIT"));
        assert!(told.contains("at most 64"), "{told}");
    }
    let variables = (0..100).fold(json!({ "sources": ["grc"] }), |inner, _| json!({ "not": inner }));
    let query = "query($f: IncidentFilter) { incidents(filter: $f) { totalCount } }";
    let (executed, code, _) = message(&gateway, query, json!({ "f": variables })).await;
    assert_eq!((executed, code.as_str()), (false, "COST_LIMIT"));
    // What people and tools send is far below.
    let allowed = format!("{{ incidents(filter: {{ {} }}) {{ totalCount }} }}", nested(58));
    assert_eq!(gateway.data(&allowed).await["incidents"]["totalCount"], 500);
}

#[tokio::test]
async fn inputs_that_the_validator_does_not_know_are_told_with_their_place() {
    let gateway = Gateway::start().await;
    let time = "must be a DateTime";
    let one = "must have exactly one of `id`, `native`";
    for (query, variables, at, what) in [
        (
            "{ incidents(filter: {created: {since: \"yesterday\"}}) { totalCount } }",
            json!({}),
            "filter.created.since",
            time,
        ),
        ("{ incidents(filter: {or: [{due: {until: 7}}]}) { totalCount } }", json!({}), "filter.or[0].due.until", time),
        (
            "query($f: IncidentFilter) { incidents(filter: $f) { totalCount } }",
            json!({ "f": { "updated": { "since": "2026-13-01" } } }),
            "$f.updated.since",
            time,
        ),
        ("{ incident(by: {}) { id } }", json!({}), "by", one),
        ("{ ...F } fragment F on Query { incident(by: {id: null}) { id } }", json!({}), "by", one),
        ("query($b: IncidentRef!) { incident(by: $b) { id } }", json!({ "b": {} }), "$b", one),
        (
            "query($s: Severity) { incidents(filter: {severity: [$s]}) { totalCount } }",
            json!({}),
            "filter.severity[0]",
            "cannot stand",
        ),
        (
            "query($e: String) { incidents(filter: {owners: [{email: $e}]}) { totalCount } }",
            json!({}),
            "filter.owners[0].email",
            "cannot stand",
        ),
    ] {
        let (executed, code, told) = message(&gateway, query, variables).await;
        assert_eq!((executed, code.as_str()), (false, "BAD_USER_INPUT"), "{query}");
        assert!(told.contains(&format!("`{at}`")) && told.contains(what), "{query}: {told}");
    }
}

#[tokio::test]
async fn a_variable_that_is_not_given_is_as_if_it_were_not_written() {
    let gateway = Gateway::start().await;
    let query = "query($d: OrderDirection, $s: [Severity!], $since: DateTime) {
        a: incidents(first: 3, orderBy: {field: TITLE, direction: $d}, filter: {severity: $s, created: {since: $since}})
        { nodes { id } totalCount }
        b: incidents(first: 3, orderBy: {field: TITLE}) { nodes { id } totalCount }
    }";
    let data = gateway.data(query).await;
    assert_eq!(data["a"], data["b"]);
}

#[tokio::test]
async fn filters_longer_than_a_request_line_mean_the_same() {
    let gateway = Gateway::start().await;
    let ids = gateway.data("{ a: assets(first: 100) { nodes { id } } b: incidents { totalCount } }").await;
    let ids: Vec<Value> = ids["a"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone()).collect();
    let count = async |ids: &[Value]| {
        let query = "query($ids: [ID!]!) { incidents(first: 100, filter: {assetIds: $ids}) {
            totalCount nodes { id } sources { status filteredBySource filteredByGateway } } }";
        let answer = gateway.ask_with(query, json!({ "ids": ids })).await;
        assert_eq!(answer.get("errors"), None);
        answer["data"]["incidents"].clone()
    };
    let (all, few) = (count(&ids).await, count(&ids[..50]).await);
    assert_eq!(few["sources"][0]["filteredBySource"], json!(["ASSETS"]));
    assert_eq!(all["sources"][0]["filteredByGateway"], json!(["ASSETS"]));
    let rest = gateway.rest("/api/incidents/?limit=500").await;
    let native = gateway.rest("/api/assets/?limit=100").await;
    let wanted: Vec<&Value> = native["results"].as_array().unwrap().iter().map(|row| &row["id"]).collect();
    let holds = |row: &&Value| row["assets"].as_array().unwrap().iter().any(|asset| wanted.contains(&&asset["id"]));
    let expected = rest["results"].as_array().unwrap().iter().filter(holds).count();
    assert_eq!(all["totalCount"], expected);
    assert!(few["totalCount"].as_u64() < all["totalCount"].as_u64());
}

#[tokio::test]
async fn a_reference_longer_than_any_names_nothing_and_costs_nothing() {
    let gateway = Gateway::start().await;
    gateway.data("{ incidents(first: 1) { totalCount } }").await;
    gateway.calls();
    let query = format!("{{ incident(by: {{native: {{source: \"grc\", id: \"{}\"}}}}) {{ id }} }}", "x".repeat(6_000));
    assert_eq!(gateway.codes(&query).await, ["NOT_FOUND"]);
    assert_eq!(gateway.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn a_list_of_links_that_cannot_be_loaded_costs_itself() {
    let gateway = Gateway::start().await;
    gateway.sandbox.set_faults(vec!["500@/api/terminologies/".parse().unwrap(), "500@/api/assets/".parse().unwrap()]);
    let answer = gateway
        .ask("{ incidents(first: 50) { nodes { title qualifications { label name } assets { nodes { name description } } } } }")
        .await;
    let nodes = answer["data"]["incidents"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 50);
    assert!(nodes.iter().all(|node| node["title"].is_string()));
    assert!(nodes.iter().any(|node| node["qualifications"].is_null()));
    let assets: Vec<&Value> = nodes.iter().flat_map(|node| node["assets"]["nodes"].as_array().unwrap()).collect();
    assert!(
        !assets.is_empty() && assets.iter().all(|asset| asset["name"].is_string() && asset["description"].is_null())
    );
    let codes: Vec<&str> =
        answer["errors"].as_array().unwrap().iter().map(|e| e["extensions"]["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["SOURCE_UNAVAILABLE"; 2]);
}
