//! Values in documents and variables: what is wrong is told with its place, before anything runs.

use super::message;
use crate::support::Gateway;
use serde_json::json;

#[tokio::test]
async fn what_is_wrong_with_a_value_is_told_with_its_place() {
    let gateway = Gateway::start().await;
    let time = "must be a DateTime";
    let one = "must have exactly one of `id`, `native`";
    let int = "must be an Int, a whole number from -2147483648 to 2147483647";
    let filter = |written: &str| format!("{{ incidents(filter: {written}) {{ totalCount }} }}");
    let by_variable = "query($f: IncidentFilter) { incidents(filter: $f) { totalCount } }".to_owned();
    let page = "query($n: Int) { incidents(first: $n) { totalCount } }".to_owned();
    for (query, variables, at, what) in [
        (filter("{created: {since: \"yesterday\"}}"), json!({}), "filter.created.since", time),
        (filter("{or: [{due: {until: 7}}]}"), json!({}), "filter.or[0].due.until", time),
        (by_variable.clone(), json!({ "f": { "updated": { "since": "2026-13-01" } } }), "$f.updated.since", time),
        ("{ incident(by: {}) { id } }".into(), json!({}), "by", one),
        ("{ ...F } fragment F on Query { incident(by: {id: null}) { id } }".into(), json!({}), "by", one),
        ("query($b: IncidentRef!) { incident(by: $b) { id } }".into(), json!({ "b": {} }), "$b", one),
        ("query($i: ID) { incident(by: {id: $i}) { id } }".into(), json!({}), "by.id", "cannot stand"),
        (
            "query($s: Severity) { incidents(filter: {severity: [$s]}) { totalCount } }".into(),
            json!({}),
            "filter.severity[0]",
            "cannot stand",
        ),
        ("{ incidents(first: 2147483648) { totalCount } }".into(), json!({}), "first", int),
        ("{ incidents(first: 1.0) { totalCount } }".into(), json!({}), "first", int),
        (page.clone(), json!({ "n": 2_147_483_648_u64 }), "$n", int),
        (page.clone(), json!({ "n": "1" }), "$n", int),
        ("query($n: Int!) { incidents(first: $n) { totalCount } }".into(), json!({}), "$n", "is missing"),
        (
            "query($n: Int!) { incidents(first: $n) { totalCount } }".into(),
            json!({ "n": null }),
            "$n",
            "must not be null",
        ),
        (
            filter("{severity: [\"HIGH\"]}"),
            json!({}),
            "filter.severity[0]",
            "must be a Severity: one of `CRITICAL`, `HIGH`",
        ),
        (filter("{severity: null, severities: 1}"), json!({}), "filter.severities", "has no such field"),
        (
            by_variable.clone(),
            json!({ "f": { "or": [{ "severity": ["NO"] }] } }),
            "$f.or[0].severity[0]",
            "must be a Severity",
        ),
        (by_variable.clone(), json!({ "f": { "not": { "no": 1 } } }), "$f.not.no", "has no such field"),
        (by_variable.clone(), json!({ "f": [] }), "$f", "must be an IncidentFilter, an object"),
        ("{ incidents(orderBy: {direction: ASC}) { totalCount } }".into(), json!({}), "orderBy.field", "is missing"),
    ] {
        let (executed, code, told) = message(&gateway, &query, variables).await;
        assert_eq!((executed, code.as_str()), (false, "BAD_USER_INPUT"), "{query}");
        assert!(told.contains(&format!("`{at}`")) && told.contains(what), "{query}: {told}");
    }
    assert!(gateway.data(&page.replace("$n)", "$n) @skip(if: true)")).await.is_object());
    let answer = gateway.ask_with(&page, json!({ "n": 3.0 })).await;
    assert_eq!(answer.get("errors"), None, "JSON does not tell 3.0 from 3");
}

#[tokio::test]
async fn a_text_may_be_escaped_in_every_way() {
    let gateway = Gateway::start().await;
    let found =
        gateway.data("{ incidents(filter: {search: \"😀\"}) { totalCount } }").await["incidents"]["totalCount"].clone();
    for written in ["\"😀\"", "\"\\uD83D\\uDE00\"", "\"\\u{1F600}\"", "\"\"\"😀\"\"\""] {
        let query = format!(
            "{{ source(name: {written}) {{ name }} incidents(filter: {{search: {written}}}) {{ totalCount }} }}"
        );
        let answer = gateway.ask(&query).await;
        assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{written}: {answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND");
        assert_eq!(answer["data"]["incidents"]["totalCount"], found, "{written}");
    }
    let (executed, code, _) = message(&gateway, "{ source(name: \"\\uD83D\") { name } }", json!({})).await;
    assert_eq!((executed, code.as_str()), (false, "BAD_USER_INPUT"));
}

#[tokio::test]
async fn mistakes_are_few_and_short_and_say_where() {
    let gateway = Gateway::start().await;
    let unknown: String = (0..400).map(|n| format!("unknown{n}: {}\n", "x".repeat(250))).collect();
    let answer = gateway.ask(&format!("{{\n{unknown}}}")).await;
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!((answer.get("data"), errors.len()), (None, 1), "aliases are counted first: {answer}");
    let unknown: String = (0..400).map(|n| format!("é: unknown{n}{}\n", "x".repeat(400))).collect();
    let many = gateway.ask(&format!("{{ viewer {{ ...F }} }} fragment F on Viewer {{ name {unknown}}}")).await;
    assert_eq!(many["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "a syntax error: é is no name");
    let unknown: String = (0..15).map(|n| format!("unknown{n}{}\n", "x".repeat(400))).collect();
    let answer =
        gateway.ask(&format!("{{ viewer {{\n\"\"\"é\"\"\"\n{unknown}}} }}").replace("\"\"\"é\"\"\"", "# é")).await;
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 10);
    for (index, error) in errors.iter().enumerate() {
        assert!(error["message"].as_str().unwrap().chars().count() <= 300);
        assert_eq!(error["locations"], json!([{ "line": index + 3, "column": 1 }]));
    }
    for (query, told) in [
        ("{ viewer { nam } }", "Type `Viewer` does not have a field `nam`."),
        ("{ viewer { name }", "Syntax error: expected `}`, got the end of the document."),
        ("", "Syntax error: unexpected end of the document."),
        ("mutation { x }", "`mutation` is not possible here."),
        ("{ viewer }", "Field `viewer` of type `Query` must have a selection of subfields."),
        ("query @skip(if: true) { viewer { name } }", "Directive `@skip` may not be used on QUERY."),
        ("{ viewer @no { name } }", "Cannot find directive `@no` in the schema."),
        ("fragment F on Query { viewer { name } }", "Fragment `F` must be used in an operation."),
    ] {
        assert_eq!(message(&gateway, query, json!({})).await.2, told);
    }
}

#[tokio::test]
async fn lists_of_different_lengths_are_different_arguments() {
    let gateway = Gateway::start().await;
    let query = |second: &str| {
        format!(
            "{{ a: incidents(filter: {{severity: [HIGH]}}) {{ totalCount }} ...F }}
             fragment F on Query {{ a: incidents(filter: {{severity: {second}}}) {{ totalCount }} }}"
        )
    };
    for second in ["[HIGH, LOW]", "[]", "[LOW]"] {
        let (executed, _, told) = message(&gateway, &query(second), json!({})).await;
        assert!(!executed && told.contains("conflicting field arguments"), "{second}: {told}");
    }
    gateway.data(&query("[HIGH]")).await;
}

/// A default lets a nullable variable stand where there must be a value; null given for it does not.
#[tokio::test]
async fn null_for_a_variable_with_a_default_is_refused_where_there_must_be_a_value() {
    let gateway = Gateway::start().await;
    for (query, variables, refused) in [
        ("query($b: Boolean = true) { viewer @include(if: $b) { name } }", json!({ "b": null }), true),
        ("query($b: Boolean = true) { viewer { name @skip(if: $b) id: __typename } }", json!({ "b": null }), true),
        ("query($b: Boolean = true) { viewer @include(if: $b) { name } }", json!({}), false),
        (
            "query($s: Severity = HIGH) { incidents(first: 1, filter: { severity: [$s] }) { totalCount } }",
            json!({ "s": null }),
            true,
        ),
        (
            "query($s: Severity = HIGH) { ...F } fragment F on Query { incidents(first: 1, filter: { severity: [$s] }) { totalCount } }",
            json!({ "s": null }),
            true,
        ),
        ("query($f: Int = 5) { incidents(first: $f) { totalCount } }", json!({ "f": null }), false),
        ("query($q: String = \"x\") { source(name: $q) { name } }", json!({ "q": null }), true),
        (
            "query($d: Boolean) { __type(name: \"Viewer\") { fields(includeDeprecated: $d) { name } } }",
            json!({}),
            false,
        ),
        (
            "query($d: Boolean) { __type(name: \"Viewer\") { ... { fields(includeDeprecated: $d) { name } } } }",
            json!({ "d": null }),
            false,
        ),
    ] {
        let answer = gateway.ask_with(query, variables).await;
        let told = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert_eq!(told.contains("must not be null: it stands where"), refused, "{query}: {answer}");
        assert_eq!(answer.get("errors").is_some(), refused, "{query}: {answer}");
        assert_eq!(answer.get("data").is_some(), !refused, "{query}: {answer}");
    }
}
