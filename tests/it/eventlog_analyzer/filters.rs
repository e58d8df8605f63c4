//! Every filter that the source is said to apply means what ours means, and none is sent that the document lacks.

use super::support::*;
use incident_gateway::{domain::*, source::*};
use std::collections::BTreeSet;
use std::sync::Arc;

const KNOWN: [&str; 7] = ["severity", "status", "created_by", "assignee", "from", "limit", "response_type"];

/// Tests of every kind, made of what the incidents hold.
fn samples(all: &[Arc<Incident>]) -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    tests.extend(Severity::WORDS.iter().map(|word| Test::Severity(vec![word.value])));
    tests.push(Test::Severity(vec![Severity::High, Severity::Low]));
    tests.extend(IncidentStatus::WORDS.iter().map(|word| Test::Status(vec![word.value])));
    tests.push(Test::Status(vec![IncidentStatus::New, IncidentStatus::Closed]));
    let links = |of: fn(&Incident) -> Option<&Link>| -> BTreeSet<Key> {
        all.iter().filter_map(|incident| of(incident)).map(|link| link.key.clone()).collect()
    };
    for key in links(|incident| incident.owners.first()).into_iter().take(12) {
        tests.push(Test::Owners(vec![OwnerRef::Key(key)]));
    }
    for key in links(|incident| incident.created_by.as_ref()) {
        tests.push(Test::CreatedBy(vec![OwnerRef::Key(key.clone())]));
        tests.push(Test::Owners(vec![OwnerRef::Key(key)]));
    }
    for id in ["-1", "77", "name/nobody", "99999999999999999999"] {
        tests.push(Test::Owners(vec![OwnerRef::Key(key(id))]));
        tests.push(Test::CreatedBy(vec![OwnerRef::Key(key(id))]));
    }
    tests.extend([Test::Unassigned(true), Test::Unassigned(false), Test::Published(true)]);
    tests.push(Test::Search(Search::parse("slow")));
    tests.push(Test::Phase(IncidentPhase::Open));
    tests
}

#[tokio::test]
async fn each_advertised_filter_selects_what_a_full_walk_selects() {
    let bench = Bench::new(300).await;
    let all = bench.walk(Vec::new(), 100).await;
    let capabilities = bench.source.capabilities(&call()).await;
    let (mut taken, mut selective, mut tried) = (0, 0, BTreeSet::new());
    for test in samples(&all) {
        let fit = capabilities.fit(&test);
        let filter = Filter::Test(test.clone());
        let expected: Vec<String> = all
            .iter()
            .filter(|incident| filter.matches(incident))
            .map(|incident| incident.key.native.to_string())
            .collect();
        match fit {
            Fit::Source | Fit::Both => {
                let found = bench.walk(vec![test.clone()], 100).await;
                assert_eq!(ids(&found), expected, "{test:?}");
                taken += 1;
                tried.insert(test.field());
                selective += usize::from(!expected.is_empty() && expected.len() < all.len());
            }
            Fit::Nothing => assert!(expected.is_empty(), "{test:?}"),
            Fit::Gateway => {}
        }
    }
    let advertised: BTreeSet<IncidentField> = capabilities.list.filters.iter().map(|filter| filter.field).collect();
    assert_eq!(tried, advertised);
    assert!(selective * 2 > taken && taken > 30, "{selective} of {taken}");
    for call in bench.sandbox.calls().iter().filter(|call| call.path == "/api/v2/incident") {
        for pair in call.query.split('&') {
            assert!(KNOWN.contains(&pair.split('=').next().unwrap()), "{}", call.query);
        }
    }
}

#[tokio::test]
async fn several_values_are_left_to_the_gateway() {
    let bench = Bench::new(60).await;
    let capabilities = bench.source.capabilities(&call()).await;
    for test in [
        Test::Severity(vec![Severity::High, Severity::Low]),
        Test::Owners(vec![OwnerRef::Key(key("301")), OwnerRef::Key(key("302"))]),
        Test::Unassigned(false),
    ] {
        assert_eq!(capabilities.fit(&test), Fit::Gateway, "{test:?}");
        let request = ListRequest { tests: vec![test], ..page(0, 10) };
        let error = bench.source.list(&call(), &request).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Internal);
    }
    assert!(bench.calls().is_empty());
}

#[tokio::test]
async fn a_filter_that_nothing_passes_costs_no_call() {
    let bench = Bench::new(20).await;
    let nobody = Test::Owners(vec![OwnerRef::Key(key("-1"))]);
    let request = ListRequest { tests: vec![nobody], ..page(0, 10) };
    let rows = bench.source.list(&call(), &request).await.unwrap();
    assert_eq!((rows.items.len(), rows.total, rows.more), (0, Some(0), false));
    assert!(bench.calls().is_empty());
}

#[tokio::test]
async fn the_filter_for_what_nobody_has_can_be_taken_from_the_source() {
    let query = "{ incidents(first: 100, filter: { unassigned: true }) { nodes { sourceId } } }";
    let with = Bench::new(80).await;
    let without = Bench::with(options(80), |config| config.unassigned_filter = false).await;
    let (a, b) = (with.data(query).await, without.data(query).await);
    assert_eq!(a, b);
    assert!(a["incidents"]["nodes"].as_array().unwrap().len() > 10);
    assert!(with.calls().iter().all(|call| call.contains("assignee=-1")));
    assert!(without.calls().iter().all(|call| !call.contains("assignee")));
}

#[tokio::test]
async fn people_are_named_by_id_name_and_address() {
    let bench = Bench::new(200).await;
    let all = bench.walk(Vec::new(), 100).await;
    let users = bench.rest("/api/v2/meta/users").await;
    let count = |of: &dyn Fn(&Incident) -> bool| all.iter().filter(|incident| of(incident)).count();
    let user = users["data"].as_array().unwrap().iter().find(|user| user["user_id"] == 304).unwrap();
    let (id, name) = (user["user_id"].to_string(), user["user_name"].as_str().unwrap());
    let assigned = count(&|incident| incident.owners.iter().any(|link| link.key == key(&*id)));
    let creator = key(&*format!("name/{name}"));
    let made = count(&|incident| incident.created_by.as_ref().is_some_and(|link| link.key == creator));
    assert!(assigned > 0 && made > 0, "{assigned} {made}");
    let email = user["email"].as_str().unwrap().to_uppercase();
    for (filter, expected) in [
        (format!("owners: {{ sourceId: \"{id}\" }}"), assigned),
        (format!("owners: {{ email: \"{email}\" }}"), assigned),
        (format!("createdBy: {{ sourceId: \"{name}\" }}"), made),
        (format!("createdBy: {{ sourceId: \"name/{name}\" }}"), made),
        (format!("createdBy: {{ email: \"{email}\" }}"), made),
        (format!("createdBy: {{ id: \"{}\" }}", GlobalId::new(IdKind::Owner, creator.clone())), made),
        (format!("createdBy: {{ sourceId: \"{}\" }}", name.to_uppercase()), 0),
        ("owners: { email: \"nobody@example.test\" }".to_owned(), 0),
    ] {
        let query = format!("{{ incidents(first: 1, filter: {{ {filter} }}) {{ totalCount }} }}");
        assert_eq!(bench.data(&query).await["incidents"]["totalCount"], expected, "{filter}");
    }
}

/// Only the details tell assets, and filters look at rows: nothing is found, nothing is read for it, and the report says so.
#[tokio::test]
async fn what_an_incident_touches_is_unknown_to_filters_and_costs_no_call() {
    let bench = Bench::new(120).await;
    let query = "{ incidents(first: 20) { nodes { assets { nodes { id } } } } }";
    let data = bench.data(query).await;
    let asset = data.pointer("/incidents/nodes/0/assets/nodes/0/id").unwrap().clone();
    bench.sandbox.reset_calls();
    let query = format!(
        "{{ incidents(filter: {{ assetIds: [{asset}] }}) {{ totalCount sources {{ filteredByGateway }} }} \
         node(id: {asset}) {{ ... on Asset {{ incidents {{ totalCount }} }} }} }}"
    );
    let answer = bench.gql(&query).await;
    let incidents = &answer["data"]["incidents"];
    assert_eq!(incidents["totalCount"], 0);
    assert!(incidents["sources"][0]["filteredByGateway"].as_array().unwrap().contains(&"ASSETS".into()), "{answer}");
    let calls = bench.calls();
    assert!(calls.iter().all(|call| call.starts_with("/api/v2/incident?")), "{calls:?}");
    let request = ListRequest { want: Want { assets: true, ..PLAIN }, ..page(0, 10) };
    assert_eq!(bench.source.list(&call(), &request).await.unwrap().items.len(), 10);
    assert_eq!(bench.calls().len(), 1);
}
