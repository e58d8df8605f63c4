//! Every filter that the source is said to apply means what ours means, and none is sent that the server ignores.

use super::support::*;
use incident_gateway::{domain::*, sandbox::Release, source::*};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Parameters that each release knows. Any other is ignored by the server.
const KNOWN: [&str; 14] = [
    "limit",
    "offset",
    "ordering",
    "id",
    "folder",
    "severity",
    "status",
    "detection",
    "assets",
    "qualifications",
    "owners",
    "entities",
    "filtering_labels",
    "search",
];
const KNOWN_LATER: [&str; 7] = [
    "applied_controls",
    "task_templates",
    "risk_scenarios",
    "created_at__gte",
    "created_at__lt",
    "updated_at__gte",
    "updated_at__lt",
];

#[tokio::test]
async fn each_advertised_filter_selects_what_a_full_walk_selects() {
    for release in RELEASES {
        let bench = Bench::new(release, 300).await;
        let all = bench.walk(Vec::new(), None, 500).await;
        let capabilities = bench.source.capabilities(&call()).await;
        let mut tried = BTreeSet::new();
        let (mut taken, mut selective) = (0, 0);
        for test in samples(&all) {
            if capabilities.fit(&test) != Fit::Source {
                continue;
            }
            taken += 1;
            tried.insert(test.field());
            let filter = Filter::Test(test.clone());
            let expected: Vec<&Key> = all.iter().filter(|i| filter.matches(i)).map(|i| &i.key).collect();
            let found = bench.walk(vec![test.clone()], None, 500).await;
            let equal = found.iter().map(|i| &i.key).eq(expected.iter().copied());
            assert!(equal, "{test:?}: {} instead of {}", found.len(), expected.len());
            selective += usize::from(!expected.is_empty() && expected.len() < all.len());
        }
        let advertised: BTreeSet<IncidentField> = capabilities.list.filters.iter().map(|filter| filter.field).collect();
        assert_eq!(tried, advertised, "each has samples");
        assert!(selective * 2 > taken, "{selective} of {taken}");
        assert_parameters(&bench, release);
    }
}

fn assert_parameters(bench: &Bench, release: Release) {
    for call in bench.sandbox.calls().iter().filter(|call| call.path == "/api/incidents/") {
        for pair in call.query.split('&') {
            let parameter = pair.split('=').next().unwrap();
            let later = release == Release::V3_20_8 && KNOWN_LATER.contains(&parameter);
            assert!(KNOWN.contains(&parameter) || later, "{release}: {}", call.query);
        }
    }
}

/// Tests of every kind, made of what the incidents hold.
fn samples(all: &[Arc<Incident>]) -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    for severity in Severity::WORDS.iter().map(|word| word.value) {
        tests.push(Test::Severity(vec![severity]));
        tests.push(Test::Severity(vec![severity, Severity::Low]));
    }
    tests.extend(IncidentStatus::WORDS.iter().map(|word| Test::Status(vec![word.value, IncidentStatus::Closed])));
    tests.extend(Detection::WORDS.iter().map(|word| Test::Detection(vec![word.value])));
    tests.push(Test::Detection(vec![Detection::Internal, Detection::External]));
    links(all, |i| i.scope.iter().map(|link| link.key.clone()).collect(), |keys| tests.push(Test::Scopes(keys)));
    links(all, |i| i.assets.iter().map(|link| link.asset.key.clone()).collect(), |keys| tests.push(Test::Assets(keys)));
    links(all, |i| keys(&i.qualifications), |keys| tests.push(Test::Qualifications(keys)));
    links(all, |i| keys(&i.entities), |keys| tests.push(Test::Entities(keys)));
    links(all, |i| keys(&i.owners), |keys| tests.push(Test::Owners(keys.into_iter().map(OwnerRef::Key).collect())));
    links(all, |i| keys(&i.tags), |keys| tests.push(Test::Tags(keys.into_iter().map(TagRef::Key).collect())));
    for kind in [RelatedRecordKind::Control, RelatedRecordKind::Task, RelatedRecordKind::Risk] {
        let of = |i: &Incident| {
            let kept = i.related_records.iter().filter(|link| link.kind == kind);
            kept.map(|link| link.record.key.clone()).collect()
        };
        links(all, of, |keys| tests.push(Test::RelatedRecords(keys)));
    }
    for typed in ["phishing", "INC", "a, e", "the of", "\"the \"", "zzz", "'", "100%", "_", "a\tb", ",", "2026-0"] {
        tests.push(Test::Search(Search::parse(typed)));
    }
    for field in [TimeField::Created, TimeField::Updated, TimeField::Reported] {
        let time = |place: usize| match field {
            TimeField::Created => all[place].created_at,
            TimeField::Updated => all[place].updated_at,
            _ => all[place].reported_at,
        };
        for (since, until) in [(time(40), None), (None, time(90)), (time(40), time(90)), (time(40), time(40))] {
            tests.push(Test::Time(field, TimeRange { since, until }));
        }
    }
    tests.extend([Test::Published(true), Test::Unassigned(true), Test::Threats(vec![key("x")])]);
    tests
}

fn keys(links: &[Link]) -> Vec<Key> {
    links.iter().map(|link| link.key.clone()).collect()
}

/// A test with one key, one with several.
fn links(all: &[Arc<Incident>], of: impl Fn(&Incident) -> Vec<Key>, mut push: impl FnMut(Vec<Key>)) {
    let distinct: BTreeSet<Key> = all.iter().flat_map(|incident| of(incident)).collect();
    let distinct: Vec<Key> = distinct.into_iter().collect();
    if let [first, .., last] = distinct.as_slice() {
        push(vec![first.clone()]);
        push(vec![last.clone(), distinct[distinct.len() / 2].clone()]);
    }
}

#[tokio::test]
async fn ids_that_the_server_does_not_know_match_nothing() {
    for release in RELEASES {
        let bench = Bench::new(release, 200).await;
        let all = bench.walk(Vec::new(), None, 500).await;
        let capabilities = bench.source.capabilities(&call()).await;
        let mut tried = 0;
        for test in samples(&all) {
            let (Some(mixed), Some(unknown)) = (with_unknown(&test, true), with_unknown(&test, false)) else {
                continue;
            };
            if capabilities.fit(&mixed) != Fit::Source {
                continue;
            }
            tried += 1;
            let known = bench.walk(vec![test.clone()], None, 500).await;
            assert_eq!(bench.walk(vec![mixed.clone()], None, 500).await, known, "{mixed:?}");
            let request = ListRequest { tests: vec![unknown], order: None, offset: 0, limit: 10, want: PLAIN };
            let rows = bench.source.list(&call(), &request).await.unwrap();
            assert_eq!((rows.items.len(), rows.total, rows.more), (0, Some(0), false));
        }
        assert!(tried >= if release == Release::V3_15_1 { 12 } else { 18 }, "{tried}");
    }
}

/// The same test with two unknown ids more, or with nothing else.
fn with_unknown(test: &Test, mixed: bool) -> Option<Test> {
    let more = |keys: &[Key], collection: &str| -> Vec<Key> {
        let kept = if mixed { keys.to_vec() } else { Vec::new() };
        let unknown = [1, 2].map(|number| key(&*format!("{collection}{}", nobody(number))));
        kept.into_iter().chain(unknown).collect()
    };
    let natives = |keys: &[Key]| keys[0].native.to_string();
    Some(match test {
        Test::Scopes(keys) => Test::Scopes(more(keys, "")),
        Test::Assets(keys) => Test::Assets(more(keys, "")),
        Test::Qualifications(keys) => Test::Qualifications(more(keys, "")),
        Test::Entities(keys) => Test::Entities(more(keys, "entities/")),
        Test::RelatedRecords(keys) => {
            let native = natives(keys);
            let (collection, _) = native.split_once('/')?;
            Test::RelatedRecords(more(keys, &format!("{collection}/")))
        }
        Test::Owners(owners) => {
            let keys: Vec<Key> = owners
                .iter()
                .filter_map(|owner| match owner {
                    OwnerRef::Key(key) => Some(key.clone()),
                    _ => None,
                })
                .collect();
            Test::Owners(more(&keys, "").into_iter().map(OwnerRef::Key).collect())
        }
        Test::Tags(tags) => {
            let keys: Vec<Key> = tags
                .iter()
                .filter_map(|tag| match tag {
                    TagRef::Key(key) => Some(key.clone()),
                    TagRef::Name(_) => None,
                })
                .collect();
            Test::Tags(more(&keys, "").into_iter().map(TagRef::Key).collect())
        }
        _ => return None,
    })
}

#[tokio::test]
async fn what_the_server_would_ignore_is_refused_before_it_is_sent() {
    let bench = Bench::new(Release::V3_15_1, 20).await;
    bench.warm().await;
    let since = chrono::DateTime::from_timestamp(1_700_000_000, 0);
    for test in [
        Test::Time(TimeField::Created, TimeRange { since, until: None }),
        Test::RelatedRecords(vec![key("applied-controls/x")]),
        Test::Threats(vec![key(nobody(1))]),
        Test::Published(true),
        Test::Search(Search::parse("ärger")),
        Test::Search(Search::parse("5\" disk")),
    ] {
        let request = ListRequest { tests: vec![test.clone()], order: None, offset: 0, limit: 10, want: PLAIN };
        let error = bench.source.list(&call(), &request).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Internal, "{test:?}");
    }
    assert!(bench.calls().is_empty());
}

#[tokio::test]
async fn a_filter_that_no_request_line_holds_is_refused_in_our_words() {
    let bench = Bench::new(Release::V3_15_1, 20).await;
    bench.warm().await;
    let keys = (0..200u8).map(|number| key(nobody(number))).collect();
    let request = ListRequest { tests: vec![Test::Assets(keys)], order: None, offset: 0, limit: 10, want: PLAIN };
    let error = bench.source.list(&call(), &request).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Rejected);
    assert!(error.public().contains("longer"), "{}", error.public());
    assert!(bench.calls().is_empty());
}

#[tokio::test]
async fn related_records_of_two_collections_are_left_to_the_gateway() {
    let bench = Bench::new(Release::V3_20_8, 20).await;
    let capabilities = bench.source.capabilities(&call()).await;
    let (control, task) = (key("applied-controls/1"), key("task-templates/1"));
    let fit = |keys: &[&Key]| capabilities.fit(&Test::RelatedRecords(keys.iter().map(|key| (*key).clone()).collect()));
    assert_eq!((fit(&[&control, &control]), fit(&[&control, &task])), (Fit::Source, Fit::Gateway));
}
