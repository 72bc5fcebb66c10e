//! The stacks that lead to events: every firing is counted, and where.

use super::last;
use crate::alloc::{ALLOCATED, FIRES, allocations};
use hotprobe::{AnyEvent, SynchronizeError, fire};
use hotprobe_profile::Stacks;
use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use test_support::{Door, eventually, isolated, quiet_planned_panics};

#[test]
fn every_firing_of_many_threads_is_counted_at_its_stack_with_its_weight_and_label() {
    hotprobe::event! { static STORED: fn(route: &str, bytes: u64); }

    #[inline(never)]
    fn read(bytes: u64) {
        fire!(STORED, "/read", bytes);
        black_box(());
    }
    #[inline(never)]
    fn write(bytes: u64) {
        fire!(
            STORED,
            ["/write", "/append"][usize::from(bytes % 3 == 0)],
            bytes
        );
        black_box(());
    }

    let (threads, each) = (4, 500_u64);
    let stacks = Stacks::at(&STORED)
        .weight("bytes")
        .label("route")
        .start()
        .unwrap();
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                barrier.wait();
                for bytes in 0..each {
                    read(bytes);
                    write(bytes);
                }
            });
        }
    });
    let profile = stacks.finish().unwrap();

    let mut found = BTreeMap::<_, (u64, u128)>::new();
    for sample in profile.samples() {
        let function = last(sample.frames()[0].name()).to_owned();
        let labels: Vec<_> = sample.labels().collect();
        assert_eq!((labels.len(), labels[0].0), (1, "route"));
        let entry = found.entry((function, labels[0].1.to_owned())).or_default();
        entry.0 += sample.count();
        entry.1 += sample.weight();
    }
    let threads = threads as u64;
    let sum = |wanted: fn(&u64) -> bool| {
        let weights: Vec<_> = (0..each).filter(wanted).collect();
        let weight: u64 = weights.iter().sum();
        (threads * weights.len() as u64, u128::from(threads * weight))
    };
    let key = |function: &str, route: &str| (function.to_owned(), route.to_owned());
    let expected = BTreeMap::from([
        (key("read", "/read"), sum(|_| true)),
        (key("write", "/append"), sum(|bytes| bytes % 3 == 0)),
        (key("write", "/write"), sum(|bytes| bytes % 3 != 0)),
    ]);
    assert_eq!(found, expected);
    let counts = profile.counts();
    assert_eq!(counts.fired, 2 * threads * each);
    assert_eq!(
        (counts.sampled, counts.skipped, counts.other, counts.nested),
        (counts.fired, 0, 0, 0)
    );
    assert_eq!(counts.stacks, profile.samples().len());
}

#[test]
fn what_finds_no_room_is_counted_at_other_and_no_weight_is_lost() {
    hotprobe::event! { static STORED: fn(route: u64, bytes: u64); }
    let (threads, each) = (4_u64, 300);
    let stacks = Stacks::at(&STORED)
        .weight("bytes")
        .label("route")
        .max_stacks(7)
        .start()
        .unwrap();
    let barrier = Barrier::new(4);
    thread::scope(|scope| {
        for thread in 0..threads {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                for route in 0..each {
                    fire!(STORED, route * threads + thread, 10);
                }
            });
        }
    });
    let running = stacks.counts();
    let profile = stacks.finish().unwrap();
    let counts = profile.counts();
    assert_eq!(counts, running);
    assert_eq!((counts.stacks, counts.fired), (7, threads * each));
    assert_eq!(counts.other, threads * each - 7);
    assert_eq!(counts.weight, u128::from(10 * threads * each));
    let samples = profile.samples();
    let other = &samples[0];
    assert_eq!(other.frames()[0].name(), "(other)");
    assert_eq!(other.weight(), u128::from(10 * counts.other));
}

#[test]
fn each_nth_is_sampled_over_all_threads_and_the_rest_is_counted_with_its_weight() {
    hotprobe::event! { static STORED: fn(bytes: u64); }
    let stacks = Stacks::at(&STORED)
        .weight("bytes")
        .every(7)
        .start()
        .unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..100).for_each(|_| STORED.fire(2)));
        }
    });
    let counts = stacks.counts();
    assert_eq!(
        (counts.fired, counts.sampled, counts.skipped),
        (300, 43, 257)
    );
    assert_eq!((counts.weight, counts.weight_skipped), (86, 514));
}

#[test]
fn a_weight_that_is_none_weighs_nothing_and_is_counted() {
    hotprobe::event! { static CHANGED: fn(by: i64); }
    let stacks = Stacks::at(&CHANGED).weight("by").start().unwrap();
    for by in [5, -5, 7] {
        CHANGED.fire(by);
    }
    let counts = stacks.counts();
    assert_eq!((counts.fired, counts.unweighed, counts.weight), (3, 1, 12));
}

#[test]
fn what_is_fired_while_a_stack_is_taken_is_counted_and_does_not_go_on_for_ever() {
    /// Its text fires the event again, as an allocator that has events would.
    #[derive(Clone, Copy)]
    struct Firing;
    impl fmt::Debug for Firing {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            fire!(NAMED, Firing, 3);
            fire!(NAMED, Firing, 5);
            f.write_str("fired")
        }
    }
    hotprobe::event! { static NAMED: fn(name: Firing, bytes: u64); }
    let stacks = Stacks::at(&NAMED)
        .label("name")
        .weight("bytes")
        .start()
        .unwrap();
    fire!(NAMED, Firing, 4);
    let profile = stacks.finish().unwrap();
    let counts = profile.counts();
    assert_eq!((counts.fired, counts.nested, counts.weight), (3, 2, 12));
    let samples = profile.samples();
    assert_eq!(samples[0].frames()[0].name(), "(in hotprobe)");
    assert_eq!(samples[0].weight(), 8);
    assert_eq!(samples[1].labels().collect::<Vec<_>>(), [("name", "fired")]);
}

#[test]
fn a_debug_that_panics_takes_nothing_with_it() {
    quiet_planned_panics();
    #[derive(Clone, Copy)]
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("planned")
        }
    }
    hotprobe::event! { static NAMED: fn(name: Panics); }
    let stacks = Stacks::at(&NAMED).label("name").start().unwrap();
    (0..2).for_each(|_| NAMED.fire(Panics));
    let profile = stacks.finish().unwrap();
    assert_eq!(profile.counts().fired, 2);
    let (_, value) = profile.samples()[0].labels().next().unwrap();
    assert_eq!(value, "(its `Debug` panicked)");
}

#[test]
fn events_are_told_apart_and_one_that_is_given_twice_counts_once() {
    hotprobe::event! { static A: fn(bytes: u64); static B: fn(other: u8, bytes: u64); }
    let stacks = Stacks::new()
        .event(&A)
        .event(&B)
        .event(&A)
        .weight("bytes")
        .start()
        .unwrap();
    A.fire(1);
    B.fire(0, 10);
    let profile = stacks.finish().unwrap();
    let samples = profile.samples();
    let found: Vec<_> = samples
        .iter()
        .map(|sample| (sample.event(), sample.weight()))
        .collect();
    assert_eq!(found, [(B.name(), 10), (A.name(), 1)]);
}

#[test]
fn nothing_is_counted_after_finish_or_drop_and_the_event_is_off() {
    hotprobe::event! { static TICK: fn(); }
    let stacks = Stacks::at(&TICK).start().unwrap();
    let again = Stacks::at(&TICK).start().unwrap();
    TICK.fire();
    let profile = stacks.finish().unwrap();
    assert_eq!(TICK.probe_count(), 1);
    TICK.fire();
    assert_eq!(profile.counts().fired, 1);
    assert_eq!(again.counts().fired, 2);
    drop(again);
    assert!(!TICK.is_enabled());
}

#[test]
fn finish_waits_for_firings_and_inside_of_one_says_so() {
    hotprobe::event! { static TICK: fn(); static STOPPED: fn(); }
    let stacks = Stacks::at(&TICK).start().unwrap();
    TICK.fire();
    let error = hotprobe::pinned(|| stacks.finish().unwrap_err());
    assert_eq!(error.synchronize_error(), SynchronizeError::InProbe);
    assert!(!TICK.is_enabled(), "it has detached");
    let stacks = error.into_session();
    assert_eq!(stacks.counts().fired, 1);
    assert_eq!(stacks.finish().unwrap().counts().fired, 1);

    /// Its `Debug` waits at the door: the firing is counted when it has passed.
    #[derive(Clone, Copy)]
    struct Waits(&'static Door);
    impl fmt::Debug for Waits {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.pass();
            f.write_str("passed")
        }
    }
    hotprobe::event! { static SLOW: fn(name: Waits); }
    static DOOR: Door = Door::new();
    let stacks = Stacks::at(&SLOW).label("name").start().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| SLOW.fire(Waits(&DOOR)));
        DOOR.wait_for_arrival();
        let finishing = scope.spawn(|| stacks.finish().unwrap());
        eventually("it has detached", || !SLOW.is_enabled());
        DOOR.open();
        assert_eq!(finishing.join().unwrap().counts().fired, 1);
    });
}

#[test]
fn what_cannot_be_counted_is_said_with_what_to_do() {
    hotprobe::event! {
        static LOGIN: fn(user: &str, #[redact] token: &str, attempt: u32);
        static TICK: fn();
    }
    let name = LOGIN.name();
    let at = || Stacks::at(&LOGIN);
    let error = |builder: Stacks| builder.start().unwrap_err().to_string();
    assert_eq!(
        error(at().weight("size")),
        format!(
            "`{name}` has no parameter `size`; it has `user: &str`, `#[redact] token: &str`, `attempt: u32`"
        )
    );
    assert_eq!(
        error(at().event(&TICK).label("user")),
        format!("`{}` has no parameter `user`; it has none", TICK.name())
    );
    let redacted = format!(
        "`{name}` keeps its parameter `token` to typed probes (`#[redact]`): choose another, or attach a typed probe of \
         your own; it has `user: &str`, `#[redact] token: &str`, `attempt: u32`"
    );
    assert_eq!(error(at().label("token")), redacted);
    assert_eq!(error(at().weight("token")), redacted);
    assert_eq!(
        error(at().weight("user")),
        format!(
            "`user: &str` of `{name}` is no number, which a weight has to be: choose a parameter that is, or leave the \
             weight out to count firings"
        )
    );
    assert_eq!(
        error(at().max_frames(0)),
        "`max_frames(0)` is not possible: give 1 to 448"
    );
    assert_eq!(
        error(at().max_stacks((1 << 20) + 1)),
        "`max_stacks(1048577)` is not possible: give 1 to 1048576"
    );
    assert!(error(at().every(0)).starts_with("`every(0)` is not possible"));
    assert_eq!(
        error(Stacks::new()),
        "no event was chosen: call `event` or `matching` before `start`"
    );
    assert!(
        error(at().matching("no_such_crate::*")).contains("no event matches `no_such_crate::*`")
    );
    let many = (0..9).fold(at(), |builder, n| builder.label(format!("label {n}")));
    assert_eq!(error(many), "9 labels are not possible: give at most 8");
    assert!(!LOGIN.is_enabled() && !TICK.is_enabled());

    let profile = Stacks::at(&TICK).start().unwrap().snapshot();
    let directory = env::temp_dir();
    let path = directory.join(format!("hotprobe-stacks-{}.pprof", std::process::id()));
    let error = profile.save(&path).unwrap_err().to_string();
    assert!(error.contains("`; use `.pb.gz` for pprof"), "{error}");
    assert!(!path.exists());
    let error = profile
        .save(path.join("no-such-directory.svg"))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no-such-directory.svg` could not be written"),
        "{error}"
    );
}

#[test]
fn each_ending_is_a_format() {
    hotprobe::event! { static STORED: fn(bytes: u64); }
    let stacks = Stacks::at(&STORED).weight("bytes").start().unwrap();
    (0..10).for_each(|_| fire!(STORED, 1 << 40));
    let profile = stacks.finish().unwrap();
    let name = |ending| env::temp_dir().join(format!("hotprobe-{}.{ending}", std::process::id()));
    let read = |ending| {
        let path = name(ending);
        profile.save(&path).unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(path).unwrap();
        bytes
    };
    assert_eq!(read("pb.gz")[..3], [0x1f, 0x8b, 8]);
    let folded = String::from_utf8(read("Folded")).unwrap();
    let lines: Vec<_> = folded.lines().collect();
    assert_eq!(lines.len(), 1, "{folded}");
    assert!(
        lines[0].ends_with(&format!(" {}", 10_u64 << 40)),
        "{folded}"
    );
    let svg = String::from_utf8(read("svg")).unwrap();
    assert!(
        svg.starts_with("<svg ") && svg.ends_with("</svg>\n"),
        "{svg}"
    );
    assert!(svg.contains("each_ending_is_a_format"), "{svg}");
}

#[test]
#[cfg(target_os = "linux")]
fn neither_a_firing_nor_a_name_waits_for_the_lock_of_the_crate_backtrace() {
    hotprobe::event! { static TICK: fn(); }
    static DOOR: Door = Door::new();
    let (sender, receiver) = mpsc::channel();
    let fires = move || {
        let stacks = Stacks::at(&TICK).start().unwrap();
        fire!(TICK);
        let profile = stacks.finish().unwrap();
        let name = profile.samples()[0].frames()[0].name().to_owned();
        sender.send(name).unwrap();
    };
    thread::scope(|scope| {
        // The crate holds its lock while it calls this closure.
        scope.spawn(|| {
            backtrace::trace(|_| {
                DOOR.pass();
                false
            });
        });
        DOOR.wait_for_arrival();
        scope.spawn(fires);
        let name = receiver.recv_timeout(Duration::from_secs(60));
        DOOR.open();
        let name = name.expect("it waits for the lock");
        // (With line tables alone, a closure's name has no path.)
        assert!(!name.starts_with("0x"), "it has no name: {name}");
    });
}

#[test]
fn an_event_of_the_catalogue_can_be_profiled() {
    hotprobe::event! { static KNOWN_BY_NAME: fn(); }
    let found: &'static dyn AnyEvent = hotprobe::find(KNOWN_BY_NAME.name()).unwrap();
    let stacks = Stacks::at(found).start().unwrap();
    KNOWN_BY_NAME.fire();
    assert_eq!(stacks.counts().fired, 1);
    assert_eq!(KNOWN_BY_NAME.probes()[0].name(), Some("stacks"));
}

#[test]
fn a_known_stack_allocates_nothing() {
    hotprobe::event! { static STORED: fn(route: &str, bytes: u64); }
    let stacks = Stacks::at(&STORED)
        .weight("bytes")
        .label("route")
        .max_frames(448)
        .start()
        .unwrap();
    // One place in the program: from a loop that handles a round apart, an optimizer makes copies,
    // each of which is a stack.
    let mut made = [0; 100];
    for made in black_box(&mut made) {
        let before = allocations();
        fire!(STORED, "/orders", 1);
        *made = allocations() - before;
    }
    assert_eq!(made[1..].iter().sum::<usize>(), 0);
    let counts = stacks.counts();
    assert_eq!((counts.fired, counts.stacks), (100, 1));
}

#[test]
fn an_allocator_that_fires_is_profiled_like_anything_else() {
    isolated(
        "stacks::an_allocator_that_fires_is_profiled_like_anything_else",
        || {
            static BYTES: AtomicU64 = AtomicU64::new(0);
            #[inline(never)]
            fn allocates(bytes: usize) {
                black_box(vec![0_u8; bytes]);
            }
            let stacks = Stacks::at(&ALLOCATED).weight("bytes").start().unwrap();
            let independent = ALLOCATED.attach(|bytes| {
                BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
            });
            FIRES.store(true, Ordering::SeqCst);
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| (1..=50).for_each(|n| allocates(1000 + n)));
                }
            });
            // Written while the allocator fires: what that allocates is counted, too.
            let written = stacks.snapshot().samples().len();
            FIRES.store(false, Ordering::SeqCst);
            let profile = stacks.finish().unwrap();
            drop(independent);

            let samples = profile.samples();
            let ours = samples.iter().filter(|sample| {
                let mut frames = sample.frames().iter();
                frames.any(|frame| last(frame.name()) == "allocates")
            });
            let (mut count, mut weight) = (0, 0);
            for sample in ours {
                count += sample.count();
                weight += sample.weight();
            }
            assert_eq!((count, weight), (150, 3 * (50 * 1000 + 25 * 51)));
            let counts = profile.counts();
            assert!(counts.nested > 0 && written > 0, "{counts:?}");
            assert_eq!(counts.weight, u128::from(BYTES.load(Ordering::Relaxed)));
        },
    );
}

#[test]
fn profiles_are_compared_by_value() {
    hotprobe::event! { static COMPARED_FIRST: fn(); static COMPARED_SECOND: fn(); }
    let stacks = Stacks::new().matching("*::COMPARED_*").start().unwrap();
    COMPARED_FIRST.fire();
    COMPARED_SECOND.fire();
    let first = stacks.snapshot();
    assert_eq!(first.counts().fired, 2);
    let copy = first.clone();
    assert_eq!(first, copy);
    // The names are looked up in each by itself.
    assert_eq!(first.samples(), copy.samples());
    COMPARED_FIRST.fire();
    let second = stacks.finish().unwrap();
    assert_ne!(first, second);
    assert_ne!(first.samples(), second.samples());
    assert!(!COMPARED_SECOND.is_enabled());
}

#[test]
fn firings_that_a_condition_rejects_are_counted_apart_and_take_no_turn() {
    mod filtered {
        hotprobe::event! {
            pub(super) static SERVED: fn(route: &str, bytes: u64);
            pub(super) static IDLE: fn(bytes: u64);
        }
    }
    use filtered::{IDLE, SERVED};
    let stacks = Stacks::new()
        .matching("*::stacks::filtered::*")
        .weight("bytes")
        .every(2)
        .filter("route == '/a'")
        .start()
        .unwrap();
    let left_out: Vec<_> = stacks
        .left_out()
        .iter()
        .map(hotprobe_filter::BindError::event)
        .collect();
    assert_eq!(left_out, [IDLE.name()]);
    for _ in 0..10 {
        fire!(SERVED, "/a", 3);
        fire!(SERVED, "/b", 1000);
        fire!(IDLE, 7);
    }
    let counts = stacks.counts();
    let profile = stacks.finish().unwrap();
    assert_eq!(profile.counts(), counts);
    assert_eq!((counts.fired, counts.sampled, counts.skipped), (10, 5, 5));
    assert_eq!((counts.weight, counts.weight_skipped), (15, 15));
    assert_eq!(counts.rejected, 10);
    assert_eq!(profile.filter(), Some("route == \"/a\""));

    // An event that was chosen by itself has to fit.
    let error = Stacks::at(&IDLE).filter("route == '/a'").start();
    let error = error.unwrap_err().to_string();
    assert!(error.contains("has no parameter `route`"), "{error}");
    let profile = Stacks::at(&IDLE).start().unwrap().finish().unwrap();
    assert_eq!((profile.filter(), profile.counts().rejected), (None, 0));
}
