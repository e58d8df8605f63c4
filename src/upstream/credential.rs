//! How a source knows that it is us. A credential gives headers for each attempt, and hears when they were refused.

use super::error::UpstreamError;
use super::wire::Wire;
use futures_util::future::{self, BoxFuture};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// Proves who we are.
pub trait Credential: Send + Sync {
    /// The headers for one attempt; asked anew for each, so that signatures with a time or a nonce are possible.
    /// May call the vendor through `wire`. Fails with the kind that tells why there is none.
    fn headers<'a>(&'a self, wire: &'a Wire) -> BoxFuture<'a, Result<HeaderMap, UpstreamError>>;

    /// The vendor answered 401 to `used`. Says whether asking for headers again could help.
    fn rejected(&self, used: &HeaderMap) -> AfterRejection;

    /// The vendor took `used`: it answered something else than 401.
    fn accepted(&self, _used: &HeaderMap) {}
}

/// Whether a refused attempt is worth repeating with new headers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AfterRejection {
    /// Ask for headers again and repeat the attempt, once.
    Renew,
    /// There is nothing else to offer.
    GiveUp,
}

/// A header that never changes: a long-lived token or an API key.
pub struct Static {
    headers: HeaderMap,
}

impl Static {
    /// `value` is marked as sensitive.
    pub fn new(name: HeaderName, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        Static { headers: HeaderMap::from_iter([(name, value)]) }
    }
}

impl Credential for Static {
    fn headers<'a>(&'a self, _wire: &'a Wire) -> BoxFuture<'a, Result<HeaderMap, UpstreamError>> {
        Box::pin(future::ready(Ok(self.headers.clone())))
    }

    fn rejected(&self, _used: &HeaderMap) -> AfterRejection {
        AfterRejection::GiveUp
    }
}

/// How a vendor gives tokens; the vendor's half of [`super::Session`].
pub trait Login: Send + Sync {
    /// Asks the vendor for a new token. Fails with `CredentialRefused` or `SecondFactorPending` when the vendor said so,
    /// `Protocol` when its answer has no token, else with the error of the call.
    fn login<'a>(&'a self, wire: &'a Wire) -> BoxFuture<'a, Result<SessionToken, UpstreamError>>;
}

/// A token as the vendor gave it.
pub struct SessionToken {
    /// The whole value of `Authorization`, the scheme included.
    pub header: HeaderValue,
    /// How long it lives without being used. The same as `absolute` when use does not prolong it.
    pub sliding: Duration,
    /// How long it lives however much it is used.
    pub absolute: Duration,
}
