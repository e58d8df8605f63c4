//! From our tests and orders to the server's filters and sorts, exact to the meaning. Pure.
//!
//! Filters must all hold; there is no “or”. Of one field there may be several.

use super::words::{CLOUD_MANAGEMENTS, INTEGRATIONS, STATUSES};
use crate::domain::{
    Incident, IncidentOrderField, IncidentStatus, Order, OrderDirection, Test, TextTest, Time, TimeField, TimeRange,
};
use serde_json::{Value, json};

/// Why there are no filters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoQuery {
    /// No incident can pass.
    NothingMatches,
    /// A test that the capabilities do not allow.
    NotPossible,
}

/// The filters for tests that must all hold.
pub(super) fn filters(tests: &[Test]) -> Result<Vec<Value>, NoQuery> {
    let mut all = Vec::new();
    for test in tests {
        match test {
            Test::Status(values) => statuses(values, &mut all),
            Test::Origins(values) => all.push(any_of("alert_sources", values.iter().map(String::as_str))?),
            Test::CloudManagement(values) => {
                let known = CLOUD_MANAGEMENTS.iter().filter(|(value, _)| values.contains(value));
                all.push(any_of("cloud_management_status", known.map(|(_, word)| *word))?);
            }
            Test::CloudIntegrations(values) => {
                // The server refuses others, and has no incidents with them.
                let known = values.iter().map(String::as_str).filter(|value| INTEGRATIONS.contains(value));
                all.push(any_of("integration_source", known)?);
            }
            Test::Starred(wanted) => all.push(filter("starred", "eq", json!(wanted))),
            Test::ComputedDescription(text) => description(text, &mut all)?,
            Test::Time(TimeField::Created, range) => times("creation_time", *range, &mut all)?,
            Test::Time(TimeField::Updated, range) => times("modification_time", *range, &mut all)?,
            _ => return Err(NoQuery::NotPossible),
        }
    }
    Ok(all)
}

/// One condition.
pub(super) fn filter(field: &str, operator: &str, value: Value) -> Value {
    json!({ "field": field, "operator": operator, "value": value })
}

fn any_of<'a>(field: &str, values: impl Iterator<Item = &'a str>) -> Result<Value, NoQuery> {
    let values: Vec<&str> = values.collect();
    if values.is_empty() { Err(NoQuery::NothingMatches) } else { Ok(filter(field, "in", json!(values))) }
}

/// A single status is asked for by its word. Of several, those that are not wanted are left out one by one; that lets
/// words pass which are in no document, and so does not say exactly the same.
fn statuses(wanted: &[IncidentStatus], all: &mut Vec<Value>) {
    let only = |status| wanted.iter().all(|other| *other == status);
    match STATUSES.iter().find(|(status, _)| !wanted.is_empty() && only(*status)) {
        Some((_, word)) => all.push(filter("status", "eq", json!(word))),
        None => {
            let unwanted = STATUSES.iter().filter(|(status, _)| !wanted.contains(status));
            all.extend(unwanted.map(|(_, word)| filter("status", "neq", json!(word))));
        }
    }
}

fn description(text: &TextTest, all: &mut Vec<Value>) -> Result<(), NoQuery> {
    if text.has_pattern() {
        return Err(NoQuery::NotPossible);
    }
    if let Some(part) = text.contained() {
        all.push(filter("description", "contains", json!(part)));
    }
    if let Some(whole) = text.equal() {
        all.push(any_of("description", whole.iter().map(String::as_str))?);
    }
    Ok(())
}

/// `since` inclusive and `until` exclusive, in whole milliseconds, which is all that the server stores; both its ends
/// are inclusive.
fn times(field: &str, range: TimeRange, all: &mut Vec<Value>) -> Result<(), NoQuery> {
    let since = range.since.map(ceiling);
    let last = range.until.map(|until| ceiling(until) - 1);
    match (since, last) {
        (None, None) => return Err(NoQuery::NotPossible),
        (Some(since), Some(last)) if since > last => return Err(NoQuery::NothingMatches),
        _ => {}
    }
    all.extend(since.map(|since| filter(field, "gte", json!(since))));
    all.extend(last.map(|last| filter(field, "lte", json!(last))));
    Ok(())
}

/// The first millisecond that is not before the time.
fn ceiling(time: Time) -> i64 {
    let millis = time.timestamp_millis();
    millis + i64::from(!time.timestamp_subsec_nanos().is_multiple_of(1_000_000))
}

/// How a list is sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sort {
    pub(super) key: SortKey,
    pub(super) direction: OrderDirection,
}

/// What a list is sorted by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum SortKey {
    Created,
    Updated,
    /// The number, which no two incidents share.
    Id,
}

impl Sort {
    /// By id: no two incidents share one and none ever changes, so that nothing changes places between two windows. What is
    /// new comes last; should ids be sorted as text, it may push rows back, which are then met twice.
    pub(super) const BY_ID: Sort = Sort { key: SortKey::Id, direction: OrderDirection::Asc };
    /// By creation, the oldest first, for servers that do not sort by id: nothing comes to the front of what was read. Rows
    /// of one millisecond may change places between two windows.
    pub(super) const BY_CREATION: Sort = Sort { key: SortKey::Created, direction: OrderDirection::Asc };

    /// None for an order that the server does not offer.
    pub(super) fn of(order: Order) -> Option<Sort> {
        let key = match order.field {
            IncidentOrderField::CreatedAt => SortKey::Created,
            IncidentOrderField::UpdatedAt => SortKey::Updated,
            IncidentOrderField::Reference => SortKey::Id,
            _ => return None,
        };
        Some(Sort { key, direction: order.direction })
    }

    fn field(self) -> &'static str {
        match self.key {
            SortKey::Created => "creation_time",
            SortKey::Updated => "modification_time",
            SortKey::Id => "incident_id",
        }
    }

    /// As a request writes it.
    pub(super) fn json(self) -> Value {
        let keyword = match self.direction {
            OrderDirection::Asc => "asc",
            OrderDirection::Desc => "desc",
        };
        json!({ "field": self.field(), "keyword": keyword })
    }

    /// The millisecond that an incident is sorted by; none where it has none, or is sorted by its id.
    pub(super) fn moment(self, incident: &Incident) -> Option<i64> {
        let time = match self.key {
            SortKey::Created => incident.created_at,
            SortKey::Updated => incident.updated_at,
            SortKey::Id => None,
        };
        time.map(|time| time.timestamp_millis())
    }

    /// Filters for what stands at a moment.
    pub(super) fn at(self, moment: i64) -> [Value; 2] {
        [filter(self.field(), "gte", json!(moment)), filter(self.field(), "lte", json!(moment))]
    }

    /// A filter for all that tells the time which is sorted by.
    pub(super) fn dated(self) -> Value {
        filter(self.field(), "gte", json!(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CloudManagement, Search};
    use chrono::DateTime;

    fn written(tests: &[Test]) -> Result<String, NoQuery> {
        let one = |filter: &Value| {
            format!("{} {} {}", filter["field"].as_str().unwrap(), filter["operator"], filter["value"])
        };
        Ok(filters(tests)?.iter().map(one).collect::<Vec<_>>().join("; ").replace('"', ""))
    }

    fn status(wanted: &[IncidentStatus]) -> String {
        written(&[Test::Status(wanted.to_vec())]).unwrap()
    }

    #[test]
    fn a_single_status_is_its_word_and_several_are_the_rest_left_out() {
        use IncidentStatus as S;
        assert_eq!(status(&[S::New]), "status eq new");
        assert_eq!(status(&[S::Resolved, S::Resolved]), "status eq resolved");
        assert_eq!(status(&[S::New, S::InProgress]), "status neq resolved");
        assert_eq!(status(&[S::New, S::Resolved]), "status neq under_investigation");
        assert_eq!(status(&[S::New, S::InProgress, S::Resolved]), "");
        assert_eq!(status(&[S::Other]), "status neq new; status neq under_investigation; status neq resolved");
        assert_eq!(status(&[S::New, S::Other]), "status neq under_investigation; status neq resolved");
    }

    #[test]
    fn ranges_are_exact_to_the_millisecond_in_which_times_are_stored() {
        let time = |text: &str| Some(DateTime::parse_from_rfc3339(text).unwrap().to_utc());
        let range = |since, until| written(&[Test::Time(TimeField::Created, TimeRange { since, until })]);
        let (a, b) = (time("2023-06-29T00:53:20Z"), time("2023-06-29T00:53:20.0005Z"));
        assert_eq!(range(a, None).unwrap(), "creation_time gte 1688000000000");
        assert_eq!(range(b, None).unwrap(), "creation_time gte 1688000000001");
        assert_eq!(range(None, a).unwrap(), "creation_time lte 1687999999999");
        assert_eq!(range(None, b).unwrap(), "creation_time lte 1688000000000");
        assert_eq!(range(a, b).unwrap(), "creation_time gte 1688000000000; creation_time lte 1688000000000");
        assert_eq!(range(b, b), Err(NoQuery::NothingMatches));
        assert_eq!(range(a, a), Err(NoQuery::NothingMatches));
        assert_eq!(range(None, None), Err(NoQuery::NotPossible));
        assert_eq!(range(time("1969-12-31T23:59:59.9995Z"), None).unwrap(), "creation_time gte 0");
    }

    #[test]
    fn words_go_as_the_document_writes_them_and_unknown_ones_not_at_all() {
        let cloud = [CloudManagement::Managed, CloudManagement::NotApplicable, CloudManagement::Other];
        assert_eq!(
            written(&[Test::CloudManagement(cloud.to_vec())]).unwrap(),
            "cloud_management_status in [Managed Cloud,Not Applicable]"
        );
        assert_eq!(written(&[Test::CloudManagement(vec![CloudManagement::Other])]), Err(NoQuery::NothingMatches));
        let clouds = vec!["AWS".to_owned(), "OTHER".to_owned()];
        assert_eq!(written(&[Test::CloudIntegrations(clouds)]).unwrap(), "integration_source in [AWS]");
        assert_eq!(written(&[Test::CloudIntegrations(vec!["aws".into()])]), Err(NoQuery::NothingMatches));
        assert_eq!(written(&[Test::Origins(vec!["ASM".into()])]).unwrap(), "alert_sources in [ASM]");
        assert_eq!(written(&[Test::Starred(false)]).unwrap(), "starred eq false");
        let text = TextTest::new(Some("SSH"), Some(&["A b".to_owned()]), None);
        let expected = "description contains ssh; description in [a b]";
        assert_eq!(written(&[Test::ComputedDescription(text)]).unwrap(), expected);
        assert_eq!(written(&[Test::Search(Search::parse("x"))]), Err(NoQuery::NotPossible));
    }
}
