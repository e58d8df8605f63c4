//! Changes: one incident a call, some alerts a call.

use super::query::texts;
use super::{Object, State, failure, unprocessable};
use crate::sandbox::wire::Reply;
use serde_json::{Value, json};

/// Statuses that may be set.
const STATUSES: [&str; 8] = [
    "new",
    "under_investigation",
    "resolved_-_no_longer_observed",
    "resolved_-_no_risk",
    "resolved_-_risk_accepted",
    "resolved_-_contested_asset",
    "resolved_-_remediated_automatically",
    "resolved",
];
const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "informational"];

impl State {
    /// `update_incident`: members that are missing, or unknown, change nothing. `now`: milliseconds since 1970.
    pub(super) fn update_incident(&mut self, data: &Object, now: i64) -> Result<Value, Reply> {
        let place = self.readable(data)?;
        let Some(Value::Object(update)) = data.get("update_data") else {
            return Err(unprocessable("update_data", "Missing data for required field."));
        };
        let mut changes = Object::new();
        for (name, value) in update {
            let text = value.as_str();
            match (name.as_str(), text) {
                ("assigned_user_mail", Some("" | "none")) => {
                    changes.insert(name.clone(), Value::Null);
                    changes.insert("assigned_user_pretty_name".into(), Value::Null);
                }
                ("assigned_user_mail", Some(mail)) if mail.contains('@') => {
                    drop(changes.insert(name.clone(), json!(mail)))
                }
                ("assigned_user_pretty_name", Some(text)) if update.contains_key("assigned_user_mail") => {
                    changes.insert(name.clone(), json!(text));
                }
                ("manual_severity", Some("" | "none")) => drop(changes.insert(name.clone(), Value::Null)),
                ("manual_severity", Some(word)) if SEVERITIES.contains(&word.to_lowercase().as_str()) => {
                    changes.insert(name.clone(), json!(word.to_lowercase()));
                }
                ("status", Some(word)) if STATUSES.contains(&word.to_lowercase().as_str()) => {
                    let resolved = word.to_lowercase().starts_with("resolved");
                    changes.insert("resolved_timestamp".into(), if resolved { json!(now) } else { Value::Null });
                    changes.insert(name.clone(), json!(word.to_lowercase()));
                }
                ("resolve_comment", Some(text)) => drop(changes.insert(name.clone(), json!(text))),
                ("comment", _) if value["comment_action"] == "add" && value["value"].is_string() => self.comments += 1,
                (
                    "assigned_user_mail"
                    | "assigned_user_pretty_name"
                    | "manual_severity"
                    | "status"
                    | "comment"
                    | "resolve_comment",
                    _,
                ) => return Err(failure(400, "Got an invalid value")),
                _ => {}
            }
        }
        let row = &mut self.incidents[place];
        let resolved = |status: &Value| status.as_str().is_some_and(|word| word.to_lowercase().starts_with("resolved"));
        let status = changes.get("status").or_else(|| row.get("status")).cloned().unwrap_or(Value::Null);
        if changes.contains_key("resolve_comment") && !resolved(&status) {
            return Err(failure(400, "resolve_comment needs a resolved status"));
        }
        row.extend(changes);
        row.insert("modification_time".into(), json!(now));
        Ok(Value::Bool(true))
    }

    /// `update_alerts`
    pub(super) fn update_alerts(&mut self, data: &Object, now: i64) -> Result<Value, Reply> {
        let ids = texts(data.get("alert_id_list").unwrap_or(&Value::Null))?;
        let numbers: Vec<u64> = ids.iter().filter_map(|id| id.parse().ok()).filter(|id| self.has_alert(*id)).collect();
        let Some(Value::Object(update)) = data.get("update_data") else {
            return Err(unprocessable("update_data", "Missing data for required field."));
        };
        for number in &numbers {
            let changes = self.alerts.entry(*number).or_default();
            for (name, member) in
                [("severity", "severity"), ("status", "resolution_status"), ("comment", "resolution_comment")]
            {
                if let Some(value) = update.get(name) {
                    changes.insert(member.into(), value.clone());
                }
            }
            changes.insert("last_modified_ts".into(), json!(now));
        }
        Ok(json!({ "alerts_ids": numbers }))
    }
}
