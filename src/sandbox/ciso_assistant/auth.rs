//! Tokens: how they are obtained, how long they live, who a request comes from.

use crate::sandbox::ciso_assistant::accounts::Account;
use crate::sandbox::ciso_assistant::json::rfc3339;
use crate::sandbox::ciso_assistant::state::{Kind, State};
use crate::sandbox::ciso_assistant::words;
use crate::sandbox::clock::{Clock, Micros};
use crate::sandbox::wire::Reply;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

/// A token that was used so shortly after its last renewal is not renewed again.
const RENEWED_AFTER: Duration = Duration::from_secs(60);
/// More long-lived tokens than this are refused.
const TOKENS_PER_USER: usize = 5;

/// How long a token lives.
enum Life {
    /// Given by the sandbox itself, never ends.
    Endless,
    /// Asked for under a name, with an end.
    Named { name: String, created: Micros, ends: Duration },
    /// From a login: each use extends it, up to an end that nothing moves.
    Sliding { renewed: Duration, absolute_end: Duration },
}

struct Session {
    account: usize,
    life: Life,
}

/// All valid tokens.
pub(super) struct Sessions {
    seed: u64,
    issued: u64,
    lifetime: Duration,
    absolute: Duration,
    tokens: HashMap<String, Session>,
}

impl Sessions {
    pub(super) fn new(seed: u64, lifetime: Duration, absolute: Duration) -> Sessions {
        Sessions { seed, issued: 0, lifetime, absolute, tokens: HashMap::new() }
    }

    fn issue(&mut self, account: usize, life: Life) -> String {
        self.issued += 1;
        let digest = Sha256::digest(format!("sandbox token {} {}", self.seed, self.issued));
        let token = digest.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        self.tokens.insert(token.clone(), Session { account, life });
        token
    }

    /// A token that never ends, for tests and for the first start.
    pub(super) fn endless(&mut self, account: usize) -> String {
        self.issue(account, Life::Endless)
    }

    fn login(&mut self, account: usize, now: Duration) -> String {
        self.issue(account, Life::Sliding { renewed: now, absolute_end: now + self.absolute })
    }

    /// The account of a token, which is renewed by this use if its kind allows.
    pub(super) fn account(&mut self, token: &str, now: Duration) -> Option<usize> {
        let lifetime = self.lifetime;
        let session = self.tokens.get_mut(token)?;
        let alive = match &mut session.life {
            Life::Endless => true,
            Life::Named { ends, .. } => now < *ends,
            Life::Sliding { renewed, absolute_end } => {
                let alive = now < *renewed + lifetime && now < *absolute_end;
                if alive && now > *renewed + RENEWED_AFTER {
                    *renewed = now;
                }
                alive
            }
        };
        let account = session.account;
        if !alive {
            self.tokens.remove(token);
        }
        alive.then_some(account)
    }

    /// Ends a token; one that the sandbox gave itself only when asked by its own owner (logout).
    pub(super) fn end(&mut self, token: &str) {
        self.tokens.remove(token);
    }

    /// Ends a token that came from a login; others have no way to be renewed, so they stay.
    pub(super) fn expire(&mut self, token: &str) {
        if self.tokens.get(token).is_some_and(|session| matches!(session.life, Life::Sliding { .. })) {
            self.tokens.remove(token);
        }
    }

    /// `POST /api/iam/auth-tokens/`
    pub(super) fn create_named(&mut self, account: usize, body: &Map<String, Value>, clock: &Clock) -> Reply {
        let named = |session: &&Session| session.account == account && matches!(session.life, Life::Named { .. });
        if self.tokens.values().filter(named).count() >= TOKENS_PER_USER {
            return Reply::json(400, &json!({ "error": "tokenLimitReached" }));
        }
        let days =
            body.get("expiry").and_then(|days| days.as_u64().or_else(|| days.as_str()?.parse().ok())).unwrap_or(30);
        let life = Duration::from_secs(days.min(36_500) * 86_400);
        let name = body.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let expiry = rfc3339(clock.wall() + life.as_micros() as i64);
        let ends = clock.elapsed() + life;
        let token = self.issue(account, Life::Named { name: name.clone(), created: clock.wall(), ends });
        Reply::json(200, &json!({ "name": name, "expiry": expiry, "token": token }))
    }

    /// `GET /api/iam/auth-tokens/`: a bare array.
    pub(super) fn list_named(&self, account: usize, clock: &Clock) -> Reply {
        let mut rows: Vec<(Micros, Value)> = Vec::new();
        for (token, session) in self.tokens.iter().filter(|(_, session)| session.account == account) {
            if let Life::Named { name, created, ends } = &session.life {
                let expiry = clock.wall() - clock.elapsed().as_micros() as i64 + ends.as_micros() as i64;
                let digest = &token[..8];
                rows.push((
                    *created,
                    json!({ "name": name, "created": rfc3339(*created), "expiry": rfc3339(expiry), "digest": digest }),
                ));
            }
        }
        rows.sort_by_key(|(created, _)| *created);
        Reply::json(200, &Value::Array(rows.into_iter().map(|(_, row)| row).collect()))
    }
}

/// The token of an `Authorization` header, or the detail of a 401.
pub(super) fn token_of(header: Option<&str>) -> Result<&str, &'static str> {
    const NONE: &str = "Authentication credentials were not provided.";
    let mut words = header.unwrap_or_default().split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(scheme), token, third) if scheme.eq_ignore_ascii_case("token") => match (token, third) {
            (Some(token), None) => Ok(token),
            (None, _) => Err("Invalid token header. No credentials provided."),
            (Some(_), Some(_)) => Err("Invalid token header. Token string should not contain spaces."),
        },
        _ => Err(NONE),
    }
}

fn by_password(accounts: &[Account], email: &str, password: &str) -> Option<usize> {
    accounts.iter().position(|account| account.email.eq_ignore_ascii_case(email) && account.password == password)
}

fn text<'a>(body: &'a Map<String, Value>, key: &str) -> &'a str {
    body.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Form A, all releases: `POST /api/_allauth/app/v1/auth/login`, no slash at the end.
pub(super) fn login_a(
    sessions: &mut Sessions,
    accounts: &[Account],
    state: &State,
    clock: &Clock,
    body: &Map<String, Value>,
) -> Reply {
    const NO_STORE: &str = "max-age=0, no-cache, no-store, must-revalidate, private";
    let missing: Vec<Value> = ["email", "password"]
        .into_iter()
        .filter(|key| text(body, key).is_empty())
        .map(|key| json!({ "message": words::REQUIRED, "code": "required", "param": key }))
        .collect();
    if !missing.is_empty() {
        return Reply::json(400, &json!({ "status": 400, "errors": missing })).with("cache-control", NO_STORE);
    }
    let Some(found) = by_password(accounts, text(body, "email"), text(body, "password")) else {
        let message = "The email address and/or password you specified are not correct.";
        let error = json!({ "message": message, "code": "email_password_mismatch", "param": "password" });
        return Reply::json(400, &json!({ "status": 400, "errors": [error] })).with("cache-control", NO_STORE);
    };
    let account = &accounts[found];
    let session_token = format!("session{}", sessions.issued);
    if account.second_factor {
        let flows = json!([{ "id": "login" }, { "id": "mfa_authenticate", "is_pending": true, "types": ["totp", "recovery_codes"] }]);
        let meta = json!({ "is_authenticated": false, "session_token": session_token });
        let body = json!({ "status": 401, "data": { "flows": flows }, "meta": meta });
        return Reply::json(401, &body).with("cache-control", NO_STORE);
    }
    let access_token = sessions.login(found, clock.elapsed());
    let user = json!({
        "id": state.id(Kind::User, account.user).to_string(),
        "display": state.text(Kind::User, account.user),
        "email": account.email,
        "has_usable_password": true,
    });
    let method = json!({ "method": "password", "at": clock.wall() as f64 / 1e6, "email": account.email });
    let meta = json!({ "is_authenticated": true, "session_token": session_token, "access_token": access_token });
    let body = json!({ "status": 200, "data": { "user": user, "methods": [method] }, "meta": meta });
    Reply::json(200, &body).with("cache-control", NO_STORE)
}

/// Form B, older releases only: `POST /api/iam/login/`.
pub(super) fn login_b(
    sessions: &mut Sessions,
    accounts: &[Account],
    clock: &Clock,
    body: &Map<String, Value>,
) -> Reply {
    let mut errors = Map::new();
    for key in ["username", "password"].into_iter().filter(|key| text(body, key).is_empty()) {
        let problem = if body.contains_key(key) { words::BLANK } else { words::REQUIRED };
        errors.insert(key.to_owned(), json!([problem]));
    }
    if !errors.is_empty() {
        return Reply::json(400, &Value::Object(errors));
    }
    match by_password(accounts, text(body, "username"), text(body, "password"))
        .filter(|&found| !accounts[found].second_factor)
    {
        Some(found) => {
            let expiry = rfc3339(clock.wall() + sessions.lifetime.as_micros() as i64);
            let token = sessions.login(found, clock.elapsed());
            Reply::json(200, &json!({ "expiry": expiry, "token": token }))
                .with("set-cookie", "csrftoken=sandbox; Path=/; SameSite=Lax")
                .with("set-cookie", "sessionid=sandbox; HttpOnly; Path=/; SameSite=Lax")
        }
        None => Reply::json(400, &json!({ "non_field_errors": ["Unable to log in with provided credentials."] })),
    }
}
