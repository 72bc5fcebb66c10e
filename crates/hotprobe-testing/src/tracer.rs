//! How a probe sends an event to its test.

use crate::scope::{self, Current};
use crate::state;
use std::any::Any;
use std::fmt::Debug;

/// The handle with which probes send events to the streams of a test
/// ([`Test::tracer`](crate::Test::tracer)).
///
/// It is `Copy`, so that every probe can have it.
///
/// ```
/// use hotprobe_testing::{self as testing, Tracer};
/// hotprobe::event! { static HI: fn(who: &str); }
///
/// testing::run(|t| {
///     let to: Tracer = t.tracer();
///     let _probe = HI.attach(move |who| to.send("greeter", who.to_owned()));
///     let greeter = testing::spawn(|| HI.fire("JP"));
///     t.expect("greeter", "JP".to_owned());
///     greeter.join();
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracer {
    pub(crate) test: u64,
}

impl Tracer {
    /// Sends an event to a stream, and pauses the thread that fires until the test has taken the
    /// event, checked it, and released the thread.
    ///
    /// Returns at once if the firing belongs to another test, if it belongs to none (the report
    /// lists it), and if the test is over or has failed. On a worker of tokio's multi-thread
    /// runtime the pause runs in tokio's `block_in_place` (feature `tokio`). In a task of a
    /// current-thread runtime the pause would stop everything, so the test fails instead.
    ///
    /// The pause is inside a firing: no grace period of the process ends meanwhile.
    ///
    /// # Panics
    /// Never, unless [`cancel_senders`](crate::Options::cancel_senders) is set.
    pub fn send<E: Debug + Send + 'static>(self, stream: &str, event: E) {
        match scope::current() {
            Some(current) if current.run.id == self.test => {
                current.run.send(&current, stream, Box::new(event));
            }
            other => self.passes(other.as_ref(), stream, Some(&event)),
        }
    }

    /// Does the same as [`send`](Self::send), but calls `event` to make the event, and only if the
    /// firing belongs to this test.
    ///
    /// ```
    /// use hotprobe_testing as testing;
    /// hotprobe::event! { static READ: fn(line: &str); }
    ///
    /// testing::run(|t| {
    ///     t.attach(|batch, to| {
    ///         READ.attach_in(batch, move |line| to.send_with("reader", || line.to_owned()));
    ///     });
    ///     let reader = testing::spawn(|| READ.fire("GET /"));
    ///     t.expect("reader", "GET /".to_owned());
    ///     reader.join();
    /// });
    /// ```
    pub fn send_with<E: Debug + Send + 'static>(self, stream: &str, event: impl FnOnce() -> E) {
        match scope::current() {
            Some(current) if current.run.id == self.test => {
                current.run.send(&current, stream, Box::new(event()));
            }
            other => self.passes::<E>(other.as_ref(), stream, None),
        }
    }

    /// Sends an event, as [`send`](Self::send), to the stream that the test's router chooses
    /// ([`Test::set_router`](crate::Test::set_router)); without a router, to the stream
    /// `"default"`. The router runs on the thread that fires.
    pub fn route<E: Debug + Send + 'static>(self, event: E) {
        match scope::current() {
            Some(current) if current.run.id == self.test => {
                let stream = current.run.route(&event as &dyn Any);
                current.run.send(&current, &stream, Box::new(event));
            }
            other => self.passes(other.as_ref(), "(by router)", Some(&event)),
        }
    }

    /// Sends an event, as [`send`](Self::send), to the firing thread's or task's own stream. The
    /// probe need not know which one it is.
    ///
    /// The stream has the name that [`spawn_as`](crate::spawn_as), `spawn_task_as` or
    /// [`Scope::with_stream`](crate::Scope::with_stream) has given it. Otherwise it is called
    /// `sender 1`, `sender 2`, in the order in which the test has started its threads and tasks.
    /// Those that the test has adopted are numbered by their first firing, which may differ from
    /// run to run: [`verify`](crate::verify) needs streams that are the same in each.
    ///
    /// ```
    /// use hotprobe_testing as testing;
    /// hotprobe::event! { static STEP: fn(n: u32); }
    ///
    /// testing::run(|t| {
    ///     t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send_own(n)));
    ///     let first = testing::spawn(|| STEP.fire(1));
    ///     let second = testing::spawn_as("writer", || STEP.fire(2));
    ///     t.expect("writer", 2_u32);
    ///     t.expect("sender 1", 1_u32);
    ///     first.join();
    ///     second.join();
    /// });
    /// ```
    pub fn send_own<E: Debug + Send + 'static>(self, event: E) {
        match scope::current() {
            Some(current) if current.run.id == self.test => {
                let stream = current.own_stream();
                current.run.send(&current, &stream, Box::new(event));
            }
            other => self.passes(other.as_ref(), "(the sender's own)", Some(&event)),
        }
    }

    /// A firing that does not belong to the test: the code continues.
    fn passes<E: Debug>(self, other: Option<&Current>, stream: &str, event: Option<&E>) {
        let other = other.map(|other| &*other.run);
        state::fired_outside(self.test, other, stream, event);
    }
}
