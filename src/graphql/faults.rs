//! The errors of an answer: those of a root field that differ only in list indexes are one, and there is a limit.

use super::error::Fault;
use async_graphql::{Name, PathSegment, Pos, ServerError};
use std::collections::HashMap;

/// Errors of one root field, in the order in which they were met.
#[derive(Default)]
pub(crate) struct Faults {
    first: Vec<Met>,
    /// Where in `first` errors of this shape are counted.
    known: HashMap<Shape, usize>,
    seen: usize,
    left_out: usize,
}

/// Path without indexes, code, message.
type Shape = (String, &'static str, String);

struct Met {
    path: Vec<PathSegment>,
    pos: Pos,
    fault: Fault,
    times: usize,
}

impl Faults {
    /// How many errors an answer tells apart.
    pub(crate) const MAX: usize = 100;

    pub(crate) fn add(&mut self, path: Vec<PathSegment>, pos: Pos, fault: &Fault) {
        use crate::domain::Vocabulary;
        self.seen += 1;
        let shape: String = path
            .iter()
            .map(|segment| match segment {
                PathSegment::Field(name) => format!("/{name}"),
                PathSegment::Index(_) => "/*".to_owned(),
            })
            .collect();
        let key = (shape, fault.code.name(), fault.message.to_string());
        match self.known.get(&key) {
            Some(index) => self.first[*index].times += 1,
            None if self.first.len() >= Self::MAX => self.left_out += 1,
            None => {
                self.known.insert(key, self.first.len());
                self.first.push(Met { path, pos, fault: fault.clone(), times: 1 });
            }
        }
    }

    /// How many places failed so far.
    pub(crate) fn seen(&self) -> usize {
        self.seen
    }

    /// The errors, below a place whose path is `at`, and how many are left out.
    pub(crate) fn into_errors(self, at: &[PathSegment]) -> (Vec<ServerError>, usize) {
        let told = self.first.into_iter().map(|met| met.fault.at([at, &met.path].concat(), met.pos, met.times));
        (told.collect(), self.left_out)
    }
}

/// Puts errors into the order of the root fields that they belong to: fields run at the same time, and which fails first is
/// chance. `keys`: the response keys in their order.
pub(crate) fn sort(errors: &mut [ServerError], keys: &[Name]) {
    errors.sort_by_key(|error| match error.path.first() {
        Some(PathSegment::Field(key)) => keys.iter().position(|known| known == key.as_str()).unwrap_or(usize::MAX),
        _ => usize::MAX,
    });
}

/// The errors of all root fields together: at most [`Faults::MAX`], of which the last says how many more there are.
/// `left_out`: how many are not among `errors` already.
pub(crate) fn limit(errors: &mut Vec<ServerError>, mut left_out: usize) {
    left_out += errors.len().saturating_sub(Faults::MAX);
    errors.truncate(Faults::MAX);
    if left_out > 0
        && let Some(last) = errors.last_mut()
    {
        last.message = format!("{} ({left_out} more errors are left out.)", last.message);
    }
}
