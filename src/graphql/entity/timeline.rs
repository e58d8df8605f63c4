//! What people wrote on an incident, and what happened to it.
//!
//! Both lists come whole from the source, newest first, and are shared: a page only says which part of the list it is.

use super::page::{self, PageArguments, PageInfo, Window};
use crate::{
    domain::{
        Activity, Comment, DetailPart, Details, Evidence, FieldChange, IdKind, Incident, Key, NativeId, Owner,
        RecordKind,
    },
    graphql::{
        leaf::Count,
        need::Need,
        object::{Child, Declared, Erased, Hold, Object, Slice, declare},
        places::{ListPlaces, Place},
        store::Lookup,
    },
};
use std::sync::Arc;

pub(crate) type CommentConnection = Entries<Comment>;
pub(crate) type ActivityConnection = Entries<Activity>;

declare!(
    Comment as "Comment" => comment,
    CommentConnection as "CommentConnection" => || connection::<Comment>("A page of an incident's comments."),
    EntryEdge<Comment> as "CommentEdge" => || edge::<Comment>("A comment and its place in the list.", "The comment."),
    Activity as "Activity" => activity_type,
    ActivityConnection as "ActivityConnection" => || connection::<Activity>("A page of an incident's history."),
    EntryEdge<Activity> as "ActivityEdge" => || edge::<Activity>("An entry and its place in the list.", "The entry."),
    FieldChange as "FieldChange" => change,
);

fn comment() -> Object {
    Object::of::<Comment>("What a person wrote, dated. Cannot be asked for by id: some sources give remarks none.")
        .id(IdKind::Comment, |c| &c.key)
        .field("kind", "What it tells; NOTE where the source has no kinds.", |c| &c.kind)
        .field("sourceType", "The kind in the source's word.", |c| &c.source_type)
        .field("title", "Its heading.", |c| &c.title)
        .field("body", "What was written.", |c| &c.body)
        .one::<Owner>("author", "Who wrote it.", RecordKind::Owner, |c| c.author.as_ref())
        .field("at", "The moment that it speaks of, if it was given another than that of writing.", |c| &c.at)
        .field("createdAt", "When it was written.", |c| &c.created_at)
        .field("updatedAt", "When it was last changed.", |c| &c.updated_at)
        .many::<Evidence>("evidence", "What was attached to it.", RecordKind::Evidence, |c| &c.evidence)
        .raw(|c| &c.raw)
        .end()
}

fn activity_type() -> Object {
    Object::of::<Activity>(
        "One entry of an incident's history or timeline; comments appear in it where the source lists them there.",
    )
    .id(IdKind::Activity, |a| &a.key)
    .field("kind", "What happened.", |a| &a.kind)
    .field("sourceType", "The kind in the source's word.", |a| &a.source_type)
    .field("at", "When it happened.", |a| &a.at)
    .one::<Owner>("actor", "Who did it.", RecordKind::Owner, |a| a.actor.as_ref())
    .field("title", "The entry in few words.", |a| &a.title)
    .field("description", "The entry in full.", |a| &a.description)
    .objects::<FieldChange, _>("changes", "Fields that were changed.", |a| &a.changes)
    .many::<Evidence>("evidence", "What was attached to it.", RecordKind::Evidence, |a| &a.evidence)
    .field("subjectType", "What it happened to, when not the incident itself (an alert).", |a| &a.subject_type)
    .field("subjectId", "The source's own id of what it happened to.", |a| &a.subject_id)
    .field("details", "Parameters of the entry, as received.", |a| &a.details)
    .raw(|a| &a.raw)
    .end()
}

fn change() -> Object {
    Object::of::<FieldChange>("A change of one field: `before` and `after` for values, `added` and `removed` for sets.")
        .field("field", "What was changed.", |c| &c.field)
        .field("sourceField", "The source's name of it, where the change comes from its history.", |c| &c.source_field)
        .field("before", "The value before.", |c| &c.before)
        .field("after", "The value after.", |c| &c.after)
        .field("added", "What came into the set.", |c| &c.added)
        .field("removed", "What was taken from the set.", |c| &c.removed)
        .end()
}

/// An entry of a list that a source gives per incident.
pub(crate) trait Entry: Declared + Sized {
    const PART: DetailPart;
    /// The field that shows it.
    const FIELD: &'static str;

    fn list(details: &Details) -> Option<&Arc<Vec<Self>>>;
    fn key(&self) -> &Key;
    /// How many there are at the source, where it was not asked for all.
    fn total(_: &Details) -> Option<u64> {
        None
    }
    /// How many there are, where the incident itself tells it.
    fn counted(_: &Incident) -> Option<u64> {
        None
    }
}

impl Entry for Comment {
    const PART: DetailPart = DetailPart::Comments;
    const FIELD: &'static str = "comments";

    fn list(details: &Details) -> Option<&Arc<Vec<Self>>> {
        details.comments.as_ref()
    }
    fn key(&self) -> &Key {
        &self.key
    }
    fn counted(incident: &Incident) -> Option<u64> {
        incident.comment_count
    }
}

impl Entry for Activity {
    const PART: DetailPart = DetailPart::Activity;
    const FIELD: &'static str = "activity";

    fn list(details: &Details) -> Option<&Arc<Vec<Self>>> {
        details.activity.as_ref()
    }
    fn key(&self) -> &Key {
        &self.key
    }
    fn total(details: &Details) -> Option<u64> {
        details.activity_total
    }
}

/// A page of entries, and how many there are in all: that may be known before they are.
pub(crate) struct Entries<T> {
    page: Result<EntryPage<T>, Unread>,
    total: u64,
}

/// What has to be loaded to have the entries.
struct Unread(Vec<Need>);

struct EntryPage<T> {
    edges: Vec<EntryEdge<T>>,
    nodes: Part<T>,
    info: PageInfo,
}

/// An entry, by its place in the list.
pub(crate) struct EntryEdge<T> {
    list: Arc<Vec<T>>,
    index: usize,
    places: Arc<ListPlaces>,
}

impl<T> EntryEdge<T> {
    fn entry(&self) -> &T {
        &self.list[self.index]
    }
}

/// A part of a list, uncopied.
struct Part<T> {
    list: Arc<Vec<T>>,
    window: Window,
}

impl<T: Declared> Slice for Part<T> {
    fn len(&self) -> usize {
        self.window.end - self.window.start
    }
    fn at(&self, index: usize) -> &Erased {
        &self.list[self.window.start + index]
    }
}

impl<T: Entry> Entries<T> {
    fn of(list: &Arc<Vec<T>>, asked: &PageArguments, places: ListPlaces) -> Result<Self, Hold> {
        fn id<T: Entry>(list: &[T], index: usize) -> &NativeId {
            &list[index].key().native
        }
        let window = page::cut(list.len(), |index| id(list, index), asked.first, asked.after.as_deref(), &places)?;
        let places = Arc::new(places);
        let page = EntryPage {
            edges: (window.start..window.end)
                .map(|index| EntryEdge { list: list.clone(), index, places: places.clone() })
                .collect(),
            nodes: Part { list: list.clone(), window },
            info: PageInfo::of(window, |index| id(list, index), &places),
        };
        Ok(Entries { page: Ok(page), total: window.total as u64 })
    }

    fn page(&self) -> Result<&EntryPage<T>, Hold> {
        self.page.as_ref().map_err(|Unread(needs)| Hold::Wait(needs.clone()))
    }
}

/// The page of an incident's comments that is asked for; none where the incident is gone.
///
/// # Errors
/// Holds for the detail; a fault where an argument is wrong or the source failed.
pub(crate) fn comments<'a>(
    incident: &'a Incident,
    page: &PageArguments,
    lookup: &Lookup<'a>,
) -> Result<Option<Child<'a>>, Hold> {
    entries::<Comment>(incident, page, lookup)
}

/// The page of an incident's history that is asked for; none where the incident is gone.
///
/// # Errors
/// Holds for the detail; a fault where an argument is wrong or the source failed.
pub(crate) fn activity<'a>(
    incident: &'a Incident,
    page: &PageArguments,
    lookup: &Lookup<'a>,
) -> Result<Option<Child<'a>>, Hold> {
    entries::<Activity>(incident, page, lookup)
}

fn entries<'a, T: Entry>(
    incident: &'a Incident,
    asked: &PageArguments,
    lookup: &Lookup<'a>,
) -> Result<Option<Child<'a>>, Hold> {
    let places = lookup.places(T::FIELD, incident);
    page::check(asked.first, asked.after.as_deref(), &places)?;
    let details = match (lookup.detail(T::PART, incident), T::counted(incident)) {
        // Counted already: only who wants to see some has to wait for them.
        (Err(Hold::Wait(needs)), Some(total)) => {
            let unread = Entries::<T> { page: Err(Unread(needs)), total };
            return Ok(Some(Child::Made(Box::new(unread))));
        }
        (details, _) => details?,
    };
    let Some(list) = details.and_then(T::list) else { return Ok(None) };
    let mut entries = Entries::of(list, asked, places)?;
    entries.total = details.and_then(T::total).or(T::counted(incident)).unwrap_or_default().max(entries.total);
    Ok(Some(Child::Made(Box::new(entries))))
}

fn connection<T: Entry>(description: &'static str) -> Object
where
    Entries<T>: Declared,
    EntryEdge<T>: Declared,
{
    Object::of::<Entries<T>>(description)
        .loaded_objects::<EntryEdge<T>, _>("edges", "The entries of this page, each with its cursor.", |c| {
            Ok(&c.page()?.edges)
        })
        .loaded_objects::<T, _>("nodes", "Short for `edges { node }`.", |c| Ok(&c.page()?.nodes))
        .loaded_object("pageInfo", "Where this page stands in the list.", |c| Ok(&c.page()?.info))
        .computed("totalCount", "How many there are; a source may have more than the pages show.", |c| {
            Some(Count(c.total))
        })
        .end()
}

fn edge<T: Entry>(description: &'static str, node: &'static str) -> Object
where
    EntryEdge<T>: Declared,
{
    Object::of::<EntryEdge<T>>(description)
        .computed("cursor", "Its place in the list: `after` of the page that follows it.", |edge| {
            edge.places.cursor(&Place { index: edge.index, id: edge.entry().key().native.clone() })
        })
        .object("node", node, EntryEdge::entry)
        .end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{ActivityKind, SourceName},
        graphql::{
            leaf::Json,
            object::{Value, cast},
            places::Places,
        },
    };

    fn entry(id: &str) -> Activity {
        Activity {
            key: Key::new(&SourceName::new("soc"), id),
            kind: ActivityKind::Other,
            source_type: None,
            at: None,
            actor: None,
            title: None,
            description: None,
            changes: vec![],
            evidence: vec![],
            subject_type: None,
            subject_id: None,
            details: None,
            raw: None,
        }
    }

    fn ids(page: &EntryPage<Activity>) -> Vec<String> {
        let id = |index: usize| cast::<Activity>(page.nodes.at(index)).key.native.to_string();
        (0..page.nodes.len()).map(id).collect()
    }

    fn cursor(edge: &EntryEdge<Activity>) -> String {
        let mut json = Json::default();
        let Some(Value::Leaf(write)) = EntryEdge::<Activity>::object().field("cursor").map(|field| &field.value) else {
            panic!("a cursor is a leaf")
        };
        write(edge, &mut json);
        json.into_text().trim_matches('"').to_owned()
    }

    #[test]
    fn nodes_and_edges_show_the_same_part_and_a_newer_entry_shifts_nothing() {
        let places = Places::new([1; 32]).of("activity", &Key::new(&SourceName::new("soc"), "i"));
        let mut list: Vec<Activity> = ["5", "4", "3", "2", "1"].map(entry).into();
        let of = |list: &[Activity], after: Option<String>| {
            Entries::of(&Arc::new(list.to_vec()), &PageArguments { first: Some(2), after }, places.clone())
                .ok()
                .and_then(|entries| entries.page.ok())
                .unwrap()
        };
        let first = of(&list, None);
        assert_eq!(ids(&first), ["5", "4"]);
        let after = cursor(&first.edges[1]);
        list.insert(0, entry("6"));
        let second = of(&list, Some(after));
        assert_eq!(ids(&second), ["3", "2"]);
        let edges: Vec<String> = second.edges.iter().map(|edge| edge.entry().key.native.to_string()).collect();
        assert_eq!(edges, ids(&second));
        assert!(second.info.has_next && second.info.has_previous && second.nodes.window.total == 6);
    }
}
