//! From a filter to one source's plan: decide what the source's name decides, look up names there, then plan.

use super::plan::{Names, SourcePlan, localize, plan, references};
use crate::{
    domain::{Filter, Order},
    source::{Call, Capabilities, Source, SourceError},
};
use std::sync::Arc;

/// What comes of a filter at one source.
pub(super) enum Prepared {
    /// Nothing there can match; a sentence says why.
    Skip(String),
    Plan(SourcePlan, Arc<Capabilities>),
}

/// Plans one source's part. Costs a call only where the filter names people or tags by what people call them, or where
/// the source is met for the first time.
pub(super) async fn prepare(
    source: &dyn Source,
    call: &Call,
    filter: &Filter,
    order: Option<Order>,
) -> Result<Prepared, SourceError> {
    let mut conjuncts = match localize(filter, source.info(), None) {
        Ok(conjuncts) => conjuncts,
        Err(reason) => return Ok(Prepared::Skip(reason)),
    };
    let capabilities = source.capabilities(call).await;
    let wanted = if capabilities.resolves_names { references(&conjuncts) } else { Vec::new() };
    if !wanted.is_empty() {
        let found = source.resolve(call, &wanted).await?;
        if found.len() != wanted.len() {
            let name = &source.info().name;
            return Err(SourceError::malformed(name, "look up names", "for other names than it was asked"));
        }
        let names: Names = wanted.into_iter().zip(found).collect();
        conjuncts = match localize(filter, source.info(), Some(&names)) {
            Ok(conjuncts) => conjuncts,
            Err(reason) => return Ok(Prepared::Skip(reason)),
        };
    }
    Ok(match plan(conjuncts, order, &capabilities) {
        Ok(plan) => Prepared::Plan(plan, capabilities),
        Err(reason) => Prepared::Skip(reason),
    })
}
