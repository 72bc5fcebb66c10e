//! Blocking a thread that tokio may need (feature `tokio`).

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{JoinHandle, block_in_place};

/// Whether a wait on this thread, which polls a task now, would stop the runtime and all its tasks.
pub(super) fn has_one_thread() -> bool {
    flavor() == Some(RuntimeFlavor::CurrentThread)
}

/// Runs `wait`, which blocks. In a worker of the multi-thread runtime, another thread takes over its tasks.
/// `None` if tokio does not allow that here, as in a `LocalSet`; then `wait` has not run.
pub(super) fn blocking<R>(wait: impl FnOnce() -> R) -> Option<R> {
    if flavor() != Some(RuntimeFlavor::MultiThread) {
        return Some(wait());
    }
    let mut waiting = Some(wait);
    let result = {
        let _quiet = super::quiet::Quiet::begin();
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

fn flavor() -> Option<RuntimeFlavor> {
    Handle::try_current()
        .ok()
        .map(|handle| handle.runtime_flavor())
}

/// [`tokio::spawn`]: the task belongs to the test whose code calls it, if there is one.
///
/// # Panics
/// As `tokio::spawn`, outside of a runtime.
///
/// ```
/// use hotprobe::testing;
/// use hotprobe::{fire, testing::run_async};
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
    tokio::spawn(super::scope::in_current_future(future))
}

/// [`tokio::task::spawn_blocking`]: the closure belongs to the test whose code calls it, if there is one.
///
/// # Panics
/// As `tokio::task::spawn_blocking`, outside of a runtime.
pub fn spawn_blocking<R, F>(work: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    tokio::task::spawn_blocking(super::scope::in_current(work))
}
