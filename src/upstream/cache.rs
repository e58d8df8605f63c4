//! Answers remembered for a short while, by the exact request and the rights of the one who asked.
//!
//! An answer is fresh for as long as the policy says; for as long again it is still given while a new one is fetched; after
//! that it only stands in where the source is not there, and is marked. Errors never come in. Memory is bounded in bytes;
//! what was used longest ago goes first. Own code rather than a crate: some hundred lines, and the smallest one that bounds
//! by bytes took half a minute to build.

use super::context::Context;
use super::policy::Cache as Policy;
use super::request::{Method, UpstreamRequest, UpstreamResponse};
use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What makes two requests the same: whose rights, and everything that is sent but the credential. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key(Arc<Exact>);

#[derive(PartialEq, Eq, Hash)]
struct Exact {
    scope: Arc<str>,
    method: Method,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Bytes>,
    authenticated: bool,
    revision: Option<Arc<str>>,
}

impl Key {
    pub(super) fn new(cx: &Context, request: &UpstreamRequest) -> Self {
        Key(Arc::new(Exact {
            scope: cx.scope.clone(),
            method: request.method,
            path: request.path.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            authenticated: request.authenticated,
            revision: request.revision.clone(),
        }))
    }

    fn bytes(&self) -> usize {
        let headers: usize = self.0.headers.iter().map(|(_, value)| value.len()).sum();
        self.0.path.len() + headers + self.0.body.as_ref().map_or(0, Bytes::len)
    }
}

/// How good a remembered answer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Freshness {
    /// As good as a new one.
    Fresh,
    /// Good enough for now; a new one is to be fetched.
    Ageing,
    /// Only where there is none else.
    Stale,
}

impl Freshness {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Freshness::Fresh => "fresh",
            Freshness::Ageing => "ageing",
            Freshness::Stale => "stale",
        }
    }
}

/// A remembered answer.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) answer: Arc<UpstreamResponse>,
    pub(super) age: Duration,
    pub(super) freshness: Freshness,
}

/// What one source answered of late.
pub(super) struct Cache {
    policy: Policy,
    state: Mutex<State>,
    epoch: AtomicU64,
}

#[derive(Default)]
struct State {
    entries: HashMap<Key, Entry>,
    /// By last use, the longest ago first.
    uses: BTreeMap<u64, Key>,
    last_use: u64,
    bytes: usize,
}

struct Entry {
    answer: Arc<UpstreamResponse>,
    stored: Instant,
    used: u64,
    bytes: usize,
}

/// What an entry costs beside its texts; measured roughly.
const ENTRY_BYTES: usize = 1_024;

impl Cache {
    pub(super) fn new(policy: Policy) -> Self {
        Cache { policy, state: Mutex::default(), epoch: AtomicU64::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic happens while it is half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes up with every write: what was asked before it must not be kept after it.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Relaxed)
    }

    /// What is remembered of this request.
    pub(super) fn look(&self, key: &Key, request: &UpstreamRequest) -> Option<Known> {
        let fresh_for = self.policy.fresh_for(request);
        if fresh_for.is_zero() {
            return None;
        }
        let mut state = self.state();
        let age = state.entries.get(key)?.stored.elapsed();
        let freshness = match age {
            age if age < fresh_for => Freshness::Fresh,
            age if age < fresh_for * 2 => Freshness::Ageing,
            age if age < fresh_for.saturating_add(self.policy.stale) => Freshness::Stale,
            _ => {
                state.remove(key);
                return None;
            }
        };
        Some(Known { answer: state.used(key)?, age, freshness })
    }

    /// Remembers an answer that was asked for in an epoch, unless it is none or the source was written to since.
    pub(super) fn keep(&self, key: &Key, request: &UpstreamRequest, answer: &UpstreamResponse, epoch: u64) {
        if self.policy.fresh_for(request).is_zero() || !is_answer(request, answer) {
            return;
        }
        let bytes = ENTRY_BYTES + key.bytes() + answer.body.len();
        let mut state = self.state();
        if bytes > self.policy.max_bytes || epoch != self.epoch() {
            return;
        }
        state.put(key, Entry { answer: Arc::new(answer.clone()), stored: Instant::now(), used: 0, bytes });
        while state.bytes > self.policy.max_bytes {
            let Some((_, oldest)) = state.uses.first_key_value() else { break };
            let oldest = oldest.clone();
            state.remove(&oldest);
        }
    }

    /// Forgets everything: the source was written to.
    pub(super) fn forget(&self) {
        let mut state = self.state();
        self.epoch.fetch_add(1, Relaxed);
        *state = State::default();
    }
}

/// Never an error, nor what its reader would call one.
fn is_answer(request: &UpstreamRequest, answer: &UpstreamResponse) -> bool {
    answer.status == 200
        && answer.is_json()
        && (request.usable)(answer)
        && serde_json::from_slice::<IgnoredAny>(&answer.body).is_ok()
}

impl State {
    fn put(&mut self, key: &Key, entry: Entry) {
        self.remove(key);
        self.bytes += entry.bytes;
        self.entries.insert(key.clone(), entry);
        self.used(key);
    }

    fn used(&mut self, key: &Key) -> Option<Arc<UpstreamResponse>> {
        self.last_use += 1;
        let entry = self.entries.get_mut(key)?;
        self.uses.remove(&entry.used);
        entry.used = self.last_use;
        self.uses.insert(entry.used, key.clone());
        Some(entry.answer.clone())
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.uses.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Remember;
    use reqwest::header::{CONTENT_TYPE, HeaderMap};
    use tokio::time::advance;

    const SECOND: Duration = Duration::from_secs(1);

    fn cache(max_bytes: usize) -> Cache {
        let (lists, details, catalogues, stale) = (2 * SECOND, 30 * SECOND, Duration::ZERO, 60 * SECOND);
        let revisions = 3_600 * SECOND;
        Cache::new(Policy { lists, details, revisions, catalogues, stale, max_bytes })
    }

    fn request(path: &str) -> UpstreamRequest {
        UpstreamRequest::get("list", path).remember(Remember::List)
    }

    fn key(request: &UpstreamRequest, scope: &str) -> Key {
        Key::new(&Context::new(Instant::now(), "r", scope), request)
    }

    fn answer(body: &str) -> UpstreamResponse {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        UpstreamResponse { status: 200, headers, body: body.to_owned().into(), received: None }
    }

    fn keep(cache: &Cache, request: &UpstreamRequest, answer: &UpstreamResponse) -> Key {
        let key = key(request, "a");
        cache.keep(&key, request, answer, cache.epoch());
        key
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_fresh_then_ageing_then_stale_then_gone() {
        let cache = cache(1 << 20);
        let key = keep(&cache, &request("/a"), &answer("{}"));
        let mut seen = Vec::new();
        for step in [0, 1_999, 1, 1_999, 1, 57_999, 1] {
            advance(Duration::from_millis(step)).await;
            seen.push(cache.look(&key, &request("/a")).map(|known| known.freshness));
        }
        use Freshness::{Ageing, Fresh, Stale};
        assert_eq!(seen, [Some(Fresh), Some(Fresh), Some(Ageing), Some(Ageing), Some(Stale), Some(Stale), None]);
        assert_eq!(cache.state().bytes, 0, "what is gone costs nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn each_kind_has_its_time_and_zero_is_never() {
        let cache = cache(1 << 20);
        for (remember, kept) in [
            (Remember::Never, None),
            (Remember::Catalogue, None),
            (Remember::List, Some(Freshness::Stale)),
            (Remember::Detail, Some(Freshness::Fresh)),
        ] {
            let request = request("/a").remember(remember);
            let key = keep(&cache, &request, &answer("{}"));
            advance(10 * SECOND).await;
            assert_eq!(cache.look(&key, &request).map(|known| known.freshness), kept, "{remember:?}");
            cache.forget();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_differs_is_another_request() {
        let base = request("/a");
        let other: [UpstreamRequest; 6] = [
            base.clone().of_revision("1"),
            request("/a?"),
            base.clone().header(CONTENT_TYPE, HeaderValue::from_static("text/plain")),
            UpstreamRequest { method: Method::Head, ..base.clone() },
            UpstreamRequest { body: Some("{}".into()), ..base.clone() },
            base.clone().unauthenticated(),
        ];
        assert!(key(&base, "a") == key(&request("/a"), "a"));
        assert!(key(&base, "a") != key(&base, "b"), "other rights");
        for other in other {
            assert!(key(&base, "a") != key(&other, "a"), "{other:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn errors_and_what_reads_like_one_are_not_kept() {
        let cache = cache(1 << 20);
        let kept = |request: &UpstreamRequest, answer: &UpstreamResponse| {
            cache.look(&keep(&cache, request, answer), request).is_some()
        };
        for status in [204, 301, 404, 429, 500] {
            assert!(!kept(&request("/a"), &UpstreamResponse { status, ..answer("{}") }), "{status}");
        }
        for body in ["", "<html>", "{\"a\":", "{} {}"] {
            assert!(!kept(&request("/a"), &answer(body)), "{body}");
        }
        let html = UpstreamResponse { headers: HeaderMap::new(), ..answer("{}") };
        assert!(!kept(&request("/a"), &html));
        assert!(!kept(&request("/a").usable_if(|answer| answer.body != "{}"), &answer("{}")));
        assert!(kept(&request("/a"), &answer("{}")));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_and_what_was_used_longest_ago_goes_first() {
        let cache = cache(3 * (ENTRY_BYTES + 102));
        let big = answer(&format!("\"{}\"", "x".repeat(98)));
        let keys: Vec<Key> = ["/a", "/b", "/c"].map(|path| keep(&cache, &request(path), &big)).into();
        assert!(cache.look(&keys[0], &request("/a")).is_some());
        keep(&cache, &request("/d"), &big);
        let left: Vec<bool> = keys.iter().map(|key| cache.look(key, &request("/a")).is_some()).collect();
        assert_eq!(left, [true, false, true]);
        assert!(cache.state().bytes <= 3 * (ENTRY_BYTES + 102));
        // The same again takes its own place, and what is larger than everything is not taken at all.
        keep(&cache, &request("/d"), &big);
        keep(&cache, &request("/e"), &answer(&format!("\"{}\"", "x".repeat(5_000))));
        assert_eq!(cache.state().entries.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_empties_it_and_keeps_out_what_was_asked_before() {
        let cache = cache(1 << 20);
        let first = keep(&cache, &request("/a"), &answer("{}"));
        let (epoch, request) = (cache.epoch(), request("/b"));
        cache.forget();
        cache.keep(&key(&request, "a"), &request, &answer("{}"), epoch);
        assert!(cache.look(&first, &request).is_none());
        assert!(cache.look(&key(&request, "a"), &request).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_detail_is_remembered_as_long_as_its_record_is_not_modified() {
        let cache = cache(1 << 20);
        let of = |revision: &str| request("/a").remember(Remember::Detail).of_revision(revision);
        let key_of = |revision: &str| key(&of(revision), "a");
        cache.keep(&key_of("1"), &of("1"), &answer("{}"), 0);
        advance(3_000 * SECOND).await;
        let seen = ["1", "2"].map(|at| cache.look(&key_of(at), &of(at)).map(|known| known.freshness));
        assert_eq!(seen, [Some(Freshness::Fresh), None]);
    }
}
