//! In which order incidents stand: a total order, the same whoever sorts.

use super::{Incident, IncidentOrderField, IncidentStatus, Key, OrderDirection, Severity, Text, Time};
use std::cmp::Ordering;

/// A field and a direction. Nulls come last in both; ties are broken by source, then native id, both ascending.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Order {
    pub field: IncidentOrderField,
    pub direction: OrderDirection,
}

impl Default for Order {
    /// Newest first: created times do not move.
    fn default() -> Self {
        Order { field: IncidentOrderField::CreatedAt, direction: OrderDirection::Desc }
    }
}

/// What an incident is sorted by: a value that compares with others of the same order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SortKey {
    /// Microseconds since 1970: nanoseconds would leave out what lies before 1677 or after 2262. Finer parts are not told
    /// apart; no source has any.
    Time(i64),
    /// Position in a vocabulary, from the least to the greatest.
    Rank(u8),
    /// Text made so that it compares byte by byte.
    Text(Box<str>),
}

/// Where an incident stands: its key in the order, then who it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Position {
    /// None is a null, which comes last.
    pub sort: Option<SortKey>,
    pub key: Key,
}

impl Order {
    /// What the incident is sorted by; `None` for a null.
    pub fn sort_key(self, incident: &Incident) -> Option<SortKey> {
        use IncidentOrderField as F;
        let time = |time: &Option<Time>| time.map(|time| SortKey::Time(time.timestamp_micros()));
        match self.field {
            F::CreatedAt => time(&incident.created_at),
            F::UpdatedAt => time(&incident.updated_at),
            F::OccurredAt => time(&incident.occurred_at),
            F::DetectedAt => time(&incident.detected_at),
            F::ReportedAt => time(&incident.reported_at),
            F::ResolvedAt => time(&incident.resolved_at),
            F::DueAt => time(&incident.due_at),
            F::Severity => Some(SortKey::Rank(severity_rank(incident.severity))),
            F::Status => Some(SortKey::Rank(status_rank(incident.status))),
            F::Title => incident.title.as_ref().map(|title| SortKey::Text(title.to_lowercase().into())),
            F::Reference => incident.reference.as_ref().map(|reference| SortKey::Text(numbers_as_numbers(reference))),
        }
    }

    /// Where the incident stands in this order.
    pub fn position(self, incident: &Incident) -> Position {
        Position { sort: self.sort_key(incident), key: incident.key.clone() }
    }

    /// Compares two positions of this order.
    pub fn compare(self, a: &Position, b: &Position) -> Ordering {
        self.compare_keys(a.sort.as_ref(), b.sort.as_ref()).then_with(|| a.key.cmp(&b.key))
    }

    /// Compares two sort keys of this order, without breaking ties.
    pub fn compare_keys(self, a: Option<&SortKey>, b: Option<&SortKey>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => match self.direction {
                OrderDirection::Asc => a.cmp(b),
                OrderDirection::Desc => b.cmp(a),
            },
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }
}

/// From the least severe on: UNKNOWN is lowest.
fn severity_rank(severity: Severity) -> u8 {
    match severity {
        Severity::Unknown => 0,
        Severity::Informational => 1,
        Severity::Low => 2,
        Severity::Minor => 3,
        Severity::Medium => 4,
        Severity::High => 5,
        Severity::Critical => 6,
    }
}

/// In the order of a life.
fn status_rank(status: IncidentStatus) -> u8 {
    match status {
        IncidentStatus::New => 0,
        IncidentStatus::InProgress => 1,
        IncidentStatus::OnHold => 2,
        IncidentStatus::Review => 3,
        IncidentStatus::Resolved => 4,
        IncidentStatus::Closed => 5,
        IncidentStatus::Dismissed => 6,
        IncidentStatus::Other => 7,
    }
}

/// Text that compares byte by byte as people read it: letter case ignored, runs of digits by their value.
///
/// A run becomes a digit (so that it stands among digits), its length without leading zeros as one character, and its digits.
fn numbers_as_numbers(text: &str) -> Text {
    let folded = text.to_lowercase();
    let mut out = String::with_capacity(folded.len() + 8);
    let mut rest = folded.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, run) = rest.split_at(start);
        let end = run.find(|c: char| !c.is_ascii_digit()).unwrap_or(run.len());
        let digits = run[..end].trim_start_matches('0');
        out.push_str(before);
        out.push('0');
        // Lengths below 0xD000 are all characters; a longer run of digits is no reference.
        out.push(
            u32::try_from(digits.len()).ok().and_then(|length| char::from_u32(length.min(0xCFFF))).unwrap_or('\0'),
        );
        out.push_str(digits);
        rest = &run[end..];
    }
    out.push_str(rest);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{SourceKind, SourceName};

    fn incident(id: &str, reference: Option<&str>) -> Incident {
        let mut incident = Incident::new(Key::new(&SourceName::new("a"), id), SourceKind::CisoAssistant);
        incident.reference = reference.map(Into::into);
        incident
    }

    fn sorted(references: &[Option<&str>], direction: OrderDirection) -> Vec<Option<String>> {
        let order = Order { field: IncidentOrderField::Reference, direction };
        let mut all: Vec<Incident> =
            references.iter().enumerate().map(|(i, text)| incident(&i.to_string(), *text)).collect();
        all.sort_by(|a, b| order.compare(&order.position(a), &order.position(b)));
        all.into_iter().map(|incident| incident.reference.map(String::from)).collect()
    }

    #[test]
    fn references_compare_numbers_as_numbers_and_nulls_come_last() {
        let some = |texts: &[&str]| texts.iter().map(|text| Some((*text).to_owned())).collect::<Vec<_>>();
        let given =
            [Some("INC-10"), None, Some("inc-9"), Some("INC-009b"), Some("A"), Some("INC-2-3"), Some("INC-2-12")];
        let mut ascending = some(&["A", "INC-2-3", "INC-2-12", "inc-9", "INC-009b", "INC-10"]);
        ascending.push(None);
        assert_eq!(sorted(&given, OrderDirection::Asc), ascending);
        let mut descending = some(&["INC-10", "INC-009b", "inc-9", "INC-2-12", "INC-2-3", "A"]);
        descending.push(None);
        assert_eq!(sorted(&given, OrderDirection::Desc), descending);
    }

    #[test]
    fn ties_are_broken_by_id_in_both_directions() {
        for direction in [OrderDirection::Asc, OrderDirection::Desc] {
            let order = Order { field: IncidentOrderField::Severity, direction };
            let (a, b) = (order.position(&incident("1", None)), order.position(&incident("2", None)));
            assert_eq!(order.compare(&a, &b), Ordering::Less);
        }
    }
}
