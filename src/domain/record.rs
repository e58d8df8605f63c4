//! What incidents are tied to: assets, threats, owners, evidence, scopes, tags, terms, related records.

use super::{
    AssetKind, EvidenceKind, IdKind, Incident, IncidentStatus, Key, Level, Link, OwnerKind, RawJson, RelatedRecordKind,
    Resolution, ScopeKind, Severity, TermKind, Text, ThreatKind, Time,
};
use chrono::NaiveDate;
use std::sync::Arc;

/// Kinds of records that can be looked up by key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RecordKind {
    Incident,
    Asset,
    Threat,
    Owner,
    Evidence,
    Scope,
    Tag,
    Term,
    RelatedRecord,
}

impl RecordKind {
    pub const ALL: [RecordKind; 9] = [
        RecordKind::Incident,
        RecordKind::Asset,
        RecordKind::Threat,
        RecordKind::Owner,
        RecordKind::Evidence,
        RecordKind::Scope,
        RecordKind::Tag,
        RecordKind::Term,
        RecordKind::RelatedRecord,
    ];

    /// The kind of global id that names such a record.
    pub fn id_kind(self) -> IdKind {
        match self {
            RecordKind::Incident => IdKind::Incident,
            RecordKind::Asset => IdKind::Asset,
            RecordKind::Threat => IdKind::Threat,
            RecordKind::Owner => IdKind::Owner,
            RecordKind::Evidence => IdKind::Evidence,
            RecordKind::Scope => IdKind::Scope,
            RecordKind::Tag => IdKind::Tag,
            RecordKind::Term => IdKind::Term,
            RecordKind::RelatedRecord => IdKind::RelatedRecord,
        }
    }

    /// The kind of record that a global id names, if it is one that can be looked up by its id alone.
    pub fn of(id: IdKind) -> Option<RecordKind> {
        RecordKind::ALL.into_iter().find(|kind| kind.id_kind() == id)
    }
}

/// Any record that can be looked up. A clone is a reference count.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    Incident(Arc<Incident>),
    Asset(Arc<Asset>),
    Threat(Arc<Threat>),
    Owner(Arc<Owner>),
    Evidence(Arc<Evidence>),
    Scope(Arc<Scope>),
    Tag(Arc<Tag>),
    Term(Arc<Term>),
    RelatedRecord(Arc<RelatedRecord>),
}

impl Record {
    pub fn kind(&self) -> RecordKind {
        match self {
            Record::Incident(_) => RecordKind::Incident,
            Record::Asset(_) => RecordKind::Asset,
            Record::Threat(_) => RecordKind::Threat,
            Record::Owner(_) => RecordKind::Owner,
            Record::Evidence(_) => RecordKind::Evidence,
            Record::Scope(_) => RecordKind::Scope,
            Record::Tag(_) => RecordKind::Tag,
            Record::Term(_) => RecordKind::Term,
            Record::RelatedRecord(_) => RecordKind::RelatedRecord,
        }
    }

    pub fn key(&self) -> &Key {
        match self {
            Record::Incident(record) => &record.key,
            Record::Asset(record) => &record.key,
            Record::Threat(record) => &record.key,
            Record::Owner(record) => &record.key,
            Record::Evidence(record) => &record.key,
            Record::Scope(record) => &record.key,
            Record::Tag(record) => &record.key,
            Record::Term(record) => &record.key,
            Record::RelatedRecord(record) => &record.key,
        }
    }
}

/// A person, team or account that can own incidents, or has made one.
#[derive(Clone, PartialEq, Debug)]
pub struct Owner {
    pub key: Key,
    pub kind: OwnerKind,
    pub source_type: Option<Text>,
    pub name: Option<Text>,
    /// What only some kinds of owner have, and what may cost the source another call.
    pub profile: OwnerProfile,
}

/// What is known of an owner beyond its name.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct OwnerProfile {
    pub first_name: Option<Text>,
    pub last_name: Option<Text>,
    pub email: Option<Text>,
    pub avatar: Option<Picture>,
    pub active: Option<bool>,
    pub description: Option<Text>,
    pub leader: Option<Link>,
    pub deputies: Option<Vec<Link>>,
    pub members: Option<Vec<Link>>,
    pub scope: Option<Link>,
    pub raw: Option<RawJson>,
}

/// Where a picture is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Picture {
    /// At an address that needs no credential.
    Public(Text),
    /// At the source, which gives it to the gateway under this name.
    Kept(Text),
}

/// Something worth protecting.
#[derive(Clone, PartialEq, Debug)]
pub struct Asset {
    pub key: Key,
    pub kind: AssetKind,
    pub source_type: Option<Text>,
    pub name: Option<Text>,
    pub display_name: Option<Text>,
    pub description: Option<Text>,
    pub reference: Option<Text>,
    pub criticality: Option<Level>,
    pub source_criticality: Option<Text>,
    pub critical_infrastructure: Option<Text>,
    pub categories: Vec<Text>,
    pub origins: Vec<Text>,
    pub owners: Option<Vec<Link>>,
    pub parents: Option<Vec<Link>>,
    pub children: Option<Vec<Link>>,
    pub scope: Option<Link>,
    pub tags: Vec<Link>,
    pub created_at: Option<Time>,
    pub updated_at: Option<Time>,
    pub last_seen_at: Option<Time>,
    pub deleted: Option<bool>,
    /// What endpoint and directory products know of it.
    pub technical: Option<Box<TechnicalAsset>>,
    pub raw: Option<RawJson>,
}

impl Asset {
    /// An asset of which nothing but its key and kind is known.
    pub fn new(key: Key, kind: AssetKind) -> Self {
        Asset {
            key,
            kind,
            source_type: None,
            name: None,
            display_name: None,
            description: None,
            reference: None,
            criticality: None,
            source_criticality: None,
            critical_infrastructure: None,
            categories: Vec::new(),
            origins: Vec::new(),
            owners: None,
            parents: None,
            children: None,
            scope: None,
            tags: Vec::new(),
            created_at: None,
            updated_at: None,
            last_seen_at: None,
            deleted: None,
            technical: None,
            raw: None,
        }
    }
}

/// Addresses, products and protection of an asset, as endpoint and directory products know them.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct TechnicalAsset {
    pub ip_addresses: Vec<Text>,
    pub domain_names: Vec<Text>,
    pub mac_addresses: Vec<Text>,
    pub operating_system: Option<Product>,
    pub hardware: Option<Product>,
    pub software: Vec<Product>,
    pub management_server: Option<Text>,
    // Boxed: long, and most assets have none of them.
    pub protection: Option<Box<EndpointProtection>>,
    pub industrial: Option<Box<IndustrialDevice>>,
    pub account: Option<Box<DirectoryAccount>>,
    pub risks: Vec<Link>,
}

/// A product by name, vendor and version.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Product {
    pub name: Option<Text>,
    pub vendor: Option<Text>,
    pub version: Option<Text>,
}

/// State of the endpoint protection on a host. Codes are the product's own numbers.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct EndpointProtection {
    pub group_id: Option<i32>,
    pub group_name: Option<Text>,
    pub status_code: Option<i32>,
    pub status_mask: Vec<i32>,
    pub real_time_protection_code: Option<i32>,
    pub encryption_code: Option<i32>,
    pub anti_spam_code: Option<i32>,
    pub email_antivirus_code: Option<i32>,
    pub data_loss_prevention_code: Option<i32>,
    pub detection_and_response_code: Option<i32>,
    pub definitions_updated_at: Option<Time>,
    pub info_updated_at: Option<Time>,
    pub updated_at: Option<Time>,
    pub system_started_at: Option<Time>,
    pub virtual_server_id: Option<i32>,
}

/// What an industrial network monitor knows of a device.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct IndustrialDevice {
    pub status: Option<Text>,
    pub server_ip_address: Option<Text>,
    pub connector_id: Option<i32>,
    pub device_id: Option<i32>,
}

/// Directory data of a user account.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct DirectoryAccount {
    pub domain: Option<Text>,
    pub common_name: Option<Text>,
    pub distinguished_name: Option<Text>,
    pub account_name: Option<Text>,
    pub account_type: Option<Text>,
    pub principal_name: Option<Text>,
    pub security_id: Option<Text>,
    pub account_control: Option<Text>,
    pub email: Option<Text>,
    pub mail_nickname: Option<Text>,
    pub mobile: Option<Text>,
    pub phone: Option<Text>,
    pub job_title: Option<Text>,
    pub division: Option<Text>,
    pub department: Option<Text>,
    pub company: Option<Text>,
    pub manager: Option<Text>,
    pub location: Option<Text>,
    pub street_address: Option<Text>,
    pub office: Option<Text>,
    pub member_of: Vec<Text>,
    pub managed_objects: Vec<Text>,
    pub expires_at: Option<Time>,
    pub last_bad_password_at: Option<Time>,
}

/// What may harm, or has harmed.
#[derive(Clone, PartialEq, Debug)]
pub struct Threat {
    pub key: Key,
    pub kind: ThreatKind,
    pub name: Option<Text>,
    pub reference: Option<Text>,
    pub category: Option<Text>,
    pub description: Option<Text>,
    pub provider: Option<Text>,
    pub url: Option<Text>,
    pub severity: Option<Severity>,
    pub source_severity: Option<Text>,
    pub cvss: Option<f64>,
    pub epss: Option<f64>,
    pub exploit_maturity: Option<Text>,
    pub exploited_in_the_wild: Option<bool>,
    pub last_exploited_on: Option<NaiveDate>,
    pub scope: Option<Link>,
    pub tags: Vec<Link>,
    pub raw: Option<RawJson>,
}

impl Threat {
    /// A threat of which nothing but its key and kind is known.
    pub fn new(key: Key, kind: ThreatKind) -> Self {
        Threat {
            key,
            kind,
            name: None,
            reference: None,
            category: None,
            description: None,
            provider: None,
            url: None,
            severity: None,
            source_severity: None,
            cvss: None,
            epss: None,
            exploit_maturity: None,
            exploited_in_the_wild: None,
            last_exploited_on: None,
            scope: None,
            tags: Vec::new(),
            raw: None,
        }
    }
}

/// Anything that documents or supports an incident. The part for its kind is filled, the others are `None`.
#[derive(Clone, PartialEq, Debug)]
pub struct Evidence {
    pub key: Key,
    pub kind: EvidenceKind,
    pub source_type: Option<Text>,
    pub title: Option<Text>,
    pub description: Option<Text>,
    pub category: Option<Text>,
    pub severity: Option<Severity>,
    pub source_severity: Option<Text>,
    pub source_status: Option<Text>,
    pub observed_at: Option<Time>,
    pub created_at: Option<Time>,
    pub updated_at: Option<Time>,
    pub expires_on: Option<NaiveDate>,
    pub event: Option<Box<LogEvent>>,
    pub observable: Option<Observable>,
    pub rule: Option<DetectionRule>,
    pub alert: Option<Box<AlertDetails>>,
    pub attachment: Option<Attachment>,
    pub link: Option<Text>,
    pub owners: Option<Vec<Link>>,
    pub scope: Option<Link>,
    pub tags: Vec<Link>,
    pub raw: Option<RawJson>,
}

impl Evidence {
    /// Evidence of which nothing but its key and kind is known.
    pub fn new(key: Key, kind: EvidenceKind) -> Self {
        Evidence {
            key,
            kind,
            source_type: None,
            title: None,
            description: None,
            category: None,
            severity: None,
            source_severity: None,
            source_status: None,
            observed_at: None,
            created_at: None,
            updated_at: None,
            expires_on: None,
            event: None,
            observable: None,
            rule: None,
            alert: None,
            attachment: None,
            link: None,
            owners: None,
            scope: None,
            tags: Vec::new(),
            raw: None,
        }
    }
}

/// An event from a log.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LogEvent {
    pub event_code: Option<Text>,
    pub message: Option<Text>,
    pub log_name: Option<Text>,
    pub log_provider: Option<Text>,
    pub logged_at: Option<Time>,
    pub host_name: Option<Text>,
    pub host_type: Option<Text>,
    pub source_ip_address: Option<Text>,
    pub user_name: Option<Text>,
    pub threshold: Option<bool>,
}

/// Something that was seen, by type and value, both as the source writes them.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Observable {
    pub observable_type: Option<Text>,
    pub value: Option<Text>,
}

/// The rule that raised an incident.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct DetectionRule {
    pub rule_type: Option<Text>,
    pub confidence: Option<Text>,
    pub custom: Option<bool>,
}

/// What an alert tells beyond other evidence.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct AlertDetails {
    pub reference: Option<Text>,
    pub status: Option<IncidentStatus>,
    pub source_status: Option<Text>,
    pub resolution: Option<Resolution>,
    pub resolution_comment: Option<Text>,
    pub host_name: Option<Text>,
    pub action: Option<Text>,
    pub first_event_at: Option<Time>,
    pub last_event_at: Option<Time>,
    pub threats: Vec<Link>,
}

/// A file kept with a piece of evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attachment {
    pub file_name: Option<Text>,
    /// As the source gives it.
    pub size: Option<Text>,
    pub media_type: Option<Text>,
}

/// Folder, tenant or organisation that holds records.
#[derive(Clone, PartialEq, Debug)]
pub struct Scope {
    pub key: Key,
    pub kind: ScopeKind,
    pub name: Option<Text>,
    pub description: Option<Text>,
    pub root: Option<bool>,
    pub parent: Option<Link>,
    /// From the top down to and including this one.
    pub path: Vec<Link>,
    pub raw: Option<RawJson>,
}

/// A label that people put on records.
#[derive(Clone, PartialEq, Debug)]
pub struct Tag {
    pub key: Key,
    pub name: Text,
    pub created_by: Option<Link>,
    pub scope: Option<Link>,
}

/// A word of a source's own vocabulary.
#[derive(Clone, PartialEq, Debug)]
pub struct Term {
    pub key: Key,
    pub kind: TermKind,
    pub name: Text,
    pub label: Option<Text>,
    pub description: Option<Text>,
    pub selectable: Option<bool>,
}

/// A record of the source that is no incident, asset or threat.
///
/// A source keeps several collections of such records, so the native id is `collection/id`.
#[derive(Clone, PartialEq, Debug)]
pub struct RelatedRecord {
    pub key: Key,
    pub kind: RelatedRecordKind,
    pub name: Option<Text>,
    pub reference: Option<Text>,
    pub description: Option<Text>,
    pub raw: Option<RawJson>,
}
