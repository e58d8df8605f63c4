//! The words of both sides for the same thing. Lists print `Critical` and `Open`, filters take `critical` and `open`
//! (published document); how lists print `in_progress` is not documented, so letter case, blanks and hyphens do not count.

use super::config::Grades;
use crate::domain::{ActivityKind, AssetRole, EvidenceKind, EvidenceOrigin, IncidentStatus, Severity};

/// Severities as filters take them and as lists print them, worst first.
pub(super) const SEVERITIES: [(&str, &str); 3] =
    [("critical", "Critical"), ("trouble", "Trouble"), ("attention", "Attention")];

/// Statuses as filters take them and as lists print them.
pub(super) const STATUSES: [(IncidentStatus, &str, &str); 3] = [
    (IncidentStatus::New, "open", "Open"),
    (IncidentStatus::InProgress, "in_progress", "In Progress"),
    (IncidentStatus::Closed, "closed", "Closed"),
];

/// A user name that stands for none (published document, `username` of a log record).
pub(super) const NO_USER: &str = "n/a";

/// A word as it is compared.
pub(super) fn plain(word: &str) -> String {
    word.trim().to_lowercase().replace([' ', '-'], "_")
}

/// What a severity of the server means, by configuration for two of the three.
pub(super) fn severity(word: &str, grades: Grades) -> Option<Severity> {
    let word = plain(word);
    let place = SEVERITIES.iter().position(|(code, _)| *code == word)?;
    Some(grades.severities()[place])
}

/// The word that the filter takes for a severity of ours.
pub(super) fn severity_code(severity: Severity, grades: Grades) -> Option<&'static str> {
    let place = grades.severities().iter().position(|other| *other == severity)?;
    Some(SEVERITIES[place].0)
}

pub(super) fn status(word: &str) -> Option<IncidentStatus> {
    let word = plain(word);
    STATUSES.iter().find(|(_, code, _)| *code == word).map(|(status, ..)| *status)
}

pub(super) fn status_code(status: IncidentStatus) -> Option<&'static str> {
    STATUSES.iter().find(|(other, ..)| *other == status).map(|(_, code, _)| *code)
}

/// Level of a log record. One is documented (`information`); the others are those of Windows and syslog, onto our scale.
pub(super) fn level(word: &str) -> Option<Severity> {
    Some(match plain(word).as_str() {
        "emergency" | "alert" | "critical" => Severity::Critical,
        "error" | "failure" => Severity::High,
        "warning" => Severity::Medium,
        "notice" => Severity::Low,
        "information" | "informational" | "info" | "debug" | "success" => Severity::Informational,
        _ => return None,
    })
}

/// The part of an actor in an incident. Two are documented.
pub(super) fn role(word: &str) -> Option<AssetRole> {
    Some(match plain(word).as_str() {
        "entity" => AssetRole::Affected,
        "suspect" => AssetRole::Suspect,
        _ => return None,
    })
}

/// How evidence was found: one is documented in answers, the other two where evidence is added.
pub(super) fn origin(word: &str) -> Option<EvidenceOrigin> {
    Some(match plain(word).as_str() {
        "search" => EvidenceOrigin::Search,
        "report" => EvidenceOrigin::Report,
        "alert" => EvidenceOrigin::Alert,
        _ => return None,
    })
}

pub(super) fn evidence(word: &str) -> Option<EvidenceKind> {
    (plain(word) == "log").then_some(EvidenceKind::LogEvent)
}

pub(super) fn activity(word: &str) -> Option<ActivityKind> {
    Some(match plain(word).as_str() {
        "incident_created" => ActivityKind::Created,
        "incident_updated" => ActivityKind::Updated,
        "incident_notes_added" => ActivityKind::Commented,
        _ => return None,
    })
}
