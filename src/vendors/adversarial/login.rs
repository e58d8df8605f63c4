//! OAuth 2.1 client credentials: an access token for a quarter of an hour, renewed by a refresh token that rotates
//! (`POST /v1/oauth/token`; the vendor's page on service accounts, and its own client for the refresh).
//!
//! [`Session`](crate::upstream::Session) decides when: it renews 90 s before the end, the vendor's own client 60 s.

use super::client::{API, JSON};
use crate::{
    secret::Secret,
    upstream::{
        Login, Method, SessionToken, UpstreamError, UpstreamErrorKind, UpstreamRequest, UpstreamResponse, Wire,
        header::{ACCEPT, CONTENT_TYPE, HeaderValue},
        uri,
    },
    vendors::common::Scalar,
};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

const OPERATION: &str = "login";
/// Documented; where an answer does not say otherwise.
const ACCESS: Duration = Duration::from_secs(15 * 60);
/// Documented: 7 days. An hour less, for the way and the clocks.
const REFRESH: Duration = Duration::from_secs((7 * 24 - 1) * 60 * 60);
/// A token that came by a refresh and has to be replaced so soon was refused: the refresh token is worth no more.
const SUSPICIOUS: Duration = Duration::from_secs(60);

/// The service account.
pub(super) struct ServiceAccount {
    client_id: String,
    client_secret: Secret,
    refresh: Mutex<Refresh>,
}

#[derive(Default)]
struct Refresh {
    /// And when it came.
    token: Option<(Secret, Instant)>,
    /// When it was last used with success.
    used: Option<Instant>,
}

/// What the answer tells; `scope` and `token_type` are not needed.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<Scalar>,
}

impl ServiceAccount {
    pub(super) fn new(client_id: String, client_secret: Secret) -> Self {
        ServiceAccount { client_id, client_secret, refresh: Mutex::default() }
    }

    fn refresh(&self) -> MutexGuard<'_, Refresh> {
        // Nothing under this lock can leave it half changed.
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The refresh token, if it is still good for something. It is taken away before it is sent: whatever becomes of the
    /// call, the vendor may have rotated it.
    fn take(&self) -> Option<Secret> {
        let mut refresh = self.refresh();
        let (token, came) = refresh.token.take()?;
        let suspicious = refresh.used.is_some_and(|used| used.elapsed() < SUSPICIOUS);
        (came.elapsed() < REFRESH && !suspicious).then_some(token)
    }

    async fn grant(&self, wire: &Wire, grant: &[(&str, &str)]) -> Result<UpstreamResponse, UpstreamError> {
        let account = [("client_id", self.client_id.as_str()), ("client_secret", self.client_secret.expose())];
        let mut request = UpstreamRequest::get(OPERATION, format!("{API}/oauth/token"))
            .header(ACCEPT, HeaderValue::from_static(JSON))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
            .unauthenticated();
        (request.method, request.safe) = (Method::Post, false);
        request.body = Some(uri::query(grant.iter().copied().chain(account)).into());
        wire.send(request).await
    }

    /// Keeps the new refresh token and gives the access token.
    fn keep(&self, body: &[u8], refreshed: bool) -> Result<SessionToken, UpstreamError> {
        // The decoder's own words are left out: they may quote the token.
        let answer: Answer = serde_json::from_slice(body).map_err(|_| unusable("its answer holds no token"))?;
        let header = bearer(&answer.access_token)?;
        let now = Instant::now();
        let mut refresh = self.refresh();
        refresh.token = answer.refresh_token.filter(|token| !token.is_empty()).map(|token| (token.into(), now));
        refresh.used = refreshed.then_some(now);
        let told = answer.expires_in.and_then(|Scalar(seconds)| seconds.parse::<f64>().ok());
        let life = told.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).filter(|life| !life.is_zero());
        let life = life.unwrap_or(ACCESS);
        Ok(SessionToken { header, sliding: life, absolute: life })
    }
}

impl Login for ServiceAccount {
    fn login<'a>(&'a self, wire: &'a Wire) -> BoxFuture<'a, Result<SessionToken, UpstreamError>> {
        Box::pin(async move {
            if let Some(token) = self.take() {
                let grant = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
                let answer = self.grant(wire, &grant).await?;
                if answer.is_success() {
                    return self.keep(&answer.body, true);
                }
                // A refresh token that is refused says nothing of the account itself; a server in trouble does.
                if !matches!(answer.status, 400 | 401 | 403) {
                    judge(answer.status)?;
                }
            }
            let answer = self.grant(wire, &[("grant_type", "client_credentials")]).await?;
            judge(answer.status)?;
            self.keep(&answer.body, false)
        })
    }
}

fn judge(status: u16) -> Result<(), UpstreamError> {
    match status {
        200..=299 => Ok(()),
        // Also from an address that is not on the account's list.
        400 | 401 | 403 => Err(UpstreamError::new(UpstreamErrorKind::CredentialRefused, OPERATION)),
        _ => Err(unusable("the server has no login that the gateway knows")),
    }
}

fn unusable(detail: &'static str) -> UpstreamError {
    UpstreamError::new(UpstreamErrorKind::Protocol, OPERATION).with_detail(detail)
}

fn bearer(token: &str) -> Result<HeaderValue, UpstreamError> {
    let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let header = plain.then(|| HeaderValue::from_str(&format!("Bearer {token}")).ok()).flatten();
    header.ok_or_else(|| unusable("the token cannot stand in a header"))
}
