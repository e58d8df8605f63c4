//! The promises of cynic, whose queries are checked against the schema while this is compiled. Asks the gateway at
//! GATEWAY_URL; prints one line for each promise.

use cynic::{GraphQlResponse, Id, Operation, QueryBuilder};
use std::collections::BTreeSet;

#[cynic::schema("gateway")]
mod schema {}

/// RFC 3339, in UTC.
#[derive(cynic::Scalar, Clone, PartialEq, PartialOrd)]
struct DateTime(String);

#[derive(cynic::QueryVariables, Clone, Default)]
struct PageVariables {
    first: i32,
    after: Option<String>,
    filter: Option<IncidentFilter>,
}

#[derive(cynic::InputObject, Clone, Default)]
struct IncidentFilter {
    severity: Option<Vec<Severity>>,
    unassigned: Option<bool>,
    not: Option<Box<IncidentFilter>>,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq)]
enum Severity {
    Unknown,
    Informational,
    Minor,
    Low,
    Medium,
    High,
    Critical,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "PageVariables")]
struct Page {
    #[arguments(first: $first, after: $after, filter: $filter, orderBy: { field: CREATED_AT, direction: ASC })]
    incidents: Option<IncidentConnection>,
    viewer: Viewer,
}

#[derive(cynic::QueryFragment)]
struct Viewer {
    name: String,
}

#[derive(cynic::QueryFragment)]
struct IncidentConnection {
    total_count: Option<i32>,
    page_info: PageInfo,
    nodes: Vec<Incident>,
}

#[derive(cynic::QueryFragment)]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(cynic::QueryFragment)]
struct Incident {
    id: Id,
    severity: Severity,
    created_at: Option<DateTime>,
}

#[derive(cynic::QueryVariables)]
struct OneVariables {
    by: IncidentRef,
}

/// Exactly one of them: `@oneOf`.
#[derive(cynic::InputObject)]
#[expect(dead_code, reason = "what is not asked for is checked against the schema all the same")]
enum IncidentRef {
    Id(Id),
    Native(NativeRef),
}

#[derive(cynic::InputObject)]
struct NativeRef {
    source: String,
    id: String,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "OneVariables")]
struct One {
    #[arguments(by: $by)]
    incident: Option<Incident>,
}

#[derive(serde::Deserialize)]
struct Extensions {
    code: String,
}

type Answer<T> = GraphQlResponse<T, Extensions>;

fn ask<T, V>(operation: &Operation<T, V>) -> Answer<T>
where
    T: serde::de::DeserializeOwned,
    V: serde::Serialize,
{
    let url = std::env::var("GATEWAY_URL").expect("GATEWAY_URL says where the gateway is");
    let request = minreq::post(url).with_timeout(20);
    let request = request.with_header("content-type", "application/json");
    let request = request.with_header("accept", "application/graphql-response+json");
    let body = serde_json::to_string(operation).expect("operations are JSON");
    let answer = request.with_body(body).send().expect("the gateway answers");
    serde_json::from_str(answer.as_str().expect("answers are UTF-8")).expect("answers have the shape of the query")
}

fn page(variables: PageVariables) -> IncidentConnection {
    let answer = ask(&Page::build(variables));
    assert!(answer.errors.is_none());
    answer.data.and_then(|data| data.incidents).expect("there are incidents")
}

fn high(first: i32, after: Option<String>) -> PageVariables {
    let unassigned = IncidentFilter { unassigned: Some(true), ..IncidentFilter::default() };
    let severity = Some(vec![Severity::Critical, Severity::High]);
    let filter = IncidentFilter { severity, not: Some(Box::new(unassigned)), ..IncidentFilter::default() };
    PageVariables { first, after, filter: Some(filter) }
}

fn query_and_variables() {
    assert_eq!(page(high(7, None)).nodes.len(), 7);
}

fn two_pages() {
    let first = page(high(7, None));
    assert!(first.total_count > Some(14) && first.page_info.has_next_page);
    let second = page(high(7, first.page_info.end_cursor));
    let nodes: Vec<Incident> = first.nodes.into_iter().chain(second.nodes).collect();
    // Some systems tell more digits of a second than others, after which the Z would count.
    let time = |incident: &Incident| incident.created_at.as_ref().map(|time| time.0.trim_end_matches('Z').to_owned());
    assert!(nodes.is_sorted_by_key(time));
    assert!(nodes.iter().all(|incident| matches!(incident.severity, Severity::Critical | Severity::High)));
    let ids: BTreeSet<String> = nodes.into_iter().map(|incident| incident.id.into_inner()).collect();
    assert_eq!(ids.len(), 14);
}

fn one_of() {
    let id = page(high(1, None)).nodes.remove(0).id;
    let answer = ask(&One::build(OneVariables { by: IncidentRef::Id(id.clone()) }));
    assert_eq!(answer.data.and_then(|data| data.incident).expect("it is there").id, id);
}

fn a_document_that_is_refused() {
    let operation = Operation::<Page, ()>::new("{ incidents { totalCount nope } }".to_owned(), ());
    let errors = ask(&operation).errors.expect("it is refused");
    assert!(errors.len() == 1 && errors[0].message.contains("nope"));
    assert_eq!(errors[0].extensions.as_ref().map(|extensions| extensions.code.as_str()), Some("BAD_USER_INPUT"));
}

fn a_field_that_is_refused() {
    let answer = ask(&Page::build(high(1000, None)));
    let errors = answer.errors.expect("1000 are too many");
    assert_eq!(errors[0].extensions.as_ref().map(|extensions| extensions.code.as_str()), Some("BAD_USER_INPUT"));
    let data = answer.data.expect("the other field stays");
    assert!(data.incidents.is_none() && !data.viewer.name.is_empty());
}

fn main() {
    let promises: [(&str, fn()); 5] = [
        ("query and variables", query_and_variables),
        ("two pages", two_pages),
        ("an input of which exactly one member is given", one_of),
        ("a document that is refused", a_document_that_is_refused),
        ("a field that is refused", a_field_that_is_refused),
    ];
    println!("ok cynic: its queries fit the schema");
    for (name, promise) in promises {
        match std::panic::catch_unwind(promise) {
            Ok(()) => println!("ok cynic: {name}"),
            Err(_) => println!("FAILED cynic: {name}: see above"),
        }
    }
}
