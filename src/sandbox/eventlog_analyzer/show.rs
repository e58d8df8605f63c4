//! How things are printed.

use super::build::{Incident, LogRecord, User};
use super::change::STATUSES;
use chrono::DateTime;
use chrono_tz::Tz;
use serde_json::{Value, json};

/// As lists print them.
const SEVERITIES: [&str; 3] = ["Critical", "Trouble", "Attention"];
const LABELS: [&str; 3] = ["Open", "In Progress", "Closed"];

/// Whose clock printed times follow.
#[derive(Clone, Copy)]
pub(super) enum Representation {
    Server,
    Client,
}

/// The zone of printed times. Made up; the server's has summer time, so that hours occur twice and not at all.
pub(super) fn zone(of: Representation) -> Tz {
    match of {
        Representation::Server => chrono_tz::Europe::Berlin,
        Representation::Client => chrono_tz::Asia::Kolkata,
    }
}

fn time(seconds: i64, of: Representation) -> String {
    let utc = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    utc.with_timezone(&zone(of)).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A row of the list: the core fields.
pub(super) fn row(incident: &Incident, of: Representation) -> Value {
    let mut row = json!({
        "severity": SEVERITIES[usize::from(incident.severity)],
        "created_time": time(incident.created_at, of),
        "incident_id": incident.id,
        "assign_to": incident.assignee,
    });
    // How an incident without a due date looks is not documented.
    if let Some(due) = incident.due_at {
        row["due_date"] = time(due, of).into();
    }
    row["incident_description"] = incident.description.as_str().into();
    row["incident_name"] = incident.name.as_str().into();
    row["created_by"] = incident.created_by.as_str().into();
    // How it is printed in lists is documented for `Open` only.
    row["status"] = LABELS[usize::from(incident.status)].into();
    row
}

/// What the list does not tell, and nothing else.
pub(super) fn detail(incident: &Incident, of: Representation) -> Value {
    let mut actors = Vec::new();
    for (key, names) in [("entity", &incident.entities), ("suspect", &incident.suspects)] {
        if !names.is_empty() {
            actors.push(json!({ key: names }));
        }
    }
    let notes = incident.notes.iter().rev();
    let notes = notes.map(|note| json!({ "note": note.text, "added_by": note.by, "time": time(note.at, of) }));
    let activity =
        incident.activity.iter().rev().map(
            |step| json!({ "activity": step.activity, "description": step.description, "time": time(step.at, of) }),
        );
    let evidence = incident.evidence.iter().map(|record| log_record(record, of));
    json!({ "data": {
        "actors": actors,
        "notes": notes.collect::<Vec<_>>(),
        "evidence": evidence.collect::<Vec<_>>(),
        "activity": activity.collect::<Vec<_>>(),
    } })
}

/// The keys of the documented example, in its order. Not every record has all.
fn log_record(record: &LogRecord, of: Representation) -> Value {
    let mut row = json!({
        "severity": record.level,
        "eventid": record.event,
        "incident_tab": "evidence",
        "formatted_message": record.message,
        "type_of_evidence": "LOG",
        "_zl_timestamp": time(record.stored_at, of),
        "hosttype": record.host_type,
        "incident_added_by": record.added_by,
        "img_class": "fw-icon fw-icn-login-user",
        "log_org_time": time(record.happened_at, of),
        "source": record.provider,
        "message": record.message,
        "type": record.log,
        "incident_uuid": record.uuid,
    });
    if let Some(address) = &record.address {
        row["source_ip"] = address.as_str().into();
    }
    row["hostname"] = record.host.as_str().into();
    row["is_threshold_incident"] = record.threshold.into();
    row["log_obtained_from"] = record.origin.into();
    row["category"] = record.category.into();
    row["username"] = record.user.as_str().into();
    row["incident_time"] = time(record.added_at, of).into();
    row
}

/// A row of the users. The shape is made up: no document shows it.
pub(super) fn user(user: &User) -> Value {
    json!({ "user_id": user.id, "user_name": user.name, "email": user.email })
}

/// The word of a status in writes, for the history.
pub(super) fn status_word(status: u8) -> &'static str {
    STATUSES[usize::from(status)]
}
