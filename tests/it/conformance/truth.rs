//! What capabilities say of fields and words is true: nothing is filled that is not declared, and nothing is declared that is
//! never filled.

use super::bench::*;
use incident_gateway::{domain::*, source::*};
use std::{collections::BTreeSet, sync::Arc};

/// Whether an incident, with its details, tells a field. Each field of the vocabulary has a line; what no incident holds
/// by itself does not.
fn tells(incident: &Incident, details: Option<&Details>, field: IncidentField) -> bool {
    use IncidentField as F;
    let times = match field {
        F::CreatedAt => Some(incident.created_at),
        F::UpdatedAt => Some(incident.updated_at),
        F::OccurredAt => Some(incident.occurred_at),
        F::DetectedAt => Some(incident.detected_at),
        F::ReportedAt => Some(incident.reported_at),
        F::RespondedAt => Some(incident.responded_at),
        F::ContainedAt => Some(incident.contained_at),
        F::ResolvedAt => Some(incident.resolved_at),
        F::StatusChangedAt => Some(incident.status_changed_at),
        F::DueAt => Some(incident.due_at),
        F::FirstEventAt => Some(incident.first_event_at),
        F::LastEventAt => Some(incident.last_event_at),
        _ => None,
    };
    let texts = match field {
        F::Reference => Some(&incident.reference),
        F::ExternalReference => Some(&incident.external_reference),
        F::Title => Some(&incident.title),
        F::Description => Some(&incident.description),
        F::ComputedDescription => Some(&incident.computed_description),
        F::Notes => Some(&incident.notes),
        F::SeverityReasoning => Some(&incident.severity_reasoning),
        F::ResolutionComment => Some(&incident.resolution_comment),
        F::Url => Some(&incident.url),
        F::Link => Some(&incident.link),
        _ => None,
    };
    let flags = match field {
        F::CreatedManually => Some(incident.created_manually),
        F::Published => Some(incident.published),
        F::Starred => Some(incident.starred),
        F::Blocked => Some(incident.blocked),
        F::AlertGrouping => Some(incident.alert_grouping_enabled),
        F::ContinuityPlan => Some(incident.continuity_plan_activated),
        _ => None,
    };
    let simple = times.map(|time| time.is_some()).or(texts.map(Option::is_some)).or(flags.map(|flag| flag.is_some()));
    simple.unwrap_or_else(|| tells_more(incident, details, field))
}

fn tells_more(incident: &Incident, details: Option<&Details>, field: IncidentField) -> bool {
    use IncidentField as F;
    let told = [details, incident.told.as_deref()];
    let detail = |has: &dyn Fn(&Details) -> bool| told.into_iter().flatten().any(has);
    let exposure = incident.exposure.as_deref();
    match field {
        F::Id | F::Phase => true,
        F::Text => incident.title.is_some(),
        F::Severity => incident.severity != Severity::Unknown,
        F::Priority => incident.priority.is_some() || incident.source_priority.is_some(),
        F::Scores => !incident.scores.is_empty(),
        F::Status => incident.status != IncidentStatus::Other,
        F::Resolution => incident.resolution.is_some(),
        F::Detection => incident.detection.is_some() || incident.source_detection.is_some(),
        F::Origins => !incident.origins.is_empty(),
        F::Categories => !incident.categories.is_empty(),
        F::Owners => !incident.owners.is_empty(),
        F::CreatedBy => incident.created_by.is_some(),
        F::Assets => !incident.assets.is_empty() || detail(&|d| d.assets.as_ref().is_some_and(|all| !all.is_empty())),
        F::Threats => !incident.threats.is_empty(),
        F::Evidence => detail(&|d| d.evidence.as_ref().is_some_and(|all| !all.is_empty())),
        F::Comments => detail(&|d| d.comments.as_ref().is_some_and(|all| !all.is_empty())),
        F::Activity => detail(&|d| d.activity.as_ref().is_some_and(|all| !all.is_empty())),
        F::Tags => !incident.tags.is_empty(),
        F::OriginalTags => !incident.original_tags.is_empty(),
        F::Qualifications => !incident.qualifications.is_empty(),
        F::Entities => !incident.entities.is_empty(),
        F::RelatedRecords => !incident.related_records.is_empty(),
        F::Scope => incident.scope.is_some(),
        F::AlertCounts => incident.alert_counts.is_some(),
        F::HostCount => incident.host_count.is_some(),
        F::UserCount => incident.user_count.is_some(),
        F::Exposure => exposure.is_some(),
        F::CloudManagement => exposure.is_some_and(|exposure| exposure.cloud_management.is_some()),
        F::CloudIntegration => exposure.is_some_and(|exposure| exposure.cloud_integration.is_some()),
        _ => false,
    }
}

/// Which details can be asked for. Assets are one only where rows do not tell them in full.
pub(super) async fn parts(bench: &Bench) -> DetailParts {
    let capabilities = bench.capabilities().await;
    let apart: BTreeSet<bool> = bench.all().await.iter().map(|incident| incident.assets_apart).collect();
    assert!(apart.len() < 2, "a source tells assets in one way");
    DetailParts {
        comments: capabilities.read_comments,
        activity: capabilities.history,
        evidence: capabilities.read.contains(&IncidentField::Evidence),
        assets: apart.contains(&true),
        delete_preview: capabilities.delete_preview,
    }
}

/// The fields that any of these incidents tells.
async fn told(bench: &Bench, all: &[Arc<Incident>]) -> BTreeSet<IncidentField> {
    let mut ids: Vec<NativeId> = all.iter().map(|incident| incident.key.native.clone()).collect();
    ids.sort();
    let request = DetailRequest { parts: parts(bench).await, incidents: ids, want: PLAIN };
    let details = bench.source.details(&call(), &request).await.unwrap();
    let details: std::collections::HashMap<_, _> = details.items.into_iter().collect();
    let fields = IncidentField::WORDS.iter().map(|word| word.value);
    let is_told =
        |field: &IncidentField| all.iter().any(|incident| tells(incident, details.get(&incident.key.native), *field));
    fields.filter(is_told).collect()
}

pub(super) async fn fields_that_are_filled_are_declared(subject: &Subject) {
    let bench = Bench::start(subject, 100).await;
    let declared: BTreeSet<IncidentField> = bench.capabilities().await.read.iter().copied().collect();
    let undeclared: Vec<IncidentField> =
        told(&bench, &bench.all().await).await.difference(&declared).copied().collect();
    assert_eq!(undeclared, [], "filled, and not declared");
}

pub(super) async fn fields_that_are_declared_are_filled(subject: &Subject) {
    let bench = Bench::start(subject, 100).await;
    let declared: BTreeSet<IncidentField> = bench.capabilities().await.read.iter().copied().collect();
    assert_eq!(declared.len(), bench.capabilities().await.read.len(), "each once");
    let missing: Vec<IncidentField> = declared.difference(&told(&bench, &bench.all().await).await).copied().collect();
    assert_eq!(missing, [], "declared, and nowhere filled");
}

pub(super) async fn words_are_among_the_declared(subject: &Subject) {
    let bench = Bench::start(subject, 120).await;
    let capabilities = bench.capabilities().await;
    let severities: BTreeSet<Severity> = capabilities.severities.iter().map(|known| known.severity).collect();
    let statuses: BTreeSet<IncidentStatus> = capabilities.statuses.iter().map(|known| known.status).collect();
    assert_eq!(severities.len(), capabilities.severities.len(), "each once");
    assert_eq!(statuses.len(), capabilities.statuses.len(), "each once");
    for incident in bench.all().await {
        assert!(
            severities.contains(&incident.severity),
            "{:?}: a filter on it would skip this source",
            incident.severity
        );
        assert!(statuses.contains(&incident.status), "{:?}: a filter on it would skip this source", incident.status);
        assert!(incident.detection.is_none_or(|detection| capabilities.detections.contains(&detection)));
        // The word that is declared for a meaning has that meaning.
        for known in capabilities.severities.iter().filter(|known| !known.word.is_empty()) {
            let same = incident.source_severity.as_deref() == Some(known.word);
            assert!(!same || incident.severity == known.severity, "{known:?}");
        }
        for known in capabilities.statuses.iter().filter(|known| !known.word.is_empty()) {
            let same = incident.source_status.as_deref() == Some(known.word);
            assert!(!same || incident.status == known.status, "{known:?}");
        }
    }
}

/// Declared fields that a vendor's answers tell, as the tables of fields list them: without those that the gateway makes.
pub(super) fn told_by_rows(declared: &BTreeSet<IncidentField>) -> impl Iterator<Item = IncidentField> {
    // An address in the vendor's pages that is made from the configured one.
    declared.iter().copied().filter(|field| *field != IncidentField::Url)
}
