//! The schema's side of a declaration: types, fields and descriptions as async-graphql's registry keeps them.

use super::{Field, Interface, Object};
use async_graphql::{
    indexmap::IndexMap,
    registry::{MetaField, MetaType, Registry},
};

impl Object {
    /// Adds this type, and all that its fields lead to, to the registry. Recursion stops at types that are there.
    pub(crate) fn register(&'static self, registry: &mut Registry) {
        if registry.types.contains_key(self.name) {
            return;
        }
        registry.types.insert(self.name.to_owned(), self.meta(IndexMap::new()));
        let fields = self.fields.iter().map(|field| (field.name.to_owned(), field.meta(registry))).collect();
        registry.types.insert(self.name.to_owned(), self.meta(fields));
        for interface in &self.interfaces {
            registry.add_implements(self.name, interface().name);
            interface().register(registry);
        }
    }

    fn meta(&self, fields: IndexMap<String, MetaField>) -> MetaType {
        MetaType::Object {
            name: self.name.to_owned(),
            description: said(self.description),
            fields,
            cache_control: Default::default(),
            extends: false,
            shareable: false,
            resolvable: true,
            keys: None,
            visible: None,
            inaccessible: false,
            interface_object: false,
            tags: vec![],
            is_subscription: false,
            rust_typename: None,
            directive_invocations: vec![],
            requires_scopes: vec![],
        }
    }
}

impl Interface {
    /// Adds this interface and its types to the registry.
    pub(crate) fn register(&'static self, registry: &mut Registry) {
        if registry.types.contains_key(self.name) {
            return;
        }
        registry.types.insert(self.name.to_owned(), self.meta(IndexMap::new()));
        let first = self.types.first().map(|object| object());
        let fields = first.map(|first| {
            let shared = first.fields.iter().filter(|field| self.fields.contains(&field.name));
            shared.map(|field| (field.name.to_owned(), field.meta(registry))).collect()
        });
        registry.types.insert(self.name.to_owned(), self.meta(fields.unwrap_or_default()));
        for object in &self.types {
            object().register(registry);
        }
    }

    fn meta(&self, fields: IndexMap<String, MetaField>) -> MetaType {
        MetaType::Interface {
            name: self.name.to_owned(),
            description: said(self.description),
            fields,
            possible_types: self.types.iter().map(|object| object().name.to_owned()).collect(),
            extends: false,
            keys: None,
            visible: None,
            inaccessible: false,
            tags: vec![],
            rust_typename: None,
            directive_invocations: vec![],
            requires_scopes: vec![],
        }
    }
}

impl Field {
    fn meta(&self, registry: &mut Registry) -> MetaField {
        (self.register)(registry);
        MetaField {
            name: self.name.to_owned(),
            description: said(self.description),
            args: self.arguments.as_ref().map(|arguments| (arguments.meta)(registry)).unwrap_or_default(),
            ty: self.ty.clone(),
            deprecation: Default::default(),
            cache_control: Default::default(),
            external: false,
            requires: None,
            provides: None,
            visible: None,
            shareable: false,
            inaccessible: false,
            tags: vec![],
            override_from: None,
            compute_complexity: None,
            directive_invocations: vec![],
            requires_scopes: vec![],
        }
    }
}

/// An empty description is none: async-graphql would print it as an empty text.
fn said(description: &str) -> Option<String> {
    let description = description.trim();
    (!description.is_empty()).then(|| description.to_owned())
}
