//! How fast lists of incidents become incidents: for each vendor a list answer of its sandbox, read again and again by the
//! source's `list()` over a transport in memory, in one thread: `cargo bench --bench decode`. Prints the table of
//! `docs/PERFORMANCE.md`; with the name of a vendor behind `--` only that one, for ten seconds, for a profiler.
//!
//! Time is that of the thread on its processor (Linux tells it), so that whatever else the machine does falls out.

#![allow(clippy::unwrap_used)]

mod memory;

use incident_gateway::{
    config::{Config, SandboxSource},
    domain::Caller,
    sandbox::{Sandbox, SandboxOptions, Vendor},
    source::{Call, ListRequest, Source, Want},
    upstream::{Context, Policy, ReqwestTransport},
    vendors,
};
use memory::Memory;
use std::{fs, sync::Arc, time::Duration};
use tokio::{net::TcpListener, time::Instant};

/// As `incident-gateway` itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const INCIDENTS: usize = 100;
const ROUNDS: usize = 21;
/// Lists of a round: tens of milliseconds, since the clock of a thread goes by ticks of the system.
const LISTS: usize = 40;

/// A source whose server's answers are all in memory.
struct Subject {
    vendor: Vendor,
    source: Arc<dyn Source>,
    memory: Arc<Memory>,
    incidents: usize,
    /// Bodies of one list.
    bytes: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let one = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let mut subjects = Vec::new();
    for vendor in Vendor::ALL {
        if one.as_ref().is_none_or(|one| one == vendor.word()) {
            subjects.push(Subject::new(vendor).await);
        }
    }
    if one.is_some() {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            subjects[0].list().await;
        }
    }
    // In turns, so that a slower moment of the machine falls on all.
    let mut times = vec![(Vec::new(), Vec::new()); subjects.len()];
    for _ in 0..ROUNDS {
        for (subject, times) in subjects.iter().zip(&mut times) {
            let begun = processor_ns();
            for _ in 0..LISTS {
                subject.list().await;
            }
            let listed = processor_ns();
            for _ in 0..LISTS {
                subject.memory.bodies().iter().for_each(|body| drop(serde_json::from_slice::<serde_json::Value>(body)));
            }
            times.0.push(listed - begun);
            times.1.push(processor_ns() - listed);
        }
    }
    println!(
        "| Vendor | KB | incidents/s | MB/s | µs a list | the same JSON as values, µs |\n|---|---|---|---|---|---|"
    );
    for (subject, (lists, values)) in subjects.iter().zip(times) {
        let (list, values) = (median(lists), median(values));
        println!(
            "| {} | {} | {:.0} | {:.0} | {:.0} | {:.0} |",
            subject.vendor.word(),
            subject.bytes / 1_000,
            subject.incidents as f64 / list,
            subject.bytes as f64 / list / 1e6,
            list * 1e6,
            values * 1e6,
        );
    }
}

impl Subject {
    /// Asks a sandbox on loopback once; from then on its answers come out of memory.
    async fn new(vendor: Vendor) -> Subject {
        let sandbox = Sandbox::new(SandboxOptions { vendor, incidents: 2 * INCIDENTS, ..SandboxOptions::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let served = sandbox.clone();
        let serving = tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
        let word = vendor.word();
        let settings = SandboxSource { name: word, vendor: word, url: &url, settings: sandbox.secrets() };
        let mut config = Config::of_sandboxes(&[settings], 100).unwrap();
        let (name, config) = config.sources.first_mut().unwrap();
        // A plain conversation: nothing is remembered, and no quota is waited for.
        *config.policy_mut() = Policy::default();
        let memory = Arc::new(Memory::over(ReqwestTransport::new(&Policy::default()).unwrap()));
        let source = vendors::build(name, config, memory.clone());
        let mut subject = Subject { vendor, source, memory, incidents: 0, bytes: 0 };
        // Twice: lists of people and the like are remembered by the vendor, and asked for only once.
        subject.list().await;
        subject.memory.forget_bodies();
        subject.incidents = subject.list().await;
        subject.bytes = subject.memory.bodies().iter().map(|body| body.len()).sum();
        serving.abort();
        subject
    }

    /// How many incidents were made.
    async fn list(&self) -> usize {
        let want = Want::PLAIN;
        let request = ListRequest { tests: Vec::new(), order: None, offset: 0, limit: INCIDENTS, want };
        let context = Context::new(Instant::now() + Duration::from_secs(60), "bench", "bench");
        let call = Call { caller: Arc::new(Caller::local()), context, now: chrono::Utc::now() };
        let rows = self.source.list(&call, &request).await.unwrap();
        // Cortex Xpanse cuts what it reads at a change of the sort key.
        let enough = INCIDENTS - 5..=INCIDENTS;
        assert!(rows.malformed == 0 && enough.contains(&rows.items.len()), "{}", self.vendor.word());
        rows.items.len()
    }
}

/// How long this thread has had a processor.
fn processor_ns() -> u64 {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    told.split_whitespace().next().unwrap().parse().unwrap()
}

/// Seconds of one of a round's lists.
fn median(mut rounds: Vec<u64>) -> f64 {
    rounds.sort_unstable();
    rounds[rounds.len() / 2] as f64 / 1e9 / LISTS as f64
}
