//! Whose firing it is.

use hotprobe_testing::{self as testing, Options, Scope};
use std::sync::mpsc;
use std::thread;

hotprobe::event! { static SHARED: fn(test: usize, n: u32); }

#[test]
fn two_hundred_tests_on_one_event_do_not_see_one_another() {
    thread::scope(|threads| {
        for test in 0..200 {
            threads.spawn(move || {
                testing::run(|t| {
                    t.attach(|batch, to| {
                        SHARED.attach_in(batch, move |test, n| to.send("t", (test, n)));
                    });
                    let thread = testing::spawn(move || (0..5).for_each(|n| SHARED.fire(test, n)));
                    for n in 0..5_u32 {
                        t.expect("t", (test, n));
                    }
                    thread.join();
                });
            });
        }
    });
}

#[test]
fn a_pools_jobs_belong_to_the_test_that_made_them() {
    hotprobe::event! { static JOB: fn(n: u32); }
    type Job = Box<dyn FnOnce() + Send>;
    let (jobs, queue) = mpsc::channel::<Job>();
    let pool = thread::spawn(move || queue.into_iter().for_each(|job| job()));
    let summary = Options::new()
        .try_run(|t| {
            t.attach(|batch, to| JOB.attach_in(batch, move |n| to.send("pool", n)));
            jobs.send(Box::new(|| JOB.fire(1))).unwrap();
            jobs.send(Box::new(t.scope().wrap(|| JOB.fire(2)))).unwrap();
            jobs.send(Box::new(|| JOB.fire(3))).unwrap();
            jobs.send(Box::new(t.scope().wrap(|| JOB.fire(4)))).unwrap();
            t.expect("pool", 2_u32);
            t.expect("pool", 4_u32);
        })
        .unwrap();
    assert_eq!(summary.events, 2);
    assert_eq!(summary.outside, 2);
    drop(jobs);
    pool.join().unwrap();
}

#[test]
fn threads_of_threads_belong_to_the_test() {
    hotprobe::event! { static STEP: fn(n: u32); }
    testing::run(|t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        let thread = testing::spawn(|| {
            testing::spawn(|| STEP.fire(1)).join();
            STEP.fire(2);
        });
        t.expect("t", 1_u32);
        t.expect("t", 2_u32);
        thread.join();
    });
}

#[test]
fn entering_and_leaving() {
    hotprobe::event! { static STEP: fn(n: u32); }
    assert!(Scope::current().is_none());
    let summary = Options::new()
        .try_run(|t| {
            t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
            let scope = t.scope();
            let thread = thread::spawn(move || {
                STEP.fire(0);
                {
                    let _entered = scope.enter();
                    STEP.fire(1);
                    testing::outside(|| STEP.fire(2));
                    STEP.fire(3);
                }
                STEP.fire(4);
                scope.enter().stay();
                STEP.fire(5);
            });
            for n in [1_u32, 3, 5] {
                t.expect("t", n);
            }
            thread.join().unwrap();
            testing::outside(|| STEP.fire(6));
        })
        .unwrap();
    assert_eq!((summary.events, summary.outside), (3, 4));
    assert!(Scope::current().is_none());
}

#[test]
fn a_spawn_outside_of_any_test_is_a_thread_like_any_other() {
    assert!(Scope::current().is_none());
    assert!(testing::spawn(|| Scope::current().is_none()).join());
}

#[test]
fn tests_within_a_test_are_scopes_of_their_own() {
    hotprobe::event! { static STEP: fn(n: u32); }
    testing::run(|outer| {
        outer.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("outer", n)));
        testing::run(|inner| {
            inner.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("inner", n)));
            let thread = testing::spawn(|| STEP.fire(1));
            inner.expect("inner", 1_u32);
            thread.join();
        });
        let thread = testing::spawn(|| STEP.fire(2));
        outer.expect("outer", 2_u32);
        thread.join();
    });
}

#[test]
fn events_are_made_for_the_own_test_only() {
    hotprobe::event! { static STEP: fn(n: u32); }
    testing::run(|t| {
        t.attach(|batch, to| {
            STEP.attach_in(batch, move |n| {
                to.send_with("t", || {
                    assert_eq!(n, 1, "not for firings of others");
                    n
                });
            });
        });
        thread::spawn(|| STEP.fire(2)).join().unwrap();
        let thread = testing::spawn(|| STEP.fire(1));
        t.expect("t", 1_u32);
        thread.join();
    });
}
