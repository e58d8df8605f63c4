//! The edges of lists: what a client meets when it walks one to its end, while it changes, or with a cursor of its own making.

use super::{
    support::{self, Gateway},
    truth::{create, delete, filled, micros, native, native_ids, page, patch, rows, selected, walk},
};
use incident_gateway::sandbox::{Release, Sandbox, SandboxOptions};
use serde_json::{Value, json};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

async fn gateway(incidents: usize) -> Gateway {
    Gateway::over(SandboxOptions { incidents, ..SandboxOptions::default() }).await
}

async fn some(gateway: &Gateway, arguments: &str, after: Option<&str>) -> Value {
    page(gateway, "incidents", arguments, after, "id sourceId title").await
}

fn end(page: &Value) -> Option<&str> {
    page["pageInfo"]["endCursor"].as_str()
}

fn ids(page: &Value) -> Vec<String> {
    native_ids(page["nodes"].as_array().unwrap())
}

#[tokio::test]
async fn a_last_page_that_is_exactly_full_is_the_last() {
    let gateway = gateway(120).await;
    let total = rows(&gateway, "/api/incidents/").await.len();
    let filter = "filter: { severity: [CRITICAL] }";
    let critical = walk(&gateway, "incidents", filter, 100, "id").await.len();
    for (arguments, count) in [(filter, critical), ("orderBy: { field: TITLE }", total)] {
        assert!((2..=100).contains(&(count / 2)), "{count}");
        let whole = count.min(100);
        let rest = count - whole;
        let first = some(&gateway, &format!("first: {whole} {arguments}"), None).await;
        assert_eq!(first["pageInfo"]["hasNextPage"], rest > 0);
        if rest > 0 {
            let last = some(&gateway, &format!("first: {rest} {arguments}"), end(&first)).await;
            assert_eq!((ids(&last).len(), &last["pageInfo"]["hasNextPage"]), (rest, &json!(false)));
            assert_eq!(last["pageInfo"]["hasPreviousPage"], true);
        }
    }
}

#[tokio::test]
async fn an_empty_list_and_what_follows_the_last_item_are_empty_pages() {
    let gateway = gateway(30).await;
    let empty = some(&gateway, "filter: { ids: [] }", None).await;
    let nothing = json!({ "hasNextPage": false, "hasPreviousPage": false, "startCursor": null, "endCursor": null });
    assert_eq!((&empty["pageInfo"], &empty["nodes"], &empty["totalCount"]), (&nothing, &json!([]), &json!(0)));
    for arguments in ["first: 100", "first: 100 orderBy: { field: REPORTED_AT, direction: ASC }"] {
        let all = some(&gateway, arguments, None).await;
        assert_eq!(all["pageInfo"]["hasNextPage"], false);
        let after = some(&gateway, arguments, end(&all)).await;
        assert_eq!((&after["nodes"], &after["totalCount"]), (&json!([]), &all["totalCount"]));
        assert_eq!(
            after["pageInfo"],
            json!({ "hasNextPage": false, "hasPreviousPage": true, "startCursor": null, "endCursor": null })
        );
    }
}

#[tokio::test]
async fn a_list_may_be_emptied_between_pages() {
    let gateway = gateway(25).await;
    let first = some(&gateway, "first: 5", None).await;
    for row in rows(&gateway, "/api/incidents/").await {
        delete(&gateway, native(&row)).await;
    }
    let second = some(&gateway, "first: 5", end(&first)).await;
    assert_eq!(
        (&second["nodes"], &second["pageInfo"]["hasNextPage"], &second["totalCount"]),
        (&json!([]), &json!(false), &json!(0))
    );
}

#[tokio::test]
async fn what_comes_and_goes_during_a_walk_neither_repeats_nor_hides_the_rest() {
    for direction in ["DESC", "ASC"] {
        let gateway = gateway(120).await;
        let before: BTreeSet<String> =
            rows(&gateway, "/api/incidents/").await.iter().map(|row| native(row).to_owned()).collect();
        let arguments = format!("first: 7 orderBy: {{ field: CREATED_AT, direction: {direction} }}");
        let (mut seen, mut gone, mut after) = (Vec::new(), BTreeSet::new(), None::<String>);
        for turn in 0.. {
            let page = some(&gateway, &arguments, after.as_deref()).await;
            seen.extend(ids(&page));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = end(&page).map(str::to_owned);
            // One that was seen goes (every other time the very one that the cursor names), and one that was not.
            let known = if turn % 2 == 0 { seen[seen.len() - 1].clone() } else { seen[seen.len() / 2].clone() };
            let unseen = before.iter().filter(|id| !seen.contains(id) && !gone.contains(*id)).nth(3).cloned();
            for id in std::iter::once(known).chain(unseen) {
                if gone.insert(id.clone()) {
                    delete(&gateway, &id).await;
                }
            }
            create(&gateway, json!({ "name": format!("made during the walk {turn}") })).await;
        }
        let distinct: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(distinct.len(), seen.len(), "{direction}: none twice");
        let missed: Vec<&String> = before.iter().filter(|id| !distinct.contains(*id) && !gone.contains(*id)).collect();
        assert!(missed.is_empty(), "{direction}: {missed:?}");
        assert!(gone.len() > 10);
    }
}

/// A key by which incidents are sorted, made from the source's row.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Time(i64),
    Rank(usize),
    Text(Vec<Piece>),
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Number(u128),
    Char(char),
}

/// Letters of any case, and numbers as numbers.
fn pieces(text: &str) -> Vec<Piece> {
    let folded: Vec<char> = text.to_lowercase().chars().collect();
    let (mut pieces, mut index) = (Vec::new(), 0);
    while index < folded.len() {
        let digits: String = folded[index..].iter().take_while(|c| c.is_ascii_digit()).collect();
        index += digits.len().max(1);
        pieces.push(match digits.parse() {
            Ok(number) => Piece::Number(number),
            Err(_) => Piece::Char(folded[index - 1]),
        });
    }
    pieces
}

fn sort(field: &str, row: &Value) -> Option<Sort> {
    let time = |member: &str| micros(&row[member]).map(Sort::Time);
    let rank = |member: &str, labels: &[&str]| labels.iter().position(|label| row[member] == *label).map(Sort::Rank);
    match field {
        "CREATED_AT" => time("created_at"),
        "UPDATED_AT" => time("updated_at"),
        "OCCURRED_AT" => time("occurred_at"),
        "REPORTED_AT" => time("reported_at"),
        "RESOLVED_AT" => time("resolved_at"),
        "SEVERITY" => rank("severity", &["unknown", "Low", "Minor", "Moderate", "Major", "Critical"]),
        "STATUS" => rank("status", &["New", "Ongoing", "Resolved", "Closed", "Dismissed"]),
        "TITLE" => row["name"].as_str().map(|text| Sort::Text(text.to_lowercase().chars().map(Piece::Char).collect())),
        "REFERENCE" => filled(&row["ref_id"]).map(|text| Sort::Text(pieces(text))),
        "DETECTED_AT" | "DUE_AT" => None,
        other => panic!("{other}"),
    }
}

/// All orders there are.
pub(crate) const ORDERS: [&str; 11] = [
    "CREATED_AT",
    "UPDATED_AT",
    "OCCURRED_AT",
    "DETECTED_AT",
    "REPORTED_AT",
    "RESOLVED_AT",
    "DUE_AT",
    "SEVERITY",
    "STATUS",
    "TITLE",
    "REFERENCE",
];

async fn assert_sorted(gateway: &Gateway, rows: &[Value], field: &str, direction: &str, first: usize) {
    let mut expected: Vec<&Value> = rows.iter().collect();
    expected.sort_by(|a, b| {
        let by_key = match (sort(field, a), sort(field, b)) {
            (Some(a), Some(b)) if direction == "ASC" => a.cmp(&b),
            (Some(a), Some(b)) => b.cmp(&a),
            (a, b) => a.is_none().cmp(&b.is_none()),
        };
        by_key.then_with(|| native(a).cmp(native(b)))
    });
    let expected: Vec<&str> = expected.into_iter().map(native).collect();
    let arguments = format!("orderBy: {{ field: {field}, direction: {direction} }}");
    let found = native_ids(&walk(gateway, "incidents", &arguments, first, "sourceId").await);
    let differ = found.iter().zip(&expected).position(|(found, expected)| found != expected);
    assert_eq!((found.len(), differ), (expected.len(), None), "{field} {direction}");
}

#[tokio::test]
async fn a_walk_in_any_order_is_the_sorted_list_with_nulls_last() {
    for release in [Release::V3_15_1, Release::V3_20_8] {
        let gateway = Gateway::over(SandboxOptions { incidents: 150, release, ..SandboxOptions::default() }).await;
        let rows = rows(&gateway, "/api/incidents/").await;
        for field in ORDERS {
            for direction in ["ASC", "DESC"] {
                assert_sorted(&gateway, &rows, field, direction, 40).await;
            }
        }
        let with = |field: &str| rows.iter().filter(|row| sort(field, row).is_some()).count();
        assert!(with("REPORTED_AT") < rows.len() && with("REFERENCE") < rows.len(), "some have none");
    }
}

#[tokio::test]
async fn equal_keys_throughout_are_no_obstacle() {
    let gateway = gateway(60).await;
    for row in rows(&gateway, "/api/incidents/").await {
        let same = json!({ "severity": 2, "status": "ongoing", "reported_at": "2026-01-01T00:00:00Z" });
        patch(&gateway, native(&row), same).await;
    }
    let rows = rows(&gateway, "/api/incidents/").await;
    for field in ["SEVERITY", "STATUS", "REPORTED_AT", "DUE_AT"] {
        for direction in ["ASC", "DESC"] {
            assert_sorted(&gateway, &rows, field, direction, 7).await;
        }
    }
}

#[tokio::test]
async fn times_far_away_keep_their_order_and_are_found() {
    let gateway = gateway(40).await;
    let all = rows(&gateway, "/api/incidents/").await;
    let far = [
        "0001-01-01T00:00:00Z",
        "0001-06-01T00:00:00Z",
        "1500-01-01T00:00:00Z",
        "9998-12-31T23:59:59Z",
        "9999-12-31T23:59:59.999999Z",
    ];
    for (time, row) in far.iter().rev().zip(&all) {
        patch(&gateway, native(row), json!({ "reported_at": time })).await;
    }
    let rows = rows(&gateway, "/api/incidents/").await;
    for direction in ["ASC", "DESC"] {
        assert_sorted(&gateway, &rows, "REPORTED_AT", direction, 3).await;
    }
    for (range, member, test) in ranges() {
        let field = if member == "reported_at" { "reported" } else { "created" };
        let mut expected: Vec<&str> =
            rows.iter().filter(|row| micros(&row[member]).is_some_and(test)).map(native).collect();
        expected.sort_unstable();
        assert_eq!(selected(&gateway, &format!("{field}: {{ {range} }}")).await, expected, "{field} {range}");
    }
}

type InRange = fn(i64) -> bool;

/// Ranges, and what they mean in microseconds.
fn ranges() -> Vec<(&'static str, &'static str, InRange)> {
    let mut all: Vec<(&str, &str, InRange)> = Vec::new();
    for member in ["reported_at", "created_at"] {
        all.extend([
            ("since: \"0001-01-01T00:00:00Z\"", member, (|_| true) as InRange),
            ("until: \"0001-01-01T00:00:00Z\"", member, |_| false),
            ("since: \"0001-01-01T00:00:00Z\", until: \"0002-01-01T00:00:00Z\"", member, |at| {
                at < -62_104_060_800_000_000
            }),
            ("since: \"9999-12-31T23:59:59Z\"", member, |at| at >= 253_402_300_799_000_000),
            ("until: \"9999-12-31T23:59:59.999999Z\"", member, |at| at < 253_402_300_799_999_999),
            ("since: \"2026-05-01T00:00:00Z\", until: \"2026-05-01T00:00:00Z\"", member, |_| false),
            ("since: \"2026-08-01T02:00:00+02:00\", until: \"2026-09-30T19:00:00-05:00\"", member, |at| {
                (1_785_542_400_000_000..1_790_812_800_000_000).contains(&at)
            }),
        ]);
    }
    all
}

#[tokio::test]
async fn nested_lists_have_cursors_of_their_own() {
    let gateway = gateway(200).await;
    let all = rows(&gateway, "/api/incidents/").await;
    let shown = |row: &Value| row["assets"].as_array().unwrap().iter().filter(|one| one["id"].is_string()).count();
    let mut entries: BTreeMap<String, usize> = BTreeMap::new();
    for entry in rows(&gateway, "/api/timeline-entries/").await {
        *entries.entry(native(&entry["incident"]).to_owned()).or_default() += 1;
    }
    let lengths = |row: &Value| shown(row).min(*entries.get(native(row)).unwrap_or(&0));
    let row = all.iter().max_by_key(|row| lengths(row)).unwrap();
    assert!(lengths(row) > 2, "several pages of each");
    let id = super::truth::id(incident_gateway::domain::IdKind::Incident, native(row));
    for (list, select, count) in [("assets", "sourceId", shown(row)), ("activity", "id", entries[native(row)])] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let query = format!(
                "{{ node(id: {id:?}) {{ ... on Incident {{ {list}(first: 2 {after}) {{ totalCount nodes {{ {select} }} \
                 edges {{ cursor }} pageInfo {{ hasNextPage hasPreviousPage endCursor }} }} }} }} }}"
            );
            let page = gateway.data(&query).await["node"][list].take();
            assert_eq!(page["pageInfo"]["hasPreviousPage"], !seen.is_empty());
            seen.extend(page["nodes"].as_array().unwrap().iter().map(|node| node[select].to_string()));
            assert!(seen.len() <= count, "{list}: it repeats itself");
            if page["pageInfo"]["hasNextPage"] == false {
                assert_eq!(page["totalCount"], seen.len());
                break;
            }
            after = format!("after: {}", page["pageInfo"]["endCursor"]);
        }
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len());
        assert_eq!(seen.len(), count, "{list}");
    }
    // A cursor of the list above does not fit below, nor one from below above.
    let page = some(&gateway, "first: 1", None).await;
    let cursor = json!(end(&page).unwrap());
    let query =
        format!("{{ node(id: {id:?}) {{ ... on Incident {{ assets(after: {cursor}) {{ nodes {{ id }} }} }} }} }}");
    assert_eq!(gateway.codes(&query).await, ["CURSOR_INVALID"]);
}

#[tokio::test]
async fn a_cursor_below_an_incident_is_good_for_its_list_alone() {
    let gateway = Gateway::start().await;
    let lists = ["assets", "threats", "evidence", "comments", "activity"];
    let all = lists.map(|list| format!("{list}(first: 1) {{ totalCount pageInfo {{ endCursor }} }}")).join(" ");
    let page = gateway.data(&format!("{{ incidents(first: 20) {{ nodes {{ id {all} }} }} }}")).await;
    let nodes = page["incidents"]["nodes"].as_array().unwrap();
    let full = nodes.iter().find(|node| lists.iter().all(|list| node[list]["totalCount"].as_u64() > Some(1)));
    let full = full.expect("an incident with two of everything");
    let other = nodes.iter().find(|node| node["id"] != full["id"]).unwrap();
    for made_for in lists {
        let cursor = &full[made_for]["pageInfo"]["endCursor"];
        for (list, incident) in lists.iter().flat_map(|list| [(list, full), (list, other)]) {
            let field = format!("{list}(first: 1, after: {cursor}) {{ pageInfo {{ hasPreviousPage }} }}");
            let query = format!("{{ node(id: {}) {{ ... on Incident {{ {field} }} }} }}", incident["id"]);
            let own = *list == made_for && incident["id"] == full["id"];
            let expected: &[&str] = if own { &[] } else { &["CURSOR_INVALID"] };
            assert_eq!(gateway.codes(&query).await, expected, "{made_for} at {list}");
        }
    }
}

#[tokio::test]
async fn searches_with_quotes_and_with_nothing_but_spaces() {
    let gateway = gateway(200).await;
    let all = rows(&gateway, "/api/incidents/").await;
    let titles: Vec<&str> = all.iter().filter_map(|row| row["name"].as_str()).collect();
    let phrase = titles.iter().find_map(|title| {
        let words: Vec<&str> = title.split(' ').collect();
        (words.len() > 2 && title.is_ascii()).then(|| format!("{} {}", words[0], words[1]))
    });
    let phrase = phrase.unwrap();
    let foreign = titles.iter().find(|title| !title.is_ascii()).unwrap().split(' ').next().unwrap();
    let holds = |row: &Value, terms: &[&str]| {
        let texts =
            ["name", "description", "ref_id"].map(|member| row[member].as_str().unwrap_or_default().to_lowercase());
        terms.iter().all(|term| texts.iter().any(|text| text.contains(&term.to_lowercase())))
    };
    let reversed = phrase.split(' ').rev().collect::<Vec<_>>().join(" ");
    let cases: Vec<(String, Vec<&str>)> = vec![
        ("   ".into(), vec![]),
        (String::new(), vec![]),
        ("\"\"".into(), vec![]),
        (format!("\"{phrase}\""), vec![&phrase]),
        (format!("\"{reversed}\""), vec![&reversed]),
        (reversed.clone(), reversed.split(' ').collect()),
        (phrase.to_uppercase(), phrase.split(' ').collect()),
        ("it's".into(), vec!["it's"]),
        ("\"d41d8cd9\"".into(), vec!["d41d8cd9"]),
        ("\"".into(), vec!["\""]),
        ("5\"".into(), vec!["5\""]),
        ("a, e".into(), vec!["a,", "e"]),
        ("100%".into(), vec!["100%"]),
        ("x&limit=1".into(), vec!["x&limit=1"]),
        (foreign.to_uppercase(), vec![foreign]),
        // Not plain words, so the gateway searches: every term must occur there, too.
        (format!("{foreign} zzz"), vec![foreign, "zzz"]),
    ];
    for (typed, terms) in cases {
        let mut expected: Vec<&str> = all.iter().filter(|row| holds(row, &terms)).map(native).collect();
        expected.sort_unstable();
        assert_eq!(selected(&gateway, &format!("search: {}", json!(typed))).await, expected, "{typed:?}");
    }
}

#[tokio::test]
async fn a_base_url_may_have_a_path_and_a_trailing_slash() {
    let sandbox = Sandbox::new(SandboxOptions { incidents: 60, ..SandboxOptions::default() });
    let router = axum::Router::new().nest("/tenant/grc", sandbox.router());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let query = "{ incidents(first: 50) { nodes { sourceId url owners { email } } sources { status } } source(name: \"grc\") { url health { status } } }";
    let mut answers = Vec::new();
    for end in ["", "/"] {
        let api = support::api(vec![support::source(&format!("http://{address}/tenant/grc{end}"), sandbox.token())]);
        let request = incident_gateway::graphql::Request { query: query.into(), ..Default::default() };
        let answer: Value = serde_json::from_str(&api.execute(request, &support::call("path")).await.body).unwrap();
        assert_eq!(answer.get("errors"), None);
        let data = &answer["data"];
        assert_eq!(
            (&data["incidents"]["sources"][0]["status"], &data["source"]["health"]["status"]),
            (&json!("OK"), &json!("OK"))
        );
        let node = &data["incidents"]["nodes"][0];
        let page = format!("http://{address}/tenant/grc/incidents/{}", node["sourceId"].as_str().unwrap());
        assert_eq!(node["url"], page);
        answers.push(data["incidents"]["nodes"].clone());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].as_array().unwrap().len(), 50);
    assert!(
        sandbox.calls().iter().all(|call| call.status == 200 && call.path.starts_with("/api/")),
        "{:?}",
        sandbox.calls()
    );
}

#[tokio::test]
async fn cursors_that_cannot_be_used_are_refused_by_what_is_wrong_with_them() {
    let gateway = gateway(30).await;
    let first = some(&gateway, "first: 3", None).await;
    let cursor = end(&first).unwrap();
    let mut forged = cursor.to_owned();
    let middle = forged.len() / 2;
    let other = if &forged[middle..=middle] == "A" { "B" } else { "A" };
    forged.replace_range(middle..=middle, other);
    let ask = |arguments: String| format!("{{ incidents({arguments}) {{ nodes {{ id }} }} }}");
    for (arguments, code) in [
        (format!("first: 3, after: {}", json!(forged)), "CURSOR_INVALID"),
        (format!("after: {}, filter: {{ severity: [LOW] }}", json!(cursor)), "CURSOR_INVALID"),
        (format!("after: {}, orderBy: {{ field: TITLE }}", json!(cursor)), "CURSOR_INVALID"),
        (format!("after: {}, orderBy: {{ field: CREATED_AT, direction: ASC }}", json!(cursor)), "CURSOR_INVALID"),
        ("after: \"garbage\"".into(), "CURSOR_INVALID"),
        ("after: \"🦀\"".into(), "CURSOR_INVALID"),
        (format!("after: {}", json!("A".repeat(10_000))), "CURSOR_INVALID"),
        ("after: \"\"".into(), "BAD_USER_INPUT"),
        ("after: \"  \"".into(), "BAD_USER_INPUT"),
        ("first: 0".into(), "BAD_USER_INPUT"),
        ("first: -1".into(), "BAD_USER_INPUT"),
        ("first: 101".into(), "BAD_USER_INPUT"),
        ("first: 2147483647".into(), "BAD_USER_INPUT"),
    ] {
        let answer = gateway.ask(&ask(arguments.clone())).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{arguments}: {answer}");
        assert_eq!(answer["data"]["incidents"], Value::Null, "{arguments}");
        let message = answer["errors"][0]["message"].as_str().unwrap();
        let about = if arguments.starts_with("first: ") && code == "BAD_USER_INPUT" { "`first` " } else { "`after` " };
        assert!(message.starts_with(about), "{arguments}: {message}");
        assert!(about == "`first` " || message.to_lowercase().contains("leave it out to start"), "{message}");
    }
    // Of another list, and of the same list with another page size, which is fine.
    let owners = page(&gateway, "owners", "first: 2", None, "id").await;
    assert_eq!(gateway.codes(&ask(format!("after: {}", owners["pageInfo"]["endCursor"]))).await, ["CURSOR_INVALID"]);
    let query = format!("{{ owners(after: {}) {{ nodes {{ id }} }} }}", json!(cursor));
    assert_eq!(gateway.codes(&query).await, ["CURSOR_INVALID"]);
    assert_eq!(ids(&some(&gateway, "first: 9", Some(cursor)).await).len(), 9);
    for list in ["assets", "threats", "owners", "scopes", "tags", "terms", "relatedRecords"] {
        for wrong in ["first: 0", "first: 101", "after: \" \""] {
            assert_eq!(
                gateway.codes(&format!("{{ {list}({wrong}) {{ nodes {{ id }} }} }}")).await,
                ["BAD_USER_INPUT"],
                "{list} {wrong}"
            );
        }
    }
    for list in ["assets", "threats", "evidence", "comments", "activity"] {
        for wrong in ["first: 0", "first: 101", "after: \" \"", "after: \"x\""] {
            let query = format!("{{ incidents(first: 1) {{ nodes {{ id {list}({wrong}) {{ totalCount }} }} }} }}");
            let answer = gateway.ask(&query).await;
            let code = if wrong.contains('x') { "CURSOR_INVALID" } else { "BAD_USER_INPUT" };
            assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{list} {wrong}");
            assert_eq!(answer["data"]["incidents"]["nodes"][0][list], Value::Null);
        }
    }
}

#[test]
fn the_comparer_itself_reads_numbers_as_numbers() {
    assert_eq!(pieces("INC-9").cmp(&pieces("inc-10")), Ordering::Less);
    assert_eq!(pieces("inc-009").cmp(&pieces("INC-9")), Ordering::Equal);
}
