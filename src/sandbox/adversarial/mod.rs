//! A simulated Adversarial: the incident part of its REST API, written from the published pages and from the vendor's own
//! client. What neither tells is inferred and said so where it stands. All paths lie below `/api/v1/`.
//!
//! `state` holds the objects, `build` fills it; `auth`, `list` and `write` each answer one group of paths.

mod auth;
mod build;
mod list;
mod state;
mod write;

use crate::sandbox::SandboxOptions;
use crate::sandbox::clock::Clock;
use crate::sandbox::simulation::Simulation;
use crate::sandbox::wire::{Reply, Request};
use crate::sandbox::world::World;
use auth::Tokens;
use list::Query;
use serde_json::{Value, json};
use state::{SOURCES, State};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Rows of a page of history at most. Made up: none is documented, and a client must cope with any.
const MAX_HISTORY_PAGE: usize = 50;

/// A picture of one grey point.
const PIXEL: [u8; 67] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49,
    0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x68, 0x00, 0x00, 0x00, 0x82, 0x00, 0x81, 0x77, 0xcd, 0x72, 0xb6, 0x00, 0x00,
    0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

/// The simulated server.
pub(super) struct Server {
    state: Mutex<State>,
    tokens: Mutex<Tokens>,
}

impl Server {
    pub(super) fn new(world: &World, options: &SandboxOptions) -> Server {
        let state = build::build(world, options.seed);
        Server { state: Mutex::new(state), tokens: Mutex::new(Tokens::new(options.seed)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The vendor's own body for a status.
    fn refused(status: u16) -> Reply {
        let (error, description) = match status {
            401 => ("unauthorized", "You do not have permission to access this resource"),
            403 => ("forbidden", "Insufficient permissions"),
            404 => ("not_found", "Resource was not found"),
            409 => ("conflict", "Resource already exists"),
            400..=499 => return Reply::json(status, &json!({ "error": "Bad Request" })),
            _ => ("internal_server_error", "Internal Server Error"),
        };
        Reply::json(status, &json!({ "error": error, "description": description }))
    }

    fn on(&self, id: &str, answer: impl FnOnce(&mut State, usize) -> Reply) -> Reply {
        let mut state = self.state();
        match state.place(id) {
            Some(place) => answer(&mut state, place),
            None => Server::refused(404),
        }
    }

    /// The picture of a user who has one. In which form is not documented.
    fn avatar(&self, id: &str) -> Reply {
        let has_one = self.state().users.iter().any(|user| user.id == id && user.icon.is_some());
        if has_one { Reply::new(200, "image/png", PIXEL) } else { Server::refused(404) }
    }

    fn list(&self, request: &Request) -> Reply {
        match list::list(&self.state(), &Query::read(&request.query)) {
            Ok(page) => Reply::json(200, &page),
            Err((parameter, what)) => Reply::json(400, &json!({ "errors": { parameter: [what] } })),
        }
    }
}

impl Simulation for Server {
    fn answer(&self, request: &Request, clock: &Clock) -> Reply {
        let Some(path) = request.path.strip_prefix("/api/v1/") else { return Server::refused(404) };
        let parts: Vec<&str> = path.split('/').collect();
        let method = request.method.as_str();
        if parts == ["oauth", "token"] {
            return match method {
                "POST" => self.tokens().grant(request, clock.elapsed()),
                _ => Server::refused(405),
            };
        }
        if !self.tokens().admits(request, clock.elapsed()) {
            return Server::refused(401);
        }
        match (method, &parts[..]) {
            ("GET", ["users", "me"]) => Reply::json(200, &self.state().users[build::SERVICE_ACCOUNT].json()),
            ("GET", ["users", id, "avatar"]) => self.avatar(id),
            ("GET", ["incidents"]) => self.list(request),
            ("GET", ["incidents", "sources"]) => sources(),
            ("GET", ["incidents", id]) => {
                self.on(id, |state, place| Reply::json(200, &state.row(&state.incidents[place])))
            }
            ("GET", ["incidents", id, "comments"]) => self.on(id, comments),
            ("GET", ["incidents", id, "history"]) => self.on(id, |state, place| history(state, place, request)),
            ("POST", ["incidents"]) => write::create(&mut self.state(), &request.body, clock.world()),
            ("PATCH", ["incidents"]) => write::patch_many(&mut self.state(), &request.body, clock.world()),
            ("PATCH", ["incidents", id]) => {
                self.on(id, |state, place| write::patch_one(state, place, &request.body, clock.world()))
            }
            ("POST", ["incidents", id, "comments"]) => {
                self.on(id, |state, place| write::comment(state, place, &request.body, clock.world()))
            }
            (_, ["users", "me"] | ["users", _, "avatar"] | ["incidents", ..]) => Server::refused(405),
            _ => Server::refused(404),
        }
    }

    fn secrets(&self) -> Vec<(&'static str, String)> {
        let tokens = self.tokens();
        vec![("client_id", tokens.client_id.clone()), ("client_secret", tokens.client_secret.clone())]
    }

    fn rows(&self) -> &'static str {
        "/incidents"
    }

    fn expire_token(&self, request: &Request) {
        self.tokens().expire(request);
    }

    fn refusal(&self, status: u16) -> Reply {
        Server::refused(status)
    }
}

fn sources() -> Reply {
    let sources: Vec<Value> = SOURCES.iter().map(|name| json!({ "name": name })).collect();
    Reply::json(200, &json!({ "sources": sources }))
}

fn comments(state: &mut State, place: usize) -> Reply {
    let all: Vec<Value> = state.incidents[place].comments.iter().map(|comment| state.comment(comment)).collect();
    Reply::json(200, &json!({ "comments": all }))
}

fn history(state: &mut State, place: usize, request: &Request) -> Reply {
    let query = Query::read(&request.query);
    let page = query.page(MAX_HISTORY_PAGE).ok().filter(|_| query.other_than(&["page", "page_size"]).is_none());
    let Some(page) = page else { return Server::refused(400) };
    let newest_first: Vec<_> = state.incidents[place].history.iter().rev().collect();
    Reply::json(200, &page.envelope("entries", &newest_first, |entry| state.entry(entry)))
}
