//! All five vendors at once: one list, in every order, with an honest report of each.

mod changes;
mod crowd;
mod direct;
mod document;
mod fields;
mod input;
mod promise;
mod quotas;
mod walks;

use super::support::call;
use incident_gateway::{
    config::{Config, SandboxSource},
    federation::{CursorKey, Federation, FederationOptions, SnapshotLimits},
    graphql::{Api, ApiOptions, QueryLimits, Request},
    sandbox::{Fault, Sandbox, SandboxOptions, Vendor},
    source::Source,
    upstream::{Cache, Policy, ReqwestTransport},
    vendors,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle, time::Instant};
use url::Url;

/// A gateway over the sandboxes of all vendors; each source is called like its vendor.
struct Five {
    api: Api,
    federation: Arc<Federation>,
    config: Config,
    sandboxes: Vec<Sandbox>,
    urls: Vec<Url>,
    serving: Vec<JoinHandle<()>>,
}

/// What the sandboxes hold, and how they are read.
#[derive(Clone)]
struct Setting {
    incidents: usize,
    /// How many of EventLog Analyzer, where that is another number.
    eventlog: Option<usize>,
    /// The vendors' own limits of requests per time, at both ends.
    strict: bool,
    snapshots: SnapshotLimits,
    /// Whether the gateway remembers single answers of vendors.
    remember: bool,
    cursor_key: CursorKey,
}

const MINUTE: Duration = Duration::from_secs(60);

/// Every request reads for itself.
const UNKEPT: SnapshotLimits = SnapshotLimits { keep: Duration::ZERO, max_bytes: 64 << 20 };

impl Setting {
    fn of(incidents: usize) -> Self {
        let cursor_key = CursorKey([7; 32]);
        Setting {
            incidents,
            eventlog: None,
            strict: false,
            snapshots: SnapshotLimits::default(),
            remember: false,
            cursor_key,
        }
    }
}

impl Drop for Five {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
    }
}

fn source<'a>(vendor: Vendor, url: &'a Url, sandbox: &Sandbox) -> SandboxSource<'a> {
    SandboxSource { name: vendor.word(), vendor: vendor.word(), url, settings: sandbox.secrets() }
}

/// Nothing is remembered.
fn forget(cache: &mut Cache) {
    let nothing = Duration::ZERO;
    (cache.lists, cache.details, cache.revisions, cache.stale) = (nothing, nothing, nothing, nothing);
}

fn gateway(config: &Config, setting: &Setting) -> (Arc<Federation>, Api) {
    let transport = Arc::new(ReqwestTransport::new(&Policy::default()).unwrap());
    let sources = config.sources.iter().map(|(name, config)| vendors::build(name, config, transport.clone()));
    let sources: Vec<Arc<dyn Source>> = sources.collect();
    let federation = Arc::new(Federation::new(FederationOptions {
        sources,
        cursor_key: setting.cursor_key.clone(),
        scan_limit: 10_000,
        snapshots: setting.snapshots,
    }));
    let base_url = "http://gateway.test".into();
    let download = ApiOptions { download_key: [8; 32], base_url, limits: QueryLimits::default() };
    (federation.clone(), Api::new(federation, download))
}

impl Five {
    async fn start(incidents: usize) -> Five {
        Five::with(Setting { snapshots: UNKEPT, remember: true, ..Setting::of(incidents) }).await
    }

    async fn with(setting: Setting) -> Five {
        let (mut sandboxes, mut urls, mut serving) = (vec![], vec![], vec![]);
        for vendor in Vendor::ALL {
            let other = setting.eventlog.filter(|_| vendor == Vendor::EventlogAnalyzer);
            let (incidents, strict_limits) = (other.unwrap_or(setting.incidents), setting.strict);
            let sandbox =
                Sandbox::new(SandboxOptions { vendor, incidents, strict_limits, ..SandboxOptions::default() });
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            urls.push(Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap());
            let served = sandbox.clone();
            serving.push(tokio::spawn(async move { served.serve(listener, std::future::pending()).await.unwrap() }));
            sandboxes.push(sandbox);
        }
        let named = Vendor::ALL.iter().zip(&urls).zip(&sandboxes);
        let settings: Vec<_> = named.map(|((vendor, url), sandbox)| source(*vendor, url, sandbox)).collect();
        let mut config = Config::of_sandboxes(&settings, if setting.strict { 1 } else { 100 }).unwrap();
        if !setting.remember {
            config.sources.iter_mut().for_each(|(_, source)| forget(&mut source.policy_mut().cache));
        }
        let (federation, api) = gateway(&config, &setting);
        Five { api, federation, config, sandboxes, urls, serving }
    }

    /// Another gateway over the same servers.
    fn restart(&mut self, cursor_key: [u8; 32]) {
        (self.federation, self.api) =
            gateway(&self.config, &Setting { cursor_key: CursorKey(cursor_key), ..Setting::of(0) });
    }

    fn url(&self, vendor: Vendor) -> &Url {
        &self.urls[Vendor::ALL.iter().position(|other| *other == vendor).unwrap()]
    }

    /// The whole answer, within this time.
    async fn answer(&self, query: &str, variables: Value, within: Duration) -> Value {
        let Value::Object(variables) = variables else { panic!("variables are an object") };
        let request = Request { query: query.into(), variables, ..Request::default() };
        let body = self.api.execute(request, &call("five").until(Instant::now() + within)).await.body;
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }

    async fn ask(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.answer(query, variables, MINUTE).await;
        assert_eq!(answer.get("errors"), None, "{query}: {answer}");
        answer["data"].take()
    }

    fn sandbox(&self, vendor: Vendor) -> &Sandbox {
        &self.sandboxes[Vendor::ALL.iter().position(|other| *other == vendor).unwrap()]
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

/// A list that is not there is no record that was deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_whose_address_is_wrong_is_told_so() {
    let five = Five::start(20).await;
    five.sandboxes.iter().for_each(|sandbox| sandbox.set_faults(vec!["404".parse::<Fault>().unwrap()]));
    let query = "{ incidents { sources { source { name } status error { code message } } }
        incidentStats { total sources { source { name } status error { code message } } } }";
    let data = five.ask(query, json!({})).await;
    let reports = ["incidents", "incidentStats"].iter().flat_map(|field| data[field]["sources"].as_array().unwrap());
    // EventLog Analyzer refuses everything with one code, which says more than the status.
    for report in reports.filter(|report| report["source"]["name"] != "eventlog-analyzer") {
        let state = (&report["status"], &report["error"]["code"]);
        assert_eq!(state, (&json!("MALFORMED"), &json!("SOURCE_MALFORMED")), "{report}");
        let message = report["error"]["message"].as_str().unwrap();
        assert!(message.ends_with("(check the source's url)."), "{report}");
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
