//! `Evidence`, the parts that its kinds have, and an incident's evidence with how it came there.

use super::{
    node, page,
    tied::{self, Asked, Tied, TiedConnection, TiedEdge},
};
use crate::{
    domain::{
        AlertDetails, Attachment, DetailPart, DetectionRule, Evidence, EvidenceKind, EvidenceLink, Incident, Link,
        LogEvent, Observable, Owner, RecordKind, Scope, Tag, Threat,
    },
    graphql::{
        leaf::Url,
        need::Need,
        object::{Child, Declare, Hold, Object, declare},
        store::Lookup,
    },
    source::Capabilities,
};
use async_graphql::InputObject;

pub(crate) type IncidentEvidenceConnection = TiedConnection<EvidenceLink>;
type IncidentEvidenceEdge = TiedEdge<EvidenceLink>;

declare!(
    Evidence as "Evidence" => evidence_type,
    LogEvent as "LogEvent" => event,
    Observable as "Observable" => observable,
    DetectionRule as "DetectionRule" => rule,
    AlertDetails as "AlertDetails" => alert,
    ServedAttachment as "Attachment" => attachment,
    IncidentEvidenceConnection as "IncidentEvidenceConnection" => connection,
    IncidentEvidenceEdge as "IncidentEvidenceEdge" => edge,
);

fn evidence_type() -> Object {
    let declared = Object::of::<Evidence>(
        "Anything that documents or supports an incident. The part for its kind is filled, the others are null.",
    )
    .implements(node)
    .identity(RecordKind::Evidence, |e| &e.key);
    parts(words(declared))
        .maybe_many::<Owner>("owners", "Who answers for it.", RecordKind::Owner, |e| e.owners.as_deref())
        .one::<Scope>("scope", "Folder, tenant or organisation that holds it.", RecordKind::Scope, |e| e.scope.as_ref())
        .many::<Tag>("tags", "Labels that people put on it.", RecordKind::Tag, |e| &e.tags)
        .raw(|e| &e.raw)
        .end()
}

fn words(declared: Declare<Evidence>) -> Declare<Evidence> {
    declared
        .field("kind", "What it is.", |e| &e.kind)
        .field("sourceType", "What it is in the source's word.", |e| &e.source_type)
        .field("title", "Its name.", |e| &e.title)
        .in_links()
        .field("description", "What it shows, in somebody's words.", |e| &e.description)
        .field("category", "Its class, in the source's words.", |e| &e.category)
        .field("severity", "How bad what it shows is.", |e| &e.severity)
        .field("sourceSeverity", "The severity in the source's word.", |e| &e.source_severity)
        .field("sourceStatus", "The state of a document, in the source's words.", |e| &e.source_status)
        .field("observedAt", "When it happened, by its own clock.", |e| &e.observed_at)
        .field("createdAt", "When the source made the record.", |e| &e.created_at)
        .field("updatedAt", "When it was last changed.", |e| &e.updated_at)
        .field("expiresOn", "The day on which a document is no longer valid.", |e| &e.expires_on)
}

fn parts(declared: Declare<Evidence>) -> Declare<Evidence> {
    declared
        .maybe_object("event", "Of a log event.", |e| e.event.as_deref())
        .maybe_object("observable", "What was seen; also of network and file artifacts.", |e| e.observable.as_ref())
        .maybe_object("rule", "Of a rule.", |e| e.rule.as_ref())
        .maybe_object("alert", "Of an alert.", |e| e.alert.as_deref())
        .found::<ServedAttachment>("attachment", "The file that is kept with it.", |e, lookup| {
            let Some(attachment) = &e.attachment else { return Ok(Child::Null) };
            let capabilities = lookup.found::<Capabilities>(Need::Capabilities(e.key.source.clone()))?;
            let served = capabilities.is_some_and(|capabilities| capabilities.attachments);
            let url = served.then(|| lookup.session().downloads.attachment(&e.key, lookup.session()));
            let url = url.map(|url| Url(url.into()));
            Ok(Child::Made(Box::new(ServedAttachment { attachment: attachment.clone(), url })))
        })
        .field("link", "The link that people put on it; any text.", |e| &e.link)
}

fn event() -> Object {
    Object::of::<LogEvent>("An event from a log.")
        .field("eventCode", "The number that the log gives such events.", |e| &e.event_code)
        .field("message", "The event as text.", |e| &e.message)
        .field("logName", "What the log is about, as `security`.", |e| &e.log_name)
        .field("logProvider", "Which program wrote it.", |e| &e.log_provider)
        .field("loggedAt", "When the source stored it.", |e| &e.logged_at)
        .field("hostName", "Where it happened.", |e| &e.host_name)
        .field("hostType", "What that host is, in the source's word.", |e| &e.host_type)
        .field("sourceIpAddress", "Where it came from on the network.", |e| &e.source_ip_address)
        .field("userName", "Whose account it happened with.", |e| &e.user_name)
        .field("threshold", "Raised by a threshold, not by one event.", |e| &e.threshold)
        .end()
}

fn observable() -> Object {
    Object::of::<Observable>("Something that was seen. Also filled for network and file artifacts.")
        .field("type", "What it is, as the source writes it: `ip`, `sha256`.", |o| &o.observable_type)
        .field("value", "What was seen.", |o| &o.value)
        .end()
}

fn rule() -> Object {
    Object::of::<DetectionRule>("The rule that raised an incident.")
        .field("type", "What kind of rule it is, in the source's word.", |r| &r.rule_type)
        .field("confidence", "How sure the rule is, in the source's word.", |r| &r.confidence)
        .field("custom", "Made by the source's users, not by its vendor.", |r| &r.custom)
        .end()
}

fn alert() -> Object {
    Object::of::<AlertDetails>("What an alert tells beyond other evidence.")
        .field("reference", "What people call it: a reference number or short id.", |a| &a.reference)
        .field("status", "Where it stands.", |a| &a.status)
        .field("sourceStatus", "The status in the source's word.", |a| &a.source_status)
        .field("resolution", "How it ended.", |a| &a.resolution)
        .field("resolutionComment", "What people wrote about how it ended.", |a| &a.resolution_comment)
        .field("hostName", "The host that it is about.", |a| &a.host_name)
        .field("action", "What was done against it, in the source's words.", |a| &a.action)
        .field("firstEventAt", "Its first event.", |a| &a.first_event_at)
        .field("lastEventAt", "Its last event.", |a| &a.last_event_at)
        .many::<Threat>("threats", "What caused it, or may have.", RecordKind::Threat, |a| &a.threats)
        .end()
}

/// A file, and where the gateway serves it to this caller.
struct ServedAttachment {
    attachment: Attachment,
    url: Option<Url>,
}

fn attachment() -> Object {
    Object::of::<ServedAttachment>("A file kept with a piece of evidence.")
        .field("fileName", "Its name.", |a| &a.attachment.file_name)
        .field("size", "As the source gives it.", |a| &a.attachment.size)
        .field("mediaType", "Its type, as `application/pdf`.", |a| &a.attachment.media_type)
        .field("url", "Served through the gateway; null where the source gives no way to fetch it.", |a| &a.url)
        .end()
}

impl Tied for EvidenceLink {
    type Record = Evidence;
    type Kind = EvidenceKind;
    const RECORDS: RecordKind = RecordKind::Evidence;

    fn link(&self) -> &Link {
        &self.evidence
    }
    fn told(&self) -> Option<EvidenceKind> {
        self.kind
    }
    fn kind(evidence: &Evidence) -> EvidenceKind {
        evidence.kind
    }
}

/// Arguments of `Incident.evidence`; in the schema as arguments only.
#[derive(InputObject)]
pub(crate) struct EvidencePage {
    /// At most this many: 1 to 100.
    #[graphql(default_with = "Some(25)")]
    first: Option<i32>,
    /// A cursor of this list; the page starts after it.
    after: Option<String>,
    /// Only evidence of these kinds; an empty list matches nothing.
    kinds: Option<Vec<EvidenceKind>>,
}

/// The page of an incident's evidence that is asked for; none where the incident is gone.
///
/// # Errors
/// Holds for the detail, and for evidence of which only the record tells the kind that is asked for; a fault where an
/// argument is wrong or the source failed.
pub(crate) fn evidence<'a>(
    incident: &'a Incident,
    asked: &EvidencePage,
    lookup: &Lookup<'a>,
) -> Result<Option<Child<'a>>, Hold> {
    let places = lookup.places("evidence", incident);
    page::check(asked.first, asked.after.as_deref(), &places)?;
    let details = lookup.detail(DetailPart::Evidence, incident)?;
    let Some(links) = details.and_then(|details| details.evidence.as_deref()) else { return Ok(None) };
    let asked = Asked {
        places,
        first: asked.first,
        after: asked.after.as_deref(),
        kinds: asked.kinds.as_deref(),
        total: details.and_then(|details| details.evidence_total),
    };
    tied::tied(links.iter(), &asked, lookup)
}

fn connection() -> Object {
    tied::connection::<EvidenceLink>("A page of an incident's evidence.").end()
}

fn edge() -> Object {
    tied::edge::<EvidenceLink>(
        "A piece of evidence: when it was tied to the incident, by whom, and with which kind of query it was found.",
        "The piece of evidence.",
    )
    .field("addedAt", "When it was tied to the incident.", |edge| &edge.link.added_at)
    .one::<Owner>("addedBy", "Who tied it to the incident.", RecordKind::Owner, |edge| edge.link.added_by.as_ref())
    .field("obtainedFrom", "With which kind of query it was found.", |edge| &edge.link.obtained_from)
    .end()
}
