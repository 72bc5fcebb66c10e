//! Taking events: expect, hold, receive, select, none.

use hotprobe_testing::{self as testing, Options};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use test_support::Door;

#[test]
fn two_independent_threads_are_checked_in_any_order() {
    hotprobe::event! { static STEP: fn(stream: &str, n: u32); }
    for order in [["t1", "t2"], ["t2", "t1"]] {
        testing::verify(|t| {
            t.attach(|batch, to| STEP.attach_in(batch, move |stream, n| to.send(stream, n)));
            let threads = ["t1", "t2"]
                .map(|stream| testing::spawn(move || (0..2).for_each(|n| STEP.fire(stream, n))));
            for stream in order {
                t.expect(stream, 0_u32);
                t.expect(stream, 1_u32);
            }
            threads.into_iter().for_each(testing::JoinHandle::join);
        });
    }
}

#[test]
fn the_sender_stands_until_its_event_is_checked() {
    hotprobe::event! { static STEP: fn(n: u32); }
    testing::run(|t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        let at = Arc::new(AtomicU32::new(0));
        let shared = Arc::clone(&at);
        let thread = testing::spawn(move || {
            for n in 1..=100 {
                shared.store(n, Ordering::Relaxed);
                STEP.fire(n);
            }
        });
        for n in 1..=100_u32 {
            let held = t.expect_held("t", n);
            assert_eq!(at.load(Ordering::Relaxed), n);
            held.release();
        }
        thread.join();
    });
}

#[test]
fn two_streams_are_held_at_known_points() {
    hotprobe::event! { static MOVE: fn(stream: &str); }
    testing::run(|t| {
        t.attach(|batch, to| MOVE.attach_in(batch, move |stream| to.send(stream, "moves")));
        let sum = Arc::new(AtomicU32::new(0));
        let threads = ["a", "b"].map(|stream| {
            let sum = Arc::clone(&sum);
            testing::spawn(move || {
                sum.fetch_add(1, Ordering::Relaxed);
                MOVE.fire(stream);
                sum.fetch_add(10, Ordering::Relaxed);
                MOVE.fire(stream);
            })
        });
        let a = t.expect_held("a", "moves");
        let b = t.expect_held("b", "moves");
        assert_eq!(sum.load(Ordering::Relaxed), 2);
        drop(a);
        let a = t.expect_held("a", "moves");
        assert_eq!(
            sum.load(Ordering::Relaxed),
            12,
            "one has moved, the other stands"
        );
        drop(b);
        t.expect("b", "moves");
        a.release();
        threads.into_iter().for_each(testing::JoinHandle::join);
    });
}

#[test]
fn an_event_whose_value_is_not_known_is_received() {
    hotprobe::event! { static PORT: fn(port: u16); }
    testing::run(|t| {
        t.attach(|batch, to| PORT.attach_in(batch, move |port| to.send("server", port)));
        let server = testing::spawn(|| (1000..1002).for_each(|port| PORT.fire(port)));
        let port: u16 = t.recv("server");
        assert_eq!(port, 1000);
        let (port, held) = t.recv_held::<u16>("server");
        assert_eq!(port, 1001);
        assert!(!server.is_finished());
        held.release();
        server.join();
    });
}

#[test]
fn the_first_of_several_streams_is_selected() {
    hotprobe::event! { static DONE: fn(stream: &str); }
    testing::run(|t| {
        t.attach(|batch, to| DONE.attach_in(batch, move |stream| to.send(stream, ())));
        let door = Arc::new(Door::new());
        let late = Arc::clone(&door);
        let a = testing::spawn(move || {
            late.pass();
            DONE.fire("a");
        });
        let b = testing::spawn(|| DONE.fire("b"));
        assert_eq!(t.select::<()>(&["a", "b"]), ("b", ()));
        door.open();
        assert_eq!(t.select::<()>(&["a", "b"]), ("a", ()));
        a.join();
        b.join();
    });
}

#[test]
fn nothing_comes_and_that_is_right() {
    testing::run(|t| {
        let begin = Instant::now();
        t.expect_none_for("nobody", Duration::from_millis(20));
        assert!(begin.elapsed() >= Duration::from_millis(20));
    });
}

#[test]
fn routers_name_streams_by_type() {
    hotprobe::event! {
        static NUMBER: fn(n: u32);
        static WORD: fn(word: &str);
        static FLAG: fn(flag: bool);
    }
    testing::run(|t| {
        t.set_router(|n: &u32| if n % 2 == 0 { "even" } else { "odd" });
        t.set_router(|word: &String| format!("word {}", word.len()));
        t.attach(|batch, to| {
            NUMBER.attach_in(batch, move |n| to.route(n));
            WORD.attach_in(batch, move |word| to.route(word.to_owned()));
            FLAG.attach_in(batch, move |flag| to.route(flag));
        });
        let thread = testing::spawn(|| {
            NUMBER.fire(1);
            NUMBER.fire(2);
            WORD.fire("abc");
            FLAG.fire(true);
        });
        t.expect("odd", 1_u32);
        t.expect("even", 2_u32);
        t.expect("word 3", "abc".to_owned());
        t.expect("default", true);
        thread.join();
    });
}

#[test]
fn events_of_a_stream_keep_their_order_over_many_senders() {
    hotprobe::event! { static ITEM: fn(stream: &str, n: u32); }
    testing::run(|t| {
        t.attach(|batch, to| ITEM.attach_in(batch, move |stream, n| to.send(stream, n)));
        let names = ["a", "b", "c", "d"];
        let threads =
            names.map(|name| testing::spawn(move || (0..50).for_each(|n| ITEM.fire(name, n))));
        let mut next = [0; 4];
        for _ in 0..200 {
            let (name, n): (_, u32) = t.select(&names);
            let stream = names.iter().position(|other| *other == name).unwrap();
            assert_eq!(n, next[stream]);
            next[stream] += 1;
        }
        assert_eq!(next, [50; 4]);
        threads.into_iter().for_each(testing::JoinHandle::join);
    });
}

#[test]
fn no_event_is_lost_when_both_sides_time_out_together() {
    hotprobe::event! { static LATE: fn(n: u32); }
    // The event comes just when the receiver gives up: either it is taken, or the report lists it.
    let dead = Duration::from_millis(20);
    for round in 0..30 {
        let taken = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&taken);
        let early = Duration::from_micros(300) * (round % 10);
        let result = Options::new().dead_time(dead).try_run(|t| {
            t.attach(|batch, to| LATE.attach_in(batch, move |n| to.send("t", n)));
            let thread = std::thread::spawn(t.scope().wrap(move || {
                std::thread::sleep(dead.checked_sub(early).unwrap());
                LATE.fire(1);
            }));
            t.expect("t", 1_u32);
            counter.store(1, Ordering::Relaxed);
            thread.join().unwrap();
        });
        match result {
            Ok(_) => assert_eq!(taken.load(Ordering::Relaxed), 1),
            Err(failure) => {
                let report = failure.report();
                assert_eq!(taken.load(Ordering::Relaxed), 0, "{report}");
                assert!(
                    report.starts_with("deadlock: nothing came on stream \"t\""),
                    "{report}"
                );
                // It came later, or it is in the list.
                assert!(!report.contains("t: after 1 event"), "{report}");
            }
        }
    }
}

#[test]
fn a_sender_is_let_go_as_soon_as_its_event_is_checked() {
    hotprobe::event! { static STEP: fn(n: u32); }
    // It looks by itself, too, but not before a tenth of the dead time is over.
    let dead = Duration::from_secs(300);
    let run = Options::new().dead_time(dead).try_run(|t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send("t", n)));
        let (went_on, goes_on) = mpsc::channel();
        let thread = testing::spawn(move || {
            STEP.fire(1);
            went_on.send(()).unwrap();
        });
        t.expect("t", 1_u32);
        // Without the kit, which would wake everybody when it begins to wait.
        goes_on.recv_timeout(dead / 20).unwrap();
        thread.join();
    });
    run.unwrap();
}

#[test]
fn each_sender_has_a_stream_of_its_own() {
    hotprobe::event! { static STEP: fn(n: u32); }
    testing::verify(|t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send_own(n)));
        let first = testing::spawn(|| STEP.fire(1));
        let named = testing::spawn_as("worker", || {
            STEP.fire(2);
            // What it starts is another sender.
            testing::spawn(|| STEP.fire(3)).join();
            STEP.fire(4);
        });
        let wrapped = t.scope().with_stream("pool").wrap(|| STEP.fire(5));
        let pool = std::thread::spawn(wrapped);
        t.expect("pool", 5_u32);
        t.expect("worker", 2_u32);
        t.expect("sender 1", 1_u32);
        t.expect("sender 4", 3_u32);
        t.expect("worker", 4_u32);
        first.join();
        named.join();
        pool.join().unwrap();
    });
}

#[test]
fn a_thread_of_no_test_has_no_stream() {
    hotprobe::event! { static STEP: fn(n: u32); }
    let summary = Options::new().try_run(|t| {
        t.attach(|batch, to| STEP.attach_in(batch, move |n| to.send_own(n)));
        std::thread::spawn(|| STEP.fire(1)).join().unwrap();
    });
    assert_eq!(summary.unwrap().outside, 1);
}
