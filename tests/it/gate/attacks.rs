//! Documents made to hurt. Each is answered within a bound of time that holds in a debug build on a busy machine, nearly
//! all with a refusal, and the gateway answers afterwards.

use crate::support::{Gateway, call};
use incident_gateway::graphql::Request;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A refusal takes milliseconds in a release build (`docs/PERFORMANCE.md`).
const BOUND: Duration = Duration::from_secs(2);

/// The code of the first error.
async fn refused(gateway: &Gateway, query: &str, variables: Value) -> String {
    let start = Instant::now();
    let answer = gateway.ask_with(query, variables).await;
    let took = start.elapsed();
    let shown: String = query.chars().take(80).collect();
    assert!(took < BOUND, "{took:?} for {shown}");
    assert_eq!(answer.get("data"), None, "{shown}");
    let errors = answer["errors"].as_array().unwrap();
    assert!(errors.len() <= 10 && answer.to_string().len() < 8_000, "{shown}: {} errors", errors.len());
    assert_eq!(gateway.data("{ __typename }").await["__typename"], "Query", "after {shown}");
    errors[0]["extensions"]["code"].as_str().unwrap().to_owned()
}

fn repeat(count: usize, write: impl Fn(usize) -> String) -> String {
    (0..count).map(write).collect()
}

#[tokio::test]
async fn what_asks_for_too_much_is_refused_in_time() {
    let gateway = Gateway::start().await;
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    let spread = |name: &str, times: usize| format!("...{name} ").repeat(times);
    let multiplying = |levels: usize, times: usize, around: fn(String) -> String| {
        let fragments = repeat(levels, |n| {
            format!("fragment F{n} on Query {{ {} }} ", around(spread(&format!("F{}", n + 1), times)))
        });
        format!("{{ ...F0 }} {fragments} fragment F{levels} on Query {{ viewer {{ name }} }}")
    };
    for query in [
        format!("{{ nodes(ids: {}) {{ id }} }}", nested("[", "\"x\"", "]", 1_500)),
        format!("{{ nodes(ids: {}) {{ id }} }}", nested("[", "", "", 14_000)),
        format!("{{ node(id: {}) {{ id }} }}", nested("{a: ", "1", "}", 5_000)),
        format!("{{ incidents(filter: {}) {{ totalCount }} }}", nested("{not: ", "{}", "}", 70)),
        format!("query($v: {}) {{ viewer {{ name }} }}", nested("[", "Int", "]", 5_000)),
        nested("{ viewer ", "", "}", 7_000),
        format!("# \\\n{{ node(id: {}", "[".repeat(100_000)),
        multiplying(6, 12, |spreads| spreads),
        multiplying(600, 2, |spreads| spreads),
        format!(
            "{{ viewer {{ ...F0 }} }} {} fragment F6 on Viewer {{ name }}",
            repeat(6, |n| format!("fragment F{n} on Viewer {{ {} }} ", spread(&format!("F{}", n + 1), 12)))
        ),
        format!("{{ viewer {{ {} }} }}", repeat(1_000, |n| format!("a{n}: name "))),
        format!("{{ {} }}", repeat(1_000, |n| format!("a{n}: incidents(first: 1) {{ totalCount }} "))),
        format!("{{ {} }}", "viewer { name } ".repeat(3_500)),
        format!("{{ viewer {{ {} }} }}", "name ".repeat(14_000)),
        format!("{{ viewer {{ {} }} }}", repeat(5_000, |n| format!("unknown{n} "))),
        format!("{{ viewer {{ {} }} }}", "name ".repeat(100_000)),
        "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }".into(),
        repeat(4, |n| {
            format!("fragment F{n} on __Type {{ fields {{ type {{ {} }} }} }} ", spread(&format!("F{}", n + 1), 3))
        }) + "fragment F4 on __Type { name } { __schema { types { ...F0 } } }",
        format!(
            "{{ {} }}",
            repeat(20, |n| format!("a{n}: __schema {{ types {{ fields {{ type {{ fields {{ name }} }} }} }} }} "))
        ),
        format!("{{ viewer {{ name }} }}{}", ",".repeat(300_000)),
        format!("{{ incidents(filter: {{search: \"{}\"}}) {{ totalCount }} }}", "x".repeat(300_000)),
    ] {
        assert_eq!(refused(&gateway, &query, json!({})).await, "COST_LIMIT", "{}", &query[..query.len().min(200)]);
    }
}

#[tokio::test]
async fn what_is_wrong_many_times_is_refused_in_time() {
    let gateway = Gateway::start().await;
    let document = |selection: String| format!("{{ viewer {{ {selection} }} }}");
    for query in [
        "{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A name }".into(),
        format!(
            "{{ ...F0 }} {}",
            repeat(700, |n| format!("fragment F{n} on Query {{ viewer {{ name }} ...F{} }} ", (n + 1) % 700))
        ),
        format!(
            "{{ viewer {{ name }} }} {}",
            repeat(1_500, |n| format!("fragment F{n} on Viewer {{ ...F{} }} ", n + 1))
        ),
        format!("{{ viewer {{ name }} }} {}", repeat(2_000, |n| format!("fragment F{n} on X {{ x }} "))),
        format!("query A {{ viewer {{ name }} }} {}", repeat(3_000, |_| "query A { x } ".into())),
        format!("query Z {{ viewer {{ name }} }} {}", repeat(2_400, |n| format!("query Q{n} {{ x }} "))),
        format!("query({}) {{ viewer {{ name }} }}", repeat(3_500, |n| format!("$v{n}: Int "))),
        format!("query({}) {{ viewer {{ name }} }}", repeat(3_500, |_| "$v: Int ".into())),
        format!(
            "query({}) {{ nodes(ids: [{}]) {{ id }} }}",
            repeat(2_400, |n| format!("$v{n}: Int ")),
            repeat(2_400, |n| format!("$v{n} "))
        ),
        document(format!("name {}", "@skip(if: true) ".repeat(2_400))),
        document(format!("name {}", repeat(7_000, |n| format!("@d{n} ")))),
        format!("{{ incidents({}) {{ totalCount }} }}", repeat(4_500, |n| format!("a{n}: 1 "))),
        format!("{{ incidents({}) {{ totalCount }} }}", "first: 1 ".repeat(4_500)),
        format!("{{ incidents(filter: {{ {} }}) {{ totalCount }} }}", repeat(4_500, |n| format!("a{n}: 1 "))),
        format!("{{ incidents(filter: {{ {} }}) {{ totalCount }} }}", "search: 1 ".repeat(4_500)),
        format!("{{ nodes(ids: [{}]) {{ id }} }}", "null ".repeat(14_000)),
        document(repeat(480, |n| format!("unknown{n} "))),
        format!("{{ viewer {{ name }} }} {}", "\u{0}".repeat(14_000)),
        format!("{{ viewer {{ name }} }} {}", "\"\n".repeat(14_000)),
        "}".repeat(15_000),
        "...".repeat(15_000),
        "a".repeat(250_000),
        format!("{{ {} }}", "a".repeat(250_000)),
        format!("query A {{ {} }} query B {{ viewer {{ name }} x }}", "viewer { name } ".repeat(2_900)),
    ] {
        let request = refused(&gateway, &query, json!({})).await;
        assert!(["BAD_USER_INPUT", "COST_LIMIT"].contains(&request.as_str()), "{request}");
    }
}

/// Fields that may conflict are compared, and there are many ways to make that many comparisons.
#[tokio::test]
async fn fields_that_overlap_are_compared_in_time() {
    let gateway = Gateway::start().await;
    let nested = |depth: usize| format!("{}name{}", "parent { ".repeat(depth), " }".repeat(depth));
    let conflicting = repeat(240, |n| format!("...F{n} "));
    let fragments = repeat(240, |n| format!("fragment F{n} on Scope {{ parent {{ x: {} }} }} ", ["id", "name"][n % 2]));
    let lists =
        repeat(20, |n| format!("a: incidents(filter: {{severity: [{}]}}) {{ totalCount }} ", "HIGH ".repeat(500 + n)));
    for (query, code) in [
        (format!("{{ scopes {{ nodes {{ {conflicting} }} }} }} {fragments}"), "COST_LIMIT"),
        (
            format!("{{ scopes {{ nodes {{ {} }} }} }}", format!("{} ", nested(11)).repeat(40) + "x: id x: name"),
            "BAD_USER_INPUT",
        ),
        (format!("{{ {lists} }}"), "BAD_USER_INPUT"),
    ] {
        assert_eq!(refused(&gateway, &query, json!({})).await, code, "{}", &query[..100]);
    }
}

/// An operation that does not run is validated all the same: what all of them ask for together is bounded as well.
#[tokio::test]
async fn what_stands_beside_the_operation_cannot_hurt_either() {
    let gateway = Gateway::start().await;
    let fragments =
        repeat(40, |n| format!("fragment F{n} on Scope {{ a: parent {{ ...F{0} }} b: parent {{ ...F{0} }} }} ", n + 1));
    let nested = format!("{}name{} ", "parent { ".repeat(11), " }".repeat(11));
    let undefined = format!("fragment F on Query {{ nodes(ids: [{}]) {{ id }} }} ", "$a ".repeat(3_700));
    let long = format!("fragment F on Query {{ {} }} ", "__typename ".repeat(6_500));
    let each = |count| repeat(count, |n| format!("query B{n} {{ ...F }} "));
    for (refused, beside) in [
        (true, format!("query B {{ scopes {{ nodes {{ ...F0 }} }} }} {fragments} fragment F40 on Scope {{ name }}")),
        (true, undefined + &each(1_240)),
        (true, long + &each(1_200)),
        (
            true,
            repeat(70, |n| format!("fragment F{n} on Viewer {{ ...F{} }} ", n + 1))
                + "fragment F70 on Viewer { name } query B { viewer { ...F0 } }",
        ),
        (
            false,
            repeat(50, |n| format!("fragment F{n} on Viewer {{ ...F{} }} ", n + 1))
                + "fragment F50 on Viewer { name } query B { viewer { ...F0 } }",
        ),
        (false, format!("query B {{ scopes {{ nodes {{ {} }} }} }}", nested.repeat(400))),
        (false, format!("query B {{ scopes {{ nodes {{ {} x: id x: name }} }} }}", nested.repeat(400))),
        (false, format!("query B {{ {} }}", "viewer { name } ".repeat(2_900))),
        (false, format!("query B {{ viewer {{ {} }} }}", "name ".repeat(14_000))),
        (false, repeat(90, |n| format!("query B{n} {{ viewer {{ {} }} }} ", repeat(40, |n| format!("a{n}: name "))))),
    ] {
        let request = Request {
            query: format!("query A {{ viewer {{ name }} }} {beside}"),
            operation_name: Some("A".into()),
            ..Request::default()
        };
        let start = Instant::now();
        let answer = gateway.api.execute(request, &call("beside")).await;
        assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
        assert!(answer.body.len() < 8_000 && answer.body.contains("COST_LIMIT") == refused, "{}", answer.body);
    }
}

#[tokio::test]
async fn variables_made_to_hurt_are_refused_in_time() {
    let gateway = Gateway::start().await;
    let query = "query($f: IncidentFilter) { incidents(filter: $f) { totalCount } }";
    for member in ["not", "and", "or"] {
        let deep = (0..100).fold(json!({ "sources": ["grc"] }), |inner, _| json!({ member: inner }));
        assert_eq!(refused(&gateway, query, json!({ "f": deep })).await, "COST_LIMIT", "{member}");
        // What people and tools send is far below.
        let allowed = (0..30).fold(json!({ "sources": ["grc"] }), |inner, _| json!({ member: inner }));
        let start = Instant::now();
        let answer = gateway.ask_with(query, json!({ "f": allowed })).await;
        assert_eq!(answer.get("errors"), None);
        assert!(start.elapsed() < BOUND);
    }
    let many: Vec<Value> = (0..501).map(|n| json!({ "search": n.to_string() })).collect();
    for filter in [json!({ "or": many }), json!({ "search": "e ".repeat(101) })] {
        let answer = gateway.ask_with(query, json!({ "f": filter })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "COST_LIMIT", "{answer}");
        assert!(
            answer["errors"][0]["message"].as_str().unwrap().starts_with("`filter` has 101")
                || answer["errors"][0]["message"].as_str().unwrap().starts_with("`filter` has 501"),
            "{answer}"
        );
    }
    let wide: Vec<Value> = (0..16_000).map(|n| json!({ "search": n.to_string() })).collect();
    assert_eq!(refused(&gateway, query, json!({ "f": { "or": wide } })).await, "COST_LIMIT");
    let ids: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
    let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let start = Instant::now();
    assert_eq!(
        gateway.ask_with(nodes, json!({ "ids": ids })).await["errors"][0]["extensions"]["code"],
        "BAD_USER_INPUT"
    );
    assert!(start.elapsed() < BOUND);
    let twice: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
    assert_eq!(refused(&gateway, nodes, json!({ "ids": twice })).await, "COST_LIMIT");
    let unused: serde_json::Map<String, Value> = (0..20_000).map(|n| (n.to_string(), json!(n))).collect();
    assert_eq!(refused(&gateway, nodes, Value::Object(unused)).await, "COST_LIMIT");
}

#[tokio::test]
async fn errors_stand_in_the_order_of_the_document() {
    let gateway = Gateway::start().await;
    let query = "{ a: incident(by: {native: {source: \"grc\", id: \"00000000-0000-0000-0000-000000000000\"}}) { id }
        b: source(name: \"no\") { id } c: node(id: \"no\") { id } ...F }
        fragment F on Query { d: incidents(first: 0) { totalCount } }";
    let answer = gateway.ask(query).await;
    let paths: Vec<&Value> = answer["errors"].as_array().unwrap().iter().map(|error| &error["path"][0]).collect();
    assert_eq!(paths, ["a", "b", "c", "d"]);
}
