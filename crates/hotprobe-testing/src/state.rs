//! One run of a test: its streams, which senders are paused, who waits for what, and the failure.
//!
//! All state is behind one mutex. So a sender and a receiver that time out together agree on what
//! happened: the event has been taken, or the report lists it as pending. No user code runs under
//! the mutex: events are formatted, compared and dropped outside.

use crate::identity::Sender;
use crate::options::Options;
use crate::outside::{OutsideFiring, OutsideFirings};
use crate::schedule::{self, Schedule};
use std::any::Any;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::{self, Debug};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

/// A place in the source, as `#[track_caller]` gives it.
pub(crate) type Caller = &'static Location<'static>;

/// What a run does beside running the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    Plain,
    /// One event is held back before it is sent: the `index`th to arrive at `stream`.
    Delay {
        stream: String,
        index: usize,
        by: Duration,
    },
    /// The order of all events is chosen.
    Explore {
        seed: u64,
    },
}

/// An event on its way, whatever its type.
pub(crate) trait Sent: Send {
    fn text(&self) -> String;
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
    fn type_name(&self) -> &'static str;
}

impl<E: Debug + Send + 'static> Sent for E {
    fn text(&self) -> String {
        format!("{self:?}")
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn type_name(&self) -> &'static str {
        std::any::type_name::<E>()
    }
}

/// An event in its stream.
pub(crate) struct Message {
    pub(crate) ticket: u64,
    pub(crate) event: Box<dyn Sent>,
    pub(crate) text: String,
    /// Its number in the run.
    pub(crate) number: usize,
}

#[derive(Default)]
pub(crate) struct EventStream {
    /// How many have come to it, those that are delayed included.
    pub(crate) arrived: usize,
    pub(crate) queue: VecDeque<Message>,
}

/// What has been sent, in order.
#[derive(Clone, Debug)]
pub(crate) struct Traced {
    pub(crate) stream: String,
    pub(crate) at: Instant,
    /// Its text if its value was checked, otherwise what it is called.
    pub(crate) text: String,
}

/// A paused sender.
pub(crate) struct Paused {
    pub(crate) phase: Phase,
    pub(crate) actor: u64,
    pub(crate) stream: String,
    pub(crate) text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Pending,
    /// The test looks at its event.
    Taken,
    Held(Caller),
    /// The sender may continue.
    Free,
}

pub(crate) enum Life {
    Running,
    Ended,
    Panicked(String),
}

/// A thread that was started by the kit's own `spawn`.
pub(crate) struct TestThread {
    pub(crate) started: Caller,
    pub(crate) life: Life,
    pub(crate) joined: bool,
    pub(crate) actor: u64,
    pub(crate) system_id: Option<u64>,
}

/// What the test waits for.
#[derive(Clone, Debug)]
pub(crate) enum Goal {
    /// The first event of one of these streams.
    Event(Vec<String>),
    /// That no event comes.
    Nothing { stream: String, time: Duration },
    /// That a thread ends.
    Thread(usize),
    /// That all threads of the test have ended, or are paused.
    End,
}

/// What it found.
pub(crate) enum Found {
    Message(String, Message),
    Done,
}

pub(crate) enum Checked {
    Ready(Found),
    Wait(Instant),
    Failed,
}

/// A wait, in `expect` or the like.
pub(crate) struct Awaiting {
    pub(crate) number: u64,
    pub(crate) deadline: Instant,
    pub(crate) waker: Option<Waker>,
    /// Whether it is a future, which somebody has to poll.
    pub(crate) is_future: bool,
    /// The version that it has seen.
    pub(crate) seen: u64,
}

pub(crate) struct RunState {
    pub(crate) streams: BTreeMap<String, EventStream>,
    pub(crate) paused: BTreeMap<u64, Paused>,
    pub(crate) delayed: Option<String>,
    pub(crate) threads: Vec<TestThread>,
    pub(crate) awaiting: Vec<Awaiting>,
    pub(crate) trace: Vec<Traced>,
    pub(crate) schedule: Schedule,
    pub(crate) next: u64,
    /// When the test last did something.
    pub(crate) touched: Instant,
    /// When anything last happened.
    pub(crate) moved: Instant,
    /// The report, once there is one.
    pub(crate) failure: Option<Arc<str>>,
    pub(crate) over: bool,
    /// Whether there is a watcher, which wakes futures.
    pub(crate) watched: bool,
    /// Counts changes.
    pub(crate) version: u64,
}

impl RunState {
    /// Removes a wait. The result has to be dropped outside the lock.
    #[must_use]
    pub(crate) fn stops_awaiting(&mut self, number: u64) -> Option<Awaiting> {
        let index = self.awaiting.iter().position(|one| one.number == number)?;
        Some(self.awaiting.swap_remove(index))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.over || self.failure.is_some()
    }

    pub(crate) fn ticket(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn stream(&mut self, name: &str) -> &mut EventStream {
        self.streams.entry(name.to_owned()).or_default()
    }

    /// Returns the senders that are paused and have not been released.
    pub(crate) fn standing(&self) -> impl Iterator<Item = &Paused> {
        self.paused
            .values()
            .filter(|paused| paused.phase != Phase::Free)
    }

    pub(crate) fn is_standing(&self, thread: &TestThread) -> bool {
        thread.actor != 0 && self.standing().any(|paused| paused.actor == thread.actor)
    }

    pub(crate) fn everyone_is_paused(&self, actors: u64) -> bool {
        !self.awaiting.is_empty()
            && actors == self.threads.len() as u64
            && self.threads.iter().all(|thread| {
                !matches!(thread.life, Life::Running) || self.schedule.has(thread.actor)
            })
    }
}

pub(crate) type Router = Arc<dyn Fn(&dyn Any) -> Option<String> + Send + Sync>;

pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) options: Options,
    pub(crate) plan: Plan,
    /// The run's name: `delay@3 (t2:1)`.
    pub(crate) name: String,
    /// Whether the caller wants the report as a value.
    pub(crate) silent: bool,
    pub(crate) state: Mutex<RunState>,
    pub(crate) changed: Condvar,
    pub(crate) actors: AtomicU64,
    entering: AtomicU64,
    pub(crate) failed: AtomicBool,
    /// Whether the run is closed.
    pub(crate) over: AtomicBool,
    /// Firings that belong to no test.
    pub(crate) outside: Mutex<OutsideFirings>,
    /// Firings of threads and tasks whose run has ended, an earlier one of this test, say.
    pub(crate) stale: Mutex<OutsideFirings>,
    /// The actors of the threads and tasks that the run has adopted.
    pub(crate) adopted: Mutex<HashMap<Sender, u64>>,
    pub(crate) quieted: AtomicU64,
    pub(crate) unwinding: Mutex<Option<Instant>>,
    pub(crate) routers: Mutex<Vec<Router>>,
    pub(crate) body: Option<u64>,
}

/// The tests that run, for firings that belong to none.
static RUNNING: Mutex<Vec<(u64, Weak<Run>)>> = Mutex::new(Vec::new());

/// Notes a firing that reached a probe of test `id`, and does not belong to it: to no test, or to
/// the run `other`. A firing of another test that is still running is that test's business.
pub(crate) fn fired_outside<E: Debug>(
    id: u64,
    other: Option<&Run>,
    stream: &str,
    event: Option<&E>,
) {
    if other.is_some_and(|other| !other.over.load(Ordering::Relaxed)) {
        return;
    }
    let running = lock(&RUNNING);
    let test = running.iter().find(|(test, _)| *test == id);
    let run = test.and_then(|(_, run)| run.upgrade());
    drop(running);
    if let Some(run) = run {
        let firings = if other.is_some() {
            &run.stale
        } else {
            &run.outside
        };
        let looks = lock(firings).looks();
        let firing = looks.then(|| OutsideFiring::new(stream, event));
        lock(firings).add(firing);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run {
    pub(crate) fn start(options: &Options, plan: Plan, name: String, silent: bool) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let now = Instant::now();
        let seed = match plan {
            Plan::Explore { seed } => seed,
            _ => 0,
        };
        let run = Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            options: options.clone(),
            plan,
            name,
            silent,
            state: Mutex::new(RunState {
                streams: BTreeMap::new(),
                paused: BTreeMap::new(),
                delayed: None,
                threads: Vec::new(),
                awaiting: Vec::new(),
                trace: Vec::new(),
                schedule: Schedule::new(seed, now),
                next: 0,
                touched: now,
                moved: now,
                failure: None,
                over: false,
                watched: false,
                version: 0,
            }),
            changed: Condvar::new(),
            actors: AtomicU64::new(0),
            entering: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            over: AtomicBool::new(false),
            outside: Mutex::default(),
            stale: Mutex::default(),
            adopted: Mutex::default(),
            quieted: AtomicU64::new(0),
            unwinding: Mutex::new(None),
            routers: Mutex::new(Vec::new()),
            body: schedule::system_id(),
        });
        lock(&RUNNING).push((run.id, Arc::downgrade(&run)));
        run
    }

    /// Closes the run: releases all senders, and pauses none any more.
    pub(crate) fn close(&self) {
        lock(&RUNNING).retain(|(id, _)| *id != self.id);
        self.end_adoptions();
        self.over.store(true, Ordering::Relaxed);
        let mut state = self.lock();
        state.over = true;
        self.notify(&mut state);
        let left: Vec<EventStream> = std::mem::take(&mut state.streams).into_values().collect();
        drop(state);
        drop(left);
    }

    /// After a failure: gives the test's threads a moment to end, so that what they panic with
    /// falls into the time in which it is not printed. Those that are stuck are not waited for.
    pub(crate) fn clear_up(&self) {
        let until = Instant::now() + Duration::from_millis(100).min(self.options.max_idle());
        let mut state = self.lock();
        while Instant::now() < until
            && state
                .threads
                .iter()
                .any(|thread| matches!(thread.life, Life::Running))
        {
            state = self.pause_until(state, until);
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, RunState> {
        self.entering.fetch_add(1, Ordering::Relaxed);
        let state = lock(&self.state);
        self.entering.fetch_sub(1, Ordering::Relaxed);
        state
    }

    /// Returns whether a thread is waiting for the lock at this moment.
    pub(crate) fn is_entered(&self) -> bool {
        self.entering.load(Ordering::Relaxed) > 0
    }

    /// Wakes all threads that wait for a change and, by the watcher, all futures.
    pub(crate) fn notify(&self, state: &mut RunState) {
        state.version += 1;
        self.changed.notify_all();
    }

    pub(crate) fn pause_until<'a>(
        &self,
        state: MutexGuard<'a, RunState>,
        until: Instant,
    ) -> MutexGuard<'a, RunState> {
        let time = until.saturating_duration_since(Instant::now());
        self.changed
            .wait_timeout(state, time)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// For how long nothing may happen in this run.
    pub(crate) fn dead_time(&self) -> Duration {
        match self.plan {
            Plan::Delay { by, .. } => self.options.max_idle() + by,
            _ => self.options.max_idle(),
        }
    }

    pub(crate) fn is_explored(&self) -> bool {
        matches!(self.plan, Plan::Explore { .. })
    }

    pub(crate) fn new_actor(&self) -> u64 {
        self.actors.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A panic begins in code that belongs to this test. Whether it should be printed.
    pub(crate) fn panic_begins(&self, body: bool) -> bool {
        if body {
            *lock(&self.unwinding) = Some(Instant::now());
            return !self.silent;
        }
        let failed = self.failed.load(Ordering::Relaxed);
        if failed {
            self.quieted.fetch_add(1, Ordering::Relaxed);
        }
        !failed
    }

    pub(crate) fn trace(&self) -> Vec<Traced> {
        self.lock().trace.clone()
    }

    pub(crate) fn outside(&self) -> u64 {
        lock(&self.outside).count
    }

    /// Which schedule it was.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.lock().schedule.fingerprint()
    }
}

impl Message {
    pub(crate) fn number(&self) -> usize {
        self.number
    }
}

impl Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
