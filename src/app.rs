//! The composition root: a configuration and its surroundings become a gateway that can be served.
//!
//! Everything that differs between a running gateway and a test comes in [`Surroundings`]; nothing below asks the system
//! for time, randomness or a connection.

mod signing_key;

pub use signing_key::KeyError;

use crate::config::{Config, Limits};
use crate::domain::{Caller, SourceName, Time};
use crate::federation::{CursorKey, Federation, FederationOptions};
use crate::graphql::{Api, ApiOptions};
use crate::server::{self, BodyRoom, Clock, Random, Readiness, ServerOptions, ServerState};
use crate::source::Call;
use crate::upstream::{Context, Policy, ReqwestTransport, Transport, TransportError};
use crate::vendors;
use axum::Router;
use signing_key::SigningKey;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::time::Instant;
use url::{Host, Url};

/// Makes the transport of one source by its limits.
pub type TransportFactory = Arc<dyn Fn(&Policy) -> Result<Arc<dyn Transport>, TransportError> + Send + Sync>;

/// What a gateway needs of the world around it.
#[derive(Clone)]
pub struct Surroundings {
    /// What time it is.
    pub clock: Clock,
    /// Unguessable bytes.
    pub random: Random,
    /// How sources are reached.
    pub transport: TransportFactory,
    /// Where the gateway may keep what shall outlive it; nothing is written without it.
    pub data_dir: Option<PathBuf>,
    /// Where the gateway listens, with the real port; addresses of downloads begin with it, unless the configuration
    /// says otherwise.
    pub address: SocketAddr,
}

impl Surroundings {
    /// Those of this process: the system's clock and randomness, the network.
    pub fn of_process(data_dir: Option<PathBuf>, address: SocketAddr) -> Self {
        Surroundings {
            clock: Arc::new(chrono::Utc::now),
            random: Arc::new(|bytes| getrandom::fill(bytes).expect("the operating system gives random bytes")),
            transport: Arc::new(|policy| Ok(Arc::new(ReqwestTransport::new(policy)?))),
            data_dir,
            address,
        }
    }
}

/// Why a gateway cannot be put together. Says what to do; for the one who starts it.
#[derive(Debug)]
pub enum AppError {
    /// The key that signs cursors can be neither read nor kept.
    Key(KeyError),
    /// The transport of a source cannot be made.
    Transport(SourceName, TransportError),
}

impl fmt::Display for AppError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppError::Key(error) => error.fmt(out),
            AppError::Transport(name, error) => {
                write!(out, "The source {name} cannot be reached: no HTTP client could be made ({error}).")
            }
        }
    }
}

impl std::error::Error for AppError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            AppError::Key(error) => Some(error),
            AppError::Transport(_, error) => Some(error),
        }
    }
}

/// A gateway, put together and not yet served.
pub struct App {
    federation: Arc<Federation>,
    state: ServerState,
    limits: Limits,
    forgets_cursors: bool,
}

impl App {
    /// Puts the parts together. Asks no source anything. May write `cursor.key` into the data directory.
    pub fn new(config: Config, surroundings: Surroundings) -> Result<Self, AppError> {
        let random = &surroundings.random;
        let data_dir = surroundings.data_dir.as_deref();
        let key = SigningKey::find(config.cursor_key.as_ref(), data_dir, random).map_err(AppError::Key)?;
        let mut sources = Vec::with_capacity(config.sources.len());
        for (name, vendor) in &config.sources {
            let transport = (surroundings.transport)(vendor.policy());
            let transport = transport.map_err(|error| AppError::Transport(name.clone(), error))?;
            sources.push(vendors::build(name, vendor, transport));
        }
        let cursor_key = CursorKey(key.derive("cursors"));
        let federation = Arc::new(Federation::new(FederationOptions {
            sources,
            cursor_key,
            scan_limit: config.limits.scan_rows,
            snapshots: config.limits.snapshots,
        }));
        let base_url = config.public_url.as_ref().map_or_else(|| reachable(surroundings.address), ToString::to_string);
        let address = surroundings.address;
        let mut server = config.server;
        server.public_hosts.extend(config.public_url.as_ref().and_then(host));
        let options = ApiOptions { download_key: key.derive("downloads"), base_url, limits: config.limits.query };
        let api = Api::new(federation.clone(), options);
        let state = ServerState {
            api: Arc::new(api),
            clock: surroundings.clock,
            random: surroundings.random,
            request_timeout: config.limits.request_timeout,
            readiness: Readiness::default(),
            options: Arc::new(server),
            bodies: BodyRoom::default(),
            unauthenticated_beyond_loopback: !address.ip().to_canonical().is_loopback(),
        };
        Ok(App { federation, state, limits: config.limits, forgets_cursors: key.is_forgotten() })
    }

    /// Every route.
    pub fn router(&self) -> Router {
        server::router(self.state.clone())
    }

    /// Limits of connections; for [`server::serve`].
    pub fn server_options(&self) -> &ServerOptions {
        &self.state.options
    }

    /// What `/health/ready` answers; for [`server::serve`].
    pub fn readiness(&self) -> Readiness {
        self.state.readiness.clone()
    }

    /// The sources, all as one.
    pub fn federation(&self) -> &Federation {
        &self.federation
    }

    /// Answers GraphQL requests without HTTP.
    pub fn api(&self) -> &Api {
        &self.state.api
    }

    /// Looks at every source once, in the background, so that the first request need not find out which release it runs.
    pub fn look_at_sources(&self) {
        for source in self.federation.sources() {
            let (source, call) = (source.clone(), self.call("start"));
            tokio::spawn(async move { source.capabilities(&call).await });
        }
    }

    /// Whether cursors end with this process, as their key is kept nowhere.
    pub fn forgets_cursors(&self) -> bool {
        self.forgets_cursors
    }

    /// A call that the gateway makes for itself. `request_id` stands in its log lines.
    pub fn call(&self, request_id: &str) -> Call {
        let caller = Caller::local();
        let deadline = Instant::now() + self.limits.request_timeout;
        let context = Context::new(deadline, request_id, caller.scope.as_str());
        Call { caller: Arc::new(caller), context, now: self.now() }
    }

    fn now(&self) -> Time {
        (self.state.clock)()
    }
}

/// As `public_hosts` has it: an IPv6 address without brackets.
fn host(url: &Url) -> Option<String> {
    url.host().map(|host| match host {
        Host::Ipv6(address) => address.to_string(),
        other => other.to_string(),
    })
}

/// How a client on this machine reaches an address.
pub fn reachable(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}
