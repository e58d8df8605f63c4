//! One thing that is told twice: what one telling lacks is taken from the other.

use super::{Moment, RawJson, Text};
use std::collections::HashMap;

/// Two tellings of the same as one.
pub(in crate::vendors::kaspersky_xdr) trait Unite {
    /// What `self` tells, and from `other` what it does not.
    fn unite(self, other: Self) -> Self;
}

impl<T: Unite> Unite for Option<T> {
    fn unite(self, other: Self) -> Self {
        match (self, other) {
            (Some(one), Some(other)) => Some(one.unite(other)),
            (one, other) => one.or(other),
        }
    }
}

/// An empty text tells nothing.
impl Unite for Text {
    fn unite(self, other: Self) -> Self {
        if self.is_empty() { other } else { self }
    }
}

/// A mark is set if one of both sets it: who is a victim in one telling is one.
impl Unite for bool {
    fn unite(self, other: Self) -> Self {
        self || other
    }
}

/// Zero is how a time or a code that is not there is written.
impl Unite for i64 {
    fn unite(self, other: Self) -> Self {
        if self == 0 { other } else { self }
    }
}

impl Unite for i32 {
    fn unite(self, other: Self) -> Self {
        if self == 0 { other } else { self }
    }
}

impl Unite for f64 {
    fn unite(self, other: Self) -> Self {
        if self == 0.0 { other } else { self }
    }
}

impl Unite for Moment {
    fn unite(self, _other: Self) -> Self {
        self
    }
}

/// Texts as received cannot be mixed: the one that tells more.
impl Unite for RawJson {
    fn unite(self, other: Self) -> Self {
        if other.as_str().len() > self.as_str().len() { other } else { self }
    }
}

/// Each member once.
impl<T: PartialEq> Unite for Vec<T> {
    fn unite(mut self, other: Self) -> Self {
        for member in other {
            if !self.contains(&member) {
                self.push(member);
            }
        }
        self
    }
}

/// Rows by their ids, each once, in the order in which they are told first. `id`: of a row at a place.
pub(in crate::vendors::kaspersky_xdr) fn united<T: Unite + Default>(
    rows: Vec<(T, Option<RawJson>)>,
    id: impl Fn(usize, &T) -> Text,
) -> Vec<(Text, T, Option<RawJson>)> {
    let mut places: HashMap<Text, usize> = HashMap::new();
    let mut all: Vec<(Text, T, Option<RawJson>)> = Vec::with_capacity(rows.len());
    for (place, (row, raw)) in rows.into_iter().enumerate() {
        let id = id(place, &row);
        if let Some((_, known, text)) = places.get(&id).map(|known| &mut all[*known]) {
            *known = std::mem::take(known).unite(row);
            *text = text.take().unite(raw);
            continue;
        }
        places.insert(id.clone(), all.len());
        all.push((id, row, raw));
    }
    all
}
