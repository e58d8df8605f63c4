//! Pure data and rules: what an incident is, in our words.
//!
//! No I/O, nothing asynchronous, no serialisation, no GraphQL: neither a vendor nor a client can shape what is here
//! by accident. Start with [`Incident`], then [`Filter`] and [`Order`].

mod caller;
mod detail;
mod field;
mod filter;
mod id;
mod incident;
mod kinds;
mod link;
mod order;
mod page;
mod parts;
mod raw;
mod record;
mod search;
mod severity;
mod stats;
mod status;
mod vocabulary;
mod weight;

pub use caller::{Caller, CredentialScope};
pub use detail::{
    Activity, CascadeGroup, CascadePreview, CascadeRecord, Comment, DetailPart, DetailParts, Details, EvidenceLink,
    FieldChange,
};
pub use field::{IncidentField, IncidentOrderField, IncidentTimeField};
pub use filter::{Filter, OwnerRef, TagRef, Test, TimeField, TimeRange};
pub use id::{GlobalId, IdKind, Key, NativeId, NotAnId, SourceName};
pub use incident::{
    AlertCounts, AssetLink, Exposure, HiddenLinks, Incident, RelatedLink, Score, Text, ThreatLink, Time,
};
pub use kinds::{
    ActivityKind, AssetKind, AssetRole, BatchKind, CircuitState, CloudManagement, CommentKind, CountPrecision,
    Detection, EvidenceKind, EvidenceOrigin, ExportFormat, OrderDirection, OwnerKind, Permission, RelatedRecordKind,
    ScopeKind, ScoreKind, SourceKind, SourceStatus, TermKind, ThreatKind, ViewerKind,
};
pub use link::Link;
pub use order::{Order, Position, SortKey};
pub use page::{PageSize, Rows};
pub use parts::RowParts;
pub use raw::RawJson;
pub use record::{
    AlertDetails, Asset, Attachment, DetectionRule, DirectoryAccount, EndpointProtection, Evidence, IndustrialDevice,
    LogEvent, Observable, Owner, OwnerProfile, Picture, Product, Record, RecordKind, RelatedRecord, Scope, Tag,
    TechnicalAsset, Term, Threat,
};
pub use search::{Pattern, Search, TextTest};
pub use severity::{Level, Severity};
pub use stats::{MetricParts, Metrics};
pub use status::{IncidentPhase, IncidentStatus, Resolution};
pub(crate) use vocabulary::vocabulary;
pub use vocabulary::{Vocabulary, Word};
