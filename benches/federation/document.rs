//! Puts what was measured into the documents.

use crate::Result;
use std::fs;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/PERFORMANCE.md");
const PLOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/growth.svg");

/// The tables of a part, between its marks.
pub(crate) fn write(part: &str, tables: &str) -> Result<()> {
    let (begin, end) = (format!("<!-- federation benchmark: {part} -->\n"), "<!-- end -->");
    let document = fs::read_to_string(DOCUMENT)?;
    let (head, rest) = document.split_once(&begin).ok_or("docs/PERFORMANCE.md has no mark for the beginning")?;
    let (_, tail) = rest.split_once(end).ok_or("docs/PERFORMANCE.md has no mark for the end")?;
    Ok(fs::write(DOCUMENT, format!("{head}{begin}{tables}{end}{tail}"))?)
}

/// The picture of the growth.
pub(crate) fn draw(svg: &str) -> Result<()> {
    Ok(fs::write(PLOT, svg)?)
}
