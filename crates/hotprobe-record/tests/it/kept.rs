//! What is kept of a firing.

use super::*;

#[test]
fn a_record_has_time_thread_and_arguments() {
    #[derive(Clone, Copy)]
    struct Plain;
    hotprobe::event! {
        static EVENT: fn(
            a: bool, b: char, c: u8, d: i64, e: u128, f: i128, g: f32, h: f64, i: &str, j: &[u8], k: Option<u16>,
            l: Plain, #[redact] m: &str, n: bool,
        );
    }
    let before = SystemTime::now();
    let recording = record(&EVENT);
    thread::Builder::new()
        .name("a worker".into())
        .spawn(|| {
            let text = "quotes \" ' < & \u{2028} \0 é 🦀";
            for _ in 0..3 {
                EVENT.fire(
                    true,
                    'é',
                    255,
                    i64::MIN,
                    u128::MAX,
                    i128::MIN,
                    1.5,
                    f64::NAN,
                    text,
                    &[0, 255, 1],
                    Some(7),
                    Plain,
                    "secret",
                    false,
                );
            }
        })
        .expect("a thread")
        .join()
        .expect("it ends well");
    let trace = finish(recording);
    assert!(
        trace.started() >= before - Duration::from_millis(1)
            && trace.started() <= SystemTime::now()
    );
    assert_eq!(trace.records().count(), 3);
    let mut last = Duration::ZERO;
    for entry in trace.records() {
        assert!(entry.time() >= last && entry.time() <= trace.duration());
        last = entry.time();
        assert_eq!(entry.event().name(), EVENT.name());
        assert_eq!(entry.thread().name(), Some("a worker"));
        assert!(entry.thread().id() > 0);
        let all = format!("{:?}", entry.values());
        assert!(!all.contains("secret"), "{all}");
        let text = |text: &str| Recorded::Text {
            text: text.into(),
            cut: false,
        };
        assert!(matches!(entry.values()[7], Recorded::F64(number) if number.is_nan()));
        assert_eq!(
            entry.values()[..7],
            [
                Recorded::Bool(true),
                Recorded::Char('é'),
                Recorded::U64(255),
                Recorded::I64(i64::MIN),
                Recorded::U128(u128::MAX),
                Recorded::I128(i128::MIN),
                Recorded::F32(1.5),
            ]
        );
        assert_eq!(
            entry.values()[8..11],
            [
                text("quotes \" ' < & \u{2028} \0 é 🦀"),
                Recorded::Bytes {
                    bytes: vec![0, 255, 1],
                    cut: false
                },
                Recorded::U64(7),
            ]
        );
        assert!(matches!(&entry.values()[11], Recorded::Opaque(name) if name.ends_with("Plain")));
        assert_eq!(
            entry.values()[12..],
            [Recorded::Redacted, Recorded::Bool(false)]
        );
    }
}

#[test]
fn more_arguments_than_the_first_word_has_room_for_are_told_apart() {
    hotprobe::event! {
        static MANY: fn(
            a: u64, b: &str, c: bool, d: u64, e: u64, f: u64, g: i64, h: i64, i: i64, j: i64, k: i64, l: i64, m: i64, n: i64,
            o: i64, p: i64, q: i64, r: i64, s: i64, t: i64, u: i64, v: &str, w: bool, x: char,
        );
    }
    let recording = record(&MANY);
    MANY.fire(
        1, "two", true, 4, 5, 6, -7, -8, -9, -10, -11, -12, -13, -14, -15, -16, -17, -18, -19, -20,
        -21, "22", false, 'x',
    );
    let trace = finish(recording);
    let entry = trace.records().next().expect("it was fired");
    let values = entry.values();
    assert_eq!(values.len(), 24);
    assert_eq!(
        values[..2],
        [
            Recorded::U64(1),
            Recorded::Text {
                text: "two".into(),
                cut: false
            }
        ]
    );
    assert_eq!(values[5], Recorded::U64(6));
    for (index, value) in (6..).zip(&values[6..21]) {
        assert_eq!(*value, Recorded::I64(-(index + 1)));
    }
    assert_eq!(
        values[21..],
        [
            Recorded::Text {
                text: "22".into(),
                cut: false
            },
            Recorded::Bool(false),
            Recorded::Char('x')
        ]
    );
}

#[test]
fn texts_are_cut_at_whole_characters_and_marked() {
    hotprobe::event! { static TEXT: fn(text: &str); static BYTES: fn(bytes: &[u8]); static DEBUG: fn(text: (&str,)); }
    let recording = Recorder::new()
        .event(&TEXT)
        .event(&BYTES)
        .event(&DEBUG)
        .max_text_bytes(9)
        .start()
        .expect("it can start");
    TEXT.fire("123456789");
    TEXT.fire("1234567890");
    TEXT.fire("12345678é");
    TEXT.fire("");
    BYTES.fire(&[7; 10]);
    DEBUG.fire(("abcdefgh",));
    DEBUG.fire(("a",));
    let trace = finish(recording);
    let text = |text: &str, cut| Recorded::Text {
        text: text.into(),
        cut,
    };
    assert_eq!(
        firsts(&trace),
        [
            text("123456789", false),
            text("123456789", true),
            text("12345678", true),
            text("", false),
            Recorded::Bytes {
                bytes: vec![7; 9],
                cut: true
            },
            text("(\"abcdefg", true),
            text("(\"a\",)", false),
        ]
    );
}

#[test]
fn a_debug_that_panics_or_never_ends_costs_that_value_only() {
    quiet_planned_panics();
    #[derive(Clone, Copy)]
    enum Bad {
        Panics,
        Fails,
        WritesWithoutEnd,
        WritesWithoutEndWhateverItIsTold,
        PanicsLate,
    }
    impl fmt::Debug for Bad {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Self::Panics => panic!("planned"),
                Self::Fails => Err(fmt::Error),
                Self::WritesWithoutEnd => loop {
                    f.write_str("without end ")?;
                },
                Self::WritesWithoutEndWhateverItIsTold => loop {
                    f.write_str("without end ").ok();
                },
                Self::PanicsLate => {
                    f.write_str("a beginning")?;
                    panic!("planned");
                }
            }
        }
    }
    hotprobe::event! { static BAD: fn(bad: Bad, n: u64); }
    let recording = Recorder::new()
        .event(&BAD)
        .max_text_bytes(20)
        .start()
        .expect("it can start");
    for bad in [
        Bad::Panics,
        Bad::Fails,
        Bad::WritesWithoutEnd,
        Bad::WritesWithoutEndWhateverItIsTold,
        Bad::PanicsLate,
    ] {
        BAD.fire(bad, 7);
    }
    let trace = finish(recording);
    assert_eq!(balanced(&trace).written, 5);
    let cut = Recorded::Text {
        text: "without end without ".into(),
        cut: true,
    };
    assert_eq!(
        firsts(&trace),
        [
            Recorded::Failed,
            Recorded::Failed,
            cut.clone(),
            cut,
            Recorded::Failed
        ]
    );
    assert!(
        trace
            .records()
            .all(|entry| entry.values()[1] == Recorded::U64(7))
    );
}

#[test]
fn a_debug_that_fires_is_recorded_with_what_it_fires() {
    hotprobe::event! { static OUTER: fn(fires: Fires, n: u64); static INNER: fn(n: (u64,), m: u64); }
    static INNER_FIRED: AtomicU64 = AtomicU64::new(0);
    #[derive(Clone, Copy)]
    struct Fires;
    impl fmt::Debug for Fires {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            // (Not called if it is clear before that there is no room.)
            INNER_FIRED.fetch_add(1, Ordering::Relaxed);
            INNER.fire((1,), 2);
            f.write_str("it fired")
        }
    }
    for bytes in [1 << 16, 1 << 13] {
        let recording = Recorder::new()
            .event(&OUTER)
            .event(&INNER)
            .max_buffer_bytes(bytes)
            .max_text_bytes(16)
            .start()
            .expect("it can start");
        for n in 0..300 {
            OUTER.fire(Fires, n);
        }
        let trace = finish(recording);
        let sum = balanced(&trace);
        assert_eq!(sum.fired, 300 + INNER_FIRED.swap(0, Ordering::Relaxed));
        assert_eq!(sum.lost == 0, bytes == 1 << 16);
        let text = |text: &str| Recorded::Text {
            text: text.into(),
            cut: false,
        };
        for entry in trace.records() {
            if entry.event().name() == OUTER.name() {
                assert_eq!(entry.values()[0], text("it fired"));
            } else {
                assert_eq!(entry.values(), [text("(1,)"), Recorded::U64(2)]);
            }
        }
    }
}

#[test]
fn several_recordings_at_once_do_not_disturb_each_other() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    // More than a thread has seats for.
    let mut recordings: Vec<_> = (0..10).map(|_| record(&NUMBER)).collect();
    let mut expected = Vec::new();
    for n in 0..10 {
        NUMBER.fire(n);
        thread::spawn(move || NUMBER.fire(n))
            .join()
            .expect("it ends well");
        expected.extend([n, n]);
        let trace = finish(recordings.pop().expect("ten"));
        assert_eq!(numbers(&trace), expected);
        assert_eq!(trace.threads().count() as u64, n + 2);
    }
}

#[test]
fn an_event_that_is_chosen_twice_is_recorded_once() {
    hotprobe::event! { static CHOSEN_TWICE: fn(n: u64); }
    let recording = Recorder::new()
        .event(&CHOSEN_TWICE)
        .matching("*::CHOSEN_TWICE")
        .event(hotprobe::find(CHOSEN_TWICE.name()).expect("it is there"))
        .start()
        .expect("it can start");
    assert_eq!(CHOSEN_TWICE.probe_count(), 1);
    CHOSEN_TWICE.fire(1);
    assert_eq!(numbers(&finish(recording)), [1]);
    assert!(!CHOSEN_TWICE.is_enabled());
}

#[test]
fn a_trace_is_saved_in_the_format_of_its_ending() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let directory = directory("saved");
    let recording = record(&NUMBER);
    NUMBER.fire(1);
    let trace = finish(recording);
    for name in ["a.pftrace", "a.perfetto-trace", "a.json", "A.JSON"] {
        let path = directory.join(name);
        trace.save(&path).expect("it can be written");
        assert!(path.metadata().expect("it is there").len() > 0);
    }
    trace
        .save(directory.join("a.ctf"))
        .expect("it can be written");
    trace
        .write_ctf(directory.join("another"))
        .expect("it can be written");
    for name in ["a.ctf", "another"] {
        assert!(
            directory
                .join(name)
                .read_dir()
                .expect("a directory")
                .count()
                > 0
        );
    }
    let error = trace.save(directory.join("a.txt")).unwrap_err();
    assert!(error.to_string().contains("`.json` for Chrome"), "{error}");
    let error = trace
        .save(directory.join("missing").join("a.json"))
        .unwrap_err();
    assert!(
        matches!(error, RecordError::Io { path: Some(_), .. }),
        "{error}"
    );
}

#[test]
fn each_kind_of_text_is_kept_where_there_is_no_other() {
    #[derive(Clone, Copy)]
    struct Plain;
    hotprobe::event! {
        static STR: fn(a: &str);
        static BYTES: fn(a: &[u8]);
        static DEBUG: fn(a: (u16,));
        static DISPLAY: fn(a: &std::num::ParseIntError);
        static OPTION: fn(a: Option<u16>);
        static OPAQUE: fn(a: Plain);
    }
    let recorder = Recorder::new().event(&STR).event(&BYTES).event(&OPTION);
    let recording = recorder
        .event(&DEBUG)
        .event(&DISPLAY)
        .event(&OPAQUE)
        .start();
    let recording = recording.expect("it starts");
    STR.fire("text");
    BYTES.fire(&[1, 2]);
    DEBUG.fire((7,));
    DISPLAY.fire(&"x".parse::<u8>().unwrap_err());
    OPTION.fire(Some(7));
    OPTION.fire(None);
    OPAQUE.fire(Plain);
    let trace = finish(recording);
    let values: Vec<_> = trace
        .records()
        .map(|entry| entry.values()[0].clone())
        .collect();
    let text = |text: &str| Recorded::Text {
        text: text.into(),
        cut: false,
    };
    let bytes = Recorded::Bytes {
        bytes: vec![1, 2],
        cut: false,
    };
    assert_eq!(values[..3], [text("text"), bytes, text("(7,)")]);
    assert_eq!(
        values[3..6],
        [
            text("invalid digit found in string"),
            Recorded::U64(7),
            Recorded::Absent
        ]
    );
    assert!(matches!(&values[6], Recorded::Opaque(name) if name.ends_with("Plain")));
}

#[cfg(feature = "tokio")]
#[test]
fn records_name_their_tokio_task() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let recording = Recorder::new()
        .event(&NUMBER)
        .tasks(true)
        .start()
        .expect("it can start");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let id = runtime.block_on(async {
        tokio::spawn(async {
            NUMBER.fire(1);
            tokio::task::id().to_string()
        })
        .await
        .expect("it ends well")
    });
    NUMBER.fire(2);
    let trace = finish(recording);
    let tasks: Vec<_> = trace.records().map(|entry| entry.task()).collect();
    assert_eq!(tasks, [Some(id.parse().expect("a number")), None]);
    let mut file = Vec::new();
    trace.write_perfetto(&mut file).expect("it can be written");
    assert!(String::from_utf8_lossy(&file).contains("tokio tasks"));
}

/// The begins without an end that a recording of `bytes` remembers, as its file shows: `many`
/// begins are followed by their ends, and only what was remembered is a pair.
fn remembered(bytes: usize, many: usize) -> usize {
    hotprobe::event! {
        static BEGUN: fn(key: u64);
        static ENDED: fn(key: u64);
    }
    let recording = Recorder::new()
        .slice("open", &BEGUN, &ENDED, "key")
        .max_buffer_bytes(bytes)
        .max_total_bytes(bytes)
        .start()
        .expect("it can start");
    (0..many as u64).for_each(|key| BEGUN.fire(key));
    (0..many as u64).for_each(|key| ENDED.fire(key));
    let trace = finish(recording);
    assert_eq!(balanced(&trace).written, 2 * many as u64);
    let mut file = Vec::new();
    trace
        .write_chrome_json(&mut file)
        .expect("it can be written");
    let file = String::from_utf8(file).expect("text");
    let without_end = file.matches(r#""no end":true"#).count();
    assert_eq!(file.matches(r#""no begin":true"#).count(), without_end);
    many - without_end
}

#[test]
fn slices_remember_as_many_begins_as_the_memory_has_kib() {
    // Twice as many until a flush shows that the ends of the oldest are lost. Here is no flush.
    assert_eq!(remembered(1 << 20, 5000), 2 * 1024);
    // The fewest and the most.
    assert_eq!(remembered(64 << 10, 600), 2 * 256);
    assert_eq!(remembered(128 << 20, 140_000), 2 * 65_536);
}
