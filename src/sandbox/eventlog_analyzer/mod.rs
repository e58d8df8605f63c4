//! EventLog Analyzer's incident API (v2), simulated from its public document.
//!
//! Its manners: the list tells the core fields, the detail everything else and none of those; ids of incidents go in the
//! body of `PUT` and `DELETE`; a write answers with a message, not with the object; times have no zone; refusals come in
//! two shapes. Where the document is silent, the choice is written beside the code: `from` counts from 1 and takes 0 for
//! 1, rows come newest first, a missing scope is answered as a bad token, everything else that is wrong as a bad request.
//!
//! A token may be followed by a colon and scopes, by comma: then it has these alone. The one of [`Simulation::secrets`] has
//! all.

mod build;
mod change;
mod list;
mod quota;
mod show;
mod write;

use super::SandboxOptions;
use super::clock::Clock;
use super::random::Random;
use super::simulation::Simulation;
use super::wire::{Reply, Request};
use super::world::World;
use axum::http::Method;
use build::State;
use quota::Quota;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Calls of all endpoints together in a minute (public documents).
const CALLS_PER_MINUTE: u32 = 60;

/// `title` and `code` of the two documented refusals, and of a third that is made up.
const UNAUTHORIZED: (&str, &str) = ("07001113", "Unauthorized");
const BAD_REQUEST: (&str, &str) = ("07001110", "Bad Request");
const TOO_MANY: (&str, &str) = ("07001129", "Too Many Requests");

/// The simulated server.
pub(in crate::sandbox) struct Server {
    state: Mutex<State>,
    token: String,
    quota: Quota,
}

/// What a request asks for.
enum Route<'a> {
    List,
    Detail(&'a str),
    Create,
    Update,
    Delete,
    Users,
}

impl Server {
    /// A server that holds the incidents of the world.
    pub(in crate::sandbox) fn new(world: &World, options: &SandboxOptions) -> Server {
        let calls = if options.strict_limits { CALLS_PER_MINUTE } else { 100 * CALLS_PER_MINUTE };
        Server {
            state: Mutex::new(State::new(world, options.seed)),
            token: Random::of(options.seed, "eventlog token", 0).uuid().simple().to_string(),
            quota: Quota::new(calls),
        }
    }

    /// None: something is wrong with what was asked.
    fn respond(&self, route: Route<'_>, request: &Request, clock: &Clock) -> Option<Reply> {
        let now = clock.world() / 1_000_000;
        let mut state = self.state();
        let body = match route {
            Route::List => list::list(&state, &request.query)?,
            Route::Detail(id) => {
                let zone = list::representation(&request.query)?;
                show::detail(state.incident(id.parse().ok()?)?, zone)
            }
            Route::Users => json!({ "data": state.users.iter().map(show::user).collect::<Vec<_>>() }),
            Route::Create => write::create(&mut state, &object(request)?, now)?,
            Route::Update => write::update(&mut state, &object(request)?, now)?,
            Route::Delete => write::delete(&mut state, &object(request)?)?,
        };
        Some(Reply::json(200, &body))
    }

    /// Whether the token is known and has the scope.
    fn allows(&self, request: &Request, scope: &str) -> bool {
        let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let Some(token) = token else { return false };
        match token.split_once(':') {
            None => token == self.token,
            Some((token, scopes)) => token == self.token && scopes.split(',').any(|one| one == scope),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is made at once after all checks, so that nothing is left half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Simulation for Server {
    fn answer(&self, request: &Request, clock: &Clock) -> Reply {
        let Some(path) = request.path.strip_prefix("/api/v2/") else { return Reply::html_error(404) };
        let Some((route, scope)) = route(&request.method, path) else { return Reply::html_error(404) };
        if !self.allows(request, scope) {
            return self.refusal(401);
        }
        if !self.quota.takes(clock.elapsed()) {
            return self.refusal(429);
        }
        self.respond(route, request, clock).unwrap_or_else(|| self.refusal(400))
    }

    /// A token of this server is not renewed by a login: the refusal itself is all of the fault.
    fn expire_token(&self, _request: &Request) {}

    /// Bare for 401, wrapped for all others.
    fn refusal(&self, status: u16) -> Reply {
        match status {
            401 => {
                let detail = "Invalid or missing AuthToken. Check whether the AuthToken is not revoked or expired";
                Reply::json(401, &error(UNAUTHORIZED, detail))
            }
            429 => wrapped(429, TOO_MANY),
            status => wrapped(status, BAD_REQUEST),
        }
    }

    fn secrets(&self) -> Vec<(&'static str, String)> {
        let zone = show::zone(show::Representation::Server).name().to_owned();
        vec![("token", self.token.clone()), ("time_zone", zone)]
    }

    fn rows(&self) -> &'static str {
        "/data"
    }
}

/// What is asked for and the scope that it needs, spelled as documented.
fn route<'a>(method: &Method, path: &'a str) -> Option<(Route<'a>, &'static str)> {
    Some(match (method.as_str(), path.split_once('/')) {
        ("GET", None) if path == "incident" => (Route::List, "incident.READ"),
        ("GET", Some(("incident", id))) => (Route::Detail(id), "incident.READ"),
        ("POST", None) if path == "incident" => (Route::Create, "incident.CREATE"),
        ("PUT", None) if path == "incident" => (Route::Update, "incidents.update"),
        ("DELETE", None) if path == "incident" => (Route::Delete, "incident.DELETE"),
        ("GET", Some(("meta", "users"))) => (Route::Users, "users.READ"),
        _ => return None,
    })
}

fn object(request: &Request) -> Option<serde_json::Map<String, Value>> {
    serde_json::from_slice(&request.body).ok()
}

fn error((code, title): (&str, &str), detail: &str) -> Value {
    json!({ "code": code, "title": title, "detail": detail })
}

fn wrapped(status: u16, which: (&str, &str)) -> Reply {
    Reply::json(status, &json!({ "error": error(which, "Something went wrong.") }))
}
