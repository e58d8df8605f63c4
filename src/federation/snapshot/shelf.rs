//! Where copies stand: found by what was asked, thrown out by age and when room is needed.

use super::{
    SnapshotLimits,
    reader::{Asking, Snapshot},
    room::{Charge, Part, Place, Room},
};
use crate::{
    domain::{CredentialScope, RowParts, SourceName, Test, Time},
    source::Want,
};
use std::{
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// How many copies there are at most, besides those that somebody reads: small ones would cost more to look through than to
/// read again. Arbitrary.
const MAX_COPIES: usize = 256;

/// All copies of all sources.
pub(in crate::federation) struct Snapshots {
    keep: Duration,
    /// The one used last stands last.
    kept: Mutex<Vec<Kept>>,
    /// Those copies included that are not kept any more but still read.
    room: Arc<Room>,
    /// Somebody found no room, and copies that were seen have parts that can be left out.
    tight: AtomicBool,
    /// Held by the first of those who wait for room. The others wait for it, and so come in turn.
    first: tokio::sync::Mutex<()>,
}

struct Kept {
    question: Question,
    snapshot: Arc<Snapshot>,
}

/// A copy that somebody reads or looks at. As long as he has it, it is not thrown out.
pub(super) struct Held {
    /// None only while it is dropped.
    snapshot: Option<Arc<Snapshot>>,
    room: Arc<Room>,
}

/// What ended the wait for room.
pub(super) enum Admitted {
    /// Room as for everybody.
    Room(Charge),
    Place(Place),
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

    /// What a new copy answers: rows are kept with all that they tell until room is needed.
    fn of_copy(self) -> Self {
        Question { want: Want { rows: RowParts::ALL, ..self.want }, ..self }
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
    /// For so many sources.
    pub(in crate::federation) fn new(limits: SnapshotLimits, sources: usize) -> Self {
        let (kept, first) = (Mutex::default(), tokio::sync::Mutex::default());
        let (room, tight) = (Room::new(limits.max_bytes, sources), AtomicBool::new(false));
        Snapshots { keep: limits.keep, kept, room, tight, first }
    }

    /// Bytes that all copies take.
    pub(in crate::federation) fn held(&self) -> usize {
        self.room.held()
    }

    /// The copy for a question: one that is young enough, else an empty one.
    pub(super) fn find(&self, asking: &Asking<'_>) -> Held {
        let (question, now) = (Question::of(asking), asking.call.now);
        let mut kept = self.kept();
        kept.retain(|kept| !self.is_old(&kept.snapshot, now));
        if self.tight.swap(false, Relaxed) {
            while slim(&mut kept) {}
        }
        // Of several the one used last: who asks again must not be shown an older one.
        if let Some(at) = kept.iter().rposition(|kept| kept.question.answers(&question)) {
            kept[at..].rotate_left(1);
        } else {
            let snapshot = Arc::new(Snapshot::new(&self.room, Part::Common, RowParts::ALL, now));
            if kept.len() >= MAX_COPIES {
                evict(&mut kept, |_| true);
            }
            kept.push(Kept { question: question.of_copy(), snapshot });
        }
        let snapshot = kept[kept.len() - 1].snapshot.clone();
        snapshot.look_at(asking.want.rows);
        Held::new(&self.room, snapshot)
    }

    /// An empty copy that nobody else will find, in the spare part, of rows with these parts.
    pub(super) fn alone(&self, parts: RowParts, now: Time) -> Held {
        Held::new(&self.room, Arc::new(Snapshot::new(&self.room, Part::Spare, parts, now)))
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
        age >= self.keep
    }

    /// Nothing of the common part yet.
    pub(super) fn charge(&self) -> Charge {
        Charge::none(&self.room, Part::Common)
    }

    /// Makes it at least so many bytes, if need be by leaving out what nobody looks at, then by throwing out what nobody reads.
    /// False if there is not so much room.
    pub(super) fn fill(&self, charge: &mut Charge, bytes: usize) -> bool {
        let more = bytes.saturating_sub(charge.bytes());
        if more == 0 || (charge.part() == Part::Common && charge.charge(more)) {
            return true;
        }
        // A page in the spare part has what it was given: the rest belongs to others.
        if charge.part() == Part::Spare || !charge.is_within(more) {
            return false;
        }
        let mut kept = self.kept();
        while slim(&mut kept) || evict(&mut kept, |snapshot| !snapshot.is_empty()) {
            if charge.charge(more) {
                return true;
            }
        }
        false
    }

    /// Waits until there is so much room as for everybody, or a place, in turn with all others who do. None: not until then.
    pub(super) async fn wait(&self, bytes: usize, until: Instant) -> Option<Admitted> {
        let _first = match self.first.try_lock() {
            Ok(first) => first,
            Err(_) => timeout_at(until, self.first.lock()).await.ok()?,
        };
        loop {
            let mut charge = self.charge();
            if self.fill(&mut charge, bytes) {
                return Some(Admitted::Room(charge));
            }
            if let Some(place) = self.room.place() {
                return Some(Admitted::Place(place));
            }
            timeout_at(until, self.room.freed.notified()).await.ok()?;
        }
    }

    /// Whether copies have parts that will be left out before anybody sees them again.
    pub(super) fn will_slim(&self) -> bool {
        let slims = self.kept().iter().any(|kept| kept.snapshot.has_more_than_needed());
        self.tight.fetch_or(slims, Relaxed);
        slims
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn new(room: &Arc<Room>, snapshot: Arc<Snapshot>) -> Self {
        Held { snapshot: Some(snapshot), room: room.clone() }
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        Held { snapshot: self.snapshot.clone(), room: self.room.clone() }
    }
}

impl Deref for Held {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        self.snapshot.as_deref().expect("taken only when dropped")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // First out of hand, then told: who waits may throw it out now.
        self.snapshot = None;
        self.room.freed.notify_one();
    }
}

/// Leaves out of a copy the parts of rows that nobody has looked at since it was begun. False if there are none left.
fn slim(kept: &mut [Kept]) -> bool {
    kept.iter_mut().any(|Kept { question, snapshot }| match snapshot.slim() {
        Some(rows) => {
            question.want.rows = rows;
            true
        }
        None => false,
    })
}

/// Throws out the copy that nobody has read for longest, of those that are worth it. False if there is none.
fn evict(kept: &mut Vec<Kept>, worth: impl Fn(&Snapshot) -> bool) -> bool {
    let unread = kept.iter().position(|kept| Arc::strong_count(&kept.snapshot) == 1 && worth(&kept.snapshot));
    unread.map(|at| kept.remove(at)).is_some()
}
