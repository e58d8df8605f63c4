//! What has been loaded for one answer, and how declarations look things up in it.

use super::{
    error::Fault,
    need::Need,
    object::{Erased, Hold, cast},
    places::ListPlaces,
    plan::WantByKind,
    session::Session,
};
use crate::{
    domain::{DetailPart, Details, Incident, Key, Owner, Record, RecordKind, SourceName},
    source::{SourceInfo, Want},
};
use rustc_hash::FxHashMap;
use std::{collections::hash_map::Entry, sync::Arc};

/// What came of looking for something. (A type of its own, not an alias of `Result<Option<Arc<dyn …>>>`: with the alias
/// the compiler cannot prove that futures which hold a loader are `Send`.)
#[derive(Clone)]
pub(crate) enum Loaded {
    Found(Arc<Erased>),
    /// Details of an incident of which some parts failed. The store never holds this: it keeps part by part.
    Partly(Arc<Erased>, Fault),
    Nothing,
    Failed(Fault),
}

impl Loaded {
    /// What came of one part, of what came of the details.
    pub(crate) fn part(&self, part: DetailPart) -> Loaded {
        match self {
            Loaded::Partly(details, _) if cast::<Details>(&**details).has(part) => Loaded::Found(details.clone()),
            Loaded::Partly(_, fault) => Loaded::Failed(fault.clone()),
            whole => whole.clone(),
        }
    }
}

/// A record as the store keeps it.
pub(crate) fn erase(record: Record) -> Arc<Erased> {
    match record {
        Record::Incident(record) => record,
        Record::Asset(record) => record,
        Record::Threat(record) => record,
        Record::Owner(record) => record,
        Record::Evidence(record) => record,
        Record::Scope(record) => record,
        Record::Tag(record) => record,
        Record::Term(record) => record,
        Record::RelatedRecord(record) => record,
    }
}

/// What has been loaded for one answer.
pub(crate) struct Store {
    session: Arc<Session>,
    wanted: WantByKind,
    records: [FxHashMap<Key, Loaded>; RecordKind::ALL.len()],
    others: FxHashMap<Need, Loaded>,
}

impl Store {
    pub(crate) fn new(session: Arc<Session>, wanted: WantByKind) -> Self {
        Store { session, wanted, records: Default::default(), others: FxHashMap::default() }
    }

    pub(crate) fn record(&self, kind: RecordKind, key: &Key) -> Option<&Loaded> {
        self.records[kind as usize].get(key)
    }

    pub(crate) fn get(&self, need: &Need) -> Option<&Loaded> {
        match need {
            Need::Record(kind, key) => self.record(*kind, key),
            other => self.others.get(other),
        }
    }

    pub(crate) fn put(&mut self, need: Need, loaded: Loaded) {
        match need {
            Need::Record(kind, key) => self.records[kind as usize].insert(key, loaded),
            other => self.others.insert(other, loaded),
        };
    }

    /// Keeps records that came with others, unless they are there; a person of whom the name is told wins over one of whom
    /// it is not.
    pub(crate) fn put_embedded(&mut self, records: &[Record]) {
        for record in records {
            let known = self.records[record.kind() as usize].entry(record.key().clone());
            let bare = |loaded: &Loaded| match loaded {
                Loaded::Found(known) => known.downcast_ref::<Owner>().is_some_and(|owner| owner.name.is_none()),
                Loaded::Partly(..) | Loaded::Nothing | Loaded::Failed(_) => false,
            };
            match known {
                Entry::Vacant(place) => drop(place.insert(Loaded::Found(erase(record.clone())))),
                Entry::Occupied(mut place) if bare(place.get()) => {
                    place.insert(Loaded::Found(erase(record.clone())));
                }
                Entry::Occupied(_) => {}
            }
        }
    }

    pub(crate) fn lookup(&self) -> Lookup<'_> {
        Lookup(self)
    }
}

/// The store as declarations see it: what is missing is held for, what failed is a fault.
#[derive(Clone, Copy)]
pub(crate) struct Lookup<'a>(&'a Store);

impl<'a> Lookup<'a> {
    /// Who asks, and what the gateway knows without loading.
    pub(crate) fn session(&self) -> &'a Session {
        &self.0.session
    }

    /// The cursors of a field of an incident.
    pub(crate) fn places(&self, list: &'static str, incident: &Incident) -> ListPlaces {
        self.0.session.places.of(list, &incident.key)
    }

    /// A source that a record names; none if it is no longer configured.
    pub(crate) fn source(&self, name: &SourceName) -> Option<&'a SourceInfo> {
        self.0.session.federation.source(name).map(|source| source.info())
    }

    /// What the answer wants of a kind of record in lists below the root.
    pub(crate) fn wanted(&self, kind: RecordKind) -> Want {
        self.0.wanted.of_list(kind)
    }

    /// What was loaded under this name.
    pub(crate) fn found<T: 'static>(&self, need: Need) -> Result<Option<&'a T>, Hold> {
        match self.0.get(&need) {
            Some(Loaded::Found(record) | Loaded::Partly(record, _)) => Ok(Some(cast(&**record))),
            Some(Loaded::Nothing) => Ok(None),
            Some(Loaded::Failed(fault)) => Err(Hold::Fault(fault.clone())),
            None => Err(Hold::Wait(vec![need])),
        }
    }

    /// A detail of an incident, of its row where that told it; none if the incident does not exist.
    pub(crate) fn detail(&self, part: DetailPart, incident: &'a Incident) -> Result<Option<&'a Details>, Hold> {
        match incident.told.as_deref().filter(|told| told.has(part)) {
            Some(told) => Ok(Some(told)),
            None => self.found(Need::Detail(part, incident.key.clone())),
        }
    }

    /// Records of one kind, where one of them has to be known to go on: those that exist, in the order of `keys`.
    pub(crate) fn records<T: 'static>(
        &self,
        kind: RecordKind,
        keys: impl Iterator<Item = &'a Key>,
    ) -> Result<Vec<Option<&'a T>>, Hold> {
        let (mut missing, mut found, mut fault) = (Vec::new(), Vec::new(), None);
        for key in keys {
            match self.0.record(kind, key) {
                Some(Loaded::Found(record) | Loaded::Partly(record, _)) => found.push(Some(cast(&**record))),
                Some(Loaded::Nothing) => found.push(None),
                Some(Loaded::Failed(failed)) => fault = fault.or(Some(failed)),
                None => missing.push(Need::Record(kind, key.clone())),
            }
        }
        // The first failure in order, whichever of the keys was looked for first.
        match (missing.is_empty(), fault) {
            (false, _) => Err(Hold::Wait(missing)),
            (true, Some(fault)) => Err(Hold::Fault(fault.clone())),
            (true, None) => Ok(found),
        }
    }
}
