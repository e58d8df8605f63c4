//! A vendor with its settings, its sandbox on loopback, and sources over it.

use crate::support;
use incident_gateway::{
    config::Config,
    domain::*,
    graphql::{Api, Request},
    sandbox::{Release, Sandbox, SandboxOptions, Vendor},
    settings::Environment,
    source::*,
    upstream::{Context, Policy, ReqwestTransport, Transport},
    vendors::{self, VendorConfig},
};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, fmt::Write, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle, time::Instant};

/// A vendor, and how it is configured.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub(super) vendor: Vendor,
    pub(super) release: Release,
    /// Settings of the source beyond address and credential, as lines of the configuration.
    switches: &'static str,
    /// A page may begin with the last row of the one before.
    pub(super) pages_overlap: bool,
    /// Who has left is in no list of people: any id that looks like one names an owner.
    pub(super) takes_any_owner: bool,
    /// What a wrong credential is answered with, and what is wrong with it: documented for each vendor.
    pub(super) refused: SourceErrorKind,
}

impl Subject {
    pub(super) const CISO_ASSISTANT: Subject = Subject {
        vendor: Vendor::CisoAssistant,
        release: Release::V3_15_1,
        switches: "",
        pages_overlap: false,
        takes_any_owner: false,
        refused: SourceErrorKind::Unauthenticated,
    };
    pub(super) const CISO_ASSISTANT_LATER: Subject = Subject { release: Release::V3_20_8, ..Self::CISO_ASSISTANT };
    pub(super) const EVENTLOG_ANALYZER: Subject = Subject {
        vendor: Vendor::EventlogAnalyzer,
        pages_overlap: true,
        takes_any_owner: true,
        ..Self::CISO_ASSISTANT
    };
    pub(super) const EVENTLOG_ANALYZER_SURE: Subject = Subject {
        switches: "first_index = \"1\"\nunassigned_filter = false\nread_users = false\nresponse_type = \"server\"",
        pages_overlap: false,
        ..Self::EVENTLOG_ANALYZER
    };
    pub(super) const ADVERSARIAL: Subject = Subject { vendor: Vendor::Adversarial, ..Self::CISO_ASSISTANT };
    pub(super) const ADVERSARIAL_SWITCHED_ON: Subject = Subject {
        switches: "filters = [\"words\", \"references\", \"people\", \"tags\", \"text\", \"search\", \"times\"]\n\
                   order_by = \"words\"\nbatch_ids = \"off\"\nmax_page_size = 40",
        ..Self::ADVERSARIAL
    };
    /// An unknown token is refused there like any other lack of rights.
    pub(super) const KASPERSKY_XDR: Subject =
        Subject { vendor: Vendor::KasperskyXdr, refused: SourceErrorKind::Forbidden, ..Self::CISO_ASSISTANT };
    pub(super) const KASPERSKY_XDR_WITHOUT_MEMORY: Subject =
        Subject { switches: "remember_tenants_ms = 0", ..Self::KASPERSKY_XDR };
    pub(super) const CORTEX_XPANSE: Subject = Subject { vendor: Vendor::CortexXpanse, ..Self::CISO_ASSISTANT };
    pub(super) const CORTEX_XPANSE_SWITCHED_ON: Subject = Subject {
        switches: "undocumented = { sorts_by_time = true, sorts_ids_as_numbers = true, filters_starred = true, \
                   filters_description = true }",
        ..Self::CORTEX_XPANSE
    };
}

pub(super) const PLAIN: Want = Want::PLAIN;
pub(super) const RAW: Want = Want { raw: true, profile: true, ..Want::PLAIN };

/// A sandbox on loopback and a source over it, which is only asked what it can do.
pub(super) struct Bench {
    pub(super) subject: Subject,
    pub(super) sandbox: Sandbox,
    pub(super) base: String,
    pub(super) source: Arc<dyn Source>,
    pub(super) transport: Arc<dyn Transport>,
    server: JoinHandle<()>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub(super) fn name() -> SourceName {
    SourceName::new("one")
}

pub(super) fn key(native: &str) -> Key {
    Key::new(&name(), native)
}

pub(super) fn call() -> Call {
    call_within(Duration::from_secs(60))
}

pub(super) fn call_within(time: Duration) -> Call {
    let caller = Arc::new(Caller::local());
    let context = Context::new(Instant::now() + time, "conformance", caller.scope.as_str());
    Call { caller, context, now: support::now() }
}

impl Bench {
    pub(super) async fn start(subject: &Subject, incidents: usize) -> Bench {
        Bench::over(subject, SandboxOptions { incidents, ..SandboxOptions::default() }).await
    }

    /// Of the options only those count that do not say which sandbox it is.
    pub(super) async fn over(subject: &Subject, options: SandboxOptions) -> Bench {
        let Subject { vendor, release, .. } = *subject;
        let sandbox = Sandbox::new(SandboxOptions { vendor, release, keep_alive: true, ..options });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let served = sandbox.clone();
        let server = tokio::spawn(async move { served.serve(listener, std::future::pending()).await.unwrap() });
        let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new(&Policy::default()).unwrap());
        let config = subject.config(&name(), &base, &sandbox.secrets(), Policy::default());
        let source = Checked::wrap(vendors::build(&name(), &config, transport.clone()));
        Bench { subject: *subject, sandbox, base, source, transport, server }
    }

    /// Another source over the same sandbox, which remembers nothing yet.
    pub(super) fn fresh(&self) -> Arc<dyn Source> {
        self.source_with(&name(), &self.sandbox.secrets(), Policy::default())
    }

    pub(super) fn source_with(
        &self,
        name: &SourceName,
        secrets: &[(&'static str, String)],
        policy: Policy,
    ) -> Arc<dyn Source> {
        let config = self.subject.config(name, &self.base, secrets, policy);
        Checked::wrap(vendors::build(name, &config, self.transport.clone()))
    }

    pub(super) async fn capabilities(&self) -> Arc<Capabilities> {
        self.source.capabilities(&call()).await
    }

    /// A page as the source gives it.
    pub(super) async fn page(&self, offset: u64, limit: usize) -> Rows<Arc<Incident>> {
        let request = ListRequest { tests: vec![], order: None, offset, limit, want: PLAIN };
        self.source.list(&call(), &request).await.unwrap()
    }

    /// All rows in the source's own order.
    pub(super) async fn all(&self) -> Vec<Arc<Incident>> {
        self.walk(&[], None, usize::MAX, PLAIN).await
    }

    /// What the source gives for a list request, page by page, each page held to the contract.
    pub(super) async fn walk(
        &self,
        tests: &[Test],
        order: Option<Order>,
        limit: usize,
        want: Want,
    ) -> Vec<Arc<Incident>> {
        let (call, mut all) = (call(), Vec::<Arc<Incident>>::new());
        let limit = limit.min(self.capabilities().await.list.max_page_size);
        let mut request = ListRequest { tests: tests.to_vec(), order, offset: 0, limit, want };
        let (mut seen, mut totals) = (BTreeSet::new(), BTreeSet::new());
        loop {
            let rows = self.source.list(&call, &request).await.unwrap_or_else(|error| panic!("{request:?}: {error:?}"));
            assert!(rows.items.len() <= limit && rows.items.len() <= rows.consumed, "{request:?}");
            assert!(rows.consumed <= limit, "{request:?}: {}", rows.consumed);
            assert_eq!(rows.malformed, 0, "{request:?}");
            assert!(rows.consumed > 0 || !rows.more, "{request:?}: more is promised, and nothing came");
            totals.extend(rows.total);
            for (place, incident) in rows.items.into_iter().enumerate() {
                let again = !seen.insert(incident.key.clone());
                let overlap = self.subject.pages_overlap && place == 0 && request.offset > 0;
                assert!(!again || overlap, "{request:?}: {} comes twice", incident.key.native);
                if !again {
                    all.push(incident);
                }
            }
            request.offset += rows.consumed as u64;
            if !rows.more {
                assert!(totals.len() <= 1, "{request:?}: totals {totals:?}");
                assert!(
                    totals.iter().all(|total| *total == all.len() as u64),
                    "{request:?}: {totals:?}, {}",
                    all.len()
                );
                return all;
            }
        }
    }

    /// Gateway over some sources, nothing remembered but by them.
    pub(super) fn api(&self) -> Api {
        support::api(vec![self.fresh()])
    }
}

impl Subject {
    /// Read as a user would write it.
    pub(super) fn config(
        &self,
        name: &SourceName,
        base: &str,
        secrets: &[(&'static str, String)],
        policy: Policy,
    ) -> VendorConfig {
        let mut text = format!("[sources.{name}]\nvendor = \"{}\"\nurl = \"{base}/\"\n", self.vendor);
        for (setting, value) in secrets {
            writeln!(text, "{setting} = {value:?}").unwrap();
        }
        text.push_str(self.switches);
        let config = Config::load(&text, &Environment::default()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let (_, mut source) = config.value.sources.into_iter().next().unwrap();
        *source.policy_mut() = policy;
        source
    }
}

/// The data of an answer without errors.
pub(super) async fn data(api: &Api, query: &str, variables: Value) -> Value {
    let Value::Object(variables) = variables else { panic!("variables are an object") };
    let request = Request { query: query.into(), variables, ..Request::default() };
    let mut answer: Value = serde_json::from_str(&api.execute(request, &call()).await.body).unwrap();
    assert_eq!(answer.get("errors"), None, "{query}: {answer}");
    answer["data"].take()
}

/// Without variables.
pub(super) async fn ask(api: &Api, query: &str) -> Value {
    data(api, query, Value::Object(Map::new())).await
}

pub(super) fn ids(all: &[Arc<Incident>]) -> Vec<String> {
    all.iter().map(|incident| incident.key.native.to_string()).collect()
}

/// Those that a test keeps, in the order in which they stand.
pub(super) fn kept(all: &[Arc<Incident>], filter: &Filter) -> Vec<String> {
    all.iter().filter(|incident| filter.matches(incident)).map(|incident| incident.key.native.to_string()).collect()
}

/// All in one of our orders.
pub(super) fn sorted(all: &[Arc<Incident>], order: Order) -> Vec<String> {
    let mut positions: Vec<_> = all.iter().map(|incident| order.position(incident)).collect();
    positions.sort_by(|a, b| order.compare(a, b));
    positions.into_iter().map(|position| position.key.native.to_string()).collect()
}

/// Every order there is.
pub(super) fn orders() -> impl Iterator<Item = Order> {
    let both = [OrderDirection::Asc, OrderDirection::Desc];
    let fields = IncidentOrderField::WORDS.iter().map(|word| word.value);
    fields.flat_map(move |field| both.map(|direction| Order { field, direction }))
}
