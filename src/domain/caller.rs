//! Who asks: made once at the door, read by everybody below.

use super::{Permission, SourceName, ViewerKind};
use std::sync::Arc;

/// With whose rights a source is read. Opaque: it can only be compared, and stands in the key of everything that is
/// remembered, so that what one caller was shown is never shown to another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CredentialScope(Arc<str>);

impl CredentialScope {
    pub fn new(scope: &str) -> Self {
        CredentialScope(scope.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The one who sent a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// As shown in logs and to the caller itself.
    pub name: String,
    pub kind: ViewerKind,
    /// Names of the roles that gave the permissions; for people to read.
    pub roles: Vec<String>,
    pub scope: CredentialScope,
    permissions: Permissions,
}

#[derive(Clone, Debug)]
enum Permissions {
    /// The same for every source.
    Everywhere(Vec<Permission>),
}

impl Caller {
    /// Whoever reaches a gateway that asks nobody who they are: may do all that the sources' own accounts may do,
    /// except to operate the gateway.
    pub fn local() -> Self {
        use Permission::{Audit, Batch, Delete, Export, Raw, Read, Write};
        Caller {
            name: "local".into(),
            kind: ViewerKind::Anonymous,
            roles: vec!["local".into()],
            scope: CredentialScope::new("gateway"),
            permissions: Permissions::Everywhere(vec![Read, Write, Delete, Batch, Export, Raw, Audit]),
        }
    }

    /// The same caller with just these permissions.
    pub fn with_permissions(self, permissions: Vec<Permission>) -> Self {
        Caller { permissions: Permissions::Everywhere(permissions), ..self }
    }

    /// The same caller with other rights at the sources.
    pub fn with_scope(self, scope: CredentialScope) -> Self {
        Caller { scope, ..self }
    }

    /// What the caller may do with a source, in the order of the vocabulary.
    pub fn permissions(&self, _source: &SourceName) -> &[Permission] {
        let Permissions::Everywhere(permissions) = &self.permissions;
        permissions
    }

    pub fn may(&self, permission: Permission, source: &SourceName) -> bool {
        self.permissions(source).contains(&permission)
    }

    /// Whether there is any source with which the caller may do this.
    pub fn may_anywhere(&self, permission: Permission) -> bool {
        let Permissions::Everywhere(permissions) = &self.permissions;
        permissions.contains(&permission)
    }
}
