//! Selection → plan. Pure: no loading, nothing asynchronous, no JSON.

use super::{
    error::{ErrorCode, Fault},
    object::{Erased, Field, FromLink, Object, Value, Wants},
};
use crate::{
    domain::{RecordKind, RowParts},
    source::Want,
};
use async_graphql::{
    Name, Pos, Positioned, Value as Const, Variables,
    indexmap::IndexMap,
    parser::types::{Field as Selected, FragmentDefinition, Selection, SelectionSet, VariableDefinition},
};
use std::collections::{HashMap, HashSet};

/// What to render of one object type, in the order asked.
pub(crate) struct Plan {
    /// Distinguishes plans within one request.
    pub id: usize,
    pub object: &'static Object,
    pub fields: Vec<Planned>,
    /// Something in here or below may have to be loaded.
    pub loads: bool,
    /// Whether a link alone can show all this.
    pub from_link: LinkShows,
}

/// Whether links show a plan, so that the records need not be loaded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum LinkShows {
    Always,
    /// Where the link has a text beside the id.
    WithName,
    Never,
}

/// One response key.
pub(crate) struct Planned {
    /// The key as JSON with its colon: `"title":`.
    pub key: String,
    pub pos: Pos,
    pub step: Step,
}

impl Planned {
    /// The key without quotes and colon.
    pub(crate) fn name(&self) -> &str {
        &self.key[1..self.key.len() - 2]
    }
}

/// What stands under a response key.
pub(crate) enum Step {
    Typename,
    Leaf(&'static Field),
    Branch {
        field: &'static Field,
        arguments: Option<Box<Erased>>,
        below: Vec<Plan>,
    },
    /// Refused while planning: no permission, or an argument that cannot be used.
    Refused(&'static Field, Fault),
}

/// The plan for objects of this type; a place has one plan for each object type that may stand there.
pub(crate) fn plan_for<'a>(plans: &'a [Plan], object: &'static Object) -> &'a Plan {
    plans.iter().find(|plan| std::ptr::eq(plan.object, object)).expect("validation admits only possible types")
}

impl Plan {
    /// Every branch of this name, under whatever alias.
    pub(crate) fn branches<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (Option<&'a Erased>, &'a [Plan])> {
        self.fields.iter().filter_map(move |planned| match &planned.step {
            Step::Branch { field, arguments, below } if field.name == name => {
                Some((arguments.as_deref(), below.as_slice()))
            }
            _ => None,
        })
    }

    /// Whether a field of this name is asked for.
    pub(crate) fn selects(&self, name: &str) -> bool {
        self.fields.iter().any(|planned| match &planned.step {
            Step::Leaf(field) | Step::Branch { field, .. } => field.name == name,
            Step::Typename | Step::Refused(..) => false,
        })
    }
}

/// What is wanted of each kind of record, anywhere in an answer: one load then serves every place.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct WantByKind {
    kinds: [Want; RecordKind::ALL.len()],
    /// Of rows that are kept: the same for all kinds, as each may be told by rows.
    rows: RowParts,
}

impl WantByKind {
    pub(crate) fn of(plans: &[Plan]) -> Self {
        let mut wanted = WantByKind::default();
        plans.iter().for_each(|plan| wanted.add(plan));
        wanted
    }

    fn add(&mut self, plan: &Plan) {
        if let Some(kind) = plan.object.record {
            self.rows = self.rows.or(RowParts::records(kind));
        }
        for planned in &plan.fields {
            let (field, below) = match &planned.step {
                Step::Leaf(field) => (field, &[][..]),
                Step::Branch { field, below, .. } => (field, below.as_slice()),
                Step::Typename | Step::Refused(..) => continue,
            };
            // A detail (a comment, an activity) is no record; its incident's kind stands for it.
            let want = &mut self.kinds[plan.object.record.unwrap_or(RecordKind::Incident) as usize];
            match field.wants {
                Wants::Nothing => {}
                Wants::Raw => want.raw = true,
                Wants::Profile => want.profile = true,
                Wants::Text => self.rows = self.rows.or(RowParts::TEXTS),
                Wants::Detail => self.rows = self.rows.or(RowParts::TOLD),
            }
            below.iter().for_each(|plan| self.add(plan));
        }
    }

    /// Of a list of this kind.
    pub(crate) fn of_list(&self, kind: RecordKind) -> Want {
        let mut want = Want { rows: self.rows, ..self.kinds[kind as usize] };
        if kind == RecordKind::Incident {
            // Records may come with incidents, and are then as received only if incidents are.
            want.raw = self.kinds.iter().any(|want| want.raw);
        }
        want
    }

    /// Of records of this kind that are loaded by key. Which parts of rows an answer looks at is left out, or what two root
    /// fields need could not be asked for together: incidents are had whole.
    pub(crate) fn of_batch(&self, kind: RecordKind) -> Want {
        let rows = if kind == RecordKind::Incident { RowParts::ALL } else { RowParts::NONE };
        Want { rows, ..self.of_list(kind) }
    }
}

/// Makes plans from the selections of one request.
pub(crate) struct Planner<'a> {
    pub fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    pub variables: &'a Variables,
    pub definitions: &'a [Positioned<VariableDefinition>],
    /// Whether the caller may read records as received.
    pub may_read_raw: bool,
    pub count: usize,
}

impl<'a> Planner<'a> {
    /// One plan for each of `objects`, all from the same selection.
    pub(crate) fn plans(&mut self, objects: &[&'static Object], sets: &[&'a SelectionSet]) -> Vec<Plan> {
        objects.iter().map(|object| self.plan(object, sets)).collect()
    }

    fn plan(&mut self, object: &'static Object, sets: &[&'a SelectionSet]) -> Plan {
        let mut groups = IndexMap::new();
        let mut spread = HashSet::new();
        for set in sets {
            self.collect(object, set, &mut spread, &mut groups);
        }
        self.count += 1;
        let id = self.count;
        let fields: Vec<Planned> = groups.into_iter().map(|(key, group)| self.planned(object, key, &group)).collect();
        let loads = fields.iter().any(|planned| may_load(&planned.step));
        let from_link = fields.iter().map(|planned| link_shows(&planned.step)).max().unwrap_or(LinkShows::Always);
        Plan { id, object, fields, loads, from_link }
    }

    /// CollectFields of the specification: fields that apply to `object`, grouped by response key.
    fn collect(
        &self,
        object: &Object,
        set: &'a SelectionSet,
        spread: &mut HashSet<&'a str>,
        groups: &mut IndexMap<&'a str, Vec<&'a Positioned<Selected>>>,
    ) {
        for selection in &set.items {
            if !self.included(selection.node.directives()) {
                continue;
            }
            let (condition, inner) = match &selection.node {
                Selection::Field(field) => {
                    groups.entry(field.node.response_key().node.as_str()).or_default().push(field);
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set)
                }
                Selection::FragmentSpread(used) => {
                    let name = &used.node.fragment_name.node;
                    let Some(fragment) = self.fragments.get(name) else { continue };
                    if !spread.insert(name) {
                        continue;
                    }
                    (Some(&fragment.node.type_condition), &fragment.node.selection_set)
                }
            };
            if condition.is_none_or(|condition| object.is(&condition.node.on.node)) {
                self.collect(object, &inner.node, spread, groups);
            }
        }
    }

    /// `@skip` and `@include`.
    fn included(&self, directives: &[Positioned<async_graphql::parser::types::Directive>]) -> bool {
        directives.iter().all(|directive| {
            let condition = directive.node.get_argument("if").and_then(|value| self.constant(&value.node));
            let holds = matches!(condition, Some(Const::Boolean(true)));
            match directive.node.name.node.as_str() {
                "skip" => !holds,
                "include" => holds,
                _ => true,
            }
        })
    }

    fn planned(&mut self, object: &'static Object, key: &str, group: &[&'a Positioned<Selected>]) -> Planned {
        let first = group[0];
        let step = match object.field(first.node.name.node.as_str()) {
            // Validation admits no other name that is not declared.
            None => Step::Typename,
            Some(field) => self.step(field, group),
        };
        Planned { key: format!("\"{key}\":"), pos: first.pos, step }
    }

    fn step(&mut self, field: &'static Field, group: &[&'a Positioned<Selected>]) -> Step {
        if field.wants == Wants::Raw && !self.may_read_raw {
            let text = "`raw` needs the permission RAW.";
            return Step::Refused(field, Fault::new(ErrorCode::Forbidden, text));
        }
        let Value::Branch { of, .. } = &field.value else { return Step::Leaf(field) };
        let arguments = match &field.arguments {
            None => None,
            Some(arguments) => match (arguments.parse)(self.arguments(&group[0].node)) {
                Ok(arguments) => Some(arguments),
                Err(fault) => return Step::Refused(field, fault),
            },
        };
        let sets: Vec<&SelectionSet> = group.iter().map(|field| &field.node.selection_set.node).collect();
        Step::Branch { field, arguments, below: self.plans(&[of()], &sets) }
    }

    /// The arguments as given; one whose variable has no value counts as not given.
    fn arguments(&self, field: &Selected) -> IndexMap<Name, Const> {
        let given = field.arguments.iter();
        given.filter_map(|(name, value)| Some((name.node.clone(), self.constant(&value.node)?))).collect()
    }

    fn constant(&self, value: &async_graphql_value::Value) -> Option<Const> {
        use async_graphql_value::Value as Written;
        Some(match value {
            Written::Variable(name) => {
                let default = || {
                    let definition = self.definitions.iter().find(|definition| definition.node.name.node == *name)?;
                    definition.node.default_value.as_ref()
                };
                self.variables.get(name).or_else(|| default().map(|default| &default.node))?.clone()
            }
            Written::List(items) => {
                Const::List(items.iter().map(|item| self.constant(item).unwrap_or(Const::Null)).collect())
            }
            Written::Object(map) => Const::Object(
                map.iter().filter_map(|(name, item)| Some((name.clone(), self.constant(item)?))).collect(),
            ),
            other => other.clone().into_const()?,
        })
    }
}

/// Whether a field, or anything below it, may have to be loaded.
fn may_load(step: &Step) -> bool {
    let Step::Branch { field, below, .. } = step else { return false };
    let Value::Branch { may_hold, .. } = &field.value else { return false };
    let links = |plan: &Plan| plan.object.record.is_some() && plan.from_link != LinkShows::Always;
    *may_hold || below.iter().any(|plan| plan.loads || links(plan))
}

fn link_shows(step: &Step) -> LinkShows {
    match step {
        Step::Typename => LinkShows::Always,
        // An error is the same whether the record was loaded or not, but a null that bubbles is not: load it.
        Step::Refused(..) => LinkShows::Never,
        Step::Leaf(field) | Step::Branch { field, .. } => match field.from_link {
            FromLink::No => LinkShows::Never,
            // What is asked of the source is loaded by the source's own name.
            FromLink::Key(_) | FromLink::Source => LinkShows::Always,
            FromLink::Name => LinkShows::WithName,
        },
    }
}
