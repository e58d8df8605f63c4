//! A source that fails costs what it would have told and nothing else: the rest of the answer stays, each gap has a code,
//! and no word of the vendor gets out.

use super::{
    support::{self, Gateway},
    truth::{delete, id, native, patch, rows, walk},
};
use incident_gateway::{
    domain::{IdKind, SourceName},
    graphql::{Api, Request},
    sandbox::{Release, Sandbox, SandboxOptions},
    secret::Secret,
    source::Source,
    upstream::{Policy, ReqwestTransport},
    vendors::{self, VendorConfig, ciso_assistant},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

async fn gateway(incidents: usize) -> Gateway {
    let gateway = Gateway::over(SandboxOptions { incidents, ..SandboxOptions::default() }).await;
    gateway.data("{ incidents(first: 100) { nodes { owners { email } } } }").await;
    gateway
}

fn fault(gateway: &Gateway, text: &str) {
    gateway.sandbox.set_faults(vec![text.parse().unwrap()]);
}

/// A source that waits at most so long.
fn impatient(name: &str, base: &str, token: &str, wait: Duration) -> Arc<dyn Source> {
    let policy = Policy { total_timeout: wait, idle_timeout: wait, ..Policy::default() };
    let credential = ciso_assistant::Credential::Token(Secret::from(token.to_owned()));
    let mut config = ciso_assistant::Config::new(base.parse().unwrap(), credential);
    config.policy = policy.clone();
    let transport = Arc::new(ReqwestTransport::new(&policy).unwrap());
    vendors::build(&SourceName::new(name), &VendorConfig::CisoAssistant(config), transport)
}

async fn ask(api: &Api, query: &str) -> Value {
    let request = Request { query: query.into(), ..Request::default() };
    serde_json::from_str(&api.execute(request, &support::call("the-request")).await.body).unwrap()
}

/// Every error has a code and the request's id, and says nothing in the vendor's words.
fn assert_errors(answer: &Value, codes: &[&str]) {
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let told: Vec<&str> = errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap()).collect();
    assert_eq!(told, codes, "{answer}");
    for error in errors {
        assert!(error["extensions"]["requestId"].as_str().is_some_and(|id| !id.is_empty()), "{error}");
        assert!(error["path"].is_array(), "{error}");
        assert_ours(&error["message"]);
    }
}

/// None of what the sandbox says when it fails, or of what libraries say.
fn assert_ours(message: &Value) {
    let message = message.as_str().unwrap_or_else(|| panic!("no message: {message}"));
    assert!(message.contains("“grc”"), "{message}");
    for word in [
        "fault of the sandbox",
        "Server Error",
        "html",
        "throttled",
        "Invalid token",
        "expected",
        "line 1",
        "127.0.0.1",
        "reqwest",
        "/api/",
    ] {
        assert!(!message.contains(word), "{message:?} contains {word:?}");
    }
}

const REPORT: &str =
    "sources { status itemCount malformedCount upstreamCalls error { code message retryable retryAfterMs } }";

/// Fault, code of the report, its status, whether asking again may help.
const FAULTS: [(&str, &str, &str, bool); 10] = [
    ("503", "SOURCE_UNAVAILABLE", "UNAVAILABLE", true),
    ("html:500", "SOURCE_UNAVAILABLE", "UNAVAILABLE", true),
    ("401", "SOURCE_AUTH_FAILED", "UNAUTHENTICATED", false),
    ("403", "SOURCE_FORBIDDEN", "FORBIDDEN", false),
    ("429:7", "SOURCE_RATE_LIMITED", "RATE_LIMITED", true),
    ("cut", "SOURCE_MALFORMED", "MALFORMED", false),
    ("garbage", "SOURCE_MALFORMED", "MALFORMED", false),
    ("empty", "SOURCE_MALFORMED", "MALFORMED", false),
    ("content-type", "SOURCE_MALFORMED", "MALFORMED", false),
    ("redirect", "SOURCE_MALFORMED", "MALFORMED", false),
];

#[tokio::test]
async fn a_list_without_its_source_is_empty_and_says_why() {
    let gateway = gateway(30).await;
    for (kind, code, status, retryable) in FAULTS {
        fault(&gateway, &format!("{kind}@/api/incidents/"));
        let answer = gateway
            .ask(&format!("{{ incidents {{ nodes {{ id }} totalCountPrecision {REPORT} }} viewer {{ name }} }}"))
            .await;
        assert_eq!(answer.get("errors"), None, "{kind}: {answer}");
        let (list, report) = (&answer["data"]["incidents"], &answer["data"]["incidents"]["sources"][0]);
        assert_eq!((&list["nodes"], &report["status"]), (&json!([]), &json!(status)), "{kind}");
        assert_ne!(list["totalCountPrecision"], "EXACT", "{kind}");
        assert_eq!(
            (&report["error"]["code"], &report["error"]["retryable"]),
            (&json!(code), &json!(retryable)),
            "{kind}"
        );
        assert_eq!(report["error"]["retryAfterMs"], if kind == "429:7" { json!(7_000) } else { Value::Null });
        assert_ours(&report["error"]["message"]);
        assert_eq!(answer["data"]["viewer"]["name"], "local");

        let required = gateway.ask("{ incidents(requireSources: [\"grc\"]) { nodes { id } } viewer { name } }").await;
        assert_errors(&required, &[code]);
        assert_eq!(required["data"], json!({ "incidents": null, "viewer": { "name": "local" } }), "{kind}");
        let stats = gateway.ask(&format!("{{ incidentStats {{ total precision {REPORT} }} }}")).await;
        assert_eq!(stats["data"]["incidentStats"]["sources"][0]["error"]["code"], code, "{kind}: {stats}");
        assert_eq!(stats["data"]["incidentStats"]["precision"], "LOWER_BOUND");
    }
    gateway.sandbox.set_faults(vec![]);
    let answer = gateway.data(&format!("{{ incidents {{ nodes {{ id }} {REPORT} }} }}")).await;
    assert_eq!(
        (&answer["incidents"]["sources"][0]["status"], &answer["incidents"]["sources"][0]["error"]),
        (&json!("OK"), &Value::Null)
    );
    assert_eq!(
        gateway.codes("{ incidents(requireSources: [\"nowhere\"]) { nodes { id } } }").await,
        ["BAD_USER_INPUT"]
    );
}

#[tokio::test]
async fn one_incident_without_its_source_is_null_with_a_code() {
    let gateway = gateway(30).await;
    let own = id(IdKind::Incident, native(&rows(&gateway, "/api/incidents/").await[0]));
    for (kind, code, _, retryable) in FAULTS {
        fault(&gateway, &format!("{kind}@/api/incidents/"));
        let query = format!(
            "{{ incident(by: {{ id: {own:?} }}) {{ title }} node(id: {own:?}) {{ id }} nodes(ids: [{own:?}]) {{ id }} viewer {{ name }} }}"
        );
        let answer = gateway.ask(&query).await;
        assert_errors(&answer, &[code, code, code]);
        assert_eq!(
            answer["data"],
            json!({ "incident": null, "node": null, "nodes": [null], "viewer": { "name": "local" } }),
            "{kind}"
        );
        assert_eq!(answer["errors"][0]["extensions"]["source"], "grc");
        assert_eq!(answer["errors"][0]["extensions"]["retryable"], retryable, "{kind}");
    }
}

#[tokio::test]
async fn one_failing_endpoint_leaves_everything_else() {
    let gateway = gateway(60).await;
    let nodes = "title owners { name email } assets(first: 100) { nodes { name description } } threats(first: 100) { nodes { name description } } \
        comments(first: 100) { totalCount } evidence(first: 100) { nodes { title sourceStatus } } tags { name }";
    let query = format!("{{ incidents(first: 60) {{ nodes {{ {nodes} }} {REPORT} }} }}");
    let whole = gateway.data(&query).await;
    for (path, changed) in [
        ("assets", "assets"),
        ("threats", "threats"),
        ("users", "owners"),
        ("timeline-entries", "comments"),
        ("evidences", "evidence"),
    ] {
        for (kind, code, ..) in FAULTS {
            fault(&gateway, &format!("{kind}@/api/{path}/"));
            let answer = gateway.ask(&query).await;
            assert_eq!(answer["data"]["incidents"]["sources"][0]["status"], "OK", "the list itself came");
            let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("{kind}@{path}: {answer}"));
            assert!(
                errors.iter().all(|error| error["extensions"]["code"] == code),
                "{kind}@{path}: {}",
                answer["errors"]
            );
            errors.iter().for_each(|error| assert_ours(&error["message"]));
            for error in errors {
                let touched = error["path"][3].as_str().unwrap();
                assert!(
                    touched == changed || (path == "timeline-entries" && touched == "evidence"),
                    "{kind}@{path}: {error}"
                );
            }
            for (ours, before) in answer["data"]["incidents"]["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .zip(whole["incidents"]["nodes"].as_array().unwrap())
            {
                for (field, value) in before.as_object().unwrap() {
                    if field != changed && !(path == "timeline-entries" && field == "evidence") {
                        assert_eq!(ours[field], *value, "{kind}@{path}: {field}");
                    }
                }
            }
        }
    }
    let owners = "{ incidents(first: 60) { nodes { owners { name email } } } }";
    fault(&gateway, "503@/api/users/");
    let answer = gateway.ask(owners).await;
    let before = whole["incidents"]["nodes"].as_array().unwrap();
    for (node, before) in answer["data"]["incidents"]["nodes"].as_array().unwrap().iter().zip(before) {
        if node["owners"].is_null() {
            assert_ne!(before["owners"], json!([]), "only where something is missing");
        }
    }
}

#[tokio::test]
async fn a_malformed_item_costs_itself_and_is_counted() {
    let gateway = gateway(60).await;
    let total = rows(&gateway, "/api/incidents/").await.len();
    fault(&gateway, "malformed@/api/incidents/");
    let data = gateway.data(&format!("{{ incidents(first: 100) {{ nodes {{ id title }} {REPORT} }} }}")).await;
    let list = &data["incidents"];
    assert_eq!(
        (list["nodes"].as_array().unwrap().len(), &list["sources"][0]["malformedCount"]),
        (total - 1, &json!(1))
    );
    assert_eq!(list["sources"][0]["status"], "OK");
    fault(&gateway, "malformed@/api/assets/");
    let answer = gateway.ask(&format!("{{ incidents(first: 100) {{ nodes {{ id title assets(first: 100) {{ nodes {{ name description }} }} }} {REPORT} }} }}")).await;
    assert_eq!(answer["data"]["incidents"]["nodes"].as_array().unwrap().len(), total);
    assert_eq!(answer["data"]["incidents"]["sources"][0]["malformedCount"], 1);
}

#[tokio::test]
async fn a_source_that_is_down_or_too_slow_is_told_apart_and_the_other_one_answers() {
    let sandbox = Sandbox::new(SandboxOptions { incidents: 20, ..SandboxOptions::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let served = sandbox.clone();
    tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
    // A port that was just given back: nobody listens there.
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let good = Gateway::over(SandboxOptions { incidents: 25, seed: 7, ..SandboxOptions::default() }).await;
    let wait = Duration::from_millis(250);
    for (base, kind, code, status) in [
        (format!("http://{closed}"), None, "SOURCE_UNAVAILABLE", "UNAVAILABLE"),
        (base.clone(), Some("slow:2000"), "SOURCE_TIMEOUT", "TIMEOUT"),
        (base.clone(), Some("hang"), "SOURCE_TIMEOUT", "TIMEOUT"),
    ] {
        sandbox.set_faults(kind.iter().map(|kind| kind.parse().unwrap()).collect());
        let api = support::api(vec![
            impatient("grc", &base, sandbox.token(), wait),
            impatient("other", &good.base, good.sandbox.token(), Duration::from_secs(10)),
        ]);
        let begun = std::time::Instant::now();
        let answer = ask(&api, &format!("{{ incidents(first: 100) {{ nodes {{ source {{ name }} }} {REPORT} }} sources {{ name health {{ status message }} }} }}")).await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        let (list, reports) = (&answer["data"]["incidents"], &answer["data"]["incidents"]["sources"]);
        assert_eq!((&reports[0]["status"], &reports[0]["error"]["code"]), (&json!(status), &json!(code)), "{kind:?}");
        assert_eq!((&reports[0]["error"]["retryable"], &reports[1]["status"]), (&json!(true), &json!("OK")));
        assert_ours(&reports[0]["error"]["message"]);
        let nodes = list["nodes"].as_array().unwrap();
        assert!(!nodes.is_empty() && nodes.iter().all(|node| node["source"]["name"] == "other"));
        assert_eq!(answer["data"]["sources"][0]["health"]["status"], status);
        assert_ours(&answer["data"]["sources"][0]["health"]["message"]);
        assert_eq!(answer["data"]["sources"][1]["health"], json!({ "status": "OK", "message": null }));
        let required = ask(&api, "{ incidents(requireSources: [\"grc\"]) { nodes { id } } }").await;
        assert_errors(&required, &[code]);
        let optional = ask(&api, "{ incidents(requireSources: [\"other\"]) { nodes { id } } }").await;
        assert_errors(&optional, &[]);
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn ids_that_name_nothing_are_null_and_not_found_in_their_place() {
    let gateway = gateway(30).await;
    let all = rows(&gateway, "/api/incidents/").await;
    let (a, b) = (id(IdKind::Incident, native(&all[0])), id(IdKind::Incident, native(&all[1])));
    let unknown = |kind| id(kind, "00000000-0000-4000-8000-000000000001");
    for kind in [
        IdKind::Incident,
        IdKind::Asset,
        IdKind::Threat,
        IdKind::Owner,
        IdKind::Evidence,
        IdKind::Scope,
        IdKind::Tag,
        IdKind::Term,
    ] {
        let answer = gateway.ask(&format!("{{ node(id: {:?}) {{ id }} viewer {{ name }} }}", unknown(kind))).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND", "{kind:?}: {answer}");
        assert_eq!(answer["data"], json!({ "node": null, "viewer": { "name": "local" } }));
        assert!(answer["errors"][0]["extensions"]["requestId"].is_string());
    }
    let ids = [&a, &unknown(IdKind::Incident), &b, &a];
    let answer = gateway.ask_with("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": ids })).await;
    assert_eq!(answer["data"]["nodes"], json!([{ "id": a }, null, { "id": b }, { "id": a }]));
    assert_eq!((&answer["errors"][0]["path"], answer["errors"].as_array().unwrap().len()), (&json!(["nodes", 1]), 1));
    for (query, argument) in [
        ("{ node(id: \"garbage\") { id } }".to_owned(), "`id`"),
        (format!("{{ incident(by: {{ id: {:?} }}) {{ id }} }}", unknown(IdKind::Asset)), "`by.id`"),
        ("{ nodes(ids: [\"garbage\"]) { id } }".into(), "`ids"),
        ("{ nodes(ids: []) { id } }".into(), "`ids`"),
        (format!("{{ nodes(ids: [{}]) {{ id }} }}", vec![json!(a).to_string(); 101].join(",")), "`ids`"),
    ] {
        let answer = gateway.ask(&query).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{query}: {answer}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().starts_with(argument), "{answer}");
    }
    assert_eq!(
        gateway.codes("{ incident(by: { native: { source: \"nowhere\", id: \"x\" } }) { id } }").await,
        ["BAD_USER_INPUT"]
    );
    let garbage = gateway.ask("{ no such").await;
    assert!(
        garbage["errors"][0]["extensions"]["requestId"].is_string()
            && garbage["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    );
}

/// The answer to a list is held up by nothing, so one can be gone by the time its timeline is asked for.
#[tokio::test]
async fn an_incident_that_vanishes_meanwhile_costs_only_itself() {
    let gateway = gateway(60).await;
    let all = rows(&gateway, "/api/incidents/").await;
    let query = "{ incidents(first: 100) { nodes { sourceId activity(first: 100) { totalCount } } sources { upstreamCalls } } }";
    let before = gateway.data(query).await;
    let victim = native(&all[all.len() / 2]).to_owned();
    // The list is slow to arrive; meanwhile the incident goes.
    fault(&gateway, "slow:300@/api/timeline-entries/*1");
    gateway.calls();
    let gateway = Arc::new(gateway);
    let asked = tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.ask(query).await }
    });
    while !gateway.sandbox.calls().iter().any(|call| call.path == "/api/timeline-entries/") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    delete(&gateway, &victim).await;
    let answer = asked.await.unwrap();
    let refused = gateway
        .sandbox
        .calls()
        .iter()
        .filter(|call| call.path == "/api/timeline-entries/" && call.status == 400)
        .count();
    assert!((2..=8).contains(&refused), "halved, not asked one by one: {refused}");
    for (ours, before) in answer["data"]["incidents"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .zip(before["incidents"]["nodes"].as_array().unwrap())
    {
        assert_eq!(ours["sourceId"], before["sourceId"]);
        if ours["sourceId"] == *victim {
            assert_eq!(ours["activity"], Value::Null);
        } else {
            assert_eq!(ours["activity"], before["activity"]);
        }
    }
    let codes: Vec<&Value> =
        answer["errors"].as_array().into_iter().flatten().map(|error| &error["extensions"]["code"]).collect();
    assert!(codes.iter().all(|code| **code == "NOT_FOUND"), "{answer}");
}

#[tokio::test]
async fn masked_links_are_counted() {
    for release in [Release::V3_15_1, Release::V3_20_8] {
        let gateway = Gateway::over(SandboxOptions { incidents: 100, release, ..SandboxOptions::default() }).await;
        let all = rows(&gateway, "/api/incidents/?ordering=-created_at,id").await;
        let masked = |row: &Value| {
            let lists = row.as_object().unwrap().values().filter_map(Value::as_array);
            lists.flatten().filter(|one| **one == json!({})).count() + usize::from(row["folder"] == json!({}))
        };
        let expected: usize = all.iter().take(100).map(masked).sum();
        assert!(expected > 0);
        let data =
            gateway.data("{ incidents(first: 100) { nodes { hiddenLinks { count } } sources { maskedCount } } }").await;
        assert_eq!(data["incidents"]["sources"][0]["maskedCount"], expected, "{release}");
        let told = data["incidents"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|node| node["hiddenLinks"].as_array().unwrap());
        assert_eq!(told.map(|links| links["count"].as_u64().unwrap()).sum::<u64>(), expected as u64);
        // What is loaded below counts too, each record once.
        let listed: BTreeSet<&str> = all.iter().take(100).map(native).collect();
        let mut below = 0;
        for entry in rows(&gateway, "/api/timeline-entries/").await {
            if listed.contains(native(&entry["incident"])) {
                let evidence = entry["evidences"].as_array().unwrap().iter().filter(|one| **one == json!({}));
                below += evidence.count() + usize::from(entry["author"] == json!({}));
            }
        }
        assert!(below > 0, "{release}");
        let query = "{ incidents(first: 100) { nodes { comments { totalCount } } sources { maskedCount } } }";
        let data = gateway.data(query).await;
        assert_eq!(data["incidents"]["sources"][0]["maskedCount"], expected + below, "{release}");
    }
}

#[tokio::test]
async fn a_reference_that_cannot_be_searched_for_is_found_or_said_to_be_too_far_back() {
    let gateway = Gateway::over(SandboxOptions { incidents: 10_050, ..SandboxOptions::default() }).await;
    let page = |ordering: &str| format!("/api/incidents/?limit=1&ordering={ordering}");
    for (ordering, reference, expected) in
        [("created_at,id", "Ünï-1", &[][..]), ("-created_at,-id", "Ünï-2", &["SOURCE_UNAVAILABLE"][..])]
    {
        let row = gateway.rest(&page(ordering)).await["results"][0].take();
        let path = format!("/api/incidents/{}/", native(&row));
        assert_eq!(
            super::truth::write(
                &gateway,
                incident_gateway::upstream::Method::Patch,
                &path,
                &json!({"ref_id": reference})
            )
            .await
            .0,
            200
        );
        let query =
            format!("{{ incident(by: {{ native: {{ source: \"grc\", id: {reference:?} }} }}) {{ sourceId }} }}");
        let answer = gateway.ask(&query).await;
        let codes = answer["errors"].as_array().into_iter().flatten().map(|error| &error["extensions"]["code"]);
        assert_eq!(codes.collect::<Vec<_>>(), expected, "{answer}");
        let found = &answer["data"]["incident"]["sourceId"];
        assert_eq!(*found, if expected.is_empty() { row["id"].clone() } else { Value::Null });
    }
}

#[tokio::test]
async fn a_refused_token_is_told_and_a_new_release_is_noticed() {
    let gateway = gateway(40).await;
    let api = support::api(vec![support::source(
        &gateway.base,
        "0000000000000000000000000000000000000000000000000000000000000000",
    )]);
    let answer = ask(
        &api,
        &format!("{{ incidents {{ nodes {{ id }} {REPORT} }} source(name: \"grc\") {{ health {{ status }} }} }}"),
    )
    .await;
    assert_eq!(answer["data"]["incidents"]["sources"][0]["error"]["code"], "SOURCE_AUTH_FAILED");
    assert_eq!(answer["data"]["source"]["health"]["status"], "UNAUTHENTICATED");
    // The fields of the later release show as soon as it answers with them.
    let has = "{ incidents(first: 100) { nodes { continuityPlanActivated } } }";
    let any = |data: &Value| {
        data["incidents"]["nodes"].as_array().unwrap().iter().any(|node| !node["continuityPlanActivated"].is_null())
    };
    assert!(!any(&gateway.data(has).await));
    gateway.sandbox.set_release(Release::V3_20_8);
    assert!(any(&gateway.data(has).await));
    patch(&gateway, native(&rows(&gateway, "/api/incidents/").await[0]), json!({ "description": "changed" })).await;
    let walked =
        walk(&gateway, "incidents", "filter: { description: { equals: [\"changed\"] } }", 10, "description").await;
    assert_eq!(walked, [json!({ "description": "changed" })], "nothing is remembered of what can change");
}
