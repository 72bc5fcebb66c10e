//! One run of a test: its streams, who is paused, who waits for what, and what has gone wrong.
//!
//! All of it is behind one mutex, so that a sender and a receiver whose times run out together agree on what happened:
//! either the event has been taken, or it is listed as pending. No code of the user's runs under it: events are
//! formatted, compared and dropped outside.

use super::options::Options;
use super::report::Report;
use super::runtime;
use super::schedule::{self, Schedule};
use super::scope::Current;
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Debug};
use std::future::Future;
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
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
    number: usize,
}

#[derive(Default)]
struct Stream {
    /// How many have come to it, those that are delayed included.
    arrived: usize,
    queue: VecDeque<Message>,
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
struct Paused {
    phase: Phase,
    actor: u64,
    stream: String,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Pending,
    /// The test looks at its event.
    Taken,
    Held(Place),
    /// It may go on.
    Free,
}

enum Life {
    Running,
    Ended,
    Panicked(String),
}

/// A thread that was started by the kit's own `spawn`.
struct Thread {
    started: Place,
    life: Life,
    joined: bool,
    actor: u64,
    system_id: Option<u64>,
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

enum Checked {
    Ready(Found),
    Wait(Instant),
    Failed,
}

/// One that waits, in `expect` or the like.
struct Awaiting {
    number: u64,
    deadline: Instant,
    waker: Option<Waker>,
}

struct State {
    streams: BTreeMap<String, Stream>,
    paused: BTreeMap<u64, Paused>,
    delayed: Option<String>,
    has_delayed: bool,
    threads: Vec<Thread>,
    awaiting: Vec<Awaiting>,
    trace: Vec<Traced>,
    schedule: Schedule,
    next: u64,
    /// When the test last did something.
    touched: Instant,
    /// When anything last went on.
    moved: Instant,
    /// The report, once there is one.
    failure: Option<Arc<str>>,
    over: bool,
    watched: bool,
}

impl State {
    fn is_closed(&self) -> bool {
        self.over || self.failure.is_some()
    }

    fn ticket(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn stream(&mut self, name: &str) -> &mut Stream {
        self.streams.entry(name.to_owned()).or_default()
    }

    /// Those who stand still, and have not been let go.
    fn standing(&self) -> impl Iterator<Item = &Paused> {
        self.paused
            .values()
            .filter(|paused| paused.phase != Phase::Free)
    }

    fn is_standing(&self, thread: &Thread) -> bool {
        thread.actor != 0 && self.standing().any(|paused| paused.actor == thread.actor)
    }

    fn everyone_is_paused(&self, actors: u64) -> bool {
        !self.awaiting.is_empty()
            && actors == self.threads.len() as u64
            && self.threads.iter().all(|thread| {
                !matches!(thread.life, Life::Running) || self.schedule.has(thread.actor)
            })
    }
}

type Router = Arc<dyn Fn(&dyn Any) -> Option<String> + Send + Sync>;

pub(super) struct Inner {
    pub(super) id: u64,
    pub(super) options: Options,
    pub(super) plan: Plan,
    /// The run's name.
    pub(super) run: String,
    /// Whether the caller wants the report as a value.
    silent: bool,
    state: Mutex<State>,
    changed: Condvar,
    actors: AtomicU64,
    failed: AtomicBool,
    outside: AtomicU64,
    late: AtomicU64,
    quieted: AtomicU64,
    unwinding: Mutex<Option<Instant>>,
    routers: Mutex<Vec<Router>>,
    body: Option<u64>,
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a paused sender goes on, or panics.
enum Verdict {
    Go,
    Cancel,
}

/// What a cancelled sender panics with.
struct Cancelled;

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
                has_delayed: false,
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
            }),
            changed: Condvar::new(),
            actors: AtomicU64::new(0),
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

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn notify(&self, state: &mut State) {
        self.changed.notify_all();
        for awaiting in &mut state.awaiting {
            if let Some(waker) = awaiting.waker.take() {
                waker.wake();
            }
        }
    }

    fn pause_until<'a>(
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
    fn dead_time(&self) -> Duration {
        match self.plan {
            Plan::Delay { by, .. } => self.options.dead_time + by,
            _ => self.options.dead_time,
        }
    }

    fn is_explored(&self) -> bool {
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

    // Sending.

    pub(super) fn add_router(&self, router: Router) {
        lock(&self.routers).push(router);
    }

    /// The stream that the routers say; the first that knows the type does.
    pub(super) fn route(&self, event: &dyn Any) -> String {
        let routers = lock(&self.routers).clone();
        routers
            .iter()
            .find_map(|router| router(event))
            .unwrap_or_else(|| "default".to_owned())
    }

    pub(super) fn send(&self, current: &Current, stream: &str, event: Box<dyn Sent>) {
        if self.lock().is_closed() {
            self.late.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let text = event.text();
        if current.polled && runtime::has_one_thread() {
            self.stops_the_runtime(stream, &text);
            return;
        }
        if current.body {
            let mut state = self.lock();
            let report = Report::new(format!(
                "the test's own thread fires {text} on stream {stream:?}: it would wait for itself"
            ))
            .line(
                "help",
                "fire it in `testing::spawn`, or in `testing::outside`",
            );
            self.fail(&mut state, report, None);
            return;
        }
        match runtime::blocking(|| self.pause(current.actor, stream, event, &text)) {
            Some(Verdict::Go) => (),
            Some(Verdict::Cancel) => resume_unwind(Box::new(Cancelled)),
            None => self.stops_the_runtime(stream, &text),
        }
    }

    fn stops_the_runtime(&self, stream: &str, text: &str) {
        let mut state = self.lock();
        let report = Report::new(format!(
            "a task fires {text} on stream {stream:?}, and pausing it would stop the whole runtime"
        ))
        .line(
            "why",
            "its runtime is of the current-thread flavor, or it runs in a `LocalSet`",
        )
        .line("help", "#[tokio::test(flavor = \"multi_thread\")]");
        self.fail(&mut state, report, None);
    }

    fn pause(&self, actor: u64, stream: &str, event: Box<dyn Sent>, text: &str) -> Verdict {
        let mut state = self.lock();
        let index = state.stream(stream).arrived;
        state.stream(stream).arrived += 1;
        state = self.delay(state, stream, index, text);
        if self.is_explored() {
            state = self.take_turns(state, actor, stream);
        }
        if state.is_closed() {
            return self.verdict(&state);
        }
        let now = Instant::now();
        let ticket = state.ticket();
        let number = state.trace.len();
        state.moved = now;
        state.trace.push(Traced {
            stream: stream.to_owned(),
            at: now,
            text: name_of(text).to_owned(),
        });
        state.stream(stream).queue.push_back(Message {
            ticket,
            event,
            text: text.to_owned(),
            number,
        });
        if self.is_explored() {
            // It has had its pause. The test takes it when it comes to it.
            self.notify(&mut state);
            return Verdict::Go;
        }
        state.paused.insert(
            ticket,
            Paused {
                phase: Phase::Pending,
                actor,
                stream: stream.to_owned(),
                text: text.to_owned(),
            },
        );
        self.notify(&mut state);
        self.stand_still(state, ticket, now)
    }

    /// The delay that `verify` puts before an event.
    fn delay<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        stream: &str,
        index: usize,
        text: &str,
    ) -> MutexGuard<'a, State> {
        let by = match &self.plan {
            Plan::Delay {
                stream: delayed,
                index: number,
                by,
            } if delayed == stream && *number == index && !state.has_delayed => *by,
            _ => return state,
        };
        state.has_delayed = true;
        state.delayed = Some(format!("{stream}: {text}"));
        let until = Instant::now() + by;
        while Instant::now() < until && !state.is_closed() {
            state = self.pause_until(state, until);
        }
        state.delayed = None;
        state
    }

    /// Waits for the turn that the schedule gives to a sender.
    fn take_turns<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        actor: u64,
        stream: &str,
    ) -> MutexGuard<'a, State> {
        let ticket = state.ticket();
        let now = Instant::now();
        state.moved = now;
        state.schedule.arrives(ticket, actor, stream, now);
        self.notify(&mut state);
        loop {
            if state.is_closed() || state.schedule.goes(ticket) {
                state.schedule.leaves(ticket);
                return state;
            }
            let now = Instant::now();
            let settle = self.options.settle;
            if state.everyone_is_paused(self.actors.load(Ordering::Relaxed))
                || (state.schedule.is_quiet(now, settle) && !self.somebody_runs(&mut state, now))
            {
                state.schedule.choose(now);
                state.moved = now;
                self.notify(&mut state);
            } else {
                state = self.pause_until(state, now + settle);
            }
        }
    }

    /// Whether somebody can be expected to go on by himself, as far as the system tells.
    fn somebody_runs(&self, state: &mut State, now: Instant) -> bool {
        let running = state.schedule.has_let_go()
            || (state.awaiting.is_empty() && self.body.is_some_and(schedule::is_running))
            || state.threads.iter().any(|thread| {
                matches!(thread.life, Life::Running)
                    && !state.schedule.has(thread.actor)
                    && (thread.actor == 0 || thread.system_id.is_some_and(schedule::is_running))
            });
        state.schedule.looks(running, now, self.options.settle)
    }

    /// Waits until the test lets a sender go, or can't.
    fn stand_still(
        &self,
        mut state: MutexGuard<'_, State>,
        ticket: u64,
        since: Instant,
    ) -> Verdict {
        let dead = self.dead_time();
        loop {
            let phase = state.paused.get(&ticket).map(|paused| paused.phase);
            if state.is_closed() || phase.is_none_or(|phase| phase == Phase::Free) {
                state.paused.remove(&ticket);
                state.moved = Instant::now();
                let verdict = match phase {
                    Some(Phase::Free) => Verdict::Go,
                    _ => self.verdict(&state),
                };
                self.notify(&mut state);
                return verdict;
            }
            let now = Instant::now();
            // While the test waits in the kit, its own time runs.
            if state.awaiting.is_empty() {
                let unwinding = *lock(&self.unwinding);
                if unwinding.is_some_and(|begin| now >= begin + dead / 10) {
                    // Nobody will come any more; what the test panicked with is the report.
                    state.over = true;
                    self.notify(&mut state);
                    continue;
                }
                if now >= since.max(state.touched) + dead {
                    self.nobody_comes(&mut state, phase);
                    continue;
                }
            }
            state = self.pause_until(state, now + (dead / 10).max(Duration::from_millis(1)));
        }
    }

    fn verdict(&self, state: &State) -> Verdict {
        if self.options.cancel && state.failure.is_some() {
            Verdict::Cancel
        } else {
            Verdict::Go
        }
    }

    /// The sender's side of the deadlock detection.
    fn nobody_comes(&self, state: &mut State, phase: Option<Phase>) {
        let dead = span(self.dead_time());
        let report = match phase {
            Some(Phase::Held(_)) => Report::new(format!(
                "deadlock: the test holds a sender, and has done nothing for {dead}"
            ))
            .line(
                "help",
                "it may wait for what it holds itself: by joining its thread, at a lock of",
            )
            .line(
                "",
                "its, or for a grace period (`synchronize`, `detach_and_wait`)",
            ),
            _ => Report::new(format!(
                "deadlock: events are pending, and the test has asked for none for {dead}"
            ))
            .line(
                "help",
                "it may wait for a paused sender: at a lock of its, or by joining its thread",
            )
            .line(
                "",
                "(join by `testing::JoinHandle`, and the report says whose)",
            ),
        };
        self.fail(state, report, None);
    }

    // Threads.

    pub(super) fn thread_starts(&self, started: Place) -> usize {
        let mut state = self.lock();
        state.threads.push(Thread {
            started,
            life: Life::Running,
            joined: false,
            actor: 0,
            system_id: None,
        });
        state.threads.len() - 1
    }

    pub(super) fn thread_runs(&self, number: usize, actor: u64) {
        let system_id = if self.is_explored() {
            schedule::system_id()
        } else {
            None
        };
        let mut state = self.lock();
        state.threads[number].actor = actor;
        state.threads[number].system_id = system_id;
    }

    pub(super) fn thread_ends(&self, number: usize, panicked: Option<String>) {
        let mut state = self.lock();
        state.threads[number].life = panicked.map_or(Life::Ended, Life::Panicked);
        state.moved = Instant::now();
        self.notify(&mut state);
    }

    pub(super) fn thread_joined(&self, number: usize) {
        self.lock().threads[number].joined = true;
    }

    pub(super) fn join(&self, number: usize, at: Place) {
        self.wait(&Goal::Thread(number), "the end of a thread", at);
    }

    // Receiving.

    /// The test is at work.
    fn touch(&self, state: &mut State) {
        let now = Instant::now();
        state.touched = now;
        *lock(&self.unwinding) = None;
    }

    fn check(
        &self,
        state: &mut State,
        goal: &Goal,
        what: &str,
        since: Instant,
        at: Place,
    ) -> Checked {
        if state.failure.is_some() {
            return Checked::Failed;
        }
        if state.over {
            let report = Report::new(
                "the test went on after a panic, when senders had been let go".to_owned(),
            );
            self.fail(state, report, Some(at));
            return Checked::Failed;
        }
        let now = Instant::now();
        let dead = self.dead_time();
        let deadline = (state.moved.max(since) + dead).min(since + dead * 20);
        match goal {
            Goal::Event(streams) => {
                let first = streams
                    .iter()
                    .filter_map(|name| Some((state.streams.get(name)?.queue.front()?.ticket, name)))
                    .min();
                if let Some((ticket, name)) = first {
                    if let Some(paused) = state.paused.get_mut(&ticket) {
                        paused.phase = Phase::Taken;
                    }
                    if let Some(message) = state.stream(name).queue.pop_front() {
                        return Checked::Ready(Found::Message(name.clone(), message));
                    }
                }
                if now < deadline {
                    return Checked::Wait(deadline);
                }
                let report = Report::new(format!(
                    "deadlock: nothing came on {} for {}",
                    names(streams),
                    span(dead)
                ))
                .line("awaited", what);
                self.fail(state, report, Some(at));
                Checked::Failed
            }
            Goal::Nothing { stream, time } => {
                let came = state
                    .streams
                    .get(stream)
                    .and_then(|stream| stream.queue.front())
                    .map(|message| message.text.clone());
                if let Some(text) = came {
                    let report = Report::new(format!(
                        "an event came on stream {stream:?}, where none should for {}",
                        span(*time)
                    ))
                    .line("received", &text);
                    self.fail(state, report, Some(at));
                    Checked::Failed
                } else if now >= since + *time {
                    Checked::Ready(Found::Done)
                } else {
                    Checked::Wait(since + *time)
                }
            }
            Goal::Thread(number) => {
                let thread = &state.threads[*number];
                if !matches!(thread.life, Life::Running) {
                    return Checked::Ready(Found::Done);
                }
                if now < deadline {
                    return Checked::Wait(deadline);
                }
                let report = Report::new(format!(
                    "deadlock: a joined thread has not ended, and nothing happened for {}",
                    span(dead)
                ))
                .line(
                    "awaited",
                    &format!("the end of the thread started at {}", thread.started),
                );
                self.fail(state, report, Some(at));
                Checked::Failed
            }
            Goal::End => {
                let ended = state.threads.iter().all(|thread| {
                    !matches!(thread.life, Life::Running) || state.is_standing(thread)
                });
                if ended || now >= deadline {
                    Checked::Ready(Found::Done)
                } else {
                    Checked::Wait(deadline)
                }
            }
        }
    }

    /// Waits for the goal; blocks the thread. Panics with the report if the test has failed, or fails meanwhile.
    pub(super) fn wait(&self, goal: &Goal, what: &str, at: Place) -> Found {
        let since = Instant::now();
        let mut state = self.lock();
        self.touch(&mut state);
        match self.check(&mut state, goal, what, since, at) {
            Checked::Ready(found) => return found,
            Checked::Failed => {
                drop(state);
                self.raise();
            }
            Checked::Wait(_) => (),
        }
        if super::scope::is_polled() && runtime::has_one_thread() {
            let report = Report::new(
                "waiting here would stop the whole runtime, which has this one thread".to_owned(),
            )
            .line("awaited", what)
            .line(
                "help",
                "wait by one of the `async` forms: `expect_async(…).await`",
            );
            self.fail(&mut state, report, Some(at));
            drop(state);
            self.raise();
        }
        let number = state.ticket();
        state.awaiting.push(Awaiting {
            number,
            deadline: since,
            waker: None,
        });
        self.notify(&mut state);
        drop(state);
        let blocked = runtime::blocking(|| {
            let mut state = self.lock();
            loop {
                match self.check(&mut state, goal, what, since, at) {
                    Checked::Ready(found) => break Some(found),
                    Checked::Failed => break None,
                    Checked::Wait(until) => state = self.pause_until(state, until),
                }
            }
        });
        let mut state = self.lock();
        state.awaiting.retain(|awaiting| awaiting.number != number);
        self.touch(&mut state);
        if blocked.is_none() {
            let report =
                Report::new("this runtime does not allow the test to wait here".to_owned())
                    .line("awaited", what)
                    .line(
                        "help",
                        "wait by one of the `async` forms: `expect_async(…).await`",
                    );
            self.fail(&mut state, report, Some(at));
        }
        drop(state);
        match blocked.flatten() {
            Some(found) => found,
            None => self.raise(),
        }
    }

    /// The same, without blocking.
    pub(super) fn wait_async(self: &Arc<Self>, goal: Goal, what: String, at: Place) -> Wait {
        Wait {
            inner: Arc::clone(self),
            goal,
            what,
            at,
            begun: None,
        }
    }

    /// Wakes futures whose time has come. (Not by a runtime's clock: that may be a paused one.)
    fn watch(self: Arc<Self>) {
        let mut state = self.lock();
        while !state.is_closed() {
            let now = Instant::now();
            let mut next = now + Duration::from_millis(50);
            for awaiting in &mut state.awaiting {
                if awaiting.deadline > now {
                    next = next.min(awaiting.deadline);
                } else if let Some(waker) = awaiting.waker.take() {
                    waker.wake();
                }
            }
            state = self.pause_until(state, next);
        }
        self.notify(&mut state);
    }

    /// Lets the sender of an event go, which has been taken.
    pub(super) fn release(&self, ticket: u64) {
        let mut state = self.lock();
        self.touch(&mut state);
        if let Some(paused) = state.paused.get_mut(&ticket) {
            paused.phase = Phase::Free;
        }
        self.notify(&mut state);
    }

    /// Keeps it paused.
    pub(super) fn hold(&self, ticket: u64, at: Place) {
        let mut state = self.lock();
        self.touch(&mut state);
        if let Some(paused) = state.paused.get_mut(&ticket) {
            paused.phase = Phase::Held(at);
        }
    }

    /// An event's value has been checked.
    pub(super) fn checked(&self, message_number: usize, text: &str) {
        text.clone_into(&mut self.lock().trace[message_number].text);
    }

    /// Whether senders can be held: not where their order is chosen by a schedule.
    pub(super) fn must_hold(&self, at: Place) {
        if self.is_explored() {
            let mut state = self.lock();
            let report = Report::new("`explore` chooses itself who is held".to_owned())
                .line("help", "hold senders in `run` and `verify` only");
            self.fail(&mut state, report, Some(at));
            drop(state);
            self.raise();
        }
    }

    /// Fails unless a grace period can end: while a sender is paused, none does.
    pub(super) fn must_not_be_paused(&self, at: Place) {
        let mut state = self.lock();
        self.touch(&mut state);
        if state.failure.is_none() && state.standing().next().is_some() {
            let report = Report::new(
                "the test would wait for its own paused senders: until they go on, no grace period ends"
                    .to_owned(),
            );
            self.fail(&mut state, report, Some(at));
        }
        let failed = state.failure.is_some();
        drop(state);
        if failed {
            self.raise();
        }
    }

    // Failing.

    /// Makes the report, and lets everybody go. The first report counts.
    fn fail(&self, state: &mut State, report: Report, at: Option<Place>) {
        if state.failure.is_some() {
            return;
        }
        let report = self.describe(state, report);
        state.failure = Some(report.render(at, &self.run).into());
        self.failed.store(true, Ordering::Relaxed);
        self.notify(state);
    }

    pub(super) fn fails(&self, report: Report, at: Option<Place>) {
        let mut state = self.lock();
        self.fail(&mut state, report, at);
    }

    /// What else is known: who is where.
    fn describe(&self, state: &State, mut report: Report) -> Report {
        for stream in state.streams.iter() {
            for message in &stream.1.queue {
                report = report.line("pending", &format!("{}: {}", stream.0, message.text));
            }
        }
        for paused in state.paused.values() {
            if let Phase::Held(at) = paused.phase {
                report = report.line("held", &format!("{}: {}", paused.stream, paused.text));
                report = report.line("", &format!("since {at}"));
            }
        }
        if let Some(delayed) = &state.delayed {
            report = report.line("delayed", delayed);
        }
        for (stream, index) in state.schedule.paused() {
            report = report.line(
                "waiting",
                &format!("{stream}: for its turn (thread {index})"),
            );
        }
        for (name, stream) in &state.streams {
            if stream.queue.is_empty() {
                let events = match stream.arrived {
                    0 => "no event".to_owned(),
                    1 => "after 1 event".to_owned(),
                    n => format!("after {n} events"),
                };
                report = report.line("quiet", &format!("{name}: {events}"));
            }
        }
        for thread in &state.threads {
            let started = thread.started;
            match &thread.life {
                Life::Running => {
                    report = report.line("running", &format!("a thread started at {started}"))
                }
                Life::Ended => (),
                Life::Panicked(what) => {
                    report = report
                        .line("panicked", &format!("the thread started at {started}"))
                        .line("", what);
                }
            }
        }
        match self.outside.load(Ordering::Relaxed) {
            0 => report,
            1 => report.line("outside", "1 firing outside of any test passed"),
            n => report.line(
                "outside",
                &format!("{n} firings outside of any test passed"),
            ),
        }
    }

    /// The report, if the test has failed.
    pub(super) fn failure(&self) -> Option<Arc<str>> {
        self.lock().failure.clone()
    }

    /// Panics with the report.
    #[track_caller]
    pub(super) fn raise(&self) -> ! {
        match self.failure() {
            Some(report) => panic!("{report}"),
            None => unreachable!("it fails before it is raised"),
        }
    }

    /// What is left when the body has ended, and everybody with it: it is not to be.
    pub(super) fn finish(&self) {
        let mut state = self.lock();
        let running = state
            .threads
            .iter()
            .any(|thread| matches!(thread.life, Life::Running) && !state.is_standing(thread));
        let panicked = state
            .threads
            .iter()
            .any(|thread| matches!(thread.life, Life::Panicked(_)) && !thread.joined);
        let left = state.standing().count();
        let title = if state.failure.is_some() {
            None
        } else if left > 0 {
            let events = if left == 1 {
                "1 event is"
            } else {
                &format!("{left} events are")
            };
            Some(format!(
                "leftover: the test has ended, and {events} pending"
            ))
        } else if panicked {
            Some("a thread of the test panicked, and nobody joined it".to_owned())
        } else if running {
            Some(format!(
                "a thread of the test has not ended, and nothing happened for {}",
                span(self.dead_time())
            ))
        } else {
            None
        };
        if let Some(title) = title {
            self.fail(&mut state, Report::new(title), None);
        }
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

fn names(streams: &[String]) -> String {
    match streams {
        [stream] => format!("stream {stream:?}"),
        _ => {
            let streams: Vec<String> = streams.iter().map(|stream| format!("{stream:?}")).collect();
            format!("any of the streams {}", streams.join(", "))
        }
    }
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

/// A wait for a [`Goal`], as a future.
pub(super) struct Wait {
    inner: Arc<Inner>,
    goal: Goal,
    what: String,
    at: Place,
    /// When it was first polled, and its number.
    begun: Option<(Instant, u64)>,
}

impl Future for Wait {
    type Output = Found;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Found> {
        let this = &mut *self;
        let inner = Arc::clone(&this.inner);
        let mut state = inner.lock();
        inner.touch(&mut state);
        let (since, number) = *this
            .begun
            .get_or_insert_with(|| (Instant::now(), state.ticket()));
        match inner.check(&mut state, &this.goal, &this.what, since, this.at) {
            Checked::Ready(found) => {
                state.awaiting.retain(|awaiting| awaiting.number != number);
                Poll::Ready(found)
            }
            Checked::Failed => {
                state.awaiting.retain(|awaiting| awaiting.number != number);
                drop(state);
                inner.raise();
            }
            Checked::Wait(deadline) => {
                let waker = Some(context.waker().clone());
                state.awaiting.retain(|awaiting| awaiting.number != number);
                state.awaiting.push(Awaiting {
                    number,
                    deadline,
                    waker,
                });
                inner.changed.notify_all();
                if !std::mem::replace(&mut state.watched, true) {
                    let inner = Arc::clone(&inner);
                    std::thread::spawn(move || inner.watch());
                }
                Poll::Pending
            }
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some((_, number)) = self.begun {
            let mut state = self.inner.lock();
            let mut given_up = Vec::new();
            state.awaiting.retain_mut(|awaiting| {
                given_up.extend(awaiting.waker.take_if(|_| awaiting.number == number));
                awaiting.number != number
            });
            drop(state);
            drop(given_up);
        }
    }
}
