//! The catalogue, and probes that see values: events whose types the code that probes them does not
//! know.

#![allow(
    clippy::borrowed_box,
    clippy::ptr_arg,
    clippy::similar_names,
    clippy::redundant_closure_for_method_calls,
    reason = "parameters of every type, even those that are no good idea"
)]

use crate::{alloc, isolated};
use hotprobe::{AnyEvent, Batch, Metadata, OnPanic, ProbeOptions, Value, fire};
use std::borrow::Cow;
use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::num::{NonZeroI8, NonZeroU64, ParseIntError};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What a dynamic probe saw, as text.
type Seen = Arc<Mutex<Vec<String>>>;

/// A probe that notes each value's `Debug`.
fn noting(seen: &Seen) -> impl Fn(&'static Metadata, &[Value<'_>]) + Send + Sync + 'static {
    let seen = Seen::clone(seen);
    move |_, values| {
        let mut seen = seen.lock().unwrap();
        seen.extend(values.iter().map(|value| format!("{value:?}")));
    }
}

fn taken(seen: &Seen) -> Vec<String> {
    std::mem::take(&mut seen.lock().unwrap())
}

fn names(events: &[&'static dyn AnyEvent]) -> Vec<&'static str> {
    events.iter().map(|event| event.name()).collect()
}

mod shop {
    pub(super) mod orders {
        hotprobe::event! {
            /// The second by name.
            pub(crate) static PLACED: fn(order: u64, symbol: &str);
            /// The first by name.
            pub(crate) static CANCELLED: fn(order: u64);
        }

        pub(crate) mod book {
            hotprobe::event! { pub(crate) static FULL: fn(); }
        }
    }

    hotprobe::event! { pub(crate) static OPENED: fn(); }
}

// Twice in the linker's list, once in ours.
hotprobe::register!(shop::OPENED, shop::OPENED);

#[test]
fn every_event_is_there_once_and_sorted_by_name() {
    let events = hotprobe::events();
    let all = names(&events);
    assert!(all.is_sorted(), "{all:?}");
    assert!(all.len() > 20, "those of the other tests, too: {all:?}");
    let distinct: HashSet<_> = events.iter().collect();
    assert_eq!(distinct.len(), events.len());
    for event in [
        &shop::OPENED as &dyn AnyEvent,
        &shop::orders::PLACED,
        &shop::orders::CANCELLED,
    ] {
        assert_eq!(events.iter().filter(|other| ***other == *event).count(), 1);
    }
}

#[test]
fn an_event_tells_what_is_known_of_it() {
    hotprobe::event! {
        /// A user logs in.
        static LOGIN: fn(user: &str, r#type: Option<u8>, #[redact] token: &str);
    }
    let line = line!() - 2;
    let event = hotprobe::find("it::catalog::LOGIN").unwrap();
    let metadata = event.metadata();
    assert_eq!(metadata.name(), event.name());
    assert_eq!(metadata.module_path(), "it::catalog");
    assert_eq!(metadata.docs(), " A user logs in.\n");
    assert!(metadata.file().ends_with("tests/it/catalog.rs"));
    assert_eq!((metadata.line(), metadata.column()), (line, 16));
    let parameters: Vec<_> = metadata
        .parameters()
        .iter()
        .map(|p| (p.name(), p.type_name(), p.is_redacted()))
        .collect();
    assert_eq!(
        parameters,
        [
            ("user", "&str", false),
            ("type", "Option<u8>", false),
            ("token", "&str", true)
        ]
    );
    assert!(!event.is_enabled());
    let probe = LOGIN.attach(|_, _, _| ());
    assert!(event.is_enabled());
    assert_eq!(event.probe_count(), 1);
    assert_eq!(
        format!("{event:?}"),
        format!("{LOGIN:?}"),
        "the same event, whichever way one looks at it"
    );
    drop(probe);
}

#[test]
fn a_star_crosses_modules_and_a_pattern_is_the_whole_name() {
    assert_eq!(
        names(&hotprobe::matching("it::catalog::shop::orders::*")),
        [
            "it::catalog::shop::orders::CANCELLED",
            "it::catalog::shop::orders::PLACED",
            "it::catalog::shop::orders::book::FULL",
        ]
    );
    assert_eq!(
        names(&hotprobe::matching("it::catalog::shop::*E*D")),
        [
            "it::catalog::shop::OPENED",
            "it::catalog::shop::orders::CANCELLED",
            "it::catalog::shop::orders::PLACED",
        ]
    );
    assert!(hotprobe::matching("it::catalog::shop").is_empty());
    assert!(hotprobe::matching("").is_empty());
    assert_eq!(hotprobe::matching("*"), hotprobe::events());
}

#[test]
fn two_events_of_one_name_are_told_apart_by_their_place_and_find_returns_the_first() {
    fn first() -> &'static dyn AnyEvent {
        hotprobe::event! { static TWICE: fn(first: u8); }
        &TWICE
    }
    fn second() -> &'static dyn AnyEvent {
        hotprobe::event! { static TWICE: fn(second: u8); static TWICE_MORE: fn(); }
        assert!(!TWICE_MORE.is_enabled());
        &TWICE
    }
    let found = hotprobe::matching("it::catalog::TWICE");
    assert_eq!(found, [first(), second()]);
    assert!(found[0].metadata().line() < found[1].metadata().line());
    assert_eq!(hotprobe::find("it::catalog::TWICE"), Some(first()));
    assert!(first() != second());
    assert_eq!(hotprobe::find("it::catalog::NOWHERE"), None);
}

#[test]
fn events_on_one_line_are_told_apart_by_their_column() {
    hotprobe::event! { static LEFT: fn(); static RIGHT: fn(); }
    let (left, right) = (LEFT.metadata(), RIGHT.metadata());
    assert_eq!(left.line(), right.line());
    assert!(left.column() < right.column());
}

#[test]
fn raw_identifiers_are_named_without_their_mark() {
    mod r#match {
        #![allow(non_upper_case_globals)]
        hotprobe::event! { pub(super) static r#static: fn(r#fn: u8, r: u8); }
    }
    let event = hotprobe::find("it::catalog::match::static").unwrap();
    assert_eq!(event.metadata().module_path(), "it::catalog::match");
    let names: Vec<_> = event
        .metadata()
        .parameters()
        .iter()
        .map(|p| p.name())
        .collect();
    assert_eq!(names, ["fn", "r"]);
    assert_eq!(r#match::r#static.name(), event.name());
}

#[derive(Clone, Copy, Debug)]
struct Point {
    #[allow(dead_code, reason = "for its `Debug`")]
    x: i32,
}

/// With `Display`, and without `Debug`.
#[derive(Clone, Copy)]
struct Shown;

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shown")
    }
}

/// Without either.
#[derive(Clone, Copy)]
struct Silent<'a>(#[allow(dead_code, reason = "to have a lifetime")] &'a str);

#[test]
fn each_kind_of_argument_comes_as_the_value_that_it_is() {
    hotprobe::event! {
        static INTEGERS: fn(
            a: u8, b: u64, c: usize, d: i8, e: i64, f: isize, g: u128, h: i128, i: &u64, j: &&i32,
            k: NonZeroU64, l: &NonZeroI8,
        );
        static OTHERS: fn(yes: bool, letter: char, half: f32, third: f64);
        static TEXTS: fn(a: &str, b: &String, c: &&str, d: &Cow<'_, str>, e: &Arc<str>, f: &Box<str>);
        static BYTES: fn(a: &[u8], b: [u8; 6], c: &[u8; 2], d: &Vec<u8>);
        static FORMATTED: for<'a> fn(
            a: Option<Point>, b: Point, c: &'a [&'a str], d: &Path, e: (), f: &(dyn fmt::Debug + 'a),
            g: fmt::Arguments<'_>,
        );
        static OPTIONS: for<'a> fn(
            a: Option<&'a str>, b: Option<u64>, c: &Option<String>, d: Option<u8>, e: Option<&'a [u8]>,
            f: Option<&'a Option<bool>>,
        );
        static ERRORS: for<'a> fn(
            a: &ParseIntError, b: &(dyn Error + 'a), c: &Box<dyn Error>, d: &Box<dyn Error + Send + Sync>,
            e: Option<&'a Box<dyn Error>>, f: &Arc<ParseIntError>,
        );
        static SHOWN: fn(a: Shown, b: &Shown);
        static SILENT: fn(a: Silent<'_>, b: &dyn Fn(&str) -> usize);
    }
    let kinds = Arc::new(Mutex::new(Vec::new()));
    let seen = Seen::default();
    let kind = |event: &dyn AnyEvent| {
        let kinds = Arc::clone(&kinds);
        event.attach(move |_, values| {
            kinds
                .lock()
                .unwrap()
                .extend(values.iter().map(|value| match value {
                    Value::Bool(_) => "bool",
                    Value::Char(_) => "char",
                    Value::U64(_) => "u64",
                    Value::I64(_) => "i64",
                    Value::U128(_) => "u128",
                    Value::I128(_) => "i128",
                    Value::F32(_) => "f32",
                    Value::F64(_) => "f64",
                    Value::Str(_) => "str",
                    Value::Bytes(_) => "bytes",
                    Value::Debug(_) => "debug",
                    Value::Display(_) => "display",
                    Value::Opaque(_) => "opaque",
                    Value::Absent => "absent",
                    Value::Redacted => "redacted",
                    _ => "unknown",
                }));
        })
    };
    let check =
        |event: &'static dyn AnyEvent, fire: &dyn Fn(), kinds_wanted: &[&str], texts: &[&str]| {
            let probes = (kind(event), event.attach(noting(&seen)));
            fire();
            assert_eq!(*std::mem::take(&mut *kinds.lock().unwrap()), *kinds_wanted);
            assert_eq!(taken(&seen), *texts);
            drop(probes);
        };
    check(
        &INTEGERS,
        &|| {
            let eight = NonZeroI8::new(-8).unwrap();
            let seven = NonZeroU64::new(7).unwrap();
            fire!(
                INTEGERS,
                1,
                u64::MAX,
                3,
                -4,
                i64::MIN,
                -6,
                u128::MAX,
                i128::MIN,
                &5,
                &&-6,
                seven,
                &eight
            );
        },
        &[
            "u64", "u64", "u64", "i64", "i64", "i64", "u128", "i128", "u64", "i64", "u64", "i64",
        ],
        &[
            "1",
            "18446744073709551615",
            "3",
            "-4",
            "-9223372036854775808",
            "-6",
            "340282366920938463463374607431768211455",
            "-170141183460469231731687303715884105728",
            "5",
            "-6",
            "7",
            "-8",
        ],
    );
    check(
        &OTHERS,
        &|| fire!(OTHERS, true, 'x', 0.1, 1.0),
        &["bool", "char", "f32", "f64"],
        &["true", "'x'", "0.1", "1.0"],
    );
    check(
        &TEXTS,
        &|| {
            fire!(
                TEXTS,
                "a",
                &"b".to_owned(),
                &"c",
                &"d".into(),
                &"e".into(),
                &"f\n".into()
            );
        },
        &["str"; 6],
        &["\"a\"", "\"b\"", "\"c\"", "\"d\"", "\"e\"", "\"f\\n\""],
    );
    check(
        &BYTES,
        &|| fire!(BYTES, &[1], *b"PING\r\n", &[3, 3], &vec![4]),
        &["bytes"; 4],
        &[
            "b\"\\x01\"",
            "b\"PING\\r\\n\"",
            "b\"\\x03\\x03\"",
            "b\"\\x04\"",
        ],
    );
    check(
        &FORMATTED,
        &|| {
            fire!(
                FORMATTED,
                Some(Point { x: 1 }),
                Point { x: 1 },
                &["c"],
                Path::new("d"),
                (),
                &'f',
                format_args!("g{}", 1)
            );
        },
        &["debug"; 7],
        &[
            "Some(Point { x: 1 })",
            "Point { x: 1 }",
            "[\"c\"]",
            "\"d\"",
            "()",
            "'f'",
            "g1",
        ],
    );
    check(
        &OPTIONS,
        &|| {
            fire!(
                OPTIONS,
                Some("a"),
                Some(7),
                &Some("c".to_owned()),
                None,
                Some(b"e"),
                Some(&Some(true))
            );
        },
        &["str", "u64", "str", "absent", "bytes", "bool"],
        &["\"a\"", "7", "\"c\"", "none", "b\"e\"", "true"],
    );
    check(
        &ERRORS,
        &|| {
            let error = "x".parse::<u8>().unwrap_err();
            let boxed: Box<dyn Error> = "boxed".into();
            let sent: Box<dyn Error + Send + Sync> = "sent".into();
            let shared = Arc::new(error.clone());
            fire!(ERRORS, &error, &error, &boxed, &sent, Some(&boxed), &shared);
        },
        &["display"; 6],
        &[
            "invalid digit found in string",
            "invalid digit found in string",
            "boxed",
            "sent",
            "boxed",
            "invalid digit found in string",
        ],
    );
    check(
        &SHOWN,
        &|| fire!(SHOWN, Shown, &Shown),
        &["display"; 2],
        &["shown", "shown"],
    );
    check(
        &SILENT,
        &|| fire!(SILENT, Silent("a"), &str::len),
        &["opaque"; 2],
        &[
            std::any::type_name::<Silent<'_>>(),
            std::any::type_name::<&dyn Fn(&str) -> usize>(),
        ],
    );
}

#[test]
fn a_redacted_argument_is_seen_by_typed_probes_only() {
    /// Formatting it is a leak.
    #[derive(Clone, Copy)]
    struct Secret;
    impl fmt::Debug for Secret {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("the secret has been looked at")
        }
    }
    hotprobe::event! {
        static LOGIN: fn(user: &str, #[redact] token: &str, #[redact] pin: u32, #[redact] secret: Secret);
    }
    let typed = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&typed);
    let first = LOGIN.attach(move |user, token, pin, _| {
        assert_eq!((user, token, pin), ("JP", "hunter2", 1234));
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let seen = Seen::default();
    let event: &dyn AnyEvent = &LOGIN;
    let second = event.attach({
        let seen = Seen::clone(&seen);
        move |_, values| {
            assert!(values[1..].iter().all(|value| value.is_redacted()));
            assert_eq!(values[1].as_str(), None);
            assert_eq!(values[2].as_u64(), None);
            seen.lock()
                .unwrap()
                .push(format!("{values:?} {}", values[1]));
        }
    });
    fire!(LOGIN, "JP", "hunter2", 1234, Secret);
    assert!(!first.has_panicked() && !second.has_panicked());
    assert_eq!(typed.load(Ordering::Relaxed), 1);
    assert_eq!(
        taken(&seen),
        ["[\"JP\", [redacted], [redacted], [redacted]] [redacted]"]
    );
    assert_eq!(LOGIN.metadata().parameters()[1].name(), "token");
}

#[test]
fn dynamic_and_typed_probes_run_in_attach_order_and_detach_alike() {
    hotprobe::event! { static STEP: fn(n: u64); }
    let event: &'static dyn AnyEvent = &STEP;
    let order = Arc::new(Mutex::new(Vec::new()));
    let note = |who: &'static str| {
        let order = Arc::clone(&order);
        move || order.lock().unwrap().push(who)
    };
    let (a, b, c) = (note("typed"), note("dynamic"), note("typed again"));
    let first = STEP.attach(move |_| a());
    let second = event.attach(move |metadata, values| {
        assert_eq!((metadata.name(), values.len()), ("it::catalog::STEP", 1));
        assert_eq!(values[0].as_u64(), Some(7));
        b();
    });
    let third = STEP.attach(move |_| c());
    fire!(STEP, 7);
    assert!(second.detach());
    fire!(STEP, 7);
    assert_eq!(
        *order.lock().unwrap(),
        ["typed", "dynamic", "typed again", "typed", "typed again"]
    );
    assert!(!first.has_panicked() && !second.has_panicked());
    drop((first, third));
    assert!(!event.is_enabled());
}

#[test]
fn a_batch_attaches_dynamic_probes_to_many_events_at_once() {
    mod many {
        hotprobe::event! { pub(super) static ONE: fn(id: u64); pub(super) static TWO: fn(path: &str); }
    }
    let seen = Seen::default();
    let mut batch = Batch::new();
    let events = hotprobe::matching("it::catalog::many::*");
    for event in &events {
        let options = ProbeOptions::new().name(format!("recorder of {}", event.name()));
        event.attach_in_with(&mut batch, options, noting(&seen));
        event.attach_in(&mut batch, |_, _| ());
    }
    assert!(!events.iter().any(|event| event.is_enabled()));
    let group = batch.commit();
    assert_eq!(group.len(), 4);
    fire!(many::ONE, 1);
    fire!(many::TWO, "/");
    assert_eq!(taken(&seen), ["1", "\"/\""]);
    let listed = events[1].probes();
    assert_eq!(listed[0].name(), Some("recorder of it::catalog::many::TWO"));
    assert_eq!((listed.len(), listed[1].name()), (2, None));
    drop(group);
    assert!(!events.iter().any(|event| event.is_enabled()));
}

#[test]
fn the_probes_of_an_event_are_listed_with_their_names_and_what_became_of_them() {
    super::quiet_planned_panics();
    hotprobe::event! { static TICK: fn(); }
    let event: &'static dyn AnyEvent = &TICK;
    assert!(event.probes().is_empty());
    let slow = TICK.attach_with(ProbeOptions::new().name("slow requests"), || ());
    let wrong = event.attach_with(ProbeOptions::new().name("wrong"), |_, _| panic!("planned"));
    let nameless = TICK.attach(|| ());
    let before = event.probes();
    assert_eq!(
        before.iter().map(|p| p.name()).collect::<Vec<_>>(),
        [Some("slow requests"), Some("wrong"), None]
    );
    assert!(before.iter().all(|p| p.is_attached() && !p.has_panicked()));
    fire!(TICK);
    slow.detach();
    assert!(before[1].has_panicked() && before[1].is_attached());
    assert!(!before[0].is_attached(), "a list of before stays true");
    assert_eq!(
        event.probes().iter().map(|p| p.name()).collect::<Vec<_>>(),
        [Some("wrong"), None],
        "one that is switched off is still attached"
    );
    assert!(format!("{:?}", TICK.probes()).contains("has_panicked: true"));
    drop((wrong, nameless));
    assert!(TICK.probes().is_empty());
    assert_eq!(before[0].name(), Some("slow requests"));
}

#[test]
fn a_listed_probe_keeps_its_name_but_not_its_captures() {
    hotprobe::event! { static TICK: fn(); }
    let captured = Arc::new(());
    let kept = Arc::clone(&captured);
    let event: &dyn AnyEvent = &TICK;
    let probe = event.attach_with(
        ProbeOptions::new().name(String::from("owner")),
        move |_, _| drop(Arc::clone(&kept)),
    );
    let listed = event.probes();
    let copy = listed[0].clone();
    drop(listed);
    probe.detach_and_wait().unwrap();
    drop(probe);
    assert_eq!(Arc::strong_count(&captured), 1);
    assert_eq!(copy.name(), Some("owner"));
}

#[test]
fn a_dynamic_probe_keeps_to_the_panic_policy() {
    super::quiet_planned_panics();
    hotprobe::event! { static TICK: fn(id: u64); }
    let event: &dyn AnyEvent = &TICK;
    let options = ProbeOptions::new().on_panic(OnPanic::Propagate);
    let probe = event.attach_with(options, |_, _| panic!("planned: let out"));
    let caught = std::panic::catch_unwind(|| TICK.fire(1));
    assert!(caught.is_err() && TICK.is_enabled());
    drop(probe);
    let probe = event.attach(|_, _| panic!("planned: kept in"));
    TICK.fire(1);
    assert!(probe.has_panicked() && !TICK.is_enabled());
}

#[test]
fn probes_may_be_listed_while_others_come_and_go() {
    hotprobe::event! { static TICK: fn(); }
    let event: &'static dyn AnyEvent = &TICK;
    std::thread::scope(|scope| {
        let churn = || {
            for n in 0..500 {
                let probes: Vec<_> = (0..n % 7)
                    .map(|_| event.attach_with(ProbeOptions::new().name("x".repeat(n)), |_, _| ()))
                    .collect();
                TICK.fire();
                drop(probes);
            }
        };
        scope.spawn(churn);
        scope.spawn(churn);
        for _ in 0..500 {
            for probe in event.probes() {
                assert!(probe.name().unwrap().chars().all(|c| c == 'x'));
            }
            TICK.fire();
        }
    });
    assert!(event.probes().is_empty());
}

#[test]
fn a_probe_may_look_at_the_catalogue_and_attach_to_what_it_finds() {
    hotprobe::event! { static ASKED: fn(name: &str); static FOUND: fn(); }
    let probe = ASKED.attach(|name| {
        let event = hotprobe::find(name).expect("it is in this program");
        event.attach(|_, _| ()).leak();
        assert_eq!(event.probes().len(), 1);
    });
    fire!(ASKED, FOUND.name());
    assert!(!probe.has_panicked() && FOUND.is_enabled());
}

#[test]
fn integers_are_read_in_any_size_that_holds_them() {
    let all = |value: Value<'_>| {
        (
            value.as_u64(),
            value.as_i64(),
            value.as_u128(),
            value.as_i128(),
        )
    };
    assert_eq!(all(Value::U64(7)), (Some(7), Some(7), Some(7), Some(7)));
    assert_eq!(all(Value::I64(-7)), (None, Some(-7), None, Some(-7)));
    assert_eq!(all(Value::U128(7)), (Some(7), Some(7), Some(7), Some(7)));
    assert_eq!(all(Value::I128(-7)), (None, Some(-7), None, Some(-7)));
    assert_eq!(
        all(Value::U128(u128::MAX)),
        (None, None, Some(u128::MAX), None)
    );
    assert_eq!(all(Value::F64(7.0)), (None, None, None, None));
    assert_eq!(Value::F32(0.5).as_f64(), Some(0.5));
    assert_eq!(Value::U64(1).as_f64(), None);
    assert_eq!(Value::Bool(true).as_bool(), Some(true));
    assert_eq!(Value::Char('x').as_char(), Some('x'));
    assert_eq!(Value::Bytes(b"x").as_bytes(), Some(&b"x"[..]));
    assert_eq!(Value::Str("x").as_bytes(), None);
    assert!(Value::Debug(&1).as_debug().is_some() && Value::Display(&1).as_debug().is_none());
    assert!(Value::Display(&1).as_display().is_some() && Value::Debug(&1).as_display().is_none());
    assert!(Value::Absent.is_absent() && !Value::U64(0).is_absent());
    assert_eq!(all(Value::Absent), (None, None, None, None));
}

#[test]
fn a_value_prints_as_what_it_is_with_the_width_that_is_asked_for() {
    let text = |value: Value<'_>| (format!("{value}"), format!("{value:?}"));
    let both = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    assert_eq!(text(Value::Str("a\"b")), both("a\"b", "\"a\\\"b\""));
    assert_eq!(text(Value::Char('x')), both("x", "'x'"));
    assert_eq!(text(Value::F32(0.1)), both("0.1", "0.1"));
    assert_eq!(text(Value::F64(1.0)), both("1", "1.0"));
    assert_eq!(text(Value::Bytes(b"ab")), both("b\"ab\"", "b\"ab\""));
    let bytes = Value::Bytes(b"a\"\\\r\n\0\xff");
    assert_eq!(format!("{bytes}"), r#"b"a\"\\\r\n\x00\xff""#);
    assert_eq!(text(Value::Debug(&Some(1))), both("Some(1)", "Some(1)"));
    assert_eq!(text(Value::Opaque("a::B")), both("a::B", "a::B"));
    assert_eq!(text(Value::Display(&"a")), both("a", "a"));
    assert_eq!(text(Value::Absent), both("none", "none"));
    assert_eq!(text(Value::Redacted), both("[redacted]", "[redacted]"));
    assert_eq!(
        format!("{:>4}|{:04}", Value::Str("x"), Value::U64(7)),
        "   x|0007"
    );
}

#[test]
fn listing_probes_leaves_nothing_behind() {
    isolated("catalog::listing_probes_leaves_nothing_behind", || {
        hotprobe::event! { static TICK: fn(); }
        let round = || {
            let named = ProbeOptions::new().name("x".repeat(1000));
            let probe = (&TICK as &dyn AnyEvent).attach_with(named, |_, _| ());
            let listed = TICK.probes();
            let copies = listed.clone();
            probe.detach_and_wait().unwrap();
            drop((probe, listed, copies));
        };
        round();
        let before = alloc::live_bytes();
        for _ in 0..100 {
            round();
        }
        let left = alloc::live_bytes() - before;
        assert!(left < 8192, "{left} bytes are left");
    });
}
