//! The sandboxes' own REST APIs, without anything of the gateway: every row, where it stands in each order, and changes.

use super::Five;
use futures_util::TryStreamExt;
use incident_gateway::{
    sandbox::Vendor,
    upstream::{HttpRequest, Method, Policy, ReqwestTransport, Transport, header::*},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a row is sorted by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Sort {
    Number(i64),
    Text(String),
    /// Runs of digits by their value, at the place of a digit among other letters.
    Pieces(Vec<(char, u128)>),
}

/// An incident as its own server shows it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Own {
    pub(super) vendor: Vendor,
    /// Source and native id, as ties are broken.
    pub(super) key: (String, String),
    sorts: BTreeMap<&'static str, Sort>,
    pub(super) row: Value,
}

/// Every row of all vendors in an order: nulls last, ties by source, then id.
pub(super) fn sorted<'o>(all: &'o [Own], field: &str, descending: bool) -> Vec<&'o Own> {
    let mut all: Vec<&Own> = all.iter().collect();
    all.sort_by(|a, b| {
        let by_value = match (a.sorts.get(field), b.sorts.get(field)) {
            (Some(a), Some(b)) if descending => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        by_value.then_with(|| a.key.cmp(&b.key))
    });
    all
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn moment(value: &Value) -> Option<i64> {
    Some(chrono::DateTime::parse_from_rfc3339(value.as_str()?).unwrap().timestamp_micros())
}

/// A time of the server's own clock; in the hour that occurs twice, the first.
fn berlin(value: &Value) -> Option<i64> {
    crate::eventlog_analyzer::moment(value, chrono_tz::Europe::Berlin).map(|time| time.timestamp_micros())
}

fn pieces(text: &str) -> Vec<(char, u128)> {
    let letters: Vec<char> = text.to_lowercase().chars().collect();
    let (mut pieces, mut at) = (Vec::new(), 0);
    while at < letters.len() {
        let digits: String = letters[at..].iter().take_while(|letter| letter.is_ascii_digit()).collect();
        pieces.push(digits.parse().map_or((letters[at], 0), |number| ('0', number)));
        at += digits.len().max(1);
    }
    pieces
}

/// From the least severe on.
fn severity(word: Option<String>) -> i64 {
    match word.unwrap_or_default().as_str() {
        "SEV-5" | "informational" => 1,
        "Low" | "Attention" | "SEV-4" | "low" => 2,
        "Minor" => 3,
        "Moderate" | "SEV-3" | "medium" => 4,
        "Major" | "Trouble" | "SEV-2" | "high" => 5,
        "Critical" | "SEV-1" | "critical" => 6,
        "" | "unknown" => 0,
        other => panic!("{other}"),
    }
}

/// In the order of a life.
fn status(word: Option<String>) -> i64 {
    match word.unwrap_or_default().to_lowercase().as_str() {
        "new" | "open" => 0,
        "ongoing" | "in progress" | "inprogress" | "under_investigation" => 1,
        "hold" => 2,
        "review" => 3,
        word if word.starts_with("resolved") => 4,
        "closed" => 5,
        "dismissed" => 6,
        // What an organisation made up.
        _ => 7,
    }
}

impl Own {
    pub(super) fn is_null(&self, field: &str) -> bool {
        !self.sorts.contains_key(field)
    }

    /// Whether both have the same in a field, and both have something.
    pub(super) fn equals(&self, other: &Own, field: &str) -> bool {
        !self.is_null(field) && self.sorts.get(field) == other.sorts.get(field)
    }

    fn new(vendor: Vendor, row: Value) -> Own {
        let mut own = Own { vendor, key: (vendor.word().into(), String::new()), sorts: BTreeMap::new(), row };
        let row = own.row.clone();
        let (native, reference, title, grades, times) = match vendor {
            Vendor::CisoAssistant => ciso(&row),
            Vendor::EventlogAnalyzer => eventlog(&row),
            Vendor::Adversarial => adversarial(&row["incident"]),
            Vendor::KasperskyXdr => kaspersky(&row),
            Vendor::CortexXpanse => xpanse(&row),
        };
        own.key.1 = native;
        let mut put = |field, sort: Option<Sort>| own.sorts.extend(sort.map(|sort| (field, sort)));
        put("REFERENCE", reference.map(|text| Sort::Pieces(pieces(&text))));
        put("TITLE", title.map(|title| Sort::Text(title.to_lowercase())));
        put("SEVERITY", Some(Sort::Number(severity(grades.0))));
        put("STATUS", Some(Sort::Number(status(grades.1))));
        for (field, time) in times {
            put(field, time.map(Sort::Number));
        }
        own
    }
}

/// Native id, reference, title, words for severity and status, times.
type Told =
    (String, Option<String>, Option<String>, (Option<String>, Option<String>), Vec<(&'static str, Option<i64>)>);

fn ciso(row: &Value) -> Told {
    let times = [("CREATED_AT", "created_at"), ("UPDATED_AT", "updated_at"), ("REPORTED_AT", "reported_at")];
    (
        row["id"].as_str().unwrap().to_owned(),
        text(&row["ref_id"]),
        row["name"].as_str().map(str::to_owned),
        (text(&row["severity"]), text(&row["status"])),
        times.map(|(field, member)| (field, moment(&row[member]))).into(),
    )
}

fn eventlog(row: &Value) -> Told {
    let id = row["incident_id"].to_string();
    let times = vec![("CREATED_AT", berlin(&row["created_time"])), ("DUE_AT", berlin(&row["due_date"]))];
    let title = row["incident_name"].as_str().map(str::to_owned);
    (id.clone(), Some(id), title, (text(&row["severity"]), text(&row["status"])), times)
}

fn adversarial(row: &Value) -> Told {
    let id = row["id"].as_str().unwrap().to_owned();
    let times = [
        ("CREATED_AT", "created_date"),
        ("UPDATED_AT", "updated_date"),
        ("DETECTED_AT", "detected_date"),
        ("OCCURRED_AT", "occurred_date"),
    ];
    let times = times.map(|(field, member)| (field, moment(&row[member]))).into();
    let title = row["title"].as_str().map(str::to_owned);
    (id.clone(), Some(id), title, (text(&row["severity"]), text(&row["status"])), times)
}

fn kaspersky(row: &Value) -> Told {
    let closed = row["Status"] == "closed";
    let times = vec![
        ("CREATED_AT", moment(&row["CreatedAt"])),
        ("UPDATED_AT", moment(&row["UpdatedAt"])),
        ("RESOLVED_AT", moment(&row["StatusChangedAt"]).filter(|_| closed)),
    ];
    let reference = text(&row["ID"]).or_else(|| row["ID"].as_i64().map(|number| number.to_string()));
    let id = row["InternalID"].as_str().unwrap().to_owned();
    (id, reference, text(&row["Name"]), (text(&row["Severity"]), text(&row["Status"])), times)
}

fn xpanse(row: &Value) -> Told {
    let id = row["incident_id"].as_str().map_or_else(|| row["incident_id"].to_string(), str::to_owned);
    let times = [
        ("CREATED_AT", "creation_time"),
        ("UPDATED_AT", "modification_time"),
        ("DETECTED_AT", "detection_time"),
        ("RESOLVED_AT", "resolved_timestamp"),
    ];
    let times = times.map(|(field, member)| (field, row[member].as_i64().map(|millis| millis * 1_000))).into();
    let title = text(&row["incident_name"]).or_else(|| text(&row["description"]));
    let severity = text(&row["manual_severity"]).or_else(|| text(&row["severity"]));
    (id.clone(), Some(id), title, (severity, text(&row["status"])), times)
}

/// What happens to an incident at its own server. Not every vendor can do each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    Create,
    Change,
    Delete,
}

impl Five {
    fn secret(&self, vendor: Vendor, name: &str) -> String {
        let secrets = self.sandbox(vendor).secrets();
        secrets.into_iter().find(|(other, _)| *other == name).unwrap().1
    }

    async fn send(&self, vendor: Vendor, method: Method, path: &str, body: Value) -> Value {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: String| {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
        };
        let token = self.sandbox(vendor).token().to_owned();
        match vendor {
            Vendor::CisoAssistant => put("authorization", format!("Token {token}")),
            Vendor::EventlogAnalyzer | Vendor::KasperskyXdr => put("authorization", format!("Bearer {token}")),
            Vendor::Adversarial if path.ends_with("/token") => {}
            Vendor::Adversarial => {
                let login = format!(
                    "grant_type=client_credentials&client_id={}&client_secret={}",
                    self.secret(vendor, "client_id"),
                    self.secret(vendor, "client_secret")
                );
                let answer = Box::pin(self.send(vendor, Method::Post, "/api/v1/oauth/token", login.into())).await;
                put("authorization", format!("Bearer {}", answer["access_token"].as_str().unwrap()));
            }
            Vendor::CortexXpanse => {
                put("authorization", "sandbox-standard-key-1".into());
                put("x-xdr-auth-id", "1".into());
            }
        }
        let (kind, body) = match body {
            Value::String(form) => ("application/x-www-form-urlencoded", form),
            Value::Null => ("application/json", String::new()),
            other => ("application/json", other.to_string()),
        };
        put("content-type", kind.into());
        let url = self.url(vendor).join(path).unwrap();
        let transport = ReqwestTransport::new(&Policy::default()).unwrap();
        let answer = transport.send(HttpRequest { method, url, headers, body: body.into() }).await.unwrap();
        assert!((200..300).contains(&answer.status), "{vendor} {path}: {}", answer.status);
        let body: Vec<bytes::Bytes> = answer.body.try_collect().await.unwrap();
        serde_json::from_slice(&body.concat()).unwrap_or_default()
    }

    /// Rows of a vendor as its own server gives them.
    async fn own_rows(&self, vendor: Vendor) -> Vec<Value> {
        let tenants = match vendor {
            Vendor::KasperskyXdr => {
                let tenants = self.send(vendor, Method::Get, "/xdr/api/v1/tenants", Value::Null).await;
                let ids = tenants.as_array().unwrap().iter().map(|one| one["ID"].as_str().unwrap().to_owned());
                ids.map(|id| format!("&tenantID={id}")).collect()
            }
            _ => String::new(),
        };
        let mut all: Vec<Value> = Vec::new();
        for page in 1.. {
            let (path, body, member) = match vendor {
                Vendor::CisoAssistant => {
                    (format!("/api/incidents/?limit=500&offset={}", all.len()), Value::Null, "results")
                }
                Vendor::EventlogAnalyzer => {
                    (format!("/api/v2/incident?limit=100&from={}", all.len() + 1), Value::Null, "data")
                }
                Vendor::Adversarial => {
                    (format!("/api/v1/incidents?page_size=100&page={page}"), Value::Null, "incidents")
                }
                Vendor::KasperskyXdr => {
                    (format!("/xdr/api/v1/incidents?page={page}{tenants}"), Value::Null, "Incidents")
                }
                Vendor::CortexXpanse => {
                    let window = json!({ "search_from": all.len(), "search_to": all.len() + 100,
                        "sort": { "field": "incident_id", "keyword": "asc" } });
                    let path = "/public_api/v1/incidents/get_incidents/".to_owned();
                    (path, json!({ "request_data": window }), "incidents")
                }
            };
            let method = if body.is_null() { Method::Get } else { Method::Post };
            let mut answer = self.send(vendor, method, &path, body).await;
            let of = if vendor == Vendor::CortexXpanse { &mut answer["reply"] } else { &mut answer };
            let rows = of[member].as_array_mut().map(std::mem::take).unwrap_or_default();
            if rows.is_empty() {
                break;
            }
            all.extend(rows);
        }
        all
    }

    /// Every incident of all five.
    pub(super) async fn own(&self) -> Vec<Own> {
        let mut all = Vec::new();
        for vendor in Vendor::ALL {
            all.extend(self.own_rows(vendor).await.into_iter().map(|row| Own::new(vendor, row)));
        }
        all
    }

    /// Does something to `at` (or makes a new incident) through the vendor's own writes; whether it can.
    pub(super) async fn act(&self, deed: Deed, at: &Own, number: usize) -> bool {
        let (vendor, id, name) = (at.vendor, at.key.1.as_str(), format!("Ä change {number}"));
        let (method, path, body) = match (vendor, deed) {
            (Vendor::CisoAssistant, Deed::Create) => (Method::Post, "/api/incidents/".into(), json!({ "name": name })),
            (Vendor::CisoAssistant, Deed::Change) => {
                (Method::Patch, format!("/api/incidents/{id}/"), json!({ "name": name, "severity": 1 }))
            }
            (Vendor::CisoAssistant, Deed::Delete) => (Method::Delete, format!("/api/incidents/{id}/"), json!({})),
            (Vendor::EventlogAnalyzer, Deed::Create) => {
                (Method::Post, "/api/v2/incident".into(), json!({ "name": name }))
            }
            (Vendor::EventlogAnalyzer, Deed::Change) => {
                let id: i64 = id.parse().unwrap();
                let body = json!({ "incident_id": id, "name": name, "severity": "critical" });
                (Method::Put, "/api/v2/incident".into(), body)
            }
            (Vendor::EventlogAnalyzer, Deed::Delete) => {
                let id: i64 = id.parse().unwrap();
                (Method::Delete, "/api/v2/incident".into(), json!({ "incident_ids": [id] }))
            }
            (Vendor::Adversarial, Deed::Create) => (Method::Post, "/api/v1/incidents".into(), json!({ "title": name })),
            (Vendor::Adversarial, Deed::Change) => {
                (Method::Patch, format!("/api/v1/incidents/{id}"), json!({ "title": name, "severity": "SEV-1" }))
            }
            (Vendor::KasperskyXdr, Deed::Change) if at.row["Status"] != "closed" => {
                let body = json!([{ "ID": id, "TenantID": at.row["TenantID"], "Reason": "truePositive" }]);
                (Method::Post, "/xdr/api/v1/incidents/close".into(), body)
            }
            (Vendor::CortexXpanse, Deed::Change) => {
                let body =
                    json!({ "incident_id": id, "update_data": { "status": "new", "manual_severity": "critical" } });
                (Method::Post, "/public_api/v1/incidents/update_incident/".into(), json!({ "request_data": body }))
            }
            _ => return false,
        };
        self.send(vendor, method, &path, body).await;
        true
    }
}
