//! `node` and `nodes`: any record by its global id.

use crate::answers::{One, asset, errors, id, incident, key, owner};
use incident_gateway::{
    domain::*,
    source::{SourceErrorKind, Want},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// An incident, an asset and an owner that all have the native id `1`, and three more assets.
fn one() -> One {
    let mut records = vec![Record::Incident(Arc::new(incident("1"))), Record::Owner(Arc::new(owner("1")))];
    records.extend(["1", "2", "3", "4"].map(|native| Record::Asset(Arc::new(asset(native)))));
    One::new(records, |memory| {
        memory.failing.records.insert((RecordKind::Asset, NativeId::new("4")), SourceErrorKind::Timeout);
    })
}

const NODES: &str =
    "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename ... on Asset { name } ... on Incident { title } } }";

#[tokio::test]
async fn every_id_that_is_given_out_leads_back_to_its_record() {
    let one = one();
    let listed =
        one.ask("{ incidents { nodes { id } } assets { nodes { id } } owners { nodes { id } } sources { id } }").await;
    let mut ids: Vec<Value> = vec![listed["data"]["sources"][0]["id"].clone()];
    for list in ["incidents", "assets", "owners"] {
        let nodes = listed["data"][list]["nodes"].as_array().unwrap();
        ids.extend(nodes.iter().map(|node| node["id"].clone()).filter(|id| *id != self::id(RecordKind::Asset, "4")));
    }
    assert_eq!(ids.len(), 6);
    for id in &ids {
        let answer = one.ask_with("query($id: ID!) { node(id: $id) { id } }", json!({"id": id})).await;
        assert_eq!(answer, json!({"data": {"node": {"id": id}}}));
    }
    let answer = one.ask_with(NODES, json!({"ids": ids})).await;
    let types: Vec<&str> =
        answer["data"]["nodes"].as_array().unwrap().iter().map(|node| node["__typename"].as_str().unwrap()).collect();
    assert_eq!(types, ["Source", "Incident", "Asset", "Asset", "Asset", "Owner"]);
}

#[tokio::test]
async fn nodes_stand_in_their_places_duplicates_too() {
    let one = one();
    let [first, second, gone, down] = ["1", "2", "99", "4"].map(|native| id(RecordKind::Asset, native));
    let ids =
        [&second, &gone, &first, &second, &down, &id(RecordKind::Incident, "1"), &gone, &id(RecordKind::Owner, "1")];
    let answer = one.ask_with(NODES, json!({ "ids": ids })).await;
    let asset = |id: &str, native: &str| json!({"id": id, "__typename": "Asset", "name": format!("asset {native}")});
    let expected = json!([
        asset(&second, "2"), null, asset(&first, "1"), asset(&second, "2"), null,
        {"id": id(RecordKind::Incident, "1"), "__typename": "Incident", "title": "Incident 1"}, null,
        {"id": id(RecordKind::Owner, "1"), "__typename": "Owner"},
    ]);
    assert_eq!(answer["data"]["nodes"], expected);
    assert_eq!(errors(&answer), [json!([["nodes", 1], "NOT_FOUND", 2]), json!([["nodes", 4], "SOURCE_TIMEOUT", null])]);
    let asked: Vec<(String, usize)> = one.asked().into_iter().map(|asked| (asked.what, asked.ids.len())).collect();
    let call = |kind: &str, rows: RowParts, ids: usize| (format!("{kind} {:?}", Want { rows, ..Want::PLAIN }), ids);
    let (none, all) = (RowParts::NONE, RowParts::ALL);
    assert_eq!(
        asked,
        [call("Asset", none, 4), call("Incident", all, 1), call("Owner", none, 1)],
        "each record once, each kind once"
    );
}

#[tokio::test]
async fn one_to_a_hundred_ids() {
    let one = one();
    let known = id(RecordKind::Asset, "1");
    for count in [1, 100] {
        let answer = one.ask_with(NODES, json!({"ids": vec![&known; count]})).await;
        assert_eq!(answer["data"]["nodes"].as_array().unwrap().len(), count);
        assert_eq!(answer.get("errors"), None);
    }
    for count in [0, 101] {
        let answer = one.ask_with(NODES, json!({"ids": vec![&known; count]})).await;
        assert_eq!(answer["data"], Value::Null);
        assert_eq!(errors(&answer), [json!([["nodes"], "BAD_USER_INPUT", null])]);
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("`ids`") && message.contains(&count.to_string()), "{message}");
    }
    let single = one.ask_with(NODES, json!({ "ids": known })).await;
    assert_eq!(single["data"]["nodes"][0]["name"], "asset 1", "one value is a list of one");
}

#[tokio::test]
async fn an_unknown_record_is_null_with_not_found() {
    let one = one();
    let foreign = {
        let mut text = String::new();
        GlobalId::write(IdKind::Asset, &Key::new(&SourceName::new("removed"), "1"), &mut text);
        text
    };
    let mut source = String::new();
    GlobalId::write(IdKind::Source, &Key::new(&SourceName::new("removed"), ""), &mut source);
    for unknown in
        [id(RecordKind::Asset, "99"), id(RecordKind::Incident, "99"), id(RecordKind::Tag, "1"), foreign, source]
    {
        let answer =
            one.ask_with("query($id: ID!) { node(id: $id) { id } viewer { name } }", json!({"id": unknown})).await;
        assert_eq!(answer["data"], json!({"node": null, "viewer": {"name": "local"}}));
        assert_eq!(errors(&answer), [json!([["node"], "NOT_FOUND", null])]);
    }
}

#[tokio::test]
async fn garbage_and_ids_of_what_has_no_place_of_its_own_name_the_argument() {
    let one = one();
    let written = |kind: IdKind| {
        let mut text = String::new();
        GlobalId::write(kind, &key("1"), &mut text);
        text
    };
    let known = id(RecordKind::Asset, "1");
    let cut = known[..3].to_owned();
    let padded = format!("{known}=");
    let nameless = id(RecordKind::Tag, "");
    let garbage = ["", " ", "garbage", &nameless, "SW5jaWRlbnQ6MQ==", &cut, &padded, "é", &"A".repeat(100_000)];
    let foreign = [written(IdKind::Comment), written(IdKind::Activity)];
    for wrong in garbage.iter().map(|text| (*text).to_owned()).chain(foreign) {
        let shown: String = wrong.chars().take(20).collect();
        let answer =
            one.ask_with("query($id: ID!) { node(id: $id) { id } viewer { name } }", json!({"id": wrong})).await;
        assert_eq!(answer["data"], json!({"node": null, "viewer": {"name": "local"}}), "{shown}");
        assert_eq!(errors(&answer), [json!([["node"], "BAD_USER_INPUT", null])], "{shown}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("`id`"), "{shown}");
        let answer = one.ask_with(NODES, json!({"ids": [known, wrong]})).await;
        let nodes = &answer["data"]["nodes"];
        assert!(nodes[0].is_object() && nodes[1].is_null(), "{shown}");
        assert_eq!(errors(&answer), [json!([["nodes", 1], "BAD_USER_INPUT", null])], "{shown}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("`ids[1]`"), "{shown}");
    }
    assert!(one.asked().iter().all(|asked| asked.ids == ["1"]), "nothing else is asked for");
}

#[tokio::test]
async fn an_argument_for_one_kind_refuses_another() {
    let one = one();
    let query = "query($by: IncidentRef!) { incident(by: $by) { title } }";
    let found = one.ask_with(query, json!({"by": {"id": id(RecordKind::Incident, "1")}})).await;
    assert_eq!(found, json!({"data": {"incident": {"title": "Incident 1"}}}));
    let native = one.ask_with(query, json!({"by": {"native": {"source": "soc", "id": "1"}}})).await;
    assert_eq!(native, found);
    let foreign = one.ask_with(query, json!({"by": {"id": id(RecordKind::Asset, "1")}})).await;
    assert_eq!(foreign["data"], json!({"incident": null}));
    assert_eq!(errors(&foreign), [json!([["incident"], "BAD_USER_INPUT", null])]);
    assert!(foreign["errors"][0]["message"].as_str().unwrap().contains("`by.id`"));
    for missing in [json!({"id": id(RecordKind::Incident, "99")}), json!({"native": {"source": "soc", "id": "99"}})] {
        let answer = one.ask_with(query, json!({"by": missing})).await;
        assert_eq!(errors(&answer), [json!([["incident"], "NOT_FOUND", null])], "{answer}");
    }
}

#[tokio::test]
async fn fragments_apply_to_the_type_that_is_there() {
    let one = one();
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ...N ... on Node { ... on Owner { name ...O } } ... on Asset { ... on Node { again: id } } } }
        fragment N on Node { __typename ... on Incident { sourceId } } fragment O on Owner { kind }";
    let ids = json!([id(RecordKind::Owner, "1"), id(RecordKind::Incident, "1"), id(RecordKind::Asset, "1")]);
    let answer = one.ask_with(query, json!({ "ids": ids })).await;
    let expected = json!([
        {"__typename": "Owner", "name": "1", "kind": "USER"},
        {"__typename": "Incident", "sourceId": "1"},
        {"__typename": "Asset", "again": ids[2]},
    ]);
    assert_eq!(answer, json!({"data": {"nodes": expected}}));
}
