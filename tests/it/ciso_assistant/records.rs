//! Assets, threats, evidence, folders, labels, terms and entities: by id, and all of them.

use super::{compare::*, support::*};
use incident_gateway::{domain::*, sandbox::Release, source::*};
use serde_json::{Value, json};

const KINDS: [(RecordKind, &str); 7] = [
    (RecordKind::Asset, "assets/"),
    (RecordKind::Threat, "threats/"),
    (RecordKind::Evidence, "evidences/"),
    (RecordKind::Scope, "folders/"),
    (RecordKind::Tag, "filtering-labels/"),
    (RecordKind::Term, "terminologies/?field_path=qualifications"),
    (RecordKind::RelatedRecord, "entities/"),
];

/// The members that become links.
fn link_members(kind: RecordKind) -> &'static [&'static str] {
    match kind {
        RecordKind::Asset => &["folder", "owner", "filtering_labels", "parent_assets", "children_assets"],
        RecordKind::Threat => &["folder", "filtering_labels"],
        RecordKind::Evidence => &["folder", "owner", "filtering_labels"],
        RecordKind::Scope => &["parent_folder", "path"],
        RecordKind::Tag => &["folder"],
        _ => &[],
    }
}

pub(super) fn native_of(kind: RecordKind, row: &Value) -> NativeId {
    match kind {
        RecordKind::RelatedRecord => NativeId::new(&format!("entities/{}", row["id"].as_str().unwrap())),
        _ => native(&row["id"]),
    }
}

#[tokio::test]
async fn every_field_of_every_record_equals_the_servers_own() {
    for release in RELEASES {
        for account in ["gateway", "analyst"] {
            let bench = Bench::as_account(options(release, 200), account).await;
            for (kind, list) in KINDS {
                let rows = bench.rest_all(list).await;
                assert!(!rows.is_empty(), "{list}");
                let ids: Vec<NativeId> = rows.iter().map(|row| native_of(kind, row)).collect();
                let want = Want { raw: true, ..Want::PLAIN };
                let found = bench.source.related(&call(), kind, &ids, want).await.unwrap();
                assert_eq!((found.items.len(), found.failed.len(), found.malformed), (rows.len(), 0, 0), "{list}");
                let hidden: u32 = rows.iter().map(|row| hidden(row, link_members(kind))).sum();
                assert_eq!(found.masked, hidden, "{list}");
                for (id, record) in &found.items {
                    let row = rows.iter().find(|row| native_of(kind, row) == *id).unwrap();
                    assert_eq!((record.kind(), record.key()), (kind, &key(id.clone())));
                    compare(row, record);
                }
            }
        }
    }
}

pub(super) fn compare(row: &Value, record: &Record) {
    match record {
        Record::Asset(asset) => compare_asset(row, asset),
        Record::Threat(threat) => {
            assert_eq!(threat.kind, ThreatKind::Catalogued);
            assert_eq!(threat.name.as_deref(), text(&row["name"]));
            assert_eq!(threat.description.as_deref(), text(&row["description"]));
            assert_eq!(threat.reference.as_deref(), filled(&row["ref_id"]));
            assert_eq!(threat.provider.as_deref(), text(&row["provider"]));
            assert_eq!(threat.scope.as_ref().map(link), reference(&row["folder"]));
            assert_eq!(links(&threat.tags), references(&row["filtering_labels"]).0);
            received(row, &threat.raw);
        }
        Record::Evidence(evidence) => compare_evidence(row, evidence),
        Record::Scope(scope) => compare_scope(row, scope),
        Record::Tag(tag) => {
            assert_eq!(Some(&*tag.name), text(&row["label"]));
            assert_eq!(tag.scope.as_ref().map(link), reference(&row["folder"]));
        }
        Record::Term(term) => {
            assert_eq!(term.kind, TermKind::Qualification);
            assert_eq!(Some(&*term.name), text(&row["name"]));
            assert_eq!(term.label.as_deref(), text(&row["translated_name"]));
            assert_eq!(term.description.as_deref(), text(&row["description"]));
            assert_eq!(term.selectable, row["is_visible"].as_bool());
        }
        Record::RelatedRecord(entity) => {
            assert_eq!(entity.kind, RelatedRecordKind::Entity);
            assert_eq!(entity.name.as_deref(), text(&row["name"]));
            assert_eq!(entity.reference.as_deref(), filled(&row["ref_id"]));
            assert_eq!(entity.description.as_deref(), text(&row["description"]));
            received(row, &entity.raw);
        }
        Record::Incident(_) | Record::Owner(_) => panic!("{record:?}"),
    }
}

fn received(row: &Value, raw: &Option<RawJson>) {
    assert_eq!(serde_json::from_str::<Value>(raw.as_ref().unwrap().as_str()).unwrap(), *row);
}

fn compare_asset(row: &Value, asset: &Asset) {
    let kind = if row["type"] == "Primary" { AssetKind::Primary } else { AssetKind::Supporting };
    assert_eq!((asset.kind, asset.source_type.as_deref()), (kind, text(&row["type"])));
    assert_eq!(asset.name.as_deref(), text(&row["name"]));
    assert_eq!(asset.description.as_deref(), text(&row["description"]));
    assert_eq!(asset.reference.as_deref(), filled(&row["ref_id"]));
    assert_eq!(asset.scope.as_ref().map(link), reference(&row["folder"]));
    assert_eq!(links(asset.owners.as_ref().unwrap()), references(&row["owner"]).0);
    assert_eq!(links(&asset.tags), references(&row["filtering_labels"]).0);
    assert_eq!(links(asset.parents.as_ref().unwrap()), references(&row["parent_assets"]).0);
    let children = row.get("children_assets").map(|all| references(all).0);
    assert_eq!(asset.children.as_ref().map(links), children, "lists of later releases do not tell");
    assert_eq!(at(asset.created_at), micros(&row["created_at"]));
    assert_eq!(at(asset.updated_at), micros(&row["updated_at"]));
    assert!(asset.categories.is_empty() && row["asset_class"].is_null());
    received(row, &asset.raw);
}

fn compare_evidence(row: &Value, evidence: &Evidence) {
    assert_eq!(evidence.kind, EvidenceKind::Document);
    for (member, value) in [
        ("name", &evidence.title),
        ("description", &evidence.description),
        ("status", &evidence.source_status),
        ("link", &evidence.link),
    ] {
        assert_eq!(value.as_deref(), text(&row[member]), "{member}");
    }
    let attachment = evidence.attachment.as_ref();
    assert_eq!(attachment.and_then(|file| file.file_name.as_deref()), filled(&row["attachment"]));
    let size = match &row["size"] {
        Value::Null => None,
        Value::String(size) => Some(size.clone()),
        size => Some(size.to_string()),
    };
    if attachment.is_some() {
        assert_eq!(attachment.and_then(|file| file.size.as_deref()), size.as_deref());
    }
    assert_eq!(links(evidence.owners.as_ref().unwrap()), references(&row["owner"]).0);
    assert_eq!(evidence.scope.as_ref().map(link), reference(&row["folder"]));
    assert_eq!(links(&evidence.tags), references(&row["filtering_labels"]).0);
    assert_eq!(at(evidence.created_at), micros(&row["created_at"]));
    assert_eq!(at(evidence.updated_at), micros(&row["updated_at"]));
    assert_eq!(evidence.expires_on.map(|date| date.to_string()).as_deref(), text(&row["expiry_date"]));
    received(row, &evidence.raw);
}

fn compare_scope(row: &Value, scope: &Scope) {
    assert_eq!(scope.kind, ScopeKind::Folder);
    assert_eq!(scope.name.as_deref(), text(&row["name"]));
    assert_eq!(scope.description.as_deref(), text(&row["description"]));
    assert_eq!(scope.root, Some(row["content_type"] == "GLOBAL"));
    assert_eq!(scope.parent.as_ref().map(link), reference(&row["parent_folder"]));
    let mut path = references(&row["path"]).0;
    path.push((row["id"].as_str().unwrap().into(), row["name"].as_str().map(str::to_owned)));
    assert_eq!(links(&scope.path), path);
    received(row, &scope.raw);
}

/// The path that an incident tells of its folder is the one that the folder tells of itself.
#[tokio::test]
async fn the_path_of_an_incidents_folder_is_the_incidents_path() {
    let bench = Bench::as_account(options(Release::V3_15_1, 100), "admin").await;
    for row in bench.rest_all("incidents/").await {
        let scope = native(&row["folder"]["id"]);
        let found = bench.source.related(&call(), RecordKind::Scope, &[scope], PLAIN).await.unwrap();
        let Record::Scope(scope) = &found.items[0].1 else { panic!() };
        let path = references(&row["path"]).0;
        match path.is_empty() {
            true => assert_eq!((scope.root, scope.path.len()), (Some(true), 1)),
            false => assert_eq!(links(&scope.path), path),
        }
    }
}

#[tokio::test]
async fn all_records_of_a_kind_come_page_by_page_in_the_servers_order() {
    for release in RELEASES {
        let bench = Bench::new(release, 100).await;
        for (kind, list) in KINDS.into_iter().filter(|(kind, _)| *kind != RecordKind::Evidence) {
            let rows = bench.rest_all(list).await;
            let mut told = Vec::new();
            loop {
                let request = CatalogRequest {
                    kind,
                    offset: told.len() as u64,
                    limit: 6,
                    want: PLAIN,
                    search: Search::parse(""),
                };
                let page = bench.source.catalog(&call(), &request).await.unwrap();
                assert_eq!((page.total, page.consumed), (Some(rows.len() as u64), page.items.len()));
                told.extend(page.items.iter().map(|record| record.key().native.clone()));
                assert_eq!(page.more, told.len() < rows.len());
                if !page.more {
                    break;
                }
            }
            assert_eq!(told, rows.iter().map(|row| native_of(kind, row)).collect::<Vec<_>>(), "{list}");
        }
    }
}

#[tokio::test]
async fn only_labels_are_searched_by_the_server() {
    let bench = Bench::new(Release::V3_15_1, 50).await;
    let label = bench.rest_all("filtering-labels/").await[0]["label"].as_str().unwrap().to_owned();
    bench.sandbox.reset_calls();
    for (kind, list) in KINDS.into_iter().filter(|(kind, _)| *kind != RecordKind::Evidence) {
        let request = CatalogRequest { kind, offset: 0, limit: 99, want: PLAIN, search: Search::parse(&label) };
        let page = bench.source.catalog(&call(), &request).await.unwrap();
        let query = bench.sandbox.calls().pop().unwrap().query;
        assert_eq!(query.contains("search="), kind == RecordKind::Tag, "{list}: {query}");
        if kind == RecordKind::Tag {
            let found: Vec<_> =
                page.items.iter().filter(|r| matches!(r, Record::Tag(tag) if *tag.name == *label)).collect();
            assert_eq!(found.len(), 1);
        }
    }
}

#[tokio::test]
async fn unknown_ids_are_missing_and_foolish_ones_are_never_sent() {
    let bench = Bench::new(Release::V3_15_1, 50).await;
    for (kind, list) in KINDS {
        let known = native_of(kind, &bench.rest_all(list).await[0]);
        let prefix = if kind == RecordKind::RelatedRecord { "entities/" } else { "" };
        let unknown = NativeId::new(&format!("{prefix}{}", nobody(1)));
        let mut foolish: Vec<NativeId> = ["", "1", "a,b", "x/y", "%", "../users"].map(NativeId::new).into();
        foolish.push(NativeId::new(&known.to_string().to_uppercase()));
        bench.sandbox.reset_calls();
        let ids: Vec<NativeId> = [known.clone(), unknown].into_iter().chain(foolish.clone()).collect();
        let found = bench.source.related(&call(), kind, &ids, PLAIN).await.unwrap();
        assert_eq!(found.items.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&known], "{list}");
        assert!(found.failed.is_empty());
        assert_eq!(bench.calls().len(), 1);
        assert!(bench.source.related(&call(), kind, &foolish, PLAIN).await.unwrap().items.is_empty());
        assert!(bench.calls().is_empty());
    }
}

#[tokio::test]
async fn related_records_that_no_list_is_known_of_are_refused_one_by_one() {
    let bench = Bench::new(Release::V3_20_8, 50).await;
    let entity = native_of(RecordKind::RelatedRecord, &bench.rest_all("entities/").await[0]);
    let control = NativeId::new(&format!("applied-controls/{}", nobody(1)));
    let ids = [control.clone(), entity.clone()];
    let found = bench.source.related(&call(), RecordKind::RelatedRecord, &ids, PLAIN).await.unwrap();
    assert_eq!((found.items[0].0.clone(), found.failed[0].0.clone()), (entity, control));
    assert_eq!(found.failed[0].1.kind(), SourceErrorKind::Unsupported);
}

#[tokio::test]
async fn many_records_go_in_chunks_and_a_failed_chunk_leaves_the_others_their_answer() {
    let bench = Bench::new(Release::V3_15_1, 50).await;
    let asset = native(&bench.rest_all("assets/").await[0]["id"]);
    let mut ids: Vec<NativeId> = (0..=255u8).map(nobody).collect();
    ids.push(asset.clone());
    ids.sort();
    let call = call();
    let found = bench.source.related(&call, RecordKind::Asset, &ids, PLAIN).await.unwrap();
    assert_eq!((found.items.len(), call.context.tally.upstream_calls()), (1, 2));
    bench.sandbox.set_faults(vec!["503@/api/assets/*1".parse().unwrap()]);
    let found = bench.source.related(&super::support::call(), RecordKind::Asset, &ids, PLAIN).await.unwrap();
    assert!(found.failed.len() == 137 || found.failed.len() == 120, "{}", found.failed.len());
    assert!(found.failed.iter().all(|(_, error)| error.kind() == SourceErrorKind::Unavailable));
    bench.sandbox.set_faults(vec!["503@/api/assets/".parse().unwrap()]);
    let error = bench.source.related(&super::support::call(), RecordKind::Asset, &ids, PLAIN).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unavailable);
}

#[tokio::test]
async fn tags_and_incidents_are_found_by_what_people_call_them() {
    let bench = Bench::new(Release::V3_15_1, 60).await;
    let resolve = async |reference| bench.source.resolve(&call(), &[reference]).await.unwrap().remove(0);
    let labels = bench.rest_all("filtering-labels/").await;
    for row in &labels {
        let name = row["label"].as_str().unwrap();
        let same = |other: &&Value| other["label"].as_str().unwrap().to_lowercase() == name.to_lowercase();
        let expected: Vec<NativeId> = labels.iter().filter(same).map(|row| native(&row["id"])).collect();
        assert!(expected.contains(&native(&row["id"])));
        assert_eq!(resolve(Reference::TagName(name.to_uppercase())).await, expected);
    }
    assert!(resolve(Reference::TagName("no such label".into())).await.is_empty());
    let rows = bench.rest_all("incidents/").await;
    for row in rows.iter().take(20) {
        let id = native(&row["id"]);
        assert_eq!(resolve(Reference::Incident(id.to_string())).await, std::slice::from_ref(&id));
        if let Some(reference) = filled(&row["ref_id"]) {
            let same = rows.iter().filter(|other| other["ref_id"] == json!(reference)).count();
            let found = resolve(Reference::Incident(reference.into())).await;
            assert!(found.contains(&id) && found.len() == same);
            assert!(resolve(Reference::Incident(format!(" {reference}"))).await.is_empty());
        }
    }
    for nothing in ["", " ", "\"", "ü", "INC", "00000000-0000-4000-8000-000000000001"] {
        assert!(resolve(Reference::Incident(nothing.into())).await.is_empty(), "{nothing:?}");
    }
    assert_eq!(bench.source.resolve(&call(), &[]).await.unwrap(), Vec::<Vec<NativeId>>::new());
}

/// The rows of sandbox and recordings hide hardly any link of these kinds, so that these rows are made up.
#[tokio::test]
async fn hidden_links_of_every_record_are_counted() {
    let other = json!({"id": "o", "str": "O"});
    for (kind, expected) in [(RecordKind::Asset, 9), (RecordKind::Threat, 3), (RecordKind::Evidence, 5)] {
        let mut row = json!({"id": "11111111-1111-4111-8111-111111111111", "name": "n", "folder": {}});
        for member in link_members(kind).iter().filter(|member| **member != "folder") {
            row[*member] = json!([other, {}, {}]);
        }
        let page = json!({"count": 1, "next": null, "previous": null, "results": [row]}).to_string();
        let source = super::errors::source(200, "application/json", page);
        let ids = [native(&row["id"])];
        let found = source.related(&call(), kind, &ids, PLAIN).await.unwrap();
        assert_eq!((found.items.len(), found.masked), (1, expected), "{kind:?}");
        let request = CatalogRequest { kind, offset: 0, limit: 10, want: PLAIN, search: Search::parse("") };
        if kind != RecordKind::Evidence {
            assert_eq!(source.catalog(&call(), &request).await.unwrap().masked, expected, "{kind:?}");
        }
    }
}
