//! What is sent to prove who we are, and what happens when it is refused.

use super::*;
use crate::telemetry::capture::Lines;
use crate::telemetry::{LogFormat, LogLevel, LogOptions};
use futures_util::future::{BoxFuture, join_all};
use header::HeaderValue;
use tokio::time::sleep;

/// Logs in by `POST /login`, which answers with the token's name.
pub(super) struct PostLogin;

impl Login for PostLogin {
    fn login<'a>(&'a self, wire: &'a Wire) -> BoxFuture<'a, Result<SessionToken, UpstreamError>> {
        Box::pin(async move {
            let body = serde_json::json!({"email": "a@example.org", "password": "s3cret"});
            let answer = wire.send(UpstreamRequest::post_json("login", "/login", &body)).await?;
            match answer.status {
                200 => Ok(SessionToken {
                    header: HeaderValue::from_bytes(&answer.body).unwrap(),
                    sliding: 3_600 * SECOND,
                    absolute: 36_000 * SECOND,
                }),
                401 => Err(UpstreamError::new(UpstreamErrorKind::SecondFactorPending, "login")),
                _ => Err(UpstreamError::new(UpstreamErrorKind::CredentialRefused, "login")),
            }
        })
    }
}

/// A vendor that counts logins and accepts the tokens that `accepts` says. A login takes one second, a call two.
pub(super) fn vendor(logins: &Counter, accepts: impl Fn(&str) -> bool + Send + Sync + 'static) -> UpstreamOptions {
    let counter = logins.clone();
    let transport = MemoryTransport::new(move |request| {
        let token = token_of(&request);
        let is_login = request.url.path() == "/login";
        let status = if accepts(&token) { 200 } else { 401 };
        let counter = counter.clone();
        async move {
            if is_login {
                assert_eq!(token, "");
                let number = counter.add();
                sleep(SECOND).await;
                return Ok(HttpResponse::new(200, format!("Token t-{number}")));
            }
            sleep(2 * SECOND).await;
            Ok(HttpResponse::new(status, token))
        }
    });
    UpstreamOptions { credential: Arc::new(Session::new(PostLogin)), ..options(transport) }
}

/// Answers a login with `status` and counts it; anything else would be a mistake.
fn refusing(logins: &Counter, status: u16) -> UpstreamOptions {
    let counter = logins.clone();
    let transport = MemoryTransport::new(move |request| {
        assert_eq!(request.url.path(), "/login");
        counter.add();
        async move {
            sleep(SECOND).await;
            Ok(HttpResponse::new(status, "your password s3cret is wrong"))
        }
    });
    UpstreamOptions { credential: Arc::new(Session::new(PostLogin)), ..options(transport) }
}

async fn kinds(upstream: &Upstream, cx: &Context, calls: usize) -> Vec<UpstreamErrorKind> {
    let answers = join_all((0..calls).map(|_| upstream.send(cx, list()))).await;
    answers.into_iter().map(|answer| answer.unwrap_err().kind()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_static_header_is_sent_as_sensitive_and_not_tried_twice() {
    let upstream = upstream(MemoryTransport::new(|request| async move {
        assert!(request.headers[header::AUTHORIZATION].is_sensitive());
        Ok(HttpResponse::new(if token_of(&request) == "Token t-0" { 401 } else { 500 }, ""))
    }));
    let cx = context();
    assert_eq!(kinds(&upstream, &cx, 1).await, [UpstreamErrorKind::CredentialRefused]);
    assert_eq!(cx.tally.upstream_calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_credential_nothing_is_added_and_401_is_an_answer() {
    let upstream = upstream(MemoryTransport::new(|request| async move {
        assert_eq!(token_of(&request), "");
        Ok(HttpResponse::new(401, "who are you"))
    }));
    let answer = upstream.send(&context(), list().unauthenticated()).await.unwrap();
    assert_eq!((answer.status, &*answer.body), (401, &b"who are you"[..]));
}

#[tokio::test(start_paused = true)]
async fn fifty_waiters_share_one_login_without_needing_a_permit_for_it() {
    let logins = Counter::default();
    let mut options = vendor(&logins, |token| token == "Token t-1");
    options.policy.concurrency = 50;
    let upstream = Upstream::new(options);
    let cx = context();
    let start = Instant::now();
    let answers = join_all((0..50).map(|_| upstream.send(&cx, list()))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.status == 200)));
    assert_eq!((logins.count(), start.elapsed()), (1, 3 * SECOND));
    assert_eq!((cx.tally.upstream_calls(), cx.tally.credential_calls()), (50, 1));
    // Time of the login is not time of the calls.
    assert_eq!(cx.tally.latency(), 100 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn one_permit_is_enough_for_a_call_that_needs_a_login() {
    let logins = Counter::default();
    let mut options = vendor(&logins, |token| token == "Token t-1");
    options.policy.concurrency = 1;
    assert!(Upstream::new(options).send(&context(), list()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_token_refused_in_fifty_flights_is_renewed_once_and_all_succeed() {
    let logins = Counter::default();
    let mut options = vendor(&logins, |token| token == "Token t-2");
    options.policy.concurrency = 50;
    let upstream = Upstream::new(options);
    let cx = context();
    let answers = join_all((0..50).map(|_| upstream.send(&cx, list()))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.body == "Token t-2")));
    assert_eq!((cx.tally.upstream_calls(), logins.count()), (100, 2));
}

#[tokio::test(start_paused = true)]
async fn a_late_refusal_of_an_old_token_does_not_throw_the_new_one_away() {
    let logins = Counter::default();
    let upstream = Upstream::new(vendor(&logins, |token| token == "Token t-2"));
    let cx = context();
    let late = async {
        // Sent with the first token (from 2.5 to 4.5 s) just before the other call comes back refused (3 s); refused itself
        // when that one has its new token (4 s).
        sleep(5 * SECOND / 2).await;
        upstream.send(&cx, list()).await.unwrap().body
    };
    let (first, late) = tokio::join!(upstream.send(&cx, list()), late);
    assert_eq!((&*first.unwrap().body, &*late), (&b"Token t-2"[..], &b"Token t-2"[..]));
    assert_eq!((logins.count(), cx.tally.upstream_calls()), (2, 4));
}

#[tokio::test(start_paused = true)]
async fn a_write_is_sent_again_after_a_refused_token() {
    let logins = Counter::default();
    let upstream = Upstream::new(vendor(&logins, |token| token == "Token t-2"));
    let write = UpstreamRequest::post_json("create", "/api/incidents/", &serde_json::json!({}));
    assert_eq!(upstream.send(&context(), write).await.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_download_renews_its_token_as_well() {
    let logins = Counter::default();
    let upstream = Upstream::new(vendor(&logins, |token| token == "Token t-2"));
    assert_eq!(upstream.stream(&context(), list()).await.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_never_accepted_end_in_an_error_without_a_storm_of_logins() {
    let logins = Counter::default();
    let mut options = vendor(&logins, |_| false);
    options.policy.concurrency = 100;
    let upstream = Upstream::new(options);
    let cx = context();
    assert_eq!(kinds(&upstream, &cx, 1).await, [UpstreamErrorKind::CredentialRefused]);
    assert_eq!((logins.count(), cx.tally.upstream_calls()), (2, 2));
    assert_eq!(kinds(&upstream, &cx, 100).await, [UpstreamErrorKind::CredentialRefused; 100]);
    assert_eq!((logins.count(), cx.tally.upstream_calls()), (2, 2));
    // Some seconds later it is tried again, once.
    sleep(5 * SECOND).await;
    kinds(&upstream, &cx, 1).await;
    assert_eq!(logins.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_new_token_that_was_taken_once_may_be_refused_later() {
    let (logins, calls) = (Counter::default(), Counter::default());
    // A server that forgets its tokens again and again: it takes each one once.
    let upstream = Upstream::new(vendor(&logins, move |token| token.is_empty() || calls.add() % 2 == 1));
    for _ in 0..5 {
        assert_eq!(upstream.send(&context(), list()).await.unwrap().status, 200);
    }
    assert_eq!(logins.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_failed_login_answers_all_waiters_and_is_tried_again_later() {
    let logins = Counter::default();
    let mut options = refusing(&logins, 400);
    options.policy.concurrency = 100;
    let upstream = Upstream::new(options);
    let cx = context();
    assert_eq!(kinds(&upstream, &cx, 100).await, [UpstreamErrorKind::CredentialRefused; 100]);
    assert_eq!(logins.count(), 1);
    sleep(4 * SECOND).await;
    kinds(&upstream, &cx, 1).await;
    assert_eq!(logins.count(), 1);
    sleep(SECOND).await;
    kinds(&upstream, &cx, 1).await;
    assert_eq!((logins.count(), cx.tally.upstream_calls()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_pending_second_factor_and_an_unreachable_login_are_told_apart() {
    let upstream = Upstream::new(refusing(&Counter::default(), 401));
    assert_eq!(kinds(&upstream, &context(), 1).await, [UpstreamErrorKind::SecondFactorPending]);

    let transport = MemoryTransport::new(|_| async { Err(TransportError::new(FailureKind::Connect, "refused")) });
    let options = UpstreamOptions { credential: Arc::new(Session::new(PostLogin)), ..options(transport) };
    let error = Upstream::new(options).send(&context(), list()).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (UpstreamErrorKind::Connect, "login"));
    assert_eq!(error.to_string(), "login: no connection");
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_during_the_login_does_not_spoil_it_for_the_others() {
    let logins = Counter::default();
    let upstream = Upstream::new(vendor(&logins, |token| token == "Token t-2"));
    let (hurried, patient) = (context_for(SECOND / 2), context());
    let (first, second) = tokio::join!(upstream.send(&hurried, list()), upstream.send(&patient, list()));
    assert_eq!(first.unwrap_err().kind(), UpstreamErrorKind::Deadline);
    assert_eq!(second.unwrap().body, "Token t-2");
    assert_eq!((hurried.tally.credential_calls(), patient.tally.credential_calls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_log_has_a_refused_call_in_the_vendors_words_but_never_a_login_or_a_token() {
    let (lines, _guard) = Lines::start(LogOptions { format: LogFormat::Text, level: LogLevel::Trace, color: false });
    kinds(&Upstream::new(refusing(&Counter::default(), 400)), &context(), 1).await;
    let refusal = upstream(MemoryTransport::new(|_| async { Ok(HttpResponse::new(400, "no such filter")) }));
    refusal.send(&context(), list()).await.unwrap();
    let text = lines.text();
    assert!(text.contains("no such filter") && text.contains("ciso gave no token: credential_refused"), "{text}");
    assert!(!text.contains("s3cret") && !text.contains("t-0"), "{text}");
}
