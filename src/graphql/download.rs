//! Addresses under the gateway from which files are streamed: signed, so that only what was offered can be fetched.
//!
//! The token in the address is base64url of a JSON text (when it ends, for whom, which source, which file) and 16 bytes of
//! an HMAC-SHA-256 over it. Nothing is kept, so an address holds across restarts and for every gateway with the same key.

mod wire;

use super::{
    error::{ErrorCode, Fault},
    session::Session,
};
use crate::{
    domain::{CredentialScope, Key, SourceName, Time},
    source::DownloadRequest,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// Makes and reads such addresses.
pub(crate) struct Downloads {
    key: [u8; 32],
    /// Where clients reach the gateway: `http://127.0.0.1:8080`, without a slash at the end.
    base: String,
}

/// What an address stands for.
#[derive(Debug)]
pub(crate) struct Offer {
    pub source: SourceName,
    pub request: DownloadRequest,
}

const SIGNATURE: usize = 16;
const VALID_HOURS: i64 = 1;

impl Downloads {
    pub(crate) fn new(key: [u8; 32], base: String) -> Self {
        Downloads { key, base: base.trim_end_matches('/').to_owned() }
    }

    /// The address of a file, for the caller of this session only.
    pub(crate) fn url(&self, source: &SourceName, request: &DownloadRequest, session: &Session) -> String {
        let until = session.call.now + TimeDelta::hours(VALID_HOURS);
        let scope = session.call.caller.scope.as_str();
        let token = self.token(source, request, scope, until);
        format!("{}/download/{token}", self.base)
    }

    /// The address of the file kept with a piece of evidence.
    pub(crate) fn attachment(&self, evidence: &Key, session: &Session) -> String {
        let request = DownloadRequest::Attachment { evidence: evidence.native.clone() };
        self.url(&evidence.source, &request, session)
    }

    fn token(&self, source: &SourceName, request: &DownloadRequest, scope: &str, until: Time) -> String {
        let text = json!({
            "until": until.timestamp(),
            "scope": scope,
            "source": source.as_str(),
            "file": wire::to_json(request),
        })
        .to_string();
        let mut bytes = text.into_bytes();
        let signature = self.sign(&bytes);
        bytes.extend_from_slice(&signature);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a token stands for, if this gateway made it for this caller and it has not ended.
    pub(crate) fn offer(&self, token: &str, scope: &CredentialScope, now: Time) -> Result<Offer, Fault> {
        let refuse = |what: &'static str| Fault::new(ErrorCode::NotFound, what);
        let parsed = self.parse(token);
        let (text, made_for, until) = parsed.ok_or_else(|| refuse("This address was not made by this gateway."))?;
        if made_for != scope.as_str() {
            return Err(refuse("This address was made for another caller."));
        }
        if until < now.timestamp() {
            return Err(refuse("This address has ended; ask for it again."));
        }
        let request = wire::from_json(&text["file"]);
        match (request, text["source"].as_str()) {
            (Some(request), Some(source)) => Ok(Offer { source: SourceName::new(source), request }),
            _ => Err(refuse("This address is of another release of the gateway; ask for it again.")),
        }
    }

    fn parse(&self, token: &str) -> Option<(Value, String, i64)> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (text, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE)?)?;
        self.mac(text).verify_truncated_left(signature).ok()?;
        let value: Value = serde_json::from_slice(text).ok()?;
        let scope = value["scope"].as_str()?.to_owned();
        let until = value["until"].as_i64()?;
        Some((value, scope, until))
    }

    fn mac(&self, text: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length will do");
        // Sets these signatures apart from others made with the same key.
        mac.update(b"download\0");
        mac.update(text);
        mac
    }

    fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.mac(text).finalize().into_bytes()[..SIGNATURE].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ExportFormat, NativeId};

    fn offer(downloads: &Downloads, token: &str, scope: &str, now: &str) -> Result<Offer, Fault> {
        downloads.offer(token, &CredentialScope::new(scope), now.parse().unwrap())
    }

    #[test]
    fn an_address_serves_only_what_was_offered_to_whom_it_was_offered_in_its_time() {
        let downloads = Downloads::new([7; 32], "http://127.0.0.1:1/".into());
        let request = DownloadRequest::Report { format: ExportFormat::Pdf, incident: NativeId::new("x/../y") };
        let until: Time = "2026-01-01T01:00:00Z".parse().unwrap();
        let token = downloads.token(&SourceName::new("grc"), &request, "me", until);
        let made = offer(&downloads, &token, "me", "2026-01-01T00:59:59Z").unwrap();
        assert_eq!((made.source.as_str(), made.request), ("grc", request));
        for (scope, now) in [("you", "2026-01-01T00:00:00Z"), ("me", "2026-01-01T01:00:01Z")] {
            assert_eq!(offer(&downloads, &token, scope, now).unwrap_err().code, ErrorCode::NotFound);
        }
        let other = Downloads::new([8; 32], String::new());
        assert!(offer(&other, &token, "me", "2026-01-01T00:00:00Z").is_err());
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert!(offer(&downloads, &changed, "me", "2026-01-01T00:00:00Z").is_err(), "byte {index}");
        }
    }
}
