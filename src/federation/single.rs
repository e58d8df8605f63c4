//! Questions to one source alone: what it can do, how it is, whom it takes us for, its files.

use super::{
    Cost, Federation, FederationError,
    plan::{Route, SourcePlan},
    prepare::{Prepared, prepare},
    scan::Scanner,
};
use crate::{
    domain::{
        CircuitState, ExportFormat, Filter, IncidentField, Key, Owner, Record, RecordKind, Scope, Search, SourceName,
        Vocabulary,
    },
    source::{
        Call, Capabilities, CatalogRequest, Download, DownloadRequest, Probe, Reference, Source, SourceError,
        SourceErrorKind, Want,
    },
};
use std::sync::Arc;

/// What a source answered, and what asking cost.
type Costed<T> = (Result<T, FederationError>, Cost);

impl Federation {
    /// What a source can do, by its release.
    ///
    /// # Errors
    /// An unknown name.
    pub async fn capabilities(&self, call: &Call, source: &SourceName) -> Costed<Arc<Capabilities>> {
        let (source, call) = match self.asked(call, source) {
            Ok(asked) => asked,
            Err(error) => return (Err(error), Cost::default()),
        };
        let answer = Ok(source.capabilities(&call).await);
        (answer, Cost::of(&call, 0, 0))
    }

    /// How a source is, and whether calls go through to it after that.
    ///
    /// # Errors
    /// An unknown name.
    pub async fn probe(&self, call: &Call, source: &SourceName) -> Costed<(Probe, CircuitState)> {
        let (source, call) = match self.asked(call, source) {
            Ok(asked) => asked,
            Err(error) => return (Err(error), Cost::default()),
        };
        let probe = source.probe(&call).await;
        let answer = Ok((probe, call.circuit()));
        (answer, Cost::of(&call, 0, 0))
    }

    /// Whom a source takes the gateway for.
    ///
    /// # Errors
    /// An unknown name, or the source fails.
    pub async fn account(&self, call: &Call, source: &SourceName) -> Costed<Owner> {
        let (source, call) = match self.asked(call, source) {
            Ok(asked) => asked,
            Err(error) => return (Err(error), Cost::default()),
        };
        let answer = source.account(&call).await.map_err(FederationError::Source);
        (answer, Cost::of(&call, 0, 0))
    }

    /// A source by name, and a call that counts for itself.
    fn asked(&self, call: &Call, source: &SourceName) -> Result<(&Arc<dyn Source>, Call), FederationError> {
        Ok((self.one("source", source)?, call.fork()))
    }

    /// All scopes of a source, as far as the gateway may read.
    ///
    /// # Errors
    /// An unknown name, or the source fails.
    pub async fn scopes(&self, call: &Call, source: &SourceName) -> Costed<Vec<Arc<Scope>>> {
        let (source, call) = match self.asked(call, source) {
            Ok(asked) => asked,
            Err(error) => return (Err(error), Cost::default()),
        };
        let answer = all_scopes(&**source, &call, self.scanner(&self.visit())).await.map_err(FederationError::Source);
        (answer, Cost::of(&call, 0, 0))
    }

    /// A file that a source makes, as a stream.
    ///
    /// # Errors
    /// An unknown name, or the source fails or cannot make it.
    pub async fn download(
        &self,
        call: &Call,
        source: &SourceName,
        request: &DownloadRequest,
    ) -> Result<Download, FederationError> {
        self.one("source", source)?.download(&call.fork(), request).await.map_err(FederationError::Source)
    }

    /// The incident of a native id, or of the reference that people use; the first if several have it.
    ///
    /// # Errors
    /// An unknown name, or the source fails.
    pub async fn incident_by(
        &self,
        call: &Call,
        source: &SourceName,
        text: &str,
    ) -> Result<Option<Key>, FederationError> {
        let source = self.one("by.native.source", source)?;
        let references = [Reference::Incident(text.to_owned())];
        let found = source.resolve(&call.fork(), &references).await.map_err(FederationError::Source)?;
        Ok(found.into_iter().flatten().next().map(|native| Key { source: source.info().name.clone(), native }))
    }

    /// What to ask a source for its own table of the incidents that match, for a later [`Federation::download`].
    ///
    /// # Errors
    /// An unknown name; or `Unsupported`, if the source has no such table or its table would ignore a part of the filter.
    pub async fn table(
        &self,
        call: &Call,
        source: &SourceName,
        format: ExportFormat,
        filter: &Filter,
    ) -> Costed<DownloadRequest> {
        let (source, call) = match self.asked(call, source) {
            Ok(asked) => asked,
            Err(error) => return (Err(error), Cost::default()),
        };
        let answer = table(&**source, &call, format, filter).await;
        (answer, Cost::of(&call, 0, 0))
    }

    /// No source is called so; `argument` is where the client named it.
    pub(super) fn unknown(&self, argument: &'static str, name: &SourceName) -> FederationError {
        let configured = self.sources().iter().map(|source| source.info().name.clone()).collect();
        FederationError::UnknownSource { argument, name: name.clone(), configured }
    }

    fn one(&self, argument: &'static str, name: &SourceName) -> Result<&Arc<dyn Source>, FederationError> {
        self.source(name).ok_or_else(|| self.unknown(argument, name))
    }
}

/// See [`Federation::table`].
async fn table(
    source: &dyn Source,
    call: &Call,
    format: ExportFormat,
    filter: &Filter,
) -> Result<DownloadRequest, FederationError> {
    let refuse = |text: String| {
        let name = &source.info().name;
        FederationError::Source(SourceError::new(SourceErrorKind::Unsupported, name, "export incidents", text))
    };
    let name = &source.info().name;
    let capabilities = source.capabilities(call).await;
    if !capabilities.exports.contains(&format) {
        return Err(refuse(format!("The source “{name}” makes no such table.")));
    }
    match prepare(source, call, filter, None).await.map_err(FederationError::Source)? {
        Prepared::Skip(reason) => Err(refuse(reason)),
        Prepared::Plan(SourcePlan { route, tests, by_gateway, .. }, _) => {
            // A table takes no ids.
            let by_id = matches!(route, Route::ByIds(_)).then_some(IncidentField::Id);
            let ignored = tests.iter().filter(|test| !capabilities.export_filters.iter().any(|f| f.takes(test)));
            let mut ignored = by_id.into_iter().chain(by_gateway).chain(ignored.map(|test| test.field()));
            match ignored.next() {
                Some(field) => {
                    let field = field.name();
                    Err(refuse(format!("The table of the source “{name}” cannot be filtered by {field}.")))
                }
                None => Ok(DownloadRequest::Table { format, tests }),
            }
        }
    }
}

async fn all_scopes(source: &dyn Source, call: &Call, scanner: Scanner<'_>) -> Result<Vec<Arc<Scope>>, SourceError> {
    let scope = |record: &Record| match record {
        Record::Scope(scope) => Some(scope.clone()),
        _ => None,
    };
    let (kind, want, limit) = (RecordKind::Scope, Want::default(), scanner.limit);
    let capabilities = source.capabilities(call).await;
    if !capabilities.catalog.contains(&kind) && capabilities.embedded.contains(&kind) {
        let view = scanner.records(source, call, &capabilities, kind, want).await?;
        return Ok(view.copy.records(kind).iter().filter_map(scope).collect());
    }
    let page = capabilities.list.max_page_size;
    let mut scopes = Vec::new();
    let mut offset = 0;
    loop {
        let request = CatalogRequest { kind, offset, limit: page.min(limit), want, search: Search::parse("") };
        let rows = source.catalog(call, &request).await?;
        offset += rows.consumed as u64;
        let done = !rows.more || rows.consumed == 0 || offset >= limit as u64;
        scopes.extend(rows.items.iter().filter_map(scope));
        if done {
            return Ok(scopes);
        }
    }
}
