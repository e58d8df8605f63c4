//! Cortex Xpanse (Expander), read through its public API v1 (alerts: v2). Written from the published reference (“Get
//! Incidents”, “Get Extra Incident Data”, “Get Started with APIs”) and from what the vendor's own clients do.
//!
//! What to know about it:
//! - everything is a POST, also what reads; a list is a window of 100 rows at most; no list counts further than 9,999;
//! - it sorts by one field and says nothing of ties, nor of rows without that field: `window` takes only what it can put in
//!   order itself, `sorted` reads the rest of a tie, and puts what has no time last; at most 9,998 rows of either;
//! - where any order will do, lists are read by id, which is the only thing that no two rows share;
//! - people, tags, assets and vulnerabilities cannot be asked for: each row brings its own (`map`, `ties`);
//! - alerts and artifacts cost a call per incident, of which ten a minute are allowed (`details`, `evidence`);
//! - three vocabularies of statuses were seen (`words`), and every member of a row may be missing (`wire`).
//!
//! Not documented, and therefore a setting or left to the gateway: ties, whether and how ids sort, the operator for
//! `starred`, letter case in filters (`config`).

mod abilities;
mod client;
mod config;
mod details;
mod evidence;
mod ids;
mod incidents;
mod map;
mod query;
mod sign;
mod sorted;
mod ties;
mod window;
mod wire;
mod words;

pub use config::{Config, KeyKind, Undocumented};
pub use sign::{Random, Surroundings};

use crate::{
    domain::{
        Details, EvidenceKind, Incident, MetricParts, Metrics, NativeId, Owner, RawJson, Record, RecordKind, Rows,
        SourceKind, SourceName, SourceStatus,
    },
    source::{
        Answer, Call, Capabilities, CatalogRequest, DetailRequest, Download, DownloadRequest, Found, ListRequest,
        Probe, Reference, Source, SourceError, SourceInfo, Want,
    },
    upstream::{Transport, Upstream, UpstreamOptions, UpstreamResponse},
    vendors::common::{Revisions, shown_url},
};
use client::{Client, VALIDATE};
use details::Extras;
use futures_util::future::{self, BoxFuture};
use incidents::Incidents;
use map::Mapper;
use query::Sort;
use sorted::Undated;
use std::sync::Arc;
use tokio::time::Instant;

/// One configured Cortex Xpanse.
pub struct CortexXpanse {
    info: SourceInfo,
    client: Client,
    capabilities: Arc<Capabilities>,
}

impl CortexXpanse {
    /// Nothing is sent before the first use. `surroundings` are for keys that sign.
    pub fn new(name: &SourceName, config: &Config, transport: Arc<dyn Transport>, surroundings: Surroundings) -> Self {
        let upstream = Upstream::new(UpstreamOptions {
            name: name.as_str().to_owned(),
            base: config.url.clone(),
            policy: config.policy.clone(),
            transport,
            credential: sign::proof(config, surroundings),
        });
        let url = shown_url(&config.url);
        CortexXpanse {
            info: SourceInfo { name: name.clone(), kind: SourceKind::CortexXpanse, url },
            client: Client {
                source: name.clone(),
                upstream,
                mapper: Mapper { source: name.clone() },
                revisions: Revisions::default(),
                unsorted: if config.undocumented.sorts_by_id { Sort::BY_ID } else { Sort::BY_CREATION },
                undated: Undated::default(),
            },
            capabilities: Arc::new(abilities::capabilities(config.undocumented)),
        }
    }

    fn incidents<'a>(&'a self, call: &'a Call) -> Incidents<'a> {
        Incidents { client: &self.client, call }
    }

    fn extras<'a>(&'a self, call: &'a Call) -> Extras<'a> {
        Extras { client: &self.client, call }
    }

    fn refuse<'a, T: Send + 'a>(&'a self, operation: &'static str) -> Answer<'a, T> {
        Box::pin(future::ready(Err(SourceError::unsupported(&self.info.name, operation))))
    }

    /// What a reference names. Only incidents can be looked up; people are known by their mail or name, tags by their
    /// text, so the reference is the id.
    async fn named(&self, call: &Call, reference: &Reference) -> Result<Vec<NativeId>, SourceError> {
        match reference {
            Reference::Incident(text) => {
                let found = self.incidents(call).fetch(&[NativeId::new(text)], Want::default()).await?;
                match found.failed.into_iter().next() {
                    Some((_, error)) => Err(error),
                    None => Ok(found.items.into_iter().map(|(id, _)| id).collect()),
                }
            }
            Reference::OwnerEmail(text) | Reference::OwnerSourceId(text) | Reference::TagName(text) => {
                Ok(vec![NativeId::new(text)])
            }
        }
    }

    /// The call that costs the server least, and that no role can forbid.
    async fn look(&self, call: &Call) -> Probe {
        let begun = Instant::now();
        let answer = self.client.validate(call).await;
        let latency = begun.elapsed();
        let skew = |answer: &UpstreamResponse| {
            let now = call.now + chrono::TimeDelta::from_std(latency).unwrap_or_default();
            answer.date().map(|date| (date - now).num_milliseconds() as f64)
        };
        let clock_skew_ms = answer.as_ref().ok().and_then(skew);
        let outcome = answer.and_then(|answer| {
            self.client.check(VALIDATE, &answer)?;
            match serde_json::from_slice(&answer.body) {
                Ok(true) => Ok(()),
                _ => Err(self.client.unreadable(call, VALIDATE, "not the word true")),
            }
        });
        let (status, error) = match outcome {
            Ok(()) => (SourceStatus::Ok, None),
            Err(error) => (error.status(), Some(error)),
        };
        Probe { status, error, version: None, clock_skew_ms, latency, checked_at: call.now, notes: Vec::new() }
    }
}

impl Source for CortexXpanse {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn capabilities<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, Arc<Capabilities>> {
        Box::pin(future::ready(self.capabilities.clone()))
    }

    fn list<'a>(&'a self, call: &'a Call, request: &'a ListRequest) -> Answer<'a, Rows<Arc<Incident>>> {
        Box::pin(async move { self.incidents(call).list(request).await })
    }

    fn fetch<'a>(&'a self, call: &'a Call, ids: &'a [NativeId], want: Want) -> Answer<'a, Found<Arc<Incident>>> {
        Box::pin(async move { self.incidents(call).fetch(ids, want).await })
    }

    /// Evidence only: everything else comes with the incidents.
    fn related<'a>(
        &'a self,
        call: &'a Call,
        kind: RecordKind,
        ids: &'a [NativeId],
        want: Want,
    ) -> Answer<'a, Found<Record>> {
        Box::pin(async move {
            match kind {
                RecordKind::Evidence => self.extras(call).pieces(ids, want).await,
                _ => Ok(Found::default()),
            }
        })
    }

    fn details<'a>(&'a self, call: &'a Call, request: &'a DetailRequest) -> Answer<'a, Found<Details>> {
        Box::pin(async move { Ok(self.extras(call).details(request).await) })
    }

    fn catalog<'a>(&'a self, _call: &'a Call, _request: &'a CatalogRequest) -> Answer<'a, Rows<Record>> {
        self.refuse("list records of this kind")
    }

    fn resolve<'a>(&'a self, call: &'a Call, references: &'a [Reference]) -> Answer<'a, Vec<Vec<NativeId>>> {
        Box::pin(async move {
            let named = references.iter().map(|reference| self.named(call, reference));
            future::join_all(named).await.into_iter().collect()
        })
    }

    fn metrics<'a>(
        &'a self,
        _call: &'a Call,
        _parts: MetricParts,
        _scope: Option<&'a NativeId>,
    ) -> Answer<'a, Metrics> {
        self.refuse("read metrics")
    }

    fn download<'a>(&'a self, _call: &'a Call, _request: &'a DownloadRequest) -> Answer<'a, Download> {
        self.refuse("make files")
    }

    fn probe<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Probe> {
        Box::pin(self.look(call))
    }

    /// No call tells whose key it is.
    fn account<'a>(&'a self, _call: &'a Call) -> Answer<'a, Owner> {
        self.refuse("tell whose account this is")
    }
}

/// See [`crate::fuzz::wire`].
pub(crate) fn fuzz_page(body: &[u8]) {
    let body = crate::vendors::common::text(body);
    let Ok(reply) = wire::reply(&body) else { return };
    let mapper = Mapper { source: SourceName::new("fuzz") };
    let incident = NativeId::new("1");
    let mut notes = map::Notes::default();
    let list = serde_json::from_str::<wire::Incidents<'_>>(reply).unwrap_or_default();
    for row in notes.take("incidents", list.incidents).unwrap_or_default() {
        let spare = wire::Spare::default();
        let Some(read) = wire::record(row, &spare) else { continue };
        mapper.incident(read, Some(RawJson::new(row.get())), &mut notes);
    }
    let extra = serde_json::from_str::<wire::ExtraData<'_>>(reply).unwrap_or_default();
    for group in [extra.alerts, extra.network_artifacts] {
        let rows = notes.take("group", group).and_then(|group| notes.take("data", group.data)).unwrap_or_default();
        for row in rows {
            mapper.alert(row, Some((&incident, 0)), true, &mut notes);
            mapper.artifact(row, EvidenceKind::FileArtifact, (&incident, 0), true, &mut notes);
        }
    }
}
