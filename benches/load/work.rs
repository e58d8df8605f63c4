//! What is asked.

/// One kind of request.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    /// What it stands for.
    pub(crate) about: &'static str,
    pub(crate) query: &'static str,
    /// A piece of text that a right answer holds this often.
    pub(crate) holds: (&'static str, usize),
}

/// A page with everything beside it, a plain page, and one incident with all that belongs to it.
pub(crate) const WORK: [Work; 3] = [
    Work {
        name: "A",
        about: "100 incidents, each with owners, assets and threats",
        query: "{ incidents(first: 100) { nodes { id title severity status createdAt \
                owners { id name kind } \
                assets(first: 100) { nodes { id name description } } \
                threats(first: 100) { nodes { id name description } } } } }",
        holds: ("\"createdAt\"", 100),
    },
    Work {
        name: "B",
        about: "20 incidents, 6 scalars each",
        query: "{ incidents(first: 20) { nodes { id title description severity status createdAt } } }",
        holds: ("\"createdAt\"", 20),
    },
    Work {
        name: "C",
        about: "one incident with owners, assets, threats and evidence",
        query: "{ incidents(first: 1) { nodes { id title severity status createdAt \
                owners { id name email } \
                assets(first: 100) { nodes { id name description } } \
                threats(first: 100) { nodes { id name description } } \
                evidence(first: 100) { nodes { id title description } } } } }",
        holds: ("\"createdAt\"", 1),
    },
];
