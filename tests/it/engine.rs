//! What async-graphql 7.0.17 does by itself: why there is a gate before it, and why this release and no newer one.
//!
//! Each test has a schema of its own. When one fails after an upgrade, its comment names the part of the design that
//! may go (defects), or the reason to stay (what newer releases do wrong).

use async_graphql::{
    ContextSelectionSet, EmptyMutation, EmptySubscription, Object, ObjectType, OutputType, Positioned, Request, Schema,
    ServerError, ServerResult, SimpleObject, Subscription, SubscriptionType, Value, Variables,
    parser::types::{Field, Selection},
    registry::Registry,
};
use dataloader::{BatchFn, cached};
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI32, Ordering},
    },
};

/// The whole answer as text, field order included.
async fn answer<Q, M, S>(schema: &Schema<Q, M, S>, query: &str, variables: serde_json::Value) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let request = Request::new(query).variables(Variables::from_json(variables));
    serde_json::to_string(&schema.execute(request).await).unwrap()
}

fn queries<Q: ObjectType + 'static>(query: Q) -> Schema<Q, EmptyMutation, EmptySubscription> {
    Schema::new(query, EmptyMutation, EmptySubscription)
}

#[derive(SimpleObject)]
struct Card {
    title: String,
    text: String,
}

/// A card that hands the engine its JSON as text, as our root fields do.
struct RawCard;

impl OutputType for RawCard {
    fn type_name() -> Cow<'static, str> {
        <Card as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Card as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        let shown = ctx.item.node.items.iter().map(|item| {
            let Selection::Field(field) = &item.node else { panic!("the test asks for plain fields") };
            (field.node.name.node.to_string(), json!("shown"))
        });
        let json = serde_json::Value::Object(shown.collect()).to_string();
        let key = async_graphql::Name::new("$serde_json::private::RawValue");
        Ok(Value::Object([(key, Value::String(json))].into_iter().collect()))
    }
}

struct Cards;

#[Object]
impl Cards {
    async fn ordinary(&self) -> Card {
        Card { title: "shown".into(), text: "shown".into() }
    }

    async fn raw(&self) -> RawCard {
        RawCard
    }
}

/// Defect. Justifies that the gate merges equal root fields, and that raw values stand only directly at a root field.
#[tokio::test]
async fn of_equal_root_fields_with_raw_values_only_the_first_is_shown() {
    let schema = queries(Cards);
    let ordinary = answer(&schema, "{ ordinary { title } ordinary { text } }", json!({})).await;
    assert_eq!(ordinary, r#"{"data":{"ordinary":{"title":"shown","text":"shown"}}}"#);
    let raw = answer(&schema, "{ raw { title } raw { text } }", json!({})).await;
    assert_eq!(raw, r#"{"data":{"raw":{"title":"shown"}}}"#, "`text` is asked for too");
    let merged = answer(&schema, "{ raw { title text } }", json!({})).await;
    assert_eq!(merged, r#"{"data":{"raw":{"title":"shown","text":"shown"}}}"#, "what the gate makes of it");
}

#[derive(Default)]
struct Counting(Arc<AtomicI32>);

#[Object]
impl Counting {
    async fn add(&self) -> i32 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Defect. Justifies that the gate merges equal root fields before anything runs: a write must happen once.
#[tokio::test]
async fn an_equal_mutation_runs_twice() {
    let count = Arc::new(AtomicI32::new(0));
    let schema = Schema::new(Cards, Counting(count.clone()), EmptySubscription);
    answer(&schema, "mutation { add add }", json!({})).await;
    assert_eq!(count.load(Ordering::Relaxed), 2, "the specification merges the two: once");
}

/// Defect. Justifies that the gate coerces variables first, so that defaults are among them.
#[tokio::test]
async fn skip_and_include_do_not_see_defaults_of_variables() {
    let schema = queries(Cards);
    let skipped = "query($yes: Boolean = true) { ordinary { title text @skip(if: $yes) } }";
    assert!(answer(&schema, skipped, json!({})).await.contains("text"), "`text` is to be skipped");
    assert!(!answer(&schema, skipped, json!({"yes": true})).await.contains("text"), "given, it is seen");
    let included = "query($yes: Boolean = true) { ordinary { title text @include(if: $yes) } }";
    assert!(!answer(&schema, included, json!({})).await.contains("text"), "`text` is to be included");
}

struct Defaults;

#[Object]
impl Defaults {
    async fn first(&self, #[graphql(default_with = "Some(25)")] first: Option<i32>) -> Option<i32> {
        first
    }
}

/// Defect. Justifies that the gate drops root arguments whose variable has no value, and that plans read arguments
/// themselves.
#[tokio::test]
async fn an_absent_variable_is_null_instead_of_the_default_of_its_argument() {
    let query = "query($n: Int) { left_out: first variable: first(first: $n) null: first(first: null) }";
    let shown = answer(&queries(Defaults), query, json!({})).await;
    assert_eq!(shown, r#"{"data":{"left_out":25,"variable":null,"null":null}}"#, "`variable` is to be 25");
}

struct Ticks;

#[Subscription]
impl Ticks {
    async fn tick(&self) -> impl Stream<Item = i32> + use<> {
        stream::iter([1, 2])
    }
}

/// Defect. Justifies that the gate opens fragments at the root, of subscriptions too.
#[tokio::test]
async fn fragments_at_the_root_of_a_subscription_are_ignored() {
    let schema = Schema::new(Cards, EmptyMutation, Ticks);
    let count = |query: &'static str| schema.execute_stream(query).count();
    assert_eq!(count("subscription { tick }").await, 2);
    assert_eq!(count("subscription { ...T } fragment T on Ticks { tick }").await, 0, "the specification: 2");
    assert_eq!(count("subscription { ... on Ticks { tick } }").await, 0, "the specification: 2");
}

struct Failing;

#[Object]
impl Failing {
    async fn good(&self) -> i32 {
        1
    }

    async fn result(&self) -> Result<Option<i32>, String> {
        Err("no".into())
    }

    async fn value(&self) -> Option<Refusing> {
        Some(Refusing)
    }
}

struct Parent;

#[Object]
impl Parent {
    async fn child(&self) -> Option<Failing> {
        Some(Failing)
    }
}

/// A value that fails when it is shown.
struct Refusing;

impl OutputType for Refusing {
    fn type_name() -> Cow<'static, str> {
        <i32 as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <i32 as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        Err(ctx.set_error_path(ServerError::new("no", Some(field.pos))))
    }
}

/// Defect. Justifies that root resolvers return `Answer<Option<_>>`, never `Result`: an error must stay at its field.
#[tokio::test]
async fn a_nullable_field_that_returns_a_result_takes_its_parent_with_it() {
    let shown = answer(&queries(Parent), "{ child { good result } }", json!({})).await;
    assert!(shown.starts_with(r#"{"data":{"child":null},"errors":["#), "to be `good: 1, result: null`: {shown}");
    let shown = answer(&queries(Failing), "{ good result }", json!({})).await;
    assert!(shown.starts_with(r#"{"data":null,"errors":["#), "{shown}");
}

/// Right here, wrong from 7.1.0 to 7.2.1, where the field is left out of the answer. `Answer` relies on it at the root.
#[tokio::test]
async fn a_nullable_value_that_fails_is_null_and_its_siblings_stay() {
    let shown = answer(&queries(Parent), "{ child { value good } }", json!({})).await;
    let expected = r#"{"data":{"child":{"value":null,"good":1}},"errors":[{"message":"no","#;
    assert!(shown.starts_with(expected), "{shown}");
    assert!(shown.contains(r#""path":["child","value"]"#), "{shown}");
}

struct Slow;

#[Object]
impl Slow {
    /// Answers after so many turns of the scheduler.
    async fn after(&self, turns: usize) -> usize {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        turns
    }
}

/// Right here, wrong from 7.1.0 to 7.2.1, where fields stand in another order than asked. The order of root fields is
/// the engine's, and part of what we promise.
#[tokio::test]
async fn fields_stand_in_the_order_of_the_selection() {
    let query =
        "{ z: after(turns: 30) m: after(turns: 0) ...F a: after(turns: 5) } fragment F on Slow { b: after(turns: 9) }";
    let shown = answer(&queries(Slow), query, json!({})).await;
    assert_eq!(shown, r#"{"data":{"z":30,"m":0,"b":9,"a":5}}"#);
}

type Batches = Arc<Mutex<Vec<usize>>>;

struct Names(Batches);

impl BatchFn<usize, String> for Names {
    async fn load(&mut self, keys: &[usize]) -> HashMap<usize, String> {
        self.0.lock().unwrap().push(keys.len());
        keys.iter().map(|key| (*key, format!("name {key}"))).collect()
    }
}

struct Row(usize);

#[Object]
impl Row {
    async fn name(&self, ctx: &async_graphql::Context<'_>) -> String {
        ctx.data_unchecked::<cached::Loader<usize, String, Names>>().load(self.0).await
    }
}

struct Rows;

#[Object]
impl Rows {
    async fn rows(&self, count: usize) -> Vec<Row> {
        (0..count).map(Row).collect()
    }
}

/// Right here, wrong from 7.1.0 to 7.2.1, where one list becomes several batches. Our waves do not depend on it below a
/// root field; root fields of one request share batches because of it.
#[tokio::test]
async fn all_items_of_a_list_and_all_root_fields_share_one_batch() {
    let batches = Batches::default();
    let loader = cached::Loader::new(Names(batches.clone())).with_max_batch_size(usize::MAX);
    let schema = Schema::build(Rows, EmptyMutation, EmptySubscription).data(loader).finish();
    let shown = answer(&schema, "{ a: rows(count: 400) { name } b: rows(count: 500) { name } }", json!({})).await;
    assert!(shown.ends_with(r#"{"name":"name 499"}]}}"#));
    assert_eq!(*batches.lock().unwrap(), [500]);
}
