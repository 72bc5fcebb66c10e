//! [`Test`]: what the body of a test calls.

use crate::identity::Territory;
use crate::options::bounded;
use crate::report::Report;
use crate::scope::Scope;
use crate::state::{Caller, Found, Goal, Message, Run};
use crate::text::{name_of, span};
use crate::tracer::Tracer;
use hotprobe::{Batch, ProbeGroup, SynchronizeError};
use std::any::Any;
use std::fmt::{self, Debug};
use std::future::Future;
use std::mem::discriminant;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A running test. The body of [`run`](crate::run), [`verify`](crate::verify) and
/// [`explore`](crate::explore) receives it, and takes the events of the streams with it.
///
/// Every wait is bounded by the dead time ([`Options::dead_time`](crate::Options::dead_time)): a
/// test in which nothing happens for that long fails with a report. A test that fails releases all
/// paused senders.
///
/// ```
/// use hotprobe_testing::{self as testing, Test};
/// hotprobe::event! { static TICK: fn(n: u32); }
///
/// fn expect_tick(t: &Test, n: u32) {
///     t.expect("ticker", n);
/// }
///
/// testing::run(|t| {
///     t.attach(|batch, to| TICK.attach_in(batch, move |n| to.send("ticker", n)));
///     let ticker = testing::spawn(|| TICK.fire(1));
///     expect_tick(t, 1);
///     ticker.join();
/// });
/// ```
pub struct Test {
    pub(crate) run: Arc<Run>,
    probes: Mutex<Vec<ProbeGroup>>,
}

impl Test {
    pub(crate) fn new(run: Arc<Run>) -> Self {
        Self {
            run,
            probes: Mutex::new(Vec::new()),
        }
    }

    /// Attaches probes for as long as the test runs, all at one instant. `queue` receives the batch
    /// to queue them in, and the [`Tracer`] of this test.
    ///
    /// The test's end detaches them without waiting.
    ///
    /// ```
    /// use hotprobe_testing as testing;
    /// hotprobe::event! {
    ///     static BEGIN: fn(id: u32);
    ///     static END: fn(id: u32);
    /// }
    ///
    /// #[derive(Debug, PartialEq)]
    /// enum Event { Begin(u32), End(u32) }
    ///
    /// testing::run(|t| {
    ///     t.attach(|batch, to| {
    ///         BEGIN.attach_in(batch, move |id| to.send("worker", Event::Begin(id)));
    ///         END.attach_in(batch, move |id| to.send("worker", Event::End(id)));
    ///     });
    ///     let worker = testing::spawn(|| {
    ///         BEGIN.fire(7);
    ///         END.fire(7);
    ///     });
    ///     t.expect("worker", Event::Begin(7));
    ///     t.expect("worker", Event::End(7));
    ///     worker.join();
    /// });
    /// ```
    pub fn attach(&self, queue: impl FnOnce(&mut Batch, Tracer)) {
        let mut batch = Batch::new();
        queue(&mut batch, self.tracer());
        let group = batch.commit();
        self.probes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(group);
    }

    /// Returns this test's tracer, for probes that the test attaches and keeps itself.
    #[must_use]
    pub fn tracer(&self) -> Tracer {
        Tracer { test: self.run.id }
    }

    /// Sets the function that chooses the stream of each event of type `E` that [`Tracer::route`]
    /// sends. Each type may have a router; of two for one type, the first is used.
    ///
    /// `router` runs on the thread that fires, inside the firing.
    ///
    /// ```
    /// use hotprobe_testing as testing;
    /// hotprobe::event! { static PACKET: fn(connection: u32, len: usize); }
    ///
    /// #[derive(Debug, PartialEq)]
    /// struct Packet { connection: u32, len: usize }
    ///
    /// testing::run(|t| {
    ///     t.set_router(|packet: &Packet| format!("connection {}", packet.connection));
    ///     t.attach(|batch, to| {
    ///         PACKET.attach_in(batch, move |connection, len| {
    ///             to.route(Packet { connection, len });
    ///         });
    ///     });
    ///     let one = testing::spawn(|| PACKET.fire(1, 10));
    ///     let two = testing::spawn(|| PACKET.fire(2, 20));
    ///     t.expect("connection 2", Packet { connection: 2, len: 20 });
    ///     t.expect("connection 1", Packet { connection: 1, len: 10 });
    ///     one.join();
    ///     two.join();
    /// });
    /// ```
    pub fn set_router<E: 'static, S: Into<String>>(
        &self,
        router: impl Fn(&E) -> S + Send + Sync + 'static,
    ) {
        self.run.add_router(Arc::new(move |event: &dyn Any| {
            event.downcast_ref().map(|event| router(event).into())
        }));
    }

    /// Returns the scope of this test, for threads and tasks that the kit does not start.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope {
            run: Arc::clone(&self.run),
            stream: None,
        }
    }

    /// Adopts a tokio runtime until this run ends: each task, and each blocking call, of the
    /// runtime belongs to this test unless it has entered a scope. So the test receives the firings
    /// of tasks that a library spawns.
    ///
    /// The runtime identifies the test, so tests with a runtime of their own run side by side:
    /// every `#[tokio::test]` has one. Adopt it before the library spawns.
    ///
    /// * The runtime's tasks can be paused only on the multi-thread flavor, as those of
    ///   `spawn_task`.
    /// * Code in [`outside`](crate::outside) stays outside, and a scope that a task has entered
    ///   takes precedence.
    /// * Threads that a library starts by itself do not belong to the runtime; see
    ///   [`adopt_process`](Self::adopt_process).
    /// * A task that outlives its run belongs to the next run on this runtime
    ///   ([`verify`](crate::verify) has several). Let the body end what it has started.
    /// * The test does not wait for adopted tasks at its end.
    ///
    /// Until then, each firing on a tokio thread outside all scopes reads the runtime's identity
    /// and takes a lock.
    ///
    /// # Panics
    /// With the report, if another running test has adopted this runtime.
    ///
    /// ```
    /// use hotprobe::fire;
    /// use hotprobe_testing as testing;
    /// use tokio::runtime::Handle;
    /// hotprobe::event! { static FLUSHED: fn(bytes: usize); }
    ///
    /// /// A library: its tasks are its own.
    /// fn write_behind() {
    ///     tokio::spawn(async { fire!(FLUSHED, 512) });
    /// }
    ///
    /// # /*
    /// #[tokio::test(flavor = "multi_thread")]
    /// # */
    /// async fn what_is_written_is_flushed() {
    ///     testing::run_async(async |t| {
    ///         t.adopt_runtime(&Handle::current());
    ///         t.attach(|batch, to| FLUSHED.attach_in(batch, move |bytes| to.send("disk", bytes)));
    ///         write_behind();
    ///         t.expect_async("disk", 512_usize).await;
    ///     })
    ///     .await;
    /// }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(what_is_written_is_flushed());
    /// ```
    #[cfg(feature = "tokio")]
    #[track_caller]
    pub fn adopt_runtime(&self, runtime: &tokio::runtime::Handle) {
        let territory = Territory::Runtime(runtime.id());
        self.run.adopt(territory, Location::caller());
    }

    /// Adopts the process until this run ends: each firing that belongs to no other test belongs to
    /// this one, whatever thread or runtime it comes from.
    ///
    /// This is for libraries that start threads by themselves. Nothing shows which test such a
    /// thread belongs to, so **the test needs a process of its own**: a test file with this one
    /// test, `cargo nextest`, or `--test-threads=1`. If another test runs beside it, that test's
    /// library threads, and a test thread that fires outside the kit, would be paused here. Two
    /// tests cannot adopt the process at once.
    ///
    /// Code in [`outside`](crate::outside) stays outside. Threads that have entered a scope, and
    /// the tasks of a runtime that another test has adopted, belong to that test. Firings in
    /// thread-local destructors belong to no test. The test does not wait for adopted threads at
    /// its end.
    ///
    /// # Panics
    /// With the report, if another running test has adopted the process.
    ///
    /// ```
    /// use hotprobe_testing as testing;
    /// hotprobe::event! { static COMPACTED: fn(files: u32); }
    ///
    /// /// A library: its threads are its own.
    /// fn compact() -> std::thread::JoinHandle<()> {
    ///     std::thread::spawn(|| COMPACTED.fire(3))
    /// }
    ///
    /// testing::run(|t| {
    ///     t.adopt_process();
    ///     t.attach(|batch, to| COMPACTED.attach_in(batch, move |files| to.send("disk", files)));
    ///     let compaction = compact();
    ///     t.expect("disk", 3_u32);
    ///     compaction.join().unwrap();
    /// });
    /// ```
    #[track_caller]
    pub fn adopt_process(&self) {
        self.run.adopt(Territory::Process, Location::caller());
    }

    /// Returns the name of this run, as in the report: `run`, `delay@3 (t2:1)`, `explore@17 (seed
    /// 0x2a)`.
    #[must_use]
    pub fn run_name(&self) -> &str {
        &self.run.name
    }

    /// Takes the next event of a stream, checks its type and value, and then releases the sender.
    ///
    /// Blocks the thread until an event comes. Senders on other streams stay paused meanwhile.
    ///
    /// # Panics
    /// With the report, if the event is of another type or has another value, or if none comes for
    /// the dead time; also if the test has failed elsewhere.
    #[track_caller]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "an event is made where it is expected"
    )]
    pub fn expect<E: Debug + PartialEq + Send + 'static>(&self, stream: &str, event: E) {
        let at = Location::caller();
        let found = self.next(&[stream], &format!("{event:?}"), at);
        let ticket = found.1.ticket;
        self.check(found.0, found.1, &event, at);
        self.run.release(ticket);
    }

    /// Does the same as [`expect`](Self::expect), but keeps the sender paused until the guard is
    /// released or dropped.
    ///
    /// So a test stops several streams at known points, and inspects the state between them.
    ///
    /// While a sender is held, no grace period of the process ends. If the body does nothing for
    /// the dead time (for example because it waits for a lock that the sender holds), the test
    /// fails and the sender is released.
    ///
    /// # Panics
    /// As `expect`. Always in [`explore`](crate::explore), which chooses the order itself.
    ///
    /// ```
    /// use hotprobe_testing as testing;
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// hotprobe::event! { static STEP: fn(n: u32); }
    ///
    /// testing::run(|t| {
    ///     t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("worker", n)));
    ///     let done = Arc::new(AtomicU32::new(0));
    ///     let counter = Arc::clone(&done);
    ///     let worker = testing::spawn(move || {
    ///         STEP.fire(1);
    ///         counter.store(1, Ordering::Relaxed);
    ///     });
    ///     let held = t.expect_held("worker", 1_u32);
    ///     assert_eq!(done.load(Ordering::Relaxed), 0, "the worker is paused in the event");
    ///     held.release();
    ///     worker.join();
    /// });
    /// ```
    #[track_caller]
    #[must_use = "the sender continues when the guard is dropped: `let _ = …` drops it at once; use `expect` for that"]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "an event is made where it is expected"
    )]
    pub fn expect_held<E: Debug + PartialEq + Send + 'static>(
        &self,
        stream: &str,
        event: E,
    ) -> Held {
        let at = Location::caller();
        self.run.must_hold(at);
        let found = self.next(&[stream], &format!("{event:?}"), at);
        let held = self.hold(&found.1, at);
        self.check(found.0, found.1, &event, at);
        held
    }

    /// Takes the next event of a stream, whatever its value, and releases the sender.
    ///
    /// # Panics
    /// If the event is of another type than `E`; otherwise as [`expect`](Self::expect).
    ///
    /// ```
    /// use hotprobe_testing as testing;
    /// hotprobe::event! { static PORT: fn(port: u16); }
    ///
    /// testing::run(|t| {
    ///     t.attach(|batch, to| PORT.attach_in(batch, move |port| to.send("server", port)));
    ///     let server = testing::spawn(|| PORT.fire(1024 + 3));
    ///     let port: u16 = t.recv("server");
    ///     assert!(port >= 1024);
    ///     server.join();
    /// });
    /// ```
    #[track_caller]
    pub fn recv<E: Debug + Send + 'static>(&self, stream: &str) -> E {
        self.select(&[stream]).1
    }

    /// Does the same as [`recv`](Self::recv), but keeps the sender paused until the guard is
    /// released or dropped.
    ///
    /// # Panics
    /// As `recv` and [`expect_held`](Self::expect_held).
    ///
    /// ```
    /// use hotprobe_testing as testing;
    /// hotprobe::event! { static PORT: fn(port: u16); }
    ///
    /// testing::run(|t| {
    ///     t.attach(|batch, to| PORT.attach_in(batch, move |port| to.send("server", port)));
    ///     let server = testing::spawn(|| PORT.fire(1027));
    ///     let (port, held) = t.recv_held::<u16>("server");
    ///     assert!(port >= 1024 && !server.is_finished());
    ///     held.release();
    ///     server.join();
    /// });
    /// ```
    #[track_caller]
    pub fn recv_held<E: Debug + Send + 'static>(&self, stream: &str) -> (E, Held) {
        let at = Location::caller();
        self.run.must_hold(at);
        let found = self.next(&[stream], &any_event::<E>(), at);
        let held = self.hold(&found.1, at);
        (self.open(found.0, found.1, at), held)
    }

    /// Takes the oldest event of any of these streams, and releases its sender. Returns the
    /// stream's name and the event.
    ///
    /// # Panics
    /// As [`recv`](Self::recv).
    ///
    /// ```
    /// use hotprobe_testing as testing;
    /// hotprobe::event! { static DONE: fn(by: &str); }
    ///
    /// testing::run(|t| {
    ///     t.attach(|batch, to| DONE.attach_in(batch, move |by| to.send(by, "done")));
    ///     let a = testing::spawn(|| DONE.fire("a"));
    ///     let b = testing::spawn(|| DONE.fire("b"));
    ///     let (first, _): (_, &str) = t.select(&["a", "b"]);
    ///     let second = if first == "a" { "b" } else { "a" };
    ///     t.expect(second, "done");
    ///     a.join();
    ///     b.join();
    /// });
    /// ```
    #[track_caller]
    pub fn select<'s, E: Debug + Send + 'static>(&self, streams: &[&'s str]) -> (&'s str, E) {
        let at = Location::caller();
        let (stream, message) = self.next(streams, &any_event::<E>(), at);
        let ticket = message.ticket;
        let event = self.open(stream, message, at);
        self.run.release(ticket);
        (stream, event)
    }

    /// Waits for `time`, and fails if an event comes on the stream meanwhile. A time of more than a
    /// year counts as a year.
    ///
    /// An event that comes later goes unnoticed. If you can, expect an event that is known to come
    /// afterwards instead.
    ///
    /// # Panics
    /// With the report, which names the event, if one comes.
    ///
    /// ```
    /// use hotprobe_testing as testing;
    /// use std::time::Duration;
    ///
    /// testing::run(|t| t.expect_none_for("nobody", Duration::from_millis(5)));
    /// ```
    #[track_caller]
    pub fn expect_none_for(&self, stream: &str, time: Duration) {
        let goal = nothing(stream, time);
        self.run.wait(&goal, &no_event(time), Location::caller());
    }

    /// Waits for a grace period, as [`hotprobe::synchronize`](hotprobe::synchronize()) does. Fails
    /// at once if the test would wait for its own paused senders, and after the dead time if it
    /// waits for others.
    ///
    /// # Panics
    /// With the report, in both cases.
    ///
    /// ```
    /// hotprobe_testing::run(|t| t.synchronize());
    /// ```
    #[track_caller]
    pub fn synchronize(&self) {
        let at = Location::caller();
        self.run.must_not_be_paused(at);
        let time = self.run.options.max_idle();
        if let Err(error) = hotprobe::synchronize_timeout(time) {
            let why = match error {
                SynchronizeError::TimedOut => {
                    "a firing, a `pinned` scope or a captured `Drop` in this process has not ended"
                }
                _ => "the test's body is inside a firing, a `pinned` scope or a captured `Drop`",
            };
            let title = format!("no grace period ended for {}", span(time));
            self.run
                .fails(Report::new(title).line("why", why), Some(at));
            self.run.raise();
        }
    }

    /// Does what [`expect`](Self::expect) does, for async code: waits without blocking the thread,
    /// on any runtime.
    ///
    /// # Panics
    /// As `expect`, when it is polled.
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
    /// # let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    /// # runtime.unwrap().block_on(a_task_ticks());
    /// ```
    #[track_caller]
    pub fn expect_async<E: Debug + PartialEq + Send + 'static>(
        &self,
        stream: &str,
        event: E,
    ) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            let found = self.next_async(&[stream], format!("{event:?}"), at).await;
            let ticket = found.1.ticket;
            self.check(&found.0, found.1, &event, at);
            self.run.release(ticket);
        }
    }

    /// Does what [`expect_held`](Self::expect_held) does, for async code.
    ///
    /// # Panics
    /// As `expect_held`, when it is polled.
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
    ///         let held = t.expect_held_async("task", 1_u32).await;
    ///         // The task is paused here.
    ///         held.release();
    ///         task.await.unwrap();
    ///     })
    ///     .await;
    /// }
    /// # let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    /// # runtime.unwrap().block_on(a_task_ticks());
    /// ```
    #[track_caller]
    pub fn expect_held_async<E: Debug + PartialEq + Send + 'static>(
        &self,
        stream: &str,
        event: E,
    ) -> impl Future<Output = Held> {
        let at = Location::caller();
        async move {
            self.run.must_hold(at);
            let found = self.next_async(&[stream], format!("{event:?}"), at).await;
            let held = self.hold(&found.1, at);
            self.check(&found.0, found.1, &event, at);
            held
        }
    }

    /// Does what [`recv`](Self::recv) does, for async code.
    ///
    /// # Panics
    /// As `recv`, when it is polled.
    #[track_caller]
    pub fn recv_async<E: Debug + Send + 'static>(&self, stream: &str) -> impl Future<Output = E> {
        let at = Location::caller();
        async move {
            let (name, message) = self.next_async(&[stream], any_event::<E>(), at).await;
            let ticket = message.ticket;
            let event = self.open(&name, message, at);
            self.run.release(ticket);
            event
        }
    }

    /// Does what [`select`](Self::select) does, for async code.
    ///
    /// # Panics
    /// As `select`, when it is polled.
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
    ///         let (stream, n) = t.select_async::<u32>(&["task", "other"]).await;
    ///         assert_eq!((stream, n), ("task", 1));
    ///         task.await.unwrap();
    ///     })
    ///     .await;
    /// }
    /// # let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    /// # runtime.unwrap().block_on(a_task_ticks());
    /// ```
    #[track_caller]
    pub fn select_async<'s, E: Debug + Send + 'static>(
        &self,
        streams: &[&'s str],
    ) -> impl Future<Output = (&'s str, E)> {
        let at = Location::caller();
        async move {
            let (name, message) = self.next_async(streams, any_event::<E>(), at).await;
            let ticket = message.ticket;
            let event = self.open(&name, message, at);
            self.run.release(ticket);
            (given(streams, &name), event)
        }
    }

    /// Does what [`expect_none_for`](Self::expect_none_for) does, for async code.
    ///
    /// # Panics
    /// As `expect_none_for`, when it is polled.
    #[track_caller]
    pub fn expect_none_for_async(&self, stream: &str, time: Duration) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            let goal = nothing(stream, time);
            self.run.wait_async(goal, no_event(time), at).await;
        }
    }

    #[track_caller]
    fn next<'s>(&self, streams: &[&'s str], what: &str, at: Caller) -> (&'s str, Message) {
        match self.run.wait(&some_event(streams), what, at) {
            Found::Message(name, message) => (given(streams, &name), message),
            Found::Done => unreachable!("an event is awaited"),
        }
    }

    async fn next_async(&self, streams: &[&str], what: String, at: Caller) -> (String, Message) {
        match self.run.wait_async(some_event(streams), what, at).await {
            Found::Message(name, message) => (name, message),
            Found::Done => unreachable!("an event is awaited"),
        }
    }

    fn hold(&self, message: &Message, at: Caller) -> Held {
        self.run.hold(message.ticket, at);
        Held {
            run: Arc::clone(&self.run),
            ticket: message.ticket,
        }
    }

    /// The event in the message, if it is of this type.
    #[track_caller]
    fn open<E: Debug + Send + 'static>(&self, stream: &str, message: Message, at: Caller) -> E {
        let received = message.event.type_name();
        match message.event.into_any().downcast::<E>() {
            Ok(event) => *event,
            Err(_) => self.wrong(
                Report::new(format!("wrong type on stream {stream:?}"))
                    .line("expected", &any_event::<E>())
                    .line("received", &format!("{} ({received})", message.text)),
                at,
            ),
        }
    }

    /// Compares: the type, for an enum its variant, and the value.
    #[track_caller]
    fn check<E: Debug + PartialEq + Send + 'static>(
        &self,
        stream: &str,
        message: Message,
        expected: &E,
        at: Caller,
    ) {
        let number = message.number();
        let text = message.text.clone();
        let type_name = message.event.type_name();
        let received = match message.event.into_any().downcast::<E>() {
            Ok(event) => *event,
            Err(_) => self.wrong(
                Report::new(format!("wrong type on stream {stream:?}"))
                    .line(
                        "expected",
                        &format!("{expected:?} ({})", std::any::type_name::<E>()),
                    )
                    .line("received", &format!("{text} ({type_name})")),
                at,
            ),
        };
        if received == *expected {
            self.run.checked(number, &text);
            return;
        }
        if discriminant(&received) != discriminant(expected) {
            let shown = format!("{expected:?}");
            let title = format!(
                "wrong type on stream {stream:?}: expected `{}`, received `{}`",
                name_of(&shown),
                name_of(&text)
            );
            self.wrong(
                Report::new(title)
                    .line("expected", &shown)
                    .line("received", &text),
                at,
            );
        }
        let report = Report::new(format!("wrong value on stream {stream:?}"))
            .difference(&format!("{expected:#?}"), &format!("{received:#?}"));
        self.wrong(report, at);
    }

    #[track_caller]
    fn wrong(&self, report: Report, at: Caller) -> ! {
        self.run.fails(report, Some(at));
        self.run.raise()
    }

    /// Detaches what [`attach`](Self::attach) has attached. Waits for nothing.
    pub(crate) fn detach(&self) {
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        let detached = std::mem::take(&mut *probes);
        drop(probes);
        drop(detached);
    }
}

impl Drop for Test {
    /// An async test may be dropped before its end: lets its senders go.
    fn drop(&mut self) {
        self.run.close();
        self.detach();
    }
}

impl Debug for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Test")
            .field("run", &self.run.name)
            .finish_non_exhaustive()
    }
}

fn some_event(streams: &[&str]) -> Goal {
    Goal::Event(streams.iter().map(|stream| (*stream).to_owned()).collect())
}

fn nothing(stream: &str, time: Duration) -> Goal {
    Goal::Nothing {
        stream: stream.to_owned(),
        time: bounded(time),
    }
}

fn no_event(time: Duration) -> String {
    format!("no event for {}", span(time))
}

fn any_event<E>() -> String {
    format!("an event of type {}", std::any::type_name::<E>())
}

/// The name as the caller gave it.
fn given<'s>(streams: &[&'s str], name: &str) -> &'s str {
    streams
        .iter()
        .find(|stream| **stream == name)
        .expect("it is one of these")
}

/// A sender that [`Test::expect_held`] holds: it stays paused where it fired until this guard is
/// released or dropped, on any thread.
///
/// ```
/// use hotprobe_testing::{self as testing, Held};
/// hotprobe::event! { static STEP: fn(n: u32); }
///
/// testing::run(|t| {
///     t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("worker", n)));
///     let worker = testing::spawn(|| STEP.fire(1));
///     let held: Held = t.expect_held("worker", 1_u32);
///     assert!(!worker.is_finished());
///     held.release();
///     worker.join();
/// });
/// ```
#[must_use = "the sender continues when this is dropped"]
pub struct Held {
    run: Arc<Run>,
    ticket: u64,
}

impl Held {
    /// Releases the sender.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.run.release(self.ticket);
    }
}

impl Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}
