//! A transport without sockets, for tests and for embedding: a function answers. Works with a paused clock, which jumps as
//! soon as everybody waits for it.

use super::transport::{HttpRequest, HttpResponse, Transport, TransportError};
use futures_util::future::BoxFuture;
use std::future::Future;

/// Answers every request by calling a function.
pub struct MemoryTransport {
    answer: Box<dyn Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, TransportError>> + Send + Sync>,
}

impl MemoryTransport {
    /// `answer` sees each request as it would go out, credential included; whatever it awaits delays the head.
    pub fn new<F, A>(answer: F) -> Self
    where
        F: Fn(HttpRequest) -> A + Send + Sync + 'static,
        A: Future<Output = Result<HttpResponse, TransportError>> + Send + 'static,
    {
        MemoryTransport { answer: Box::new(move |request| Box::pin(answer(request))) }
    }
}

impl Transport for MemoryTransport {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        (self.answer)(request)
    }
}
