//! Plan and store → JSON text, in one pass, with null propagation and error paths. Pure.

use super::{
    error::{ErrorCode, Fault},
    faults::Faults,
    json::Json,
    load::shown_by_link,
    object::{Child, Declared, Erased, FromLink, Hold, Value},
    plan::{Plan, Planned, Step, plan_for},
    records,
    store::{Loaded, Store},
};
use crate::{domain::Link, source::SourceInfo};
use async_graphql::{PathSegment, Pos};
use rustc_hash::FxHashMap;
use std::{ops::Range, sync::Arc};

/// The text of a place, and what went wrong below it.
pub(crate) struct Rendered {
    /// None: the place itself must be null.
    pub json: Option<String>,
    pub faults: Faults,
}

/// Renders `root`, which stands at a place of type `ty`.
pub(crate) fn render(ty: &str, plans: &[Plan], root: &Child<'_>, store: &Store, pos: Pos) -> Rendered {
    let mut render = Render {
        store,
        json: Json::with_capacity(4096),
        path: vec![],
        faults: Faults::default(),
        rendered: FxHashMap::default(),
    };
    let outcome = render.place(ty, plans, root, pos);
    Rendered { json: outcome.is_ok().then_some(render.json.into_text()), faults: render.faults }
}

/// Null at a place that must not be null; the next place above that may be null becomes it.
struct Bubble;

/// What stands at a place.
enum Present {
    Written,
    /// There is nothing, so null.
    Nothing,
}

#[derive(Clone, Copy)]
enum Segment<'p> {
    Key(&'p Planned),
    Index(usize),
}

struct Render<'p> {
    store: &'p Store,
    json: Json,
    path: Vec<Segment<'p>>,
    faults: Faults,
    /// Where in `json` a record already stands, rendered by a plan without any error.
    rendered: FxHashMap<(usize, *const ()), Range<usize>>,
}

impl<'p> Render<'p> {
    /// Writes the value or null, or bubbles where null is not allowed.
    fn place(&mut self, ty: &str, plans: &'p [Plan], child: &Child<'_>, pos: Pos) -> Result<(), Bubble> {
        let (ty, required) = unwrap_required(ty);
        let start = self.json.len();
        let present = match child.len() {
            Some(length) => self.list(element(ty), plans, child, length, pos),
            None => self.single(plans, child, pos),
        };
        match present {
            Ok(Present::Written) => Ok(()),
            Ok(Present::Nothing) if required => {
                self.fail(&Fault::new(ErrorCode::NotFound, "There is no such record."), pos);
                Err(Bubble)
            }
            Ok(Present::Nothing) => {
                self.json.raw("null");
                Ok(())
            }
            Err(Bubble) => self.null_instead(start, required),
        }
    }

    /// Takes back what was written since `start`.
    fn null_instead(&mut self, start: usize, required: bool) -> Result<(), Bubble> {
        self.json.truncate(start);
        self.rendered.retain(|_, range| range.end <= start);
        if required {
            return Err(Bubble);
        }
        self.json.raw("null");
        Ok(())
    }

    fn list(
        &mut self,
        ty: &str,
        plans: &'p [Plan],
        list: &Child<'_>,
        length: usize,
        pos: Pos,
    ) -> Result<Present, Bubble> {
        self.json.raw("[");
        let mut written = 0;
        for index in 0..length {
            let item = list.at(index);
            if self.dangles(plans, &item) || self.edge_dangles(plans, &item) {
                continue;
            }
            if written > 0 {
                self.json.raw(",");
            }
            self.path.push(Segment::Index(written));
            let outcome = self.place(ty, plans, &item, pos);
            self.path.pop();
            outcome?;
            written += 1;
        }
        self.json.raw("]");
        Ok(Present::Written)
    }

    /// A link to a record that was looked for and is not there: gone or hidden, its source does not say which.
    fn dangles(&self, plans: &[Plan], child: &Child<'_>) -> bool {
        let Child::Link(kind, link) = child else { return false };
        let plan = plan_for(plans, records::object(*kind));
        !shown_by_link(plan, link) && matches!(self.store.record(*kind, &link.key), Some(Loaded::Nothing))
    }

    /// An edge of which the record that it stands for is not there.
    fn edge_dangles(&self, plans: &[Plan], child: &Child<'_>) -> bool {
        let (Child::Here(edge), [plan]) = (child, plans) else { return false };
        let Some(stands_for) = &plan.object.stands_for else { return false };
        let (kind, link) = stands_for(*edge);
        plan.branches("node").any(|(_, below)| self.dangles(below, &Child::Link(kind, link)))
    }

    fn single(&mut self, plans: &'p [Plan], child: &Child<'_>, pos: Pos) -> Result<Present, Bubble> {
        match child {
            Child::Here(record) => self.object(&plans[0], *record)?,
            Child::Made(record) => self.object(&plans[0], &**record)?,
            Child::Source(name) => match self.store.lookup().source(name) {
                Some(source) => self.object(plan_for(plans, SourceInfo::object()), source)?,
                None => return Ok(Present::Nothing),
            },
            Child::Link(kind, link) => {
                let plan = plan_for(plans, records::object(*kind));
                if shown_by_link(plan, link) {
                    self.link(plan, link, None)?;
                } else {
                    match self.store.record(*kind, &link.key) {
                        Some(Loaded::Failed(fault)) => self.link(plan, link, Some(fault))?,
                        loaded => return self.loaded(plan, loaded, pos),
                    }
                }
            }
            Child::Sought(need) => match self.store.get(need) {
                Some(Loaded::Nothing) | None => return self.missing(pos),
                loaded => return self.loaded(records::plan_of(plans, need), loaded, pos),
            },
            Child::Missing => return self.missing(pos),
            Child::Wrong(fault) => {
                self.fail(fault, pos);
                return Err(Bubble);
            }
            _ => return Ok(Present::Nothing),
        }
        Ok(Present::Written)
    }

    /// What a client named is not there.
    fn missing(&mut self, pos: Pos) -> Result<Present, Bubble> {
        self.fail(&Fault::new(ErrorCode::NotFound, "There is no such record, or the gateway may not see it."), pos);
        Err(Bubble)
    }

    fn loaded(&mut self, plan: &'p Plan, loaded: Option<&Loaded>, pos: Pos) -> Result<Present, Bubble> {
        match loaded {
            Some(Loaded::Found(record) | Loaded::Partly(record, _)) => self.entity(plan, record)?,
            Some(Loaded::Failed(fault)) => {
                self.fail(fault, pos);
                return Err(Bubble);
            }
            Some(Loaded::Nothing) | None => return Ok(Present::Nothing),
        }
        Ok(Present::Written)
    }

    /// Each distinct record once per plan; after that its text is copied. One with errors is rendered again, for their paths.
    fn entity(&mut self, plan: &'p Plan, record: &Arc<Erased>) -> Result<(), Bubble> {
        let key = (plan.id, Arc::as_ptr(record).cast());
        if let Some(range) = self.rendered.get(&key) {
            self.json.repeat(range.clone());
            return Ok(());
        }
        let (start, faults) = (self.json.len(), self.faults.seen());
        self.object(plan, &**record)?;
        if self.faults.seen() == faults {
            self.rendered.insert(key, start..self.json.len());
        }
        Ok(())
    }

    /// What a link alone shows of its record. Where the record was looked for and failed, the rest is null, with `fault`.
    fn link(&mut self, plan: &'p Plan, link: &Link, fault: Option<&Fault>) -> Result<(), Bubble> {
        self.members(plan, |render, planned| {
            let (field, below) = match &planned.step {
                Step::Typename => {
                    render.json.text(plan.object.name);
                    return Ok(());
                }
                Step::Refused(field, fault) => return render.null_with(&field.ty, fault, planned.pos),
                Step::Leaf(field) => (field, &[][..]),
                Step::Branch { field, below, .. } => (field, below.as_slice()),
            };
            match (&field.from_link, &link.name, fault) {
                (FromLink::Key(write), ..) => write(link, &mut render.json),
                (FromLink::Source, ..) => {
                    return render.place(&field.ty, below, &Child::Source(&link.key.source), planned.pos);
                }
                (FromLink::Name, Some(name), _) => render.json.text(name),
                (_, _, Some(fault)) => return render.null_with(&field.ty, fault, planned.pos),
                (_, _, None) => render.json.raw("null"),
            }
            Ok(())
        })
    }

    fn object(&mut self, plan: &'p Plan, record: &Erased) -> Result<(), Bubble> {
        self.members(plan, |render, planned| render.field(plan, planned, record))
    }

    /// The braces, keys and commas of an object.
    fn members(
        &mut self,
        plan: &'p Plan,
        mut write: impl FnMut(&mut Self, &'p Planned) -> Result<(), Bubble>,
    ) -> Result<(), Bubble> {
        let mut open = "{";
        for planned in &plan.fields {
            self.json.raw(open);
            self.json.raw(&planned.key);
            self.path.push(Segment::Key(planned));
            let outcome = write(self, planned);
            self.path.pop();
            outcome?;
            open = ",";
        }
        self.json.raw(if plan.fields.is_empty() { "{}" } else { "}" });
        Ok(())
    }

    fn field(&mut self, plan: &Plan, planned: &'p Planned, record: &Erased) -> Result<(), Bubble> {
        let (field, arguments, below) = match &planned.step {
            Step::Typename => {
                self.json.text(plan.object.name);
                return Ok(());
            }
            Step::Refused(field, fault) => return self.null_with(&field.ty, fault, planned.pos),
            Step::Leaf(field) => (field, None, &[][..]),
            Step::Branch { field, arguments, below } => (field, arguments.as_deref(), below.as_slice()),
        };
        match &field.value {
            Value::Leaf(write) => {
                write(record, &mut self.json);
                Ok(())
            }
            Value::Made(write) => {
                write(record, self.store.lookup().session(), &mut self.json);
                Ok(())
            }
            Value::Branch { get, .. } => match get(record, arguments, &self.store.lookup()) {
                Ok(child) => self.place(&field.ty, below, &child, planned.pos),
                Err(Hold::Fault(fault)) => self.null_with(&field.ty, &fault, planned.pos),
                // Loading goes on until nothing is held for.
                Err(Hold::Wait(_)) => {
                    let fault = Fault::new(ErrorCode::Internal, "The gateway did not load what this field needs.");
                    self.null_with(&field.ty, &fault, planned.pos)
                }
            },
        }
    }

    fn null_with(&mut self, ty: &str, fault: &Fault, pos: Pos) -> Result<(), Bubble> {
        self.fail(fault, pos);
        self.null_instead(self.json.len(), unwrap_required(ty).1)
    }

    fn fail(&mut self, fault: &Fault, pos: Pos) {
        let path = self.path.iter().map(|segment| match segment {
            Segment::Key(planned) => PathSegment::Field(planned.name().to_owned()),
            Segment::Index(index) => PathSegment::Index(*index),
        });
        self.faults.add(path.collect(), pos, fault);
    }
}

fn unwrap_required(ty: &str) -> (&str, bool) {
    ty.strip_suffix('!').map_or((ty, false), |ty| (ty, true))
}

fn element(ty: &str) -> &str {
    ty.strip_prefix('[').and_then(|ty| ty.strip_suffix(']')).expect("a list stands where a list is declared")
}
