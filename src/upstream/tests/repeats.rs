//! Repetition, breaker and quotas as a caller meets them.

use super::*;
use futures_util::future::join_all;
use header::HeaderValue;
use tokio::time::sleep;

/// Answers with these statuses in turn, the last one for ever; 0 is a connection that is not made.
pub(super) fn script(statuses: &'static [u16]) -> (MemoryTransport, Counter) {
    let calls = Counter::default();
    let counter = calls.clone();
    let transport = MemoryTransport::new(move |_| {
        let status = statuses[(counter.add() - 1).min(statuses.len() - 1)];
        async move {
            match status {
                0 => Err(TransportError::new(FailureKind::Connect, "refused")),
                status => Ok(HttpResponse::new(status, "{}")),
            }
        }
    });
    (transport, calls)
}

/// With the standard policy and waits of half their length; what is given changes it.
pub(super) fn standard(transport: MemoryTransport, change: impl FnOnce(&mut Policy)) -> Upstream {
    let mut options = options(transport);
    options.policy = Policy::standard();
    change(&mut options.policy);
    Upstream::with_jitter(options, Box::new(|| 0.5))
}

#[tokio::test(start_paused = true)]
async fn a_read_that_meets_a_passing_failure_is_repeated_after_a_pause() {
    for statuses in [[0, 0, 200], [503, 502, 200], [429, 504, 200]] {
        let (transport, calls) = script(Box::leak(Box::new(statuses)));
        let (upstream, cx, start) = (standard(transport, |_| {}), context(), Instant::now());
        assert_eq!(upstream.send(&cx, list()).await.unwrap().status, 200);
        assert_eq!((calls.count(), cx.tally.upstream_calls()), (3, 3), "each attempt counts");
        assert_eq!(start.elapsed(), Duration::from_millis(50 + 100));
    }
}

#[tokio::test(start_paused = true)]
async fn after_two_repetitions_the_failure_is_the_answer() {
    let (transport, calls) = script(&[503]);
    assert_eq!(standard(transport, |_| {}).send(&context(), list()).await.unwrap().status, 503);
    assert_eq!(calls.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_and_what_is_not_safe_goes_out_once() {
    for status in [200, 301, 400, 403, 404, 500, 501] {
        let (transport, calls) = script(Box::leak(Box::new([status])));
        assert_eq!(standard(transport, |_| {}).send(&context(), list()).await.unwrap().status, status);
        assert_eq!(calls.count(), 1, "{status}");
    }
    for statuses in [&[0], &[503]] {
        let (transport, calls) = script(statuses);
        let write = UpstreamRequest::post_json("write", "/w/", &serde_json::Value::Null);
        let _ = standard(transport, |_| {}).send(&context(), write).await;
        assert_eq!(calls.count(), 1, "a write");
        let (transport, calls) = script(statuses);
        let _ = standard(transport, |_| {}).stream(&context(), list()).await;
        assert_eq!(calls.count(), 1, "a download");
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_says_when_is_asked_then_and_not_before() {
    for (asked, waited, calls) in [("2", 2_050, 2), ("3", 0, 1)] {
        let counter = Counter::default();
        let counted = counter.clone();
        let transport = MemoryTransport::new(move |_| {
            let first = counted.add() == 1;
            async move {
                let wait = HeaderValue::from_static(asked);
                Ok(match first {
                    true => HttpResponse::new(429, "").header(header::RETRY_AFTER, wait),
                    false => HttpResponse::new(200, "{}"),
                })
            }
        });
        let start = Instant::now();
        let answer = standard(transport, |_| {}).send(&context(), list()).await.unwrap();
        assert_eq!((start.elapsed(), counter.count()), (Duration::from_millis(waited), calls), "{asked}");
        assert_eq!(answer.status, if calls == 2 { 200 } else { 429 });
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_repeated_beyond_the_deadline() {
    let (transport, calls) = script(&[503]);
    let (upstream, cx) = (standard(transport, |_| {}), context_for(Duration::from_millis(120)));
    assert_eq!(upstream.send(&cx, list()).await.unwrap().status, 503);
    assert_eq!(calls.count(), 2, "50 ms fit, 100 more do not");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_always_fails_is_not_asked_three_times_as_often() {
    let (transport, calls) = script(&[503]);
    let upstream = standard(transport, |policy| policy.breaker.failures = 0);
    for _ in 0..1_000 {
        let _ = upstream.send(&context(), list()).await;
    }
    assert!((1_100..1_120).contains(&calls.count()), "a tenth and a few more: {}", calls.count());
}

#[tokio::test(start_paused = true)]
async fn a_failing_source_is_left_in_peace_and_tried_again_by_one() {
    let (transport, calls) = script(&[500, 500, 500, 500, 500, 500, 200]);
    let upstream = standard(transport, |_| {});
    for _ in 0..5 {
        assert_eq!(upstream.send(&context(), list()).await.unwrap().status, 500);
    }
    assert_eq!((upstream.circuit(), calls.count()), (Circuit::Open, 5));
    let cx = context();
    let error = upstream.send(&cx, list()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (UpstreamErrorKind::CircuitOpen, Some(10 * SECOND)));
    assert_eq!((cx.tally.circuit(), cx.tally.upstream_calls()), (Circuit::Open, 0));
    assert!(upstream.stream(&context(), list()).await.is_err() && calls.count() == 5, "downloads as well");

    sleep(10 * SECOND).await;
    assert_eq!(upstream.circuit(), Circuit::HalfOpen);
    assert_eq!(upstream.send(&context(), list()).await.unwrap().status, 500, "the probe fails");
    assert_eq!((upstream.circuit(), calls.count()), (Circuit::Open, 6));
    sleep(10 * SECOND).await;
    // Different requests, since the same ones would be one call anyway.
    let many = (0..20).map(|n| upstream.send(&cx, UpstreamRequest::get("list", format!("/{n}/"))));
    let answered = join_all(many).await.iter().filter(|outcome| outcome.is_ok()).count();
    assert!(answered >= 1);
    assert_eq!((upstream.circuit(), cx.tally.circuit()), (Circuit::Closed, Circuit::Closed));
}

#[tokio::test(start_paused = true)]
async fn only_one_call_probes_and_an_abandoned_one_decides_nothing() {
    let calls = Counter::default();
    let counter = calls.clone();
    let transport = MemoryTransport::new(move |_| {
        let first = counter.add() == 1;
        async move {
            if !first {
                sleep(3 * SECOND).await;
            }
            Ok(HttpResponse::new(if first { 500 } else { 200 }, "{}"))
        }
    });
    let upstream = standard(transport, |policy| policy.breaker.failures = 1);
    let _ = upstream.send(&context(), list()).await;
    sleep(10 * SECOND).await;
    assert!(tokio::time::timeout(SECOND, upstream.send(&context(), list())).await.is_err(), "abandoned");
    let other = UpstreamRequest::get("list", "/other/");
    let (cx, second) = (context(), context());
    let (probe, refused) = tokio::join!(upstream.send(&cx, list()), upstream.send(&second, other));
    assert_eq!((probe.unwrap().status, calls.count()), (200, 3));
    assert_eq!(refused.unwrap_err().kind(), UpstreamErrorKind::CircuitOpen);
    assert_eq!(upstream.circuit(), Circuit::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_impatient_client_does_not_open_the_circuit_but_a_hanging_source_does() {
    for (deadline, circuit) in [(SECOND, Circuit::Closed), (5 * SECOND, Circuit::Open)] {
        let hanging = MemoryTransport::new(|_| std::future::pending());
        let upstream = standard(hanging, |_| {});
        for _ in 0..5 {
            assert!(upstream.send(&context_for(deadline), list()).await.is_err());
        }
        assert_eq!(upstream.circuit(), circuit, "{deadline:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_no_room_in_the_quota_is_told_at_once_how_long_it_takes() {
    let (transport, calls) = script(&[200]);
    let upstream = standard(transport, |policy| policy.rates = vec![Rate::of_all(3)]);
    for _ in 0..3 {
        assert!(upstream.send(&context(), list()).await.is_ok());
    }
    let (cx, start) = (context_for(10 * SECOND), Instant::now());
    let error = upstream.send(&cx, list()).await.unwrap_err();
    assert_eq!((error.kind(), start.elapsed()), (UpstreamErrorKind::RateLimited, Duration::ZERO));
    assert_eq!(error.retry_after(), Some(Duration::from_millis(60_500)));
    assert_eq!((calls.count(), upstream.circuit()), (3, Circuit::Closed), "our own limit is no failure of the source");
    let cx = context();
    assert!(upstream.send(&cx, list()).await.is_ok());
    assert_eq!((start.elapsed(), cx.tally.waited()), (Duration::from_millis(60_500), Duration::from_millis(60_500)));
}

#[tokio::test(start_paused = true)]
async fn a_quota_of_some_operations_leaves_the_others_alone() {
    let (transport, calls) = script(&[200]);
    let slow = Rate { operations: Some(&["extra"]), per_minute: 1 };
    let upstream = standard(transport, |policy| policy.rates = vec![slow, Rate::of_all(100)]);
    let cx = context_for(SECOND);
    let extra = || UpstreamRequest::get("extra", "/extra/");
    assert!(upstream.send(&cx, extra()).await.is_ok());
    assert_eq!(upstream.send(&cx, extra()).await.unwrap_err().kind(), UpstreamErrorKind::RateLimited);
    for _ in 0..50 {
        assert!(upstream.send(&cx, list()).await.is_ok());
    }
    assert_eq!(calls.count(), 51);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_waits_for_goes_before_a_scan_in_a_quota_too() {
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = order.clone();
    let transport = MemoryTransport::new(move |request| {
        seen.lock().unwrap().push(request.url.path().to_owned());
        async { Ok(HttpResponse::new(200, "{}")) }
    });
    let upstream = standard(transport, |policy| policy.rates = vec![Rate::of_all(1)]);
    let cx = context();
    let scan = cx.background();
    let ask = |cx, path: &'static str, after: u64| {
        let upstream = &upstream;
        async move {
            sleep(Duration::from_millis(after)).await;
            upstream.send(cx, UpstreamRequest::get("list", path)).await.unwrap();
        }
    };
    tokio::join!(
        ask(&cx, "/first/", 0),
        ask(&scan, "/scan-1/", 1),
        ask(&scan, "/scan-2/", 2),
        ask(&cx, "/read-1/", 3),
        ask(&cx, "/read-2/", 4),
    );
    assert_eq!(*order.lock().unwrap(), ["/first/", "/read-1/", "/read-2/", "/scan-1/", "/scan-2/"]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_wants_to_be_left_alone_is_by_all_calls_of_that_operation() {
    let calls = Counter::default();
    let counter = calls.clone();
    let transport = MemoryTransport::new(move |request| {
        counter.add();
        let wait = request.url.path().trim_matches('/').to_owned();
        async move {
            Ok(match HeaderValue::from_str(&wait) {
                Ok(wait) if wait != "free" => HttpResponse::new(429, "").header(header::RETRY_AFTER, wait),
                _ => HttpResponse::new(200, "{}"),
            })
        }
    });
    let upstream = standard(transport, |policy| policy.retry.repeats = 0);
    let (start, cx) = (Instant::now(), context());
    assert_eq!(upstream.send(&cx, UpstreamRequest::get("list", "/60/")).await.unwrap().status, 429);
    let held = upstream.send(&cx, UpstreamRequest::get("list", "/free/")).await.unwrap_err();
    assert_eq!((held.kind(), held.retry_after()), (UpstreamErrorKind::RateLimited, Some(60 * SECOND)));
    let other = upstream.send(&cx, UpstreamRequest::get("other", "/free/")).await;
    assert_eq!((other.unwrap().status, calls.count()), (200, 2), "another operation has its own quota");
    sleep(10 * SECOND).await;
    assert_eq!(
        upstream.send(&cx, UpstreamRequest::get("list", "/free/")).await.unwrap().status,
        200,
        "ten seconds at most"
    );
    assert_eq!(start.elapsed(), 10 * SECOND);

    assert_eq!(upstream.send(&cx, UpstreamRequest::get("list", "/2/")).await.unwrap().status, 429);
    assert_eq!(upstream.send(&cx, UpstreamRequest::get("list", "/free/")).await.unwrap().status, 200);
    assert_eq!((start.elapsed(), calls.count()), (12 * SECOND, 5), "a short rest is waited for");
}

/// Always offers other headers.
struct Renewing;

impl Credential for Renewing {
    fn headers<'a>(
        &'a self,
        _: &'a Wire,
    ) -> futures_util::future::BoxFuture<'a, Result<header::HeaderMap, UpstreamError>> {
        Box::pin(async { Ok(header::HeaderMap::new()) })
    }

    fn rejected(&self, _: &header::HeaderMap) -> AfterRejection {
        AfterRejection::Renew
    }
}

#[tokio::test(start_paused = true)]
async fn the_attempt_with_a_new_token_counts_in_the_quota_as_well() {
    let (transport, calls) = script(&[401]);
    let mut options = options(transport);
    options.policy.rates = vec![Rate::of_all(1)];
    options.credential = Arc::new(Renewing);
    let error = Upstream::new(options).send(&context_for(10 * SECOND), list()).await.unwrap_err();
    assert_eq!((error.kind(), calls.count()), (UpstreamErrorKind::RateLimited, 1));
}
