//! One run through a declaration: what it has found so far.

use super::declared::Node;
use super::environment::Environment;
use super::mistake::{Mistake, Place, Position};
use super::suggest::nearest;
use super::table::Table;
use std::collections::BTreeMap;
use std::ops::Range;
use toml_edit::TableLike;

/// What a run is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    /// Every variant is visited once and nothing is looked up.
    Describe,
}

pub(super) struct Run<'d> {
    pub(super) environment: &'d Environment,
    pub(super) mode: Mode,
    source: &'d str,
    mistakes: Vec<Mistake>,
    warnings: Vec<Mistake>,
    /// Variables of the settings seen, with their paths.
    variables: BTreeMap<String, String>,
    /// Beginnings of variables that cannot be judged, as what they belong to is wrong.
    unjudged: Vec<String>,
}

impl<'d> Run<'d> {
    pub(super) fn new(source: &'d str, environment: &'d Environment, mode: Mode) -> Self {
        let (mistakes, warnings) = (Vec::new(), Vec::new());
        Run { environment, mode, source, mistakes, warnings, variables: BTreeMap::new(), unjudged: Vec::new() }
    }

    pub(super) fn root<T>(
        &mut self,
        document: &'d dyn TableLike,
        declare: impl FnOnce(&mut Table<'d, '_>) -> Option<T>,
    ) -> (Option<T>, Vec<Node>) {
        let mut table = Table::new(self, Vec::new(), Some(document), None);
        let value = declare(&mut table);
        (value, table.close())
    }

    pub(super) fn position(&self, span: Option<Range<usize>>) -> Option<Position> {
        Position::of(self.source, span)
    }

    pub(super) fn mistake(&mut self, place: Place, what: impl Into<String>) {
        self.mistakes.push(Mistake::new(place, what));
    }

    pub(super) fn warn(&mut self, place: Place, what: impl Into<String>) {
        self.warnings.push(Mistake::new(place, what));
    }

    /// Two settings must not share a variable: which one was meant could not be told.
    pub(super) fn claim(&mut self, variable: &str, path: &str) {
        let before = self.variables.insert(variable.to_owned(), path.to_owned());
        if let Some(before) = before.filter(|before| before != path)
            && self.environment.ours().any(|name| name == variable)
        {
            let what = format!("belongs to both {before} and {path}; rename one of the two tables.");
            self.mistake(Place::Variable(variable.to_owned()), what);
        }
    }

    /// A variable that a secret is taken from may be called like ours without being a setting's.
    pub(super) fn know(&mut self, variable: &str, path: &str) {
        self.variables.entry(variable.to_owned()).or_insert_with(|| path.to_owned());
    }

    pub(super) fn leave_unjudged(&mut self, beginning: String) {
        self.unjudged.push(beginning);
    }

    /// Mistakes and warnings, both in the order of the document.
    pub(super) fn finish(mut self) -> (Vec<Mistake>, Vec<Mistake>) {
        let strangers: Vec<String> = self.environment.ours().filter(|name| !self.knows(name)).map(Into::into).collect();
        for name in strangers {
            let known = nearest(&name, self.variables.keys().map(String::as_str));
            let what = match known {
                Some(known) => format!("is not the variable of a setting. Did you mean {known}?"),
                None => "is not the variable of a setting. docs/CONFIG.md lists them; remove it.".to_owned(),
            };
            self.mistake(Place::Variable(name), what);
        }
        self.mistakes.sort_by_key(Mistake::order);
        self.warnings.sort_by_key(Mistake::order);
        (self.mistakes, self.warnings)
    }

    fn knows(&self, variable: &str) -> bool {
        self.variables.contains_key(variable) || self.unjudged.iter().any(|beginning| variable.starts_with(beginning))
    }
}
