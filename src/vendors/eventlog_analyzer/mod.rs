//! ManageEngine EventLog Analyzer (and Log360, which runs the same), read through version 2 of its REST API. Written from
//! the public document of the incident API; what that leaves open is a setting, or said where it is chosen.
//!
//! What to know about it:
//! - the list tells the core fields of incidents and the detail all others, none twice: there is no get-one of the core
//!   fields, so incidents are looked for in the list (`wire`);
//! - a filter takes one value, `from` has an unknown base, no order is documented: the gateway sorts (`query`, `incidents`);
//! - times name no zone; the configuration does (`time`);
//! - assignees are numbers and creators are names: the owners behind them have different ids (`map`, `users`);
//! - assets stand in the detail alone, so that filters, which look at rows, see none;
//! - actors, notes and activity have no ids (`detail`); refusals come in two shapes (`client`);
//! - no time of change, no resolution, tags, scopes, threats, orders or pages for people are in the document;
//! - 60 requests a minute, all together: of many details, those come first that were not read yet (`turns`).

mod client;
mod config;
mod detail;
mod incidents;
mod map;
mod query;
mod time;
mod turns;
mod users;
mod wire;
mod words;

pub use config::{Config, FirstIndex, Grades, ResponseType};

use crate::{
    domain::{
        CountPrecision, DetailPart, DetailParts, Details, Incident, IncidentField, IncidentStatus, MetricParts,
        Metrics, NativeId, Owner, RawJson, Record, RecordKind, Rows, Severity, SourceKind, SourceName, SourceStatus,
    },
    source::{
        Answer, Call, Capabilities, CatalogRequest, DetailRequest, Download, DownloadRequest, FilterCapability,
        FilterRule, Found, ListCapabilities, ListRequest, Probe, Reference, SeverityCapability, Source, SourceError,
        SourceInfo, StatusCapability, Want, WriteCapabilities,
    },
    upstream::{
        Static, Transport, Upstream, UpstreamOptions,
        header::{AUTHORIZATION, HeaderValue},
    },
    vendors::common::shown_url,
};
use client::Client;
use futures_util::future::{BoxFuture, OptionFuture, join};
use incidents::MAX_PAGE_SIZE;
use map::Mapper;
use std::sync::Arc;
use tokio::time::Instant;
use turns::Turns;
use users::Users;

/// One configured EventLog Analyzer.
pub struct EventlogAnalyzer {
    info: SourceInfo,
    config: Config,
    client: Client,
    mapper: Mapper,
    turns: Turns,
    users: Users,
    capabilities: Arc<Capabilities>,
}

impl EventlogAnalyzer {
    /// Nothing is sent before the first use.
    pub fn new(name: &SourceName, config: &Config, transport: Arc<dyn Transport>) -> Self {
        // A token that no header can hold is refused by the server as any other wrong one.
        let token = HeaderValue::from_str(&format!("Bearer {}", config.token.expose().trim()));
        let token = token.unwrap_or(HeaderValue::from_static("Bearer"));
        let upstream = Upstream::new(UpstreamOptions {
            name: name.as_str().to_owned(),
            base: config.url.clone(),
            policy: config.policy.clone(),
            transport,
            credential: Arc::new(Static::new(AUTHORIZATION, token)),
        });
        EventlogAnalyzer {
            info: SourceInfo { name: name.clone(), kind: SourceKind::EventlogAnalyzer, url: shown_url(&config.url) },
            client: Client::new(name, upstream, config),
            mapper: Mapper::new(name, config),
            turns: Turns::default(),
            users: Users::new(name),
            capabilities: Arc::new(capabilities(config)),
            config: config.clone(),
        }
    }

    fn unsupported<T: Send + 'static>(&self, operation: &'static str) -> Answer<'_, T> {
        let error = SourceError::unsupported(&self.info.name, operation);
        Box::pin(async move { Err(error) })
    }

    async fn look(&self, call: &Call) -> Probe {
        let begun = Instant::now();
        let page = async {
            let answer = self.client.ask(call, "probe", self.client.shortest_list()).await?;
            let latency = begun.elapsed();
            let now = call.now + chrono::TimeDelta::from_std(latency).unwrap_or_default();
            let skew = answer.date().map(|date| (date - now).num_milliseconds() as f64);
            Ok((self.client.read_page(call, "probe", &answer, false).map(drop), skew, latency))
        };
        // Another scope of the token, so that a missing one is seen.
        let users: OptionFuture<_> = self.config.read_users.then(|| self.users.try_reading(&self.client, call)).into();
        let (page, users): (Result<_, SourceError>, _) = join(page, users).await;
        let (outcome, clock_skew_ms, latency) = page.unwrap_or_else(|error| (Err(error), None, begun.elapsed()));
        let error = outcome.err();
        let note = |name: &str, text: &str| (name.to_owned(), RawJson::new(serde_json::Value::from(text).to_string()));
        let mut notes = vec![note("timeZone", self.config.time_zone.name())];
        notes.extend(users.and_then(Result::err).map(|error| note("users", error.public())));
        let status = error.as_ref().map_or(SourceStatus::Ok, SourceError::status);
        Probe { status, error, version: None, clock_skew_ms, latency, checked_at: call.now, notes }
    }
}

impl Source for EventlogAnalyzer {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn capabilities<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Arc<Capabilities>> {
        Box::pin(async { self.capabilities.clone() })
    }

    fn list<'a>(&'a self, call: &'a Call, request: &'a ListRequest) -> Answer<'a, Rows<Arc<Incident>>> {
        Box::pin(incidents::list(&self.client, &self.mapper, &self.config, call, request))
    }

    fn fetch<'a>(&'a self, _: &'a Call, _: &'a [NativeId], _: Want) -> Answer<'a, Found<Arc<Incident>>> {
        self.unsupported("read incidents by id")
    }

    fn related<'a>(
        &'a self,
        call: &'a Call,
        kind: RecordKind,
        ids: &'a [NativeId],
        want: Want,
    ) -> Answer<'a, Found<Record>> {
        match kind {
            RecordKind::Owner if self.config.read_users => {
                Box::pin(self.users.owners(&self.client, &self.mapper, call, ids, want))
            }
            _ => self.unsupported("read records of this kind by id"),
        }
    }

    fn details<'a>(&'a self, call: &'a Call, request: &'a DetailRequest) -> Answer<'a, Found<Details>> {
        Box::pin(incidents::details(&self.client, &self.mapper, &self.turns, call, request))
    }

    fn catalog<'a>(&'a self, call: &'a Call, request: &'a CatalogRequest) -> Answer<'a, Rows<Record>> {
        match request.kind {
            RecordKind::Owner if self.config.read_users => {
                Box::pin(self.users.catalog(&self.client, &self.mapper, call, request))
            }
            _ => self.unsupported("list records of this kind"),
        }
    }

    fn resolve<'a>(&'a self, call: &'a Call, references: &'a [Reference]) -> Answer<'a, Vec<Vec<NativeId>>> {
        Box::pin(self.users.resolve(&self.client, call, references, self.config.read_users))
    }

    fn metrics<'a>(&'a self, _: &'a Call, _: MetricParts, _: Option<&'a NativeId>) -> Answer<'a, Metrics> {
        self.unsupported("count incidents")
    }

    fn download<'a>(&'a self, _: &'a Call, _: &'a DownloadRequest) -> Answer<'a, Download> {
        self.unsupported("make files")
    }

    fn probe<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Probe> {
        Box::pin(self.look(call))
    }

    fn account<'a>(&'a self, _: &'a Call) -> Answer<'a, Owner> {
        self.unsupported("tell whom it takes the gateway for")
    }
}

/// What its answers can tell of an incident.
const READ: [IncidentField; 16] = [
    IncidentField::Id,
    IncidentField::Reference,
    IncidentField::Title,
    IncidentField::Description,
    IncidentField::Text,
    IncidentField::Severity,
    IncidentField::Status,
    IncidentField::Phase,
    IncidentField::CreatedAt,
    IncidentField::DueAt,
    IncidentField::Owners,
    IncidentField::CreatedBy,
    IncidentField::Assets,
    IncidentField::Evidence,
    IncidentField::Comments,
    IncidentField::Activity,
];

/// What the document gives, and the configuration leaves of it.
fn capabilities(config: &Config) -> Capabilities {
    use IncidentField as F;
    let mut filters = vec![
        FilterCapability::new(F::Severity, FilterRule::OneOf),
        FilterCapability::new(F::Status, FilterRule::OneOf),
        FilterCapability::new(F::Owners, FilterRule::OneOf),
        // Whether letter case counts there is not documented.
        FilterCapability::narrowing(F::CreatedBy, FilterRule::OneOf),
    ];
    if config.unassigned_filter {
        filters.push(FilterCapability::narrowing(F::Owners, FilterRule::Flag(true)));
    }
    let owners = || if config.read_users { vec![RecordKind::Owner] } else { Vec::new() };
    Capabilities {
        read: READ.to_vec(),
        severities: severities(config),
        statuses: words::STATUSES
            .iter()
            .map(|(status, _, word)| status_capability(*status, word))
            // A word that nobody documented.
            .chain([status_capability(IncidentStatus::Other, "")])
            .collect(),
        detections: Vec::new(),
        list: ListCapabilities {
            filters,
            orders: Vec::new(),
            max_page_size: MAX_PAGE_SIZE,
            // How long a request line may be is not documented; servers take 8 KiB as a rule.
            max_filter_bytes: 4_000,
            calls_per_minute: config.policy.calls_per_minute(),
            total: CountPrecision::Exact,
        },
        // People who are not asked for stand in the rows alone.
        embedded: if config.read_users { Vec::new() } else { vec![RecordKind::Owner] },
        resolves_names: true,
        by_id: owners(),
        catalog: owners(),
        metrics: MetricParts::default(),
        exports: Vec::new(),
        export_filters: Vec::new(),
        reports: Vec::new(),
        read_comments: true,
        history: true,
        delete_preview: false,
        attachments: false,
        pictures: false,
        assumed_time_zone: Some(config.time_zone.name().to_owned()),
        write: WriteCapabilities::default(),
    }
}

fn severities(config: &Config) -> Vec<SeverityCapability> {
    let all = config.grades.severities().into_iter().zip(words::SEVERITIES);
    // None, or a word that nobody documented.
    let known = all.chain([(Severity::Unknown, ("", ""))]);
    known.map(|(severity, (_, word))| SeverityCapability { severity, word, writable: false }).collect()
}

fn status_capability(status: IncidentStatus, word: &'static str) -> StatusCapability {
    StatusCapability {
        status,
        word,
        writable: false,
        needs_resolution: false,
        resolutions: Vec::new(),
        irreversible: false,
    }
}

/// See [`crate::fuzz::wire`].
pub(crate) fn fuzz_bodies(body: &[u8]) {
    let url = url::Url::parse("http://fuzz.invalid/").expect("an address");
    let config = Config::new(url, String::new().into(), chrono_tz::Europe::Berlin);
    let mapper = Mapper::new(&SourceName::new("fuzz"), &config);
    let mut notes = map::Notes::default();
    if let Ok(page) = wire::read_list::<wire::IncidentRow>(body, true) {
        for (_, row, raw) in page.rows.rows {
            mapper.incident(row, raw, &mut notes);
        }
    }
    if let Ok(told) = wire::read_detail(body, true) {
        let parts = DetailPart::ALL.into_iter().fold(DetailParts::default(), DetailParts::with);
        detail::details(&mapper, &NativeId::new("1"), told, parts, &mut notes);
    }
}
