//! From our tests to the parameters of the list. Pure.

use super::map::With;
use super::words::STATUS_FILTERS;
use crate::{
    domain::{IncidentStatus, NativeId, SourceName, Test, TimeField, TimeRange},
    upstream::uri,
};
use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, TimeZone, Utc};

/// What a list is asked for, apart from the page.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Query {
    /// None: all tenants that the gateway reads.
    pub(super) tenants: Option<Vec<NativeId>>,
    /// Parameters with values of ours.
    fixed: Vec<(&'static str, String)>,
}

/// Why there is no query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoQuery {
    /// No incident can pass.
    NothingMatches,
    /// A test that the capabilities do not allow.
    NotPossible,
}

impl Query {
    /// The parameters for tests that must all hold. `custom`: whether there may be statuses of custom workflows.
    pub(super) fn new(tests: &[Test], source: &SourceName, custom: bool) -> Result<Query, NoQuery> {
        let mut query = Query::default();
        for (place, test) in tests.iter().enumerate() {
            // Values of one parameter are alternatives, so that two tests of one field cannot be told apart; and there is
            // one range for all three times.
            let clashes = |other: &Test| {
                other.field() == test.field() || matches!((other, test), (Test::Time(..), Test::Time(..)))
            };
            if tests[..place].iter().any(clashes) {
                return Err(NoQuery::NotPossible);
            }
            query.add(test, source, custom)?;
        }
        Ok(query)
    }

    fn add(&mut self, test: &Test, source: &SourceName, custom: bool) -> Result<(), NoQuery> {
        match test {
            Test::Status(statuses) => self.statuses(statuses, custom),
            Test::Scopes(keys) => {
                let own = keys.iter().filter(|key| key.source == *source);
                self.tenants = Some(own.map(|key| key.native.clone()).collect());
                Ok(())
            }
            Test::Time(TimeField::Created, range) => self.range("createdAt", *range),
            Test::Time(TimeField::Updated, range) => self.range("updatedAt", *range),
            Test::Time(TimeField::StatusChanged, range) => self.range("statusChangedAt", *range),
            _ => Err(NoQuery::NotPossible),
        }
    }

    fn statuses(&mut self, statuses: &[IncidentStatus], custom: bool) -> Result<(), NoQuery> {
        // No word asks for other statuses: all are read then, and the gateway looks again; which it does not where the
        // filter counts as exact.
        if statuses.contains(&IncidentStatus::Other) {
            return if custom { Ok(()) } else { Err(NoQuery::NotPossible) };
        }
        let words = STATUS_FILTERS.iter().filter(|(_, status)| statuses.contains(status));
        let before = self.fixed.len();
        self.fixed.extend(words.map(|(word, _)| ("status", (*word).to_owned())));
        if self.fixed.len() == before { Err(NoQuery::NothingMatches) } else { Ok(()) }
    }

    /// Times have milliseconds, and both bounds are part of the range: so `from` is the first millisecond that is not
    /// before the beginning, and `to` the last before the end.
    fn range(&mut self, field: &'static str, range: TimeRange) -> Result<(), NoQuery> {
        if range.since.is_none() && range.until.is_none() {
            return Err(NoQuery::NotPossible);
        }
        let from = range.since.map(ceiling);
        let to = range.until.map(|until| ceiling(until) - TimeDelta::milliseconds(1));
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            return Err(NoQuery::NothingMatches);
        }
        // Other years cannot be written, and no incident has them.
        if from.is_some_and(|from| from.year() > 9_999) || to.is_some_and(|to| to.year() < 1) {
            return Err(NoQuery::NothingMatches);
        }
        self.fixed.push(("timestampField", field.to_owned()));
        self.fixed.extend(from.map(|from| ("from", written(from))));
        self.fixed.extend(to.map(|to| ("to", written(to))));
        Ok(())
    }

    /// Everything as a query string, encoded.
    pub(super) fn text(&self, tenants: &[NativeId], page: u64, with: With) -> String {
        let tenants = tenants.iter().map(|id| ("tenantID", id.to_string()));
        let page = [("page", page.to_string())].into_iter();
        let text = uri::query(page.chain(tenants).chain(self.fixed.iter().cloned()));
        text + flags(with)
    }
}

/// What is asked for beside the plain row: there or not, whatever the value.
pub(super) fn flags(with: With) -> &'static str {
    match (with.affected, with.history) {
        (false, false) => "",
        (true, false) => "&withAffected",
        (false, true) => "&withHistory",
        (true, true) => "&withAffected&withHistory",
    }
}

/// The first millisecond that is not before the time.
fn ceiling(time: DateTime<Utc>) -> DateTime<Utc> {
    let floor = TimeDelta::nanoseconds(i64::from(time.timestamp_subsec_nanos() % 1_000_000));
    if floor.is_zero() { time } else { time - floor + TimeDelta::milliseconds(1) }
}

/// As the server reads it, in years that it can.
fn written(time: DateTime<Utc>) -> String {
    let bound = |year, month, day| Utc.with_ymd_and_hms(year, month, day, 0, 0, 0).single().unwrap_or(time);
    let end = bound(10_000, 1, 1) - TimeDelta::milliseconds(1);
    time.clamp(bound(1, 1, 1), end).to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Key;

    fn source() -> SourceName {
        SourceName::new("xdr")
    }

    fn time(text: &str) -> Option<DateTime<Utc>> {
        Some(DateTime::parse_from_rfc3339(text).unwrap().to_utc())
    }

    fn text(tests: &[Test]) -> Result<String, NoQuery> {
        Query::new(tests, &source(), true).map(|query| query.text(&[], 1, With::default()))
    }

    #[test]
    fn new_is_asked_for_as_new_and_other_words_are_not_asked_for() {
        use IncidentStatus as S;
        let statuses = |all: &[IncidentStatus]| text(&[Test::Status(all.to_vec())]);
        assert_eq!(statuses(&[S::Closed, S::New]).unwrap(), "page=1&status=new&status=closed");
        assert_eq!(statuses(&[S::OnHold, S::InProgress, S::Review]).unwrap(), "page=1&status=inProgress&status=hold");
        assert_eq!(statuses(&[S::New, S::Other]).unwrap(), "page=1");
        assert_eq!(statuses(&[S::Review]), Err(NoQuery::NothingMatches));
        let without_custom = |all: &[IncidentStatus]| {
            let query = Query::new(&[Test::Status(all.to_vec())], &source(), false);
            query.map(|query| query.text(&[], 1, With::default()))
        };
        assert_eq!(without_custom(&[S::New]).unwrap(), "page=1&status=new");
        assert_eq!(
            without_custom(&[S::New, S::Other]),
            Err(NoQuery::NotPossible),
            "it must never be left out silently"
        );
        assert_eq!(without_custom(&[S::Other]), Err(NoQuery::NotPossible));
    }

    #[test]
    fn ranges_keep_their_meaning_though_both_bounds_are_inclusive() {
        let range =
            |since: Option<_>, until: Option<_>| text(&[Test::Time(TimeField::Updated, TimeRange { since, until })]);
        let (a, b) = ("2024-01-16T09:56:29.9385Z", "2024-01-16T12:00:00+01:00");
        assert_eq!(range(time(a), None).unwrap(), "page=1&timestampField=updatedAt&from=2024-01-16T09:56:29.939Z");
        assert_eq!(range(None, time(b)).unwrap(), "page=1&timestampField=updatedAt&to=2024-01-16T10:59:59.999Z");
        let both = range(time(a), time("2024-01-16T09:56:29.9395Z")).unwrap();
        assert_eq!(both, "page=1&timestampField=updatedAt&from=2024-01-16T09:56:29.939Z&to=2024-01-16T09:56:29.939Z");
        assert_eq!(range(time(b), time(b)), Err(NoQuery::NothingMatches));
        assert_eq!(range(None, None), Err(NoQuery::NotPossible));
        let early = "0001-01-01T00:00:00+01:00";
        assert_eq!(range(time(early), None).unwrap(), "page=1&timestampField=updatedAt&from=0001-01-01T00:00:00.000Z");
        assert_eq!(range(None, time(early)), Err(NoQuery::NothingMatches));
        let late = "9999-12-31T23:59:59.9999Z";
        assert_eq!(range(time(late), None), Err(NoQuery::NothingMatches));
        assert_eq!(range(None, time(late)).unwrap(), "page=1&timestampField=updatedAt&to=9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn one_range_a_request_and_nothing_that_the_server_would_ignore() {
        let range = TimeRange { since: time("2024-01-01T00:00:00Z"), until: None };
        let created = Test::Time(TimeField::Created, range);
        let changed = Test::Time(TimeField::StatusChanged, range);
        assert_eq!(text(&[created.clone(), changed]), Err(NoQuery::NotPossible));
        assert_eq!(text(&[created.clone(), created]), Err(NoQuery::NotPossible));
        for test in [Test::Unassigned(true), Test::Severity(vec![]), Test::Time(TimeField::Resolved, range)] {
            assert_eq!(text(&[test]), Err(NoQuery::NotPossible));
        }
    }

    #[test]
    fn tenants_and_flags_stand_in_the_query() {
        let key = Key::new(&source(), "a1d2c3b4-1111-4222-8333-444455556666");
        let other = Key::new(&SourceName::new("other"), "b");
        let query = Query::new(&[Test::Scopes(vec![key.clone(), other])], &source(), true).unwrap();
        assert_eq!(query.tenants.as_deref(), Some(&[key.native.clone()][..]));
        let expected = "page=3&tenantID=a1d2c3b4-1111-4222-8333-444455556666&withAffected";
        let with = With { affected: true, history: false };
        assert_eq!(query.text(&[key.native], 3, with), expected);
    }
}
