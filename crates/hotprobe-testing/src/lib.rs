//! Tests of concurrent code, event by event.
//!
//! Declare [`hotprobe`] events where it matters which thread comes first. In a test, probes send
//! these events to *streams*. A thread that fires such an event pauses until the test has taken the
//! event, checked it, and released the thread. So a test decides the order of events in a
//! concurrent program, and inspects its state while the code is paused.
//!
//! # A first test
//!
//! 1. Declare events: before a wait, after a take, where a state changes. Off, each costs a load
//!    and a branch, so they stay in production and serve the next test.
//! 2. In the test, attach probes that send to streams ([`Test::attach`], [`Tracer::send`]). A
//!    stream is a part of the program whose events have an order: a thread, a connection, a task.
//!    You choose the type of what is sent.
//! 3. Start the code under test with [`spawn`] or `spawn_task`, so that its firings belong to the
//!    test.
//! 4. Take the events with [`Test::expect`], in any order of the streams. The sender stays where it
//!    fired until its event has been checked.
//! 5. Run the test with [`verify`].
//!
//! ```
//! use hotprobe::fire;
//! use hotprobe_testing as testing;
//! use std::sync::mpsc::{Receiver, sync_channel};
//!
//! hotprobe::event! {
//!     static PRODUCED: fn(item: u32);
//!     static CONSUMED: fn(item: u32);
//! }
//!
//! fn consume(queue: Receiver<u32>) {
//!     for item in queue {
//!         fire!(CONSUMED, item);
//!     }
//! }
//!
//! #[derive(Debug, PartialEq)]
//! enum Event {
//!     Produced(u32),
//!     Consumed(u32),
//! }
//!
//! # /*
//! #[test]
//! # */
//! fn what_is_produced_is_consumed() {
//!     testing::verify(|t| {
//!         t.attach(|batch, to| {
//!             PRODUCED.attach_in(batch, move |item| to.send("producer", Event::Produced(item)));
//!             CONSUMED.attach_in(batch, move |item| to.send("consumer", Event::Consumed(item)));
//!         });
//!         let (sender, queue) = sync_channel(1);
//!         let consumer = testing::spawn(|| consume(queue));
//!         let producer = testing::spawn(move || {
//!             for item in 0..2 {
//!                 sender.send(item).unwrap();
//!                 fire!(PRODUCED, item);
//!             }
//!         });
//!         // Each stream has an order of its own. Which stream comes first is the test's choice.
//!         t.expect("producer", Event::Produced(0));
//!         t.expect("producer", Event::Produced(1));
//!         t.expect("consumer", Event::Consumed(0));
//!         t.expect("consumer", Event::Consumed(1));
//!         producer.join();
//!         consumer.join();
//!     });
//! }
//! # what_is_produced_is_consumed();
//! ```
//!
//! The example `verify_pool` continues from here: it holds two threads at the points that matter,
//! and `explore` finds a lost wake-up.
//!
//! # What do you want to do?
//!
//! | task | use |
//! |---|---|
//! | check the order of events | [`Test::expect`], [`Test::recv`], [`Test::select`], and [`verify`] |
//! | stop threads at known points, and look at the state | [`Test::expect_held`] |
//! | search for an order that breaks the code | [`explore`] |
//! | test async code | [`run_async`], [`verify_async`], [`explore_async`], `spawn_task` |
//! | give each thread or task a stream, without naming it in the probe | [`Tracer::send_own`], [`spawn_as`], `spawn_task_as` |
//! | choose the stream by the event | [`Test::set_router`] |
//! | receive the firings of a library's tasks | `Test::adopt_runtime` |
//! | receive the firings of a library's threads | [`Test::adopt_process`] |
//! | receive the firings of a pool's jobs | [`Scope::wrap`], [`Scope::enter`] |
//! | prepare and clean up in the body, with code that fires | [`outside`], [`outside_async`] |
//! | get the report as a value | [`Options::try_run`], [`Options::try_verify`], [`Options::try_explore`] |
//!
//! # Three ways to run a test
//!
//! | | who goes first | finds | misses |
//! |---|---|---|---|
//! | [`run`] | the test, by the order in which it takes events | the orders that you thought of; with [`expect_held`](Test::expect_held), a state between two steps, every time | the orders that you did not think of |
//! | [`verify`] | as in `run`, with one event delayed | an order that only held because one thread was slow: two threads on one stream, a missing join | bugs that need two delays |
//! | [`explore`] | a seed | orders that nobody thought of, where events are close enough together | bugs between two events |
//!
//! A body that takes the events in each stream's order runs under all three. Write down what
//! `explore` found as a test of its own with `expect_held`: it fails every time, without a search.
//!
//! # Compared with loom, shuttle and turmoil
//!
//! | | runs | can show |
//! |---|---|---|
//! | loom | code on loom's own atomics, mutexes and threads; all executions of a small model, weak memory included | *never*, for that model |
//! | shuttle | code on shuttle's own primitives; random executions, many per second, deterministic | *not in N tries*, for larger models |
//! | turmoil | tokio hosts with simulated network and time, on one thread | what happens when messages are late or lost |
//! | `hotprobe_testing` | the code as it is: std, tokio, C libraries, the kernel; real threads and time | *in this order, this happens*, at the events |
//!
//! * For a lock-free structure, or any atomic that is more than a counter, use loom. This crate
//!   says nothing about weak memory.
//! * For an algorithm over locks and channels that can be written with shuttle's primitives, use
//!   shuttle, because it is deterministic.
//! * For several hosts and an unreliable network, use turmoil. Its hosts share one thread, so a
//!   paused probe would stop them all: attach probes that only record.
//! * For everything that needs the real thing, or that nobody will rewrite, use this crate.
//!
//! The same events serve all four: in a loom model a probe asserts what must hold at each step
//! ([`hotprobe::docs::loom_models`]), here a probe pauses the real code at the same steps, and in
//! production it records.
//!
//! # Async code
//!
//! With the feature `tokio`, on the multi-thread runtime. A paused probe announces to the runtime
//! that it blocks (`block_in_place`), so other tasks continue. The body waits with the `async`
//! forms:
//!
//! ```
//! use hotprobe::fire;
//! use hotprobe_testing as testing;
//!
//! hotprobe::event! { static ANSWERED: fn(id: u32); }
//!
//! # #[cfg(feature = "tokio")] {
//! # /*
//! #[tokio::test(flavor = "multi_thread")]
//! # */
//! async fn requests_are_answered() {
//!     testing::verify_async(async |t| {
//!         t.attach(|batch, to| {
//!             ANSWERED.attach_in(batch, move |id| to.send(&format!("request {id}"), id));
//!         });
//!         let one = testing::spawn_task(async { fire!(ANSWERED, 1) });
//!         let two = testing::spawn_task(async { fire!(ANSWERED, 2) });
//!         t.expect_async("request 2", 2_u32).await;
//!         t.expect_async("request 1", 1_u32).await;
//!         one.await.unwrap();
//!         two.await.unwrap();
//!     })
//!     .await;
//! }
//! # let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
//! # runtime.block_on(requests_are_answered());
//! # }
//! ```
//!
//! On a current-thread runtime, the default of `#[tokio::test]`, a paused task would stop
//! everything. The test fails at once, and the report says so. Threads can be paused there.
//!
//! # What to know
//!
//! **Which test a firing belongs to.** Tests run side by side in one process, and events are
//! process-wide. A test takes the firings of its [`Scope`]: of its body, of what it starts with
//! `spawn` and `spawn_task`, and of what enters the scope. Threads and tasks that a library starts
//! inherit nothing: they do not pause, and the report lists their firings (`outside`). To receive
//! these, adopt the runtime (`Test::adopt_runtime`), whose identity separates parallel tests, or
//! the process ([`Test::adopt_process`]), which one test at a time can do.
//!
//! **The body does not fire.** The body takes the events. If it fired one, it would wait for
//! itself, and the report says so. Start the code under test with `spawn`; prepare and clean up in
//! [`outside`].
//!
//! **Locks.** A sender pauses where it fired. If it holds a lock there, every thread that needs the
//! lock waits too, and perhaps the test.
//!
//! **Grace periods.** A paused sender is inside a firing, so no grace period of the process ends
//! while it is paused. Another test's [`synchronize`](hotprobe::synchronize()) waits for it, at
//! most for the dead time. A test that would wait for its own senders fails: at once in
//! [`Test::synchronize`], otherwise after the dead time.
//!
//! **The dead time.** A run in which nothing happens for 3 seconds counts as a deadlock. On a slow
//! machine, set [`Options::dead_time`], or `HOTPROBE_DEAD_TIME=10` in the environment. A test that
//! passes never waits for it.
//!
//! **Stuck threads** stay stuck when a test fails, as in every test, because Rust cannot end a
//! thread. Threads that are paused in a probe are released.
//!
//! **Panics.** When a test has failed, the panics of its threads and tasks are not printed, because
//! they would hide the report. For that, a panic hook is installed in front of the existing one. A
//! test that sets its own hook later replaces both.
//!
//! # Features
//!
//! * `tokio`: `spawn_task` and `spawn_blocking`, `Test::adopt_runtime`, and probes that pause
//!   inside a task. It needs tokio 1.49 or later, without `tokio_unstable`. It changes nothing on
//!   threads outside a tokio runtime.
//!
//! # Environment variables
//!
//! | variable | effect |
//! |---|---|
//! | `HOTPROBE_DEAD_TIME` | the dead time in seconds, as in `10` or `0.5`; 3 by default; [`Options::dead_time`] overrides it |
//! | `NO_COLOR` | if not empty, reports have no colours; they have them only where standard error is a terminal |
//!
//! # Cost
//!
//! Events that no test has attached probes to cost a load and a branch, as always. Each event that
//! is sent takes the lock of its run and two thread switches, to the test and back: about 25 µs in
//! a debug build on Linux. A firing that belongs to no test takes two locks, about 0.5 µs; the
//! first 1,000 of a run are also formatted for the report, about 2 µs each.
//!
//! `verify` repeats the body once for each event. Each repetition takes longer by the delay
//! ([`Summary::delay`], at least 10 ms). `explore` repeats the body `number` times.
//!
//! # Reading the code
//!
//! The public API: [`run`], [`verify`], [`explore`] and their async forms, with [`Options`]
//! (`runs.rs`, `options.rs`) · [`Test`], what the body calls (`test.rs`) · [`Tracer`], what probes
//! send with (`tracer.rs`) · [`Scope`], which test a firing belongs to (`scope.rs`, `adoption.rs`)
//! · [`spawn`] (`threads.rs`) and `spawn_task` (`runtime/`).
//!
//! Inside: `state.rs` is one run, its streams and who waits for whom, under one mutex. `sending.rs`
//! adds the sender's side, `receiving.rs` the test's side, `failing.rs` how a run fails.
//! `outside.rs` lists firings that belong to no test. `schedule.rs` chooses who goes next in
//! `explore`, `report.rs` formats a failure, `quiet.rs` decides which panics are printed.
//! `identity.rs` says which thread, task and runtime fires; `text.rs` formats events and times.

mod adoption;
mod failing;
mod identity;
mod options;
mod outside;
mod quiet;
mod receiving;
mod report;
mod runs;
mod runtime;
mod schedule;
mod scope;
mod sending;
mod state;
mod test;
mod text;
mod threads;
mod tracer;

pub use options::Options;
pub use runs::{Failure, Summary};
#[cfg(feature = "tokio")]
pub use runtime::{spawn_blocking, spawn_task, spawn_task_as};
pub use scope::{Entered, Scope, outside, outside_async};
pub use test::{Held, Test};
pub use threads::{JoinHandle, spawn, spawn_as};
pub use tracer::Tracer;

use std::future::Future;

/// The code in the README compiles and passes.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Runs the body once. The body must take all events, in the order of each stream.
///
/// The body runs on this thread, and may block it. Afterwards the test waits for the threads that
/// [`spawn`] started.
///
/// # Panics
/// With the report, if the test fails; if the body panics, with the same.
///
/// ```
/// use hotprobe_testing as testing;
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

/// Runs the body once, and then once more for each event of that run, with this event delayed. An
/// order that held only by chance then fails. The streams must be the same in every run. The report
/// names the run: in `delay@3 (t2:1)`, event 3 was delayed, which is event 1 of stream `t2` (both
/// from 0).
///
/// The delay is ten times the longest gap between two events of the first run, at least 10 ms
/// ([`Options::min_delay`]), and at most half the dead time. Each run takes longer by no more than
/// that.
///
/// Two runs have the same streams if they have the same events. Events that `expect` has checked
/// are compared by value, those that `recv` and `select` have taken by name (the text before the
/// first field).
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

/// Runs the body `number` times, each time in another schedule: a thread that fires pauses until it
/// is its turn, and `seed` determines the turns.
///
/// The test's own checks don't constrain the schedule: a sender continues when it is its turn,
/// whether or not its event has been taken. The body may take events, in each stream's order, or
/// leave them; it can't hold senders. Check mostly the end: that every thread reaches it
/// ([`JoinHandle::join`] notices a deadlock), and the state there.
///
/// The turns follow PCT: each thread has a random priority, the waiting thread with the highest
/// goes, and at random steps the highest is put behind all others. One thread goes at a time, until
/// it reaches its next event, ends, or blocks. A seed replays its schedule, and the report names
/// it: `explore@17 (seed 0x2a)` is `explore(1, 0x2a, …)`. The replay depends on threads starting in
/// the same order. On Linux, which reports whether a thread is blocked, it depends less on time
/// than elsewhere.
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

/// Does the same as [`run`], for an async body: it waits with the `async` forms (`expect_async`),
/// without blocking the thread.
///
/// It needs tokio's multi-thread runtime and the feature `tokio`. On a current-thread runtime tasks
/// cannot be paused, and the test fails with a message that says so; threads can be paused there.
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

/// Does the same as [`verify`], for an async body.
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

/// Does the same as [`explore`], for an async body.
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
