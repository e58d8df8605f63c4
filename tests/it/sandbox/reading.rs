//! Lists against a plain computation over everything, and the reading routes that no recording covers.

use super::{Bench, ids};
use incident_gateway::sandbox::{Release, Sandbox, SandboxOptions};
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::collections::BTreeSet;

fn codes(row: &Value, key: &str) -> String {
    let label = row[key].as_str().unwrap_or_default();
    match key {
        "severity" => {
            let labels = ["Critical", "Major", "Moderate", "Minor", "Low", "unknown"];
            (labels.iter().position(|known| *known == label).unwrap() + 1).to_string()
        }
        "detection" if !label.is_empty() => format!("{}ly_detected", label.to_lowercase()),
        _ => label.to_lowercase(),
    }
}

/// Whether an incident is among those that a query should select.
type Expected<'a> = Box<dyn Fn(&Value) -> bool + 'a>;

#[tokio::test]
async fn filters_select_what_a_plain_computation_selects() {
    let bench = Bench::admin().await;
    let all = bench.rows("/api/incidents/").await;
    let asset = all.iter().find_map(|row| row["assets"][0]["id"].as_str()).unwrap();
    let owner = all.iter().find_map(|row| row["owners"][0]["id"].as_str()).unwrap();
    let label = all.iter().find_map(|row| row["filtering_labels"][0]["id"].as_str()).unwrap();
    let folder = all[0]["folder"]["id"].as_str().unwrap();
    let has = |row: &Value, key: &str, id: &str| row[key].as_array().unwrap().iter().any(|member| member["id"] == id);
    let cases: Vec<(String, Expected<'_>)> = vec![
        ("severity=1&severity=6".into(), Box::new(|row| ["1", "6"].contains(&codes(row, "severity").as_str()))),
        ("status=resolved".into(), Box::new(|row| codes(row, "status") == "resolved")),
        ("detection=externally_detected".into(), Box::new(|row| codes(row, "detection") == "externally_detected")),
        (format!("assets={asset}"), Box::new(|row| has(row, "assets", asset))),
        (
            format!("owners={owner}&severity=3"),
            Box::new(|row| has(row, "owners", owner) && codes(row, "severity") == "3"),
        ),
        (format!("filtering_labels={label}"), Box::new(|row| has(row, "filtering_labels", label))),
        (format!("folder={folder}"), Box::new(|row| row["folder"]["id"] == folder)),
        ("threats=whatever&ref_id=x&name=y&page=3&page_size=1".into(), Box::new(|_| true)),
        ("created_at__gte=2999-01-01".into(), Box::new(|_| true)),
    ];
    for (query, expected) in cases {
        let answer = bench.json(&format!("/api/incidents/?{query}")).await;
        let rows = answer["results"].as_array().unwrap().clone();
        let expected: Vec<Value> = all.iter().filter(|row| expected(row)).cloned().collect();
        assert!(!expected.is_empty());
        assert_eq!(ids(&rows), ids(&expected), "{query}");
        assert_eq!(answer["count"], expected.len());
    }
}

#[tokio::test]
async fn searches_ignore_the_case_of_ascii_letters_only() {
    let bench = Bench::admin().await;
    let all = bench.rows("/api/incidents/").await;
    let matches = |terms: &[&str]| -> Vec<Value> {
        let found = |row: &Value, term: &str| {
            ["name", "description", "ref_id"].iter().any(|key| {
                row[*key].as_str().is_some_and(|text| text.to_ascii_lowercase().contains(&term.to_ascii_lowercase()))
            })
        };
        all.iter().filter(|row| terms.iter().all(|term| found(row, term))).cloned().collect()
    };
    for (query, terms) in [
        ("PHISHING", &["phishing"][..]),
        ("phishing,staff", &["phishing", "staff"]),
        ("staff%20phishing", &["phishing", "staff"]),
        ("%22against%20staff%22", &["against staff"]),
        ("%22staff%20against%22", &["staff against"]),
        ("100%25", &["100%"]),
        ("%C3%89quipe", &["Équipe"]),
        ("inc-10", &["INC-10"]),
        ("%20%20", &[]),
    ] {
        let rows = bench.rows(&format!("/api/incidents/?search={query}")).await;
        assert_eq!(ids(&rows), ids(&matches(terms)), "{query}");
    }
    assert!(!bench.rows("/api/incidents/?search=St%C3%B6rung").await.is_empty());
    // Ö and ö are different letters to the database.
    assert!(bench.rows("/api/incidents/?search=st%C3%96rung").await.is_empty());
}

/// The order that the real server's database gives: nulls first, text by bytes, codes as text.
fn compare(a: &Value, b: &Value, column: &str) -> Ordering {
    let text = |row: &Value| row[column].as_str().map(str::to_owned);
    match column {
        "severity" => codes(a, column).cmp(&codes(b, column)),
        "status" => codes(a, column).cmp(&codes(b, column)),
        "detection" => text(a).map(|_| codes(a, column)).cmp(&text(b).map(|_| codes(b, column))),
        "is_published" => a[column].as_bool().cmp(&b[column].as_bool()),
        "folder" => a["folder"]["str"].as_str().cmp(&b["folder"]["str"].as_str()),
        "created_at" | "updated_at" | "reported_at" => {
            let time = |row: &Value| text(row).map(|time| chrono::DateTime::parse_from_rfc3339(&time).unwrap());
            time(a).cmp(&time(b))
        }
        _ => text(a).cmp(&text(b)),
    }
}

#[tokio::test]
async fn every_ordering_gives_the_pages_of_the_sorted_whole() {
    let bench = Bench::admin().await;
    let all = bench.rows("/api/incidents/").await;
    let columns = [
        "id",
        "created_at",
        "updated_at",
        "is_published",
        "name",
        "description",
        "ref_id",
        "status",
        "severity",
        "reported_at",
        "detection",
        "link",
        "folder",
    ];
    let mut orderings: Vec<Vec<(&str, bool)>> = Vec::new();
    for column in columns {
        orderings.extend([
            vec![(column, false), ("id", false)],
            vec![(column, true), ("id", true)],
            vec![(column, true)],
        ]);
    }
    orderings.push(vec![("severity", false), ("status", true), ("name", false), ("reported_at", true), ("id", false)]);
    for ordering in orderings {
        let mut sorted = all.clone();
        sorted.sort_by(|a, b| {
            let step = |(column, descends): &(&str, bool)| {
                let order = compare(a, b, column);
                if *descends { order.reverse() } else { order }
            };
            ordering.iter().map(step).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        let names: Vec<String> =
            ordering.iter().map(|(column, descends)| format!("{}{column}", if *descends { "-" } else { "" })).collect();
        let mut seen: Vec<Value> = Vec::new();
        let mut target = Some(format!("/api/incidents/?limit=37&ordering={}", names.join(",")));
        while let Some(page) = target {
            let answer = bench.json(&page).await;
            seen.extend(answer["results"].as_array().unwrap().iter().cloned());
            target = answer["next"].as_str().map(str::to_owned);
        }
        assert_eq!(ids(&seen), ids(&sorted), "{names:?}");
    }
}

#[tokio::test]
async fn unusable_orderings_are_ignored() {
    let bench = Bench::admin().await;
    let plain = bench.rows("/api/incidents/").await;
    for ordering in ["", "bogus", "owners", "folder__name", "-", "--name"] {
        assert_eq!(ids(&bench.rows(&format!("/api/incidents/?ordering={ordering}")).await), ids(&plain), "{ordering}");
    }
    assert_eq!(
        ids(&bench.rows("/api/incidents/?ordering=bogus,%20-id").await),
        ids(&bench.rows("/api/incidents/?ordering=-id").await)
    );
}

#[tokio::test]
async fn large_worlds_page_as_small_ones_do() {
    let started = std::time::Instant::now();
    let bench = Bench::new(SandboxOptions { incidents: 20_000, ..SandboxOptions::default() }).await;
    let page = bench.json("/api/incidents/?limit=100&offset=19950&ordering=-name,id").await;
    assert_eq!((page["count"].as_u64(), page["results"].as_array().unwrap().len()), (Some(20_000), 50));
    assert_eq!(page["next"], Value::Null);
    let whole = bench.json("/api/incidents/").await;
    assert_eq!(whole["results"].as_array().unwrap().len(), 5_000, "the default limit");
    assert_eq!(whole["next"], "/api/incidents/?limit=5000&offset=5000");
    // Some 2 s unoptimised; anything that grows with the square of the world takes minutes.
    assert!(started.elapsed() < std::time::Duration::from_secs(60));
}

#[tokio::test]
async fn related_lists_are_batched_by_id_where_the_real_ones_are() {
    let bench = Bench::admin().await;
    for resource in [
        "assets",
        "threats",
        "evidences",
        "users",
        "entities",
        "folders",
        "filtering-labels",
        "terminologies",
        "timeline-entries",
    ] {
        let all = bench.rows(&format!("/api/{resource}/")).await;
        let (a, b) = (all[0]["id"].as_str().unwrap(), all[2]["id"].as_str().unwrap());
        let some = bench.rows(&format!("/api/{resource}/?id={a},{b},00000000-0000-4000-8000-000000000000")).await;
        assert_eq!(ids(&some), [a, b], "{resource}");
        assert_eq!(
            bench.get(&format!("/api/{resource}/?id={a},nope")).await.json(),
            json!({ "id": ["Enter a valid UUID."] })
        );
        assert_eq!(ids(&bench.rows(&format!("/api/{resource}/?id__in={a}")).await), ids(&all));
    }
    for resource in ["actors", "teams"] {
        let all = bench.rows(&format!("/api/{resource}/")).await;
        assert_eq!(ids(&bench.rows(&format!("/api/{resource}/?id=nope")).await), ids(&all), "{resource} ignore the id");
    }
}

#[tokio::test]
async fn the_timeline_of_many_incidents_comes_in_one_call() {
    let bench = Bench::admin().await;
    let all = bench.rows("/api/timeline-entries/").await;
    let incidents: BTreeSet<&str> =
        all.iter().map(|entry| entry["incident"]["id"].as_str().unwrap()).take(40).collect();
    let query: Vec<String> = incidents.iter().map(|id| format!("incident={id}")).collect();
    let some = bench.rows(&format!("/api/timeline-entries/?{}", query.join("&"))).await;
    let expected: Vec<Value> =
        all.iter().filter(|entry| incidents.contains(entry["incident"]["id"].as_str().unwrap())).cloned().collect();
    assert_eq!(some, expected);
    let unknown = format!("/api/timeline-entries/?{}&incident=00000000-0000-4000-8000-000000000000", query[0]);
    let text = "Select a valid choice. 00000000-0000-4000-8000-000000000000 is not one of the available choices.";
    let answer = bench.get(&unknown).await;
    assert_eq!((answer.status, answer.json()), (400, json!({ "incident": [text] })));
    let comma = bench.get("/api/timeline-entries/?incident=a,b").await;
    assert_eq!((comma.status, comma.json()), (400, json!({ "incident": ["“a,b” is not a valid value."] })));
}

#[tokio::test]
async fn evidence_is_found_by_its_timeline_entries() {
    let bench = Bench::admin().await;
    let entries = bench.rows("/api/timeline-entries/").await;
    let with: Vec<&Value> =
        entries.iter().filter(|entry| !entry["evidences"].as_array().unwrap().is_empty()).take(3).collect();
    let query: Vec<String> =
        with.iter().map(|entry| format!("timeline_entries={}", entry["id"].as_str().unwrap())).collect();
    let rows = bench.rows(&format!("/api/evidences/?{}", query.join("&"))).await;
    let found: BTreeSet<&str> = ids(&rows).into_iter().collect();
    let expected: BTreeSet<&str> = with
        .iter()
        .flat_map(|entry| entry["evidences"].as_array().unwrap())
        .map(|e| e["id"].as_str().unwrap())
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn statistics_agree_with_a_count_over_everything() {
    for release in [Release::V3_15_1, Release::V3_20_8] {
        let bench = Bench::new(SandboxOptions { incidents: 200, release, ..SandboxOptions::default() }).await;
        let all = bench.rows("/api/incidents/").await;
        let results = bench.json("/api/incidents/severity_breakdown/").await["results"].clone();
        for bar in results.as_array().unwrap() {
            assert_eq!(bar["value"], all.iter().filter(|row| row["severity"] == bar["name"]).count());
        }
        let months = bench.json("/api/incidents/monthly_metrics/").await["results"].clone();
        let reported = all.iter().filter(|row| !row["reported_at"].is_null()).count();
        assert_eq!(months["cumulative_counts"].as_array().unwrap().last().unwrap(), reported);
        let stats = bench.json("/api/incidents/summary_stats/").await["results"].clone();
        assert_eq!(stats["total_incidents"], 200);
        let open = all.iter().filter(|row| !["Closed", "Dismissed"].contains(&row["status"].as_str().unwrap())).count();
        assert_eq!(stats["open_incidents"], open);
        assert!(stats["incidents_this_month"].as_u64().unwrap() > 0);
    }
}

#[tokio::test]
async fn exports_hold_one_row_per_incident_and_honour_filters_only_on_the_later_release() {
    let bench = Bench::admin().await;
    let critical = bench.json("/api/incidents/?severity=1").await["count"].as_u64().unwrap() as usize;
    // A description may hold line ends of its own; a row starts with an id.
    let lines =
        |text: &str| text.lines().filter(|line| uuid::Uuid::try_parse(line.split(';').next().unwrap()).is_ok()).count();
    let older = bench.get("/api/incidents/export_csv/?severity=1").await.text();
    assert_eq!(lines(&older), 200);
    bench.sandbox.set_release(Release::V3_20_8);
    let later = bench.get("/api/incidents/export_csv/?severity=1&limit=1").await;
    assert_eq!(lines(&later.text()), critical);
    assert!(later.text().starts_with('\u{feff}'));
    let workbook = bench.get("/api/incidents/export_xlsx/").await.body;
    assert_eq!(String::from_utf8_lossy(&workbook).matches("<row>").count(), 201);
}

#[tokio::test]
async fn the_later_release_shows_more_and_slim_assets() {
    let bench = Bench::admin().await;
    assert_eq!(bench.json("/api/build/").await["version"], "v3.15.1");
    let older = bench.rows("/api/incidents/?limit=1").await[0].clone();
    bench.sandbox.set_release(Release::V3_20_8);
    assert_eq!(bench.json("/api/build/").await["version"], "v3.20.8");
    let later = bench.rows("/api/incidents/?limit=1").await[0].clone();
    assert_eq!((older.as_object().unwrap().len(), later.as_object().unwrap().len()), (20, 27));
    let slim = bench.rows("/api/assets/?limit=1").await[0].clone();
    assert!(slim.get("incidents").is_none() && slim.get("is_primary").is_some());
    let full = bench.rows("/api/assets/full/?limit=1").await[0].clone();
    assert!(full.get("incidents").is_some());
    let id = slim["id"].as_str().unwrap();
    assert!(bench.json(&format!("/api/assets/{id}/")).await.get("incidents").is_some());
    let all = bench.json("/api/incidents/").await["count"].clone();
    let time = later["created_at"].as_str().unwrap();
    assert_eq!(bench.json(&format!("/api/incidents/?created_at__gte={time}")).await["count"], all);
    assert_eq!(bench.json(&format!("/api/incidents/?created_at__lt={time}")).await["count"], 0);
    assert_eq!(bench.get("/api/incidents/?created_at__lt=soon").await.status, 400);
}

#[tokio::test]
async fn transport_is_that_of_the_real_server() {
    let bench = Bench::admin().await;
    let answer = bench.get("/api/incidents/?limit=1").await;
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
    let head = bench.send("HEAD", "/api/incidents/?limit=1", Value::Null).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(bench.get("/api/incidents").await.status, 301);
    assert_eq!(bench.get("/api/nothing").await.status, 404);
    let missing = bench.get("/api/nothing/").await;
    assert_eq!((missing.status, missing.header("content-type")), (404, Some("text/html; charset=utf-8")));
    assert_eq!(bench.get("/api/incidents/?format=xml").await.json(), json!({ "detail": "Not found." }));
    // The whole request line counts: "GET " + target + " HTTP/1.1".
    let target =
        |length: usize| format!("/api/incidents/?x={:0>width$}", "", width = length - 13 - "/api/incidents/?x=".len());
    assert_eq!(bench.get(&target(5_120)).await.status, 200);
    let long = bench.get(&target(5_121)).await;
    assert_eq!((long.status, long.header("content-type")), (400, Some("text/html")));
    assert!(long.text().contains("(5121 &gt; 5120)"));
}

#[tokio::test]
async fn connections_stay_open_when_asked_for() {
    let sandbox = Sandbox::new(SandboxOptions { keep_alive: true, incidents: 1, ..SandboxOptions::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving =
        tokio::spawn(async move { sandbox.serve(listener, async { stopped.await.unwrap_or_default() }).await });
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    for _ in 0..2 {
        stream.write_all(b"GET /api/health/ HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"{\"status\":\"ok\"}") {
            let mut buffer = [0; 512];
            let read = stream.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "closed after {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&buffer[..read]);
        }
    }
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens after the stop");
}
