//! What the server sends, as observed: one struct for each kind of row, and how a page of rows is taken apart.
//!
//! Texts stay as received, enum words too; what they mean is `map`'s business. Members that are not listed here are
//! skipped without being kept. Private to this folder.

mod page;
mod text;

pub(super) use crate::vendors::common::{Moment, Row, Scalar};
pub(super) use page::{Page, read_page};
pub(super) use text::{Id, Reference, References};

use crate::domain::Text;
use serde::{Deserialize, de::DeserializeOwned};

/// A row of `incidents/`; the same in list and retrieve. The members below `risk_scenarios` are those of later
/// releases.
#[derive(Deserialize, Debug)]
pub(super) struct IncidentRow {
    pub(super) id: Id,
    #[serde(default)]
    pub(super) threats: References,
    #[serde(default)]
    pub(super) owners: References,
    #[serde(default)]
    pub(super) assets: References,
    #[serde(default)]
    pub(super) qualifications: References,
    #[serde(default)]
    pub(super) entities: References,
    #[serde(default)]
    pub(super) filtering_labels: References,
    pub(super) folder: Option<Reference>,
    pub(super) severity: Option<Text>,
    pub(super) status: Option<Text>,
    pub(super) detection: Option<Text>,
    pub(super) created_at: Option<Moment>,
    pub(super) updated_at: Option<Moment>,
    pub(super) reported_at: Option<Moment>,
    pub(super) name: Option<Text>,
    pub(super) description: Option<Text>,
    pub(super) ref_id: Option<Text>,
    pub(super) link: Option<Text>,
    pub(super) is_published: Option<bool>,
    #[serde(default)]
    pub(super) applied_controls: References,
    #[serde(default)]
    pub(super) task_templates: References,
    #[serde(default)]
    pub(super) risk_scenarios: References,
    pub(super) occurred_at: Option<Moment>,
    pub(super) resolved_at: Option<Moment>,
    pub(super) resolution: Option<Text>,
    pub(super) is_bcp_activated: Option<bool>,
}

/// A row of `timeline-entries/`.
#[derive(Deserialize, Debug)]
pub(super) struct EntryRow {
    pub(super) id: Id,
    #[serde(rename = "str")]
    pub(super) display: Option<Text>,
    pub(super) author: Option<Reference>,
    pub(super) incident: Option<Reference>,
    #[serde(default)]
    pub(super) evidences: References,
    pub(super) created_at: Option<Moment>,
    pub(super) updated_at: Option<Moment>,
    pub(super) entry: Option<Text>,
    /// A code, not a label.
    pub(super) entry_type: Option<Text>,
    pub(super) timestamp: Option<Moment>,
    pub(super) observation: Option<Text>,
}

/// A row of `assets/`; later releases leave out the two lists of children.
#[derive(Deserialize, Debug)]
pub(super) struct AssetRow {
    pub(super) id: Id,
    pub(super) name: Option<Text>,
    pub(super) description: Option<Text>,
    pub(super) ref_id: Option<Text>,
    #[serde(rename = "type")]
    pub(super) kind: Option<Text>,
    pub(super) asset_class: Option<AssetClass>,
    pub(super) folder: Option<Reference>,
    pub(super) owner: Option<References>,
    #[serde(default)]
    pub(super) filtering_labels: References,
    pub(super) parent_assets: Option<References>,
    pub(super) children_assets: Option<References>,
    pub(super) support_assets: Option<References>,
    pub(super) created_at: Option<Moment>,
    pub(super) updated_at: Option<Moment>,
}

/// An asset's class: only null was observed, so both shapes are taken that this server uses for such members.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
pub(super) enum AssetClass {
    Name(Text),
    Reference(Reference),
}

/// A row of `threats/`.
#[derive(Deserialize, Debug)]
pub(super) struct ThreatRow {
    pub(super) id: Id,
    pub(super) name: Option<Text>,
    pub(super) description: Option<Text>,
    pub(super) ref_id: Option<Text>,
    pub(super) provider: Option<Text>,
    pub(super) folder: Option<Reference>,
    #[serde(default)]
    pub(super) filtering_labels: References,
}

/// A row of `evidences/`.
#[derive(Deserialize, Debug)]
pub(super) struct EvidenceRow {
    pub(super) id: Id,
    pub(super) name: Option<Text>,
    pub(super) description: Option<Text>,
    pub(super) status: Option<Text>,
    pub(super) link: Option<Text>,
    pub(super) attachment: Option<Text>,
    pub(super) size: Option<Scalar>,
    pub(super) owner: Option<References>,
    pub(super) folder: Option<Reference>,
    #[serde(default)]
    pub(super) filtering_labels: References,
    pub(super) created_at: Option<Moment>,
    pub(super) updated_at: Option<Moment>,
    /// A plain date.
    pub(super) expiry_date: Option<Text>,
}

/// A row of `actors/`. `specific` names the user, team or entity behind it.
#[derive(Deserialize, Debug)]
pub(super) struct ActorRow {
    pub(super) id: Id,
    #[serde(rename = "str")]
    pub(super) display: Option<Text>,
    #[serde(rename = "type")]
    pub(super) kind: Option<Text>,
    pub(super) specific: Option<Reference>,
}

/// A row of `users/`. Only later releases have `folder`.
#[derive(Deserialize, Debug)]
pub(super) struct UserRow {
    pub(super) id: Id,
    pub(super) email: Option<Text>,
    pub(super) first_name: Option<Text>,
    pub(super) last_name: Option<Text>,
    pub(super) is_active: Option<bool>,
    pub(super) folder: Option<Reference>,
}

/// A row of `teams/`. People are references to users, not to actors.
#[derive(Deserialize, Debug)]
pub(super) struct TeamRow {
    pub(super) id: Id,
    pub(super) description: Option<Text>,
    pub(super) folder: Option<Reference>,
    pub(super) team_email: Option<Text>,
    pub(super) leader: Option<Reference>,
    #[serde(default)]
    pub(super) deputies: References,
    #[serde(default)]
    pub(super) members: References,
}

/// A row of `entities/`.
#[derive(Deserialize, Debug)]
pub(super) struct EntityRow {
    pub(super) id: Id,
    pub(super) name: Option<Text>,
    pub(super) description: Option<Text>,
    pub(super) ref_id: Option<Text>,
}

/// A row of `folders/`. `path` holds the folders above, without the root.
#[derive(Deserialize, Debug)]
pub(super) struct FolderRow {
    pub(super) id: Id,
    pub(super) name: Option<Text>,
    pub(super) description: Option<Text>,
    pub(super) parent_folder: Option<Reference>,
    #[serde(default)]
    pub(super) path: References,
    pub(super) content_type: Option<Text>,
}

/// A row of `filtering-labels/`.
#[derive(Deserialize, Debug)]
pub(super) struct LabelRow {
    pub(super) id: Id,
    pub(super) label: Text,
    pub(super) folder: Option<Reference>,
}

/// A row of `terminologies/`.
#[derive(Deserialize, Debug)]
pub(super) struct TermRow {
    pub(super) id: Id,
    pub(super) name: Text,
    pub(super) translated_name: Option<Text>,
    pub(super) description: Option<Text>,
    pub(super) is_visible: Option<bool>,
}

/// `incidents/{id}/cascade-info/`.
#[derive(Deserialize, Debug)]
pub(super) struct Cascade {
    pub(super) deleted: CascadePart,
    pub(super) affected: CascadePart,
}

/// What a deletion deletes, or what it touches. `related_objects` tells the same once more and is skipped.
#[derive(Deserialize, Debug)]
pub(super) struct CascadePart {
    pub(super) count: i32,
    #[serde(default)]
    pub(super) grouped_objects: Vec<CascadeObjects>,
    pub(super) message: Option<Text>,
    pub(super) level: Option<Text>,
}

/// Records of one model.
#[derive(Deserialize, Debug)]
pub(super) struct CascadeObjects {
    pub(super) model: Text,
    pub(super) verbose_name: Option<Text>,
    #[serde(default)]
    pub(super) objects: Vec<CascadeObject>,
}

/// One record.
#[derive(Deserialize, Debug)]
pub(super) struct CascadeObject {
    pub(super) id: Text,
    pub(super) name: Option<Text>,
}

/// The envelope of all metrics.
#[derive(Deserialize, Debug)]
pub(super) struct Metric<T> {
    pub(super) results: T,
}

/// A row of `severity_breakdown/` and `detection_breakdown/`.
#[derive(Deserialize, Debug)]
pub(super) struct Slice {
    pub(super) name: Text,
    pub(super) value: u64,
}

/// `qualifications_breakdown/`: two arrays side by side.
#[derive(Deserialize, Debug)]
pub(super) struct Qualifications {
    pub(super) labels: Vec<QualificationName>,
    pub(super) values: Vec<u64>,
}

/// The raw name of a term.
#[derive(Deserialize, Debug)]
pub(super) struct QualificationName {
    pub(super) name: Text,
}

/// `monthly_metrics/`: arrays side by side.
#[derive(Deserialize, Debug)]
pub(super) struct Months {
    pub(super) months: Vec<Text>,
    pub(super) monthly_counts: Vec<u64>,
}

/// `summary_stats/`. Its `open_incidents` counts resolved ones as open, so it is not read.
#[derive(Deserialize, Debug)]
pub(super) struct Summary {
    pub(super) total_incidents: u64,
}

/// `build/`.
#[derive(Deserialize, Debug)]
pub(super) struct Build {
    pub(super) version: Option<Text>,
}

/// `iam/current-user/`.
#[derive(Deserialize, Debug)]
pub(super) struct CurrentUser {
    pub(super) id: Id,
    pub(super) actor_id: Option<Id>,
    pub(super) email: Option<Text>,
    pub(super) first_name: Option<Text>,
    pub(super) last_name: Option<Text>,
}

/// Records of which nothing but the id is essential.
macro_rules! rows {
    ($($row:ty),+ $(,)?) => { $(impl Row for $row {})+ };
}
rows!(
    AssetRow,
    ThreatRow,
    EvidenceRow,
    ActorRow,
    UserRow,
    TeamRow,
    EntityRow,
    FolderRow,
    LabelRow,
    TermRow,
    CurrentUser
);

impl Row for IncidentRow {
    /// What lists are ordered by.
    const ESSENTIAL: &'static [&'static str] = &["id", "created_at", "updated_at", "severity"];
}

impl Row for EntryRow {
    const ESSENTIAL: &'static [&'static str] = &["id", "incident", "timestamp"];
}

impl Row for Cascade {
    const ESSENTIAL: &'static [&'static str] = &["deleted", "affected"];
}

impl<T: DeserializeOwned> Row for Metric<T> {
    const ESSENTIAL: &'static [&'static str] = &["results"];
}
