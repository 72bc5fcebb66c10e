//! What is counted: a table of stacks that only grows, up to a limit, and that a firing never
//! locks.

use smallvec::SmallVec;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How often, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StackSum {
    pub(crate) count: u64,
    pub(crate) weight: u128,
}

impl StackSum {
    pub(crate) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.weight += other.weight;
    }
}

/// A sum that many threads add to. All accesses are Relaxed: each number is exact by itself; a
/// reader that needs them to agree with each other waits until no firing adds any more.
#[derive(Debug, Default)]
pub(crate) struct StackTally {
    count: AtomicU64,
    low: AtomicU64,
    high: AtomicU64,
}

impl StackTally {
    #[inline]
    pub(crate) fn add(&self, weight: u64) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let before = self.low.fetch_add(weight, Ordering::Relaxed);
        if before.checked_add(weight).is_none() {
            self.high.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn get(&self) -> StackSum {
        let high = self.high.load(Ordering::Relaxed);
        let low = self.low.load(Ordering::Relaxed);
        StackSum {
            count: self.count.load(Ordering::Relaxed),
            weight: u128::from(high) << 64 | u128::from(low),
        }
    }
}

/// Return addresses, the innermost first. Inside the array nothing is allocated.
pub(crate) type StackAddresses = SmallVec<[usize; 512]>;

/// The values of the labels, each after a byte with its length.
pub(crate) type LabelBytes = SmallVec<[u8; 256]>;

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StackKey<'a> {
    /// Which of the events.
    pub(crate) event: usize,
    pub(crate) addresses: &'a [usize],
    pub(crate) labels: &'a [u8],
}

#[derive(Debug)]
struct StackRow {
    hash: u64,
    event: usize,
    addresses: Box<[usize]>,
    labels: Box<[u8]>,
    tally: StackTally,
}

impl StackRow {
    fn new(hash: u64, key: StackKey<'_>) -> Self {
        Self {
            hash,
            event: key.event,
            addresses: key.addresses.into(),
            labels: key.labels.into(),
            tally: StackTally::default(),
        }
    }

    fn key(&self) -> StackKey<'_> {
        StackKey {
            event: self.event,
            addresses: &self.addresses,
            labels: &self.labels,
        }
    }
}

/// Open addressing; rows are put in once and stay. At most half of the slots are ever taken, so
/// that each search meets an empty one.
#[derive(Debug)]
pub(crate) struct StackTable {
    slots: Box<[OnceLock<Box<StackRow>>]>,
    /// How many rows there are, or are about to be.
    rows: AtomicUsize,
    limit: usize,
    /// Labels come from outside: a client that chooses them cannot predict their rows.
    state: RandomState,
    seed: u64,
}

impl StackTable {
    pub(crate) fn new(limit: usize) -> Self {
        let state = RandomState::new();
        Self {
            slots: (0..(limit * 2).next_power_of_two())
                .map(|_| OnceLock::new())
                .collect(),
            rows: AtomicUsize::new(0),
            limit,
            seed: state.hash_one(0),
            state,
        }
    }

    /// The tally of this key; a new one if there is room. Allocates only then. (For the last rows:
    /// room may be reserved by threads that are about to find out that another one was faster.)
    pub(crate) fn tally(&self, key: StackKey<'_>) -> Option<&StackTally> {
        let hash = self.hash(key);
        let mut fresh = None;
        let mut at = self.slot(hash);
        loop {
            let slot = &self.slots[at];
            if let Some(row) = slot.get() {
                if row.hash == hash && row.key() == key {
                    if fresh.is_some() {
                        // Another thread was faster.
                        self.rows.fetch_sub(1, Ordering::Relaxed);
                    }
                    return Some(&row.tally);
                }
                at = self.slot(at as u64 + 1);
                continue;
            }
            let row = match fresh.take() {
                Some(row) => row,
                None if self.reserve() => Box::new(StackRow::new(hash, key)),
                None => return None,
            };
            // If another thread was faster, the slot is looked at again: it may be the same stack.
            match slot.set(row) {
                Ok(()) => return slot.get().map(|row| &row.tally),
                Err(row) => fresh = Some(row),
            }
        }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = (StackKey<'_>, StackSum)> {
        self.slots
            .iter()
            .filter_map(OnceLock::get)
            .map(|row| (row.key(), row.tally.get()))
    }

    fn reserve(&self) -> bool {
        self.rows
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |rows| {
                (rows < self.limit).then_some(rows + 1)
            })
            .is_ok()
    }

    #[allow(clippy::cast_possible_truncation, reason = "modulo the slots")]
    fn slot(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn hash(&self, key: StackKey<'_>) -> u64 {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut hash = self.seed ^ key.event as u64;
        for &address in key.addresses {
            hash = (hash.rotate_left(5) ^ address as u64).wrapping_mul(ODD);
        }
        if !key.labels.is_empty() {
            hash ^= self.state.hash_one(key.labels);
        }
        // The low bits choose the slot, and a product's are its weakest.
        hash ^ hash >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::{StackKey, StackSum, StackTable, StackTally};
    use std::sync::Barrier;
    use std::thread;

    fn key(addresses: &[usize]) -> StackKey<'_> {
        StackKey {
            event: 0,
            addresses,
            labels: &[],
        }
    }

    #[test]
    fn a_sum_does_not_wrap_at_64_bits() {
        let tally = StackTally::default();
        for _ in 0..3 {
            tally.add(u64::MAX);
        }
        let sum = StackSum {
            count: 3,
            weight: 3 * u128::from(u64::MAX),
        };
        assert_eq!(tally.get(), sum);
    }

    #[test]
    fn stacks_events_and_labels_are_told_apart() {
        let table = StackTable::new(16);
        let keys = [
            key(&[1, 2]),
            key(&[2, 1]),
            key(&[1]),
            StackKey {
                event: 1,
                ..key(&[1, 2])
            },
            StackKey {
                labels: b"\x01a",
                ..key(&[1, 2])
            },
            StackKey {
                labels: b"\x01b",
                ..key(&[1, 2])
            },
        ];
        for (weight, key) in (1..).zip(keys) {
            table.tally(key).expect("there is room").add(weight);
        }
        for (weight, key) in (1..).zip(keys) {
            assert_eq!(table.tally(key).expect("it is there").get().weight, weight);
        }
        assert_eq!(table.rows().count(), keys.len());
    }

    #[test]
    fn a_full_table_still_counts_what_is_in_it() {
        let table = StackTable::new(2);
        assert!(table.tally(key(&[1])).is_some());
        assert!(table.tally(key(&[2])).is_some());
        assert!(table.tally(key(&[3])).is_none());
        assert!(table.tally(key(&[1])).is_some());
        assert_eq!(table.rows().count(), 2);
    }

    #[test]
    fn threads_that_meet_a_new_stack_at_once_make_one_row_of_it() {
        let threads = 4;
        let keys = 200;
        // Each thread may have room reserved for what another one puts in; room that is not given
        // back would soon be missing.
        let table = StackTable::new(keys + threads - 1);
        let barrier = Barrier::new(threads);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for address in 0..keys {
                        barrier.wait();
                        table.tally(key(&[address])).expect("there is room").add(1);
                    }
                });
            }
        });
        assert_eq!(table.rows().count(), keys);
        assert!(table.rows().all(|(_, sum)| sum.count == threads as u64));
    }
}
