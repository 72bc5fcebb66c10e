//! Whose a firing is: each thread, and each poll of a task, belongs to one test at most.

use super::quiet;
use super::state::{Goal, Inner};
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

/// What is known of the code that runs on this thread now.
#[derive(Clone)]
pub(super) struct Current {
    pub(super) inner: Arc<Inner>,
    /// Which thread or task it is, for `explore`; the same in each replay.
    pub(super) actor: u64,
    /// Whether it is the test's body, which takes the events, and so cannot send any.
    pub(super) body: bool,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// What runs on this thread now; none outside of tests, and in thread-local destructors.
pub(super) fn current() -> Option<Current> {
    CURRENT
        .try_with(|current| current.try_borrow().ok()?.clone())
        .ok()?
}

/// Asked when a panic begins: whether it should be printed.
pub(super) fn prints_panic() -> bool {
    current().is_none_or(|current| current.inner.panic_begins(current.body))
}

fn replace(with: Option<Current>) -> Option<Current> {
    CURRENT
        .try_with(|current| current.replace(with))
        .ok()
        .flatten()
}

/// A test, as those see it who belong to it: threads, tasks, jobs.
///
/// Events are process-wide, and tests run beside one another in one process. A test sees the firings of its own
/// threads and tasks only: of its body, of what is started there by [`spawn`] or `spawn_task`, and of
/// what enters its scope. Those that belong to another test are nothing to it; those of nobody (a thread that a
/// library has started) pass, and are counted in the report.
///
/// ```
/// use hotprobe_testing::{self as testing, Scope};
/// hotprobe::event! { static JOB: fn(n: u32); }
///
/// testing::run(|t| {
///     t.attach(|batch, to| JOB.attach_in(batch, move |n| to.send("pool", n)));
///
///     // Some pool, not ours, that takes closures:
///     let (jobs, queue) = std::sync::mpsc::channel::<Box<dyn FnOnce() + Send>>();
///     let worker = std::thread::spawn(move || queue.into_iter().for_each(|job| job()));
///
///     let scope = Scope::current().unwrap();
///     jobs.send(Box::new(scope.wrap(|| JOB.fire(1)))).unwrap();
///     t.expect("pool", 1_u32);
///     drop(jobs);
///     worker.join().unwrap();
/// });
/// ```
#[derive(Clone)]
pub struct Scope {
    pub(super) inner: Arc<Inner>,
}

impl Scope {
    /// The scope that the calling code belongs to, if any.
    #[must_use]
    pub fn current() -> Option<Self> {
        current().map(|current| Self {
            inner: current.inner,
        })
    }

    /// From here on this thread belongs to the test, until the guard is dropped. For threads that others start: in a
    /// pool's start function, say, with [`Entered::stay`].
    ///
    /// ```
    /// use hotprobe_testing::{self as testing, Scope};
    ///
    /// testing::run(|t| {
    ///     let scope = t.scope();
    ///     std::thread::spawn(move || {
    ///         let _entered = scope.enter();
    ///         assert!(Scope::current().is_some());
    ///     })
    ///     .join()
    ///     .unwrap();
    /// });
    /// ```
    #[must_use = "the thread leaves the scope when the guard is dropped"]
    pub fn enter(&self) -> Entered {
        self.enter_as(self.inner.new_actor(), false)
    }

    pub(super) fn enter_as(&self, actor: u64, body: bool) -> Entered {
        let within = current().filter(|within| Arc::ptr_eq(&within.inner, &self.inner));
        Entered {
            before: replace(Some(Current {
                inner: Arc::clone(&self.inner),
                actor: within.as_ref().map_or(actor, |within| within.actor),
                body: body || within.is_some_and(|within| within.body),
            })),
            not_send: PhantomData,
        }
    }

    /// A closure that belongs to the test, on whatever thread it is called: for pools (`rayon::spawn`), and for
    /// `std::thread::scope`.
    pub fn wrap<R, F: FnOnce() -> R>(&self, work: F) -> impl FnOnce() -> R + use<R, F> {
        let scope = self.clone();
        let actor = self.inner.new_actor();
        move || {
            let _entered = scope.enter_as(actor, false);
            work()
        }
    }

    /// A future that belongs to the test, on whatever thread it is polled and dropped.
    ///
    /// ```
    /// use hotprobe_testing::{self as testing, Scope};
    ///
    /// testing::run(|t| {
    ///     let task = t.scope().wrap_future(async { Scope::current().is_some() });
    ///     let runtime = tokio::runtime::Runtime::new().unwrap();
    ///     assert!(runtime.block_on(async { tokio::spawn(task).await.unwrap() }));
    /// });
    /// ```
    pub fn wrap_future<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        InScope {
            scope: Some((self.clone(), self.inner.new_actor())),
            body: false,
            future: Some(Box::pin(future)),
        }
    }

    pub(super) fn body<F: Future>(&self, future: F) -> InScope<F> {
        InScope {
            scope: Some((self.clone(), 0)),
            body: true,
            future: Some(Box::pin(future)),
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("run", &self.inner.run)
            .finish_non_exhaustive()
    }
}

/// The closure, in the calling code's scope.
#[cfg_attr(
    not(feature = "tokio"),
    allow(dead_code, reason = "only what is spawned in tokio needs it")
)]
pub(super) fn in_current<R, F: FnOnce() -> R>(work: F) -> impl FnOnce() -> R + use<R, F> {
    let scope = Scope::current().map(|scope| {
        let actor = scope.inner.new_actor();
        (scope, actor)
    });
    move || {
        let _entered = scope
            .as_ref()
            .map(|(scope, actor)| scope.enter_as(*actor, false));
        work()
    }
}

/// The future, in the calling code's scope.
#[cfg_attr(
    not(feature = "tokio"),
    allow(dead_code, reason = "only what is spawned in tokio needs it")
)]
pub(super) fn in_current_future<F: Future>(future: F) -> InScope<F> {
    InScope {
        scope: Scope::current().map(|scope| {
            let actor = scope.inner.new_actor();
            (scope, actor)
        }),
        body: false,
        future: Some(Box::pin(future)),
    }
}

/// A thread's stay in a [`Scope`]; it ends when this is dropped.
#[must_use = "the thread leaves the scope when the guard is dropped"]
pub struct Entered {
    before: Option<Current>,
    not_send: PhantomData<*const ()>,
}

impl Entered {
    /// Stays in the scope for ever: for a thread that does nothing but the test's work.
    ///
    /// ```
    /// # hotprobe_testing::run(|t| {
    /// let scope = t.scope();
    /// let on_thread_start = move || scope.enter().stay();
    /// std::thread::spawn(on_thread_start).join().unwrap();
    /// # });
    /// ```
    pub fn stay(mut self) {
        self.before.take();
        std::mem::forget(self);
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        drop(replace(self.before.take()));
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}

/// A future that belongs to a test while it is polled, and while it is dropped: a cancelled one fires events, too.
pub(super) struct InScope<F> {
    scope: Option<(Scope, u64)>,
    body: bool,
    future: Option<Pin<Box<F>>>,
}

impl<F> InScope<F> {
    fn enter(&self) -> Option<Entered> {
        let (scope, actor) = self.scope.as_ref()?;
        Some(scope.enter_as(*actor, self.body))
    }
}

impl<F: Future> Future for InScope<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _entered = self.enter();
        match &mut self.future {
            Some(future) => future.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

impl<F> Drop for InScope<F> {
    fn drop(&mut self) {
        let _entered = self.enter();
        drop(self.future.take());
    }
}

/// [`std::thread::spawn`]: the thread belongs to the test whose code calls it, if there is one. Threads that it
/// starts in this way do, too.
///
/// The test knows of such a thread: its end is waited for when the body has ended (for the dead time at most), and if
/// it has panicked, the report says so.
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
    let Some(scope) = Scope::current() else {
        return JoinHandle {
            of: None,
            handle: thread::spawn(work),
        };
    };
    quiet::install();
    let inner = Arc::clone(&scope.inner);
    let number = inner.thread_starts(Location::caller());
    let actor = inner.new_actor();
    let handle = thread::spawn(move || {
        let entered = scope.enter_as(actor, false);
        scope.inner.thread_runs(number, actor);
        let result = catch_unwind(AssertUnwindSafe(work));
        drop(entered);
        let panicked = result.as_ref().err().map(|payload| message(&**payload));
        scope.inner.thread_ends(number, panicked);
        match result {
            Ok(value) => value,
            Err(payload) => resume_unwind(payload),
        }
    });
    JoinHandle {
        of: Some((inner, number)),
        handle,
    }
}

/// A thread that was started by [`spawn`].
pub struct JoinHandle<T> {
    of: Option<(Arc<Inner>, usize)>,
    handle: thread::JoinHandle<T>,
}

impl<T> JoinHandle<T> {
    /// Waits for the thread to end; returns what its closure returned.
    ///
    /// Called by the test's body, it notices a deadlock: a thread that waits for ever fails the test, and does not
    /// hang it. Blocks the thread.
    ///
    /// # Panics
    /// If the thread has panicked, with the same; if the test fails meanwhile, with the report.
    #[track_caller]
    #[allow(
        clippy::must_use_candidate,
        reason = "the value is often of no interest"
    )]
    pub fn join(self) -> T {
        if let Some((inner, number)) = &self.of {
            if current().is_some_and(|current| current.body && Arc::ptr_eq(&current.inner, inner)) {
                inner.join(*number, Location::caller());
            }
            inner.thread_joined(*number);
        }
        match self.handle.join() {
            Ok(value) => value,
            Err(payload) => resume_unwind(payload),
        }
    }

    /// [`join`](Self::join) for an async body: waits without blocking the thread. (A thread that was started outside
    /// of any test it does wait for by blocking.)
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
            if let Some((inner, number)) = &self.of {
                let goal = Goal::Thread(*number);
                let what = "the end of a thread".to_owned();
                inner.wait_async(goal, what, at).await;
                inner.thread_joined(*number);
            }
            match self.handle.join() {
                Ok(value) => value,
                Err(payload) => resume_unwind(payload),
            }
        }
    }

    /// Whether the thread has ended.
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

/// Runs `work` outside of any test: what fires in it passes, and is counted as outside.
///
/// The body of a test takes the events, so it cannot send any; this is for what it does in between, preparing and
/// clearing up.
///
/// ```
/// hotprobe::event! { static TICK: fn(); }
///
/// hotprobe_testing::run(|t| {
///     t.attach(|batch, to| TICK.attach_in(batch, move || to.send("ticker", ())));
///     hotprobe_testing::outside(|| TICK.fire());
/// });
/// ```
pub fn outside<R>(work: impl FnOnce() -> R) -> R {
    let _entered = Entered {
        before: replace(None),
        not_send: PhantomData,
    };
    work()
}

/// What a panic said.
pub(super) fn message(payload: &(dyn std::any::Any + Send)) -> String {
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
