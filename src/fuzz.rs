//! Bodies of the fuzz targets: what must hold for any bytes at all. Each panics where it does not.
//!
//! `tests/it/fuzz.rs` runs them over a corpus and seeded inputs; `fuzz/` runs the same with coverage guidance.

use crate::{
    config::Config,
    domain::{GlobalId, NativeId, Search},
    settings::Environment,
};

/// A text is an id or none; an id is written as it was read.
pub fn ids(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    assert_eq!(NativeId::new(text).to_string(), text);
    if let Ok(id) = text.parse::<GlobalId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
}

/// Bytes are the body of a cursor or none, and what was read is written and read again as the same.
pub fn cursors(data: &[u8]) {
    crate::federation::fuzz_cursor(data);
}

/// A body of a vendor is a page or none; a page becomes records, whatever its members are.
pub fn wire(data: &[u8]) {
    crate::vendors::ciso_assistant::fuzz_page(data);
    crate::vendors::kaspersky_xdr::fuzz_page(data);
    crate::vendors::eventlog_analyzer::fuzz_bodies(data);
    crate::vendors::adversarial::fuzz_pages(data);
    crate::vendors::cortex_xpanse::fuzz_page(data);
}

/// A text is a search; its terms occur in itself.
pub fn search(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let search = Search::parse(text);
    assert!(search.terms().iter().all(|term| !term.trim().is_empty()));
    assert!(search.matches([Some(text)].into_iter()), "{text:?}");
}

/// A text has a length and a depth, told before anything parses it.
pub fn documents(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    crate::graphql::fuzz_document(text);
}

/// A text is a configuration, or its mistakes are told.
pub fn settings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Secrets by command would run what the bytes say.
    if !text.contains("command") && !text.contains("file") {
        assert!(!Config::load(text, &Environment::default()).is_err_and(|mistakes| mistakes.is_empty()));
    }
}
