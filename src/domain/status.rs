//! Where an incident stands: status, the phase derived from it, and how it ended.

use super::vocabulary::vocabulary;

vocabulary! {
    /// Where an incident stands, in the order of a life. OTHER is never writable.
    pub enum IncidentStatus {
        /// Nobody has begun with it.
        New = "NEW",
        /// Somebody works on it.
        InProgress = "IN_PROGRESS",
        /// Work on it is paused.
        OnHold = "ON_HOLD",
        /// Work is done and is being checked.
        Review = "REVIEW",
        /// Solved, though perhaps not yet closed.
        Resolved = "RESOLVED",
        /// Closed.
        Closed = "CLOSED",
        /// Put aside as not worth work.
        Dismissed = "DISMISSED",
        /// A word of the source that is none of these (see `sourceStatus`).
        Other = "OTHER",
    }

    /// The two halves of a life, derived from the status.
    pub enum IncidentPhase {
        /// Everything that is not done, OTHER too.
        Open = "OPEN",
        /// RESOLVED, CLOSED or DISMISSED.
        Done = "DONE",
    }

    /// How an incident ended.
    pub enum Resolution {
        /// It was real.
        TruePositive = "TRUE_POSITIVE",
        /// It was none.
        FalsePositive = "FALSE_POSITIVE",
        /// Real, but not worth more work.
        LowPriority = "LOW_PRIORITY",
        /// It goes on in another incident.
        Merged = "MERGED",
        /// Another incident tells the same.
        Duplicate = "DUPLICATE",
        /// What raised it is no longer seen.
        NoLongerObserved = "NO_LONGER_OBSERVED",
        /// It bears no risk.
        NoRisk = "NO_RISK",
        /// The risk was accepted.
        RiskAccepted = "RISK_ACCEPTED",
        /// The asset is said to be somebody else's.
        ContestedAsset = "CONTESTED_ASSET",
        /// Mended without a person.
        RemediatedAutomatically = "REMEDIATED_AUTOMATICALLY",
        /// Caused by a test of our own.
        SecurityTesting = "SECURITY_TESTING",
        /// Known already.
        KnownIssue = "KNOWN_ISSUE",
        /// The threat was dealt with.
        ThreatHandled = "THREAT_HANDLED",
        /// A word of the source that is none of these (see `sourceResolution`).
        Other = "OTHER",
    }
}

impl IncidentStatus {
    /// The half of a life that this status belongs to.
    pub fn phase(self) -> IncidentPhase {
        match self {
            IncidentStatus::Resolved | IncidentStatus::Closed | IncidentStatus::Dismissed => IncidentPhase::Done,
            IncidentStatus::New
            | IncidentStatus::InProgress
            | IncidentStatus::OnHold
            | IncidentStatus::Review
            | IncidentStatus::Other => IncidentPhase::Open,
        }
    }
}
