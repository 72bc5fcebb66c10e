//! One run of a test: its streams, who is paused, who waits for what, and what has gone wrong.
//!
//! All of it is behind one mutex, so that a sender and a receiver whose times run out together agree on what happened:
//! either the event has been taken, or it is listed as pending. No code of the user's runs under it: events are
//! formatted, compared and dropped outside.

use super::options::Options;
use super::schedule::{self, Schedule};
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Debug};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

/// A place in the source, as `#[track_caller]` gives it.
pub(super) type Place = &'static Location<'static>;

/// What a run does beside running the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
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
pub(super) trait Sent: Send {
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
pub(super) struct Message {
    pub(super) ticket: u64,
    pub(super) event: Box<dyn Sent>,
    pub(super) text: String,
    /// Its number in the run.
    pub(super) number: usize,
}

#[derive(Default)]
pub(super) struct Stream {
    /// How many have come to it, those that are delayed included.
    pub(super) arrived: usize,
    pub(super) queue: VecDeque<Message>,
}

/// What has been sent, in order.
#[derive(Clone, Debug)]
pub(super) struct Traced {
    pub(super) stream: String,
    pub(super) at: Instant,
    /// Its text if its value was checked, otherwise what it is called.
    pub(super) text: String,
}

/// A sender that stands still.
pub(super) struct Paused {
    pub(super) phase: Phase,
    pub(super) actor: u64,
    pub(super) stream: String,
    pub(super) text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    /// The test looks at its event.
    Taken,
    Held(Place),
    /// It may go on.
    Free,
}

pub(super) enum Life {
    Running,
    Ended,
    Panicked(String),
}

/// A thread that was started by the kit's own `spawn`.
pub(super) struct Thread {
    pub(super) started: Place,
    pub(super) life: Life,
    pub(super) joined: bool,
    pub(super) actor: u64,
    pub(super) system_id: Option<u64>,
}

/// What the test waits for.
#[derive(Clone, Debug)]
pub(super) enum Goal {
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
pub(super) enum Found {
    Message(String, Message),
    Done,
}

pub(super) enum Checked {
    Ready(Found),
    Wait(Instant),
    Failed,
}

/// One that waits, in `expect` or the like.
pub(super) struct Awaiting {
    pub(super) number: u64,
    pub(super) deadline: Instant,
    pub(super) waker: Option<Waker>,
    /// Whether it is a future, which somebody has to poll.
    pub(super) is_future: bool,
    /// The version that it has seen.
    pub(super) seen: u64,
}

pub(super) struct State {
    pub(super) streams: BTreeMap<String, Stream>,
    pub(super) paused: BTreeMap<u64, Paused>,
    pub(super) delayed: Option<String>,
    pub(super) threads: Vec<Thread>,
    pub(super) awaiting: Vec<Awaiting>,
    pub(super) trace: Vec<Traced>,
    pub(super) schedule: Schedule,
    pub(super) next: u64,
    /// When the test last did something.
    pub(super) touched: Instant,
    /// When anything last went on.
    pub(super) moved: Instant,
    /// The report, once there is one.
    pub(super) failure: Option<Arc<str>>,
    pub(super) over: bool,
    /// Whether there is a watcher, who wakes futures.
    pub(super) watched: bool,
    /// Counts changes.
    pub(super) version: u64,
}

impl State {
    /// Takes out one that waits. What is returned is to be dropped outside of the lock.
    #[must_use]
    pub(super) fn stops_awaiting(&mut self, number: u64) -> Option<Awaiting> {
        let index = self.awaiting.iter().position(|one| one.number == number)?;
        Some(self.awaiting.swap_remove(index))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.over || self.failure.is_some()
    }

    pub(super) fn ticket(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn stream(&mut self, name: &str) -> &mut Stream {
        self.streams.entry(name.to_owned()).or_default()
    }

    /// Those who stand still, and have not been let go.
    pub(super) fn standing(&self) -> impl Iterator<Item = &Paused> {
        self.paused
            .values()
            .filter(|paused| paused.phase != Phase::Free)
    }

    pub(super) fn is_standing(&self, thread: &Thread) -> bool {
        thread.actor != 0 && self.standing().any(|paused| paused.actor == thread.actor)
    }

    pub(super) fn everyone_is_paused(&self, actors: u64) -> bool {
        !self.awaiting.is_empty()
            && actors == self.threads.len() as u64
            && self.threads.iter().all(|thread| {
                !matches!(thread.life, Life::Running) || self.schedule.has(thread.actor)
            })
    }
}

pub(super) type Router = Arc<dyn Fn(&dyn Any) -> Option<String> + Send + Sync>;

pub(super) struct Inner {
    pub(super) id: u64,
    pub(super) options: Options,
    pub(super) plan: Plan,
    /// The run's name.
    pub(super) run: String,
    /// Whether the caller wants the report as a value.
    pub(super) silent: bool,
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
    pub(super) actors: AtomicU64,
    entering: AtomicU64,
    pub(super) failed: AtomicBool,
    pub(super) outside: AtomicU64,
    pub(super) late: AtomicU64,
    pub(super) quieted: AtomicU64,
    pub(super) unwinding: Mutex<Option<Instant>>,
    pub(super) routers: Mutex<Vec<Router>>,
    pub(super) body: Option<u64>,
}

/// The tests that run, for firings that belong to none.
static RUNNING: Mutex<Vec<(u64, Weak<Inner>)>> = Mutex::new(Vec::new());

/// Counts a firing that belongs to nobody.
pub(super) fn fired_outside(id: u64) {
    let running = lock(&RUNNING);
    let test = running.iter().find(|(other, _)| *other == id);
    if let Some(inner) = test.and_then(|(_, inner)| inner.upgrade()) {
        // Dropped outside of the lock, if it is the last.
        drop(running);
        inner.outside.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    pub(super) fn start(options: &Options, plan: Plan, run: String, silent: bool) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let now = Instant::now();
        let seed = match plan {
            Plan::Explore { seed } => seed,
            _ => 0,
        };
        let inner = Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            options: options.clone(),
            plan,
            run,
            silent,
            state: Mutex::new(State {
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
            outside: AtomicU64::new(0),
            late: AtomicU64::new(0),
            quieted: AtomicU64::new(0),
            unwinding: Mutex::new(None),
            routers: Mutex::new(Vec::new()),
            body: schedule::system_id(),
        });
        lock(&RUNNING).push((inner.id, Arc::downgrade(&inner)));
        inner
    }

    /// Lets everybody go: nothing pauses any more.
    pub(super) fn close(&self) {
        lock(&RUNNING).retain(|(id, _)| *id != self.id);
        let mut state = self.lock();
        state.over = true;
        self.notify(&mut state);
        let left: Vec<Stream> = std::mem::take(&mut state.streams).into_values().collect();
        drop(state);
        drop(left);
    }

    /// After a failure: gives the test's threads a moment to end, so that what they panic with falls into the time in
    /// which it is not printed. Those that are stuck are not waited for.
    pub(super) fn clear_up(&self) {
        let until = Instant::now() + Duration::from_millis(100).min(self.options.dead_time);
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

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.entering.fetch_add(1, Ordering::Relaxed);
        let state = lock(&self.state);
        self.entering.fetch_sub(1, Ordering::Relaxed);
        state
    }

    /// Whether somebody waits for the lock at this moment, and is on his way.
    pub(super) fn is_entered(&self) -> bool {
        self.entering.load(Ordering::Relaxed) > 0
    }

    /// Something has changed: wakes all who wait for that, threads and (by way of the watcher) futures.
    pub(super) fn notify(&self, state: &mut State) {
        state.version += 1;
        self.changed.notify_all();
    }

    pub(super) fn pause_until<'a>(
        &self,
        state: MutexGuard<'a, State>,
        until: Instant,
    ) -> MutexGuard<'a, State> {
        let time = until.saturating_duration_since(Instant::now());
        self.changed
            .wait_timeout(state, time)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// For how long nothing may happen in this run.
    pub(super) fn dead_time(&self) -> Duration {
        match self.plan {
            Plan::Delay { by, .. } => self.options.dead_time + by,
            _ => self.options.dead_time,
        }
    }

    pub(super) fn is_explored(&self) -> bool {
        matches!(self.plan, Plan::Explore { .. })
    }

    pub(super) fn new_actor(&self) -> u64 {
        self.actors.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A panic begins in code that belongs to this test. Whether it should be printed.
    pub(super) fn panic_begins(&self, body: bool) -> bool {
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

    pub(super) fn trace(&self) -> Vec<Traced> {
        self.lock().trace.clone()
    }

    pub(super) fn outside(&self) -> u64 {
        self.outside.load(Ordering::Relaxed)
    }

    /// Which schedule it was.
    pub(super) fn fingerprint(&self) -> u64 {
        self.lock().schedule.fingerprint()
    }
}

impl Message {
    pub(super) fn number(&self) -> usize {
        self.number
    }
}

impl Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

/// What an event is called: its text up to its first field.
pub(super) fn name_of(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    &text[..end.unwrap_or(text.len())]
}

/// A time, as people write it.
pub(super) fn span(time: Duration) -> String {
    if time.as_millis() % 1000 == 0 {
        format!("{} s", time.as_secs())
    } else if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
