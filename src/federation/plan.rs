//! What each source is asked, by what it can do. Pure: the filter comes in with its names looked up.

use crate::{
    domain::{
        Filter, IncidentField, IncidentPhase, IncidentStatus, Key, NativeId, Order, OwnerRef, RecordKind, SourceName,
        TagRef, Test, TextTest, TimeRange, Vocabulary,
    },
    source::{Capabilities, Fit, Reference, SourceInfo},
};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// What references name at one source.
pub(super) type Names = FxHashMap<Reference, Vec<NativeId>>;

/// How one source takes part.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct SourcePlan {
    pub(super) route: Route,
    /// What the source filters by.
    pub(super) tests: Vec<Test>,
    /// What the gateway filters by; everything passes the default.
    pub(super) residual: Filter,
    pub(super) by_source: Vec<IncidentField>,
    pub(super) by_gateway: Vec<IncidentField>,
}

/// How a source's rows are found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Route {
    /// Page by page in the source's own order, which is ours.
    Ask,
    /// All rows, sorted here.
    Scan,
    /// These incidents, sorted here.
    ByIds(Vec<NativeId>),
}

impl SourcePlan {
    /// Whether the gateway leaves out rows that the source gives.
    pub(super) fn filters_here(&self) -> bool {
        self.residual != Filter::default()
    }
}

/// The filter as one source sees it, as a conjunction: what depends on the source alone is decided, keys of other
/// sources are gone, references are replaced by what they name here. Without `names`, references stay.
///
/// `Err` is the reason, a sentence, why nothing at this source can match.
pub(super) fn localize(filter: &Filter, info: &SourceInfo, names: Option<&Names>) -> Result<Vec<Filter>, String> {
    let here = Here { info, names };
    let mut conjuncts = Vec::new();
    for conjunct in filter.clone().conjuncts() {
        let reason = reason(&conjunct);
        let folded = here.fold(conjunct);
        if folded == never() {
            return Err(reason);
        }
        conjuncts.extend(folded.conjuncts());
    }
    Ok(conjuncts)
}

/// Everything that has to be looked up before the filter can be applied, sorted and distinct.
pub(super) fn references(conjuncts: &[Filter]) -> Vec<Reference> {
    let mut all = BTreeSet::new();
    for conjunct in conjuncts {
        conjunct.visit(&mut |test| match test {
            Test::Owners(refs) | Test::CreatedBy(refs) => all.extend(refs.iter().filter_map(owner_reference)),
            Test::Tags(refs) => all.extend(refs.iter().filter_map(tag_reference)),
            _ => {}
        });
    }
    all.into_iter().collect()
}

/// Parts a localized filter between source and gateway. Without an order any will do. `Err` as in [`localize`].
pub(super) fn plan(
    conjuncts: Vec<Filter>,
    order: Option<Order>,
    capabilities: &Capabilities,
) -> Result<SourcePlan, String> {
    let mut ids: Option<BTreeSet<NativeId>> = None;
    let mut parts = Parts::default();
    for conjunct in conjuncts {
        match conjunct {
            Filter::Test(Test::SourceIds(natives)) if capabilities.by_id.contains(&RecordKind::Incident) => {
                let natives: BTreeSet<NativeId> = natives.into_iter().collect();
                ids = Some(ids.map_or(natives.clone(), |ids| &ids & &natives));
                parts.by_source.add(IncidentField::Id);
            }
            Filter::Test(test) => parts.part(test, capabilities)?,
            other => {
                other.visit(&mut |test| parts.by_gateway.add(test.field()));
                parts.residual.push(other);
            }
        }
    }
    let route = match ids {
        Some(ids) if ids.is_empty() => return Err(nothing_matches(IncidentField::Id)),
        Some(ids) => {
            parts.leave_to_the_gateway();
            Route::ByIds(ids.into_iter().collect())
        }
        None if order.is_none_or(|order| capabilities.sorts(order.field, order.direction)) => Route::Ask,
        None => Route::Scan,
    };
    let Parts { tests, residual, by_source, by_gateway, .. } = parts;
    Ok(SourcePlan { route, tests, residual: Filter::All(residual), by_source: by_source.0, by_gateway: by_gateway.0 })
}

/// A filter's tests, parted.
#[derive(Default)]
struct Parts {
    tests: Vec<Test>,
    residual: Vec<Filter>,
    by_source: Fields,
    by_gateway: Fields,
    /// What the source alone applies, as it was asked for.
    pushed: Vec<Filter>,
}

impl Parts {
    /// Gives a test to whoever can apply it. `Err`: nothing can match.
    fn part(&mut self, test: Test, capabilities: &Capabilities) -> Result<(), String> {
        let asked = as_source_sees(&test, capabilities);
        let fit = capabilities.fit(&asked);
        if fit == Fit::Nothing {
            return Err(nothing_matches(test.field()));
        }
        let room = self.has_room(&asked, capabilities);
        if room && matches!(fit, Fit::Source | Fit::Both) {
            self.by_source.add(test.field());
            self.tests.push(asked);
        }
        if room && fit == Fit::Source {
            self.pushed.push(Filter::Test(test));
        } else {
            self.by_gateway.add(test.field());
            self.residual.push(Filter::Test(test));
        }
        Ok(())
    }

    /// Whether the request has room for another test.
    fn has_room(&self, asked: &Test, capabilities: &Capabilities) -> bool {
        let length: usize = self.tests.iter().chain([asked]).map(Capabilities::length).sum();
        let ranges = capabilities.is_alone(asked) && self.tests.iter().any(|other| matches!(other, Test::Time(..)));
        // Two tests of one field must both hold, which a source may read as alternatives: one is enough there.
        let twice = self.tests.iter().any(|other| other.field() == asked.field());
        length <= capabilities.list.max_filter_bytes && !ranges && !twice
    }

    /// Incidents are fetched by id alone.
    fn leave_to_the_gateway(&mut self) {
        self.tests.clear();
        self.residual.append(&mut self.pushed);
        let by_gateway = &mut self.by_gateway;
        self.by_source.0.retain(|field| {
            let kept = *field == IncidentField::Id;
            if !kept {
                by_gateway.add(*field);
            }
            kept
        });
    }
}

/// Fields in the order of their first mention.
#[derive(Default)]
struct Fields(Vec<IncidentField>);

impl Fields {
    fn add(&mut self, field: IncidentField) {
        if !self.0.contains(&field) {
            self.0.push(field);
        }
    }
}

/// A phase is asked for as its statuses, where the source has any.
fn as_source_sees(test: &Test, capabilities: &Capabilities) -> Test {
    match test {
        Test::Phase(phase) if capabilities.read.contains(&IncidentField::Status) => {
            let known = statuses_of(*phase).filter(|status| capabilities.statuses.iter().any(|s| s.status == *status));
            Test::Status(known.collect())
        }
        test => test.clone(),
    }
}

/// The statuses of a phase.
pub(super) fn statuses_of(phase: IncidentPhase) -> impl Iterator<Item = IncidentStatus> {
    IncidentStatus::WORDS.iter().map(|word| word.value).filter(move |status| status.phase() == phase)
}

fn never() -> Filter {
    Filter::Any(Vec::new())
}

fn constant(holds: bool) -> Filter {
    if holds { Filter::default() } else { never() }
}

fn reason(conjunct: &Filter) -> String {
    match conjunct {
        Filter::Test(Test::Sources(_) | Test::SourceKinds(_)) => "The filter asks for other sources.".into(),
        Filter::Test(test) => nothing_matches(test.field()),
        _ => "Nothing at this source can match the filter.".into(),
    }
}

fn nothing_matches(field: IncidentField) -> String {
    format!("Nothing at this source can match the filter on {}.", field.name())
}

fn owner_reference(owner: &OwnerRef) -> Option<Reference> {
    match owner {
        OwnerRef::Key(_) => None,
        OwnerRef::Email(email) => Some(Reference::OwnerEmail(email.clone())),
        OwnerRef::SourceId(id) => Some(Reference::OwnerSourceId(id.clone())),
    }
}

fn tag_reference(tag: &TagRef) -> Option<Reference> {
    match tag {
        TagRef::Key(_) => None,
        TagRef::Name(name) => Some(Reference::TagName(name.clone())),
    }
}

/// One source's view of a filter.
struct Here<'a> {
    info: &'a SourceInfo,
    names: Option<&'a Names>,
}

impl Here<'_> {
    /// The filter without what is decided already.
    fn fold(&self, filter: Filter) -> Filter {
        match filter {
            Filter::All(parts) => {
                let parts: Vec<Filter> = parts.into_iter().map(|part| self.fold(part)).collect();
                if parts.contains(&never()) {
                    return never();
                }
                Filter::All(parts.into_iter().filter(|part| *part != Filter::default()).collect())
            }
            Filter::Any(parts) => {
                let parts: Vec<Filter> = parts.into_iter().map(|part| self.fold(part)).collect();
                if parts.contains(&Filter::default()) {
                    return Filter::default();
                }
                Filter::Any(parts.into_iter().filter(|part| *part != never()).collect())
            }
            Filter::Not(part) => match self.fold(*part) {
                part if part == never() => Filter::default(),
                part if part == Filter::default() => never(),
                part => Filter::Not(Box::new(part)),
            },
            Filter::Test(test) => self.fold_test(test),
        }
    }

    fn fold_test(&self, test: Test) -> Filter {
        match test {
            Test::Sources(names) => constant(names.contains(&self.info.name)),
            Test::SourceKinds(kinds) => constant(kinds.contains(&self.info.kind)),
            Test::Ids(keys) => some(self.own(keys).into_iter().map(|key| key.native).collect(), Test::SourceIds),
            Test::SourceIds(ids) => some(ids, Test::SourceIds),
            Test::Assets(keys) => some(self.own(keys), Test::Assets),
            Test::Threats(keys) => some(self.own(keys), Test::Threats),
            Test::Qualifications(keys) => some(self.own(keys), Test::Qualifications),
            Test::Entities(keys) => some(self.own(keys), Test::Entities),
            Test::RelatedRecords(keys) => some(self.own(keys), Test::RelatedRecords),
            Test::Scopes(keys) => some(self.own(keys), Test::Scopes),
            Test::Owners(refs) => some(self.owners(refs), Test::Owners),
            Test::CreatedBy(refs) => some(self.owners(refs), Test::CreatedBy),
            Test::Tags(refs) => some(self.tags(refs), Test::Tags),
            Test::Search(search) if search.terms().is_empty() => constant(true),
            Test::Title(text) | Test::Description(text) | Test::ComputedDescription(text)
                if text == TextTest::default() =>
            {
                constant(true)
            }
            Test::Time(_, TimeRange { since: Some(since), until: Some(until) }) if since >= until => never(),
            test if allows_nothing(&test) => never(),
            test => Filter::Test(test),
        }
    }

    fn own(&self, keys: Vec<Key>) -> Vec<Key> {
        keys.into_iter().filter(|key| key.source == self.info.name).collect()
    }

    fn owners(&self, refs: Vec<OwnerRef>) -> Vec<OwnerRef> {
        let mut out = Vec::with_capacity(refs.len());
        for owner in refs {
            match (&owner, owner_reference(&owner), self.names) {
                (OwnerRef::Key(key), _, _) if key.source != self.info.name => {}
                (_, Some(reference), Some(names)) => {
                    out.extend(named(names, &reference, &self.info.name).map(OwnerRef::Key));
                }
                _ => out.push(owner),
            }
        }
        out
    }

    fn tags(&self, refs: Vec<TagRef>) -> Vec<TagRef> {
        let mut out = Vec::with_capacity(refs.len());
        for tag in refs {
            match (&tag, tag_reference(&tag), self.names) {
                (TagRef::Key(key), _, _) if key.source != self.info.name => {}
                (_, Some(reference), Some(names)) => {
                    out.extend(named(names, &reference, &self.info.name).map(TagRef::Key));
                }
                _ => out.push(tag),
            }
        }
        out
    }
}

/// A list of values without any: nobody need be asked.
fn allows_nothing(test: &Test) -> bool {
    match test {
        Test::References(all) | Test::Origins(all) | Test::Categories(all) | Test::CloudIntegrations(all) => {
            all.is_empty()
        }
        Test::Severity(all) => all.is_empty(),
        Test::Status(all) => all.is_empty(),
        Test::Resolution(all) => all.is_empty(),
        Test::Priority(all) => all.is_empty(),
        Test::Detection(all) => all.is_empty(),
        Test::CloudManagement(all) => all.is_empty(),
        Test::Title(text) | Test::Description(text) | Test::ComputedDescription(text) => {
            text.equal().is_some_and(<[String]>::is_empty)
        }
        _ => false,
    }
}

/// A test on a list of which an empty one matches nothing.
fn some<T>(values: Vec<T>, test: impl Fn(Vec<T>) -> Test) -> Filter {
    if values.is_empty() { never() } else { Filter::Test(test(values)) }
}

fn named<'a>(names: &'a Names, reference: &Reference, source: &'a SourceName) -> impl Iterator<Item = Key> {
    names.get(reference).into_iter().flatten().map(|native| Key { source: source.clone(), native: native.clone() })
}
