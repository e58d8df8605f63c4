//! Which incidents are asked for: a closed expression tree, with one meaning whoever applies it.

use super::{
    CloudManagement, Detection, Incident, IncidentField, IncidentPhase, IncidentStatus, Key, Level, Link, NativeId,
    Record, Resolution, Search, Severity, SourceKind, SourceName, Text, TextTest, Time,
};

/// A condition on incidents.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Filter {
    /// Every part holds; none at all holds too.
    All(Vec<Filter>),
    /// At least one part holds; none at all does not hold.
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Test(Test),
}

impl Default for Filter {
    /// Matches everything.
    fn default() -> Self {
        Filter::All(Vec::new())
    }
}

/// A condition on one field. Values of a list are alternatives; an empty list matches nothing. An unknown or absent
/// value does not match.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Test {
    Sources(Vec<SourceName>),
    SourceKinds(Vec<SourceKind>),
    Ids(Vec<Key>),
    SourceIds(Vec<NativeId>),
    References(Vec<String>),
    Search(Search),
    Title(TextTest),
    Description(TextTest),
    ComputedDescription(TextTest),
    Severity(Vec<Severity>),
    Status(Vec<IncidentStatus>),
    Phase(IncidentPhase),
    Resolution(Vec<Resolution>),
    Priority(Vec<Level>),
    Detection(Vec<Detection>),
    Origins(Vec<String>),
    Categories(Vec<String>),
    Owners(Vec<OwnerRef>),
    Unassigned(bool),
    CreatedBy(Vec<OwnerRef>),
    CreatedManually(bool),
    Assets(Vec<Key>),
    Threats(Vec<Key>),
    Tags(Vec<TagRef>),
    Qualifications(Vec<Key>),
    Entities(Vec<Key>),
    RelatedRecords(Vec<Key>),
    /// Exactly these scopes, not the ones below them.
    Scopes(Vec<Key>),
    Published(bool),
    Starred(bool),
    CloudManagement(Vec<CloudManagement>),
    CloudIntegrations(Vec<String>),
    Time(TimeField, TimeRange),
}

/// Times that incidents can be filtered by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TimeField {
    Created,
    Updated,
    StatusChanged,
    Occurred,
    Detected,
    Reported,
    Responded,
    Contained,
    Resolved,
    Due,
}

/// `since` inclusive, `until` exclusive; an absent end is open. Without any end, a time only has to be there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct TimeRange {
    pub since: Option<Time>,
    pub until: Option<Time>,
}

impl TimeRange {
    pub fn contains(self, time: Time) -> bool {
        self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time < until)
    }
}

/// How a person or team is named. All but `Key` are looked up at the source before anything is filtered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OwnerRef {
    Key(Key),
    /// Any case.
    Email(String),
    /// The source's own id.
    SourceId(String),
}

/// How a tag is named.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TagRef {
    Key(Key),
    /// Any case.
    Name(String),
}

impl Filter {
    /// Whether the incident is asked for. People that are named by e-mail are known only where the row tells it beside them;
    /// elsewhere such references match nothing and have to be looked up before.
    pub fn matches(&self, incident: &Incident) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.matches(incident)),
            Filter::Any(parts) => parts.iter().any(|part| part.matches(incident)),
            Filter::Not(part) => !part.matches(incident),
            Filter::Test(test) => test.matches(incident),
        }
    }

    /// The conditions that must hold together: the filter as a conjunction, nested ones opened.
    pub fn conjuncts(self) -> Vec<Filter> {
        match self {
            Filter::All(parts) => parts.into_iter().flat_map(Filter::conjuncts).collect(),
            other => vec![other],
        }
    }

    /// Calls `visit` for every test in the tree.
    pub fn visit<'a>(&'a self, visit: &mut impl FnMut(&'a Test)) {
        match self {
            Filter::All(parts) | Filter::Any(parts) => parts.iter().for_each(|part| part.visit(visit)),
            Filter::Not(part) => part.visit(visit),
            Filter::Test(test) => visit(test),
        }
    }

    /// The same tree with every test replaced.
    pub fn map(self, replace: &mut impl FnMut(Test) -> Test) -> Filter {
        match self {
            Filter::All(parts) => Filter::All(parts.into_iter().map(|part| part.map(replace)).collect()),
            Filter::Any(parts) => Filter::Any(parts.into_iter().map(|part| part.map(replace)).collect()),
            Filter::Not(part) => Filter::Not(Box::new(part.map(replace))),
            Filter::Test(test) => Filter::Test(replace(test)),
        }
    }
}

impl Test {
    /// The field that the condition is on, as reports name it.
    pub fn field(&self) -> IncidentField {
        use IncidentField as F;
        match self {
            Test::Sources(_) | Test::SourceKinds(_) | Test::Ids(_) | Test::SourceIds(_) => F::Id,
            Test::References(_) => F::Reference,
            Test::Search(_) => F::Text,
            Test::Title(_) => F::Title,
            Test::Description(_) => F::Description,
            Test::ComputedDescription(_) => F::ComputedDescription,
            Test::Severity(_) => F::Severity,
            Test::Status(_) => F::Status,
            Test::Phase(_) => F::Phase,
            Test::Resolution(_) => F::Resolution,
            Test::Priority(_) => F::Priority,
            Test::Detection(_) => F::Detection,
            Test::Origins(_) => F::Origins,
            Test::Categories(_) => F::Categories,
            Test::Owners(_) | Test::Unassigned(_) => F::Owners,
            Test::CreatedBy(_) => F::CreatedBy,
            Test::CreatedManually(_) => F::CreatedManually,
            Test::Assets(_) => F::Assets,
            Test::Threats(_) => F::Threats,
            Test::Tags(_) => F::Tags,
            Test::Qualifications(_) => F::Qualifications,
            Test::Entities(_) => F::Entities,
            Test::RelatedRecords(_) => F::RelatedRecords,
            Test::Scopes(_) => F::Scope,
            Test::Published(_) => F::Published,
            Test::Starred(_) => F::Starred,
            Test::CloudManagement(_) => F::CloudManagement,
            Test::CloudIntegrations(_) => F::CloudIntegration,
            Test::Time(field, _) => field.field(),
        }
    }

    fn matches(&self, incident: &Incident) -> bool {
        match self {
            Test::Sources(names) => names.contains(&incident.key.source),
            Test::SourceKinds(kinds) => kinds.contains(&incident.source_kind),
            Test::Ids(keys) => keys.contains(&incident.key),
            Test::SourceIds(ids) => ids.contains(&incident.key.native),
            Test::References(texts) => one_of(texts, incident.reference.as_ref()),
            Test::Search(search) => search.matches(
                [&incident.title, &incident.description, &incident.reference].into_iter().map(Option::as_deref),
            ),
            Test::Title(test) => test.matches(incident.title.as_ref()),
            Test::Description(test) => test.matches(incident.description.as_ref()),
            Test::ComputedDescription(test) => test.matches(incident.computed_description.as_ref()),
            Test::Severity(all) => all.contains(&incident.severity),
            Test::Status(all) => all.contains(&incident.status),
            Test::Phase(phase) => incident.phase() == *phase,
            Test::Resolution(all) => incident.resolution.is_some_and(|value| all.contains(&value)),
            Test::Priority(all) => incident.priority.is_some_and(|value| all.contains(&value)),
            Test::Detection(all) => incident.detection.is_some_and(|value| all.contains(&value)),
            Test::Origins(all) => incident.origins.iter().any(|text| one_of(all, Some(text))),
            Test::Categories(all) => incident.categories.iter().any(|text| one_of(all, Some(text))),
            Test::Published(wanted) => incident.published == Some(*wanted),
            Test::Starred(wanted) => incident.starred == Some(*wanted),
            Test::CreatedManually(wanted) => incident.created_manually == Some(*wanted),
            Test::CloudManagement(all) => {
                let value = incident.exposure.as_ref().and_then(|exposure| exposure.cloud_management);
                value.is_some_and(|value| all.contains(&value))
            }
            Test::CloudIntegrations(all) => {
                one_of(all, incident.exposure.as_ref().and_then(|exposure| exposure.cloud_integration.as_ref()))
            }
            Test::Time(field, range) => field.of(incident).is_some_and(|time| range.contains(time)),
            links => links.matches_links(incident),
        }
    }

    /// The tests on links to other records.
    fn matches_links(&self, incident: &Incident) -> bool {
        match self {
            Test::Owners(refs) => incident.owners.iter().any(|link| names_owner(refs, link, incident)),
            Test::Unassigned(wanted) => incident.unassigned() == *wanted,
            Test::CreatedBy(refs) => incident.created_by.iter().any(|link| names_owner(refs, link, incident)),
            Test::Assets(keys) => incident.assets.iter().any(|link| keys.contains(&link.asset.key)),
            Test::Threats(keys) => incident.threats.iter().any(|link| keys.contains(&link.threat.key)),
            Test::Tags(refs) => incident.tags.iter().any(|link| names_tag(refs, link)),
            Test::Qualifications(keys) => holds(keys, &incident.qualifications),
            Test::Entities(keys) => holds(keys, &incident.entities),
            Test::RelatedRecords(keys) => incident.related_records.iter().any(|link| keys.contains(&link.record.key)),
            Test::Scopes(keys) => incident.scope.iter().any(|link| keys.contains(&link.key)),
            _ => false,
        }
    }
}

impl TimeField {
    /// The field as reports name it.
    pub fn field(self) -> IncidentField {
        use IncidentField as F;
        match self {
            TimeField::Created => F::CreatedAt,
            TimeField::Updated => F::UpdatedAt,
            TimeField::StatusChanged => F::StatusChangedAt,
            TimeField::Occurred => F::OccurredAt,
            TimeField::Detected => F::DetectedAt,
            TimeField::Reported => F::ReportedAt,
            TimeField::Responded => F::RespondedAt,
            TimeField::Contained => F::ContainedAt,
            TimeField::Resolved => F::ResolvedAt,
            TimeField::Due => F::DueAt,
        }
    }

    fn of(self, incident: &Incident) -> Option<Time> {
        match self {
            TimeField::Created => incident.created_at,
            TimeField::Updated => incident.updated_at,
            TimeField::StatusChanged => incident.status_changed_at,
            TimeField::Occurred => incident.occurred_at,
            TimeField::Detected => incident.detected_at,
            TimeField::Reported => incident.reported_at,
            TimeField::Responded => incident.responded_at,
            TimeField::Contained => incident.contained_at,
            TimeField::Resolved => incident.resolved_at,
            TimeField::Due => incident.due_at,
        }
    }
}

fn one_of(all: &[String], text: Option<&Text>) -> bool {
    text.is_some_and(|text| all.iter().any(|other| **other == **text))
}

fn holds(keys: &[Key], links: &[Link]) -> bool {
    links.iter().any(|link| keys.contains(&link.key))
}

fn names_owner(refs: &[OwnerRef], link: &Link, incident: &Incident) -> bool {
    refs.iter().any(|owner| match owner {
        OwnerRef::Key(key) => *key == link.key,
        OwnerRef::SourceId(id) => *id == link.key.native.to_string(),
        OwnerRef::Email(email) => incident.embedded.iter().any(|record| match record {
            Record::Owner(owner) if owner.key == link.key => {
                owner.profile.email.as_ref().is_some_and(|known| known.to_lowercase() == email.to_lowercase())
            }
            _ => false,
        }),
    })
}

fn names_tag(refs: &[TagRef], link: &Link) -> bool {
    refs.iter().any(|tag| match tag {
        TagRef::Key(key) => *key == link.key,
        TagRef::Name(name) => link.name.as_ref().is_some_and(|text| text.to_lowercase() == name.to_lowercase()),
    })
}
