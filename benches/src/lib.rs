//! The measuring core, which the gate (`ci/overhead.sh`) and the benches share: what is measured,
//! in [`ours`](layout_a::ours), what the machine asks for the same without us, in
//! [`floors`](layout_a::floors), and how, in [`measure`].
//!
//! How each subject is guarded against the optimizer:
//!
//! * Each is a loop in a function of its own, called through a pointer. Its argument is the loop's
//!   counter, which starts at an opaque value.
//! * Each event has an attach that is reachable, so that the check cannot be known to fail. Each
//!   pointer of a hand-written guard has been stored to.
//! * Probes, and the closures of the floors, are called through pointers that come out of
//!   `black_box`, so that nothing of them is inlined. (For us nothing is needed: a probe's address
//!   comes out of an atomic.)
//! * `ci/overhead.sh` counts the instructions of most subjects. One that was removed has too few.

#![allow(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds of one run are far below 2^53"
)]

pub mod contended;
pub mod measure;
#[cfg(feature = "peers")]
pub mod peers;
pub mod writers;

/// Floors and ours. Three times the same files: where a loop, and the function that it calls,
/// happen to lie in memory moves a result by some 20 %, so there are three places for each. (In
/// three codegen units: otherwise the compiler would merge what is the same.)
#[path = "layout/mod.rs"]
pub mod layout_a;
#[allow(clippy::duplicate_mod)]
#[path = "layout/mod.rs"]
pub mod layout_b;
#[allow(clippy::duplicate_mod)]
#[path = "layout/mod.rs"]
pub mod layout_c;

/// A subject: a loop that is measured.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The name that rows and benches call it by.
    pub name: &'static str,
    /// How many operations one iteration is.
    pub per_iteration: u32,
    /// The loop; its argument is the number of iterations.
    pub run: fn(u64),
}

/// A subject of one operation an iteration.
#[must_use]
pub const fn subject(name: &'static str, run: fn(u64)) -> Subject {
    Subject {
        name,
        per_iteration: 1,
        run,
    }
}
