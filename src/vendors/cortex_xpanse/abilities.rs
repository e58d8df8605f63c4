//! What this source can do, as the documents say and the configuration adds.

use super::client::WINDOW;
use super::config::Undocumented;
use super::words::{SEVERITIES, STATUSES};
use crate::{
    domain::{
        CountPrecision, IncidentField, IncidentOrderField, IncidentStatus, MetricParts, OrderDirection, RecordKind,
        Severity,
    },
    source::{
        Capabilities, FilterCapability, FilterRule, ListCapabilities, SeverityCapability, StatusCapability,
        WriteCapabilities,
    },
};

/// Ids and texts of the tests of one request, in bytes; arbitrary, no limit is documented for a body.
const MAX_FILTER_BYTES: usize = 64 * 1024;

pub(super) fn capabilities(undocumented: Undocumented) -> Capabilities {
    let severities = SEVERITIES.iter().copied().chain([(Severity::Unknown, "unknown")]);
    // Rows without a status occur; the filter finds them by leaving out all others.
    let statuses = STATUSES.iter().copied().chain([(IncidentStatus::Other, "")]);
    Capabilities {
        read: fields(),
        severities: severities.map(|(severity, word)| SeverityCapability { severity, word, writable: false }).collect(),
        statuses: statuses.map(|(status, word)| status_capability(status, word)).collect(),
        detections: Vec::new(),
        list: ListCapabilities {
            filters: filters(undocumented),
            orders: orders(undocumented),
            max_page_size: WINDOW,
            max_filter_bytes: MAX_FILTER_BYTES,
            calls_per_minute: None,
            total: CountPrecision::Exact,
        },
        by_id: vec![RecordKind::Incident, RecordKind::Evidence],
        embedded: vec![RecordKind::Asset, RecordKind::Threat, RecordKind::Owner, RecordKind::Tag, RecordKind::Term],
        resolves_names: false,
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
    }
}

fn status_capability(status: IncidentStatus, word: &'static str) -> StatusCapability {
    StatusCapability {
        status,
        word,
        writable: false,
        needs_resolution: false,
        resolutions: Vec::new(),
        irreversible: false,
    }
}

/// Fields that a row or its extra data can fill.
fn fields() -> Vec<IncidentField> {
    use IncidentField as F;
    vec![
        F::Id,
        F::Reference,
        F::Title,
        F::Description,
        F::ComputedDescription,
        F::Notes,
        F::Text,
        F::Severity,
        F::Scores,
        F::Status,
        F::Phase,
        F::Resolution,
        F::ResolutionComment,
        F::Origins,
        F::Categories,
        F::Starred,
        F::Blocked,
        F::AlertGrouping,
        F::Url,
        F::CreatedAt,
        F::UpdatedAt,
        F::DetectedAt,
        F::ResolvedAt,
        F::LastEventAt,
        F::Owners,
        F::Assets,
        F::Threats,
        F::Evidence,
        F::Tags,
        F::OriginalTags,
        F::AlertCounts,
        F::HostCount,
        F::UserCount,
        F::Exposure,
        F::CloudManagement,
        F::CloudIntegration,
    ]
}

/// The first that takes a test decides. Severity, owner, tags, scores and assets cannot be filtered by.
fn filters(undocumented: Undocumented) -> Vec<FilterCapability> {
    use IncidentField as F;
    let mut filters = vec![
        FilterCapability::new(F::Status, FilterRule::OneOf),
        // There is no “or”: the rest is left out, which lets unknown words pass.
        FilterCapability::narrowing(F::Status, FilterRule::AnyOf),
        FilterCapability::new(F::Origins, FilterRule::AnyOf),
        FilterCapability::new(F::CloudManagement, FilterRule::AnyOf),
        FilterCapability::new(F::CloudIntegration, FilterRule::AnyOf),
        FilterCapability::new(F::CreatedAt, FilterRule::Range),
        FilterCapability::new(F::UpdatedAt, FilterRule::Range),
    ];
    if undocumented.filters_starred {
        filters.extend([true, false].map(|value| FilterCapability::new(F::Starred, FilterRule::Flag(value))));
    }
    if undocumented.filters_description {
        filters.push(FilterCapability::narrowing(F::ComputedDescription, FilterRule::Text));
    }
    filters
}

/// Severities would be one tie each, and what a person set would not count.
fn orders(undocumented: Undocumented) -> Vec<(IncidentOrderField, Vec<OrderDirection>)> {
    let both = || vec![OrderDirection::Asc, OrderDirection::Desc];
    let mut orders = Vec::new();
    if undocumented.sorts_by_time {
        orders.extend([(IncidentOrderField::CreatedAt, both()), (IncidentOrderField::UpdatedAt, both())]);
    }
    if undocumented.sorts_ids_as_numbers {
        orders.push((IncidentOrderField::Reference, both()));
    }
    orders
}
