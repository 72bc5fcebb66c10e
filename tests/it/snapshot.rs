//! G3: a firing calls the probes of the snapshot that it loaded, each at most once, whatever is
//! attached and detached meanwhile.

use hotprobe::Probe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

type Seen = Arc<Mutex<Vec<&'static str>>>;

fn note(seen: &Seen, name: &'static str) -> impl Fn() + Send + Sync + 'static {
    let seen = Arc::clone(seen);
    move || seen.lock().unwrap().push(name)
}

#[test]
fn a_probe_that_detaches_itself_makes_no_other_be_skipped_or_called_twice() {
    hotprobe::event! { static SELF_DETACH: fn(); }
    let seen = Seen::default();
    let itself: Arc<OnceLock<Probe>> = Arc::default();
    let first = SELF_DETACH.attach(note(&seen, "first"));
    itself
        .set(SELF_DETACH.attach({
            let (note, itself) = (note(&seen, "itself"), Arc::downgrade(&itself));
            move || {
                note();
                assert!(itself.upgrade().unwrap().get().unwrap().detach());
            }
        }))
        .unwrap();
    let third = SELF_DETACH.attach(note(&seen, "third"));
    let fourth = SELF_DETACH.attach(note(&seen, "fourth"));
    SELF_DETACH.fire();
    SELF_DETACH.fire();
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "first", "itself", "third", "fourth", "first", "third", "fourth"
        ]
    );
    drop((first, third, fourth));
}

/// The second of four probes detaches the one at `victim`.
fn neighbour(
    event: impl Fn() + Copy,
    attach: impl Fn(Box<dyn Fn() + Send + Sync>) -> Probe,
    victim: usize,
    expected: &[&str],
) {
    let seen = Seen::default();
    let probes: Arc<Mutex<Vec<Probe>>> = Arc::default();
    for name in ["first", "second", "third", "fourth"] {
        let (note, all) = (note(&seen, name), Arc::downgrade(&probes));
        let probe = attach(Box::new(move || {
            note();
            if name == "second" {
                all.upgrade().unwrap().lock().unwrap()[victim].detach();
            }
        }));
        probes.lock().unwrap().push(probe);
    }
    event();
    assert_eq!(*seen.lock().unwrap(), expected, "victim {victim}");
    drop(probes);
}

#[test]
fn a_probe_that_detaches_its_neighbour_makes_no_other_be_skipped_or_called_twice() {
    hotprobe::event! { static NEIGHBOUR: fn(); }
    let attach = |probe: Box<dyn Fn() + Send + Sync>| NEIGHBOUR.attach(probe);
    let fire = || NEIGHBOUR.fire();
    neighbour(fire, attach, 0, &["first", "second", "third", "fourth"]);
    neighbour(fire, attach, 2, &["first", "second", "fourth"]);
    neighbour(fire, attach, 3, &["first", "second", "third"]);
}

#[test]
fn a_probe_attached_during_a_firing_is_called_from_the_next_on() {
    hotprobe::event! { static GROWS: fn(); }
    let late: Arc<Mutex<Vec<Probe>>> = Arc::default();
    let calls = Arc::new(AtomicU64::new(0));
    let probe = GROWS.attach({
        let (late, calls) = (Arc::downgrade(&late), Arc::clone(&calls));
        move || {
            let calls = Arc::clone(&calls);
            let probe = GROWS.attach(move || {
                calls.fetch_add(1, Ordering::SeqCst);
            });
            late.upgrade().unwrap().lock().unwrap().push(probe);
        }
    });
    GROWS.fire();
    assert_eq!(
        calls.load(Ordering::SeqCst),
        0,
        "not in the firing that attached it"
    );
    GROWS.fire();
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    GROWS.fire();
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    drop(probe);
    drop(late);
    assert!(!GROWS.is_enabled());
}

#[test]
fn two_constant_probes_are_called_once_by_each_firing_while_others_come_and_go() {
    hotprobe::event! { static BUSY: fn(n: u64); }
    const FIRINGS: u64 = 100_000;
    let count = |total: &Arc<AtomicU64>| {
        let total = Arc::clone(total);
        move |n: u64| {
            total.fetch_add(n, Ordering::Relaxed);
        }
    };
    let (first, last) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let one = BUSY.attach(count(&first));
    let mut churned = vec![BUSY.attach(|_| ())];
    let two = BUSY.attach(count(&last));
    let done = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for n in 1..=FIRINGS {
                    BUSY.fire(n);
                }
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        while done.load(Ordering::SeqCst) < 2 {
            if churned.len() < 5 {
                churned.push(BUSY.attach(|_| ()));
            } else {
                churned.clear();
            }
        }
    });
    let expected = 2 * FIRINGS * (FIRINGS + 1) / 2;
    assert_eq!(first.load(Ordering::SeqCst), expected);
    assert_eq!(last.load(Ordering::SeqCst), expected);
    drop((one, two, churned));
    assert_eq!(BUSY.probe_count(), 0);
}
