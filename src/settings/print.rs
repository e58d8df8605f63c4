//! The settings in effect, as a TOML document.

use super::declared::{Node, Setting};

pub(super) fn print(nodes: &[Node]) -> String {
    let mut out = String::new();
    table(&mut out, "", nodes);
    out
}

/// Values first: in TOML what follows a header belongs to it.
fn table(out: &mut String, path: &str, nodes: &[Node]) {
    values(out, nodes);
    for (name, nodes) in tables(nodes) {
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        // A table that only holds tables needs no header.
        if nodes.iter().any(|node| matches!(node, Node::Setting(_) | Node::Variants { .. })) {
            out.push_str(&format!("\n[{path}]\n"));
        }
        table(out, &path, nodes);
    }
}

fn values(out: &mut String, nodes: &[Node]) {
    for node in nodes {
        match node {
            Node::Setting(setting) => value(out, setting),
            Node::Variants { tag, variants, .. } => {
                for variant in variants {
                    out.push_str(&format!("{tag} = \"{}\"\n", variant.word));
                    values(out, &variant.nodes);
                }
            }
            Node::Section { .. } | Node::Named { .. } => {}
        }
    }
}

fn value(out: &mut String, setting: &Setting) {
    let name = setting.name;
    let line = match (&setting.effective, setting.from_environment) {
        (Some(value), false) => format!("{name} = {value}\n"),
        (Some(value), true) => format!("{name} = {value} # from {}\n", setting.variable),
        (None, _) => format!("# {name} is not set\n"),
    };
    out.push_str(&line);
}

fn tables(nodes: &[Node]) -> Vec<(String, &[Node])> {
    let mut found: Vec<(String, &[Node])> = Vec::new();
    for node in nodes {
        match node {
            Node::Section { name, nodes, .. } => found.push(((*name).to_owned(), nodes)),
            Node::Named { name, tables, .. } => {
                found.extend(tables.iter().map(|(key, nodes)| (format!("{name}.{key}"), nodes.as_slice())));
            }
            Node::Variants { variants, .. } => {
                found.extend(variants.iter().flat_map(|variant| tables(&variant.nodes)));
            }
            Node::Setting(_) => {}
        }
    }
    found
}
