//! What the gate costs: documents that may run, the first time and again, documents that are refused, and the dearest that
//! is allowed. Prints the tables of `docs/PERFORMANCE.md`. In one process, without HTTP; the sandbox is in it, too.

#![allow(clippy::unwrap_used)]

mod documents;

use documents::Document;
use incident_gateway::{
    domain::{Caller, SourceName},
    federation::{CursorKey, Federation, FederationOptions, SnapshotLimits},
    graphql::{Api, ApiOptions, QueryLimits, Request, Response},
    sandbox::{Sandbox, SandboxOptions},
    secret::Secret,
    source::Call,
    upstream::{Context, Policy, ReqwestTransport},
    vendors::{self, VendorConfig, ciso_assistant},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    let api = api().await;
    println!("| Document | KB | first time µs | again µs |\n|---|---|---|---|");
    let mut dearest = [Duration::ZERO; 2];
    for document in documents::all() {
        let first = median(&api, &document, |round| format!("{} #{round}", document.text)).await;
        let again = median(&api, &document, |_| document.text.clone()).await;
        let kind = if document.accepted { "" } else { "refused: " };
        let Document { name, text, .. } = &document;
        println!("| {kind}{name} | {} | {} | {} |", text.len().div_ceil(1_000), first.as_micros(), again.as_micros());
        let dearest = &mut dearest[usize::from(document.accepted)];
        *dearest = first.max(*dearest);
    }
    println!("\nDearest accepted: {} µs; dearest refused: {} µs.\n", dearest[1].as_micros(), dearest[0].as_micros());
    second_parse();
    dear(&api).await;
}

async fn median(api: &Api, document: &Document, text: impl Fn(usize) -> String) -> Duration {
    let mut times = vec![];
    for round in 0..41 {
        let request = Request {
            query: text(round),
            operation_name: document.text.contains("query A {").then(|| "A".into()).filter(|_| document.accepted),
            ..Request::default()
        };
        let call = call();
        let start = Instant::now();
        let response = api.execute(request, &call).await;
        times.push(start.elapsed());
        assert_eq!(
            response.executed,
            document.accepted,
            "{}: {}",
            document.name,
            &response.body[..response.body.len().min(300)]
        );
    }
    times.sort();
    times[times.len() / 2]
}

/// What parsing once more for the engine would cost.
fn second_parse() {
    let page = &documents::all()[1].text;
    let start = Instant::now();
    for _ in 0..1_000 {
        async_graphql::parser::parse_query(page).unwrap();
    }
    println!("The engine's parser for the page of incidents: {} µs.\n", start.elapsed().as_micros() / 1_000);
}

/// The dearest documents that are allowed: as many records as may be, in two shapes, and the whole schema.
async fn dear(api: &Api) {
    let details = "id title description severity status createdAt updatedAt owners { name email kind }";
    let pages: String = (0..20)
        .map(|n| format!("a{n}: incidents(first: 100) {{ nodes {{ {details} assets(first: 23) {{ nodes {{ id name description }} }} }} }} "))
        .collect();
    let shapes = [
        ("20 pages of 100 incidents, each with 23 assets", format!("{{ {pages} }}")),
        (
            "100 assets, each with its first 9 incidents, each with 50 assets",
            format!("{{ assets(first: 100) {{ nodes {{ id name incidents(first: 9) {{ nodes {{ {details} assets(first: 50) {{ nodes {{ id name description }} }} }} }} }} }} }}"),
        ),
        (
            "the types of all fields of all types",
            "{ a: __schema { types { name fields { name description type { name fields { name description type { name kind } } } } } } \
             b: __schema { types { name fields { name description type { name fields { name description type { name kind } } } } } } }".into(),
        ),
    ];
    println!("| Dearest allowed | ms | answer MB | memory MB |\n|---|---|---|---|");
    for (name, query) in shapes {
        let mut times = vec![];
        let mut length = 0;
        for _ in 0..5 {
            let request = Request { query: query.clone(), ..Request::default() };
            let start = Instant::now();
            let Response { body, executed, .. } = api.execute(request, &call()).await;
            assert!(executed && !body.contains("COST_LIMIT"), "{name}: {}", &body[..body.len().min(300)]);
            times.push(start.elapsed());
            length = body.len();
        }
        times.sort();
        println!("| {name} | {} | {:.1} | {} |", times[2].as_millis(), length as f64 / 1e6, peak_mb());
    }
    println!("\nMemory is the most that the process had until then.");
}

/// The most memory of this process so far (Linux).
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kb.unwrap_or_default() / 1_000
}

fn call() -> Call {
    let caller = Arc::new(Caller::local());
    let scope = caller.scope.as_str().to_owned();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    Call { caller, context: Context::new(deadline, "bench", &scope), now: SandboxOptions::default().now }
}

async fn api() -> Api {
    let sandbox = Sandbox::new(SandboxOptions::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let token = Secret::from(sandbox.token().to_owned());
    tokio::spawn(async move { sandbox.serve(listener, std::future::pending()).await.unwrap() });
    let config =
        VendorConfig::CisoAssistant(ciso_assistant::Config::new(url, ciso_assistant::Credential::Token(token)));
    let transport = Arc::new(ReqwestTransport::new(&Policy::default()).unwrap());
    let sources = vec![vendors::build(&SourceName::new("grc"), &config, transport)];
    let federation = FederationOptions {
        sources,
        cursor_key: CursorKey([7; 32]),
        scan_limit: 10_000,
        snapshots: SnapshotLimits::default(),
    };
    let base_url = "http://gateway.test".into();
    let options = ApiOptions { download_key: [8; 32], base_url, limits: QueryLimits::default() };
    Api::new(Arc::new(Federation::new(federation)), options)
}
