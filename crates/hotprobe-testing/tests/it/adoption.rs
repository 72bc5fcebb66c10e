//! Threads and tasks that a library starts: whose their firings are, and what a report says of
//! those that pass.

use hotprobe_testing::{self as testing, Options, Scope};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use test_support::isolated;

#[test]
fn a_thread_of_a_library_belongs_to_the_test_that_adopts_the_process() {
    hotprobe::event! { static STEP: fn(n: u32); }
    isolated(
        "adoption::a_thread_of_a_library_belongs_to_the_test_that_adopts_the_process",
        || {
            let summary = Options::new().try_verify(|t| {
                t.adopt_process();
                t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("library", n)));
                let library = thread::spawn(|| {
                    STEP.fire(1);
                    testing::outside(|| STEP.fire(2));
                    assert!(Scope::current().is_some());
                    STEP.fire(3);
                });
                t.expect("library", 1_u32);
                t.expect("library", 3_u32);
                library.join().unwrap();
            });
            let summary = summary.unwrap();
            assert_eq!((summary.runs, summary.events, summary.outside), (3, 2, 3));
            thread::spawn(|| assert!(Scope::current().is_none()))
                .join()
                .unwrap();
        },
    );
}

#[test]
fn the_process_is_adopted_by_one_test_at_a_time() {
    isolated(
        "adoption::the_process_is_adopted_by_one_test_at_a_time",
        || {
            testing::run(|first| {
                first.adopt_process();
                first.adopt_process();
                let second = Options::new().try_run(testing::Test::adopt_process);
                let report = second.unwrap_err().report().to_owned();
                assert!(
                    report.starts_with("another running test has adopted the process\n"),
                    "{report}"
                );
                let since = report.lines().find(|line| line.starts_with("     since "));
                assert!(since.unwrap().contains(file!()), "{report}");
                assert!(report.contains("cargo nextest"), "{report}");
            });
            testing::run(testing::Test::adopt_process);
        },
    );
}

#[test]
fn a_scope_that_a_thread_has_entered_goes_before_an_adoption() {
    hotprobe::event! { static STEP: fn(n: u32); }
    isolated(
        "adoption::a_scope_that_a_thread_has_entered_goes_before_an_adoption",
        || {
            testing::run(|outer| {
                outer.adopt_process();
                outer.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("outer", n)));
                testing::run(|inner| {
                    inner.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("inner", n)));
                    let thread = testing::spawn(|| STEP.fire(1));
                    inner.expect("inner", 1_u32);
                    thread.join();
                });
                let thread = thread::spawn(|| STEP.fire(2));
                outer.expect("outer", 2_u32);
                thread.join().unwrap();
            });
        },
    );
}

#[test]
fn a_thread_that_stays_in_an_earlier_run_is_named() {
    hotprobe::event! { static JOB: fn(n: u32); }
    type Job = Box<dyn FnOnce() + Send>;
    let (jobs, queue) = mpsc::channel::<Job>();
    let pool = thread::Builder::new()
        .name("pool".to_owned())
        .spawn(move || queue.into_iter().for_each(|job| job()))
        .unwrap();
    let mut run = 0;
    let options = Options::new().dead_time(Duration::from_millis(1500));
    let failure = options.try_verify(|t| {
        t.attach(|batch, to| JOB.attach_in(batch, move |n| to.send("pool", n)));
        if run == 0 {
            let scope = t.scope();
            jobs.send(Box::new(move || scope.enter().stay())).unwrap();
        }
        run += 1;
        let (ended, ends) = mpsc::channel();
        let job = move || {
            JOB.fire(7);
            let _ = ended.send(());
        };
        jobs.send(Box::new(job)).unwrap();
        if run > 1 {
            ends.recv().unwrap(); // it is not paused
        }
        t.expect("pool", 7_u32);
    });
    drop(jobs);
    pool.join().unwrap();
    let failure = failure.unwrap_err();
    assert_eq!(failure.run(), "delay@0 (pool:0)");
    let list = "
   outside 1 firing of threads and tasks in the scope of a run that has ended:
           pool: 7
             by thread \"pool\"
      help such a thread or task has to enter the scope of each run: `Entered::stay` suits a
           thread that ends with its run";
    assert!(failure.report().ends_with(list), "{failure}");
}

#[cfg(feature = "tokio")]
mod on_tokio {
    use crate::reports::without_lines;
    use hotprobe::fire;
    use hotprobe_testing::{self as testing, Options, Test};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;
    use std::time::Duration;
    use tokio::runtime::{Builder, Handle, Runtime};
    use tokio::sync::Notify;
    use tokio::task;

    hotprobe::event! {
        /// A library has done a step in a task, or in a blocking call.
        static WORKED: fn(test: usize, how: &str);
    }

    /// A library, whose tasks are its own.
    async fn work(test: usize) {
        let task = tokio::spawn(async move {
            fire!(WORKED, test, "task");
            let blocking = task::spawn_blocking(move || fire!(WORKED, test, "blocking"));
            blocking.await.unwrap();
            fire!(WORKED, test, "again");
        });
        task.await.unwrap();
    }

    fn attach(t: &Test) {
        t.attach(|batch, to| {
            WORKED.attach_in(batch, move |test, how| {
                to.send("library", format!("{test} {how}"));
            });
        });
    }

    fn runtime() -> Runtime {
        Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_library_that_spawns_is_tested_under_the_attribute_of_tokio() {
        testing::verify_async(async |t| {
            t.adopt_runtime(&Handle::current());
            attach(t);
            let library = tokio::spawn(work(1));
            for how in ["1 task", "1 blocking", "1 again"] {
                t.expect_async("library", how.to_owned()).await;
            }
            library.await.unwrap();
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn schedules_are_explored_of_what_a_library_spawns() {
        testing::explore_async(5, 1, async |t| {
            t.adopt_runtime(&Handle::current());
            attach(t);
            let library = [1, 2].map(|test| tokio::spawn(work(test)));
            for task in library {
                task.await.unwrap();
            }
            for _ in 0..6 {
                let _: String = t.recv_async("library").await;
            }
        })
        .await;
    }

    #[test]
    fn tests_with_runtimes_of_their_own_run_side_by_side() {
        thread::scope(|threads| {
            for test in 0..20 {
                threads.spawn(move || {
                    runtime().block_on(testing::run_async(async |t| {
                        t.adopt_runtime(&Handle::current());
                        attach(t);
                        let library = tokio::spawn(work(test));
                        for how in ["task", "blocking", "again"] {
                            t.expect_async("library", format!("{test} {how}")).await;
                        }
                        library.await.unwrap();
                    }));
                });
            }
        });
    }

    #[test]
    fn a_blocking_test_adopts_the_runtime_that_it_has_made() {
        let summary = Options::new().try_verify(|t| {
            let runtime = runtime();
            t.adopt_runtime(runtime.handle());
            attach(t);
            let library = runtime.spawn(work(1));
            for how in ["1 task", "1 blocking", "1 again"] {
                t.expect("library", how.to_owned());
            }
            runtime.block_on(library).unwrap();
        });
        let summary = summary.unwrap();
        assert_eq!((summary.runs, summary.outside), (4, 0));
    }

    #[test]
    fn what_is_outside_stays_outside_when_its_runtime_is_adopted() {
        let runtime = runtime();
        let summary = Options::new().try_run(|t| {
            t.adopt_runtime(runtime.handle());
            attach(t);
            let library = runtime.spawn(async {
                testing::outside(|| fire!(WORKED, 1, "outside"));
                fire!(WORKED, 1, "inside");
            });
            t.expect("library", "1 inside".to_owned());
            runtime.block_on(library).unwrap();
        });
        assert_eq!(summary.unwrap().outside, 1);
    }

    #[test]
    fn a_runtime_has_one_test_at_a_time() {
        let runtime = runtime();
        testing::run(|first| {
            first.adopt_runtime(runtime.handle());
            let second = Options::new().try_run(|t| t.adopt_runtime(runtime.handle()));
            let report = second.unwrap_err().report().to_owned();
            assert!(
                report.starts_with("another running test has adopted this runtime\n"),
                "{report}"
            );
        });
        testing::run(|t| t.adopt_runtime(runtime.handle()));
    }

    #[test]
    fn a_test_that_is_dropped_gives_up_its_runtime_and_lets_its_senders_go() {
        let runtime = runtime();
        let options = Options::new().dead_time(Duration::from_secs(60));
        let mut library = None;
        runtime.block_on(async {
            let holds = Notify::new();
            let test = options.run_async(async |t| {
                t.adopt_runtime(&Handle::current());
                attach(t);
                library = Some(tokio::spawn(work(1)));
                let _held = t.expect_held_async("library", "1 task".to_owned()).await;
                holds.notify_one();
                std::future::pending::<()>().await;
            });
            tokio::select! {
                () = test => unreachable!("it waits forever"),
                () = holds.notified() => (),
            }
        });
        testing::run(|t| t.adopt_runtime(runtime.handle()));
        runtime.block_on(library.unwrap()).unwrap();
    }

    #[test]
    fn on_a_current_thread_runtime_an_adopted_task_is_an_error_that_says_so() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let result = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(testing::run_async(async |t| {
                t.adopt_runtime(&Handle::current());
                attach(t);
                tokio::spawn(work(1)).await.unwrap();
            }));
        }));
        let payload = result.expect_err("it fails");
        let report = payload.downcast_ref::<String>().expect("with a report");
        assert!(
            report.starts_with("a task fires \"1 task\" on stream \"library\", and pausing it"),
            "{report}"
        );
    }

    #[test]
    fn the_report_of_a_missed_event_names_the_task_and_says_what_to_do() {
        let runtime = runtime();
        let options = Options::new().dead_time(Duration::from_millis(1500));
        let failure = options.try_run(|t| {
            attach(t);
            runtime.block_on(async { tokio::spawn(work(1)).await.unwrap() });
            t.expect("library", "1 task".to_owned());
        });
        let report = without_lines(failure.unwrap_err().report());
        let tasks: String = report
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        let tasks = tasks.replace("00", "0").replace("00", "0");
        assert_eq!(
            tasks,
            "\
deadlock: nothing came on stream \"library\" for 0.0 s
        at crates/hotprobe-testing/tests/it/adoption.rs:LINE
       run run
   awaited \"0 task\"
   outside 0 firings of threads and tasks that belong to no test:
           library: \"0 task\" (0 times)
             by thread \"tokio-rt-worker\", task 0 and others
      help to receive them, start the thread or task by `testing::spawn` or `spawn_task`, or
           wrap its work by `Scope::wrap` or `wrap_future`; if a library starts it, call
           `Test::adopt_runtime` or `adopt_process`"
        );
    }
}
