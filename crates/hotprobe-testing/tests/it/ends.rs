//! How tests end: at once, with nobody left standing.

use hotprobe::{OnPanic, ProbeOptions};
use hotprobe_testing::{self as testing, Options};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use test_support::{CHILD, child, eventually, text};

/// So long that nobody waits for it: what ends, ends at once.
const NEVER: Duration = Duration::from_secs(600);

#[test]
fn a_failing_test_lets_paused_senders_go_at_once() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let passed = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&passed);
    let failure = Options::new().dead_time(NEVER).try_run(|t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send(&format!("t{n}"), n)));
        for n in 0..10 {
            let counter = Arc::clone(&counter);
            testing::spawn(move || {
                STEP.fire(n);
                STEP.fire(n);
                counter.fetch_add(1, Ordering::Relaxed);
            });
        }
        let _held = t.expect_held("t3", 3_u32);
        t.expect("t5", 6_u32);
    });
    assert!(
        failure
            .unwrap_err()
            .report()
            .starts_with("wrong value on stream \"t5\"")
    );
    eventually("all go on", || passed.load(Ordering::Relaxed) == 10);
    assert!(!STEP.is_enabled(), "the probes are detached");
}

#[test]
fn cancelled_senders_stop_where_they_are() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let passed = Arc::new(AtomicU32::new(0));
    let unwound = Arc::new(AtomicU32::new(0));
    let options = Options::new().dead_time(NEVER).cancel_senders();
    let failure = options.try_run(|t| {
        t.attach(|batch, to| {
            let options = ProbeOptions::new().on_panic(OnPanic::Propagate);
            STEP.attach_in_with(batch, options, move |n| to.send("t", n));
        });
        let (passed, unwound) = (Arc::clone(&passed), Arc::clone(&unwound));
        testing::spawn(move || {
            let result = catch_unwind(|| STEP.fire(1));
            unwound.fetch_add(u32::from(result.is_err()), Ordering::Relaxed);
            passed.fetch_add(1, Ordering::Relaxed);
        });
        t.expect("t", 2_u32);
    });
    assert!(failure.is_err());
    eventually("it ends", || passed.load(Ordering::Relaxed) == 1);
    assert_eq!(unwound.load(Ordering::Relaxed), 1);
}

#[test]
fn a_panic_of_the_body_is_the_tests_own() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let begin = Instant::now();
    let failure = Options::new().dead_time(NEVER).try_run(|t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        testing::spawn(|| STEP.fire(1));
        let _held = t.expect_held("t", 1_u32);
        panic!("two is not three");
    });
    assert_eq!(failure.unwrap_err().report(), "two is not three");
    assert!(begin.elapsed() < NEVER);
}

#[test]
fn a_panic_of_the_body_within_a_thread_scope_lets_senders_go() {
    hotprobe::event! { static STEP: fn(n: u32); }
    // `thread::scope` waits for its threads before the panic gets on.
    let failure = Options::new()
        .dead_time(Duration::from_secs(5))
        .try_run(|t| {
            t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
            let scope = t.scope();
            thread::scope(|threads| {
                threads.spawn(scope.wrap(|| STEP.fire(1)));
                panic!("within");
            });
        });
    assert_eq!(failure.unwrap_err().report(), "within");
}

#[test]
fn a_failure_within_a_thread_scope_ends_at_once() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let begin = Instant::now();
    let failure = Options::new().dead_time(NEVER).try_run(|t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        let scope = t.scope();
        thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(scope.wrap(|| STEP.fire(1)));
            }
            t.expect("t", 2_u32);
        });
    });
    assert!(failure.unwrap_err().report().starts_with("wrong value"));
    // (Senders look by themselves, too, but only now and then.)
    assert!(begin.elapsed() < NEVER / 20);
}

#[test]
fn a_report_is_not_lost_if_the_body_catches_it() {
    let failure = Options::new()
        .dead_time(Duration::from_millis(30))
        .try_run(|t| {
            let caught = catch_unwind(AssertUnwindSafe(|| t.expect("nobody", 1)));
            assert!(caught.is_err());
        });
    assert!(failure.unwrap_err().report().starts_with("deadlock"));
}

#[test]
fn the_report_says_where_the_expect_stands() {
    let mut line = 0;
    let failure = Options::new()
        .dead_time(Duration::from_millis(30))
        .try_run(|t| {
            line = line!() + 1;
            t.expect("nobody", 1);
        });
    let place = format!("at {}:{line}:", file!());
    let failure = failure.unwrap_err();
    assert!(failure.report().contains(&place), "{failure}");
    assert_eq!(failure.run(), "run");
}

#[test]
fn after_its_end_a_test_pauses_nobody() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let mut kept = None;
    let mut scope = None;
    testing::run(|t| {
        let to = t.tracer();
        kept = Some(STEP.attach(move |n| to.send("t", n)));
        scope = t.scope().into();
    });
    let scope = scope.unwrap();
    let _entered = scope.enter();
    STEP.fire(1);
    assert!(kept.unwrap().is_attached());
}

#[test]
fn the_body_waits_for_its_threads() {
    let ended = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&ended);
    testing::run(|_| {
        testing::spawn(move || {
            thread::sleep(Duration::from_millis(30));
            counter.store(1, Ordering::Relaxed);
        });
    });
    assert_eq!(ended.load(Ordering::Relaxed), 1);
}

#[test]
fn a_join_gives_back_the_value_or_the_panic() {
    test_support::quiet_planned_panics();
    let failure = Options::new().try_run(|_| {
        assert_eq!(testing::spawn(|| 5).join(), 5);
        testing::spawn(|| panic!("planned")).join();
    });
    assert_eq!(failure.unwrap_err().report(), "planned");
}

#[test]
fn a_grace_period_ends_when_nobody_is_paused() {
    hotprobe::event! { static STEP: fn(n: u32); }
    testing::run(|t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        let thread = testing::spawn(|| STEP.fire(1));
        t.expect("t", 1_u32);
        thread.join();
    });
    hotprobe::synchronize().unwrap();
}

#[test]
fn a_wrong_dead_time_in_the_environment_is_an_error_of_each_run_and_not_of_the_options() {
    let name =
        "ends::a_wrong_dead_time_in_the_environment_is_an_error_of_each_run_and_not_of_the_options";
    if std::env::var(CHILD).is_ok_and(|child| child == name) {
        let expected = "HOTPROBE_DEAD_TIME is `soon`: expected the dead time in seconds, above 0 and at most 31536000, \
                        as in `10` or `0.5`";
        let options = Options::new();
        let ran = AtomicU32::new(0);
        let body = |_: &testing::Test| _ = ran.fetch_add(1, Ordering::Relaxed);
        let failures = [
            options.try_run(body),
            options.try_verify(body),
            options.try_explore(1, 0, body),
        ];
        for failure in failures {
            assert_eq!(failure.unwrap_err().report(), expected);
        }
        let panic = catch_unwind(AssertUnwindSafe(|| testing::run(body))).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().unwrap(), expected);
        assert_eq!(ran.load(Ordering::Relaxed), 0);
        let own = Options::new().dead_time(Duration::from_secs(1));
        own.run(body);
        assert_eq!(ran.load(Ordering::Relaxed), 1);
        return;
    }
    let output = child(name)
        .env("HOTPROBE_DEAD_TIME", "soon")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
}
