//! How long a token is used: sliding life 3,600 s, absolute life 36,000 s, as CISO Assistant gives them.

use super::credentials::vendor;
use super::*;
use std::sync::Mutex;
use tokio::time::{advance, sleep_until};

/// The number of the token with which a call made now is sent. The call takes two seconds, and a login one.
async fn token_now(upstream: &Upstream) -> String {
    let answer = upstream.send(&context(), list()).await.unwrap();
    String::from_utf8(answer.body.to_vec()).unwrap()
}

fn patient() -> (Upstream, Counter) {
    let logins = Counter::default();
    (Upstream::new(vendor(&logins, |_| true)), logins)
}

#[tokio::test(start_paused = true)]
async fn an_unused_token_is_renewed_before_its_sliding_end() {
    let (upstream, logins) = patient();
    assert_eq!(token_now(&upstream).await, "Token t-1");
    let granted = Instant::now() - 2 * SECOND;
    sleep_until(granted + 3_509 * SECOND).await;
    assert_eq!(token_now(&upstream).await, "Token t-1");
    assert_eq!(logins.count(), 1);

    let (upstream, _) = patient();
    token_now(&upstream).await;
    let granted = Instant::now() - 2 * SECOND;
    sleep_until(granted + 3_510 * SECOND).await;
    assert_eq!(token_now(&upstream).await, "Token t-2");
}

#[tokio::test(start_paused = true)]
async fn use_prolongs_a_token_but_not_within_a_minute_of_the_last_time() {
    let (upstream, _) = patient();
    token_now(&upstream).await;
    let granted = Instant::now() - 2 * SECOND;
    // Too early to prolong: the end stays at 3,600.
    sleep_until(granted + 60 * SECOND).await;
    token_now(&upstream).await;
    sleep_until(granted + 3_510 * SECOND).await;
    assert_eq!(token_now(&upstream).await, "Token t-2");

    let (upstream, _) = patient();
    token_now(&upstream).await;
    let granted = Instant::now() - 2 * SECOND;
    sleep_until(granted + 61 * SECOND).await;
    token_now(&upstream).await;
    sleep_until(granted + 3_570 * SECOND).await;
    assert_eq!(token_now(&upstream).await, "Token t-1");
}

#[tokio::test(start_paused = true)]
async fn constant_use_does_not_outlive_the_absolute_end() {
    let (upstream, logins) = patient();
    token_now(&upstream).await;
    let granted = Instant::now() - 2 * SECOND;
    for minutes in 1..598 {
        sleep_until(granted + minutes * 60 * SECOND).await;
        assert_eq!(token_now(&upstream).await, "Token t-1", "after {minutes} minutes");
    }
    sleep_until(granted + 35_910 * SECOND).await;
    assert_eq!(token_now(&upstream).await, "Token t-2");
    assert_eq!(logins.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_still_alive_outlasts_a_failed_renewal_but_not_its_own_end() {
    let broken = Arc::new(Mutex::new(false));
    let logins = Counter::default();
    let (switch, counter) = (broken.clone(), logins.clone());
    let transport = MemoryTransport::new(move |request| {
        let (broken, counter, token) = (*switch.lock().unwrap(), counter.clone(), token_of(&request));
        async move {
            if request.url.path() != "/login" {
                return Ok(HttpResponse::new(200, token));
            }
            counter.add();
            if broken {
                return Err(TransportError::new(FailureKind::Connect, "refused"));
            }
            Ok(HttpResponse::new(200, "Token t-1"))
        }
    });
    let credential = Arc::new(Session::new(super::credentials::PostLogin));
    let upstream = Upstream::new(UpstreamOptions { credential, ..options(transport) });
    token_now(&upstream).await;
    *broken.lock().unwrap() = true;
    advance(3_520 * SECOND).await;
    assert_eq!(token_now(&upstream).await, "Token t-1");
    // The failure is remembered, so that not every call tries again.
    assert_eq!(token_now(&upstream).await, "Token t-1");
    assert_eq!(logins.count(), 2);
    // That use prolonged the token; unused for its whole life, it is gone.
    advance(3_600 * SECOND).await;
    let error = upstream.send(&context(), list()).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (UpstreamErrorKind::Connect, "login"));
}
