//! The parts of a list's rows that are large and seldom looked at, and rows without them: for whoever keeps many.

use super::{Details, Incident, RecordKind};
use std::sync::Arc;

/// Parts of rows, beside what every row keeps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct RowParts {
    texts: bool,
    told: bool,
    /// A bit for each kind.
    records: u16,
}

impl RowParts {
    /// What every row keeps, alone.
    pub const NONE: RowParts = RowParts { texts: false, told: false, records: 0 };
    /// Long texts: both descriptions, notes, and the reasons of severity and resolution.
    pub const TEXTS: RowParts = RowParts { texts: true, ..RowParts::NONE };
    /// Details that the row told ([`Incident::told`]).
    pub const TOLD: RowParts = RowParts { told: true, ..RowParts::NONE };
    /// Nothing is left out.
    pub const ALL: RowParts = RowParts { texts: true, told: true, records: u16::MAX };

    /// Records of this kind that the row told in full ([`Incident::embedded`]).
    pub const fn records(kind: RecordKind) -> Self {
        RowParts { records: 1 << kind as u16, ..RowParts::NONE }
    }

    /// Whether records of this kind belong to it.
    pub const fn has(self, kind: RecordKind) -> bool {
        self.records & Self::records(kind).records != 0
    }

    /// What belongs to either.
    pub const fn or(self, other: RowParts) -> Self {
        RowParts {
            texts: self.texts || other.texts,
            told: self.told || other.told,
            records: self.records | other.records,
        }
    }
}

impl Incident {
    /// Leaves out all parts but these. Links stay, with the names in them: what they lead to can be asked for.
    pub fn keep(&mut self, parts: RowParts) {
        if !parts.texts {
            let texts = [&mut self.description, &mut self.computed_description, &mut self.notes];
            texts.into_iter().for_each(|text| *text = None);
            (self.severity_reasoning, self.resolution_comment) = (None, None);
        }
        let without_evidence = |told: Arc<Details>| match told.evidence {
            Some(_) if !parts.has(RecordKind::Evidence) => {
                Arc::new(Details { evidence: None, evidence_total: None, ..Arc::unwrap_or_clone(told) })
            }
            _ => told,
        };
        self.told = self.told.take().filter(|_| parts.told).map(without_evidence);
        self.embedded.retain(|record| parts.has(record.kind()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_records_are_told_apart() {
        for kind in RecordKind::ALL {
            for other in RecordKind::ALL {
                assert_eq!(RowParts::records(kind).has(other), kind == other);
                assert!(RowParts::records(kind).or(RowParts::records(other)).has(other));
            }
            assert!(RowParts::ALL.has(kind) && !RowParts::default().has(kind));
        }
    }
}
