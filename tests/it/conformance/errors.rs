//! What goes wrong: of one kind whatever the operation, never a panic, never an answer that looks right.

use super::{bench::*, records, truth};
use futures_util::TryStreamExt;
use incident_gateway::{domain::*, sandbox::Fault, source::*, upstream::Policy};
use std::{collections::BTreeMap, time::Duration};

/// One thing that a source can be asked, with ids that are known to it.
#[derive(Clone, Debug)]
enum Operation {
    List(Option<Order>),
    Fetch(Vec<NativeId>),
    Related(RecordKind, Vec<NativeId>),
    Details(DetailPart, Vec<NativeId>),
    Catalog(RecordKind),
    Resolve(Reference),
    Metrics(MetricParts),
    Download(DownloadRequest),
    Account,
    Probe,
}

/// What came of it: how much was found, and what failed.
type Outcome = (usize, Vec<SourceError>);

fn outcome<T>(answer: Result<Found<T>, SourceError>) -> Outcome {
    match answer {
        Ok(found) => (found.items.len(), found.failed.into_iter().map(|(_, error)| error).collect()),
        Err(error) => (0, vec![error]),
    }
}

fn plain<T>(answer: Result<T, SourceError>, count: impl FnOnce(T) -> usize) -> Outcome {
    match answer {
        Ok(answer) => (count(answer), vec![]),
        Err(error) => (0, vec![error]),
    }
}

impl Operation {
    /// All that the source says that it can do.
    async fn all(bench: &Bench) -> Vec<Operation> {
        let capabilities = bench.capabilities().await;
        let mut ids: Vec<NativeId> = bench.all().await.iter().map(|one| one.key.native.clone()).collect();
        ids.sort();
        ids.truncate(3);
        let mut all = vec![Operation::List(None), Operation::Probe];
        let orders = capabilities.list.orders.iter().take(1);
        all.extend(
            orders.map(|(field, directions)| Operation::List(Some(Order { field: *field, direction: directions[0] }))),
        );
        let mut related: BTreeMap<RecordKind, Vec<NativeId>> = BTreeMap::new();
        for (kind, key) in records::leads_of(bench).await {
            related.entry(kind).or_default().push(key.native);
        }
        for kind in capabilities.by_id.iter().copied() {
            match (kind, related.remove(&kind)) {
                (RecordKind::Incident, _) => all.push(Operation::Fetch(ids.clone())),
                (kind, Some(ids)) => all.push(Operation::Related(kind, ids.into_iter().take(2).collect())),
                _ => {}
            }
        }
        let parts = truth::parts(bench).await;
        let parts = DetailPart::ALL.into_iter().filter(|part| parts.contains(*part));
        all.extend(parts.map(|part| Operation::Details(part, ids.clone())));
        all.extend(capabilities.catalog.iter().map(|kind| Operation::Catalog(*kind)));
        all.push(Operation::Resolve(Reference::Incident(ids[0].to_string())));
        if capabilities.resolves_names {
            all.push(Operation::Resolve(Reference::OwnerEmail("ada@example.test".into())));
            all.push(Operation::Resolve(Reference::TagName("pci".into())));
        }
        if !capabilities.metrics.is_empty() {
            all.push(Operation::Metrics(capabilities.metrics));
        }
        let tables =
            capabilities.exports.iter().map(|format| DownloadRequest::Table { format: *format, tests: vec![] });
        let incident = ids[0].clone();
        let reports = capabilities
            .reports
            .iter()
            .map(|format| DownloadRequest::Report { format: *format, incident: incident.clone() });
        all.extend(tables.chain(reports).map(Operation::Download));
        let is_known = bench.source.account(&call()).await.is_ok();
        all.extend(is_known.then_some(Operation::Account));
        all
    }

    async fn run(&self, source: &dyn Source, call: &Call) -> Outcome {
        match self {
            Operation::List(order) => {
                let request = ListRequest { tests: vec![], order: *order, offset: 0, limit: 10, want: PLAIN };
                plain(source.list(call, &request).await, |rows| rows.items.len())
            }
            Operation::Fetch(ids) => outcome(source.fetch(call, ids, PLAIN).await),
            Operation::Related(kind, ids) => outcome(source.related(call, *kind, ids, PLAIN).await),
            Operation::Details(part, ids) => {
                let parts = DetailParts::default().with(*part);
                let request = DetailRequest { parts, incidents: ids.clone(), want: PLAIN };
                outcome(source.details(call, &request).await)
            }
            Operation::Catalog(kind) => {
                let search = Search::parse("");
                let request = CatalogRequest { kind: *kind, offset: 0, limit: 5, want: PLAIN, search };
                plain(source.catalog(call, &request).await, |rows| rows.items.len())
            }
            Operation::Resolve(reference) => {
                let found = source.resolve(call, std::slice::from_ref(reference)).await;
                plain(found, |found| found.concat().len())
            }
            Operation::Metrics(parts) => plain(source.metrics(call, *parts, None).await, |_| 1),
            Operation::Download(request) => match source.download(call, request).await {
                Ok(file) => plain(file.body.try_collect::<Vec<_>>().await, |body| body.concat().len()),
                Err(error) => (0, vec![error]),
            },
            Operation::Account => plain(source.account(call).await, |_| 1),
            Operation::Probe => {
                let probe = source.probe(call).await;
                assert_eq!(probe.status == SourceStatus::Ok, probe.error.is_none());
                assert!(probe.error.as_ref().is_none_or(|error| error.status() == probe.status));
                (usize::from(probe.error.is_none()), probe.error.into_iter().collect())
            }
        }
    }

    /// Whether this may have come of an operation that asked nobody. A source may know that it has no such names.
    fn needs_nobody(&self, found: usize, failed: &[SourceError]) -> bool {
        failed.is_empty() && (found > 0 || matches!(self, Operation::Resolve(_)))
    }

    /// Whether it names records: those that a server denies are then just missing.
    fn is_by_id(&self) -> bool {
        let download = matches!(self, Operation::Download(DownloadRequest::Report { .. }));
        let by_id = matches!(self, Operation::Fetch(_) | Operation::Related(..) | Operation::Details(..));
        by_id || download || matches!(self, Operation::Resolve(_))
    }
}

pub(super) async fn a_wrong_credential_is_told_by_every_operation(subject: &Subject) {
    let bench = Bench::start(subject, 12).await;
    let secret = ["token", "client_secret", "api_key"];
    let wrong = |(name, value): (&'static str, String)| match secret.contains(&name) {
        true => (name, value.chars().rev().collect()),
        false => (name, value),
    };
    let wrong: Vec<_> = bench.sandbox.secrets().into_iter().map(wrong).collect();
    for operation in Operation::all(&bench).await {
        let stranger = bench.source_with(&name(), &wrong, Policy::default());
        bench.sandbox.reset_calls();
        let (found, failed) = operation.run(&*stranger, &call()).await;
        if bench.sandbox.call_count() == 0 {
            // What is told without asking is no secret of the server's.
            assert!(operation.needs_nobody(found, &failed), "{operation:?}");
            continue;
        }
        assert_eq!(found, 0, "{operation:?}");
        assert!(!failed.is_empty(), "{operation:?}: an empty answer that looks right");
        for error in failed {
            assert_eq!(error.kind(), subject.refused, "{operation:?}: {error:?}");
            assert_eq!((error.source_name(), error.retry()), (&name(), Retry::Never), "{operation:?}");
        }
    }
}

/// What the server does, and the kind that it is.
const FAILURES: [(&str, SourceErrorKind); 14] = [
    ("401", SourceErrorKind::Unauthenticated),
    ("403", SourceErrorKind::Forbidden),
    ("404", SourceErrorKind::NotFound),
    ("429:7", SourceErrorKind::RateLimited),
    ("429", SourceErrorKind::RateLimited),
    ("500", SourceErrorKind::Unavailable),
    ("html:502", SourceErrorKind::Unavailable),
    ("503", SourceErrorKind::Unavailable),
    ("504", SourceErrorKind::Timeout),
    ("garbage", SourceErrorKind::Malformed),
    ("empty", SourceErrorKind::Malformed),
    ("cut", SourceErrorKind::Malformed),
    ("content-type", SourceErrorKind::Malformed),
    ("redirect", SourceErrorKind::Malformed),
];

pub(super) async fn each_failure_has_its_kind_in_every_operation(subject: &Subject) {
    let bench = Bench::start(subject, 12).await;
    for operation in Operation::all(&bench).await {
        for (fault, kind) in FAILURES {
            // A file is passed on as it comes.
            if matches!(operation, Operation::Download(_)) && ["garbage", "empty", "content-type"].contains(&fault) {
                continue;
            }
            for is_known in [false, true] {
                fails(&bench, &operation, (fault, kind), is_known).await;
            }
        }
    }
}

/// One that was asked before has logged in and may remember something; it must not tell more than it knows.
async fn fails(bench: &Bench, operation: &Operation, (fault, kind): (&str, SourceErrorKind), is_known: bool) {
    let source = bench.fresh();
    if is_known {
        source.probe(&call()).await;
    }
    bench.sandbox.set_faults(vec![fault.parse::<Fault>().unwrap()]);
    bench.sandbox.reset_calls();
    let call = call();
    let (found, failed) = operation.run(&*source, &call).await;
    bench.sandbox.set_faults(vec![]);
    let told = format!("{operation:?} with {fault}, known: {is_known}");
    if bench.sandbox.call_count() == 0 {
        assert!(operation.needs_nobody(found, &failed), "{told}");
        return;
    }
    // Who is not let in is not told why he may not do what he was let in for.
    let at_the_door = call.context.tally.upstream_calls() == 0;
    assert_eq!(found, 0, "{told}: something was made of nothing");
    if kind == SourceErrorKind::NotFound && operation.is_by_id() && failed.is_empty() {
        return;
    }
    assert!(!failed.is_empty(), "{told}: an empty answer that looks right");
    for error in failed {
        // What a server means by not having its own list is not documented: its kind is only not another's.
        let kinds = match (kind, operation) {
            (SourceErrorKind::NotFound, _) if at_the_door => &[SourceErrorKind::Malformed][..],
            (SourceErrorKind::Forbidden, _) if at_the_door => &[SourceErrorKind::Unauthenticated],
            (SourceErrorKind::NotFound, _) => &[SourceErrorKind::NotFound, SourceErrorKind::Rejected],
            // A server says of an incident that it does not know that permission is denied.
            (SourceErrorKind::Forbidden, Operation::Download(DownloadRequest::Report { .. })) => {
                &[SourceErrorKind::NotFound]
            }
            _ => &[kind],
        };
        assert!(kinds.contains(&error.kind()), "{told}: {error:?}");
        if fault == "429:7" {
            assert_eq!(error.retry(), Retry::After(Duration::from_secs(7)), "{told}");
        }
        assert!(error.public().contains("one"), "{told}: the text names the source: {}", error.public());
        assert!(!error.public().contains("sandbox"), "{told}: a vendor's words: {}", error.public());
    }
}

pub(super) async fn a_row_that_is_broken_costs_only_itself(subject: &Subject) {
    let bench = Bench::start(subject, 21).await;
    let whole = ids(&bench.all().await);
    bench.sandbox.reset_calls();
    bench.all().await;
    let path = bench.sandbox.calls().last().unwrap().path.clone();
    bench.sandbox.set_faults(vec![format!("malformed@{path}").parse().unwrap()]);
    let rows = bench.page(0, 50).await;
    let left = ids(&rows.items);
    let others: Vec<&String> = whole.iter().filter(|id| left.contains(id)).collect();
    assert_eq!(others, left.iter().collect::<Vec<_>>(), "the others, where they were");
    assert!(left.len() + 1 >= whole.len(), "{} of {}", left.len(), whole.len());
    assert_eq!(rows.consumed, whole.len(), "a broken row counts as one");
    assert!(rows.malformed > 0 || left.len() == whole.len(), "what is left out is said");
    let broken = rows.items.iter().filter(|incident| incident.title.is_none() && incident.source_status.is_none());
    assert!(broken.count() <= 1);
}

pub(super) async fn nothing_is_sent_after_the_deadline(subject: &Subject) {
    let bench = Bench::start(subject, 12).await;
    for operation in Operation::all(&bench).await {
        let source = bench.fresh();
        bench.sandbox.reset_calls();
        let (found, failed) = operation.run(&*source, &call_within(Duration::ZERO)).await;
        assert_eq!(bench.sandbox.call_count(), 0, "{operation:?}");
        for error in &failed {
            assert_eq!(error.kind(), SourceErrorKind::Timeout, "{operation:?}: {error:?}");
        }
        let nobody = operation.needs_nobody(found, &failed);
        assert!(nobody || !failed.is_empty(), "{operation:?}: an empty answer that looks right");
    }
}
