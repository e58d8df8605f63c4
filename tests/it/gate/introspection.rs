//! Questions about the schema: what tools send passes, what goes round in circles does not, and all of it is validated.

use super::message;
use crate::support::Gateway;
use incident_gateway::graphql::QueryLimits;
use serde_json::json;

/// What graphql-js's `getIntrospectionQuery` writes with every option; GraphiQL, graphql-codegen and Relay send it with
/// fewer. graphql-js 16.11, `utilities/getIntrospectionQuery.js`.
pub(super) fn of_tools() -> String {
    let of_type = (0..9).fold("kind name".to_owned(), |inner, _| format!("kind name ofType {{ {inner} }}"));
    format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name kind }} mutationType {{ name kind }}
           subscriptionType {{ name kind }} types {{ ...FullType }}
           directives {{ name description isRepeatable locations args(includeDeprecated: true) {{ ...InputValue }} }} }} }}
         fragment FullType on __Type {{ kind name description specifiedByURL isOneOf
           fields(includeDeprecated: true) {{ name description args(includeDeprecated: true) {{ ...InputValue }}
             type {{ ...TypeRef }} isDeprecated deprecationReason }}
           inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }}
           enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
           possibleTypes {{ ...TypeRef }} }}
         fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue isDeprecated
           deprecationReason }}
         fragment TypeRef on __Type {{ {of_type} }}"
    )
}

#[tokio::test]
async fn what_tools_send_passes_and_tells_one_of() {
    let gateway = Gateway::start().await;
    let schema = gateway.data(&of_tools()).await;
    let types = schema["__schema"]["types"].as_array().unwrap();
    let one_of = |name: &str| types.iter().find(|ty| ty["name"] == name).unwrap()["isOneOf"].clone();
    assert_eq!((one_of("IncidentRef"), one_of("IncidentFilter")), (json!(true), json!(false)));
}

#[tokio::test]
async fn a_depth_for_fields_does_not_concern_the_schema() {
    let gateway = Gateway::within(QueryLimits { depth: 2, ..QueryLimits::default() }).await;
    gateway.data(&of_tools()).await;
    assert_eq!(gateway.codes("{ incidents { nodes { id } } }").await, ["COST_LIMIT"]);
}

#[tokio::test]
async fn circles_through_the_schema_are_refused() {
    let gateway = Gateway::start().await;
    let fields = "fields { type { fields { type { fields { name } } } } }";
    for query in [
        format!("{{ __schema {{ types {{ {fields} }} }} }}"),
        format!("{{ __type(name: \"Query\") {{ {fields} }} }}"),
        "{ __schema { types { ...A } } } fragment A on __Type { fields { type { ...B } } }
         fragment B on __Type { interfaces { possibleTypes { name } } }"
            .into(),
        format!("{{ __type(name: \"Query\") {{ {} name {} }} }}", "ofType {".repeat(21), "}".repeat(21)),
    ] {
        let answer = gateway.ask(&query).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "COST_LIMIT", "{query}");
        assert_eq!(answer.get("data"), None);
    }
    let ask = "{ __type(name: \"Query\") { fields { name type { fields { name type { ofType { name } } } } } } }";
    assert!(gateway.data(ask).await["__type"]["fields"].is_array());
}

#[tokio::test]
async fn questions_about_the_schema_are_validated_like_any_other() {
    let gateway = Gateway::start().await;
    for (query, variables) in [
        ("{ __schema { noSuch } }", json!({})),
        ("{ __type(name: \"Query\", name: \"Query\") { name } }", json!({})),
        ("{ __type { name } }", json!({})),
        ("{ __type(name: 1) { name } }", json!({})),
        ("query($n: String!) { __type(name: $n) { name } }", json!({})),
        ("query($n: String!) { __type(name: $n) { name } }", json!({ "n": 1 })),
        ("query($unused: Int) { __schema { description } }", json!({})),
        ("{ __schema { ...F } } fragment F on __Type { name }", json!({})),
    ] {
        let (executed, code, told) = message(&gateway, query, variables).await;
        assert_eq!((executed, code.as_str()), (false, "BAD_USER_INPUT"), "{query}: {told}");
    }
    let query = "query($n: String = \"Asset\", $no: Boolean = false) { a: __type(name: $n) { name kind @include(if: $no) }
        __schema { queryType { name } } __schema { queryType { kind } } incidents(first: 1) { totalCount } __typename }";
    let data = gateway.data(query).await;
    let expected = json!({ "a": { "name": "Asset" }, "__schema": { "queryType": { "name": "Query", "kind": "OBJECT" } },
        "incidents": { "totalCount": 500 }, "__typename": "Query" });
    assert_eq!(data, expected);
}

#[tokio::test]
async fn introspection_can_be_switched_off() {
    let gateway = Gateway::within(QueryLimits { introspection: false, ..QueryLimits::default() }).await;
    for query in [
        of_tools(),
        "{ __type(name: \"Query\") { name } }".into(),
        "{ ...F } fragment F on Query { viewer { name } __schema { description } }".into(),
    ] {
        let (executed, code, told) = message(&gateway, &query, json!({})).await;
        assert_eq!((executed, code.as_str()), (false, "FORBIDDEN"));
        assert_eq!(told, "Introspection is switched off: `__schema` and `__type` are not answered here.");
    }
    assert_eq!(gateway.data("{ __typename viewer { __typename } }").await["viewer"]["__typename"], "Viewer");
}
