//! G8: panics stay in.

use crate::{Witness, isolated, quiet_planned_panics};
use hotprobe::{OnPanic, ProbeOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

fn counter() -> (Arc<AtomicU64>, impl Fn() + Send + Sync + Clone + 'static) {
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    (count, move || {
        counted.fetch_add(1, Ordering::SeqCst);
    })
}

#[test]
fn a_probe_that_panics_is_switched_off_and_later_probes_run() {
    quiet_planned_panics();
    hotprobe::event! { static FAULTY: fn(); }
    let before = hotprobe::stats().probe_panics;
    let (count, increment) = counter();
    let (witness, dropped) = Witness::new();
    let first = FAULTY.attach(increment.clone());
    let faulty = FAULTY.attach({
        let increment = increment.clone();
        move || {
            witness.touch();
            increment();
            panic!("planned: a probe panics");
        }
    });
    let last = FAULTY.attach(increment);
    FAULTY.fire();
    assert_eq!(count.load(Ordering::SeqCst), 3, "the later probe ran");
    FAULTY.fire();
    assert_eq!(
        count.load(Ordering::SeqCst),
        5,
        "the faulty one did not, again"
    );
    assert!(hotprobe::stats().probe_panics > before);
    assert!(faulty.has_panicked() && faulty.is_attached());
    assert!(!first.has_panicked() && !last.has_panicked());
    assert_eq!(FAULTY.probe_count(), 3, "it is still counted");
    assert!(dropped.try_recv().is_err(), "it keeps its captures");
    drop((first, last));
    assert!(
        !FAULTY.is_enabled(),
        "an event left with only such probes is off"
    );
    assert_eq!(FAULTY.probe_count(), 1);
    faulty.detach_and_wait().unwrap();
    dropped.try_recv().unwrap();
    assert_eq!(FAULTY.probe_count(), 0);
    assert!(faulty.has_panicked(), "that remains known");
}

#[test]
fn an_event_whose_only_probe_is_quarantined_is_off_until_the_next_attach() {
    quiet_planned_panics();
    hotprobe::event! { static ALONE: fn(); }
    let faulty = ALONE.attach(|| panic!("planned: a probe panics"));
    ALONE.fire();
    assert!(!ALONE.is_enabled() && ALONE.probe_count() == 1);
    let (count, increment) = counter();
    let sound = ALONE.attach(increment);
    assert!(ALONE.is_enabled());
    ALONE.fire();
    assert_eq!(count.load(Ordering::SeqCst), 1);
    sound.detach();
    assert!(!ALONE.is_enabled() && ALONE.probe_count() == 1);
    drop(faulty);
    assert_eq!(ALONE.probe_count(), 0);
}

#[test]
fn propagate_is_counted_goes_through_and_leaves_the_event_as_it_was() {
    quiet_planned_panics();
    hotprobe::event! { static STRICT: fn(n: u64); }
    let before = hotprobe::stats().probe_panics;
    let (count, increment) = counter();
    let options = ProbeOptions::new()
        .on_panic(OnPanic::Propagate)
        .name("strict");
    let strict = STRICT.attach_with(options, |n| assert!(n < 10, "planned: {n} is too large"));
    let later = STRICT.attach(move |_| increment());
    STRICT.fire(1);
    let panic = catch_unwind(|| STRICT.fire(10)).unwrap_err();
    assert_eq!(
        panic.downcast_ref::<String>().unwrap(),
        "planned: 10 is too large"
    );
    assert_eq!(
        count.load(Ordering::SeqCst),
        1,
        "later probes of that firing do not run"
    );
    STRICT.fire(2);
    assert_eq!(count.load(Ordering::SeqCst), 2, "it is not switched off");
    assert!(strict.has_panicked());
    assert!(hotprobe::stats().probe_panics > before);
    // The firing was ended properly: this thread is neither pinned nor inside.
    strict.detach_and_wait().unwrap();
    drop(later);
    // In nested firings and pinned scopes too.
    hotprobe::event! { static AROUND: fn(); }
    let options = || ProbeOptions::new().on_panic(OnPanic::Propagate);
    let around = AROUND.attach_with(options(), || STRICT.fire(11));
    let strict = STRICT.attach_with(options(), |_| panic!("planned: inner"));
    assert!(catch_unwind(|| hotprobe::pinned(|| AROUND.fire())).is_err());
    hotprobe::synchronize().unwrap();
    drop((around, strict));
}

#[test]
fn a_panic_payload_whose_drop_panics_does_not_get_out_either() {
    quiet_planned_panics();
    hotprobe::event! { static NASTY: fn(); }
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            if !thread::panicking() {
                std::panic::panic_any(Payload2);
            }
        }
    }
    struct Payload2;
    let hook = ProbeOptions::new();
    let probe = NASTY.attach_with(hook, || std::panic::resume_unwind(Box::new(Payload)));
    NASTY.fire();
    assert!(probe.has_panicked());
}

#[test]
fn a_probe_may_panic_while_its_thread_unwinds() {
    quiet_planned_panics();
    hotprobe::event! { static UNWINDING: fn(); }
    struct FiresOnDrop;
    impl Drop for FiresOnDrop {
        fn drop(&mut self) {
            UNWINDING.fire();
        }
    }
    let probe = UNWINDING.attach(|| panic!("planned: in a probe"));
    let result = catch_unwind(|| {
        let _fires = FiresOnDrop;
        panic!("planned: in the traced code");
    });
    assert_eq!(
        *result.unwrap_err().downcast_ref::<&str>().unwrap(),
        "planned: in the traced code"
    );
    assert!(probe.has_panicked());
}

#[test]
fn threads_that_panic_in_one_probe_together_count_each_and_switch_it_off_once() {
    isolated(
        "panics::threads_that_panic_in_one_probe_together_count_each_and_switch_it_off_once",
        || {
            quiet_planned_panics();
            hotprobe::event! { static TOGETHER: fn(); }
            let (count, increment) = counter();
            for _ in 0..200 {
                let probe = TOGETHER.attach({
                    let increment = increment.clone();
                    move || {
                        increment();
                        panic!("planned: together");
                    }
                });
                thread::scope(|scope| {
                    for _ in 0..4 {
                        scope.spawn(|| TOGETHER.fire());
                    }
                    scope.spawn(|| probe.detach());
                });
                assert!(!TOGETHER.is_enabled() && TOGETHER.probe_count() == 0);
            }
            assert_eq!(hotprobe::stats().probe_panics, count.load(Ordering::SeqCst));
        },
    );
}

#[test]
fn a_detach_is_not_undone_by_a_quarantine() {
    quiet_planned_panics();
    hotprobe::event! { static BOTH: fn(); }
    for _ in 0..500 {
        let probe = BOTH.attach(|| panic!("planned: while it is detached"));
        thread::scope(|scope| {
            scope.spawn(|| BOTH.fire());
            assert!(probe.detach());
        });
        assert!(!probe.is_attached() && !BOTH.is_enabled() && BOTH.probe_count() == 0);
        assert!(!probe.detach());
    }
    // AssertUnwindSafe is not needed around handles:
    let probe = BOTH.attach(|| ());
    let _ = catch_unwind(AssertUnwindSafe(|| ()));
    assert!(catch_unwind(|| probe.is_attached()).unwrap());
}
