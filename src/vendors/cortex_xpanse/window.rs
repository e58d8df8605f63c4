//! A stretch of a sorted list, and which of its rows can be put in our order. Pure.
//!
//! The server sorts by one field and promises nothing about rows that are equal in it; our order breaks such ties by id.
//! So rows of the same millisecond are taken only where all of them are in view, and are then sorted here.
//! Rows that tell no time have no place here; `sorted` gives them one.

use crate::domain::{Incident, NativeId};
use std::ops::Range;
use std::sync::Arc;

/// A row of the server.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// None for a row that could not be read, or that has no place in the order.
    pub(super) incident: Option<Arc<Incident>>,
    /// The millisecond that the row is sorted by.
    pub(super) moment: Option<i64>,
    /// Whether anything in it was broken.
    pub(super) malformed: bool,
}

impl Placed {
    /// Whether it is an incident that does not tell the time which is sorted by.
    pub(super) fn is_undated(&self) -> bool {
        self.incident.is_some() && self.moment.is_none()
    }

    pub(super) fn id(&self) -> Option<&NativeId> {
        self.incident.as_ref().map(|incident| &incident.key.native)
    }
}

/// Consecutive rows.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) rows: Vec<Placed>,
    /// How many rows stand before these.
    pub(super) from: u64,
    /// Whether there are rows after these.
    pub(super) more: bool,
}

/// Rows in our order.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    pub(super) rows: Vec<Placed>,
    pub(super) more: bool,
    /// The rows that follow, where not all of their millisecond is in view.
    pub(super) tie: Option<Tie>,
}

/// Rows of one millisecond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tie {
    pub(super) moment: i64,
    /// How many rows stand before the first of them, where that one is in view.
    pub(super) start: Option<u64>,
}

impl View {
    /// The rows from an offset on, at most `limit`, and only as far as their order is certain.
    pub(super) fn settle(mut self, offset: u64, limit: usize) -> Settled {
        let skipped = usize::try_from(offset.saturating_sub(self.from)).unwrap_or(usize::MAX);
        if skipped >= self.rows.len() {
            return Settled { rows: Vec::new(), more: self.more, tie: None };
        }
        self.place_the_unplaced();
        let (mut end, mut tie) = (skipped, None);
        for group in self.groups() {
            let cut = (group.start == 0 && self.from > 0) || (group.end == self.rows.len() && self.more);
            // Without any time there is nothing to sort by, and no promise to keep.
            let moment = self.rows[group.start].moment.filter(|_| cut && group.end > skipped);
            let in_view = group.start > 0 || self.from == 0;
            tie = moment.map(|moment| Tie { moment, start: in_view.then(|| self.from + group.start as u64) });
            if tie.is_some() {
                break;
            }
            sort_ties(&mut self.rows[group.clone()]);
            end = group.end.max(skipped);
        }
        let end = end.min(skipped.saturating_add(limit));
        let more = self.more || end < self.rows.len();
        self.rows.truncate(end);
        Settled { rows: self.rows.split_off(skipped), more, tie }
    }

    /// A row that tells no time stands with the one before it, or after it where none is before.
    fn place_the_unplaced(&mut self) {
        let mut last = self.rows.iter().find_map(|row| row.moment);
        for row in &mut self.rows {
            row.moment = row.moment.or(last);
            last = row.moment;
        }
    }

    /// Ranges of rows of one millisecond each.
    fn groups(&self) -> Vec<Range<usize>> {
        let mut groups: Vec<Range<usize>> = Vec::new();
        for (place, row) in self.rows.iter().enumerate() {
            match groups.last_mut() {
                Some(group) if self.rows[group.start].moment == row.moment => group.end = place + 1,
                _ => groups.push(place..place + 1),
            }
        }
        groups
    }
}

/// By id as text, whatever the direction; those without an id last.
pub(super) fn sort_ties(rows: &mut [Placed]) {
    rows.sort_by(|a, b| match (a.id(), b.id()) {
        (Some(a), Some(b)) => a.cmp(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Key, SourceKind, SourceName};

    fn row(id: &str, moment: i64) -> Placed {
        let key = Key::new(&SourceName::new("x"), id);
        let incident = Some(Arc::new(Incident::new(key, SourceKind::CortexXpanse)));
        Placed { incident, moment: Some(moment), malformed: false }
    }

    fn view(from: u64, more: bool, rows: &[(&str, i64)]) -> View {
        View { rows: rows.iter().map(|(id, moment)| row(id, *moment)).collect(), from, more }
    }

    /// Ids, whether there is more, and the tie that follows: its moment, and where it begins.
    type Told = (Vec<String>, bool, Option<(i64, Option<u64>)>);

    fn ids(settled: Settled) -> Told {
        let id = |row: &Placed| row.id().map(NativeId::to_string).unwrap_or_default();
        (settled.rows.iter().map(id).collect(), settled.more, settled.tie.map(|tie| (tie.moment, tie.start)))
    }

    fn told(ids: &[&str], more: bool, tie: Option<(i64, Option<u64>)>) -> Told {
        (ids.iter().map(|id| (*id).to_owned()).collect(), more, tie)
    }

    #[test]
    fn ties_in_view_are_sorted_by_id_as_text() {
        let whole = view(0, false, &[("3", 1), ("9", 2), ("10", 2), ("2", 3)]);
        assert_eq!(ids(whole.clone().settle(0, 9)), told(&["3", "10", "9", "2"], false, None));
        assert_eq!(ids(whole.clone().settle(1, 1)), told(&["10"], true, None));
        assert_eq!(ids(whole.clone().settle(2, 9)), told(&["9", "2"], false, None));
        assert_eq!(ids(whole.settle(4, 9)), told(&[], false, None));
        assert_eq!(ids(view(4, true, &[("3", 1)]).settle(5, 9)), told(&[], true, None));
    }

    #[test]
    fn a_tie_that_may_go_on_outside_of_the_view_is_not_taken() {
        let cut = view(0, true, &[("3", 1), ("9", 2), ("10", 2)]);
        assert_eq!(ids(cut.clone().settle(0, 9)), told(&["3"], true, Some((2, Some(1)))));
        assert_eq!(ids(cut.clone().settle(1, 9)), told(&[], true, Some((2, Some(1)))));
        assert_eq!(
            ids(view(5, false, &[("3", 1), ("9", 2), ("10", 2)]).settle(5, 9)),
            told(&[], true, Some((1, None)))
        );
        assert_eq!(ids(view(5, false, &[("3", 1), ("9", 2), ("10", 2)]).settle(6, 9)), told(&["10", "9"], false, None));
        assert_eq!(ids(view(5, true, &[("3", 1), ("9", 1)]).settle(6, 9)), told(&[], true, Some((1, None))));
        assert_eq!(ids(view(0, true, &[("3", 1), ("9", 1)]).settle(1, 9)), told(&[], true, Some((1, Some(0)))));
    }

    #[test]
    fn rows_without_a_time_stand_with_their_neighbours() {
        let mut rows = view(0, false, &[("3", 1), ("9", 1), ("10", 1), ("2", 3)]);
        for place in [0, 2] {
            rows.rows[place] = Placed { incident: None, moment: None, malformed: true };
        }
        assert_eq!(ids(rows.clone().settle(0, 9)), told(&["9", "", "", "2"], false, None));
        rows.rows.iter_mut().for_each(|row| row.moment = None);
        rows.more = true;
        assert_eq!(ids(rows.settle(0, 9)).0.len(), 4);
    }
}
