//! The declarations: one file for each type and what belongs to it. A field is one line: name, meaning, value.

mod asset;
mod catalog;
mod connection;
mod evidence;
mod incident;
mod owner;
pub(crate) mod page;
mod preview;
mod related_record;
mod report;
mod scope;
mod source;
mod stats;
mod tag;
mod term;
mod threat;
mod tied;
mod timeline;
mod viewer;

pub(crate) use catalog::{CatalogConnection, Listed};
pub(crate) use connection::IncidentConnection;
pub(crate) use scope::AllScopes;
pub(crate) use source::Health;
pub(crate) use stats::StatsView;
pub(crate) use viewer::Viewer;

use super::{
    answer::AnyOf,
    object::{Declared, Interface},
};
use crate::{
    domain::{Asset, Evidence, Incident, Owner, RelatedRecord, Scope, Tag, Term, Threat},
    source::SourceInfo,
};
use std::sync::LazyLock;

/// Marker for the interface `Node`.
pub(crate) struct Node;

impl AnyOf for Node {
    fn interface() -> &'static Interface {
        node()
    }
}

/// Anything with a global id by which it can be asked for again.
pub(crate) fn node() -> &'static Interface {
    static NODE: LazyLock<Interface> = LazyLock::new(|| Interface {
        name: "Node",
        description: "Anything with a global id by which it can be asked for again.",
        fields: &["id"],
        types: vec![
            Incident::object,
            Asset::object,
            Threat::object,
            Owner::object,
            Evidence::object,
            Scope::object,
            Tag::object,
            Term::object,
            RelatedRecord::object,
            SourceInfo::object,
        ],
    });
    &NODE
}
