//! Which calls were made at the same time, and which one after the other.

use std::time::Instant;

/// Something that passed, and when.
#[derive(Clone)]
pub(crate) struct Passed<T> {
    pub(crate) call: T,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
}

/// A call that began after another had ended waited for it: it belongs to a later wave.
pub(crate) fn waves<T>(mut passed: Vec<Passed<T>>) -> Vec<Vec<T>> {
    passed.sort_by_key(|call| call.began);
    let mut waves: Vec<Vec<Passed<T>>> = Vec::new();
    for call in passed {
        match waves.last_mut() {
            Some(wave) if wave.iter().all(|other| call.began < other.ended) => wave.push(call),
            _ => waves.push(vec![call]),
        }
    }
    waves.into_iter().map(|wave| wave.into_iter().map(|passed| passed.call).collect()).collect()
}
