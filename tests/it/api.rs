//! The shape of the public API: names, metadata, `Debug`, auto traits, generic code.

use hotprobe::__private::{Place, Signature, Slot};
use hotprobe::{
    Batch, Event, GracePeriod, OnPanic, Probe, ProbeGroup, ProbeOptions, Stats, SynchronizeError,
    TypedEvent,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

hotprobe::event! {
    /// A user logs in.
    ///
    /// Twice, if need be.
    pub static LOGIN: fn(user: &str, #[redact] token: &str, tries: u8);
    pub(crate) static SPLIT: for<'a> fn(whole: &'a str, parts: &'a [&'a str]);
    static MAYBE: fn(name: Option<&str>, point: Point, numbers: &[u64]);
    static TICK: fn();
    static TWELVE: fn(a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64, i: f32, j: f64, k: bool, l: char);
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    x: i32,
    y: i32,
}

assert_impl_all!(Probe: Send, Sync, UnwindSafe, RefUnwindSafe, Debug);
assert_impl_all!(ProbeGroup: Send, Sync, UnwindSafe, RefUnwindSafe, Debug, Extend<Probe>, FromIterator<Probe>, IntoIterator<Item = Probe>);
assert_impl_all!(Batch: Send, Debug);
assert_not_impl_any!(Probe: Clone);
assert_impl_all!(LOGIN: Copy, Send, Sync, Debug, UnwindSafe);
assert_impl_all!(ProbeOptions: Clone, Debug, Send, Sync);
assert_impl_all!(SynchronizeError: std::error::Error, Copy, Send, Sync);
assert_impl_all!(Stats: Copy, Debug, PartialEq);
assert_impl_all!(GracePeriod: Copy, Debug, Eq, Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(OnPanic: Copy, Debug);

#[test]
fn an_event_knows_its_name_its_place_and_its_parameters() {
    let metadata = LOGIN.metadata();
    assert_eq!(LOGIN.name(), "it::api::LOGIN");
    assert_eq!(metadata.name(), LOGIN.name());
    assert_eq!(metadata.module_path(), "it::api");
    assert!(metadata.file().ends_with("api.rs") && metadata.line() > 0);
    let line = line!();
    hotprobe::event! { static NEXT_LINE: fn(); }
    assert_eq!(NEXT_LINE.metadata().line(), line + 1);
    assert_eq!(metadata.docs(), " A user logs in.\n\n Twice, if need be.\n");
    let parameters: Vec<_> = metadata
        .parameters()
        .iter()
        .map(|p| (p.name(), p.type_name(), p.is_redacted()))
        .collect();
    assert_eq!(
        parameters,
        [
            ("user", "&str", false),
            ("token", "&str", true),
            ("tries", "u8", false)
        ]
    );
    assert_eq!(TICK.metadata().docs(), "");
    assert!(TICK.metadata().parameters().is_empty());
}

#[test]
fn metadata_sorts_by_name_and_is_a_key() {
    hotprobe::event! { static SORTED_B: fn(b: u8, a: u16); }
    hotprobe::event! { static SORTED_A: fn(); }
    let (first, second) = (SORTED_A.metadata(), SORTED_B.metadata());
    assert!(first < second, "the line of A is the later one");
    assert_eq!([second, first].into_iter().min(), Some(first));
    let [b, a] = second.parameters() else {
        panic!("{second:?}")
    };
    assert!(a < b, "the name counts before the type");
    let probes = HashMap::from([(*first, "first"), (*second, "second")]);
    assert_eq!(probes[SORTED_B.metadata()], "second");
    assert_eq!(HashSet::from([*a, *b, *a]).len(), 2);
}

#[test]
fn typed_probes_see_redacted_arguments() {
    let seen = Arc::new(Mutex::new(String::new()));
    let probe = LOGIN.attach({
        let seen = Arc::clone(&seen);
        move |user, token, tries| *seen.lock().unwrap() = format!("{user} {token} {tries}")
    });
    LOGIN.fire("JP", "secret", 3);
    assert_eq!(*seen.lock().unwrap(), "JP secret 3");
    drop(probe);
}

#[test]
fn arguments_of_any_copy_type_arrive_as_they_were_fired() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = || {
        let seen = Arc::clone(&seen);
        move |text: String| seen.lock().unwrap().push(text)
    };
    let (one, two, three) = (note(), note(), note());
    let probes: ProbeGroup = [
        SPLIT.attach(move |whole, parts| one(format!("{whole} {parts:?}"))),
        MAYBE.attach(move |name, point, numbers| two(format!("{name:?} {point:?} {numbers:?}"))),
        TWELVE.attach(move |a, b, c, d, e, f, g, h, i, j, k, l| {
            three(format!("{a} {b} {c} {d} {e} {f} {g} {h} {i} {j} {k} {l}"));
        }),
    ]
    .into_iter()
    .collect();
    {
        let whole = String::from("a b");
        let parts: Vec<&str> = whole.split(' ').collect();
        hotprobe::fire!(SPLIT, &whole, &parts);
    }
    hotprobe::fire!(MAYBE, None, Point { x: 1, y: -1 }, &[1, 2, 3]);
    hotprobe::fire!(TWELVE, 1, 2, 3, 4, -1, -2, -3, -4, 0.5, 0.25, true, 'x');
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "a b [\"a\", \"b\"]",
            "None Point { x: 1, y: -1 } [1, 2, 3]",
            "1 2 3 4 -1 -2 -3 -4 0.5 0.25 true x"
        ]
    );
    drop(probes);
}

#[test]
fn code_can_be_generic_over_events() {
    fn name_of<F: ?Sized>(event: &Event<F>) -> &'static str {
        event.name()
    }
    fn attach<E: TypedEvent>(event: &'static E, probe: Box<E::Probe>) -> Probe {
        assert!(event.event().probe_count() == 0 && !event.event().is_enabled());
        let probe = event.attach_boxed(probe);
        assert!(event.event().probe_count() == 1 && event.event().is_enabled());
        probe
    }
    hotprobe::event! { static GENERIC: fn(text: &str); }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let probe = attach(&GENERIC, {
        let seen = Arc::clone(&seen);
        Box::new(move |text| seen.lock().unwrap().push(text.to_owned()))
    });
    GENERIC.fire("x");
    assert_eq!(*seen.lock().unwrap(), ["x"]);
    assert!(name_of(&GENERIC).ends_with("::GENERIC"));
    drop(probe);
}

#[test]
fn generic_code_batches_probes_with_options() {
    hotprobe::event! { static FIRST: fn(text: &str); static SECOND: fn(text: &str); }
    type Text = dyn Fn(&str) + Send + Sync;
    let events: [&'static dyn TypedEvent<Probe = Text>; 2] = [&FIRST, &SECOND];
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut batch = Batch::new();
    for (event, name) in events.into_iter().zip(["one", "two"]) {
        let seen = Arc::clone(&seen);
        let probe = move |text: &str| seen.lock().unwrap().push(format!("{name} {text}"));
        event.attach_boxed_in(&mut batch, ProbeOptions::new().name(name), Box::new(probe));
    }
    assert!(!FIRST.is_enabled() && !SECOND.is_enabled());
    let group = batch.commit();
    hotprobe::fire!(FIRST, "x");
    hotprobe::fire!(SECOND, "y");
    assert_eq!(*seen.lock().unwrap(), ["one x", "two y"]);
    let names: Vec<_> = group.iter().map(Probe::name).collect();
    assert_eq!(names, [Some("one"), Some("two")]);
    drop(group);
    assert!(!FIRST.is_enabled() && !SECOND.is_enabled());
}

#[test]
fn a_boxed_probe_of_a_batch_keeps_its_panic_policy() {
    hotprobe::event! { static FRAGILE: fn(); }
    fn attach<E: TypedEvent>(
        event: &'static E,
        policy: OnPanic,
        probe: Box<E::Probe>,
    ) -> ProbeGroup {
        let mut batch = Batch::new();
        event.attach_boxed_in(&mut batch, ProbeOptions::new().on_panic(policy), probe);
        batch.commit()
    }
    crate::quiet_planned_panics();
    for (policy, enabled) in [(OnPanic::Propagate, true), (OnPanic::Quarantine, false)] {
        let group = attach(
            &FRAGILE,
            policy,
            Box::new(|| panic!("planned: a boxed probe panics")),
        );
        let fired = std::panic::catch_unwind(|| FRAGILE.fire());
        assert_eq!(fired.is_err(), enabled, "{policy:?}");
        assert!(group.iter().all(Probe::has_panicked));
        assert_eq!(FRAGILE.is_enabled(), enabled, "{policy:?}");
    }
}

#[test]
fn generic_code_gets_at_an_event_of_any_signature() {
    hotprobe::event! { static ANY: fn(user: &str, #[redact] token: &str); }
    fn watch<E: TypedEvent>(event: &'static E, seen: Arc<Mutex<String>>) -> Probe {
        event.as_any_event().attach(move |metadata, values| {
            *seen.lock().unwrap() = format!("{} {values:?}", metadata.name());
        })
    }
    let seen = Arc::new(Mutex::new(String::new()));
    let probe = watch(&ANY, Arc::clone(&seen));
    ANY.fire("JP", "secret");
    assert_eq!(
        *seen.lock().unwrap(),
        format!("{} [\"JP\", [redacted]]", ANY.name())
    );
    assert_eq!(ANY.as_any_event(), &ANY as &dyn hotprobe::AnyEvent);
    assert_ne!(ANY.as_any_event(), TICK.as_any_event());
    drop(probe);
}

#[test]
fn everything_is_debug_and_says_something() {
    hotprobe::event! { static SHOWN: fn(); }
    let probe = SHOWN.attach_with(ProbeOptions::new().name("watch"), || ());
    let text = format!("{SHOWN:?} {probe:?}");
    for part in [
        "SHOWN",
        "is_enabled: true",
        "probe_count: 1",
        "\"watch\"",
        "is_attached: true",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let mut batch = Batch::new();
    SHOWN.attach_in(&mut batch, || ());
    assert!(format!("{batch:?}").contains("attaches: 1"));
    assert!(format!("{:?}", batch.commit()).contains("SHOWN"));
    drop(probe);
}

#[test]
fn errors_are_sentences_that_say_what_to_do() {
    for error in [SynchronizeError::InProbe, SynchronizeError::TimedOut] {
        let text = error.to_string();
        assert!(text.len() > 40 && text.contains("call"), "{text}");
    }
}

#[test]
fn fire_takes_an_event_by_value_by_reference_and_through_a_path() {
    mod events {
        hotprobe::event! { pub static DEEP: fn(n: u64); }
    }
    let count = Arc::new(Mutex::new(0));
    let probe = events::DEEP.attach({
        let count = Arc::clone(&count);
        move |n| *count.lock().unwrap() += n
    });
    let by_value = events::DEEP;
    let by_reference = &events::DEEP;
    hotprobe::fire!(events::DEEP, 1);
    hotprobe::fire!(by_value, 10);
    hotprobe::fire!(by_reference, 100,);
    assert_eq!(*count.lock().unwrap(), 111);
    drop(probe);
}

#[test]
fn a_reference_to_a_group_goes_through_its_probes_in_order() {
    hotprobe::event! { static GROUPED: fn(); }
    let attach = |name| GROUPED.attach_with(hotprobe::ProbeOptions::new().name(name), || ());
    let group: hotprobe::ProbeGroup = ["first", "second"].map(attach).into_iter().collect();
    let mut names = Vec::new();
    for probe in &group {
        names.push(probe.name());
    }
    assert_eq!(names, [Some("first"), Some("second")]);
}

#[test]
fn a_group_gives_up_its_probes_attached_and_in_order() {
    hotprobe::event! { static FREED: fn(); }
    let calls = Arc::new(AtomicU64::new(0));
    let mut batch = Batch::new();
    for name in ["first", "second", "third"] {
        let calls = Arc::clone(&calls);
        let probe = move || {
            calls.fetch_add(1, Ordering::SeqCst);
        };
        FREED.attach_in_with(&mut batch, ProbeOptions::new().name(name), probe);
    }
    let mut probes = batch.commit().into_iter();
    assert_eq!(probes.len(), 3);
    FREED.fire();
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    let first = probes.next().unwrap();
    assert_eq!(first.name(), Some("first"));
    drop(probes);
    assert_eq!(FREED.probe_count(), 1);
    FREED.fire();
    assert_eq!(calls.load(Ordering::SeqCst), 4);
    assert!(first.detach() && !FREED.is_enabled());
}

/// What the macros go through is hidden, and yet nothing that can be done with it may be unsound.
#[test]
fn a_probe_is_not_called_as_one_of_another_type() {
    type Thunk = fn(Slot<'_>);
    struct Nullary;
    impl Signature for Nullary {
        type Probe = dyn Fn() + Send + Sync;
        type Thunk = Thunk;
    }
    let place: &'static Place<Nullary> = Box::leak(Box::new(Place::new(LOGIN.metadata())));
    let calls = Arc::new(AtomicU64::new(0));
    let thunk: Thunk = |slot| {
        slot.run(|calls: &Arc<AtomicU64>| {
            calls.fetch_add(1, Ordering::SeqCst);
        });
    };
    let right = place.attach(thunk, ProbeOptions::new(), Arc::clone(&calls));
    let wrong = place.attach(thunk, ProbeOptions::new(), [0_usize; 2]);
    place.fire_inside(|thunk, slot| thunk(slot));
    assert!(!right.has_panicked() && !wrong.has_panicked());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
