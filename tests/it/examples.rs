//! Every query in `examples/` runs and answers without an error; so does the README's.

use crate::support::Gateway;
use serde_json::json;
use std::{fs, path::Path};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn examples_run() {
    let gateway = Gateway::start().await;
    let some = gateway.data("{ incidents(first: 1) { nodes { sourceId } } }").await;
    let id = &some["incidents"]["nodes"][0]["sourceId"];
    let mut run = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "graphql") {
            continue;
        }
        let query = fs::read_to_string(&path).unwrap();
        let variables = if query.contains("$source") { json!({ "source": "grc", "id": id }) } else { json!({}) };
        let answer = gateway.ask_with(&query, variables).await;
        assert_eq!(answer.get("errors"), None, "{}", path.display());
        let data = answer["data"].as_object().unwrap();
        assert!(data.values().all(|value| !value.is_null()), "{}", path.display());
        run += 1;
    }
    assert!(run >= 5, "{run}");
}

#[tokio::test]
async fn the_readme_runs() {
    let gateway = Gateway::start().await;
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let blocks: Vec<&str> = readme.split("```graphql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let command = readme.split("{\"query\":\n").nth(1).and_then(|rest| rest.split("\"}'").next()).unwrap();
    let first = command.trim_start().trim_start_matches('"').to_owned();
    assert_eq!(blocks.len(), 1);
    for query in blocks.into_iter().map(str::to_owned).chain([first]) {
        let answer = gateway.ask(&query).await;
        assert_eq!(answer.get("errors"), None, "{query}");
    }
}
