//! The buffers of one recording, and how a firing thread finds its own.
//!
//! A thread has a *lease* for each recording: the buffer that it writes, and its number there
//! (`lease.rs`). A buffer that was given back goes to the next thread that needs one; what is in it
//! stays. What a thread records after it gave its buffers back, in a destructor that runs still
//! later, goes into a buffer that it takes for this one record.

use super::buffer::Buffer;
use super::lease::{BufferLease, Busy, Lender, NONE, Waiting};
use super::registry::{Bounds, Registry, Rows};
use super::ring::Ring;
use crate::formats::export::{Header, Lost, ThreadInfo};
use crate::overflow::Overflow;
use hotprobe::Value;
use hotprobe_clock::Timer;
use std::fmt;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// What a recording and its probes share.
pub(crate) struct Buffers {
    id: u64,
    process: u32,
    pub(crate) timer: Timer,
    pub(crate) header: Header,
    pub(crate) limits: Limits,
    /// One for each buffer that the cap allows; a buffer is made when a thread needs it.
    slots: Box<[OnceLock<Buffer>]>,
    registry: Registry,
    /// By event: lost by threads that were about to get their buffer, in an allocation for it say.
    between: Box<[AtomicU64]>,
}

/// What a recorder was told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Of each buffer, a power of two.
    pub(crate) words: usize,
    pub(crate) buffers: usize,
    pub(crate) overflow: Overflow,
    /// Whether the buffers are emptied while they are written, and never copied.
    pub(crate) is_drained: bool,
    /// Of the longest record.
    pub(crate) longest: u64,
    pub(crate) cut_at: usize,
    /// How many threads have a number of their own.
    pub(crate) threads: usize,
    /// How many losses, each of one thread and event, are kept outside the buffers before further
    /// threads share a number. The threads that have their own by then may add some.
    pub(crate) rows: usize,
}

/// The words of a buffer that are used while it is emptied in time: 64 KiB, which stay in the cache.
const WINDOW: u64 = 8 << 10;

/// What a thread gets that has no buffer at hand.
enum Got {
    /// It is its own from now on.
    Own(u32),
    /// For one record: it is ending.
    Once(u32),
    Nothing {
        thread: u32,
    },
}

impl Buffers {
    pub(crate) fn new(timer: Timer, header: Header, limits: Limits) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(1);
        let events = header.events.len();
        Self {
            // Relaxed: numbers that differ.
            id: IDS.fetch_add(1, Ordering::Relaxed),
            process: process::id(),
            timer,
            header,
            limits,
            slots: (0..limits.buffers).map(|_| OnceLock::new()).collect(),
            registry: Registry::new(
                Bounds {
                    threads: limits.threads,
                    rows: limits.rows,
                },
                limits.buffers,
            ),
            between: (0..events).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Whether this is the process that started the recording, and not one forked from it.
    pub(crate) fn is_of_this_process(&self) -> bool {
        self.process == process::id()
    }

    /// Records a firing, or counts it as lost. `TSC`: which clock it is; `TASKS`: whether tasks are
    /// noted; `TEXT`: whether the event has one parameter, a text (if it has not, that only costs
    /// time).
    #[inline(always)]
    pub(crate) fn record<const TSC: bool, const TASKS: bool, const TEXT: bool>(
        self: &Arc<Self>,
        event: u32,
        values: &[Value<'_>],
    ) {
        // First of all: the processor continues with what follows while it reads its clock.
        let time = self.timer.ticks_of::<TSC>();
        match self.own() {
            Some(buffer) => buffer.record::<TASKS, TEXT>(event, time, values),
            None => self.record_without_lease::<TASKS>(event, time, values),
        }
    }

    /// This thread's buffer, if its lease says which it is.
    #[inline(always)]
    fn own(&self) -> Option<&Buffer> {
        let lease = BufferLease::at_hand(self.id);
        if lease.recording == self.id {
            self.buffer(lease.buffer)
        } else {
            None
        }
    }

    #[inline(always)]
    fn buffer(&self, index: u32) -> Option<&Buffer> {
        self.slots.get(index as usize)?.get()
    }

    #[cold]
    #[inline(never)]
    fn record_without_lease<const TASKS: bool>(
        self: &Arc<Self>,
        event: u32,
        time: u64,
        values: &[Value<'_>],
    ) {
        // In a forked child the lock may be held by a thread that is not there. It has nothing to
        // record for.
        if !self.is_of_this_process() {
            return;
        }
        let Some(busy) = Busy::enter(self.id) else {
            return self.lose_between(event);
        };
        let got = self.get();
        match got {
            Got::Own(index) | Got::Once(index) => {
                let Some(buffer) = self.buffer(index) else {
                    return;
                };
                drop(busy);
                while let Some(lost) = Waiting::take() {
                    buffer.ring.lose(lost.event, time, lost.count);
                }
                buffer.record::<TASKS, false>(event, time, values);
                if let Got::Once(_) = got {
                    let _busy = Busy::enter(Busy::READING);
                    self.give_back(index);
                }
            }
            Got::Nothing { thread } => {
                self.lose_beyond(thread, event, 1);
                // (What is lost while this makes room for a count finds the room there next time.)
                while let Some(lost) = Waiting::take() {
                    self.lose_beyond(thread, lost.event, lost.count);
                }
            }
        }
    }

    /// Counts a firing inside what gets its thread a buffer: it waits until that is known. So do
    /// those of few events; others, and those that another recording has brought about, are counted
    /// apart.
    fn lose_between(&self, event: u32) {
        if !Waiting::add(self.id, event) {
            self.between[event as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Finds or makes a buffer for this thread.
    fn get(self: &Arc<Self>) -> Got {
        let mut lease = BufferLease::at_hand(self.id);
        if lease.recording != self.id {
            // It may be known all the same, its lease being another recording's.
            lease = BufferLease::owned(self.id).unwrap_or_else(|| {
                let rows_left = || self.rings().map(Ring::rows_left).sum();
                let lease = BufferLease {
                    recording: self.id,
                    buffer: NONE,
                    thread: self.registry.new_thread(rows_left),
                };
                // (Without a buffer as well: it is one thread, however often it asks for one.)
                lease.own(self.lender());
                lease
            });
        }
        let thread = lease.thread;
        if lease.buffer == NONE {
            let Some(buffer) = self.take_buffer(thread as usize) else {
                lease.put_at_hand();
                return Got::Nothing { thread };
            };
            lease.buffer = buffer;
            if !lease.own(self.lender()) {
                lease.buffer = NONE;
                lease.put_at_hand();
                return Got::Once(buffer);
            }
        }
        lease.put_at_hand();
        Got::Own(lease.buffer)
    }

    fn lender(self: &Arc<Self>) -> Weak<dyn Lender> {
        Arc::downgrade(self) as Weak<dyn Lender>
    }

    /// A buffer that nobody has, or a new one, as long as the cap allows it.
    fn take_buffer(&self, thread: usize) -> Option<u32> {
        let Limits {
            words,
            overflow,
            longest,
            is_drained,
            ..
        } = self.limits;
        let (given_back, new) = {
            let mut rows = self.registry.lock();
            let Rows { made, free, .. } = &mut *rows;
            let room = |index| {
                let ring = &self.buffer(index)?.ring;
                // (One that is being copied would keep its reader trying, or find no room.)
                (ring.has_room() && !ring.is_held()).then(|| {
                    if ring.thread() == thread {
                        u64::MAX
                    } else {
                        ring.free()
                    }
                })
            };
            let best = (0..free.len())
                .filter_map(|at| Some((at, room(free[at])?)))
                .max_by_key(|&(at, room)| (room, std::cmp::Reverse(at)));
            let may_make = *made < self.limits.buffers;
            match best {
                Some((at, room)) if !may_make || room >= words as u64 / 2 => (free.remove(at), 0),
                _ if may_make => {
                    *made += 1;
                    (None, *made - 1)
                }
                _ => return None,
            }
        };
        if let Some(index) = given_back {
            if self.buffer(index)?.ring.hand_over(thread) {
                return Some(index);
            }
            // It is being copied since a moment ago.
            self.registry.lock().free.push_back(index);
            return None;
        }
        let ring = Ring::new(words, overflow, self.header.events.len(), longest, thread);
        let ring = if is_drained {
            ring.with_window(WINDOW)
        } else {
            ring
        };
        let buffer = Buffer::new(ring, self.timer, self.limits.cut_at);
        // (Its number is this call's alone.)
        self.slots[new].get_or_init(|| buffer);
        u32::try_from(new).ok()
    }

    fn lose_beyond(&self, thread: u32, event: u32, count: u64) {
        let time = self.timer.ticks();
        self.registry.lose(time, thread, event, count);
    }

    /// The buffers that there are.
    pub(crate) fn rings(&self) -> impl Iterator<Item = &Ring> {
        self.slots
            .iter()
            .filter_map(OnceLock::get)
            .map(|buffer| &buffer.ring)
    }

    /// The firings that are in a `Debug` that has not returned yet, once all is detached.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = Lost> {
        let buffers = self.slots.iter().filter_map(OnceLock::get);
        buffers.filter_map(|buffer| {
            Some(Lost {
                event: buffer.unfinished()?,
                thread: buffer.ring.thread(),
                time: 0,
                count: 1,
            })
        })
    }

    /// The ring of this number. (They are numbered without gaps, but a number may be about to be
    /// made.)
    pub(crate) fn ring(&self, index: usize) -> Option<&Ring> {
        Some(&self.slots.get(index)?.get()?.ring)
    }

    pub(crate) fn ring_count(&self) -> usize {
        self.limits.buffers
    }

    /// Returns how many of them there are, or are about to be.
    pub(crate) fn made(&self) -> usize {
        self.registry.made()
    }

    /// Returns the threads from this number on, and how many share a number.
    pub(crate) fn threads_from(&self, first: usize) -> (Vec<ThreadInfo>, u64) {
        self.registry.threads_from(first)
    }

    /// Returns the threads that share a number, as one whose name says how many they are, so far.
    pub(crate) fn others(&self) -> Option<(ThreadInfo, u64)> {
        self.registry.others()
    }

    /// Takes what threads lost that wrote before into buffers that others have now.
    pub(crate) fn take_left(&self) -> impl Iterator<Item = Lost> {
        self.rings().flat_map(Ring::take_left)
    }

    /// Returns what threads lost that had no buffer, so far.
    pub(crate) fn beyond(&self) -> Vec<Lost> {
        self.registry.beyond()
    }

    /// By event: what was lost by threads that were about to get their buffer, so far.
    pub(crate) fn between(&self) -> impl Iterator<Item = (usize, u64)> {
        let counts = self
            .between
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        counts.enumerate().filter(|&(_, count)| count > 0)
    }
}

impl Lender for Buffers {
    fn give_back(&self, buffer: u32) {
        if self.is_of_this_process() {
            self.registry.lock().free.push_back(buffer);
        }
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers")
            .field("id", &self.id)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
