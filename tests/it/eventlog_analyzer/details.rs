//! Comments, activity, evidence and assets, which the detail of an incident tells.

use super::support::*;
use incident_gateway::{domain::*, source::*};
use serde_json::Value;
use std::collections::BTreeMap;

fn embedded(details: &Details) -> BTreeMap<(RecordKind, NativeId), Record> {
    details.embedded.iter().map(|record| ((record.kind(), record.key().native.clone()), record.clone())).collect()
}

#[tokio::test]
async fn every_part_of_every_detail_equals_the_servers_own() {
    let bench = Bench::new(60).await;
    let incidents: Vec<NativeId> = bench.walk(Vec::new(), 100).await.iter().map(|i| i.key.native.clone()).collect();
    let found = bench.source.details(&call(), &of(&incidents, ALL_PARTS, RAW)).await.unwrap();
    assert_eq!((found.items.len(), found.failed.len(), found.malformed), (60, 0, 0));
    let mut seen = [0; 5];
    for (id, details) in &found.items {
        let own = bench.rest(&format!("/api/v2/incident/{id}")).await;
        let own = &own["data"];
        seen[0] += notes(id, &own["notes"], details);
        seen[1] += activity(id, &own["activity"], details);
        seen[2] += evidence(&own["evidence"], details);
        let (assets, both) = assets(&own["actors"], details);
        seen[3] += assets;
        seen[4] += both;
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn raw(kept: &Option<RawJson>) -> Value {
    serde_json::from_str(kept.as_ref().unwrap().as_str()).unwrap()
}

fn notes(id: &NativeId, own: &Value, details: &Details) -> usize {
    let (own, comments) = (own.as_array().unwrap(), details.comments.as_ref().unwrap());
    assert_eq!(own.len(), comments.len());
    for (place, (row, comment)) in own.iter().zip(comments.iter()).enumerate() {
        assert_eq!(comment.key, key(&*format!("{id}/notes/{}", own.len() - place)));
        assert_eq!(comment.body.as_deref(), text(&row["note"]));
        let author = comment.author.as_ref().unwrap();
        assert_eq!(author.name.as_deref(), text(&row["added_by"]));
        assert_eq!(author.key, key(&*format!("name/{}", row["added_by"].as_str().unwrap())));
        assert_eq!((comment.created_at, comment.at), (moment(&row["time"], BERLIN), None));
        assert_eq!((comment.kind, raw(&comment.raw)), (CommentKind::Note, row.clone()));
    }
    own.len()
}

fn activity(id: &NativeId, own: &Value, details: &Details) -> usize {
    let (own, all) = (own.as_array().unwrap(), details.activity.as_ref().unwrap());
    assert_eq!(own.len(), all.len());
    for (place, (row, entry)) in own.iter().zip(all.iter()).enumerate() {
        assert_eq!(entry.key, key(&*format!("{id}/activity/{}", own.len() - place)));
        let kind = match row["activity"].as_str().unwrap() {
            "Incident Created" => ActivityKind::Created,
            "Incident Updated" => ActivityKind::Updated,
            "Incident Notes Added" => ActivityKind::Commented,
            other => panic!("{other}"),
        };
        assert_eq!(entry.kind, kind);
        let told = [entry.title.as_deref(), entry.source_type.as_deref(), entry.description.as_deref()];
        assert_eq!(told, [text(&row["activity"]), text(&row["activity"]), text(&row["description"])]);
        assert_eq!((entry.at, raw(&entry.raw)), (moment(&row["time"], BERLIN), row.clone()));
    }
    assert!(all.is_sorted_by_key(|entry| std::cmp::Reverse(entry.at)));
    own.len()
}

fn evidence(own: &Value, details: &Details) -> usize {
    let (own, links) = (own.as_array().unwrap(), details.evidence.as_ref().unwrap());
    assert_eq!(own.len(), links.len());
    let records = embedded(details);
    for (row, link) in own.iter().zip(links.iter()) {
        let uuid = row["incident_uuid"].as_str().unwrap();
        assert_eq!((&link.evidence.key, link.kind), (&key(uuid), Some(EvidenceKind::LogEvent)));
        assert_eq!(link.added_at, moment(&row["incident_time"], BERLIN));
        assert_eq!(link.added_by.as_ref().unwrap().name.as_deref(), text(&row["incident_added_by"]));
        let origin = match row["log_obtained_from"].as_str().unwrap() {
            "SEARCH" => EvidenceOrigin::Search,
            "REPORT" => EvidenceOrigin::Report,
            "ALERT" => EvidenceOrigin::Alert,
            other => panic!("{other}"),
        };
        assert_eq!(link.obtained_from, Some(origin));
        let Record::Evidence(record) = &records[&(RecordKind::Evidence, NativeId::new(uuid))] else { panic!() };
        let event = record.event.as_deref().unwrap();
        for (member, value) in [
            ("severity", &record.source_severity),
            ("type_of_evidence", &record.source_type),
            ("formatted_message", &record.description),
            ("category", &record.category),
            ("message", &event.message),
            ("type", &event.log_name),
            ("source", &event.log_provider),
            ("hostname", &event.host_name),
            ("hosttype", &event.host_type),
            ("source_ip", &event.source_ip_address),
        ] {
            assert_eq!(value.as_deref(), text(&row[member]), "{member}");
        }
        assert_eq!(event.event_code.as_deref(), Some(&*row["eventid"].to_string()));
        assert_eq!(event.user_name.as_deref(), text(&row["username"]).filter(|name| *name != "n/a"));
        assert_eq!(event.threshold, row["is_threshold_incident"].as_bool());
        assert_eq!(event.logged_at, moment(&row["_zl_timestamp"], BERLIN));
        assert_eq!(record.observed_at, moment(&row["log_org_time"], BERLIN));
        assert_eq!(raw(&record.raw), *row);
        let severity = match row["severity"].as_str().unwrap() {
            "information" => Severity::Informational,
            "warning" => Severity::Medium,
            "error" => Severity::High,
            _ => Severity::Unknown,
        };
        assert_eq!(record.severity, Some(severity));
    }
    own.len()
}

/// How many actors there are, and how many of them have two roles.
fn assets(own: &Value, details: &Details) -> (usize, usize) {
    let mut expected: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for object in own.as_array().unwrap() {
        for (role, names) in object.as_object().unwrap() {
            for name in names.as_array().unwrap() {
                expected.entry(name.as_str().unwrap()).or_default().push(role);
            }
        }
    }
    let (links, records) = (details.assets.as_ref().unwrap(), embedded(details));
    assert_eq!(links.len(), expected.len());
    for link in links.iter() {
        let name = link.asset.name.as_deref().unwrap();
        let words: Vec<&str> = link.source_roles.iter().map(|role| &**role).collect();
        assert_eq!((&link.asset.key, &words), (&key(name), &expected[name]));
        let roles: Vec<AssetRole> = words
            .iter()
            .map(|word| match *word {
                "entity" => AssetRole::Affected,
                "suspect" => AssetRole::Suspect,
                other => panic!("{other}"),
            })
            .collect();
        assert_eq!(link.roles, roles);
        let Record::Asset(asset) = &records[&(RecordKind::Asset, NativeId::new(name))] else { panic!() };
        let kind = if name.starts_with("198.") { AssetKind::IpAddress } else { AssetKind::Other };
        assert_eq!((asset.name.as_deref(), asset.kind, link.kind), (Some(name), kind, Some(kind)));
    }
    (links.len(), links.iter().filter(|link| link.roles.len() == 2).count())
}

#[tokio::test]
async fn each_incident_costs_one_call_whatever_is_asked() {
    let bench = Bench::new(40).await;
    let query = "{ incidents(first: 5) { nodes { sourceId comments { nodes { body author { name } } } \
                 activity { nodes { title } } evidence { edges { addedAt addedBy { name } node { description event { message } } } } \
                 assets { edges { roles node { name kind } } } } } }";
    bench.data(query).await;
    let calls = bench.calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("/api/v2/incident?")).count(), 1, "{calls:?}");
    assert_eq!(calls.iter().filter(|call| call.starts_with("/api/v2/incident/")).count(), 5, "{calls:?}");
    assert_eq!(calls.len(), 6, "names stand beside their links: {calls:?}");
}

#[tokio::test]
async fn only_the_parts_that_were_asked_for_come() {
    let bench = Bench::new(10).await;
    let id = [bench.walk(Vec::new(), 100).await[2].key.native.clone()];
    for part in [DetailPart::Comments, DetailPart::Activity, DetailPart::Evidence, DetailPart::Assets] {
        let parts = DetailParts::default().with(part);
        let found = bench.source.details(&call(), &of(&id, parts, PLAIN)).await.unwrap();
        let details = &found.items[0].1;
        for other in DetailPart::ALL {
            assert_eq!(details.has(other), other == part, "{part:?} {other:?}");
        }
        let evidence = details.embedded.iter().filter_map(|record| match record {
            Record::Evidence(evidence) => Some(evidence.raw.is_none()),
            _ => None,
        });
        assert!(evidence.into_iter().all(|plain| plain));
    }
    let preview = DetailParts::default().with(DetailPart::DeletePreview);
    let error = bench.source.details(&call(), &of(&id, preview, PLAIN)).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unsupported);
}

#[tokio::test]
async fn one_incident_that_fails_leaves_the_others_theirs() {
    let bench = Bench::new(10).await;
    let mut ids: Vec<NativeId> = bench.walk(Vec::new(), 100).await[..3].iter().map(|i| i.key.native.clone()).collect();
    bench.sandbox.set_faults(vec![format!("503@/api/v2/incident/{}", ids[1]).parse().unwrap()]);
    // What leads elsewhere is not even asked for. And those that could be ids, but are nobody's: the server refuses them in
    // words that it has for everything.
    ids.extend(["../../secret", "INC-1", "77"].map(NativeId::new));
    bench.sandbox.reset_calls();
    let found = bench.source.details(&call(), &of(&ids, ALL_PARTS, PLAIN)).await.unwrap();
    let items: Vec<&NativeId> = found.items.iter().map(|(id, _)| id).collect();
    assert_eq!(items, [&ids[0], &ids[2]]);
    let failed: Vec<(&NativeId, SourceErrorKind)> = found.failed.iter().map(|(id, e)| (id, e.kind())).collect();
    use SourceErrorKind::{Rejected, Unavailable};
    assert_eq!(failed, [(&ids[1], Unavailable), (&ids[4], Rejected), (&ids[5], Rejected)]);
    assert_eq!(bench.calls().len(), 5);
}

#[tokio::test]
async fn the_time_of_evidence_can_be_read_otherwise() {
    let bench = Bench::with(options(20), |config| config.incident_time_is_added = false).await;
    let ids: Vec<NativeId> = bench.walk(Vec::new(), 100).await.iter().map(|i| i.key.native.clone()).collect();
    let parts = DetailParts::default().with(DetailPart::Evidence);
    let found = bench.source.details(&call(), &of(&ids, parts, PLAIN)).await.unwrap();
    let links: Vec<EvidenceLink> =
        found.items.iter().flat_map(|(_, details)| details.evidence.as_ref().unwrap().iter().cloned()).collect();
    assert!(links.len() > 5 && links.iter().all(|link| link.added_at.is_none()));
}
