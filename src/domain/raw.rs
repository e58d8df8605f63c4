//! JSON kept as text: a record as received.

use std::sync::Arc;

/// One JSON value as compact text. A clone is a reference count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawJson(Arc<str>);

impl RawJson {
    /// `json` must be one JSON value; whoever makes this has parsed or written it.
    pub fn new(json: impl Into<Arc<str>>) -> Self {
        RawJson(json.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
