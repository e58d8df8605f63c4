//! The documented bodies and what a tolerant reader must live with, as records.

use super::support::*;
use incident_gateway::{domain::*, source::*};
use std::sync::Arc;

fn time(text: &str) -> Option<Time> {
    Some(chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

async fn list(file: &str) -> Rows<Arc<Incident>> {
    let request = ListRequest { want: RAW, ..page(0, 100) };
    told(fixture(file)).list(&call(), &request).await.unwrap()
}

async fn detail(file: &str) -> (Details, u32) {
    let source = told(fixture(file));
    let one = [NativeId::new("3000000438278")];
    let mut found = source.details(&call(), &of(&one, ALL_PARTS, RAW)).await.unwrap();
    (found.items.remove(0).1, found.malformed)
}

#[tokio::test]
async fn the_documented_row_is_an_incident() {
    let rows = list("documented_list.json").await;
    // Three dots stand in the place of the other rows.
    assert_eq!((rows.items.len(), rows.consumed, rows.malformed), (1, 2, 1));
    assert_eq!((rows.total, rows.more), (Some(152), true));
    let incident = &rows.items[0];
    assert_eq!(incident.key, key("3000000455681"));
    assert_eq!(incident.title.as_deref(), Some("DOS Attack Incident"));
    assert_eq!(incident.description.as_deref(), Some("The collection of reports with Downgrade Attacks."));
    assert_eq!((incident.severity, incident.status), (Severity::Critical, IncidentStatus::New));
    assert_eq!(incident.created_at, time("2025-03-31T14:12:10Z"));
    assert_eq!(incident.due_at, time("2025-04-01T22:00:00Z"));
    assert!(incident.unassigned());
    assert_eq!(incident.created_by.as_ref().unwrap().name.as_deref(), Some("user001"));
}

#[tokio::test]
async fn the_documented_detail_is_comments_activity_evidence_and_assets() {
    let (details, malformed) = detail("documented_detail.json").await;
    assert_eq!(malformed, 0);
    let comment = &details.comments.as_ref().unwrap()[0];
    assert_eq!(comment.body.as_deref(), Some("Incident occurred during server upgrade."));
    assert_eq!(comment.author, Some(Link::new(key("name/gokul.sn+test"), "gokul.sn+test")));
    assert_eq!(comment.created_at, time("2025-03-31T14:12:17Z"));
    // All three of the same second: the order is the server's.
    let kinds: Vec<ActivityKind> = details.activity.as_ref().unwrap().iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [ActivityKind::Commented, ActivityKind::Updated, ActivityKind::Created]);
    let created = details.activity.as_ref().unwrap().last().unwrap();
    assert_eq!(created.key, key("3000000438278/activity/1"));
    let roles: Vec<(&str, &[AssetRole])> =
        details.assets.as_ref().unwrap().iter().map(|l| (l.asset.name.as_deref().unwrap(), &*l.roles)).collect();
    assert_eq!(roles, [("dev-agent", &[AssetRole::Affected][..]), ("dev-agent\\n/a", &[AssetRole::Suspect][..]),]);
    let link = &details.evidence.as_ref().unwrap()[0];
    let uuid = "5a98433b-ebde-4920-825e-3c00ca5f7ecc_objectidcustom_logs";
    assert_eq!((&link.evidence.key, link.obtained_from), (&key(uuid), Some(EvidenceOrigin::Report)));
    let Some(Record::Evidence(evidence)) = details.embedded.iter().find(|r| r.kind() == RecordKind::Evidence) else {
        panic!()
    };
    let event = evidence.event.as_deref().unwrap();
    assert_eq!((event.event_code.as_deref(), event.log_provider.as_deref()), (Some("40960"), Some("lsasrv")));
    assert_eq!((event.user_name.as_deref(), event.threshold), (None, Some(false)));
    assert_eq!(event.message, evidence.description);
    assert!(event.message.as_deref().unwrap().ends_with("0x8D71B\t9077 "));
    assert_eq!((evidence.observed_at, event.logged_at), (time("2025-03-31T13:30:00Z"), time("2025-03-31T14:12:17Z")));
    assert_eq!(
        (evidence.severity, evidence.category.as_deref()),
        (Some(Severity::Informational), Some("downgrade attacks"))
    );
    // What has no place of its own is kept with the record as received.
    let raw: serde_json::Value = serde_json::from_str(evidence.raw.as_ref().unwrap().as_str()).unwrap();
    assert_eq!((&raw["img_class"], &raw["incident_tab"]), (&"fw-icon fw-icn-login-user".into(), &"evidence".into()));
}

#[tokio::test]
async fn bodies_in_the_documented_shapes_are_read_whole() {
    for (file, count, total, more) in
        [("list.json", 5, 5, false), ("list_empty.json", 0, 0, false), ("list_page1_of_3.json", 2, 5, true)]
    {
        let rows = list(file).await;
        assert_eq!((rows.items.len(), rows.total, rows.more, rows.malformed), (count, Some(total), more, 0), "{file}");
    }
    let rows = list("list.json").await;
    let statuses: Vec<IncidentStatus> = rows.items.iter().map(|incident| incident.status).collect();
    use IncidentStatus::{Closed, InProgress, New};
    assert_eq!(statuses, [New, InProgress, Closed, InProgress, New]);
    assert_eq!(rows.items[2].due_at, None);
    assert_eq!(rows.items[4].title.as_deref(), Some("Firewall policy change – FW-EDGE-1"));
    let (details, malformed) = detail("detail.json").await;
    assert_eq!((details.evidence.unwrap().len(), details.assets.unwrap().len(), malformed), (2, 4, 0));
    let (bare, malformed) = detail("detail_bare.json").await;
    assert_eq!((bare.comments.unwrap().len(), bare.activity.unwrap().len(), malformed), (0, 1, 0));
    let users = told(fixture("users_inferred.json"));
    let found = users.related(&call(), RecordKind::Owner, &[NativeId::new("302")], PLAIN).await.unwrap();
    let Record::Owner(owner) = &found.items[0].1 else { panic!() };
    assert_eq!(owner.profile.email.as_deref(), Some("kiran.p@example.org"));
}

#[tokio::test]
async fn what_is_odd_in_a_list_costs_no_incident_that_can_be_named() {
    let rows = list("oddities_list.json").await;
    let ids: Vec<String> = rows.items.iter().map(|incident| incident.key.native.to_string()).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "8"]);
    assert_eq!((rows.consumed, rows.total, rows.more), (12, Some(12), false));
    // Five that are no incidents, one with broken members, one with a member twice, one broken time.
    assert_eq!(rows.malformed, 8);
    let by_id = |id: &str| rows.items.iter().find(|incident| incident.key == key(id)).unwrap();
    assert_eq!(by_id("1").created_at, time("2025-10-26T00:30:00Z"), "the first of both hours");
    assert_eq!(by_id("2").created_at, time("2025-03-30T01:30:00Z"), "by the clock before the gap");
    assert_eq!((by_id("2").severity, by_id("2").status), (Severity::High, IncidentStatus::InProgress));
    assert_eq!((by_id("2").due_at, by_id("2").created_by.is_none()), (None, true));
    assert_eq!((by_id("1").status, by_id("8").status), (IncidentStatus::InProgress, IncidentStatus::Closed));
    let new = by_id("3");
    assert_eq!((new.severity, new.source_severity.as_deref()), (Severity::Unknown, Some("Catastrophic")));
    assert_eq!((new.status, new.source_status.as_deref()), (IncidentStatus::Other, Some("On Hold")));
    assert_eq!((new.created_at, new.owners[0].key.clone()), (None, key("302")));
    let wrong = by_id("4");
    assert_eq!((wrong.title.as_deref(), wrong.created_at, wrong.created_by.is_none()), (None, None, true));
    assert_eq!((wrong.severity, wrong.owners[0].key.clone()), (Severity::Unknown, key("302")));
    assert_eq!(by_id("6").title.as_deref(), Some("The last one counts"));
    assert!(by_id("6").raw.as_ref().unwrap().as_str().contains("unheard_of"));
    assert_eq!((by_id("8").created_at, by_id("8").source_severity.is_none()), (time("2025-03-31T16:12:10Z"), true));
    assert!(by_id("5").unassigned() && by_id("8").unassigned());
}

#[tokio::test]
async fn what_is_odd_in_a_detail_costs_that_alone() {
    let (details, malformed) = detail("oddities_detail.json").await;
    let comments = details.comments.as_ref().unwrap();
    let told: Vec<(String, Option<&str>)> =
        comments.iter().map(|comment| (comment.key.native.to_string(), comment.body.as_deref())).collect();
    // Oldest first there; numbers are those of an order that only grows.
    let expected = [("4", Some("last")), ("1", Some("first")), ("3", None)];
    assert_eq!(told, expected.map(|(number, body)| (format!("3000000438278/notes/{number}"), body)));
    assert!(details.activity.as_ref().unwrap().is_empty());
    let roles = |name: &str| {
        let link = details.assets.as_ref().unwrap().iter().find(|link| link.asset.name.as_deref() == Some(name));
        let link = link.unwrap_or_else(|| panic!("{name}"));
        let words: Vec<String> = link.source_roles.iter().map(|word| word.to_string()).collect();
        (link.roles.clone(), words.join(","), link.kind.unwrap())
    };
    use AssetRole::{Affected, Other, Suspect};
    assert_eq!(roles("filesrv02"), (vec![Affected, Suspect], "entity,suspect".into(), AssetKind::Other));
    assert_eq!(roles("10.20.4.17"), (vec![Affected], "entity".into(), AssetKind::IpAddress));
    assert_eq!(roles("2001:db8::1"), (vec![Suspect], "suspect".into(), AssetKind::IpAddress));
    assert_eq!(roles("kiosk-1"), (vec![Other], "witness".into(), AssetKind::Other));
    assert_eq!((roles("dc01").0, details.assets.as_ref().unwrap().len()), (vec![Affected], 5));
    let links = details.evidence.as_ref().unwrap();
    let order: Vec<String> = links.iter().map(|link| link.evidence.key.native.to_string()).collect();
    let uuid = "6513270e-269e-4d37-b2a7-4de452e6b438_objectidcustom_logs";
    assert_eq!(order, [uuid, "3000000438278/evidence/1"], "in the order of adding, each once");
    let strange = details.embedded.iter().find_map(|record| match record {
        Record::Evidence(evidence) if evidence.kind == EvidenceKind::Other => Some(evidence),
        _ => None,
    });
    let strange = strange.unwrap();
    assert_eq!((strange.source_type.as_deref(), strange.severity), (Some("PCAP"), Some(Severity::Unknown)));
    let event = strange.event.as_deref().unwrap();
    assert_eq!((event.event_code.as_deref(), event.user_name.as_deref()), (Some("0x1F"), None));
    assert_eq!(links[1].obtained_from, Some(EvidenceOrigin::Other));
    // Notes: two broken and a time. Evidence: two. Actors: a number and a text.
    assert_eq!(malformed, 7);
}

#[tokio::test]
async fn cut_short_anywhere_it_is_an_error_or_a_record_and_never_more() {
    for file in ["documented_list.json", "oddities_list.json", "documented_detail.json", "oddities_detail.json"] {
        let body = fixture(file);
        for end in (0..body.trim_end().len()).step_by(7).filter(|end| body.is_char_boundary(*end)) {
            let source = told(body[..end].to_owned());
            assert!(source.list(&call(), &page(0, 10)).await.is_err(), "{file} {end}");
            let one = [NativeId::new("1")];
            let found = source.details(&call(), &of(&one, ALL_PARTS, PLAIN)).await.unwrap();
            assert_eq!((found.items.len(), found.failed.len()), (0, 1), "{file} {end}");
        }
    }
}
