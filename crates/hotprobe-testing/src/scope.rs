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
    /// The name of its own stream, if it has been given one.
    pub(crate) stream: Option<Arc<str>>,
}

impl Current {
    /// Returns the name of the stream of this thread or task.
    pub(crate) fn own_stream(&self) -> String {
        self.stream
            .as_deref()
            .map_or_else(|| format!("sender {}", self.actor), str::to_owned)
    }
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

/// The test, thread or task that the code on this thread belongs to. `None` outside tests, and
/// in thread-local destructors.
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
            stream: None,
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

/// The membership in a test, for threads, tasks and jobs.
///
/// Events are process-wide, and tests run beside one another in one process. A test sees the
/// firings of its own threads and tasks only: of its body, of what is started there by
/// [`spawn`](crate::spawn) or `spawn_task`, of what enters its scope, and of what it has adopted.
/// It ignores the firings of other tests. A firing that belongs to no test, as in a thread that a
/// library has started, does not pause, and the report lists it.
///
/// Two scopes are equal if they are of the same run.
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
    pub(crate) stream: Option<Arc<str>>,
}

impl Scope {
    /// Returns the scope that the calling code belongs to, if any.
    #[must_use]
    pub fn current() -> Option<Self> {
        current().map(|current| Self {
            run: current.run,
            stream: None,
        })
    }

    /// Returns this scope for one thread or task, and names that thread's or task's own stream:
    /// [`Tracer::send_own`](crate::Tracer::send_own) sends to it. Threads and tasks that it starts
    /// have streams of their own.
    ///
    /// ```
    /// use hotprobe_testing as testing;
    /// hotprobe::event! { static JOB: fn(n: u32); }
    ///
    /// testing::run(|t| {
    ///     t.attach(|batch, to| JOB.attach_in(batch, move |n| to.send_own(n)));
    ///     let work = t.scope().with_stream("worker").wrap(|| JOB.fire(1));
    ///     let worker = std::thread::spawn(work);
    ///     t.expect("worker", 1_u32);
    ///     worker.join().unwrap();
    /// });
    /// ```
    #[must_use]
    pub fn with_stream(&self, stream: &str) -> Self {
        Self {
            run: Arc::clone(&self.run),
            stream: Some(stream.into()),
        }
    }

    /// Makes this thread belong to the test until the guard is dropped. This is for threads that a
    /// library starts: for example, call it in a pool's start function, with [`Entered::stay`].
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
        let own = self.stream.clone();
        Entered {
            before: replace(Place::Inside(Current {
                run: Arc::clone(&self.run),
                actor: within.as_ref().map_or(actor, |within| within.actor),
                body: body || within.as_ref().is_some_and(|within| within.body),
                stream: own.or_else(|| within.and_then(|within| within.stream)),
            })),
            not_send: PhantomData,
        }
    }

    /// Wraps a closure so that it belongs to the test, whichever thread calls it: for pools
    /// (`rayon::spawn`), and for `std::thread::scope`.
    ///
    /// ```
    /// use hotprobe_testing::{self as testing, Scope};
    ///
    /// testing::run(|t| {
    ///     let work = t.scope().wrap(|| Scope::current() == Some(t.scope()));
    ///     assert!(std::thread::scope(|threads| threads.spawn(work).join().unwrap()));
    /// });
    /// ```
    pub fn wrap<R, F: FnOnce() -> R>(&self, work: F) -> impl FnOnce() -> R + use<R, F> {
        let scope = self.clone();
        let actor = self.run.new_actor();
        move || {
            let _entered = scope.enter_as(actor, false);
            work()
        }
    }

    /// Wraps a future so that it belongs to the test, whichever thread polls or drops it.
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
            place: TaskPlace::Body(self.clone()),
            future: Some(Box::pin(future)),
        }
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.run, &other.run)
    }
}

impl Eq for Scope {}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("run", &self.run.name)
            .finish_non_exhaustive()
    }
}

/// Runs `work` outside any test: its firings do not pause, and are counted as outside. Tasks and
/// threads that it starts are not included: a test may have adopted them.
///
/// The body of a test takes the events, so it cannot send any. It prepares and cleans up in here.
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

/// Does what [`outside`] does, for async code: the future is outside any test while it is polled
/// and while it is dropped.
///
/// ```
/// use hotprobe::fire;
/// use hotprobe_testing as testing;
/// hotprobe::event! { static CONNECTED: fn(); }
///
/// async fn connect() {
///     fire!(CONNECTED);
/// }
///
/// # /*
/// #[tokio::test(flavor = "multi_thread")]
/// # */
/// async fn a_connection_is_prepared() {
///     testing::run_async(async |t| {
///         t.attach(|batch, to| CONNECTED.attach_in(batch, move || to.send("client", ())));
///         testing::outside_async(connect()).await; // the body itself must not fire
///         let client = testing::spawn_task(connect());
///         t.expect_async("client", ()).await;
///         client.await.unwrap();
///     })
///     .await;
/// }
/// # tokio::runtime::Runtime::new().unwrap().block_on(a_connection_is_prepared());
/// ```
pub fn outside_async<F: Future>(future: F) -> impl Future<Output = F::Output> {
    InScope {
        place: TaskPlace::Outside,
        future: Some(Box::pin(future)),
    }
}

fn leave() -> Entered {
    Entered {
        before: replace(Place::Outside),
        not_send: PhantomData,
    }
}

/// The stay of a thread in a [`Scope`]; it ends when this guard is dropped.
///
/// ```
/// use hotprobe_testing::{self as testing, Entered, Scope};
///
/// testing::run(|t| {
///     let scope = t.scope();
///     let library = std::thread::spawn(move || {
///         let entered: Entered = scope.enter();
///         drop(entered);
///         Scope::current().is_none()
///     });
///     assert!(library.join().unwrap());
/// });
/// ```
#[must_use = "the thread leaves the scope when the guard is dropped"]
pub struct Entered {
    before: Place,
    not_send: PhantomData<*const ()>,
}

impl Entered {
    /// Stays in the scope until the thread ends: for a thread that does nothing but this run's
    /// work.
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

/// Where a future is polled.
enum TaskPlace {
    /// Where the code is that polls it.
    Inherited,
    Outside,
    Body(Scope),
    /// A task of this scope, and its actor.
    Task(Scope, u64),
}

/// A future that belongs to a test, or to none, while it is polled and while it is dropped: a
/// cancelled one fires events, too.
pub(crate) struct InScope<F> {
    place: TaskPlace,
    future: Option<Pin<Box<F>>>,
}

impl<F> InScope<F> {
    /// A task: the future belongs to that scope, if there is one.
    pub(crate) fn new(scope: Option<&Scope>, future: F) -> Self {
        Self {
            place: scope.map_or(TaskPlace::Inherited, |scope| {
                TaskPlace::Task(scope.clone(), scope.run.new_actor())
            }),
            future: Some(Box::pin(future)),
        }
    }

    fn enter(&self) -> Option<Entered> {
        match &self.place {
            TaskPlace::Inherited => None,
            TaskPlace::Outside => Some(leave()),
            TaskPlace::Body(scope) => Some(scope.enter_as(0, true)),
            TaskPlace::Task(scope, actor) => Some(scope.enter_as(*actor, false)),
        }
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
