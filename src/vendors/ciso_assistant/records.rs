//! From rows to the records that incidents are tied to. Pure, as `map`.

use super::map::{ENTITIES, Mapper, Notes, in_collection, time};
use super::wire::{
    AssetClass, AssetRow, EntityRow, EvidenceRow, FolderRow, LabelRow, Reference, Scalar, TermRow, ThreatRow,
};
use crate::domain::{
    Asset, AssetKind, Attachment, Evidence, EvidenceKind, Link, RawJson, RelatedRecord, RelatedRecordKind, Scope,
    ScopeKind, Tag, Term, TermKind, Text, Threat, ThreatKind,
};
use chrono::NaiveDate;

impl Mapper {
    pub(super) fn asset(&self, row: AssetRow, raw: Option<RawJson>, notes: &mut Notes) -> Asset {
        let kind = match row.kind.as_deref() {
            Some("Primary") => AssetKind::Primary,
            Some("Support") => AssetKind::Supporting,
            word => {
                notes.unknown.extend(word.map(|word| ("asset type", word.into())));
                AssetKind::Other
            }
        };
        let mut asset = Asset::new(self.key(row.id.0), kind);
        asset.source_type = row.kind;
        asset.name = row.name;
        asset.description = row.description;
        asset.reference = filled(row.ref_id);
        asset.categories.extend(row.asset_class.and_then(class_name));
        asset.scope = self.one(row.folder, notes);
        asset.tags = self.links(row.filtering_labels, notes);
        asset.owners = row.owner.map(|all| self.links(all, notes));
        asset.parents = row.parent_assets.map(|all| self.links(all, notes));
        // Two names for the same set, where both are there.
        asset.children = row.children_assets.or(row.support_assets).map(|all| self.links(all, notes));
        asset.created_at = time(row.created_at);
        asset.updated_at = time(row.updated_at);
        asset.raw = raw;
        asset
    }

    pub(super) fn threat(&self, row: ThreatRow, raw: Option<RawJson>, notes: &mut Notes) -> Threat {
        let mut threat = Threat::new(self.key(row.id.0), ThreatKind::Catalogued);
        threat.name = row.name;
        threat.description = row.description;
        threat.reference = filled(row.ref_id);
        threat.provider = row.provider;
        threat.scope = self.one(row.folder, notes);
        threat.tags = self.links(row.filtering_labels, notes);
        threat.raw = raw;
        threat
    }

    pub(super) fn evidence(&self, row: EvidenceRow, raw: Option<RawJson>, notes: &mut Notes) -> Evidence {
        let mut evidence = Evidence::new(self.key(row.id.0), EvidenceKind::Document);
        evidence.title = row.name;
        evidence.description = row.description;
        evidence.source_status = row.status;
        evidence.link = row.link;
        evidence.attachment = filled(row.attachment).map(|file| Attachment {
            file_name: Some(file),
            size: row.size.map(|Scalar(size)| size),
            media_type: None,
        });
        evidence.owners = row.owner.map(|all| self.links(all, notes));
        evidence.scope = self.one(row.folder, notes);
        evidence.tags = self.links(row.filtering_labels, notes);
        evidence.created_at = time(row.created_at);
        evidence.updated_at = time(row.updated_at);
        evidence.expires_on = row.expiry_date.as_deref().and_then(|text| {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
            if date.is_none() {
                notes.unknown.insert(("expiry_date", text.into()));
            }
            date
        });
        evidence.raw = raw;
        evidence
    }

    /// `path` becomes what the domain means by it: from the top (the root is left out by the server) down to and
    /// including the folder itself.
    pub(super) fn scope(&self, row: FolderRow, raw: Option<RawJson>, notes: &mut Notes) -> Scope {
        let key = self.key(row.id.0);
        let mut path = self.links(row.path, notes);
        path.retain(|link| link.key != key);
        path.push(Link { key: key.clone(), name: row.name.clone() });
        // `parent_folder` is null for the root only; hidden, it is `{}`.
        let root = match row.content_type.as_deref() {
            Some("GLOBAL") => true,
            Some(_) => false,
            None => row.parent_folder.is_none(),
        };
        Scope {
            key,
            kind: ScopeKind::Folder,
            name: row.name,
            description: row.description,
            root: Some(root),
            parent: self.one(row.parent_folder, notes),
            path,
            raw,
        }
    }

    pub(super) fn tag(&self, row: LabelRow, notes: &mut Notes) -> Tag {
        Tag { key: self.key(row.id.0), name: row.label, created_by: None, scope: self.one(row.folder, notes) }
    }

    pub(super) fn term(&self, row: TermRow) -> Term {
        Term {
            key: self.key(row.id.0),
            kind: TermKind::Qualification,
            name: row.name,
            label: row.translated_name,
            description: row.description,
            selectable: row.is_visible,
        }
    }

    pub(super) fn entity(&self, row: EntityRow, raw: Option<RawJson>) -> RelatedRecord {
        RelatedRecord {
            key: self.key(in_collection(ENTITIES, &row.id.0)),
            kind: RelatedRecordKind::Entity,
            name: row.name,
            reference: filled(row.ref_id),
            description: row.description,
            raw,
        }
    }
}

/// The server writes an absent reference as an empty text.
fn filled(text: Option<Text>) -> Option<Text> {
    text.filter(|text| !text.is_empty())
}

fn class_name(class: AssetClass) -> Option<Text> {
    match class {
        AssetClass::Name(name) => Some(name),
        AssetClass::Reference(Reference::To(_, name)) => name,
        AssetClass::Reference(Reference::Hidden) => None,
    }
}
