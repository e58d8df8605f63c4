//! `Scope`: folder, tenant or organisation.

use super::node;
use crate::{
    domain::{RecordKind, Scope},
    graphql::{
        need::Need,
        object::{Child, Hold, Object, declare},
        store::Lookup,
    },
};
use std::sync::Arc;

declare!(Scope as "Scope" => scope);

fn scope() -> Object {
    Object::of::<Scope>("Folder, tenant or organisation that holds records.")
        .implements(node)
        .identity(RecordKind::Scope, |s| &s.key)
        .field("kind", "What it is.", |s| &s.kind)
        .field("name", "Its name.", |s| &s.name)
        .in_links()
        .field("description", "What it holds, in somebody's words.", |s| &s.description)
        .field("root", "Whether it is the topmost.", |s| &s.root)
        .one::<Scope>("parent", "The one that it lies in.", RecordKind::Scope, |s| s.parent.as_ref())
        .many::<Scope>("path", "From the top down to and including this one.", RecordKind::Scope, |s| &s.path)
        .found_many::<Scope>(
            "children",
            "Those that lie directly in it; one call for all scopes of the source.",
            children,
        )
        .raw(|s| &s.raw)
        .end()
}

/// All scopes of one source.
pub(crate) struct AllScopes(pub Vec<Arc<Scope>>);

fn children<'a>(scope: &'a Scope, lookup: &Lookup<'a>) -> Result<Child<'a>, Hold> {
    let Some(all) = lookup.found::<AllScopes>(Need::Scopes(scope.key.source.clone()))? else { return Ok(Child::Null) };
    let below = |other: &&Arc<Scope>| other.parent.as_ref().is_some_and(|parent| parent.key == scope.key);
    Ok(Child::Items(all.0.iter().filter(below).map(|child| Child::Here(&**child)).collect()))
}
