//! The limits of a conversation with one source. Plain values; the settings reader declares them, [`super::Upstream`] and
//! the transport obey them.

use crate::settings::{Table, duration_ms, number};
use std::time::Duration;

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
}

impl Default for Policy {
    /// 2 s, 10 s, 5 s, 16 calls, 16 MiB.
    fn default() -> Self {
        Policy {
            connect_timeout: Duration::from_secs(2),
            total_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(5),
            concurrency: 16,
            max_body_bytes: 16 * 1024 * 1024,
        }
    }
}

impl Policy {
    /// Reads, and thereby declares, the settings.
    pub fn declare(table: &mut Table<'_, '_>) -> Self {
        let default = Policy::default();
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Policy {
            connect_timeout: table.or(
                "connect_timeout_ms",
                "Longest time to make a connection, TLS included.",
                duration_ms(1..=60_000),
                default.connect_timeout,
            ),
            total_timeout: table.or(
                "total_timeout_ms",
                "Longest time for one call, from sending to the last byte; for a download, to the head of the answer.",
                duration_ms(1..=600_000),
                default.total_timeout,
            ),
            idle_timeout: table.or(
                "idle_timeout_ms",
                "Longest silence between two pieces of an answer.",
                duration_ms(1..=600_000),
                default.idle_timeout,
            ),
            concurrency: count(table.or(
                "concurrency",
                "Calls in flight at once; more wait.",
                number(1..=1_024),
                default.concurrency as u64,
            )),
            max_body_bytes: count(table.or(
                "max_body_bytes",
                "Longest answer that is read, in bytes; downloads are passed on and not limited.",
                number(1_024..=1_073_741_824),
                default.max_body_bytes as u64,
            )),
        }
    }
}
