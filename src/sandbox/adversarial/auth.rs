//! `POST /v1/oauth/token` and the tokens it gives: access for 15 minutes, refresh for 7 days and one use (RFC 6749; the
//! vendor's page on credential service accounts, and its own client).

use crate::sandbox::random::Random;
use crate::sandbox::wire::{Reply, Request};
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;

const ACCESS: Duration = Duration::from_secs(15 * 60);
const REFRESH: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The one service account and its tokens, each with its end.
pub(super) struct Tokens {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    random: Random,
    access: HashMap<String, Duration>,
    refresh: HashMap<String, Duration>,
}

impl Tokens {
    pub(super) fn new(seed: u64) -> Tokens {
        let mut random = Random::of(seed, "adversarial tokens", 0);
        let (client_id, client_secret) =
            (format!("arm_sa_{}", random.uuid().simple()), format!("arm_sk_{}", random.uuid().simple()));
        Tokens { client_id, client_secret, random, access: HashMap::new(), refresh: HashMap::new() }
    }

    /// Whether a request carries a living access token.
    pub(super) fn admits(&self, request: &Request, now: Duration) -> bool {
        bearer(request).and_then(|token| self.access.get(token)).is_some_and(|end| now < *end)
    }

    /// Ends the access token that a request carries.
    pub(super) fn expire(&mut self, request: &Request) {
        if let Some(token) = bearer(request) {
            self.access.remove(token);
        }
    }

    /// Gives a pair of tokens, or says why not.
    pub(super) fn grant(&mut self, request: &Request, now: Duration) -> Reply {
        let form = request.header("content-type").unwrap_or_default().starts_with("application/x-www-form-urlencoded");
        if !form {
            return Reply::json(415, &json!({ "error": "Bad Request" }));
        }
        let fields: HashMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        if field("client_id") != self.client_id || field("client_secret") != self.client_secret {
            return Reply::json(401, &json!({ "error": "invalid_client" }));
        }
        match field("grant_type") {
            "client_credentials" => self.pair(now),
            // A refresh token is good for one use: the pair rotates.
            "refresh_token" => match self.refresh.remove(field("refresh_token")) {
                Some(end) if now < end => self.pair(now),
                _ => Reply::json(400, &json!({ "error": "invalid_grant" })),
            },
            _ => Reply::json(400, &json!({ "error": "unsupported_grant_type" })),
        }
    }

    fn pair(&mut self, now: Duration) -> Reply {
        let mut token = || format!("sandbox.{}.jwt", self.random.uuid().simple());
        let (access, refresh) = (token(), token());
        let answer = json!({
            "access_token": access, "refresh_token": refresh, "token_type": "Bearer",
            "expires_in": ACCESS.as_secs(), "scope": "incidents:read incidents:write",
        });
        self.access.retain(|_, end| now < *end);
        self.access.insert(access, now + ACCESS);
        self.refresh.insert(refresh, now + REFRESH);
        Reply::json(200, &answer)
    }
}

fn bearer(request: &Request) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}
