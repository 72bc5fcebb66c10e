//! Groups of rows. Each is measured in processes of its own (`apart.rs`).

#[cfg(feature = "peers")]
use crate::versus;
use crate::{code, count, times};

/// A group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
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
        processes: 1,
        timed: false,
        measure,
    }
}

const fn timed(name: &'static str, processes: usize, measure: fn()) -> Group {
    Group {
        name,
        processes,
        timed: true,
        measure,
    }
}

/// All groups, in the order of the table.
pub(crate) const GROUPS: &[Group] = &[
    counted("code", code::print),
    counted("count", count::print),
    timed("fire", 3, times::fire),
    timed("attach", 2, times::attach),
    timed("first", 5, times::first),
    timed("elsewhere", 1, times::elsewhere),
    timed("batch", 1, times::batch),
    timed("busy", 1, times::busy),
    timed("threads", 1, times::threads),
    timed("gaps", 1, times::gaps),
];

/// Measures a group, or a peer (`peer:NAME`), in this process, and prints its values.
pub(crate) fn measure(name: &str) {
    #[cfg(feature = "peers")]
    if let Some(peer) = name.strip_prefix("peer:") {
        return versus::print(peer);
    }
    let group = GROUPS.iter().find(|group| group.name == name);
    (group.expect("a group of that name").measure)();
}
