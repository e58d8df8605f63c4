//! The sandbox's own source of numbers: splitmix64, so that a world is a function of its seed on every machine.
//!
//! Not for secrets. Equal streams give equal numbers for ever: changing anything here changes every world.

use uuid::Uuid;

/// A stream of numbers that is a function of its starting value.
#[derive(Clone, Debug)]
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// A stream of its own for each (seed, domain, index): one thing's numbers do not depend on how many came before.
    pub(super) fn of(seed: u64, domain: &str, index: u64) -> Random {
        let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
        for byte in domain.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Random { state: mix(state ^ index.wrapping_mul(0xd1b5_4a32_d192_ed03)) }
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number below `bound`; zero when `bound` is zero. The bias of the remainder does not matter here.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }

    /// True in `parts` of `whole` cases.
    pub(super) fn chance(&mut self, parts: usize, whole: usize) -> bool {
        self.below(whole) < parts
    }

    /// One of `items`, which must not be empty.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Up to `count` distinct numbers below `bound`, in the order they were drawn.
    pub(super) fn distinct(&mut self, count: usize, bound: usize) -> Vec<u32> {
        let mut drawn: Vec<u32> = Vec::with_capacity(count.min(bound));
        for _ in 0..count.min(bound) * 4 {
            let number = self.below(bound) as u32;
            if !drawn.contains(&number) {
                drawn.push(number);
            }
            if drawn.len() == count.min(bound) {
                break;
            }
        }
        drawn
    }

    /// A version 4 uuid.
    pub(super) fn uuid(&mut self) -> Uuid {
        let bits = (u128::from(self.next()) << 64) | u128::from(self.next());
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_functions_of_seed_domain_and_index() {
        assert_eq!(Random::of(1, "x", 2).next(), Random::of(1, "x", 2).next());
        assert_ne!(Random::of(1, "x", 2).next(), Random::of(1, "x", 3).next());
        assert_ne!(Random::of(1, "x", 2).next(), Random::of(1, "y", 2).next());
        assert_ne!(Random::of(1, "x", 2).next(), Random::of(2, "x", 2).next());
    }

    #[test]
    fn distinct_numbers_are_distinct_and_below_the_bound() {
        let mut drawn = Random::of(7, "d", 0).distinct(5, 6);
        drawn.sort_unstable();
        drawn.dedup();
        assert!(drawn.len() <= 5 && drawn.iter().all(|&n| n < 6));
        assert!(Random::of(7, "d", 0).distinct(3, 0).is_empty());
    }

    #[test]
    fn uuids_are_version_four() {
        assert_eq!(Random::of(1, "id", 0).uuid().get_version_num(), 4);
    }
}
