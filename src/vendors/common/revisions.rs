//! In which state each incident was when it was last seen, as its time of modification: what belongs to that state need
//! not be asked for again while the incident has not changed.

use crate::{
    domain::{Incident, NativeId, Time},
    source::Call,
    upstream::UpstreamRequest,
};
use chrono::TimeDelta;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Between once and twice as many incidents are known; arbitrary, some hundred kilobytes.
const ENOUGH: usize = 4_096;
/// What changed later than this may change again without its time telling, where times are whole seconds. A minute also covers
/// clocks that are a little apart.
const SETTLED_AFTER: TimeDelta = TimeDelta::minutes(1);

/// Times of modification of one source's incidents, the ones last seen. They are not shown to anybody, so all callers share
/// them; answers are remembered by caller and time.
#[derive(Default)]
pub(in crate::vendors) struct Revisions(Mutex<Known>);

/// When `young` is full, it grows old, and what was old is forgotten.
#[derive(Default)]
struct Known {
    young: HashMap<NativeId, State>,
    old: HashMap<NativeId, State>,
}

/// When it was modified, and how many comments it has, where its row tells that.
type State = (Time, Option<u64>);

impl Revisions {
    /// To be told of each incident that the source gives. One that does not tell when it was modified, or that was
    /// modified only just now, is in no state that could be named.
    pub(in crate::vendors) fn saw(&self, call: &Call, incident: &Incident) {
        let (mut known, id) = (self.known(), &incident.key.native);
        match incident.updated_at.filter(|at| *at <= call.now - SETTLED_AFTER) {
            Some(at) => known.put(id, (at, incident.comment_count)),
            None => known.forget(id),
        }
    }

    /// To be told where an incident's state cannot be named for a reason of the vendor's own.
    pub(in crate::vendors) fn forget(&self, incident: &NativeId) {
        self.known().forget(incident);
    }

    /// The request for something of this one incident, with the state that the incident was last seen in, if that is known.
    /// For requests that are marked [`crate::upstream::Remember::Detail`].
    pub(in crate::vendors) fn of(&self, incident: &NativeId, request: UpstreamRequest) -> UpstreamRequest {
        self.of_all(std::slice::from_ref(incident), request)
    }

    /// The same for a request for something of several incidents, in this order: in a state only if each of them is.
    pub(in crate::vendors) fn of_all(&self, incidents: &[NativeId], request: UpstreamRequest) -> UpstreamRequest {
        let known = self.known();
        let name = |(at, comments): State| match comments {
            None => at.timestamp_micros().to_string(),
            Some(comments) => format!("{}/{comments}", at.timestamp_micros()),
        };
        let states: Option<Vec<String>> = incidents.iter().map(|id| known.at(id).map(name)).collect();
        match states {
            Some(states) => request.of_revision(states.join(" ")),
            None => request,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing under this lock can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn put(&mut self, id: &NativeId, state: State) {
        if self.young.len() >= ENOUGH && !self.young.contains_key(id) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id.clone(), state);
    }

    fn forget(&mut self, id: &NativeId) {
        self.young.remove(id);
        self.old.remove(id);
    }

    fn at(&self, id: &NativeId) -> Option<State> {
        self.young.get(id).or_else(|| self.old.get(id)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Caller, Key, SourceKind, SourceName},
        upstream::Context,
    };
    use std::sync::Arc;
    use tokio::time::Instant;

    fn call() -> Call {
        let now = Time::from_timestamp_millis(1_700_000_000_000).unwrap();
        Call { caller: Arc::new(Caller::local()), context: Context::new(Instant::now(), "r", "a"), now }
    }

    fn incident(id: usize, updated_at: Option<Time>) -> Incident {
        let key = Key::new(&SourceName::new("x"), &*id.to_string());
        let mut incident = Incident::new(key, SourceKind::CortexXpanse);
        incident.updated_at = updated_at;
        incident
    }

    fn revision(revisions: &Revisions, id: usize) -> Option<Arc<str>> {
        revisions.of(&NativeId::new(&id.to_string()), UpstreamRequest::get("read", "/")).revision
    }

    #[test]
    fn a_request_belongs_to_the_state_last_seen() {
        let (revisions, call) = (Revisions::default(), call());
        let at = |seconds| Some(call.now - TimeDelta::seconds(seconds));
        assert_eq!(revision(&revisions, 1), None, "never seen");
        revisions.saw(&call, &incident(1, at(3_600)));
        revisions.saw(&call, &incident(2, at(3_601)));
        let first = revision(&revisions, 1).unwrap();
        assert_ne!(Some(&first), revision(&revisions, 2).as_ref());
        revisions.saw(&call, &incident(1, at(3_000)));
        assert_ne!(revision(&revisions, 1), Some(first.clone()));
        // The list may be older than what was read before it; what hangs on its rows is then, too.
        revisions.saw(&call, &incident(1, at(3_600)));
        assert_eq!(revision(&revisions, 1), Some(first));
    }

    #[test]
    fn another_number_of_comments_is_another_state() {
        let (revisions, call) = (Revisions::default(), call());
        let mut incident = incident(1, Some(call.now - TimeDelta::hours(1)));
        let seen = [None, Some(0), Some(1)].map(|comments| {
            incident.comment_count = comments;
            revisions.saw(&call, &incident);
            revision(&revisions, 1).unwrap()
        });
        assert!(seen[0] != seen[1] && seen[1] != seen[2]);
    }

    #[test]
    fn several_are_in_a_state_only_if_each_is() {
        let (revisions, call) = (Revisions::default(), call());
        let at = |seconds| Some(call.now - TimeDelta::seconds(seconds));
        let of = |ids: [usize; 2]| {
            let ids = ids.map(|id| NativeId::new(&id.to_string()));
            revisions.of_all(&ids, UpstreamRequest::get("read", "/")).revision
        };
        revisions.saw(&call, &incident(1, at(3_600)));
        assert_eq!(of([1, 2]), None);
        revisions.saw(&call, &incident(2, at(3_601)));
        let both = of([1, 2]).unwrap();
        assert_ne!(Some(&both), revision(&revisions, 1).as_ref());
        for changed in [1, 2] {
            revisions.saw(&call, &incident(changed, at(600)));
            assert_ne!(of([1, 2]).unwrap(), both, "{changed}");
            revisions.saw(&call, &incident(changed, at(3_599 + changed as i64)));
            assert_eq!(of([1, 2]).unwrap(), both);
        }
    }

    #[test]
    fn what_changed_just_now_or_tells_no_time_is_in_no_state() {
        let (revisions, call) = (Revisions::default(), call());
        let ago = |seconds| Some(call.now - TimeDelta::seconds(seconds));
        for (at, known) in [(ago(60), true), (ago(59), false), (ago(-1), false), (None, false)] {
            revisions.saw(&call, &incident(1, ago(3_600)));
            assert!(revision(&revisions, 1).is_some());
            revisions.saw(&call, &incident(1, at));
            assert_eq!(revision(&revisions, 1).is_some(), known, "{at:?}");
        }
    }

    #[test]
    fn only_so_many_are_known_the_last_ones_among_them() {
        let (revisions, call) = (Revisions::default(), call());
        let at = Some(call.now - TimeDelta::days(1));
        for id in 0..ENOUGH * 10 {
            revisions.saw(&call, &incident(id, at));
            let known = revisions.known();
            assert!(known.young.len() + known.old.len() <= 2 * ENOUGH);
        }
        let known = (0..ENOUGH * 10).filter(|id| revision(&revisions, *id).is_some());
        assert_eq!(known.collect::<Vec<_>>(), (ENOUGH * 8..ENOUGH * 10).collect::<Vec<_>>());
        // Seeing the same again pushes nothing out.
        (0..ENOUGH).for_each(|_| revisions.saw(&call, &incident(ENOUGH * 10 - 1, at)));
        assert!(revision(&revisions, ENOUGH * 8).is_some());
    }
}
