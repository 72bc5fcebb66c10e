//! What a recorder has to be asked for: a feature of the crate alone changes no recording.

use super::*;
use hotprobe_record::Clock;

#[test]
fn a_recording_uses_the_systems_clock_unless_another_is_chosen() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let recording = record(&NUMBER);
    NUMBER.fire(1);
    assert_eq!(finish(recording).clock(), Clock::System);
}

#[cfg(feature = "tsc")]
#[test]
fn the_processors_counter_is_used_if_chosen_and_usable() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let usable = Clock::Tsc.start().clock();
    let recording = Recorder::new()
        .event(&NUMBER)
        .clock(Clock::Tsc)
        .start()
        .expect("it can start");
    (0..3).for_each(|n| NUMBER.fire(n));
    let trace = finish(recording);
    assert_eq!(trace.clock(), usable);
    assert_eq!(numbers(&trace), [0, 1, 2]);
    let times: Vec<_> = trace.records().map(|entry| entry.time()).collect();
    assert!(
        times.is_sorted() && times[2] <= trace.duration(),
        "{trace:?}"
    );
}

#[cfg(feature = "tokio")]
#[test]
fn records_do_not_note_their_task_unless_asked_to() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let recording = record(&NUMBER);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let fired = tokio::spawn(async { NUMBER.fire(1) });
        fired.await.expect("it ends well");
    });
    let trace = finish(recording);
    let tasks: Vec<_> = trace.records().map(|entry| entry.task()).collect();
    assert_eq!(tasks, [None]);
    let mut file = Vec::new();
    trace.write_perfetto(&mut file).expect("it can be written");
    assert!(!String::from_utf8_lossy(&file).contains("tokio tasks"));
}

#[test]
fn only_firings_that_meet_the_condition_are_recorded_and_the_others_are_counted_apart() {
    mod filtered {
        hotprobe::event! {
            pub(super) static TICK: fn();
            pub(super) static DONE: fn(n: u64, route: &str);
            pub(super) static SENT: fn(n: u64);
        }
    }
    use filtered::{DONE, SENT, TICK};
    let recorder = || Recorder::new().matching("*::chosen::filtered::*");
    let fire_all = || {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..100 {
                        TICK.fire();
                        DONE.fire(n, "/orders");
                        SENT.fire(n);
                    }
                });
            }
        });
    };
    let check = |trace: &hotprobe_record::Trace| {
        assert_eq!(trace.filter().as_deref(), Some("n >= 90"));
        let sum = trace.sum();
        assert_eq!((sum.fired, sum.written, sum.lost), (80, 80, 0));
        let mut rejected: Vec<_> = trace
            .rejected()
            .map(|(event, count)| (event.name(), count))
            .collect();
        rejected.sort_unstable();
        assert_eq!(rejected, [(DONE.name(), 360), (SENT.name(), 360)]);
    };

    let recording = recorder().filter("n >= 90").start().expect("it can start");
    let left_out: Vec<_> = recording
        .left_out()
        .iter()
        .map(|error| error.event().to_owned())
        .collect();
    assert_eq!(left_out, [TICK.name()]);
    fire_all();
    let before = recording.snapshot().expect("it is not streamed");
    fire_all();
    check(&before);
    let trace = finish(recording);
    assert!(numbers(&trace).iter().all(|n| *n >= 90), "{trace:?}");
    assert_eq!(
        (
            trace.sum().fired,
            trace.rejected().map(|(_, count)| count).sum::<u64>()
        ),
        (160, 1440)
    );

    let streamed = recorder()
        .filter("n >= 90")
        .stream_chrome_json_to(std::io::sink());
    let recording = streamed.start().expect("it can start");
    fire_all();
    check(&finish(recording));

    let trace = finish(recorder().start().expect("it can start"));
    assert_eq!((trace.filter(), trace.rejected().count()), (None, 0));

    // One that was chosen by itself, or by a slice, has to fit; so has one of a pattern.
    let refused = |recorder: Recorder| recorder.start().expect_err("it does not fit").to_string();
    let error = refused(recorder().event(&TICK).filter("n >= 90"));
    assert!(
        error.contains("TICK` has no parameter `n`; it has none\n    n >= 90\n    ^"),
        "{error}"
    );
    let slice = recorder().slice("sent", &DONE, &SENT, "n");
    let error = refused(slice.filter("route == '/orders'"));
    assert!(error.contains("SENT` has no parameter `route`"), "{error}");
    let error = refused(recorder().filter("x > 1"));
    assert!(error.contains("fits none of the 3 events"), "{error}");
    let error = refused(recorder().filter("n >"));
    assert!(error.contains("found the end\n    n >"), "{error}");
}
