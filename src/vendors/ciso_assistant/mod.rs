//! CISO Assistant, read through its REST API. Written from the published document and from observations of releases v3.15.1
//! and v3.20.8; other releases are asked only for what one of these was seen to do.
//!
//! What to know about it:
//! - every path ends in a slash, and no redirect is followed;
//! - a parameter that it does not know is ignored: its answer is everything (`query`, `release`);
//! - several ids go by comma in `id` and by repetition elsewhere, in a request line of 5,120 bytes at most (`client`);
//! - actors and teams cannot be asked for by id: both lists are remembered (`people`, `remembered`);
//! - evidence, comments and history hang on timeline entries (`timeline`);
//! - related records that the account may not see are `{}` (`wire`, `map`).

mod cascade;
mod catalog;
mod client;
mod config;
mod download;
mod health;
mod incidents;
mod login;
mod map;
mod metrics;
mod people;
mod query;
mod records;
mod release;
mod resolve;
mod timeline;
mod wire;
mod words;

pub use config::{Config, Credential};

use crate::{
    domain::{
        Details, Incident, MetricParts, Metrics, NativeId, Owner, RawJson, Record, RecordKind, Rows, SourceKind,
        SourceName,
    },
    source::{
        Answer, Call, Capabilities, CatalogRequest, DetailRequest, Download, DownloadRequest, Found, ListRequest,
        Probe, Reference, Source, SourceError, SourceErrorKind, SourceInfo, Want,
    },
    upstream::{Transport, Upstream, UpstreamOptions},
};
use catalog::Records;
use client::Client;
use futures_util::future::{BoxFuture, join};
use incidents::Incidents;
use map::Mapper;
use people::People;
use release::Releases;
use std::sync::Arc;

/// One configured CISO Assistant.
pub struct CisoAssistant {
    info: SourceInfo,
    client: Client,
    mapper: Mapper,
    people: People,
    releases: Releases,
}

impl CisoAssistant {
    /// Nothing is sent before the first use.
    pub fn new(name: &SourceName, config: &Config, transport: Arc<dyn Transport>) -> Self {
        let url = config.shown_url();
        let upstream = Upstream::new(UpstreamOptions {
            name: name.as_str().to_owned(),
            base: config.url.clone(),
            policy: config.policy.clone(),
            transport,
            credential: login::proof(&config.credential),
        });
        let client = Client { source: name.clone(), upstream };
        CisoAssistant {
            info: SourceInfo { name: name.clone(), kind: SourceKind::CisoAssistant, url: url.clone() },
            mapper: Mapper { source: name.clone(), pages: config.pages() },
            people: People::new(&client, config.remember_people),
            releases: Releases::new(&client),
            client,
        }
    }

    fn incidents<'a>(&'a self, call: &'a Call) -> Incidents<'a> {
        Incidents { client: &self.client, mapper: &self.mapper, people: &self.people, call }
    }

    fn records<'a>(&'a self, call: &'a Call) -> Records<'a> {
        Records { client: &self.client, mapper: &self.mapper, call }
    }

    /// A refusal of what the capabilities promise may mean that the server was changed to another release.
    fn noticed<T>(&self, call: &Call, outcome: Result<T, SourceError>) -> Result<T, SourceError> {
        let suspicious = |error: &SourceError| match error.kind() {
            SourceErrorKind::Rejected | SourceErrorKind::NotFound | SourceErrorKind::Malformed => true,
            SourceErrorKind::Unsupported
            | SourceErrorKind::Unauthenticated
            | SourceErrorKind::Forbidden
            | SourceErrorKind::Conflict
            | SourceErrorKind::RateLimited
            | SourceErrorKind::Timeout
            | SourceErrorKind::Unavailable
            | SourceErrorKind::Internal => false,
        };
        if outcome.as_ref().is_err_and(suspicious) {
            self.releases.reconsider(call);
        }
        outcome
    }
}

impl Source for CisoAssistant {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn capabilities<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Arc<Capabilities>> {
        Box::pin(self.releases.capabilities(&self.client, call))
    }

    fn list<'a>(&'a self, call: &'a Call, request: &'a ListRequest) -> Answer<'a, Rows<Arc<Incident>>> {
        Box::pin(async move { self.noticed(call, self.incidents(call).list(request).await) })
    }

    fn fetch<'a>(&'a self, call: &'a Call, ids: &'a [NativeId], want: Want) -> Answer<'a, Found<Arc<Incident>>> {
        Box::pin(async move { self.noticed(call, self.incidents(call).fetch(ids, want).await) })
    }

    fn related<'a>(
        &'a self,
        call: &'a Call,
        kind: RecordKind,
        ids: &'a [NativeId],
        want: Want,
    ) -> Answer<'a, Found<Record>> {
        Box::pin(async move {
            let found = match kind {
                RecordKind::Owner => self.people.owners(&self.client, &self.mapper, call, ids, want).await,
                kind => self.records(call).by_ids(kind, ids, want).await,
            };
            self.noticed(call, found)
        })
    }

    /// An incident of which only the deletion preview failed is among both the items and the failed.
    fn details<'a>(&'a self, call: &'a Call, request: &'a DetailRequest) -> Answer<'a, Found<Details>> {
        Box::pin(async move {
            let DetailRequest { parts, incidents, want } = request;
            let timeline = async {
                if !(parts.comments || parts.activity || parts.evidence) {
                    return None;
                }
                Some(timeline::details(&self.client, &self.mapper, call, *parts, incidents, *want).await)
            };
            let previews = async {
                match parts.delete_preview {
                    true => cascade::previews(&self.client, call, incidents).await,
                    false => Vec::new(),
                }
            };
            let (timeline, previews) = join(timeline, previews).await;
            Ok(cascade::add(timeline, previews))
        })
    }

    fn catalog<'a>(&'a self, call: &'a Call, request: &'a CatalogRequest) -> Answer<'a, Rows<Record>> {
        Box::pin(async move {
            let rows = match request.kind {
                RecordKind::Owner => self.people.catalog(&self.client, &self.mapper, call, request).await,
                _ => self.records(call).page(request).await,
            };
            self.noticed(call, rows)
        })
    }

    fn resolve<'a>(&'a self, call: &'a Call, references: &'a [Reference]) -> Answer<'a, Vec<Vec<NativeId>>> {
        Box::pin(async move { self.noticed(call, resolve::resolve(&self.incidents(call), references).await) })
    }

    fn metrics<'a>(&'a self, call: &'a Call, parts: MetricParts, scope: Option<&'a NativeId>) -> Answer<'a, Metrics> {
        Box::pin(async move { self.noticed(call, metrics::metrics(&self.client, call, parts, scope).await) })
    }

    fn download<'a>(&'a self, call: &'a Call, request: &'a DownloadRequest) -> Answer<'a, Download> {
        Box::pin(async move { self.noticed(call, download::download(&self.incidents(call), request).await) })
    }

    fn probe<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Probe> {
        Box::pin(health::probe(&self.client, call))
    }

    fn account<'a>(&'a self, call: &'a Call) -> Answer<'a, Owner> {
        Box::pin(self.people.account(&self.client, &self.mapper, call))
    }
}

/// See [`crate::fuzz::wire`].
pub(crate) fn fuzz_page(body: &[u8]) {
    let mapper = Mapper { source: SourceName::new("fuzz"), pages: String::new() };
    for raw in [false, true] {
        let Ok(page) = wire::read_page::<wire::IncidentRow>(body, raw) else { continue };
        let mut notes = map::Notes::default();
        for (row, raw) in page.rows {
            mapper.incident(row, raw.map(|raw| RawJson::new(&*raw)), &mut notes);
        }
    }
}
