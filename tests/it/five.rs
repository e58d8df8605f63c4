//! All five vendors at once: one list, in every order, with an honest report of each.

mod document;

use super::support::{api, call};
use incident_gateway::{
    config::{Config, SandboxSource},
    graphql::{Api, Request},
    sandbox::{Fault, Sandbox, SandboxOptions, Vendor},
    source::Source,
    upstream::{Policy, ReqwestTransport},
    vendors,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::{net::TcpListener, task::JoinHandle};
use url::Url;

/// A gateway over the sandboxes of all vendors; each source is called like its vendor.
struct Five {
    api: Api,
    sandboxes: Vec<Sandbox>,
    serving: Vec<JoinHandle<()>>,
}

impl Drop for Five {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
    }
}

fn source<'a>(vendor: Vendor, url: &'a Url, sandbox: &Sandbox) -> SandboxSource<'a> {
    SandboxSource { name: vendor.word(), vendor: vendor.word(), url, settings: sandbox.secrets() }
}

impl Five {
    async fn start(incidents: usize) -> Five {
        let (mut sandboxes, mut urls, mut serving) = (vec![], vec![], vec![]);
        for vendor in Vendor::ALL {
            let sandbox = Sandbox::new(SandboxOptions { vendor, incidents, ..SandboxOptions::default() });
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            urls.push(Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap());
            let served = sandbox.clone();
            serving.push(tokio::spawn(async move { served.serve(listener, std::future::pending()).await.unwrap() }));
            sandboxes.push(sandbox);
        }
        let named = Vendor::ALL.iter().zip(&urls).zip(&sandboxes);
        let settings: Vec<_> = named.map(|((vendor, url), sandbox)| source(*vendor, url, sandbox)).collect();
        let config = Config::of_sandboxes(&settings, 100).unwrap();
        let transport = Arc::new(ReqwestTransport::new(&Policy::default()).unwrap());
        let sources = config.sources.iter().map(|(name, config)| vendors::build(name, config, transport.clone()));
        let sources: Vec<Arc<dyn Source>> = sources.collect();
        Five { api: api(sources), sandboxes, serving }
    }

    async fn ask(&self, query: &str, variables: Value) -> Value {
        let Value::Object(variables) = variables else { panic!("variables are an object") };
        let request = Request { query: query.into(), variables, ..Request::default() };
        let body = self.api.execute(request, &call("five")).await.body;
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answer.get("errors"), None, "{query}: {answer}");
        answer["data"].clone()
    }

    fn sandbox(&self, vendor: Vendor) -> &Sandbox {
        &self.sandboxes[Vendor::ALL.iter().position(|other| *other == vendor).unwrap()]
    }

    /// Every incident in an order, page by page.
    async fn walk(&self, order: &str, first: usize) -> Vec<Value> {
        let query = format!(
            "query($after: String) {{ incidents(first: {first}, after: $after, orderBy: {{ {order} }}) {{
               pageInfo {{ hasNextPage endCursor }} sources {{ source {{ name }} status truncated }}
               nodes {{ id title reference severity status createdAt updatedAt occurredAt detectedAt reportedAt resolvedAt
                 dueAt source {{ name }} }} }} }}"
        );
        let (mut all, mut after) = (vec![], Value::Null);
        loop {
            let page = self.ask(&query, json!({ "after": after })).await["incidents"].take();
            for report in page["sources"].as_array().unwrap() {
                assert_eq!((&report["status"], &report["truncated"]), (&json!("OK"), &json!(false)), "{report}");
            }
            all.extend(page["nodes"].as_array().unwrap().clone());
            if page["pageInfo"]["hasNextPage"] == false {
                return all;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

fn ids(rows: &[Value]) -> BTreeSet<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_walks_the_same_incidents_of_all_five_once() {
    let five = Five::start(60).await;
    let counts = five.ask("{ incidentStats { precision bySource { source { name } count } } }", json!({})).await;
    assert_eq!(counts["incidentStats"]["precision"], "EXACT");
    let told: BTreeMap<String, u64> = counts["incidentStats"]["bySource"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["source"]["name"].as_str().unwrap().to_owned(), one["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(told.len(), 5);
    let times = ["createdAt", "updatedAt", "occurredAt", "detectedAt", "reportedAt", "resolvedAt", "dueAt"];
    let mut known: Option<BTreeSet<String>> = None;
    let fields = ["CREATED_AT", "UPDATED_AT", "OCCURRED_AT", "DETECTED_AT", "REPORTED_AT", "RESOLVED_AT", "DUE_AT"];
    for (field, time) in fields.into_iter().zip(times.map(Some)).chain([("SEVERITY", None), ("STATUS", None)]) {
        for (direction, first) in [("ASC", 37), ("DESC", 100)] {
            let rows = five.walk(&format!("field: {field}, direction: {direction}"), first).await;
            let met = ids(&rows);
            assert_eq!(met.len(), rows.len(), "{field} {direction}: nothing twice");
            let mut by_source: BTreeMap<String, u64> = BTreeMap::new();
            for row in &rows {
                *by_source.entry(row["source"]["name"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            assert_eq!(by_source, told, "{field} {direction}: nothing left out");
            let met: BTreeSet<String> = met.into_iter().map(str::to_owned).collect();
            assert_eq!(*known.get_or_insert_with(|| met.clone()), met, "{field} {direction}");
            if let Some(time) = time {
                // RFC 3339 in UTC with as many digits as there are: moments are compared, not texts. Nulls come last.
                let keys: Vec<Option<chrono::DateTime<chrono::Utc>>> =
                    rows.iter().map(|row| row[time].as_str().map(|text| text.parse().unwrap())).collect();
                let sorted = keys.windows(2).all(|pair| match (pair[0], pair[1]) {
                    (None, later) => later.is_none(),
                    (Some(_), None) => true,
                    (Some(a), Some(b)) => {
                        if direction == "ASC" {
                            a <= b
                        } else {
                            a >= b
                        }
                    }
                });
                assert!(sorted, "{field} {direction}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_down_costs_its_rows_and_nothing_else() {
    let query =
        "{ incidents(first: 100) { nodes { source { name } } sources { source { name } status error { code } } } }";
    for vendor in Vendor::ALL {
        // Anew for each, since one that failed so often is left in peace for longer than the test takes.
        let five = Five::start(40).await;
        five.sandbox(vendor).set_faults(vec!["503".parse::<Fault>().unwrap()]);
        let page = five.ask(query, json!({})).await["incidents"].take();
        for report in page["sources"].as_array().unwrap() {
            let down = report["source"]["name"] == vendor.word();
            // A source that is asked several things at once may have failed often enough to be left in peace by then.
            let expected =
                if down { ["SOURCE_UNAVAILABLE", "CIRCUIT_OPEN"].map(Value::from) } else { [Value::Null, Value::Null] };
            assert!(expected.contains(&report["error"]["code"]), "{vendor}: {report}");
        }
        let met: BTreeSet<&str> =
            page["nodes"].as_array().unwrap().iter().map(|node| node["source"]["name"].as_str().unwrap()).collect();
        assert_eq!(met.len(), 4, "{vendor}");
        assert!(!met.contains(vendor.word()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_vendor_tells_what_it_has_and_nothing_fails_for_what_it_has_not() {
    let five = Five::start(40).await;
    let query = "{ incidents(first: 100) { nodes { id title description severity sourceSeverity status sourceStatus url
        owners { id name email kind } createdBy { name } tags { name } scope { name } scores { kind value }
        assets(first: 50) { totalCount nodes { id name kind } edges { roles } }
        threats(first: 50) { nodes { id name kind reference cvss } edges { relevance confidence } }
        evidence(first: 50) { totalCount nodes { id kind title severity } }
        comments(first: 50) { totalCount nodes { id body author { name } } }
        activity(first: 50) { totalCount nodes { id kind at actor { name } } }
        relatedRecords { id name } alertCounts { total } exposure { port } source { name } } } }";
    let page = five.ask(query, json!({})).await["incidents"].take();
    let mut told: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for node in page["nodes"].as_array().unwrap() {
        let about = told.entry(node["source"]["name"].as_str().unwrap()).or_default();
        for list in ["assets", "threats", "evidence", "comments", "activity"] {
            if node[list]["nodes"].as_array().is_some_and(|all| !all.is_empty()) {
                about.insert(list);
            }
        }
        about.extend(
            ["owners", "tags", "scores"].into_iter().filter(|field| node[field] != json!([]) && !node[field].is_null()),
        );
    }
    let expected: [(&str, &[&str]); 5] = [
        ("ciso-assistant", &["activity", "assets", "comments", "evidence", "owners", "tags", "threats"]),
        ("eventlog-analyzer", &["activity", "assets", "comments", "evidence", "owners"]),
        ("adversarial", &["activity", "comments", "owners", "tags", "threats"]),
        ("kaspersky-xdr", &["activity", "assets", "evidence", "owners", "threats"]),
        ("cortex-xpanse", &["assets", "evidence", "owners", "scores", "tags", "threats"]),
    ];
    let expected: BTreeMap<&str, BTreeSet<&str>> =
        expected.into_iter().map(|(vendor, fields)| (vendor, fields.iter().copied().collect())).collect();
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_are_counted_with_who_they_are() {
    let five = Five::start(60).await;
    for vendor in Vendor::ALL {
        let query = format!(
            "{{ incidentStats(filter: {{ sources: [\"{vendor}\"] }}) {{ byOwner(top: 100) {{ owner {{ name kind }} count }} }} }}"
        );
        let stats = five.ask(&query, json!({})).await["incidentStats"].take();
        let nobody = stats["byOwner"].as_array().unwrap().iter().filter(|one| one["owner"].is_null()).count();
        assert!(nobody <= 1, "{vendor}: only those without an owner are nobody's: {stats}");
        assert!(stats["byOwner"].as_array().unwrap().len() > 3, "{vendor}");
    }
}

/// What a source filters itself and what the gateway filters is the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_means_the_same_whoever_applies_it() {
    let five = Five::start(80).await;
    for filter in [
        "status: [NEW]",
        "status: [OTHER]",
        "status: [NEW, OTHER, CLOSED]",
        "phase: OPEN",
        "severity: [CRITICAL, LOW]",
        "severity: [UNKNOWN]",
        "unassigned: true",
        "created: { since: \"2026-03-01T00:00:00Z\" }",
        "updated: { until: \"2026-06-01T00:00:00Z\" }",
        "search: \"vpn\"",
    ] {
        let query = |filter: String| {
            format!("{{ incidents(first: 100, filter: {{ {filter} }}) {{ totalCount nodes {{ id }} }} }}")
        };
        let plain = five.ask(&query(filter.into()), json!({})).await;
        let wrapped = five.ask(&query(format!("or: [{{ {filter} }}]")), json!({})).await;
        assert_eq!(plain, wrapped, "{filter}");
    }
}
