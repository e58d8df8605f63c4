//! Sources in memory that make up their rows when asked: nothing of them is kept, so that the federation's own memory shows.

use chrono::TimeDelta;
use futures_util::future::{BoxFuture, ready};
use incident_gateway::domain::{
    AssetLink, CountPrecision, Incident, IncidentField, IncidentOrderField, IncidentStatus, Key, Link, MetricParts,
    Metrics, NativeId, OrderDirection, Owner, Record, RecordKind, Rows, Severity, SourceKind, SourceName, SourceStatus,
    ThreatLink, Time, Vocabulary,
};
use incident_gateway::source::{
    Answer, Call, Capabilities, CatalogRequest, DetailRequest, Download, DownloadRequest, Found, ListCapabilities,
    ListRequest, Probe, Reference, Source, SourceError, SourceInfo, Want, WriteCapabilities,
};
use std::sync::Arc;
use std::time::Duration;

/// What rows are numbered in steps of where no order is asked for. A prime that divides no power of ten: all are met.
const STRIDE: u64 = 7_919;

pub(crate) struct Invented {
    info: SourceInfo,
    capabilities: Arc<Capabilities>,
    count: u64,
    newest: Time,
}

impl Invented {
    /// With so many incidents, a power of ten. One that sorts does so by the time of creation, newest first.
    pub(crate) fn new(name: &str, count: u64, sorts: bool, newest: Time) -> Self {
        let info = SourceInfo { name: SourceName::new(name), kind: SourceKind::CisoAssistant, url: String::new() };
        let orders = vec![(IncidentOrderField::CreatedAt, vec![OrderDirection::Desc])];
        let list = ListCapabilities {
            filters: Vec::new(),
            orders: if sorts { orders } else { Vec::new() },
            max_page_size: 500,
            max_filter_bytes: 4_000,
            calls_per_minute: None,
            total: CountPrecision::Exact,
        };
        let capabilities = Capabilities {
            read: IncidentField::WORDS.iter().map(|word| word.value).collect(),
            severities: Vec::new(),
            statuses: Vec::new(),
            detections: Vec::new(),
            by_id: vec![RecordKind::Incident],
            embedded: Vec::new(),
            resolves_names: false,
            list,
            catalog: Vec::new(),
            metrics: MetricParts::default(),
            exports: Vec::new(),
            export_filters: Vec::new(),
            reports: Vec::new(),
            read_comments: false,
            history: false,
            delete_preview: false,
            attachments: false,
            pictures: false,
            assumed_time_zone: None,
            write: WriteCapabilities::default(),
        };
        Invented { info, capabilities: Arc::new(capabilities), count, newest }
    }

    /// The row of a number, counted from the newest. Three in a row are made at the same time.
    fn row(&self, number: u64) -> Arc<Incident> {
        let name = &self.info.name;
        let key = |kind: &str, number: u64| Key::new(name, format!("{kind}{number:08}").as_str());
        let link = |kind: &str, number: u64| Link::new(key(kind, number), format!("{kind} {number}"));
        let mut row = Incident::new(key("i", number), self.info.kind);
        row.reference = Some(format!("INC-{number}").into());
        row.title = Some(format!("Suspicious sign-in at the branch office no. {}", number % 977).into());
        row.description =
            Some("A sign-in from a place that is new for this account, followed by changes to its rules.".into());
        row.severity = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical][(number % 4) as usize];
        row.status = [IncidentStatus::New, IncidentStatus::InProgress, IncidentStatus::Closed][(number % 3) as usize];
        row.created_at = Some(self.newest - TimeDelta::seconds((number / 3 * 60).cast_signed()));
        row.updated_at = row.created_at;
        row.owners = vec![link("owner", number % 40)];
        let assets = (0..2).map(|asset| link("asset", (number + asset) % 3_000));
        row.assets = assets.map(|asset| AssetLink { asset, kind: None, roles: vec![], source_roles: vec![] }).collect();
        row.threats = vec![ThreatLink::new(link("threat", number % 300))];
        Arc::new(row)
    }

    fn none<T: Send + 'static>(&self, what: &'static str) -> Answer<'_, T> {
        Box::pin(ready(Err(SourceError::unsupported(&self.info.name, what))))
    }
}

impl Source for Invented {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn capabilities<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Arc<Capabilities>> {
        Box::pin(ready(self.capabilities.clone()))
    }

    fn list<'a>(&'a self, _: &'a Call, request: &'a ListRequest) -> Answer<'a, Rows<Arc<Incident>>> {
        let end = (request.offset + request.limit as u64).min(self.count);
        let number = |place: u64| if request.order.is_some() { place } else { place * STRIDE % self.count };
        let items: Vec<_> = (request.offset..end).map(|place| self.row(number(place))).collect();
        let (consumed, more, total) = (items.len(), end < self.count, Some(self.count));
        Box::pin(ready(Ok(Rows { items, consumed, more, total, ..Rows::default() })))
    }

    fn fetch<'a>(&'a self, _: &'a Call, _: &'a [NativeId], _: Want) -> Answer<'a, Found<Arc<Incident>>> {
        self.none("fetch")
    }

    fn related<'a>(&'a self, _: &'a Call, _: RecordKind, _: &'a [NativeId], _: Want) -> Answer<'a, Found<Record>> {
        self.none("related")
    }

    fn details<'a>(
        &'a self,
        _: &'a Call,
        _: &'a DetailRequest,
    ) -> Answer<'a, Found<incident_gateway::domain::Details>> {
        self.none("details")
    }

    fn catalog<'a>(&'a self, _: &'a Call, _: &'a CatalogRequest) -> Answer<'a, Rows<Record>> {
        self.none("catalog")
    }

    fn resolve<'a>(&'a self, _: &'a Call, _: &'a [Reference]) -> Answer<'a, Vec<Vec<NativeId>>> {
        self.none("resolve")
    }

    fn metrics<'a>(&'a self, _: &'a Call, _: MetricParts, _: Option<&'a NativeId>) -> Answer<'a, Metrics> {
        self.none("metrics")
    }

    fn download<'a>(&'a self, _: &'a Call, _: &'a DownloadRequest) -> Answer<'a, Download> {
        self.none("download")
    }

    fn probe<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Probe> {
        let (latency, checked_at, notes) = (Duration::ZERO, self.newest, Vec::new());
        let (error, version, clock_skew_ms, status) = (None, None, None, SourceStatus::Ok);
        Box::pin(ready(Probe { status, error, version, clock_skew_ms, latency, checked_at, notes }))
    }

    fn account<'a>(&'a self, _: &'a Call) -> Answer<'a, Owner> {
        self.none("account")
    }
}
