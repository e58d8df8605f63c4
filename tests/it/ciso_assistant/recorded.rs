//! Answers of real servers, as recorded, read by the source: every field comes through.

use super::{compare, details, errors, records, support::*};
use incident_gateway::{domain::*, source::*};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// The rows of every recorded answer, by the list that they are rows of.
fn rows(release: &str) -> BTreeMap<String, Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ciso-assistant").join(release);
    let mut rows: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let case: Value = serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap();
        let (request, body) = (&case["request"], &case["response"]["body"]);
        let parts: Vec<&str> = request["path"].as_str().unwrap().trim_matches('/').split('/').collect();
        if request["method"] != "GET" || case["response"]["status"] != 200 {
            continue;
        }
        match (parts.as_slice(), &body["results"], &body["id"]) {
            (["api", list], Value::Array(all), _) => rows.entry((*list).to_owned()).or_default().extend(all.clone()),
            (["api", list, _], _, Value::String(_)) => rows.entry((*list).to_owned()).or_default().push(body.clone()),
            _ => {}
        }
    }
    rows
}

/// A source that answers everything with one page.
fn source(rows: &[Value]) -> std::sync::Arc<dyn Source> {
    let page = json!({ "count": rows.len(), "next": null, "previous": null, "results": rows }).to_string();
    errors::source(200, "application/json", page)
}

fn recorded() -> impl Iterator<Item = BTreeMap<String, Vec<Value>>> {
    ["v3.15.1", "v3.20.8"].into_iter().map(rows)
}

#[tokio::test]
async fn recorded_incidents_are_read_whole() {
    let (mut read, mut hidden) = (0, 0);
    for rows in recorded() {
        let rows = &rows["incidents"];
        let request = ListRequest { tests: Vec::new(), order: None, offset: 0, limit: 500, want: PLAIN };
        let told = source(rows).list(&call(), &request).await.unwrap();
        assert_eq!((told.items.len(), told.malformed), (rows.len(), 0));
        for (row, incident) in rows.iter().zip(&told.items) {
            compare::incident(row, incident, "http://localhost/");
        }
        read += rows.len();
        hidden += told.masked;
    }
    assert!(read > 40 && hidden > 5, "{read} {hidden}");
}

#[tokio::test]
async fn recorded_records_are_read_whole() {
    let mut read = 0;
    for all in recorded() {
        for (kind, list) in [
            (RecordKind::Asset, "assets"),
            (RecordKind::Threat, "threats"),
            (RecordKind::Evidence, "evidences"),
            (RecordKind::Scope, "folders"),
            (RecordKind::Tag, "filtering-labels"),
            (RecordKind::Term, "terminologies"),
            (RecordKind::RelatedRecord, "entities"),
        ] {
            for row in all.get(list).into_iter().flatten() {
                let ids = [records::native_of(kind, row)];
                let want = Want { raw: true, ..Want::PLAIN };
                let found = source(std::slice::from_ref(row)).related(&call(), kind, &ids, want).await.unwrap();
                assert_eq!((found.items.len(), found.malformed), (1, 0), "{row}");
                records::compare(row, &found.items[0].1);
                read += 1;
            }
        }
    }
    assert!(read >= 14, "{read}");
}

#[tokio::test]
async fn recorded_timelines_are_read_whole() {
    let mut read = 0;
    for all in recorded() {
        let mut by_incident: BTreeMap<NativeId, BTreeMap<NativeId, Value>> = BTreeMap::new();
        for entry in all.get("timeline-entries").into_iter().flatten() {
            let entries = by_incident.entry(native(&entry["incident"]["id"])).or_default();
            entries.insert(native(&entry["id"]), entry.clone());
        }
        for (incident, entries) in by_incident {
            let entries: Vec<Value> = entries.into_values().collect();
            let parts =
                DetailParts { comments: true, activity: true, evidence: true, assets: false, delete_preview: false };
            let want = Want { raw: true, ..Want::PLAIN };
            let request = DetailRequest { parts, incidents: vec![incident], want };
            let found = source(&entries).details(&call(), &request).await.unwrap();
            details::timeline(&entries, &found.items[0].1);
            read += entries.len();
        }
    }
    assert!(read >= 7, "{read}");
}
