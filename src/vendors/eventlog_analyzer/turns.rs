//! Who comes first where a quota does not reach for all: an incident tells no time of change by which its detail could be
//! kept, so that the same question gets further each time only if it does not begin with what it got the last time.

use crate::domain::NativeId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Between once and twice as many incidents are known; arbitrary, some hundred kilobytes.
const ENOUGH: usize = 4_096;

/// When each incident's detail was last read, by a number that only grows. A matter of order alone: nothing is shown by it, so
/// all callers share it.
#[derive(Default)]
pub(super) struct Turns(Mutex<Read>);

/// When `young` is full, it grows old, and what was old is forgotten.
#[derive(Default)]
struct Read {
    last: u64,
    young: HashMap<NativeId, u64>,
    old: HashMap<NativeId, u64>,
}

impl Turns {
    /// Those never read, then those whose last reading is the longest ago.
    pub(super) fn order<'a>(&self, ids: impl Iterator<Item = &'a NativeId>) -> Vec<&'a NativeId> {
        let read = self.read();
        let mut ids: Vec<&NativeId> = ids.collect();
        ids.sort_by_key(|id| read.young.get(*id).or_else(|| read.old.get(*id)));
        ids
    }

    /// To be told of each that the server gave, in the order of asking.
    pub(super) fn note<'a>(&self, ids: impl Iterator<Item = &'a NativeId>) {
        let mut read = self.read();
        for id in ids {
            read.last += 1;
            if read.young.len() >= ENOUGH && !read.young.contains_key(id) {
                read.old = std::mem::take(&mut read.young);
            }
            let last = read.last;
            read.young.insert(id.clone(), last);
        }
    }

    fn read(&self) -> MutexGuard<'_, Read> {
        // Nothing under this lock can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_read_comes_first_then_what_was_read_longest_ago() {
        let turns = Turns::default();
        let ids = ["1", "2", "3", "4", "5"].map(NativeId::new);
        let order = || turns.order(ids.iter()).iter().map(|id| id.to_string()).collect::<String>();
        assert_eq!(order(), "12345");
        turns.note(ids[..2].iter());
        assert_eq!(order(), "34512");
        turns.note([&ids[2], &ids[0]].into_iter());
        assert_eq!(order(), "45231");
    }

    #[test]
    fn only_so_many_are_known_the_last_ones_among_them() {
        let turns = Turns::default();
        let ids: Vec<NativeId> = (0..ENOUGH * 5).map(|id| NativeId::new(&id.to_string())).collect();
        for id in &ids {
            turns.note([id].into_iter());
            let read = turns.read();
            assert!(read.young.len() + read.old.len() <= 2 * ENOUGH);
        }
        let unknown = &ids[..ENOUGH];
        assert_eq!(turns.order([&ids[ENOUGH * 4], &unknown[7]].into_iter()), [&unknown[7], &ids[ENOUGH * 4]]);
    }
}
