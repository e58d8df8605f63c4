//! What makes large worlds quick to sort and search: for each text column the rank of every incident's text, and all
//! searchable text in lower case. Made at first use, dropped at every change of an incident's text.

use crate::sandbox::ciso_assistant::state::{Folder, Incident, Index, Table};
use std::sync::OnceLock;

/// The text columns that incidents can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextColumn {
    Name,
    Description,
    RefId,
    Link,
}

impl TextColumn {
    fn of(self, incident: &Incident) -> Option<&str> {
        match self {
            TextColumn::Name => Some(&incident.name),
            TextColumn::Description => incident.description.as_deref(),
            TextColumn::RefId => Some(&incident.ref_id),
            TextColumn::Link => incident.link.as_deref(),
        }
    }
}

#[derive(Default)]
pub(super) struct Ranks {
    columns: [OnceLock<Vec<u32>>; 4],
    folders: OnceLock<Vec<u32>>,
    lowered: OnceLock<Lowered>,
}

/// All searchable text. Fields are parted by NUL, which no term can hold.
struct Lowered {
    text: String,
    /// Where each position's text ends.
    ends: Vec<usize>,
}

impl Ranks {
    /// Ranks by position: equal texts have equal ranks, a missing text has 0. Binary order, as SQLite compares.
    pub(super) fn texts(&self, incidents: &Table<Incident>, column: TextColumn) -> &[u32] {
        self.columns[column as usize]
            .get_or_init(|| ranked(incidents.iter().map(|(i, incident)| (i, column.of(incident)))))
    }

    /// Ranks of the folders by name.
    pub(super) fn folders(&self, folders: &Table<Folder>) -> &[u32] {
        self.folders.get_or_init(|| ranked(folders.iter().map(|(index, folder)| (index, Some(folder.name.as_str())))))
    }

    /// Makes everything now, so that the first request need not wait for it.
    pub(super) fn prepare(&self, incidents: &Table<Incident>, folders: &Table<Folder>) {
        for column in [TextColumn::Name, TextColumn::Description, TextColumn::RefId, TextColumn::Link] {
            self.texts(incidents, column);
        }
        self.folders(folders);
        self.lowered(incidents);
    }

    fn lowered(&self, incidents: &Table<Incident>) -> &Lowered {
        self.lowered.get_or_init(|| {
            let mut lowered = Lowered { text: String::new(), ends: Vec::new() };
            for (index, incident) in incidents.iter() {
                lowered.ends.resize(index as usize, lowered.text.len());
                for part in [&*incident.name, &*incident.ref_id, incident.description.as_deref().unwrap_or_default()] {
                    lowered.text.push('\0');
                    lowered.text.push_str(part);
                }
                lowered.ends.push(lowered.text.len());
            }
            lowered.text.make_ascii_lowercase();
            lowered
        })
    }

    /// What a search looks through in the incident at a position, in ASCII lower case (SQLite's LIKE ignores the case
    /// of ASCII letters only).
    pub(super) fn searched(&self, incidents: &Table<Incident>, index: Index) -> &str {
        let lowered = self.lowered(incidents);
        let index = index as usize;
        let start = index.checked_sub(1).map_or(0, |before| lowered.ends[before]);
        &lowered.text[start..lowered.ends[index]]
    }
}

fn ranked<'a>(texts: impl Iterator<Item = (Index, Option<&'a str>)>) -> Vec<u32> {
    let mut texts: Vec<(Option<&str>, Index)> = texts.map(|(index, text)| (text, index)).collect();
    texts.sort_unstable();
    let mut ranks = vec![0; texts.iter().map(|&(_, index)| index as usize + 1).max().unwrap_or(0)];
    let (mut rank, mut last) = (0, None);
    for (text, index) in texts {
        if text != last {
            rank += 1;
            last = text;
        }
        ranks[index as usize] = rank;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_equal_ranks_and_missing_ones_zero() {
        let texts = [Some("b"), None, Some(""), Some("a"), Some("b"), Some("B")];
        let ranks = ranked(texts.into_iter().enumerate().map(|(index, text)| (index as Index, text)));
        assert_eq!(ranks, [4, 0, 1, 3, 4, 2]);
    }
}
