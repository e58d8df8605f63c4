//! Each limit by itself: what stands at it passes, one more is refused with the number and the limit.

use crate::support::Gateway;
use incident_gateway::graphql::{QueryLimits, Request};
use serde_json::{Value, json};

async fn refusal(gateway: &Gateway, query: &str, variables: Value) -> Option<(u64, u64)> {
    let answer = gateway.ask_with(query, variables).await;
    let error = answer["errors"].as_array().map(|errors| &errors[0])?;
    if error["extensions"]["code"] != "COST_LIMIT" {
        assert_ne!(answer.get("data"), None, "{query}: {error}");
        return None;
    }
    assert_eq!(answer.get("data"), None);
    let numbers = (error["extensions"]["cost"].as_u64().unwrap(), error["extensions"]["limit"].as_u64().unwrap());
    let told = error["message"].as_str().unwrap();
    assert!(
        told.contains(&numbers.0.to_string()) && told.contains(&format!("at most {} are allowed", numbers.1)),
        "{told}"
    );
    Some(numbers)
}

#[tokio::test]
async fn one_more_than_a_limit_is_refused_with_both_numbers() {
    let limits = QueryLimits {
        bytes: 2_000,
        tokens: 60,
        nesting: 7,
        depth: 4,
        fields: 8,
        aliases: 3,
        root_fields: 2,
        spreads: 4,
        nodes: 50,
        introspection: true,
    };
    let gateway = Gateway::within(limits).await;
    let none = || json!({});
    let page = "query($n: Int, $ids: [ID!] = []) { incidents(first: $n, filter: {ids: $ids}) { totalCount } }";
    let both = "query($n: Int) { incidents(first: 5) { nodes { assets(first: $n) { totalCount } } } }";
    let spread = |times: usize| {
        format!(
            "{{ ...F }} fragment F on Query {{ viewer {{ {} }} }} fragment V on Viewer {{ name }}",
            "...V ".repeat(times)
        )
    };
    for (limit, within, beyond) in [
        (2_000, (pad("{ __typename }", 2_000), none()), (pad("{ __typename }", 2_001), none())),
        (60, (commas(60), none()), (commas(61), none())),
        (60, (page.into(), json!({ "ids": vec!["x"; 59] })), (page.into(), json!({ "ids": vec!["x"; 60] }))),
        (7, (nots(4), none()), (nots(5), none())),
        (
            4,
            ("{ scopes { nodes { parent { __typename } } } }".into(), none()),
            ("{ scopes { nodes { ...S } } } fragment S on Scope { parent { parent { __typename } } }".into(), none()),
        ),
        (8, (names(7), none()), (names(8), none())),
        (
            3,
            ("{ a: viewer { b: name c: kind } }".into(), none()),
            ("{ a: viewer { ...V } viewer { ...V } } fragment V on Viewer { b: name ...W } fragment W on Viewer { c: kind }".into(), none()),
        ),
        (2, ("{ __typename viewer { name } }".into(), none()), ("{ __typename ...Q } fragment Q on Query { viewer { name } sources { name } }".into(), none())),
        (4, (spread(3), none()), (spread(4), none())),
        (50, (page.into(), json!({ "n": 50 })), (page.into(), json!({ "n": 51 }))),
        (50, (both.into(), json!({ "n": 9 })), (both.into(), json!({ "n": 10 }))),
    ] {
        assert_eq!(refusal(&gateway, &within.0, within.1).await.map(|(_, limit)| limit), None, "{}", within.0);
        let (cost, told) = refusal(&gateway, &beyond.0, beyond.1).await.unwrap_or_else(|| panic!("{}", beyond.0));
        assert!(cost > limit && told == limit, "{}: {cost} of {told}", beyond.0);
    }
}

fn pad(query: &str, bytes: usize) -> String {
    format!("{query}{}", " ".repeat(bytes - query.len()))
}

/// A document of so many tokens.
fn commas(tokens: usize) -> String {
    format!("{{ nodes(ids: [{}]) @skip(if: true) {{ id }} }}", "\"x\", ".repeat(tokens - 19))
}

fn nots(count: usize) -> String {
    format!("{{ incidents(filter: {}{{}}{}) {{ totalCount }} }}", "{not: ".repeat(count), "}".repeat(count))
}

fn names(count: usize) -> String {
    format!("{{ viewer {{ {} }} }}", "name ".repeat(count))
}

#[tokio::test]
async fn what_runs_is_counted_and_not_what_stands_beside_it() {
    let gateway = Gateway::within(QueryLimits { root_fields: 1, introspection: false, ..QueryLimits::default() }).await;
    let document = "query Small { viewer { name } } query Large { __typename viewer { name } } query Schema { __schema { description } }";
    for round in 0..2 {
        for (name, code) in [
            (Some("Small"), None),
            (Some("Large"), Some("COST_LIMIT")),
            (Some("Schema"), Some("FORBIDDEN")),
            (Some("None"), Some("BAD_USER_INPUT")),
        ] {
            let request =
                Request { query: document.into(), operation_name: name.map(str::to_owned), ..Request::default() };
            let answer = gateway.api.execute(request, &crate::support::call("several")).await;
            let answer: Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(answer["errors"][0]["extensions"]["code"].as_str(), code, "{name:?}, round {round}");
        }
    }
    assert_eq!(gateway.codes(document).await, ["BAD_USER_INPUT"], "which one is to run?");
}

#[tokio::test]
async fn a_page_is_counted_by_the_variables_of_each_request() {
    let gateway = Gateway::start().await;
    let query = "query($n: Int, $m: Int) { incidents(first: $n) { nodes { assets(first: $m) { nodes { incidents(first: $m) { totalCount } } } } } }";
    for (variables, expected) in [
        (json!({ "n": 1, "m": 1 }), None),
        (json!({ "n": 100, "m": 100 }), Some((1_010_100, 50_000))),
        (json!({ "n": 1, "m": 2 }), None),
        (json!({ "n": 100 }), Some((65_100, 50_000))),
    ] {
        assert_eq!(refusal(&gateway, query, variables).await, expected);
    }
    let many: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Asset { incidents(first: 5) { totalCount } } } }";
    assert_eq!(refusal(&gateway, query, json!({ "ids": many })).await, Some((60_000, 50_000)));
}
