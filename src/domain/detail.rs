//! What a source gives only per incident, on a call of its own: comments, activity, evidence, deletion preview.

use super::{
    ActivityKind, AssetLink, CommentKind, EvidenceKind, EvidenceOrigin, IncidentField, Key, Link, RawJson, Record,
    Text, Time,
};
use std::sync::Arc;

/// Which details of an incident are asked for. A set, since one call of a source often gives several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct DetailParts {
    pub comments: bool,
    pub activity: bool,
    pub evidence: bool,
    pub assets: bool,
    pub delete_preview: bool,
}

/// One detail of an incident.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DetailPart {
    Comments,
    Activity,
    Evidence,
    /// Assets, where the row does not tell them in full.
    Assets,
    DeletePreview,
}

impl DetailPart {
    pub const ALL: [DetailPart; 5] = [
        DetailPart::Comments,
        DetailPart::Activity,
        DetailPart::Evidence,
        DetailPart::Assets,
        DetailPart::DeletePreview,
    ];
}

impl DetailParts {
    pub fn contains(self, part: DetailPart) -> bool {
        match part {
            DetailPart::Comments => self.comments,
            DetailPart::Activity => self.activity,
            DetailPart::Evidence => self.evidence,
            DetailPart::Assets => self.assets,
            DetailPart::DeletePreview => self.delete_preview,
        }
    }

    pub fn with(mut self, part: DetailPart) -> Self {
        match part {
            DetailPart::Comments => self.comments = true,
            DetailPart::Activity => self.activity = true,
            DetailPart::Evidence => self.evidence = true,
            DetailPart::Assets => self.assets = true,
            DetailPart::DeletePreview => self.delete_preview = true,
        }
        self
    }
}

/// Details of one incident: each part that was asked for and could be read is `Some`.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Details {
    /// Newest first.
    pub comments: Option<Arc<Vec<Comment>>>,
    /// Newest first.
    pub activity: Option<Arc<Vec<Activity>>>,
    /// How many entries the history has, where not all were read.
    pub activity_total: Option<u64>,
    /// In the order in which it was added, oldest first; each piece once.
    pub evidence: Option<Arc<Vec<EvidenceLink>>>,
    /// How many pieces there are, where not all were read.
    pub evidence_total: Option<u64>,
    pub assets: Option<Arc<Vec<AssetLink>>>,
    pub delete_preview: Option<Arc<CascadePreview>>,
    /// Records that the details told in full, beside their links.
    pub embedded: Vec<Record>,
    /// Links inside these details that the source hides.
    pub masked: u32,
    /// Records inside these details that were broken and left out.
    pub malformed: u32,
}

impl Details {
    /// Whether a part was asked for and read.
    pub fn has(&self, part: DetailPart) -> bool {
        match part {
            DetailPart::Comments => self.comments.is_some(),
            DetailPart::Activity => self.activity.is_some(),
            DetailPart::Evidence => self.evidence.is_some(),
            DetailPart::Assets => self.assets.is_some(),
            DetailPart::DeletePreview => self.delete_preview.is_some(),
        }
    }
}

/// What a person wrote, dated.
#[derive(Clone, PartialEq, Debug)]
pub struct Comment {
    pub key: Key,
    pub kind: CommentKind,
    pub source_type: Option<Text>,
    pub title: Option<Text>,
    pub body: Option<Text>,
    pub author: Option<Link>,
    pub at: Option<Time>,
    pub created_at: Option<Time>,
    pub updated_at: Option<Time>,
    pub evidence: Vec<Link>,
    pub raw: Option<RawJson>,
}

/// One entry of an incident's history or timeline.
#[derive(Clone, PartialEq, Debug)]
pub struct Activity {
    pub key: Key,
    pub kind: ActivityKind,
    pub source_type: Option<Text>,
    pub at: Option<Time>,
    pub actor: Option<Link>,
    pub title: Option<Text>,
    pub description: Option<Text>,
    pub changes: Vec<FieldChange>,
    pub evidence: Vec<Link>,
    pub subject_type: Option<Text>,
    pub subject_id: Option<Text>,
    pub details: Option<RawJson>,
    pub raw: Option<RawJson>,
}

/// A change of one field: `before` and `after` for values, `added` and `removed` for sets.
#[derive(Clone, PartialEq, Debug)]
pub struct FieldChange {
    pub field: IncidentField,
    pub source_field: Option<Text>,
    pub before: Option<RawJson>,
    pub after: Option<RawJson>,
    pub added: Option<Vec<Text>>,
    pub removed: Option<Vec<Text>>,
}

/// A piece of evidence and how it came to the incident.
#[derive(Clone, PartialEq, Debug)]
pub struct EvidenceLink {
    pub evidence: Link,
    /// What the evidence is, where the link itself tells it.
    pub kind: Option<EvidenceKind>,
    pub added_at: Option<Time>,
    pub added_by: Option<Link>,
    pub obtained_from: Option<EvidenceOrigin>,
}

/// What deleting an incident would take along.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CascadePreview {
    pub deleted: CascadeGroup,
    pub affected: CascadeGroup,
}

/// Records of one fate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CascadeGroup {
    pub count: i32,
    pub message: Option<Text>,
    pub level: Option<Text>,
    pub records: Vec<CascadeRecord>,
}

/// A record that a deletion would delete or touch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CascadeRecord {
    pub source_id: Text,
    pub record_type: Text,
    pub type_label: Option<Text>,
    pub name: Option<Text>,
}
