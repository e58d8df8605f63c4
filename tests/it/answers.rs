//! How answers look: order of fields, merging, directives, fragments, variables, nulls and the errors beside them,
//! and what an answer costs its source. Over a source in memory with a handful of records.

mod embedded;
mod one;

pub(crate) use one::{One, asset, errors, id, incident, key, owner};

use crate::{differential::memory::Asked, support::call};
use incident_gateway::{
    domain::*,
    source::{Call, SourceErrorKind, Want},
};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

fn touching(native: &str, assets: &[&str]) -> Incident {
    let tie = |id: &&str| AssetLink { asset: Link::bare(key(id)), kind: None, roles: vec![], source_roles: vec![] };
    Incident { assets: assets.iter().map(tie).collect(), ..incident(native) }
}

fn owned(native: &str, owners: Vec<Link>) -> Incident {
    Incident { owners, ..incident(native) }
}

fn bare(owners: &[&str]) -> Vec<Link> {
    owners.iter().map(|native| Link::bare(key(native))).collect()
}

fn record(incident: Incident) -> Record {
    Record::Incident(Arc::new(incident))
}

fn assets(natives: impl IntoIterator<Item = String>) -> impl Iterator<Item = Record> {
    natives.into_iter().map(|native| Record::Asset(Arc::new(asset(&native))))
}

fn owners(natives: &[&str]) -> Vec<Record> {
    natives.iter().map(|native| Record::Owner(Arc::new(owner(native)))).collect()
}

/// One incident with the owners `ann` and `bob`.
fn small() -> One {
    One::new([vec![record(owned("1", bare(&["ann", "bob"])))], owners(&["ann", "bob"])].concat(), |_| {})
}

fn failing(kind: RecordKind, natives: &[&str]) -> HashMap<(RecordKind, NativeId), SourceErrorKind> {
    natives.iter().map(|native| ((kind, NativeId::new(native)), SourceErrorKind::Timeout)).collect()
}

#[tokio::test]
async fn fields_stand_where_their_key_is_first_met() {
    let query =
        "{ incidents { nodes { title ...Late owners { name } severity title id: sourceId } pageInfo { hasNextPage } }
        b: __typename a: __typename } fragment Late on Incident { status owners { kind } __typename }";
    let node = r#"{"title":"Incident 1","status":"OTHER","owners":[{"kind":"USER","name":"ann"},{"kind":"USER","name":"bob"}],"__typename":"Incident","severity":"UNKNOWN","id":"1"}"#;
    let expected =
        format!(r#"{{"incidents":{{"nodes":[{node}],"pageInfo":{{"hasNextPage":false}}}},"b":"Query","a":"Query"}}"#);
    assert_eq!(small().data(query, json!({})).await, expected);
}

#[tokio::test]
async fn equal_keys_are_one_field_at_every_level() {
    let query =
        "{ incidents { nodes { owners { name } } } ... on Query { incidents { nodes { owners { email } title } } } }";
    let expected = r#"{"incidents":{"nodes":[{"owners":[{"name":"ann","email":"ann@example.org"},{"name":"bob","email":"bob@example.org"}],"title":"Incident 1"}]}}"#;
    let one = small();
    assert_eq!(one.data(query, json!({})).await, expected);
    assert_eq!(one.asked().len(), 2, "one list, one batch of owners");
    let aliased = "{ incidents { nodes { who: owners { n: name } owners { email } } } }";
    let expected = r#"{"incidents":{"nodes":[{"who":[{"n":"ann"},{"n":"bob"}],"owners":[{"email":"ann@example.org"},{"email":"bob@example.org"}]}]}}"#;
    assert_eq!(one.data(aliased, json!({})).await, expected);
    let conflict = one.ask("{ incidents { nodes { x: title x: status } } }").await;
    assert_eq!(conflict.get("data"), None);
    assert_eq!(conflict["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn directives_read_literals_variables_and_defaults() {
    let one = small();
    let query = "query($on: Boolean!, $off: Boolean! = false, $often: Boolean = true) { incidents { nodes {
        a: title @include(if: $on) b: title @skip(if: $on) c: title @include(if: $off) d: title @skip(if: $often)
        e: title @skip(if: false) @include(if: $often) f: title @skip(if: true) ...F @include(if: $on) ... @skip(if: $on) { h: title }
        ...F @skip(if: $on) } } viewer @skip(if: $often) { name } } fragment F on Incident { g: sourceId @skip(if: $off) }";
    let shown = |node: &str| format!(r#"{{"incidents":{{"nodes":[{{{node}}}]}}}}"#);
    let expected = shown(r#""a":"Incident 1","e":"Incident 1","g":"1""#);
    assert_eq!(one.data(query, json!({"on": true})).await, expected);
    let expected = shown(r#""b":"Incident 1","c":"Incident 1","d":"Incident 1","h":"Incident 1""#);
    let given = json!({"on": false, "off": true, "often": false});
    let text = one.data(query, given).await;
    assert_eq!(text, expected.replace("}]}}", r#"}]},"viewer":{"name":"local"}}"#));
    assert_eq!(one.data("{ incidents { nodes { title @skip(if: true) } } }", json!({})).await, shown(""));
    assert_eq!(one.data("{ viewer @skip(if: true) { name } }", json!({})).await, "{}");
}

#[tokio::test]
async fn what_is_skipped_is_not_loaded() {
    let one = small();
    one.data("query($no: Boolean = false) { incidents { nodes { owners @include(if: $no) { email } } } }", json!({}))
        .await;
    assert_eq!(one.asked().len(), 1);
}

#[tokio::test]
async fn arguments_know_absent_from_null_from_given() {
    let natives = ["a", "b", "c"];
    let records = assets(natives.map(str::to_owned)).chain([record(touching("1", &natives))]).collect();
    let one = One::new(records, |_| {});
    let query = "query($n: Int, $two: Int = 2, $kinds: [AssetKind!]) { incidents { nodes {
        variable: assets(first: $n) { nodes { sourceId } } default: assets(first: $two) { nodes { sourceId } }
        null: assets(first: null) { totalCount } kinds: assets(kinds: $kinds) { totalCount } none: assets(kinds: []) { totalCount } } } }";
    let ids = |count: usize| natives[..count].iter().map(|id| json!({"sourceId": id})).collect::<Value>();
    let node = |variable: usize, default: usize, kinds: usize| {
        json!({"variable": {"nodes": ids(variable)}, "default": {"nodes": ids(default)}, "null": {"totalCount": 3},
            "kinds": {"totalCount": kinds}, "none": {"totalCount": 0}})
    };
    for (variables, expected) in [
        (json!({}), node(3, 2, 3)),
        (json!({"n": null, "two": null, "kinds": null}), node(3, 3, 3)),
        (json!({"n": 1, "two": 1, "kinds": ["DOMAIN"]}), node(1, 1, 0)),
        (json!({"kinds": "HOST"}), node(3, 2, 3)),
        (json!({"kinds": []}), node(3, 2, 0)),
    ] {
        let answer = one.ask_with(query, variables.clone()).await;
        assert_eq!(answer["data"]["incidents"]["nodes"][0], expected, "{variables}: {answer}");
    }
    let root = "query($n: Int) { a: incidents(first: $n) { nodes { sourceId } } b: incidents { nodes { sourceId } } }";
    let answer = one.ask_with(root, json!({})).await;
    assert_eq!((&answer["data"]["a"], answer.get("errors")), (&answer["data"]["b"], None));
    for wrong in [json!({"n": "1"}), json!({"n": 1.5}), json!({"n": 5_000_000_000_u64}), json!({"n": [1]})] {
        let answer = one.ask_with(root, wrong.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{wrong}");
    }
}

#[tokio::test]
async fn a_failing_nullable_field_is_null_and_its_siblings_stay() {
    let one = One::new(vec![record(incident("1")), record(incident("2"))], |memory| {
        memory.failing.details.insert(NativeId::new("2"), SourceErrorKind::RateLimited);
        let details = Details { comments: Some(Arc::default()), ..Details::default() };
        memory.details.insert(NativeId::new("1"), details);
    });
    let answer = one.ask("{ x: incidents { nodes { title remarks: comments { totalCount } status } } }").await;
    let node =
        |id: &str, comments: Value| json!({"title": format!("Incident {id}"), "remarks": comments, "status": "OTHER"});
    assert_eq!(answer["data"]["x"]["nodes"], json!([node("1", json!({"totalCount": 0})), node("2", Value::Null)]));
    let error = &answer["errors"][0];
    assert_eq!(error["path"], json!(["x", "nodes", 1, "remarks"]));
    assert_eq!(error["locations"], json!([{"line": 1, "column": 32}]));
    assert_eq!(
        error["extensions"],
        json!({"code": "SOURCE_RATE_LIMITED", "source": "soc", "retryable": true, "requestId": "r-1"})
    );
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_null_that_must_not_be_takes_the_nearest_place_that_may_be_null() {
    let records = [vec![record(touching("1", &["a", "b"]))], assets(["a".into(), "b".into()]).collect()].concat();
    let one = One::new(records, |memory| memory.failing.records = failing(RecordKind::Asset, &["b"]));
    let edges = one.ask("{ incidents { nodes { title assets { totalCount edges { node { kind } } } status } } }").await;
    assert_eq!(
        edges["data"]["incidents"]["nodes"],
        json!([{"title": "Incident 1", "assets": null, "status": "OTHER"}])
    );
    let path = json!(["incidents", "nodes", 0, "assets", "edges", 1, "node", "kind"]);
    assert_eq!(errors(&edges), [json!([path, "SOURCE_TIMEOUT", null])]);
    // Lists of links may be null, their items may not.
    let owned =
        One::new([vec![record(owned("1", bare(&["ann", "bob"])))], owners(&["ann", "bob"])].concat(), |memory| {
            memory.failing.records = failing(RecordKind::Owner, &["bob"]);
        });
    let answer = owned.ask("{ incidents { nodes { owners { kind } title } } }").await;
    assert_eq!(answer["data"]["incidents"]["nodes"], json!([{"owners": null, "title": "Incident 1"}]));
    let tagged = Incident { tags: bare(&["t"]), ..incident("1") };
    let one = One::new(vec![record(tagged)], |memory| memory.failing.records = failing(RecordKind::Tag, &["t"]));
    let answer = one.ask("{ viewer { name } incidents { totalCount nodes { title tags { name } } } }").await;
    let node = json!({"title": "Incident 1", "tags": null});
    let incidents = json!({"totalCount": 1, "nodes": [node]});
    assert_eq!(answer["data"], json!({"viewer": {"name": "local"}, "incidents": incidents}));
    assert_eq!(errors(&answer), [json!([["incidents", "nodes", 0, "tags", 0, "name"], "SOURCE_TIMEOUT", null])]);
}

#[tokio::test]
async fn what_a_link_tells_stays_when_its_record_fails() {
    let mut links = bare(&["ann", "bob"]);
    links[1].name = Some("Bob".into());
    let one = One::new([vec![record(owned("1", links))], owners(&["ann", "bob"])].concat(), |memory| {
        memory.failing.records = failing(RecordKind::Owner, &["ann", "bob"]);
    });
    let answer = one.ask("{ incidents { nodes { owners { sourceId name email source { name } } } } }").await;
    let owner = |id: &str, name: Value| json!({"sourceId": id, "name": name, "email": null, "source": {"name": "soc"}});
    let shown = json!([{"owners": [owner("ann", Value::Null), owner("bob", json!("Bob"))]}]);
    assert_eq!(answer["data"]["incidents"]["nodes"], shown);
    let at = |index: usize, field: &str| json!(["incidents", "nodes", 0, "owners", index, field]);
    let told = [json!([at(0, "name"), "SOURCE_TIMEOUT", null]), json!([at(0, "email"), "SOURCE_TIMEOUT", 2])];
    assert_eq!(errors(&answer), told);
}

#[tokio::test]
async fn what_was_taken_back_with_a_failure_is_shown_where_it_is_met_again() {
    let records =
        [record(touching("1", &["a", "b"])), record(touching("2", &["a"])), record(touching("3", &["b", "a"]))];
    let records = records.into_iter().chain(assets(["a".into(), "b".into()])).collect();
    let one = One::new(records, |memory| memory.failing.records = failing(RecordKind::Asset, &["b"]));
    let answer = one.ask("{ incidents { nodes { assets { nodes { kind } } sourceId } } }").await;
    let shown = json!({"nodes": [{"kind": "HOST"}]});
    let expected = json!([
        {"assets": null, "sourceId": "1"}, {"assets": shown, "sourceId": "2"}, {"assets": null, "sourceId": "3"},
    ]);
    assert_eq!(answer["data"]["incidents"]["nodes"], expected);
    let first = json!([["incidents", "nodes", 0, "assets", "nodes", 1, "kind"], "SOURCE_TIMEOUT", 2]);
    assert_eq!(errors(&answer), [first]);
}

#[tokio::test]
async fn what_fails_as_one_is_told_once_with_a_count() {
    let natives: Vec<String> = (100..200).map(|n| n.to_string()).collect();
    let incidents = natives.iter().map(|native| record(owned(native, bare(&["ann"]))));
    let one = One::new(incidents.collect(), |memory| {
        memory.failing.batches.insert(RecordKind::Owner, SourceErrorKind::Unavailable);
    });
    let answer =
        one.ask("{ incidents(first: 100) { nodes { sourceId owners { kind } again: owners { kind } } } }").await;
    let nodes = answer["data"]["incidents"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 100);
    assert!(nodes.iter().all(|node| node["owners"].is_null() && node["sourceId"].is_string()));
    let told = |name: &str| json!([["incidents", "nodes", 0, name, 0, "kind"], "SOURCE_UNAVAILABLE", 100]);
    assert_eq!(errors(&answer), [told("owners"), told("again")]);
}

#[tokio::test]
async fn an_answer_tells_at_most_a_hundred_errors_and_how_many_more_there_are() {
    let one = One::new(vec![record(incident("1"))], |_| {});
    let fields = |from: usize, to: usize| {
        (from..to).map(|n| format!("a{n}: assets(first: 0) {{ totalCount }} ")).collect::<String>()
    };
    let told = async |query: String| {
        let answer = one.ask(&query).await;
        let told = answer["errors"].as_array().unwrap().clone();
        (told.len(), told.last().unwrap()["message"].as_str().unwrap().to_owned())
    };
    let (count, last) = told(format!("{{ incidents {{ nodes {{ {} }} }} }}", fields(0, 100))).await;
    assert_eq!((count, last.contains("left out")), (100, false));
    let (count, last) = told(format!("{{ incidents {{ nodes {{ {} }} }} }}", fields(0, 107))).await;
    assert_eq!((count, last.contains("7 more")), (100, true), "{last}");
    let root = |name: &str| format!("{name}: incidents {{ nodes {{ {} }} }} ", fields(0, 70));
    let (count, last) = told(format!("{{ {} {} }}", root("x"), root("y"))).await;
    assert_eq!(
        (count, last.contains("40 more")),
        (100, true),
        "the limit is the answer's, not the root field's: {last}"
    );
}

#[tokio::test]
async fn links_to_nothing_are_left_out() {
    let linked = Incident {
        created_by: Some(Link::bare(key("gone"))),
        ..owned("1", vec![Link::bare(key("gone")), Link::bare(key("ann")), Link::new(key("gone"), "Left")])
    };
    let ties = touching("1", &["gone", "a", "gone"]).assets;
    let records = [vec![record(Incident { assets: ties, ..linked })], owners(&["ann"]), assets(["a".into()]).collect()];
    let one = One::new(records.concat(), |_| {});
    let query = "{ incidents { nodes { owners { email } createdBy { email } assets { edges { cursor node { description } } nodes { description } } } } }";
    let answer = one.ask(query).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let node = &answer["data"]["incidents"]["nodes"][0];
    assert_eq!(node["owners"], json!([{"email": "ann@example.org"}]));
    assert_eq!(node["createdBy"], Value::Null);
    let described = json!({"description": "described"});
    assert_eq!(node["assets"]["edges"].as_array().unwrap().len(), 1);
    assert_eq!((&node["assets"]["edges"][0]["node"], &node["assets"]["nodes"]), (&described, &json!([described])));
}

#[tokio::test]
async fn a_link_shows_its_own_text_and_costs_no_call() {
    let links = vec![Link::new(key("ann"), "Ann"), Link::new(key("gone"), "Left"), Link::bare(key("bob"))];
    let one = One::new([vec![record(owned("1", links))], owners(&["ann", "bob"])].concat(), |_| {});
    let named = one.ask("{ incidents { nodes { owners { name } } } }").await;
    let names = json!([{"name": "Ann"}, {"name": "Left"}, {"name": "bob"}]);
    assert_eq!(named["data"]["incidents"]["nodes"][0]["owners"], names);
    let owners: Vec<Asked> = one.asked().into_iter().filter(|asked| asked.what.starts_with("Owner")).collect();
    assert_eq!((owners.len(), &owners[0].ids[..]), (1, &["bob".to_owned()][..]), "only the link without a name");
    one.data("{ incidents { nodes { owners { id sourceId __typename source { name } } } } }", json!({})).await;
    assert_eq!(one.asked().len(), 1, "ids are in every link");
    let loaded = one.ask("{ incidents { nodes { owners { name email } } } }").await;
    let names: Vec<&Value> = loaded["data"]["incidents"]["nodes"][0]["owners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|owner| &owner["name"])
        .collect();
    assert_eq!(names, ["ann", "bob"], "where the record is loaded anyway, it is what is shown");
}

#[tokio::test]
async fn raw_needs_its_permission_and_gives_the_record() {
    let one = small();
    let query = "{ incidents { nodes { title raw owners { raw } } } }";
    let expected = r#"{"incidents":{"nodes":[{"title":"Incident 1","raw":{"b":1,"a":[]},"owners":[{"raw":{"pk":1}},{"raw":{"pk":1}}]}]}}"#;
    assert_eq!(one.data(query, json!({})).await, expected);
    let caller = Arc::new(Caller::local().with_permissions(vec![Permission::Read]));
    let reader = Call { caller, ..call("r-2") };
    let answer: Value = serde_json::from_str(&one.text(query, json!({}), &reader).await).unwrap();
    let node = &answer["data"]["incidents"]["nodes"][0];
    assert_eq!(*node, json!({"title": "Incident 1", "raw": null, "owners": [{"raw": null}, {"raw": null}]}));
    let owners = json!(["incidents", "nodes", 0, "owners", 0, "raw"]);
    assert_eq!(
        errors(&answer),
        [json!([["incidents", "nodes", 0, "raw"], "FORBIDDEN", null]), json!([owners, "FORBIDDEN", 2])]
    );
    assert!(one.asked().iter().all(|asked| asked.what == "list" || asked.what.contains("raw: ")), "{:?}", one.asked());
    let unasked = one.ask("{ incidents { nodes { owners { email } } } }").await;
    assert_eq!(unasked.get("errors"), None);
    let owner = format!("Owner {:?}", Want { profile: true, ..Want::PLAIN });
    assert!(one.asked().iter().any(|asked| asked.what == owner));
}

#[tokio::test]
async fn raw_is_given_wherever_a_record_is_met() {
    let one = small();
    let query = "{ owners(first: 1) { nodes { incidents { nodes { raw owners { raw } } } } } }";
    let expected = r#"{"owners":{"nodes":[{"incidents":{"nodes":[{"raw":{"b":1,"a":[]},"owners":[{"raw":{"pk":1}},{"raw":{"pk":1}}]}]}}]}}"#;
    assert_eq!(one.data(query, json!({})).await, expected);
}

#[tokio::test]
async fn one_wave_is_one_call_for_each_kind_however_the_records_are_met() {
    let owned_asset = |native: &str| Asset { owners: Some(bare(&["ann", "cid"])), ..asset(native) };
    let ties = touching("1", &["a", "b"]).assets;
    let first = Incident { assets: ties, ..owned("1", bare(&["ann", "bob"])) };
    let records = vec![
        record(first),
        record(owned("2", bare(&["bob"]))),
        Record::Asset(Arc::new(owned_asset("a"))),
        Record::Asset(Arc::new(owned_asset("b"))),
    ];
    let one = One::new([records, owners(&["ann", "bob", "cid"])].concat(), |_| {});
    let query = "{ x: incidents { nodes { owners { email } assets { nodes { description owners { email } } } } }
        y: incidents { nodes { owners { active } } } }";
    assert!(one.ask(query).await.get("errors").is_none());
    let asked: Vec<(String, Vec<String>)> =
        one.asked().into_iter().filter(|asked| asked.what != "list").map(|asked| (asked.what, asked.ids)).collect();
    let owner = format!("Owner {:?}", Want { profile: true, ..Want::PLAIN });
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let assets = (format!("Asset {:?}", Want::PLAIN), ids(&["a", "b"]));
    assert_eq!(asked, [assets, (owner.clone(), ids(&["ann", "bob"])), (owner, ids(&["cid"]))]);
}

#[tokio::test]
async fn many_ids_are_one_call_and_details_are_asked_together() {
    let natives: Vec<String> = (1_000..1_300).map(|n| n.to_string()).collect();
    let incidents = natives
        .chunks(100)
        .enumerate()
        .map(|(n, chunk)| record(touching(&n.to_string(), &chunk.iter().map(String::as_str).collect::<Vec<_>>())));
    let records = incidents.chain(assets(natives.clone())).collect();
    let one = One::new(records, |memory| {
        for native in ["0", "1", "2"] {
            let details =
                Details { comments: Some(Arc::default()), activity: Some(Arc::default()), ..Details::default() };
            memory.details.insert(NativeId::new(native), details);
        }
    });
    let query = "{ incidents { nodes { assets(first: 100) { nodes { description } } comments { totalCount } activity { totalCount } } } }";
    assert!(one.ask(query).await.get("errors").is_none());
    let counts: Vec<usize> = one.asked().into_iter().map(|asked| asked.ids.len()).collect();
    assert_eq!(counts.iter().filter(|count| **count > 0).collect::<Vec<_>>(), [&300, &3], "{counts:?}");
    assert_eq!(counts.len(), 3);
}

#[tokio::test]
async fn a_kind_that_only_the_record_tells_is_loaded_and_its_failure_is_the_fields() {
    let records: Vec<Record> =
        [record(touching("1", &["a", "b"]))].into_iter().chain(assets(["a".into(), "b".into()])).collect();
    let one = One::new(records.clone(), |_| {});
    let query = "{ incidents { nodes { title assets(kinds: HOST) { nodes { sourceId } totalCount } } } }";
    let expected = r#"{"incidents":{"nodes":[{"title":"Incident 1","assets":{"nodes":[{"sourceId":"a"},{"sourceId":"b"}],"totalCount":2}}]}}"#;
    assert_eq!(one.data(query, json!({})).await, expected);
    let one = One::new(records, |memory| {
        memory.failing.records = failing(RecordKind::Asset, &["b"]);
        memory.failing.records.insert((RecordKind::Asset, NativeId::new("a")), SourceErrorKind::Malformed);
    });
    let answer = one.ask(query).await;
    assert_eq!(answer["data"]["incidents"]["nodes"], json!([{"title": "Incident 1", "assets": null}]));
    let first = json!([["incidents", "nodes", 0, "assets"], "SOURCE_MALFORMED", null]);
    assert_eq!(errors(&answer), [first], "of several failures the first in the list's order");
}

#[tokio::test]
async fn a_source_that_does_not_list_is_a_report_and_no_error() {
    let one = One::new(vec![record(incident("1"))], |memory| memory.failing.list = Some(SourceErrorKind::Unavailable));
    let answer = one.ask("{ incidents { nodes { title } sources { status error { code retryable } } } }").await;
    let report = json!({"status": "UNAVAILABLE", "error": {"code": "SOURCE_UNAVAILABLE", "retryable": true}});
    assert_eq!(answer["data"]["incidents"], json!({"nodes": [], "sources": [report]}));
    assert_eq!(answer.get("errors"), None);
    let required = one.ask("{ viewer { name } incidents(requireSources: \"soc\") { nodes { title } } }").await;
    assert_eq!(required["data"], json!({"viewer": {"name": "local"}, "incidents": null}));
    assert_eq!(errors(&required), [json!([["incidents"], "SOURCE_UNAVAILABLE", null])]);
    assert_eq!(required["errors"][0]["extensions"]["source"], "soc");
}

#[tokio::test]
async fn pages_below_a_record_go_on_from_their_cursors() {
    let natives = ["a", "b", "c", "d"];
    let one = One::new(vec![record(touching("1", &natives))], |_| {});
    let query = "query($after: String) { incidents { nodes { assets(first: 2, after: $after) {
        nodes { sourceId } pageInfo { hasNextPage hasPreviousPage endCursor } } } } }";
    let mut after = Value::Null;
    let mut met = Vec::new();
    for has_next in [true, false] {
        let answer = one.ask_with(query, json!({"after": after})).await;
        let page = &answer["data"]["incidents"]["nodes"][0]["assets"];
        met.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["sourceId"].as_str().unwrap().to_owned()));
        assert_eq!(page["pageInfo"]["hasNextPage"], has_next);
        assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_null());
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(met, natives);
    let answer = one.ask_with(query, json!({"after": after})).await;
    let end = &answer["data"]["incidents"]["nodes"][0]["assets"];
    assert_eq!(
        *end,
        json!({"nodes": [], "pageInfo": {"hasNextPage": false, "hasPreviousPage": true, "endCursor": null}})
    );
    for (wrong, code) in [("", "BAD_USER_INPUT"), (" ", "BAD_USER_INPUT"), ("garbage", "CURSOR_INVALID")] {
        let answer = one.ask_with(query, json!({"after": wrong})).await;
        assert_eq!(errors(&answer), [json!([["incidents", "nodes", 0, "assets"], code, null])]);
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("`after`"));
    }
}

#[tokio::test]
async fn every_refusal_has_a_code_the_request_and_a_place() {
    let one = small();
    for query in [
        "{ incidents { nodes { nope } } }",
        "{ incidents(first: \"x\") { nodes { id } } }",
        "{ incidents {",
        "{ incidents }",
    ] {
        let answer = one.ask(query).await;
        assert_eq!(answer.get("data"), None, "{query}");
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"], json!({"code": "BAD_USER_INPUT", "requestId": "r-1"}), "{query}");
        assert!(error["locations"][0]["line"].is_u64(), "{query}: {error}");
    }
    assert!(one.asked().is_empty(), "nothing runs of what is refused");
}
