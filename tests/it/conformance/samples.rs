//! Tests on every field that can be filtered by, made of what incidents hold and of what they do not.

use super::bench::key;
use incident_gateway::domain::*;
use std::{collections::BTreeSet, sync::Arc};

/// At least one test on every field; lists with one value, several, unknown ones, and both.
pub(super) fn samples(all: &[Arc<Incident>]) -> Vec<Test> {
    let mut tests = words();
    tests.extend(links(all));
    tests.extend(texts(all));
    tests.extend(times(all));
    for wanted in [true, false] {
        tests.extend([
            Test::Unassigned(wanted),
            Test::CreatedManually(wanted),
            Test::Published(wanted),
            Test::Starred(wanted),
        ]);
    }
    tests
}

/// Each word alone, each beside another, all, none.
fn lists<T: Clone>(values: &[T]) -> Vec<Vec<T>> {
    let alone = values.iter().map(|value| vec![value.clone()]);
    let pairs = values.windows(2).map(<[T]>::to_vec);
    alone.chain(pairs).chain([values.to_vec(), Vec::new()]).collect()
}

fn vocabulary<T: Vocabulary>() -> Vec<Vec<T>> {
    lists(&T::WORDS.iter().map(|word| word.value).collect::<Vec<T>>())
}

fn words() -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    tests.extend(vocabulary().into_iter().map(Test::Severity));
    tests.extend(vocabulary().into_iter().map(Test::Status));
    tests.extend(vocabulary().into_iter().map(Test::Detection));
    tests.extend(vocabulary().into_iter().map(Test::Resolution));
    tests.extend(vocabulary().into_iter().map(Test::Priority));
    tests.extend(vocabulary().into_iter().map(Test::CloudManagement));
    tests.extend(IncidentPhase::WORDS.iter().map(|word| Test::Phase(word.value)));
    tests
}

/// The first, a middle and the last of what there is, in lists together with what there is not.
fn among<T: Clone + Ord>(values: impl IntoIterator<Item = T>, unknown: &[T]) -> Vec<Vec<T>> {
    let distinct: Vec<T> = values.into_iter().collect::<BTreeSet<T>>().into_iter().collect();
    let mut picked: Vec<T> = Vec::new();
    if let (Some(first), Some(middle), Some(last)) =
        (distinct.first(), distinct.get(distinct.len() / 2), distinct.last())
    {
        picked = vec![first.clone(), middle.clone(), last.clone()];
    }
    picked.extend(unknown.iter().cloned());
    lists(&picked)
}

fn links(all: &[Arc<Incident>]) -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    // Ids that nobody has, in the shapes that vendors use.
    let nobody =
        ["00000000-0000-4000-8000-0000000000aa", "999999999", "applied-controls/x", "no, such & thing"].map(key);
    let owners = |links: Vec<Key>| -> Vec<Vec<OwnerRef>> {
        among(links, &nobody).into_iter().map(|keys| keys.into_iter().map(OwnerRef::Key).collect()).collect()
    };
    let keys = |of: &dyn Fn(&Incident) -> Vec<Key>| -> Vec<Key> { all.iter().flat_map(|one| of(one)).collect() };
    let of = |links: &[Link]| -> Vec<Key> { links.iter().map(|link| link.key.clone()).collect() };
    tests.extend(owners(keys(&|one| of(&one.owners))).into_iter().map(Test::Owners));
    tests.extend(owners(keys(&|one| of(one.created_by.as_slice()))).into_iter().map(Test::CreatedBy));
    let tags = among(keys(&|one| of(&one.tags)), &nobody).into_iter();
    tests.extend(tags.map(|keys| Test::Tags(keys.into_iter().map(TagRef::Key).collect())));
    let assets = keys(&|one| one.assets.iter().map(|link| link.asset.key.clone()).collect());
    tests.extend(among(assets, &nobody).into_iter().map(Test::Assets));
    let threats = keys(&|one| one.threats.iter().map(|link| link.threat.key.clone()).collect());
    tests.extend(among(threats, &nobody).into_iter().map(Test::Threats));
    tests.extend(among(keys(&|one| of(&one.qualifications)), &nobody).into_iter().map(Test::Qualifications));
    tests.extend(among(keys(&|one| of(&one.entities)), &nobody).into_iter().map(Test::Entities));
    let related = keys(&|one| one.related_records.iter().map(|link| link.record.key.clone()).collect());
    tests.extend(among(related, &nobody).into_iter().map(Test::RelatedRecords));
    for kind in [RelatedRecordKind::Control, RelatedRecordKind::Task, RelatedRecordKind::Risk] {
        let of_kind = keys(&|one| {
            one.related_records.iter().filter(|link| link.kind == kind).map(|link| link.record.key.clone()).collect()
        });
        tests.extend(among(of_kind, &[]).into_iter().map(Test::RelatedRecords));
    }
    tests.extend(among(keys(&|one| of(one.scope.as_slice())), &nobody).into_iter().map(Test::Scopes));
    tests
}

fn texts(all: &[Arc<Incident>]) -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    let strange = ["", "no such word", "a,b & c=d", "Ünïcode", "100%"].map(str::to_owned);
    let told = |of: &dyn Fn(&Incident) -> Vec<String>| -> Vec<Vec<String>> {
        let values: BTreeSet<String> = all.iter().flat_map(|one| of(one)).collect();
        let lower: Vec<String> = values.iter().take(2).map(|text| text.to_lowercase()).collect();
        among(values, &[&lower[..], &strange[..]].concat())
    };
    let owned = |texts: &[Text]| -> Vec<String> { texts.iter().map(|text| text.to_string()).collect() };
    tests.extend(told(&|one| owned(&one.origins)).into_iter().map(Test::Origins));
    tests.extend(told(&|one| owned(&one.categories)).into_iter().map(Test::Categories));
    tests.extend(told(&|one| owned(one.reference.as_slice())).into_iter().map(Test::References));
    let cloud = |one: &Incident| one.exposure.as_ref().and_then(|exposure| exposure.cloud_integration.clone());
    tests.extend(told(&|one| owned(cloud(one).as_slice())).into_iter().map(Test::CloudIntegrations));
    for typed in
        ["phishing", "VPN", "a, e", "the of", "\"on the\"", "zzz", "'", "100%", "_", "a\tb", ",", "2026-0", "ß"]
    {
        tests.push(Test::Search(Search::parse(typed)));
    }
    let wholes = |of: fn(&Incident) -> &Option<Text>| -> Vec<TextTest> {
        let values: BTreeSet<String> = all.iter().filter_map(|one| of(one).as_deref().map(str::to_owned)).collect();
        let equals = among(values, &strange).into_iter().map(|all| TextTest::new(None, Some(&all), None));
        let contains = ["phish", "ON ", "telnet", "'", "\"", "é", "zzz"];
        let contains = contains.into_iter().map(|part| TextTest::new(Some(part), None, None));
        let upper = TextTest::new(Some("E"), Some(&["x".into()]), None);
        equals.chain(contains).chain([upper]).collect()
    };
    tests.extend(wholes(|one| &one.title).into_iter().map(Test::Title));
    tests.extend(wholes(|one| &one.description).into_iter().map(Test::Description));
    tests.extend(wholes(|one| &one.computed_description).into_iter().map(Test::ComputedDescription));
    tests
}

type TimeOf = fn(&Incident) -> Option<Time>;

fn times(all: &[Arc<Incident>]) -> Vec<Test> {
    let fields: [(TimeField, TimeOf); 10] = [
        (TimeField::Created, |one| one.created_at),
        (TimeField::Updated, |one| one.updated_at),
        (TimeField::StatusChanged, |one| one.status_changed_at),
        (TimeField::Occurred, |one| one.occurred_at),
        (TimeField::Detected, |one| one.detected_at),
        (TimeField::Reported, |one| one.reported_at),
        (TimeField::Responded, |one| one.responded_at),
        (TimeField::Contained, |one| one.contained_at),
        (TimeField::Resolved, |one| one.resolved_at),
        (TimeField::Due, |one| one.due_at),
    ];
    let mut tests = Vec::new();
    for (field, of) in fields {
        let mut known: Vec<Time> = all.iter().filter_map(|one| of(one)).collect();
        known.sort();
        let fallback = all.iter().filter_map(|one| one.created_at).min().unwrap();
        let pick = |part: usize| known.get(known.len() * part / 4).copied().unwrap_or(fallback);
        let (a, b) = (pick(1), pick(3));
        let micros = chrono::TimeDelta::microseconds;
        for (since, until) in [
            (Some(a), None),
            (None, Some(b)),
            (Some(a), Some(b)),
            (Some(b), Some(a)),
            (Some(a), Some(a)),
            (Some(a + micros(1)), None),
            (Some(a - micros(1)), Some(a)),
            (Some(a), Some(a + micros(1))),
            (None, None),
        ] {
            tests.push(Test::Time(field, TimeRange { since, until }));
        }
    }
    tests
}
