//! How many calls an answer costs the source, counted there; and that each call is one that it understands.

use super::{
    support::Gateway,
    truth::{native, rows},
};
use incident_gateway::{
    domain::IdKind,
    sandbox::{Call, Release, SandboxOptions},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

const SCALARS: &str = "id title severity status createdAt reportedAt description link";
const ASSET_NAMES: &str = "title assets(first: 100) { nodes { id name } }";
const ASSET_DESCRIPTIONS: &str = "title assets(first: 100) { nodes { name description } }";
const EVERYTHING: &str = "id title severity status createdAt scope { name } tags { name } qualifications { label } \
    owners { name email } assets(first: 100) { nodes { name description } } \
    threats(first: 100) { nodes { name description } } \
    evidence(first: 100) { edges { addedAt addedBy { name } node { title sourceStatus link } } } \
    comments(first: 100) { nodes { kind title body author { name } } }";

/// So many ids fit into a request line behind one `id=`.
const IDS_WITH_COMMAS: usize = 137;
/// And so many where each repeats the parameter `incident`.
const IDS_REPEATED: usize = 109;

fn list(first: usize, nodes: &str) -> String {
    format!("{{ incidents(first: {first}) {{ nodes {{ {nodes} }} sources {{ upstreamCalls }} }} }}")
}

/// The release and the people are known afterwards.
async fn warm(gateway: &Gateway) {
    gateway.data(&list(100, "owners { email }")).await;
    gateway.calls();
}

/// What an answer says it cost, which must be what the sandbox counted, and which calls these were, sorted.
async fn cost(gateway: &Gateway, query: &str) -> (u64, Vec<String>) {
    gateway.calls();
    let data = gateway.data(query).await;
    assert_lawful(&gateway.sandbox.calls(), Release::V3_15_1);
    let mut calls = gateway.calls();
    calls.sort();
    let told = data["incidents"]["sources"][0]["upstreamCalls"].as_u64().unwrap();
    assert_eq!(told, calls.len() as u64, "upstreamCalls and {calls:?}");
    (told, calls)
}

/// How many different records the first `first` incidents, newest first, are tied to by `members`.
async fn distinct(gateway: &Gateway, first: usize, member: &str) -> usize {
    let newest = newest(gateway, first).await;
    let ids: BTreeSet<&str> = newest.iter().flat_map(|row| shown(&row[member])).collect();
    ids.len()
}

async fn newest(gateway: &Gateway, first: usize) -> Vec<Value> {
    let page = gateway.rest(&format!("/api/incidents/?ordering=-created_at,id&limit={first}")).await;
    page["results"].as_array().unwrap().clone()
}

/// The ids of a row's links that are not masked.
fn shown(links: &Value) -> impl Iterator<Item = &str> {
    links.as_array().unwrap().iter().filter_map(|link| link["id"].as_str())
}

/// A world in which 100 incidents touch more assets than one request line can name.
async fn wide() -> Gateway {
    let gateway = Gateway::over(SandboxOptions { incidents: 3_000, ..SandboxOptions::default() }).await;
    let assets = distinct(&gateway, 100, "assets").await;
    assert!(assets > IDS_WITH_COMMAS, "only {assets} assets: the test would show nothing");
    gateway
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_a_hundred_costs_one_call_for_each_kind_of_record_and_further_chunk() {
    let gateway = wide().await;
    warm(&gateway).await;
    let (scalars, calls) = cost(&gateway, &list(100, SCALARS)).await;
    assert_eq!((scalars, calls), (1, vec!["GET /api/incidents/".to_owned()]));
    assert_eq!(cost(&gateway, &list(100, ASSET_NAMES)).await.0, 1, "names come with the list");
    assert_eq!(
        cost(&gateway, &list(100, "owners { name } threats { nodes { name } } tags { name } scope { name }")).await.0,
        1
    );

    let assets = distinct(&gateway, 100, "assets").await;
    let chunks = assets.div_ceil(IDS_WITH_COMMAS) as u64;
    assert!(chunks > 1);
    assert_eq!(cost(&gateway, &list(100, ASSET_DESCRIPTIONS)).await.0, 1 + chunks, "{assets} assets");

    let (everything, calls) = cost(&gateway, &list(100, EVERYTHING)).await;
    let chunked = further_chunks(&gateway).await;
    assert!(everything <= 8 + chunked, "{everything} calls with {chunked} further chunks: {calls:?}");
    let count = |path: &str| calls.iter().filter(|call| *call == path).count() as u64;
    for once in ["GET /api/incidents/", "GET /api/timeline-entries/"] {
        assert_eq!(count(once), 1, "{once}");
    }
    assert_eq!(count("GET /api/assets/"), chunks);
    for remembered in ["GET /api/actors/", "GET /api/teams/", "GET /api/build/"] {
        assert_eq!(count(remembered), 0, "{remembered} is remembered");
    }
}

/// Chunks after the first of everything that is fetched by id for the newest hundred.
async fn further_chunks(gateway: &Gateway) -> u64 {
    let incidents = newest(gateway, 100).await;
    let query: Vec<String> = incidents.iter().map(|row| format!("incident={}", native(row))).collect();
    let mut evidences = BTreeSet::new();
    for some in query.chunks(IDS_REPEATED) {
        for entry in rows(gateway, &format!("/api/timeline-entries/?{}", some.join("&"))).await {
            evidences.extend(shown(&entry["evidences"]).map(str::to_owned));
        }
    }
    let mut sets = vec![evidences.len()];
    for member in ["assets", "threats", "owners"] {
        sets.push(distinct(gateway, 100, member).await);
    }
    sets.into_iter().map(|count| count.div_ceil(IDS_WITH_COMMAS).saturating_sub(1) as u64).sum()
}

#[tokio::test]
async fn a_cold_gateway_asks_for_the_release_once_more_and_for_nothing_else() {
    let gateway = Gateway::over(SandboxOptions { incidents: 200, ..SandboxOptions::default() }).await;
    assert_eq!(cost(&gateway, &list(100, SCALARS)).await.0, 1 + 1, "the list and the release");
    assert_eq!(cost(&gateway, &list(100, SCALARS)).await.0, 1);
    let cold = Gateway::over(SandboxOptions { incidents: 200, ..SandboxOptions::default() }).await;
    let (everything, calls) = cost(&cold, &list(100, EVERYTHING)).await;
    let further = further_chunks(&cold).await;
    assert!(everything <= 8 + further + 1, "{calls:?}");
    for once in ["actors", "teams", "build", "timeline-entries"] {
        assert_eq!(calls.iter().filter(|call| **call == format!("GET /api/{once}/")).count(), 1, "{once} in {calls:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_concurrent_requests_costs_the_same() {
    let gateway = Arc::new(Gateway::over(SandboxOptions { incidents: 200, ..SandboxOptions::default() }).await);
    warm(&gateway).await;
    for nodes in [SCALARS, ASSET_DESCRIPTIONS, EVERYTHING] {
        let query: Arc<str> = list(100, nodes).into();
        let (alone, expected) = cost(&gateway, &query).await;
        for requests in [1, 32, 128] {
            gateway.calls();
            let asked = (0..requests).map(|_| {
                let (gateway, query) = (gateway.clone(), query.clone());
                tokio::spawn(
                    async move { gateway.data(&query).await["incidents"]["sources"][0]["upstreamCalls"].clone() },
                )
            });
            let told = futures_util::future::join_all(asked.collect::<Vec<_>>()).await;
            assert!(told.into_iter().all(|told| told.unwrap() == alone), "{nodes} by {requests}");
            let mut calls = gateway.calls();
            assert_eq!(calls.len() as u64, alone * requests, "{nodes} by {requests}");
            calls.sort();
            calls.dedup();
            let mut kinds = expected.clone();
            kinds.dedup();
            assert_eq!(calls, kinds);
        }
    }
}

#[tokio::test]
async fn root_fields_of_one_request_share_their_batches() {
    let gateway = Gateway::over(SandboxOptions { incidents: 200, ..SandboxOptions::default() }).await;
    warm(&gateway).await;
    let newest = newest(&gateway, 100).await;
    let with_assets = newest.iter().filter(|row| shown(&row["assets"]).next().is_some());
    let fields = with_assets.take(10).enumerate().map(|(place, row)| {
        let id = super::truth::id(IdKind::Incident, native(row));
        format!("i{place}: incident(by: {{ id: {id:?} }}) {{ {ASSET_DESCRIPTIONS} }}")
    });
    let query = format!("{{ {} }}", fields.collect::<Vec<_>>().join(" "));
    gateway.calls();
    gateway.data(&query).await;
    assert_eq!(gateway.calls(), ["GET /api/incidents/", "GET /api/assets/"]);
    // The same field twice under one response key is one field.
    gateway.data("{ incidents(first: 5) { nodes { id } } incidents(first: 5) { nodes { title } } }").await;
    assert_eq!(gateway.calls(), ["GET /api/incidents/"]);
}

#[tokio::test]
async fn two_lists_of_one_request_never_fetch_a_record_twice() {
    let gateway = Gateway::over(SandboxOptions { incidents: 200, ..SandboxOptions::default() }).await;
    warm(&gateway).await;
    let list = |severity: &str| {
        format!(
            "incidents(first: 100, filter: {{ severity: [{severity}] }}) {{ nodes {{ {ASSET_DESCRIPTIONS} }} sources {{ upstreamCalls }} }}"
        )
    };
    let data = gateway.data(&format!("{{ a: {} b: {} }}", list("HIGH"), list("HIGH, MEDIUM"))).await;
    let calls = gateway.sandbox.calls();
    let ids = calls.iter().filter(|call| call.path == "/api/assets/").flat_map(|call| {
        let ids = call.query.split('&').find_map(|pair| pair.strip_prefix("id=")).unwrap();
        ids.split(',').map(str::to_owned).collect::<Vec<_>>()
    });
    let ids: Vec<String> = ids.collect();
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert!(!ids.is_empty() && distinct.len() == ids.len(), "{} ids, {} distinct", ids.len(), distinct.len());
    assert!((3..=4).contains(&calls.len()), "two lists, and a batch for each at most: {calls:?}");
    for field in ["a", "b"] {
        assert!(!data[field]["nodes"].as_array().unwrap().is_empty());
        assert!((2..=3).contains(&data[field]["sources"][0]["upstreamCalls"].as_u64().unwrap()), "{field}");
    }
}

#[tokio::test]
async fn records_by_id_are_fetched_together() {
    let gateway = Gateway::over(SandboxOptions { incidents: 200, ..SandboxOptions::default() }).await;
    warm(&gateway).await;
    let page = gateway.data("{ incidents(first: 100) { nodes { id } } }").await;
    let ids: Vec<Value> =
        page["incidents"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone()).collect();
    gateway.calls();
    let mut answer = gateway
        .ask_with("query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Incident { title } } }", json!({ "ids": ids }))
        .await;
    assert_eq!(gateway.calls(), ["GET /api/incidents/"]);
    let told: Vec<Value> =
        answer["data"]["nodes"].as_array_mut().unwrap().iter_mut().map(|node| node["id"].take()).collect();
    assert_eq!(told, ids, "in the order asked for");
}

/// Parameters that every list of the server knows, and those of single lists, as observed.
const KNOWN: [(&str, &[&str]); 4] = [
    (
        "/api/incidents/",
        &[
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
            "ordering",
        ],
    ),
    ("/api/timeline-entries/", &["id", "incident"]),
    ("/api/terminologies/", &["id", "field_path"]),
    ("/api/filtering-labels/", &["id", "search"]),
];
const LATER: [&str; 7] = [
    "applied_controls",
    "task_templates",
    "risk_scenarios",
    "created_at__gte",
    "created_at__lt",
    "updated_at__gte",
    "updated_at__lt",
];
const METRICS: [&str; 5] =
    ["severity_breakdown", "detection_breakdown", "qualifications_breakdown", "monthly_metrics", "summary_stats"];

/// Every call has its slash, fits into a request line, and has no parameter that the release ignores.
pub(crate) fn assert_lawful(calls: &[Call], release: Release) {
    assert!(!calls.is_empty());
    for call in calls {
        let line = call.method.len() + 1 + call.path.len() + 1 + call.query.len() + " HTTP/1.1\r\n".len();
        assert!(line < 5_120, "{line} bytes: {}?{}", call.path, call.query);
        assert!(call.path.ends_with('/'), "{}", call.path);
        assert_ne!(call.status, 301);
        for pair in call.query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split('=').next().unwrap();
            assert!(knows(&call.path, name, release), "{release}: {}?{}", call.path, call.query);
        }
    }
}

fn knows(path: &str, parameter: &str, release: Release) -> bool {
    let within = path.strip_prefix("/api/incidents/").map(|rest| rest.trim_end_matches('/'));
    let later = release == Release::V3_20_8;
    match within {
        Some(name) if METRICS.contains(&name) => return parameter == "folder",
        Some("export_csv" | "export_xlsx") if !later => return false,
        Some("" | "export_csv" | "export_xlsx") if later && LATER.contains(&parameter) => return true,
        _ => {}
    }
    let list = if within.is_some() { "/api/incidents/" } else { path };
    let own = KNOWN.iter().find(|(known, _)| *known == list).map(|(_, names)| *names);
    ["limit", "offset"].contains(&parameter) || own.unwrap_or(&["id"]).contains(&parameter)
}
