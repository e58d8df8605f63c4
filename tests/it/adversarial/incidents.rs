//! Incidents in pages and by id, at servers that differ in what no document tells.

use super::{compare, support::*};
use crate::support::call;
use incident_gateway::{domain::*, source::*, vendors::adversarial::BatchIds};
use std::collections::BTreeSet;

const QUIRKS: [Quirk; 6] = [
    Quirk::None,
    Quirk::NewerEnvelope,
    Quirk::ShortPages(10),
    Quirk::IntegerIds,
    Quirk::TellsNothing,
    Quirk::CountsRows,
];

#[tokio::test]
async fn pages_to_the_end_are_the_servers_own_rows() {
    for quirk in QUIRKS {
        let bench = Bench::with(230, quirk, |_| {}).await;
        let rows = bench.rest_rows().await;
        assert_eq!(rows.len(), 230);
        for limit in [100, 33, 1_000] {
            let all = bench.walk(Vec::new(), None, limit).await;
            assert_eq!(all.len(), rows.len(), "{quirk:?} {limit}");
            for (row, incident) in rows.iter().zip(&all) {
                compare::incident(row, incident);
            }
        }
    }
}

#[tokio::test]
async fn a_page_may_begin_anywhere() {
    for quirk in QUIRKS {
        let bench = Bench::with(120, quirk, |_| {}).await;
        let all = bench.walk(Vec::new(), None, 100).await;
        for (offset, limit) in [(0, 7), (1, 1), (7, 7), (30, 25), (99, 100), (101, 40), (119, 5), (120, 5), (500, 3)] {
            let rows = bench.source.list(&call("page"), &page(offset, limit)).await.unwrap();
            let from = all.get(offset as usize..).unwrap_or_default();
            assert!(rows.items.len() <= limit && rows.items.len() == rows.consumed);
            assert_eq!(rows.items, from[..rows.items.len()], "{quirk:?} {offset} {limit}");
            assert!(!rows.items.is_empty() || from.is_empty(), "{quirk:?} {offset} {limit}");
            if quirk != Quirk::TellsNothing {
                assert_eq!(rows.more, rows.items.len() < from.len(), "{quirk:?} {offset} {limit}");
            }
        }
    }
}

#[tokio::test]
async fn incidents_are_fetched_by_id_whatever_the_list_makes_of_ids() {
    for (quirk, batch, calls) in [
        (Quirk::None, BatchIds::Display, 4),
        (Quirk::None, BatchIds::Integer, 4),
        (Quirk::NewerEnvelope, BatchIds::Display, 4),
        (Quirk::IntegerIds, BatchIds::Integer, 4),
        (Quirk::None, BatchIds::Off, 53),
        (Quirk::RefusesIds, BatchIds::Display, 54),
        (Quirk::IgnoresIds, BatchIds::Display, 54),
    ] {
        let bench = Bench::with(300, quirk, |config| config.batch_ids = batch).await;
        let rows = bench.rest_rows().await;
        // The oldest, so that a list that ignores ids does not show them by chance.
        let wanted: Vec<NativeId> = (1..=50).map(|number| NativeId::new(&format!("INC-{number:05}"))).collect();
        let unknown =
            ["INC-99999", "INC-00301", "x", "sources", "../users/me", "INC-", "41", "INC-41", "inc-00041", "RSK-00001"];
        let ids: Vec<NativeId> = wanted.iter().cloned().chain(unknown.map(NativeId::new)).collect();
        bench.calls();
        let found = bench.source.fetch(&call("fetch"), &ids, PLAIN).await.unwrap();
        let made = bench.calls();
        assert!(found.failed.is_empty());
        let mut got: Vec<&NativeId> = found.items.iter().map(|(id, _)| id).collect();
        got.sort();
        assert_eq!(got, wanted.iter().collect::<Vec<_>>(), "{quirk:?} {batch:?}");
        for (id, incident) in &found.items {
            let row = rows.iter().find(|row| row["incident"]["id"] == id.to_string()).unwrap();
            compare::incident(row, incident);
        }
        assert!(made.len() <= calls + 6, "{quirk:?} {batch:?}: {} calls, {made:?}", made.len());
        assert!(made.iter().all(|path| path.starts_with("/api/v1/incidents")), "{made:?}");
    }
}

/// Ids of other vendors come here with every filter on native ids: they must not cost a call each.
#[tokio::test]
async fn ids_that_are_not_there_cost_no_call_each_where_the_list_takes_ids() {
    let real: Vec<NativeId> = (1..=120).map(|number| NativeId::new(&format!("INC-{number:05}"))).collect();
    let absent = (0..180).map(|number| NativeId::new(&format!("{number:08x}-0000-4000-8000-000000000000")));
    let ids: Vec<NativeId> = absent.chain(real.iter().cloned()).collect();
    for (quirk, first, again) in [
        (Quirk::None, Some(5), Some(3)),
        (Quirk::NewerEnvelope, Some(5), Some(3)),
        // What of a batch did not fit on a page has to be asked for.
        (Quirk::ShortPages(10), None, None),
        // Whether what came is all is told for those alone of which nothing came.
        (Quirk::TellsNothing, None, None),
        (Quirk::IntegerIds, None, None),
        (Quirk::IgnoresIds, None, None),
        (Quirk::RefusesIds, None, None),
    ] {
        let bench = Bench::with(300, quirk, |_| {}).await;
        for calls in [first, again] {
            let found = bench.source.fetch(&call("fetch"), &ids, PLAIN).await.unwrap();
            let got: BTreeSet<&NativeId> = found.items.iter().map(|(id, _)| id).collect();
            assert_eq!((got, found.failed.len()), (real.iter().collect(), 0), "{quirk:?}");
            let made = bench.calls();
            assert!(calls.is_none_or(|calls| made.len() == calls), "{quirk:?}: {} calls, {made:?}", made.len());
        }
    }
}

#[tokio::test]
async fn known_ids_cost_one_call_and_one_id_no_list() {
    let bench = Bench::new(60).await;
    let ids = ["INC-00001", "INC-00002", "INC-00060"].map(NativeId::new);
    bench.source.fetch(&call("fetch"), &ids, PLAIN).await.unwrap();
    assert_eq!(bench.calls(), ["/api/v1/incidents?page=1&page_size=3&id=INC-00001&id=INC-00002&id=INC-00060"]);
    bench.source.fetch(&call("fetch"), &ids[2..], PLAIN).await.unwrap();
    assert_eq!(bench.calls(), ["/api/v1/incidents/60?"]);
}

#[tokio::test]
async fn an_incident_is_found_by_either_form_of_its_id() {
    let bench = Bench::new(60).await;
    let texts = [
        "INC-00041",
        "INC-41",
        "inc-000041",
        "41",
        " 41 ",
        "INC-00061",
        "0",
        "+1",
        "",
        "-1",
        "sources",
        "a/b",
        "99999999999999999999",
    ];
    let references = texts.map(|text| Reference::Incident(text.to_owned()));
    let found = bench.source.resolve(&call("resolve"), &references).await.unwrap();
    for (place, (text, found)) in texts.iter().zip(&found).enumerate() {
        let expected: &[NativeId] = if place < 5 { &[NativeId::new("INC-00041")] } else { &[] };
        assert_eq!(found, expected, "{text:?}");
    }
    let answer = bench.data(r#"{ incident(by: {native: {source: "adv", id: "41"}}) { reference sourceId } }"#).await;
    assert_eq!(answer["incident"], serde_json::json!({ "reference": "INC-00041", "sourceId": "INC-00041" }));
}

#[tokio::test]
async fn people_and_tags_are_looked_up_by_nothing_but_their_ids() {
    let bench = Bench::new(10).await;
    assert!(!bench.source.capabilities(&call("names")).await.resolves_names);
    let own = [Reference::OwnerSourceId("u-1".into())];
    assert_eq!(bench.source.resolve(&call("names"), &own).await.unwrap(), [[NativeId::new("u-1")]]);
    for reference in [Reference::OwnerEmail("a@b".into()), Reference::TagName("x".into())] {
        let error = bench.source.resolve(&call("names"), &[reference]).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unsupported);
    }
    assert!(bench.calls().is_empty());
}

#[tokio::test]
async fn a_row_is_kept_as_received_where_that_is_wanted() {
    let bench = Bench::new(30).await;
    let rows = bench.rest_rows().await;
    let request = ListRequest { want: RAW, ..page(0, 30) };
    let listed = bench.source.list(&call("raw"), &request).await.unwrap();
    let ids: Vec<NativeId> = listed.items.iter().map(|incident| incident.key.native.clone()).collect();
    let fetched = bench.source.fetch(&call("raw"), &ids, RAW).await.unwrap();
    let one = bench.source.fetch(&call("raw"), &ids[..1], RAW).await.unwrap();
    for incident in listed.items.iter().chain(fetched.items.iter().chain(&one.items).map(|(_, incident)| incident)) {
        let row = rows.iter().find(|row| row["incident"]["id"] == incident.key.native.to_string()).unwrap();
        let raw: serde_json::Value = serde_json::from_str(incident.raw.as_ref().unwrap().as_str()).unwrap();
        assert_eq!(raw, *row);
    }
}

#[tokio::test]
async fn the_world_has_what_the_tests_look_for() {
    let bench = Bench::new(300).await;
    let all = bench.walk(Vec::new(), None, 100).await;
    let severities: BTreeSet<Severity> = all.iter().map(|incident| incident.severity).collect();
    let statuses: BTreeSet<IncidentStatus> = all.iter().map(|incident| incident.status).collect();
    assert_eq!((severities.len(), statuses.len()), (6, 4), "null severities too");
    let has = |what: &dyn Fn(&Incident) -> bool| {
        all.iter().any(|incident| what(incident)) && !all.iter().all(|incident| what(incident))
    };
    assert!(has(&|incident| incident.owners.is_empty()));
    assert!(has(&|incident| incident.origins.is_empty()));
    assert!(has(&|incident| incident.tags.len() > 1));
    assert!(has(&|incident| incident.threats.iter().any(|link| link.relevance.is_some())));
    assert!(has(&|incident| incident.threats.iter().any(|link| link.linked_at.is_some())));
    assert!(has(&|incident| incident.related_records.len() > 1));
    assert!(has(&|incident| incident.occurred_at.is_some()));
    assert!(has(&|incident| incident.responded_at.is_some()));
    assert!(has(&|incident| incident.contained_at.is_some()));
}
