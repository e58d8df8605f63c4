//! Pages, windows, ids: what the source gives equals the server's own rows.

use super::support::*;
use incident_gateway::{domain::*, sandbox::SandboxOptions, source::*};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn listing(offset: u64, limit: usize) -> ListRequest {
    ListRequest { tests: vec![], order: None, offset, limit, want: PLAIN }
}

/// A row and what became of it: the members that decide places and filters.
fn compare(row: &Value, incident: &Incident) {
    let millis = |time: Option<Time>| time.map(|time| time.timestamp_millis());
    assert_eq!(incident.key, key(row["incident_id"].as_str().unwrap()));
    assert_eq!(millis(incident.created_at), row["creation_time"].as_i64());
    assert_eq!(millis(incident.updated_at), row["modification_time"].as_i64());
    assert_eq!(millis(incident.detected_at), row["detection_time"].as_i64());
    assert_eq!(incident.source_status.as_deref(), row["status"].as_str());
    let severity = row["manual_severity"].as_str().or(row["severity"].as_str());
    assert_eq!(incident.source_severity.as_deref(), severity);
    assert_eq!(incident.starred, row["starred"].as_bool());
    let texts =
        |name: &str| row[name].as_array().map(|all| all.iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>());
    assert_eq!(incident.origins.iter().map(|text| &**text).collect::<Vec<_>>(), texts("incident_sources").unwrap());
    assert_eq!(
        incident.tags.iter().map(|tag| tag.name.as_deref().unwrap()).collect::<Vec<_>>(),
        texts("tags").unwrap()
    );
    let owner = incident.owners.first().map(|link| link.key.native.to_string());
    assert_eq!(owner.as_deref(), row["assigned_user_mail"].as_str());
    let cves = row["xpanse_risk_explainer"]["cves"].as_array().map_or(0, Vec::len);
    let vulnerable = incident.threats.iter().filter(|link| link.kind == Some(ThreatKind::Vulnerability)).count();
    assert_eq!(vulnerable, cves);
    let keys: BTreeSet<(RecordKind, Key)> = incident.embedded.iter().map(|r| (r.kind(), r.key().clone())).collect();
    let linked = incident.assets.iter().map(|link| (RecordKind::Asset, &link.asset.key));
    let threats = incident.threats.iter().map(|link| (RecordKind::Threat, &link.threat.key));
    let terms = incident.threats.iter().flat_map(|l| &l.issue_types).map(|link| (RecordKind::Term, &link.key));
    let tags = incident.tags.iter().chain(&incident.original_tags).map(|link| (RecordKind::Tag, &link.key));
    let owners = incident.owners.iter().map(|link| (RecordKind::Owner, &link.key));
    for (kind, key) in linked.chain(threats).chain(terms).chain(tags).chain(owners) {
        assert!(keys.contains(&(kind, key.clone())), "{kind:?} {key:?} comes with no record");
    }
}

#[tokio::test]
async fn a_walk_gives_each_of_the_servers_rows_once() {
    let bench = Bench::new(300).await;
    let rows = bench.rows().await;
    assert_eq!(rows.len(), 297, "three are withheld");
    for limit in [100, 37, 1] {
        let mut all = bench.walk(vec![], None, limit).await;
        all.sort_by_key(|incident| incident.key.native.to_string().parse::<u32>().unwrap());
        assert_eq!(all.len(), rows.len());
        rows.iter().zip(&all).for_each(|(row, incident)| compare(row, incident));
    }
}

#[tokio::test]
async fn windows_are_of_a_hundred_at_most_and_begin_before_a_sorted_page() {
    let (source, sent) = fixed("get_incidents_full.json");
    let created = Order { field: IncidentOrderField::CreatedAt, direction: OrderDirection::Asc };
    for (order, offset, limit) in
        [(None, 0, 25), (None, 3, 10), (None, 200, 100), (Some(created), 0, 25), (Some(created), 0, 100)]
    {
        source.list(&call(), &ListRequest { order, ..listing(offset, limit) }).await.unwrap();
    }
    // The server always answers with its one row; what stands before it is not known then.
    source.list(&call(), &ListRequest { order: Some(created), ..listing(200, 1) }).await.unwrap();
    let windows: Vec<(u64, u64)> = sent
        .lock()
        .unwrap()
        .iter()
        .map(|(_, _, body)| {
            let number = |name: &str| body["request_data"][name].as_u64().unwrap();
            (number("search_from"), number("search_to"))
        })
        .collect();
    assert_eq!(windows, [(0, 25), (3, 13), (200, 300), (0, 33), (0, 100), (192, 209), (0, 1)]);
}

#[tokio::test]
async fn withheld_incidents_are_named_and_nothing_more() {
    let bench = Bench::new(200).await;
    let rows = bench.source.list(&call(), &listing(0, 10)).await.unwrap();
    assert_eq!(rows.restricted, natives(&["83", "166"]));
    let found = bench.source.fetch(&call(), &natives(&["83", "82"]), PLAIN).await.unwrap();
    assert_eq!(found.items.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>(), ["82"]);
    let data = data(&bench.api(), "{ incidents(first: 5) { sources { restrictedIds } } }").await;
    assert_eq!(data["incidents"]["sources"][0]["restrictedIds"], json!(["166", "83"]));
}

#[tokio::test]
async fn ids_are_fetched_a_hundred_a_call_and_unknown_ones_are_missing() {
    let bench = Bench::new(300).await;
    let rows = bench.rows().await;
    bench.sandbox.reset_calls();
    let mut ids: Vec<NativeId> =
        rows.iter().take(250).map(|row| NativeId::new(row["incident_id"].as_str().unwrap())).collect();
    ids.extend(natives(&["100000", "nobody", "a b", "7;", "", "5f0eea2b-4d2f-4fb0-b81c-129e4d7ad043"]));
    let found = bench.source.fetch(&call(), &ids, Want { raw: true, ..PLAIN }).await.unwrap();
    assert_eq!((found.items.len(), found.failed.len(), found.malformed), (250, 0, 0));
    assert_eq!(bench.sandbox.call_count(), 4, "odd ones apart");
    for row in &rows[..250] {
        let (id, incident) =
            found.items.iter().find(|(id, _)| id.to_string() == row["incident_id"].as_str().unwrap()).unwrap();
        assert_eq!(incident.key.native, *id);
        compare(row, incident);
        assert_eq!(serde_json::from_str::<Value>(incident.raw.as_ref().unwrap().as_str()).unwrap(), *row);
    }
    let none = bench.source.fetch(&call(), &natives(&["", " "]), PLAIN).await.unwrap();
    assert!(none.items.is_empty() && bench.sandbox.call_count() == 4, "what cannot be an id is not asked for");
}

#[tokio::test]
async fn one_window_of_ids_that_fails_leaves_the_others() {
    let bench = Bench::new(300).await;
    let ids: Vec<NativeId> = (1..=150).map(|id| NativeId::new(&id.to_string())).collect();
    bench.sandbox.set_faults(vec!["503*1".parse().unwrap()]);
    let found = bench.source.fetch(&call(), &ids, PLAIN).await.unwrap();
    assert!(found.failed.len() == 50 || found.failed.len() == 100, "{}", found.failed.len());
    let failed = |id: &str| found.failed.iter().any(|(failed, _)| failed.to_string() == id);
    let withheld = usize::from(!failed("83"));
    assert_eq!(found.items.len() + found.failed.len() + withheld, 150);
    bench.sandbox.set_faults(vec!["503".parse().unwrap()]);
    assert_eq!(bench.source.fetch(&call(), &ids, PLAIN).await.unwrap_err().kind(), SourceErrorKind::Unavailable);
}

#[tokio::test]
async fn beyond_what_the_server_counts_a_total_is_a_lower_bound_and_rows_go_on() {
    let bench = Bench::with(SandboxOptions { incidents: 10_200, ..options(0) }, |_| {}).await;
    let rows = bench.source.list(&call(), &listing(9_990, 60)).await.unwrap();
    assert_eq!((rows.total, rows.capped, rows.more), (Some(9_999), true, true));
    assert_eq!(rows.items.len(), 60);
    let end = bench.source.list(&call(), &listing(10_050, 100)).await.unwrap();
    let count = 10_200 - 10_200 / 83;
    assert_eq!((end.items.len(), end.more), (count - 10_050, false));
    let list = data(&bench.api(), "{ incidents(first: 1) { totalCount totalCountPrecision } }").await;
    assert_eq!(list["incidents"], json!({ "totalCount": 9_999, "totalCountPrecision": "LOWER_BOUND" }));
}

#[tokio::test]
async fn references_of_people_are_the_ids_themselves_and_of_incidents_are_looked_up() {
    let bench = Bench::new(50).await;
    let references = [
        Reference::Incident("7".into()),
        Reference::Incident("7000".into()),
        Reference::OwnerEmail("a@b.c".into()),
        Reference::TagName("BU:Acme".into()),
    ];
    let named = bench.source.resolve(&call(), &references).await.unwrap();
    assert_eq!(named, [natives(&["7"]), vec![], natives(&["a@b.c"]), natives(&["BU:Acme"])]);
}

#[tokio::test]
async fn people_and_tags_are_found_by_name_in_any_letter_case() {
    let bench = Bench::new(300).await;
    let all = bench.walk(vec![], None, 100).await;
    let api = bench.api();
    let count = |filter: String| {
        let api = &api;
        async move {
            let query = format!("{{ incidents(first: 1, filter: {filter}) {{ totalCount }} }}");
            data(api, &query).await["incidents"]["totalCount"].as_u64().unwrap() as usize
        }
    };
    let mail = all.iter().find_map(|incident| Some(incident.owners.first()?.key.native.to_string())).unwrap();
    let owned = all.iter().filter(|i| i.owners.iter().any(|owner| owner.key.native.to_string() == mail)).count();
    assert_eq!(count(format!("{{ owners: [{{ email: \"{}\" }}] }}", mail.to_uppercase())).await, owned);
    assert_eq!(count(format!("{{ owners: [{{ sourceId: \"{mail}\" }}] }}")).await, owned);
    let tagged = |text: &str| all.iter().filter(|i| i.tags.iter().any(|tag| tag.name.as_deref() == Some(text))).count();
    assert_eq!(count("{ tags: [{ name: \"ar:telnet SERVER\" }] }".into()).await, tagged("AR:Telnet Server"));
    assert!(owned > 0 && tagged("AR:Telnet Server") > 0);
}
