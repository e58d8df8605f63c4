//! Which release the server runs, and what follows from it: what it can be asked.

use super::client::{Client, Endpoint};
use super::wire::Build;
use super::words::{DETECTIONS, Entry, SEVERITIES, STATUSES};
use crate::{
    domain::{
        CountPrecision, ExportFormat, IncidentField, IncidentOrderField, IncidentStatus, MetricParts, OrderDirection,
        RecordKind, Severity,
    },
    source::{
        Call, Capabilities, FilterCapability, FilterRule, ListCapabilities, SeverityCapability, SourceError,
        StatusCapability, WriteCapabilities,
    },
    vendors::common::Remembered,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// A version as `build/` tells it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Release(u32, u32, u32);

/// Newest release whose incidents have no more than the published document (observed).
const LAST_OF_SEED: Release = Release(3, 15, 1);
/// Exports honour filters from here on (section 13, by tag).
const EXPORT_FILTERS: Release = Release(3, 17, 0);
/// The release where the later filters were observed. They came somewhere after v3.15.1; since a server ignores a
/// filter that it does not know and answers with everything, none is sent to a release that was not seen to have it.
const LATER_FILTERS: Release = Release(3, 20, 8);

/// How long a release is believed without an error that makes it doubtful: a server that was taken back to an older
/// release ignores filters silently.
const BELIEVED: Duration = Duration::from_secs(60 * 60);
/// How long it is believed that the server does not tell its release.
const UNKNOWN_BELIEVED: Duration = Duration::from_secs(60);
/// A release that was read so lately is not doubted: errors come in crowds.
const DOUBTED_AFTER: Duration = Duration::from_secs(10);

const BUILD: Endpoint = Endpoint { path: "/api/build/", operation: "read_release", item: "build" };

/// The largest page that is asked for: a row costs the server some 3 ms, so a longer one would run into timeouts.
pub(super) const MAX_PAGE_SIZE: usize = 500;

impl Release {
    /// `v3.15.1`, `3.20.8-rc1`. None where there are no three numbers to be seen.
    pub(super) fn parse(text: &str) -> Option<Release> {
        let mut numbers = text.trim().trim_start_matches(['v', 'V']).split(|c: char| !c.is_ascii_digit());
        let mut number = || numbers.next()?.parse().ok();
        Some(Release(number()?, number()?, number()?))
    }

    fn filters_exports(release: Option<Release>) -> bool {
        release.is_some_and(|release| release >= EXPORT_FILTERS)
    }

    fn has_later_filters(release: Option<Release>) -> bool {
        release.is_some_and(|release| release >= LATER_FILTERS)
    }

    /// An unknown release may have the later fields. Reading them where they are absent does no harm.
    fn may_have_later_fields(release: Option<Release>) -> bool {
        release.is_none_or(|release| release > LAST_OF_SEED)
    }
}

/// The release, found at first use.
pub(super) struct Releases {
    remembered: Remembered<Found>,
    /// When somebody had a reason to doubt what is remembered.
    doubted: Mutex<Option<Instant>>,
}

struct Found {
    release: Option<Release>,
    capabilities: Arc<Capabilities>,
}

impl Releases {
    pub(super) fn new(client: &Client) -> Self {
        Releases { remembered: Remembered::new(&client.source, BUILD.operation), doubted: Mutex::default() }
    }

    /// What the server can do; what every release can, as long as it does not tell which one it is.
    pub(super) async fn capabilities(&self, client: &Client, call: &Call) -> Arc<Capabilities> {
        let since = Instant::now().checked_sub(BELIEVED).max(self.doubted());
        let mut found = self.remembered.value(call, since, || Found::read(client, call)).await;
        if found.as_ref().is_ok_and(|found| found.release.is_none()) {
            let since = since.max(Instant::now().checked_sub(UNKNOWN_BELIEVED));
            found = self.remembered.value(call, since, || Found::read(client, call)).await;
        }
        // Whatever kept the release from being read will keep the request from being answered, and be reported there.
        found.map_or_else(|_| Arc::new(capabilities(None)), |found| found.capabilities.clone())
    }

    /// Another release would explain an error that was just seen: it is read again before the next request.
    pub(super) fn reconsider(&self, call: &Call) {
        if self.remembered.begun(call).is_some_and(|begun| begun.elapsed() >= DOUBTED_AFTER) {
            *self.doubt() = Some(Instant::now());
        }
    }

    fn doubted(&self) -> Option<Instant> {
        *self.doubt()
    }

    fn doubt(&self) -> MutexGuard<'_, Option<Instant>> {
        self.doubted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    /// A refusal is an answer: the account may not ask, or the release has no such address. No answer is none.
    async fn read(client: &Client, call: &Call) -> Result<Found, SourceError> {
        let answer = client.ask(call, BUILD.operation, BUILD.path.into()).await?;
        if answer.status >= 500 {
            return Err(client.refusal(BUILD.operation, &answer));
        }
        let version = serde_json::from_slice::<Build>(&answer.body).ok().and_then(|build| build.version);
        let release = version.and_then(|version| Release::parse(&version));
        Ok(Found { release, capabilities: Arc::new(capabilities(release)) })
    }
}

/// What a release can do.
pub(super) fn capabilities(release: Option<Release>) -> Capabilities {
    let (filters_exports, later) = (Release::filters_exports(release), Release::has_later_filters(release));
    let filters = filters(later);
    Capabilities {
        read: fields(Release::may_have_later_fields(release)),
        severities: SEVERITIES.iter().map(severity).collect(),
        statuses: STATUSES.iter().map(status).collect(),
        detections: DETECTIONS.iter().map(|entry| entry.value).collect(),
        export_filters: if filters_exports { filters.clone() } else { Vec::new() },
        list: ListCapabilities {
            filters,
            orders: orders(),
            max_page_size: MAX_PAGE_SIZE,
            // Of a request line of 5,120 bytes; the rest is for path, order and page.
            max_filter_bytes: 4_000,
            calls_per_minute: None,
            total: CountPrecision::Exact,
        },
        by_id: RecordKind::ALL.to_vec(),
        embedded: Vec::new(),
        resolves_names: true,
        catalog: vec![
            RecordKind::Asset,
            RecordKind::Threat,
            RecordKind::Owner,
            RecordKind::Scope,
            RecordKind::Tag,
            RecordKind::Term,
            RecordKind::RelatedRecord,
        ],
        metrics: MetricParts {
            total: true,
            by_severity: true,
            by_status: false,
            by_detection: true,
            by_qualification: true,
            by_month_reported: true,
        },
        exports: vec![ExportFormat::Csv, ExportFormat::Xlsx],
        reports: vec![ExportFormat::Markdown, ExportFormat::Pdf],
        read_comments: true,
        history: true,
        delete_preview: true,
        // Where the server keeps the files is in none of its documents.
        attachments: false,
        pictures: false,
        assumed_time_zone: None,
        write: WriteCapabilities::default(),
    }
}

/// Fields that a row of the release can fill.
fn fields(later: bool) -> Vec<IncidentField> {
    use IncidentField as F;
    let always = [
        F::Id,
        F::Reference,
        F::Title,
        F::Description,
        F::Text,
        F::Severity,
        F::Status,
        F::Phase,
        F::Detection,
        F::Published,
        F::Url,
        F::Link,
        F::CreatedAt,
        F::UpdatedAt,
        F::ReportedAt,
        F::Owners,
        F::Assets,
        F::Threats,
        F::Evidence,
        F::Comments,
        F::Activity,
        F::Tags,
        F::Qualifications,
        F::Entities,
        F::Scope,
    ];
    let since_then = [F::OccurredAt, F::ResolvedAt, F::ResolutionComment, F::ContinuityPlan, F::RelatedRecords];
    always.into_iter().chain(since_then.into_iter().filter(|_| later)).collect()
}

/// Filters of the list. `threats`, for one, is ignored by every release and answers with everything.
fn filters(later: bool) -> Vec<FilterCapability> {
    use IncidentField as F;
    let any_of =
        [F::Severity, F::Status, F::Detection, F::Scope, F::Assets, F::Qualifications, F::Owners, F::Entities, F::Tags];
    let since_then = [
        FilterCapability::new(F::RelatedRecords, FilterRule::AnyOfOneCollection),
        FilterCapability::new(F::CreatedAt, FilterRule::Range),
        FilterCapability::new(F::UpdatedAt, FilterRule::Range),
    ];
    let mut filters: Vec<_> = any_of.map(|field| FilterCapability::new(field, FilterRule::AnyOf)).into();
    filters.push(FilterCapability::new(F::Text, FilterRule::AsciiWords));
    filters.extend(since_then.into_iter().filter(|_| later));
    filters
}

/// Never null, and compared as we do. Texts are not (letter case), nor is `status` (by code); other times may be null,
/// and where nulls stand depends on the server's database.
fn orders() -> Vec<(IncidentOrderField, Vec<OrderDirection>)> {
    let both = || vec![OrderDirection::Asc, OrderDirection::Desc];
    [IncidentOrderField::CreatedAt, IncidentOrderField::UpdatedAt, IncidentOrderField::Severity]
        .map(|field| (field, both()))
        .into()
}

fn severity(entry: &Entry<Severity>) -> SeverityCapability {
    SeverityCapability { severity: entry.value, word: entry.label, writable: false }
}

fn status(entry: &Entry<IncidentStatus>) -> StatusCapability {
    StatusCapability {
        status: entry.value,
        word: entry.label,
        writable: false,
        needs_resolution: false,
        resolutions: Vec::new(),
        irreversible: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_and_compared_by_number() {
        assert_eq!(Release::parse("v3.15.1"), Some(Release(3, 15, 1)));
        assert_eq!(Release::parse(" 3.20.8-rc1\n"), Some(Release(3, 20, 8)));
        assert!(Release::parse("v3.9.0") < Release::parse("v3.15.0"));
        for text in ["", "dev", "3.15", "3..1", "v3.15.99999999999"] {
            assert_eq!(Release::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_release_gets_no_filter_that_it_was_not_seen_to_have() {
        let names = |text: &str| {
            let capabilities = capabilities(Release::parse(text));
            (
                capabilities.list.filters.len(),
                capabilities.export_filters.len(),
                capabilities.read.contains(&IncidentField::OccurredAt),
            )
        };
        assert_eq!(names("v3.15.1"), (10, 0, false));
        assert_eq!(names("v3.16.0"), (10, 0, true));
        assert_eq!(names("v3.17.0"), (10, 10, true));
        assert_eq!(names("v3.20.8"), (13, 13, true));
        assert_eq!(names("dev"), (10, 0, true));
    }
}
