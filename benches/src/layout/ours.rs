//! What is measured of us.

use super::floors::{self, counter};
use crate::{Subject, subject};
use hotprobe::{Probe, ProbeGroup, fire, pinned};
use std::hint::black_box;

hotprobe::event! {
    static OFF_0: fn(x: u64);
    static OFF_1: fn(x: u64);
    static OFF_2: fn(x: u64);
    static OFF_3: fn(x: u64);
    static OFF_4: fn(x: u64);
    static OFF_5: fn(x: u64);
    static OFF_6: fn(x: u64);
    static OFF_7: fn(x: u64);
    static ONE: fn(x: u64);
    static TWO: fn(x: u64);
    static FOUR: fn(x: u64);
    static SIXTEEN: fn(x: u64);
    /// Its probe fires `ONE` that often.
    static OUTER: fn(n: u64);
    static CHANGED_0: fn(x: u64);
    static CHANGED_4: fn(x: u64);
    static CHANGED_16: fn(x: u64);
    static CHANGED_OVER: fn(x: u64);
}

/// Eight events that are off.
#[inline(never)]
pub fn off_8(n: u64) {
    for i in counter(n) {
        black_box(i);
        fire!(OFF_0, i);
        fire!(OFF_1, i);
        fire!(OFF_2, i);
        fire!(OFF_3, i);
        fire!(OFF_4, i);
        fire!(OFF_5, i);
        fire!(OFF_6, i);
        fire!(OFF_7, i);
    }
}

/// An event with one probe.
#[inline(never)]
pub fn fire_1(n: u64) {
    for i in counter(n) {
        fire!(ONE, i);
    }
}

/// An event with 2 probes.
#[inline(never)]
pub fn fire_2(n: u64) {
    for i in counter(n) {
        fire!(TWO, i);
    }
}

/// An event with 4 probes.
#[inline(never)]
pub fn fire_4(n: u64) {
    for i in counter(n) {
        fire!(FOUR, i);
    }
}

/// An event with 16 probes.
#[inline(never)]
pub fn fire_16(n: u64) {
    for i in counter(n) {
        fire!(SIXTEEN, i);
    }
}

/// All of it in one `pinned` scope.
#[inline(never)]
pub fn fire_pinned(n: u64) {
    pinned(|| fire_1(n));
}

/// All of it inside one probe.
#[inline(never)]
pub fn fire_nested(n: u64) {
    fire!(OUTER, n);
}

/// Attaches and detaches a probe that captures something, so that there is something to drop.
#[inline(never)]
pub fn attach_detach_0(n: u64) {
    for i in counter(n) {
        drop(CHANGED_0.attach(move |_| {
            black_box(i);
        }));
    }
}

/// The same at an event that has 4 probes.
#[inline(never)]
pub fn attach_detach_4(n: u64) {
    for i in counter(n) {
        drop(CHANGED_4.attach(move |_| {
            black_box(i);
        }));
    }
}

/// The same at an event that has 16 probes.
#[inline(never)]
pub fn attach_detach_16(n: u64) {
    for i in counter(n) {
        drop(CHANGED_16.attach(move |_| {
            black_box(i);
        }));
    }
}

/// Attaches and detaches a probe, and waits until it has been dropped.
///
/// # Panics
/// Inside a probe, where nobody can wait.
#[inline(never)]
pub fn attach_detach_over(n: u64) {
    for i in counter(n) {
        drop(CHANGED_OVER.attach(move |_| {
            black_box(i);
        }));
        hotprobe::synchronize().expect("not in a probe");
    }
}

/// Attaches what the subjects fire, as long as the group lives; and once to what is to be off.
///
/// # Panics
/// If an event that is to be off stays on.
pub fn attached() -> ProbeGroup {
    for off in [
        OFF_0.attach(|_| ()),
        OFF_1.attach(|_| ()),
        OFF_2.attach(|_| ()),
        OFF_3.attach(|_| ()),
        OFF_4.attach(|_| ()),
        OFF_5.attach(|_| ()),
        OFF_6.attach(|_| ()),
        OFF_7.attach(|_| ()),
    ] {
        assert!(off.detach());
    }
    let mut group = ProbeGroup::new();
    group.add(ONE.attach(|_| ()));
    group.add(OUTER.attach(fire_1));
    group.extend(times(2, || TWO.attach(|_| ())));
    group.extend(times(4, || FOUR.attach(|_| ())));
    group.extend(times(16, || SIXTEEN.attach(|_| ())));
    group.extend(times(4, || CHANGED_4.attach(|_| ())));
    group.extend(times(16, || CHANGED_16.attach(|_| ())));
    group
}

fn times(n: usize, attach: impl Fn() -> Probe) -> impl Iterator<Item = Probe> {
    (0..n).map(move |_| attach())
}

const fn eight(name: &'static str, run: fn(u64)) -> Subject {
    Subject {
        name,
        per_iteration: 8,
        run,
    }
}

/// Firing, and its floors. To be measured while [`attached`].
pub const FIRE: &[Subject] = &[
    eight("nothing", floors::nothing_8),
    eight("guard", floors::guard_8),
    eight("off", off_8),
    subject("call", floors::call),
    subject("cas_call", floors::cas_call),
    subject("pin_call", floors::pin_call),
    subject("pin_call_inlined", floors::pin_call_inlined),
    subject("loop_1", floors::loop_1),
    subject("loop_16", floors::loop_16),
    subject("fire_1", fire_1),
    subject("fire_2", fire_2),
    subject("fire_4", fire_4),
    subject("fire_16", fire_16),
    subject("fire_pinned", fire_pinned),
    subject("fire_nested", fire_nested),
];

/// Attach and detach, one pair an iteration, and its floors.
pub const ATTACH: &[Subject] = &[
    subject("swaps_0", floors::swaps_0),
    subject("swaps_4", floors::swaps_4),
    subject("swaps_16", floors::swaps_16),
    subject("attach_detach_0", attach_detach_0),
    subject("attach_detach_4", attach_detach_4),
    subject("attach_detach_16", attach_detach_16),
];

/// A pair and a grace period, and their floor.
pub const WAIT: &[Subject] = &[
    subject("swaps_over", floors::swaps_over),
    subject("attach_detach_over", attach_detach_over),
];

/// Returns the subject of that name.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn named(name: &str) -> &'static Subject {
    [FIRE, ATTACH, WAIT]
        .into_iter()
        .flatten()
        .find(|subject| subject.name == name)
        .expect("a subject of that name")
}
