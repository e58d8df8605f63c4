//! What is wrong, and where: one sentence for people.

use std::fmt;
use std::ops::Range;

/// One thing that is wrong with the settings, or a warning about them. Never holds a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    place: Place,
    what: String,
}

/// Where a setting was given, or should have been.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// In the document: path of the setting and where it stands there, if it does.
    Document { path: String, at: Option<Position> },
    /// In the environment.
    Variable(String),
}

/// A place in a text, both counted from 1; the column in characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Position {
    line: usize,
    column: usize,
}

impl Position {
    pub(super) fn of(source: &str, span: Option<Range<usize>>) -> Option<Self> {
        let before = source.get(..span?.start)?;
        let start_of_line = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        Some(Position { line, column: before[start_of_line..].chars().count() + 1 })
    }
}

impl Mistake {
    /// `what` goes on from the place: “must be …”, “is not a setting.”
    pub(super) fn new(place: Place, what: impl Into<String>) -> Self {
        Mistake { place, what: what.into() }
    }

    pub(super) fn syntax(source: &str, span: Option<Range<usize>>, message: &str) -> Self {
        let what = format!("cannot be read as TOML ({}).", message.trim_end().replace('\n', ", "));
        Mistake::new(Place::Document { path: String::new(), at: Position::of(source, span) }, what)
    }

    /// The line in the document, counted from 1; none for what stands in the environment or nowhere.
    pub fn line(&self) -> Option<usize> {
        match self.place {
            Place::Document { at, .. } => at.map(|at| at.line),
            Place::Variable(_) => None,
        }
    }

    /// Order in which people want to go through them: down the document, then what stands nowhere, then the environment
    /// by name.
    pub(super) fn order(&self) -> (u8, Option<Position>, String) {
        match &self.place {
            Place::Document { at: Some(at), .. } => (0, Some(*at), String::new()),
            Place::Document { at: None, .. } => (1, None, String::new()),
            Place::Variable(name) => (2, None, name.clone()),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Document { path, at: Some(Position { line, column }) } if path.is_empty() => {
                write!(out, "line {line}, column {column}: {}", self.what)
            }
            Place::Document { path, at: Some(Position { line, column }) } => {
                write!(out, "{path}, line {line}, column {column}: {}", self.what)
            }
            Place::Document { path, at: None } => write!(out, "{path}: {}", self.what),
            Place::Variable(name) => write!(out, "{name} (environment): {}", self.what),
        }
    }
}

impl std::error::Error for Mistake {}
