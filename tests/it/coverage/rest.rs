//! What a source tells of itself, and the constants that the gateway holds in code.

use super::*;

#[tokio::test]
async fn capabilities_hold_the_choices_of_the_source() {
    for release in RELEASES {
        let gateway = gateway(release, 20).await;
        let data = gateway.data("{ source(name: \"grc\") { capabilities { severities { severity sourceSeverity writable } \
            statuses { status sourceStatus } detections exports reports readComments history totalCount assumedTimeZone \
            create delete read filter orderBy maxPageSize } } }").await;
        let ours = &data["source"]["capabilities"];
        let severities = gateway.rest("/api/incidents/severity/").await;
        let expected: Vec<Value> = severities
            .as_object()
            .unwrap()
            .values()
            .map(|label| json!({ "severity": severity(label), "sourceSeverity": label, "writable": false }))
            .collect();
        assert_eq!(ours["severities"], Value::Array(expected));
        let statuses = gateway.rest("/api/incidents/status/").await;
        let expected: Vec<Value> = statuses
            .as_object()
            .unwrap()
            .values()
            .map(|label| json!({ "status": status(label), "sourceStatus": label }))
            .collect();
        assert_eq!(ours["statuses"], Value::Array(expected));
        let detections = gateway.rest("/api/incidents/detection/").await;
        let expected: Vec<String> =
            detections.as_object().unwrap().values().map(|label| label.as_str().unwrap().to_uppercase()).collect();
        assert_eq!(ours["detections"], json!(expected));
        assert_eq!((&ours["exports"], &ours["reports"]), (&json!(["CSV", "XLSX"]), &json!(["MARKDOWN", "PDF"])));
        assert_eq!(
            (&ours["create"], &ours["delete"], &ours["assumedTimeZone"]),
            (&json!([]), &json!(false), &Value::Null)
        );
        assert_eq!(
            (&ours["readComments"], &ours["history"], &ours["totalCount"]),
            (&json!(true), &json!(true), &json!("EXACT"))
        );
        let later = release == Release::V3_20_8;
        for (list, field) in [
            ("read", "OCCURRED_AT"),
            ("read", "RELATED_RECORDS"),
            ("filter", "CREATED_AT"),
            ("filter", "UPDATED_AT"),
            ("filter", "RELATED_RECORDS"),
        ] {
            assert_eq!(ours[list].as_array().unwrap().contains(&json!(field)), later, "{list} {field} {release}");
        }
        assert!(ours["orderBy"].as_array().unwrap().contains(&json!("CREATED_AT")));
        assert!(!ours["filter"].as_array().unwrap().contains(&json!("THREATS")), "the server ignores it");
    }
}

#[tokio::test]
async fn a_source_tells_its_account_its_health_and_its_release() {
    for release in RELEASES {
        let gateway = gateway(release, 20).await;
        let data = gateway.data("{ sources { id name kind url account { id sourceId kind name email firstName lastName } \
            health { status version message checkedAt latencyMs clockSkewMs } } viewer { name kind permissions { source { name } permissions } } }").await;
        let source = &data["sources"][0];
        assert_eq!((&source["name"], &source["kind"]), (&json!("grc"), &json!("CISO_ASSISTANT")));
        assert_eq!(source["url"], format!("{}/", gateway.base));
        let user = gateway.rest("/api/iam/current-user/").await;
        assert_eq!(source["account"]["id"], truth::id(IdKind::Owner, user["actor_id"].as_str().unwrap()));
        assert_eq!(source["account"]["kind"], "USER");
        assert_same(
            &source["account"],
            &user,
            &[("email", "email"), ("firstName", "first_name"), ("lastName", "last_name")],
        );
        let build = gateway.rest("/api/build/").await;
        assert_eq!((&source["health"]["version"], &source["health"]["status"]), (&build["version"], &json!("OK")));
        assert_eq!(source["health"]["message"], Value::Null);
        assert!(
            micros(&source["health"]["checkedAt"]).is_some() && source["health"]["latencyMs"].as_f64().unwrap() > 0.0
        );
        assert_eq!(data["viewer"]["name"], "local");
        assert_eq!(data["viewer"]["permissions"][0]["source"]["name"], "grc");
        let named = gateway.data(&format!("{{ node(id: {}) {{ ... on Source {{ name }} }} }}", source["id"])).await;
        assert_eq!(named["node"]["name"], "grc");
    }
}

#[tokio::test]
async fn related_lists_are_searched_and_narrowed() {
    let gateway = gateway(Release::V3_15_1, 100).await;
    for (list, path, name) in [
        ("assets", "/api/assets/", "name"),
        ("threats", "/api/threats/", "name"),
        ("owners", "/api/actors/", "str"),
        ("tags", "/api/filtering-labels/", "label"),
        ("scopes", "/api/folders/", "name"),
        ("relatedRecords", "/api/entities/", "name"),
    ] {
        let rows = rows(&gateway, path).await;
        let word = rows[rows.len() / 2][name].as_str().unwrap().split_whitespace().next().unwrap().to_lowercase();
        let holds = |row: &&Value| {
            let members = if list == "owners" { vec![name] } else { vec![name, "ref_id", "description"] };
            members.iter().any(|member| row[*member].as_str().is_some_and(|text| text.to_lowercase().contains(&word)))
        };
        let mut expected: Vec<&str> = rows.iter().filter(holds).map(native).collect();
        let found = walk(&gateway, list, &format!("search: {word:?}"), 7, "sourceId").await;
        let mut found: Vec<String> =
            truth::native_ids(&found).iter().map(|id| id.trim_start_matches("entities/").to_owned()).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{list} {word:?}");
        assert!(!found.is_empty());
    }
    for (list, kinds, all) in [
        ("assets", "PRIMARY", false),
        ("owners", "TEAM", false),
        ("threats", "CATALOGUED", true),
        ("terms", "QUALIFICATION", true),
        ("relatedRecords", "RISK", false),
    ] {
        let everything = walk(&gateway, list, "", 100, "sourceId kind").await;
        let narrowed = walk(&gateway, list, &format!("kinds: [{kinds}]"), 10, "sourceId kind").await;
        let of_kind: Vec<&Value> = everything.iter().filter(|node| node["kind"] == kinds).collect();
        assert_eq!(narrowed.iter().collect::<Vec<_>>(), of_kind, "{list}");
        assert_eq!(narrowed.len() == everything.len(), all, "{list}");
        assert_eq!(walk(&gateway, list, "kinds: []", 10, "sourceId").await, Vec::<Value>::new());
        assert_eq!(
            gateway.codes(&format!("{{ {list}(sources: [\"nowhere\"]) {{ nodes {{ id }} }} }}")).await,
            ["BAD_USER_INPUT"]
        );
    }
}
