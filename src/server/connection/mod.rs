//! One connection from its first byte to its last: HTTP/1.1 by hyper, and an end for every way in which a client can keep the
//! gateway waiting. `place` knows what the connection is doing, `watched` and `answering` tell it.

mod answering;
mod place;
mod watched;

pub(super) use place::Place;

use answering::Answering;
use axum::Router;
use hyper::server::conn::http1::{self, Connection};
use hyper_util::rt::TokioIo;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use watched::Watched;

/// Longest head of a request, in bytes; also what hyper holds of a body at one time. With many connections this is what
/// they can make the gateway hold.
const MAX_HEAD: usize = 64 * 1024;
/// How long a client may go on sending what nobody will read. A connection closed in its face would take the answer with
/// it, and the client would not learn what was wrong.
const LINGER: Duration = Duration::from_secs(2);
/// How much of it is thrown away at most.
const LINGER_BYTES: usize = 32 * 1024 * 1024;
/// The timer's setting where a connection has no deadline: often enough for nothing, seldom enough to cost nothing.
const FAR: Duration = Duration::from_secs(600);

/// Said to a client whose head does not end. No request came of it, so that it has no id.
const SLOW_HEAD: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncache-control: no-store\r\n\
x-content-type-options: nosniff\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 102\r\n\r\n\
{\"errors\":[{\"message\":\"The request did not arrive in time.\",\"extensions\":{\"code\":\"BAD_USER_INPUT\"}}]}\n";

type Served = Connection<TokioIo<Watched>, Answering>;

/// Why a connection ends.
enum End {
    /// HTTP says so, or the client.
    Finished,
    /// The client had the gateway wait too long.
    Overdue,
    /// Others need its place.
    Cleared,
}

/// Serves one connection. When `stopping` is cancelled, the request in flight is still answered; a connection without one
/// ends at once.
pub(super) async fn serve(stream: TcpStream, router: Router, place: Arc<Place>, stopping: CancellationToken) {
    let stream = TokioIo::new(Watched::new(stream, place.clone()));
    let mut http = http1::Builder::new();
    // Its time for heads would run between requests as well, and answers nothing.
    http.header_read_timeout(None).max_buf_size(MAX_HEAD);
    let mut connection = http.serve_connection(stream, Answering::new(router, place.clone()));
    let mut timer = pin!(sleep_until(Instant::now() + FAR));
    let mut told = false;
    let end = loop {
        tokio::select! {
            biased;
            end = advance(&mut connection, timer.as_mut(), &place) => break end,
            // A request may have come between the decision and this.
            () = place.cleared() => if place.waiting_since().is_some() { break End::Cleared },
            () = stopping.cancelled(), if !told => {
                told = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let stream = connection.into_parts().io.into_inner().into_inner();
    match end {
        End::Finished => tokio::select! {
            () = linger(stream) => {}
            () = stopping.cancelled() => {}
        },
        End::Overdue if place.has_partial_head() => refuse(stream).await,
        End::Overdue | End::Cleared => {}
    }
}

/// Runs the connection until it ends, or until it is overdue. All that moves its deadline happens below this.
async fn advance(connection: &mut Served, mut timer: Pin<&mut Sleep>, place: &Place) -> End {
    poll_fn(|cx| {
        // What failed was the client, or was said to it by hyper already.
        if Pin::new(&mut *connection).poll(cx).is_ready() {
            return Poll::Ready(End::Finished);
        }
        loop {
            let deadline = place.deadline();
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return Poll::Ready(End::Overdue);
            }
            // Set anew only where it would ring too late: a busy connection's deadline moves with each request.
            if let Some(deadline) = deadline.filter(|deadline| *deadline < timer.deadline()) {
                timer.as_mut().reset(deadline);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            timer.as_mut().reset(deadline.unwrap_or_else(|| Instant::now() + FAR));
        }
    })
    .await
}

/// Lets the client finish what it says, so that it hears the answer.
async fn linger(mut stream: TcpStream) {
    let reading = async {
        let mut sink = vec![0; 16 * 1024];
        let mut left = LINGER_BYTES;
        while left > 0 {
            match stream.read(&mut sink).await {
                Ok(0) | Err(_) => return,
                Ok(length) => left = left.saturating_sub(length),
            }
        }
    };
    // Whoever still sends after that is cut off.
    let _ = timeout(LINGER, reading).await;
}

/// Tells a client that its head took too long.
async fn refuse(mut stream: TcpStream) {
    let telling = async {
        stream.write_all(SLOW_HEAD).await?;
        stream.shutdown().await
    };
    // A client that does not listen either has had its chance.
    let _ = timeout(LINGER, telling).await;
}
