//! The rows of a copy: each once, found by id, sorted by any order that somebody asked for.

use crate::domain::{Incident, NativeId, Order, Owner, Record, RecordKind};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a row takes beside itself: its place, its entry in the index, a number in some orders.
const BESIDE: usize = 160;

/// What was read of a source so far. Grows page by page; who looks at it meanwhile keeps what he saw.
#[derive(Default)]
pub(in crate::federation) struct Copy {
    rows: Vec<Arc<Incident>>,
    by_id: FxHashMap<NativeId, u32>,
    /// What rows told in full, each once: rows that tell the same share it.
    embedded: FxHashMap<(RecordKind, NativeId), Record>,
    sorted: Mutex<Sorted>,
}

/// Made when first asked for.
#[derive(Default)]
struct Sorted {
    /// Indices of rows.
    orders: Vec<(Order, Arc<[u32]>)>,
    records: Vec<(RecordKind, Arc<[Record]>)>,
}

impl Clone for Copy {
    /// For growing: what was sorted will not fit any more.
    fn clone(&self) -> Self {
        let (rows, by_id, embedded) = (self.rows.clone(), self.by_id.clone(), self.embedded.clone());
        Copy { rows, by_id, embedded, sorted: Mutex::default() }
    }
}

impl Copy {
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

    /// Adds rows that are not there yet; how many bytes that took.
    pub(super) fn add(&mut self, rows: Vec<Arc<Incident>>) -> usize {
        let mut bytes = 0;
        for mut row in rows {
            if self.by_id.contains_key(&row.key.native) {
                continue;
            }
            if let Some(row) = Arc::get_mut(&mut row) {
                row.shrink();
                row.embedded.iter_mut().for_each(|record| bytes += self.share(record));
            }
            bytes += row.weight() + BESIDE;
            self.by_id.insert(row.key.native.clone(), u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
            self.rows.push(row);
        }
        *self.sorted.get_mut().unwrap_or_else(PoisonError::into_inner) = Sorted::default();
        bytes
    }

    /// Replaces a record by an equal one that is there already; the bytes of one that is new.
    fn share(&mut self, record: &mut Record) -> usize {
        let name = (record.kind(), record.key().native.clone());
        match self.embedded.get_mut(&name) {
            Some(known) if known == record => {
                *record = known.clone();
                0
            }
            Some(known) => {
                if is_bare(known) {
                    *known = record.clone();
                }
                record.weight()
            }
            None => {
                self.embedded.insert(name, record.clone());
                record.weight() + BESIDE
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

/// Whether little more than an id is known.
fn is_bare(record: &Record) -> bool {
    matches!(record, Record::Owner(owner) if matches!(**owner, Owner { name: None, .. }))
}
