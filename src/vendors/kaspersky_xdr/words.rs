//! The words of the server's closed sets and what they mean. Letter case does not count: it differs from one of its
//! documents to the next.

use crate::domain::{ActivityKind, AssetKind, IncidentStatus, Level, Resolution, Severity};

/// `Severity` of incidents, alerts and rules.
pub(super) const SEVERITIES: [(&str, Severity); 4] =
    [("critical", Severity::Critical), ("high", Severity::High), ("medium", Severity::Medium), ("low", Severity::Low)];

/// `Priority` of incidents and `Weight` of hosts.
pub(super) const LEVELS: [(&str, Level); 4] =
    [("critical", Level::Critical), ("high", Level::High), ("medium", Level::Medium), ("low", Level::Low)];

/// `Status` as rows show it. Custom workflows (XDR 1.2 and later) may have others.
pub(super) const STATUSES: [(&str, IncidentStatus); 5] = [
    ("open", IncidentStatus::New),
    ("new", IncidentStatus::New),
    ("inProgress", IncidentStatus::InProgress),
    ("hold", IncidentStatus::OnHold),
    ("closed", IncidentStatus::Closed),
];

/// `status` as the list takes it: what rows show as `open` is asked for as `new`.
pub(super) const STATUS_FILTERS: [(&str, IncidentStatus); 4] = [
    ("new", IncidentStatus::New),
    ("inProgress", IncidentStatus::InProgress),
    ("hold", IncidentStatus::OnHold),
    ("closed", IncidentStatus::Closed),
];

/// `StatusResolution`; `merged` is never written.
pub(super) const RESOLUTIONS: [(&str, Resolution); 4] = [
    ("truePositive", Resolution::TruePositive),
    ("falsePositive", Resolution::FalsePositive),
    ("lowPriority", Resolution::LowPriority),
    ("merged", Resolution::Merged),
];

/// `SignOfCreation`: whether people made the incident.
pub(super) const CREATIONS: [(&str, bool); 2] = [("auto", false), ("manual", true)];

/// `Type` of assets. The document names `host`; payloads of accounts have `user`.
pub(super) const ASSET_KINDS: [(&str, AssetKind); 2] = [("host", AssetKind::Host), ("user", AssetKind::UserAccount)];

/// What a word means; none for a word that no document has.
pub(super) fn meaning<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(other, _)| other.eq_ignore_ascii_case(word)).map(|(_, value)| *value)
}

/// What a change of the history is. Of its words only `alertAssigned` is documented; others are understood by their
/// ending, and are else OTHER.
pub(super) fn activity(word: &str) -> ActivityKind {
    let word = word.to_ascii_lowercase();
    let endings = [
        ("statuschanged", ActivityKind::StatusChanged),
        ("severitychanged", ActivityKind::SeverityChanged),
        ("assigned", ActivityKind::Assigned),
        ("created", ActivityKind::Created),
        ("updated", ActivityKind::Updated),
        ("changed", ActivityKind::Updated),
    ];
    endings.into_iter().find(|(ending, _)| word.ends_with(ending)).map_or(ActivityKind::Other, |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_and_open_are_one_and_letter_case_does_not_count() {
        for word in ["open", "new", "New", "OPEN"] {
            assert_eq!(meaning(&STATUSES, word), Some(IncidentStatus::New), "{word}");
        }
        assert_eq!(meaning(&STATUSES, "InProgress"), Some(IncidentStatus::InProgress));
        assert_eq!(meaning(&STATUSES, "Escalated"), None);
        assert!(STATUS_FILTERS.iter().all(|(word, status)| meaning(&STATUSES, word) == Some(*status)));
        assert!(STATUS_FILTERS.iter().all(|(word, _)| *word != "open"), "the filter does not know it");
    }

    #[test]
    fn changes_are_known_by_their_ending() {
        assert_eq!(activity("alertAssigned"), ActivityKind::Assigned);
        assert_eq!(activity("incidentStatusChanged"), ActivityKind::StatusChanged);
        assert_eq!(activity("incidentCreated"), ActivityKind::Created);
        assert_eq!(activity("playbookLaunched"), ActivityKind::Other);
    }
}
