//! A faulty proxy between the gateway and each of the five vendors, while it is asked: nothing panics, every answer is whole and in
//! time, no source suffers for another, nothing false is told, and when the storm is over all is as before.

use super::pair::{BACK, MS, over, sandbox, serve, short, sockets};
use super::proxy::Proxy;
use crate::support;
use incident_gateway::{
    domain::Caller,
    graphql::{Api, Request},
    sandbox::Vendor,
    source::Call,
    upstream::{Cache, Context, Policy},
};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// What each question has, and what an answer may take beyond it on a machine that does other things as well.
const DEADLINE: Duration = Duration::from_secs(3);
const GRACE: Duration = Duration::from_secs(2);

const INCIDENTS: &str = "{ incidents(first: 60) { nodes { id title severity owners { id name }     assets(first: 3) { nodes { id name } } comments(first: 3) { nodes { id body } } evidence(first: 3) { nodes { id title } } }     sources { source { name } status fromCache fetchedAt error { code message } } } }";
const CATALOG: &str = "{ assets(first: 30) { nodes { id name } sources { source { name } status error { code } } }     owners(first: 30) { nodes { id name } sources { source { name } status error { code } } } }";
const STATS: &str = "{ incidentStats { bySource { source { name } count } bySeverity { severity count }     sources { source { name } status error { code } } } }";

/// What a source may be told to suffer from. `INTERNAL` is none of it.
const CODES: [&str; 7] = [
    "SOURCE_UNAVAILABLE",
    "SOURCE_TIMEOUT",
    "SOURCE_MALFORMED",
    "SOURCE_RATE_LIMITED",
    "SOURCE_AUTH_FAILED",
    "CIRCUIT_OPEN",
    "DEADLINE_EXCEEDED",
];

struct Storm {
    api: Api,
    proxies: Vec<Proxy>,
    /// The shown text of every record by its id, when all was well.
    truth: HashMap<String, String>,
}

fn policy() -> Policy {
    let cache = Cache { lists: 50 * MS, details: 100 * MS, ..short().cache };
    Policy { total_timeout: 1_500 * MS, cache, ..short() }
}

async fn ask(api: &Api, query: &str) -> Value {
    let caller = Arc::new(Caller::local());
    let context = Context::new(tokio::time::Instant::now() + DEADLINE, "storm", caller.scope.as_str());
    let call = Call { caller, context, now: support::now() };
    let begun = Instant::now();
    let body = api.execute(Request { query: query.into(), ..Request::default() }, &call).await.body;
    assert!(begun.elapsed() < DEADLINE + GRACE, "{:?}: {query}", begun.elapsed());
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

impl Storm {
    async fn rise() -> Self {
        let (mut proxies, mut sources) = (vec![], vec![]);
        for (vendor, seed) in Vendor::ALL.into_iter().zip(1..) {
            let sandbox = sandbox(vendor, 12, seed);
            let proxy = Proxy::before(serve(&sandbox).await, seed).await;
            sources.push(over(&sandbox, vendor, vendor.word(), &format!("http://{}/", proxy.address), policy()));
            proxies.push(proxy);
        }
        let mut storm = Storm { api: support::api(sources), proxies, truth: HashMap::new() };
        // Where one source fails, a page shows more of the others.
        let of = |vendor: Vendor| {
            let nodes = format!("(first: 30, sources: [\"{}\"]) {{ nodes {{ id name }} }}", vendor.word());
            format!("{{ assets{nodes} owners{nodes} }}")
        };
        let each = Vendor::ALL.into_iter().map(of);
        for query in [INCIDENTS.to_owned()].into_iter().chain(each) {
            let answer = storm.calm(&query).await;
            visit(&answer["data"], &mut |id, text| drop(storm.truth.insert(id.to_owned(), text.to_owned())));
        }
        storm
    }

    /// An answer without any trouble, which must come soon.
    async fn calm(&self, query: &str) -> Value {
        let begun = Instant::now();
        loop {
            let answer = ask(&self.api, query).await;
            let reports = reports(&answer);
            if answer.get("errors").is_none()
                && reports.iter().all(|report| ["OK", "SKIPPED"].contains(&text(&report["status"])))
            {
                return answer;
            }
            assert!(begun.elapsed() < BACK, "not back: {answer}");
            sleep(50 * MS).await;
        }
    }

    /// Whether an answer in the storm is honest; `well` are the sources that have to be.
    fn check(&self, answer: &Value, well: &(dyn Fn(&str) -> bool + Sync)) {
        assert!(answer["data"].is_object(), "{answer}");
        for error in answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let code = text(&error["extensions"]["code"]);
            assert!(CODES.contains(&code), "{error}");
            let source = text(&error["extensions"]["source"]);
            assert!(!well(source), "{error}");
        }
        for report in reports(answer) {
            let (name, status) = (text(&report["source"]["name"]), text(&report["status"]));
            let code = report["error"]["code"].as_str();
            match status {
                "OK" | "SKIPPED" => assert_eq!(code, None, "{report}"),
                "STALE" => assert!(code.is_none() && !well(name), "{report}"),
                _ => assert!(code.is_some_and(|code| CODES.contains(&code)) && !well(name), "{report}"),
            }
        }
        visit(&answer["data"], &mut |id, text| {
            assert_eq!(self.truth.get(id).map(String::as_str), Some(text), "nothing false is told");
        });
    }

    /// Asks for a while, so many at a time.
    async fn ask_for(&self, time: Duration, askers: usize, well: &(dyn Fn(&str) -> bool + Sync)) -> usize {
        let until = Instant::now() + time;
        let asker = |number: usize| async move {
            let mut asked = 0;
            while Instant::now() < until {
                self.check(&ask(&self.api, [INCIDENTS, CATALOG, INCIDENTS, STATS][(number + asked) % 4]).await, well);
                asked += 1;
            }
            asked
        };
        futures_util::future::join_all((0..askers).map(asker)).await.into_iter().sum()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The reports of all root fields.
fn reports(answer: &Value) -> Vec<Value> {
    let fields = answer["data"].as_object().into_iter().flat_map(|data| data.values());
    fields.flat_map(|field| field["sources"].as_array().cloned().unwrap_or_default()).collect()
}

/// Every record in an answer that has an id and a text of its own.
fn visit(value: &Value, seen: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::Object(members) => {
            let shown = ["title", "name", "body"].into_iter().find_map(|name| members.get(name)?.as_str());
            if let (Some(id), Some(shown)) = (members.get("id").and_then(Value::as_str), shown) {
                seen(id, shown);
            }
            members.values().for_each(|member| visit(member, seen));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, seen)),
        _ => {}
    }
}

async fn storm() {
    let storm = Storm::rise().await;
    let before = storm.calm(INCIDENTS).await;
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    // One after the other: the others are as well as ever.
    for (vendor, proxy) in Vendor::ALL.into_iter().zip(&storm.proxies) {
        proxy.misbehave(100);
        let asked = storm.ask_for(700 * MS, 3, &|name| name != vendor.word()).await;
        assert!(asked >= 3 && proxy.befallen() > 0, "{vendor}: {asked}");
        proxy.misbehave(0);
        storm.calm(INCIDENTS).await;
    }
    // All at once.
    storm.proxies.iter().for_each(|proxy| proxy.misbehave(60));
    storm.ask_for(Duration::from_secs(4), 6, &|_| false).await;
    storm.proxies.iter().for_each(|proxy| proxy.misbehave(0));
    let after = storm.calm(INCIDENTS).await;
    assert_eq!(after["data"]["incidents"]["nodes"], before["data"]["incidents"]["nodes"]);
    for query in [CATALOG, STATS] {
        storm.calm(query).await;
    }
    // A connection that is kept for later has two descriptors before the proxy and a task in each of the four places.
    let settled = Instant::now();
    loop {
        let kept: usize = storm.proxies.iter().map(Proxy::open).sum();
        let open: Option<usize> = storm.proxies.iter().map(|proxy| sockets(proxy.address.port())).sum();
        let alive = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        if open.is_none_or(|open| open <= 2 * kept) && alive <= tasks + 4 * kept {
            break;
        }
        assert!(
            settled.elapsed() < Duration::from_secs(10),
            "{open:?} descriptors, {alive} tasks, {kept} kept; {tasks} before"
        );
        sleep(50 * MS).await;
    }
}

#[test]
fn a_faulty_proxy_before_all_five_vendors() {
    const NAME: &str = "storm";
    let panics = Arc::new(AtomicUsize::new(0));
    let (counted, told) = (panics.clone(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() == Some(NAME) {
            counted.fetch_add(1, SeqCst);
        }
        told(panic);
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name(NAME).enable_all().build();
    runtime.unwrap().block_on(async { tokio::spawn(storm()).await.unwrap() });
    assert_eq!(panics.load(SeqCst), 0, "nothing panics, in no task");
}
