//! What is refused before a recording starts.

use super::*;

#[test]
fn a_pattern_that_matches_nothing_is_refused() {
    let error = Recorder::new().matching("nowhere::*").start().unwrap_err();
    assert!(
        matches!(&error, RecordError::NothingMatches { pattern, .. } if pattern == "nowhere::*")
    );
    // Even beside one that matches.
    let error = Recorder::new()
        .all()
        .matching("nowhere::*")
        .start()
        .unwrap_err();
    assert!(error.to_string().contains("`nowhere::*`"), "{error}");
    assert!(matches!(
        Recorder::new().start(),
        Err(RecordError::NothingChosen)
    ));
}

#[test]
fn a_slices_key_that_does_not_pair_is_refused_with_the_parameters_listed() {
    hotprobe::event! {
        static BEGIN: fn(id: u64, name: &str);
        static END: fn(id: u64, status: u16);
        static OTHER: fn(id: u32);
        static SECRET: fn(#[redact] id: u64);
        static NOTHING: fn();
    }
    let slice = |begin: &'static dyn AnyEvent, end: &'static dyn AnyEvent, key: &str| {
        Recorder::new().slice("request", begin, end, key).start()
    };
    drop(slice(&BEGIN, &END, "id").expect("it pairs"));
    let messages = [
        (
            slice(&BEGIN, &END, "name"),
            "END` has no parameter `name`; it has `id: u64`, `status: u16`",
        ),
        (
            slice(&BEGIN, &NOTHING, "id"),
            "NOTHING` has no parameter `id`; it has none",
        ),
        (
            slice(&BEGIN, &OTHER, "id"),
            "OTHER`: give a parameter that is of one type in both; they have `id: u64`",
        ),
        (slice(&BEGIN, &SECRET, "id"), "marked `#[redact]`"),
        (slice(&BEGIN, &BEGIN, "id"), "give two events"),
    ];
    for (result, expected) in messages {
        let error = result.unwrap_err().to_string();
        assert!(error.starts_with("the slice `request`: "), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn limits_that_leave_no_room_are_refused_with_what_would_do() {
    hotprobe::event! { static TEXT: fn(text: &str); }
    let recorder = || Recorder::new().event(&TEXT);
    let error = recorder()
        .buffer_per_thread(100)
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("give at least 1024"), "{error}");
    drop(
        recorder()
            .buffer_per_thread(1024)
            .start()
            .expect("what was asked for"),
    );
    let error = recorder()
        .buffers_together(100)
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("one buffer of 1048576 bytes"), "{error}");
    let error = recorder()
        .overflow(Overflow::OverwriteOldest)
        .stream_perfetto_to(io::sink())
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot be streamed"), "{error}");
    let error = recorder()
        .stream_to("trace.txt")
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("`.pftrace`"), "{error}");
    let error = recorder()
        .stream_to("/nowhere/trace.json")
        .start()
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("`/nowhere/trace.json` could not be written: "),
        "{error}"
    );
}
