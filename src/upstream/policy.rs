//! The limits of a conversation with one source. Plain values; the settings reader declares them (`settings`),
//! [`super::Upstream`] and the transport obey them.

use super::request::{Remember, UpstreamRequest};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Limits for one source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Longest time to make a connection, TLS included.
    pub connect_timeout: Duration,
    /// Longest time for one call, from sending to the last byte; for a download, to the head of the answer.
    pub total_timeout: Duration,
    /// Longest silence between two pieces of an answer's body. Until the head arrives only `total_timeout` counts: a
    /// vendor may think as long as that before it speaks.
    pub idle_timeout: Duration,
    /// Calls in flight at once. At least 1; 0 is taken as 1.
    pub concurrency: usize,
    /// Longest body that is read into memory, in bytes; downloads are not held in memory and not limited.
    pub max_body_bytes: usize,
    /// Quotas; a call must fit into each that it belongs to.
    pub rates: Vec<Rate>,
    /// Repetitions of safe requests.
    pub retry: Retry,
    /// When a failing source is left in peace.
    pub breaker: Breaker,
    /// Whether identical safe requests at the same time are one call.
    pub share: bool,
    /// What is remembered, for how long.
    pub cache: Cache,
    /// How the source is reached.
    pub network: Network,
}

/// A quota: so many calls within any minute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Which operations share it, by [`super::UpstreamRequest::operation`]; none: all of the source.
    pub operations: Option<&'static [&'static str]>,
    /// At least 1; 0 is taken as 1.
    pub per_minute: u32,
}

impl Rate {
    /// A quota over everything that the source is asked.
    pub fn of_all(per_minute: u32) -> Self {
        Rate { operations: None, per_minute }
    }
}

/// Repetitions of safe requests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retry {
    /// At most so many after the first attempt; 0: none.
    pub repeats: u32,
    /// Longest wait before the first repetition; doubled for each further one.
    pub first_wait: Duration,
    /// No wait is longer. A source that asks for more is not asked again; the client is told how long it takes.
    pub longest_wait: Duration,
    /// Repetitions may be this share of the calls, after the first few.
    pub budget_percent: u32,
}

/// When a failing source is left in peace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breaker {
    /// Failures in a row; 0: never.
    pub failures: u32,
    /// For how long.
    pub open_for: Duration,
}

/// What is remembered, for how long; zero for not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cache {
    /// Pages of lists, and counts.
    pub lists: Duration,
    /// Records by id.
    pub details: Duration,
    /// Records by id, where the request names the state of the record that it is about.
    pub revisions: Duration,
    /// What hardly ever changes.
    pub catalogues: Duration,
    /// How much older a remembered answer may be while the source is not there; it is then marked as stale.
    pub stale: Duration,
    /// Most memory for the answers of this source, in bytes.
    pub max_bytes: usize,
}

impl Cache {
    /// For how long an answer to such a request is as good as a new one.
    pub fn fresh_for(&self, request: &UpstreamRequest) -> Duration {
        match (request.remember, &request.revision) {
            (Remember::Never, _) => Duration::ZERO,
            (Remember::List, _) => self.lists,
            (Remember::Detail, None) => self.details,
            (Remember::Detail, Some(_)) => self.revisions,
            (Remember::Catalogue, _) => self.catalogues,
        }
    }
}

/// How a source is reached.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Network {
    /// A file of PEM certificates: the authorities that are trusted for this source, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// A file with the gateway's own certificate and its private key, both as PEM.
    pub client_certificate: Option<PathBuf>,
    /// An HTTP proxy that all calls to this source go through.
    pub proxy: Option<Url>,
}

impl Default for Policy {
    /// A plain conversation: 2 s, 10 s, 5 s, 16 calls, 16 MiB; every request is one call, nothing is repeated, remembered
    /// or refused. What a configured source gets is [`Policy::standard`].
    fn default() -> Self {
        let none = Duration::ZERO;
        Policy {
            connect_timeout: Duration::from_secs(2),
            total_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(5),
            concurrency: 16,
            max_body_bytes: 16 * 1024 * 1024,
            rates: Vec::new(),
            retry: Retry {
                repeats: 0,
                first_wait: Duration::from_millis(100),
                longest_wait: Duration::from_secs(2),
                budget_percent: 10,
            },
            breaker: Breaker { failures: 0, open_for: Duration::from_secs(10) },
            share: false,
            cache: Cache {
                lists: none,
                details: none,
                revisions: none,
                catalogues: none,
                stale: none,
                max_bytes: 8 << 20,
            },
            network: Network::default(),
        }
    }
}

impl Policy {
    /// How many calls of any kind the source takes a minute, where a quota is known.
    pub fn calls_per_minute(&self) -> Option<u32> {
        self.rates.iter().filter(|rate| rate.operations.is_none()).map(|rate| rate.per_minute).min()
    }

    /// What a source gets unless its settings say otherwise: repetitions, a breaker, one call for identical requests, and
    /// short memories. Twelve mebibytes each: five sources then remember some sixty, and none can push out another's.
    pub fn standard() -> Self {
        let plain = Policy::default();
        Policy {
            retry: Retry { repeats: 2, ..plain.retry },
            breaker: Breaker { failures: 5, ..plain.breaker },
            share: true,
            cache: Cache {
                lists: Duration::from_secs(2),
                details: Duration::from_secs(30),
                revisions: Duration::from_secs(60 * 60),
                catalogues: Duration::from_secs(5 * 60),
                stale: Duration::from_secs(10 * 60),
                ..plain.cache
            },
            ..plain
        }
    }
}
