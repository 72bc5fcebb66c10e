//! The buffers of one recording, and how a firing thread finds its own.
//!
//! A thread has a *lease* for each recording: the buffer that it writes, and its number there. Leases are in a thread-local
//! without a destructor, so that a firing finds its own at any moment of the thread's life. Another thread-local, which
//! has one, gives the buffers back when the thread ends. What a thread records after that, in a destructor that runs
//! still later, goes into a buffer that it takes for this one record.
//!
//! A buffer that was given back goes to the next thread that needs one; what is in it stays.
//!
//! **Memory.** What the registry keeps of threads that ended is bounded ([`Limits::threads`], [`Limits::rows`]). The threads
//! that come after that share one number: what they record and lose is counted under it, and so is how many they are.
//!
//! Nothing is allocated while the registry is locked, and no user code runs: an allocator may fire events, too.

use super::buffer::Buffer;
use super::ring::Ring;
use crate::formats::export::{Header, Lost, ThreadInfo};
use crate::overflow::Overflow;
use hotprobe::Value;
use hotprobe_clock::Timer;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError, Weak};
use std::{process, thread};

/// What a recording and its probes share.
pub(crate) struct Buffers {
    id: u64,
    process: u32,
    pub(crate) timer: Timer,
    pub(crate) header: Header,
    pub(crate) limits: Limits,
    /// One for each buffer that the cap allows; a buffer is made when a thread needs it.
    slots: Box<[OnceLock<Buffer>]>,
    registry: Mutex<Registry>,
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
    /// Of the longest record.
    pub(crate) longest: u64,
    pub(crate) cut_at: usize,
    /// How many threads have a number of their own.
    pub(crate) threads: usize,
    /// How many losses, each of one thread and event, are kept outside the buffers before further threads share a number.
    /// The threads that have their own by then may add some.
    pub(crate) rows: usize,
}

struct Registry {
    threads: Vec<ThreadInfo>,
    others: Others,
    /// How many buffers there are, or are about to be.
    made: usize,
    /// Those that belong to no thread, the one given back first in front.
    free: VecDeque<u32>,
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

/// A longer name of a thread is cut, in bytes.
const LONGEST_NAME: usize = 256;

#[derive(Clone, Copy)]
struct Beyond {
    time: u64,
    count: u64,
}

const NONE: u32 = u32::MAX;

/// The buffer into which a thread records.
#[derive(Clone, Copy)]
struct BufferLease {
    /// 0: none.
    recording: u64,
    /// `NONE`: it has none, for now.
    buffer: u32,
    thread: u32,
}

impl BufferLease {
    const EMPTY: Self = Self {
        recording: 0,
        buffer: NONE,
        thread: NONE,
    };
}

const LEASES: usize = 4;

/// Firings of one event, lost by a thread that was about to get its buffer.
#[derive(Clone, Copy)]
struct Waiting {
    event: u32,
    count: u64,
}

impl Waiting {
    const NONE: Self = Self { event: 0, count: 0 };

    /// Takes what waits on this thread, of one event.
    fn take() -> Option<Self> {
        HERE.with(|here| {
            let row = here.waiting.iter().find(|row| row.get().count > 0)?;
            Some(row.replace(Self::NONE))
        })
    }
}

/// Of so many events.
const WAITING: usize = 8;

thread_local! {
    static HERE: Here = const {
        Here {
            leases: [const { Cell::new(BufferLease::EMPTY) }; LEASES],
            busy: Cell::new(None),
            waiting: [const { Cell::new(Waiting::NONE) }; WAITING],
            ended: Cell::new(false),
        }
    };

    static OWNED: Owned = const { Owned(RefCell::new(Vec::new())) };
}

/// What a thread knows of its recordings. Without a destructor.
struct Here {
    /// Of the recordings of these numbers, modulo their number. More than that at once
    /// have to look into `OWNED`.
    leases: [Cell<BufferLease>; LEASES],
    /// In the registry of this recording, or about to be.
    busy: Cell<Option<u64>>,
    /// What it lost there meanwhile, of that recording.
    waiting: [Cell<Waiting>; WAITING],
    /// `OWNED` is gone.
    ended: Cell<bool>,
}

impl Here {
    #[inline(always)]
    fn lease(&self, recording: u64) -> &Cell<BufferLease> {
        #[allow(clippy::cast_possible_truncation, reason = "modulo a few")]
        let index = recording as usize % LEASES;
        &self.leases[index]
    }
}

/// The buffers that a thread gives back when it ends.
struct Owned(RefCell<Vec<(Weak<Buffers>, BufferLease)>>);

impl Drop for Owned {
    fn drop(&mut self) {
        HERE.with(|here| here.ended.set(true));
        for (buffers, lease) in self.0.get_mut().drain(..) {
            HERE.with(|here| {
                let place = here.lease(lease.recording);
                if place.get().recording == lease.recording {
                    place.set(BufferLease {
                        buffer: NONE,
                        ..lease
                    });
                }
            });
            if let Some(buffers) = buffers.upgrade().filter(|_| lease.buffer != NONE) {
                buffers.give_back(lease.buffer);
            }
        }
    }
}

/// As long as it lives, firings on this thread get no further than to be counted as lost.
struct Busy(());

impl Busy {
    /// For the sake of no recording.
    const READING: u64 = 0;

    fn enter(recording: u64) -> Option<Self> {
        HERE.with(|here| {
            let is_free = here.busy.get().is_none();
            is_free.then(|| {
                here.busy.set(Some(recording));
                Self(())
            })
        })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        HERE.with(|here| here.busy.set(None));
    }
}

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
            registry: Mutex::new(Registry {
                threads: Vec::new(),
                others: Others::default(),
                made: 0,
                free: VecDeque::with_capacity(limits.buffers),
                beyond: HashMap::new(),
            }),
            between: (0..events).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Whether this is the process that started the recording, and not one forked from it.
    pub(crate) fn is_of_this_process(&self) -> bool {
        self.process == process::id()
    }

    /// Records a firing, or counts it as lost. `TSC`: which clock it is; `TASKS`: whether tasks are noted.
    #[inline(always)]
    pub(crate) fn record<const TSC: bool, const TASKS: bool>(
        self: &Arc<Self>,
        event: u32,
        values: &[Value<'_>],
    ) {
        // First of all: the processor continues with what follows while it reads its clock.
        let time = self.timer.ticks_of::<TSC>();
        match self.own() {
            Some(buffer) => buffer.record::<TASKS>(event, time, values),
            None => self.record_without_lease::<TASKS>(event, time, values),
        }
    }

    /// This thread's buffer, if its lease says which it is.
    #[inline(always)]
    fn own(&self) -> Option<&Buffer> {
        let lease = HERE.with(|here| here.lease(self.id).get());
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
        // In a forked child the lock may be held by a thread that is not there. It has nothing to record for.
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
                buffer.record::<TASKS>(event, time, values);
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

    /// A firing inside what gets its thread a buffer: it waits until that is known. So do those of few events; others, and
    /// those that another recording has brought about, are counted apart.
    fn lose_between(&self, event: u32) {
        let waits = HERE.with(|here| {
            let is_own = here.busy.get() == Some(self.id);
            let fits = |row: &&Cell<Waiting>| row.get().count == 0 || row.get().event == event;
            let Some(row) = here.waiting.iter().find(fits).filter(|_| is_own) else {
                return false;
            };
            let count = row.get().count + 1;
            row.set(Waiting { event, count });
            true
        });
        if !waits {
            self.between[event as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Finds or makes a buffer for this thread.
    fn get(self: &Arc<Self>) -> Got {
        let mut lease = HERE.with(|here| here.lease(self.id).get());
        if lease.recording != self.id {
            // It may be known all the same, its lease being another recording's.
            let owned = OWNED.try_with(|owned| {
                let owned = owned.0.borrow();
                owned
                    .iter()
                    .map(|&(_, lease)| lease)
                    .find(|lease| lease.recording == self.id)
            });
            lease = if let Ok(Some(lease)) = owned {
                lease
            } else {
                let lease = BufferLease {
                    recording: self.id,
                    buffer: NONE,
                    thread: self.new_thread(),
                };
                // (Without a buffer as well: it is one thread, however often it asks for one.)
                self.own_lease(lease);
                lease
            };
        }
        let thread = lease.thread;
        if lease.buffer == NONE {
            let Some(buffer) = self.take_buffer(thread as usize) else {
                HERE.with(|here| here.lease(self.id).set(lease));
                return Got::Nothing { thread };
            };
            lease.buffer = buffer;
            if !self.own_lease(lease) {
                lease.buffer = NONE;
                HERE.with(|here| here.lease(self.id).set(lease));
                return Got::Once(buffer);
            }
        }
        HERE.with(|here| here.lease(self.id).set(lease));
        Got::Own(lease.buffer)
    }

    /// Keeps the lease until the thread ends. Returns whether that is possible.
    fn own_lease(self: &Arc<Self>, lease: BufferLease) -> bool {
        if HERE.with(|here| here.ended.get()) {
            return false;
        }
        let own = |owned: &Owned| {
            let mut owned = owned.0.borrow_mut();
            owned.retain(|(buffers, other)| {
                buffers.strong_count() > 0 && other.recording != lease.recording
            });
            owned.push((Arc::downgrade(self), lease));
        };
        OWNED.try_with(own).is_ok()
    }

    /// A buffer that nobody has, or a new one, as long as the cap allows it.
    fn take_buffer(&self, thread: usize) -> Option<u32> {
        let Limits {
            words,
            overflow,
            longest,
            ..
        } = self.limits;
        let (given_back, new) = {
            let mut registry = self.lock();
            let Registry { made, free, .. } = &mut *registry;
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
            self.lock().free.push_back(index);
            return None;
        }
        let ring = Ring::new(words, overflow, self.header.events.len(), longest, thread);
        let buffer = Buffer::new(ring, self.timer, self.limits.cut_at);
        // (Its number is this call's alone.)
        self.slots[new].get_or_init(|| buffer);
        u32::try_from(new).ok()
    }

    fn give_back(&self, buffer: u32) {
        if self.is_of_this_process() {
            self.lock().free.push_back(buffer);
        }
    }

    fn new_thread(&self) -> u32 {
        let mut info = this_thread();
        let mut bigger = Vec::new();
        loop {
            let mut registry = self.lock();
            let new = registry.threads.len();
            let is_to_be_counted =
                new > 0 && new % THREADS_A_COUNT == 0 && !registry.others.are_all;
            if is_to_be_counted {
                // The rings have locks of their own.
                let beyond = registry.beyond.len();
                drop(registry);
                let rows = beyond + self.rings().map(Ring::rows_left).sum::<usize>();
                registry = self.lock();
                registry.others.are_all |= rows >= self.limits.rows;
            }
            registry.others.are_all |= registry.threads.len() >= self.limits.threads;
            let Registry {
                threads, others, ..
            } = &mut *registry;
            if others.are_all {
                if let Some((number, count)) = &mut others.number {
                    *count += 1;
                    return u32::try_from(*number).unwrap_or(NONE);
                }
                info.id = 0;
                // The old name is freed unlocked.
                let name = info.name.take();
                if name.is_some() {
                    drop(registry);
                    continue;
                }
            }
            if threads.len() == threads.capacity() && bigger.capacity() <= threads.len() {
                let wanted = 2 * threads.len() + 8;
                drop(registry);
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
            drop(registry);
            drop(bigger);
            return u32::try_from(index).unwrap_or(NONE);
        }
    }

    fn lose_beyond(&self, thread: u32, event: u32, count: u64) {
        let time = self.timer.ticks();
        let mut bigger = HashMap::new();
        loop {
            let mut registry = self.lock();
            let beyond = &mut registry.beyond;
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
            drop(registry);
            bigger = HashMap::with_capacity(wanted);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        // Held for moments only, so nobody sleeps for it.
        let mut tries = 0_u32;
        loop {
            match self.registry.try_lock() {
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

    /// The ring of this number. (They are numbered without gaps, but a number may be about to be made.)
    pub(crate) fn ring(&self, index: usize) -> Option<&Ring> {
        Some(&self.slots.get(index)?.get()?.ring)
    }

    pub(crate) fn ring_count(&self) -> usize {
        self.limits.buffers
    }

    /// How many of them there are, or are about to be.
    pub(crate) fn made(&self) -> usize {
        let _busy = Busy::enter(Busy::READING);
        self.lock().made
    }

    /// The threads from this number on, and how many share a number.
    pub(crate) fn threads_from(&self, first: usize) -> (Vec<ThreadInfo>, u64) {
        // First of all: their number is among those that are read after it.
        let others = self.others();
        let mut threads = self.read(
            |registry| registry.threads.len().saturating_sub(first),
            |registry, threads| {
                let from = registry.threads.get(first..).unwrap_or_default();
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

    /// The threads that share a number, as one whose name says how many they are, so far.
    pub(crate) fn others(&self) -> Option<(ThreadInfo, u64)> {
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

    /// Takes what threads lost that wrote before into buffers that others have now.
    pub(crate) fn take_left(&self) -> impl Iterator<Item = Lost> {
        self.rings().flat_map(Ring::take_left)
    }

    /// Copies rows of the registry to a vector, which is made while the registry is not locked.
    fn read<T>(
        &self,
        count: impl Fn(&Registry) -> usize,
        copy: impl Fn(&Registry, &mut Vec<T>),
    ) -> Vec<T> {
        let mut rows = Vec::new();
        loop {
            let busy = Busy::enter(Busy::READING);
            let registry = self.lock();
            let wanted = count(&registry);
            if wanted <= rows.capacity() {
                copy(&registry, &mut rows);
                return rows;
            }
            drop((registry, busy));
            rows.reserve(wanted);
        }
    }

    /// What threads lost that had no buffer, so far.
    pub(crate) fn beyond(&self) -> Vec<Lost> {
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

    /// By event: what was lost by threads that were about to get their buffer, so far.
    pub(crate) fn between(&self) -> impl Iterator<Item = (usize, u64)> {
        let counts = self
            .between
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        counts.enumerate().filter(|&(_, count)| count > 0)
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

/// What is known of the calling thread.
fn this_thread() -> ThreadInfo {
    // (A thread that is about to be gone may have no handle any more.)
    let current = catch_unwind(thread::current).ok();
    ThreadInfo {
        index: 0,
        id: os_id()
            .or_else(|| current.as_ref().and_then(rust_id))
            .unwrap_or(0),
        name: current
            .as_ref()
            .and_then(|thread| thread.name())
            .map(|name| cut(name).into()),
    }
}

/// As much of a name as is kept, cut between characters.
fn cut(name: &str) -> &str {
    let end = (0..=LONGEST_NAME)
        .rev()
        .find(|&end| name.is_char_boundary(end));
    if name.len() <= LONGEST_NAME {
        name
    } else {
        &name[..end.unwrap_or(0)]
    }
}

/// The system's number for the calling thread, where it can be had without `unsafe`.
fn os_id() -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}

/// The standard library's number, which it shows by its `Debug` only: `ThreadId(7)`.
fn rust_id(thread: &thread::Thread) -> Option<u64> {
    let text = format!("{:?}", thread.id());
    text.strip_prefix("ThreadId(")?
        .strip_suffix(')')?
        .parse()
        .ok()
}
