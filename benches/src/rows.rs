//! The rows: the comparisons and their limits. To tighten a limit, change it here.
//!
//! Only counted rows have a gate: machine code, instructions, allocations. Counts depend on the
//! compiler, but neither on the processor nor on other load.

use crate::values::Values;

/// A figure: a measured one, or one that is computed from several.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Figure {
    Of(&'static str),
    /// The difference of two figures, divided by a number.
    Each(&'static str, &'static str, f64),
    /// The quotient of two figures, in no unit.
    Over(&'static str, &'static str),
    None,
}
use Figure::{Each, Of, Over};

/// The comparison with the floor.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Judge {
    /// Ours / floor.
    Ratio,
    /// Ours - floor.
    Above,
    /// Ours.
    Plain,
}
use Judge::{Above, Plain, Ratio};

/// The limits of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The target, if there is one.
    pub(crate) target: Option<f64>,
    /// A better target.
    pub(crate) stretch: Option<f64>,
    /// The limit above which the row fails; only counted rows have one.
    pub(crate) gate: Option<f64>,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) group: &'static str,
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) ours: Figure,
    pub(crate) floor: Figure,
    pub(crate) judge: Judge,
    pub(crate) limits: Limits,
    /// The name of another row: it is enough if that row meets its own limit.
    pub(crate) or: Option<&'static str>,
    /// Whether the row needs light barriers, so a kernel with `membarrier`.
    pub(crate) needs_membarrier: bool,
}

impl Figure {
    pub(crate) fn get(self, of: impl Fn(&str) -> Option<f64>) -> Option<f64> {
        match self {
            Of(name) => of(name),
            Each(more, less, n) => Some((of(more)? - of(less)?) / n),
            Over(more, less) => Some(of(more)? / of(less)?),
            Figure::None => None,
        }
    }
}

impl Row {
    /// Returns the judged figure; none if it was not measured.
    pub(crate) fn value(&self, values: &Values) -> Option<f64> {
        self.judged(|name| values.best(name))
    }

    pub(crate) fn typical(&self, values: &Values) -> Option<f64> {
        self.judged(|name| values.typical(name))
    }

    fn judged(&self, of: impl Fn(&str) -> Option<f64>) -> Option<f64> {
        let ours = self.ours.get(&of)?;
        Some(match self.judge {
            Ratio => ours / self.floor.get(&of)?,
            Above => ours - self.floor.get(&of)?,
            Plain => ours,
        })
    }

    /// Returns whether a limit of this row, or of the row that `or` names, is met.
    pub(crate) fn meets(&self, values: &Values, limit: impl Fn(&Limits) -> Option<f64>) -> bool {
        let own = |row: &Row| match (row.value(values), limit(&row.limits)) {
            (Some(value), Some(limit)) => value <= limit + row.tolerance(),
            _ => false,
        };
        own(self)
            || self
                .or
                .is_some_and(|or| ROWS.iter().any(|row| row.what == or && own(row)))
    }

    /// Returns by how much a value may be above a limit: for times, what the table does not show.
    fn tolerance(&self) -> f64 {
        if self.limits.gate.is_some() {
            1e-9
        } else {
            0.005
        }
    }

    /// Returns whether the row is below its gate, or has none. A row that was not measured is not
    /// below it.
    pub(crate) fn passes(&self, values: &Values) -> bool {
        self.limits.gate.is_none() || self.meets(values, |limits| limits.gate)
    }
}

/// Creates a counted row, which fails above `gate`.
const fn counted(
    group: &'static str,
    what: &'static str,
    unit: &'static str,
    (ours, judge, floor): (Figure, Judge, Figure),
    gate: f64,
) -> Row {
    Row {
        group,
        what,
        unit,
        ours,
        floor,
        judge,
        limits: Limits {
            target: Some(gate),
            stretch: None,
            gate: Some(gate),
        },
        or: None,
        needs_membarrier: false,
    }
}

/// Creates a timed row, which is printed and never fails.
const fn timed(
    group: &'static str,
    what: &'static str,
    unit: &'static str,
    (ours, judge, floor): (Figure, Judge, Figure),
    (target, stretch): (Option<f64>, Option<f64>),
) -> Row {
    Row {
        group,
        what,
        unit,
        ours,
        floor,
        judge,
        limits: Limits {
            target,
            stretch,
            gate: None,
        },
        or: None,
        needs_membarrier: false,
    }
}

const fn target(target: f64) -> (Option<f64>, Option<f64>) {
    (Some(target), None)
}

const fn stretch(target: f64, stretch: f64) -> (Option<f64>, Option<f64>) {
    (Some(target), Some(stretch))
}

const NO_TARGET: (Option<f64>, Option<f64>) = (None, None);

/// The instructions measured with rustc 1.95, plus less than one. Times would not show a
/// regression: one more locked instruction, on an uncontended cache line, was lost in the noise.
/// Another compiler may need other numbers. A change of the code that needs them must give the
/// reason.
const DISPATCH: f64 = 18.9;
/// Two instructions more, for the lane's own barrier.
const DISPATCH_FULL: f64 = 20.9;
const FURTHER: f64 = 3.5;
const PINNED: f64 = 52.5;
const NESTED: f64 = 52.5;

/// A record, from `fire!` to the buffer. Five of them find out whether the recording's batch is
/// attached, by the sequence that makes events and spans of a batch one instant.
const RECORD: f64 = 217.9;
const RECORD_TEXT: f64 = 44.9;

/// Attach and detach, against clone + swap + defer, without libc: the ratios measured with rustc
/// 1.95, plus a few hundredths. A grace period consists of two parts, the scan of the lanes and
/// crossbeam's epochs; the scan takes about 150 instructions.
const PAIR: f64 = 5.45;
const PAIR_4: f64 = 5.52;
const PAIR_16: f64 = 4.85;
const PAIR_OVER: f64 = 3.42;
const PAIR_OVER_THREAD: f64 = 0.7;
/// With libc's instructions it is 164.9.
const GONE: f64 = 8.9;

pub(crate) const ROWS: &[Row] = &[
    counted(
        "code",
        "off: instructions of the function, above a hand-written guard's",
        "instr",
        (Of("instructions_event"), Above, Of("instructions_guard")),
        0.0,
    ),
    counted(
        "code",
        "off: bytes of load, test and branch",
        "bytes",
        (Of("bytes_event"), Plain, Of("bytes_guard")),
        14.0,
    ),
    counted(
        "count",
        "off: instructions executed, above a hand-written guard's",
        "instr",
        (
            Each("count_off", "count_nothing", 1.0),
            Above,
            Each("count_guard", "count_nothing", 1.0),
        ),
        0.0,
    ),
    Row {
        needs_membarrier: true,
        ..counted(
            "count",
            "one probe: instructions, above pin + load + call",
            "instr",
            (Of("count_fire_1_light"), Above, Of("count_pin_call")),
            DISPATCH,
        )
    },
    counted(
        "count",
        "the same without membarrier",
        "instr",
        (Of("count_fire_1_full"), Above, Of("count_pin_call")),
        DISPATCH_FULL,
    ),
    counted(
        "count",
        "each further probe: instructions, above a plain loop's",
        "instr",
        (
            Each("count_fire_16", "count_fire_1", 15.0),
            Above,
            Each("count_loop_16", "count_loop_1", 15.0),
        ),
        FURTHER,
    ),
    counted(
        "count",
        "one probe in `pinned`: instructions, above a dyn call",
        "instr",
        (Of("count_fire_pinned"), Above, Of("count_call")),
        PINNED,
    ),
    counted(
        "count",
        "one probe nested: instructions, above a dyn call",
        "instr",
        (Of("count_fire_nested"), Above, Of("count_call")),
        NESTED,
    ),
    counted(
        "count",
        "attach + detach: instructions, against clone + swap + defer",
        "instr",
        (Of("count_attach_detach_0"), Ratio, Of("count_swaps_0")),
        PAIR,
    ),
    counted(
        "count",
        "the same with 4 probes attached: instructions",
        "instr",
        (Of("count_attach_detach_4"), Ratio, Of("count_swaps_4")),
        PAIR_4,
    ),
    counted(
        "count",
        "the same with 16 probes attached: instructions",
        "instr",
        (Of("count_attach_detach_16"), Ratio, Of("count_swaps_16")),
        PAIR_16,
    ),
    counted(
        "count",
        "attach + detach: allocations",
        "",
        (
            Of("allocations_attach_detach_0"),
            Plain,
            Of("allocations_swaps_0"),
        ),
        3.0,
    ),
    counted(
        "count",
        "attach + detach + synchronize: instructions, against the floor + a grace period",
        "instr",
        (
            Of("count_attach_detach_over"),
            Ratio,
            Of("count_swaps_over"),
        ),
        PAIR_OVER,
    ),
    counted(
        "count",
        "each of 64 more threads: instructions of the same, against the floor's",
        "instr",
        (
            Each(
                "count_attach_detach_over_threads",
                "count_attach_detach_over",
                64.0,
            ),
            Ratio,
            Each("count_swaps_over_threads", "count_swaps_over", 64.0),
        ),
        PAIR_OVER_THREAD,
    ),
    // One look at a second chunk of lanes, and nothing for each thread.
    counted(
        "count",
        "attach + detach after 1024 threads have gone, 64 at a time: instructions, above without",
        "instr",
        (
            Of("count_attach_detach_0_gone"),
            Above,
            Of("count_attach_detach_0"),
        ),
        GONE,
    ),
    counted(
        "count",
        "attach + detach with 1024 probes on 64 other events: instructions, above without",
        "instr",
        (
            Of("count_attach_detach_0_events"),
            Above,
            Of("count_attach_detach_0"),
        ),
        0.0,
    ),
    // Without libc, which reads the clock; with what std does around it, about 17 instructions.
    counted(
        "count",
        "a record of a `u64`: instructions, without libc's",
        "instr",
        (Of("count_record_u64"), Plain, Figure::None),
        RECORD,
    ),
    counted(
        "count",
        "a record of a text of 32 bytes: instructions, above a `u64`'s",
        "instr",
        (Of("count_record_text"), Above, Of("count_record_u64")),
        RECORD_TEXT,
    ),
    // With libc's instructions, which show copies of probes that are attached already.
    counted(
        "count",
        "batch of 10,000 and its detach: instructions per probe, against one of 1,000",
        "instr",
        (Of("all_batch_10k"), Ratio, Of("all_batch_1k")),
        1.1,
    ),
    // Time.
    timed(
        "fire",
        "off, against a hand-written guard",
        "ns",
        (Of("off"), Ratio, Of("guard")),
        target(1.0),
    ),
    Row {
        or: Some("one probe, above compare-and-exchange + dyn call"),
        ..timed(
            "fire",
            "one probe, against compare-and-exchange + dyn call",
            "ns",
            (Of("fire_1"), Ratio, Of("cas_call")),
            stretch(2.1, 1.9),
        )
    },
    Row {
        or: Some("one probe, against compare-and-exchange + dyn call"),
        ..timed(
            "fire",
            "one probe, above compare-and-exchange + dyn call",
            "ns",
            (Of("fire_1"), Above, Of("cas_call")),
            target(3.2),
        )
    },
    timed(
        "fire",
        "each further probe, against a dyn call in a plain loop",
        "ns",
        (
            Each("fire_16", "fire_1", 15.0),
            Ratio,
            Each("loop_16", "loop_1", 15.0),
        ),
        target(1.05),
    ),
    timed(
        "fire",
        "one probe, against a dyn call",
        "ns",
        (Of("fire_1"), Ratio, Of("call")),
        stretch(2.6, 2.2),
    ),
    timed(
        "fire, fat LTO",
        "one probe, against a dyn call, with fat LTO",
        "ns",
        (Of("fat_fire_1"), Ratio, Of("fat_call")),
        stretch(2.6, 2.2),
    ),
    timed(
        "fire",
        "one probe in `pinned`, against an outermost firing",
        "ns",
        (Of("fire_pinned"), Ratio, Of("fire_1")),
        target(1.0),
    ),
    timed(
        "fire",
        "one probe nested, against an outermost firing",
        "ns",
        (Of("fire_nested"), Ratio, Of("fire_1")),
        target(1.0),
    ),
    timed(
        "fire",
        "depth, gate, state, catch_unwind, counters: above pin + load + call",
        "ns",
        (Of("fire_1"), Above, Of("pin_call")),
        stretch(1.6, 1.2),
    ),
    // What a firing cost before it had a lane.
    timed(
        "fire, without membarrier",
        "one probe without membarrier, above pin + load + call",
        "ns",
        (Of("full_fire_1"), Above, Of("full_pin_call")),
        target(1.6),
    ),
    timed(
        "fire, without membarrier",
        "one probe in `pinned` without membarrier, against an outermost firing",
        "ns",
        (Of("full_fire_pinned"), Ratio, Of("full_fire_1")),
        target(1.0),
    ),
    timed(
        "attach",
        "attach + detach, nobody fires, captures dropped",
        "ns",
        (Of("attach_detach_0"), Plain, Figure::None),
        target(1e3),
    ),
    timed(
        "attach",
        "attach + detach, against clone + swap + defer",
        "ns",
        (Of("attach_detach_0"), Ratio, Of("swaps_0")),
        stretch(3.5, 2.5),
    ),
    timed(
        "attach",
        "the same with 4 probes attached",
        "ns",
        (Of("attach_detach_4"), Ratio, Of("swaps_4")),
        stretch(3.5, 2.5),
    ),
    timed(
        "attach",
        "the same with 16 probes attached",
        "ns",
        (Of("attach_detach_16"), Ratio, Of("swaps_16")),
        stretch(3.5, 2.5),
    ),
    timed(
        "first",
        "the first attach of a process with one thread, median of 10",
        "ns",
        (Of("first_1"), Plain, Figure::None),
        NO_TARGET,
    ),
    timed(
        "first",
        "the first attach of a process with two threads, median of 10",
        "ns",
        (Of("first_2"), Plain, Figure::None),
        NO_TARGET,
    ),
    timed(
        "first",
        "the longest of these 10",
        "ns",
        (Of("first_2_longest"), Plain, Figure::None),
        NO_TARGET,
    ),
    timed(
        "elsewhere",
        "attach + detach with 512 threads that have fired and sleep",
        "ns",
        (Of("pair_parked"), Plain, Figure::None),
        target(3e3),
    ),
    timed(
        "elsewhere",
        "attach + detach after 10,000 threads have fired and ended, above without",
        "ns",
        (Of("pair_gone"), Above, Of("pair")),
        target(1e3),
    ),
    timed(
        "elsewhere",
        "attach + detach with 256 MiB more on the heap, against without",
        "ns",
        (Of("pair_heap"), Ratio, Of("pair")),
        target(1.1),
    ),
    timed(
        "elsewhere",
        "the same with 64 more threads that have fired",
        "ns",
        (Of("pair_threads"), Ratio, Of("pair")),
        target(1.1),
    ),
    // A grace period is over when each thread has been looked at, in every library: so ours is also
    // judged by what that takes without us.
    timed(
        "elsewhere",
        "the same, against clone + swap + defer + a grace period, with as many threads",
        "ns",
        (Of("pair_threads"), Ratio, Of("pair_threads_floor")),
        target(1.1),
    ),
    timed(
        "elsewhere",
        "(the floor alone: with 64 more threads, against without)",
        "ns",
        (Of("pair_threads_floor"), Ratio, Of("pair_floor")),
        NO_TARGET,
    ),
    timed(
        "elsewhere",
        "the same with 1024 probes on 64 other events",
        "ns",
        (Of("pair_events"), Ratio, Of("pair")),
        target(1.1),
    ),
    timed(
        "batch",
        "batch of 100,000 probes on one event",
        "ns",
        (Of("batch_100k"), Plain, Figure::None),
        target(100e6),
    ),
    timed(
        "batch",
        "the detach of that group",
        "ns",
        (Of("group_100k"), Plain, Figure::None),
        target(100e6),
    ),
    timed(
        "batch",
        "batch of 10,000, against one of 1,000 (linear: 10)",
        "ns",
        (Of("batch_10k"), Ratio, Of("batch_1k")),
        target(12.0),
    ),
    timed(
        "batch",
        "the same for the detach of that group",
        "ns",
        (Of("group_10k"), Ratio, Of("group_1k")),
        target(12.0),
    ),
    timed(
        "busy",
        "synchronize, nobody fires, median",
        "ns",
        (Of("synchronize"), Plain, Figure::None),
        target(3e3),
    ),
    timed(
        "busy",
        "synchronize, other threads fire without pause, median",
        "ns",
        (Of("synchronize_busy"), Plain, Figure::None),
        target(30e3),
    ),
    timed(
        "busy",
        "attach + detach, other threads fire without pause, median, above one membarrier",
        "ns",
        (Of("pair_busy"), Above, Of("membarrier_busy")),
        target(3e3),
    ),
    timed(
        "busy",
        "retired and not yet reclaimed meanwhile, p99",
        "",
        (Of("backlog"), Plain, Figure::None),
        target(1e3),
    ),
    // How much the pin itself suffers from a second thread depends on which cores the two got (1.4
    // or 2.1 times, on one and the same virtual machine); what is above that is ours.
    timed(
        "threads",
        "two threads firing one event: each, against one alone",
        "ns",
        (Of("fire_together"), Ratio, Of("fire_alone")),
        target(1.25),
    ),
    timed(
        "threads",
        "one probe ÷ a dyn call, on each of two threads, against on one",
        "x",
        (
            Over("fire_together", "call_together"),
            Ratio,
            Over("fire_alone", "call_alone"),
        ),
        target(1.0),
    ),
    timed(
        "threads",
        "what two threads cost each other, above the floor's",
        "ns",
        (
            Each("fire_together", "fire_alone", 1.0),
            Above,
            Each("pin_together", "pin_alone", 1.0),
        ),
        target(1.0),
    ),
    timed(
        "threads",
        "(the floor alone: pin + load + call, on two threads)",
        "ns",
        (Of("pin_together"), Ratio, Of("pin_alone")),
        NO_TARGET,
    ),
    timed(
        "threads",
        "(the same without a pin: compare-and-exchange + dyn call)",
        "ns",
        (Of("cas_together"), Ratio, Of("cas_alone")),
        NO_TARGET,
    ),
    timed(
        "tails",
        "a firing, p99.3, with 512 threads that have fired and sleep, above without",
        "ns",
        (Of("tail_parked_512_99.3"), Above, Of("tail_alone_99.3")),
        target(10.0),
    ),
    timed(
        "tails",
        "the same with 2048 threads",
        "ns",
        (Of("tail_parked_2048_99.3"), Above, Of("tail_alone_99.3")),
        target(10.0),
    ),
    // Two readings of the counter show differences of some nanoseconds.
    timed(
        "tails",
        "a firing, p99.99, 100 changes a second, above 100 membarriers a second",
        "ns",
        (
            Of("tail_changes_100_99.99"),
            Above,
            Of("tail_barriers_100_99.99"),
        ),
        target(10.0),
    ),
    timed(
        "tails",
        "the same without a pause between changes, or membarriers",
        "ns",
        (Of("tail_changes_99.99"), Above, Of("tail_barriers_99.99")),
        NO_TARGET,
    ),
];
