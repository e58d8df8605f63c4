//! `Incident`: our unified record.
//!
//! `None` means that the source gave no value, or that it never gives one (its capabilities say which). What a
//! source gives only on another call (comments, activity, evidence) is not here but in [`super::detail`].

use super::{
    AssetKind, AssetRole, CloudManagement, Details, Detection, IncidentField, IncidentPhase, IncidentStatus, Key,
    Level, Link, RawJson, Record, RelatedRecordKind, Resolution, ScoreKind, Severity, SourceKind, ThreatKind,
};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Text of a record: never grown after it was read.
pub type Text = Box<str>;
/// A moment, in UTC.
pub type Time = DateTime<Utc>;

/// One incident as its source tells it, in our words.
#[derive(Clone, PartialEq, Debug)]
pub struct Incident {
    pub key: Key,
    pub source_kind: SourceKind,
    pub reference: Option<Text>,
    pub external_reference: Option<Text>,
    pub title: Option<Text>,
    pub description: Option<Text>,
    pub computed_description: Option<Text>,
    pub notes: Option<Text>,

    pub severity: Severity,
    pub source_severity: Option<Text>,
    pub computed_severity: Option<Severity>,
    pub manual_severity: Option<Severity>,
    pub severity_reasoning: Option<Text>,
    pub priority: Option<Level>,
    pub source_priority: Option<Text>,
    pub scores: Vec<Score>,
    pub status: IncidentStatus,
    pub source_status: Option<Text>,
    pub resolution: Option<Resolution>,
    pub source_resolution: Option<Text>,
    pub resolution_comment: Option<Text>,
    pub detection: Option<Detection>,
    pub source_detection: Option<Text>,
    pub origins: Vec<Text>,
    pub categories: Vec<Text>,
    pub created_manually: Option<bool>,
    pub published: Option<bool>,
    pub starred: Option<bool>,
    pub starred_manually: Option<bool>,
    pub blocked: Option<bool>,
    pub alert_grouping_enabled: Option<bool>,
    pub continuity_plan_activated: Option<bool>,
    pub url: Option<Text>,
    pub link: Option<Text>,

    pub created_at: Option<Time>,
    pub updated_at: Option<Time>,
    pub occurred_at: Option<Time>,
    pub detected_at: Option<Time>,
    pub reported_at: Option<Time>,
    pub responded_at: Option<Time>,
    pub contained_at: Option<Time>,
    pub resolved_at: Option<Time>,
    pub status_changed_at: Option<Time>,
    pub due_at: Option<Time>,
    pub first_event_at: Option<Time>,
    pub last_event_at: Option<Time>,

    pub owners: Vec<Link>,
    pub created_by: Option<Link>,
    pub assets: Vec<AssetLink>,
    pub threats: Vec<ThreatLink>,
    pub tags: Vec<Link>,
    pub original_tags: Vec<Link>,
    pub qualifications: Vec<Link>,
    pub entities: Vec<Link>,
    pub related_records: Vec<RelatedLink>,
    pub scope: Option<Link>,
    pub alert_counts: Option<AlertCounts>,
    /// How many comments it has, where the row tells it: nobody then has to read them to count them.
    pub comment_count: Option<u64>,
    pub host_count: Option<i32>,
    pub user_count: Option<i32>,
    pub exposure: Option<Box<Exposure>>,
    /// Members that the source hides, by the field that they stand in.
    pub hidden_links: Vec<HiddenLinks>,
    /// The source tells assets, or all of each, only by a call per incident ([`super::DetailPart::Assets`]); `assets` then
    /// holds what the row told, for filters.
    pub assets_apart: bool,
    /// Details that the row told already: what is there needs no other call.
    pub told: Option<Arc<Details>>,
    /// Records that the row told in full, beside their links: who, which hosts, which vulnerabilities.
    pub embedded: Vec<Record>,
    /// The record as received; only where it was asked for.
    pub raw: Option<RawJson>,
}

impl Incident {
    /// An incident of which nothing but its key is known.
    #[expect(clippy::too_many_lines, reason = "one line for each field")]
    pub fn new(key: Key, source_kind: SourceKind) -> Self {
        Incident {
            key,
            source_kind,
            reference: None,
            external_reference: None,
            title: None,
            description: None,
            computed_description: None,
            notes: None,
            severity: Severity::Unknown,
            source_severity: None,
            computed_severity: None,
            manual_severity: None,
            severity_reasoning: None,
            priority: None,
            source_priority: None,
            scores: Vec::new(),
            status: IncidentStatus::Other,
            source_status: None,
            resolution: None,
            source_resolution: None,
            resolution_comment: None,
            detection: None,
            source_detection: None,
            origins: Vec::new(),
            categories: Vec::new(),
            created_manually: None,
            published: None,
            starred: None,
            starred_manually: None,
            blocked: None,
            alert_grouping_enabled: None,
            continuity_plan_activated: None,
            url: None,
            link: None,
            created_at: None,
            updated_at: None,
            occurred_at: None,
            detected_at: None,
            reported_at: None,
            responded_at: None,
            contained_at: None,
            resolved_at: None,
            status_changed_at: None,
            due_at: None,
            first_event_at: None,
            last_event_at: None,
            owners: Vec::new(),
            created_by: None,
            assets: Vec::new(),
            threats: Vec::new(),
            tags: Vec::new(),
            original_tags: Vec::new(),
            qualifications: Vec::new(),
            entities: Vec::new(),
            related_records: Vec::new(),
            scope: None,
            alert_counts: None,
            comment_count: None,
            host_count: None,
            user_count: None,
            exposure: None,
            hidden_links: Vec::new(),
            assets_apart: false,
            told: None,
            embedded: Vec::new(),
            raw: None,
        }
    }

    /// Nobody owns it. Owners that the source hides are owners all the same.
    pub fn unassigned(&self) -> bool {
        let hidden = self.hidden_links.iter().any(|hidden| hidden.field == IncidentField::Owners && hidden.count > 0);
        self.owners.is_empty() && !hidden
    }

    pub fn phase(&self) -> IncidentPhase {
        self.status.phase()
    }
}

/// A related record and what it is.
#[derive(Clone, PartialEq, Debug)]
pub struct RelatedLink {
    pub record: Link,
    pub kind: RelatedRecordKind,
    /// Whether the source gives the record by its id. Where not, the link is all that can be known of it.
    pub by_id: bool,
}

/// A number that says how bad, by the source's own measure.
#[derive(Clone, PartialEq, Debug)]
pub struct Score {
    pub kind: ScoreKind,
    pub name: Text,
    pub value: f64,
    pub version_matched: Option<bool>,
}

/// An asset and its part in the incident.
#[derive(Clone, PartialEq, Debug)]
pub struct AssetLink {
    pub asset: Link,
    /// What the asset is, where the incident itself tells it.
    pub kind: Option<AssetKind>,
    pub roles: Vec<AssetRole>,
    pub source_roles: Vec<Text>,
}

/// A threat and how it concerns the incident.
#[derive(Clone, PartialEq, Debug)]
pub struct ThreatLink {
    pub threat: Link,
    /// What the threat is, where the incident itself tells it.
    pub kind: Option<ThreatKind>,
    pub relevance: Option<Text>,
    pub linked_at: Option<Time>,
    pub match_type: Option<Text>,
    pub confidence: Option<Text>,
    pub issue_types: Vec<Link>,
}

impl ThreatLink {
    /// A link of which nothing but the threat is known.
    pub fn new(threat: Link) -> Self {
        ThreatLink {
            threat,
            kind: None,
            relevance: None,
            linked_at: None,
            match_type: None,
            confidence: None,
            issue_types: vec![],
        }
    }
}

/// Number of alerts behind an incident; `total` may exceed the sum.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AlertCounts {
    pub total: Option<i32>,
    pub critical: Option<i32>,
    pub high: Option<i32>,
    pub medium: Option<i32>,
    pub low: Option<i32>,
}

/// Where an incident shows on the internet.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Exposure {
    pub port: Option<i32>,
    pub cloud_providers: Vec<Text>,
    pub cloud_management: Option<CloudManagement>,
    pub source_cloud_management: Option<Text>,
    pub cloud_integration: Option<Text>,
    pub country_codes: Vec<Text>,
    pub certificate_issuers: Vec<Text>,
}

/// How many members of a set the source hides from this caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HiddenLinks {
    pub field: IncidentField,
    pub count: i32,
}
