//! The one declaration of an object type: what the schema says of each field, what it needs, how it is rendered.
//!
//! `declare` has the verbs that declarations are written with, `register` tells them to the schema. Here is what a
//! declaration is made of; planning, loading and rendering read only this. Nothing here is async, nothing loads.

mod declare;
mod register;

pub(crate) use declare::{Declare, declare};

use super::{error::Fault, leaf::Json, need::Need, session::Session, store::Lookup};
use crate::domain::{Link, RecordKind, SourceName};
use async_graphql::{
    Name, Value as Const,
    indexmap::IndexMap,
    registry::{MetaInputValue, Registry},
};
use std::any::Any;

/// A record or a view of one, of a type that only its declaration knows.
pub(crate) type Erased = dyn Any + Send + Sync;

/// A type that has a declaration.
pub(crate) trait Declared: Any + Send + Sync {
    /// Known before the declaration is: declarations lead to each other in circles.
    const NAME: &'static str;
    /// The declaration. Never called while one is being made: that would wait for itself.
    fn object() -> &'static Object;
}

/// An object type.
pub(crate) struct Object {
    pub name: &'static str,
    pub description: &'static str,
    pub interfaces: Vec<fn() -> &'static Interface>,
    pub fields: Vec<Field>,
    /// The kind of record that it shows, if it can be looked up by key.
    pub record: Option<RecordKind>,
    /// An edge stands for one record: in a list it is left out where that record does not exist.
    pub stands_for: Option<StandsFor>,
}

/// The link by which an edge finds its record.
pub(crate) type StandsFor = Box<dyn for<'a> Fn(&'a Erased) -> (RecordKind, &'a Link) + Send + Sync>;

/// An interface. Its fields are those of the same name in its first type: declared there, not twice.
pub(crate) struct Interface {
    pub name: &'static str,
    pub description: &'static str,
    pub fields: &'static [&'static str],
    pub types: Vec<fn() -> &'static Object>,
}

/// A field of an object type.
pub(crate) struct Field {
    pub name: &'static str,
    pub description: &'static str,
    /// GraphQL type as text: `[Owner!]`. Registry and rendering read nullability from this one place.
    pub ty: String,
    pub arguments: Option<Arguments>,
    /// How to show it when all that is there is a link to the record.
    pub from_link: FromLink,
    /// What has to be asked for in order to have it.
    pub wants: Wants,
    register: Box<dyn Fn(&mut Registry) + Send + Sync>,
    pub value: Value,
}

/// What a field demands beyond an ordinary record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wants {
    Nothing,
    /// The record as received; the caller needs the permission.
    Raw,
    /// What a source may need more calls for: see [`crate::source::Want`].
    Profile,
    /// A long text of an incident.
    Text,
    /// A detail, which rows of incidents may tell.
    Detail,
}

/// Whether a link alone can show a field.
pub(crate) enum FromLink {
    /// The record has to be loaded.
    No,
    /// From the key, which every link has.
    Key(WriteLink),
    /// The source that the link's record is of.
    Source,
    /// The text beside the id, where there is one.
    Name,
}
pub(crate) type WriteLink = Box<dyn Fn(&Link, &mut Json) + Send + Sync>;

/// How a field's value is found.
pub(crate) enum Value {
    /// A scalar, an enum, or a list of them.
    Leaf(WriteLeaf),
    /// The same, made for whoever asks.
    Made(WriteMade),
    /// An object, or a list of them.
    /// `may_hold`: finding it may need something that has to be loaded first.
    Branch { of: fn() -> &'static Object, get: GetChild, may_hold: bool },
}
type WriteLeaf = Box<dyn Fn(&Erased, &mut Json) + Send + Sync>;
type WriteMade = Box<dyn Fn(&Erased, &Session, &mut Json) + Send + Sync>;
type GetChild = Box<dyn for<'a> Fn(&'a Erased, Option<&Erased>, &Lookup<'a>) -> Result<Child<'a>, Hold> + Send + Sync>;

/// Why a value cannot be had yet, or at all.
pub(crate) enum Hold {
    /// Something has to be loaded first.
    Wait(Vec<Need>),
    /// The field is null, with this error.
    Fault(Fault),
}

impl From<Fault> for Hold {
    fn from(fault: Fault) -> Self {
        Hold::Fault(fault)
    }
}

/// The arguments of a field.
pub(crate) struct Arguments {
    meta: fn(&mut Registry) -> IndexMap<String, MetaInputValue>,
    pub parse: fn(IndexMap<Name, Const>) -> Result<Box<Erased>, Fault>,
}

/// What an object-valued field answers: objects that are here, or links to records that may have to be looked up.
pub(crate) enum Child<'a> {
    Null,
    /// A record, which may be shown from the link alone.
    Link(RecordKind, &'a Link),
    Links(RecordKind, &'a [Link]),
    /// A record that a client named: where it does not exist, that is an error.
    Sought(&'a Need),
    /// A record that a client named, known not to exist.
    Missing,
    /// What a client named is no name of anything.
    Wrong(&'a Fault),
    /// A source, always known.
    Source(&'a SourceName),
    Here(&'a Erased),
    Made(Box<Erased>),
    Each(&'a dyn Slice),
    Items(Vec<Child<'a>>),
}

impl Child<'_> {
    /// How many, if this is a list.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Child::Links(_, links) => Some(links.len()),
            Child::Each(slice) => Some(slice.len()),
            Child::Items(items) => Some(items.len()),
            Child::Null
            | Child::Link(..)
            | Child::Sought(_)
            | Child::Missing
            | Child::Wrong(_)
            | Child::Source(_)
            | Child::Here(_)
            | Child::Made(_) => None,
        }
    }

    /// One of a list.
    pub(crate) fn at(&self, index: usize) -> Child<'_> {
        match self {
            Child::Links(kind, links) => Child::Link(*kind, &links[index]),
            Child::Each(slice) => Child::Here(slice.at(index)),
            Child::Items(items) => items[index].reborrow(),
            _ => Child::Null,
        }
    }

    fn reborrow(&self) -> Child<'_> {
        match self {
            Child::Null => Child::Null,
            Child::Link(kind, link) => Child::Link(*kind, link),
            Child::Links(kind, links) => Child::Links(*kind, links),
            Child::Sought(need) => Child::Sought(need),
            Child::Missing => Child::Missing,
            Child::Wrong(fault) => Child::Wrong(fault),
            Child::Source(name) => Child::Source(name),
            Child::Here(record) => Child::Here(*record),
            Child::Made(record) => Child::Here(&**record),
            Child::Each(slice) => Child::Each(*slice),
            Child::Items(items) => Child::Items(items.iter().map(Child::reborrow).collect()),
        }
    }
}

/// A list of objects that are here.
pub(crate) trait Slice: Send + Sync {
    fn len(&self) -> usize;
    fn at(&self, index: usize) -> &Erased;
}

impl<T: Declared> Slice for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }
    fn at(&self, index: usize) -> &Erased {
        &self[index]
    }
}

impl<T: Declared> Slice for Vec<std::sync::Arc<T>> {
    fn len(&self) -> usize {
        self.len()
    }
    fn at(&self, index: usize) -> &Erased {
        &*self[index]
    }
}

/// The record as the type that its declaration was made for.
pub(crate) fn cast<T: 'static>(record: &Erased) -> &T {
    record.downcast_ref().expect("a declaration is only used for its own type")
}

impl Object {
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether a fragment on `condition` applies to this type.
    pub(crate) fn is(&self, condition: &str) -> bool {
        self.name == condition || self.interfaces.iter().any(|interface| interface().name == condition)
    }
}
