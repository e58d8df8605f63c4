//! What was declared, as a tree: the one source of `--print`, the documentation and the JSON Schema.

use toml_edit::Value;

/// All settings of a declaration.
#[derive(Debug)]
pub struct Declared {
    nodes: Vec<Node>,
}

impl Declared {
    pub(super) fn new(nodes: Vec<Node>) -> Self {
        Declared { nodes }
    }

    /// The settings in effect as a TOML document, without secrets. Reading it again gives the same settings, except for
    /// secrets that were given as they are.
    pub fn print(&self) -> String {
        super::print::print(&self.nodes)
    }

    /// Sections of a Markdown page that describe every setting.
    pub fn markdown(&self) -> String {
        super::markdown::markdown(&self.nodes)
    }

    /// A JSON Schema (draft 2020-12) for the document. `title` and `id` as in the schema.
    pub fn json_schema(&self, title: &str, id: &str) -> serde_json::Value {
        super::schema::schema(&self.nodes, title, id)
    }
}

#[derive(Debug)]
pub(super) enum Node {
    Setting(Box<Setting>),
    Section {
        name: &'static str,
        doc: &'static str,
        nodes: Vec<Node>,
    },
    /// Tables with names that users choose; one named `<name>` when described.
    Named {
        name: &'static str,
        doc: &'static str,
        pattern: &'static str,
        tables: Vec<(String, Vec<Node>)>,
    },
    /// Settings that depend on a word; just the chosen one when read.
    Variants {
        tag: &'static str,
        doc: &'static str,
        variable: String,
        variants: Vec<Described>,
    },
}

/// The settings of one variant.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) word: &'static str,
    pub(super) doc: &'static str,
    pub(super) nodes: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) shape: Shape,
    pub(super) presence: Presence,
    pub(super) variable: String,
    /// What is in effect; none where nothing is. A secret is never here, only where it comes from.
    pub(super) effective: Option<Value>,
    pub(super) from_environment: bool,
}

/// What a value may be.
#[derive(Clone, Debug)]
pub struct Shape {
    /// For people, with its article: “a whole number from 1 to 9”.
    pub phrase: String,
    /// For editors: JSON Schema.
    pub schema: serde_json::Value,
}

#[derive(Clone, Debug)]
pub(super) enum Presence {
    Required,
    /// Its description says what holds without it.
    Optional,
    Default(Value),
}
