//! A token that expires: fetched at first use, renewed before its end and after a 401, once for however many wait for it.

use super::credential::{AfterRejection, Credential, Login, SessionToken};
use super::error::{UpstreamError, UpstreamErrorKind};
use super::wire::Wire;
use crate::telemetry::events;
use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A use prolongs a token only when its last refresh is longer ago than this (seen at one vendor; harmless where
/// a vendor prolongs at every use).
const REFRESH_EVERY: Duration = Duration::from_secs(60);

/// Renewed this long before the end, or in the last quarter of a life too short for that. Longer than [`REFRESH_EVERY`]:
/// the vendor may have seen a use as just too early to prolong where we saw it as late enough.
const MARGIN: Duration = Duration::from_secs(90);

/// How long a refused login answers for all who ask: a hundred waiters must not try a wrong password a hundred times, and a
/// corrected one should soon be tried. One that failed on the way answers only for those who waited for it: the next may do
/// better, and how often that is tried is for retry and breaker to say.
const FAILURE_KEPT: Duration = Duration::from_secs(5);

/// A credential with a life, got by a vendor's [`Login`].
pub struct Session {
    login: Box<dyn Login>,
    state: Mutex<State>,
    /// Held by the one who logs in; the others queue here and find its result.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    failure: Option<Failure>,
    /// Logins that ended, well or not.
    ended: u64,
    /// A token was refused since the last one was fetched.
    replacing: bool,
}

struct Failure {
    error: UpstreamError,
    since: Instant,
    /// The number of the login.
    login: u64,
}

struct Token {
    headers: HeaderMap,
    granted: Instant,
    refreshed: Instant,
    sliding: Duration,
    absolute: Duration,
    /// Came in place of a refused one, and was not taken yet: if it is refused as well, another will not do better.
    replacement: bool,
}

impl Token {
    fn new(token: SessionToken, now: Instant, replacement: bool) -> Self {
        let mut header = token.header;
        header.set_sensitive(true);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, header)]);
        let (sliding, absolute) = (token.sliding, token.absolute);
        Token { headers, granted: now, refreshed: now, sliding, absolute, replacement }
    }

    fn left(&self, now: Instant) -> Duration {
        let unused = self.sliding.saturating_sub(now - self.refreshed);
        unused.min(self.absolute.saturating_sub(now - self.granted))
    }

    fn is_ageing(&self, now: Instant) -> bool {
        self.left(now) <= MARGIN.min(self.sliding.min(self.absolute) / 4)
    }

    fn used(&mut self, now: Instant) -> HeaderMap {
        if now - self.refreshed > REFRESH_EVERY {
            self.refreshed = now;
        }
        self.headers.clone()
    }
}

impl State {
    /// What can be said without asking the vendor to one who came when `ended` logins had ended; none means that somebody must
    /// log in.
    fn known(&mut self, now: Instant, ended: u64) -> Option<Result<HeaderMap, UpstreamError>> {
        let token = self.token.as_mut().filter(|token| !token.left(now).is_zero());
        let failure = self.failure.as_ref().filter(|failure| now - failure.since < FAILURE_KEPT);
        match (token, failure) {
            (Some(token), None) if token.is_ageing(now) => None,
            // An old token that still lives is better than a failed renewal.
            (Some(token), _) => Some(Ok(token.used(now))),
            (None, Some(Failure { error, login, .. })) if *login > ended || is_final(error.kind()) => {
                Some(Err(error.echo()))
            }
            (None, _) => None,
        }
    }

    /// Remembers how a login ended and says what follows for the one who made it.
    fn settle(
        &mut self,
        outcome: Result<SessionToken, UpstreamError>,
        now: Instant,
    ) -> Result<HeaderMap, UpstreamError> {
        self.ended += 1;
        match outcome {
            Ok(token) => {
                let replacement = std::mem::take(&mut self.replacing);
                self.failure = None;
                Ok(self.token.insert(Token::new(token, now, replacement)).used(now))
            }
            Err(error) => {
                self.fail(error.clone(), now);
                let token = self.token.as_mut().filter(|token| !token.left(now).is_zero());
                token.map(|token| token.used(now)).ok_or(error)
            }
        }
    }

    fn fail(&mut self, error: UpstreamError, now: Instant) {
        // No time, or no room in a quota before its end, is the failure of the one who asked, not of the login.
        if !matches!(error.kind(), UpstreamErrorKind::Deadline | UpstreamErrorKind::RateLimited) {
            self.failure = Some(Failure { error, since: now, login: self.ended });
        }
    }
}

/// Whether another login would end in the same way.
fn is_final(kind: UpstreamErrorKind) -> bool {
    match kind {
        UpstreamErrorKind::Connect
        | UpstreamErrorKind::Timeout
        | UpstreamErrorKind::Deadline
        | UpstreamErrorKind::Lost
        | UpstreamErrorKind::Cut
        | UpstreamErrorKind::LoginFailed(_)
        | UpstreamErrorKind::RateLimited
        | UpstreamErrorKind::CircuitOpen => false,
        UpstreamErrorKind::Tls
        | UpstreamErrorKind::TooLarge
        | UpstreamErrorKind::Protocol
        | UpstreamErrorKind::CredentialRefused
        | UpstreamErrorKind::SecondFactorPending
        | UpstreamErrorKind::Internal => true,
    }
}

impl Session {
    /// Nothing is sent before the first use.
    pub fn new(login: impl Login + 'static) -> Self {
        Session { login: Box::new(login), state: Mutex::default(), turn: tokio::sync::Mutex::new(()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn current(&self, wire: &Wire) -> Result<HeaderMap, UpstreamError> {
        let ended = {
            let mut state = self.state();
            let ended = state.ended;
            match state.known(Instant::now(), ended) {
                Some(known) => return known,
                None => ended,
            }
        };
        let _turn = self.turn.lock().await;
        if let Some(known) = self.state().known(Instant::now(), ended) {
            return known;
        }
        // If this future is dropped here, its turn goes to the next one, who logs in itself.
        let outcome = self.login.login(wire).await;
        match &outcome {
            Ok(_) => events::credential_renewed(wire.source(), wire.request_id()),
            Err(error) => events::credential_failed(wire.source(), error.kind().as_str(), wire.request_id()),
        }
        self.state().settle(outcome, Instant::now())
    }
}

impl Credential for Session {
    fn headers<'a>(&'a self, wire: &'a Wire) -> BoxFuture<'a, Result<HeaderMap, UpstreamError>> {
        Box::pin(self.current(wire))
    }

    fn rejected(&self, used: &HeaderMap) -> AfterRejection {
        let mut state = self.state();
        // Fifty calls may come back with the same refused token: only the first finds it still in place.
        if let Some(token) = state.token.take_if(|token| token.headers == *used) {
            state.replacing = true;
            if token.replacement {
                let now = Instant::now();
                if now - token.granted < FAILURE_KEPT {
                    let error = UpstreamError::new(UpstreamErrorKind::CredentialRefused, "login");
                    state.fail(error.with_detail("a new token was refused as well"), now);
                }
            }
        }
        AfterRejection::Renew
    }

    fn accepted(&self, used: &HeaderMap) {
        if let Some(token) = self.state().token.as_mut().filter(|token| token.replacement && token.headers == *used) {
            token.replacement = false;
        }
    }
}
