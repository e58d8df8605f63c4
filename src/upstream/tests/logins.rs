//! Logins as requests like any other: counted where calls are counted, repeated and judged as calls are.

use super::credentials::{PostLogin, vendor};
use super::*;
use futures_util::future::join_all;
use std::sync::Mutex;
use tokio::time::sleep;

const WINDOW: Duration = Duration::from_millis(60_500);

/// What was sent and when, in order.
type Sent = Arc<Mutex<Vec<(String, Instant)>>>;

/// Answers the login of a number (from 1) with a status, after a second, and every call with 200. A status of 0 is a lost
/// connection.
fn failing(sent: &Sent, status: impl Fn(usize) -> u16 + Send + Sync + 'static) -> UpstreamOptions {
    let (sent, logins) = (sent.clone(), Counter::default());
    let transport = MemoryTransport::new(move |request| {
        let path = request.url.path().to_owned();
        sent.lock().unwrap().push((path.clone(), Instant::now()));
        let status = if path == "/login" { status(logins.add()) } else { 200 };
        async move {
            sleep(SECOND).await;
            match status {
                0 => Err(TransportError::new(FailureKind::Lost, "reset")),
                200 => Ok(HttpResponse::new(200, "Token t-1")),
                _ => Ok(HttpResponse::new(status, "").header(header::RETRY_AFTER, header::HeaderValue::from(7))),
            }
        }
    });
    UpstreamOptions { credential: Arc::new(Session::new(PostLogin)), ..options(transport) }
}

fn logins(sent: &Sent) -> usize {
    sent.lock().unwrap().iter().filter(|(path, _)| path == "/login").count()
}

#[tokio::test(start_paused = true)]
async fn a_login_counts_in_the_quota_of_all_calls() {
    let sent = Sent::default();
    let mut options = failing(&sent, |_| 200);
    options.policy.rates = vec![Rate::of_all(3)];
    let upstream = Upstream::new(options);
    let cx = context_for(10 * SECOND);
    assert!(upstream.send(&cx, list()).await.is_ok() && upstream.send(&cx, list()).await.is_ok());
    assert_eq!(cx.tally.waited(), Duration::ZERO, "there was room for all three");
    let error = upstream.send(&cx, list()).await.unwrap_err();
    assert_eq!((error.kind(), sent.lock().unwrap().len()), (UpstreamErrorKind::RateLimited, 3));
}

#[tokio::test(start_paused = true)]
async fn a_quota_of_one_leads_to_a_token_and_then_to_an_answer() {
    let sent = Sent::default();
    let mut options = failing(&sent, |_| 200);
    options.policy.rates = vec![Rate::of_all(1)];
    let upstream = Upstream::new(options);
    let error = upstream.send(&context_for(10 * SECOND), list()).await.unwrap_err();
    // The login took a second of it.
    assert_eq!((error.kind(), error.retry_after()), (UpstreamErrorKind::RateLimited, Some(WINDOW - SECOND)));
    assert_eq!(logins(&sent), 1);
    sleep(WINDOW).await;
    assert_eq!(upstream.send(&context_for(10 * SECOND), list()).await.unwrap().status, 200);
    assert_eq!(logins(&sent), 1);
}

/// Asks, half a minute at a time, until there is an answer; gives how many requests that took.
async fn until_answered(upstream: &Upstream, scan: bool) -> u64 {
    let mut sent = 0;
    loop {
        let cx = context_for(30 * SECOND);
        let cx = if scan { cx.background() } else { cx };
        let answer = upstream.send(&cx, list()).await;
        sent += cx.tally.upstream_calls() + cx.tally.credential_calls();
        match answer {
            Ok(answer) if answer.status == 200 => return sent,
            Ok(answer) => panic!("{answer:?}"),
            Err(error) => sleep(error.retry_after().unwrap_or(SECOND)).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_all_permits_held_and_a_full_quota_a_login_still_gets_through() {
    let logins = Counter::default();
    // The first token is refused, so that there are two logins, the second in the midst of the calls.
    let mut options = vendor(&logins, |token| token == "Token t-2");
    let sent = Sent::default();
    let (inner, seen) = (options.transport.clone(), sent.clone());
    options.transport = Arc::new(MemoryTransport::new(move |request| {
        seen.lock().unwrap().push((request.url.path().to_owned(), Instant::now()));
        let inner = inner.clone();
        async move { inner.send(request).await }
    }));
    (options.policy.concurrency, options.policy.rates) = (2, vec![Rate::of_all(4)]);
    let upstream = Upstream::new(options);
    let begun = Instant::now();
    let calls = join_all((0..10).map(|number| until_answered(&upstream, number % 2 == 0)));
    let calls: u64 = tokio::time::timeout(600 * SECOND, calls).await.expect("nobody waits for nothing").iter().sum();
    // Ten calls, one of them twice, and two logins, four a minute.
    assert!(begun.elapsed() < 4 * WINDOW, "{:?}", begun.elapsed());
    assert_eq!(logins.count(), 2);
    let begun: Vec<Instant> = sent.lock().unwrap().iter().map(|(_, at)| *at).collect();
    assert_eq!(begun.len() as u64, calls);
    assert!(begun.windows(5).all(|five| five[4] - five[0] >= WINDOW), "never five within a minute: {begun:?}");
}

#[tokio::test(start_paused = true)]
async fn a_quota_of_some_operations_counts_logins_only_where_it_names_them() {
    for (operations, room) in
        [(&["list_incidents"][..], true), (&["login"], true), (&["login", "list_incidents"], false)]
    {
        let sent = Sent::default();
        let mut options = failing(&sent, |_| 200);
        let operations: &'static [&'static str] = operations;
        options.policy.rates = vec![Rate { operations: Some(operations), per_minute: 1 }];
        let answer = Upstream::new(options).send(&context_for(10 * SECOND), list()).await;
        assert_eq!((answer.is_ok(), logins(&sent)), (room, 1), "{operations:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_limited_is_not_tried_again_before_its_time() {
    let sent = Sent::default();
    let mut options = failing(&sent, |_| 429);
    options.policy = Policy { rates: vec![Rate::of_all(100)], ..Policy::standard() };
    let upstream = Upstream::new(options);
    for (kind, left) in [(UpstreamErrorKind::LoginFailed(429), 7), (UpstreamErrorKind::RateLimited, 7)] {
        let error = upstream.send(&context(), list()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (kind, Some(left * SECOND)));
    }
    assert_eq!(logins(&sent), 1);
    sleep(7 * SECOND).await;
    assert!(upstream.send(&context(), list()).await.is_err());
    assert_eq!((logins(&sent), upstream.circuit()), (2, Circuit::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_failed_on_the_way_is_repeated_as_a_call_is() {
    for status in [0, 502, 503, 504] {
        let sent = Sent::default();
        let mut options = failing(&sent, move |number| if number == 1 { status } else { 200 });
        options.policy = Policy::standard();
        // More than the longest wait: only the repetition after it helps.
        options.policy.retry.longest_wait = 8 * SECOND;
        let answer = Upstream::new(options).send(&context(), list()).await;
        assert_eq!((answer.map(|answer| answer.status).ok(), logins(&sent)), (Some(200), 2), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_failed_login_is_one_failure_however_many_waited_for_it() {
    let sent = Sent::default();
    let mut options = failing(&sent, |number| if number == 1 { 500 } else { 200 });
    options.policy = Policy { concurrency: 100, share: false, ..Policy::standard() };
    let (upstream, cx) = (Upstream::new(options), context());
    let answers = join_all((0..100).map(|_| upstream.send(&cx, list()))).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().is_err_and(|error| error.kind() == UpstreamErrorKind::LoginFailed(500)))
    );
    assert_eq!((logins(&sent), upstream.circuit()), (1, Circuit::Closed));
    assert!(upstream.send(&cx, list()).await.is_ok(), "who comes after it tries again, at once");
    assert_eq!(logins(&sent), 2);
}

#[tokio::test(start_paused = true)]
async fn logins_that_go_on_failing_open_the_circuit() {
    let sent = Sent::default();
    let mut options = failing(&sent, |_| 500);
    options.policy = Policy::standard();
    let upstream = Upstream::new(options);
    for _ in 0..5 {
        assert!(upstream.send(&context(), list()).await.is_err());
    }
    assert_eq!((logins(&sent), upstream.circuit()), (5, Circuit::Open));
}
