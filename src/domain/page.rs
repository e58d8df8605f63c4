//! One page of a source, and the rules of page sizes.

use super::NativeId;

/// Rows of a source in its order, from an offset on.
#[derive(Clone, Debug)]
pub struct Rows<T> {
    pub items: Vec<T>,
    /// How many rows the source has under the same filter, where it tells.
    pub total: Option<u64>,
    /// `total` is the most that the source counts to: there may be more.
    pub capped: bool,
    /// Whether there are rows after these.
    pub more: bool,
    /// How many rows of the source this page stands for, broken ones included: what the next offset is counted by.
    pub consumed: usize,
    /// Records that were broken and left out.
    pub malformed: u32,
    /// Links inside these rows that the source hides from this caller.
    pub masked: u32,
    /// Rows that the source names as existing but does not give to this caller.
    pub restricted: Vec<NativeId>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Rows {
            items: Vec::new(),
            total: None,
            capped: false,
            more: false,
            consumed: 0,
            malformed: 0,
            masked: 0,
            restricted: Vec::new(),
        }
    }
}

/// How many rows a client asks for: 1 to 100.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PageSize(u8);

impl PageSize {
    pub const MAX: i32 = 100;
    pub const DEFAULT: i32 = 25;

    /// None outside 1 to 100.
    pub fn new(first: i32) -> Option<Self> {
        u8::try_from(first).ok().filter(|first| (1..=Self::MAX).contains(&i32::from(*first))).map(PageSize)
    }

    pub fn rows(self) -> usize {
        usize::from(self.0)
    }
}
