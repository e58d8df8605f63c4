//! Root fields: arguments → one request → one answer. No loops, no joins: those live in the federation.

use super::{
    answer::{Answer, OneOf, Sought, Start},
    cost::Costs,
    entity::{CatalogConnection, IncidentConnection, Listed, Node, StatsView, Viewer, page},
    error::Fault,
    input::{IncidentFilter, IncidentOrder, IncidentRef, key, order},
    need::Need,
    object::Declared,
    plan::{Plan, WantByKind},
    session::Session,
};
use crate::{
    domain::{
        Asset, AssetKind, GlobalId, IdKind, Incident, Owner, OwnerKind, RecordKind, RelatedRecord, RelatedRecordKind,
        Scope, Search, SourceName, Tag, Term, TermKind, Threat, ThreatKind,
    },
    federation::{CatalogQuery, IncidentQuery, KindTest},
    source::SourceInfo,
};
use async_graphql::{Context, ID, Object};
use std::sync::Arc;

/// What can be asked.
pub(crate) struct Query;

/// How many ids `nodes` takes at once.
const MAX_NODES: usize = 100;

fn session<'a>(ctx: &Context<'a>) -> &'a Arc<Session> {
    ctx.data_unchecked::<Arc<Session>>()
}

/// What can be asked.
#[Object]
impl Query {
    /// Any record by its id; null, with NOT_FOUND, where there is none.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The record's global id.")] id: ID,
    ) -> Answer<Option<OneOf<Node>>> {
        Answer::now(sought(session(ctx), &id, "id").map(Start::One))
    }

    /// Several records by their ids, in their order; null, with NOT_FOUND, where there is none. 1 to 100 ids; one may
    /// be named twice.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The records' global ids.")] ids: Vec<ID>,
    ) -> Answer<Vec<Option<OneOf<Node>>>> {
        Answer::now(all_sought(session(ctx), &ids).map(Start::Many))
    }

    /// One incident; null, with NOT_FOUND, where there is none.
    async fn incident(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] by: IncidentRef,
    ) -> Answer<Option<Incident>> {
        let session = session(ctx).clone();
        Answer::planned(move |_| async move {
            let found = match by {
                IncidentRef::Id(id) => Some(key(&id, IdKind::Incident, "by.id")?),
                IncidentRef::Native(native) => {
                    let source = SourceName::new(&native.source);
                    session.federation.incident_by(&session.call, &source, &native.id).await?
                }
            };
            let sought = found.map_or(Sought::Missing, |key| Sought::Record(Need::Record(RecordKind::Incident, key)));
            Ok(Start::One(sought))
        })
    }

    /// The incidents of all sources, in one order. One that does not answer costs its rows, not the list: see `sources`.
    #[allow(clippy::too_many_arguments)]
    async fn incidents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many: 1 to 100.", default_with = "Some(25)")] first: Option<i32>,
        #[graphql(desc = "A cursor of this list; the page starts after it.")] after: Option<String>,
        #[graphql(desc = "Which incidents; all of them when left out.")] filter: Option<IncidentFilter>,
        #[graphql(desc = "In which order; newest created first when left out.")] order_by: Option<IncidentOrder>,
        #[graphql(desc = "A failure of any of these sources is an error instead of a report.")] require_sources: Option<
            Vec<String>,
        >,
    ) -> Answer<Option<IncidentConnection>> {
        let session = session(ctx).clone();
        Answer::planned(move |plans| {
            let (want, want_total) = (WantByKind::of(plans).of_list(RecordKind::Incident), counts(plans));
            async move {
                let query = IncidentQuery {
                    filter: filter.map(|filter| filter.read("filter")).transpose()?.unwrap_or_default(),
                    order: order(order_by.as_ref()),
                    first: page::size(first)?,
                    after,
                    require_sources: names(require_sources),
                    want,
                    want_total,
                };
                let costs = Arc::new(Costs::default());
                let page = session.federation.incidents(&session.call, &query).await?;
                Ok(Start::Reported(Box::new(IncidentConnection::at_root(page, costs.clone())), costs))
            }
        })
    }

    /// Counts of incidents by dimension: from the sources' own counts where these are exact, else by reading.
    async fn incident_stats(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which incidents; all of them when left out.")] filter: Option<IncidentFilter>,
    ) -> Answer<Option<StatsView>> {
        let session = session(ctx).clone();
        Answer::planned(move |plans| {
            let wanted = StatsView::wanted(&plans[0]);
            async move {
                let filter = filter.map(|filter| filter.read("filter")).transpose()?.unwrap_or_default();
                let stats = session.federation.stats(&session.call, &StatsView::query(filter, wanted)).await?;
                let costs = Arc::new(Costs::default());
                Ok(Start::Reported(Box::new(StatsView::new(stats, &costs)), costs))
            }
        })
    }

    /// The assets of all sources: what incidents can touch.
    #[allow(clippy::too_many_arguments)]
    async fn assets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many: 1 to 100.", default_with = "Some(25)")] first: Option<i32>,
        #[graphql(desc = "A cursor of this list; the page starts after it.")] after: Option<String>,
        #[graphql(desc = "Only these sources, by the names in the configuration.")] sources: Option<Vec<String>>,
        #[graphql(desc = "Only these kinds; an empty list matches nothing.")] kinds: Option<Vec<AssetKind>>,
        #[graphql(
            desc = "Every word must occur in name, reference or description; any case; quotes hold a phrase together."
        )]
        search: Option<String>,
    ) -> Answer<Option<CatalogConnection<Asset>>> {
        let list = List {
            kind: RecordKind::Asset,
            first,
            after,
            sources,
            kinds: kinds.map_or(KindTest::Any, KindTest::Assets),
            search,
        };
        list.answer(session(ctx))
    }

    /// The threats of all sources: what incidents can be caused by.
    #[allow(clippy::too_many_arguments)]
    async fn threats(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many: 1 to 100.", default_with = "Some(25)")] first: Option<i32>,
        #[graphql(desc = "A cursor of this list; the page starts after it.")] after: Option<String>,
        #[graphql(desc = "Only these sources, by the names in the configuration.")] sources: Option<Vec<String>>,
        #[graphql(desc = "Only these kinds; an empty list matches nothing.")] kinds: Option<Vec<ThreatKind>>,
        #[graphql(
            desc = "Every word must occur in name, reference or description; any case; quotes hold a phrase together."
        )]
        search: Option<String>,
    ) -> Answer<Option<CatalogConnection<Threat>>> {
        let list = List {
            kind: RecordKind::Threat,
            first,
            after,
            sources,
            kinds: kinds.map_or(KindTest::Any, KindTest::Threats),
            search,
        };
        list.answer(session(ctx))
    }

    /// The people and teams that can own incidents, of all sources.
    #[allow(clippy::too_many_arguments)]
    async fn owners(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many: 1 to 100.", default_with = "Some(25)")] first: Option<i32>,
        #[graphql(desc = "A cursor of this list; the page starts after it.")] after: Option<String>,
        #[graphql(desc = "Only these sources, by the names in the configuration.")] sources: Option<Vec<String>>,
        #[graphql(desc = "Only these kinds; an empty list matches nothing.")] kinds: Option<Vec<OwnerKind>>,
        #[graphql(
            desc = "Every word must occur in name, reference or description; any case; quotes hold a phrase together."
        )]
        search: Option<String>,
    ) -> Answer<Option<CatalogConnection<Owner>>> {
        let list = List {
            kind: RecordKind::Owner,
            first,
            after,
            sources,
            kinds: kinds.map_or(KindTest::Any, KindTest::Owners),
            search,
        };
        list.answer(session(ctx))
    }

    /// The folders, tenants and organisations of all sources.
    #[allow(clippy::too_many_arguments)]
    async fn scopes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many: 1 to 100.", default_with = "Some(25)")] first: Option<i32>,
        #[graphql(desc = "A cursor of this list; the page starts after it.")] after: Option<String>,
        #[graphql(desc = "Only these sources, by the names in the configuration.")] sources: Option<Vec<String>>,
        #[graphql(
            desc = "Every word must occur in name, reference or description; any case; quotes hold a phrase together."
        )]
        search: Option<String>,
    ) -> Answer<Option<CatalogConnection<Scope>>> {
        let list = List { kind: RecordKind::Scope, first, after, sources, kinds: KindTest::Any, search };
        list.answer(session(ctx))
    }

    /// The labels of all sources.
    #[allow(clippy::too_many_arguments)]
    async fn tags(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many: 1 to 100.", default_with = "Some(25)")] first: Option<i32>,
        #[graphql(desc = "A cursor of this list; the page starts after it.")] after: Option<String>,
        #[graphql(desc = "Only these sources, by the names in the configuration.")] sources: Option<Vec<String>>,
        #[graphql(
            desc = "Every word must occur in name, reference or description; any case; quotes hold a phrase together."
        )]
        search: Option<String>,
    ) -> Answer<Option<CatalogConnection<Tag>>> {
        let list = List { kind: RecordKind::Tag, first, after, sources, kinds: KindTest::Any, search };
        list.answer(session(ctx))
    }

    /// The words of the sources' own vocabularies.
    #[allow(clippy::too_many_arguments)]
    async fn terms(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many: 1 to 100.", default_with = "Some(25)")] first: Option<i32>,
        #[graphql(desc = "A cursor of this list; the page starts after it.")] after: Option<String>,
        #[graphql(desc = "Only these sources, by the names in the configuration.")] sources: Option<Vec<String>>,
        #[graphql(desc = "Only these kinds; an empty list matches nothing.")] kinds: Option<Vec<TermKind>>,
        #[graphql(
            desc = "Every word must occur in name, reference or description; any case; quotes hold a phrase together."
        )]
        search: Option<String>,
    ) -> Answer<Option<CatalogConnection<Term>>> {
        let list = List {
            kind: RecordKind::Term,
            first,
            after,
            sources,
            kinds: kinds.map_or(KindTest::Any, KindTest::Terms),
            search,
        };
        list.answer(session(ctx))
    }

    /// The third parties, risks, controls and tasks of all sources.
    #[allow(clippy::too_many_arguments)]
    async fn related_records(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many: 1 to 100.", default_with = "Some(25)")] first: Option<i32>,
        #[graphql(desc = "A cursor of this list; the page starts after it.")] after: Option<String>,
        #[graphql(desc = "Only these sources, by the names in the configuration.")] sources: Option<Vec<String>>,
        #[graphql(desc = "Only these kinds; an empty list matches nothing.")] kinds: Option<Vec<RelatedRecordKind>>,
        #[graphql(
            desc = "Every word must occur in name, reference or description; any case; quotes hold a phrase together."
        )]
        search: Option<String>,
    ) -> Answer<Option<CatalogConnection<RelatedRecord>>> {
        let list = List {
            kind: RecordKind::RelatedRecord,
            first,
            after,
            sources,
            kinds: kinds.map_or(KindTest::Any, KindTest::RelatedRecords),
            search,
        };
        list.answer(session(ctx))
    }

    /// All configured sources.
    async fn sources(&self, ctx: &Context<'_>) -> Answer<Vec<SourceInfo>> {
        let sources = session(ctx).federation.sources().iter();
        Answer::now(Ok(Start::Many(sources.map(|source| Sought::Source(source.info().name.clone())).collect())))
    }

    /// One source; null, with NOT_FOUND, where there is none of this name.
    async fn source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its name in the configuration.")] name: String,
    ) -> Answer<Option<SourceInfo>> {
        Answer::now(Ok(Start::One(source_named(session(ctx), SourceName::new(&name)))))
    }

    /// Who the gateway thinks you are, and what you may do.
    async fn viewer(&self, ctx: &Context<'_>) -> Answer<Viewer> {
        let session = session(ctx);
        let sources = session.federation.sources().iter().map(|source| source.info().name.clone());
        Answer::now(Ok(Start::Object(Box::new(Viewer::new(&session.call.caller, sources)))))
    }
}

/// The arguments of a root list.
struct List {
    kind: RecordKind,
    first: Option<i32>,
    after: Option<String>,
    sources: Option<Vec<String>>,
    kinds: KindTest,
    search: Option<String>,
}

impl List {
    fn answer<R: Listed>(self, session: &Arc<Session>) -> Answer<Option<CatalogConnection<R>>>
    where
        CatalogConnection<R>: Declared,
    {
        let session = session.clone();
        Answer::planned(move |plans| {
            let (want, want_total) = (WantByKind::of(plans).of_list(self.kind), counts(plans));
            async move {
                let query = CatalogQuery {
                    kind: self.kind,
                    kinds: self.kinds,
                    search: Search::parse(&self.search.unwrap_or_default()),
                    sources: self.sources.map(|sources| names(Some(sources))),
                    first: page::size(self.first)?,
                    after: self.after,
                    want,
                    want_total,
                };
                let costs = Arc::new(Costs::default());
                let page = session.federation.catalog(&session.call, &query).await?;
                Ok(Start::Reported(Box::new(CatalogConnection::<R>::new(page, &costs)), costs))
            }
        })
    }
}

/// Whether a number of all rows is asked for, of the list or of one of its sources.
fn counts(plans: &[Plan]) -> bool {
    let selects = |plan: &Plan| plan.selects("totalCount");
    let of_source = |plan: &Plan| plan.branches("sources").any(|(_, below)| below.iter().any(selects));
    plans.iter().any(|plan| selects(plan) || of_source(plan))
}

fn names(names: Option<Vec<String>>) -> Vec<SourceName> {
    names.into_iter().flatten().map(|name| SourceName::new(&name)).collect()
}

/// What an id names, whatever its kind.
fn sought(session: &Session, id: &str, argument: &str) -> Result<Sought, Fault> {
    let Ok(GlobalId { kind, key }) = id.parse::<GlobalId>() else {
        return Err(Fault::input(argument, "is not an id given out by this gateway."));
    };
    if kind == IdKind::Source {
        return Ok(source_named(session, key.source));
    }
    match RecordKind::of(kind) {
        Some(record) => Ok(Sought::Record(Need::Record(record, key))),
        None => Err(Fault::input(argument, "names something that can only be read with its incident.")),
    }
}

fn source_named(session: &Session, name: SourceName) -> Sought {
    if session.federation.source(&name).is_some() { Sought::Source(name) } else { Sought::Missing }
}

fn all_sought(session: &Session, ids: &[ID]) -> Result<Vec<Sought>, Fault> {
    if !(1..=MAX_NODES).contains(&ids.len()) {
        return Err(Fault::input("ids", format!("must have from 1 to {MAX_NODES} ids, not {}.", ids.len())));
    }
    let each = ids.iter().enumerate();
    // A wrong id is a null in its place; the others are not its fault.
    Ok(each.map(|(index, id)| sought(session, id, &format!("ids[{index}]")).unwrap_or_else(Sought::Wrong)).collect())
}
