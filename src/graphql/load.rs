//! Plan → store, in waves: whatever the plan meets that the store lacks is the next wave.
//!
//! Each wave is one `load_many` per class of needs, all classes at once. Nothing depends on timers or on scheduling, so
//! the number of upstream calls is a property of the query.

use super::{
    batch::{Batch, Class},
    cost::Costs,
    entity::StatsView,
    error::{ErrorCode, Fault},
    need::Need,
    object::{Child, Declared, Erased, Hold, Value, cast},
    plan::{LinkShows, Plan, Step, WantByKind, plan_for},
    records,
    session::Session,
    store::{Loaded, Store},
};
use crate::{
    domain::{DetailPart, DetailParts, Details, Incident, Key, Link, Record, RecordKind},
    source::SourceInfo,
};
use dataloader::cached::Loader;
use futures_util::future::join_all;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Arc, Mutex};

/// What a loader answers for a need, and what the batch that it came in cost.
#[derive(Clone)]
pub(crate) struct Delivered {
    pub loaded: Loaded,
    /// Records that came along with the batch.
    pub embedded: Arc<[Record]>,
    pub costs: Arc<Costs>,
}

type BatchLoader = Loader<Need, Delivered, Batch, FxHashMap<Need, Delivered>>;

/// The loaders of one request, made when first needed; they remember for as long as the request lasts.
#[derive(Default)]
pub(crate) struct Loaders(Mutex<FxHashMap<Class, BatchLoader>>);

impl Loaders {
    fn of(&self, class: Class, session: &Arc<Session>) -> BatchLoader {
        let mut loaders = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let made = loaders.entry(class).or_insert_with(|| {
            // Waves bring all keys at once, so batches need no cap (the default splits at 200), and one yield lets the
            // other root fields of the request add theirs.
            let loader = Loader::with_cache(Batch::new(class, session), FxHashMap::default());
            loader.with_max_batch_size(usize::MAX).with_yield_count(1)
        });
        made.clone()
    }
}

/// Loads all that `plans` need of `root`; what it cost is added to `costs`.
pub(crate) async fn load(plans: &[Plan], root: &Child<'_>, session: &Arc<Session>, costs: &Costs) -> Store {
    let wanted = WantByKind::of(plans);
    let mut store = Store::new(session.clone(), wanted);
    let mut counted = Vec::new();
    loop {
        let (classes, last) = missing(plans, root, &mut store, &wanted);
        if classes.is_empty() {
            return store;
        }
        let loads = classes.into_iter().map(|(class, needs)| {
            let loader = session.loaders.of(class, session);
            async move {
                let lost = needs.clone();
                (class, loader.try_load_many(needs).await.map_err(|_| lost))
            }
        });
        for (class, answer) in join_all(loads).await {
            match answer {
                Ok(delivered) => deliver(&mut store, class, delivered, &mut counted, costs),
                Err(lost) => lost.into_iter().for_each(|need| lose(&mut store, class, need)),
            }
        }
        if last {
            return store;
        }
    }
}

/// What to load next, and whether nothing can be missing after it.
fn missing(
    plans: &[Plan],
    root: &Child<'_>,
    store: &mut Store,
    wanted: &WantByKind,
) -> (Vec<(Class, Vec<Need>)>, bool) {
    loop {
        let mut wave = Wave::of(plans, root, store);
        let embedded = std::mem::take(&mut wave.embedded);
        if embedded.is_empty() {
            let last = !wave.leads_on;
            return (wave.classes(wanted), last);
        }
        // What came with the rows may be what was missed: look again, this time knowing it.
        store.put_embedded(&embedded);
    }
}

/// Puts what came into the store; each batch's cost counts once for this answer, however many of its keys it wanted.
fn deliver(
    store: &mut Store,
    class: Class,
    delivered: std::collections::HashMap<Need, Delivered>,
    counted: &mut Vec<Arc<Costs>>,
    costs: &Costs,
) {
    for (need, Delivered { loaded, embedded, costs: batch }) in delivered {
        if !counted.iter().any(|known| Arc::ptr_eq(known, &batch)) {
            store.put_embedded(&embedded);
            costs.add_all(&batch);
            counted.push(batch);
        }
        put(store, class, need, loaded);
    }
}

/// A key of a load that was cancelled with another request's part of it.
fn lose(store: &mut Store, class: Class, need: Need) {
    put(store, class, need, Loaded::Failed(Fault::new(ErrorCode::Internal, "The gateway lost track of this record.")));
}

/// Details are asked for together and found one by one.
fn put(store: &mut Store, class: Class, need: Need, loaded: Loaded) {
    match (class, need) {
        (Class::Details(parts, _), Need::Detail(_, key)) => {
            if let Loaded::Found(details) | Loaded::Partly(details, _) = &loaded {
                store.put_embedded(&cast::<Details>(&**details).embedded);
            }
            for part in DetailPart::ALL.into_iter().filter(|part| parts.contains(*part)) {
                store.put(Need::Detail(part, key.clone()), loaded.part(part));
            }
        }
        (_, need) => store.put(need, loaded),
    }
}

/// What a plan meets and the store lacks.
struct Wave<'s> {
    store: &'s Store,
    records: [FxHashSet<Key>; RecordKind::ALL.len()],
    details: FxHashMap<Key, DetailParts>,
    others: FxHashSet<Need>,
    /// Records that rows brought along and the store lacks.
    embedded: Vec<Record>,
    /// Plan and record: an entity met twice under one plan needs nothing twice.
    seen: FxHashSet<(usize, *const ())>,
    /// What is missing may show that more is needed. Most answers end with records of which nothing more is asked; for
    /// these it saves going through the whole answer once more.
    leads_on: bool,
}

impl<'s> Wave<'s> {
    fn of(plans: &[Plan], root: &Child<'_>, store: &'s Store) -> Self {
        let mut wave = Wave {
            store,
            records: Default::default(),
            details: FxHashMap::default(),
            others: FxHashSet::default(),
            embedded: Vec::new(),
            seen: FxHashSet::default(),
            leads_on: false,
        };
        wave.child(plans, root);
        wave
    }

    /// The needs by loader. Keys are sorted, so that equal requests are equal byte for byte.
    fn classes(self, wanted: &WantByKind) -> Vec<(Class, Vec<Need>)> {
        let mut classes: FxHashMap<Class, Vec<Need>> = FxHashMap::default();
        for (kind, keys) in RecordKind::ALL.into_iter().zip(self.records).filter(|(_, keys)| !keys.is_empty()) {
            let needs = keys.into_iter().map(|key| Need::Record(kind, key)).collect();
            classes.insert(Class::Records(kind, wanted.of_batch(kind)), needs);
        }
        for (key, parts) in self.details {
            let class = Class::Details(parts, wanted.of_batch(RecordKind::Incident));
            // Which part stands for all does not matter: the loader's class says which are asked for.
            classes.entry(class).or_default().push(Need::Detail(DetailPart::Comments, key));
        }
        for need in self.others {
            classes.entry(Class::Single).or_default().push(need);
        }
        classes.into_iter().collect()
    }

    fn child(&mut self, plans: &[Plan], child: &Child<'_>) {
        if let Some(length) = child.len() {
            return (0..length).for_each(|index| self.child(plans, &child.at(index)));
        }
        match child {
            Child::Link(kind, link) => self.link(plans, *kind, link),
            Child::Sought(need) => self.record(plans, need),
            Child::Here(record) => self.object(&plans[0], *record),
            Child::Made(record) => self.object(&plans[0], &**record),
            Child::Source(name) => {
                if let Some(source) = self.store.lookup().source(name) {
                    self.object(plan_for(plans, SourceInfo::object()), source);
                }
            }
            _ => {}
        }
    }

    fn link(&mut self, plans: &[Plan], kind: RecordKind, link: &Link) {
        let plan = plan_for(plans, records::object(kind));
        if shown_by_link(plan, link) {
            return self.source_of(plan, link);
        }
        match self.store.record(kind, &link.key) {
            Some(Loaded::Found(record) | Loaded::Partly(record, _)) => self.entity(plan, record),
            Some(Loaded::Failed(_)) => self.source_of(plan, link),
            Some(Loaded::Nothing) => {}
            None => {
                self.leads_on |= plan.loads;
                self.records[kind as usize].insert(link.key.clone());
            }
        }
    }

    /// Where a link is all that is shown, only what hangs on its source can still be missing.
    fn source_of(&mut self, plan: &Plan, link: &Link) {
        for (_, below) in plan.branches("source").filter(|_| plan.loads) {
            self.child(below, &Child::Source(&link.key.source));
        }
    }

    fn record(&mut self, plans: &[Plan], need: &Need) {
        match self.store.get(need) {
            Some(Loaded::Found(record) | Loaded::Partly(record, _)) => {
                self.entity(records::plan_of(plans, need), record)
            }
            Some(Loaded::Nothing | Loaded::Failed(_)) => {}
            None => {
                self.leads_on |= records::plan_of(plans, need).loads;
                self.miss(need.clone());
            }
        }
    }

    fn miss(&mut self, need: Need) {
        match need {
            Need::Record(kind, key) => drop(self.records[kind as usize].insert(key)),
            Need::Detail(part, key) => {
                let parts = self.details.entry(key).or_default();
                *parts = parts.with(part);
            }
            other => drop(self.others.insert(other)),
        }
    }

    fn entity(&mut self, plan: &Plan, record: &Arc<Erased>) {
        if plan.loads && self.seen.insert((plan.id, Arc::as_ptr(record).cast())) {
            self.object(plan, &**record);
        }
    }

    fn object(&mut self, plan: &Plan, record: &Erased) {
        if !plan.loads {
            return;
        }
        let incident = record.downcast_ref::<Incident>().map(|incident| &incident.embedded[..]);
        let told = incident.or_else(|| record.downcast_ref::<StatsView>().map(StatsView::embedded));
        let lacks = |record: &&Record| self.store.record(record.kind(), record.key()).is_none();
        self.embedded.extend(told.into_iter().flatten().filter(lacks).cloned());
        for planned in &plan.fields {
            let Step::Branch { field, arguments, below } = &planned.step else { continue };
            let Value::Branch { get, .. } = &field.value else { continue };
            match get(record, arguments.as_deref(), &self.store.lookup()) {
                Ok(child) => self.child(below, &child),
                Err(Hold::Wait(needs)) => {
                    self.leads_on = true;
                    needs.into_iter().for_each(|need| self.miss(need));
                }
                Err(Hold::Fault(_)) => {}
            }
        }
    }
}

/// Whether a link shows all that a plan asks of its record.
pub(crate) fn shown_by_link(plan: &Plan, link: &Link) -> bool {
    match plan.from_link {
        LinkShows::Always => true,
        LinkShows::WithName => link.name.is_some(),
        LinkShows::Never => false,
    }
}
