//! The words of closed sets, and what they mean. Letter case never counts: three vocabularies of statuses were seen.

use crate::domain::{CloudManagement, IncidentStatus, Resolution, Severity, Text};

/// Severities (`severity`, `manual_severity`), from the worst down.
pub(super) const SEVERITIES: [(Severity, &str); 5] = [
    (Severity::Critical, "critical"),
    (Severity::High, "high"),
    (Severity::Medium, "medium"),
    (Severity::Low, "low"),
    (Severity::Informational, "informational"),
];

/// Statuses as the filter takes them; rows have more words for the last one.
pub(super) const STATUSES: [(IncidentStatus, &str); 3] = [
    (IncidentStatus::New, "new"),
    (IncidentStatus::InProgress, "under_investigation"),
    (IncidentStatus::Resolved, "resolved"),
];

/// `cloud_management_status`, in rows and in the filter.
pub(super) const CLOUD_MANAGEMENTS: [(CloudManagement, &str); 3] = [
    (CloudManagement::Managed, "Managed Cloud"),
    (CloudManagement::Unmanaged, "Unmanaged Cloud"),
    (CloudManagement::NotApplicable, "Not Applicable"),
];

/// The words that the filter on `integration_source` takes.
pub(super) const INTEGRATIONS: [&str; 4] = ["AWS", "AZURE", "GOOGLE", "PRISMA_CLOUD"];

/// What may follow `resolved_-_` or `RESOLVED_`.
const RESOLUTIONS: [(Resolution, &str); 13] = [
    (Resolution::NoLongerObserved, "no_longer_observed"),
    (Resolution::NoRisk, "no_risk"),
    (Resolution::RiskAccepted, "risk_accepted"),
    (Resolution::ContestedAsset, "contested_asset"),
    (Resolution::RemediatedAutomatically, "remediated_automatically"),
    (Resolution::TruePositive, "true_positive"),
    (Resolution::FalsePositive, "false_positive"),
    (Resolution::Duplicate, "duplicate"),
    (Resolution::Duplicate, "duplicate_incident"),
    (Resolution::SecurityTesting, "security_testing"),
    (Resolution::KnownIssue, "known_issue"),
    (Resolution::ThreatHandled, "threat_handled"),
    (Resolution::Other, "other"),
];

/// What a word of a table means; none for one that is not in it.
pub(super) fn meaning<T: Copy>(table: &[(T, &str)], word: &str) -> Option<T> {
    table.iter().find(|(_, known)| known.eq_ignore_ascii_case(word.trim())).map(|(value, _)| *value)
}

/// A status taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    pub(super) status: IncidentStatus,
    pub(super) resolution: Option<Resolution>,
    /// The part of the word that tells the resolution, as received.
    pub(super) source_resolution: Option<Text>,
    /// Whether every part is a word that we know.
    pub(super) known: bool,
}

/// Reads `under_investigation`, `resolved_-_no_risk`, `RESOLVED_DUPLICATE`, and alerts' `STATUS_070_RESOLVED_OTHER`.
pub(super) fn standing(word: &str) -> Standing {
    let word = without_number(word.trim());
    let plain = |status, known| Standing { status, resolution: None, source_resolution: None, known };
    let tail = match word.split_at_checked("resolved".len()) {
        Some((head, tail)) if head.eq_ignore_ascii_case("resolved") => tail,
        _ => match meaning(&STATUSES, word) {
            Some(status) => return plain(status, true),
            None => return plain(IncidentStatus::Other, false),
        },
    };
    let suffix = tail.trim_start_matches(['_', '-', ' ']);
    if suffix.is_empty() {
        return plain(IncidentStatus::Resolved, true);
    }
    if suffix.len() == tail.len() {
        // One word with something grown onto it (`resolvedness`) is none of ours.
        return plain(IncidentStatus::Other, false);
    }
    let resolution = meaning(&RESOLUTIONS, suffix);
    Standing {
        status: IncidentStatus::Resolved,
        resolution: Some(resolution.unwrap_or(Resolution::Other)),
        source_resolution: Some(suffix.into()),
        known: resolution.is_some(),
    }
}

/// The word without `STATUS_070_` before it.
fn without_number(word: &str) -> &str {
    let numbered = || {
        let (head, rest) = word.split_at_checked("STATUS_".len())?;
        let (number, rest) = rest.split_once('_')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (head.eq_ignore_ascii_case("STATUS_") && is_number).then_some(rest)
    };
    numbered().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use IncidentStatus as S;
    use Resolution as R;

    #[test]
    fn every_status_seen_is_taken_apart() {
        for (word, status, resolution, rest) in [
            ("new", S::New, None, None),
            ("NEW", S::New, None, None),
            ("STATUS_010_NEW", S::New, None, None),
            ("under_investigation", S::InProgress, None, None),
            ("STATUS_020_UNDER_INVESTIGATION", S::InProgress, None, None),
            ("resolved", S::Resolved, None, None),
            ("resolved_-_no_longer_observed", S::Resolved, Some(R::NoLongerObserved), Some("no_longer_observed")),
            ("resolved_-_no_risk", S::Resolved, Some(R::NoRisk), Some("no_risk")),
            ("resolved_-_risk_accepted", S::Resolved, Some(R::RiskAccepted), Some("risk_accepted")),
            ("resolved_-_contested_asset", S::Resolved, Some(R::ContestedAsset), Some("contested_asset")),
            (
                "resolved_-_remediated_automatically",
                S::Resolved,
                Some(R::RemediatedAutomatically),
                Some("remediated_automatically"),
            ),
            ("RESOLVED_TRUE_POSITIVE", S::Resolved, Some(R::TruePositive), Some("TRUE_POSITIVE")),
            ("resolved_false_positive", S::Resolved, Some(R::FalsePositive), Some("false_positive")),
            ("RESOLVED_DUPLICATE", S::Resolved, Some(R::Duplicate), Some("DUPLICATE")),
            ("RESOLVED_SECURITY_TESTING", S::Resolved, Some(R::SecurityTesting), Some("SECURITY_TESTING")),
            ("RESOLVED_KNOWN_ISSUE", S::Resolved, Some(R::KnownIssue), Some("KNOWN_ISSUE")),
            ("RESOLVED_THREAT_HANDLED", S::Resolved, Some(R::ThreatHandled), Some("THREAT_HANDLED")),
            ("STATUS_070_RESOLVED_OTHER", S::Resolved, Some(R::Other), Some("OTHER")),
        ] {
            let expected = Standing { status, resolution, source_resolution: rest.map(Into::into), known: true };
            assert_eq!(standing(word), expected, "{word}");
        }
    }

    #[test]
    fn a_new_word_is_told_as_such() {
        let told = standing("resolved_-_by_magic");
        assert_eq!((told.status, told.resolution, told.known), (S::Resolved, Some(R::Other), false));
        assert_eq!(told.source_resolution.as_deref(), Some("by_magic"));
        for word in ["frozen", "", "resolvedness", "STATUS_x_NEW", "STATUS_", "ré"] {
            let told = standing(word);
            assert_eq!((told.status, told.resolution, told.known), (S::Other, None, false), "{word}");
        }
    }
}
