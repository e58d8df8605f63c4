//! Writes: one closed request, one result. Today no source takes any; the kinds are those that the schema will offer.

use crate::domain::NativeId;

/// A change to a source's records.
#[derive(Clone, Debug)]
pub enum WriteRequest {
    /// Delete incidents; a result for each.
    Delete { incidents: Vec<NativeId> },
}

impl WriteRequest {
    /// Name for errors and logs.
    pub fn operation(&self) -> &'static str {
        match self {
            WriteRequest::Delete { .. } => "delete incidents",
        }
    }
}

/// What became of each record that a write was for, in the order of the request.
#[derive(Clone, Debug, Default)]
pub struct WriteResult {
    pub done: Vec<NativeId>,
}
