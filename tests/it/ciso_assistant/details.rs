//! Comments, activity, evidence and deletion previews of many incidents.

use super::{compare::*, support::*};
use incident_gateway::{domain::*, sandbox::Release, source::*};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

const TIMELINE: DetailParts =
    DetailParts { comments: true, activity: true, evidence: true, assets: false, delete_preview: false };

fn request(parts: DetailParts, incidents: Vec<NativeId>, raw: bool) -> DetailRequest {
    DetailRequest { parts, incidents, want: Want { raw, ..Want::PLAIN } }
}

/// Ids of incidents, sorted, as the contract says.
async fn ids(bench: &Bench, count: usize) -> Vec<NativeId> {
    let rows = bench.rest_all("incidents/").await;
    let mut ids: Vec<NativeId> = rows.iter().take(count).map(|row| native(&row["id"])).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn timelines_become_comments_activity_and_evidence() {
    for release in RELEASES {
        let bench = Bench::new(release, 200).await;
        let ids = ids(&bench, 200).await;
        let found = bench.source.details(&call(), &request(TIMELINE, ids.clone(), true)).await.unwrap();
        assert_eq!((found.items.len(), found.failed.len(), found.malformed), (ids.len(), 0, 0));
        let (mut most, mut none, mut masked, mut kinds) = (0, 0, 0, BTreeSet::new());
        for (id, details) in &found.items {
            let entries = bench.rest_all(&format!("timeline-entries/?incident={id}")).await;
            (most, none) = (most.max(entries.len()), none + usize::from(entries.is_empty()));
            kinds.extend(details.activity.as_ref().unwrap().iter().map(|activity| activity.kind));
            timeline(&entries, details);
            masked += details.masked;
        }
        assert!(most >= 60 && none > 0 && kinds.len() >= 3, "{most} {none} {kinds:?}");
        assert!(masked > 0);
        assert_eq!(found.masked, masked);
    }
}

pub(super) fn timeline(entries: &[Value], details: &Details) {
    let by_id: HashMap<NativeId, &Value> = entries.iter().map(|entry| (native(&entry["id"]), entry)).collect();
    let activity = details.activity.as_ref().unwrap();
    assert_eq!(activity.len(), entries.len());
    for one in activity.iter() {
        activity_of(by_id[&one.key.native], one);
    }
    assert!(activity.windows(2).all(|pair| pair[0].at >= pair[1].at), "newest first");
    let comments = details.comments.as_ref().unwrap();
    let written = |entry: &&Value| !entry["entry_type"].as_str().unwrap().ends_with("_changed");
    assert_eq!(comments.len(), entries.iter().filter(written).count());
    for comment in comments.iter() {
        comment_of(by_id[&comment.key.native], comment);
    }
    assert!(comments.windows(2).all(|pair| pair[0].at >= pair[1].at), "newest first");
    evidence_of(entries, details.evidence.as_ref().unwrap());
    let hidden: u32 = entries.iter().map(|entry| hidden(entry, &["author", "evidences"])).sum();
    assert_eq!(details.masked, hidden);
}

fn comment_of(entry: &Value, comment: &Comment) {
    let kind = match entry["entry_type"].as_str().unwrap() {
        "observation" => CommentKind::Observation,
        "detection" => CommentKind::Detection,
        "mitigation" => CommentKind::Mitigation,
        other => panic!("{other}"),
    };
    assert_eq!((comment.kind, comment.source_type.as_deref()), (kind, text(&entry["entry_type"])));
    assert_eq!(comment.title.as_deref(), text(&entry["entry"]));
    assert_eq!(comment.body.as_deref(), text(&entry["observation"]));
    assert_eq!(comment.author.as_ref().map(link), reference(&entry["author"]));
    assert_eq!(links(&comment.evidence), references(&entry["evidences"]).0);
    assert_eq!(at(comment.at), micros(&entry["timestamp"]));
    assert_eq!(at(comment.created_at), micros(&entry["created_at"]));
    assert_eq!(at(comment.updated_at), micros(&entry["updated_at"]));
    assert_eq!(serde_json::from_str::<Value>(comment.raw.as_ref().unwrap().as_str()).unwrap(), *entry);
}

fn activity_of(entry: &Value, activity: &Activity) {
    let title = entry["entry"].as_str().unwrap();
    let (kind, change) = match entry["entry_type"].as_str().unwrap() {
        "status_changed" => (ActivityKind::StatusChanged, Some((IncidentField::Status, "status"))),
        "severity_changed" => (ActivityKind::SeverityChanged, Some((IncidentField::Severity, "severity"))),
        _ => (ActivityKind::Commented, None),
    };
    assert_eq!((activity.kind, activity.source_type.as_deref()), (kind, text(&entry["entry_type"])));
    assert_eq!(activity.title.as_deref(), Some(title));
    assert_eq!(activity.description.as_deref(), text(&entry["observation"]));
    assert_eq!(activity.actor.as_ref().map(link), reference(&entry["author"]));
    assert_eq!(links(&activity.evidence), references(&entry["evidences"]).0);
    assert_eq!(at(activity.at), micros(&entry["timestamp"]));
    assert_eq!(serde_json::from_str::<Value>(activity.raw.as_ref().unwrap().as_str()).unwrap(), *entry);
    assert_eq!(activity.changes.len(), usize::from(change.is_some()));
    if let Some((field, name)) = change {
        let (before, after) = title.split_once("->").unwrap();
        let word = |label: &str| match field {
            IncidentField::Status => format!("\"{}\"", status(label).name()),
            _ => format!("\"{}\"", severity(label).name()),
        };
        let made = &activity.changes[0];
        assert_eq!((made.field, made.source_field.as_deref()), (field, Some(name)));
        assert_eq!(made.before.as_ref().map(RawJson::as_str), Some(&*word(before)));
        assert_eq!(made.after.as_ref().map(RawJson::as_str), Some(&*word(after)));
    }
}

fn evidence_of(entries: &[Value], evidence: &[EvidenceLink]) {
    let expected: BTreeSet<(String, Option<String>)> =
        entries.iter().flat_map(|e| references(&e["evidences"]).0).collect();
    let told: Vec<_> = evidence.iter().map(|one| link(&one.evidence)).collect();
    assert_eq!(told.iter().cloned().collect::<BTreeSet<_>>(), expected);
    assert_eq!(told.len(), expected.len(), "each once");
    assert!(evidence.windows(2).all(|pair| pair[0].added_at <= pair[1].added_at), "oldest first");
    for one in evidence {
        let id = one.evidence.key.native.to_string();
        let carries = |entry: &&Value| references(&entry["evidences"]).0.iter().any(|(other, _)| *other == id);
        let first = entries.iter().filter(carries).min_by_key(|entry| micros(&entry["timestamp"])).unwrap();
        assert_eq!(at(one.added_at), micros(&first["timestamp"]));
        assert_eq!(one.added_by.as_ref().map(link), reference(&first["author"]));
        assert_eq!(one.kind, Some(EvidenceKind::Document));
    }
}

#[tokio::test]
async fn a_hundred_timelines_cost_one_call() {
    let bench = Bench::new(Release::V3_15_1, 150).await;
    bench.warm().await;
    let (hundred, all) = (ids(&bench, 100).await, ids(&bench, 120).await);
    for (ids, expected) in [(hundred, 1), (all, 2)] {
        bench.sandbox.reset_calls();
        let call = call();
        let found = bench.source.details(&call, &request(TIMELINE, ids.clone(), false)).await.unwrap();
        assert_eq!((found.items.len(), call.context.tally.upstream_calls()), (ids.len(), expected));
        for call in bench.sandbox.calls() {
            assert!(format!("GET {}?{} HTTP/1.1", call.path, call.query).len() <= 5_120);
        }
        let comments = found.items.iter().filter_map(|(_, details)| details.comments.as_ref());
        assert!(comments.flat_map(|all| all.iter()).all(|comment| comment.raw.is_none()));
    }
}

#[tokio::test]
async fn only_the_parts_that_were_asked_for_are_told() {
    let bench = Bench::new(Release::V3_15_1, 20).await;
    let ids = ids(&bench, 3).await;
    for part in DetailPart::ALL {
        let parts = DetailParts::default().with(part);
        let found = bench.source.details(&call(), &request(parts, ids.clone(), false)).await.unwrap();
        for (_, details) in &found.items {
            assert_eq!(details.comments.is_some(), parts.comments);
            assert_eq!(details.activity.is_some(), parts.activity);
            assert_eq!(details.evidence.is_some(), parts.evidence);
            assert_eq!(details.delete_preview.is_some(), parts.delete_preview);
        }
        // Its assets are told by the row.
        assert_eq!(found.items.len(), if parts.assets { 0 } else { 3 });
    }
}

#[tokio::test]
async fn an_incident_that_is_gone_costs_the_others_nothing_but_calls() {
    let bench = Bench::new(Release::V3_15_1, 100).await;
    bench.warm().await;
    let known = ids(&bench, 64).await;
    for gone in 1..=2u8 {
        let mut asked = known.clone();
        asked.extend((0..gone).map(|number| nobody(number * 97)));
        asked.push(NativeId::new("INC-1"));
        asked.sort();
        let call = call();
        let found = bench.source.details(&call, &request(TIMELINE, asked, false)).await.unwrap();
        let told: BTreeSet<NativeId> = found.items.iter().map(|(id, _)| id.clone()).collect();
        assert_eq!(told, known.iter().cloned().collect());
        assert!(found.failed.is_empty());
        let calls = call.context.tally.upstream_calls();
        assert!(calls <= 1 + 2 * 7 * u64::from(gone), "{calls}");
        let whole =
            bench.source.details(&super::support::call(), &request(TIMELINE, known.clone(), false)).await.unwrap();
        let by_id = |found: Found<Details>| found.items.into_iter().collect::<HashMap<_, _>>();
        assert_eq!(by_id(found), by_id(whole));
    }
}

#[tokio::test]
async fn a_refusal_for_another_reason_is_not_halved() {
    let bench = Bench::new(Release::V3_15_1, 50).await;
    let ids = ids(&bench, 40).await;
    bench.warm().await;
    bench.sandbox.set_faults(vec!["400@/api/timeline-entries/".parse().unwrap()]);
    let found = bench.source.details(&call(), &request(TIMELINE, ids, false)).await.unwrap();
    assert_eq!((found.items.len(), found.failed.len()), (0, 40));
    assert_eq!(found.failed[0].1.kind(), SourceErrorKind::Rejected);
    assert_eq!(bench.calls().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_asked_for_in_parts() {
    let cut = |config: &mut incident_gateway::vendors::ciso_assistant::Config| config.policy.max_body_bytes = 60_000;
    let bench = Bench::with(options(Release::V3_15_1, 100), cut).await;
    let known = ids(&bench, 60).await;
    let found = bench.source.details(&call(), &request(TIMELINE, known.clone(), false)).await.unwrap();
    assert_eq!((found.items.len() + found.failed.len(), found.items.len() > 50), (known.len(), true));
}

#[tokio::test]
async fn what_a_deletion_takes_along_is_told_record_by_record() {
    for release in RELEASES {
        let bench = Bench::as_account(options(release, 60), "admin").await;
        let mut asked = ids(&bench, 20).await;
        asked.push(nobody(1));
        asked.push(NativeId::new("x"));
        asked.sort();
        let parts = DetailParts { delete_preview: true, comments: true, ..DetailParts::default() };
        let found = bench.source.details(&call(), &request(parts, asked, false)).await.unwrap();
        assert_eq!((found.items.len(), found.failed.len()), (20, 0));
        for (id, details) in &found.items {
            let own = bench.rest(&format!("/api/incidents/{id}/cascade-info/")).await;
            let preview = details.delete_preview.as_ref().unwrap();
            cascade(&own["deleted"], &preview.deleted);
            cascade(&own["affected"], &preview.affected);
            assert!(details.comments.is_some());
        }
        assert!(found.items.iter().any(|(_, details)| details.delete_preview.as_ref().unwrap().deleted.count > 0));
    }
}

fn cascade(own: &Value, group: &CascadeGroup) {
    assert_eq!(i64::from(group.count), own["count"].as_i64().unwrap());
    assert_eq!(group.message.as_deref(), text(&own["message"]));
    assert_eq!(group.level.as_deref(), text(&own["level"]));
    let mut expected = Vec::new();
    for objects in own["grouped_objects"].as_array().unwrap() {
        for object in objects["objects"].as_array().unwrap() {
            let texts = [&objects["model"], &objects["verbose_name"], &object["id"], &object["name"]];
            expected.push(texts.map(|value| value.as_str().map(str::to_owned)));
        }
    }
    let told = group.records.iter().map(|record| {
        let (kind, id) = (Some(record.record_type.to_string()), Some(record.source_id.to_string()));
        [kind, record.type_label.as_deref().map(str::to_owned), id, record.name.as_deref().map(str::to_owned)]
    });
    let mut told: Vec<_> = told.collect();
    assert!(group.records.windows(2).all(|p| (&p[0].record_type, &p[0].name) <= (&p[1].record_type, &p[1].name)));
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_preview_that_the_account_may_not_see_is_forbidden_and_the_rest_is_told() {
    let bench = Bench::as_account(options(Release::V3_20_8, 60), "reader").await;
    let ids = ids(&bench, 3).await;
    let parts = DetailParts { delete_preview: true, comments: true, ..DetailParts::default() };
    let found = bench.source.details(&call(), &request(parts, ids.clone(), false)).await.unwrap();
    assert_eq!(found.items.len(), 3);
    assert!(found.items.iter().all(|(_, details)| details.comments.is_some() && details.delete_preview.is_none()));
    let failed: BTreeSet<NativeId> = found.failed.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(failed, ids.into_iter().collect());
    assert!(found.failed.iter().all(|(_, error)| error.kind() == SourceErrorKind::Forbidden));
}

/// Everything at once, counted after the release and the remembered lists are there, and before.
#[tokio::test]
async fn everything_at_once_stays_within_eight_calls() {
    let bench = Arc::new(Bench::new(Release::V3_15_1, 130).await);
    bench.warm().await;
    for (expected, at_once) in [(8, 1), (6, 1), (6, 8)] {
        bench.sandbox.reset_calls();
        let all = (0..at_once).map(|_| {
            let bench = bench.clone();
            tokio::spawn(async move { everything(&bench).await })
        });
        for calls in futures_util::future::join_all(all).await {
            assert_eq!(calls.unwrap(), expected);
        }
        assert_eq!(bench.calls().len() as u64, expected * at_once);
    }
}

async fn everything(bench: &Bench) -> u64 {
    let call = call();
    let list = ListRequest { tests: Vec::new(), order: None, offset: 0, limit: 100, want: PLAIN };
    let rows = bench.source.list(&call, &list).await.unwrap();
    let distinct = |of: &dyn Fn(&Incident) -> Vec<NativeId>| {
        let all: BTreeSet<NativeId> = rows.items.iter().flat_map(|incident| of(incident)).collect();
        all.into_iter().collect::<Vec<_>>()
    };
    let native = |link: &Link| link.key.native.clone();
    let owners = distinct(&|incident| incident.owners.iter().map(native).collect());
    let assets = distinct(&|incident| incident.assets.iter().map(|link| native(&link.asset)).collect());
    let threats = distinct(&|incident| incident.threats.iter().map(|link| native(&link.threat)).collect());
    let incidents = distinct(&|incident| vec![incident.key.native.clone()]);
    let profile = Want { profile: true, ..Want::PLAIN };
    bench.source.related(&call, RecordKind::Owner, &owners, profile).await.unwrap();
    bench.source.related(&call, RecordKind::Asset, &assets, PLAIN).await.unwrap();
    bench.source.related(&call, RecordKind::Threat, &threats, PLAIN).await.unwrap();
    let details = bench.source.details(&call, &request(TIMELINE, incidents, false)).await.unwrap();
    let evidence: BTreeSet<NativeId> = details
        .items
        .iter()
        .flat_map(|(_, details)| details.evidence.as_ref().unwrap().iter().map(|one| native(&one.evidence)))
        .collect();
    let evidence: Vec<NativeId> = evidence.into_iter().collect();
    assert!(evidence.len() <= 137 && !evidence.is_empty());
    let found = bench.source.related(&call, RecordKind::Evidence, &evidence, PLAIN).await.unwrap();
    assert_eq!(found.items.len(), evidence.len());
    call.context.tally.upstream_calls()
}
