//! The smaller vocabularies: kinds of records, roles, formats, the state of a source.

use super::vocabulary::vocabulary;

vocabulary! {
    /// The product that a source runs.
    pub enum SourceKind {
        /// CISO Assistant.
        CisoAssistant = "CISO_ASSISTANT",
        /// ManageEngine EventLog Analyzer.
        EventlogAnalyzer = "EVENTLOG_ANALYZER",
        /// Adversarial.
        Adversarial = "ADVERSARIAL",
        /// Kaspersky XDR.
        KasperskyXdr = "KASPERSKY_XDR",
        /// Cortex Xpanse.
        CortexXpanse = "CORTEX_XPANSE",
    }

    /// How a source answered.
    pub enum SourceStatus {
        /// It answered.
        Ok = "OK",
        /// Answered from what was remembered, since the source is not there.
        Stale = "STALE",
        /// No answer in time.
        Timeout = "TIMEOUT",
        /// It refused the gateway's credential.
        Unauthenticated = "UNAUTHENTICATED",
        /// The gateway's account may not read this.
        Forbidden = "FORBIDDEN",
        /// Its quota is used up.
        RateLimited = "RATE_LIMITED",
        /// It cannot be reached, or answers with a failure of its own.
        Unavailable = "UNAVAILABLE",
        /// Its answer breaks its documented shape.
        Malformed = "MALFORMED",
        /// It was not asked; `skippedReason` says why.
        Skipped = "SKIPPED",
    }

    /// Whether the gateway sends requests to a source.
    pub enum CircuitState {
        /// Requests go through.
        Closed = "CLOSED",
        /// One request tries whether the source is back.
        HalfOpen = "HALF_OPEN",
        /// Requests are refused without being sent.
        Open = "OPEN",
    }

    /// Who noticed an incident.
    pub enum Detection {
        /// Our own side.
        Internal = "INTERNAL",
        /// An outsider.
        External = "EXTERNAL",
        /// A word of the source that is neither (see `sourceDetection`).
        Other = "OTHER",
    }

    /// What a score rests on.
    pub enum ScoreKind {
        /// The source's own estimate of risk.
        Risk = "RISK",
        /// Rules that people made.
        RuleBased = "RULE_BASED",
        /// Set by a person.
        Manual = "MANUAL",
        /// The source's sum of the others.
        Aggregated = "AGGREGATED",
        /// None of these.
        Other = "OTHER",
    }

    /// Whether the organisation's cloud accounts manage what is exposed.
    pub enum CloudManagement {
        /// It is managed.
        Managed = "MANAGED",
        /// It is not.
        Unmanaged = "UNMANAGED",
        /// Not in a cloud.
        NotApplicable = "NOT_APPLICABLE",
        /// A word of the source that is none of these.
        Other = "OTHER",
    }

    /// What an owner is.
    pub enum OwnerKind {
        /// One person.
        User = "USER",
        /// Several people.
        Team = "TEAM",
        /// A third party or an organisation.
        Organization = "ORGANIZATION",
        /// A program.
        ServiceAccount = "SERVICE_ACCOUNT",
        /// The source does not tell.
        Unknown = "UNKNOWN",
    }

    /// What an asset is.
    pub enum AssetKind {
        /// A process or information that the organisation lives from.
        Primary = "PRIMARY",
        /// What primary assets rest on.
        Supporting = "SUPPORTING",
        /// A computer or device.
        Host = "HOST",
        /// An account of a person.
        UserAccount = "USER_ACCOUNT",
        /// A network service.
        Service = "SERVICE",
        /// A website.
        Website = "WEBSITE",
        /// One address.
        IpAddress = "IP_ADDRESS",
        /// A range of addresses.
        IpRange = "IP_RANGE",
        /// A domain name.
        Domain = "DOMAIN",
        /// A certificate.
        Certificate = "CERTIFICATE",
        /// None of these (see `sourceType`).
        Other = "OTHER",
    }

    /// What an asset has to do with an incident.
    pub enum AssetRole {
        /// It is touched by the incident.
        Affected = "AFFECTED",
        /// It was attacked.
        Victim = "VICTIM",
        /// The attack came from it.
        Attacker = "ATTACKER",
        /// It may have taken part.
        Suspect = "SUSPECT",
        /// A role in the source's words (see `sourceRoles`).
        Other = "OTHER",
    }

    /// What a threat is.
    pub enum ThreatKind {
        /// From the source's own threat library.
        Catalogued = "CATALOGUED",
        /// A tactic of MITRE ATT&CK.
        Tactic = "TACTIC",
        /// A technique of MITRE ATT&CK.
        Technique = "TECHNIQUE",
        /// A published vulnerability.
        Vulnerability = "VULNERABILITY",
        /// What the attacker was after.
        Objective = "OBJECTIVE",
        /// A risk factor that the source computed.
        Risk = "RISK",
    }

    /// What a piece of evidence is.
    pub enum EvidenceKind {
        /// An event from a log.
        LogEvent = "LOG_EVENT",
        /// An alert of the source.
        Alert = "ALERT",
        /// An address, a hash, a name that was seen.
        Observable = "OBSERVABLE",
        /// A connection that was seen.
        NetworkArtifact = "NETWORK_ARTIFACT",
        /// A file that was seen.
        FileArtifact = "FILE_ARTIFACT",
        /// A document that people added.
        Document = "DOCUMENT",
        /// The rule that raised it.
        Rule = "RULE",
        /// None of these (see `sourceType`).
        Other = "OTHER",
    }

    /// With which kind of query evidence was found.
    pub enum EvidenceOrigin {
        /// A search.
        Search = "SEARCH",
        /// A report.
        Report = "REPORT",
        /// An alert.
        Alert = "ALERT",
        /// Another way.
        Other = "OTHER",
    }

    /// What a comment tells.
    pub enum CommentKind {
        /// A remark; also where the source has no kinds.
        Note = "NOTE",
        /// Something that was seen.
        Observation = "OBSERVATION",
        /// How it was found.
        Detection = "DETECTION",
        /// What was done against it.
        Mitigation = "MITIGATION",
        /// A word of the source that is none of these (see `sourceType`).
        Other = "OTHER",
    }

    /// What happened to an incident.
    pub enum ActivityKind {
        /// It was made.
        Created = "CREATED",
        /// Something of it was changed.
        Updated = "UPDATED",
        /// It got another status.
        StatusChanged = "STATUS_CHANGED",
        /// It got another severity.
        SeverityChanged = "SEVERITY_CHANGED",
        /// It got other owners.
        Assigned = "ASSIGNED",
        /// Somebody wrote a comment.
        Commented = "COMMENTED",
        /// Evidence was added.
        EvidenceAdded = "EVIDENCE_ADDED",
        /// None of these (see `sourceType`).
        Other = "OTHER",
    }

    /// What a term is a word for.
    pub enum TermKind {
        /// A qualification of incidents.
        Qualification = "QUALIFICATION",
        /// A value that `origin` accepts.
        Origin = "ORIGIN",
        /// What a risk factor shows in.
        IssueType = "ISSUE_TYPE",
    }

    /// What a related record is.
    pub enum RelatedRecordKind {
        /// A third party.
        Entity = "ENTITY",
        /// A risk scenario or risk.
        Risk = "RISK",
        /// A control that was applied.
        Control = "CONTROL",
        /// A task or its template.
        Task = "TASK",
        /// None of these.
        Other = "OTHER",
    }

    /// What a scope is.
    pub enum ScopeKind {
        /// A folder of the source.
        Folder = "FOLDER",
        /// A tenant of the source.
        Tenant = "TENANT",
        /// An organisation.
        Organization = "ORGANIZATION",
    }

    /// How exact a count is.
    pub enum CountPrecision {
        /// It is the number.
        Exact = "EXACT",
        /// There are at least so many.
        LowerBound = "LOWER_BOUND",
        /// It cannot be told.
        Unknown = "UNKNOWN",
    }

    /// Format of a file that a source makes.
    pub enum ExportFormat {
        /// Comma-separated (or semicolon-separated) text.
        Csv = "CSV",
        /// A workbook of Excel.
        Xlsx = "XLSX",
        /// Markdown text.
        Markdown = "MARKDOWN",
        /// A PDF document.
        Pdf = "PDF",
    }

    /// An action that a source does for many incidents in one call.
    pub enum BatchKind {
        /// Set fields.
        Update = "UPDATE",
        /// Add links.
        AddLinks = "ADD_LINKS",
        /// Remove links.
        RemoveLinks = "REMOVE_LINKS",
        /// Add a comment.
        Comment = "COMMENT",
        /// Delete.
        Delete = "DELETE",
    }

    /// How the caller was recognised.
    pub enum ViewerKind {
        /// Not at all; the gateway is open to whoever reaches it.
        Anonymous = "ANONYMOUS",
        /// By an API key.
        ApiKey = "API_KEY",
        /// As a user of the identity provider.
        User = "USER",
    }

    /// What a caller may do with a source.
    pub enum Permission {
        /// Read incidents and what they are tied to.
        Read = "READ",
        /// Create and change incidents.
        Write = "WRITE",
        /// Delete incidents.
        Delete = "DELETE",
        /// Change many incidents at once.
        Batch = "BATCH",
        /// Download tables and reports.
        Export = "EXPORT",
        /// Read records as received.
        Raw = "RAW",
        /// Read the audit log.
        Audit = "AUDIT",
        /// Operate the gateway.
        Admin = "ADMIN",
    }

    /// Which end of an order comes first. Nulls come last in both.
    pub enum OrderDirection {
        /// Smallest, earliest, first in the alphabet, least severe first.
        Asc = "ASC",
        /// Largest, latest, last in the alphabet, most severe first.
        Desc = "DESC",
    }
}
