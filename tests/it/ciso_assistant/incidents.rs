//! Lists, orders, pages and batches of incidents.

use super::{compare, support::*};
use incident_gateway::{
    domain::*,
    sandbox::Release,
    source::*,
    upstream::Policy,
    vendors::{VendorConfig, build, ciso_assistant::*},
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn every_field_of_every_incident_equals_the_servers_own() {
    for release in RELEASES {
        for account in ["gateway", "admin", "analyst"] {
            let bench = Bench::as_account(options(release, 250), account).await;
            let rows = bench.rest_all("incidents/?ordering=created_at,id").await;
            let incidents = bench.walk(Vec::new(), None, 100).await;
            assert_eq!(incidents.len(), rows.len());
            assert!(!rows.is_empty());
            for (row, incident) in rows.iter().zip(&incidents) {
                compare::incident(row, incident, &bench.base);
            }
        }
    }
}

#[tokio::test]
async fn the_world_holds_what_these_tests_are_about() {
    let bench = Bench::new(Release::V3_20_8, 250).await;
    let all = bench.walk(Vec::new(), None, 500).await;
    let any = |test: &dyn Fn(&Incident) -> bool| all.iter().any(|incident| test(incident));
    assert!(any(&|i| i.scope.is_none()) && any(&|i| i.hidden_links.iter().any(|h| h.field == IncidentField::Owners)));
    assert!(any(&|i| i.reference.is_none()) && any(&|i| i.detection.is_none()) && any(&|i| i.reported_at.is_none()));
    assert!(any(&|i| i.created_at.is_some_and(|time| time.timestamp_subsec_micros() != 0)));
    assert!(any(&|i| i.reported_at.is_some_and(|time| time.timestamp_subsec_micros() == 0)));
    assert!(any(&|i| !i.related_records.is_empty()) && any(&|i| i.resolution_comment.is_some()));
    assert!(any(&|i| i.occurred_at.is_some()) && any(&|i| i.continuity_plan_activated.is_some()));
}

#[tokio::test]
async fn hidden_links_are_counted_once_each() {
    for release in RELEASES {
        let bench = Bench::new(release, 200).await;
        let request = ListRequest { tests: Vec::new(), order: None, offset: 0, limit: 200, want: PLAIN };
        let rows = bench.source.list(&call(), &request).await.unwrap();
        let own = bench.rest_all("incidents/").await;
        let hidden: u32 = own.iter().map(|row| compare::hidden(row, &compare::INCIDENT_LINKS)).sum();
        assert!(hidden > 0);
        assert_eq!((rows.masked, rows.malformed), (hidden, 0));
        let ids: Vec<NativeId> = own.iter().map(|row| native(&row["id"])).collect();
        assert_eq!(bench.source.fetch(&call(), &ids, PLAIN).await.unwrap().masked, hidden);
    }
}

#[tokio::test]
async fn the_record_as_received_comes_only_if_wanted() {
    let bench = Bench::new(Release::V3_20_8, 20).await;
    let own = bench.rest_all("incidents/?ordering=created_at,id").await;
    for raw in [false, true] {
        let want = Want { raw, ..Want::PLAIN };
        let request = ListRequest { tests: Vec::new(), order: None, offset: 0, limit: 50, want };
        let rows = bench.source.list(&call(), &request).await.unwrap();
        for (incident, row) in rows.items.iter().zip(&own) {
            let kept =
                incident.raw.as_ref().map(|raw| serde_json::from_str::<serde_json::Value>(raw.as_str()).unwrap());
            assert_eq!(kept.as_ref(), raw.then_some(row));
        }
    }
}

#[tokio::test]
async fn pages_end_where_the_list_ends() {
    let bench = Bench::new(Release::V3_15_1, 40).await;
    let total = bench.rest("/api/incidents/?limit=1").await["count"].as_u64().unwrap();
    let page = async |offset, limit| {
        let request = ListRequest { tests: Vec::new(), order: None, offset, limit, want: PLAIN };
        bench.source.list(&call(), &request).await.unwrap()
    };
    let whole = usize::try_from(total).unwrap();
    for (offset, limit, items, more) in [
        (0, whole, whole, false),
        (0, whole - 1, whole - 1, true),
        (total - 1, 5, 1, false),
        (total, 5, 0, false),
        (total + 9, 5, 0, false),
    ] {
        let rows = page(offset, limit).await;
        assert_eq!((rows.items.len(), rows.more, rows.total), (items, more, Some(total)), "{offset} {limit}");
    }
}

#[tokio::test]
async fn a_page_costs_one_call_and_is_asked_for_in_full() {
    let bench = Bench::new(Release::V3_15_1, 120).await;
    bench.warm().await;
    let call = call();
    let request = ListRequest { tests: Vec::new(), order: None, offset: 0, limit: 100, want: PLAIN };
    assert_eq!(bench.source.list(&call, &request).await.unwrap().items.len(), 100);
    assert_eq!(call.context.tally.upstream_calls(), 1);
    let sent = bench.sandbox.calls();
    assert_eq!((sent.len(), sent[0].query.as_str()), (1, "limit=100&offset=0&ordering=created_at,id"));
}

#[tokio::test]
async fn incidents_are_fetched_by_id_in_as_few_calls_as_the_request_line_allows() {
    for release in RELEASES {
        let bench = Bench::new(release, 320).await;
        bench.warm().await;
        let rows = bench.rest_all("incidents/").await;
        let mut ids: Vec<NativeId> = rows.iter().map(|row| native(&row["id"])).take(270).collect();
        ids.extend([nobody(1), nobody(2), NativeId::new("INC-1"), NativeId::new("*"), NativeId::new("")]);
        bench.sandbox.reset_calls();
        let call = call();
        let found = bench.source.fetch(&call, &ids, PLAIN).await.unwrap();
        assert_eq!((found.items.len(), found.failed.len(), call.context.tally.upstream_calls()), (270, 0, 2));
        for (id, incident) in &found.items {
            let row = rows.iter().find(|row| native(&row["id"]) == *id).unwrap();
            compare::incident(row, incident, &bench.base);
        }
        for call in bench.sandbox.calls() {
            assert!(format!("GET {}?{} HTTP/1.1", call.path, call.query).len() <= 5_120);
            assert!(call.query.contains("limit="), "the default size of a page would cut the answer");
        }
        let none = bench.source.fetch(&super::support::call(), &[NativeId::new("x")], PLAIN).await.unwrap();
        assert!(none.items.is_empty() && none.failed.is_empty());
        assert_eq!(bench.sandbox.calls().len(), 2, "nothing to ask for, nothing asked");
    }
}

/// Retrieve tells the same as the list, but for the path of what lies in the root.
#[tokio::test]
async fn list_and_retrieve_tell_the_same() {
    let bench = Bench::new(Release::V3_20_8, 30).await;
    for incident in bench.walk(Vec::new(), None, 30).await {
        let row = bench.rest(&format!("/api/incidents/{}/", incident.key.native)).await;
        compare::incident(&row, &incident, &bench.base);
    }
}

#[tokio::test]
async fn a_base_address_with_a_path_counts_in_the_request_line() {
    let sandbox = incident_gateway::sandbox::Sandbox::new(options(Release::V3_15_1, 300));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let prefix = "/tenants/of-a-rather-long-name-that-costs-ids/ciso";
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().nest(prefix, sandbox.router());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    for slash in ["", "/"] {
        let url = format!("http://user:secret@{address}{prefix}{slash}?x=1#y").parse().unwrap();
        let mut config = Config::new(url, Credential::Token(sandbox.token().to_owned().into()));
        config.policy = Policy { total_timeout: Duration::from_secs(30), ..Policy::default() };
        let transport = incident_gateway::upstream::ReqwestTransport::new(&config.policy).unwrap();
        let source = build(&name(), &VendorConfig::CisoAssistant(config), Arc::new(transport));
        assert_eq!(source.info().url, format!("http://{address}{prefix}{slash}"));
        let request = ListRequest { tests: Vec::new(), order: None, offset: 0, limit: 300, want: PLAIN };
        let rows = source.list(&call(), &request).await.unwrap();
        let url = rows.items[0].url.as_deref().unwrap();
        assert_eq!(url, format!("http://{address}{prefix}/incidents/{}", rows.items[0].key.native));
        let ids: BTreeSet<NativeId> = rows.items.iter().map(|incident| incident.key.native.clone()).collect();
        sandbox.reset_calls();
        let ids: Vec<NativeId> = ids.into_iter().collect();
        assert_eq!(source.fetch(&call(), &ids, PLAIN).await.unwrap().items.len(), ids.len());
        for call in sandbox.calls() {
            let line = format!("GET {prefix}{}?{} HTTP/1.1", call.path, call.query);
            assert!(line.len() <= 5_120, "{}", line.len());
        }
    }
}
