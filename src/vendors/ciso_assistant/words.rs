//! The words that both sides have for the same thing: ours, the code that filters take, the label that rows show.
//!
//! Observed on v3.15.1 and v3.20.8; equal in both.

use crate::domain::{Detection, IncidentStatus, Severity};

/// A word of ours and the server's two words for it.
pub(super) struct Entry<T> {
    pub(super) value: T,
    /// As filters take it.
    pub(super) code: &'static str,
    /// As rows show it.
    pub(super) label: &'static str,
}

const fn entry<T>(value: T, code: &'static str, label: &'static str) -> Entry<T> {
    Entry { value, code, label }
}

pub(super) const SEVERITIES: [Entry<Severity>; 6] = [
    entry(Severity::Critical, "1", "Critical"),
    entry(Severity::High, "2", "Major"),
    entry(Severity::Medium, "3", "Moderate"),
    entry(Severity::Minor, "4", "Minor"),
    entry(Severity::Low, "5", "Low"),
    entry(Severity::Unknown, "6", "unknown"),
];

pub(super) const STATUSES: [Entry<IncidentStatus>; 5] = [
    entry(IncidentStatus::New, "new", "New"),
    entry(IncidentStatus::InProgress, "ongoing", "Ongoing"),
    entry(IncidentStatus::Resolved, "resolved", "Resolved"),
    entry(IncidentStatus::Closed, "closed", "Closed"),
    entry(IncidentStatus::Dismissed, "dismissed", "Dismissed"),
];

pub(super) const DETECTIONS: [Entry<Detection>; 2] = [
    entry(Detection::Internal, "internally_detected", "Internal"),
    entry(Detection::External, "externally_detected", "External"),
];

/// What a label means; none for a label that is in no release seen.
pub(super) fn meaning<T: Copy>(table: &[Entry<T>], label: &str) -> Option<T> {
    table.iter().find(|entry| entry.label == label).map(|entry| entry.value)
}

/// The codes of those of our words that the server knows, in the order of the table, each once.
pub(super) fn codes<T: PartialEq>(table: &[Entry<T>], values: &[T]) -> Vec<&'static str> {
    table.iter().filter(|entry| values.contains(&entry.value)).map(|entry| entry.code).collect()
}

/// `entry_type` of a change of status that the server noted by itself.
pub(super) const STATUS_CHANGED: &str = "status_changed";
/// `entry_type` of a change of severity that the server noted by itself.
pub(super) const SEVERITY_CHANGED: &str = "severity_changed";
