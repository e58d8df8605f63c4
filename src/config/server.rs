//! Settings of the door: hosts and the section `server`.

use crate::server::ServerOptions;
use crate::settings::{Table, duration_ms, host, list, number};

/// Asks for the section `server`; the hosts are asked for by [`public_hosts`].
pub(super) fn declare(table: &mut Table<'_, '_>) -> ServerOptions {
    table.section("server", "Connections and bodies. docs/HTTP.md says what a client sees of them.", connections)
}

/// Asks for the hosts that requests may name.
pub(super) fn public_hosts(table: &mut Table<'_, '_>) -> Vec<String> {
    table.or(
        "public_hosts",
        "Names under which clients reach the gateway, beside those of loopback, which always work, and the host of \
         `public_url`. Requests for others are refused with 421, so that a foreign page cannot pass for the gateway's own \
         (DNS rebinding).",
        list(host()),
        Vec::new(),
    )
}

fn connections(table: &mut Table<'_, '_>) -> ServerOptions {
    let default = ServerOptions::default();
    let head_timeout = table.or(
        "head_timeout_ms",
        "Longest time for the head of a request; a new connection has this long for its first one.",
        duration_ms(10..=600_000),
        default.head_timeout,
    );
    let body_timeout = table.or(
        "body_timeout_ms",
        "Longest time for the body of a request; never longer than `limits.request_timeout_ms`.",
        duration_ms(10..=600_000),
        default.body_timeout,
    );
    let idle_timeout = table.or(
        "idle_timeout_ms",
        "How long a connection may rest between requests, and how long a client may take nothing of its answer.",
        duration_ms(10..=3_600_000),
        default.idle_timeout,
    );
    let stop_timeout = table.or(
        "stop_timeout_ms",
        "How long requests in flight have after the gateway was told to stop.",
        duration_ms(0..=3_600_000),
        default.stop_timeout,
    );
    let max_connections = table.or(
        "max_connections",
        "Most connections at one time. For others, those that rest for longest are ended; where all are at work, they wait.",
        number(1..=65_536),
        default.max_connections as u64,
    );
    let max_body_bytes = table.or(
        "max_body_bytes",
        "Longest body of a request.",
        number(1_024..=16_777_216),
        default.max_body_bytes as u64,
    );
    ServerOptions {
        public_hosts: Vec::new(),
        head_timeout,
        body_timeout,
        idle_timeout,
        stop_timeout,
        max_connections: usize::try_from(max_connections).unwrap_or(usize::MAX),
        max_body_bytes: usize::try_from(max_body_bytes).unwrap_or(usize::MAX),
    }
}
