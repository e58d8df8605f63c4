//! How the server takes us for somebody: a standard key as it is, or an advanced key that is never sent.
//!
//! With an advanced key every attempt carries a nonce, the time and a hash over key, nonce and time, so that what was
//! overheard is of no use.

use super::config::{Config, KeyKind};
use crate::{
    secret::Secret,
    upstream::{
        AfterRejection, Credential, UpstreamError, UpstreamErrorKind, Wire,
        header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
    },
};
use chrono::Utc;
use futures_util::future::{self, BoxFuture};
use sha2::{Digest, Sha256};
use std::{fmt::Write, sync::Arc};

const OPERATION: &str = "sign";
const KEY_ID: HeaderName = HeaderName::from_static("x-xdr-auth-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-xdr-timestamp");
const NONCE: HeaderName = HeaderName::from_static("x-xdr-nonce");
/// As the vendor's own clients make it.
const NONCE_CHARS: usize = 64;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Fills a buffer with unpredictable bytes; false when there are none.
pub type Random = Box<dyn Fn(&mut [u8]) -> bool + Send + Sync>;

/// Where signatures get their time and their chance from.
pub struct Surroundings {
    /// Milliseconds since 1970.
    pub now_ms: Box<dyn Fn() -> i64 + Send + Sync>,
    pub random: Random,
}

impl Default for Surroundings {
    /// The system's.
    fn default() -> Self {
        Surroundings {
            now_ms: Box::new(|| Utc::now().timestamp_millis()),
            random: Box::new(|bytes| getrandom::fill(bytes).is_ok()),
        }
    }
}

/// What proves to the server who we are.
pub(super) fn proof(config: &Config, surroundings: Surroundings) -> Arc<dyn Credential> {
    Arc::new(Proof { kind: config.key_kind, id: config.key_id.clone(), key: config.key.clone(), surroundings })
}

struct Proof {
    kind: KeyKind,
    id: String,
    key: Secret,
    surroundings: Surroundings,
}

impl Proof {
    fn headers(&self) -> Result<HeaderMap, UpstreamError> {
        let key = self.key.expose().trim();
        let mut headers = HeaderMap::new();
        headers.insert(KEY_ID, value(self.id.trim())?);
        match self.kind {
            KeyKind::Standard => drop(headers.insert(AUTHORIZATION, value(key)?)),
            KeyKind::Advanced => {
                let nonce = nonce(&*self.surroundings.random)?;
                let timestamp = (self.surroundings.now_ms)().to_string();
                headers.insert(AUTHORIZATION, value(&signature(key, &nonce, &timestamp))?);
                headers.insert(TIMESTAMP, value(&timestamp)?);
                headers.insert(NONCE, value(&nonce)?);
            }
        }
        Ok(headers)
    }
}

impl Credential for Proof {
    fn headers<'a>(&'a self, _wire: &'a Wire) -> BoxFuture<'a, Result<HeaderMap, UpstreamError>> {
        Box::pin(future::ready(self.headers()))
    }

    /// A new nonce and a new time prove nothing that the refused ones did not.
    fn rejected(&self, _used: &HeaderMap) -> AfterRejection {
        AfterRejection::GiveUp
    }
}

/// SHA-256 over the three, one after the other, in lower-case hexadecimal.
fn signature(key: &str, nonce: &str, timestamp: &str) -> String {
    let digest = Sha256::new().chain_update(key).chain_update(nonce).chain_update(timestamp).finalize();
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all text");
        text
    })
}

fn nonce(random: &dyn Fn(&mut [u8]) -> bool) -> Result<String, UpstreamError> {
    let mut nonce = String::with_capacity(NONCE_CHARS);
    // A byte is taken with a chance of 31 in 32: the second round is rare, a tenth means that there is no chance in it.
    for _ in 0..10 {
        let mut bytes = [0u8; NONCE_CHARS + 16];
        if !random(&mut bytes) {
            break;
        }
        // The bytes from 248 on would make some characters likelier than others.
        let even = bytes.into_iter().filter(|byte| *byte < 248);
        nonce.extend(even.map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()])));
        if nonce.len() >= NONCE_CHARS {
            nonce.truncate(NONCE_CHARS);
            return Ok(nonce);
        }
    }
    Err(UpstreamError::new(UpstreamErrorKind::Internal, OPERATION).with_detail("the system gives no random bytes"))
}

fn value(text: &str) -> Result<HeaderValue, UpstreamError> {
    let broken = |_| {
        UpstreamError::new(UpstreamErrorKind::CredentialRefused, OPERATION)
            .with_detail("the key or its id holds characters that no header takes")
    };
    let mut value = HeaderValue::from_str(text).map_err(broken)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(kind: KeyKind, key: &str, random: u8) -> Result<HeaderMap, UpstreamError> {
        let surroundings = Surroundings {
            now_ms: Box::new(|| 1_700_000_000_123),
            random: Box::new(move |bytes| {
                bytes.fill(random);
                true
            }),
        };
        Proof { kind, id: "7".into(), key: Secret::from(key.to_owned()), surroundings }.headers()
    }

    fn text(headers: &HeaderMap, name: &str) -> String {
        headers[name].to_str().unwrap().to_owned()
    }

    /// By hand, in a shell:
    /// `printf 'top-secret%s1700000000123' "$(printf 'B%.0s' $(seq 64))" | sha256sum`
    #[test]
    fn an_advanced_key_signs_as_computed_by_hand() {
        let headers = headers(KeyKind::Advanced, "top-secret", 1).unwrap();
        assert_eq!(text(&headers, "x-xdr-nonce"), "B".repeat(64));
        assert_eq!(text(&headers, "x-xdr-timestamp"), "1700000000123");
        assert_eq!(text(&headers, "x-xdr-auth-id"), "7");
        let signature = "68830f34f0620f80d3aad6cec897373d6514f012619b7540ac6bbba8bb24f76b";
        assert_eq!(text(&headers, "authorization"), signature);
        assert!(headers.values().all(HeaderValue::is_sensitive));
    }

    #[test]
    fn a_standard_key_is_sent_as_it_is() {
        let headers = headers(KeyKind::Standard, " top-secret\n", 1).unwrap();
        assert_eq!(
            (text(&headers, "authorization"), text(&headers, "x-xdr-auth-id")),
            ("top-secret".into(), "7".into())
        );
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn nonces_are_64_alphanumerics_and_never_alike() {
        let system = Surroundings::default();
        let all: Vec<String> = (0..100).map(|_| nonce(&*system.random).unwrap()).collect();
        assert!(all.iter().all(|nonce| nonce.len() == 64 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric())));
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn without_chance_nothing_is_signed() {
        assert_eq!(nonce(&|_| false).unwrap_err().kind(), UpstreamErrorKind::Internal);
        assert_eq!(headers(KeyKind::Advanced, "k", 255).unwrap_err().kind(), UpstreamErrorKind::Internal);
        assert_eq!(headers(KeyKind::Standard, "a\u{7f}b", 1).unwrap_err().kind(), UpstreamErrorKind::CredentialRefused);
    }
}
