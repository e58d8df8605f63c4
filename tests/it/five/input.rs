//! Bad input: an error that names the argument, or an empty answer that is right. Never a wrong one.

use super::{Five, MINUTE, Setting};
use incident_gateway::{
    domain::{GlobalId, IdKind, Key, SourceName},
    sandbox::Vendor,
};
use serde_json::{Value, json};
use std::time::Duration;

fn id(kind: IdKind, source: &str, native: &str) -> String {
    GlobalId::new(kind, Key::new(&SourceName::new(source), native)).to_string()
}

impl Five {
    /// The answer to a list with these arguments, the filter in a variable.
    async fn filtered(&self, arguments: &str, filter: Value) -> Value {
        let query = format!(
            "query($f: IncidentFilter) {{ incidents(filter: $f {arguments}) {{ totalCount totalCountPrecision nodes {{ id }}
               sources {{ source {{ name }} status skippedReason error {{ code message }} }} }} }}"
        );
        self.answer(&query, json!({ "f": filter }), MINUTE).await
    }

    async fn refused(&self, arguments: &str, filter: Value, message: &str) {
        let answer = self.filtered(arguments, filter.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{filter}: {answer}");
        assert_eq!(answer["errors"][0]["message"], message, "{filter}");
        assert!(answer["data"].is_null() || answer["data"]["incidents"].is_null());
    }

    /// Nothing matches, and that is certain: no source failed.
    async fn empty(&self, filter: Value) {
        let answer = self.filtered("", filter.clone()).await;
        assert_eq!(answer.get("errors"), None, "{filter}: {answer}");
        let page = &answer["data"]["incidents"];
        assert_eq!((&page["nodes"], &page["totalCount"]), (&json!([]), &json!(0)), "{filter}: {page}");
        assert_eq!(page["totalCountPrecision"], "EXACT", "{filter}");
        for report in page["sources"].as_array().unwrap() {
            assert_eq!(report["error"], Value::Null, "{filter}: {report}");
            let skipped = report["status"] == "SKIPPED";
            assert_eq!(
                report["skippedReason"].as_str().is_some_and(|reason| reason.ends_with('.')),
                skipped,
                "{report}"
            );
        }
    }
}

const KNOWN: &str = "There are: ciso-assistant, eventlog-analyzer, adversarial, kaspersky-xdr, cortex-xpanse.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_that_are_not_there_are_named_with_their_argument() {
    let five = Five::with(Setting::of(8)).await;
    let told = |argument: &str| format!("`{argument}` names “nowhere”, which is no source. {KNOWN}");
    let filters = [
        json!({ "sources": ["nowhere"] }),
        json!({ "sources": ["ciso-assistant", "nowhere"] }),
        json!({ "or": [{ "severity": ["HIGH"] }, { "not": { "sources": ["nowhere"] } }] }),
    ];
    for filter in filters {
        five.refused("", filter.clone(), &told("filter.sources")).await;
        let query = "query($f: IncidentFilter) { incidentStats(filter: $f) { total } }";
        let answer = five.answer(query, json!({ "f": filter }), MINUTE).await;
        assert_eq!(answer["errors"][0]["message"], told("filter.sources"));
    }
    five.refused(", requireSources: [\"nowhere\"]", json!({}), &told("requireSources")).await;
    for (query, argument) in [
        ("{ owners(sources: [\"nowhere\"]) { nodes { id } } }", "sources"),
        ("{ incident(by: { native: { source: \"nowhere\", id: \"1\" } }) { id } }", "by.native.source"),
    ] {
        let answer = five.answer(query, json!({}), MINUTE).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        assert_eq!(answer["errors"][0]["message"], told(argument), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_of_sources_that_were_removed_or_renamed_match_nothing() {
    let five = Five::with(Setting::of(8)).await;
    let rows = five.own().await;
    let native = &rows[0].key.1;
    let renamed = id(IdKind::Incident, "the-name-it-had", native);
    five.empty(json!({ "ids": [renamed] })).await;
    five.empty(json!({ "ids": [id(IdKind::Incident, "ciso-assistant", "00000000-0000-4000-8000-000000000001")] }))
        .await;
    for (member, kind) in [("assetIds", IdKind::Asset), ("threatIds", IdKind::Threat), ("scopeIds", IdKind::Scope)] {
        five.empty(json!({ member: [id(kind, "the-name-it-had", "1")] })).await;
    }
    five.empty(json!({ "owners": [{ "id": id(IdKind::Owner, "the-name-it-had", "1") }] })).await;
    // Those of a source that is there are found beside it.
    let own = id(IdKind::Incident, "ciso-assistant", native);
    let answer = five.filtered("", json!({ "ids": [renamed, own] })).await;
    assert_eq!(answer["data"]["incidents"]["nodes"], json!([{ "id": own }]));
    let query = "query($id: ID!) { node(id: $id) { id } }";
    let answer = five.answer(query, json!({ "id": renamed }), MINUTE).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND", "{answer}");
    let something_else = "`filter.or[1].ids[0]` is the id of something else than an incident.";
    let asset = id(IdKind::Asset, "ciso-assistant", "1");
    five.refused("", json!({ "or": [{}, { "ids": [asset] }] }), something_else).await;
    five.refused("", json!({ "ids": [own, "x"] }), "`filter.ids[1]` is not an id given out by this gateway.").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_that_cannot_hold_together_give_an_empty_answer_and_cost_no_call() {
    let five = Five::with(Setting::of(8)).await;
    let (early, late) = ("2026-03-01T00:00:00Z", "2026-06-01T00:00:00Z");
    let members = [
        "created",
        "updated",
        "statusChanged",
        "occurred",
        "detected",
        "reported",
        "responded",
        "contained",
        "resolved",
        "due",
    ];
    five.ask("{ sources { capabilities { read } } }", json!({})).await;
    five.sandboxes.iter().for_each(|sandbox| sandbox.reset_calls());
    for member in members {
        five.empty(json!({ member: { "since": late, "until": early } })).await;
        five.empty(json!({ member: { "since": early, "until": early } })).await;
    }
    for member in [
        "sources",
        "sourceKinds",
        "ids",
        "sourceIds",
        "references",
        "severity",
        "status",
        "resolution",
        "priority",
        "detection",
        "origins",
        "categories",
        "owners",
        "createdBy",
        "assetIds",
        "threatIds",
        "tags",
        "qualificationIds",
        "entityIds",
        "relatedRecordIds",
        "scopeIds",
        "cloudManagement",
        "cloudIntegrations",
        "or",
    ] {
        five.empty(json!({ member: [] })).await;
        let calls: u64 = five.sandboxes.iter().map(|sandbox| sandbox.call_count()).sum();
        assert_eq!(calls, 0, "{member}: nobody is asked for nothing");
    }
    five.empty(json!({ "and": [{ "created": { "since": late } }, { "created": { "until": early } }] })).await;
    five.empty(json!({ "severity": ["HIGH"], "and": [{ "severity": ["LOW"] }] })).await;
    five.empty(json!({ "sources": ["adversarial"], "sourceKinds": ["CORTEX_XPANSE"] })).await;
    // Turned round, all match.
    let all = five.filtered("", json!({ "not": { "created": { "since": late, "until": early } } })).await;
    assert_eq!(
        all["data"]["incidents"]["totalCount"],
        five.filtered("", json!({})).await["data"]["incidents"]["totalCount"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_on_what_no_source_has_skip_all_and_say_why() {
    let five = Five::with(Setting::of(8)).await;
    // Nobody is told apart by these; what nobody has does not match, and its absence does.
    for (filter, field) in [
        (json!({ "categories": ["no such"] }), "CATEGORIES"),
        (json!({ "published": true, "starred": true }), "STARRED"),
    ] {
        five.empty(filter.clone()).await;
        let page = five.filtered("", filter).await;
        let reports = page["data"]["incidents"]["sources"].as_array().unwrap();
        let skipped: Vec<&str> = reports.iter().filter_map(|report| report["skippedReason"].as_str()).collect();
        assert!(skipped.len() >= 4 && skipped.iter().any(|reason| reason.contains(field)), "{skipped:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_ids_and_fifty_levels_are_answered_or_refused_with_their_place() {
    let five = Five::with(Setting::of(8)).await;
    let rows = five.own().await;
    let own = |vendor: Vendor| rows.iter().find(|own| own.vendor == vendor).unwrap();
    let mut ids: Vec<String> = Vec::new();
    for number in 0..9_995 {
        let vendor = Vendor::ALL[number % 5];
        ids.push(id(IdKind::Incident, vendor.word(), &format!("00000000-0000-4000-8000-{number:012}")));
    }
    ids.extend(Vendor::ALL.map(|vendor| id(IdKind::Incident, vendor.word(), &own(vendor).key.1)));
    let begun = std::time::Instant::now();
    let answer = five.filtered("", json!({ "ids": ids })).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    match answer["errors"][0]["extensions"]["code"].as_str() {
        None => assert_eq!(answer["data"]["incidents"]["nodes"].as_array().unwrap().len(), 5, "{answer}"),
        Some(code) => {
            assert_eq!(code, "COST_LIMIT");
            let message = answer["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains('`'), "{message}");
        }
    }
    let nested = |depth: usize| (0..depth).fold(json!({ "severity": ["HIGH"] }), |filter, _| json!({ "or": [filter] }));
    let plain = five.filtered("", nested(0)).await["data"]["incidents"]["nodes"].clone();
    let deep = five.filtered("", nested(50)).await;
    assert_eq!(deep["errors"][0]["extensions"]["code"], "COST_LIMIT");
    let message = "The variables nest 102 levels deep, at `$f.or[0].or[0]…`; at most 64 are allowed.";
    assert_eq!(deep["errors"][0]["message"], message);
    assert_eq!(five.filtered("", nested(30)).await["data"]["incidents"]["nodes"], plain);
    let written = format!("{}severity: [HIGH]{}", "or: [{ ".repeat(50), " }]".repeat(50));
    let query = format!("{{ incidents(filter: {{ {written} }}) {{ nodes {{ id }} }} }}");
    let deep = five.answer(&query, json!({}), MINUTE).await;
    let message = "The document nests 104 levels deep in its brackets; at most 64 are allowed.";
    assert_eq!(deep["errors"][0]["message"], message);
    eprintln!("{}", answer["errors"][0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_for_one_of_no_texts() {
    let five = Five::with(Setting::of(8)).await;
    for member in ["title", "description", "computedDescription"] {
        five.empty(json!({ member: { "equals": [], "contains": "a" } })).await;
        let calls: u64 = five.sandboxes.iter().map(|sandbox| sandbox.call_count()).sum();
        assert_eq!(calls, 0, "{member}");
    }
}
