//! Closing, the only change that the API offers (topic 250605). The list is checked whole before anything is done.

use super::Server;
use super::query::error;
use super::render::time;
use super::state::{Millis, State};
use crate::sandbox::wire::Reply;
use serde_json::{Value, json};
use std::sync::PoisonError;
use uuid::Uuid;

const INCIDENT_REASONS: [&str; 3] = ["truePositive", "falsePositive", "lowPriority"];
const ALERT_REASONS: [&str; 2] = ["falsePositive", "lowPriority"];

/// One thing to close: where it stands, and why.
struct Closing<T> {
    place: T,
    reason: &'static str,
}

impl Server {
    /// Linked alerts close with their incident; what nobody worked on becomes that of the caller.
    pub(super) fn close_incidents(&self, account: usize, body: &[u8], now: Millis) -> Result<Reply, Reply> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let find = |state: &State, id: Uuid, tenant: Uuid| {
            let place = state.incidents.iter().position(|incident| incident.id == id)?;
            (state.tenants[state.incidents[place].tenant].id == tenant).then_some(place)
        };
        let closings = read(&state, account, body, &INCIDENT_REASONS, find, "incident not found")?;
        let kept = |closing: &&Closing<usize>| {
            let incident = &state.incidents[closing.place];
            incident.status == "closed" && incident.resolution != closing.reason
        };
        // What a second reason does is not documented; here the first is kept.
        if closings.iter().find(kept).is_some() {
            return Err(error(400, "invalid reason", ""));
        }
        for Closing { place, reason } in closings {
            let incident = &mut state.incidents[place];
            if incident.status == "closed" {
                continue;
            }
            (incident.status, incident.resolution) = ("closed", reason);
            (incident.status_changed, incident.updated) = (now, now);
            incident.assignee = incident.assignee.or(Some(account));
            incident.history.push(json!({
                "entityID": incident.id.to_string(), "entityKind": "Incident", "tenantID": "", "type": "incidentStatusChanged",
                "createdAt": time(now), "params": { "reason": reason },
            }));
            for alert in &mut incident.alerts {
                (alert.status, alert.resolution, alert.updated) = ("closed", reason, now);
            }
        }
        Ok(Reply::new(204, "", ""))
    }

    /// A linked alert that is closed leaves its incident.
    pub(super) fn close_alerts(&self, account: usize, body: &[u8], _now: Millis) -> Result<Reply, Reply> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let find = |state: &State, id: Uuid, tenant: Uuid| {
            let of = state.incidents.iter().position(|one| one.alerts.iter().any(|alert| alert.id == id))?;
            (state.tenants[state.incidents[of].tenant].id == tenant).then_some((of, id))
        };
        for Closing { place: (of, id), .. } in read(&state, account, body, &ALERT_REASONS, find, "alert not found")? {
            state.incidents[of].alerts.retain(|alert| alert.id != id);
        }
        Ok(Reply::new(204, "", ""))
    }
}

/// What a body asks to close, or the refusal.
fn read<T>(
    state: &State,
    account: usize,
    body: &[u8],
    reasons: &[&'static str],
    find: impl Fn(&State, Uuid, Uuid) -> Option<T>,
    missing: &str,
) -> Result<Vec<Closing<T>>, Reply> {
    let asked: Vec<Value> = serde_json::from_slice(body).map_err(|problem| error(400, "", &problem.to_string()))?;
    let closing = |one: &Value| {
        let text = |name: &str| one[name].as_str().filter(|text| !text.is_empty());
        let id = text("ID").ok_or_else(|| error(400, "id required", ""))?;
        let reason = text("Reason").ok_or_else(|| error(400, "reason required", ""))?;
        let reason = reasons.iter().find(|known| **known == reason).ok_or_else(|| error(400, "invalid reason", ""))?;
        let tenant = Uuid::try_parse(text("TenantID").unwrap_or_default()).unwrap_or_default();
        let known = state.tenants.iter().position(|other| other.id == tenant);
        if !known.is_some_and(|known| state.may(account, known)) {
            return Err(error(403, "access denied", ""));
        }
        let found = Uuid::try_parse(id).ok().and_then(|id| find(state, id, tenant));
        let place = found.ok_or_else(|| error(404, missing, ""))?;
        Ok(Closing { place, reason })
    };
    asked.iter().map(closing).collect()
}
