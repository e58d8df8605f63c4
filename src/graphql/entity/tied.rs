//! What an incident is tied to by links of its own: assets, threats, evidence. One way to choose, cut and show them.
//!
//! A page is made for one answer and cannot borrow from the incident, so it copies its links; a cursor is only made
//! where it is asked for.

use super::page::{self, PageInfo};
use crate::{
    domain::{Key, Link, RecordKind},
    graphql::{
        error::Fault,
        leaf::Count,
        object::{Child, Declare, Declared, Hold, Object},
        places::{ListPlaces, Place},
        store::Lookup,
    },
};
use std::sync::Arc;

/// A link from an incident to a record, and what the incident tells of the two together.
pub(crate) trait Tied: Clone + Send + Sync + 'static {
    type Record: Declared;
    type Kind: Copy + PartialEq;
    const RECORDS: RecordKind;

    fn link(&self) -> &Link;
    /// What the record is, where the incident itself tells it.
    fn told(&self) -> Option<Self::Kind>;
    fn kind(record: &Self::Record) -> Self::Kind;
}

/// A page of links.
pub(crate) struct TiedConnection<L> {
    edges: Vec<TiedEdge<L>>,
    page: PageInfo,
    total: u64,
}

/// A link and its place in the whole list.
pub(crate) struct TiedEdge<L> {
    index: usize,
    pub link: L,
    places: Arc<ListPlaces>,
}

/// Which part of the list is asked for, as the arguments of the field say.
pub(super) struct Asked<'p, K> {
    /// The list that it is a part of.
    pub places: ListPlaces,
    pub first: Option<i32>,
    pub after: Option<&'p str>,
    /// Only records of these kinds; none at all is nothing.
    pub kinds: Option<&'p [K]>,
    /// How many the source has, where not all of them were read.
    pub total: Option<u64>,
}

/// The page of `links` that is asked for.
///
/// # Errors
/// Holds where the kind of a record has to be known that no link tells; a fault where an argument is wrong.
pub(super) fn tied<'a, L: Tied>(
    links: impl Iterator<Item = &'a L>,
    asked: &Asked<'_, L::Kind>,
    lookup: &Lookup<'a>,
) -> Result<Option<Child<'a>>, Hold>
where
    TiedConnection<L>: Declared,
{
    let mut links: Vec<&'a L> = links.collect();
    let total = asked.total.filter(|_| asked.kinds.is_none());
    if let Some(kinds) = asked.kinds {
        page::check(asked.first, asked.after, &asked.places)?;
        links = of_kinds(links, kinds, |keys| {
            let records = lookup.records::<L::Record>(L::RECORDS, keys.into_iter())?;
            Ok(records.into_iter().map(|record| record.map(L::kind)).collect())
        })?;
    }
    let mut connection = TiedConnection::of(&links, asked)?;
    connection.total = total.unwrap_or(connection.total);
    Ok(Some(Child::Made(Box::new(connection))))
}

impl<L: Tied> TiedConnection<L> {
    fn of(links: &[&L], asked: &Asked<'_, L::Kind>) -> Result<Self, Fault> {
        let id = |index: usize| &links[index].link().key.native;
        let window = page::cut(links.len(), id, asked.first, asked.after, &asked.places)?;
        let places = Arc::new(asked.places.clone());
        let edges = (window.start..window.end).map(|index| TiedEdge {
            index,
            link: links[index].clone(),
            places: places.clone(),
        });
        Ok(TiedConnection {
            edges: edges.collect(),
            page: PageInfo::of(window, id, &places),
            total: window.total as u64,
        })
    }
}

/// The links to records of these kinds, in the same order. `load` tells the kinds of records that no link tells.
fn of_kinds<'a, L: Tied>(
    mut links: Vec<&'a L>,
    kinds: &[L::Kind],
    load: impl FnOnce(Vec<&'a Key>) -> Result<Vec<Option<L::Kind>>, Hold>,
) -> Result<Vec<&'a L>, Hold> {
    if kinds.is_empty() {
        return Ok(vec![]);
    }
    let untold: Vec<&Key> = links.iter().filter(|tie| tie.told().is_none()).map(|tie| &tie.link().key).collect();
    let mut loaded = if untold.is_empty() { vec![] } else { load(untold)? }.into_iter();
    links.retain(|tie| {
        let kind = tie.told().or_else(|| loaded.next().flatten());
        kind.is_some_and(|kind| kinds.contains(&kind))
    });
    Ok(links)
}

/// The declaration of a page, ready to end.
pub(super) fn connection<L: Tied>(description: &'static str) -> Declare<TiedConnection<L>>
where
    TiedConnection<L>: Declared,
    TiedEdge<L>: Declared,
{
    Object::of::<TiedConnection<L>>(description)
        .objects::<TiedEdge<L>, _>("edges", "The links of this page.", |c| &c.edges)
        .each::<L::Record, TiedEdge<L>>(
            "nodes",
            "Short for `edges { node }`.",
            L::RECORDS,
            |c| &c.edges,
            |edge| edge.link.link(),
        )
        .object("pageInfo", "Where this page stands in the list.", |c| &c.page)
        .computed("totalCount", "How many there are; a source may have more than the pages show.", |c| {
            Some(Count(c.total))
        })
}

/// The declaration of an edge, ready for what the link tells besides.
pub(super) fn edge<L: Tied>(description: &'static str, node: &'static str) -> Declare<TiedEdge<L>>
where
    TiedEdge<L>: Declared,
{
    Object::of::<TiedEdge<L>>(description)
        .computed("cursor", "Its place in the list: `after` of the page that follows it.", |edge| {
            edge.places.cursor(&Place { index: edge.index, id: edge.link.link().key.native.clone() })
        })
        .stands_for::<L::Record>("node", node, L::RECORDS, |edge| edge.link.link())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{AssetKind, AssetLink, SourceName},
        graphql::{leaf::Json, object::Value, places::Places},
    };

    fn places() -> ListPlaces {
        Places::new([1; 32]).of("assets", &Key::new(&SourceName::new("grc"), "i"))
    }

    fn link(id: &str, kind: Option<AssetKind>) -> AssetLink {
        let key = Key::new(&SourceName::new("grc"), id);
        AssetLink { asset: Link::bare(key), kind, roles: vec![], source_roles: vec![] }
    }

    fn ids(links: &[&AssetLink]) -> Vec<String> {
        links.iter().map(|link| link.asset.key.native.to_string()).collect()
    }

    /// What a field of an object shows, as text.
    fn shown<T: Declared>(object: &T, field: &str) -> String {
        let mut json = Json::default();
        let Value::Leaf(write) = &T::object().field(field).unwrap().value else { panic!("{field} is no leaf") };
        write(object, &mut json);
        json.into_text().trim_matches('"').to_owned()
    }

    #[test]
    fn every_edge_is_a_place_to_go_on_from() {
        let links: Vec<AssetLink> = (0..7).map(|n| link(&format!("id {n}"), None)).collect();
        let links: Vec<&AssetLink> = links.iter().collect();
        let page = |first: i32, after: Option<&str>| {
            TiedConnection::of(&links, &Asked { places: places(), first: Some(first), after, kinds: None, total: None })
                .unwrap()
        };
        let all = page(100, None);
        assert_eq!((all.edges.len(), shown(&all, "totalCount")), (7, "7".into()));
        for (index, edge) in all.edges.iter().enumerate() {
            let next = page(2, Some(&shown(edge, "cursor")));
            let ids: Vec<&AssetLink> = next.edges.iter().map(|edge| &edge.link).collect();
            assert_eq!(ids, links[index + 1..].iter().take(2).copied().collect::<Vec<_>>());
            assert_eq!(shown(&next, "totalCount"), "7");
            assert_eq!(shown(&next.page, "hasNextPage"), (index < 4).to_string());
            assert_eq!(shown(&next.page, "hasPreviousPage"), "true");
            assert_eq!(
                shown(&next.page, "endCursor"),
                next.edges.last().map_or("null".into(), |edge| shown(edge, "cursor"))
            );
        }
    }

    #[test]
    fn only_untold_kinds_are_loaded_and_the_order_stays() {
        let links = [
            link("a", Some(AssetKind::Host)),
            link("b", None),
            link("gone", None),
            link("c", Some(AssetKind::Domain)),
            link("d", None),
        ];
        let loaded = |keys: Vec<&Key>| {
            assert_eq!(keys.iter().map(|key| key.native.to_string()).collect::<Vec<_>>(), ["b", "gone", "d"]);
            Ok(vec![Some(AssetKind::Domain), None, Some(AssetKind::Host)])
        };
        let chosen = of_kinds(links.iter().collect(), &[AssetKind::Host], loaded).ok().unwrap();
        assert_eq!(ids(&chosen), ["a", "d"]);
    }

    #[test]
    fn nothing_is_loaded_where_nothing_has_to_be_known() {
        let never = |_: Vec<&Key>| -> Result<Vec<Option<AssetKind>>, Hold> { panic!("nothing to load") };
        let told = [link("a", Some(AssetKind::Host)), link("b", Some(AssetKind::Domain))];
        assert_eq!(ids(&of_kinds(told.iter().collect(), &[AssetKind::Domain], never).ok().unwrap()), ["b"]);
        let untold = [link("a", None)];
        assert!(of_kinds(untold.iter().collect(), &[], never).ok().unwrap().is_empty());
    }
}
