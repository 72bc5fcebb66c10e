//! What has begun and not ended: bounded, and counted exactly.
//!
//! By a key's hash, in shards, each with a small lock: two threads meet at one only if their keys
//! do. A shard is a line of its own, and its first pairs are beside one another in the order in
//! which they began: with few open, a firing touches two lines. Nothing allocates under the lock,
//! and of the user's code only a key's `Eq` runs there.

use crossbeam_utils::CachePadded;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of pairs a shard holds, about: more, and they would be searched too long; fewer, and
/// some would be full long before all are.
const PER_SHARD: usize = 64;

/// A begin without its end so far.
#[derive(Debug)]
pub(crate) struct OpenPair<K> {
    key: K,
    pub(crate) at: u64,
    /// The label's number, if the begin has one.
    pub(crate) label: Option<u32>,
}

/// What has happened to the keys of a shard; of all, when they are added up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PairTally {
    pub(crate) begins: u64,
    pub(crate) begun_again: u64,
    pub(crate) evicted: u64,
    pub(crate) matched: u64,
    pub(crate) unmatched_ends: u64,
    /// Open when counting began again, and now.
    pub(crate) carried: u64,
    pub(crate) open: u64,
}

#[derive(Debug)]
struct PairShard<K> {
    tally: PairTally,
    /// The oldest first. Never longer than what was allocated.
    begun: Vec<OpenPair<K>>,
}

type PaddedShard<K> = CachePadded<Mutex<PairShard<K>>>;

#[derive(Debug)]
pub(crate) struct OpenPairs<K> {
    shards: Box<[PaddedShard<K>]>,
    per_shard: usize,
    skipped: AtomicU64,
}

thread_local! {
    /// Whether this thread is at a shard. A key's `Eq` may fire events, too.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Says on all ways out that the thread is no longer at a shard.
struct InsideShard;

impl InsideShard {
    fn enter() -> Option<Self> {
        // (Not `then_some`, which would make one, and drop it, if it isn't wanted.)
        (!INSIDE.replace(true)).then(|| Self)
    }
}

impl Drop for InsideShard {
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}

fn lock<K>(shard: &PaddedShard<K>) -> MutexGuard<'_, PairShard<K>> {
    // A key's `Eq` that panicked has changed nothing.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K> OpenPairs<K> {
    /// Makes room for `max` pairs, not 0.
    pub(crate) fn new(max: usize) -> Self {
        let shards = 1 << (max / PER_SHARD).max(1).ilog2();
        let per_shard = max / shards;
        let shard = |_| {
            CachePadded::new(Mutex::new(PairShard {
                tally: PairTally::default(),
                begun: Vec::with_capacity(per_shard),
            }))
        };
        Self {
            shards: (0..shards).map(shard).collect(),
            per_shard,
            skipped: AtomicU64::new(0),
        }
    }

    #[inline]
    fn shard(&self, hash: u64) -> &PaddedShard<K> {
        // The upper bits; the lower ones may serve elsewhere.
        let index = (hash >> 32) as usize & (self.shards.len() - 1);
        &self.shards[index]
    }

    #[cold]
    fn skip(&self) {
        // Relaxed: a count.
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    /// A begin. The one before of the same key, if it is open, is given up; or the oldest, if there
    /// are too many.
    #[inline]
    pub(crate) fn begin(&self, hash: u64, begun: OpenPair<K>)
    where
        K: Eq,
    {
        let Some(inside) = InsideShard::enter() else {
            return self.skip();
        };
        let mut guard = lock(self.shard(hash));
        let shard = &mut *guard;
        let again = shard.begun.iter().position(|open| open.key == begun.key);
        shard.tally.begins += 1;
        let gone = if let Some(index) = again {
            shard.tally.begun_again += 1;
            Some(shard.begun.remove(index))
        } else if shard.begun.len() == self.per_shard {
            shard.tally.evicted += 1;
            Some(shard.begun.remove(0))
        } else {
            None
        };
        shard.begun.push(begun);
        drop(guard);
        drop(inside);
        // A key's `Drop` may do anything; here it may.
        drop(gone);
    }

    /// An end: its begin, if there is one.
    #[inline]
    pub(crate) fn end(&self, hash: u64, is_key: impl Fn(&K) -> bool) -> Option<OpenPair<K>> {
        let Some(_inside) = InsideShard::enter() else {
            self.skip();
            return None;
        };
        let mut guard = lock(self.shard(hash));
        let shard = &mut *guard;
        let Some(index) = shard.begun.iter().position(|open| is_key(&open.key)) else {
            shard.tally.unmatched_ends += 1;
            return None;
        };
        shard.tally.matched += 1;
        Some(shard.begun.remove(index))
    }

    /// Returns the sum of all shards, each read at an instant of its own: the counts add up in
    /// each, and so in the sum. With `reset`, clears the counts; open pairs stay open.
    pub(crate) fn tally(&self, reset: bool) -> PairTally {
        let mut sum = PairTally::default();
        for shard in &self.shards {
            let mut shard = lock(shard);
            let tally = shard.tally;
            let open = shard.begun.len() as u64;
            if reset {
                shard.tally = PairTally {
                    carried: open,
                    ..PairTally::default()
                };
            }
            drop(shard);
            sum.begins += tally.begins;
            sum.begun_again += tally.begun_again;
            sum.evicted += tally.evicted;
            sum.matched += tally.matched;
            sum.unmatched_ends += tally.unmatched_ends;
            sum.carried += tally.carried;
            sum.open += open;
        }
        sum
    }

    /// Begins and ends that a key's `Eq` fired.
    pub(crate) fn skipped(&self, reset: bool) -> u64 {
        if reset {
            self.skipped.swap(0, Ordering::Relaxed)
        } else {
            self.skipped.load(Ordering::Relaxed)
        }
    }
}

impl<K> OpenPair<K> {
    pub(crate) const fn new(key: K, at: u64, label: Option<u32>) -> Self {
        Self { key, at, label }
    }
}
