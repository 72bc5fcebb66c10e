//! **A batch over two events is one instant**, and so is its group's detach (G5).

use crate::{UNLIMITED, address, check, warm};
use hotprobe::{Batch, ProbeGroup};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

hotprobe::event! { static E: fn(); }

/// The two events, with one probe each to be batched, which count.
#[derive(Clone, Copy)]
struct Events {
    a: E,
    b: E,
}

#[derive(Clone, Default)]
struct Runs {
    a: Arc<AtomicUsize>,
    b: Arc<AtomicUsize>,
}

impl Runs {
    fn get(&self) -> (usize, usize) {
        (
            self.a.load(Ordering::Relaxed),
            self.b.load(Ordering::Relaxed),
        )
    }
}

fn count(counter: &Arc<AtomicUsize>) -> impl Fn() + Send + Sync + 'static {
    let counter = Arc::clone(counter);
    move || {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn batch() -> (Events, Batch, Runs) {
    let mut pair = [E::new(), E::new()];
    pair.sort_by_key(|e| address(e));
    let [a, b] = pair;
    let events = Events { a, b };
    let runs = Runs::default();
    let mut batch = Batch::new();
    events.a.attach_in(&mut batch, count(&runs.a));
    events.b.attach_in(&mut batch, count(&runs.b));
    (events, batch, runs)
}

/// Another probe of each event, so that no firing stops at the off check.
fn neighbours(events: Events) -> ProbeGroup {
    [events.a.attach(|| ()), events.b.attach(|| ())]
        .into_iter()
        .collect()
}

/// Two threads: one commits, one fires both events, in the order given.
fn attach(with_neighbours: bool, scope: fn(&dyn Fn()), a_first: bool) {
    check(UNLIMITED, move || {
        let (events, batch, runs) = batch();
        let neighbours = with_neighbours.then(|| neighbours(events));
        let firing = warm(move || {
            scope(&|| {
                if a_first {
                    events.a.fire();
                    events.b.fire();
                } else {
                    events.b.fire();
                    events.a.fire();
                }
            });
        });
        let group = batch.commit();
        firing.join();
        let (a, b) = runs.get();
        let (first, second) = if a_first { (a, b) } else { (b, a) };
        assert!(
            second >= first,
            "it ran one probe of the batch, and not the next"
        );
        group.leak();
        neighbours.into_iter().for_each(ProbeGroup::leak);
    });
}

/// Two threads: one detaches the group, one fires both events, in the order given.
fn detach(with_neighbours: bool, scope: fn(&dyn Fn()), a_first: bool) {
    check(UNLIMITED, move || {
        let (events, batch, runs) = batch();
        let neighbours = with_neighbours.then(|| neighbours(events));
        let mut group = batch.commit();
        let firing = warm(move || {
            scope(&|| {
                if a_first {
                    events.a.fire();
                    events.b.fire();
                } else {
                    events.b.fire();
                    events.a.fire();
                }
            });
        });
        group.detach();
        firing.join();
        let (a, b) = runs.get();
        let (first, second) = if a_first { (a, b) } else { (b, a) };
        assert!(
            second <= first,
            "it found one probe of the group gone, and ran the next"
        );
        neighbours.into_iter().for_each(ProbeGroup::leak);
    });
}

fn flat(body: &dyn Fn()) {
    body();
}

fn pinned(body: &dyn Fn()) {
    hotprobe::pinned(body);
}

/// Cost: 123 executions, below 0.1 s.
#[test]
fn an_attach_in_order() {
    attach(false, flat, true);
}

/// Cost: 84 executions, below 0.1 s.
#[test]
fn an_attach_in_reverse() {
    attach(false, flat, false);
}

/// Cost: 482 executions, 0.1 s.
#[test]
fn an_attach_beside_others_in_order() {
    attach(true, flat, true);
}

/// Cost: 248 executions, below 0.1 s.
#[test]
fn an_attach_beside_others_in_reverse() {
    attach(true, flat, false);
}

/// Cost: 207 executions, below 0.1 s (2 explorations).
#[test]
fn an_attach_seen_inside_pinned() {
    attach(false, pinned, true);
    attach(false, pinned, false);
}

/// Here the first probe's end is seen by the off check.
///
/// Cost: 3 205 executions, 0.6 s.
#[test]
fn a_detach_in_order() {
    detach(false, flat, true);
}

/// Cost: 2 320 executions, 0.3 s.
#[test]
fn a_detach_in_reverse() {
    detach(false, flat, false);
}

/// Here it is seen by the snapshot, by the gate, or by the slot's state.
///
/// Cost: 3 205 executions, 0.6 s.
#[test]
fn a_detach_beside_others_in_order() {
    detach(true, flat, true);
}

/// Cost: 2 314 executions, 0.5 s.
#[test]
fn a_detach_beside_others_in_reverse() {
    detach(true, flat, false);
}

/// Cost: 11 044 executions, 0.7 s (4 explorations).
#[test]
fn a_detach_seen_inside_pinned() {
    detach(false, pinned, true);
    detach(false, pinned, false);
    detach(true, pinned, true);
    detach(true, pinned, false);
}

/// Two threads: one detaches a group of two probes of one event, one fires it: within one firing,
/// too, the second does not start after the first was found gone.
///
/// Cost: 538 executions, 0.1 s.
#[test]
fn a_detach_within_one_firing() {
    check(UNLIMITED, || {
        let e = E::new();
        let runs = Runs::default();
        let mut batch = Batch::new();
        e.attach_in(&mut batch, count(&runs.a));
        e.attach_in(&mut batch, count(&runs.b));
        let mut group = batch.commit();
        let firing = warm(move || e.fire());
        group.detach();
        firing.join();
        let (a, b) = runs.get();
        assert!(b <= a);
    });
}
