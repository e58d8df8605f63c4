//! How the server takes us for somebody: a token of ours, or e-mail and password for a token of its own.

use super::config::Credential;
use crate::{
    secret::Secret,
    upstream::{
        Credential as Proof, Login, Session, SessionToken, Static, UpstreamError, UpstreamErrorKind, UpstreamRequest,
        Wire,
        header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, HeaderValue},
    },
};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const OPERATION: &str = "login";
/// The one path of the server that has no slash at its end.
const FORM_A: &str = "/api/_allauth/app/v1/auth/login";
const FORM_B: &str = "/api/iam/login/";

/// Defaults of the server's configuration as of v3.15.1; the answers do not tell.
const SLIDING: Duration = Duration::from_secs(3_600);
const ABSOLUTE: Duration = Duration::from_secs(36_000);

/// What proves to the server who we are.
pub(super) fn proof(credential: &Credential) -> Arc<dyn Proof> {
    match credential {
        Credential::Token(token) => match header(token.expose().trim()) {
            Ok(header) => Arc::new(Static::new(AUTHORIZATION, header)),
            Err(_) => Arc::new(Session::new(Unusable)),
        },
        Credential::Password { email, password } => {
            Arc::new(Session::new(Account { email: email.clone(), password: password.clone() }))
        }
    }
}

fn header(token: &str) -> Result<HeaderValue, UpstreamError> {
    let broken =
        || UpstreamError::new(UpstreamErrorKind::Protocol, OPERATION).with_detail("the token cannot stand in a header");
    // What is beyond ASCII could be written, but is read in different ways.
    if token.is_empty() || !token.is_ascii() {
        return Err(broken());
    }
    HeaderValue::from_str(&format!("Token {token}")).map_err(|_| broken())
}

/// A configured token that no header can hold.
struct Unusable;

impl Login for Unusable {
    fn login<'a>(&'a self, _: &'a Wire) -> BoxFuture<'a, Result<SessionToken, UpstreamError>> {
        let error = UpstreamError::new(UpstreamErrorKind::CredentialRefused, OPERATION);
        Box::pin(async { Err(error.with_detail("the configured token is empty or cannot stand in a header")) })
    }
}

/// E-mail and password.
struct Account {
    email: String,
    password: Secret,
}

impl Login for Account {
    /// Form A is in every release seen; form B is gone from v3.18.3 on. The release itself can only be asked for with a
    /// token, so the newer form is tried first, and the older where the newer does not exist.
    fn login<'a>(&'a self, wire: &'a Wire) -> BoxFuture<'a, Result<SessionToken, UpstreamError>> {
        Box::pin(async move {
            match self.form_a(wire).await? {
                Some(token) => Ok(token),
                None => self.form_b(wire).await,
            }
        })
    }
}

/// The part of form A's answer that is read.
#[derive(Deserialize)]
struct AnswerA {
    meta: Meta,
}

#[derive(Deserialize)]
struct Meta {
    access_token: String,
}

/// The part of form B's answer that is read. It sets cookies as well, which nobody here keeps.
#[derive(Deserialize)]
struct AnswerB {
    token: String,
}

impl Account {
    /// None where this form does not exist.
    async fn form_a(&self, wire: &Wire) -> Result<Option<SessionToken>, UpstreamError> {
        let body = json!({ "email": self.email, "password": self.password.expose() });
        let answer = wire.send(request(FORM_A, &body)).await?;
        match answer.status {
            404 | 405 => Ok(None),
            401 if is_pending(&answer.body) => {
                Err(UpstreamError::new(UpstreamErrorKind::SecondFactorPending, OPERATION))
            }
            status => {
                judge(status)?;
                let answer: AnswerA = read(&answer.body)?;
                token(&answer.meta.access_token).map(Some)
            }
        }
    }

    async fn form_b(&self, wire: &Wire) -> Result<SessionToken, UpstreamError> {
        let body = json!({ "username": self.email, "password": self.password.expose() });
        let answer = wire.send(request(FORM_B, &body)).await?;
        judge(answer.status)?;
        let answer: AnswerB = read(&answer.body)?;
        token(&answer.token)
    }
}

fn request(path: &str, body: &Value) -> UpstreamRequest {
    UpstreamRequest::post_json(OPERATION, path, body)
        .header(ACCEPT, HeaderValue::from_static("application/json"))
        .header(ACCEPT_LANGUAGE, HeaderValue::from_static("en"))
        .unauthenticated()
}

fn judge(status: u16) -> Result<(), UpstreamError> {
    match status {
        200..=299 => Ok(()),
        400 | 401 | 403 => Err(UpstreamError::new(UpstreamErrorKind::CredentialRefused, OPERATION)),
        _ => Err(unusable("the server has no login that the gateway knows")),
    }
}

fn unusable(detail: &'static str) -> UpstreamError {
    UpstreamError::new(UpstreamErrorKind::Protocol, OPERATION).with_detail(detail)
}

/// The decoder's own words are left out: they may quote the token.
fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, UpstreamError> {
    serde_json::from_slice(body).map_err(|_| unusable("its answer holds no token"))
}

fn token(text: &str) -> Result<SessionToken, UpstreamError> {
    Ok(SessionToken { header: header(text)?, sliding: SLIDING, absolute: ABSOLUTE })
}

/// Whether the server waits for another step. Refused credentials have no pending flow.
fn is_pending(body: &[u8]) -> bool {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let flows = answer["data"]["flows"].as_array();
    flows.is_some_and(|flows| flows.iter().any(|flow| flow["is_pending"] == true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_as_it_is_and_never_shown() {
        let header = header("0a1b").unwrap();
        assert_eq!(header.to_str().unwrap(), "Token 0a1b");
        assert!(super::header("a\nb").is_err() && super::header("").is_err());
    }

    #[test]
    fn a_pending_flow_is_a_second_factor_and_a_plain_refusal_is_not() {
        assert!(is_pending(
            br#"{"status":401,"data":{"flows":[{"id":"login"},{"id":"mfa_authenticate","is_pending":true}]}}"#
        ));
        for body in ["", "<html>", "{}", r#"{"status":401,"data":{"flows":[{"id":"login"}]}}"#] {
            assert!(!is_pending(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn only_a_refusal_is_called_one() {
        assert!(judge(200).is_ok());
        for (status, kind) in [
            (400, UpstreamErrorKind::CredentialRefused),
            (401, UpstreamErrorKind::CredentialRefused),
            (404, UpstreamErrorKind::Protocol),
            (429, UpstreamErrorKind::Protocol),
            (500, UpstreamErrorKind::Protocol),
            (302, UpstreamErrorKind::Protocol),
        ] {
            assert_eq!(judge(status).unwrap_err().kind(), kind, "{status}");
        }
    }
}
