//! How recordings end: in probes, in panics of the process, as the environment asks.

use super::*;

#[test]
fn finish_inside_a_probe_is_refused_and_the_recording_goes_on() {
    hotprobe::event! { static NUMBER: fn(n: u64); static FINISH: fn(); }
    let recording = Mutex::new(Some(record(&NUMBER)));
    let back = Arc::new(Mutex::new(None));
    let given = Arc::clone(&back);
    let probe = FINISH.attach(move || {
        let recording = recording.lock().unwrap().take().unwrap();
        let error = recording.finish().unwrap_err();
        assert!(error.to_string().contains("inside a probe"), "{error}");
        *given.lock().unwrap() = error.into_recording();
    });
    NUMBER.fire(1);
    FINISH.fire();
    NUMBER.fire(2);
    assert!(!probe.has_panicked());
    let recording = back.lock().unwrap().take().expect("it is handed back");
    assert_eq!(numbers(&finish(recording)), [1, 2]);
}

#[test]
fn what_is_in_flight_at_the_end_is_waited_for() {
    hotprobe::event! { static SLOW: fn(slow: Slow); }
    static INSIDE: AtomicBool = AtomicBool::new(false);
    #[derive(Clone, Copy)]
    struct Slow;
    impl fmt::Debug for Slow {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            INSIDE.store(true, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(100));
            f.write_str("slow")
        }
    }
    let recording = record(&SLOW);
    thread::scope(|scope| {
        scope.spawn(|| SLOW.fire(Slow));
        eventually("it is inside", || INSIDE.load(Ordering::SeqCst));
        assert_eq!(texts(&finish(recording)), [("slow".to_owned(), false)]);
    });
}

#[test]
fn a_firing_that_does_not_end_is_counted_as_lost_by_finish_within() {
    hotprobe::event! { static SLOW: fn(value: &AtDoor); static ONE: fn(n: u64); }
    struct AtDoor(&'static Door);
    impl fmt::Debug for AtDoor {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.pass();
            f.write_str("late")
        }
    }
    static OPEN: Door = Door::new();
    OPEN.open();
    let recorder = || Recorder::new().event(&SLOW).event(&ONE);
    for recorder in [
        recorder(),
        recorder().overflow(Overflow::OverwriteOldest),
        recorder().stream_perfetto_to(io::sink()),
    ] {
        let door: &Door = Box::leak(Box::default());
        let recording = recorder.start().unwrap();
        thread::scope(|scope| {
            // One that returns, and one that does not.
            fire!(SLOW, &AtDoor(&OPEN));
            fire!(ONE, 1);
            scope.spawn(|| {
                fire!(ONE, 2);
                fire!(SLOW, &AtDoor(door));
            });
            door.wait_for_arrival();
            recording.detach();
            fire!(ONE, 3);
            let trace = recording.finish_within(Duration::ZERO).unwrap();
            door.open();
            let count = |name: &str| {
                let all = trace.counts();
                all.filter(|(event, ..)| event.name().ends_with(name)).fold(
                    (0, 0, 0),
                    |sum, (.., count)| {
                        (
                            sum.0 + count.fired,
                            sum.1 + count.written,
                            sum.2 + count.lost,
                        )
                    },
                )
            };
            assert_eq!(count("SLOW"), (2, 1, 1));
            assert_eq!(count("ONE"), (2, 2, 0));
        });
    }
}

#[test]
fn the_environment_asks_for_recordings() {
    const NAME: &str = "ends::the_environment_asks_for_recordings";
    hotprobe::event! { static ASKED_FOR: fn(n: u64); }
    if std::env::var("HOTPROBE_TEST_CHILD").is_ok_and(|name| name == NAME) {
        match hotprobe_record::from_env() {
            Ok(recordings) => {
                ASKED_FOR.fire(1);
                println!(
                    "{} recordings, {}",
                    recordings.len(),
                    ASKED_FOR.probe_count()
                );
                assert_eq!(recordings.iter().count(), recordings.len());
                for recording in &recordings {
                    recording.detach();
                }
                assert!(!ASKED_FOR.is_enabled());
                for recording in recordings {
                    assert_eq!(finish(recording).sum().written, 1);
                }
            }
            Err(error) => println!("{}", in_full(&error)),
        }
        return;
    }
    let directory = directory("environment");
    let says = |value: &str| {
        let output = child(NAME)
            .env("HOTPROBE_RECORD", value)
            .current_dir(&directory)
            .output();
        text(&output.expect("the test binary starts"))
    };
    assert!(says("").contains("0 recordings, 0"));
    assert!(says("*::ASKED_FOR=a.json,*ASKED*=b.pftrace").contains("2 recordings, 2"));
    for name in ["a.json", "b.pftrace"] {
        assert!(directory.join(name).metadata().expect("it is there").len() > 0);
    }
    assert!(says("*::ASKED_FOR").contains("`*::ASKED_FOR` has no `=`: expected `PATTERN=FILE`"));
    let nothing = says("nowhere::*=c.json");
    assert!(
        nothing.contains("cannot start `nowhere::*=c.json`: no event matches `nowhere::*` (of "),
        "{nothing}"
    );
}

#[test]
fn a_panic_of_the_process_dumps_the_flight_recorder() {
    const NAME: &str = "ends::a_panic_of_the_process_dumps_the_flight_recorder";
    hotprobe::event! { static NUMBER: fn(n: u64); }
    if std::env::var("HOTPROBE_TEST_CHILD").is_ok_and(|name| name == NAME) {
        let recording = Recorder::new()
            .event(&NUMBER)
            .overflow(Overflow::OverwriteOldest)
            .dump_on_panic("dump.json")
            .start()
            .expect("it can start");
        (0..1000).for_each(|n| NUMBER.fire(n));
        let result = thread::spawn(|| panic!("out of ideas")).join();
        assert!(result.is_err());
        drop(recording);
        return;
    }
    let directory = directory("panic");
    let output = child(NAME)
        .current_dir(&directory)
        .output()
        .expect("the test binary starts");
    let said = text(&output);
    assert!(
        said.contains("out of ideas") && said.contains("recording saved to dump.json"),
        "{said}"
    );
    let dumped = std::fs::read_to_string(directory.join("dump.json")).expect("it is there");
    assert!(dumped.contains("999"), "{}", dumped.len());
}

/// Saves the dump, then ends the process by a panic that nobody can catch.
#[cfg(unix)]
#[test]
fn a_panic_that_aborts_the_process_dumps_the_flight_recorder() {
    use std::os::unix::process::ExitStatusExt;

    const NAME: &str = "ends::a_panic_that_aborts_the_process_dumps_the_flight_recorder";
    hotprobe::event! { static NUMBER: fn(n: u64); }
    extern "C" fn does_not_unwind() {
        panic!("out of ideas")
    }
    if std::env::var("HOTPROBE_TEST_CHILD").is_ok_and(|name| name == NAME) {
        let _recording = Recorder::new()
            .event(&NUMBER)
            .overflow(Overflow::OverwriteOldest)
            .dump_on_panic("dump.json")
            .start()
            .expect("it can start");
        // Another thread fires on, and has the buffers in work when it happens.
        thread::spawn(|| {
            loop {
                NUMBER.fire(1);
            }
        });
        (0..1000).for_each(|n| NUMBER.fire(n));
        does_not_unwind();
        return;
    }
    let directory = directory("abort");
    let output = child(NAME)
        .current_dir(&directory)
        .output()
        .expect("the test binary starts");
    let said = text(&output);
    assert_eq!(output.status.signal(), Some(6), "{said}");
    assert!(said.contains("recording saved to dump.json"), "{said}");
    let dumped = std::fs::read_to_string(directory.join("dump.json")).expect("it is there");
    serde_json::from_str::<serde_json::Value>(&dumped).expect("it is whole");
    assert!(dumped.contains("999"), "{}", dumped.len());
}
