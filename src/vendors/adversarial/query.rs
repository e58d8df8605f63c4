//! From our tests and orders to the parameters of the list, and from a window of rows to a numbered page. Pure.
//!
//! Every parameter only narrows: one that may leave out what matches (a value that cannot be said) is not sent at all.

use super::config::{Arrays, OrderBy};
use super::wire::number;
use super::words::{OBJECTIVES, SEVERITIES, STATUSES};
use crate::{
    domain::{
        IncidentOrderField, Key, NativeId, Order, OrderDirection, OwnerRef, Search, SourceName, TagRef, Test, TextTest,
        TimeField, TimeRange,
    },
    upstream::uri,
};
use chrono::{SecondsFormat, TimeZone, Utc};

/// No incident can pass.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NothingMatches;

/// Parameters with their values.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// Any of the values.
    arrays: Vec<(&'static str, Vec<String>)>,
    single: Vec<(&'static str, String)>,
}

impl Query {
    /// The parameters for tests that must all hold.
    pub(super) fn new(tests: &[Test], source: &SourceName) -> Result<Query, NothingMatches> {
        let mut query = Query::default();
        for test in tests {
            query.add(test, source)?;
        }
        Ok(query)
    }

    fn add(&mut self, test: &Test, source: &SourceName) -> Result<(), NothingMatches> {
        match test {
            // Null is a severity too, and OTHER any new word: neither can be asked for.
            Test::Severity(all) => self.words("severity", all, &SEVERITIES),
            Test::Status(all) => self.words("status", all, &STATUSES),
            Test::Origins(all) => self.any("source", all.clone()),
            Test::References(all) => self.any("id", all.iter().filter(|id| number(id).is_some()).cloned().collect()),
            Test::Threats(keys) => {
                self.known("threat_objectives", natives(keys.iter(), source), |word| OBJECTIVES.contains(&word))
            }
            Test::Owners(all) => self.known("assigned_to", owners(all, source), is_uuid),
            Test::CreatedBy(all) => self.known("opened_by", owners(all, source), is_uuid),
            Test::Tags(all) => self.known("tags", tags(all, source), is_uuid),
            Test::Title(text) => self.text("title_contains", text),
            Test::Description(text) => self.text("description_contains", text),
            Test::Search(search) => self.search(search),
            Test::Time(field, range) => self.range(*field, *range),
            _ => Ok(()),
        }
    }

    fn words<T: PartialEq>(
        &mut self,
        name: &'static str,
        all: &[T],
        known: &[(T, &'static str)],
    ) -> Result<(), NothingMatches> {
        let word = |value: &T| known.iter().find(|(other, _)| other == value).map(|(_, word)| (*word).to_owned());
        match all.iter().map(word).collect::<Option<Vec<String>>>() {
            Some(words) => self.any(name, words),
            None => Ok(()),
        }
    }

    /// Values of which the server would refuse an unfit one, with all the others.
    fn known(
        &mut self,
        name: &'static str,
        values: Vec<String>,
        fits: impl Fn(&str) -> bool,
    ) -> Result<(), NothingMatches> {
        match values.iter().all(|value| fits(value)) {
            true => self.any(name, values),
            false => Ok(()),
        }
    }

    fn any(&mut self, name: &'static str, mut values: Vec<String>) -> Result<(), NothingMatches> {
        values.sort_unstable();
        values.dedup();
        if values.is_empty() {
            return Err(NothingMatches);
        }
        // Two tests of one parameter must both hold, which the server would read as alternatives: one narrows enough.
        if !self.arrays.iter().any(|(other, _)| *other == name) {
            self.arrays.push((name, values));
        }
        Ok(())
    }

    fn text(&mut self, name: &'static str, text: &TextTest) -> Result<(), NothingMatches> {
        let equal = text.equal().filter(|all| all.len() == 1).and_then(<[String]>::first);
        if let Some(part) = text.contained().or(equal.map(String::as_str)).filter(|part| !part.is_empty()) {
            self.single.push((name, part.to_owned()));
        }
        Ok(())
    }

    /// The longest word is enough to narrow: how several would be taken is in no document.
    fn search(&mut self, search: &Search) -> Result<(), NothingMatches> {
        let longest = search.terms().iter().max_by_key(|term| term.len());
        self.single.extend(longest.map(|term| ("free_text", term.clone())));
        Ok(())
    }

    /// A range of two, both ends taken in: a moment more than is asked for.
    fn range(&mut self, field: TimeField, range: TimeRange) -> Result<(), NothingMatches> {
        let name = match field {
            TimeField::Created => "created_date",
            TimeField::Updated => "updated_date",
            TimeField::Detected => "detected_date",
            TimeField::Occurred => "occurred_date",
            TimeField::Responded => "responded_date",
            TimeField::Contained => "contained_date",
            TimeField::StatusChanged | TimeField::Reported | TimeField::Resolved | TimeField::Due => return Ok(()),
        };
        let end = |year, month, day| Utc.with_ymd_and_hms(year, month, day, 0, 0, 0).single();
        let (Some(first), Some(last)) = (end(1, 1, 1), end(9999, 12, 31)) else { return Ok(()) };
        let written =
            |time: chrono::DateTime<Utc>| time.clamp(first, last).to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let (since, until) = (range.since.unwrap_or(first), range.until.unwrap_or(last));
        if since >= until {
            return Err(NothingMatches);
        }
        self.arrays.push((name, vec![written(since), written(until)]));
        Ok(())
    }

    /// Everything as a query string, encoded.
    pub(super) fn write(&self, arrays: Arrays) -> String {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, values) in &self.arrays {
            match arrays {
                Arrays::Repeated => pairs.extend(values.iter().map(|value| ((*name).to_owned(), value.clone()))),
                Arrays::Brackets => pairs.extend(values.iter().map(|value| (format!("{name}[]"), value.clone()))),
                // A comma inside a value would part it.
                Arrays::Commas if values.iter().any(|value| value.contains(',')) => {}
                Arrays::Commas => pairs.push(((*name).to_owned(), values.join(","))),
            }
        }
        pairs.extend(self.single.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        uri::query(pairs)
    }

    /// One parameter with several values.
    pub(super) fn of(name: &'static str, values: Vec<String>) -> Query {
        Query { arrays: vec![(name, values)], single: Vec::new() }
    }
}

/// Orders by a time that every incident has: where nulls stand is in no document.
pub(super) const ORDERS: [(IncidentOrderField, &str); 3] = [
    (IncidentOrderField::CreatedAt, "created_date"),
    (IncidentOrderField::UpdatedAt, "updated_date"),
    (IncidentOrderField::DetectedAt, "detected_date"),
];

/// The order as the server takes it; none for one that the capabilities do not offer.
pub(super) fn order_by(order: Order, how: OrderBy) -> Option<String> {
    let (_, field) = ORDERS.iter().find(|(field, _)| *field == order.field)?;
    match (how, order.direction) {
        (OrderBy::Off, _) => None,
        (OrderBy::Words | OrderBy::Minus, OrderDirection::Asc) => Some((*field).to_owned()),
        (OrderBy::Words, OrderDirection::Desc) => Some(format!("{field} desc")),
        (OrderBy::Minus, OrderDirection::Desc) => Some(format!("-{field}")),
    }
}

/// A numbered page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// From 1 on.
    pub(super) page: u64,
    pub(super) size: usize,
    /// Rows at its beginning that are not wanted.
    pub(super) skip: usize,
}

impl Window {
    /// How many rows there are at least, if the page has `sent`.
    pub(super) fn end(self, sent: usize) -> u64 {
        if sent == 0 { 0 } else { (self.page - 1).saturating_mul(self.size as u64).saturating_add(sent as u64) }
    }
}

/// The page that holds the row at `offset`, where all pages have the server's own size.
pub(super) fn fixed(offset: u64, size: usize) -> Window {
    let size = size.max(1);
    let skip = usize::try_from(offset % size as u64).unwrap_or_default();
    Window { page: offset / size as u64 + 1, size, skip }
}

/// The page that begins with the row at `offset`, or else the one that holds it: it may then give fewer rows than `limit`.
pub(super) fn window(offset: u64, limit: usize, max_size: usize) -> Window {
    let (limit, max) = (limit.clamp(1, max_size.max(1)), max_size.max(1));
    let size = if offset.is_multiple_of(limit as u64) { limit } else { max };
    let skip = usize::try_from(offset % size as u64).unwrap_or_default();
    Window { page: offset / size as u64 + 1, size, skip }
}

fn is_uuid(id: &str) -> bool {
    NativeId::new(id).is_uuid()
}

/// The native ids of this source's keys.
fn natives<'a>(keys: impl Iterator<Item = &'a Key>, source: &SourceName) -> Vec<String> {
    keys.filter(|key| key.source == *source).map(|key| key.native.to_string()).collect()
}

fn owners(all: &[OwnerRef], source: &SourceName) -> Vec<String> {
    let keys = all.iter().filter_map(|owner| match owner {
        OwnerRef::Key(key) => Some(key),
        // To be looked up before.
        OwnerRef::Email(_) | OwnerRef::SourceId(_) => None,
    });
    natives(keys, source)
}

fn tags(all: &[TagRef], source: &SourceName) -> Vec<String> {
    let keys = all.iter().filter_map(|tag| match tag {
        TagRef::Key(key) => Some(key),
        TagRef::Name(_) => None,
    });
    natives(keys, source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{IncidentStatus, Severity};

    fn text(tests: &[Test], arrays: Arrays) -> Result<String, NothingMatches> {
        Query::new(tests, &SourceName::new("adv")).map(|query| query.write(arrays))
    }

    fn key(source: &str, native: &str) -> Key {
        Key::new(&SourceName::new(source), native)
    }

    #[test]
    fn several_values_are_written_as_configured() {
        let tests = [
            Test::Status(vec![IncidentStatus::Review, IncidentStatus::InProgress]),
            Test::Origins(vec!["a&b, c".into()]),
            Test::Title(TextTest::new(Some("x y"), None, None)),
        ];
        for (arrays, expected) in [
            (Arrays::Repeated, "status=In%20Progress&status=Review&source=a%26b,%20c&title_contains=x%20y"),
            (
                Arrays::Brackets,
                "status%5B%5D=In%20Progress&status%5B%5D=Review&source%5B%5D=a%26b,%20c&title_contains=x%20y",
            ),
            (Arrays::Commas, "status=In%20Progress,Review&title_contains=x%20y"),
        ] {
            assert_eq!(text(&tests, arrays).as_deref(), Ok(expected), "{arrays:?}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_not_said_and_what_cannot_match_not_asked() {
        let uuid = "c2a6a0ce-8c53-4a0a-8a55-2d7e0f6f9b42";
        let owners =
            |natives: &[&str]| Test::Owners(natives.iter().map(|native| OwnerRef::Key(key("adv", native))).collect());
        for (test, expected) in [
            (Test::Severity(vec![Severity::High, Severity::Unknown]), Ok("")),
            (Test::Severity(vec![Severity::High, Severity::Minor]), Ok("")),
            (Test::Status(vec![IncidentStatus::Other]), Ok("")),
            (owners(&[uuid]), Ok("assigned_to=c2a6a0ce-8c53-4a0a-8a55-2d7e0f6f9b42")),
            (owners(&[uuid, "a@b"]), Ok("")),
            (Test::Owners(vec![OwnerRef::Key(key("other", uuid))]), Err(NothingMatches)),
            (Test::Threats(vec![key("adv", "Fraud"), key("adv", "Fraud")]), Ok("threat_objectives=Fraud")),
            (Test::Threats(vec![key("adv", "Fraud"), key("adv", "New")]), Ok("")),
            (Test::References(vec!["INC-00001".into(), "x".into()]), Ok("id=INC-00001")),
            (Test::References(vec!["x".into()]), Err(NothingMatches)),
            (Test::Search(Search::parse("a longest b")), Ok("free_text=longest")),
            (Test::Search(Search::parse(" ")), Ok("")),
            (Test::Published(true), Ok("")),
        ] {
            let shown = format!("{test:?}");
            assert_eq!(text(&[test], Arrays::Repeated), expected.map(str::to_owned), "{shown}");
        }
    }

    #[test]
    fn a_range_has_two_ends_and_never_leaves_out_what_matches() {
        let time = |text: &str| Some(chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc());
        let range =
            |since, until| text(&[Test::Time(TimeField::Created, TimeRange { since, until })], Arrays::Repeated);
        let (a, b) = (time("2026-01-01T00:00:00.0000005Z"), time("2026-01-01T02:00:00+01:00"));
        assert_eq!(
            range(a, b).as_deref(),
            Ok("created_date=2026-01-01T00:00:00.000000500Z&created_date=2026-01-01T01:00:00Z")
        );
        assert_eq!(
            range(a, None).as_deref(),
            Ok("created_date=2026-01-01T00:00:00.000000500Z&created_date=9999-12-31T00:00:00Z")
        );
        assert_eq!(
            range(None, b).as_deref(),
            Ok("created_date=0001-01-01T00:00:00Z&created_date=2026-01-01T01:00:00Z")
        );
        assert_eq!(range(b, a), Err(NothingMatches));
    }

    #[test]
    fn a_window_holds_the_row_it_is_made_for() {
        for max in [1, 7, 100] {
            for limit in [1, 3, 25, 100, 500] {
                for offset in 0..300 {
                    let Window { page, size, skip } = window(offset, limit, max);
                    assert!(size <= max && skip < size && size > 0);
                    assert_eq!((page - 1) * size as u64 + skip as u64, offset, "{offset} {limit} {max}");
                }
            }
        }
        assert_eq!(window(50, 25, 100), Window { page: 3, size: 25, skip: 0 });
    }
}
