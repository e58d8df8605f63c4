//! The catalogues: assets, threats, owners, folders, labels, terms and entities, each by list and by id.

use super::*;

/// Walks a catalogue and finds each record again by `nodes`; ours and the source's row in pairs.
async fn pairs(gateway: &Gateway, list: &str, ty: &str, fields: &str, rows: Vec<Value>) -> Vec<(Value, Value)> {
    let fields = format!("id sourceId source {{ name }} {fields}");
    let listed = walk(gateway, list, "", 100, &fields).await;
    let bare = |node: &Value| node["sourceId"].as_str().unwrap().trim_start_matches("entities/").to_owned();
    let mut truth = by_id(rows);
    assert_eq!(listed.len(), truth.len(), "{list}");
    for some in listed.chunks(100) {
        let ids: Vec<&Value> = some.iter().map(|node| &node["id"]).collect();
        let query = format!("query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {ty} {{ {fields} }} }} }}");
        let answer = gateway.ask_with(&query, json!({ "ids": ids })).await;
        assert_eq!(answer.get("errors"), None, "{list}");
        assert_eq!(answer["data"]["nodes"], json!(some), "{list}: by id as in the list");
    }
    listed
        .into_iter()
        .map(|node| {
            let row = truth.remove(&bare(&node)).expect("each once");
            (node, row)
        })
        .collect()
}

const ASSET: &str = "kind sourceType name description reference categories createdAt updatedAt raw owners { id name } \
    scope { id name } tags { id name } parents { id name } children { id name }";

#[tokio::test]
async fn every_field_of_assets_is_as_at_the_source() {
    for release in RELEASES {
        let gateway = gateway(release, 200).await;
        let (mut parents, mut children) = (0, 0);
        for (ours, row) in pairs(&gateway, "assets", "Asset", ASSET, rows(&gateway, "/api/assets/").await).await {
            assert_eq!(ours["raw"], row);
            assert_same(&ours, &row, &[("name", "name"), ("description", "description"), ("sourceType", "type")]);
            assert_eq!(ours["kind"], if row["type"] == "Primary" { "PRIMARY" } else { "SUPPORTING" });
            assert_eq!(ours["reference"], text(&row["ref_id"]));
            assert_times(&ours, &row, &[("createdAt", "created_at"), ("updatedAt", "updated_at")]);
            assert_eq!(ours["owners"], links(IdKind::Owner, &row["owner"]));
            assert_eq!(ours["scope"], link(IdKind::Scope, &row["folder"]));
            assert_eq!(ours["tags"], links(IdKind::Tag, &row["filtering_labels"]));
            assert_eq!(ours["parents"], links(IdKind::Asset, &row["parent_assets"]));
            parents += usize::from(ours["parents"] != json!([]));
            // Gone from the slim rows of the later release: there, an asset by itself tells them.
            let whole = match row.get("children_assets") {
                Some(_) => row.clone(),
                None => gateway.rest(&format!("/api/assets/{}/", row["id"].as_str().unwrap())).await,
            };
            assert_eq!(ours["children"], links(IdKind::Asset, &whole["children_assets"]));
            children += usize::from(ours["children"] != json!([]));
        }
        assert!(parents > 0 && children > 0, "{release}: {parents} {children}");
    }
}

#[tokio::test]
async fn incidents_below_a_record_are_those_that_name_it() {
    for release in RELEASES {
        let gateway = gateway(release, 200).await;
        let incidents = rows(&gateway, "/api/incidents/").await;
        for (list, member) in [("assets", "assets"), ("threats", "threats"), ("owners", "owners")] {
            let nodes = "sourceId incidents(first: 100) { totalCount nodes { sourceId } }";
            let mut seen = 0;
            for record in walk(&gateway, list, "", 25, nodes).await.iter().take(25) {
                let holds =
                    |row: &&Value| row[member].as_array().unwrap().iter().any(|one| one["id"] == record["sourceId"]);
                let mut expected: Vec<&Value> = incidents.iter().filter(holds).collect();
                expected.sort_by_key(|row| (std::cmp::Reverse(micros(&row["created_at"])), native(row)));
                assert_eq!(record["incidents"]["totalCount"], expected.len(), "{list}");
                let expected: Vec<&str> = expected.into_iter().map(native).take(100).collect();
                assert_eq!(truth::native_ids(record["incidents"]["nodes"].as_array().unwrap()), expected, "{list}");
                seen += expected.len();
            }
            assert!(seen > 20, "{list}: {seen}");
        }
    }
}

const THREAT: &str = "kind name description reference provider raw scope { id name } tags { id name }";

#[tokio::test]
async fn every_field_of_threats_is_as_at_the_source() {
    for release in RELEASES {
        let gateway = gateway(release, 200).await;
        for (ours, row) in pairs(&gateway, "threats", "Threat", THREAT, rows(&gateway, "/api/threats/").await).await {
            assert_eq!((&ours["kind"], &ours["raw"]), (&json!("CATALOGUED"), &row));
            assert_same(&ours, &row, &[("name", "name"), ("description", "description"), ("provider", "provider")]);
            assert_eq!(ours["reference"], text(&row["ref_id"]));
            assert_eq!(ours["scope"], link(IdKind::Scope, &row["folder"]));
            assert_eq!(ours["tags"], links(IdKind::Tag, &row["filtering_labels"]));
        }
    }
}

const OWNER: &str = "kind sourceType name firstName lastName email active description raw scope { id name } \
    leader { id name } deputies { id name } members { id name }";

#[tokio::test]
async fn owners_are_actors_joined_with_users_teams_and_entities() {
    for release in RELEASES {
        let gateway = gateway(release, 200).await;
        let users = by_id(rows(&gateway, "/api/users/").await);
        let teams = by_id(rows(&gateway, "/api/teams/").await);
        let actors = rows(&gateway, "/api/actors/").await;
        let of_subject: BTreeMap<&str, &str> =
            actors.iter().filter_map(|actor| Some((actor["specific"]["id"].as_str()?, native(actor)))).collect();
        let people = |users: &Value| -> Value {
            let shown = users.as_array().unwrap().iter().filter_map(|user| {
                let actor = of_subject.get(user["id"].as_str()?)?;
                Some(json!({ "id": truth::id(IdKind::Owner, actor), "name": user["str"] }))
            });
            shown.collect()
        };
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        for (ours, actor) in pairs(&gateway, "owners", "Owner", OWNER, actors.clone()).await {
            assert_same(&ours, &actor, &[("name", "str"), ("sourceType", "type")]);
            let subject = actor["specific"]["id"].as_str().unwrap_or_default();
            *kinds.entry(ours["kind"].as_str().unwrap().to_owned()).or_default() += 1;
            match actor["type"].as_str().unwrap() {
                "user" => {
                    assert_eq!(ours["kind"], "USER");
                    let Some(user) = users.get(subject) else { continue };
                    assert_same(
                        &ours,
                        user,
                        &[
                            ("email", "email"),
                            ("firstName", "first_name"),
                            ("lastName", "last_name"),
                            ("active", "is_active"),
                        ],
                    );
                    assert_eq!(ours["raw"], *user);
                }
                "team" => {
                    assert_eq!(ours["kind"], "TEAM");
                    let team = &teams[subject];
                    assert_same(
                        &ours,
                        team,
                        &[("email", "team_email"), ("description", "description"), ("name", "name")],
                    );
                    assert_eq!(ours["scope"], link(IdKind::Scope, &team["folder"]));
                    assert_eq!(ours["leader"], people(&json!([team["leader"]])).get(0).cloned().unwrap_or_default());
                    assert_eq!(ours["deputies"], people(&team["deputies"]));
                    assert_eq!(ours["members"], people(&team["members"]));
                    assert_eq!(ours["raw"], *team);
                }
                "entity" => assert_eq!((&ours["kind"], &ours["email"]), (&json!("ORGANIZATION"), &Value::Null)),
                other => panic!("{other}"),
            }
        }
        assert!(kinds["USER"] > 5 && kinds["TEAM"] > 1 && kinds["ORGANIZATION"] > 1, "{kinds:?}");
    }
}

const SCOPE: &str = "kind name description root raw parent { id name } path { id name } children { id name }";

#[tokio::test]
async fn folders_are_a_tree() {
    for release in RELEASES {
        let gateway = gateway(release, 200).await;
        let folders = rows(&gateway, "/api/folders/").await;
        let (mut deepest, mut roots) = (0, 0);
        for (ours, row) in pairs(&gateway, "scopes", "Scope", SCOPE, folders.clone()).await {
            assert_eq!((&ours["kind"], &ours["raw"]), (&json!("FOLDER"), &row));
            assert_same(&ours, &row, &[("name", "name"), ("description", "description")]);
            assert_eq!(ours["root"], row["content_type"] == "GLOBAL");
            roots += usize::from(ours["root"] == true);
            assert_eq!(ours["parent"], link(IdKind::Scope, &row["parent_folder"]));
            let mut path = links(IdKind::Scope, &row["path"]);
            let own = json!({ "id": ours["id"], "name": row["name"] });
            path.as_array_mut().unwrap().push(own);
            assert_eq!(ours["path"], path, "from the top down to and including this one");
            deepest = deepest.max(path.as_array().unwrap().len());
            let below = folders.iter().filter(|other| other["parent_folder"]["id"] == row["id"]);
            let mut below: Vec<String> = below.map(|folder| truth::id(IdKind::Scope, native(folder))).collect();
            let mut children: Vec<String> =
                ours["children"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect();
            below.sort();
            children.sort();
            assert_eq!(children, below);
        }
        assert!(deepest > 1 && roots == 1, "{deepest} {roots}");
    }
}

#[tokio::test]
async fn an_incident_s_folder_has_the_path_that_the_incident_tells() {
    for release in RELEASES {
        let gateway = gateway(release, 200).await;
        let truth = by_id(rows(&gateway, "/api/incidents/").await);
        let mut nested = 0;
        for incident in walk(&gateway, "incidents", "", 100, "sourceId scope { id name path { id name } }").await {
            let row = &truth[incident["sourceId"].as_str().unwrap()];
            if incident["scope"].is_null() {
                continue;
            }
            let path = links(IdKind::Scope, &row["path"]);
            // The list leaves out the root where it is the incident's own folder; retrieving does not.
            let path = if path == json!([]) { json!([link(IdKind::Scope, &row["folder"])]) } else { path };
            let ours: Value =
                incident["scope"]["path"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
            let theirs: Value = path.as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
            assert_eq!(ours, theirs, "{row}");
            nested += usize::from(theirs.as_array().unwrap().len() > 1);
        }
        assert!(nested > 10);
    }
}

#[tokio::test]
async fn labels_terms_and_entities_are_as_at_the_source() {
    for release in RELEASES {
        let gateway = gateway(release, 200).await;
        let labels = rows(&gateway, "/api/filtering-labels/").await;
        for (ours, row) in pairs(&gateway, "tags", "Tag", "name scope { id name }", labels).await {
            assert_eq!((&ours["name"], &ours["scope"]), (&row["label"], &link(IdKind::Scope, &row["folder"])));
        }
        let terms = rows(&gateway, "/api/terminologies/?field_path=qualifications").await;
        for (ours, row) in pairs(&gateway, "terms", "Term", "kind name label description selectable", terms).await {
            assert_eq!(ours["kind"], "QUALIFICATION");
            assert_same(
                &ours,
                &row,
                &[
                    ("name", "name"),
                    ("label", "translated_name"),
                    ("description", "description"),
                    ("selectable", "is_visible"),
                ],
            );
        }
        let entities = rows(&gateway, "/api/entities/").await;
        let fields = "kind name reference description raw";
        for (ours, row) in pairs(&gateway, "relatedRecords", "RelatedRecord", fields, entities).await {
            assert_eq!((&ours["kind"], &ours["raw"]), (&json!("ENTITY"), &row));
            assert_same(&ours, &row, &[("name", "name"), ("description", "description")]);
            assert_eq!(ours["reference"], text(&row["ref_id"]));
        }
    }
}
