//! Tables and reports, byte for byte.

use super::support::*;
use futures_util::TryStreamExt;
use incident_gateway::{domain::*, sandbox::Release, source::*};

async fn bytes(download: Download) -> (String, Option<String>, Vec<u8>) {
    let length = download.length;
    let body: Vec<bytes::Bytes> = download.body.try_collect().await.unwrap();
    let body = body.concat();
    assert!(length.is_none_or(|length| length == body.len() as u64));
    (download.media_type, download.file_name, body)
}

fn table(format: ExportFormat, tests: Vec<Test>) -> DownloadRequest {
    DownloadRequest::Table { format, tests }
}

#[tokio::test]
async fn tables_and_reports_are_the_servers_own_bytes() {
    for release in RELEASES {
        let bench = Bench::new(release, 40).await;
        let incident = native(&bench.rest_all("incidents/").await[0]["id"]);
        let xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        for (request, path, media_type) in [
            (table(ExportFormat::Csv, Vec::new()), "/api/incidents/export_csv/".to_owned(), "text/csv"),
            (table(ExportFormat::Xlsx, Vec::new()), "/api/incidents/export_xlsx/".to_owned(), xlsx),
            (report(ExportFormat::Markdown, &incident), format!("/api/incidents/{incident}/md/"), "text/markdown"),
            (report(ExportFormat::Pdf, &incident), format!("/api/incidents/{incident}/pdf/"), "application/pdf"),
        ] {
            let (status, headers, own) = bench.bytes(&path).await;
            assert_eq!(status, 200);
            let (kind, name, told) = bytes(bench.source.download(&call(), &request).await.unwrap()).await;
            assert_eq!((kind.as_str(), told == own), (media_type, true), "{path}");
            let disposition = headers["content-disposition"].to_str().unwrap();
            assert_eq!(disposition, format!("attachment; filename=\"{}\"", name.unwrap()));
        }
    }
}

fn report(format: ExportFormat, incident: &NativeId) -> DownloadRequest {
    DownloadRequest::Report { format, incident: incident.clone() }
}

#[tokio::test]
async fn tables_are_filtered_where_the_server_filters_them_and_refused_elsewhere() {
    for release in RELEASES {
        let bench = Bench::new(release, 80).await;
        let all = bench.walk(Vec::new(), None, 500).await;
        let owner = all.iter().find_map(|incident| incident.owners.first()).unwrap().key.clone();
        let unknown = OwnerRef::Key(key(nobody(1)));
        for tests in [
            vec![Test::Severity(vec![Severity::High])],
            vec![
                Test::Owners(vec![OwnerRef::Key(owner), unknown.clone()]),
                Test::Status(vec![IncidentStatus::New, IncidentStatus::Closed]),
            ],
            vec![Test::Owners(vec![unknown])],
            vec![Test::Severity(vec![Severity::Low]), Test::Assets(vec![key("not an id")])],
        ] {
            let request = table(ExportFormat::Csv, tests.clone());
            let outcome = bench.source.download(&call(), &request).await;
            if release == Release::V3_15_1 {
                assert_eq!(outcome.err().unwrap().kind(), SourceErrorKind::Unsupported);
                continue;
            }
            let (_, _, body) = bytes(outcome.unwrap()).await;
            let text = String::from_utf8(body).unwrap();
            let filter = Filter::All(tests.into_iter().map(Filter::Test).collect());
            for incident in &all {
                let listed = text.contains(&incident.key.native.to_string());
                assert_eq!(listed, filter.matches(incident));
            }
        }
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_found() {
    let bench = Bench::new(Release::V3_15_1, 20).await;
    for format in [ExportFormat::Markdown, ExportFormat::Pdf] {
        for incident in [nobody(1), NativeId::new("x"), NativeId::new("../export_csv")] {
            let error = bench.source.download(&call(), &report(format, &incident)).await.err().unwrap();
            assert_eq!(error.kind(), SourceErrorKind::NotFound);
        }
    }
    let attachment = DownloadRequest::Attachment { evidence: nobody(1) };
    assert_eq!(bench.source.download(&call(), &attachment).await.err().unwrap().kind(), SourceErrorKind::Unsupported);
    for request in [table(ExportFormat::Pdf, Vec::new()), report(ExportFormat::Csv, &nobody(1))] {
        assert_eq!(bench.source.download(&call(), &request).await.err().unwrap().kind(), SourceErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn a_download_that_breaks_off_ends_in_an_error() {
    let bench = Bench::new(Release::V3_15_1, 200).await;
    bench.sandbox.set_faults(vec!["cut@/api/incidents/export_csv/".parse().unwrap()]);
    let download = bench.source.download(&call(), &table(ExportFormat::Csv, Vec::new())).await.unwrap();
    let error = download.body.try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Malformed);
    for (fault, kind) in [
        ("503", SourceErrorKind::Unavailable),
        ("content-type", SourceErrorKind::Malformed),
        ("redirect", SourceErrorKind::Malformed),
        ("429:7", SourceErrorKind::RateLimited),
    ] {
        bench.sandbox.set_faults(vec![format!("{fault}@/api/incidents/export_csv/").parse().unwrap()]);
        let error = bench.source.download(&call(), &table(ExportFormat::Csv, Vec::new())).await.err().unwrap();
        assert_eq!(error.kind(), kind, "{fault}");
    }
}
