//! The fields of an incident by name, as capabilities, changes, orders and reports name them.

use super::vocabulary::vocabulary;

vocabulary! {
    /// A field of an incident, as `capabilities`, `changes` and reports name it.
    pub enum IncidentField {
        /// `id` and `sourceId`.
        Id = "ID",
        /// `reference`.
        Reference = "REFERENCE",
        /// `externalReference`.
        ExternalReference = "EXTERNAL_REFERENCE",
        /// `title`.
        Title = "TITLE",
        /// `description`.
        Description = "DESCRIPTION",
        /// `computedDescription`.
        ComputedDescription = "COMPUTED_DESCRIPTION",
        /// `notes`.
        Notes = "NOTES",
        /// The free-text search.
        Text = "TEXT",
        /// `severity`.
        Severity = "SEVERITY",
        /// `severityReasoning`.
        SeverityReasoning = "SEVERITY_REASONING",
        /// `priority`.
        Priority = "PRIORITY",
        /// `scores`.
        Scores = "SCORES",
        /// `status`.
        Status = "STATUS",
        /// `phase`.
        Phase = "PHASE",
        /// `resolution`.
        Resolution = "RESOLUTION",
        /// `resolutionComment`.
        ResolutionComment = "RESOLUTION_COMMENT",
        /// `detection`.
        Detection = "DETECTION",
        /// `origins`.
        Origins = "ORIGINS",
        /// `categories`.
        Categories = "CATEGORIES",
        /// `createdManually`.
        CreatedManually = "CREATED_MANUALLY",
        /// `published`.
        Published = "PUBLISHED",
        /// `starred`.
        Starred = "STARRED",
        /// `blocked`.
        Blocked = "BLOCKED",
        /// `alertGroupingEnabled`.
        AlertGrouping = "ALERT_GROUPING",
        /// `continuityPlanActivated`.
        ContinuityPlan = "CONTINUITY_PLAN",
        /// `url`.
        Url = "URL",
        /// `link`.
        Link = "LINK",
        /// `createdAt`.
        CreatedAt = "CREATED_AT",
        /// `updatedAt`.
        UpdatedAt = "UPDATED_AT",
        /// `occurredAt`.
        OccurredAt = "OCCURRED_AT",
        /// `detectedAt`.
        DetectedAt = "DETECTED_AT",
        /// `reportedAt`.
        ReportedAt = "REPORTED_AT",
        /// `respondedAt`.
        RespondedAt = "RESPONDED_AT",
        /// `containedAt`.
        ContainedAt = "CONTAINED_AT",
        /// `resolvedAt`.
        ResolvedAt = "RESOLVED_AT",
        /// `statusChangedAt`.
        StatusChangedAt = "STATUS_CHANGED_AT",
        /// `dueAt`.
        DueAt = "DUE_AT",
        /// `firstEventAt`.
        FirstEventAt = "FIRST_EVENT_AT",
        /// `lastEventAt`.
        LastEventAt = "LAST_EVENT_AT",
        /// `owners`.
        Owners = "OWNERS",
        /// `createdBy`.
        CreatedBy = "CREATED_BY",
        /// `assets`.
        Assets = "ASSETS",
        /// `threats`.
        Threats = "THREATS",
        /// `evidence`.
        Evidence = "EVIDENCE",
        /// `comments`.
        Comments = "COMMENTS",
        /// `activity`.
        Activity = "ACTIVITY",
        /// `tags`.
        Tags = "TAGS",
        /// `originalTags`.
        OriginalTags = "ORIGINAL_TAGS",
        /// `qualifications`.
        Qualifications = "QUALIFICATIONS",
        /// `entities`.
        Entities = "ENTITIES",
        /// `relatedRecords`.
        RelatedRecords = "RELATED_RECORDS",
        /// `scope`.
        Scope = "SCOPE",
        /// `alertCounts`.
        AlertCounts = "ALERT_COUNTS",
        /// `hostCount`.
        HostCount = "HOST_COUNT",
        /// `userCount`.
        UserCount = "USER_COUNT",
        /// `exposure`.
        Exposure = "EXPOSURE",
        /// `exposure.cloudManagement`.
        CloudManagement = "CLOUD_MANAGEMENT",
        /// `exposure.cloudIntegration`.
        CloudIntegration = "CLOUD_INTEGRATION",
        /// None of these.
        Other = "OTHER",
    }

    /// What incidents can be ordered by.
    pub enum IncidentOrderField {
        /// When the source made the record. Does not move, so a walk neither repeats nor misses.
        CreatedAt = "CREATED_AT",
        /// When it was last changed. Moves during a walk: an incident changed meanwhile may repeat or be missed.
        UpdatedAt = "UPDATED_AT",
        /// When it began.
        OccurredAt = "OCCURRED_AT",
        /// When it became known.
        DetectedAt = "DETECTED_AT",
        /// When it was reported.
        ReportedAt = "REPORTED_AT",
        /// When it was resolved.
        ResolvedAt = "RESOLVED_AT",
        /// When it is due.
        DueAt = "DUE_AT",
        /// DESC = worst first; UNKNOWN is lowest.
        Severity = "SEVERITY",
        /// ASC = in the order of the enum.
        Status = "STATUS",
        /// By text, letter case ignored.
        Title = "TITLE",
        /// By text in which numbers compare as numbers, letter case ignored.
        Reference = "REFERENCE",
    }

    /// A time that months can be counted by.
    pub enum IncidentTimeField {
        /// When the source made the record.
        CreatedAt = "CREATED_AT",
        /// When it began.
        OccurredAt = "OCCURRED_AT",
        /// When it became known.
        DetectedAt = "DETECTED_AT",
        /// When it was reported.
        ReportedAt = "REPORTED_AT",
        /// When it was resolved.
        ResolvedAt = "RESOLVED_AT",
    }
}
