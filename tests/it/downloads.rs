//! Files: what is streamed is, byte for byte, what the source gives; an address serves nobody else and nothing else.

use super::{
    support::{Gateway, call},
    truth::{id, native, rows},
};
use futures_util::TryStreamExt;
use incident_gateway::{
    domain::{Caller, CredentialScope, IdKind},
    graphql::ErrorCode,
    sandbox::{Release, SandboxOptions},
    source::{Call, Download},
    upstream::{Policy, ReqwestTransport, Static, Upstream, UpstreamOptions, UpstreamRequest, header},
};
use serde_json::{Value, json};
use std::sync::Arc;

async fn gateway(release: Release) -> Gateway {
    Gateway::over(SandboxOptions { release, incidents: 60, ..SandboxOptions::default() }).await
}

fn token(url: &Value) -> &str {
    let url = url.as_str().unwrap_or_else(|| panic!("no address: {url}"));
    url.strip_prefix("http://gateway.test/download/").unwrap_or_else(|| panic!("{url}"))
}

async fn bytes(download: Download) -> Vec<u8> {
    let pieces: Vec<_> = download.body.try_collect().await.unwrap();
    pieces.concat()
}

/// What the sandbox itself answers: its bytes, type and file name.
async fn file(gateway: &Gateway, path: &str) -> (Vec<u8>, String, String) {
    let header = header::HeaderValue::from_str(&format!("Token {}", gateway.sandbox.token())).unwrap();
    let upstream = Upstream::new(UpstreamOptions {
        name: "rest".into(),
        base: gateway.base.parse().unwrap(),
        policy: Policy::default(),
        transport: Arc::new(ReqwestTransport::new(&Policy::default()).unwrap()),
        credential: Arc::new(Static::new(header::AUTHORIZATION, header)),
    });
    let answer = upstream.send(&call("rest").context, UpstreamRequest::get("rest", path)).await.unwrap();
    assert_eq!(answer.status, 200, "{path}");
    let text = |name| answer.header(name).unwrap().to_owned();
    let name = text(header::CONTENT_DISPOSITION).split('"').nth(1).unwrap().to_owned();
    (answer.body.to_vec(), text(header::CONTENT_TYPE), name)
}

async fn assert_streams(gateway: &Gateway, offer: &Value, path: &str) -> Vec<u8> {
    let (body, media_type, name) = file(gateway, path).await;
    let download =
        gateway.api.download(token(&offer["url"]), &call("download")).await.unwrap_or_else(|e| panic!("{}", e.message));
    assert_eq!(media_type.split(';').next().unwrap(), download.media_type.split(';').next().unwrap());
    assert_eq!(download.media_type.split(';').next().unwrap(), offer["mediaType"], "as announced");
    assert_eq!(download.file_name.as_deref(), Some(&*name));
    assert_eq!(download.length, Some(body.len() as u64));
    let streamed = bytes(download).await;
    assert!(streamed == body, "{path}: {} bytes of {}", streamed.len(), body.len());
    body
}

#[tokio::test]
async fn exports_and_reports_are_the_source_s_own_bytes() {
    for release in [Release::V3_15_1, Release::V3_20_8] {
        let gateway = gateway(release).await;
        for (format, path, begin) in [("CSV", "export_csv", "internal_id;"), ("XLSX", "export_xlsx", "PK\u{3}\u{4}")] {
            let data = gateway
                .data(&format!(
                    "{{ source(name: \"grc\") {{ export(format: {format}) {{ url format mediaType fileName }} }} }}"
                ))
                .await;
            let offer = &data["source"]["export"];
            assert_eq!(offer["format"], format);
            let body = assert_streams(&gateway, offer, &format!("/api/incidents/{path}/")).await;
            let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&body);
            assert!(body.starts_with(begin.as_bytes()));
        }
        let all = rows(&gateway, "/api/incidents/").await;
        for row in [&all[0], &all[all.len() / 2]] {
            for (format, path) in [("MARKDOWN", "md"), ("PDF", "pdf")] {
                let incident = id(IdKind::Incident, native(row));
                let data = gateway.data(&format!("{{ incident(by: {{ id: {incident:?} }}) {{ report(format: {format}) {{ url format mediaType fileName }} }} }}")).await;
                let offer = &data["incident"]["report"];
                let body = assert_streams(&gateway, offer, &format!("/api/incidents/{}/{path}/", native(row))).await;
                assert!(!body.is_empty());
            }
        }
        assert_eq!(
            gateway.codes("{ source(name: \"grc\") { export(format: PDF) { url } } }").await,
            ["UNSUPPORTED_BY_SOURCE"]
        );
        assert_eq!(
            gateway.codes("{ incidents(first: 1) { nodes { report(format: CSV) { url } } } }").await,
            ["UNSUPPORTED_BY_SOURCE"]
        );
    }
}

#[tokio::test]
async fn an_export_is_filtered_or_refused_but_never_wider_than_asked_for() {
    let export = |filter: &str| {
        format!(
            "{{ source(name: \"grc\") {{ name export(format: CSV, filter: {{ {filter} }}) {{ url mediaType }} }} }}"
        )
    };
    let old = gateway(Release::V3_15_1).await;
    let answer = old.ask(&export("severity: [HIGH]")).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNSUPPORTED_BY_SOURCE", "{answer}");
    assert_eq!(answer["data"]["source"], json!({ "name": "grc", "export": null }));
    assert!(old.calls().iter().all(|call| !call.contains("export")));

    let new = gateway(Release::V3_20_8).await;
    let all = rows(&new, "/api/incidents/").await;
    let asset =
        all.iter().find_map(|row| row["assets"].as_array().unwrap().iter().find_map(|one| one["id"].as_str())).unwrap();
    let unknown = id(IdKind::Asset, "00000000-0000-4000-8000-000000000001");
    for (filter, query) in [
        ("severity: [HIGH]".to_owned(), "severity=2".to_owned()),
        (
            "severity: [HIGH, LOW], status: [NEW, CLOSED]".into(),
            "severity=2&severity=5&status=new&status=closed".into(),
        ),
        (format!("assetIds: [{:?}, {unknown:?}]", id(IdKind::Asset, asset)), format!("assets={asset}")),
        ("search: \"the\"".into(), "search=the".into()),
    ] {
        let data = new.data(&export(&filter)).await;
        let body =
            assert_streams(&new, &data["source"]["export"], &format!("/api/incidents/export_csv/?{query}")).await;
        let (whole, ..) = file(&new, "/api/incidents/export_csv/").await;
        assert!(body.len() < whole.len(), "{filter} leaves something out");
    }
    let nothing = format!("assetIds: [{unknown:?}]");
    let data = new.data(&export(&nothing)).await;
    let url = &data["source"]["export"]["url"];
    let table =
        new.api.download(token(url), &call("download")).await.unwrap_or_else(|refused| panic!("{}", refused.message));
    let body = String::from_utf8(bytes(table).await).unwrap();
    assert_eq!(body.trim_end().lines().count(), 1, "nothing but the heading");
    for filter in [
        "published: true",
        "severity: []",
        "or: [{ severity: [HIGH] }, { status: [NEW] }]",
        "title: { contains: \"a\" }",
    ] {
        assert_eq!(new.codes(&export(filter)).await, ["UNSUPPORTED_BY_SOURCE"], "{filter}");
    }
    assert_eq!(new.codes(&export("assetIds: [\"x\"]")).await, ["BAD_USER_INPUT"]);
}

fn other(scope: &str, hours: i64) -> Call {
    let mut call = call("download");
    call.caller = Arc::new(Caller::local().with_scope(CredentialScope::new(scope)));
    call.now += chrono::TimeDelta::minutes(hours * 60 + 1);
    call
}

#[tokio::test]
async fn an_address_serves_only_whom_it_was_made_for_and_only_for_an_hour() {
    let gateway = gateway(Release::V3_15_1).await;
    let data = gateway.data("{ source(name: \"grc\") { export(format: CSV) { url } } incidents(first: 1) { nodes { report(format: MARKDOWN) { url } } } }").await;
    let own = call("x").caller.scope.as_str().to_owned();
    let addresses = [&data["source"]["export"]["url"], &data["incidents"]["nodes"][0]["report"]["url"]];
    gateway.calls();
    for address in addresses {
        let token = token(address);
        let mut forged = token.to_owned();
        let at = token.len() / 3;
        forged.replace_range(at..=at, if &token[at..=at] == "A" { "B" } else { "A" });
        let attempts = [
            (token.to_owned(), other("somebody else", 0)),
            (token.to_owned(), other(&own, 1)),
            (forged, call("x")),
            (token[..token.len() - 4].to_owned(), call("x")),
            (String::new(), call("x")),
            ("../../api/users/".to_owned(), call("x")),
        ];
        for (token, call) in attempts {
            let Err(refused) = gateway.api.download(&token, &call).await else { panic!("served {token}") };
            assert_eq!(refused.code, ErrorCode::NotFound, "{}", refused.message);
        }
    }
    assert!(gateway.calls().is_empty(), "nothing is asked of the source for them");
    for address in addresses {
        let download = gateway.api.download(token(address), &other(&own, 0)).await;
        assert!(download.is_ok(), "in its hour");
    }
}

#[tokio::test]
async fn a_file_that_the_source_does_not_give_is_an_error_in_our_words() {
    let gateway = gateway(Release::V3_15_1).await;
    let data = gateway.data("{ source(name: \"grc\") { export(format: CSV) { url } } incidents(first: 1) { nodes { sourceId report(format: PDF) { url } } } }").await;
    for (fault, code) in [
        ("html:500@/api/incidents/export_csv/", ErrorCode::SourceUnavailable),
        ("403@/api/incidents/export_csv/", ErrorCode::SourceForbidden),
        ("content-type@/api/incidents/export_csv/", ErrorCode::SourceMalformed),
        ("redirect@/api/incidents/export_csv/", ErrorCode::SourceMalformed),
    ] {
        gateway.sandbox.set_faults(vec![fault.parse().unwrap()]);
        let Err(refused) = gateway.api.download(token(&data["source"]["export"]["url"]), &call("x")).await else {
            panic!("{fault}")
        };
        assert_eq!(refused.code, code, "{fault}");
        assert!(
            refused.message.contains("“grc”") && !refused.message.contains("fault of the sandbox"),
            "{}",
            refused.message
        );
    }
    gateway.sandbox.set_faults(vec!["cut@/api/incidents/export_csv/".parse().unwrap()]);
    let download = gateway.api.download(token(&data["source"]["export"]["url"]), &call("x")).await;
    let Ok(download) = download else { panic!("the head is whole") };
    let body: Result<Vec<_>, _> = download.body.try_collect().await;
    assert!(body.is_err(), "a broken stream is not a short file");
    gateway.sandbox.set_faults(vec![]);
    let incident = &data["incidents"]["nodes"][0];
    super::truth::delete(&gateway, incident["sourceId"].as_str().unwrap()).await;
    let Err(refused) = gateway.api.download(token(&incident["report"]["url"]), &call("x")).await else {
        panic!("it is gone")
    };
    assert_eq!(refused.code, ErrorCode::NotFound);
}
