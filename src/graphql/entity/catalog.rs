//! Root lists of what incidents are tied to: assets, threats, owners, scopes, tags, terms, related records.

use super::{
    page::{End, PageInfo},
    report::Report,
};
use crate::{
    domain::{Asset, Owner, Record, RelatedRecord, Scope, Tag, Term, Threat},
    federation::CatalogPage,
    graphql::{
        cost::Costs,
        leaf::Count,
        object::{Declared, Object, declare},
    },
};
use std::sync::Arc;

/// A type of record that has a root list.
pub(crate) trait Listed: Declared + Sized {
    /// The record, if it is of this type.
    fn of(record: &Record) -> Option<Arc<Self>>;
}

/// A page of records of one type.
pub(crate) struct CatalogConnection<R: Listed> {
    edges: Vec<CatalogEdge<R>>,
    nodes: Vec<Arc<R>>,
    page_info: PageInfo,
    total: Option<u64>,
    reports: Vec<Report>,
}

/// One record of a page.
pub(crate) struct CatalogEdge<R> {
    cursor: String,
    node: Arc<R>,
}

impl<R: Listed> CatalogConnection<R> {
    pub(crate) fn new(page: CatalogPage, costs: &Arc<Costs>) -> Self {
        let rows = page.items.iter().enumerate();
        let edges: Vec<CatalogEdge<R>> = rows
            .filter_map(|(index, row)| Some(CatalogEdge { cursor: page.cursor(index)?, node: R::of(row)? }))
            .collect();
        let place = |edge: &CatalogEdge<R>| End::Made(edge.cursor.clone());
        CatalogConnection {
            nodes: edges.iter().map(|edge| edge.node.clone()).collect(),
            page_info: PageInfo {
                has_next: page.has_next,
                has_previous: page.has_previous,
                start: edges.first().map(place),
                end: edges.last().map(place),
            },
            edges,
            total: page.total,
            reports: page.reports.into_iter().map(|report| Report::new(report, Some(costs.clone()))).collect(),
        }
    }
}

fn connection<R: Listed>(description: &'static str) -> Object
where
    CatalogConnection<R>: Declared,
    CatalogEdge<R>: Declared,
{
    Object::of::<CatalogConnection<R>>(description)
        .objects::<CatalogEdge<R>, _>("edges", "The records of this page, each with its cursor.", |c| &c.edges)
        .objects::<R, _>("nodes", "The records of this page: short for `edges { node }`.", |c| &c.nodes)
        .object("pageInfo", "Where the page stands.", |c| &c.page_info)
        .computed("totalCount", "How many there are on all pages; null when it cannot be known.", |c| {
            c.total.map(Count)
        })
        .objects::<Report, _>("sources", "Who answered, how, and how fresh.", |c| &c.reports)
        .end()
}

fn edge<R: Listed>(description: &'static str) -> Object
where
    CatalogEdge<R>: Declared,
{
    Object::of::<CatalogEdge<R>>(description)
        .field("cursor", "Where this record stands: `after` for what follows it.", |e| &e.cursor)
        .object::<R>("node", "The record.", |e| &*e.node)
        .end()
}

macro_rules! listed {
    ($($record:ident: $connection:literal $edge:literal, $page:literal $one:literal,)+) => { $(
        impl Listed for $record {
            fn of(record: &Record) -> Option<Arc<Self>> {
                match record {
                    Record::$record(record) => Some(record.clone()),
                    _ => None,
                }
            }
        }
        declare!(
            CatalogConnection<$record> as $connection => || connection::<$record>($page),
            CatalogEdge<$record> as $edge => || edge::<$record>($one),
        );
    )+ };
}
listed! {
    Asset: "AssetConnection" "AssetEdge", "A page of assets over all sources." "An asset of a page.",
    Threat: "ThreatConnection" "ThreatEdge", "A page of threats over all sources." "A threat of a page.",
    Owner: "OwnerConnection" "OwnerEdge", "A page of people and teams over all sources." "An owner of a page.",
    Scope: "ScopeConnection" "ScopeEdge", "A page of scopes over all sources." "A scope of a page.",
    Tag: "TagConnection" "TagEdge", "A page of tags over all sources." "A tag of a page.",
    Term: "TermConnection" "TermEdge", "A page of terms over all sources." "A term of a page.",
    RelatedRecord: "RelatedRecordConnection" "RelatedRecordEdge",
        "A page of related records over all sources." "A related record of a page.",
}
