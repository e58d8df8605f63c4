//! One GraphQL request: who asks, the federation that answers, and the loaders that remember while it lasts.

use super::{download::Downloads, load::Loaders, places::Places};
use crate::{federation::Federation, source::Call};
use std::sync::{Arc, atomic::AtomicUsize};

/// What every root field of one request shares.
pub(crate) struct Session {
    pub call: Call,
    pub federation: Arc<Federation>,
    pub downloads: Arc<Downloads>,
    pub places: Places,
    pub loaders: Loaders,
    /// Errors of root fields beyond the limit.
    pub errors_left_out: AtomicUsize,
}
