//! Keys: a standard one, which is sent, and an advanced one, which signs each request.

use crate::sandbox::wire::{Reply, Request};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

/// How far a request's time may be from ours, in milliseconds.
const SKEW_MS: i64 = 5 * 60 * 1_000;
const STANDARD_ID: &str = "1";
const ADVANCED_ID: &str = "2";

/// All valid keys.
pub(super) struct Keys {
    standard: String,
    advanced: String,
    /// Nonces that were used, with the time that they were sent with.
    nonces: Mutex<HashMap<String, i64>>,
}

impl Keys {
    pub(super) fn new(seed: u64) -> Keys {
        // Known to everybody: the key of a sandbox opens nothing else.
        let standard = format!("sandbox-standard-key-{seed}");
        Keys { standard, advanced: hex(&format!("sandbox advanced key {seed}")), nonces: Mutex::default() }
    }

    /// Number and text of the key that signs.
    pub(super) fn advanced(&self) -> (&str, &str) {
        (ADVANCED_ID, &self.advanced)
    }

    /// Whether a request comes from somebody. `now_ms`: milliseconds since 1970.
    pub(super) fn check(&self, request: &Request, now_ms: i64) -> Result<(), Reply> {
        let sent = request.header("authorization").unwrap_or_default();
        match request.header("x-xdr-auth-id") {
            Some(STANDARD_ID) if sent == self.standard => Ok(()),
            Some(ADVANCED_ID) => self.signed(request, sent, now_ms).ok_or_else(refused_advanced),
            _ => Err(refused_standard()),
        }
    }

    fn signed(&self, request: &Request, sent: &str, now_ms: i64) -> Option<()> {
        let (nonce, timestamp) = (request.header("x-xdr-nonce")?, request.header("x-xdr-timestamp")?);
        let time: i64 = timestamp.parse().ok()?;
        let fits = nonce.len() == 64 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !fits || (now_ms - time).abs() > SKEW_MS || sent != hex(&format!("{}{nonce}{timestamp}", self.advanced)) {
            return None;
        }
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        if nonces.len() > 100_000 {
            nonces.retain(|_, time| (now_ms - *time).abs() <= SKEW_MS);
        }
        nonces.insert(nonce.to_owned(), time).is_none().then_some(())
    }
}

/// An empty body, as recorded for a wrong standard key.
pub(super) fn refused_standard() -> Reply {
    Reply::new(401, "", "")
}

/// As recorded for a wrong signature.
fn refused_advanced() -> Reply {
    let reply = json!({ "err_code": 401, "err_msg": "Public API request unauthorized", "err_extra": null });
    Reply::json(401, &json!({ "reply": reply })).with("x-public-api-body", "1")
}

fn hex(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
