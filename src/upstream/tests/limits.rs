//! Time, size, address: each limit at each stage of a call.

use super::*;
use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use header::HeaderValue;
use std::sync::Mutex;
use tokio::time::sleep;

/// Answers 200 at once; each of `pieces` bytes comes after `pause`.
fn dripping(pieces: usize, pause: Duration) -> MemoryTransport {
    MemoryTransport::new(move |_| async move {
        let body = stream::iter(0..pieces).then(move |_| async move {
            sleep(pause).await;
            Ok(Bytes::from_static(b"x"))
        });
        Ok(HttpResponse::streamed(200, body.boxed()))
    })
}

/// Answers 200 after `pause`.
fn slow(pause: Duration) -> MemoryTransport {
    MemoryTransport::new(move |_| async move {
        sleep(pause).await;
        Ok(HttpResponse::new(200, "{}"))
    })
}

async fn failure(upstream: &Upstream, cx: &Context) -> (UpstreamErrorKind, Duration) {
    let start = Instant::now();
    let error = upstream.send(cx, list()).await.unwrap_err();
    (error.kind(), start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_ends_with_the_total_timeout() {
    let cx = context();
    assert_eq!(failure(&upstream(slow(60 * SECOND)), &cx).await, (UpstreamErrorKind::Timeout, 10 * SECOND));
    assert_eq!(cx.tally.upstream_calls(), 1);
    assert_eq!(cx.tally.latency(), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_head_may_take_longer_than_the_idle_timeout() {
    assert_eq!(upstream(slow(9 * SECOND)).send(&context(), list()).await.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_dripping_body_ends_with_the_total_timeout() {
    assert_eq!(failure(&upstream(dripping(100, SECOND)), &context()).await, (UpstreamErrorKind::Timeout, 10 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn silence_within_a_body_ends_with_the_idle_timeout() {
    assert_eq!(failure(&upstream(dripping(3, 6 * SECOND)), &context()).await, (UpstreamErrorKind::Timeout, 5 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_cuts_a_slow_head_and_a_dripping_body() {
    for transport in [slow(60 * SECOND), dripping(100, SECOND)] {
        let cx = context_for(3 * SECOND);
        assert_eq!(failure(&upstream(transport), &cx).await, (UpstreamErrorKind::Deadline, 3 * SECOND));
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_waiting_for_a_permit_and_nothing_is_sent() {
    let mut options = options(slow(8 * SECOND));
    options.policy.concurrency = 1;
    let upstream = Upstream::new(options);
    let (first, second) = (context(), context_for(2 * SECOND));
    let (answer, late) = tokio::join!(upstream.send(&first, list()), failure(&upstream, &second));
    assert_eq!(answer.unwrap().status, 200);
    assert_eq!(late, (UpstreamErrorKind::Deadline, 2 * SECOND));
    assert_eq!((second.tally.upstream_calls(), second.tally.waited()), (0, 2 * SECOND));
    assert_eq!((first.tally.upstream_calls(), first.tally.waited()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_the_deadline() {
    let cx = context_for(Duration::ZERO);
    assert_eq!(failure(&upstream(slow(Duration::ZERO)), &cx).await.0, UpstreamErrorKind::Deadline);
    assert_eq!(cx.tally.upstream_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn never_more_calls_in_flight_than_the_policy_says() {
    let (now, most) = (Counter::default(), Counter::default());
    let seen = most.clone();
    let upstream = upstream(MemoryTransport::new(move |_| {
        let (now, most) = (now.clone(), most.clone());
        async move {
            most.raise_to(now.add());
            sleep(SECOND).await;
            now.subtract();
            Ok(HttpResponse::new(200, "{}"))
        }
    }));
    let cx = context();
    let answers = join_all((0..40).map(|_| upstream.send(&cx, list()))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(seen.count(), 16);
    assert_eq!(cx.tally.upstream_calls(), 40);
    // 16 waited nothing, 16 one second, 8 two.
    assert_eq!((cx.tally.waited(), cx.tally.latency()), (32 * SECOND, 40 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_failed_or_was_abandoned_gives_its_permit_back() {
    let mut options = options(slow(60 * SECOND));
    options.policy.concurrency = 1;
    let upstream = Upstream::new(options);
    for _ in 0..3 {
        assert_eq!(failure(&upstream, &context()).await, (UpstreamErrorKind::Timeout, 10 * SECOND));
        assert!(tokio::time::timeout(SECOND, upstream.send(&context(), list())).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn limits_may_be_endless() {
    let mut options = options(dripping(3, 60 * SECOND));
    options.policy.total_timeout = Duration::MAX;
    options.policy.idle_timeout = Duration::MAX;
    options.policy.concurrency = usize::MAX;
    assert!(Upstream::new(options).send(&context(), list()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn concurrency_zero_is_taken_as_one() {
    let mut options = options(slow(SECOND));
    options.policy.concurrency = 0;
    assert!(Upstream::new(options).send(&context(), list()).await.is_ok());
}

fn sized(bytes: usize, declared: Option<usize>) -> MemoryTransport {
    MemoryTransport::new(move |_| async move {
        let answer = HttpResponse::new(200, vec![b'x'; bytes]);
        Ok(match declared {
            Some(length) => answer.header(header::CONTENT_LENGTH, length.into()),
            None => answer,
        })
    })
}

async fn read(transport: MemoryTransport) -> Result<usize, UpstreamErrorKind> {
    let mut options = options(transport);
    options.policy.max_body_bytes = 1_000;
    let answer = Upstream::new(options).send(&context(), list()).await;
    answer.map(|answer| answer.body.len()).map_err(|error| error.kind())
}

#[tokio::test(start_paused = true)]
async fn a_body_is_read_up_to_the_limit_and_no_further() {
    assert_eq!(read(sized(1_000, None)).await, Ok(1_000));
    assert_eq!(read(sized(1_000, Some(1_000))).await, Ok(1_000));
    assert_eq!(read(sized(1_001, None)).await, Err(UpstreamErrorKind::TooLarge));
    // Said beforehand: refused without reading, so that it does not matter how little follows.
    assert_eq!(read(sized(1, Some(1_001))).await, Err(UpstreamErrorKind::TooLarge));
    // An endless body ends as well, in memory of the limit's size.
    let endless = MemoryTransport::new(|_| async {
        Ok(HttpResponse::streamed(200, stream::repeat_with(|| Ok(Bytes::from_static(&[0; 64]))).boxed()))
    });
    assert_eq!(read(endless).await, Err(UpstreamErrorKind::TooLarge));
}

#[tokio::test(start_paused = true)]
async fn fewer_bytes_than_announced_are_a_cut_answer() {
    assert_eq!(read(sized(9, Some(10))).await, Err(UpstreamErrorKind::Cut));
    assert_eq!(read(sized(0, Some(10))).await, Err(UpstreamErrorKind::Cut));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_body_is_not_cut_whatever_it_announces() {
    let bodiless = |status| {
        MemoryTransport::new(move |_| async move {
            Ok(HttpResponse::new(status, "").header(header::CONTENT_LENGTH, HeaderValue::from_static("10")))
        })
    };
    for status in [204, 304] {
        assert_eq!(read(bodiless(status)).await, Ok(0));
    }
    let head = UpstreamRequest { method: Method::Head, ..list() };
    assert_eq!(upstream(bodiless(200)).send(&context(), head).await.unwrap().header("content-length"), Some("10"));
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_an_answer() {
    let upstream = upstream(MemoryTransport::new(|_| async {
        let elsewhere = HeaderValue::from_static("https://elsewhere.example/");
        Ok(HttpResponse::new(301, "").header(header::LOCATION, elsewhere))
    }));
    let cx = context();
    let answer = upstream.send(&cx, list()).await.unwrap();
    assert_eq!((answer.status, answer.header(header::LOCATION)), (301, Some("https://elsewhere.example/")));
    assert!(!answer.is_success());
    assert_eq!(cx.tally.upstream_calls(), 1);
}

async fn address(base: &str, path: &str) -> Result<String, UpstreamErrorKind> {
    let seen = Arc::new(Mutex::new(String::new()));
    let writer = seen.clone();
    let mut options = options(MemoryTransport::new(move |request| {
        *writer.lock().unwrap() = request.url.to_string();
        async { Ok(HttpResponse::new(200, "")) }
    }));
    options.base = base.parse().unwrap();
    let upstream = Upstream::new(options);
    upstream.send(&context(), UpstreamRequest::get("list", path)).await.map_err(|error| error.kind())?;
    let sent = seen.lock().unwrap().clone();
    let url: url::Url = sent.parse().unwrap();
    let line = format!("GET {} HTTP/1.1", &url[url::Position::BeforePath..]);
    assert_eq!(upstream.request_line_bytes(path), line.len(), "{line}");
    Ok(sent)
}

#[tokio::test(start_paused = true)]
async fn a_path_is_appended_to_the_path_of_the_base() {
    for (base, sent) in [
        ("https://host", "https://host/api/x/?a=b%20c,d"),
        ("https://host/", "https://host/api/x/?a=b%20c,d"),
        ("https://host/grc", "https://host/grc/api/x/?a=b%20c,d"),
        ("https://host/grc/", "https://host/grc/api/x/?a=b%20c,d"),
        ("http://host:8443/a/grc/", "http://host:8443/a/grc/api/x/?a=b%20c,d"),
        ("https://user:pass@host/grc/?q=1#f", "https://host/grc/api/x/?a=b%20c,d"),
    ] {
        assert_eq!(address(base, "/api/x/?a=b%20c,d").await.as_deref(), Ok(sent));
    }
}

#[tokio::test(start_paused = true)]
async fn a_path_that_would_be_changed_on_the_way_is_refused() {
    for path in
        ["api/", "/a/../b/", "/a/%2e%2E/b/", "/a/./", "/a b/", "/ü/", "/a\\b", "/a?q=x#f", "/a?q='", "/a\n", "@evil/"]
    {
        assert_eq!(address("https://host/grc/", path).await, Err(UpstreamErrorKind::Internal), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_download_may_be_long_and_large_and_holds_its_permit() {
    let mut options = options(dripping(50, 4 * SECOND));
    options.policy.concurrency = 1;
    options.policy.max_body_bytes = 10;
    let upstream = Upstream::new(options);
    let download = upstream.stream(&context_for(SECOND), list()).await.unwrap();
    assert!(download.is_success());
    let start = Instant::now();
    let second = context_for(SECOND);
    assert_eq!(failure(&upstream, &second).await.0, UpstreamErrorKind::Deadline);
    assert_eq!((second.tally.upstream_calls(), second.tally.waited()), (0, SECOND));
    let pieces: Vec<_> = download.into_body().collect().await;
    assert!(pieces.len() == 50 && pieces.iter().all(Result::is_ok));
    assert_eq!(start.elapsed(), 200 * SECOND + SECOND);
    // The permit is free again: this waits for the answer, not in the queue.
    assert_eq!(failure(&upstream, &context()).await, (UpstreamErrorKind::Timeout, 10 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_download_that_falls_silent_or_is_cut_says_so_at_its_end() {
    let download = upstream(dripping(2, 6 * SECOND)).stream(&context(), list()).await.unwrap();
    let pieces: Vec<_> = download.into_body().collect().await;
    assert_eq!(pieces.len(), 1);
    assert_eq!(pieces[0].as_ref().unwrap_err().kind(), UpstreamErrorKind::Timeout);

    let download = upstream(sized(9, Some(10))).stream(&context(), list()).await.unwrap();
    let pieces: Vec<_> = download.into_body().collect().await;
    assert_eq!(pieces[0].as_ref().unwrap().len(), 9);
    assert_eq!(pieces[1].as_ref().unwrap_err().kind(), UpstreamErrorKind::Cut);
}

#[tokio::test(start_paused = true)]
async fn a_refused_download_is_read_within_the_limits_of_a_call() {
    let refusal = MemoryTransport::new(|_| async { Ok(HttpResponse::new(403, "{\"error\":\"no\"}")) });
    let download = upstream(refusal).stream(&context(), list()).await.unwrap();
    assert_eq!(download.status, 403);
    assert_eq!(download.into_response().await.unwrap().body, "{\"error\":\"no\"}");
    let drip = upstream(dripping(50, 4 * SECOND)).stream(&context(), list()).await.unwrap();
    assert_eq!(drip.into_response().await.unwrap_err().kind(), UpstreamErrorKind::Timeout);
}
