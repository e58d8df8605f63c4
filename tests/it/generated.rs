//! Files that are made from code equal what the code makes. `UPDATE=1 cargo test generated` writes them anew.

use std::{fs, path::Path};

/// Compares, or writes where the variable `UPDATE` is set.
pub(crate) fn check(path: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "{} is out of date; run `UPDATE=1 cargo test generated`", path.display());
}

#[test]
fn schema() {
    check("schema/schema.graphql", &incident_gateway::graphql::sdl());
}

#[test]
fn metrics() {
    check("docs/METRICS.md", &incident_gateway::telemetry::metrics::document());
}

#[test]
fn errors() {
    check("docs/ERRORS.md", &incident_gateway::graphql::errors_document());
}
