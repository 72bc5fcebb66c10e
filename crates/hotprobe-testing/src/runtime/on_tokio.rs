//! Calls to tokio: that a thread blocks, and which task runs (feature `tokio`).

use crate::quiet::QuietPanics;
use crate::scope::{InScope, Scope};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, block_in_place};

/// Runs `wait`, which blocks. In a worker of the multi-thread runtime, another thread takes over
/// its tasks. `None` if there can't be another, and all tasks would stand still; then `wait` has
/// not run.
///
/// Whether it is so, tokio says in one way only: `block_in_place` panics.
pub(crate) fn blocking<R>(wait: impl FnOnce() -> R) -> Option<R> {
    if Handle::try_current().is_err() {
        return Some(wait());
    }
    let mut waiting = Some(wait);
    let result = {
        let _quiet = QuietPanics::begin();
        catch_unwind(AssertUnwindSafe(|| {
            block_in_place(|| {
                waiting
                    .take()
                    .map(|wait| catch_unwind(AssertUnwindSafe(wait)))
            })
        }))
    };
    match result {
        Ok(done) => done.map(|value| value.unwrap_or_else(|payload| resume_unwind(payload))),
        Err(payload) if waiting.is_none() => resume_unwind(payload),
        Err(_) => None,
    }
}

/// Spawns a task, as [`tokio::spawn`], that belongs to the test whose code calls this, if there is
/// one.
///
/// # Panics
/// As `tokio::spawn`, outside a runtime.
///
/// ```
/// use hotprobe_testing as testing;
/// use hotprobe::fire;
/// use hotprobe_testing::run_async;
///
/// hotprobe::event! { static TICK: fn(n: u32); }
///
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(
/// run_async(async |t| {
///     t.attach(|batch, to| TICK.attach_in(batch, move |n| to.send("task", n)));
///     let task = testing::spawn_task(async { fire!(TICK, 1) });
///     t.expect_async("task", 1_u32).await;
///     task.await.unwrap();
/// })
/// # );
/// ```
pub fn spawn_task<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(InScope::new(Scope::current().as_ref(), future))
}

/// Spawns a task, as [`spawn_task`], and names its own stream:
/// [`Tracer::send_own`](crate::Tracer::send_own) sends to it.
///
/// # Panics
/// As `tokio::spawn`, outside a runtime.
///
/// ```
/// use hotprobe::fire;
/// use hotprobe_testing as testing;
/// hotprobe::event! { static STEP: fn(n: u32); }
///
/// # tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(
/// testing::run_async(async |t| {
///     t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send_own(n)));
///     let one = testing::spawn_task_as("request 1", async { fire!(STEP, 1) });
///     let two = testing::spawn_task_as("request 2", async { fire!(STEP, 2) });
///     t.expect_async("request 2", 2_u32).await;
///     t.expect_async("request 1", 1_u32).await;
///     one.await.unwrap();
///     two.await.unwrap();
/// })
/// # );
/// ```
pub fn spawn_task_as<F>(stream: &str, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let scope = Scope::current().map(|scope| scope.with_stream(stream));
    tokio::spawn(InScope::new(scope.as_ref(), future))
}

/// Runs a closure, as [`tokio::task::spawn_blocking`], that belongs to the test whose code calls
/// this, if there is one.
///
/// # Panics
/// As `tokio::task::spawn_blocking`, outside a runtime.
///
/// ```
/// use hotprobe_testing as testing;
/// hotprobe::event! { static TICK: fn(n: u32); }
///
/// # tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(
/// testing::run_async(async |t| {
///     t.attach(|batch, to| TICK.attach_in(batch, move |n| to.send("blocking", n)));
///     let work = testing::spawn_blocking(|| TICK.fire(1));
///     t.expect_async("blocking", 1_u32).await;
///     work.await.unwrap();
/// })
/// # );
/// ```
pub fn spawn_blocking<R, F>(work: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let scope = Scope::current().map(|scope| {
        let actor = scope.run.new_actor();
        (scope, actor)
    });
    tokio::task::spawn_blocking(move || {
        let _entered = scope.map(|(scope, actor)| scope.enter_as(actor, false));
        work()
    })
}
