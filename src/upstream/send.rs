//! The steps of a call, in order, on one screen. See the module's page for the reason of each height.

use super::allowance::{Allowance, Counted};
use super::body::Exchange;
use super::breaker::{Breaker, Circuit, Verdict};
use super::cache::{Cache, Freshness, Key, Known};
use super::context::{Context, Purpose};
use super::credential::{AfterRejection, Credential};
use super::error::{UpstreamError, UpstreamErrorKind};
use super::flight::{Flights, Outcome, Part};
use super::limit::Places;
use super::policy::Policy;
use super::request::{UpstreamRequest, UpstreamResponse, UpstreamStream};
use super::retry::{self, Budget, Jitter};
use super::transport::Transport;
use super::wire::{Endpoint, Wire};
use crate::telemetry::events;
use reqwest::header::HeaderMap;
use std::sync::Arc;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

/// What an [`Upstream`] is made of.
pub struct UpstreamOptions {
    /// Name of the source, for the log.
    pub name: String,
    /// Address of the source, with or without a path and a trailing slash. User, query and fragment are dropped: what
    /// proves who we are stands in `credential`.
    pub base: Url,
    pub policy: Policy,
    pub transport: Arc<dyn Transport>,
    pub credential: Arc<dyn Credential>,
}

/// The conversation with one source. Share it: its limits hold for everything that goes through one value.
pub struct Upstream {
    line: Arc<Line>,
    flights: Flights,
}

/// Everything below the sharing of calls; held by calls that several wait for.
struct Line {
    endpoint: Arc<Endpoint>,
    credential: Arc<dyn Credential>,
    cache: Cache,
    budget: Budget,
    jitter: Jitter,
    breaker: Breaker,
    allowance: Arc<Allowance>,
    places: Places,
}

impl Upstream {
    /// Nothing is sent before the first request.
    pub fn new(options: UpstreamOptions) -> Self {
        Self::with_jitter(options, retry::system_jitter())
    }

    pub(super) fn with_jitter(options: UpstreamOptions, jitter: Jitter) -> Self {
        let endpoint = Endpoint::new(options.name.into(), options.base, options.policy, options.transport);
        let (policy, source) = (&endpoint.policy, endpoint.source.clone());
        let line = Line {
            credential: options.credential,
            cache: Cache::new(policy.cache.clone()),
            budget: Budget::new(&policy.retry),
            jitter,
            breaker: Breaker::new(source.clone(), policy.breaker.clone()),
            allowance: Arc::new(Allowance::new(source, policy)),
            places: Places::new(policy.concurrency),
            endpoint: Arc::new(endpoint),
        };
        Upstream { line: Arc::new(line), flights: Flights::default() }
    }

    /// Name of the source.
    pub fn name(&self) -> &str {
        &self.line.endpoint.source
    }

    /// Limits of the source.
    pub fn policy(&self) -> &Policy {
        &self.line.endpoint.policy
    }

    /// Whether calls go through to the source.
    pub fn circuit(&self) -> Circuit {
        self.line.breaker.circuit()
    }

    #[cfg(test)]
    pub(super) fn flights_under_way(&self) -> usize {
        self.flights.count()
    }

    /// Bytes of the request line `GET <base path><path> HTTP/1.1`, for servers that limit it.
    pub fn request_line_bytes(&self, path: &str) -> usize {
        "GET ".len() + self.line.endpoint.base_path_bytes() + path.len() + " HTTP/1.1".len()
    }

    /// Asks and reads the whole answer. Any status but a 401 to an authenticated request is an answer.
    /// Fails as [`UpstreamErrorKind`] lists; never after the deadline of `cx`.
    pub async fn send(&self, cx: &Context, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamError> {
        if !request.safe {
            return self.write(cx, request).await;
        }
        let key = Key::new(cx, &request);
        // cache: an answer that is known costs nothing, so nothing may come before it.
        let known = self.line.cache.look(&key, &request);
        if let Some(known) = known.as_ref().filter(|known| known.freshness != Freshness::Stale) {
            if known.freshness == Freshness::Ageing {
                self.refresh(cx, &request, &key);
            }
            return Ok(self.remembered(cx, &request, known));
        }
        // coalesce: before retry, so that all who wait for one flight share its repetitions as well.
        let outcome = match self.policy().share {
            true => self.share(cx, &request, &key).await,
            false => self.line.fetch(cx, &request, &key).await,
        };
        cx.tally.note_circuit(self.circuit());
        match known {
            // The source is not there: what it said before is better than nothing, if it is marked.
            Some(known) if is_absence(&outcome) => Ok(self.remembered(cx, &request, &known)),
            _ => outcome,
        }
    }

    /// Asks and hands over the body as it comes: for downloads. Total timeout and deadline count until the head is here,
    /// then only the idle timeout does; the permit is held until the stream is read or dropped.
    pub async fn stream(&self, cx: &Context, request: UpstreamRequest) -> Result<UpstreamStream, UpstreamError> {
        // Not remembered, shared or repeated: a download is long and has one reader.
        let entry = self.line.breaker.enter(request.operation)?;
        let exchange = self.line.open(cx, &request).await;
        let verdict = exchange.as_ref().map_or_else(Verdict::of_error, |opened| Verdict::of_status(opened.status));
        entry.leave(verdict);
        Ok(UpstreamStream::new(exchange?))
    }

    /// One call, in a task of its own: a write that has begun is not broken off because nobody waits for it any more. It is
    /// never repeated, and everything that is remembered of the source is forgotten after it, whatever came of it.
    async fn write(&self, cx: &Context, request: UpstreamRequest) -> Outcome {
        let (line, cx, operation) = (self.line.clone(), cx.clone(), request.operation);
        let task = tokio::spawn(async move {
            let outcome = line.attempt(&cx, &request).await;
            line.cache.forget();
            cx.tally.note_circuit(line.breaker.circuit());
            outcome
        });
        task.await
            .unwrap_or_else(|error| Err(UpstreamError::new(UpstreamErrorKind::Internal, operation).with_cause(error)))
    }

    async fn share(&self, cx: &Context, request: &UpstreamRequest, key: &Key) -> Outcome {
        let flight = (key.clone(), cx.priority, self.line.cache.epoch());
        let take_off = || {
            let (line, cx, request, key) = (self.line.clone(), cx.clone(), request.clone(), key.clone());
            async move { line.fetch(&cx, &request, &key).await }
        };
        let (part, outcome) = self.flights.share(cx, request.operation, flight, take_off).await;
        if part == Part::Shared {
            events::call_shared(self.name(), request.operation);
        }
        outcome
    }

    /// Fetches a new answer that nobody waits for. Ends by itself with the total timeout.
    fn refresh(&self, cx: &Context, request: &UpstreamRequest, key: &Key) {
        let deadline = Instant::now().checked_add(self.policy().total_timeout).unwrap_or(cx.deadline);
        let cx = Context { deadline, ..cx.fork().background() };
        let again = Upstream { line: self.line.clone(), flights: self.flights.clone() };
        let (request, key) = (request.clone(), key.clone());
        // What becomes of it is in the log and in the cache.
        tokio::spawn(async move { again.share(&cx, &request, &key).await });
    }

    fn remembered(&self, cx: &Context, request: &UpstreamRequest, known: &Known) -> UpstreamResponse {
        events::answer_remembered(self.name(), request.operation, known.freshness.as_str());
        cx.tally.add_remembered(known.age, known.freshness == Freshness::Stale);
        UpstreamResponse::clone(&known.answer)
    }
}

/// Whether the source gave nothing because it is down, overrun or out of reach; not where it refuses us, as it may have
/// reason to.
fn is_absence(outcome: &Outcome) -> bool {
    match outcome {
        Ok(answer) => is_busy_or_down(answer.status),
        Err(error) => match error.kind() {
            UpstreamErrorKind::Connect
            | UpstreamErrorKind::Timeout
            | UpstreamErrorKind::Deadline
            | UpstreamErrorKind::Lost
            | UpstreamErrorKind::Cut
            | UpstreamErrorKind::RateLimited
            | UpstreamErrorKind::CircuitOpen => true,
            UpstreamErrorKind::LoginFailed(status) => is_busy_or_down(status),
            UpstreamErrorKind::Tls
            | UpstreamErrorKind::TooLarge
            | UpstreamErrorKind::Protocol
            | UpstreamErrorKind::CredentialRefused
            | UpstreamErrorKind::SecondFactorPending
            | UpstreamErrorKind::Internal => false,
        },
    }
}

fn is_busy_or_down(status: u16) -> bool {
    status == 429 || status >= 500
}

impl Line {
    /// retry: around single attempts, since breaker and limits count attempts, as the vendor does. For safe requests only.
    async fn fetch(&self, cx: &Context, request: &UpstreamRequest, key: &Key) -> Outcome {
        let (epoch, policy) = (self.cache.epoch(), &self.endpoint.policy.retry);
        self.budget.earn();
        let mut outcome = self.attempt(cx, request).await;
        for repeat in 0.. {
            let Some(asked) = retry::worth_repeating(&outcome) else { break };
            let pause = retry::pause(policy, repeat, asked, (self.jitter)(), Instant::now(), cx.deadline);
            let Some(pause) = pause.filter(|_| self.budget.spend()) else { break };
            events::call_repeated(&self.endpoint.source, request.operation, &cx.request_id, pause);
            sleep(pause).await;
            match self.attempt(cx, request).await {
                // What opened the circuit says more than that it is open.
                Err(error) if error.kind() == UpstreamErrorKind::CircuitOpen => break,
                again => outcome = again,
            }
        }
        if let Ok(answer) = &outcome {
            self.cache.keep(key, request, answer, epoch);
        }
        outcome
    }

    /// breaker: at the top of an attempt, since one that it refuses must neither use up the quota nor queue.
    async fn attempt(&self, cx: &Context, request: &UpstreamRequest) -> Outcome {
        let entry = self.breaker.enter(request.operation)?;
        let outcome = match self.open(cx, request).await {
            Ok(exchange) => exchange.read().await,
            Err(error) => Err(error),
        };
        entry.leave(Verdict::of(&outcome));
        if let Some(wait) = outcome.as_ref().ok().filter(|answer| answer.status == 429).and_then(|it| it.retry_after())
        {
            self.allowance.note(request.operation, wait);
        }
        outcome
    }

    /// quota → permit → credential → http: one attempt, to the head of the answer. Who waits for the quota of one operation
    /// must not hold a permit that others could use.
    async fn open(&self, cx: &Context, request: &UpstreamRequest) -> Result<Exchange, UpstreamError> {
        let counted = self.allowance.pass(cx, request.operation, Counted::default()).await?;
        let queued = Instant::now();
        let permit = timeout_at(cx.deadline, self.places.take(cx.priority)).await;
        cx.tally.add_waited(queued.elapsed());
        let permit = permit.map_err(|_| deadline_passed(request))?;
        let mut exchange = if request.authenticated {
            self.authenticated(cx, request, counted).await?
        } else {
            self.allowance.sent(&counted);
            self.endpoint.open(cx, request, &HeaderMap::new(), Purpose::Call).await?
        };
        exchange.permit = Some(permit);
        Ok(exchange)
    }

    /// With the credential, and with a renewed one if the first is refused. A 401 means that nothing was done, so that any
    /// request may be sent again, a write as well.
    async fn authenticated(
        &self,
        cx: &Context,
        request: &UpstreamRequest,
        mut counted: Counted,
    ) -> Result<Exchange, UpstreamError> {
        let refused = || UpstreamError::new(UpstreamErrorKind::CredentialRefused, request.operation);
        for attempt in 0..2 {
            if attempt > 0 {
                // The vendor counts the second one, too.
                counted = self.allowance.pass(cx, request.operation, Counted::default()).await?;
            }
            let wire = Wire::new(self.endpoint.clone(), self.allowance.clone(), cx, counted);
            let headers = timeout_at(cx.deadline, self.credential.headers(&wire)).await;
            let headers = headers.map_err(|_| deadline_passed(request))??;
            // A login has taken its place.
            counted = self.allowance.pass(cx, request.operation, wire.left()).await?;
            self.allowance.sent(&counted);
            let exchange = self.endpoint.open(cx, request, &headers, Purpose::Call).await?;
            if exchange.status != 401 {
                self.credential.accepted(&headers);
                return Ok(exchange);
            }
            // Read for the log; what became of it does not matter.
            let _ = exchange.read().await;
            if self.credential.rejected(&headers) == AfterRejection::GiveUp {
                return Err(refused());
            }
        }
        Err(refused())
    }
}

fn deadline_passed(request: &UpstreamRequest) -> UpstreamError {
    UpstreamError::new(UpstreamErrorKind::Deadline, request.operation)
}
