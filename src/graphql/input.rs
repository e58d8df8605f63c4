//! What clients send about incidents, and its translation into the words of the domain.
//!
//! Every message names the argument by its path, as `filter.or[1].assetIds[0]`.

use super::{
    error::{ErrorCode, Fault},
    scalar::DateTime,
};
use crate::domain::{
    CloudManagement, Detection, Filter, GlobalId, IdKind, IncidentOrderField, IncidentPhase, IncidentStatus, Key,
    Level, NativeId, Order, OrderDirection, OwnerRef as DomainOwnerRef, Pattern, Resolution, Search, Severity,
    SourceKind, SourceName, TagRef as DomainTagRef, Test, TextTest, TimeField, TimeRange as DomainTimeRange,
};
use async_graphql::{ID, InputObject, OneofObject};

/// Which incidents. Fields AND together, values in one list OR together; an empty list matches nothing. Same meaning
/// whether the source or the gateway filters.
#[derive(InputObject)]
pub(crate) struct IncidentFilter {
    /// Only these sources, by the names in the configuration.
    sources: Option<Vec<String>>,
    /// Only sources that run these products.
    source_kinds: Option<Vec<SourceKind>>,
    /// Only these incidents.
    ids: Option<Vec<ID>>,
    /// Only incidents with these native ids.
    source_ids: Option<Vec<String>>,
    /// Only incidents with exactly these references.
    references: Option<Vec<String>>,
    /// Every word must occur in title, description or reference; any case; quotes hold a phrase together.
    search: Option<String>,
    /// By the title.
    title: Option<TextFilter>,
    /// By the description.
    description: Option<TextFilter>,
    /// By the text that the source generated.
    computed_description: Option<TextFilter>,
    /// By the severity in force.
    severity: Option<Vec<Severity>>,
    /// By the status.
    status: Option<Vec<IncidentStatus>>,
    /// By the phase.
    phase: Option<IncidentPhase>,
    /// By how it ended.
    resolution: Option<Vec<Resolution>>,
    /// By the priority.
    priority: Option<Vec<Level>>,
    /// By who noticed.
    detection: Option<Vec<Detection>>,
    /// By where it came from.
    origins: Option<Vec<String>>,
    /// By the kinds of its alerts.
    categories: Option<Vec<String>>,
    /// Owned by any of these.
    owners: Option<Vec<OwnerRef>>,
    /// True: without owners; false: with owners.
    unassigned: Option<bool>,
    /// Made by any of these.
    created_by: Option<Vec<OwnerRef>>,
    /// Made by a person, or by a rule.
    created_manually: Option<bool>,
    /// Tied to any of these assets.
    asset_ids: Option<Vec<ID>>,
    /// Tied to any of these threats.
    threat_ids: Option<Vec<ID>>,
    /// With any of these tags.
    tags: Option<Vec<TagRef>>,
    /// With any of these qualifications.
    qualification_ids: Option<Vec<ID>>,
    /// Concerning any of these third parties.
    entity_ids: Option<Vec<ID>>,
    /// Tied to any of these related records.
    related_record_ids: Option<Vec<ID>>,
    /// Exactly these scopes, not the ones below them.
    scope_ids: Option<Vec<ID>>,
    /// Published or not.
    published: Option<bool>,
    /// Starred or not.
    starred: Option<bool>,
    /// By whether our cloud accounts manage what is exposed.
    cloud_management: Option<Vec<CloudManagement>>,
    /// By the cloud account integration that saw it.
    cloud_integrations: Option<Vec<String>>,
    /// When the source made the record.
    created: Option<TimeRange>,
    /// When it was last changed.
    updated: Option<TimeRange>,
    /// When it got its status.
    status_changed: Option<TimeRange>,
    /// When it began.
    occurred: Option<TimeRange>,
    /// When it became known.
    detected: Option<TimeRange>,
    /// When it was reported.
    reported: Option<TimeRange>,
    /// When somebody first reacted.
    responded: Option<TimeRange>,
    /// When it could no longer spread.
    contained: Option<TimeRange>,
    /// When it was resolved.
    resolved: Option<TimeRange>,
    /// When it is due.
    due: Option<TimeRange>,
    /// All of these must hold too.
    and: Option<Vec<IncidentFilter>>,
    /// At least one of these must hold too.
    or: Option<Vec<IncidentFilter>>,
    /// This must not hold.
    not: Option<Box<IncidentFilter>>,
}

/// A test on a text. What is given must hold together. `contains` and `equals` ignore case.
#[derive(InputObject)]
pub(crate) struct TextFilter {
    /// Occurs somewhere in it.
    contains: Option<String>,
    /// Is any of these.
    equals: Option<Vec<String>>,
    /// Regular expression, unanchored, without look-around and back-references; `(?i)` ignores case.
    matches: Option<String>,
}

/// A span of time: `since` inclusive, `until` exclusive. With neither, the time only has to be known.
#[derive(InputObject)]
pub(crate) struct TimeRange {
    /// Not before.
    since: Option<DateTime>,
    /// Before.
    until: Option<DateTime>,
}

/// An order. Nulls come last in both directions; ties are broken by source, then native id.
#[derive(InputObject)]
pub(crate) struct IncidentOrder {
    /// What to sort by.
    field: IncidentOrderField,
    /// Which end comes first.
    #[graphql(default_with = "OrderDirection::Desc")]
    direction: OrderDirection,
}

/// Names one incident.
#[derive(OneofObject)]
pub(crate) enum IncidentRef {
    /// By our id.
    Id(ID),
    /// By what the source calls it.
    Native(NativeRef),
}

/// Names an incident by what its source calls it.
#[derive(InputObject)]
pub(crate) struct NativeRef {
    /// The source's name in the configuration.
    pub source: String,
    /// The vendor's own id or the reference that people use.
    pub id: String,
}

/// Names a person or team.
#[derive(OneofObject)]
pub(crate) enum OwnerRef {
    /// By our id.
    Id(ID),
    /// By e-mail, in every source asked.
    Email(String),
    /// By the source's own id.
    SourceId(String),
}

/// Names a tag.
#[derive(OneofObject)]
pub(crate) enum TagRef {
    /// By our id.
    Id(ID),
    /// By its name, any case, in every source asked.
    Name(String),
}

/// The order asked for; newest created first if none.
pub(crate) fn order(order: Option<&IncidentOrder>) -> Order {
    order.map_or_else(Order::default, |order| Order { field: order.field, direction: order.direction })
}

/// A record of the given kind, by an id that a client sent.
pub(crate) fn key(id: &str, kind: IdKind, argument: &str) -> Result<Key, Fault> {
    match id.parse::<GlobalId>() {
        Ok(global) if global.kind == kind => Ok(global.key),
        Ok(_) => Err(Fault::input(argument, format!("is the id of something else than {}.", what(kind)))),
        Err(_) => Err(Fault::input(argument, "is not an id given out by this gateway.")),
    }
}

fn what(kind: IdKind) -> &'static str {
    match kind {
        IdKind::Source => "a source",
        IdKind::Incident => "an incident",
        IdKind::Asset => "an asset",
        IdKind::Threat => "a threat",
        IdKind::Owner => "an owner",
        IdKind::Evidence => "evidence",
        IdKind::Scope => "a scope",
        IdKind::Tag => "a tag",
        IdKind::Term => "a term",
        IdKind::RelatedRecord => "a related record",
        IdKind::Comment => "a comment",
        IdKind::Activity => "an activity",
    }
}

fn keys(ids: &[ID], kind: IdKind, argument: &str) -> Result<Vec<Key>, Fault> {
    ids.iter().enumerate().map(|(index, id)| key(id, kind, &format!("{argument}[{index}]"))).collect()
}

/// Collects the tests of one filter; `at` is the path of the filter itself.
struct Tests<'a> {
    at: &'a str,
    parts: Vec<Filter>,
}

impl Tests<'_> {
    fn add(&mut self, test: Option<Test>) {
        self.parts.extend(test.map(Filter::Test));
    }

    fn keys(
        &mut self,
        ids: Option<&Vec<ID>>,
        kind: IdKind,
        name: &str,
        test: impl FnOnce(Vec<Key>) -> Test,
    ) -> Result<(), Fault> {
        if let Some(ids) = ids {
            let keys = keys(ids, kind, &format!("{}.{name}", self.at))?;
            self.add(Some(test(keys)));
        }
        Ok(())
    }

    fn text(
        &mut self,
        given: Option<&TextFilter>,
        name: &str,
        test: impl FnOnce(TextTest) -> Test,
    ) -> Result<(), Fault> {
        let Some(given) = given else { return Ok(()) };
        let pattern = given.matches.as_deref().map(Pattern::parse).transpose();
        let pattern = pattern.map_err(|what| Fault::input(&format!("{}.{name}.matches", self.at), what))?;
        self.add(Some(test(TextTest::new(given.contains.as_deref(), given.equals.as_deref(), pattern))));
        Ok(())
    }

    fn time(&mut self, given: Option<&TimeRange>, field: TimeField) {
        self.add(given.map(|given| {
            let range =
                DomainTimeRange { since: given.since.map(|time| time.0), until: given.until.map(|time| time.0) };
            Test::Time(field, range)
        }));
    }

    fn owners(
        &mut self,
        refs: Option<&Vec<OwnerRef>>,
        name: &str,
        test: impl FnOnce(Vec<DomainOwnerRef>) -> Test,
    ) -> Result<(), Fault> {
        let Some(refs) = refs else { return Ok(()) };
        let read = refs.iter().enumerate().map(|(index, owner)| match owner {
            OwnerRef::Id(id) => {
                let argument = format!("{}.{name}[{index}].id", self.at);
                key(id, IdKind::Owner, &argument).map(DomainOwnerRef::Key)
            }
            OwnerRef::Email(email) => Ok(DomainOwnerRef::Email(email.clone())),
            OwnerRef::SourceId(id) => Ok(DomainOwnerRef::SourceId(id.clone())),
        });
        let read: Vec<DomainOwnerRef> = read.collect::<Result<_, _>>()?;
        self.add(Some(test(read)));
        Ok(())
    }

    fn tags(&mut self, refs: Option<&Vec<TagRef>>) -> Result<(), Fault> {
        let Some(refs) = refs else { return Ok(()) };
        let read = refs.iter().enumerate().map(|(index, tag)| match tag {
            TagRef::Id(id) => key(id, IdKind::Tag, &format!("{}.tags[{index}].id", self.at)).map(DomainTagRef::Key),
            TagRef::Name(name) => Ok(DomainTagRef::Name(name.clone())),
        });
        let read: Vec<DomainTagRef> = read.collect::<Result<_, _>>()?;
        self.add(Some(Test::Tags(read)));
        Ok(())
    }
}

/// Every row is looked at for every condition. A list of values is one condition.
const MAX_CONDITIONS: usize = 500;
/// Likewise.
const MAX_TERMS: usize = 100;

impl IncidentFilter {
    /// The filter in the words of the domain. `at`: the argument's path, for messages.
    ///
    /// # Errors
    /// Bad input with its place; `COST_LIMIT` for a filter of so many conditions that looking at each row would take long.
    pub(crate) fn read(&self, at: &str) -> Result<Filter, Fault> {
        let filter = self.read_part(at)?;
        let (mut conditions, mut terms) = (0, 0);
        filter.visit(&mut |test| {
            conditions += 1;
            terms += if let Test::Search(search) = test { search.terms().len() } else { 0 };
        });
        for (number, limit, what) in [(conditions, MAX_CONDITIONS, "conditions"), (terms, MAX_TERMS, "search terms")] {
            if number > limit {
                let message = format!("`{at}` has {number} {what}; at most {limit} are allowed.");
                let limit = Some((number as u64, limit as u64));
                return Err(Fault { limit, ..Fault::new(ErrorCode::CostLimit, message) });
            }
        }
        Ok(filter)
    }

    fn read_part(&self, at: &str) -> Result<Filter, Fault> {
        let mut tests = Tests { at, parts: vec![] };
        self.read_identity(&mut tests)?;
        self.read_words(&mut tests)?;
        self.read_links(&mut tests)?;
        self.read_times(&mut tests);
        let mut parts = tests.parts;
        for (index, filter) in self.and.iter().flatten().enumerate() {
            parts.push(filter.read_part(&format!("{at}.and[{index}]"))?);
        }
        if let Some(any) = &self.or {
            let any = any.iter().enumerate().map(|(index, filter)| filter.read_part(&format!("{at}.or[{index}]")));
            parts.push(Filter::Any(any.collect::<Result<_, _>>()?));
        }
        if let Some(not) = &self.not {
            parts.push(Filter::Not(Box::new(not.read_part(&format!("{at}.not"))?)));
        }
        Ok(Filter::All(parts))
    }

    fn read_identity(&self, tests: &mut Tests<'_>) -> Result<(), Fault> {
        let names = |names: &Vec<String>| Test::Sources(names.iter().map(|name| SourceName::new(name)).collect());
        tests.add(self.sources.as_ref().map(names));
        tests.add(self.source_kinds.clone().map(Test::SourceKinds));
        tests.keys(self.ids.as_ref(), IdKind::Incident, "ids", Test::Ids)?;
        let natives = |ids: &Vec<String>| Test::SourceIds(ids.iter().flat_map(|id| NativeId::typed(id)).collect());
        tests.add(self.source_ids.as_ref().map(natives));
        tests.add(self.references.clone().map(Test::References));
        Ok(())
    }

    fn read_words(&self, tests: &mut Tests<'_>) -> Result<(), Fault> {
        tests.add(self.search.as_deref().map(|typed| Test::Search(Search::parse(typed))));
        tests.text(self.title.as_ref(), "title", Test::Title)?;
        tests.text(self.description.as_ref(), "description", Test::Description)?;
        tests.text(self.computed_description.as_ref(), "computedDescription", Test::ComputedDescription)?;
        tests.add(self.severity.clone().map(Test::Severity));
        tests.add(self.status.clone().map(Test::Status));
        tests.add(self.phase.map(Test::Phase));
        tests.add(self.resolution.clone().map(Test::Resolution));
        tests.add(self.priority.clone().map(Test::Priority));
        tests.add(self.detection.clone().map(Test::Detection));
        tests.add(self.origins.clone().map(Test::Origins));
        tests.add(self.categories.clone().map(Test::Categories));
        tests.add(self.created_manually.map(Test::CreatedManually));
        tests.add(self.published.map(Test::Published));
        tests.add(self.starred.map(Test::Starred));
        tests.add(self.cloud_management.clone().map(Test::CloudManagement));
        tests.add(self.cloud_integrations.clone().map(Test::CloudIntegrations));
        Ok(())
    }

    fn read_links(&self, tests: &mut Tests<'_>) -> Result<(), Fault> {
        tests.owners(self.owners.as_ref(), "owners", Test::Owners)?;
        tests.add(self.unassigned.map(Test::Unassigned));
        tests.owners(self.created_by.as_ref(), "createdBy", Test::CreatedBy)?;
        tests.keys(self.asset_ids.as_ref(), IdKind::Asset, "assetIds", Test::Assets)?;
        tests.keys(self.threat_ids.as_ref(), IdKind::Threat, "threatIds", Test::Threats)?;
        tests.tags(self.tags.as_ref())?;
        tests.keys(self.qualification_ids.as_ref(), IdKind::Term, "qualificationIds", Test::Qualifications)?;
        tests.keys(self.entity_ids.as_ref(), IdKind::RelatedRecord, "entityIds", Test::Entities)?;
        let related = self.related_record_ids.as_ref();
        tests.keys(related, IdKind::RelatedRecord, "relatedRecordIds", Test::RelatedRecords)?;
        tests.keys(self.scope_ids.as_ref(), IdKind::Scope, "scopeIds", Test::Scopes)
    }

    fn read_times(&self, tests: &mut Tests<'_>) {
        for (given, field) in [
            (&self.created, TimeField::Created),
            (&self.updated, TimeField::Updated),
            (&self.status_changed, TimeField::StatusChanged),
            (&self.occurred, TimeField::Occurred),
            (&self.detected, TimeField::Detected),
            (&self.reported, TimeField::Reported),
            (&self.responded, TimeField::Responded),
            (&self.contained, TimeField::Contained),
            (&self.resolved, TimeField::Resolved),
            (&self.due, TimeField::Due),
        ] {
            tests.time(given.as_ref(), field);
        }
    }
}
