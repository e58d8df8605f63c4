//! One call for many, and none for what is remembered.

use super::repeats::{script, standard};
use super::*;
use futures_util::future::join_all;
use header::HeaderValue;
use tokio::time::{sleep, timeout};

/// Answers JSON that tells the number of the call, a second after it came; `down` makes it fail instead.
fn numbered(down: &Counter) -> (MemoryTransport, Counter) {
    let (calls, down) = (Counter::default(), down.clone());
    let counter = calls.clone();
    let transport = MemoryTransport::new(move |_| {
        let (number, down) = (counter.add(), down.count() > 0);
        async move {
            sleep(SECOND).await;
            match down {
                true => Err(TransportError::new(FailureKind::Lost, "gone")),
                false => Ok(HttpResponse::new(200, number.to_string())
                    .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))),
            }
        }
    });
    (transport, calls)
}

fn remembered() -> UpstreamRequest {
    list().remember(Remember::List)
}

async fn body(upstream: &Upstream, cx: &Context, request: UpstreamRequest) -> String {
    String::from_utf8(upstream.send(cx, request).await.unwrap().body.to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_same_question_at_the_same_time_is_one_call() {
    let (transport, calls) = numbered(&Counter::default());
    let upstream = standard(transport, |_| {});
    let contexts: Vec<Context> = (0..50).map(|_| context()).collect();
    let bodies = join_all(contexts.iter().map(|cx| body(&upstream, cx, list()))).await;
    assert!(bodies.iter().all(|body| body == "1"));
    let counted: u64 = contexts.iter().map(|cx| cx.tally.upstream_calls()).sum();
    assert_eq!((calls.count(), counted), (1, 1), "only who made it counts it");
    assert_eq!(body(&upstream, &context(), list()).await, "2", "what has landed is not joined");
}

#[tokio::test(start_paused = true)]
async fn other_rights_and_other_questions_are_calls_of_their_own() {
    let (transport, calls) = numbered(&Counter::default());
    let upstream = standard(transport, |_| {});
    let (mine, yours) = (context(), Context::new(Instant::now() + 60 * SECOND, "r-2", "somebody else"));
    let other = UpstreamRequest::get("list_incidents", "/api/incidents/?a=b");
    let (a, b, c) = tokio::join!(
        body(&upstream, &mine, remembered()),
        body(&upstream, &yours, remembered()),
        body(&upstream, &mine, other)
    );
    assert!(a != b && b != c && a != c && calls.count() == 3);
    // Nor are they in memory.
    let again = body(&upstream, &yours, remembered()).await;
    assert_eq!((again, body(&upstream, &mine, remembered()).await), (b, a));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_costs_the_others_nothing_and_the_last_one_ends_the_call() {
    let down = Counter::default();
    let (transport, calls) = numbered(&down);
    let upstream = Arc::new(standard(transport, |_| {}));
    let leader = upstream.clone();
    let leader = tokio::spawn(async move { leader.send(&context(), list()).await });
    sleep(SECOND / 4).await;
    let follower = upstream.clone();
    let follower = tokio::spawn(async move { body(&follower, &context(), list()).await });
    sleep(SECOND / 4).await;
    leader.abort();
    assert!(leader.await.is_err());
    let start = Instant::now();
    assert_eq!(follower.await.unwrap(), "1");
    assert_eq!((start.elapsed(), calls.count()), (SECOND / 2, 1), "nothing began anew");

    assert!(timeout(SECOND / 2, upstream.send(&context(), list())).await.is_err());
    assert_eq!(upstream.flights_under_way(), 0, "nobody waits, so nothing is under way");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_once_and_not_remembered() {
    let down = Counter::default();
    down.add();
    let (transport, calls) = numbered(&down);
    let upstream = standard(transport, |policy| policy.retry.repeats = 0);
    let cx = context();
    let outcomes = join_all((0..10).map(|_| upstream.send(&cx, remembered()))).await;
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap_err().kind() == UpstreamErrorKind::Lost));
    assert_eq!(calls.count(), 1);
    down.subtract();
    assert_eq!(body(&upstream, &cx, remembered()).await, "2");
}

#[tokio::test(start_paused = true)]
async fn the_short_patience_of_one_is_not_that_of_another() {
    let (transport, calls) = numbered(&Counter::default());
    let upstream = standard(transport, |_| {});
    let (hasty, patient) = (context_for(SECOND / 2), context());
    let (short, long) = tokio::join!(upstream.send(&hasty, list()), upstream.send(&patient, list()));
    assert_eq!(short.unwrap_err().kind(), UpstreamErrorKind::Deadline);
    assert_eq!((long.unwrap().status, calls.count()), (200, 2));
    let hasty = context_for(SECOND / 2);
    let (long, short) = tokio::join!(upstream.send(&patient, list()), upstream.send(&hasty, list()));
    assert_eq!((long.is_ok(), short.unwrap_err().kind(), calls.count()), (true, UpstreamErrorKind::Deadline, 3));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_remembered_then_renewed_behind_the_back_then_asked_for_again() {
    let (transport, calls) = numbered(&Counter::default());
    let upstream = standard(transport, |_| {});
    let cx = context();
    assert_eq!(body(&upstream, &cx, remembered()).await, "1");
    let cx = context();
    assert_eq!(body(&upstream, &cx, remembered()).await, "1");
    assert_eq!((cx.tally.upstream_calls(), cx.tally.remembered(), cx.tally.is_stale()), (0, 1, false));
    sleep(3 * SECOND).await;
    let (cx, start) = (context(), Instant::now());
    let bodies = join_all((0..10).map(|_| body(&upstream, &cx, remembered()))).await;
    assert!(bodies.iter().all(|body| body == "1") && start.elapsed() == Duration::ZERO, "nobody waits for the new one");
    assert_eq!((cx.tally.upstream_calls(), cx.tally.oldest()), (0, 3 * SECOND));
    sleep(3 * SECOND / 2).await;
    assert_eq!(
        (calls.count(), body(&upstream, &context(), remembered()).await),
        (2, "2".into()),
        "ten times, renewed once"
    );
    sleep(5 * SECOND).await;
    assert_eq!(body(&upstream, &context(), remembered()).await, "3", "too old: waited for");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_gone_is_stood_in_for_by_what_it_said_before_and_that_is_marked() {
    let down = Counter::default();
    let (transport, calls) = numbered(&down);
    let upstream = standard(transport, |policy| policy.breaker.failures = 3);
    assert_eq!(body(&upstream, &context(), remembered()).await, "1");
    down.add();
    sleep(60 * SECOND).await;
    let cx = context();
    assert_eq!(body(&upstream, &cx, remembered()).await, "1");
    assert!(cx.tally.is_stale() && cx.tally.oldest() >= 60 * SECOND);
    assert_eq!((calls.count(), upstream.circuit()), (4, Circuit::Open), "it was asked, and repeatedly");
    assert_eq!(body(&upstream, &context(), remembered()).await, "1", "with an open circuit as well");
    assert_eq!(calls.count(), 4);
    sleep(10 * 60 * SECOND).await;
    assert!(upstream.send(&context(), remembered()).await.is_err(), "not for ever");
    down.subtract();
    sleep(10 * SECOND).await;
    let cx = context();
    assert_eq!((body(&upstream, &cx, remembered()).await.as_str(), cx.tally.is_stale()), ("6", false));
}

#[tokio::test(start_paused = true)]
async fn nothing_stands_in_for_a_refusal() {
    let calls = Counter::default();
    let counter = calls.clone();
    let transport = MemoryTransport::new(move |_| {
        let status = if counter.add() == 1 { 200 } else { 401 };
        let json = HeaderValue::from_static("application/json");
        async move { Ok(HttpResponse::new(status, "{}").header(header::CONTENT_TYPE, json)) }
    });
    let upstream = standard(transport, |_| {});
    assert!(upstream.send(&context(), remembered()).await.is_ok());
    sleep(60 * SECOND).await;
    let error = upstream.send(&context(), remembered()).await.unwrap_err();
    assert_eq!(error.kind(), UpstreamErrorKind::CredentialRefused);
}

#[tokio::test(start_paused = true)]
async fn after_a_write_everything_is_asked_for_anew() {
    let (transport, calls) = numbered(&Counter::default());
    let upstream = standard(transport, |_| {});
    let cx = context();
    let write = || UpstreamRequest::post_json("write", "/w/", &serde_json::Value::Null);
    assert_eq!(body(&upstream, &cx, remembered()).await, "1");
    upstream.send(&cx, write()).await.unwrap();
    assert_eq!(body(&upstream, &cx, remembered()).await, "3");
    // One that began before the end of a write and ends after it is neither joined by what comes after, nor remembered.
    sleep(10 * SECOND).await;
    let after = |time| {
        let (upstream, cx) = (&upstream, &cx);
        async move {
            sleep(time).await;
            body(upstream, cx, remembered()).await
        }
    };
    let (_, early, late, later) =
        tokio::join!(upstream.send(&cx, write()), after(SECOND / 2), after(SECOND * 6 / 5), after(SECOND * 8 / 5));
    assert_eq!([early.as_str(), late.as_str(), later.as_str()], ["5", "6", "6"]);
    assert_eq!(calls.count(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_has_begun_ends_even_if_nobody_waits() {
    let ended = Counter::default();
    let counter = ended.clone();
    let transport = MemoryTransport::new(move |_| {
        let counter = counter.clone();
        async move {
            sleep(2 * SECOND).await;
            counter.add();
            Ok(HttpResponse::new(204, ""))
        }
    });
    let upstream = standard(transport, |_| {});
    let write = UpstreamRequest::post_json("write", "/w/", &serde_json::Value::Null);
    assert!(timeout(SECOND, upstream.send(&context(), write)).await.is_err());
    assert!(timeout(SECOND, upstream.send(&context(), list())).await.is_err());
    sleep(5 * SECOND).await;
    assert_eq!(ended.count(), 1, "the write ended, the read was dropped");
}

#[tokio::test(start_paused = true)]
async fn without_a_policy_for_it_nothing_is_shared_remembered_repeated_or_refused() {
    let (transport, calls) = script(&[503]);
    let upstream = upstream(transport);
    let cx = context();
    let outcomes = join_all((0..20).map(|_| upstream.send(&cx, remembered()))).await;
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap().status == 503));
    assert_eq!((calls.count(), upstream.circuit()), (20, Circuit::Closed));
}
