//! Every parameter of the list only narrows: with it, what matches is the same as without. Orders are ours.

use super::support::*;
use crate::support::call;
use incident_gateway::{domain::*, source::*, vendors::adversarial::*};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};

const GROUPS: [FilterGroup; 7] = [
    FilterGroup::Words,
    FilterGroup::References,
    FilterGroup::People,
    FilterGroup::Tags,
    FilterGroup::Text,
    FilterGroup::Search,
    FilterGroup::Times,
];

fn moment(text: &str) -> Option<Time> {
    Some(chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

/// Tests of every kind, made of what the incidents hold.
fn samples(all: &[Arc<Incident>]) -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    for severity in Severity::WORDS.iter().map(|word| word.value) {
        tests.push(Test::Severity(vec![severity]));
        tests.push(Test::Severity(vec![severity, Severity::Low]));
    }
    for status in IncidentStatus::WORDS.iter().map(|word| word.value) {
        tests.push(Test::Status(vec![status]));
        tests.push(Test::Status(vec![status, IncidentStatus::Closed]));
    }
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for origins in [&["SIEM"][..], &["EDR", "Bug bounty"], &["siem"], &["a,b & c"]] {
        tests.push(Test::Origins(texts(origins)));
    }
    for references in [&["INC-00007"][..], &["INC-00007", "INC-00009", "INC-99999"], &["inc-00007"], &["x"]] {
        tests.push(Test::References(texts(references)));
    }
    for words in [&["Fraud"][..], &["Data Disclosure", "Extortion"], &["Fraud", "World Domination"], &["x"]] {
        tests.push(Test::Threats(words.iter().map(|word| key(*word)).collect()));
    }
    let owners = all.iter().flat_map(|incident| &incident.owners).take(3).map(|link| OwnerRef::Key(link.key.clone()));
    tests.push(Test::Owners(owners.clone().take(1).collect()));
    tests.push(Test::Owners(owners.chain([OwnerRef::Key(key("nobody"))]).collect()));
    let creators = all.iter().flat_map(|incident| &incident.created_by).map(|link| OwnerRef::Key(link.key.clone()));
    tests.push(Test::CreatedBy(creators.clone().take(1).collect()));
    tests.push(Test::CreatedBy(creators.take(2).collect()));
    let tags = all.iter().flat_map(|incident| &incident.tags).map(|link| TagRef::Key(link.key.clone()));
    tests.push(Test::Tags(tags.clone().take(1).collect()));
    tests.push(Test::Tags(tags.take(3).collect()));
    for part in ["phish", "PHISH", "on ", "'", "zzz"] {
        tests.push(Test::Title(TextTest::new(Some(part), None, None)));
        tests.push(Test::Description(TextTest::new(Some(part), None, None)));
        tests.push(Test::Search(Search::parse(part)));
    }
    let title = all[3].title.as_deref().unwrap().to_owned();
    tests.push(Test::Title(TextTest::new(None, Some(std::slice::from_ref(&title)), None)));
    tests.push(Test::Title(TextTest::new(None, Some(&[title, "another".into()]), None)));
    tests.push(Test::Search(Search::parse("inc-0001 the")));
    tests.extend(times(all));
    tests
}

fn times(all: &[Arc<Incident>]) -> Vec<Test> {
    let mut tests = Vec::new();
    let (some, other) = (all[40].created_at, all[10].created_at);
    for field in [
        TimeField::Created,
        TimeField::Updated,
        TimeField::Detected,
        TimeField::Occurred,
        TimeField::Responded,
        TimeField::Contained,
    ] {
        for (since, until) in [
            (some, None),
            (None, some),
            (some, other),
            (moment("2026-10-01T02:00:00+02:00"), moment("2026-11-01T00:00:00Z")),
            (other, some),
        ] {
            tests.push(Test::Time(field, TimeRange { since, until }));
        }
    }
    tests
}

#[tokio::test]
async fn no_parameter_leaves_out_what_matches() {
    for (quirk, arrays) in
        [(Quirk::None, Arrays::Repeated), (Quirk::Brackets, Arrays::Brackets), (Quirk::Commas, Arrays::Commas)]
    {
        let bench = Bench::with(300, quirk, |config| (config.filters, config.arrays) = (GROUPS.to_vec(), arrays)).await;
        let all = bench.walk(Vec::new(), None, 100).await;
        let capabilities = bench.source.capabilities(&call("filters")).await;
        let (mut tried, mut narrowed) = (BTreeSet::new(), BTreeSet::new());
        for test in samples(&all) {
            if capabilities.fit(&test) != Fit::Both {
                continue;
            }
            tried.insert(test.field());
            let filter = Filter::Test(test.clone());
            let expected: Vec<&Key> = all.iter().filter(|i| filter.matches(i)).map(|i| &i.key).collect();
            let sent = bench.walk(vec![test.clone()], None, 100).await;
            let found: Vec<&Key> = sent.iter().filter(|i| filter.matches(i)).map(|i| &i.key).collect();
            assert_eq!(found, expected, "{test:?}");
            if sent.len() < all.len() && !expected.is_empty() {
                narrowed.insert(test.field());
            }
        }
        let advertised: BTreeSet<IncidentField> = capabilities.list.filters.iter().map(|filter| filter.field).collect();
        assert_eq!(tried, advertised, "each has samples");
        assert_eq!(narrowed, advertised, "each narrows");
        assert!(capabilities.list.filters.iter().all(|filter| !filter.exact));
    }
}

#[tokio::test]
async fn parameters_hold_together() {
    let bench = Bench::with(300, Quirk::None, |config| config.filters = GROUPS.to_vec()).await;
    let all = bench.walk(Vec::new(), None, 100).await;
    let tests = vec![
        Test::Severity(vec![Severity::High, Severity::Medium]),
        Test::Status(vec![IncidentStatus::InProgress, IncidentStatus::Closed]),
        Test::Origins(vec!["SIEM".into(), "EDR".into(), "Employee report".into()]),
        Test::Time(TimeField::Created, TimeRange { since: all[250].created_at, until: None }),
    ];
    let filter = Filter::All(tests.iter().cloned().map(Filter::Test).collect());
    let expected: Vec<&Key> = all.iter().filter(|i| filter.matches(i)).map(|i| &i.key).collect();
    let found = bench.walk(tests, None, 100).await;
    // Words and a range with an open end mean the same there, so that nothing else comes along.
    assert_eq!(found.iter().map(|i| &i.key).collect::<Vec<_>>(), expected);
    assert!(!expected.is_empty() && expected.len() < all.len() / 3);
}

#[tokio::test]
async fn only_documented_words_are_sent_unless_configured() {
    let bench = Bench::new(120).await;
    let all = bench.walk(Vec::new(), None, 100).await;
    let capabilities = bench.source.capabilities(&call("filters")).await;
    let fields: BTreeSet<IncidentField> = capabilities.list.filters.iter().map(|filter| filter.field).collect();
    use IncidentField as F;
    assert_eq!(fields, BTreeSet::from([F::Severity, F::Status, F::Origins, F::Threats]));
    assert!(capabilities.list.orders.is_empty());
    let filter = r#"{severity: [HIGH, UNKNOWN], status: [NEW, IN_PROGRESS], origins: ["SIEM"], title: {contains: "a"}, search: "e"}"#;
    bench.calls();
    let answer = bench
        .data(&format!("{{ incidents(first: 100, filter: {filter}) {{ totalCount nodes {{ reference }} }} }}"))
        .await;
    let matches = |i: &&Arc<Incident>| {
        [Severity::High, Severity::Unknown].contains(&i.severity)
            && [IncidentStatus::New, IncidentStatus::InProgress].contains(&i.status)
            && i.origins.iter().any(|origin| &**origin == "SIEM")
            && i.title.as_ref().is_some_and(|title| title.to_lowercase().contains('a'))
            && Filter::Test(Test::Search(Search::parse("e"))).matches(i)
    };
    let mut expected: Vec<&Arc<Incident>> = all.iter().filter(matches).collect();
    expected.sort_by(|a, b| b.created_at.cmp(&a.created_at).then(a.key.cmp(&b.key)));
    let expected: Vec<&str> = expected.iter().map(|i| &**i.reference.as_ref().unwrap()).collect();
    let nodes = answer["incidents"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.iter().map(|node| node["reference"].as_str().unwrap()).collect::<Vec<_>>(), expected);
    assert_eq!(answer["incidents"]["totalCount"], expected.len());
    assert!(!expected.is_empty());
    // UNKNOWN is null there, which nobody can ask for.
    let calls = bench.calls();
    assert_eq!(
        calls,
        ["/api/v1/incidents?page=1&page_size=100&status=In%20Progress&status=New&source=SIEM"],
        "{calls:?}"
    );
}

#[tokio::test]
async fn people_and_tags_are_found_by_what_they_are_called() {
    let bench = Bench::new(120).await;
    let rows = bench.rest_rows().await;
    let count = |is_it: &dyn Fn(&Value) -> bool| rows.iter().filter(|row| is_it(row)).count();
    let sample =
        rows.iter().find(|row| row["incident"]["assigned_to"].is_object() && row["tags"][0].is_object()).unwrap();
    let email = sample["incident"]["assigned_to"]["email"].as_str().unwrap();
    let id = sample["incident"]["assigned_to"]["id"].as_str().unwrap();
    let opener = sample["incident"]["opened_by"]["email"].as_str().unwrap();
    let tag = sample["tags"][0]["content"].as_str().unwrap();
    for (filter, expected) in [
        (
            format!("owners: [{{email: {:?}}}]", email.to_uppercase()),
            count(&|row| row["incident"]["assigned_to"]["email"] == email),
        ),
        (format!("owners: [{{sourceId: {id:?}}}]"), count(&|row| row["incident"]["assigned_to"]["id"] == id)),
        (format!("createdBy: [{{email: {opener:?}}}]"), count(&|row| row["incident"]["opened_by"]["email"] == opener)),
        (
            format!("tags: [{{name: {tag:?}}}]"),
            count(&|row| {
                let named = |one: &Value| one["content"].as_str().unwrap().to_lowercase() == tag.to_lowercase();
                row["tags"].as_array().unwrap().iter().any(named)
            }),
        ),
        ("unassigned: true".into(), count(&|row| row["incident"]["assigned_to"].is_null())),
        ("severity: [UNKNOWN]".into(), count(&|row| row["incident"]["severity"].is_null())),
        ("severity: [MINOR]".into(), 0),
    ] {
        let answer = bench.data(&format!("{{ incidents(filter: {{{filter}}}) {{ totalCount }} }}")).await;
        assert_eq!(answer["incidents"]["totalCount"], expected, "{filter}");
        assert!(expected > 0 || filter.contains("MINOR"), "{filter}");
    }
}

#[tokio::test]
async fn configured_orders_are_ours() {
    for (order_by, quirk) in [(OrderBy::Words, Quirk::None), (OrderBy::Minus, Quirk::NewerEnvelope)] {
        let bench = Bench::with(230, quirk, |config| config.order_by = order_by).await;
        let all = bench.walk(Vec::new(), None, 100).await;
        let capabilities = bench.source.capabilities(&call("orders")).await;
        assert_eq!(capabilities.list.orders.len(), 3);
        for (field, directions) in &capabilities.list.orders {
            for direction in directions {
                let order = Order { field: *field, direction: *direction };
                let mut expected: Vec<&Arc<Incident>> = all.iter().collect();
                expected.sort_by(|a, b| order.compare(&order.position(a), &order.position(b)));
                let found = bench.walk(Vec::new(), Some(order), 60).await;
                let keys = |incidents: &[&Arc<Incident>]| incidents.iter().map(|i| i.key.clone()).collect::<Vec<_>>();
                assert_eq!(keys(&found.iter().collect::<Vec<_>>()), keys(&expected), "{order:?}");
            }
        }
        let refused = ListRequest {
            order: Some(Order { field: IncidentOrderField::Title, direction: OrderDirection::Asc }),
            ..page(0, 10)
        };
        assert_eq!(bench.source.list(&call("orders"), &refused).await.unwrap_err().kind(), SourceErrorKind::Internal);
    }
}
