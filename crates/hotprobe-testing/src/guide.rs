//! Tests of concurrent code, event by event: when to use [`testing`](crate), loom, shuttle or turmoil, and how
//! they combine.
//!
//! # A first test
//!
//! 1. Put events where it matters who comes first: before a wait, after a take, where a state changes. Off, they cost
//!    a load and a branch; they stay in production, and are there the next time.
//! 2. In the test, attach probes that send to *streams*: one for each part of the system whose events have an order (a
//!    thread, a connection, a task). What they send is of your own type.
//! 3. Start the system by [`spawn`](crate::spawn) and `spawn_task`, so that it belongs to the test.
//! 4. [`expect`](crate::Test::expect) what each stream should do, in any order of the streams. The sender stands
//!    where it fired until its event has been checked.
//! 5. Run that by [`verify`](crate::verify).
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
//! `examples/verify_pool.rs` goes on from there: two threads held at the points that matter, and a lost wake-up that
//! `explore` finds.
//!
//! # Which of the three
//!
//! | | who goes first | finds | does not |
//! |---|---|---|---|
//! | [`run`](crate::run) | the test, by the order in which it takes events | what you thought of: with [`expect_held`](crate::Test::expect_held), a state between two steps, every time | what you did not |
//! | [`verify`](crate::verify) | as in `run`, with one event late | an order that only held because somebody was slow: two threads on one stream, a missing join | what takes two delays |
//! | [`explore`](crate::explore) | a seed | orders that nobody thought of, wherever events are close enough | what happens between two events |
//!
//! They combine: a body that takes events in each stream's order runs under all three. What `explore` has found can be
//! written down by `expect_held` as a test of its own, which fails every time without a search.
//!
//! # Beside loom, shuttle and turmoil
//!
//! | | what it runs | what it can say |
//! |---|---|---|
//! | loom | code on loom's own atomics, mutexes, threads; all executions of a small model, weak memory included | *never*, for that model |
//! | shuttle | code on shuttle's own primitives; random executions, many a second, deterministic | *not in so many tries*, for larger models |
//! | turmoil | hosts of tokio, with simulated network and time, on one thread | what happens when messages are late or lost |
//! | `hotprobe_testing` | the code as it is: std, tokio, C libraries, the kernel; real threads and time | *in this order, this happens*, at the events |
//!
//! * A lock-free structure, or any use of atomics that is not a counter: loom. Nothing here says anything of weak memory.
//! * An algorithm over locks and channels that can be written over shuttle's: shuttle, since it is deterministic.
//! * Several hosts, and what the network does: turmoil. (Its hosts share a thread, so a paused probe would stop them all;
//!   attach probes that only record.)
//! * Everything that those can't run, because it needs the real thing, or because nobody will rewrite it: this.
//!
//! The same events serve all of them: in a loom model a probe asserts what must hold at each step
//! ([`loom_models`](crate::loom_models)), here it pauses the real code at the same steps, in production it records.
//!
//! # Async code
//!
//! With feature `tokio`, on the multi-thread runtime. A paused probe tells the runtime that it blocks
//! (`block_in_place`), so that other tasks go on. The body waits by the `async` forms:
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
//! On a current-thread runtime (the default of `#[tokio::test]`) a paused task would stop everything: the test fails at
//! once, with a message that says so. Threads can be paused there.
//!
//! # What to know
//!
//! **Whose firing it is.** Tests run beside one another in one process, and events are process-wide. A test takes the
//! firings of its [`Scope`](crate::Scope): its body's, what it starts by `spawn` and `spawn_task`, and what
//! enters. Threads and tasks that a library starts inherit nothing; their firings pass, and are counted in the report
//! (`outside`). If an event that you await is missing, look there first.
//!
//! **The body does not fire.** It takes the events; firing one it would wait for itself, and the report says so. Start
//! the system by `spawn`, or prepare and clear up in [`outside`](crate::outside).
//!
//! **Not under a lock.** A sender stands where it fired. If it holds a lock there, whoever needs the lock stands, too, and
//! perhaps the test.
//!
//! **Grace periods.** A paused sender is inside of a firing: as long as it stands no grace period of the process ends.
//! Other tests' [`synchronize`](hotprobe::synchronize()) waits for it, at most for the dead time. A test that would wait
//! for its own is told so: at once by [`Test::synchronize`](crate::Test::synchronize), otherwise after the dead
//! time.
//!
//! **The dead time.** 3 seconds without anything happening in the run; [`Options::dead_time`](crate::Options::dead_time)
//! or `HOTPROBE_DEAD_TIME=10` on a slow machine. A test that passes never waits for it.
//!
//! **Threads that are stuck** when a test fails stay so, as in every test: Rust can't end a thread. Those that stand in a
//! probe are let go.
//!
//! **Panics.** Of the threads and tasks of a test that has failed nothing is printed (its report would drown). For that a
//! panic hook is installed before the one that is there; a test that sets its own later has that one alone.
