//! Groups of rows. Each is measured in processes of its own (`apart.rs`).

use crate::{code, count, times};
#[cfg(feature = "peers")]
use crate::{recorders, versus};

/// The program that measures a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// This one.
    Own,
    /// This one, in a process that gets no barrier from the kernel; values are called `full_NAME`.
    WithoutMembarrier,
    /// The one that was built with fat LTO, if there is one; values are called `fat_NAME`.
    FatLto,
}

/// A group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    /// The number of processes that measure it.
    pub(crate) processes: usize,
    /// Whether it measures time. Such rows are printed, and never fail.
    pub(crate) timed: bool,
    /// Measures it in this process, and prints its values.
    measure: fn(),
}

const fn counted(name: &'static str, measure: fn()) -> Group {
    Group {
        name,
        program: Program::Own,
        processes: 1,
        timed: false,
        measure,
    }
}

const fn timed(name: &'static str, processes: usize, measure: fn()) -> Group {
    Group {
        name,
        program: Program::Own,
        processes,
        timed: true,
        measure,
    }
}

const fn timed_by(program: Program, name: &'static str, measure: fn()) -> Group {
    Group {
        program,
        ..timed(name, 3, measure)
    }
}

/// All groups, in the order of the table.
pub(crate) const GROUPS: &[Group] = &[
    counted("code", code::print),
    counted("count", count::print),
    timed("fire", 3, times::fire),
    timed_by(Program::FatLto, "fire, fat LTO", times::fire),
    timed_by(
        Program::WithoutMembarrier,
        "fire, without membarrier",
        times::fire,
    ),
    timed("attach", 2, times::attach),
    timed("first", 1, times::first),
    timed("elsewhere", 1, times::elsewhere),
    timed("batch", 1, times::batch),
    timed("busy", 1, times::busy),
    timed("threads", 1, times::threads),
    timed("tails", 1, times::tails),
];

/// Measures a group, a peer (`peer:NAME`) or a recorder (`recorded:NAME`) in this process, and
/// prints its values.
pub(crate) fn measure(name: &str) {
    match name.split_once(':') {
        #[cfg(feature = "peers")]
        Some(("peer", peer)) => return versus::print(peer),
        #[cfg(feature = "peers")]
        Some(("recorded", recorder)) => return recorders::print(recorder),
        Some(("first", threads)) => return times::first_once(threads),
        _ => {}
    }
    let group = GROUPS.iter().find(|group| group.name == name);
    (group.expect("a group of that name").measure)();
}
