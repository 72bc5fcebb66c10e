//! Choices that can be had again: a stream of numbers from a seed.

use std::cell::Cell;

/// `SplitMix64`. In a cell, so that probes can draw while their firing runs.
#[derive(Debug)]
pub(crate) struct Random(Cell<u64>);

impl Random {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let random = Self(Cell::new(
            seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17),
        ));
        random.next();
        random
    }

    fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&self, bound: usize) -> usize {
        // (Not quite even, which does not matter here.)
        (self.next() >> 16) as usize % bound
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// A stream for what depends on the interleaving, which must not disturb this one.
    pub(crate) fn split(&self) -> Self {
        Self::new(self.next(), 1)
    }
}

/// What a thread has chosen first, in one number: two runs with one seed have chosen alike.
#[derive(Debug, Default)]
pub(crate) struct Digest {
    sum: u64,
    choices: u32,
}

impl Digest {
    const CHOICES: u32 = 100;

    pub(crate) fn add(&mut self, choice: usize) {
        if self.choices < Self::CHOICES {
            self.choices += 1;
            self.sum =
                (self.sum.rotate_left(5) ^ choice as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    /// Whether later choices do not count any more.
    pub(crate) fn is_complete(&self) -> bool {
        self.choices == Self::CHOICES
    }

    pub(crate) fn get(&self) -> u64 {
        self.sum
    }
}
