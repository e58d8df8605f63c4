//! Adversarial, the risk platform, read through its REST API `v1` of 2026. Written from its published pages and
//! from the vendor's own client; no server was observed, and the API tells no release.
//!
//! What to know about it:
//! - OAuth client credentials: access for 15 minutes, renewed by a refresh token that rotates (`login`);
//! - an incident is `INC-00041` in bodies and `41` in paths; here it is always `INC-00041` (`wire`);
//! - lists come as `{"incidents", num_pages, …}` or as `{"results", "pagination"}` (`wire`);
//! - users, tags and objectives stand in the rows, and no list of users or tags is documented (`map`);
//! - comments and history are a call each per incident, and remembered for as long as its row tells the same time of
//!   change and number of comments; a history is read up to 10 pages of 100 (`details`);
//! - not documented: how lists take several values, ranges and orders, hence switches, and filters that only narrow
//!   (`config`, `query`); the time of a comment, most kinds of change, the words of `relevance`; any limit of requests.

mod account;
mod capability;
mod catalog;
mod client;
mod config;
mod details;
mod history;
mod incidents;
mod login;
mod map;
mod picture;
mod query;
mod wire;
mod words;

pub use config::{Arrays, BatchIds, Config, FilterGroup, OrderBy};

use crate::{
    domain::{
        Details, Incident, MetricParts, Metrics, NativeId, Owner, Record, RecordKind, Rows, SourceKind, SourceName,
    },
    source::{
        Answer, Call, Capabilities, CatalogRequest, DetailRequest, Download, DownloadRequest, Found, ListRequest,
        Probe, Reference, Source, SourceError, SourceInfo, Want,
    },
    upstream::{Session, Transport, Upstream, UpstreamOptions},
    vendors::common::{Revisions, shown_url},
};
use client::Client;
use details::Reader;
use futures_util::future::{BoxFuture, ready};
use incidents::{Incidents, Manner};
use login::ServiceAccount;
use map::Mapper;
use std::sync::{Arc, OnceLock, atomic::AtomicUsize};

/// One configured Adversarial.
pub struct Adversarial {
    info: SourceInfo,
    client: Client,
    mapper: Mapper,
    manner: Manner,
    capabilities: Arc<Capabilities>,
}

impl Adversarial {
    /// Nothing is sent before the first use.
    pub fn new(name: &SourceName, config: &Config, transport: Arc<dyn Transport>) -> Self {
        let base = config.base();
        let url = shown_url(&base);
        let account = ServiceAccount::new(config.client_id.clone(), config.client_secret.clone());
        let upstream = Upstream::new(UpstreamOptions {
            name: name.as_str().to_owned(),
            base,
            policy: config.policy.clone(),
            transport,
            credential: Arc::new(Session::new(account)),
        });
        Adversarial {
            mapper: Mapper { source: name.clone() },
            info: SourceInfo { name: name.clone(), kind: SourceKind::Adversarial, url },
            client: Client { source: name.clone(), upstream, revisions: Revisions::default() },
            manner: Manner {
                arrays: config.arrays,
                order_by: config.order_by,
                batch_ids: config.batch_ids,
                page_size: AtomicUsize::new(config.max_page_size),
                own_size: AtomicUsize::new(0),
                takes_ids: OnceLock::new(),
            },
            capabilities: Arc::new(capability::capabilities(config)),
        }
    }

    fn incidents<'a>(&'a self, call: &'a Call) -> Incidents<'a> {
        let Adversarial { client, mapper, manner, .. } = self;
        Incidents { client, mapper, manner, call }
    }

    fn unsupported<T: Send + 'static>(&self, what: &'static str) -> Answer<'_, T> {
        Box::pin(ready(Err(SourceError::unsupported(&self.info.name, what))))
    }
}

impl Source for Adversarial {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn capabilities<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Arc<Capabilities>> {
        Box::pin(ready(self.capabilities.clone()))
    }

    fn list<'a>(&'a self, call: &'a Call, request: &'a ListRequest) -> Answer<'a, Rows<Arc<Incident>>> {
        Box::pin(async move { self.incidents(call).list(request).await })
    }

    fn fetch<'a>(&'a self, call: &'a Call, ids: &'a [NativeId], want: Want) -> Answer<'a, Found<Arc<Incident>>> {
        Box::pin(async move { self.incidents(call).fetch(ids, want).await })
    }

    fn related<'a>(
        &'a self,
        call: &'a Call,
        kind: RecordKind,
        ids: &'a [NativeId],
        _: Want,
    ) -> Answer<'a, Found<Record>> {
        Box::pin(catalog::by_ids(&self.client, &self.mapper, call, kind, ids))
    }

    fn details<'a>(&'a self, call: &'a Call, request: &'a DetailRequest) -> Answer<'a, Found<Details>> {
        Box::pin(async move {
            let reader = Reader { client: &self.client, mapper: &self.mapper, call, raw: request.want.raw };
            Ok(details::details(&reader, request).await)
        })
    }

    fn catalog<'a>(&'a self, call: &'a Call, request: &'a CatalogRequest) -> Answer<'a, Rows<Record>> {
        Box::pin(catalog::page(&self.client, &self.mapper, call, request))
    }

    /// Nothing documented looks up people or tags: the gateway compares names with rows. An owner's own id is taken as it is.
    fn resolve<'a>(&'a self, call: &'a Call, references: &'a [Reference]) -> Answer<'a, Vec<Vec<NativeId>>> {
        Box::pin(async move { self.incidents(call).resolve(references).await })
    }

    fn metrics<'a>(&'a self, _: &'a Call, _: MetricParts, _: Option<&'a NativeId>) -> Answer<'a, Metrics> {
        self.unsupported("count incidents")
    }

    fn download<'a>(&'a self, call: &'a Call, request: &'a DownloadRequest) -> Answer<'a, Download> {
        match request {
            DownloadRequest::Picture { name } => Box::pin(picture::fetch(&self.client, call, name)),
            _ => self.unsupported("make this file"),
        }
    }

    fn probe<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Probe> {
        Box::pin(account::probe(&self.client, &self.mapper, call))
    }

    fn account<'a>(&'a self, call: &'a Call) -> Answer<'a, Owner> {
        Box::pin(account::account(&self.client, &self.mapper, call))
    }
}

/// See [`crate::fuzz::wire`].
pub(crate) fn fuzz_pages(body: &[u8]) {
    use crate::vendors::common::text;
    let mapper = Mapper { source: SourceName::new("fuzz") };
    let body = text(body);
    if let Ok(opened) = wire::open(&body, client::INCIDENTS.rows) {
        let mut notes = map::Notes::default();
        for (_, row, _) in opened.read(false, wire::read_incident).rows {
            mapper.incident(row, None, &mut notes);
        }
    }
    if let Ok(opened) = wire::open(&body, client::HISTORY.rows) {
        for (_, row, _) in opened.read(false, wire::read_entry).rows {
            history::read(row.changes.unwrap_or_default());
        }
    }
}
