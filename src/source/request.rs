//! What a source is asked, as structs: options travel together and have names.

use super::SourceError;
use crate::{
    domain::{
        Caller, CircuitState, DetailParts, ExportFormat, NativeId, Order, RawJson, Record, RecordKind, RowParts,
        Search, SourceStatus, Test, Time,
    },
    upstream::{Circuit, Context},
};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Who asks, until when, and where calls are counted. One for each root field and source; a clone shares the counting.
#[derive(Clone)]
pub struct Call {
    pub caller: Arc<Caller>,
    /// Deadline, request id, credential scope and tally, for the conversation with the vendor.
    pub context: Context,
    /// What time it is for this request: set once at the door.
    pub now: Time,
}

impl Call {
    /// The same request, counting for itself.
    pub fn fork(&self) -> Call {
        Call { caller: self.caller.clone(), context: self.context.fork(), now: self.now }
    }

    /// The same request, counting together, for a long read that lets others go first.
    pub fn background(&self) -> Call {
        Call { caller: self.caller.clone(), context: self.context.background(), now: self.now }
    }

    /// The same request, counting together, with no more time than until then.
    pub fn until(&self, deadline: Instant) -> Call {
        Call { caller: self.caller.clone(), context: self.context.until(deadline), now: self.now }
    }

    /// In which state the last of its calls left the source's circuit.
    pub fn circuit(&self) -> CircuitState {
        match self.context.tally.circuit() {
            Circuit::Closed => CircuitState::Closed,
            Circuit::HalfOpen => CircuitState::HalfOpen,
            Circuit::Open => CircuitState::Open,
        }
    }
}

/// What is wanted of a record beyond its ordinary fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Want {
    /// Keep the record as received.
    pub raw: bool,
    /// What may cost the source more calls: an owner's `profile`, an asset's `children`.
    pub profile: bool,
    /// An incident's assets in its row, where the source tells them there on demand only: a filter looks at them.
    pub assets: bool,
    /// The large parts of rows that somebody looks at. Sources give all that they have; copies keep the others only while
    /// there is room.
    pub rows: RowParts,
}

impl Want {
    /// Ordinary fields alone: the default, for constants.
    pub const PLAIN: Want = Want { raw: false, profile: false, assets: false, rows: RowParts::NONE };

    /// What is wanted by either.
    pub fn or(self, other: Want) -> Want {
        Want {
            raw: self.raw || other.raw,
            profile: self.profile || other.profile,
            assets: self.assets || other.assets,
            rows: self.rows.or(other.rows),
        }
    }
}

/// A page of incidents.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// All must hold. Each is one that the source's capabilities allow, with names already looked up.
    pub tests: Vec<Test>,
    /// None where any order will do; the source then uses one that is stable from page to page.
    pub order: Option<Order>,
    /// How many rows to leave out.
    pub offset: u64,
    /// How many rows at most; at least 1.
    pub limit: usize,
    pub want: Want,
}

/// Details of many incidents.
#[derive(Clone, Debug)]
pub struct DetailRequest {
    pub parts: DetailParts,
    /// Sorted and distinct.
    pub incidents: Vec<NativeId>,
    pub want: Want,
}

/// A page of all records of one kind, in the source's own order, which is stable from page to page.
#[derive(Clone, Debug)]
pub struct CatalogRequest {
    pub kind: RecordKind,
    /// How many rows to leave out.
    pub offset: u64,
    /// How many rows at most; at least 1.
    pub limit: usize,
    pub want: Want,
    /// Narrows the page where the source can search with the same meaning; rows that do not match may come all the same.
    pub search: Search,
}

/// What people call a record, where the gateway needs its id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reference {
    /// An incident by its native id or by the reference that people use.
    Incident(String),
    /// An owner by e-mail, any case.
    OwnerEmail(String),
    /// An owner by the source's own id of it, or of the person behind it.
    OwnerSourceId(String),
    /// A tag by its name, any case.
    TagName(String),
}

/// What a call for many ids answers: what was found, and which ids failed. Ids in neither do not exist, or are hidden.
#[derive(Clone, Debug)]
pub struct Found<T> {
    pub items: Vec<(NativeId, T)>,
    pub failed: Vec<(NativeId, SourceError)>,
    /// Records that were broken and left out.
    pub malformed: u32,
    /// Links inside the records that the source hides from this caller.
    pub masked: u32,
    /// Other records that these told in full, beside their links; of incidents and details, these hold their own.
    pub embedded: Vec<Record>,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Found { items: Vec::new(), failed: Vec::new(), malformed: 0, masked: 0, embedded: Vec::new() }
    }
}

impl<T> Found<T> {
    /// Adds another answer for other ids.
    pub fn absorb(&mut self, other: Found<T>) {
        self.items.extend(other.items);
        self.failed.extend(other.failed);
        self.malformed += other.malformed;
        self.masked += other.masked;
        self.embedded.extend(other.embedded);
    }
}

/// A file that a source makes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum DownloadRequest {
    /// The source's own table of incidents. All tests must hold, and are such as the capabilities allow for exports.
    Table { format: ExportFormat, tests: Vec<Test> },
    /// The source's report on one incident.
    Report { format: ExportFormat, incident: NativeId },
    /// The file kept with a piece of evidence.
    Attachment { evidence: NativeId },
    /// A picture, by the source's own name for it ([`crate::domain::Picture::Kept`]).
    Picture { name: String },
}

/// A file on its way.
pub struct Download {
    pub media_type: String,
    /// As the source proposes it.
    pub file_name: Option<String>,
    /// In bytes, where the source tells.
    pub length: Option<u64>,
    pub body: BoxStream<'static, Result<Bytes, SourceError>>,
}

/// How a source is.
#[derive(Clone, Debug)]
pub struct Probe {
    pub status: SourceStatus,
    /// Why it is not well; written by us.
    pub error: Option<SourceError>,
    /// Release of the product, where it tells.
    pub version: Option<String>,
    /// Its clock minus ours, in milliseconds, where it tells its time (to the second).
    pub clock_skew_ms: Option<f64>,
    pub latency: Duration,
    /// When it was looked at.
    pub checked_at: Time,
    /// Anything else that an operator should know, by name.
    pub notes: Vec<(String, RawJson)>,
}
