//! Lists of records other than incidents, over all sources: one source after the other, each in its own order.

use super::{
    Federation, FederationError,
    catalog_walk::{Part, part},
    cursor::{CursorFault, Fingerprint, Input, Signer, write_number, write_text},
    outcome::SourceReport,
};
use crate::{
    domain::{
        AssetKind, CountPrecision, NativeId, OwnerKind, PageSize, Record, RecordKind, RelatedRecordKind, Search,
        SourceName, SourceStatus, TermKind, ThreatKind, Time,
    },
    source::{Call, Want},
};
use futures_util::future::join_all;

/// Which page of which catalog.
#[derive(Clone, Debug)]
pub struct CatalogQuery {
    pub kind: RecordKind,
    /// Kinds within the kind.
    pub kinds: KindTest,
    /// Over name, reference and description.
    pub search: Search,
    /// None: all of them.
    pub sources: Option<Vec<SourceName>>,
    pub first: PageSize,
    /// A cursor of a page of the same list.
    pub after: Option<String>,
    pub want: Want,
    /// Count all that match, where that costs more than the page.
    pub want_total: bool,
}

/// Of which kinds records are wanted; an empty list matches nothing.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub enum KindTest {
    #[default]
    Any,
    Assets(Vec<AssetKind>),
    Threats(Vec<ThreatKind>),
    Owners(Vec<OwnerKind>),
    Terms(Vec<TermKind>),
    RelatedRecords(Vec<RelatedRecordKind>),
}

/// A page, and how every source answered.
#[derive(Clone)]
pub struct CatalogPage {
    pub items: Vec<Record>,
    pub has_next: bool,
    pub has_previous: bool,
    /// Records on all pages; none where not even a bound is known.
    pub total: Option<u64>,
    pub precision: CountPrecision,
    /// One for each source, by name.
    pub reports: Vec<SourceReport>,
    /// For each item, how many rows of its source lie at or before it.
    ends: Vec<u64>,
    signer: Signer,
    issued: Time,
    query: Fingerprint,
}

impl CatalogPage {
    /// The cursor of the item at `index`; none beyond the last.
    pub fn cursor(&self, index: usize) -> Option<String> {
        let (item, end) = (self.items.get(index)?, self.ends.get(index)?);
        let mut body = Vec::with_capacity(64);
        write_text(item.key().source.as_str(), &mut body);
        write_text(&item.key().native.to_string(), &mut body);
        write_number(*end, &mut body);
        Some(self.signer.seal(self.issued, self.query, &body))
    }
}

/// The last row of the page before.
pub(super) struct Place {
    pub(super) source: SourceName,
    pub(super) last: NativeId,
    /// How many rows of the source lie at or before it.
    pub(super) end: u64,
}

impl Place {
    fn decode(body: &[u8]) -> Result<Self, CursorFault> {
        let mut input = Input(body);
        let source = SourceName::new(input.text()?);
        Ok(Place { source, last: NativeId::new(input.text()?), end: input.number()? })
    }
}

impl KindTest {
    fn matches(&self, record: &Record) -> bool {
        match (self, record) {
            (KindTest::Any, _) => true,
            (KindTest::Assets(kinds), Record::Asset(asset)) => kinds.contains(&asset.kind),
            (KindTest::Threats(kinds), Record::Threat(threat)) => kinds.contains(&threat.kind),
            (KindTest::Owners(kinds), Record::Owner(owner)) => kinds.contains(&owner.kind),
            (KindTest::Terms(kinds), Record::Term(term)) => kinds.contains(&term.kind),
            (KindTest::RelatedRecords(kinds), Record::RelatedRecord(record)) => kinds.contains(&record.kind),
            _ => false,
        }
    }
}

impl CatalogQuery {
    pub(super) fn matches(&self, record: &Record) -> bool {
        self.kinds.matches(record) && self.search.matches(texts(record).into_iter())
    }

    /// Whether the gateway leaves out rows that a source gives.
    pub(super) fn filters(&self) -> bool {
        self.kinds != KindTest::Any || !self.search.terms().is_empty()
    }
}

/// Name, reference and description.
fn texts(record: &Record) -> [Option<&str>; 3] {
    match record {
        Record::Incident(r) => [r.title.as_deref(), r.reference.as_deref(), r.description.as_deref()],
        Record::Asset(r) => [r.name.as_deref(), r.reference.as_deref(), r.description.as_deref()],
        Record::Threat(r) => [r.name.as_deref(), r.reference.as_deref(), r.description.as_deref()],
        Record::Owner(r) => [r.name.as_deref(), None, r.profile.description.as_deref()],
        Record::Evidence(r) => [r.title.as_deref(), None, r.description.as_deref()],
        Record::Scope(r) => [r.name.as_deref(), None, r.description.as_deref()],
        Record::Tag(r) => [Some(&r.name), None, None],
        Record::Term(r) => [r.label.as_deref().or(Some(&r.name)), Some(&r.name), r.description.as_deref()],
        Record::RelatedRecord(r) => [r.name.as_deref(), r.reference.as_deref(), r.description.as_deref()],
    }
}

impl Federation {
    /// A page of all records of a kind.
    ///
    /// # Errors
    /// A cursor that cannot be used, or a name that no source has. A source that fails costs its rows.
    pub async fn catalog(&self, call: &Call, query: &CatalogQuery) -> Result<CatalogPage, FederationError> {
        let asked = query.sources.as_ref();
        self.known("sources", asked.into_iter().flatten())?;
        let fingerprint =
            Fingerprint::of(&("catalog", query.kind, &query.kinds, &query.search, asked, &call.caller.scope));
        let place = match &query.after {
            Some(after) => Some(Place::decode(&self.signer.open(after, call.now, fingerprint)?)?),
            None => None,
        };
        let named = |name: &SourceName| asked.is_none_or(|names| names.contains(name));
        let mut sources: Vec<_> = self.sources.iter().filter(|source| named(&source.info().name)).collect();
        sources.sort_unstable_by(|a, b| a.info().name.cmp(&b.info().name));
        let visit = self.visit();
        let scanner = self.scanner(&visit);
        let parts = join_all(sources.into_iter().map(|source| {
            let (call, place) = (call.fork(), place.as_ref());
            async move { part(&**source, &call, query, scanner, place).await }
        }))
        .await;
        let mut page = CatalogPage {
            items: Vec::new(),
            has_next: false,
            has_previous: query.after.is_some(),
            total: None,
            precision: CountPrecision::Exact,
            reports: Vec::with_capacity(parts.len()),
            ends: Vec::new(),
            signer: self.signer.clone(),
            issued: call.now,
            query: fingerprint,
        };
        page.fill(parts, query.first.rows());
        Ok(page)
    }
}

impl CatalogPage {
    fn fill(&mut self, parts: Vec<Part>, first: usize) {
        let (mut total, mut asked, mut counted) = (0, false, false);
        for mut part in parts {
            // What comes after a source that was not read to its end has to wait, unless the page were empty then.
            let free = if self.has_next && !self.items.is_empty() { 0 } else { first - self.items.len() };
            self.has_next |= part.more || part.rows.len() > free;
            part.report.items = part.rows.len().min(free);
            for (record, end) in part.rows.into_iter().take(free) {
                self.items.push(record);
                self.ends.push(end);
            }
            if part.report.status != SourceStatus::Skipped {
                self.precision = self.precision.max(part.precision);
                total += part.report.total.unwrap_or(0);
                asked = true;
                counted |= part.report.total.is_some();
            }
            self.reports.push(part.report);
        }
        // Without a row there is no cursor to go on from.
        self.has_next &= !self.items.is_empty();
        // If all failed, nothing is known.
        if asked && !counted {
            self.precision = CountPrecision::Unknown;
        }
        self.total = (self.precision != CountPrecision::Unknown).then_some(total);
    }
}
