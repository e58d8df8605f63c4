//! Every filter that the source is said to apply means what ours means; the others are the gateway's.

use super::support::*;
use incident_gateway::{domain::*, source::*};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Parameters of the document. Any other would be ignored.
const KNOWN: [&str; 11] =
    ["page", "id", "tenantID", "name", "timestampField", "from", "to", "status", "withAffected", "withHistory", ""];

#[tokio::test]
async fn each_advertised_filter_selects_what_a_full_walk_selects() {
    for custom_statuses in [true, false] {
        let bench = Bench::with(300, |config, _| config.custom_statuses = custom_statuses).await;
        let all = bench.walk(Vec::new(), 100).await;
        let capabilities = bench.source.capabilities(&call()).await;
        let (mut tried, mut selective) = (BTreeSet::new(), 0);
        for test in samples(&all) {
            let fit = capabilities.fit(&test);
            if !matches!(fit, Fit::Source | Fit::Both) {
                continue;
            }
            tried.insert(test.field());
            let filter = Filter::Test(test.clone());
            let expected: Vec<&Key> = all.iter().filter(|i| filter.matches(i)).map(|i| &i.key).collect();
            let found = bench.walk(vec![test.clone()], 100).await;
            let found: Vec<&Key> =
                found.iter().filter(|i| fit == Fit::Source || filter.matches(i)).map(|i| &i.key).collect();
            // Another time than that of creation also decides the order.
            let sorted = |mut keys: Vec<Key>| {
                keys.sort();
                keys
            };
            let (found, expected) = (found.into_iter().cloned().collect(), expected.into_iter().cloned().collect());
            let (found, expected) = (sorted(found), sorted(expected));
            assert_eq!(found, expected, "{custom_statuses} {test:?}");
            selective += usize::from(!expected.is_empty() && expected.len() < all.len());
        }
        let advertised: BTreeSet<IncidentField> = capabilities.list.filters.iter().map(|filter| filter.field).collect();
        assert_eq!(tried, advertised, "each has samples");
        assert!(selective > 15, "{selective}");
        for call in bench.calls().iter().filter_map(|call| call.strip_prefix("incidents?")) {
            let parameters = call.split('&').map(|pair| pair.split('=').next().unwrap());
            assert!(parameters.clone().all(|name| KNOWN.contains(&name)), "{call}");
        }
    }
}

/// Tests of every kind, made of what the incidents hold.
fn samples(all: &[Arc<Incident>]) -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    for status in IncidentStatus::WORDS.iter().map(|word| word.value) {
        tests.push(Test::Status(vec![status]));
        tests.push(Test::Status(vec![status, IncidentStatus::New]));
    }
    let scopes: BTreeSet<Key> = all.iter().flat_map(|i| i.scope.iter().map(|link| link.key.clone())).collect();
    let scopes: Vec<Key> = scopes.into_iter().collect();
    tests.push(Test::Scopes(vec![scopes[0].clone()]));
    tests.push(Test::Scopes(vec![scopes[1].clone(), scopes[2].clone(), key(&nobody(1).to_string())]));
    tests.push(Test::Scopes(vec![key("no tenant at all")]));
    for field in [TimeField::Created, TimeField::Updated, TimeField::StatusChanged, TimeField::Resolved] {
        let time = |place: usize| match field {
            TimeField::Created => all[place].created_at,
            TimeField::Updated => all[place].updated_at,
            _ => all[place].status_changed_at,
        };
        let nearly = time(50).map(|time| time + chrono::TimeDelta::microseconds(1));
        for (since, until) in [
            (time(90), None),
            (None, time(40)),
            (time(150), time(30)),
            (time(40), time(40)),
            (nearly, None),
            (None, nearly),
            (time(50), nearly),
        ] {
            tests.push(Test::Time(field, TimeRange { since, until }));
        }
    }
    tests.extend([Test::Unassigned(true), Test::Severity(vec![Severity::High]), Test::Assets(vec![key("x")])]);
    tests
}

#[tokio::test]
async fn filters_hold_together_and_a_second_range_is_the_gateways() {
    let bench = Bench::new(300).await;
    let all = bench.walk(Vec::new(), 100).await;
    let sample = all.iter().find(|i| i.status == IncidentStatus::Closed && i.updated_at > i.created_at).unwrap();
    let (created, updated) = (sample.created_at.unwrap().to_rfc3339(), sample.updated_at.unwrap().to_rfc3339());
    bench.sandbox.reset_calls();
    let answer = bench
        .data(&format!(
            r#"{{ incidents(first: 100, filter: {{ status: [CLOSED], created: {{ since: "{created}" }}, updated: {{ since: "{updated}" }} }}) {{
                nodes {{ sourceId createdAt updatedAt status }} sources {{ filteredBySource filteredByGateway }} }} }}"#
        ))
        .await;
    let expected: BTreeSet<String> = all
        .iter()
        .filter(|i| i.status == IncidentStatus::Closed && i.created_at >= sample.created_at)
        .filter(|i| i.updated_at >= sample.updated_at)
        .map(|i| i.key.native.to_string())
        .collect();
    assert_eq!(ids(&answer["incidents"]["nodes"]), expected);
    assert!(!expected.is_empty());
    let calls = bench.calls();
    assert!(calls.iter().all(|call| call.matches("timestampField").count() < 2), "{calls:?}");
    let report = &answer["incidents"]["sources"][0];
    assert_eq!(report["filteredBySource"], serde_json::json!(["STATUS", "CREATED_AT"]));
    assert!(report["filteredByGateway"].as_array().unwrap().contains(&"UPDATED_AT".into()), "{report}");
}

/// Whether one of a node's links has the id.
fn has(node: &Value, list: &str, id: &str) -> bool {
    node[list]["nodes"].as_array().unwrap().iter().any(|other| other["id"] == id)
}

fn ids(nodes: &Value) -> BTreeSet<String> {
    nodes.as_array().unwrap().iter().map(|node| node["sourceId"].as_str().unwrap().to_owned()).collect()
}

/// What the server cannot filter by is filtered by the gateway, assets included, which rows tell on demand only.
#[tokio::test]
async fn clients_can_filter_by_everything_that_incidents_show() {
    let bench = Bench::new(120).await;
    let whole = bench
        .data(
            "{ incidents(first: 100) { nodes { id sourceId title severity priority status phase resolution createdManually reference \
             origins owners { id sourceId } threats { nodes { id } } assets { nodes { id } } } } }",
        )
        .await;
    let nodes = whole["incidents"]["nodes"].as_array().unwrap();
    let first = |list: &str| {
        let node = nodes.iter().find(|node| node[list]["nodes"].as_array().is_some_and(|all| !all.is_empty())).unwrap();
        node[list]["nodes"][0]["id"].as_str().unwrap().to_owned()
    };
    let (asset, threat) = (first("assets"), first("threats"));
    let owner = nodes.iter().find_map(|node| node["owners"][0]["sourceId"].as_str()).unwrap().to_owned();
    let title = nodes[3]["title"].as_str().unwrap().chars().take(5).collect::<String>();
    let reference = nodes[4]["reference"].as_str().unwrap().to_owned();
    type Wanted<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let cases: Vec<(String, Wanted<'_>)> = vec![
        (format!("assetIds: [\"{asset}\"]"), Box::new(|node| has(node, "assets", &asset))),
        (format!("not: {{ assetIds: [\"{asset}\"] }}"), Box::new(|node| !has(node, "assets", &asset))),
        (format!("threatIds: [\"{threat}\"]"), Box::new(|node| has(node, "threats", &threat))),
        (
            format!("owners: [{{ sourceId: \"{owner}\" }}]"),
            Box::new(|node| node["owners"][0]["sourceId"] == owner.as_str()),
        ),
        ("unassigned: true".into(), Box::new(|node| node["owners"].as_array().unwrap().is_empty())),
        (
            format!("title: {{ contains: {} }}", Value::from(title.as_str())),
            Box::new(|node| node["title"].as_str().unwrap().to_lowercase().contains(&title.to_lowercase())),
        ),
        (format!("references: [\"{reference}\"]"), Box::new(|node| node["reference"] == reference.as_str())),
        ("severity: [UNKNOWN]".into(), Box::new(|node| node["severity"] == "UNKNOWN")),
        (
            "severity: [HIGH, UNKNOWN]".into(),
            Box::new(|node| node["severity"] == "HIGH" || node["severity"] == "UNKNOWN"),
        ),
        ("priority: [LOW]".into(), Box::new(|node| node["priority"] == "LOW")),
        ("resolution: [MERGED]".into(), Box::new(|node| node["resolution"] == "MERGED")),
        ("createdManually: true".into(), Box::new(|node| node["createdManually"] == true)),
        ("origins: [\"YARA\"]".into(), Box::new(|node| node["origins"].as_array().unwrap().contains(&"YARA".into()))),
        ("phase: OPEN".into(), Box::new(|node| node["phase"] == "OPEN")),
        ("phase: DONE".into(), Box::new(|node| node["phase"] == "DONE")),
        ("status: [OTHER]".into(), Box::new(|node| node["status"] == "OTHER")),
    ];
    let newest: BTreeSet<String> = ids(&whole["incidents"]["nodes"]);
    for (filter, wanted) in cases {
        let answer = bench
            .data(&format!("{{ incidents(first: 100, filter: {{ {filter} }}) {{ nodes {{ sourceId }} }} }}"))
            .await;
        let expected: BTreeSet<String> = nodes
            .iter()
            .filter(|node| wanted(node))
            .map(|node| node["sourceId"].as_str().unwrap().to_owned())
            .collect();
        // The first page of all has the newest hundred; older matches may come as well.
        let found: BTreeSet<String> = ids(&answer["incidents"]["nodes"]).intersection(&newest).cloned().collect();
        assert_eq!(found, expected, "{filter}");
        assert!(!expected.is_empty(), "{filter}");
    }
}

/// Rows with a word that nobody expects are there, whatever the setting says; and so are they for a filter.
#[tokio::test]
async fn statuses_of_custom_workflows_are_found_whether_they_are_expected_or_not() {
    for custom_statuses in [true, false] {
        let bench = Bench::with(200, |config, _| config.custom_statuses = custom_statuses).await;
        let nodes = |data: Value| -> Vec<Value> { data["incidents"]["nodes"].as_array().unwrap().clone() };
        let fields = "{ nodes { sourceId status sourceStatus } }";
        let all = nodes(bench.data(&format!("{{ incidents(first: 100) {fields} }}")).await);
        for statuses in [vec!["OTHER"], vec!["NEW", "OTHER"], vec!["NEW"], vec!["CLOSED", "REVIEW"], vec!["REVIEW"]] {
            let filter = statuses.join(", ");
            let query = format!("{{ incidents(first: 100, filter: {{ status: [{filter}] }}) {fields} }}");
            let found = nodes(bench.data(&query).await);
            let expected: Vec<&Value> =
                all.iter().filter(|node| statuses.contains(&node["status"].as_str().unwrap())).collect();
            let found_here: Vec<&Value> = found.iter().filter(|node| all.contains(node)).collect();
            assert_eq!(found_here, expected, "{custom_statuses} {filter}");
            assert_eq!(expected.is_empty(), statuses == ["REVIEW"]);
            assert!(found.iter().all(|node| statuses.contains(&node["status"].as_str().unwrap())));
        }
        let other = all.iter().find(|node| node["status"] == "OTHER").unwrap();
        assert_eq!(other["sourceStatus"], "Waiting for forensics");
        let statuses = bench.data("{ sources { capabilities { statuses { status } } } }").await;
        let statuses = statuses["sources"][0]["capabilities"]["statuses"].as_array().unwrap().clone();
        assert!(statuses.iter().any(|status| status["status"] == "OTHER"), "{statuses:?}");
    }
}

#[tokio::test]
async fn what_the_server_would_ignore_is_refused_before_it_is_sent() {
    let bench = Bench::new(20).await;
    let range = TimeRange { since: chrono::DateTime::from_timestamp(1_700_000_000, 0), until: None };
    for tests in [
        vec![Test::Unassigned(true)],
        vec![Test::Severity(vec![Severity::High])],
        vec![Test::Time(TimeField::Resolved, range)],
        vec![Test::Time(TimeField::Created, range), Test::Time(TimeField::Updated, range)],
    ] {
        let request = ListRequest { tests, ..page() };
        let error = bench.source.list(&call(), &request).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Internal, "{:?}", request.tests);
    }
    let order = Some(Order { field: IncidentOrderField::CreatedAt, direction: OrderDirection::Desc });
    assert!(bench.source.list(&call(), &ListRequest { order, ..page() }).await.is_err());
    assert!(bench.calls().is_empty());
}
