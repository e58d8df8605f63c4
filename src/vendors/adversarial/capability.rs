//! What this vendor can be asked, under the settings for what its documents leave open.

use super::config::{Config, FilterGroup, OrderBy};
use super::query::ORDERS;
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

/// As configured.
pub(super) fn capabilities(config: &Config) -> Capabilities {
    // Null is read as UNKNOWN; the server has no word for it.
    let unknown = SeverityCapability { severity: Severity::Unknown, word: "", writable: false };
    let severity =
        |(severity, word): &(Severity, &'static str)| SeverityCapability { severity: *severity, word, writable: false };
    let status = |(status, word): &(_, &'static str)| StatusCapability {
        status: *status,
        word,
        writable: false,
        needs_resolution: false,
        resolutions: Vec::new(),
        irreversible: false,
    };
    Capabilities {
        read: fields(),
        severities: SEVERITIES.iter().map(severity).chain([unknown]).collect(),
        // Whatever else stands there is OTHER.
        statuses: STATUSES.iter().chain([&(IncidentStatus::Other, "")]).map(status).collect(),
        detections: Vec::new(),
        list: ListCapabilities {
            filters: filters(&config.filters),
            orders: orders(config.order_by),
            max_page_size: config.max_page_size,
            max_filter_bytes: 4_000,
            calls_per_minute: None,
            total: CountPrecision::Exact,
        },
        by_id: vec![RecordKind::Incident, RecordKind::Threat, RecordKind::Term],
        embedded: vec![RecordKind::Owner, RecordKind::Scope, RecordKind::Tag, RecordKind::RelatedRecord],
        resolves_names: false,
        catalog: vec![RecordKind::Threat, RecordKind::Term],
        metrics: MetricParts::default(),
        exports: Vec::new(),
        export_filters: Vec::new(),
        reports: Vec::new(),
        read_comments: true,
        history: true,
        delete_preview: false,
        attachments: false,
        pictures: true,
        assumed_time_zone: None,
        write: WriteCapabilities::default(),
    }
}

/// Fields that a row can fill.
fn fields() -> Vec<IncidentField> {
    use IncidentField as F;
    let all = [
        F::Id,
        F::Reference,
        F::Title,
        F::Description,
        F::Text,
        F::Severity,
        F::SeverityReasoning,
        F::Status,
        F::Phase,
        F::Origins,
        F::CreatedAt,
        F::UpdatedAt,
        F::OccurredAt,
        F::DetectedAt,
        F::RespondedAt,
        F::ContainedAt,
        F::Owners,
        F::CreatedBy,
        F::Threats,
        F::Comments,
        F::Activity,
        F::Tags,
        F::RelatedRecords,
    ];
    all.to_vec()
}

/// All of them narrow only: how the server reads them is not sure enough to rely on it alone.
fn filters(groups: &[FilterGroup]) -> Vec<FilterCapability> {
    use IncidentField as F;
    let of = |group: &FilterGroup| -> (FilterRule, &'static [F]) {
        match group {
            FilterGroup::Words => (FilterRule::AnyOf, &[F::Severity, F::Status, F::Origins, F::Threats]),
            FilterGroup::References => (FilterRule::AnyOf, &[F::Reference]),
            FilterGroup::People => (FilterRule::AnyOf, &[F::Owners, F::CreatedBy]),
            FilterGroup::Tags => (FilterRule::AnyOf, &[F::Tags]),
            FilterGroup::Text => (FilterRule::Text, &[F::Title, F::Description]),
            FilterGroup::Search => (FilterRule::AsciiWords, &[F::Text]),
            FilterGroup::Times => (
                FilterRule::Range,
                &[F::CreatedAt, F::UpdatedAt, F::DetectedAt, F::OccurredAt, F::RespondedAt, F::ContainedAt],
            ),
        }
    };
    let each = groups.iter().map(of);
    each.flat_map(|(rule, fields)| fields.iter().map(move |field| FilterCapability::narrowing(*field, rule))).collect()
}

fn orders(how: OrderBy) -> Vec<(IncidentOrderField, Vec<OrderDirection>)> {
    match how {
        OrderBy::Off => Vec::new(),
        OrderBy::Words | OrderBy::Minus => {
            let both = || vec![OrderDirection::Asc, OrderDirection::Desc];
            ORDERS.iter().map(|(field, _)| (*field, both())).collect()
        }
    }
}
