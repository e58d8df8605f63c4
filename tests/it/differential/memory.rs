//! A source in memory: gives what it has, fails where it is told to, and keeps account of what it was asked.

use futures_util::future::BoxFuture;
use incident_gateway::{domain::*, source::*};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// One configured back end.
pub(crate) struct Memory {
    info: SourceInfo,
    capabilities: Capabilities,
    /// In the order in which catalogs give them.
    pub(crate) records: Vec<Record>,
    pub(crate) details: HashMap<NativeId, Details>,
    pub(crate) failing: Failing,
    /// What comes along with every answer to ids of records.
    pub(crate) along: Vec<Record>,
    asked: Mutex<Vec<Asked>>,
}

/// What fails, and how.
#[derive(Clone, Default)]
pub(crate) struct Failing {
    /// Single records of a call for many.
    pub(crate) records: HashMap<(RecordKind, NativeId), SourceErrorKind>,
    /// Every call for records of a kind by id.
    pub(crate) batches: HashMap<RecordKind, SourceErrorKind>,
    /// Details of single incidents.
    pub(crate) details: HashMap<NativeId, SourceErrorKind>,
    /// Every call for details.
    pub(crate) all_details: Option<SourceErrorKind>,
    /// The list of incidents.
    pub(crate) list: Option<SourceErrorKind>,
    /// Lists of other records.
    pub(crate) catalogs: HashMap<RecordKind, SourceErrorKind>,
}

/// One call: what for, and for which ids.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Asked {
    pub(crate) what: String,
    pub(crate) ids: Vec<String>,
}

/// What a failing source tells; no two sources or kinds of failure tell the same.
pub(crate) fn told(source: &str, kind: SourceErrorKind) -> String {
    format!("The source “{source}” failed: {kind:?}.")
}

impl Memory {
    pub(crate) fn new(name: &str, capabilities: Capabilities, records: Vec<Record>) -> Self {
        let url = format!("https://{name}.test");
        Memory {
            info: SourceInfo { name: SourceName::new(name), kind: SourceKind::CisoAssistant, url },
            capabilities,
            records,
            details: HashMap::new(),
            failing: Failing::default(),
            along: Vec::new(),
            asked: Mutex::default(),
        }
    }

    /// The calls since the last look; asking for capabilities is none.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    pub(crate) fn of(&self, kind: RecordKind) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| record.kind() == kind)
    }

    fn note(&self, what: String, ids: &[NativeId]) {
        assert!(ids.is_sorted_by(|a, b| a < b), "ids come sorted and distinct: {what} {ids:?}");
        let ids = ids.iter().map(NativeId::to_string).collect();
        self.asked.lock().unwrap().push(Asked { what, ids });
    }

    fn error(&self, kind: SourceErrorKind) -> SourceError {
        SourceError::new(kind, &self.info.name, "test", told(self.info.name.as_str(), kind))
    }

    fn answer<T: Send + 'static>(&self, failing: Option<&SourceErrorKind>, make: impl FnOnce() -> T) -> Answer<'_, T> {
        let answer = failing.map_or_else(|| Ok(make()), |kind| Err(self.error(*kind)));
        Box::pin(async move { answer })
    }

    fn by_id<T>(&self, kind: RecordKind, ids: &[NativeId], make: impl Fn(&Record) -> Option<T>) -> Found<T> {
        let mut found = Found::default();
        for id in ids {
            if let Some(kind) = self.failing.records.get(&(kind, id.clone())) {
                found.failed.push((id.clone(), self.error(*kind)));
            } else if let Some(record) = self.of(kind).find(|record| record.key().native == *id) {
                found.items.extend(make(record).map(|made| (id.clone(), made)));
            }
        }
        found
    }
}

/// All that the schema can show; fields in `filters` are filtered by the source.
pub(crate) fn capabilities(filters: &[IncidentField]) -> Capabilities {
    Capabilities {
        read: IncidentField::WORDS.iter().map(|word| word.value).collect(),
        severities: Severity::WORDS
            .iter()
            .map(|word| SeverityCapability { severity: word.value, word: word.name, writable: false })
            .collect(),
        statuses: vec![],
        detections: vec![],
        by_id: RecordKind::ALL.to_vec(),
        embedded: Vec::new(),
        resolves_names: true,
        list: ListCapabilities {
            filters: filters.iter().map(|field| FilterCapability::new(*field, FilterRule::AnyOf)).collect(),
            orders: vec![(IncidentOrderField::CreatedAt, vec![OrderDirection::Asc, OrderDirection::Desc])],
            max_page_size: 100,
            max_filter_bytes: 4_000,
            calls_per_minute: None,
            total: CountPrecision::Exact,
        },
        catalog: RecordKind::ALL.into_iter().filter(|kind| *kind != RecordKind::Incident).collect(),
        metrics: MetricParts::default(),
        exports: vec![],
        export_filters: vec![],
        reports: vec![],
        read_comments: true,
        history: true,
        delete_preview: true,
        attachments: false,
        pictures: false,
        assumed_time_zone: None,
        write: WriteCapabilities::default(),
    }
}

/// The record with no more than was asked for.
fn within(want: Want, record: &Record) -> Record {
    fn trimmed<T: Clone>(record: &Arc<T>, trim: impl FnOnce(&mut T)) -> Arc<T> {
        let mut record = (**record).clone();
        trim(&mut record);
        Arc::new(record)
    }
    fn keep(want: Want, raw: &mut Option<RawJson>) {
        raw.take_if(|_| !want.raw);
    }
    match record {
        Record::Incident(record) => Record::Incident(trimmed(record, |r| keep(want, &mut r.raw))),
        Record::Asset(record) => Record::Asset(trimmed(record, |r| keep(want, &mut r.raw))),
        Record::Threat(record) => Record::Threat(trimmed(record, |r| keep(want, &mut r.raw))),
        Record::Evidence(record) => Record::Evidence(trimmed(record, |r| keep(want, &mut r.raw))),
        Record::Scope(record) => Record::Scope(trimmed(record, |r| keep(want, &mut r.raw))),
        Record::RelatedRecord(record) => Record::RelatedRecord(trimmed(record, |r| keep(want, &mut r.raw))),
        Record::Owner(record) => Record::Owner(trimmed(record, |r| {
            let raw = r.profile.raw.take().filter(|_| want.raw);
            if !want.profile {
                r.profile = OwnerProfile::default();
            }
            r.profile.raw = raw;
        })),
        Record::Tag(_) | Record::Term(_) => record.clone(),
    }
}

fn parts_of(details: &Details, parts: DetailParts, want: Want) -> Details {
    let mut details = Details {
        comments: details.comments.clone().filter(|_| parts.comments),
        activity: details.activity.clone().filter(|_| parts.activity),
        evidence: details.evidence.clone().filter(|_| parts.evidence),
        assets: details.assets.clone().filter(|_| parts.assets),
        delete_preview: details.delete_preview.clone().filter(|_| parts.delete_preview),
        embedded: details.embedded.clone(),
        ..Details::default()
    };
    if let Some(comments) = details.comments.as_mut().filter(|_| !want.raw) {
        Arc::make_mut(comments).iter_mut().for_each(|comment| comment.raw = None);
    }
    if let Some(activity) = details.activity.as_mut().filter(|_| !want.raw) {
        Arc::make_mut(activity).iter_mut().for_each(|entry| entry.raw = None);
    }
    details
}

fn page<T>(all: Vec<T>, offset: u64, limit: usize) -> Rows<T> {
    let total = all.len();
    let start = total.min(usize::try_from(offset).unwrap());
    let items: Vec<T> = all.into_iter().skip(start).take(limit).collect();
    Rows {
        consumed: items.len(),
        more: start + items.len() < total,
        items,
        total: Some(total as u64),
        ..Rows::default()
    }
}

fn as_incident(record: &Record) -> Option<Arc<Incident>> {
    match record {
        Record::Incident(incident) => Some(incident.clone()),
        _ => None,
    }
}

impl Source for Memory {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn capabilities<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Arc<Capabilities>> {
        Box::pin(async { Arc::new(self.capabilities.clone()) })
    }

    fn list<'a>(&'a self, _: &'a Call, request: &'a ListRequest) -> Answer<'a, Rows<Arc<Incident>>> {
        self.note("list".into(), &[]);
        self.answer(self.failing.list.as_ref(), || {
            let filter = Filter::All(request.tests.iter().cloned().map(Filter::Test).collect());
            let trimmed = self.of(RecordKind::Incident).map(|record| within(request.want, record));
            let mut rows: Vec<Arc<Incident>> =
                trimmed.filter_map(|record| as_incident(&record)).filter(|row| filter.matches(row)).collect();
            if let Some(order) = request.order {
                rows.sort_by(|a, b| order.compare(&order.position(a), &order.position(b)));
            }
            page(rows, request.offset, request.limit)
        })
    }

    fn fetch<'a>(&'a self, _: &'a Call, ids: &'a [NativeId], want: Want) -> Answer<'a, Found<Arc<Incident>>> {
        self.note(format!("Incident {want:?}"), ids);
        self.answer(self.failing.batches.get(&RecordKind::Incident), || {
            self.by_id(RecordKind::Incident, ids, |record| as_incident(&within(want, record)))
        })
    }

    fn related<'a>(
        &'a self,
        _: &'a Call,
        kind: RecordKind,
        ids: &'a [NativeId],
        want: Want,
    ) -> Answer<'a, Found<Record>> {
        self.note(format!("{kind:?} {want:?}"), ids);
        self.answer(self.failing.batches.get(&kind), || {
            let found = self.by_id(kind, ids, |record| Some(within(want, record)));
            Found { embedded: self.along.clone(), ..found }
        })
    }

    fn details<'a>(&'a self, _: &'a Call, request: &'a DetailRequest) -> Answer<'a, Found<Details>> {
        self.note(format!("{:?} {:?}", request.parts, request.want), &request.incidents);
        self.answer(self.failing.all_details.as_ref(), || {
            let mut found = Found::default();
            for id in &request.incidents {
                if let Some(kind) = self.failing.details.get(id) {
                    found.failed.push((id.clone(), self.error(*kind)));
                } else if let Some(details) = self.details.get(id) {
                    found.items.push((id.clone(), parts_of(details, request.parts, request.want)));
                }
            }
            found
        })
    }

    fn catalog<'a>(&'a self, _: &'a Call, request: &'a CatalogRequest) -> Answer<'a, Rows<Record>> {
        self.note(format!("all {:?} {:?}", request.kind, request.want), &[]);
        self.answer(self.failing.catalogs.get(&request.kind), || {
            let all = self.of(request.kind).map(|record| within(request.want, record)).collect();
            page(all, request.offset, request.limit)
        })
    }

    fn resolve<'a>(&'a self, _: &'a Call, references: &'a [Reference]) -> Answer<'a, Vec<Vec<NativeId>>> {
        self.note("resolve".into(), &[]);
        self.answer(None, || {
            let named = |reference: &Reference| {
                let Reference::Incident(text) = reference else { return vec![] };
                let all = self.of(RecordKind::Incident).filter_map(as_incident);
                let named = all.filter(|incident| {
                    incident.key.native.to_string() == *text || incident.reference.as_deref() == Some(text.as_str())
                });
                named.map(|incident| incident.key.native.clone()).collect()
            };
            references.iter().map(named).collect()
        })
    }

    fn metrics<'a>(&'a self, _: &'a Call, _: MetricParts, _: Option<&'a NativeId>) -> Answer<'a, Metrics> {
        self.answer(None, Metrics::default)
    }

    fn download<'a>(&'a self, _: &'a Call, _: &'a DownloadRequest) -> Answer<'a, Download> {
        let error = SourceError::unsupported(&self.info.name, "make files");
        Box::pin(async { Err(error) })
    }

    fn probe<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Probe> {
        self.note("probe".into(), &[]);
        let checked_at = call.now;
        Box::pin(async move {
            Probe {
                status: SourceStatus::Ok,
                error: None,
                version: Some("1.0".into()),
                clock_skew_ms: None,
                latency: Duration::from_micros(2_500),
                checked_at,
                notes: vec![],
            }
        })
    }

    fn account<'a>(&'a self, _: &'a Call) -> Answer<'a, Owner> {
        let error = SourceError::unsupported(&self.info.name, "tell its account");
        Box::pin(async { Err(error) })
    }
}
