//! The gateway against a slow reference: same text, same errors, no record asked for twice, and no more calls than
//! waves and kinds.

mod facts;
pub(crate) mod memory;
mod paging;
mod reference;
mod resolve;
mod selection;
pub(crate) mod world;

use crate::support::{api_within, call, wide};
use apollo_compiler::Schema;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use facts::{Facts, facts};
use incident_gateway::{
    domain::{Caller, Permission},
    graphql::{Api, Request, Response},
    source::{Call, Source},
};
use memory::{Asked, Memory};
use proptest::{collection::vec, prelude::*};
use reference::{Met, Reference};
use selection::Asking;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, OnceLock},
};
use world::{Trouble, world};

/// 400 queries; the environment variable `CASES` asks for more. A failing case prints what it was made of.
fn config() -> ProptestConfig {
    let cases = std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400);
    // In milliseconds: a smaller case is worth a wait, but not more.
    ProptestConfig { cases, failure_persistence: None, max_shrink_time: 10_000, ..ProptestConfig::default() }
}

fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        Schema::parse_and_validate(incident_gateway::graphql::sdl(), "schema.graphql").unwrap().into_inner()
    })
}

/// The API over these sources, which can still be asked what they were asked.
fn over(world: Vec<Memory>) -> (Api, Vec<Arc<Memory>>) {
    let sources: Vec<Arc<Memory>> = world.into_iter().map(Arc::new).collect();
    (api_within(sources.iter().map(|source| source.clone() as Arc<dyn Source>).collect(), wide()), sources)
}

fn caller(may_read_raw: bool) -> Call {
    let call = call("differential");
    let permissions = if may_read_raw { vec![Permission::Read, Permission::Raw] } else { vec![Permission::Read] };
    Call { caller: Arc::new(Caller::local().with_permissions(permissions)), ..call }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Errors as the gateway tells them: those that differ only in list indexes are one, with the first path and a count.
fn as_told(errors: &[Met]) -> Vec<String> {
    let mut told: Vec<(&Met, Vec<Value>, usize)> = Vec::new();
    for met in errors {
        let shape: Vec<Value> =
            met.path.iter().map(|step| if step.is_u64() { json!("*") } else { step.clone() }).collect();
        match told
            .iter_mut()
            .find(|(first, other, _)| *other == shape && first.code == met.code && first.message == met.message)
        {
            Some((.., times)) => *times += 1,
            None => told.push((met, shape, 1)),
        }
    }
    told.iter().map(|(met, _, times)| format!("{} {} × {times}", Value::Array(met.path.clone()), met.code)).collect()
}

/// The same of an answer.
fn as_answered(errors: &[Value]) -> Vec<String> {
    let told = errors.iter().map(|error| {
        let times = error["extensions"].get("count").map_or(1, |count| count.as_u64().unwrap());
        format!("{} {} × {times}", error["path"], error["extensions"]["code"].as_str().unwrap())
    });
    told.collect()
}

struct Case {
    asking: Asking,
    seed: u64,
    trouble: Trouble,
    may_read_raw: bool,
}

impl Case {
    fn answer(&self) -> (Response, Vec<Arc<Memory>>) {
        let (api, sources) = over(world(self.seed, self.trouble));
        let (query, variables) = (self.asking.query.clone(), self.asking.variables.clone());
        let request = Request { query, variables, ..Request::default() };
        (run(api.execute(request, &caller(self.may_read_raw))), sources)
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let Asking { query, variables } = &self.asking;
        let shown = format!("{query}\nvariables: {}", Value::Object(variables.clone()));
        let (response, sources) = self.answer();
        prop_assert!(response.executed, "refused: {}\n{shown}", response.body);
        let facts: Facts = facts(&world(self.seed, self.trouble));
        let document = async_graphql::parser::parse_query(query).unwrap();
        let mut reference = Reference {
            document: &document,
            given: variables,
            facts: &facts,
            schema: schema(),
            may_read_raw: self.may_read_raw,
            errors: vec![],
        };
        let data = reference.run();
        let expected = format!("{{\"data\":{data}");
        let rest = response.body.strip_prefix(&expected).unwrap_or_default();
        prop_assert!(
            rest == "}" || rest.starts_with(",\"errors\":["),
            "{}\nexpected {expected}\n{shown}",
            response.body
        );
        let answer: Map<String, Value> = serde_json::from_str(&response.body).unwrap();
        let errors = answer.get("errors").map_or(&[][..], |errors| errors.as_array().unwrap());
        self.same_errors(&data, &reference.errors, errors, &shown)?;
        let asked: Vec<Vec<Asked>> = sources.iter().map(|source| source.asked()).collect();
        asked.iter().try_for_each(|asked| asked_well(asked, &document, &shown))
    }

    fn same_errors(&self, data: &Value, met: &[Met], errors: &[Value], shown: &str) -> Result<(), TestCaseError> {
        let wanted = as_told(met);
        let answered = as_answered(errors);
        if data.is_null() {
            // Root fields run side by side: the one that takes all data with it ends the others where they are.
            let known: HashSet<&String> = wanted.iter().collect();
            prop_assert!(answered.iter().any(|error| known.contains(error)), "{answered:?}\n{wanted:?}\n{shown}");
            return Ok(());
        }
        if wanted.len() > 100 {
            prop_assert_eq!(answered.len(), 100, "{}", shown);
            prop_assert!(answered.iter().all(|error| wanted.contains(error)), "{}", shown);
            return Ok(());
        }
        let sorted = |mut errors: Vec<String>| {
            errors.sort_unstable();
            errors
        };
        prop_assert_eq!(sorted(answered), sorted(wanted), "{}", shown);
        Ok(())
    }
}

/// No record is asked for twice in the same way, and there are no more calls of one sort than waves: each level of a
/// root field is one at most.
fn asked_well(asked: &[Asked], document: &ExecutableDocument, shown: &str) -> Result<(), TestCaseError> {
    let mut known = BTreeSet::new();
    let mut calls: BTreeMap<&str, usize> = BTreeMap::new();
    for Asked { what, ids } in asked {
        *calls.entry(what).or_default() += 1;
        for id in ids {
            prop_assert!(known.insert((what, id)), "{what} {id} twice: {asked:?}\n{shown}");
        }
    }
    let (roots, depth) = size(document);
    for (what, times) in calls.into_iter().filter(|(what, _)| !matches!(*what, "list" | "resolve" | "probe")) {
        prop_assert!(times <= roots * depth, "{times} calls for {what} in {roots} roots of depth {depth}\n{shown}");
    }
    Ok(())
}

/// How many root fields a document may have, and how deep it is.
fn size(document: &ExecutableDocument) -> (usize, usize) {
    fn fields(set: &SelectionSet, document: &ExecutableDocument) -> Vec<usize> {
        let below = |set: &SelectionSet| fields(set, document);
        let of = set.items.iter().flat_map(|item| match &item.node {
            Selection::Field(field) => vec![1 + below(&field.node.selection_set.node).into_iter().max().unwrap_or(0)],
            Selection::InlineFragment(inline) => below(&inline.node.selection_set.node),
            Selection::FragmentSpread(spread) => {
                below(&document.fragments[&spread.node.fragment_name.node].node.selection_set.node)
            }
        });
        of.collect()
    }
    let (_, operation) = document.operations.iter().next().unwrap();
    let roots = fields(&operation.node.selection_set.node, document);
    (roots.len(), roots.into_iter().max().unwrap_or(0))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_gateway_answers_as_the_specification_says(
        choices in vec(any::<u16>(), 0..600),
        seed in any::<u64>(),
        dangling in any::<bool>(),
        failing in prop_oneof![Just(0usize), Just(6), Just(25)],
        may_read_raw in prop_oneof![4 => Just(true), 1 => Just(false)],
    ) {
        let (asking, trouble) = (selection::asking(choices), Trouble { dangling, failing });
        Case { asking, seed, trouble, may_read_raw }.check()?;
    }
}
