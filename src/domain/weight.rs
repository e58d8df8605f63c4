//! How much memory a record takes, and how it takes less: for whoever keeps many and promises a bound.
//!
//! An estimate of what is on the heap: lengths instead of what an allocator rounds them to, and text that several records
//! share counted for each. Every field is named, so that a new one does not compile until it is weighed.

use super::{
    Activity, ActivityKind, AlertCounts, AlertDetails, Asset, AssetKind, AssetLink, AssetRole, Attachment,
    CascadeGroup, CascadePreview, CascadeRecord, CloudManagement, Comment, CommentKind, Details, Detection,
    DetectionRule, DirectoryAccount, EndpointProtection, Evidence, EvidenceKind, EvidenceLink, EvidenceOrigin,
    Exposure, FieldChange, HiddenLinks, Incident, IncidentField, IncidentStatus, IndustrialDevice, Key, Level, Link,
    LogEvent, NativeId, Observable, Owner, OwnerKind, OwnerProfile, Picture, Product, RawJson, Record, RelatedLink,
    RelatedRecord, RelatedRecordKind, Resolution, Scope, ScopeKind, Score, ScoreKind, Severity, SourceKind, Tag,
    TechnicalAsset, Term, TermKind, Threat, ThreatKind, ThreatLink, Time,
};
use chrono::NaiveDate;
use std::sync::Arc;

/// Two counters stand before what is shared.
const SHARED: usize = 16;

impl Incident {
    /// Bytes that it takes with all that it owns. The records embedded in it are left out: many incidents share them.
    pub fn weight(&self) -> usize {
        SHARED + size_of::<Self>() + self.heap()
    }

    /// Gives back the room for growth of all its lists, those of its embedded records too, unless others share them. Lists that
    /// were gathered one by one have room for four at least.
    pub fn shrink(&mut self) {
        Heap::shrink(self);
    }
}

impl Record {
    /// Bytes that it takes with all that it owns.
    pub fn weight(&self) -> usize {
        match self {
            Record::Incident(record) => record.heap(),
            Record::Asset(record) => record.heap(),
            Record::Threat(record) => record.heap(),
            Record::Owner(record) => record.heap(),
            Record::Evidence(record) => record.heap(),
            Record::Scope(record) => record.heap(),
            Record::Tag(record) => record.heap(),
            Record::Term(record) => record.heap(),
            Record::RelatedRecord(record) => record.heap(),
        }
    }
}

fn whole<T: Heap + ?Sized>(value: &T) -> usize {
    size_of_val(value) + value.heap()
}

/// What a value keeps outside of itself.
trait Heap {
    fn heap(&self) -> usize;

    /// Gives back room for growth.
    fn shrink(&mut self) {}
}

impl<T: Heap> Heap for Option<T> {
    fn heap(&self) -> usize {
        self.as_ref().map_or(0, Heap::heap)
    }

    fn shrink(&mut self) {
        self.iter_mut().for_each(Heap::shrink);
    }
}

impl<T: Heap> Heap for Vec<T> {
    fn heap(&self) -> usize {
        self.capacity() * size_of::<T>() + self.iter().map(Heap::heap).sum::<usize>()
    }

    fn shrink(&mut self) {
        self.shrink_to_fit();
        self.iter_mut().for_each(Heap::shrink);
    }
}

impl<T: Heap + ?Sized> Heap for Box<T> {
    fn heap(&self) -> usize {
        whole(&**self)
    }

    fn shrink(&mut self) {
        (**self).shrink();
    }
}

impl<T: Heap> Heap for Arc<T> {
    fn heap(&self) -> usize {
        SHARED + whole(&**self)
    }

    fn shrink(&mut self) {
        if let Some(alone) = Arc::get_mut(self) {
            alone.shrink();
        }
    }
}

impl Heap for Key {
    fn heap(&self) -> usize {
        // The source's name is one for all.
        self.native.heap()
    }
}

impl Heap for NativeId {
    fn heap(&self) -> usize {
        self.kept_as_text().map_or(0, |text| SHARED + text.len())
    }
}

impl Heap for Picture {
    fn heap(&self) -> usize {
        let (Picture::Public(text) | Picture::Kept(text)) = self;
        text.heap()
    }
}

impl Heap for RawJson {
    fn heap(&self) -> usize {
        SHARED + self.as_str().len()
    }
}

impl Heap for Record {
    fn heap(&self) -> usize {
        0
    }

    fn shrink(&mut self) {
        match self {
            Record::Incident(record) => Heap::shrink(record),
            Record::Asset(record) => Heap::shrink(record),
            Record::Threat(record) => Heap::shrink(record),
            Record::Owner(record) => Heap::shrink(record),
            Record::Evidence(record) => Heap::shrink(record),
            Record::Scope(record) => Heap::shrink(record),
            Record::Tag(record) => Heap::shrink(record),
            Record::Term(record) => Heap::shrink(record),
            Record::RelatedRecord(record) => Heap::shrink(record),
        }
    }
}

macro_rules! plain {
    ($($type:ty),* $(,)?) => {
        $(impl Heap for $type {
            fn heap(&self) -> usize {
                0
            }
        })*
    };
}

plain! {
    bool, f64, i32, u32, u64, Time, NaiveDate, ActivityKind, AssetKind, AssetRole, CloudManagement, CommentKind, Detection, EvidenceKind, EvidenceOrigin, IncidentField, IncidentStatus, Level, OwnerKind, RelatedRecordKind, Resolution, ScopeKind, ScoreKind, Severity, SourceKind, TermKind, ThreatKind, str,
}

macro_rules! weigh {
    ($($type:ident { $($field:ident),* $(,)? })*) => {
        $(impl Heap for $type {
            fn heap(&self) -> usize {
                let $type { $($field),* } = self;
                0 $(+ $field.heap())*
            }

            fn shrink(&mut self) {
                let $type { $($field),* } = self;
                $(Heap::shrink($field);)*
            }
        })*
    };
}

weigh! {
    Incident { key, source_kind, reference, external_reference, title, description, computed_description, notes, severity, source_severity, computed_severity, manual_severity, severity_reasoning, priority, source_priority, scores, status, source_status, resolution, source_resolution, resolution_comment, detection, source_detection, origins, categories, created_manually, published, starred, starred_manually, blocked, alert_grouping_enabled, continuity_plan_activated, url, link, created_at, updated_at, occurred_at, detected_at, reported_at, responded_at, contained_at, resolved_at, status_changed_at, due_at, first_event_at, last_event_at, owners, created_by, assets, threats, tags, original_tags, qualifications, entities, related_records, scope, alert_counts, host_count, user_count, exposure, hidden_links, assets_apart, told, embedded, raw, comment_count }
    RelatedLink { record, kind, by_id }
    Score { kind, name, value, version_matched }
    AssetLink { asset, kind, roles, source_roles }
    ThreatLink { threat, kind, relevance, linked_at, match_type, confidence, issue_types }
    AlertCounts { total, critical, high, medium, low }
    Exposure { port, cloud_providers, cloud_management, source_cloud_management, cloud_integration, country_codes, certificate_issuers }
    HiddenLinks { field, count }
    Link { key, name }
    Owner { key, kind, source_type, name, profile }
    OwnerProfile { first_name, last_name, email, avatar, active, description, leader, deputies, members, scope, raw }
    Asset { key, kind, source_type, name, display_name, description, reference, criticality, source_criticality, critical_infrastructure, categories, origins, owners, parents, children, scope, tags, created_at, updated_at, last_seen_at, deleted, technical, raw }
    TechnicalAsset { ip_addresses, domain_names, mac_addresses, operating_system, hardware, software, management_server, protection, industrial, account, risks }
    Product { name, vendor, version }
    EndpointProtection { group_id, group_name, status_code, status_mask, real_time_protection_code, encryption_code, anti_spam_code, email_antivirus_code, data_loss_prevention_code, detection_and_response_code, definitions_updated_at, info_updated_at, updated_at, system_started_at, virtual_server_id }
    IndustrialDevice { status, server_ip_address, connector_id, device_id }
    DirectoryAccount { domain, common_name, distinguished_name, account_name, account_type, principal_name, security_id, account_control, email, mail_nickname, mobile, phone, job_title, division, department, company, manager, location, street_address, office, member_of, managed_objects, expires_at, last_bad_password_at }
    Threat { key, kind, name, reference, category, description, provider, url, severity, source_severity, cvss, epss, exploit_maturity, exploited_in_the_wild, last_exploited_on, scope, tags, raw }
    Evidence { key, kind, source_type, title, description, category, severity, source_severity, source_status, observed_at, created_at, updated_at, expires_on, event, observable, rule, alert, attachment, link, owners, scope, tags, raw }
    LogEvent { event_code, message, log_name, log_provider, logged_at, host_name, host_type, source_ip_address, user_name, threshold }
    Observable { observable_type, value }
    DetectionRule { rule_type, confidence, custom }
    AlertDetails { reference, status, source_status, resolution, resolution_comment, host_name, action, first_event_at, last_event_at, threats }
    Attachment { file_name, size, media_type }
    Scope { key, kind, name, description, root, parent, path, raw }
    Tag { key, name, created_by, scope }
    Term { key, kind, name, label, description, selectable }
    RelatedRecord { key, kind, name, reference, description, raw }
    Details { comments, activity, activity_total, evidence, evidence_total, assets, delete_preview, embedded, masked, malformed }
    Comment { key, kind, source_type, title, body, author, at, created_at, updated_at, evidence, raw }
    Activity { key, kind, source_type, at, actor, title, description, changes, evidence, subject_type, subject_id, details, raw }
    FieldChange { field, source_field, before, after, added, removed }
    EvidenceLink { evidence, kind, added_at, added_by, obtained_from }
    CascadePreview { deleted, affected }
    CascadeGroup { count, message, level, records }
    CascadeRecord { source_id, record_type, type_label, name }
}
