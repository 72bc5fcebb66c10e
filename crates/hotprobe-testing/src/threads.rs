//! Threads that belong to a test: [`spawn`], the handle that joins them, and what the run knows
//! about them.

use crate::quiet;
use crate::schedule;
use crate::scope::{Scope, current};
use crate::state::{Caller, Goal, Life, Run, TestThread};
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// Starts a thread, as [`std::thread::spawn`], that belongs to the test whose code calls this, if
/// there is one. So do the threads that it starts in the same way.
///
/// The test waits for such a thread after its body has ended, at most for the dead time. If the
/// thread panics and is not joined, the test fails.
///
/// # Panics
/// If the system cannot start a thread.
///
/// ```
/// use hotprobe_testing::{self as testing, spawn};
/// hotprobe::event! { static TICK: fn(n: u32); }
///
/// testing::run(|t| {
///     t.attach(|batch, to| TICK.attach_in(batch, move |n| to.send("ticker", n)));
///     let ticker = spawn(|| TICK.fire(1));
///     t.expect("ticker", 1_u32);
///     ticker.join();
/// });
/// ```
#[track_caller]
pub fn spawn<T, F>(work: F) -> JoinHandle<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    start(Scope::current(), work, Location::caller())
}

/// Starts a thread, as [`spawn`], and names its own stream:
/// [`Tracer::send_own`](crate::Tracer::send_own) sends to it.
///
/// # Panics
/// As `spawn`.
///
/// ```
/// use hotprobe_testing as testing;
/// hotprobe::event! { static STEP: fn(n: u32); }
///
/// testing::run(|t| {
///     t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send_own(n)));
///     let reader = testing::spawn_as("reader", || STEP.fire(1));
///     let writer = testing::spawn_as("writer", || STEP.fire(2));
///     t.expect("writer", 2_u32);
///     t.expect("reader", 1_u32);
///     reader.join();
///     writer.join();
/// });
/// ```
#[track_caller]
pub fn spawn_as<T, F>(stream: &str, work: F) -> JoinHandle<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let scope = Scope::current().map(|scope| scope.with_stream(stream));
    start(scope, work, Location::caller())
}

fn start<T, F>(scope: Option<Scope>, work: F, at: Caller) -> JoinHandle<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let Some(scope) = scope else {
        return JoinHandle {
            of: None,
            handle: thread::spawn(work),
        };
    };
    quiet::install();
    let run = Arc::clone(&scope.run);
    let number = run.thread_starts(at);
    let actor = run.new_actor();
    let handle = thread::spawn(move || {
        let entered = scope.enter_as(actor, false);
        scope.run.thread_runs(number, actor);
        let result = catch_unwind(AssertUnwindSafe(work));
        drop(entered);
        let panicked = result.as_ref().err().map(|payload| message(&**payload));
        scope.run.thread_ends(number, panicked);
        match result {
            Ok(value) => value,
            Err(payload) => resume_unwind(payload),
        }
    });
    JoinHandle {
        of: Some((run, number)),
        handle,
    }
}

/// The handle of a thread that [`spawn`] or [`spawn_as`] started.
///
/// ```
/// use hotprobe_testing::{self as testing, JoinHandle};
///
/// testing::run(|_| {
///     let thread: JoinHandle<u32> = testing::spawn(|| 5);
///     assert_eq!(thread.join(), 5);
/// });
/// ```
pub struct JoinHandle<T> {
    of: Option<(Arc<Run>, usize)>,
    handle: thread::JoinHandle<T>,
}

impl<T> JoinHandle<T> {
    /// Waits for the thread to end, and returns what its closure returned. Blocks the calling
    /// thread.
    ///
    /// In the test's body, a thread that does not end fails the test after the dead time.
    ///
    /// # Panics
    /// If the thread has panicked, with the same; if the test fails meanwhile, with the report.
    #[track_caller]
    #[allow(
        clippy::must_use_candidate,
        reason = "the value is often of no interest"
    )]
    pub fn join(self) -> T {
        if let Some((run, number)) = &self.of {
            if current().is_some_and(|current| current.body && Arc::ptr_eq(&current.run, run)) {
                run.join(*number, Location::caller());
            }
            run.thread_joined(*number);
        }
        match self.handle.join() {
            Ok(value) => value,
            Err(payload) => resume_unwind(payload),
        }
    }

    /// Does the same as [`join`](Self::join), without blocking the calling thread. A thread that
    /// was started outside any test is waited for by blocking.
    ///
    /// # Panics
    /// As `join`, when it is polled.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(
    /// hotprobe_testing::run_async(async |_| {
    ///     let thread = hotprobe_testing::spawn(|| 5);
    ///     assert_eq!(thread.join_async().await, 5);
    /// })
    /// # );
    /// ```
    #[track_caller]
    pub fn join_async(self) -> impl Future<Output = T> {
        let at = Location::caller();
        async move {
            if let Some((run, number)) = &self.of {
                let goal = Goal::Thread(*number);
                let what = "the end of a thread".to_owned();
                run.wait_async(goal, what, at).await;
                run.thread_joined(*number);
            }
            match self.handle.join() {
                Ok(value) => value,
                Err(payload) => resume_unwind(payload),
            }
        }
    }

    /// Returns whether the thread has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

impl Run {
    pub(crate) fn thread_starts(&self, started: Caller) -> usize {
        let mut state = self.lock();
        state.threads.push(TestThread {
            started,
            life: Life::Running,
            joined: false,
            actor: 0,
            system_id: None,
        });
        state.threads.len() - 1
    }

    pub(crate) fn thread_runs(&self, number: usize, actor: u64) {
        let system_id = if self.is_explored() {
            schedule::system_id()
        } else {
            None
        };
        let mut state = self.lock();
        state.threads[number].actor = actor;
        state.threads[number].system_id = system_id;
    }

    pub(crate) fn thread_ends(&self, number: usize, panicked: Option<String>) {
        let mut state = self.lock();
        state.threads[number].life = panicked.map_or(Life::Ended, Life::Panicked);
        state.moved = Instant::now();
        self.notify(&mut state);
    }

    pub(crate) fn thread_joined(&self, number: usize) {
        self.lock().threads[number].joined = true;
    }

    #[track_caller]
    pub(crate) fn join(&self, number: usize, at: Caller) {
        self.wait(&Goal::Thread(number), "the end of a thread", at);
    }
}

/// The message of a panic.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| {
            payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
        })
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
