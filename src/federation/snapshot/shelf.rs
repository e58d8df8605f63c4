//! Where copies stand: found by what was asked, thrown out by age and when room is needed.

use super::{
    SnapshotLimits,
    reader::{Asking, Snapshot},
};
use crate::{
    domain::{CredentialScope, SourceName, Test, Time},
    source::Want,
};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// How many copies there are at most, besides those that somebody reads: small ones would cost more to look through than to
/// read again. Arbitrary.
const MAX_COPIES: usize = 256;

/// All copies of all sources.
pub(in crate::federation) struct Snapshots {
    limits: SnapshotLimits,
    /// The one used last stands last.
    kept: Mutex<Vec<Kept>>,
    /// Bytes of all copies, those included that are not kept any more but still read.
    held: Arc<AtomicUsize>,
}

struct Kept {
    question: Question,
    snapshot: Arc<Snapshot>,
}

/// Room for rows that are on their way. Given back when dropped: what came is counted for itself then.
pub(super) struct Reserved {
    bytes: usize,
    held: Arc<AtomicUsize>,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Relaxed);
    }
}

/// What a copy answers.
#[derive(Debug)]
struct Question {
    source: SourceName,
    scope: CredentialScope,
    tests: Vec<Test>,
    want: Want,
}

impl Question {
    fn of(asking: &Asking<'_>) -> Self {
        Question {
            source: asking.source.info().name.clone(),
            scope: asking.call.caller.scope.clone(),
            tests: asking.tests.to_vec(),
            want: asking.want,
        }
    }

    /// Whether rows for this question have all that the other asks for.
    fn answers(&self, other: &Question) -> bool {
        self.source == other.source
            && self.scope == other.scope
            && self.want.or(other.want) == self.want
            && self.tests == other.tests
    }
}

impl Snapshots {
    pub(in crate::federation) fn new(limits: SnapshotLimits) -> Self {
        Snapshots { limits, kept: Mutex::default(), held: Arc::default() }
    }

    /// Bytes that all copies take.
    pub(in crate::federation) fn held(&self) -> usize {
        self.held.load(Relaxed)
    }

    /// The copy for a question: one that is young enough, else an empty one.
    pub(super) fn find(&self, asking: &Asking<'_>) -> Arc<Snapshot> {
        let (question, now) = (Question::of(asking), asking.call.now);
        let mut kept = self.kept();
        kept.retain(|kept| !self.is_old(&kept.snapshot, now));
        if let Some(at) = kept.iter().position(|kept| kept.question.answers(&question)) {
            kept[at..].rotate_left(1);
        } else {
            let snapshot = Arc::new(Snapshot::new(self.held.clone(), now));
            if kept.len() >= MAX_COPIES {
                evict(&mut kept);
            }
            kept.push(Kept { question, snapshot });
        }
        let snapshot = &kept[kept.len() - 1].snapshot;
        snapshot.clone()
    }

    /// Whether there is a copy for a question that was read to the source's end and is young enough.
    pub(in crate::federation) fn keeps(&self, asking: &Asking<'_>) -> bool {
        let question = Question::of(asking);
        self.kept().iter().any(|kept| {
            kept.question.answers(&question)
                && kept.snapshot.is_whole()
                && !self.is_old(&kept.snapshot, asking.call.now)
        })
    }

    fn is_old(&self, snapshot: &Snapshot, now: Time) -> bool {
        // A clock that was set back makes nothing older.
        let age = (now - snapshot.touched()).to_std().unwrap_or_default();
        age >= self.limits.keep
    }

    /// Keeps room for so many bytes, made where nobody reads. None if there is not so much.
    pub(super) fn reserve(&self, bytes: usize) -> Option<Reserved> {
        let reserved = self.reserve_anyway(bytes);
        let mut kept = self.kept();
        while self.held() > self.limits.max_bytes {
            if !evict(&mut kept) {
                return None;
            }
        }
        Some(reserved)
    }

    /// Counts so many bytes although they may go beyond the bound.
    pub(super) fn reserve_anyway(&self, bytes: usize) -> Reserved {
        self.held.fetch_add(bytes, Relaxed);
        Reserved { bytes, held: self.held.clone() }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Throws out the copy that nobody has read for longest. False if all are being read.
fn evict(kept: &mut Vec<Kept>) -> bool {
    let unread = kept.iter().position(|kept| Arc::strong_count(&kept.snapshot) == 1 && !kept.snapshot.is_empty());
    unread.map(|at| kept.remove(at)).is_some()
}
