//! The same through GraphQL, where the gateway sorts, filters and looks up what the source does not.

use super::bench::*;
use incident_gateway::{domain::*, graphql::Api};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Every page of a list, by the sources' own ids.
async fn walk(api: &Api, arguments: &str, first: usize) -> Vec<String> {
    let query = format!(
        "query($after: String) {{ incidents(first: {first}, after: $after, {arguments}) {{ nodes {{ sourceId }}
           pageInfo {{ hasNextPage endCursor }} sources {{ status truncated error {{ message }} }} }} }}"
    );
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = data(api, &query, json!({ "after": after })).await["incidents"].take();
        let report = &page["sources"][0];
        assert_eq!((&report["error"], &report["truncated"]), (&Value::Null, &json!(false)), "{arguments}");
        all.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["sourceId"].as_str().unwrap().to_owned()));
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

pub(super) async fn every_order_through_graphql_is_ours(subject: &Subject) {
    let bench = Bench::start(subject, 104).await;
    bench.disturb().await;
    let all = bench.all().await;
    let api = bench.api();
    for order in orders() {
        let arguments = format!("orderBy: {{ field: {}, direction: {} }}", order.field.name(), order.direction.name());
        assert_eq!(walk(&api, &arguments, 60).await, sorted(&all, order), "{arguments}");
    }
}

/// With a filter alone the source may apply it; within `or` the gateway has to.
pub(super) async fn filters_mean_the_same_whoever_applies_them(subject: &Subject) {
    let bench = Bench::start(subject, 90).await;
    bench.disturb().await;
    let all = bench.all().await;
    let api = bench.api();
    let since = all[30].created_at.unwrap();
    let until = all[60].created_at.unwrap();
    let (since, until) = (since.min(until), since.max(until));
    let range = TimeRange { since: Some(since), until: Some(until) };
    let written = format!("{{ since: \"{}\", until: \"{}\" }}", since.to_rfc3339(), until.to_rfc3339());
    let status = |all: &[IncidentStatus]| Test::Status(all.to_vec());
    use IncidentStatus as S;
    let mut filters = vec![
        ("status: [NEW]".to_owned(), status(&[S::New])),
        ("status: [NEW, OTHER, CLOSED, DISMISSED]".into(), status(&[S::New, S::Other, S::Closed, S::Dismissed])),
        ("status: []".into(), status(&[])),
        ("phase: DONE".into(), Test::Phase(IncidentPhase::Done)),
        ("severity: [CRITICAL, LOW]".into(), Test::Severity(vec![Severity::Critical, Severity::Low])),
        ("severity: [UNKNOWN]".into(), Test::Severity(vec![Severity::Unknown])),
        ("unassigned: true".into(), Test::Unassigned(true)),
        ("unassigned: false".into(), Test::Unassigned(false)),
        (format!("created: {written}"), Test::Time(TimeField::Created, range)),
        (format!("updated: {written}"), Test::Time(TimeField::Updated, range)),
        (format!("due: {written}"), Test::Time(TimeField::Due, range)),
        ("search: \"vpn\"".into(), Test::Search(Search::parse("vpn"))),
        ("search: \"ÄPFEL\"".into(), Test::Search(Search::parse("ÄPFEL"))),
        ("title: { contains: \"E\" }".into(), Test::Title(TextTest::new(Some("E"), None, None))),
        ("origins: [\"SIEM\"]".into(), Test::Origins(vec!["SIEM".into()])),
    ];
    let reference = all.iter().find_map(|incident| incident.reference.clone()).unwrap().to_string();
    filters.push((format!("references: [{reference:?}]"), Test::References(vec![reference])));
    for (filter, test) in filters {
        let filter_of_ours = Filter::Test(test);
        let count = kept(&all, &filter_of_ours).len();
        let expected: BTreeSet<String> = kept(&all, &filter_of_ours).into_iter().collect();
        let not: BTreeSet<String> = ids(&all).into_iter().filter(|id| !expected.contains(id)).collect();
        for (written, expected) in [
            (format!("filter: {{ {filter} }}"), &expected),
            (format!("filter: {{ or: [{{ {filter} }}] }}"), &expected),
            (format!("filter: {{ not: {{ {filter} }} }}"), &not),
        ] {
            let given = walk(&api, &written, 60).await;
            assert_eq!(given.iter().cloned().collect::<BTreeSet<_>>(), *expected, "{written}");
            assert_eq!(given.len(), expected.len(), "{written}: each once");
        }
        let query = format!("{{ incidents(first: 1, filter: {{ {filter} }}) {{ totalCount }} }}");
        assert_eq!(ask(&api, &query).await["incidents"]["totalCount"], json!(count), "{filter}");
    }
}

/// By e-mail in any letter case, by the source's own id, by the tag's name: the rows that show them.
pub(super) async fn people_and_tags_are_found_by_what_they_are_called(subject: &Subject) {
    let bench = Bench::start(subject, 60).await;
    let api = bench.api();
    let query = "{ incidents(first: 100) { nodes { sourceId owners { sourceId email } tags { name } reference } } }";
    let nodes = ask(&api, query).await["incidents"]["nodes"].take();
    let nodes: Arc<Vec<Value>> = Arc::new(nodes.as_array().unwrap().clone());
    let shows = |list: &str, member: &str, wanted: &Value| -> BTreeSet<String> {
        let same = |one: &Value| {
            let texts = [one[member].as_str(), wanted.as_str()].map(|text| text.unwrap_or_default().to_lowercase());
            texts[0] == texts[1]
        };
        let has = |node: &&Value| node[list].as_array().unwrap().iter().any(same);
        nodes.iter().filter(has).map(|node| node["sourceId"].as_str().unwrap().to_owned()).collect()
    };
    for (list, member, argument) in [
        ("owners", "email", "owners: [{ email"),
        ("owners", "sourceId", "owners: [{ sourceId"),
        ("tags", "name", "tags: [{ name"),
    ] {
        let told = nodes.iter().flat_map(|node| node[list].as_array().unwrap()).map(|one| one[member].clone());
        let told: BTreeSet<String> = told.filter_map(|text| text.as_str().map(str::to_owned)).collect();
        for text in told.iter().take(4) {
            let typed = if member == "sourceId" { text.clone() } else { text.to_uppercase() };
            let found = walk(&api, &format!("filter: {{ {argument}: {typed:?} }}] }}"), 100).await;
            assert_eq!(
                found.into_iter().collect::<BTreeSet<_>>(),
                shows(list, member, &json!(text)),
                "{argument} {text}"
            );
        }
        let none = walk(&api, &format!("filter: {{ {argument}: \"nobody@nowhere.test\" }}] }}"), 10).await;
        assert_eq!(none, [""; 0]);
    }
    let reference = nodes.iter().find(|node| node["reference"].is_string()).unwrap();
    let one = format!(
        "{{ incident(by: {{ native: {{ source: \"one\", id: {} }} }}) {{ sourceId }} }}",
        reference["reference"]
    );
    assert_eq!(ask(&api, &one).await["incident"]["sourceId"], reference["sourceId"]);
}
