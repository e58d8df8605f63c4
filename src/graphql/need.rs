//! What an answer may have to load: the names under which it is asked for and found again.

use crate::{
    domain::{DetailPart, ExportFormat, Filter, Key, RecordKind, SourceName},
    federation::IncidentQuery,
};
use std::{
    fmt,
    hash::{Hash, Hasher},
    mem::discriminant,
    sync::Arc,
};

/// One thing to load. Records are by far the most frequent, so they have maps of their own in store and waves.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Need {
    Record(RecordKind, Key),
    /// A detail of an incident.
    Detail(DetailPart, Key),
    /// A page of incidents below the root, as that of an owner.
    Incidents(Arc<IncidentQuery>),
    /// The state of a source, and what it can do.
    Health(SourceName),
    Capabilities(SourceName),
    Account(SourceName),
    /// All scopes of a source: which of them are below another is only told by these.
    Scopes(SourceName),
    /// What to ask a source for its own table of the incidents that match.
    Table(SourceName, ExportFormat, Arc<Filter>),
}

/// Without the source of a record or detail: a loader hashes each need seven times, and hardly any two sources have the
/// same id.
impl Hash for Need {
    fn hash<H: Hasher>(&self, state: &mut H) {
        discriminant(self).hash(state);
        match self {
            // A loader has needs of one kind or part only.
            Need::Record(_, key) | Need::Detail(_, key) => key.native.hash(state),
            Need::Incidents(query) => query.hash(state),
            Need::Health(source) | Need::Capabilities(source) | Need::Account(source) | Need::Scopes(source) => {
                source.hash(state);
            }
            Need::Table(source, format, _) => (source, format).hash(state),
        }
    }
}

/// Short: the loader writes this for each need it answers, in case that it was missing.
impl fmt::Debug for Need {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a need")
    }
}
