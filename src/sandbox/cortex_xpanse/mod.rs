//! A simulated Cortex Xpanse: the part of its public API that deals with incidents, from its published reference.
//!
//! `build` turns the world into rows, `alerts` makes what hangs on a row, `query` answers lists, `write` changes rows,
//! `auth` looks at keys. What no document tells was chosen to be unkind: rows of one time come in another order in each
//! window, and a key that signs may use a nonce once.

mod alerts;
mod auth;
mod build;
mod query;
mod write;

use crate::sandbox::SandboxOptions;
use crate::sandbox::clock::Clock;
use crate::sandbox::simulation::Simulation;
use crate::sandbox::wire::{Reply, Request};
use crate::sandbox::world::World;
use auth::Keys;
use axum::http::Method;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A JSON object.
type Object = Map<String, Value>;

/// Extra data may be asked for so often in a minute.
const EXTRA_DATA_A_MINUTE: usize = 10;

/// The simulated server.
pub(super) struct Server {
    keys: Keys,
    state: Mutex<State>,
    extra_data_a_minute: usize,
    extra_data_calls: Mutex<VecDeque<Duration>>,
}

/// Everything that can change.
struct State {
    /// Rows as the list shows them, the oldest first; the id of each is its place plus one.
    incidents: Vec<Object>,
    /// Changed members of alerts, by their id.
    alerts: HashMap<u64, Object>,
    /// Comments, which can be added but not read.
    comments: usize,
}

impl Server {
    pub(super) fn new(world: &World, options: &SandboxOptions) -> Server {
        let state = State { incidents: build::incidents(world), alerts: HashMap::new(), comments: 0 };
        Server {
            keys: Keys::new(options.seed),
            state: Mutex::new(state),
            extra_data_a_minute: EXTRA_DATA_A_MINUTE * if options.strict_limits { 1 } else { 100 },
            extra_data_calls: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn routed(&self, request: &Request, clock: &Clock) -> Result<Value, Reply> {
        let path = request.path.strip_suffix('/').unwrap_or(&request.path);
        let known = [
            "/api_keys/validate",
            "/public_api/v1/incidents/get_incidents",
            "/public_api/v1/incidents/get_incident_extra_data",
            "/public_api/v1/incidents/update_incident",
            "/public_api/v2/alerts/get_alerts_multi_events",
            "/public_api/v1/alerts/update_alerts",
        ];
        if !known.contains(&path) {
            return Err(Reply::html_error(404));
        }
        if request.method != Method::POST {
            return Err(failure(405, "Method not allowed"));
        }
        self.keys.check(request, clock.wall() / 1_000)?;
        if path == known[0] {
            return Ok(Value::Bool(true));
        }
        let data = request_data(&request.body)?;
        let reply = match path.rsplit('/').next().unwrap_or_default() {
            "get_incidents" => query::incidents(&self.state().incidents, &data)?,
            "get_incident_extra_data" => {
                self.count_extra_data(clock.elapsed())?;
                self.state().extra_data(&data)?
            }
            "update_incident" => self.state().update_incident(&data, clock.world() / 1_000)?,
            "get_alerts_multi_events" => self.state().multi_events(&data)?,
            _ => self.state().update_alerts(&data, clock.world() / 1_000)?,
        };
        Ok(json!({ "reply": reply }))
    }

    fn count_extra_data(&self, now: Duration) -> Result<(), Reply> {
        let mut calls = self.extra_data_calls.lock().unwrap_or_else(PoisonError::into_inner);
        while calls.front().is_some_and(|call| *call + Duration::from_secs(60) <= now) {
            calls.pop_front();
        }
        if calls.len() >= self.extra_data_a_minute {
            return Err(failure(429, "Too many requests"));
        }
        calls.push_back(now);
        Ok(())
    }
}

impl Simulation for Server {
    fn answer(&self, request: &Request, clock: &Clock) -> Reply {
        self.routed(request, clock).map_or_else(|reply| reply, |value| Reply::json(200, &value))
    }

    /// Keys end on a date that their maker sets, not by use.
    fn expire_token(&self, _request: &Request) {}

    fn refusal(&self, status: u16) -> Reply {
        match status {
            401 => auth::refused_standard(),
            422 => unprocessable("filters", "A fault of the sandbox."),
            status => failure(status, "A fault of the sandbox."),
        }
    }

    fn secrets(&self) -> Vec<(&'static str, String)> {
        let (id, key) = self.keys.advanced();
        vec![("api_key", key.to_owned()), ("api_key_id", id.to_owned()), ("api_key_type", "advanced".to_owned())]
    }

    fn rows(&self) -> &'static str {
        "/reply/incidents"
    }
}

/// `request_data` of a body.
fn request_data(body: &[u8]) -> Result<Object, Reply> {
    let body: Value = serde_json::from_slice(body).map_err(|_| failure(400, "Bad Request. Got an invalid JSON."))?;
    match body.get("request_data") {
        Some(Value::Object(data)) => Ok(data.clone()),
        _ => Err(unprocessable("request_data", "Missing data for required field.")),
    }
}

/// The body of most failures.
fn failure(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "reply": { "err_code": status, "err_msg": message, "err_extra": null } }))
}

/// The body of a request that breaks the documented shape.
fn unprocessable(member: &str, problem: &str) -> Reply {
    let body = json!({
        "code": 422,
        "status": "Unprocessable Entity",
        "message": "Request validation failed",
        "errors": { "request_data": { member: [problem] } },
    });
    Reply::json(422, &body)
}
