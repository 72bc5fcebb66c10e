//! The measuring core, which the gate (`ci/overhead.sh`) and the benches share.
//! [`ours`](layout_a::ours) has the subjects, [`floors`](layout_a::floors) the same work without
//! this crate, and [`measure`] the method.
//!
//! Guards against the optimizer:
//!
//! * Each is a loop in a function of its own, called through a pointer. Its argument is the loop's
//!   counter, which starts at an opaque value.
//! * An attach to each event is reachable, so the optimizer cannot know that the check fails. The
//!   pointer of each hand-written guard has been stored to.
//! * Probes, and the closures of the floors, are called through pointers that come out of
//!   `black_box`, so they are not inlined. (Events need no guard here: the address of a probe comes
//!   from an atomic.)
//! * `ci/overhead.sh` counts the instructions of most subjects. One that was removed has too few.

#![allow(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds of one run are far below 2^53"
)]

pub mod contended;
#[cfg(feature = "peers")]
pub mod lttng;
pub mod measure;
#[cfg(feature = "peers")]
pub mod peers;
#[cfg(feature = "peers")]
pub mod recorded;
pub mod recordings;
pub mod writers;

/// The floors and the subjects, three times from the same files: the address of a loop, and of the
/// function that it calls, changes a result by about 20 %. (They are in three codegen units, since
/// the compiler would merge equal functions.)
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
    /// The number of operations in one iteration.
    pub per_iteration: u32,
    /// The loop; its argument is the number of iterations.
    pub run: fn(u64),
}

/// Creates a subject with one operation per iteration.
#[must_use]
pub const fn subject(name: &'static str, run: fn(u64)) -> Subject {
    Subject {
        name,
        per_iteration: 1,
        run,
    }
}
