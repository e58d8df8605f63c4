//! The contract between the gateway and a vendor: what a source can be asked, and what it answers.
//!
//! A source gives one page, one batch, one answer at a time. It never loops over pages of a list, never retries, never
//! sleeps: that is done above it (federation) and below it (upstream). It is used as `Arc<dyn Source>`, always inside
//! [`Checked`]. Growth: a method enters only when two vendors can do it and the schema shows it.

mod capability;
mod checked;
mod error;
mod request;
mod write;

pub use capability::{
    Capabilities, FilterCapability, FilterRule, Fit, ListCapabilities, SeverityCapability, StatusCapability,
    WriteCapabilities,
};
pub use checked::Checked;
pub use error::{Retry, SourceError, SourceErrorKind};
pub use request::{
    Call, CatalogRequest, DetailRequest, Download, DownloadRequest, Found, ListRequest, Probe, Reference, Want,
};
pub use write::{WriteRequest, WriteResult};

use crate::domain::{
    Details, Incident, MetricParts, Metrics, NativeId, Owner, Record, RecordKind, Rows, SourceKind, SourceName,
};
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// What every method answers.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, SourceError>>;

/// Who a source is. Known without asking it.
#[derive(Clone, Debug)]
pub struct SourceInfo {
    pub name: SourceName,
    pub kind: SourceKind,
    /// Base URL, without credentials.
    pub url: String,
}

/// One configured back end.
///
/// All methods that ask the source take a [`Call`]: who asks, until when, and where to count.
pub trait Source: Send + Sync {
    fn info(&self) -> &SourceInfo;

    /// What the source can do, by its release. Finds the release at first use; where that fails, what every release
    /// can do.
    fn capabilities<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Arc<Capabilities>>;

    /// Incidents from an offset on, in an order and under tests that the capabilities allow.
    fn list<'a>(&'a self, call: &'a Call, request: &'a ListRequest) -> Answer<'a, Rows<Arc<Incident>>>;

    /// Incidents by id, in any order, each at most once. Unknown and invisible ids are just missing.
    fn fetch<'a>(&'a self, call: &'a Call, ids: &'a [NativeId], want: Want) -> Answer<'a, Found<Arc<Incident>>>;

    /// Records of one kind (not incidents) by id, in any order, each at most once. Ids come sorted and distinct; unknown
    /// and invisible ones are just missing.
    fn related<'a>(
        &'a self,
        call: &'a Call,
        kind: RecordKind,
        ids: &'a [NativeId],
        want: Want,
    ) -> Answer<'a, Found<Record>>;

    /// What a source gives only per incident, for many incidents. Unknown incidents are just missing.
    fn details<'a>(&'a self, call: &'a Call, request: &'a DetailRequest) -> Answer<'a, Found<Details>>;

    /// A page of all records of one kind.
    fn catalog<'a>(&'a self, call: &'a Call, request: &'a CatalogRequest) -> Answer<'a, Rows<Record>>;

    /// Ids of what people name otherwise: for each reference, in order, all that it names; none if nothing.
    fn resolve<'a>(&'a self, call: &'a Call, references: &'a [Reference]) -> Answer<'a, Vec<Vec<NativeId>>>;

    /// The source's own counts, over everything or over one scope. Only parts that the capabilities list are asked for.
    fn metrics<'a>(&'a self, call: &'a Call, parts: MetricParts, scope: Option<&'a NativeId>) -> Answer<'a, Metrics>;

    /// A file that the source makes, as a stream.
    fn download<'a>(&'a self, call: &'a Call, request: &'a DownloadRequest) -> Answer<'a, Download>;

    /// Whether the source is there and takes the gateway's credential. Never fails: what is wrong is in the answer.
    fn probe<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Probe>;

    /// Whom the source takes the gateway for.
    fn account<'a>(&'a self, call: &'a Call) -> Answer<'a, Owner>;

    /// Changes something. Capabilities say what is possible; the default refuses everything.
    fn write<'a>(&'a self, _call: &'a Call, request: WriteRequest) -> Answer<'a, WriteResult> {
        let error = SourceError::unsupported(&self.info().name, request.operation());
        Box::pin(async move { Err(error) })
    }
}
