//! `Tag`: a label that people put on records.

use super::node;
use crate::{
    domain::{Owner, RecordKind, Scope, Tag},
    graphql::object::{Object, declare},
};

declare!(Tag as "Tag" => tag);

fn tag() -> Object {
    Object::of::<Tag>("A label that people put on records.")
        .implements(node)
        .identity(RecordKind::Tag, |t| &t.key)
        .field("name", "What it says.", |t| &t.name)
        .in_links()
        .one::<Owner>("createdBy", "Who made it.", RecordKind::Owner, |t| t.created_by.as_ref())
        .one::<Scope>("scope", "Folder, tenant or organisation that holds it.", RecordKind::Scope, |t| t.scope.as_ref())
        .end()
}
