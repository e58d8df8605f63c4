//! What no document promises: members that are absent or wrong, words that nobody knows, rows that are none.

use super::support::*;
use incident_gateway::{domain::*, source::*};
use serde_json::Value;
use std::sync::Arc;

async fn odd() -> Rows<Arc<Incident>> {
    let (source, _) = fixed("get_incidents_oddities.json");
    let request = ListRequest { tests: vec![], order: None, offset: 0, limit: 50, want: PLAIN };
    source.list(&call(), &request).await.unwrap()
}

fn of<'a>(rows: &'a Rows<Arc<Incident>>, id: &str) -> &'a Incident {
    rows.items.iter().find(|incident| incident.key == key(id)).unwrap_or_else(|| panic!("{id}"))
}

#[tokio::test]
async fn no_record_is_lost_that_has_an_id() {
    let rows = odd().await;
    let mut ids: Vec<String> = rows.items.iter().map(|incident| incident.key.native.to_string()).collect();
    ids.sort();
    assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    // The third and the fourth have broken members, four are no incidents.
    assert_eq!((rows.consumed, rows.malformed, rows.total, rows.more), (9, 6, Some(9), false));
    for id in ["1", "2"] {
        let mut bare = Incident::new(key(id), SourceKind::CortexXpanse);
        bare.reference = Some(id.into());
        assert_eq!(of(&rows, id), &bare);
    }
}

#[tokio::test]
async fn what_can_be_read_of_a_broken_row_is_read() {
    let rows = odd().await;
    let third = of(&rows, "3");
    assert_eq!(third.created_at.unwrap().timestamp_millis(), 1_688_000_000_000);
    assert_eq!((third.status, third.resolution), (IncidentStatus::Resolved, Some(Resolution::Duplicate)));
    assert_eq!((third.severity, third.computed_severity), (Severity::Informational, Some(Severity::Informational)));
    let tags: Vec<_> = third.tags.iter().map(|tag| tag.name.as_deref().unwrap()).collect();
    assert_eq!(tags, ["AR:One", "BU:Two"]);
    let hosts: Vec<_> = third.assets.iter().map(|link| link.asset.name.as_deref().unwrap()).collect();
    assert_eq!(hosts, ["7", "h"]);
    assert_eq!((third.starred, third.exposure.as_ref()), (None, None));
    assert_eq!(third.alert_counts.as_ref().unwrap().total, Some(12));
    assert_eq!(third.threats.len(), 1);
    assert_eq!(third.threats[0].threat.key, key("3/cves/0"));
    let Some(Record::Threat(threat)) = third.embedded.iter().find(|record| record.kind() == RecordKind::Threat) else {
        panic!()
    };
    assert_eq!((threat.cvss, &threat.name), (Some(7.5), &None));
    let fifth = of(&rows, "5");
    assert_eq!(fifth.owners[0].key, key("No Mail"));
    assert_eq!(fifth.assets[0].asset.name.as_deref(), Some("2001:db8::1"));
}

#[tokio::test]
async fn unknown_words_keep_their_text_and_are_no_errors() {
    let rows = odd().await;
    let fourth = of(&rows, "4");
    assert_eq!((fourth.status, fourth.source_status.as_deref()), (IncidentStatus::Other, Some("frozen")));
    assert_eq!((fourth.severity, fourth.source_severity.as_deref()), (Severity::Unknown, Some("apocalyptic")));
    assert_eq!((fourth.manual_severity, fourth.alert_grouping_enabled), (None, None));
    let exposure = fourth.exposure.as_ref().unwrap();
    assert_eq!(exposure.cloud_management, Some(CloudManagement::Other));
    assert_eq!(exposure.source_cloud_management.as_deref(), Some("Lunar Cloud"));
    assert_eq!((&fourth.title, &fourth.resolution_comment, fourth.updated_at), (&None, &None, None));
    let fifth = of(&rows, "5");
    assert_eq!((fifth.status, fifth.resolution), (IncidentStatus::Resolved, Some(Resolution::Other)));
    assert_eq!(fifth.source_resolution.as_deref(), Some("by_magic"));
    assert_eq!(fifth.exposure.as_ref().unwrap().cloud_integration.as_deref(), Some("MARS"));
}

#[tokio::test]
async fn a_row_without_the_time_that_it_is_sorted_by_comes_last() {
    let (source, _) = fixed("get_incidents_oddities.json");
    for direction in [OrderDirection::Asc, OrderDirection::Desc] {
        let order = Some(Order { field: IncidentOrderField::CreatedAt, direction });
        let request = ListRequest { tests: vec![], order, offset: 0, limit: 50, want: PLAIN };
        let rows = source.list(&call(), &request).await.unwrap();
        let ids: Vec<String> = rows.items.iter().map(|incident| incident.key.native.to_string()).collect();
        // The server sorts nothing here.
        assert_eq!(ids, ["3", "4", "5", "1", "2"]);
        assert_eq!((rows.malformed, rows.total, rows.more), (6, Some(9), false));
    }
}

#[tokio::test]
async fn lists_without_rows_or_counts_are_lists_and_others_are_not() {
    let list = |body: &'static str| async move {
        let (source, _) = over(&config(), move |_, _| json_body(body));
        let request = ListRequest { tests: vec![], order: None, offset: 0, limit: 50, want: PLAIN };
        source.list(&call(), &request).await.map(|rows| (rows.items.len(), rows.total, rows.more))
    };
    assert_eq!(list(r#"{"reply":{"total_count":0,"incidents":[]}}"#).await.unwrap(), (0, Some(0), false));
    assert_eq!(list(r#"{"reply":{"total_count":0,"incidents":null}}"#).await.unwrap(), (0, Some(0), false));
    assert_eq!(list(r#"{"reply":{"incidents":[{"incident_id":"1"}]}}"#).await.unwrap(), (1, None, false));
    assert_eq!(list(r#"{"reply":{"result_count":0,"incidents":null}}"#).await.unwrap(), (0, None, false));
    for body in [r#"{"reply":{}}"#, r#"{"reply":{"total_count":0,"incidents":7}}"#, r#"{"reply":true}"#, "[]", "{}"] {
        let error = list(body).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Malformed, "{body}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_cost_their_characters_only() {
    let (source, _) = over(&config(), |_, _| {
        let body = r#"{"reply":{"total_count":1,"incidents":[{"incident_id":"1","description":"a?b"}]}}"#;
        json_body(body.bytes().map(|byte| if byte == b'?' { 0xff } else { byte }).collect::<Vec<u8>>())
    });
    let request = ListRequest { tests: vec![], order: None, offset: 0, limit: 50, want: PLAIN };
    let rows = source.list(&call(), &request).await.unwrap();
    assert_eq!(rows.items[0].computed_description.as_deref(), Some("a\u{fffd}b"));
}

#[tokio::test]
async fn the_seeds_example_request_is_what_is_sent() {
    let (source, sent) = fixed("get_incidents_full.json");
    let since = chrono::DateTime::from_timestamp_millis(1_688_000_000_000);
    let tests =
        vec![Test::Status(vec![IncidentStatus::New]), Test::Time(TimeField::Created, TimeRange { since, until: None })];
    let order = Some(Order { field: IncidentOrderField::CreatedAt, direction: OrderDirection::Desc });
    source.list(&call(), &ListRequest { tests, order, offset: 0, limit: 100, want: PLAIN }).await.unwrap();
    let mut documented: Value = serde_json::from_str(&fixture("get_incidents_request.json")).unwrap();
    // Ids are asked for alone.
    documented["request_data"]["filters"].as_array_mut().unwrap().pop();
    let (path, headers, body) = sent.lock().unwrap()[0].clone();
    assert_eq!((path.as_str(), body), (LIST, documented));
    assert_eq!(
        (&headers["authorization"], &headers["x-xdr-auth-id"]),
        (&"top-secret".parse().unwrap(), &"7".parse().unwrap())
    );
    assert_eq!(headers["content-type"], "application/json");
}
