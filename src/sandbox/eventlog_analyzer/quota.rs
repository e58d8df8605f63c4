//! How many calls are taken in a minute.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// A number of calls for each minute, counted from the first call of that minute.
pub(super) struct Quota {
    most: u32,
    /// Beginning of the minute and calls in it.
    minute: Mutex<(Duration, u32)>,
}

impl Quota {
    pub(super) fn new(most: u32) -> Quota {
        Quota { most, minute: Mutex::new((Duration::ZERO, 0)) }
    }

    /// Counts a call; false if it is one too many.
    pub(super) fn takes(&self, now: Duration) -> bool {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(minute.0) >= MINUTE {
            *minute = (now, 0);
        }
        minute.1 = minute.1.saturating_add(1);
        minute.1 <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_takes_so_many_and_the_next_one_again() {
        let quota = Quota::new(2);
        let at = |seconds| quota.takes(Duration::from_secs(seconds));
        assert_eq!(
            [at(100), at(110), at(120), at(159), at(160), at(161), at(162)],
            [true, true, false, false, true, true, false]
        );
    }
}
