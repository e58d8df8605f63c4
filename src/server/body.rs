//! Reading a request's body: not longer, not slower than allowed, and never so many at one time that memory runs out.

use super::ServerOptions;
use super::answer::Problem;
use crate::graphql::ErrorCode;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::BytesMut;
use http_body_util::BodyExt;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// What all bodies that are being received may take together beyond [`FREE`], in bytes. With a thousand connections, each a
/// byte short of the longest body, it would be a gigabyte otherwise.
const TOGETHER: usize = 64 * 1024 * 1024;
/// This much of each body counts for nothing, so that long bodies that stand still do not shut ordinary ones out.
const FREE: usize = 16 * 1024;

/// Room for long bodies. Clones are the same.
#[derive(Clone, Debug)]
pub struct BodyRoom(Arc<Semaphore>);

impl Default for BodyRoom {
    fn default() -> Self {
        BodyRoom(Arc::new(Semaphore::new(TOGETHER)))
    }
}

/// A body, and the room that it takes.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// Reads a body to its end, until `deadline` or as long as bodies may take, whichever is sooner.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    deadline: Instant,
    options: &ServerOptions,
    room: &BodyRoom,
) -> Result<Received, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > options.max_body_bytes) {
        return Err(too_long(options.max_body_bytes));
    }
    let deadline = deadline.min(Instant::now() + options.body_timeout);
    match timeout_at(deadline, collect(body, announced.unwrap_or(0), options.max_body_bytes, room)).await {
        Ok(received) => received,
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.").closing()),
    }
}

/// `announced` is the body's length where it is known, and otherwise 0.
async fn collect(mut body: Body, announced: usize, max: usize, room: &BodyRoom) -> Result<Received, Problem> {
    let mut whole = BytesMut::new();
    let mut taken: Option<OwnedSemaphorePermit> = None;
    while let Some(frame) = body.frame().await {
        let cut =
            |_| Problem::bad_request("The body is incomplete, or its parts are not as HTTP wants them.").closing();
        // Trailers say nothing to us.
        let Ok(data) = frame.map_err(cut)?.into_data() else { continue };
        let length = whole.len() + data.len();
        if length > max {
            return Err(too_long(max));
        }
        let held = taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if length.saturating_sub(FREE) > held {
            // Of a known length at once: to grow step by step takes twice as much, and more while it is copied.
            let target = length.max(announced);
            let more = u32::try_from(target - FREE - held).unwrap_or(u32::MAX);
            let permit = room.0.clone().try_acquire_many_owned(more).map_err(|_| no_room())?;
            match &mut taken {
                Some(taken) => taken.merge(permit),
                None => taken = Some(permit),
            }
            whole.reserve(target - whole.len());
        }
        whole.extend_from_slice(&data);
    }
    Ok(Received { bytes: whole.freeze(), _room: taken })
}

fn too_long(max: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The body is longer than {max} bytes.")).closing()
}

fn no_room() -> Problem {
    let message = "The gateway is receiving too many long bodies at present. Try again soon.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, message).with_code(ErrorCode::RateLimited).closing()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(length: usize) -> Body {
        Body::from(vec![b'x'; length])
    }

    #[tokio::test]
    async fn long_bodies_share_a_room_and_short_ones_need_none() {
        for announced in [0, FREE + 600] {
            let room = BodyRoom(Arc::new(Semaphore::new(1_000)));
            let first = collect(body(FREE + 600), announced, 1 << 20, &room).await.unwrap();
            assert_eq!((first.bytes.len(), room.0.available_permits()), (FREE + 600, 400));
            let refused = collect(body(FREE + 600), announced, 1 << 20, &room).await.unwrap_err();
            assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(collect(body(FREE), FREE, 1 << 20, &room).await.unwrap().bytes.len(), FREE);
            drop(first);
            assert_eq!(room.0.available_permits(), 1_000, "what is read gives its room back");
            assert!(collect(body(FREE + 600), announced, 1 << 20, &room).await.is_ok());
        }
    }
}
