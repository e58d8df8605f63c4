//! The bridge to async-graphql: a root field that plans, loads and renders all below it.

use super::{
    cost::Costs,
    error::Fault,
    json::Json,
    load::load,
    need::Need,
    object::{Child, Declared, Erased, Interface, Object},
    plan::{Plan, Planner},
    render::render,
    session::Session,
};
use crate::domain::{Permission, SourceName};
use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerError, ServerResult, Value, parser::types::Field,
    registry::Registry,
};
use futures_util::future::BoxFuture;
use std::{
    borrow::Cow,
    future::Future,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

/// Where rendering starts.
pub(crate) enum Start {
    One(Sought),
    Many(Vec<Sought>),
    Object(Box<Erased>),
    /// An object whose reports show what the whole answer cost.
    Reported(Box<Erased>, Arc<Costs>),
}

/// What a client named, and expects to be there.
pub(crate) enum Sought {
    Record(Need),
    Source(SourceName),
    /// Known not to be there.
    Missing,
    /// No name of anything.
    Wrong(Fault),
}

impl Start {
    fn child(&self) -> Child<'_> {
        match self {
            Start::One(sought) => sought.child(),
            Start::Many(all) => Child::Items(all.iter().map(Sought::child).collect()),
            Start::Object(record) | Start::Reported(record, _) => Child::Here(&**record),
        }
    }
}

impl Sought {
    fn child(&self) -> Child<'_> {
        match self {
            Sought::Record(need) => Child::Sought(need),
            Sought::Source(name) => Child::Source(name),
            Sought::Missing => Child::Missing,
            Sought::Wrong(fault) => Child::Wrong(fault),
        }
    }
}

/// The declared type of a root field: an object, an interface, or lists and nullables of them.
pub(crate) trait Shape: 'static {
    fn ty() -> String;
    fn register(registry: &mut Registry);
    fn objects() -> Vec<&'static Object>;
}

impl<T: Declared> Shape for T {
    fn ty() -> String {
        format!("{}!", T::NAME)
    }
    fn register(registry: &mut Registry) {
        T::object().register(registry);
    }
    fn objects() -> Vec<&'static Object> {
        vec![T::object()]
    }
}

impl<S: Shape> Shape for Vec<S> {
    fn ty() -> String {
        format!("[{}]!", S::ty())
    }
    fn register(registry: &mut Registry) {
        S::register(registry);
    }
    fn objects() -> Vec<&'static Object> {
        S::objects()
    }
}

impl<S: Shape> Shape for Option<S> {
    fn ty() -> String {
        S::ty().trim_end_matches('!').to_owned()
    }
    fn register(registry: &mut Registry) {
        S::register(registry);
    }
    fn objects() -> Vec<&'static Object> {
        S::objects()
    }
}

/// An interface as a type.
pub(crate) trait AnyOf: Send + Sync + 'static {
    fn interface() -> &'static Interface;
}
pub(crate) struct OneOf<I>(PhantomData<fn(I)>);

impl<I: AnyOf> Shape for OneOf<I> {
    fn ty() -> String {
        format!("{}!", I::interface().name)
    }
    fn register(registry: &mut Registry) {
        I::interface().register(registry);
    }
    fn objects() -> Vec<&'static Object> {
        I::interface().types.iter().map(|object| object()).collect()
    }
}

type Starting = Box<dyn FnOnce(&[Plan]) -> BoxFuture<'static, Result<Start, Fault>> + Send>;

/// What the resolver of a root field returns. `Answer<Option<_>>` is a nullable field: an error stays at it. Resolvers
/// return no `Result`: for an `Err`, async-graphql would null the whole parent.
pub(crate) struct Answer<S> {
    start: Mutex<Option<Starting>>,
    shape: PhantomData<fn() -> S>,
}

impl<S: Shape> Answer<S> {
    /// The start may depend on what is selected below the field.
    pub(crate) fn planned<F>(start: impl FnOnce(&[Plan]) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Start, Fault>> + Send + 'static,
    {
        let starting: Starting = Box::new(move |plans| Box::pin(start(plans)));
        Answer { start: Mutex::new(Some(starting)), shape: PhantomData }
    }

    pub(crate) fn now(start: Result<Start, Fault>) -> Self {
        Self::planned(move |_| async move { start })
    }
}

impl<S: Shape> OutputType for Answer<S> {
    fn type_name() -> Cow<'static, str> {
        S::ty().trim_end_matches('!').to_owned().into()
    }

    fn qualified_type_name() -> String {
        S::ty()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        S::register(registry);
        S::ty()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let at = ctx.set_error_path(ServerError::new("", Some(field.pos))).path;
        let starting = self.start.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(starting) = starting else { return Ok(Value::Null) };
        let session = ctx.data_unchecked::<Arc<Session>>();
        let plans = plans::<S>(ctx, session);
        let started = starting(&plans);
        let start = match started.await {
            Ok(start) => start,
            Err(fault) if S::ty().ends_with('!') => return Err(fault.at(at, field.pos, 1)),
            Err(fault) => {
                ctx.add_error(fault.at(at, field.pos, 1));
                return Ok(Value::Null);
            }
        };
        let root = start.child();
        let own = Arc::new(Costs::default());
        let costs = if let Start::Reported(_, costs) = &start { costs } else { &own };
        let store = load(&plans, &root, session, costs).await;
        let rendered = render(&S::ty(), &plans, &root, &store, field.pos);
        let (mut errors, left_out) = rendered.faults.into_errors(&at);
        session.errors_left_out.fetch_add(left_out, Ordering::Relaxed);
        match rendered.json {
            Some(json) => {
                errors.into_iter().for_each(|error| ctx.add_error(error));
                Ok(raw_value(json))
            }
            None => {
                let last = errors.pop();
                errors.into_iter().for_each(|error| ctx.add_error(error));
                Err(last.unwrap_or_else(|| ServerError::new("The gateway has no answer.", Some(field.pos))))
            }
        }
    }
}

fn plans<S: Shape>(ctx: &ContextSelectionSet<'_>, session: &Session) -> Vec<Plan> {
    let mut planner = Planner {
        fragments: &ctx.query_env.fragments,
        variables: &ctx.query_env.variables,
        definitions: &ctx.query_env.operation.node.variable_definitions,
        may_read_raw: session.call.caller.may_anywhere(Permission::Raw),
        count: 0,
    };
    planner.plans(&S::objects(), &[&ctx.item.node])
}

/// The key by which serde_json's `RawValue` and async-graphql's feature `raw_value` know raw text.
const RAW: &str = "$serde_json::private::RawValue";

/// Rendered JSON as an async-graphql value.
fn raw_value(json: String) -> Value {
    Value::Object([(async_graphql::Name::new(RAW), Value::String(json))].into_iter().collect())
}

/// Writes a value of the engine; raw text is copied, never parsed.
pub(crate) fn write_value(value: &Value, json: &mut Json) {
    match value {
        Value::Object(map) => {
            if let (1, Some((key, Value::String(text)))) = (map.len(), map.first())
                && key.as_str() == RAW
            {
                return json.raw(text);
            }
            json.raw("{");
            for (index, (key, item)) in map.iter().enumerate() {
                json.raw(if index > 0 { ",\"" } else { "\"" });
                json.raw(key);
                json.raw("\":");
                write_value(item, json);
            }
            json.raw("}");
        }
        Value::List(list) => {
            json.raw("[");
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    json.raw(",");
                }
                write_value(item, json);
            }
            json.raw("]");
        }
        Value::String(text) => json.text(text),
        Value::Enum(name) => json.text(name),
        Value::Null => json.raw("null"),
        Value::Boolean(value) => json.raw(if *value { "true" } else { "false" }),
        Value::Number(number) => json.raw(&number.to_string()),
        Value::Binary(_) => json.raw("null"),
    }
}

/// About how long a value's text will be, in bytes.
pub(crate) fn size_hint(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.values().map(size_hint).sum::<usize>() + 32,
        Value::String(text) => text.len(),
        _ => 16,
    }
}
