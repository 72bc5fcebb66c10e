//! G1: off is free. (What it compiles to is checked by `ci/off-path.sh`.)

use hotprobe::fire;
use std::cell::Cell;

hotprobe::event! {
    static SILENT: fn(n: u64);
    static HEARD: fn(n: u64, text: &str);
}

#[test]
fn arguments_are_not_evaluated_while_nothing_is_attached() {
    let evaluated = Cell::new(0);
    let argument = || {
        evaluated.set(evaluated.get() + 1);
        7
    };
    fire!(SILENT, argument());
    assert_eq!(evaluated.get(), 0);
    let probe = SILENT.attach(|n| assert_eq!(n, 7));
    fire!(SILENT, argument());
    assert_eq!(evaluated.get(), 1, "once, and not once for each probe");
    let second = SILENT.attach(|_| ());
    fire!(SILENT, argument());
    assert_eq!(evaluated.get(), 2);
    assert!(!probe.has_panicked());
    drop((probe, second));
    fire!(SILENT, argument());
    assert_eq!(evaluated.get(), 2);
    SILENT.fire(argument());
    assert_eq!(evaluated.get(), 3, "the plain call is a call");
}

#[test]
fn an_event_is_off_before_between_and_after_probes() {
    assert!(!HEARD.is_enabled());
    let probe = HEARD.attach(|_, _| ());
    assert!(HEARD.is_enabled());
    probe.detach();
    assert!(!HEARD.is_enabled());
    let again = HEARD.attach(|_, _| ());
    assert!(HEARD.is_enabled());
    drop(again);
    assert!(!HEARD.is_enabled());
}

#[test]
fn firing_allocates_nothing_on_a_registered_thread() {
    hotprobe::event! { static QUIET: fn(n: u64); }
    let probe = QUIET.attach(|_| ());
    QUIET.fire(0);
    let before = crate::alloc::allocations();
    // Fewer firings than crossbeam's collection, which may free and allocate, is apart.
    for n in 0..100 {
        QUIET.fire(n);
        hotprobe::pinned(|| QUIET.fire(n));
    }
    let after = crate::alloc::allocations();
    drop(probe);
    assert!(after - before <= 2, "{} allocations", after - before);
}
