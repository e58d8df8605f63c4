//! Records: by id, in catalogues, behind links, with their details, as received.

use super::{bench::*, truth};
use incident_gateway::{domain::*, source::*};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Ids that nobody has, in the shapes that vendors use.
fn nobody() -> [NativeId; 4] {
    ["00000000-0000-4000-8000-0000000000aa", "999999999", "INC-99999", "no/such, & thing"].map(NativeId::new)
}

/// Whether a refusal is one that says that the source has no way to do it.
fn is_unsupported<T>(answer: &Result<T, SourceError>) -> bool {
    answer.as_ref().is_err_and(|error| error.kind() == SourceErrorKind::Unsupported)
}

pub(super) async fn incidents_are_had_by_id(subject: &Subject) {
    let bench = Bench::start(subject, 130).await;
    let all = bench.all().await;
    let by_id = bench.capabilities().await.by_id.contains(&RecordKind::Incident);
    // Backwards, some twice, between ids that nobody has.
    let mut asked: Vec<NativeId> = all.iter().rev().map(|incident| incident.key.native.clone()).collect();
    asked.splice(3..3, nobody());
    asked.extend(asked[..7].to_vec());
    let found = bench.source.fetch(&call(), &asked, PLAIN).await;
    if !by_id {
        assert!(is_unsupported(&found) || found.is_ok_and(|found| found.items.is_empty()));
        return;
    }
    let found = found.unwrap();
    assert!(found.failed.is_empty(), "{:?}", found.failed);
    assert_eq!(found.items.len(), all.len(), "each once");
    let found: HashMap<NativeId, Arc<Incident>> = found.items.into_iter().collect();
    for incident in &all {
        assert_eq!(found[&incident.key.native], *incident, "what the list shows");
    }
    let none = bench.source.fetch(&call(), &nobody(), PLAIN).await.unwrap();
    assert!(none.items.is_empty() && none.failed.is_empty(), "unknown ids are just missing");
    bench.sandbox.reset_calls();
    assert!(bench.source.fetch(&call(), &[], PLAIN).await.unwrap().items.is_empty());
    assert_eq!(bench.sandbox.call_count(), 0, "nothing is asked for nothing");
}

/// A link, and what it is said to lead to.
type Lead = (RecordKind, Key);

fn leads<'a>(kind: RecordKind, links: impl IntoIterator<Item = &'a Link>) -> Vec<Lead> {
    links.into_iter().map(|link| (kind, link.key.clone())).collect()
}

fn of_incident(incident: &Incident) -> Vec<Lead> {
    use RecordKind as K;
    let mut all = leads(K::Owner, incident.owners.iter().chain(&incident.created_by));
    all.extend(leads(K::Asset, incident.assets.iter().map(|link| &link.asset)));
    all.extend(leads(K::Threat, incident.threats.iter().map(|link| &link.threat)));
    all.extend(leads(K::Term, incident.threats.iter().flat_map(|link| &link.issue_types)));
    all.extend(leads(K::Tag, incident.tags.iter().chain(&incident.original_tags)));
    all.extend(leads(K::Term, &incident.qualifications));
    all.extend(leads(K::RelatedRecord, &incident.entities));
    // Of some related records the link itself is all that can be known, and it says so.
    let related = incident.related_records.iter().filter(|link| link.by_id);
    all.extend(leads(K::RelatedRecord, related.map(|link| &link.record)));
    all.extend(leads(K::Scope, &incident.scope));
    all.extend(incident.told.iter().flat_map(|told| of_details(told)));
    all
}

fn of_details(details: &Details) -> Vec<Lead> {
    use RecordKind as K;
    let comments = details.comments.iter().flat_map(|all| all.iter());
    let activity = details.activity.iter().flat_map(|all| all.iter());
    let evidence = details.evidence.iter().flat_map(|all| all.iter());
    let assets = details.assets.iter().flat_map(|all| all.iter());
    let mut all = leads(K::Owner, comments.clone().filter_map(|comment| comment.author.as_ref()));
    all.extend(leads(K::Evidence, comments.flat_map(|comment| &comment.evidence)));
    all.extend(leads(K::Owner, activity.clone().filter_map(|entry| entry.actor.as_ref())));
    all.extend(leads(K::Evidence, activity.flat_map(|entry| &entry.evidence)));
    all.extend(leads(K::Evidence, evidence.clone().map(|link| &link.evidence)));
    all.extend(leads(K::Owner, evidence.filter_map(|link| link.added_by.as_ref())));
    all.extend(leads(K::Asset, assets.map(|link| &link.asset)));
    all
}

fn of_record(record: &Record) -> Vec<Lead> {
    use RecordKind as K;
    let many = |kind, links: &Option<Vec<Link>>| leads(kind, links.iter().flatten());
    match record {
        Record::Owner(owner) => {
            let profile = &owner.profile;
            let mut all = leads(K::Owner, &profile.leader);
            all.extend(many(K::Owner, &profile.deputies));
            all.extend(many(K::Owner, &profile.members));
            all.extend(leads(K::Scope, &profile.scope));
            all
        }
        Record::Asset(asset) => {
            let mut all = many(K::Owner, &asset.owners);
            all.extend(many(K::Asset, &asset.parents));
            all.extend(many(K::Asset, &asset.children));
            all.extend(leads(K::Scope, &asset.scope));
            all.extend(leads(K::Tag, &asset.tags));
            all.extend(leads(K::Threat, asset.technical.iter().flat_map(|technical| &technical.risks)));
            all
        }
        Record::Threat(threat) => [leads(K::Scope, &threat.scope), leads(K::Tag, &threat.tags)].concat(),
        Record::Evidence(evidence) => {
            let mut all = many(K::Owner, &evidence.owners);
            all.extend(leads(K::Scope, &evidence.scope));
            all.extend(leads(K::Tag, &evidence.tags));
            all.extend(leads(K::Threat, evidence.alert.iter().flat_map(|alert| &alert.threats)));
            all
        }
        Record::Scope(scope) => leads(K::Scope, scope.parent.iter().chain(&scope.path)),
        Record::Tag(tag) => [leads(K::Owner, &tag.created_by), leads(K::Scope, &tag.scope)].concat(),
        Record::Incident(_) | Record::Term(_) | Record::RelatedRecord(_) => Vec::new(),
    }
}

/// Incidents with their details, and all records that came along.
struct Known {
    /// From incidents and details; from those records.
    leads: BTreeSet<Lead>,
    further: BTreeSet<Lead>,
    records: BTreeMap<Lead, Record>,
}

async fn known(bench: &Bench) -> Known {
    let all = bench.all().await;
    let mut ids: Vec<NativeId> = all.iter().map(|incident| incident.key.native.clone()).collect();
    ids.sort();
    let parts = DetailParts { delete_preview: false, ..truth::parts(bench).await };
    let request = DetailRequest { parts, incidents: ids, want: PLAIN };
    let found = bench.source.details(&call(), &request).await.unwrap();
    assert!(found.failed.is_empty(), "{:?}", found.failed);
    let details: Vec<Details> = found.items.into_iter().map(|(_, details)| details).collect();
    let mut leads: BTreeSet<Lead> = all.iter().flat_map(|incident| of_incident(incident)).collect();
    leads.extend(details.iter().flat_map(of_details));
    let told = all.iter().filter_map(|incident| incident.told.as_ref()).flat_map(|told| &told.embedded);
    let embedded = all.iter().flat_map(|incident| &incident.embedded).chain(told);
    let embedded = embedded.chain(details.iter().flat_map(|details| &details.embedded)).chain(&found.embedded);
    let records: BTreeMap<Lead, Record> =
        embedded.map(|record| ((record.kind(), record.key().clone()), record.clone())).collect();
    let further = records.values().flat_map(of_record).collect();
    Known { leads, further, records }
}

pub(super) async fn no_link_leads_nowhere(subject: &Subject) {
    let bench = Bench::start(subject, 100).await;
    let by_id = bench.capabilities().await.by_id.clone();
    let Known { leads, further, mut records } = known(&bench).await;
    assert!(leads.len() > 30, "there are links");
    let mut asked: BTreeSet<Lead> = leads.union(&further).cloned().collect();
    // What is found links to others; four steps are further than any record is from its incident.
    for step in 0..4 {
        let mut open: BTreeMap<RecordKind, Vec<NativeId>> = BTreeMap::new();
        for (kind, key) in asked.iter().filter(|lead| !records.contains_key(*lead)) {
            assert!(by_id.contains(kind), "{kind:?} {} is neither brought along nor had by id", key.native);
            open.entry(*kind).or_default().push(key.native.clone());
        }
        for (kind, ids) in open {
            let found = bench.source.related(&call(), kind, &ids, PLAIN).await.unwrap();
            let more = found.items.into_iter().map(|(_, record)| record).chain(found.embedded);
            records.extend(more.map(|record| ((record.kind(), record.key().clone()), record)));
            assert!(found.failed.is_empty(), "{kind:?}: {:?}", found.failed);
        }
        // What an incident links to is there. Further away a server may name what it does not show to everybody.
        let lost: Vec<&Lead> = leads.iter().filter(|lead| !records.contains_key(*lead)).collect();
        assert!(lost.is_empty(), "links lead to {lost:?}, which are not there");
        let next: BTreeSet<Lead> = records.values().flat_map(of_record).collect();
        asked = if step == 0 { next.difference(&asked).cloned().collect() } else { next };
    }
}

pub(super) async fn records_are_had_by_id_by_kind(subject: &Subject) {
    let bench = Bench::start(subject, 60).await;
    let capabilities = bench.capabilities().await;
    let leads = leads_of(&bench).await;
    for kind in RecordKind::ALL.into_iter().filter(|kind| *kind != RecordKind::Incident) {
        let mut ids: BTreeSet<NativeId> =
            leads.iter().filter(|lead| lead.0 == kind).map(|lead| lead.1.native.clone()).collect();
        let known = ids.clone();
        ids.extend(nobody());
        let asked: Vec<NativeId> = ids.into_iter().collect();
        bench.sandbox.reset_calls();
        let found = bench.source.related(&call(), kind, &asked, PLAIN).await;
        if !capabilities.by_id.contains(&kind) {
            let nothing = found.as_ref().is_ok_and(|found| found.items.is_empty() && found.failed.is_empty());
            assert!(is_unsupported(&found) || nothing, "{kind:?}");
            assert_eq!(bench.sandbox.call_count(), 0, "{kind:?}: nobody is asked what it cannot tell");
            continue;
        }
        let found = found.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        assert!(found.failed.is_empty(), "{kind:?} {:?}", found.failed);
        let given: Vec<&NativeId> = found.items.iter().map(|(id, _)| id).collect();
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len(), "{kind:?}: each once");
        for (id, record) in &found.items {
            let anybody = subject.takes_any_owner && kind == RecordKind::Owner;
            assert!(known.contains(id) || anybody, "{kind:?} {id}: nobody asked for it, or there is no such");
            assert_eq!((record.kind(), &record.key().native), (kind, id));
        }
        assert!(!given.is_empty() || known.is_empty(), "{kind:?}: nothing was found");
    }
}

pub(super) async fn details_come_part_by_part(subject: &Subject) {
    let bench = Bench::start(subject, 30).await;
    let mut ids: Vec<NativeId> = bench.all().await.iter().map(|incident| incident.key.native.clone()).collect();
    let known: BTreeSet<NativeId> = ids.iter().cloned().collect();
    ids.extend(nobody());
    ids.sort();
    let declared = truth::parts(&bench).await;
    let whole = DetailRequest { parts: declared, incidents: ids.clone(), want: PLAIN };
    let whole = bench.source.details(&call(), &whole).await.unwrap();
    let whole: HashMap<NativeId, Details> = whole.items.into_iter().collect();
    for part in DetailPart::ALL {
        let request = DetailRequest { parts: DetailParts::default().with(part), incidents: ids.clone(), want: PLAIN };
        bench.sandbox.reset_calls();
        let found = bench.source.details(&call(), &request).await;
        if !declared.contains(part) {
            let empty = |details: &Details| {
                details.evidence.as_ref().is_none_or(|all| all.is_empty())
                    && details.assets.as_ref().is_none_or(|all| all.is_empty())
            };
            let nothing = found.as_ref().is_ok_and(|found| found.items.iter().all(|(_, details)| empty(details)));
            assert!(is_unsupported(&found) || nothing, "{part:?}");
            assert_eq!(bench.sandbox.call_count(), 0, "{part:?}: nobody is asked what it cannot tell");
            continue;
        }
        let found = found.unwrap();
        // Not every server says that it does not know an id in words of its own.
        assert!(found.failed.iter().all(|(id, _)| nobody().contains(id)), "{part:?}: {:?}", found.failed);
        let given: BTreeSet<NativeId> = found.items.iter().map(|(id, _)| id.clone()).collect();
        assert_eq!((given.len(), &given), (found.items.len(), &known), "{part:?}: each once, and no other");
        for (id, details) in found.items {
            assert!(details.has(part), "{part:?} of {id}");
            let others = DetailPart::ALL.into_iter().filter(|other| *other != part && details.has(*other));
            assert_eq!(others.collect::<Vec<_>>(), [], "{part:?} of {id}: nobody asked");
            let same = match part {
                DetailPart::Comments => details.comments == whole[&id].comments,
                DetailPart::Activity => details.activity == whole[&id].activity,
                DetailPart::Evidence => details.evidence == whole[&id].evidence,
                DetailPart::Assets => details.assets == whole[&id].assets,
                DetailPart::DeletePreview => details.delete_preview == whole[&id].delete_preview,
            };
            assert!(same, "{part:?} of {id}: alone or with others: {details:#?} {:#?}", whole[&id]);
        }
    }
}

pub(super) async fn catalogues_walk_to_their_end(subject: &Subject) {
    let bench = Bench::start(subject, 60).await;
    let capabilities = bench.capabilities().await;
    for kind in RecordKind::ALL {
        let page = |offset, limit| CatalogRequest { kind, offset, limit, want: PLAIN, search: Search::parse("") };
        bench.sandbox.reset_calls();
        if !capabilities.catalog.contains(&kind) {
            let refused = bench.source.catalog(&call(), &page(0, 10)).await;
            assert!(is_unsupported(&refused), "{kind:?}");
            assert_eq!(bench.sandbox.call_count(), 0, "{kind:?}");
            continue;
        }
        let mut known: Option<Vec<Record>> = None;
        for limit in [500, 7] {
            let (mut all, mut offset) = (Vec::<Record>::new(), 0);
            loop {
                let rows = bench.source.catalog(&call(), &page(offset, limit)).await.unwrap();
                assert!(rows.items.len() <= limit && rows.items.iter().all(|record| record.kind() == kind));
                assert!(rows.consumed > 0 || !rows.more, "{kind:?}");
                offset += rows.consumed as u64;
                all.extend(rows.items);
                if !rows.more {
                    assert!(rows.total.is_none_or(|total| total == all.len() as u64), "{kind:?}");
                    break;
                }
            }
            let keys: BTreeSet<&Key> = all.iter().map(Record::key).collect();
            assert_eq!(keys.len(), all.len(), "{kind:?}: each once");
            assert!(!all.is_empty(), "{kind:?}");
            assert!(known.as_ref().is_none_or(|known| *known == all), "{kind:?}: by {limit}");
            known = Some(all);
        }
        let known = known.unwrap();
        if capabilities.by_id.contains(&kind) && kind != RecordKind::Incident {
            let mut ids: Vec<NativeId> = known.iter().map(|record| record.key().native.clone()).collect();
            ids.sort();
            let found = bench.source.related(&call(), kind, &ids, PLAIN).await.unwrap();
            let found: HashMap<NativeId, Record> = found.items.into_iter().collect();
            assert!(known.iter().all(|record| found.get(&record.key().native) == Some(record)), "{kind:?} by id");
        }
    }
}

/// Owners by the e-mail and tags by the name that any link or record tells.
pub(super) async fn names_are_looked_up(subject: &Subject) {
    let bench = Bench::start(subject, 60).await;
    let capabilities = bench.capabilities().await;
    let all = bench.all().await;
    let with_reference = all.iter().find(|incident| incident.reference.is_some()).unwrap();
    let native = with_reference.key.native.to_string();
    let reference = with_reference.reference.as_deref().unwrap();
    let mut references = vec![
        Reference::Incident(native.clone()),
        Reference::Incident(reference.to_owned()),
        Reference::Incident("nothing has this name".into()),
    ];
    let expected = [native.clone(), native, String::new()];
    if capabilities.resolves_names {
        references
            .extend([Reference::OwnerEmail("nobody@nowhere.test".into()), Reference::TagName("no such tag".into())]);
    }
    let found = bench.source.resolve(&call(), &references).await.unwrap();
    assert_eq!(found.len(), references.len(), "one answer each, in order");
    for ((found, expected), reference) in found.iter().zip(&expected).zip(&references) {
        let names: Vec<String> = found.iter().map(NativeId::to_string).collect();
        match &**expected {
            "" => assert!(names.is_empty() || !capabilities.by_id.contains(&RecordKind::Incident), "{reference:?}"),
            expected => assert!(names.iter().any(|name| name == expected), "{reference:?}: {names:?}"),
        }
    }
    assert!(found.iter().skip(3).all(Vec::is_empty), "{found:?}");
    assert!(bench.source.resolve(&call(), &[]).await.unwrap().is_empty());
    if capabilities.resolves_names && capabilities.catalog.contains(&RecordKind::Owner) {
        owners_are_looked_up(&bench).await;
    }
}

async fn owners_are_looked_up(bench: &Bench) {
    let want = Want { profile: true, ..PLAIN };
    let page = CatalogRequest { kind: RecordKind::Owner, offset: 0, limit: 500, want, search: Search::parse("") };
    let owners = bench.source.catalog(&call(), &page).await.unwrap().items;
    let mut emails: BTreeMap<String, BTreeSet<NativeId>> = BTreeMap::new();
    for owner in &owners {
        let Record::Owner(owner) = owner else { panic!("{owner:?}") };
        if let Some(email) = &owner.profile.email {
            emails.entry(email.to_uppercase()).or_default().insert(owner.key.native.clone());
        }
    }
    assert!(emails.len() > 5);
    let references: Vec<Reference> = emails.keys().cloned().map(Reference::OwnerEmail).collect();
    let found = bench.source.resolve(&call(), &references).await.unwrap();
    for ((email, ids), found) in emails.iter().zip(found) {
        assert!(ids.is_subset(&found.into_iter().collect()), "{email}");
    }
    let ids: Vec<NativeId> = owners.iter().map(|owner| owner.key().native.clone()).collect();
    let references: Vec<Reference> = ids.iter().map(|id| Reference::OwnerSourceId(id.to_string())).collect();
    let found = bench.source.resolve(&call(), &references).await.unwrap();
    assert!(ids.iter().zip(&found).all(|(id, found)| found.contains(id)), "an owner's own id names it");
}

pub(super) async fn what_is_received_is_kept_where_it_is_wanted(subject: &Subject) {
    let bench = Bench::start(subject, 40).await;
    let rows: HashMap<String, Value> = bench.rows().await.into_iter().map(|row| (row.id, row.whole)).collect();
    let listed = bench.walk(&[], None, usize::MAX, RAW).await;
    let parse = |raw: &RawJson| -> Value { serde_json::from_str(raw.as_str()).unwrap() };
    for incident in &listed {
        let raw = incident.raw.as_ref().unwrap_or_else(|| panic!("{} has lost what it was", incident.key.native));
        assert_eq!(parse(raw), rows[&incident.key.native.to_string()], "the whole of it");
    }
    let plain = bench.all().await;
    assert!(plain.iter().all(|incident| incident.raw.is_none()));
    let without = |incident: &Arc<Incident>| (incident.key.clone(), incident.title.clone(), incident.updated_at);
    assert!(listed.iter().map(without).eq(plain.iter().map(without)));
    if bench.capabilities().await.by_id.contains(&RecordKind::Incident) {
        let ids: Vec<NativeId> = plain.iter().map(|incident| incident.key.native.clone()).collect();
        let found = bench.source.fetch(&call(), &ids, RAW).await.unwrap();
        assert!(found.items.iter().all(|(_, incident)| incident.raw.is_some()));
    }
}

/// Every link of every record.
pub(super) async fn leads_of(bench: &Bench) -> BTreeSet<Lead> {
    let Known { leads, further, .. } = known(bench).await;
    leads.union(&further).cloned().collect()
}
