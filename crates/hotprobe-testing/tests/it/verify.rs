//! Runs with delays.

use hotprobe_testing::{self as testing, Options};
use std::cell::RefCell;
use std::time::{Duration, Instant};

#[test]
fn each_event_is_delayed_once() {
    hotprobe::event! { static STEP: fn(stream: &str, n: u32); }
    let names = RefCell::new(Vec::new());
    testing::verify(|t| {
        names.borrow_mut().push(t.run_name().to_owned());
        t.attach(|batch, to| STEP.attach_in(batch, move |stream, n| to.send(stream, n)));
        let one = testing::spawn(|| {
            STEP.fire("t1", 0);
            STEP.fire("t2", 1);
            STEP.fire("t1", 2);
        });
        t.expect("t1", 0_u32);
        t.expect("t2", 1_u32);
        t.expect("t1", 2_u32);
        one.join();
    });
    let expected = ["run", "delay@0 (t1:0)", "delay@1 (t2:0)", "delay@2 (t1:1)"];
    assert_eq!(*names.borrow(), expected);
}

#[test]
fn it_adds_no_more_than_a_delay_for_each_event() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let mut bodies = Duration::ZERO;
    let delay = Duration::from_millis(40);
    let summary = Options::new()
        .min_delay(delay)
        .dead_time(2 * delay * 50)
        .try_verify(|t| {
            let begin = Instant::now();
            t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
            let thread = testing::spawn(|| (0..5).for_each(|n| STEP.fire(n)));
            (0..5_u32).for_each(|n| t.expect("t", n));
            thread.join();
            bodies += begin.elapsed();
        });
    let summary = summary.unwrap();
    assert_eq!((summary.runs, summary.events), (6, 5));
    assert!(summary.delay >= delay);
    assert!(
        bodies >= 5 * summary.delay,
        "each run but the first has one delay"
    );
}

#[test]
fn streams_that_differ_from_run_to_run_are_reported() {
    hotprobe::event! { static STEP: fn(name: &str); }
    #[derive(Debug, PartialEq)]
    enum Event {
        First { n: u32 },
        Again { n: u32 },
    }
    let mut runs = 0;
    let failure = Options::new().try_verify(|t| {
        t.attach(|batch, to| {
            STEP.attach_in(batch, move |name| match name {
                "first" => to.send("t", Event::First { n: 1 }),
                _ => to.send("t", Event::Again { n: 2 }),
            });
        });
        let name = if runs == 0 { "first" } else { "again" };
        runs += 1;
        let thread = testing::spawn(move || STEP.fire(name));
        let _: Event = t.recv("t");
        thread.join();
    });
    assert_eq!(
        failure.unwrap_err().report(),
        "the streams differ from those of the first run\n       run delay@0 (t:0)\n  \
         expected - t: First\n  received + t: Again"
    );
}

#[test]
fn values_that_are_received_may_differ_from_run_to_run() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let mut run = 0;
    testing::verify(|t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", Some(n))));
        run += 1;
        let thread = testing::spawn(move || STEP.fire(run));
        assert_eq!(t.recv::<Option<u32>>("t"), Some(run));
        thread.join();
    });
    assert_eq!(run, 2);
}

#[test]
fn a_panic_of_the_body_in_a_delayed_run_is_reported_by_its_name() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let failure = Options::new().try_verify(|t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        let thread = testing::spawn(move || STEP.fire(1));
        t.expect("t", 1_u32);
        thread.join();
        assert_eq!(t.run_name(), "run", "another run");
    });
    assert_eq!(failure.unwrap_err().run(), "delay@0 (t:0)");
}
