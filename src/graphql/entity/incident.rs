//! `Incident`, and the small objects that it holds.

use super::{
    asset::{self, AssetPage, IncidentAssetConnection},
    evidence::{self, EvidencePage, IncidentEvidenceConnection},
    node,
    page::PageArguments,
    source::{Download, ReportArguments},
    threat::{self, IncidentThreatConnection, ThreatPage},
    timeline::{self, ActivityConnection, CommentConnection},
};
use crate::{
    domain::{
        AlertCounts, CascadePreview, DetailPart, Exposure, HiddenLinks, Incident, Owner, RecordKind, RelatedLink,
        RelatedRecord, RelatedRecordKind, Scope, Score, Tag, Term,
    },
    graphql::{
        leaf::Url,
        object::{Child, Declare, Hold, Object, Wants, declare},
        store::Lookup,
    },
};
use async_graphql::InputObject;

declare!(
    Incident as "Incident" => incident,
    Score as "Score" => score,
    AlertCounts as "AlertCounts" => alert_counts,
    Exposure as "Exposure" => exposure,
    HiddenLinks as "HiddenLinks" => hidden_links,
);

fn incident() -> Object {
    let declared = Object::of::<Incident>("One security incident, as its source tells it.")
        .implements(node)
        .identity(RecordKind::Incident, |i| &i.key);
    links(moments(states(words(declared)))).raw(|i| &i.raw).end()
}

fn words(declared: Declare<Incident>) -> Declare<Incident> {
    declared
        .field("reference", "What people call it: a reference number or short id.", |i| &i.reference)
        .field("externalReference", "The id it has in a third system.", |i| &i.external_reference)
        .field("title", "Its name.", |i| &i.title)
        .field("description", "What happened, in somebody's words.", |i| &i.description)
        .wants(Wants::Text)
        .field(
            "computedDescription",
            "The text that the source generated, where people can put their own in its place.",
            |i| &i.computed_description,
        )
        .wants(Wants::Text)
        .field("notes", "One free text kept on the incident itself; dated remarks are `comments`.", |i| &i.notes)
        .wants(Wants::Text)
        .computed("url", "Its page in the vendor's own UI.", |i| i.url.clone().map(Url))
        .field("link", "The link that people put on it; any text.", |i| &i.link)
        .field("origins", "Where it came from: the systems, channels or detection technologies that raised it.", |i| {
            &i.origins
        })
        .field("categories", "Kinds of its alerts, in the source's words.", |i| &i.categories)
}

fn states(declared: Declare<Incident>) -> Declare<Incident> {
    declared
        .field("severity", "The one in force: manual if there is one, else computed.", |i| &i.severity)
        .field("sourceSeverity", "The severity in the source's word.", |i| &i.source_severity)
        .field("computedSeverity", "Computed by the source; only where it keeps the two apart.", |i| {
            &i.computed_severity
        })
        .field("manualSeverity", "Set by a person; only where the source keeps the two apart.", |i| &i.manual_severity)
        .field("severityReasoning", "Why it has this severity.", |i| &i.severity_reasoning)
        .wants(Wants::Text)
        .field("priority", "How soon to work on it.", |i| &i.priority)
        .field("sourcePriority", "The priority in the source's word.", |i| &i.source_priority)
        .objects::<Score, _>("scores", "The source's numbers for how bad it is.", |i| &i.scores)
        .field("status", "Where it stands.", |i| &i.status)
        .field("sourceStatus", "The status in the source's word.", |i| &i.source_status)
        .computed("phase", "Derived from `status`.", Incident::phase)
        .field("resolution", "How it ended.", |i| &i.resolution)
        .field("sourceResolution", "The resolution in the source's word.", |i| &i.source_resolution)
        .field("resolutionComment", "What people wrote about how it ended.", |i| &i.resolution_comment)
        .wants(Wants::Text)
        .field("detection", "Who noticed: our own side or an outsider.", |i| &i.detection)
        .field("sourceDetection", "The detection in the source's word.", |i| &i.source_detection)
        .field("createdManually", "Made by a person, not by a rule.", |i| &i.created_manually)
        .field("published", "Whether it is published at the source.", |i| &i.published)
        .field("starred", "Marked as worth attention.", |i| &i.starred)
        .field("starredManually", "Starred by a person, not by a rule.", |i| &i.starred_manually)
        .field("blocked", "Blocked by the source against changes.", |i| &i.blocked)
        .field("alertGroupingEnabled", "Whether the source still adds new alerts to it.", |i| &i.alert_grouping_enabled)
        .field("continuityPlanActivated", "Whether a business continuity plan was activated for it.", |i| {
            &i.continuity_plan_activated
        })
}

fn moments(declared: Declare<Incident>) -> Declare<Incident> {
    declared
        .field("createdAt", "When the source made the record.", |i| &i.created_at)
        .field("updatedAt", "When it was last changed.", |i| &i.updated_at)
        .field("occurredAt", "Began.", |i| &i.occurred_at)
        .field("detectedAt", "Became known.", |i| &i.detected_at)
        .field("reportedAt", "Was reported.", |i| &i.reported_at)
        .field("respondedAt", "When somebody first reacted.", |i| &i.responded_at)
        .field("containedAt", "When it could no longer spread.", |i| &i.contained_at)
        .field("resolvedAt", "When it was resolved.", |i| &i.resolved_at)
        .field("statusChangedAt", "When it got its status.", |i| &i.status_changed_at)
        .field("dueAt", "When it is due.", |i| &i.due_at)
        .field("firstEventAt", "Its first event.", |i| &i.first_event_at)
        .field("lastEventAt", "Its last event or last observation.", |i| &i.last_event_at)
}

fn links(declared: Declare<Incident>) -> Declare<Incident> {
    declared
        .maybe_many::<Owner>("owners", "Assignees.", RecordKind::Owner, |i| Some(&i.owners))
        .one::<Owner>("createdBy", "Who made it.", RecordKind::Owner, |i| i.created_by.as_ref())
        .view::<AssetPage, IncidentAssetConnection>("assets", "What it touches.", asset::assets)
        .wants(Wants::Detail)
        .view::<ThreatPage, IncidentThreatConnection>("threats", "What caused it, or may have.", threat::threats)
        .view::<EvidencePage, IncidentEvidenceConnection>(
            "evidence",
            "What documents or supports it.",
            evidence::evidence,
        )
        .wants(Wants::Detail)
        .view::<PageArguments, CommentConnection>("comments", "What people wrote, newest first.", timeline::comments)
        .wants(Wants::Detail)
        .view::<PageArguments, ActivityConnection>("activity", "What happened to it, newest first.", timeline::activity)
        .wants(Wants::Detail)
        .many::<Tag>("tags", "Labels that people put on it.", RecordKind::Tag, |i| &i.tags)
        .many::<Tag>(
            "originalTags",
            "Tags as first given, before people or rules changed them.",
            RecordKind::Tag,
            |i| &i.original_tags,
        )
        .many::<Term>("qualifications", "What kind of incident it is.", RecordKind::Term, |i| &i.qualifications)
        .many::<RelatedRecord>("entities", "Third parties concerned.", RecordKind::RelatedRecord, |i| &i.entities)
        .chosen::<RelatedArguments, RelatedRecord>("relatedRecords", "Risks, controls and tasks tied to it.", related)
        .one::<Scope>("scope", "Folder, tenant or organisation that holds it.", RecordKind::Scope, |i| i.scope.as_ref())
        .maybe_object("alertCounts", "Number of alerts behind it.", |i| i.alert_counts.as_ref())
        .field("hostCount", "How many hosts it concerns.", |i| &i.host_count)
        .field("userCount", "How many user accounts it concerns.", |i| &i.user_count)
        .maybe_object("exposure", "Where it shows on the internet.", |i| i.exposure.as_deref())
        .objects::<HiddenLinks, _>("hiddenLinks", "Links that exist but that the source hides from this caller.", |i| {
            &i.hidden_links
        })
        .found::<CascadePreview>("deletePreview", "What deleting it would take along, asked from the source.", preview)
        .wants(Wants::Detail)
        .view::<ReportArguments, Download>("report", "The source's own report on it.", |i, arguments, lookup| {
            Download::report(&i.key, arguments, lookup)
        })
}

/// Arguments of `relatedRecords`.
#[derive(InputObject)]
struct RelatedArguments {
    /// Only records of these kinds; an empty list matches nothing.
    kinds: Option<Vec<RelatedRecordKind>>,
}

fn related<'a>(
    incident: &'a Incident,
    arguments: &RelatedArguments,
    _: &Lookup<'a>,
) -> Result<Option<Child<'a>>, Hold> {
    let asked = |link: &&RelatedLink| arguments.kinds.as_ref().is_none_or(|kinds| kinds.contains(&link.kind));
    let links = incident.related_records.iter().filter(asked);
    Ok(Some(Child::Items(links.map(related_record).collect())))
}

/// A record that its source gives by id is looked up where more than the link is asked for; otherwise the link is all.
fn related_record(link: &RelatedLink) -> Child<'_> {
    if link.by_id {
        return Child::Link(RecordKind::RelatedRecord, &link.record);
    }
    Child::Made(Box::new(RelatedRecord {
        key: link.record.key.clone(),
        kind: link.kind,
        name: link.record.name.clone(),
        reference: None,
        description: None,
        raw: None,
    }))
}

fn preview<'a>(incident: &'a Incident, lookup: &Lookup<'a>) -> Result<Child<'a>, Hold> {
    let details = lookup.detail(DetailPart::DeletePreview, incident)?;
    let preview = details.and_then(|details| details.delete_preview.as_deref());
    Ok(preview.map_or(Child::Null, |preview| Child::Here(preview)))
}

fn score() -> Object {
    Object::of::<Score>("A number that says how bad, by the source's own measure.")
        .field("kind", "What it rests on.", |s| &s.kind)
        .field("name", "The source's name for it.", |s| &s.name)
        .field("value", "The number.", |s| &s.value)
        .field("versionMatched", "Whether it rests on a software version that was really seen.", |s| &s.version_matched)
        .end()
}

fn alert_counts() -> Object {
    Object::of::<AlertCounts>("Number of alerts behind an incident; `total` may exceed the sum.")
        .field("total", "All of them.", |c| &c.total)
        .field("critical", "Critical ones.", |c| &c.critical)
        .field("high", "High ones.", |c| &c.high)
        .field("medium", "Medium ones.", |c| &c.medium)
        .field("low", "Low ones.", |c| &c.low)
        .end()
}

fn exposure() -> Object {
    Object::of::<Exposure>(
        "Where it shows on the internet. Addresses, names, certificates and services themselves are `assets`.",
    )
    .field("port", "The port.", |e| &e.port)
    .field("cloudProviders", "Whose cloud it stands in.", |e| &e.cloud_providers)
    .field("cloudManagement", "Whether our cloud accounts manage it.", |e| &e.cloud_management)
    .field("sourceCloudManagement", "The same in the source's word.", |e| &e.source_cloud_management)
    .field("cloudIntegration", "The cloud account integration that saw it.", |e| &e.cloud_integration)
    .field("countryCodes", "ISO 3166 codes.", |e| &e.country_codes)
    .field(
        "certificateIssuers",
        "In no known order; certificates' common names are `assets` of kind CERTIFICATE.",
        |e| &e.certificate_issuers,
    )
    .end()
}

fn hidden_links() -> Object {
    Object::of::<HiddenLinks>("How many members of a field the source hides.")
        .field("field", "Where they would stand.", |h| &h.field)
        .field("count", "How many there are.", |h| &h.count)
        .end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Key, RowParts, SourceKind, SourceName, Text},
        graphql::{
            leaf::Json,
            object::{Declared, Value},
        },
    };

    /// A field that is kept in a part of the row but does not say so would be null where memory is scarce.
    #[test]
    fn fields_of_parts_that_may_be_left_out_say_so() {
        let mut whole = Incident::new(Key::new(&SourceName::new("a"), "1"), SourceKind::CortexXpanse);
        let texts: [&mut Option<Text>; 7] = [
            &mut whole.title,
            &mut whole.description,
            &mut whole.computed_description,
            &mut whole.notes,
            &mut whole.severity_reasoning,
            &mut whole.resolution_comment,
            &mut whole.reference,
        ];
        texts.into_iter().for_each(|text| *text = Some("told".into()));
        let mut kept = whole.clone();
        kept.keep(RowParts::default());
        let mut left_out = 0;
        for field in &Incident::object().fields {
            if let Value::Leaf(write) = &field.value {
                let [before, after] = [&whole, &kept].map(|incident| {
                    let mut json = Json::with_capacity(64);
                    write(incident, &mut json);
                    json.into_text()
                });
                assert_eq!(field.wants == Wants::Text, before != after, "{}", field.name);
                left_out += usize::from(before != after);
            }
        }
        assert_eq!(left_out, 5);
    }
}
