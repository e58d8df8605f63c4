//! Sources in memory, as capable or incapable as a test wants them.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use incident_gateway::{domain::*, federation::*, source::*, upstream::Context};
use std::{
    pin::pin,
    sync::{Arc, Mutex},
    task::{self, Poll, Waker},
    time::Duration,
};

/// One configured back end that does exactly what its capabilities say.
pub(crate) struct Memory {
    info: SourceInfo,
    pub(crate) capabilities: Capabilities,
    pub(crate) state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    /// In the order in which they are listed when no order is asked for.
    pub(crate) rows: Vec<Incident>,
    pub(crate) terms: Vec<Term>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) metrics: Metrics,
    /// The scopes that metrics were asked for.
    pub(crate) measured: Vec<Option<NativeId>>,
    /// Every call fails.
    pub(crate) down: bool,
    /// Finds no incident by id.
    pub(crate) hidden: bool,
    /// Incidents and tags that come broken: left out, and counted.
    pub(crate) broken: Vec<NativeId>,
    /// Incidents that cannot be fetched.
    pub(crate) failing: Vec<NativeId>,
    /// Lists end where pages of so many rows by number do.
    pub(crate) numbered: Option<usize>,
    /// Catalogs fail from this offset on.
    pub(crate) ends: Option<u64>,
    /// Lists and catalogs come empty, and more is promised.
    pub(crate) promises: bool,
    /// Lists come in the opposite of the order that was asked for.
    pub(crate) backwards: bool,
    /// Totals are counted no further than this.
    pub(crate) cap: Option<u64>,
    /// Named beside the first page as withheld.
    pub(crate) restricted: Vec<NativeId>,
    /// Filters that only narrow leave nothing out.
    pub(crate) lazy: bool,
    /// Every page is the first one, and more are promised.
    pub(crate) repeats: bool,
    /// How long a list takes; where that is longer than there is time, it fails.
    pub(crate) slow: Option<Duration>,
    /// How long it takes until one who asks learns what it can do.
    pub(crate) hesitates: Option<fn(&Call) -> Duration>,
    /// What names stand for.
    pub(crate) names: Vec<(Reference, NativeId)>,
    pub(crate) lists: Vec<ListRequest>,
    pub(crate) other_calls: usize,
}

impl Memory {
    pub(crate) fn new(name: &str, capabilities: Capabilities, rows: Vec<Incident>) -> Arc<Self> {
        let info = SourceInfo { name: SourceName::new(name), kind: SourceKind::CisoAssistant, url: String::new() };
        Arc::new(Memory { info, capabilities, state: Mutex::new(State { rows, ..State::default() }) })
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    /// The lists that were asked for since the last time.
    pub(crate) fn lists(&self) -> Vec<ListRequest> {
        self.change(|state| std::mem::take(&mut state.lists))
    }

    fn answer<T: Send + 'static>(&self, make: impl FnOnce(&mut State) -> T) -> Answer<'_, T> {
        let mut state = self.state.lock().unwrap();
        let answer = match state.down {
            true => Err(SourceError::new(SourceErrorKind::Unavailable, &self.info.name, "test", "It is down.")),
            false => Ok(make(&mut state)),
        };
        Box::pin(async move { answer })
    }
}

/// Every order, every filter that lists of values make sense for, exact totals.
pub(crate) fn able() -> Capabilities {
    use FilterRule::{AnyOf, AsciiWords, Range};
    use IncidentField as F;
    let fields = [
        (F::Severity, AnyOf),
        (F::Status, AnyOf),
        (F::Detection, AnyOf),
        (F::Owners, AnyOf),
        (F::Tags, AnyOf),
        (F::Scope, AnyOf),
        (F::Text, AsciiWords),
        (F::CreatedAt, Range),
    ];
    let both = vec![OrderDirection::Asc, OrderDirection::Desc];
    Capabilities {
        read: IncidentField::WORDS.iter().map(|word| word.value).collect(),
        severities: Severity::WORDS
            .iter()
            .map(|word| SeverityCapability { severity: word.value, word: word.name, writable: false })
            .collect(),
        statuses: IncidentStatus::WORDS
            .iter()
            .map(|word| StatusCapability {
                status: word.value,
                word: word.name,
                writable: false,
                needs_resolution: false,
                resolutions: Vec::new(),
                irreversible: false,
            })
            .collect(),
        detections: Detection::WORDS.iter().map(|word| word.value).collect(),
        by_id: RecordKind::ALL.to_vec(),
        embedded: Vec::new(),
        resolves_names: true,
        list: ListCapabilities {
            filters: fields.into_iter().map(|(field, rule)| FilterCapability::new(field, rule)).collect(),
            orders: IncidentOrderField::WORDS.iter().map(|word| (word.value, both.clone())).collect(),
            max_page_size: 1_000,
            max_filter_bytes: 4_000,
            calls_per_minute: None,
            total: CountPrecision::Exact,
        },
        catalog: vec![RecordKind::Term, RecordKind::Tag],
        metrics: MetricParts::default(),
        exports: vec![ExportFormat::Csv],
        export_filters: vec![FilterCapability::new(F::Severity, AnyOf)],
        reports: Vec::new(),
        read_comments: true,
        history: false,
        delete_preview: false,
        attachments: false,
        pictures: false,
        assumed_time_zone: None,
        write: WriteCapabilities::default(),
    }
}

/// Reads everything, filters nothing, sorts nothing.
pub(crate) fn unable() -> Capabilities {
    let mut capabilities = able();
    capabilities.list.filters.clear();
    capabilities.list.orders.clear();
    capabilities
}

pub(crate) fn federation(sources: &[Arc<Memory>]) -> Federation {
    bounded(sources, 10_000)
}

pub(crate) fn bounded(sources: &[Arc<Memory>], scan_limit: usize) -> Federation {
    Federation::new(FederationOptions {
        sources: sources.iter().map(|source| source.clone() as Arc<dyn Source>).collect(),
        cursor_key: CursorKey([7; 32]),
        scan_limit,
        snapshots: SnapshotLimits { keep: Duration::ZERO, ..SnapshotLimits::default() },
    })
}

/// One that reads sources once for all pages, where they cannot sort or filter.
pub(crate) fn keeping(sources: &[Arc<Memory>]) -> Federation {
    Federation::new(FederationOptions {
        sources: sources.iter().map(|source| source.clone() as Arc<dyn Source>).collect(),
        cursor_key: CursorKey([7; 32]),
        scan_limit: 10_000,
        snapshots: SnapshotLimits::default(),
    })
}

pub(crate) fn now() -> Time {
    chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub(crate) fn call() -> Call {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(600);
    Call { caller: Arc::new(Caller::local()), context: Context::new(deadline, "test", "gateway"), now: now() }
}

/// Runs to the end without a runtime: nothing in memory ever waits, and a property has no time to lose.
pub(crate) fn run<T>(future: impl Future<Output = T> + Send) -> T {
    let (mut future, mut context) = (pin!(future), task::Context::from_waker(Waker::noop()));
    for _ in 0..1_000 {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
            return answer;
        }
    }
    panic!("something waits");
}

fn page<T: Clone>(all: &[T], offset: u64, limit: usize, total: CountPrecision) -> Rows<T> {
    let start = all.len().min(usize::try_from(offset).unwrap());
    let items = all[start..all.len().min(start + limit)].to_vec();
    Rows {
        consumed: items.len(),
        more: start + items.len() < all.len(),
        items,
        total: (total == CountPrecision::Exact).then_some(all.len() as u64),
        ..Rows::default()
    }
}

/// Leaves broken rows out, or all of them.
fn break_rows<T>(page: &mut Rows<T>, state: &State, id: impl Fn(&T) -> &NativeId) {
    let read = page.items.len();
    page.items.retain(|row| !state.broken.contains(id(row)));
    page.malformed = u32::try_from(read - page.items.len()).unwrap();
    if state.promises {
        page.items.clear();
        (page.consumed, page.more) = (0, true);
    }
}

impl Source for Memory {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn capabilities<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Arc<Capabilities>> {
        let hesitates = self.change(|state| state.hesitates);
        Box::pin(async move {
            if let Some(hesitates) = hesitates {
                tokio::time::sleep(hesitates(call)).await;
            }
            Arc::new(self.capabilities.clone())
        })
    }

    fn list<'a>(&'a self, call: &'a Call, request: &'a ListRequest) -> Answer<'a, Rows<Arc<Incident>>> {
        assert!(request.limit <= self.capabilities.list.max_page_size);
        let slow = self.change(|state| state.slow);
        let answer = self.answer(|state| {
            state.lists.push(request.clone());
            let exact = |test: &&Test| !state.lazy || self.capabilities.fit(test) == Fit::Source;
            let filter = Filter::All(request.tests.iter().filter(exact).cloned().map(Filter::Test).collect());
            let mut rows: Vec<Arc<Incident>> =
                state.rows.iter().filter(|row| filter.matches(row)).cloned().map(Arc::new).collect();
            if let Some(order) = request.order {
                let own = self.capabilities.list.orders.iter().find(|(field, _)| *field == order.field);
                assert!(own.is_some_and(|(_, directions)| directions.contains(&order.direction)), "not its order");
                rows.sort_by(|a, b| order.compare(&order.position(a), &order.position(b)));
                if state.backwards {
                    rows.reverse();
                }
            }
            let offset = if state.repeats { 0 } else { request.offset };
            let to_end = |size: usize| size - usize::try_from(offset).unwrap() % size;
            let limit = state.numbered.map_or(request.limit, |size| request.limit.min(to_end(size)));
            let mut page = page(&rows, offset, limit, self.capabilities.list.total);
            page.more |= state.repeats;
            break_rows(&mut page, state, |row| &row.key.native);
            page.capped = page.total.zip(state.cap).is_some_and(|(total, cap)| total > cap);
            page.total = page.total.map(|total| state.cap.map_or(total, |cap| total.min(cap)));
            if offset == 0 {
                page.restricted.clone_from(&state.restricted);
            }
            page
        });
        Box::pin(async move {
            let sleep = slow.map(tokio::time::sleep);
            if let Some(sleep) = sleep
                && tokio::time::timeout_at(call.context.deadline, sleep).await.is_err()
            {
                return Err(SourceError::new(SourceErrorKind::Timeout, &self.info.name, "test", "It is late."));
            }
            answer.await
        })
    }

    fn fetch<'a>(&'a self, _: &'a Call, ids: &'a [NativeId], _: Want) -> Answer<'a, Found<Arc<Incident>>> {
        self.answer(|state| {
            state.other_calls += 1;
            let rows = state.rows.iter().filter(|row| !state.hidden && ids.contains(&row.key.native));
            let (failed, rows): (Vec<_>, Vec<_>) = rows.partition(|row| state.failing.contains(&row.key.native));
            let (broken, rows): (Vec<_>, Vec<_>) =
                rows.into_iter().partition(|row| state.broken.contains(&row.key.native));
            let items = rows.into_iter().map(|row| (row.key.native.clone(), Arc::new(row.clone()))).collect();
            let error = || SourceError::new(SourceErrorKind::Unavailable, &self.info.name, "test", "It failed.");
            let failed = failed.into_iter().map(|row| (row.key.native.clone(), error())).collect();
            Found { items, failed, malformed: u32::try_from(broken.len()).unwrap(), ..Found::default() }
        })
    }

    fn related<'a>(&'a self, _: &'a Call, kind: RecordKind, ids: &'a [NativeId], _: Want) -> Answer<'a, Found<Record>> {
        self.answer(|state| {
            state.other_calls += 1;
            assert_eq!(kind, RecordKind::Tag);
            assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]));
            let tags = state.tags.iter().filter(|tag| ids.contains(&tag.key.native));
            let items = tags.map(|tag| (tag.key.native.clone(), Record::Tag(Arc::new(tag.clone())))).collect();
            Found { items, ..Found::default() }
        })
    }

    fn details<'a>(&'a self, _: &'a Call, request: &'a DetailRequest) -> Answer<'a, Found<Details>> {
        self.answer(|state| {
            state.other_calls += 1;
            let known = state.rows.iter().filter(|row| request.incidents.contains(&row.key.native));
            let comments = request.parts.comments.then(|| Arc::new(Vec::new()));
            let details = Details { comments, ..Details::default() };
            Found { items: known.map(|row| (row.key.native.clone(), details.clone())).collect(), ..Found::default() }
        })
    }

    fn catalog<'a>(&'a self, _: &'a Call, request: &'a CatalogRequest) -> Answer<'a, Rows<Record>> {
        if self.change(|state| state.ends.is_some_and(|end| request.offset >= end)) {
            let error = SourceError::new(SourceErrorKind::Unavailable, &self.info.name, "test", "It ended.");
            return Box::pin(async { Err(error) });
        }
        self.answer(|state| {
            state.other_calls += 1;
            let all: Vec<Record> = match request.kind {
                RecordKind::Tag => state.tags.iter().cloned().map(|tag| Record::Tag(Arc::new(tag))).collect(),
                RecordKind::Scope => state.scopes.iter().cloned().map(|scope| Record::Scope(Arc::new(scope))).collect(),
                _ => state.terms.iter().cloned().map(|term| Record::Term(Arc::new(term))).collect(),
            };
            assert!(request.limit <= self.capabilities.list.max_page_size);
            let mut page = page(&all, request.offset, request.limit, self.capabilities.list.total);
            break_rows(&mut page, state, |record| &record.key().native);
            page
        })
    }

    fn resolve<'a>(&'a self, _: &'a Call, references: &'a [Reference]) -> Answer<'a, Vec<Vec<NativeId>>> {
        self.answer(|state| {
            state.other_calls += 1;
            let named = |wanted: &Reference| {
                let found = state.names.iter().filter(|(name, _)| name == wanted);
                found.map(|(_, id)| id.clone()).collect()
            };
            references.iter().map(named).collect()
        })
    }

    fn metrics<'a>(&'a self, _: &'a Call, parts: MetricParts, scope: Option<&'a NativeId>) -> Answer<'a, Metrics> {
        self.answer(|state| {
            state.other_calls += 1;
            state.measured.push(scope.cloned());
            let told = state.metrics.clone();
            Metrics {
                total: told.total.filter(|_| parts.total),
                by_severity: told.by_severity.filter(|_| parts.by_severity),
                by_status: told.by_status.filter(|_| parts.by_status),
                by_detection: told.by_detection.filter(|_| parts.by_detection),
                by_qualification: told.by_qualification.filter(|_| parts.by_qualification),
                by_month_reported: told.by_month_reported.filter(|_| parts.by_month_reported),
            }
        })
    }

    fn download<'a>(&'a self, _: &'a Call, _: &'a DownloadRequest) -> Answer<'a, Download> {
        self.answer(|_| Download {
            media_type: "text/csv".into(),
            file_name: None,
            length: None,
            body: Box::pin(futures_util::stream::once(async { Ok(Bytes::from_static(b"id\n")) })),
        })
    }

    fn probe<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Probe> {
        let (latency, checked_at) = (Duration::ZERO, now());
        let (error, version, clock_skew_ms, notes) = (None, None, None, Vec::new());
        let status = SourceStatus::Ok;
        Box::pin(async move { Probe { status, error, version, clock_skew_ms, latency, checked_at, notes } })
    }

    fn account<'a>(&'a self, _: &'a Call) -> Answer<'a, Owner> {
        self.answer(|_| Owner {
            key: Key::new(&self.info.name, "me"),
            kind: OwnerKind::ServiceAccount,
            source_type: None,
            name: None,
            profile: OwnerProfile::default(),
        })
    }
}
