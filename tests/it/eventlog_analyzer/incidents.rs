//! Lists and pages of incidents, and what each row becomes.

use super::support::*;
use incident_gateway::{domain::*, source::*, vendors::eventlog_analyzer::*};
use serde_json::{Value, json};
use std::sync::Mutex;

#[tokio::test]
async fn every_field_of_every_incident_equals_the_servers_own() {
    let bench = Bench::new(250).await;
    let rows = bench.rows("").await;
    let incidents = bench.walk(Vec::new(), 100).await;
    assert_eq!(incidents.len(), rows.len());
    for (row, incident) in rows.iter().zip(&incidents) {
        let id = row["incident_id"].as_i64().unwrap().to_string();
        assert_eq!((incident.key.clone(), incident.source_kind), (key(&*id), SourceKind::EventlogAnalyzer));
        assert_eq!(incident.reference.as_deref(), Some(&*id));
        for (member, value) in [
            ("incident_name", &incident.title),
            ("incident_description", &incident.description),
            ("severity", &incident.source_severity),
            ("status", &incident.source_status),
        ] {
            assert_eq!(value.as_deref(), row[member].as_str(), "{member} of {row}");
        }
        let severity = match row["severity"].as_str().unwrap() {
            "Critical" => Severity::Critical,
            "Trouble" => Severity::High,
            "Attention" => Severity::Low,
            other => panic!("{other}"),
        };
        let status = match row["status"].as_str().unwrap() {
            "Open" => IncidentStatus::New,
            "In Progress" => IncidentStatus::InProgress,
            "Closed" => IncidentStatus::Closed,
            other => panic!("{other}"),
        };
        assert_eq!((incident.severity, incident.status), (severity, status));
        assert_eq!(incident.created_at, moment(&row["created_time"], BERLIN), "{row}");
        assert_eq!(incident.due_at, moment(&row["due_date"], BERLIN), "{row}");
        let owners: Vec<Key> = incident.owners.iter().map(|link| link.key.clone()).collect();
        let assignee = row["assign_to"].as_i64().unwrap();
        let expected = if assignee == -1 { Vec::new() } else { vec![key(&*assignee.to_string())] };
        assert_eq!((owners, incident.unassigned()), (expected, assignee == -1));
        let creator = row["created_by"].as_str().unwrap();
        let link = incident.created_by.as_ref().unwrap();
        assert_eq!((&link.key, link.name.as_deref()), (&key(&*format!("name/{creator}")), Some(creator)));
        assert!(incident.assets_apart && incident.assets.is_empty() && incident.updated_at.is_none());
    }
}

#[tokio::test]
async fn the_world_holds_what_these_tests_are_about() {
    let bench = Bench::new(250).await;
    let rows = bench.rows("").await;
    let any = |test: &dyn Fn(&Value) -> bool| rows.iter().any(test);
    assert!(any(&|row| row["assign_to"] == -1) && any(&|row| row["assign_to"] == 9_001));
    assert!(any(&|row| row.get("due_date").is_none()) && any(&|row| row["incident_description"] == ""));
    assert!(any(&|row| row["created_by"].as_str().unwrap().contains([' ', '+'])));
    let mut zones: Vec<i64> = Vec::new();
    for row in &rows {
        let printed = row["created_time"].as_str().unwrap().replace(' ', "T") + "Z";
        let as_utc = chrono::DateTime::parse_from_rfc3339(&printed).unwrap().to_utc();
        zones.push((as_utc - moment(&row["created_time"], BERLIN).unwrap()).num_hours());
    }
    assert!(zones.contains(&1) && zones.contains(&2), "summer and winter");
}

#[tokio::test]
async fn pages_give_every_row_once_whatever_the_first_index() {
    let bench = Bench::new(230).await;
    let own: Vec<String> = bench.rows("").await.iter().map(|row| row["incident_id"].to_string()).collect();
    for limit in [1, 7, 10, 46, 100] {
        assert_eq!(ids(&bench.walk(Vec::new(), limit).await), own, "{limit}");
    }
    let one = Bench::with(options(230), |config| config.first_index = FirstIndex::One).await;
    one.sandbox.reset_calls();
    assert_eq!(ids(&one.walk(Vec::new(), 100).await), own);
    let expected = ["limit=100", "from=101&limit=100", "from=201&limit=100"];
    let expected = expected.map(|query| format!("/api/v2/incident?{query}&response_type=server"));
    assert_eq!(one.calls(), expected);
}

/// A server that counts from 0, and one that counts from 1 and refuses 0.
#[tokio::test]
async fn a_server_that_counts_otherwise_loses_no_row_either() {
    for (base, first) in
        [(0, FirstIndex::Unknown), (0, FirstIndex::Zero), (1, FirstIndex::Unknown), (1, FirstIndex::One)]
    {
        for total in [0, 1, 99, 100, 101, 199, 200, 201, 300] {
            let source = over(
                |config| config.first_index = first,
                move |url| {
                    let query: Vec<(String, String)> =
                        url::form_urlencoded::parse(url.split_once('?').unwrap().1.as_bytes()).into_owned().collect();
                    let number = |name: &str| {
                        let value = query.iter().find(|(other, _)| other == name);
                        value.map(|(_, value)| value.parse::<usize>().unwrap())
                    };
                    let from = number("from").unwrap_or(base);
                    if from < base {
                        return json(400, fixture("error_400.json"));
                    }
                    let range = (from - base).min(total)..(from - base + number("limit").unwrap()).min(total);
                    let rows: Vec<Value> = range.map(|index| json!({ "incident_id": 1_000 + index })).collect();
                    json(200, json!({ "data": rows, "meta": { "total_items": total } }).to_string())
                },
            );
            let expected: Vec<String> = (0..total).map(|index| (1_000 + index).to_string()).collect();
            for limit in [100, 33] {
                assert_eq!(ids(&walk(&*source, Vec::new(), limit).await), expected, "{base} {first:?} {total}");
            }
        }
    }
}

#[tokio::test]
async fn the_record_as_received_comes_only_if_wanted() {
    let bench = Bench::new(20).await;
    let own = bench.rows("").await;
    for want in [PLAIN, RAW] {
        let rows = bench.source.list(&call(), &ListRequest { want, ..page(0, 50) }).await.unwrap();
        for (incident, row) in rows.items.iter().zip(&own) {
            let kept = incident.raw.as_ref().map(|raw| serde_json::from_str::<Value>(raw.as_str()).unwrap());
            assert_eq!(kept.as_ref(), want.raw.then_some(row));
        }
    }
}

/// The moments are the same, whosever clock the server prints them by.
#[tokio::test]
async fn each_representation_is_read_by_its_own_zone() {
    let bench = Bench::new(60).await;
    let kolkata = |config: &mut Config| {
        config.response_type = ResponseType::Client;
        config.time_zone = chrono_tz::Asia::Kolkata;
    };
    let client = Bench::with(options(60), kolkata).await;
    let times = |incidents: &[std::sync::Arc<Incident>]| -> Vec<(Option<Time>, Option<Time>)> {
        incidents.iter().map(|incident| (incident.created_at, incident.due_at)).collect()
    };
    let (by_server, by_client) = (bench.walk(Vec::new(), 100).await, client.walk(Vec::new(), 100).await);
    assert_eq!(times(&by_server), times(&by_client));
    let id = [by_server[3].key.native.clone()];
    let details = |bench: &Bench| {
        let source = bench.source.clone();
        let id = id.clone();
        async move { source.details(&call(), &of(&id, ALL_PARTS, PLAIN)).await.unwrap().items }
    };
    assert_eq!(details(&bench).await, details(&client).await);
    assert!(client.calls().iter().all(|call| call.contains("response_type=client")));
    assert!(bench.calls().iter().all(|call| call.contains("response_type=server")));
    let zones = [&bench, &client].map(|bench| bench.source.clone());
    let mut told = Vec::new();
    for source in zones {
        told.push(source.capabilities(&call()).await.assumed_time_zone.clone().unwrap());
    }
    assert_eq!(told, ["Europe/Berlin", "Asia/Kolkata"]);
}

#[tokio::test]
async fn an_incident_is_found_without_a_call_that_gives_one() {
    let bench = Bench::new(250).await;
    let own = bench.rows("").await;
    let capabilities = bench.source.capabilities(&call()).await;
    assert!(!capabilities.by_id.contains(&RecordKind::Incident));
    let error = bench.source.fetch(&call(), &[NativeId::new("1")], PLAIN).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unsupported);
    for place in [0, 120, 249] {
        let id = own[place]["incident_id"].to_string();
        let global = GlobalId::new(IdKind::Incident, key(&*id)).to_string();
        bench.sandbox.reset_calls();
        for query in [
            format!("{{ node(id: \"{global}\") {{ ... on Incident {{ title }} }} }}"),
            format!("{{ node: incident(by: {{ id: \"{global}\" }}) {{ title }} }}"),
            format!("{{ node: incident(by: {{ native: {{ source: \"ela\", id: \"{id}\" }} }}) {{ title }} }}"),
        ] {
            let data = bench.data(&query).await;
            assert_eq!(data["node"]["title"], own[place]["incident_name"], "{query}");
        }
        // No more of the list is read than up to the incident.
        let (calls, pages) = (bench.calls().len(), place / 100 + 1);
        assert!(calls <= 3 * (pages + 1), "{place}: {calls}");
    }
    let unknown = GlobalId::new(IdKind::Incident, key("77")).to_string();
    let answer = bench.gql(&format!("{{ node(id: \"{unknown}\") {{ id }} }}")).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND");
}

#[tokio::test]
async fn orders_are_the_gateways_and_none_is_sent() {
    let bench = Bench::new(120).await;
    assert!(bench.source.capabilities(&call()).await.list.orders.is_empty());
    let order = Order { field: IncidentOrderField::CreatedAt, direction: OrderDirection::Desc };
    let sorted = ListRequest { order: Some(order), ..page(0, 10) };
    assert_eq!(bench.source.list(&call(), &sorted).await.unwrap_err().kind(), SourceErrorKind::Internal);
    let query = "{ incidents(first: 100, orderBy: { field: TITLE, direction: ASC }) { nodes { title } } }";
    let data = bench.data(query).await;
    let titles = data["incidents"]["nodes"].as_array().unwrap().iter();
    let titles: Vec<String> = titles.map(|node| node["title"].as_str().unwrap().to_lowercase()).collect();
    assert!(titles.len() == 100 && titles.is_sorted(), "{titles:?}");
}

#[tokio::test]
async fn the_severities_mean_what_the_configuration_says() {
    let change = |config: &mut Config| config.grades = Grades::new(Severity::Medium, Severity::Informational).unwrap();
    let bench = Bench::with(options(60), change).await;
    let all = bench.walk(Vec::new(), 100).await;
    for (word, severity) in
        [("Critical", Severity::Critical), ("Trouble", Severity::Medium), ("Attention", Severity::Informational)]
    {
        let found = bench.walk(vec![Test::Severity(vec![severity])], 100).await;
        let expected = all.iter().filter(|incident| incident.source_severity.as_deref() == Some(word));
        assert!(!found.is_empty());
        assert_eq!(ids(&found), expected.map(|incident| incident.key.native.to_string()).collect::<Vec<_>>());
        assert!(found.iter().all(|incident| incident.severity == severity));
    }
}

#[tokio::test]
async fn a_token_is_sent_with_every_call_and_names_nothing_else() {
    let seen = std::sync::Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let source = over(
        |_| {},
        move |url| {
            log.lock().unwrap().push(url.to_owned());
            json(200, fixture("list_empty.json"))
        },
    );
    let rows = source.list(&call(), &page(0, 1_000)).await.unwrap();
    assert_eq!((rows.items.len(), rows.total, rows.more, rows.consumed), (0, Some(0), false, 0));
    assert_eq!(*seen.lock().unwrap(), ["/api/v2/incident?limit=100&response_type=server"]);
}
