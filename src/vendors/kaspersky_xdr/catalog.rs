//! What the server can do: the same in every release, but for custom workflows.

use super::client::PAGE_ROWS;
use super::words::{SEVERITIES, STATUS_FILTERS};
use crate::{
    domain::{CountPrecision, IncidentField, IncidentStatus, MetricParts, RecordKind, Resolution, Severity},
    source::{
        Capabilities, FilterCapability, FilterRule, ListCapabilities, SeverityCapability, StatusCapability,
        WriteCapabilities,
    },
};

/// What the server can do. With custom statuses the gateway looks again at what the status filter gives.
pub(super) fn capabilities(custom_statuses: bool) -> Capabilities {
    Capabilities {
        read: FIELDS.to_vec(),
        severities: severities(),
        statuses: statuses(),
        detections: Vec::new(),
        list: ListCapabilities {
            filters: filters(custom_statuses),
            // In which order rows come is not documented.
            orders: Vec::new(),
            max_page_size: PAGE_ROWS,
            max_filter_bytes: 4_000,
            calls_per_minute: None,
            total: CountPrecision::Exact,
        },
        by_id: vec![RecordKind::Incident, RecordKind::Evidence, RecordKind::Scope, RecordKind::Threat],
        // People have an id and a name in rows, no list.
        embedded: vec![RecordKind::Asset, RecordKind::Threat, RecordKind::Owner],
        resolves_names: false,
        catalog: vec![RecordKind::Scope],
        metrics: MetricParts::default(),
        exports: Vec::new(),
        export_filters: Vec::new(),
        reports: Vec::new(),
        read_comments: false,
        history: true,
        delete_preview: false,
        attachments: false,
        pictures: false,
        assumed_time_zone: None,
        write: WriteCapabilities::default(),
    }
}

/// Those that have a word, and the one of rows without any.
fn severities() -> Vec<SeverityCapability> {
    let words = SEVERITIES.iter().copied().chain([("", Severity::Unknown)]);
    words.map(|(word, severity)| SeverityCapability { severity, word, writable: false }).collect()
}

fn filters(custom_statuses: bool) -> Vec<FilterCapability> {
    use IncidentField as F;
    let status = match custom_statuses {
        true => FilterCapability::narrowing(F::Status, FilterRule::AnyOf),
        false => FilterCapability::new(F::Status, FilterRule::AnyOf),
    };
    vec![
        status,
        FilterCapability::new(F::Scope, FilterRule::AnyOf),
        FilterCapability::new(F::CreatedAt, FilterRule::OneRange),
        FilterCapability::new(F::UpdatedAt, FilterRule::OneRange),
        FilterCapability::new(F::StatusChangedAt, FilterRule::OneRange),
    ]
}

/// The documented ones, and the one of rows with another word or none, which no filter asks for. Whether such are expected
/// is a setting; a row that has one all the same has to be found.
fn statuses() -> Vec<StatusCapability> {
    let status = |word: &'static str, status: IncidentStatus| {
        let closed = status == IncidentStatus::Closed;
        StatusCapability {
            status,
            word,
            writable: false,
            needs_resolution: closed,
            resolutions: match closed {
                true => vec![Resolution::TruePositive, Resolution::FalsePositive, Resolution::LowPriority],
                false => Vec::new(),
            },
            irreversible: closed,
        }
    };
    let words = STATUS_FILTERS.iter().copied().chain([("", IncidentStatus::Other)]);
    words.map(|(word, value)| status(word, value)).collect()
}

/// Fields that a row can fill.
const FIELDS: [IncidentField; 26] = {
    use IncidentField as F;
    [
        F::Id,
        F::Reference,
        F::ExternalReference,
        F::Title,
        F::Description,
        F::Text,
        F::Severity,
        F::Priority,
        F::Status,
        F::Phase,
        F::Resolution,
        F::Origins,
        F::CreatedManually,
        F::CreatedAt,
        F::UpdatedAt,
        F::StatusChangedAt,
        F::ResolvedAt,
        F::FirstEventAt,
        F::LastEventAt,
        F::Owners,
        F::Assets,
        F::Threats,
        F::Evidence,
        F::Activity,
        F::Scope,
        F::AlertCounts,
    ]
};
