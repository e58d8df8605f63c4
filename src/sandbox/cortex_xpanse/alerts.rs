//! What hangs on an incident: its alerts, in two shapes, and the artifacts found with them.

use super::build::rule;
use super::query::{Window, texts};
use super::{Object, State, failure, unprocessable};
use crate::sandbox::wire::Reply;
use serde_json::{Value, json};

/// Alerts of one incident have consecutive numbers from a multiple of this on.
const NUMBERS_EACH: u64 = 16;

/// How many alerts an incident has, by how many hosts it is about.
pub(super) fn alert_count(hosts: usize) -> usize {
    hosts.clamp(1, NUMBERS_EACH as usize - 1)
}

/// Members that extra data joins by commas.
const JOINED: [&str; 7] =
    ["tags", "country_codes", "cloud_providers", "ipv4_addresses", "domain_names", "service_ids", "asset_ids"];

/// An alert of an incident, with arrays as in the list of alerts.
fn alert(row: &Object, index: usize, place: usize) -> Object {
    let member = |name: &str| row.get(name).cloned().unwrap_or(Value::Null);
    let number = (index as u64 + 1) * NUMBERS_EACH + place as u64;
    let created = member("creation_time").as_i64().unwrap_or_default();
    let status = match member("status").as_str() {
        Some("under_investigation") => "STATUS_020_UNDER_INVESTIGATION",
        Some(word) if word.to_lowercase().starts_with("resolved") => "STATUS_070_RESOLVED_OTHER",
        _ => "STATUS_010_NEW",
    };
    // Only alerts of other sources than the scanner name techniques.
    let endpoint = index % 13 == 6;
    let alert = json!({
        "alert_id": number.to_string(),
        "external_id": format!("ext-{number}"),
        "case_id": index + 1,
        "severity": member("severity").as_str().unwrap_or("low"),
        "name": rule(index),
        "description": format!("{} was found.", rule(index)),
        "source": if endpoint { "XDR Agent" } else { "ASM" },
        "detection_timestamp": created + place as i64,
        "local_insert_ts": created + 1_000,
        "last_modified_ts": member("modification_time"),
        "event_timestamp": created - 5_000,
        "resolution_status": status,
        "resolution_comment": (place % 2 == 1).then_some("Seen before"),
        "tags": member("tags"),
        "host_name": member("hosts").get(place).and_then(Value::as_str).map(|host| host.split(':').next()),
        "action": "NOT_AVAILABLE",
        "mitre_tactic_id_and_name": endpoint.then_some("TA0001 - Initial Access"),
        "mitre_technique_id_and_name": endpoint.then_some("T1190 - Exploit Public-Facing Application"),
        "attack_surface_rule_name": rule(index),
        "country_codes": member("country_codes"),
        "cloud_providers": member("cloud_providers"),
        "ipv4_addresses": member("ipv4_addresses"),
        "domain_names": member("domain_names"),
        "service_ids": member("service_ids"),
        "asset_ids": member("asset_ids"),
        "certificate": { "issuerName": "Example Test CA", "serialNumber": number.to_string() },
        "asset_identifiers": [{ "portNumber": member("port_number") }],
        "business_unit_hierarchies": [[{ "name": "Example" }]],
    });
    match alert {
        Value::Object(alert) => alert,
        _ => Object::new(),
    }
}

impl State {
    fn incident(&self, data: &Object) -> Result<usize, Reply> {
        let id = match data.get("incident_id") {
            Some(Value::String(text)) => text.parse().ok(),
            Some(Value::Number(number)) => number.as_u64(),
            _ => return Err(unprocessable("incident_id", "Missing data for required field.")),
        };
        let place = id.and_then(|id: u64| usize::try_from(id).ok()?.checked_sub(1));
        place
            .filter(|place| *place < self.incidents.len())
            .ok_or_else(|| failure(500, "An error occurred while processing the request"))
    }

    /// The place of an incident that the key may read.
    pub(super) fn readable(&self, data: &Object) -> Result<usize, Reply> {
        let place = self.incident(data)?;
        if super::query::is_restricted(place) {
            return Err(failure(403, "Forbidden"));
        }
        Ok(place)
    }

    fn alerts_of(&self, index: usize) -> impl Iterator<Item = Object> {
        let row = &self.incidents[index];
        let count = row.get("alert_count").and_then(Value::as_u64).unwrap_or_default() as usize;
        (0..count).map(move |place| {
            let mut alert = alert(row, index, place);
            let number = (index as u64 + 1) * NUMBERS_EACH + place as u64;
            alert.extend(self.alerts.get(&number).cloned().unwrap_or_default());
            alert
        })
    }

    /// Whether there is an alert of that number.
    pub(super) fn has_alert(&self, number: u64) -> bool {
        let index = usize::try_from((number / NUMBERS_EACH).wrapping_sub(1)).unwrap_or(usize::MAX);
        let count = self.incidents.get(index).and_then(|row| row.get("alert_count")).and_then(Value::as_u64);
        count.is_some_and(|count| number % NUMBERS_EACH < count)
    }

    /// `get_incident_extra_data`
    pub(super) fn extra_data(&self, data: &Object) -> Result<Value, Reply> {
        let limit = match data.get("alerts_limit") {
            None | Some(Value::Null) => 1_000,
            Some(limit) => {
                limit.as_u64().ok_or_else(|| unprocessable("alerts_limit", "Not a valid integer."))? as usize
            }
        };
        let index = self.readable(data)?;
        let alerts: Vec<Object> = self.alerts_of(index).collect();
        let total = alerts.len();
        let joined = alerts.into_iter().take(limit).map(|mut alert| {
            for name in JOINED {
                if let Some(Value::Array(all)) = alert.get(name) {
                    let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
                    alert.insert(name.to_owned(), Value::from(all.join(",")));
                }
            }
            Value::Object(alert)
        });
        let group = |total: usize, data: Vec<Value>| json!({ "total_count": total, "data": data });
        let (network, files) = (network_artifacts(&self.incidents[index]), file_artifacts(index));
        Ok(json!({
            "incident": self.incidents[index],
            "alerts": group(total, joined.collect()),
            "network_artifacts": group(network.len(), network),
            "file_artifacts": group(files.len(), files),
        }))
    }

    /// `get_alerts_multi_events`
    pub(super) fn multi_events(&self, data: &Object) -> Result<Value, Reply> {
        let window = Window::of(data)?;
        let mut wanted = Vec::new();
        for filter in data.get("filters").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| filter.get(name).and_then(Value::as_str).unwrap_or_default();
            let member = match (text("field"), text("operator")) {
                ("alert_id_list", "in") => "alert_id",
                ("alert_source", "in") => "source",
                ("severity", "in") => "severity",
                ("status", "in") => "resolution_status",
                ("tags" | "business_units_list", "in") => "tags",
                ("attack_surface_rule_name", "in") => "attack_surface_rule_name",
                _ => return Err(unprocessable("filters", "Not a valid field or operator.")),
            };
            wanted.push((member, texts(filter.get("value").unwrap_or(&Value::Null))?));
        }
        let mut alerts = Vec::new();
        for index in (0..self.incidents.len()).filter(|index| !super::query::is_restricted(*index)) {
            let fits = |alert: &Object| {
                let holds = |(member, values): &(&str, Vec<String>)| {
                    texts(&alert[*member]).is_ok_and(|own| own.iter().any(|text| values.contains(text)))
                };
                wanted.iter().all(holds)
            };
            alerts.extend(self.alerts_of(index).filter(fits));
        }
        let (total, page) = (alerts.len(), window.cut(alerts));
        Ok(json!({ "total_count": total.min(9_999), "result_count": page.len(), "alerts": page }))
    }
}

fn network_artifacts(row: &Object) -> Vec<Value> {
    let members = [("ipv4_addresses", "IP", "network_remote_ip"), ("domain_names", "DOMAIN", "network_domain")];
    let mut all = Vec::new();
    for (member, kind, name) in members {
        for text in row.get(member).and_then(Value::as_array).into_iter().flatten() {
            all.push(json!({ "type": kind, name: text, "alert_count": 1, "is_manual": false }));
        }
    }
    all
}

fn file_artifacts(index: usize) -> Vec<Value> {
    let file = |place: usize| {
        json!({
            "type": "HASH",
            "file_name": format!("dropper-{index}-{place}.exe"),
            "file_sha256": format!("{:064x}", index * 31 + place),
            "is_malicious": place == 0,
        })
    };
    (0..index % 3).map(file).collect()
}
