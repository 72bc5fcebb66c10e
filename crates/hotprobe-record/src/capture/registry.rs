//! What a recording keeps beside its buffers: its threads, which buffers are free, and what was
//! lost without a buffer.
//!
//! **Memory.** What is kept of threads that ended is bounded ([`Bounds`]). The threads that come
//! after that share one number: what they record and lose is counted under it, and so is how many
//! they are.
//!
//! Nothing is allocated while the registry is locked, and no user code runs: an allocator may fire
//! events, too.

use super::lease::{Busy, NONE};
use super::this_thread::this_thread;
use crate::formats::export::{Lost, ThreadInfo};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;

/// The registry of a recording.
pub(super) struct Registry {
    bounds: Bounds,
    rows: Mutex<Rows>,
}

/// How much a registry keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// How many threads have a number of their own.
    pub(super) threads: usize,
    /// How many losses, each of one thread and event, are kept outside the buffers before further
    /// threads share a number. The threads that have their own by then may add some.
    pub(super) rows: usize,
}

/// What the lock protects.
pub(super) struct Rows {
    threads: Vec<ThreadInfo>,
    others: Others,
    /// How many buffers there are, or are about to be.
    pub(super) made: usize,
    /// Buffers that belong to no thread, the one given back first in front.
    pub(super) free: VecDeque<u32>,
    /// What threads lost that have no buffer.
    beyond: HashMap<(u32, u32), Beyond>,
}

/// The threads that have no number of their own.
#[derive(Clone, Copy, Default)]
struct Others {
    /// Whether each further thread is one of them.
    are_all: bool,
    /// The number that they share, and how many they are.
    number: Option<(usize, u64)>,
}

/// The number of new threads after which the rows are counted again.
const THREADS_A_COUNT: usize = 64;

#[derive(Clone, Copy)]
struct Beyond {
    time: u64,
    count: u64,
}

impl Registry {
    /// With room for `buffers` free buffers.
    pub(super) fn new(bounds: Bounds, buffers: usize) -> Self {
        Self {
            bounds,
            rows: Mutex::new(Rows {
                threads: Vec::new(),
                others: Others::default(),
                made: 0,
                free: VecDeque::with_capacity(buffers),
                beyond: HashMap::new(),
            }),
        }
    }

    /// Returns a number for this thread, which fires for the first time. `rows_left` counts the
    /// losses that the buffers keep of threads that ended.
    pub(super) fn new_thread(&self, rows_left: impl Fn() -> usize) -> u32 {
        let mut info = this_thread();
        let mut bigger = Vec::new();
        loop {
            let mut known = self.lock();
            let new = known.threads.len();
            let is_to_be_counted = new > 0 && new % THREADS_A_COUNT == 0 && !known.others.are_all;
            if is_to_be_counted {
                // The rings have locks of their own.
                let beyond = known.beyond.len();
                drop(known);
                let rows = beyond + rows_left();
                known = self.lock();
                known.others.are_all |= rows >= self.bounds.rows;
            }
            known.others.are_all |= known.threads.len() >= self.bounds.threads;
            let Rows {
                threads, others, ..
            } = &mut *known;
            if others.are_all {
                if let Some((number, count)) = &mut others.number {
                    *count += 1;
                    return u32::try_from(*number).unwrap_or(NONE);
                }
                info.id = 0;
                // The old name is freed unlocked.
                let name = info.name.take();
                if name.is_some() {
                    drop(known);
                    continue;
                }
            }
            if threads.len() == threads.capacity() && bigger.capacity() <= threads.len() {
                let wanted = 2 * threads.len() + 8;
                drop(known);
                bigger = Vec::with_capacity(wanted);
                continue;
            }
            if threads.len() == threads.capacity() {
                bigger.append(threads);
                std::mem::swap(&mut bigger, threads);
            }
            info.index = threads.len();
            let index = info.index;
            if others.are_all {
                others.number = Some((index, 1));
            }
            threads.push(info);
            // The lock first, the old memory then.
            drop(known);
            drop(bigger);
            return u32::try_from(index).unwrap_or(NONE);
        }
    }

    /// Counts firings as lost by a thread without a buffer; `time` is that of the first.
    pub(super) fn lose(&self, time: u64, thread: u32, event: u32, count: u64) {
        let mut bigger = HashMap::new();
        loop {
            let mut known = self.lock();
            let beyond = &mut known.beyond;
            if let Some(row) = beyond.get_mut(&(thread, event)) {
                row.count += count;
                return;
            }
            if beyond.len() < beyond.capacity() {
                beyond.insert((thread, event), Beyond { time, count });
                return;
            }
            if bigger.capacity() > beyond.len() {
                bigger.extend(beyond.drain());
                std::mem::swap(&mut bigger, beyond);
                continue;
            }
            let wanted = 2 * beyond.len() + 8;
            drop(known);
            bigger = HashMap::with_capacity(wanted);
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Rows> {
        // Held for moments only, so nobody sleeps for it.
        let mut tries = 0_u32;
        loop {
            match self.rows.try_lock() {
                Ok(guard) => return guard,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    tries += 1;
                    if tries < 100 {
                        std::hint::spin_loop();
                    } else {
                        thread::yield_now();
                    }
                }
            }
        }
    }

    /// Returns how many buffers there are, or are about to be.
    pub(super) fn made(&self) -> usize {
        let _busy = Busy::enter(Busy::READING);
        self.lock().made
    }

    /// Returns the threads from this number on, and how many share a number.
    pub(super) fn threads_from(&self, first: usize) -> (Vec<ThreadInfo>, u64) {
        // First of all: their number is among those that are read after it.
        let others = self.others();
        let mut threads = self.read(
            |rows| rows.threads.len().saturating_sub(first),
            |rows, threads| {
                let from = rows.threads.get(first..).unwrap_or_default();
                threads.extend_from_slice(from);
            },
        );
        let Some((others, count)) = others else {
            return (threads, 0);
        };
        let place = others.index.checked_sub(first);
        if let Some(place) = place.and_then(|place| threads.get_mut(place)) {
            *place = others;
        }
        (threads, count)
    }

    /// Returns the threads that share a number, as one whose name says how many they are, so far.
    pub(super) fn others(&self) -> Option<(ThreadInfo, u64)> {
        let busy = Busy::enter(Busy::READING);
        let number = self.lock().others.number;
        drop(busy);
        let (index, count) = number?;
        let others = ThreadInfo {
            index,
            id: 0,
            name: Some(format!("({count} other threads)").into()),
        };
        Some((others, count))
    }

    /// Copies rows of the registry to a vector, which is made while the registry is not locked.
    fn read<T>(&self, count: impl Fn(&Rows) -> usize, copy: impl Fn(&Rows, &mut Vec<T>)) -> Vec<T> {
        let mut rows = Vec::new();
        loop {
            let busy = Busy::enter(Busy::READING);
            let known = self.lock();
            let wanted = count(&known);
            if wanted <= rows.capacity() {
                copy(&known, &mut rows);
                return rows;
            }
            drop((known, busy));
            rows.reserve(wanted);
        }
    }

    /// Returns what threads lost that had no buffer, so far.
    pub(super) fn beyond(&self) -> Vec<Lost> {
        let of = |(&(thread, event), row): (&(u32, u32), &Beyond)| Lost {
            time: row.time,
            thread: thread as usize,
            event: event as usize,
            count: row.count,
        };
        let mut beyond = self.read(
            |registry| registry.beyond.len(),
            |registry, rows| rows.extend(registry.beyond.iter().map(of)),
        );
        beyond.sort_by_key(|lost| (lost.thread, lost.event));
        beyond
    }
}
