//! `IncidentConnection`: a page of incidents over all sources, and below a record.

use super::{
    page::{self, End, PageInfo},
    report::Report,
};
use crate::{
    domain::{CountPrecision, Filter, Incident, RecordKind, SourceName, Test},
    federation::{Cost, IncidentPage, IncidentQuery},
    graphql::{
        cost::Costs,
        input::{IncidentFilter, IncidentOrder, order},
        leaf::Count,
        need::Need,
        object::{Child, Hold, Object, declare},
        store::Lookup,
    },
};
use async_graphql::InputObject;
use std::sync::Arc;

declare!(
    IncidentConnection as "IncidentConnection" => connection,
    IncidentEdge as "IncidentEdge" => edge,
);

/// A page of incidents.
pub(crate) struct IncidentConnection {
    page: Arc<IncidentPage>,
    edges: Vec<IncidentEdge>,
    nodes: Vec<Arc<Incident>>,
    page_info: PageInfo,
    reports: Vec<Report>,
}

/// One incident of a page.
struct IncidentEdge {
    page: Arc<IncidentPage>,
    index: usize,
}

impl IncidentConnection {
    /// Of a root field; its reports show what the whole answer cost.
    pub(crate) fn at_root(page: IncidentPage, costs: Arc<Costs>) -> Self {
        Self::new(page, Some(costs))
    }

    /// Of a field below the root; its reports show what the list itself cost.
    pub(crate) fn below_root(page: IncidentPage) -> Self {
        Self::new(page, None)
    }

    fn new(mut page: IncidentPage, costs: Option<Arc<Costs>>) -> Self {
        let reports = std::mem::take(&mut page.reports);
        let page = Arc::new(page);
        let count = page.items.len();
        let place = |index: usize| page.cursor(index).map(End::Made);
        let page_info = PageInfo {
            has_next: page.has_next,
            has_previous: page.has_previous,
            start: place(0),
            end: count.checked_sub(1).and_then(place),
        };
        IncidentConnection {
            edges: (0..count).map(|index| IncidentEdge { page: page.clone(), index }).collect(),
            nodes: page.items.iter().map(|row| row.incident.clone()).collect(),
            page_info,
            reports: reports.into_iter().map(|report| Report::new(report, costs.clone())).collect(),
            page,
        }
    }

    /// What the list itself cost its sources.
    pub(crate) fn costs(&self) -> Vec<(SourceName, Cost)> {
        self.reports.iter().map(Report::own_cost).collect()
    }
}

fn connection() -> Object {
    Object::of::<IncidentConnection>("A page of incidents, in one order over all sources.")
        .objects::<IncidentEdge, _>("edges", "The incidents of this page, each with its cursor.", |c| &c.edges)
        .objects::<Incident, _>("nodes", "The incidents of this page: short for `edges { node }`.", |c| &c.nodes)
        .object("pageInfo", "Where the page stands.", |c| &c.page_info)
        .computed("totalCount", "How many match on all pages; null when it cannot be known.", |c| {
            c.page.total.map(Count)
        })
        .computed("totalCountPrecision", "How exact `totalCount` is.", |c| -> CountPrecision { c.page.precision })
        .objects::<Report, _>("sources", "Who answered, how, and how fresh.", |c| &c.reports)
        .end()
}

fn edge() -> Object {
    Object::of::<IncidentEdge>("An incident of a page.")
        .computed("cursor", "Where this incident stands: `after` for what follows it.", |e| {
            e.page.cursor(e.index).unwrap_or_default()
        })
        .object::<Incident>("node", "The incident.", |e| &*e.page.items[e.index].incident)
        .end()
}

/// Arguments of a list of incidents below a record.
#[derive(InputObject)]
pub(crate) struct IncidentsBelow {
    /// At most this many: 1 to 100.
    #[graphql(default_with = "Some(25)")]
    first: Option<i32>,
    /// A cursor of this list; the page starts after it.
    after: Option<String>,
    /// Which of them.
    filter: Option<IncidentFilter>,
    /// In which order; newest created first when left out.
    order_by: Option<IncidentOrder>,
}

/// The incidents that pass `test` and the arguments' filter.
pub(crate) fn incidents_below<'a>(
    test: Test,
    arguments: &IncidentsBelow,
    lookup: &Lookup<'a>,
) -> Result<Option<Child<'a>>, Hold> {
    let mut parts = vec![Filter::Test(test)];
    if let Some(filter) = &arguments.filter {
        parts.push(filter.read("filter")?);
    }
    let query = IncidentQuery {
        filter: Filter::All(parts),
        order: order(arguments.order_by.as_ref()),
        first: page::size(arguments.first)?,
        after: arguments.after.clone(),
        require_sources: vec![],
        want: lookup.wanted(RecordKind::Incident),
        want_total: true,
    };
    let found = lookup.found::<IncidentConnection>(Need::Incidents(Arc::new(query)))?;
    Ok(found.map(|connection| Child::Here(connection)))
}
