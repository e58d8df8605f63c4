//! Documents that were accepted before: a repeated query pays for neither parsing nor validation.

use super::{convert::Fragments, count::Counts, sizes::Sizes};
use apollo_compiler::{Name, Node, ast::VariableDefinition};
use async_graphql::{Positioned, parser::types::OperationDefinition};
use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, PoisonError},
};

/// A document that may run, as far as it is needed to run it: neither its text nor the validator's tree is kept.
pub(super) struct Accepted {
    /// In the order of the document.
    pub operations: Vec<Ready>,
    pub fragments: Fragments,
    pub sizes: Sizes,
}

/// One operation of a document.
pub(super) struct Ready {
    pub name: Option<String>,
    pub counts: Counts,
    pub variables: Vec<Node<VariableDefinition>>,
    /// Variables that their places do not let be null, though their types do.
    pub never_null: HashSet<Name>,
    pub parsed: Positioned<OperationDefinition>,
}

/// Bounded by the number of documents and by their text. The key is a hash with a secret seed, so nobody can aim for
/// collisions; the text is compared all the same.
pub(super) struct AcceptedDocuments {
    seed: RandomState,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Two generations: when the young one is full it becomes the old one, and what is used again is young again.
    young: HashMap<u64, (Box<str>, Arc<Accepted>)>,
    old: HashMap<u64, (Box<str>, Arc<Accepted>)>,
    young_bytes: usize,
}

impl Default for AcceptedDocuments {
    fn default() -> Self {
        AcceptedDocuments { seed: RandomState::new(), known: Mutex::default() }
    }
}

impl AcceptedDocuments {
    /// Of one generation.
    const MAX_DOCUMENTS: usize = 512;
    /// Of one generation, in bytes of text. Syntax trees are twenty to sixty times as large: 30 MB at the very most.
    const MAX_BYTES: usize = 256 * 1024;
    /// Of one document. One longer than this is read anew each time: a few of them would drive out all others.
    const MAX_DOCUMENT_BYTES: usize = 32 * 1024;

    pub(super) fn get(&self, query: &str) -> Option<Arc<Accepted>> {
        let key = self.seed.hash_one(query);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((text, accepted)) = known.young.get(&key) {
            return (**text == *query).then(|| accepted.clone());
        }
        let (text, accepted) = known.old.get(&key)?;
        if **text != *query {
            return None;
        }
        let accepted = accepted.clone();
        known.insert(key, query, accepted.clone());
        Some(accepted)
    }

    pub(super) fn put(&self, query: &str, accepted: Arc<Accepted>) {
        if query.len() > Self::MAX_DOCUMENT_BYTES {
            return;
        }
        let key = self.seed.hash_one(query);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, query, accepted);
    }
}

impl Known {
    fn insert(&mut self, key: u64, query: &str, accepted: Arc<Accepted>) {
        let full = self.young.len() >= AcceptedDocuments::MAX_DOCUMENTS
            || self.young_bytes + query.len() > AcceptedDocuments::MAX_BYTES;
        if full {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.insert(key, (query.into(), accepted)).is_none() {
            self.young_bytes += query.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted() -> Arc<Accepted> {
        Arc::new(Accepted { operations: vec![], fragments: Fragments::new(), sizes: Sizes::default() })
    }

    #[test]
    fn stays_within_its_bounds_and_keeps_what_is_used() {
        let documents = AcceptedDocuments::default();
        documents.put("{ used }", accepted());
        for n in 0..3 * AcceptedDocuments::MAX_DOCUMENTS {
            documents.put(&format!("{{ a{n} }}"), accepted());
            assert!(documents.get("{ used }").is_some());
        }
        assert!(documents.get("{ a0 }").is_none());
        let known = documents.known.lock().unwrap();
        assert!(known.young.len() + known.old.len() <= 2 * AcceptedDocuments::MAX_DOCUMENTS + 1);
    }

    #[test]
    fn a_text_beyond_the_bound_is_not_kept() {
        let documents = AcceptedDocuments::default();
        let long = "x".repeat(AcceptedDocuments::MAX_DOCUMENT_BYTES + 1);
        documents.put(&long, accepted());
        assert!(documents.get(&long).is_none());
    }
}
