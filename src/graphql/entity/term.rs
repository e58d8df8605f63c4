//! `Term`: a word of a source's own vocabulary.

use super::node;
use crate::{
    domain::{RecordKind, Term},
    graphql::object::{Object, declare},
};

declare!(Term as "Term" => term);

fn term() -> Object {
    Object::of::<Term>("A word of a source's own vocabulary.")
        .implements(node)
        .identity(RecordKind::Term, |t| &t.key)
        .field("kind", "What it is a word for.", |t| &t.kind)
        .field("name", "The word as the source keeps it.", |t| &t.name)
        .field("label", "The word as the source shows it to people.", |t| &t.label)
        .in_links()
        .field("description", "What it means.", |t| &t.description)
        .field("selectable", "False when it can no longer be chosen.", |t| &t.selectable)
        .end()
}
