//! The scope of a test: each thread, and each poll of a task, belongs to one test at most.

use crate::adoption::{self, Adopted};
use crate::state::Run;
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What is known of the code that runs on this thread now.
#[derive(Clone)]
pub(crate) struct Current {
    pub(crate) run: Arc<Run>,
    /// Which thread or task it is, for `explore`; the same in each replay.
    pub(crate) actor: u64,
    /// Whether it is the test's body, which takes the events, and so cannot send any.
    pub(crate) body: bool,
}

/// Where the code on a thread is, by its own account.
#[derive(Clone)]
enum Place {
    /// It has entered no scope: it belongs to the test that has adopted it, if any.
    Unscoped,
    /// In [`outside`]: it belongs to no test, adopted or not.
    Outside,
    Inside(Current),
}

thread_local! {
    static PLACE: RefCell<Place> = const { RefCell::new(Place::Unscoped) };
}

/// The test, thread or task that the code on this thread belongs to. `None` outside of tests, and in thread-local
/// destructors.
pub(crate) fn current() -> Option<Current> {
    belongs_to(adoption::current)
}

fn belongs_to(adopted: impl FnOnce() -> Option<Adopted>) -> Option<Current> {
    let place = PLACE.try_with(|place| place.try_borrow().ok().map(|place| place.clone()));
    match place.ok()?? {
        Place::Unscoped => adopted().map(|adopted| Current {
            run: adopted.run,
            actor: adopted.actor,
            body: false,
        }),
        Place::Outside => None,
        Place::Inside(current) => Some(current),
    }
}

/// Whether a panic that begins on this thread should be printed.
pub(crate) fn prints_panic() -> bool {
    // A test that adopts the process does not hide the panics of other tests.
    belongs_to(adoption::current_by_runtime)
        .is_none_or(|current| current.run.panic_begins(current.body))
}

/// Returns the place before.
fn replace(with: Place) -> Place {
    PLACE
        .try_with(|place| place.replace(with))
        .unwrap_or(Place::Unscoped)
}

/// A test, as those see it who belong to it: threads, tasks, jobs.
///
/// Events are process-wide, and tests run beside one another in one process. A test sees the firings of its own
/// threads and tasks only: of its body, of what is started there by [`spawn`](crate::spawn) or `spawn_task`, and of
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
    pub(crate) run: Arc<Run>,
}

impl Scope {
    /// The scope that the calling code belongs to, if any.
    #[must_use]
    pub fn current() -> Option<Self> {
        current().map(|current| Self { run: current.run })
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
        self.enter_as(self.run.new_actor(), false)
    }

    pub(crate) fn enter_as(&self, actor: u64, body: bool) -> Entered {
        let within = belongs_to(|| None).filter(|within| Arc::ptr_eq(&within.run, &self.run));
        Entered {
            before: replace(Place::Inside(Current {
                run: Arc::clone(&self.run),
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
        let actor = self.run.new_actor();
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
        InScope::new(Some(self), future)
    }

    pub(crate) fn body<F: Future>(&self, future: F) -> InScope<F> {
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
            .field("run", &self.run.name)
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
    let _left = leave();
    work()
}

fn leave() -> Entered {
    Entered {
        before: replace(Place::Outside),
        not_send: PhantomData,
    }
}

/// A thread's stay in a [`Scope`]; it ends when this is dropped.
#[must_use = "the thread leaves the scope when the guard is dropped"]
pub struct Entered {
    before: Place,
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
        self.before = Place::Unscoped;
        std::mem::forget(self);
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let before = std::mem::replace(&mut self.before, Place::Unscoped);
        drop(replace(before));
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}

/// A future that belongs to a test while it is polled, and while it is dropped: a cancelled one fires events, too.
pub(crate) struct InScope<F> {
    scope: Option<(Scope, u64)>,
    body: bool,
    future: Option<Pin<Box<F>>>,
}

impl<F> InScope<F> {
    /// A task: the future belongs to that scope, if there is one.
    pub(crate) fn new(scope: Option<&Scope>, future: F) -> Self {
        Self {
            scope: scope.map(|scope| (scope.clone(), scope.run.new_actor())),
            body: false,
            future: Some(Box::pin(future)),
        }
    }

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
