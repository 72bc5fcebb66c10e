//! The numbers by which packets name things: the packets' sequence, tracks, categories, and
//! arguments of our own.

/// Tracks: what they are of in the lowest bits, which one above. (Small numbers are short in the
/// file.)
pub(crate) mod uuid {
    pub(crate) const PROCESS: u64 = 1;
    pub(crate) const TOTALS: u64 = 2;
    /// All tasks' tracks are below this one.
    pub(crate) const TASKS: u64 = 3;
    const KINDS: u64 = 8;
    pub(crate) fn thread(thread: usize) -> u64 {
        (thread as u64 + 1) * KINDS
    }
    pub(crate) fn task(task: u64) -> u64 {
        (task & (u64::MAX >> 4)) * KINDS + 4
    }
    pub(crate) fn lost(thread: usize) -> u64 {
        thread as u64 * KINDS + 5
    }
    pub(crate) fn rule(rule: usize) -> u64 {
        rule as u64 * KINDS + 6
    }
    pub(crate) fn lane(rule: usize, lane: usize) -> u64 {
        ((lane as u64) << 24 | rule as u64) * KINDS + 7
    }
}

/// Categories, by number.
pub(crate) mod category {
    pub(crate) const NAMES: [&str; 5] = ["event", "task", "slice", "lost", "total"];
    pub(crate) const EVENT: u64 = 1;
    pub(crate) const TASK: u64 = 2;
    pub(crate) const SLICE: u64 = 3;
    pub(crate) const LOST: u64 = 4;
    pub(crate) const TOTAL: u64 = 5;
}

/// Arguments that are ours, by number. No parameter is called so: they have a space, or stand
/// alone.
pub(crate) mod argument {
    pub(crate) const NAMES: [&str; 9] = [
        "tokio task",
        "no end",
        "no begin",
        "at end",
        "event",
        "thread",
        "fired",
        "written",
        "lost",
    ];
    pub(crate) const TASK: u64 = 1;
    pub(crate) const NO_END: u64 = 2;
    pub(crate) const NO_BEGIN: u64 = 3;
    pub(crate) const END: u64 = 4;
    pub(crate) const EVENT: u64 = 5;
    pub(crate) const THREAD: u64 = 6;
    pub(crate) const FIRED: u64 = 7;
    pub(crate) const WRITTEN: u64 = 8;
    pub(crate) const LOST: u64 = 9;
}

/// All packets are of one sequence, of this number.
pub(crate) const SEQUENCE: u32 = 1;
