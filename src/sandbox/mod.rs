//! Simulated incident systems for the demonstration and for tests: stateful, deterministic, able to fail on command.
//!
//! Imports nothing of the gateway, so that no mistake can be made on both sides at once. `world` tells what happened in
//! neutral words; each vendor's folder turns it into that vendor's API.

mod adversarial;
mod calls;
mod ciso_assistant;
mod clock;
mod cortex_xpanse;
mod eventlog_analyzer;
mod faults;
mod kaspersky_xdr;
mod random;
mod simulation;
mod wire;
mod world;

pub use calls::Call;
pub use faults::{Fault, FaultKind};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, header};
use chrono::{DateTime, Utc};
use clock::Clock;
use simulation::Simulation;
use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wire::{Reply, Request};

/// Larger request bodies are refused.
const BODY_MAX: usize = 20 * 1024 * 1024;

/// Whose API is simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Vendor {
    #[default]
    CisoAssistant = 0,
    EventlogAnalyzer = 1,
    Adversarial = 2,
    KasperskyXdr = 3,
    CortexXpanse = 4,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Vendor; 5] = [
        Vendor::CisoAssistant,
        Vendor::EventlogAnalyzer,
        Vendor::Adversarial,
        Vendor::KasperskyXdr,
        Vendor::CortexXpanse,
    ];

    /// As configuration and command line write it.
    pub fn word(self) -> &'static str {
        match self {
            Vendor::CisoAssistant => "ciso-assistant",
            Vendor::EventlogAnalyzer => "eventlog-analyzer",
            Vendor::Adversarial => "adversarial",
            Vendor::KasperskyXdr => "kaspersky-xdr",
            Vendor::CortexXpanse => "cortex-xpanse",
        }
    }

    fn build(self, world: &world::World, options: &SandboxOptions) -> Box<dyn Simulation> {
        match self {
            Vendor::CisoAssistant => Box::new(ciso_assistant::Server::new(world, options)),
            Vendor::EventlogAnalyzer => Box::new(eventlog_analyzer::Server::new(world, options)),
            Vendor::Adversarial => Box::new(adversarial::Server::new(world, options)),
            Vendor::KasperskyXdr => Box::new(kaspersky_xdr::Server::new(world, options)),
            Vendor::CortexXpanse => Box::new(cortex_xpanse::Server::new(world, options)),
        }
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// As [`Vendor::word`].
impl FromStr for Vendor {
    type Err = String;

    fn from_str(text: &str) -> Result<Vendor, String> {
        let known = Vendor::ALL.map(Vendor::word).join(", ");
        let found = Vendor::ALL.into_iter().find(|vendor| vendor.word() == text);
        found.ok_or_else(|| format!("unknown vendor '{text}'; known: {known}"))
    }
}

/// A release of the simulated CISO Assistant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// The newest whose incident API equals the published document.
    #[default]
    V3_15_1,
    /// A later one, with more fields and filters and without the older login.
    V3_20_8,
}

impl Release {
    fn is_later(self) -> bool {
        self == Release::V3_20_8
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Release::V3_15_1 => "3.15.1",
            Release::V3_20_8 => "3.20.8",
        })
    }
}

/// `3.15.1` or `3.20.8`, with or without `v`.
impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Release, String> {
        match text.trim_start_matches('v') {
            "3.15.1" => Ok(Release::V3_15_1),
            "3.20.8" => Ok(Release::V3_20_8),
            _ => Err(format!("unknown release '{text}'; known: 3.15.1, 3.20.8")),
        }
    }
}

/// What a sandbox is made of. Seed, incidents and now decide every byte of its first world.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Whose API is simulated.
    pub vendor: Vendor,
    /// Chooses one of the possible worlds.
    pub seed: u64,
    /// How many incidents there are at the start.
    pub incidents: usize,
    /// What the world's clock shows at the start. All incidents happened in the 400 days before.
    pub now: DateTime<Utc>,
    /// Which release of CISO Assistant is simulated.
    pub release: Release,
    /// Added to every answer.
    pub latency: Duration,
    /// What goes wrong from the start.
    pub faults: Vec<Fault>,
    /// Keep the vendor's own limits of requests per time; otherwise they are a hundredfold.
    pub strict_limits: bool,
    /// Keep connections open, where the real server closes each after one answer.
    pub keep_alive: bool,
    /// How long a token from a login lives after its last renewal. A use renews it, once a minute at most.
    pub token_lifetime: Duration,
    /// How long such a token lives at most.
    pub token_limit: Duration,
    /// Whether the batch changes of incidents fail as they do on the real server.
    pub batch_defect: bool,
}

impl Default for SandboxOptions {
    fn default() -> SandboxOptions {
        SandboxOptions {
            vendor: Vendor::default(),
            seed: 1,
            incidents: 500,
            // In the middle of a month, so that the statistics of the month are not empty.
            now: DateTime::from_timestamp(1_794_819_600, 0).unwrap_or_default(),
            release: Release::default(),
            latency: Duration::ZERO,
            faults: Vec::new(),
            strict_limits: false,
            keep_alive: false,
            token_lifetime: Duration::from_secs(3_600),
            token_limit: Duration::from_secs(36_000),
            batch_defect: true,
        }
    }
}

/// Somebody who may call a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Also the user name.
    pub email: String,
    /// For both login forms.
    pub password: String,
    /// A token that never expires.
    pub token: String,
}

/// A running simulation. Cheap to clone; clones are the same sandbox.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    server: Box<dyn Simulation>,
    token: String,
    clock: Clock,
    calls: calls::Calls,
    faults: Mutex<Vec<Fault>>,
    latency_micros: AtomicU64,
    keep_alive: bool,
}

impl Sandbox {
    /// Builds the world. Equal seed, incidents and now give equal bytes; so do equal requests after that, apart from
    /// the times and tokens that a write or login makes.
    pub fn new(options: SandboxOptions) -> Sandbox {
        let system = options.vendor as u64;
        let world = world::World::new(options.seed, system, options.incidents, options.now.timestamp_micros());
        let server = options.vendor.build(&world, &options);
        Sandbox::of(server, options)
    }

    /// A simulated CISO Assistant that holds given objects instead of a made-up world: a JSON object with a list per resource
    /// (`folders`, `users`, …, `incidents`, `timeline_entries`) and `accounts`. Members are named as in the API,
    /// related objects are bare ids, choices are codes. `incidents` of the options is not used.
    ///
    /// Fails with a sentence that names the object at fault.
    pub fn with_objects(options: SandboxOptions, objects: &serde_json::Value) -> Result<Sandbox, String> {
        let server = ciso_assistant::Server::with_objects(objects, &options)?;
        Ok(Sandbox::of(Box::new(server), options))
    }

    fn of(server: Box<dyn Simulation>, options: SandboxOptions) -> Sandbox {
        let keep_alive = options.keep_alive || server.keeps_alive();
        let token = server.secrets().into_iter().next().map(|(_, secret)| secret).unwrap_or_default();
        let inner = Inner {
            token,
            server,
            clock: Clock::new(options.now),
            calls: calls::Calls::default(),
            faults: Mutex::new(options.faults),
            latency_micros: AtomicU64::new(options.latency.as_micros() as u64),
            keep_alive,
        };
        Sandbox { inner: Arc::new(inner) }
    }

    /// The simulated API.
    pub fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    /// Serves the API until `stop` is ready; answers under way are then left to finish by themselves.
    ///
    /// Fails when the listener fails.
    pub async fn serve(
        &self,
        listener: tokio::net::TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        tokio::select! {
            served = axum::serve(listener, self.router()).into_future() => served,
            () = stop => Ok(()),
        }
    }

    /// What a gateway has to be configured with, by the name of its setting.
    pub fn secrets(&self) -> Vec<(&'static str, String)> {
        self.inner.server.secrets()
    }

    /// The first of [`Sandbox::secrets`]. Of CISO Assistant: a token that never expires, of an account that may read and
    /// change every incident, but one unit and all that lies in it is hidden from it, and of another unit the name.
    pub fn token(&self) -> &str {
        &self.inner.token
    }

    /// Everybody who may call: gateway (of [`Sandbox::token`]), admin, analyst (one unit only), reader (changes
    /// nothing), nobody (sees nothing), second-factor (cannot log in). Each `<name>@example.test`, `<name>-password`.
    pub fn accounts(&self) -> Vec<Login> {
        self.inner.server.logins()
    }

    /// The calls received since the start or the last reset, in order of arrival; the last 100,000 at most.
    pub fn calls(&self) -> Vec<Call> {
        self.inner.calls.list()
    }

    /// How many calls were received since the start or the last reset.
    pub fn call_count(&self) -> u64 {
        self.inner.calls.count()
    }

    /// Forgets the received calls.
    pub fn reset_calls(&self) {
        self.inner.calls.reset();
    }

    /// Replaces all faults.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        *self.faults() = faults;
    }

    /// Changes what is added to every answer from now on.
    pub fn set_latency(&self, latency: Duration) {
        self.inner.latency_micros.store(latency.as_micros() as u64, Ordering::Relaxed);
    }

    /// Another release from the next request on, as after an upgrade; the objects stay.
    pub fn set_release(&self, release: Release) {
        self.inner.server.set_release(release);
    }

    /// Moves the clocks forward: tokens age, new objects get later times.
    pub fn advance(&self, by: Duration) {
        self.inner.clock.advance(by);
    }

    fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.inner.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn respond(&self, request: Request) -> Response<Body> {
        let inner = &self.inner;
        let number = inner.calls.arrived(request.method.as_str(), &request.path, &request.query);
        let latency = Duration::from_micros(inner.latency_micros.load(Ordering::Relaxed));
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let fault = faults::meet(&mut self.faults(), &request.path);
        let reply = self.reply(&request, fault).await;
        inner.calls.answered(number, reply.status);
        match fault {
            Some(FaultKind::CutBody) => reply.send_cut(),
            Some(FaultKind::SlowDrip) => reply.send_slowly(),
            _ => reply.send(),
        }
    }

    async fn reply(&self, request: &Request, fault: Option<FaultKind>) -> Reply {
        let server = &self.inner.server;
        match fault {
            Some(FaultKind::Hang) => std::future::pending().await,
            Some(FaultKind::SlowMs(ms)) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Some(FaultKind::ExpiredToken) => server.expire_token(request),
            _ => {}
        }
        if let Some(reply) = fault.and_then(|fault| wire::instead(fault, &**server)) {
            return reply;
        }
        let mut reply = server.answer(request, &self.inner.clock);
        match fault {
            Some(FaultKind::WrongContentType) => reply.content_type = wire::HTML,
            Some(FaultKind::MalformedItem) => wire::malform(&mut reply, server.rows()),
            _ => {}
        }
        reply
    }
}

async fn answer(State(sandbox): State<Sandbox>, request: axum::extract::Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let mut response = match axum::body::to_bytes(body, BODY_MAX).await {
        Ok(body) => {
            let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
            sandbox.respond(Request { method: parts.method, path, query, headers: parts.headers, body }).await
        }
        Err(_) => sandbox.inner.server.refusal(413).send(),
    };
    if !sandbox.inner.keep_alive {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
