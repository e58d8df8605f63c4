//! The rows of a copy: each once, found by id, sorted by any order that somebody asked for.

use super::room::{Charge, Part, Room};
use crate::domain::{Incident, IncidentOrderField, NativeId, Order, Owner, Record, RecordKind, RowParts, Vocabulary};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a row takes beside itself: its place, of which a list that grows has up to twice as many; its entry in the index; a
/// number in every order, both ways.
const BESIDE_ROW: usize = 2 * size_of::<Arc<Incident>>()
    + entry::<(NativeId, u32)>()
    + 2 * IncidentOrderField::WORDS.len() * size_of::<u32>();

/// What a record takes that rows tell in full: its entry, and its place among all of its kind.
const BESIDE_RECORD: usize = entry::<((RecordKind, NativeId), Record)>() + size_of::<Record>();

/// An entry of a hash table, of which at least 7 in 16 are used.
const fn entry<T>() -> usize {
    (size_of::<T>() + 1) * 16 / 7
}

/// What was read of a source so far. Grows page by page; who looks at it meanwhile keeps what he saw.
pub(in crate::federation) struct Copy {
    rows: Vec<Arc<Incident>>,
    by_id: FxHashMap<NativeId, u32>,
    /// What rows told in full, each once: rows that tell the same share it.
    embedded: FxHashMap<(RecordKind, NativeId), Record>,
    sorted: Mutex<Sorted>,
    /// For all that is not the rows and records themselves: each state of a copy that somebody looks at has its own.
    beside: Charge,
}

/// Made when first asked for.
#[derive(Default)]
struct Sorted {
    /// Indices of rows.
    orders: Vec<(Order, Arc<[u32]>)>,
    records: Vec<(RecordKind, Arc<[Record]>)>,
}

impl Copy {
    pub(super) fn new(room: &Arc<Room>, part: Part) -> Self {
        Copy {
            rows: Vec::new(),
            by_id: FxHashMap::default(),
            embedded: FxHashMap::default(),
            sorted: Mutex::default(),
            beside: Charge::none(room, part),
        }
    }

    /// The same once more, for growing while others look at this one: what was sorted will not fit any more. `beside` as
    /// [`Copy::beside`] says.
    pub(super) fn again(&self, beside: Charge) -> Self {
        let (rows, by_id, embedded) = (self.rows.clone(), self.by_id.clone(), self.embedded.clone());
        Copy { rows, by_id, embedded, sorted: Mutex::default(), beside }
    }

    /// Bytes that it takes without the rows and records themselves.
    pub(super) fn beside(&self) -> usize {
        self.beside.bytes()
    }

    pub(in crate::federation) fn rows(&self) -> &[Arc<Incident>] {
        &self.rows
    }

    pub(in crate::federation) fn row(&self, id: &NativeId) -> Option<&Arc<Incident>> {
        self.by_id.get(id).and_then(|index| self.rows.get(*index as usize))
    }

    /// A record that some row tells in full.
    pub(in crate::federation) fn record(&self, kind: RecordKind, id: &NativeId) -> Option<&Record> {
        self.embedded.get(&(kind, id.clone()))
    }

    /// The most bytes that a row with these parts will take, with all beside it. Makes it as small as it can be.
    pub(super) fn cost(&self, row: &mut Arc<Incident>, parts: RowParts) -> usize {
        if self.by_id.contains_key(&row.key.native) {
            return 0;
        }
        let row = trim(row, parts);
        let new = row.embedded.iter().filter(|record| self.embedded.get(&name(record)) != Some(record));
        row.weight() + BESIDE_ROW + new.map(|record| record.weight() + BESIDE_RECORD).sum::<usize>()
    }

    /// Leaves out all parts but these. `charge` is for the rows and records as they were; what of it they still need comes back.
    pub(super) fn keep(&mut self, parts: RowParts, charge: &mut Charge) -> Charge {
        let mut rows = std::mem::take(&mut self.rows);
        self.by_id.clear();
        self.embedded.clear();
        charge.absorb(self.beside.split(self.beside.bytes()));
        for row in &mut rows {
            trim(row, parts);
        }
        self.add(rows, charge)
    }

    /// Adds rows that are not there yet, out of what is charged for them; what they took of it without what stands beside them.
    pub(super) fn add(&mut self, rows: Vec<Arc<Incident>>, charge: &mut Charge) -> Charge {
        let (mut bytes, mut beside) = (0, 0);
        for mut row in rows {
            if self.by_id.contains_key(&row.key.native) {
                continue;
            }
            for record in &mut Arc::make_mut(&mut row).embedded {
                let (own, around) = self.share(record);
                (bytes, beside) = (bytes + own, beside + around);
            }
            (bytes, beside) = (bytes + row.weight(), beside + BESIDE_ROW);
            self.by_id.insert(row.key.native.clone(), u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
            self.rows.push(row);
        }
        *self.sorted.get_mut().unwrap_or_else(PoisonError::into_inner) = Sorted::default();
        self.beside.absorb(charge.split(beside));
        charge.split(bytes)
    }

    /// Replaces a record by an equal one that is there already; the bytes of one that is new, and those beside it.
    fn share(&mut self, record: &mut Record) -> (usize, usize) {
        let name = name(record);
        match self.embedded.get_mut(&name) {
            Some(known) if known == record => {
                *record = known.clone();
                (0, 0)
            }
            Some(known) => {
                if is_bare(known) {
                    *known = record.clone();
                }
                (record.weight(), 0)
            }
            None => {
                self.embedded.insert(name, record.clone());
                (record.weight(), BESIDE_RECORD)
            }
        }
    }

    /// The rows in an order, as indices.
    pub(in crate::federation) fn sorted(&self, order: Order) -> Arc<[u32]> {
        let known = self.sorting().orders.iter().find(|(known, _)| *known == order).map(|(_, rows)| rows.clone());
        known.unwrap_or_else(|| {
            let mut rows: Vec<_> = (0u32..).zip(&self.rows).map(|(index, row)| (order.position(row), index)).collect();
            rows.sort_unstable_by(|(a, _), (b, _)| order.compare(a, b));
            let rows: Arc<[u32]> = rows.into_iter().map(|(_, index)| index).collect();
            self.sorting().orders.push((order, rows.clone()));
            rows
        })
    }

    /// All records of a kind that rows told in full, by id.
    pub(in crate::federation) fn records(&self, kind: RecordKind) -> Arc<[Record]> {
        let known = self.sorting().records.iter().find(|(known, _)| *known == kind).map(|(_, all)| all.clone());
        known.unwrap_or_else(|| {
            let of_kind = self.embedded.iter().filter(|((known, _), _)| *known == kind);
            let mut all: Vec<Record> = of_kind.map(|(_, record)| record.clone()).collect();
            all.sort_unstable_by(|a, b| a.key().cmp(b.key()));
            let all: Arc<[Record]> = all.into();
            self.sorting().records.push((kind, all.clone()));
            all
        })
    }

    /// Held for a look only: two who sort the same at the same time both do the work.
    fn sorting(&self) -> MutexGuard<'_, Sorted> {
        self.sorted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row with these parts, as small as it can be. One that somebody holds is his: what is kept is another one.
fn trim(row: &mut Arc<Incident>, parts: RowParts) -> &Incident {
    let row = Arc::make_mut(row);
    row.keep(parts);
    row.shrink();
    row
}

fn name(record: &Record) -> (RecordKind, NativeId) {
    (record.kind(), record.key().native.clone())
}

/// Whether little more than an id is known.
fn is_bare(record: &Record) -> bool {
    matches!(record, Record::Owner(owner) if matches!(**owner, Owner { name: None, .. }))
}
