//! The memory of all copies: charged before it is taken, given back when what took it is dropped. Never more than the bound.
//!
//! It is divided. Copies grow in the common part, and what somebody reads stays there. The spare part is for those who find no
//! room: who has one of a few places may keep a short page of each source in it. Such a page belongs to one request and is gone
//! with it. So whoever has a place waits for nobody who waits for one, and everybody's turn comes.

use crate::telemetry::events;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};
use tokio::sync::Notify;

/// Rows of a page that is read where there is little room.
pub(super) const SHORT_PAGE: usize = 100;

/// Bytes that a row is taken to need before any was read: the mean over all vendors (`docs/PERFORMANCE.md`).
pub(super) const TYPICAL_ROW: usize = 4_000;

/// The spare part is this part of all. Arbitrary: what it gets, copies that many share have not.
const SPARE: usize = 8;

/// Where short pages of many sources leave fewer places than this, they become shorter, down to a quarter: one slow source
/// should not hold up all who wait. Arbitrary.
const FEW_PLACES: usize = 4;

/// Memory for copies.
pub(super) struct Room {
    common: Bounded,
    spare: Bounded,
    /// Places that nobody has.
    places: AtomicUsize,
    /// Bytes of the spare part that a place gives at each source.
    allowance: usize,
    /// Told whenever something was given back, or may be thrown out now.
    pub(super) freed: Notify,
}

/// Bytes, and how many there may be.
struct Bounded {
    bytes: AtomicUsize,
    most: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Common,
    Spare,
}

/// Bytes that somebody has. Given back when dropped.
pub(super) struct Charge {
    room: Arc<Room>,
    part: Part,
    bytes: usize,
}

/// The right of one request to keep a short page of each source in the spare part. Given back when dropped.
pub(super) struct Place {
    room: Arc<Room>,
}

impl Room {
    /// For so many bytes and sources.
    pub(super) fn new(most: usize, sources: usize) -> Arc<Self> {
        let (spare, sources) = (most / SPARE, sources.max(1));
        let fit = |rows: usize| spare / (sources * rows * TYPICAL_ROW);
        let places = fit(SHORT_PAGE).max(fit(SHORT_PAGE / 4).min(FEW_PLACES)).max(1);
        let bounded = |most| Bounded { bytes: AtomicUsize::new(0), most };
        Arc::new(Room {
            common: bounded(most - spare),
            spare: bounded(spare),
            places: AtomicUsize::new(places),
            allowance: spare / places / sources,
            freed: Notify::new(),
        })
    }

    /// Bytes that are charged.
    pub(super) fn held(&self) -> usize {
        self.common.bytes.load(Relaxed) + self.spare.bytes.load(Relaxed)
    }

    /// A place, if there is one.
    pub(super) fn place(self: &Arc<Self>) -> Option<Place> {
        let taken = self.places.fetch_update(Relaxed, Relaxed, |free| free.checked_sub(1));
        taken.is_ok().then(|| Place { room: self.clone() })
    }

    fn part(&self, part: Part) -> &Bounded {
        match part {
            Part::Common => &self.common,
            Part::Spare => &self.spare,
        }
    }
}

impl Place {
    /// What one source's page may take. None if the request has as many pages already as there are sources.
    pub(super) fn allowance(&self) -> Option<Charge> {
        let mut charge = Charge::none(&self.room, Part::Spare);
        charge.charge(self.room.allowance).then_some(charge)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.places.fetch_add(1, Relaxed);
        self.room.freed.notify_one();
    }
}

impl Charge {
    pub(super) fn none(room: &Arc<Room>, part: Part) -> Self {
        Charge { room: room.clone(), part, bytes: 0 }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn part(&self) -> Part {
        self.part
    }

    /// Whether so many bytes more could ever be had.
    pub(super) fn is_within(&self, more: usize) -> bool {
        more <= self.room.part(self.part).most
    }

    /// So many bytes more; false, and nothing has changed, where there is not so much room.
    pub(super) fn charge(&mut self, more: usize) -> bool {
        let Bounded { bytes, most } = self.room.part(self.part);
        let within = |held: usize| held.checked_add(more).filter(|held| held <= most);
        if more > 0 && bytes.fetch_update(Relaxed, Relaxed, within).is_err() {
            return false;
        }
        self.bytes += more;
        events::snapshots_resized(self.room.held());
        true
    }

    /// A part of it, for something that lives for another time. Never more than there is.
    pub(super) fn split(&mut self, bytes: usize) -> Charge {
        debug_assert!(bytes <= self.bytes, "charged before it is taken");
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Charge { room: self.room.clone(), part: self.part, bytes }
    }

    /// Takes over what another has of the same part.
    pub(super) fn absorb(&mut self, mut other: Charge) {
        debug_assert!(self.part == other.part);
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Gives all back.
    pub(super) fn clear(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes > 0 {
            self.room.part(self.part).bytes.fetch_sub(bytes, Relaxed);
            events::snapshots_resized(self.room.held());
            self.room.freed.notify_one();
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_together_take_no_more_than_the_spare_part() {
        for most in [0, 1, 1_000, 1 << 20, 4 << 20, 64 << 20, 1 << 40] {
            for sources in [0, 1, 5, 20, 1_000] {
                let room = Room::new(most, sources);
                let places: Vec<Place> = std::iter::from_fn(|| room.place()).take(1_000).collect();
                assert!(!places.is_empty(), "somebody's turn always comes");
                let each = places.iter().flat_map(|place| std::iter::repeat_n(place, sources.max(1)));
                let pages: Vec<Charge> = each.map(|place| place.allowance().unwrap()).collect();
                assert!(room.held() <= most / SPARE, "{most} {sources}");
                let mut common = Charge::none(&room, Part::Common);
                assert!(common.charge(most - most / SPARE) && !common.charge(1), "{most} {sources}");
                assert!(room.held() <= most);
                drop((pages, places, common));
                assert_eq!(room.held(), 0);
            }
        }
    }

    #[test]
    fn as_much_room_as_by_default_gives_five_sources_full_short_pages() {
        let (five, twenty) = (Room::new(64 << 20, 5), Room::new(64 << 20, 20));
        let places = |room: &Room| room.places.load(Relaxed);
        assert_eq!((places(&five), five.allowance / TYPICAL_ROW >= SHORT_PAGE), (4, true));
        assert_eq!((places(&twenty), twenty.allowance / TYPICAL_ROW >= SHORT_PAGE / 4), (4, true));
    }

    #[test]
    fn what_is_split_off_or_absorbed_is_counted_once() {
        let room = Room::new(8_000, 1);
        let mut first = Charge::none(&room, Part::Common);
        assert!(first.charge(5_000));
        let mut second = first.split(2_000);
        assert_eq!((first.bytes(), second.bytes(), room.held()), (3_000, 2_000, 5_000));
        second.absorb(first.split(1_000));
        drop(first);
        assert_eq!(room.held(), 3_000);
        drop(second);
        assert_eq!(room.held(), 0);
    }
}
