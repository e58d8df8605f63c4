//! What an answer cost its sources: counted where calls are made, summed where a report shows it.

use crate::{domain::SourceName, federation::Cost};
use std::sync::Mutex;

/// Costs by source. Added to while an answer is loaded, read when it is rendered.
#[derive(Default)]
pub(crate) struct Costs(Mutex<Vec<(SourceName, Cost)>>);

impl Costs {
    pub(crate) fn new(costs: Vec<(SourceName, Cost)>) -> Self {
        Costs(Mutex::new(costs))
    }

    /// Adds what another batch cost.
    pub(crate) fn add_all(&self, other: &Costs) {
        let others: Vec<(SourceName, Cost)> = other.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let mut own = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (source, cost) in others {
            match own.iter_mut().find(|(name, _)| *name == source) {
                Some((_, sum)) => sum.add(cost),
                None => own.push((source, cost)),
            }
        }
    }

    /// What was spent at a source.
    pub(crate) fn of(&self, source: &SourceName) -> Cost {
        let own = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        own.iter().find(|(name, _)| name == source).map(|(_, cost)| *cost).unwrap_or_default()
    }
}
