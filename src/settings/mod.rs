//! Settings: each part declares its own once, by reading them from a [`Table`]. From that one declaration come the value,
//! every mistake with its place, the override by environment, what `--print` shows, the page of documentation and the
//! JSON Schema for editors.
//!
//! Knows TOML and environment variables; knows no setting of any part. A declaration must ask for all its settings before
//! it looks at any value, so that all mistakes are found in one run and the documentation is complete.

mod declared;
mod environment;
mod kind;
mod markdown;
mod mistake;
mod print;
mod run;
mod schema;
mod secret;
mod suggest;
mod table;

pub use declared::{Declared, Shape};
pub use environment::{Environment, PREFIX};
pub use kind::{
    HOST_PHRASE, Kind, Raw, Refusal, address, boolean, duration_ms, host, is_host, list, number, path, text, url, words,
};
pub use mistake::Mistake;
pub use table::{Table, Variant};

use run::{Mode, Run};
use toml_edit::Document;

/// What was read, without a mistake.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The value that the declaration made.
    pub value: T,
    /// What works but should not stay so, in the order of the document.
    pub warnings: Vec<Mistake>,
    /// All settings with the values in effect; for printing.
    pub settings: Declared,
}

/// Reads a TOML document with the environment laid over it. `declare` asks for the settings; it answers none only after
/// something was missing or wrong.
///
/// Fails with all mistakes, in the order of the document, those of the environment last; just one if the document is not
/// TOML at all.
pub fn read<T>(
    source: &str,
    environment: &Environment,
    declare: impl FnOnce(&mut Table<'_, '_>) -> Option<T>,
) -> Result<Loaded<T>, Vec<Mistake>> {
    // The parser's own message would quote the line, and the line may hold a secret.
    let document =
        Document::parse(source).map_err(|error| vec![Mistake::syntax(source, error.span(), error.message())])?;
    let mut run = Run::new(source, environment, Mode::Read);
    let (value, nodes) = run.root(document.as_table(), declare);
    let (mistakes, warnings) = run.finish();
    match value {
        Some(value) if mistakes.is_empty() => Ok(Loaded { value, warnings, settings: Declared::new(nodes) }),
        _ => Err(mistakes),
    }
}

/// All settings that a declaration can ask for, for documentation; reads nothing.
pub fn describe<T>(declare: impl FnOnce(&mut Table<'_, '_>) -> Option<T>) -> Declared {
    let (document, environment) = (toml_edit::Table::new(), Environment::default());
    let mut run = Run::new("", &environment, Mode::Describe);
    Declared::new(run.root(&document, declare).1)
}

#[cfg(test)]
mod tests;
