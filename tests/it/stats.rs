//! Counts: each equals a count over the source's own rows, and none is taken from a number that means something else.

use super::{
    calls::assert_lawful,
    support::{Gateway, now},
    truth::{id, micros, rows},
};
use chrono::{DateTime, Datelike, Utc};
use incident_gateway::{
    domain::IdKind,
    sandbox::{Release, SandboxOptions},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PARTS: &str = "total open precision bySeverity { severity count } byStatus { status count } bySource { source { name } count } \
    byDetection { detection count } byOwner(top: 100) { owner { id } count } byQualification { term { id } count } \
    created: byMonth(months: 14) { month count cumulative } \
    reported: byMonth(months: 14, field: REPORTED_AT) { month count cumulative } \
    short: byMonth(months: 2, field: REPORTED_AT) { month count cumulative } meanTimeToResolveHours sources { status }";

async fn gateway(release: Release) -> Gateway {
    Gateway::over(SandboxOptions { release, incidents: 300, ..SandboxOptions::default() }).await
}

/// How often each value occurs.
fn counts<'a>(values: impl Iterator<Item = &'a str>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    values.for_each(|value| *counts.entry(value.to_owned()).or_insert(0) += 1);
    counts
}

/// A list of counts as a map; zeros left out, as they may be.
fn told(list: &Value, name: impl Fn(&Value) -> String) -> BTreeMap<String, u64> {
    let entries = list.as_array().unwrap().iter().map(|entry| (name(entry), entry["count"].as_u64().unwrap()));
    entries.filter(|(_, count)| *count > 0).collect()
}

fn word(name: &'static str) -> impl Fn(&Value) -> String {
    move |entry| entry[name].as_str().unwrap().to_owned()
}

fn mapped<'a>(rows: &'a [&'a Value], member: &'a str, words: &'a [(&'a str, &'a str)]) -> BTreeMap<String, u64> {
    counts(rows.iter().filter_map(|row| words.iter().find(|(label, _)| row[member] == *label).map(|(_, word)| *word)))
}

fn assert_stats(stats: &Value, rows: &[&Value], filter: &str) {
    assert_eq!((&stats["total"], &stats["precision"]), (&json!(rows.len()), &json!("EXACT")), "{filter}");
    let open = rows.iter().filter(|row| row["status"] == "New" || row["status"] == "Ongoing").count();
    assert_eq!(stats["open"], open, "{filter}: resolved is not open");
    let severities = [
        ("Critical", "CRITICAL"),
        ("Major", "HIGH"),
        ("Moderate", "MEDIUM"),
        ("Minor", "MINOR"),
        ("Low", "LOW"),
        ("unknown", "UNKNOWN"),
    ];
    assert_eq!(told(&stats["bySeverity"], word("severity")), mapped(rows, "severity", &severities), "{filter}");
    let statuses = [
        ("New", "NEW"),
        ("Ongoing", "IN_PROGRESS"),
        ("Resolved", "RESOLVED"),
        ("Closed", "CLOSED"),
        ("Dismissed", "DISMISSED"),
    ];
    assert_eq!(told(&stats["byStatus"], word("status")), mapped(rows, "status", &statuses), "{filter}");
    let detections = [("Internal", "INTERNAL"), ("External", "EXTERNAL")];
    assert_eq!(told(&stats["byDetection"], word("detection")), mapped(rows, "detection", &detections), "{filter}");
    assert_eq!(stats["bySource"], json!([{ "source": { "name": "grc" }, "count": rows.len() }]), "{filter}");
    let links = |member: &'static str, kind: IdKind| {
        let ids = rows.iter().flat_map(move |row| row[member].as_array().unwrap()).filter_map(|one| one["id"].as_str());
        counts(ids.map(|native| id(kind, native)).collect::<Vec<_>>().iter().map(String::as_str))
    };
    let terms = told(&stats["byQualification"], |entry| entry["term"]["id"].as_str().unwrap().to_owned());
    assert_eq!(terms, links("qualifications", IdKind::Term), "{filter}");
    let mut owners = links("owners", IdKind::Owner);
    // An owner that is hidden is an owner all the same.
    let unassigned = rows.iter().filter(|row| row["owners"].as_array().unwrap().is_empty()).count();
    if unassigned > 0 {
        owners.insert("nobody".into(), unassigned as u64);
    }
    let by_owner = told(&stats["byOwner"], |entry| entry["owner"]["id"].as_str().unwrap_or("nobody").to_owned());
    assert_eq!(by_owner, owners, "{filter}");
    assert_months(&stats["created"], rows, "created_at", 14);
    assert_months(&stats["reported"], rows, "reported_at", 14);
    assert_months(&stats["short"], rows, "reported_at", 2);
    assert_mean(&stats["meanTimeToResolveHours"], rows);
}

fn month(micros: i64) -> i64 {
    let time: DateTime<Utc> = DateTime::from_timestamp_micros(micros).unwrap();
    i64::from(time.year()) * 12 + i64::from(time.month0())
}

/// The last months, the present one last, empty ones included.
fn assert_months(list: &Value, rows: &[&Value], member: &str, months: usize) {
    let present = month(now().timestamp_micros());
    let times: Vec<i64> = rows.iter().filter_map(|row| micros(&row[member])).map(month).collect();
    let first = present + 1 - i64::try_from(months).unwrap();
    let expected: Vec<Value> = (first..=present)
        .map(|month| {
            let count = times.iter().filter(|time| **time == month).count();
            let cumulative = times.iter().filter(|time| **time <= month).count();
            json!({ "month": format!("{}-{:02}", month / 12, month % 12 + 1), "count": count, "cumulative": cumulative })
        })
        .collect();
    assert_eq!(*list, Value::Array(expected), "{member}");
}

fn assert_mean(told: &Value, rows: &[&Value]) {
    let hours = |row: &&Value| {
        let (begun, ended) = (micros(&row["created_at"])?, micros(&row["resolved_at"])?);
        (ended >= begun).then_some((ended - begun) as f64 / 3.6e9)
    };
    let all: Vec<f64> = rows.iter().filter_map(hours).collect();
    match all.len() {
        0 => assert_eq!(*told, Value::Null),
        count => {
            let mean = all.iter().sum::<f64>() / count as f64;
            assert!((told.as_f64().unwrap() - mean).abs() < 1e-6 * mean.max(1.0), "{told} {mean}");
        }
    }
}

/// All counts at once have to be read; each alone may be told by the source. Both must say the same.
async fn assert_filtered(gateway: &Gateway, filter: &str, expected: &[&Value]) {
    let ask = |parts: String| format!("{{ incidentStats(filter: {{ {filter} }}) {{ {parts} }} }}");
    let mut whole = gateway.data(&ask(PARTS.into())).await["incidentStats"].take();
    // A source that cannot match need not be asked, and is then not counted.
    if expected.is_empty() && whole["bySource"] == json!([]) {
        whole["bySource"] = json!([{ "source": { "name": "grc" }, "count": 0 }]);
    }
    assert_stats(&whole, expected, filter);
    for part in [
        "total",
        "open",
        "bySeverity { severity count }",
        "byStatus { status count }",
        "byDetection { detection count }",
        "reported: byMonth(months: 14, field: REPORTED_AT) { month count cumulative }",
    ] {
        let alone = gateway.data(&ask(part.into())).await["incidentStats"].take();
        for (name, value) in alone.as_object().unwrap() {
            let present = |list: &Value| {
                list.as_array().map(|all| {
                    all.iter().filter(|one| part.contains("byMonth") || one["count"] != 0).cloned().collect::<Vec<_>>()
                })
            };
            assert_eq!(
                present(value).map_or(value.clone(), Value::Array),
                present(&whole[name]).map_or(whole[name].clone(), Value::Array),
                "{filter}: {part}"
            );
        }
    }
    let terms = gateway.data(&ask("byQualification { term { id } count }".into())).await;
    let of = |stats: &Value| told(&stats["byQualification"], |entry| entry["term"]["id"].as_str().unwrap().to_owned());
    assert_eq!(of(&terms["incidentStats"]), of(&whole), "{filter}");
}

#[tokio::test]
async fn every_count_equals_a_count_over_a_full_walk() {
    for release in [Release::V3_15_1, Release::V3_20_8] {
        let gateway = gateway(release).await;
        let all = rows(&gateway, "/api/incidents/").await;
        let folder = all.iter().find_map(|row| row["folder"]["id"].as_str()).unwrap();
        let scope = id(IdKind::Scope, folder);
        let unknown = id(IdKind::Scope, "00000000-0000-4000-8000-000000000001");
        let severe = |row: &&Value| row["severity"] == "Critical" || row["severity"] == "Major";
        type Test<'a> = Box<dyn Fn(&&Value) -> bool + 'a>;
        let cases: Vec<(String, Test<'_>)> = vec![
            (String::new(), Box::new(|_| true)),
            (format!("scopeIds: [{scope:?}]"), Box::new(|row| row["folder"]["id"] == folder)),
            (format!("scopeIds: [{unknown:?}]"), Box::new(|_| false)),
            ("severity: [CRITICAL, HIGH]".into(), Box::new(severe)),
            (
                format!("severity: [CRITICAL, HIGH], scopeIds: [{scope:?}]"),
                Box::new(move |row| severe(row) && row["folder"]["id"] == folder),
            ),
            ("published: false".into(), Box::new(|row| row["is_published"] == false)),
            ("ids: []".into(), Box::new(|_| false)),
        ];
        for (filter, test) in &cases {
            let expected: Vec<&Value> = all.iter().filter(|row| test(row)).collect();
            assert_filtered(&gateway, filter, &expected).await;
        }
        assert_lawful(&gateway.sandbox.calls(), release);
        assert_eq!(
            gateway.codes("{ incidentStats(filter: { sources: [\"nowhere\"] }) { total } }").await,
            ["BAD_USER_INPUT"]
        );
    }
}

#[tokio::test]
async fn what_the_source_counts_itself_is_not_counted_by_reading() {
    let gateway = gateway(Release::V3_15_1).await;
    let folder = rows(&gateway, "/api/incidents/")
        .await
        .iter()
        .find_map(|row| row["folder"]["id"].as_str().map(str::to_owned))
        .unwrap();
    gateway.data("{ incidents(first: 1) { nodes { id } } }").await;
    let scope = format!("filter: {{ scopeIds: [{:?}] }}", id(IdKind::Scope, &folder));
    for arguments in [String::new(), format!("({scope})")] {
        for (parts, paths) in [
            ("total", vec!["summary_stats"]),
            ("bySeverity { count }", vec!["severity_breakdown", "summary_stats"]),
            ("byDetection { count }", vec!["detection_breakdown", "summary_stats"]),
            ("byMonth(months: 3, field: REPORTED_AT) { count }", vec!["monthly_metrics", "summary_stats"]),
        ] {
            gateway.calls();
            gateway.data(&format!("{{ incidentStats{arguments} {{ {parts} }} }}")).await;
            let mut calls = gateway.calls();
            calls.retain(|call| call != "GET /api/folders/");
            calls.sort();
            let expected: Vec<String> = paths.iter().map(|path| format!("GET /api/incidents/{path}/")).collect();
            assert!(calls.iter().all(|call| expected.contains(call)) && !calls.is_empty(), "{parts}: {calls:?}");
        }
        // The source's own number of open ones counts resolved ones: the lists are asked, one row each.
        gateway.calls();
        let data = gateway
            .data(&format!(
                "{{ incidentStats{arguments} {{ total open byStatus {{ count }} sources {{ upstreamCalls }} }} }}"
            ))
            .await;
        let calls = gateway.sandbox.calls();
        assert_eq!(data["incidentStats"]["sources"][0]["upstreamCalls"], calls.len());
        assert!(calls.len() <= 8, "{calls:?}");
        assert!(
            calls.iter().filter(|call| call.path == "/api/incidents/").all(|call| call.query.contains("limit=1&")),
            "{calls:?}"
        );
        gateway.calls();
    }
}

#[tokio::test]
async fn wrong_arguments_of_counts_are_named() {
    let gateway = Gateway::over(SandboxOptions { incidents: 20, ..SandboxOptions::default() }).await;
    for (part, argument) in [
        ("byOwner(top: 0) { count }", "`top`"),
        ("byOwner(top: 101) { count }", "`top`"),
        ("byMonth(months: 0) { count }", "`months`"),
        ("byMonth(months: 121) { count }", "`months`"),
    ] {
        let answer = gateway.ask(&format!("{{ incidentStats {{ total {part} }} }}")).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{part}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().starts_with(argument), "{answer}");
    }
}
