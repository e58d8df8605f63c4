//! What the fields of our schema mean, over facts: ResolveFieldValue of the reference.

use super::{
    facts::{Failure, names},
    paging::{List, size},
    reference::Reference,
};
use apollo_compiler::ast::FieldDefinition;
use async_graphql::parser::types::Field;
use serde_json::{Value, json};

pub(super) fn bad_input<T>() -> Result<T, Failure> {
    Err(("BAD_USER_INPUT", String::new()))
}

fn names_of(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

impl<'a> Reference<'a> {
    pub(super) fn resolve(
        &self,
        ty: &str,
        object: &Value,
        field: &'a Field,
        definition: &FieldDefinition,
    ) -> Result<Value, Failure> {
        let argument = |name: &str| self.argument(field, definition, name).filter(|value| !value.is_null());
        match (ty, field.name.node.as_str()) {
            (_, "raw") if !self.may_read_raw => Err(("FORBIDDEN", String::new())),
            (_, name) if object.get("$failed").is_some() && object.get(name).is_none() => {
                let told = |index: usize| object["$failed"][index].as_str().unwrap();
                let codes = self.facts.failing.values().chain(self.facts.failing_kinds.values());
                let code = codes.map(|(code, _)| *code).find(|code| *code == told(0));
                Err((code.unwrap(), told(1).to_owned()))
            }
            ("Query", "node") => self.sought(&argument("id").unwrap()),
            ("Query", "nodes") => self.all_sought(&argument("ids").unwrap()),
            ("Query", "incident") => self.incident_by(&argument("by").unwrap()),
            ("Query", "source") => {
                let name = argument("name").unwrap();
                Ok(json!({"$sought": format!("Source/{}/", name.as_str().unwrap())}))
            }
            ("Query", "sources") => Ok(self.facts.sources.iter().map(|name| json!({"$source": name})).collect()),
            ("Query", "viewer") => Ok(json!({"$type": "Viewer", "name": "local", "kind": "ANONYMOUS"})),
            ("Query", "incidents") => self.all_incidents(argument("first"), argument("filter")),
            ("Query", "assets") => self.catalog("Asset", argument("first"), argument("kinds")),
            ("Query", "owners") => self.catalog("Owner", argument("first"), None),
            ("Query", "threats") => self.catalog("Threat", argument("first"), None),
            ("Incident", "assets" | "threats" | "evidence") => self.tied_to(object, field, argument),
            ("Incident", "comments" | "activity") => self.timeline(object, field, argument),
            ("Incident", "relatedRecords") => {
                let kinds = argument("kinds");
                let all = object["relatedRecords"].as_array().unwrap().iter();
                let chosen = all.filter(|link| {
                    kinds.as_ref().is_none_or(|kinds| names_of(kinds).contains(&link["$kind"].as_str().unwrap()))
                });
                Ok(chosen.cloned().collect())
            }
            ("Owner", "incidents") => self.below(object, argument("first"), |i| holds(&i["owners"], object)),
            ("Asset", "incidents") => self.below(object, argument("first"), |i| ties(&i["assets"], object)),
            ("Threat", "incidents") => self.below(object, argument("first"), |i| ties(&i["threats"], object)),
            (_, name) => Ok(object.get(name).unwrap_or_else(|| panic!("no fact: {ty}.{name}")).clone()),
        }
    }

    fn all_sought(&self, ids: &Value) -> Result<Value, Failure> {
        let ids = ids.as_array().unwrap();
        if !(1..=100).contains(&ids.len()) {
            return bad_input();
        }
        // A wrong id is a null in its place.
        let wrong = |(code, message)| json!({ "$wrong": [code, message] });
        Ok(ids.iter().map(|id| self.sought(id).unwrap_or_else(wrong)).collect())
    }

    fn all_incidents(&self, first: Option<Value>, filter: Option<Value>) -> Result<Value, Failure> {
        let severities = filter.and_then(|mut filter| Some(filter.get_mut("severity")?.take()));
        let severities = severities.filter(|list| !list.is_null());
        let severities = severities.map(|list| if list.is_array() { list } else { json!([list]) });
        let mut page = self.incidents(first, |incident| {
            let severity = incident["severity"].as_str().unwrap();
            severities.as_ref().is_none_or(|list| names_of(list).contains(&severity))
        })?;
        if severities == Some(json!([])) {
            // Nothing can match, so nobody is asked, and nobody fails.
            for report in page["sources"].as_array_mut().unwrap() {
                (report["status"], report["error"]) = (json!("SKIPPED"), Value::Null);
            }
            page["totalCount"] = json!(0);
        }
        Ok(page)
    }

    fn tied_to(
        &self,
        incident: &Value,
        field: &Field,
        argument: impl Fn(&str) -> Option<Value>,
    ) -> Result<Value, Failure> {
        // Wrong arguments are told before anything is looked for.
        size(argument("first"))?;
        let list = List::of(field.name.node.as_str(), incident);
        list.place(argument("after"))?;
        let own = |name: &str| incident[name].as_array().unwrap().clone();
        match field.name.node.as_str() {
            "evidence" => self.tied("IncidentEvidenceConnection", list, self.detail("evidence", incident)?, argument),
            "threats" => self.tied("IncidentThreatConnection", list, own("threats"), argument),
            _ => {
                let roles = argument("roles");
                let of_roles = |edge: &Value| {
                    let has = names_of(&edge["roles"]);
                    roles.as_ref().is_none_or(|roles| names_of(roles).iter().any(|role| has.contains(role)))
                };
                let chosen = own("assets").into_iter().filter(of_roles).collect();
                self.tied("IncidentAssetConnection", list, chosen, argument)
            }
        }
    }

    fn timeline(
        &self,
        incident: &Value,
        field: &Field,
        argument: impl Fn(&str) -> Option<Value>,
    ) -> Result<Value, Failure> {
        size(argument("first"))?;
        let list = List::of(field.name.node.as_str(), incident);
        list.place(argument("after"))?;
        let part = field.name.node.as_str();
        let (edge, ty) = match part {
            "comments" => ("CommentEdge", "CommentConnection"),
            _ => ("ActivityEdge", "ActivityConnection"),
        };
        let entries = self.detail(part, incident)?.into_iter();
        let edges = entries.map(|entry| json!({"$type": edge, "node": entry})).collect();
        list.cut(ty, edges, argument("first"), argument("after"))
    }

    fn incident_by(&self, by: &Value) -> Result<Value, Failure> {
        if let Some(id) = by.get("id") {
            return match names(id.as_str().unwrap()) {
                Some(("Incident", ..)) => self.sought(id),
                _ => bad_input(),
            };
        }
        let [source, text] = ["source", "id"].map(|name| by["native"][name].as_str().unwrap());
        if !self.facts.sources.iter().any(|name| name == source) {
            return bad_input();
        }
        let mut named = self.facts.records.values().filter(|record| {
            record["$type"] == "Incident"
                && record["$source_name"] == source
                && (record["$native"] == text || record["reference"] == text)
        });
        // What nobody has is not looked for.
        Ok(match named.next() {
            Some(record) => json!({"$sought": format!("Incident/{source}/{}", record["$native"].as_str().unwrap())}),
            None => json!({"$sought": "Nothing/nowhere/"}),
        })
    }

    /// All records of a kind that a list can give, by source; and how each source answered.
    fn listed(&self, kind: &str, test: impl Fn(&Value) -> bool) -> (Vec<Value>, Vec<Value>) {
        let (mut rows, mut reports) = (Vec::new(), Vec::new());
        for source in &self.facts.sources {
            let failure = self.facts.failing_lists.get(&format!("list {kind}/{source}"));
            let code = failure.map(|(code, _)| code.trim_start_matches("SOURCE_"));
            let of = |record: &&Value| record["$type"] == *kind && record["$source_name"] == **source && test(record);
            if failure.is_none() {
                rows.extend(self.facts.records.values().filter(|record| record.is_object()).filter(of).cloned());
            }
            reports.push(json!({
                "$type": "SourceReport", "source": {"$source": source}, "status": code.unwrap_or("OK"),
                "error": failure.map(|(code, message)| {
                    json!({"$type": "SourceError", "code": code, "message": message})
                }),
            }));
        }
        (rows, reports)
    }

    /// A page of incidents, newest first; where times are equal or absent by source and id.
    fn incidents(&self, first: Option<Value>, test: impl Fn(&Value) -> bool) -> Result<Value, Failure> {
        let size = size(first)?;
        let (mut rows, reports) = self.listed("Incident", test);
        rows.sort_by_key(|row| {
            let text = |name: &str| row[name].as_str().map(str::to_owned);
            (std::cmp::Reverse(text("createdAt")), text("$source_name"), text("$native"))
        });
        Ok(page("Incident", rows, size, reports))
    }

    /// A page of the incidents tied to a record. Only the record's own source is asked.
    fn below(&self, record: &Value, first: Option<Value>, test: impl Fn(&Value) -> bool) -> Result<Value, Failure> {
        let mut page = self.incidents(first, test)?;
        let failed = page["sources"]
            .as_array()
            .unwrap()
            .iter()
            .any(|report| report["source"]["$source"] == record["$source_name"] && report["status"] != "OK");
        if failed {
            page["totalCount"] = Value::Null;
        }
        Ok(page)
    }

    fn catalog(&self, kind: &str, first: Option<Value>, kinds: Option<Value>) -> Result<Value, Failure> {
        let size = size(first)?;
        let wanted = |record: &Value| {
            kinds.as_ref().is_none_or(|kinds| names_of(kinds).contains(&record["kind"].as_str().unwrap()))
        };
        let (rows, reports) = self.listed(kind, wanted);
        Ok(page(kind, rows, size, reports))
    }

    fn detail(&self, part: &str, incident: &Value) -> Result<Vec<Value>, Failure> {
        let [source, native] = ["$source_name", "$native"].map(|name| incident[name].as_str().unwrap());
        let list = self.load_of(&format!("{part}/{source}/{native}"))?;
        Ok(list.unwrap().as_array().unwrap().clone())
    }

    /// A page of edges, of the kinds that are asked for.
    fn tied(
        &self,
        ty: &str,
        list: List,
        edges: Vec<Value>,
        argument: impl Fn(&str) -> Option<Value>,
    ) -> Result<Value, Failure> {
        let Some(kinds) = argument("kinds") else { return list.cut(ty, edges, argument("first"), argument("after")) };
        let mut chosen = Vec::new();
        for edge in edges.into_iter().filter(|_| kinds != json!([])) {
            let kind = match edge["$kind"].as_str() {
                Some(told) => Some(told.to_owned()),
                None => {
                    let [kind, source, native] =
                        ["$link", "source", "native"].map(|name| edge["node"][name].as_str().unwrap());
                    let record = self.load_of(&format!("{kind}/{source}/{native}"))?;
                    record.map(|record| record["kind"].as_str().unwrap().to_owned())
                }
            };
            if kind.is_some_and(|kind| names_of(&kinds).contains(&kind.as_str())) {
                chosen.push(edge);
            }
        }
        list.cut(ty, chosen, argument("first"), argument("after"))
    }
}

/// Whether links lead to a record.
fn holds(links: &Value, record: &Value) -> bool {
    let same = |link: &Value| link["source"] == record["$source_name"] && link["native"] == record["$native"];
    links.as_array().unwrap().iter().any(same)
}

fn ties(edges: &Value, record: &Value) -> bool {
    edges.as_array().unwrap().iter().any(|edge| holds(&json!([edge["node"]]), record))
}

/// The first page of a list over all sources.
fn page(kind: &str, rows: Vec<Value>, size: usize, mut reports: Vec<Value>) -> Value {
    let total = rows.len();
    let shown: Vec<Value> = rows.into_iter().take(size).collect();
    for report in &mut reports {
        let of = |row: &&Value| row["$source_name"] == report["source"]["$source"];
        report["itemCount"] = json!(shown.iter().filter(of).count());
    }
    // Where nobody answered, nobody knows how many there are.
    let answered = reports.iter().any(|report| report["status"] == "OK");
    let edges = shown.iter().map(|row| json!({"$type": format!("{kind}Edge"), "node": row}));
    json!({
        "$type": format!("{kind}Connection"),
        "edges": edges.collect::<Value>(),
        "nodes": shown,
        "totalCount": answered.then_some(total),
        "sources": reports,
        "pageInfo": {"$type": "PageInfo", "hasNextPage": total > size, "hasPreviousPage": false},
    })
}
