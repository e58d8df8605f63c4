//! What is refused before anything runs, and what is put right for the engine.

mod attacks;
mod introspection;
mod limits;
mod values;

use crate::support::Gateway;
use serde_json::{Value, json};

async fn message(gateway: &Gateway, query: &str, variables: Value) -> (bool, String, String) {
    let answer = gateway.ask_with(query, variables).await;
    let error = &answer["errors"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (answer.get("data").is_some(), text(&error["extensions"]["code"]), text(&error["message"]))
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
