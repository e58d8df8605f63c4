//! The policy of a source as settings.

use super::policy::{Breaker, Cache, Network, Policy, Rate, Retry};
use crate::settings::{Table, boolean, duration_ms, number, path, url};
use std::fs::File;

impl Policy {
    /// Reads, and thereby declares, the settings, with the defaults of [`Policy::standard`].
    pub fn declare(table: &mut Table<'_, '_>) -> Self {
        Self::declare_over(table, Policy::standard())
    }

    /// Reads, and thereby declares, the settings; `default` is what holds without them, quotas of the vendor included.
    pub fn declare_over(table: &mut Table<'_, '_>, default: Policy) -> Self {
        let connect_timeout = table.or(
            "connect_timeout_ms",
            "Longest time to make a connection, TLS included.",
            duration_ms(1..=60_000),
            default.connect_timeout,
        );
        let total_timeout = table.or(
            "total_timeout_ms",
            "Longest time for one call, from sending to the last byte; for a download, to the head of the answer.",
            duration_ms(1..=600_000),
            default.total_timeout,
        );
        let idle_timeout = table.or(
            "idle_timeout_ms",
            "Longest silence between two pieces of an answer.",
            duration_ms(1..=600_000),
            default.idle_timeout,
        );
        let concurrency = count(table.or(
            "concurrency",
            "Calls in flight at once; more wait.",
            number(1..=1_024),
            default.concurrency as u64,
        ));
        let max_body_bytes = count(table.or(
            "max_body_bytes",
            "Longest answer that is read, in bytes; downloads are passed on and not limited.",
            number(1_024..=1_073_741_824),
            default.max_body_bytes as u64,
        ));
        let rates = rates(table, default.rates);
        let share = table.or(
            "share_calls",
            "Whether requests that ask exactly the same at the same time, with the same rights, are one call.",
            boolean(),
            default.share,
        );
        let retry =
            table.section("retry", "Repetitions of reads that failed.", |table| Retry::declare(table, default.retry));
        let doc = "When a source that fails time after time is left in peace.";
        let breaker = table.section("breaker", doc, |table| Breaker::declare(table, default.breaker));
        let doc = "How long answers are remembered, by the exact request and the rights of the one who asked.";
        let cache = table.section("cache", doc, |table| Cache::declare(table, default.cache));
        let network = table.section("network", "How the source is reached.", Network::declare);
        Policy {
            connect_timeout,
            total_timeout,
            idle_timeout,
            concurrency,
            max_body_bytes,
            rates,
            retry,
            breaker,
            share,
            cache,
            network,
        }
    }
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The quota over all operations is a setting; those of single operations are the vendor's.
fn rates(table: &mut Table<'_, '_>, default: Vec<Rate>) -> Vec<Rate> {
    let doc = "Calls within any minute, logins included; more wait, but not longer than their request's deadline.";
    let (of_all, mut rates): (Vec<Rate>, Vec<Rate>) = default.into_iter().partition(|rate| rate.operations.is_none());
    let kind = number(1..=1_000_000);
    let per_minute = match of_all.first() {
        Some(rate) => Some(table.or("requests_per_minute", doc, kind, u64::from(rate.per_minute))),
        None => table.optional("requests_per_minute", doc, kind),
    };
    rates.extend(per_minute.map(|number| Rate::of_all(u32::try_from(number).unwrap_or(u32::MAX))));
    rates
}

impl Retry {
    fn declare(table: &mut Table<'_, '_>, default: Retry) -> Self {
        let repeats = table.or(
            "repeats",
            "How often at most a read is repeated that got no answer, or 429, 502, 503 or 504; 0: never. Writes are never \
             repeated.",
            number(0..=10),
            u64::from(default.repeats),
        );
        let first_wait = table.or(
            "first_wait_ms",
            "Longest wait before the first repetition, doubled for each further one; the wait itself is random.",
            duration_ms(1..=60_000),
            default.first_wait,
        );
        let longest_wait = table.or(
            "longest_wait_ms",
            "No wait is longer. If the source asks for more, the client is told so instead.",
            duration_ms(1..=60_000),
            default.longest_wait,
        );
        let budget = table.or(
            "budget_percent",
            "Repetitions may be this share of all calls, after the first ten.",
            number(0..=100),
            u64::from(default.budget_percent),
        );
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Retry { repeats: small(repeats), first_wait, longest_wait, budget_percent: small(budget) }
    }
}

impl Breaker {
    fn declare(table: &mut Table<'_, '_>, default: Breaker) -> Self {
        let failures = table.or(
            "failures",
            "After so many calls in a row without an answer, or with one of 500 to 599, nothing is sent for a while; 0: \
             never.",
            number(0..=1_000),
            u64::from(default.failures),
        );
        let open_for = table.or(
            "open_ms",
            "For how long; then one call tries whether the source is back.",
            duration_ms(100..=600_000),
            default.open_for,
        );
        Breaker { failures: u32::try_from(failures).unwrap_or(u32::MAX), open_for }
    }
}

impl Cache {
    fn declare(table: &mut Table<'_, '_>, default: Cache) -> Self {
        let day = 86_400_000;
        let lists = "Pages of lists, and counts; 0: not at all.";
        let details = "Records by id; 0: not at all.";
        let revisions = "Records by id, where the source told their time of modification before; a record that was modified since is \
                         asked for anew. 0: not at all.";
        let catalogues = "What hardly ever changes, as people and vocabularies; 0: not at all.";
        let stale = "How much older a remembered answer may be that stands in while the source is not there; the report says \
                     `STALE` then. 0: none stands in.";
        Cache {
            lists: table.or("lists_ms", lists, duration_ms(0..=day), default.lists),
            details: table.or("details_ms", details, duration_ms(0..=day), default.details),
            revisions: table.or("revisions_ms", revisions, duration_ms(0..=day), default.revisions),
            catalogues: table.or("catalogues_ms", catalogues, duration_ms(0..=day), default.catalogues),
            stale: table.or("stale_ms", stale, duration_ms(0..=day), default.stale),
            max_bytes: count(table.or(
                "max_bytes",
                "Most memory for the answers of this source, in bytes; those used longest ago go first.",
                number(0..=17_179_869_184),
                default.max_bytes as u64,
            )),
        }
    }
}

impl Network {
    fn declare(table: &mut Table<'_, '_>) -> Self {
        let network = Network {
            ca_file: table.optional(
                "ca_file",
                "File with PEM certificates of the authorities that are trusted for this source, instead of the system's.",
                path(),
            ),
            client_certificate: table.optional(
                "client_certificate",
                "File with the certificate that the gateway shows, and its private key, both as PEM.",
                path(),
            ),
            proxy: table.optional(
                "proxy",
                "HTTP proxy for all calls to this source. Those of the environment are ignored.",
                url(),
            ),
        };
        for (name, file) in [("ca_file", &network.ca_file), ("client_certificate", &network.client_certificate)] {
            if let Some(Err(error)) = file.as_ref().map(File::open) {
                table.mistake(name, format!("names a file that cannot be read: {error}."));
            }
        }
        network
    }
}
