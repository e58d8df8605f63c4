//! The arrows of `docs/ARCHITECTURE.md`, held: who may use whom, who may touch what, how long a file may be.
//!
//! This reads text, not syntax: `crate::…` paths and grouped imports in every file below `src/`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Each top-level module and those it may use. What is not listed here does not exist.
const ARROWS: [(&str, &[&str]); 17] = [
    ("domain", &[]),
    ("secret", &[]),
    ("telemetry", &[]),
    ("settings", &["secret"]),
    ("sandbox", &[]),
    ("upstream", &["telemetry", "secret", "settings"]),
    ("source", &["domain", "upstream", "telemetry"]),
    ("vendors", &["domain", "source", "upstream", "telemetry", "secret", "settings"]),
    ("federation", &["domain", "source", "telemetry"]),
    ("graphql", &["domain", "source", "federation", "telemetry"]),
    ("server", &["domain", "source", "graphql", "telemetry", "upstream"]),
    (
        "config",
        &["domain", "vendors", "settings", "secret", "telemetry", "server", "upstream", "federation", "graphql"],
    ),
    (
        "app",
        &[
            "config",
            "domain",
            "federation",
            "graphql",
            "secret",
            "server",
            "source",
            "telemetry",
            "upstream",
            "vendors",
            "settings",
        ],
    ),
    (
        "cli",
        &[
            "app",
            "config",
            "domain",
            "federation",
            "graphql",
            "sandbox",
            "secret",
            "server",
            "settings",
            "source",
            "telemetry",
            "upstream",
            "vendors",
        ],
    ),
    ("fuzz", &["config", "domain", "federation", "graphql", "settings", "vendors"]),
    ("lib", &[]),
    ("main", &["cli"]),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The files of the gateway. Tests of a module in files of their own may use what they like.
fn sources() -> Vec<PathBuf> {
    let folder = root().join("src");
    let is_test = |path: &PathBuf| {
        let inside = path.strip_prefix(&folder).unwrap();
        inside.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
    };
    files(&folder).into_iter().filter(|path| !is_test(path)).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The file's text without comments, strings left in.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split_once("//").map_or(line, |(before, _)| before)).collect::<Vec<_>>().join("\n")
}

/// The top-level module that a file below `src/` belongs to.
fn module(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The top-level modules that a text names after `start`, grouped imports opened: `crate::{domain::{A, b}, source}`.
fn used(code: &str, start: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(start) {
        let rest = &code[at + start.len()..];
        match rest.strip_prefix('{') {
            None => drop(names.insert(word(rest))),
            Some(group) => {
                let mut depth = 0;
                let mut first = true;
                for (index, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => first = true,
                        c if first && depth == 0 && (c.is_alphabetic() || c == '_') => {
                            names.insert(word(&group[index..]));
                            first = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn modules_use_only_what_their_arrow_allows() {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut wrong = vec![];
    for path in sources() {
        let module = module(&path);
        let Some(allowed) = arrows.get(module.as_str()) else {
            wrong.push(format!("{}: `{module}` is not in the table of arrows", path.display()));
            continue;
        };
        let start = if module == "main" { "incident_gateway::" } else { "crate::" };
        for name in used(&code(&path), start) {
            if arrows.contains_key(name.as_str()) && name != module && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{}: `{module}` uses `{name}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_scan_sees_grouped_imports() {
    let text = "use crate::{\n  domain::{A, source},\n  upstream,\n};\nfn f() { crate::secret::X }";
    let names: Vec<String> = used(text, "crate::").into_iter().collect();
    assert_eq!(names, ["domain", "secret", "upstream"]);
}

/// Words that may stand only in some places, and where.
#[test]
fn some_things_have_one_home() {
    let homes: [(&str, &[&str]); 7] = [
        ("reqwest::Client", &["upstream"]),
        ("async_graphql", &["graphql"]),
        (
            "serde",
            &["graphql", "vendors", "sandbox", "upstream", "server", "source", "settings", "cli", "app", "config"],
        ),
        ("std::env", &["settings", "cli", "main", "config"]),
        ("super::super::super", &[]),
        ("Instant::now", &["upstream", "sandbox", "app", "cli", "server", "vendors", "settings"]),
        ("SystemTime::now", &["app", "cli"]),
    ];
    let mut wrong = vec![];
    for path in sources() {
        let (module, code) = (module(&path), code(&path));
        let tests = code.find("#[cfg(test)]").map_or(code.as_str(), |at| &code[..at]);
        for (what, homes) in homes {
            if tests.contains(what) && !homes.contains(&module.as_str()) {
                wrong.push(format!("{}: {what}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn nothing_shared_names_a_vendor() {
    let vendors = ["ciso", "eventlog", "adversarial", "kaspersky", "xpanse"];
    let shared = ["source", "federation", "graphql", "server", "upstream", "domain"];
    let mut wrong = vec![];
    for path in sources() {
        // The vocabulary of products is the one place where they stand side by side.
        if !shared.contains(&module(&path).as_str()) || path.ends_with("domain/kinds.rs") {
            continue;
        }
        let code = code(&path);
        let code = code.find("#[cfg(test)]").map_or(code.as_str(), |at| &code[..at]).to_lowercase();
        wrong.extend(
            vendors.iter().filter(|vendor| code.contains(**vendor)).map(|v| format!("{}: {v}", path.display())),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn wire_types_are_private_to_their_vendor() {
    for path in files(&root().join("src/vendors")) {
        let code = code(&path);
        assert!(!code.contains("pub mod wire") && !code.contains("pub(crate) mod wire"), "{}", path.display());
    }
}

#[test]
fn files_are_short_enough_to_have_one_idea() {
    let mut long = vec![];
    for folder in ["src", "tests", "benches", "fuzz"] {
        let folder = root().join(folder);
        if !folder.is_dir() {
            continue;
        }
        for path in files(&folder) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            if lines > 500 {
                long.push(format!("{}: {lines} lines", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "\n{}", long.join("\n"));
}
