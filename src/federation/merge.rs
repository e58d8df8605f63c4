//! Sorted runs of many sources as one sorted page. Pure.

use crate::domain::{Incident, Order, Position};
use std::{cmp::Ordering, collections::VecDeque, sync::Arc};

/// One incident on its way into a page.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) position: Position,
    pub(super) incident: Arc<Incident>,
    /// How many rows of its source lie at or before it, as far as is known.
    pub(super) end: u64,
}

/// Rows of one source, sorted and distinct.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub(super) rows: VecDeque<Entry>,
    /// There may be more rows, all of them after this position.
    pub(super) rest: Option<Position>,
}

/// A merged page: each row with the index of its run.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) rows: Vec<(usize, Entry)>,
    /// Whether rows come after these.
    pub(super) more: bool,
}

/// Rows that are not in the order that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct OutOfOrder;

/// Checks that rows come in order. A row that is given twice in a row counts once.
pub(super) fn in_order(order: Order, rows: &mut Vec<Entry>) -> Result<(), OutOfOrder> {
    if rows.windows(2).any(|pair| order.compare(&pair[0].position, &pair[1].position) == Ordering::Greater) {
        return Err(OutOfOrder);
    }
    rows.dedup_by(|a, b| a.position.key == b.position.key);
    Ok(())
}

/// The first rows of all runs together.
///
/// A run that was not read to its end hides what comes after its `rest`: the page stops there, unless that left it
/// empty, since a walk must go on.
pub(super) fn merge(order: Order, mut runs: Vec<Run>, first: usize) -> Merged {
    let mut rows: Vec<(usize, Entry)> = Vec::with_capacity(first);
    while rows.len() < first {
        let heads = runs.iter().enumerate().filter_map(|(index, run)| run.rows.front().map(|head| (index, head)));
        let Some((index, head)) = heads.min_by(|a, b| order.compare(&a.1.position, &b.1.position)) else { break };
        let hidden = |run: &Run| {
            let rest = run.rest.as_ref().filter(|_| run.rows.is_empty());
            rest.is_some_and(|rest| order.compare(rest, &head.position) == Ordering::Less)
        };
        if !rows.is_empty() && runs.iter().any(hidden) {
            break;
        }
        if let Some(row) = runs[index].rows.pop_front() {
            rows.push((index, row));
        }
    }
    let more = runs.iter().any(|run| !run.rows.is_empty() || run.rest.is_some());
    // Without a row there is no cursor to go on from.
    let more = more && !rows.is_empty();
    Merged { rows, more }
}
