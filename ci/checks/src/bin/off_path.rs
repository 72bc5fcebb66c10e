//! What an event that is off compiles to: `ci/off-path.sh` looks at these functions' instructions.

use hotprobe::fire;
use std::hint::black_box;

hotprobe::event! {
    /// Fired by the macro.
    static E: fn(x: u64);
    /// Fired by the method. (Another event, so that the two functions are not merged into one.)
    static F: fn(x: u64);
}

/// The leaf that `docs::performance` shows.
#[inline(never)]
pub fn leaf(x: u64) {
    fire!(E, x);
}

/// The same, through the plain method.
#[inline(never)]
pub fn leaf_method(x: u64) {
    F.fire(x);
}

fn main() {
    // Something attaches, so that the events are not known to be off forever.
    let probes = [E.attach(|x| println!("{x}")), F.attach(|x| println!("{x}"))];
    leaf(black_box(1));
    leaf_method(black_box(2));
    drop(probes);
}
