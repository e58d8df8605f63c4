//! From rows to incidents and the records they tell in full. Pure; never fails: what is not understood is left absent or
//! kept as text, and noted.

use super::wire::{Core, IncidentRow, ObjectiveRow, TagRow, UserRow};
use super::{picture::picture, words};
use crate::{
    domain::{
        Details, Incident, IncidentStatus, Key, Link, NativeId, Owner, OwnerKind, OwnerProfile, RawJson, Record,
        RelatedLink, RelatedRecord, RelatedRecordKind, Scope, ScopeKind, Severity, SourceKind, SourceName, Tag, Term,
        TermKind, Text, Threat, ThreatKind, ThreatLink, Time,
    },
    vendors::common::{Id, Moment, Scalar},
};
use std::{collections::BTreeSet, sync::Arc};

/// The first part of the native id of a linked risk.
const RISKS: &str = "risks";
/// Where the addresses of service accounts are.
const SERVICE_ACCOUNTS: &str = "@svc.adversarial.com";

/// What was noticed while mapping.
#[derive(Default, Debug)]
pub(super) struct Notes {
    /// Words of closed sets that no document has: the member and the word.
    pub(super) unknown: BTreeSet<(&'static str, Text)>,
}

/// Makes records of one source.
pub(super) struct Mapper {
    pub(super) source: SourceName,
}

impl Mapper {
    pub(super) fn key(&self, id: impl Into<NativeId>) -> Key {
        Key::new(&self.source, id)
    }

    /// An incident with all that its row tells of others.
    pub(super) fn incident(&self, row: IncidentRow, raw: Option<RawJson>, notes: &mut Notes) -> Incident {
        let mut incident = Incident::new(self.key(row.incident.id.0.clone()), SourceKind::Adversarial);
        incident.raw = raw;
        incident.comment_count = row.comment_count.and_then(|Scalar(count)| count.parse().ok());
        incident.told = incident.comment_count.and_then(no_comments);
        self.core(&mut incident, row.incident, notes);
        for tag in row.tags.into_iter().flatten() {
            self.tag(&mut incident, tag);
        }
        for objective in row.threat_objectives.into_iter().flatten() {
            self.objective(&mut incident, objective, notes);
        }
        for reference in row.risk_associations.into_iter().flatten() {
            self.risk(&mut incident, reference);
        }
        incident
    }

    fn core(&self, incident: &mut Incident, core: Core, notes: &mut Notes) {
        incident.reference = Some(core.id.0.to_string().into());
        incident.title = core.title;
        incident.description = core.description;
        incident.severity_reasoning = core.severity_reasoning;
        incident.origins.extend(filled(core.source));
        incident.created_at = time(core.created_date);
        incident.updated_at = time(core.updated_date);
        incident.detected_at = time(core.detected_date);
        incident.occurred_at = time(core.occurred_date);
        incident.responded_at = time(core.responded_date);
        incident.contained_at = time(core.contained_date);
        let assignee = core.assigned_to.and_then(|row| self.user(&row, &mut incident.embedded));
        incident.owners.extend(assignee);
        incident.created_by = core.opened_by.and_then(|row| self.user(&row, &mut incident.embedded));
        self.words(incident, core.severity, core.status, notes);
    }

    /// The two closed sets. Their words stay beside what they mean.
    fn words(&self, incident: &mut Incident, severity: Option<Text>, status: Option<Text>, notes: &mut Notes) {
        let (severity, status) = (filled(severity), filled(status));
        if let Some(word) = &severity {
            incident.severity = words::severity(word).unwrap_or_else(|| {
                notes.unknown.insert(("severity", word.clone()));
                Severity::Unknown
            });
        }
        if let Some(word) = &status {
            incident.status = words::status(word).unwrap_or_else(|| {
                notes.unknown.insert(("status", word.clone()));
                IncidentStatus::Other
            });
        }
        (incident.source_severity, incident.source_status) = (severity, status);
    }

    /// A link to a user, whose record goes among the embedded ones.
    pub(super) fn user(&self, row: &UserRow, embedded: &mut Vec<Record>) -> Option<Link> {
        let owner = self.owner(row)?;
        let link = Link { key: owner.key.clone(), name: owner.name.clone() };
        embed(embedded, Record::Owner(Arc::new(owner)));
        Some(link)
    }

    /// A user as an owner; none where nothing tells which one.
    pub(super) fn owner(&self, row: &UserRow) -> Option<Owner> {
        let (first_name, last_name) = (filled(row.first_name.clone()), filled(row.last_name.clone()));
        let email = filled(row.email.clone());
        let names: Vec<&str> = [&first_name, &last_name].into_iter().flatten().map(|name| &**name).collect();
        let name = if names.is_empty() { email.clone() } else { Some(names.join(" ").into()) };
        let id = filled(row.id.clone().map(|Scalar(id)| id)).or_else(|| email.clone()).or_else(|| name.clone())?;
        let key = self.key(&*id);
        let service = email.as_ref().is_some_and(|email| email.to_ascii_lowercase().ends_with(SERVICE_ACCOUNTS));
        let kind = match &name {
            _ if service => OwnerKind::ServiceAccount,
            Some(_) => OwnerKind::User,
            None => OwnerKind::Unknown,
        };
        let avatar = filled(row.icon.clone()).map(picture);
        let profile = OwnerProfile { first_name, last_name, email, avatar, ..OwnerProfile::default() };
        Some(Owner { key, kind, source_type: None, name, profile })
    }

    fn tag(&self, incident: &mut Incident, row: TagRow) {
        let TagRow { id: Id(id), content, creator_id, org_id } = row;
        let key = self.key(&*id);
        if incident.tags.iter().any(|other| other.key == key) {
            return;
        }
        let (creator_id, org_id) = [creator_id, org_id].map(|id| id.filter(|Scalar(id)| !id.trim().is_empty())).into();
        let scope = org_id.map(|Scalar(id)| self.key(&*id));
        if let Some(key) = &scope {
            embed(&mut incident.embedded, Record::Scope(Arc::new(organization(key.clone()))));
        }
        let creator = creator_id.map(|Scalar(id)| UserRow { id: Some(Scalar(id)), ..UserRow::default() });
        let tag = Tag {
            key,
            name: content.clone(),
            created_by: creator.and_then(|row| self.user(&row, &mut incident.embedded)),
            scope: scope.map(Link::bare),
        };
        incident.tags.push(Link::new(tag.key.clone(), content));
        embed(&mut incident.embedded, Record::Tag(Arc::new(tag)));
    }

    fn objective(&self, incident: &mut Incident, row: ObjectiveRow, notes: &mut Notes) {
        let word = row.threat_objective;
        if !words::OBJECTIVES.contains(&&*word) {
            notes.unknown.insert(("threat objective", word.clone()));
        }
        let threat = self.threat(&word);
        // The same with another relevance is another link.
        let relevance = filled(row.relevance);
        if incident.threats.iter().any(|other| other.threat.key == threat.key && other.relevance == relevance) {
            return;
        }
        incident.threats.push(ThreatLink {
            kind: Some(ThreatKind::Objective),
            relevance,
            linked_at: time(row.created_date),
            ..ThreatLink::new(Link::new(threat.key.clone(), word))
        });
        embed(&mut incident.embedded, Record::Threat(Arc::new(threat)));
    }

    /// An objective, which is named by its own word.
    pub(super) fn threat(&self, word: &str) -> Threat {
        let mut threat = Threat::new(self.key(word), ThreatKind::Objective);
        threat.name = Some(word.into());
        threat
    }

    /// A linked risk: its reference is all that is told.
    fn risk(&self, incident: &mut Incident, reference: Text) {
        let key = self.key(&*format!("{RISKS}/{reference}"));
        if reference.trim().is_empty() || incident.related_records.iter().any(|other| other.record.key == key) {
            return;
        }
        let record = RelatedRecord {
            key: key.clone(),
            kind: RelatedRecordKind::Risk,
            name: None,
            reference: Some(reference),
            description: None,
            raw: None,
        };
        // Embedded, so that looking it up costs nothing and tells its reference.
        let link = RelatedLink { record: Link::bare(key), kind: RelatedRecordKind::Risk, by_id: true };
        incident.related_records.push(link);
        embed(&mut incident.embedded, Record::RelatedRecord(Arc::new(record)));
    }

    /// A source that incidents come from; its name is all there is.
    pub(super) fn term(&self, name: Text) -> Term {
        Term {
            key: self.key(&*name),
            kind: TermKind::Origin,
            name,
            label: None,
            description: None,
            selectable: Some(true),
        }
    }
}

/// A count of zero tells all comments there are, so that nobody has to ask for them.
fn no_comments(count: u64) -> Option<Arc<Details>> {
    (count == 0).then(|| Arc::new(Details { comments: Some(Arc::default()), ..Details::default() }))
}

/// Keeps a record once: what is told in full comes before what is told by its id.
pub(super) fn embed(embedded: &mut Vec<Record>, record: Record) {
    if !embedded.iter().any(|other| other.kind() == record.kind() && other.key() == record.key()) {
        embedded.push(record);
    }
}

/// An organisation, of which nothing but the id is told anywhere.
fn organization(key: Key) -> Scope {
    Scope {
        path: vec![Link::bare(key.clone())],
        key,
        kind: ScopeKind::Organization,
        name: None,
        description: None,
        root: None,
        parent: None,
        raw: None,
    }
}

pub(super) fn filled(text: Option<Text>) -> Option<Text> {
    text.filter(|text| !text.trim().is_empty())
}

pub(super) fn time(moment: Option<Moment>) -> Option<Time> {
    moment.map(|Moment(time)| time)
}
