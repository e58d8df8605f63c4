//! A simulated Kaspersky XDR: the part of its REST API that deals with incidents, written from the product's online help
//! (releases 1.1 and 1.2). Reads incidents, alerts and tenants; closes incidents and alerts. No limit of requests per
//! time is documented.

mod build;
mod close;
mod query;
mod render;
mod state;

use crate::sandbox::clock::Clock;
use crate::sandbox::simulation::Simulation;
use crate::sandbox::wire::{Reply, Request};
use crate::sandbox::world::World;
use crate::sandbox::{Login, SandboxOptions};
use query::{Field, Query, error};
use serde_json::{Value, json};
use state::{Incident, State};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

/// Rows of a page.
const PAGE: usize = 100;

/// The simulated server.
pub(super) struct Server {
    state: RwLock<State>,
    /// Tokens that are no longer taken.
    ended: Mutex<BTreeSet<String>>,
}

impl Server {
    pub(super) fn new(world: &World, options: &SandboxOptions) -> Server {
        Server { state: RwLock::new(build::build(world, options.seed)), ended: Mutex::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who asks, or the refusal.
    fn account(&self, request: &Request) -> Result<usize, Reply> {
        let Some(token) = token(request) else { return Err(error(400, "invalid authorization header", "")) };
        let account = self.read().accounts.iter().position(|account| account.token == token);
        let account = account.filter(|_| !self.ended().contains(token));
        account.ok_or_else(|| error(403, "access denied", ""))
    }

    fn incidents(&self, account: usize, query: &str) -> Result<Reply, Reply> {
        let state = self.read();
        let query = Query::read(&state, account, query)?;
        let found = incidents(&state, &query);
        let page: Vec<Value> = page(&found, query.page).map(|one| state.incident_row(one, query.extras)).collect();
        Ok(Reply::json(200, &json!({ "Total": found.len(), "Incidents": page })))
    }

    fn alerts(&self, account: usize, query: &str) -> Result<Reply, Reply> {
        let state = self.read();
        let query = Query::read(&state, account, query)?;
        let mut found = Vec::new();
        for incident in &state.incidents {
            for alert in incident.alerts.iter().filter(|_| query.tenants.contains(&incident.tenant)) {
                let asked = query.ids.is_empty() || query.ids.contains(&alert.id);
                let status = query.statuses.is_empty() || query.statuses.iter().any(|status| status == alert.status);
                let at = if query.field == Field::Created { incident.created } else { alert.updated };
                if asked && status && query.in_range(at) {
                    found.push((incident, alert));
                }
            }
        }
        found.reverse();
        let page: Vec<Value> = page(&found, query.page).map(|(of, alert)| state.alert_row(of, alert)).collect();
        // The language of the server writes a list that was never filled as null.
        let page = if page.is_empty() { Value::Null } else { Value::Array(page) };
        Ok(Reply::json(200, &json!({ "Total": found.len(), "Alerts": page })))
    }

    fn routed(&self, request: &Request, clock: &Clock) -> Result<Reply, Reply> {
        let account = self.account(request)?;
        let now = clock.world() / 1_000;
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/xdr/api/v1/incidents") => self.incidents(account, &request.query),
            ("GET", "/xdr/api/v1/alerts") => self.alerts(account, &request.query),
            ("GET", "/xdr/api/v1/tenants") => Ok(Reply::json(200, &self.read().tenant_rows(account))),
            ("POST", "/xdr/api/v1/incidents/close") => self.close_incidents(account, &request.body, now),
            ("POST", "/xdr/api/v1/alerts/close") => self.close_alerts(account, &request.body, now),
            _ => Err(Reply::new(404, "text/plain; charset=utf-8", "404 page not found\n")),
        }
    }
}

/// Matching incidents, newest first by the time that was chosen.
fn incidents<'s>(state: &'s State, query: &Query) -> Vec<&'s Incident> {
    let at = |incident: &Incident| match query.field {
        Field::Created => incident.created,
        Field::Updated => incident.updated,
        Field::StatusChanged => incident.status_changed,
    };
    // What rows show as open is asked for as new.
    let shown = |status: &str| if status == "new" { "open".to_owned() } else { status.to_owned() };
    let statuses: Vec<String> = query.statuses.iter().filter(|word| *word != "open").map(|word| shown(word)).collect();
    let matches = |incident: &&Incident| {
        query.tenants.contains(&incident.tenant)
            && (query.ids.is_empty() || query.ids.contains(&incident.id))
            && (query.statuses.is_empty() || statuses.iter().any(|status| status == incident.status))
            && query.name.as_ref().is_none_or(|name| name.is_match(&incident.name))
            && query.in_range(at(incident))
    };
    let mut found: Vec<&Incident> = state.incidents.iter().filter(matches).collect();
    found.sort_by_key(|incident| std::cmp::Reverse((at(incident), incident.number)));
    found
}

fn page<T>(all: &[T], number: usize) -> impl Iterator<Item = &T> {
    all.iter().skip((number - 1).saturating_mul(PAGE)).take(PAGE)
}

fn token(request: &Request) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ").filter(|token| !token.trim().is_empty())
}

impl Simulation for Server {
    fn answer(&self, request: &Request, clock: &Clock) -> Reply {
        self.routed(request, clock).unwrap_or_else(|refusal| refusal)
    }

    fn expire_token(&self, request: &Request) {
        if let Some(token) = token(request) {
            self.ended().insert(token.to_owned());
        }
    }

    /// A 401 is in no document; a front server may still send one.
    fn refusal(&self, status: u16) -> Reply {
        let message = match status {
            400 => "invalid authorization header",
            403 => "access denied",
            _ => "A fault of the sandbox.",
        };
        error(status, message, "")
    }

    fn secrets(&self) -> Vec<(&'static str, String)> {
        self.read().accounts.first().map(|account| ("token", account.token.clone())).into_iter().collect()
    }

    fn rows(&self) -> &'static str {
        "/Incidents"
    }

    fn logins(&self) -> Vec<Login> {
        let login = |account: &state::Account| Login {
            email: format!("{}@example.test", account.name),
            password: String::new(),
            token: account.token.clone(),
        };
        self.read().accounts.iter().map(login).collect()
    }
}
