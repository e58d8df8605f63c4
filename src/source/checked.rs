//! The one wrapper that every source gets: what the capabilities do not allow is refused before a vendor sees it.

use super::{
    Answer, Call, Capabilities, CatalogRequest, DetailRequest, Download, DownloadRequest, Fit, Found, ListRequest,
    Probe, Reference, Source, SourceError, SourceErrorKind, SourceInfo, Want, WriteRequest, WriteResult,
};
use crate::domain::{DetailPart, Details, Incident, MetricParts, Metrics, NativeId, Owner, Record, RecordKind, Rows};
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// A source that is only asked what it can do.
pub struct Checked(Arc<dyn Source>);

impl Checked {
    pub fn wrap(source: Arc<dyn Source>) -> Arc<dyn Source> {
        Arc::new(Checked(source))
    }

    fn refuse(&self, operation: &'static str) -> SourceError {
        SourceError::unsupported(&self.0.info().name, operation)
    }

    /// A planner's mistake, not a client's: it must not reach the vendor, which may answer with everything.
    fn fault(&self, operation: &'static str) -> SourceError {
        let text = "The gateway planned a request that the source cannot answer.";
        SourceError::new(SourceErrorKind::Internal, &self.0.info().name, operation, text)
    }
}

#[deny(clippy::missing_trait_methods)]
impl Source for Checked {
    fn info(&self) -> &SourceInfo {
        self.0.info()
    }

    fn capabilities<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Arc<Capabilities>> {
        self.0.capabilities(call)
    }

    fn list<'a>(&'a self, call: &'a Call, request: &'a ListRequest) -> Answer<'a, Rows<Arc<Incident>>> {
        Box::pin(async move {
            let capabilities = self.0.capabilities(call).await;
            let sorted = request.order.is_none_or(|order| capabilities.sorts(order.field, order.direction));
            let filtered = request.tests.iter().all(|test| matches!(capabilities.fit(test), Fit::Source | Fit::Both));
            if !sorted || !filtered || request.limit == 0 {
                return Err(self.fault("list incidents"));
            }
            self.0.list(call, request).await
        })
    }

    fn fetch<'a>(&'a self, call: &'a Call, ids: &'a [NativeId], want: Want) -> Answer<'a, Found<Arc<Incident>>> {
        match ids {
            [] => Box::pin(async { Ok(Found::default()) }),
            ids => self.0.fetch(call, ids, want),
        }
    }

    fn related<'a>(
        &'a self,
        call: &'a Call,
        kind: RecordKind,
        ids: &'a [NativeId],
        want: Want,
    ) -> Answer<'a, Found<Record>> {
        match ids {
            [] => Box::pin(async { Ok(Found::default()) }),
            ids => self.0.related(call, kind, ids, want),
        }
    }

    fn details<'a>(&'a self, call: &'a Call, request: &'a DetailRequest) -> Answer<'a, Found<Details>> {
        Box::pin(async move {
            let capabilities = self.0.capabilities(call).await;
            let parts = request.parts;
            if parts.contains(DetailPart::DeletePreview) && !capabilities.delete_preview {
                return Err(self.refuse("preview a deletion"));
            }
            if parts.contains(DetailPart::Comments) && !capabilities.read_comments {
                return Err(self.refuse("read comments"));
            }
            if parts.contains(DetailPart::Activity) && !capabilities.history {
                return Err(self.refuse("read activity"));
            }
            self.0.details(call, request).await
        })
    }

    fn catalog<'a>(&'a self, call: &'a Call, request: &'a CatalogRequest) -> Answer<'a, Rows<Record>> {
        Box::pin(async move {
            if !self.0.capabilities(call).await.catalog.contains(&request.kind) || request.limit == 0 {
                return Err(self.refuse("list records of this kind"));
            }
            self.0.catalog(call, request).await
        })
    }

    fn resolve<'a>(&'a self, call: &'a Call, references: &'a [Reference]) -> Answer<'a, Vec<Vec<NativeId>>> {
        match references {
            [] => Box::pin(async { Ok(Vec::new()) }),
            references => self.0.resolve(call, references),
        }
    }

    fn metrics<'a>(&'a self, call: &'a Call, parts: MetricParts, scope: Option<&'a NativeId>) -> Answer<'a, Metrics> {
        Box::pin(async move {
            if !parts.within(self.0.capabilities(call).await.metrics) {
                return Err(self.fault("read metrics"));
            }
            self.0.metrics(call, parts, scope).await
        })
    }

    fn download<'a>(&'a self, call: &'a Call, request: &'a DownloadRequest) -> Answer<'a, Download> {
        Box::pin(async move {
            let capabilities = self.0.capabilities(call).await;
            let allowed = match request {
                DownloadRequest::Table { format, tests } => {
                    let taken = |test| capabilities.export_filters.iter().any(|filter| filter.takes(test));
                    capabilities.exports.contains(format) && tests.iter().all(taken)
                }
                DownloadRequest::Report { format, .. } => capabilities.reports.contains(format),
                DownloadRequest::Attachment { .. } => capabilities.attachments,
                DownloadRequest::Picture { .. } => capabilities.pictures,
            };
            if !allowed {
                return Err(self.refuse("make this file"));
            }
            self.0.download(call, request).await
        })
    }

    fn probe<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Probe> {
        self.0.probe(call)
    }

    fn account<'a>(&'a self, call: &'a Call) -> Answer<'a, Owner> {
        self.0.account(call)
    }

    fn write<'a>(&'a self, call: &'a Call, request: WriteRequest) -> Answer<'a, WriteResult> {
        Box::pin(async move {
            let capabilities = self.0.capabilities(call).await;
            let allowed = match request {
                WriteRequest::Delete { .. } => capabilities.write.delete,
            };
            if !allowed {
                return Err(self.refuse(request.operation()));
            }
            self.0.write(call, request).await
        })
    }
}
