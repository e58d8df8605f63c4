//! `Source`: one configured back end, its state, what it can do, and the files that it makes.

use super::node;
use crate::{
    domain::{
        CircuitState, Detection, ExportFormat, IdKind, IncidentField, IncidentOrderField, Key, Owner, SourceName, Text,
    },
    graphql::{
        error::Fault,
        input::IncidentFilter,
        leaf::{IdText, Milliseconds, Url},
        need::Need,
        object::{Child, Declare, Hold, Object, declare},
        store::Lookup,
    },
    source::{Capabilities, DownloadRequest, Probe, SeverityCapability, SourceInfo, StatusCapability},
};
use async_graphql::InputObject;
use std::sync::Arc;

declare!(
    SourceInfo as "Source" => source,
    Health as "SourceHealth" => health,
    Capabilities as "SourceCapabilities" => capabilities,
    SeverityCapability as "SeverityCapability" => severity_capability,
    StatusCapability as "StatusCapability" => status_capability,
    Download as "Download" => download,
);

fn source() -> Object {
    Object::of::<SourceInfo>("One configured back end. Two tenants of one vendor are two sources.")
        .implements(node)
        .computed("id", "Opaque and global: kind, source and native id.", |s| {
            let mut text = String::new();
            crate::domain::GlobalId::write(IdKind::Source, &Key::new(&s.name, ""), &mut text);
            IdText(text)
        })
        .computed("name", "The name in the configuration, as in `soc-berlin`.", |s| Text::from(s.name.as_str()))
        .field("kind", "The product that it runs.", |s| &s.kind)
        .computed("url", "Base URL, without credentials.", |s| Some(Url(s.url.as_str().into())))
        .always_found::<Health>("health", "Whether it answers; asked for now.", |s, lookup| {
            let found = lookup.found::<Health>(Need::Health(s.name.clone()))?;
            Ok(found.map_or(Child::Null, |health| Child::Here(health)))
        })
        .always_found::<Capabilities>("capabilities", "What it can do.", |s, lookup| {
            let found = lookup.found::<Capabilities>(Need::Capabilities(s.name.clone()))?;
            Ok(found.map_or(Child::Null, |capabilities| Child::Here(capabilities)))
        })
        .found::<Owner>(
            "account",
            "Whom the source takes the gateway for: the author of what you write through it.",
            |s, lookup| {
                let found = lookup.found::<Owner>(Need::Account(s.name.clone()))?;
                Ok(found.map_or(Child::Null, |owner| Child::Here(owner)))
            },
        )
        .view::<ExportArguments, Download>(
            "export",
            "The source's own table export, streamed through the gateway. A filter that the source would ignore is refused.",
            |s, arguments, lookup| Download::table(&s.name, arguments, lookup),
        )
        .end()
}

/// How a source is, at the moment of asking.
pub(crate) struct Health {
    pub probe: Probe,
    pub circuit: CircuitState,
}

fn health() -> Object {
    Object::of::<Health>("How a source is.")
        .field("status", "How it answers.", |h| &h.probe.status)
        .field("circuit", "Whether the gateway sends requests to it.", |h| &h.circuit)
        .computed("checkedAt", "When it was looked at.", |h| Some(h.probe.checked_at))
        .computed("latencyMs", "How long it took to answer, in milliseconds.", |h| Some(Milliseconds(h.probe.latency)))
        .computed("message", "What is wrong. Written by the gateway; never the vendor's words.", |h| {
            h.probe.error.as_ref().map(|error| Text::from(error.public()))
        })
        .computed("version", "Release of the product, where it tells.", |h| h.probe.version.clone())
        .field("clockSkewMs", "Its clock minus ours, in milliseconds.", |h| &h.probe.clock_skew_ms)
        .end()
}

fn capabilities() -> Object {
    let declared = Object::of::<Capabilities>(
        "What a source can do, field by field, so that a client can grey out what will be refused.",
    );
    writing(reading(declared)).end()
}

fn reading(declared: Declare<Capabilities>) -> Declare<Capabilities> {
    declared
        .field("read", "Fields that this source can ever fill.", |c| &c.read)
        .objects::<SeverityCapability, _>("severities", "Every severity that it knows, with its own word.", |c| {
            &c.severities
        })
        .objects::<StatusCapability, _>("statuses", "Every status that it knows, with its own word.", |c| &c.statuses)
        .computed("detections", "Every detection that it knows.", |c| -> Vec<Detection> { c.detections.clone() })
        .computed("filter", "Filtered by the source itself; other filters run in the gateway.", |c| {
            // A field may have several entries: one exact for some tests, one that narrows for others.
            let mut fields: Vec<IncidentField> = Vec::new();
            for filter in &c.list.filters {
                if !fields.contains(&filter.field) {
                    fields.push(filter.field);
                }
            }
            fields
        })
        .computed("orderBy", "Sorted by the source itself, in the order that this schema promises.", |c| {
            c.list.orders.iter().map(|(field, _)| *field).collect::<Vec<IncidentOrderField>>()
        })
        .field("readComments", "Whether comments can be read.", |c| &c.read_comments)
        .field("history", "Whether `activity` can be read.", |c| &c.history)
        .field("exports", "Formats of `Source.export`.", |c| &c.exports)
        .field("reports", "Formats of `Incident.report`.", |c| &c.reports)
        .computed("maxPageSize", "The longest page that the gateway asks for.", |c| {
            i32::try_from(c.list.max_page_size).unwrap_or(i32::MAX)
        })
        .computed("totalCount", "How exact its counts are.", |c| c.list.total)
        .computed(
            "assumedTimeZone",
            "Zone that the gateway assumes for times which the source gives without one; null = its times carry a zone.",
            |c| c.assumed_time_zone.clone(),
        )
}

fn writing(declared: Declare<Capabilities>) -> Declare<Capabilities> {
    declared
        .field("create", "Fields that can be set on create; empty = cannot create.", |c| &c.write.create)
        .field("update", "Fields that can be changed.", |c| &c.write.update)
        .field("clear", "Fields that can be set back to null.", |c| &c.write.clear)
        .field("links", "Links of which a part can be added or removed.", |c| &c.write.links)
        .field("relevances", "Threat links may carry these values of `relevance`; empty = none, or not known.", |c| {
            &c.write.relevances
        })
        .field("batch", "Batch actions done in one upstream call.", |c| &c.write.batch)
        .field("maxBatchSize", "The largest batch of one upstream call.", |c| &c.write.max_batch_size)
        .field("maxOwners", "How many owners an incident can have; null = any number.", |c| &c.write.max_owners)
        .field("addComment", "Whether comments can be written.", |c| &c.write.add_comment)
        .field("addEvidence", "Whether evidence can be added.", |c| &c.write.add_evidence)
        .field("createTags", "Whether naming an unknown tag creates it.", |c| &c.write.create_tags)
        .field("delete", "Whether incidents can be deleted.", |c| &c.write.delete)
}

fn severity_capability() -> Object {
    Object::of::<SeverityCapability>("A severity that a source knows.")
        .field("severity", "Our word.", |s| &s.severity)
        .field("sourceSeverity", "Its word.", |s| &s.word)
        .field("writable", "Whether it can be set.", |s| &s.writable)
        .end()
}

fn status_capability() -> Object {
    Object::of::<StatusCapability>("A status that a source knows.")
        .field("status", "Our word.", |s| &s.status)
        .field("sourceStatus", "Its word.", |s| &s.word)
        .field("writable", "Whether it can be set.", |s| &s.writable)
        .field("needsResolution", "Whether a resolution must go with it.", |s| &s.needs_resolution)
        .field("resolutions", "Resolutions that may go with it.", |s| &s.resolutions)
        .field("irreversible", "True when the source offers no way back.", |s| &s.irreversible)
        .end()
}

/// A file that the gateway streams from a source.
pub(crate) struct Download {
    pub url: Text,
    pub format: ExportFormat,
    pub file_name: Text,
}

/// Arguments of `Source.export`.
#[derive(InputObject)]
pub(crate) struct ExportArguments {
    /// Format of the file.
    format: ExportFormat,
    /// Which incidents; refused where the source's export would ignore it.
    filter: Option<IncidentFilter>,
}

/// Arguments of `Incident.report`.
#[derive(InputObject)]
pub(crate) struct ReportArguments {
    /// Format of the file.
    format: ExportFormat,
}

impl Download {
    /// The source's report on an incident; null where it makes none of this format.
    pub(crate) fn report<'a>(
        key: &Key,
        arguments: &ReportArguments,
        lookup: &Lookup<'a>,
    ) -> Result<Option<Child<'a>>, Hold> {
        let Some(capabilities) = lookup.found::<Capabilities>(Need::Capabilities(key.source.clone()))? else {
            return Ok(None);
        };
        if !capabilities.reports.contains(&arguments.format) {
            return Err(unsupported(&key.source, "make a report of this format").into());
        }
        let request = DownloadRequest::Report { format: arguments.format, incident: key.native.clone() };
        let name = format!("incident-{}.{}", key.native, extension(arguments.format));
        Ok(Some(Self::made(&key.source, &request, arguments.format, name, lookup)))
    }

    /// The source's table of incidents.
    fn table<'a>(
        source: &SourceName,
        arguments: &ExportArguments,
        lookup: &Lookup<'a>,
    ) -> Result<Option<Child<'a>>, Hold> {
        let filter = arguments.filter.as_ref().map(|filter| filter.read("filter")).transpose()?.unwrap_or_default();
        let need = Need::Table(source.clone(), arguments.format, Arc::new(filter));
        let Some(request) = lookup.found::<DownloadRequest>(need)? else { return Ok(None) };
        let name = format!("incidents-{source}.{}", extension(arguments.format));
        Ok(Some(Self::made(source, request, arguments.format, name, lookup)))
    }

    fn made<'a>(
        source: &SourceName,
        request: &DownloadRequest,
        format: ExportFormat,
        file_name: String,
        lookup: &Lookup<'a>,
    ) -> Child<'a> {
        let url = lookup.session().downloads.url(source, request, lookup.session()).into();
        Child::Made(Box::new(Download { url, format, file_name: file_name.into() }))
    }
}

fn unsupported(source: &SourceName, what: &'static str) -> Fault {
    Fault::from(crate::source::SourceError::unsupported(source, what))
}

fn extension(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Csv => "csv",
        ExportFormat::Xlsx => "xlsx",
        ExportFormat::Markdown => "md",
        ExportFormat::Pdf => "pdf",
    }
}

fn media_type(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Csv => "text/csv",
        ExportFormat::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ExportFormat::Markdown => "text/markdown",
        ExportFormat::Pdf => "application/pdf",
    }
}

fn download() -> Object {
    Object::of::<Download>("A file that the gateway streams from the source; the caller's own credentials apply.")
        .computed("url", "Where to get it, valid for an hour.", |d| Url(d.url.clone()))
        .field("format", "Its format.", |d| &d.format)
        .computed("mediaType", "Its media type.", |d| media_type(d.format))
        .field("fileName", "A name for it; the source may propose another when the file is fetched.", |d| &d.file_name)
        .end()
}
