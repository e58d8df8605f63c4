//! The verbs of a declaration. Each adds one field; its comment says which GraphQL type comes out.

use super::{
    Arguments, Child, Declared, Erased, Field, FromLink, Hold, Interface, Object, Slice, Value, Wants, WriteMade, cast,
};
use crate::{
    domain::{IdKind, Key, Link, RawJson, RecordKind, SourceName},
    graphql::{
        error::{ErrorCode, Fault},
        leaf::{Id, Json, Leaf},
        session::Session,
        store::Lookup,
    },
    source::SourceInfo,
};
use async_graphql::{
    InputType, Pos, Value as Const,
    indexmap::IndexMap,
    registry::{MetaType, Registry},
};
use std::marker::PhantomData;

/// A declaration being written.
pub(crate) struct Declare<T> {
    object: Object,
    of: PhantomData<fn(T)>,
}

/// Gives types their declarations: `declare!(Asset => asset);`
macro_rules! declare {
    ($($ty:ty as $name:literal => $declaration:expr),* $(,)?) => { $(
        impl crate::graphql::object::Declared for $ty {
            const NAME: &'static str = $name;
            fn object() -> &'static crate::graphql::object::Object {
                static OBJECT: std::sync::LazyLock<crate::graphql::object::Object> = std::sync::LazyLock::new($declaration);
                &OBJECT
            }
        }
    )* };
}
pub(crate) use declare;

impl Object {
    /// Begins the declaration of `T`.
    pub(crate) fn of<T: Declared>(description: &'static str) -> Declare<T> {
        let object =
            Object { name: T::NAME, description, interfaces: vec![], fields: vec![], record: None, stands_for: None };
        Declare { object, of: PhantomData }
    }
}

impl<T: Declared> Declare<T> {
    pub(crate) fn implements(mut self, interface: fn() -> &'static Interface) -> Self {
        self.object.interfaces.push(interface);
        self
    }

    /// The type shows records of this kind: `id: ID!`, `source: Source!`, `sourceId: String!`, from its key.
    pub(crate) fn identity(
        mut self,
        kind: RecordKind,
        key: impl for<'a> Fn(&'a T) -> &'a Key + Copy + Send + Sync + 'static,
    ) -> Self {
        self.object.record = Some(kind);
        let id_kind = kind.id_kind();
        self.id(id_kind, key)
            .shown_from(FromLink::Key(Box::new(move |link, json| Id(id_kind, &link.key).write(json))))
            .source(move |record| &key(record).source)
            .shown_from(FromLink::Source)
            .computed("sourceId", "The source's own id.", move |record| source_id(kind, key(record)))
            .shown_from(FromLink::Key(Box::new(move |link, json| source_id(kind, &link.key).write(json))))
    }

    /// `id: ID!` of something that has a key.
    pub(crate) fn id(self, kind: IdKind, key: impl for<'a> Fn(&'a T) -> &'a Key + Send + Sync + 'static) -> Self {
        self.leaf::<Id<'static>>("id", "Opaque and global: kind, source and native id.", move |record, json| {
            Id(kind, key(cast(record))).write(json);
        })
    }

    /// `source: Source!`
    pub(crate) fn source(self, name: impl for<'a> Fn(&'a T) -> &'a SourceName + Send + Sync + 'static) -> Self {
        let ty = format!("{}!", SourceInfo::NAME);
        self.branch::<SourceInfo>("source", "Where it is from.", ty, None, move |record, _, _| {
            Ok(Child::Source(name(cast(record))))
        })
    }

    /// Scalar or enum kept in the record. `Text` gives `String!`, `Option<Text>` gives `String`.
    pub(crate) fn field<V: Leaf + ?Sized + 'static>(
        self,
        name: &'static str,
        description: &'static str,
        get: impl for<'a> Fn(&'a T) -> &'a V + Send + Sync + 'static,
    ) -> Self {
        self.leaf::<V>(name, description, move |record, json| get(cast(record)).write(json))
    }

    /// Scalar or enum computed from the record.
    pub(crate) fn computed<V: Leaf + 'static>(
        self,
        name: &'static str,
        description: &'static str,
        get: impl Fn(&T) -> V + Send + Sync + 'static,
    ) -> Self {
        self.leaf::<V>(name, description, move |record, json| get(cast(record)).write(json))
    }

    /// Scalar or enum made from the record for whoever asks: an address that only he may use.
    pub(crate) fn made<V: Leaf + 'static>(
        self,
        name: &'static str,
        description: &'static str,
        get: impl Fn(&T, &Session) -> V + Send + Sync + 'static,
    ) -> Self {
        let register = |registry: &mut Registry| V::register(registry);
        let write: WriteMade = Box::new(move |record, session, json| get(cast(record), session).write(json));
        self.push(name, description, V::ty(), None, Box::new(register), Value::Made(write))
    }

    /// `raw: JSON`, the record as received: asked for only where it is selected, and only with the permission.
    pub(crate) fn raw(self, get: impl for<'a> Fn(&'a T) -> &'a Option<RawJson> + Send + Sync + 'static) -> Self {
        self.field("raw", "The source's record as received; needs the permission RAW.", get).wants(Wants::Raw)
    }

    /// The field declared last is known from the text that stands beside the id in a link.
    pub(crate) fn in_links(self) -> Self {
        self.shown_from(FromLink::Name)
    }

    /// The field declared last has to be asked for.
    pub(crate) fn wants(mut self, wants: Wants) -> Self {
        self.last().wants = wants;
        self
    }

    /// Relation to at most one record: `Owner`.
    pub(crate) fn one<R: Declared>(
        self,
        name: &'static str,
        description: &'static str,
        kind: RecordKind,
        link: impl for<'a> Fn(&'a T) -> Option<&'a Link> + Send + Sync + 'static,
    ) -> Self {
        self.branch::<R>(name, description, R::NAME.to_owned(), None, move |record, _, _| {
            Ok(link(cast(record)).map_or(Child::Null, |link| Child::Link(kind, link)))
        })
    }

    /// Relation to exactly one record: `Owner!`. In a list, this object is left out where the record does not exist.
    pub(crate) fn stands_for<R: Declared>(
        mut self,
        name: &'static str,
        description: &'static str,
        kind: RecordKind,
        link: impl for<'a> Fn(&'a T) -> &'a Link + Copy + Send + Sync + 'static,
    ) -> Self {
        self.object.stands_for = Some(Box::new(move |record| (kind, link(cast(record)))));
        let ty = format!("{}!", R::NAME);
        self.branch::<R>(name, description, ty, None, move |record, _, _| Ok(Child::Link(kind, link(cast(record)))))
    }

    /// Relation to several records: `[Owner!]`, null only where they cannot be loaded. Records that do not exist are left
    /// out.
    pub(crate) fn many<R: Declared>(
        self,
        name: &'static str,
        description: &'static str,
        kind: RecordKind,
        links: impl for<'a> Fn(&'a T) -> &'a [Link] + Send + Sync + 'static,
    ) -> Self {
        let ty = format!("[{}!]", R::NAME);
        self.branch::<R>(name, description, ty, None, move |record, _, _| Ok(Child::Links(kind, links(cast(record)))))
    }

    /// Relation to several records, if the source tells any: `[Owner!]`. Records that do not exist are left out.
    pub(crate) fn maybe_many<R: Declared>(
        self,
        name: &'static str,
        description: &'static str,
        kind: RecordKind,
        links: impl for<'a> Fn(&'a T) -> Option<&'a [Link]> + Send + Sync + 'static,
    ) -> Self {
        let ty = format!("[{}!]", R::NAME);
        self.branch::<R>(name, description, ty, None, move |record, _, _| {
            Ok(links(cast(record)).map_or(Child::Null, |links| Child::Links(kind, links)))
        })
    }

    /// The records that objects kept here stand for, as edges do: `[Asset!]!`. Records that do not exist are left out.
    pub(crate) fn each<R: Declared, E: 'static>(
        self,
        name: &'static str,
        description: &'static str,
        kind: RecordKind,
        objects: impl for<'a> Fn(&'a T) -> &'a [E] + Send + Sync + 'static,
        link: impl for<'a> Fn(&'a E) -> &'a Link + Send + Sync + 'static,
    ) -> Self {
        let ty = format!("[{}!]!", R::NAME);
        self.branch::<R>(name, description, ty, None, move |record, _, _| {
            let links = objects(cast(record)).iter().map(|object| Child::Link(kind, link(object)));
            Ok(Child::Items(links.collect()))
        })
    }

    /// An object kept in the record: `PageInfo!`.
    pub(crate) fn object<R: Declared>(
        self,
        name: &'static str,
        description: &'static str,
        get: impl for<'a> Fn(&'a T) -> &'a R + Send + Sync + 'static,
    ) -> Self {
        let ty = format!("{}!", R::NAME);
        self.branch::<R>(name, description, ty, None, move |record, _, _| Ok(Child::Here(get(cast(record)))))
    }

    /// An object that the record may hold: `Exposure`.
    pub(crate) fn maybe_object<R: Declared>(
        self,
        name: &'static str,
        description: &'static str,
        get: impl for<'a> Fn(&'a T) -> Option<&'a R> + Send + Sync + 'static,
    ) -> Self {
        self.branch::<R>(name, description, R::NAME.to_owned(), None, move |record, _, _| {
            Ok(get(cast(record)).map_or(Child::Null, |object| Child::Here(object)))
        })
    }

    /// Objects kept in the record: `[IncidentEdge!]!`.
    pub(crate) fn objects<R: Declared, S: Slice + 'static>(
        self,
        name: &'static str,
        description: &'static str,
        get: impl for<'a> Fn(&'a T) -> &'a S + Send + Sync + 'static,
    ) -> Self {
        let ty = format!("[{}!]!", R::NAME);
        self.branch::<R>(name, description, ty, None, move |record, _, _| Ok(Child::Each(get(cast(record)))))
    }

    /// An object kept in the record once something was loaded: `PageInfo!`.
    pub(crate) fn loaded_object<R: Declared>(
        self,
        name: &'static str,
        description: &'static str,
        get: impl for<'a> Fn(&'a T) -> Result<&'a R, Hold> + Send + Sync + 'static,
    ) -> Self {
        let ty = format!("{}!", R::NAME);
        self.branch::<R>(name, description, ty, None, move |record, _, _| Ok(Child::Here(get(cast(record))?)))
            .may_hold()
    }

    /// Objects kept in the record once something was loaded: `[CommentEdge!]!`.
    pub(crate) fn loaded_objects<R: Declared, S: Slice + 'static>(
        self,
        name: &'static str,
        description: &'static str,
        get: impl for<'a> Fn(&'a T) -> Result<&'a S, Hold> + Send + Sync + 'static,
    ) -> Self {
        let ty = format!("[{}!]!", R::NAME);
        self.branch::<R>(name, description, ty, None, move |record, _, _| Ok(Child::Each(get(cast(record))?)))
            .may_hold()
    }

    /// An object found or made for this field, or null: `IncidentAssetConnection`. `A` declares the arguments; what the
    /// closure holds for is loaded before it is asked again.
    pub(crate) fn view<A: InputType + 'static, R: Declared>(
        self,
        name: &'static str,
        description: &'static str,
        make: impl for<'a> Fn(&'a T, &A, &Lookup<'a>) -> Result<Option<Child<'a>>, Hold> + Send + Sync + 'static,
    ) -> Self {
        self.branch::<R>(name, description, R::NAME.to_owned(), Some(arguments::<A>()), with_arguments(make)).may_hold()
    }

    /// Records chosen by arguments: `[RelatedRecord!]`, null only where they cannot be loaded.
    pub(crate) fn chosen<A: InputType + 'static, R: Declared>(
        self,
        name: &'static str,
        description: &'static str,
        choose: impl for<'a> Fn(&'a T, &A, &Lookup<'a>) -> Result<Option<Child<'a>>, Hold> + Send + Sync + 'static,
    ) -> Self {
        let ty = format!("[{}!]", R::NAME);
        self.branch::<R>(name, description, ty, Some(arguments::<A>()), with_arguments(choose)).may_hold()
    }

    /// Objects found or made for this field: `[OwnerCount!]!`. `A` declares the arguments.
    pub(crate) fn views<A: InputType + 'static, R: Declared>(
        self,
        name: &'static str,
        description: &'static str,
        make: impl for<'a> Fn(&'a T, &A, &Lookup<'a>) -> Result<Option<Child<'a>>, Hold> + Send + Sync + 'static,
    ) -> Self {
        let ty = format!("[{}!]!", R::NAME);
        self.branch::<R>(name, description, ty, Some(arguments::<A>()), with_arguments(make)).may_hold()
    }

    /// An object found with the help of a look-up, or null: `Owner`.
    pub(crate) fn found<R: Declared>(
        self,
        name: &'static str,
        description: &'static str,
        find: impl for<'a> Fn(&'a T, &Lookup<'a>) -> Result<Child<'a>, Hold> + Send + Sync + 'static,
    ) -> Self {
        self.branch::<R>(name, description, R::NAME.to_owned(), None, move |record, _, lookup| {
            find(cast(record), lookup)
        })
        .may_hold()
    }

    /// Objects found with the help of a look-up, or null: `[Scope!]`.
    pub(crate) fn found_many<R: Declared>(
        self,
        name: &'static str,
        description: &'static str,
        find: impl for<'a> Fn(&'a T, &Lookup<'a>) -> Result<Child<'a>, Hold> + Send + Sync + 'static,
    ) -> Self {
        let ty = format!("[{}!]", R::NAME);
        self.branch::<R>(name, description, ty, None, move |record, _, lookup| find(cast(record), lookup)).may_hold()
    }

    /// An object found with the help of a look-up, which must be there: `SourceHealth!`.
    pub(crate) fn always_found<R: Declared>(
        self,
        name: &'static str,
        description: &'static str,
        find: impl for<'a> Fn(&'a T, &Lookup<'a>) -> Result<Child<'a>, Hold> + Send + Sync + 'static,
    ) -> Self {
        let ty = format!("{}!", R::NAME);
        self.branch::<R>(name, description, ty, None, move |record, _, lookup| find(cast(record), lookup)).may_hold()
    }

    pub(crate) fn end(self) -> Object {
        self.object
    }

    fn last(&mut self) -> &mut Field {
        self.object.fields.last_mut().expect("said after a field")
    }

    fn may_hold(mut self) -> Self {
        if let Value::Branch { may_hold, .. } = &mut self.last().value {
            *may_hold = true;
        }
        self
    }

    fn shown_from(mut self, from_link: FromLink) -> Self {
        self.last().from_link = from_link;
        self
    }

    fn leaf<V: Leaf + ?Sized>(
        self,
        name: &'static str,
        description: &'static str,
        write: impl Fn(&Erased, &mut Json) + Send + Sync + 'static,
    ) -> Self {
        let register = |registry: &mut Registry| V::register(registry);
        self.push(name, description, V::ty(), None, Box::new(register), Value::Leaf(Box::new(write)))
    }

    fn branch<R: Declared>(
        self,
        name: &'static str,
        description: &'static str,
        ty: String,
        arguments: Option<Arguments>,
        get: impl for<'a> Fn(&'a Erased, Option<&Erased>, &Lookup<'a>) -> Result<Child<'a>, Hold> + Send + Sync + 'static,
    ) -> Self {
        let register = |registry: &mut Registry| R::object().register(registry);
        let value = Value::Branch { of: R::object, get: Box::new(get), may_hold: false };
        self.push(name, description, ty, arguments, Box::new(register), value)
    }

    fn push(
        mut self,
        name: &'static str,
        description: &'static str,
        ty: String,
        arguments: Option<Arguments>,
        register: Box<dyn Fn(&mut Registry) + Send + Sync>,
        value: Value,
    ) -> Self {
        self.object.fields.push(Field {
            name,
            description,
            ty,
            arguments,
            from_link: FromLink::No,
            wants: Wants::Nothing,
            register,
            value,
        });
        self
    }
}

/// The id as the source itself writes it; related records are kept as `collection/id`.
fn source_id(kind: RecordKind, key: &Key) -> String {
    let text = key.native.to_string();
    match (kind, text.split_once('/')) {
        (RecordKind::RelatedRecord, Some((_, id))) => id.to_owned(),
        _ => text,
    }
}

/// Lets `make` see its own types.
fn with_arguments<T: Declared, A: 'static>(
    make: impl for<'a> Fn(&'a T, &A, &Lookup<'a>) -> Result<Option<Child<'a>>, Hold> + Send + Sync + 'static,
) -> impl for<'a> Fn(&'a Erased, Option<&Erased>, &Lookup<'a>) -> Result<Child<'a>, Hold> + Send + Sync + 'static {
    move |record, arguments, lookup| {
        let arguments = arguments.expect("a field with arguments is planned with them");
        // Reborrowed as the closure wants it: without the cast, `A` would be inferred from the erased type.
        let arguments: &A = arguments.downcast_ref().expect("parsed as this type");
        Ok(make(cast(record), arguments, lookup)?.unwrap_or(Child::Null))
    }
}

/// Arguments as an input object declares them; the input object itself is not in the schema.
fn arguments<A: InputType + Send + Sync + 'static>() -> Arguments {
    Arguments {
        meta: |registry| {
            A::create_type_info(registry);
            match registry.types.get(&*A::type_name()) {
                Some(MetaType::InputObject { input_fields, .. }) => input_fields.clone(),
                _ => IndexMap::new(),
            }
        },
        parse: |map| match A::parse(Some(Const::Object(map))) {
            Ok(arguments) => Ok(Box::new(arguments)),
            Err(error) => {
                Err(Fault::new(ErrorCode::BadUserInput, said(&error.into_server_error(Pos::default()).message)))
            }
        },
    }
}

/// The engine tells where in its own types it was; only what it says of the value is a message.
fn said(message: &str) -> String {
    let of_value = message.split(" (occurred while parsing").next().unwrap_or(message);
    of_value.to_owned()
}
