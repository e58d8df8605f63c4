//! `Threat`, and an incident's threats with how they concern it.

use super::{
    connection::{IncidentConnection, IncidentsBelow, incidents_below},
    node,
    tied::{self, Asked, Tied, TiedConnection, TiedEdge},
};
use crate::{
    domain::{Incident, Link, RecordKind, Scope, Tag, Term, Test, Threat, ThreatKind, ThreatLink},
    graphql::{
        leaf::Url,
        object::{Child, Hold, Object, declare},
        store::Lookup,
    },
};
use async_graphql::InputObject;

pub(crate) type IncidentThreatConnection = TiedConnection<ThreatLink>;
type IncidentThreatEdge = TiedEdge<ThreatLink>;

declare!(
    Threat as "Threat" => threat,
    IncidentThreatConnection as "IncidentThreatConnection" => connection,
    IncidentThreatEdge as "IncidentThreatEdge" => edge,
);

fn threat() -> Object {
    Object::of::<Threat>("What may harm, or has harmed.")
        .implements(node)
        .identity(RecordKind::Threat, |t| &t.key)
        .field("kind", "What it is.", |t| &t.kind)
        .field("name", "Its name.", |t| &t.name)
        .in_links()
        .field("reference", "Its public or catalogue id: CVE-2024-1234, T1059, THR-01.", |t| &t.reference)
        .field("category", "Its class, in the source's words.", |t| &t.category)
        .field("description", "What it does.", |t| &t.description)
        .field(
            "provider",
            "Who published it. For names that the source does not give: the built-in list they are from.",
            |t| &t.provider,
        )
        .computed("url", "Where to read about it.", |t| t.url.clone().map(Url))
        .field("severity", "How bad it is in itself.", |t| &t.severity)
        .field("sourceSeverity", "The severity in the source's word.", |t| &t.source_severity)
        .field("cvss", "CVSS base score, 0 to 10.", |t| &t.cvss)
        .field("epss", "EPSS: how likely it is to be exploited, 0 to 1.", |t| &t.epss)
        .field("exploitMaturity", "How far its exploits are, in the source's words.", |t| &t.exploit_maturity)
        .field("exploitedInTheWild", "Whether it is known to be exploited.", |t| &t.exploited_in_the_wild)
        .field("lastExploitedOn", "When it was last known to be exploited.", |t| &t.last_exploited_on)
        .one::<Scope>("scope", "Folder, tenant or organisation that holds it.", RecordKind::Scope, |t| t.scope.as_ref())
        .many::<Tag>("tags", "Labels that people put on it.", RecordKind::Tag, |t| &t.tags)
        .raw(|t| &t.raw)
        .view::<IncidentsBelow, IncidentConnection>("incidents", "Incidents tied to it.", |t, page, lookup| {
            incidents_below(Test::Threats(vec![t.key.clone()]), page, lookup)
        })
        .end()
}

impl Tied for ThreatLink {
    type Record = Threat;
    type Kind = ThreatKind;
    const RECORDS: RecordKind = RecordKind::Threat;

    fn link(&self) -> &Link {
        &self.threat
    }
    fn told(&self) -> Option<ThreatKind> {
        self.kind
    }
    fn kind(threat: &Threat) -> ThreatKind {
        threat.kind
    }
}

/// Arguments of `Incident.threats`; in the schema as arguments only.
#[derive(InputObject)]
pub(crate) struct ThreatPage {
    /// At most this many: 1 to 100.
    #[graphql(default_with = "Some(25)")]
    first: Option<i32>,
    /// A cursor of this list; the page starts after it.
    after: Option<String>,
    /// Only threats of these kinds; an empty list matches nothing.
    kinds: Option<Vec<ThreatKind>>,
}

/// The page of an incident's threats that is asked for.
///
/// # Errors
/// Holds for threats of which only the record tells the kind that is asked for; a fault where an argument is wrong.
pub(crate) fn threats<'a>(
    incident: &'a Incident,
    page: &ThreatPage,
    lookup: &Lookup<'a>,
) -> Result<Option<Child<'a>>, Hold> {
    let asked = Asked {
        places: lookup.places("threats", incident),
        first: page.first,
        after: page.after.as_deref(),
        kinds: page.kinds.as_deref(),
        total: None,
    };
    tied::tied(incident.threats.iter(), &asked, lookup)
}

fn connection() -> Object {
    tied::connection::<ThreatLink>("A page of an incident's threats.").end()
}

fn edge() -> Object {
    tied::edge::<ThreatLink>("How a threat concerns the incident.", "The threat.")
        .field("relevance", "How much it concerns the incident, in the source's word.", |edge| &edge.link.relevance)
        .field("linkedAt", "When the two were tied.", |edge| &edge.link.linked_at)
        .field("matchType", "How a vulnerability was matched.", |edge| &edge.link.match_type)
        .field("confidence", "How surely it was matched.", |edge| &edge.link.confidence)
        .many::<Term>("issueTypes", "What a risk factor shows in.", RecordKind::Term, |edge| &edge.link.issue_types)
        .end()
}
