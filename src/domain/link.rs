//! A link from one record to another of the same source.

use super::{Key, NativeId};

/// Which record, and what the linking record already told of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    pub key: Key,
    /// The text that the source put beside the id; where it is there, showing it costs no call.
    pub name: Option<Box<str>>,
}

impl Link {
    pub fn new(key: Key, name: impl Into<Box<str>>) -> Self {
        Link { key, name: Some(name.into()) }
    }

    /// A link of which only the id is known.
    pub fn bare(key: Key) -> Self {
        Link { key, name: None }
    }

    pub fn native(&self) -> &NativeId {
        &self.key.native
    }
}
