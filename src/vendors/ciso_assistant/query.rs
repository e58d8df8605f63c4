//! From our tests to the parameters of the list. Pure.
//!
//! Only parameters that the release knows may come out of here: it ignores others, and answers with everything.

use super::map::{APPLIED_CONTROLS, ENTITIES, RISK_SCENARIOS, TASK_TEMPLATES};
use super::words::{self, DETECTIONS, SEVERITIES, STATUSES};
use crate::{
    domain::{
        IncidentOrderField, Key, NativeId, Order, OrderDirection, OwnerRef, Search, SourceName, TagRef, Test,
        TimeField, TimeRange,
    },
    upstream::uri,
};
use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Timelike, Utc};

/// The filter part of a list.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Query {
    /// Parameters whose values are ours or checked.
    pub(super) fixed: Vec<(&'static str, String)>,
    /// Parameters whose values are ids: an unknown one is refused by the server, with all the rest.
    pub(super) linked: Vec<Linked>,
}

/// A parameter with ids as its values; one of them has to be linked to the incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Linked {
    pub(super) parameter: &'static str,
    pub(super) ids: Vec<NativeId>,
}

/// Why there is no query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoQuery {
    /// No incident can pass.
    NothingMatches,
    /// A test that the capabilities do not allow, or two of one field.
    NotPossible,
}

impl Query {
    /// The parameters for tests that must all hold.
    pub(super) fn new(tests: &[Test], source: &SourceName) -> Result<Query, NoQuery> {
        let mut query = Query::default();
        for (place, test) in tests.iter().enumerate() {
            // Values of one parameter are alternatives: two tests of one field cannot be told apart.
            if tests[..place].iter().any(|other| other.field() == test.field()) {
                return Err(NoQuery::NotPossible);
            }
            query.add(test, source)?;
        }
        Ok(query)
    }

    fn add(&mut self, test: &Test, source: &SourceName) -> Result<(), NoQuery> {
        match test {
            Test::Severity(values) => self.choices("severity", words::codes(&SEVERITIES, values)),
            Test::Status(values) => self.choices("status", words::codes(&STATUSES, values)),
            Test::Detection(values) => self.choices("detection", words::codes(&DETECTIONS, values)),
            Test::Scopes(keys) => self.links("folder", natives(keys, source)),
            Test::Assets(keys) => self.links("assets", natives(keys, source)),
            Test::Qualifications(keys) => self.links("qualifications", natives(keys, source)),
            Test::Entities(keys) => self.links("entities", members(keys, source, ENTITIES)),
            Test::Owners(owners) => self.links("owners", owner_ids(owners, source)?),
            Test::Tags(tags) => self.links("filtering_labels", tag_ids(tags, source)?),
            Test::RelatedRecords(keys) => self.related_records(keys, source),
            Test::Search(search) => self.search(search),
            Test::Time(TimeField::Created, range) => self.range(["created_at__gte", "created_at__lt"], *range),
            Test::Time(TimeField::Updated, range) => self.range(["updated_at__gte", "updated_at__lt"], *range),
            _ => Err(NoQuery::NotPossible),
        }
    }

    fn choices(&mut self, parameter: &'static str, codes: Vec<&'static str>) -> Result<(), NoQuery> {
        if codes.is_empty() {
            return Err(NoQuery::NothingMatches);
        }
        self.fixed.extend(codes.into_iter().map(|code| (parameter, code.to_owned())));
        Ok(())
    }

    fn links(&mut self, parameter: &'static str, mut ids: Vec<NativeId>) -> Result<(), NoQuery> {
        // What is no UUID is no id of this server, and would be refused with all the rest.
        ids.retain(NativeId::is_uuid);
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Err(NoQuery::NothingMatches);
        }
        self.linked.push(Linked { parameter, ids });
        Ok(())
    }

    /// Keys of one collection; each collection is a parameter.
    fn related_records(&mut self, keys: &[Key], source: &SourceName) -> Result<(), NoQuery> {
        let collections = [
            (APPLIED_CONTROLS, "applied_controls"),
            (TASK_TEMPLATES, "task_templates"),
            (RISK_SCENARIOS, "risk_scenarios"),
        ];
        let mut found = collections
            .into_iter()
            .map(|(collection, parameter)| (parameter, members(keys, source, collection)))
            .filter(|(_, ids)| !ids.is_empty());
        let Some((parameter, ids)) = found.next() else { return Err(NoQuery::NothingMatches) };
        if found.next().is_some() {
            return Err(NoQuery::NotPossible);
        }
        self.links(parameter, ids)
    }

    /// Every term as a phrase: outside of quotes, commas part terms as blanks do.
    fn search(&mut self, search: &Search) -> Result<(), NoQuery> {
        let terms = search.terms();
        if terms.iter().any(|term| term.contains(['"', '\\'])) {
            return Err(NoQuery::NotPossible);
        }
        // The server stores no such character.
        if terms.iter().any(|term| term.contains('\0')) {
            return Err(NoQuery::NothingMatches);
        }
        if !terms.is_empty() {
            let phrases: Vec<String> = terms.iter().map(|term| format!("\"{term}\"")).collect();
            self.fixed.push(("search", phrases.join(" ")));
        }
        Ok(())
    }

    fn range(&mut self, [gte, lt]: [&'static str; 2], range: TimeRange) -> Result<(), NoQuery> {
        if range.since.is_none() && range.until.is_none() {
            return Err(NoQuery::NotPossible);
        }
        if let (Some(since), Some(until)) = (range.since, range.until)
            && since >= until
        {
            return Err(NoQuery::NothingMatches);
        }
        // The server knows the years 1 to 9999 only, and so do its incidents.
        match range.since.map(ceiling) {
            Some(since) if since.year() > 9_999 => return Err(NoQuery::NothingMatches),
            Some(since) if since.year() >= 1 => self.fixed.push((gte, written(since))),
            _ => {}
        }
        match range.until.map(ceiling) {
            Some(until) if until.year() < 1 => return Err(NoQuery::NothingMatches),
            Some(until) if until.year() <= 9_999 => self.fixed.push((lt, written(until))),
            _ => {}
        }
        Ok(())
    }

    /// Everything as a query string, encoded.
    pub(super) fn text(&self) -> String {
        let fixed = self.fixed.iter().map(|(name, value)| (*name, value.clone()));
        let linked = self.linked.iter().flat_map(|link| link.ids.iter().map(|id| (link.parameter, id.to_string())));
        uri::query(fixed.chain(linked))
    }
}

/// The order as the server takes it; always with a tie-break, without which pages may repeat and miss rows.
/// None for an order that the capabilities do not offer.
pub(super) fn ordering(order: Option<Order>) -> Option<&'static str> {
    use OrderDirection::{Asc, Desc};
    let Some(Order { field, direction }) = order else { return Some("created_at,id") };
    match (field, direction) {
        (IncidentOrderField::CreatedAt, Asc) => Some("created_at,id"),
        (IncidentOrderField::CreatedAt, Desc) => Some("-created_at,id"),
        (IncidentOrderField::UpdatedAt, Asc) => Some("updated_at,id"),
        (IncidentOrderField::UpdatedAt, Desc) => Some("-updated_at,id"),
        // 1 is critical and 6 unknown: worst first is ascending there.
        (IncidentOrderField::Severity, Desc) => Some("severity,id"),
        (IncidentOrderField::Severity, Asc) => Some("-severity,id"),
        _ => None,
    }
}

/// The native ids of this source's keys.
fn natives(keys: &[Key], source: &SourceName) -> Vec<NativeId> {
    keys.iter().filter(|key| key.source == *source).map(|key| key.native.clone()).collect()
}

/// The ids, without the collection, of those keys that are of this collection.
fn members(keys: &[Key], source: &SourceName, collection: &str) -> Vec<NativeId> {
    natives(keys, source).iter().filter_map(|native| in_collection(native, collection)).collect()
}

/// The id without its collection; none for other collections.
pub(super) fn in_collection(native: &NativeId, collection: &str) -> Option<NativeId> {
    Some(native.to_string().strip_prefix(collection)?.strip_prefix('/')?.into())
}

fn owner_ids(owners: &[OwnerRef], source: &SourceName) -> Result<Vec<NativeId>, NoQuery> {
    let mut keys = Vec::with_capacity(owners.len());
    for owner in owners {
        match owner {
            OwnerRef::Key(key) => keys.push(key.clone()),
            // To be looked up before.
            OwnerRef::Email(_) | OwnerRef::SourceId(_) => return Err(NoQuery::NotPossible),
        }
    }
    Ok(natives(&keys, source))
}

fn tag_ids(tags: &[TagRef], source: &SourceName) -> Result<Vec<NativeId>, NoQuery> {
    let mut keys = Vec::with_capacity(tags.len());
    for tag in tags {
        match tag {
            TagRef::Key(key) => keys.push(key.clone()),
            TagRef::Name(_) => return Err(NoQuery::NotPossible),
        }
    }
    Ok(natives(&keys, source))
}

/// The first microsecond that is not before the time: what is stored has no finer parts, so that a comparison with
/// either gives the same.
fn ceiling(time: DateTime<Utc>) -> DateTime<Utc> {
    match i64::from(time.nanosecond() % 1_000) {
        0 => time,
        over => time.checked_add_signed(TimeDelta::nanoseconds(1_000 - over)).unwrap_or(time),
    }
}

fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Detection, IncidentStatus, Severity, Vocabulary};

    const A: &str = "5f0eea2b-4d2f-4fb0-b81c-129e4d7ad043";
    const B: &str = "86361e0a-7bff-4f01-a54f-5322278bebb9";

    fn source() -> SourceName {
        SourceName::new("ciso")
    }

    fn key(native: &str) -> Key {
        Key::new(&source(), native)
    }

    fn text(tests: &[Test]) -> Result<String, NoQuery> {
        Query::new(tests, &source()).map(|query| query.text())
    }

    fn time(text: &str) -> Option<DateTime<Utc>> {
        Some(DateTime::parse_from_rfc3339(text).unwrap().to_utc())
    }

    #[test]
    fn words_become_codes_and_repeat_the_parameter() {
        let tests = [
            Test::Severity(vec![Severity::Low, Severity::Critical, Severity::Informational]),
            Test::Status(vec![IncidentStatus::InProgress]),
            Test::Detection(vec![Detection::External, Detection::Other]),
        ];
        assert_eq!(text(&tests).unwrap(), "severity=1&severity=5&status=ongoing&detection=externally_detected");
    }

    #[test]
    fn ids_are_canonical_distinct_and_of_this_source() {
        let other = Key::new(&SourceName::new("other"), A);
        let keys = vec![key(B), key(A), key(B), key("not-an-id"), key(&A.to_uppercase()), other.clone()];
        assert_eq!(text(&[Test::Assets(keys)]).unwrap(), format!("assets={A}&assets={B}"));
        assert_eq!(text(&[Test::Scopes(vec![other])]), Err(NoQuery::NothingMatches));
        assert_eq!(text(&[Test::Owners(vec![OwnerRef::Key(key(A))])]).unwrap(), format!("owners={A}"));
        assert_eq!(text(&[Test::Tags(vec![TagRef::Name("x".into())])]), Err(NoQuery::NotPossible));
        assert_eq!(text(&[Test::Entities(vec![key(&format!("entities/{A}"))])]).unwrap(), format!("entities={A}"));
        assert_eq!(text(&[Test::Entities(vec![key(A)])]), Err(NoQuery::NothingMatches));
    }

    #[test]
    fn related_records_are_one_parameter_or_none() {
        let records = |natives: &[&str]| text(&[Test::RelatedRecords(natives.iter().map(|n| key(n)).collect())]);
        let (control, task) = (format!("applied-controls/{A}"), format!("task-templates/{B}"));
        assert_eq!(records(&[&control]).unwrap(), format!("applied_controls={A}"));
        assert_eq!(records(&[&task, "elsewhere/1"]).unwrap(), format!("task_templates={B}"));
        assert_eq!(records(&[&control, &task]), Err(NoQuery::NotPossible));
        assert_eq!(records(&["elsewhere/1", "applied-controls/7"]), Err(NoQuery::NothingMatches));
    }

    #[test]
    fn every_term_is_a_phrase_and_blanks_ask_for_nothing() {
        let search = |typed: &str| text(&[Test::Search(Search::parse(typed))]);
        assert_eq!(search("Web \"a, b\" it's").unwrap(), "search=%22web%22%20%22a,%20b%22%20%22it%27s%22");
        assert_eq!(search("   ").unwrap(), "");
        assert_eq!(search("5\" disk"), Err(NoQuery::NotPossible));
        assert_eq!(search("a\0b"), Err(NoQuery::NothingMatches));
    }

    #[test]
    fn ranges_keep_their_meaning_to_the_microsecond_and_in_far_years() {
        let range =
            |since: Option<_>, until: Option<_>| text(&[Test::Time(TimeField::Created, TimeRange { since, until })]);
        let (a, b) = ("2026-01-01T00:00:00.0000005Z", "2026-01-01T02:00:00+02:00");
        assert_eq!(range(time(a), None).unwrap(), "created_at__gte=2026-01-01T00:00:00.000001Z");
        assert_eq!(range(None, time(b)).unwrap(), "created_at__lt=2026-01-01T00:00:00.000000Z");
        assert_eq!(range(time(b), time(b)), Err(NoQuery::NothingMatches));
        assert_eq!(range(time(a), time(b)), Err(NoQuery::NothingMatches));
        assert_eq!(range(None, None), Err(NoQuery::NotPossible));
        assert_eq!(range(time("0001-01-01T00:00:00Z"), None).unwrap(), "created_at__gte=0001-01-01T00:00:00.000000Z");
        assert_eq!(range(time("0001-01-01T00:00:00+01:00"), None).unwrap(), "");
        assert_eq!(range(None, time("0001-01-01T00:00:00+01:00")), Err(NoQuery::NothingMatches));
        assert_eq!(range(None, time("9999-12-31T23:59:59.9999999Z")).unwrap(), "");
        assert_eq!(range(time("9999-12-31T23:59:59.9999999Z"), None), Err(NoQuery::NothingMatches));
    }

    #[test]
    fn what_the_server_would_ignore_never_becomes_a_parameter() {
        for test in [
            Test::Threats(vec![key(A)]),
            Test::Published(true),
            Test::References(vec!["INC-1".into()]),
            Test::Unassigned(true),
            Test::Time(TimeField::Reported, TimeRange { since: time("2026-01-01T00:00:00Z"), until: None }),
        ] {
            assert_eq!(text(std::slice::from_ref(&test)), Err(NoQuery::NotPossible), "{test:?}");
        }
        let twice = Test::Assets(vec![key(A)]);
        assert_eq!(text(&[twice.clone(), twice]), Err(NoQuery::NotPossible));
    }

    #[test]
    fn orders_always_break_ties() {
        for field in IncidentOrderField::WORDS.iter().map(|word| word.value) {
            for direction in [OrderDirection::Asc, OrderDirection::Desc] {
                assert!(ordering(Some(Order { field, direction })).is_none_or(|text| text.ends_with(",id")));
            }
        }
        assert_eq!(ordering(None), Some("created_at,id"));
        assert_eq!(ordering(Some(Order { field: IncidentOrderField::Title, direction: OrderDirection::Asc })), None);
    }
}
