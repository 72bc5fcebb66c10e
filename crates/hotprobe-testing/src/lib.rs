//! Synchronous tracing: tests of concurrent code, event by event (feature `testing`).
//!
//! A probe pauses the code that fired its event. So a test can take the events of a concurrent system one after the
//! other, check each, look at the state while the code stands still, and let it go on.
//! [`guide`](crate::guide) says when to use this, and when loom, shuttle or turmoil.
//!
//! ```
//! use hotprobe::fire;
//! use hotprobe_testing as testing;
//!
//! hotprobe::event! {
//!     static HI: fn(who: &str);
//!     static BYE: fn(who: &str);
//! }
//!
//! fn visit(who: &str) {
//!     fire!(HI, who);
//!     fire!(BYE, who);
//! }
//!
//! #[derive(Debug, PartialEq)]
//! enum Event {
//!     Hi(String),
//!     Bye(String),
//! }
//!
//! testing::verify(|t| {
//!     t.attach(|batch, to| {
//!         HI.attach_in(batch, move |who| to.send(who, Event::Hi(who.to_owned())));
//!         BYE.attach_in(batch, move |who| to.send(who, Event::Bye(who.to_owned())));
//!     });
//!     let jp = testing::spawn(|| visit("JP"));
//!     let kirr = testing::spawn(|| visit("Kirr"));
//!
//!     // Each is a stream of its own; which comes first is the test's choice.
//!     t.expect("JP", Event::Hi("JP".into()));
//!     t.expect("Kirr", Event::Hi("Kirr".into()));
//!     t.expect("Kirr", Event::Bye("Kirr".into()));
//!     t.expect("JP", Event::Bye("JP".into()));
//!     jp.join();
//!     kirr.join();
//! });
//! ```
//!
//! # In reading order
//!
//! * [`run`], [`verify`], [`explore`], and [`run_async`] …: a test, once, with delays, in many schedules; with
//!   [`Options`].
//! * [`Test`]: what the body calls. [`Tracer`]: what its probes send by.
//! * [`Scope`], [`spawn`], `spawn_task`: whose firing it is.
//!
//! # Inside
//!
//! `state.rs` is one run: its streams, and who waits for whom, under one mutex. `sending.rs` is a sender's way through
//! it, `receiving.rs` the test's, `threads.rs` what is known of threads, `failing.rs` how a run fails. `runs.rs` says
//! which runs there are, `schedule.rs` who goes next in `explore`, `report.rs` how a failure reads, `quiet.rs` what is
//! not printed, `runtime_*.rs` what tokio has to be told.

mod failing;
pub mod guide;
mod options;
mod quiet;
mod receiving;
mod report;
mod runs;
mod runtime;
mod schedule;
mod scope;
mod sending;
mod spawn;
mod state;
mod test;
mod threads;
mod tracer;

pub use options::Options;
pub use runs::{Failure, Summary};
#[cfg(feature = "tokio")]
pub use runtime::{spawn_blocking, spawn_task};
pub use scope::{Entered, Scope, outside};
pub use spawn::{JoinHandle, spawn};
pub use test::{Held, Test};
pub use tracer::Tracer;

use std::future::Future;

/// Runs the body once. Events are to be taken by it, in the order of each stream; none may be left over.
///
/// The body runs on this thread, which it may block. Threads that it started by [`spawn`] are waited for.
///
/// # Panics
/// With the report, if the test fails; if the body panics, with the same.
///
/// ```
/// use hotprobe_testing;
/// hotprobe::event! { static TICK: fn(n: u32); }
///
/// testing::run(|t| {
///     t.attach(|batch, to| TICK.attach_in(batch, move |n| to.send("ticker", n)));
///     let ticker = testing::spawn(|| TICK.fire(1));
///     t.expect("ticker", 1_u32);
///     ticker.join();
/// });
/// ```
#[track_caller]
pub fn run(body: impl FnOnce(&Test)) {
    Options::new().run(body);
}

/// Runs the body once, and then once more for each event that was seen, with that event delayed: so an order that only
/// happened to hold is found. The streams must be the same in every run. The report names the run: `delay@3 (t2:1)` is
/// that in which event 3 was delayed, number 1 of stream `t2` (both from 0).
///
/// The delay is ten times the longest gap between two events of the first run, at least 10 ms
/// ([`Options::min_delay`]), and at most half the dead time. Each run takes longer by no more than that.
///
/// Two runs' streams are the same if they have the same events: by value those that were checked by `expect`, by name
/// (what stands before the first field) those that were taken by `recv` and `select`.
///
/// # Panics
/// With the report, if a run fails; if the body panics, with the same.
///
/// ```should_panic
/// use hotprobe::fire;
/// use hotprobe_testing as testing;
/// use std::time::Duration;
/// hotprobe::event! { static DONE: fn(who: &str); }
///
/// // Fails in run `delay@0 (done:0)`: only the sleep has put them in this order.
/// testing::verify(|t| {
///     t.attach(|batch, to| DONE.attach_in(batch, move |who| to.send("done", who.to_owned())));
///     let a = testing::spawn(|| fire!(DONE, "a"));
///     let b = testing::spawn(|| {
///         std::thread::sleep(Duration::from_millis(50));
///         fire!(DONE, "b");
///     });
///     t.expect("done", "a".to_owned());
///     t.expect("done", "b".to_owned());
///     a.join();
///     b.join();
/// });
/// ```
#[track_caller]
pub fn verify(body: impl FnMut(&Test)) {
    Options::new().verify(body);
}

/// Runs the body `number` times, each time in another schedule: whoever fires pauses until it is his turn, and the turns
/// are drawn by `seed`.
///
/// So that the schedule has its way, the test's own checks don't constrain it: a sender goes on when it is his turn,
/// whether or not his event has been taken. The body may take events, in each stream's order, or leave them; it can't
/// hold senders. What it checks is mostly the end: that everybody comes to it ([`JoinHandle::join`] notices a
/// deadlock), and the state there.
///
/// The turns are as in PCT: each thread has a random priority, the highest of those that wait goes, and now and then
/// the highest is put behind all others. One goes at a time, until it comes to its next event, ends, or is blocked.
/// A schedule is replayed by its seed, which the report names: `explore@17 (seed 0x2a)` is `explore(1, 0x2a, …)`. That
/// depends on threads being the same by the order of their start, and on Linux, where the system says whether a thread
/// is blocked, less on time than elsewhere.
///
/// # Panics
/// With the report, if a run fails; if the body panics, with the same.
///
/// ```
/// use hotprobe::fire;
/// use hotprobe_testing as testing;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// hotprobe::event! {
///     /// About to add to what has been read.
///     static ADD: fn(read: u32);
/// }
///
/// let lost_update = std::panic::catch_unwind(|| {
///     testing::explore(20, 1, |t| {
///         t.attach(|batch, to| ADD.attach_in(batch, move |_| to.send("counter", ())));
///         let counter = Arc::new(AtomicU32::new(0));
///         let add = |counter: &Arc<AtomicU32>| {
///             let counter = Arc::clone(counter);
///             testing::spawn(move || {
///                 let read = counter.load(Ordering::SeqCst);
///                 fire!(ADD, read);
///                 counter.store(read + 1, Ordering::SeqCst); // not atomic
///             })
///         };
///         let (a, b) = (add(&counter), add(&counter));
///         a.join();
///         b.join();
///         assert_eq!(counter.load(Ordering::SeqCst), 2);
///     });
/// });
/// assert!(lost_update.is_err());
/// ```
#[track_caller]
pub fn explore(number: usize, seed: u64, body: impl FnMut(&Test)) {
    Options::new().explore(number, seed, body);
}

/// [`run`], for an async body: it waits by the `async` forms (`expect_async`), without blocking the thread.
///
/// On tokio's multi-thread runtime, with feature `tokio`. On a current-thread runtime tasks can't be paused: the test
/// fails with a message that says so. (Threads can.)
///
/// # Panics
/// As `run`, when it is polled.
///
/// ```
/// use hotprobe::fire;
/// use hotprobe_testing as testing;
/// hotprobe::event! { static TICK: fn(n: u32); }
///
/// # /*
/// #[tokio::test(flavor = "multi_thread")]
/// # */
/// async fn a_task_ticks() {
///     testing::run_async(async |t| {
///         t.attach(|batch, to| TICK.attach_in(batch, move |n| to.send("task", n)));
///         let task = tokio::spawn(t.scope().wrap_future(async { fire!(TICK, 1) }));
///         t.expect_async("task", 1_u32).await;
///         task.await.unwrap();
///     })
///     .await;
/// }
/// # tokio::runtime::Runtime::new().unwrap().block_on(a_task_ticks());
/// ```
#[track_caller]
pub fn run_async(body: impl AsyncFnOnce(&Test)) -> impl Future<Output = ()> {
    let options = Options::new();
    async move { options.run_async(body).await }
}

/// [`verify`], for an async body.
///
/// # Panics
/// As `verify`, when it is polled.
///
/// ```
/// use hotprobe::fire;
/// use hotprobe_testing as testing;
/// hotprobe::event! { static TICK: fn(n: u32); }
///
/// # /*
/// #[tokio::test(flavor = "multi_thread")]
/// # */
/// async fn a_task_ticks() {
///     testing::verify_async(async |t| {
///         t.attach(|batch, to| TICK.attach_in(batch, move |n| to.send("task", n)));
///         let task = tokio::spawn(t.scope().wrap_future(async { fire!(TICK, 1) }));
///         t.expect_async("task", 1_u32).await;
///         task.await.unwrap();
///     })
///     .await;
/// }
/// # tokio::runtime::Runtime::new().unwrap().block_on(a_task_ticks());
/// ```
#[track_caller]
pub fn verify_async(body: impl AsyncFnMut(&Test)) -> impl Future<Output = ()> {
    let options = Options::new();
    async move { options.verify_async(body).await }
}

/// [`explore`], for an async body.
///
/// # Panics
/// As `explore`, when it is polled.
///
/// ```
/// use hotprobe::fire;
/// use hotprobe_testing as testing;
/// hotprobe::event! { static TICK: fn(n: u32); }
///
/// # /*
/// #[tokio::test(flavor = "multi_thread")]
/// # */
/// async fn a_task_ticks() {
///     testing::explore_async(10, 42, async |t| {
///         t.attach(|batch, to| TICK.attach_in(batch, move |n| to.send("task", n)));
///         let task = tokio::spawn(t.scope().wrap_future(async { fire!(TICK, 1) }));
///         t.expect_async("task", 1_u32).await;
///         task.await.unwrap();
///     })
///     .await;
/// }
/// # tokio::runtime::Runtime::new().unwrap().block_on(a_task_ticks());
/// ```
#[track_caller]
pub fn explore_async(
    number: usize,
    seed: u64,
    body: impl AsyncFnMut(&Test),
) -> impl Future<Output = ()> {
    let options = Options::new();
    async move { options.explore_async(number, seed, body).await }
}
