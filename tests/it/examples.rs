//! What `examples/` and the README show is what a newcomer's `demo` answers. `UPDATE=1 cargo test generated` writes the
//! answers anew.

pub(crate) mod compact;

use crate::{generated, support};
use chrono::{DateTime, Duration, Utc};
use compact::compact;
use incident_gateway::{
    app::{App, Surroundings},
    config::Config,
    graphql::Request,
    sandbox::{Sandbox, SandboxOptions, Vendor},
    settings::Environment,
};
use serde_json::{Map, Value, json};
use std::{fs, path::Path, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};
use url::Url;

/// What `demo` starts, at a fixed time and with fixed keys.
struct Demo {
    config: Config,
    now: DateTime<Utc>,
    /// Where the sandboxes are in this run.
    bases: Vec<String>,
    serving: Vec<JoinHandle<()>>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
    }
}

impl Demo {
    async fn start() -> Self {
        Self::at(support::now()).await
    }

    async fn at(now: DateTime<Utc>) -> Self {
        let (mut sandboxes, mut serving) = (vec![], vec![]);
        for vendor in Vendor::ALL {
            let sandbox = Sandbox::new(SandboxOptions { vendor, now, ..SandboxOptions::default() });
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
            let served = sandbox.clone();
            serving.push(tokio::spawn(async move { served.serve(listener, std::future::pending()).await.unwrap() }));
            sandboxes.push((vendor, url, sandbox));
        }
        let config = support::config_over(sandboxes.iter().map(|(vendor, url, sandbox)| (*vendor, url, sandbox)));
        let bases = sandboxes.iter().map(|(_, url, _)| url.as_str().trim_end_matches('/').to_owned()).collect();
        Demo { config, now, bases, serving }
    }

    /// The answer of a gateway that was just started, without what differs from run to run. One that was asked before
    /// remembers some calls for some time, and would tell fewer.
    async fn ask(&self, query: &str, variables: &Value) -> Value {
        let now = self.now;
        let surroundings = Surroundings {
            clock: Arc::new(move || now),
            random: Arc::new(|bytes: &mut [u8]| bytes.fill(7)),
            ..Surroundings::of_process(None, self.config.listen)
        };
        let app = App::new(self.config.clone(), surroundings).unwrap();
        let variables = variables.as_object().cloned().unwrap_or_default();
        let request = Request { query: query.into(), variables, ..Request::default() };
        let response = app.api().execute(request, &support::call("examples")).await;
        let places = self.bases.iter().zip(8001..);
        let body =
            places.fold(response.body, |body, (base, port)| body.replace(base, &format!("http://127.0.0.1:{port}")));
        steady(serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
    }
}

/// The same with every measured time as 1.
fn steady(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (String, Value)| match name.as_str() {
                "latencyMs" | "clockSkewMs" if value.is_number() => (name, json!(1.0)),
                _ => (name, steady(value)),
            };
            Value::Object(members.into_iter().map(member).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(steady).collect(),
        other => other,
    }
}

fn in_repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The names of the files in `examples/` that end in this, without the ending.
fn examples(ending: &str) -> Vec<String> {
    let names = fs::read_dir(in_repository("examples")).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let mut names: Vec<String> = names.filter_map(|name| Some(name.strip_suffix(ending)?.to_owned())).collect();
    names.sort();
    names
}

fn query(name: &str) -> String {
    fs::read_to_string(in_repository(&format!("examples/{name}.graphql"))).unwrap()
}

fn variables(name: &str) -> Value {
    let path = in_repository(&format!("examples/{name}.variables.json"));
    let text = fs::read_to_string(path).unwrap_or_else(|_| "{}".to_owned());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[tokio::test]
async fn examples_are_answered_as_shown_in_generated_answers() {
    let demo = Demo::start().await;
    let names = examples(".graphql");
    for name in &names {
        let answer = demo.ask(&query(name), &variables(name)).await;
        assert_eq!(answer.get("errors"), None, "{name}");
        let data = answer["data"].as_object().unwrap();
        assert!(data.values().all(|value| !value.is_null()), "{name}");
        generated::check(&format!("examples/{name}.json"), &compact(&answer));
    }
    // An answer or variables without a query would be forgotten here.
    for file in examples(".json") {
        let name = file.split('.').next().unwrap_or_default();
        assert!(names.iter().any(|known| known == name), "examples/{file}.json");
    }
    assert!(names.len() >= 9, "{names:?}");
}

#[tokio::test]
async fn the_example_of_pages_leads_to_the_next_generated_one() {
    let demo = Demo::start().await;
    let mut variables = variables("pages");
    let first = demo.ask(&query("pages"), &variables).await;
    variables["after"] = first["data"]["incidents"]["pageInfo"]["endCursor"].clone();
    let second = demo.ask(&query("pages"), &variables).await;
    generated::check("examples/pages.next.json", &compact(&second));
    let titles = |page: &Value| page["data"]["incidents"]["edges"].as_array().unwrap().clone();
    assert!(titles(&first).iter().all(|edge| !titles(&second).contains(edge)));
}

#[test]
fn the_example_configurations_are_correct() {
    let names = examples(".toml");
    assert!(!names.is_empty());
    for name in names {
        let text = fs::read_to_string(in_repository(&format!("examples/{name}.toml"))).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = text.replace("/run/secrets", folder.path().to_str().unwrap());
        let mut environment = Environment::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((_, rest)) = line.split_once("{ env = \"") {
                environment.set(rest.split('"').next().unwrap(), "a secret of an example");
            }
            if let Some((_, rest)) = line.split_once("{ file = \"") {
                secret_file(rest.split('"').next().unwrap());
            }
        }
        let loaded = Config::load(&text, &environment).unwrap_or_else(|mistakes| panic!("{name}: {mistakes:?}"));
        assert!(loaded.warnings.is_empty(), "{name}: {:?}", loaded.warnings);
    }
}

/// As an operator would leave it: nobody else may read it.
fn secret_file(path: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, "a secret of an example, of more than 32 characters").unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap();
}

/// What stands between `begin` and `end`, wherever it does.
fn between<'t>(text: &'t str, begin: &str, end: &str) -> Vec<&'t str> {
    text.split(begin).skip(1).map(|rest| rest.split(end).next().unwrap_or_default()).collect()
}

/// The queries of the commands in the README.
fn commands(readme: &str) -> Vec<String> {
    let bodies = between(readme, "-d '", "'").into_iter();
    let query = |body: &str| {
        let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
        body["query"].as_str().unwrap().to_owned()
    };
    bodies.map(query).collect()
}

#[tokio::test]
async fn the_generated_answer_in_the_readme_is_what_a_newcomer_gets() {
    let demo = Demo::start().await;
    let path = "README.md";
    let readme = fs::read_to_string(in_repository(path)).unwrap();
    let commands = commands(&readme);
    let [shown] = between(&readme, "```json\n", "```")[..] else { panic!("one answer is shown") };
    let answer = demo.ask(&commands[0], &json!({})).await;
    generated::check(
        path,
        &readme.replacen(&format!("```json\n{shown}```"), &format!("```json\n{}```", compact(&answer)), 1),
    );
    // The same in another year: what is shown does not depend on when `demo` is started.
    let later = Demo::at(support::now() + Duration::days(500)).await;
    assert_eq!(later.ask(&commands[0], &json!({})).await, answer);
    // `demo` proposes the same query.
    assert!(include_str!("../../src/cli/demo.rs").contains(&format!("\"{}\"", commands[0])));
    for query in between(&readme, "```graphql\n", "```").into_iter().map(str::to_owned).chain(commands) {
        let answer = demo.ask(&query, &json!({})).await;
        assert_eq!(answer.get("errors"), None, "{query}");
    }
}

#[test]
fn what_the_readme_points_at_is_there() {
    for document in ["README.md", "docs/DEPLOY.md", "examples/README.md"] {
        let text = fs::read_to_string(in_repository(document)).unwrap();
        let folder = in_repository(document).parent().unwrap().to_owned();
        for target in between(&text, "](", ")") {
            let target = target.split('#').next().unwrap_or_default();
            assert!(target.starts_with("http") || folder.join(target).exists(), "{document}: {target}");
        }
    }
}
