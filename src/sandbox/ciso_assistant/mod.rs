//! A simulated CISO Assistant: the part of its REST API that deals with incidents, as observed on two releases.
//!
//! `state` holds the objects, `build` fills it, `routes` names the paths, and each other file answers one group of them.
//! Facts: `tests/fixtures/ciso-assistant` (recorded exchanges); every one of them is replayed by a test.

mod accounts;
mod auth;
mod batch;
mod build;
mod cascade;
mod changes;
mod export;
mod incidents;
mod json;
mod metrics;
mod objects;
mod query;
mod ranks;
mod related;
mod related_shapes;
mod render;
mod report;
mod routes;
mod state;
mod timeline;
mod words;
mod write;
mod write_values;
mod xlsx;

use crate::sandbox::clock::Clock;
use crate::sandbox::simulation::Simulation;
use crate::sandbox::wire::{HTML, JSON, Reply, Request};
use crate::sandbox::world::World;
use crate::sandbox::{Login, Release, SandboxOptions};
use accounts::Account;
use auth::Sessions;
use axum::http::Method;
use incidents::{Selection, Sorting};
use json::Json;
use query::Query;
use render::{Shown, View};
use routes::{Extra, Route};
use serde_json::{Map, Value, json};
use state::{Index, Kind, State};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use write::Writer;

/// The front server refuses request lines of more bytes than this (method, path, query and protocol).
const REQUEST_LINE_MAX: usize = 5_120;

/// The simulated server.
pub(super) struct Server {
    state: RwLock<State>,
    accounts: Vec<Account>,
    sessions: Mutex<Sessions>,
    /// An endless token for each account.
    tokens: Vec<String>,
    batch_defect: bool,
    release: Mutex<Release>,
}

impl Simulation for Server {
    fn answer(&self, request: &Request, clock: &Clock) -> Reply {
        let target = request.path.len() + if request.query.is_empty() { 0 } else { request.query.len() + 1 };
        let line = request.method.as_str().len() + " ".len() + target + " HTTP/1.1".len();
        if line > REQUEST_LINE_MAX {
            return Reply::line_too_long(line, REQUEST_LINE_MAX);
        }
        let release = *self.release.lock().unwrap_or_else(PoisonError::into_inner);
        self.answer_as(request, release, clock)
    }

    /// Only tokens that came from a login end.
    fn expire_token(&self, request: &Request) {
        if let Ok(token) = auth::token_of(request.header("authorization")) {
            self.sessions().expire(token);
        }
    }

    fn refusal(&self, status: u16) -> Reply {
        match status {
            401 => Reply::detail(401, "Invalid token.").with("www-authenticate", "Token"),
            429 => Reply::detail(429, "Request was throttled."),
            _ => Reply::detail(status, "A fault of the sandbox."),
        }
    }

    fn secrets(&self) -> Vec<(&'static str, String)> {
        self.tokens.first().map(|token| ("token", token.clone())).into_iter().collect()
    }

    fn rows(&self) -> &'static str {
        "/results"
    }

    fn logins(&self) -> Vec<Login> {
        let login = |(account, token): (&Account, &String)| Login {
            email: account.email.clone(),
            password: account.password.clone(),
            token: token.clone(),
        };
        self.accounts.iter().zip(&self.tokens).map(login).collect()
    }

    fn set_release(&self, release: Release) {
        *self.release.lock().unwrap_or_else(PoisonError::into_inner) = release;
    }

    fn keeps_alive(&self) -> bool {
        false
    }
}

/// Everything an answer depends on besides the stored objects.
struct Asked<'a> {
    request: &'a Request,
    query: Query,
    release: Release,
    clock: &'a Clock,
    account: usize,
}

impl Server {
    pub(super) fn new(world: &World, options: &SandboxOptions) -> Server {
        let (state, accounts) = build::build(world, options.seed);
        Server::of(state, accounts, options)
    }

    /// A server that holds given objects; see `objects`.
    pub(super) fn with_objects(objects: &Value, options: &SandboxOptions) -> Result<Server, String> {
        let (state, accounts) = objects::read(objects, options.seed)?;
        Ok(Server::of(state, accounts, options))
    }

    fn of(state: State, accounts: Vec<Account>, options: &SandboxOptions) -> Server {
        state.ranks.prepare(&state.incidents, &state.folders);
        let mut sessions = Sessions::new(options.seed, options.token_lifetime, options.token_limit);
        let tokens = (0..accounts.len()).map(|account| sessions.endless(account)).collect();
        let (batch_defect, release) = (options.batch_defect, Mutex::new(options.release));
        Server { state: RwLock::new(state), accounts, sessions: Mutex::new(sessions), tokens, batch_defect, release }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer_as(&self, request: &Request, release: Release, clock: &Clock) -> Reply {
        let Some(route) = routes::route(&request.path, release) else {
            return missing(request, release);
        };
        let reply = self.routed(route, request, release, clock);
        // The page of an unexpected error carries none of the API's own headers.
        let plain = reply.status == 500 && reply.body.starts_with(b"\n<!doctype");
        let reply = match route.allow() {
            "" => reply,
            _ if plain => reply,
            allow => reply.with("allow", allow),
        };
        reply.with("vary", "Accept-Language").with("content-language", if french(request) { "fr" } else { "en" })
    }

    fn routed(&self, route: Route<'_>, request: &Request, release: Release, clock: &Clock) -> Reply {
        if route != Route::LoginA && !accepts_json(request.header("accept")) {
            return Reply::detail(406, "Could not satisfy the request Accept header.");
        }
        let query = Query::new(&request.path, &request.query);
        if query.last("format").is_some_and(|format| format != "json") {
            return Reply::detail(404, "Not found.");
        }
        let account = match self.identify(route, request, clock) {
            Ok(account) => account,
            Err(text) => return Reply::detail(401, text).with("www-authenticate", "Token"),
        };
        let method = request.method.as_str();
        if !route.takes(method) {
            return Reply::detail(405, &format!("Method \"{method}\" not allowed."));
        }
        if method == "OPTIONS" {
            let name = request.path.trim_matches('/').rsplit('/').next().unwrap_or_default();
            let described = json!({ "name": name, "renders": [JSON], "parses": [JSON] });
            let broken = matches!(route, Route::Collection(Kind::Incident) | Route::Item(Kind::Incident, _));
            return if broken { Reply::html_error(500) } else { Reply::json(200, &described) };
        }
        let asked = Asked { request, query, release, clock, account };
        if matches!(method, "GET" | "HEAD") { self.get(route, &asked) } else { self.change(route, &asked) }
    }

    fn identify(&self, route: Route<'_>, request: &Request, clock: &Clock) -> Result<usize, &'static str> {
        if route.is_open() {
            return Ok(0);
        }
        let token = auth::token_of(request.header("authorization"))?;
        self.sessions().account(token, clock.elapsed()).ok_or("Invalid token.")
    }

    fn get(&self, route: Route<'_>, asked: &Asked<'_>) -> Reply {
        let state = self.read();
        let view = View { state: &state, caller: &self.accounts[asked.account], release: asked.release };
        match route {
            Route::Health => Reply::json(200, &json!({ "status": "ok" })),
            Route::Schema => schema(),
            Route::Build => build_info(asked.release),
            Route::CurrentUser => current_user(&view),
            Route::AuthTokens => self.sessions().list_named(asked.account, asked.clock),
            Route::EntryTypes => entry_types(),
            Route::Collection(Kind::Incident) => incident_list(&view, &asked.query),
            Route::Collection(kind) => view.related_list(kind, &asked.query),
            Route::AssetsFull => View { release: Release::V3_15_1, ..view }.related_list(Kind::Asset, &asked.query),
            Route::Extra(extra) => extra_reply(&view, extra, asked),
            Route::Item(kind, id) => shown(find(&view, kind, id), |index| view.related_one(kind, index)),
            Route::Object(kind, id) => shown(find(&view, kind, id), |index| written(&view, kind, index)),
            Route::Cascade(kind, id) => shown(find(&view, kind, id), |index| cascade(&view, kind, index)),
            Route::Markdown(id) => report(&view, id, |index| view.markdown_report(index)),
            Route::Pdf(id) => report(&view, id, |index| view.pdf_report(index)),
            Route::LoginA | Route::LoginB | Route::Logout | Route::Batch(_) => Reply::html_error(500),
        }
    }

    fn change(&self, route: Route<'_>, asked: &Asked<'_>) -> Reply {
        let body = match write_values::body(asked.request) {
            Ok(body) => body,
            Err(reply) => return reply,
        };
        match route {
            Route::LoginA => {
                // Objects before sessions, here as everywhere: two orders could wait for each other.
                let state = self.read();
                auth::login_a(&mut self.sessions(), &self.accounts, &state, asked.clock, &body)
            }
            Route::LoginB => auth::login_b(&mut self.sessions(), &self.accounts, asked.clock, &body),
            Route::Logout => {
                if let Ok(token) = auth::token_of(asked.request.header("authorization")) {
                    self.sessions().end(token);
                }
                Reply::new(204, "", "")
            }
            Route::AuthTokens => self.sessions().create_named(asked.account, &body, asked.clock),
            _ => self.change_objects(route, asked, &body),
        }
    }

    fn change_objects(&self, route: Route<'_>, asked: &Asked<'_>, body: &Map<String, Value>) -> Reply {
        let mut state = self.write();
        let now = asked.clock.world();
        let (caller, release) = (&self.accounts[asked.account], asked.release);
        let found = match route {
            Route::Item(kind, id) => match find(&View { state: &state, caller, release }, kind, id) {
                Ok(index) => Some(index),
                Err(reply) => return reply,
            },
            _ => None,
        };
        let mut writer = Writer { state: &mut state, caller, release, now, french: french(asked.request) };
        // A client's own clock may be ahead of a world that was built for an earlier time.
        let latest = now.max(asked.clock.wall());
        let whole = asked.request.method == Method::PUT;
        match (route, found) {
            (Route::Batch(kind), _) => writer.batch(kind, body, self.batch_defect),
            (Route::Collection(Kind::Incident), _) => writer.create(body),
            (Route::Collection(Kind::Entry), _) => writer.create_entry(body, latest),
            (Route::Item(Kind::Incident, _), Some(index)) if asked.request.method == Method::DELETE => {
                writer.delete(index)
            }
            (Route::Item(Kind::Incident, _), Some(index)) => writer.update(index, body, whole),
            (Route::Item(Kind::Entry, _), Some(index)) if asked.request.method == Method::DELETE => {
                writer.delete_entry(index)
            }
            (Route::Item(Kind::Entry, _), Some(index)) => writer.update_entry(index, body, whole, latest),
            // The objects around incidents cannot be changed here.
            _ => write::forbidden(),
        }
    }
}

fn shown(found: Result<Index, Reply>, show: impl FnOnce(Index) -> Reply) -> Reply {
    found.map_or_else(|reply| reply, show)
}

fn extra_reply(view: &View<'_>, extra: Extra, asked: &Asked<'_>) -> Reply {
    match extra {
        Extra::SeverityChoices | Extra::StatusChoices | Extra::DetectionChoices => metrics::choices(extra),
        Extra::ExportCsv => view.export_csv(&asked.query),
        Extra::ExportXlsx => view.export_xlsx(&asked.query),
        _ => view.metric(extra, &asked.query, asked.clock.world()),
    }
}

/// The write shape. Only incidents and timeline entries have one here.
fn written(view: &View<'_>, kind: Kind, index: Index) -> Reply {
    let mut json = Json::new();
    match kind {
        Kind::Incident => view.written_incident(&mut json, index),
        Kind::Entry => view.written_entry(&mut json, index),
        _ => return Reply::html_error(404),
    }
    Reply::new(200, JSON, json.finish())
}

/// The preview of a deletion. Only incidents have one here; the later release shows it to those who may delete.
fn cascade(view: &View<'_>, kind: Kind, index: Index) -> Reply {
    match kind {
        Kind::Incident
            if view.release.is_later() && !view.caller.may(accounts::WRITE, view.state.incidents.at(index).folder) =>
        {
            Reply::new(403, "", "")
        }
        Kind::Incident => view.cascade(index),
        _ => Reply::html_error(404),
    }
}

/// Reports answer an unknown id as a forbidden one, and break at a malformed one.
fn report(view: &View<'_>, id: &str, show: impl FnOnce(Index) -> Reply) -> Reply {
    let Some(id) = query::uuid(id) else { return Reply::html_error(500) };
    match view.state.find(Kind::Incident, id).filter(|&index| view.sees(Kind::Incident, index)) {
        Some(index) => show(index),
        None => Reply::json(403, &json!({ "error": "Permission denied" })),
    }
}

/// The page of incidents that a query asks for.
fn incident_list(view: &View<'_>, query: &Query) -> Reply {
    let selection = match Selection::read(view.state, query, view.release) {
        Ok(selection) => selection,
        Err(errors) => return Reply::json(400, &errors),
    };
    let rows = selection.collect(view.state, view.caller);
    let count = rows.len();
    let rows = Sorting::read(query).page(view.state, rows, query.page());
    let body = view.envelope(query, count, &rows, |json, row| view.incident(json, row, Shown::InList));
    Reply::new(200, JSON, body)
}

/// The visible object of a path's id, or the 404 that the real server answers.
fn find(view: &View<'_>, kind: Kind, id: &str) -> Result<Index, Reply> {
    let Some(id) = query::uuid(id) else {
        // Two ids in one path were seen to break the server.
        return Err(if id.contains(',') { Reply::html_error(500) } else { Reply::detail(404, "Not found.") });
    };
    let found = view.state.find(kind, id).filter(|&index| view.sees(kind, index));
    found.ok_or_else(|| Reply::detail(404, &format!("No {} matches the given query.", routes::noun(kind))))
}

/// A path that means nothing: sent to the one with a slash if that one does.
fn missing(request: &Request, release: Release) -> Reply {
    let slashed = format!("{}/", request.path);
    if request.path.ends_with('/') || routes::route(&slashed, release).is_none() {
        return Reply::html_error(404);
    }
    let location = if request.query.is_empty() { slashed } else { format!("{slashed}?{}", request.query) };
    Reply::new(301, HTML, "").with("location", location).with("vary", "Accept-Language")
}

/// Whether an `Accept` header lets JSON pass. Weights are not looked at: nothing else is ever served.
fn accepts_json(accept: Option<&str>) -> bool {
    let kinds = accept.unwrap_or("*/*").split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    accept.is_none_or(|accept| accept.trim().is_empty())
        || kinds.into_iter().any(|kind| matches!(kind, "*/*" | "application/*" | "application/json"))
}

fn french(request: &Request) -> bool {
    request.header("accept-language").is_some_and(|languages| languages.trim().to_ascii_lowercase().starts_with("fr"))
}

/// The OpenAPI document of the real server is large; this one names itself only.
fn schema() -> Reply {
    let info = json!({ "title": "CISO Assistant - API Documentation (sandbox)", "version": "0.7.0" });
    Reply::json(200, &json!({ "openapi": "3.0.3", "info": info, "paths": {} }))
}

fn build_info(release: Release) -> Reply {
    let info = json!({
        "version": format!("v{release}"), "build": "sandbox", "infrastructure": "sandbox", "diskSpace": "100 GB", "diskUsed": "1 GB (1 %)",
    });
    Reply::json(200, &info)
}

fn entry_types() -> Reply {
    let types: Map<String, Value> =
        words::ENTRY_TYPE[..3].iter().map(|(code, label)| ((*code).to_owned(), json!(label))).collect();
    Reply::json(200, &Value::Object(types))
}

fn current_user(view: &View<'_>) -> Reply {
    let user = view.state.users.at(view.caller.user);
    let actor = view.state.id(Kind::Actor, view.caller.actor);
    let domains: Vec<_> =
        view.state.folders.iter().filter(|(index, _)| view.caller.may(accounts::INCIDENTS, *index)).collect();
    let mut json = Json::new();
    json.open(b'{')
        .key("id")
        .uuid(user.id)
        .key("actor_id")
        .uuid(actor)
        .key("all_actor_ids")
        .open(b'[')
        .uuid(actor)
        .close(b']');
    json.key("email")
        .string(&user.email)
        .key("first_name")
        .string(&user.first_name)
        .key("last_name")
        .string(&user.last_name);
    json.empty_lists(&["roles", "permissions"]).key("accessible_domains").open(b'[');
    for (_, folder) in &domains {
        json.uuid(folder.id);
    }
    json.close(b']').key("domain_permissions").open(b'{').close(b'}');
    json.key("root_folder_id")
        .uuid(view.state.id(Kind::Folder, state::ROOT))
        .key("is_admin")
        .bool(view.caller.admin)
        .close(b'}');
    Reply::new(200, JSON, json.finish())
}
