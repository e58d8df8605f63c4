//! Every field of `IncidentFilter` selects what the same sentence selects from the source's own rows, whoever filters.

use super::{
    calls::assert_lawful,
    support::Gateway,
    truth::{filled, id, micros, native, rows, selected},
};
use incident_gateway::{
    domain::IdKind,
    sandbox::{Release, SandboxOptions},
};
use serde_json::{Value, json};

type Test = Box<dyn Fn(&Value) -> bool>;

struct Case {
    filter: String,
    test: Test,
}

fn case(filter: impl Into<String>, test: impl Fn(&Value) -> bool + 'static) -> Case {
    Case { filter: filter.into(), test: Box::new(test) }
}

async fn gateway(release: Release) -> Gateway {
    Gateway::over(SandboxOptions { release, incidents: 200, ..SandboxOptions::default() }).await
}

/// The ids of a row's links by a member; empty where there are none.
fn linked<'a>(row: &'a Value, member: &str) -> Vec<&'a str> {
    let all = row[member].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter_map(|one| one["id"].as_str()).collect()
}

/// Two ids that occur under a member, a frequent one first.
fn two(all: &[Value], member: &str) -> [String; 2] {
    let mut ids: Vec<&str> = all.iter().flat_map(|row| linked(row, member)).collect();
    ids.sort_unstable();
    let count = |id: &str| ids.iter().filter(|other| **other == id).count();
    let mut distinct = ids.clone();
    distinct.dedup();
    distinct.sort_by_key(|id| std::cmp::Reverse(count(id)));
    [distinct[0].to_owned(), distinct[distinct.len() - 1].to_owned()]
}

fn quoted<S: AsRef<str>>(all: &[S]) -> String {
    all.iter().map(|text| json!(text.as_ref()).to_string()).collect::<Vec<_>>().join(", ")
}

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000001";

fn words() -> Vec<Case> {
    let label = |member: &'static str, wanted: &'static [&'static str]| {
        move |row: &Value| wanted.iter().any(|label| row[member] == *label)
    };
    let done = label("status", &["Resolved", "Closed", "Dismissed"]);
    vec![
        case("", |_| true),
        case("severity: [CRITICAL, LOW]", label("severity", &["Critical", "Low"])),
        case("severity: [HIGH]", label("severity", &["Major"])),
        case("severity: [MEDIUM, MINOR, UNKNOWN]", label("severity", &["Moderate", "Minor", "unknown"])),
        case("severity: [INFORMATIONAL]", |_| false),
        case("severity: []", |_| false),
        case("status: [NEW, IN_PROGRESS]", label("status", &["New", "Ongoing"])),
        case("status: [RESOLVED, CLOSED, DISMISSED]", done),
        case("status: [ON_HOLD, OTHER]", |_| false),
        case("phase: OPEN", label("status", &["New", "Ongoing"])),
        case("phase: DONE", done),
        case("detection: [INTERNAL]", label("detection", &["Internal"])),
        case("detection: [EXTERNAL, OTHER]", label("detection", &["External"])),
        case("detection: [INTERNAL, EXTERNAL]", label("detection", &["Internal", "External"])),
        case("published: true", |row| row["is_published"] == true),
        case("published: false", |row| row["is_published"] == false),
        // An owner that is hidden is an owner all the same.
        case("unassigned: true", |row| row["owners"] == json!([])),
        case("unassigned: false", |row| row["owners"] != json!([])),
        case("sources: [\"grc\"]", |_| true),
        case("sources: []", |_| false),
        case("sourceKinds: [CISO_ASSISTANT]", |_| true),
        case("sourceKinds: [KASPERSKY_XDR]", |_| false),
        case("title: { contains: \"ON\" }", |row| row["name"].as_str().unwrap().to_lowercase().contains("on")),
        case("title: { matches: \"(?i)^p.*[0-9]{4}\" }", |row| {
            let title = row["name"].as_str().unwrap().to_lowercase();
            let digits = |text: &str| text.as_bytes().windows(4).any(|four| four.iter().all(u8::is_ascii_digit));
            title.strip_prefix('p').is_some_and(digits)
        }),
        case("description: { contains: \"THE\" }", |row| {
            row["description"].as_str().is_some_and(|text| text.to_lowercase().contains("the"))
        }),
        case("description: {}", |_| true),
        case("search: \"the\"", |row| {
            ["name", "description", "ref_id"]
                .iter()
                .any(|m| row[*m].as_str().is_some_and(|t| t.to_lowercase().contains("the")))
        }),
    ]
}

/// Fields that this source can never fill match nothing, and their negation everything.
fn never() -> Vec<Case> {
    let none = [
        "resolution: [TRUE_POSITIVE]",
        "priority: [HIGH]",
        "origins: [\"x\"]",
        "categories: [\"x\"]",
        "starred: true",
        "createdManually: false",
        "createdBy: [{ email: \"a@b\" }]",
        "cloudManagement: [MANAGED]",
        "cloudIntegrations: [\"x\"]",
        "computedDescription: { contains: \"a\" }",
        "statusChanged: { since: \"2020-01-01T00:00:00Z\" }",
        "detected: { since: \"2020-01-01T00:00:00Z\" }",
        "responded: { until: \"2030-01-01T00:00:00Z\" }",
        "contained: { until: \"2030-01-01T00:00:00Z\" }",
        "due: { until: \"2030-01-01T00:00:00Z\" }",
    ];
    let mut all: Vec<Case> = none.iter().map(|filter| case(*filter, |_| false)).collect();
    all.extend(none.iter().map(|filter| case(format!("not: {{ {filter} }}"), |_| true)));
    all
}

fn identities(all: &[Value]) -> Vec<Case> {
    let (a, b) = (native(&all[3]).to_owned(), native(&all[90]).to_owned());
    let own =
        [id(IdKind::Incident, &b), id(IdKind::Incident, &a), id(IdKind::Incident, UNKNOWN), id(IdKind::Incident, "x")];
    let either = move |row: &Value| native(row) == a || native(row) == b;
    let natives = [native(&all[3]), native(&all[90]), UNKNOWN, "no id"];
    let reference = all.iter().find_map(|row| filled(&row["ref_id"])).unwrap().to_owned();
    let title = all[5]["name"].as_str().unwrap().to_owned();
    let (same, upper) = (title.clone(), title.to_uppercase());
    vec![
        case(format!("ids: [{}]", quoted(&own)), either.clone()),
        case(format!("sourceIds: [{}]", quoted(&natives)), either.clone()),
        case(format!("ids: [{}], severity: [CRITICAL, HIGH]", quoted(&own)), move |row| {
            either(row) && ["Critical", "Major"].iter().any(|label| row["severity"] == *label)
        }),
        case("ids: []", |_| false),
        case(format!("references: [{}, \"nothing\"]", json!(reference)), move |row| row["ref_id"] == *reference),
        case("references: [\"\"]", |_| false),
        case(format!("title: {{ equals: [{}] }}", json!(upper)), move |row| {
            row["name"].as_str().unwrap().to_lowercase() == same.to_lowercase()
        }),
    ]
}

fn links(all: &[Value], release: Release) -> Vec<Case> {
    let mut members = vec![
        ("assetIds", "assets", IdKind::Asset, ""),
        ("threatIds", "threats", IdKind::Threat, ""),
        ("qualificationIds", "qualifications", IdKind::Term, ""),
        ("entityIds", "entities", IdKind::RelatedRecord, "entities/"),
    ];
    if release == Release::V3_20_8 {
        members.extend([
            ("relatedRecordIds", "applied_controls", IdKind::RelatedRecord, "applied-controls/"),
            ("relatedRecordIds", "task_templates", IdKind::RelatedRecord, "task-templates/"),
            ("relatedRecordIds", "risk_scenarios", IdKind::RelatedRecord, "risk-scenarios/"),
        ]);
    }
    let mut cases = Vec::new();
    for (field, member, kind, collection) in members {
        let [a, b] = two(all, member);
        let of = |native: &str| id(kind, &format!("{collection}{native}"));
        let (one, both) = (a.clone(), [a.clone(), b.clone()]);
        cases.push(case(format!("{field}: [{:?}]", of(&a)), move |row| linked(row, member).contains(&&*one)));
        cases.push(case(format!("{field}: [{}]", quoted(&[of(&a), of(UNKNOWN), of(&b), of("odd")])), move |row| {
            both.iter().any(|id| linked(row, member).contains(&&**id))
        }));
        cases.push(case(format!("{field}: [{:?}]", of(UNKNOWN)), |_| false));
        cases.push(case(format!("{field}: []"), |_| false));
        cases.push(case(format!("not: {{ {field}: [{:?}] }}", of(&a)), move |row| !linked(row, member).contains(&&*a)));
    }
    let folder = all[0]["folder"]["id"].as_str().or(all[1]["folder"]["id"].as_str()).unwrap().to_owned();
    let scope = id(IdKind::Scope, &folder);
    cases.push(case(format!("scopeIds: [{scope:?}]"), move |row| row["folder"]["id"] == *folder));
    cases.push(case(format!("scopeIds: [{:?}]", id(IdKind::Scope, UNKNOWN)), |_| false));
    cases
}

/// Owners by id, e-mail and the source's own id; labels by id and name.
async fn people_and_tags(gateway: &Gateway, all: &[Value]) -> Vec<Case> {
    let actors = rows(gateway, "/api/actors/").await;
    let users = rows(gateway, "/api/users/").await;
    let teams = rows(gateway, "/api/teams/").await;
    let owned = |actor: &&Value| all.iter().any(|row| linked(row, "owners").contains(&native(actor)));
    let of = |kind: &str| {
        actors.iter().filter(|actor| actor["type"] == kind).find(owned).unwrap_or_else(|| panic!("{kind}"))
    };
    let (user, team, entity) = (of("user"), of("team"), of("entity"));
    let subject =
        |actor: &Value, rows: &[Value]| rows.iter().find(|row| row["id"] == actor["specific"]["id"]).unwrap().clone();
    let by = |actor: &Value| {
        let id = native(actor).to_owned();
        move |row: &Value| linked(row, "owners").contains(&&*id)
    };
    let email = subject(user, &users)["email"].as_str().unwrap().to_uppercase();
    let own = |actor: &Value| id(IdKind::Owner, native(actor));
    let mut cases = vec![
        case(format!("owners: [{{ id: {:?} }}]", own(user)), by(user)),
        case(format!("owners: [{{ id: {:?} }}]", own(entity)), by(entity)),
        case(format!("owners: [{{ email: {email:?} }}]"), by(user)),
        case(format!("owners: [{{ sourceId: {} }}]", team["id"]), by(team)),
        case(format!("owners: [{{ sourceId: {} }}]", user["id"]), by(user)),
        case(format!("owners: [{{ email: \"nobody@example.test\" }}, {{ id: {:?} }}]", own(team)), by(team)),
        case("owners: [{ email: \"nobody@example.test\" }]", |_| false),
        case(format!("owners: [{{ id: {:?} }}]", id(IdKind::Owner, UNKNOWN)), |_| false),
        case("owners: [{ sourceId: \"nobody\" }]", |_| false),
        case("owners: []", |_| false),
    ];
    if let Some(email) = subject(team, &teams)["team_email"].as_str() {
        cases.push(case(format!("owners: [{{ email: {email:?} }}]"), by(team)));
    }
    let (a, b) = (by(user), by(team));
    cases.push(case(format!("owners: [{{ id: {:?} }}, {{ id: {:?} }}]", own(user), own(team)), move |row| {
        a(row) || b(row)
    }));
    let [label, _] = two(all, "filtering_labels");
    let name =
        all.iter().flat_map(|row| row["filtering_labels"].as_array().unwrap()).find(|one| one["id"] == *label).unwrap();
    let name = name["str"].as_str().unwrap().to_uppercase();
    for filter in [format!("id: {:?}", id(IdKind::Tag, &label)), format!("name: {name:?}")] {
        let label = label.clone();
        cases.push(case(format!("tags: [{{ {filter} }}]"), move |row| {
            linked(row, "filtering_labels").contains(&&*label)
        }));
    }
    cases.push(case("tags: [{ name: \"no such label\" }]", |_| false));
    cases.push(case(format!("tags: [{{ id: {:?} }}]", id(IdKind::Tag, UNKNOWN)), |_| false));
    cases
}

fn times(all: &[Value]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (field, member) in [
        ("created", "created_at"),
        ("updated", "updated_at"),
        ("reported", "reported_at"),
        ("occurred", "occurred_at"),
        ("resolved", "resolved_at"),
    ] {
        let mut known: Vec<(i64, &str)> =
            all.iter().filter_map(|row| Some((micros(&row[member])?, row[member].as_str()?))).collect();
        known.sort_unstable();
        let Some((since, since_text)) = known.get(known.len() / 4).copied() else {
            cases.push(case(format!("{field}: {{ since: \"2000-01-01T00:00:00Z\" }}"), |_| false));
            continue;
        };
        let (until, until_text) = known[known.len() / 2];
        cases.extend([
            case(format!("{field}: {{ since: {since_text:?} }}"), move |row| {
                micros(&row[member]).is_some_and(|at| at >= since)
            }),
            case(format!("{field}: {{ until: {until_text:?} }}"), move |row| {
                micros(&row[member]).is_some_and(|at| at < until)
            }),
            case(format!("{field}: {{ since: {since_text:?}, until: {until_text:?} }}"), move |row| {
                micros(&row[member]).is_some_and(|at| (since..until).contains(&at))
            }),
            case(format!("{field}: {{ since: {until_text:?}, until: {since_text:?} }}"), |_| false),
            case(format!("not: {{ {field}: {{ since: {since_text:?} }} }}"), move |row| {
                micros(&row[member]).is_none_or(|at| at < since)
            }),
        ]);
    }
    cases
}

fn combined(all: &[Value]) -> Vec<Case> {
    let [a, b] = two(all, "assets");
    let (x, y) = (id(IdKind::Asset, &a), id(IdKind::Asset, &b));
    let has = |id: &str| {
        let id = id.to_owned();
        move |row: &Value| linked(row, "assets").contains(&&*id)
    };
    let severe = |row: &Value| ["Critical", "Major"].iter().any(|label| row["severity"] == *label);
    let (a1, a2, a3, b1) = (has(&a), has(&a), has(&a), has(&b));
    vec![
        case("and: [{ severity: [CRITICAL, HIGH] }, { severity: [HIGH, LOW] }]", |row| row["severity"] == "Major"),
        case("severity: [CRITICAL, HIGH], and: [{ not: { status: [NEW] } }]", move |row| {
            severe(row) && row["status"] != "New"
        }),
        case("or: [{ severity: [CRITICAL] }, { status: [CLOSED] }]", |row| {
            row["severity"] == "Critical" || row["status"] == "Closed"
        }),
        case("or: []", |_| false),
        case("and: []", |_| true),
        case("not: {}", |_| false),
        case("not: { not: { severity: [LOW] } }", |row| row["severity"] == "Low"),
        case(format!("assetIds: [{x:?}], and: [{{ assetIds: [{y:?}] }}]"), move |row| a1(row) && b1(row)),
        case(format!("assetIds: [{x:?}], severity: [CRITICAL, HIGH], search: \"e\""), move |row| {
            let found = ["name", "description", "ref_id"]
                .iter()
                .any(|m| row[*m].as_str().is_some_and(|t| t.to_lowercase().contains('e')));
            a2(row) && severe(row) && found
        }),
        case(
            format!("or: [{{ assetIds: [{x:?}] }}, {{ and: [{{ published: false }}, {{ unassigned: true }}] }}]"),
            move |row| a3(row) || (row["is_published"] == false && linked(row, "owners").is_empty()),
        ),
        case("not: { or: [{ phase: DONE }, { detection: [INTERNAL] }] }", |row| {
            !["Resolved", "Closed", "Dismissed"].iter().any(|label| row["status"] == *label)
                && row["detection"] != "Internal"
        }),
    ]
}

#[tokio::test]
async fn every_filter_selects_what_the_source_s_rows_say() {
    for release in [Release::V3_15_1, Release::V3_20_8] {
        let gateway = gateway(release).await;
        let all = rows(&gateway, "/api/incidents/").await;
        let mut cases = words();
        cases.extend(never());
        cases.extend(identities(&all));
        cases.extend(links(&all, release));
        cases.extend(people_and_tags(&gateway, &all).await);
        cases.extend(times(&all));
        cases.extend(combined(&all));
        gateway.calls();
        let mut selective = 0;
        for Case { filter, test } in &cases {
            let mut expected: Vec<&str> = all.iter().filter(|row| test(row)).map(native).collect();
            expected.sort_unstable();
            assert_eq!(selected(&gateway, filter).await, expected, "{release}: {filter}");
            selective += usize::from(!expected.is_empty() && expected.len() < all.len());
        }
        assert!(selective > 50, "only {selective} of {} show anything", cases.len());
        assert_lawful(&gateway.sandbox.calls(), release);
    }
}

#[tokio::test]
async fn what_a_filter_names_must_be_of_its_kind() {
    let gateway = gateway(Release::V3_15_1).await;
    let asset = id(IdKind::Asset, UNKNOWN);
    let threat = id(IdKind::Threat, UNKNOWN);
    for (filter, argument) in [
        (format!("ids: [{asset:?}]"), "filter.ids[0]"),
        ("ids: [\"garbage\"]".into(), "filter.ids[0]"),
        (format!("assetIds: [{asset:?}, {threat:?}]"), "filter.assetIds[1]"),
        (format!("threatIds: [{asset:?}]"), "filter.threatIds[0]"),
        (format!("qualificationIds: [{asset:?}]"), "filter.qualificationIds[0]"),
        (format!("entityIds: [{asset:?}]"), "filter.entityIds[0]"),
        (format!("relatedRecordIds: [{asset:?}]"), "filter.relatedRecordIds[0]"),
        (format!("scopeIds: [{asset:?}]"), "filter.scopeIds[0]"),
        (format!("owners: [{{ email: \"a\" }}, {{ id: {asset:?} }}]"), "filter.owners[1].id"),
        (format!("createdBy: [{{ id: {asset:?} }}]"), "filter.createdBy[0].id"),
        (format!("tags: [{{ id: {asset:?} }}]"), "filter.tags[0].id"),
        (
            format!("and: [{{}}, {{ not: {{ or: [{{ assetIds: [{threat:?}] }}] }} }}]"),
            "filter.and[1].not.or[0].assetIds[0]",
        ),
        ("title: { matches: \"(\" }".into(), "filter.title.matches"),
    ] {
        let answer = gateway.ask(&format!("{{ incidents(filter: {{ {filter} }}) {{ nodes {{ id }} }} }}")).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{filter}: {answer}");
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("`{argument}`")), "{filter}: {message}");
    }
    for filter in
        ["sources: [\"nowhere\"]", "not: { sources: [\"nowhere\"] }", "or: [{ sources: [\"grc\", \"nowhere\"] }]"]
    {
        let answer = gateway.ask(&format!("{{ incidents(filter: {{ {filter} }}) {{ nodes {{ id }} }} }}")).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{filter}: {answer}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("nowhere"), "{answer}");
    }
    assert!(
        gateway.calls().iter().all(|call| call == "GET /api/build/"),
        "nothing is asked for a filter that is wrong"
    );
}

#[tokio::test]
async fn a_report_tells_who_filtered() {
    let gateway = gateway(Release::V3_15_1).await;
    let query = "{ incidents(filter: { severity: [HIGH], published: true }) { sources { filteredBySource filteredByGateway itemCount totalCount truncated } totalCount } }";
    let data = gateway.data(query).await;
    let report = &data["incidents"]["sources"][0];
    assert_eq!(
        (&report["filteredBySource"], &report["filteredByGateway"]),
        (&json!(["SEVERITY"]), &json!(["PUBLISHED"]))
    );
    assert_eq!(report["truncated"], false);
}

#[tokio::test]
async fn an_id_is_known_in_any_spelling_of_a_uuid() {
    let gateway = Gateway::start().await;
    let query = "{ incidents(first: 100) { nodes { sourceId owners { sourceId } } } }";
    let page = gateway.data(query).await;
    let nodes = page["incidents"]["nodes"].as_array().unwrap();
    let incident = nodes.iter().find(|node| node["owners"] != json!([])).unwrap();
    let (id, owner) = (incident["sourceId"].as_str().unwrap(), incident["owners"][0]["sourceId"].as_str().unwrap());
    let spellings = |id: &str| [id.to_owned(), id.to_uppercase(), id.replace('-', ""), format!("{{{id}}}")];
    for (id, owner) in spellings(id).into_iter().zip(spellings(owner)) {
        for filter in
            [format!("sourceIds: [{id:?}]"), format!("sourceIds: [{id:?}], owners: [{{ sourceId: {owner:?} }}]")]
        {
            let found =
                gateway.data(&format!("{{ incidents(filter: {{ {filter} }}) {{ nodes {{ sourceId }} }} }}")).await;
            assert_eq!(found["incidents"]["nodes"], json!([{"sourceId": incident["sourceId"]}]), "{filter}");
        }
        let query = format!("{{ incident(by: {{ native: {{ source: \"grc\", id: {id:?} }} }}) {{ sourceId }} }}");
        assert_eq!(gateway.data(&query).await["incident"]["sourceId"], incident["sourceId"], "{query}");
    }
}
