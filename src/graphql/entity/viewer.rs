//! `Viewer`: who the gateway thinks is asking.

use crate::{
    domain::{Caller, Permission, SourceName},
    graphql::object::{Object, declare},
};
use std::sync::Arc;

declare!(
    Viewer as "Viewer" => viewer,
    SourcePermissions as "SourcePermissions" => source_permissions,
);

/// The caller, as shown to itself.
pub(crate) struct Viewer {
    caller: Arc<Caller>,
    permissions: Vec<SourcePermissions>,
}

struct SourcePermissions {
    source: SourceName,
    permissions: Vec<Permission>,
}

impl Viewer {
    pub(crate) fn new(caller: &Arc<Caller>, sources: impl Iterator<Item = SourceName>) -> Self {
        let of = |source: SourceName| {
            let permissions = caller.permissions(&source).to_vec();
            SourcePermissions { source, permissions }
        };
        Viewer { caller: caller.clone(), permissions: sources.map(of).collect() }
    }
}

fn viewer() -> Object {
    Object::of::<Viewer>("Who the gateway thinks you are, and what you may do.")
        .field("name", "The name in logs and audit trail.", |v| &v.caller.name)
        .field("kind", "How you were recognised.", |v| &v.caller.kind)
        .field("roles", "The roles that gave the permissions.", |v| &v.caller.roles)
        .objects::<SourcePermissions, _>("permissions", "What you may do, source by source.", |v| &v.permissions)
        .end()
}

fn source_permissions() -> Object {
    Object::of::<SourcePermissions>("What you may do with one source.")
        .source(|p| &p.source)
        .field("permissions", "What is allowed.", |p| &p.permissions)
        .end()
}
