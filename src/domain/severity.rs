//! How bad: the unified severity, worst first.

use super::vocabulary::vocabulary;

vocabulary! {
    /// How bad an incident is, worst first.
    /// Injective per source, so that what was read can be written back unchanged.
    pub enum Severity {
        /// The worst that the source knows.
        Critical = "CRITICAL",
        /// Second to critical.
        High = "HIGH",
        /// In the middle of the scale.
        Medium = "MEDIUM",
        /// Between medium and low, where a source has five grades.
        Minor = "MINOR",
        /// The lowest grade of a real incident.
        Low = "LOW",
        /// For information only.
        Informational = "INFORMATIONAL",
        /// Not graded, or in a word that this gateway does not know (see `sourceSeverity`).
        Unknown = "UNKNOWN",
    }

    /// A grade of priority or criticality.
    pub enum Level {
        /// The highest grade.
        Critical = "CRITICAL",
        /// A high grade.
        High = "HIGH",
        /// A grade in the middle.
        Medium = "MEDIUM",
        /// The lowest grade.
        Low = "LOW",
        /// A word of the source that is none of these.
        Other = "OTHER",
    }
}
