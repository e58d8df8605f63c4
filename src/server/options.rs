//! What can be set about the door.

use std::time::Duration;

/// Limits of connections and bodies, and the names that the gateway answers to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerOptions {
    /// Host names and addresses, beside those of loopback, that requests may name; without port, letter case is ignored.
    pub public_hosts: Vec<String>,
    /// Longest time from the first byte of a request's head to its last; a new connection has this long for all of it.
    pub head_timeout: Duration,
    /// Longest time for a request's body.
    pub body_timeout: Duration,
    /// How long a connection may rest between requests, and how long a client may take nothing of its answer.
    pub idle_timeout: Duration,
    /// How long requests in flight have after the gateway was told to stop.
    pub stop_timeout: Duration,
    /// Most connections at one time.
    pub max_connections: usize,
    /// Longest body of a request, in bytes.
    pub max_body_bytes: usize,
}

impl Default for ServerOptions {
    /// Loopback only; 10 s, 20 s, 60 s, 10 s; 1,024 connections; 1 MiB.
    fn default() -> Self {
        ServerOptions {
            public_hosts: Vec::new(),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(60),
            stop_timeout: Duration::from_secs(10),
            max_connections: 1_024,
            max_body_bytes: 1024 * 1024,
        }
    }
}
