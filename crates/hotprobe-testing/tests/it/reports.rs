//! What a failing test prints, to the letter: each in a process of its own.

use hotprobe_testing::{self as testing, Options};
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::{Duration, Instant};
use test_support::{CHILD, child, text};

#[derive(Debug, PartialEq)]
enum Event {
    Hi(String),
    Hello { who: String, times: u32 },
}

fn hi(who: &str) -> Event {
    Event::Hi(who.to_owned())
}

/// Events `hi` and `hello`, both sent to the stream that they name, and the test's probes.
macro_rules! events {
    ($t:ident) => {
        hotprobe::event! {
            static HI: fn(stream: &str, who: &str);
            static HELLO: fn(stream: &str, who: &str, times: u32);
        }
        $t.attach(|batch, to| {
            HI.attach_in(batch, move |stream, who| to.send(stream, hi(who)));
            HELLO.attach_in(batch, move |stream, who, times| {
                let who = who.to_owned();
                to.send(stream, Event::Hello { who, times });
            });
        });
    };
}

/// Runs `body`, which fails, in a process of its own; returns what it has printed of panics: the
/// places with `LINE` for line and column.
pub(super) fn report(name: &str, body: impl FnOnce()) -> String {
    if env::var(CHILD).is_ok_and(|child| child == name) {
        body();
        return String::new();
    }
    let output = child(name)
        .env("RUST_BACKTRACE", "0")
        .env("NO_COLOR", "1")
        .env("HOTPROBE_DEAD_TIME", "1.5")
        .output()
        .expect("the test binary starts");
    assert!(!output.status.success(), "it passes: {}", text(&output));
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        printed.matches("panicked at").count(),
        1,
        "one report, and nothing else:\n{printed}"
    );
    let (_, report) = printed.split_once(":\n").expect("a panic has a place");
    let (report, _) = report.split_once("\nnote: run with").expect("and ends");
    without_lines(report)
}

/// Places without their numbers.
pub(super) fn without_lines(report: &str) -> String {
    let mut lines = Vec::new();
    for line in report.lines() {
        lines.push(match line.split_once(".rs:") {
            Some((before, _)) => format!("{before}.rs:LINE"),
            None => line.to_owned(),
        });
    }
    lines.join("\n")
}

macro_rules! assert_report {
    ($name:ident, $body:expr, $expected:expr) => {
        let name = concat!("reports::", stringify!($name));
        let report = report(name, $body);
        if env::var(CHILD).is_err() {
            assert_eq!(report, $expected, "{report}");
        }
    };
}

#[test]
fn an_event_expected_on_a_silent_stream() {
    assert_report!(
        an_event_expected_on_a_silent_stream,
        || {
            Options::new()
                .dead_time(Duration::from_millis(1500))
                .run(|t| {
                    events!(t);
                    let _one = testing::spawn(|| HI.fire("t1", "a"));
                    let _two = testing::spawn(|| {
                        HI.fire("t2", "b");
                        HELLO.fire("t2", "b", 2);
                    });
                    t.expect("t2", hi("b"));
                    t.expect("t3", hi("c"));
                });
        },
        "\
deadlock: nothing came on stream \"t3\" for 1.5 s
        at crates/hotprobe-testing/tests/it/reports.rs:LINE
       run run
   awaited Hi(\"c\")
   pending t1: Hi(\"a\")
           t2: Hello { who: \"b\", times: 2 }
   running a thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE
           a thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE"
    );
}

#[test]
fn a_quiet_stream() {
    assert_report!(
        a_quiet_stream,
        || {
            Options::new()
                .dead_time(Duration::from_millis(1500))
                .run(|t| {
                    events!(t);
                    let one = testing::spawn(|| HI.fire("t1", "a"));
                    t.expect("t1", hi("a"));
                    one.join();
                    t.expect("t1", hi("b"));
                });
        },
        "\
deadlock: nothing came on stream \"t1\" for 1.5 s
        at crates/hotprobe-testing/tests/it/reports.rs:LINE
       run run
   awaited Hi(\"b\")
     quiet t1: after 1 event"
    );
}

#[test]
fn two_threads_on_one_stream_ordered_by_a_sleep() {
    assert_report!(
        two_threads_on_one_stream_ordered_by_a_sleep,
        || testing::verify(|t| {
            events!(t);
            let one = testing::spawn(|| HI.fire("t", "first"));
            let two = testing::spawn(|| {
                thread::sleep(Duration::from_millis(100));
                HI.fire("t", "second");
            });
            t.expect("t", hi("first"));
            t.expect("t", hi("second"));
            one.join();
            two.join();
        }),
        "\
wrong value on stream \"t\"
        at crates/hotprobe-testing/tests/it/reports.rs:LINE
       run delay@0 (t:0)
           Hi(
  expected -     \"first\",
  received +     \"second\",
           )
   delayed t: Hi(\"first\")
     quiet t: after 2 events
   running a thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE
           a thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE"
    );
}

#[test]
fn an_event_that_nobody_consumes() {
    assert_report!(
        an_event_that_nobody_consumes,
        || testing::run(|t| {
            events!(t);
            let _one = testing::spawn(|| {
                HI.fire("t1", "a");
                HI.fire("t1", "b");
            });
            t.expect("t1", hi("a"));
        }),
        "\
leftover: the test has ended, but 1 event is pending
       run run
   pending t1: Hi(\"b\")
   running a thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE"
    );
}

#[test]
fn a_wrong_variant() {
    assert_report!(
        a_wrong_variant,
        || testing::run(|t| {
            events!(t);
            let _one = testing::spawn(|| HELLO.fire("t1", "a", 1));
            t.expect("t1", hi("a"));
        }),
        "\
wrong type on stream \"t1\": expected `Hi`, received `Hello`
        at crates/hotprobe-testing/tests/it/reports.rs:LINE
       run run
  expected Hi(\"a\")
  received Hello { who: \"a\", times: 1 }
     quiet t1: after 1 event
   running a thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE"
    );
}

#[test]
fn a_wrong_type() {
    assert_report!(
        a_wrong_type,
        || testing::run(|t| {
            events!(t);
            let _one = testing::spawn(|| HI.fire("t1", "a"));
            t.expect("t1", 5_u8);
        }),
        "\
wrong type on stream \"t1\"
        at crates/hotprobe-testing/tests/it/reports.rs:LINE
       run run
  expected 5 (u8)
  received Hi(\"a\") (it::reports::Event)
     quiet t1: after 1 event
   running a thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE"
    );
}

#[test]
fn a_wrong_value() {
    assert_report!(
        a_wrong_value,
        || testing::run(|t| {
            events!(t);
            let _one = testing::spawn(|| HELLO.fire("t1", "JP", 1));
            let who = "JP".to_owned();
            t.expect("t1", Event::Hello { who, times: 2 });
        }),
        "\
wrong value on stream \"t1\"
        at crates/hotprobe-testing/tests/it/reports.rs:LINE
       run run
           Hello {
               who: \"JP\",
  expected -     times: 2,
  received +     times: 1,
           }
     quiet t1: after 1 event
   running a thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE"
    );
}

#[test]
fn an_event_where_none_should_come() {
    assert_report!(
        an_event_where_none_should_come,
        || testing::run(|t| {
            events!(t);
            let _one = testing::spawn(|| HI.fire("t1", "a"));
            t.expect_none_for("t1", Duration::from_secs(60));
        }),
        "\
unexpected event on stream \"t1\": expected none for 60 s
        at crates/hotprobe-testing/tests/it/reports.rs:LINE
       run run
  received Hi(\"a\")
   pending t1: Hi(\"a\")
   running a thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE"
    );
}

#[test]
fn a_test_that_waits_for_its_own_held_sender() {
    assert_report!(
        a_test_that_waits_for_its_own_held_sender,
        || Options::new()
            .dead_time(Duration::from_millis(1500))
            .run(|t| {
                events!(t);
                let one = testing::spawn(|| HI.fire("t1", "a"));
                let held = t.expect_held("t1", hi("a"));
                hotprobe::synchronize().expect("it ends, since the sender is let go");
                drop(held);
                one.join();
            }),
        "\
deadlock: the test holds a sender, and its body has done nothing for 1.5 s
       run run
      help the body may be waiting for the held sender: joining its thread, locking what it has
           locked, or for a grace period (`synchronize`, `detach_and_wait`)
      held t1: Hi(\"a\")
           since crates/hotprobe-testing/tests/it/reports.rs:LINE
     quiet t1: after 1 event
   running a thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE"
    );
}

#[test]
fn a_test_that_synchronizes_by_the_kit_while_it_holds() {
    assert_report!(
        a_test_that_synchronizes_by_the_kit_while_it_holds,
        || testing::run(|t| {
            events!(t);
            let _one = testing::spawn(|| HI.fire("t1", "a"));
            let _held = t.expect_held("t1", hi("a"));
            t.synchronize();
        }),
        "\
deadlock: no grace period ends while senders of this test are paused
        at crates/hotprobe-testing/tests/it/reports.rs:LINE
       run run
      held t1: Hi(\"a\")
           since crates/hotprobe-testing/tests/it/reports.rs:LINE
     quiet t1: after 1 event
   running a thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE"
    );
}

#[test]
fn a_test_that_joins_a_thread_whose_event_is_pending() {
    assert_report!(
        a_test_that_joins_a_thread_whose_event_is_pending,
        || Options::new()
            .dead_time(Duration::from_millis(1500))
            .run(|t| {
                events!(t);
                let scope = t.scope();
                let one = thread::spawn(scope.wrap(|| HI.fire("t1", "a")));
                one.join().expect("it is let go");
            }),
        "\
deadlock: events are pending, and the test has taken none for 1.5 s
       run run
      help the body may be waiting for a paused sender: locking what it has locked, or joining
           its thread (`testing::JoinHandle::join` reports which one)
   pending t1: Hi(\"a\")"
    );
}

#[test]
fn a_thread_that_does_not_end() {
    assert_report!(
        a_thread_that_does_not_end,
        || Options::new()
            .dead_time(Duration::from_millis(1500))
            .run(|_| {
                let one = testing::spawn(|| thread::sleep(Duration::from_secs(60)));
                one.join();
            }),
        "\
deadlock: a joined thread has not ended, and nothing happened for 1.5 s
        at crates/hotprobe-testing/tests/it/reports.rs:LINE
       run run
   awaited the end of the thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE
   running a thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE"
    );
}

#[test]
fn a_test_that_fires_itself() {
    assert_report!(
        a_test_that_fires_itself,
        || testing::run(|t| {
            events!(t);
            HI.fire("t1", "a");
            t.expect("t1", hi("a"));
        }),
        "\
the test's body fires Hi(\"a\") on stream \"t1\", and would wait for itself
       run run
      help fire it in `testing::spawn`; prepare and clean up in `outside` or `outside_async`"
    );
}

#[test]
fn a_panic_of_a_thread_that_nobody_joins() {
    let name = "reports::a_panic_of_a_thread_that_nobody_joins";
    let body = || {
        test_support::quiet_planned_panics();
        testing::run(|_| {
            testing::spawn(|| panic!("planned, in a thread"));
        });
    };
    let expected = "\
a thread of the test panicked, and was not joined
       run run
  panicked the thread started at crates/hotprobe-testing/tests/it/reports.rs:LINE
           planned, in a thread";
    let report = report(name, body);
    assert!(env::var(CHILD).is_ok() || report == expected, "{report}");
}

#[test]
fn panics_of_let_go_senders_do_not_drown_the_report() {
    // (`report` fails if more than one panic is printed.)
    assert_report!(
        panics_of_let_go_senders_do_not_drown_the_report,
        || {
            let mut threads = Vec::new();
            let test = AssertUnwindSafe(|| {
                testing::run(|t| {
                    events!(t);
                    threads.extend((0..10).map(|_| {
                        let work = t.scope().wrap(|| {
                            HI.fire("t1", "a");
                            panic!("the channel is closed");
                        });
                        thread::spawn(work)
                    }));
                    t.expect("t2", 1);
                });
            });
            let report = catch_unwind(test).expect_err("it fails");
            for thread in threads {
                assert!(thread.join().is_err());
            }
            resume_unwind(report);
        },
        "\
deadlock: nothing came on stream \"t2\" for 1.5 s
        at crates/hotprobe-testing/tests/it/reports.rs:LINE
       run run
   awaited 1
   pending t1: Hi(\"a\")"
            .to_owned()
            + &"\n           t1: Hi(\"a\")".repeat(9)
    );
}

/// What to do about firings that belong to no test.
#[cfg(feature = "tokio")]
const TO_RECEIVE_THEM: &str = "      \
      help to receive them, start the thread or task by `testing::spawn` or `spawn_task`, or
           wrap its work by `Scope::wrap` or `wrap_future`; if a library starts it, call
           `Test::adopt_runtime` or `adopt_process`";
#[cfg(not(feature = "tokio"))]
const TO_RECEIVE_THEM: &str = "      \
      help to receive them, start the thread by `testing::spawn`, or wrap its work by
           `Scope::wrap`; if a library starts it, call `Test::adopt_process`, or
           `Test::adopt_runtime` with the feature `tokio`";

#[test]
fn firings_of_nobody_are_counted() {
    assert_report!(
        firings_of_nobody_are_counted,
        || testing::run(|t| {
            events!(t);
            let begin = Instant::now();
            let library = thread::Builder::new().name("library".to_owned());
            let library = library.spawn(|| (0..3).for_each(|_| HI.fire("t1", "a")));
            library.expect("it starts").join().expect("it passes");
            assert!(begin.elapsed() < Duration::from_secs(60));
            t.expect("t1", hi("a"));
        }),
        "\
deadlock: nothing came on stream \"t1\" for 1.5 s
        at crates/hotprobe-testing/tests/it/reports.rs:LINE
       run run
   awaited Hi(\"a\")
   outside 3 firings of threads and tasks that belong to no test:
           t1: Hi(\"a\") (3 times)
             by thread \"library\"
"
        .to_owned()
            + TO_RECEIVE_THEM
    );
}
