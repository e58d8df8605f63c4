//! Files that the server makes: the table of incidents, and a report on one. Streamed, never held.

use super::client::{Client, INCIDENTS, MAX_REQUEST_LINE_BYTES};
use super::incidents::Incidents;
use super::query::Query;
use crate::{
    domain::{ExportFormat, NativeId, Test},
    source::{Call, Download, DownloadRequest, SourceError, SourceErrorKind},
    upstream::{
        UpstreamRequest, UpstreamStream,
        header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_DISPOSITION, HeaderMap, HeaderValue},
    },
    vendors::common::handed_on,
};

const OPERATION: &str = "download";
/// No incident has this id: a table of nothing but its heading.
const NO_INCIDENT: &str = "id=00000000-0000-0000-0000-000000000000";

/// Starts a download.
pub(super) async fn download(incidents: &Incidents<'_>, request: &DownloadRequest) -> Result<Download, SourceError> {
    let (client, call) = (incidents.client, incidents.call);
    let unsupported = || SourceError::unsupported(&client.source, "make this file");
    match request {
        DownloadRequest::Table { format, tests } => {
            let name = match format {
                ExportFormat::Csv => "export_csv",
                ExportFormat::Xlsx => "export_xlsx",
                ExportFormat::Markdown | ExportFormat::Pdf => return Err(unsupported()),
            };
            let filter = table_filter(incidents, tests).await?;
            let mark = if filter.is_empty() { "" } else { "?" };
            open(client, call, format!("{}{name}/{mark}{filter}", INCIDENTS.path)).await
        }
        DownloadRequest::Report { format, incident } => {
            let name = match format {
                ExportFormat::Markdown => "md",
                ExportFormat::Pdf => "pdf",
                ExportFormat::Csv | ExportFormat::Xlsx => return Err(unsupported()),
            };
            report(client, call, name, incident).await
        }
        // Where the server keeps the file itself is in none of its documents.
        DownloadRequest::Attachment { .. } => {
            Err(SourceError::unsupported(&client.source, "hand out the file of a piece of evidence"))
        }
        DownloadRequest::Picture { .. } => Err(unsupported()),
    }
}

/// The filter as the table takes it. A bad one is answered with 500, so unknown ids are found before.
async fn table_filter(incidents: &Incidents<'_>, tests: &[Test]) -> Result<String, SourceError> {
    let Some(query) = incidents.query(tests)? else { return Ok(NO_INCIDENT.into()) };
    let known = incidents.known(query).await?;
    Ok(known.as_ref().map_or_else(|| NO_INCIDENT.into(), Query::text))
}

/// For an unknown incident the server says that permission is denied; for an id that is no UUID, it fails.
async fn report(client: &Client, call: &Call, name: &str, incident: &NativeId) -> Result<Download, SourceError> {
    let not_found = || SourceError::from_status(&client.source, OPERATION, 404, None);
    if !incident.is_uuid() {
        return Err(not_found());
    }
    match open(client, call, format!("{}{incident}/{name}/", INCIDENTS.path)).await {
        Err(error) if error.kind() == SourceErrorKind::Forbidden => Err(not_found()),
        outcome => outcome,
    }
}

async fn open(client: &Client, call: &Call, path: String) -> Result<Download, SourceError> {
    if client.upstream.request_line_bytes(&path) > MAX_REQUEST_LINE_BYTES {
        let text = format!("The filter is longer than the source “{}” takes in one request.", client.source);
        return Err(SourceError::new(SourceErrorKind::Rejected, &client.source, OPERATION, text));
    }
    // A narrower `Accept` is answered with 406, whatever the file's type.
    let request = UpstreamRequest::get(OPERATION, path)
        .header(ACCEPT, HeaderValue::from_static("*/*"))
        .header(ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
    let failed = |error| SourceError::from_upstream(&client.source, OPERATION, error);
    let stream = client.upstream.stream(&call.context, request).await.map_err(failed)?;
    if !stream.is_success() {
        let answer = stream.into_response().await.map_err(failed)?;
        return Err(client.refusal(OPERATION, &answer));
    }
    opened(client, stream)
}

fn opened(client: &Client, stream: UpstreamStream) -> Result<Download, SourceError> {
    let media_type = stream.content_type().unwrap_or_default().to_ascii_lowercase();
    if matches!(media_type.as_str(), "" | "text/html" | "application/json") {
        return Err(SourceError::malformed(&client.source, OPERATION, "with something that is not the file"));
    }
    let file_name = file_name(&stream.headers);
    Ok(handed_on(&client.source, OPERATION, stream, media_type, file_name))
}

/// The name in `attachment; filename="…"`. Without any path before it: it becomes the name of a file on somebody's
/// disk.
fn file_name(headers: &HeaderMap) -> Option<String> {
    let header = String::from_utf8_lossy(headers.get(CONTENT_DISPOSITION)?.as_bytes()).into_owned();
    let (_, value) = header.split_once("filename=")?;
    let name = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split(';').next(),
    }?;
    let name = name.trim().rsplit(['/', '\\']).next()?;
    (!name.is_empty() && !name.chars().any(char::is_control)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_one_name() {
        for (header, name) in [
            ("attachment; filename=\"vpn-brute-force-06_report.md\"", Some("vpn-brute-force-06_report.md")),
            ("attachment; filename=incidents_export.csv; size=7", Some("incidents_export.csv")),
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            ("attachment; filename=\"a\\b.md\"", Some("b.md")),
            ("attachment; filename=\"\"", None),
            ("attachment", None),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_DISPOSITION, HeaderValue::from_str(header).unwrap())]);
            assert_eq!(file_name(&headers).as_deref(), name, "{header}");
        }
    }
}
