//! The oracle: a log for each probe, and the rules that each call of it, each drop and the end are
//! checked against.
//!
//! The log's stamps come from one clock, which counts up whenever something has been done to a
//! probe. A firing that reads a time from it happens after whatever bears an earlier stamp. In a
//! light run there is no clock, and what is read is read relaxed: nothing here orders the threads
//! under test then.

use crate::plant::Plant;
use crate::random::{Digest, Random};
use crate::with_event;
use hotprobe::Probe;
use std::cell::Cell;
use std::fmt::Display;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The message of panics that probes and captured values are meant to have.
pub(crate) const PLANNED: &str = "planned: the stress panics";

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// After `synchronize` has returned, no firing runs what was detached before it.
    NeverAfterSynchronize,
    /// When `synchronize` returns, every firing has ended that was in flight when it was called.
    WaitsForFirings,
    /// A firing that happens after a detach does not call the probe.
    NeverAfterDetach,
    /// A firing that happens after a probe was switched off by its panic does not call it.
    NeverAfterPanic,
    /// A firing calls what was attached before it began and is detached after it ended.
    AttachedIsCalled,
    /// A firing calls the probes in attach order, each at most once.
    AttachOrder,
    /// A batch begins at one instant over all events, its group ends at one.
    OneInstant,
    /// A captured value is dropped once,
    DroppedOnce,
    /// and when it has been detached, by a thread that is inside nothing, and not by `attach`.
    DroppedInPlace,
    /// `synchronize`, and functions that return a boolean, return what holds.
    TellsTheTruth,
    /// What is counted is counted exactly.
    ExactCounts,
    /// At the end nothing is left.
    NothingLeft,
    /// It ends.
    Ends,
}

/// What is known of one probe.
#[derive(Debug)]
pub(crate) struct Log {
    /// Who attached it, and its number among those.
    pub(crate) churner: usize,
    pub(crate) number: u64,
    /// Calls that are in progress.
    running: AtomicU32,
    calls: AtomicU64,
    /// Somebody is about to detach it.
    detaching: AtomicBool,
    /// When a detach of it had returned; 0: none has.
    detached: AtomicU64,
    /// When the firing in which it panicked, and was switched off, had ended.
    switched_off: AtomicU64,
    /// `synchronize` has returned after a detach.
    over: AtomicBool,
    drops: AtomicU32,
}

impl Log {
    pub(crate) fn new(churner: usize, number: u64) -> Arc<Self> {
        Arc::new(Self {
            churner,
            number,
            running: AtomicU32::new(0),
            calls: AtomicU64::new(0),
            detaching: AtomicBool::new(false),
            detached: AtomicU64::new(0),
            switched_off: AtomicU64::new(0),
            over: AtomicBool::new(false),
            drops: AtomicU32::new(0),
        })
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    pub(crate) fn drops(&self) -> u32 {
        self.drops.load(Relaxed)
    }
}

/// What is known of a batch's group.
#[derive(Debug, Default)]
pub(crate) struct GroupLog {
    detaching: AtomicBool,
}

impl GroupLog {
    /// Before its detach is called.
    pub(crate) fn detaching(&self) {
        self.detaching.store(true, Relaxed);
        // The detach releases this store; a thread that finds the group gone by it has acquired it.
    }

    /// Whether it was, for one who has found a probe of it gone.
    pub(crate) fn is_detaching(&self) -> bool {
        fence(Acquire);
        self.detaching.load(Relaxed)
    }
}

/// Threads in the midst of a firing, and which one it is.
pub(crate) type InFlight = Vec<(usize, u64)>;

pub(crate) struct Oracle {
    pub(crate) light: bool,
    pub(crate) plant: Option<Plant>,
    clock: AtomicU64,
    stopped: AtomicBool,
    failed: AtomicBool,
    failures: Mutex<Vec<String>>,
    /// For each churning thread and event: a probe that is attached as long as it is listed here.
    standing: Vec<[AtomicU64; crate::EVENTS]>,
    /// For each firing thread a count that is odd while a probe runs on it.
    marks: Vec<AtomicU64>,
    neighbours: Mutex<Vec<(Arc<Probe>, Arc<Log>)>>,
    live_captures: AtomicU64,
    probe_panics: AtomicU64,
    drop_panics: AtomicU64,
    firings: AtomicU64,
    total_calls: AtomicU64,
    synchronized: AtomicU64,
}

thread_local! {
    /// How many firings, scopes and attaches this thread is inside.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
    static IN_DROP: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` where no captured value may be dropped: in a firing, in `pinned`, in an attach.
pub(crate) fn inside<R>(f: impl FnOnce() -> R) -> R {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            INSIDE.with(|inside| inside.set(inside.get() - 1));
        }
    }
    INSIDE.with(|inside| inside.set(inside.get() + 1));
    let _leave = Leave;
    f()
}

/// Whether this thread is inside anything.
pub(crate) fn is_inside() -> bool {
    INSIDE.with(Cell::get) > 0 || IN_DROP.with(Cell::get)
}

impl Oracle {
    pub(crate) fn new(light: bool, plant: Option<Plant>, firing: usize, churning: usize) -> Self {
        Self {
            light,
            plant,
            clock: AtomicU64::new(1),
            stopped: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            failures: Mutex::default(),
            standing: (0..churning).map(|_| Default::default()).collect(),
            marks: (0..firing).map(|_| AtomicU64::new(0)).collect(),
            neighbours: Mutex::default(),
            live_captures: AtomicU64::new(0),
            probe_panics: AtomicU64::new(0),
            drop_panics: AtomicU64::new(0),
            firings: AtomicU64::new(0),
            total_calls: AtomicU64::new(0),
            synchronized: AtomicU64::new(0),
        }
    }

    pub(crate) fn fail(&self, rule: Rule, what: impl Display) {
        self.failed.store(true, Relaxed);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < 20 {
            failures.push(format!("{rule:?}: {what}"));
        }
    }

    pub(crate) fn check(&self, holds: bool, rule: Rule, what: impl Display) {
        if !holds {
            self.fail(rule, what);
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    pub(crate) fn failures(&self) -> Vec<String> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut failures)
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    /// Whether a thread has done enough: its digest is to be complete, however slow the machine.
    pub(crate) fn is_over(&self, digest: &Digest) -> bool {
        self.is_stopped() && (digest.is_complete() || self.has_failed())
    }

    /// What happens from now on happens after what has a stamp that is not larger. In a light
    /// run: 0.
    pub(crate) fn now(&self) -> u64 {
        if self.light {
            0
        } else {
            self.clock.load(SeqCst)
        }
    }

    fn stamp(&self) -> u64 {
        if self.light {
            u64::MAX
        } else {
            self.clock.fetch_add(1, SeqCst) + 1
        }
    }

    // Reports of churning threads.

    /// Before a detach is called.
    pub(crate) fn detaching(&self, log: &Log) {
        log.detaching.store(true, Relaxed);
        if self.plant == Some(Plant::EarlyStamp) {
            self.detached(log);
        }
    }

    /// After a detach has returned, whatever it returned.
    pub(crate) fn detached(&self, log: &Log) {
        // The first stamp is the strictest.
        let _ = log
            .detached
            .compare_exchange(0, self.stamp(), Relaxed, Relaxed);
    }

    /// After `synchronize` has returned `Ok`, when a detach had returned before it was called.
    pub(crate) fn synchronized(&self, log: &Log) {
        self.synchronized.fetch_add(1, Relaxed);
        let running = log.running.load(Relaxed);
        self.check(
            running == 0,
            Rule::NeverAfterSynchronize,
            format_args!("{running} firings run it: {log:?}"),
        );
        let drops = log.drops.load(Relaxed);
        self.check(
            drops == 1,
            Rule::DroppedOnce,
            format_args!("dropped {drops} times when synchronize returned: {log:?}"),
        );
        log.over.store(true, Relaxed);
    }

    /// A firing thread's count. (None in a light run.)
    pub(crate) fn mark(&self, firing: usize) -> Option<&AtomicU64> {
        self.marks.get(firing).filter(|_| !self.light)
    }

    /// The threads that are in the midst of a probe, and so of a firing.
    pub(crate) fn in_flight(&self) -> InFlight {
        let marks = self.marks.iter().map(|mark| mark.load(Acquire));
        marks
            .enumerate()
            .filter(|(_, mark)| mark % 2 == 1)
            .collect()
    }

    /// `synchronize` has returned `Ok`, and before it was called these were in flight.
    pub(crate) fn have_ended(&self, in_flight: &[(usize, u64)]) {
        for &(firing, mark) in in_flight {
            let now = self.marks[firing].load(Relaxed);
            self.check(
                now != mark,
                Rule::WaitsForFirings,
                format_args!("synchronize has returned, thread {firing} is in the same firing"),
            );
        }
    }

    /// Records a false fact, the planted one.
    pub(crate) fn lie(&self, log: &Log) {
        match self.plant {
            Some(Plant::LateCall) => log.over.store(true, Relaxed),
            Some(Plant::DroppedTwice) => {
                log.drops.fetch_add(1, Relaxed);
            }
            _ => {}
        }
    }

    /// A probe that any thread may detach.
    pub(crate) fn give_neighbour(&self, probe: &Arc<Probe>, log: &Arc<Log>) {
        let mut neighbours = self.neighbours();
        neighbours.push((Arc::clone(probe), Arc::clone(log)));
    }

    /// Not any more. (Somebody may be about to.)
    pub(crate) fn take_neighbour(&self, log: &Arc<Log>) {
        let mut neighbours = self.neighbours();
        let found = neighbours
            .iter()
            .position(|(_, other)| Arc::ptr_eq(other, log));
        let taken = found.map(|index| neighbours.swap_remove(index));
        drop(neighbours);
        drop(taken);
    }

    pub(crate) fn neighbour(&self, random: &Random) -> Option<(Arc<Probe>, Arc<Log>)> {
        let neighbours = self.neighbours();
        if neighbours.is_empty() {
            return None;
        }
        Some(neighbours[random.below(neighbours.len())].clone())
    }

    fn neighbours(&self) -> MutexGuard<'_, Vec<(Arc<Probe>, Arc<Log>)>> {
        loop {
            // (A race detector sees no lock that was waited for in std, which is not instrumented.)
            if let Ok(neighbours) = self.neighbours.try_lock() {
                return neighbours;
            }
            std::thread::yield_now();
        }
    }

    /// This probe is attached, and will be until [`Oracle::falls`].
    pub(crate) fn stands(&self, event: usize, log: &Log) {
        if !self.light {
            self.standing[log.churner][event].store(log.number, Release);
        }
    }

    pub(crate) fn falls(&self, event: usize, churner: usize) {
        if !self.light {
            self.standing[churner][event].store(0, Release);
        }
    }

    // Reports of firing threads and probes.

    /// The probes that stay attached to an event, by churning thread.
    pub(crate) fn standing(&self, event: usize) -> impl Iterator<Item = (usize, u64)> + '_ {
        let standing = self.standing.iter().enumerate();
        standing.filter_map(move |(churner, events)| match events[event].load(Acquire) {
            0 => None,
            number => Some((churner, number)),
        })
    }

    /// Whether that one still stood after the firing.
    pub(crate) fn still_stands(&self, event: usize, churner: usize, number: u64) -> bool {
        // Pairs with the detach's stores, whichever of them the firing has seen.
        fence(Acquire);
        self.standing[churner][event].load(Relaxed) == number
    }

    pub(crate) fn fired(&self, firings: u64) {
        self.firings.fetch_add(firings, Relaxed);
    }

    /// A call begins, in a firing that began at `began`.
    pub(crate) fn called(&self, log: &Log, began: u64) {
        log.running.fetch_add(1, Relaxed);
        log.calls.fetch_add(1, Relaxed);
        self.check(
            !log.over.load(Relaxed),
            Rule::NeverAfterSynchronize,
            format_args!("called: {log:?}"),
        );
        let happens_after = |stamp: &AtomicU64| {
            let stamp = stamp.load(Relaxed);
            stamp != 0 && began >= stamp
        };
        self.check(
            !happens_after(&log.detached),
            Rule::NeverAfterDetach,
            format_args!("called in a firing that began at {began}: {log:?}"),
        );
        self.check(
            !happens_after(&log.switched_off),
            Rule::NeverAfterPanic,
            format_args!("called in a firing that began at {began}: {log:?}"),
        );
    }

    /// A call ends.
    pub(crate) fn returns(&self, log: &Log) {
        self.check(
            !log.over.load(Relaxed),
            Rule::NeverAfterSynchronize,
            format_args!("still running: {log:?}"),
        );
        log.running.fetch_sub(1, Relaxed);
    }

    /// A firing in which it was switched off by its panic has ended.
    pub(crate) fn switched_off(&self, log: &Log) {
        let _ = log
            .switched_off
            .compare_exchange(0, self.stamp(), Relaxed, Relaxed);
    }

    pub(crate) fn probe_panics(&self) {
        if self.plant != Some(Plant::UncountedPanic) {
            self.probe_panics.fetch_add(1, Relaxed);
        }
    }

    // Reports of captured values.

    pub(crate) fn captured(&self) {
        self.live_captures.fetch_add(1, Relaxed);
    }

    /// A captured value that was attached is dropped; `f` is what it does then.
    pub(crate) fn dropped(&self, log: &Log, f: impl FnOnce()) {
        self.live_captures.fetch_sub(1, Relaxed);
        self.total_calls.fetch_add(log.calls(), Relaxed);
        let drops = log.drops.fetch_add(1, Relaxed);
        let running = log.running.load(Relaxed);
        self.check(
            drops == 0,
            Rule::DroppedOnce,
            format_args!("dropped before: {log:?}"),
        );
        self.check(
            running == 0,
            Rule::NeverAfterSynchronize,
            format_args!("dropped while it runs: {log:?}"),
        );
        self.check(
            log.detaching.load(Relaxed),
            Rule::DroppedInPlace,
            format_args!("dropped, and never detached: {log:?}"),
        );
        self.check(
            !is_inside(),
            Rule::DroppedInPlace,
            format_args!("dropped inside a firing, a scope, an attach or another drop: {log:?}"),
        );
        IN_DROP.with(|in_drop| in_drop.set(true));
        f();
        IN_DROP.with(|in_drop| in_drop.set(false));
    }

    /// A captured value that never was attached is dropped.
    pub(crate) fn dropped_unattached(&self, log: &Log) {
        self.live_captures.fetch_sub(1, Relaxed);
        let drops = log.drops.fetch_add(1, Relaxed);
        self.check(
            drops == 0 && log.calls() == 0,
            Rule::DroppedOnce,
            format_args!("of a batch that did nothing: {log:?}"),
        );
    }

    /// Its drop is about to panic.
    pub(crate) fn drop_panics(&self) {
        IN_DROP.with(|in_drop| in_drop.set(false));
        self.drop_panics.fetch_add(1, Relaxed);
    }

    // The end.

    pub(crate) fn check_the_end(&self) {
        let synchronized = hotprobe::synchronize();
        self.check(
            synchronized.is_ok(),
            Rule::TellsTheTruth,
            format_args!("{synchronized:?} outside everything"),
        );
        for event in 0..crate::EVENTS {
            let (enabled, count) = with_event!(event, |e| (e.is_enabled(), e.probe_count()));
            self.check(
                !enabled && count == 0,
                Rule::NothingLeft,
                format_args!("event {event} has {count} probes, enabled: {enabled}"),
            );
        }
        let live = self.live_captures.load(Relaxed);
        self.check(
            live == 0,
            Rule::NothingLeft,
            format_args!("{live} captured values"),
        );
        let stats = hotprobe::stats();
        self.check(
            stats.retired == stats.reclaimed,
            Rule::NothingLeft,
            format_args!("{stats:?}"),
        );
        let planned = (
            self.probe_panics.load(Relaxed),
            self.drop_panics.load(Relaxed),
        );
        self.check(
            planned == (stats.probe_panics, stats.drop_panics),
            Rule::ExactCounts,
            format_args!("planned {planned:?}, counted {stats:?}"),
        );
    }

    pub(crate) fn firings(&self) -> u64 {
        self.firings.load(Relaxed)
    }

    pub(crate) fn calls(&self) -> u64 {
        self.total_calls.load(Relaxed)
    }

    pub(crate) fn synchronized_count(&self) -> u64 {
        self.synchronized.load(Relaxed)
    }
}
