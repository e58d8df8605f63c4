//! The routes as hyper asks them, telling the connection's [`Place`] when a request begins and when its answer is out.

use super::place::Place;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::Service;
use hyper_util::service::{TowerToHyperService, TowerToHyperServiceFuture};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The routes, for one connection.
pub(super) struct Answering {
    routes: TowerToHyperService<Router>,
    place: Arc<Place>,
}

impl Answering {
    pub(super) fn new(routes: Router, place: Arc<Place>) -> Self {
        Answering { routes: TowerToHyperService::new(routes), place }
    }
}

impl Service<Request<Incoming>> for Answering {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Coming;

    fn call(&self, request: Request<Incoming>) -> Coming {
        self.place.asked();
        Coming { answer: Box::pin(self.routes.call(request)), place: self.place.clone() }
    }
}

/// An answer that is being made.
pub(super) struct Coming {
    answer: Pin<Box<TowerToHyperServiceFuture<Router, Request<Incoming>>>>,
    place: Arc<Place>,
}

impl Future for Coming {
    type Output = Result<Response<Answer>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(self.answer.as_mut().poll(cx))?;
        Poll::Ready(Ok(answer.map(|body| Answer { body, place: self.place.clone() })))
    }
}

/// An answer's body. hyper drops it when the last of it was handed on.
pub(super) struct Answer {
    body: Body,
    place: Arc<Place>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.place.answered();
    }
}
