//! Kaspersky Next XDR Expert (Open Single Management Platform), read through `/xdr/api/v1`. Written from the product's online
//! help for releases 1.1 to 1.3; the list of incidents is topic 269340.
//!
//! What to know about it:
//! - every list wants `tenantID`, and refuses all with 403 if one of the tenants may not be read (`tenants`);
//! - pages have 100 rows, and there is no order to ask for (`incidents`); there is no call for one incident but `id`;
//! - a new incident is `open` in rows and `new` in filters, and flags are set by being there (`words`, `query`);
//! - assets and changes come only if asked for, alerts from a list of their own (`assets`, `history`, `evidence`);
//! - an unreadable `Authorization` is a 400, an unknown token a 403 like any other; a 401 is not documented (`client`);
//! - details belong to the incident's `UpdatedAt`: what a host's record tells may be as old as the gateway remembers those;
//! - member names differ in letter case from one object to the next, and lists may be null (`wire`).
//!
//! Not documented, and so read: `Total` counts all that match; `from` and `to` are inclusive; whole numbers are seconds or
//! milliseconds by their size. `name` is not used: how it compares letters is not said.

mod assets;
mod attack;
mod catalog;
mod client;
mod config;
mod evidence;
mod history;
mod incidents;
mod map;
mod query;
mod tenants;
mod wire;
mod words;

pub use config::Config;

use super::common::{Revisions, shown_url};
use crate::{
    domain::{
        Details, Incident, MetricParts, Metrics, NativeId, Owner, Record, RecordKind, Rows, SourceKind, SourceName,
        SourceStatus,
    },
    source::{
        Answer, Call, Capabilities, CatalogRequest, DetailRequest, Download, DownloadRequest, Found, ListRequest,
        Probe, Reference, Source, SourceError, SourceInfo, Want,
    },
    upstream::{
        Static, Transport, Upstream, UpstreamOptions, UpstreamResponse,
        header::{AUTHORIZATION, HeaderValue},
        uri::{self, IdList},
    },
};
use client::{Client, INCIDENTS, TENANTS};
use futures_util::future::{BoxFuture, join_all};
use incidents::Incidents;
use map::{Mapper, mitre_kind};
use std::sync::Arc;
use tenants::Tenants;
use tokio::time::Instant;

/// One configured Kaspersky XDR.
pub struct KasperskyXdr {
    info: SourceInfo,
    client: Client,
    mapper: Mapper,
    tenants: Tenants,
    custom_statuses: bool,
    capabilities: Arc<Capabilities>,
}

impl KasperskyXdr {
    /// Nothing is sent before the first use.
    pub fn new(name: &SourceName, config: &Config, transport: Arc<dyn Transport>) -> Self {
        // A token that is no header was never the server's; without it the server answers as to any other stranger.
        let header = HeaderValue::try_from(format!("Bearer {}", config.token.expose()));
        let credential = Static::new(AUTHORIZATION, header.unwrap_or(HeaderValue::from_static("Bearer")));
        let upstream = Upstream::new(UpstreamOptions {
            name: name.as_str().to_owned(),
            base: config.url.clone(),
            policy: config.policy.clone(),
            transport,
            credential: Arc::new(credential),
        });
        let (revisions, page_rows) = (Revisions::default(), client::PAGE_ROWS.into());
        let client = Client { source: name.clone(), upstream, revisions, page_rows };
        let configured = config.tenants.iter().map(|id| NativeId::new(id)).collect();
        KasperskyXdr {
            info: SourceInfo { name: name.clone(), kind: SourceKind::KasperskyXdr, url: shown_url(&config.url) },
            mapper: Mapper { source: name.clone() },
            tenants: Tenants::new(&client, configured, config.remember_tenants),
            custom_statuses: config.custom_statuses,
            capabilities: Arc::new(catalog::capabilities(config.custom_statuses)),
            client,
        }
    }

    fn incidents<'a>(&'a self, call: &'a Call) -> Incidents<'a> {
        let custom_statuses = self.custom_statuses;
        Incidents { client: &self.client, mapper: &self.mapper, tenants: &self.tenants, custom_statuses, call }
    }

    /// MITRE ids name the same everywhere, so that nobody has to be asked.
    fn threats(&self, ids: &[NativeId]) -> Found<Record> {
        let threat = |id: &NativeId| {
            let threat = self.mapper.threat(&id.to_string(), mitre_kind(id)?);
            Some((id.clone(), Record::Threat(Arc::new(threat))))
        };
        Found { items: ids.iter().filter_map(threat).collect(), ..Found::default() }
    }

    /// For each reference, in order, all that it names. People have an id and a name here, no e-mail; there are no tags.
    async fn resolved(&self, call: &Call, references: &[Reference]) -> Result<Vec<Vec<NativeId>>, SourceError> {
        let all = references.iter().map(async |reference| match reference {
            Reference::Incident(text) => self.incidents(call).named(text).await,
            Reference::OwnerSourceId(id) => Ok(vec![NativeId::new(id)]),
            Reference::OwnerEmail(_) | Reference::TagName(_) => Ok(Vec::new()),
        });
        join_all(all).await.into_iter().collect()
    }

    /// Asks for the tenants; a token that may not, but whose tenants are configured, for nobody's incident of theirs.
    async fn looked(&self, call: &Call) -> Result<UpstreamResponse, SourceError> {
        let answer = self.client.ask(call, TENANTS, "").await?;
        let configured = self.tenants.configured();
        if answer.status != 403 || configured.is_empty() {
            self.tenants.check(&self.client, call, &answer)?;
            return Ok(answer);
        }
        let ids: Vec<String> = configured.iter().map(NativeId::to_string).collect();
        let tenants = IdList::Repeated("tenantID").write(&ids);
        let query = format!("{}&{tenants}", uri::query([("page", "1"), ("id", tenants::NOBODY)]));
        let answer = self.client.ask(call, INCIDENTS, &query).await?;
        self.client.open::<wire::IncidentRow>(call, INCIDENTS, &answer, false)?;
        Ok(answer)
    }
}

impl Source for KasperskyXdr {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn capabilities<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, Arc<Capabilities>> {
        Box::pin(async { self.capabilities.clone() })
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
        want: Want,
    ) -> Answer<'a, Found<Record>> {
        Box::pin(async move {
            match kind {
                RecordKind::Evidence => self.incidents(call).alerts(ids, want).await,
                RecordKind::Scope => self.tenants.by_ids(&self.client, &self.mapper, call, ids, want).await,
                RecordKind::Threat => Ok(self.threats(ids)),
                _ => Err(SourceError::unsupported(&self.info.name, "read records of this kind by themselves")),
            }
        })
    }

    fn details<'a>(&'a self, call: &'a Call, request: &'a DetailRequest) -> Answer<'a, Found<Details>> {
        Box::pin(async move { self.incidents(call).details(request).await })
    }

    fn catalog<'a>(&'a self, call: &'a Call, request: &'a CatalogRequest) -> Answer<'a, Rows<Record>> {
        Box::pin(async move {
            match request.kind {
                RecordKind::Scope => self.tenants.catalog(&self.client, &self.mapper, call, request).await,
                _ => Err(SourceError::unsupported(&self.info.name, "list records of this kind")),
            }
        })
    }

    fn resolve<'a>(&'a self, call: &'a Call, references: &'a [Reference]) -> Answer<'a, Vec<Vec<NativeId>>> {
        Box::pin(self.resolved(call, references))
    }

    fn metrics<'a>(
        &'a self,
        _call: &'a Call,
        _parts: MetricParts,
        _scope: Option<&'a NativeId>,
    ) -> Answer<'a, Metrics> {
        Box::pin(async { Err(SourceError::unsupported(&self.info.name, "count incidents")) })
    }

    fn download<'a>(&'a self, _call: &'a Call, _request: &'a DownloadRequest) -> Answer<'a, Download> {
        Box::pin(async { Err(SourceError::unsupported(&self.info.name, "make files")) })
    }

    fn probe<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Probe> {
        Box::pin(async move {
            let begun = Instant::now();
            let outcome = self.looked(call).await;
            let latency = begun.elapsed();
            let now = call.now + chrono::TimeDelta::from_std(latency).unwrap_or_default();
            let date = outcome.as_ref().ok().and_then(UpstreamResponse::date);
            let error = outcome.err();
            Probe {
                status: error.as_ref().map_or(SourceStatus::Ok, SourceError::status),
                error,
                // No call tells it.
                version: None,
                clock_skew_ms: date.map(|date| (date - now).num_milliseconds() as f64),
                latency,
                checked_at: call.now,
                notes: Vec::new(),
            }
        })
    }

    fn account<'a>(&'a self, _call: &'a Call) -> Answer<'a, Owner> {
        Box::pin(async { Err(SourceError::unsupported(&self.info.name, "tell whom it takes the gateway for")) })
    }
}

/// See [`crate::fuzz::wire`].
pub(crate) fn fuzz_page(body: &[u8]) {
    let mapper = Mapper { source: SourceName::new("fuzz") };
    let with = map::With { affected: true, history: true };
    let mut notes = map::Notes::default();
    if let Ok(page) = wire::read_page::<wire::IncidentRow>(body, "Incidents", true) {
        page.rows.into_iter().for_each(|(_, row, raw)| drop(mapper.incident(row, raw, with, &mut notes)));
    }
    if let Ok(page) = wire::read_page::<wire::AlertRow>(body, "Alerts", false) {
        page.rows.into_iter().for_each(|(_, row, raw)| drop(mapper.alert(row, raw, &mut notes)));
    }
}
