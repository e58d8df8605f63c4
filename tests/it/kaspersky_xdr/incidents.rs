//! Lists, pages and batches of incidents.

use super::{compare, support::*};
use incident_gateway::{domain::*, source::*};
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test]
async fn every_field_of_every_incident_equals_the_servers_own() {
    let bench = Bench::new(250).await;
    let rows = bench.rest_all("").await;
    let incidents = bench.walk(Vec::new(), 100).await;
    assert!(rows.len() > 200 && rows.len() < 250, "{}: a tenant is closed to the gateway", rows.len());
    assert_eq!(incidents.len(), rows.len());
    for (row, incident) in rows.iter().zip(&incidents) {
        compare::incident(row, incident);
    }
}

#[tokio::test]
async fn the_world_holds_what_these_tests_are_about() {
    let bench = Bench::new(250).await;
    let all = bench.walk(Vec::new(), 100).await;
    let any = |test: &dyn Fn(&Incident) -> bool| all.iter().any(|incident| test(incident));
    for status in [IncidentStatus::New, IncidentStatus::OnHold, IncidentStatus::Closed, IncidentStatus::Other] {
        assert!(any(&|i| i.status == status), "{status:?}");
    }
    for resolution in [Resolution::TruePositive, Resolution::FalsePositive, Resolution::LowPriority, Resolution::Merged]
    {
        assert!(any(&|i| i.resolution == Some(resolution)), "{resolution:?}");
    }
    assert!(any(&|i| i.severity == Severity::Unknown) && any(&|i| i.unassigned()) && any(&|i| !i.unassigned()));
    assert!(any(&|i| i.alert_counts.is_none()) && any(&|i| i.description.is_none()) && any(&|i| i.threats.len() > 2));
    assert!(any(&|i| i.created_manually == Some(true)) && any(&|i| i.created_manually == Some(false)));
}

#[tokio::test]
async fn windows_of_any_size_at_any_offset_give_the_same_rows() {
    let bench = Bench::new(250).await;
    let ids = |all: Vec<std::sync::Arc<Incident>>| -> Vec<String> {
        all.iter().map(|incident| incident.key.native.to_string()).collect()
    };
    let whole = ids(bench.walk(Vec::new(), 100).await);
    for limit in [1, 7, 65, 100] {
        assert_eq!(ids(bench.walk(Vec::new(), limit).await), whole, "{limit}");
    }
    let total = whole.len() as u64;
    for (offset, limit, consumed) in
        [(0, 10, 10), (95, 10, 5), (100, 100, 100), (total - 1, 5, 1), (total, 5, 0), (9_999, 5, 0)]
    {
        let request = ListRequest { offset, limit, ..page() };
        let rows = bench.source.list(&call(), &request).await.unwrap();
        let start = usize::try_from(offset).unwrap().min(whole.len());
        assert_eq!(rows.consumed, consumed, "{offset}");
        assert_eq!(ids(rows.items), whole[start..start + consumed]);
        assert_eq!(rows.more, offset + (consumed as u64) < total && consumed > 0, "{offset}");
        // Beyond the end the server still tells how many there are; it cannot be told from another count there.
        assert!(rows.total == Some(total) || (rows.total.is_none() && offset > total), "{offset}");
    }
}

#[tokio::test]
async fn a_page_costs_one_call_once_the_tenants_are_known() {
    let bench = Bench::new(120).await;
    let call = call();
    bench.source.list(&call, &page()).await.unwrap();
    assert_eq!(call.context.tally.upstream_calls(), 2);
    let tenants = bench.calls();
    assert_eq!(tenants[0], "tenants?");
    bench.source.list(&call, &ListRequest { offset: 100, ..page() }).await.unwrap();
    let sent = bench.calls();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].starts_with("incidents?page=2&tenantID="), "{}", sent[0]);
}

#[tokio::test]
async fn incidents_are_fetched_by_id_a_hundred_in_a_call() {
    let bench = Bench::new(260).await;
    let rows = bench.rest_all("").await;
    let mut ids: Vec<NativeId> = rows.iter().map(|row| NativeId::new(row["InternalID"].as_str().unwrap())).collect();
    let known = ids.len();
    ids.extend([nobody(1), NativeId::new("104"), NativeId::new(""), NativeId::new("*")]);
    bench.source.catalog(&call(), &scopes()).await.unwrap();
    bench.sandbox.reset_calls();
    let found = bench.source.fetch(&call(), &ids, PLAIN).await.unwrap();
    assert_eq!((found.items.len(), found.failed.len(), found.malformed), (known, 0, 0));
    for (id, incident) in &found.items {
        let row = rows.iter().find(|row| row["InternalID"].as_str() == Some(&id.to_string())).unwrap();
        compare::incident(row, incident);
    }
    let calls = bench.calls();
    assert_eq!(calls.len(), (known + 1).div_ceil(100));
    for call in &calls {
        assert!(call.len() < 8_000 && !call.contains("104&") && call.matches("&id=").count() <= 100, "{call}");
    }
    let none = bench.source.fetch(&call(), &[NativeId::new("x")], PLAIN).await.unwrap();
    assert!(none.items.is_empty() && none.failed.is_empty() && bench.calls().is_empty());
}

pub(super) fn scopes() -> CatalogRequest {
    let search = Search::parse("");
    CatalogRequest { kind: RecordKind::Scope, offset: 0, limit: 100, want: PLAIN, search }
}

#[tokio::test]
async fn the_record_as_received_comes_only_if_wanted() {
    let bench = Bench::new(20).await;
    let rows = bench.rest_all("").await;
    for raw in [false, true] {
        let request = ListRequest { want: Want { raw, ..PLAIN }, ..page() };
        for (incident, row) in bench.source.list(&call(), &request).await.unwrap().items.iter().zip(&rows) {
            let kept = incident.raw.as_ref().map(|raw| serde_json::from_str(raw.as_str()).unwrap());
            assert_eq!(kept.as_ref(), raw.then_some(row));
            let evidence = incident.embedded.iter().filter_map(|record| match record {
                Record::Evidence(evidence) => Some(evidence.raw.is_some()),
                _ => None,
            });
            assert!(evidence.into_iter().all(|kept| kept == raw));
        }
    }
}

/// `Total` counts all that match, says one reading; the other, this page's rows. Neither loses or invents rows.
#[tokio::test]
async fn lists_are_read_to_their_end_whatever_total_counts() {
    for counts_all in [true, false] {
        let source = over(&[TENANT], move |request| {
            if request.url.path().ends_with("/tenants") {
                return json(403, fixture("error_403.json"));
            }
            let page: usize = request.url.query_pairs().find(|(name, _)| name == "page").unwrap().1.parse().unwrap();
            let start = (page - 1) * 100;
            let rows: Vec<_> = (start..230.min(start + 100).max(start))
                .map(|number| json!({ "InternalID": format!("00000000-0000-4000-8000-{number:012}"), "ID": number }))
                .collect();
            let total = if counts_all { 230 } else { rows.len() };
            json(200, json!({ "Total": total, "Incidents": rows }).to_string())
        });
        let ids: BTreeSet<String> =
            walk(&*source, vec![], 100).await.iter().map(|incident| incident.key.native.to_string()).collect();
        assert_eq!(ids.len(), 230, "{counts_all}");
        let second = source.list(&call(), &ListRequest { offset: 100, ..page() }).await.unwrap();
        assert_eq!(second.total, counts_all.then_some(230));
    }
}

#[tokio::test]
async fn short_ids_and_ids_name_an_incident() {
    let bench = Bench::new(250).await;
    let all = bench.walk(Vec::new(), 100).await;
    let oldest = all.last().unwrap();
    let texts = [
        oldest.reference.as_deref().unwrap().to_owned(),
        oldest.key.native.to_string(),
        oldest.key.native.to_string().to_uppercase().replace('-', ""),
        "0".into(),
        nobody(3).to_string(),
        "Phishing".into(),
        String::new(),
    ];
    let references: Vec<Reference> = texts.into_iter().map(Reference::Incident).collect();
    let named = bench.source.resolve(&call(), &references).await.unwrap();
    let it = vec![oldest.key.native.clone()];
    assert_eq!(named, [it.clone(), it.clone(), it, vec![], vec![], vec![], vec![]]);
}

/// A short id that lies further back than is read is not said to be nobody's.
#[tokio::test]
async fn a_short_id_that_is_not_met_in_time_is_an_error() {
    let source = over(&[TENANT], |request| {
        if request.url.path().ends_with("/tenants") {
            return json(403, fixture("error_403.json"));
        }
        let page: usize = request.url.query_pairs().find(|(name, _)| name == "page").unwrap().1.parse().unwrap();
        let row =
            |number: usize| json!({ "InternalID": format!("00000000-0000-4000-8000-{number:012}"), "ID": number });
        let rows: Vec<_> = (page * 100..page * 100 + 100).map(row).collect();
        json(200, json!({ "Total": 1_000_000, "Incidents": rows }).to_string())
    });
    let asked = async |text: &str| source.resolve(&call(), &[Reference::Incident(text.into())]).await;
    assert_eq!(asked("10050").await.unwrap()[0].len(), 1);
    assert_eq!(asked("10250").await.unwrap_err().kind(), SourceErrorKind::Unavailable);
}
