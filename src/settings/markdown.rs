//! The settings as sections of a Markdown page.

use super::declared::{Node, Presence, Setting};

pub(super) fn markdown(nodes: &[Node]) -> String {
    let mut out = String::new();
    table(&mut out, "", nodes);
    out
}

/// The settings of one table and, below them, its tables.
fn table(out: &mut String, path: &str, nodes: &[Node]) {
    let settings = nodes.iter().filter_map(|node| match node {
        Node::Setting(setting) => Some(setting.as_ref()),
        _ => None,
    });
    rows(out, &settings.collect::<Vec<_>>());
    for node in nodes {
        match node {
            Node::Section { name, doc, nodes } => heading(out, &below(path, name), doc, nodes),
            Node::Named { name, doc, tables, .. } => {
                for (key, nodes) in tables {
                    heading(out, &below(&below(path, name), key), doc, nodes);
                }
            }
            Node::Variants { tag, doc, variable, variants } => {
                out.push_str(&format!("\n`{tag}` (required): {doc} Environment: `{variable}`.\n"));
                for variant in variants {
                    out.push_str(&format!("\n### `{tag} = \"{}\"`\n\n{}\n", variant.word, variant.doc));
                    table(out, path, &variant.nodes);
                }
            }
            Node::Setting(_) => {}
        }
    }
}

fn heading(out: &mut String, path: &str, doc: &str, nodes: &[Node]) {
    // Deeper tables stand below those that hold them.
    let level = "#".repeat(2 + path.matches('.').count().saturating_sub(1) * 2);
    out.push_str(&format!("\n{level} `[{path}]`\n\n{doc}\n"));
    table(out, path, nodes);
}

fn rows(out: &mut String, settings: &[&Setting]) {
    if settings.is_empty() {
        return;
    }
    out.push_str("\n| Setting | What it does | Value | Default |\n|---|---|---|---|\n");
    for setting in settings {
        let default = match &setting.presence {
            Presence::Required => "required".to_owned(),
            Presence::Optional => "none".to_owned(),
            Presence::Default(value) => format!("`{value}`"),
        };
        let cells = [
            format!("`{}`<br><sub>`{}`</sub>", setting.name, setting.variable),
            setting.doc.to_owned(),
            setting.shape.phrase.clone(),
            default,
        ];
        out.push_str(&format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
