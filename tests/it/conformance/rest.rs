//! The sandboxes' own answers, read and written without any code of the gateway's vendors.

use super::bench::Bench;
use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use futures_util::TryStreamExt;
use incident_gateway::{
    sandbox::Vendor,
    upstream::{HttpRequest, Method, header::*, uri},
};
use serde_json::{Value, json};

/// A row as the server writes it, and where it says what.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) title: Option<String>,
    pub(super) severity: Option<String>,
    pub(super) status: Option<String>,
    pub(super) created: Option<DateTime<Utc>>,
    pub(super) whole: Value,
}

/// Titles that sort and compare oddly: letter case, other scripts, digits, signs of query languages. All differ.
const TITLES: [&str; 12] = [
    "Zebra",
    "zebra ",
    "ÄPFEL",
    "äpfel 2",
    "Straße",
    "STRASSE",
    "İstanbul",
    "10",
    "9",
    "50% \"off\", a_b & c + d",
    "文字化け",
    "\u{1f525} fire",
];

fn pointers(vendor: Vendor) -> [&'static str; 5] {
    match vendor {
        Vendor::CisoAssistant => ["/id", "/name", "/severity", "/status", "/created_at"],
        Vendor::EventlogAnalyzer => ["/incident_id", "/incident_name", "/severity", "/status", "/created_time"],
        Vendor::Adversarial => {
            ["/incident/id", "/incident/title", "/incident/severity", "/incident/status", "/incident/created_date"]
        }
        Vendor::KasperskyXdr => ["/InternalID", "/Name", "/Severity", "/Status", "/CreatedAt"],
        Vendor::CortexXpanse => ["/incident_id", "/incident_name", "/severity", "/status", "/creation_time"],
    }
}

impl Bench {
    async fn send(&self, method: Method, path: &str, headers: &[(&'static str, &str)], body: String) -> (u16, Value) {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        let url = format!("{}{path}", self.base).parse().unwrap();
        let request = HttpRequest { method, url, headers: headers.collect(), body: body.into() };
        let answer = self.transport.send(request).await.unwrap();
        let body: Vec<bytes::Bytes> = answer.body.try_collect().await.unwrap();
        (answer.status, serde_json::from_slice(&body.concat()).unwrap_or_default())
    }

    /// A header that the sandbox takes.
    async fn authorization(&self) -> String {
        let secrets = self.sandbox.secrets();
        match self.subject.vendor {
            Vendor::CisoAssistant => format!("Token {}", secrets[0].1),
            Vendor::EventlogAnalyzer | Vendor::KasperskyXdr => format!("Bearer {}", secrets[0].1),
            // The key that is sent as it is; the gateway has the one that signs.
            Vendor::CortexXpanse => "sandbox-standard-key-1".to_owned(),
            Vendor::Adversarial => {
                let pairs = [
                    ("grant_type", "client_credentials"),
                    ("client_id", &secrets[0].1),
                    ("client_secret", &secrets[1].1),
                ];
                let form = [("content-type", "application/x-www-form-urlencoded")];
                let (_, token) = self.send(Method::Post, "/api/v1/oauth/token", &form, uri::query(pairs)).await;
                format!("Bearer {}", token["access_token"].as_str().unwrap())
            }
        }
    }

    /// The server's own answer, by somebody who may.
    pub(super) async fn rest(&self, method: Method, path: &str, body: Value) -> Value {
        let authorization = self.authorization().await;
        let headers =
            [("authorization", &*authorization), ("content-type", "application/json"), ("x-xdr-auth-id", "1")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, answer) = self.send(method, path, &headers, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    async fn get(&self, path: &str) -> Value {
        self.rest(Method::Get, path, Value::Null).await
    }

    /// All rows that the server gives, each as it is written; the calls for it are forgotten.
    pub(super) async fn rows(&self) -> Vec<Row> {
        let mut all: Vec<Value> = Vec::new();
        let tenants = match self.subject.vendor {
            Vendor::KasperskyXdr => self.get("/xdr/api/v1/tenants").await,
            _ => json!([]),
        };
        let tenants: String = tenants
            .as_array()
            .unwrap()
            .iter()
            .map(|row| format!("&tenantID={}", row["ID"].as_str().unwrap()))
            .collect();
        loop {
            let (seen, page) = (all.len(), all.len() / 100 + 1);
            let (mut answer, rows) = match self.subject.vendor {
                Vendor::CisoAssistant => {
                    (self.get(&format!("/api/incidents/?limit=100&offset={seen}")).await, "/results")
                }
                Vendor::EventlogAnalyzer => {
                    (self.get(&format!("/api/v2/incident?limit=100&from={}", seen + 1)).await, "/data")
                }
                Vendor::Adversarial => {
                    (self.get(&format!("/api/v1/incidents?page={page}&page_size=100")).await, "/incidents")
                }
                Vendor::KasperskyXdr => {
                    (self.get(&format!("/xdr/api/v1/incidents?page={page}{tenants}")).await, "/Incidents")
                }
                Vendor::CortexXpanse => {
                    let sort = json!({ "field": "incident_id", "keyword": "asc" });
                    let data = json!({ "search_from": seen, "search_to": seen + 100, "sort": sort });
                    let path = "/public_api/v1/incidents/get_incidents/";
                    (self.rest(Method::Post, path, json!({ "request_data": data })).await, "/reply/incidents")
                }
            };
            let rows = answer.pointer_mut(rows).and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
            let ended = rows.len() < 100;
            all.extend(rows);
            if ended {
                break;
            }
        }
        self.sandbox.reset_calls();
        let zone = self.sandbox.secrets().into_iter().find(|(name, _)| *name == "time_zone").map(|(_, zone)| zone);
        all.into_iter().map(|whole| row(self.subject.vendor, whole, zone.as_deref())).collect()
    }

    /// Changes rows as the vendor allows it: titles that compare oddly, equal severities, states and times of change.
    pub(super) async fn disturb(&self) {
        let rows = self.rows().await;
        for (place, row) in rows.iter().skip(5).step_by(3).take(TITLES.len()).enumerate() {
            let (id, title) = (&row.id, TITLES[place]);
            match self.subject.vendor {
                Vendor::CisoAssistant => {
                    let change = json!({ "name": title, "description": if place % 2 == 0 { "" } else { title } });
                    self.rest(Method::Patch, &format!("/api/incidents/{id}/"), change).await;
                }
                Vendor::EventlogAnalyzer => {
                    let id: i64 = id.parse().unwrap();
                    let change = json!({ "incident_id": id, "name": title, "status": "open", "severity": "critical" });
                    self.rest(Method::Put, "/api/v2/incident", change).await;
                }
                Vendor::Adversarial => {
                    self.rest(Method::Patch, &format!("/api/v1/incidents/{id}"), json!({ "title": title })).await;
                }
                // Nothing else can be changed there, and what is closed stays so.
                Vendor::KasperskyXdr if row.whole["Status"] != "closed" => {
                    let one = json!({ "ID": id, "TenantID": row.whole["TenantID"], "Reason": "falsePositive" });
                    self.rest(Method::Post, "/xdr/api/v1/incidents/close", json!([one])).await;
                }
                Vendor::KasperskyXdr => {}
                Vendor::CortexXpanse => {
                    let update = json!({ "manual_severity": "low", "assigned_user_mail": "Ada@Example.test" });
                    let data = json!({ "incident_id": id, "update_data": update });
                    let path = "/public_api/v1/incidents/update_incident/";
                    self.rest(Method::Post, path, json!({ "request_data": data })).await;
                }
            }
        }
        self.sandbox.reset_calls();
    }
}

fn row(vendor: Vendor, whole: Value, zone: Option<&str>) -> Row {
    let [id, title, severity, status, created] = pointers(vendor).map(|pointer| {
        match whole.pointer(pointer) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        }
        .filter(|text| !text.is_empty())
    });
    // What a person set stands above what was computed.
    let manual = whole["manual_severity"].as_str().map(str::to_owned);
    let severity = if vendor == Vendor::CortexXpanse { manual.or(severity) } else { severity };
    // Only few incidents have a name there; the generated description says what they are about.
    let described = || whole["description"].as_str().map(str::to_owned);
    let title = if vendor == Vendor::CortexXpanse { title.or_else(described) } else { title };
    let created = created.map(|text| match (vendor, zone) {
        (Vendor::CortexXpanse, _) => DateTime::from_timestamp_millis(text.parse().unwrap()).unwrap(),
        (_, Some(zone)) => {
            let local = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S").unwrap();
            zone.parse::<chrono_tz::Tz>().unwrap().from_local_datetime(&local).earliest().unwrap().to_utc()
        }
        _ => DateTime::parse_from_rfc3339(&text).unwrap().to_utc(),
    });
    Row { id: id.unwrap(), title, severity, status, created, whole }
}
