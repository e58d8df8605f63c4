//! The configuration: the parts' own settings put together. Read from a TOML file and the environment; all mistakes at
//! once, through [`crate::settings`].

mod server;

use crate::domain::SourceName;
use crate::federation::SnapshotLimits;
use crate::graphql::QueryLimits;
use crate::secret::Secret;
use crate::server::ServerOptions;
use crate::settings::{
    Declared, Environment, Loaded, Mistake, PREFIX, Table, address, boolean, describe, duration_ms, number, path, read,
    url, words,
};
use crate::telemetry::{LogFormat, LogLevel};
use crate::vendors::VendorConfig;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Everything that can be configured. Made by [`Config::load`], or by hand in tests.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the gateway listens. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where clients reach the gateway, where that is not where it listens.
    pub public_url: Option<Url>,
    /// Where the gateway may keep what shall outlive it.
    pub data_dir: Option<PathBuf>,
    /// What cursors and download links are signed with; any text of 32 characters or more.
    pub cursor_key: Option<Secret>,
    /// Log lines.
    pub log: Log,
    /// Connections and bodies, and the hosts that requests may name.
    pub server: ServerOptions,
    /// Limits of one request.
    pub limits: Limits,
    /// In the order of the file; names are distinct.
    pub sources: Vec<(SourceName, VendorConfig)>,
}

/// How the gateway logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Log {
    /// Text or JSON.
    pub format: LogFormat,
    /// The least important line that is written.
    pub level: LogLevel,
}

/// What one request may cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Longest time for one request, all sources together.
    pub request_timeout: Duration,
    /// How many rows of one source are read for one request where the source cannot sort or filter itself.
    pub scan_rows: usize,
    /// What is remembered of sources that cannot sort or filter themselves.
    pub snapshots: SnapshotLimits,
    /// What a GraphQL document may ask for.
    pub query: QueryLimits,
}

impl Default for Limits {
    /// 10 s, 10,000 rows; for documents see [`QueryLimits`].
    fn default() -> Self {
        Limits {
            request_timeout: Duration::from_secs(10),
            scan_rows: 10_000,
            snapshots: SnapshotLimits::default(),
            query: QueryLimits::default(),
        }
    }
}

/// Fewest characters of a cursor key: 16 random bytes in hexadecimal.
const MIN_CURSOR_KEY: usize = 32;

/// A sandbox as a source.
pub struct SandboxSource<'a> {
    /// What the source is called.
    pub name: &'a str,
    /// The vendor's word.
    pub vendor: &'a str,
    pub url: &'a Url,
    /// What the vendor's settings must say, by name.
    pub settings: Vec<(&'static str, String)>,
}

impl Config {
    /// Where the gateway listens unless told otherwise.
    pub const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

    /// With these sources and the defaults for everything else.
    pub fn new(sources: Vec<(SourceName, VendorConfig)>) -> Self {
        let (log, server, limits) = (Log::default(), ServerOptions::default(), Limits::default());
        Config {
            listen: Self::LISTEN,
            public_url: None,
            data_dir: None,
            cursor_key: None,
            log,
            server,
            limits,
            sources,
        }
    }

    /// For sandboxes, with quotas `quota_factor` times as large as the vendors'.
    ///
    /// Fails with all mistakes at once.
    pub fn of_sandboxes(sandboxes: &[SandboxSource<'_>], quota_factor: u32) -> Result<Self, Vec<Mistake>> {
        let mut document = toml_edit::DocumentMut::new();
        for sandbox in sandboxes {
            let source = &mut document["sources"][sandbox.name];
            source["vendor"] = toml_edit::value(sandbox.vendor);
            source["url"] = toml_edit::value(sandbox.url.as_str());
            for (setting, value) in &sandbox.settings {
                source[*setting] = toml_edit::value(value.as_str());
            }
        }
        // Warnings speak of literal secrets, which here are made up.
        let mut config = Self::load(&document.to_string(), &Environment::default())?.value;
        for rate in config.sources.iter_mut().flat_map(|(_, source)| &mut source.policy_mut().rates) {
            rate.per_minute = rate.per_minute.saturating_mul(quota_factor);
        }
        Ok(config)
    }

    /// Reads a configuration. `source` is the text of the file, empty for none. Secrets are looked up now: in the
    /// environment, in files, from commands.
    ///
    /// Fails with all mistakes at once.
    pub fn load(source: &str, environment: &Environment) -> Result<Loaded<Config>, Vec<Mistake>> {
        read(source, environment, Config::declare)
    }

    /// All settings there are, for documentation.
    pub fn describe() -> Declared {
        describe(Config::declare)
    }

    fn declare(table: &mut Table<'_, '_>) -> Option<Config> {
        let listen = table.or("listen", "Where the gateway listens.", address(), Config::LISTEN);
        let public_url = table.optional(
            "public_url",
            "Where clients reach the gateway, where that is not where it listens, as behind a proxy; addresses of downloads \
             begin with it, and its host is one of `public_hosts`.",
            url(),
        );
        let public_hosts = server::public_hosts(table);
        let data_dir = table.optional(
            "data_dir",
            "Folder for what shall outlive the process; made if it is absent. Without it nothing is written to disk.",
            path(),
        );
        let cursor_key = table.secret(
            "cursor_key",
            "What cursors and download links are signed with: a random text of at least 32 characters, as from \
             `openssl rand -hex 32`. Gateways with the same key accept each other's. Without it a key is made once and \
             kept in `data_dir`; without that too, a new one at every start.",
        );
        if cursor_key.as_ref().is_some_and(|key| key.expose().chars().count() < MIN_CURSOR_KEY) {
            table.mistake("cursor_key", format!("is too short: at least {MIN_CURSOR_KEY} characters are needed."));
        }
        let persistent = table.or(
            "persistent_cursors",
            "Whether the gateway must not start unless cursors stay valid over a restart; they do with `data_dir` or \
             `cursor_key`.",
            boolean(),
            false,
        );
        if persistent && !table.given("data_dir") && !table.given("cursor_key") {
            let what = "needs data_dir, where the key that signs cursors is kept, or cursor_key; neither is set.";
            table.mistake("persistent_cursors", what);
        }
        let log = table.section("log", "Log lines, which go to standard error.", Log::declare);
        let server = ServerOptions { public_hosts, ..server::declare(table) };
        let limits = table.section("limits", "What one request may cost.", Limits::declare);
        let sources = sources(table);
        Some(Config { listen, public_url, data_dir, cursor_key, log, server, limits, sources })
    }
}

fn sources(table: &mut Table<'_, '_>) -> Vec<(SourceName, VendorConfig)> {
    let doc = "One table for each incident system, with a name of your own, which every incident and every error of it \
               carries. Ids of incidents contain the name: keep it.";
    let name = "1 to 40 lower-case letters, digits and hyphens, with no hyphen at either end";
    let pattern = "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$";
    let sources = table.named(("sources", doc), (name, pattern), VendorConfig::declare);
    if sources.is_empty() && !table.given_below("sources") {
        table.mistake("sources", "is missing: at least one source is needed, as a table [sources.<name>].");
    }
    sources.into_iter().map(|(name, config)| (SourceName::new(&name), config)).collect()
}

impl Log {
    fn declare(table: &mut Table<'_, '_>) -> Log {
        let formats = words(&[("text", LogFormat::Text), ("json", LogFormat::Json)]);
        let levels = words(&[
            ("error", LogLevel::Error),
            ("warn", LogLevel::Warn),
            ("info", LogLevel::Info),
            ("debug", LogLevel::Debug),
            ("trace", LogLevel::Trace),
        ]);
        Log {
            format: table.or(
                "format",
                "One line of text, or one JSON object, for each event.",
                formats,
                LogFormat::Text,
            ),
            level: table.or("level", "The least important event that is logged.", levels, LogLevel::Info),
        }
    }
}

impl Limits {
    fn declare(table: &mut Table<'_, '_>) -> Limits {
        let default = Limits::default();
        let request_timeout = table.or(
            "request_timeout_ms",
            "Longest time for one request, all sources together; what has not answered by then is reported as \
             `SOURCE_TIMEOUT`. A client may ask for less with the header `X-Request-Timeout-Ms`.",
            duration_ms(100..=600_000),
            default.request_timeout,
        );
        let scan_rows = table.or(
            "scan_rows",
            "How many rows of one source are read for one request where the source cannot sort or filter itself. More \
             rows are left out, and the source's report says so.",
            number(100..=1_000_000),
            default.scan_rows as u64,
        );
        let snapshots = SnapshotLimits {
            keep: table.or(
                "snapshot_ms",
                "How long rows are used again that were read from a source which cannot sort or filter itself. 0: every \
                 request reads them anew.",
                duration_ms(0..=3_600_000),
                default.snapshots.keep,
            ),
            max_bytes: usize::try_from(table.or(
                "snapshot_bytes",
                "Memory for all rows read in this way, in bytes, as estimated; never more. Rows for which there is no room \
                 are left out, and the source's report says so. An eighth is for requests that find no room, a short page \
                 of each source for a few at a time: with the least value that is a few rows for five sources. See \
                 docs/PAGING.md.",
                number(1 << 20..=1 << 40),
                default.snapshots.max_bytes as u64,
            ))
            .unwrap_or(usize::MAX),
        };
        let doc = "What a GraphQL document may ask for; what asks for more is refused with `COST_LIMIT`. Fragments count where \
                   they are spread.";
        let query = table.section("query", doc, query_limits);
        Limits { request_timeout, scan_rows: usize::try_from(scan_rows).unwrap_or(usize::MAX), snapshots, query }
    }
}

fn query_limits(table: &mut Table<'_, '_>) -> QueryLimits {
    let default = QueryLimits::default();
    QueryLimits {
        bytes: table.or("bytes", "Length of the document, in bytes.", number(1_024..=1_048_576), default.bytes),
        tokens: table.or(
            "tokens",
            "Lexical tokens of the document, and values in the variables.",
            number(100..=100_000),
            default.tokens,
        ),
        nesting: table.or(
            "nesting",
            "How deep brackets may nest in the document, and lists and objects in the variables.",
            number(8..=128),
            default.nesting,
        ),
        depth: table.or(
            "depth",
            "How deep fields may nest. Below `__schema` and `__type` it is 20, whatever stands here.",
            number(1..=64),
            default.depth,
        ),
        fields: table.or("fields", "Fields.", number(1..=10_000), default.fields),
        aliases: table.or("aliases", "Fields with an alias.", number(0..=10_000), default.aliases),
        root_fields: table.or("root_fields", "Fields of the operation itself.", number(1..=1_000), default.root_fields),
        spreads: table.or("spreads", "Fragment spreads.", number(0..=10_000), default.spreads),
        nodes: table.or(
            "nodes",
            "Records that the lists can have at most, by their page sizes, nested lists multiplied.",
            number(1..=10_000_000),
            default.nodes,
        ),
        introspection: table.or(
            "introspection",
            "Whether `__schema` and `__type` are answered. Clients that generate code and GraphiQL need them.",
            boolean(),
            default.introspection,
        ),
    }
}

/// `docs/CONFIG.md`, from the declarations.
pub fn config_document() -> String {
    format!("{}{}", HEAD.replace("PREFIX", PREFIX), Config::describe().markdown())
}

/// `schema/config.schema.json`, from the declarations.
pub fn config_schema() -> String {
    let id = "https://incident-gateway.invalid/config.schema.json";
    let schema = Config::describe().json_schema("Configuration of the Incident Gateway", id);
    format!("{schema:#}\n")
}

/// What stands above the settings in the documentation.
const HEAD: &str = r#"# Configuration

Generated from the declarations in the code; `UPDATE=1 cargo test generated` writes it anew.

The gateway reads one TOML file, named by `--config`. `examples/gateway.toml` is one to begin with, and
`schema/config.schema.json` lets an editor complete and check it (`#:schema schema/config.schema.json` in the first line, for
editors with Taplo). `incident-gateway check-config --config FILE` tells all mistakes at once, with their lines, and what is
allowed; with `--print` it shows the settings in effect, without secrets.

**Environment.** Each setting can also be given, or overridden, by an environment variable: `PREFIX` and the path in upper case,
with `__` between its parts and `_` for each hyphen. `sources.my-grc.url` is `PREFIXSOURCES__MY_GRC__URL`. A list is separated
by commas; a secret is the text itself. A source may stand in the environment alone. An unknown variable with this beginning is a
mistake.

**Secrets** are best kept elsewhere; the file says where:

| In the file | What it takes |
|---|---|
| `token = { env = "GRC_TOKEN" }` | the environment variable `GRC_TOKEN` |
| `token = { file = "/run/secrets/grc" }` | the text in the file, without the line end after it; a warning if others than its owner can read it |
| `token = { command = ["pass", "show", "grc"] }` | what the command writes, without the line end after it; no shell, 10 seconds at most; its complaints appear on standard error |
| `token = "…"` | the text itself, with a warning |

A secret is looked up once, at the start. An empty one is a mistake. Paths start at the working directory.

**Command line.** `--listen`, `--log-level` and `--log-format` go before both file and environment. `NO_COLOR` switches colours off.
`HTTP_PROXY` and its like are ignored.

**Exit codes.**

| Code | Meaning |
|---|---|
| 0 | done, or stopped as asked |
| 1 | failed; for `doctor` and `health`: something is not well |
| 2 | a mistake on the command line or in the configuration |
| 3 | the address to listen on is in use |
| 4 | stopped before all requests were answered: after a second signal, or after `server.stop_timeout_ms` |

## Top of the file
"#;
