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
