//! The words that both sides have for the same thing.

use crate::domain::{IncidentStatus, Severity};

/// Exact case, with the blank (published document).
pub(super) const STATUSES: [(IncidentStatus, &str); 4] = [
    (IncidentStatus::New, "New"),
    (IncidentStatus::InProgress, "In Progress"),
    (IncidentStatus::Review, "Review"),
    (IncidentStatus::Closed, "Closed"),
];

/// As filters and rows write them (the vendor's pages; the one on changes leaves them out). Null is no word: UNKNOWN.
pub(super) const SEVERITIES: [(Severity, &str); 5] = [
    (Severity::Critical, "SEV-1"),
    (Severity::High, "SEV-2"),
    (Severity::Medium, "SEV-3"),
    (Severity::Low, "SEV-4"),
    (Severity::Informational, "SEV-5"),
];

/// What an attacker may be after (published document).
pub(super) const OBJECTIVES: [&str; 6] =
    ["Sabotage", "Data Disclosure", "Extortion", "Customer Targeting", "Resource Hijacking", "Fraud"];

/// None for a word that no document has.
pub(super) fn status(word: &str) -> Option<IncidentStatus> {
    STATUSES.iter().find(|(_, known)| *known == word).map(|(status, _)| *status)
}

/// None for a word that no document has. The guide writes `SEV5` where the API writes `SEV-5`.
pub(super) fn severity(word: &str) -> Option<Severity> {
    let same = |known: &str| known == word || known.replace('-', "") == word;
    SEVERITIES.iter().find(|(_, known)| same(known)).map(|(severity, _)| *severity)
}
