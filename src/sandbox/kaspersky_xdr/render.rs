//! The rows of each answer.

use super::state::{Alert, Asset, Incident, Millis, State};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value, json};

/// What an incident list was asked for beside the plain rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extras {
    pub(super) affected: bool,
    pub(super) history: bool,
}

/// `2024-01-16T09:56:29.939Z`
pub(super) fn time(at: Millis) -> String {
    DateTime::from_timestamp_millis(at).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// An empty list, or null where the server writes it so.
fn list(all: Vec<Value>, nulls: bool) -> Value {
    if all.is_empty() && nulls { Value::Null } else { Value::Array(all) }
}

impl State {
    pub(super) fn incident_row(&self, incident: &Incident, extras: Extras) -> Value {
        let nulls = incident.nulls;
        let mut row = Map::new();
        let mut put = |name: &str, value: Value| drop(row.insert(name.to_owned(), value));
        put("ID", json!(incident.number));
        put("InternalID", json!(incident.id.to_string()));
        put("TenantID", json!(self.tenants[incident.tenant].id.to_string()));
        put("Name", json!(incident.name));
        put("Assets", list(if extras.affected { self.assets(incident) } else { vec![] }, nulls));
        put("AlertIDs", list(incident.alerts.iter().map(|alert| json!(alert.id.to_string())).collect(), nulls));
        put("Assignee", self.assignee(incident));
        put("CreatedAt", json!(time(incident.created)));
        put("DetectionTechnologies", list(incident.technologies.iter().map(|word| json!(word)).collect(), nulls));
        put("FirstEventTime", json!(time(incident.first_event)));
        put("LastEventTime", json!(time(incident.last_event)));
        put("MITRETactics", list(ids(&incident.tactics), nulls));
        put("MITRETechniques", list(ids(&incident.techniques), nulls));
        put("Observables", list(observables(incident), nulls));
        put("Rules", list(incident.rules.iter().map(|rule| self.rules[*rule].clone()).collect(), nulls));
        if let Some(severity) = incident.severity {
            put("Severity", json!(severity));
        }
        put("ExternalRef", json!(incident.external));
        put("Status", json!(incident.status));
        put("StatusChangedAt", json!(time(incident.status_changed)));
        put("StatusResolution", json!(incident.resolution));
        put("UpdatedAt", json!(time(incident.updated)));
        put("Description", json!(incident.description));
        put("SignOfCreation", json!(if incident.manual { "manual" } else { "auto" }));
        put("Priority", json!(incident.priority));
        if incident.status == super::build::CUSTOM_STATUS {
            put("WorkflowName", json!("Forensics"));
        }
        if extras.history {
            put("HistoryRecords", Value::Array(incident.history.iter().rev().cloned().collect()));
        }
        Value::Object(row)
    }

    fn assignee(&self, incident: &Incident) -> Value {
        match incident.assignee {
            Some(person) => self.people[person].clone(),
            None if incident.nulls => Value::Null,
            None => json!({ "ID": "", "Name": "" }),
        }
    }

    fn assets(&self, incident: &Incident) -> Vec<Value> {
        let asset = |part: &super::state::Part| {
            let mut asset = match part.asset {
                Asset::Host(host) => self.hosts[host].clone(),
                Asset::User(user) => self.users[user].clone(),
            };
            asset["IsAttacker"] = json!(part.attacker);
            asset["IsVictim"] = json!(part.victim);
            asset
        };
        incident.assets.iter().map(asset).collect()
    }

    pub(super) fn alert_row(&self, incident: &Incident, alert: &Alert) -> Value {
        let rule = incident.rules.first().map(|rule| &self.rules[*rule]);
        let mut assignee = self.assignee(incident);
        if let Some(members) = assignee.as_object_mut() {
            members.insert("Type".into(), json!("user"));
        }
        json!({
            "Assets": [], "Assignee": assignee, "CreatedAt": time(incident.created), "DetectionTechnologies": incident.technologies,
            "DetectSource": "KUMA", "ExternalRef": "", "Extra": null, "FirstEventTime": time(incident.first_event),
            "HistoryRecords": null, "ID": alert.number, "IncidentID": incident.id.to_string(), "IncidentLinkType": "auto",
            "IntegrationID": "KUMA", "IntegrationCompatibilityVersion": "1.0", "InternalID": alert.id.to_string(), "IsCII": false,
            "LastEventTime": time(incident.last_event), "MITRETactics": ids(&incident.tactics),
            "MITRETechniques": ids(&incident.techniques), "Name": rule.map_or(json!("Alert"), |rule| rule["Name"].clone()),
            "Observables": observables(incident), "OriginalEvents": [], "Rules": rule.into_iter().collect::<Vec<_>>(),
            "Severity": incident.severity, "SourceCreatedAt": time(incident.created - 2_000), "SourceID": alert.id.to_string(),
            "Status": alert.status, "StatusChangedAt": time(alert.updated), "StatusResolution": alert.resolution,
            "TenantID": self.tenants[incident.tenant].id.to_string(), "UpdatedAt": time(alert.updated),
        })
    }

    /// Tenants that an account may read; of those below it only such, too.
    pub(super) fn tenant_rows(&self, account: usize) -> Value {
        let may = |tenant: &usize| self.may(account, *tenant);
        let row = |place: usize| {
            let tenant = &self.tenants[place];
            let below: Vec<Value> = tenant
                .below
                .iter()
                .filter(|below| may(below))
                .map(|below| json!(self.tenants[*below].id.to_string()))
                .collect();
            json!({
                "ID": tenant.id.to_string(), "Name": tenant.name, "Description": tenant.description, "Removable": place > 0,
                "Subtenants": below, "IsRoot": place == 0,
            })
        };
        Value::Array((0..self.tenants.len()).filter(may).map(row).collect())
    }
}

fn ids(all: &[&'static str]) -> Vec<Value> {
    all.iter().map(|id| json!({ "ID": id })).collect()
}

fn observables(incident: &Incident) -> Vec<Value> {
    let row = |one: &super::state::Observable| json!({ "Details": one.details, "Type": one.kind, "Value": one.value });
    incident.observables.iter().map(row).collect()
}
