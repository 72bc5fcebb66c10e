//! Tasks of tokio.

use crate::reports::without_lines;
use hotprobe::fire;
use hotprobe_testing::{self as testing, Failure, Options, Test};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

hotprobe::event! {
    /// A request has come in.
    static ACCEPTED: fn(id: u32);
    /// It has been answered.
    static ANSWERED: fn(id: u32, answer: &str);
    /// Nobody wants the answer any more.
    static CANCELLED: fn(id: u32);
}

#[derive(Debug, PartialEq)]
enum Event {
    Accepted,
    Answered(String),
    Cancelled,
}

/// What a request asks a database.
type Query = (u32, oneshot::Sender<String>);

/// Fires when it is dropped, unless the request has got its answer.
struct Pending(u32, bool);

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.1 {
            fire!(CANCELLED, self.0);
        }
    }
}

/// The service: asks the database, and answers.
async fn serve(id: u32, database: mpsc::Sender<Query>) -> String {
    fire!(ACCEPTED, id);
    let mut pending = Pending(id, false);
    let (sender, receiver) = oneshot::channel();
    database
        .send((id, sender))
        .await
        .expect("the database is there");
    let answer = receiver.await.expect("the database answers");
    pending.1 = true;
    fire!(ANSWERED, id, &answer);
    answer
}

fn attach(t: &Test) {
    t.attach(|batch, to| {
        let stream = |id| format!("request {id}");
        ACCEPTED.attach_in(batch, move |id| to.send(&stream(id), Event::Accepted));
        ANSWERED.attach_in(batch, move |id, answer| {
            to.send(&stream(id), Event::Answered(answer.to_owned()));
        });
        CANCELLED.attach_in(batch, move |id| to.send(&stream(id), Event::Cancelled));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_with_a_cancelled_request() {
    testing::verify_async(async |t| {
        attach(t);
        let (database, mut queries) = mpsc::channel(8);
        let one = testing::spawn_task(serve(1, database.clone()));
        t.expect_async("request 1", Event::Accepted).await;
        let query_1: Query = queries.recv().await.unwrap();
        let two = testing::spawn_task(serve(2, database));
        t.expect_async("request 2", Event::Accepted).await;
        let query_2: Query = queries.recv().await.unwrap();

        // The client of the first goes away, while the database is at it.
        one.abort();
        t.expect_async("request 1", Event::Cancelled).await;
        assert!(one.await.unwrap_err().is_cancelled());
        assert!(query_1.1.send("too late".to_owned()).is_err());

        query_2.1.send("four".to_owned()).unwrap();
        t.expect_async("request 2", Event::Answered("four".to_owned()))
            .await;
        assert_eq!(two.await.unwrap(), "four");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_held_senders_on_two_workers_do_not_stop_the_runtime() {
    hotprobe::event! { static STEP: fn(task: &str); }
    testing::run_async(async |t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |task| to.send(task, ())));
        let tasks = ["a", "b"].map(|name| testing::spawn_task(async move { fire!(STEP, name) }));
        let a = t.expect_held_async("a", ()).await;
        let b = t.expect_held_async("b", ()).await;
        // Both workers are taken. Others continue:
        let others = (0..20).map(|n| tokio::spawn(async move { n }));
        for (n, other) in others.enumerate() {
            assert_eq!(other.await.unwrap(), n);
        }
        a.release();
        b.release();
        for task in tasks {
            task.await.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn all_forms_have_an_async_one() {
    hotprobe::event! { static STEP: fn(n: u32); }
    testing::explore_async(3, 1, async |t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        let task = testing::spawn_task(async { fire!(STEP, 1) });
        t.expect_async("t", 1_u32).await;
        task.await.unwrap();
    })
    .await;
    testing::run_async(async |t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        let task = testing::spawn_task(async { (1..5).for_each(|n| fire!(STEP, n)) });
        assert_eq!(t.recv_async::<u32>("t").await, 1);
        assert_eq!(t.select_async::<u32>(&["s", "t"]).await, ("t", 2));
        t.expect_none_for_async("s", Duration::from_millis(5)).await;
        t.expect_held_async("t", 3_u32).await.release();
        t.expect_async("t", 4_u32).await;
        task.await.unwrap();
        let blocking = testing::spawn_blocking(|| fire!(STEP, 5));
        t.expect_async("t", 5_u32).await;
        blocking.await.unwrap();
    })
    .await;
}

/// What the test fails with.
fn failure(runtime: &Runtime, body: impl AsyncFnOnce(&Test)) -> String {
    let options = Options::new().dead_time(Duration::from_millis(1500));
    let result = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(options.run_async(body))
    }));
    let payload = result.expect_err("it fails");
    without_lines(payload.downcast_ref::<String>().expect("with a report"))
}

#[test]
fn on_a_current_thread_runtime_a_task_that_fires_is_an_error() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let runtime = Builder::new_current_thread().build().unwrap();
    let ended = Arc::new(AtomicBool::new(false));
    let report = failure(&runtime, async |t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        let ended = Arc::clone(&ended);
        let task = testing::spawn_task(async move {
            fire!(STEP, 1);
            ended.store(true, Ordering::Relaxed);
        });
        t.expect_async("t", 1_u32).await;
        task.await.unwrap();
    });
    assert_eq!(
        report,
        "\
a task fires 1 on stream \"t\", and pausing it would stop the whole runtime
       run run
       why this is a current-thread runtime, or a task of a `LocalSet`
      help use `#[tokio::test(flavor = \"multi_thread\")]`"
    );
    assert!(ended.load(Ordering::Relaxed), "it was not paused");
}

#[test]
fn so_it_is_in_a_local_set() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let set = tokio::task::LocalSet::new();
    let result = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(set.run_until(testing::run_async(async |t| {
            t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
            let task = t.scope().wrap_future(async { fire!(STEP, 1) });
            tokio::task::spawn_local(task).await.unwrap();
        })));
    }));
    let payload = result.expect_err("it fails");
    let report = payload.downcast_ref::<String>().expect("with a report");
    assert!(
        report.starts_with("a task fires 1 on stream \"t\", and pausing it would stop"),
        "{report}"
    );
}

#[test]
fn on_a_current_thread_runtime_a_blocking_expect_is_an_error() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let report = failure(&runtime, async |t| t.expect("t", 1));
    assert_eq!(
        report,
        "\
waiting here would stop the whole runtime
        at crates/hotprobe-testing/tests/it/asynchronous.rs:LINE
       run run
   awaited 1
       why this is a current-thread runtime, or a task of a `LocalSet`
      help use one of the `async` forms: `expect_async(…).await`"
    );
}

#[tokio::test]
async fn so_is_a_blocking_run_in_a_test_of_one_thread() {
    let failure = Options::new()
        .dead_time(Duration::from_secs(600))
        .try_run(|t| {
            testing::spawn_task(async {});
            t.expect("t", 1);
        });
    let report = failure.unwrap_err().to_string();
    assert!(
        report.starts_with("waiting here would stop the whole runtime\n"),
        "{report}"
    );
}

#[tokio::test]
async fn a_thread_for_blocking_calls_may_wait() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let test = || {
        testing::run(|t| {
            t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
            let thread = testing::spawn(|| STEP.fire(1));
            t.expect("t", 1_u32);
            thread.join();
        });
    };
    tokio::task::spawn_blocking(test).await.unwrap();
}

#[test]
fn on_a_current_thread_runtime_threads_can_be_paused() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(testing::run_async(async |t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        let thread = testing::spawn(|| STEP.fire(1));
        t.expect_async("t", 1_u32).await;
        thread.join_async().await;
    }));
}

#[test]
fn an_async_deadlock_is_reported_without_a_clock_of_the_runtime() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let report = failure(&runtime, async |t| t.expect_async("t", 1).await);
    assert_eq!(
        report,
        "\
deadlock: nothing came on stream \"t\" for 1.5 s
        at crates/hotprobe-testing/tests/it/asynchronous.rs:LINE
       run run
   awaited 1"
    );
}

#[test]
fn a_blocking_test_of_a_runtime() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let result: Result<_, Failure> = Options::new().try_verify(|t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let task = runtime.spawn(t.scope().wrap_future(async {
            for n in 0..3 {
                fire!(STEP, n);
                tokio::task::yield_now().await;
            }
        }));
        (0..3_u32).for_each(|n| t.expect("t", n));
        runtime.block_on(task).unwrap();
    });
    assert_eq!(result.unwrap().runs, 4);
}

#[test]
fn a_task_that_a_library_spawns_is_outside() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let summary = Options::new().try_run(|t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        let task = runtime.spawn(t.scope().wrap_future(async {
            tokio::spawn(async { fire!(STEP, 1) }).await.unwrap();
            testing::spawn_task(async { fire!(STEP, 2) }).await.unwrap();
        }));
        t.expect("t", 2_u32);
        runtime.block_on(task).unwrap();
    });
    assert_eq!(summary.unwrap().outside, 1);
}

#[test]
fn a_waiting_future_that_is_dropped_takes_nothing() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let seen = Mutex::new(Vec::new());
    runtime.block_on(testing::run_async(async |t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        let patience = Duration::from_millis(5);
        assert!(
            tokio::time::timeout(patience, t.recv_async::<u32>("t"))
                .await
                .is_err()
        );
        let thread = testing::spawn(|| STEP.fire(1));
        let received = t.recv_async::<u32>("t").await;
        seen.lock().unwrap().push(received);
        thread.join_async().await;
    }));
    assert_eq!(*seen.lock().unwrap(), [1]);
}

#[test]
fn an_executor_that_a_sender_blocks_is_not_waited_for_either() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let options = Options::new().dead_time(Duration::from_millis(1500));
    let scope = Mutex::new(None);
    let mut test = std::pin::pin!(options.run_async(async |t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        *scope.lock().unwrap() = Some(t.scope());
        t.expect_async("t", 1_u32).await;
    }));
    // An executor of one thread, unknown to the kit, that polls the one and then the other.
    let mut context = Context::from_waker(Waker::noop());
    assert!(test.as_mut().poll(&mut context).is_pending());
    let scope = scope.lock().unwrap().take().unwrap();
    let task = std::pin::pin!(scope.wrap_future(async { fire!(STEP, 1) }));
    assert!(task.poll(&mut context).is_ready(), "it is let go");
    let result = catch_unwind(AssertUnwindSafe(|| test.as_mut().poll(&mut context)));
    let payload = result.expect_err("it fails");
    let report = payload.downcast_ref::<String>().expect("with a report");
    let title = "deadlock: events are pending, and nothing polls the waiting test\n";
    assert!(report.starts_with(title), "{report}");
}

hotprobe::event! {
    /// A client connects.
    static CONNECTING: fn(step: u32);
}

/// Fires in each poll, and when it is dropped.
async fn connect() {
    struct Connection;
    impl Drop for Connection {
        fn drop(&mut self) {
            fire!(CONNECTING, 3);
        }
    }
    let _connection = Connection;
    fire!(CONNECTING, 1);
    tokio::task::yield_now().await;
    fire!(CONNECTING, 2);
    tokio::task::yield_now().await;
}

#[test]
fn the_body_prepares_by_async_code_outside() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    runtime.block_on(testing::run_async(async |t| {
        t.adopt_runtime(&tokio::runtime::Handle::current());
        t.attach(|batch, to| CONNECTING.attach_in(batch, move |step| to.send_own(step)));
        testing::outside_async(connect()).await;
        // A future that is dropped before its end is outside, too, and the code around it is not.
        let mut dropped = Box::pin(testing::outside_async(connect()));
        std::future::poll_fn(|context| {
            assert!(dropped.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        drop(dropped);
        assert!(testing::Scope::current().is_some());
        let client = testing::spawn_task_as("client", connect());
        for step in 1..=3_u32 {
            t.expect_async("client", step).await;
        }
        client.await.unwrap();
    }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_task_has_a_stream_of_its_own_without_a_task_local() {
    hotprobe::event! { static STEP: fn(n: u32); }
    testing::verify_async(async |t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send_own(n)));
        let named = testing::spawn_task_as("request 7", async {
            fire!(STEP, 1);
            tokio::task::yield_now().await;
            fire!(STEP, 2);
        });
        let numbered = testing::spawn_task(async { fire!(STEP, 3) });
        let wrapped = t.scope().with_stream("wrapped");
        let wrapped = tokio::spawn(wrapped.wrap_future(async { fire!(STEP, 4) }));
        t.expect_async("wrapped", 4_u32).await;
        t.expect_async("sender 2", 3_u32).await;
        t.expect_async("request 7", 1_u32).await;
        t.expect_async("request 7", 2_u32).await;
        named.await.unwrap();
        numbered.await.unwrap();
        wrapped.await.unwrap();
    })
    .await;
}
