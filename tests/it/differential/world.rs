//! Two sources full of records that differ in what tests must be able to tell apart: absent and empty, named links and
//! bare ones, links to nothing, equal ids of different kinds and sources, equal times.

use super::memory::{Failing, Memory, capabilities};
use chrono::{DateTime, NaiveDate};
use incident_gateway::{domain::*, source::SourceErrorKind};
use std::sync::Arc;

pub(crate) const SOURCES: [&str; 2] = ["grc", "soc"];

/// How many records of each kind a source has; ids are the numbers below.
pub(crate) fn count(kind: RecordKind) -> usize {
    match kind {
        RecordKind::Incident => 7,
        RecordKind::Asset | RecordKind::Evidence => 6,
        RecordKind::Owner => 5,
        RecordKind::Threat | RecordKind::Scope => 4,
        RecordKind::Tag | RecordKind::Term | RecordKind::RelatedRecord => 3,
    }
}

/// The native id of the record with this number.
pub(crate) fn native(kind: RecordKind, number: usize) -> String {
    match kind {
        // Ids that are kept as bytes, and ids that are shown only in part.
        RecordKind::Incident => format!("00000000-0000-4000-8000-{number:012}"),
        RecordKind::RelatedRecord => format!("risks/{number}"),
        _ => number.to_string(),
    }
}

/// Numbers from a seed (SplitMix64): equal seeds, equal worlds.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| make(self))
    }

    fn some<T>(&mut self, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| make(self)).collect()
    }

    fn word<V: Vocabulary>(&mut self) -> V {
        V::WORDS[self.below(V::WORDS.len())].value
    }
}

/// What may go wrong in a world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    /// Links may lead to nothing.
    pub(crate) dangling: bool,
    /// Of a hundred records and calls, this many fail.
    pub(crate) failing: usize,
}

/// The sources of a seed.
pub(crate) fn world(seed: u64, trouble: Trouble) -> Vec<Memory> {
    let mut dice = Dice(seed);
    let filters: [&[IncidentField]; 2] = [&[IncidentField::Severity, IncidentField::Owners], &[]];
    SOURCES
        .into_iter()
        .zip(filters)
        .map(|(name, filters)| {
            let name = SourceName::new(name);
            let mut maker = Maker { dice: &mut dice, source: name.clone(), names: vec![], dangling: trouble.dangling };
            maker.names = RecordKind::ALL.map(|kind| maker.names_of(kind)).into();
            let mut memory = Memory::new(name.as_str(), capabilities(filters), maker.records());
            let ids = (0..count(RecordKind::Incident)).map(|n| native(RecordKind::Incident, n));
            memory.details = ids.map(|id| (NativeId::new(&id), maker.details(&id))).collect();
            memory.failing = failing(&mut dice, trouble.failing);
            memory
        })
        .collect()
}

fn failing(dice: &mut Dice, percent: usize) -> Failing {
    let mut failing = Failing::default();
    let fails = |dice: &mut Dice, percent: usize| {
        let kind = [SourceErrorKind::Timeout, SourceErrorKind::Malformed][dice.below(2)];
        (dice.below(100) < percent).then_some(kind)
    };
    for kind in RecordKind::ALL {
        failing.batches.extend(fails(dice, percent / 3).map(|how| (kind, how)));
        if kind != RecordKind::Incident {
            failing.catalogs.extend(fails(dice, percent).map(|how| (kind, how)));
        }
        for number in 0..=count(kind) {
            let id = NativeId::new(&native(kind, number));
            failing.records.extend(fails(dice, percent).map(|how| ((kind, id.clone()), how)));
            if kind == RecordKind::Incident {
                failing.details.extend(fails(dice, percent).map(|how| (id, how)));
            }
        }
    }
    failing.list = fails(dice, percent);
    failing.all_details = fails(dice, percent / 3);
    failing
}

/// Makes the records of one source.
struct Maker<'d> {
    dice: &'d mut Dice,
    source: SourceName,
    /// By kind and number, so that a link tells the same name as its record.
    names: Vec<Vec<Option<Text>>>,
    dangling: bool,
}

impl Maker<'_> {
    fn names_of(&mut self, kind: RecordKind) -> Vec<Option<Text>> {
        let name = |n: usize| Text::from(format!("{kind:?} \"{n}\" — ñ\\\u{1}"));
        (0..count(kind)).map(|n| (kind == RecordKind::Tag || self.dice.below(4) > 0).then(|| name(n))).collect()
    }

    fn name(&self, kind: RecordKind, number: usize) -> Option<Text> {
        self.names[kind as usize][number].clone()
    }

    fn key(&self, kind: RecordKind, number: usize) -> Key {
        Key::new(&self.source, native(kind, number).as_str())
    }

    fn link(&mut self, kind: RecordKind) -> Link {
        let number = self.dice.below(count(kind) + usize::from(self.dangling));
        let gone = || Some("Gone".into());
        let name = self.names[kind as usize].get(number).cloned().unwrap_or_else(gone);
        Link { key: self.key(kind, number), name: name.filter(|_| self.dice.below(2) == 0) }
    }

    fn links(&mut self, kind: RecordKind) -> Vec<Link> {
        (0..self.dice.below(4)).map(|_| self.link(kind)).collect()
    }

    fn maybe_link(&mut self, kind: RecordKind) -> Option<Link> {
        (self.dice.below(3) > 0).then(|| self.link(kind))
    }

    fn maybe_links(&mut self, kind: RecordKind) -> Option<Vec<Link>> {
        (self.dice.below(3) > 0).then(|| self.links(kind))
    }

    fn raw(&mut self, kind: RecordKind, number: usize) -> Option<RawJson> {
        self.dice.maybe(|_| RawJson::new(format!("{{\"{kind:?}\":[{number},null,\"é\"]}}")))
    }

    fn time(&mut self) -> Time {
        let hours = i64::try_from(self.dice.below(5)).unwrap();
        DateTime::from_timestamp(1_776_000_000 + 3_600 * hours, 0).unwrap()
    }

    fn records(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        for kind in RecordKind::ALL {
            for number in 0..count(kind) {
                records.push(self.record(kind, number));
            }
        }
        records
    }

    fn record(&mut self, kind: RecordKind, n: usize) -> Record {
        match kind {
            RecordKind::Incident => Record::Incident(Arc::new(self.incident(n))),
            RecordKind::Asset => Record::Asset(Arc::new(self.asset(n))),
            RecordKind::Threat => Record::Threat(Arc::new(self.threat(n))),
            RecordKind::Owner => Record::Owner(Arc::new(self.owner(n))),
            RecordKind::Evidence => Record::Evidence(Arc::new(self.evidence(n))),
            RecordKind::Scope => Record::Scope(Arc::new(Scope {
                key: self.key(kind, n),
                kind: self.dice.word(),
                name: self.name(kind, n),
                description: self.dice.maybe(|_| "A scope".into()),
                root: self.dice.maybe(|dice| dice.below(2) == 0),
                parent: self.maybe_link(RecordKind::Scope),
                path: self.links(RecordKind::Scope),
                raw: self.raw(kind, n),
            })),
            RecordKind::Tag => Record::Tag(Arc::new(Tag {
                key: self.key(kind, n),
                name: self.name(kind, n).unwrap(),
                created_by: self.maybe_link(RecordKind::Owner),
                scope: self.maybe_link(RecordKind::Scope),
            })),
            RecordKind::Term => Record::Term(Arc::new(Term {
                key: self.key(kind, n),
                kind: self.dice.word(),
                name: format!("term-{n}").into(),
                label: self.name(kind, n),
                description: self.dice.maybe(|_| "".into()),
                selectable: self.dice.maybe(|_| true),
            })),
            RecordKind::RelatedRecord => Record::RelatedRecord(Arc::new(RelatedRecord {
                key: self.key(kind, n),
                kind: self.dice.word(),
                name: self.name(kind, n),
                reference: self.dice.maybe(|_| format!("R-{n}").into()),
                description: None,
                raw: self.raw(kind, n),
            })),
        }
    }

    fn incident(&mut self, n: usize) -> Incident {
        let kind = RecordKind::Incident;
        Incident {
            title: self.name(kind, n),
            reference: self.dice.maybe(|_| format!("INC-{n}").into()),
            severity: self.dice.word(),
            status: self.dice.word(),
            published: self.dice.maybe(|dice| dice.below(2) == 0),
            host_count: self.dice.maybe(|dice| i32::try_from(dice.below(9)).unwrap() - 4),
            origins: self.dice.some(|dice| format!("origin {}", dice.below(9)).into()),
            created_at: (self.dice.below(6) > 0).then(|| self.time()),
            scores: self.dice.some(|dice| Score {
                kind: dice.word(),
                name: "risk".into(),
                value: dice.below(40) as f64 / 8.0,
                version_matched: dice.maybe(|_| false),
            }),
            alert_counts: self.dice.maybe(|dice| AlertCounts { total: dice.maybe(|_| 3), ..AlertCounts::default() }),
            exposure: self.dice.maybe(|_| Box::new(Exposure { port: Some(443), ..Exposure::default() })),
            owners: self.links(RecordKind::Owner),
            created_by: self.maybe_link(RecordKind::Owner),
            assets: (0..self.dice.below(6)).map(|_| self.asset_link()).collect(),
            threats: (0..self.dice.below(4)).map(|_| self.threat_link()).collect(),
            tags: self.links(RecordKind::Tag),
            qualifications: self.links(RecordKind::Term),
            entities: self.links(RecordKind::RelatedRecord),
            related_records: (0..self.dice.below(4)).map(|_| self.related_link()).collect(),
            scope: self.maybe_link(RecordKind::Scope),
            raw: self.raw(kind, n),
            ..Incident::new(self.key(kind, n), SourceKind::CisoAssistant)
        }
    }

    fn related_link(&mut self) -> RelatedLink {
        RelatedLink { record: self.link(RecordKind::RelatedRecord), kind: self.dice.word(), by_id: true }
    }

    /// Assets are of three kinds only, so that a choice of kinds leaves some and drops some.
    fn asset_kind(number: usize) -> AssetKind {
        [AssetKind::Host, AssetKind::Domain, AssetKind::Other][number % 3]
    }

    fn number(link: &Link) -> usize {
        link.key.native.to_string().parse().unwrap()
    }

    fn asset_link(&mut self) -> AssetLink {
        let asset = self.link(RecordKind::Asset);
        let kind = Some(Self::asset_kind(Self::number(&asset))).filter(|_| self.dice.below(2) == 0);
        AssetLink { kind, roles: self.dice.some(Dice::word), source_roles: vec![], asset }
    }

    fn threat_link(&mut self) -> ThreatLink {
        let threat = self.link(RecordKind::Threat);
        let told = Some(ThreatKind::WORDS[Self::number(&threat) % 2].value).filter(|_| self.dice.below(2) == 0);
        ThreatLink {
            kind: told,
            relevance: self.dice.maybe(|_| "high".into()),
            issue_types: self.links(RecordKind::Term),
            ..ThreatLink::new(threat)
        }
    }

    fn asset(&mut self, n: usize) -> Asset {
        let kind = RecordKind::Asset;
        Asset {
            name: self.name(kind, n),
            description: self.dice.maybe(|_| format!("Asset {n}\nof {}", "soc").into()),
            owners: self.maybe_links(RecordKind::Owner),
            parents: self.maybe_links(RecordKind::Asset),
            children: self.maybe_links(RecordKind::Asset),
            scope: self.maybe_link(RecordKind::Scope),
            tags: self.links(RecordKind::Tag),
            raw: self.raw(kind, n),
            ..Asset::new(self.key(kind, n), Self::asset_kind(n))
        }
    }

    fn threat(&mut self, n: usize) -> Threat {
        let kind = RecordKind::Threat;
        Threat {
            name: self.name(kind, n),
            cvss: self.dice.maybe(|dice| dice.below(80) as f64 / 8.0),
            last_exploited_on: self.dice.maybe(|_| NaiveDate::from_ymd_opt(2026, 2, 3).unwrap()),
            scope: self.maybe_link(RecordKind::Scope),
            tags: self.links(RecordKind::Tag),
            raw: self.raw(kind, n),
            ..Threat::new(self.key(kind, n), ThreatKind::WORDS[n % 2].value)
        }
    }

    fn owner(&mut self, n: usize) -> Owner {
        let kind = RecordKind::Owner;
        Owner {
            key: self.key(kind, n),
            kind: self.dice.word(),
            source_type: None,
            name: self.name(kind, n),
            profile: OwnerProfile {
                email: self.dice.maybe(|_| format!("{n}@example.org").into()),
                active: self.dice.maybe(|dice| dice.below(2) == 0),
                leader: self.maybe_link(RecordKind::Owner),
                deputies: self.maybe_links(RecordKind::Owner),
                members: self.maybe_links(RecordKind::Owner),
                scope: self.maybe_link(RecordKind::Scope),
                raw: self.raw(kind, n),
                ..OwnerProfile::default()
            },
        }
    }

    fn evidence(&mut self, n: usize) -> Evidence {
        let kind = RecordKind::Evidence;
        Evidence {
            title: self.name(kind, n),
            description: self.dice.maybe(|_| "Seen".into()),
            observable: self.dice.maybe(|_| Observable { value: Some("::1".into()), observable_type: None }),
            owners: self.maybe_links(RecordKind::Owner),
            scope: self.maybe_link(RecordKind::Scope),
            tags: self.links(RecordKind::Tag),
            raw: self.raw(kind, n),
            ..Evidence::new(self.key(kind, n), EvidenceKind::WORDS[n % 2].value)
        }
    }

    fn details(&mut self, incident: &str) -> Details {
        let key = |source: &SourceName, n: usize| Key::new(source, format!("{incident}-{n}").as_str());
        let comments = (0..self.dice.below(4)).map(|n| Comment {
            key: key(&self.source, n),
            kind: self.dice.word(),
            source_type: None,
            title: None,
            body: self.dice.maybe(|_| "Look".into()),
            author: self.maybe_link(RecordKind::Owner),
            at: None,
            created_at: Some(self.time()),
            updated_at: None,
            evidence: self.links(RecordKind::Evidence),
            raw: self.raw(RecordKind::Incident, n),
        });
        let comments = comments.collect();
        let activity = (0..self.dice.below(4)).map(|n| Activity {
            key: key(&self.source, n),
            kind: self.dice.word(),
            source_type: None,
            at: Some(self.time()),
            actor: self.maybe_link(RecordKind::Owner),
            title: self.dice.maybe(|_| "Changed".into()),
            description: None,
            changes: vec![],
            evidence: self.links(RecordKind::Evidence),
            subject_type: None,
            subject_id: None,
            details: None,
            raw: self.raw(RecordKind::Incident, n),
        });
        let activity = activity.collect();
        let evidence = (0..self.dice.below(5)).map(|_| {
            let evidence = self.link(RecordKind::Evidence);
            let told = Some(EvidenceKind::WORDS[Self::number(&evidence) % 2].value);
            EvidenceLink {
                kind: told.filter(|_| self.dice.below(2) == 0),
                evidence,
                added_at: Some(self.time()),
                added_by: self.maybe_link(RecordKind::Owner),
                obtained_from: self.dice.maybe(Dice::word),
            }
        });
        let evidence = evidence.collect();
        Details {
            comments: Some(Arc::new(comments)),
            activity: Some(Arc::new(activity)),
            evidence: Some(Arc::new(evidence)),
            ..Details::default()
        }
    }
}
