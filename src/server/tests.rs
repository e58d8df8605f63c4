//! The layer around all routes, where a handler fails.

use super::identify::{RequestId, identify};
use super::*;
use crate::federation::{CursorKey, Federation, FederationOptions, SnapshotLimits};
use crate::graphql::{ApiOptions, QueryLimits};
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(super) fn state() -> ServerState {
    let options = FederationOptions {
        sources: Vec::new(),
        cursor_key: CursorKey([1; 32]),
        scan_limit: 100,
        snapshots: SnapshotLimits::default(),
    };
    let api =
        ApiOptions { download_key: [2; 32], base_url: "http://gateway.test".into(), limits: QueryLimits::default() };
    let next = AtomicU8::new(1);
    ServerState {
        api: Arc::new(Api::new(Arc::new(Federation::new(options)), api)),
        clock: Arc::new(Time::default),
        random: Arc::new(move |bytes| bytes.fill(next.fetch_add(1, Ordering::Relaxed))),
        request_timeout: Duration::from_secs(5),
        readiness: Readiness::default(),
        options: Arc::default(),
        bodies: BodyRoom::default(),
        unauthenticated_beyond_loopback: false,
    }
}

async fn explode() -> Response {
    panic!("as the test wants it")
}

async fn own_id(Extension(id): Extension<RequestId>) -> String {
    id.as_str().to_owned()
}

#[tokio::test]
async fn a_panic_ends_its_request_and_nothing_else() {
    let state = state();
    let routes = Router::new().route("/explode", get(explode)).route("/id", get(own_id));
    let routes = routes.layer(from_fn_with_state(state, identify));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    // One connection for both requests: it must outlive the panic as well.
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /explode HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    stream.write_all(b"GET /id HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut received = String::new();
    stream.read_to_string(&mut received).await.unwrap();
    let (first, second) = (format!("{:02x}", 1).repeat(12), format!("{:02x}", 2).repeat(12));
    assert!(received.starts_with("HTTP/1.1 500 "), "{received}");
    assert!(received.contains(&format!("x-request-id: {first}\r\n")), "{received}");
    let error = format!("\"extensions\":{{\"code\":\"INTERNAL\",\"requestId\":\"{first}\"}}");
    assert!(received.contains(&error), "{received}");
    assert!(received.contains("HTTP/1.1 200 ") && received.ends_with(&second), "{received}");
    assert!(!received.contains("as the test wants it"), "{received}");
}

#[tokio::test]
async fn a_stream_that_nobody_reads_ends() {
    let pieces = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 65_536]));
    let stream = move || async move { axum::body::Body::from_stream(pieces) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let options = ServerOptions { idle_timeout: Duration::from_millis(300), ..ServerOptions::default() };
    let served = tokio::spawn(async move {
        let routes = Router::new().route("/", get(stream));
        serve(listener, routes, Readiness::default(), async move { drop(stopped.await) }, &options).await
    });
    let mut unread = TcpStream::connect(address).await.unwrap();
    unread.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(2), served).await;
    assert_eq!(ended.expect("nothing is left to end").unwrap(), Stopped::Finished);
}
