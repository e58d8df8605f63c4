//! What a source can do, as data: the one truth for planner, schema and documentation.

use crate::domain::{
    BatchKind, CountPrecision, Detection, ExportFormat, IncidentField, IncidentOrderField, IncidentStatus, MetricParts,
    OrderDirection, OwnerRef, RecordKind, Resolution, Severity, TagRef, Test, TimeRange,
};

/// What a source can do, by operation.
#[derive(Clone, PartialEq, Debug)]
pub struct Capabilities {
    /// Fields that this source can ever fill.
    pub read: Vec<IncidentField>,
    pub severities: Vec<SeverityCapability>,
    pub statuses: Vec<StatusCapability>,
    pub detections: Vec<Detection>,
    pub list: ListCapabilities,
    /// Kinds of records, incidents included, that it gives by id. Others come embedded in incidents and details; incidents
    /// are then looked for in the list.
    pub by_id: Vec<RecordKind>,
    /// Kinds of records that its incident rows tell in full. Those that it neither lists nor gives by id are found among its
    /// incidents, as far as these are read.
    pub embedded: Vec<RecordKind>,
    /// It looks up what people and tags are called. Otherwise names are compared with what its rows tell.
    pub resolves_names: bool,
    /// Kinds of records of which it gives all, page by page.
    pub catalog: Vec<RecordKind>,
    /// Metrics that mean the same as ours, over everything or over one scope.
    pub metrics: MetricParts,
    /// Tables of all incidents.
    pub exports: Vec<ExportFormat>,
    /// Tests that the table exports honour; a filter with any other is refused.
    pub export_filters: Vec<FilterCapability>,
    /// Reports of one incident.
    pub reports: Vec<ExportFormat>,
    pub read_comments: bool,
    pub history: bool,
    pub delete_preview: bool,
    /// Files kept with evidence can be fetched.
    pub attachments: bool,
    /// Pictures of owners that the source keeps can be fetched.
    pub pictures: bool,
    /// Zone that the gateway assumes for times which the source gives without one.
    pub assumed_time_zone: Option<String>,
    pub write: WriteCapabilities,
}

/// How lists can be asked for.
#[derive(Clone, PartialEq, Debug)]
pub struct ListCapabilities {
    /// Tests that the source applies itself, with our meaning.
    pub filters: Vec<FilterCapability>,
    /// Orders that equal ours for every value: nulls, ties, letter case.
    pub orders: Vec<(IncidentOrderField, Vec<OrderDirection>)>,
    /// The longest page that may be asked for.
    pub max_page_size: usize,
    /// How long the tests of one request may be, in bytes as [`Capabilities::length`] estimates them. The gateway applies
    /// what goes beyond.
    pub max_filter_bytes: usize,
    /// How many calls a minute it takes, where a quota is known: a long read leaves most of it to others.
    pub calls_per_minute: Option<u32>,
    pub total: CountPrecision,
}

/// A field that the source filters by, and for which values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterCapability {
    pub field: IncidentField,
    pub rule: FilterRule,
    /// Whether what the source gives is exactly what matches. Otherwise it gives all that match and perhaps others, and
    /// the gateway looks again.
    pub exact: bool,
}

/// For which values a source's own filter means the same as ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FilterRule {
    /// One of a list of values; words that the source does not know match nothing.
    AnyOf,
    /// The same, but one value in a request.
    OneOf,
    /// The same as `AnyOf`, for native ids `collection/id` that are all of one collection: each is a filter of its own, and filters
    /// must all hold.
    AnyOfOneCollection,
    /// Free text of plain ASCII without quotes and backslashes, since others compare otherwise.
    AsciiWords,
    /// A piece of text, or the whole of it, of plain ASCII.
    Text,
    /// `since` inclusive, `until` exclusive, to the microsecond.
    Range,
    /// The same, but one range in a request, whatever the field.
    OneRange,
    /// A field that is set or not: only this value can be asked for.
    Flag(bool),
}

/// How a planner may use a source's own filter for a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    /// The source applies it, with our meaning.
    Source,
    /// The source leaves out some that do not match, the gateway the others.
    Both,
    /// The gateway has to.
    Gateway,
    /// Nothing at this source can match.
    Nothing,
}

/// A severity that the source knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeverityCapability {
    pub severity: Severity,
    /// The source's own word; empty where it has none, as for what no document names.
    pub word: &'static str,
    pub writable: bool,
}

/// A status that the source knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatusCapability {
    pub status: IncidentStatus,
    /// The source's own word.
    pub word: &'static str,
    pub writable: bool,
    pub needs_resolution: bool,
    pub resolutions: Vec<Resolution>,
    /// The source offers no way back.
    pub irreversible: bool,
}

/// What can be written. Empty lists: nothing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct WriteCapabilities {
    pub create: Vec<IncidentField>,
    pub update: Vec<IncidentField>,
    pub clear: Vec<IncidentField>,
    pub links: Vec<IncidentField>,
    pub relevances: Vec<String>,
    pub batch: Vec<BatchKind>,
    pub max_batch_size: Option<i32>,
    pub max_owners: Option<i32>,
    pub add_comment: bool,
    pub add_evidence: bool,
    pub create_tags: bool,
    pub delete: bool,
}

impl Capabilities {
    /// Whether a list can leave a test to the source.
    pub fn fit(&self, test: &Test) -> Fit {
        match test {
            Test::Severity(all) if !all.iter().any(|value| self.severities.iter().any(|s| s.severity == *value)) => {
                Fit::Nothing
            }
            Test::Status(all) if !all.iter().any(|value| self.statuses.iter().any(|s| s.status == *value)) => {
                Fit::Nothing
            }
            Test::Detection(all) if !all.iter().any(|value| self.detections.contains(value)) => Fit::Nothing,
            test if !names_nothing(test) => Fit::Gateway,
            test if self.list.filters.iter().any(|filter| filter.exact && filter.takes(test))
                && self.has_words(test) =>
            {
                Fit::Source
            }
            // An exact filter has no way to ask for what has no word; one that narrows knows what to do.
            test if self.list.filters.iter().any(|filter| !filter.exact && filter.takes(test)) => Fit::Both,
            test if self.list.filters.iter().any(|filter| filter.takes(test)) => Fit::Gateway,
            // A field that the source never fills matches nothing, unless absence is what is asked for.
            Test::Unassigned(_) => Fit::Gateway,
            Test::Sources(_) | Test::SourceKinds(_) | Test::Ids(_) | Test::SourceIds(_) | Test::Search(_) => {
                Fit::Gateway
            }
            test if !self.read.contains(&test.field()) => Fit::Nothing,
            _ => Fit::Gateway,
        }
    }

    /// Whether the source has a word for every value of a test.
    fn has_words(&self, test: &Test) -> bool {
        match test {
            Test::Severity(all) => {
                !self.severities.iter().any(|known| known.word.is_empty() && all.contains(&known.severity))
            }
            Test::Status(all) => {
                !self.statuses.iter().any(|known| known.word.is_empty() && all.contains(&known.status))
            }
            _ => true,
        }
    }

    /// About how many bytes a test takes in a request, names and separators included; more rather than less.
    pub fn length(test: &Test) -> usize {
        /// A name, its separators, and a value as long as a UUID.
        const ID: usize = 64;
        const WORD: usize = 32;
        match test {
            Test::Owners(all) | Test::CreatedBy(all) => all.len() * ID,
            Test::Tags(all) => all.len() * ID,
            Test::Assets(all)
            | Test::Threats(all)
            | Test::Qualifications(all)
            | Test::Entities(all)
            | Test::RelatedRecords(all)
            | Test::Scopes(all) => all.len() * ID,
            // Each byte may have to be percent-encoded.
            Test::Search(search) => search.terms().iter().map(|term| 3 * term.len() + WORD).sum(),
            Test::Time(..) => 2 * ID,
            Test::Severity(all) => all.len() * WORD,
            Test::Status(all) => all.len() * WORD,
            Test::Detection(all) => all.len() * WORD,
            Test::Origins(all) | Test::References(all) | Test::Categories(all) | Test::CloudIntegrations(all) => {
                all.iter().map(|text| 3 * text.len() + WORD).sum()
            }
            _ => ID,
        }
    }

    /// Whether a test can only be asked for without another range beside it.
    pub fn is_alone(&self, test: &Test) -> bool {
        self.list.filters.iter().any(|filter| filter.rule == FilterRule::OneRange && filter.takes(test))
    }

    /// Whether the source sorts so itself.
    pub fn sorts(&self, field: IncidentOrderField, direction: OrderDirection) -> bool {
        self.list.orders.iter().any(|(other, directions)| *other == field && directions.contains(&direction))
    }
}

impl FilterCapability {
    /// Of a filter that means exactly the same as ours.
    pub fn new(field: IncidentField, rule: FilterRule) -> Self {
        FilterCapability { field, rule, exact: true }
    }

    /// Of a filter that keeps all that match, and perhaps others.
    pub fn narrowing(field: IncidentField, rule: FilterRule) -> Self {
        FilterCapability { field, rule, exact: false }
    }

    /// Whether the source's filter means the same as this test.
    pub fn takes(&self, test: &Test) -> bool {
        if test.field() != self.field {
            return false;
        }
        match (self.rule, test) {
            (FilterRule::AsciiWords, Test::Search(search)) => search.terms().iter().all(|term| plain(term)),
            (FilterRule::Text, Test::Title(text) | Test::Description(text) | Test::ComputedDescription(text)) => {
                let equal = text.equal().unwrap_or_default().iter().map(String::as_str);
                !text.has_pattern() && text.contained().into_iter().chain(equal).all(plain)
            }
            (FilterRule::Range | FilterRule::OneRange, Test::Time(_, TimeRange { since, until })) => {
                // Without any end the test asks for presence, which no range filter tells.
                since.is_some() || until.is_some()
            }
            (
                FilterRule::Flag(value),
                Test::Published(wanted)
                | Test::Starred(wanted)
                | Test::CreatedManually(wanted)
                | Test::Unassigned(wanted),
            ) => value == *wanted,
            (FilterRule::AnyOfOneCollection, Test::RelatedRecords(keys)) => {
                let mut collections = keys.iter().map(|key| key.native.to_string());
                let first = collections.next().unwrap_or_default();
                collections.all(|native| collection(&native) == collection(&first))
            }
            (FilterRule::AnyOf, test) => values(test).is_some(),
            (FilterRule::OneOf, test) => values(test) == Some(1),
            _ => false,
        }
    }
}

/// How many values a test allows, where it is a list of them that sources filter by.
fn values(test: &Test) -> Option<usize> {
    match test {
        Test::Severity(all) => Some(all.len()),
        Test::Status(all) => Some(all.len()),
        Test::Resolution(all) => Some(all.len()),
        Test::Priority(all) => Some(all.len()),
        Test::Detection(all) => Some(all.len()),
        Test::CloudManagement(all) => Some(all.len()),
        Test::Owners(all) | Test::CreatedBy(all) => Some(all.len()),
        Test::Tags(all) => Some(all.len()),
        Test::Assets(all)
        | Test::Threats(all)
        | Test::Qualifications(all)
        | Test::Entities(all)
        | Test::RelatedRecords(all)
        | Test::Scopes(all) => Some(all.len()),
        Test::References(all) | Test::Origins(all) | Test::Categories(all) | Test::CloudIntegrations(all) => {
            Some(all.len())
        }
        _ => None,
    }
}

/// Whether a test speaks of ids only: names that were not looked up mean nothing to a source.
fn names_nothing(test: &Test) -> bool {
    match test {
        Test::Owners(all) | Test::CreatedBy(all) => all.iter().all(|owner| matches!(owner, OwnerRef::Key(_))),
        Test::Tags(all) => all.iter().all(|tag| matches!(tag, TagRef::Key(_))),
        _ => true,
    }
}

/// Text that every vendor compares alike.
fn plain(text: &str) -> bool {
    text.is_ascii() && !text.contains(['"', '\\'])
}

/// The first part of a native id `collection/id`.
fn collection(native: &str) -> &str {
    native.split('/').next().unwrap_or_default()
}
